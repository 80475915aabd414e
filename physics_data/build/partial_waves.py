"""Elastic scattering in the screened field of atoms: Dirac partial waves over the Born-Mott product.

Natural units: energies in m c^2, momenta in m c, lengths in reduced Compton wavelengths; E total energy, k momentum.
Mott and Massey, The Theory of Atomic Collisions (3rd ed. 1965), chapter 9.

1. Field: the atomic form factor is fitted with F(q)/Z = sum A_i a_i^2/(a_i^2 + q^2), sum A_i = 1, so that the potential
   energy is V(r) = -(alpha Z/r) sum A_i exp(-a_i r), plus for positrons: static, no exchange, no polarisation.
2. Phases of low partial waves: the radial Dirac equations are integrated outwards (Runge-Kutta) to where the field
   varies little over a wavelength, and continued by WKB. The same procedure without the field, started from spherical
   Bessel functions, is subtracted: what WKB lacks cancels.
3. Phases of high partial waves: WKB with Langer's correction. With y = r sqrt((E - V)^2 - 1)/k and the impact parameter
   b, delta(b) = k Int_0^inf ln(y/r) dz at y^2 = b^2 + z^2: no turning point appears. The spin enters as in Born
   approximation, delta_kappa = [(E + 1) delta_l + (E - 1) delta_l']/(2E), l' the orbital momentum of the small
   component. Between l = 20 and 40 the first turns smoothly into the second; there they agree to 2e-5.
4. Direct and spin-flip amplitudes f and g are summed over the partial waves with a phase above 1e-10.
5. Stored is |f|^2 + |g|^2 over Rutherford x (1 - F/Z)^2 x Mott ratio, with the *fitted* F, on knots equidistant in ln q
   from where the atom is point-like and neutral to q = 2k. Errors of the fit cancel in the ratio.
"""

import math
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numba import njit
from scipy.interpolate import CubicSpline

from physics_data.photons import element_form_factor
from physics_data.scattering import MottTable
from physics_data.stopping import ELECTRON_MASS_MEV, FINE_STRUCTURE, HC_MEV_ANGSTROM

CITATION = "Dirac partial waves in the static field of the form factors of Hubbell et al. (1975); evaluated by mcdose"
ENERGIES_MEV = 1e-3 * 2.0 ** np.arange(12)  # to 2 MeV: beyond, the ratio depends on q alone
SMALLEST_RECOIL = 0.1 * FINE_STRUCTURE  # 0.1 per Bohr radius: the ratio is constant below
RECOIL_KNOTS = 64
EXPONENTIALS = 14
FORM_FACTOR_KNOTS = np.geomspace(2e-4, 3.0, 300)  # q of the fit: 0.03 to 400 per Bohr radius
RIDGE = 1e-4  # keeps the amplitudes of the fit of order one
INTEGRATED = 40  # orbital momenta below this have integrated phases ...
BLENDED_FROM = 20  # ... which turn into WKB phases from here
SMALLEST_PHASE = 1e-10
LARGEST_L = 60000  # never reached: the phases end before
RK_STEP = 0.05  # times the local wave number: phases to 2e-5, smooth from wave to wave
SMOOTH_FROM = 0.3 / FINE_STRUCTURE  # 0.3 Bohr radii, and not within 10 (l + 1)/k: WKB holds
FIELD_END = 100 / FINE_STRUCTURE  # 100 Bohr radii: no field beyond
REFRACTION_KNOTS = 6000
HIGH_WAVES = 400  # ln-spaced l with a WKB phase; a spline between
GAUSS_X, GAUSS_W = np.polynomial.legendre.leggauss(200)


class Field(NamedTuple):
    """alpha Z (negative for repulsion) and the exponentials A_i, a_i of the potential energy."""

    strength: float
    amplitude: np.ndarray
    decay: np.ndarray


def ratios(numbers: Iterable[int], mott: MottTable) -> dict[str, np.ndarray]:
    """Partial-wave cross sections over the Born-Mott product.

    Parameters
    ----------
    numbers : iterable of int
        Atomic numbers.
    mott : MottTable
        Mott ratios of these elements.

    Returns
    -------
    dict
        `energy_mev` (t,); `smallest_recoil_mev`: momentum transfer (MeV/c) of the first knot, the last is twice the
        momentum, ln-spaced between; `ratio` float32 (2, len(numbers), t, knots), electrons first.
    """
    numbers = list(numbers)
    table = np.empty((2, len(numbers), ENERGIES_MEV.size, RECOIL_KNOTS))
    for column, z in enumerate(numbers):
        for row, energy in enumerate(ENERGIES_MEV):
            for which, charge in enumerate((-1, 1)):
                table[which, column, row] = ratio(z, energy, charge, mott)
    return {
        "energy_mev": ENERGIES_MEV,
        "smallest_recoil_mev": np.float64(SMALLEST_RECOIL * ELECTRON_MASS_MEV),
        "ratio": table.astype(np.float32),
    }


def ratio(z: int, energy_mev: float, charge: int, mott: MottTable) -> np.ndarray:
    """The ratio of step 5 for one element and energy, shape (knots,)."""
    field = screened_field(z, charge)
    energy, k = _energy_momentum(energy_mev)
    q = np.geomspace(SMALLEST_RECOIL, 2 * k, RECOIL_KNOTS)
    form_factor = (field.amplitude * field.decay**2 / (field.decay**2 + q[:, None] ** 2)).sum(1)
    born = (2 * field.strength * energy / q**2 * (1 - form_factor)) ** 2
    return cross_section(field, energy_mev, q) / (
        born * mott.ratio(z, energy_mev, np.minimum(q / (2 * k), 1.0), charge)
    )


def screened_field(z: int, charge: int) -> Field:
    """Step 1: exponentials that reproduce the form factor of an element."""
    decay = np.geomspace(0.4, 60 * max(z, 2) ** 0.5, EXPONENTIALS) * FINE_STRUCTURE
    q = FORM_FACTOR_KNOTS
    form_factor = element_form_factor(z, q * ELECTRON_MASS_MEV / (2 * HC_MEV_ANGSTROM)) / z
    terms = decay**2 / (decay**2 + q[:, None] ** 2)
    weight = 1 / np.maximum(1 - form_factor, 1e-3)  # relative errors of 1 - F/Z count
    free = (terms[:, :-1] - terms[:, -1:]) * weight[:, None]  # the last amplitude is 1 minus the others
    system = np.vstack([free, RIDGE * np.eye(EXPONENTIALS - 1)])
    target = np.concatenate([(form_factor - terms[:, -1]) * weight, np.zeros(EXPONENTIALS - 1)])
    amplitude = np.linalg.lstsq(system, target, rcond=None)[0]
    return Field(-charge * FINE_STRUCTURE * z, np.append(amplitude, 1 - amplitude.sum()), decay)


def cross_section(field: Field, energy_mev: float, q: np.ndarray) -> np.ndarray:
    """|f|^2 + |g|^2 at momentum transfers q (m c), squared reduced Compton wavelengths per steradian."""
    spin_up, spin_down = phases(field, energy_mev)
    _, k = _energy_momentum(energy_mev)
    cosine = np.maximum(1 - 2 * (q / (2 * k)) ** 2, -1.0)
    f, g = _amplitudes(spin_up, spin_down, k, cosine)
    return np.abs(f) ** 2 + np.abs(g) ** 2


def phases(field: Field, energy_mev: float) -> tuple[np.ndarray, np.ndarray]:
    """Phase shifts of kappa = -l - 1 and kappa = l, l = 0, 1, ... (the second is 0 at l = 0)."""
    energy, k = _energy_momentum(energy_mev)
    orbital = np.unique(np.round(np.geomspace(BLENDED_FROM - 2, min(2 * k * FIELD_END, LARGEST_L), HIGH_WAVES)))
    spinless = CubicSpline(np.log(orbital + 0.5), _wkb_phases(field, energy_mev, (orbital + 0.5) / k))
    felt = orbital[np.abs(spinless(np.log(orbital + 0.5))) > SMALLEST_PHASE]
    l = np.arange(0.0, max(felt.max(initial=0), INTEGRATED) + 1)
    high = np.maximum(l, BLENDED_FROM)  # the rest is overwritten
    same, above, below = (spinless(np.log(high + shift)) for shift in (0.5, 1.5, -0.5))
    up = ((energy + 1) * same + (energy - 1) * above) / (2 * energy)
    down = ((energy + 1) * same + (energy - 1) * below) / (2 * energy)
    for i in range(INTEGRATED):
        share = np.sin(np.pi / 2 * max(i - BLENDED_FROM, 0) / (INTEGRATED - BLENDED_FROM)) ** 2
        up[i] = _blend(_integrated_phase(-i - 1, energy, k, *field), up[i], share)
        down[i] = _blend(_integrated_phase(i, energy, k, *field), down[i], share) if i else 0.0
    return up, down


def _energy_momentum(energy_mev: float) -> tuple[float, float]:
    energy = 1 + energy_mev / ELECTRON_MASS_MEV
    return energy, math.sqrt(energy**2 - 1)


def _blend(integrated: float, wkb: float, share: float) -> float:
    """Integrated phases are known but for multiples of pi."""
    if share == 0:
        return integrated
    distance = (wkb - integrated + np.pi / 2) % np.pi - np.pi / 2
    return integrated + share * distance


def _wkb_phases(field: Field, energy_mev: float, impact: np.ndarray) -> np.ndarray:
    """Step 3 without spin, at impact parameters."""
    energy, k = _energy_momentum(energy_mev)
    r = np.geomspace(1e-7, FIELD_END, REFRACTION_KNOTS)
    potential = -field.strength * (field.amplitude * np.exp(-np.outer(r, field.decay))).sum(1) / r
    kinetic = energy - potential
    reached = np.flatnonzero((kinetic <= 1) | (kinetic**2 <= 1))
    start = reached.max() + 1 if reached.size else 0  # repulsion keeps positrons out
    r, index = r[start:], np.sqrt(kinetic[start:] ** 2 - 1) / k
    log_y = np.log(r * index)
    end = np.arcsinh(FIELD_END / impact)[:, None] / 2
    u = end * (1 + GAUSS_X)
    log_index = np.interp(np.log(impact[:, None] * np.cosh(u)), log_y, np.log(index), right=0.0)
    return k * impact * end[:, 0] * ((log_index * np.cosh(u)) @ GAUSS_W)


@njit
def _field_at(r, strength, amplitude, decay):
    """V, V' and V''."""
    s0 = s1 = s2 = 0.0
    for i in range(decay.size):
        term = amplitude[i] * math.exp(-decay[i] * r)
        s0 += term
        s1 -= decay[i] * term
        s2 += decay[i] ** 2 * term
    first = s1 / r - s0 / r**2
    second = s2 / r - 2 * s1 / r**2 + 2 * s0 / r**3
    return -strength * s0 / r, -strength * first, -strength * second


@njit
def _potential_energy(r, strength, amplitude, decay):
    s = 0.0
    for i in range(decay.size):
        s += amplitude[i] * math.exp(-decay[i] * r)
    return -strength * s / r


@njit
def _wave_number2(r, kappa, energy, strength, amplitude, decay):
    """K^2 of u'' + K^2 u = 0 for P = sqrt(B) u, B = E + 1 - V, and B'/B."""
    v, v1, v2 = _field_at(r, strength, amplitude, decay)
    b = energy + 1 - v
    b1, b2 = -v1 / b, -v2 / b
    k2 = (energy - v) ** 2 - 1 - kappa * (kappa + 1) / r**2 - b1 * kappa / r + b2 / 2 - 0.75 * b1**2
    return k2, b1


@njit
def _derivatives(r, p, q, kappa, energy, v):
    """Radial Dirac equations: P' and Q'."""
    return -kappa / r * p + (energy + 1 - v) * q, -(energy - 1 - v) * p + kappa / r * q


@njit
def _integrate(kappa, energy, k, end, strength, amplitude, decay):
    """P and Q at `end`, from the behaviour r^gamma at the origin."""
    order = abs(kappa)
    r = order / k * min(0.02, 10.0 ** (-14.0 / order))
    v = _potential_energy(r, strength, amplitude, decay)
    gamma = math.sqrt(kappa**2 - (v * r) ** 2)
    p = 1.0
    q = (gamma + kappa) / (r * (energy + 1 - v)) if kappa > 0 else -r * (energy - 1 - v) / (gamma - kappa)
    while r < end:
        h = min(RK_STEP / (math.sqrt(abs((energy - v) ** 2 - 1)) + order / r), end - r)
        middle = _potential_energy(r + h / 2, strength, amplitude, decay)
        last = _potential_energy(r + h, strength, amplitude, decay)
        p1, q1 = _derivatives(r, p, q, kappa, energy, v)
        p2, q2 = _derivatives(r + h / 2, p + h / 2 * p1, q + h / 2 * q1, kappa, energy, middle)
        p3, q3 = _derivatives(r + h / 2, p + h / 2 * p2, q + h / 2 * q2, kappa, energy, middle)
        p4, q4 = _derivatives(r + h, p + h * p3, q + h * q3, kappa, energy, last)
        p += h / 6 * (p1 + 2 * p2 + 2 * p3 + p4)
        q += h / 6 * (q1 + 2 * q2 + 2 * q3 + q4)
        size = abs(p) + abs(q)
        p, q = p / size, q / size
        r, v = r + h, last
    return p, q


@njit
def _spherical_bessel(order, x):
    """x j_l(x) by upward recurrence, for x well above l."""
    before, value = math.cos(x), math.sin(x)  # l = -1, 0
    for l in range(order):
        before, value = value, (2 * l + 1) / x * value - before
    return value


@njit
def _wkb_angle(r, p, q, kappa, energy, strength, amplitude, decay):
    """phi of P = sqrt(B/K) sin phi at r."""
    k2, b1 = _wave_number2(r, kappa, energy, strength, amplitude, decay)
    h = 1e-4 * r
    above = _wave_number2(r + h, kappa, energy, strength, amplitude, decay)[0]
    below = _wave_number2(r - h, kappa, energy, strength, amplitude, decay)[0]
    slope = (math.sqrt(above) - math.sqrt(below)) / (2 * h)
    k = math.sqrt(k2)
    v = _potential_energy(r, strength, amplitude, decay)
    logarithmic = _derivatives(r, p, q, kappa, energy, v)[0] / p - b1 / 2
    return math.atan2(k, logarithmic + slope / (2 * k))


@njit
def _integrated_phase(kappa, energy, k, strength, amplitude, decay):
    """Step 2, but for a multiple of pi."""
    l, partner = (kappa, kappa - 1) if kappa > 0 else (-kappa - 1, -kappa)
    r = max(SMOOTH_FROM, 10 * (l + 1) / k)
    p, q = _integrate(kappa, energy, k, r, strength, amplitude, decay)
    sign = 1.0 if kappa > 0 else -1.0
    free_p = _spherical_bessel(l, k * r)
    free_q = sign * _spherical_bessel(partner, k * r) * math.sqrt((energy - 1) / (energy + 1))
    phase = _wkb_angle(r, p, q, kappa, energy, strength, amplitude, decay)
    phase -= _wkb_angle(r, free_p, free_q, kappa, energy, 0.0, amplitude, decay)
    half = math.log(max(FIELD_END / r, 2.0)) / 2
    for x, w in zip(GAUSS_X, GAUSS_W):
        at = r * math.exp(half * (1 + x))
        with_field = _wave_number2(at, kappa, energy, strength, amplitude, decay)[0]
        without = k**2 - kappa * (kappa + 1) / at**2
        phase += half * w * at * (math.sqrt(with_field) - math.sqrt(without))
    return phase


@njit
def _amplitudes(up, down, k, cosine):
    """Step 4: f = sum {(l+1)[e(up) - 1] + l [e(down) - 1]} P_l/(2ik), g = sum [e(down) - e(up)] P_l^1/(2ik)."""
    f = np.zeros(cosine.size, np.complex128)
    g = np.zeros(cosine.size, np.complex128)
    e_up, e_down = np.exp(2j * up) - 1, np.exp(2j * down) - 1
    for j in range(cosine.size):
        c = cosine[j]
        before, legendre = 0.0, 1.0  # P_(l-1), P_l
        associated_before, associated = 0.0, 0.0  # P^1_(l-1), P^1_l
        for l in range(up.size):
            f[j] += ((l + 1) * e_up[l] + l * e_down[l]) * legendre
            g[j] += (e_down[l] - e_up[l]) * associated
            before, legendre = legendre, ((2 * l + 1) * c * legendre - l * before) / (l + 1)
            if l == 0:
                associated = math.sqrt(1 - c * c)
            else:
                following = ((2 * l + 1) * c * associated - (l + 1) * associated_before) / l
                associated_before, associated = associated, following
    return f / (2j * k), g / (2j * k)
