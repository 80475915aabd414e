"""Grids about a source in their middle, folded onto one octant.

1. The mirror planes of a voxel and, between axes of equal spacing, their exchange leave a kernel as it is.
2. Voxels that are equal by symmetry are averaged; their noise is independent but for tracks that cross several of them.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Octant:
    """Means over the mirror images of each voxel, arrays [k, j, i] for offsets from 0.

    Attributes
    ----------
    mean : array
        Mean over the images.
    sum_variance : array
        Variance of their sum.
    count : array
        Number of images: 1, 2, 4 or 8.
    """

    mean: np.ndarray
    sum_variance: np.ndarray
    count: np.ndarray

    @property
    def relative_uncertainty(self):
        """Relative standard uncertainty of the means; NaN where they are zero."""
        total = self.mean * self.count
        return np.divide(np.sqrt(self.sum_variance), total, out=np.full(total.shape, np.nan), where=total > 0)

    def exchanged(self, spacing):
        """The same with the means over axes of equal spacing (x, y, z) as well."""
        ids = _orbits(self.mean.shape, spacing)
        total, variance, count = (
            np.bincount(ids.ravel(), values.ravel())
            for values in (self.mean * self.count, self.sum_variance, self.count)
        )
        mean = total / np.where(count, count, 1)
        return Octant(mean[ids], variance[ids], count[ids])


def fold(values, variance):
    """Fold an array [z, y, x] of odd size and its variances about its middle voxel."""
    count = _add_images(np.ones(values.shape))
    return Octant(_add_images(values) / count, _add_images(variance), count)


def unfold(octant):
    """The full array, odd in every direction, of values on an octant."""
    for axis in range(3):
        octant = np.concatenate([np.flip(octant, axis).take(range(octant.shape[axis] - 1), axis), octant], axis)
    return octant


def offsets(half, spacing):
    """Offsets [k, j, i, 3] = (x, y, z) of the voxels of an octant with ``half`` (z, y, x) voxels beyond the middle."""
    k, j, i = np.indices([n + 1 for n in half])
    return np.stack([i, j, k], axis=-1) * np.asarray(spacing, float)


def _add_images(values):
    for axis in range(3):
        values = np.moveaxis(values, axis, 0)
        middle = len(values) // 2
        folded = values[middle:].copy()
        folded[1:] += values[:middle][::-1]
        values = np.moveaxis(folded, 0, axis)
    return values


def _orbits(shape, spacing):
    """A number for each voxel of an octant, the same for those that exchange of equal axes turns into each other."""
    index = np.indices(shape)[::-1]  # along x, y, z
    spacing = np.asarray(spacing)
    for step in set(spacing.tolist()):
        equal = np.flatnonzero(spacing == step)
        index[equal] = np.sort(index[equal], axis=0)
    return np.ravel_multi_index(tuple(index), (max(shape),) * 3)
