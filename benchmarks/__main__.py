"""``python -m benchmarks cpu|memory|start``: measure, write to benchmarks/results and print the table."""

import argparse


def main(arguments=None):
    """Run one benchmark."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure mcdose on this machine.")
    parser.add_argument("--output", metavar="FOLDER", help="where the results go (default: benchmarks/results)")
    what = parser.add_subparsers(dest="what", required=True)
    cpu = what.add_parser("cpu", help="histories per second and efficiency, beside a yardstick of fixed work")
    cpu.add_argument("--case", action="append", metavar="NAME", help="only this case (may be given again)")
    cpu.add_argument("--rounds", type=int, default=20)
    cpu.add_argument("--threads", type=int, help="all threads (default: every core)")
    what.add_parser("memory", help="peak memory of a run on 256^3 voxels")
    what.add_parser("start", help="time to the first history, compiled and not")
    options = parser.parse_args(arguments)
    if options.what == "cpu":
        from benchmarks.cases import CASES
        from benchmarks.cpu import run

        known = [case.name for case in CASES]
        for name in options.case or ():
            if name not in known:
                parser.error(f"unknown case {name}; choose among {', '.join(known)}")
        text = run(options.case, options.threads, options.rounds, folder=options.output)
    elif options.what == "memory":
        from benchmarks.memory import run

        text = run(folder=options.output)
    else:
        from benchmarks.start import run

        text = run(folder=options.output)
    print(text)


if __name__ == "__main__":
    main()
