"""Images in and out: the only place that turns SimpleITK images into arrays ``[z, y, x]`` and back.

Everything inside mcdose works on a plain array and its :class:`~mcdose.grid.Grid`; files, DICOM folders and SimpleITK
images end here.
"""

from pathlib import Path

import numpy as np
import SimpleITK as sitk

from mcdose.errors import InputError
from mcdose.files import atomic
from mcdose.grid import Grid

NAME_KEY = "mcdose_name"  # metadata entry with the file an image came from, for messages
WRITABLE = (".nii", ".nii.gz", ".mha", ".nrrd")


def read_image(path):
    """Read a CT, an activity image or a mask.

    Parameters
    ----------
    path : str or Path
        A NIfTI, MHA, NRRD or other file that SimpleITK reads, or the folder of one DICOM series. Slices are ordered
        and spaced by their positions, never by file name or slice thickness.

    Returns
    -------
    SimpleITK.Image
        Three-dimensional, one number per voxel.

    Raises
    ------
    InputError
        When there is no such file, it cannot be read, or it is not one three-dimensional image.
    """
    path = Path(path)
    if not path.exists():
        raise InputError(f"{path}: no such file or folder; check the path")
    if path.is_dir():
        from mcdose.dicom_series import read_series

        image = read_series(path)
    else:
        image = _read_file(path)
    image.SetMetaData(NAME_KEY, str(path))
    return image


def image_name(image, fallback="image"):
    """What to call an image in a message: its file where it came from one."""
    return image.GetMetaData(NAME_KEY) if image.HasMetaDataKey(NAME_KEY) else fallback


def grid_of(image):
    """The :class:`~mcdose.grid.Grid` of a SimpleITK image, a Phantom, or a Grid itself."""
    if isinstance(image, Grid):
        return image
    if hasattr(image, "grid"):
        return image.grid
    try:
        return Grid(image.GetSize()[::-1], image.GetSpacing(), image.GetOrigin(), image.GetDirection())
    except InputError as error:
        raise InputError(f"{image_name(image)}: {error}") from error


def array_of(image, kind=None):
    """The voxel values of a SimpleITK image as an array ``[z, y, x]`` (a copy), of another type if `kind` is given."""
    return np.array(sitk.GetArrayViewFromImage(image), dtype=kind)


def to_image(values, grid):
    """A SimpleITK image of an array ``[z, y, x]`` on a grid."""
    image = sitk.GetImageFromArray(values)
    image.SetSpacing(grid.spacing_mm)
    image.SetOrigin(grid.origin_mm)
    image.SetDirection(grid.direction)
    return image


def write_image(image, path):
    """Write a SimpleITK image, whole or not at all.

    Parameters
    ----------
    image : SimpleITK.Image
    path : str or Path
        Ends in .nii, .nii.gz, .mha or .nrrd.

    Raises
    ------
    InputError
        Unknown suffix, folder not writable or disk full.
    """
    path = Path(path)
    check_suffix(path)
    with atomic(path) as part:
        try:
            sitk.WriteImage(image, str(part), useCompression=True)
            _verify(image, part)
        except RuntimeError as error:
            raise OSError(None, "the disk may be full") from error


def check_suffix(path):
    """Raise InputError unless images can be written under this name."""
    if not str(path).lower().endswith(WRITABLE):
        raise InputError(f"{path}: images are written as {', '.join(WRITABLE)}; choose one of these endings")


def _verify(image, path):
    """Read the file back: the compressed writers do not report a full disk."""
    back = sitk.ReadImage(str(path))  # kept in a variable: a view does not keep its image alive
    if not np.array_equal(sitk.GetArrayViewFromImage(back), sitk.GetArrayViewFromImage(image)):
        raise OSError(None, "not all of it reached the disk")


def _read_file(path):
    try:
        image = sitk.ReadImage(str(path))
    except RuntimeError as error:
        raise InputError(
            f"{path}: not a readable image; give NIfTI, MHA, NRRD or the folder of a DICOM series"
        ) from error
    while image.GetDimension() > 3 and image.GetSize()[-1] == 1:
        image = image[(slice(None),) * (image.GetDimension() - 1) + (0,)]
    if image.GetDimension() != 3:
        raise InputError(f"{path}: an image of {image.GetDimension()} dimensions; give one three-dimensional image")
    if image.GetNumberOfComponentsPerPixel() != 1:
        values = image.GetNumberOfComponentsPerPixel()
        raise InputError(f"{path}: {values} values per voxel; give an image of one")
    if image.GetSize()[2] == 1 and image.HasMetaDataKey("0020|0032"):
        raise InputError(f"{path}: one DICOM slice; give the folder that holds the whole series")
    return image
