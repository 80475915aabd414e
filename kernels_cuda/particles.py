"""Particles waiting to be transported.

1. A thread of the CPU keeps them on two small stacks, one of charged particles and one of photons. Charged particles
   are followed to their ends before photons fly on, so both stay short. A particle that finds its stack full deposits
   its energy on the spot and is counted: nothing is lost.
2. ``push``, ``take_charged`` and ``pop`` are the only functions that touch the stacks; a GPU replaces the first two by
   queues.
"""

from typing import Any, NamedTuple

import numpy as np

from .device import device
from .geometry import I0, ZERO, I
from .rng import Stream
from .tally import OVERFLOWS, count, score, units

PHOTON, ELECTRON, POSITRON, NOTHING = I(0), I(1), I(2), I(-1)
PHOTONS, CHARGED = I(0), I(1)  # rows of the stacks
DEPTH = 512  # of a stack; two to eight are in use in practice, hundreds where voxels are far smaller than ranges
ELECTRON_MASS_MEV = np.float32(0.51099895)  # CODATA 2018
ONE_COUNT = np.int64(1)


class Waiting(NamedTuple):
    """Stacks of a thread, row ``PHOTONS`` and row ``CHARGED``; particles of several histories may wait."""

    state: Any  # float32 [2, DEPTH, 7]: x y z u v w e
    place: Any  # int32 [2, DEPTH, 4]: kind iz iy ix
    number: Any  # uint32 [2, DEPTH, 3]: of the particle in its history, and of the history (low, high word)
    depth: Any  # int64 [2]
    stream: Any  # any of the batch: all have its seed
    first: Any  # FirstCollision of the batch


@device
def owned_units(kind, e):
    """Tally units a particle hands on when it ends: a positron also frees two electron masses."""
    if kind == POSITRON:
        return units(e) + units(ELECTRON_MASS_MEV) + units(ELECTRON_MASS_MEV)
    return units(e)


@device
def push(waiting, tally, kind, iz, iy, ix, x, y, z, u, v, w, e, stream):
    """Let a particle wait, with the stream of its own."""
    row = PHOTONS if kind == PHOTON else CHARGED
    top = waiting.depth[row]
    if top >= DEPTH:
        score(tally.energy, iz, iy, ix, owned_units(kind, e))
        count(tally.counters, OVERFLOWS, ONE_COUNT)
        return
    place, state, number = waiting.place, waiting.state, waiting.number
    place[row, top, 0], place[row, top, 1], place[row, top, 2], place[row, top, 3] = kind, iz, iy, ix
    state[row, top, 0], state[row, top, 1], state[row, top, 2] = x, y, z
    state[row, top, 3], state[row, top, 4], state[row, top, 5], state[row, top, 6] = u, v, w, e
    number[row, top, 0] = stream.particle
    number[row, top, 1], number[row, top, 2] = stream.history_low, stream.history_high
    waiting.depth[row] = top + ONE_COUNT


@device
def take_charged(waiting, tally):
    """The charged particle to follow next, with its stream; its kind is NOTHING if none waits."""
    return pop(waiting, CHARGED)


@device
def pop(waiting, row):
    """Kind, voxel, point, direction, energy and stream of the particle on top of a stack."""
    top = waiting.depth[row] - ONE_COUNT
    if top < 0:
        return NOTHING, I0, I0, I0, ZERO, ZERO, ZERO, ZERO, ZERO, ZERO, ZERO, waiting.stream
    waiting.depth[row] = top
    place, state, number, seed = waiting.place, waiting.state, waiting.number, waiting.stream
    stream = Stream(seed.seed_low, seed.seed_high, number[row, top, 1], number[row, top, 2], number[row, top, 0])
    return (
        place[row, top, 0], place[row, top, 1], place[row, top, 2], place[row, top, 3],
        state[row, top, 0], state[row, top, 1], state[row, top, 2],
        state[row, top, 3], state[row, top, 4], state[row, top, 5], state[row, top, 6], stream,
    )  # fmt: skip
