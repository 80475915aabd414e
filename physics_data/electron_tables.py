"""Electron and positron transport tables on a step coordinate, float32, ready for the kernels.

Notation: reference medium w (water), medium m; everything per g/cm2. Restricted means below the production thresholds.

1. L(E): restricted stopping power, collision and radiative.
2. R(E) = int dE / L_w: residual range in water.
3. Step policy s(E) (g/cm2 of water): a fraction of R, larger where the whole range is short against a voxel, and never
   so long that the scattering strength K = G1_w s passes ``LARGEST_STRENGTH``.
4. Step coordinate n(E) = int_E^Emax dE / (L_w s): 0 at the top; one unit is one step. The policy lives only here.
5. Main table, uniform in n: E, R, N = int dE Sigma_w / L_w (hard collisions so far), K.
6. Medium tables, uniform in n: f = L_m/L_w, h = (G1_m/L_m)/(G1_w/L_w), c = (Sigma_m/L_m)/(Sigma_w/L_w), shares of
   bremsstrahlung and annihilation in flight among hard collisions, and the number of photons still to come.
7. Deflection: inverse cumulative Goudsmit-Saunderson distribution (Phys. Rev. 57 (1940) 24) of mu = (1 - cos)/2 for
   strength K, medium by medium, stored so that <mu> and <mu^2> of the interpolated table are exact.

Lewis, Phys. Rev. 78 (1950) 526: the first two moments of the deflection fix the moments of position that a dose kernel
shows; an error of 1.5 % in the second one moved shells of the 1 MeV kernel by 2.6 %.
"""

from functools import cache
from typing import NamedTuple

import numpy as np

from . import bremsstrahlung, scattering, stopping
from .axis import energy_axis
from .materials import material

FRACTION = 0.12  # step over residual range where the range is a few voxels; 0.05 gives the same doses
FRACTION_LONG = 0.05  # where it is many voxels: dose-point kernels then show the steps themselves
FRACTION_SHORT = 0.3  # where it is short against a voxel
LONG_RANGE = 10.0  # voxels
SHORT_RANGE = 0.1  # voxels: detours inside one cannot be seen
LARGEST_STRENGTH = 0.4  # of a step; above about 0.45 tables of this form cannot have both moments right in tissue
SMALLEST_SCALE = 1e-6  # of mu, where more than half of the electrons do not scatter in a step
ROWS_PER_STEP = 8  # main table: linear interpolation of E(n) to about 1e-5
MEDIUM_ROWS_PER_STEP = 2
QUANTILES = 32
MULTIPOLES = 400
ENERGIES = 1500  # of the quadratures
SCATTERING_ENERGIES = 48  # G_l are smooth: spline-free log-log interpolation to 1e-4
LARGEST_RATIO = 20.0  # of c: Bhabha collisions begin where Moller's vanish; there the exact rate is without consequence
PER_OCTAVE = 64
RADIATION_ENERGIES = 80
PHOTON_QUANTILES = 32
PHOTON_ENERGIES = 24


def electron_tables(materials, electron_cutoff_mev, photon_cutoff_mev, highest_mev, voxel_cm, positrons):
    """Tables of the electron and positron transport.

    Parameters
    ----------
    materials : sequence of Material
    electron_cutoff_mev : float
        Transport cut-off, and production threshold of delta rays.
    photon_cutoff_mev : float
        Production threshold of bremsstrahlung photons; losses to softer ones are continuous.
    highest_mev : float
        Largest kinetic energy.
    voxel_cm : float
        Smallest voxel edge.
    positrons : bool
        Also make the positrons' media.

    Returns
    -------
    dict
        Fields of ``kernels_cuda.tables.ElectronTables``; the axis is an :class:`physics_data.axis.Axis`.
    """
    thresholds = electron_cutoff_mev, photon_cutoff_mev
    lowest = electron_cutoff_mev / 2
    axis, nodes = energy_axis(lowest * 1.001, highest_mev, PER_OCTAVE)
    energy = np.geomspace(lowest, nodes[-1], ENERGIES)  # to the last node: the interval below it is interpolated in
    water = _rates(material("water"), energy, thresholds, -1)
    charges = (-1, 1) if positrons else (-1,)
    media = [_rates(m, energy, thresholds, charge) for charge in charges for m in materials]

    steps = _step_policy(water, energy, voxel_cm)
    at, strength = steps.on_rows(energy), steps.on_rows(steps.strength)
    deflections = [_deflections(strength, m["moments"](at)) for m in media]
    rows = np.arange(int(np.ceil(steps.coordinate[0] * ROWS_PER_STEP)) + 2) / ROWS_PER_STEP
    collisions = _downward(water["hard"] / water["loss"], energy)
    columns = energy, steps.residual, collisions, steps.strength
    ratios = np.array([_ratios(m, water, steps) for m in media])
    photon = _photon_quantiles(materials, photon_cutoff_mev, at)
    return {
        "energy": axis,
        "coordinate": np.interp(nodes, energy, steps.coordinate).astype(np.float32),
        "main": np.stack([_at(rows, steps.coordinate, v) for v in columns], axis=1).astype(np.float32),
        "medium": ratios.astype(np.float32),
        "longest": (ratios[:, :, 0].min(axis=1) * (1 - 1e-6)).astype(np.float32),
        "deflection": np.array([t for _, t in deflections], np.float32),
        "median": np.array([a for a, _ in deflections], np.float32),
        "bremsstrahlung": np.concatenate([photon] * len(charges)).astype(np.float32),
        "main_rows": np.float32(ROWS_PER_STEP),
        "medium_rows": np.float32(MEDIUM_ROWS_PER_STEP),
        "n_cut": np.float32(np.interp(electron_cutoff_mev, energy, steps.coordinate)),
        "lowest": np.float32(lowest * 1.002),
        "delta_cutoff": np.float32(electron_cutoff_mev),
        "photon_cutoff": np.float32(photon_cutoff_mev),
        "positron_media": np.int32(len(materials)),
    }


class _Steps(NamedTuple):
    """The step policy along the energies: residual range, scattering strength of a step, step coordinate."""

    residual: np.ndarray
    strength: np.ndarray
    coordinate: np.ndarray

    def on_rows(self, values):
        """Values given along the energies, on the rows of the medium tables."""
        rows = np.arange(int(np.ceil(self.coordinate[0] * MEDIUM_ROWS_PER_STEP)) + 4) / MEDIUM_ROWS_PER_STEP
        return _at(rows, self.coordinate, values)


def _step_policy(water, energy, voxel_cm):
    below = energy[0] / water["loss"][0] / 1.75  # range at the end of the table, where R ~ E^1.75
    residual = _cumulative(1 / water["loss"], energy) + below
    step = np.minimum(step_fraction(residual, voxel_cm) * residual, LARGEST_STRENGTH / water["first_moment"])
    return _Steps(residual, water["first_moment"] * step, _downward(1 / (water["loss"] * step), energy))


def step_fraction(residual_range, voxel_cm):
    """Step over residual range, as fine as the voxels can resolve.

    Parameters
    ----------
    residual_range : array_like
        g/cm2.
    voxel_cm : float
        Smallest voxel edge; taken at unit density.

    Returns
    -------
    numpy.ndarray
        From ``FRACTION_SHORT`` for ranges below a tenth of a voxel over ``FRACTION`` to ``FRACTION_LONG`` for ranges of
        many voxels.
    """
    voxels = np.asarray(residual_range) / voxel_cm
    long = (FRACTION - FRACTION_LONG) / (1 + (voxels / LONG_RANGE) ** 2)
    short = (FRACTION_SHORT - FRACTION) / (1 + (voxels / SHORT_RANGE) ** 1.2)
    return FRACTION_LONG + long + short


def _at(rows, coordinate, values):
    """Values given along the energies, at rows of the step coordinate (which falls with energy)."""
    return np.interp(rows, coordinate[::-1], values[::-1])


def _cumulative(y, x):
    return np.r_[0.0, np.cumsum((y[1:] + y[:-1]) / 2 * np.diff(x))]


def _downward(y, x):
    """Integral from x to the top, at every x."""
    upward = _cumulative(y, x)
    return upward[-1] - upward


def _log_interpolate(x, knots, values):
    """Log-log interpolation of positive columns."""
    x, knots, logs = np.log(x), np.log(knots), np.log(np.maximum(values, 1e-300))
    return np.exp(np.stack([np.interp(x, knots, column) for column in logs.T], axis=1))


def _rates(medium, energy, thresholds, charge):
    """Restricted loss, hard collisions and moments of scattering of one material for one charge."""
    delta_cutoff, photon_cutoff = thresholds
    photons, radiated = bremsstrahlung.restricted(medium, energy, photon_cutoff)
    radiative = stopping.radiative(medium, energy, charge)
    ratio = radiative / stopping.radiative(medium, energy)  # positrons radiate less, with the same spectrum
    photons, radiated = photons * ratio, radiated * ratio
    struck, _ = stopping.hard_collisions(medium, energy, delta_cutoff, charge)
    annihilated = np.zeros_like(energy)
    if charge > 0:  # below twice the threshold a positron comes to rest within micrometres: it annihilates there
        annihilated = np.where(energy > 2 * delta_cutoff, stopping.annihilation_in_flight(medium, energy), 0.0)
    knots = np.geomspace(energy[0], energy[-1], SCATTERING_ENERGIES)
    moments = scattering.moments(medium, knots, delta_cutoff, charge, MULTIPOLES)
    return {
        "loss": stopping.restricted_collision(medium, energy, delta_cutoff, charge) + radiative - radiated,
        "hard": struck + photons + annihilated,
        "photons": photons,
        "annihilated": annihilated,
        "to_come": _photons_to_come(medium, energy, photons + annihilated, delta_cutoff, charge),
        "first_moment": _log_interpolate(energy, knots, moments[:, 1:2])[:, 0],
        "moments": lambda at: _log_interpolate(at, knots, moments),
    }


@cache
def _collisions_above(grid):
    """Moller collisions in water with a recoil above W, per g/cm2, [W, E] on one grid of energies."""
    water, energies = material("water"), np.array(grid)
    return np.array([stopping.hard_collisions(water, energies, w, -1)[0] for w in grid])


def _photons_to_come(medium, energy, rate, delta_cutoff, charge):
    """Expected photons of a whole track that begins at each energy, those of its delta rays included.

    dN/dE = [rate + sum over collisions of N(W)] / S, with S unrestricted; the sum over recoils W is integrated by
    parts: int n(>W) N'(W) dW with n(>W) the collisions above W.
    """
    grid = np.geomspace(energy[0], energy[-1], RADIATION_ENERGIES)
    total = stopping.collision(medium, grid, charge) + stopping.radiative(medium, grid, charge)
    above = _collisions_above(tuple(grid)) * medium.electrons_per_gram / material("water").electrons_per_gram
    width = np.gradient(grid)
    emitted = np.interp(grid, energy, rate)
    slope = np.zeros_like(grid)
    for i in range(grid.size):
        below = slice(np.searchsorted(grid, delta_cutoff), i)
        slope[i] = (emitted[i] + (above[below, i] * slope[below] * width[below]).sum()) / total[i]
    return np.interp(energy, grid, _cumulative(slope, grid))


def _ratios(m, water, steps):
    """Rows of a medium: f, h, c, shares of bremsstrahlung and annihilation, photons still to come."""
    f = m["loss"] / water["loss"]
    h = m["first_moment"] / water["first_moment"] / f
    with np.errstate(divide="ignore", invalid="ignore"):
        c = np.where(water["hard"] > 0, m["hard"] / water["hard"] / f, 1.0)
        radiative = np.where(m["hard"] > 0, m["photons"] / m["hard"], 0.0)
        annihilation = np.where(m["hard"] > 0, m["annihilated"] / m["hard"], 0.0)
    columns = f, h, np.clip(c, 1e-3, LARGEST_RATIO), radiative, annihilation, m["to_come"]
    return np.stack([steps.on_rows(v) for v in columns], axis=1)


def _photon_quantiles(materials, cutoff, energies):
    """ln(k/cutoff)/ln(E/cutoff) of photons above the threshold, [material, row, quantile].

    The quantiles are equidistant in q with cumulative probability 1 - (1 - q)^2: dense where the energy is.
    """
    uniform = 1 - np.linspace(1, 0, PHOTON_QUANTILES + 1) ** 2
    out = np.tile(uniform, (len(materials), energies.size, 1))
    if energies[0] <= cutoff:
        return out
    knots = np.geomspace(max(energies[-1], cutoff * 1.02), energies[0], PHOTON_ENERGIES)
    y = np.linspace(0, 1, 121)
    for i, medium in enumerate(materials):
        table = np.empty((PHOTON_ENERGIES, uniform.size))
        for j, e in enumerate(knots):
            k = cutoff * (e / cutoff) ** y
            cumulative = _cumulative(bremsstrahlung.energy_loss_spectrum(medium, e, k) * k, y)
            table[j] = np.interp(uniform, cumulative / cumulative[-1], y)
        out[i] = np.stack([np.interp(np.log(energies), np.log(knots), column) for column in table.T], axis=1)
    return out


@cache
def _legendre():
    """mu grid and P_l(1 - 2 mu), l = 0 ... MULTIPOLES + 1."""
    mu = np.r_[0.0, np.geomspace(1e-7, 1, 700)]
    x = 1 - 2 * mu
    p = np.ones((MULTIPOLES + 2, x.size))
    p[1] = x
    for l in range(2, MULTIPOLES + 2):
        p[l] = ((2 * l - 1) * x * p[l - 1] - (l - 1) * p[l - 2]) / l
    return mu, p


def _deflections(strength, moments):
    """Scale a [row] and t [row, QUANTILES + 1] of mu = a (1 - t)/(a + t), t linear in the root of the survival
    probability.

    The Goudsmit-Saunderson series is summed for the part that has scattered; unscattered electrons are a step at mu =
    0.
    """
    mu, p = _legendre()
    k = strength[:, None] * moments / moments[:, 1:2]
    none = np.exp(-k[:, :1])
    weights = np.exp(-k[:, 1:]) - none
    cumulative = 0.5 * ((1 - p[1]) * (1 - none) + weights @ (p[:MULTIPOLES] - p[2:])) + none
    cumulative[:, -1] = 1
    cumulative = np.maximum.accumulate(np.clip(cumulative, 0, 1), axis=1)
    y = np.linspace(0, 1, QUANTILES + 1)
    scale, base = np.empty(strength.size), np.empty((strength.size, y.size))
    for j, row in enumerate(cumulative):
        keep = np.r_[True, np.diff(row) > 1e-13]
        scale[j] = max(np.interp(0.5, row[keep], mu[keep]), SMALLEST_SCALE)
        at = np.interp(1 - y * y, row[keep], mu[keep])
        at[0], at[-1] = 1.0, 0.0
        base[j] = scale[j] * (1 - at) / (at + scale[j])
    return _fit_moments(scale, base, strength, moments)


@cache
def _gauss():
    """Six Gauss points and weights on (0, 1), the weights twice as large."""
    nodes, weights = np.polynomial.legendre.leggauss(6)
    return (nodes + 1) / 2, weights


def _moments_of(scale, t):
    """<mu> and <mu^2> of interpolated tables, by Gauss quadrature in every interval of y."""
    nodes, weights = _gauss()
    intervals = t.shape[1] - 1
    y = (np.arange(intervals)[:, None] + nodes) / intervals
    value = t[:, :-1, None] + nodes * np.diff(t, axis=1)[:, :, None]
    mu = scale[:, None, None] * (1 - value) / (scale[:, None, None] + value)
    weight = weights * y / intervals
    return np.stack([(mu * weight).sum(axis=(1, 2)), (mu * mu * weight).sum(axis=(1, 2))])


def _fit_moments(scale, base, strength, moments):
    """Change a and t -> t + b t (1 - t) until both moments are those of the Goudsmit-Saunderson distribution.

    Heavy elements at a few keV scatter too seldom and too widely for this form: there only the first moment is exact,
    the second that of the tabulated distribution.
    """
    first = np.exp(-strength)
    second = np.exp(-strength * moments[:, 2] / moments[:, 1])
    target = np.stack([(1 - first) / 2, (1 - 2 * first + (1 + 2 * second) / 3) / 4])
    z = np.stack([np.log(scale), np.zeros_like(scale)])

    def error(z):
        t = base + z[1][:, None] * base * (1 - base)
        return _moments_of(np.exp(z[0]), t) / target - 1

    d = 1e-5
    for _ in range(12):  # Newton with a numerical Jacobian, every row at once
        e = error(z)
        if np.abs(e).max() < 1e-8:
            break
        j0, j1 = (error(z + d * np.eye(2)[i][:, None]) - e for i in (0, 1))
        with np.errstate(divide="ignore", invalid="ignore"):
            det = (j0[0] * j1[1] - j1[0] * j0[1]) / d
            step = np.stack([e[0] * j1[1] - j1[0] * e[1], j0[0] * e[1] - e[0] * j0[1]]) / det
        z = z - np.clip(np.nan_to_num(step), -0.5, 0.5)
    failed = (np.abs(error(z)).max(axis=0) > 1e-6) | (np.abs(z[1]) > 1)  # |b| > 1: t leaves (0, 1)
    z[0, failed], z[1, failed] = np.log(scale[failed]), 0.0
    for _ in range(30 if failed.any() else 0):
        e = error(z)[0]
        slope = (error(z + d * np.array([[1.0], [0.0]]))[0] - e) / d
        z[0, failed] -= np.clip(e / slope, -0.5, 0.5)[failed]
    return np.exp(z[0]), base + z[1][:, None] * base * (1 - base)
