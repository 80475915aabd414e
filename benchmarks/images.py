"""A made-up patient: a CT of soft tissue, lungs and bone, and an activity image with something in every body voxel."""

import numpy as np
import SimpleITK as sitk

WIDTH_MM = 512.0  # of the images
AIR_HU, TISSUE_HU, LUNG_HU, BONE_HU = -1000, 40, -750, 600
BACKGROUND_BQ_ML, TUMOUR_BQ_ML = 1e3, 1e6
NOISE_HU, SEED = 20, 1


def body(voxels):
    """CT and activity image.

    Parameters
    ----------
    voxels : int or tuple of int
        Along each side, or (z, y, x).

    Returns
    -------
    tuple of SimpleITK.Image
        int16 HU, and float32 Bq/mL.
    """
    shape = (voxels,) * 3 if isinstance(voxels, int) else voxels
    z, y, x = _places(shape)
    inside = (x / 0.7) ** 2 + (y / 0.5) ** 2 < 1
    inside = np.broadcast_to(inside, shape)
    hu = np.where(inside, TISSUE_HU, AIR_HU).astype(np.int16)
    for side in (-0.33, 0.33):
        hu[((x - side) / 0.22) ** 2 + (y / 0.35) ** 2 + ((z - 0.5) / 0.45) ** 2 < 1] = LUNG_HU
    hu[np.broadcast_to(x**2 + (y - 0.33) ** 2 < 0.08**2, hu.shape)] = BONE_HU
    hu += np.random.default_rng(SEED).integers(-NOISE_HU, NOISE_HU + 1, hu.shape, np.int16)
    activity = np.where(inside, np.float32(BACKGROUND_BQ_ML), np.float32(0))
    activity[in_tumour(shape)] = TUMOUR_BQ_ML
    return _image(hu), _image(activity)


def in_tumour(shape):
    """bool array [z, y, x]: the tumour of :func:`body`, an ellipsoid in soft tissue."""
    z, y, x = _places(shape)
    return ((x - 0.25) / 0.15) ** 2 + (y / 0.15) ** 2 + ((z + 0.3) / 0.15) ** 2 < 1


def _places(shape):
    """Coordinates of the voxels from -1 to 1 along each axis, float32."""
    return np.meshgrid(*(np.linspace(-1, 1, n, dtype=np.float32) for n in shape), indexing="ij", sparse=True)


def _image(values):
    image = sitk.GetImageFromArray(values)
    image.SetSpacing([WIDTH_MM / values.shape[2]] * 3)
    return image
