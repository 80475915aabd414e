"""Dose-volume histograms that can be asked.

1. Every voxel of the region counts with its mass (where densities are known) or its volume; `Dvh.weighting` says which.
   Weighted by mass, the mean is the mean absorbed dose (energy over mass, ICRU Report 85).
2. D(x) is the highest dose that at least x % of the region receive, V(d) the share that receives at least d. Both are
   steps from voxel to voxel, without smoothing or bins.

The noise of a Monte Carlo dose widens a histogram: near-maximum doses come out high and near-minimum ones low.
"""

import re
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mcdose.dose_image import as_dose_image
from mcdose.errors import InputError
from mcdose.regions import regions_on

WEIGHTINGS = ("mass", "volume")
BINS = 200  # of a differential histogram, unless told otherwise
DESCRIBED = (2, 50, 95, 98)  # D2 and D98 are ICRU 83's near-maximum and near-minimum


@dataclass(frozen=True, eq=False)
class Dvh:
    """The doses of a region, in ascending order, each with the part of the region that has it.

    Attributes
    ----------
    doses : float64 array [n]
        Ascending, in `unit`.
    weights : float64 array [n]
        Mass (g) or volume (cm3) of each.
    weighting : {"mass", "volume"}
    volume_cm3 : float
    mass_g : float or None
        None when densities are not known.
    unit : str
    name : str

    Examples
    --------
    >>> import numpy as np
    >>> dvh = Dvh(np.arange(1.0, 101.0), np.ones(100), "volume", 100.0, None)
    >>> dvh.D95, dvh.V20, dvh.D2cc, float(dvh.mean)
    (6.0, 81.0, 99.0, 50.5)
    """

    doses: np.ndarray
    weights: np.ndarray
    weighting: str
    volume_cm3: float
    mass_g: float | None
    unit: str = "Gy"
    name: str = "region"

    @property
    def mean(self):
        """Mean dose, weighted as the histogram."""
        return float(self.weights @ self.doses / self.weights.sum())

    @property
    def minimum(self):
        """Lowest dose of a voxel."""
        return float(self.doses[0])

    @property
    def maximum(self):
        """Highest dose of a voxel."""
        return float(self.doses[-1])

    def D(self, percent):
        """Highest dose that at least `percent` (0 to 100) of the region receive."""
        if not 0 <= percent <= 100:
            raise InputError(f"D({percent}): a share of the region from 0 to 100 % is needed")
        return self._hottest(percent / 100 * self._from_above[0])

    def V(self, dose):
        """Share of the region, in per cent, that receives at least `dose`."""
        return float(100 * self._at_least(np.asarray(dose, float)) / self._from_above[0])

    def D_cm3(self, volume_cm3):
        """Lowest dose of the hottest `volume_cm3` of the region (D2cc); of all of it when the region is smaller."""
        share = min(volume_cm3 / self.volume_cm3, 1.0)
        return self._hottest(share * self._from_above[0])

    def __getattr__(self, name):
        match = re.fullmatch(r"([DV])(\d+(?:\.\d+)?)(cc)?", name)
        if match is None or (match[1] == "V" and match[3]):
            raise AttributeError(f"Dvh has no {name!r}; write D95, D2cc, V20, D(95), V(20)")
        value = float(match[2])
        return self.D_cm3(value) if match[3] else self.D(value) if match[1] == "D" else self.V(value)

    def cumulative(self, doses=None):
        """Doses and the share of the region (per cent) that receives at least each of them.

        Parameters
        ----------
        doses : array, optional
            By default 201 from zero to the maximum.
        """
        doses = np.linspace(0, self.maximum, BINS + 1) if doses is None else np.asarray(doses, float)
        return doses, 100 * self._at_least(doses) / self._from_above[0]

    def differential(self, bins=BINS):
        """Edges of dose bins and the share of the region (per cent) in each.

        Parameters
        ----------
        bins : int or array
            Number of bins between zero and the maximum, or their edges; doses beyond the edges are in no bin.
        """
        edges = np.linspace(0, max(self.maximum, np.finfo(float).tiny), bins + 1) if np.ndim(bins) == 0 else bins
        share, edges = np.histogram(self.doses, edges, weights=100 * self.weights / self.weights.sum())
        return edges, share

    def describe(self):
        """The histogram's usual figures as a few lines of text."""
        mass = "" if self.mass_g is None else f", {self.mass_g:.4g} g"
        rows = [
            ("region", f"{self.name}: {self.doses.size} voxels, {self.volume_cm3:.4g} cm3{mass}; by {self.weighting}"),
            ("mean dose", f"{self.mean:.4g} {self.unit}"),
            ("min, max", f"{self.minimum:.4g}, {self.maximum:.4g} {self.unit}"),
            *((f"D{percent}", f"{self.D(percent):.4g} {self.unit}") for percent in DESCRIBED),
        ]
        return "\n".join(f"{name:<10} {value}" for name, value in rows)

    def plot(self, path):
        """Draw the cumulative and the differential histogram (.png, .pdf or .svg)."""
        from mcdose.plot_comparison import plot_dvhs

        plot_dvhs({self.name: (self,)}, path)

    @cached_property
    def _from_above(self):
        """Part of the region at or above each of the doses."""
        return np.cumsum(self.weights[::-1])[::-1]

    def _hottest(self, part):
        """Highest dose that at least this part of the region receives."""
        tolerance = 1e-9 * self._from_above[0]  # sums of many weights, rounded
        enough = np.flatnonzero(self._from_above >= part - tolerance)
        return float(self.doses[enough[-1]])

    def _at_least(self, doses):
        padded = np.append(self._from_above, 0.0)
        return padded[np.searchsorted(self.doses, doses, side="left")]


def dvh(dose, mask, weighting=None, unit=None, name=None):
    """Dose-volume histogram of one region.

    Parameters
    ----------
    dose : Dose, DoseImage, SimpleITK.Image or path
        As :func:`mcdose.compare` takes it.
    mask : bool array [z, y, x], SimpleITK.Image or path
        The region (above zero); an image on another grid is resampled to the nearest voxel.
    weighting : {"mass", "volume"}, optional
        By default mass where the dose has densities, otherwise volume.
    unit : str, optional
        Of dose images that do not say theirs.
    name : str, optional

    Returns
    -------
    Dvh

    Raises
    ------
    InputError

    Examples
    --------
    >>> import numpy as np, mcdose
    >>> from mcdose.dose_image import DoseImage
    >>> from mcdose.grid import Grid
    >>> dose = DoseImage(np.arange(27.0).reshape(3, 3, 3), Grid((3, 3, 3), 10.0))
    >>> mcdose.dvh(dose, dose.gy >= 17).D98
    17.0
    """
    image = as_dose_image(dose, unit)
    regions = regions_on(image.grid, {name or "region": mask})
    return dvh_of(image.gy, *regions.masks.values(), image, weighting, *regions.masks)


def dvh_of(gy, mask, image, weighting=None, name="region"):
    """Histogram of the doses `gy` in a mask; densities, grid and unit are those of `image`. NaN doses are left out."""
    weighting = checked_weighting(weighting, image)
    inside = mask & np.isfinite(gy)
    if not inside.any():
        raise InputError(f"mask {name}: no voxel with a dose in it; check the mask and its position")
    volume = image.grid.voxel_volume_cm3
    mass = None if image.density_g_cm3 is None else np.asarray(image.density_g_cm3, float)[inside] * volume
    doses = gy[inside]
    order = np.argsort(doses, kind="stable")
    weights = mass[order] if weighting == "mass" else np.full(doses.size, volume)
    grams = None if mass is None else float(mass.sum())
    return Dvh(doses[order], weights, weighting, doses.size * volume, grams, image.unit, name)


def checked_weighting(weighting, image):
    """The weighting asked for, or the one that goes with the dose."""
    if weighting is None:
        return "volume" if image.density_g_cm3 is None else "mass"
    if weighting not in WEIGHTINGS:
        raise InputError(f"weighting {weighting!r}: choose mass or volume")
    if weighting == "mass" and image.density_g_cm3 is None:
        raise InputError(f"weighting 'mass': {image.name} has no densities; give mcdose's .h5, or choose volume")
    return weighting
