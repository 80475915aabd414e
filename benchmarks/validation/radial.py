"""Energy in spherical shells about the centre of a dose grid.

1. The grid, of an odd number of voxels with the source in the middle of the central one, is folded onto one octant,
   cut off beyond the last shell.
2. The energy of a voxel is spread over points inside it with weights 1/r^2, since the energy per volume about a point
   source falls like that; what differs from it over a voxel is small. With voxels as wide as a shell and 6^3 points a
   shell beyond the second is right to 0.4 %, beyond the fourth to 0.2 %, and the energy within any radius to 0.02 % of
   the energy emitted (tried on a known kernel).
"""

import numpy as np
from scipy.sparse import coo_array, vstack

POINTS = 6  # along an edge of a voxel


def shell_shares(side, voxel, edges, points=POINTS):
    """Share of each voxel of an octant in each shell.

    Parameters
    ----------
    side : int
        Voxels along an edge of the octant; it may end where the last shell does.
    voxel : float
        Edge of a voxel, in the unit of `edges`.
    edges : array, shape (n + 1,)
        Ascending radii from 0.
    points : int
        Points along an edge of a voxel.

    Returns
    -------
    sparse array, shape (side**3, n)
        In the order of ``octant(values, side).ravel()``.
    """
    shells = len(edges) - 1
    within = (np.arange(points) + 0.5) / points - 0.5
    axis = (np.arange(side)[:, None] + within).ravel() * voxel
    square = _by_voxel(axis[:, None] ** 2 + axis[None, :] ** 2, side, points)
    owner = np.repeat(np.arange(side * side), points**3)
    planes = []
    for k in range(side):
        heights = axis[k * points : (k + 1) * points] ** 2
        r2 = (square[:, :, None] + heights).reshape(side * side, points**3)
        weight = 1.0 / r2
        weight /= weight.sum(axis=1, keepdims=True)
        shell = np.searchsorted(edges[1:], np.sqrt(r2.ravel()), side="right")
        inside = shell < shells
        places = owner[inside], shell[inside]
        planes.append(coo_array((weight.ravel()[inside], places), (side * side, shells)).tocsr())
    return vstack(planes).tocsr()


def octant(values, side):
    """Sum of the eight octants of an array [z, y, x], shape (side,)*3; the planes through the centre count once."""
    for axis in range(3):
        values = np.moveaxis(values, axis, 0)
        middle = len(values) // 2
        folded = values[middle : middle + side].copy()
        folded[1:] += values[middle - side + 1 : middle][::-1]
        values = np.moveaxis(folded, 0, axis)
    return values


def _by_voxel(plane, side, points):
    """An array over points [y, x] as [voxel, point of the voxel]."""
    blocks = plane.reshape(side, points, side, points).transpose(0, 2, 1, 3)
    return blocks.reshape(side * side, points * points)
