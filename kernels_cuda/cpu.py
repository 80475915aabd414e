"""The CPU driver: batches of histories on threads that share one tally.

Threads take chunks of a batch as they come; the tally is integer and atomic, so the result does not depend on who ran
what.
"""

import threading
from concurrent.futures import wait
from typing import NamedTuple

import numpy as np

from .device import driver
from .history import history
from .particles import DEPTH, Stack
from .rng import Stream
from .tally import N_COUNTERS, Tally

CHUNK = 4096
"""Histories a thread takes at a time: a few milliseconds, so that threads end together and Ctrl-C is prompt."""


@driver(nogil=True)
def run(p, t, g, s, energy, counters, seed_low, seed_high, first, shift, offset, stride, begin, end):
    """Histories ``begin`` to ``end`` of a batch whose first history has number ``first``.

    ``offset`` and ``stride`` (uint64) place history i at ``offset + i * stride`` of the cumulative decays.
    """
    stack = Stack(np.empty((DEPTH, 9), np.float32), np.empty((DEPTH, 4), np.int32))
    tally = Tally(energy, counters)
    target = np.uint64(offset + np.uint64(begin) * stride)
    k = np.searchsorted(s.cumulative, target, side="right")
    for i in range(begin, end):
        while s.cumulative[k] <= target:
            k += 1
        number = np.uint64(first) + np.uint64(i)
        low = np.uint32(number)
        high = np.uint32(number >> np.uint64(32))
        history(p, t, g, s, tally, stack, i, shift, k, Stream(seed_low, seed_high, low, high))
        target = np.uint64(target + stride)


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


class Batch(NamedTuple):
    """Histories ``first`` to ``first + size - 1`` under a 64-bit seed: an independent replicate of the simulation."""

    seed: int
    first: int
    size: int


def simulate(photons, electrons, grid, source, energy, batch, pool, workers, chunk=CHUNK):
    """Run one batch and add its deposits to ``energy``.

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

    Returns
    -------
    numpy.ndarray
        int64 counters of the batch: emitted, escaped, overflows, electron flights.
    """
    stride = np.uint64(int(source.cumulative[-1]) // batch.size)
    words = np.random.Philox(key=np.array([batch.seed, batch.first], np.uint64)).random_raw(2)
    placing = (
        np.uint32(batch.seed & 0xFFFFFFFF),
        np.uint32(batch.seed >> 32),
        np.int64(batch.first),
        np.uint32(int(words[1]) >> 32),
        np.uint64(int(words[0]) % int(stride)),
        stride,
    )
    begins = iter(range(0, batch.size, chunk))
    turn, stop = threading.Lock(), threading.Event()

    def work():
        counters = np.zeros(N_COUNTERS, np.int64)
        while not stop.is_set():
            with turn:
                begin = next(begins, None)
            if begin is None:
                break
            end = min(begin + chunk, batch.size)
            run(photons, electrons, grid, source, energy, counters, *placing, np.int64(begin), np.int64(end))
        return counters

    tasks = [pool.submit(work) for _ in range(workers)]
    try:
        return sum(task.result() for task in tasks)
    except BaseException:  # Ctrl-C: let the threads finish their chunk before the tally is left alone
        stop.set()
        wait(tasks)
        raise
