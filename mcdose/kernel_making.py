"""Voxel S values by Monte Carlo, kept on disk.

1. All emissions start uniformly in the middle voxel of a grid of the voxels asked for, in the medium at its density.
2. A first short run tells how many histories the uncertainty asked for takes; the second has as many.
3. Voxels that are equal by symmetry are averaged.
4. Further grids and the outer part of the first give the dose beyond the reach of the electrons as a smooth curve
   (:mod:`mcdose.levels`). It takes the place of the single voxels wherever no electron gets.
"""

import numpy as np

import kernels_cuda
import physics_data
from mcdose.cache import cache_folder, content_key, material_content, source_hash, spectrum_content
from mcdose.errors import InputError, as_input_error
from mcdose.grid import Grid
from mcdose.levels import HALF_VOXELS, MOST_VOXELS, Medium, gy_per_mev
from mcdose.octant import Octant
from mcdose.s_value_kernel import SValueKernel
from mcdose.simulation import check_cutoffs
from mcdose.source import as_emission

METHOD_VERSION = 2  # of what makes kernels in this package: a change makes new ones, as one of transport or data does
UNCERTAINTY = 0.005  # of the self value
NEIGHBOUR_FACTOR = 2.0  # voxels that count may have this many times the uncertainty of the self value, on average
COUNTING = 1e-4  # of the self value: voxels from here on count
PILOT_HISTORIES = 200_000
FEWEST_HISTORIES = 2_000_000  # two seconds on two cores
MOST_HISTORIES = 40_000_000  # half a minute on two cores
TAIL_HISTORIES = 2_000_000  # of each further grid: 1 % or so of a shell where a third of the histories are photons
FEWEST_NEAR = 3  # voxels from the middle to the edge of the part that is stored voxel by voxel


def make_kernel(
    emission,
    spacing_mm,
    medium="water",
    density_g_cm3=None,
    uncertainty=UNCERTAINTY,
    photon_cutoff_mev=0.010,
    electron_cutoff_mev=0.010,
    seed=1,
    device="auto",
    threads=None,
    cache=True,
    progress=None,
):
    """Voxel S values of an emission in a medium.

    Parameters
    ----------
    emission : Nuclide, str or Spectrum
    spacing_mm : float or tuple of float
        Voxel size (x, y, z).
    medium : str or Material
    density_g_cm3 : float, optional
        Bulk density; by default the nominal one of the medium.
    uncertainty : float
        Relative standard uncertainty of the self value; that of voxels above 1e-4 of it is twice that on average.
    photon_cutoff_mev, electron_cutoff_mev : float
        As in :func:`mcdose.monte_carlo`.
    seed : int
    device : str
        As in :func:`mcdose.monte_carlo`.
    threads : int, optional
    cache : bool
        Take the kernel from the disk if it is there, and keep it there if not.
    progress : callable, optional
        As in :func:`mcdose.monte_carlo`.

    Returns
    -------
    SValueKernel

    Raises
    ------
    InputError
        Unknown nuclide or medium, a voxel too small for the range of the electrons, or an option out of range.
    """
    emission, material = as_emission(emission), as_material(medium)
    density = material.density_g_cm3 if density_g_cm3 is None else float(density_g_cm3)
    spacing = Grid((1, 1, 1), spacing_mm).spacing_mm
    check_cutoffs(photon_cutoff_mev, electron_cutoff_mev)
    if not 0 < uncertainty < 1:
        raise InputError(f"uncertainty: {uncertainty}; give a fraction between 0 and 1, such as 0.005 for 0.5 %")
    if not 0 < density < float("inf"):
        raise InputError(f"density_g_cm3: {density}; give the density of the medium, above zero")
    options = {
        "device": device,
        "threads": threads,
        "progress": progress,
        "photon_cutoff_mev": photon_cutoff_mev,
        "electron_cutoff_mev": electron_cutoff_mev,
    }
    medium = Medium(material, density, emission, options)
    if not cache:
        return _make(medium, spacing, uncertainty, seed)
    path = kernel_path(medium, spacing_mm=spacing, uncertainty=uncertainty, seed=seed)
    return kept(path, SValueKernel.load, lambda: _make(medium, spacing, uncertainty, seed))


def kernel_path(medium, **asked):
    """The file for a kernel in a Medium, by everything it follows from; `asked` is JSON-able."""
    content = {
        "version": METHOD_VERSION,
        "sources": source_hash(kernels_cuda, physics_data),
        "emission": spectrum_content(_spectrum(medium.emission)),
        "title": _title(medium.emission),
        "material": material_content(medium.material),
        "density_g_cm3": medium.density_g_cm3,
        "cutoffs_mev": [medium.options[f"{name}_cutoff_mev"] for name in ("photon", "electron")],
        **asked,
    }
    return cache_folder("kernels") / f"{content_key(content)}.h5"


def kept(path, load, make):
    """The kernel of a file, made and saved there if there is none."""
    if path.is_file():
        return load(path)
    kernel = make()
    path.parent.mkdir(parents=True, exist_ok=True)
    kernel.save(path)
    return kernel


def as_material(medium):
    """A Material, or the built-in one of this name."""
    if not isinstance(medium, str):
        return medium
    from physics_data.materials import material

    with as_input_error():
        return material(medium)


def _make(medium, spacing_mm, uncertainty, seed):
    from physics_data.emissions import emission_table

    spacing_cm = np.array(spacing_mm) * 0.1
    cutoffs = [medium.options[f"{name}_cutoff_mev"] for name in ("photon", "electron")]
    near = [max(FEWEST_NEAR, int(medium.reach_cm / s) + 1) for s in spacing_cm[::-1]]
    half = [max(HALF_VOXELS, 2 * n) for n in near]
    if 2 * max(half) + 1 > MOST_VOXELS:
        finest = 20 * medium.reach_cm / (MOST_VOXELS // 4)
        raise InputError(
            f"spacing_mm {spacing_mm}: the electrons reach {10 * medium.reach_cm:.3g} mm; give voxels of at least "
            f"{finest:.2g} mm"
        )
    pilot = medium.simulate(spacing_cm, half, False, PILOT_HISTORIES, seed)
    needed = PILOT_HISTORIES * _excess(pilot, near, spacing_mm, uncertainty)
    histories = int(np.clip(needed, FEWEST_HISTORIES, MOST_HISTORIES))
    first = medium.simulate(spacing_cm, half, False, histories, seed)
    tail, levels = medium.tail(first, TAIL_HISTORIES, seed)
    block = tuple(slice(n + 1) for n in near)
    octant = _cropped(first.octant, block).exchanged(spacing_mm)
    gy, relative = octant.mean * gy_per_mev(first.voxel_g), octant.relative_uncertainty
    if tail is not None:
        offsets = first.offsets_cm[block]
        gap = np.sqrt((np.maximum(offsets - spacing_cm, 0.0) ** 2).sum(axis=-1))
        smooth = gap > max(medium.reach_cm, 0.0)
        gy[smooth] = tail.voxel_means(offsets[smooth], spacing_cm)
        relative[smooth] = tail.uncertainty_at(np.sqrt((offsets[smooth] ** 2).sum(axis=-1)))
    return SValueKernel(
        near_gy=gy,
        spacing_mm=spacing_mm,
        emission=_title(medium.emission),
        medium=medium.material.name,
        density_g_cm3=medium.density_g_cm3,
        relative_uncertainty=relative,
        tail=tail,
        emitted_mev=emission_table(_spectrum(medium.emission), *cutoffs).energy_mev_per_decay,
        settings={
            "method": "monte_carlo",
            "electron_reach_mm": 10 * medium.reach_cm,
            "histories": sum(level.histories for level in levels),
            "seconds": sum(level.seconds for level in (pilot, *levels)),
            "seed": seed,
            "photon_cutoff_mev": cutoffs[0],
            "electron_cutoff_mev": cutoffs[1],
        },
    )


def _excess(level, near, spacing_mm, uncertainty):
    """How many times the histories of a run are needed."""
    octant = _cropped(level.octant, tuple(slice(n + 1) for n in near)).exchanged(spacing_mm)
    relative = np.nan_to_num(octant.relative_uncertainty, nan=1.0)
    weight = octant.count * (octant.mean > COUNTING * octant.mean[0, 0, 0])
    weight[0, 0, 0] = 0.0
    others = float((relative * weight).sum() / max(weight.sum(), 1.0))
    return max(relative[0, 0, 0], others / NEIGHBOUR_FACTOR) ** 2 / uncertainty**2


def _cropped(octant, block):
    return Octant(octant.mean[block], octant.sum_variance[block], octant.count[block])


def _spectrum(emission):
    return getattr(emission, "spectrum", emission)


def _title(emission):
    return getattr(emission, "title", "user's own spectrum")
