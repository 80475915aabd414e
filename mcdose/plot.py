"""The figure of a result: three planes through a point and the depth profile along the body.

1. Dose and CT are turned into the standard patient orientation (x to the left, y to the back, z to the head), so that
   planes are shown as radiologists see them: the patient's right on the left of the page, head up.
2. The CT is sampled in physical space at its own resolution over the planes of the dose grid; without one, the
   phantom's density is shown.
3. Dose is laid over it in colour, transparent below a tenth of the colour scale, so that anatomy stays visible.
4. The profile runs through the point from feet to head, voxel by voxel, with a band of one standard deviation.
"""

from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk

from mcdose.dose import UNKNOWN
from mcdose.errors import InputError
from mcdose.files import atomic
from mcdose.grid import Grid
from mcdose.images import array_of, grid_of, to_image
from mcdose.phantom import in_body

CT_WINDOW_HU = (-900.0, 500.0)  # wide enough to see lung, liver and bone in one picture
DENSITY_WINDOW = (0.0, 1.6)  # g/cm3: the same tissues
AIR_HU = -1000.0
TOP_PERCENTILE = 99.99  # top of the colour scale, percentile of the dose in the body: spares it one noisy voxel
FADE_SHARE = 0.1  # dose below this share of the top fades into the CT
OPACITY = 0.72
FINEST_MM = 0.7  # the underlay is not sampled finer than this: a figure has no more pixels
PROFILE_FLOOR = 1e-4  # of the profile's maximum: the logarithmic axis ends here at the latest
CLEAR_DIRECTION = 0.99  # cosine above which an axis label (L, P, ...) stands without "about"
FIGURE_INCHES = (13.0, 8.2)
FIGURE_DPI = 140

# plane: (name, axis across the page, axis up the page, upwards?, labels left, right, top, bottom); axes x=0, y=1, z=2
PLANES = (
    ("axial", 0, 1, False, ("R", "L", "A", "P")),
    ("coronal", 0, 2, True, ("R", "L", "S", "I")),
    ("sagittal", 1, 2, True, ("A", "P", "S", "I")),
)


@dataclass(frozen=True)
class _View:
    """Everything in standard orientation; `index` (x, y, z) is the voxel that the planes go through."""

    dose: np.ndarray
    uncertainty: np.ndarray
    density: np.ndarray
    grid: Grid
    index: tuple
    underlay: np.ndarray
    underlay_grid: Grid
    window: tuple
    underlay_name: str


def plot_dose(dose, path, ct=None, at_mm=None, title=None):
    """Draw a result and write the figure.

    Parameters
    ----------
    dose : Dose
    path : str or Path
        Ends in .png, .pdf or .svg.
    ct : SimpleITK.Image, optional
        Shown under the dose; by default the density is.
    at_mm : tuple of float, optional
        Point (x, y, z) in mm, LPS, that the planes go through; by default the maximum of the dose.
    title : str, optional

    Raises
    ------
    InputError
        Point outside the grid, unknown suffix, folder not writable.
    """
    view = _orient(dose, ct, at_mm)
    figure = new_figure(FIGURE_INCHES)
    planes, profiles = figure.subfigures(2, 1, height_ratios=(1.0, 1.0))
    _draw_planes(planes, view, dose.unit)
    _draw_profile(profiles, view, dose.unit)
    figure.suptitle(title or _title(dose), fontsize=12)
    save_figure(figure, path)


def new_figure(inches):
    """An empty matplotlib figure (width, height in inches) that needs no screen."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=inches, dpi=FIGURE_DPI, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def save_figure(figure, path):
    """Write a figure as .png, .pdf or .svg, whole or not at all.

    Raises
    ------
    InputError
        Unknown suffix, folder not writable or disk full.
    """
    with atomic(path) as part:
        try:
            figure.savefig(part)
        except ValueError as error:
            raise InputError(f"{path}: not a figure format; choose .png, .pdf or .svg") from error


def _title(dose):
    rate = "/s" if dose.per_second else ""
    how = dose.settings.get("method", "").replace("_", " ")
    if dose.histories:
        share = 100 * dose.mean_uncertainty()
        how = f"{dose.histories:.3g} histories, mean uncertainty {share:.1f} % (1 sd, above half the maximum)"
    text = (
        f"{dose.settings.get('emission', '')}  absorbed dose{' rate' if dose.per_second else ''}:  "
        f"{dose.decays:.3g} decays{rate}, {how}"
    ).strip()
    return text if dose.complete else f"PARTIAL RESULT (interrupted) - {text}"


def _orient(dose, ct, at_mm):
    """Bring everything into the axes of the patient and find the voxel of the point."""
    image = sitk.DICOMOrient(dose.to_image(), "LPS")
    grid = grid_of(image)
    uncertainty, density = (
        array_of(sitk.DICOMOrient(to_image(a, dose.phantom.grid), "LPS"))
        for a in (dose.relative_uncertainty, dose.phantom.density_g_cm3)
    )
    if at_mm is None:
        z, y, x = dose.maximum_index
        at_mm = dose.phantom.grid.to_physical((x, y, z))
    index = grid.voxel_of(at_mm)[::-1]
    if ct is None:
        return _View(array_of(image), uncertainty, density, grid, index, density, grid, DENSITY_WINDOW, "density")
    fine = grid.respaced(tuple(min(s, max(c, FINEST_MM)) for s, c in zip(grid.spacing_mm, _finest(ct, grid))))
    return _View(array_of(image), uncertainty, density, grid, index, ct, fine, CT_WINDOW_HU, "CT")


def _finest(ct, grid):
    """Spacing (mm) of the CT along each axis of the grid that it is nearest to."""
    axes = np.abs(np.reshape(ct.GetDirection(), (3, 3)).T @ np.reshape(grid.direction, (3, 3))).argmax(axis=0)
    return [ct.GetSpacing()[k] for k in axes]


def _underlay_plane(view, normal):
    """The picture under one plane: [row, column] of the two other axes, in the order of the grid."""
    if not isinstance(view.underlay, sitk.Image):
        return plane_of(view.underlay, normal, view.index[normal])
    size, spacing = list(view.underlay_grid.size_xyz), list(view.underlay_grid.spacing_mm)
    first = view.grid.to_index(view.underlay_grid.origin_mm)
    size[normal], spacing[normal] = 1, view.grid.spacing_mm[normal]
    first[normal] = view.index[normal]
    direction = view.grid.direction
    origin = view.grid.to_physical(first).tolist()
    plane = sitk.Resample(
        view.underlay, size, sitk.Transform(), sitk.sitkLinear, origin, spacing, direction, AIR_HU, sitk.sitkFloat32
    )
    return plane_of(array_of(plane), normal, 0)


def plane_of(array, normal, index):
    """Slice of an array [z, y, x] across the physical axis `normal` (x=0, y=1, z=2)."""
    return np.take(array, index, axis=2 - normal)


def _draw_planes(figure, view, unit):
    import matplotlib as mpl
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    top = float(np.percentile(view.dose[in_body(view.density)], TOP_PERCENTILE)) or 1.0
    scale, colours = Normalize(0.0, top), mpl.colormaps["inferno"]
    lengths = [n * s for n, s in zip(view.grid.size_xyz, view.grid.spacing_mm)]
    axes = figure.subplots(1, 3, width_ratios=[lengths[p[1]] for p in PLANES])
    point = view.grid.to_physical(view.index)
    local = [(view.index[k] + 0.5) * view.grid.spacing_mm[k] for k in range(3)]
    for ax, (name, across, up, upwards, labels) in zip(axes, PLANES):
        normal = 3 - across - up
        extent = (0.0, lengths[across], 0.0, lengths[up]) if upwards else (0.0, lengths[across], lengths[up], 0.0)
        style = {"extent": extent, "origin": "lower" if upwards else "upper", "interpolation": "nearest"}
        low, high = view.window
        ax.imshow(_underlay_plane(view, normal), cmap="gray", vmin=low, vmax=high, **style)
        plane = plane_of(view.dose, normal, view.index[normal])
        picture = colours(scale(plane))
        picture[..., 3] = OPACITY * np.clip(plane / (FADE_SHARE * top), 0.0, 1.0)
        ax.imshow(picture, **style)
        ax.axvline(local[across], color="white", lw=0.5, alpha=0.6)
        ax.axhline(local[up], color="white", lw=0.5, alpha=0.6)
        label_sides(ax, labels, view.grid)
        ax.set_title(f"{name},  {'xyz'[normal]} = {point[normal]:.1f} mm", fontsize=10)
        ax.set_aspect("equal")
        ax.tick_params(labelsize=7)
        ax.set_xlabel("mm", fontsize=8, labelpad=1)
    bar = figure.colorbar(ScalarMappable(scale, colours), ax=axes, shrink=0.85, pad=0.01, extend="max")
    bar.set_label(f"absorbed dose{' rate' if '/' in unit else ''} ({unit}), over {view.underlay_name}")


def label_sides(ax, labels, grid):
    """Letters of the patient's sides at the edges of a plane."""
    from matplotlib.patheffects import withStroke

    about = "~" if np.abs(np.reshape(grid.direction, (3, 3))).max(axis=0).min() < CLEAR_DIRECTION else ""
    places = ((0.015, 0.5, "left", "center"), (0.985, 0.5, "right", "center"), (0.5, 0.985, "center", "top"))
    places += ((0.5, 0.015, "center", "bottom"),)
    for text, (x, y, ha, va) in zip(labels, places):
        letter = ax.text(x, y, about + text, transform=ax.transAxes, ha=ha, va=va, color="white", weight="bold")
        letter.set_path_effects([withStroke(linewidth=2.5, foreground="black")])  # readable on bone too


def _draw_profile(figure, view, unit):
    """Dose with its uncertainty, and density underneath, along the body axis through the point; linear and log."""
    x, y, z = view.index
    spacing = view.grid.spacing_mm[2]
    edges = (np.arange(view.grid.shape[0] + 1) - z - 0.5) * spacing
    dose, density = view.dose[:, y, x], view.density[:, y, x]
    band = dose * np.nan_to_num(view.uncertainty[:, y, x], nan=UNKNOWN)
    top = float((dose + band).max()) or 1.0
    floor = max(PROFILE_FLOOR * top, float(dose[dose > 0].min(initial=top)) / 2)
    panels = figure.subplots(2, 2, sharex=True, height_ratios=(2.6, 1.0))
    for (upper, lower), scale in zip(panels.T, ("linear", "log")):
        low, high = np.maximum(dose - band, 0.0), dose + band
        upper.stairs(high, edges, baseline=low, fill=True, color="tab:red", alpha=0.35, lw=0, label="± 1 sd")
        upper.stairs(dose, edges, baseline=None, color="tab:red", lw=1.3, label="dose")
        upper.set_yscale(scale)
        upper.set_ylim((0.0, 1.05 * top) if scale == "linear" else (floor, 2.0 * top))
        upper.set_ylabel(f"dose ({unit})")
        upper.axvline(0.0, color="0.6", lw=0.7, ls=":")
        upper.grid(alpha=0.3)
        lower.stairs(density, edges, fill=True, color="0.55")
        lower.set_ylim(0.0, 1.1 * float(density.max()))
        lower.set_ylabel("density (g/cm³)", fontsize=8)
        lower.set_xlabel("distance along the body from the point (mm):  feet  ←   →  head")
        lower.grid(alpha=0.3)
    panels[0, 0].legend(loc="best", fontsize=8)
    panels[0, 0].set_xlim(edges[0], edges[-1])
    point = ", ".join(f"{c:.1f}" for c in view.grid.to_physical(view.index))
    figure.suptitle(f"Profile through ({point}) mm", fontsize=10)
