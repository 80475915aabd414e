"""A live view of a run in the terminal."""

import math
import sys
import time
from contextlib import contextmanager

QUIET_INTERVAL_S = 30.0  # without a terminal: one line this often, so that logs of clusters stay short
PHASES = {
    "tables": "building tables",
    "compiling": "compiling (once on this machine)",
    "transport": "transport",
}


@contextmanager
def terminal_bar():
    """A live bar on the terminal (description, bar, free ``text``, time), or None where there is no terminal."""
    from rich.console import Console

    console = Console(stderr=True)
    if not console.is_terminal:
        yield None
        return
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=28),
        TextColumn("{task.fields[text]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, refresh_per_second=8) as bar:
        yield bar


@contextmanager
def live_progress():
    """Show a progress bar while a run is on.

    Yields
    ------
    callable
        To be given as `progress` to :func:`mcdose.monte_carlo`; it takes the state of the run.
    """
    with terminal_bar() as bar:
        if bar is None:
            yield _Lines(sys.stderr)
            return
        task = bar.add_task(PHASES["tables"], total=None, text="")

        def show(state):
            done = share_done(state)
            bar.update(
                task,
                description=PHASES.get(state.phase, state.phase),
                total=None if done is None else 1.0,
                completed=done or 0.0,
                text=describe_state(state) if state.phase == "transport" else "",
            )

        yield show


def share_done(state):
    """How much of the run is done, 0 to 1, or None while that is not known.

    With an uncertainty as the target the number of histories still needed follows from its fall with their square
    root.
    """
    if state.phase != "transport":
        return None
    if state.target_histories:
        return min(state.histories / state.target_histories, 1.0)
    if state.target_uncertainty and state.uncertainty > 0:
        return min((state.target_uncertainty / state.uncertainty) ** 2, 1.0)
    return None


def describe_state(state):
    """One line: histories, speed, uncertainty so far, time left."""
    parts = [f"{state.histories:,} histories", f"{state.histories_per_second:,.0f}/s"]
    if not math.isnan(state.uncertainty):
        parts.append(f"± {100 * state.uncertainty:.2f} %")
    if not math.isnan(state.seconds_left):
        minutes, seconds = divmod(round(state.seconds_left), 60)
        parts.append(f"{minutes}:{seconds:02d} left")
    return "  ".join(parts)


class _Lines:
    """Progress as plain lines, for logs."""

    def __init__(self, stream):
        self._stream = stream
        self._phase = None
        self._next = 0.0

    def __call__(self, state):
        if state.phase == self._phase and time.monotonic() < self._next:
            return
        text = describe_state(state) if state.phase == "transport" and state.histories else PHASES.get(state.phase, "")
        print(f"mcdose: {text}", file=self._stream, flush=True)
        self._phase, self._next = state.phase, time.monotonic() + QUIET_INTERVAL_S
