"""What holds when: the claims on one slot, arranged in time. Pure.

    claim     one statement as an episode makes it, with when it says that it began and ended
    period    a value that holds for a while, and the claims that say so

A slot's periods are a function of the *set* of its claims: whatever order they arrive in, and whatever was erased
between, the periods are the same. So nothing is ever resolved twice in two ways: a new claim, a late one, a retired one
and a rebuild all arrange the slot anew.

The rules, claims taken in the order of when they say that their matter began (then of when they were said):

* a claim of the value that holds confirms it; one of another value begins a new period and ends the one before;
* a claim that a value no longer holds ends its period; where nobody had said that it did, the denial is a period;
* a correction ("not X but Y") takes the place of what it corrects, which then never held;
* nobody's claim, or denial, ends what a better trusted source says: it is set aside;
* of a *fixed* relation (where one was born) the values do not follow each other: they contradict;
* what the user asks to forget counts as never said, if it was said before: a period of its own keeps those claims.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from mnemic.types import trust


@dataclass(frozen=True, slots=True)
class Claim:
    """One statement of one episode. Times are UTC microseconds."""

    episode: str
    """The id of the episode that makes it."""
    order: int
    """Where that stands among the episodes."""
    start: int
    stop: int
    """The words, as characters of the episode's text."""
    what: str
    """What it says of the slot, folded: two claims of the same `what` confirm each other."""
    holds: bool
    said: int
    begins: int | None = None
    ends: int | None = None
    corrects: bool = False
    forgets: bool = False
    """Whether it asks to forget what was said of this before it."""
    source: str = "user"
    nth: int = 0
    """Which of the statements that these words make of one relation."""
    content: Mapping[str, Any] = field(default_factory=dict[str, Any], compare=False)
    """The rest of the statement, for whom it concerns."""

    @property
    def key(self) -> tuple[str, int, int, int]:
        """What it is told apart by within its slot."""
        return self.episode, self.start, self.stop, self.nth

    @property
    def since(self) -> int:
        """When its matter began (or, of a denial, ended), as far as it tells."""
        told = self.begins if self.holds else (self.ends if self.ends is not None else self.begins)
        return self.said if told is None else told


@dataclass(slots=True)
class Period:
    """A value that holds, or is said not to, from `begins` until `ends` (None: to this day)."""

    claims: list[Claim]
    ends: int | None = None
    next: Period | None = None
    """What took over."""
    aside: bool = False
    """From a source that is trusted less than the one it contradicts."""
    against: list[Period] = field(default_factory=list["Period"])
    """What it contradicts."""

    @property
    def first(self) -> Claim:
        """The claim that it is known by: the earliest."""
        return self.claims[0]

    @property
    def begins(self) -> int:
        return self.first.since

    @property
    def holds(self) -> bool:
        return self.first.holds

    @property
    def source(self) -> str:
        """The least trusted of its claims'."""
        return max((claim.source for claim in self.claims), key=trust)

    def outweighs(self, claim: Claim) -> bool:
        """Whether one of its claims is of a better trusted source, whoever else confirms it."""
        return any(trust(one.source) < trust(claim.source) for one in self.claims)

    @property
    def forgets(self) -> bool:
        """Whether it is a request to forget, with the claims that it takes out."""
        return self.first.forgets

    def covers(self, at: int) -> bool:
        """Whether it holds at a time."""
        return self.begins <= at and (self.ends is None or at < self.ends)


def arranged(claims: Iterable[Claim], *, single: bool, fixed: bool = False) -> list[Period]:
    """The periods of a slot, by their beginning.

    `single`: one value holds at a time, and a denial is one of a value. Otherwise the slot is one value's, and what
    follows each other are its being so and its not being so. `fixed`: values do not change. A request to forget is a
    period, too: its first claim asks, the others are forgotten.
    """
    every = sorted(set(claims), key=_in_order)
    requests = [Period([claim]) for claim in every if claim.forgets]
    left: list[Claim] = []
    for claim in every:
        request = next((one for one in requests if _forgets(one.first, claim)), None)
        if request is not None:
            request.claims.append(claim)
        elif not claim.forgets:
            left.append(claim)
    periods = [*_following(left, single=single, fixed=fixed), *requests]
    return sorted(periods, key=lambda period: _in_order(period.first))


def _forgets(request: Claim, claim: Claim) -> bool:
    """Whether a request means a claim: of the same, said before it."""
    before = (claim.said, claim.order, claim.start) < (request.said, request.order, request.start)
    return before and claim.what == request.what and not claim.forgets


def _following(claims: Iterable[Claim], *, single: bool, fixed: bool) -> list[Period]:
    """The periods of claims that are in order."""
    periods: list[Period] = []
    now: Period | None = None
    denied: dict[str, Period] = {}
    for claim in claims:
        if single and not claim.holds:
            _deny(claim, now, denied, periods)
            continue
        if now is not None and now.first.what == claim.what and now.holds == claim.holds and _open(now, claim):
            now.claims.append(claim)
            _limit(now, claim)
            continue
        new = Period([claim], claim.ends)
        if now is not None and now.outweighs(claim) and _open(now, claim):
            new.aside = True
            periods.append(new)
            continue
        if claim.what in denied and single:
            _follow(denied.pop(claim.what), new)
        if now is not None and fixed:
            new.against = [period for period in periods if not period.aside and period.first.what != claim.what]
            for other in new.against:
                other.against.append(new)
        elif now is not None and claim.corrects and now.covers(claim.since):
            periods.remove(now)
            new.claims[0] = _from(claim, now)
            for period in periods:
                period.next = new if period.next is now else period.next
        elif now is not None:
            _follow(now, new)
        periods.append(new)
        now = new
    return periods


def _in_order(claim: Claim) -> tuple[int, int, int, int, int, int]:
    return claim.since, claim.said, claim.order, claim.start, claim.stop, claim.nth


def _open(period: Period, claim: Claim) -> bool:
    """Whether a period has not ended where a claim begins."""
    return period.ends is None or claim.since < period.ends


def _limit(period: Period, claim: Claim) -> None:
    sooner = claim.ends is not None and (period.ends is None or claim.ends < period.ends)
    if claim.ends is not None and sooner and not period.outweighs(claim):
        period.ends = max(claim.ends, period.begins)


def _follow(old: Period, new: Period) -> None:
    """The old one ends where the new one begins, unless it had ended before."""
    if old.ends is None or old.ends >= new.begins:
        old.ends, old.next = new.begins, new


def _deny(claim: Claim, now: Period | None, denied: dict[str, Period], periods: list[Period]) -> None:
    """A value no longer holds; a claim without a value means whichever does."""
    if now is not None and claim.what in ("", now.first.what) and _open(now, claim):
        if now.outweighs(claim):
            periods.append(Period([claim], aside=True))
            return
        now.ends = max(claim.since, now.begins)
        now.claims.append(claim)
        return
    if claim.what in denied:
        denied[claim.what].claims.append(claim)
    else:  # also of one that means whatever did: what that was may come to be known
        denied[claim.what] = Period([claim])
        periods.append(denied[claim.what])


def _from(claim: Claim, corrected: Period) -> Claim:
    """A correction, as if it had been said from the first."""
    return replace(claim, begins=corrected.begins if claim.begins is None else claim.begins)
