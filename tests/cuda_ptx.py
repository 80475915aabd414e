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
from kernels_cuda.source import FirstCollision, Shift
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
    first = FirstCollision(np.uint32(0), np.uint32(0))
    decays = queues.Decays(s, g, np.zeros(4, np.uint32), np.int64(0), np.int64(0), Shift(*[np.uint32(0)] * 8))
    shared = (np.zeros(phantom.shape, np.int64), numbers, ring, ring, numbers)
    return {
        "charged": (t, g, *shared, work, decays, *seed_words(1)),
        "photons": (p, t, g, *shared, work, first, *seed_words(1)),
    }


def basic_blocks(ptx):
    """Successors of each basic block of a kernel, in the order of the code."""
    labels, endings = {}, [""]
    for line in (line.strip() for line in ptx[ptx.index(".visible .entry") :].splitlines()):
        label = re.match(r"(\$L__BB\w+):", line)
        if label or re.match(r"@.*bra", endings[-1]):
            endings.append("")
        if label:
            labels[label[1]] = len(endings) - 1
        elif line.endswith(";"):
            endings[-1] = line
    successors = []
    for k, ending in enumerate(endings):
        jump = re.search(r"bra(?:\.uni)?\s+(\$L__BB\w+)", ending)
        ahead = [] if re.match(r"bra|ret", ending) or k + 1 == len(endings) else [k + 1]
        successors.append(([labels[jump[1]]] if jump else []) + ahead)
    return successors


def flatness(ptx):
    """Back edges of the loop that holds most of the kernel, and the largest share of it that a loop inside it holds."""
    successors = basic_blocks(ptx)
    predecessors = [[i for i, after in enumerate(successors) if k in after] for k in range(len(successors))]
    dominators = [{0}] + [set(range(len(successors)))] * (len(successors) - 1)
    while True:
        better = [{0}]
        for k in range(1, len(successors)):
            before = [dominators[i] for i in predecessors[k]]
            better.append((set.intersection(*before) if before else set()) | {k})
        if better == dominators:
            break
        dominators = better
    loops = {}
    for k, after in enumerate(successors):
        for head in (h for h in after if h in dominators[k]):
            edges, body = loops.setdefault(head, ([], {head}))
            edges.append(k)
            waiting = [k]
            while waiting:
                block = waiting.pop()
                if block not in body:
                    body.add(block)
                    waiting += predecessors[block]
    sizes = sorted(((len(body), len(edges)) for edges, body in loops.values()), reverse=True)
    return sizes[0][1], sizes[1][0] / sizes[0][0]


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
    edges, inner = flatness(ptx)
    return {
        "registers": int(re.search(r"Used (\d+) registers", log)[1]),
        "stack_bytes": int(re.search(r"(\d+) bytes stack frame", log)[1]),
        "spilled_bytes": sum(int(n) for n in re.findall(r"(\d+) bytes spill", log)),
        "double_operations": len(re.findall(r"^\s*\w+[\w.]*\.f64", ptx, re.MULTILINE)),
        "atomics": sorted(set(re.findall(r"(?:atom|red)\.[\w.]+", ptx))),
        "assembled_bytes": len(binary.code),
        "back_edges": edges,
        "largest_inner_loop": round(inner, 2),
    }


if __name__ == "__main__":
    capability = tuple(int(n) for n in sys.argv[1].split("."))
    cuda, _ = driver.backend()
    pretend(capability)
    built = driver.kernels(cuda, cache=False)._asdict()
    print(json.dumps({name: facts(cuda, built[name], values, capability) for name, values in arguments().items()}))
