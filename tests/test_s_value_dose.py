"""Dose by convolution: equilibrium, Monte Carlo in one medium, density corrections, and what is refused."""

import numpy as np
import pytest

import mcdose
from tests.kernels import shorten

WATER = mcdose.material("water")


@pytest.fixture(autouse=True)
def short_runs(monkeypatch, tmp_path_factory):
    """Short kernel runs, kept for the whole session."""
    shorten(monkeypatch, tmp_path_factory.getbasetemp() / "short kernels", 200_000)


ELECTRON = mcdose.Spectrum.monoenergetic("electron", 0.8)


def _half_lung(shape=(12, 11, 11), spacing=3.0):
    density = np.full(shape, 1.0)
    density[shape[0] // 2 :] = 0.25
    return mcdose.Phantom(density, np.zeros(shape, int), [WATER], spacing)


def test_uniform_activity_is_in_equilibrium_inside():
    # Voxels of 16 mm: 40 cm of water around the middle, as good as all that the bremsstrahlung needs.
    phantom = mcdose.Phantom.uniform(WATER, (51, 51, 51), 16.0)
    source = mcdose.Source(np.ones(phantom.shape), "Y-90", phantom)
    dose = mcdose.voxel_s_value(phantom, source)
    local = mcdose.local_deposition(phantom, source)
    sigma = float(dose.relative_uncertainty[25, 25, 25])
    assert dose.gy[25, 25, 25] == pytest.approx(local.gy[25, 25, 25], rel=0.003 + 3 * sigma)
    assert dose.emitted_mev == pytest.approx(dose.deposited_mev + dose.escaped_mev)


@pytest.mark.parametrize("spacing", [3.0, (3.0, 2.0, 4.0)])
def test_monte_carlo_in_one_medium(spacing):
    phantom = mcdose.Phantom.uniform(WATER, (11, 12, 13), spacing)
    decays = np.zeros(phantom.shape)
    decays[3:7, 3:8, 4:9] = np.random.default_rng(3).random((4, 5, 5))
    source = mcdose.Source(decays, ELECTRON, phantom)
    fast = mcdose.voxel_s_value(phantom, source)
    full = mcdose.monte_carlo(phantom, source, histories=300_000, seed=5)
    high = full.gy > 0.01 * full.gy.max()
    sigma = np.hypot(full.relative_uncertainty, fast.relative_uncertainty)[high]
    difference = fast.gy[high] / full.gy[high] - 1
    assert np.abs(difference / sigma).max() < 5.0
    assert abs(np.average(difference, weights=sigma**-2.0)) < 0.01


def test_local_correction_divides_by_the_density_of_the_voxel():
    phantom = _half_lung()
    source = mcdose.Source.point((15, 15, 15), ELECTRON, phantom)
    none = mcdose.voxel_s_value(phantom, source)
    local = mcdose.voxel_s_value(phantom, source, density_correction="local")
    np.testing.assert_allclose(local.gy, none.gy / phantom.density_g_cm3, rtol=1e-6)
    assert local.deposited_mev + local.escaped_mev == pytest.approx(local.emitted_mev)


def test_tissue_kernels_follow_the_tissue_of_the_source():
    phantom = _half_lung((16, 31, 31))
    in_lung = mcdose.Source.point((45, 45, 36), ELECTRON, phantom)
    lung = mcdose.SValueKernel.make(ELECTRON, 3.0, "lung", density_g_cm3=0.26)
    dose = mcdose.voxel_s_value(phantom, in_lung, density_correction="tissue")
    assert dose.gy[12, 15, 15] == pytest.approx(lung.self_gy * 0.26 / 0.25, rel=1e-6)
    assert dose.deposited_mev / dose.emitted_mev > 0.98
    assert [k["medium"] for k in dose.settings["kernels"]] == ["lung"]


def test_a_kernel_of_ones_own_and_a_dose_rate():
    near = np.zeros((2, 2, 2))
    near[0, 0, 0], near[0, 0, 1] = 2e-9, 1e-9
    kernel = mcdose.SValueKernel(near, 3.0, "Y-90", "water", 1.0)
    phantom = mcdose.Phantom.uniform(WATER, (5, 5, 5), 3.0)
    decays = np.zeros(phantom.shape)
    decays[2, 2, 2] = 7.0
    dose = mcdose.voxel_s_value(phantom, mcdose.Source(decays, "Y-90", phantom, per_second=True), kernel=kernel)
    assert dose.unit == "Gy/s"
    assert dose.gy[2, 2, 2] == pytest.approx(14e-9)
    np.testing.assert_allclose(dose.gy[2, 2, [1, 3]], 7e-9)
    assert "voxel s value" in dose.describe()


def test_a_kernel_that_does_not_fit_is_refused():
    kernel = mcdose.SValueKernel(np.ones((2, 2, 2)), 3.0, "Y-90", "water", 1.0)
    coarse = mcdose.Phantom.uniform(WATER, (5, 5, 5), 4.0)
    with pytest.raises(mcdose.InputError, match="made for voxels of 3 x 3 x 3 mm"):
        mcdose.voxel_s_value(coarse, mcdose.Source(np.ones((5, 5, 5)), "Y-90", coarse), kernel=kernel)
    phantom = mcdose.Phantom.uniform(WATER, (5, 5, 5), 3.0)
    source = mcdose.Source(np.ones((5, 5, 5)), "Lu-177", phantom)
    with pytest.raises(mcdose.InputError, match="made for Y-90, the source is Lu-177"):
        mcdose.voxel_s_value(phantom, source, kernel=kernel)
    with pytest.raises(mcdose.InputError, match="leave the kernel out"):
        mcdose.voxel_s_value(phantom, source, kernel=kernel, density_correction="tissue")
    with pytest.raises(mcdose.InputError, match="choose one of none, local, tissue"):
        mcdose.voxel_s_value(phantom, source, density_correction="magic")


def test_a_grid_too_large_for_the_memory_is_refused(monkeypatch):
    """A kernel as large as the phantom: the padded transforms are what counts, not the grid."""
    from mcdose import memory

    phantom = mcdose.Phantom.uniform(WATER, (5, 5, 5), 3.0)
    kernel = mcdose.SValueKernel(np.ones((5, 5, 5)), 3.0, "Y-90", "water", 1.0)
    source = mcdose.Source(np.ones(phantom.shape), "Y-90", phantom)
    needed = 125 * 32 + 15**3 * 24  # transforms of 5 + 2 x 4 voxels along an axis, 15 by small factors
    monkeypatch.setattr(memory, "installed_bytes", lambda: 0.9 * needed)
    monkeypatch.setattr(memory, "free_bytes", lambda: 0.9 * needed)
    with pytest.raises(mcdose.InputError, match=r"voxels of .* mm or more fit"):
        mcdose.voxel_s_value(phantom, source, kernel=kernel, device="cpu")
    monkeypatch.setattr(memory, "installed_bytes", lambda: 1.1 * needed)
    monkeypatch.setattr(memory, "free_bytes", lambda: 1.1 * needed)
    mcdose.voxel_s_value(phantom, source, kernel=kernel, device="cpu")
