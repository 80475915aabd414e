"""Whether a grid fits in the memory of this machine, asked before any of it is filled."""

import ctypes
import math
import os
import warnings
from pathlib import Path

from mcdose.errors import InputError, InputWarning

# Bytes per voxel that a CPU run allocates beside phantom and source: tally of the batch, its sum and sum of squares, 8
# each; source tables of a voxel with activity, 12; density as the transport reads it, 4.
TRANSPORT_BYTES = 40
# The same on a GPU, which also holds density and decays for the uncertainty, 4 and 8; and, whatever the grid, the rings
# of waiting particles, tables and temporaries.
GPU_BYTES, FIXED_GPU_BYTES = 52, 500e6
RUN_BYTES = 19 + TRANSPORT_BYTES  # a whole run: the two images 6, phantom 5 and decays 8 as well
GB = 1e9
USABLE_SHARE = 0.8  # of the memory, when a voxel size is suggested: the rest is for images, packages and the system
# Files that hold the limit of a container or batch job (control groups, version 2 and 1).
LIMIT_FILES = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


def check_memory(grid, bytes_per_voxel):
    """Refuse a grid that needs more memory than there is; warn where it needs more than is free.

    Parameters
    ----------
    grid : Grid
    bytes_per_voxel : float

    Raises
    ------
    InputError
        With the voxel size that would fit.
    """
    needed, there, free = math.prod(grid.shape) * bytes_per_voxel, installed_bytes(), free_bytes()
    limit = there if needed > there else free
    if needed <= limit:
        return
    state = "there" if limit is there else "free"
    text = f"{_needs(grid, needed, f'of memory and {limit / GB:.3g} GB are {state}')}; {_fitting(grid, needed / limit)}"
    if needed > there:
        raise InputError(text)
    warnings.warn(text, InputWarning, stacklevel=3)


def check_gpu_memory(grid, number, free):
    """Refuse a grid that needs more memory than GPU ``number`` has free (bytes).

    Raises
    ------
    InputError
        With the voxel size that would fit.
    """
    variable = math.prod(grid.shape) * GPU_BYTES
    needed = variable + FIXED_GPU_BYTES
    if needed <= free:
        return
    text = _needs(grid, needed, f"on GPU {number} and {free / GB:.3g} GB are free")
    room = free - FIXED_GPU_BYTES
    remedy = f"{_fitting(grid, variable / room)}, or device 'cpu'" if room > 0 else "use device 'cpu'"
    raise InputError(f"{text}; {remedy}")


def _needs(grid, needed, against):
    nz, ny, nx = grid.shape
    return f"dose grid: {nx} x {ny} x {nz} voxels need about {needed / GB:.3g} GB {against}"


def _fitting(grid, excess):
    """The voxel size that fits, where the needs exceed the memory by this factor."""
    coarser = (excess / USABLE_SHARE) ** (1 / 3)
    size = " x ".join(f"{math.ceil(10 * coarser * s) / 10:g}" for s in grid.spacing_mm)
    return f"voxels of {size} mm or more fit (spacing_mm, --spacing), or a smaller image"


def installed_bytes():
    """Memory this process may use at most: the machine's, or less by the limit of its container; inf if unknown."""
    limits = [_physical_bytes()]
    for path in LIMIT_FILES:
        try:
            limits.append(float(Path(path).read_text()))
        except (OSError, ValueError):  # no such control group, or "max"
            continue
    return min(limits)


def free_bytes():
    """Memory that could be had now without swapping (Linux); inf if unknown."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return math.inf
    kilobytes = {line.split(":")[0]: line.split()[1] for line in lines if ":" in line}
    return float(kilobytes.get("MemAvailable", "inf")) * 1024


def _physical_bytes():
    if hasattr(os, "sysconf"):
        return float(os.sysconf("SC_PAGE_SIZE")) * os.sysconf("SC_PHYS_PAGES")
    if hasattr(ctypes, "windll"):
        kilobytes = ctypes.c_ulonglong()
        if ctypes.windll.kernel32.GetPhysicallyInstalledSystemMemory(ctypes.byref(kilobytes)):
            return kilobytes.value * 1024.0
    return math.inf
