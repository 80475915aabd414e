"""Mean absorbed dose of regions, with the uncertainty that the batches of a run give it.

1. A batch's energy in a region is summed before the batch joins the others: a whole number of tally units.
2. Mean dose = energy over mass, over all batches; what is deposited without transport is added and exact.
3. Its uncertainty is that of the mean of the batches, as for a voxel (``batches``). All that the voxels of a region
   share is in it: electrons that cross several of them, and decays spread evenly over the source.
"""

import hashlib
from dataclasses import dataclass
from typing import NamedTuple

import numba
import numpy as np

from mcdose.arrays import namespace, slabs
from mcdose.phantom import KG_PER_G


@dataclass(frozen=True)
class RegionDose:
    """Absorbed dose of one region.

    Attributes
    ----------
    mean_gy : float
        Energy over mass, Gy (Gy/s for a dose rate).
    standard_uncertainty_gy : float
        One standard deviation of it; NaN before there are two batches.
    mass_g, volume_cm3 : float
    fingerprint : str
        Tells whether another mask on the same grid marks the same voxels; see :func:`fingerprint`.
    """

    mean_gy: float
    standard_uncertainty_gy: float
    mass_g: float
    volume_cm3: float
    fingerprint: str

    @property
    def relative_uncertainty(self):
        """Relative standard uncertainty of the mean dose; NaN where there is none."""
        return self.standard_uncertainty_gy / self.mean_gy if self.mean_gy > 0 else float("nan")


class Region(NamedTuple):
    """A mask cut to its bounding box: slices (z, y, x), and the bool array in them."""

    box: tuple
    mask: np.ndarray


def cropped(mask):
    """The :class:`Region` of a bool array [z, y, x] that marks at least one voxel; without a copy."""
    box = []
    for axis in range(3):
        used = np.flatnonzero(mask.any(axis=tuple(k for k in range(3) if k != axis)))
        box.append(slice(int(used[0]), int(used[-1]) + 1))
    return Region(tuple(box), mask[tuple(box)])


def region_sum(values, region):
    """Sum over a region: an int, exact, of integers, else a float. Arrays NumPy's or CuPy's, both of one kind."""
    part, mask = values[region.box], region.mask
    if values.dtype.kind != "i":
        return sum(part[z][mask[z]].sum(dtype=np.float64).item() for z in slabs(mask.shape))
    if namespace(values) is np:
        return _tally_sum(part, mask)
    return sum(part[z][mask[z]].sum().item() for z in slabs(mask.shape))


@numba.njit(cache=True)
def _tally_sum(tally, mask):
    """Sum of integers where a mask is set: done for every batch, in a third of NumPy's time."""
    total = 0
    for z in range(mask.shape[0]):
        for y in range(mask.shape[1]):
            row, marked = tally[z, y], mask[z, y]
            for x in range(marked.size):
                total += row[x] if marked[x] else 0
    return total


def region_dose(region, phantom, energy_j, standard_uncertainty_j):
    """The :class:`RegionDose` of an energy, J (W for a dose rate), absorbed in a :class:`Region` of a phantom."""
    volume_cm3 = int(region.mask.sum()) * phantom.voxel_volume_cm3
    mass_g = region_sum(phantom.density_g_cm3, region) * phantom.voxel_volume_cm3
    return RegionDose(
        energy_j / (mass_g * KG_PER_G),
        standard_uncertainty_j / (mass_g * KG_PER_G),
        mass_g,
        volume_cm3,
        fingerprint(region, phantom.shape),
    )


def fingerprint(region, shape):
    """SHA-256 (hex digits) of which voxels of a grid of this shape [z, y, x] a region marks."""
    digest = hashlib.sha256(repr((shape, region.box)).encode())
    digest.update(np.packbits(region.mask).tobytes())
    return digest.hexdigest()


def region_rows(regions, unit):
    """Name and figures of each region, as lines of a summary.

    Parameters
    ----------
    regions : dict of str to RegionDose
    unit : str
        "Gy" or "Gy/s".
    """
    for name, region in regions.items():
        share = 100 * region.relative_uncertainty
        spread = f" ± {share:.2g} %" if np.isfinite(share) else ""
        yield name, f"{region.mean_gy:.4g} {unit}{spread}, {region.mass_g:.4g} g"
