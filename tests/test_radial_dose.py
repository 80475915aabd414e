"""Shells, their smooth curve, and means over pairs of voxels, against a known kernel exp(-mu r)/r^2."""

import numpy as np
import pytest

from mcdose.octant import Octant, fold, offsets
from mcdose.radial_dose import J_PER_MEV_KG_PER_G, RadialDose, Shells, pair_means, shells, smooth

MU_PER_CM = 0.12


def _dose(radius):
    return 1e-12 * np.exp(-MU_PER_CM * radius) / radius**2


@pytest.mark.parametrize("point_source", [True, False])
@pytest.mark.parametrize("offset", [(0.8, 0.0, 0.0), (0.8, 0.4, 0.3), (2.0, 1.2, 3.0), (8.0, 0.0, 0.3)])
def test_pair_means_against_random_points(point_source, offset):
    spacing = np.array([0.4, 0.4, 0.3])
    random = np.random.default_rng(2)
    points = random.random((400_000, 3)) - 0.5
    if not point_source:
        points = points - (random.random((400_000, 3)) - 0.5)
    values = _dose(np.sqrt(((offset + points * spacing) ** 2).sum(axis=1)))
    mean = pair_means(_dose, np.array([offset]), spacing, point_source)[0]
    assert mean == pytest.approx(values.mean(), rel=1e-3, abs=4 * values.std() / np.sqrt(400_000))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_shells_of_noisy_voxels_give_the_curve_back(seed):
    spacing, half = np.array([0.4, 0.4, 0.6]), (20, 25, 25)
    at = offsets(half, spacing)
    at_source = (at == 0).all(axis=-1)
    gy = np.where(at_source, 1.0, pair_means(_dose, np.where(at_source[..., None], spacing, at), spacing, False))
    mev = gy * 0.096 / J_PER_MEV_KG_PER_G  # of a voxel of 0.096 g
    noise = np.random.default_rng(seed).normal(size=mev.shape)
    count = fold(np.ones([2 * n + 1 for n in half]), np.zeros([2 * n + 1 for n in half])).count
    octant = Octant(mev * (1 + 0.1 * noise / np.sqrt(count)), (0.1 * mev) ** 2 * count, count)
    radius = np.sqrt((at**2).sum(axis=-1))
    found = shells(octant, at, (radius > 0.8) & (radius < 9), spacing, 0.096, False)
    curve = smooth([found], 30.0)
    inside = np.linspace(1.0, 9.0, 50)
    assert np.abs(curve.at(inside) / _dose(inside) - 1).max() < 0.02  # a shell alone has up to 3 %
    assert abs((curve.at(inside) / _dose(inside) - 1).mean()) < 0.004
    assert curve.at(20.0) == pytest.approx(_dose(20.0), rel=0.25)  # extrapolated
    assert curve.at(31.0) == 0.0


def test_energy_beyond_a_radius():
    radii = np.geomspace(0.01, 60, 1000)
    curve = RadialDose(radii, _dose(radii) * radii**2, np.zeros(1000))
    for radius in (0.0, 1.0, 10.0):
        exact = 4 * np.pi * 1e-12 * (np.exp(-MU_PER_CM * radius) - np.exp(-MU_PER_CM * 60)) / MU_PER_CM
        assert curve.energy_beyond(radius, 1.0) * J_PER_MEV_KG_PER_G == pytest.approx(exact, rel=2e-3)
    half = 0.5 * curve.energy_beyond(0.0, 1.0)
    assert curve.energy_beyond(curve.radius_with_beyond(half, 1.0), 1.0) == pytest.approx(half, rel=1e-2)


def test_too_little_dose_has_no_curve():
    assert smooth([Shells(np.ones(3), np.ones(3), np.full(3, 0.1))], 10.0) is None
    assert smooth([Shells(*np.ones((3, 50)))], 10.0) is None  # uncertainties of 100 %
