"""Dose-volume histograms."""

import copy

import numpy as np
import pytest

from mcdose.dose_image import DoseImage
from mcdose.dose_volume import Dvh, dvh
from mcdose.errors import InputError
from mcdose.grid import Grid


@pytest.fixture
def ramp():
    """1 to 1000 Gy in voxels of 1 cm3; the half with the higher dose is twice as dense."""
    gy = np.arange(1.0, 1001.0).reshape(10, 10, 10)
    return DoseImage(gy, Grid(gy.shape, 10.0), density_g_cm3=np.where(gy > 500, 2.0, 1.0), name="ramp")


def test_volume_figures_of_a_ramp(ramp):
    h = dvh(ramp, ramp.gy > 0, weighting="volume")
    assert (h.D(100), h.D95, h.D50, h.D2, h.D(0)) == (1, 51, 501, 981, 1000)
    assert (h.V(0), h.V(1), h.V(501), h.V20, h.V(1000.5)) == (100, 100, 50, 98.1, 0)
    assert (h.D2cc, h.D_cm3(5000), h.volume_cm3, h.mass_g) == (999, 1, 1000, 1500)
    assert h.mean == 500.5


def test_weighting_by_mass_gives_energy_over_mass(ramp):
    h = dvh(ramp, ramp.gy > 0)
    assert h.weighting == "mass"
    assert h.mean == pytest.approx((ramp.gy * ramp.density_g_cm3).sum() / ramp.density_g_cm3.sum())
    assert h.V(501) == pytest.approx(100 * 2 / 3)
    assert h.D50 == pytest.approx(626, abs=1)


def test_d_and_v_are_inverse(ramp):
    rng = np.random.default_rng(1)
    h = Dvh(np.sort(rng.gamma(2, 10, 777)), rng.random(777), "mass", 1.0, 1.0)
    for percent in (0.5, 2, 33, 50, 90, 99.9):
        assert h.V(h.D(percent)) >= percent - 1e-9
        assert h.V(np.nextafter(h.D(percent), np.inf)) < percent


def test_cumulative_is_the_sum_of_the_differential(ramp):
    h = dvh(ramp, ramp.gy > 300)
    edges, share = h.differential(64)
    assert share.sum() == pytest.approx(100)
    receiving = h.cumulative(edges[:-1])[1]
    assert receiving == pytest.approx(share[::-1].cumsum()[::-1])
    assert np.all(np.diff(h.cumulative()[1]) <= 0) and h.cumulative()[1][0] == 100


def test_what_it_says(ramp):
    h = dvh(ramp, ramp.gy > 0, weighting="volume", name="all")
    text = h.describe()
    assert "all: 1000 voxels, 1000 cm3, 1500 g; by volume" in text and "D95        51 Gy" in text
    assert copy.deepcopy(h).D95 == h.D95
    with pytest.raises(AttributeError, match="D95, D2cc"):
        _ = h.mode


def test_draws_itself(ramp, tmp_path):
    dvh(ramp, ramp.gy > 0).plot(tmp_path / "dvh.png")
    assert (tmp_path / "dvh.png").stat().st_size > 10_000


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda d: dvh(d, d.gy > 2000, name="heart"), "mask heart: no voxel"),
        (lambda d: dvh(d, d.gy > 0).D(101), "from 0 to 100"),
        (lambda d: dvh(d, d.gy > 0, weighting="number"), "mass or volume"),
        (lambda d: dvh(DoseImage(d.gy, d.grid), d.gy > 0, weighting="mass"), "no densities"),
        (lambda d: dvh(d, (d.gy > 0)[1:]), "shape"),
    ],
)
def test_impossible_requests_are_one_sentence(ramp, call, words):
    with pytest.raises(InputError, match=words) as error:
        call(ramp)
    assert "\n" not in str(error.value)
