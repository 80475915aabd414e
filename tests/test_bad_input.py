"""Bad input ends with one sentence that names it, exit status 2, and nothing written."""

import numpy as np
import pytest
import SimpleITK as sitk

from mcdose.cli import main


@pytest.fixture
def refuse(thorax, tmp_path, capsys):
    """Run the dose job with changed options; gives what is said, having checked how it is said."""

    def run(message, *more, ct=None, activity=None, nuclide="Y-90", out=None):
        before = sorted(tmp_path.rglob("*"))
        command = ["dose", "--ct", str(ct or thorax[0]), "--activity", str(activity or thorax[1])]
        command += ["--nuclide", nuclide, "-o", str(out or tmp_path / "out"), *more]
        try:
            status = main(command)
        except SystemExit as leaving:
            status = leaving.code
        assert status == 2
        lines = [line for line in capsys.readouterr().err.splitlines() if not line.startswith("mcdose: note:")]
        assert len(lines) == 1 and lines[0].startswith("mcdose: ")
        assert message in lines[0]
        assert sorted(tmp_path.rglob("*")) == before
        return lines[0]

    return run


@pytest.fixture
def activity_file(tmp_path, image_factory):
    """Write an activity image on the thorax's grid after changing it."""

    def write(change, kind=np.float32, origin=(-36, -36, -33)):
        values = np.zeros((12, 13, 13), kind)
        values[2:7, 4:9, 4:9] = 1e6
        change(values)
        path = tmp_path / "changed.nii.gz"
        sitk.WriteImage(image_factory(values, (6, 6, 6), origin), str(path))
        return path

    return write


def test_missing_file(refuse, tmp_path):
    refuse("nowhere.nii.gz: no such file or folder", ct=tmp_path / "nowhere.nii.gz")


@pytest.mark.parametrize("name", ["broken.nii.gz", "broken.mha", "broken.xyz", "broken.dcm"])
def test_unreadable_file(refuse, tmp_path, name):
    (tmp_path / name).write_bytes(b"this is not an image")
    refuse(f"{name}: not a readable image", ct=tmp_path / name)


def test_folder_without_dicom(refuse, tmp_path):
    (tmp_path / "empty").mkdir()
    refuse("no DICOM slices", ct=tmp_path / "empty")
    (tmp_path / "empty" / "a.txt").write_text("hello")
    refuse("no DICOM slices", ct=tmp_path / "empty")


def test_no_overlap(refuse, activity_file):
    refuse("does not overlap the dose grid", activity=activity_file(lambda v: None, origin=(500, 0, 0)))


def test_no_overlap_on_the_ct_grid(refuse, activity_file):
    far = activity_file(lambda v: None, origin=(500, 0, 0))
    refuse("no activity inside the dose grid", "--grid", "ct", activity=far)


def test_all_activity_outside_the_ct(refuse, activity_file):
    """The images overlap, but what is active lies beyond the CT."""

    def move(values):
        values[:] = 0
        values[:, :, 12] = 1e6

    refuse("all activity lies outside the CT", activity=activity_file(move, origin=(-6, -36, -33)))


@pytest.mark.parametrize(
    ("value", "message"),
    [(-12.4, "negative in 1 voxels (minimum -12.4 Bq/mL)"), (np.nan, "1 voxels are NaN"), (np.inf, "NaN or infinite")],
)
def test_impossible_activity(refuse, activity_file, value, message):
    def change(values):
        values[4, 5, 6] = value

    path = activity_file(change)
    if np.isnan(value) or np.isinf(value):  # NIfTI readers turn them into zeros; MHA keeps them
        image = sitk.ReadImage(str(path))
        array = sitk.GetArrayFromImage(image)
        array[4, 5, 6] = value
        bad = sitk.GetImageFromArray(array)
        bad.CopyInformation(image)
        path = path.with_name("changed.mha")
        sitk.WriteImage(bad, str(path))
    assert path.name in refuse(message, activity=path)


def test_no_activity(refuse, activity_file):
    refuse("zero everywhere", activity=activity_file(lambda v: v.fill(0)))


def test_unknown_nuclide_suggests(refuse):
    assert "Y-90" in refuse("unknown nuclide 'Y-90x'", nuclide="Y-90x")


def test_unknown_unit(refuse):
    assert "Bq/mL" in refuse("activity unit 'MBq'", "--activity-unit", "MBq")


def test_unknown_integration(refuse):
    refuse("integrate 'forever'", "--integrate", "forever")
    refuse("longer than the physical half-life", "--integrate", "effective=1000")
    refuse("already in Bq*s", "--integrate", "effective=10", "--activity-unit", "Bq*s")


@pytest.mark.parametrize("number", ["0", "-5", "1.5", "lots"])
def test_impossible_histories(refuse, number):
    refuse(f"histories {number if number in ('0', '-5') else repr(number)}", f"--histories={number}")


def test_impossible_numbers(refuse):
    refuse("uncertainty", "--uncertainty", "0")
    refuse("spacing_mm", "--spacing", "-3")
    refuse("--seed", "--seed", "x")
    refuse("threads", "--threads", "0")
    refuse("electron_cutoff_kev", "--electron-cutoff", "0.1")
    refuse("emissions", "--emissions", "beta,gamma")
    refuse("Y-90 emits none of these", "--emissions", "alpha")
    refuse("not allowed with argument", "--grid", "ct", "--spacing", "3")
    refuse("outside the grid", "--plot-at", "900", "0", "0")


def test_ct_that_is_not_in_hu(refuse, activity_file):
    """An activity image given as the CT."""
    refuse("give a CT in HU", ct=activity_file(lambda v: None))


def test_ct_with_nan(refuse, tmp_path, image_factory):
    hu = np.full((18, 20, 20), 40, np.float32)
    hu[0, 0, 0] = np.nan
    sitk.WriteImage(image_factory(hu, (4, 4, 4), (-38, -38, -34)), str(tmp_path / "nan.mha"))
    refuse("1 voxels are NaN", ct=tmp_path / "nan.mha")


def test_unknown_curve(refuse, tmp_path):
    refuse("curve", "--curve", "schneider1999")
    refuse("missing.toml", "--curve", str(tmp_path / "missing.toml"))


def test_empty_mask(refuse, tmp_path, image_factory):
    sitk.WriteImage(image_factory(np.zeros((18, 20, 20), np.uint8), (4, 4, 4)), str(tmp_path / "mask.nii.gz"))
    refuse("mask.nii.gz: no voxel above zero", "--mask", str(tmp_path / "mask.nii.gz"))


def positions(count, step=3.0):
    return [(-29.25, -39.0, -26.0 + step * k) for k in range(count)]


def slices(count):
    return np.full((count, 40, 40), 40)


def test_duplicate_slices(refuse, dicom_factory):
    dicom_factory(slices(8), positions(8))
    refuse("at the same position (-20.00 mm)", ct=dicom_factory(slices(1), [(-29.25, -39.0, -20.0)]))


def test_missing_slices(refuse, dicom_factory):
    where = positions(10)
    del where[4:6]
    refuse("slices are missing between -17.00 and -8.00 mm", ct=dicom_factory(slices(8), where))


def test_uneven_slices(refuse, dicom_factory):
    where = [(-29.25, -39.0, z) for z in (0, 3, 6, 10, 14, 18)]
    refuse("3.00 to 4.00 mm apart", ct=dicom_factory(slices(6), where))


def test_mixed_series(refuse, dicom_factory):
    dicom_factory(slices(4), positions(4))
    refuse("2 series are mixed", ct=dicom_factory(slices(4), positions(4), series="1.2.3.5"))


def test_mixed_orientations_without_series_names(refuse, dicom_factory):
    dicom_factory(slices(4), positions(4), series="")
    more = dicom_factory(slices(1), [(0, 0, 60)], series="", orientation=(0, 1, 0, 0, 0, -1))
    refuse("differs from", ct=more)


def test_tilted_gantry(refuse, dicom_factory):
    where = [(-29.25, -39.0 + 0.5 * k, 3.0 * k) for k in range(8)]
    refuse("tilted gantry", ct=dicom_factory(slices(8), where))


def test_single_dicom_slice(refuse, dicom_factory):
    folder = dicom_factory(slices(1), positions(1))
    refuse("only one DICOM slice", ct=folder)
    refuse("give the folder", ct=folder / "000.dcm")


def test_output_is_a_file(refuse, tmp_path):
    (tmp_path / "taken").write_text("mine")
    refuse("not a writable output folder", out=tmp_path / "taken")
    assert (tmp_path / "taken").read_text() == "mine"


def test_no_room_for_the_results(refuse, tmp_path, monkeypatch):
    """Found before the transport, not after it."""
    import shutil

    (tmp_path / "out").mkdir()
    monkeypatch.setattr("mcdose.files.shutil.disk_usage", lambda path: shutil._ntuple_diskusage(10**9, 10**9, 1000))
    refuse("0 MB free", out=tmp_path / "out")


def test_device_that_is_not_there(refuse):
    """Found by the engine, after the output folder was made: the folder is taken away again."""
    refuse("device", "--device", "cuda")


def test_run_file(refuse, tmp_path, capsys):
    assert main(["dose", str(tmp_path / "none.toml")]) == 2
    assert "none.toml: cannot be read" in capsys.readouterr().err
    (tmp_path / "run.toml").write_text('ct = "a"\nactivty = "b"\n')
    assert main(["dose", str(tmp_path / "run.toml")]) == 2
    assert "did you mean activity" in capsys.readouterr().err


def test_missing_options(capsys):
    assert main(["dose", "--ct", "a"]) == 2
    assert "activity: missing" in capsys.readouterr().err
    with pytest.raises(SystemExit) as leaving:
        main(["dsoe"])
    assert leaving.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_oblique_and_flipped_ct_give_the_same_phantom(image_factory):
    """Not refused: the same patient, stored flipped, on the same dose grid."""
    from mcdose.grid import Grid
    from mcdose.phantom import Phantom

    rng = np.random.default_rng(4)
    hu = rng.integers(-800, 900, (10, 12, 12)).astype(np.int16)
    turn = np.array([[0.8, -0.6, 0.0], [0.6, 0.8, 0.0], [0.0, 0.0, 1.0]])
    far = turn @ (np.array([11, 11, 9]) * 3.0)
    upright = image_factory(hu, (3, 3, 3), (0, 0, 0), turn.ravel())
    flipped = image_factory(hu[::-1, ::-1, ::-1], (3, 3, 3), far, (-turn).ravel())
    grid = Grid((6, 6, 6), 4.4, tuple(turn @ np.array([4.0, 4.0, 3.0])), tuple(turn.ravel()))
    one, other = Phantom.from_ct(upright, grid=grid), Phantom.from_ct(flipped, grid=grid)
    assert other.density_g_cm3 == pytest.approx(one.density_g_cm3, rel=1e-5)
    assert np.array_equal(one.material_index, other.material_index)
    crossed = Grid((6, 6, 6), 3.3, (-1.0, 9.0, 4.0))
    one, other = Phantom.from_ct(upright, grid=crossed), Phantom.from_ct(flipped, grid=crossed)
    assert other.density_g_cm3 == pytest.approx(one.density_g_cm3, rel=1e-5)
