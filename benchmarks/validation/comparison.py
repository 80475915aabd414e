"""Ours against a reference, point by point, and the verdict."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

ALLOWED_SIGMAS = 3.0  # combined standard deviations on top of the tolerance
ARRAYS = ("x", "ours", "ours_sigma", "reference", "reference_sigma", "tolerance")


class Row(NamedTuple):
    """One judged point; `difference`, `sigma` and `tolerance` are fractions."""

    label: str
    name: str
    reference: float
    ours: float
    difference: float
    sigma: float
    tolerance: float
    passed: bool

    @property
    def allowance_used(self):
        """|difference| over what is allowed; above 1 the row fails."""
        limit = self.tolerance + ALLOWED_SIGMAS * self.sigma
        if self.difference == 0:
            return 0.0
        return abs(self.difference) / limit if limit > 0 and np.isfinite(self.difference) else np.inf


@dataclass(frozen=True, eq=False)
class Comparison:
    """A curve or a list of figures: ours, the reference, and how much they may differ.

    Parameters
    ----------
    label : str
        What the points have in common.
    names : sequence of str, length n
        What each point is.
    x : array, shape (n,)
        Where each point is plotted.
    ours, ours_sigma, reference, reference_sigma : array, shape (n,)
        Values and their standard deviations, all in the same unit.
    tolerance : array, shape (n,) or float
        As a fraction; NaN where a point is shown and not judged.
    relative : bool
        Differences are fractions of the reference; otherwise the values are fractions themselves and are subtracted.

    Raises
    ------
    ValueError
        If lengths differ, or a reference that differences are relative to is not above zero.
    """

    label: str
    names: tuple
    x: np.ndarray
    ours: np.ndarray
    ours_sigma: np.ndarray
    reference: np.ndarray
    reference_sigma: np.ndarray
    tolerance: np.ndarray
    relative: bool = True

    def __post_init__(self):
        object.__setattr__(self, "names", tuple(self.names))
        shape = (len(self.names),)
        for name in ARRAYS:
            values = np.asarray(getattr(self, name), float)
            if values.ndim and values.shape != shape:
                raise ValueError(f"{self.label}: {name} has shape {values.shape} for {shape[0]} names")
            object.__setattr__(self, name, np.broadcast_to(values, shape))
        if self.relative and not (self.reference > 0).all():
            raise ValueError(f"{self.label}: a reference is not above zero; compare absolutely or leave it out")

    @property
    def scale(self):
        """What differences are divided by."""
        return self.reference if self.relative else np.ones(len(self.names))

    @property
    def difference(self):
        """Ours minus reference, as a fraction."""
        return (self.ours - self.reference) / self.scale

    @property
    def sigma(self):
        """Combined standard deviation of `difference`."""
        return np.hypot(self.ours_sigma, self.reference_sigma) / self.scale

    @property
    def judged(self):
        """bool array: points that count."""
        return np.isfinite(self.tolerance)

    @property
    def passed(self):
        """bool array: within tolerance plus three standard deviations; False where ours is not a number."""
        return np.abs(self.difference) <= self.tolerance + ALLOWED_SIGMAS * self.sigma

    def rows(self):
        """The judged points as a list of Row."""
        columns = (self.reference, self.ours, self.difference, self.sigma, self.tolerance)
        return [
            Row(self.label, self.names[k], *(float(c[k]) for c in columns), bool(self.passed[k]))
            for k in np.flatnonzero(self.judged)
        ]


def worst(rows):
    """The row that uses most of its allowance."""
    return max(rows, key=lambda row: row.allowance_used)


def mean_difference(rows):
    """Mean difference and its standard deviation, rows taken as independent.

    The weights are 1/(sigma^2 + tolerance^2), so that neither noise nor rows of hardly any sigma rule it. Exact rows
    (sigma of zero) have none.
    """
    difference = np.array([row.difference for row in rows])
    sigma = np.array([row.sigma for row in rows])
    if not sigma.any():
        return np.nan, np.nan
    weight = 1.0 / (sigma**2 + np.array([row.tolerance for row in rows]) ** 2)
    weight /= weight.sum()
    return float((difference * weight).sum()), float(np.sqrt((sigma**2 * weight**2).sum()))
