"""Point sources in unbounded water against EGSnrc: electron dose-point kernels and photons.

1. The source sits in the middle of the central voxel of a cube of water; the energy is summed in shells about it
   (`radial`) and divided by the energy emitted.
2. Electrons: shells of 0.025 CSDA ranges, voxels of the same width; judged are the shells from 0.05 to 0.85 ranges and
   the energy within every second radius while less than 99.9 % of it is inside.
3. Photons: energy within radii up to 25 cm in voxels of 5 mm; the cube of 80 cm stands for the reference's sphere of
   160 cm, what the missing water would scatter back over 15 cm or more being below 1e-4 of the energy.
"""

import numpy as np

import mcdose
from benchmarks.validation import tables
from benchmarks.validation.case import Case
from benchmarks.validation.comparison import Comparison
from benchmarks.validation.radial import shells
from benchmarks.validation.runner import energy_sigma, uniform_cube

MM_PER_CM = 10.0
ELECTRON_GRID = 101  # voxels of a fortieth of the range: the cube reaches to 1.26 ranges
VOXELS_PER_RANGE = 40
PHOTON_GRID, PHOTON_VOXEL_CM = 161, 0.5
PHOTON_POINTS = 4  # along an edge of a voxel; energy over r^2 hardly varies across it
WITHIN_TOLERANCE = 0.005
SHELL_TOLERANCE = 0.015
SHELL_SPAN = (0.05, 0.85)  # CSDA ranges between which shells are judged
ALL_INSIDE = 0.999  # share of the energy beyond which the energy within a radius says nothing new
RADII_CM = (1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25)
SOURCE = "EGSnrc, run for mcdose; options, histories and the numbers stand in the table."


def electron_case(label, histories):
    """The dose-point kernel of one electron energy."""
    table = f"egsnrc_electron_kernel_{label}"
    return Case(
        name=f"kernel-{label}",
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
    table = f"egsnrc_photons_{label}"
    return Case(
        name=f"photons-{label}",
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


def _electrons(runner, table, histories):
    span = table.about["csda_range_cm"]
    edges = np.append(table["inner_cm"], table["outer_cm"][-1])
    ours, sigma = _shares(runner, table, histories, ELECTRON_GRID, span / VOXELS_PER_RANGE, edges)
    inner, outer = table["inner_cm"] / span, table["outer_cm"] / span
    low, high = SHELL_SPAN
    judged = (inner > low - 1e-6) & (outer < high + 1e-6)
    reference = table["share"]
    shell = Comparison(
        "shell",
        [f"{a:.3f} to {b:.3f} ranges" for a, b in zip(inner, outer)],
        (inner + outer) / 2,
        ours,
        sigma,
        reference,
        reference * table["relative_uncertainty"],
        np.where(judged, SHELL_TOLERANCE, np.nan),
    )
    inside = np.cumsum(reference)[1::2] < ALL_INSIDE
    within = _within(table, ours, sigma, np.arange(1, len(ours), 2)[inside], WITHIN_TOLERANCE, False, span, " ranges")
    return within, shell


def _photons(runner, table, histories):
    edges = np.append(table["inner_cm"], table["outer_cm"][-1])
    ours, sigma = _shares(runner, table, histories, PHOTON_GRID, PHOTON_VOXEL_CM, edges, PHOTON_POINTS)
    last = [int(np.argmin(np.abs(table["outer_cm"] - radius))) for radius in RADII_CM]
    within = _within(table, ours, sigma, last, WITHIN_TOLERANCE, True, 1.0, " cm")
    width = np.diff(edges)
    reference = table["share"] / width
    shell = Comparison(
        "shell, per cm",
        [f"{a:g} to {b:g} cm" for a, b in zip(table["inner_cm"], table["outer_cm"])],
        (edges[1:] + edges[:-1]) / 2,
        ours / width,
        sigma / width,
        reference,
        reference * table["relative_uncertainty"],
        np.nan,
    )
    return within, shell


def _shares(runner, table, histories, size, voxel_cm, edges, *points):
    """Share of the emitted energy in each shell and its standard deviation."""
    material, density = table.medium("water")
    phantom = uniform_cube(material, density, size, voxel_cm * MM_PER_CM)
    spectrum = mcdose.Spectrum.monoenergetic(table.about["particle"], table.about["energy_mev"])
    source = mcdose.Source.point((0.0, 0.0, 0.0), spectrum, phantom)
    dose = runner.dose(table.name, phantom, source, histories, **table.cutoffs())
    ours, sigma = shells(dose.energy_mev, energy_sigma(dose), voxel_cm, edges, *points)
    return ours / dose.emitted_mev, sigma / dose.emitted_mev


def _within(table, ours, sigma, last, tolerance, relative, unit_cm, unit):
    """Energy within the outer radii of the shells numbered `last`; sigmas add in quadrature."""
    reference_sigma = table["share"] * table["relative_uncertainty"]
    radius = table["outer_cm"][last] / unit_cm
    return Comparison(
        "within",
        [f"within {r:.4g}{unit}" for r in radius],
        radius,
        np.cumsum(ours)[last],
        np.sqrt(np.cumsum(sigma**2))[last],
        np.cumsum(table["share"])[last],
        np.sqrt(np.cumsum(reference_sigma**2))[last],
        tolerance,
        relative,
    )
