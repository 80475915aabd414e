"""Runs the CUDA kernels in numba's simulator and the CPU's on the same histories; prints what they gave as JSON.

A process of its own: whether numba simulates is settled when it is first imported.
"""

import itertools
import json
import os
from concurrent.futures import ThreadPoolExecutor

os.environ["NUMBA_ENABLE_CUDASIM"] = "1"

import numpy as np

import mcdose
from kernels_cuda import cpu
from kernels_cuda.batch import Batch
from kernels_cuda.cuda import Card
from mcdose.engine import Physics, problem

CUTOFF_MEV = 0.01


def phantom():
    """Lung, water and bone side by side."""
    media = [mcdose.material(name) for name in ("lung", "water", "cortical_bone")]
    index = np.zeros((5, 4, 6), np.uint8)
    index[:, :, 2:4], index[:, :, 4:] = 1, 2
    return mcdose.Phantom(np.choose(index, [0.26, 1.0, 1.92]), index, media, (3.0, 2.0, 2.5))


def setting(nuclide):
    """A problem with decays all over the phantom."""
    made = phantom()
    decays = np.random.default_rng(5).uniform(0.5, 1.5, made.shape)
    return problem(made, decays, mcdose.Nuclide(nuclide).spectrum, None, Physics(CUTOFF_MEV, CUTOFF_MEV)), made.shape


def on_cpu(run, shape, batch):
    energy = np.zeros(shape, np.int64)
    with ThreadPoolExecutor(1) as pool:
        counters = cpu.simulate(*run[:4], energy, batch, pool, 1)
    return energy, counters


def on_card(run, shape, batch, capacity, parts=1, limit=None):
    card = Card(*run[:4], shape, capacity=capacity)
    if limit:
        card._limit = lambda kind: limit
    edges = np.linspace(0, batch.size, parts + 1).astype(int)
    counters = sum(card.transport(batch, int(a), int(b)) for a, b in itertools.pairwise(edges))
    return card.energy, counters


def compared(nuclide, size):
    """How far the tally is from the CPU's, voxel by voxel and in all; and what a small ring changes."""
    run, shape = setting(nuclide)
    batch = Batch(seed=11, first=700, size=size)
    ours, counters = on_card(run, shape, batch, capacity=1024)
    theirs, of_cpu = on_cpu(run, shape, batch)
    small, of_small = on_card(run, shape, batch, capacity=16, parts=3)
    return {
        "counters": counters.tolist(),
        "cpu_counters": of_cpu.tolist(),
        "unbalanced": int(counters[0] - counters[1] - ours.sum()),
        "differences": np.abs(ours - theirs)[theirs > 0].tolist(),
        "whole": float(theirs.sum()),
        "small_ring_differs": int((small != ours).sum()) + int((of_small != counters).sum()),
    }


def overflowing():
    """Launches far too large for the rings."""
    run, shape = setting("F-18")
    energy, counters = on_card(run, shape, Batch(3, 0, 40), capacity=4, limit=1000)
    return {"unbalanced": int(counters[0] - counters[1] - energy.sum()), "overflows": int(counters[2])}


def through_the_api():
    """The same run on one simulated GPU, on two, and on the CPU."""
    made = phantom()
    source = mcdose.Source(np.ones(made.shape), "Lu-177", made)
    bone = np.broadcast_to(np.arange(made.shape[2]) >= 4, made.shape)
    masks = {"bone": bone, "upper half": np.broadcast_to(np.arange(made.shape[0])[:, None, None] >= 2, made.shape)}
    doses = {
        device: mcdose.monte_carlo(made, source, histories=240, batches=3, device=device, regions=masks)
        for device in ("cuda", "cuda:all", "cpu")
    }
    one, two, host = doses["cuda"], doses["cuda:all"], doses["cpu"]
    scored = host.energy_mev > 0
    return {
        "devices": [dose.settings["device"] for dose in doses.values()],
        "two_differ": int((one.energy_mev != two.energy_mev).sum()),
        "two_differ_in_uncertainty": int((one.relative_uncertainty != two.relative_uncertainty).sum()),
        "from_cpu": float(np.abs(one.energy_mev / host.energy_mev - 1)[scored].max()),
        "uncertainty_from_cpu": float(np.nanmax(np.abs(one.relative_uncertainty / host.relative_uncertainty - 1))),
        "tally": one.tally,
        "regions": [[(r.mean_gy, r.standard_uncertainty_gy) for r in d.regions.values()] for d in doses.values()],
        "region_from_grid": float(
            one.regions["bone"].mean_gy / np.average(one.gy[bone], weights=made.density_g_cm3[bone]) - 1
        ),
    }


if __name__ == "__main__":
    with np.errstate(over="ignore"):  # uint32 of NumPy wraps round like that of the kernels, and says so
        result = {name: compared(name, size) for name, size in (("Y-90", 60), ("I-131", 150), ("F-18", 60))}
        result |= {"overflow": overflowing(), "api": through_the_api()}
    print(json.dumps(result))
