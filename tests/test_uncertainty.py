"""The mean uncertainty of a region: gas left out, unscored voxels counted, the same in slabs of any size."""

import math

import numpy as np
import pytest

from mcdose import arrays
from mcdose.uncertainty import mean_uncertainty

SHAPE = (6, 4, 5)


@pytest.fixture
def result():
    """Energy, relative uncertainty and density: a hot plane of tissue, hotter gas, something unscored."""
    rng = np.random.default_rng(1)
    energy, density = 0.3 * rng.random(SHAPE), np.ones(SHAPE, np.float32)
    energy[3] = 1.0
    energy[5, 0, 0], density[5, 0, 0] = 0.9, 0.001  # 900 times the dose
    relative = np.full(SHAPE, 0.04, np.float32)
    relative[3, 0] = 0.02
    relative[3, 3, 4] = np.nan
    return energy, relative, density


def mean(result, mask=None):
    energy, relative, density = result
    return mean_uncertainty(energy.__getitem__, relative.__getitem__, density, mask)


@pytest.mark.parametrize("slab", [1, 45, 10**6])
def test_default_region_is_above_half_of_the_maximum_in_the_body(result, monkeypatch, slab):
    monkeypatch.setattr(arrays, "SLAB_VOXELS", slab)
    assert mean(result) == pytest.approx((5 * 0.02 + 14 * 0.04 + 1.0) / 20, rel=1e-6)


def test_a_mask_is_taken_as_it_is(result):
    mask = np.zeros(SHAPE, bool)
    mask[5, 0, 0] = mask[3, 0, 0] = True
    assert mean(result, mask) == pytest.approx(0.03, rel=1e-6)
    assert math.isnan(mean(result, np.zeros(SHAPE, bool)))


def test_nothing_but_gas_counts_as_the_body(result):
    energy, relative, _ = result
    energy[5, 0, 0] = 0.0
    gas = np.full(SHAPE, 0.001, np.float32)
    assert mean((energy, relative, gas)) == pytest.approx((5 * 0.02 + 14 * 0.04 + 1.0) / 20, rel=1e-6)
