"""Monte Carlo of every emitted particle: the reference absorbed dose.

1. Histories run in batches: independent replicates, each with its decays spread systematically over the source voxels.
2. A device transports a batch and adds it to the sums, from which doses and uncertainties follow (``batches``).
3. What is not transported (alphas, recoils, anything below its cut-off) is deposited in the source voxel, exactly.
4. Batches grow with the histories done, until the histories or the uncertainty asked for are reached.
"""

import math
import os
import time
import warnings
from typing import NamedTuple

import numpy as np

from mcdose.arrays import host, slabs
from mcdose.config import ELECTRONS
from mcdose.dose import J_PER_MEV, Dose
from mcdose.errors import InputError, InputWarning
from mcdose.gpu import chosen, obstacle, probe
from mcdose.memory import TRANSPORT_BYTES, check_memory
from mcdose.region_dose import cropped, region_dose, region_sum
from mcdose.regions import mask_on, regions_on

DEFAULT_UNCERTAINTY = 0.02
BATCHES = 50  # the uncertainty itself is then known to 10 %
FEWEST_BATCHES = 10  # before an uncertainty is believed enough to stop
LOWEST_CUTOFF_MEV = 1e-3
PROGRESS_SHARE = 0.05  # of the run time may go into showing the uncertainty
# The uncertainty is judged again after this share of the histories by which it should be reached, and at the latest
# after this many times those done: judging is a pass over the grid, and depends on histories only, not on the clock.
JUDGE_AGAIN, JUDGE_LATEST = 0.8, 2.0


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
    electrons="transport",
    photon_cutoff_mev=0.010,
    electron_cutoff_mev=0.010,
    batches=BATCHES,
    mask=None,
    regions=None,
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
        "auto" (a GPU if there is one that can be used, else the CPU), "cpu", "cuda", "cuda:N" or "cuda:all" (every GPU
        of the machine). Devices of different kinds agree within the uncertainty.
    threads : int, optional
        Default: every core this process may use.
    emissions : sequence of str, optional
        Among "beta", "electron", "photon" and "alpha"; default all.
    electrons : {"transport", "local"}
        "local" (semi-Monte Carlo) deposits electrons, and the kinetic energy of positrons, where they are emitted or
        set free; photons are transported all the same, bremsstrahlung is not made.
    photon_cutoff_mev, electron_cutoff_mev : float
        Transport cut-offs and production thresholds, MeV (kinetic energy); from 0.001.
    batches : int
        Independent replicates for the uncertainty, at least 2; long runs make more of them.
    mask : bool array [z, y, x], SimpleITK.Image or path, optional
        Where `uncertainty` is judged; by default the voxels above half of the maximum dose. Decays farther from it than
        their electrons reach are then sampled a quarter as often and count four times: unbiased everywhere, sooner
        done, and what they give has twice the uncertainty.
    regions : dict of arrays or images, label image, mask, path, or list of these, optional
        Regions whose mean dose is wanted with its own uncertainty, as :func:`mcdose.compare` takes them; the result has
        them as ``regions``.
    progress : callable, optional
        Called with a :class:`Progress` now and then.

    Returns
    -------
    Dose
        ``complete`` is False if the run was interrupted (Ctrl-C) after at least two batches.

    Raises
    ------
    InputError
        For parameters out of range, masks without a voxel in the grid, and particles beyond the energies of the tables.

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
    check_cutoffs(photon_cutoff_mev, electron_cutoff_mev)
    requested, gpus = device, chosen(device)
    if electrons not in ELECTRONS:
        raise InputError(f"electrons: {electrons!r}; choose {' or '.join(ELECTRONS)}")
    mask, regions = _masks(phantom.grid, mask, regions)
    if histories is None and uncertainty is None:
        uncertainty = DEFAULT_UNCERTAINTY
    report = progress or (lambda state: None)
    workers = check_threads(threads)
    if not gpus:  # a GPU is asked how much it has left when it is there
        check_memory(phantom.grid, TRANSPORT_BYTES)

    report(Progress("tables"))
    from mcdose.batches import BatchSums  # these load the compiler: not needed to find bad input
    from mcdose.devices import device_for
    from mcdose.engine import Physics, problem

    spectrum = _selected(source.spectrum, emissions)
    physics = Physics(photon_cutoff_mev, electron_cutoff_mev, electrons == "transport")
    # a run that ends when the mask is known well enough looks less often at what cannot reach it
    region = mask if uncertainty is not None else None
    run = problem(phantom, source.decays, spectrum, source.position_mm, physics, region)
    particles = source.total_decays * run.sampled_share * run.particles_per_decay
    local, sampled_share = run.local_mev_per_decay, run.sampled_share
    device = device_for(gpus, run, phantom.grid, workers)
    del run  # the device lets go of it before the dose is made
    density, decays = device.array(phantom.density_g_cm3), device.array(source.decays) if local else None
    sums = BatchSums(device.total, device.squares, density, decays, particles, local)
    device.watch(list(regions.values()))
    try:
        if particles:
            _simulate(device, sums, (histories, uncertainty), seed, batches, mask, report)
    finally:
        device.close()
    settings = _settings(source, seed, emissions, electrons, photon_cutoff_mev, electron_cutoff_mev, sums, device)
    settings["sampled_share"] = sampled_share
    if requested == "auto" and not gpus:
        settings["no_gpu"] = obstacle(probe())
    return _dose(phantom, source, sums, settings, _region_doses(phantom, source, sums, regions))


def _batch_sizes(histories, batches, voxels, device):
    """Sizes of the batches, in turn: equal shares of ``histories``, or growing without end with the histories done.

    Summing a batch costs a pass over the grid: in large grids batches are larger.
    """
    largest = max(device.largest_batch, voxels // batches)
    if histories is not None:
        count = min(max(batches, -(-histories // largest)), histories)
        for k in range(count):
            yield histories * (k + 1) // count - histories * k // count
        return
    done, first = 0, max(device.first_batch, voxels // batches)
    while True:
        size = min(max(first, 2 * done // batches), largest)
        yield size
        done += size


def _simulate(device, sums, targets, seed, batches, mask, report):
    """Run batches until the histories or the uncertainty asked for are reached."""
    histories, uncertainty = targets
    mask = None if mask is None else device.array(mask)
    if not device.compiled:
        report(Progress("compiling"))
    shown = -math.inf
    cost = 0.0
    judge_at = 0 if uncertainty is not None else math.inf
    try:
        device.prepare()
        begin = time.perf_counter()
        for size in _batch_sizes(histories, batches, sums.total.size, device):
            counters = device.transport(seed, sums.histories, size)
            in_regions = device.region_units()
            # before gather: Ctrl-C comes after a call, and finds both or neither done
            sums.count(counters, size, in_regions)
            device.gather(size)
            sums.seconds = now = time.perf_counter() - begin
            judged = sums.histories >= judge_at and sums.batches >= min(FEWEST_BATCHES, batches)
            if judged or now - shown > cost / PROGRESS_SHARE:
                reached = sums.mean_uncertainty(mask)
                shown = time.perf_counter() - begin
                cost = shown - now
                report(_state(sums, histories, uncertainty, reached))
                if judged and reached <= uncertainty:
                    break
                if judged:
                    judge_at = sums.histories * min(JUDGE_LATEST, JUDGE_AGAIN * (reached / uncertainty) ** 2)
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


def _region_doses(phantom, source, sums, regions):
    """The RegionDose of each region by name: what was transported there, and what stayed where it was emitted."""
    doses = {}
    for (name, region), energy, sd in zip(regions.items(), *sums.region_energies(len(regions))):
        local = region_sum(source.decays, region) * sums.local_mev
        doses[name] = region_dose(region, phantom, float(energy + local) * J_PER_MEV, float(sd) * J_PER_MEV)
    return doses


def _dose(phantom, source, sums, settings, regions):
    from kernels_cuda.tally import EMITTED, ESCAPED, OVERFLOWS

    emitted, escaped = int(sums.counters[EMITTED]), int(sums.counters[ESCAPED])
    settings["overflows"] = int(sums.counters[OVERFLOWS])
    energy = np.empty(phantom.shape)
    relative = np.empty(phantom.shape, np.float32)
    for z in slabs(phantom.shape):
        energy[z], relative[z] = host(sums.energy(z)), host(sums.relative_uncertainty(z))
    return Dose(
        phantom=phantom,
        energy_mev=energy,
        relative_uncertainty=relative,
        emitted_mev=emitted * sums.mev_per_unit + source.total_decays * sums.local_mev,
        escaped_mev=escaped * sums.mev_per_unit,
        decays=source.total_decays,
        histories=sums.histories,
        seconds=sums.seconds,
        settings=settings,
        tally={"emitted": emitted, "deposited": sums.deposited_units, "escaped": escaped},
        per_second=source.per_second,
        complete=sums.complete,
        regions=regions,
    )


def _settings(source, seed, emissions, electrons, photon_cutoff_mev, electron_cutoff_mev, sums, device):
    import numba

    import mcdose

    return {
        "method": "monte_carlo",
        **emission_settings(source.nuclide),
        "emissions": "all" if emissions is None else list(emissions),
        "electrons": electrons,
        "seed": seed,
        "device": device.name,
        "threads": device.threads,
        "batches": sums.batches,
        "photon_cutoff_mev": photon_cutoff_mev,
        "electron_cutoff_mev": electron_cutoff_mev,
        "versions": {"mcdose": mcdose.__version__, "numpy": np.__version__, "numba": numba.__version__},
    }


def emission_settings(nuclide):
    """What the settings of a Dose say of its emission.

    Parameters
    ----------
    nuclide : Nuclide or None
        None for a spectrum of the user's own.

    Returns
    -------
    dict
        JSON-able.
    """
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


def check_cutoffs(photon_cutoff_mev, electron_cutoff_mev):
    """Raise InputError for a cut-off (MeV) below the tables of the physics, or not finite."""
    for name, value in (("photon_cutoff_mev", photon_cutoff_mev), ("electron_cutoff_mev", electron_cutoff_mev)):
        if not LOWEST_CUTOFF_MEV <= value < math.inf:
            raise InputError(f"{name}: {value}; the physics tables begin at {LOWEST_CUTOFF_MEV} MeV (1 keV)")


def check_threads(threads):
    """How many threads to use: those asked for, by default every core this process may use.

    Raises
    ------
    InputError
        Not a whole number above zero.
    """
    if threads is None:
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    if int(threads) != threads or threads < 1:
        raise InputError(f"threads: {threads}; give a whole number above zero")
    return int(threads)


def _masks(grid, mask, regions):
    """The mask on the grid, or None, and the regions by name, cut to their boxes; warns of what is to be known."""
    found, notes = regions_on(grid, {} if regions is None else regions)
    mask, said = (None, ()) if mask is None else mask_on(grid, mask)
    for note in (*notes, *said):
        warnings.warn(note, InputWarning, stacklevel=3)
    return mask, {name: cropped(region) for name, region in found.items()}
