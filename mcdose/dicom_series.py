"""A DICOM series in a folder, put together by where its slices lie.

1. Read the headers of all files; those without a slice position (structure sets, reports, other files) are passed over.
2. All slices must be of one series, size, pixel size and orientation.
3. Order them along the slice normal by ImagePositionPatient; file names, instance numbers and SliceThickness are not
   used (thickness is the width of the reconstructed slice, often different from the distance between slices).
4. Distances must be equal; none may be zero (duplicates) or a multiple (missing slices).
5. Read the pixels slice by slice, each with its own rescale slope and intercept, and lay them on the regular grid.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pydicom
import SimpleITK as sitk

from mcdose.errors import InputError

TAGS = (
    "SeriesInstanceUID",
    "SeriesNumber",
    "Modality",
    "Rows",
    "Columns",
    "PixelSpacing",
    "ImageOrientationPatient",
    "ImagePositionPatient",
)
SAME_POSITION_MM = 0.01  # positions are written to 1e-3 mm or better; nobody reconstructs slices this close
MISSING_GAP = 1.5  # a gap above this many median gaps means that at least one slice is missing
UNEVEN_SHARE = 0.1  # a slice may lie off its regular place by this share of the spacing (rounded positions)
SAME_COSINES = 1e-4  # orientation cosines are written to at least five digits
SHIFT_PIXELS = 0.5  # slices shifted sideways by more than this over the series: a tilted gantry


@dataclass(frozen=True)
class _Slice:
    path: Path
    series: tuple
    position: np.ndarray
    orientation: np.ndarray
    pixel_mm: tuple
    size: tuple


def read_series(folder):
    """Read the one image series of a folder.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    SimpleITK.Image
        float32 or integer, rescaled (HU for a CT).

    Raises
    ------
    InputError
        No DICOM image, more than one series, duplicate, missing or unevenly spaced slices, or a tilted gantry.
    """
    slices = [s for path in sorted(folder.iterdir()) if path.is_file() and (s := _header(path)) is not None]
    if not slices:
        raise InputError(f"{folder}: no DICOM slices in this folder; give the folder of a CT series or an image file")
    _check_one_series(folder, slices)
    row, column = slices[0].orientation.reshape(2, 3)
    normal = np.cross(row, column)
    slices.sort(key=lambda s: float(s.position @ normal))
    spacing_mm = _check_positions(folder, slices, normal)
    image = sitk.GetImageFromArray(np.stack([_pixels(s.path) for s in slices]))
    image.SetSpacing((*slices[0].pixel_mm, spacing_mm))
    image.SetOrigin(slices[0].position.tolist())
    image.SetDirection(np.stack([row, column, normal], axis=1).ravel().tolist())
    return image


def _header(path):
    """The slice a file holds, or None when it is not a DICOM image slice."""
    try:
        header = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=list(TAGS))
    except (pydicom.errors.InvalidDicomError, OSError):
        return None
    if not all(header.get(tag) for tag in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "Rows")):
        return None
    y_mm, x_mm = (float(v) for v in header.PixelSpacing)
    return _Slice(
        path,
        tuple(str(header.get(tag) or "") for tag in ("SeriesInstanceUID", "SeriesNumber", "Modality")),
        np.array([float(v) for v in header.ImagePositionPatient]),
        np.array([float(v) for v in header.ImageOrientationPatient]),
        (x_mm, y_mm),
        (int(header.Rows), int(header.Columns)),
    )


def _check_one_series(folder, slices):
    series = {s.series for s in slices}
    if len(series) > 1:
        raise InputError(f"{folder}: {len(series)} series are mixed in this folder; give a folder with one series")
    first = slices[0]
    for s in slices:
        same = s.size == first.size and s.pixel_mm == first.pixel_mm
        if not same or np.abs(s.orientation - first.orientation).max() > SAME_COSINES:
            raise InputError(
                f"{folder}: {s.path.name} differs from {first.path.name} in size, pixel size or orientation; "
                "give a folder with one series"
            )


def _check_positions(folder, slices, normal):
    """Distance between neighbouring slices in mm, once it is sure that it is the same everywhere."""
    if len(slices) < 2:
        raise InputError(f"{folder}: only one DICOM slice; give the folder that holds the whole series")
    along = np.array([s.position @ normal for s in slices])
    gaps = np.diff(along)
    k = int(gaps.argmin())
    if gaps[k] < SAME_POSITION_MM:
        raise InputError(
            f"{folder}: {slices[k].path.name} and {slices[k + 1].path.name} lie at the same position "
            f"({along[k]:.2f} mm); remove the duplicate slices"
        )
    k = int(gaps.argmax())
    if gaps[k] > MISSING_GAP * np.median(gaps):
        raise InputError(
            f"{folder}: slices are missing between {along[k]:.2f} and {along[k + 1]:.2f} mm "
            f"({slices[k].path.name}, {slices[k + 1].path.name}); export the whole series again"
        )
    spacing = (along[-1] - along[0]) / (len(along) - 1)
    if np.abs(along - along[0] - spacing * np.arange(len(along))).max() > UNEVEN_SHARE * spacing:
        raise InputError(
            f"{folder}: slices are {gaps.min():.2f} to {gaps.max():.2f} mm apart; resample them to even slices first"
        )
    shift = slices[-1].position - slices[0].position
    sideways = np.linalg.norm(shift - (shift @ normal) * normal)
    if sideways > SHIFT_PIXELS * min(slices[0].pixel_mm):
        raise InputError(
            f"{folder}: the slices shift sideways by {sideways:.1f} mm (tilted gantry); resample the series to upright "
            "slices first"
        )
    return float(spacing)


def _pixels(path):
    try:
        return sitk.GetArrayFromImage(sitk.ReadImage(str(path)))[0]
    except RuntimeError as error:
        raise InputError(f"{path}: the pixels of this slice cannot be decoded; export it uncompressed") from error
