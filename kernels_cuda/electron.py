"""Electrons and positrons: class II condensed history on a step coordinate.

1. State: step coordinate n, a monotone function of energy; one unit is one step in the reference medium, water.
   One look-up at n gives energy E, residual range R (restricted, g/cm2) and N, the hard collisions suffered so far.
2. A flight is straight and ends at a hinge (the electron has used up its share of scattering strength), at a hard
   collision, at a face, or at the cut-off. Over a small dn in medium m of density rho:
   path ds = dR / (rho f), strength used h dn, hard collisions c dN, with f, h, c the medium's ratios to water.
3. Nothing restarts at a face: strength and hard collisions left are carried over, so every rate is proportional to
   density and Fano's theorem holds by construction (idea: Sempau, Wilderman & Bielajew, Phys. Med. Biol. 45 (2000)
   2263).
4. Hinge: the direction turns by a deflection drawn from the Goudsmit-Saunderson distribution of one step, whose first
   two moments are exact; the hinge sits at a random place of its step.
5. Hard collision: Moller or Bhabha scattering above the delta-ray threshold, bremsstrahlung above the photon threshold,
   or annihilation in flight.
6. A particle whose residual range cannot leave its voxel ends there; the radiation it would still have emitted is
   emitted. A positron annihilates into two photons.

Valid from 1 keV to 20 MeV. Neglected: straggling of losses below the thresholds, binding of struck electrons, the
photon's recoil in bremsstrahlung; spin polarisation.
"""

import math

import numpy as np

from .device import device
from .geometry import (
    FOUR,
    HALF,
    I0,
    I1,
    I2,
    I3,
    ONE,
    THREE,
    TWO,
    U0,
    U1,
    ZERO,
    F,
    I,
    U,
    distance_to_face,
    far_voxel,
    inside,
    isotropic,
    rotate,
    voxel,
)
from .particles import ELECTRON, ELECTRON_MASS_MEV, NOTHING, PHOTON, POSITRON, owned_units, push, take_charged
from .rng import FIRST, NEXT, child, exponential, uniforms, unit, unit_high16, unit_low16, words
from .tables import energy_row
from .tally import ESCAPED, STEPS, count, score_later, units

MASS, TWO_MASS = ELECTRON_MASS_MEV, F(2) * ELECTRON_MASS_MEV
SIXTH, QUARTER, THIRD, FAR, TINY = F(1 / 6), F(0.25), F(1 / 3), F(1e30), F(1e-18)
FLAT = F(1e-6)  # slope below which the hard-collision column does not change: no Newton step on it
NO_ROW = U(0xFFFFFFFF)
HINGE, HARD, FACE, CUT = I1, I2, I3, I0
ZERO_UNITS = np.int64(0)


@device
def at_coordinate(t, n):
    """Energy, residual range and number of hard collisions at step coordinate n."""
    row = n * t.main_rows
    i = U(row)
    k = i + U1
    a = row - F(i)
    main = t.main
    e = main[i, 0] + a * (main[k, 0] - main[i, 0])
    r = main[i, 1] + a * (main[k, 1] - main[i, 1])
    c = main[i, 2] + a * (main[k, 2] - main[i, 2])
    return e, r, c


@device
def coordinate_of(t, e):
    """Step coordinate of an energy."""
    i, a = energy_row(t.energy, e)
    i = U(i)
    return t.coordinate[i] + a * (t.coordinate[i + U1] - t.coordinate[i])


@device
def range_of(t, e):
    """Residual range in the reference medium, g/cm2."""
    row = coordinate_of(t, e) * t.main_rows
    i = U(row)
    return t.main[i, 1] + (row - F(i)) * (t.main[i + U1, 1] - t.main[i, 1])


@device
def solve(t, column, target, n, low, high):
    """n in [low, high] where a column of the main table reaches ``target``: Newton on the interpolated table.

    The place of an event must be exact: an error of it near a face moves dose across the face. The table is linear
    between rows, so a step that stays in its row has arrived.
    """
    n = min(max(n, low), high)
    solved = NO_ROW
    for _ in range(3):
        row = n * t.main_rows
        i = U(row)
        if i == solved:
            break
        solved = i
        step = t.main[i + U1, column] - t.main[i, column]
        slope = step * t.main_rows
        if abs(slope) > FLAT:
            n = min(max(n + (target - t.main[i, column] - (row - F(i)) * step) / slope, low), high)
    return n


@device
def deflection(t, m, n, u):
    """(1 - cos)/2 of the deflection of one step, from the medium's table at the row nearest n."""
    j = U(n * t.medium_rows + HALF)
    quantiles = t.deflection.shape[2] - 1
    q = math.sqrt(u) * F(quantiles)
    k = U(min(I(q), I(quantiles - 1)))  # the root of the largest deviate rounds to one
    value = t.deflection[m, j, k] + (q - F(k)) * (t.deflection[m, j, k + U1] - t.deflection[m, j, k])
    a = t.median[m, j]
    return a * (ONE - value) / (a + value)


@device
def photon_energy(t, m, n, e, u):
    """Energy of a bremsstrahlung photon above the threshold, from the medium's table at the row nearest n."""
    j = I(n * t.medium_rows + HALF)
    quantiles = t.bremsstrahlung.shape[2] - 1
    q = (ONE - math.sqrt(u)) * F(quantiles)
    k = min(I(q), I(quantiles - 1))
    y = t.bremsstrahlung[m, j, k]
    y += (q - F(k)) * (t.bremsstrahlung[m, j, k + 1] - y)
    return min(t.photon_cutoff * math.exp(y * math.log(e / t.photon_cutoff)), e)


@device
def dipole_cosine(r):
    """Cosine from 3/8 (1 + cos^2), by inverting its cumulative distribution (c^3 + 3 c + 4)/8 = r (Cardano)."""
    b = FOUR * r - TWO
    a = math.exp(THIRD * math.log(math.sqrt(b * b + ONE) + b))
    return a - ONE / a


@device
def radiate(waiting, tally, iz, iy, ix, x, y, z, u, v, w, e, k, r1, r2, stream):
    """Set free the bremsstrahlung photon of energy k of an electron of energy e.

    Its angle is the dipole pattern of the electron's rest frame, boosted: the leading behaviour of Kissel, Quarles &
    Pratt, At. Data Nucl. Data Tables 28 (1983) 381.
    """
    beta = math.sqrt(e * (e + TWO_MASS)) / (e + MASS)
    rest = dipole_cosine(r1)
    cosine = (rest + beta) / (ONE + beta * rest)
    sine = math.sqrt(max(ZERO, ONE - cosine * cosine))
    u, v, w = rotate(u, v, w, cosine, sine, r2)
    push(waiting, tally, PHOTON, iz, iy, ix, x, y, z, u, v, w, k, stream)


@device
def moller_loss(e, cutoff, r1, r2, stream, block):
    """Energy of the slower electron after a Moller collision, between the threshold and e/2; and the next block.

    Moller, Ann. Phys. 406 (1932) 531: W^-2 on (cutoff, e/2) by inversion, the rest of the cross section by rejection.
    r1 and r2 serve the first trial.
    """
    g = e / MASS
    a2 = (g / (g + ONE)) * (g / (g + ONE))
    a3 = (TWO * g + ONE) / ((g + ONE) * (g + ONE))
    x0 = cutoff / e
    ceiling = max(ONE, TWO + a2 * QUARTER - a3)  # the rejection function is largest at one of its ends
    while True:
        x = x0 / (ONE - r1 * (ONE - TWO * x0))
        q = x / (ONE - x)
        if r2 * ceiling < ONE + q * q + a2 * x * x - a3 * q:
            return e * x, block
        r1, r2, _, _ = uniforms(stream, block)
        block = np.uint32(block + NEXT)


@device
def bhabha_loss(e, cutoff, r1, r2, stream, block):
    """Energy of the electron struck by a positron, between the threshold and e; and the next block.

    Bhabha, Proc. R. Soc. A 154 (1936) 195, in the form of Rohrlich & Carlson, Phys. Rev. 93 (1954) 38; the bracket
    falls from one, so W^-2 by inversion and the bracket by rejection.
    """
    gamma = e / MASS + ONE
    up = gamma + ONE
    s = (gamma - ONE) / gamma
    s = s * s
    b1 = s * (TWO * up * up - ONE) / (gamma * gamma - ONE)
    b2 = s * (THREE * up * up + ONE) / (up * up)
    b3 = s * TWO * gamma * (gamma - ONE) / (up * up)
    b4 = s * (gamma - ONE) * (gamma - ONE) / (up * up)
    x0 = cutoff / e
    while True:
        x = x0 / (ONE - r1 * (ONE - x0))
        if r2 < ONE - x * (b1 - x * (b2 - x * (b3 - x * b4))):
            return e * x, block
        r1, r2, _, _ = uniforms(stream, block)
        block = np.uint32(block + NEXT)


@device
def annihilate_at_rest(waiting, tally, iz, iy, ix, x, y, z, r1, r2, stream, block):
    """Two photons of one electron mass, back to back."""
    u, v, w = isotropic(r1, r2)
    push(waiting, tally, PHOTON, iz, iy, ix, x, y, z, u, v, w, MASS, child(stream, block, I0))
    push(waiting, tally, PHOTON, iz, iy, ix, x, y, z, -u, -v, -w, MASS, child(stream, block, I1))


@device
def annihilate_in_flight(waiting, tally, iz, iy, ix, x, y, z, u, v, w, e, stream, block):
    """Two photons that share e + 2 mc^2; returns (units handed on, next block).

    Heitler, The Quantum Theory of Radiation (1954) section 27; the share zeta of one photon by inversion of 1/zeta and
    rejection, angles from energy and momentum (Nelson, Hirayama & Rogers, SLAC-265 (1985) section 2.12).
    """
    gamma = e / MASS + ONE
    p = math.sqrt(gamma * gamma - ONE)
    low = ONE / (gamma + ONE + p)
    a = gamma * gamma + FOUR * gamma + ONE
    up2 = (gamma + ONE) * (gamma + ONE)
    ceiling = a - TWO * (gamma + ONE)
    span = math.log((ONE - low) / low)
    zeta = HALF
    turns = ZERO
    while True:
        r1, r2, turns, _ = uniforms(stream, block)
        block = np.uint32(block + NEXT)
        zeta = low * math.exp(span * r1)
        if r2 * ceiling < a - up2 * zeta - ONE / zeta:
            break
    total = e + TWO_MASS
    k1 = zeta * total
    k2 = total - k1
    c1 = max(-ONE, min(ONE, (gamma + ONE - ONE / zeta) / p))
    c2 = max(-ONE, min(ONE, (gamma + ONE - ONE / (ONE - zeta)) / p))
    u1, v1, w1 = rotate(u, v, w, c1, math.sqrt(ONE - c1 * c1), turns)
    opposite = turns + HALF if turns < HALF else turns - HALF
    u2, v2, w2 = rotate(u, v, w, c2, math.sqrt(ONE - c2 * c2), opposite)
    push(waiting, tally, PHOTON, iz, iy, ix, x, y, z, u1, v1, w1, k1, child(stream, block, I0))
    push(waiting, tally, PHOTON, iz, iy, ix, x, y, z, u2, v2, w2, k2, child(stream, block, I1))
    return units(k1) + units(k2), block


@device
def end_of_track(t, tally, waiting, kind, m, iz, iy, ix, x, y, z, u, v, w, n, e, owned, rare, stream, block):
    """Stop a particle that cannot leave its voxel, with the photons the rest of its track would give.

    ``rare`` is a deviate drawn at the start of the track: below the expected number of photons still to come it makes
    one, at the energy where that number has fallen to ``rare``. Two from one short track are neglected (number squared
    / 2).
    """
    j = I(n * t.medium_rows + HALF)
    last = t.medium.shape[1] - 1
    if rare < t.medium[m, j, 5]:
        while j < last and rare < t.medium[m, j + 1, 5]:
            j += 1
        n_emit = max(n, F(j) / t.medium_rows)
        e_emit, _, _ = at_coordinate(t, n_emit)
        r1, r2, r3, r4 = uniforms(stream, block)
        block = np.uint32(block + NEXT)
        in_flight = t.medium[m, j, 4]
        if r1 * (t.medium[m, j, 3] + in_flight) < in_flight:
            given, _ = annihilate_in_flight(waiting, tally, iz, iy, ix, x, y, z, u, v, w, e_emit, stream, block)
            score_later(tally, iz, iy, ix, owned - given)
            return
        k = photon_energy(t, m, n_emit, e_emit, r2)
        radiate(waiting, tally, iz, iy, ix, x, y, z, u, v, w, e_emit, k, r3, r4, child(stream, block, I0))
        owned -= units(k)
    if kind == POSITRON:
        r1, r2, _, _ = uniforms(stream, block)
        annihilate_at_rest(waiting, tally, iz, iy, ix, x, y, z, r1, r2, stream, np.uint32(block + NEXT))
        owned -= units(MASS) + units(MASS)
    score_later(tally, iz, iy, ix, owned)


@device
def first_face(g, x, y, z, u, v, w, x1, y1, z1):
    """Distance to the first face that a flight from (x, y, z) to (x1, y1, z1) passes, and its axis (0 x, 1 y, 2 z).

    FAR if the flight stays inside. A coordinate beyond a face that the direction does not point to is rounding.
    """
    distance = FAR
    axis = I0
    if abs(x1) >= g.half_x and x1 * u > ZERO:
        distance = (g.half_x - x if u > ZERO else -g.half_x - x) / u
    if abs(y1) >= g.half_y and y1 * v > ZERO:
        d = (g.half_y - y if v > ZERO else -g.half_y - y) / v
        if d < distance:
            distance = d
            axis = I1
    if abs(z1) >= g.half_z and z1 * w > ZERO:
        d = (g.half_z - z if w > ZERO else -g.half_z - z) / w
        if d < distance:
            distance = d
            axis = I2
    return max(distance, ZERO), axis


@device
def cross_face(g, axis, iz, iy, ix, x, y, z, u, v, w):
    """Enter the next voxel: its indices, and the coordinate across the face set exactly on it."""
    if axis == I0:
        ix = I(ix + I1) if u > ZERO else I(ix - I1)
        x = -g.half_x if u > ZERO else g.half_x
    elif axis == I1:
        iy = I(iy + I1) if v > ZERO else I(iy - I1)
        y = -g.half_y if v > ZERO else g.half_y
    else:
        iz = I(iz + I1) if w > ZERO else I(iz - I1)
        z = -g.half_z if w > ZERO else g.half_z
    return iz, iy, ix, x, y, z


@device
def transport_charged(t, g, tally, waiting):
    """Follow electrons and positrons to their ends, until none waits.

    One loop over the steps of one particle after the other, so that the threads of a GPU, which step together, do not
    wait for the longest track among them.
    """
    stream = waiting.stream
    kind = NOTHING
    iz, iy, ix = I0, I0, I0
    x, y, z = ZERO, ZERO, ZERO
    u, v, w = ZERO, ZERO, ZERO
    m, offset, rho = U0, U0, ZERO
    owned = ZERO_UNITS
    n, e, r, hard = ZERO, ZERO, ZERO, ZERO
    tau, flight, hinge, rare = ZERO, ZERO, ZERO, ZERO
    spare = False  # one block of random words serves two hinges
    word_c, word_d = U0, U0
    block = FIRST
    flights = np.int64(0)
    while True:
        if kind == NOTHING:
            kind, iz, iy, ix, x, y, z, u, v, w, e, stream = take_charged(waiting, tally)
            if kind == NOTHING:
                break
            offset = U(t.positron_media) if kind == POSITRON else U0
            m, rho = far_voxel(g, iz, iy, ix)
            m = U(m + offset)
            owned = owned_units(kind, e)
            n = coordinate_of(t, e)
            e, r, hard = at_coordinate(t, n)
            tau, flight, rare, _ = uniforms(stream, FIRST)
            block = NEXT
            tau = exponential(tau)
            hinge = flight
            spare = False
        moved = n < t.n_cut and r >= distance_to_face(g, x, y, z) * rho * t.longest[m]
        if not moved:
            end_of_track(t, tally, waiting, kind, m, iz, iy, ix, x, y, z, u, v, w, n, e, owned, rare, stream, block)
            kind = NOTHING
        else:
            # --- how far: to the hinge, the next hard collision or the cut-off
            j = U((n + HALF * min(flight, ONE)) * t.medium_rows + HALF)
            f = t.medium[m, j, 0]
            h = t.medium[m, j, 1]
            c = t.medium[m, j, 2]
            event = HINGE
            n1 = n + flight / h
            if n1 >= t.n_cut:
                n1 = t.n_cut
                event = CUT
            e1, r1, hard1 = at_coordinate(t, n1)
            due = (hard1 - hard) * c
            if due > tau:
                n1 = solve(t, 2, hard + tau / c, n + (n1 - n) * (tau / due), n, n1)
                e1, r1, hard1 = at_coordinate(t, n1)
                event = HARD
            path = (r - r1) / (rho * f)
            x1 = x + u * path
            y1 = y + v * path
            z1 = z + w * path
            distance, axis = first_face(g, x, y, z, u, v, w, x1, y1, z1)
            if distance > path:
                x = x1
                y = y1
                z = z1
            else:
                event = FACE
                n1 = solve(t, 1, r - rho * f * distance, n + (n1 - n) * (distance / max(path, TINY)), n, n1)
                e1, r1, hard1 = at_coordinate(t, n1)
                x += u * distance
                y += v * distance
                z += w * distance
            flight -= (n1 - n) * h
            tau = max(tau - (hard1 - hard) * c, ZERO)  # rounding where N is nearly flat
            n = n1
            e = e1
            r = r1
            hard = hard1
            # --- what happens there
            if event == FACE:
                left = owned_units(kind, e)
                score_later(tally, iz, iy, ix, owned - left)
                owned = left
                iz, iy, ix, x, y, z = cross_face(g, axis, iz, iy, ix, x, y, z, u, v, w)
                if inside(g, iz, iy, ix):
                    m, rho = voxel(g, iz, iy, ix)
                    m = U(m + offset)
                else:
                    count(tally.counters, ESCAPED, owned)
                    kind = NOTHING
            elif event == HINGE:
                if spare:
                    word_a = word_c
                    word_b = word_d
                    spare = False
                else:
                    word_a, word_b, word_c, word_d = words(stream, block)
                    block = np.uint32(block + NEXT)
                    spare = True
                mu = deflection(t, m, n, unit(word_a))
                u, v, w = rotate(u, v, w, ONE - TWO * mu, TWO * math.sqrt(mu * (ONE - mu)), unit_high16(word_b))
                # the hinge keeps to (0, 1 - K/6): the mean depth of a step is right to second order in its strength K
                next_hinge = unit_low16(word_b) * (ONE - t.main[U(n * t.main_rows), 3] * SIXTH)
                flight = ONE - hinge + next_hinge
                hinge = next_hinge
            elif event == HARD:
                r1, r2, r3, r4 = uniforms(stream, block)
                block = np.uint32(block + NEXT)
                tau = exponential(r1)
                j = U(n * t.medium_rows + HALF)
                radiative = t.medium[m, j, 3]
                annihilation = t.medium[m, j, 4]
                if r2 < radiative:
                    k = photon_energy(t, m, n, e, r2 / radiative)
                    radiate(waiting, tally, iz, iy, ix, x, y, z, u, v, w, e, k, r3, r4, child(stream, block, I0))
                    owned -= units(k)
                    e -= k
                elif r2 < radiative + annihilation:
                    given, _ = annihilate_in_flight(waiting, tally, iz, iy, ix, x, y, z, u, v, w, e, stream, block)
                    score_later(tally, iz, iy, ix, owned - given)
                    kind = NOTHING
                elif e > TWO * t.delta_cutoff:
                    turns = (r2 - radiative - annihilation) / (ONE - radiative - annihilation)
                    if kind == POSITRON:
                        k, block = bhabha_loss(e, t.delta_cutoff, r3, r4, stream, block)
                    else:
                        k, block = moller_loss(e, t.delta_cutoff, r3, r4, stream, block)
                    e2 = max(e - k, ZERO)
                    # cosines of elastic scattering on a free electron at rest
                    kept = min(ONE, math.sqrt(e2 * (e + TWO_MASS) / (e * (e2 + TWO_MASS))))
                    if range_of(t, k) >= distance_to_face(g, x, y, z) * rho * t.longest[U(m - offset)]:
                        struck = min(ONE, math.sqrt(k * (e + TWO_MASS) / (e * (k + TWO_MASS))))
                        u2, v2, w2 = rotate(u, v, w, struck, math.sqrt(ONE - struck * struck), turns)
                        push(waiting, tally, ELECTRON, iz, iy, ix, x, y, z, u2, v2, w2, k, child(stream, block, I0))
                        owned -= units(k)
                    opposite = turns + HALF if turns < HALF else turns - HALF
                    u, v, w = rotate(u, v, w, kept, math.sqrt(ONE - kept * kept), opposite)
                    e = e2
                n = coordinate_of(t, e)
                e, r, hard = at_coordinate(t, n)
        flights += moved  # also joins all paths before the next pass: without it the compiler nests loops
    count(tally.counters, STEPS, flights)
