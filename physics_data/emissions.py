"""Emissions as the transport samples them: a table of probability segments.

1. Lines and continua above the cut-off become segments; inside a segment the energy varies linearly with probability.
   A line is a segment of zero width. A continuum becomes `CONTINUUM_SEGMENTS` segments of nearly equal probability,
   each inside the interval it stands for and with the exact mean energy of it.
2. Segments are ordered by particle (photons, electrons, positrons) and energy, so that systematic or stratified
   sampling of the probability spreads over both.
3. What is not transported is deposited where it is emitted: alphas, recoils and fission fragments (ranges of tens of
   micrometres), photons and electrons below their cut-off. Positrons are transported at any energy, because their
   annihilation photons travel.

`Spectrum` and `Nuclide` are made in `physics_data.spectra` and `physics_data.nuclides`.
"""

from dataclasses import dataclass

import numpy as np

from physics_data.nuclides import Nuclide, nuclide_names
from physics_data.spectra import Continuum, Spectrum

__all__ = ["EmissionTable", "Nuclide", "Spectrum", "emission_table", "nuclide_names"]

ELECTRON_MASS_MEV = 0.51099895
"""Electron rest energy, MeV (CODATA 2018)."""

CONTINUUM_SEGMENTS = 2048
"""Segments per continuum: the spread of energies inside one is below 0.1 % of the end point over most of a spectrum."""

PARTICLE_CODES = {"photon": 0, "electron": 1, "positron": 2}
"""Codes of transported particles, in their order in the table."""


@dataclass(frozen=True, eq=False)
class EmissionTable:
    """Transported emissions of one decay as probability segments, and what stays where it is emitted.

    Attributes
    ----------
    cumulative : ndarray of float64, shape (n + 1,)
        Cumulative probability at the ends of the segments, 0 to 1 (``[0.0]`` when nothing is transported).
    energy_low, energy_high : ndarray of float64, shape (n,)
        Kinetic energy at the two ends of each segment, MeV.
    particle : ndarray of int8, shape (n,)
        0 photon, 1 electron, 2 positron.
    particles_per_decay : float
        Transported particles per decay.
    local_mev_per_decay : float
        Energy per decay that is deposited in the source voxel without transport, MeV.
    energy_mev_per_decay : float
        All energy of a decay, MeV: kinetic, photon, and two rest energies for each positron.
    """

    cumulative: np.ndarray
    energy_low: np.ndarray
    energy_high: np.ndarray
    particle: np.ndarray
    particles_per_decay: float
    local_mev_per_decay: float
    energy_mev_per_decay: float


def emission_table(spectrum: Spectrum, photon_cutoff_mev: float, electron_cutoff_mev: float) -> EmissionTable:
    """Make the table from which the transport samples.

    Parameters
    ----------
    spectrum : Spectrum
        Emissions of one decay.
    photon_cutoff_mev, electron_cutoff_mev : float
        Photons and electrons below these kinetic energies (MeV) are deposited locally.

    Returns
    -------
    EmissionTable

    Raises
    ------
    ValueError
        If a cut-off is negative or not finite.

    Examples
    --------
    >>> table = emission_table(Nuclide("Y-90").spectrum, 0.01, 0.01)
    >>> round(table.energy_mev_per_decay, 3)
    0.933
    """
    for what, value in (("photon_cutoff_mev", photon_cutoff_mev), ("electron_cutoff_mev", electron_cutoff_mev)):
        if not (np.isfinite(value) and value >= 0):
            raise ValueError(f"{what}: {value} is not allowed; give an energy in MeV of 0 or more")
    cutoffs = {"photon": photon_cutoff_mev, "electron": electron_cutoff_mev, "positron": 0.0, "alpha": np.inf}
    parts = [_segments(component, cutoffs[component.particle]) for component in spectrum.components]
    columns = [np.concatenate(column) for column in zip(*parts)] if parts else [np.zeros(0)] * 4
    number, low, high, particle = columns
    order = np.lexsort((low, particle))
    number, low, high, particle = number[order], low[order], high[order], particle[order].astype(np.int8)
    total = float(np.sum(number))
    cumulative = np.concatenate([[0.0], np.cumsum(number)])
    if total > 0:
        cumulative = cumulative / cumulative[-1]
    kinetic = spectrum.energy_mev()
    rest = 2 * ELECTRON_MASS_MEV * spectrum.yield_per_decay("positron")
    local = max(kinetic - float(np.sum(number * (low + high) / 2)), 0.0)
    # Differences of rounding size are not energy.
    return EmissionTable(
        cumulative=cumulative,
        energy_low=low,
        energy_high=high,
        particle=particle,
        particles_per_decay=total,
        local_mev_per_decay=local if local > 1e-12 * kinetic else 0.0,
        energy_mev_per_decay=kinetic + rest,
    )


def _segments(component, cutoff_mev):
    """Number per decay, low and high energies and particle codes of the segments of one component."""
    if isinstance(component, Continuum):
        number, low, high = _continuum_segments(component, cutoff_mev)
    else:
        kept = (component.energies_mev >= cutoff_mev) & (component.yields > 0)
        number, low, high = component.yields[kept], component.energies_mev[kept], component.energies_mev[kept]
    codes = np.full(len(number), PARTICLE_CODES.get(component.particle, -1))
    return number, low, high, codes


def _continuum_segments(continuum, cutoff_mev):
    if continuum.yield_per_decay == 0:
        return (np.zeros(0),) * 3
    edges = continuum.equal_probability_edges(cutoff_mev, CONTINUUM_SEGMENTS)
    if not len(edges):
        return (np.zeros(0),) * 3
    number, energy = continuum.integrals(edges)
    kept = number > 0
    number, mean, low, high = number[kept], energy[kept] / number[kept], edges[:-1][kept], edges[1:][kept]
    # The segment shrinks from the side away from its mean, so that (low + high)/2 is the mean and both stay inside.
    falling = mean < (low + high) / 2
    return number, np.where(falling, low, 2 * mean - high), np.where(falling, 2 * mean - low, high)
