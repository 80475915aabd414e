"""Versions, threads and devices, and why a GPU is or is not usable; nothing that could fail is imported for it."""

import os
import platform
from importlib import metadata

from mcdose.gpu import obstacle, probe

PACKAGES = (
    "mcdose", "numpy", "numba", "scipy", "h5py", "SimpleITK", "pydicom", "matplotlib", "icrp107-database", "numba-cuda",
)  # fmt: skip


def describe():
    """Versions, processor, threads and GPUs as a few lines of text."""
    rows = [("python", f"{platform.python_version()} on {platform.system()} {platform.machine()}")]
    rows += [(name, _version(name)) for name in PACKAGES]
    rows.append(("cores", str(_usable_cores())))
    rows.append(("NUMBA_NUM_THREADS", os.environ.get("NUMBA_NUM_THREADS", "not set (one thread per core)")))
    report = probe()
    rows += [(f"gpu {n}", f"{name}, compute capability {cc}") for n, (name, cc) in enumerate(report.devices)]
    because = obstacle(report)
    rows.append(("gpu usable", f"no: {because}" if because else "yes"))
    return "\n".join(f"{name:<18} {value}" for name, value in rows)


def _version(package):
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"


def _usable_cores():
    """Cores this process may use (fewer than the machine has, under a batch system)."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
