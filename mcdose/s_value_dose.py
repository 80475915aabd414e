"""Absorbed dose by convolution with voxel S values.

1. The decays are convolved with the S values of a uniform medium: the dose as if that medium filled everything.
2. Without correction that is the dose.
3. "local": times the density of the medium over that of the voxel. The energy of the uniform medium stays where it is;
   only its mass is the voxel's (Dieudonné et al. 2013).
4. "tissue": the decays in each class of tissue are convolved with the kernel of that class, and the energy goes to the
   mass of the voxels as in 3. Four classes by density: lung, soft tissue, spongiosa, cortical bone. (Lee et al. 2018,
   as we understand it, choose the kernel by the tissue that receives the dose; beside a liver full of Y-90 that gives
   the lung four times the dose it has, since all the electrons from the liver then fly as if through lung.)

None of these knows what lies between source and voxel; at the surface of a lung all are wrong within the range of the
electrons (see docs/fast_methods.md, and :mod:`mcdose.superposition`, which does know). With 1 and 2 energy is not
conserved where densities differ.

Bolch et al., MIRD Pamphlet No. 17, J. Nucl. Med. 40 (1999) 11S · Dieudonné et al., J. Nucl. Med. 54 (2013) 236 · Lee et
al., J. Nucl. Med. 59 (2018) 1133.
"""

import math
import time
from typing import NamedTuple

import numpy as np

from mcdose.convolution import convolve, padded_shape
from mcdose.dose import J_PER_MEV, Dose
from mcdose.errors import InputError
from mcdose.gpu import chosen
from mcdose.kernel_making import make_kernel
from mcdose.local_deposit import energies_per_decay
from mcdose.memory import check_memory
from mcdose.octant import unfold
from mcdose.simulation import emission_settings

CORRECTIONS = ("none", "local", "tissue")
SAME_SPACING = 1e-3  # relative: headers of images round
TRANSFORM_BYTES = 24  # per padded voxel: spectra of decays and kernel, and their product transformed back, 8 each
RESULT_BYTES = 32  # per voxel of the grid: decays of a class, energy placed, its deviation, dose


class Tissue(NamedTuple):
    """A class of voxels by density (g/cm3), and the medium and density of the kernel for it."""

    below_g_cm3: float
    medium: str
    density_g_cm3: float


# Bounds half-way between tissues; kernels at fixed densities, so that they are made once for all patients. Lung at the
# density of ICRU 44 when inflated; gas is treated with it, by its own density.
TISSUES = (
    Tissue(0.65, "lung", 0.26),
    Tissue(1.11, "soft_tissue_icrp", 1.04),
    Tissue(1.5, "spongiosa", 1.18),
    Tissue(np.inf, "cortical_bone", 1.92),
)


def voxel_s_value(
    phantom, source, medium="water", kernel=None, density_correction="none", device="auto", **kernel_options
):
    """Absorbed dose by convolution of the decays with voxel S values.

    Parameters
    ----------
    phantom : Phantom
    source : Source
        A point source is taken as spread over its voxel.
    medium : str or Material
        Medium of the kernel, at its nominal density; not used with a kernel given or with "tissue".
    kernel : SValueKernel, optional
        By default made by Monte Carlo, or found on disk; see :meth:`mcdose.SValueKernel.make`.
    density_correction : {"none", "local", "tissue"}
        See above.
    device : str
        As in :func:`mcdose.monte_carlo`, for making kernels and for the convolution.
    **kernel_options
        `uncertainty`, `seed`, `threads`, `cache`, `progress` ... of :func:`mcdose.kernel_making.make_kernel`.

    Returns
    -------
    Dose
        Without histories. `relative_uncertainty` is that of the S values alone, as if all erred together: an upper
        limit. ``escaped_mev`` is the energy that the kernel puts outside the grid or beyond its own extent.

    Raises
    ------
    InputError
        A kernel for another voxel size or nuclide; an unknown correction; a grid too large for the memory.
    """
    if density_correction not in CORRECTIONS:
        raise InputError(f"density_correction {density_correction!r}: choose one of {', '.join(CORRECTIONS)}")
    if kernel is not None and density_correction == "tissue":
        raise InputError("density_correction 'tissue': makes a kernel for each tissue; leave the kernel out")
    begin = time.perf_counter()
    options = {"device": device, **kernel_options}
    if density_correction == "tissue":
        where = _tissue_classes(phantom.density_g_cm3)
        used = np.unique(where[source.decays > 0]).tolist()
        kernels = {k: _make(source, phantom, TISSUES[k][1:], options) for k in used}
    else:
        where = np.zeros(phantom.shape, np.int8)
        kernels = {0: _make(source, phantom, (medium, None), options) if kernel is None else kernel}
    for one in kernels.values():
        _check(one, phantom, source)
    half = _half(kernels.values(), phantom.shape)
    if not chosen(device):
        padded = math.prod(padded_shape(source.decays, half)) / source.decays.size
        check_memory(phantom.grid, RESULT_BYTES + TRANSFORM_BYTES * padded)
    placed_mev, deviation = _placed(source.decays, kernels, where, half, device)
    energy_mev = placed_mev
    if density_correction == "none":  # the dose is the kernel medium's: more energy in denser voxels
        energy_mev = placed_mev * (phantom.density_g_cm3 / kernels[0].density_g_cm3)
    emitted = source.total_decays * energies_per_decay(source.spectrum)[0]
    return Dose(
        phantom=phantom,
        energy_mev=energy_mev,
        relative_uncertainty=np.divide(deviation, placed_mev, out=np.full(phantom.shape, np.nan), where=placed_mev > 0),
        emitted_mev=emitted,
        escaped_mev=emitted - float(placed_mev.sum()),
        decays=source.total_decays,
        histories=0,
        seconds=time.perf_counter() - begin,
        settings={
            "method": "voxel_s_value",
            **emission_settings(source.nuclide),
            "density_correction": density_correction,
            "kernels": [_record(one, half) for one in kernels.values()],
        },
        tally={},
        per_second=source.per_second,
    )


def _make(source, phantom, medium, options):
    return make_kernel(source.emission, phantom.spacing_mm, medium[0], medium[1], **options)


def _tissue_classes(density):
    bounds = [tissue.below_g_cm3 for tissue in TISSUES[:-1]]
    return np.searchsorted(bounds, density, side="right").astype(np.int8)


def _check(kernel, phantom, source):
    if not np.allclose(kernel.spacing_mm, phantom.spacing_mm, rtol=SAME_SPACING, atol=0.0):
        own, other = (" x ".join(f"{s:.4g}" for s in x.spacing_mm) for x in (kernel, phantom))
        raise InputError(f"kernel: made for voxels of {own} mm, the dose grid has {other} mm; make one for these")
    title = getattr(source.emission, "title", None)
    if title is not None and kernel.emission != title:
        raise InputError(f"kernel: made for {kernel.emission}, the source is {title}; make one for this nuclide")


def _half(kernels, shape):
    """Extent (z, y, x) that all need, as far as the grid has voxels to put dose in."""
    return tuple(min(max(n), size - 1) for n, size in zip(zip(*(k.extent() for k in kernels)), shape))


def _placed(decays, kernels, where, half, device):
    """Energy (MeV) that the kernels of each class place, and its standard deviation."""
    sums = np.zeros((2, *decays.shape))
    for number, kernel in kernels.items():
        own = np.where(where == number, decays, 0.0)
        if not own.any():
            continue
        octant = kernel.octant_gy(half)
        errors = octant * np.nan_to_num(kernel.octant_uncertainty(half))
        for total, one in zip(sums, convolve(own, (unfold(octant), unfold(errors)), device)):
            total += one * (kernel.voxel_kg / J_PER_MEV)
    return sums


def _record(kernel, half):
    return {
        "medium": kernel.medium,
        "density_g_cm3": kernel.density_g_cm3,
        "self_gy": kernel.self_gy,
        "half_zyx": list(half),
        **kernel.settings,
    }
