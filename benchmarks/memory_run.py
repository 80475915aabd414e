"""One run that tells its memory stage by stage: ``python -m benchmarks.memory_run VOXELS HISTORIES``.

Resident memory counts pages in use (Linux only); the peak is what the operating system saw, temporaries included.
"""

import json
import resource
import sys
from pathlib import Path

import mcdose
from benchmarks.images import body

PAGE = resource.getpagesize()
PEAK_UNIT = 1 if sys.platform == "darwin" else 1024  # bytes of ru_maxrss


def main(voxels, histories):
    """Print the stages as JSON."""
    stages = []

    def stage(name):
        statm = Path("/proc/self/statm")
        resident = int(statm.read_text().split()[1]) * PAGE if statm.exists() else None
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * PEAK_UNIT
        stages.append({"stage": name, "resident": resident, "peak": peak})

    ct, activity = body(voxels)
    stage("Python, packages and the two images")
    phantom = mcdose.Phantom.from_ct(ct, grid=activity)
    stage("phantom")
    source = mcdose.Source.from_activity(activity, "Y-90", phantom)
    stage("source")
    transport = []

    def progress(state):
        if state.phase == "transport":
            transport[:] = [state]
            stage("transport: source and physics tables, tally")
            del stages[3:-1]  # the last report stands for the phase

    dose = mcdose.monte_carlo(phantom, source, histories=histories, progress=progress)
    stage("dose and uncertainty")
    assert transport and dose.complete
    print(json.dumps(stages))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
