"""A made-up patient: a CT of soft tissue, lungs and bone, and an activity image with something in every body voxel."""

import numpy as np
import SimpleITK as sitk

WIDTH_MM = 512.0  # of the images
AIR_HU, TISSUE_HU, LUNG_HU, BONE_HU = -1000, 40, -750, 600
BACKGROUND_BQ_ML, TUMOUR_BQ_ML = 1e3, 1e6
NOISE_HU, SEED = 20, 1


def body(voxels):
    """CT and activity image of ``voxels`` cubed.

    Returns
    -------
    tuple of SimpleITK.Image
        int16 HU, and float32 Bq/mL.
    """
    z, y, x = np.meshgrid(*[np.linspace(-1, 1, voxels, dtype=np.float32)] * 3, indexing="ij", sparse=True)
    inside = (x / 0.7) ** 2 + (y / 0.5) ** 2 < 1
    inside = np.broadcast_to(inside, (voxels,) * 3)
    hu = np.where(inside, TISSUE_HU, AIR_HU).astype(np.int16)
    for side in (-0.33, 0.33):
        hu[((x - side) / 0.22) ** 2 + (y / 0.35) ** 2 + ((z - 0.5) / 0.45) ** 2 < 1] = LUNG_HU
    hu[np.broadcast_to(x**2 + (y - 0.33) ** 2 < 0.08**2, hu.shape)] = BONE_HU
    hu += np.random.default_rng(SEED).integers(-NOISE_HU, NOISE_HU + 1, hu.shape, np.int16)
    activity = np.where(inside, np.float32(BACKGROUND_BQ_ML), np.float32(0))
    activity[((x - 0.25) / 0.15) ** 2 + (y / 0.15) ** 2 + ((z + 0.3) / 0.15) ** 2 < 1] = TUMOUR_BQ_ML
    return _image(hu), _image(activity)


def _image(values):
    image = sitk.GetImageFromArray(values)
    image.SetSpacing([WIDTH_MM / values.shape[0]] * 3)
    return image
