"""Mott ratios: the exact cross section of a point nucleus over Rutherford's, as Chebyshev coefficients.

1. Partial-wave series of Mott (Proc. R. Soc. A 124 (1929) 425) for the direct and the spin-flip amplitude, with the
   singularity at theta = 0 taken out of the difference to the Coulomb series three times (Yennie, Ravenhall and Wilson,
   Phys. Rev. 95 (1954) 500). Positrons: the same with the sign of the charge reversed.
2. Fit of (R - 1)/x, x = sin(theta/2), in Chebyshev polynomials of x at Chebyshev nodes of ln E. Below 8 degrees the
   series loses digits: there the fit is tied to the exact value R = 1 and the exact slope at x = 0.
3. Coefficients in ln E from the values at its nodes.
"""

from collections.abc import Iterable
from functools import lru_cache

import numpy as np
from numpy.polynomial import chebyshev
from scipy.special import loggamma

from physics_data.stopping import FINE_STRUCTURE, HIGHEST_ENERGY_MEV, LOWEST_ENERGY_MEV, kinematics

TERMS = 1000  # partial waves: what is left out is below 1e-5 at the angles used
REDUCTIONS = 3  # powers of 1 - cos theta taken out of the series
SMALLEST_ANGLE_DEG = 8.0  # the series is good to 1e-4 there, and loses digits as theta^-6
ANGLES = 40  # nodes in x of the least-squares fit
ANGLE_ORDER = 13  # orders in x: 1e-5 up to Z = 53, 1e-3 at Z = 92 above 10 keV
ENERGY_ORDER = 28  # orders in ln E: 1e-5 up to Z = 40, 2e-3 at Z = 92
CITATION = "N.F. Mott, Proc. R. Soc. A 124 (1929) 425; partial-wave series evaluated by physics_data.build.mott"


def coefficients(numbers: Iterable[int]) -> dict[str, np.ndarray]:
    """Chebyshev coefficients of (R - 1)/x, R the Mott ratio and x = sin(theta/2).

    Parameters
    ----------
    numbers : iterable of int
        Atomic numbers.

    Returns
    -------
    dict
        `energy_range_mev` (2,): energies at u = -1 and +1, u linear in ln E; `coefficients` float32
        (2, len(numbers), orders in u, orders in 2x - 1), electrons first.
    """
    lowest, highest = np.log([LOWEST_ENERGY_MEV, HIGHEST_ENERGY_MEV])
    u = np.cos(np.pi * (np.arange(ENERGY_ORDER) + 0.5) / ENERGY_ORDER)
    energies = np.exp(lowest + (highest - lowest) * (u + 1) / 2)
    to_energy_orders = np.linalg.inv(chebyshev.chebvander(u, ENERGY_ORDER - 1))
    fits = np.array([[_angular_fits(sign * z, energies) for z in numbers] for sign in (1, -1)])
    return {
        "energy_range_mev": np.array([LOWEST_ENERGY_MEV, HIGHEST_ENERGY_MEV]),
        "coefficients": (to_energy_orders @ fits).astype(np.float32),
    }


def ratio_series(z: int, energy_mev: float, theta: np.ndarray) -> np.ndarray:
    """Cross section of a point nucleus over Rutherford's, from the partial-wave series.

    Parameters
    ----------
    z : int
        Atomic number; negative for positrons (repulsion).
    energy_mev : float
        Kinetic energy, MeV.
    theta : ndarray, shape (n,)
        Angles in radians, not below 8 degrees.

    Returns
    -------
    ndarray, shape (n,)
    """
    cosine, sine2 = np.cos(theta), np.sin(theta / 2) ** 2
    az, eta, gamma = _coulomb_parameters(z, energy_mev)
    k = np.arange(TERMS + 1.0)
    d = np.zeros(TERMS + 1, dtype=complex)
    d[1:] = _coulomb_factor(np.sqrt(k[1:] ** 2 - az**2), eta) - _coulomb_factor(k[1:], eta)
    n = k[:-1]
    phase = 0.5j * (-1.0) ** n
    f = _reduced(phase * (n * d[:-1] + (n + 1) * d[1:]))
    g = _reduced(phase * (n**2 * d[:-1] - (n + 1) ** 2 * d[1:]))
    polynomials = _legendre(len(f), cosine.tobytes())
    f0 = 0.5j * np.exp(loggamma(1 - 1j * eta) - loggamma(1 + 1j * eta) + 1j * eta * np.log(sine2))
    direct = f0 + f @ polynomials / (1 - cosine) ** REDUCTIONS
    flip = -1j * eta * f0 * (1 - sine2) / sine2 + g @ polynomials / (1 - cosine) ** REDUCTIONS
    return (np.abs(eta / gamma * direct) ** 2 / sine2 + np.abs(flip) ** 2 / (1 - sine2)) * 4 * sine2**2 / eta**2


def _angular_fits(z: int, energies: np.ndarray) -> np.ndarray:
    """Coefficients in 2x - 1 of (R - 1)/x, [energy, order]: its value at x = 0 is exact."""
    smallest = np.sin(np.radians(SMALLEST_ANGLE_DEG) / 2)
    x = smallest + (1 - smallest) * (1 - np.cos(np.pi * (np.arange(ANGLES) + 0.5) / ANGLES)) / 2
    fits = []
    for energy in energies:
        slope = _forward_slope(z, energy)
        rest = (ratio_series(z, energy, 2 * np.arcsin(x)) - 1 - slope * x) / x**2
        fit = chebyshev.chebfit(2 * x - 1, rest, ANGLE_ORDER - 1, w=x**2)
        fits.append(chebyshev.chebadd(chebyshev.chebmul(fit, [0.5, 0.5]), [slope]))
    return np.array(fits)


def _forward_slope(z: int, energy_mev: float) -> float:
    """dR/dx at x = 0: pi alpha Z beta cos chi (Lijian, Qing and Zhengming, Radiat. Phys. Chem. 45 (1995) 235)."""
    az, eta, _ = _coulomb_parameters(z, energy_mev)
    chi = 2 * (loggamma(0.5 - 1j * eta) + loggamma(1 + 1j * eta)).imag
    return np.pi * az * (az / eta) * np.cos(chi)


def _coulomb_parameters(z: int, energy_mev: float) -> tuple[float, float, float]:
    """alpha Z, the Coulomb parameter alpha Z / beta and the Lorentz factor."""
    motion = kinematics(np.float64(energy_mev))
    az = FINE_STRUCTURE * z
    return az, az / np.sqrt(motion.beta2), motion.gamma


def _coulomb_factor(rho: np.ndarray, eta: float) -> np.ndarray:
    return -np.exp(-1j * np.pi * rho + loggamma(rho - 1j * eta) - loggamma(rho + 1 + 1j * eta))


def _reduced(a: np.ndarray) -> np.ndarray:
    """Legendre coefficients of (1 - cos theta)^m times the series."""
    for _ in range(REDUCTIONS):
        l = np.arange(len(a) - 1.0)
        new = a[:-1] - (l + 1) / (2 * l + 3) * a[1:]
        new[1:] -= l[1:] / (2 * l[1:] - 1) * a[:-2]
        a = new
    return a


@lru_cache(maxsize=4)
def _legendre(count: int, cosines: bytes) -> np.ndarray:
    """P_l(x), [l, x]; kept, because all energies and elements share the same angles."""
    x = np.frombuffer(cosines)
    p = np.ones((count, x.size))
    p[1] = x
    for l in range(2, count):
        p[l] = ((2 * l - 1) * x * p[l - 1] - (l - 1) * p[l - 2]) / l
    return p
