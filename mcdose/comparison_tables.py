"""A comparison as numbers, Markdown, CSV and HTML."""

import base64
import csv
import html as html_escape
import io
import math
import tempfile
from pathlib import Path

from mcdose.comparison import PERCENTS, SIGMAS, percent_change
from mcdose.files import atomic

STYLE = """body{font:15px/1.45 system-ui,sans-serif;margin:2em auto;max-width:75em;padding:0 1em;color:#222}
table{border-collapse:collapse;margin:1em 0}th,td{padding:.25em .7em;border-bottom:1px solid #ddd;text-align:right}
th:first-child,td:first-child{text-align:left}th{border-bottom:2px solid #888}img{max-width:100%}"""


def numbers(comparison):
    """One dict per region, numbers only but for the name; units are in the keys."""
    unit = comparison.reference.unit
    rows = []
    for region in comparison.regions:
        reference, candidate = region.reference, region.candidate
        row = {
            "region": region.name,
            "voxels": int(reference.doses.size),
            "volume (cm3)": reference.volume_cm3,
            "mass (g)": math.nan if reference.mass_g is None else reference.mass_g,
            f"reference mean ({unit})": reference.mean,
            f"reference mean sd ({unit})": region.reference_sd,
            f"candidate mean ({unit})": candidate.mean,
            f"candidate mean sd ({unit})": region.candidate_sd,
            "difference (%)": region.difference_percent,
            "difference sd (%)": region.difference_sd_percent,
            "differing voxels (%)": region.differing_percent,
            "gamma pass (%)": region.gamma_percent,
        }
        for name, theirs, ours, kind in _dose_volume(comparison, region):
            row[f"reference {name} ({kind})"], row[f"candidate {name} ({kind})"] = theirs, ours
        rows.append(row)
    return rows


def markdown(comparison):
    """Heading, both tables, and what to know of them."""
    parts = [_heading(comparison), *(_markdown_table(*table) for table in _tables(comparison))]
    parts.append("\n".join(f"- {line}" for line in _remarks(comparison)))
    return "\n\n".join(parts) + "\n"


def csv_text(comparison):
    """`numbers` as CSV; what is not known is empty."""
    rows = numbers(comparison)
    out = io.StringIO()
    writer = csv.DictWriter(out, rows[0], lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({k: "" if isinstance(v, float) and math.isnan(v) else v for k, v in row.items()})
    return out.getvalue()


def html(comparison, figures, at_mm):
    """A page that needs no other file."""
    escape = html_escape.escape
    body = [f"<h1>Comparison of absorbed doses</h1><p>{escape(_heading(comparison))}</p>"]
    for head, rows in _tables(comparison):
        cells = ["<tr>" + "".join(f"<th>{escape(c)}</th>" for c in head) + "</tr>"]
        cells += ["<tr>" + "".join(f"<td>{escape(c)}</td>" for c in row) + "</tr>" for row in rows]
        body.append(f"<table>{''.join(cells)}</table>")
    body.append("<ul>" + "".join(f"<li>{escape(line)}</li>" for line in _remarks(comparison)) + "</ul>")
    if figures:
        body += [f'<p><img alt="{name}" src="{data}"></p>' for name, data in _figures(comparison, figures, at_mm)]
    head = f'<meta charset="utf-8"><title>Comparison of absorbed doses</title><style>{STYLE}</style>'
    return f'<!doctype html><html lang="en"><head>{head}</head><body>{"".join(body)}</body></html>\n'


def write_text(text, path):
    """Write a text file, whole or not at all."""
    with atomic(path) as part:
        part.write_text(text, encoding="utf-8")


def draw_figures(comparison, folder, at_mm=None):
    """Draw the three figures into a folder; gives their paths."""
    paths = [Path(folder) / name for name in ("planes.png", "dvh.png", "profiles.png")]
    comparison.plot(paths[0], at_mm)
    comparison.plot_dvh(paths[1])
    comparison.plot_profiles(paths[2], at_mm)
    return paths


def _figures(comparison, figures, at_mm):
    """Name and content of each figure: the files given, or drawn now."""
    with tempfile.TemporaryDirectory() as folder:
        for path in draw_figures(comparison, folder, at_mm) if figures is True else figures:
            yield path.stem, "data:image/png;base64," + base64.b64encode(path.read_bytes()).decode()


def _dose_volume(comparison, region):
    """Name, value of the reference, of the candidate, and unit of every dose-volume figure."""
    unit = comparison.reference.unit
    both = region.reference, region.candidate
    yield "max", *(dvh.maximum for dvh in both), unit
    for percent in PERCENTS:
        yield f"D{percent}", *(dvh.D(percent) for dvh in both), unit
    for level in comparison.levels:
        yield f"V{level:g}", *(dvh.V(level) for dvh in both), "%"


def _heading(comparison):
    candidate, reference = (_name(image) for image in (comparison.candidate, comparison.reference))
    return f"Candidate: {candidate}. Reference: {reference}. Differences are candidate over reference, minus 1."


def _name(image):
    return Path(image.name).name


def _tables(comparison):
    unit = comparison.reference.unit
    rows = []
    for region in comparison.regions:
        dvh = region.reference
        rows.append(
            (
                region.name,
                f"{dvh.volume_cm3:.4g}",
                "-" if dvh.mass_g is None else f"{dvh.mass_g:.4g}",
                _with_sd(dvh.mean, region.reference_sd, region.reference_judged),
                _with_sd(region.candidate.mean, region.candidate_sd, region.candidate_judged),
                _change(region),
                _percent(region.differing_percent),
                _percent(region.gamma_percent),
            )
        )
    head = ("region", "cm3", "g", f"reference mean ({unit})", f"candidate mean ({unit})", "difference (%)")
    yield (*head, "voxels that differ (%)", "gamma pass (%)"), rows
    rows, head = [], ["region"]
    for region in comparison.regions:
        figures = list(_dose_volume(comparison, region))
        head = ["region", *(f"{name} ({kind})" for name, _, _, kind in figures)]
        rows.append((region.name, *(_pair(theirs, ours, kind) for _, theirs, ours, kind in figures)))
    yield tuple(head), rows


def _remarks(comparison):
    weighting = comparison.regions[0].reference.weighting
    tolerance = 100 * comparison.tolerance
    yield f"Means and dose-volume figures are weighted by {weighting}; dose-volume figures: reference / candidate."
    yield "± is one standard deviation of the mean, from the batches of the run; with ≈ it takes the voxels as \
independent (docs/compare.md: how far they are)."
    known = [image.relative_uncertainty is not None for image in (comparison.reference, comparison.candidate)]
    if not all(known):
        which = "neither dose" if not any(known) else "the candidate" if known[0] else "the reference"
        yield f"No uncertainty is known of {which}." if any(known) else "No uncertainty is known of either dose."
    yield f"A voxel differs by more than {SIGMAS:g} standard deviations plus {tolerance:g} % of the reference."
    yield f"Gamma index: {comparison.criterion}."
    yield from comparison.notes


def _markdown_table(head, rows):
    widths = [max(len(row[k]) for row in (head, *rows)) for k in range(len(head))]

    def line(row):
        return (
            "| " + " | ".join(c.ljust(w) if k == 0 else c.rjust(w) for k, (c, w) in enumerate(zip(row, widths))) + " |"
        )

    rule = "|" + "|".join("-" * (w + 2) if k == 0 else "-" * (w + 1) + ":" for k, w in enumerate(widths)) + "|"
    return "\n".join([line(head), rule, *map(line, rows)])


def _with_sd(value, sd, judged):
    return f"{value:.4g}" if math.isnan(sd) else f"{value:.4g} ± {_mark(judged)}{sd:.2g}"


def _change(region):
    percent, sd = region.difference_percent, region.difference_sd_percent
    if math.isnan(percent):
        return "-"
    sides = (region.reference_sd, region.reference_judged), (region.candidate_sd, region.candidate_judged)
    judged = all(judged for side, judged in sides if not math.isnan(side))
    return f"{percent:+.2f}" if math.isnan(sd) else f"{percent:+.2f} ± {_mark(judged)}{sd:.2f}"


def _mark(judged):
    """What stands before an uncertainty that takes voxels as independent."""
    return "" if judged else "≈"


def _percent(value):
    return "-" if math.isnan(value) else f"{value:.1f}"


def _pair(theirs, ours, kind):
    if kind == "%":
        return f"{theirs:.1f} / {ours:.1f}"
    change = percent_change(ours, theirs)
    shown = "" if math.isnan(change) else f" ({change:+.1f} %)"
    return f"{theirs:.4g} / {ours:.4g}{shown}"
