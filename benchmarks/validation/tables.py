"""The small reference tables: text files with their provenance on top.

1. A table opens with lines "# key: value" (the value as text or JSON) that say what it is, where it comes from, with
   which physics options and in which units; then come the names of the columns and the numbers, separated by commas.
2. Spectra that a reference run sampled are tables too, so that both codes emit the same.
"""

import csv
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from physics_data.materials import Material
from physics_data.spectra import Spectrum

FOLDER = Path(__file__).resolve().parents[1] / "reference"


@dataclass(frozen=True, eq=False)
class Table:
    """A reference table.

    Attributes
    ----------
    name : str
        Name of its file without suffix.
    about : dict
        What stands on top of it.
    columns : dict of str to float array, shape (n,)
    """

    name: str
    about: dict
    columns: dict

    def __getitem__(self, column):
        return self.columns[column]

    def medium(self, name):
        """Material and bulk density (g/cm3) of one of the reference's media."""
        values = self.about["media"][name]
        fractions, nominal = values["mass_fractions"], values["nominal_density_g_cm3"]
        return Material(name, nominal, fractions, i_value_ev=values["i_value_ev"]), values["density_g_cm3"]

    def cutoffs(self):
        """The cut-offs of the reference run, as keyword arguments of ``monte_carlo``."""
        return {name: self.about[name] for name in ("electron_cutoff_mev", "photon_cutoff_mev")}


def load(name):
    """Read a table of the folder by its name."""
    about, lines = {}, []
    for line in (FOLDER / f"{name}.csv").read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            key, value = line[1:].split(":", 1)
            about[key.strip()] = _value(value.strip())
        else:
            lines.append(line)
    names, *rows = csv.reader(lines)
    values = np.array(rows, float)
    return Table(name, about, dict(zip(names, values.T)))


def sampled_spectrum(nuclide, emission):
    """The spectrum that the reference runs sampled.

    Parameters
    ----------
    nuclide : {"Y-90", "I-131"}
    emission : {"beta", "electrons", "photons"}
        Electrons are the beta particles and the conversion and Auger lines.
    """
    if emission == "photons":
        return _lines(nuclide, "photon")
    table = load(f"spectrum_{nuclide}_beta")
    beta = Spectrum.table("electron", table["energy_mev"], table["per_mev"], 1.0, interpolation="linear")
    return beta if emission == "beta" else beta + _lines(nuclide, "electron")


def _lines(nuclide, particle):
    table = load(f"spectrum_{nuclide}_{particle}_lines")
    return Spectrum.lines(particle, table["energy_mev"], table["yield_per_decay"])


def _value(text):
    """Numbers and tables of a table's head as such, everything else as text."""
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text
