"""DICOM RTDOSE files, read and written (DICOM PS3.3 C.8.8.3).

1. Dose = whole numbers of 32 bits times DoseGridScaling, in GY. Writing, the scale is such that the maximum uses all of
   the bits: rounding is 1e-10 of the maximum.
2. Frames lie along the normal of ImageOrientationPatient (rows x columns); GridFrameOffsetVector holds their distances
   from the first, negative where the grid runs against the normal.
3. Patient, study and frame of reference are those of the CT, where it is DICOM: viewers then lay the dose on it.
4. DoseSummationType PLAN demands a reference to a plan. There is none in radionuclide therapy: its identifier is new
   and leads nowhere.
"""

from pathlib import Path

import numpy as np

from mcdose.errors import InputError
from mcdose.files import atomic
from mcdose.grid import Grid

GRAY = "GY"  # DoseUnits; the other defined term is RELATIVE
UNEVEN_MM = 0.01  # frame offsets that differ by more than this are not one spacing
LEVELS = 2**32 - 16  # of 32 bits; the scale, written in ten digits, may be too small by 5e-10: 2 of the rest
COMMENT_LENGTH = 64  # of DICOM's long strings
FRAME_OFFSETS = 0x3004000C  # tag of GridFrameOffsetVector, along which the frames follow one another
# What the dose shares with the CT; without one the texts are empty.
OF_THE_CT = (
    "PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyInstanceUID", "StudyDate", "StudyTime",
    "StudyID", "AccessionNumber", "ReferringPhysicianName", "FrameOfReferenceUID", "PositionReferenceIndicator",
)  # fmt: skip


def read_rtdose(path):
    """Dose of an RTDOSE file.

    Parameters
    ----------
    path : str or Path
        A DICOM file.

    Returns
    -------
    float64 array [z, y, x], Grid
        Dose in Gy, and where it lies.

    Raises
    ------
    InputError
        Damaged, not an RTDOSE file, not in GY, or frames that are not evenly spaced.
    """
    import pydicom

    try:
        file = pydicom.dcmread(path)
        modality = file.get("Modality")
    except (pydicom.errors.InvalidDicomError, OSError) as error:
        raise InputError(f"{path}: damaged DICOM file; export it again") from error
    if modality != "RTDOSE":
        raise InputError(f"{path}: DICOM of modality {modality}; give an RTDOSE file")
    if str(file.get("DoseUnits", "")).upper() != GRAY:
        raise InputError(f"{path}: DoseUnits {file.get('DoseUnits')}; export the dose in GY")
    try:
        frames = file.pixel_array.astype(float) * float(file.DoseGridScaling)
        frames = frames[None] if frames.ndim == 2 else frames  # a single frame
        grid, flipped = _grid(file, path, frames.shape)
    except (AttributeError, KeyError, ValueError, TypeError) as error:
        raise InputError(f"{path}: not a complete RTDOSE file ({error}); export it again") from error
    return frames[::-1] if flipped else frames, grid


def _grid(file, path, shape):
    """Grid of the frames, and whether they run against the direction of their normal."""
    across, down = np.reshape([float(c) for c in file.ImageOrientationPatient], (2, 3))
    normal = np.cross(across, down)
    offsets = np.asarray([float(o) for o in file.GridFrameOffsetVector]) if shape[0] > 1 else np.zeros(1)
    if offsets.size != shape[0]:
        raise InputError(f"{path}: {offsets.size} frame offsets for {shape[0]} frames; export it again")
    steps = np.diff(offsets)
    if steps.size and (np.ptp(steps) > UNEVEN_MM or abs(steps[0]) < UNEVEN_MM):
        raise InputError(f"{path}: frames are not evenly spaced; export the dose on a regular grid")
    step = float(steps.mean()) if steps.size else float(file.get("SliceThickness") or 1.0)
    rows, columns = (float(s) for s in file.PixelSpacing)
    # Offsets are relative to the first frame, or positions along the normal: the steps are the same.
    origin = np.asarray([float(c) for c in file.ImagePositionPatient])
    if step < 0:
        origin = origin + normal * step * (shape[0] - 1)
    direction = np.stack([across, down, normal], axis=1).ravel()
    return Grid(shape, (columns, rows, abs(step)), origin, direction), step < 0


def write_rtdose(path, gy, grid, ct=None, comment=""):
    """Write a dose as one RTDOSE file, whole or not at all.

    Parameters
    ----------
    path : str or Path
    gy : callable
        Absorbed dose (Gy, not negative) in the slab of z given as a slice: array [z, y, x].
    grid : Grid
    ct : str or Path, optional
        Folder or file of the DICOM CT, whose patient, study and frame of reference the dose shares.
    comment : str
        DoseComment.

    Raises
    ------
    InputError
        No DICOM in `ct`, folder not writable or disk full.
    """
    import pydicom
    from pydicom.uid import ExplicitVRLittleEndian, RTDoseStorage, RTPlanStorage, generate_uid

    import mcdose

    meta = pydicom.dataset.FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = RTDoseStorage, generate_uid(prefix=None)
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    file = pydicom.dataset.FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
    file.SpecificCharacterSet = "ISO_IR 192"  # UTF-8
    file.SOPClassUID, file.SOPInstanceUID = RTDoseStorage, meta.MediaStorageSOPInstanceUID
    _share(file, ct, generate_uid)
    file.Modality, file.SeriesInstanceUID, file.SeriesNumber = "RTDOSE", generate_uid(prefix=None), None
    file.SeriesDescription, file.OperatorsName, file.InstanceNumber = "absorbed dose", "", 1
    file.Manufacturer, file.ManufacturerModelName, file.SoftwareVersions = "", "mcdose", mcdose.__version__
    file.DoseUnits, file.DoseType, file.DoseSummationType = GRAY, "PHYSICAL", "PLAN"
    plan = pydicom.Dataset()
    plan.ReferencedSOPClassUID, plan.ReferencedSOPInstanceUID = RTPlanStorage, generate_uid(prefix=None)
    file.ReferencedRTPlanSequence = [plan]
    file.TissueHeterogeneityCorrection, file.DoseComment = "IMAGE", comment[:COMMENT_LENGTH]
    _place(file, grid)
    _store(file, gy, grid.shape)
    with atomic(path) as part:
        file.save_as(part, enforce_file_format=True)


def _share(file, ct, new_uid):
    """Copy what the dose shares with the CT; a study or frame of reference that it does not have is new."""
    header = None if ct is None else _header(ct)
    for name in OF_THE_CT:
        value = None if header is None else header.get(name)
        if not value and name.endswith("UID"):
            value = new_uid(prefix=None)
        setattr(file, name, "" if value is None else str(value))


def _header(ct):
    """The header of the first DICOM image of a folder, or of a file."""
    import pydicom

    ct = Path(ct)
    for path in sorted(ct.iterdir()) if ct.is_dir() else [ct]:
        try:
            header = pydicom.dcmread(path, stop_before_pixels=True)
        except (pydicom.errors.InvalidDicomError, OSError):
            continue
        if header.get("ImagePositionPatient"):
            return header
    raise InputError(f"{ct}: no DICOM image; give the folder of the CT series, or none")


def _place(file, grid):
    """Where the voxels lie."""
    across, down, along = np.reshape(grid.direction, (3, 3)).T
    dx, dy, dz = grid.spacing_mm
    step = dz if np.cross(across, down) @ along > 0 else -dz
    file.NumberOfFrames, file.Rows, file.Columns = grid.shape
    file.FrameIncrementPointer = FRAME_OFFSETS
    file.GridFrameOffsetVector = _decimals(step * np.arange(grid.shape[0]))
    file.ImagePositionPatient = _decimals(grid.origin_mm)
    file.ImageOrientationPatient = _decimals([*across, *down])
    file.PixelSpacing, file.SliceThickness = _decimals([dy, dx]), _decimals([dz])[0]


def _store(file, gy, shape):
    """Scale and whole numbers of the dose."""
    maximum = max(float(gy(slice(z, z + 1)).max()) for z in range(shape[0]))
    file.DoseGridScaling = f"{maximum / LEVELS:.9e}" if maximum > 0 else "1.0"
    scale = float(file.DoseGridScaling)
    values = np.empty(shape, "<u4")
    for z in range(shape[0]):
        values[z] = np.rint(gy(slice(z, z + 1))[0] / scale)
    file.SamplesPerPixel, file.PhotometricInterpretation, file.PixelRepresentation = 1, "MONOCHROME2", 0
    file.BitsAllocated, file.BitsStored, file.HighBit = 32, 32, 31
    file.PixelData = values.tobytes()


def _decimals(values):
    """Decimal strings, of 16 characters at most."""
    from pydicom.valuerep import format_number_as_ds

    return [format_number_as_ds(float(value)) for value in values]
