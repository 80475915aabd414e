"""Voxel S values as a figure: over the distance, and in the plane through the source."""

import numpy as np

from mcdose.octant import offsets
from mcdose.plot import new_figure, save_figure
from mcdose.s_value_kernel import MGY_PER_MBQ_S

FIGURE_INCHES = (11.0, 4.6)
SHOWN_HALF = 10  # voxels of the plane on each side of the source, at most
FAINTEST = 1e-8  # of the self value


def plot_kernel(kernel, path):
    """Draw a kernel.

    Parameters
    ----------
    kernel : SValueKernel
    path : str or Path
        Ends in .png, .pdf or .svg.

    Raises
    ------
    InputError
        Unknown suffix, folder not writable or disk full.
    """
    figure = new_figure(FIGURE_INCHES)
    left, right = figure.subplots(1, 2, width_ratios=(1.3, 1.0))
    _draw_distance(left, kernel)
    _draw_plane(figure, right, kernel)
    size = " x ".join(f"{s:.4g}" for s in kernel.spacing_mm)
    figure.suptitle(f"{kernel.emission}, {kernel.medium} {kernel.density_g_cm3:.3g} g/cm³, voxels of {size} mm")
    save_figure(figure, path)


def _draw_distance(ax, kernel):
    spacing = np.array(kernel.spacing_mm)
    distance = np.sqrt((offsets(kernel.near_half, spacing) ** 2).sum(axis=-1)).ravel()
    values = kernel.near_gy.ravel() * MGY_PER_MBQ_S
    error = np.nan_to_num(kernel.relative_uncertainty.ravel()) * values
    shown = values > 0
    ax.errorbar(
        np.maximum(distance, 0.3 * spacing.min())[shown], values[shown], error[shown], fmt=".", ms=5, lw=1,
        label="voxel by voxel (the source voxel at the left edge)",
    )  # fmt: skip
    if kernel.tail is not None:
        radius_mm = 10 * kernel.tail.radii_cm
        beyond = radius_mm > spacing.min()
        ax.plot(radius_mm[beyond], kernel.tail.at(kernel.tail.radii_cm)[beyond] * MGY_PER_MBQ_S, lw=1, label="photons")
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_ylim(bottom=max(FAINTEST * values.max(), 0.3 * values[shown].min() if kernel.tail is None else 0.0))
    ax.set_xlabel("distance (mm)")
    ax.set_ylabel("S (mGy/(MBq s))")
    ax.grid(alpha=0.3, which="both")
    ax.legend(fontsize=8)


def _draw_plane(figure, ax, kernel):
    from matplotlib.colors import LogNorm

    half = [min(SHOWN_HALF, n) for n in np.maximum(kernel.extent(), kernel.near_half)]
    plane = kernel.array_gy((0, half[1], half[2]))[0] * MGY_PER_MBQ_S
    reach = [(n + 0.5) * s for n, s in zip((half[2], half[1]), kernel.spacing_mm[:2])]
    top = plane.max()
    low = max(plane[plane > 0].min(), FAINTEST * top)
    picture = ax.imshow(
        np.maximum(plane, low),
        norm=LogNorm(low, top),
        cmap="inferno",
        extent=(-reach[0], reach[0], -reach[1], reach[1]),
    )
    ax.set_xlabel("x (mm)")
    ax.set_ylabel("y (mm)")
    figure.colorbar(picture, ax=ax, shrink=0.85, label="S (mGy/(MBq s))")


def plot_point_kernel(kernel, path):
    """Draw a dose-point kernel: energy per distance, and the energy within a radius.

    Parameters
    ----------
    kernel : DosePointKernel
    path : str or Path
        Ends in .png, .pdf or .svg.

    Raises
    ------
    InputError
        Unknown suffix, folder not writable or disk full.
    """
    figure = new_figure(FIGURE_INCHES)
    left, right = figure.subplots(1, 2)
    edges = 10 * kernel.edges_cm
    density = kernel.energy_share / np.diff(edges)
    band = density * np.nan_to_num(kernel.relative_uncertainty)
    left.stairs(density + band, edges, baseline=density - band, fill=True, alpha=0.35, label="± 1 sd")
    left.stairs(density, edges, label="energy of a shell")
    left.set_ylabel("share of the emitted energy per mm")
    left.legend(fontsize=8)
    right.plot(edges, 100 * kernel.cumulative)
    right.set_ylabel("energy within (% of the emitted)")
    for ax in (left, right):
        ax.set_xlim(0.0, edges[-1])
        ax.set_ylim(bottom=0.0)
        ax.set_xlabel("distance (mm)")
        ax.grid(alpha=0.3)
    figure.suptitle(f"{kernel.emission}, point source in {kernel.medium} {kernel.density_g_cm3:.3g} g/cm³")
    save_figure(figure, path)
