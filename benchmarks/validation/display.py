"""What the terminal shows while a suite runs: a bar per case, and a line for each that is done."""

import sys
from contextlib import contextmanager

from benchmarks.validation.text import worst_of
from mcdose.progress import PHASES, describe_state, share_done, terminal_bar


@contextmanager
def live_display(total):
    """Show the progress of `total` cases on standard error.

    Yields
    ------
    Display
    """
    with terminal_bar() as bar:
        if bar is None:
            yield _Lines(total)
            return
        yield _Bar(total, bar)


class _Lines:
    """A line when a case is done, for logs."""

    def __init__(self, total):
        self._total, self._done = total, 0

    def begin(self, case):
        """A case begins."""

    def show(self, state):
        """A run reports its state."""

    def end(self, result):
        """A case is done."""
        self._done += 1
        print(f"mcdose: {self._done}/{self._total} {_line(result)}", file=sys.stderr, flush=True)


class _Bar:
    """A live bar of the case that runs, under the lines of those that are done."""

    def __init__(self, total, bar):
        self._total, self._done, self._bar = total, 0, bar
        self._suite = bar.add_task("validation", total=total, text="")
        self._task = None

    def begin(self, case):
        """A case begins."""
        self._bar.update(self._suite, text=f"case {self._done + 1} of {self._total}")
        self._task = self._bar.add_task(case.title, total=None, text="")

    def show(self, state):
        """A run reports its state."""
        done = share_done(state)
        text = describe_state(state) if state.phase == "transport" else PHASES.get(state.phase, "")
        self._bar.update(self._task, total=None if done is None else 1.0, completed=done or 0.0, text=text)

    def end(self, result):
        """A case is done."""
        self._done += 1
        self._bar.remove_task(self._task)
        self._bar.update(self._suite, completed=self._done)
        self._bar.console.print(_line(result), markup=False, highlight=False)


def _line(result):
    verdict = "pass" if result.passed else f"FAIL ({len(result.failed)} rows)"
    rows = len(result.rows)
    return f"{result.case.title}: {rows} rows, worst {worst_of(result)}, {result.seconds:.0f} s, {verdict}"
