"""Runs of a suite: effort, seeds, replicates and a record of each run."""

import zlib
from typing import NamedTuple

import numpy as np

import mcdose

REPLICATES = 12  # a standard deviation is then known to 21 %
FEWEST_HISTORIES = 100  # of a replicate
SEEDS = 1 << 64


class Run(NamedTuple):
    """What a run was: histories and seconds of all its replicates, `missing` energy in units of the integer tally."""

    label: str
    histories: int
    replicates: int
    seconds: float
    first_seed: int
    electron_cutoff_mev: float
    photon_cutoff_mev: float
    missing: int
    overflows: int


class Runner:
    """Makes Monte Carlo runs and keeps a record of them.

    Parameters
    ----------
    scale : float
        Factor on the histories of every run.
    seed : int
        Each run has seeds of its own that depend on this one and on the run's label.
    threads : int, optional
    progress : callable, optional
        As for :func:`mcdose.monte_carlo`.
    """

    def __init__(self, scale=1.0, seed=1, threads=None, progress=None):
        self._scale, self._seed, self._threads, self._progress = scale, seed, threads, progress
        self.runs = []

    def measure(self, label, phantom, source, histories, quantity, **settings):
        """Quantities of a dose and their standard deviations, from independent replicates.

        Parameters
        ----------
        label : str
        phantom : Phantom
        source : Source
        histories : float
            Of all replicates together, before the suite's scale.
        quantity : callable
            Takes a Dose and gives an array, shape (n,).
        **settings
            For :func:`mcdose.monte_carlo`.

        Returns
        -------
        mean, sigma : array, shape (n,)

        Raises
        ------
        KeyboardInterrupt
            If a run was interrupted, even if it would have given a partial result.
        """
        each = max(int(histories * self._scale) // REPLICATES, FEWEST_HISTORIES)
        first = (self._seed + (zlib.crc32(label.encode()) << 32)) % SEEDS
        values, seconds, missing, overflows = [], 0.0, 0, 0
        for k in range(REPLICATES):
            dose = mcdose.monte_carlo(
                phantom,
                source,
                histories=each,
                seed=(first + k) % SEEDS,
                threads=self._threads,
                batches=2,
                progress=self._progress and _of_all(self._progress, k * each, REPLICATES * each),
                **settings,
            )
            if not dose.complete:
                raise KeyboardInterrupt
            values.append(quantity(dose))
            seconds += dose.seconds
            missing += abs(dose.tally["emitted"] - dose.tally["deposited"] - dose.tally["escaped"])
            overflows += dose.settings["overflows"]
        cutoffs = dose.settings["electron_cutoff_mev"], dose.settings["photon_cutoff_mev"]
        self.runs.append(Run(label, REPLICATES * each, REPLICATES, seconds, first, *cutoffs, missing, overflows))
        return np.mean(values, axis=0), np.std(values, axis=0, ddof=1) / np.sqrt(REPLICATES)


def _of_all(progress, done, target):
    """A progress callable for one replicate that reports on all of them."""

    def report(state):
        if done and state.phase != "transport":  # the same tables once more
            return
        rate = state.histories_per_second
        histories = done + state.histories
        left = (target - histories) / rate if rate > 0 else state.seconds_left
        progress(state._replace(histories=histories, target_histories=target, seconds_left=left))

    return report


def uniform_cube(material, density_g_cm3, size, voxel_mm):
    """A cube of `size` voxels along each edge, one material and density, the origin in its centre."""
    shape = (size,) * 3
    origin = (-(size - 1) / 2 * voxel_mm,) * 3
    density = np.full(shape, density_g_cm3, np.float32)
    return mcdose.Phantom(density, np.zeros(shape, np.uint8), (material,), (voxel_mm,) * 3, origin)
