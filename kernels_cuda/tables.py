"""The tables the transport reads, as plain named tuples of arrays.

``physics_data.tables`` computes them; they are float32 unless said. Energies in MeV, lengths in g/cm2 (divided by the
voxel's density where used). Energy grids are linear between powers of two (``energy_row``): the row is read off the
bits of the float, without a logarithm.
"""

from typing import Any, NamedTuple

import numpy as np

from .device import device


class EnergyAxis(NamedTuple):
    """Rows of a grid that is linear between powers of two: 2**(23 - shift) rows per octave, first row ``first``."""

    shift: Any  # int32
    mask: Any  # int32, 2**shift - 1
    unit: Any  # float32, 2**-shift
    first: Any  # int32
    last: Any  # int32, index of the last interval


class PhotonTables(NamedTuple):
    """Interaction coefficients and angular functions of the media."""

    energy: Any  # EnergyAxis
    attenuation: Any  # [medium, row, 4]: mu/rho (cm2/g); then cumulative shares: photoelectric, incoherent, coherent
    majorant: Any  # [row]: largest linear attenuation coefficient in the grid, 1/cm
    angle_energy: Any  # EnergyAxis of the three tables below
    # [medium, row, quantile of sqrt(u)]: energy given to the electron by incoherent scattering, in units of the largest
    incoherent: Any
    coherent: Any  # [medium, row, quantile of sqrt(u)]: t of (1 - cos)/2 = a (1 - t) / (a + t)
    coherent_median: Any  # [medium, row]: a
    k_vacancy: Any  # [medium, row, element]: cumulative share of photoabsorptions that leave a K vacancy in the element
    k_edge: Any  # [element]: binding energy of the K shell
    k_yield: Any  # [element]: fluorescence yield
    k_line: Any  # [element, line, 2]: energy of a line, cumulative probability
    cutoff: Any


class ElectronTables(NamedTuple):
    """Electrons and positrons on the step coordinate n; positron media follow the electron media."""

    energy: Any  # EnergyAxis of ``coordinate``
    coordinate: Any  # [row]: n(E)
    main: Any  # [row, 4]: E, residual range, hard collisions so far, scattering strength of a step; reference medium
    # [medium, row, 6]: f, h, c, share of bremsstrahlung, share of annihilation, photons still to be emitted
    medium: Any
    longest: Any  # [medium]: smallest f: no path is longer than R / (density * longest)
    deflection: Any  # [medium, row, quantile]: t of mu = a (1 - t) / (a + t)
    median: Any  # [medium, row]: a
    bremsstrahlung: Any  # [medium, row, quantile of 1 - sqrt(u)]: ln(k / cut-off) / ln(E / cut-off)
    main_rows: Any  # rows of ``main`` per unit of n
    medium_rows: Any  # rows of the media per unit of n
    n_cut: Any  # n at the transport cut-off
    lowest: Any  # energy at the end of the tables
    delta_cutoff: Any  # production threshold of delta rays
    photon_cutoff: Any  # production threshold of bremsstrahlung photons
    positron_media: Any  # int32: number of electron media


@device
def energy_row(axis, e):
    """Row and weight of an energy on an axis; energies outside are clamped to its ends."""
    bits = np.float32(e).view(np.int32)
    row = (bits >> axis.shift) - axis.first
    weight = np.float32(bits & axis.mask) * axis.unit
    if row < 0:
        return np.int32(0), np.float32(0)
    if row > axis.last:
        return np.int32(axis.last), np.float32(1)
    return np.int32(row), weight
