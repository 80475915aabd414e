"""The CUDA kernels without a GPU: in numba's simulator, and compiled for the cards people have."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from mcdose import gpu
from mcdose.errors import InputError, InputWarning
from mcdose.grid import Grid
from mcdose.memory import check_gpu_memory

HERE = Path(__file__).parent
# 3e-5 MeV of a voxel: a unit is 2**-26 MeV, an energy of 1 MeV rounds to 4 of them, and the last bit of a position or
# direction grows along a track
ROUNDING_UNITS = 2000
# Registers per thread at which five blocks of 128 threads still fit a multiprocessor (65536 / 128 / 5)
REGISTER_BUDGET = 102
CAPABILITIES = ("7.5", "8.0", "9.0", "12.0")  # Turing, Ampere, Hopper, Blackwell


def said(script, *arguments):
    """What a script of this folder prints, from JSON."""
    command = [sys.executable, "-m", f"tests.{script}", *arguments]
    done = subprocess.run(command, cwd=HERE.parent, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def simulated():
    return said("cuda_simulator")


@pytest.mark.parametrize("nuclide", ["Y-90", "I-131", "F-18"])
def test_kernels_give_what_the_cpu_gives(simulated, nuclide):
    """The same histories: deposits differ by the rounding of float32, but where rounding tips a decision.

    That sends one particle another way, now and then, as compiler and processor have it;
    wrong physics or a wrong number drawn would move every voxel.
    """
    r = simulated[nuclide]
    differences = np.array(r["differences"])
    assert r["counters"][0] == r["cpu_counters"][0]
    assert r["counters"][3] == pytest.approx(r["cpu_counters"][3], rel=0.01)
    assert r["counters"][3] > 100  # flights
    assert r["unbalanced"] == 0
    assert (differences <= ROUNDING_UNITS).mean() > 0.9
    assert differences.sum() < 1e-3 * r["whole"]
    assert r["whole"] > 1e5 * ROUNDING_UNITS


@pytest.mark.parametrize("nuclide", ["Y-90", "I-131", "F-18"])
def test_the_order_of_the_queues_changes_nothing(simulated, nuclide):
    """Rings of 16 places and three calls, instead of 1024 and one: other launches, the same tally to the unit."""
    assert simulated[nuclide]["small_ring_differs"] == 0
    assert simulated[nuclide]["counters"][2] == 0


def test_a_full_ring_loses_no_energy(simulated):
    assert simulated["overflow"]["overflows"] > 0
    assert simulated["overflow"]["unbalanced"] == 0


def test_devices_through_the_api(simulated):
    r = simulated["api"]
    assert [d.partition(" ")[0] for d in r["devices"]] == ["cuda:0", "cuda:0,1", "cpu"]
    assert r["two_differ"] == r["two_differ_in_uncertainty"] == 0
    assert r["from_cpu"] < 1e-3  # of the faintest voxel
    assert r["uncertainty_from_cpu"] < 1e-3
    assert r["tally"]["emitted"] == r["tally"]["deposited"] + r["tally"]["escaped"]


def test_regions_are_summed_on_one_card_and_on_two(simulated):
    one, two, host = simulated["api"]["regions"]
    assert one == two  # to the unit
    assert abs(simulated["api"]["region_from_grid"]) < 1e-6  # masses in float32
    for card, cpu in zip(one, host, strict=True):
        assert card == pytest.approx(cpu, rel=1e-3)


@pytest.mark.skipif(importlib.util.find_spec("numba_cuda") is None, reason="numba-cuda is not installed (extra cuda13)")
@pytest.mark.parametrize("capability", CAPABILITIES)
def test_kernels_compile_for_the_cards_people_have(capability, record_property):
    for name, facts in said("cuda_ptx", capability).items():
        print(f"compute capability {capability}, {name}: {facts}")
        record_property(name, facts)
        assert facts["double_operations"] == 0
        assert facts["spilled_bytes"] == facts["stack_bytes"] == 0
        assert facts["registers"] <= REGISTER_BUDGET
        assert facts["atomics"] == ["atom.global.add.u64"]
        assert facts["assembled_bytes"] > 10_000
        # Threads that end a particle would wait for the others at the exit of a loop around their steps: there is none
        assert facts["back_edges"] == 1
        assert facts["largest_inner_loop"] < 0.25


HOPPER = gpu.GpuReport((("NVIDIA H200", "9.0"), ("NVIDIA H200", "9.0")), "13.0")


@pytest.fixture
def found(monkeypatch):
    """A function that says what the driver finds."""
    monkeypatch.delenv("NUMBA_ENABLE_CUDASIM", raising=False)
    return lambda report: monkeypatch.setattr(gpu, "probe", lambda: report)


def test_devices_are_chosen_by_name(found):
    found(HOPPER)
    assert [gpu.chosen(d) for d in ("auto", "cpu", "cuda", "cuda:1", "cuda:all")] == [(0,), (), (0,), (1,), (0, 1)]
    for wrong in ("gpu", "cuda:", "cuda:-1", "cuda0", "cuda:1,2"):
        with pytest.raises(InputError, match="choose auto, cpu, cuda"):
            gpu.chosen(wrong)
    with pytest.raises(InputError, match=r"there are 2 GPUs; choose cuda:0 to cuda:1"):
        gpu.chosen("cuda:2")


def test_without_a_gpu_auto_is_the_cpu_and_cuda_says_why(found):
    found(gpu.GpuReport(reason="no NVIDIA driver is installed"))
    assert gpu.chosen("auto") == ()
    with pytest.raises(InputError, match="no NVIDIA driver is installed; or use 'cpu'"):
        gpu.chosen("cuda")


@pytest.mark.parametrize(
    ("version", "missing", "remedy"),
    [
        ("13.1", ("cupy",), r"not installed: cupy; pip install 'mcdose\[cuda13\]'"),
        ("12.4", ("cupy", "numba-cuda"), r"not installed: cupy, numba-cuda; pip install 'mcdose\[cuda12\]'"),
        ("14.0", ("cupy",), r"mcdose\[cuda13\]"),
        ("11.8", (), "update it to CUDA 12 or newer"),
    ],
)
def test_what_is_missing_comes_with_its_remedy(found, version, missing, remedy):
    found(gpu.GpuReport(HOPPER.devices, version, missing))
    with pytest.raises(InputError, match=remedy):
        gpu.chosen("cuda")
    with pytest.warns(InputWarning, match=remedy):
        assert gpu.chosen("auto") == ()


def test_a_large_ct_fits_a_card_of_12_gb_and_a_small_card_says_what_would_fit():
    grid = Grid((400, 512, 512), 1.0)
    check_gpu_memory(grid, 0, 11.5e9)
    with pytest.raises(
        InputError, match=r"512 x 512 x 400 .* 5\.95 GB on GPU 1 .* voxels of 1\.3 x .* or device 'cpu'"
    ):
        check_gpu_memory(grid, 1, 4e9)
    with pytest.raises(InputError, match="; use device 'cpu'"):
        check_gpu_memory(grid, 1, 0.3e9)
