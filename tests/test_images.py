"""Images in, onto the dose grid and out: positions, directions, conservation."""

import numpy as np
import pytest
import SimpleITK as sitk

from mcdose.errors import InputError
from mcdose.grid import Grid
from mcdose.images import array_of, grid_of, read_image, to_image, write_image
from mcdose.resample import nearest, regrid

FLIP_XY = (-1, 0, 0, 0, -1, 0, 0, 0, 1)


def turned(degrees_z, degrees_x=0.0):
    """Direction cosines of a grid turned about z, then x."""
    a, b = np.deg2rad([degrees_z, degrees_x])
    about_z = np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]])
    about_x = np.array([[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]])
    return tuple((about_x @ about_z).ravel())


def blob(grid, centre=(0.0, 0.0, 0.0), sigma=18.0):
    """A smooth lump of matter, sampled at the voxel centres of a grid."""
    index = np.stack(np.meshgrid(*[np.arange(n) for n in grid.size_xyz], indexing="ij"), axis=-1)
    distance2 = ((grid.to_physical(index) - centre) ** 2).sum(axis=-1)
    return np.exp(-distance2 / (2 * sigma**2)).transpose(2, 1, 0)


def centre_of_mass(values, grid):
    weights = values.transpose(2, 1, 0)
    index = np.stack(np.meshgrid(*[np.arange(n) for n in grid.size_xyz], indexing="ij"), axis=-1)
    return (grid.to_physical(index) * weights[..., None]).sum(axis=(0, 1, 2)) / weights.sum()


def test_voxel_volume_and_corner():
    grid = Grid((4, 5, 6), (1.0, 2.0, 3.0), (10.0, 20.0, 30.0))
    assert grid.voxel_volume_cm3 == pytest.approx(6e-3)
    assert grid.from_corner_mm((10.0, 20.0, 30.0)) == pytest.approx([0.5, 1.0, 1.5])
    assert grid.voxel_of((10.0, 22.1, 38.9)) == (3, 1, 0)


def test_index_and_position_are_inverse_on_an_oblique_grid():
    grid = Grid((4, 5, 6), (1.0, 2.0, 3.0), (10.0, 20.0, 30.0), turned(30, 20))
    index = np.array([[0.0, 0.0, 0.0], [5.0, 4.0, 3.0], [1.5, 2.5, 0.5]])
    assert grid.to_index(grid.to_physical(index)) == pytest.approx(index, abs=1e-12)


def test_position_outside_the_grid_is_refused():
    with pytest.raises(InputError, match="outside the grid"):
        Grid((4, 4, 4), 1.0).voxel_of((4.0, 0.0, 0.0))


def test_respaced_grid_covers_the_same_box():
    grid = Grid((21, 69, 83), 4.42, (177.0, -12.0, 95.0), FLIP_XY)
    new = grid.respaced(3.0)
    for old, renewed in zip(grid.bounds_mm(), new.bounds_mm()):
        assert np.abs(old - renewed).max() <= 1.5 + 1e-9


@pytest.mark.parametrize("suffix", [".nii.gz", ".nii", ".mha", ".nrrd"])
def test_image_survives_writing_and_reading(tmp_path, suffix):
    grid = Grid((4, 5, 6), (1.0, 2.0, 3.0), (10.0, 20.0, 30.0), FLIP_XY)
    values = np.random.default_rng(1).random(grid.shape).astype(np.float32)
    write_image(to_image(values, grid), tmp_path / f"a{suffix}")
    back = read_image(tmp_path / f"a{suffix}")
    assert np.array_equal(array_of(back), values)
    assert grid_of(back).matches(grid)
    assert [p.name for p in tmp_path.iterdir()] == [f"a{suffix}"]


def test_dicom_series_is_ordered_and_spaced_by_position(dicom_factory):
    """Slices 2 mm apart, 3 mm thick, stored from head to foot."""
    hu = np.random.default_rng(2).integers(-1000, 1500, (5, 4, 6))
    folder = dicom_factory(hu[::-1], [(-10.0, -20.0, 8.0 - 2.0 * k) for k in range(5)])
    (folder / "README.txt").write_text("not DICOM")
    image = read_image(folder)
    assert np.array_equal(array_of(image), hu)
    assert image.GetSpacing() == pytest.approx((1.5, 2.0, 2.0))
    assert image.GetOrigin() == pytest.approx((-10.0, -20.0, 0.0))


def test_dicom_sagittal_series_has_its_own_axes(dicom_factory):
    """Rows run to the back and columns to the feet; slices are stacked along x."""
    hu = np.random.default_rng(3).integers(-1000, 1500, (3, 4, 6))
    positions = [(2.5 * k, 5.0, 7.0) for k in range(3)]
    image = read_image(dicom_factory(hu, positions, orientation=(0, 1, 0, 0, 0, -1)))
    assert image.TransformIndexToPhysicalPoint((0, 0, 2))[1:] == pytest.approx((5.0, 7.0))
    assert image.TransformIndexToPhysicalPoint((5, 3, 0))[1:] == pytest.approx((5.0 + 5 * 1.5, 7.0 - 3 * 2.0))
    for x_mm, plane in zip((0.0, 2.5, 5.0), hu):
        k = round(image.TransformPhysicalPointToContinuousIndex((x_mm, 5.0, 7.0))[2])
        assert np.array_equal(array_of(image)[k], plane)


def test_dicom_turned_about_the_body_axis(dicom_factory):
    a = np.deg2rad(20)
    orientation = (np.cos(a), np.sin(a), 0, -np.sin(a), np.cos(a), 0)
    image = read_image(dicom_factory(np.zeros((3, 4, 4)), [(0, 0, 2.0 * k) for k in range(3)], orientation=orientation))
    assert image.GetDirection() == pytest.approx((np.cos(a), -np.sin(a), 0, np.sin(a), np.cos(a), 0, 0, 0, 1), abs=1e-9)


def test_real_dicom_series(real_images):
    """2 mm between slices (thickness 3 mm), JPEG 2000, file order from head to foot, air and tissue in HU."""
    image = read_image(real_images / "ct_dicom")
    assert image.GetSize() == (512, 512, 20)
    assert image.GetSpacing() == pytest.approx((0.9765625, 0.9765625, 2.0))
    assert image.GetOrigin()[2] == pytest.approx(-804.5)
    hu = array_of(image)
    assert hu.min() >= -1024
    assert -20 < np.median(hu[:, 200:300, 200:300]) < 150


@pytest.mark.parametrize(
    "target",
    [
        Grid((20, 30, 40), (4.42, 3.1, 5.0), (-95.0, -50.0, -45.0)),
        Grid((20, 30, 40), (4.42, 3.1, 5.0), (97.0, 52.0, -45.0), FLIP_XY),
        Grid((24, 24, 80), (2.5, 7.0, 7.0), (-97.0, -80.0, 84.0), (1, 0, 0, 0, 0, 1, 0, -1, 0)),
    ],
    ids=["parallel", "flipped", "permuted"],
)
def test_mass_is_conserved_exactly(target):
    """A body inside both grids has the same mass and centre of mass on either."""
    source = Grid((60, 60, 60), (3.0, 3.0, 3.0), (-88.5, -88.5, -88.5))
    density = blob(source, (3.0, -2.0, 1.0), sigma=8.0)
    density[density < 1e-3] = 0.0
    new = regrid(density, source, target)
    mass = (new.mean * new.covered).sum() * target.voxel_volume_cm3
    assert mass == pytest.approx(density.astype(np.float32).sum(dtype=float) * source.voxel_volume_cm3, rel=1e-6)
    assert centre_of_mass(new.mean * new.covered, target) == pytest.approx(centre_of_mass(density, source), abs=0.05)


@pytest.mark.parametrize("angles", [(10, 0), (33, 21)])
def test_oblique_grid_keeps_mass_and_place(angles):
    source = Grid((60, 60, 60), (3.0, 3.0, 3.0), (-88.5, -88.5, -88.5))
    direction = turned(*angles)
    corner = np.reshape(direction, (3, 3)) @ np.full(3, -19.5 * 4.0)
    target = Grid((40, 40, 40), 4.0, tuple(corner), direction)
    density = blob(source, (3.0, -2.0, 1.0), sigma=10.0)
    new = regrid(density, source, target)
    mass = (new.mean * new.covered).sum() * target.voxel_volume_cm3
    assert mass == pytest.approx(density.sum() * source.voxel_volume_cm3, rel=1e-3)
    assert centre_of_mass(new.mean, target) == pytest.approx(centre_of_mass(density, source), abs=0.05)


def test_flipped_and_upright_grids_give_the_same_voxels():
    source = Grid((12, 20, 20), 3.0, (-28.5, -28.5, -16.5))
    upright = Grid((9, 14, 14), 4.3, (-28.0, -28.0, -17.0))
    flipped = Grid(upright.shape, 4.3, tuple(upright.to_physical((13, 13, 0))), FLIP_XY)
    rng = np.random.default_rng(5)
    values, labels = rng.random(source.shape), rng.integers(0, 9, source.shape)
    one, other = regrid(values, source, upright, labels), regrid(values, source, flipped, labels)
    assert other.mean[:, ::-1, ::-1] == pytest.approx(one.mean, abs=1e-12)
    assert np.array_equal(other.label[:, ::-1, ::-1], one.label)


def test_identity_regrid_changes_nothing():
    grid = Grid((5, 6, 7), (1.0, 2.0, 3.0), (4.0, 5.0, 6.0), turned(25, 40))
    rng = np.random.default_rng(6)
    values, labels = rng.random(grid.shape), rng.integers(0, 9, grid.shape)
    same = regrid(values, grid, grid, labels)
    assert same.mean == pytest.approx(values, rel=1e-6)
    assert same.covered == pytest.approx(np.ones(grid.shape))
    assert np.array_equal(same.label, labels)


def test_oblique_sampling_agrees_with_exact_overlap():
    """Turned by a hair, sampling takes over from overlaps and must give nearly the same."""
    source = Grid((40, 40, 40), 3.0, (-58.5, -58.5, -58.5))
    density = blob(source, sigma=15.0)
    exact_grid = Grid((20, 20, 20), 4.5, (-42.0, -42.0, -42.0))
    turned_grid = Grid(exact_grid.shape, 4.5, exact_grid.origin_mm, turned(0.2))
    exact, sampled = regrid(density, source, exact_grid), regrid(density, source, turned_grid)
    assert np.abs(sampled.mean - exact.mean).max() < 0.03
    assert sampled.mean.sum() == pytest.approx(exact.mean.sum(), rel=2e-3)


def test_label_is_that_of_most_mass():
    """A voxel of one quarter bone (2 g/cm3) and three quarters lung (0.26) is bone by mass, though lung by volume."""
    source, target = Grid((1, 1, 4), 1.0), Grid((1, 1, 1), (4.0, 1.0, 1.0), (1.5, 0.0, 0.0))
    new = regrid(np.array([[[0.26, 0.26, 0.26, 2.0]]]), source, target, np.array([[[0, 0, 0, 1]]]))
    assert new.label.item() == 1
    assert new.mean.item() == pytest.approx((3 * 0.26 + 2.0) / 4)


def test_nearest_takes_masks_across_directions():
    source = Grid((10, 10, 10), 2.0, (9.0, 9.0, -9.0), FLIP_XY)
    target = Grid((20, 20, 20), 1.0, (-9.5, -9.5, -9.5))
    mask = np.zeros(source.shape, bool)
    mask[2, 3, 4] = True
    moved = nearest(mask, source, target, outside=False)
    assert moved.sum() == 8
    assert np.argwhere(moved).mean(axis=0)[::-1] - 9.5 == pytest.approx(source.to_physical((4, 3, 2)))


def test_sheared_directions_are_refused():
    with pytest.raises(InputError, match="right angles"):
        Grid((4, 4, 4), 1.0, (0, 0, 0), (1, 0.2, 0, 0, 1, 0, 0, 0, 1))


def test_one_number_per_voxel_is_needed(tmp_path, image_factory):
    pair = image_factory(np.ones((4, 4, 4), np.float32))
    sitk.WriteImage(sitk.Compose(pair, pair), str(tmp_path / "v.nii.gz"))
    with pytest.raises(InputError, match="2 values per voxel"):
        read_image(tmp_path / "v.nii.gz")


def test_series_in_time_is_refused(tmp_path, image_factory):
    frame = image_factory(np.ones((4, 4, 4), np.float32))
    sitk.WriteImage(sitk.JoinSeries([frame, frame]), str(tmp_path / "t.nii.gz"))
    with pytest.raises(InputError, match="4 dimensions"):
        read_image(tmp_path / "t.nii.gz")
