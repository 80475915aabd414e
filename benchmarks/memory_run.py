"""Memory of one run, by stages: ``python -m benchmarks.memory_run CT ACTIVITY NUCLIDE HISTORIES FOLDER``.

1. The steps are those of ``mcdose dose``: two images from the disk, phantom, source, transport, results to the disk.
2. "In use" is the resident memory at the end of a stage, "peak" the largest since its beginning, temporaries included;
   where the system does not tell them apart (it is not Linux), the peak is that since the process began.
"""

import contextlib
import json
import resource
import sys
import time
from pathlib import Path

STATUS, RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")
RESET_PEAK = "5"  # what to write to clear_refs (proc(5))
PEAK_UNIT = 1 if sys.platform == "darwin" else 1024  # bytes of ru_maxrss


class Stages:
    """Memory and time of the stages of this process."""

    def __init__(self):
        self.rows = []
        self._begin()

    def end(self, name):
        """Note a stage that has ended; the next one begins."""
        resident, peak = _status()
        seconds = time.perf_counter() - self._began
        self.rows.append({"stage": name, "resident": resident, "peak": peak, "seconds": seconds})
        self._begin()

    def _begin(self):
        if RESET.exists():
            RESET.write_text(RESET_PEAK)
        self._began = time.perf_counter()


def _status():
    if not STATUS.exists():
        return None, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * PEAK_UNIT
    kilobytes = dict(line.split(":") for line in STATUS.read_text().splitlines() if line.startswith("Vm"))
    return tuple(int(kilobytes[name].split()[0]) * 1024 for name in ("VmRSS", "VmHWM"))


def main(ct, activity, nuclide, histories, folder):
    """Print the stages as JSON."""
    stages = Stages()
    import mcdose
    from mcdose.run import write_results

    ct, activity = mcdose.read_image(ct), mcdose.read_image(activity)
    stages.end("Python, packages and the two images")
    phantom = mcdose.Phantom.from_ct(ct, grid=activity)
    stages.end("phantom")
    source = mcdose.Source.from_activity(activity, nuclide, phantom)
    stages.end("source")
    del activity
    dose = mcdose.monte_carlo(phantom, source, histories=int(histories))
    stages.end("transport: source and physics tables, tally, dose")
    rate = dose.histories_per_second
    with contextlib.redirect_stdout(sys.stderr):  # its summary
        write_results(dose, folder, ct)
    stages.end("results: HDF5, images, figure")
    print(json.dumps({"per_s": rate, "stages": stages.rows}))


if __name__ == "__main__":
    main(*sys.argv[1:])
