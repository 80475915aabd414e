"""Warming up compiles what a run needs, and says so."""

import subprocess
import sys

from mcdose.cli import main


def test_warmup_says_what_it_did(capsys):
    assert main(["warmup"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "kernels are kept in" in lines[0]
    assert [line.split(":")[0] for line in lines[1:3]] == ["resampling of images", "transport on the CPU"]
    assert all(line.endswith(" s") for line in lines[1:3])


def test_nothing_is_left_to_compile():
    """After it a run finds its kernels in the cache (numba counts hits and misses)."""
    code = """
import mcdose
from mcdose.warmup import warm_up
warm_up(lambda line: None)
from kernels_cuda import cpu
from mcdose import resample
made = [cpu.run, cpu.gather, resample._average_boxes, resample._sample_points]
before = [len(f.signatures) for f in made]
import numpy as np
water, lung = mcdose.material("water"), mcdose.material("lung")
phantom = mcdose.Phantom(np.ones((4, 3, 5)), np.arange(60).reshape(4, 3, 5) % 2, [water, lung], 3.0)
mcdose.monte_carlo(phantom, mcdose.Source(np.ones((4, 3, 5)), "I-131", phantom), histories=20)
assert min(before) > 0 and before == [len(f.signatures) for f in made], before
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)
