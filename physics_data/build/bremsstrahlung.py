"""Shapes of the bremsstrahlung spectra of the elements: first Born approximation with the atomic form factors.

Natural units: energies and momenta in m c^2 and m c; E0, p0 before and E, p after the emission of a photon k.

1. Nucleus: the Bethe-Heitler cross section (Koch and Motz, Rev. Mod. Phys. 31 (1959) 920, formula 1BS, the differential
   of 3BN) is integrated over the directions of the photon and of the electron at fixed momentum q given to the atom.
   With Q = p + k as the second variable the azimuth around Q integrates in closed form, which leaves an integral over
   Q: the recoil spectrum W(q; E0, k), the same for all elements. Its integral over q is formula 3BN, exactly.
2. Screening: W is weighted with (1 - F(q)/Z)^2, F the atomic form factor. No high-energy approximation is made.
3. Coulomb correction: Elwert's factor (Ann. Phys. 34 (1939) 178).
4. Atomic electrons: W with the incoherent scattering function S(q) of the atom, at k T/k_max instead of k, where k_max
   is the largest photon energy in a collision with a free electron at rest; times (1 - k/k_max)^(1/2), times an
   amplitude eta(T) that makes the radiative stopping power of hydrogen right. For hydrogen Born is exact, so eta is
   what the nucleus leaves to the electron: 0.1 at 10 keV, 1 at 3 MeV (electric dipoles cancel at low energies).
5. The sum of 1 to 3 and 4 is normalised to unit area in k/T: the radiative stopping power sets the scale at run time.

Against Seltzer and Berger (At. Data Nucl. Data Tables 35 (1986) 345), 10 keV to 3 MeV: mean photon energy within 0.6 %
for oxygen and 1.4 % for calcium; shapes within 3 % for k/T above 0.05 (8 % at the tip), up to 9 % low at k/T = 0.
Without step 2 (3BN x Elwert) the spectra are 2-8 % too soft; without step 4 those of oxygen are 2 % too hard. The
absolute cross section, before step 5, is within 1 % of theirs for oxygen above 1 MeV and 6 % low at 10 keV.
"""

from collections.abc import Iterable
from functools import lru_cache

import numpy as np
from scipy.interpolate import CubicSpline

from physics_data.elements import atomic_weight
from physics_data.photons import element_form_factor, element_incoherent_function
from physics_data.stopping import (
    AVOGADRO,
    ELECTRON_MASS_MEV,
    ELECTRON_RADIUS_CM,
    FINE_STRUCTURE,
    HC_MEV_ANGSTROM,
    HIGHEST_ENERGY_MEV,
    LOWEST_ENERGY_MEV,
)

CITATION = (
    "H.W. Koch, J.W. Motz, Rev. Mod. Phys. 31 (1959) 920, with atomic form factors and Elwert's Coulomb factor; "
    "evaluated by physics_data.build.bremsstrahlung"
)
ENERGIES_PER_DECADE = 5  # spectra change slowly with ln T: linear interpolation is good to 0.3 %
SOFT_FRACTIONS = (0.0, 5e-4, 1e-3, 2e-3, 4e-3, 7e-3, 0.012, 0.02, 0.03, 0.045, 0.06, 0.08)  # screening bends here
HARD_FRACTIONS = (0.93, 0.95, 0.965, 0.98, 0.99, 0.995, 1.0)  # the tip: p -> 0
REGULAR_FRACTIONS = np.round(np.arange(0.1, 0.91, 0.025), 3)
FRACTIONS = np.concatenate([SOFT_FRACTIONS, REGULAR_FRACTIONS, HARD_FRACTIONS])  # k/T, knots of the shapes
INNERMOST_FRACTION = 1e-5  # stands for k = 0, where W diverges but its weighted integral does not
OUTERMOST_FRACTION = 1 - 1e-6  # stands for k = T, where p = 0
RECOIL_PANELS = 24  # ln-spaced panels in q ...
RECOIL_NODES = 8  # ... with Gauss nodes each
SMALLEST_RECOIL = 1e-6  # atoms are neutral there: the weights are below 1e-8
DIRECTION_NODES = 80  # Gauss nodes in ln(p0 - Q): 3BN is reproduced to 1e-5 up to 20 MeV
ELECTRON_POWER = 0.5  # exponent of 1 - k/k_max in step 4


def shapes(numbers: Iterable[int], hydrogen_energy_mev: np.ndarray, hydrogen_radiative: np.ndarray) -> dict:
    """Spectra k d sigma/dk of elements, of unit area in k/T.

    Parameters
    ----------
    numbers : iterable of int
        Atomic numbers.
    hydrogen_energy_mev, hydrogen_radiative : ndarray, shape (n,)
        Radiative stopping power of hydrogen (MeV cm2/g), which sets the share of the atomic electrons.

    Returns
    -------
    dict
        `energy_mev` (t,), `fraction` (k,): knots in T and k/T; `shape` float32 (len(numbers), t, k).
    """
    numbers = list(numbers)
    decades = np.log10(HIGHEST_ENERGY_MEV / LOWEST_ENERGY_MEV)
    energies = np.geomspace(LOWEST_ENERGY_MEV, HIGHEST_ENERGY_MEV, round(decades * ENERGIES_PER_DECADE) + 1)
    per_mass = CubicSpline(np.log(hydrogen_energy_mev), np.log(hydrogen_radiative))
    hydrogen = np.exp(per_mass(np.log(energies))) * atomic_weight(1) / AVOGADRO
    table = np.empty((len(numbers), energies.size, FRACTIONS.size))
    for row, energy in enumerate(energies):
        for column, z in enumerate(numbers):
            table[column, row] = shape(z, energy, hydrogen[row])
    return {"energy_mev": energies, "fraction": FRACTIONS, "shape": table.astype(np.float32)}


def shape(z: int, energy_mev: float, hydrogen_mev_cm2: float) -> np.ndarray:
    """Spectrum k d sigma/dk of an element, of unit area in k/T, on the knots `FRACTIONS`.

    Parameters
    ----------
    z : int
        Atomic number.
    energy_mev : float
        Kinetic energy of the electron, MeV.
    hydrogen_mev_cm2 : float
        Radiative energy loss per atom of hydrogen at this energy, MeV cm2.

    Returns
    -------
    ndarray, shape (k,)
    """
    spectrum = nuclear_spectrum(z, energy_mev)
    spectrum = spectrum + _electron_amplitude(energy_mev, hydrogen_mev_cm2) * electron_spectrum(z, energy_mev)
    return spectrum / np.trapezoid(spectrum, FRACTIONS)


def nuclear_spectrum(z: int, energy_mev: float) -> np.ndarray:
    """k d sigma/dk in the field of the screened nucleus, cm2 per atom, on the knots of k/T (steps 1 to 3)."""
    total = 1 + energy_mev / ELECTRON_MASS_MEV
    photon = np.clip(FRACTIONS, INNERMOST_FRACTION, OUTERMOST_FRACTION) * (total - 1)
    q, weight = _recoil_spectra(energy_mev)
    screening = (1 - element_form_factor(z, _momentum_transfer(q)) / z) ** 2
    scale = FINE_STRUCTURE * ELECTRON_RADIUS_CM**2 * z**2
    return scale * (weight * screening).sum(1) * elwert_factor(z, total, photon)


def electron_spectrum(z: int, energy_mev: float) -> np.ndarray:
    """k d sigma/dk in the field of the atomic electrons for eta = 1, cm2 per atom, on the knots of k/T (step 4)."""
    q, weight = _recoil_spectra(energy_mev)
    scale = FINE_STRUCTURE * ELECTRON_RADIUS_CM**2
    spectrum = scale * (weight * element_incoherent_function(z, _momentum_transfer(q))).sum(1)
    tau = energy_mev / ELECTRON_MASS_MEV
    largest = 1 / (tau + 2 - np.sqrt(tau * (tau + 2)))  # k_max / T (Haug, Z. Naturforsch. 30a (1975) 1099)
    x = FRACTIONS / largest
    return np.where(x < 1, np.interp(x, FRACTIONS, spectrum) * np.maximum(1 - x, 0) ** ELECTRON_POWER, 0.0)


def recoil_spectrum(total: float, photon: float) -> tuple[np.ndarray, np.ndarray]:
    """Recoil momenta q and quadrature weights whose sum is k d sigma/dk / (alpha r_e^2 Z^2), unscreened Born.

    Parameters
    ----------
    total : float
        Total energy of the electron before the emission, m c^2.
    photon : float
        Photon energy, m c^2.

    Returns
    -------
    q, weight : ndarray, shape (n,)
    """
    p0 = np.sqrt(total**2 - 1)
    p = np.sqrt((total - photon) ** 2 - 1)
    q, dq = _recoil_nodes(p0, p, photon)
    x, w = np.polynomial.legendre.leggauss(DIRECTION_NODES)
    nearest = p0 - p - photon  # of Q = p + k to p0
    farthest = p0 - np.maximum(abs(p - photon), np.abs(p0 - q))
    half = np.log(farthest / nearest) / 2
    distance = nearest * np.exp(half[:, None] * (1 + x))  # p0 - Q
    integrand = _emission_integrand(total, photon, q[:, None], p0 - distance)
    return q, dq * half * ((integrand * distance) @ w)


def born_spectrum(total: float, photon: float) -> float:
    """k d sigma/dk / (alpha r_e^2 Z^2) of a bare nucleus in Born approximation: Koch and Motz, formula 3BN."""
    p0, e = np.sqrt(total**2 - 1), total - photon
    p = np.sqrt(e**2 - 1)
    before, after = 2 * np.log(total + p0), 2 * np.log(e + p)
    logarithm = 2 * np.log((total * e + p0 * p - 1) / photon)
    bracket = (
        8 * total * e / (3 * p0 * p)
        + photon**2 * (total**2 * e**2 + p0**2 * p**2) / (p0 * p) ** 3
        + photon
        / (2 * p0 * p)
        * (
            (total * e + p0**2) / p0**3 * before
            - (total * e + p**2) / p**3 * after
            + 2 * photon * total * e / (p * p0) ** 2
        )
    )
    rest = 4 / 3 - 2 * total * e * (p**2 + p0**2) / (p0 * p) ** 2 + before * e / p0**3 + after * total / p**3
    return p / p0 * (rest - after * before / (p0 * p) + logarithm * bracket)


def elwert_factor(z: int, total: float, photon: np.ndarray) -> np.ndarray:
    """Coulomb correction: ratio of the densities at the nucleus of the electron after and before the emission."""

    def at_nucleus(energy):
        beta = np.sqrt(1 - 1 / energy**2)
        return -beta * np.expm1(-2 * np.pi * FINE_STRUCTURE * z / beta)

    return at_nucleus(total) / at_nucleus(total - photon)


@lru_cache(maxsize=2)
def _electron_amplitude(energy_mev: float, hydrogen_mev_cm2: float) -> float:
    """eta: what the nucleus leaves of the radiative loss of hydrogen, over the loss to its electron for eta = 1."""
    nucleus, electron = (
        energy_mev * np.trapezoid(spectrum(1, energy_mev), FRACTIONS)
        for spectrum in (nuclear_spectrum, electron_spectrum)
    )
    return max(hydrogen_mev_cm2 - nucleus, 0.0) / electron


@lru_cache(maxsize=2)
def _recoil_spectra(energy_mev: float) -> tuple[np.ndarray, np.ndarray]:
    """`recoil_spectrum` on the knots of k/T, [k, q]; kept, because all elements share them."""
    total = 1 + energy_mev / ELECTRON_MASS_MEV
    photons = np.clip(FRACTIONS, INNERMOST_FRACTION, OUTERMOST_FRACTION) * (total - 1)
    q, weight = zip(*(recoil_spectrum(total, photon) for photon in photons))
    return np.array(q), np.array(weight)


def _recoil_nodes(p0: float, p: float, photon: float) -> tuple[np.ndarray, np.ndarray]:
    """Gauss nodes in ln q, with panels that end where the limits of Q have corners, and their weights."""
    smallest, largest = max(p0 - p - photon, SMALLEST_RECOIL), p0 + p + photon
    corners = np.clip([p0 - abs(p - photon), p0 + abs(p - photon)], smallest, largest)
    edges = np.log(np.sort(np.concatenate([np.geomspace(smallest, largest, RECOIL_PANELS + 1), corners])))
    x, w = np.polynomial.legendre.leggauss(RECOIL_NODES)
    half = np.diff(edges)[:, None] / 2
    return np.exp(edges[:-1, None] + half * (1 + x)).ravel(), (half * w).ravel()


def _emission_integrand(e0: float, k: float, q: np.ndarray, big_q: np.ndarray) -> np.ndarray:
    """Formula 1BS in the variables ln q and Q, averaged over the azimuth around Q.

    The solid angles of photon and electron become 2 pi dQ dpsi q dq / (p0 p k). The denominators are
    D = E - p cos theta = (p0^2 - Q^2)/(2k), and D0 = E0 - p0 cos theta0 = a - b cos psi, whose powers average to
    <1/D0> = 1/s, <1/D0^2> = a/s^3, s^2 = a^2 - b^2. All other terms are polynomials of D0.
    """
    e = e0 - k
    p0_2, p_2 = e0**2 - 1, e**2 - 1
    d = (p0_2 - big_q**2) / (2 * k)
    p_along_k = e - d
    p_across2 = p_2 - p_along_k**2
    k_along = (big_q**2 + k**2 - p_2) / (2 * big_q)
    p0_along = (p0_2 + big_q**2 - q**2) / (2 * big_q)
    a = e0 - p0_along * k_along / k
    b2 = np.maximum(p0_2 - p0_along**2, 0) * np.maximum(k**2 - k_along**2, 0) / k**2
    s = np.sqrt(a**2 - b2)
    inverse, inverse2 = 1 / s, a / s**3
    u = k + p_along_k
    cross = (p0_2 + big_q**2 - q**2) / 2 - u * e0  # p sin theta p0 sin theta0 cos phi = cross + u D0
    bracket = (
        p_across2 * (4 * e0**2 - q**2) / d**2
        + (4 * e**2 - q**2) * (2 * e0 * inverse - inverse2 - 1)
        - 2 * (4 * e * e0 - q**2) * (cross * inverse + u) / d
        + 2 * k**2 * (p_across2 * inverse - inverse + 2 * e0 - a - 2 * (cross * inverse + u)) / d
    )
    return bracket / (p0_2 * k * q**2)


def _momentum_transfer(q: np.ndarray) -> np.ndarray:
    """x = q/(2 h c) in 1/Angstrom, the argument of F and S, from q in m c."""
    return q * ELECTRON_MASS_MEV / (2 * HC_MEV_ANGSTROM)
