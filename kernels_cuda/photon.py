"""Photons: Woodcock tracking and the four interactions.

1. Flights are drawn with the largest attenuation coefficient anywhere in the grid at this energy (Woodcock et al.,
   ANL-7050 (1965) 557); an interaction is real with probability mu(voxel) / majorant, else the photon flies on. Faces
   play no part.
2. Photoelectric absorption: the electron leaves with the photon's energy, less the K binding energy where the vacancy
   is in a K shell whose fluorescence lies above the cut-off; then the fluorescence photon, or the deposit of the
   shell's energy. Direction: Sauter, Ann. Phys. 403 (1931) 454.
3. Incoherent scattering: Klein-Nishina times the incoherent scattering function S(x)/Z of the medium, by inversion of
   the energy given to the electron.
4. Coherent scattering: squared form factor of the medium times Thomson's (1 + cos^2)/2, by inversion of the angle.
5. Pair (and triplet) production: kinetic energy shared uniformly, leading-order angles.
6. An electron that cannot leave its voxel deposits its energy at once; any other waits to be followed.

``fly`` and ``collide`` are what happens to one photon; ``lanes`` for the CPU and ``queues`` for a GPU say who does
which when.

Valid from 1 keV to 20 MeV. Neglected: Doppler broadening and the binding energy left by incoherent scattering (below 1
keV per event in tissue), fluorescence of L and higher shells, polarisation, photonuclear absorption.
"""

import math

import numpy as np

from .device import device
from .electron import range_of
from .geometry import (
    FOUR,
    HALF,
    I0,
    I1,
    ONE,
    TWO,
    U1,
    ZERO,
    F,
    I,
    U,
    distance_to_face,
    far_voxel,
    isotropic,
    rotate,
    voxels_on,
)
from .particles import ELECTRON, ELECTRON_MASS_MEV, PHOTON, POSITRON, push
from .rng import EMITTED_PARTICLE, FIRST, NEXT, child, exponential, uniforms
from .source import collision_numbers
from .tables import energy_row
from .tally import score_later, units

MASS, TWO_MASS = ELECTRON_MASS_MEV, F(2) * ELECTRON_MASS_MEV
# Columns of the attenuation table: mu/rho, and the cumulative shares of interactions
MU_OVER_RHO, PHOTOELECTRIC, INCOHERENT, COHERENT = U(0), U(1), U(2), U(3)
SMALLEST_MAJORANT = F(1e-12)  # 1/cm: a grid of vacuum is left in one flight


@device
def interpolate(table, m, i, a, column):
    """Linear interpolation in a [medium, row, column] table."""
    i = U(i)
    return table[m, i, column] + a * (table[m, i + U1, column] - table[m, i, column])


@device
def quantile(table, m, i, a, r):
    """Bilinear interpolation in a [medium, row, quantile of sqrt(r)] table."""
    last = U(table.shape[2]) - U1
    q = math.sqrt(r) * F(last)
    k = min(U(q), last - U1)  # the root of the largest number rounds to one
    low = interpolate(table, m, i, a, k)
    return low + (q - F(k)) * (interpolate(table, m, i, a, U(k + U1)) - low)


@device
def incoherent_scattering(p, m, e, r):
    """Energy of the scattered photon and 1 - cos of its deflection, from a number in (0, 1)."""
    i, a = energy_row(p.angle_energy, e)
    share = quantile(p.incoherent, m, i, a, r)
    doubled = TWO * e / MASS
    largest = ONE + doubled
    ratio = (largest - doubled * share) / largest
    return e * ratio, min(TWO * share / (largest * ratio), TWO)


@device
def coherent_scattering(p, m, e, r):
    """1 - cos of the deflection in coherent scattering, from a number in (0, 1)."""
    i, a = energy_row(p.angle_energy, e)
    t = quantile(p.coherent, m, i, a, r)
    i = U(i)
    median = p.coherent_median[m, i] + a * (p.coherent_median[m, i + U1] - p.coherent_median[m, i])
    return TWO * median * (ONE - t) / (median + t)


@device
def sauter_cosine(e, stream, block):
    """Direction cosine of a photoelectron of kinetic energy e, and the next block.

    Sauter's K-shell distribution; sampling as in Salvat, PENELOPE-2018 (NEA/MBDAV/R(2019)1) section 2.2.1.
    """
    gamma = e / MASS + ONE
    beta = math.sqrt(e * (e + TWO_MASS)) / (e + MASS)
    a = ONE / beta - ONE
    b = HALF * beta * gamma * (gamma - ONE) * (gamma - TWO)
    ceiling = TWO * (ONE / a + b)
    while True:
        r1, r2, _, _ = uniforms(stream, block)
        block = np.uint32(block + NEXT)
        nu = TWO * a / ((a + TWO) * (a + TWO) - FOUR * r1) * (TWO * r1 + (a + TWO) * math.sqrt(r1))
        if r2 * ceiling < (TWO - nu) * (ONE / (a + nu) + b):
            return ONE - nu, block


@device
def pair_cosine(e, r):
    """Direction cosine of one particle of a pair of kinetic energy e: leading term of Sauter, Gluckstern & Hull."""
    beta = math.sqrt(e * (e + TWO_MASS)) / (e + MASS)
    q = TWO * r - ONE
    return (q + beta) / (ONE + q * beta)


@device
def majorant_at(p, e):
    """Row and weight of an energy on the axis, and the largest attenuation coefficient of the grid there, 1/cm."""
    row, a = energy_row(p.energy, e)
    return row, a, max(p.majorant[row] + a * (p.majorant[row + 1] - p.majorant[row]), SMALLEST_MAJORANT)


@device
def fly(g, first, iz, iy, ix, x, y, z, u, v, w, majorant, stream, block):
    """One flight: voxel and point where it ends, perhaps outside the grid, and three numbers for what happens there.

    Without a branch or a look-up, so that several photons fly at once.
    """
    r1, r2, r3, turns = uniforms(stream, block)
    even1, even3 = collision_numbers(first, stream)
    of_decay = block == FIRST and stream.particle == EMITTED_PARTICLE
    r1 = even1 if of_decay else r1
    r3 = even3 if of_decay else r3
    flight = exponential(r1) / majorant
    dx, x = voxels_on(x + u * flight, g.half_x)
    dy, y = voxels_on(y + v * flight, g.half_y)
    dz, z = voxels_on(z + w * flight, g.half_z)
    return I(iz + dz), I(iy + dy), I(ix + dx), x, y, z, r2, r3, turns


@device
def collide(p, t, g, tally, waiting, iz, iy, ix, x, y, z, u, v, w, e, row, a, majorant, r2, r3, turns, stream, block):
    """What happens at the end of a flight inside the grid, perhaps nothing.

    ``r2`` chooses the interaction, ``r3`` is its own, ``turns`` an azimuth; ``block`` is the next of the stream.
    Returns the photon's energy, zero if it has ended, its direction, and ``majorant_at`` that energy.
    """
    m, rho = far_voxel(g, iz, iy, ix)
    attenuation = interpolate(p.attenuation, m, row, a, MU_OVER_RHO) * rho
    chance = r2 * majorant
    if chance < attenuation:
        chance /= attenuation  # again uniform in (0, 1): which interaction
        if chance < interpolate(p.attenuation, m, row, a, PHOTOELECTRIC):
            absorb(p, t, g, tally, waiting, m, rho, iz, iy, ix, x, y, z, u, v, w, e, row, a, r3, stream, block)
            e = ZERO
        elif chance < interpolate(p.attenuation, m, row, a, INCOHERENT):
            e, u, v, w = compton(
                p, t, g, tally, waiting, m, rho, iz, iy, ix, x, y, z, u, v, w, e, r3, turns, stream, block
            )
            if e > p.cutoff:
                row, a, majorant = majorant_at(p, e)
            else:
                e = ZERO
        elif chance < interpolate(p.attenuation, m, row, a, COHERENT) or e <= TWO_MASS:
            deflection = coherent_scattering(p, m, e, r3)
            u, v, w = rotate(u, v, w, ONE - deflection, math.sqrt(deflection * (TWO - deflection)), turns)
        else:
            make_pair(tally, waiting, iz, iy, ix, x, y, z, u, v, w, e, r3, turns, stream, block)
            e = ZERO
    return e, u, v, w, row, a, majorant


@device
def compton(p, t, g, tally, waiting, m, rho, iz, iy, ix, x, y, z, u, v, w, e, r, turns, stream, block):
    """Incoherent scattering with its electron; returns energy and direction of the photon.

    ``r`` chooses the energy, ``turns`` is the azimuth. A photon at or below its cut-off has been deposited.
    """
    scattered, deflection = incoherent_scattering(p, m, e, r)
    cosine = ONE - deflection
    electron = max(e - scattered, ZERO)
    owned = units(e)
    if scattered > p.cutoff:
        owned -= units(scattered)
    if electron > t.lowest and leaves_voxel(t, g, m, rho, x, y, z, electron):
        # the electron balances the momentum: tan(theta) = 1 / ((1 + e/mc2) tan(phi/2))
        q = (ONE + e / MASS) * math.sqrt(deflection / max(TWO - deflection, F(1e-9)))
        c = q / math.sqrt(ONE + q * q)
        opposite = turns + HALF if turns < HALF else turns - HALF
        u2, v2, w2 = rotate(u, v, w, c, math.sqrt(max(ZERO, ONE - c * c)), opposite)
        owned -= units(electron)
        push(waiting, tally, ELECTRON, iz, iy, ix, x, y, z, u2, v2, w2, electron, child(stream, block, I0))
    score_later(tally, iz, iy, ix, owned)
    u, v, w = rotate(u, v, w, cosine, math.sqrt(deflection * (TWO - deflection)), turns)
    return scattered, u, v, w


@device
def leaves_voxel(t, g, m, rho, x, y, z, e):
    """True if an electron set free here may leave its voxel, or may radiate on a track worth following."""
    return range_of(t, e) >= distance_to_face(g, x, y, z) * rho * t.longest[m]


@device
def absorb(p, t, g, tally, waiting, m, rho, iz, iy, ix, x, y, z, u, v, w, e, row, a, r, stream, block):
    """Photoelectric absorption; ``r`` chooses the element of a K vacancy."""
    owned = units(e)
    electron = e
    elements = p.k_vacancy.shape[2]
    k = I0
    while k < elements and r >= interpolate(p.k_vacancy, m, row, a, U(k)):
        k += 1
    if k < elements:
        electron = e - p.k_edge[k]
        r1, r2, r3, r4 = uniforms(stream, block)
        block = np.uint32(block + NEXT)
        if r1 < p.k_yield[k]:
            line = I0
            while line < p.k_line.shape[1] - 1 and r2 >= p.k_line[k, line, 1]:
                line += 1
            energy = p.k_line[k, line, 0]
            if energy > p.cutoff:
                owned -= units(energy)
                u1, v1, w1 = isotropic(r3, r4)
                push(waiting, tally, PHOTON, iz, iy, ix, x, y, z, u1, v1, w1, energy, child(stream, block, I0))
    if electron > t.lowest and leaves_voxel(t, g, m, rho, x, y, z, electron):
        cosine, block = sauter_cosine(electron, stream, block)
        r1, _, _, _ = uniforms(stream, block)
        u, v, w = rotate(u, v, w, cosine, math.sqrt(max(ZERO, ONE - cosine * cosine)), r1)
        owned -= units(electron)
        push(waiting, tally, ELECTRON, iz, iy, ix, x, y, z, u, v, w, electron, child(stream, block, I1))
    score_later(tally, iz, iy, ix, owned)


@device
def make_pair(tally, waiting, iz, iy, ix, x, y, z, u, v, w, e, r, turns, stream, block):
    """Electron and positron set free; ``r`` shares the energy, ``turns`` is the azimuth."""
    free = e - TWO_MASS
    positron = r * free
    electron = free - positron
    r1, r2, _, _ = uniforms(stream, block)
    opposite = turns + HALF if turns < HALF else turns - HALF
    c1 = pair_cosine(positron, r1)
    c2 = pair_cosine(electron, r2)
    u1, v1, w1 = rotate(u, v, w, c1, math.sqrt(max(ZERO, ONE - c1 * c1)), turns)
    u2, v2, w2 = rotate(u, v, w, c2, math.sqrt(max(ZERO, ONE - c2 * c2)), opposite)
    rounding = units(e) - units(positron) - units(electron) - units(MASS) - units(MASS)
    score_later(tally, iz, iy, ix, rounding)
    push(waiting, tally, POSITRON, iz, iy, ix, x, y, z, u1, v1, w1, positron, child(stream, block, I0))
    push(waiting, tally, ELECTRON, iz, iy, ix, x, y, z, u2, v2, w2, electron, child(stream, block, I1))
