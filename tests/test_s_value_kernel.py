"""Kernels as objects: symmetry, extent, saving, and what is refused."""

import time

import numpy as np
import pytest

import mcdose
from mcdose.radial_dose import RadialDose


@pytest.fixture
def kernel():
    k, j, i = np.indices((3, 4, 5))
    radii = np.geomspace(0.5, 8, 200)
    return mcdose.SValueKernel(
        near_gy=1e-9 * np.exp(-0.3 * (i**2 + j**2 + 2.0 * k**2)),
        spacing_mm=(2.0, 2.0, 4.0),
        emission="Lu-177",
        medium="water",
        density_g_cm3=1.0,
        relative_uncertainty=np.full((3, 4, 5), 0.01),
        tail=RadialDose(radii, 1e-13 * np.exp(-0.5 * radii), np.full(200, 0.03)),
        emitted_mev=0.5,
        settings={"histories": 1000, "seconds": 1.0},
    )


def test_full_array_is_odd_symmetric_and_continues_in_the_tail(kernel):
    array = kernel.array_gy((5, 6, 7))
    assert array.shape == (11, 13, 15)
    for axis in range(3):
        np.testing.assert_array_equal(array, np.flip(array, axis))
    assert array[5, 6, 7] == kernel.self_gy
    assert array[5 + 2, 6 + 3, 7 + 4] == kernel.near_gy[2, 3, 4]
    radius_cm = 7 * 0.2
    assert array[5, 6, 14] == pytest.approx(1e-13 * np.exp(-0.5 * radius_cm) / radius_cm**2, rel=0.02)
    assert kernel.octant_uncertainty((5, 6, 7))[0, 0, 7] == pytest.approx(0.03)


def test_a_smaller_extent_is_a_part_of_a_larger_one(kernel):
    large = kernel.octant_gy((9, 9, 9))
    np.testing.assert_array_equal(kernel.octant_gy((1, 2, 3)), large[:2, :3, :4])


def test_extent_leaves_out_what_it_says(kernel):
    for share in (0.02, 0.005):
        half = kernel.extent(share)
        missing = kernel.energy_share((40, 50, 50)) - kernel.energy_share(half)
        assert 0.3 * share < missing < share  # a box holds more than the sphere in it


def test_saved_and_loaded_in_a_moment(kernel, tmp_path):
    import h5py  # noqa: F401  its import is not what is timed

    kernel.save(tmp_path / "k.h5")
    begin = time.perf_counter()
    again = mcdose.SValueKernel.load(tmp_path / "k.h5")
    assert time.perf_counter() - begin < 0.1
    for name in ("near_gy", "relative_uncertainty"):
        np.testing.assert_array_equal(getattr(again, name), getattr(kernel, name))
    np.testing.assert_array_equal(again.tail.gy_cm2, kernel.tail.gy_cm2)
    assert again.describe() == kernel.describe()


def test_describes_and_plots_itself(kernel, tmp_path):
    assert "1 mGy/(MBq s) ± 1.00 %" in kernel.describe()
    kernel.plot(tmp_path / "k.png")
    assert (tmp_path / "k.png").stat().st_size > 10_000


def test_arrays_of_ones_own(kernel):
    array = kernel.array_gy(kernel.near_half)
    own = mcdose.SValueKernel.from_array(array, kernel.spacing_mm, "Lu-177", "water", 1.0)
    np.testing.assert_allclose(own.near_gy, kernel.near_gy)
    with pytest.raises(mcdose.InputError, match="odd"):
        mcdose.SValueKernel.from_array(array[:-1], kernel.spacing_mm, "Lu-177", "water", 1.0)
    array[0] *= 0.0
    array[1] *= 3.0
    with pytest.raises(mcdose.InputError, match="mirror images differ"):
        mcdose.SValueKernel.from_array(array, kernel.spacing_mm, "Lu-177", "water", 1.0)


@pytest.mark.parametrize("bad", [-1.0, np.nan])
def test_impossible_values_are_refused(bad):
    near = np.ones((2, 2, 2))
    near[1, 1, 1] = bad
    with pytest.raises(mcdose.InputError, match="finite, not negative"):
        mcdose.SValueKernel(near, 3.0, "Y-90", "water", 1.0)


def test_other_files_are_refused(tmp_path):
    (tmp_path / "k.h5").write_text("no HDF5")
    with pytest.raises(mcdose.InputError, match="damaged or not an HDF5 file"):
        mcdose.SValueKernel.load(tmp_path / "k.h5")
    with pytest.raises(mcdose.InputError, match="no such file"):
        mcdose.SValueKernel.load(tmp_path / "none.h5")
