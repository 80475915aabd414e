"""Gamma index: closed forms, pymedphys, and the rules at edges."""

import numpy as np
import pytest

from mcdose.errors import InputError
from mcdose.gamma import LARGEST_GAMMA, LATTICE, GammaCriterion, gamma_index, pass_rate

SPACING = (2.0, 2.5, 3.0)  # mm (x, y, z)
# pymedphys 0.41.0, pymedphys.gamma(axes, reference, axes, evaluated, percent, mm, lower_percent_dose_cutoff=threshold,
# interp_fraction=10, max_gamma=2, local_gamma=local, interp_algo="scipy") on `two_blobs`: judged points, pass rate (%),
# mean gamma, and gamma at POINTS.
POINTS = ((12, 14, 13), (8, 10, 9), (16, 20, 18), (12, 10, 18))
PYMEDPHYS = (
    (GammaCriterion(3, 3, 10), 12088, 98.2131, 0.389364, (0.40665, 0.10054, 0.42295, 0.55554)),
    (GammaCriterion(2, 2, 10), 12088, 82.7184, 0.573975, (0.60435, 0.10628, 0.6321, 0.80351)),
    (GammaCriterion(3, 3, 10, True), 12088, 91.3551, 0.457700, (0.42104, 0.10137, 0.50001, 0.55903)),
    (GammaCriterion(1, 1, 20), 7872, 51.4101, 1.028258, (1.20769, 0.12394, 1.26183, 1.60565)),
    (GammaCriterion(2, 3, 5, True), 15248, 86.5491, 0.526350, (0.45378, 0.10306, 0.50003, 0.60007)),
)


@pytest.fixture(scope="module")
def two_blobs():
    """Reference and evaluated dose: a wide and a narrow Gaussian, moved, rescaled and sharpened a little."""
    z, y, x = np.meshgrid(
        *[(np.arange(n) - (n - 1) / 2) * s for n, s in zip((24, 28, 26), SPACING[::-1])], indexing="ij"
    )
    reference = 100 * np.exp(-(x**2 / 20**2 + y**2 / 18**2 + z**2 / 16**2) / 2)
    reference += 30 * np.exp(-((x - 12) ** 2 + (y + 8) ** 2 + z**2) / (2 * 5**2))
    evaluated = 102 * np.exp(-((x - 1.5) ** 2 / 20**2 + (y + 1) ** 2 / 18**2 + (z - 1.2) ** 2 / 17**2) / 2)
    evaluated += 33 * np.exp(-((x - 11) ** 2 + (y + 8) ** 2 + z**2) / (2 * 5**2))
    return reference, evaluated


@pytest.mark.parametrize(("criterion", "judged", "rate", "mean", "values"), PYMEDPHYS, ids=lambda v: str(v)[:12])
def test_agrees_with_pymedphys(two_blobs, criterion, judged, rate, mean, values):
    """Both search points a tenth of the distance apart; theirs lie on shells, ours on a lattice: a point's gamma can
    differ by half a step, 0.05. With 25 points per distance both pass rates of the local 3 %/3 mm case approach each
    other (92.9 and 93.5 %)."""
    gamma = gamma_index(*two_blobs, SPACING, criterion)
    assert np.isfinite(gamma).sum() == judged
    assert [gamma[p] for p in POINTS] == pytest.approx(values, abs=0.5 / LATTICE + 0.02)
    assert np.nanmean(gamma) == pytest.approx(mean, abs=0.02)
    assert pass_rate(gamma) == pytest.approx(rate, abs=2.5)


def test_search_passes_over_nothing(two_blobs):
    """The cells left out change nothing: every lattice point tried, for a few voxels."""
    reference, evaluated = two_blobs
    criterion = GammaCriterion(2, 3)
    gamma = gamma_index(reference, evaluated, SPACING, criterion)
    from scipy.ndimage import map_coordinates

    line = np.arange(-2 * LATTICE, 2 * LATTICE + 1) / LATTICE
    offsets = np.stack(np.meshgrid(line, line, line, indexing="ij"), axis=-1).reshape(-1, 3)
    for point in ((12, 14, 13), (10, 9, 8), (15, 13, 20), (12, 5, 13)):
        places = np.asarray(point) + offsets * criterion.distance_mm / np.asarray(SPACING[::-1])
        doses = map_coordinates(evaluated, places.T, order=1)
        off = (doses - reference[point]) / (0.02 * reference.max())
        assert gamma[point] == pytest.approx(min(np.sqrt((offsets**2).sum(axis=1) + off**2).min(), 2), abs=1e-5)


def test_shift_of_a_linear_gradient_has_a_closed_form():
    """D = g x evaluated with an offset e: gamma = (e / Delta) / sqrt(1 + (g d / Delta)^2), the distance from the point
    to a line in units of the criteria."""
    x = np.arange(60) * 2.0
    reference = np.broadcast_to(100 + x, (21, 21, 60)).copy()
    criterion = GammaCriterion(2, 3, 0)
    for offset in (1.0, 3.0, -5.0):
        gamma = gamma_index(reference, reference + offset, (2, 2, 2), criterion, normalisation=100.0)[10, 10, 30]
        slope = 1.0 * 3 / 2
        expected = abs(offset) / 2 / np.sqrt(1 + slope**2)
        assert expected - 1e-6 <= gamma <= np.hypot(expected, 0.5 / LATTICE * np.sqrt(1 + slope**2))


def test_uniform_doses_differ_by_dose_alone():
    flat = np.full((5, 5, 5), 50.0)
    assert gamma_index(flat, flat * 1.015, (3, 3, 3)) == pytest.approx(0.5)
    assert np.all(gamma_index(flat, flat * 2, (3, 3, 3)) == LARGEST_GAMMA)


def test_local_and_global_percentages():
    """A tenth of the maximum, 3 % too high: passes easily globally, just passes locally."""
    reference = np.full((3, 3, 3), 10.0)
    reference[0, 0, 0] = 100.0
    evaluated = reference * 1.03
    whole = gamma_index(reference, evaluated, (9, 9, 9), GammaCriterion(3, 3))
    local = gamma_index(reference, evaluated, (9, 9, 9), GammaCriterion(3, 3, local=True))
    assert whole[2, 2, 2] == pytest.approx(0.1, abs=1e-6)
    assert local[2, 2, 2] == pytest.approx(1.0, abs=1e-6)


def test_threshold_and_unknown_doses_are_not_judged():
    reference = np.full((4, 4, 4), 100.0)
    reference[0] = 9.9
    evaluated = reference.copy()
    evaluated[3] = np.nan
    gamma = gamma_index(reference, evaluated, (5, 5, 5))
    assert np.isnan(gamma[0]).all() and np.isnan(gamma[3]).all()
    assert np.all(gamma[1:3] == 0)
    assert pass_rate(gamma) == 100.0
    assert np.isnan(pass_rate(gamma, reference < 10))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda a: gamma_index(a, a[1:], (1, 1, 1)), "shapes"),
        (lambda a: gamma_index(a * 0, a, (1, 1, 1)), "nowhere above zero"),
        (lambda a: GammaCriterion(0, 3), "above zero"),
        (lambda a: GammaCriterion(3, 3, 100), "threshold"),
    ],
)
def test_what_cannot_be_compared_is_refused(call, words):
    with pytest.raises(InputError, match=words):
        call(np.ones((3, 3, 3)))
