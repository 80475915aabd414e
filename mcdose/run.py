"""The dose job: images in, a folder of results out.

1. Everything that can be wrong is found before the transport: nuclide, units, images, overlap, output folder, disk.
2. Phantom and source are made on the dose grid; what the user should know of it is said.
3. Monte Carlo with a live view. Ctrl-C ends it with what has been calculated so far, clearly marked.
4. Each result is written whole or not at all, with the run.toml that repeats the run.
"""

import json
import sys
import warnings
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np

import mcdose
from mcdose.config import KEV_PER_MEV, to_toml
from mcdose.errors import InputError, InputWarning, as_input_error
from mcdose.files import atomic, output_folder, sha256
from mcdose.images import grid_of, read_image
from mcdose.memory import RUN_BYTES, check_memory
from mcdose.phantom import Phantom
from mcdose.progress import live_progress
from mcdose.regions import mask_on, regions_on
from mcdose.simulation import DEFAULT_UNCERTAINTY, monte_carlo
from mcdose.source import Source, parse_integration, parse_unit
from physics_data.emissions import Nuclide

# Bytes per voxel of all results before compression: energy 8, dose 4 in three files, uncertainty 4 in two, density 4,
# material 1; and room for the figure and texts.
RESULT_BYTES_PER_VOXEL = 33
RESULT_BYTES_FIXED = 5_000_000
PARTIAL_PREFIX = "partial_"  # an interrupted run never takes the place of a finished one
INTERRUPTED = 130  # exit status after Ctrl-C, as shells have it


def run(config):
    """Carry out a :class:`~mcdose.config.RunConfig`.

    Returns
    -------
    int
        Exit status: 0, or 130 when interrupted with a partial result saved.

    Raises
    ------
    InputError
        For anything wrong with the input; then nothing has been written.
    """
    if config.uncertainty is None and config.histories is None:
        config = replace(config, uncertainty=DEFAULT_UNCERTAINTY)
    ct, phantom, source, mask, regions = _prepare(config)
    with results_folder(config.output, phantom):
        record = _record(config, phantom.notes + source.notes + regions.notes)
        dose = _simulate(config, phantom, source, mask, regions.masks)
        if mask is not None:
            record["mask_uncertainty"] = dose.mean_uncertainty(mask)
        dose = replace(dose, settings={**dose.settings, **record})
        status = write_results(dose, config.output, ct, config.plot_at, config.ct if config.ct.is_dir() else None)
        if dose.complete:
            text = to_toml(config, mcdose.__version__, (f"{dose.histories} histories, {dose.seconds:.0f} s",))
            _write_text(text, config.output / "run.toml")
    return status


def results_folder(folder, phantom):
    """The output folder as a context, made and known to have room for the results of this phantom."""
    return output_folder(folder, RESULT_BYTES_PER_VOXEL * int(np.prod(phantom.shape)) + RESULT_BYTES_FIXED)


def write_results(dose, folder, ct, plot_at=None, series=None):
    """Write HDF5, images, figure and summary, print the summary, and give the exit status.

    With the folder of a DICOM CT as `series` a dose (not a dose rate) is also written as RTDOSE. An interrupted run's
    files carry the prefix "partial_".
    """
    prefix = "" if dose.complete else PARTIAL_PREFIX
    folder = Path(folder)
    dose.save(folder / f"{prefix}dose.h5")
    dose.write_image(folder / f"{prefix}dose.nii.gz")
    dose.write_image(folder / f"{prefix}uncertainty.nii.gz", "uncertainty")
    kinds = ".nii.gz, .png"
    if series is not None and not dose.per_second:
        dose.write_image(folder / f"{prefix}dose.dcm", ct=series)
        kinds = ".nii.gz, .dcm, .png"
    dose.plot(folder / f"{prefix}dose.png", ct=ct, at_mm=plot_at)
    _write_text(dose.describe() + "\n", folder / f"{prefix}summary.txt")
    print(dose.describe())
    say(f"results in {folder}: {prefix}dose.h5, {kinds}, {prefix}uncertainty.nii.gz, {prefix}summary.txt")
    if dose.complete:
        return 0
    say(f"interrupted after {dose.histories:,} histories: a partial result, its files begin with {PARTIAL_PREFIX}")
    return INTERRUPTED


def say(text):
    """Tell the user something beside the results."""
    print(f"mcdose: {text}", file=sys.stderr, flush=True)


def _prepare(config):
    """CT, phantom, source, mask and Regions, with everything that can be wrong found; says what is to be known."""
    parse_unit(config.activity_unit)
    parse_integration(config.integrate)
    with as_input_error():
        nuclide = Nuclide(config.nuclide, daughters=config.daughters)
    if config.emissions is not None and not nuclide.spectrum.select(config.emissions).yield_per_decay():
        raise InputError(f"emissions {','.join(config.emissions)}: {nuclide.title} emits none of these; choose others")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", InputWarning)  # they are in the notes, which are shown below
        ct, activity = read_image(config.ct), read_image(config.activity)
        grid = grid_of(activity if config.grid == "activity" else ct)
        grid = grid if config.spacing_mm is None else grid.respaced(config.spacing_mm)
        for caution in _memory_cautions(grid):
            say(f"note: {caution}")
        phantom = Phantom.from_ct(ct, grid=grid, curve=config.curve)
        source = Source.from_activity(activity, nuclide, phantom, config.activity_unit, config.integrate)
    mask, said = (None, ()) if config.mask is None else mask_on(phantom.grid, config.mask)
    regions = regions_on(phantom.grid, {} if config.masks is None else config.masks, config.names)
    if config.plot_at is not None:
        phantom.grid.voxel_of(config.plot_at)
    for note in phantom.notes + source.notes + said + regions.notes:
        say(f"note: {note}")
    return ct, phantom, source, mask, regions


def _memory_cautions(grid):
    """What is to be known of the memory a run needs; refuses one that cannot fit, before the images are worked on."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", InputWarning)
        check_memory(grid, RUN_BYTES)
    return [str(warning.message) for warning in caught]


def _record(config, notes):
    """What made the result, for its settings: inputs with their hashes, the configuration, and notes."""
    inputs = {k: getattr(config, k) for k in ("ct", "activity", "mask") if getattr(config, k) is not None}
    inputs |= {f"masks[{k}]": path for k, path in enumerate(config.masks or ())}
    return {
        "inputs": {k: {"path": str(Path(p).resolve()), "sha256": sha256(p)} for k, p in inputs.items()},
        "run": json.loads(json.dumps(asdict(config), default=str)),  # paths as text
        "notes": list(notes),
    }


def _simulate(config, phantom, source, mask, regions):
    with live_progress() as show:
        return monte_carlo(
            phantom,
            source,
            histories=config.histories,
            uncertainty=config.uncertainty,
            seed=config.seed,
            device=config.device,
            threads=config.threads,
            emissions=config.emissions,
            electrons=config.electrons,
            photon_cutoff_mev=config.photon_cutoff_kev / KEV_PER_MEV,
            electron_cutoff_mev=config.electron_cutoff_kev / KEV_PER_MEV,
            mask=mask,
            regions=regions,
            progress=show,
        )


def _write_text(text, path):
    with atomic(path) as part:
        part.write_text(text, encoding="utf-8")
