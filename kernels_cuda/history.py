"""One history: an emitted particle and everything it sets free."""

from .device import device
from .electron import transport_charged
from .particles import owned_units, push
from .photon import transport_photons
from .source import emission, place
from .tally import EMITTED, count


@device
def history(p, t, g, s, tally, waiting, i, shift, k):
    """Emit particle i of a batch in source voxel k and transport it with all its secondaries.

    Parameters
    ----------
    p, t, g, s : PhotonTables, ElectronTables, Grid, SourceTables
    tally : Tally
    waiting : Waiting
        Empty stacks, with the stream of the emitted particle.
    i, shift : int, Shift
        Number in the batch and the batch's shift of the sequences.
    k : int
        Index of the source voxel.
    """
    kind, e = emission(s, i, shift)
    iz, iy, ix, x, y, z, u, v, w = place(s, g, k, i, shift)
    count(tally.counters, EMITTED, owned_units(kind, e))
    push(waiting, tally, kind, iz, iy, ix, x, y, z, u, v, w, e, waiting.stream)
    follow(p, t, g, tally, waiting)


@device
def follow(p, t, g, tally, waiting):
    """Transport everything that waits to its end."""
    while waiting.depth[0] + waiting.depth[1] > 0:
        transport_charged(t, g, tally, waiting)
        transport_photons(p, t, g, tally, waiting)
