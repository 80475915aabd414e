"""Figures as they are written in reports."""

import math

from benchmarks.validation.comparison import mean_difference, worst

CASE_HEADER = ("what", "point", "reference", "ours", "difference", "sigma", "tolerance", "verdict")
HEADLINE_HEADER = ("case", "rows", "worst difference", "its sigma", "its tolerance", "mean difference", "verdict")
RUN_HEADER = ("case", "histories", "transport (s)", "per second", "in all (s)")
FAIL = "FAIL"


def percent(value, signed=True):
    """A fraction in percent: differences and sigmas to 0.01 %."""
    if not math.isfinite(value):
        return "-"
    if value == 0:
        return "0"
    return f"{100 * value:+.2f} %" if signed else f"{100 * value:.2f} %"


def tolerance(value):
    """A tolerance in percent."""
    return f"{100 * value:g} %" if value else "0"


def verdict(passed):
    """One word, the failing one in capitals."""
    return "pass" if passed else FAIL


def worst_of(result):
    """The row that uses most of its allowance, in a few words."""
    row = worst(result.rows)
    return f"{percent(row.difference)} (sigma {percent(row.sigma, False)}, tolerance {tolerance(row.tolerance)})"


def headline_cells(result):
    """Cells of a case for `HEADLINE_HEADER`."""
    row = worst(result.rows)
    mean, deviation = mean_difference(result.rows)
    average = f"{percent(mean)} ± {percent(deviation, False)}" if math.isfinite(mean) else "-"
    figures = percent(row.difference), percent(row.sigma, False), tolerance(row.tolerance)
    return result.case.title, str(len(result.rows)), *figures, average, verdict(result.passed)


def row_cells(row):
    """Cells of a row for `CASE_HEADER`."""
    values = f"{row.reference:.4g}", f"{row.ours:.4g}"
    deviation = percent(row.difference), percent(row.sigma, False), tolerance(row.tolerance)
    return row.label, row.name, *values, *deviation, verdict(row.passed)


def run_cells(result):
    """Cells of a case for `RUN_HEADER`."""
    transport = sum(run.seconds for run in result.runs)
    rate = f"{result.histories / transport:,.0f}" if transport > 0 else "-"
    return result.case.title, f"{result.histories:,}", f"{transport:.1f}", rate, f"{result.seconds:.1f}"
