"""The fast methods at the surface of a lung: figures and tables of docs/lung_liver.md.

1. Slab: liver with uniform activity under lung without any, 1 mm slices. The dose of a slab without sides is that of a
   source in the middle column alone, summed over the slice: every history counts. Its uncertainty is from the spread of
   independent runs.
2. Demonstration phantom (`mcdose demo`): liver with two tumours, lungs that hold 5 % of the activity; activity sharp as
   it is, and blurred as a camera and breathing leave it.
3. Each method's dose against Monte Carlo: along the slab, and as mean doses of regions.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.ndimage import distance_transform_edt, gaussian_filter

import mcdose
from mcdose import demo
from mcdose.images import array_of, to_image
from mcdose.plot import new_figure, save_figure

FIGURES = Path(__file__).parents[1] / "docs" / "figures"
NUCLIDES = ("Y-90", "Lu-177")
SLAB_SPACING_MM = (3.0, 3.0, 1.0)
SLAB_SHAPE = (100, 41, 41)  # half liver, half lung: 50 mm each; 62 mm to the sides, 16 mm of water in the lung
LIVER_G_CM3, LUNG_G_CM3 = 1.06, 0.26
SLAB_HISTORIES = 400_000  # of each run
SLAB_RUNS = 10
DEMO_HISTORIES = 4_000_000
BLUR_MM = 12.0  # full width at half maximum; of a SPECT of bremsstrahlung, breathing included
FWHM_PER_SIGMA = 2.3548
END_MM = 15.0  # of the liver, away from the lung: there electrons leave the grid
JUDGED = 0.01  # of the dose deep in the liver: below it a relative difference is of no use
WITHIN = 0.05  # a method holds where it is this near
NEAR_MM = 10.0  # the layer of lung next to the liver
TICKS = (-100, -50, -20, -10, -5, 0, 5, 10, 20, 50, 100, 300, 600)  # %
METHODS = {
    "local deposition": ("tab:green", lambda p, s: mcdose.local_deposition(p, s)),
    "VSV, water": ("tab:blue", lambda p, s: mcdose.voxel_s_value(p, s)),
    "VSV, local density": ("tab:orange", lambda p, s: mcdose.voxel_s_value(p, s, density_correction="local")),
    "VSV, tissue kernels": ("tab:purple", lambda p, s: mcdose.voxel_s_value(p, s, density_correction="tissue")),
    "along rays": ("tab:red", lambda p, s: mcdose.ray_superposition(p, s)),
}


@dataclass(frozen=True)
class Profile:
    """Doses along the slab over the dose deep in the liver; `depth_mm` is above zero in the lung."""

    depth_mm: np.ndarray
    monte_carlo: np.ndarray
    standard_deviation: np.ndarray
    methods: dict

    @property
    def judged(self):
        """Where the Monte Carlo dose is worth a relative difference; not at the far end of the liver."""
        return (self.monte_carlo >= JUDGED) & (self.depth_mm > self.depth_mm.min() + END_MM)

    def percent(self, name):
        """Difference of a method, %; NaN where not judged."""
        return self._over_monte_carlo(self.methods[name] - self.monte_carlo, np.nan)

    @property
    def noise_percent(self):
        """Standard deviation of the Monte Carlo dose, %; 0 where not judged."""
        return self._over_monte_carlo(self.standard_deviation, 0.0)

    def _over_monte_carlo(self, values, otherwise):
        out = np.full(len(values), otherwise)
        return 100 * np.divide(values, self.monte_carlo, out=out, where=self.judged)

    def reach_mm(self, name, side):
        """How far from the face (side: -1 liver, 1 lung) the method is wrong by more than WITHIN and by the noise."""
        wrong = np.abs(self.percent(name)) > 100 * WITHIN + 3 * self.noise_percent
        wrong &= np.sign(self.depth_mm) == side
        step = self.depth_mm[1] - self.depth_mm[0]
        return float(np.abs(self.depth_mm[wrong]).max() + step / 2) if wrong.any() else 0.0


def run(folder=None):
    """Draw the figures into a folder (docs/figures by default) and give the tables as text."""
    folder = FIGURES if folder is None else Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    profiles = {name: slab_profile(name) for name in NUCLIDES}
    save_figure(draw_profiles(profiles), folder / "lung_liver_slab.png")
    parts = [profile_table(profiles)]
    for name, blur_mm in (("Y-90", 0.0), ("Y-90", BLUR_MM), ("Lu-177", 0.0), ("Lu-177", BLUR_MM)):
        results = demo_comparisons(name, blur_mm)
        kind = f"blurred by {blur_mm:g} mm" if blur_mm else "sharp"
        parts.append(f"{name}, activity {kind}\n\n" + region_table(results))
        if name == "Y-90" and not blur_mm:
            results["VSV, local density"].plot(folder / "lung_liver_demo.png", demo.PLOT_AT_MM)
    return "\n\n".join(parts)


def slab():
    """Phantom of the slab and the decays in its middle column."""
    half, middle = SLAB_SHAPE[0] // 2, SLAB_SHAPE[1] // 2
    lung = np.zeros(SLAB_SHAPE, np.uint8)
    lung[half:] = 1
    materials = [mcdose.material("liver"), mcdose.material("lung")]
    phantom = mcdose.Phantom(np.where(lung, LUNG_G_CM3, LIVER_G_CM3), lung, materials, SLAB_SPACING_MM)
    decays = np.zeros(SLAB_SHAPE)
    decays[:half, middle, middle] = 1.0
    return phantom, decays


def slab_profile(nuclide, histories=SLAB_HISTORIES, runs=SLAB_RUNS):
    """Profile of all methods across the face of liver and lung."""
    phantom, decays = slab()
    source = mcdose.Source(decays, nuclide, phantom)
    depth = (np.arange(SLAB_SHAPE[0]) - SLAB_SHAPE[0] // 2 + 0.5) * SLAB_SPACING_MM[2]
    sums = np.array(
        [mcdose.monte_carlo(phantom, source, histories, seed=1 + k).gy.sum(axis=(1, 2)) for k in range(runs)]
    )
    unit = sums.mean(axis=0)[(depth > -35) & (depth < -15)].mean()  # beyond the reach of electrons from both ends
    return Profile(
        depth,
        sums.mean(axis=0) / unit,
        sums.std(axis=0, ddof=1) / np.sqrt(runs) / unit,
        {name: make(phantom, source).gy.sum(axis=(1, 2)) / unit for name, (_, make) in METHODS.items()},
    )


def demo_comparisons(nuclide, blur_mm=0.0, histories=DEMO_HISTORIES, seed=1):
    """Comparison of each method with Monte Carlo in the demonstration phantom, its activity blurred by a Gaussian."""
    ct, activity = demo.images()
    phantom = mcdose.Phantom.from_ct(ct)
    if blur_mm:
        sigma = blur_mm / FWHM_PER_SIGMA / np.asarray(phantom.spacing_mm[::-1])
        activity = to_image(gaussian_filter(array_of(activity), sigma), phantom.grid)
    source = mcdose.Source.from_activity(activity, nuclide, phantom)
    reference = mcdose.monte_carlo(phantom, source, histories=histories, seed=seed)
    masks = demo_regions(phantom)
    return {name: mcdose.compare(make(phantom, source), reference, masks) for name, (_, make) in METHODS.items()}


def demo_regions(phantom):
    """Masks of liver, tumours and lungs of the demonstration phantom."""
    inside = demo.regions(phantom.grid)
    z, y, x = (o + s * np.arange(n) for o, s, n in zip(
        phantom.origin_mm[::-1], phantom.spacing_mm[::-1], phantom.shape))  # fmt: skip
    (first, radius), _ = demo.TUMOURS_MM
    near_first = (z[:, None, None] - first[2]) ** 2 + (y[:, None] - first[1]) ** 2 + (x - first[0]) ** 2 < radius**2
    liver = inside["liver"] & ~inside["tumour"]
    lung = inside["lung"] & ~liver & ~inside["tumour"]
    to_liver = distance_transform_edt(~inside["liver"], sampling=phantom.spacing_mm[::-1])
    return {
        "liver": liver,
        "tumour under the dome": inside["tumour"] & near_first,
        "tumour, deep": inside["tumour"] & ~near_first,
        "right lung": lung & (x < 0),
        "left lung": lung & (x >= 0),
        f"lung within {NEAR_MM:g} mm of liver": lung & (to_liver <= NEAR_MM),
        f"lung beyond {NEAR_MM:g} mm": lung & (to_liver > NEAR_MM),
    }


def draw_profiles(profiles):
    """Profiles above, differences below; a column per nuclide."""
    figure = new_figure((12.5, 9.2))
    panels = figure.subplots(2, len(profiles), sharex="col", height_ratios=(1.0, 1.15))
    for (upper, lower), (nuclide, profile) in zip(panels.T, profiles.items()):
        depth = profile.depth_mm
        span = (-25, 40) if nuclide == "Y-90" else (-12, 12)
        upper.errorbar(depth, profile.monte_carlo, profile.standard_deviation, color="black", lw=2, label="Monte Carlo")
        for name, (colour, _) in METHODS.items():
            style = "--" if name == "VSV, tissue kernels" else "-"  # nearly the same as another
            upper.plot(depth, profile.methods[name], style, color=colour, lw=1.5, label=name)
            liver, lung = (_reach_text(profile, name, side) for side in (-1, 1))
            label = f"{name}: more than 5 % off {liver} in the liver, {lung} in the lung"
            lower.plot(depth, profile.percent(name), style, marker=".", ms=4, color=colour, lw=1.3, label=label)
        noise = profile.noise_percent
        lower.fill_between(depth, -noise, noise, color="0.6", alpha=0.6, lw=0, label="Monte Carlo, ± 1 sd")
        lower.axhspan(-5, 5, color="tab:green", alpha=0.12, lw=0)
        upper.set(title=f"{nuclide}, activity in the liver alone", yscale="log", ylim=(2e-4, 8), xlim=span)
        lower.set(xlabel="mm from the face:  liver  ←   →  lung", ylim=(-105, 600))
        lower.set_yscale("symlog", linthresh=10, linscale=1.0)
        lower.set_yticks(TICKS, [f"{tick:+d}" for tick in TICKS], fontsize=8)
        for panel in (upper, lower):
            panel.axvspan(0, span[1], color="tab:cyan", alpha=0.08, lw=0)
            panel.axvline(0, color="0.4", lw=0.8)
            panel.grid(alpha=0.3)
        lower.legend(fontsize=8, loc="upper center", bbox_to_anchor=(0.5, -0.13))
    panels[0, 0].set_ylabel("absorbed dose over that deep in the liver")
    panels[1, 0].set_ylabel("method over Monte Carlo − 1 (%)")
    panels[0, 0].legend(fontsize=8, loc="lower left")
    return figure


def _reach_text(profile, name, side):
    """Where a method fails on one side of the face, in words."""
    reach = profile.reach_mm(name, side)
    judged = np.abs(profile.depth_mm[profile.judged & (np.sign(profile.depth_mm) == side)]).max()
    if not reach:
        return "nowhere"
    return f"everywhere ({judged:.0f} mm)" if reach > judged - 2 else f"within {reach:.0f} mm"


def profile_table(profiles):
    """Reach and size of the failure on both sides, and the mean dose of layers next to the face."""
    layer_names = "liver, last 5 mm | lung, first 5 mm | lung, 5 to 30 mm"
    lines = [f"| nuclide | method | more than 5 % off in liver | in lung | {layer_names} |"]
    lines.append("|---|---|---:|---:|---:|---:|---:|")
    layers = (-5, 0), (0, 5), (5, 30)
    for nuclide, p in profiles.items():
        for name in METHODS:
            reach = [_reach_text(p, name, side) for side in (-1, 1)]
            cells = []
            for low, high in layers:
                layer = (p.depth_mm > low) & (p.depth_mm < high)
                sum_mc = p.monte_carlo[layer].sum()
                sd = 100 * np.sqrt((p.standard_deviation[layer] ** 2).sum()) / sum_mc
                cells.append(f"{100 * (p.methods[name][layer].sum() / sum_mc - 1):+.1f} ± {sd:.1f} %")
            lines.append(f"| {nuclide} | {name} | {reach[0]} | {reach[1]} | {' | '.join(cells)} |")
    return "\n".join(lines)


def region_table(results):
    """Mean doses and their differences, one row per region."""
    first = next(iter(results.values()))
    names = [region.name for region in first.regions[1:]]
    lines = ["| region | Monte Carlo (Gy) | " + " | ".join(results) + " |", "|---|---:|" + "---:|" * len(results)]
    for name in names:
        region = first.region(name)
        cells = [f"{result.region(name).difference_percent:+.1f} %" for result in results.values()]
        sd = 100 * region.reference_sd / region.reference.mean
        lines.append(f"| {name} | {region.reference.mean:.4g} ± {sd:.2f} % | {' | '.join(cells)} |")
    return "\n".join(lines)
