"""A case as a figure: ours over the reference, and the differences below with the band of the tolerance."""

import numpy as np

from mcdose.plot import new_figure, save_figure

PANEL_INCHES = (6.4, 4.6)
DIFFERENCES_INCHES = 2.6  # height of a panel that shows differences only
COLUMNS = 2
FEW_NAMES = 12  # so many points are named on the axis when they have no position of their own
HALF_SPAN = 2.0  # tolerances that the axis of the differences reaches to, unless a judged point lies beyond
OURS, REFERENCE, FAILED = "tab:red", "black", "tab:purple"


def plot_case(result, path):
    """Draw a case.

    Parameters
    ----------
    result : CaseResult
    path : str or Path
        Ends in .png, .pdf or .svg.
    """
    comparisons = result.comparisons
    columns = min(len(comparisons), COLUMNS)
    rows = -(-len(comparisons) // columns)
    overlay = bool(result.case.y_label)
    height = PANEL_INCHES[1] if overlay else DIFFERENCES_INCHES
    figure = new_figure((PANEL_INCHES[0] * columns, height * rows))
    parts = np.ravel(figure.subfigures(rows, columns, squeeze=False))
    for part, comparison in zip(parts, comparisons):
        if overlay:
            upper, lower = part.subplots(2, 1, sharex=True, height_ratios=(2.0, 1.0))
            _draw_values(upper, comparison, result.case)
        else:
            upper = lower = part.subplots()
        upper.set_title(comparison.label, fontsize=10)
        _draw_differences(lower, comparison)
        _label_axis(lower, comparison, result.case)
    figure.suptitle(result.case.title)
    save_figure(figure, path)


def _draw_values(ax, comparison, case):
    x = comparison.x
    order = np.argsort(x, kind="stable")
    style = {"fmt": "o", "ms": 3.5, "mfc": "none", "color": REFERENCE, "lw": 0.8}
    ax.errorbar(x, comparison.reference, comparison.reference_sigma, **style, label="reference")
    ax.plot(x[order], comparison.ours[order], color=OURS, lw=1.2, label="mcdose")
    if case.logarithmic:
        ax.set_yscale("log")
    else:
        ax.set_ylim(bottom=0.0)
    ax.set_ylabel(case.y_label)
    ax.grid(alpha=0.3)
    ax.legend(fontsize=8)


def _draw_differences(ax, comparison):
    judged, passed = comparison.judged, comparison.passed
    x, difference, sigma = comparison.x, 100 * comparison.difference, 100 * comparison.sigma
    tolerance = 100 * comparison.tolerance
    _draw_band(ax, x[judged], tolerance[judged])
    ax.axhline(0.0, color="0.4", lw=0.8)
    for where, colour in ((judged & passed, OURS), (judged & ~passed, FAILED), (~judged, "0.65")):
        ax.errorbar(x[where], difference[where], sigma[where], fmt="o", ms=3, lw=0.9, color=colour)
    limit = _limit(difference, sigma, tolerance, judged)
    if limit:
        ax.set_ylim(-limit, limit)
    ax.set_ylabel("difference (%)")
    ax.grid(alpha=0.3)


def _draw_band(ax, x, tolerance):
    """The band of the tolerance, constant about each point."""
    order = np.argsort(x, kind="stable")
    x, tolerance = x[order], tolerance[order]
    if not tolerance.any():
        return
    style = {"color": "tab:green", "alpha": 0.18, "lw": 0}
    if len(x) == 1:
        ax.axhspan(-tolerance[0], tolerance[0], **style)
        return
    middle = (x[1:] + x[:-1]) / 2
    edges = np.concatenate([[2 * x[0] - middle[0]], middle, [2 * x[-1] - middle[-1]]])
    ax.stairs(tolerance, edges, baseline=-tolerance, fill=True, **style)


def _limit(difference, sigma, tolerance, judged):
    """Half the span of the differences' axis: every judged point and its error bar, noise of the others cut off."""
    if not judged.any():
        return 0.0
    reach = np.nan_to_num(np.abs(difference[judged]) + sigma[judged])
    return float(max(1.15 * reach.max(), HALF_SPAN * np.nanmax(tolerance)))


def _label_axis(ax, comparison, case):
    if case.x_label:
        ax.set_xlabel(case.x_label)
    elif len(comparison.names) <= FEW_NAMES:
        ax.set_xticks(comparison.x, comparison.names, rotation=20, ha="right", fontsize=7)
