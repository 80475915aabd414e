"""Local deposition: energies per decay, what is left out, and that the result is a Dose like any other."""

import numpy as np
import pytest

import mcdose
from mcdose.dose import J_PER_MEV

ELECTRON_MASS_MEV = 0.51099895


@pytest.fixture
def phantom():
    density = np.full((3, 4, 5), 1.0)
    density[0] = 0.26
    return mcdose.Phantom(density, np.zeros((3, 4, 5), int), [mcdose.material("water")], (2.0, 3.0, 4.0))


def _source(phantom, emission):
    return mcdose.Source(np.arange(60.0).reshape(phantom.shape), emission, phantom)


def test_electron_energy_stays_and_photons_leave(phantom):
    spectrum = mcdose.Spectrum.monoenergetic("electron", 0.3) + mcdose.Spectrum.lines("photon", [0.2], [0.5])
    dose = mcdose.local_deposition(phantom, _source(phantom, spectrum))
    np.testing.assert_allclose(dose.energy_mev, 0.3 * np.arange(60.0).reshape(3, 4, 5))
    assert dose.emitted_mev == pytest.approx(0.4 * dose.decays)
    assert dose.escaped_mev == pytest.approx(0.1 * dose.decays)
    everything = mcdose.local_deposition(phantom, _source(phantom, spectrum), photons=True)
    assert everything.escaped_mev == pytest.approx(0.0)
    assert everything.deposited_mev == pytest.approx(dose.emitted_mev)


def test_dose_is_energy_over_the_mass_of_the_voxel(phantom):
    dose = mcdose.local_deposition(phantom, _source(phantom, mcdose.Spectrum.monoenergetic("electron", 1.0)))
    mass_kg = 0.26 * 0.024e-3
    assert dose.gy[0, 1, 2] == pytest.approx(7 * J_PER_MEV / mass_kg, rel=1e-6)


def test_positrons_keep_their_kinetic_energy_and_annihilate_elsewhere(phantom):
    source = _source(phantom, mcdose.Spectrum.monoenergetic("positron", 0.25))
    assert mcdose.local_deposition(phantom, source).deposited_mev == pytest.approx(0.25 * source.total_decays)
    whole = (0.25 + 2 * ELECTRON_MASS_MEV) * source.total_decays
    assert mcdose.local_deposition(phantom, source, photons=True).deposited_mev == pytest.approx(whole)


def test_photons_below_the_cutoff_are_local(phantom):
    source = _source(phantom, mcdose.Spectrum.lines("photon", [0.008, 0.1], [1.0, 1.0]))
    assert mcdose.local_deposition(phantom, source).deposited_mev == pytest.approx(0.008 * source.total_decays)
    lower = mcdose.local_deposition(phantom, source, photon_cutoff_mev=0.005)
    assert lower.deposited_mev == pytest.approx(0.0, abs=1e-9)


def test_agrees_with_monte_carlo_where_nothing_leaves_the_voxel():
    phantom = mcdose.Phantom.uniform(mcdose.material("water"), (3, 3, 3), 20.0)
    source = mcdose.Source.point((20, 20, 20), mcdose.Spectrum.monoenergetic("electron", 0.05), phantom)
    fast = mcdose.local_deposition(phantom, source)
    full = mcdose.monte_carlo(phantom, source, histories=2000)
    assert full.deposited_mev == pytest.approx(fast.deposited_mev, rel=1e-3)  # a little bremsstrahlung escapes


def test_result_describes_itself_saves_and_loads(phantom, tmp_path):
    dose = mcdose.local_deposition(phantom, _source(phantom, "Lu-177"))
    text = dose.describe()
    assert "local deposition" in text
    assert "histories" not in text
    assert "not placed" in text
    assert np.nanmax(dose.relative_uncertainty) == 0.0
    dose.save(tmp_path / "ldm.h5")
    again = mcdose.Dose.load(tmp_path / "ldm.h5")
    np.testing.assert_array_equal(again.energy_mev, dose.energy_mev)
    assert again.settings == dose.settings


def test_cutoff_out_of_range_is_refused(phantom):
    with pytest.raises(mcdose.InputError, match="photon_cutoff_mev"):
        mcdose.local_deposition(phantom, _source(phantom, "Y-90"), photon_cutoff_mev=0.0)
