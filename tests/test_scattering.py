"""Elastic and soft inelastic scattering: Mott ratios, moments and their invariants."""

import time

import numpy as np
import pytest
from scipy.integrate import quad

from physics_data import scattering
from physics_data.materials import Material, material
from physics_data.stopping import AVOGADRO, ELECTRON_MASS_MEV, FINE_STRUCTURE, MOLLER_CM2_MEV, kinematics

WATER = material("water")
# Transport mean free path 1/G_1 in water, g/cm2, soft below 10 keV: an independent evaluation of the Born-Mott model
FIRST_TRANSPORT = [(0.1, 1.42e-2), (0.3, 9.01e-2), (1.0, 0.587), (2.0, 1.73), (3.0, 3.34)]
# First transport cross section, Born-Mott over an independent Dirac partial-wave calculation with the same form factors
BORN_OVER_PARTIAL_WAVES = [
    (8, 0.01, 0.991),
    (8, 0.03, 0.996),
    (8, 0.1, 0.9995),
    (20, 0.01, 1.067),
    (20, 0.03, 1.021),
    (20, 0.1, 1.009),
    (53, 0.03, 1.211),
    (53, 0.1, 1.091),
]


def born_mott(z, energy, x):
    """McKinley and Feshbach, Phys. Rev. 74 (1948) 1759: first two orders in alpha Z."""
    beta2 = kinematics(np.float64(energy)).beta2
    return 1 - beta2 * x**2 + np.pi * FINE_STRUCTURE * z * np.sqrt(beta2) * x * (1 - x)


@pytest.mark.parametrize("charge", [-1, 1])
@pytest.mark.parametrize("energy", [0.01, 0.3, 20.0])
def test_mott_ratio_of_hydrogen_is_that_of_second_born_approximation(energy, charge):
    x = np.linspace(0, 1, 50)
    expected = born_mott(-charge, energy, x)
    np.testing.assert_allclose(scattering.mott_ratio(1, energy, x, charge), expected, atol=3e-4)


def test_mott_ratio_of_heavy_elements():
    """Attraction raises, repulsion lowers the cross section at middle angles; backscattering vanishes as beta -> 1."""
    x = np.linspace(0, 1, 50)
    assert scattering.mott_ratio(79, 1.0, x).max() == pytest.approx(2.0, abs=0.2)
    assert (scattering.mott_ratio(79, 1.0, x[1:], 1) < 1).all()
    assert scattering.mott_ratio(6, 20.0, [1.0]) == pytest.approx(0, abs=2e-3)
    assert scattering.mott_ratio(50, 1.0, [0.0]) == 1


@pytest.mark.parametrize(("energy", "expected"), FIRST_TRANSPORT)
def test_first_transport_mean_free_path_of_water(energy, expected):
    moments = scattering.moments(WATER, [energy], 0.01)
    assert 1 / moments[0, 1] == pytest.approx(expected, rel=0.006)
    assert 2.4 < moments[0, 2] / moments[0, 1] < 2.9


@pytest.mark.parametrize(("z", "energy", "expected"), BORN_OVER_PARTIAL_WAVES)
def test_partial_waves_against_an_independent_calculation(z, energy, expected):
    assert born_over_partial_waves(z, energy, -1) == pytest.approx(expected, abs=0.006)


def born_over_partial_waves(z, energy, charge):
    mu = np.geomspace(1e-10, 1, 2000)
    weighted = scattering.elastic_cross_section(z, energy, mu, charge) * mu**2  # 2 mu d sigma/d mu per d ln mu
    ratio = scattering.partial_wave_ratio(z, energy, mu, charge)
    return (weighted / ratio).sum() / weighted.sum()


def test_second_order_has_the_sign_of_the_charge():
    """Repulsion keeps slow positrons off the nucleus: Born overestimates them more, and both less at high energy."""
    ratios = [[born_over_partial_waves(8, energy, charge) for energy in (0.01, 0.1, 5.0)] for charge in (-1, 1)]
    assert ratios[1][0] > 1.05 > ratios[0][0]
    assert ratios[1] == sorted(ratios[1], reverse=True)
    assert ratios[0][2] == pytest.approx(ratios[1][2], abs=1e-3)  # only even orders in alpha Z are left


def test_first_moments_agree_with_adaptive_quadrature():
    energy, cutoff = 0.3, 0.01
    oxygen = Material("O", 1.0, {"O": 1.0})
    limit = float(scattering.soft_limit_mu(energy, cutoff))

    def integrand(u, order):
        mu = np.exp(np.array([u]))
        elastic = scattering.elastic_cross_section(8, energy, mu)
        soft = scattering.inelastic_cross_section(8, energy, mu) if mu[0] < limit else 0.0
        weight = 2 * mu if order == 1 else 6 * mu * (1 - mu)
        return float((mu * weight * (elastic + soft))[0])

    moments = scattering.moments(oxygen, [energy], cutoff)[0]
    for order in (1, 2):
        value, _ = quad(
            integrand, np.log(1e-12), 0, args=(order,), points=[np.log(limit), -12.0], limit=500, epsrel=1e-6
        )
        assert moments[order] == pytest.approx(value * AVOGADRO / 15.9994, rel=3e-4)


def test_moments_grow_with_order_towards_the_total_cross_section():
    moments = scattering.moments(WATER, [0.05, 1.0], 0.01)
    assert moments.shape == (2, 401)
    assert (np.diff(moments[:, 1:], axis=1) > 0).all()
    assert (moments[:, -1] < moments[:, 0]).all()
    # small angles: 1 - P_l -> l (l + 1) mu, so G_2/G_1 < 3
    assert (moments[:, 2] < 3 * moments[:, 1]).all()


@pytest.mark.parametrize("energy", [0.1, 1.0])
def test_total_scattering_does_not_depend_on_the_threshold(energy):
    """What leaves the soft moments when the threshold falls comes back as explicit Moller deflections."""
    totals = []
    for cutoff in (0.002, 0.01):
        totals.append(scattering.moments(WATER, [energy], cutoff)[0, 1] + moller_first_moment(energy, cutoff))
    assert totals[0] == pytest.approx(totals[1], rel=1e-3)


def moller_first_moment(e, cutoff):
    """Integral of 1 - cos theta of the primary over Moller collisions above a threshold, cm2/g."""
    tau, beta2, gamma = kinematics(np.float64(e))

    def integrand(u):
        w = np.exp(u)
        cross = 1 / w**2 + 1 / (e - w) ** 2 + (tau / gamma / e) ** 2 - (2 * tau + 1) / gamma**2 / (w * (e - w))
        cosine = np.sqrt((e - w) * (e + 2 * ELECTRON_MASS_MEV) / (e * (e - w + 2 * ELECTRON_MASS_MEV)))
        return w * cross * (1 - cosine)

    return WATER.electrons_per_gram * MOLLER_CM2_MEV / beta2 * quad(integrand, np.log(cutoff), np.log(e / 2))[0]


def test_positrons_scatter_less():
    for medium in (WATER, material("cortical_bone")):
        electron, positron = (scattering.moments(medium, [0.05, 0.5], 0.01, charge)[:, 1] for charge in (-1, 1))
        assert (positron < electron).all()


def test_elements_add_by_mass():
    energies = [0.02, 1.0]
    apart = sum(
        weight * scattering.moments(Material(symbol, 1.0, {symbol: 1.0}), energies, 0.01)
        for symbol, weight in WATER.mass_fractions.items()
    )
    np.testing.assert_allclose(scattering.moments(WATER, energies, 0.01), apart, rtol=1e-12)


def test_moments_of_a_curve_are_quick():
    """25 tissues of 12 elements at 48 energies within a second: transport tables are made in every run."""
    symbols = ["H", "C", "N", "O", "Na", "Mg", "P", "S", "Cl", "Ar", "K", "Ca"]
    energies = np.geomspace(0.0051, 3.5, 48)
    start = time.perf_counter()
    for i in range(25):
        fractions = np.roll(np.linspace(1, 2, 12) / 18, i)
        scattering.moments(Material(f"tissue {i}", 1.0, dict(zip(symbols, fractions))), energies, 0.0123)
    assert time.perf_counter() - start < 5  # 0.2 s on a quiet machine


def test_impossible_settings_are_refused():
    with pytest.raises(ValueError, match="MeV"):
        scattering.moments(WATER, [1.0], -0.01)
    with pytest.raises(ValueError, match="charge"):
        scattering.moments(WATER, [1.0], 0.01, charge=0)
    with pytest.raises(ValueError, match="lmax"):
        scattering.moments(WATER, [1.0], 0.01, lmax=0)
