"""Figures of a comparison: three planes of both doses and their difference, histograms, profiles.

Planes and lines run in the standard patient orientation, as in the figure of a single dose (`mcdose.plot`). The
difference is candidate minus reference, red where the candidate is higher; its scale is symmetric and the same in all
planes.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from mcdose.grid import Grid
from mcdose.images import array_of, grid_of, to_image
from mcdose.phantom import in_body
from mcdose.plot import (
    DENSITY_WINDOW,
    FADE_SHARE,
    OPACITY,
    PLANES,
    TOP_PERCENTILE,
    label_sides,
    new_figure,
    plane_of,
    save_figure,
)

PLANES_INCHES = (13.0, 10.5)
PROFILES_INCHES = (13.0, 6.0)
DVH_INCHES = (11.0, 4.8)
DIFFERENCE_PERCENTILE = 99.5  # of |difference|: the colour scale ends here, spared single noisy voxels
ENDS = (("right", "left"), ("front", "back"), ("feet", "head"))  # of the axes x, y, z
PROFILE_LIMIT = 50.0  # %; beyond it a difference is a failure of another kind and would flatten the rest
JUDGED_SHARE = 0.01  # of the profile's maximum: differences of lower doses are not drawn
MOST_CURVES = 12  # more histograms than this in one figure cannot be told apart


@dataclass(frozen=True)
class _View:
    """Arrays in standard orientation; `index` (x, y, z) is the voxel that planes and lines go through."""

    reference: np.ndarray
    candidate: np.ndarray
    reference_sd: np.ndarray | None
    candidate_sd: np.ndarray | None
    density: np.ndarray | None
    grid: Grid
    index: tuple


def plot_planes(comparison, path, at_mm=None):
    """Draw reference, candidate and signed difference in three planes.

    Parameters
    ----------
    comparison : Comparison
    path : str or Path
        Ends in .png, .pdf or .svg.
    at_mm : tuple of float, optional
        Point (x, y, z) in mm, LPS; by default where the reference dose is highest in the regions compared.

    Raises
    ------
    InputError
        Point outside the grid, unknown suffix, folder not writable.
    """
    view = _orient(comparison, at_mm)
    figure = new_figure(PLANES_INCHES)
    rows = figure.subfigures(3, 1)
    unit = comparison.reference.unit
    known = view.reference[np.isfinite(view.reference)]
    top = float(np.percentile(known, TOP_PERCENTILE)) or 1.0
    difference = view.candidate - view.reference
    if view.density is not None:
        difference[~in_body(view.density)] = np.nan  # what methods give to air would drown what matters
    limit = float(np.nanpercentile(np.abs(difference), DIFFERENCE_PERCENTILE)) or 1.0
    names = [Path(image.name).name for image in (comparison.reference, comparison.candidate)]
    for row, values, title, style in (
        (rows[0], view.reference, f"reference: {names[0]}", ("inferno", 0.0, top, f"{unit}", FADE_SHARE)),
        (rows[1], view.candidate, f"candidate: {names[1]}", ("inferno", 0.0, top, f"{unit}", FADE_SHARE)),
        (rows[2], difference, "candidate − reference", ("RdBu_r", -limit, limit, f"difference ({unit})", 0.0)),
    ):
        _draw_row(row, view, values, title, style)
    save_figure(figure, path)


def plot_profiles(comparison, path, at_mm=None):
    """Draw both doses and their relative difference along three lines through a point; parameters as for the planes."""
    view = _orient(comparison, at_mm)
    figure = new_figure(PROFILES_INCHES)
    panels = figure.subplots(2, 3, sharex="col", height_ratios=(2.2, 1.0))
    names = [Path(image.name).name for image in (comparison.reference, comparison.candidate)]
    for axis in range(3):
        line = [slice(k, k + 1) for k in view.index[::-1]]
        line[2 - axis] = slice(None)
        line = tuple(line)
        _draw_profile(panels[:, axis], view, line, axis, names)
    panels[0, 0].set_ylabel(f"absorbed dose ({comparison.reference.unit})")
    panels[1, 0].set_ylabel("difference (%)")
    panels[0, 0].legend(fontsize=8)
    point = ", ".join(f"{c:.1f}" for c in view.grid.to_physical(view.index))
    figure.suptitle(f"Profiles through ({point}) mm", fontsize=11)
    save_figure(figure, path)


def plot_dvhs(histograms, path):
    """Draw cumulative and differential dose-volume histograms.

    Parameters
    ----------
    histograms : dict of name to tuple of Dvh
        Of each region: the reference (or only) one, drawn as a full line, then the candidate, dashed.
    path : str or Path
    """
    import matplotlib as mpl

    figure = new_figure(DVH_INCHES)
    cumulative, differential = figure.subplots(1, 2)
    colours = mpl.colormaps["tab20" if len(histograms) > 10 else "tab10"].colors
    shown = list(histograms.items())[:MOST_CURVES]
    top = max(dvh.maximum for _, dvhs in shown for dvh in dvhs) or 1.0
    doses, edges = np.linspace(0, top, 1001), np.linspace(0, top, 101)
    highest = 0.0
    for (name, dvhs), colour in zip(shown, colours):
        for dvh, style in zip(dvhs, ("-", "--")):
            cumulative.plot(*dvh.cumulative(doses), style, color=colour, lw=1.5, label=name if style == "-" else None)
            density = dvh.differential(edges)[1] / np.diff(edges)
            differential.stairs(density, edges, baseline=None, color=colour, ls=style, lw=1.2)
            highest = max(highest, float(density[1:].max()))
    first = shown[0][1][0]
    cumulative.set(ylabel=f"{first.weighting} receiving at least this (%)", ylim=(0, 102), title="cumulative")
    differential.set(ylabel=f"{first.weighting} per dose (% per {first.unit})", title="differential")
    differential.set_ylim(0, 1.1 * highest or None)  # the first bin, of hardly any dose, may leave the picture
    for axes in (cumulative, differential):
        axes.set_xlabel(f"absorbed dose ({first.unit})")
        axes.set_xlim(0, None)
        axes.grid(alpha=0.3)
    if any(len(dvhs) > 1 for dvhs in histograms.values()):
        cumulative.plot([], [], "-", color="0.4", label="reference")
        cumulative.plot([], [], "--", color="0.4", label="candidate")
    cumulative.legend(fontsize=8)
    if len(histograms) > MOST_CURVES:
        figure.suptitle(f"the first {MOST_CURVES} of {len(histograms)} regions", fontsize=9)
    save_figure(figure, path)


def _orient(comparison, at_mm):
    grid = comparison.reference.grid

    def turned(values):
        if values is None:
            return None
        return array_of(sitk.DICOMOrient(to_image(np.asarray(values, float), grid), "LPS"))

    if at_mm is None:
        inside = np.any(list(comparison.masks.values()), axis=0) & np.isfinite(comparison.reference.gy)
        best = np.where(inside, comparison.reference.gy, -np.inf).argmax()
        at_mm = grid.to_physical(np.unravel_index(int(best), grid.shape)[::-1])
    reference, candidate = comparison.reference, comparison.candidate
    turned_grid = grid_of(sitk.DICOMOrient(to_image(np.zeros(grid.shape, np.uint8), grid), "LPS"))
    return _View(
        turned(reference.gy),
        turned(candidate.gy),
        turned(reference.standard_deviation),
        turned(candidate.standard_deviation),
        turned(reference.density_g_cm3),
        turned_grid,
        turned_grid.voxel_of(at_mm)[::-1],
    )


def _draw_row(figure, view, values, title, style):
    """Three planes of one quantity over the density."""
    import matplotlib as mpl
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    colours, low, high, label, fade = style
    scale, colours = Normalize(low, high), mpl.colormaps[colours]
    lengths = [n * s for n, s in zip(view.grid.size_xyz, view.grid.spacing_mm)]
    axes = figure.subplots(1, 3, width_ratios=[lengths[plane[1]] for plane in PLANES])
    point = view.grid.to_physical(view.index)
    for ax, (name, across, up, upwards, sides) in zip(axes, PLANES):
        normal = 3 - across - up
        extent = (0.0, lengths[across], *((0.0, lengths[up]) if upwards else (lengths[up], 0.0)))
        place = {"extent": extent, "origin": "lower" if upwards else "upper", "interpolation": "nearest"}
        plane = plane_of(values, normal, view.index[normal])
        picture = colours(scale(np.nan_to_num(plane)))
        picture[..., 3] = np.isfinite(plane)
        if fade and view.density is not None:
            window = dict(zip(("vmin", "vmax"), DENSITY_WINDOW))
            ax.imshow(plane_of(view.density, normal, view.index[normal]), cmap="gray", **window, **place)
            picture[..., 3] = OPACITY * np.clip(np.nan_to_num(plane) / (fade * high), 0.0, 1.0)
        ax.imshow(picture, **place)
        for line, k in ((ax.axvline, across), (ax.axhline, up)):
            line((view.index[k] + 0.5) * view.grid.spacing_mm[k], color="0.5", lw=0.5, alpha=0.7)
        label_sides(ax, sides, view.grid)
        ax.set_title(f"{name},  {'xyz'[normal]} = {point[normal]:.1f} mm", fontsize=8)
        ax.set_aspect("equal")
        ax.tick_params(labelsize=7)
    figure.suptitle(title, fontsize=10)
    bar = figure.colorbar(ScalarMappable(scale, colours), ax=axes, pad=0.01, extend="both" if low < 0 else "max")
    bar.set_label(label)


def _draw_profile(panels, view, line, axis, names):
    """One line: both doses with their uncertainty above, the relative difference below."""
    upper, lower = panels
    spacing = view.grid.spacing_mm[axis]
    edges = (np.arange(view.grid.size_xyz[axis] + 1) - view.index[axis] - 0.5) * spacing
    centres = (edges[1:] + edges[:-1]) / 2
    reference, candidate = (np.nan_to_num(values[line].ravel()) for values in (view.reference, view.candidate))
    spreads = [None if sd is None else sd[line].ravel() for sd in (view.reference_sd, view.candidate_sd)]
    for values, sd, colour, name in (
        (reference, spreads[0], "black", f"reference: {names[0]}"),
        (candidate, spreads[1], "tab:red", f"candidate: {names[1]}"),
    ):
        if sd is not None:
            low, high = np.maximum(values - sd, 0), values + sd
            upper.stairs(high, edges, baseline=low, fill=True, color=colour, alpha=0.25, lw=0)
        upper.stairs(values, edges, baseline=None, color=colour, lw=1.2, label=name)
    judged = reference > JUDGED_SHARE * reference.max(initial=0.0)
    percent = np.full(reference.size, np.nan)
    percent[judged] = 100 * (candidate[judged] / reference[judged] - 1)
    variance = sum((np.nan_to_num(sd) ** 2 for sd in spreads if sd is not None), np.zeros(reference.size))
    bars = np.where(judged, 100 * np.sqrt(variance) / np.where(judged, reference, 1.0), 0.0)
    lower.axhline(0.0, color="0.6", lw=0.8)
    lower.errorbar(centres, percent, bars, fmt=".", color="tab:red", ms=4, lw=0.8)
    reach = float(np.nanmax(np.abs(percent), initial=0.0))
    lower.set_ylim(*(np.array([-1, 1]) * min(max(1.1 * reach, 2.0), PROFILE_LIMIT)))
    low, high = ENDS[axis]
    lower.set_xlabel(f"distance from the point (mm):  {low}  ←   →  {high}", fontsize=8)
    shown = np.flatnonzero(np.maximum(reference, candidate) > 0)
    if shown.size:
        upper.set_xlim(edges[shown[0]], edges[shown[-1] + 1])
    upper.set_ylim(0, None)
    for ax in panels:
        ax.grid(alpha=0.3)
