"""S values between the regions of a phantom: mean dose to a target per decay in a source.

1. Monte Carlo with the decays spread evenly over the volume of one source region after the other.
2. S(target <- source) = energy absorbed in the target / its mass, per decay (MIRD; Bolch et al. 2009).
3. Uncertainty: that of a region's mean dose, from the batches of the run (`mcdose.region_dose`).

Bolch, Eckerman, Sgouros and Thomas, MIRD Pamphlet No. 21, J. Nucl. Med. 50 (2009) 477.
"""

import csv
import io
from dataclasses import dataclass, field

import numpy as np

from mcdose.dose import J_PER_MEV
from mcdose.errors import InputError
from mcdose.files import atomic
from mcdose.phantom import KG_PER_G
from mcdose.regions import regions_on
from mcdose.simulation import monte_carlo
from mcdose.source import Source

HISTORIES = 1_000_000  # per source: self-doses to about 0.1 %
MGY_PER_MBQ_S = 1e9  # one Gy per Bq s


@dataclass(frozen=True, eq=False)
class SValueTable:
    """S values between regions, made by :func:`s_values`.

    Attributes
    ----------
    targets, sources : tuple of str
    gy_per_bq_s : float64 array [target, source]
        Mean dose to the target per decay in the source.
    standard_uncertainty : float64 array [target, source]
        One standard deviation, Gy/(Bq s).
    absorbed_fraction : float64 array [target, source]
        Share of the emitted energy.
    mass_g, volume_cm3 : dict of str to float
    emission : str
    settings : dict
    notes : tuple of str
    """

    targets: tuple
    sources: tuple
    gy_per_bq_s: np.ndarray
    standard_uncertainty: np.ndarray
    absorbed_fraction: np.ndarray
    mass_g: dict
    volume_cm3: dict
    emission: str
    settings: dict = field(repr=False)
    notes: tuple = field(default=(), repr=False)

    def s(self, target, source):
        """S(target <- source), Gy/(Bq s), and its standard uncertainty."""
        for name, known in ((target, self.targets), (source, self.sources)):
            if name not in known:
                raise InputError(f"region {name!r}: not in the table; there are {', '.join(known)}")
        place = self.targets.index(target), self.sources.index(source)
        return float(self.gy_per_bq_s[place]), float(self.standard_uncertainty[place])

    def describe(self):
        """The table in Markdown, mGy/(MBq s)."""
        head = ["target (g)", *(f"from {name}" for name in self.sources)]
        rows = [
            [f"{name} ({self.mass_g[name]:.4g})", *(self._cell(t, s) for s in range(len(self.sources)))]
            for t, name in enumerate(self.targets)
        ]
        widths = [max(len(row[k]) for row in (head, *rows)) for k in range(len(head))]
        lines = ["| " + " | ".join(c.ljust(w) for c, w in zip(row, widths)) + " |" for row in (head, *rows)]
        lines.insert(1, "|" + "|".join("-" * (w + 2) for w in widths) + "|")
        text = [f"S values of {self.emission}, mGy/(MBq s) ± one standard deviation", "", *lines]
        return "\n".join([*text, *(["", *(f"- {note}" for note in self.notes)] if self.notes else [])])

    __str__ = describe

    def to_csv(self, path):
        """Write one line per pair, whole or not at all."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(
            ["target", "source", "S (Gy/(Bq s))", "standard uncertainty (Gy/(Bq s))", "absorbed fraction", "target (g)"]
        )
        for t, target in enumerate(self.targets):
            for s, source in enumerate(self.sources):
                values = self.gy_per_bq_s[t, s], self.standard_uncertainty[t, s], self.absorbed_fraction[t, s]
                writer.writerow([target, source, *(f"{v:.6g}" for v in (*values, self.mass_g[target]))])
        with atomic(path) as part:
            part.write_text(out.getvalue(), encoding="utf-8")

    def _cell(self, target, source):
        value, sd = (a[target, source] * MGY_PER_MBQ_S for a in (self.gy_per_bq_s, self.standard_uncertainty))
        return f"{value:.4e} ± {100 * sd / value:.2g} %" if value > 0 else "0"


def s_values(
    phantom,
    masks,
    emission,
    sources=None,
    names=None,
    histories=HISTORIES,
    seed=1,
    progress=None,
    **options,
):
    """S values between regions by Monte Carlo.

    Parameters
    ----------
    phantom : Phantom
    masks : dict of arrays or images, label image, path, or list of these
        The regions, as :func:`mcdose.compare` takes them; every one is a target.
    emission : Nuclide, str or Spectrum
    sources : sequence of str, optional
        Names of the regions with activity, uniform per volume; by default all.
    names : dict of int to str, or path, optional
        Names of labels.
    histories : int
        Emitted particles simulated per source.
    seed : int
        Each source has its own, counted from here.
    progress : callable, optional
        Called with the Progress of each run.
    **options
        `device`, `threads`, `batches`, `emissions` and cut-offs of :func:`mcdose.monte_carlo`.

    Returns
    -------
    SValueTable

    Raises
    ------
    InputError
        An empty mask, an unknown source, or options out of range.

    Examples
    --------
    >>> import numpy as np, mcdose
    >>> water = mcdose.Phantom.uniform(mcdose.material("water"), (9, 9, 9), 10.0)
    >>> left = np.arange(9) < 4
    >>> halves = {"left": np.broadcast_to(left, water.shape), "right": np.broadcast_to(~left, water.shape)}
    >>> table = mcdose.s_values(water, halves, "Lu-177", histories=20_000)
    >>> table.s("left", "left")[0] > 50 * table.s("right", "left")[0]
    True
    """
    regions = regions_on(phantom.grid, masks, names)
    sources = tuple(regions.masks) if sources is None else tuple(sources)
    if not sources:
        raise InputError("sources: none; name at least one region with activity")
    for name in sources:
        if name not in regions.masks:
            raise InputError(f"source {name!r}: not among the regions {', '.join(regions.masks)}")
    shape = len(regions.masks), len(sources)
    value, uncertainty, fraction = np.empty(shape), np.empty(shape), np.empty(shape)
    for k, name in enumerate(sources):
        source = Source(regions.masks[name] / regions.masks[name].sum(), emission, phantom)
        dose = monte_carlo(
            phantom, source, histories=histories, seed=seed + k, regions=regions.masks, progress=progress, **options
        )
        if not dose.complete:
            raise KeyboardInterrupt
        found = dose.regions.values()
        value[:, k] = [region.mean_gy for region in found]
        uncertainty[:, k] = [region.standard_uncertainty_gy for region in found]
        emitted_j = dose.emitted_mev * J_PER_MEV
        fraction[:, k] = [region.mean_gy * region.mass_g * KG_PER_G / emitted_j for region in found]
    return SValueTable(
        targets=tuple(regions.masks),
        sources=sources,
        gy_per_bq_s=value,
        standard_uncertainty=uncertainty,
        absorbed_fraction=fraction,
        mass_g={name: region.mass_g for name, region in dose.regions.items()},
        volume_cm3={name: region.volume_cm3 for name, region in dose.regions.items()},
        emission=dose.settings["emission"],
        settings={**dose.settings, "seed": seed},
        notes=regions.notes,
    )
