"""Running cases one after the other."""

import time
from dataclasses import dataclass

from benchmarks.report import machine
from benchmarks.validation.case import CaseResult
from benchmarks.validation.consistency import balance_case
from benchmarks.validation.runner import Runner


@dataclass(frozen=True)
class SuiteResult:
    """All results of a suite.

    Attributes
    ----------
    results : tuple of CaseResult
    effort : str
        "quick" or "full".
    scale : float
        Factor on the histories of the quick suite.
    seed, threads : int
        Threads is None for one per core.
    seconds : float
        Wall time.
    machine : dict
        Hardware, versions and date.
    """

    results: tuple
    effort: str
    scale: float
    seed: int
    threads: int | None
    seconds: float
    machine: dict

    @property
    def passed(self):
        """Whether every case passes."""
        return all(result.passed for result in self.results)


def run_suite(cases, effort="quick", scale=1.0, seed=1, threads=None, display=None):
    """Run cases, and judge the energy balance of all their runs.

    Parameters
    ----------
    cases : sequence of Case
    effort : str
        Name of the scale, for the report.
    scale : float
        Factor on the histories.
    seed : int
    threads : int, optional
    display : Display, optional
        Shows what is going on.

    Returns
    -------
    SuiteResult
    """
    begin = time.perf_counter()
    about = machine()  # before our own load
    runs, results = [], []
    for case in (*cases, balance_case(runs)):
        if display:
            display.begin(case)
        result = _run_case(case, Runner(scale, seed, threads, display and display.show))
        runs.extend(result.runs)
        results.append(result)
        if display:
            display.end(result)
    return SuiteResult(tuple(results), effort, scale, seed, threads, time.perf_counter() - begin, about)


def _run_case(case, runner):
    begin = time.perf_counter()
    comparisons = tuple(case.compare(runner))
    return CaseResult(case, comparisons, tuple(runner.runs), time.perf_counter() - begin)
