"""One decorator for every transport function, and the way to rebuild the call tree for another compiler.

numba's disk cache only watches the file of the function it compiles, not the files of its callees. The cache directory
is therefore named by a hash of every source file of this package: any edit gives a fresh cache.
"""

import contextlib
import dis
import hashlib
import os
import pathlib
import sys
import types

from numba import config, njit
from numba.core.dispatcher import Dispatcher

FASTMATH = {"nnan", "ninf", "nsz", "arcp", "contract", "afn"}
"""Relaxations of IEEE arithmetic. Without "reassoc": sums keep their order. "nnan" and "ninf": no tests for NaN."""


def _cache_directory():
    sources = hashlib.sha256()
    for path in sorted(pathlib.Path(__file__).parent.glob("*.py")):
        sources.update(path.name.encode() + path.read_bytes())
    base = os.environ.get("MCDOSE_CACHE_DIR")
    if base is None:
        caches = os.environ.get("LOCALAPPDATA") if sys.platform == "win32" else os.environ.get("XDG_CACHE_HOME")
        base = pathlib.Path(caches) if caches else pathlib.Path.home() / ".cache"
    return pathlib.Path(base) / "mcdose" / f"kernels-{sources.hexdigest()[:16]}"


CACHE_DIRECTORY = _cache_directory()


def is_compiled():
    """True if the CPU kernels of exactly these sources are in the disk cache of this Python."""
    return any(CACHE_DIRECTORY.rglob(f"cpu.run*.py{sys.version_info[0]}{sys.version_info[1]}*.nbc"))


@contextlib.contextmanager
def in_cache_directory(settings):
    """What is decorated meanwhile keeps its compiled code in ``CACHE_DIRECTORY``; ``settings`` is numba's config."""
    previous, settings.CACHE_DIR = settings.CACHE_DIR, str(CACHE_DIRECTORY)  # read by numba at decoration time
    try:
        yield
    finally:
        settings.CACHE_DIR = previous


def _cached(options):
    def decorate(function):
        with in_cache_directory(config):
            return njit(cache=True, fastmath=FASTMATH, error_model="numpy", **options)(function)

    return decorate


device = _cached({"_nrt": False, "forceinline": True})
"""Decorator of a transport function: scalar, float32, no allocation, called by name.

Without numba's reference counting, which adds an atomic operation per array to every call that passes a named tuple
(1.4 to 2.4 times slower; functions that allocate nothing do not need it), and inlined, since calls copy the tuples word
by word (another 1.35 to 2.4 times).
"""


spliced = _cached({"_nrt": False, "inline": "always"})
"""Decorator of a step of one device function, written into it before it is compiled, so that the compiler does not work
through its callees once more (a tenth of the whole compilation). Not for a driver: there its arrays would be counted.
"""


def driver(**options):
    """Decorator of a function that Python calls (``nogil=True`` lets threads run it side by side)."""
    return _cached(options)


def _globals_read(code):
    """Names a function reads as globals (attribute names may be the same words)."""
    return {i.argval for i in dis.get_instructions(code) if i.opname == "LOAD_GLOBAL"}


def retarget(function, jit, substitutes, memo=None):
    """Rebuild a transport function, and all it calls, with another compiler's decorator.

    Parameters
    ----------
    function : numba dispatcher or function
        Its callees are found among the globals it names.
    jit : callable
        Decorator of the target, for example ``cuda.jit(device=True, fastmath=True)``.
    substitutes : dict
        ``{id(cpu_function): target_function}`` for the few primitives a target replaces (atomic additions).
    memo : dict, optional
        Functions already rebuilt; share one over the kernels of a target.

    Returns
    -------
    callable
        ``jit`` applied to a copy of the function whose globals name the rebuilt callees.

    Raises
    ------
    TypeError
        If a function is a closure: its cells cannot be retargeted.
    """
    memo = {} if memo is None else memo
    python = getattr(function, "py_func", function)
    if python in memo:
        return memo[python]
    if python.__closure__:
        raise TypeError(f"{python.__name__}: transport functions must be at module level, without closures")
    scope = dict(python.__globals__)
    for name in _globals_read(python.__code__):
        value = scope.get(name)
        if id(value) in substitutes:
            scope[name] = substitutes[id(value)]
        elif isinstance(value, Dispatcher):
            scope[name] = retarget(value, jit, substitutes, memo)
    copy = types.FunctionType(python.__code__, scope, python.__name__, python.__defaults__)
    copy.__module__, copy.__qualname__ = python.__module__, python.__qualname__
    memo[python] = rebuilt = jit(copy)
    return rebuilt
