"""Fresh processes: what is measured there owes nothing to this one."""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def child(module, *arguments, cache=None):
    """Run ``python -m benchmarks.MODULE ARGUMENTS`` from the repository and read the JSON it prints.

    Parameters
    ----------
    module : str
    *arguments
        As text.
    cache : path, optional
        Folder for compiled kernels instead of the usual one.
    """
    environment = dict(os.environ)
    if cache is not None:
        environment["MCDOSE_CACHE_DIR"] = str(cache)
    command = [sys.executable, "-m", f"benchmarks.{module}", *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{done.stderr}")
    return json.loads(done.stdout)
