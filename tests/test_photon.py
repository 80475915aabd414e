"""Photon transport against closed forms."""

import numpy as np
import pytest

from kernels_cuda import photon
from kernels_cuda.device import driver
from kernels_cuda.particles import PHOTON, POSITRON, Waiting
from kernels_cuda.rng import Stream, uniforms
from kernels_cuda.tables import energy_row
from kernels_cuda.tally import DELAY, ESCAPED, N_COUNTERS, OVERFLOWS, UNITS_PER_MEV, Tally, settle
from physics_data import photons as data
from physics_data.materials import Material, material
from tests.transport import box, media, shoot, stacks

MASS = 0.51099895
WATER = material("water")


def absorbing(tables):
    """The same attenuation, but every interaction absorbs on the spot: what crosses a depth has never interacted."""
    attenuation = tables.photons.attenuation.copy()
    attenuation[:, :, 1:] = 1
    return rooted(tables._replace(photons=tables.photons._replace(attenuation=attenuation)))


def rooted(tables):
    """Electrons that stop where they are set free: no range is longer than a voxel."""
    return tables._replace(electrons=tables.electrons._replace(longest=np.full_like(tables.electrons.longest, 1e9)))


@pytest.mark.parametrize("name", ["water", "cortical_bone"])
@pytest.mark.parametrize("energy", [0.208, 1.0])
def test_primary_transmission(name, energy):
    """Beer-Lambert through 1, 5 and 10 cm, with Woodcock's rejection at work behind a denser last slice."""
    n = 2_000_000
    medium = material(name)
    tables = absorbing(media([medium], 1.2, voxel_cm=1.0, densities=[3 * medium.density_g_cm3], positrons=False))
    density = np.full((11, 1, 1), medium.density_g_cm3)
    density[10] *= 3
    grid = box((11, 1, 1), (1e4, 1e4, 1.0), density)
    deposits, _ = shoot(tables, grid, PHOTON, energy, n, place=(0, 0, 0), position=(0, 0, -0.4999999))
    crossed = 1 - np.cumsum(deposits[:, 0, 0])
    mu = sum(data.cross_sections(medium, np.array([energy])))[0] * medium.density_g_cm3
    for depth in (1, 5, 10):
        expected = np.exp(-mu * depth)
        sigma = np.sqrt((1 - expected) / expected / n)
        assert crossed[depth - 1] / expected - 1 == pytest.approx(0, abs=max(0.003, 3 * sigma))


@driver()
def _scatter(p, m, e, numbers):
    out = np.empty((numbers.size, 2), np.float32)
    for h in range(numbers.size):
        out[h] = photon.incoherent_scattering(p, m, e, numbers[h])
    return out


@pytest.mark.parametrize("energy", [0.002, 0.0205, 0.05, 0.211, 0.662, 2.04])
def test_incoherent_scattering_follows_klein_nishina_times_s(energy):
    """Even numbers in, so no noise: mean transfer within 0.02 % of the quadrature, square, quantiles and angle."""
    n = 1_000_000
    tables = media([WATER], 2.5, photon_cutoff_mev=0.001, positrons=False)
    numbers = ((np.arange(n) + 0.5) / n).astype(np.float32)
    scattered, deflection = _scatter(tables.photons, 0, np.float32(energy), numbers).astype(float).T
    alpha = energy / MASS
    assert np.abs(scattered * (1 + alpha * deflection) / energy - 1).max() < 2e-6
    t = np.linspace(0, np.sqrt(2), 100_001) ** 2  # 1 - cos
    ratio = 1 / (1 + alpha * t)
    x = np.sqrt(t / 2) * energy / 0.01239841984
    weight = ratio**2 * (ratio + 1 / ratio - t * (2 - t)) * data.incoherent_function(WATER, x)
    transfer = 1 - scattered / energy
    for power, accuracy in ((1, 2e-4), (2, 5e-4)):
        expected = np.trapezoid(weight * (1 - ratio) ** power, t) / np.trapezoid(weight, t)
        assert (transfer**power).mean() == pytest.approx(expected, rel=accuracy)
    cumulative = np.cumsum(weight * np.gradient(t))
    below = np.interp(np.quantile(transfer, np.linspace(0.01, 0.99, 99)), 1 - ratio, cumulative / cumulative[-1])
    assert below == pytest.approx(np.linspace(0.01, 0.99, 99), abs=5e-4)


@driver()
def _scatter_coherently(p, m, e, numbers):
    out = np.empty(numbers.size, np.float32)
    for h in range(numbers.size):
        out[h] = photon.coherent_scattering(p, m, e, numbers[h])
    return out


@pytest.mark.parametrize("energy", [0.0021, 0.0105, 0.021, 0.05, 0.102, 0.35])
def test_coherent_scattering_follows_the_form_factor(energy):
    """Even numbers in: mean of 1 - cos within 0.3 % of the quadrature, quantiles in probability."""
    tables = media([WATER], 0.6, photon_cutoff_mev=0.001, positrons=False)
    numbers = ((np.arange(1_000_000) + 0.5) / 1e6).astype(np.float32)
    deflection = _scatter_coherently(tables.photons, 0, np.float32(energy), numbers).astype(float)
    assert 0 <= deflection.min() < deflection.max() <= 2 * (1 + 1e-6)
    t = np.r_[0, np.geomspace(1e-10, 2, 50_001)]
    x = np.sqrt(t / 2) * energy / 0.01239841984
    weight = (1 + (1 - t) ** 2) * data.form_factor_squared(WATER, x)
    expected = np.trapezoid(weight * t, t) / np.trapezoid(weight, t)
    assert deflection.mean() == pytest.approx(expected, rel=0.003)
    levels = np.linspace(0.01, 0.99, 99)
    cumulative = np.insert(np.cumsum((weight[1:] + weight[:-1]) / 2 * np.diff(t)), 0, 0)
    below = np.interp(np.quantile(deflection, levels), t, cumulative / cumulative[-1])
    assert below == pytest.approx(levels, abs=2e-3)


def test_energy_is_conserved_to_the_unit_in_every_process():
    iodine = Material("contrast", 1.1, {"H": 0.1, "O": 0.85, "I": 0.05})
    tables = media([iodine], 6.0, voxel_cm=0.1)
    grid = box((9, 9, 9), (0.1,) * 3, 1.1)
    for energy in (0.015, 0.04, 0.3, 5.0):
        for kind in (PHOTON, POSITRON):
            n = 20_000
            deposits, counters = shoot(tables, grid, kind, energy, n, seed=9)
            emitted = n * (round(energy * UNITS_PER_MEV) + (2 * round(MASS * UNITS_PER_MEV) if kind == POSITRON else 0))
            deposited = round(deposits.sum() * UNITS_PER_MEV * energy * n)
            # float32 of the energy may round by a few units of 2**-26 MeV
            assert abs(deposited + counters[ESCAPED] - emitted) <= 4 * n
            assert counters[OVERFLOWS] == 0


@driver()
def _absorb(p, t, g, energy, counters, state, place, number, depth, e, n):
    row, a = energy_row(p.energy, e)
    zero, zero32, one = np.float32(0), np.uint32(0), np.float32(1)
    photons, emitted = 0, 0.0
    tally = Tally(energy, counters, np.zeros((DELAY + 1, 2), np.int64))
    for h in range(n):
        stream = Stream(np.uint32(4), zero32, np.uint32(h), zero32, zero32)
        r, _, _, _ = uniforms(stream, zero32)
        waiting = Waiting(state, place, number, depth, stream, None)
        photon.absorb(
            p, t, g, tally, waiting, np.uint32(0), one, 0, 0, 0, zero, zero, zero, zero, zero, one, e,
            row, a, r, stream, np.uint32(1),
        )  # fmt: skip
        if depth[0] > 0:
            photons += 1
            emitted += state[0, 0, 6]
            depth[0] = 0
    settle(tally)
    return photons, emitted


@pytest.mark.parametrize("energy", [0.030, 0.040])
def test_k_fluorescence_of_iodine(energy):
    """Absorptions above the K edge (33.17 keV) give a K photon as often as yield and shell share say; none below."""
    iodine = Material("iodine solution", 1.2, {"H": 0.08, "O": 0.72, "I": 0.20})
    n = 200_000
    tables = rooted(media([iodine], 0.1, voxel_cm=0.1, positrons=False))
    deposits, counters = np.zeros((1, 1, 1), np.int64), np.zeros(N_COUNTERS, np.int64)
    photons, emitted = _absorb(
        *tables, box((1, 1, 1), (0.1,) * 3), deposits, counters, *stacks(), np.float32(energy), n
    )
    shell = data.k_shell(53)
    pure = data.cross_sections(Material("I", 4.9, {"I": 1.0}), np.array([energy])).photoelectric[0]
    share = 0.20 * pure / data.cross_sections(iodine, np.array([energy])).photoelectric[0]
    above = energy > shell.edge_mev
    expected = share * shell.photoelectric_fraction(np.array([energy]))[0] * shell.fluorescence_yield if above else 0.0
    assert photons / n == pytest.approx(expected, abs=5 * np.sqrt(expected / n) + 1e-3 * expected)
    if above:
        assert emitted / photons == pytest.approx(np.dot(shell.line_energies_mev, shell.line_probabilities), rel=2e-3)
    assert deposits.sum() + emitted * UNITS_PER_MEV == pytest.approx(n * energy * UNITS_PER_MEV, rel=1e-6)


def test_pair_production_gives_annihilation_photons():
    """Photons of 1.1 MeV that make a pair at once: its kinetic energy stays near, two electron masses fly away."""
    n = 5000
    tables = media([WATER], 1.2, voxel_cm=1.0)
    attenuation, majorant = tables.photons.attenuation.copy(), tables.photons.majorant.copy()
    nodes = np.arange(majorant.size) + tables.photons.energy.first << tables.photons.energy.shift
    high = nodes.astype(np.int32).view(np.float32) > 1.05
    attenuation[:, high, 0] *= 1e6
    attenuation[:, high, 1:] = 0
    majorant[high] *= 1e6
    tables = tables._replace(photons=tables.photons._replace(attenuation=attenuation, majorant=majorant))
    grid = box((3, 3, 3), (0.2,) * 3)
    deposits, counters = shoot(tables, grid, PHOTON, 1.1, n)
    kinetic = 1.1 - 2 * MASS
    escaped = counters[ESCAPED] / UNITS_PER_MEV / n
    assert deposits[1, 1, 1] * 1.1 > 0.95 * kinetic  # 39 keV each on average: micrometres
    assert 0.95 * 2 * MASS < escaped <= 2 * MASS + 1e-6
