"""The result of a run: absorbed dose, its uncertainty, and everything that made them."""

import json
from dataclasses import dataclass, field, fields
from functools import cached_property
from pathlib import Path

import numpy as np

from mcdose.arrays import slabs
from mcdose.errors import InputError
from mcdose.hdf5_file import new_hdf5, our_hdf5
from mcdose.images import to_image, write_image
from mcdose.phantom import KG_PER_G, Phantom, in_body
from mcdose.region_dose import RegionDose, region_rows
from mcdose.uncertainty import UNKNOWN, mean_uncertainty

J_PER_MEV = 1.602176634e-13  # exact since the SI of 2019
FILE_FORMAT = "mcdose dose 1"
CHUNK_VOXELS = 1 << 17  # of a chunk of slices in HDF5: 1 MiB of float64, as its chunk cache holds
# gzip level 1 halves the time of level 4 for 2 % more bytes on a dose grid; shuffled, as doses vary smoothly.
HDF5_OPTIONS = {"compression": "gzip", "compression_opts": 1, "shuffle": True}


@dataclass(frozen=True, eq=False)
class Dose:
    """Absorbed dose per voxel for the given decays, whatever the number of histories.

    Attributes
    ----------
    phantom : Phantom
    energy_mev : float64 array [z, y, x]
        Energy deposited in each voxel by all the decays (per second when `per_second`).
    relative_uncertainty : float32 array [z, y, x]
        One standard deviation of the mean, NaN where nothing was scored.
    emitted_mev, escaped_mev : float
        Energy emitted by the decays, and the part that left the grid (or that a fast method places nowhere).
    decays : float
        Number of decays (per second when `per_second`).
    histories : int
        Simulated particles; one history is one emitted particle of a decay. 0 for the fast methods.
    seconds : float
        Wall time of the transport.
    settings : dict
        Seed, cut-offs, versions, inputs: what made the result (JSON-able).
    tally : dict of int
        "emitted", "deposited" and "escaped" energy of the transported particles in tally units; the first is exactly
        the sum of the other two.
    per_second : bool
        Dose rate (Gy/s) instead of dose (Gy).
    complete : bool
        False when the run was interrupted: a valid result of fewer histories than asked for.
    regions : dict of str to RegionDose
        Mean doses of the regions that the run was asked for, with their own uncertainties.
    """

    phantom: Phantom
    energy_mev: np.ndarray
    relative_uncertainty: np.ndarray
    emitted_mev: float
    escaped_mev: float
    decays: float
    histories: int
    seconds: float
    settings: dict = field(repr=False)
    tally: dict = field(repr=False)
    per_second: bool = False
    complete: bool = True
    regions: dict = field(default_factory=dict, repr=False)

    def __post_init__(self):
        for name, kind in (("energy_mev", np.float64), ("relative_uncertainty", np.float32)):
            value = np.ascontiguousarray(getattr(self, name), dtype=kind)
            if value.shape != self.phantom.shape:
                raise InputError(f"{name}: shape {value.shape} differs from the phantom's {self.phantom.shape}")
            object.__setattr__(self, name, value)

    @cached_property
    def gy(self):
        """float64 array [z, y, x]: absorbed dose in Gy (Gy/s when `per_second`)."""
        return self._gy(slice(None))

    def _gy(self, z):
        """Dose in some slices: a whole grid of it is made only for those who ask for `gy`."""
        mass_kg = self.phantom.density_g_cm3[z] * (self.phantom.voxel_volume_cm3 * KG_PER_G)
        return self.energy_mev[z] * J_PER_MEV / mass_kg

    @property
    def unit(self):
        """Unit of the dose: "Gy" or "Gy/s"."""
        return "Gy/s" if self.per_second else "Gy"

    @property
    def deposited_mev(self):
        """Energy deposited in the grid by all the decays, MeV."""
        return float(self.energy_mev.sum())

    @property
    def histories_per_second(self):
        """Speed of the transport."""
        return self.histories / self.seconds if self.seconds > 0 else float("nan")

    @property
    def maximum_index(self):
        """Array index ``(z, y, x)`` of the voxel with the highest dose in the body (see :func:`in_body`)."""
        body = in_body(self.phantom.density_g_cm3)
        best, place = -np.inf, (0, 0, 0)
        for z in slabs(self.phantom.shape):
            gy = np.where(body[z], self._gy(z), -np.inf)
            at = np.unravel_index(int(gy.argmax()), gy.shape)
            if gy[at] > best:
                best, place = gy[at], (z.start + int(at[0]), int(at[1]), int(at[2]))
        return place

    @property
    def maximum_gy(self):
        """Highest dose of a voxel in the body (see :func:`in_body`), in `unit`."""
        z, y, x = self.maximum_index
        return float(self._gy(z)[y, x])

    def mean_uncertainty(self, mask=None):
        """Mean relative uncertainty (one standard deviation) over a region.

        Parameters
        ----------
        mask : bool array [z, y, x], optional
            By default the voxels of the body above half of its maximum dose. Voxels where nothing was scored count as
            100 %.
        """
        mask = None if mask is None else np.asarray(mask, bool)
        if mask is not None and mask.shape != self.phantom.shape:
            raise InputError(
                f"mask: shape {mask.shape} differs from the dose's {self.phantom.shape}; resample it first"
            )
        energy, relative = self.energy_mev.__getitem__, self.relative_uncertainty.__getitem__
        return mean_uncertainty(energy, relative, self.phantom.density_g_cm3, mask)

    def _device(self):
        """What transported it, in words; runs on the CPU say why there was no GPU if none was ruled out."""
        device, threads = self.settings.get("device", "unknown"), self.settings.get("threads")
        because = self.settings.get("no_gpu")
        return device + (f", {threads} threads" if threads else "") + (f" (no GPU: {because})" if because else "")

    def describe(self):
        """The physical summary of the run as a few lines of text."""
        rate = "/s" if self.per_second else ""
        watt = "W" if self.per_second else "J"
        emitted = self.emitted_mev * J_PER_MEV
        deposited, escaped = self.deposited_mev * J_PER_MEV, self.escaped_mev * J_PER_MEV
        z, y, x = self.maximum_index
        at = ", ".join(f"{c:.1f}" for c in self.phantom.grid.to_physical((x, y, z)))
        mass = self.phantom.total_mass_kg
        nz, ny, nx = self.phantom.shape
        size = " x ".join(f"{s:.4g}" for s in self.phantom.spacing_mm)
        rows = [
            ("emission", self.settings.get("emission", "user's own")),
            ("grid", f"{nx} x {ny} x {nz} voxels of {size} mm, {mass:.3g} kg"),
            ("decays", f"{self.decays:.5g}{rate}"),
            ("energy emitted", f"{emitted:.5g} {watt}"),
            ("  deposited", f"{deposited:.5g} {watt}  ({100 * deposited / emitted:.2f} %)"),
            (
                "  escaped" if self.histories else "  not placed",
                f"{escaped:.5g} {watt}  ({100 * escaped / emitted:.2f} %)",
            ),
            ("mean dose", f"{deposited / mass:.4g} {self.unit}"),
            ("maximum dose", f"{self.maximum_gy:.4g} {self.unit} at ({at}) mm"),
            ("uncertainty", f"{100 * self.mean_uncertainty():.2f} % (1 sd, mean above 50 % of the maximum)"),
            ("histories", f"{self.histories:,} in {self.seconds:.1f} s, {self.histories_per_second:,.0f} per second"),
            ("device", self._device()),
        ]
        if not self.histories:  # a fast method: what uncertainty there is, is that of its kernel
            method = self.settings.get("method", "unknown").replace("_", " ")
            rows[-3:] = [("method", f"{method}, {self.seconds:.2g} s")]
        if "mask_uncertainty" in self.settings:
            rows.insert(-2, ("  in the mask", f"{100 * self.settings['mask_uncertainty']:.2f} % (1 sd, mean)"))
        if self.regions:
            rows.append(("regions", "mean dose ± 1 sd, mass"))
            rows += [(f"  {name}", figures) for name, figures in region_rows(self.regions, self.unit)]
        width = max(len(name) for name, _ in rows)
        text = "\n".join(f"{name:<{width}} {value}" for name, value in rows)
        return text if self.complete else f"PARTIAL RESULT: the run was interrupted\n{text}"

    def to_image(self, quantity="dose"):
        """A SimpleITK image (float32) of the "dose" (Gy or Gy/s) or of its relative "uncertainty".

        Where nothing was scored the uncertainty is 1 (100 %), since readers of NIfTI turn NaN into 0.
        """
        if quantity not in ("dose", "uncertainty"):
            raise InputError(f"quantity {quantity!r}: choose dose or uncertainty")
        values = np.empty(self.phantom.shape, np.float32)
        for z in slabs(values.shape):
            values[z] = self._gy(z) if quantity == "dose" else np.nan_to_num(self.relative_uncertainty[z], nan=UNKNOWN)
        image = to_image(values, self.phantom.grid)
        name = "absorbed dose rate" if self.per_second else "absorbed dose"
        said = f"{name} ({self.unit})" if quantity == "dose" else "relative standard uncertainty (1)"
        image.SetMetaData("ITK_FileNotes", said)  # the description in NIfTI files
        return image

    def write_image(self, path, quantity="dose", ct=None):
        """Write the dose or uncertainty as .nii, .nii.gz, .mha or .nrrd, or the dose as DICOM RTDOSE (.dcm).

        Parameters
        ----------
        path : str or Path
        quantity : {"dose", "uncertainty"}
        ct : str or Path, optional
            For RTDOSE: the DICOM CT (folder or file) whose patient, study and frame of reference the dose shares.

        Raises
        ------
        InputError
            Unknown suffix or quantity, RTDOSE of a dose rate or an uncertainty, folder not writable or disk full.
        """
        if Path(path).suffix.lower() != ".dcm":
            write_image(self.to_image(quantity), path)
            return
        if quantity != "dose" or self.per_second:
            what = "an uncertainty" if quantity != "dose" else "a dose rate"
            raise InputError(f"{path}: RTDOSE holds absorbed dose in Gy, not {what}; write .nii.gz, .mha or .nrrd")
        from mcdose.rtdose import write_rtdose

        comment = f"mcdose, {self.settings.get('emission', 'own spectrum')}"
        write_rtdose(path, self._gy, self.phantom.grid, ct, comment if self.complete else f"PARTIAL, {comment}")

    def plot(self, path, ct=None, at_mm=None, title=None):
        """Draw three planes through a point and a depth profile; see :func:`mcdose.plot.plot_dose`."""
        from mcdose.plot import plot_dose

        plot_dose(self, path, ct=ct, at_mm=at_mm, title=title)

    def save(self, path):
        """Write everything to one HDF5 file, whole or not at all.

        Raises
        ------
        InputError
            Folder not writable or disk full.
        """
        with new_hdf5(path) as file:
            self._write(file)

    @classmethod
    def load(cls, path):
        """Read what :meth:`save` wrote; every number comes back as it was.

        Raises
        ------
        InputError
            No such file, or not one of ours.
        """
        foreign = "not a dose file of mcdose; give the .h5 that a run has written"
        with our_hdf5(path, FILE_FORMAT, foreign, "give the .h5 that a run has written") as file:
            return cls._read(file)

    def _write(self, file):
        file.attrs["format"] = FILE_FORMAT
        for name in _SCALARS:
            file.attrs[name] = getattr(self, name)
        for name in ("settings", "tally"):
            file.attrs[name] = json.dumps(getattr(self, name))
        energy, uncertainty = self.energy_mev, self.relative_uncertainty
        _grid(file, "energy_mev", energy, np.float64, energy.shape, "MeV" + "/s" * self.per_second)
        _grid(file, "dose", self._gy, np.float32, energy.shape, self.unit)
        _grid(
            file,
            "relative_uncertainty",
            uncertainty,
            np.float32,
            energy.shape,
            "1 (one standard deviation of the mean)",
        )
        group = file.create_group("phantom")
        _grid(group, "density", self.phantom.density_g_cm3, np.float32, energy.shape, "g/cm3")
        _grid(group, "material_index", self.phantom.material_index, np.uint8, energy.shape)
        for name in ("spacing_mm", "origin_mm", "direction"):
            group.attrs[name] = getattr(self.phantom, name)
        group.attrs["axes"] = "arrays [z, y, x]; spacing and origin (x, y, z) in mm, LPS, as SimpleITK"
        group.attrs["materials"] = json.dumps([_describe_material(m) for m in self.phantom.materials])
        group.attrs["notes"] = json.dumps(self.phantom.notes)
        if self.phantom.outside_ct is not None:
            _grid(group, "outside_ct", self.phantom.outside_ct, bool, energy.shape)
        if self.regions:
            group = file.create_group("regions")
            group["name"] = list(self.regions)
            for f in fields(RegionDose):
                group[f.name] = [getattr(region, f.name) for region in self.regions.values()]

    @classmethod
    def _read(cls, file):
        from physics_data.materials import Material

        group = file["phantom"]
        phantom = Phantom(
            group["density"][:],
            group["material_index"][:],
            tuple(Material(**m) for m in json.loads(group.attrs["materials"])),
            *(tuple(group.attrs[name].tolist()) for name in ("spacing_mm", "origin_mm", "direction")),
            outside_ct=group["outside_ct"][:] if "outside_ct" in group else None,
            notes=tuple(json.loads(group.attrs["notes"])),
        )
        regions = {}
        if "regions" in file:
            group = file["regions"]
            columns = [_column(group[f.name]) for f in fields(RegionDose)]
            regions = {name: RegionDose(*row) for name, *row in zip(_column(group["name"]), *columns)}
        return cls(
            phantom=phantom,
            energy_mev=file["energy_mev"][:],
            relative_uncertainty=file["relative_uncertainty"][:],
            **{name: file.attrs[name].item() for name in _SCALARS},
            **{name: json.loads(file.attrs[name]) for name in ("settings", "tally")},
            regions=regions,
        )


_SCALARS = tuple(f.name for f in fields(Dose) if f.type in (float, int, bool))


def _column(data):
    """The values of a one-dimensional HDF5 dataset of texts or numbers, as Python's own."""
    return [value.decode() if isinstance(value, bytes) else value for value in data[:].tolist()]


def _grid(group, name, values, kind, shape, unit=None):
    """Write a grid slice by slice; `values` is an array, or a function of the slices wanted."""
    chunk = (min(max(CHUNK_VOXELS // (shape[1] * shape[2]), 1), shape[0]), *shape[1:])
    data = group.create_dataset(name, shape, kind, chunks=chunk, **HDF5_OPTIONS)
    for first in range(0, shape[0], chunk[0]):
        z = slice(first, first + chunk[0])
        data[z] = values(z) if callable(values) else values[z]
    if unit is not None:
        data.attrs["unit"] = unit


def _describe_material(material):
    return {
        "name": material.name,
        "density_g_cm3": material.density_g_cm3,
        "mass_fractions": dict(material.mass_fractions),
        "i_value_ev": material.i_value_ev,
    }
