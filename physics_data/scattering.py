"""Angular deflection in single scattering: moments of the elastic and soft inelastic cross sections of a mixture.

The model, in numbered steps, with mu = (1 - cos theta)/2 and the momentum transfer q = 2 p sqrt(mu):

1. Elastic, Born-Mott product: Rutherford's cross section times the Born screening factor (1 - F(q)/Z)^2 of the atomic
   form factor F, times the exact Mott ratio of the point nucleus (Mott, Proc. R. Soc. A 124 (1929) 425), separately for
   electrons and positrons.
2. Elastic, partial waves: the product is multiplied by its ratio to the Dirac partial-wave cross section in the static
   field of the same form factor. In oxygen that changes the first transport cross section by +1.1 % at 10 keV, +0.5 %
   at 30 keV and less than 0.1 % from 100 keV up; in calcium by -6, -2 and -0.9 % at 10, 30 and 100 keV, in iodine by
   -30, -17 and -8 %. For positrons it is more: in oxygen -7, -2.6 and -0.8 %.
3. Soft inelastic: Rutherford's cross section times S(q)/Z^2, with S the incoherent scattering function (Born
   approximation summed over all final states), kept only up to the momentum transfer that gives a free electron the
   energy above which collisions are simulated one by one: harder ones must not be counted twice.
4. Moments G_l = 2 pi n Int (1 - P_l) dsigma per unit mass, l = 0 (total cross section), 1, 2, ..., by quadrature in
   ln mu. Elements add up by their number per gram.

The Mott ratios stand in `electrons.h5` as Chebyshev coefficients in ln E and x = sin(theta/2), (R - 1)/x =
sum c_ij T_i(u) T_j(2x - 1), good to 1e-4 up to Z = 53 and 1e-3 up to Z = 92 above 10 keV; the partial-wave ratios on
knots of ln q and ln E up to 2 MeV. Above, they are functions of q alone.

Valid from 1 keV to 100 MeV; both ratios are held constant below. Neglected: exchange and polarisation (elastic, a few
per cent at 1 keV), molecular and condensed-state changes of F and S (a few per cent of the soft inelastic part, itself
5-10 % of the whole), finite nuclei.
"""

from functools import cache, lru_cache
from typing import NamedTuple

import h5py
import numpy as np
from numpy.polynomial import chebyshev
from numpy.typing import ArrayLike, NDArray
from scipy.interpolate import CubicSpline

from physics_data.elements import atomic_weight
from physics_data.materials import Material
from physics_data.photons import element_form_factor, element_incoherent_function
from physics_data.stopping import (
    AVOGADRO,
    DATA_FILE,
    ELECTRON_MASS_MEV,
    ELECTRON_RADIUS_CM,
    HC_MEV_ANGSTROM,
    checked_charge,
    checked_energies,
    kinematics,
)

LOWEST_MU = 1e-12  # far inside the screening angle of any element at 100 MeV
MU_POINTS = 1200  # ln-spaced nodes: moments to 1e-4
DEFAULT_LMAX = 400
SMALL_ARGUMENT = 1e-5  # below this l(l+1) mu, 1 - P_l is l(l+1) mu to rounding
CACHED_ELEMENTS = 512  # element moments kept: all elements of a CT curve, both charges


class PartialWaveTable(NamedTuple):
    """Partial-wave cross sections over the Born-Mott product.

    Attributes
    ----------
    energy_mev : ndarray, shape (t,)
        Kinetic energies of the rows.
    smallest_recoil_mev : float
        Momentum transfer (MeV/c) of the first knot; the last is twice the momentum; ln-spaced between.
    ratio : ndarray, shape (2, 100, t, knots)
        [charge (0 electron, 1 positron), Z - 1, row, knot].
    """

    energy_mev: NDArray[np.float64]
    smallest_recoil_mev: float
    ratio: NDArray[np.float64]


class MottTable(NamedTuple):
    """Chebyshev coefficients of the Mott ratios.

    Attributes
    ----------
    energy_range_mev : tuple of float
        Energies mapped to u = -1 and u = +1 by their logarithm.
    coefficients : ndarray, shape (2, 100, n, m)
        [charge (0 electron, 1 positron), Z - 1, order in u, order in 2x - 1] of (R - 1)/x.
    """

    energy_range_mev: tuple[float, float]
    coefficients: NDArray[np.float64]

    def ratio(self, z: int, energy_mev: ArrayLike, sin_half_angle: ArrayLike, charge: int) -> NDArray[np.float64]:
        """See `mott_ratio`."""
        lowest, highest = np.log(self.energy_range_mev)
        energy = np.clip(np.log(np.asarray(energy_mev, dtype=np.float64)), lowest, highest)
        u = (2 * energy - lowest - highest) / (highest - lowest)
        x = np.asarray(sin_half_angle, dtype=np.float64)
        coefficients = self.coefficients[int(checked_charge(charge) > 0), z - 1]
        in_energy = chebyshev.chebval(u, coefficients).T  # [..., order in 2x - 1]
        return 1 + x * (in_energy @ chebyshev.chebvander(2 * x - 1, coefficients.shape[1] - 1).T)


def moments(
    material: Material, energies_mev: ArrayLike, delta_cutoff_mev: float, charge: int = -1, lmax: int = DEFAULT_LMAX
) -> NDArray[np.float64]:
    """Transport moments of elastic and soft inelastic scattering.

    Parameters
    ----------
    material : Material
    energies_mev : array_like, shape (n,)
        Kinetic energies, MeV.
    delta_cutoff_mev : float
        Recoil energy above which electron-electron collisions are simulated one by one, MeV; the limit is half the
        kinetic energy where that is smaller.
    charge : {-1, +1}
        Electron or positron.
    lmax : int
        Highest order, 1 or more.

    Returns
    -------
    ndarray, shape (n, lmax + 1)
        G_l in cm2/g; column 0 is the total cross section, column 1 the inverse of the transport mean free path.

    Raises
    ------
    ValueError
        If an energy or the threshold is not in (0, 100] MeV, the charge is not -1 or +1, or `lmax` is below 1.

    Notes
    -----
    Goudsmit and Saunderson, Phys. Rev. 57 (1940) 24; Lewis, Phys. Rev. 78 (1950) 526.
    """
    energies = checked_energies(energies_mev)
    threshold = float(checked_energies(delta_cutoff_mev))
    sign = checked_charge(charge)
    if lmax < 1:
        raise ValueError(f"lmax: {lmax} moments cannot describe scattering; ask for 1 or more")
    total = np.zeros((energies.size, lmax + 1))
    for z, weight in zip(material.z.tolist(), material.weights.tolist()):
        per_gram = weight * AVOGADRO / atomic_weight(z)
        total += per_gram * _element_moments(z, energies.tobytes(), threshold, sign, lmax)
    return total


def elastic_cross_section(z: int, energy_mev: float, mu: ArrayLike, charge: int = -1) -> NDArray[np.float64]:
    """Differential elastic cross section d sigma / d mu of an atom.

    Parameters
    ----------
    z : int
        Atomic number, 1 to 100.
    energy_mev : float
        Kinetic energy, MeV.
    mu : array_like, any shape
        (1 - cos theta)/2, above 0.
    charge : {-1, +1}
        Electron or positron.

    Returns
    -------
    ndarray, shape of `mu`
        cm2 per atom, integrated over azimuth.
    """
    mu = np.asarray(mu, dtype=np.float64)
    screening = (1 - element_form_factor(z, _momentum_transfer(energy_mev, mu)) / z) ** 2
    born_mott = _rutherford(z, energy_mev, mu) * screening * mott_ratio(z, energy_mev, np.sqrt(mu), charge)
    return born_mott * partial_wave_ratio(z, energy_mev, mu, charge)


def inelastic_cross_section(z: int, energy_mev: float, mu: ArrayLike) -> NDArray[np.float64]:
    """Differential inelastic cross section d sigma / d mu of an atom, all energy losses, without upper limit.

    Parameters
    ----------
    z : int
        Atomic number, 1 to 100.
    energy_mev : float
        Kinetic energy, MeV.
    mu : array_like, any shape
        (1 - cos theta)/2, above 0.

    Returns
    -------
    ndarray, shape of `mu`
        cm2 per atom, integrated over azimuth.
    """
    mu = np.asarray(mu, dtype=np.float64)
    incoherent = element_incoherent_function(z, _momentum_transfer(energy_mev, mu))
    return _rutherford(z, energy_mev, mu) * incoherent / z**2


def mott_ratio(z: int, energy_mev: ArrayLike, sin_half_angle: ArrayLike, charge: int = -1) -> NDArray[np.float64]:
    """Exact cross section of a point nucleus over Rutherford's.

    Parameters
    ----------
    z : int
        Atomic number, 1 to 100.
    energy_mev : array_like, shape () or (n,)
        Kinetic energies, MeV.
    sin_half_angle : array_like, shape (m,)
        sin(theta/2), 0 to 1.
    charge : {-1, +1}
        Electron or positron.

    Returns
    -------
    ndarray, shape (m,) or (n, m)
        The ratio, 1 in the forward direction.

    Notes
    -----
    Series of Mott in the reduced form of Yennie, Ravenhall and Wilson, Phys. Rev. 95 (1954) 500; see
    `physics_data.build.electrons`.
    """
    return _mott_table().ratio(z, energy_mev, sin_half_angle, charge)


def partial_wave_ratio(z: int, energy_mev: ArrayLike, mu: ArrayLike, charge: int = -1) -> NDArray[np.float64]:
    """Dirac partial-wave cross section over the Born-Mott product.

    Parameters
    ----------
    z : int
        Atomic number, 1 to 100.
    energy_mev : array_like, shape () or (n,)
        Kinetic energies, MeV.
    mu : array_like, shape (m,)
        (1 - cos theta)/2, above 0.
    charge : {-1, +1}
        Electron or positron.

    Returns
    -------
    ndarray, shape (m,) or (n, m)
        The ratio: a spline in ln E at a fixed place between the first and the last knot of ln q.

    Notes
    -----
    See `physics_data.build.partial_waves`.
    """
    table = _partial_wave_table()
    energy = np.asarray(energy_mev, dtype=np.float64)
    clipped = np.clip(energy, *table.energy_mev[[0, -1]])
    rows = _partial_wave_spline(z, int(checked_charge(charge) > 0))(np.log(clipped))
    smallest = np.log(table.smallest_recoil_mev)
    first = np.log(2 * _momentum_mev(energy)) - smallest
    length = np.log(2 * _momentum_mev(np.minimum(energy, table.energy_mev[-1]))) - smallest
    half_log_mu = np.log(np.asarray(mu, dtype=np.float64)) / 2
    place = (first[..., None] + half_log_mu) / length[..., None]  # 0 at the first knot, 1 at the last
    knots = np.linspace(0, 1, rows.shape[-1])
    if energy.ndim == 0:
        return np.interp(place, knots, rows)
    return np.array([np.interp(at, knots, row) for at, row in zip(place, rows)])


def soft_limit_mu(energy_mev: ArrayLike, delta_cutoff_mev: float) -> NDArray[np.float64]:
    """Deflection mu = q^2/(4 p^2) at the momentum transfer of a free recoil of energy min(cutoff, E/2).

    Parameters
    ----------
    energy_mev : array_like, any shape
        Kinetic energies, MeV.
    delta_cutoff_mev : float
        Threshold of explicit collisions, MeV.

    Returns
    -------
    ndarray, shape of `energy_mev`
    """
    energy = np.asarray(energy_mev, dtype=np.float64)
    recoil = np.minimum(delta_cutoff_mev, energy / 2)
    return recoil * (recoil + 2 * ELECTRON_MASS_MEV) / (4 * energy * (energy + 2 * ELECTRON_MASS_MEV))


@lru_cache(maxsize=CACHED_ELEMENTS)
def _element_moments(z: int, energy_bytes: bytes, threshold: float, charge: int, lmax: int) -> NDArray[np.float64]:
    """Moments of one atom, cm2, [energy, l]."""
    energies = np.frombuffer(energy_bytes)
    mu = _mu_grid()
    cell = np.log(mu[1] / mu[0])
    weighted = np.empty((energies.size, mu.size))
    ratio = mott_ratio(z, energies, np.sqrt(mu), charge) * partial_wave_ratio(z, energies, mu, charge)
    for row, energy in enumerate(energies):
        x = _momentum_transfer(energy, mu)
        screening = (1 - element_form_factor(z, x) / z) ** 2
        soft = _share_of_cells_below(soft_limit_mu(energy, threshold), mu, cell)
        factor = screening * ratio[row] + soft * element_incoherent_function(z, x) / z**2
        weighted[row] = _rutherford(z, energy, mu) * factor * mu * cell
    weighted[:, [0, -1]] /= 2  # trapezium rule
    result = weighted @ _one_minus_legendre(lmax).T
    result.flags.writeable = False
    return result


def _share_of_cells_below(limit: float, mu: NDArray[np.float64], cell: float) -> NDArray[np.float64]:
    """Share of each ln mu cell that lies below the limit: each node stands for the cell centred on it."""
    return np.clip(np.log(limit / mu) / cell + 0.5, 0.0, 1.0)


def _rutherford(z: int, energy_mev: float, mu: NDArray[np.float64]) -> NDArray[np.float64]:
    """d sigma/d mu of the unscreened nucleus: pi (Z r_e m c^2 / (p beta))^2 / mu^2."""
    tau, beta2, _ = kinematics(np.float64(energy_mev))
    return np.pi * (z * ELECTRON_RADIUS_CM) ** 2 / (tau * (tau + 2) * beta2) / mu**2


def _momentum_transfer(energy_mev: float, mu: NDArray[np.float64]) -> NDArray[np.float64]:
    """x = sin(theta/2) / lambda in 1/Angstrom, the argument of F and S."""
    return np.sqrt(mu) * _momentum_mev(energy_mev) / HC_MEV_ANGSTROM


def _momentum_mev(energy_mev: float) -> float:
    """Momentum times c, MeV."""
    return np.sqrt(energy_mev * (energy_mev + 2 * ELECTRON_MASS_MEV))


@cache
def _mu_grid() -> NDArray[np.float64]:
    return np.geomspace(LOWEST_MU, 1.0, MU_POINTS)


@lru_cache(maxsize=4)
def _one_minus_legendre(lmax: int) -> NDArray[np.float64]:
    """1 - P_l(1 - 2 mu) on the grid, [l, mu]; row 0 is 1 instead of 0 (total cross section)."""
    mu = _mu_grid()
    x = 1 - 2 * mu
    result = np.empty((lmax + 1, mu.size))
    before, polynomial = np.ones_like(x), x
    result[0], result[1] = 1.0, 2 * mu
    for l in range(2, lmax + 1):
        before, polynomial = polynomial, ((2 * l - 1) * x * polynomial - (l - 1) * before) / l
        small = l * (l + 1) * mu
        result[l] = np.where(small < SMALL_ARGUMENT, small, 1 - polynomial)
    return result


@cache
def _mott_table() -> MottTable:
    with h5py.File(DATA_FILE) as file:
        group = file["mott"]
        return MottTable(tuple(group["energy_range_mev"][:]), group["coefficients"][:].astype(np.float64))


@cache
def _partial_wave_table() -> PartialWaveTable:
    with h5py.File(DATA_FILE) as file:
        group = file["partial_waves"]
        energies, smallest, ratio = (group[name][()] for name in ("energy_mev", "smallest_recoil_mev", "ratio"))
        return PartialWaveTable(energies, float(smallest), ratio.astype(np.float64))


@cache
def _partial_wave_spline(z: int, which: int) -> CubicSpline:
    """Rows of an element as a function of ln T; `which` is 0 for electrons, 1 for positrons."""
    table = _partial_wave_table()
    return CubicSpline(np.log(table.energy_mev), table.ratio[which, z - 1])
