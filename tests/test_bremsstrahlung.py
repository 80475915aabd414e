"""Bremsstrahlung: consistency with the radiative stopping power, shapes against limits and published spectra."""

import numpy as np
import pytest

from physics_data import bremsstrahlung, stopping
from physics_data.materials import Material, material

WATER, BONE = material("water"), material("cortical_bone")
OXYGEN, CALCIUM = (Material(symbol, 1.0, {symbol: 1.0}) for symbol in ("O", "Ca"))
# Mean k/T weighted with k d sigma/dk, from the spectra of Seltzer and Berger, ADNDT 35 (1986) 345 (rounded), and how
# far Born approximation may be off
SELTZER_BERGER_MEAN = [
    (OXYGEN, 0.01, 0.4486, 0.007),
    (OXYGEN, 0.1, 0.3673, 0.005),
    (OXYGEN, 1.0, 0.3038, 0.003),
    (OXYGEN, 3.0, 0.3206, 0.004),
    (CALCIUM, 0.01, 0.4765, 0.008),
    (CALCIUM, 0.1, 0.4064, 0.008),
    (CALCIUM, 1.0, 0.3234, 0.016),
]


@pytest.mark.parametrize("medium", [WATER, BONE])
@pytest.mark.parametrize("energy", [0.02, 0.3, 3.0])
def test_spectrum_carries_the_radiative_stopping_power(medium, energy):
    k = np.geomspace(1e-6 * energy, energy, 40001)
    spectrum = bremsstrahlung.energy_loss_spectrum(medium, energy, k)
    assert np.trapezoid(k**2 * spectrum, np.log(k)) == pytest.approx(stopping.radiative(medium, energy), rel=1e-4)


@pytest.mark.parametrize("cutoff", [0.001, 0.01, 0.1])
def test_production_above_a_threshold_is_the_integral_of_the_spectrum(cutoff):
    energies = np.array([0.15, 0.7, 3.5])
    production = bremsstrahlung.restricted(WATER, energies, cutoff)
    for energy, number, loss in zip(energies, production.number, production.energy_loss):
        k = np.geomspace(cutoff, energy, 40001)
        spectrum = bremsstrahlung.energy_loss_spectrum(WATER, energy, k)
        assert number == pytest.approx(np.trapezoid(k * spectrum, np.log(k)), rel=1e-6)
        assert loss == pytest.approx(np.trapezoid(k**2 * spectrum, np.log(k)), rel=1e-6)


def test_nothing_is_produced_below_the_threshold():
    production = bremsstrahlung.restricted(WATER, [0.001, 0.01, 0.011], 0.01)
    assert (production.number[:2] == 0).all() and (production.energy_loss[:2] == 0).all()
    assert 0 < production.energy_loss[2] < stopping.radiative(WATER, 0.011)
    assert bremsstrahlung.energy_loss_spectrum(WATER, 0.5, 0.6) == 0


@pytest.mark.parametrize(("medium", "energy", "expected", "tolerance"), SELTZER_BERGER_MEAN)
def test_mean_photon_energy_agrees_with_seltzer_and_berger(medium, energy, expected, tolerance):
    k = np.linspace(1e-4, 1, 2001) * energy
    spectrum = k * bremsstrahlung.energy_loss_spectrum(medium, energy, k)
    assert np.trapezoid(k * spectrum, k) / np.trapezoid(spectrum, k) / energy == pytest.approx(expected, rel=tolerance)


def test_mixture_adds_its_elements():
    hydrogen = Material("H", 1.0, {"H": 1.0})
    oxygen = Material("O", 1.0, {"O": 1.0})
    k = np.array([0.01, 0.1, 0.5, 0.9])
    apart = sum(
        weight * bremsstrahlung.energy_loss_spectrum(element, 1.0, k)
        for element, weight in zip((hydrogen, oxygen), WATER.weights)
    )
    np.testing.assert_allclose(bremsstrahlung.energy_loss_spectrum(WATER, 1.0, k), apart, rtol=2e-3)


def test_spectrum_falls_and_ends_above_zero():
    """Screening keeps it finite at k = 0, the Coulomb field keeps it above 0 at the tip."""
    k = np.linspace(1e-3, 0.999, 200)
    shape = k * bremsstrahlung.energy_loss_spectrum(BONE, 1.0, k)
    assert (np.diff(shape) < 0).all()
    assert shape[-1] > 0.01 * shape[0]


def test_impossible_energies_are_refused():
    with pytest.raises(ValueError, match="MeV"):
        bremsstrahlung.restricted(WATER, [1.0], 0.0)
