"""Photons of a thread of the CPU, a few dozen side by side.

1. All fly at once: a flight is arithmetic without branches, which the compiler does for eight photons with one
   instruction.
2. All ask memory for the voxel they have come to; the answers are on their way together.
3. One after the other they collide, by when memory has answered. A photon that ends gives its lane to the last one.

A photon draws the numbers of its own stream, so its neighbours do not matter to it; GPUs, which do all this by
themselves, follow one photon per thread with the same ``fly`` and ``collide`` (see ``queues``).
"""

from typing import Any, NamedTuple

import numpy as np

from .device import device, spliced
from .geometry import ZERO, I, U, inside, look_ahead
from .particles import PHOTONS, pop
from .photon import collide, fly, majorant_at
from .rng import FIRST, NEXT, Stream
from .tally import ESCAPED, PHOTON_FLIGHTS, count, units

LANES = 32  # enough that memory answers the first before the last has asked; 16 and 64 are as fast
REALS, WHOLES = 12, 8
# Where a quantity of lane 0 stands; one array, so that the compiler sees that lanes do not overlap.
X, Y, Z, DX, DY, DZ, E, WEIGHT, MAJORANT, R2, R3, TURNS = (U(LANES * n) for n in range(REALS))
IZ, IY, IX, ROW, BLOCK, PARTICLE, LOW, HIGH = (U(LANES * n) for n in range(WHOLES))
ONE_FLIGHT = np.int64(1)


class Lanes(NamedTuple):
    """``real`` float32 [REALS * LANES] above zero at first, ``whole`` uint32 [WHOLES * LANES], ``held`` int64 [1].

    Lanes from ``held`` on hold no photon; what stands there flies along and is not looked at.
    """

    real: Any
    whole: Any
    held: Any


@device
def advance_photons(p, t, g, tally, waiting, lanes):
    """One flight of each photon in the lanes, and of those that wait while there is a lane for them."""
    fill_lanes(p, waiting, lanes)
    fly_side_by_side(g, waiting, lanes)
    ask_for_voxels(g, lanes)
    collide_in_turn(p, t, g, tally, waiting, lanes)


@spliced
def fill_lanes(p, waiting, lanes):
    """Give waiting photons the lanes that are free."""
    real, whole, held = lanes.real, lanes.whole, lanes.held
    while held[0] < LANES and waiting.depth[PHOTONS] > 0:
        _, iz, iy, ix, x, y, z, u, v, w, e, stream = pop(waiting, PHOTONS)
        row, a, majorant = majorant_at(p, e)
        k = U(held[0])
        real[k + X], real[k + Y], real[k + Z] = x, y, z
        real[k + DX], real[k + DY], real[k + DZ] = u, v, w
        real[k + E], real[k + WEIGHT], real[k + MAJORANT] = e, a, majorant
        whole[k + IZ], whole[k + IY], whole[k + IX], whole[k + ROW] = U(iz), U(iy), U(ix), U(row)
        whole[k + BLOCK], whole[k + PARTICLE] = FIRST, stream.particle
        whole[k + LOW], whole[k + HIGH] = stream.history_low, stream.history_high
        held[0] += ONE_FLIGHT


@spliced
def fly_side_by_side(g, waiting, lanes):
    """One flight of every lane, also of the empty ones: the number is fixed, so that the compiler knows it."""
    real, whole, seed, first = lanes.real, lanes.whole, waiting.stream, waiting.first
    for lane in range(LANES):
        k = U(lane)
        block = whole[k + BLOCK]
        stream = Stream(seed.seed_low, seed.seed_high, whole[k + LOW], whole[k + HIGH], whole[k + PARTICLE])
        iz, iy, ix, x, y, z, r2, r3, turns = fly(
            g, first, I(whole[k + IZ]), I(whole[k + IY]), I(whole[k + IX]), real[k + X], real[k + Y], real[k + Z],
            real[k + DX], real[k + DY], real[k + DZ], real[k + MAJORANT], stream, block,
        )  # fmt: skip
        real[k + X], real[k + Y], real[k + Z] = x, y, z
        real[k + R2], real[k + R3], real[k + TURNS] = r2, r3, turns
        whole[k + IZ], whole[k + IY], whole[k + IX], whole[k + BLOCK] = U(iz), U(iy), U(ix), U(block + NEXT)


@spliced
def ask_for_voxels(g, lanes):
    """Let memory bring the voxels the photons have come to."""
    whole = lanes.whole
    for lane in range(lanes.held[0]):
        k = U(lane)
        iz, iy, ix = whole[k + IZ], whole[k + IY], whole[k + IX]
        if inside(g, iz, iy, ix):
            look_ahead(g, iz, iy, ix)


@spliced
def collide_in_turn(p, t, g, tally, waiting, lanes):
    """What happens to each photon where it has come to; those that end leave their lanes."""
    real, whole, seed = lanes.real, lanes.whole, waiting.stream
    lane, held, flights = np.int64(0), lanes.held[0], np.int64(0)
    while lane < held:
        k = U(lane)
        iz, iy, ix, e = I(whole[k + IZ]), I(whole[k + IY]), I(whole[k + IX]), real[k + E]
        if inside(g, iz, iy, ix):
            flights += ONE_FLIGHT
            stream = Stream(seed.seed_low, seed.seed_high, whole[k + LOW], whole[k + HIGH], whole[k + PARTICLE])
            e, u, v, w, row, a, majorant = collide(
                p, t, g, tally, waiting, iz, iy, ix, real[k + X], real[k + Y], real[k + Z],
                real[k + DX], real[k + DY], real[k + DZ], e, I(whole[k + ROW]), real[k + WEIGHT], real[k + MAJORANT],
                real[k + R2], real[k + R3], real[k + TURNS], stream, whole[k + BLOCK],
            )  # fmt: skip
            real[k + DX], real[k + DY], real[k + DZ] = u, v, w
            real[k + E], real[k + WEIGHT], real[k + MAJORANT] = e, a, majorant
            whole[k + ROW] = U(row)
        else:
            count(tally.counters, ESCAPED, units(e))
            e = ZERO
        if e == ZERO:
            held -= ONE_FLIGHT
            copy_lane(real, whole, U(held), k)
        else:
            lane += ONE_FLIGHT
    lanes.held[0] = held
    count(tally.counters, PHOTON_FLIGHTS, flights)


@device
def copy_lane(real, whole, old, new):
    """Let the photon of one lane go on in another."""
    for n in range(REALS):
        real[new + U(LANES * n)] = real[old + U(LANES * n)]
    for n in range(WHOLES):
        whole[new + U(LANES * n)] = whole[old + U(LANES * n)]
