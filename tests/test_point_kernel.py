"""Dose-point kernels, and voxel S values from them beside those by direct Monte Carlo."""

from pathlib import Path

import numpy as np
import pytest

import mcdose
from mcdose.point_kernel import DosePointKernel, _deposit
from tests.kernels import shorten

EGSNRC = Path(__file__).parents[1] / "benchmarks" / "reference" / "egsnrc_electron_kernel_1MeV.csv"


@pytest.fixture(scope="module")
def kernel(tmp_path_factory):
    spectrum = mcdose.Spectrum.monoenergetic("electron", 1.0) + mcdose.Spectrum.lines("photon", [0.3], [0.2])
    with pytest.MonkeyPatch.context() as patch:
        shorten(patch, tmp_path_factory.getbasetemp())
        return mcdose.dose_point_kernel(spectrum, "water", histories=100_000)


def test_all_energy_is_within_the_range_or_in_the_tail(kernel):
    assert kernel.edges_cm[-1] == pytest.approx(0.437, rel=0.01)  # CSDA range of 1 MeV in water, ESTAR
    assert kernel.cumulative[-1] == pytest.approx(1.0 / 1.06, rel=0.01)  # the electrons', less bremsstrahlung
    beyond = kernel.tail.energy_beyond(kernel.edges_cm[-1], 1.0)
    assert beyond + kernel.cumulative[-1] * 1.06 == pytest.approx(1.06, rel=0.02)


def test_shape_of_the_kernel_of_1_mev_against_egsnrc(kernel):
    table = np.loadtxt(EGSNRC, delimiter=",", comments=("#", "inner"))
    outer, inside = table[:, 1], np.cumsum(table[:, 2])
    shown = outer < 0.85 * kernel.edges_cm[-1]
    ours = 1.06 * np.interp(outer, kernel.edges_cm, kernel.cumulative)  # the photons give 0.1 % of the energy there
    assert np.abs(ours - inside)[shown].max() < 0.006


@pytest.mark.parametrize("spacing", [3.0, (2.0, 3.0, 4.0)])
def test_two_routes_to_voxel_s_values(kernel, spacing, monkeypatch, tmp_path):
    shorten(monkeypatch, tmp_path, 300_000)
    spectrum = mcdose.Spectrum.monoenergetic("electron", 1.0) + mcdose.Spectrum.lines("photon", [0.3], [0.2])
    direct = mcdose.SValueKernel.make(spectrum, spacing, cache=False, uncertainty=0.01, seed=7)
    folded = kernel.s_values(spacing)
    box = tuple(slice(min(a, b)) for a, b in zip(direct.near_gy.shape, folded.near_gy.shape))
    high = direct.near_gy[box] > 0.01 * direct.self_gy
    difference = (folded.near_gy[box] / direct.near_gy[box])[high] - 1
    allowed = 0.005 + 4 * np.hypot(direct.relative_uncertainty[box], 0.003)[high]
    assert (np.abs(difference) < allowed).all()
    assert folded.energy_share((6, 6, 6)) == pytest.approx(direct.energy_share((6, 6, 6)), abs=0.01)


def test_integration_over_both_voxels_conserves_energy_and_knows_the_exact_self_share():
    spacing = np.array([0.3, 0.3, 0.4])
    radius = 0.05
    octant = _deposit(np.array([radius]), np.array([1.0]), spacing, [2, 2, 2])
    count = np.array([1, 2, 2])
    images = count[:, None, None] * count[None, :, None] * count[None, None, :]
    assert (octant * images).sum() == pytest.approx(1.0, rel=1e-9)
    # Mean over directions of prod(1 - r|n_a|/h_a): <|n_a|> = 1/2, <|n_a n_b|> = 2/(3 pi), <|n_a n_b n_c|> = 1/(4 pi)
    a, b, c = radius / spacing
    exact = 1 - (a + b + c) / 2 + 2 * (a * b + b * c + c * a) / (3 * np.pi) - a * b * c / (4 * np.pi)
    assert octant[0, 0, 0] == pytest.approx(exact, rel=2e-4)


def test_describes_plots_saves_and_loads(kernel, tmp_path):
    assert "nine tenths" in kernel.describe()
    kernel.plot(tmp_path / "d.png")
    kernel.save(tmp_path / "d.h5")
    again = DosePointKernel.load(tmp_path / "d.h5")
    np.testing.assert_array_equal(again.energy_share, kernel.energy_share)
    assert again.describe() == kernel.describe()
    with pytest.raises(mcdose.InputError, match="no such file"):
        DosePointKernel.load(tmp_path / "none.h5")


def test_density_must_be_above_zero():
    with pytest.raises(mcdose.InputError, match="density_g_cm3"):
        mcdose.dose_point_kernel("Y-90", density_g_cm3=0.0)
