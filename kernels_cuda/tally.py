"""Energy in exact integers.

1. One unit is 2**-26 MeV (0.015 eV). A particle of energy E owns ``units(E)`` units; an event hands units on, what it
   does
   not hand on stays in the voxel. Sums telescope, so emitted = deposited + escaped exactly, whatever float32 rounds.
2. Integer sums do not depend on their order: the same histories give the same tally on any number of threads.
3. int64 holds 1.4e11 MeV per voxel and batch.

``score`` and ``count`` are the only functions that write; a GPU replaces them by its own atomics.
"""

from typing import Any, NamedTuple

import numpy as np
from numba.core import cgutils, types
from numba.extending import intrinsic

from .device import device

UNITS_PER_MEV = 2**26
SCALE, HALF = np.float32(UNITS_PER_MEV), np.float32(0.5)

EMITTED, ESCAPED, OVERFLOWS, STEPS = 0, 1, 2, 3  # rows of the counters
N_COUNTERS = 4


class Tally(NamedTuple):
    """Where energy goes: ``energy`` int64 [z, y, x] and ``counters`` int64 [N_COUNTERS], in units of 2**-26 MeV."""

    energy: Any
    counters: Any


@intrinsic
def atomic_add(typing_context, array, i, j, k, value):
    """``array[i, j, k] += value`` as one atomic instruction (relaxed order), so that threads share a grid."""
    signature = types.void(array, i, j, k, array.dtype)

    def generate(context, builder, signature, arguments):
        view = cgutils.create_struct_proxy(signature.args[0])(context, builder, arguments[0])
        index = [
            context.cast(builder, argument, kind, types.intp)
            for argument, kind in zip(arguments[1:4], signature.args[1:4], strict=True)
        ]
        pointer = cgutils.get_item_pointer(context, builder, signature.args[0], view, index, wraparound=False)
        builder.atomic_rmw("add", pointer, arguments[4], "monotonic")

    return signature, generate


@device
def units(energy):
    """Tally units of an energy in MeV, rounded; below 32 MeV they fit an int32."""
    return np.int64(np.int32(energy * SCALE + HALF))


@device
def score(energy, iz, iy, ix, amount):
    """Add ``amount`` units to a voxel."""
    atomic_add(energy, iz, iy, ix, amount)


@device
def count(counters, row, amount):
    """Add to one of the counters of this call."""
    counters[row] += amount
