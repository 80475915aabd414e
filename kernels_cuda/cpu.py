"""The CPU driver: batches of histories on threads that share one tally.

Threads take chunks of a batch as they come; the tally is integer and atomic, so the result does not depend on who ran
what.
"""

import threading
from concurrent.futures import wait

import numpy as np

from .batch import placing, seed_words
from .device import driver
from .geometry import U0
from .history import emit, follow, photons_held
from .lanes import LANES, REALS, WHOLES, Lanes
from .particles import DEPTH, Waiting
from .rng import Stream
from .source import first_collision
from .tally import DELAY, N_COUNTERS, Tally, settle

CHUNK = 4096
"""Histories a thread takes at a time: a few milliseconds, so that threads end together and Ctrl-C is prompt."""


@driver(nogil=True)
def run(p, t, g, s, energy, counters, seed_low, seed_high, first, shift, stride, begin, end, target, k):
    """Histories ``begin`` to ``end`` of a batch whose first history has number ``first``.

    The first of them stands at ``target`` of the cumulative decays, in source voxel ``k``; each further one ``stride``
    (uint64) on.
    """
    state, place = np.empty((2, DEPTH, 7), np.float32), np.empty((2, DEPTH, 4), np.int32)
    number, depth = np.empty((2, DEPTH, 3), np.uint32), np.zeros(2, np.int64)
    stream = Stream(seed_low, seed_high, U0, U0, U0)
    waiting = Waiting(state, place, number, depth, stream, first_collision(shift, first))
    lanes = Lanes(np.ones(REALS * LANES, np.float32), np.zeros(WHOLES * LANES, np.uint32), np.zeros(1, np.int64))
    tally = Tally(energy, counters, np.zeros((DELAY + 1, 2), np.int64))
    i = begin
    while True:
        emits = i < end and photons_held(waiting, lanes) < LANES
        if emits:
            while s.cumulative[k] <= target:
                k += 1
            emit(g, s, tally, waiting, i, shift, k, np.uint64(first) + np.uint64(i))
            target = np.uint64(target + stride)
            i += 1
        if not follow(p, t, g, tally, waiting, lanes, LANES if i < end else 1):
            break
    settle(tally)


@driver(nogil=True)
def gather(batch, total, squares, inverse_size):
    """Add a batch's tally to the sums over batches, and clear it: ``total`` += e, ``squares`` += e^2 / size.

    Arrays int64, int64 and float64 [voxel]; weighting the squares by 1/size lets batches differ in size.
    """
    for i in range(batch.size):
        e = batch[i]
        if e != 0:
            total[i] += e
            squares[i] += np.float64(e) * np.float64(e) * inverse_size
            batch[i] = 0


def simulate(photons, electrons, grid, source, energy, batch, pool, workers, chunk=CHUNK, part=None):
    """Run one batch, or part of it, and add its deposits to ``energy``.

    Parameters
    ----------
    photons, electrons, grid, source : PhotonTables, ElectronTables, Grid, SourceTables
    energy : numpy.ndarray
        int64 [z, y, x], tally units; added to.
    batch : Batch
    pool : concurrent.futures.ThreadPoolExecutor
    workers : int
        Threads to use.
    chunk : int
        Histories per task.
    part : tuple of int, optional
        First history and the one after the last, counted in the batch.

    Returns
    -------
    numpy.ndarray
        int64 counters of the batch: emitted, escaped, overflows, electron flights.
    """
    low, high = seed_words(batch.seed)
    at = placing(batch, source.cumulative[-1])
    where = (low, high, np.int64(batch.first), at.shift, at.stride)
    first, last = part or (0, batch.size)
    begins = iter(range(first, last, chunk))
    turn, stop = threading.Lock(), threading.Event()

    def work():
        counters = np.zeros(N_COUNTERS, np.int64)
        while not stop.is_set():
            with turn:
                begin = next(begins, None)
            if begin is None:
                break
            end = min(begin + chunk, last)
            target = at.offset + np.uint64(begin) * at.stride
            place = np.int64(begin), np.int64(end), target, source.cumulative.searchsorted(target, side="right")
            run(photons, electrons, grid, source, energy, counters, *where, *place)
        return counters

    tasks = [pool.submit(work) for _ in range(workers)]
    try:
        return sum(task.result() for task in tasks)
    except BaseException:  # Ctrl-C: let the threads finish their chunk before the tally is left alone
        stop.set()
        wait(tasks)
        raise
