"""Two absorbed doses side by side: region by region, voxel by voxel.

1. The candidate is brought onto the reference's grid (linear interpolation, noted); masks onto it by nearest voxel.
2. Mean and dose-volume figures of each region, weighted by mass where the reference has densities, for both doses over
   the same voxels: those where both doses are known.
3. Uncertainty of a mean: from the batches of the run where the dose brings the region (`mcdose.region_dose`).
   Otherwise u^2 = sum w_i^2 sigma_i^2, voxels taken as independent. Two effects of opposite sign spoil that: an
   electron that crosses several voxels correlates them, and decays spread evenly over the source make means inside it
   better (true u 0.1 to 3.3 times this, measured over 30 seeds of the liver-lung slab; docs/compare.md).
4. A voxel differs when |candidate - reference| exceeds 3 sigma of the difference plus a tolerance of the reference.
5. Gamma index (`mcdose.gamma`). A pass rate is over the voxels of a region that are above the threshold.
"""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from mcdose.dose_image import DoseImage, as_dose_image
from mcdose.dose_volume import Dvh, checked_weighting, dvh_of
from mcdose.errors import InputError
from mcdose.gamma import GammaCriterion, gamma_index, pass_rate
from mcdose.phantom import in_body
from mcdose.region_dose import cropped, fingerprint
from mcdose.regions import regions_on

SIGMAS = 3.0  # standard deviations that noise alone exceeds in 0.3 % of voxels
TOLERANCE = 0.02  # of the reference dose of a voxel: a difference that matters to nobody
LEVELS = (20.0,)  # Gy
PERCENTS = (2, 50, 95, 98)
HIGH_SHARE = 0.1  # the region that is always reported: above this share of the maximum


@dataclass(frozen=True, eq=False)
class RegionComparison:
    """Two doses in one region.

    Attributes
    ----------
    name : str
    reference, candidate : Dvh
    reference_sd, candidate_sd : float
        Standard uncertainty of the mean doses; NaN when not known.
    reference_judged, candidate_judged : bool
        Whether it is from the batches of the run; otherwise the voxels are taken as independent.
    differing_percent : float
        Share of voxels whose difference exceeds noise and tolerance.
    gamma_percent : float
        Share of judged voxels with gamma up to 1; NaN when none is above the threshold.
    """

    name: str
    reference: Dvh
    candidate: Dvh
    reference_sd: float
    candidate_sd: float
    differing_percent: float
    gamma_percent: float
    reference_judged: bool = False
    candidate_judged: bool = False

    @property
    def difference_percent(self):
        """Mean dose of the candidate over that of the reference, minus 1, in per cent."""
        return percent_change(self.candidate.mean, self.reference.mean)

    @property
    def difference_sd_percent(self):
        """Standard uncertainty of it; a dose whose uncertainty is not known counts as exact, NaN when neither is."""
        known = [sd / dvh.mean for dvh, sd in self._means if np.isfinite(sd) and dvh.mean > 0]
        ratio = self.candidate.mean / self.reference.mean if self.reference.mean > 0 else np.nan
        return 100 * ratio * float(np.hypot.reduce(known)) if known else float("nan")

    @property
    def _means(self):
        return (self.reference, self.reference_sd), (self.candidate, self.candidate_sd)


@dataclass(frozen=True, eq=False)
class Comparison:
    """What :func:`compare` found; prints itself as tables.

    Attributes
    ----------
    candidate, reference : DoseImage
        Both on the grid of the reference.
    regions : tuple of RegionComparison
        First the voxels above a tenth of the reference's maximum, then the masks.
    masks : dict of bool arrays [z, y, x]
        By the names of `regions`.
    gamma : float32 array [z, y, x]
        Gamma index; NaN below the threshold.
    criterion : GammaCriterion
    tolerance : float
        Relative difference of a voxel that is let pass.
    levels : tuple of float
        Doses of the V columns.
    notes : tuple of str
    """

    candidate: DoseImage
    reference: DoseImage
    regions: tuple
    masks: dict = field(repr=False)
    gamma: np.ndarray = field(repr=False)
    criterion: GammaCriterion
    tolerance: float
    levels: tuple
    notes: tuple = field(default=(), repr=False)

    @cached_property
    def difference(self):
        """float64 array [z, y, x]: candidate minus reference, in their unit."""
        return self.candidate.gy - self.reference.gy

    def region(self, name):
        """The RegionComparison of this name."""
        for region in self.regions:
            if region.name == name:
                return region
        raise InputError(f"region {name!r}: not compared; there are {', '.join(r.name for r in self.regions)}")

    @property
    def table(self):
        """One dict per region with every figure as a number; units are in the keys."""
        from mcdose.comparison_tables import numbers

        return numbers(self)

    def describe(self):
        """The tables as text."""
        return self.to_markdown()

    __str__ = describe

    def to_markdown(self, path=None):
        """The tables in Markdown; also written to `path` if given."""
        from mcdose.comparison_tables import markdown, write_text

        text = markdown(self)
        if path is not None:
            write_text(text, path)
        return text

    def to_csv(self, path):
        """Write `table` as CSV."""
        from mcdose.comparison_tables import csv_text, write_text

        write_text(csv_text(self), path)

    def to_html(self, path, figures=True, at_mm=None):
        """Write one self-contained page: tables and figures (PNG files if given, otherwise drawn now; False: none)."""
        from mcdose.comparison_tables import html, write_text

        write_text(html(self, figures, at_mm), path)

    def plot(self, path, at_mm=None):
        """Draw both doses and their difference; see :func:`mcdose.plot_comparison.plot_planes`."""
        from mcdose.plot_comparison import plot_planes

        plot_planes(self, path, at_mm)

    def plot_dvh(self, path):
        """Draw the dose-volume histograms of the masks, reference and candidate overlaid."""
        from mcdose.plot_comparison import plot_dvhs

        plot_dvhs({r.name: (r.reference, r.candidate) for r in self.regions}, path)

    def plot_profiles(self, path, at_mm=None):
        """Draw both doses and their difference along three lines through a point."""
        from mcdose.plot_comparison import plot_profiles

        plot_profiles(self, path, at_mm)


def compare(
    candidate,
    reference,
    masks=None,
    names=None,
    unit=None,
    weighting=None,
    levels=LEVELS,
    tolerance=TOLERANCE,
    gamma=GammaCriterion(),  # noqa: B008 (frozen)
):
    """Compare an absorbed dose with a reference.

    Parameters
    ----------
    candidate, reference : Dose, DoseImage, SimpleITK.Image or path
        A path may be mcdose's .h5, DICOM RTDOSE, or NIfTI, MHA or NRRD of any tool. The candidate may lie on any grid.
    masks : dict of arrays or images, label image, mask, path, or list of these, optional
        Regions; images on another grid are resampled to the nearest voxel.
    names : dict of int to str, or path, optional
        Names of the labels; see :func:`mcdose.regions.read_names`.
    unit : str, optional
        Of dose images that do not say theirs: Gy, mGy, cGy, Gy/s, mGy/s or mGy/h.
    weighting : {"mass", "volume"}, optional
        How voxels count in means and histograms; by default by mass where the reference has densities.
    levels : sequence of float
        Doses (Gy) for the share V of a region that receives at least as much.
    tolerance : float
        Relative difference of a voxel that is let pass, beside 3 standard deviations of noise.
    gamma : GammaCriterion

    Returns
    -------
    Comparison

    Raises
    ------
    InputError
        Not a dose, no unit, no overlap, dose against dose rate, an empty mask.

    Examples
    --------
    >>> import mcdose
    >>> water = mcdose.Phantom.uniform(mcdose.material("water"), (9, 9, 9), 3.0)
    >>> source = mcdose.Source.point((12, 12, 12), mcdose.Spectrum.monoenergetic("electron", 1.0), water)
    >>> a, b = (mcdose.monte_carlo(water, source, histories=2000, seed=seed) for seed in (1, 2))
    >>> region = mcdose.compare(a, b, {"all": water.density_g_cm3 > 0}).region("all")
    >>> abs(region.difference_percent) < 1
    True
    """
    if not 0 <= tolerance < 1:
        raise InputError(f"tolerance {tolerance}: a share from 0 to 1 is needed, such as 0.02")
    reference = as_dose_image(reference, unit)
    candidate = as_dose_image(candidate, unit)
    if candidate.unit != reference.unit:
        raise InputError(
            f"{candidate.name} is in {candidate.unit}, {reference.name} in {reference.unit}: give both alike"
        )
    candidate = candidate.onto(reference.grid)
    weighting = checked_weighting(weighting, reference)
    regions = regions_on(reference.grid, masks, names) if masks is not None else regions_on(reference.grid, {})
    both = np.isfinite(reference.gy) & np.isfinite(candidate.gy)
    body = both if reference.density_g_cm3 is None else both & in_body(reference.density_g_cm3)
    top = float(reference.gy[body].max(initial=0.0))
    if top <= 0:
        raise InputError(f"{reference.name}: no dose above zero where {candidate.name} has one; check both images")
    found = {f"above {100 * HIGH_SHARE:.0f} % of maximum": body & (reference.gy >= HIGH_SHARE * top), **regions.masks}
    index = gamma_index(reference.gy, candidate.gy, reference.grid.spacing_mm, gamma, top, where=both)
    differs = _differs(candidate, reference, tolerance)
    return Comparison(
        candidate,
        reference,
        tuple(
            _region(name, mask & both, candidate, reference, weighting, differs, index) for name, mask in found.items()
        ),
        found,
        index,
        gamma,
        float(tolerance),
        tuple(float(level) for level in levels),
        (*reference.notes, *candidate.notes, *regions.notes),
    )


def percent_change(value, reference):
    """`value` over `reference` minus 1, in per cent; NaN where the reference is not above zero."""
    return 100 * (value / reference - 1) if reference > 0 else float("nan")


def _region(name, mask, candidate, reference, weighting, differs, index):
    histograms = [dvh_of(image.gy, mask, reference, weighting, name) for image in (reference, candidate)]
    own = [_own_sd(image, mask, reference, weighting) for image in (reference, candidate)]
    spread = [
        _mean_sd(image, mask, reference, weighting) if sd is None else sd
        for image, sd in zip((reference, candidate), own)
    ]
    above = mask & (reference.gy > 0)
    return RegionComparison(
        name,
        *histograms,
        *spread,
        100 * float(differs[above].mean()) if above.any() else float("nan"),
        pass_rate(index, mask),
        *(sd is not None for sd in own),
    )


def _own_sd(image, mask, reference, weighting):
    """Standard uncertainty that the run of `image` itself has judged for the mean dose of these voxels, or None.

    Its mean is energy over mass: nothing else may be asked for, and the masses must be those of the reference.
    """
    if not image.regions or weighting != "mass" or not np.array_equal(image.density_g_cm3, reference.density_g_cm3):
        return None
    wanted = fingerprint(cropped(mask), mask.shape)
    return next((r.standard_uncertainty_gy for r in image.regions.values() if r.fingerprint == wanted), None)


def _mean_sd(image, mask, reference, weighting):
    """The same with the voxels taken as independent; NaN when the image brings no uncertainty."""
    sd = image.standard_deviation
    if sd is None:
        return float("nan")
    weights = reference.density_g_cm3[mask].astype(float) if weighting == "mass" else np.ones(int(mask.sum()))
    return float(np.sqrt(((weights * sd[mask]) ** 2).sum()) / weights.sum())


def _differs(candidate, reference, tolerance):
    """bool array: where the difference exceeds noise and tolerance; never where a dose is not known."""
    variance = sum(
        (sd**2 for sd in (candidate.standard_deviation, reference.standard_deviation) if sd is not None), 0.0
    )
    with np.errstate(invalid="ignore"):
        return np.abs(candidate.gy - reference.gy) > SIGMAS * np.sqrt(variance) + tolerance * reference.gy
