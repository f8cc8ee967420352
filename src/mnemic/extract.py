"""Answers without a model: the shortest words that answer, read out of what was found.

A question about a time is answered by the time that the best sentence tells (`mnemic.dates`), one about a length of
time by its length, every other one by spans of sentences: each run of up to twelve words in the most fitting sentences
is scored by a linear function of what can be seen of it, and the best one is the answer. The weights are in
`extract.json`; `python -m bench answers --write` fits them to the expected token-F1 of a softmax over a question's
spans. An extract is never more than was said, and it may be the wrong part of it: an answer says so.

Pure: nothing here reads a store.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from mnemic import dates, text
from mnemic.question import KINDS, Wanted

Array = NDArray[np.float64]

Alike = Callable[[Sequence[str]], NDArray[np.float32] | None]
"""Cosines of texts with the question; None where there are no vectors."""

SENTENCES = 12
"""Sentences that spans are taken from: the most fitting ones."""
LONGEST = 12
"""Words of a span, at most."""
ANOTHER = 2.0
"""How far below the best span, in nats, another one of a list may be."""
AT_MOST = 3
"""Spans of a list."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A text that was found, best first: how it scored, and when it was said."""

    text: str
    score: float
    said_at: datetime


@dataclass(frozen=True, slots=True)
class Span:
    """Words of a passage that answer. `text` is the answer; `start` and `end`, in characters, where it stands."""

    passage: int
    start: int
    end: int
    text: str
    score: float


def answer(
    question: str,
    wanted: Wanted,
    passages: Sequence[Passage],
    alike: Alike | None = None,
    weights: Mapping[str, float] | None = None,
) -> tuple[Span, ...]:
    """The spans that answer a question, best first: one, or up to three where it asks for several; () for none."""
    read = sentences(question, passages, alike)
    if wanted.kind == "time" and (found := _told(question, wanted, read, passages)):
        return (found,)
    if wanted.kind == "duration" and (found := _lasting(question, read, passages)):
        return (found,)
    spans, rows = candidates(wanted, read)
    if not spans:
        return ()
    numbers = fitted() if weights is None else weights
    scores = rows @ np.array([numbers[name] for name in FEATURES])
    return _best(spans, scores, AT_MOST if wanted.several else 1, frozenset(text.terms(question)))


def _best(spans: Sequence[Span], scores: Array, most: int, asked: frozenset[str]) -> tuple[Span, ...]:
    """The best span, and others nearly as good that share no word with it but those of the question."""
    order: list[int] = np.argsort(-scores, kind="stable").tolist()
    chosen: list[Span] = []
    said: set[str] = set()
    for place in order:
        if chosen and (len(chosen) == most or scores[place] < scores[order[0]] - ANOTHER):
            break
        span = spans[place]
        words = set(text.terms(" ".join(text.content_words(text.words(span.text)))))
        new = words - asked if chosen else words
        if new and said.isdisjoint(new) and not any(_overlap(span, other) for other in chosen):
            said |= words - asked
            chosen.append(Span(span.passage, span.start, span.end, span.text, float(scores[place])))
    return tuple(chosen)


def _overlap(one: Span, other: Span) -> bool:
    return one.passage == other.passage and one.start < other.end and other.start < one.end


@cache
def fitted() -> Mapping[str, float]:
    """The shipped weights."""
    return cast(
        "dict[str, float]", json.loads((files("mnemic") / "extract.json").read_text(encoding="utf-8"))["weights"]
    )


# -- sentences

# After a mark and what closes with it; the full stops of Chinese and Japanese need no blank behind them.
_CUT = re.compile(r"(?<=[.!?…])(?P<closing>[\"”’»)]*)\s+|(?<=[。！？])(?P<closed>[」』”’）]*)\s*|\n+|\s[-–—]\s|(?=\[)")
_SHORT = """dr mr mrs ms mx prof rev hon gen col capt lt sgt jr sr st mt ave blvd vs cf approx dept est vol fig mme mlle
    bzw ca tel"""
# "Dr. Smith", "e.g. a hammer", "J. R. Smith", "1. Milk" in a list, "at 5 p.m. on Friday", "No. 5", "Sept. 12"
_NO_END = re.compile(
    rf"\b(?:{'|'.join(_SHORT.split())})\.$|\b(?:[a-z]\.){{2,4}}$(?<![ap]\.m\.)"
    r"|(?<![^\s(\"“])(?-i:[A-HJ-Z])\.$|(?:^|\n)\s{0,8}\d{1,3}\.$",
    re.IGNORECASE,
)
_NO_END_BEFORE_LETTER = re.compile(r"\b[ap]\.m\.$", re.IGNORECASE)
_NO_END_BEFORE_DIGIT = re.compile(
    r"\b(?:no|nos|nr|p|pp|ch|jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec)\.$", re.IGNORECASE
)
_LOOK_BACK = 16
"""Characters before a full stop that tell whether it ends a sentence."""
WORDS = 120
"""Words of a sentence: one that has more, as notes without full stops do, is read in pieces."""
_WORD = re.compile(r"\S+")
_MARKS = "\"'“”‘’.,;:!?()[]{}…*_–—"
_SPEAKS = re.compile(r"[^\W_]")


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of a passage, its words, and how it fits the question."""

    passage: int
    start: int
    words: tuple[tuple[int, int], ...]
    """Start and end of each word in the passage, in characters, with its punctuation."""
    said: tuple[str, ...]
    """The words, lower-cased and without punctuation."""
    text: str
    asked: tuple[bool, ...]
    """Per word: whether the question has it, in any form."""
    first: bool
    behind: float
    """How far the passage's score lies behind the best one's."""
    overlap: float
    """Share of the question's words that it has …"""
    around: float
    """… and that its passage has."""
    cosine: float

    @property
    def fit(self) -> float:
        """How well it fits, before its words are looked at: what its passage scored, and what it shares itself."""
        return 2.0 * self.behind + 0.6 * self.overlap + self.cosine - 0.03 * self.passage

    @property
    def asks_back(self) -> bool:
        """Whether it is a question itself."""
        return self.text.rstrip('"”’») ').endswith(("?", "？"))


def sentences(question: str, passages: Sequence[Passage], alike: Alike | None) -> list[Sentence]:
    """All sentences of the passages, in their order."""
    terms = {term.term for term in text.query_terms(question) if term.weight == 1.0 and term.term[0] != text.COMPOUND}
    best = max((passage.score for passage in passages), default=0.0)
    found: list[Sentence] = []
    for number, passage in enumerate(passages):
        in_passage: set[str] = set()
        bounds = list(cuts(passage.text))
        read: list[tuple[int, str, tuple[tuple[int, int], ...], list[str], list[set[str]]]] = []
        for start, end in bounds:
            spans = tuple((start + m.start(), start + m.end()) for m in _WORD.finditer(passage.text[start:end]))
            said = [passage.text[a:b].strip(_MARKS).lower() for a, b in spans]
            stems = [set(text.terms(word)) & terms for word in said]
            in_passage.update(*stems)
            read.append((start, passage.text[start:end], spans, said, stems))
        for place, (start, words, spans, said, stems) in enumerate(read):
            shared = set[str]().union(*stems)
            found.append(
                Sentence(
                    passage=number,
                    start=start,
                    words=spans,
                    said=tuple(said),
                    text=words,
                    asked=tuple(map(bool, stems)),
                    first=place == 0,
                    behind=passage.score - best,
                    overlap=len(shared) / max(len(terms), 1),
                    around=len(in_passage) / max(len(terms), 1),
                    cosine=0.0,
                )
            )
    cosines = alike([sentence.text for sentence in found]) if alike is not None and found else None
    if cosines is None:
        return found
    return [replace(one, cosine=float(cosine)) for one, cosine in zip(found, cosines, strict=True)]


def cuts(words: str) -> Iterator[tuple[int, int]]:
    """Where each sentence stands. What holds neither a letter nor a digit goes with the sentence after it."""
    start = checked = 0
    speaks = False
    for cut in _CUT.finditer(words):
        end = cut.end("closing") if cut["closing"] else cut.end("closed") if cut["closed"] else cut.start()
        speaks = speaks or _SPEAKS.search(words, checked, end) is not None
        checked = cut.end()
        if speaks and not (words[cut.start() - 1 : cut.start()] == "." and not _ends(words, cut)):
            yield from _pieces(words, start, end)
            start, speaks = cut.end(), False
    if words[start:].strip():
        yield from _pieces(words, start, len(words))


def _ends(words: str, cut: re.Match[str]) -> bool:
    """Whether the full stop before a blank ends a sentence."""
    if cut[0] == "" or "\n" in cut[0] or cut["closing"]:
        return True
    before = words[max(0, cut.start() - _LOOK_BACK) : cut.start()]
    if cut.start() > _LOOK_BACK:
        before = "…" + before  # not the beginning of a line
    if _NO_END.search(before):
        return False
    after = words[cut.end() : cut.end() + 1]
    if after.islower():
        return _NO_END_BEFORE_LETTER.search(before) is None
    return not (after.isdigit() and _NO_END_BEFORE_DIGIT.search(before))


def _pieces(words: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    for number, word in enumerate(_WORD.finditer(words, start, end)):
        if number and number % WORDS == 0:
            yield start, word.start()
            start = word.start()
    yield start, end


# -- times


def _told(question: str, wanted: Wanted, read: Sequence[Sentence], passages: Sequence[Passage]) -> Span | None:
    """The time that the most fitting sentence tells; where it tells none, the day on which it was said."""
    told = [dates.told(passage.text, passage.said_at) for passage in passages]
    starts = [[time.start for time in times] for times in told]

    def inside(one: Sentence) -> Sequence[dates.Told]:
        at = starts[one.passage]
        return told[one.passage][bisect_left(at, one.start) : bisect_left(at, one.start + len(one.text))]

    def fit(one: Sentence) -> float:
        # A sentence that tells a time is likelier the one that answers; a question back tells nothing. Weights are
        # round: measured, the figure moves by a point between half and twice of each.
        return (
            3.0 * one.behind
            + 0.5 * one.overlap
            + 0.5 * one.around
            + 1.0 * bool(inside(one))
            + 0.1 * bool(told[one.passage])
            - 0.3 * one.asks_back
        )

    if not read:
        return None
    best = max(read, key=fit)
    score = fit(best)
    words = passages[best.passage].text
    if _OF_HABIT.search(question.lower()) is not None and not inside(best):
        for start, end in dates.recurring(words[best.start : best.start + len(best.text)]):
            start, end = best.start + start, best.start + end
            return Span(best.passage, start, end, words[start:end].strip(), score)
    for time in (*inside(best), *told[best.passage]):
        return Span(best.passage, time.start, time.end, _in_unit(time, wanted), score)
    said_at = passages[best.passage].said_at
    day = dates.Told(0, 0, said_at, said_at, "day", dates.day_words(said_at))
    return Span(best.passage, best.start, best.start + len(best.text), _in_unit(day, wanted), score)


def _in_unit(time: dates.Told, wanted: Wanted) -> str:
    """A time in the unit that the question asks for, where it is known that well."""
    unknown = ("year", "season") if wanted.unit == "month" else ()
    if time.precision in ("about", *unknown) or wanted.unit is None:
        return time.phrase
    if wanted.unit == "year":
        return str(time.first.year)
    return dates.day_words(time.first).split(" ", 1)[1]


_OF_HABIT = re.compile(r"\b(?:when|what time|(?:on )?(?:which|what) days?|how often) (?:do|does|is|are)\b")
_AGO = re.compile(r"\bago\b")


def _lasting(question: str, read: Sequence[Sentence], passages: Sequence[Passage]) -> Span | None:
    """The length of time in the most fitting sentence that tells one."""
    ago = _AGO.search(question.lower()) is not None
    found = [
        [(time.start, time.end) for time in dates.told(passage.text, passage.said_at) if _is_ago(passage.text, time)]
        if ago
        else [(time.start, time.end) for time in dates.lasting(passage.text, passage.said_at)]
        for passage in passages
    ]
    starts = [[start for start, _ in spans] for spans in found]
    choices: list[tuple[float, Span]] = []
    for one in read:
        words, at = passages[one.passage].text, starts[one.passage]
        fit = 3.0 * one.behind + 0.5 * one.overlap + 0.5 * one.around - 0.3 * one.asks_back
        choices += [
            (fit, Span(one.passage, start, end, words[start:end], fit))
            for start, end in found[one.passage][
                bisect_left(at, one.start) : bisect_left(at, one.start + len(one.text))
            ]
        ]
    return max(choices, key=lambda choice: choice[0])[1] if choices else None


def _is_ago(words: str, time: dates.Told) -> bool:
    return _AGO.search(words[time.start : time.end].lower()) is not None


# -- spans

# Words that carry no answer by themselves; an answer hardly begins or ends with one.
_FUNCTION_WORDS = """
    a about above after again against ago all also always am an and any are as at be because been before being below
    between both but by can could did do does doing done down during each either else even ever every few for from
    further get gets getting give go goes going gonna got had has have having he her here hers herself him himself
    his how however i if in into is it its itself just keep know let like likely make makes many maybe may me might
    mine more most much must my myself need neither never no nor not now of off oh ok okay on once one only onto or
    other our ours ourselves out over own perhaps quite rather really same shall she should so some someone
    something sometimes soon still such sure take than that the their theirs them themselves then there these they
    thing things think this those though through to too totally under until up upon us use used usually very wanna
    want was we well were what when where which while who whom whose why will with within without would yeah yep yes
    yet you your yours yourself i'm i've i'd i'll it's that's don't didn't can't won't couldn't wasn't isn't aren't
    you're we're they're there's let's he's she's what's haven't hasn't doesn't you've we've"""
_FUNCTION = frozenset(_FUNCTION_WORDS.split())
_SPEAKERS = frozenset(("i", "i'm", "i've", "i'd", "i'll", "me", "my", "we", "you", "your"))
_NUMBER_WORDS = """one two three four five six seven eight nine ten eleven twelve twenty thirty fifty hundred thousand
    once twice"""
_NUMBERS = frozenset(_NUMBER_WORDS.split())
_INTO_PLACES = ("in", "at", "to", "from", "near", "on")
_INTO_REASONS = ("because", "since", "cause")
_INTO_THINGS = ("is", "are", "was", "were", "called", "named", "a", "an", "the", "my", "some", "like")

FEATURES = (
    # of the passage and the sentence
    "behind",
    "place",
    "first passage",
    "overlap",
    "cosine",
    "asks back",
    "words of the sentence",
    "later sentence",
    # of the span and its edges
    "length",
    "length squared",
    "function words",
    "content",
    "begins with a function word",
    "ends with a function word",
    "after a function word",
    "before a function word",
    "after a pause",
    "before a pause",
    "pause inside",
    "whole sentence",
    "begins the sentence",
    "after a link",
    "first or second person",
    # of the question's words around and in it
    "has a word of the question",
    "share of words of the question",
    "near a word of the question",
    "behind a word of the question",
    "before a word of the question",
    # of what is asked for
    "capitals",
    "capitals for a person",
    "capitals for a place",
    "capitals for a name",
    "quoted for a name",
    "number for a number",
    "preposition for a place",
    "conjunction for a reason",
    "purpose",
    *(f"length for a {kind}" for kind in KINDS),
)
"""What is seen of a span; the names are those in extract.json."""


def candidates(wanted: Wanted, read: Sequence[Sentence]) -> tuple[list[Span], Array]:
    """The spans of the most fitting sentences, and their features, (spans, features)."""
    chosen = sorted(read, key=lambda one: -one.fit)[:SENTENCES]
    blocks = [_of_sentence(wanted, one) for one in chosen]
    spans = [span for found, _ in blocks for span in found]
    rows = [rows for _, rows in blocks if len(rows)]
    return spans, np.concatenate(rows) if rows else np.zeros((0, len(FEATURES)))


def _of_sentence(wanted: Wanted, one: Sentence) -> tuple[list[Span], Array]:
    size = len(one.words)
    tokens = [one.text[a - one.start : b - one.start] for a, b in one.words]
    function = np.array([word in _FUNCTION or not word for word in one.said])
    asked = np.array(one.asked, np.bool_) & ~function
    capital = np.array(
        [at > 0 and token.strip(_MARKS)[:1].isupper() and word not in _SPEAKERS
         for at, (token, word) in enumerate(zip(tokens, one.said, strict=True))]
    )  # fmt: skip
    number = np.array([word.lstrip("$€£")[:1].isdigit() or word.split("-")[0] in _NUMBERS for word in one.said])
    pause = np.array([token[-1] in ".,;:!?)…" for token in tokens])
    quoted = np.array([token[0] in "\"“'‘" for token in tokens])
    person = np.array([word in _SPEAKERS for word in one.said])

    widest = min(LONGEST, size)
    begin = np.repeat(np.arange(size), widest)
    end = begin + np.tile(np.arange(1, widest + 1), size)
    begin, end = begin[end <= size], end[end <= size]

    def within(flags: NDArray[np.bool_], upto: NDArray[np.intp]) -> NDArray[np.intp]:
        """How many of the flags stand from `begin` on and before `upto`."""
        sums = np.concatenate([[0], np.cumsum(flags)])
        return sums[upto] - sums[begin]

    length = end - begin
    content = length - within(function, end)
    pauses = within(pause, end - 1)
    kept = (content > 0) & (pauses <= 1)
    begin, end, length, content, pauses = begin[kept], end[kept], length[kept], content[kept], pauses[kept]
    if not len(begin):
        return [], np.zeros((0, len(FEATURES)))

    before = np.concatenate([[-1], np.arange(size - 1)])[begin]  # the word before a span; -1: none
    previous = np.array(["", *one.said])[before + 1]
    log = np.log(length)
    capitals = within(capital, end) / length
    in_question = within(asked, end)
    places = np.flatnonzero(asked)
    near = np.zeros(len(begin))
    if len(places):
        near = 1.0 / (1.0 + np.minimum(_nearest(places, begin - 1), _nearest(places, end)))
    kind = wanted.kind
    seen: dict[str, Any] = {
        "behind": one.behind,
        "place": 1.0 / (1.0 + one.passage),
        "first passage": one.passage == 0,
        "overlap": one.overlap,
        "cosine": one.cosine,
        "asks back": one.asks_back,
        "words of the sentence": np.log(size),
        "later sentence": not one.first,
        "length": log,
        "length squared": log * log,
        "function words": length - content,
        "content": content / length,
        "begins with a function word": function[begin],
        "ends with a function word": function[end - 1],
        "after a function word": np.concatenate([[True], function])[begin],
        "before a function word": np.concatenate([function, [True]])[end],
        "after a pause": np.concatenate([[True], pause])[begin],
        "before a pause": pause[end - 1] | (end == size),
        "pause inside": pauses,
        "whole sentence": (begin == 0) & (end == size),
        "begins the sentence": begin == 0,
        "after a link": np.isin(previous, _INTO_THINGS),
        "first or second person": within(person, end),
        "has a word of the question": in_question > 0,
        "share of words of the question": in_question / content,
        "near a word of the question": near,
        "behind a word of the question": begin > places[0] if len(places) else 0.0,
        "before a word of the question": end <= places[-1] if len(places) else 0.0,
        "capitals": capitals,
        "capitals for a person": capitals * (kind == "person"),
        "capitals for a place": capitals * (kind == "place"),
        "capitals for a name": capitals * (kind == "name"),
        "quoted for a name": quoted[begin] * (kind == "name"),
        "number for a number": (within(number, end) > 0) * (kind in ("number", "duration")),
        "preposition for a place": np.isin(previous, _INTO_PLACES) * (kind == "place"),
        "conjunction for a reason": np.isin(previous, _INTO_REASONS) * (kind == "reason"),
        "purpose": np.isin(np.array(one.said)[begin], ["to", "for"]) * (kind in ("reason", "manner")),
    } | {f"length for a {other}": log * (kind == other) for other in KINDS}
    rows = np.stack([np.broadcast_to(np.asarray(seen[name], np.float64), len(begin)) for name in FEATURES], axis=1)
    return [_span(one, int(a), int(b)) for a, b in zip(begin, end, strict=True)], rows


def _nearest(places: NDArray[np.intp], to: NDArray[np.intp]) -> NDArray[np.intp]:
    """How far the nearest of some places (ascending) is from each of `to`."""
    after = np.searchsorted(places, to)
    return np.minimum(
        np.abs(places[np.minimum(after, len(places) - 1)] - to), np.abs(places[np.maximum(after - 1, 0)] - to)
    )


_PAIRS = {"“": "”", "‘": "’", "(": ")", "[": "]", "{": "}", '"': '"'}


def _span(one: Sentence, begin: int, end: int) -> Span:
    """A span without the punctuation at its edges; what opens there stays where it closes inside."""
    start, stop = one.words[begin][0], one.words[end - 1][1]
    words = one.text[start - one.start : stop - one.start]
    bare = words.strip(" " + _MARKS)
    at = words.find(bare)
    if at and (closing := _PAIRS.get(words[at - 1])) and closing in bare:
        bare, at = words[at - 1 : at + len(bare)], at - 1
    return Span(one.passage, start + at, start + at + len(bare), bare, 0.0)
