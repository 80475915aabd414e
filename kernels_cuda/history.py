"""Histories on the CPU: what decays emit, and all it sets free."""

import numpy as np

from .device import device
from .electron import transport_charged
from .lanes import advance_photons
from .particles import CHARGED, PHOTONS, owned_units, push
from .rng import EMITTED_PARTICLE, Stream
from .source import emission, place
from .tally import EMITTED, count

HIGH_WORD = np.uint64(32)


@device
def emit(g, s, tally, waiting, i, shift, k, number):
    """Let the particle that a decay emits wait.

    Parameters
    ----------
    g, s : Grid, SourceTables
    tally : Tally
    waiting : Waiting
    i, shift : int, Shift
        Number of the history in its batch, and the batch's shift of the sequences.
    k : int
        Index of the source voxel.
    number : uint64
        Of the history in the whole run.
    """
    kind, e = emission(s, i, shift)
    iz, iy, ix, x, y, z, u, v, w = place(s, g, k, i, shift)
    count(tally.counters, EMITTED, owned_units(kind, e))
    seed = waiting.stream
    stream = Stream(seed.seed_low, seed.seed_high, np.uint32(number), np.uint32(number >> HIGH_WORD), EMITTED_PARTICLE)
    push(waiting, tally, kind, iz, iy, ix, x, y, z, u, v, w, e, stream)


@device
def photons_held(waiting, lanes):
    """Number of photons that wait or fly."""
    return waiting.depth[PHOTONS] + lanes.held[0]


@device
def follow(p, t, g, tally, waiting, lanes, enough):
    """Charged particles that wait, to their ends; then one flight of the photons, if there are ``enough`` of them.

    Returns False when nothing was left to follow.
    """
    charged = waiting.depth[CHARGED] > 0
    if charged:
        transport_charged(t, g, tally, waiting)
    photons = photons_held(waiting, lanes)
    if photons >= enough:
        advance_photons(p, t, g, tally, waiting, lanes)
    return charged or photons > 0
