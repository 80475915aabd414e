"""What must hold without any reference: Fano's theorem, voxel size, step size, reciprocity, equilibrium."""

import numpy as np
import pytest

import mcdose
from physics_data import electron_tables

WATER = mcdose.material("water")
LOCAL = 5.0  # MeV: a photon cut-off above every energy, so that radiative losses stay where they occur


def layers(axis, densities, thickness_mm):
    """A phantom of layers of water along one axis, so wide that nothing leaves sideways."""
    shape, spacing = [1, 1, 1], [1e6] * 3
    shape[axis], spacing[2 - axis] = len(densities), thickness_mm
    density = np.asarray(densities, np.float32).reshape(shape)
    return mcdose.Phantom(density, np.zeros(shape, np.uint8), [WATER], spacing)


def fano(emission, voxel_mm, axis, histories, margin):
    """Dose of each density over emitted energy per mass, and its standard deviation; ``margin`` layers left out."""
    inner = [1.0] * 4 + [0.26] * 5 + [0.05] * 6 + [0.26] * 2 + [1.0] * 3 + [0.05] * 3 + [1.0] * 3
    densities = np.array([1.0] * margin + inner * 2 + [1.0] * margin)
    phantom = layers(axis, densities, voxel_mm)
    source = mcdose.Source(phantom.density_g_cm3 / densities.sum(), emission, phantom)
    dose = mcdose.monte_carlo(
        phantom, source, histories=histories, seed=4, photon_cutoff_mev=LOCAL, emissions=["beta", "electron"]
    )
    energy = dose.energy_mev.ravel()
    sigma = energy * dose.relative_uncertainty.ravel()
    inside = slice(margin, len(densities) - margin)
    rows = []
    for rho in (1.0, 0.26, 0.05):
        where = np.flatnonzero(densities == rho)
        where = where[(where >= inside.start) & (where < inside.stop)]
        mean = energy[where].sum() / densities[where].sum() * densities.sum() / dose.emitted_mev
        rows.append((mean, np.sqrt((sigma[where] ** 2).sum()) / energy[where].sum()))
    return np.array(rows)


@pytest.mark.parametrize(("energy", "voxel_mm", "axis"), [(0.1, 1.0, 0), (0.5, 3.0, 1), (1.0, 1.0, 2), (2.0, 3.0, 0)])
def test_fano_cavity(energy, voxel_mm, axis):
    """A source uniform per mass gives a uniform dose whatever the density: within 0.2 % and three deviations."""
    margin = int(np.ceil(1.1 * electron_range_mm(energy) / voxel_mm)) + 1
    rows = fano(mcdose.Spectrum.monoenergetic("electron", energy), voxel_mm, axis, 1_000_000, margin)
    assert np.abs(rows[:, 0] - 1).max() < 0.002 + 3 * rows[:, 1].max()
    assert rows[:, 1].max() < 0.004


@pytest.mark.slow
@pytest.mark.parametrize("voxel_mm", [3.0, 1.0])
@pytest.mark.parametrize("emission", ["Y-90", 0.1, 0.3, 1.0, 2.0])
def test_fano_cavity_to_two_per_mille(emission, voxel_mm):
    energy = 2.28 if emission == "Y-90" else emission
    margin = int(np.ceil(1.1 * electron_range_mm(energy) / voxel_mm)) + 1
    spectrum = emission if emission == "Y-90" else mcdose.Spectrum.monoenergetic("electron", energy)
    rows = fano(spectrum, voxel_mm, 0, 8_000_000, margin)
    assert rows[:, 1].max() < 0.0015
    assert (np.abs(rows[:, 0] - 1) < 0.002 + 2 * rows[:, 1]).all()


def electron_range_mm(energy_mev):
    from physics_data.stopping import csda_range

    return 10 * float(csda_range(WATER, np.array([energy_mev]))[0])


def central_doses(phantom, emission, n, seed=1, block=1):
    """Energies in the central voxel (or block of voxels) and in a face neighbour per decay, with deviations."""
    shape = phantom.shape
    decays = np.zeros(shape)
    c = [s // 2 for s in shape]
    inner = tuple(slice(k - k % block, k - k % block + block) for k in c)
    decays[inner] = 1.0 / block**3
    dose = mcdose.monte_carlo(phantom, mcdose.Source(decays, emission, phantom), histories=n, seed=seed)
    beside = (*inner[:2], slice(inner[2].stop, inner[2].stop + block))
    out = []
    for where in (inner, beside):
        e = dose.energy_mev[where]
        out.append((e.sum(), np.sqrt(((e * dose.relative_uncertainty[where]) ** 2).sum())))
    return np.array(out)


def test_one_voxel_is_eight_smaller_ones():
    coarse = mcdose.Phantom.uniform(WATER, (11, 11, 11), 6.0)
    fine = mcdose.Phantom.uniform(WATER, (22, 22, 22), 3.0)
    one = central_doses(coarse, "Y-90", 400_000)
    eight = central_doses(fine, "Y-90", 400_000, seed=2, block=2)
    for (a, s), (b, t) in zip(one, eight):
        assert a == pytest.approx(b, abs=3 * np.hypot(s, t) + 0.002 * a)


@pytest.mark.slow
@pytest.mark.parametrize("emission", ["Y-90", "Lu-177"])
def test_halving_every_step_changes_nothing(emission, monkeypatch):
    phantom = mcdose.Phantom.uniform(WATER, (15, 15, 15), 3.0)
    usual = central_doses(phantom, emission, 4_000_000)
    for name in ("FRACTION", "FRACTION_LONG", "FRACTION_SHORT"):
        monkeypatch.setattr(electron_tables, name, getattr(electron_tables, name) / 2)
    halved = central_doses(phantom, emission, 4_000_000, seed=2)
    for (a, s), (b, t) in zip(usual, halved):
        assert b / a == pytest.approx(1, abs=0.003 + 2 * np.hypot(s, t) / a)


def test_reciprocity_of_voxel_s_values():
    """In one medium the dose to B from A is the dose to A from B (same mass): Lu-177 photons and electrons."""
    phantom = mcdose.Phantom.uniform(WATER, (21, 21, 21), (4.0, 3.0, 5.0))
    a, b = (9, 10, 10), (11, 10, 12)
    energies = []
    for k, (source, target) in enumerate(((a, b), (b, a))):
        decays = np.zeros(phantom.shape)
        decays[source] = 1.0
        dose = mcdose.monte_carlo(phantom, mcdose.Source(decays, "I-131", phantom), histories=2_000_000, seed=k)
        energies.append((dose.energy_mev[target], dose.energy_mev[target] * dose.relative_uncertainty[target]))
    (x, s), (y, t) = energies
    assert np.hypot(s, t) < 0.1 * x
    assert abs(x - y) < 4 * np.hypot(s, t)


@pytest.mark.parametrize("emission", ["Y-90", "Lu-177", "F-18"])
def test_uniform_activity_gives_the_equilibrium_dose(emission):
    """Far inside a large uniform source the energy absorbed per mass is the energy emitted per mass.

    One voxel 100 m wide: all but what leaves through its surface stays inside, below 0.1 %.
    """
    phantom = mcdose.Phantom.uniform(WATER, (1, 1, 1), 1e5)
    source = mcdose.Source(np.ones((1, 1, 1)), emission, phantom)
    dose = mcdose.monte_carlo(phantom, source, histories=20_000)
    assert dose.energy_mev[0, 0, 0] == pytest.approx(dose.emitted_mev, rel=0.005)


def test_charged_particle_equilibrium_inside_a_grid():
    """Y-90 beta filling a grid of voxels: the central voxels get the emitted energy per mass, less the photons."""
    phantom = mcdose.Phantom.uniform(WATER, (15, 15, 15), 3.0)
    source = mcdose.Source(np.ones(phantom.shape), "Y-90", phantom)
    dose = mcdose.monte_carlo(phantom, source, histories=1_500_000, photon_cutoff_mev=LOCAL, emissions=["beta"])
    inner = (slice(5, 10),) * 3
    e = dose.energy_mev[inner]
    sigma = np.sqrt(((e * dose.relative_uncertainty[inner]) ** 2).sum()) / e.sum()
    assert e.mean() == pytest.approx(source.spectrum.select(("beta",)).energy_mev(), rel=0.002 + 3 * sigma)
