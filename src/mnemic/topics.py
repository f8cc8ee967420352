"""Topics: what people come back to, found by clustering their turns by meaning. Pure; needs no language model.

    words_of     a turn                           ->  the words by which it is placed
    vectors_of   turns                            ->  their vectors
    Clusters     vectors in the order of numbers  ->  the leader of each
    topic        the turns of a cluster           ->  its page: what it is about, and what was said of it
    topics       all turns                        ->  all pages

Leader clustering (Hartigan, Clustering Algorithms, 1975, chapter 3): a turn joins the leader that it is most like, if
it is like enough, and leads a cluster of its own otherwise. A leader's vector never moves, so where a turn belongs
depends on the leaders before it and on nothing else:

* turns that are added move none that were there;
* when a turn goes that leads none, no other moves; when a leader goes, those behind it are placed anew (`redo_from`);
* the leaders in their order are all that is needed to go on.

Vectors are whole numbers, so that a likeness is exact: the same on every machine, whatever the order of its sums.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from mnemic import summaries, text
from mnemic.summaries import PERSON, Line
from mnemic.views import TOPIC, Episode, Made

ALIKE = 0.45
"""The least cosine of a turn and its leader. At .4 twice as many strangers come together, at .5 a sixth fewer
of those that belong together do (bench/LOG.md)."""
FEWEST = 4
"""Words of its own that a turn needs to belong anywhere."""
MEMBERS, SESSIONS = 3, 2
"""Turns, and sessions or days, that make a topic of a cluster."""
WORDS = 120
"""Words of a topic's page, at most."""
LABEL = 3
"""Words that name it."""
SCALE = 2000
"""Length of a vector. Sums of products stay below 2**24, where 32-bit floats are exact."""

Embed = Callable[[Sequence[str]], NDArray[np.floating]]
"""From texts to one vector each, shape (texts, dims): `Embedder.embed_documents`."""


def words_of(turn: Episode) -> list[str]:
    """The words by which a turn is placed, in reading order: no stop words, small talk, or whom it speaks to.

    None are given for a turn that belongs nowhere: too few words, or not a person's.
    """
    if turn.role not in PERSON:
        return []
    found = summaries.own_words(_ADDRESSED.sub(" ", turn.text), turn.by)
    return found if len(set(found)) >= FEWEST else []


_ADDRESSED = re.compile(
    r"(?:\b(?:[Hh]ey|[Hh]i|[Hh]ello|[Tt]hanks|[Ww]ow|[Yy]eah|[Yy]ep|[Yy]es|[Bb]ye|[Cc]ongrats)\b,?|,)"
    r" [^\W\d_a-zß-ÿ][\w’'-]+(?=[.!?,:;]|$)"
)
"""Whom a turn speaks to: "Thanks, Ana!" is not about Ana."""


def vectors_of(turns: Sequence[Episode], embed: Embed) -> list[NDArray[np.int16] | None]:
    """The vectors by which turns are placed, shape (dims,); None for those that belong nowhere."""
    texts = [" ".join(words_of(turn)) for turn in turns]
    kept = [at for at, said in enumerate(texts) if said]
    found: list[NDArray[np.int16] | None] = [None] * len(turns)
    if kept:
        for at, vector in zip(kept, _whole(embed([texts[at] for at in kept])), strict=True):
            found[at] = vector if vector.any() else None
    return found


def _whole(vectors: NDArray[np.floating]) -> NDArray[np.int16]:
    """Of length `SCALE`, in whole numbers; what is zero stays so."""
    lengths = np.sqrt((vectors.astype(np.float64) ** 2).sum(axis=1, keepdims=True))
    return np.rint(SCALE * vectors / np.where(lengths > 0, lengths, 1)).astype(np.int16)


class Clusters:
    """The leaders of one wall, as far as its turns have been placed.

    Turns come in the order of their numbers, each once. `nums` and `vectors` (shape (leaders, dims)) are those of the
    leaders placed before, in that order: with them it goes on as if it had never been away.
    """

    def __init__(self, nums: Sequence[int] = (), vectors: Sequence[NDArray[np.int16]] = ()) -> None:
        self._nums = list(nums)
        self._held = np.array(vectors, np.float32) if len(vectors) else np.empty((0, 0), np.float32)

    def place(self, num: int, vector: NDArray[np.int16]) -> int:
        """The number of the turn that leads this one's cluster; its own where it leads one itself."""
        size = len(self._nums)
        if size:
            alike = self._held[:size] @ vector.astype(np.float32)
            best = int(alike.argmax())  # the first of equals
            if alike[best] >= ALIKE * SCALE * SCALE:
                return self._nums[best]
        if size == len(self._held):
            more = np.zeros((max(64, 2 * size), len(vector)), np.float32)
            if size:
                more[:size] = self._held
            self._held = more
        self._held[size] = vector
        self._nums.append(num)
        return num


def redo_from(leader_of: Mapping[int, int], gone: Iterable[int]) -> int | None:
    """The number from which on turns must be placed anew when some are gone; None where no other is concerned.

    `leader_of` is what `Clusters.place` said of each turn. Where a turn comes back, all from it on are placed anew.
    """
    return min((num for num in gone if leader_of.get(num) == num), default=None)


def topics(turns: Iterable[Episode], embed: Embed) -> list[Made]:
    """The topics of a wall, in the order of their first turns. The order in which the turns are given does not
    matter. It costs the time of them all; to add some, keep the leaders and see `Clusters`."""
    ordered = sorted(turns, key=lambda one: one.num)
    clusters = Clusters()
    members: dict[int, list[Episode]] = {}
    for turn, vector in zip(ordered, vectors_of(ordered, embed), strict=True):
        if vector is not None:
            members.setdefault(clusters.place(turn.num, vector), []).append(turn)
    return [made for those in members.values() if (made := topic(those, embed)) is not None]


def topic(members: Sequence[Episode], embed: Embed) -> Made | None:
    """The page of a cluster, from all its turns; None where these are too few to be a topic, or all of one session.

    The key has the id of the cluster's first turn, which leads it: "topic:01K…". `subject` names the topic by words of
    its turns; `data` holds these, and the ids of all the turns.
    """
    turns = sorted(members, key=lambda one: one.num)
    if len(turns) < MEMBERS or len({summaries.parts_of(turn)[0] for turn in turns}) < SESSIONS:
        return None
    label = _label(turns, embed)
    lines, picked = summaries.best_lines(turns, WORDS)
    told: list[Line] = [lines[at] for at in sorted(picked)]
    times = [turn.time for turn in turns]
    return Made(
        TOPIC + turns[0].id,
        "topic",
        "\n".join(filter(None, [", ".join(label), summaries.written(told)])),
        tuple(dict.fromkeys([*(lines[at].id for at in picked), *(turn.id for turn in turns)])),
        subject=", ".join(label),
        time=max(times),
        begins=min(times),
        ends=max(times) + 1,
        data={"label": label, "turns": [turn.id for turn in turns], "lines": [line.fields() for line in told]},
    )


def _label(turns: Sequence[Episode], embed: Embed) -> list[str]:
    """The words that name a cluster, each in the form in which it is said most: those that lie nearest to the sum of
    its turns, each counted as often as turns have it. Of equals the one said first."""
    forms: dict[str, Counter[str]] = {}
    having: Counter[str] = Counter()
    for turn in turns:
        words = words_of(turn)
        stems = [" ".join(text.terms(word)) for word in words]
        having.update(set(stems))
        for stem, word in zip(stems, words, strict=True):
            forms.setdefault(stem, Counter())[word] += 1
    said = [forms[stem].most_common(1)[0][0] for stem in forms]
    middle = _whole(sum_of(turns, embed))[0].astype(np.int64)
    near = _whole(embed(said)).astype(np.int64) @ middle
    counts = [having[stem] for stem in forms]
    worth = [max(int(alike), 0) * count for alike, count in zip(near, counts, strict=True)]
    shared = [at for at, count in enumerate(counts) if count > 1] or list(range(len(said)))
    return [said[at] for at in sorted(shared, key=lambda at: (-worth[at], at))[:LABEL]]


def sum_of(turns: Sequence[Episode], embed: Embed) -> NDArray[np.floating]:
    """The sum of the turns' vectors, each of the same length: shape (1, dims)."""
    held = [vector for vector in vectors_of(turns, embed) if vector is not None]
    return np.sum(np.array(held, np.int64), axis=0, keepdims=True).astype(np.float64)
