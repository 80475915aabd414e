"""The gamma index: do two doses agree within a dose difference or a distance?

1. Low, Harms, Mutic and Purdy (Med. Phys. 25 (1998) 656, Eq. 4-5): at a reference point r with dose D_r(r),
   gamma = min over r' of sqrt(|r' - r|^2 / d^2 + (D_e(r') - D_r(r))^2 / Delta^2), with D_e the evaluated dose, d the
   distance and Delta the dose difference criterion. A point passes when gamma <= 1.
2. Delta is a percentage of one dose (global) or of the reference dose at each point (local). Points below a threshold,
   a percentage of that same dose, are not judged.
3. D_e is interpolated linearly between voxels, at the points of a lattice of a tenth of d round r, as in shells of
   growing radius (Wendling et al., Med. Phys. 34 (2007) 1647).
4. The points are searched cell by cell (a cell has eight voxel centres as its corners), nearest first. A cell is passed
   over when its nearest point and the range of its corners cannot give less than what has been found: nothing is lost,
   the result is the minimum over the lattice.

The lattice makes gamma too large: with g the gradient of D_e in units of Delta / d, gamma^2 by at most
0.05^2 (1 + g^2). Noise in the evaluated dose makes gamma smaller, since the search finds a fitting value nearby; noise
in the reference makes it larger.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple

import numba
import numpy as np
from scipy import ndimage

from mcdose.errors import InputError

LATTICE = 10  # points of the search per distance criterion: Wendling's and pymedphys' customary choice
LARGEST_GAMMA = 2.0  # larger ones are given as this: they fail anyway, and the search costs the cube of it


@dataclass(frozen=True)
class GammaCriterion:
    """What counts as agreement.

    Parameters
    ----------
    percent : float
        Dose difference, % of the normalisation (global) or of the local reference dose.
    distance_mm : float
    threshold_percent : float
        Points with less than this share of the normalisation are not judged.
    local : bool
    """

    percent: float = 3.0
    distance_mm: float = 3.0
    threshold_percent: float = 10.0
    local: bool = False

    def __post_init__(self):
        if not (0 < self.percent < np.inf and 0 < self.distance_mm < np.inf and 0 <= self.threshold_percent < 100):
            raise InputError(
                f"gamma {self}: a dose difference (%) and a distance (mm) above zero and a threshold from 0 to 100 % "
                "are needed"
            )

    def __str__(self):
        kind = "local" if self.local else "global"
        return f"{self.percent:g} %/{self.distance_mm:g} mm {kind}, from {self.threshold_percent:g} % of the maximum"


def gamma_index(reference, evaluated, spacing_mm, criterion=GammaCriterion(), normalisation=None, where=None):
    """Gamma index at every reference voxel above the threshold.

    Parameters
    ----------
    reference, evaluated : array [z, y, x]
        Doses in the same unit on the same grid; NaN where there is none.
    spacing_mm : tuple of float
        Voxel size (x, y, z).
    criterion : GammaCriterion
    normalisation : float, optional
        Dose that percentages refer to; by default the maximum of the reference.
    where : bool array [z, y, x], optional
        Points to judge; by default all above the threshold.

    Returns
    -------
    float32 array [z, y, x]
        At most LARGEST_GAMMA; NaN where not judged.

    Raises
    ------
    InputError

    Examples
    --------
    >>> import numpy as np
    >>> flat = np.full((3, 3, 3), 2.0)
    >>> bool(np.allclose(gamma_index(flat, 1.03 * flat, (2, 2, 2), GammaCriterion(3, 3)), 1.0))
    True
    """
    reference, evaluated = (np.ascontiguousarray(a, dtype=np.float64) for a in (reference, evaluated))
    if reference.shape != evaluated.shape or reference.ndim != 3:
        raise InputError(f"gamma: doses of shapes {reference.shape} and {evaluated.shape}; give both on one 3-D grid")
    normalisation = np.nanmax(reference) if normalisation is None else float(normalisation)
    if not normalisation > 0:
        raise InputError("gamma: the reference dose is nowhere above zero; give another reference")
    floor = max(criterion.threshold_percent / 100 * normalisation, np.finfo(float).tiny)
    judged = np.isfinite(evaluated) & (np.nan_to_num(reference) >= floor)
    if where is not None:
        judged &= where
    points = np.argwhere(judged)
    difference = (
        criterion.percent / 100 * (reference[judged] if criterion.local else np.full(len(points), normalisation))
    )
    found = np.empty(len(points))
    search = _lattice(spacing_mm, criterion.distance_mm)
    # Where there is no dose nothing can agree: infinite values never win. One such voxel stands for all beyond.
    padded = np.pad(np.nan_to_num(evaluated, nan=np.inf), 1, constant_values=np.inf)
    bounds = _corner_range(padded)
    workers = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    parts = np.array_split(np.arange(len(points)), 4 * workers)
    with ThreadPoolExecutor(workers) as pool:
        jobs = [
            pool.submit(_search, reference, padded, bounds, points[k], difference[k], search, found[k[0] : k[-1] + 1])
            for k in parts
            if k.size
        ]
        for job in jobs:
            job.result()
    gamma = np.full(reference.shape, np.nan, np.float32)
    gamma[judged] = found
    return gamma


def pass_rate(gamma, mask=None):
    """Share (%) of the judged voxels (of a mask) with gamma up to 1; NaN when none was judged."""
    judged = np.isfinite(gamma) if mask is None else np.isfinite(gamma) & mask
    return 100 * float((gamma[judged] <= 1).mean()) if judged.any() else float("nan")


class _Lattice(NamedTuple):
    """Points of the search, cell by cell; cells by the nearest of their points, points by their distance.

    Squares are (length / distance criterion)^2, corners voxels (z, y, x) from the reference point to a cell's lower
    corner, fractions those of a point within its cell; points of cell k run from first[k] to first[k + 1].
    """

    cell_square: np.ndarray
    corner: np.ndarray
    first: np.ndarray
    square: np.ndarray
    fraction: np.ndarray


def _lattice(spacing_mm, distance_mm):
    reach = round(LARGEST_GAMMA * LATTICE)
    line = np.arange(-reach, reach + 1) / LATTICE
    offsets = np.stack(np.meshgrid(line, line, line, indexing="ij"), axis=-1).reshape(-1, 3)
    squares = (offsets**2).sum(axis=1)
    near = squares < LARGEST_GAMMA**2
    offsets, squares = offsets[near], squares[near]
    voxels = np.round(offsets * distance_mm / np.asarray(spacing_mm, float)[::-1], 9)  # 9: a centre stays a centre
    corners, cell = np.unique(np.floor(voxels), axis=0, return_inverse=True)
    nearest = np.full(len(corners), np.inf)
    np.minimum.at(nearest, cell.ravel(), squares)
    rank = np.argsort(np.argsort(nearest, kind="stable"))[cell.ravel()]
    order = np.lexsort((squares, rank))
    by_rank = np.argsort(nearest, kind="stable")
    first = np.searchsorted(rank[order], np.arange(len(corners) + 1))
    fraction = (voxels - np.floor(voxels))[order]
    return _Lattice(nearest[by_rank], corners[by_rank].astype(np.int64), first, squares[order], fraction)


def _corner_range(padded):
    """Lowest and highest value at the corners of each cell, [2, z, y, x] by the cell's lower corner."""
    low, high = padded, padded
    for axis in range(3):
        size = [1, 1, 1]
        size[axis] = 2
        low = ndimage.minimum_filter(low, size, origin=[-(k // 2) for k in size], mode="nearest")
        high = ndimage.maximum_filter(high, size, origin=[-(k // 2) for k in size], mode="nearest")
    return np.stack([low, high])


@numba.njit(nogil=True, cache=True)
def _search(reference, padded, bounds, points, difference, lattice, found):
    """Gamma of some points; `padded` is the evaluated dose with one voxel of infinity all round."""
    nz, ny, nx = padded.shape
    for p in range(points.shape[0]):
        dose = reference[points[p, 0], points[p, 1], points[p, 2]]
        off = (padded[points[p, 0] + 1, points[p, 1] + 1, points[p, 2] + 1] - dose) / difference[p]
        best = min(LARGEST_GAMMA**2, off * off)
        for c in range(lattice.cell_square.size):
            if lattice.cell_square[c] >= best:
                break
            z = points[p, 0] + 1 + lattice.corner[c, 0]
            y = points[p, 1] + 1 + lattice.corner[c, 1]
            x = points[p, 2] + 1 + lattice.corner[c, 2]
            if z < 0 or y < 0 or x < 0 or z >= nz or y >= ny or x >= nx:
                continue
            gap = max(bounds[0, z, y, x] - dose, dose - bounds[1, z, y, x], 0.0) / difference[p]
            least = gap * gap  # the dose term of every point of the cell is at least this
            for k in range(lattice.first[c], lattice.first[c + 1]):
                if lattice.square[k] + least >= best:
                    break
                off = (_interpolate(padded, z, y, x, lattice.fraction[k]) - dose) / difference[p]
                best = min(best, lattice.square[k] + off * off)
        found[p] = np.sqrt(best)


@numba.njit(nogil=True, cache=True)
def _interpolate(values, z, y, x, fraction):
    """Trilinear value in a cell; corners without weight are not looked at, as they may lie outside or be infinite."""
    value = 0.0
    for i in range(2):
        wz = fraction[0] if i else 1.0 - fraction[0]
        if wz == 0.0:
            continue
        for j in range(2):
            wy = wz * (fraction[1] if j else 1.0 - fraction[1])
            if wy == 0.0:
                continue
            for m in range(2):
                w = wy * (fraction[2] if m else 1.0 - fraction[2])
                if w == 0.0:
                    continue
                if z + i >= values.shape[0] or y + j >= values.shape[1] or x + m >= values.shape[2]:
                    return np.inf
                value += w * values[z + i, y + j, x + m]
    return value
