"""``mcdose validate``: run the suite, write the report, say how it went."""

from pathlib import Path

from benchmarks.report import table
from benchmarks.validation.catalogue import choose
from benchmarks.validation.display import live_display
from benchmarks.validation.report import write_report
from benchmarks.validation.runner import SEEDS
from benchmarks.validation.suite import run_suite
from benchmarks.validation.text import HEADLINE_HEADER, headline_cells
from mcdose.errors import InputError
from mcdose.files import output_folder

FULL = 10.0  # times the histories of the quick suite: sigmas a third of its
REPORT_BYTES = 20e6
FAILED = 1  # exit status


def validate(output, full=False, cases=None, threads=None, seed=1, scale=1.0):
    """Run the suite and write its report.

    Parameters
    ----------
    output : str or Path
        Folder of the report; made if it does not exist.
    full : bool
        Ten times the histories.
    cases : sequence of str, optional
        Names of cases or groups; all by default.
    threads : int, optional
    seed : int
    scale : float
        Factor on the histories, for trials.

    Returns
    -------
    int
        0 if every row passes, 1 if one fails.

    Raises
    ------
    InputError
        Unknown case, bad number of threads or seed, or a folder that cannot be written.
    """
    chosen = choose(cases)
    if threads is not None and threads < 1:
        raise InputError(f"--threads: {threads}; give a whole number above zero")
    if not 0 <= seed < SEEDS:
        raise InputError(f"--seed: {seed}; give a whole number from 0 to 2**64 - 1")
    effort = "full" if full else "quick"
    folder = Path(output)
    with output_folder(folder, REPORT_BYTES), live_display(len(chosen) + 1) as display:
        suite = run_suite(chosen, effort, scale * (FULL if full else 1.0), seed, threads, display)
        write_report(suite, folder)
    print(table(HEADLINE_HEADER, [headline_cells(result) for result in suite.results]))
    print(f"\nreport: {folder / 'report.html'}, {folder / 'report.md'}; numbers: {folder / 'results.json'}")
    return 0 if suite.passed else FAILED
