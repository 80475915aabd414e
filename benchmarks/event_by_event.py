"""Electron kernels in water event by event: ``python -m benchmarks.event_by_event 100keV 200000 [recipe]``.

Independent of the condensed history of the transport, with its cross sections:

1. Elastic and soft inelastic deflections one by one, but the softest, which make ``SOFT`` of the first transport cross
   section: between two events these act at one random point, exponential in mu with the right mean (a Gaussian).
2. Moller collisions above the threshold one by one, both electrons followed down to the cut-off.
3. Continuous restricted loss, taken at the middle of each flight; energy is scored at a random point of it, without
   what bremsstrahlung carries away.
4. ``recipe``: elastic times 1 + 1/Z less the Moller share, as EGSnrc includes the electrons, instead of S(q).

Printed: the mean radius of deposition within 1.2 ranges, against that of the EGSnrc kernel of the same energy.
"""

import sys

import numpy as np
from numba import njit

from benchmarks.physics_figures import moller_share
from benchmarks.validation import tables
from physics_data import bremsstrahlung, scattering, stopping
from physics_data.elements import atomic_weight
from physics_data.materials import material
from physics_data.stopping import AVOGADRO, ELECTRON_MASS_MEV

SOFT = 0.2
ROWS = 160  # ln-spaced energies
MU = np.geomspace(1e-11, 1, 1600)
TURN = 2 * np.pi
STACK = 64


def main(label, histories, recipe=False):
    """Run one kernel and print its mean radius."""
    table = tables.load(f"egsnrc_electron_kernel_{label}")
    energy, cutoff = table.about["energy_mev"], table.about["electron_cutoff_mev"]
    rates, cumulative = event_tables(energy, cutoff, table.about["photon_cutoff_mev"], recipe)
    outer, share = table["outer_cm"], table["share"]
    shells = simulate(np.random.default_rng(1), histories, energy, cutoff, cumulative, *rates, outer)
    middle = (outer + table["inner_cm"]) / 2
    ours, theirs = ((middle * values).sum() / values.sum() for values in (shells, share))
    print(f"{label}, {'recipe' if recipe else 'S(q)'}: mean radius {100 * (ours / theirs - 1):+.3f} % of EGSnrc's")


def event_tables(energy, cutoff, photon_cutoff, recipe):
    """Rows of (ln E, rate of deflections, soft moment, loss, radiated share, rate of Moller), and P(< mu) [row, mu]."""
    water = material("water")
    grid = np.geomspace(0.98 * cutoff, 1.001 * energy, ROWS)
    log_mu = np.log(MU)
    rate, soft, cumulative = np.empty(ROWS), np.empty(ROWS), np.empty((ROWS, MU.size))
    for i, e in enumerate(grid):
        cross = np.zeros_like(MU)
        for z, weight in zip(water.z.tolist(), water.weights.tolist()):
            elastic = scattering.elastic_cross_section(z, e, MU)
            inelastic = scattering.inelastic_cross_section(z, e, MU) * (scattering.soft_limit_mu(e, cutoff) > MU)
            other = elastic / z if recipe else inelastic
            cross += weight * AVOGADRO / atomic_weight(z) * (elastic + other)
        if recipe:
            cross *= 1 - moller_share(e, cutoff)
        number, moment = (_upward(cross * MU * factor, log_mu) for factor in (1, 2 * MU))
        first = np.searchsorted(moment, SOFT * moment[-1])
        events = np.maximum(number - number[first], 0)
        rate[i], soft[i], cumulative[i] = events[-1], moment[first], events / events[-1]
    loss = stopping.restricted_collision(water, grid, cutoff) + stopping.radiative(water, grid)
    radiated = bremsstrahlung.restricted(water, grid, photon_cutoff).energy_loss / loss
    return (np.log(grid), rate, soft, loss, radiated, stopping.hard_collisions(water, grid, cutoff).number), cumulative


def _upward(y, x):
    return np.r_[0.0, np.cumsum((y[1:] + y[:-1]) / 2 * np.diff(x))]


@njit
def simulate(rng, histories, energy, cutoff, cumulative, log_energy, rate, soft, loss, radiated, collisions, outer):
    """Energy per shell of isotropic electrons at the origin, MeV."""
    shells = np.zeros(outer.size)
    stack = np.empty((STACK, 7))
    for _ in range(histories):
        direction = rotated(rng, 0.0, 0.0, 1.0, 2 * rng.random() - 1)
        stack[0] = np.array([0.0, 0.0, 0.0, direction[0], direction[1], direction[2], energy])
        top = 1
        while top > 0:
            top -= 1
            x, y, z, u, v, w, e = stack[top]
            while e > cutoff:
                i, a = row(log_energy, e)
                free = -np.log(rng.random())
                s = free / (at(rate, i, a) + at(collisions, i, a))
                i, a = row(log_energy, max(e - s * at(loss, i, a) / 2, cutoff))
                deflected, struck = at(rate, i, a), at(collisions, i, a)
                s = free / (deflected + struck)
                last = e - s * at(loss, i, a) <= cutoff
                if last:
                    s = (e - cutoff) / at(loss, i, a)
                hinge, place = s * rng.random(), s * rng.random()
                lost = s * at(loss, i, a)
                if place < hinge:
                    deposit(shells, outer, x + u * place, y + v * place, z + w * place, lost * (1 - at(radiated, i, a)))
                x, y, z = x + u * hinge, y + v * hinge, z + w * hinge
                mean = (1 - np.exp(-at(soft, i, a) * s)) / 2
                u, v, w = rotated(rng, u, v, w, 1 - 2 * min(-mean * np.log(rng.random()), 1.0))
                if place >= hinge:
                    d = place - hinge
                    deposit(shells, outer, x + u * d, y + v * d, z + w * d, lost * (1 - at(radiated, i, a)))
                x, y, z = x + u * (s - hinge), y + v * (s - hinge), z + w * (s - hinge)
                e = cutoff if last else e - lost
                if last:
                    break
                if rng.random() * (deflected + struck) < struck and e > 2 * cutoff:
                    k = moller_energy(rng, e, cutoff)
                    first, second = scattered_cosine(e, k), scattered_cosine(e, e - k)
                    p, q, r = rotated(
                        rng, u, v, w, first
                    )  # azimuths of the two are independent here: no effect on a mean
                    stack[top] = np.array([x, y, z, p, q, r, k])
                    top += 1
                    u, v, w = rotated(rng, u, v, w, second)
                    e -= k
                else:
                    j = i if rng.random() > a else i + 1
                    r = rng.random()
                    k = max(np.searchsorted(cumulative[j], r), 1)
                    part = (r - cumulative[j, k - 1]) / max(cumulative[j, k] - cumulative[j, k - 1], 1e-300)
                    u, v, w = rotated(rng, u, v, w, 1 - 2 * MU[k - 1] * (MU[k] / MU[k - 1]) ** part)
            deposit(shells, outer, x, y, z, e)
    return shells


@njit
def row(log_energy, e):
    """Row and weight of an energy."""
    f = (np.log(e) - log_energy[0]) / (log_energy[1] - log_energy[0])
    i = min(max(int(f), 0), log_energy.size - 2)
    return i, f - i


@njit
def at(values, i, a):
    """Linear interpolation."""
    return values[i] + a * (values[i + 1] - values[i])


@njit
def deposit(shells, outer, x, y, z, e):
    """Score energy in the shell of a point; nothing beyond the last."""
    k = int(np.sqrt(x * x + y * y + z * z) / outer[0])
    if k < shells.size:
        shells[k] += e


@njit
def scattered_cosine(e, kept):
    """Cosine of an electron that has the energy ``kept`` after a collision of one of energy e with a free one."""
    return min(1.0, np.sqrt(kept * (e + 2 * ELECTRON_MASS_MEV) / (e * (kept + 2 * ELECTRON_MASS_MEV))))


@njit
def moller_energy(rng, e, cutoff):
    """Energy of the slower electron."""
    tau = e / ELECTRON_MASS_MEV
    a, b = (tau / (tau + 1)) ** 2, (2 * tau + 1) / (tau + 1) ** 2
    ceiling, least = max(1.0, 2 + a / 4 - b), cutoff / e
    while True:
        x = least / (1 - rng.random() * (1 - 2 * least))
        q = x / (1 - x)
        if rng.random() * ceiling < 1 + q * q + a * x * x - b * q:
            return e * x


@njit
def rotated(rng, u, v, w, cosine):
    """A direction turned by a polar angle, at a random azimuth."""
    sine, azimuth = np.sqrt(max(0.0, 1 - cosine * cosine)), TURN * rng.random()
    a, b = sine * np.cos(azimuth), sine * np.sin(azimuth)
    across = np.sqrt(u * u + v * v)
    if across < 1e-8:
        return a, b * w, cosine * w
    x, y = u * cosine + (u * w * a - v * b) / across, v * cosine + (v * w * a + u * b) / across
    z = w * cosine - a * across
    n = np.sqrt(x * x + y * y + z * z)
    return x / n, y / n, z / n


if __name__ == "__main__":
    main(sys.argv[1], int(float(sys.argv[2])), "recipe" in sys.argv[3:])
