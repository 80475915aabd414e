"""Where and what a history emits.

1. Decays per voxel are an integer cumulative sum. History i of a batch of B stands at (offset + i) strides of it, with
   a random offset per batch: voxels get their share systematically, not by chance (unbiased, since the offset is
   uniform).
2. The emission is the inverse cumulative distribution of all transported particles, in segments of one particle type.
   History i reads it at i times the golden ratio, shifted at random per batch: neighbours in a voxel draw different
   energies.
3. Batches are independent of one another; within a batch histories are stratified. Uncertainties come from batches.
"""

from typing import Any, NamedTuple

import numpy as np

from .device import device
from .geometry import HALF, TWO, F, I, U
from .rng import DECAY, of_particle, unit, words

GOLDEN = np.uint32(2654435769)  # 2**32 divided by the golden ratio: the most uniform additive sequence
GUIDE_SHIFT = np.uint32(20)  # the upper 12 bits index the guide table


class SourceTables(NamedTuple):
    """Voxels with decays and the emission's inverse cumulative distribution."""

    voxel: Any  # int64 [source voxel]: flat index in the grid
    cumulative: Any  # uint64 [source voxel]: integer cumulative decays, last value = total
    point: Any  # float32 [3]: x, y, z from the voxel's centre, for a point source
    is_point: Any  # int32
    threshold: Any  # uint32 [segment + 1]: cumulative probability
    energy_low: Any  # float32 [segment]
    energy_high: Any  # float32 [segment]
    particle: Any  # int32 [segment]
    guide: Any  # int32 [4096]: first segment of a cell


@device
def emission(s, i, shift):
    """Particle and kinetic energy of history i of a batch."""
    word = np.uint32(np.uint32(i) * GOLDEN + shift)
    k = s.guide[np.int64(word >> GUIDE_SHIFT)]
    last = s.particle.shape[0] - 1
    while k < last and word >= s.threshold[k + 1]:
        k += 1
    width = np.uint32(s.threshold[k + 1] - s.threshold[k])
    a = (F(np.uint32(word - s.threshold[k])) + HALF) / F(width) if width > 0 else HALF
    return s.particle[k], s.energy_low[k] + a * (s.energy_high[k] - s.energy_low[k])


@device
def place(s, g, k, stream):
    """Voxel of source voxel k, a point in it (uniform, or the point source's), and two numbers for a direction."""
    _, ny, nx = g.voxels.shape
    nx, ny, flat = U(nx), U(ny), U(s.voxel[k])
    row = U(flat // nx)
    plane = U(row // ny)
    iz, iy, ix = I(plane), I(row - U(plane * ny)), I(flat - U(row * nx))
    decay = of_particle(stream, DECAY)
    a, b, c, d = words(decay, np.uint32(0))
    e, _, _, _ = words(decay, np.uint32(1))
    if s.is_point:
        return iz, iy, ix, s.point[0], s.point[1], s.point[2], unit(d), unit(e)
    x = (TWO * unit(a) - F(1)) * g.half_x
    y = (TWO * unit(b) - F(1)) * g.half_y
    z = (TWO * unit(c) - F(1)) * g.half_z
    return iz, iy, ix, x, y, z, unit(d), unit(e)
