"""Electron and positron transport against closed forms."""

import numpy as np
import pytest

from kernels_cuda import electron
from kernels_cuda.device import driver
from kernels_cuda.particles import ELECTRON, POSITRON, Waiting
from kernels_cuda.rng import Stream, uniforms
from kernels_cuda.tally import ESCAPED, N_COUNTERS, OVERFLOWS, UNITS_PER_MEV, Tally
from physics_data import bremsstrahlung, stopping
from physics_data.materials import material
from tests.transport import box, media, shoot, stacks

MASS = 0.51099895
WATER = material("water")
F = np.float32


@driver()
def _deflect(t, m, n, u):
    return np.array([electron.deflection(t, m, n, x) for x in u])


@pytest.mark.parametrize("energy", [2.0, 0.5, 0.1, 0.02])
@pytest.mark.parametrize("name", ["water", "cortical_bone"])
def test_deflections_have_the_moments_of_goudsmit_and_saunderson(energy, name):
    """<cos> = exp(-K1) and <P2> = exp(-K2) of the table as it is sampled, at the row of the main table."""
    from physics_data import scattering

    medium = material(name)
    t = media([medium], 2.5, positrons=False).electrons
    main = t.main.astype(float)
    row = int(np.argmin(np.abs(main[:, 0] - energy)))
    row -= row % int(t.main_rows / t.medium_rows)  # a row the medium's table has too
    u = ((np.arange(400_000) + 0.5) / 400_000).astype(F)
    mu = _deflect(t, 0, F(row / float(t.main_rows)), u).astype(float)
    g = scattering.moments(medium, main[row : row + 1, 0], 0.01, -1, 2)[0]
    k1, k2 = main[row, 3], main[row, 3] * g[2] / g[1]
    cosine = 1 - 2 * mu
    assert mu.mean() == pytest.approx((1 - np.exp(-k1)) / 2, rel=2e-3)
    assert (1 - (3 * cosine**2 - 1) / 2).mean() == pytest.approx(1 - np.exp(-k2), rel=4e-3)


@driver()
def _lose(which, e, cutoff, n):
    out = np.empty(n, F)
    zero = np.uint32(0)
    for h in range(n):
        stream = Stream(np.uint32(8), zero, np.uint32(h), zero, zero)
        r1, r2, _, _ = uniforms(stream, zero)
        if which == 0:
            out[h], _ = electron.moller_loss(e, cutoff, r1, r2, stream, np.uint32(1))
        else:
            out[h], _ = electron.bhabha_loss(e, cutoff, r1, r2, stream, np.uint32(1))
    return out


@pytest.mark.parametrize("charge", [-1, 1])
@pytest.mark.parametrize("energy", [0.03, 0.2, 1.0, 5.0])
def test_hard_collisions_lose_what_the_stopping_power_leaves_out(charge, energy):
    """Mean loss sampled = restricted-out energy / number of collisions, so nothing is counted twice or lost."""
    n = 400_000
    loss = _lose(0 if charge < 0 else 1, F(energy), F(0.01), n).astype(float)
    number, lost = stopping.hard_collisions(WATER, np.array([energy]), 0.01, charge)
    assert loss.min() >= 0.01 * (1 - 1e-5)
    assert loss.max() <= (energy / 2 if charge < 0 else energy) * (1 + 1e-5)
    assert loss.mean() == pytest.approx(lost[0] / number[0], abs=4 * loss.std() / np.sqrt(n))


def test_dipole_pattern():
    r = (np.arange(100_000) + 0.5) / 100_000
    c = np.array([electron.dipole_cosine(F(x)) for x in r[::20]], float)
    assert c.mean() == pytest.approx(0, abs=1e-3)
    assert (c**2).mean() == pytest.approx(0.4, abs=1e-3)  # of 3/8 (1 + c^2)


@driver()
def _photon_energies(t, n, e, u):
    return np.array([electron.photon_energy(t, 0, n, e, x) for x in u])


@pytest.mark.parametrize("row", [0, 96, 200])
def test_bremsstrahlung_photons_have_the_mean_energy_of_the_spectrum(row):
    t = media([WATER], 2.5, positrons=False).electrons
    energy = float(t.main[row, 0])
    u = ((np.arange(100_000) + 0.5) / 100_000).astype(F)
    k = _photon_energies(t, F(row / float(t.main_rows)), F(energy), u).astype(float)
    number, above = bremsstrahlung.restricted(WATER, np.array([energy]), 0.01)
    assert k.min() >= 0.01 * (1 - 1e-5)
    assert k.max() <= energy
    assert k.mean() == pytest.approx(above[0] / number[0], rel=0.005)


@driver()
def _annihilate(e, n, energy, counters, state, place, number, depth):
    out = np.empty((n, 8), F)
    zero, none = np.uint32(0), F(0)
    for h in range(n):
        stream = Stream(np.uint32(8), zero, np.uint32(h), zero, zero)
        waiting = Waiting(state, place, number, depth, stream, None)
        depth[:] = 0
        electron.annihilate_in_flight(
            waiting, Tally(energy, counters, None), 0, 0, 0, none, none, none, none, none, F(1), e, stream, zero
        )
        for k in range(2):
            out[h, 4 * k] = state[0, k, 6]
            out[h, 4 * k + 1 : 4 * k + 4] = state[0, k, 3:6]
    return out


@pytest.mark.parametrize("energy", [0.05, 0.6, 3.0])
def test_annihilation_in_flight_conserves_energy_and_momentum(energy):
    out = _annihilate(F(energy), 2000, np.zeros((1, 1, 1), np.int64), np.zeros(N_COUNTERS, np.int64), *stacks())
    out = out.astype(float)
    k = out[:, [0, 4]]
    momentum = k[:, :1] * out[:, 1:4] + k[:, 1:] * out[:, 5:8]
    assert k.sum(axis=1) == pytest.approx(energy + 2 * MASS, rel=1e-5)
    assert momentum[:, 2] == pytest.approx(np.sqrt(energy * (energy + 2 * MASS)), rel=1e-3)
    assert np.abs(momentum[:, :2]).max() < 2e-3 * k.max()


def transparent(tables):
    """Photons that never interact: what they carry is what escapes."""
    photons = tables.photons
    return tables._replace(photons=photons._replace(attenuation=photons.attenuation * 0, majorant=photons.majorant * 0))


def radiated(energy, cutoff):
    """Energy given to photons above the cut-off by an electron that slows down in water, and by its delta rays.

    Y(E) = int [above + int dsigma_Moller/dW Y(W) dW] / S dE, by quadrature from below.
    """
    e = np.geomspace(0.005, energy, 300)
    above = bremsstrahlung.restricted(WATER, e, cutoff)[1]
    total = stopping.collision(WATER, e) + stopping.radiative(WATER, e)
    slope, yield_ = np.zeros_like(e), np.zeros_like(e)
    for i in range(1, e.size):
        recoils = np.geomspace(1e-4, e[i] / 2, 200)
        numbers = np.array([stopping.hard_collisions(WATER, e[i : i + 1], w, -1)[0][0] for w in recoils[::10]])
        number = np.interp(np.log(recoils), np.log(recoils[::10]), numbers)
        inner = np.interp((recoils[1:] + recoils[:-1]) / 2, e[:i], yield_[:i], left=0.0)
        slope[i] = (above[i] + (inner * -np.diff(number)).sum()) / total[i]
        yield_[i] = yield_[i - 1] + (slope[i] + slope[i - 1]) / 2 * (e[i] - e[i - 1])
    return yield_[-1]


@pytest.mark.parametrize("voxel_cm", [0.05, 10.0])
def test_electrons_radiate_what_theory_says_followed_or_contained(voxel_cm):
    """Radiation yield above 10 keV: in small voxels from explicit events, in a large one from the end of the track."""
    n, energy = 150_000, 2.0
    tables = transparent(media([WATER], 2.1, voxel_cm=voxel_cm, positrons=False))
    grid = box((81, 81, 81) if voxel_cm < 1 else (1, 1, 1), (voxel_cm,) * 3)
    _, counters = shoot(tables, grid, ELECTRON, energy, n)
    share = counters[ESCAPED] / UNITS_PER_MEV / n / energy
    # spread of the radiated energy per electron is about 0.1 MeV
    assert share == pytest.approx(radiated(energy, 0.01) / energy, rel=0.02, abs=3 * 0.1 / energy / np.sqrt(n))


def test_a_positron_ends_in_two_photons():
    n = 20_000
    tables = transparent(media([WATER], 1.7))
    _, counters = shoot(tables, box((9, 9, 9), (0.3,) * 3), POSITRON, 0.25, n)
    escaped = counters[ESCAPED] / UNITS_PER_MEV / n
    # 2 mc^2, and the kinetic energy of the few per cent that annihilate in flight
    assert 2 * MASS <= escaped + 1e-6 < 2 * MASS + 0.02 * 0.25 + 0.002


def test_positrons_in_flight_annihilate_as_often_as_heitler_says():
    """Photons away from 511 keV carry kinetic energy: its mean is the integral of the in-flight cross section."""
    n, energy = 60_000, 1.0
    tables = transparent(media([WATER], 2.3, voxel_cm=0.1))
    photons = tables.electrons.medium.copy()
    photons[:, :, 3] = 0  # no bremsstrahlung, so that only annihilation escapes
    tables = tables._replace(electrons=tables.electrons._replace(medium=photons))
    _, counters = shoot(tables, box((41, 41, 41), (0.1,) * 3), POSITRON, energy, n)
    kinetic = counters[ESCAPED] / UNITS_PER_MEV / n - 2 * MASS
    e = np.geomspace(0.005, energy, 2000)
    rate = stopping.annihilation_in_flight(WATER, e) / (
        stopping.collision(WATER, e, 1) + stopping.radiative(WATER, e, 1)
    )
    later = np.r_[0, np.cumsum((rate[1:] + rate[:-1]) / 2 * np.diff(e))]
    survived = np.exp(-(later[-1] - later))
    expected = np.trapezoid(rate * survived * e, e)
    assert kinetic == pytest.approx(expected, rel=0.08)


@pytest.mark.parametrize("kind", [ELECTRON, POSITRON])
@pytest.mark.parametrize("energy", [0.003, 0.05, 1.0, 8.0])
def test_energy_is_conserved_to_the_unit(kind, energy):
    n = 3000
    tables = media([WATER], 9.1, voxel_cm=0.2)
    deposits, counters = shoot(tables, box((7, 7, 7), (0.2, 0.3, 0.1)), kind, energy, n)
    rest = 2 * round(MASS * UNITS_PER_MEV) if kind == POSITRON else 0
    emitted = n * (int(F(energy) * UNITS_PER_MEV + F(0.5)) + rest)
    deposited = round(deposits.sum() * UNITS_PER_MEV * energy * n)
    assert abs(deposited + counters[ESCAPED] - emitted) <= 4 * n  # float32 rounding of one emission, not of transport
    assert counters[OVERFLOWS] == 0


def test_scattered_electrons_stay_symmetric():
    """A beam along z: no preference in x or y, and equal in both."""
    tables = media([WATER], 1.1, voxel_cm=0.05, positrons=False)
    deposits, _ = shoot(tables, box((41, 41, 41), (0.05,) * 3), ELECTRON, 1.0, 20_000)
    x = np.arange(41) - 20
    spread = [deposits.sum(axis=tuple(k for k in range(3) if k != axis)) for axis in (1, 2)]
    rms = [np.sqrt((s * x * x).sum() / s.sum()) for s in spread]
    assert rms[0] == pytest.approx(rms[1], rel=0.02)
    for s in spread:
        assert abs((s * x).sum() / s.sum()) < 0.02 * rms[0]
