"""From a phantom and a source to the arrays the transport reads.

The one place where the three rooms meet: tables from ``physics_data``, named tuples of ``kernels_cuda``.
"""

from typing import NamedTuple

import numpy as np

from kernels_cuda import geometry, source, tables
from mcdose.errors import InputError
from physics_data.electron_tables import electron_tables
from physics_data.emissions import emission_table
from physics_data.photon_tables import photon_tables

CM_PER_MM = 0.1
ELECTRON_MASS_MEV = 0.51099895  # CODATA 2018
POSITRON = 2  # particle code of physics_data.emissions
THINNEST_G_CM3 = 1e-6  # voxels emptier than this fly as this: a flight through 1 m of it loses 0.2 keV
TOTAL = 1 << 62  # integer cumulative decays
GUIDE_CELLS = 4096
SUPPORTED_MEV = 20.0


class Problem(NamedTuple):
    """Everything one run reads, and what is deposited without transport."""

    photons: tables.PhotonTables
    electrons: tables.ElectronTables
    grid: geometry.Grid
    source: source.SourceTables
    particles_per_decay: float
    local_mev_per_decay: float


def problem(phantom, decays, spectrum, position_mm, photon_cutoff_mev, electron_cutoff_mev):
    """Assemble a run.

    Parameters
    ----------
    phantom : Phantom
    decays : array [z, y, x]
    spectrum : Spectrum
    position_mm : tuple of float or None
        The point of a point source, physical coordinates.
    photon_cutoff_mev, electron_cutoff_mev : float

    Returns
    -------
    Problem

    Raises
    ------
    InputError
        If a particle has more energy than the tables cover.
    """
    emitted = emission_table(spectrum, photon_cutoff_mev, electron_cutoff_mev)
    highest = _highest_energy(emitted, photon_cutoff_mev, electron_cutoff_mev)
    spacing_cm = np.array(phantom.spacing_mm) * CM_PER_MM
    media = phantom.materials
    densest = _densest(phantom)
    photons = photon_tables(media, densest, photon_cutoff_mev, highest)
    pairs = highest > 2 * ELECTRON_MASS_MEV or bool((emitted.particle == POSITRON).any())
    electrons = electron_tables(
        media, electron_cutoff_mev, photon_cutoff_mev, highest, float(spacing_cm.min()), positrons=pairs
    )
    for name in ("energy", "transfer"):
        photons[name] = tables.EnergyAxis(*photons[name])
    electrons["energy"] = tables.EnergyAxis(*electrons["energy"])
    half = (spacing_cm / 2).astype(np.float32)
    grid = geometry.Grid(phantom.material_index, np.maximum(phantom.density_g_cm3, np.float32(THINNEST_G_CM3)), *half)
    return Problem(
        tables.PhotonTables(**photons),
        tables.ElectronTables(**electrons),
        grid,
        _source_tables(phantom, decays, emitted, position_mm),
        emitted.particles_per_decay,
        emitted.local_mev_per_decay,
    )


def _highest_energy(emitted, photon_cutoff_mev, electron_cutoff_mev):
    """Largest energy any particle of the run can have."""
    if not len(emitted.particle):
        return 2 * max(photon_cutoff_mev, electron_cutoff_mev)
    with_rest = np.where(emitted.particle == POSITRON, 2 * ELECTRON_MASS_MEV, 0.0)
    highest = float((emitted.energy_high + with_rest).max())
    if highest > SUPPORTED_MEV:
        raise InputError(
            f"emission: a particle of {highest:.3g} MeV; the physics tables end at {SUPPORTED_MEV:g} MeV, leave it out"
        )
    return max(highest, 2 * electron_cutoff_mev)


def _densest(phantom):
    """Largest density of each material in the grid, g/cm3."""
    densest = np.zeros(len(phantom.materials))
    for k in range(len(densest)):
        densest[k] = phantom.density_g_cm3.max(where=phantom.material_index == k, initial=0.0)
    return densest


def _source_tables(phantom, decays, emitted, position_mm):
    flat = decays.ravel()
    voxel = np.flatnonzero(flat)
    share = np.cumsum(flat[voxel])
    cumulative = (share / share[-1] * TOTAL).astype(np.uint64)
    point = np.zeros(3, np.float32)
    if position_mm is not None:
        place = phantom.grid.to_index(position_mm)
        nearest = np.array(phantom.grid.voxel_of(position_mm))[::-1]
        point = ((np.asarray(place) - nearest) * np.array(phantom.spacing_mm) * CM_PER_MM).astype(np.float32)
    threshold = np.rint(emitted.cumulative * 2.0**32).astype(np.uint64)
    cells = np.arange(GUIDE_CELLS, dtype=np.uint64) << np.uint64(20)
    guide = np.searchsorted(threshold[:-1], cells, side="right") - 1
    return source.SourceTables(
        voxel=voxel.astype(np.int64),
        cumulative=cumulative,
        point=point,
        is_point=np.int32(position_mm is not None),
        threshold=threshold.astype(np.uint32),  # the last one, 2**32, wraps to 0: widths stay right
        energy_low=emitted.energy_low.astype(np.float32),
        energy_high=emitted.energy_high.astype(np.float32),
        particle=emitted.particle.astype(np.int32),
        guide=guide.astype(np.int32),
    )
