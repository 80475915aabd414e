"""Convolution of decays with a kernel by fast Fourier transform.

1. Decays outside the box that holds all of them are zero: only that box is transformed.
2. Box and kernel are padded with zeros to at least the sum of their lengths less one, so that nothing wraps around,
   and up to lengths of small prime factors.
3. In double precision: rounding is then 1e-15 of the largest value, so that a tail a million times below it is still
   right. Values that rounding makes negative become 0.
"""

import os

import numpy as np

from mcdose.arrays import host, namespace
from mcdose.errors import InputError
from mcdose.gpu import chosen


def convolve(decays, kernels, device="cpu"):
    """Convolve decays with one or more kernels of the same shape.

    Parameters
    ----------
    decays : array [z, y, x]
        Not negative, somewhere above zero.
    kernels : sequence of array [k, j, i]
        Odd in every direction; the middle voxel is the source.
    device : str
        As in :func:`mcdose.monte_carlo`; of several GPUs the first.

    Returns
    -------
    list of float64 array [z, y, x]
        For each kernel, ``sum over offsets of decays[target - offset] * kernel[middle + offset]``.

    Raises
    ------
    InputError
        For a kernel of even size, and a device that is not there.
    """
    for kernel in kernels:
        check_odd(kernel.shape)
    half = [n // 2 for n in kernels[0].shape]
    shape = padded_shape(decays, half)
    box = _support(decays)
    inner = decays[box]
    on_device = _put(device)
    part = on_device(inner)
    xp, fft, options = _backend(part)
    transformed = fft.rfftn(part, shape, **options)
    results = []
    for kernel in kernels:
        spectrum = fft.rfftn(on_device(kernel), shape, **options)
        spectrum *= transformed
        full = fft.irfftn(spectrum, shape, overwrite_x=True, **options)
        results.append(_cut(host(xp.maximum(full, 0.0, out=full)), box, half, inner.shape, decays.shape))
    return results


def padded_shape(decays, half):
    """Shape (z, y, x) of what is transformed for kernels that reach ``half`` voxels from their middle."""
    import scipy.fft  # slow to load

    sizes = (edge.stop - edge.start for edge in _support(decays))
    return tuple(scipy.fft.next_fast_len(n + 2 * h, real=True) for n, h in zip(sizes, half))


def check_odd(shape):
    """Raise InputError unless a kernel of this shape has a middle voxel."""
    if len(shape) != 3 or any(n % 2 == 0 for n in shape):
        size = " x ".join(str(n) for n in shape[::-1])
        raise InputError(
            f"kernel: {size} voxels; a kernel needs an odd number along x, y and z, its source in the middle"
        )


def _support(decays):
    """Slices of the smallest box that holds every decay."""
    box = []
    for axis in range(3):
        used = np.flatnonzero(decays.any(axis=tuple(k for k in range(3) if k != axis)))
        box.append(slice(int(used[0]), int(used[-1]) + 1))
    return tuple(box)


def _cut(full, box, half, inner, shape):
    """The grid's part of the full convolution, whose first voxel lies ``half`` before that of the box."""
    out = np.zeros(shape)
    here, there = [], []
    for b, h, n, size in zip(box, half, inner, shape):
        first, last = max(b.start - h, 0), min(b.start + n + h, size)
        here.append(slice(first, last))
        there.append(slice(first - b.start + h, last - b.start + h))
    out[tuple(here)] = full[tuple(there)]
    return out


def _put(device):
    """A function that brings an array to the memory of a device (the first of several), in double precision."""
    gpus = chosen(device)
    if not gpus:
        return lambda values: np.ascontiguousarray(values, dtype=np.float64)
    import cupy

    cupy.cuda.Device(gpus[0]).use()
    return lambda values: cupy.asarray(values, dtype=cupy.float64)


def _backend(array):
    """Namespace and FFT package of an array, and the options its FFT takes."""
    xp = namespace(array)
    if xp is np:
        import scipy.fft

        return np, scipy.fft, {"workers": os.cpu_count()}
    import cupyx.scipy.fft

    return xp, cupyx.scipy.fft, {}
