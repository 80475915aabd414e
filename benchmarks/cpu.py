"""Histories per second and efficiency on the CPU, beside the yardstick.

1. A case and the yardstick take turns, on one thread and on all: what else the machine does hits both alike. A rate is
   the median over the rounds; a ratio is the median of the rounds' own ratios.
2. "Per core" is histories over the CPU time of the process on one thread; with all threads it is wall time.
3. Efficiency is 1/(sigma^2 T): sigma^2 the mean over the stated voxels of the squared relative uncertainty of the dose,
   T the CPU time on one core. It does not depend on how long one runs; 10^4 over it is the time to 1 %.
4. Speed-up of all threads over one is quoted beside the yardstick's, whose threads share nothing: what is missing there
   is the machine's, not the engine's.
"""

import math
import statistics
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from benchmarks import yardstick
from benchmarks.cases import CASES, PEER_YARDSTICK
from benchmarks.report import Figure, cores, table, write
from mcdose.devices import Cpu
from mcdose.engine import Physics, problem
from mcdose.simulation import BATCHES

CUTOFF_MEV = 0.010
ROUNDS = 10  # with ten cases two to three minutes
MEDIAN_ERROR = 0.93  # standard error of a median of n over (quartile range / sqrt(n)), for normal noise
MORE_BATCHES = 20  # after the timing: the variance must be known as well as the rate
YARDSTICK_HISTORIES = 75_000  # about a quarter of a second of one core
SEED = 1


class Engine:
    """The transport of one case, in batches.

    Parameters
    ----------
    case : Case
    threads : int
        At most.
    scale : float
        On the histories of a batch.
    half_width : int or None
        Instead of the case's own.
    """

    def __init__(self, case, threads, scale=1.0, half_width=None):
        phantom, decays, self.stated = case.make(half_width or case.half_width)
        made = problem(phantom, decays, case.spectrum(), None, Physics(CUTOFF_MEV, CUTOFF_MEV))
        self.particles_per_decay = made.particles_per_decay
        self.device = Cpu(made, phantom.shape, threads)
        # summing a batch is a pass over the grid, so that a run makes batches of large grids no smaller than this
        self.histories = max(int(max(case.batch, decays.size // BATCHES) * scale), 1)
        self.batches = 0

    def run(self, pool, threads):
        """One batch on the device's own threads, added to the sums. Returns the number of histories."""
        self.device.threads = threads
        self.device.transport(SEED, self.batches * self.histories, self.histories)
        self.device.gather(self.histories)
        self.batches += 1
        return self.histories

    def variance_per_history(self):
        """Mean over the stated voxels of histories times the squared relative uncertainty, with its relative error.

        None if a voxel has no dose.
        """
        histories = self.batches * self.histories
        total, squares = self.device.total[self.stated].astype(float), self.device.squares[self.stated]
        if not total.all():
            return None
        relative = (squares * histories / total**2 - 1) / (self.batches - 1)
        # each voxel knows its variance to sqrt(2 / (batches - 1)); voxels that share histories are not independent
        error = np.sqrt(2 / (self.batches - 1) / np.sqrt(total.size))
        return float(relative.mean()) * histories, float(error)


class Yardstick:
    """The fixed work, each thread with arrays of its own."""

    def __init__(self, threads, scale=1.0):
        self.histories = max(int(YARDSTICK_HISTORIES * scale), threads)
        self.cases = [(*yardstick.case(), np.zeros((yardstick.VOXELS,) * 3, np.int64)) for _ in range(threads)]

    def run(self, pool, threads):
        """The same number of histories on some of the threads. Returns that number."""
        share = self.histories // threads
        tasks = [pool.submit(yardstick.run, *self.cases[k], k * share, share) for k in range(threads)]
        for task in tasks:
            task.result()
        return share * threads


def _rates(work, pool, threads):
    """Histories per CPU second and per second of wall time."""
    wall, core = time.perf_counter(), time.process_time()
    histories = work.run(pool, threads)
    return histories / (time.process_time() - core), histories / (time.perf_counter() - wall)


def measure(case, reference, threads, rounds=ROUNDS, scale=1.0, half_width=None):
    """Rates, ratios and efficiency of one case.

    Parameters
    ----------
    case : Case
    reference : Yardstick
    threads : int
        All threads.
    rounds : int
    scale, half_width : float, int or None
        As of :class:`Engine`.

    Returns
    -------
    dict
        JSON-able; rates in 1/s, with those of every round under "rounds".
    """
    engine = Engine(case, threads, scale, half_width)
    samples = []
    with ThreadPoolExecutor(threads) as pool:
        for work in (reference, engine):
            work.run(pool, 1)  # compile, and touch the memory
        for _ in range(rounds):
            samples.append([_rates(work, pool, n) for n in (1, threads) for work in (reference, engine)])
        for _ in range(MORE_BATCHES):
            engine.run(pool, threads)
    samples = np.array(samples)  # [round, (yardstick 1, engine 1, yardstick all, engine all), (per CPU s, per s)]
    engine.device.close()
    per_decay, (variance, error) = engine.particles_per_decay, engine.variance_per_history() or (None, None)
    of_yardstick, ours, all_yardstick, all_ours = np.moveaxis(samples, 1, 0)
    per_core, ratio = statistics.median(ours[:, 0]), statistics.median(ours[:, 0] / of_yardstick[:, 0])
    result = {
        "title": case.title,
        "histories_per_s_core": per_core,
        "decays_per_s_core": per_core / per_decay,
        "yardstick_per_s_core": statistics.median(of_yardstick[:, 0]),
        "ratio_to_yardstick": ratio,
        "ratio_quartiles": np.quantile(ours[:, 0] / of_yardstick[:, 0], (0.25, 0.75)).tolist(),
        "ratio_to_egsnrc": None,
        "efficiency_to_egsnrc": None,
        "threads": threads,
        "histories_per_s_all": statistics.median(all_ours[:, 1]),
        "speed_up": statistics.median(all_ours[:, 1] / ours[:, 1]),
        "yardstick_speed_up": statistics.median(all_yardstick[:, 1] / of_yardstick[:, 1]),
        "core_time_growth": statistics.median(ours[:, 0] / all_ours[:, 0]),
        "stated_voxels": case.voxels,
        "efficiency_per_s": per_core / variance if variance else None,
        "efficiency_to_yardstick": ratio / variance if variance else None,
        "efficiency_error": error,
        "histories": engine.batches * engine.histories,
        "rounds": samples.tolist(),
    }
    if case.peer_decays_per_s:
        result["ratio_to_egsnrc"] = ratio / per_decay * PEER_YARDSTICK / case.peer_decays_per_s
    if case.peer_variance and variance:
        result["efficiency_to_egsnrc"] = result["ratio_to_egsnrc"] * case.peer_variance() * per_decay / variance
    return result


def run(names=None, threads=None, rounds=ROUNDS, scale=1.0, half_width=None, folder=None):
    """Measure the named cases (all by default), write the results and return the Markdown."""
    chosen = [case for case in CASES if names is None or case.name in names]
    threads = threads or cores()
    reference = Yardstick(threads, scale)
    results = {}
    for case in chosen:
        print(f"{case.title} ...", file=sys.stderr, flush=True)
        results[case.name] = measure(case, reference, threads, rounds, scale, half_width)
    result = {"yardstick_version": yardstick.VERSION, "rounds": rounds, "cases": results}
    return write("cpu", "Speed on the CPU", result, _markdown(results, threads), _figures(results, rounds), folder)


def _figures(results, rounds):
    """Rates and efficiencies in units of the yardstick, and speed-ups."""
    figures = {}
    for name, r in results.items():
        low, high = r["ratio_quartiles"]
        error = MEDIAN_ERROR * (high - low) / r["ratio_to_yardstick"] / math.sqrt(rounds)
        figures[f"{name} rate"] = Figure(r["ratio_to_yardstick"], error)
        if r["efficiency_to_yardstick"]:
            figures[f"{name} efficiency"] = Figure(
                r["efficiency_to_yardstick"], math.hypot(error, r["efficiency_error"])
            )
        figures[f"{name} speed-up"] = Figure(r["speed_up"] / r["yardstick_speed_up"], 2 * error)
    return figures


def _markdown(results, threads):
    header = ["case, 3 mm voxels unless said", "histories/s", "decays/s", "÷ yardstick", "÷ EGSnrc"]
    header += [f"{threads} threads, histories/s", "speed-up (yardstick's)", "1/(σ²T), 1/s", "÷ EGSnrc's"]
    rows = [
        [
            r["title"],
            f"{r['histories_per_s_core']:,.0f}",
            f"{r['decays_per_s_core']:,.0f}",
            f"{r['ratio_to_yardstick']:.2f}",
            f"{r['ratio_to_egsnrc']:.1f}" if r["ratio_to_egsnrc"] else "–",
            f"{r['histories_per_s_all']:,.0f}",
            f"{r['speed_up']:.2f} ({r['yardstick_speed_up']:.2f})",
            f"{r['efficiency_per_s']:,.0f}" if r["efficiency_per_s"] else "–",
            f"{r['efficiency_to_egsnrc']:.1f}" if r["efficiency_to_egsnrc"] else "–",
        ]
        for r in results.values()
    ]
    yard = statistics.median(r["yardstick_per_s_core"] for r in results.values())
    regions = "; ".join(f"{r['title']}: {r['stated_voxels']}" for r in results.values())
    return (
        f"{table(header, rows)}\n\n"
        f"Per core unless said, in CPU time; medians of interleaved rounds. Yardstick (version {yardstick.VERSION}): "
        f"{yard:,.0f} histories/s per core. ÷ EGSnrc: decays/s, scaled by the yardstick. T in 1/(σ²T) is CPU time "
        f"of one core, σ² the mean squared relative uncertainty over these voxels: {regions}. ÷ EGSnrc's: over the "
        "same of EGSnrc, from the uncertainties and the rate of its run, scaled by the yardstick."
    )
