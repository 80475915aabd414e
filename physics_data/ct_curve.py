"""From CT numbers to density and material.

1. Density: straight lines between measured points (HU, g/cm3), constant beyond the ends.
2. Material: the tissue whose HU interval holds the voxel; below the first interval the first tissue.
The built-in curve is that of Schneider, Bortfeld & Schlegel, Phys. Med. Biol. 45 (2000) 459. Clinics measure their own:
`load_curve` reads a TOML file of the form described there.
"""

import difflib
import tomllib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from physics_data.materials import Material, material

BUILT_IN_CURVES = ("schneider2000",)

MAX_MATERIALS = 256
"""Voxels hold their material in one byte."""

DENSEST_G_CM3 = 23.0
"""Osmium has 22.6 g/cm3; a larger number is a density in kg/m3."""

_FOLDER = Path(__file__).parent
_DENSITY_KEYS = {"hu", "g_cm3"}
_TISSUE_KEYS = {"name", "lower_hu", "mass_percent", "material", "density_g_cm3", "i_value_ev"}


@dataclass(frozen=True, eq=False)
class CtCurve:
    """A relation between HU, density and material.

    Parameters
    ----------
    name : str
        Any name.
    hu : array_like, shape (n,)
        Ascending CT numbers, at least two.
    density_g_cm3 : array_like, shape (n,)
        Mass density at them, g/cm3.
    material_lower_hu : array_like, shape (m,)
        Ascending CT numbers from which each material holds.
    materials : tuple of Material, length m
        The materials; their own density is the nominal one, for the density effect.

    Raises
    ------
    ValueError
        If numbers do not ascend, a density is not positive or looks like kg/m3, or lengths differ.
    """

    name: str
    hu: np.ndarray
    density_g_cm3: np.ndarray
    material_lower_hu: np.ndarray
    materials: tuple[Material, ...]

    def __post_init__(self):
        what = f"CT curve {self.name!r}"
        hu = _vector(self.hu, f"{what}: hu")
        density = _vector(self.density_g_cm3, f"{what}: density_g_cm3")
        lower = _vector(self.material_lower_hu, f"{what}: material_lower_hu")
        materials = tuple(self.materials)
        if len(hu) < 2 or np.any(np.diff(hu) <= 0):
            raise ValueError(f"{what}: the HU of the density points must ascend, at least two of them; sort them")
        if len(density) != len(hu):
            raise ValueError(f"{what}: {len(density)} densities for {len(hu)} HU values; give one density per HU")
        if np.any(density <= 0) or np.any(density > DENSEST_G_CM3):
            bad = density[(density <= 0) | (density > DENSEST_G_CM3)][0]
            raise ValueError(f"{what}: density {bad:g} g/cm3 is impossible; give g/cm3 (water is 1.0), above 0")
        if len(lower) != len(materials) or not 1 <= len(materials) <= MAX_MATERIALS:
            raise ValueError(
                f"{what}: {len(materials)} materials for {len(lower)} lower HU; give one each, 1 to {MAX_MATERIALS}"
            )
        if np.any(np.diff(lower) <= 0):
            raise ValueError(f"{what}: the lower HU of the tissues must ascend; sort the tissues")
        for field, value in (("hu", hu), ("density_g_cm3", density), ("material_lower_hu", lower)):
            value.setflags(write=False)
            object.__setattr__(self, field, value)
        object.__setattr__(self, "materials", materials)

    def density(self, hu: ArrayLike) -> np.ndarray:
        """Mass density, g/cm3.

        Parameters
        ----------
        hu : array_like
            CT numbers of any shape; beyond the ends of the curve its end points hold.

        Returns
        -------
        ndarray of float64
            Of the shape of `hu`.

        Raises
        ------
        ValueError
            If a CT number is NaN.
        """
        return np.interp(_numbers(hu, self.name), self.hu, self.density_g_cm3)

    def material_index(self, hu: ArrayLike) -> np.ndarray:
        """Index into `materials`.

        Parameters
        ----------
        hu : array_like
            CT numbers of any shape; below the first tissue they belong to it.

        Returns
        -------
        ndarray of uint8
            Of the shape of `hu`.

        Raises
        ------
        ValueError
            If a CT number is NaN.
        """
        index = np.searchsorted(self.material_lower_hu, _numbers(hu, self.name), side="right") - 1
        return np.maximum(index, 0).astype(np.uint8)


def load_curve(name_or_path: str | Path) -> CtCurve:
    """A built-in curve or a user's own.

    Parameters
    ----------
    name_or_path : str or Path
        ``"schneider2000"``, or a TOML file::

            name = "our scanner, 120 kV"

            [density]
            hu = [-1000, 0, 1000, 3000]
            g_cm3 = [0.0012, 1.0, 1.56, 2.7]

            [[tissue]]
            lower_hu = -1050
            material = "air"                  # a built-in material

            [[tissue]]
            name = "soft"                     # or a composition in per cent by mass
            lower_hu = -200
            mass_percent = { H = 10.5, C = 25.6, N = 2.7, O = 60.2, P = 0.5, S = 0.5 }
            density_g_cm3 = 1.03              # nominal density; by default that at the middle of the interval
            i_value_ev = 74.0                 # by default Bragg's rule

    Returns
    -------
    CtCurve

    Raises
    ------
    ValueError
        If there is no such curve, or the file is not of this form; the sentence names the file and the field.

    Examples
    --------
    >>> curve = load_curve("schneider2000")
    >>> float(curve.density(-1000)), curve.materials[curve.material_index(50)].name
    (0.00121, 'soft tissue')
    """
    if str(name_or_path) in BUILT_IN_CURVES:
        path = _FOLDER / f"{name_or_path}.toml"
    else:
        path = Path(name_or_path)
        if not path.is_file():
            near = difflib.get_close_matches(str(name_or_path), BUILT_IN_CURVES, n=1)
            hint = f"did you mean {near[0]}?" if near else f"give a TOML file or {' or '.join(BUILT_IN_CURVES)}"
            raise ValueError(f"no CT curve or file {str(name_or_path)!r}; {hint}")
    try:
        with path.open("rb") as file:
            return _curve(tomllib.load(file), path.stem)
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{path}: not a TOML file: {error}") from None
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    except OSError as error:
        raise ValueError(f"{path}: cannot be read: {error.strerror}") from None


def _curve(data, default_name):
    density = data.get("density")
    tissues = data.get("tissue")
    if not isinstance(density, dict) or set(density) != _DENSITY_KEYS:
        raise ValueError("section [density] must have exactly hu = [...] and g_cm3 = [...]")
    if not isinstance(tissues, list) or not tissues:
        raise ValueError("at least one [[tissue]] with lower_hu and a material or mass_percent is needed")
    hu, g_cm3 = _vector(density["hu"], "density.hu"), _vector(density["g_cm3"], "density.g_cm3")
    if len(hu) != len(g_cm3):
        raise ValueError(f"section [density]: {len(g_cm3)} densities for {len(hu)} HU values; give one density per HU")
    lower = [_lower_hu(tissue, k) for k, tissue in enumerate(tissues)]
    upper = [*lower[1:], max(hu[-1], lower[-1])]
    middle = [(a + b) / 2 for a, b in zip(lower, upper)]
    nominal = np.interp(middle, hu, g_cm3)
    materials = tuple(_tissue(tissue, k, rho) for k, (tissue, rho) in enumerate(zip(tissues, nominal)))
    return CtCurve(str(data.get("name", default_name)), hu, g_cm3, lower, materials)


def _lower_hu(tissue, k):
    where = f"tissue {k + 1}"
    unknown = sorted(set(tissue) - _TISSUE_KEYS)
    if unknown:
        raise ValueError(f"{where}: unknown field {unknown[0]!r}; the fields are {', '.join(sorted(_TISSUE_KEYS))}")
    if not isinstance(tissue.get("lower_hu"), int | float):
        raise ValueError(f"{where}: lower_hu is missing or not a number")
    return tissue["lower_hu"]


def _tissue(tissue, k, nominal_density):
    where = f"tissue {k + 1}"
    if ("material" in tissue) == ("mass_percent" in tissue):
        raise ValueError(f"{where}: give either material (a built-in name) or mass_percent")
    if "material" in tissue:
        return material(tissue["material"])
    percent = tissue["mass_percent"]
    if not isinstance(percent, dict) or not all(isinstance(value, int | float) for value in percent.values()):
        raise ValueError(f"{where}: mass_percent must look like {{ H = 11.2, O = 88.8 }}")
    fractions = {symbol: value / 100 for symbol, value in percent.items()}
    density = tissue.get("density_g_cm3", nominal_density)
    return Material(str(tissue.get("name", where)), density, fractions, tissue.get("i_value_ev"))


def _numbers(hu, name):
    numbers = np.asarray(hu, dtype=float)
    if np.isnan(numbers).any():
        raise ValueError(f"CT curve {name!r}: {int(np.isnan(numbers).sum())} CT numbers are NaN; replace them by HU")
    return numbers


def _vector(values, what):
    try:
        vector = np.array(values, dtype=float)
    except (TypeError, ValueError):
        raise ValueError(f"{what}: {values!r} are not numbers") from None
    if vector.ndim != 1 or vector.size == 0 or not np.all(np.isfinite(vector)):
        raise ValueError(f"{what}: must be a list of finite numbers")
    return vector
