"""The result object: units, summary, files."""

from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest

import mcdose
from mcdose.dose_image import as_dose_image
from mcdose.errors import InputError
from mcdose.images import array_of, grid_of, read_image

resource = pytest.importorskip("resource", reason="limits on file size are a matter of Unix")
J_PER_MEV = 1.602176634e-13


@contextmanager
def file_size_limit(size):
    """No file may grow beyond `size` bytes: what a full disk does to a writer."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.fixture
def dose():
    shape = (8, 10, 12)
    rng = np.random.default_rng(1)
    density = np.where(np.arange(8)[:, None, None] < 5, 1.06, 0.26) * np.ones(shape)
    density[:, :, -1] = 0.0012
    index = (density < 1).astype(int)
    direction = (-1, 0, 0, 0, -1, 0, 0, 0, 1)
    materials = [mcdose.material("liver"), mcdose.material("lung")]
    phantom = mcdose.Phantom(
        density, index, materials, (2.0, 3.0, 4.0), (11.0, 22.0, -33.0), direction, notes=("said",)
    )
    energy = rng.random(shape) * 1e9
    energy[3, 4, 5] = 3e9
    uncertainty = np.full(shape, 0.02)
    uncertainty[0, 0, 0] = np.nan
    return mcdose.Dose(
        phantom,
        energy,
        uncertainty,
        emitted_mev=float(energy.sum()) * 1.25,
        escaped_mev=float(energy.sum()) * 0.25,
        decays=1e9,
        histories=123456,
        seconds=2.0,
        settings={"emission": "Y-90", "seed": 1, "note": "µ ≤"},
        tally={"emitted": 2**62, "deposited": 2**62 - 5, "escaped": 5},
    )


def test_gray_is_joule_per_kilogram(dose):
    mass_kg = 1.06e-3 * 0.2 * 0.3 * 0.4
    assert dose.gy[3, 4, 5] == pytest.approx(3e9 * J_PER_MEV / mass_kg, rel=1e-6)
    assert dose.unit == "Gy"
    assert replace(dose, per_second=True).unit == "Gy/s"


def test_maximum_is_sought_in_the_body(dose):
    """A voxel of air holds the highest number, but it is not where the patient is."""
    assert np.unravel_index(dose.gy.argmax(), dose.gy.shape)[2] == 11
    z, _y, x = dose.maximum_index
    assert dose.phantom.density_g_cm3[dose.maximum_index] > 0.2
    assert dose.maximum_gy == dose.gy[:, :, :-1].max()
    assert (z, x) != (0, 11)


def test_mean_uncertainty_over_a_mask(dose):
    mask = np.zeros(dose.gy.shape, bool)
    mask[0, 0, :2] = True
    assert dose.mean_uncertainty(mask) == pytest.approx((1.0 + 0.02) / 2)
    assert dose.mean_uncertainty() == pytest.approx(0.02, rel=1e-5)
    with pytest.raises(InputError, match="mask: shape"):
        dose.mean_uncertainty(mask[1:])


def test_summary_balances_the_energy(dose):
    text = dose.describe()
    assert "(80.00 %)" in text and "(20.00 %)" in text
    assert "1e+09" in text and "123,456" in text and "61,728 per second" in text
    assert "PARTIAL" not in text
    assert "PARTIAL" in replace(dose, complete=False).describe()


def test_file_gives_back_every_number(dose, tmp_path):
    dose.save(tmp_path / "dose.h5")
    back = mcdose.Dose.load(tmp_path / "dose.h5")
    assert np.array_equal(back.energy_mev, dose.energy_mev)
    assert np.array_equal(back.relative_uncertainty, dose.relative_uncertainty, equal_nan=True)
    assert np.array_equal(back.phantom.density_g_cm3, dose.phantom.density_g_cm3)
    assert np.array_equal(back.phantom.material_index, dose.phantom.material_index)
    assert back.phantom.materials == dose.phantom.materials
    for name in ("emitted_mev", "escaped_mev", "decays", "histories", "seconds", "per_second", "complete"):
        assert getattr(back, name) == getattr(dose, name), name
    assert back.settings == dose.settings
    assert back.tally == dose.tally
    assert back.phantom.grid == dose.phantom.grid
    assert back.phantom.notes == dose.phantom.notes


def test_images_lie_where_the_phantom_lies(dose, tmp_path):
    dose.write_image(tmp_path / "d.nii.gz")
    dose.write_image(tmp_path / "u.mha", "uncertainty")
    image = read_image(tmp_path / "d.nii.gz")
    assert array_of(image) == pytest.approx(dose.gy, rel=1e-6)
    assert grid_of(image).matches(dose.phantom.grid)
    assert array_of(read_image(tmp_path / "u.mha"))[0, 0, 0] == 1.0  # nothing scored


@pytest.mark.parametrize("name", ["d.nii", "d.nii.gz", "d.mha", "d.nrrd"])
def test_images_say_their_unit(dose, name, tmp_path):
    """Ours need no --unit; an uncertainty is not taken for a dose."""
    dose.write_image(tmp_path / name)
    assert as_dose_image(tmp_path / name).unit == "Gy"
    replace(dose, per_second=True).write_image(tmp_path / name)
    assert as_dose_image(tmp_path / name).unit == "Gy/s"
    dose.write_image(tmp_path / name, "uncertainty")
    with pytest.raises(InputError, match="does not say the unit"):
        as_dose_image(tmp_path / name)


def test_nifti_says_it_in_its_description(dose, tmp_path):
    """Bytes 148 to 227 of the header, where every reader of NIfTI looks for it."""
    dose.write_image(tmp_path / "d.nii")
    assert (tmp_path / "d.nii").read_bytes()[148:228].rstrip(b"\0") == b"absorbed dose (Gy)"


def test_figure_is_drawn_with_and_without_ct(dose, image_factory, tmp_path):
    ct = image_factory(np.full((20, 20, 20), 40, np.int16), (2, 2, 2), (-20, -10, -36))
    dose.plot(tmp_path / "a.png")
    dose.plot(tmp_path / "b.png", ct=ct, at_mm=(0.0, 10.0, -20.0))
    assert all((tmp_path / name).stat().st_size > 50_000 for name in ("a.png", "b.png"))
    with pytest.raises(InputError, match="outside the grid"):
        dose.plot(tmp_path / "c.png", at_mm=(500.0, 0.0, 0.0))
    with pytest.raises(InputError, match=r"choose \.png"):
        dose.plot(tmp_path / "c.xyz")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.png", "b.png"]


def test_oblique_result_is_drawn(dose, tmp_path):
    phantom = replace(dose.phantom, direction=(0.8, -0.6, 0, 0.6, 0.8, 0, 0, 0, 1))
    replace(dose, phantom=phantom).plot(tmp_path / "a.png")
    assert (tmp_path / "a.png").exists()


@pytest.mark.parametrize(
    "name", ["dose.h5", "dose.nii.gz", "dose.nii", "dose.mha", "dose.nrrd", "dose.dcm", "dose.png"]
)
def test_full_disk_leaves_the_old_file(dose, tmp_path, name):
    path = tmp_path / name
    path.write_text("old")
    write = dose.save if name.endswith("h5") else dose.plot if name.endswith("png") else dose.write_image
    with file_size_limit(1000), pytest.raises(InputError, match=f"{name}: cannot be written"):
        write(path)
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("content", [b"", b"not HDF5"])
def test_other_files_are_not_doses(tmp_path, content):
    (tmp_path / "x.h5").write_bytes(content)
    with pytest.raises(InputError, match=r"x\.h5"):
        mcdose.Dose.load(tmp_path / "x.h5")
    with pytest.raises(InputError, match="no such file"):
        mcdose.Dose.load(tmp_path / "y.h5")


def test_unknown_image_format_is_refused(dose, tmp_path):
    with pytest.raises(InputError, match="images are written as"):
        dose.write_image(tmp_path / "dose.jpg")
    with pytest.raises(InputError, match="choose dose or uncertainty"):
        dose.to_image("kerma")
