"""The patient as the transport sees it: a density and a material in every voxel of the dose grid."""

import warnings
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from mcdose.arrays import slabs
from mcdose.errors import InputError, InputWarning, as_input_error
from mcdose.grid import IDENTITY, Grid
from mcdose.images import array_of, grid_of, image_name, to_image
from mcdose.resample import MAX_LABELS, regrid

KG_PER_G = 1e-3
# A voxel with at least this share inside the CT takes the mean of that share, since the patient goes on beyond the edge
# of the CT (air there would turn the activity of an edge voxel into a false hot spot); any other is air.
COVERED_SHARE = 0.1
# Metal rarely fills a thousandth of a CT. More than this share of voxels above the curve's last point means that the
# numbers are not HU (a PET, a density or an unscaled image).
MAX_SHARE_ABOVE_CURVE = 0.01
# g/cm3: between voxels of gas and inflated lung (0.15 or more). Decays that blur and noise of an image place in gas, as
# in the bowel, can give a voxel of milligrams any dose; such voxels do not count as the patient.
BODY_DENSITY_G_CM3 = 0.1
OUTSIDE_HU = -1000.0  # what lies around the CT: air


@dataclass(frozen=True, eq=False)
class Phantom:
    """Density and material per voxel.

    Parameters
    ----------
    density_g_cm3 : array [z, y, x]
        Bulk density of each voxel in g/cm3, above zero (air is 0.0012).
    material_index : integer array [z, y, x]
        Position of each voxel's material in `materials`.
    materials : sequence of Material
        At most 256. Their own density is the nominal one, used for the density effect only.
    spacing_mm : float or tuple of float
        Voxel size (x, y, z) in mm.
    origin_mm : tuple of float
        Centre of voxel [0, 0, 0], (x, y, z) in mm, LPS.
    direction : sequence of float
        3x3 direction cosines as SimpleITK gives them.
    outside_ct : bool array [z, y, x], optional
        Where the CT it was made from does not reach (the voxel is air).
    notes : tuple of str
        What the user should know of how it was made.

    Raises
    ------
    InputError
        When shapes differ, a density is not a finite number above zero, or an index has no material.

    Examples
    --------
    >>> import mcdose
    >>> phantom = mcdose.Phantom.uniform(mcdose.material("water"), (3, 4, 5), 2.0)
    >>> round(float(phantom.mass_kg.sum()), 6)
    0.00048
    """

    density_g_cm3: np.ndarray
    material_index: np.ndarray
    materials: tuple
    spacing_mm: tuple
    origin_mm: tuple = (0.0, 0.0, 0.0)
    direction: tuple = IDENTITY
    outside_ct: np.ndarray | None = field(default=None, repr=False)
    notes: tuple = field(default=(), repr=False)

    def __post_init__(self):
        density = np.ascontiguousarray(self.density_g_cm3, dtype=np.float32)
        if density.ndim != 3:
            raise InputError(f"density: an array of {density.ndim} dimensions; give one indexed [z, y, x]")
        grid = Grid(density.shape, self.spacing_mm, self.origin_mm, self.direction)
        if not (density.min() > 0 and density.max() < np.inf):  # false for NaN too
            bad = ~(np.isfinite(density) & (density > 0))
            raise InputError(
                f"density: {int(bad.sum())} voxels are not above zero (first {float(density[bad][0])} g/cm3); "
                "give every voxel a density, 0.0012 for air"
            )
        materials = tuple(self.materials)
        index = np.asarray(self.material_index)
        if not 1 <= len(materials) <= MAX_LABELS:
            raise InputError(f"materials: {len(materials)} given; between 1 and {MAX_LABELS} are needed")
        if index.shape != density.shape:
            raise InputError(f"material_index: shape {index.shape} differs from the density's {density.shape}")
        if index.dtype.kind not in "iub" or index.min() < 0 or index.max() >= len(materials):
            raise InputError(
                f"material_index: values {index.min()} to {index.max()} ({index.dtype}); "
                f"whole numbers from 0 to {len(materials) - 1} are needed for {len(materials)} materials"
            )
        for name, value in (
            ("density_g_cm3", density),
            ("material_index", np.ascontiguousarray(index, dtype=np.uint8)),
            ("materials", materials),
            ("spacing_mm", grid.spacing_mm),
            ("origin_mm", grid.origin_mm),
            ("direction", grid.direction),
            ("notes", tuple(self.notes)),
        ):
            object.__setattr__(self, name, value)

    @classmethod
    def uniform(cls, material, shape_zyx, spacing_mm):
        """One material at its nominal density in every voxel.

        Parameters
        ----------
        material : Material
        shape_zyx : tuple of int
        spacing_mm : float or tuple of float
            Voxel size (x, y, z) in mm.
        """
        shape = Grid(shape_zyx, spacing_mm).shape
        density = np.full(shape, material.density_g_cm3, np.float32)
        return cls(density, np.zeros(shape, np.uint8), (material,), spacing_mm)

    @classmethod
    def from_ct(cls, image, grid=None, spacing_mm=None, curve="schneider2000"):
        """Densities and materials from a CT.

        1. HU become density and material voxel by voxel on the CT's own grid (`curve`).
        2. Density is averaged over each voxel of the dose grid: mass is conserved. HU are never averaged, since the
           curve is not linear.
        3. The material is the one with most of the mass in the voxel: the material of a mean HU would turn a bone
           edge, or a voxel half lung and half bone, into a tissue that is not there.
        4. A voxel less than a tenth inside the CT is air.

        Parameters
        ----------
        image : SimpleITK.Image
            CT in Hounsfield units.
        grid : SimpleITK.Image, Phantom or Grid, optional
            The dose grid; by default the CT's own.
        spacing_mm : float or tuple of float, optional
            Voxel size (x, y, z) to use over the extent of `grid`.
        curve : str, Path or CtCurve
            Name of a built-in curve or a TOML file of one's own.

        Raises
        ------
        InputError
            When the CT holds NaN, is not in HU, or does not overlap the grid.
        """
        curve = _load_curve(curve)
        source = grid_of(image)
        target = source if grid is None else grid_of(grid)
        if spacing_mm is not None:
            target = target.respaced(spacing_mm)
        notes = []
        outside = None
        density, index = _apply_curve(array_of(image), curve, image_name(image, "CT"), notes)
        if not source.matches(target):
            density, index, outside = _onto_grid(density, index, source, target, curve, image_name(image, "CT"), notes)
        counts = sum(np.bincount(index[z].ravel(), minlength=MAX_LABELS) for z in slabs(index.shape))
        used = np.flatnonzero(counts)
        renumbered = np.zeros(MAX_LABELS, np.uint8)
        renumbered[used] = np.arange(used.size)
        for z in slabs(index.shape):
            index[z] = renumbered[index[z]]
        return cls(
            density,
            index,
            tuple(curve.materials[k] for k in used),
            target.spacing_mm,
            target.origin_mm,
            target.direction,
            outside,
            tuple(notes),
        )

    @cached_property
    def grid(self):
        """The :class:`~mcdose.grid.Grid` of the voxels."""
        return Grid(self.density_g_cm3.shape, self.spacing_mm, self.origin_mm, self.direction)

    @property
    def shape(self):
        """Number of voxels ``(nz, ny, nx)``."""
        return self.density_g_cm3.shape

    @property
    def voxel_volume_cm3(self):
        """Volume of a voxel in cm3."""
        return self.grid.voxel_volume_cm3

    @property
    def mass_kg(self):
        """float64 array [z, y, x]: mass of each voxel in kg."""
        return self.density_g_cm3 * (self.voxel_volume_cm3 * KG_PER_G)

    @property
    def total_mass_kg(self):
        """Mass of all voxels in kg."""
        return float(self.density_g_cm3.sum(dtype=float)) * self.voxel_volume_cm3 * KG_PER_G

    def density_image(self):
        """The density (g/cm3) as a SimpleITK image."""
        return to_image(self.density_g_cm3, self.grid)


def in_body(density_g_cm3):
    """bool array: where there is tissue, lung included, and not gas; everywhere when there is nothing but gas."""
    inside = density_g_cm3 > BODY_DENSITY_G_CM3
    return inside if inside.any() else np.ones_like(inside)


def _load_curve(curve):
    if hasattr(curve, "material_index"):
        return curve
    from physics_data.ct_curve import load_curve

    with as_input_error():
        return load_curve(curve)


def _apply_curve(hu, curve, name, notes):
    """Density (float32) and material (uint8) of each CT voxel; values beyond the curve take its end points."""
    lowest, highest = float(hu.min()), float(hu.max())
    if not (np.isfinite(lowest) and np.isfinite(highest)):
        count = int((~np.isfinite(hu)).sum())
        raise InputError(f"{name}: {count} voxels are NaN or infinite; replace them by {OUTSIDE_HU:.0f} HU")
    low, high = float(curve.hu[0]), float(curve.hu[-1])
    above = int((hu > high).sum()) if highest > high else 0
    if above > MAX_SHARE_ABOVE_CURVE * hu.size:
        raise InputError(
            f"{name}: {100 * above / hu.size:.1f} % of the voxels lie above the last point of the curve {curve.name} "
            f"({high:.0f} HU; maximum {highest:.0f}); give a CT in HU, or a curve that reaches further"
        )
    if above:
        _note(
            notes, f"{name}: {above} voxels above {high:.0f} HU (maximum {highest:.0f}) take the curve's last density"
        )
    below = int((hu < low).sum()) if lowest < low else 0
    if below:
        notes.append(f"{name}: {below} voxels below {low:.0f} HU are taken as {low:.0f} HU")
    density, index = np.empty(hu.shape, np.float32), np.empty(hu.shape, np.uint8)
    if hu.dtype.kind in "iu":  # few different values: look them up instead of interpolating in every voxel
        every = np.clip(np.arange(lowest, highest + 1), low, high)
        densities, indices = curve.density(every).astype(np.float32), curve.material_index(every).astype(np.uint8)
        for z in slabs(hu.shape):
            where = hu[z].astype(np.int32) - int(lowest)
            density[z], index[z] = densities[where], indices[where]
    else:
        for z in slabs(hu.shape):
            clipped = np.clip(hu[z], low, high)
            density[z], index[z] = curve.density(clipped), curve.material_index(clipped)
    return density, index


def _onto_grid(density, index, source, target, curve, name, notes):
    mean, covered, label = regrid(density, source, target, index)
    inside = covered >= COVERED_SHARE
    if not inside.any():
        (a, b), (c, d) = source.bounds_mm(), target.bounds_mm()
        raise InputError(
            f"{name}: does not overlap the dose grid (CT {_box(a, b)}, grid {_box(c, d)}, LPS); "
            "check that both images are of the same patient position, or register them first"
        )
    if inside.all():
        return mean, label, None
    notes.append(f"{name}: {100 * (1 - inside.mean()):.1f} % of the dose grid lies outside the CT and is taken as air")
    air = np.array([max(OUTSIDE_HU, float(curve.hu[0]))])
    mean[~inside] = curve.density(air)[0]
    label[~inside] = curve.material_index(air)[0]
    return mean, label, ~inside


def _box(low, high):
    return " x ".join(f"{a:.0f}..{b:.0f}" for a, b in zip(low, high)) + " mm"


def _note(notes, text):
    notes.append(text)
    warnings.warn(text, InputWarning, stacklevel=5)
