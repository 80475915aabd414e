"""Densities and materials from a CT."""

import numpy as np
import pytest

import mcdose
from mcdose.grid import Grid
from mcdose.phantom import Phantom
from physics_data.ct_curve import load_curve

FLIP_XY = (-1, 0, 0, 0, -1, 0, 0, 0, 1)


@pytest.fixture
def curve():
    return load_curve("schneider2000")


def test_uniform_phantom_has_the_nominal_density():
    phantom = Phantom.uniform(mcdose.material("cortical_bone"), (3, 4, 5), (1.0, 2.0, 3.0))
    assert phantom.shape == (3, 4, 5)
    assert phantom.voxel_volume_cm3 == pytest.approx(6e-3)
    assert phantom.mass_kg.sum() == pytest.approx(60 * 6e-3 * 1.92e-3, rel=1e-6)


def test_own_grid_follows_the_curve(image_factory, curve):
    hu = np.array([-1000, -745, -98, 0, 50, 300, 1500], np.int16)
    phantom = Phantom.from_ct(image_factory(np.tile(hu, (2, 2, 1)), (2, 3, 4), (5, 6, 7)))
    assert phantom.density_g_cm3[1, 1] == pytest.approx(curve.density(hu.astype(float)), rel=1e-6)
    names = [phantom.materials[k].name for k in phantom.material_index[0, 0]]
    assert names == [curve.materials[k].name for k in curve.material_index(hu.astype(float))]
    assert phantom.spacing_mm == (2.0, 3.0, 4.0)
    assert phantom.origin_mm == (5.0, 6.0, 7.0)


def test_integer_and_float_ct_agree(image_factory):
    hu = np.random.default_rng(1).integers(-1100, 2500, (6, 7, 8))
    one, other = (Phantom.from_ct(image_factory(hu.astype(kind))) for kind in (np.int16, np.float32))
    assert np.array_equal(one.density_g_cm3, other.density_g_cm3)
    assert np.array_equal(one.material_index, other.material_index)


def test_density_is_averaged_not_hu(image_factory, curve):
    """Half air, half bone: the mean density is the mean of the densities, far from the density of the mean HU."""
    hu = np.array([[[-1000, 1500]]], np.int16)
    phantom = Phantom.from_ct(image_factory(hu), grid=Grid((1, 1, 1), (2.0, 1.0, 1.0), (0.5, 0.0, 0.0)))
    expected = curve.density(np.array([-1000.0, 1500.0])).mean()
    assert phantom.density_g_cm3.item() == pytest.approx(expected, rel=1e-6)
    assert abs(curve.density(np.array([250.0])).item() - expected) > 0.15
    assert phantom.materials[phantom.material_index.item()].mass_fractions["Ca"] > 0.2


def test_mass_does_not_depend_on_the_grid(image_factory):
    hu = np.random.default_rng(2).integers(-900, 1200, (20, 24, 24)).astype(np.int16)
    ct = image_factory(hu, (1.5, 1.5, 2.0))
    fine = Phantom.from_ct(ct)
    for spacing in (2.0, (4.0, 4.5, 5.0)):
        coarse = Phantom.from_ct(ct, spacing_mm=spacing)
        assert coarse.mass_kg.sum() == pytest.approx(fine.mass_kg.sum(), rel=1e-5)


def test_directions_do_not_matter(image_factory):
    """The same patient stored with x and y flipped gives the same phantom on the same grid."""
    hu = np.random.default_rng(3).integers(-900, 1200, (8, 12, 12)).astype(np.int16)
    ct = image_factory(hu, (3, 3, 3), (-16.5, -16.5, 0))
    flipped = image_factory(hu[:, ::-1, ::-1], (3, 3, 3), (16.5, 16.5, 0), FLIP_XY)
    grid = Grid((5, 8, 8), 4.42, (-15.0, -15.0, 1.0))
    one, other = Phantom.from_ct(ct, grid=grid), Phantom.from_ct(flipped, grid=grid)
    assert other.density_g_cm3 == pytest.approx(one.density_g_cm3, rel=1e-6)
    assert other.materials == one.materials
    assert np.array_equal(other.material_index, one.material_index)


def test_outside_the_ct_is_air_and_said(image_factory):
    ct = image_factory(np.full((5, 5, 5), 40, np.int16), (2, 2, 2))
    phantom = Phantom.from_ct(ct, grid=Grid((5, 5, 9), 2.0))
    assert phantom.outside_ct.sum() == 5 * 5 * 4
    assert phantom.density_g_cm3[phantom.outside_ct] == pytest.approx(0.00121, rel=0.01)
    assert any("44.4 % of the dose grid lies outside the CT" in note for note in phantom.notes)


def test_voxels_at_the_edge_of_the_ct_keep_tissue_density(image_factory):
    """A voxel a third inside the CT is tissue, not a third of its density: the patient goes on."""
    ct = image_factory(np.full((5, 5, 5), 40, np.int16), (3, 3, 3))
    inside = Phantom.from_ct(ct).density_g_cm3[0, 0, 0]
    phantom = Phantom.from_ct(ct, grid=Grid((5, 5, 6), 3.0, (-2.0, 0.0, 0.0)))
    assert phantom.density_g_cm3[:, :, 0] == pytest.approx(inside, rel=1e-6)
    assert phantom.outside_ct is None


def test_only_materials_that_occur_are_kept(image_factory):
    phantom = Phantom.from_ct(image_factory(np.full((3, 3, 3), 40, np.int16)))
    assert len(phantom.materials) == 1


def test_metal_beyond_the_curve_is_held_and_said(image_factory):
    hu = np.full((20, 20, 20), 40, np.int16)
    hu[10, 10, 10] = 9000
    with pytest.warns(mcdose.InputWarning, match="1 voxels above 3000 HU"):
        phantom = Phantom.from_ct(image_factory(hu))
    assert phantom.density_g_cm3.max() == pytest.approx(2.8, rel=1e-5)


def test_density_image_is_where_the_phantom_is():
    phantom = Phantom(np.ones((2, 3, 4)), np.zeros((2, 3, 4), int), [mcdose.material("water")], (1, 2, 3), (4, 5, 6))
    image = phantom.density_image()
    assert image.GetSize() == (4, 3, 2)
    assert image.GetOrigin() == (4, 5, 6)


def test_real_ct_on_the_activity_grid(real_images):
    """Real liver and lung: mass is kept, liver and lung have their densities."""
    ct = mcdose.read_image(real_images / "ct_liver_lung_3mm.nii.gz")
    activity = mcdose.read_image(real_images / "activity_y90_bqml_4p42mm.nii.gz")
    phantom = Phantom.from_ct(ct, grid=activity)
    own = Phantom.from_ct(ct)
    assert phantom.mass_kg.sum() == pytest.approx(own.mass_kg.sum(), rel=0.04)  # the grids end a few mm apart
    from mcdose.images import array_of, grid_of
    from mcdose.resample import nearest

    organs = mcdose.read_image(real_images / "organs_liver_lung_3mm.nii.gz")
    labels = nearest(array_of(organs), grid_of(organs), phantom.grid)
    assert phantom.density_g_cm3[labels == 5].mean() == pytest.approx(1.06, abs=0.04)
    assert phantom.density_g_cm3[(labels >= 10) & (labels <= 14)].mean() < 0.6
