"""How long a user waits for the first sign of life, each time in fresh processes.

1. ``mcdose --help``, beside Python that does nothing.
2. CT and activity image of 128^3 voxels from disk to the first history: with nothing compiled yet, then compiled.
"""

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import SimpleITK as sitk

from benchmarks.fresh import ROOT, child
from benchmarks.images import body
from benchmarks.report import Figure, table, write

VOXELS, REPEATS = 128, 5
SPREAD = 0.05  # relative standard error of such times: what the system had in its caches


def _seconds(*arguments):
    """Wall time of a fresh Python."""
    begin = time.perf_counter()
    subprocess.run([sys.executable, *arguments], cwd=ROOT, check=True, capture_output=True)
    return time.perf_counter() - begin


def run(voxels=VOXELS, repeats=REPEATS, folder=None):
    """Measure, write the results and return the Markdown."""
    python = statistics.median(_seconds("-c", "pass") for _ in range(repeats))
    usage = statistics.median(_seconds("-m", "mcdose", "--help") for _ in range(repeats))
    with tempfile.TemporaryDirectory() as place:
        ct, activity, cache = (Path(place, name) for name in ("ct.nii", "activity.nii", "cache"))
        for image, path in zip(body(voxels), (ct, activity)):
            sitk.WriteImage(image, str(path))

        def first_history():
            return child("start_run", time.time(), ct, activity, cache=cache)

        cold = first_history()
        warm = [first_history() for _ in range(repeats)]
    stages = {name: statistics.median(w[name] for w in warm) for name in cold}
    result = {"voxels": voxels, "python_s": python, "help_s": usage, "cold_s": cold, "warm_s": stages}
    header = ["from the start of the process to", "s", "s, nothing compiled yet"]
    rows = [["Python that does nothing", f"{python:.2f}", ""], ["mcdose --help, ended", f"{usage:.2f}", ""]]
    rows += [[name, f"{stages[name]:.2f}", f"{cold[name]:.2f}"] for name in cold]
    text = f"{table(header, rows)}\n\nMedians of {repeats}; compilation is timed once. {voxels}³ voxels, Y-90."
    figures = {
        "mcdose --help, s": usage,
        "first history, compiled, s": stages["first history done"],
        "first history, nothing compiled, s": cold["first history done"],
    }
    figures = {name: Figure(seconds, SPREAD, more_is_better=False) for name, seconds in figures.items()}
    return write("start", "Start-up", result, text, figures, folder)
