"""Point sources in unbounded water against EGSnrc: electron dose-point kernels and photons.

1. The source sits in the middle of the central voxel of a cube of water; the energy is summed in shells about it
   (`radial`) and divided by the energy emitted.
2. Electrons: shells of 0.025 CSDA ranges, voxels of the same width; judged are the shells from 0.05 to 0.85 ranges and
   the energy within every second radius while less than 99.9 % of it is inside.
3. Photons: energy within radii up to 25 cm, voxels of 5 mm, the reference's shells put together to the same width. A
   cube of 80 cm stands for the reference's sphere of 160 cm: the water left out would scatter back 0.02 % of the energy
   within 20 cm and 0.05 % of that within 25 cm (511 keV, computed).
"""

import math
from dataclasses import replace

import numpy as np

import mcdose
from benchmarks.validation import tables
from benchmarks.validation.case import Case
from benchmarks.validation.comparison import Comparison
from benchmarks.validation.radial import octant, shell_shares
from benchmarks.validation.runner import uniform_cube

MM_PER_CM = 10.0
ELECTRON_GRID = 101  # voxels of a fortieth of the range: the cube reaches to 1.26 ranges
VOXELS_PER_RANGE = 40
PHOTON_GRID, PHOTON_VOXEL_CM = 161, 0.5
WITHIN_TOLERANCE = 0.005
SHELL_TOLERANCE = 0.015
SHELL_SPAN = (0.05, 0.85)  # CSDA ranges between which shells are judged
ALL_INSIDE = 0.999  # share of the energy beyond which the energy within a radius says nothing new
ROUNDING = 1e-6  # of radii in ranges and widths
RADII_CM = (1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25)
SOURCE = "EGSnrc, run for mcdose; options, histories and the numbers stand in the table."


def electron_case(label, histories):
    """The dose-point kernel of one electron energy."""
    table = f"egsnrc_electron_kernel_{_plain(label)}"
    return Case(
        name=f"kernel-{_plain(label)}",
        group="kernels",
        title=f"Electron dose-point kernel, {label}",
        text="Isotropic point source of electrons in water: share of the emitted energy within a radius (tolerance "
        "0.5 % of the emitted energy) and in shells of 0.025 CSDA ranges (1.5 %, from 0.05 to 0.85 ranges).",
        source=SOURCE,
        compare=lambda runner: _electrons(runner, tables.load(table), histories),
        tables=(table,),
        x_label="radius / CSDA range",
        y_label="share of the emitted energy",
    )


def photon_case(label, histories):
    """A photon point source of one energy."""
    table = f"egsnrc_photons_{_plain(label)}"
    return Case(
        name=f"photons-{_plain(label)}",
        group="photons",
        title=f"Photon point source, {label}",
        text="Isotropic point source of photons in water: share of the emitted energy absorbed within a radius "
        "(tolerance 0.5 %), and per shell (shown only).",
        source=SOURCE,
        compare=lambda runner: _photons(runner, tables.load(table), histories),
        tables=(table,),
        x_label="radius (cm)",
        y_label="share of the emitted energy",
    )


def _plain(label):
    """An energy as it stands in names of files and cases."""
    return label.replace(" ", "")


def _electrons(runner, table, histories):
    span = table.about["csda_range_cm"]
    last = np.arange(1, len(table["share"]), 2)
    last = last[np.cumsum(table["share"])[last] < ALL_INSIDE]
    voxel_cm = span / VOXELS_PER_RANGE
    shell, within = _shares(runner, table, histories, ELECTRON_GRID, voxel_cm, last)
    inner, outer = table["inner_cm"] / span, table["outer_cm"] / span
    low, high = SHELL_SPAN
    judged = (inner > low - ROUNDING) & (outer < high + ROUNDING)
    names = [f"{a:.3f} to {b:.3f} ranges" for a, b in zip(inner, outer)]
    tolerance = np.where(judged, SHELL_TOLERANCE, np.nan)
    return (
        _within(table, within, last, [f"within {r:.3f} ranges" for r in outer[last]], outer[last], relative=False),
        Comparison("energy per shell", names, (inner + outer) / 2, *shell, *_reference(table), tolerance),
    )


def _photons(runner, table, histories):
    table = _coarser(table, PHOTON_VOXEL_CM)
    inner, outer = table["inner_cm"], table["outer_cm"]
    last = np.array([int(np.argmin(np.abs(outer - radius))) for radius in RADII_CM])
    shell, within = _shares(runner, table, histories, PHOTON_GRID, PHOTON_VOXEL_CM, last)
    names = [f"{a:g} to {b:g} cm" for a, b in zip(inner, outer)]
    per_cm = [values / (outer - inner) for values in (*shell, *_reference(table))]
    return (
        _within(table, within, last, [f"within {r:g} cm" for r in outer[last]], outer[last], relative=True),
        Comparison("energy per shell and cm (shown only)", names, (inner + outer) / 2, *per_cm, np.nan),
    )


def _coarser(table, width):
    """The table with shells put together so that each begins and ends at a multiple of `width`."""
    share, sigma = _reference(table)
    multiple = np.abs(table["inner_cm"] / width - np.rint(table["inner_cm"] / width)) < ROUNDING
    first = np.flatnonzero(multiple)
    total = np.add.reduceat(share, first)
    columns = {
        "inner_cm": table["inner_cm"][first],
        "outer_cm": np.append(table["inner_cm"][first[1:]], table["outer_cm"][-1]),
        "share": total,
        "relative_uncertainty": np.sqrt(np.add.reduceat(sigma**2, first)) / total,
    }
    return replace(table, columns=columns)


def _shares(runner, table, histories, size, voxel_cm, last):
    """Shares of the emitted energy and their standard deviations: per shell, and within the outer radii of `last`."""
    edges = np.append(table["inner_cm"], table["outer_cm"][-1])
    side = min(math.ceil(edges[-1] / voxel_cm + 0.5), size // 2 + 1)
    shares = shell_shares(side, voxel_cm, edges)
    phantom = uniform_cube(*table.medium("water"), size, voxel_cm * MM_PER_CM)
    spectrum = mcdose.Spectrum.monoenergetic(table.about["particle"], table.about["energy_mev"])
    source = mcdose.Source.point((0.0, 0.0, 0.0), spectrum, phantom)

    def quantity(dose):
        shell = octant(dose.energy_mev, side).ravel() @ shares / dose.emitted_mev
        return np.concatenate([shell, np.cumsum(shell)[last]])

    values = runner.measure(table.name, phantom, source, histories, quantity, **table.cutoffs())
    count = len(table["share"])
    return [column[:count] for column in values], [column[count:] for column in values]


def _reference(table):
    """Share of each shell and its standard deviation."""
    return table["share"], table["share"] * table["relative_uncertainty"]


def _within(table, within, last, names, radius, relative):
    """The energy within radii; the reference's standard deviations of shells add in quadrature."""
    share, sigma = _reference(table)
    reference = np.cumsum(share)[last], np.sqrt(np.cumsum(sigma**2))[last]
    return Comparison("energy within a radius", names, radius, *within, *reference, WITHIN_TOLERANCE, relative)
