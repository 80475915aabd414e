"""Depth profile through a liver-lung interface against EGSnrc.

1. A block of 12.3 x 12.3 x 24 cm in vacuum, liver with a uniform source below the interface, lung above it; the same
   spectrum as the reference.
2. Dose of each slice averaged over the central 21 x 21 columns of 3 mm; our slices of 1 or 3 mm are averaged where
   the reference's are thicker.
3. Electrons reach lung from the last millimetres of liver only: half of the histories start there. Source strata are
   run apart and added by their shares of the decays.
4. Judged are the slices whose reference dose is at least 1 % of the equilibrium dose (all emitted energy absorbed
   where it is emitted).
"""

import numpy as np

import mcdose
from benchmarks.validation import tables
from benchmarks.validation.case import Case
from benchmarks.validation.comparison import Comparison

COLUMNS, COLUMN_MM = 41, 3.0
CENTRAL = slice(10, 31)
HALF_LENGTH_MM = 120.0
TOLERANCE = 0.01
# Liver that electrons can cross into lung: a little more than the range of the highest energies (2.28 and 0.81 MeV).
REACH_MM = {("Y-90", "beta"): 12.0, ("I-131", "electrons"): 6.0}
FAINTEST = 0.01  # of the equilibrium dose
FAINTEST_SHOWN = 0.001
CM_PER_MM = 0.1


def case(nuclide, emission, slice_mm, histories):
    """The profile of one emission and slice thickness; `histories` of all strata together."""
    table = f"egsnrc_slab_{nuclide}_{emission}_{slice_mm}mm"
    return Case(
        name=f"slab-{nuclide}-{emission}-{slice_mm}mm",
        group="slab",
        title=f"Liver-lung slab, {nuclide} {emission}, {slice_mm} mm slices",
        text="Uniform source in liver, depth profile of the dose through the interface into lung (tolerance 1 % in "
        "every slice with at least 1 % of the equilibrium dose).",
        source="EGSnrc, run for mcdose; options, histories and the numbers stand in the table.",
        compare=lambda runner: [_profile(runner, tables.load(table), histories)],
        tables=(table,),
        x_label="distance from the interface (cm)",
        y_label="dose / equilibrium dose",
        logarithmic=True,
    )


def _profile(runner, table, histories):
    about = table.about
    phantom = _block(table)
    spectrum = tables.sampled_spectrum(about["nuclide"], about["emission"])
    equilibrium = about["equilibrium_gy_per_decay"]
    rebin = _Rebinning(table, len(phantom.density_g_cm3))

    def quantity(dose):
        return rebin(dose.gy[:, CENTRAL, CENTRAL].mean(axis=(1, 2))) / equilibrium

    ours, variance = 0.0, 0.0
    strata = _strata(table)
    for name, share, decays in strata:
        source = mcdose.Source(np.broadcast_to(decays[:, None, None], phantom.shape), spectrum, phantom)
        label = f"{table.name}, {name}"
        part = runner.measure(label, phantom, source, histories / len(strata), quantity, **table.cutoffs())
        part_ours, part_sigma = (values * share / source.total_decays for values in part)
        ours, variance = ours + part_ours, variance + part_sigma**2
    sigma = np.sqrt(variance)
    reference = table["gy_per_decay"] / equilibrium
    low, high = table["low_cm"], table["high_cm"]
    shown = reference >= FAINTEST_SHOWN
    curves = (
        (low + high) / 2,
        ours,
        sigma,
        reference,
        reference * table["relative_uncertainty"],
        np.where(reference >= FAINTEST, TOLERANCE, np.nan),
    )
    names = [f"{a:+.1f} to {b:+.1f} cm" for a, b in zip(low[shown], high[shown])]
    return Comparison(f"{about['nuclide']} {about['emission']}", names, *(curve[shown] for curve in curves))


def _block(table):
    """The phantom: the first medium of the table below the interface, the second above."""
    (lower, lower_density), (upper, upper_density) = (table.medium(name) for name in table.about["media"])
    half = round(HALF_LENGTH_MM / table.about["slice_mm"])
    density = np.full((2 * half, COLUMNS, COLUMNS), lower_density, np.float32)
    index = np.zeros(density.shape, np.uint8)
    density[half:], index[half:] = upper_density, 1
    return mcdose.Phantom(density, index, (lower, upper), (COLUMN_MM, COLUMN_MM, table.about["slice_mm"]))


def _strata(table):
    """Parts of the source: name, share of the decays, and decays per slice (1 or 0)."""
    half = round(HALF_LENGTH_MM / table.about["slice_mm"])
    near = round(REACH_MM.get((table.about["nuclide"], table.about["emission"]), 0.0) / table.about["slice_mm"])
    deep, close = np.zeros(2 * half), np.zeros(2 * half)
    deep[: half - near], close[half - near : half] = 1.0, 1.0
    parts = (("deep", 1 - near / half, deep), ("near the interface", near / half, close))
    return [part for part in parts if part[1] > 0]


class _Rebinning:
    """Means of a profile over the slices of the reference."""

    def __init__(self, table, slices):
        slice_cm = table.about["slice_mm"] * CM_PER_MM
        first, last = (np.rint(table[name] / slice_cm).astype(int) + slices // 2 for name in ("low_cm", "high_cm"))
        self._first, self._count = first, last - first

    def __call__(self, profile):
        return np.add.reduceat(profile, self._first) / self._count
