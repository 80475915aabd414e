"""Fixtures shared by the tests, and the switch for the slow ones."""

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

# Real images of a shared folder beside the repository; they are not part of it, and tests of them skip without it.
REAL_IMAGES = Path(__file__).resolve().parents[2] / "shared" / "real"


def pytest_addoption(parser):
    parser.addoption("--slow", action="store_true", help="also run the long validations")


def pytest_collection_modifyitems(config, items):
    if config.getoption("--slow"):
        return
    skip = pytest.mark.skip(reason="a long validation: run with --slow")
    for item in items:
        if "slow" in item.keywords:
            item.add_marker(skip)


@pytest.fixture
def real_images():
    if not REAL_IMAGES.is_dir():
        pytest.skip("no shared real images beside the repository")
    return REAL_IMAGES


@pytest.fixture
def image_factory():
    """Make a SimpleITK image from an array [z, y, x]."""

    def make(values, spacing=(1.0, 1.0, 1.0), origin=(0.0, 0.0, 0.0), direction=(1, 0, 0, 0, 1, 0, 0, 0, 1)):
        image = sitk.GetImageFromArray(np.ascontiguousarray(values))
        image.SetSpacing([float(s) for s in spacing])
        image.SetOrigin([float(o) for o in origin])
        image.SetDirection([float(d) for d in direction])
        return image

    return make


@pytest.fixture
def thorax(image_factory, tmp_path):
    """A small CT (lung over liver, 4 mm) and a Y-90 activity image (6 mm, Bq/mL) as files: (ct path, activity path)."""
    hu = np.full((18, 20, 20), 50, np.int16)
    hu[9:] = -745
    ct = image_factory(hu, (4, 4, 4), (-38, -38, -34))
    activity = np.zeros((12, 13, 13), np.float32)
    activity[2:7, 4:9, 4:9] = 1e6
    spect = image_factory(activity, (6, 6, 6), (-36, -36, -33))
    paths = tmp_path / "ct.nii.gz", tmp_path / "spect.nii.gz"
    sitk.WriteImage(ct, str(paths[0]))
    sitk.WriteImage(spect, str(paths[1]))
    return paths


@pytest.fixture
def dicom_factory(tmp_path):
    """Write a DICOM CT series, one file per position, and give its folder."""
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

    def write(hu, positions_mm, series="1.2.3.4", folder="ct", thickness_mm=3.0, orientation=(1, 0, 0, 0, 1, 0)):
        target = tmp_path / folder
        target.mkdir(exist_ok=True)
        before = len(list(target.iterdir()))
        for k, (plane, position) in enumerate(zip(hu, positions_mm)):
            meta = FileMetaDataset()
            meta.TransferSyntaxUID = ExplicitVRLittleEndian
            meta.MediaStorageSOPClassUID = CTImageStorage
            meta.MediaStorageSOPInstanceUID = generate_uid()
            path = target / f"{before + k:03d}.dcm"
            slice_ = FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
            slice_.SOPClassUID, slice_.SOPInstanceUID = CTImageStorage, meta.MediaStorageSOPInstanceUID
            slice_.SeriesInstanceUID, slice_.StudyInstanceUID = series, "1.2.3"
            slice_.Modality, slice_.SliceThickness, slice_.InstanceNumber = "CT", thickness_mm, before + k + 1
            slice_.ImagePositionPatient, slice_.ImageOrientationPatient = list(position), list(orientation)
            slice_.PixelSpacing = [2.0, 1.5]  # rows 2 mm apart (y), columns 1.5 mm apart (x)
            slice_.Rows, slice_.Columns = plane.shape
            slice_.SamplesPerPixel, slice_.PhotometricInterpretation = 1, "MONOCHROME2"
            slice_.BitsAllocated, slice_.BitsStored, slice_.HighBit, slice_.PixelRepresentation = 16, 12, 11, 0
            slice_.RescaleSlope, slice_.RescaleIntercept = 1, -1024
            slice_.PixelData = (np.asarray(plane) + 1024).astype("<u2").tobytes()
            slice_.save_as(path, enforce_file_format=True)
        return target

    return write
