"""Helpers of the transport tests: particles shot into a grid through the same functions the engine runs."""

from typing import NamedTuple

import numpy as np

from kernels_cuda import geometry, tables
from kernels_cuda.device import driver
from kernels_cuda.history import follow, photons_held
from kernels_cuda.lanes import LANES, REALS, WHOLES, Lanes
from kernels_cuda.particles import DEPTH, Waiting, push
from kernels_cuda.rng import EMITTED_PARTICLE, Stream
from kernels_cuda.source import FirstCollision
from kernels_cuda.tally import DELAY, N_COUNTERS, UNITS_PER_MEV, Tally, settle
from physics_data.electron_tables import electron_tables
from physics_data.photon_tables import photon_tables

F = np.float32


class Media(NamedTuple):
    """Tables of some materials at their densities."""

    photons: tables.PhotonTables
    electrons: tables.ElectronTables


def media(
    materials, highest_mev, voxel_cm=0.3, cutoff_mev=0.01, photon_cutoff_mev=0.01, positrons=True, densities=None
):
    """Photon and electron tables as the kernels read them."""
    densities = [m.density_g_cm3 for m in materials] if densities is None else densities
    photons = photon_tables(materials, densities, photon_cutoff_mev, highest_mev)
    electrons = electron_tables(materials, cutoff_mev, photon_cutoff_mev, highest_mev, voxel_cm, positrons)
    for name in ("energy", "angle_energy"):
        photons[name] = tables.EnergyAxis(*photons[name])
    electrons["energy"] = tables.EnergyAxis(*electrons["energy"])
    return Media(tables.PhotonTables(**photons), tables.ElectronTables(**electrons))


def box(shape, size_cm, density=1.0, medium=0):
    """A grid of one medium; ``size_cm`` (x, y, z) of a voxel, ``density`` of all or of each."""
    half = [F(s / 2) for s in size_cm]
    voxels = geometry.pack(np.full(shape, medium, np.uint8), np.broadcast_to(np.float32(density), shape))
    return geometry.Grid(voxels, geometry.uniform_blocks(voxels), *half)


def stacks():
    """Arrays of empty stacks, the first fields of Waiting."""
    return (
        np.zeros((2, DEPTH, 7), np.float32), np.zeros((2, DEPTH, 4), np.int32), np.zeros((2, DEPTH, 3), np.uint32),
        np.zeros(2, np.int64),
    )  # fmt: skip


def empty_lanes():
    """Arrays of Lanes that hold no photon."""
    return np.ones(REALS * LANES, np.float32), np.zeros(WHOLES * LANES, np.uint32), np.zeros(1, np.int64)


@driver()
def _shoot(p, t, g, energy, counters, stacks, lanes, kind, place, position, direction, e, n, seed):
    tally = Tally(energy, counters, np.zeros((DELAY + 1, 2), np.int64))
    zero = np.uint32(0)
    lanes = Lanes(lanes[0], lanes[1], lanes[2])
    waiting = Waiting(
        stacks[0], stacks[1], stacks[2], stacks[3], Stream(seed, zero, zero, zero, zero), FirstCollision(zero, zero)
    )
    h = 0
    while True:
        if h < n and photons_held(waiting, lanes) < LANES:
            push(
                waiting, tally, kind, place[0], place[1], place[2], position[0], position[1], position[2],
                direction[0], direction[1], direction[2], e, Stream(seed, zero, np.uint32(h), zero, EMITTED_PARTICLE),
            )  # fmt: skip
            h += 1
        if not follow(p, t, g, tally, waiting, lanes, LANES if h < n else 1):
            break
    settle(tally)


def shoot(media, grid, kind, energy_mev, n, place=None, position=(0, 0, 0), direction=(0, 0, 1), seed=1):
    """Fraction of the kinetic energy deposited per voxel, and the counters, for n equal particles."""
    deposits = np.zeros(grid.voxels.shape, np.int64)
    counters = np.zeros(N_COUNTERS, np.int64)
    place = [s // 2 for s in grid.voxels.shape] if place is None else place
    _shoot(
        *media, grid, deposits, counters, stacks(), empty_lanes(), np.int32(kind), np.array(place, np.int32),
        np.array(position, np.float32), np.array(direction, np.float32), F(energy_mev), n, np.uint32(seed),
    )  # fmt: skip
    return deposits / (UNITS_PER_MEV * energy_mev * n), counters
