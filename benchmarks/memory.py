"""Peak memory of a whole run: 256^3 voxels from CT and activity image to the dose, in a fresh process."""

from benchmarks.fresh import child
from benchmarks.report import table, write

MIB = 2**20
VOXELS, HISTORIES = 256, 1_000_000


def run(voxels=VOXELS, histories=HISTORIES, folder=None):
    """Measure, write the results and return the Markdown."""
    stages = child("memory_run", voxels, histories)
    count = voxels**3
    header = ["stage", "MiB in use", "more than before", "bytes/voxel", "peak so far, MiB"]
    rows, before = [], None
    for stage in stages:
        used = stage["resident"]
        grown = None if before is None or used is None else used - before
        rows.append(
            [
                stage["stage"],
                "–" if used is None else f"{used / MIB:,.0f}",
                "–" if grown is None else f"{grown / MIB:,.0f}",
                "–" if grown is None else f"{grown / count:.1f}",
                f"{stage['peak'] / MIB:,.0f}",
            ]
        )
        before = used
    peak = stages[-1]["peak"]
    text = (
        f"{table(header, rows)}\n\nPeak {peak / MIB:,.0f} MiB: {peak / count:.0f} bytes per voxel in all. Y-90 in a "
        f"body of soft tissue, lungs and bone from a CT of {voxels}³ voxels, activity in every voxel of the body, "
        f"{histories:,} histories on all threads."
    )
    return write("memory", "Memory", {"voxels": voxels, "histories": histories, "stages": stages}, text, folder)
