"""Learning from feedback: weights for one user, out of what that user used and what was wrong.

Pure: judgements in, weights out, the same for the same. Each act of feedback is a list of the hits that were shown,
with their features, and says which were used. A softmax over the list makes what was used likely (Cao and others,
Learning to Rank: From Pairwise Approach to Listwise Approach, ICML 2007), and what stood where it was hardly looked at
counts more (Joachims, Swaminathan, Schnabel: Unbiased Learning-to-Rank with Biased Feedback, WSDM 2017).

The result stays near the shipped weights: they are worth `PULL` acts, and no weight leaves [1/4, 4] times its shipped
value, so that whatever is fed back, no channel is buried.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

ENOUGH = 10
"""Acts of feedback below which nothing is learned."""
MOST = 500
"""The latest acts that count."""
PULL = 100.0
"""What the shipped weights are worth, in acts of feedback."""
FLOOR, CEILING = 0.25, 4.0
"""Of each weight, times its shipped value."""
ETA = 0.5
"""How fast a list is looked at less: the k-th place with a probability of 1 / k^eta. Joachims and others have 1 for
people who click; an agent that reads all of its hits would have 0."""
HEAVIEST = 5.0
"""What one use counts at most for having stood far down (clipped inverse propensities, ibid., section 5.2)."""

_SHARPNESS = 16.0
"""Of the softmax that the shipped scores stand for: that of `rank`'s calibration."""
_SHARPEST = tuple(float(value) for value in np.geomspace(1.0, 64.0, 25))


@dataclass(frozen=True, slots=True)
class Judged:
    """One act of feedback: the hits that were shown (n of them), and what was said of them."""

    features: Mapping[str, Array]
    """(n,) each, in [0, 1]."""
    used: tuple[int, ...]
    """Places in the arrays."""
    wrong: tuple[int, ...]
    outcome: float
    """How well it went with what was used, in [0, 1]."""
    examined: Array
    """(n,) the probability that each was looked at at all, in (0, 1]."""

    @property
    def tells(self) -> bool:
        """Whether anything can be learned of it."""
        return len(self.examined) > 1 and bool(self.wrong or (self.used and self.outcome > 0.0))


def examination(places: Array, eta: float = ETA) -> Array:
    """The probability that a place (1 is the first) was looked at: 1 / place^eta. Joachims and others 2017, 5.3."""
    return places**-eta


# --- The fit ----------------------------------------------------------------------------------------------------------


def refit(judged: Iterable[Judged], shipped: Mapping[str, float], *, pull: float = PULL) -> dict[str, float]:
    """The weights for a user, by name, with the sum of the `shipped` ones; those where there is not enough feedback.

    `judged` is in the order of time; the latest `MOST` that tell anything count. The loss is a sum over them, in nats:

    * for what was used, -ln of its share of a softmax over what was shown, times its outcome, divided by the
      probability that it was looked at;
    * for what was wrong, -ln of the share of all the others;
    * half the squared distance of the weights from the shipped ones, as ratios, times what `pull` such acts tell of a
      ratio (the Fisher information of a softmax as sharp as the shipped one, the mean of all weights).

    How sharp the softmax of the first two is comes first, fitted with the shipped weights: where the feedback is noise,
    it is flat, and moves little.
    """
    chosen = [one for one in judged if one.tells][-MOST:]
    if len(chosen) < ENOUGH:
        return dict(shipped)
    names = list(shipped)
    start = np.array([shipped[name] for name in names])
    lists = _lists(chosen, names, start)
    ones = np.ones(len(names))
    sharpness = min(_SHARPEST, key=lambda value: lists.surprise(ones, value)[0])
    stiffness = pull * lists.information(_SHARPNESS) + 1e-9

    def loss(ratios: Array) -> tuple[float, Array]:
        value, gradient = lists.surprise(ratios, sharpness)
        away = ratios - ones
        return value + 0.5 * stiffness * float(away @ away), gradient + stiffness * away

    def inside(ratios: Array) -> Array:
        return balanced(ratios, start, FLOOR, CEILING)

    found = minimise(loss, ones, inside, steps=200, tolerance=1e-4)
    return {name: float(weight) for name, weight in zip(names, found * start, strict=True)}


@dataclass(frozen=True, slots=True)
class _Lists:
    """What was shown in many acts, end to end, and what of it is a target: one thing used, or all but one wrong."""

    rows: Array
    """(rows, weights) features, each times its shipped weight."""
    starts: NDArray[np.intp]
    """(acts,) first row of each act."""
    owner: NDArray[np.intp]
    """(rows,) which act a row is of."""
    members: NDArray[np.intp]
    """Rows of the targets, one target after the other."""
    targets: NDArray[np.intp]
    """(targets,) first place of each in `members`."""
    target: NDArray[np.intp]
    """(members,) which target a member is of."""
    act: NDArray[np.intp]
    """(targets,) which act it is of."""
    weight: Array
    """(targets,) that of one act is about 1."""

    def surprise(self, ratios: Array, sharpness: float) -> tuple[float, Array]:
        """-ln of the targets' softmax shares, weighted and added up, and its gradient by the ratios."""
        share = self._shares(ratios, sharpness)
        likely = np.add.reduceat(share[self.members], self.targets) + 1e-12
        per_act = np.bincount(self.act, self.weight, minlength=len(self.starts))
        pull = per_act[self.owner] * share
        taken = (self.weight / likely)[self.target] * share[self.members]
        pull -= np.bincount(self.members, taken, minlength=len(share))
        return -float(self.weight @ np.log(likely)), sharpness * (self.rows.T @ pull)

    def information(self, sharpness: float) -> float:
        """What one act tells of a ratio at the shipped weights, the mean over all: sharpness^2 x variance."""
        shipped = np.ones(len(self.rows.T))
        share = self._shares(shipped, sharpness)[:, None]
        means = np.add.reduceat(share * self.rows, self.starts)[self.owner]
        spread = (share * (self.rows - means) ** 2).sum()
        return sharpness**2 * float(spread) / (len(self.starts) * self.rows.shape[1])

    def _shares(self, ratios: Array, sharpness: float) -> Array:
        scores = sharpness * (self.rows @ ratios)
        raised = np.exp(scores - np.maximum.reduceat(scores, self.starts)[self.owner])
        return raised / np.add.reduceat(raised, self.starts)[self.owner]


def _lists(chosen: Sequence[Judged], names: Sequence[str], shipped: Array) -> _Lists:
    sizes = [len(one.examined) for one in chosen]
    starts = np.cumsum([0, *sizes[:-1]])
    blocks: list[Array] = []
    members: list[int] = []
    targets: list[int] = []
    acts: list[int] = []
    base: list[float] = []
    unseen: list[float] = []
    for number, (one, start, size) in enumerate(zip(chosen, starts.tolist(), sizes, strict=True)):
        nothing = np.zeros(size)  # within one list, a feature that is the same everywhere changes nothing
        blocks.append(np.stack([one.features.get(name, nothing) for name in names], axis=1))
        told = [([place], place, one.outcome) for place in one.used if one.outcome > 0.0]
        told += [([other for other in range(size) if other != place], place, 1.0) for place in one.wrong]
        for rows, place, worth in told:
            targets.append(len(members))
            members += [start + row for row in rows]
            acts.append(number)
            base.append(worth / len(told))
            unseen.append(min(1.0 / float(one.examined[place]), HEAVIEST))
    value, raised = np.array(base), np.array(base) * np.array(unseen)
    counts = np.diff(targets, append=len(members))
    return _Lists(
        rows=np.concatenate(blocks) * shipped,
        starts=starts,
        owner=np.repeat(np.arange(len(chosen)), sizes),
        members=np.array(members, np.intp),
        targets=np.array(targets, np.intp),
        target=np.repeat(np.arange(len(targets)), counts),
        act=np.array(acts, np.intp),
        # Self-normalised, so that n acts weigh n whatever their places (Swaminathan and Joachims, NIPS 2015).
        weight=raised * (value.sum() / raised.sum()),
    )


# --- Minimising -------------------------------------------------------------------------------------------------------


def minimise(
    loss: Callable[[Array], tuple[float, Array]],
    start: Array,
    inside: Callable[[Array], Array],
    steps: int = 2000,
    tolerance: float = 1e-7,
) -> Array:
    """The minimum of a smooth function over a convex set, by spectral projected gradients; `inside` projects on it.

    Birgin, Martínez, Raydan: Nonmonotone Spectral Projected Gradient Methods on Convex Sets, SIAM J. Optim. 2000.
    """
    at = inside(start)
    value, gradient = loss(at)
    recent = [value]
    length = 1.0
    for _ in range(steps):
        direction = inside(at - length * gradient) - at
        slope = float(gradient @ direction)
        if float(np.abs(inside(at - gradient) - at).max()) < tolerance:
            break
        share = 1.0
        while True:
            there = at + share * direction
            new_value, new_gradient = loss(there)
            if new_value <= max(recent) + 1e-4 * share * slope or share < 1e-10:
                break
            share *= 0.5
        moved, bent = there - at, new_gradient - gradient
        curvature = float(moved @ bent)
        length = min(max(float(moved @ moved) / curvature, 1e-6), 1e6) if curvature > 0.0 else 1e3
        at, value, gradient = there, new_value, new_gradient
        recent = [*recent[-9:], value]
    return at


def balanced(ratios: Array, weights: Array, low: float, high: float) -> Array:
    """The nearest ratios (n,) within [low, high] that leave the sum of ratios x weights that of the weights.

    It is clip(ratios - t weights) for one t, and what that sums to falls with t, in straight lines between the points
    where an element reaches a bound: Brucker, An O(n) algorithm for quadratic knapsack problems, 1984.
    """
    wanted = float(weights.sum())
    corners = np.sort(np.concatenate([(ratios - low) / weights, (ratios - high) / weights]))
    sums = np.clip(ratios - corners[:, None] * weights, low, high) @ weights  # falling
    after = int(np.searchsorted(-sums, -wanted))
    after = min(max(after, 1), len(corners) - 1)
    left, right, above, below = corners[after - 1], corners[after], sums[after - 1], sums[after]
    share = 0.0 if above <= below else min(max((above - wanted) / (above - below), 0.0), 1.0)
    return np.clip(ratios - (left + share * (right - left)) * weights, low, high)


# --- Exploration ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Draw:
    """An order in which neighbours may have changed places: FairPairs."""

    order: tuple[int, ...]
    """(n,) for each place shown, the place it had before."""
    propensity: tuple[float, ...]
    """(n,) the probability with which each stood where it stood."""
    chances: tuple[tuple[tuple[int, float], ...], ...]
    """(n,) for each, every place it could stand at, with the probability of that."""


def fair_pairs(number: int, seed: int, question: str, bound: frozenset[int] = frozenset()) -> Draw:
    """Half of the time the 1st and 2nd, 3rd and 4th … are pairs, else the 2nd and 3rd …; each is turned with 1/2.

    Radlinski and Joachims, Minimally Invasive Randomization for Collecting Unbiased Preferences from Clickthrough Logs,
    AAAI 2006. Drawn by `seed` and `question`: the same again for the same. Places in `bound` (from 0) never change with
    the one behind them.
    """
    draw = random.Random(
        hashlib.blake2b(f"{seed} {question}".encode("utf-8", "surrogatepass"), digest_size=16).digest()
    )
    first = draw.randrange(2)
    turned = {at for at in range(first, number - 1, 2) if draw.random() < 0.5 and at not in bound}
    order = list(range(number))
    for at in turned:
        order[at], order[at + 1] = order[at + 1], order[at]
    chances = [_chances(place, number, bound) for place in order]
    propensity = [dict(found)[place] for place, found in enumerate(chances)]
    return Draw(tuple(order), tuple(propensity), tuple(chances))


def _chances(place: int, number: int, bound: frozenset[int]) -> tuple[tuple[int, float], ...]:
    """Where what stood at a place may stand after the draw, and how probably."""
    up = 0.25 if place > 0 and place - 1 not in bound else 0.0
    down = 0.25 if place < number - 1 and place not in bound else 0.0
    every = ((place - 1, up), (place, 1.0 - up - down), (place + 1, down))
    return tuple((at, chance) for at, chance in every if chance)


def examined(places: Sequence[int], order: Sequence[int] = (), bound: Iterable[int] = (), eta: float = ETA) -> Array:
    """The probability that each of the hits at these places (from 0) was looked at.

    Where neighbours were exchanged by chance (`order` is that of the `Draw`, of all hits) it is the mean over the
    places where it could have stood: Oosterhuis and de Rijke, Policy-Aware Unbiased Learning to Rank, SIGIR 2020.
    """
    if not order:
        return examination(np.array(places, np.float64) + 1.0, eta)
    fixed = frozenset(bound)
    every = [_chances(order[place], len(order), fixed) for place in places]
    return np.array(
        [sum(chance * float(examination(np.array(at + 1.0), eta)) for at, chance in found) for found in every]
    )
