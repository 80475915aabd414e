"""Fixed work beside which every rate is quoted, so that figures of different machines and days can be compared.

1. A history is a made-up particle of 6 MeV that takes 46 steps in a grid of 64^3 voxels. A step makes one Philox block,
   two voxel look-ups, a logarithm and two interpolations in tables by energy and medium, a normal deviate, a rotation
   with library sine and cosine, two moves and one addition to an int64 grid: the staple of an electron transport code.
2. It is not physics and never follows the engine: it shares no code with it, and a faster engine leaves it alone.

Change this file only with a new ``VERSION``: ratios to another version are not comparable.
"""

import math
from typing import Any, NamedTuple

import numpy as np
from numba import njit

VERSION = 1
STEPS = 46  # that take 6 MeV to below 50 keV at a tenth of the energy a step
VOXELS, EDGE_CM = 64, 0.4
FASTMATH = {"nnan", "ninf", "nsz", "arcp", "contract", "afn"}

F, I, U, L = np.float32, np.int32, np.uint32, np.uint64
ZERO, HALF, ONE, TWO, TURN = F(0), F(0.5), F(1), F(2), F(2 * np.pi)
START_MEV, SHARE, SPREAD = F(6), F(0.1), F(0.05)  # energy; share of it lost in a step; relative spread of the loss
POLE, CELL, UNITS = F(1e-7), F(2.0**-23), F(2.0**20)
ZERO_INDEX, OUT = I(0), I(-1)

device = njit(cache=True, fastmath=FASTMATH, error_model="numpy")


class Grid(NamedTuple):
    """Voxels of the made-up phantom."""

    density: Any  # float32 [i, j, k]
    medium: Any  # uint8 [i, j, k]
    voxels: Any  # int32, along an edge
    edge: Any  # float32, cm
    per_edge: Any  # float32, 1/edge


class Tables(NamedTuple):
    """Tables of the made-up particle, over the logarithm of energy."""

    loss: Any  # float32 [medium, row]
    turning: Any  # float32 [medium, row]
    first_log: Any  # float32, ln(energy) of row 0
    rows_per_log: Any  # float32
    last: Any  # int32, index of the last interval


def case():
    """Grid with two layers of other media in the first one, and tables of 256 energies from 5 keV to 20 MeV."""
    density = np.ones((VOXELS,) * 3, np.float32)
    medium = np.zeros(density.shape, np.uint8)
    density[:, :, VOXELS // 3 : VOXELS // 2], medium[:, :, VOXELS // 3 : VOXELS // 2] = 0.3, 1
    density[VOXELS // 2 : VOXELS // 2 + 6], medium[VOXELS // 2 : VOXELS // 2 + 6] = 1.8, 2
    logs = np.linspace(math.log(0.005), math.log(20.0), 256)
    energy = np.exp(logs)
    loss = np.tile(1.9 + 0.4 / energy, (3, 1)).astype(np.float32)
    turning = np.stack([0.2 * k / (energy + 0.1) for k in (1, 2, 3)]).astype(np.float32)
    grid = Grid(density, medium, I(VOXELS), F(EDGE_CM), F(1 / EDGE_CM))
    return grid, Tables(loss, turning, F(logs[0]), F(1 / (logs[1] - logs[0])), I(logs.size - 2))


@device
def _philox(seed, history, block):
    """Four floats in (0, 1): Philox4x32-10 of the counter (history, block)."""
    a, b, c, d = U(history), U(0), U(block), U(0)
    low, high = seed, U(0)
    for _ in range(10):
        p = L(0xD2511F53) * L(a)
        q = L(0xCD9E8D57) * L(c)
        a = U(U(q >> L(32)) ^ b ^ low)
        c = U(U(p >> L(32)) ^ d ^ high)
        b = U(q)
        d = U(p)
        low = U(low + U(0x9E3779B9))
        high = U(high + U(0xBB67AE85))
    return _float(a), _float(b), _float(c), _float(d)


@device
def _float(word):
    return (F(U(word >> U(9))) + HALF) * CELL


@device
def _voxel(g, x, y, z):
    if x <= ZERO or y <= ZERO or z <= ZERO:
        return OUT, OUT, OUT
    i, j, k = I(x * g.per_edge), I(y * g.per_edge), I(z * g.per_edge)
    if i >= g.voxels or j >= g.voxels or k >= g.voxels:
        return OUT, OUT, OUT
    return i, j, k


@device
def _interpolate(table, m, row, a):
    return table[m, row] + a * (table[m, row + 1] - table[m, row])


@device
def _turn(u, v, w, cosine, azimuth):
    sine = math.sqrt(max(ZERO, ONE - cosine * cosine))
    a = sine * math.cos(azimuth)
    b = sine * math.sin(azimuth)
    across2 = u * u + v * v
    if across2 < POLE:
        return a, b, cosine if w > ZERO else -cosine
    across = math.sqrt(across2)
    per = ONE / across
    return u * cosine + (u * w * a - v * b) * per, v * cosine + (v * w * a + u * b) * per, w * cosine - across * a


@device
def _history(g, t, deposits, seed, number):
    """One particle; returns the steps it took."""
    middle = F(g.voxels) * g.edge * HALF
    x, y, z = middle, middle, middle
    u, v, w = ZERO, ZERO, ONE
    e = START_MEV
    for step in range(STEPS):
        r1, r2, r3, r4 = _philox(seed, number, step)
        i, j, k = _voxel(g, x, y, z)
        if i < ZERO_INDEX:
            return step
        m = g.medium[i, j, k]
        row = (math.log(e) - t.first_log) * t.rows_per_log
        n = max(I(0), min(I(row), t.last))
        a = row - F(n)
        normal = math.sqrt(-TWO * math.log(r3)) * math.cos(TURN * r4)
        lost = min(e, SHARE * e * (ONE + SPREAD * normal))
        path = lost / (_interpolate(t.loss, m, n, a) * g.density[i, j, k])
        cosine = max(-ONE, ONE + SHARE * _interpolate(t.turning, m, n, a) * math.log(r1))
        part = r2 * path
        x, y, z = x + part * u, y + part * v, z + part * w
        i, j, k = _voxel(g, x, y, z)
        if i < ZERO_INDEX:
            return step
        u, v, w = _turn(u, v, w, cosine, TURN * r2)
        part = path - part
        x, y, z = x + part * u, y + part * v, z + part * w
        deposits[i, j, k] += np.int64(lost * UNITS)
        e -= lost
    return STEPS


@njit(cache=True, fastmath=FASTMATH, error_model="numpy", nogil=True)
def run(g, t, deposits, first, histories):
    """Histories ``first`` to ``first + histories - 1``; adds to ``deposits`` int64 [z, y, x] and returns the steps."""
    steps = 0
    for number in range(first, first + histories):
        steps += _history(g, t, deposits, U(7), number)
    return steps
