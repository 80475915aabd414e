"""The report of a suite: Markdown, one HTML page that needs nothing else, and JSON.

1. ``report.md`` refers to the figures in ``plots/``; ``report.html`` holds them inside; ``results.json`` holds every
   number.
2. Both reports open with the headline table; each case follows with its figure and all its rows, and the provenance
   of the references comes last. What fails is shown failing.
"""

import base64
import html
import json
from dataclasses import asdict

from benchmarks.report import table
from benchmarks.validation import tables
from benchmarks.validation.plots import plot_case
from benchmarks.validation.runner import REPLICATES
from benchmarks.validation.text import (
    CASE_HEADER,
    FAIL,
    HEADLINE_HEADER,
    RUN_HEADER,
    headline_cells,
    row_cells,
    run_cells,
    verdict,
)
from mcdose.files import atomic

PLOTS = "plots"
SHARED = ("source", "code", "physics", "uncertainty")  # of a table's head: said once for all tables that share them
RULE = (
    "A row passes when |difference| <= tolerance + 3 sigma. Sigma combines the standard deviations of ours and of the "
    f"reference; that of ours is the spread of the quantity itself over {REPLICATES} independent runs. Differences are "
    "of the reference; those of the energy within a radius of an electron kernel are of the energy emitted. The worst "
    "difference of a case is the one that uses most of what it is allowed; the mean is weighted by "
    "1/(sigma^2 + tolerance^2) and takes rows as independent."
)
OWN_PLACE = ("description", "media")
STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; max-width: 1060px; margin: 2em auto; padding: 0 1em; color: #1a1a1a; }
h1 { font-size: 1.7em; } h2 { font-size: 1.25em; margin-top: 2.2em; border-top: 1px solid #ccc; padding-top: .8em; }
table { border-collapse: collapse; margin: 1em 0; font-size: .9em; font-variant-numeric: tabular-nums; }
th, td { padding: .2em .7em; border-bottom: 1px solid #ddd; text-align: right; }
th:first-child, td:first-child { text-align: left; } th { border-bottom: 2px solid #888; vertical-align: bottom; }
td.pass { color: #17692d; } td.fail { color: #fff; background: #b3261e; font-weight: bold; }
img { max-width: 100%; } summary { cursor: pointer; color: #24518f; } dt { font-weight: 600; margin-top: 1em; }
dd { margin-left: 1.2em; color: #444; } .scroll { overflow-x: auto; }
"""


def write_report(suite, folder):
    """Write the reports and figures of a suite into an existing folder.

    Parameters
    ----------
    suite : SuiteResult
    folder : Path

    Raises
    ------
    InputError
        If the folder is not writable or the disk is full.
    """
    plots = folder / PLOTS
    plots.mkdir(exist_ok=True)
    for result in suite.results:
        if _has_figure(result):
            plot_case(result, plots / f"{result.case.name}.png")
    _write(folder / "results.json", json.dumps(as_dict(suite), indent=1))
    _write(folder / "report.md", markdown(suite))
    _write(folder / "report.html", page(suite, plots))


def as_dict(suite):
    """Everything of a suite, JSON-able."""
    results = [
        {
            "case": result.case.name,
            "title": result.case.title,
            "source": result.case.source,
            "tables": list(result.case.tables),
            "passed": result.passed,
            "seconds": result.seconds,
            "runs": [run._asdict() for run in result.runs],
            "rows": [row._asdict() for row in result.rows],
        }
        for result in suite.results
    ]
    about = {name: value for name, value in asdict(suite).items() if name != "results"}
    return {"passed": suite.passed, **about, "results": results}


def markdown(suite):
    """The report as Markdown, figures beside it."""
    parts = [f"# {_title(suite)}", _summary(suite), table(HEADLINE_HEADER, _headline(suite)), RULE]
    for result in suite.results:
        parts.append(f"## {result.case.title}: {verdict(result.passed)}")
        parts.append(f"{result.case.text}\n\nReference: {result.case.source}")
        if _has_figure(result):
            parts.append(f"![{result.case.title}]({PLOTS}/{result.case.name}.png)")
        rows = table(CASE_HEADER, [row_cells(row) for row in result.rows])
        parts.append(f"<details><summary>{len(result.rows)} rows</summary>\n\n{rows}\n\n</details>")
    parts += ["## Effort", table(RUN_HEADER, _runs(suite)), "## References"]
    for shared, names in _references(suite):
        lines = [*(f"{key}: {value}" for key, value in shared), *(f"- {name}.csv: {text}" for name, text in names)]
        parts.append("\n\n".join(lines))
    return "\n\n".join(parts) + "\n"


def page(suite, plots):
    """The report as one HTML page with its figures inside."""
    parts = [f"<h1>{_escape(_title(suite))}</h1>", f"<p>{_escape(_summary(suite))}</p>"]
    parts += [_html_table(HEADLINE_HEADER, _headline(suite)), f"<p>{_escape(RULE)}</p>"]
    for result in suite.results:
        parts.append(f"<h2>{_escape(result.case.title)}: {verdict(result.passed)}</h2>")
        parts.append(f"<p>{_escape(result.case.text)}</p><p>Reference: {_escape(result.case.source)}</p>")
        if _has_figure(result):
            picture = base64.b64encode((plots / f"{result.case.name}.png").read_bytes()).decode()
            width = "100%" if len(result.comparisons) > 1 else "60%"  # one or two panels across
            alt = _escape(result.case.title)
            parts.append(f'<img alt="{alt}" style="width: {width}" src="data:image/png;base64,{picture}">')
        rows = _html_table(CASE_HEADER, [row_cells(row) for row in result.rows])
        opened = "" if result.passed else " open"
        parts.append(f"<details{opened}><summary>{len(result.rows)} rows</summary>{rows}</details>")
    parts += ["<h2>Effort</h2>", _html_table(RUN_HEADER, _runs(suite)), "<h2>References</h2>"]
    for shared, names in _references(suite):
        parts += [f"<p><b>{_escape(key)}</b>: {_escape(value)}</p>" for key, value in shared]
        parts.append(f"<ul>{''.join(f'<li><b>{name}.csv</b>: {_escape(text)}</li>' for name, text in names)}</ul>")
    head = f'<meta charset="utf-8"><title>{_escape(_title(suite))}</title><style>{STYLE}</style>'
    return f'<!doctype html>\n<html lang="en"><head>{head}</head>\n<body>\n' + "\n".join(parts) + "\n</body></html>\n"


def _title(suite):
    return f"Validation of mcdose {suite.machine['mcdose']}"


def _summary(suite):
    """Verdict, effort, machine and versions in two sentences."""
    rows = [row for result in suite.results for row in result.rows]
    failed = sum(not row.passed for row in rows)
    outcome = "all pass" if not failed else f"{failed} {FAIL}"
    about = suite.machine
    threads = "one thread per core" if suite.threads is None else f"{suite.threads} threads"
    return (
        f"{len(rows)} rows in {len(suite.results)} cases: {outcome}. {suite.effort.capitalize()} suite, seed "
        f"{suite.seed}, {suite.seconds / 60:.1f} minutes with {threads} on {about['processor']} ({about['cores']} "
        f"cores, load {about['load']} before), {about['date']}; {about['system']}, Python {about['python']}, "
        f"numpy {about['numpy']}, numba {about['numba']}, kernels {about['kernels']}."
    )


def _headline(suite):
    return [headline_cells(result) for result in suite.results]


def _runs(suite):
    return [run_cells(result) for result in suite.results if result.runs]


def _references(suite):
    """The tables used, grouped by what they share: ((key, value), ...), [(name, everything else), ...]."""
    groups = {}
    for name in dict.fromkeys(name for result in suite.results for name in result.case.tables):
        about = tables.load(name).about
        shared = tuple((key, about[key]) for key in SHARED if key in about)
        groups.setdefault(shared, []).append((name, _rest(about)))
    return groups.items()


def _rest(about):
    """What a table says of itself beyond what it shares with others."""
    own = [f"{key.replace('_', ' ')} {value}" for key, value in about.items() if key not in (*OWN_PLACE, *SHARED)]
    for name, medium in about.get("media", {}).items():
        own.append(f"{name} {medium['density_g_cm3']:g} g/cm3, I = {medium['i_value_ev']:.4g} eV")
    return "; ".join((about["description"], *own))


def _has_figure(result):
    """Cases with nothing but exact rows are not drawn."""
    return any((comparison.sigma > 0).any() for comparison in result.comparisons)


def _html_table(header, rows):
    head = "".join(f"<th>{_escape(cell)}</th>" for cell in header)
    body = "".join(f"<tr>{''.join(_html_cell(cell) for cell in row)}</tr>\n" for row in rows)
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>\n{body}</tbody></table></div>'


def _html_cell(cell):
    kind = {"pass": ' class="pass"', FAIL: ' class="fail"'}.get(cell, "")
    return f"<td{kind}>{_escape(cell)}</td>"


def _escape(text):
    return html.escape(str(text))


def _write(path, text):
    with atomic(path) as part:
        part.write_text(text, encoding="utf-8")
