"""Versions, threads and devices, and why a GPU is or is not usable; nothing that could fail is imported for it."""

import ctypes
import importlib.util
import os
import platform
import sys
from dataclasses import dataclass, field
from importlib import metadata

PACKAGES = ("mcdose", "numpy", "numba", "scipy", "h5py", "SimpleITK", "pydicom", "matplotlib", "icrp107-database")
GPU_PACKAGES = {"cupy": "cupy", "numba-cuda": "numba_cuda"}
NAME_BYTES = 128  # room for a device name; CUDA cuts longer ones
# Numbers of cuDeviceGetAttribute (CUDA driver API, enum CUdevice_attribute).
ATTRIBUTE_CAPABILITY_MAJOR = 75
ATTRIBUTE_CAPABILITY_MINOR = 76


@dataclass(frozen=True)
class GpuReport:
    """Devices (name, compute capability), the driver's CUDA version, missing packages, and why there is no device."""

    devices: tuple = ()
    cuda_version: str | None = None
    missing: tuple = field(default=())
    reason: str | None = None


def probe_gpu():
    """Ask the NVIDIA driver for its devices, without creating a context and without importing GPU packages."""
    if os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1"):
        return GpuReport(reason="CUDA_VISIBLE_DEVICES hides every device")
    try:
        driver = ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return GpuReport(reason="no NVIDIA driver is installed")
    status = driver.cuInit(0)
    if status:
        return GpuReport(reason=f"the NVIDIA driver does not start (cuInit returned {status})")
    count, version = ctypes.c_int(), ctypes.c_int()
    driver.cuDriverGetVersion(ctypes.byref(version))
    driver.cuDeviceGetCount(ctypes.byref(count))
    cuda = f"{version.value // 1000}.{version.value % 1000 // 10}"
    if not count.value:
        return GpuReport(cuda_version=cuda, reason="the driver finds no device")
    devices = tuple(_device(driver, number) for number in range(count.value))
    missing = tuple(name for name, module in GPU_PACKAGES.items() if importlib.util.find_spec(module) is None)
    return GpuReport(devices, cuda, missing)


def describe():
    """Versions, processor, threads and GPUs as a few lines of text."""
    rows = [("python", f"{platform.python_version()} on {platform.system()} {platform.machine()}")]
    rows += [(name, _version(name)) for name in PACKAGES]
    rows.append(("cores", str(_usable_cores())))
    rows.append(("NUMBA_NUM_THREADS", os.environ.get("NUMBA_NUM_THREADS", "not set (one thread per core)")))
    report = probe_gpu()
    rows += [(f"gpu {n}", f"{name}, compute capability {cc}") for n, (name, cc) in enumerate(report.devices)]
    rows.append(("gpu usable", _gpu_verdict(report)))
    return "\n".join(f"{name:<18} {value}" for name, value in rows)


def _gpu_verdict(report):
    if report.reason:
        return f"no: {report.reason}"
    packages = f"not installed: {', '.join(report.missing)}" if report.missing else "GPU packages installed"
    return f"no: this version transports on the CPU only (driver for CUDA {report.cuda_version}; {packages})"


def _device(driver, number):
    name = ctypes.create_string_buffer(NAME_BYTES)
    driver.cuDeviceGetName(name, NAME_BYTES, number)
    major, minor = ctypes.c_int(), ctypes.c_int()
    driver.cuDeviceGetAttribute(ctypes.byref(major), ATTRIBUTE_CAPABILITY_MAJOR, number)
    driver.cuDeviceGetAttribute(ctypes.byref(minor), ATTRIBUTE_CAPABILITY_MINOR, number)
    return name.value.decode(errors="replace"), f"{major.value}.{minor.value}"


def _version(package):
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"


def _usable_cores():
    """Cores this process may use (fewer than the machine has, under a batch system)."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
