"""What transports the batches. A device keeps the tally and its sums in its own memory.

The driving loop asks a device for: ``name`` and ``threads``, for the record; ``first_batch`` and ``largest_batch``, in
histories; ``total`` and ``squares``, the sums of :class:`mcdose.batches.BatchSums`; ``array``, to bring an array to
where those are; ``compiled``; ``prepare``; ``watch``, with the regions whose energy is wanted; ``transport``,
``region_units`` and ``gather``, in turn for each batch; and ``close``, after which only the sums are left.
"""

import itertools
from concurrent.futures import ThreadPoolExecutor, wait
from itertools import pairwise

import numpy as np

from kernels_cuda import cpu, cuda
from kernels_cuda.batch import Batch, split
from kernels_cuda.cuda import Card
from kernels_cuda.device import is_compiled
from kernels_cuda.tally import EMITTED, ESCAPED, N_COUNTERS
from mcdose.arrays import slabs
from mcdose.engine import FAR_WEIGHT
from mcdose.gpu import gpu_name
from mcdose.memory import check_gpu_memory
from mcdose.region_dose import Region, region_sum


class Cpu:
    """The threads of this machine, which share one tally.

    Parameters
    ----------
    problem : mcdose.engine.Problem
    shape : tuple of int
        Of the grid, (nz, ny, nx).
    threads : int
        May be set to fewer later.
    """

    first_batch = 20_000
    largest_batch = 1_000_000  # a second or so: progress is seen, and Ctrl-C loses no more

    def __init__(self, problem, shape, threads):
        self.name = "cpu"
        self.total, self.squares = np.zeros(shape, np.int64), np.zeros(shape)
        self._batch = np.zeros(shape, np.int64)
        self._problem, self.threads = problem, threads
        self._pool = ThreadPoolExecutor(threads)
        self._regions = ()

    @staticmethod
    def array(values):
        """An array where the sums are."""
        return values

    @property
    def compiled(self):
        """Whether ``prepare`` will find the kernels in the disk cache."""
        return is_compiled()

    def prepare(self):
        """Compile the kernels, or load them from the disk cache, by running a history that is not kept."""
        cpu.simulate(*self._problem[:4], self._batch, Batch(0, 0, 1), self._pool, 1)
        self._batch[:] = 0
        nothing = np.zeros(1, np.int64)
        cpu.gather(nothing, nothing, np.zeros(1), 1.0)

    def watch(self, regions):
        """From now on ``region_units`` is of these :class:`mcdose.region_dose.Region`."""
        self._regions = regions

    def transport(self, seed, first, size):
        """Run histories ``first`` to ``first + size - 1`` into the batch's tally; returns their counters."""
        batch = Batch(seed, first, size)
        middle = split(batch, self._problem.source.cumulative[-1], self._problem.near_end)
        counters = np.zeros(N_COUNTERS, np.int64)
        if middle < size:
            counters += weighted(self._simulate(batch, (middle, size)))
            self._batch *= FAR_WEIGHT
        return counters + self._simulate(batch, (0, middle))

    def _simulate(self, batch, part):
        return cpu.simulate(*self._problem[:4], self._batch, batch, self._pool, self.threads, part=part)

    def region_units(self):
        """What the batch, not gathered yet, has deposited in each region, in tally units: a list of int."""
        return [region_sum(self._batch, region) for region in self._regions]

    def gather(self, size):
        """Add the batch's tally, of ``size`` histories, to the sums and clear it.

        Interrupted by Ctrl-C, the threads still finish it: ``close`` waits for them.
        """
        grids = [grid.reshape(-1) for grid in (self._batch, self.total, self.squares)]
        ends = np.linspace(0, self.total.size, self.threads + 1).astype(int)
        shares = [[grid[i:j] for grid in grids] for i, j in pairwise(ends)]
        for task in [self._pool.submit(cpu.gather, *share, 1.0 / size) for share in shares]:
            task.result()

    def close(self):
        """Give back everything but the sums."""
        self._pool.shutdown()
        self._batch = self._problem = self._regions = None


class Cuda:
    """GPUs of this machine, each with a share of every batch; the first keeps the sums.

    Parameters
    ----------
    problem : mcdose.engine.Problem
    grid : mcdose.grid.Grid
    numbers : sequence of int
        Of the GPUs.

    Raises
    ------
    InputError
        If the grid does not fit in the memory of a GPU.
    """

    # A batch ends with a few launches too small to fill a card, milliseconds each: it should last far longer.
    first_batch = 1_000_000
    largest_batch = 50_000_000

    threads = None

    def __init__(self, problem, grid, numbers):
        shape = grid.shape
        for number in numbers:
            check_gpu_memory(grid, number, cuda.free_memory(number))
        self._cards = [Card(*problem[:4], shape, number) for number in numbers]
        self._regions = []
        self._first = self._cards[0]
        self._decays, self._near_end = problem.source.cumulative[-1], problem.near_end
        self._first.use()  # its arrays are worked on by whoever holds the sums
        self.name = f"cuda:{','.join(str(number) for number in numbers)} ({gpu_name(numbers[0])})"
        self.array = self._first.array
        with self._first.context():
            self.total, self.squares = (self._first.xp.zeros(shape, kind) for kind in (np.int64, np.float64))
        self._pool = ThreadPoolExecutor(
            1 if cuda.simulated() else len(self._cards)
        )  # the simulator knows one at a time

    @property
    def compiled(self):
        """Whether ``prepare`` will find the kernels in the disk cache."""
        return cuda.is_compiled()

    def prepare(self):
        """Compile the kernels, or load them, on every GPU by running a history that is not kept."""
        for card in self._cards:
            card.transport(Batch(0, 0, 1), 0, 1)
            card.clear()

    def watch(self, regions):
        """From now on ``region_units`` is of these :class:`mcdose.region_dose.Region`; every GPU keeps their masks."""
        self._regions = [[Region(box, card.array(mask)) for box, mask in regions] for card in self._cards]

    def transport(self, seed, first, size):
        """Run histories ``first`` to ``first + size - 1`` into the batch's tallies; returns their counters."""
        batch = Batch(seed, first, size)
        edges = np.linspace(0, size, len(self._cards) + 1).astype(int).tolist()
        middle = split(batch, self._decays, self._near_end)
        tasks = [
            self._pool.submit(_transport_part, card, batch, middle, *part)
            for card, part in zip(self._cards, itertools.pairwise(edges))
        ]
        try:
            return sum(task.result() for task in tasks)
        except BaseException:  # Ctrl-C: the cards end their batch, a second at most, before they are let go
            wait(tasks)
            raise

    def region_units(self):
        """What the batch, not gathered yet, has deposited in each region, in tally units: a list of int."""
        per_card = []
        for card, regions in zip(self._cards, self._regions):
            with card.context():
                per_card.append([region_sum(card.energy, region) for region in regions])
        return [sum(units) for units in zip(*per_card)]

    def gather(self, size):
        """Add the batch's tallies, of ``size`` histories together, to the sums and clear them."""
        with self._first.context():
            for z in slabs(self.total.shape):
                energy = self._first.energy[z]
                for other in self._cards[1:]:
                    energy += self.array(other.energy[z])
                self.total[z] += energy
                self.squares[z] += energy.astype(float) ** 2 * (1.0 / size)
        for card in self._cards:
            card.clear()

    def close(self):
        """Give back everything but the sums."""
        self._pool.shutdown()
        self._cards.clear()
        self._regions.clear()
        self._first = None


def _transport_part(card, batch, middle, begin, end):
    """Histories ``begin`` to ``end`` of a batch on one card, those from ``middle`` on with their weight."""
    counters = np.zeros(N_COUNTERS, np.int64)
    if middle < end:
        counters += weighted(card.transport(batch, max(begin, middle), end))
        card.scale(FAR_WEIGHT)
    return counters + card.transport(batch, begin, max(min(middle, end), begin))


def weighted(counters):
    """Counters of histories that count FAR_WEIGHT times."""
    counters[[EMITTED, ESCAPED]] *= FAR_WEIGHT
    return counters


def device_for(numbers, problem, grid, threads):
    """The GPUs of these numbers, or the threads of the CPU if there are none."""
    return Cuda(problem, grid, numbers) if numbers else Cpu(problem, grid.shape, threads)
