"""Compiles the CUDA kernels for one compute capability, without a GPU, and assembles them; prints facts as JSON.

A process of its own, since numba-cuda asks for a device where none is: it is told of one of this capability.
"""

import json
import re
import sys

import numpy as np

import mcdose
from kernels_cuda import cuda as driver
from kernels_cuda import queues
from kernels_cuda.batch import seed_words
from kernels_cuda.source import Shift
from mcdose.engine import Physics, problem


def pretend(capability):
    """numba-cuda believes in a device of this compute capability."""
    from numba.cuda import dispatcher

    class Device:
        compute_capability = capability

    dispatcher.get_current_device = Device


def arguments():
    """Arguments of both kernels, of the types of a run."""
    phantom = mcdose.Phantom.uniform(mcdose.material("water"), (5, 5, 5), 3.0)
    spectrum = mcdose.Nuclide("F-18").spectrum
    p, t, g, s = problem(phantom, np.ones(phantom.shape), spectrum, None, Physics(0.01, 0.01))[:4]
    ring = queues.Ring(np.zeros((8, 8), np.float32), np.zeros((8, 8), np.uint32), np.int64(0))
    numbers = np.zeros(4, np.int64)
    work = queues.Work(numbers, np.int64(0), np.int64(0))
    decays = queues.Decays(s, g, np.zeros(4, np.uint32), np.int64(0), np.int64(0), Shift(*[np.uint32(0)] * 6))
    shared = (np.zeros(phantom.shape, np.int64), numbers, ring, ring, numbers)
    return {
        "charged": (t, g, *shared, work, decays, *seed_words(1)),
        "photons": (p, t, g, *shared, work, *seed_words(1)),
    }


def facts(cuda, kernel, values, capability):
    """What the compiler and the assembler say of a kernel."""
    from cuda.core import Linker, LinkerOptions, ObjectCode
    from numba.cuda.typing.typeof import typeof

    signature = tuple(typeof(value) for value in values)
    ptx, _ = cuda.compile_ptx(kernel.py_func, signature, cc=capability, fastmath=True)
    options = LinkerOptions(arch="sm_{}{}".format(*capability), ptxas_options=["-v"])
    linker = Linker(ObjectCode.from_ptx(ptx.encode()), options=options)
    binary = linker.link("cubin")
    log = linker.get_info_log()
    return {
        "registers": int(re.search(r"Used (\d+) registers", log)[1]),
        "stack_bytes": int(re.search(r"(\d+) bytes stack frame", log)[1]),
        "spilled_bytes": sum(int(n) for n in re.findall(r"(\d+) bytes spill", log)),
        "double_operations": len(re.findall(r"^\s*\w+[\w.]*\.f64", ptx, re.MULTILINE)),
        "atomics": sorted(set(re.findall(r"(?:atom|red)\.[\w.]+", ptx))),
        "assembled_bytes": len(binary.code),
    }


if __name__ == "__main__":
    capability = tuple(int(n) for n in sys.argv[1].split("."))
    cuda, _ = driver.backend()
    pretend(capability)
    built = driver.kernels(cuda, cache=False)._asdict()
    print(json.dumps({name: facts(cuda, built[name], values, capability) for name, values in arguments().items()}))
