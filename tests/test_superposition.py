"""Superposition along rays: one medium, a lung beside a liver, energy to the last unit, and what is refused."""

import numpy as np
import pytest

import mcdose
from mcdose.superposition import RAYS
from tests.kernels import shorten

WATER = mcdose.material("water")
ELECTRON = mcdose.Spectrum.monoenergetic("electron", 0.8)
MIXED = ELECTRON + mcdose.Spectrum.lines("photon", [0.2], [0.3])


@pytest.fixture(autouse=True)
def short_runs(monkeypatch, tmp_path_factory):
    """Short kernel runs, kept for the whole session."""
    shorten(monkeypatch, tmp_path_factory.getbasetemp() / "short kernels", 200_000)


@pytest.fixture(scope="module")
def kernel(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        shorten(patch, tmp_path_factory.getbasetemp() / "short kernels", 200_000)
        return mcdose.dose_point_kernel(MIXED, "water", histories=200_000)


def _cube(shape=(15, 16, 17), spacing=3.0, density=1.0):
    phantom = mcdose.Phantom(np.full(shape, density), np.zeros(shape, int), [WATER], spacing)
    decays = np.zeros(shape)
    decays[4:10, 5:11, 5:12] = 1e6
    return phantom, decays


def _slab(lung_g_cm3):
    """Liver's half of the grid full of decays, and beyond it something else."""
    shape = (20, 15, 15)
    density = np.full(shape, 1.0)
    density[10:] = lung_g_cm3
    phantom = mcdose.Phantom(density, np.zeros(shape, int), [WATER], 2.0)
    return phantom, mcdose.Source(1e6 * (density == 1.0), ELECTRON, phantom)


@pytest.mark.parametrize("spacing", [3.0, (3.0, 2.0, 4.0)])
def test_one_medium_is_the_convolution(kernel, spacing):
    """Rays spread as the kernel does: in the source to the kernels' own half per cent, at its rim to the rays'."""
    phantom, decays = _cube(spacing=spacing)
    source = mcdose.Source(decays, MIXED, phantom)
    rays, convolution = mcdose.ray_superposition(phantom, source, kernel=kernel), mcdose.voxel_s_value(phantom, source)
    inside = decays > 0
    ratio = rays.gy[inside] / convolution.gy[inside]
    assert ratio.mean() == pytest.approx(1.0, abs=0.003)
    assert np.abs(ratio - 1).max() < 0.03
    assert rays.gy[~inside].mean() == pytest.approx(convolution.gy[~inside].mean(), rel=0.02)


def test_density_scaling_theorem(kernel):
    """Half the density on a grid twice as large: the same energy in every voxel, ray by ray (O'Connor 1957)."""
    (small, decays), (large, _) = _cube(spacing=2.0), _cube(spacing=4.0, density=0.5)
    one, other = (
        mcdose.ray_superposition(p, mcdose.Source(decays, MIXED, p), kernel=kernel, rays=128) for p in (small, large)
    )
    np.testing.assert_allclose(other.energy_mev, one.energy_mev, rtol=1e-5, atol=1e-9 * one.energy_mev.max())


def test_beside_a_lung_as_monte_carlo():
    """Within 3 % where convolutions err by tens and hundreds of per cent; means of slices, away from the sides."""
    phantom, source = _slab(0.26)
    rays = mcdose.ray_superposition(phantom, source, histories=200_000)
    runs = [mcdose.monte_carlo(phantom, source, histories=200_000, seed=3 + k) for k in range(4)]
    middle = (slice(None), slice(3, -3), slice(3, -3))
    profiles = np.array([run.gy[middle].mean(axis=(1, 2)) for run in runs])
    sigma = profiles.std(axis=0, ddof=1) / 2 / profiles.mean(axis=0)
    sampling = rays.relative_uncertainty[middle].mean(axis=(1, 2))
    difference = rays.gy[middle].mean(axis=(1, 2)) / profiles.mean(axis=0) - 1
    near_face = slice(6, 13)
    assert np.all(np.abs(difference[near_face]) < 0.03 + 4 * np.hypot(sigma, sampling)[near_face])
    local = mcdose.voxel_s_value(phantom, source, density_correction="local").gy[middle].mean(axis=(1, 2))
    assert local[10] / profiles.mean(axis=0)[10] > 1.5


def test_energy_is_accounted_for_to_the_last_unit(kernel):
    phantom, decays = _cube()
    dose = mcdose.ray_superposition(phantom, mcdose.Source(decays, MIXED, phantom), kernel=kernel)
    assert dose.deposited_mev + dose.escaped_mev == pytest.approx(dose.emitted_mev, rel=1e-13)
    assert 0.02 < dose.escaped_mev / dose.emitted_mev < 0.07  # most of the photons', 0.06 MeV of 0.86
    assert dose.settings["method"] == "ray_superposition"
    assert "ray superposition" in dose.describe()


def test_uniform_activity_has_no_noise_inside():
    """All source voxels send the same rays: what one does not get, it gets from a neighbour."""
    phantom = mcdose.Phantom.uniform(WATER, (13, 13, 13), 3.0)
    source = mcdose.Source(np.ones(phantom.shape), ELECTRON, phantom)
    dose = mcdose.ray_superposition(phantom, source, rays=128, histories=200_000)
    inner = dose.gy[3:-3, 3:-3, 3:-3]
    assert inner.std() / inner.mean() < 0.002
    local = mcdose.local_deposition(phantom, source)
    assert inner.mean() == pytest.approx(local.gy[6, 6, 6], rel=0.01)  # less bremsstrahlung


def test_threads_and_repetition_change_no_bit_and_seeds_only_noise(kernel):
    phantom, decays = _cube()
    source = mcdose.Source(decays, MIXED, phantom)
    one, two, other = (
        mcdose.ray_superposition(phantom, source, kernel=kernel, threads=threads, seed=seed)
        for threads, seed in ((1, 1), (3, 1), (3, 2))
    )
    np.testing.assert_array_equal(one.energy_mev, two.energy_mev)
    high = (one.gy > 0.05 * one.gy.max()) & (one.relative_uncertainty > 1e-4)  # none where all get all rays
    deviations = (other.gy[high] / one.gy[high] - 1) / (np.sqrt(2) * one.relative_uncertainty[high])
    assert 0.5 < np.median(np.abs(deviations)) < 1.2  # of Student's t with 3 degrees of freedom: 0.76


def test_what_does_not_fit_is_refused(kernel):
    phantom, decays = _cube()
    source = mcdose.Source(decays, "Y-90", phantom)
    with pytest.raises(mcdose.InputError, match="made for user's own spectrum, the source is Y-90"):
        mcdose.ray_superposition(phantom, source, kernel=kernel)
    for rays in (100, 64, 128.5, -128):
        with pytest.raises(mcdose.InputError, match=f"power of two from 128 on, such as {RAYS}"):
            mcdose.ray_superposition(phantom, source, rays=rays)
