"""The figures of every measurement, one line each, and what has changed between the last two of them.

1. A figure is a number with the relative standard error it was measured with, and whether more of it is better.
2. A change counts when it exceeds three standard errors of the ratio and what repeated measurements on one machine
   differ by in any case. Speeds are kept as ratios to the yardstick, so that machines and days compare.
"""

import json
import math
from pathlib import Path

from benchmarks.report import HISTORY, table

REPEATABLE = 0.05  # relative; ratios of one core repeat within this from day to day
SIGMAS = 3.0


def compare(folder, benchmark):
    """What changed between the last two measurements of a benchmark.

    Returns
    -------
    tuple of str and list of str
        Markdown, and the figures that became worse beyond the noise.
    """
    path = Path(folder, HISTORY)
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []
    lines = [line for line in lines if line["benchmark"] == benchmark]
    if len(lines) < 2:
        return f"{benchmark}: measured {len(lines)} times; two are needed to compare", []
    before, after = lines[-2:]
    rows, worse = [], []
    for name, new in after["figures"].items():
        if name not in before["figures"]:
            rows.append([name, "–", f"{new['value']:.4g}", "–", "–", "new"])
            continue
        old = before["figures"][name]
        change = new["value"] / old["value"] - 1
        noise = SIGMAS * math.hypot(old["error"], new["error"]) + REPEATABLE
        better = (change > 0) == new["more_is_better"]
        verdict = "same" if abs(change) <= noise else "better" if better else "WORSE"
        if verdict == "WORSE":
            worse.append(name)
        rows.append([name, f"{old['value']:.4g}", f"{new['value']:.4g}", f"{change:+.1%}", f"±{noise:.1%}", verdict])
    header = [benchmark, "before", "now", "change", "noise", "verdict"]
    stated = "; now: ".join(
        f"{m['date']}, {m['processor']}, {m['kernels']}" for m in (before["machine"], after["machine"])
    )
    return f"{table(header, rows)}\n\nBefore: {stated}.", worse
