"""Asking a language model what episodes say: prompts from what is known, answers kept, statements out of them.

    due episodes -> answers kept from before | segments -> prompts -> answers, kept as they come -> statements

A prompt shows the turns of a segment and what was known of the names in it before the call that added them; nothing of
what that call's other segments say. An answer is kept with all that it was asked about, so whoever derives again reads
it again, and asks for nothing that has not changed. It goes with an erasure of anything that it rests on.
"""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass, field, replace
from typing import Any

from mnemic import derive, faithful, names, propose, segments
from mnemic.allowance import Allowance, Ledger, Usage
from mnemic.asking import PARALLEL, Outcome, ask_all, key_of
from mnemic.changes import Values, Wall
from mnemic.lookup import latest_of
from mnemic.models.wrap import name_of
from mnemic.ports import ChatModel
from mnemic.propose import Known
from mnemic.segments import Segment
from mnemic.statements import USER, Statement, Turn, relation
from mnemic.stores.sqlite import Fields, Snapshot, Transaction
from mnemic.timeline import arranged
from mnemic.times import micros, moment
from mnemic.views import subject_key

KNOWN = 12
"""Facts that a prompt shows …"""
LOOKED_AT = 200
"""… out of so many about each name, the latest."""
TRIES = 3
"""Times that a segment is asked about whose answers are read in part only, each time anew."""
KEPT_AT_ONCE = 8
"""Answers that are kept in one transaction: as many may be asked for again after a crash."""

Reading = Callable[[], AbstractContextManager[Snapshot]]
"""Opens a snapshot."""
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Asks:
    """How a model is asked."""

    model: ChatModel
    allowance: Allowance = field(default_factory=Allowance)
    parallel: int = PARALLEL

    @property
    def name(self) -> str:
        """What the `derivation` of a record says."""
        return propose.RECIPE

    @property
    def model_name(self) -> str:
        """What answers are kept under."""
        return name_of(self.model) or "model"


@dataclass(frozen=True, slots=True)
class Question:
    """A segment, and what was known before it."""

    segment: Segment
    known: tuple[Known, ...] = ()
    names: Mapping[str, Sequence[str]] = field(default_factory=dict[str, Sequence[str]])

    @property
    def prompt(self) -> list[dict[str, str]]:
        """The messages that ask it."""
        return propose.prompt_for(self.segment.turns, before=self.segment.before, names=self.names, known=self.known)

    @property
    def evidence(self) -> Iterator[str]:
        """The ids of all that it shows."""
        yield from (turn.id for turn in self.segment.turns)
        yield from (one.id for one in self.known)


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer to be kept, and what it cost; without a text what was spent in vain."""

    question: Question
    outcome: Outcome


# --- What was answered before -----------------------------------------------------------------------------------------


Read = dict[str, list[Statement]]
"""What episodes say, by their ids."""
Calls = dict[str, Sequence[names.Call]]
"""What they call whom."""


def answered(snapshot: Snapshot, wall: int, due: derive.Due, asks: Asks, recipe: derive.Recipe) -> tuple[Read, Calls]:
    """What kept answers say of those of the due episodes that they read, each segment being as it was."""
    rows = snapshot.rows("answers_about", wall=wall, ids=json.dumps(list(due.rows)))
    asked = [(row, json.loads(row["asked"])) for row in rows if row["model"] == asks.model_name]
    asked = [(row, what) for row, what in asked if what["recipe"] == asks.name]
    latest = latest_of(snapshot, sorted({id_ for _, what in asked for id_ in what["turns"]}))
    found: Read = {}
    calls: Calls = {}
    for row, what in asked:
        if what["flaws"] in range(1, TRIES):
            continue
        ids = what["turns"]
        own = ids[what["before"] :]
        if any(id_ in found for id_ in own) or not all(derive.is_current(latest[id_]) for id_ in own):
            continue
        segment = Segment(tuple(derive.turn_of(latest[id_]) for id_ in ids), what["before"])
        question = Question(segment, tuple(map(_known_in, what["known"])), what["names"])
        said = read(question, row["text"])[0]
        found |= {id_: said.get(id_, []) for id_ in own}
        calls |= _calls(question.segment, said, recipe)
    return {id_: statements for id_, statements in found.items() if id_ in due.rows}, calls


def _calls(segment: Segment, said: Read, recipe: derive.Recipe) -> Calls:
    every = [one for turn in segment.own for one in said.get(turn.id, ())]
    return derive.calls_in(segment, said, recipe.names(segment.turns, segment.before, every))


def keep(tx: Transaction, wall: Wall, kept: Sequence[Kept], asks: Asks, at: int) -> None:
    """Keep answers, and count what they have cost."""
    for one in kept:
        text, key = one.outcome.text, one.outcome.key
        if text is None or one.outcome.kept:
            continue
        before = tx.row("answer", wall=wall.number, key=key)
        flaws = 0 if before is None else int(json.loads(before["asked"])["flaws"])
        flaws = flaws + 1 if propose.flawed(text) else 0
        keep_answer(
            tx, wall, asks, key, text, {**_asked(one.question, asks), "flaws": flaws}, one.question.evidence, at
        )
    count(tx, wall, (one.outcome.usage for one in kept), at)


def keep_answer(
    tx: Transaction,
    wall: Wall,
    asks: Asks,
    key: str,
    text: str,
    asked: Mapping[str, Any],
    evidence: Iterable[str],
    at: int,
) -> None:
    """Keep an answer, with what was asked and the ids of all that it rests on; not where some of that was erased while
    the model was thinking."""
    rests = dict.fromkeys(evidence)
    if any(row["erased_by"] is not None for row in latest_of(tx, list(rests)).values()):
        return
    plain = json.dumps(asked, ensure_ascii=False)
    tx.run("add_answer", wall=wall.number, key=key, model=asks.model_name, asked=plain, text=text, at=at)
    tx.run_many("add_answer_evidence", ({"id": id_, "wall": wall.number, "key": key} for id_ in rests))


def count(tx: Transaction, wall: Wall, usages: Iterable[Usage], at: int) -> None:
    """Count what a wall's answers have cost."""
    spent = sum(usages, Usage())
    if spent.calls:
        tx.run(
            "add_spending",
            day=moment(at).date().isoformat(),
            tenant=wall.tenant,
            user=wall.user,
            calls=spent.calls,
            tokens_in=spent.tokens_in,
            tokens_out=spent.tokens_out,
            money=spent.money,
        )


def _asked(question: Question, asks: Asks) -> dict[str, Any]:
    return {
        "recipe": asks.name,
        "turns": [turn.id for turn in question.segment.turns],
        "before": question.segment.before,
        "known": [
            {
                "id": one.id,
                "text": one.text,
                "since": None if one.since is None else micros(one.since),
                "source": one.source,
                "subject": one.subject,
                "relation": one.relation,
                "value": one.value,
            }
            for one in question.known
        ],
        "names": {name: list(others) for name, others in question.names.items()},
    }


def _known_in(plain: Mapping[str, Any]) -> Known:
    fields = dict(plain)
    since = fields.pop("since")
    return Known(since=None if since is None else moment(since), **fields)


def payer_of(wall: Wall) -> str:
    """Whose limit counts for what is asked about a wall."""
    return json.dumps([wall.tenant, wall.user])


def ledger_of(snapshot: Snapshot, wall: Wall, call: Usage, at: int) -> Ledger:
    """What has been spent so far: in this call, by the wall's user and by all, on the day of `at`."""
    day = moment(at).date()
    user = everybody = Usage()
    for row in snapshot.rows("spent", day=day.isoformat(), tenant=wall.tenant, user=wall.user):
        spent = Usage(row["calls"], row["tokens_in"], row["tokens_out"], 0.0, row["money"])
        everybody += spent
        user = spent if row["own"] else user
    return Ledger(day, call, user, everybody)


# --- What is known ----------------------------------------------------------------------------------------------------


def questions(snapshot: Snapshot, wall: Wall, due: derive.Due, read: Iterable[str]) -> list[Question]:
    """What is to be asked: the due episodes that are not `read` yet, in segments, with what is known of their names."""
    done = set(read)
    stretches = (part for whole in due.segments for part in _unread(whole, done))
    pieces = [piece for stretch in stretches for piece in segments.cut(stretch)]
    names = {name for piece in pieces for name in _names_in(piece)}
    known = _Known(snapshot, wall.number, names)
    found: list[Question] = []
    begun: dict[str, int] = {}
    for piece in pieces:
        rows = [due.rows[turn.id] for turn in piece.own]
        first = min(_first_of(snapshot, wall.tenant, row, begun) for row in rows)
        facts = known.about(piece, first)
        others = {fact.subject: known.aliases[fact.subject] for fact in facts if known.aliases.get(fact.subject)}
        found.append(Question(piece, tuple(facts), others))
    return found


def _unread(whole: Segment, done: set[str]) -> Iterator[Segment]:
    """A stretch of talk without what has been read of it already, which stays at the side of what follows."""
    first: int | None = None
    for at in range(whole.before, len(whole.turns) + 1):
        if at < len(whole.turns) and whole.turns[at].id not in done:
            first = at if first is None else first
        elif first is not None:
            yield Segment(whole.turns[:at], first)
            first = None


def _first_of(snapshot: Snapshot, tenant: str, row: Fields, begun: dict[str, int]) -> int:
    """The number of the first document of the call that added an episode."""
    receipt = row["opened_by"]
    if receipt not in begun:
        entry = snapshot.row("receipt", id=receipt)
        steps = (
            ()
            if entry is None
            else snapshot.rows("journal_of_receipt", tenant=tenant, first=entry["first_seq"], last=entry["first_seq"])
        )
        begun[receipt] = min((step["num"] for step in steps if step["num"] is not None), default=row["num"])
    return min(begun[receipt], row["num"])


_NAME = re.compile(r"\b[^\W\d_][\w’'-]*(?:\s+[^\W\d_a-z][\w’'-]*)?")


def _names_in(segment: Segment) -> set[str]:
    """What may be a subject: who speaks, and what is written like a name."""
    found = {USER}
    for turn in segment.turns:
        found.add(turn.by)
        for match in _NAME.finditer(turn.text):
            words = match[0].split()
            found.update(word.removesuffix("'s").removesuffix("’s") for word in words if not word[0].islower())
            if len(words) == 2 and not words[0][0].islower():
                found.add(match[0])
    return found


class _Known:
    """What is derived about some names."""

    def __init__(self, snapshot: Snapshot, wall: int, names: Iterable[str]) -> None:
        found = [
            row
            for name in sorted({subject_key(name) for name in names})
            for row in snapshot.rows("facts_about", wall=wall, subject=name, most=LOOKED_AT)
        ]
        rows = [row for row in found if row["derivation"] is not None and row["fingerprint"] is not None]
        self._by_subject: dict[str, list[str]] = {}
        for row in rows:
            self._by_subject.setdefault(subject_key(row["subject"] or ""), []).append(row["fingerprint"])
        slots: dict[str, dict[str, Values]] = {}
        for id_, row in derive.records_of(snapshot, wall, sorted({row["fingerprint"] for row in rows})).items():
            slots.setdefault(row["fingerprint"], {})[id_] = row
        links = derive.links_of(snapshot, [id_ for held in slots.values() for id_ in held])
        episodes = latest_of(snapshot, sorted({link["target_id"] for some in links.values() for link in some}))
        self._claims = {
            slot: [
                derive.claim_in(link, episodes[link["target_id"]])
                for id_ in held
                for link in links.get(id_, ())
                if link["data"] is not None and derive.is_current(episodes[link["target_id"]])
            ]
            for slot, held in slots.items()
        }
        self.aliases: dict[str, list[str]] = {}
        for held in slots.values():
            for row in held.values():
                more: list[str] = json.loads(row["aliases"]) if row["aliases"] else []
                known = self.aliases.setdefault(row["subject"], [])
                known += [alias for alias in more if alias not in known]

    def about(self, segment: Segment, first: int) -> list[Known]:
        """What was known of the names in a segment before the document number `first`: the nearest to its words."""
        found: dict[str, tuple[tuple[int, int, int], Known]] = {}
        said = Turn("", "\n".join(turn.text for turn in segment.turns), segment.turns[0].time)
        for name in _names_in(segment):
            for slot in self._by_subject.get(subject_key(name), ()):
                claims = [claim for claim in self._claims[slot] if claim.order < first]
                for period in arranged(claims, single=_is_single(claims), fixed=_is_fixed(claims)):
                    if period.ends is not None or period.aside or not period.holds:
                        continue
                    content = period.first.content
                    near = faithful.shared(content["text"], content["value"], said)
                    order = (near, int(_is_single(claims)), period.first.order)
                    found[derive.id_of(period)] = (
                        order,
                        Known(
                            derive.id_of(period),
                            content["text"],
                            moment(period.begins),
                            period.source,
                            content["subject"],
                            content["relation"],
                            content["value"],
                        ),
                    )
        best = sorted(found.values(), key=lambda one: one[0], reverse=True)[:KNOWN]
        return [known for _, known in sorted(best, key=lambda one: one[0][2])]


def _is_single(claims: Sequence[Any]) -> bool:
    return any(relation(claim.content["relation"].partition(":")[0]).single for claim in claims)


def _is_fixed(claims: Sequence[Any]) -> bool:
    return any(relation(claim.content["relation"].partition(":")[0]).fixed for claim in claims)


# --- Asking -----------------------------------------------------------------------------------------------------------


def told_at_once(snapshot: Snapshot, wall: int, due: derive.Due, asks: Asks, recipe: derive.Recipe) -> derive.Told:
    """What can be said of episodes without asking anybody: what was answered before; else what `recipe` reads.

    The latter stay due: the model's reading will take its place.
    """
    found, calls = answered(snapshot, wall, due, asks, recipe)
    quick = derive.said_by(due.segments, recipe)
    waiting = due.rows.keys() - found.keys()
    statements = {id_: quick.statements[id_] for id_ in waiting & quick.statements.keys()}
    return derive.Told(
        {**statements, **found},
        {id_: why for id_, why in quick.failed.items() if id_ in waiting},
        frozenset(waiting),
        dict.fromkeys(found, asks.name),
        calls={**quick.calls, **calls},
    )


Work = tuple[Wall, derive.Due]
"""What is due in a wall."""


def told(
    reading: Reading,
    works: Sequence[Work],
    asks: Asks,
    recipe: derive.Recipe,
    *,
    at: int,
    call: Usage,
    keeps: Callable[[Wall, Sequence[Kept]], None],
    until: float | None = None,
    progress: Progress | None = None,
) -> list[derive.Told]:
    """What a model says of the due episodes of each of some walls. Answers go to `keeps`, some at a time, as they come.

    `call` is what this call of the memory has spent so far. After `until` (as `time.perf_counter` counts) nothing more
    is asked; what is not answered then stays due.
    """
    consultations: list[_Consultation] = []
    asked: list[tuple[_Consultation, Question]] = []
    paid: dict[str, Usage] = {}
    ledger: Ledger | None = None
    with reading() as snapshot:
        for wall, due in works:
            one = _Consultation(wall, due, asks, recipe, *answered(snapshot, wall.number, due, asks, recipe))
            consultations.append(one)
            asked += [(one, question) for question in questions(snapshot, wall, due, one.statements)]
            ledger = ledger_of(snapshot, wall, call, at)
            paid[one.payer] = ledger.user
    many, of = sum(len(one.statements) for one in consultations), sum(len(due.rows) for _, due in works)

    def take(index: int, outcome: Outcome) -> None:
        nonlocal many
        one, question = asked[index]
        one.take(question, outcome)
        many += len(question.segment.own)

    def cached(key: str) -> str | None:
        with reading() as snapshot:
            row = snapshot.row("answer", wall=wall_of[key], key=key)
        if row is None or json.loads(row["asked"])["flaws"] in range(1, TRIES):
            return None
        return row["text"]

    wall_of: dict[str, int] = {}

    def prompts() -> Iterator[list[dict[str, str]]]:
        for one, question in asked:
            prompt = question.prompt
            key = key_of(prompt, asks.model_name, max_tokens=propose.MAX_TOKENS, temperature=0.0)
            wall_of[key] = one.wall.number
            yield prompt

    outcomes = ask_all(
        asks.model,
        prompts(),
        unreadable=propose.unreadable,
        flawed=propose.flawed,
        parallel=asks.parallel,
        allowance=asks.allowance,
        ledger=ledger,
        cached=cached,
        late=take,
        payer=lambda index: asked[index][0].payer,
        paid=paid,
        max_tokens=propose.MAX_TOKENS,
    )
    try:
        with closing(outcomes):
            for index, outcome in outcomes:
                take(index, outcome)
                if sum(len(one.kept) for one in consultations) >= KEPT_AT_ONCE:
                    _hand_over(consultations, keeps)
                if progress is not None:
                    progress(many, of)
                if until is not None and time.perf_counter() >= until:
                    break
    finally:
        _hand_over(consultations, keeps)
    for one, question in asked:
        one.leave(question)
    return [one.told() for one in consultations]


@dataclass
class _Consultation:
    """What a model says of one wall's episodes, as it comes."""

    wall: Wall
    due: derive.Due
    asks: Asks
    recipe: derive.Recipe
    statements: Read
    calls: Calls
    failed: dict[str, str] = field(default_factory=dict[str, str])
    in_part: set[str] = field(default_factory=set[str])
    refused: Counter[str] = field(default_factory=Counter[str])
    kept: list[Kept] = field(default_factory=list[Kept])
    usage: Usage = field(default_factory=Usage)

    @property
    def payer(self) -> str:
        """Whose limit counts."""
        return payer_of(self.wall)

    def take(self, question: Question, outcome: Outcome) -> None:
        """An answer, or why there is none."""
        self.usage += outcome.usage
        self.kept.append(Kept(question, outcome))
        own = [turn.id for turn in question.segment.own]
        if outcome.text is None:
            self.failed.update(dict.fromkeys(own, outcome.deferred or ""))
            return
        if not outcome.kept and propose.flawed(outcome.text):
            self.in_part.update(own)
        said, reasons = read(question, outcome.text)
        self.statements.update({id_: said.get(id_, []) for id_ in own})
        self.calls |= _calls(question.segment, said, self.recipe)
        self.refused.update(reasons)

    def leave(self, question: Question) -> None:
        """What could not be asked in time stays due."""
        for turn in question.segment.own:
            if turn.id not in self.statements:
                self.failed.setdefault(turn.id, "there was no time to ask")

    def told(self) -> derive.Told:
        """All of it. What is no episode any more says nothing."""
        by = dict.fromkeys(self.statements, self.asks.name)
        notes = _notes(self.refused, self.in_part)
        return derive.Told(self.statements, self.failed, self.in_part, by, self.usage, notes, self.calls)


def _hand_over(consultations: Iterable[_Consultation], keeps: Callable[[Wall, Sequence[Kept]], None]) -> None:
    for one in consultations:
        if one.kept:
            keeps(one.wall, one.kept)
            one.kept.clear()


def read(question: Question, text: str) -> tuple[Read, list[str]]:
    """What an answer says, by the episode that says it, and the reasons why some of it is not believed."""
    segment = question.segment
    found = propose.read_answer(text, segment.turns, question.known, question.names)
    own = {turn.id for turn in segment.own}
    known = {one.id: one for one in question.known}
    said: Read = {}
    reasons = [reason for one in found.refused for reason in one.reasons[:1]]
    for one in found.proposed:
        spans = one.statement.evidence
        first = next((at for at, span in enumerate(spans) if span.turn in own), None)
        if first is None:
            reasons.append("it is what earlier turns say")
            continue
        turn = next(turn for turn in segment.own if turn.id == spans[first].turn)
        evidence = (spans[first], *spans[:first], *spans[first + 1 :])
        statement = replace(one.statement, evidence=evidence, said=turn.time)
        said.setdefault(turn.id, []).append(names.told_apart(statement))
        old = known.get(one.updates or "")
        ended = None if old is None else _ended(old, statement)
        if ended is not None:
            said[turn.id].append(ended)
    return said, reasons


def _ended(old: Known, by: Statement) -> Statement | None:
    """That a known fact is so no longer, as what updates it says; None where the slot of both tells it anyway."""
    was = replace(by, subject=old.subject, relation=old.relation, value=old.value)
    if was.slot == by.slot:
        return None
    known = relation(old.relation.partition(":")[0])
    denial = propose.sentence(old.subject, old.relation, old.value, holds=False) if known.denies != known.says else ""
    return replace(
        was,
        kind=known.kind,
        text=denial or f"No longer: {old.text}",
        holds=False,
        valid_from=None,
        valid_to=by.valid_from,
        aliases=(),
        data={},
    )


def _notes(refused: Counter[str], in_part: set[str]) -> tuple[str, ...]:
    notes: list[str] = []
    if in_part:
        whose = "1 message" if len(in_part) == 1 else f"{len(in_part)} messages"
        notes.append(f"a part of what the model answered about {whose} is lost: it is asked again")
    if refused:
        why, _ = refused.most_common(1)[0]
        notes.append(f"refused of what the model proposed: {sum(refused.values())}, most often as {why}")
    return tuple(notes)
