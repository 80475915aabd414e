"""Particles waiting to be transported.

A history keeps its unfinished particles on a small stack of its own. The electron with less energy goes first and a
photon
waits while the electrons it set free are followed, so the depth stays near log2(E / cut-off). A particle that finds
the stack full deposits its energy on the spot and is counted: nothing is lost.
"""

from typing import Any, NamedTuple

import numpy as np

from .device import device
from .geometry import ZERO, I
from .tally import OVERFLOWS, count, score, units

PHOTON, ELECTRON, POSITRON = I(0), I(1), I(2)
DEPTH = 48  # of the stack; two to eight are in use in practice
ELECTRON_MASS_MEV = np.float32(0.51099895)  # CODATA 2018
ONE_COUNT = np.int64(1)


class Stack(NamedTuple):
    """``state`` float32 [DEPTH, 9]: x y z u v w e flight hinge; ``place`` int32 [DEPTH, 4]: kind iz iy ix."""

    state: Any
    place: Any


@device
def owned_units(kind, e):
    """Tally units a particle hands on when it ends: a positron also frees two electron masses."""
    if kind == POSITRON:
        return units(e) + units(ELECTRON_MASS_MEV) + units(ELECTRON_MASS_MEV)
    return units(e)


@device
def push(stack, top, tally, kind, iz, iy, ix, x, y, z, u, v, w, e, flight, hinge):
    """Put a particle on the stack; returns the new depth. ``flight`` < 0: an electron that has not begun to step."""
    if top >= DEPTH:
        score(tally.energy, iz, iy, ix, owned_units(kind, e))
        count(tally.counters, OVERFLOWS, ONE_COUNT)
        return top
    place, state = stack.place, stack.state
    place[top, 0], place[top, 1], place[top, 2], place[top, 3] = kind, iz, iy, ix
    state[top, 0], state[top, 1], state[top, 2] = x, y, z
    state[top, 3], state[top, 4], state[top, 5] = u, v, w
    state[top, 6], state[top, 7], state[top, 8] = e, flight, hinge
    return top + I(1)


@device
def push_photon(stack, top, tally, iz, iy, ix, x, y, z, u, v, w, e):
    """Put a photon on the stack."""
    return push(stack, top, tally, PHOTON, iz, iy, ix, x, y, z, u, v, w, e, ZERO, ZERO)
