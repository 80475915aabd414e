"""One start, timed: ``python -m benchmarks.start_run TIME CT ACTIVITY``, TIME being when the process was started."""

import json
import sys
import time


def main(begin, ct, activity):
    """Print the seconds from ``begin`` to each stage as JSON."""
    passed = {}

    def stage(name):
        passed.setdefault(name, time.time() - begin)

    import mcdose

    stage("import mcdose")
    ct, activity = mcdose.read_image(ct), mcdose.read_image(activity)
    phantom = mcdose.Phantom.from_ct(ct, grid=activity)
    stage("CT read, phantom made")
    source = mcdose.Source.from_activity(activity, "Y-90", phantom)
    stage("activity made into a source")

    def progress(state):
        if state.phase == "transport":
            stage("first history done")

    mcdose.monte_carlo(phantom, source, histories=2, batches=2, progress=progress)
    stage("dose")
    print(json.dumps(passed))


if __name__ == "__main__":
    main(float(sys.argv[1]), *sys.argv[2:])
