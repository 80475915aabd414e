"""The lung-liver study: its geometry, and the failures it is about, by sign and size."""

import numpy as np
import pytest

import mcdose
from benchmarks import lung_liver
from mcdose import demo


@pytest.fixture(scope="module")
def profile():
    return lung_liver.slab_profile("Y-90", histories=20_000, runs=4)


def test_one_column_summed_is_a_slab_without_sides():
    """Local deposition: the middle column's decays summed over a slice give the dose of a uniform slab."""
    phantom, decays = lung_liver.slab()
    dose = mcdose.local_deposition(phantom, mcdose.Source(decays, "Y-90", phantom)).gy.sum(axis=(1, 2))
    full = mcdose.local_deposition(phantom, mcdose.Source(1.0 * (phantom.density_g_cm3 > 1), "Y-90", phantom)).gy
    assert dose == pytest.approx(full[:, 20, 20])


def test_deep_in_the_liver_all_methods_agree(profile):
    """Within noise and photons; water kernels are 6 % high, as water is lighter than liver."""
    deep = (profile.depth_mm > -30) & (profile.depth_mm < -15)
    expectations = {"local deposition": 0.0, "VSV, local density": 0.0, "along rays": 0.0, "VSV, water": 6.0}
    for name, expected in expectations.items():
        assert np.mean(profile.percent(name)[deep]) == pytest.approx(expected, abs=1.5), name


def test_in_the_lung_they_fail_as_physics_says(profile):
    """Electrons fly four times as far as kernels of water let them: too little beyond a few millimetres, and with the
    local density far too much next to the face."""
    lung = (profile.depth_mm > 6) & (profile.depth_mm < 15)
    for name in lung_liver.METHODS.keys() - {"along rays"}:
        assert np.all(profile.percent(name)[lung] < -80), name
    rays = profile.percent("along rays")
    assert np.all(np.abs(rays[lung]) < 6 + 4 * profile.noise_percent[lung])
    first = np.argmax(profile.depth_mm > 0)
    assert profile.percent("VSV, local density")[first] > 150
    assert profile.percent("local deposition")[first - 1] > 30
    assert profile.reach_mm("local deposition", -1) < 8 < 15 < profile.reach_mm("local deposition", 1)


def test_regions_of_the_demonstration_do_not_overlap():
    phantom = mcdose.Phantom.from_ct(demo.images()[0])
    masks = lung_liver.demo_regions(phantom)
    names = ("liver", "tumour under the dome", "tumour, deep", "right lung", "left lung")
    assert np.max(sum(masks[name].astype(int) for name in names)) == 1
    lungs = masks["right lung"] | masks["left lung"]
    assert np.array_equal(lungs, masks["lung within 10 mm of liver"] | masks["lung beyond 10 mm"])
    volume = phantom.voxel_volume_cm3 * masks["tumour under the dome"].sum()
    assert volume == pytest.approx(4 / 3 * np.pi * 1.2**3, rel=0.05)
    assert phantom.density_g_cm3[masks["liver"]].mean() == pytest.approx(1.06, abs=0.02)
    assert phantom.density_g_cm3[lungs].mean() == pytest.approx(0.26, abs=0.02)
