"""Compile now what a first run on this machine would otherwise compile: ``mcdose warmup``."""

import time


def warm_up(tell=print):
    """Compile every kernel, or load it where it has been, by using it on a few voxels.

    Parameters
    ----------
    tell : callable
        Takes lines of text: what is done, and how long it took.
    """
    from kernels_cuda.device import CACHE_DIRECTORY, is_compiled

    tell(f"compiled kernels are kept in {CACHE_DIRECTORY}")
    known = is_compiled()
    for name, use in (("resampling of images", _resample), ("transport on the CPU", _transport)):
        begin = time.perf_counter()
        use()
        tell(f"{name}: ready in {time.perf_counter() - begin:.1f} s")
    tell("these kernels had been compiled before" if known else "runs start without compiling from now on")


def _resample():
    import numpy as np

    from mcdose.grid import Grid
    from mcdose.resample import regrid

    grid, oblique = Grid((2, 2, 2), 2.0), (0.8, -0.6, 0, 0.6, 0.8, 0, 0, 0, 1)
    for target in (Grid((2, 2, 2), 3.0), Grid((2, 2, 2), 3.0, direction=oblique)):
        regrid(np.ones(grid.shape, np.float32), grid, target)


def _transport():
    import mcdose

    phantom = mcdose.Phantom.uniform(mcdose.material("water"), (2, 2, 2), 3.0)
    mcdose.monte_carlo(phantom, mcdose.Source.point((1.0, 1.0, 1.0), "F-18", phantom), histories=2, batches=2)
