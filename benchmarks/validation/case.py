"""What a case is, and what comes out of it."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Case:
    """A comparison to be made.

    Parameters
    ----------
    name : str
        As asked for on the command line.
    group : str
        Several cases of one kind share it; it can be asked for as well.
    title : str
        A few words.
    text : str
        What is computed and compared.
    source : str
        Where the reference comes from: a sentence or two.
    compare : callable
        Takes a Runner, gives a sequence of Comparison.
    tables : tuple of str
        Names of the reference tables.
    x_label, y_label : str
        Of the figure; without a `y_label` only the differences are drawn.
    logarithmic : bool
        The values are drawn on a logarithmic axis.
    """

    name: str
    group: str
    title: str
    text: str
    source: str
    compare: Callable
    tables: tuple = ()
    x_label: str = ""
    y_label: str = ""
    logarithmic: bool = False


@dataclass(frozen=True)
class CaseResult:
    """A case that has been run.

    Attributes
    ----------
    case : Case
    comparisons : tuple of Comparison
    runs : tuple of Run
    seconds : float
        Wall time of everything, tables and evaluation included.
    """

    case: Case
    comparisons: tuple
    runs: tuple
    seconds: float

    @property
    def rows(self):
        """All judged points, a list of Row."""
        return [row for comparison in self.comparisons for row in comparison.rows()]

    @property
    def failed(self):
        """The rows that fail."""
        return [row for row in self.rows if not row.passed]

    @property
    def passed(self):
        """Whether there are rows and all pass."""
        return bool(self.rows) and not self.failed

    @property
    def histories(self):
        """Simulated particles of all runs."""
        return sum(run.histories for run in self.runs)
