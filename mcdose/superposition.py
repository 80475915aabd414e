"""Absorbed dose by superposition along rays: dose-point kernels stretched by the density that lies between.

1. The Monte Carlo dose-point kernel of the emission gives the energy E(t) deposited within a mass distance t (density
   times distance) of a decay in a uniform medium. In the same medium at any other density it is the same function of t
   (O'Connor 1957).
2. Here it is taken to hold along every straight ray: what a ray leaves between t1 and t2 is its share of E(t2) - E(t1),
   with t summed over the voxels on its way, whatever their densities.
3. Rays start evenly spread over the source voxel and over all directions: Sobol points, scrambled (Owen 1995). All
   voxels have the same: in uniform activity a voxel then gets from its neighbours just what it does not keep. A few
   independent scramblings give the uncertainty of this sampling.
4. A ray is followed from face to face (Amanatides and Woo 1987). Beyond the reach of the electrons, where photons alone
   deposit dose, each voxel has fewer rays, and other ones than its neighbours (a Kronecker sequence turns the points),
   as the same few directions from all would draw streaks.
5. Energy is counted in exact integers: what the rays deposit and what leaves the grid, or lies beyond the end of the
   kernel, add up to what is emitted, and the result does not depend on the number of threads.

Neglected: electrons do not go straight, so what comes round a corner or is scattered back where density changes is
missed or misplaced; every tissue stops and scatters like the medium of the kernel, gram by gram (bone does not);
photons are scattered back as by an endless medium (+20 % of their dose in a slab of lung beside liver, see
docs/lung_liver.md).

O'Connor, Phys. Med. Biol. 1 (1957) 352 · Owen, in Niederreiter and Shiue (eds.), Monte Carlo and Quasi-Monte Carlo
Methods (1995) 299 · Amanatides and Woo, Eurographics (1987) 3 · Ahnesjö, Med. Phys. 16 (1989) 577
(the same superposition for external beams).
"""

import math
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np
from scipy.stats.qmc import Sobol

from kernels_cuda.device import device, driver
from kernels_cuda.source import AZIMUTH_STEP, COSINE_STEP, X_STEP, Y_STEP, Z_STEP
from kernels_cuda.tally import atomic_add
from mcdose.dose import Dose
from mcdose.errors import InputError
from mcdose.local_deposit import energies_per_decay
from mcdose.memory import check_memory
from mcdose.point_kernel import dose_point_kernel
from mcdose.simulation import check_threads, emission_settings

RAYS = 512  # of a source voxel: dose in smooth activity to 0.3 %, in lung beside liver to 0.4 to 1.5 %
SAMPLES = 4  # independent scramblings, for the uncertainty
FAR_RAYS = 32  # one ray for so many: photons carry little dose a long way
FAR_NODES = 2048  # of the table of the photons' energy, over 60 g/cm2: much finer than it changes
TOTAL_UNITS = 2.0**60  # of the emitted energy: int64 holds them in one voxel, and a ray of 1e9 still has 1e9
CHUNK = 512  # source voxels that a thread takes at a time
RAY_BYTES = 36  # per voxel of the grid: a sample, their sum and squares, the dose and its uncertainty
TURN = np.array([X_STEP, Y_STEP, Z_STEP, COSINE_STEP, AZIMUTH_STEP]) * 2.0**-32


class _Table(NamedTuple):
    """Share of the emitted energy within mass distances at equal steps; none before the first."""

    start: Any  # g/cm2
    step: Any  # g/cm2
    share: Any


class _Rays(NamedTuple):
    """The rays of all source voxels: place in the voxel and direction are ``points + n turn``, modulo one."""

    voxel: Any  # flat indices
    units: Any  # of energy, that each ray of a voxel stands for
    points: Any  # float64 [ray, 5]
    turn: Any  # float64 [5]


def ray_superposition(
    phantom, source, medium="water", kernel=None, rays=RAYS, seed=1, device="auto", threads=None, **kernel_options
):
    """Absorbed dose by superposition of a dose-point kernel along rays, its distances scaled by the density on the way.

    Parameters
    ----------
    phantom : Phantom
    source : Source
        A point source is taken as spread over its voxel.
    medium : str or Material
        Medium of the kernel; not used with a kernel given.
    kernel : DosePointKernel, optional
        By default made by Monte Carlo, or found on disk; see :func:`mcdose.dose_point_kernel`.
    rays : int
        Rays of each source voxel, a power of two from 128 on.
    seed : int
        Of the scrambling (and of the kernel, when it is made).
    device : str
        As in :func:`mcdose.monte_carlo`, for making the kernel; the rays are followed on the CPU.
    threads : int, optional
    **kernel_options
        `histories`, `cache`, `progress` ... of :func:`mcdose.dose_point_kernel`.

    Returns
    -------
    Dose
        Without histories. `relative_uncertainty` is that of the sampling by rays alone. ``escaped_mev`` is the energy
        that leaves the grid or lies beyond the end of the kernel.

    Raises
    ------
    InputError
        A kernel for another nuclide; a number of rays that is not a power of two; a grid too large for the memory.
    """
    if int(rays) != rays or rays < SAMPLES * FAR_RAYS or int(rays) & (int(rays) - 1):
        raise InputError(f"rays: {rays}; give a power of two from {SAMPLES * FAR_RAYS} on, such as {RAYS}")
    title = getattr(source.emission, "title", None)
    if kernel is not None and title is not None and kernel.emission != title:
        raise InputError(f"kernel: made for {kernel.emission}, the source is {title}; make one for this nuclide")
    workers = check_threads(threads)
    check_memory(phantom.grid, RAY_BYTES)
    if kernel is None:
        kernel = dose_point_kernel(source.emission, medium, seed=seed, device=device, threads=threads, **kernel_options)
    begin = time.perf_counter()
    units, squares = _sample(phantom, source.decays, _tables(kernel), int(rays), seed, workers)
    emitted = source.total_decays * energies_per_decay(source.spectrum)[0]
    per_unit = emitted / TOTAL_UNITS
    variance = np.maximum(squares - np.square(units, dtype=float) / SAMPLES, 0.0) * (SAMPLES / (SAMPLES - 1))
    return Dose(
        phantom=phantom,
        energy_mev=units * per_unit,
        relative_uncertainty=np.divide(np.sqrt(variance), units, out=np.full(units.shape, np.nan), where=units > 0),
        emitted_mev=emitted,
        escaped_mev=(TOTAL_UNITS - int(units.sum())) * per_unit,
        decays=source.total_decays,
        histories=0,
        seconds=time.perf_counter() - begin,
        settings={
            "method": "ray_superposition",
            **emission_settings(source.nuclide),
            "rays": int(rays),
            "seed": seed,
            "kernel": {"medium": kernel.medium, "density_g_cm3": kernel.density_g_cm3, **kernel.settings},
        },
        tally={},
        per_second=source.per_second,
    )


def _tables(kernel):
    """The kernel over the mass distance: up to the reach of the electrons, and beyond."""
    density, tail = kernel.density_g_cm3, kernel.tail
    near, reach = kernel.cumulative, kernel.edges_cm[-1]
    radii = np.linspace(reach, reach + 1.0 if tail is None else max(tail.radii_cm[-1], reach + 1.0), FAR_NODES)
    beyond = np.zeros(FAR_NODES) if tail is None else np.array([tail.energy_beyond(r, density) for r in radii])
    far = (beyond[0] - beyond) / kernel.emitted_mev
    scale = 1.0 / max(near[-1] + far[-1], 1.0)  # statistics of the kernel may give more than everything
    return (
        _Table(0.0, kernel.edges_cm[1] * density, near * scale),
        _Table(reach * density, (radii[1] - reach) * density, far * scale),
    )


def _sample(phantom, decays, tables, rays, seed, workers):
    """Energy units in each voxel and the sum of their squares over the shifts."""
    voxel = np.flatnonzero(decays)
    share = decays.ravel()[voxel] * (TOTAL_UNITS / SAMPLES / decays.sum())
    density = np.ascontiguousarray(phantom.density_g_cm3, np.float32)
    spacing = np.array(phantom.spacing_mm) * 0.1
    near, far = rays // SAMPLES, rays // SAMPLES // FAR_RAYS
    part, total = np.zeros(phantom.shape, np.int64), np.zeros(phantom.shape, np.int64)
    squares = np.zeros(phantom.shape)
    with ThreadPoolExecutor(workers) as pool:
        for sample in range(SAMPLES):
            points = Sobol(len(TURN), seed=np.random.default_rng([seed, sample])).random(near)
            for table, number, turn in zip(tables, (near, far), (0.0 * TURN, TURN)):
                some = _Rays(voxel, share / number, points[:number], turn)
                tasks = [
                    pool.submit(_trace, density, spacing, table, some, i, i + CHUNK, part)
                    for i in range(0, len(voxel), CHUNK)
                ]
                for task in tasks:
                    task.result()
            total += part
            squares += np.square(part, dtype=float)
            part[:] = 0
    return total, squares


@device
def _within(table, depth):
    """Share within a mass distance: linear between the nodes, constant beyond the last."""
    place, last = (depth - table.start) / table.step, table.share.shape[0] - 1
    if place <= 0.0:
        return 0.0
    if place >= last:
        return table.share[last]
    k = np.int64(place)
    return table.share[k] + (place - k) * (table.share[k + 1] - table.share[k])


@device
def _along(start, direction, spacing):
    """Distance (cm) to the first face along an axis and from face to face, and the step in voxels."""
    if direction > 0.0:
        return (1.0 - start) * spacing / direction, spacing / direction, 1
    if direction < 0.0:
        return -start * spacing / direction, -spacing / direction, -1
    return np.inf, np.inf, 0


@driver(nogil=True)
def _trace(density, spacing, table, source, begin, end, energy):
    """Follow the rays of source voxels ``begin`` to ``end`` and add what they deposit, in units, to ``energy``."""
    nz, ny, nx = density.shape
    last = table.start + table.step * (table.share.shape[0] - 1)
    word = np.empty(5)
    for n in range(begin, min(end, source.voxel.shape[0])):
        for j in range(source.points.shape[0]):
            for axis in range(5):
                place = source.points[j, axis] + n * source.turn[axis]
                word[axis] = place - math.floor(place)
            flat = source.voxel[n]
            ix, iy, iz = flat % nx, flat // nx % ny, flat // (nx * ny)
            w, angle = 2.0 * word[3] - 1.0, 2.0 * math.pi * word[4]
            sine = math.sqrt(1.0 - w * w)
            to_x, step_x, sx = _along(word[0], sine * math.cos(angle), spacing[0])
            to_y, step_y, sy = _along(word[1], sine * math.sin(angle), spacing[1])
            to_z, step_z, sz = _along(word[2], w, spacing[2])
            at, depth, done = 0.0, 0.0, np.int64(0)
            while 0 <= ix < nx and 0 <= iy < ny and 0 <= iz < nz and depth < last:
                face = min(to_x, to_y, to_z)
                depth += density[iz, iy, ix] * (face - at)
                at = face
                upto = np.int64(source.units[n] * _within(table, depth))
                if upto > done:
                    atomic_add(energy, iz, iy, ix, upto - done)
                    done = upto
                if to_x <= face:
                    to_x += step_x
                    ix += sx
                elif to_y <= face:
                    to_y += step_y
                    iy += sy
                else:
                    to_z += step_z
                    iz += sz
