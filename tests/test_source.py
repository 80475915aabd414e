"""Decays from activity: units, time, and the number of decays on another grid."""

import numpy as np
import pytest

import mcdose
from mcdose.errors import InputError
from mcdose.grid import Grid
from mcdose.phantom import Phantom
from mcdose.source import Source

Y90_MEAN_LIFE_S = 64.10 * 3600 / np.log(2)  # ICRP-107
WATER = mcdose.material("water")


def phantom_on(grid):
    shape = grid.shape
    return Phantom(np.ones(shape), np.zeros(shape, int), [WATER], grid.spacing_mm, grid.origin_mm, grid.direction)


@pytest.fixture
def activity(image_factory):
    values = np.zeros((6, 8, 8), np.float32)
    values[2:4, 3:6, 2:5] = 5e5
    return image_factory(values, (2.0, 3.0, 4.0), (-7.0, -10.5, -10.0))


@pytest.fixture
def phantom(activity):
    return phantom_on(mcdose.images.grid_of(activity))


TOTAL_ML = 18 * 0.024


@pytest.mark.parametrize(
    ("unit", "integrate", "per_voxel"),
    [
        ("Bq/mL", "physical", 5e5 * 0.024 * Y90_MEAN_LIFE_S),
        ("Bq", "physical", 5e5 * Y90_MEAN_LIFE_S),
        ("Bq/mL", "none", 5e5 * 0.024),
        ("bq", "none", 5e5),
        ("Bq/mL", "effective=20", 5e5 * 0.024 * 20 * 3600 / np.log(2)),
        ("Bq*s", "physical", 5e5),
        ("Bq·s/mL", "none", 5e5 * 0.024),
    ],
)
def test_units_and_integration(activity, phantom, unit, integrate, per_voxel):
    source = Source.from_activity(activity, "Y-90", phantom, unit=unit, integrate=integrate)
    assert source.total_decays == pytest.approx(18 * per_voxel, rel=1e-4)
    assert source.per_second == (integrate == "none" and "s" not in unit)


def test_emission_by_name_nuclide_or_spectrum(phantom):
    decays = np.ones(phantom.shape)
    assert Source(decays, "90Y", phantom).nuclide.name == "Y-90"
    assert Source(decays, mcdose.Nuclide("Lu-177"), phantom).spectrum.energy_mev("electron") == pytest.approx(
        0.148, rel=0.01
    )
    own = mcdose.Spectrum.monoenergetic("electron", 1.0)
    assert Source(decays, own, phantom).nuclide is None
    assert Source(decays, own, phantom).spectrum is own


@pytest.mark.parametrize(
    "grid",
    [
        Grid((12, 20, 20), (1.3, 1.9, 2.1), (-11.0, -17.0, -11.0)),
        Grid((12, 20, 20), (1.3, 1.9, 2.1), (11.0, 17.0, -11.0), (-1, 0, 0, 0, -1, 0, 0, 0, 1)),
        Grid((30, 30, 30), 1.6, (-14.0, -30.0, -22.0), (0.8, -0.6, 0, 0.6, 0.8, 0, 0, 0, 1)),
    ],
    ids=["finer", "flipped", "oblique"],
)
def test_decays_are_kept_on_another_grid(activity, grid):
    source = Source.from_activity(activity, "Y-90", phantom_on(grid), integrate="none")
    assert source.total_decays == pytest.approx(5e5 * TOTAL_ML, rel=1e-3)
    assert any("decays kept by a factor of 1.00" in note or "factor of 0.99" in note for note in source.notes)


def test_activity_outside_the_grid_is_left_out_and_said(activity):
    """A grid that ends in the middle of the hot block holds half of it; the other half is not moved into it."""
    grid = Grid((6, 8, 5), (2.0, 3.0, 4.0), (0.0, -10.5, -10.0))  # from x = -1 mm; the block is at -4 to 2 mm
    with pytest.warns(mcdose.InputWarning, match="outside the dose grid"):
        source = Source.from_activity(activity, "Y-90", phantom_on(grid), integrate="none")
    assert source.total_decays == pytest.approx(5e5 * TOTAL_ML / 2, rel=1e-6)


def test_activity_outside_the_ct_is_said(activity, image_factory):
    ct = image_factory(np.full((6, 8, 4), 40, np.int16), (2.0, 3.0, 4.0), (-7.0, -10.5, -10.0))
    phantom = Phantom.from_ct(ct, grid=activity)
    with pytest.warns(mcdose.InputWarning, match="33.33 % of the activity lies outside the CT"):
        Source.from_activity(activity, "Y-90", phantom)


def test_activity_in_air_is_said(activity, image_factory):
    """A CT of another position puts the activity beside the patient."""
    hu = np.full((6, 8, 8), 40, np.int16)
    hu[:, :, :4] = -1000
    phantom = Phantom.from_ct(image_factory(hu, (2.0, 3.0, 4.0), (-7.0, -10.5, -10.0)), grid=activity)
    with pytest.warns(mcdose.InputWarning, match="67 % of the activity lies in gas or air"):
        Source.from_activity(activity, "Y-90", phantom)


def test_point_source_lies_in_its_voxel():
    phantom = phantom_on(Grid((5, 5, 5), 2.0, (10.0, 20.0, 30.0)))
    source = Source.point((13.0, 24.0, 38.9), mcdose.Spectrum.monoenergetic("photon", 0.5), phantom, decays=7.0)
    assert source.decays[4, 2, 2] == 7.0
    assert source.total_decays == 7.0
    assert source.position_mm == (13.0, 24.0, 38.9)


def test_effective_half_life_beyond_the_physical_is_refused(activity, phantom):
    with pytest.raises(InputError, match="longer than the physical half-life of Y-90"):
        Source.from_activity(activity, "Y-90", phantom, integrate="effective=100")


def test_spectrum_has_no_half_life(activity, phantom):
    own = mcdose.Spectrum.monoenergetic("electron", 1.0)
    with pytest.raises(InputError, match="no half-life"):
        Source.from_activity(activity, own, phantom)
    assert Source.from_activity(activity, own, phantom, integrate="none").per_second


def test_real_activity_is_two_gigabecquerel(real_images):
    activity = mcdose.read_image(real_images / "activity_y90_bqml_4p42mm.nii.gz")
    ct = mcdose.read_image(real_images / "ct_liver_lung_3mm.nii.gz")
    source = Source.from_activity(activity, "Y-90", Phantom.from_ct(ct, grid=activity), integrate="none")
    assert source.total_decays == pytest.approx(2e9, rel=0.02)
