"""The chemical elements: symbols, atomic weights and mean excitation energies, Z = 1 to 100.

Atomic weights are those NIST XCOM uses; mean excitation energies are those of ICRU Report 37 (1984) as NIST ESTAR
tabulates them. Both stand in ``elements.toml`` beside this module.
"""

import difflib
import tomllib
from pathlib import Path

MAX_Z = 100
"""Highest atomic number with data: the photon and electron tables of NIST end at fermium."""

_ELEMENTS_FILE = Path(__file__).with_name("elements.toml")


def _read_elements():
    with _ELEMENTS_FILE.open("rb") as file:
        rows = tomllib.load(file)["elements"]
    ordered = sorted(rows.items(), key=lambda item: item[1]["z"])
    symbols = ("", *(symbol for symbol, _ in ordered))
    weights = (0.0, *(row["weight"] for _, row in ordered))
    excitation = (0.0, *(row["i_ev"] for _, row in ordered))
    return symbols, weights, excitation


SYMBOLS, _WEIGHTS, _EXCITATION_EV = _read_elements()
_NUMBERS = {symbol: z for z, symbol in enumerate(SYMBOLS) if z}


def atomic_number(symbol: str) -> int:
    """Atomic number of an element.

    Parameters
    ----------
    symbol : str
        Chemical symbol with its usual capitals, ``"Ca"``.

    Returns
    -------
    int
        Z, 1 to 100.

    Raises
    ------
    ValueError
        If there is no such element.

    Examples
    --------
    >>> atomic_number("Ca")
    20
    """
    z = _NUMBERS.get(symbol)
    if z is None:
        candidate = str(symbol).strip().capitalize()
        if candidate not in _NUMBERS:
            near = difflib.get_close_matches(candidate, _NUMBERS, n=1, cutoff=0.0)
            candidate = near[0] if near else "H"
        raise ValueError(
            f"{symbol!r} is not a chemical symbol of an element with Z = 1 to 100; did you mean {candidate!r}?"
        )
    return z


def atomic_weight(z: int) -> float:
    """Atomic weight in g/mol (NIST XCOM).

    Parameters
    ----------
    z : int
        Atomic number, 1 to 100.

    Raises
    ------
    ValueError
        If `z` is outside 1 to 100.

    Examples
    --------
    >>> atomic_weight(8)
    15.9994
    """
    return _WEIGHTS[_checked(z)]


def mean_excitation_energy_ev(z: int) -> float:
    """Mean excitation energy of the element in its normal state, eV (ICRU Report 37).

    Parameters
    ----------
    z : int
        Atomic number, 1 to 100.

    Raises
    ------
    ValueError
        If `z` is outside 1 to 100.

    Examples
    --------
    >>> mean_excitation_energy_ev(1)
    19.2
    """
    return _EXCITATION_EV[_checked(z)]


def _checked(z):
    if not 1 <= z <= MAX_Z:
        raise ValueError(f"atomic number {z} is outside 1 to {MAX_Z}, the elements with data")
    return int(z)
