"""Photon cross sections, form factors and K shells of any mixture, from NIST XCOM and Hubbell's tables.

1. Partial cross sections per gram are sums over elements, sum(w N_A/A sigma), of XCOM rows interpolated as NIST does:
   coherent and incoherent by a cubic spline in ln sigma against ln E; photoelectric by such a spline above the K edge
   and by straight lines in logarithms between the edges below it, never across an edge; pair production by a spline of
   ln[sigma/(1 - E0/E)^3] with the threshold E0 = 2 mc2 in the field of the nucleus, 4 mc2 in that of an electron
   (M. J. Berger and J. H. Hubbell, NBSIR 87-3597, 1987). Valid 1 keV to 100 MeV; the rows carry four digits.
2. F(x) and S(x), with x = sin(theta/2)/lambda, are interpolated linearly in logarithms; towards x = 0, Z - F and S are
   quadratic in x, as the dipole limit asks. Atoms scatter independently: interference in molecules and liquids is
   neglected (it matters below about 15 keV near the forward direction, where it moves no energy).
3. K shell: the share of photoelectric absorption on it is 1 - 1/J with J the jump at the edge, taken as constant above
   the edge (it grows by a few per cent up to 1 MeV).
"""

from functools import cache
from pathlib import Path
from typing import NamedTuple

import h5py
import numpy as np
from numpy.typing import ArrayLike
from scipy.interpolate import CubicSpline

from physics_data.elements import MAX_Z, atomic_weight
from physics_data.materials import AVOGADRO_PER_MOL, Material

ELECTRON_MASS_MEV = 0.51099895
"""Electron rest energy, MeV (CODATA 2018)."""

BARN_CM2 = 1e-24

LOWEST_ENERGY_MEV = 1e-3
"""XCOM starts at 1 keV."""

HIGHEST_ENERGY_MEV = 100.0
"""The shipped rows end here."""

PAIR_THRESHOLD_MEV = 2 * ELECTRON_MASS_MEV
TRIPLET_THRESHOLD_MEV = 4 * ELECTRON_MASS_MEV

PAIR_ROWS_MEV = (1.022, 2.044)
"""XCOM inserts rows at the pair thresholds; the other processes skip them, as rows so close make a spline ripple."""

FORM_FACTOR_TAIL_POWER = -4.0
"""F falls as x^-4 once x exceeds every momentum bound in the atom (hydrogenic 1s)."""

_DATA_FILE = Path(__file__).with_name("photons.h5")


class CrossSections(NamedTuple):
    """Partial cross sections per gram, cm2/g, each of the shape of the energies."""

    photoelectric: np.ndarray
    incoherent: np.ndarray
    coherent: np.ndarray
    pair: np.ndarray
    triplet: np.ndarray


class KShell(NamedTuple):
    """K shell of an element.

    Attributes
    ----------
    edge_mev : float
        Binding energy, MeV.
    fluorescence_yield : float
        Probability that a K vacancy emits a K X-ray.
    line_energies_mev : ndarray, shape (n,)
        Energies of the K lines, MeV, ascending.
    line_probabilities : ndarray, shape (n,)
        Probability of each line, adding up to 1; empty where the yield is 0.
    jump_ratio : float
        Photoelectric cross section just above the edge over that just below.
    """

    edge_mev: float
    fluorescence_yield: float
    line_energies_mev: np.ndarray
    line_probabilities: np.ndarray
    jump_ratio: float

    def photoelectric_fraction(self, energy_mev: ArrayLike) -> np.ndarray:
        """Share of photoelectric absorptions on the K shell: 1 - 1/J from the edge up, 0 below it."""
        return np.where(np.asarray(energy_mev, dtype=float) >= self.edge_mev, 1 - 1 / self.jump_ratio, 0.0)


def cross_sections(material: Material, energies_mev: ArrayLike) -> CrossSections:
    """Partial photon cross sections of a material.

    Parameters
    ----------
    material : Material
        Any mixture.
    energies_mev : array_like
        Photon energies, MeV, 1 keV to 100 MeV.

    Returns
    -------
    CrossSections
        cm2/g; they add up to the attenuation coefficient with coherent scattering.

    Raises
    ------
    ValueError
        If an energy is outside the tables.

    Examples
    --------
    >>> from physics_data.materials import material
    >>> round(float(sum(cross_sections(material("water"), 0.1))), 4)
    0.1707
    """
    energies = _checked_energies(energies_mev)
    total = np.zeros((len(CrossSections._fields), *energies.shape))
    for z, weight in zip(material.z, material.weights):
        total += weight * np.array(element_cross_sections(z, energies))
    return CrossSections(*total)


def element_cross_sections(z: int, energies_mev: ArrayLike) -> CrossSections:
    """Partial cross sections of an element, cm2/g; parameters and errors as `cross_sections`."""
    energies = _checked_energies(energies_mev)
    element = _element(int(z))
    per_gram = AVOGADRO_PER_MOL * BARN_CM2 / atomic_weight(z)
    log_energies = np.log(energies)
    barns = (
        np.exp(element.log_photoelectric(log_energies)),
        np.exp(element.log_incoherent(log_energies)),
        np.exp(element.log_coherent(log_energies)),
        _above_threshold(element.log_pair, energies, PAIR_THRESHOLD_MEV),
        _above_threshold(element.log_triplet, energies, TRIPLET_THRESHOLD_MEV),
    )
    return CrossSections(*(per_gram * values for values in barns))


def element_form_factor(z: int, x_per_angstrom: ArrayLike) -> np.ndarray:
    """Atomic form factor F(x), electrons per atom.

    Parameters
    ----------
    z : int
        Atomic number.
    x_per_angstrom : array_like
        x = sin(theta/2)/lambda in 1/angstrom, 0 or more.

    Returns
    -------
    ndarray
        Z at x = 0, falling to 0.
    """
    x, low, grid, inside = _scattering_argument(x_per_angstrom)
    values = _scattering().form_factor[z - 1]
    table = np.exp(np.interp(np.log(inside), np.log(grid), np.log(values)))
    table *= np.where(x > grid[-1], (np.maximum(x, grid[-1]) / grid[-1]) ** FORM_FACTOR_TAIL_POWER, 1.0)
    return np.where(low, z - (z - values[0]) * (x / grid[0]) ** 2, table)


def element_incoherent_function(z: int, x_per_angstrom: ArrayLike) -> np.ndarray:
    """Incoherent scattering function S(x), electrons per atom.

    Parameters
    ----------
    z : int
        Atomic number.
    x_per_angstrom : array_like
        x = sin(theta/2)/lambda in 1/angstrom, 0 or more.

    Returns
    -------
    ndarray
        0 at x = 0 (quadratic), rising to Z.
    """
    x, low, grid, inside = _scattering_argument(x_per_angstrom)
    values = _scattering().incoherent_function[z - 1]
    table = np.exp(np.interp(np.log(inside), np.log(grid), np.log(values)))
    return np.where(low, values[0] * (x / grid[0]) ** 2, table)


def incoherent_function(material: Material, x_per_angstrom: ArrayLike) -> np.ndarray:
    """Incoherent scattering function of a material per electron, sum(n S)/sum(n Z), between 0 and 1.

    Parameters
    ----------
    material : Material
        Any mixture; n are its atoms per gram.
    x_per_angstrom : array_like
        x = sin(theta/2)/lambda in 1/angstrom, 0 or more.
    """
    atoms = _atoms_per_gram(material)
    scattered = sum(n * element_incoherent_function(z, x_per_angstrom) for z, n in zip(material.z, atoms))
    return scattered / np.sum(atoms * material.z)


def form_factor_squared(material: Material, x_per_angstrom: ArrayLike) -> np.ndarray:
    """Square of the form factor of a material per atom, sum(n F^2)/sum(n): the shape of Rayleigh scattering.

    Parameters
    ----------
    material : Material
        Any mixture; n are its atoms per gram.
    x_per_angstrom : array_like
        x = sin(theta/2)/lambda in 1/angstrom, 0 or more.
    """
    atoms = _atoms_per_gram(material)
    return sum(n * element_form_factor(z, x_per_angstrom) ** 2 for z, n in zip(material.z, atoms)) / np.sum(atoms)


@cache
def k_shell(z: int) -> KShell:
    """K shell of an element.

    Parameters
    ----------
    z : int
        Atomic number, 1 to 100.

    Examples
    --------
    >>> round(1000 * k_shell(53).edge_mev, 2)
    33.17
    """
    _check_z(z)
    with h5py.File(_DATA_FILE) as file:
        group = file["k_shell"]
        first, end = group["first_line"][z - 1 : z + 1]
        return KShell(
            edge_mev=float(group["edge_mev"][z - 1]),
            fluorescence_yield=float(group["fluorescence_yield"][z - 1]),
            line_energies_mev=_frozen(group["line_energies_mev"][first:end]),
            line_probabilities=_frozen(group["line_probabilities"][first:end]),
            jump_ratio=float(group["jump_ratio"][z - 1]),
        )


class _Element(NamedTuple):
    """Interpolators of ln(barn) against ln(MeV); pair and triplet without their threshold factor."""

    log_photoelectric: "_Photoelectric"
    log_incoherent: CubicSpline
    log_coherent: CubicSpline
    log_pair: CubicSpline
    log_triplet: CubicSpline


class _Photoelectric(NamedTuple):
    """Straight pieces between edges below the K edge, a spline above it."""

    log_energy: np.ndarray
    log_value: np.ndarray
    first_rows: np.ndarray
    above_k: CubicSpline

    def __call__(self, log_energies):
        result = self.above_k(log_energies)
        ends = [*self.first_rows[1:], len(self.log_energy)]
        for first, end in zip(self.first_rows, ends):
            here = (log_energies >= self.log_energy[first]) & (log_energies < self.above_k.x[0])
            result = np.where(
                here, np.interp(log_energies, self.log_energy[first:end], self.log_value[first:end]), result
            )
        return result


class _Scattering(NamedTuple):
    x_per_angstrom: np.ndarray
    form_factor: np.ndarray
    incoherent_function: np.ndarray


@cache
def _tables():
    with h5py.File(_DATA_FILE) as file:
        return {name: dataset[:] for name, dataset in file["xcom"].items()}


@cache
def _scattering():
    with h5py.File(_DATA_FILE) as file:
        return _Scattering(*(file["scattering"][name][:].astype(float) for name in _Scattering._fields))


@cache
def _element(z):
    _check_z(z)
    tables = _tables()
    first, end = tables["first_row"][z - 1 : z + 1]
    rows = {name: values[first:end] for name, values in tables.items() if name not in ("first_row", "edge_rows")}
    starts = tables["edge_rows"][(tables["edge_rows"] >= first) & (tables["edge_rows"] < end)] - first
    energy = rows["energy_mev"]
    at_pair_threshold = np.isin(energy, PAIR_ROWS_MEV)
    smooth = ~at_pair_threshold
    smooth[starts] = smooth[starts - 1] = False
    return _Element(
        _photoelectric(energy, rows["photoelectric"], starts, ~at_pair_threshold, z),
        CubicSpline(np.log(energy[smooth]), np.log(rows["incoherent"][smooth])),
        CubicSpline(np.log(energy[smooth]), np.log(rows["coherent"][smooth])),
        _threshold_spline(energy, rows["pair_atom"], PAIR_THRESHOLD_MEV),
        _threshold_spline(energy, rows["pair_electron"], TRIPLET_THRESHOLD_MEV),
    )


def _photoelectric(energy, values, starts, used, z):
    log_energy, log_value = np.log(energy), np.log(values)
    k_row = starts[-1] if len(starts) else 0
    above = used & (np.arange(len(energy)) >= k_row)
    below = slice(0, k_row)
    first_rows = np.array([0, *starts[:-1]]) if k_row else np.zeros(0, dtype=int)
    return _Photoelectric(
        log_energy[below], log_value[below], first_rows, CubicSpline(log_energy[above], log_value[above])
    )


def _threshold_spline(energy, values, threshold_mev):
    used = values > 0
    reduced = np.log(values[used] / (1 - threshold_mev / energy[used]) ** 3)
    return CubicSpline(np.log(energy[used]), reduced, bc_type="natural")


def _above_threshold(spline, energies, threshold_mev):
    excess = np.maximum(1 - threshold_mev / energies, 0.0)
    start = spline.x[0]
    log_energies = np.log(energies)
    # Between the threshold and the first row the reduced cross section goes on in a straight line.
    reduced = np.where(
        log_energies < start, spline(start) + spline(start, 1) * (log_energies - start), spline(log_energies)
    )
    return np.exp(reduced) * excess**3


def _scattering_argument(x_per_angstrom):
    x = np.asarray(x_per_angstrom, dtype=float)
    if not np.all(x >= 0):
        raise ValueError(f"x_per_angstrom: {np.min(x)} is not allowed; x = sin(theta/2)/lambda is 0 or more")
    grid = _scattering().x_per_angstrom
    return x, x < grid[0], grid, np.clip(x, grid[0], grid[-1])


def _atoms_per_gram(material):
    return AVOGADRO_PER_MOL * material.weights / [atomic_weight(z) for z in material.z]


def _checked_energies(energies_mev):
    energies = np.asarray(energies_mev, dtype=float)
    wrong = ~((energies >= LOWEST_ENERGY_MEV) & (energies <= HIGHEST_ENERGY_MEV))
    if np.any(wrong):
        value = energies[wrong].flat[0]
        raise ValueError(
            f"energies_mev: {value:g} MeV is outside the tables of {LOWEST_ENERGY_MEV:g} to {HIGHEST_ENERGY_MEV:g} MeV"
        )
    return energies


def _check_z(z):
    if not 1 <= z <= MAX_Z:
        raise ValueError(f"atomic number {z} is outside 1 to {MAX_Z}, the elements with photon data")


def _frozen(values):
    values.setflags(write=False)
    return values
