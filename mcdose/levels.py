"""Monte Carlo about a source in a uniform medium, on nested grids: fine voxels near, coarse ones far away.

1. The first grid has the voxels asked for, the source in its middle, and reaches twice as far as the electrons.
2. Each further grid has cubic voxels about four times as large and a point source, until the last reaches through
   60 g/cm2.
3. Vacuum lies around a grid, from which nothing is scattered back; so only the inner quarter of its half width is used
   for photons. (Of I-131 in water 0.3 % of the dose at 3 cm comes back from beyond 9 cm.)
"""

from dataclasses import dataclass

import numpy as np

from mcdose.dose import J_PER_MEV
from mcdose.octant import fold, offsets
from mcdose.phantom import Phantom
from mcdose.radial_dose import shells, smooth
from mcdose.simulation import monte_carlo
from mcdose.source import Source

HALF_VOXELS = 50  # from the middle of a grid to its edge, at least: a million voxels, gathered in milliseconds
USED_SHARE = 0.25  # of the half width, see 3
FIRST_VOXEL = 3.0  # voxels from the source of a coarse grid, within which its shells are not used
DEEPEST_G_CM2 = 60.0  # photons of 364 keV: e-6 of the primaries are left
FARTHEST_CM = 100.0  # no patient is longer through media as light as lung
MOST_VOXELS = 301  # along an edge of the first grid: 27 million voxels, 0.7 GB


@dataclass(frozen=True, eq=False)
class Level:
    """What one grid gives: energies on an octant (MeV per decay) and the geometry that belongs to them."""

    octant: object
    offsets_cm: np.ndarray
    spacing_cm: np.ndarray
    voxel_g: float
    used_cm: float
    point_source: bool
    escaped_mev: float
    histories: int
    seconds: float

    def shells(self, lowest_cm, reach_cm):
        """Shells of the voxels that electrons from the source cannot reach, from a distance on."""
        gap = np.maximum(np.abs(self.offsets_cm) - (0.5 if self.point_source else 1.0) * self.spacing_cm, 0.0)
        gap = np.sqrt((gap**2).sum(axis=-1))
        radius = np.sqrt((self.offsets_cm**2).sum(axis=-1))
        chosen = (gap > reach_cm) & (radius >= lowest_cm) & (radius <= self.used_cm)
        return shells(self.octant, self.offsets_cm, chosen, self.spacing_cm, self.voxel_g, self.point_source)


@dataclass(frozen=True, eq=False)
class Medium:
    """A uniform medium, what is emitted in it, and the options of the transport."""

    material: object
    density_g_cm3: float
    emission: object
    options: dict

    @property
    def reach_cm(self):
        """How far the fastest electron or positron of the emission gets: its range by continuous slowing-down."""
        from physics_data.stopping import csda_range

        spectrum = getattr(self.emission, "spectrum", self.emission)
        fastest = max((p.highest_mev for p in spectrum.components if p.particle in ("electron", "positron")), default=0)
        return float(csda_range(self.material, [fastest])[0]) / self.density_g_cm3 if fastest else 0.0

    @property
    def farthest_cm(self):
        """The last distance that is of interest."""
        return min(DEEPEST_G_CM2 / self.density_g_cm3, FARTHEST_CM)

    def simulate(self, spacing_cm, half, point_source, histories, seed):
        """Run one grid of ``2 half + 1`` (z, y, x) voxels."""
        spacing = np.broadcast_to(np.asarray(spacing_cm, float), 3)
        shape = [2 * n + 1 for n in half]
        density = np.full(shape, self.density_g_cm3, np.float32)
        phantom = Phantom(density, np.zeros(shape, np.uint8), (self.material,), tuple(spacing * 10))
        middle = phantom.grid.to_physical([n for n in half[::-1]])
        source = Source.point(middle, self.emission, phantom)
        if not point_source:
            source = Source(source.decays, self.emission, phantom)
        dose = monte_carlo(phantom, source, histories=int(histories), seed=seed, **self.options)
        if not dose.complete:
            raise KeyboardInterrupt
        deviation = np.nan_to_num(dose.relative_uncertainty).astype(float) * dose.energy_mev
        return Level(
            octant=fold(dose.energy_mev, deviation**2),
            offsets_cm=offsets(half, spacing),
            spacing_cm=spacing,
            voxel_g=float(np.prod(spacing)) * self.density_g_cm3,
            used_cm=USED_SHARE * float(min(n * s for n, s in zip(half, spacing[::-1]))),
            point_source=point_source,
            escaped_mev=dose.escaped_mev,
            histories=dose.histories,
            seconds=dose.seconds,
        )

    def tail(self, first, histories, seed):
        """The dose beyond the reach of the electrons, as a smooth curve (None without photons), and its grids."""
        levels = [first]
        while levels[-1].used_cm < self.farthest_cm:
            voxel = levels[-1].used_cm / FIRST_VOXEL
            levels.append(self.simulate(voxel, [HALF_VOXELS] * 3, True, histories, seed + len(levels)))
        lowest = [0.0, *(FIRST_VOXEL * level.spacing_cm.max() for level in levels[1:])]
        parts = [level.shells(low, self.reach_cm) for level, low in zip(levels, lowest)]
        return smooth(parts, self.farthest_cm), levels


def gy_per_mev(voxel_g):
    """Dose (Gy) of one MeV in a voxel of this mass."""
    return J_PER_MEV / (voxel_g * 1e-3)
