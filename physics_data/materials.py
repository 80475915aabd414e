"""Materials: name, nominal density, elemental composition and mean excitation energy.

1. A `Material` is any mixture of elements by mass. Its density is the nominal one: it enters the density effect of the
   collision stopping power; a voxel has its own bulk density (inflated lung is tissue of 1.05 g/cm3 at a bulk density
   of 0.26 g/cm3, and its density effect is that of the tissue).
2. The mean excitation energy I of a mixture follows from Bragg's rule, ln I = sum(w Z/A ln I) / sum(w Z/A), with the
   values ICRU Report 37 (1984) recommends for elements in liquid and solid compounds; it reproduces the I
   values of the ICRU-44 tissues to the digits printed. Gas mixtures need their own I (air: 85.7 eV).
3. The built-in materials stand in ``materials.toml`` with their sources.
"""

import difflib
import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType

import numpy as np

from physics_data.elements import atomic_number, atomic_weight, mean_excitation_energy_ev

AVOGADRO_PER_MOL = 6.02214076e23
"""Avogadro constant, 1/mol (exact in the SI of 2019)."""

COMPOUND_I_EV = MappingProxyType({1: 19.2, 6: 81.0, 7: 82.0, 8: 106.0, 9: 112.0, 17: 180.0})
"""Mean excitation energy in eV of an element bound in a liquid or solid compound, by Z (ICRU-37)."""

COMPOUND_I_FACTOR = 1.13
"""Elements not in `COMPOUND_I_EV`: 1.13 times the value of the pure element (ICRU-37: the mean effect of binding)."""

FRACTION_SUM_TOLERANCE = 0.02
"""Mass fractions may miss 1 by this much: published compositions are rounded, larger gaps are mistakes."""

_ROUNDING = 1e-12
"""Sums closer to 1 than this are left alone, so that rebuilding a material from its own fractions changes no bit."""

_MATERIALS_FILE = Path(__file__).with_name("materials.toml")


@dataclass(frozen=True)
class Material:
    """A mixture of elements.

    Parameters
    ----------
    name : str
        Any name.
    density_g_cm3 : float
        Nominal density, g/cm3, used for the density effect and for uniform phantoms.
    mass_fractions : mapping of str to float
        Chemical symbol to fraction by mass; they must add up to 1 within 2 % and are normalised.
    i_value_ev : float, optional
        Mean excitation energy, eV. By default Bragg's rule with the ICRU-37 values for compounds; the elemental value
        for a pure element.

    Raises
    ------
    ValueError
        For an empty name, a density, fraction or I value that is not positive and finite, an unknown element, or
        fractions that do not add up to 1.

    Examples
    --------
    >>> Material("gel", 1.02, {"H": 0.108, "C": 0.05, "N": 0.015, "O": 0.827}).i_value_ev > 70
    True
    """

    name: str
    density_g_cm3: float
    mass_fractions: Mapping[str, float]
    i_value_ev: float | None = None

    def __post_init__(self):
        if not isinstance(self.name, str) or not self.name.strip():
            raise ValueError(f"a material needs a name, not {self.name!r}")
        density = _positive(self.density_g_cm3, f"material {self.name!r}: density_g_cm3")
        fractions = _normalised_fractions(self.name, self.mass_fractions)
        i_value = bragg_i_value_ev(fractions) if self.i_value_ev is None else self.i_value_ev
        i_value = _positive(i_value, f"material {self.name!r}: i_value_ev")
        object.__setattr__(self, "density_g_cm3", density)
        object.__setattr__(self, "mass_fractions", MappingProxyType(fractions))
        object.__setattr__(self, "i_value_ev", i_value)

    def __hash__(self):
        return hash((self.name, self.density_g_cm3, tuple(self.mass_fractions.items()), self.i_value_ev))

    def __reduce__(self):
        return Material, (self.name, self.density_g_cm3, dict(self.mass_fractions), self.i_value_ev)

    @property
    def z(self) -> np.ndarray:
        """Atomic numbers, int array in ascending order."""
        return np.array([atomic_number(symbol) for symbol in self.mass_fractions], dtype=int)

    @property
    def weights(self) -> np.ndarray:
        """Fractions by mass in the order of `z`, float array adding up to 1."""
        return np.array(list(self.mass_fractions.values()), dtype=float)

    @property
    def electrons_per_gram(self) -> float:
        """Electrons per gram."""
        z = self.z
        return float(AVOGADRO_PER_MOL * np.sum(self.weights * z / [atomic_weight(k) for k in z]))


def bragg_i_value_ev(mass_fractions: Mapping[str, float]) -> float:
    """Mean excitation energy by Bragg's rule, eV (ICRU Report 37, 1984).

    Parameters
    ----------
    mass_fractions : mapping of str to float
        Chemical symbol to fraction by mass.

    Returns
    -------
    float
        I in eV, of the pure element when there is only one.
    """
    numbers = [atomic_number(symbol) for symbol in mass_fractions]
    if len(numbers) == 1:
        return mean_excitation_energy_ev(numbers[0])
    electrons = [weight * z / atomic_weight(z) for z, weight in zip(numbers, mass_fractions.values())]
    logs = [math.log(_compound_i_ev(z)) for z in numbers]
    return math.exp(math.fsum(n * log for n, log in zip(electrons, logs)) / math.fsum(electrons))


def material(name: str) -> Material:
    """A built-in material.

    Parameters
    ----------
    name : str
        One of `material_names`; capitals, spaces and hyphens do not matter.

    Raises
    ------
    ValueError
        If there is none of that name; the nearest names are listed.

    Notes
    -----
    ``lung`` is lung tissue with its own density of 1.05 g/cm3; the bulk density of inflated lung, about 0.26 g/cm3,
    belongs to the voxels.

    Examples
    --------
    >>> material("water").i_value_ev
    75.0
    """
    key = str(name).strip().lower().replace(" ", "_").replace("-", "_")
    materials = _built_in()
    if key not in materials:
        near = difflib.get_close_matches(key, materials, n=3, cutoff=0.4)
        hint = f"did you mean {' or '.join(near)}?" if near else f"choose one of {', '.join(materials)}"
        raise ValueError(f"no built-in material {name!r}; {hint}")
    return materials[key]


def material_names() -> list[str]:
    """Names of the built-in materials."""
    return list(_built_in())


@cache
def _built_in():
    with _MATERIALS_FILE.open("rb") as file:
        rows = tomllib.load(file)
    return {
        name: Material(name, row["density_g_cm3"], row["mass_fractions"], row.get("i_value_ev"))
        for name, row in rows.items()
    }


def _compound_i_ev(z):
    return COMPOUND_I_EV.get(z) or COMPOUND_I_FACTOR * mean_excitation_energy_ev(z)


def _normalised_fractions(name, mass_fractions):
    if not isinstance(mass_fractions, Mapping) or not mass_fractions:
        raise ValueError(
            f"material {name!r}: mass_fractions must map symbols to fractions, like {{'H': 0.1119, 'O': 0.8881}}"
        )
    by_number = {}
    for symbol, fraction in mass_fractions.items():
        try:
            z = atomic_number(symbol)
        except ValueError as error:
            raise ValueError(f"material {name!r}: {error}") from None
        value = float(fraction)
        if not math.isfinite(value) or value < 0:
            raise ValueError(f"material {name!r}: mass fraction of {symbol} is {fraction}; it must be 0 or more")
        if value > 0:
            by_number[z] = (symbol, value)
    total = math.fsum(value for _, value in by_number.values())
    if abs(total - 1) > FRACTION_SUM_TOLERANCE:
        raise ValueError(
            f"material {name!r}: mass fractions add up to {total:.4g}, not 1; give fractions of all elements"
        )
    scale = total if abs(total - 1) > _ROUNDING else 1.0
    return {symbol: value / scale for _, (symbol, value) in sorted(by_number.items())}


def _positive(value, what):
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise ValueError(f"{what} is {value!r}; it must be a positive number") from None
    if not math.isfinite(number) or number <= 0:
        raise ValueError(f"{what} is {value}; it must be a positive number")
    return number
