"""What a GPU does: correctness first, then speed. ``python -m benchmarks gpu`` measures it all in under eight minutes.

1. Start-up: compiling the kernels, and the first run of a second process, which finds them in the disk cache.
2. The same seed twice, and on several GPUs where there are any: identical bit for bit.
3. CPU against GPU, voxel by voxel: z = difference over the combined standard uncertainty; the mean of z squared is one
   for two codes that do the same, up to its own scatter.
4. Histories/s, with the share of each kind of launch in the time, their number, and the memory taken.
5. Time to 1 % in a tumour of the CT-like phantom on 128^3 voxels in a fresh process, from its start to the dose.

A stage that fails says why in its place; each prints what it found when it ends.
"""

import json
import sys
import time
import traceback

import numpy as np

import mcdose
from benchmarks.cases import patient, slab
from benchmarks.fresh import child
from benchmarks.report import Figure, table, write
from kernels_cuda.cuda import free_memory
from mcdose.devices import Cuda
from mcdose.engine import Physics, problem
from mcdose.gpu import gpu_name, obstacle, probe

PHYSICS = Physics(0.010, 0.010)
NUCLIDES = ("Y-90", "Lu-177", "I-131", "F-18")
SECONDS = 4.0  # of transport that each rate is measured over
RATE_BATCH = 20_000_000
KNOWN = 0.1  # relative uncertainty below which a voxel is compared: fainter ones are not normally distributed


def _water(spacing_mm=4.0, size=64):
    """Water throughout with the source throughout its middle half."""
    phantom = mcdose.Phantom.uniform(mcdose.material("water"), (size,) * 3, spacing_mm)
    decays = np.zeros(phantom.shape)
    decays[(slice(size // 4, 3 * size // 4),) * 3] = 1.0
    return phantom, decays


def _grids():
    """Name: phantom and decays."""
    return {
        "water, 64³ of 4 mm": _water(),
        "liver–lung slab, 3 mm": slab(40)[:2],
        "CT-like, 256³ of 2 mm": patient(128)[:2],
    }


def start():
    """Seconds to compile, and of the same run in a second process."""
    return {"first": child("gpu_run", "start"), "from the disk cache": child("gpu_run", "start")}


def reproducibility():
    """Voxels that differ between two runs of the same seed, and between one GPU and all."""
    phantom, decays = _water(size=32)
    source = mcdose.Source(decays, "F-18", phantom)

    def run(device):
        return mcdose.monte_carlo(phantom, source, histories=3_000_000, batches=6, seed=5, device=device)

    first, result = run("cuda"), {"GPUs": len(probe().devices)}
    for name, device in (("second run", "cuda"), ("all GPUs", "cuda:all")):
        again = run(device)
        result[name] = int((again.energy_mev != first.energy_mev).sum() + (again.tally != first.tally))
    result["balanced"] = first.tally["emitted"] == first.tally["deposited"] + first.tally["escaped"]
    return result


def agreement(histories=4_000_000):
    """CPU against GPU per case: mean z squared and its expected scatter, largest z, difference of the total."""
    rows = {}
    for name, nuclide, (phantom, decays) in (
        ("voxel in water, 3 mm", "Y-90", _point_source()),
        ("voxel in water, 3 mm", "F-18", _point_source()),
        ("liver–lung slab, 3 mm", "Y-90", slab(40)[:2]),
        ("CT-like, 128³ of 4 mm", "Lu-177", patient(64)[:2]),
        ("CT-like, 128³ of 4 mm", "I-131", patient(64)[:2]),
    ):
        source = mcdose.Source(decays, nuclide, phantom)
        cpu, gpu = (
            mcdose.monte_carlo(phantom, source, histories=histories, seed=seed, device=device, batches=40)
            for seed, device in ((1, "cpu"), (2, "cuda"))
        )
        rows[f"{nuclide}, {name}"] = _compared(cpu, gpu)
    return rows


def _point_source(size=41):
    phantom = mcdose.Phantom.uniform(mcdose.material("water"), (size,) * 3, 3.0)
    decays = np.zeros(phantom.shape)
    decays[(size // 2,) * 3] = 1.0
    return phantom, decays


def _compared(cpu, gpu):
    known = np.ones(cpu.energy_mev.shape, bool)
    for dose in (cpu, gpu):
        known &= (dose.relative_uncertainty > 0) & (dose.relative_uncertainty < KNOWN)
    sigma = [(dose.energy_mev * dose.relative_uncertainty)[known] for dose in (cpu, gpu)]
    z = (gpu.energy_mev - cpu.energy_mev)[known] / np.hypot(*sigma)
    totals = [dose.energy_mev.sum() for dose in (cpu, gpu)]
    return {
        "voxels": int(z.size),
        "mean z²": float((z**2).mean()),
        "expected scatter": float(np.sqrt(2 / max(z.size, 1) + 2 / 39)),  # also of 39 degrees of freedom each
        "mean z": float(z.mean()),
        "largest z": float(np.abs(z).max(initial=0.0)),
        "total, GPU/CPU − 1": float(totals[1] / totals[0] - 1),
    }


def rates():
    """Histories and decays per second of every nuclide on every grid."""
    rows = {}
    for grid, (phantom, decays) in _grids().items():
        for nuclide in NUCLIDES:
            run = problem(phantom, decays, mcdose.Nuclide(nuclide).spectrum, None, PHYSICS)
            device = Cuda(run, phantom.grid, (0,))
            rows[f"{nuclide}, {grid}"] = _rate(device, run.particles_per_decay)
            device.close()
    return rows


def _rate(device, particles_per_decay):
    device.prepare()
    device.transport(1, 0, RATE_BATCH)  # finds the size of its launches
    device.gather(RATE_BATCH)
    card = device._cards[0]
    seconds, launches = card.seconds.copy(), card.launches.copy()
    flights = batches = 0
    begin = time.perf_counter()
    while time.perf_counter() - begin < SECONDS:
        batches += 1
        flights += int(device.transport(1, batches * RATE_BATCH, RATE_BATCH)[3])
        device.gather(RATE_BATCH)
    wall, histories = time.perf_counter() - begin, batches * RATE_BATCH
    seconds, launches = card.seconds - seconds, card.launches - launches
    return {
        "histories/s": histories / wall,
        "decays/s": histories / wall / particles_per_decay,
        "flights per history": flights / histories,
        "share of time: photons, charged, decays": (seconds / wall).round(3).tolist(),
        "launches per batch": (launches / batches).round(1).tolist(),
        "GPU memory free, GB": free_memory(0) / 1e9,
    }


def tumour():
    """A dose to 1 % in a tumour, from the start of the process."""
    return {nuclide: child("gpu_run", "tumour", nuclide) for nuclide in ("Lu-177", "Y-90")}


STAGES = {
    "start": start, "reproducibility": reproducibility, "agreement": agreement, "rates": rates, "tumour": tumour,
}  # fmt: skip


def run(folder=None):
    """Measure everything, write the results and return the Markdown."""
    because = obstacle(probe())
    if because:
        sys.exit(f"python -m benchmarks gpu: no GPU can be used: {because}")
    import cupy
    import numba_cuda

    result = {
        "gpu": gpu_name(0), "driver": probe().cuda_version, "compute capability": probe().devices[0][1],
        "cupy": cupy.__version__, "numba-cuda": numba_cuda.__version__,
    }  # fmt: skip
    for name, stage in STAGES.items():
        begin = time.perf_counter()
        try:
            result[name] = stage()
        except Exception:
            result[name] = {"failed": traceback.format_exc()}
        result[f"{name}, seconds"] = time.perf_counter() - begin
        print(name, json.dumps(result[name], indent=1), file=sys.stderr, flush=True)
    return write("gpu", f"Speed and accuracy on {result['gpu']}", result, _markdown(result), _figures(result), folder)


def _figures(result):
    rows = result.get("rates", {})
    return {f"{name}, histories/s": Figure(r["histories/s"], 0.03) for name, r in rows.items() if "histories/s" in r}


def _markdown(result):
    about = f"Driver for CUDA {result['driver']}, compute capability {result['compute capability']}, "
    parts = [about + f"cupy {result['cupy']}, numba-cuda {result['numba-cuda']}."]
    for name in STAGES:
        if name not in result:
            continue
        parts.append(f"## {name.capitalize()}")
        rows = result[name]
        if rows and all(isinstance(row, dict) for row in rows.values()):
            columns = list(next(iter(rows.values())))
            parts.append(
                table(["", *columns], [[key, *(_cell(row.get(c)) for c in columns)] for key, row in rows.items()])
            )
        else:
            parts.append("```\n" + json.dumps(rows, indent=1) + "\n```")
    return "\n\n".join(parts)


def _cell(value):
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1e4 else f"{value:.4g}"
    return str(value)
