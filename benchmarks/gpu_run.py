"""One run on a GPU in a process of its own: ``python -m benchmarks.gpu_run start`` or ``... tumour NUCLIDE``."""

import json
import sys
import time

BEGIN = time.perf_counter()  # the interpreter itself needs 0.02 s before


def main(what, nuclide="Y-90"):
    """Print what was timed as JSON."""
    import mcdose
    from benchmarks.cases import patient

    if what == "start":
        phantom = mcdose.Phantom.uniform(mcdose.material("water"), (16,) * 3, 4.0)
        dose = mcdose.monte_carlo(
            phantom, mcdose.Source.point((30, 30, 30), "F-18", phantom), histories=2, device="cuda"
        )
        print(json.dumps({"seconds": time.perf_counter() - BEGIN, "device": dose.settings["device"]}))
        return
    made = time.perf_counter()
    phantom, decays, mask = patient(64)
    made = time.perf_counter() - made
    source = mcdose.Source(decays, nuclide, phantom)
    dose = mcdose.monte_carlo(phantom, source, uncertainty=0.01, mask=mask, device="cuda")
    print(
        json.dumps(
            {
                "seconds": time.perf_counter() - BEGIN - made,  # making the phantom is the benchmark's own work
                "transport_s": dose.seconds,
                "histories": dose.histories,
                "uncertainty": dose.mean_uncertainty(mask),
            }
        )
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
