"""Sums over batches, and the energies and uncertainties they give.

1. A batch's tally is integer, and so are the sums over batches: the result does not depend on threads or chunks.
2. The uncertainty of a voxel is that of the mean of the batches: with sizes n_b, energies e_b, N = sum n_b, K batches,
   var(mean) = (sum e_b^2 / n_b - (sum e_b)^2 / N) / ((K - 1) N).
3. So is that of a region, whose energy in each batch is kept.
4. What is deposited without transport counts as exact.
"""

import math
from dataclasses import dataclass

import numpy as np

from kernels_cuda.tally import N_COUNTERS, UNITS_PER_MEV
from mcdose.arrays import namespace, slabs
from mcdose.uncertainty import mean_uncertainty


@dataclass(eq=False)
class BatchSums:
    """What the batches so far add up to. Arrays may be NumPy's or CuPy's, all of the same kind.

    Parameters
    ----------
    total : int64 array [z, y, x]
        Sum of the batches' tallies; added to by the device.
    squares : float64 array [z, y, x]
        Sum of their squares over the batches' sizes; added to by the device.
    density : float32 array [z, y, x]
        g/cm3.
    decays : float64 array [z, y, x] or None
        Not needed where nothing is deposited without transport.
    particles : float
        Transported particles of all the decays.
    local_mev : float
        Energy per decay deposited without transport, MeV.
    """

    total: np.ndarray
    squares: np.ndarray
    density: np.ndarray
    decays: np.ndarray | None
    particles: float
    local_mev: float

    def __post_init__(self):
        self.counters = np.zeros(N_COUNTERS, np.int64)
        self.histories = self.batches = 0
        self.seconds = 0.0
        self.complete = True
        self._sizes, self._region_units = [], []  # of each batch

    def count(self, counters, size, region_units=()):
        """Count a batch of ``size`` histories, whose tally the device adds to ``total`` and ``squares``.

        ``region_units`` is what it deposited in each region, in tally units.
        """
        self._sizes.append(size)
        self._region_units.append(region_units)
        self.counters = self.counters + counters
        self.histories += size
        self.batches += 1

    @property
    def mev_per_unit(self):
        """Energy of all the decays that one unit of the summed tally stands for."""
        return self.particles / (max(self.histories, 1) * UNITS_PER_MEV)

    @property
    def deposited_units(self):
        """Energy deposited by the histories, in tally units, exact."""
        return sum(int(self.total[z].sum()) for z in slabs(self.total.shape))

    def energy(self, z):
        """Energy deposited by all the decays in a slab of z (a slice), MeV."""
        transported = self.total[z] * self.mev_per_unit
        return transported + self.decays[z] * self.local_mev if self.local_mev else transported

    def relative_uncertainty(self, z):
        """Relative standard deviation of that energy; NaN where nothing was scored, and before there are two batches.

        Without any transport all energies are exact.
        """
        xp = namespace(self.total)
        energy = self.energy(z)
        scored = xp.where(energy > 0, energy, math.nan)
        if self.batches < 2:
            return scored * (0.0 if self.particles == 0 else math.nan)
        spread = xp.maximum(self.squares[z] - self.total[z].astype(float) ** 2 / self.histories, 0.0)
        return xp.sqrt(spread * (self.histories / (self.batches - 1))) * self.mev_per_unit / scored

    def region_energies(self, count):
        """Energy transported into each of ``count`` regions, MeV, and its standard uncertainty: float arrays [region].

        The uncertainty is NaN before there are two batches; without any transport the energies are exact.
        """
        units = np.array(self._region_units, np.int64).reshape(self.batches, count)
        energies = units.sum(axis=0) * self.mev_per_unit
        if self.batches < 2:
            return energies, np.full(count, 0.0 if self.particles == 0 else math.nan)
        sizes = np.array(self._sizes, float)[:, None]
        mean = units.sum(axis=0) / self.histories
        spread = (sizes * (units / sizes - mean) ** 2).sum(axis=0)  # the formula above, without its cancellation
        return energies, np.sqrt(spread * (self.histories / (self.batches - 1))) * self.mev_per_unit

    def mean_uncertainty(self, mask=None):
        """Mean relative uncertainty over ``mask``; see :func:`mcdose.uncertainty.mean_uncertainty`."""
        if self.batches < 2:
            return math.nan
        return mean_uncertainty(self.energy, self.relative_uncertainty, self.density, mask)
