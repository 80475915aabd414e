"""The GPU driver: kernels built from the CPU's functions, and a card that runs ranges of histories.

The same code runs on a GPU (numba-cuda and CuPy), and in numba's CUDA simulator (NUMBA_ENABLE_CUDASIM=1) with NumPy in
the place of CuPy. Nothing here is imported, and no GPU package, before a GPU is asked for.
"""

import contextlib
import functools
import math
import os
import time
from typing import Any, NamedTuple

import numpy as np

from . import particles, queues, tally
from .batch import placing, seed_words
from .device import CACHE_DIRECTORY, in_cache_directory, retarget
from .source import first_collision
from .tally import N_COUNTERS

THREADS = 128  # of a block: four warps, small enough that registers divide well
BLOCKS_PER_MULTIPROCESSOR = 16  # more than fit at once: those that find no ticket left end at once
LAUNCH_SECONDS = 0.1  # a launch that long keeps the card busy and lets a desktop draw (its watchdog acts at 2 s)
FIRST_LAUNCH = 1 << 16  # histories, before it is known how long they take
CAPACITY = 1 << 21  # places of a ring, a power of two: 128 MiB
# A launch is sized so that what it sets free fills the free places of a ring to the SAFETY-th part, by the mean number
# set free so far; before there is experience, PRIOR particles count as having set FREED each.
SAFETY, PRIOR, FREED = 2.0, 1000, 4.0
PHOTONS, CHARGED, DECAYS = 0, 1, 2  # rings, and kinds of launches: photons that wait, charged that wait, new decays


def simulated():
    """True if numba's CUDA simulator stands in for a GPU."""
    return os.environ.get("NUMBA_ENABLE_CUDASIM") == "1"


def backend():
    """numba's CUDA module, and the package of the arrays (CuPy, or NumPy in the simulator)."""
    if not hasattr(np, "row_stack"):  # numba-cuda 0.30 asks for a name that NumPy 2.5 no longer has
        np.row_stack = np.vstack  # noqa: NPY201
    from numba import cuda

    if simulated():
        return cuda, np
    import cupy

    cuda.core.config.CUDA_LOW_OCCUPANCY_WARNINGS = (
        0  # the last launches of a batch are small, and that is as it should be
    )
    return cuda, cupy


def free_memory(number):
    """Bytes a GPU has free; infinite in the simulator."""
    if simulated():
        return math.inf
    cuda, _ = backend()
    with cuda.gpus[number]:
        return cuda.current_context().get_memory_info().free


def is_compiled():
    """True if the kernels of exactly these sources are in the disk cache."""
    return simulated() or any(CACHE_DIRECTORY.rglob("queues.*_kernel*.nbc"))


class Kernels(NamedTuple):
    """The two kernels, compiled at their first launch."""

    charged: Any
    photons: Any


@functools.cache
def kernels(cuda, cache=True):
    """Build the kernels from the transport functions.

    Parameters
    ----------
    cuda : module
        numba.cuda.
    cache : bool
        Keep the compiled kernels on the disk.
    """
    queues.cuda = cuda
    memo, substitutes = {}, {}

    def compiled(function):
        if not function.__name__.endswith("_kernel"):
            return cuda.jit(device=True, fastmath=True)(function)
        if not cache:
            return cuda.jit(fastmath=True)(function)
        with in_cache_directory(cuda.core.config):
            return cuda.jit(fastmath=True, cache=True)(function)

    for function in (tally.score, tally.score_later, particles.push, particles.take_charged):
        twin = getattr(queues, function.py_func.__name__)
        substitutes[id(function)] = substitutes[id(twin)] = retarget(twin, compiled, substitutes, memo)
    return Kernels(
        retarget(queues.charged_kernel, compiled, substitutes, memo),
        retarget(queues.photon_kernel, compiled, substitutes, memo),
    )


class Card:
    """One GPU with the phantom, the tables, a tally and two rings of waiting particles.

    Parameters
    ----------
    photons, electrons, grid, source : PhotonTables, ElectronTables, Grid, SourceTables
        Arrays of NumPy.
    shape : tuple of int
        Of the grid.
    number : int
        Of the GPU.
    capacity : int
        Places of each ring, a power of two.
    """

    def __init__(self, photons, electrons, grid, source, shape, number=0, capacity=CAPACITY):
        self._cuda, self.xp = backend()
        self._number, self._capacity = number, capacity
        with self.context():
            self._blocks, self._threads = self._geometry()
            self._kernels = kernels(self._cuda, cache=not simulated())
            self._tables = [self._moved(part) for part in (photons, electrons, grid, source)]
            self._cumulative = self.xp.asarray(self._tables[3].cumulative)
            self._decays = int(source.cumulative[-1])
            self.energy = self.xp.zeros(shape, np.int64)
            self._counters, self._tails, self._ticket = (self.xp.zeros(n, np.int64) for n in (N_COUNTERS, 2, 1))
            self._rings = [
                (self.xp.zeros((capacity, 8), np.float32), self.xp.zeros((capacity, 8), np.uint32)) for _ in range(2)
            ]
        self._heads = np.zeros(2, np.int64)
        self._transported, self._freed = (
            np.full(3, float(PRIOR)),
            np.full((3, 2), PRIOR * FREED),
        )  # [kind], [kind, ring]
        self._per_launch = [FIRST_LAUNCH] * 3
        self.seconds, self.launches = np.zeros(3), np.zeros(3, int)  # of each kind

    def transport(self, batch, begin, end):
        """Run histories ``begin`` to ``end`` of a batch, with all they set free; deposits are added to ``energy``.

        Returns
        -------
        numpy.ndarray
            int64 counters: emitted, escaped, overflows, electron flights.
        """
        with self.context():
            self._counters[:] = 0
            at = placing(batch, self._decays)
            while begin < end or self._waiting().any():
                kind = self._next(begin < end)
                n = min(self._limit(kind), end - begin if kind == DECAYS else int(self._waiting()[kind]))
                self._launch(kind, n, batch, at, begin)
                begin += n if kind == DECAYS else 0
            return self._host(self._counters)

    def array(self, values):
        """An array on this card (from the host, or from another card)."""
        with self.context():
            return self.xp.asarray(values)

    def clear(self):
        """Set the tally to zero."""
        with self.context():
            self.energy[:] = 0

    def scale(self, weight):
        """Multiply the tally by a whole number."""
        with self.context():
            self.energy *= weight

    def use(self):
        """Make this card the current one of this thread."""
        if not simulated():
            self._cuda.select_device(self._number)
            self.xp.cuda.Device(self._number).use()

    def _next(self, decays_left):
        """The kind of the next launch: new decays while both rings have room, else what most wait for."""
        waiting = self._waiting()
        if decays_left and waiting.max() < self._capacity // 4:
            return DECAYS
        return int(waiting.argmax())

    def _launch(self, kind, n, batch, at, begin):
        photons, electrons, grid, source = self._tables
        seed = seed_words(batch.seed)
        waiting = np.int64(0 if kind == DECAYS else n)
        work = queues.Work(self._as_argument(self._ticket), waiting, np.int64(n))
        if kind == PHOTONS:
            first = first_collision.py_func(at.shift, np.uint32(batch.first & 0xFFFFFFFF))
            self._run(kind, self._kernels.photons, (photons, electrons, grid, *self._shared(), work, first, *seed), n)
            return
        voxels = self._source_voxels(at, begin, n if kind == DECAYS else 1)
        history = np.int64(batch.first + begin)
        decays = queues.Decays(source, grid, self._as_argument(voxels), np.int64(begin), history, at.shift)
        self._run(kind, self._kernels.charged, (electrons, grid, *self._shared(), work, decays, *seed), n)

    def _source_voxels(self, at, begin, count):
        """Source voxel of each history: the systematic allocation of ``source``."""
        xp = self.xp
        targets = xp.arange(begin, begin + count, dtype=np.uint64) * at.stride + at.offset
        return xp.searchsorted(self._cumulative, targets, side="right").astype(np.uint32)

    def _shared(self):
        rings = [
            queues.Ring(self._as_argument(state), self._as_argument(place), np.int64(self._heads[k]))
            for k, (state, place) in enumerate(self._rings)
        ]
        energy, counters, tails = (self._as_argument(a) for a in (self.energy, self._counters, self._tails))
        return energy, counters, *rings, tails

    def _run(self, kind, kernel, arguments, n):
        """Launch a kernel on ``n`` particles; then see how long it took and what it set free."""
        before = self._host(self._tails)
        self._ticket[:] = 0
        start = time.perf_counter()
        kernel[min(-(-n // self._threads), self._blocks), self._threads](*arguments)
        self._cuda.synchronize()
        seconds = time.perf_counter() - start
        if kind != DECAYS:
            self._heads[kind] += n
        after = self._host(self._tails)
        self.seconds[kind] += seconds
        self.launches[kind] += 1
        self._transported[kind] += n
        self._freed[kind] += after - before
        self._per_launch[kind] = max(int(n * min(LAUNCH_SECONDS / seconds, 2.0)), FIRST_LAUNCH)
        self._tails[:] = self.xp.asarray(np.minimum(after, self._heads + self._capacity))  # the rest found no place

    def _limit(self, kind):
        """Particles the next launch of a kind may transport: by time, and by the free places of the rings."""
        room = (self._capacity - self._waiting()) * self._transported[kind] / (SAFETY * self._freed[kind])
        return max(int(min(self._per_launch[kind], *room)), 1)

    def _waiting(self):
        return self._host(self._tails) - self._heads

    def _geometry(self):
        """Most blocks of a launch, and threads of a block; one in the simulator, whose threads disturb one another."""
        if simulated():
            return 1, 1
        return self._cuda.get_current_device().MULTIPROCESSOR_COUNT * BLOCKS_PER_MULTIPROCESSOR, THREADS

    @contextlib.contextmanager
    def context(self):
        """This GPU is the current one, of numba and of CuPy."""
        with contextlib.ExitStack() as both:
            if not simulated():
                both.enter_context(self._cuda.gpus[self._number])
                both.enter_context(self.xp.cuda.Device(self._number))
            yield

    def _moved(self, values):
        """A named tuple with its arrays on the card, as arguments of a kernel."""
        if isinstance(values, np.ndarray):
            return self._as_argument(self.xp.asarray(values))
        if isinstance(values, tuple):
            return type(values)(*(self._moved(value) for value in values))
        return values

    def _as_argument(self, array):
        return array if simulated() else self._cuda.as_cuda_array(array, sync=False)  # all on one stream

    @staticmethod
    def _host(array):
        return array.get() if hasattr(array, "get") else array.copy()
