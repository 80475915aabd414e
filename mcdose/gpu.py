"""Which GPUs there are, what is missing to use them, and which of them a run asks for.

Nothing that could fail is imported: the NVIDIA driver is asked directly, and no context is created on any device.
"""

import ctypes
import importlib.util
import os
import re
import sys
import warnings
from dataclasses import dataclass, field

from mcdose.errors import InputError, InputWarning

GPU_PACKAGES = {"cupy": "cupy", "numba-cuda": "numba_cuda"}
EXTRAS = {12: "cuda12", 13: "cuda13"}  # optional dependencies of mcdose by the driver's CUDA version
NAME_BYTES = 128  # room for a device name; CUDA cuts longer ones
# Numbers of cuDeviceGetAttribute (CUDA driver API, enum CUdevice_attribute).
ATTRIBUTE_CAPABILITY_MAJOR = 75
ATTRIBUTE_CAPABILITY_MINOR = 76
DEVICE = re.compile(r"auto|cpu|cuda(?::(all|\d+))?")
DEVICES_SAID = "auto, cpu, cuda, cuda:N (the Nth GPU from 0) or cuda:all"
SIMULATED_GPUS = 2  # as many as it takes to try a run on several


@dataclass(frozen=True)
class GpuReport:
    """Devices (name, compute capability), the driver's CUDA version, missing packages, and why there is no device."""

    devices: tuple = ()
    cuda_version: str | None = None
    missing: tuple = field(default=())
    reason: str | None = None


def probe():
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


def obstacle(report):
    """Why no GPU can be used, with the remedy, or None if one can."""
    if report.reason:
        return report.reason
    major = int(report.cuda_version.split(".")[0])
    if major < min(EXTRAS):
        return f"the NVIDIA driver is one for CUDA {report.cuda_version}; update it to CUDA {min(EXTRAS)} or newer"
    if report.missing:
        extra = EXTRAS[min(major, max(EXTRAS))]
        return f"not installed: {', '.join(report.missing)}; pip install 'mcdose[{extra}]' brings what is missing"
    return None


def chosen(device):
    """Numbers of the GPUs that `device` asks for; none for the CPU.

    Parameters
    ----------
    device : str
        "auto" (a GPU if there is one), "cpu", "cuda", "cuda:N" or "cuda:all".

    Raises
    ------
    InputError
        For any other text, and where a GPU is asked for that cannot be used.
    """
    match = DEVICE.fullmatch(device)
    if match is None:
        raise InputError(f"device: {device!r}; choose {DEVICES_SAID}")
    if device == "cpu":
        return ()
    if _simulated():
        count, because = SIMULATED_GPUS, None
    else:
        report = probe()
        count, because = len(report.devices), obstacle(report)
    if device == "auto":
        if because and count:
            warnings.warn(f"device: there is a GPU, but it is not used: {because}", InputWarning, stacklevel=3)
        return () if because else (0,)
    if because:
        raise InputError(f"device: {device!r} cannot be used: {because}; or use 'cpu'")
    if match[1] == "all":
        return tuple(range(count))
    number = int(match[1] or 0)
    if number >= count:
        raise InputError(f"device: {device!r}, but there are {count} GPUs; choose cuda:0 to cuda:{count - 1}")
    return (number,)


def gpu_name(number):
    """What the driver calls a GPU."""
    return "simulator" if _simulated() else probe().devices[number][0]


def _simulated():
    """True if numba's CUDA simulator, which runs the kernels in Python, stands in for a GPU."""
    return os.environ.get("NUMBA_ENABLE_CUDASIM") == "1"


def _device(driver, number):
    name = ctypes.create_string_buffer(NAME_BYTES)
    driver.cuDeviceGetName(name, NAME_BYTES, number)
    major, minor = ctypes.c_int(), ctypes.c_int()
    driver.cuDeviceGetAttribute(ctypes.byref(major), ATTRIBUTE_CAPABILITY_MAJOR, number)
    driver.cuDeviceGetAttribute(ctypes.byref(minor), ATTRIBUTE_CAPABILITY_MINOR, number)
    return name.value.decode(errors="replace"), f"{major.value}.{minor.value}"
