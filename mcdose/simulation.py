"""Monte Carlo of every emitted particle: the reference absorbed dose.

1. Histories run in batches: independent replicates, each with its decays spread systematically over the source voxels.
2. A batch's tally is integer; sums over batches are exact, so the result does not depend on threads or chunks.
3. The uncertainty of a voxel is that of the mean of the batches: with sizes n_b, energies e_b, N = sum n_b, K batches,
   var(mean) = (sum e_b^2 / n_b - (sum e_b)^2 / N) / ((K - 1) N).
4. What is not transported (alphas, recoils, anything below its cut-off) is deposited in the source voxel, exactly.
"""

import math
import os
import time
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np

from mcdose.dose import Dose, high_dose_region
from mcdose.errors import InputError

DEFAULT_UNCERTAINTY = 0.02
BATCHES = 50  # the uncertainty itself is then known to 10 %
FEWEST_BATCHES = 10  # before an uncertainty is believed enough to stop
FIRST_BATCH = 20_000  # histories; later batches grow with the histories done
LARGEST_BATCH = 1_000_000  # a second or so: progress is seen, and Ctrl-C loses no more
LOWEST_CUTOFF_MEV = 1e-3
PROGRESS_SHARE = 0.05  # of the run time may go into showing the uncertainty


class Progress(NamedTuple):
    """What a run reports: ``phase`` is "tables", "compiling" or "transport"; unknown numbers are NaN or None."""

    phase: str
    histories: int = 0
    target_histories: int | None = None
    histories_per_second: float = math.nan
    uncertainty: float = math.nan
    target_uncertainty: float | None = None
    seconds_left: float = math.nan


def monte_carlo(
    phantom,
    source,
    histories=None,
    uncertainty=None,
    seed=1,
    device="auto",
    threads=None,
    emissions=None,
    photon_cutoff_mev=0.010,
    electron_cutoff_mev=0.010,
    batches=BATCHES,
    mask=None,
    progress=None,
):
    """Absorbed dose by Monte Carlo transport of every photon, electron and positron.

    Parameters
    ----------
    phantom : Phantom
    source : Source
    histories : int, optional
        Emitted particles to simulate.
    uncertainty : float, optional
        Stop when the mean relative standard uncertainty over `mask` is reached, e.g. 0.01 (by default 0.02). If
        `histories` is given too, whichever comes first.
    seed : int
        0 to 2**64 - 1. The same seed and settings give the same dose bit for bit, for any number of threads.
    device : str
        "auto" or "cpu".
    threads : int, optional
        Default: every core this process may use.
    emissions : sequence of str, optional
        Among "beta", "electron", "photon" and "alpha"; default all.
    photon_cutoff_mev, electron_cutoff_mev : float
        Transport cut-offs and production thresholds, MeV (kinetic energy); from 0.001.
    batches : int
        Independent replicates for the uncertainty, at least 2; long runs make more of them.
    mask : bool array [z, y, x], optional
        Where `uncertainty` is judged; by default the voxels above half of the maximum dose.
    progress : callable, optional
        Called with a :class:`Progress` now and then.

    Returns
    -------
    Dose
        ``complete`` is False if the run was interrupted (Ctrl-C) after at least two batches.

    Raises
    ------
    InputError
        For parameters out of range, and for particles beyond the energies of the tables.

    Examples
    --------
    >>> import mcdose
    >>> phantom = mcdose.Phantom.uniform(mcdose.material("water"), (9, 9, 9), 3.0)
    >>> source = mcdose.Source.point((12, 12, 12), mcdose.Spectrum.monoenergetic("electron", 1.0), phantom)
    >>> dose = mcdose.monte_carlo(phantom, source, histories=1000)
    >>> dose.tally["emitted"] == dose.tally["deposited"] + dose.tally["escaped"]
    True
    """
    seed, batches = _check_run(histories, uncertainty, seed, batches)
    _check_cutoffs(photon_cutoff_mev, electron_cutoff_mev)
    _check_device(device)
    mask = _check_mask(mask, phantom)
    if histories is None and uncertainty is None:
        uncertainty = DEFAULT_UNCERTAINTY
    report = progress or (lambda state: None)
    workers = _check_threads(threads)

    report(Progress("tables"))
    from mcdose.engine import problem  # compiles lazily: keeps `import mcdose` quick

    spectrum = _selected(source.spectrum, emissions)
    run = problem(phantom, source.decays, spectrum, source.position_mm, photon_cutoff_mev, electron_cutoff_mev)
    sums = _Sums(source, run)
    _simulate(run, phantom, sums, (histories, uncertainty), seed, workers, batches, mask, report)
    settings = _settings(source, seed, workers, emissions, photon_cutoff_mev, electron_cutoff_mev, sums)
    return _dose(run, phantom, source, sums, settings)


class _Sums:
    """Sums over batches, and the energies and uncertainties they give. Deposits without transport count as exact."""

    def __init__(self, source, run):
        from kernels_cuda.tally import N_COUNTERS, UNITS_PER_MEV

        shape = source.decays.shape
        self.batch = np.zeros(shape, np.int64)
        self.total = np.zeros(shape, np.int64)
        self.squares = np.zeros(shape, np.float64)
        self.counters = np.zeros(N_COUNTERS, np.int64)
        self.histories = self.batches = 0
        self.seconds = 0.0
        self.complete = True
        self.decays = source.decays
        self.local_mev = run.local_mev_per_decay
        self.particles = source.total_decays * run.particles_per_decay
        self.units_per_mev = UNITS_PER_MEV

    @property
    def mev_per_unit(self):
        """Energy of all the decays that one unit of the summed tally stands for."""
        return self.particles / (max(self.histories, 1) * self.units_per_mev)

    def close_batch(self, counters, size):
        from kernels_cuda.cpu import gather

        gather(self.batch.reshape(-1), self.total.reshape(-1), self.squares.reshape(-1), 1.0 / size)
        self.counters = self.counters + counters
        self.histories += size
        self.batches += 1

    def energy(self, where=slice(None)):
        """Energy deposited by all the decays, MeV."""
        return self.total[where] * self.mev_per_unit + self.decays[where] * self.local_mev

    def standard_deviation(self, where=slice(None)):
        """Standard deviation of that energy, MeV; NaN before there are two batches."""
        total, squares = self.total[where], self.squares[where]
        if self.batches < 2:
            return np.full(total.shape, 0.0 if self.particles == 0 else np.nan)
        spread = np.maximum(squares - total.astype(float) ** 2 / self.histories, 0.0)
        return np.sqrt(spread * self.histories / (self.batches - 1)) * self.mev_per_unit

    def relative_uncertainty(self, where=slice(None)):
        """Relative standard deviation; NaN where nothing was scored."""
        energy = self.energy(where)
        return np.divide(self.standard_deviation(where), energy, out=np.full(energy.shape, np.nan), where=energy > 0)

    def mean_uncertainty(self, density, mask):
        if self.batches < 2:
            return math.nan
        if mask is None:
            mask = high_dose_region(self.energy() / density, density)
        return float(np.nan_to_num(self.relative_uncertainty(mask), nan=1.0).mean())


def _batch_sizes(histories, batches, voxels):
    """Sizes of the batches, in turn: equal shares of ``histories``, or growing without end.

    Summing a batch costs a pass over the grid: in large grids batches are larger.
    """
    largest = max(LARGEST_BATCH, voxels // batches)
    if histories is not None:
        count = min(max(batches, -(-histories // largest)), histories)
        for k in range(count):
            yield histories * (k + 1) // count - histories * k // count
        return
    done, first = 0, max(FIRST_BATCH, voxels // batches)
    while True:
        size = min(max(first, 2 * done // batches), largest)
        yield size
        done += size


def _simulate(run, phantom, sums, targets, seed, workers, batches, mask, report):
    """Run batches until the histories or the uncertainty asked for are reached."""
    from kernels_cuda import cpu
    from kernels_cuda.device import is_compiled

    histories, uncertainty = targets
    if run.particles_per_decay == 0:
        return
    if not is_compiled():
        report(Progress("compiling"))
    shown = -math.inf
    cost = 0.0
    with ThreadPoolExecutor(workers) as pool:
        try:
            cpu.simulate(*run[:4], sums.batch, cpu.Batch(seed, 0, 1), pool, 1)  # compiles or loads the kernels
            sums.batch[:] = 0
            begin = time.perf_counter()
            for size in _batch_sizes(histories, batches, sums.batch.size):
                batch = cpu.Batch(seed, sums.histories, size)
                sums.close_batch(cpu.simulate(*run[:4], sums.batch, batch, pool, workers), size)
                sums.seconds = now = time.perf_counter() - begin
                judged = uncertainty is not None and sums.batches >= 2
                if judged or now - shown > cost / PROGRESS_SHARE:
                    reached = sums.mean_uncertainty(phantom.density_g_cm3, mask)
                    shown = time.perf_counter() - begin
                    cost = shown - now
                    report(_state(sums, histories, uncertainty, reached))
                    if judged and sums.batches >= min(FEWEST_BATCHES, batches) and reached <= uncertainty:
                        break
        except KeyboardInterrupt:
            if sums.batches < 2:
                raise
            sums.complete = False


def _state(sums, histories, uncertainty, reached):
    rate = sums.histories / sums.seconds if sums.seconds > 0 else math.nan
    needed = [] if histories is None else [histories]
    if uncertainty is not None and reached > 0:
        needed.append(sums.histories * (reached / uncertainty) ** 2)
    left = max(min(needed) - sums.histories, 0.0) / rate if needed and rate > 0 else math.nan
    return Progress("transport", sums.histories, histories, rate, reached, uncertainty, left)


def _dose(run, phantom, source, sums, settings):
    from kernels_cuda.tally import EMITTED, ESCAPED, OVERFLOWS

    emitted, escaped = int(sums.counters[EMITTED]), int(sums.counters[ESCAPED])
    settings["overflows"] = int(sums.counters[OVERFLOWS])
    energy = np.empty(phantom.shape)
    relative = np.empty(phantom.shape, np.float32)
    for z in range(phantom.shape[0]):  # slice by slice: no temporary grids
        energy[z], relative[z] = sums.energy(z), sums.relative_uncertainty(z)
    return Dose(
        phantom=phantom,
        energy_mev=energy,
        relative_uncertainty=relative,
        emitted_mev=emitted * sums.mev_per_unit + source.total_decays * run.local_mev_per_decay,
        escaped_mev=escaped * sums.mev_per_unit,
        decays=source.total_decays,
        histories=sums.histories,
        seconds=sums.seconds,
        settings=settings,
        tally={"emitted": emitted, "deposited": int(sums.total.sum()), "escaped": escaped},
        per_second=source.per_second,
        complete=sums.complete,
    )


def _settings(source, seed, threads, emissions, photon_cutoff_mev, electron_cutoff_mev, sums):
    import numba

    import mcdose

    return {
        "method": "monte_carlo",
        **_emission_settings(source.nuclide),
        "emissions": "all" if emissions is None else list(emissions),
        "seed": seed,
        "device": "cpu",
        "threads": threads,
        "batches": sums.batches,
        "photon_cutoff_mev": photon_cutoff_mev,
        "electron_cutoff_mev": electron_cutoff_mev,
        "versions": {"mcdose": mcdose.__version__, "numpy": np.__version__, "numba": numba.__version__},
    }


def _emission_settings(nuclide):
    if nuclide is None:
        return {"emission": "user's own spectrum"}
    daughters = nuclide.chain.daughters if nuclide.equilibrium else ()
    return {
        "emission": nuclide.title,
        "nuclide": nuclide.name,
        "half_life_s": nuclide.half_life_s,
        "daughters": "equilibrium" if nuclide.equilibrium else "none",
        "decays_of_daughters": {member.name: member.decays_per_parent for member in daughters},
    }


def _selected(spectrum, emissions):
    if emissions is None:
        return spectrum
    try:
        chosen = spectrum.select(emissions)
    except ValueError as error:
        raise InputError(str(error)) from error
    if chosen.energy_mev() == 0:
        raise InputError(f"emissions: the source emits nothing of {', '.join(emissions)}; choose other emissions")
    return chosen


def _check_run(histories, uncertainty, seed, batches):
    if histories is not None and (int(histories) != histories or histories < 1):
        raise InputError(f"histories: {histories}; give a whole number above zero")
    if uncertainty is not None and not 0 < uncertainty < 1:
        raise InputError(f"uncertainty: {uncertainty}; give a fraction between 0 and 1, such as 0.01 for 1 %")
    if int(batches) != batches or batches < 2:
        raise InputError(f"batches: {batches}; at least 2 are needed for an uncertainty")
    if int(seed) != seed or not 0 <= seed < 2**64:
        raise InputError(f"seed: {seed}; give a whole number from 0 to 2**64 - 1")
    return int(seed), int(batches)


def _check_cutoffs(photon_cutoff_mev, electron_cutoff_mev):
    for name, value in (("photon_cutoff_mev", photon_cutoff_mev), ("electron_cutoff_mev", electron_cutoff_mev)):
        if not LOWEST_CUTOFF_MEV <= value < math.inf:
            raise InputError(f"{name}: {value}; the physics tables begin at {LOWEST_CUTOFF_MEV} MeV (1 keV)")


def _check_device(device):
    if device not in ("auto", "cpu"):
        raise InputError(f"device: {device!r} is not available in this version; use 'cpu' or 'auto'")


def _check_threads(threads):
    if threads is None:
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    if int(threads) != threads or threads < 1:
        raise InputError(f"threads: {threads}; give a whole number above zero")
    return int(threads)


def _check_mask(mask, phantom):
    if mask is None:
        return None
    mask = np.asarray(mask, bool)
    if mask.shape != phantom.shape:
        raise InputError(f"mask: shape {mask.shape} differs from the phantom's {phantom.shape}; resample it first")
    if not mask.any():
        raise InputError("mask: no voxel is set; give a region to judge the uncertainty in")
    return mask
