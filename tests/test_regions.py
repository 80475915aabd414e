"""Masks and label images on the dose grid."""

import numpy as np
import pytest

from mcdose.errors import InputError
from mcdose.grid import Grid
from mcdose.images import write_image
from mcdose.regions import read_names, regions_on

GRID = Grid((10, 12, 14), 3.0)


@pytest.fixture
def labels():
    values = np.zeros(GRID.shape, np.int16)
    values[2:5], values[5:8, 3:6] = 5, 13
    return values


def test_arrays_are_taken_as_they_are(labels):
    masks = regions_on(GRID, labels).masks
    assert {name: int(mask.sum()) for name, mask in masks.items()} == {"masks 5": 504, "masks 13": 126}
    masks = regions_on(GRID, {"liver": labels == 5}).masks
    assert np.array_equal(masks["liver"], labels == 5)


def test_a_finer_label_image_is_taken_at_voxel_centres(labels, image_factory):
    """Each 3 mm voxel holds 3^3 voxels of 1 mm; the central one decides, and it is said."""
    fine = labels.repeat(3, 0).repeat(3, 1).repeat(3, 2)
    fine[6, :, :] = 0  # the lowest third of slice 2: not its centre
    found = regions_on(GRID, image_factory(fine, (1, 1, 1), (-1, -1, -1)), {5: "liver", 13: "lung"})
    assert np.array_equal(found.masks["liver"], labels == 5) and np.array_equal(found.masks["lung"], labels == 13)
    assert any("nearest voxel" in note for note in found.notes)


def test_a_flipped_image_lands_where_it_belongs(labels, image_factory):
    end = [3.0 * 13, 3.0 * 11, 0.0]
    flipped = image_factory(labels[:, ::-1, ::-1], (3, 3, 3), end, (-1, 0, 0, 0, -1, 0, 0, 0, 1))
    assert np.array_equal(regions_on(GRID, {"lung": flipped}).masks["lung"], labels > 0)


def test_same_grid_says_nothing(labels, image_factory):
    assert regions_on(GRID, image_factory(labels, (3, 3, 3))).notes == ()


def test_names_select_and_a_file_names_itself(labels, image_factory, tmp_path):
    path = tmp_path / "organs.nii.gz"
    write_image(image_factory(labels, (3, 3, 3)), path)
    assert list(regions_on(GRID, path).masks) == ["organs 5", "organs 13"]
    found = regions_on(GRID, path, {5: "liver"})
    assert list(found.masks) == ["liver"] and "1 labels without a name" in found.notes[0]
    write_image(image_factory((labels == 5).astype(np.uint8), (3, 3, 3)), tmp_path / "liver.mha")
    assert list(regions_on(GRID, [path, tmp_path / "liver.mha"]).masks) == ["organs 5", "organs 13", "liver"]


def test_segmentations_of_slicer_bring_names(labels, image_factory):
    image = image_factory(labels, (3, 3, 3))
    for key, value in (("Segment0_LabelValue", "5"), ("Segment0_Name", "liver")):
        image.SetMetaData(key, value)
    assert list(regions_on(GRID, image).masks) == ["liver", "masks 13"]


def test_names_files(tmp_path):
    file = tmp_path / "names.txt"
    file.write_text(
        '# TotalSegmentator\n5 liver\n10,lung upper left\n\n 3   0 255  0  1 1 1 "left kidney"\n7 pancreas 1 2 3 255\n'
    )
    assert read_names(file) == {5: "liver", 10: "lung upper left", 3: "left kidney", 7: "pancreas"}
    file.write_text("liver 5\n")
    with pytest.raises(InputError, match="line 1 'liver 5'"):
        read_names(file)


def test_labels_outside_the_grid_are_named_and_cut_ones_said(labels, image_factory):
    whole = np.zeros((20, 12, 14), np.uint8)  # reaches further up than the dose
    whole[6:14], whole[16:] = 5, 9
    found = regions_on(GRID, image_factory(whole, (3, 3, 3)), {5: "liver", 9: "brain"})
    assert found.masks["liver"].sum() == 4 * 12 * 14
    assert any("left out: brain" in note for note in found.notes)
    assert any("67 % of what it marks lies outside" in note for note in found.notes)


@pytest.mark.parametrize(
    ("masks", "words"),
    [
        ({"liver": np.zeros(GRID.shape, bool)}, "mask liver: no voxel above zero inside"),
        (np.zeros(GRID.shape, np.uint8), "zero everywhere"),
        ({"liver": np.ones((2, 2, 2), bool)}, r"shape \(2, 2, 2\) for a dose of shape \(10, 12, 14\)"),
        (np.full(GRID.shape, 0.5), "fractions"),
        (np.arange(GRID.shape[0] * 168).reshape(GRID.shape), "different values"),
        ("nowhere.nii.gz", "no such file"),
    ],
)
def test_what_is_no_mask_is_refused(masks, words):
    with pytest.raises(InputError, match=words) as error:
        regions_on(GRID, masks)
    assert "\n" not in str(error.value)


def test_a_mask_beside_the_dose_is_refused(labels, image_factory):
    with pytest.raises(InputError, match="no voxel above zero inside the dose grid"):
        regions_on(GRID, image_factory(labels, (3, 3, 3), (1000, 0, 0)))
    with pytest.raises(InputError, match="none of its labels is named"):
        regions_on(GRID, labels, {99: "foot"})
    with pytest.raises(InputError, match="two regions are called"):
        regions_on(GRID, [labels, labels])
