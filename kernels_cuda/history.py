"""One history: an emitted particle and everything it sets free."""

from .device import device
from .electron import transport_charged
from .geometry import isotropic
from .particles import owned_units, push
from .photon import transport_photons
from .rng import EMITTED_PARTICLE, of_particle
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
        Empty stacks, with the stream of this history.
    i, shift : int, uint32
        Number in the batch and the batch's shift of the emission sequence.
    k : int
        Index of the source voxel.
    """
    kind, e = emission(s, i, shift)
    iz, iy, ix, x, y, z, r1, r2 = place(s, g, k, waiting.stream)
    u, v, w = isotropic(r1, r2)
    count(tally.counters, EMITTED, owned_units(kind, e))
    emitted = of_particle(waiting.stream, EMITTED_PARTICLE)
    push(waiting, tally, kind, iz, iy, ix, x, y, z, u, v, w, e, emitted)
    follow(p, t, g, tally, waiting)


@device
def follow(p, t, g, tally, waiting):
    """Transport everything that waits to its end."""
    while waiting.depth[0] + waiting.depth[1] > 0:
        transport_charged(t, g, tally, waiting)
        transport_photons(p, t, g, tally, waiting)
