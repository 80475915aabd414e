"""Peak memory of a whole run: 512 x 512 x 400 voxels from CT and activity image to the results, in a fresh process."""

import math
import tempfile
from pathlib import Path

import SimpleITK as sitk

from benchmarks.fresh import child
from benchmarks.images import body
from benchmarks.report import Figure, table, write

MIB = 2**20
SHAPE, HISTORIES, NUCLIDE = (400, 512, 512), 2_000_000, "Lu-177"


def run(shape=SHAPE, histories=HISTORIES, folder=None):
    """Measure, write the results and return the Markdown."""
    with tempfile.TemporaryDirectory() as place:
        paths = [Path(place, name) for name in ("ct.nii", "activity.nii")]
        for image, path in zip(body(shape), paths):
            sitk.WriteImage(image, str(path))
        result = child("memory_run", *paths, NUCLIDE, histories, place)
    count = math.prod(shape)
    header = ["stage", "s", "MiB in use at its end", "largest, MiB", "bytes/voxel"]
    rows = [
        [
            stage["stage"],
            f"{stage['seconds']:.1f}",
            "–" if stage["resident"] is None else f"{stage['resident'] / MIB:,.0f}",
            f"{stage['peak'] / MIB:,.0f}",
            f"{stage['peak'] / count:.0f}",
        ]
        for stage in result["stages"]
    ]
    peak = max(stage["peak"] for stage in result["stages"])
    nz, ny, nx = shape
    text = (
        f"{table(header, rows)}\n\nPeak {peak / 1e9:.2f} GB, {peak / count:.0f} bytes per voxel in all. {NUCLIDE} in a "
        f"body of soft tissue, lungs and bone from a CT of {nx} x {ny} x {nz} voxels, activity in every voxel of the "
        f"body, {histories:,} histories on all threads, {result['per_s']:,.0f} per second."
    )
    figures = {"peak, bytes per voxel": Figure(peak / count, 0.01, more_is_better=False)}
    result = {"shape": shape, "histories": histories, "peak": peak, **result}
    return write("memory", "Memory", result, text, figures, folder)
