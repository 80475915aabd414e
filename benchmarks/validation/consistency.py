"""Relations that hold without any reference: equilibrium, reciprocity, energy balance.

1. Equilibrium. Uniform activity in a uniform medium gives, far from its surface, the energy emitted per mass. Charged
   particles alone (photons below their cut-off) in blocks thicker than the range; everything, photons and annihilation
   included, in the middle of 4 m of water.
2. Reciprocity. In layers that differ in density only, transport depends on the mass per area between them alone, where
   they are wide enough: the layers are one uniform medium in other coordinates, in which the dose kernel depends on
   the distance alone. So the dose in layer B per decay per area of A equals that in A per decay per area of B. (Between
   voxels, or between different materials, reciprocity holds only nearly, and is no test.)
3. Energy balance. Emitted energy equals deposited plus escaped, to the last unit of the integer tally, in every run.
"""

import numpy as np

import mcdose
from benchmarks.validation.case import Case
from benchmarks.validation.comparison import Comparison
from benchmarks.validation.fano import NO_PHOTONS_MEV, TOLERANCE, mean_dose

ELECTRON_MASS_MEV = 0.51099895  # CODATA 2018
CHARGED = ("beta", "electron", "alpha")
# nuclide, medium, density (g/cm3), voxel (mm); margins of 4 voxels are thicker than the range
CHARGED_CASES = (
    ("Lu-177", "soft_tissue", 1.0, 1.0),
    ("I-131", "liver", 1.06, 1.0),
    ("Y-90", "cortical_bone", 1.92, 3.0),
    ("Re-188", "lung", 0.26, 12.0),
    ("Ra-223", "cortical_bone", 1.92, 1.0),
)
CHARGED_GRID, CHARGED_MARGIN = 24, 4
ALL_NUCLIDES = ("Lu-177", "I-131", "Ga-68")
WATER_GRID, WATER_VOXEL_MM, WATER_MARGIN = 81, 50.0, 20  # 4 m, of which the inner 2 m are judged
LAYER_MEV = 1.0  # range in water 4.4 mm
LAYER_MM, COLUMN_MM = 1.0, 2.0
COLUMNS, JUDGED_COLUMNS = 50, slice(9, 41)  # 100 mm wide; 18 mm on each side, more than the range in the lightest layer
LAYER_DENSITIES = (1.0,) * 6 + (0.26,) * 3 + (0.5,) * 2 + (1.85,) + (1.0,) * 6  # g/cm3
LAYERS = (5, 7, 9, 11)  # the ones that emit and are judged: of 1.0, 0.26, 0.5 and 1.85 g/cm3


def equilibrium_case(charged_histories, all_histories):
    """Uniform activity: the equilibrium dose."""

    def compare(runner):
        charged = [_charged(runner, *case, charged_histories) for case in CHARGED_CASES]
        everything = [_everything(runner, nuclide, all_histories) for nuclide in ALL_NUCLIDES]
        return [_exact("charged particles", charged), _exact("all emissions, 4 m of water", everything)]

    return Case(
        name="equilibrium",
        group="consistency",
        title="Equilibrium dose of uniform activity",
        text="Uniform activity in a uniform medium gives the energy emitted per mass far from the surface (tolerance "
        "0.2 %): charged particles in several media, and all emissions in water.",
        source="Conservation of energy; mean energies per decay of ICRP 107. Exact.",
        compare=compare,
    )


def reciprocity_case(histories):
    """Doses between layers of different density, both ways."""
    return Case(
        name="reciprocity",
        group="consistency",
        title="Reciprocity between layers of different density",
        text="1 MeV electrons: the dose in layer B per decay per area of layer A equals that in A per decay per area "
        "of B (tolerance 0.2 %); layers of 1 mm and 1.0, 0.26, 0.5 and 1.85 g/cm3 in a stack.",
        source="Scaling by mass per area in layered media of one composition; exact.",
        compare=lambda runner: [_layers(runner, histories)],
    )


def balance_case(runs):
    """The energy balance of the runs in a list, which may grow until the case is run."""
    return Case(
        name="balance",
        group="consistency",
        title="Energy balance of every run",
        text="Emitted = deposited + escaped in the integer tally, and no particle lost for want of room (0).",
        source="Conservation of energy; exact.",
        compare=lambda runner: [_balance(runs)],
    )


def _charged(runner, nuclide, medium, density, voxel_mm, histories):
    shape = (CHARGED_GRID,) * 3
    bulk = np.full(shape, density, np.float32)
    phantom = mcdose.Phantom(bulk, np.zeros(shape, np.uint8), (mcdose.material(medium),), (voxel_mm,) * 3)
    source = mcdose.Source(np.ones(shape), nuclide, phantom)
    label = f"{nuclide} in {medium.replace('_', ' ')}, {density:g} g/cm3"
    energy_mev = source.spectrum.select(CHARGED).energy_mev()
    settings = {"photon_cutoff_mev": NO_PHOTONS_MEV, "emissions": CHARGED}
    return label, *_over_equilibrium(runner, label, source, energy_mev, CHARGED_MARGIN, histories, **settings)


def _everything(runner, nuclide, histories):
    phantom = mcdose.Phantom.uniform(mcdose.material("water"), (WATER_GRID,) * 3, WATER_VOXEL_MM)
    source = mcdose.Source(np.ones(phantom.shape), nuclide, phantom)
    rest = 2 * ELECTRON_MASS_MEV * source.spectrum.yield_per_decay("positron")
    energy_mev = source.spectrum.energy_mev() + rest
    label = f"{nuclide} in water"
    return label, *_over_equilibrium(runner, f"{label}, all", source, energy_mev, WATER_MARGIN, histories)


def _over_equilibrium(runner, label, source, energy_mev, margin, histories, **settings):
    """Mean dose `margin` voxels away from the surface over the energy emitted per mass, and its standard deviation."""
    expected = energy_mev * source.total_decays / source.phantom.mass_kg.sum()
    inner = (slice(margin, -margin),) * 3

    def quantity(dose):
        return np.array([mean_dose(dose, inner) / expected])

    ours, sigma = runner.measure(label, source.phantom, source, histories, quantity, **settings)
    return ours[0], sigma[0]


def _exact(label, results):
    """Ratios that are to be one."""
    names, ours, sigma = zip(*results)
    return Comparison(label, names, np.arange(len(names)), ours, sigma, 1.0, 0.0, TOLERANCE)


def _layers(runner, histories):
    density = np.empty((len(LAYER_DENSITIES), COLUMNS, COLUMNS), np.float32)
    density[:] = np.array(LAYER_DENSITIES)[:, None, None]
    spacing = (COLUMN_MM, COLUMN_MM, LAYER_MM)
    phantom = mcdose.Phantom(density, np.zeros(density.shape, np.uint8), (mcdose.material("water"),), spacing)
    spectrum = mcdose.Spectrum.monoenergetic("electron", LAYER_MEV)

    def quantity(dose):
        return np.array([mean_dose(dose, (judged, JUDGED_COLUMNS, JUDGED_COLUMNS)) for judged in LAYERS])

    values, sigmas = np.empty((2, len(LAYERS), len(LAYERS)))  # [emitting, judged]
    for k, emitting in enumerate(LAYERS):
        decays = np.zeros(density.shape)
        decays[emitting] = 1.0
        source = mcdose.Source(decays, spectrum, phantom)
        label = f"layer of {LAYER_DENSITIES[emitting]:g} g/cm3"
        run = runner.measure(label, phantom, source, histories, quantity, photon_cutoff_mev=NO_PHOTONS_MEV)
        values[k], sigmas[k] = run
    a, b = np.triu_indices(len(LAYERS), 1)
    names = [f"{LAYER_DENSITIES[LAYERS[i]]:g} and {LAYER_DENSITIES[LAYERS[j]]:g} g/cm3" for i, j in zip(a, b)]
    both_ways = values[a, b], sigmas[a, b], values[b, a], sigmas[b, a]
    return Comparison("forth and back", names, np.arange(len(names)), *both_ways, TOLERANCE)


def _balance(runs):
    """What is missing, in units of the tally; a run that lost particles for want of room has no balance."""
    missing = [np.nan if run.overflows else run.missing for run in runs]
    names = [run.label for run in runs]
    return Comparison("missing units of the tally", names, np.arange(len(runs)), missing, 0.0, 0.0, 0.0, 0.0, False)
