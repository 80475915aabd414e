"""What was measured, on what machine and with what versions: JSON for programs, Markdown for people."""

import datetime
import json
import os
import platform
from pathlib import Path
from typing import NamedTuple

import numba
import numpy as np

import mcdose

RESULTS = Path(__file__).parent / "results"
HISTORY = "history.jsonl"  # the figures of every measurement, a line each


class Figure(NamedTuple):
    """A measured number, its relative standard error, and whether more is better."""

    value: float
    error: float = 0.0
    more_is_better: bool = True


def machine():
    """The machine, its load, and the versions that the figures depend on, as a dictionary."""
    from kernels_cuda.device import CACHE_DIRECTORY

    return {
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "processor": _processor(),
        "cores": cores(),
        "load": round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None,
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "numpy": np.__version__,
        "numba": numba.__version__,
        "mcdose": mcdose.__version__,
        "kernels": CACHE_DIRECTORY.name,  # named by a hash of the kernels' sources
    }


def cores():
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def _processor():
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def table(header, rows):
    """A Markdown table of rows of strings: the first column to the left, the others to the right."""
    columns = list(zip(header, *rows))
    widths = [max(len(cell) for cell in column) for column in columns]
    rule = ["-" * widths[0]] + ["-" * (w - 1) + ":" for w in widths[1:]]
    lines = [header, rule, *rows]
    aligned = [[row[0].ljust(widths[0])] + [c.rjust(w) for c, w in zip(row[1:], widths[1:])] for row in lines]
    return "\n".join("| " + " | ".join(row) + " |" for row in aligned)


def write(name, title, result, text, figures, folder=None):
    """Write ``name.json`` and ``name.md`` with the machine, add the figures to the history, and give the Markdown.

    Parameters
    ----------
    name, title : str
    result : dict
        JSON-able.
    text : str
        Markdown: the table and what it needs to be understood.
    figures : dict of str to Figure
        The numbers by which measurements are compared.
    folder : path, optional
        ``benchmarks/results`` by default.

    Returns
    -------
    str
    """
    about = machine()
    stated = f"{about['processor']}, {about['cores']} cores, load {about['load']}; Python {about['python']}, "
    stated += f"numpy {about['numpy']}, numba {about['numba']}, mcdose {about['mcdose']} ({about['kernels']}); "
    document = f"# {title}\n\n{stated}{about['date']}.\n\n{text}\n"
    folder = RESULTS if folder is None else Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.json").write_text(json.dumps({"machine": about, **result}, indent=1) + "\n", encoding="utf-8")
    (folder / f"{name}.md").write_text(document, encoding="utf-8")
    line = {"benchmark": name, "machine": about, "figures": {k: f._asdict() for k, f in figures.items()}}
    with (folder / HISTORY).open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")
    return document
