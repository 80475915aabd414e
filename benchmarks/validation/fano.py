"""Fano cavities: an exact test of how electrons cross from one density to another.

1. Fano's theorem (1954): where a source is uniform per unit mass and media differ in density only, the fluence is
   uniform, so the dose is the energy emitted per mass, whatever the densities, as long as the outer surface is farther
   than the range.
2. Water holds two cavities, of 0.26 and 0.05 g/cm3, with water thicker than the range all around. Photons are below
   their cut-off at any energy, so that radiative losses stay where they occur and nothing leaves by them.
3. Judged: the water next to the cavities, the outermost voxels of each cavity (its outside), and its inside.
"""

import math

import numpy as np

import mcdose
from benchmarks.validation.case import Case
from benchmarks.validation.comparison import Comparison
from physics_data.stopping import csda_range

TOLERANCE = 0.002
LIGHT, LIGHTEST = 0.26, 0.05  # g/cm3: inflated lung, and the lightest that voxels of a patient have beside air
WIDTH, DEPTH, GAP = 16, 8, 2  # voxels: cavities across and along z, water between them
NO_PHOTONS_MEV = 10.0  # cut-off above every energy here
MM_PER_CM = 10.0
PARTS = ("beta", "electron")  # the emissions that are transported
# emission: (MeV or nuclide, highest energy in MeV, voxel in mm); voxels between half a range and a seventh of it
SOURCES = ((0.1, 0.1, 0.1), (0.5, 0.5, 1.0), (1.0, 1.0, 1.0), (2.0, 2.0, 3.0), ("Y-90", 2.2798, 3.0))


def case(histories):
    """Cavities for all sources, `histories` for each."""
    return Case(
        name="fano",
        group="fano",
        title="Fano cavities of 0.26 and 0.05 g/cm3 in water",
        text="A source uniform per unit mass gives the same dose in water of any density: the energy emitted per mass "
        "(tolerance 0.2 %), inside the cavities, in their outermost voxels and in the water next to them.",
        source="Theorem: U. Fano, Radiat Res 1 (1954) 237; exact.",
        compare=lambda runner: [_cavities(runner, *source, histories) for source in SOURCES],
    )


def _cavities(runner, emission, highest_mev, voxel_mm, histories):
    water = mcdose.material("water")
    reach_mm = float(csda_range(water, highest_mev)) / water.density_g_cm3 * MM_PER_CM
    margin = math.ceil(reach_mm / voxel_mm) + 1  # one voxel of it is judged: it has the range beyond it
    density, regions = cavities(margin)
    phantom = mcdose.Phantom(density, np.zeros(density.shape, np.uint8), (water,), (voxel_mm,) * 3)
    decays = density / density.sum(dtype=float)
    spectrum = emission if isinstance(emission, str) else mcdose.Spectrum.monoenergetic("electron", emission)
    label = emission if isinstance(emission, str) else f"{emission:g} MeV"
    source = mcdose.Source(decays, spectrum, phantom)
    settings = {"photon_cutoff_mev": NO_PHOTONS_MEV, "emissions": PARTS}

    def quantity(dose):
        expected = dose.emitted_mev / phantom.mass_kg.sum()
        return np.array([mean_dose(dose, where) / expected for where in regions.values()])

    ours, sigma = runner.measure(f"fano {label}", phantom, source, histories, quantity, **settings)
    points = np.arange(len(regions))
    return Comparison(f"{label}, {voxel_mm:g} mm", tuple(regions), points, ours, sigma, 1.0, 0.0, TOLERANCE)


def mean_dose(dose, where):
    """Energy per mass in a region, MeV/kg."""
    return dose.energy_mev[where].sum() / dose.phantom.mass_kg[where].sum()


def cavities(margin):
    """Density [z, y, x] of the two cavities in water of `margin` voxels, and the judged regions (bool arrays)."""
    across, along = WIDTH + 2 * margin, 2 * DEPTH + GAP + 2 * margin
    density = np.ones((along, across, across), np.float32)
    regions = {"water": np.zeros(density.shape, bool)}
    inner = slice(margin, margin + WIDTH)
    around = slice(margin - 1, margin + WIDTH + 1)
    regions["water"][margin - 1 : along - margin + 1, around, around] = True
    for name, value, start in (("0.26 g/cm3", LIGHT, margin), ("0.05 g/cm3", LIGHTEST, margin + DEPTH + GAP)):
        cavity = np.zeros(density.shape, bool)
        cavity[start : start + DEPTH, inner, inner] = True
        inside = np.zeros(density.shape, bool)
        inside[start + 1 : start + DEPTH - 1, margin + 1 : margin + WIDTH - 1, margin + 1 : margin + WIDTH - 1] = True
        density[cavity] = value
        regions["water"] &= ~cavity
        regions[f"{name}, outside"] = cavity & ~inside
        regions[f"{name}, inside"] = inside
    return density, regions
