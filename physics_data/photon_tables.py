"""Photon transport tables of a set of materials, float32, ready for the kernels.

1. Attenuation and shares of the interactions on an energy axis of 128 intervals per octave.
2. Majorant: the largest linear attenuation coefficient anywhere in the grid at each energy.
3. Incoherent scattering function per electron; cumulative squared form factor.
4. K vacancies of the elements whose fluorescence lies above the cut-off.
"""

import numpy as np

from . import photons
from .axis import energy_axis
from .elements import SYMBOLS
from .materials import Material

PER_OCTAVE = 128
TRANSFER_PER_OCTAVE = 32
TRANSFER = (
    2.0**-10,
    2.0**10,
)  # x in 1/Angstrom: S(x) is complete above, negligible below for photons of 1 keV to 10 MeV
LOWEST_MEV = 1e-3  # the cross sections begin at 1 keV
COHERENT_X2 = np.r_[0.0, np.geomspace(1e-8, 1e6, 400)]  # 1/Angstrom^2


def photon_tables(materials, densities, cutoff_mev, highest_mev):
    """Tables of the photon transport.

    Parameters
    ----------
    materials : sequence of Material
    densities : sequence of float
        Largest bulk density of each material in the grid, g/cm3 (0 if it does not occur).
    cutoff_mev, highest_mev : float
        Energies to cover.

    Returns
    -------
    dict
        Fields of ``kernels_cuda.tables.PhotonTables``; the two axes are :class:`physics_data.axis.Axis`.
    """
    axis, nodes = energy_axis(min(cutoff_mev, highest_mev), highest_mev * 1.001, PER_OCTAVE)
    nodes = np.maximum(nodes, LOWEST_MEV)
    attenuation = np.empty((len(materials), nodes.size, 4), np.float32)
    majorant = np.zeros(nodes.size)
    for medium, material in enumerate(materials):
        sigma = photons.cross_sections(material, nodes)
        cumulative = np.cumsum([sigma.photoelectric, sigma.incoherent, sigma.coherent], axis=0)
        total = cumulative[-1] + sigma.pair + sigma.triplet
        attenuation[medium] = np.stack([total, *(cumulative / total)], axis=1)
        np.maximum(majorant, total * densities[medium], out=majorant)
    transfer, x = energy_axis(*TRANSFER, TRANSFER_PER_OCTAVE)
    return {
        "energy": axis,
        "attenuation": attenuation,
        "majorant": (majorant * (1 + 1e-6)).astype(np.float32),  # above the float32 rounding of the attenuation
        "transfer": transfer,
        "incoherent": np.array([photons.incoherent_function(m, x) for m in materials], np.float32),
        "coherent_x2": COHERENT_X2.astype(np.float32),
        "coherent": np.array([_coherent_integral(m) for m in materials], np.float32),
        **_fluorescence(materials, nodes, cutoff_mev),
        "cutoff": np.float32(cutoff_mev),
    }


def _coherent_integral(material):
    f2 = photons.form_factor_squared(material, np.sqrt(COHERENT_X2))
    integral = np.r_[0.0, np.cumsum((f2[1:] + f2[:-1]) / 2 * np.diff(COHERENT_X2))]
    return integral / integral[-1]


def _fluorescence(materials, nodes, cutoff_mev):
    """Elements with K lines above the cut-off, and their cumulative share of the photoabsorptions of each material."""
    elements = sorted({int(z) for m in materials for z in m.z})
    shells = {z: photons.k_shell(z) for z in elements}
    shining = [
        z for z in elements if shells[z].fluorescence_yield > 0 and max(shells[z].line_energies_mev) > cutoff_mev
    ]
    lines = max((len(shells[z].line_energies_mev) for z in shining), default=1)
    vacancy = np.zeros((len(materials), nodes.size, len(shining)), np.float32)
    line = np.ones((len(shining), lines, 2), np.float32)
    for k, z in enumerate(shining):
        energies, shares = shells[z].line_energies_mev, shells[z].line_probabilities
        line[k, : len(energies), 0], line[k, : len(energies), 1] = energies, np.cumsum(shares)
        for medium, material in enumerate(materials):
            if z in material.z:
                fraction = float(material.weights[list(material.z).index(z)])
                vacancy[medium, :, k] = _k_share(material, z, fraction, shells[z], nodes)
    return {
        "k_vacancy": np.cumsum(vacancy, axis=2),
        "k_edge": np.array([shells[z].edge_mev for z in shining], np.float32),
        "k_yield": np.array([shells[z].fluorescence_yield for z in shining], np.float32),
        "k_line": line,
    }


def _k_share(material, z, fraction, shell, nodes):
    """Share of a material's photoabsorptions that leave a K vacancy in element z."""
    pure = Material(SYMBOLS[z], 1.0, {SYMBOLS[z]: 1.0})
    element = photons.cross_sections(pure, nodes).photoelectric * fraction
    whole = photons.cross_sections(material, nodes).photoelectric
    return np.where(nodes > shell.edge_mev, element / whole * shell.photoelectric_fraction(nodes), 0.0)
