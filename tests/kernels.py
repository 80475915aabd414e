"""Short runs of the makers of kernels, for the tests: percents instead of tenths."""

from mcdose import kernel_making, levels


def shorten(monkeypatch, folder, histories=100_000):
    """Few histories on small grids; kernels are kept in `folder`, apart from those of good runs."""
    monkeypatch.setattr(kernel_making, "cache_folder", lambda kind: folder / kind)
    monkeypatch.setattr(kernel_making, "PILOT_HISTORIES", histories // 2)
    monkeypatch.setattr(kernel_making, "FEWEST_HISTORIES", histories)
    monkeypatch.setattr(kernel_making, "TAIL_HISTORIES", histories // 2)
    for module in (kernel_making, levels):
        monkeypatch.setattr(module, "HALF_VOXELS", 24)
