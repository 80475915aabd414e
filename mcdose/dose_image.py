"""Dose images of any tool, read for comparison, with their unit made sure of.

1. mcdose's own HDF5 bring dose, uncertainty and density; DICOM RTDOSE bring their unit and scale (`mcdose.rtdose`);
   other images are in gray only if they or the user say so.
2. A dose on another grid is interpolated linearly between voxel centres; where its voxels are smaller than the target's
   it is averaged over points of the target voxel, as many as skip none of them. Dose is a quantity at a point, unlike
   activity or mass, whose sums `mcdose.resample.regrid` keeps.
"""

import re
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from mcdose.dose import Dose
from mcdose.errors import InputError
from mcdose.grid import Grid
from mcdose.images import array_of, grid_of, image_name, read_image, to_image
from mcdose.rtdose import read_rtdose

GY_PER_UNIT = {"Gy": 1.0, "mGy": 1e-3, "cGy": 1e-2, "Gy/s": 1.0, "mGy/s": 1e-3, "mGy/h": 1e-3 / 3600.0}
UNIT_KEYS = ("unit", "units", "Unit", "Units", "ITK_FileNotes", "descrip", "intent_name")  # where files may say it


@dataclass(frozen=True, eq=False)
class DoseImage:
    """Absorbed dose on a grid, from any source.

    Attributes
    ----------
    gy : float64 array [z, y, x]
        Gy, or Gy/s when `unit` says so; NaN where there is no dose.
    grid : Grid
    unit : str
        "Gy" or "Gy/s".
    relative_uncertainty : float array [z, y, x] or None
        One standard deviation, NaN where nothing was scored; None when not known.
    density_g_cm3 : array [z, y, x] or None
        When known.
    name : str
    notes : tuple of str
    regions : dict of str to RegionDose
        Mean doses whose uncertainty the run itself has judged; on the grid of that run only.
    """

    gy: np.ndarray
    grid: Grid
    unit: str = "Gy"
    relative_uncertainty: np.ndarray | None = None
    density_g_cm3: np.ndarray | None = None
    name: str = "dose"
    notes: tuple = field(default=(), repr=False)
    regions: dict = field(default_factory=dict, repr=False)

    def __post_init__(self):
        object.__setattr__(self, "gy", np.ascontiguousarray(self.gy, dtype=np.float64))
        if self.unit not in ("Gy", "Gy/s"):
            raise InputError(f"{self.name}: unit {self.unit!r}; convert it to Gy or Gy/s")
        for kind in ("gy", "relative_uncertainty", "density_g_cm3"):
            values = getattr(self, kind)
            if values is not None and np.shape(values) != self.grid.shape:
                raise InputError(f"{self.name}: {kind} of shape {np.shape(values)} on a grid of {self.grid.shape}")
        if np.isinf(self.gy).any() or not np.isfinite(self.gy).any():
            raise InputError(f"{self.name}: the dose is infinite somewhere or NaN everywhere; check how it was written")

    @cached_property
    def standard_deviation(self):
        """float64 array [z, y, x] in `unit`; where nothing was scored it is not known and 0. None when not known."""
        if self.relative_uncertainty is None:
            return None
        return np.abs(self.gy) * np.nan_to_num(self.relative_uncertainty, nan=0.0)

    def onto(self, grid):
        """This dose on another grid, noted; itself when the grids are the same."""
        if self.grid.matches(grid):
            return self
        gy = interpolated(self.gy, self.grid, grid)
        covered = np.isfinite(gy)
        if not covered.any():
            raise InputError(f"{self.name}: does not overlap the reference dose; check that both are of one patient")
        uncertainty = self.relative_uncertainty
        if uncertainty is not None:
            uncertainty = interpolated(np.nan_to_num(uncertainty, nan=1.0), self.grid, grid)
        notes = [f"{self.name}: on another grid; interpolated linearly onto that of the reference"]
        if not covered.all():
            share = 100 * (1 - covered.mean())
            notes.append(f"{self.name}: does not reach {share:.1f} % of the reference's grid, which is left out")
        return DoseImage(gy, grid, self.unit, uncertainty, None, self.name, (*self.notes, *notes))


def as_dose_image(dose, unit=None, name=None):
    """Whatever holds a dose, as a DoseImage.

    Parameters
    ----------
    dose : Dose, DoseImage, SimpleITK.Image or path
        A path may be mcdose's .h5, DICOM RTDOSE, NIfTI, MHA or NRRD.
    unit : str, optional
        Of images that do not say theirs: Gy, mGy, cGy, Gy/s, mGy/s or mGy/h.
    name : str, optional
        By default the file's, or the method of a Dose.

    Raises
    ------
    InputError
        No such file, not a dose, or an image without a unit.
    """
    if isinstance(dose, DoseImage):
        return dose
    if isinstance(dose, Dose):
        return _of_dose(dose, name)
    if isinstance(dose, str | Path):
        path = Path(dose)
        name = name or str(path)
        if path.suffix.lower() in (".h5", ".hdf5"):
            return _of_dose(Dose.load(path), name)
        if path.is_file() and _is_dicom(path):
            return DoseImage(*read_rtdose(path), name=name)
        dose = read_image(path)
    if not hasattr(dose, "GetSpacing"):
        raise InputError(f"dose {type(dose).__name__}: give a Dose, a dose image or the path of one")
    name = name or image_name(dose, "dose image")
    unit = _unit(dose, unit, name)
    rate = "Gy/s" if "/" in unit else "Gy"
    return DoseImage(array_of(dose).astype(float) * GY_PER_UNIT[unit], grid_of(dose), rate, name=name)


def interpolated(values, source, target):
    """Values at the voxels of another grid: linear between centres, mean over the voxel; NaN outside the source.

    Parameters
    ----------
    values : array [z, y, x]
    source, target : Grid

    Returns
    -------
    float64 array of the target's shape
    """
    # Points per target voxel and axis: no source voxel along it is skipped.
    steps = np.abs(np.linalg.inv(source.step_matrix) @ target.step_matrix).max(axis=0)
    n = np.maximum(np.ceil(steps - 1e-6).astype(int), 1)
    image = to_image(np.asarray(values, float), source)
    out = np.empty(target.shape)
    nx, ny = target.size_xyz[:2]
    fine = np.asarray(target.spacing_mm) / n
    first = (1 / n - 1) / 2  # of the first point in the first voxel, as an index
    for z in range(target.shape[0]):
        origin = target.to_physical(first + np.array([0, 0, z])).tolist()
        size = [int(k) for k in (nx * n[0], ny * n[1], n[2])]
        plane = sitk.Resample(
            image, size, sitk.Transform(), sitk.sitkLinear, origin, fine.tolist(), target.direction, np.nan
        )
        points = array_of(plane).reshape(n[2], ny, n[1], nx, n[0])
        out[z] = points.mean(axis=(0, 2, 4))
    return out


def _of_dose(dose, name):
    method, correction = (dose.settings.get(key) for key in ("method", "density_correction"))
    title = (method or "dose").replace("_", " ") + (f", {correction}" if correction else "")
    return DoseImage(
        dose.gy,
        dose.phantom.grid,
        dose.unit,
        dose.relative_uncertainty,
        dose.phantom.density_g_cm3,
        name or title,
        regions=dose.regions,
    )


def _unit(image, given, name):
    """The unit that the file says, or else the user."""
    known = {unit.lower(): unit for unit in GY_PER_UNIT}
    unit = None if given is None else known.get(re.sub(r"\s", "", str(given)).lower())
    if given is not None and unit is None:
        raise InputError(f"unit {given!r}: unknown; choose one of {', '.join(GY_PER_UNIT)}")
    said = _unit_in(image) or unit
    if said is None:
        raise InputError(
            f"{name}: does not say the unit of its values; give --unit Gy (in Python unit='Gy') if it is gray"
        )
    return said


def _unit_in(image):
    """The unit that a file's header names as a word, or None."""
    for key in UNIT_KEYS:
        if image.HasMetaDataKey(key):
            for word in re.split(r"[\s,;:()\[\]]+", image.GetMetaData(key)):
                if word in GY_PER_UNIT:
                    return word
    return None


def _is_dicom(path):
    from pydicom.misc import is_dicom

    return is_dicom(path)
