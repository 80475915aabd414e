"""The GPU's side of the transport: queues instead of stacks, atomic additions, and the two kernels.

1. Charged particles and photons are transported by kernels of their own and wait in a ring buffer each. A particle set
   free takes the next place of its ring; whoever follows it later draws the numbers of its own stream, so the result
   does not depend on the order.
2. A thread takes the next work of its launch by a ticket: first the particles that wait, then decays of the source. All
   threads step together whatever they carry: a thread whose particle ends takes another at the next step.
3. The host sizes launches so that rings do not overflow. Should one, the particle deposits its energy where it is and
   is counted, as on the CPU's stacks.

``push``, ``take_charged``, ``score`` and ``score_later`` stand in for those of the same names in ``particles`` and
``tally`` (see ``cuda.kernels``).
"""

from typing import Any, NamedTuple

import numpy as np

from .device import device
from .electron import transport_charged
from .geometry import I0, U0, ZERO, I, U, inside
from .particles import CHARGED, NOTHING, ONE_COUNT, PHOTON, PHOTONS, owned_units
from .photon import collide, fly, majorant_at
from .rng import EMITTED_PARTICLE, FIRST, NEXT, Stream
from .source import emission, place
from .tally import EMITTED, ESCAPED, N_COUNTERS, OVERFLOWS, PHOTON_FLIGHTS, Tally, count, units

cuda: Any = None  # numba.cuda, put here by ``cuda.kernels`` when there is one

STATE_WORDS, PLACE_WORDS = 8, 8  # a particle is two sectors of memory: x y z u v w e, and kind iz iy ix number history
TICKETS = np.int64(4)  # work a thread takes at a time: fewer atomic additions on one address
NEXT_OF_MINE, END_OF_MINE = 0, 1
HISTORY_SHIFT = np.uint64(32)


class Ring(NamedTuple):
    """Particles that wait: ``state`` float32 and ``place`` uint32 [capacity, 8]; ``head`` int64, the oldest."""

    state: Any
    place: Any
    head: Any


class Work(NamedTuple):
    """What a launch does: ``waiting`` particles of its ring from its head on, then decays up to ``total``."""

    ticket: Any  # int64 [1]: work given out so far
    waiting: Any  # int64
    total: Any  # int64


class Decays(NamedTuple):
    """The histories a launch begins: ``begin`` is the first one's number in the batch, ``history`` its own."""

    source: Any
    grid: Any
    voxel: Any  # uint32 [history of the launch]: its source voxel
    begin: Any
    history: Any
    shift: Any


class Waiting(NamedTuple):
    """Rings and work as a thread of the charged kernel sees them; ``mine`` int64 [2]: the tickets it holds."""

    photons: Ring
    charged: Ring
    tails: Any  # int64 [2]: where the next particle goes, photons and charged
    work: Work
    decays: Any  # unused by photons
    stream: Stream
    first: Any  # FirstCollision of the batch
    mine: Any


@device
def score(energy, iz, iy, ix, amount):
    """Add ``amount`` units to a voxel."""
    cuda.atomic.add(energy, (iz, iy, ix), amount)


@device
def score_later(tally, iz, iy, ix, amount):
    """Add at once: other threads work while one waits for memory."""
    score(tally.energy, iz, iy, ix, amount)


@device
def push(waiting, tally, kind, iz, iy, ix, x, y, z, u, v, w, e, stream):
    """Put a particle at the end of its ring."""
    row = PHOTONS if kind == PHOTON else CHARGED
    ring = waiting.photons if kind == PHOTON else waiting.charged
    end = cuda.atomic.add(waiting.tails, row, ONE_COUNT)
    capacity = ring.state.shape[0]
    if end - ring.head >= capacity:
        score(tally.energy, iz, iy, ix, owned_units(kind, e))
        count(tally.counters, OVERFLOWS, ONE_COUNT)
        return
    k = end & (capacity - 1)
    state, where = ring.state, ring.place
    state[k, 0], state[k, 1], state[k, 2] = x, y, z
    state[k, 3], state[k, 4], state[k, 5], state[k, 6] = u, v, w, e
    where[k, 0], where[k, 1], where[k, 2], where[k, 3] = U(kind), U(iz), U(iy), U(ix)
    where[k, 4], where[k, 5], where[k, 6] = stream.particle, stream.history_low, stream.history_high


@device
def next_work(waiting):
    """Number of the next piece of work of this thread; negative if there is none."""
    mine, work = waiting.mine, waiting.work
    if mine[NEXT_OF_MINE] == mine[END_OF_MINE]:
        first = cuda.atomic.add(work.ticket, 0, TICKETS)
        if first >= work.total:
            return -ONE_COUNT
        mine[NEXT_OF_MINE] = first
        mine[END_OF_MINE] = min(first + TICKETS, work.total)
    k = mine[NEXT_OF_MINE]
    mine[NEXT_OF_MINE] = k + ONE_COUNT
    return k


@device
def nothing(waiting):
    """What a thread takes when there is no work left."""
    return NOTHING, I0, I0, I0, ZERO, ZERO, ZERO, ZERO, ZERO, ZERO, ZERO, waiting.stream


@device
def waiting_particle(ring, k, stream):
    """Kind, voxel, point, direction, energy and stream of the k-th particle of a ring from its head on."""
    k = (ring.head + k) & (ring.state.shape[0] - 1)
    state, where = ring.state, ring.place
    own = Stream(stream.seed_low, stream.seed_high, where[k, 5], where[k, 6], where[k, 4])
    return (
        I(where[k, 0]), I(where[k, 1]), I(where[k, 2]), I(where[k, 3]), state[k, 0], state[k, 1], state[k, 2],
        state[k, 3], state[k, 4], state[k, 5], state[k, 6], own,
    )  # fmt: skip


@device
def take_photon(waiting):
    """The next photon of the launch."""
    k = next_work(waiting)
    if k < 0:
        return nothing(waiting)
    return waiting_particle(waiting.photons, k, waiting.stream)


@device
def take_charged(waiting, tally):
    """The next charged particle of the launch; photons that decays emit on the way go to their ring."""
    while True:
        k = next_work(waiting)
        if k < 0:
            return nothing(waiting)
        if k < waiting.work.waiting:
            return waiting_particle(waiting.charged, k, waiting.stream)
        begun = k - waiting.work.waiting
        d = waiting.decays
        number = np.uint64(d.history + begun)
        low, high = U(number), U(number >> HISTORY_SHIFT)
        kind, e = emission(d.source, d.begin + begun, d.shift)
        iz, iy, ix, x, y, z, u, v, w = place(d.source, d.grid, d.voxel[begun], d.begin + begun, d.shift)
        count(tally.counters, EMITTED, owned_units(kind, e))
        emitted = Stream(waiting.stream.seed_low, waiting.stream.seed_high, low, high, EMITTED_PARTICLE)
        if kind != PHOTON:
            return kind, iz, iy, ix, x, y, z, u, v, w, e, emitted
        push(waiting, tally, kind, iz, iy, ix, x, y, z, u, v, w, e, emitted)


@device
def transport_photons(p, t, g, tally, waiting):
    """Follow one photon after the other, a flight in each pass of the loop."""
    stream = waiting.stream
    kind = NOTHING
    iz, iy, ix = I0, I0, I0
    x, y, z = ZERO, ZERO, ZERO
    u, v, w, e = ZERO, ZERO, ZERO, ZERO
    row, a, majorant = I0, ZERO, ZERO
    block = FIRST
    flights = np.int64(0)
    while True:
        if kind == NOTHING:
            kind, iz, iy, ix, x, y, z, u, v, w, e, stream = take_photon(waiting)
            if kind == NOTHING:
                break
            row, a, majorant = majorant_at(p, e)
            block = FIRST
        iz, iy, ix, x, y, z, r2, r3, turns = fly(
            g, waiting.first, iz, iy, ix, x, y, z, u, v, w, majorant, stream, block
        )
        block = U(block + NEXT)
        stays = inside(g, iz, iy, ix)
        if stays:
            e, u, v, w, row, a, majorant = collide(
                p, t, g, tally, waiting, iz, iy, ix, x, y, z, u, v, w, e, row, a, majorant, r2, r3, turns, stream, block
            )
        else:
            count(tally.counters, ESCAPED, units(e))
            e = ZERO
        if e == ZERO:
            kind = NOTHING
        flights += stays  # also joins all paths before the next pass: without it the compiler nests loops
    count(tally.counters, PHOTON_FLIGHTS, flights)


def charged_kernel(t, g, energy, counters, photons, charged, tails, work, decays, seed_low, seed_high):
    """Transport electrons and positrons: those that wait, and those of the decays of this launch."""
    own = cuda.local.array(N_COUNTERS, np.int64)
    mine = cuda.local.array(2, np.int64)
    begin_thread(own, mine)
    stream = Stream(seed_low, seed_high, U0, U0, U0)
    transport_charged(t, g, Tally(energy, own, own), Waiting(photons, charged, tails, work, decays, stream, U0, mine))
    end_thread(counters, own)


def photon_kernel(p, t, g, energy, counters, photons, charged, tails, work, first, seed_low, seed_high):
    """Transport photons that wait."""
    own = cuda.local.array(N_COUNTERS, np.int64)
    mine = cuda.local.array(2, np.int64)
    begin_thread(own, mine)
    stream = Stream(seed_low, seed_high, U0, U0, U0)
    transport_photons(
        p, t, g, Tally(energy, own, own), Waiting(photons, charged, tails, work, work, stream, first, mine)
    )
    end_thread(counters, own)


@device
def begin_thread(own, mine):
    """Counters of this thread at zero, and no ticket."""
    for k in range(N_COUNTERS):
        own[k] = 0
    mine[NEXT_OF_MINE] = 0
    mine[END_OF_MINE] = 0


@device
def end_thread(counters, own):
    """Add the counters of this thread to those of the launch."""
    for k in range(N_COUNTERS):
        if own[k] != 0:
            cuda.atomic.add(counters, k, own[k])
