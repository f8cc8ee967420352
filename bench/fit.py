"""Fits the numbers of the ranking (`src/mnemic/rank.json`) on public sets, and says how they do beyond them.

    python -m bench fit --data DIR --date 2026-11-23 [--write src/mnemic/rank.json]

Two steps, each shrunk towards what needs no data:

* *weights*: a listwise softmax regression (Cao and others, Learning to Rank: From Pairwise Approach to Listwise
  Approach, 2007) with no negative weight, pulled towards `PRIOR`, a plain sum. Every set counts the same, whatever its
  size.
* *calibration*: the two-factor logistic of `rank.Calibration` on the ten best hits of each question, and of questions
  that were asked in the wrong conversation, where nothing is evidence.

Three figures for each set: with the prior alone, with the set left out of the fit ("transfer"), and with only the
conversation at hand left out ("bound"). Nothing here is read from a clock or drawn without a seed.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench import datasets, metrics
from bench.datasets import Conversation, Question
from mnemic import rank, text, when
from mnemic.learn import minimise
from mnemic.models import wordllama
from mnemic.ports import TokenEmbedder
from mnemic.times import micros

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

PARTIAL = frozenset({"realmem"})
"""Sets whose key is complete for sessions only: a hit beside the key's turns may well be evidence."""

_HITS = 10
_STRANGERS = 30
"""Questions of other conversations asked in each conversation, at most."""


# --- An index of one conversation -------------------------------------------------------------------------------------


class Scope:
    """The documents of a conversation as `rank` takes them."""

    def __init__(self, conversation: Conversation, embedder: TokenEmbedder) -> None:
        self.conversation = conversation
        self.speakers: list[rank.Speaker] = []
        codes: dict[rank.Speaker, int] = {}
        sessions: dict[str, int] = {}
        texts: list[str] = []
        message: list[int] = []
        session: list[int] = []
        speaker: list[int] = []
        for number, said in enumerate(conversation.messages):
            who = rank.Speaker(said.name or "", said.role)
            for start, end in text.passages(said.content) or [(0, 0)]:
                texts.append(said.content[start:end])
                message.append(number)
                session.append(sessions.setdefault(said.session_id, len(sessions)))
                speaker.append(codes.setdefault(who, len(codes)))
        self.speakers = list(codes)
        self.sessions = sessions
        self.message = np.array(message, dtype=np.int32)
        self.session = np.array(session, dtype=np.int32)
        self.speaker = np.array(speaker, dtype=np.int32)
        times = [said.time for said in conversation.messages]
        self._times = (
            np.array([micros(datetime.fromisoformat(time)) for time in times if time])[self.message]
            if all(times)
            else None
        )
        self._embedder = embedder
        self._index(texts)

    def _index(self, texts: Sequence[str]) -> None:
        postings: dict[str, dict[int, int]] = defaultdict(dict)
        lengths: list[int] = []
        for number, passage in enumerate(texts):
            plain, compounds = text.index_terms(passage)
            lengths.append(len(plain))
            for term in plain + compounds:
                postings[term][number] = postings[term].get(number, 0) + 1
        self._postings = {
            term: (np.fromiter(found, np.int32, len(found)), np.fromiter(found.values(), np.uint16, len(found)))
            for term, found in postings.items()
        }
        previous, following, last = [-1] * len(texts), [-1] * len(texts), dict[int, int]()
        for number, code in enumerate(self.session.tolist()):
            if code in last:
                previous[number], following[last[code]] = last[code], number
            last[code] = number
        self.layout = rank.layout(np.array(lengths), np.array(previous), np.array(following), self.session)
        tokens = self._embedder.tokenize_many(texts)
        self._tokens = np.bincount(tokens.ids, minlength=self._embedder.vocabulary)
        vectors = self._embedder.embed_token_lists(tokens).astype(np.float16)
        self.norms = rank.norms(vectors, self.layout)
        self._vectors = vectors.astype(np.float32)

    def ask(self, question: Question) -> Case:
        """Everything that the fit needs to know of one question."""
        asked = rank.read_question(question.text, self.speakers)
        empty = np.zeros(0, np.int32), np.zeros(0, np.uint16)
        terms = [rank.Term(*self._postings.get(term.term, empty), term.weight) for term in asked.terms]
        words = rank.lexical(terms, self.layout)
        ids = self._embedder.tokenize(asked.about)
        weights = rank.smooth_inverse_frequency(self._tokens[ids], float(self._tokens.sum()))
        query = self._embedder.embed_tokens(ids, weights)
        sense = rank.dense(self._vectors @ query, float(np.linalg.norm(query)), self.norms, self.layout)
        history = question.history if question in self.conversation.questions else None
        allowed = None if history is None else self.message < history
        features = rank.features(
            words,
            sense,
            self.layout,
            speaker=asked.speakers[self.speaker],
            time=self._closeness(question),
            allowed=allowed,
        )
        known = {said.id: number for number, said in enumerate(self.conversation.messages)}
        return Case(
            dataset=self.conversation.dataset,
            conversation=self.conversation.id,
            question=question,
            features=features,
            words=words,
            sense=sense,
            named=asked.named[self.speaker],
            allowed=np.ones(self.layout.size, np.bool_) if allowed is None else allowed,
            message=self.message,
            session=self.session,
            evidence=tuple(known[id] for id in question.best_evidence if id in known),
            sessions=tuple(self.sessions[id] for id in question.evidence_sessions if id in self.sessions),
        )

    def _closeness(self, question: Question) -> rank.Floats | None:
        """How close each document is to the time that the question names; None where it names none."""
        asked_at = self.conversation.asked_at(question)
        if asked_at is None or self._times is None:
            return None
        interval = when.named_interval(question.text, datetime.fromisoformat(asked_at))
        return None if interval is None else rank.closeness(self._times, interval)


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
    allowed: rank.Bools
    message: NDArray[np.int32]
    session: NDArray[np.int32]
    evidence: tuple[int, ...]
    sessions: tuple[int, ...]

    @property
    def judged(self) -> bool:
        """Whether the key says which messages are evidence, and all of them."""
        return bool(self.evidence) and self.dataset not in PARTIAL

    def without_vectors(self) -> Case:
        kept = {name: values for name, values in self.features.items() if not name.startswith("dense")}
        return replace(self, features=kept, sense=None)

    def ranking(self, weights: Mapping[str, float]) -> tuple[rank.Ints, rank.Floats]:
        """All allowed documents, best first, and the scores of all documents."""
        scores = rank.combine(self.features, weights)
        return rank.order(scores, len(scores), self.allowed), scores

    def figures(self, weights: Mapping[str, float]) -> dict[str, float]:
        order, _ = self.ranking(weights)
        messages = [[str(number)] for number in self.message[order].tolist()]
        sessions = [[str(number)] for number in self.session[order].tolist()]
        found = {"recall@10": metrics.recall_at(messages, [str(number) for number in self.evidence], 10)}
        if self.sessions:
            found["sessions@5"] = metrics.recall_at(sessions, [str(number) for number in self.sessions], 5)
        return found


def cases(folder: Path, embedder: TokenEmbedder) -> tuple[list[Case], list[Case]]:
    """The questions of all sets, and strangers: questions asked in a conversation that is not theirs."""
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
        asked += map(scope.ask, conversation.questions)
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
    return asked, strangers


def unseen(embedder: TokenEmbedder) -> list[Case]:
    """The questions of the sample conversations."""
    scopes = (Scope(conversation, embedder) for conversation in datasets.load(UNSEEN, Path()))
    return [scope.ask(question) for scope in scopes for question in scope.conversation.questions]


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
            order, _ = case.ranking(prior)
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


# --- Calibration ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Shown:
    """The ten best hits of a question and whether each is evidence."""

    case: Case
    scores: rank.Floats
    facts: rank.Facts
    ahead: float | None
    """`rank.lead_over_others`: of those whom the question names."""
    right: rank.Bools
    hits_judged: bool
    """Whether the key says so hit by hit; else (a question with a false premise) only that the answer is in none."""


def shown(chosen: Iterable[Case], weights: Mapping[str, float]) -> Iterator[Shown]:
    """The hits of those questions whose key can judge them: answerable with evidence, or known to have no answer."""
    for case in chosen:
        nothing = not case.evidence and not case.sessions
        unanswerable = not case.question.answerable
        if not case.judged and not nothing and not unanswerable:
            continue
        order, scores = case.ranking(weights)
        facts = rank.facts(case.words, case.sense, scores, case.allowed)
        if facts is None:
            continue
        hits = order[:_HITS]
        right = np.isin(case.message[hits], () if unanswerable else case.evidence)
        content = scores - np.float32(rank.shares(case.features, weights)["speaker"]) * case.features["speaker"]
        ahead = rank.lead_over_others(content, case.named, case.allowed)
        yield Shown(case, scores[hits], facts, ahead, right, nothing or not unanswerable)


def fit_calibration(hits: Sequence[Shown]) -> rank.Calibration:
    """Maximum likelihood; each set counts the same, and the strangers as much as a set."""
    hits = [found for found in hits if found.hits_judged]
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

    free = -np.inf
    lower = np.array([free, 0.0, 0.0, free, 0.0, 0.0])
    numbers = minimise(loss, np.array([-1.0, 3.0, 1.0, 0.0, 1.0, 1.0]), above(lower))
    return rank.Calibration(*(float(number) for number in numbers))


def fit_confidence(hits: Sequence[Shown], calibration: rank.Calibration) -> rank.Confidence:
    """Maximum likelihood over all questions, unanswerable ones among them; each set counts the same."""
    odds = np.array([_logit(_any(rank.relevance(f.scores, f.facts, calibration))) for f in hits])
    right = np.array([bool(f.right.any()) for f in hits], dtype=np.float64)
    count: dict[str, int] = defaultdict(int)
    for found in hits:
        count[_set(found)] += 1
    weight = np.array([1.0 / count[_set(f)] for f in hits])
    weight /= weight.sum()
    rows = np.stack([np.ones(len(odds)), odds], axis=1)
    named = np.array([f.ahead is not None for f in hits])
    persons = np.array([(1.0, f.ahead or 0.0) for f in hits])

    def loss(numbers: Array) -> tuple[float, Array]:
        a, b = _sigmoid(rows @ numbers[:2]), np.where(named, _sigmoid(persons @ numbers[2:]), 1.0)
        p = np.clip(a * b, 1e-9, 1.0 - 1e-9)
        value = -float(weight @ (right * np.log(p) + (1.0 - right) * np.log1p(-p))) + 1e-5 * float(numbers @ numbers)
        slope = weight * (p - right) / (p * (1.0 - p))
        gradient = np.concatenate(
            [rows.T @ (slope * p * (1.0 - a)), persons.T @ (slope * p * np.where(named, 1.0 - b, 0.0))]
        )
        return value, gradient + 2e-5 * numbers

    free = -np.inf
    lower = np.array([free, 0.0, free, 0.0])
    return rank.Confidence(*minimise(loss, np.array([0.0, 1.0, 1.0, 1.0]), above(lower)).tolist())


def _group(found: Shown) -> str:
    """What counts as one set: MuSiQue's questions over 20 paragraphs and over all are of one kind."""
    return found.case.dataset.removesuffix("-pool") if found.case.judged else "nothing"


def _set(found: Shown) -> str:
    """The set that a question is of, also where nothing answers it; "nothing" for one of another conversation."""
    return found.case.dataset.removesuffix("-pool") if not found.case.question.answerable else _group(found)


def _any(relevances: Array) -> float:
    return float(-np.expm1(np.log1p(-np.clip(relevances, 0.0, 1.0 - 1e-9)).sum()))


def _logit(p: float) -> float:
    return float(np.log(max(p, 1e-12)) - np.log1p(-min(p, 1.0 - 1e-12)))


def _sigmoid(values: Any) -> Any:
    return 0.5 * (1.0 + np.tanh(0.5 * values))


# --- The report -------------------------------------------------------------------------------------------------------


def figures(chosen: Iterable[Case], weights_of: Callable[[Case], Mapping[str, float]]) -> dict[str, dict[str, float]]:
    """Means over the questions of each set; LoCoMo's adversarial questions apart, and with the printed key too."""
    found: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for case in chosen:
        name = case.dataset
        if name == "locomo" and not case.question.answerable:
            name = "locomo-adversarial"
        elif not case.question.answerable:
            continue
        for figure, value in case.figures(weights_of(case)).items():
            found[name][figure].append(value)
    return {
        name: {figure: float(np.nanmean(values)) for figure, values in by_figure.items() if not np.isnan(values).all()}
        for name, by_figure in found.items()
    }


def calibrated(hits: Sequence[Shown], calibration_of: Callable[[str], rank.Calibration]) -> dict[str, dict[str, float]]:
    """Expected calibration error of all hits and of the first hits, and the mean promise and truth of the first."""
    found: dict[str, list[tuple[Array, rank.Bools]]] = defaultdict(list)
    for hit in hits:
        if not hit.hits_judged:
            continue
        p = rank.relevance(hit.scores, hit.facts, calibration_of(_group(hit)))
        found[_group(hit)].append((p, hit.right))
    report: dict[str, dict[str, float]] = {}
    for name, pairs in found.items():
        promised, kept = np.concatenate([p for p, _ in pairs]), np.concatenate([y for _, y in pairs])
        first, true = [float(p[0]) for p, _ in pairs], [bool(y[0]) for _, y in pairs]
        report[name] = {
            "ece": metrics.expected_calibration_error(metrics.calibration(promised.tolist(), kept.tolist())),
            "ece first": metrics.expected_calibration_error(metrics.calibration(first, true)),
            "promised first": float(np.mean(first)),
            "kept first": float(np.mean(true)),
            "p90 first": float(np.quantile(first, 0.9)),
        }
    return report


def confident(
    hits: Sequence[Shown],
    calibration_of: Callable[[str], rank.Calibration],
    confidence_of: Callable[[str], rank.Confidence],
) -> dict[str, dict[str, float]]:
    """Of the confidence: its error, its skill (Brier) over the base rate, and how well it tells apart (area under the
    curve) questions with and without their evidence among the hits, and answerable from unanswerable ones."""
    found: dict[str, list[tuple[float, bool, bool]]] = defaultdict(list)
    for hit in hits:
        group = _set(hit)
        relevances = rank.relevance(hit.scores, hit.facts, calibration_of(group))
        p = rank.confidence(relevances, hit.ahead, confidence_of(group))
        found[group].append((p, bool(hit.right.any()), hit.case.question.answerable))
    report: dict[str, dict[str, float]] = {}
    for name, rows in found.items():
        promised, kept, answerable = (list(column) for column in zip(*rows, strict=True))
        base = float(np.mean(kept))
        brier = float(np.mean((np.array(promised) - np.array(kept, dtype=np.float64)) ** 2))
        report[name] = {
            "ece": metrics.expected_calibration_error(metrics.calibration(promised, kept)),
            "skill": 1.0 - brier / max(base * (1.0 - base), 1e-9),
            "auc found": metrics.area_under_curve(promised, kept),
            "auc answerable": metrics.area_under_curve(promised, answerable),
        }
    return report


def fit(
    asked: Sequence[Case], strangers: Sequence[Case], fresh: Sequence[Case], prior: Mapping[str, float]
) -> dict[str, Any]:
    """The numbers for one set of channels; prints what they are worth, on `fresh` questions last."""
    names = list(dict.fromkeys(case.dataset for case in asked))
    weights = fit_weights(asked, prior)
    print("  weights  ", _row(weights))
    _print("prior", figures(asked, lambda _: prior))
    left_out = {name: fit_weights([c for c in asked if c.dataset != name], prior) for name in names}
    _print("transfer", figures(asked, lambda case: left_out[case.dataset]))
    locomo = [case for case in asked if case.dataset == "locomo"]
    by_conversation = {
        id: fit_weights([c for c in asked if c.conversation != id], prior)
        for id in dict.fromkeys(case.conversation for case in locomo)
    }
    _print("bound", figures(locomo, lambda case: by_conversation[case.conversation]))
    hits = list(shown([*asked, *strangers], weights))
    calibration = fit_calibration(hits)
    others = {
        group: fit_calibration([h for h in hits if _group(h) != group])
        for group in dict.fromkeys(_group(h) for h in hits if h.case.judged)
    }
    others["nothing"] = calibration
    _print("calibration, set left out", calibrated(hits, others.__getitem__))
    _print("calibration, fitted", calibrated(hits, lambda _: calibration))
    confidence = fit_confidence(hits, calibration)
    print("  confidence", _row(asdict(confidence)))
    without = {group: fit_confidence([h for h in hits if _group(h) != group], others[group]) for group in others}
    _print("confidence, set left out", confident(hits, others.__getitem__, without.__getitem__))
    _print("confidence, fitted", confident(hits, lambda _: calibration, lambda _: confidence))
    _print("unseen", figures(fresh, lambda _: weights))
    _print("unseen, calibration", calibrated(list(shown(fresh, weights)), lambda _: calibration))
    return {
        "weights": _rounded(weights),
        "hit": {name: round(getattr(calibration, name), 3) for name in rank.Calibration.__dataclass_fields__},
        "confidence": _rounded(asdict(confidence)),
    }


def _rounded(values: Mapping[str, float]) -> dict[str, float]:
    return {name: round(value, 3) for name, value in values.items()}


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
    asked, strangers = cases(arguments.data, embedder)
    fresh = unseen(embedder)
    print("words and vectors")
    both = fit(asked, strangers, fresh, PRIOR)
    print("words")
    alone = fit(*([case.without_vectors() for case in part] for part in (asked, strangers, fresh)), prior=WORDS_PRIOR)
    numbers = {
        "fitted": {
            "date": arguments.date,
            "sets": list(dict.fromkeys(case.dataset for case in asked)),
            "questions": len(asked),
            "shrinkage": SHRINKAGE,
        },
        "words and vectors": both,
        "words": alone,
    }
    if arguments.write is not None:
        arguments.write.write_text(json.dumps(numbers, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
