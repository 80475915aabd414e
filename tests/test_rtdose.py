"""Doses as DICOM RTDOSE: what is written is read back, lies where the grid lies, and belongs to the CT's patient."""

from dataclasses import replace

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk

import mcdose
from mcdose.dose_image import as_dose_image
from mcdose.errors import InputError
from mcdose.rtdose import read_rtdose

C, S = np.cos(0.3), np.sin(0.3)
DIRECTIONS = {
    "upright": (1, 0, 0, 0, 1, 0, 0, 0, 1),
    "oblique": (C, -S, 0, S, C, 0, 0, 0, 1),
    "left-handed": (1, 0, 0, 0, 1, 0, 0, 0, -1),
    "permuted": (0, 0, 1, 1, 0, 0, 0, 1, 0),
}
# Attributes that the modules of the RT Dose IOD (PS3.3 A.18.3) require: with a value, or present
WITH_VALUE = (
    "StudyInstanceUID", "Modality", "SeriesInstanceUID", "FrameOfReferenceUID", "SamplesPerPixel", "Rows", "Columns",
    "PhotometricInterpretation", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation", "DoseUnits",
    "DoseType", "DoseSummationType", "ReferencedRTPlanSequence", "GridFrameOffsetVector", "DoseGridScaling",
    "NumberOfFrames", "FrameIncrementPointer", "PixelSpacing", "ImageOrientationPatient", "ImagePositionPatient",
    "SOPClassUID", "SOPInstanceUID", "PixelData",
)  # fmt: skip
PRESENT = (
    "PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyDate", "StudyTime", "StudyID",
    "AccessionNumber", "ReferringPhysicianName", "SeriesNumber", "OperatorsName", "PositionReferenceIndicator",
    "Manufacturer", "InstanceNumber", "SliceThickness",
)  # fmt: skip


def made(direction=DIRECTIONS["upright"], peak=3e9):
    """A dose of random energies."""
    shape = (5, 6, 7)
    media = [mcdose.material("water")]
    density, index = np.ones(shape), np.zeros(shape, int)
    phantom = mcdose.Phantom(density, index, media, (2.0, 3.0, 4.0), (11.0, -22.123456789, 1 / 3), direction)
    energy = np.random.default_rng(1).random(shape) * peak
    settings = {"emission": "Y-90"}
    return mcdose.Dose(phantom, energy, np.full(shape, 0.02), 2 * energy.sum(), 0.0, 1e9, 1000, 1.0, settings, {})


@pytest.mark.parametrize("direction", DIRECTIONS.values(), ids=DIRECTIONS)
@pytest.mark.parametrize("peak", [3e9, 1e-3, 7e17])
def test_dose_comes_back_where_it_was(direction, peak, tmp_path):
    dose = made(direction, peak)
    dose.write_image(tmp_path / "dose.dcm")
    back, grid = read_rtdose(tmp_path / "dose.dcm")
    at = grid.to_physical([(k, j, i) for i in (0, 4) for j in (0, 5) for k in (0, 6)])
    own = np.rint(dose.phantom.grid.to_index(at)).astype(int)
    assert np.abs(dose.phantom.grid.to_physical(own) - at).max() < 1e-6  # mm
    ours = [dose.gy[i, j, k] for k, j, i in own]
    theirs = [back[i, j, k] for i in (0, 4) for j in (0, 5) for k in (0, 6)]
    assert theirs == pytest.approx(ours, abs=2e-10 * dose.gy.max())  # half of a 32-bit step
    assert back.sum() == pytest.approx(dose.gy.sum(), rel=1e-8)


def test_another_reader_agrees(tmp_path):
    """GDCM, in SimpleITK, applies scale and geometry itself."""
    dose = made(DIRECTIONS["oblique"])
    dose.write_image(tmp_path / "dose.dcm")
    image = sitk.ReadImage(str(tmp_path / "dose.dcm"))
    scale = float(image.GetMetaData("3004|000e"))
    values = sitk.GetArrayFromImage(image)
    values = values * (scale if values.max() > 2 * dose.gy.max() else 1.0)
    assert values == pytest.approx(dose.gy, rel=1e-6)
    assert image.GetSpacing() == pytest.approx(dose.phantom.spacing_mm)
    assert image.GetOrigin() == pytest.approx(dose.phantom.origin_mm)
    assert image.GetDirection() == pytest.approx(dose.phantom.direction)


def test_the_file_has_what_the_standard_requires(tmp_path):
    made().write_image(tmp_path / "dose.dcm")
    file = pydicom.dcmread(tmp_path / "dose.dcm")
    for name in WITH_VALUE:
        assert file.get(name) not in (None, ""), name
    for name in PRESENT:
        assert name in file, name
    assert (file.Modality, file.DoseUnits, file.DoseType) == ("RTDOSE", "GY", "PHYSICAL")
    assert (file.BitsAllocated, file.PixelRepresentation) == (32, 0)
    assert file.SOPClassUID == file.file_meta.MediaStorageSOPClassUID == "1.2.840.10008.5.1.4.1.1.481.2"
    assert file.GridFrameOffsetVector == [0, 4, 8, 12, 16] and file.FrameIncrementPointer == 0x3004000C
    assert file.DoseComment == "mcdose, Y-90"
    for element in file.iterall():
        if element.VR == "DS":
            texts = element.value if element.VM > 1 else [element.value]
            assert all(len(str(text)) <= 16 for text in texts), element


def test_patient_and_frame_of_reference_are_those_of_the_ct(dicom_factory, tmp_path):
    folder = dicom_factory(np.zeros((3, 8, 8)), [(0, 0, 3.0 * k) for k in range(3)])
    (folder / "notes.txt").write_text("no DICOM")
    for path in folder.glob("*.dcm"):
        slice_ = pydicom.dcmread(path)
        slice_.SpecificCharacterSet = "ISO_IR 100"
        slice_.PatientName, slice_.PatientID, slice_.FrameOfReferenceUID = "Müller^Jörg", "4711", "1.2.3.4.5"
        slice_.save_as(path)
    made().write_image(tmp_path / "dose.dcm", ct=folder)
    file = pydicom.dcmread(tmp_path / "dose.dcm")
    assert (str(file.PatientName), file.PatientID) == ("Müller^Jörg", "4711")
    assert (file.FrameOfReferenceUID, file.StudyInstanceUID) == ("1.2.3.4.5", "1.2.3")
    with pytest.raises(InputError, match="no DICOM image"):
        made().write_image(tmp_path / "other.dcm", ct=folder / "notes.txt")
    assert not (tmp_path / "other.dcm").exists()


def test_nothing_but_a_dose_in_gray(tmp_path):
    dose = made()
    with pytest.raises(InputError, match="not a dose rate"):
        replace(dose, per_second=True).write_image(tmp_path / "dose.dcm")
    with pytest.raises(InputError, match="not an uncertainty"):
        dose.write_image(tmp_path / "dose.dcm", "uncertainty")
    assert not list(tmp_path.iterdir())


def test_no_dose_at_all(tmp_path):
    replace(made(), energy_mev=np.zeros((5, 6, 7))).write_image(tmp_path / "dose.dcm")
    assert not read_rtdose(tmp_path / "dose.dcm")[0].any()


def test_compare_takes_it(tmp_path):
    dose = made()
    dose.write_image(tmp_path / "dose.dcm")
    found = mcdose.compare(tmp_path / "dose.dcm", dose)
    assert abs(found.regions[0].difference_percent) < 1e-6
    assert as_dose_image(tmp_path / "dose.dcm").unit == "Gy"
