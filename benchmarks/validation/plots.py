"""A case as a figure: ours over the reference, and the differences below with the band of the tolerance."""

import numpy as np

from mcdose.plot import new_figure, save_figure

PANEL_INCHES = (6.4, 4.6)
DIFFERENCES_INCHES = 2.6  # height of a panel that shows differences only
COLUMNS = 2
FEW_NAMES = 12  # so many points are named on the axis when they have no position of their own
HALF_SPAN = 2.0  # tolerances that the axis of the differences reaches to, unless a judged point lies beyond
LINEAR_TO = 2.0  # times that reach; where points lie farther out, the axis is logarithmic beyond it
STEP = 0.5  # between points that have names instead of positions, half
OURS, REFERENCE, FAILED, SHOWN = "tab:blue", "black", "tab:red", "0.65"


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
        _draw_differences(lower, comparison, named=not result.case.x_label)
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


def _draw_differences(ax, comparison, named):
    judged, passed = comparison.judged, comparison.passed
    x, difference, sigma = comparison.x, 100 * comparison.difference, 100 * comparison.sigma
    tolerance = 100 * comparison.tolerance
    _draw_band(ax, x[judged], tolerance[judged], STEP if named else 0.0)
    ax.axhline(0.0, color="0.4", lw=0.8)
    for where, colour, mark in ((~judged, SHOWN, "o"), (judged & passed, OURS, "o"), (judged & ~passed, FAILED, "X")):
        size = 3 if mark == "o" else 8
        ax.errorbar(x[where], difference[where], sigma[where], fmt=mark, ms=size, lw=0.9, color=colour)
    _set_span(ax, difference, sigma, tolerance, judged)
    ax.set_ylabel("difference (%)")
    ax.grid(alpha=0.3)


def _draw_band(ax, x, tolerance, beyond):
    """The band of the tolerance, constant about each point, to `beyond` the first and the last."""
    if not tolerance.any():
        return
    order = np.argsort(x, kind="stable")
    x, tolerance = x[order], tolerance[order]
    edges = np.concatenate([[x[0] - beyond], (x[1:] + x[:-1]) / 2, [x[-1] + beyond]])
    ax.stairs(tolerance, edges, baseline=-tolerance, fill=True, color="tab:green", alpha=0.18, lw=0)


def _set_span(ax, difference, sigma, tolerance, judged):
    """The axis holds every judged point with its error bar; beyond a few tolerances it goes on logarithmically."""
    if not judged.any():
        return
    widest = HALF_SPAN * np.nanmax(tolerance)
    reach = 1.15 * np.nan_to_num(np.abs(difference[judged]) + sigma[judged]).max()
    if widest and reach > LINEAR_TO * widest:
        ax.set_yscale("symlog", linthresh=widest, linscale=1.5)
        ax.yaxis.set_major_formatter("{x:g}")
    if reach or widest:
        ax.set_ylim(-max(reach, widest), max(reach, widest))


def _label_axis(ax, comparison, case):
    if case.x_label:
        ax.set_xlabel(case.x_label)
    elif len(comparison.names) <= FEW_NAMES:
        ax.set_xticks(comparison.x, comparison.names, rotation=20, ha="right", fontsize=7)
