"""Stopping powers of electrons and positrons in any mixture, and the hard collisions taken out of them.

The model, in numbered steps:

1. Collision stopping power: Bethe's formula in the form of Berger and Seltzer (ICRU Report 37, 1984, section 2), with
   the Moller function F- for electrons and the Bhabha function F+ for positrons.
2. Density effect: Sternheimer's oscillator model (Phys. Rev. 88 (1952) 851; Sternheimer, Berger and Seltzer, At. Data
   Nucl. Data Tables 30 (1984) 261) from the subshell energies of every element of the mixture, at the *nominal*
   density of the material. The oscillator energies are scaled together until they give back the mean excitation
   energy I of the mixture.
3. Radiative stopping power: the table of Seltzer and Berger (NIST Standard Reference Database 124) per element, added
   by mass fraction; for positrons times the ratio of Kim, Pratt, Seltzer and Berger (Phys. Rev. A 33 (1986) 3002) in
   the fit of Salvat et al. (PENELOPE).
4. Hard collisions: number and energy loss of the Moller (Ann. Phys. 14 (1932) 531) and Bhabha (Proc. R. Soc. A 154
   (1936) 195) events above a threshold, in closed form. The slower electron of a Moller collision counts as the
   recoil, so its energy W lies in (cutoff, E/2]; in a Bhabha collision W lies in (cutoff, E]. For both particles
   nothing is hard unless E > 2 cutoff.
5. Annihilation in flight of positrons on free electrons at rest (Heitler, The Quantum Theory of Radiation, 3rd ed.
   1954, section 27).

Valid from 1 keV to 100 MeV. Below 1 keV the stopping powers are continued as power laws of the energy with the slope
at 1 keV: smooth and positive, but no longer physics. Neglected: shell corrections (ICRU 37 puts the error at 1-2 % at
10 keV in light and 2-5 % in heavy elements), the Barkas correction (positrons only through F+), triple collisions.
"""

from functools import cache
from pathlib import Path
from typing import NamedTuple

import h5py
import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.interpolate import CubicSpline

from physics_data.elements import atomic_weight
from physics_data.materials import Material

DATA_FILE = Path(__file__).with_name("electrons.h5")  # made by `python -m physics_data.build`

ELECTRON_MASS_MEV = 0.51099895069  # CODATA 2022
ELECTRON_RADIUS_CM = 2.8179403205e-13  # classical electron radius, CODATA 2022
FINE_STRUCTURE = 7.2973525643e-3  # CODATA 2022
AVOGADRO = 6.02214076e23  # per mol, exact since 2019
HC_MEV_ANGSTROM = 1.239841984e-2  # h c, exact since 2019: momentum p in MeV/c is p/HC in 1/Angstrom (no 2 pi)
MOLLER_CM2_MEV = 2 * np.pi * ELECTRON_RADIUS_CM**2 * ELECTRON_MASS_MEV  # 2 pi r_e^2 m c^2, scale of every loss here
PLASMON_EV = 28.81593  # eV (g/cm3)^-1/2: plasma energy of one electron per atomic mass unit (ICRU 37)

LOWEST_ENERGY_MEV = 1e-3  # below it Bethe's logarithm is no longer meant: power law instead
HIGHEST_ENERGY_MEV = 100.0  # the radiative table we ship ends here
ROUNDING = 1e-9  # of the highest energy, when it comes from logarithms
SLOPE_STEP = 1.01  # ratio of the two energies that give the slope at the lowest energy
RANGE_GRID_POINTS = 1200  # ln-spaced energies of the range quadrature: 1e-6 of the range
DENSITY_GRID_POINTS = 600  # L^2 nodes of the density effect: error of delta below 1e-5


class HardCollisions(NamedTuple):
    """Collisions above a threshold.

    Attributes
    ----------
    number : ndarray, shape of the energies
        Collisions per unit mass path length, cm2/g.
    energy_loss : ndarray, shape of the energies
        Energy the projectile loses in them, MeV cm2/g.
    """

    number: NDArray[np.float64]
    energy_loss: NDArray[np.float64]


class Oscillators(NamedTuple):
    """Subshells of the elements, in the order of the shipped file.

    Attributes
    ----------
    z : ndarray of int, shape (n,)
        Atomic number each subshell belongs to.
    electrons : ndarray, shape (n,)
        Electrons in it.
    binding_ev : ndarray, shape (n,)
        Binding energy, eV.
    conduction : ndarray of bool, shape (n,)
        Whether these electrons are free when the element stands alone.
    """

    z: NDArray[np.int64]
    electrons: NDArray[np.float64]
    binding_ev: NDArray[np.float64]
    conduction: NDArray[np.bool_]


class Kinematics(NamedTuple):
    """Kinetic energy in units of the rest energy (tau), squared velocity and total energy (gamma)."""

    tau: NDArray[np.float64]
    beta2: NDArray[np.float64]
    gamma: NDArray[np.float64]


def collision(material: Material, energies_mev: ArrayLike, charge: int = -1) -> NDArray[np.float64]:
    """Mass collision stopping power.

    Parameters
    ----------
    material : Material
        Its `density_g_cm3` and `i_value_ev` enter.
    energies_mev : array_like, any shape
        Kinetic energies, MeV.
    charge : {-1, +1}
        Electron or positron.

    Returns
    -------
    ndarray, shape of `energies_mev`
        MeV cm2/g.

    Raises
    ------
    ValueError
        If an energy is not in (0, 100] MeV or the charge is not -1 or +1.

    Notes
    -----
    ICRU Report 37 (1984), section 2.
    """
    sign = checked_charge(charge)
    return _continued(lambda energies: _bethe(material, energies, sign), checked_energies(energies_mev))


def radiative(material: Material, energies_mev: ArrayLike, charge: int = -1) -> NDArray[np.float64]:
    """Mass radiative stopping power, nuclear and electronic bremsstrahlung.

    Parameters
    ----------
    material : Material
    energies_mev : array_like, any shape
        Kinetic energies, MeV.
    charge : {-1, +1}
        Electron or positron.

    Returns
    -------
    ndarray, shape of `energies_mev`
        MeV cm2/g.

    Raises
    ------
    ValueError
        If an energy is not in (0, 100] MeV or the charge is not -1 or +1.

    Notes
    -----
    NIST SRD 124 (ESTAR), additive by mass fraction; positrons: see `positron_radiative_ratio`.
    """
    sign = checked_charge(charge)
    energies = checked_energies(energies_mev)
    grid, _ = _radiative_table()
    spline = CubicSpline(np.log(grid), np.log(_radiative_on_grid(material, sign)))
    return _continued(lambda e: np.exp(spline(np.log(e))), energies)


def positron_radiative_ratio(z: int, energies_mev: ArrayLike) -> NDArray[np.float64]:
    """Radiative stopping power of positrons over that of electrons in an element.

    Parameters
    ----------
    z : int
        Atomic number.
    energies_mev : array_like, any shape
        Kinetic energies, MeV.

    Returns
    -------
    ndarray, shape of `energies_mev`
        The ratio, 0 to 1.

    Notes
    -----
    Kim, Pratt, Seltzer and Berger, Phys. Rev. A 33 (1986) 3002, in the fit of Salvat et al., PENELOPE-2018
    (NEA/MBDAV/R(2019)1): within 0.5 % of the tabulated ratios.
    """
    t = np.log1p(1e6 / z**2 * np.asarray(energies_mev, dtype=np.float64) / ELECTRON_MASS_MEV)
    coefficients = (-1.8080e-6, 7.0568e-5, -1.0595e-3, 7.7446e-3, -3.1516e-2, 6.1274e-2, -1.2359e-1, 0.0)
    return -np.expm1(np.polyval(coefficients, t))


def csda_range(material: Material, energies_mev: ArrayLike) -> NDArray[np.float64]:
    """Range of electrons in the continuous-slowing-down approximation.

    Parameters
    ----------
    material : Material
    energies_mev : array_like, any shape
        Kinetic energies, MeV.

    Returns
    -------
    ndarray, shape of `energies_mev`
        g/cm2, the integral of dE over the total stopping power from rest.

    Raises
    ------
    ValueError
        If an energy is not in (0, 100] MeV.
    """
    energies = checked_energies(energies_mev)
    lower = min(float(energies.min(initial=LOWEST_ENERGY_MEV)), LOWEST_ENERGY_MEV)
    grid = np.geomspace(lower, HIGHEST_ENERGY_MEV, RANGE_GRID_POINTS)
    stopping = collision(material, grid) + radiative(material, grid)
    slope = np.log(stopping[1] / stopping[0]) / np.log(grid[1] / grid[0])
    below = grid[0] / stopping[0] / (1 - slope)  # analytic: the stopping power is a power law there
    integral = CubicSpline(np.log(grid), grid / stopping).antiderivative()
    return below + integral(np.log(energies))


def restricted_collision(
    material: Material, energies_mev: ArrayLike, cutoff_mev: float, charge: int = -1
) -> NDArray[np.float64]:
    """Mass collision stopping power without the losses in hard collisions.

    Parameters
    ----------
    material : Material
    energies_mev : array_like, any shape
        Kinetic energies, MeV.
    cutoff_mev : float
        Recoil energy above which a collision is hard, MeV.
    charge : {-1, +1}
        Electron or positron.

    Returns
    -------
    ndarray, shape of `energies_mev`
        MeV cm2/g; `collision` where no collision is hard.

    Raises
    ------
    ValueError
        If an energy or the threshold is not in (0, 100] MeV or the charge is not -1 or +1.
    """
    hard = hard_collisions(material, energies_mev, cutoff_mev, charge)
    return collision(material, energies_mev, charge) - hard.energy_loss


def hard_collisions(material: Material, energies_mev: ArrayLike, cutoff_mev: float, charge: int = -1) -> HardCollisions:
    """Collisions with a recoil above a threshold: how many, and what they cost.

    Parameters
    ----------
    material : Material
    energies_mev : array_like, any shape
        Kinetic energies, MeV.
    cutoff_mev : float
        Recoil energy above which a collision is hard, MeV.
    charge : {-1, +1}
        Electron (Moller) or positron (Bhabha).

    Returns
    -------
    HardCollisions
        Both zero where the kinetic energy is not above twice the threshold.

    Raises
    ------
    ValueError
        If an energy or the threshold is not in (0, 100] MeV or the charge is not -1 or +1.

    Notes
    -----
    Moller, Ann. Phys. 14 (1932) 531; Bhabha, Proc. R. Soc. A 154 (1936) 195; targets free and at rest.
    """
    sign = checked_charge(charge)
    energies = checked_energies(energies_mev)
    threshold = float(checked_energies(cutoff_mev))
    hard = energies > 2 * threshold
    above = np.where(hard, energies, 4 * threshold)  # any hard energy: the result is discarded
    number, loss = _moller_integrals(above, threshold) if sign < 0 else _bhabha_integrals(above, threshold)
    scale = MOLLER_CM2_MEV * material.electrons_per_gram
    return HardCollisions(np.where(hard, scale * number, 0.0), np.where(hard, scale * loss, 0.0))


def annihilation_in_flight(material: Material, energies_mev: ArrayLike) -> NDArray[np.float64]:
    """Two-photon annihilation of moving positrons, per unit mass path length.

    Parameters
    ----------
    material : Material
    energies_mev : array_like, any shape
        Kinetic energies of the positron, MeV.

    Returns
    -------
    ndarray, shape of `energies_mev`
        cm2/g.

    Raises
    ------
    ValueError
        If an energy is not in (0, 100] MeV.

    Notes
    -----
    Heitler, The Quantum Theory of Radiation (3rd ed., 1954), section 27.
    """
    gamma = kinematics(checked_energies(energies_mev)).gamma
    momentum = np.sqrt(gamma**2 - 1)
    bracket = (gamma**2 + 4 * gamma + 1) / momentum**2 * np.log(gamma + momentum) - (gamma + 3) / momentum
    return material.electrons_per_gram * np.pi * ELECTRON_RADIUS_CM**2 / (gamma + 1) * bracket


def density_effect(material: Material, energies_mev: ArrayLike) -> NDArray[np.float64]:
    """Sternheimer's density-effect correction delta at the nominal density of the material.

    Parameters
    ----------
    material : Material
    energies_mev : array_like, any shape
        Kinetic energies, MeV.

    Returns
    -------
    ndarray, shape of `energies_mev`
        delta (dimensionless); 0 below the threshold of an insulator.

    Raises
    ------
    ValueError
        If an energy is not in (0, 100] MeV.

    Notes
    -----
    Sternheimer, Phys. Rev. 88 (1952) 851, in units of the plasma energy: oscillator j has strength f_j,
    energy nu_j and, with the local field, l_j^2 = nu_j^2 + 2/3 f_j (l^2 = f for conduction electrons). L^2 is the root
    of sum f_j / (nu_j^2 + L^2) = 1/(beta gamma)^2 and delta = sum f_j ln(1 + L^2/l_j^2) - L^2 (1 - beta^2).
    """
    spline, threshold = _density_effect_curve(material)
    motion = kinematics(checked_energies(energies_mev))
    momentum2 = motion.tau * (motion.tau + 2)
    inside = momentum2 > threshold
    return np.where(inside, spline(np.log(np.where(inside, momentum2, 1.0))), 0.0)


def checked_energies(energies_mev: ArrayLike) -> NDArray[np.float64]:
    """Energies as a float64 array, refused unless all lie in (0, 100] MeV.

    Raises
    ------
    ValueError
        If one does not.
    """
    energies = np.asarray(energies_mev, dtype=np.float64)
    wrong = energies[~((energies > 0) & (energies <= HIGHEST_ENERGY_MEV * (1 + ROUNDING)))]
    if wrong.size:
        raise ValueError(
            f"energies_mev: {wrong.flat[0]:g} is outside 0 to {HIGHEST_ENERGY_MEV:g} MeV; give kinetic energies in MeV"
        )
    return energies


def kinematics(energies_mev: NDArray[np.float64]) -> Kinematics:
    """Reduced kinetic energy, squared velocity and Lorentz factor of an electron or positron."""
    tau = energies_mev / ELECTRON_MASS_MEV
    return Kinematics(tau, tau * (tau + 2) / (tau + 1) ** 2, tau + 1)


def checked_charge(charge: int) -> int:
    """The charge, refused unless -1 or +1.

    Raises
    ------
    ValueError
        If it is neither.
    """
    if charge not in (-1, 1):
        raise ValueError(f"charge: {charge!r} is neither -1 (electron) nor +1 (positron); give one of them")
    return charge


def _continued(stopping, energies: NDArray[np.float64]) -> NDArray[np.float64]:
    """`stopping` above the lowest energy, below it the power law with the slope found there."""
    result = stopping(np.maximum(energies, LOWEST_ENERGY_MEV))
    if energies.size and energies.min() < LOWEST_ENERGY_MEV:
        edge, above = stopping(LOWEST_ENERGY_MEV * np.array([1.0, SLOPE_STEP]))
        slope = np.log(above / edge) / np.log(SLOPE_STEP)
        result = result * np.minimum(energies / LOWEST_ENERGY_MEV, 1.0) ** slope
    return result


def _bethe(material: Material, energies: NDArray[np.float64], charge: int) -> NDArray[np.float64]:
    """Bethe's formula with the density effect, ICRU 37."""
    tau, beta2, _ = kinematics(energies)
    logarithm = 2 * np.log(energies / (material.i_value_ev * 1e-6)) + np.log1p(tau / 2)
    if charge < 0:
        exchange = (1 - beta2) * (1 + tau**2 / 8 - (2 * tau + 1) * np.log(2))
    else:
        y = 1 / (tau + 2)
        exchange = 2 * np.log(2) - beta2 / 12 * (23 + 14 * y + 10 * y**2 + 4 * y**3)
    scale = MOLLER_CM2_MEV * material.electrons_per_gram
    return scale / beta2 * (logarithm + exchange - density_effect(material, energies))


def _moller_integrals(e: NDArray[np.float64], c: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Integrals over W in [c, E/2] of beta^-2 {1/W^2 + 1/(E-W)^2 + a/E^2 - b/[W(E-W)]} and of W times it."""
    tau, beta2, gamma = kinematics(e)
    a, b = (tau / gamma) ** 2, (2 * tau + 1) / gamma**2
    number = 1 / c - 1 / (e - c) + a * (e / 2 - c) / e**2 - b / e * np.log((e - c) / c)
    loss = (
        np.log(e / (2 * c))
        + (2 - e / (e - c) + np.log(e / (2 * (e - c))))
        + a / 2 * (0.25 - (c / e) ** 2)
        - b * np.log(2 * (e - c) / e)
    )
    return number / beta2, loss / beta2


def _bhabha_integrals(e: NDArray[np.float64], c: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Integrals over W in [c, E] of E^-2 {1/(beta x)^2 - B1/x + B2 - B3 x + B4 x^2}, x = W/E, and of W times it."""
    tau, beta2, _ = kinematics(e)
    y = 1 / (tau + 2)
    b1, b2 = 2 - y**2, (1 - 2 * y) * (3 + y**2)
    b4 = (1 - 2 * y) ** 3
    b3 = b4 + (1 - 2 * y) ** 2
    x = c / e
    log = -np.log(x)
    number = (1 / x - 1) / beta2 - b1 * log + b2 * (1 - x) - b3 * (1 - x**2) / 2 + b4 * (1 - x**3) / 3
    loss = log / beta2 - b1 * (1 - x) + b2 * (1 - x**2) / 2 - b3 * (1 - x**3) / 3 + b4 * (1 - x**4) / 4
    return number / e, loss


@cache
def _density_effect_curve(material: Material) -> tuple[CubicSpline, float]:
    """Spline of delta in ln (beta gamma)^2 and the (beta gamma)^2 below which delta vanishes."""
    plasma_ev = PLASMON_EV * np.sqrt(material.density_g_cm3 * material.electrons_per_gram / AVOGADRO)
    strength, binding, local = _mixture_oscillators(material)
    energy2 = (binding / plasma_ev) ** 2
    energy2 = energy2 * _oscillator_scale(strength, energy2, local, 2 * np.log(material.i_value_ev / plasma_ev))
    bound = strength / np.where(energy2 > 0, energy2, 1.0)
    threshold = 0.0 if (energy2 == 0).any() else float(1 / bound.sum())
    highest = (HIGHEST_ENERGY_MEV / ELECTRON_MASS_MEV + 2) ** 2
    l2 = np.geomspace(1e-6, 4 * highest, DENSITY_GRID_POINTS)[:, None]
    momentum2 = 1 / (strength / (energy2 + l2)).sum(1)
    delta = (strength * np.log1p(l2 / (energy2 + local * strength))).sum(1) - l2[:, 0] / (momentum2 + 1)
    return CubicSpline(np.log(momentum2), delta), max(threshold, float(momentum2[0]))


def _mixture_oscillators(material: Material) -> tuple[NDArray, NDArray, NDArray]:
    """Strengths (sum 1), binding energies (eV) and local-field factors of the subshells of a mixture.

    The conduction electrons of a single element are free (energy 0, factor 1); in compounds they are bound (2/3).
    """
    table = _oscillators()
    per_gram = material.weights / np.array([atomic_weight(int(z)) for z in material.z])
    share = dict(zip(material.z.tolist(), per_gram.tolist()))
    mine = np.isin(table.z, material.z)
    strength = np.array([share[int(z)] for z in table.z[mine]]) * table.electrons[mine]
    free = table.conduction[mine] & (len(material.z) == 1)
    binding = np.where(free, 0.0, table.binding_ev[mine])
    return strength / strength.sum(), binding, np.where(free, 1.0, 2 / 3)


def _oscillator_scale(strength: NDArray, energy2: NDArray, local: NDArray, twice_log_i: float) -> float:
    """Factor on the squared oscillator energies that reproduces I: sum f ln(s nu^2 + a f) = 2 ln I (Newton)."""
    scale = 1.0
    for _ in range(100):
        term = scale * energy2 + local * strength
        value = (strength * np.log(term)).sum() - twice_log_i
        step = value / (strength * energy2 / term).sum()
        scale = max(scale - step, scale / 10)
        if abs(step) < 1e-12 * scale:
            return scale
    raise ValueError(
        f"i_value_ev: {np.exp(twice_log_i / 2):g} plasma energies is too small for the density of the material; "
        "check its density and I value"
    )


@cache
def _oscillators() -> Oscillators:
    with h5py.File(DATA_FILE) as file:
        group = file["oscillators"]
        return Oscillators(*(group[name][:] for name in Oscillators._fields))


@cache
def _radiative_table() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Energies (MeV) and radiative stopping powers [Z - 1, energy] (MeV cm2/g)."""
    with h5py.File(DATA_FILE) as file:
        group = file["radiative"]
        return group["energy_mev"][:], group["stopping_power"][:]


@cache
def _radiative_on_grid(material: Material, charge: int) -> NDArray[np.float64]:
    """Radiative stopping power of a mixture on the energies of the table."""
    grid, table = _radiative_table()
    total = np.zeros_like(grid)
    for z, weight in zip(material.z.tolist(), material.weights.tolist()):
        ratio = positron_radiative_ratio(z, grid) if charge > 0 else 1.0
        total += weight * table[z - 1] * ratio
    return total
