"""Every nuclide of the field runs, balances its energy exactly and emits the energy of its spectrum."""

import warnings

import numpy as np
import pytest

import mcdose
from physics_data.emissions import emission_table

NUCLIDES = (
    "C-11 N-13 O-15 F-18 P-32 Sc-44 Sc-47 Cu-64 Cu-67 Ga-67 Ga-68 Zr-89 Sr-89 Y-86 Y-90 Tc-99m In-111 I-123 I-124 "
    "I-125 I-131 Sm-153 Tb-161 Ho-166 Er-169 Lu-177 Re-186 Re-188 Au-198 At-211 Pb-212 Bi-213 Ra-223 Ac-225 Th-227"
).split()
ALPHA_CHAINS = ("At-211", "Pb-212", "Bi-213", "Ra-223", "Ac-225", "Th-227")
CASES = [(name, "equilibrium" if name in ALPHA_CHAINS else "none") for name in NUCLIDES]
ALONE = [(name, "none") for name in ALPHA_CHAINS]
REST_MEV = 0.51099895
DECAYS = 1e6
CUTOFF_MEV = 0.01


@pytest.fixture(scope="module")
def cube():
    return mcdose.Phantom.uniform(mcdose.material("water"), (7, 7, 7), 3.0)


def central(phantom, emission):
    grid = np.zeros(phantom.shape)
    grid[tuple(n // 2 for n in phantom.shape)] = DECAYS
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", mcdose.InputWarning)  # slow daughters: not at issue here
        return mcdose.Source(grid, emission, phantom)


def spread_mev(spectrum):
    """Standard deviation of the energy of an emitted particle (with two rest energies for a positron), MeV."""
    table = emission_table(spectrum, CUTOFF_MEV, CUTOFF_MEV)
    share = np.diff(table.cumulative)
    energy = (table.energy_low + table.energy_high) / 2 + np.where(table.particle == 2, 2 * REST_MEV, 0)
    within = (table.energy_high - table.energy_low) ** 2 / 12
    mean = np.sum(share * energy)
    return table.particles_per_decay, np.sqrt(np.sum(share * ((energy - mean) ** 2 + within)))


def check(phantom, name, daughters, histories, seed=1):
    source = central(phantom, mcdose.Nuclide(name, daughters=daughters))
    dose = mcdose.monte_carlo(phantom, source, histories=histories, seed=seed)
    # 1. Nothing is lost, to the last unit of the tally.
    assert dose.tally["emitted"] == dose.tally["deposited"] + dose.tally["escaped"]
    assert dose.settings["overflows"] == 0
    assert dose.emitted_mev == pytest.approx(dose.energy_mev.sum() + dose.escaped_mev, rel=1e-12)
    assert np.all(dose.energy_mev >= 0) and np.all(np.isfinite(dose.energy_mev))
    # 2. What is emitted is the spectrum: decays times its mean energy, and two rest energies for each positron.
    spectrum = source.spectrum
    expected = spectrum.energy_mev() + 2 * REST_MEV * spectrum.yield_per_decay("positron")
    number, sigma = spread_mev(spectrum)
    assert dose.emitted_mev / DECAYS == pytest.approx(expected, abs=5 * number * sigma / np.sqrt(histories) + 1e-6)
    return dose


@pytest.mark.parametrize(("name", "daughters"), CASES)
def test_energy_balance(cube, name, daughters):
    check(cube, name, daughters, histories=2_000)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "daughters"), CASES + ALONE)
def test_energy_balance_of_many_histories(cube, name, daughters):
    dose = check(cube, name, daughters, histories=400_000, seed=2)
    centre = tuple(n // 2 for n in cube.shape)
    assert dose.maximum_index == centre
    # 3. The dose is as symmetric as the cube: the six faces of the source voxel get the same.
    faces = [np.add(centre, step) for axis in np.eye(3, dtype=int) for step in (axis, -axis)]
    energy = np.array([dose.energy_mev[tuple(face)] for face in faces])
    sigma = np.array([dose.relative_uncertainty[tuple(face)] for face in faces]) * energy
    assert np.sum(((energy - energy.mean()) / sigma) ** 2) < 30  # chi-square of 5 degrees: 1.5e-5 beyond


@pytest.mark.parametrize("name", NUCLIDES)
def test_annihilation_photons_are_not_in_the_spectrum(name):
    """Positrons make them; what is left near 0.511 MeV are gammas of the nuclide (rare)."""
    spectrum = mcdose.Nuclide(name).spectrum
    positrons = spectrum.yield_per_decay("positron")
    photons = [c for c in spectrum.components if c.particle == "photon"]
    near = sum(c.yields[np.abs(c.energies_mev - REST_MEV) < 1e-4].sum() for c in photons)
    assert near <= 1e-3 * positrons
