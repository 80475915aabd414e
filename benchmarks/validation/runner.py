"""Runs of a suite: effort, seeds and a record of each run."""

import zlib
from typing import NamedTuple

import numpy as np

import mcdose

FEWEST_HISTORIES = 1000
SEEDS = 1 << 64


class Run(NamedTuple):
    """What a run was and what became of its energy; the tally is in integer units."""

    label: str
    histories: int
    seconds: float
    seed: int
    electron_cutoff_mev: float
    photon_cutoff_mev: float
    emitted: int
    deposited: int
    escaped: int
    overflows: int


class Runner:
    """Runs Monte Carlo calculations and keeps a record of them.

    Parameters
    ----------
    scale : float
        Factor on the histories of every run.
    seed : int
        Each run has a seed of its own that depends on this one and on the run's label.
    threads : int, optional
    progress : callable, optional
        As for :func:`mcdose.monte_carlo`.
    """

    def __init__(self, scale=1.0, seed=1, threads=None, progress=None):
        self._scale, self._seed, self._threads, self._progress = scale, seed, threads, progress
        self.runs = []

    def dose(self, label, phantom, source, histories, **settings):
        """A dose with its record kept; settings go to :func:`mcdose.monte_carlo`.

        Raises
        ------
        KeyboardInterrupt
            If the run was interrupted, even if it would have given a partial result.
        """
        seed = (self._seed + (zlib.crc32(label.encode()) << 32)) % SEEDS
        dose = mcdose.monte_carlo(
            phantom,
            source,
            histories=max(int(histories * self._scale), FEWEST_HISTORIES),
            seed=seed,
            threads=self._threads,
            progress=self._progress,
            **settings,
        )
        if not dose.complete:
            raise KeyboardInterrupt
        cutoffs = dose.settings["electron_cutoff_mev"], dose.settings["photon_cutoff_mev"]
        tally = (dose.tally[name] for name in ("emitted", "deposited", "escaped"))
        overflows = dose.settings["overflows"]
        self.runs.append(Run(label, dose.histories, dose.seconds, seed, *cutoffs, *tally, overflows))
        return dose


def energy_sigma(dose):
    """float64 array [z, y, x]: standard deviation of the energy in each voxel, MeV; 0 where nothing was scored."""
    return dose.energy_mev * np.nan_to_num(dose.relative_uncertainty.astype(float))


def uniform_cube(material, density_g_cm3, size, voxel_mm):
    """A cube of `size` voxels along each edge, one material and density, the origin in its centre."""
    shape = (size,) * 3
    origin = (-(size - 1) / 2 * voxel_mm,) * 3
    density = np.full(shape, density_g_cm3, np.float32)
    return mcdose.Phantom(density, np.zeros(shape, np.uint8), (material,), (voxel_mm,) * 3, origin)
