"""The cases of the suite, and how they are asked for."""

from benchmarks.validation import consistency, fano, point_sources, slab, voxel_s_values
from mcdose.errors import InputError

# Histories of the quick suite, about five minutes on two cores: enough that a row's standard deviation is well below
# its tolerance wherever the reference's is.
CASES = (
    point_sources.electron_case("100 keV", 800_000),
    point_sources.electron_case("1 MeV", 800_000),
    point_sources.photon_case("50 keV", 3_000_000),
    point_sources.photon_case("208 keV", 3_000_000),
    point_sources.photon_case("511 keV", 3_000_000),
    voxel_s_values.egsnrc_case("Y-90", "beta", 4_000_000),
    voxel_s_values.egsnrc_case("I-131", "electrons", 8_000_000),
    voxel_s_values.egsnrc_case("I-131", "photons", 32_000_000),
    slab.case("Y-90", "beta", 3, 8_000_000),
    slab.case("Y-90", "beta", 1, 16_000_000),
    slab.case("I-131", "electrons", 1, 16_000_000),
    slab.case("I-131", "photons", 1, 60_000_000),
    voxel_s_values.published_case(1_500_000),
    fano.case(10_000_000),
    consistency.equilibrium_case(500_000, 1_500_000),
    consistency.reciprocity_case(4_000_000),
)


def names():
    """Names of all groups and cases, as text."""
    groups = dict.fromkeys(case.group for case in CASES)
    return f"groups {', '.join(groups)}; cases {', '.join(case.name for case in CASES)}"


def choose(wanted):
    """The cases whose name or group is among those asked for, in the suite's order.

    Parameters
    ----------
    wanted : sequence of str or None
        None for all.

    Raises
    ------
    InputError
        For a name that is neither a case nor a group.
    """
    if wanted is None:
        return CASES
    for name in wanted:
        if not any(name in (case.name, case.group) for case in CASES):
            raise InputError(f"--cases: no case is named {name!r}; choose among the {names()}")
    return tuple(case for case in CASES if case.name in wanted or case.group in wanted)
