"""Dose images of any tool: units, RTDOSE, other grids."""

import numpy as np
import pytest

from mcdose.dose_image import DoseImage, as_dose_image, interpolated
from mcdose.errors import InputError
from mcdose.grid import Grid
from mcdose.images import grid_of, write_image


@pytest.fixture
def rtdose(tmp_path):
    """Write an RTDOSE file of the doses [frame, y, x]."""
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian, RTDoseStorage, generate_uid

    def write(gy, offsets, units="GY", modality="RTDOSE", scaling=1e-3, orientation=(1, 0, 0, 0, 1, 0)):
        meta = FileMetaDataset()
        meta.TransferSyntaxUID, meta.MediaStorageSOPClassUID = ExplicitVRLittleEndian, RTDoseStorage
        meta.MediaStorageSOPInstanceUID = generate_uid()
        path = tmp_path / "dose.dcm"
        file = FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
        file.SOPClassUID, file.SOPInstanceUID = RTDoseStorage, meta.MediaStorageSOPInstanceUID
        file.Modality, file.DoseUnits, file.DoseType, file.DoseGridScaling = modality, units, "PHYSICAL", scaling
        file.NumberOfFrames, file.Rows, file.Columns = gy.shape
        file.GridFrameOffsetVector = list(offsets)
        file.ImagePositionPatient, file.ImageOrientationPatient = [10.0, 20.0, 30.0], list(orientation)
        file.PixelSpacing = [2.0, 1.5]
        file.SamplesPerPixel, file.PhotometricInterpretation, file.PixelRepresentation = 1, "MONOCHROME2", 0
        file.BitsAllocated, file.BitsStored, file.HighBit = 32, 32, 31
        file.PixelData = np.round(gy / scaling).astype("<u4").tobytes()
        file.save_as(path, enforce_file_format=True)
        return path

    return write


def test_rtdose_brings_scale_unit_and_geometry(rtdose):
    gy = np.arange(24.0).reshape(2, 3, 4)
    dose = as_dose_image(rtdose(gy, (0.0, 3.0)))
    assert dose.gy == pytest.approx(gy) and dose.unit == "Gy"
    assert dose.grid.spacing_mm == (1.5, 2.0, 3.0) and dose.grid.origin_mm == (10, 20, 30)


@pytest.mark.parametrize(
    ("offsets", "orientation", "first_z"),
    [
        ((0.0, -3.0), (1, 0, 0, 0, 1, 0), 27.0),  # frames downwards
        ((30.0, 33.0), (1, 0, 0, 0, 1, 0), 30.0),  # absolute positions instead of offsets
        ((0.0, 3.0), (-1, 0, 0, 0, 1, 0), 30.0),  # x mirrored: the normal points down
    ],
)
def test_rtdose_frames_lie_where_they_say(rtdose, offsets, orientation, first_z):
    gy = np.stack([np.full((3, 4), 1.0), np.full((3, 4), 2.0)])
    dose = as_dose_image(rtdose(gy, offsets, orientation=orientation))
    frame_of_first = dose.gy[0, 0, 0]
    at = dose.grid.to_physical((0, 0, 0))
    assert at[2] == pytest.approx(first_z)
    assert frame_of_first == (2.0 if first_z == 27.0 else 1.0)
    if orientation[0] < 0:
        assert dose.grid.to_physical((0, 0, 1))[2] == pytest.approx(27.0)


def test_units_come_from_the_file_or_the_user(image_factory, tmp_path):
    image = image_factory(np.full((2, 2, 2), 5000.0, np.float32))
    with pytest.raises(InputError, match=r"does not say the unit.*--unit Gy"):
        as_dose_image(image)
    assert as_dose_image(image, "mGy").gy[0, 0, 0] == 5.0
    assert as_dose_image(image, "mGy/h").unit == "Gy/s"
    for name in ("dose.nii.gz", "dose.mha", "dose.nrrd"):
        image.SetMetaData("ITK_FileNotes" if name.endswith("gz") else "unit", "absorbed dose (cGy)")
        write_image(image, tmp_path / name)
        assert as_dose_image(tmp_path / name).gy[0, 0, 0] == pytest.approx(50.0), name
        assert as_dose_image(tmp_path / name, "Gy").gy[0, 0, 0] == pytest.approx(50.0)  # the file knows better
    with pytest.raises(InputError, match="unit 'rad': unknown"):
        as_dose_image(image, "rad")


def test_interpolation_is_exact_for_linear_doses():
    """Onto finer, coarser, shifted, flipped and oblique grids, as long as they lie inside."""

    def linear(grid):
        nz, ny, nx = grid.shape
        z, y, x = np.meshgrid(np.arange(nz), np.arange(ny), np.arange(nx), indexing="ij")
        return grid.to_physical(np.stack([x, y, z], axis=-1)) @ (0.3, -0.2, 0.5) + 40

    source = Grid((20, 20, 20), (2.0, 2.5, 3.0))
    c, s = np.cos(0.3), np.sin(0.3)
    for target in (
        Grid((8, 8, 8), 1.0, (10, 11, 12)),
        Grid((5, 5, 5), (5.0, 6.0, 7.0), (8, 9, 10)),
        Grid((5, 5, 5), 3.0, (30, 30, 15), (-1, 0, 0, 0, -1, 0, 0, 0, 1)),
        Grid((5, 5, 5), 4.0, (12, 15, 18), (c, -s, 0, s, c, 0, 0, 0, 1)),
    ):
        assert interpolated(linear(source), source, target) == pytest.approx(linear(target), rel=1e-6)


def test_coarser_voxels_hold_the_mean_of_the_fine_ones():
    rng = np.random.default_rng(1)
    fine = rng.random((12, 12, 12))
    source, target = Grid(fine.shape, 1.0), Grid((4, 4, 4), 3.0, (1, 1, 1))
    means = fine.reshape(4, 3, 4, 3, 4, 3).mean(axis=(1, 3, 5))
    assert interpolated(fine, source, target) == pytest.approx(means)


def test_onto_another_grid_is_said_and_what_is_missing_too():
    dose = DoseImage(np.ones((4, 4, 4)), Grid((4, 4, 4), 2.0), name="their.mha")
    moved = dose.onto(Grid((4, 4, 4), 2.0, (0, 0, 4)))
    assert np.isnan(moved.gy[2:]).all() and np.all(moved.gy[:2] == 1)
    assert "interpolated linearly" in moved.notes[0] and "50.0 %" in moved.notes[1]
    assert dose.onto(dose.grid) is dose
    with pytest.raises(InputError, match=r"their.mha: does not overlap"):
        dose.onto(Grid((4, 4, 4), 2.0, (100, 0, 0)))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"units": "RELATIVE"}, "DoseUnits RELATIVE; export the dose in GY"),
        ({"modality": "CT"}, "modality CT"),
        ({"offsets": (0.0, 3.0, 7.0)}, "not evenly spaced"),
        ({"offsets": (0.0, 3.0)}, "2 frame offsets for 3 frames"),
    ],
)
def test_rtdose_that_cannot_be_used(rtdose, change, words):
    with pytest.raises(InputError, match=words):
        as_dose_image(rtdose(np.ones((3, 2, 2)), **{"offsets": (0.0, 3.0, 6.0), **change}))


def test_wrong_things_are_refused(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        as_dose_image(tmp_path / "none.nii.gz")
    with pytest.raises(InputError, match="give a Dose"):
        as_dose_image(3.0)
    with pytest.raises(InputError, match="NaN everywhere"):
        DoseImage(np.full((2, 2, 2), np.nan), Grid((2, 2, 2), 1.0))
    assert grid_of(DoseImage(np.ones((2, 2, 2)), Grid((2, 2, 2), 1.0))).shape == (2, 2, 2)
