"""Photon transport tables of a set of materials, float32, ready for the kernels.

1. Attenuation and shares of the interactions on an energy axis of 128 intervals per octave.
2. Majorant: the largest linear attenuation coefficient anywhere in the grid at each energy.
3. Incoherent scattering: inverse cumulative distribution of the energy given to the electron, Klein-Nishina times the
   incoherent scattering function. Coherent scattering: that of the angle, squared form factor times Thomson's.
4. K vacancies of the elements whose fluorescence lies above the cut-off.
"""

import numpy as np

from . import photons
from .axis import energy_axis
from .elements import SYMBOLS
from .materials import Material

PER_OCTAVE = 128
# Quantiles and rows of scattering: the mean energy transfer, interpolated in both, is right to 0.02 %
ANGLES_PER_OCTAVE = 16
QUANTILES = 64
POINTS = 2001  # of the integrals: mean energy transfer to 1e-6
MASS_MEV = 0.51099895  # electron mass, CODATA 2018
HC_MEV_ANGSTROM = 0.01239841984  # h c, CODATA 2018
LOWEST_MEV = 1e-3  # the cross sections begin at 1 keV


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
    angle_axis, angle_nodes = energy_axis(min(cutoff_mev, highest_mev), highest_mev * 1.001, ANGLES_PER_OCTAVE)
    angle_nodes = np.maximum(angle_nodes, LOWEST_MEV)
    coherent = [_coherent_quantiles(m, angle_nodes) for m in materials]
    return {
        "energy": axis,
        "attenuation": attenuation,
        "majorant": (majorant * (1 + 1e-6)).astype(np.float32),  # above the float32 rounding of the attenuation
        "angle_energy": angle_axis,
        "incoherent": np.array([_incoherent_quantiles(m, angle_nodes) for m in materials], np.float32),
        "coherent": np.array([t for t, _ in coherent], np.float32),
        "coherent_median": np.array([a for _, a in coherent], np.float32),
        **_fluorescence(materials, nodes, cutoff_mev),
        "cutoff": np.float32(cutoff_mev),
    }


def _incoherent_quantiles(material, energies):
    """Energy given to the electron, in units of the largest, at equal steps of the root of its cumulative probability.

    Klein & Nishina, Z. Phys. 52 (1929) 853, times the incoherent scattering function of the material. The root makes
    small transfers smooth, whose probability falls with S(x).
    """
    alpha = energies[:, None] / MASS_MEV
    # even steps of the root of ln(1 + alpha (1 - cos)): dense where S(x) rises, whatever the energy
    ratio = np.exp(-np.log1p(2 * alpha) * np.linspace(0, 1, POINTS) ** 2)
    t = np.minimum((1 / ratio - 1) / alpha, 2)  # 1 - cos
    s = photons.incoherent_function(material, np.sqrt(t / 2) * energies[:, None] / HC_MEV_ANGSTROM)
    density = s * (ratio + 1 / ratio - t * (2 - t))  # per energy of the electron
    transfer = (1 - ratio) * (1 + 2 * alpha) / (2 * alpha)
    cumulative = np.cumsum((density[:, 1:] + density[:, :-1]) / 2 * np.diff(transfer, axis=1), axis=1)
    root = np.sqrt(np.insert(cumulative, 0, 0, axis=1) / cumulative[:, -1:])
    levels = np.linspace(0, 1, QUANTILES + 1)
    return np.array([np.interp(levels, r, d) for r, d in zip(root, transfer, strict=True)])


def _coherent_quantiles(material, energies):
    """Deflection in coherent scattering at equal steps of the root of the probability of more, and its median.

    As t of (1 - cos)/2 = a (1 - t) / (a + t) with the median a; t and the root keep the long tail in small steps.
    """
    largest = (energies[:, None] / HC_MEV_ANGSTROM) ** 2
    x2 = np.concatenate([np.zeros_like(largest), largest * np.geomspace(1e-12, 1, POINTS)], axis=1)
    part = x2 / largest  # (1 - cos)/2
    density = photons.form_factor_squared(material, np.sqrt(x2)) * (1 + (1 - 2 * part) ** 2)
    cumulative = np.cumsum((density[:, 1:] + density[:, :-1]) / 2 * np.diff(part, axis=1), axis=1)
    cumulative = np.insert(cumulative, 0, 0, axis=1) / cumulative[:, -1:]
    levels = 1 - np.linspace(0, 1, QUANTILES + 1) ** 2
    at = np.array([np.interp(np.r_[levels, 0.5], c, v) for c, v in zip(cumulative, part, strict=True)])
    median = at[:, -1:]
    return median * (1 - at[:, :-1]) / (median + at[:, :-1]), median[:, 0]


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
