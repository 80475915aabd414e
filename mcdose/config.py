"""The settings of a run: what `mcdose dose` takes on the command line or from a run.toml, checked once."""

import difflib
import json
import re
import tomllib
from dataclasses import dataclass, fields
from pathlib import Path

from mcdose.errors import InputError
from mcdose.gpu import DEVICE, DEVICES_SAID

KEV_PER_MEV = 1000.0
EMISSIONS = ("beta", "electron", "photon", "alpha")
DAUGHTERS = ("none", "equilibrium")
ELECTRONS = ("transport", "local")
GRIDS = ("activity", "ct")
# The tables of the transport reach from 1 keV; a cut-off above 10 MeV would switch the transport off.
CUTOFF_RANGE_KEV = (1.0, 10_000.0)
PATHS = ("ct", "activity", "mask", "names", "output")
TEXTS = ("nuclide", "activity_unit", "integrate", "curve")


@dataclass(frozen=True)
class RunConfig:
    """Settings of one dose calculation.

    Parameters
    ----------
    ct, activity : Path
        Images.
    nuclide : str
    output : Path
        Folder of the results.
    activity_unit, integrate : str
        As :meth:`mcdose.Source.from_activity` takes them.
    daughters : {"none", "equilibrium"}
        Whether the decays of the nuclide's daughters are included, in secular equilibrium.
    curve : str
        Built-in CT curve or a TOML file.
    grid : {"activity", "ct"}
        Whose voxels the dose is calculated in.
    spacing_mm : float, optional
        Voxel size to use instead, over the extent of that image.
    histories : int, optional
    uncertainty : float, optional
        Relative, the mean over the voxels above half of the maximum or over `mask`; the run stops at whichever of this
        and `histories` comes first.
    mask : Path, optional
        Region (image, above zero) over which the uncertainty is judged.
    masks : tuple of Path, optional
        Masks or label images of regions whose mean dose is wanted with its uncertainty.
    names : Path, optional
        Names of their labels; see :func:`mcdose.regions.read_names`.
    emissions : tuple of str, optional
        Some of "beta", "electron", "photon", "alpha"; by default all.
    electrons : {"transport", "local"}
        Whether electrons move, or deposit where they are emitted or set free.
    photon_cutoff_kev, electron_cutoff_kev : float
    seed : int
    device : {"auto", "cpu", "cuda"}
    threads : int, optional
        By default one per core.
    plot_at : tuple of float, optional
        Point (x, y, z) in mm, LPS, that the figure goes through; by default the maximum.

    Raises
    ------
    InputError
        For every value that cannot be, naming its key and the values that can.
    """

    ct: Path
    activity: Path
    nuclide: str
    output: Path
    activity_unit: str = "Bq/mL"
    integrate: str = "physical"
    daughters: str = "none"
    curve: str = "schneider2000"
    grid: str = "activity"
    spacing_mm: float | None = None
    histories: int | None = None
    uncertainty: float | None = None
    mask: Path | None = None
    masks: tuple | None = None
    names: Path | None = None
    emissions: tuple | None = None
    electrons: str = "transport"
    photon_cutoff_kev: float = 10.0
    electron_cutoff_kev: float = 10.0
    seed: int = 1
    device: str = "auto"
    threads: int | None = None
    plot_at: tuple | None = None

    def __post_init__(self):
        for name in (*PATHS, *TEXTS):
            _check(name, getattr(self, name), lambda v: isinstance(v, str | Path), "text")
        for name in PATHS:
            if getattr(self, name) is not None:
                object.__setattr__(self, name, Path(getattr(self, name)))
        if self.masks is not None:
            masks = (self.masks,) if isinstance(self.masks, str | Path) else self.masks
            _check("masks", masks, _is_paths, "an image, or a list of images,")
            object.__setattr__(self, "masks", tuple(map(Path, masks)))
        elif self.names is not None:
            raise InputError(f"names {str(self.names)!r}: there are no labels to name; give masks as well")
        for name in ("histories", "threads"):
            _check(name, getattr(self, name), lambda v: isinstance(v, int) and v >= 1, "a whole number of at least 1")
        _check("seed", self.seed, lambda v: isinstance(v, int) and 0 <= v < 2**63, "a whole number from 0 to 2^63 - 1")
        _check("uncertainty", self.uncertainty, lambda v: _number(v) and 0 < v < 1, "between 0 and 100 %, such as 1%")
        _check("spacing_mm", self.spacing_mm, lambda v: _number(v) and v > 0, "a voxel size above zero, in mm")
        low, high = CUTOFF_RANGE_KEV
        for name in ("photon_cutoff_kev", "electron_cutoff_kev"):
            within = f"an energy from {low:.0f} to {high:.0f} keV"
            _check(name, getattr(self, name), lambda v: _number(v) and low <= v <= high, within)
        _check("daughters", self.daughters, lambda v: v in DAUGHTERS, f"one of {', '.join(DAUGHTERS)}")
        _check("electrons", self.electrons, lambda v: v in ELECTRONS, f"one of {', '.join(ELECTRONS)}")
        _check("device", self.device, lambda v: isinstance(v, str) and DEVICE.fullmatch(v), f"one of {DEVICES_SAID}")
        _check("grid", self.grid, lambda v: v in GRIDS, f"one of {', '.join(GRIDS)}; or give spacing_mm")
        if self.emissions is not None:
            possible = f"a list of one or more of {', '.join(EMISSIONS)}"
            _check(
                "emissions", self.emissions, lambda v: _is_list(v) and v and all(e in EMISSIONS for e in v), possible
            )
            object.__setattr__(self, "emissions", tuple(self.emissions))
        if self.plot_at is not None:
            point = "a point of three numbers (x, y, z) in mm"
            _check("plot_at", self.plot_at, lambda v: _is_list(v) and len(v) == 3 and all(map(_number, v)), point)
            object.__setattr__(self, "plot_at", tuple(self.plot_at))


def read_config(path, overrides=None):
    """Settings from a run.toml; those in the dict `overrides` (such as the command line's) take precedence.

    Paths in the file are relative to its own folder, so that a run can be moved as a whole.

    Raises
    ------
    InputError
        No such file, not TOML, an unknown key (with the nearest known one), a missing or an impossible value.
    """
    path = Path(path)
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); check the path") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not a TOML file ({error}); see the run.toml that a run writes") from error
    values.pop("mcdose", None)
    for name in PATHS:
        if isinstance(values.get(name), str):
            values[name] = path.parent / values[name]
    if isinstance(values.get("masks"), str):
        values["masks"] = [values["masks"]]
    if _is_list(values.get("masks")):
        values["masks"] = [path.parent / mask if isinstance(mask, str) else mask for mask in values["masks"]]
    if str(values.get("curve", "")).endswith(".toml"):
        values["curve"] = str(path.parent / values["curve"])
    given = overrides or {}
    for pair in (("histories", "uncertainty"), ("grid", "spacing_mm")):  # choosing one on top drops the file's other
        if any(name in given for name in pair):
            values = {k: v for k, v in values.items() if k not in pair}
    try:
        return make_config({**values, **given})
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def make_config(values):
    """A RunConfig of a dict; unknown or missing keys and numbers written as text are told apart.

    Raises
    ------
    InputError
    """
    known = {f.name: f for f in fields(RunConfig)}
    for key in values:
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}"
            raise InputError(f"{key}: unknown setting; {hint}")
    for key in ("ct", "activity", "nuclide", "output"):
        if values.get(key) is None:
            raise InputError(f"{key}: missing; give --{key}, or {key} = ... in a run.toml")
    values = dict(values)
    for key, parse in (("uncertainty", parse_uncertainty), ("histories", parse_histories)):
        if isinstance(values.get(key), str) or (key == "histories" and isinstance(values.get(key), float)):
            values[key] = parse(str(values[key]))
    return RunConfig(**values)


def parse_uncertainty(text):
    """A relative uncertainty from "1%" or "0.01".

    Raises
    ------
    InputError
    """
    match = re.fullmatch(r"\s*([0-9.eE+-]+)\s*(%?)\s*", text)
    try:
        value = float(match[1]) / (100.0 if match[2] else 1.0)
    except (TypeError, ValueError) as error:
        raise InputError(f"uncertainty {text!r}: not a number; write 1% or 0.01") from error
    return value


def parse_histories(text):
    """A number of histories from "1000000" or "1e6".

    Raises
    ------
    InputError
    """
    try:
        value = float(text)
        if value != int(value):
            raise ValueError("not whole")
    except (ValueError, OverflowError) as error:
        raise InputError(f"histories {text!r}: not a whole number; write 1000000 or 1e6") from error
    return int(value)


def to_toml(config, version, summary=()):
    """The text of the run.toml that repeats a run, to be kept in its output folder.

    Parameters
    ----------
    config : RunConfig
    version : str
        Of mcdose, kept for the record.
    summary : sequence of str
        Lines for the head of the file, as comments.
    """
    lines = ["# To repeat this run: mcdose dose run.toml", *(f"# {line}" for line in summary), f'mcdose = "{version}"']
    for f in fields(config):
        value = getattr(config, f.name)
        if value is None:
            continue
        if f.name == "output":
            value = "."  # beside this file
        elif f.name in PATHS or (f.name == "curve" and Path(value).suffix == ".toml"):
            value = str(Path(value).resolve())
        elif f.name == "masks":
            value = [str(path.resolve()) for path in value]
        elif isinstance(value, tuple):
            value = list(value)
        lines.append(f"{f.name} = {json.dumps(value, ensure_ascii=False)}")
    return "\n".join(lines) + "\n"


def _check(name, value, good, needed):
    if value is not None and (isinstance(value, bool) or not good(value)):
        raise InputError(f"{name} {value!r}: {needed} is needed")


def _is_paths(value):
    return _is_list(value) and value and all(isinstance(path, str | Path) for path in value)


def _is_list(value):
    return isinstance(value, list | tuple)


def _number(value):
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < float("inf")
