"""Fits the numbers of the ranking (`src/mnemic/rank.json`) on public sets, and says how they do beyond them.

    python -m bench fit --data DIR --date 2026-11-26 [--write src/mnemic/rank.json]

Three steps, each shrunk towards what needs no data:

* *weights*: a listwise softmax regression (Cao and others, Learning to Rank: From Pairwise Approach to Listwise
  Approach, 2007) with no negative weight, pulled towards `PRIOR`, a plain sum. Every set counts the same, whatever its
  size.
* *networks*: one for each kind of talk (`mnemic.reading`), which adds to the first scores of the best hundred; the same
  listwise loss, weight decay, and a few of other seeds side by side.
* *calibration*: the two-factor logistic of `rank.Calibration` on the ten best hits of each question, and of questions
  that were asked in the wrong conversation, where nothing is evidence; and the logistic of `rank.Confidence`. For each
  kind of talk on its own, with hits of conversations that its network has not seen.

Three figures for each set: with the prior alone, with the set left out of the fit ("transfer"), and with only the
conversation at hand left out ("bound"). Nothing here is read from a clock or drawn without a seed.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import optimize  # pyright: ignore[reportMissingTypeStubs]

from bench import datasets, metrics
from bench.datasets import Conversation, Question
from mnemic import Memory, rank, read, reading
from mnemic.learn import minimise
from mnemic.models import wordllama
from mnemic.ports import TokenEmbedder
from mnemic.stores.sqlite import Snapshot

Array = NDArray[np.float64]

SETS = ("locomo", "longmemeval", "beam", "realmem", "musique", "musique-pool")

UNSEEN = "sample"
"""The sample conversations of the package: never fitted on, so that they can say what the numbers are worth."""

PRIOR = {
    "lexical_turn": 1.0,
    "lexical_near": 0.5,
    "lexical_wide": 0.5,
    "lexical_session": 0.6,
    "dense_turn": 1.0,
    "dense_near": 0.5,
    "dense_wide": 0.5,
    "dense_session": 0.6,
    "speaker": 1.0,
    "length": 1.0,
    "time": 2.0,
}
"""An equal sum of turn, window and session, words and vectors, a session counting less than what stands in it; the time
that a question names, as much as a turn's words and vector together."""

WORDS_PRIOR = {name: value for name, value in PRIOR.items() if not name.startswith("dense")} | {
    "speaker": 0.5,
    "length": 0.5,
    "time": 1.0,
}

SHRINKAGE = 0.2
"""Weight of the squared distance from the prior, in nats; at 0.01 the transfer to LoCoMo is a point worse."""


def _plain(prior: Mapping[str, float]) -> dict[str, float]:
    """The prior as weights that sum to 1, as fitted ones do."""
    total = sum(prior.values())
    return {name: value / total for name, value in prior.items()}


PARTIAL = frozenset({"realmem"})
"""Sets whose key is complete for sessions only: a hit beside the key's turns may well be evidence."""

_HITS = 10
_STRANGERS = 30
"""Questions of other conversations asked in each conversation, at most."""


# --- The questions, asked -------------------------------------------------------------------------------------------


class Scope:
    """A conversation in a memory in RAM, and the engine's own view of each question that it is asked."""

    def __init__(self, conversation: Conversation, embedder: TokenEmbedder | None) -> None:
        self.conversation = conversation
        self._memory = Memory(":memory:", embedder=embedder, recipe="none")
        self._added = 0
        self._numbers = {said.id: number for number, said in enumerate(conversation.messages)}
        self._sessions: dict[str, int] = {}
        for said in conversation.messages:
            self._sessions.setdefault(said.session_id, len(self._sessions))
        self._session_of = np.array([self._sessions[said.session_id] for said in conversation.messages], np.int32)
        self._messages: dict[int, int] = {}
        self._embedder = embedder

    def ask(self, question: Question, *, deleted: bool = False) -> Case:
        """Everything that the fit needs to know of one question; `deleted`, as if its evidence had never been said.

        Questions are to come in the order of their time.
        """
        own = question in self.conversation.questions
        self._hear(question.history if own else None)
        view = self._memory._view(  # pyright: ignore[reportPrivateUsage]
            self._memory.search, {"user_id": _USER}, self.conversation.asked_at(question), None, None, (), None, None
        )
        with self._memory._reader.scene(view) as scene:  # pyright: ignore[reportPrivateUsage]
            frame = scene.frame
            assert frame is not None
            message = self._messages_of(scene.snapshot, frame.columns["row"])
            evidence = tuple(self._numbers[id] for id in question.best_evidence if id in self._numbers)
            if deleted:
                scene = replace(scene, allowed=scene.allowed & ~np.isin(message, evidence))
            ranked, _ = read.ranked_first(scene, frame, view, question.text, self._embedder, _PLAIN)
            places = rank.order(ranked.first, _READABLE, ranked.among)
            page = read.page_of(scene, frame, question.text, ranked, places, self._embedder)
            talk = read.talk_of(frame, places[: reading.READ])
        return Case(
            dataset=self.conversation.dataset,
            conversation=self.conversation.id,
            question=question,
            features=dict(ranked.features),
            words=ranked.words,
            sense=ranked.sense,
            named=np.zeros(frame.size, np.bool_) if ranked.by_name is None else ranked.by_name,
            layout=frame.layout,
            message=message,
            session=self._session_of[message],
            allowed=ranked.among,
            evidence=() if deleted else evidence,
            deleted=deleted,
            sessions=tuple(self._sessions[id] for id in question.evidence_sessions if id in self._sessions),
            readable=places,
            seen=reading.seen(page),
            talk=talk if len(places) >= reading.LEAST else None,
        )

    def _hear(self, until: int | None) -> None:
        stop = len(self.conversation.messages) if until is None else until
        for session, messages in self.conversation.sessions(self._added, stop):
            self._memory.add(messages, user_id=_USER, session_id=session)
        self._added = max(self._added, stop)

    def _messages_of(self, snapshot: Snapshot, rows: NDArray[np.int64]) -> NDArray[np.int32]:
        """The number of the message that each document is (a passage of)."""
        fresh = [row for row in rows.tolist() if row not in self._messages]
        if fresh:
            for row in snapshot.rows("records_by_row", rows=json.dumps(fresh)):
                self._messages[row["row"]] = self._numbers[row["message_id"]]
        return np.array([self._messages[row] for row in rows.tolist()], np.int32)


_USER = "u"
_PLAIN: rank.Numbers = {
    dense: rank.Fitted(_plain(prior), rank.Calibration(*[0.0] * 6), rank.Confidence(*[0.0] * 5))
    for dense, prior in ((True, PRIOR), (False, WORDS_PRIOR))
}
"""With these the engine finds what a second round starts from: nothing that was fitted has a part in it."""
_READABLE = 200
"""Documents whose reading is kept: whatever the weights, nearly all that they would have read are among them."""


@dataclass(frozen=True, slots=True)
class Case:
    """A question over a conversation, its features and its key (as numbers of messages and sessions)."""

    dataset: str
    conversation: str
    question: Question
    features: dict[str, rank.Floats]
    words: rank.Lexical
    sense: rank.Dense | None
    named: rank.Bools
    """Whether the question names the document's speaker."""
    layout: rank.Layout
    allowed: rank.Bools | None
    """None: all."""
    message: NDArray[np.int32]
    session: NDArray[np.int32]
    evidence: tuple[int, ...]
    sessions: tuple[int, ...]
    readable: rank.Ints
    """Places of those documents whose reading is known …"""
    seen: dict[str, rank.Floats]
    """… and what it is, each as long."""
    talk: reading.Talk | None
    """Whose network reads them."""
    deleted: bool
    """Whether its evidence was left out: a question that has no answer any more."""

    @property
    def judged(self) -> bool:
        """Whether the key says which messages are evidence, and all of them."""
        return bool(self.evidence) and self.dataset not in PARTIAL

    @property
    def size(self) -> int:
        return len(self.message)

    def first(self, weights: Mapping[str, float]) -> rank.Floats:
        """The scores before anything is read."""
        return rank.combine(self.features, {**rank.SECOND_ROUND, **weights})

    def read(self, first: rank.Floats) -> tuple[rank.Ints, dict[str, rank.Floats]]:
        """The documents that are read after these scores, best first, and what is seen of each."""
        order = rank.order(first, self.size, self.allowed)
        at = np.full(self.size, -1)
        at[self.readable] = np.arange(len(self.readable))
        places = order[at[order] >= 0][: reading.READ]
        found = {name: values[at[places]] for name, values in self.seen.items()}
        return places, found | reading.standing(first, places, self.layout, self.allowed)

    def ranking(self, numbers: rank.Fitted) -> tuple[rank.Ints, rank.Floats]:
        """All documents, best first, and the scores of all."""
        scores = self.first(numbers.weights)
        how = numbers.reading.get(self.talk or "")
        if how is not None:
            places, found = self.read(scores)
            scores = reading.reread(scores, places, how.net, found)
        return rank.order(scores, self.size, self.allowed), scores

    def content(self, numbers: rank.Fitted) -> rank.Floats:
        """The first scores, without what it gives that a speaker is named."""
        weights = {**rank.SECOND_ROUND, **numbers.weights}
        given = np.float32(rank.shares(self.features, weights)["speaker"]) * self.features["speaker"]
        return (self.first(weights) - given).astype(np.float32)

    def least(self, place: int) -> float:
        """`rank.Found.least` of a document that leads."""
        likeness = self.seen.get("near_least_like")
        at = np.flatnonzero(self.readable == place)
        return 0.0 if likeness is None or not len(at) else float(likeness[at[0]])

    def figures(self, numbers: rank.Fitted) -> dict[str, float]:
        order, _ = self.ranking(numbers)
        messages = [[str(number)] for number in self.message[order].tolist()]
        sessions = [[str(number)] for number in self.session[order].tolist()]
        key = [str(number) for number in self.evidence]
        found = {f"recall@{k}": metrics.recall_at(messages, key, k) for k in (5, 10, 20)}
        if self.sessions:
            found["sessions@5"] = metrics.recall_at(sessions, [str(number) for number in self.sessions], 5)
        return found


def cases(
    folder: Path, embedder: TokenEmbedder | None, progress: Callable[[str], None] = lambda _: None
) -> tuple[list[Case], list[Case]]:
    """The questions of all sets; and those without an answer: asked with their evidence deleted, or as strangers, in a
    conversation that is not theirs."""
    present, missing = datasets.load_available([name for name in SETS if name != "musique-pool"], folder)
    for name in missing:
        print(f"{name}: not in {folder}, left out", file=sys.stderr)
    conversations = [conversation for found in present.values() for conversation in found]
    if "musique" in present:
        conversations.append(pooled(present["musique"]))
    everything = [(c.id, question) for c in conversations for question in c.questions]
    draw = random.Random(7)
    asked: list[Case] = []
    strangers: list[Case] = []
    for conversation in conversations:
        scope = Scope(conversation, embedder)
        for question in _in_time(conversation):
            case = scope.ask(question)
            asked.append(case)
            if case.judged and question.answerable and conversation.dataset in present:
                strangers.append(scope.ask(question, deleted=True))
        many = min(
            _STRANGERS, max(1, 300 // len(present[conversation.dataset]) if conversation.dataset in present else 30)
        )
        own = {question.text for question in conversation.questions}
        for _ in range(many):
            home, question = draw.choice(everything)
            if home != conversation.id and question.text not in own:
                nothing = replace(
                    question, evidence=(), evidence_sessions=(), corrected=None, history=None, answerable=True
                )
                strangers.append(scope.ask(nothing))
        progress(f"{conversation.dataset} {conversation.id}")
    return asked, strangers


def _in_time(conversation: Conversation) -> list[Question]:
    everything = len(conversation.messages)
    return sorted(
        conversation.questions, key=lambda question: everything if question.history is None else question.history
    )


def unseen(embedder: TokenEmbedder | None) -> list[Case]:
    """The questions of the sample conversations."""
    scopes = (Scope(conversation, embedder) for conversation in datasets.load(UNSEEN, Path()))
    return [scope.ask(question) for scope in scopes for question in _in_time(scope.conversation)]


def pooled(conversations: Sequence[Conversation]) -> Conversation:
    """All conversations of a set as one, each message once: a larger haystack for the same questions."""
    messages: dict[str, datasets.Message] = {}
    ids: dict[tuple[str, str], str] = {}
    for conversation in conversations:
        for message in conversation.messages:
            id = f"{len(messages)}"
            first = messages.setdefault(message.content, replace(message, id=id, session_id=f"paragraph-{id}"))
            ids[conversation.id, message.id] = first.id
    questions = [
        replace(question, evidence=found, evidence_sessions=tuple(f"paragraph-{id}" for id in found))
        for conversation in conversations
        for question in conversation.questions
        if (found := tuple(ids[conversation.id, id] for id in question.evidence))
    ]
    name = f"{conversations[0].dataset}-pool"
    return Conversation(name, name, tuple(messages.values()), tuple(questions))


# --- Weights ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Lists:
    """Documents of many questions, end to end: rows of features, and which rows are which piece of evidence."""

    rows: Array
    """(rows, features)"""
    starts: NDArray[np.int64]
    """(questions,) first row of each question."""
    evidence: NDArray[np.int64]
    """Rows that are evidence, piece after piece (a long turn has several passages, any of which will do)."""
    pieces: NDArray[np.int64]
    """(pieces,) first place of each piece in `evidence`."""
    question: NDArray[np.int64]
    """(pieces,) which question it answers."""
    weight: Array
    """(pieces,) adds up to 1."""


def lists(chosen: Iterable[Case], prior: Mapping[str, float]) -> Lists:
    """The evidence of each question, and its best rivals by the prior."""
    by_set: dict[str, list[Case]] = defaultdict(list)
    for case in chosen:
        if case.judged or case.sessions:
            by_set[case.dataset].append(case)
    blocks: list[Array] = []
    starts: list[int] = []
    evidence: list[int] = []
    pieces: list[int] = []
    owners: list[int] = []
    weights: list[float] = []
    offset = 0
    for found in by_set.values():
        for case in found:
            order = rank.order(case.first(_plain(prior)), case.size, case.allowed)
            if case.judged:
                wanted = [order[case.message[order] == number][:6] for number in case.evidence]
            else:
                wanted = [order[case.session[order] == number][:6] for number in case.sessions]
            wanted = [documents for documents in wanted if len(documents)]
            if not wanted:
                continue
            kept = np.unique(np.concatenate([order[:120], *wanted]))
            for documents in wanted:
                pieces.append(len(evidence))
                evidence += (offset + np.searchsorted(kept, documents)).tolist()
                owners.append(len(starts))
                weights.append(1.0 / len(wanted) / len(found) / len(by_set))
            starts.append(offset)
            # Within one question a feature that is the same everywhere changes nothing: none is as good as zeros.
            nothing = np.zeros(len(case.message), np.float32)
            rows = [case.features.get(name, nothing)[kept] for name in prior]
            blocks.append(np.stack(rows, axis=1).astype(np.float64))
            offset += len(kept)
    return Lists(
        np.concatenate(blocks),
        np.array(starts),
        np.array(evidence),
        np.array(pieces),
        np.array(owners),
        np.array(weights) / sum(weights),
    )


def fit_weights(chosen: Iterable[Case], prior: Mapping[str, float], shrinkage: float = SHRINKAGE) -> dict[str, float]:
    """Weights that make the evidence likely under a softmax over each question's documents, scaled to sum to 1."""
    data = lists(chosen, prior)
    towards = np.array(list(prior.values()))
    owner = np.repeat(np.arange(len(data.starts)), np.diff(data.starts, append=len(data.rows)))
    piece = np.repeat(np.arange(len(data.pieces)), np.diff(data.pieces, append=len(data.evidence)))
    per_question = np.bincount(data.question, data.weight, minlength=len(data.starts))

    def loss(weights: Array) -> tuple[float, Array]:
        scores = data.rows @ weights
        raised = np.exp(scores - np.maximum.reduceat(scores, data.starts)[owner])
        share = raised / np.add.reduceat(raised, data.starts)[owner]
        likely = np.add.reduceat(share[data.evidence], data.pieces) + 1e-12
        pull = per_question[owner] * share
        np.subtract.at(pull, data.evidence, (data.weight / likely)[piece] * share[data.evidence])
        # Only the direction is shrunk, not the temperature.
        away = weights - (weights @ towards) / (towards @ towards) * towards
        value = -float(data.weight @ np.log(likely)) + shrinkage * float(away @ away)
        return value, data.rows.T @ pull + 2.0 * shrinkage * away

    found = minimise(loss, 2.0 * towards, above(np.zeros(len(towards))))
    return {name: float(value) for name, value in zip(prior, found / found.sum(), strict=True)}


def above(lower: Array) -> Callable[[Array], Array]:
    """The projection of a point on those that nowhere lie below `lower`."""
    return lambda point: np.maximum(point, lower)


# --- Reading ----------------------------------------------------------------------------------------------------------

HIDDEN = 8
"""Hidden units of one network …"""
TOGETHER = 4
"""… and networks of which the mean is taken, each from another start."""
DECAY = 0.02
"""Weight of the squared weights: chosen among 0.01, 0.02, 0.04 by conversations left out."""
STEPS = 150
"""Steps of the fit (L-BFGS); more fit the questions at hand better, and others no better."""


_optimize: Any = optimize.minimize  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]

TRUST: Mapping[str, float] = {"people": 1.0, "documents": 1.0, "assistant": 0.5}
"""How much of what a network would change is done. In chats with an assistant the sets differ so much that all of it
would cost a set left out of the fit four points; half of it costs none, and keeps most of the gain where it fits."""


def fit_nets(chosen: Iterable[Case], weights: Mapping[str, float]) -> dict[str, rank.Net]:
    """A network for each kind of talk that there are questions of.

    Questions without an answer teach nothing here: what they twist is in the key, but is not what is asked for.
    """
    by_talk: dict[str, list[Case]] = defaultdict(list)
    for case in chosen:
        if case.evidence and case.question.answerable and case.talk is not None:
            by_talk[case.talk].append(case)
    return {talk: _trusted(_net(found, weights), TRUST[talk]) for talk, found in by_talk.items()}


def _trusted(net: rank.Net, share: float) -> rank.Net:
    return replace(net, out=net.out * np.float32(share))


@dataclass(frozen=True, slots=True)
class Pages:
    """What is read for many questions, end to end."""

    rows: NDArray[np.float32]
    """(rows, inputs)"""
    first: NDArray[np.float32]
    """(rows,) the first scores, as log-odds."""
    target: NDArray[np.float32]
    """(rows,) 1 / the evidence of its question, for evidence."""
    starts: NDArray[np.intp]
    """(questions,) the first row of each."""
    owner: NDArray[np.intp]
    """(rows,)"""
    weight: NDArray[np.float32]
    """(questions,) each set by the root of its size; they add up to 1."""


def _net(cases: Sequence[Case], weights: Mapping[str, float]) -> rank.Net:
    read = [(case, *case.read(case.first(weights))) for case in cases]
    read = [one for one in read if np.isin(one[0].message[one[1]], one[0].evidence).any()]
    names = tuple(dict.fromkeys(name for _, _, found in read for name in found))
    nothing = np.zeros(reading.READ, np.float32)
    columns = {name: np.concatenate([f.get(name, nothing[: len(p)]) for _, p, f in read]) for name in names}
    centre = np.array([columns[name].mean() for name in names], np.float32)
    scale = np.array([max(float(columns[name].std()), 1e-3) for name in names], np.float32)
    sizes: dict[str, int] = defaultdict(int)
    for case, _, _ in read:
        sizes[case.dataset] += 1
    lengths = np.array([len(places) for _, places, _ in read])
    right = [np.isin(case.message[places], case.evidence) for case, places, _ in read]
    weight = np.array([sizes[case.dataset] ** -0.5 for case, _, _ in read])
    pages = Pages(
        np.concatenate([reading.inputs(found, names, centre, scale) for _, _, found in read]),
        rank.SHARPNESS * columns["score"],
        np.concatenate([true / true.sum() for true in right]).astype(np.float32),
        np.concatenate([[0], np.cumsum(lengths)[:-1]]),
        np.repeat(np.arange(len(read)), lengths),
        (weight / weight.sum()).astype(np.float32),
    )
    nets = [_fit_net(pages, seed) for seed in range(TOGETHER)]
    return rank.Net(
        names,
        centre,
        scale,
        np.concatenate([net[0] for net in nets], axis=1),
        np.concatenate([net[1] for net in nets]),
        np.concatenate([net[2] for net in nets]) / np.float32(TOGETHER),
    )


def _fit_net(pages: Pages, seed: int) -> tuple[rank.Floats, rank.Floats, rank.Floats]:
    """Weights that make the evidence likely under a softmax over what is read for each question."""
    inputs = pages.rows.shape[1]
    draw = np.random.default_rng(seed)
    start: list[Array] = [
        draw.normal(0.0, 0.3 / np.sqrt(inputs), inputs * HIDDEN),
        np.zeros(HIDDEN),
        draw.normal(0.0, 0.1, HIDDEN),
    ]

    def parts(point: Array) -> tuple[rank.Floats, rank.Floats, rank.Floats]:
        values = point.astype(np.float32)
        hidden, bias, out = np.split(values, [inputs * HIDDEN, inputs * HIDDEN + HIDDEN])
        return hidden.reshape(inputs, HIDDEN), bias, out

    def loss(point: Array) -> tuple[float, Array]:
        hidden, bias, out = parts(point)
        raised = np.tanh(pages.rows @ hidden + bias)
        scores = raised @ out + pages.first
        powers = np.exp(scores - np.maximum.reduceat(scores, pages.starts)[pages.owner])
        share = powers / np.add.reduceat(powers, pages.starts)[pages.owner]
        heavy = pages.weight[pages.owner]
        value = -float((heavy * pages.target * np.log(share + 1e-12)).sum())
        pull = heavy * (share - pages.target)
        inner = np.outer(pull, out) * (1.0 - raised * raised)
        value += DECAY * float((hidden * hidden).sum() + (out * out).sum())
        gradient = [
            (pages.rows.T @ inner + 2.0 * DECAY * hidden).ravel(),
            inner.sum(axis=0),
            raised.T @ pull + 2.0 * DECAY * out,
        ]
        return value, np.concatenate(gradient).astype(np.float64)

    options = {"maxiter": STEPS}
    found = _optimize(loss, np.concatenate(start), jac=True, method="L-BFGS-B", options=options).x
    return parts(found)


# --- Calibration ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Shown:
    """The ten best hits of a question and whether each is evidence."""

    case: Case
    scores: rank.Floats
    facts: rank.Facts
    least: float
    """`rank.Found.least`."""
    ahead: float | None
    """`rank.lead_over_others`: of those whom the question names."""
    right: rank.Bools
    hits_judged: bool
    """Whether the key says so hit by hit; else (a question with a false premise) only that the answer is in none."""


def shown(chosen: Iterable[Case], numbers: rank.Fitted) -> Iterator[Shown]:
    """The hits of those questions whose key can judge them: answerable with evidence, or known to have no answer."""
    for case in chosen:
        nothing = case.deleted or (not case.evidence and not case.sessions)
        unanswerable = not case.question.answerable
        if not case.judged and not nothing and not unanswerable:
            continue
        order, scores = case.ranking(numbers)
        facts = rank.facts(case.words, case.sense, scores, case.allowed)
        if facts is None:
            continue
        hits = order[:_HITS]
        right = np.isin(case.message[hits], () if unanswerable else case.evidence)
        ahead = rank.lead_over_others(case.content(numbers), case.named, case.allowed)
        yield Shown(case, scores[hits], facts, case.least(int(hits[0])), ahead, right, nothing or not unanswerable)


_STRANGE = {True: -4.0, False: -3.0}
"""Log-odds of the topic, at most, where neither a word nor the meaning is that of the question; with vectors, whose
cosines hardly ever are 0, less. The sets have few small scopes, in which the best hit stands out whatever is asked."""


def fit_calibration(hits: Sequence[Shown]) -> rank.Calibration:
    """Maximum likelihood; each set counts the same, and the strangers as much as a set."""
    hits = [found for found in hits if found.hits_judged and not found.case.deleted]
    count: dict[str, int] = defaultdict(int)
    for found in hits:
        count[_group(found)] += 1
    topic = np.concatenate([np.tile([1.0, f.facts.coverage, f.facts.cosine or 0.0], (len(f.scores), 1)) for f in hits])
    place = np.concatenate(
        [np.stack([np.ones(len(f.scores)), *rank.standing(f.scores, f.facts)], axis=1) for f in hits]
    )
    right = np.concatenate([f.right for f in hits]).astype(np.float64)
    weight = np.concatenate([np.full(len(f.scores), 1.0 / count[_group(f)] / len(f.scores)) for f in hits])
    weight /= weight.sum()

    def loss(numbers: Array) -> tuple[float, Array]:
        a, b = _sigmoid(topic @ numbers[:3]), _sigmoid(place @ numbers[3:])
        p = np.clip(a * b, 1e-9, 1.0 - 1e-9)
        value = -float(weight @ (right * np.log(p) + (1.0 - right) * np.log1p(-p))) + 1e-5 * float(numbers @ numbers)
        slope = weight * (p - right) / (p * (1.0 - p))
        gradient = np.concatenate([topic.T @ (slope * p * (1.0 - a)), place.T @ (slope * p * (1.0 - b))])
        return value, gradient + 2e-5 * numbers

    lower = np.array([-np.inf, 0.0, 0.0, -np.inf, 0.0, 0.0])
    upper = np.full(6, np.inf)
    upper[0] = _STRANGE[hits[0].facts.cosine is not None]
    numbers = minimise(loss, np.array([-4.0, 3.0, 1.0, 0.0, 1.0, 1.0]), lambda point: np.clip(point, lower, upper))
    return rank.Calibration(*(float(number) for number in numbers))


def fit_confidence(hits: Sequence[Shown], calibration: rank.Calibration) -> rank.Confidence:
    """Maximum likelihood over all questions, those without an answer among them.

    Each set counts by the root of its size; strangers as a fifth of a set each, since few questions are asked of a
    memory that never heard of their matter. Twins whose evidence was deleted are no part of it: in what is asked of a
    memory they are rare, and with them it promises too little.
    """
    hits = [found for found in hits if _source(found) in _WORTH]
    right = np.array([bool(f.right.any()) for f in hits], dtype=np.float64)
    count: dict[tuple[str, str], int] = defaultdict(int)
    for found in hits:
        count[found.case.dataset, _source(found)] += 1
    weight = np.array([_WORTH[_source(f)] / count[f.case.dataset, _source(f)] ** 0.5 for f in hits])
    weight /= weight.sum()
    facts = [facts_of(found, calibration) for found in hits]
    rows = np.array([(1.0, one.share, one.least, one.lead, min(one.topic, 0.0)) for one in facts])

    def loss(numbers: Array) -> tuple[float, Array]:
        p = np.clip(_sigmoid(rows @ numbers), 1e-9, 1.0 - 1e-9)
        value = -float(weight @ (right * np.log(p) + (1.0 - right) * np.log1p(-p))) + 1e-5 * float(numbers @ numbers)
        return value, rows.T @ (weight * (p - right)) + 2e-5 * numbers

    lower = np.array([-np.inf, 0.0, 0.0, 0.0, 0.0])
    return rank.Confidence(*minimise(loss, np.array([-1.0, 1.0, 1.0, 1.0, 1.0]), above(lower)).tolist())


_WORTH = {"own": 1.0, "stranger": 0.2}


def _source(found: Shown) -> str:
    """Whether a question is one of its conversation's own, of another one, or one whose evidence was deleted."""
    case = found.case
    own = bool(case.evidence or case.sessions) or not case.question.answerable
    return "twin" if case.deleted else "own" if own else "stranger"


def facts_of(found: Shown, calibration: rank.Calibration) -> rank.Found:
    """What the search for a question says of whether its hits answer it."""
    return rank.found(found.scores, found.facts, calibration, found.least, found.ahead)


def set_of(case: Case) -> str:
    """The set of a question: MuSiQue's over 20 paragraphs and over all are one set."""
    return case.dataset.removesuffix("-pool")


def _group(found: Shown) -> str:
    """What counts as one set: MuSiQue's questions over 20 paragraphs and over all are of one kind."""
    return found.case.dataset.removesuffix("-pool") if found.case.judged else "nothing"


def _set(found: Shown) -> str:
    """The set that a question is of, also where nothing answers it; "nothing" for one of another conversation."""
    if found.case.deleted:
        return f"{set_of(found.case)}, deleted"
    return set_of(found.case) if not found.case.question.answerable else _group(found)


def _sigmoid(values: Any) -> Any:
    return 0.5 * (1.0 + np.tanh(0.5 * values))


# --- The report -------------------------------------------------------------------------------------------------------


def figures(chosen: Iterable[Case], numbers_of: Callable[[Case], rank.Fitted]) -> dict[str, dict[str, float]]:
    """Means over the questions of each set; LoCoMo's adversarial questions apart, and with the printed key too."""
    found: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for case in chosen:
        name = case.dataset
        if name == "locomo" and not case.question.answerable:
            name = "locomo-adversarial"
        elif not case.question.answerable:
            continue
        for figure, value in case.figures(numbers_of(case)).items():
            found[name][figure].append(value)
    return {
        name: {figure: float(np.nanmean(values)) for figure, values in by_figure.items() if not np.isnan(values).all()}
        for name, by_figure in found.items()
    }


def calibrated(hits: Iterable[tuple[Shown, rank.Fitted]]) -> dict[str, dict[str, float]]:
    """Expected calibration error of all hits and of the first hits, and the mean promise and truth of the first."""
    found: dict[str, list[tuple[Array, rank.Bools]]] = defaultdict(list)
    for hit, numbers in hits:
        if not hit.hits_judged or hit.case.deleted:
            continue
        p = rank.relevance(hit.scores, hit.facts, _how(hit, numbers).hit)
        found[_group(hit)].append((p, hit.right))
    report: dict[str, dict[str, float]] = {}
    for name, pairs in found.items():
        promised, kept = np.concatenate([p for p, _ in pairs]), np.concatenate([y for _, y in pairs])
        first, true = [float(p[0]) for p, _ in pairs], [bool(y[0]) for _, y in pairs]
        likely = promised >= 0.3
        report[name] = {
            "ece": metrics.expected_calibration_error(metrics.calibration(promised.tolist(), kept.tolist())),
            "ece likely": metrics.expected_calibration_error(
                metrics.calibration(promised[likely].tolist(), kept[likely].tolist())
            ),
            "promised first": float(np.mean(first)),
            "kept first": float(np.mean(true)),
            "median first": float(np.median(first)),
            "p90 first": float(np.quantile(first, 0.9)),
        }
    return report


def _how(hit: Shown, numbers: rank.Fitted) -> rank.Fitted | rank.Reading:
    """What the scores of a search are worth: those of its kind of talk where that is read."""
    return numbers.reading.get(hit.case.talk or "", numbers)


def confident(hits: Iterable[tuple[Shown, rank.Fitted]]) -> dict[str, dict[str, float]]:
    """Of the confidence: its error, its skill (Brier) over the base rate, and how well it tells apart (area under the
    curve) questions with and without their evidence among the hits, answerable from unanswerable ones, and questions
    from their twins whose evidence was deleted."""
    found: dict[str, list[tuple[float, bool, bool]]] = defaultdict(list)
    for hit, numbers in hits:
        how = _how(hit, numbers)
        p = rank.confidence(facts_of(hit, how.hit), how.confidence)
        found[_set(hit)].append((p, bool(hit.right.any()), hit.case.question.answerable))
    report: dict[str, dict[str, float]] = {}
    for name, rows in found.items():
        if name.endswith("deleted"):
            continue
        promised, kept, answerable = (list(column) for column in zip(*rows, strict=True))
        base = float(np.mean(kept))
        brier = float(np.mean((np.array(promised) - np.array(kept, dtype=np.float64)) ** 2))
        report[name] = {
            "promised": float(np.mean(promised)),
            "kept": base,
            "ece": metrics.expected_calibration_error(metrics.calibration(promised, kept)),
            "skill": 1.0 - brier / (base * (1.0 - base)) if 0.0 < base < 1.0 else float("nan"),
            "auc found": metrics.area_under_curve(promised, kept),
            "auc answerable": metrics.area_under_curve(promised, answerable),
        }
        twins = [p for p, _, _ in found.get(f"{name}, deleted", ())]
        if twins:
            known = [p for p, _, answerable_ in rows if answerable_]
            report[name]["auc twins"] = metrics.separation(known, twins)
    return report


def fitted(asked: Sequence[Case], strangers: Sequence[Case], prior: Mapping[str, float]) -> rank.Fitted:
    """The numbers for these questions.

    What reading is worth is told by questions whose conversations had no part in the fit of the networks: of those that
    had, they promise too much.
    """
    weights = fit_weights(asked, prior)
    everything = [*asked, *strangers]
    first = rank.Fitted(weights, *_NOT_YET)
    hits = list(shown(everything, first))
    hit = fit_calibration(hits)
    first = rank.Fitted(weights, hit, fit_confidence(hits, hit))
    part_of = parts(asked)
    apart: list[Shown] = []
    for part in range(PARTS):
        inside = [case for case in everything if part_of(case) == part]
        nets = fit_nets([case for case in asked if part_of(case) != part], weights)
        apart += shown(inside, replace(first, reading={t: rank.Reading(n, *_NOT_YET) for t, n in nets.items()}))
    read: dict[str, rank.Reading] = {}
    for talk, net in fit_nets(asked, weights).items():
        of_talk = [found for found in apart if found.case.talk == talk]
        hit = fit_calibration(of_talk)
        read[talk] = rank.Reading(net, hit, fit_confidence(of_talk, hit))
    return replace(first, reading=read)


_NOT_YET = rank.Calibration(*[0.0] * 6), rank.Confidence(*[0.0] * 5)


def fit(
    asked: Sequence[Case], strangers: Sequence[Case], fresh: Sequence[Case], prior: Mapping[str, float]
) -> rank.Fitted:
    """The numbers for one set of channels; prints what they are worth, on `fresh` questions last."""
    numbers = fitted(asked, strangers, prior)
    first = replace(numbers, reading={})
    print("  weights  ", _row(numbers.weights))
    _print("prior", figures(asked, lambda _: replace(first, weights=_plain(prior))))
    _print("first ranking", figures(asked, lambda _: first))
    names = list(dict.fromkeys(map(set_of, asked)))
    left_out = {name: without(name, asked, strangers, prior) for name in names}
    _print("transfer", figures(asked, lambda case: left_out[set_of(case)]))
    part_of = parts(asked)
    partly = [
        fitted([c for c in asked if part_of(c) != part], [c for c in strangers if part_of(c) != part], prior)
        for part in range(PARTS)
    ]
    _print("bound", figures(asked, lambda case: partly[part_of(case)]))
    everything = [*asked, *strangers]
    for title, found in (
        ("transfer", _under(everything, lambda case: left_out[set_of(case)])),
        ("bound", _under(everything, lambda case: partly[part_of(case)])),
    ):
        _print(f"{title}, relevance", calibrated(found))
        _print(f"{title}, confidence", confident(found))
    _print("unseen, first ranking", figures(fresh, lambda _: first))
    _print("unseen", figures(fresh, lambda _: numbers))
    new = _under(fresh, lambda _: numbers)
    _print("unseen, relevance", calibrated(new))
    _print("unseen, confidence", confident(new))
    return numbers


def _under(cases: Sequence[Case], numbers_of: Callable[[Case], rank.Fitted]) -> list[tuple[Shown, rank.Fitted]]:
    """The hits of these questions, each with the numbers that it was ranked by."""
    return [(hit, numbers_of(case)) for case in cases for hit in shown([case], numbers_of(case))]


def without(name: str, asked: Sequence[Case], strangers: Sequence[Case], prior: Mapping[str, float]) -> rank.Fitted:
    """The numbers fitted without a set: neither its questions nor any that was asked in its conversations."""
    return fitted([c for c in asked if set_of(c) != name], [c for c in strangers if set_of(c) != name], prior)


PARTS = 5
"""Parts of each set; all conversations of one part are left out of a fit at once."""


def parts(asked: Sequence[Case]) -> Callable[[Case], int]:
    """The part of each question: conversations take turns, set by set. A question that is asked of several
    conversations pooled is in the part of its own, and so is one that is asked in a conversation as a stranger."""
    of_question: dict[str, int] = {}
    of_conversation: dict[tuple[str, str], int] = {}
    many: dict[str, int] = defaultdict(int)
    for case in asked:
        key = case.dataset, case.conversation
        if key not in of_conversation:
            of_conversation[key] = many[case.dataset] % PARTS
            many[case.dataset] += 1
        of_question.setdefault(case.question.id, of_conversation[key])

    def part_of(case: Case) -> int:
        own = of_question.get(case.question.id)
        known = of_conversation.get((case.dataset, case.conversation))
        stranger = not case.deleted and not case.evidence and not case.sessions and case.question.answerable
        return (known if stranger or own is None else own) or 0

    return part_of


def part(numbers: rank.Fitted) -> dict[str, Any]:
    """The numbers of one set of channels, as they are written into the file."""
    return {
        "weights": _rounded(numbers.weights),
        "hit": _rounded(asdict(numbers.hit)),
        "confidence": _rounded(asdict(numbers.confidence)),
        "reading": {
            talk: {
                "hit": _rounded(asdict(read.hit)),
                "confidence": _rounded(asdict(read.confidence)),
                "net": plain(read.net),
            }
            for talk, read in numbers.reading.items()
        },
    }


def plain(net: rank.Net) -> dict[str, Any]:
    """A network as it is written into the file."""
    return {
        "features": list(net.features),
        **{
            name: np.round(np.asarray(getattr(net, name), np.float64), 4).tolist()
            for name in ("centre", "scale", "hidden", "bias", "out")
        },
    }


def _rounded(values: Mapping[str, float]) -> dict[str, float]:
    return {name: round(value, 3) for name, value in values.items()}


def written(numbers: Mapping[str, Any]) -> str:
    """The file: a line for each number, but one for each list of numbers."""
    text = json.dumps(numbers, indent=2, ensure_ascii=False)
    return (
        re.sub(
            r"\[[^\[\]\"]*\]", lambda found: re.sub(r"\s+", " ", found[0]).replace("[ ", "[").replace(" ]", "]"), text
        )
        + "\n"
    )


def _row(values: Mapping[str, float]) -> str:
    return "  ".join(f"{name} {value:.3f}" for name, value in values.items())


def _print(title: str, table: Mapping[str, Mapping[str, float]]) -> None:
    for name, row in table.items():
        print(f"  {title:26} {name:20} {_row(row)}")


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="bench fit", description="Fit the numbers of the ranking on public sets.")
    parser.add_argument("--data", type=Path, required=True, help="folder of the public sets")
    parser.add_argument("--date", required=True, help="date to write into the file, YYYY-MM-DD")
    parser.add_argument("--write", type=Path, help="file to write the numbers to")
    arguments = parser.parse_args(argv)
    embedder = wordllama.find()
    if embedder is None:
        parser.error("fitting needs the default embedder: pip install wordllama")
    channels: dict[str, Any] = {}
    asked: list[Case] = []
    for name, vectors, prior in (("words and vectors", embedder, PRIOR), ("words", None, WORDS_PRIOR)):
        print(name)
        asked, strangers = cases(arguments.data, vectors)
        channels[name] = part(fit(asked, strangers, unseen(vectors), prior))
    numbers = {
        "fitted": {
            "date": arguments.date,
            "sets": list(dict.fromkeys(case.dataset for case in asked)),
            "questions": len(asked),
            "shrinkage": SHRINKAGE,
        },
        **channels,
    }
    if arguments.write is not None:
        arguments.write.write_text(written(numbers), encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
