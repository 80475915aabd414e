"""Where the decays happen and what each of them emits."""

import re
import warnings
from dataclasses import dataclass, field

import numpy as np

from mcdose.errors import InputError, InputWarning, as_input_error
from mcdose.images import array_of, grid_of, image_name
from mcdose.phantom import Phantom, in_body
from mcdose.resample import regrid

S_PER_H = 3600.0
ML_PER_CM3 = 1.0
# unit: (per millilitre, already integrated over time)
UNITS = {"Bq/mL": (True, False), "Bq": (False, False), "Bq*s/mL": (True, True), "Bq*s": (False, True)}
# An effective half-life cannot exceed the physical one (1/Te = 1/Tp + 1/Tb); 1 % is left for rounded input.
EFFECTIVE_TOLERANCE = 1.01
# More activity than this in gas (bowel and blur make well below 1 %) points at images that do not belong together.
GAS_SHARE = 0.05
# Decays outside the dose grid below this share are the rounding of a resampling and not worth a warning.
LOST_SHARE = 1e-4


@dataclass(frozen=True, eq=False)
class Source:
    """Decays per voxel and their emission.

    Parameters
    ----------
    decays : array [z, y, x]
        Number of decays in each voxel (per second when `per_second`), not negative, somewhere above zero.
    emission : Nuclide, str or Spectrum
        What a decay emits. A name stands for the nuclide alone; ``Nuclide(name, daughters="equilibrium")`` brings the
        decays of its daughters along.
    phantom : Phantom
        Whose grid the decays are on.
    per_second : bool
        The decays are a rate (Bq), so that doses become dose rates.
    position_mm : tuple of float, optional
        All decays happen at this point (x, y, z) in mm instead of throughout their voxel.
    notes : tuple of str
        What the user should know of how it was made.

    Raises
    ------
    InputError
        Wrong shape, negative, NaN or infinite decays, no decay at all, or an unknown nuclide.
    """

    decays: np.ndarray
    emission: object
    phantom: Phantom = field(repr=False)
    per_second: bool = False
    position_mm: tuple | None = None
    notes: tuple = field(default=(), repr=False)

    def __post_init__(self):
        decays = np.ascontiguousarray(self.decays, dtype=np.float64)
        if decays.shape != self.phantom.shape:
            raise InputError(f"decays: shape {decays.shape} differs from the phantom's {self.phantom.shape}")
        _check_amounts(decays, "decays", "decays")
        object.__setattr__(self, "decays", decays)
        object.__setattr__(self, "emission", as_emission(self.emission))
        object.__setattr__(self, "notes", _with_notes_of(self.nuclide, self.notes))
        if self.position_mm is not None:
            object.__setattr__(self, "position_mm", tuple(float(x) for x in self.position_mm))

    @classmethod
    def point(cls, position_mm, emission, phantom, decays=1.0):
        """All decays at one point.

        Parameters
        ----------
        position_mm : tuple of float
            (x, y, z) in mm, LPS, inside the phantom.
        emission : Nuclide, str or Spectrum
        phantom : Phantom
        decays : float
        """
        at = np.zeros(phantom.shape)
        at[phantom.grid.voxel_of(position_mm)] = decays
        return cls(at, emission, phantom, position_mm=tuple(position_mm))

    @classmethod
    def from_activity(cls, image, nuclide, phantom, unit="Bq/mL", integrate="physical"):
        """Decays from an activity image.

        The image is brought onto the phantom's grid by the overlap of voxels, which keeps the number of decays;
        what remains to correct (oblique grids only) and what falls outside the grid is said in `notes`.

        Parameters
        ----------
        image : SimpleITK.Image
        nuclide : Nuclide, str or Spectrum
            Whose activity it is; as `emission` of :class:`Source`.
        phantom : Phantom
        unit : {"Bq/mL", "Bq", "Bq*s/mL", "Bq*s"}
            Activity concentration, activity per voxel, or either integrated over time.
        integrate : {"physical", "none", "effective=HOURS"}
            From activity to decays: times the mean life (all decay in place, from the time of the image on), not at
            all (dose rate), or times an effective half-life / ln 2. Images already in Bq*s are not integrated again.

        Raises
        ------
        InputError
            Unknown unit or integration, negative, NaN or infinite activity, none at all, or none inside the grid.
        """
        name = image_name(image, "activity")
        per_ml, integrated = UNITS[parse_unit(unit)]
        emission = as_emission(nuclide)
        seconds = _integration_seconds(integrate, integrated, emission)
        decays = array_of(image, np.float64)  # in place from here on
        _check_amounts(decays, name, unit)
        source, target = grid_of(image), phantom.grid
        notes = []
        if per_ml:
            decays *= source.voxel_volume_cm3 * ML_PER_CM3
        if not source.matches(target):
            decays = _onto_grid(decays, source, target, name, notes)
        _check_place(decays, phantom, name, notes)
        decays *= seconds or 1.0
        per_second = seconds is None and not integrated
        return cls(decays, emission, phantom, per_second=per_second, notes=tuple(notes))

    @property
    def nuclide(self):
        """The Nuclide, or None when the emission is a spectrum of the user's own."""
        return self.emission if hasattr(self.emission, "spectrum") else None

    @property
    def spectrum(self):
        """The Spectrum a decay emits."""
        return self.emission if self.nuclide is None else self.emission.spectrum

    @property
    def total_decays(self):
        """Sum of the decays (per second when `per_second`)."""
        return float(self.decays.sum())


def parse_unit(text):
    """The activity unit meant by `text`, a key of UNITS; case, spaces and the multiplication sign do not matter."""
    plain = re.sub(r"\s", "", str(text)).replace("·", "*").lower()
    for unit in UNITS:
        if plain == unit.lower():
            return unit
    raise InputError(f"activity unit {text!r}: unknown; choose one of {', '.join(UNITS)}")


def parse_integration(text):
    """What `text` asks for: "physical", "none", or the effective half-life in hours as a float."""
    plain = re.sub(r"\s", "", str(text)).lower()
    if plain in ("physical", "none"):
        return plain
    if plain.startswith("effective="):
        try:
            hours = float(plain.removeprefix("effective=").removesuffix("h"))
        except ValueError:
            hours = float("nan")
        if np.isfinite(hours) and hours > 0:
            return hours
    raise InputError(f"integrate {text!r}: unknown; choose physical, none, or effective=HOURS (above zero)")


def as_emission(emission):
    """What decays emit, as a Source keeps it.

    Parameters
    ----------
    emission : Nuclide, str or Spectrum
        The name of a nuclide gives that nuclide.

    Returns
    -------
    Nuclide or Spectrum

    Raises
    ------
    InputError
        An unknown nuclide, or something else.
    """
    if not isinstance(emission, str):
        if not hasattr(emission, "yield_per_decay") and not hasattr(emission, "spectrum"):
            raise InputError(f"emission {emission!r}: give a Nuclide, its name, or a Spectrum")
        return emission
    from physics_data.emissions import Nuclide

    with as_input_error():
        return Nuclide(emission)


def _with_notes_of(nuclide, notes):
    """The notes with those on the nuclide's daughters; warns where equilibrium is a poor assumption."""
    if nuclide is None:
        return tuple(notes)
    for caution in nuclide.cautions:
        warnings.warn(caution, InputWarning, stacklevel=4)
    return tuple(dict.fromkeys((*notes, *nuclide.cautions, *nuclide.notes)))


def _integration_seconds(integrate, integrated, emission):
    """Factor from activity to decays (s); None where none applies."""
    kind = parse_integration(integrate)
    if integrated and isinstance(kind, float):
        raise InputError(f"integrate {integrate!r}: the image is already in Bq*s; leave integrate out")
    if integrated or kind == "none":
        return None
    physical_s = getattr(emission, "half_life_s", None)
    if isinstance(kind, float):
        effective_s = kind * S_PER_H
        if physical_s is not None and effective_s > EFFECTIVE_TOLERANCE * physical_s:
            raise InputError(
                f"integrate {integrate!r}: longer than the physical half-life of {emission.name} "
                f"({physical_s / S_PER_H:.4g} h); give the effective half-life in hours"
            )
        return effective_s / np.log(2.0)
    if physical_s is None:
        raise InputError("integrate 'physical': a spectrum has no half-life; use none or effective=HOURS")
    return emission.mean_life_s


def _check_amounts(values, name, unit):
    lowest, highest = values.min(), values.max()  # NaN if any voxel is
    if not (np.isfinite(lowest) and np.isfinite(highest)):
        raise InputError(
            f"{name}: {int((~np.isfinite(values)).sum())} voxels are NaN or infinite; set them to zero first"
        )
    if lowest < 0:
        raise InputError(
            f"{name}: negative in {int((values < 0).sum())} voxels (minimum {lowest:.4g} {unit}); "
            "set them to zero first, or check the reconstruction"
        )
    if highest == 0:
        raise InputError(f"{name}: zero everywhere; nothing decays, check the image and its scale")


def _onto_grid(per_voxel, source, target, name, notes):
    """Decays per target voxel, their sum equal to the decays of the source inside the target."""
    out, covered, _ = regrid(per_voxel, source, target)
    out *= covered
    out *= target.voxel_volume_cm3 / source.voxel_volume_cm3
    inside_share = regrid(np.ones(target.shape, np.float32), target, source).covered
    inside_share *= per_voxel
    expected, total = float(inside_share.sum()), float(per_voxel.sum())
    there = float(out.sum())
    if not there:
        raise InputError(
            f"{name}: no activity inside the dose grid; check that CT and activity are of the same position"
        )
    correction = expected / there
    notes.append(f"{name}: resampled onto the dose grid, decays kept by a factor of {correction:.6f}")
    if total - expected > LOST_SHARE * total:
        lost = 100 * (1 - expected / total)
        _warn(notes, f"{name}: {lost:.2f} % of the activity lies outside the dose grid and is left out")
    out *= correction
    return out


def _check_place(per_voxel, phantom, name, notes):
    """Say how much of the activity lies beyond the CT or in gas; refuse when all of it is beyond."""
    gas, outside = ~in_body(phantom.density_g_cm3), phantom.outside_ct
    total, beyond = float(per_voxel.sum()), 0.0
    if outside is not None:
        if not per_voxel.any(where=~outside):
            raise InputError(f"{name}: all activity lies outside the CT; check that both are of the same position")
        beyond = float(per_voxel.sum(where=outside)) / total
        gas &= ~outside
    if beyond > 0:
        _warn(notes, f"{name}: {100 * beyond:.2f} % of the activity lies outside the CT, in voxels taken as air")
    in_gas = float(per_voxel.sum(where=gas)) / total
    if in_gas > GAS_SHARE:
        _warn(notes, f"{name}: {100 * in_gas:.0f} % of the activity lies in gas or air; check that it matches the CT")


def _warn(notes, text):
    notes.append(text)
    warnings.warn(text, InputWarning, stacklevel=4)
