"""Voxel S values by Monte Carlo: energy, symmetry, published values, the cache. Short runs, wide sigmas."""

import time

import numpy as np
import pytest

import mcdose
from mcdose.s_value_kernel import MGY_PER_MBQ_S
from tests.kernels import shorten

# Y-90, soft tissue of 1.04 g/cm3, voxels of 4.42 mm, mGy/(MBq s): Lanconelli et al., Phys. Med. Biol. 57 (2012) 517
SELF_Y90_442 = 0.689


@pytest.fixture(autouse=True)
def short_runs(monkeypatch, tmp_path):
    shorten(monkeypatch, tmp_path)


def test_energy_is_conserved_and_axes_are_symmetric():
    spectrum = mcdose.Spectrum.monoenergetic("electron", 0.8) + mcdose.Spectrum.lines("photon", [0.3], [0.5])
    kernel = mcdose.SValueKernel.make(spectrum, (3.0, 3.0, 5.0), cache=False, uncertainty=0.02)
    near = kernel.near_gy
    np.testing.assert_allclose(near[0], near[0].T, rtol=1e-12)  # x and y have the same spacing
    assert near[1, 0, 0] < near[0, 0, 1]  # 5 mm up gets less than 3 mm aside
    assert kernel.emitted_mev == pytest.approx(0.95)
    half = kernel.extent(0.05)  # in the corners of the box there is some of what lies beyond the sphere
    assert 0.95 - 0.006 < kernel.energy_share(half) < 0.98
    assert kernel.energy_share(kernel.near_half) < 0.9
    electrons = kernel.energy_share((1, 2, 2))  # an electron of 0.8 MeV gets 3.3 mm
    assert 0.8 / 0.95 < electrons < 0.8 / 0.95 + 0.01


def test_extent_keeps_999_of_the_electrons_and_all_they_reach_is_voxel_by_voxel():
    kernel = mcdose.SValueKernel.make(mcdose.Spectrum.monoenergetic("electron", 1.5), 2.0, cache=False)
    reach_mm = kernel.settings["electron_reach_mm"]
    assert reach_mm == pytest.approx(7.1, abs=0.2)  # CSDA range of 1.5 MeV in water, 0.71 g/cm2
    assert kernel.near_half[0] * 2.0 >= reach_mm
    assert kernel.energy_share(kernel.near_half) > 0.99  # the rest is bremsstrahlung


def test_alphas_stay_in_the_source_voxel():
    kernel = mcdose.SValueKernel.make(mcdose.Spectrum.monoenergetic("alpha", 6.0), 2.0, cache=False)
    assert kernel.tail is None
    assert kernel.energy_share() == pytest.approx(1.0)
    assert np.count_nonzero(kernel.near_gy) == 1


def test_self_value_against_a_table():
    kernel = mcdose.SValueKernel.make("Y-90", 4.42, "soft_tissue", density_g_cm3=1.04, cache=False)
    sigma = kernel.relative_uncertainty[0, 0, 0]
    assert sigma < 0.005
    mass_kg = 1.04e-6 * 4.42**3
    assert kernel.voxel_kg == pytest.approx(mass_kg)
    assert kernel.self_gy * MGY_PER_MBQ_S == pytest.approx(SELF_Y90_442, rel=0.02 + 3 * sigma)


def test_cached_by_content_and_found_at_once(tmp_path):
    folder = tmp_path / "kernels"
    options = {"uncertainty": 0.05}
    spectrum = mcdose.Spectrum.monoenergetic("electron", 0.3)
    made = mcdose.SValueKernel.make(spectrum, 3.0, **options)
    assert len(list(folder.iterdir())) == 1
    begin = time.perf_counter()
    again = mcdose.SValueKernel.make(mcdose.Spectrum.monoenergetic("electron", 0.3), 3.0, **options)
    assert time.perf_counter() - begin < 0.1
    np.testing.assert_array_equal(again.near_gy, made.near_gy)
    mcdose.SValueKernel.make(spectrum, 3.0, density_g_cm3=1.01, **options)
    heavier = mcdose.Material("water", 1.0, {"H": 0.1119, "O": 0.8881}, i_value_ev=78.0)
    mcdose.SValueKernel.make(spectrum, 3.0, heavier, **options)
    assert len(list(folder.iterdir())) == 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("Y-99", 3.0), "Y-99"),
        (("Y-90", -3.0), "spacing"),
        (("Y-90", 3.0, "custard"), "custard"),
        (("Y-90", 0.05), "give voxels of at least"),
    ],
)
def test_bad_input_is_refused_in_a_sentence(arguments, message):
    with pytest.raises(mcdose.InputError, match=message):
        mcdose.SValueKernel.make(*arguments, cache=False)
    with pytest.raises(mcdose.InputError, match="uncertainty"):
        mcdose.SValueKernel.make("Y-90", 3.0, uncertainty=5)
