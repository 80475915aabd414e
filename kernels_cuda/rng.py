"""Random numbers: Philox4x32-10, counter based.

1. The key is the 64-bit seed, the counter is (history low, history high, block, particle). Every particle of a history
   has a number of its own, given by its parent, and draws the same numbers whoever follows it and whenever: any
   thread, chunk, queue, device or worker.
2. A block gives four 32-bit words; a word becomes a float32 strictly inside (0, 1).

Source: Salmon, Moraes, Dror & Shaw, Proc. SC'11 (2011) 16; known-answer vectors of Random123 are in the tests.
"""

from typing import Any, NamedTuple

import numpy as np

from .device import device

M0, M1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)  # multipliers of Philox4x32
W0, W1 = np.uint32(0x9E3779B9), np.uint32(0xBB67AE85)  # Weyl increments of its key schedule
S32, S16, S9 = np.uint64(32), np.uint32(16), np.uint32(9)
LOW16 = np.uint32(0xFFFF)
HALF, TWO_M23, TWO_M16 = np.float32(0.5), np.float32(2.0**-23), np.float32(2.0**-16)
ONE, LN2 = np.float32(1), np.float32(0.693147181)
ROOT_HALF, MANTISSA, MANTISSA_BITS = np.int32(0x3F3504F3), np.int32(0x7FFFFF), np.int32(23)  # bits of sqrt(1/2)
P0, P1, P2, P3 = np.float32(0.333339095), np.float32(-0.250013351), np.float32(0.199631423), np.float32(-0.165776417)
P4, P5, P6 = np.float32(0.149140909), np.float32(-0.142669111), np.float32(0.0870152553)
NEXT = np.uint32(1)
FIRST = np.uint32(0)
EMITTED_PARTICLE = np.uint32(1)  # number in its history of the particle that a decay emits
FAMILY = np.uint64(0x9E3779B1)  # odd: parents whose numbers differ keep the numbers of their children apart


class Stream(NamedTuple):
    """Where a particle draws from: two words of seed, two of history number, its number in it (uint32 each)."""

    seed_low: Any
    seed_high: Any
    history_low: Any
    history_high: Any
    particle: Any


@device
def of_particle(stream, particle):
    """The stream of another particle of the same history."""
    return Stream(stream.seed_low, stream.seed_high, stream.history_low, stream.history_high, particle)


@device
def child(stream, block, k):
    """The stream of child k (0 or 1) that a particle sets free after having drawn ``block`` blocks."""
    number = np.uint64(stream.particle) * FAMILY + np.uint64(block) + np.uint64(block) + np.uint64(k)
    return of_particle(stream, np.uint32(number))


@device
def philox(c0, c1, c2, c3, k0, k1):
    """Ten rounds of Philox4x32 on uint32 words."""
    for _ in range(10):
        p0 = M0 * np.uint64(c0)
        p1 = M1 * np.uint64(c2)
        n0 = np.uint32(p1 >> S32) ^ c1 ^ k0
        n2 = np.uint32(p0 >> S32) ^ c3 ^ k1
        c1 = np.uint32(p1)
        c3 = np.uint32(p0)
        c0 = np.uint32(n0)
        c2 = np.uint32(n2)
        k0 = np.uint32(k0 + W0)
        k1 = np.uint32(k1 + W1)
    return c0, c1, c2, c3


@device
def unit(word):
    """float32 in (0, 1) from the upper 23 bits: the centres of 2**23 cells, exact in float32."""
    return (np.float32(np.uint32(word >> S9)) + HALF) * TWO_M23


@device
def unit_high16(word):
    """float32 in (0, 1) from the upper 16 bits."""
    return (np.float32(np.uint32(word >> S16)) + HALF) * TWO_M16


@device
def unit_low16(word):
    """float32 in (0, 1) from the lower 16 bits."""
    return (np.float32(np.uint32(word & LOW16)) + HALF) * TWO_M16


@device
def exponential(r):
    """-ln of a number in (0, 1): an exponential deviate.

    ln(1 + f) - f + f^2/2 over f^3 is a polynomial of degree six, fitted for the smallest error of the logarithm (3e-8
    of it) where 1 + f lies between the roots of 1/2 and 2; powers of two are counted apart. Without a branch or a call,
    so that several are taken at once.
    """
    bits = np.int32(np.float32(r).view(np.int32) - ROOT_HALF)
    f = np.int32((bits & MANTISSA) + ROOT_HALF).view(np.float32) - ONE
    octaves = np.float32(bits >> MANTISSA_BITS)
    y = (((((P6 * f + P5) * f + P4) * f + P3) * f + P2) * f + P1) * f + P0
    square = f * f
    return -(octaves * LN2 + (f + (y * f - HALF) * square))


@device
def words(stream, block):
    """Four uint32 words of one block."""
    return philox(stream.history_low, stream.history_high, block, stream.particle, stream.seed_low, stream.seed_high)


@device
def uniforms(stream, block):
    """Four float32 in (0, 1) from one block."""
    a, b, c, d = words(stream, block)
    return unit(a), unit(b), unit(c), unit(d)
