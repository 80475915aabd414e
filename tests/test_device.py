import importlib
import pkgutil
import platform
import re

import numpy as np
import pytest
from numba import njit
from numba.core.dispatcher import Dispatcher

import kernels_cuda
from kernels_cuda import geometry, lanes, particles, tally
from kernels_cuda.device import FASTMATH, device, driver, retarget
from kernels_cuda.rng import Stream
from kernels_cuda.source import FirstCollision
from tests.transport import _shoot, box, empty_lanes, media, stacks

DOUBLE = re.compile(r"\b(fpext|fptrunc|f(add|sub|mul|div|cmp|neg)\b.*\bdouble|call .*double|[su]itofp .* to double)")


def double_operations(dispatcher):
    """Lines of the compiled functions that compute in double precision, without numba's argument wrappers."""
    found = []
    for signature in dispatcher.signatures:
        function = None
        for line in dispatcher.inspect_llvm(signature).splitlines():
            name = re.match(r'define .*?@"?([\w.$]+)', line)
            if name:
                function = name.group(1)
            elif function and not function.startswith(("_ZN7cpython", "cfunc.")) and DOUBLE.search(line):
                found.append(line.strip())
    return found


def transport_functions():
    for module in pkgutil.iter_modules(kernels_cuda.__path__):
        scope = importlib.import_module(f"kernels_cuda.{module.name}")
        for name, value in vars(scope).items():
            if isinstance(value, Dispatcher) and value.py_func.__module__ == scope.__name__:
                yield f"{module.name}.{name}", value


@driver()
def _score_late(energy, late, places, amounts):
    t = tally.Tally(energy, late, late)
    for k in range(amounts.size):
        tally.score_later(t, places[k, 0], places[k, 1], places[k, 2], amounts[k])
    waiting = energy.sum()
    tally.settle(t)
    return waiting


def test_scores_that_wait_arrive_in_the_end():
    rng = np.random.default_rng(1)
    shape = (4, 5, 6)
    places, amounts = rng.integers(0, shape, (1001, 3), np.int32), rng.integers(1, 1 << 40, 1001)
    energy, expected = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    np.add.at(expected, tuple(places.T), amounts)
    waiting = _score_late(energy, np.zeros((tally.DELAY + 1, 2), np.int64), places, amounts)
    assert waiting == amounts[: -tally.DELAY].sum()
    assert (energy == expected).all()


def test_no_double_precision_creeps_into_the_transport():
    """A GPU does double precision at a fraction of the speed. Compiled afresh: the disk cache keeps no listing."""
    from physics_data.materials import material

    memo = {}
    fresh = retarget(_shoot, lambda f: njit(error_model="numpy", fastmath=True)(f), {}, memo)
    grid = box((3, 3, 3), (0.3,) * 3)
    arguments = (np.zeros((3, 3, 3), np.int64), np.zeros(tally.N_COUNTERS, np.int64))
    tables = media([material("water")], 1.2)
    for kind in (0, 1, 2):
        fresh(
            *tables, grid, *arguments, stacks(), empty_lanes(), np.int32(kind), np.ones(3, np.int32),
            np.zeros(3, np.float32), np.array([0, 0, 1], np.float32), np.float32(0.5), 3, np.uint32(1),
        )  # fmt: skip
    compiled = {f"{f.__module__.split('.')[-1]}.{f.__name__}": d for f, d in memo.items() if d.signatures}
    assert {"electron.transport_charged", "photon.fly", "photon.collide", "rng.philox"} <= set(compiled)
    compiled.pop("transport._shoot")
    guilty = {name: double_operations(d)[:2] for name, d in compiled.items() if double_operations(d)}
    assert not guilty


@pytest.mark.skipif(
    platform.machine() not in ("x86_64", "AMD64", "arm64", "aarch64"),
    reason="the vectors of this processor are unknown",
)
def test_photons_fly_several_to_an_instruction():
    """The compiler understands that lanes do not depend on one another: products of Philox come in vectors."""
    as_shipped = njit(fastmath=FASTMATH, error_model="numpy", _nrt=False, forceinline=True)
    compiled = retarget(lanes.fly_side_by_side, as_shipped, {})
    zero = np.uint32(0)
    waiting = particles.Waiting(*stacks(), Stream(zero, zero, zero, zero, zero), FirstCollision(zero, zero))
    compiled(box((3, 3, 3), (0.3,) * 3), waiting, lanes.Lanes(*empty_lanes()))
    (listing,) = compiled.inspect_asm().values()
    assert re.search(r"\bvpmuludq\b.*%ymm|\bv?pmuludq\b.*%xmm|\bumull2?\b", listing)


def test_the_guard_sees_double_precision():
    @njit
    def careless(x):
        return x * 0.5

    careless(np.float32(1))
    assert double_operations(careless)


def test_every_transport_function_is_single_source():
    names = [name for name, _ in transport_functions()]
    assert len(names) > 40
    for name, value in transport_functions():
        assert value.py_func.__closure__ is None, f"{name} is a closure"


def test_retarget_rebuilds_callees_and_replaces_primitives():
    calls = []

    def recorded(energy, iz, iy, ix, amount):
        calls.append((iz, iy, ix, amount))

    plain = retarget(particles.push, lambda f: f, {id(tally.score): recorded})
    counts = tally.Tally(np.zeros((1, 1, 1), np.int64), np.zeros(tally.N_COUNTERS, np.int64), None)
    waiting = particles.Waiting(*stacks(), None, None)
    waiting.depth[:] = particles.DEPTH
    plain(waiting, counts, particles.ELECTRON, 0, 0, 0, *[np.float32(1)] * 7, None)
    assert calls == [(0, 0, 0, tally.UNITS_PER_MEV)]
    assert counts.counters[tally.OVERFLOWS] == 1
    assert counts.energy.sum() == 0
    assert (waiting.depth == particles.DEPTH).all()


def test_retarget_refuses_closures():
    shift = np.float32(2)

    def closure(x):
        return x + shift

    with pytest.raises(TypeError, match="closure"):
        retarget(closure, lambda f: f, {})


def test_device_functions_are_callable_from_python():
    assert isinstance(device, type(lambda: 0))
    assert geometry.distance_to_face(
        geometry.Grid(np.ones((1, 1, 1), np.uint32), np.ones((1, 1, 1), np.uint32), *[np.float32(0.5)] * 3),
        np.float32(0.2), np.float32(-0.3), np.float32(0),
    ) == pytest.approx(0.2)  # fmt: skip
