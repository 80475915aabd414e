"""Where and what a history emits.

1. Decays per voxel are an integer cumulative sum. History i of a batch of B stands at (offset + i) strides of it, with
   a random offset per batch: voxels get their share systematically, not by chance (unbiased, since the offset is
   uniform).
2. Energy, place in the voxel, direction and first collision of history i are read at i times eight irrational numbers,
   modulo one: the histories of a voxel spread evenly over all of them instead of by chance (a Kronecker sequence; every
   stretch of it is even, whatever voxel it falls on). A random shift per batch makes each history uniform and the
   result unbiased (Cranley & Patterson, SIAM J. Numer. Anal. 13 (1976) 904).
3. The emission is the inverse cumulative distribution of all transported particles, in segments of one particle type.
4. Batches are independent of one another; within a batch histories are stratified. Uncertainties come from batches.
"""

from typing import Any, NamedTuple

import numpy as np

from .device import device
from .geometry import HALF, ONE, TWO, F, I, U, isotropic
from .rng import unit

# In units of 2**-32: for the energy, which matters most, the golden ratio's inverse, whose multiples are the most even
# of all; for the five others 1/r, 1/r^2 ... of the root r of r^6 = r + 1, the golden ratio of five dimensions.
ENERGY_STEP = np.uint32(2654435769)
X_STEP, Y_STEP, Z_STEP = np.uint32(3785032107), np.uint32(3335640777), np.uint32(2939605023)
COSINE_STEP, AZIMUTH_STEP = np.uint32(2590590015), np.uint32(2283013049)
# Flight and energy transfer of a photon's first collision: of a hundred pairs tried in a simulation of the collisions
# of 0.36 MeV photons round a source voxel of water, that with which the doses of voxels varied least: half of chance.
FLIGHT_STEP, TRANSFER_STEP = np.uint32(3746051011), np.uint32(932644675)
GUIDE_SHIFT = np.uint32(20)  # the upper 12 bits index the guide table


class Shift(NamedTuple):
    """Where a batch begins in the sequences: uint32 each."""

    energy: Any
    x: Any
    y: Any
    z: Any
    cosine: Any
    azimuth: Any
    flight: Any
    transfer: Any


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
    word = np.uint32(np.uint32(i) * ENERGY_STEP + shift.energy)
    k = s.guide[np.int64(word >> GUIDE_SHIFT)]
    last = s.particle.shape[0] - 1
    while k < last and word >= s.threshold[k + 1]:
        k += 1
    width = np.uint32(s.threshold[k + 1] - s.threshold[k])
    a = (F(np.uint32(word - s.threshold[k])) + HALF) / F(width) if width > 0 else HALF
    return s.particle[k], s.energy_low[k] + a * (s.energy_high[k] - s.energy_low[k])


class FirstCollision(NamedTuple):
    """Where history number zero of the whole run would stand in the sequences of first collisions: uint32 each."""

    flight: Any
    transfer: Any


@device
def first_collision(shift, first):
    """The :class:`FirstCollision` of a batch that begins with history ``first``."""
    return FirstCollision(U(shift.flight - U(first) * FLIGHT_STEP), U(shift.transfer - U(first) * TRANSFER_STEP))


@device
def collision_numbers(start, stream):
    """Two numbers in (0, 1) for the first flight of an emitted photon and the energy it transfers."""
    h = stream.history_low
    return unit(U(h * FLIGHT_STEP + start.flight)), unit(U(h * TRANSFER_STEP + start.transfer))


@device
def place(s, g, k, i, shift):
    """Voxel of source voxel k, a point in it (uniform, or the point source's), and a direction, for history i."""
    _, ny, nx = g.voxels.shape
    nx, ny, flat = U(nx), U(ny), U(s.voxel[k])
    row = U(flat // nx)
    plane = U(row // ny)
    iz, iy, ix = I(plane), I(row - U(plane * ny)), I(flat - U(row * nx))
    n = U(i)
    u, v, w = isotropic(unit(U(n * COSINE_STEP + shift.cosine)), unit(U(n * AZIMUTH_STEP + shift.azimuth)))
    if s.is_point:
        return iz, iy, ix, s.point[0], s.point[1], s.point[2], u, v, w
    x = (TWO * unit(U(n * X_STEP + shift.x)) - ONE) * g.half_x
    y = (TWO * unit(U(n * Y_STEP + shift.y)) - ONE) * g.half_y
    z = (TWO * unit(U(n * Z_STEP + shift.z)) - ONE) * g.half_z
    return iz, iy, ix, x, y, z, u, v, w
