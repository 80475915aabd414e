"""Voxels, directions and rotations.

1. A particle is in voxel (iz, iy, ix) at (x, y, z) cm from that voxel's centre: float32 stays exact in grids of any
   size.
2. Directions are unit vectors (u, v, w) along the grid's own axes x, y, z; the patient's orientation is not known here.
3. Azimuths are drawn as a number in (0, 1) of a turn; sine and cosine come from short polynomials of half the angle,
   without branches.
4. Indices into arrays are cast to unsigned: a signed one costs a test for Python's negative indices at every access.
5. A voxel is one 32-bit word, so that one access of memory tells density and medium.
6. A block of 8 x 8 x 8 voxels that are all alike is known by one word: photons fly far, and read the few blocks from a
   near cache where they would wait for each voxel from memory.
"""

import math
from typing import Any, NamedTuple

import numpy as np

from .device import device
from .memory import prefetch_to_read

F, I, U = np.float32, np.int32, np.uint32
ZERO, HALF, ONE, TWO, THREE, FOUR = F(0), F(0.5), F(1), F(2), F(3), F(4)
I0, I1, I2, I3 = I(0), I(1), I(2), I(3)
U0, U1 = U(0), U(1)
# Minimax coefficients of sin(pi x) and cos(pi x) on (-1/2, 1/2): errors below 1e-8, less than float32 rounding
S1, S3, S5, S7, S9 = F(3.14159264), F(-5.16771009), F(2.55007766), F(-0.598292149), F(0.0776593869)
C2, C4, C6, C8, C10 = F(-4.9348022), F(4.05871142), F(-1.33524002), F(0.235074735), F(-0.0246278505)


MEDIUM_BITS, MEDIUM_MASK = U(8), U(0xFF)
SIGN_AND_TAIL = U(7)  # of a positive float32's bits the sign and the last 7 make room for the medium
BLOCK_BITS = U(3)  # log2 of a block's edge in voxels
MIXED = U(0)  # of a block whose voxels differ; no voxel's word, since densities are above zero


class Grid(NamedTuple):
    """The phantom: ``voxels`` uint32 [z, y, x] as :func:`pack` makes them; half voxel sizes in cm, float32.

    ``blocks`` uint32 [block z, y, x] as :func:`uniform_blocks` makes them.
    """

    voxels: Any
    blocks: Any
    half_x: Any
    half_y: Any
    half_z: Any


def pack(medium, density):
    """Medium (uint8) and density (float32, g/cm3, above zero) in one uint32 per voxel.

    The density keeps 16 bits of mantissa and is rounded to 8e-6 of its value, a hundredth of what a CT tells.
    """
    bits = np.ascontiguousarray(density, np.float32).view(np.uint32)
    words = bits + U(1 << 6)  # half of the last bit kept
    words >>= SIGN_AND_TAIL
    words <<= MEDIUM_BITS
    words |= np.asarray(medium, np.uint8)
    return words


def uniform_blocks(voxels):
    """The word of each block of voxels that all have it, else ``MIXED``; blocks at the end of an axis may be cut."""
    edge = 1 << int(BLOCK_BITS)
    low, high = (_reduced(reduce, voxels, edge) for reduce in (np.minimum, np.maximum))
    return np.where(low == high, low, MIXED)


def _reduced(reduce, voxels, edge):
    """Minimum or maximum of each block, without a copy of the grid."""
    slabs = [reduce.reduce(voxels[z : z + edge], axis=0) for z in range(0, voxels.shape[0], edge)]
    blocks = np.stack(slabs)
    for axis in (1, 2):
        blocks = reduce.reduceat(blocks, np.arange(0, voxels.shape[axis], edge), axis=axis)
    return blocks


@device
def sine_cosine(turns):
    """Sine and cosine of ``turns`` (0 to 1) of a full turn."""
    a = turns - HALF  # half the angle from the middle, -1/4 to 1/4 of a turn
    a2 = a * a
    s = a * (S1 + a2 * (S3 + a2 * (S5 + a2 * (S7 + a2 * S9))))
    c = ONE + a2 * (C2 + a2 * (C4 + a2 * (C6 + a2 * (C8 + a2 * C10))))
    return -(s + s) * c, (s + s) * s - ONE


@device
def isotropic(r1, r2):
    """A direction from two numbers in (0, 1)."""
    w = TWO * r1 - ONE
    sine = math.sqrt(ONE - w * w)
    s, c = sine_cosine(r2)
    return sine * c, sine * s, w


@device
def rotate(u, v, w, cosine, sine, turns):
    """Turn a direction by a polar angle (cosine and sine given) and an azimuth; the result is renormalised.

    The two directions across the old one that azimuths count from are those of Duff et al., J. Comput. Graph. Techn. 6
    (2017) 1: one division, no root, no pole.
    """
    s, c = sine_cosine(turns)
    sign = ONE if w >= ZERO else -ONE
    a = sine * c
    b = sine * s
    lost = sign * u * a + v * b
    shift = lost / (sign + w)
    u2 = u * cosine + a - u * shift
    v2 = v * cosine + sign * b - v * shift
    w2 = w * cosine - lost
    scale = HALF * (THREE - (u2 * u2 + v2 * v2 + w2 * w2))  # one Newton step of 1/sqrt
    return u2 * scale, v2 * scale, w2 * scale


@device
def voxel(g, iz, iy, ix):
    """Medium and density (g/cm3) of a voxel of the grid."""
    word = U(g.voxels[U(iz), U(iy), U(ix)])
    return U(word & MEDIUM_MASK), U((word >> MEDIUM_BITS) << SIGN_AND_TAIL).view(F)


@device
def far_voxel(g, iz, iy, ix):
    """The same, of a voxel that is not likely to be near in memory: its block may know."""
    word = U(g.blocks[U(iz) >> BLOCK_BITS, U(iy) >> BLOCK_BITS, U(ix) >> BLOCK_BITS])
    if word == MIXED:
        word = U(g.voxels[U(iz), U(iy), U(ix)])
    return U(word & MEDIUM_MASK), U((word >> MEDIUM_BITS) << SIGN_AND_TAIL).view(F)


@device
def look_ahead(g, iz, iy, ix):
    """Ask memory for what ``far_voxel`` will read of a voxel of the grid."""
    if U(g.blocks[U(iz) >> BLOCK_BITS, U(iy) >> BLOCK_BITS, U(ix) >> BLOCK_BITS]) == MIXED:
        prefetch_to_read(g.voxels, iz, iy, ix)


@device
def distance_to_face(g, x, y, z):
    """Distance from a point of a voxel to the nearest of its faces, cm."""
    return min(g.half_x - abs(x), min(g.half_y - abs(y), g.half_z - abs(z)))


@device
def voxels_on(x, half):
    """How many voxels further a coordinate lies, and the coordinate relative to that voxel's centre."""
    t = (x + half) / (half + half)
    k = I(t)
    if t < ZERO:
        k = I(k - I1)
    return k, x - F(k) * (half + half)


@device
def inside(g, iz, iy, ix):
    """True if a voxel belongs to the grid."""
    nz, ny, nx = g.voxels.shape
    return U(iz) < U(nz) and U(iy) < U(ny) and U(ix) < U(nx)  # indices below zero are large without their sign
