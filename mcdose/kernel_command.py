"""The command `mcdose kernel`: make voxel S values, show, draw and export them."""

from pathlib import Path

from mcdose.errors import InputError, as_input_error
from mcdose.kernel_making import make_kernel
from mcdose.progress import live_progress
from mcdose.run import say
from physics_data.emissions import Nuclide

TEXT_SUFFIXES = (".txt", ".csv")
FIGURE_SUFFIXES = (".png", ".pdf", ".svg")


def kernel(nuclide, voxel_mm, medium, density_g_cm3, uncertainty, outputs, daughters="none", threads=None):
    """Make (or find on disk) a kernel, print its summary, and write it.

    Parameters
    ----------
    nuclide : str
    voxel_mm : sequence of float
        One size or three (x, y, z).
    medium : str
    density_g_cm3 : float or None
    uncertainty : float
    outputs : sequence of Path
        By their endings: .h5 the kernel, .txt or .csv the table i, j, k, S, .png, .pdf or .svg the figure.
    daughters : {"none", "equilibrium"}
    threads : int, optional

    Raises
    ------
    InputError
    """
    if len(voxel_mm) not in (1, 3):
        raise InputError(f"--voxel: {len(voxel_mm)} numbers; give one size, or three (x y z), in mm")
    writers = [_writer(path) for path in outputs]  # before the work: a wrong ending is found at once
    with as_input_error():
        emission = Nuclide(nuclide, daughters=daughters)
    spacing = tuple(voxel_mm) * (3 // len(voxel_mm))
    with live_progress() as show:
        made = make_kernel(emission, spacing, medium, density_g_cm3, uncertainty, threads=threads, progress=show)
    print(made.describe())
    for write, path in zip(writers, outputs):
        write(made, path)
        say(f"written: {path}")


def _writer(path):
    """The function that writes a kernel as the ending of `path` says."""
    suffix = Path(path).suffix.lower()
    if suffix == ".h5":
        return lambda made, to: made.save(to)
    if suffix in TEXT_SUFFIXES:
        return lambda made, to: made.write_text(to)
    if suffix in FIGURE_SUFFIXES:
        return lambda made, to: made.plot(to)
    endings = ", ".join((".h5", *TEXT_SUFFIXES, *FIGURE_SUFFIXES))
    raise InputError(f"{path}: unknown ending; kernels are written as {endings}")
