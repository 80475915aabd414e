"""``python -m benchmarks cpu|start|memory|convergence|gpu``: measure, write to benchmarks/results and print the table.

``python -m benchmarks compare`` tells what changed between the last two measurements; status 1 if something got worse.
"""

import argparse
import sys

MEASUREMENTS = ("cpu", "start", "memory", "convergence", "gpu")


def main(arguments=None):
    """Run one benchmark; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure mcdose on this machine.")
    parser.add_argument("--output", metavar="FOLDER", help="where the results go (default: benchmarks/results)")
    what = parser.add_subparsers(dest="what", required=True)
    cpu = what.add_parser("cpu", help="histories per second and efficiency, beside a yardstick of fixed work")
    cpu.add_argument("--case", action="append", metavar="NAME", help="only this case (may be given again)")
    cpu.add_argument("--rounds", type=int)
    cpu.add_argument("--threads", type=int, help="all threads (default: every core)")
    what.add_parser("start", help="time to the first history, compiled and not")
    what.add_parser("memory", help="peak memory of a run on 512 x 512 x 400 voxels")
    what.add_parser("convergence", help="uncertainty over histories and time, and the time to 1 %% in a tumour")
    what.add_parser("gpu", help="accuracy and speed of a GPU, in under eight minutes")
    what.add_parser("lung_liver", help="figures and tables of docs/lung_liver.md, to docs/figures")
    changes = what.add_parser("compare", help="what changed between the last two measurements")
    changes.add_argument("benchmark", nargs="*", choices=[[], *MEASUREMENTS], metavar="BENCHMARK", help="default: all")
    options = parser.parse_args(arguments)
    if options.what == "compare":
        return _compare(options)
    print(_measure(options, parser))
    return 0


def _measure(options, parser):
    folder = options.output
    if options.what == "cpu":
        from benchmarks.cases import CASES
        from benchmarks.cpu import ROUNDS, run

        known = [case.name for case in CASES]
        for name in options.case or ():
            if name not in known:
                parser.error(f"unknown case {name}; choose among {', '.join(known)}")
        return run(options.case, options.threads, options.rounds or ROUNDS, folder=folder)
    if options.what == "memory":
        from benchmarks.memory import run
    elif options.what == "start":
        from benchmarks.start import run
    elif options.what == "convergence":
        from benchmarks.convergence import run
    elif options.what == "lung_liver":
        from benchmarks.lung_liver import run
    else:
        from benchmarks.gpu import run
    return run(folder=folder)


def _compare(options):
    from benchmarks.history import compare
    from benchmarks.report import RESULTS

    worse = []
    for name in options.benchmark or MEASUREMENTS:
        text, names = compare(options.output or RESULTS, name)
        print(text, end="\n\n")
        worse += names
    return 1 if worse else 0


if __name__ == "__main__":
    sys.exit(main())
