"""One history: an emitted particle and everything it sets free."""

import numpy as np

from .device import device
from .electron import NOT_STARTED, transport_electron
from .geometry import ZERO, I, isotropic
from .particles import PHOTON, owned_units, push
from .photon import transport_photon
from .source import emission, place
from .tally import EMITTED, count


@device
def history(p, t, g, s, tally, stack, i, shift, k, stream):
    """Emit particle i of a batch in source voxel k and transport it with all its secondaries.

    Parameters
    ----------
    p, t, g, s : PhotonTables, ElectronTables, Grid, SourceTables
    tally : Tally
    stack : Stack
        Scratch of this thread.
    i, shift : int, uint32
        Number in the batch and the batch's shift of the emission sequence.
    k : int
        Index of the source voxel.
    stream : Stream
        Random numbers of this history.
    """
    kind, e = emission(s, i, shift)
    iz, iy, ix, x, y, z, r1, r2 = place(s, g, k, stream)
    u, v, w = isotropic(r1, r2)
    count(tally.counters, EMITTED, owned_units(kind, e))
    top = push(stack, I(0), tally, kind, iz, iy, ix, x, y, z, u, v, w, e, NOT_STARTED, ZERO)
    follow(p, t, g, tally, stack, top, stream)


@device
def follow(p, t, g, tally, stack, top, stream):
    """Transport everything on the stack to its end."""
    block = np.uint32(0)
    while top > 0:
        top -= 1
        state, where = stack.state, stack.place
        kind, iz, iy, ix = where[top, 0], where[top, 1], where[top, 2], where[top, 3]
        x, y, z = state[top, 0], state[top, 1], state[top, 2]
        u, v, w = state[top, 3], state[top, 4], state[top, 5]
        e = state[top, 6]
        if kind == PHOTON:
            top, block = transport_photon(p, t, g, tally, stack, top, iz, iy, ix, x, y, z, u, v, w, e, stream, block)
        else:
            flight, hinge = state[top, 7], state[top, 8]
            top, block = transport_electron(
                t, g, tally, stack, top, kind, iz, iy, ix, x, y, z, u, v, w, e, flight, hinge, stream, block
            )
