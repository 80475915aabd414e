"""How the uncertainty in a tumour falls with histories and time, and how long 1 % takes.

1. Runs of four times more histories each, with seeds of their own, in batches of one size: the slope of ln(uncertainty)
   over ln(histories) must be -1/2, and time must grow in proportion.
2. One run that stops at 1 %: from the call to the dose, tables and loading of kernels included.
"""

import time

import numpy as np

import mcdose
from benchmarks.cases import patient
from benchmarks.report import Figure, table, write

NUCLIDE, HALF_WIDTH, TARGET = "Lu-177", 64, 0.01
BATCH, FACTOR, RUNS = 50_000, 4, 3
FEWEST = 20  # batches: the uncertainty is then known to 1/sqrt(2 x 19) = 16 % per voxel, 1 % over a tumour


def run(half_width=HALF_WIDTH, batch=BATCH, target=TARGET, folder=None):
    """Measure, write the results and return the Markdown."""
    phantom, decays, tumour = patient(half_width)
    source = mcdose.Source(decays, NUCLIDE, phantom)
    rows = [
        _measure(phantom, source, tumour, seed=k + 2, histories=batch * n, batches=n)
        for k, n in enumerate(FEWEST * FACTOR**k for k in range(RUNS))
    ]
    slope = np.polyfit(*(np.log([r[name] for r in rows]) for name in ("histories", "uncertainty")), 1)[0]
    goal = _measure(phantom, source, tumour, seed=1, uncertainty=target, mask=tumour)
    cells = [
        [f"{r['histories']:,}", f"{r['uncertainty']:.2%}", f"{r['transport_s']:.2f}", f"{r['call_s']:.2f}"]
        for r in (*rows, goal)
    ]
    header = ["histories", "uncertainty", "transport, s", "whole call, s"]
    nz, ny, nx = phantom.shape
    text = (
        f"{table(header, cells)}\n\nMean relative uncertainty of the {int(tumour.sum()):,} voxels of a tumour; "
        f"{NUCLIDE} in all of a body of {nx} x {ny} x {nz} voxels of {phantom.spacing_mm[0]:g} mm, all threads. In "
        f"batches of {batch:,} it falls with histories to the power {slope:.3f}. The last run stopped at {target:.0%}, "
        "in batches that grow as they do by default: larger ones spread the decays more evenly over the voxels."
    )
    result = {"runs": rows, "slope": slope, "goal": goal, "target": target}
    per_second = 1 / (goal["uncertainty"] ** 2 * goal["transport_s"])
    figures = {
        f"seconds to {target:.0%} in the tumour, whole call": Figure(goal["call_s"], 0.05, more_is_better=False),
        "1/(sigma^2 T) in the tumour, all threads, 1/s": Figure(per_second, 0.05),
    }
    return write("convergence", "Convergence", result, text, figures, folder)


def _measure(phantom, source, tumour, **options):
    begin = time.perf_counter()
    dose = mcdose.monte_carlo(phantom, source, **options)
    return {
        "histories": dose.histories,
        "uncertainty": dose.mean_uncertainty(tumour),
        "transport_s": dose.seconds,
        "call_s": time.perf_counter() - begin,
    }
