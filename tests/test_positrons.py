"""Positrons seen from outside: annihilation at rest and in flight, and doses as the sum of their parts.

Expected in-flight annihilation: a positron of energy T annihilates at E with probability density
sigma(E)/S(E) exp(-int_E^T sigma/S dE'), sigma of Heitler (1954), S the total stopping power; its two photons share
E + 2 m as Heitler's spectrum says (written as in PENELOPE, Salvat 2019).
"""

import numpy as np
import pytest

import mcdose
from mcdose import Nuclide, Source, Spectrum
from physics_data import stopping

REST_MEV = 0.51099895
F18_POSITRONS = 0.9673  # per decay, ICRP-107
WATER = mcdose.material("water")
LONGEST_RANGE_MM = {"F-18": 2.4, "Ga-68": 9.2}  # CSDA, at the end points of 0.634 and 1.899 MeV
ESCAPE_MEV = (0.25, REST_MEV, 1.0, 1.8, 3.0)  # the escaping share is smooth in the energy


def central_point(phantom, emission):
    centre = [(n - 1) / 2 * s for n, s in zip(phantom.shape[::-1], phantom.spacing_mm)]
    return Source.point(centre, emission, phantom)


def central_voxel(phantom, emission):
    grid = np.zeros(phantom.shape)
    grid[tuple(n // 2 for n in phantom.shape)] = 1.0
    return Source(grid, emission, phantom)


def annihilation_photons(positrons):
    return Spectrum.lines("photon", [REST_MEV], [2 * positrons])


def repeated(phantom, source, observable, histories, seeds=6):
    """Mean of an observable of the dose over independent runs, and its standard error."""
    runs = [mcdose.monte_carlo(phantom, source, histories=histories, seed=s) for s in range(seeds)]
    values = np.array([observable(run) for run in runs])
    return values.mean(axis=0), values.std(axis=0, ddof=1) / np.sqrt(seeds)


def escaped(dose):
    return dose.escaped_mev


def in_flight(energy_mev, points=400):
    """Energies and probabilities of annihilation in flight in water of a positron that begins with `energy_mev`."""
    edges = np.geomspace(1e-3, energy_mev, points)
    middle, width = np.sqrt(edges[1:] * edges[:-1]), np.diff(edges)
    lost = stopping.collision(WATER, middle, 1) + stopping.radiative(WATER, middle, 1)
    depth = stopping.annihilation_in_flight(WATER, middle) / lost * width
    return middle, depth * np.exp(depth / 2 - np.cumsum(depth[::-1])[::-1])


def in_flight_energy(spectrum):
    """Kinetic energy per decay that positrons take into annihilation in flight, MeV."""
    (positrons,) = [c for c in spectrum.components if c.particle == "positron"]
    edges = np.linspace(positrons.energies_mev[0], positrons.energies_mev[-1], 60)
    number, energy = positrons.integrals(edges)
    at, chance = zip(*(in_flight(e / n) for n, e in zip(number, energy) if n > 0))
    return sum(n * np.sum(e * p) for n, e, p in zip(number[number > 0], at, chance))


def pair_escape(energy_mev, escape):
    """Energy that leaves with the two photons of a positron that annihilates at `energy_mev`."""
    gamma = energy_mev / REST_MEV + 1
    least = 1 / (gamma + 1 + np.sqrt(gamma**2 - 1))
    share = np.linspace(least, 1 - least, 801)

    def shape(z):
        return -((gamma + 1) ** 2) + (gamma**2 + 4 * gamma + 1) / z - 1 / z**2

    weight = shape(share) + shape(1 - share)
    photon = share * (energy_mev + 2 * REST_MEV)
    return 2 * np.average(photon * escape(photon), weights=weight)


def test_a_positron_at_rest_is_two_photons():
    """Without kinetic energy to speak of: the same energies deposited and escaped as two photons of 511 keV."""
    phantom = mcdose.Phantom.uniform(WATER, (7, 7, 7), 10.0)
    histories = 20_000
    positron = mcdose.monte_carlo(
        phantom, central_voxel(phantom, Spectrum.monoenergetic("positron", 0.002)), histories=histories
    )
    photons = mcdose.monte_carlo(
        phantom, central_voxel(phantom, annihilation_photons(1.0)), histories=2 * histories, seed=2
    )
    # In tally units: 2.4e-7 MeV each, the energy of a particle rounded to one.
    assert positron.emitted_mev == pytest.approx(2 * REST_MEV + 0.002, abs=1e-6)
    # A decay escapes with 1.022 MeV less what Compton scattering leaves: at most half of it in standard deviation.
    assert positron.escaped_mev == pytest.approx(photons.escaped_mev, abs=5 * REST_MEV * np.sqrt(2 / histories))
    shells = [np.s_[2:5, 2:5, 2:5], np.s_[:, :, :]]
    for shell in shells:
        assert positron.energy_mev[shell].sum() == pytest.approx(photons.energy_mev[shell].sum(), rel=0.04)


def test_annihilation_photons_of_f18_are_emitted_once():
    """Out of a 4 mm ball come 2 x 0.967 photons of 511 keV per decay, less the 1 % absorbed in it."""
    phantom = ball(radius_mm=4.0, voxel_mm=0.8)
    whole, error = repeated(phantom, central_point(phantom, "F-18"), escaped, 5_000)
    photons, other = repeated(phantom, central_point(phantom, annihilation_photons(F18_POSITRONS)), escaped, 5_000)
    raw = 2 * REST_MEV * F18_POSITRONS
    assert whole == pytest.approx(raw, rel=0.02)
    # Bremsstrahlung adds 0.1 % of the kinetic energy, in-flight annihilation its share.
    extra = in_flight_energy(Nuclide("F-18").spectrum)
    assert whole == pytest.approx(photons + extra, abs=4 * np.hypot(error, other) + 1e-3)


def ball(radius_mm, voxel_mm):
    """Water ball in next to nothing."""
    half = int(np.ceil(radius_mm / voxel_mm))
    z, y, x = np.indices((2 * half + 1,) * 3) - half
    density = np.where(x**2 + y**2 + z**2 <= (radius_mm / voxel_mm) ** 2, 1.0, 1e-6)
    return mcdose.Phantom(density, np.zeros(density.shape, int), [WATER], voxel_mm)


def check_annihilation_in_flight(energy_mev, histories):
    """The energy that escapes a 10 cm cube, against rest photons and in-flight photons with their own escape."""
    phantom = mcdose.Phantom.uniform(WATER, (11, 11, 11), 100 / 11)
    positrons, error = repeated(
        phantom, central_point(phantom, Spectrum.monoenergetic("positron", energy_mev)), escaped, histories
    )
    electrons, other = repeated(
        phantom, central_point(phantom, Spectrum.monoenergetic("electron", energy_mev)), escaped, histories // 2
    )
    fractions = [
        mcdose.monte_carlo(
            phantom, central_point(phantom, Spectrum.monoenergetic("photon", e)), histories=4 * histories
        ).escaped_mev
        / e
        for e in ESCAPE_MEV
    ]

    def escape(photon_mev):
        return np.interp(photon_mev, ESCAPE_MEV, fractions)

    at, chance = in_flight(energy_mev)
    at_rest = 2 * REST_MEV * escape(REST_MEV)
    flying = np.sum(chance * [pair_escape(e, escape) for e in at])
    measured = positrons - electrons - at_rest * (1 - chance.sum())
    # Photons that start off the centre escape a little more easily: by (r/R)^2/3 of what is absorbed, r about 0.65 of
    # the range, R about 6.2 cm. Positrons make 3 % less bremsstrahlung than electrons.
    displaced = (0.65 * stopping.csda_range(WATER, [energy_mev])[0] / 6.2) ** 2 / 3 * (2 * REST_MEV - at_rest)
    expected = flying + displaced - 0.03 * electrons
    noise = np.hypot(error, other) + at_rest * 0.4 / np.sqrt(4 * histories)
    excess = flying - at_rest * chance.sum()  # what in-flight annihilation changes
    assert excess > 8 * noise, "too few histories to tell"
    assert measured == pytest.approx(expected, abs=4 * noise + 0.01 * excess)
    return measured, expected, noise, excess


def test_annihilation_in_flight():
    check_annihilation_in_flight(3.0, histories=5_000)


# At 3 MeV so many histories would see what the formula leaves out: photons made off the centre fly outwards, which lets
# 0.0035 MeV more escape than it says (0.0005; 2 % of the energy annihilated in flight).
@pytest.mark.slow
@pytest.mark.parametrize("energy_mev", [1.0, 2.0])
def test_annihilation_in_flight_closely(energy_mev):
    check_annihilation_in_flight(energy_mev, histories=150_000)


def check_beyond_the_range(name, histories, seeds):
    """Dose beyond the longest positron range, against two photons of 511 keV for each positron."""
    phantom = mcdose.Phantom.uniform(WATER, (21, 21, 21), 10.0)
    z, y, x = np.indices(phantom.shape) - 10
    distance_mm = 10.0 * np.sqrt(x**2 + y**2 + z**2)
    shells = [(distance_mm >= a) & (distance_mm < b) for a, b in ((20, 50), (50, 80), (80, 180))]
    assert LONGEST_RANGE_MM[name] + 9 < 20  # the diagonal half of a voxel is 8.7 mm

    def energies(dose):
        return np.array([dose.energy_mev[shell].sum() for shell in shells])

    spectrum = Nuclide(name).spectrum
    number, kinetic = spectrum.yield_per_decay("positron"), spectrum.energy_mev("positron")
    ours, error = repeated(phantom, central_point(phantom, spectrum.select("beta")), energies, histories, seeds)
    photons, other = repeated(phantom, central_point(phantom, annihilation_photons(number)), energies, histories, seeds)
    ratio, noise = ours / photons, np.hypot(error / ours, other / photons)
    # The excess is the energy of in-flight annihilation (0.15 % for F-18, 1.4 % for Ga-68) and of bremsstrahlung
    # (the radiation yield of the mean energy), in photons that are absorbed about as those of 511 keV are. Soft
    # bremsstrahlung is absorbed sooner, photons that start off the centre later: by up to 0.7 %.
    at = kinetic / number * np.linspace(0.01, 1, 100)
    radiated = stopping.radiative(WATER, at, 1) / (stopping.collision(WATER, at, 1) + stopping.radiative(WATER, at, 1))
    excess = (in_flight_energy(spectrum) + kinetic * radiated.mean()) / (2 * REST_MEV * number)
    assert np.all(np.abs(ratio - 1 - excess) < 4.5 * noise + 0.007), (ratio, excess, noise)
    return ratio, excess, noise


def test_dose_beyond_the_range_is_that_of_the_annihilation_photons():
    check_beyond_the_range("Ga-68", histories=6_000, seeds=6)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["F-18", "Ga-68"])
def test_dose_beyond_the_range_closely(name):
    check_beyond_the_range(name, histories=150_000, seeds=8)


def check_components(name, histories):
    """Voxel S values: those of all emissions together, against the sum of their kinds run apart."""
    phantom = mcdose.Phantom.uniform(WATER, (7, 7, 7), 3.0)
    source = central_voxel(phantom, name)
    spectrum = source.spectrum
    whole = mcdose.monte_carlo(phantom, source, histories=histories)
    kinds = [kind for kind in ("beta", "photon", "electron") if spectrum.select(kind).components]
    parts = [
        mcdose.monte_carlo(phantom, source, histories=histories, seed=k + 2, emissions=[kind])
        for k, kind in enumerate(kinds)
    ]
    energy = sum(part.energy_mev for part in parts)
    sigma = np.sqrt(sum(np.nan_to_num(d.relative_uncertainty * d.energy_mev) ** 2 for d in (whole, *parts)))
    scored = sigma > 0
    deviation = (whole.energy_mev - energy)[scored] / sigma[scored]
    assert scored.mean() > 0.99
    assert np.mean(deviation**2) == pytest.approx(1, abs=0.35)
    assert abs(deviation[np.argmax(energy[scored])]) < 4.5  # the self dose
    assert whole.energy_mev.sum() == pytest.approx(energy.sum(), rel=0.02)
    emitted = sum(part.emitted_mev for part in parts)
    rest = 2 * REST_MEV * spectrum.yield_per_decay("positron")
    assert emitted == pytest.approx(spectrum.energy_mev() + rest, rel=0.02)
    assert parts[0].emitted_mev == pytest.approx(spectrum.select("beta").energy_mev() + rest, rel=0.01)
    return deviation


def test_components_add_up():
    check_components("Cu-64", histories=30_000)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["F-18", "Ga-68", "Cu-64", "I-124"])
def test_components_add_up_closely(name):
    check_components(name, histories=1_000_000)
