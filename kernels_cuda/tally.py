"""Energy in exact integers.

1. One unit is 2**-26 MeV (0.015 eV). A particle of energy E owns ``units(E)`` units; an event hands units on, what it
   does not hand on stays in the voxel. Sums telescope, so emitted = deposited + escaped exactly, whatever float32
   rounds.
2. Integer sums do not depend on their order: the same histories give the same tally on any number of threads.
3. int64 holds 1.4e11 MeV per voxel and batch.
4. An atomic addition holds up all that follows until memory has answered. ``score_later`` asks for the voxel's cache
   line and lets the energy wait for a few scores more, by when it has come; ``settle`` ends the waiting.

``score``, ``score_later`` and ``count`` are the only functions that write; a GPU replaces them by its own atomics.
"""

from typing import Any, NamedTuple

import numpy as np

from .device import device
from .memory import atomic_add, prefetch_to_write

UNITS_PER_MEV = 2**26
SCALE, HALF = np.float32(UNITS_PER_MEV), np.float32(0.5)

DELAY = 8  # energies that wait, a power of two: a microsecond of photon transport, several times the answer of memory
DELAY_MASK, NUMBER = np.int64(DELAY - 1), np.int64(DELAY)
ZERO, ONE = np.int64(0), np.int64(1)

N_COUNTERS = 5
EMITTED, ESCAPED, OVERFLOWS, STEPS, PHOTON_FLIGHTS = (np.int64(row) for row in range(N_COUNTERS))


class Tally(NamedTuple):
    """Where energy goes: ``energy`` int64 [z, y, x] and ``counters`` int64 [N_COUNTERS], in units of 2**-26 MeV.

    ``late`` int64 [DELAY + 1, 2], zeros at first: flat index and energy of the scores that wait; the last row their
    number so far. A thread has counters and waiting scores of its own.
    """

    energy: Any
    counters: Any
    late: Any


@device
def units(energy):
    """Tally units of an energy in MeV, rounded; below 32 MeV they fit an int32."""
    return np.int64(np.int32(energy * SCALE + HALF))


@device
def score(energy, iz, iy, ix, amount):
    """Add ``amount`` units to a voxel."""
    atomic_add(energy, iz, iy, ix, amount)


@device
def score_later(tally, iz, iy, ix, amount):
    """Add ``amount`` units to a voxel that is not likely to be in a cache."""
    energy, late = tally.energy, tally.late
    _, ny, nx = energy.shape
    place = (np.int64(iz) * ny + np.int64(iy)) * nx + np.int64(ix)
    prefetch_to_write(energy, ZERO, ZERO, place)
    number = late[NUMBER, 0]
    slot = number & DELAY_MASK
    atomic_add(energy, ZERO, ZERO, late[slot, 0], late[slot, 1])
    late[slot, 0], late[slot, 1] = place, amount
    late[NUMBER, 0] = number + ONE


@device
def settle(tally):
    """Score what still waits."""
    for slot in range(DELAY):
        atomic_add(tally.energy, ZERO, ZERO, tally.late[slot, 0], tally.late[slot, 1])
        tally.late[slot, 1] = ZERO


@device
def count(counters, row, amount):
    """Add to one of the counters of this call."""
    counters[row] += amount
