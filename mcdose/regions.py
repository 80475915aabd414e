"""Named regions of a dose grid, from label images, masks and arrays.

1. A label image holds one whole number per voxel, 0 for what belongs to no region; a mask is one with a single label.
2. On another grid a dose voxel takes the label at its centre (nearest voxel): labels are never averaged. It is noted.
3. A label takes its name from the names given, from the file (segmentations of 3D Slicer), or from its number. Given
   names also select: labels without one are left out.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from mcdose.errors import InputError
from mcdose.images import array_of, grid_of, image_name, read_image
from mcdose.resample import nearest

# More different values than this is a picture, not labels: TotalSegmentator has 117, the ICRP phantoms 141.
MOST_LABELS = 1000
# A region is said to be cut by the edge of the dose grid when more than this share of it lies outside.
CUT_SHARE = 0.01
SUFFIXES = (".seg.nrrd", ".nii.gz", ".nii", ".nrrd", ".mha", ".mhd")


class Regions(NamedTuple):
    """Bool arrays [z, y, x] by name, and what the user should know of how they were made."""

    masks: dict
    notes: tuple = ()


def regions_on(grid, masks, names=None):
    """Regions on a dose grid.

    Parameters
    ----------
    grid : Grid
        Of the dose.
    masks : dict, array, SimpleITK.Image, path, or a list of the last three
        A dict gives each region its name. Arrays [z, y, x] are on the dose grid: bool, or whole numbers as labels.
        Images may lie on any grid.
    names : dict or path, optional
        Name of each label: ``{5: "liver"}``, or a text file as :func:`read_names` takes it. Others are left out.

    Returns
    -------
    Regions

    Raises
    ------
    InputError
        An array of another shape, values that are not labels, or a mask without a voxel in the dose grid.

    Examples
    --------
    >>> import numpy as np
    >>> from mcdose.grid import Grid
    >>> labels = np.zeros((2, 3, 4), int)
    >>> labels[1] = 5
    >>> regions = regions_on(Grid(labels.shape, 2.0), labels, {5: "liver"})
    >>> int(regions.masks["liver"].sum())
    12
    """
    names = read_names(names) if isinstance(names, str | Path) else dict(names or {})
    found, notes = {}, []
    if isinstance(masks, Mapping):
        for name, mask in masks.items():
            region, said = mask_on(grid, mask, f"mask {name}")
            _add(found, str(name), region)
            notes.extend(said)
        return Regions(found, tuple(notes))
    for mask in masks if isinstance(masks, list | tuple) else [masks]:
        for name, region in _labelled(mask, grid, names, notes):
            _add(found, name, region)
    return Regions(found, tuple(notes))


def mask_on(grid, mask, name="mask"):
    """One region on a dose grid: whatever is above zero.

    Parameters
    ----------
    grid : Grid
    mask : array [z, y, x] on the grid, SimpleITK.Image on any grid, or path
    name : str
        What messages call an array, or an image that came from no file.

    Returns
    -------
    bool array [z, y, x], tuple of str
        The region, and notes for the user.

    Raises
    ------
    InputError
        An array of another shape, or no voxel in the grid.
    """
    notes = []
    if not _is_image(mask):
        region = _checked_array(mask, grid, name) > 0
    else:
        image = _read(mask)
        name = image_name(image, name)
        region = _resampled(array_of(image) > 0, image, grid, notes)
    if not region.any():
        raise InputError(f"{name}: no voxel above zero inside the dose grid; check the mask and its position")
    return region, tuple(notes)


def read_names(path):
    """Names of labels from a text file.

    Each line holds a label and its name, such as ``5 liver`` or ``5,liver``; colour tables of 3D Slicer (number, name,
    colours) and label descriptions of ITK-SNAP (number, colours, "name") are read too. Lines that begin with # are
    comments.

    Returns
    -------
    dict of int to str

    Raises
    ------
    InputError
    """
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read as text; give lines such as 5 liver") from error
    names = {}
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = re.fullmatch(r"\s*(\d+)[\s,;:=]+(.*?)\s*", line)
        quoted = re.search(r'"([^"]+)"', line)
        words = [w for w in re.split(r"[\s,;]+", match[2]) if not re.fullmatch(r"[\d.]*", w)] if match else []
        if not words:
            raise InputError(f"{path}: line {number} {line!r} is not a label and its name; write lines such as 5 liver")
        names[int(match[1])] = quoted[1] if quoted else " ".join(words)
    return names


def _add(found, name, region):
    if name in found:
        raise InputError(f"masks: two regions are called {name}; name them apart, such as with a dict or a names file")
    found[name] = region


def _labelled(mask, grid, names, notes):
    """Name and bool array of every label of one image or array."""
    if _is_image(mask):
        image = _read(mask)
        title, known = image_name(image, "masks"), names or _names_in(image)
        values = _whole(array_of(image), title)
        present = _labels(values, title)
        labels = _resampled(values, image, grid, notes)
    else:
        title, known = "masks", names
        labels = _whole(_checked_array(mask, grid, title), title)
        present = _labels(labels, title)
    stem = _stem(title)
    plain = stem if present.size == 1 else None
    outside, chosen = [], [label for label in present.tolist() if not names or label in names]
    if not chosen:
        raise InputError(f"{title}: none of its labels is named ({', '.join(names.values())}); check the names")
    if len(chosen) < present.size:
        notes.append(f"{title}: {present.size - len(chosen)} labels without a name left out")
    for label in chosen:
        name = known.get(label) or plain or f"{stem} {label}"
        region = labels == label
        if region.any():
            yield name, region
        else:
            outside.append(name)
    if len(outside) == len(chosen):
        raise InputError(f"{title}: no voxel above zero inside the dose grid; check the mask and its position")
    if outside:
        notes.append(f"{title}: no voxel inside the dose grid, left out: {', '.join(outside)}")


def _resampled(values, image, grid, notes):
    own = grid_of(image)
    if own.matches(grid):
        return values
    title = image_name(image, "masks")
    notes.append(f"{title}: on another grid; each dose voxel takes the label at its centre (nearest voxel)")
    marked = values > 0
    inside = nearest(np.ones(grid.shape, bool), grid, own, outside=False)
    cut = float((marked & ~inside).sum() / max(marked.sum(), 1))
    if CUT_SHARE < cut < 1:
        notes.append(f"{title}: {100 * cut:.0f} % of what it marks lies outside the dose grid")
    return nearest(values, own, grid)


def _labels(values, title):
    present = np.unique(values)
    if present[0] < 0 or present.size > MOST_LABELS:
        raise InputError(
            f"{title}: {present.size} different values from {present[0]} to {present[-1]}; "
            "give a mask or a label image (whole numbers, 0 outside)"
        )
    present = present[present > 0]
    if not present.size:
        raise InputError(f"{title}: zero everywhere; give a mask that marks at least one voxel")
    return present


def _whole(values, title):
    """Labels as integers; files often keep them as floats."""
    if values.dtype.kind == "b":
        return values.astype(np.uint8)
    if values.dtype.kind in "iu":
        return values
    if not np.isfinite(values).all() or (values != np.round(values)).any():
        raise InputError(f"{title}: holds fractions or NaN; give a mask or a label image (whole numbers, 0 outside)")
    return values.astype(np.int64)


def _checked_array(mask, grid, name):
    values = np.asarray(mask)
    if values.shape != grid.shape or values.dtype.kind not in "biuf":
        raise InputError(
            f"{name}: an array of shape {values.shape} for a dose of shape {grid.shape}; "
            "give an array [z, y, x] on the dose grid, or an image, which is resampled"
        )
    return values


def _is_image(mask):
    return isinstance(mask, str | Path) or hasattr(mask, "GetSpacing")


def _read(mask):
    return read_image(mask) if isinstance(mask, str | Path) else mask


def _stem(title):
    name = Path(title).name
    for suffix in SUFFIXES:
        if name.lower().endswith(suffix):
            return name[: -len(suffix)]
    return name


def _names_in(image):
    """Names in the header of a segmentation of 3D Slicer: Segment0_Name, Segment0_LabelValue, ..."""
    names = {}
    for key in image.GetMetaDataKeys():
        match = re.fullmatch(r"(Segment\d+)_LabelValue", key)
        if match and image.HasMetaDataKey(f"{match[1]}_Name"):
            names[int(image.GetMetaData(key))] = image.GetMetaData(f"{match[1]}_Name")
    return names
