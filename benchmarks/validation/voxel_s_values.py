"""Voxel S values against EGSnrc and against published ones.

1. One voxel of a uniform cube emits uniformly; the S value of offset (i, j, k) is the mean over the voxels that are
   equivalent to it by symmetry, up to 48.
2. Against EGSnrc both sample the same spectrum: electrons are judged down to 1 % of the self value, photons up to six
   voxels away.
3. The published ones (Lanconelli et al. 2012) are judged down to 1 % of the self value with mcdose's own spectrum
   (ICRP 107). The tables name soft tissue of 1.04 and bone of 1.85 g/cm3; taken are the ICRU four-component soft tissue
   and the ICRP cortical bone, the media that come with DOSXYZnrc, whose bone has that very density. The soft tissue of
   ICRP or the compact bone of ICRU change the values by less than 0.2 %. Their spectra are others than ICRP 107's: the
   energy in their voxels is 0.5 % above ours for Y-90 and 0.2 % below for Sr-89.
"""

from itertools import permutations, product

import numpy as np

import mcdose
from benchmarks.validation import tables
from benchmarks.validation.case import Case
from benchmarks.validation.comparison import Comparison
from benchmarks.validation.runner import uniform_cube

MGY_PER_MBQ_S = 1e9  # of one Gy per decay
SELF, FACE = (0, 0, 0), (1, 0, 0)
SELF_TOLERANCE, FACE_TOLERANCE, OTHER_TOLERANCE = 0.005, 0.01, 0.02
PHOTON_TOLERANCE = 0.015
PUBLISHED_TOLERANCE = 0.02
FAINTEST = 0.01  # of the self value
FARTHEST_PHOTON = 6  # voxels
DIGITS = 3  # of the published values
MEDIA = {"soft_tissue": "soft tissue", "cortical_bone_icrp": "bone"}
# Voxels along an edge. Electrons (bremsstrahlung scattered back is below 1e-5 of the self value): 9 voxels around the
# judged ones; photons: 12 cm of water on each side, beyond which 1e-3 of the farthest values would come back.
ELECTRON_GRID, PHOTON_GRID = 31, 81
PUBLISHED = ("Y-90_3mm_soft_tissue", "Y-90_4.42mm_soft_tissue", "Y-90_3mm_bone", "Sr-89_3mm_soft_tissue")
PUBLISHED += ("Sr-89_4.42mm_soft_tissue",)


def egsnrc_case(nuclide, emission, histories):
    """Voxel S values of one emission against EGSnrc."""
    table = f"egsnrc_vsv_{nuclide}_{emission}"
    bar = "1.5 %" if emission == "photons" else "self 0.5 %, face neighbours 1 %, others down to 1 % of self 2 %"
    return Case(
        name=f"vsv-{nuclide}-{emission}",
        group="vsv",
        title=f"Voxel S values, {nuclide} {emission}, water 3 mm",
        text=f"One voxel emits; dose in the voxels around it, same spectrum as the reference (tolerance: {bar}).",
        source="EGSnrc, run for mcdose; options, histories and the numbers stand in the table.",
        compare=lambda runner: [_against_egsnrc(runner, tables.load(table), histories)],
        tables=(table,),
        x_label="distance (mm)",
        y_label="S (mGy/(MBq s))",
        logarithmic=True,
    )


def published_case(histories):
    """The published voxel S values, all tables."""
    names = tuple(f"lanconelli2012_{name}" for name in PUBLISHED)
    return Case(
        name="published",
        group="published",
        title="Published voxel S values, Y-90 and Sr-89",
        text="Lanconelli et al. 2012 (DOSXYZnrc), soft tissue and bone, 3 and 4.42 mm; self value and voxels down to "
        "1 % of it (tolerance 2 %). Ours with ICRP-107 spectra in ICRU four-component soft tissue and ICRP cortical "
        "bone at the published densities: the media that come with DOSXYZnrc, taken to be those of the paper.",
        source="Lanconelli N, Pacilio M, Lo Meo S, et al. Phys Med Biol 57 (2012) 517-533. Their statistical "
        "uncertainty is not printed; the rounding to three digits is taken as uncertainty.",
        compare=lambda runner: [_against_published(runner, tables.load(name), histories) for name in names],
        tables=names,
        x_label="distance (mm)",
        y_label="S (mGy/(MBq s))",
        logarithmic=True,
    )


def _against_egsnrc(runner, table, histories):
    about = table.about
    photons = about["emission"] == "photons"
    spectrum = tables.sampled_spectrum(about["nuclide"], about["emission"])
    phantom = uniform_cube(*table.medium("water"), PHOTON_GRID if photons else ELECTRON_GRID, about["voxel_mm"])
    ours, sigma = _s_values(runner, table, phantom, spectrum, histories, **table.cutoffs())
    reference = table["s_mgy_per_mbq_s"]
    if photons:
        tolerance = np.where(table["i"] <= FARTHEST_PHOTON, PHOTON_TOLERANCE, np.nan)
    else:
        special = {SELF: SELF_TOLERANCE, FACE: FACE_TOLERANCE}
        tolerance = [special.get(offset, OTHER_TOLERANCE) for offset in _offsets(table)]
        tolerance = np.where(reference >= FAINTEST * reference[0], tolerance, np.nan)
    label = f"{about['nuclide']} {about['emission']}"
    return _comparison(label, table, ours, sigma, reference * table["relative_uncertainty"], tolerance)


def _against_published(runner, table, histories):
    about = table.about
    material = mcdose.material(about["medium"])
    phantom = uniform_cube(material, about["density_g_cm3"], ELECTRON_GRID, about["voxel_mm"])
    ours, sigma = _s_values(runner, table, phantom, about["nuclide"], histories)
    reference = table["s_mgy_per_mbq_s"]
    tolerance = np.where(reference >= FAINTEST * reference[0], PUBLISHED_TOLERANCE, np.nan)
    label = f"{about['nuclide']}, {MEDIA[about['medium']]}, {about['voxel_mm']:g} mm"
    return _comparison(label, table, ours, sigma, rounding_sigma(reference, DIGITS), tolerance)


def _comparison(label, table, ours, sigma, reference_sigma, tolerance):
    """The judged offsets, and of the rest those worth drawing."""
    reference = table["s_mgy_per_mbq_s"]
    offsets = np.array(_offsets(table))
    shown = np.isfinite(tolerance) | (reference >= FAINTEST / 100 * reference[0])
    names = [f"({i}, {j}, {k})" for i, j, k in offsets[shown]]
    distance = np.sqrt((offsets**2).sum(axis=1)) * table.about["voxel_mm"]
    columns = (column[shown] for column in (distance, ours, sigma, reference, reference_sigma, tolerance))
    return Comparison(label, names, *columns)


def _s_values(runner, table, phantom, emission, histories, **cutoffs):
    """S values at the offsets of the table and their standard deviations, mGy/(MBq s)."""
    middle = phantom.shape[0] // 2
    decays = np.zeros(phantom.shape)
    decays[middle, middle, middle] = 1.0
    places = [_equivalent(middle, offset) for offset in _offsets(table)]

    def quantity(dose):
        return np.array([dose.gy[where].mean() for where in places]) * MGY_PER_MBQ_S

    source = mcdose.Source(decays, emission, phantom)
    return runner.measure(table.name, phantom, source, histories, quantity, **cutoffs)


def _equivalent(middle, offset):
    """Index arrays of the voxels that are equivalent to an offset from the middle one."""
    signed = product(*({n, -n} for n in offset))
    places = {place for signs in signed for place in permutations(signs)}
    return tuple(np.array([[middle + n for n in place] for place in places]).T)


def rounding_sigma(values, digits):
    """Standard deviation of values rounded to so many significant digits: uniform within half a unit of the last."""
    unit = 10.0 ** (np.floor(np.log10(values)) - (digits - 1))
    return unit / np.sqrt(12.0)


def _offsets(table):
    return [tuple(int(n) for n in offset) for offset in zip(table["i"], table["j"], table["k"])]
