"""Where the voxels of an image lie: shape, spacing, origin and direction, as SimpleITK gives them.

Arrays are indexed ``[z, y, x]``; spacing, origin and every position are ``(x, y, z)`` in mm in the patient system LPS
(x grows to the patient's left, y to the back, z to the head). The origin is the centre of the first voxel.
"""

from dataclasses import dataclass

import numpy as np

from mcdose.errors import InputError

IDENTITY = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
# Largest departure of a direction matrix from orthonormal: files keep cosines as float32 or 6-digit text.
ORTHONORMAL_TOLERANCE = 1e-3
# Two grids count as equal when no voxel centre differs by more than this share of a voxel.
SAME_PLACE_VOXELS = 1e-3


@dataclass(frozen=True)
class Grid:
    """A regular grid of voxels in the patient.

    Parameters
    ----------
    shape : tuple of int
        Number of voxels ``(nz, ny, nx)``.
    spacing_mm : float or tuple of float
        Voxel size ``(x, y, z)`` in mm; one number for cubic voxels.
    origin_mm : tuple of float
        Centre of voxel ``[0, 0, 0]``, ``(x, y, z)`` in mm, LPS.
    direction : sequence of float
        3x3 direction cosines (columns: the directions of x, y and z indices), nested or as nine numbers row by row.

    Raises
    ------
    InputError
        When a number is missing, not finite or not possible.
    """

    shape: tuple
    spacing_mm: tuple
    origin_mm: tuple = (0.0, 0.0, 0.0)
    direction: tuple = IDENTITY

    def __post_init__(self):
        shape = tuple(int(n) for n in self.shape)
        if len(shape) != 3 or min(shape) < 1:
            raise InputError(f"shape {self.shape}: three numbers of voxels (z, y, x), each at least 1, are needed")
        spacing = np.asarray(self.spacing_mm, float)
        spacing = np.full(3, spacing) if spacing.ndim == 0 else spacing
        if spacing.shape != (3,) or not np.isfinite(spacing).all() or (spacing <= 0).any():
            raise InputError(f"spacing {self.spacing_mm} mm: one size or three (x, y, z) above zero are needed")
        origin = np.asarray(self.origin_mm, float)
        if origin.shape != (3,) or not np.isfinite(origin).all():
            raise InputError(f"origin {self.origin_mm} mm: three finite numbers (x, y, z) are needed")
        direction = np.asarray(self.direction, float)
        if direction.size != 9 or not np.isfinite(direction).all():
            raise InputError(f"direction {self.direction}: a 3x3 matrix of direction cosines is needed")
        cosines = direction.reshape(3, 3)
        if np.abs(cosines.T @ cosines - np.eye(3)).max() > ORTHONORMAL_TOLERANCE:
            raise InputError(
                f"direction {tuple(direction.ravel())}: the axes are not at right angles (a sheared or gantry-tilted "
                "image); resample it onto a rectangular grid first"
            )
        object.__setattr__(self, "shape", shape)
        object.__setattr__(self, "spacing_mm", tuple(spacing.tolist()))
        object.__setattr__(self, "origin_mm", tuple(origin.tolist()))
        object.__setattr__(self, "direction", tuple(direction.ravel().tolist()))

    @property
    def size_xyz(self):
        """Number of voxels ``(nx, ny, nz)``."""
        return self.shape[::-1]

    @property
    def voxel_volume_cm3(self):
        """Volume of a voxel in cm3."""
        return float(np.prod(self.spacing_mm)) / 1000.0

    @property
    def step_matrix(self):
        """float64 [3, 3]: physical step (mm) for one voxel along x, y and z (columns)."""
        return np.reshape(self.direction, (3, 3)) * np.asarray(self.spacing_mm)

    def to_physical(self, index_xyz):
        """Positions (mm) of continuous indices ``[..., 3]`` in the order (x, y, z)."""
        return np.asarray(index_xyz, float) @ self.step_matrix.T + np.asarray(self.origin_mm)

    def to_index(self, position_mm):
        """Continuous indices ``[..., 3]`` (x, y, z) of positions in mm; whole numbers are voxel centres."""
        offset = np.asarray(position_mm, float) - np.asarray(self.origin_mm)
        return offset @ np.linalg.inv(self.step_matrix).T

    def from_corner_mm(self, position_mm):
        """Distances (mm) along the grid's own x, y, z axes from its outer corner; 0 to n x spacing is inside."""
        return (self.to_index(position_mm) + 0.5) * np.asarray(self.spacing_mm)

    def voxel_of(self, position_mm):
        """Array index ``(z, y, x)`` of the voxel that holds a position.

        Raises
        ------
        InputError
            When the position lies outside the grid.
        """
        index = np.floor(self.to_index(position_mm) + 0.5).astype(int)[::-1]
        if (index < 0).any() or (index >= self.shape).any():
            low, high = self.bounds_mm()
            at, low, high = (tuple(np.round(np.asarray(p, float), 1).tolist()) for p in (position_mm, low, high))
            raise InputError(f"position {at} mm lies outside the grid; choose one between {low} and {high} mm (LPS)")
        return tuple(index.tolist())

    def bounds_mm(self):
        """Lowest and highest physical coordinates (mm) of the grid's outer faces, two arrays ``(x, y, z)``."""
        n = np.asarray(self.size_xyz)
        corners = np.stack(np.meshgrid(*[(-0.5, k - 0.5) for k in n], indexing="ij"), axis=-1).reshape(-1, 3)
        points = self.to_physical(corners)
        return points.min(axis=0), points.max(axis=0)

    def matches(self, other):
        """True when both grids have the same voxels (to a thousandth of a voxel)."""
        if self.shape != other.shape:
            return False
        corners = np.array([(0, 0, 0), np.asarray(self.size_xyz) - 1, (self.size_xyz[0] - 1, 0, 0)])
        return bool(np.abs(other.to_index(self.to_physical(corners)) - corners).max() < SAME_PLACE_VOXELS)

    def respaced(self, spacing_mm):
        """A grid over the same box (outer faces to within half a new voxel, same centre) with another voxel size.

        Parameters
        ----------
        spacing_mm : float or tuple of float
            New voxel size (x, y, z) in mm.
        """
        new = Grid((1, 1, 1), spacing_mm).spacing_mm
        length = np.asarray(self.size_xyz) * np.asarray(self.spacing_mm)
        n = np.maximum(np.round(length / np.asarray(new)), 1)
        first = ((length - n * np.asarray(new)) / 2 + np.asarray(new) / 2) / np.asarray(self.spacing_mm) - 0.5
        return Grid(tuple(n[::-1].astype(int)), new, tuple(self.to_physical(first)), self.direction)
