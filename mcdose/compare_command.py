"""``mcdose compare``: two dose files in, a folder with tables and figures out."""

import sys
from pathlib import Path

import numpy as np

from mcdose.comparison import LEVELS, TOLERANCE, compare
from mcdose.comparison_tables import draw_figures
from mcdose.files import output_folder
from mcdose.gamma import GammaCriterion
from mcdose.images import to_image, write_image

NOT_JUDGED = -1.0  # gamma where there is none: readers of NIfTI turn NaN into 0, which would be perfect agreement
BYTES_PER_VOXEL = 8  # difference and gamma, float32
BYTES_FIXED = 5_000_000  # figures, tables and the page that holds both


def run(options):
    """Carry out the command; returns the exit status.

    Parameters
    ----------
    options : argparse.Namespace
        As the command line gives them.

    Raises
    ------
    InputError
        For anything wrong with the input; then nothing has been written.
    """
    percent, distance = options.gamma
    result = compare(
        options.candidate,
        options.reference,
        options.masks or None,
        options.names,
        options.unit,
        options.weighting,
        LEVELS if options.levels is None else options.levels,
        TOLERANCE if options.tolerance is None else options.tolerance / 100,
        GammaCriterion(percent, distance, options.gamma_threshold, options.gamma_local),
    )
    print(result)
    if options.output is not None:
        if options.plot_at is not None:
            result.reference.grid.voxel_of(options.plot_at)
        with output_folder(options.output, BYTES_PER_VOXEL * result.gamma.size + BYTES_FIXED):
            _write(result, options.output, options.plot_at)
    return 0


def _write(result, folder, at_mm):
    folder = Path(folder)
    result.to_markdown(folder / "compare.md")
    result.to_csv(folder / "compare.csv")
    result.to_html(folder / "compare.html", draw_figures(result, folder, at_mm))
    grid = result.reference.grid
    write_image(to_image(np.nan_to_num(result.difference).astype(np.float32), grid), folder / "difference.nii.gz")
    write_image(to_image(np.nan_to_num(result.gamma, nan=NOT_JUDGED), grid), folder / "gamma.nii.gz")
    names = "compare.md, .csv, .html, planes.png, dvh.png, profiles.png, difference.nii.gz, gamma.nii.gz"
    print(f"mcdose: results in {folder}: {names}", file=sys.stderr, flush=True)
