"""Values moved from one grid to another so that their integral over space is kept.

1. A voxel is a box of constant value. The value in a target voxel is the average over its volume of the source boxes
   it overlaps: mass (or the number of decays) in any target voxel is exactly what the source holds there.
2. Axes parallel (also flipped or permuted): overlaps are products of three one-dimensional overlaps, exact.
3. Axes oblique: a target voxel is sampled at points of a low-discrepancy sequence, each taking the source box it falls
   in (R3 of M. Roberts, 2018, "The unreasonable effectiveness of quasirandom sequences": additive recurrence with the
   powers of the root of g^4 = g + 1). Its points differ along every axis, so that an axis that happens to be parallel
   is sampled evenly too. The error of a voxel is a few per cent of the local contrast; sums over voxels average out.
4. A label comes from whichever holds most of the voxel's mass (largest weight), since averaging labels means nothing.
"""

from typing import NamedTuple

import numba
import numpy as np

# Directions count as parallel when a whole image's width of voxels drifts by less than this share of a voxel.
PARALLEL_DRIFT_VOXELS = 0.02
POINTS_PER_SOURCE_VOXEL = 27  # oblique grids: three points per source voxel and axis
MAX_POINTS = 512  # a much coarser target gains nothing from more: the sum is then known to a thousandth
R3 = 1.2207440846057596 ** -np.arange(1.0, 4.0)  # steps of the sequence along x, y, z
MAX_LABELS = 256  # labels are uint8


class Regridded(NamedTuple):
    """Values on the target grid: mean over the covered part, covered share (0 to 1), label of the largest weight."""

    mean: np.ndarray
    covered: np.ndarray
    label: np.ndarray


def regrid(values, source, target, labels=None):
    """Average `values` of one grid over the voxels of another.

    Parameters
    ----------
    values : array [z, y, x]
        Non-negative quantity per volume (density, activity concentration).
    source, target : Grid
    labels : uint8 array [z, y, x], optional
        A label per source voxel; the result's label is the one with most of `values` in the target voxel.

    Returns
    -------
    Regridded
        float64, float64 and uint8 arrays of the target's shape.
    """
    values = np.ascontiguousarray(values, dtype=np.float32)
    labels = np.zeros((1, 1, 1), np.uint8) if labels is None else np.ascontiguousarray(labels, dtype=np.uint8)
    matrix, offset = index_map(source, target)
    axes = _parallel_axes(matrix, target)
    if axes is None:
        count = min(MAX_POINTS, int(POINTS_PER_SOURCE_VOXEL * np.maximum(np.linalg.norm(matrix, axis=0), 1.0).prod()))
        points = (0.5 + np.arange(count)[:, None] * R3) % 1.0 - 0.5
        points -= points.mean(axis=0)  # no shift of the whole image
        return Regridded(*_sample_points(values, labels, matrix, offset, points, np.asarray(target.shape)))
    # Bring the source into the target's axis order; flips are in the sign of the scale and need no copy.
    order = [2 - axes[2 - k] for k in range(3)]
    values = np.ascontiguousarray(values.transpose(order))
    labels = np.ascontiguousarray(labels.transpose(order))
    overlaps = [
        _overlaps(matrix[axes[k], k], offset[axes[k]], target.size_xyz[k], source.size_xyz[axes[k]]) for k in range(3)
    ]
    (x0, wx), (y0, wy), (z0, wz) = overlaps
    return Regridded(*_average_boxes(values, labels, x0, wx, y0, wy, z0, wz))


def nearest(values, source, target, outside=0):
    """The value of the source voxel that holds each target voxel's centre (masks and labels).

    Returns
    -------
    array [z, y, x] of the type of `values`; `outside` where the source has no voxel.
    """
    matrix, offset = index_map(source, target)
    out = np.full(target.shape, outside, dtype=values.dtype)
    nx, ny, nz = target.size_xyz
    plane = np.stack(np.meshgrid(np.arange(nx), np.arange(ny), indexing="xy"), axis=-1) @ matrix[:, :2].T + offset
    for z in range(nz):
        index = np.floor(plane + z * matrix[:, 2] + 0.5).astype(np.int64)
        inside = ((index >= 0) & (index < source.size_xyz)).all(axis=-1)
        ix, iy, iz = index[inside].T
        out[z][inside] = values[iz, iy, ix]
    return out


def index_map(source, target):
    """Matrix [3, 3] and offset [3] with: continuous source index = matrix @ target index + offset (x, y, z)."""
    inverse = np.linalg.inv(source.step_matrix)
    return inverse @ target.step_matrix, source.to_index(target.origin_mm)


def _parallel_axes(matrix, target):
    """For each target axis the source axis it runs along, or None when the grids are oblique to each other."""
    axes = np.abs(matrix).argmax(axis=0)
    if len(set(axes.tolist())) < 3:
        return None
    rest = np.abs(matrix).copy()
    rest[axes, [0, 1, 2]] = 0.0
    drift = (rest * np.asarray(target.size_xyz)).max()
    return axes.tolist() if drift < PARALLEL_DRIFT_VOXELS else None


def _overlaps(scale, offset, n_target, n_source):
    """First source voxel and the overlap (share of the target voxel) of each that a target voxel touches, one axis.

    Returns
    -------
    int64 [n_target], float64 [n_target, m]
    """
    centre = offset + scale * np.arange(n_target) + 0.5
    low = np.clip(centre - abs(scale) / 2, 0, n_source)
    high = np.clip(centre + abs(scale) / 2, 0, n_source)
    first = np.minimum(np.floor(low).astype(np.int64), n_source - 1)
    m = int(np.max(np.ceil(high) - first, initial=1))
    left = first[:, None] + np.arange(m)
    weight = np.minimum(high[:, None], left + 1) - np.maximum(low[:, None], left)
    return first, np.maximum(weight, 0.0) / abs(scale)


@numba.njit(cache=True)
def _average_boxes(values, labels, x0, wx, y0, wy, z0, wz):
    shape = (z0.size, y0.size, x0.size)
    mean, covered, label = np.zeros(shape), np.zeros(shape), np.zeros(shape, np.uint8)
    labelled = labels.size == values.size
    share = np.zeros(MAX_LABELS)
    for iz in range(shape[0]):
        for iy in range(shape[1]):
            for ix in range(shape[2]):
                total = 0.0
                volume = 0.0
                if labelled:
                    share[:] = 0.0
                for kz in range(wz.shape[1]):
                    if wz[iz, kz] == 0.0:
                        continue
                    for ky in range(wy.shape[1]):
                        wzy = wz[iz, kz] * wy[iy, ky]
                        if wzy == 0.0:
                            continue
                        for kx in range(wx.shape[1]):
                            w = wzy * wx[ix, kx]
                            if w == 0.0:
                                continue
                            z, y, x = z0[iz] + kz, y0[iy] + ky, x0[ix] + kx
                            amount = w * values[z, y, x]
                            total += amount
                            volume += w
                            if labelled:
                                share[labels[z, y, x]] += amount
                covered[iz, iy, ix] = volume
                if volume > 0.0:
                    mean[iz, iy, ix] = total / volume
                    if labelled:
                        label[iz, iy, ix] = share.argmax()
    return mean, covered, label


@numba.njit(cache=True)
def _sample_points(values, labels, matrix, offset, points, shape_zyx):
    shape = (shape_zyx[0], shape_zyx[1], shape_zyx[2])
    mean, covered, label = np.zeros(shape), np.zeros(shape), np.zeros(shape, np.uint8)
    labelled = labels.size == values.size
    share = np.zeros(MAX_LABELS)
    nz, ny, nx = values.shape
    for iz in range(shape[0]):
        for iy in range(shape[1]):
            for ix in range(shape[2]):
                total = 0.0
                hits = 0
                if labelled:
                    share[:] = 0.0
                for k in range(points.shape[0]):
                    u, v, w = ix + points[k, 0], iy + points[k, 1], iz + points[k, 2]
                    x = int(np.floor(matrix[0, 0] * u + matrix[0, 1] * v + matrix[0, 2] * w + offset[0] + 0.5))
                    y = int(np.floor(matrix[1, 0] * u + matrix[1, 1] * v + matrix[1, 2] * w + offset[1] + 0.5))
                    z = int(np.floor(matrix[2, 0] * u + matrix[2, 1] * v + matrix[2, 2] * w + offset[2] + 0.5))
                    if x < 0 or y < 0 or z < 0 or x >= nx or y >= ny or z >= nz:
                        continue
                    hits += 1
                    total += values[z, y, x]
                    if labelled:
                        share[labels[z, y, x]] += values[z, y, x]
                covered[iz, iy, ix] = hits / points.shape[0]
                if hits > 0:
                    mean[iz, iy, ix] = total / hits
                    if labelled:
                        label[iz, iy, ix] = share.argmax()
    return mean, covered, label
