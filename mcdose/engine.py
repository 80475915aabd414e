"""From a phantom and a source to the arrays the transport reads.

The one place where the three rooms meet: tables from ``physics_data``, named tuples of ``kernels_cuda``.
"""

import math
from dataclasses import fields, replace
from typing import NamedTuple

import numpy as np

from kernels_cuda import geometry, source, tables
from mcdose.arrays import SLAB_VOXELS, slabs
from mcdose.cache import material_content, spectrum_content
from mcdose.errors import InputError
from mcdose.table_cache import cached_tables
from physics_data.emissions import EmissionTable, emission_table

CM_PER_MM = 0.1
ELECTRON_MASS_MEV = 0.51099895  # CODATA 2018
PHOTON, POSITRON = 0, 2  # particle codes of physics_data.emissions
THINNEST_G_CM3 = 1e-6  # voxels emptier than this fly as this: a flight through 1 m of it loses 0.2 keV
TOTAL = 1 << 62  # integer cumulative decays
# Decays that cannot reach the region a run is judged in (see ``problem``) are sampled this many times less often: the
# dose they give has then twice the uncertainty it would have, for a quarter of the time.
FAR_WEIGHT = 4
GUIDE_CELLS = 4096
SUPPORTED_MEV = 20.0
# Electrons that stay: above any energy (and finite, since the kernels know no infinity), and beyond the end of the
# track, which step coordinates above zero have reached.
NO_ENERGY_MEV, AT_THE_END = 1e30, -1.0
MAJORANT_ROUNDING = 1e-5  # above the rounding of the packed densities and of the products it bounds
PHOTONS_TO_COME = 5  # column of the media's electron tables


class Physics(NamedTuple):
    """What of the physics a run chooses."""

    photon_cutoff_mev: float
    electron_cutoff_mev: float
    electrons_move: bool = True  # else they deposit where they are emitted or set free


class Problem(NamedTuple):
    """Everything one run reads, and what is deposited without transport."""

    photons: tables.PhotonTables
    electrons: tables.ElectronTables
    grid: geometry.Grid
    source: source.SourceTables
    particles_per_decay: float
    local_mev_per_decay: float
    near_end: int  # of the cumulative decays: histories beyond it count FAR_WEIGHT times
    sampled_share: float  # of the decays, when a far one is counted 1 / FAR_WEIGHT


def problem(phantom, decays, spectrum, position_mm, physics, region=None):
    """Assemble a run.

    Parameters
    ----------
    phantom : Phantom
    decays : array [z, y, x]
    spectrum : Spectrum
    position_mm : tuple of float or None
        The point of a point source, physical coordinates.
    physics : Physics
    region : bool array [z, y, x], optional
        Where the dose matters: decays whose electrons cannot reach it are sampled ``FAR_WEIGHT`` times less often. By
        default all are equal.

    Returns
    -------
    Problem

    Raises
    ------
    InputError
        If a particle has more energy than the tables cover.
    """
    photon_cutoff, electron_cutoff, electrons_move = physics
    emitted = _emissions(spectrum, photon_cutoff, electron_cutoff if electrons_move else NO_ENERGY_MEV)
    highest = _highest_energy(emitted, photon_cutoff, electron_cutoff)
    spacing_cm = np.array(phantom.spacing_mm) * CM_PER_MM
    pairs = highest > 2 * ELECTRON_MASS_MEV or bool((emitted.particle == POSITRON).any())
    photons = _photon_tables(phantom, photon_cutoff, highest)
    electrons = _electron_tables(
        phantom.materials, electron_cutoff, photon_cutoff, highest, float(spacing_cm.min()), pairs
    )
    if not electrons_move:
        emitted, electrons = _positrons_at_rest(emitted), _ending_at_once(electrons)
    voxels = _voxels(phantom)
    near = None if region is None else _near(region, emitted, electrons, spacing_cm)
    where, near_end, sampled_share = _cumulative_decays(decays, near)
    return Problem(
        photons,
        electrons,
        geometry.Grid(voxels, geometry.uniform_blocks(voxels), *(spacing_cm / 2).astype(np.float32)),
        _source_tables(phantom, where, emitted, position_mm),
        emitted.particles_per_decay,
        emitted.local_mev_per_decay,
        near_end,
        sampled_share,
    )


def _emissions(spectrum, *cutoffs_mev):
    """The emission table, which the disk keeps: to make it loads interpolation that takes longer than all else."""
    made = cached_tables(_make_emissions, [spectrum_content(spectrum), cutoffs_mev], spectrum, *cutoffs_mev)
    return EmissionTable(**{k: v if isinstance(v, np.ndarray) else float(v) for k, v in made.items()})


def _photon_tables(phantom, *energies_mev):
    """Tables of the media, which the disk keeps, with the majorant of the densities in the grid."""
    media = phantom.materials
    content = [[material_content(m) for m in media], energies_mev]
    made = cached_tables(_make_photon_tables, content, media, *energies_mev)
    linear = made["attenuation"][:, :, 0] * _densest(phantom)[:, None]
    made["majorant"] = (linear.max(axis=0) * (1 + MAJORANT_ROUNDING)).astype(np.float32)
    for name in ("energy", "angle_energy"):
        made[name] = tables.EnergyAxis(**made[name])
    return tables.PhotonTables(**made)


def _electron_tables(media, *numbers):
    content = [[material_content(m) for m in media], numbers]
    made = cached_tables(_make_electron_tables, content, media, *numbers)
    made["energy"] = tables.EnergyAxis(**made["energy"])
    return tables.ElectronTables(**made)


# The makers are loaded when tables are not on the disk: the packages they need take a quarter of a second.


def _make_emissions(spectrum, *cutoffs_mev):
    table = emission_table(spectrum, *cutoffs_mev)
    return {f.name: getattr(table, f.name) for f in fields(table)}


def _make_photon_tables(media, *energies_mev):
    from physics_data.photon_tables import photon_tables

    return photon_tables(media, [1.0] * len(media), *energies_mev)


def _make_electron_tables(media, *numbers):
    from physics_data.electron_tables import electron_tables

    return electron_tables(media, *numbers)


def _positrons_at_rest(emitted):
    """The emissions with the positrons' kinetic energy deposited where they are born; they annihilate there."""
    positron = emitted.particle == POSITRON
    mean = (emitted.energy_low + emitted.energy_high)[positron] / 2
    kinetic = float((np.diff(emitted.cumulative)[positron] * mean).sum()) * emitted.particles_per_decay
    return replace(
        emitted,
        energy_low=np.where(positron, 0.0, emitted.energy_low),
        energy_high=np.where(positron, 0.0, emitted.energy_high),
        local_mev_per_decay=emitted.local_mev_per_decay + kinetic,
    )


def _ending_at_once(electrons):
    """Tables with which photons set no electron free; those of a pair end where they begin, without bremsstrahlung."""
    media = electrons.medium.copy()
    media[:, :, PHOTONS_TO_COME] = 0.0
    return electrons._replace(medium=media, lowest=np.float32(NO_ENERGY_MEV), n_cut=np.float32(AT_THE_END))


def _voxels(phantom):
    """Medium and density of every voxel as the transport reads them, uint32 [z, y, x]."""
    voxels = np.empty(phantom.shape, np.uint32)
    for z in slabs(phantom.shape):
        density = np.maximum(phantom.density_g_cm3[z], np.float32(THINNEST_G_CM3))
        voxels[z] = geometry.pack(phantom.material_index[z], density)
    return voxels


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
    densest = np.zeros(len(phantom.materials), np.float32)
    for z in slabs(phantom.shape):
        media = phantom.material_index[z].ravel().astype(np.intp)  # sixty times faster than with uint8
        np.maximum.at(densest, media, phantom.density_g_cm3[z].ravel())
    return densest


def _source_tables(phantom, where, emitted, position_mm):
    voxel, cumulative = where
    point = np.zeros(3, np.float32)
    if position_mm is not None:
        place = phantom.grid.to_index(position_mm)
        nearest = np.array(phantom.grid.voxel_of(position_mm))[::-1]
        point = ((np.asarray(place) - nearest) * np.array(phantom.spacing_mm) * CM_PER_MM).astype(np.float32)
    threshold = np.rint(emitted.cumulative * 2.0**32).astype(np.uint64)
    cells = np.arange(GUIDE_CELLS, dtype=np.uint64) << np.uint64(20)
    guide = np.searchsorted(threshold[:-1], cells, side="right") - 1
    return source.SourceTables(
        voxel=voxel,
        cumulative=cumulative,
        point=point,
        is_point=np.int32(position_mm is not None),
        threshold=threshold.astype(np.uint32),  # the last one, 2**32, wraps to 0: widths stay right
        energy_low=emitted.energy_low.astype(np.float32),
        energy_high=emitted.energy_high.astype(np.float32),
        particle=emitted.particle.astype(np.int32),
        guide=guide.astype(np.int32),
    )


def _near(region, emitted, electrons, spacing_cm):
    """Voxels no farther from the region than the longest range of an emitted electron in water."""
    from scipy.ndimage import distance_transform_edt, find_objects  # only where there is a region

    charged = emitted.particle != PHOTON
    highest = emitted.energy_high[charged].max() if charged.any() else 0.0
    falling = electrons.main[::-1]
    reach_cm = np.interp(highest, falling[:, 0], falling[:, 1])  # g/cm2 in water
    size = spacing_cm[::-1]
    around = tuple(
        slice(max(box.start - math.ceil(reach_cm / s), 0), box.stop + math.ceil(reach_cm / s))
        for box, s in zip(find_objects(region.astype(np.int8))[0], size)
    )
    near = np.zeros(region.shape, bool)
    near[around] = distance_transform_edt(~region[around], sampling=size) <= reach_cm
    return near


def _cumulative_decays(decays, near=None):
    """Where the decays are: their voxels (flat index, uint32) and cumulative number (uint64, the last is TOTAL).

    Voxels of ``near`` come first; the others' decays are divided by FAR_WEIGHT. Also the cumulative number at which the
    near ones end, and the sum of all as a share of the true one.
    """
    active = sum(np.count_nonzero(decays[z]) for z in slabs(decays.shape))
    voxel, cumulative = np.empty(active, np.uint32), np.empty(active, np.uint64)
    running = cumulative.view(np.float64)  # sums first, whole numbers in the same place afterwards
    done, total, ends = 0, 0.0, []
    strata = [(None, 1.0)] if near is None else [(near, 1.0), (~near, 1.0 / FAR_WEIGHT)]
    for chosen, weight in strata:
        first = 0
        for z in slabs(decays.shape):
            part = decays[z].ravel() if chosen is None else np.where(chosen[z], decays[z], 0.0).ravel()
            at = np.flatnonzero(part)
            here = slice(done, done + at.size)
            voxel[here] = first + at
            running[here] = np.cumsum(np.r_[total, part[at] * weight])[1:]
            first, done = first + part.size, done + at.size
            total = running[done - 1] if done else 0.0
        ends.append(total)
    for begin in range(0, active, SLAB_VOXELS):
        here = slice(begin, begin + SLAB_VOXELS)
        cumulative[here] = (running[here] / total * TOTAL).astype(np.uint64)
    near_end = int(np.uint64(ends[0] / total * TOTAL))
    return (voxel, cumulative), near_end, total / (ends[0] + (total - ends[0]) * FAR_WEIGHT)
