"""Decay chains in secular equilibrium: which daughters a decay of the parent brings along, and how many of each.

1. In secular equilibrium each daughter decays as often as it is made, so its decays per decay of the parent are the sum
   over the paths to it of the products of the branching fractions (Bateman 1910 for daughters that are short-lived
   against the parent). A pure parent that decays completely, with all daughters decaying where it did, gives the same
   numbers for time-integrated doses whatever the daughters' half-lives.
2. A daughter that lives at least as long as the parent ends the chain, with all that follows it: it never reaches
   equilibrium, and its decays come when the parent is gone and the atom may have moved (Ac-225 keeps Pb-209, 3.3 h
   against 10 d; Bi-213 does not, 3.3 h against 46 min; At-211 leaves out Bi-207, 33 y).
3. Where the parent and a shorter-lived daughter decay together, the activity of the daughter settles at 1/(1 - T_d/T_p)
   times the secular one (transient equilibrium, T: half-lives). Dose rates are low by that factor; a daughter for which
   it exceeds about 5 % is called slow.

Neglected: the time the daughters need to grow in, and their movement in the body.
"""

from collections.abc import Callable
from dataclasses import dataclass

SLOW_SHARE = 0.05
"""Half-life of a daughter against the parent's from which secular equilibrium is wrong by more than 5 %."""


@dataclass(frozen=True)
class Member:
    """A nuclide of a chain.

    Attributes
    ----------
    name : str
    half_life_s : float
        s.
    decays_per_parent : float
        Its decays per decay of the parent of the chain.
    made_by : tuple of (str, float)
        The members that decay to it, with branching fractions; empty for the parent.
    """

    name: str
    half_life_s: float
    decays_per_parent: float
    made_by: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True)
class Chain:
    """A parent and its daughters in secular equilibrium.

    Attributes
    ----------
    members : tuple of Member
        The parent first; every daughter after all that decay to it.
    ends : tuple of (str, float)
        Radioactive daughters that live as long as the parent or longer, with half-lives (s): left out with all that
        follows them.
    """

    members: tuple[Member, ...]
    ends: tuple[tuple[str, float], ...]

    @property
    def parent(self) -> Member:
        """The first member."""
        return self.members[0]

    @property
    def daughters(self) -> tuple[Member, ...]:
        """All members but the parent."""
        return self.members[1:]

    @property
    def slow(self) -> tuple[Member, ...]:
        """Daughters whose half-life is not short against the parent's (`SLOW_SHARE`)."""
        return tuple(m for m in self.daughters if m.half_life_s > SLOW_SHARE * self.parent.half_life_s)

    def transient_factor(self, member: Member) -> float:
        """Activity of a daughter that has grown in, over that of secular equilibrium: 1 / (1 - T_d / T_p)."""
        return 1 / (1 - member.half_life_s / self.parent.half_life_s)


def equilibrium_chain(
    parent: str,
    half_life_s: float,
    branches: Callable[[str], list[tuple[str, float]]],
    half_life_of: Callable[[str], float | None],
) -> Chain:
    """The chain of a parent in secular equilibrium.

    Parameters
    ----------
    parent : str
    half_life_s : float
        Of the parent, s.
    branches : callable
        From a nuclide to its daughters and their branching fractions.
    half_life_of : callable
        From a nuclide to its half-life, s; None for a stable one.

    Returns
    -------
    Chain
    """
    order, ends, seen = [], {}, {parent}

    def visit(name):
        # The most frequent branch is visited last, since the order is reversed below.
        for daughter, _ in reversed(branches(name)):
            lives = half_life_of(daughter)
            if daughter in seen or lives is None:
                continue
            if lives >= half_life_s:
                ends[daughter] = lives
                continue
            seen.add(daughter)
            visit(daughter)
        order.append(name)

    visit(parent)
    members = {parent: Member(parent, half_life_s, 1.0)}
    for name in order[-2::-1]:
        made_by = tuple((m, f) for m in members for daughter, f in branches(m) if daughter == name)
        decays = sum(members[m].decays_per_parent * f for m, f in made_by)
        members[name] = Member(name, half_life_of(name), decays, made_by)
    return Chain(tuple(members.values()), tuple(sorted(ends.items())))
