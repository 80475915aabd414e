"""Voxel S values as text: the table i, j, k, S that publications print.

1. A line holds three offsets (voxels along x, y, z) and the S value; commas, semicolons, tabs or spaces separate them.
   Further columns are ignored, lines that begin with # too, and so is a heading.
2. Offsets count without their sign. Where only some of the exchanges of i, j and k are printed (0 <= k <= j <= i, say),
   cubic voxels give the others.
3. Lines written by mcdose name spacing, emission and medium, so that they need not be given when it is read.
"""

import re
from itertools import permutations
from pathlib import Path

import numpy as np

from mcdose.errors import InputError
from mcdose.files import atomic
from mcdose.s_value_kernel import MGY_PER_MBQ_S, SValueKernel

UNITS = {"mGy/(MBq s)": 1.0 / MGY_PER_MBQ_S, "Gy per decay": 1.0}
SAME = 0.02  # relative to the self value: two lines for the same place that differ more contradict each other
LARGEST = 200  # offset


def write_text(kernel, path, half=None):
    """Write S values in mGy/(MBq s), one octant.

    Parameters
    ----------
    kernel : SValueKernel
    path : str or Path
    half : tuple of int, optional
        Largest offsets (z, y, x); by default those stored voxel by voxel, beyond which only photons get.
    """
    octant = kernel.octant_gy(kernel.near_half if half is None else half) * MGY_PER_MBQ_S
    size = " ".join(f"{s:.10g}" for s in kernel.spacing_mm)
    lines = [
        "# voxel S values, mGy/(MBq s); mirror images are equal",
        f"# spacing_mm (x y z): {size}",
        f"# emission: {kernel.emission}",
        f"# medium: {kernel.medium}",
        f"# density_g_cm3: {kernel.density_g_cm3:.10g}",
        "i,j,k,S",
    ]
    lines += [f"{i},{j},{k},{octant[k, j, i]:.6e}" for k, j, i in np.ndindex(octant.shape)]
    with atomic(path) as part:
        part.write_text("\n".join(lines) + "\n", encoding="utf-8")


def read_text(path, spacing_mm=None, emission=None, medium=None, density_g_cm3=None, unit="mGy/(MBq s)"):
    """A kernel from a table i, j, k, S.

    Parameters
    ----------
    path : str or Path
    spacing_mm, emission, medium, density_g_cm3
        As in :class:`mcdose.SValueKernel`; may be left out where the file names them.
    unit : {"mGy/(MBq s)", "Gy per decay"}

    Returns
    -------
    SValueKernel
        As far as the table reaches, without a tail and without uncertainties.

    Raises
    ------
    InputError
        For a file that is not such a table, gaps in it, or a missing property.
    """
    path = Path(path)
    if unit not in UNITS:
        raise InputError(f"unit {unit!r}: choose one of {', '.join(UNITS)}")
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read as text; give a table i, j, k, S") from error
    named = _named(lines)
    spacing = spacing_mm if spacing_mm is not None else named.get("spacing_mm (x y z)")
    if isinstance(spacing, str):
        spacing = tuple(float(s) for s in spacing.split())
    given = {
        "spacing_mm": spacing,
        "emission": emission or named.get("emission"),
        "medium": medium or named.get("medium"),
        "density_g_cm3": density_g_cm3 or named.get("density_g_cm3"),
    }
    for name, value in given.items():
        if value is None:
            raise InputError(f"{path}: does not name its {name}; give {name}")
    offsets, values = _rows(lines, path)
    cubic = np.ndim(given["spacing_mm"]) == 0 or len(set(given["spacing_mm"])) == 1
    near = _octant(offsets, values * UNITS[unit], cubic, path)
    return SValueKernel(
        near, given["spacing_mm"], given["emission"], given["medium"], float(given["density_g_cm3"]),
        settings={"method": "table", "file": str(path)},
    )  # fmt: skip


def _named(lines):
    pairs = (re.fullmatch(r"#\s*([^:]+):\s*(.+)", line.strip()) for line in lines)
    return {pair[1].strip(): pair[2].strip() for pair in pairs if pair}


def _rows(lines, path):
    """Offsets (n, 3) without their sign and values (n,)."""
    rows = []
    for number, line in enumerate(lines, 1):
        cells = [c for c in re.split(r"[,;\s]+", line.strip()) if c]
        if not cells or cells[0].startswith("#") or (not rows and re.match(r"[A-Za-z]", cells[0])):
            continue
        try:
            rows.append((*(int(c) for c in cells[:3]), float(cells[3])))
        except (ValueError, IndexError) as error:
            raise InputError(f"{path}: line {number} is not i, j, k, S: {line.strip()[:60]!r}; mend it") from error
    if not rows:
        raise InputError(f"{path}: no line with i, j, k, S; give a table of voxel S values")
    table = np.array(rows)
    offsets = np.abs(table[:, :3].astype(int))
    if offsets.max() > LARGEST:
        raise InputError(f"{path}: an offset of {offsets.max()} voxels; offsets count from the source voxel")
    return offsets, table[:, 3]


def _octant(offsets, values, cubic, path):
    sides = offsets.max(axis=0) + 1 if not cubic else np.full(3, offsets.max() + 1)
    near = np.full(sides[::-1], np.nan)
    orders = tuple(permutations(range(3))) if cubic else ((0, 1, 2),)
    top = values.max()
    for order in orders:  # the table's own order first: it has precedence
        for (i, j, k), value in zip(offsets[:, order], values):
            if np.isnan(near[k, j, i]):
                near[k, j, i] = value
            elif abs(near[k, j, i] - value) > SAME * top:
                raise InputError(
                    f"{path}: offset ({i}, {j}, {k}) has {near[k, j, i]:.3g} and, by symmetry, {value:.3g} Gy per "
                    "decay; give one table of one kernel"
                )
    if np.isnan(near).any():
        k, j, i = np.argwhere(np.isnan(near))[0]
        raise InputError(f"{path}: no S value for ({i}, {j}, {k}); give every offset up to the largest")
    return near
