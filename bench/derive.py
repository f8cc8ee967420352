"""What the rules derive, beside what a careful reader does: statements, times, and traps.

    python -m bench derive [--data DIR]

* *statements*: turns of the sets in which every statement is labelled (`bench/labels/statements.jsonl`). The clear ones
  are `core`; a derived statement that meets only an arguable one counts neither for nor against the precision.
* *drawn*: statements that the rules derived, drawn by chance from the rest of the sets and judged one by one
  (`bench/labels/drawn.jsonl`): how many were right when they were drawn, and what has become of them.
* *times*: places in the sets that tell a time, or look like it (`bench/labels/times.jsonl`), beside `mnemic.dates`.
* *traps*: invented talk from which something must not be derived, and often something must (`tests/traps.jsonl`).

The labels hold places, no words: the sets may not be copied. Reports name what is false by id and place.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any, cast

from bench import datasets
from bench.datasets import Message
from mnemic import dates
from mnemic.statements import USER, Span, Statement, Turn, folded

HERE = Path(__file__).resolve().parent
STATEMENTS = HERE / "labels" / "statements.jsonl"
TIMES = HERE / "labels" / "times.jsonl"
DRAWN = HERE / "labels" / "drawn.jsonl"
TRAPS = HERE.parent / "tests" / "traps.jsonl"
SETS = ("locomo", "longmemeval", "beam")
BEFORE = 6
"""Turns of the same session that are given with a labelled one, so that "she" and "it" can be understood."""

Derive = Callable[[Sequence[Turn]], Sequence[Statement]]
Key = tuple[str, str, str]
"""Set, conversation and message."""


class MissingRulesError(LookupError):
    """There is nothing yet that derives."""


def rules() -> Derive:
    """`mnemic.rules.statements`."""
    try:
        module = import_module("mnemic.rules")
    except ModuleNotFoundError as error:
        if error.name != "mnemic.rules":
            raise
        raise MissingRulesError("there is no module mnemic.rules, so no statements are derived") from None
    return cast(Derive, module.statements)


# --- Figures ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many."""

    hits: int
    of: int

    @property
    def value(self) -> float:
        return self.hits / self.of if self.of else math.nan

    @property
    def interval(self) -> tuple[float, float]:
        """95 %: Wilson, Probable Inference, the Law of Succession, and Statistical Inference, JASA 1927."""
        if not self.of:
            return 0.0, 1.0
        z = 1.959964
        center = self.hits + z * z / 2
        spread = z * math.sqrt(self.hits * (self.of - self.hits) / self.of + z * z / 4)
        low, high = (center - spread) / (self.of + z * z), (center + spread) / (self.of + z * z)
        return max(low, 0.0), min(high, 1.0)

    def __str__(self) -> str:
        if not self.of:
            return "–"
        low, high = self.interval
        return f"{self.value:.3f} [{low:.3f}, {high:.3f}] ({self.hits} of {self.of})"


# --- Labels -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Label:
    """One statement that a reader derives. Places are characters of the message."""

    core: bool
    relations: tuple[str, ...]
    """The best one first, then others that say the same."""
    subject: str | tuple[int, int]
    """`user`, `speaker` or a place."""
    value: tuple[int, int]
    holds: bool
    valid_from: str | None
    valid_to: str | None
    precision: str | None


@dataclass(frozen=True, slots=True)
class LabelledTurn:
    """A message, and all that is to be derived from it."""

    key: Key
    labels: tuple[Label, ...]
    mixed: bool = True
    """Drawn among all turns, more of those that speak of oneself; else for words of rare relations."""


@dataclass(frozen=True, slots=True)
class TimeLabel:
    """A place that tells the time [first, last); without these it looks like one that does."""

    key: Key
    place: tuple[int, int]
    first: str | None
    last: str | None
    about: bool
    """Whether its ends are vague, so that any overlap is right."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """A derived statement that was drawn by chance and judged: its relation without the noun, and its value's place."""

    key: Key
    draw: int
    relation: str
    value: tuple[int, int]
    right: bool


def drawn_statements(path: Path = DRAWN) -> tuple[Drawn, ...]:
    return tuple(
        Drawn(_key(row), row["draw"], row["relation"], (row["value"][0], row["value"][1]), row["right"])
        for row in _rows(path)
    )


def labelled_turns(path: Path = STATEMENTS) -> tuple[LabelledTurn, ...]:
    return tuple(
        LabelledTurn(_key(row), tuple(map(_label, row["statements"])), row["draw"] == "mixed") for row in _rows(path)
    )


def labelled_times(path: Path = TIMES) -> tuple[TimeLabel, ...]:
    return tuple(
        TimeLabel(_key(row), (row["start"], row["stop"]), row["first"], row["last"], row.get("about", False))
        for row in _rows(path)
    )


def _label(row: Mapping[str, Any]) -> Label:
    subject = row["subject"]
    return Label(
        core=row["core"],
        relations=(row["relation"], *row["or"]),
        subject=subject if isinstance(subject, str) else (subject[0], subject[1]),
        value=(row["value"][0], row["value"][1]),
        holds=row["holds"],
        valid_from=row["valid_from"],
        valid_to=row["valid_to"],
        precision=row["precision"],
    )


def _key(row: Mapping[str, Any]) -> Key:
    return row["set"], row["conversation"], row["message"]


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def contexts(folder: Path, keys: Iterable[Key]) -> dict[Key, tuple[Turn, ...]]:
    """The turn of each key, last, after the turns of its session right before it; none of a set that is not there."""
    wanted = set(keys)
    found: dict[Key, tuple[Turn, ...]] = {}
    for name in sorted({key[0] for key in wanted}):
        try:
            conversations = datasets.load(name, folder)
        except datasets.MissingDataError:
            continue
        for conversation in conversations:
            for place, message in enumerate(conversation.messages):
                key = (name, conversation.id, message.id)
                if key in wanted:
                    before = conversation.messages[max(0, place - BEFORE) : place + 1]
                    found[key] = tuple(map(turn, (m for m in before if m.session_id == message.session_id)))
    return found


def turn(message: Message) -> Turn:
    time = datetime.min.replace(tzinfo=UTC) if message.time is None else datetime.fromisoformat(message.time)
    source = message.role if message.role in ("assistant", "tool", "document") else "user"
    return Turn(message.id, message.content, time, message.role, message.name, message.session_id, source)


# --- Statements -------------------------------------------------------------------------------------------------------


def overlap(one: tuple[int, int], other: tuple[int, int]) -> bool:
    """Whether two places share at least half of the shorter one."""
    shared = min(one[1], other[1]) - max(one[0], other[0])
    shorter = min(one[1] - one[0], other[1] - other[0])
    return shorter > 0 and 2 * shared >= shorter


def located(statement: Statement, turn: Turn) -> tuple[int, int] | None:
    """Where a statement's value stands in its turn: word for word within its evidence, or anywhere; else, since a time
    in it may have been resolved, from its first word to its last one there. None where none of its words is there."""
    text, value = turn.text.lower(), " ".join(statement.value.lower().split())
    if len(text) != len(turn.text) or not value:  # "İ" in lower case is two characters
        return None
    start, stop = next(((s.start, s.stop) for s in statement.evidence if s.turn == turn.id), (0, len(text)))
    pattern = r"\s+".join(map(re.escape, value.split()))
    for begin, end in ((start, stop), (0, len(text))):
        if match := re.compile(pattern).search(text, begin, end):
            return match.span()
    words = set(re.findall(r"\w{3,}", value))
    places = [match.span() for match in re.finditer(r"\w{3,}", text[start:stop]) if match[0] in words]
    return (start + places[0][0], start + places[-1][1]) if places else None


def sense(relation: str, holds: bool) -> tuple[str, bool]:
    """The relation without its noun, and whether it holds; that it never was is said as that it was not."""
    name = relation.partition(":")[0]
    return ("did", not holds) if name == "never" else (name, holds)


def meets(statement: Statement, place: tuple[int, int] | None, label: Label) -> bool:
    """Whether a derived statement says what a label does; whom it is about is counted apart."""
    said = sense(statement.relation, statement.holds)
    return any(said == sense(name, label.holds) for name in label.relations) and (
        place is not None and overlap(place, label.value)
    )


@dataclass(frozen=True, slots=True)
class Met:
    """A derived statement and the label that it meets."""

    statement: Statement
    label: Label
    turn: Turn

    @property
    def subject_is_right(self) -> bool:
        given = folded(self.statement.subject)
        if isinstance(self.label.subject, str):
            return given in (USER, folded(self.turn.by))
        start, stop = self.label.subject
        words = set(re.findall(r"\w{3,}", folded(self.turn.text[start:stop])))
        return given not in (USER, folded(self.turn.by)) and bool(words & set(re.findall(r"\w{3,}", given)))

    @property
    def time_is_right(self) -> bool | None:
        """Whether it began when the label says; None where the label names no time."""
        if self.label.valid_from is None:
            return None
        begun = self.statement.valid_from
        return begun is not None and begun.date().isoformat() == self.label.valid_from


@dataclass(slots=True)
class Judged:
    """What became of all that was derived, and of all labels."""

    right: list[Met] = field(default_factory=list[Met])
    """Each with a core label of its own."""
    arguable: int = 0
    """Those that meet an arguable label only, or say once more what another one said."""
    false: list[tuple[Key, Statement]] = field(default_factory=list[tuple[Key, Statement]])
    missed: list[tuple[Key, Label]] = field(default_factory=list[tuple[Key, Label]])

    @property
    def precision(self) -> Share:
        return Share(len(self.right), len(self.right) + len(self.false))

    @property
    def recall(self) -> Share:
        return Share(len(self.right), len(self.right) + len(self.missed))

    def of(self, relation: str) -> tuple[Share, Share]:
        """Precision of what was derived as this relation, and recall of what is labelled as it."""
        derived = sum(_name(met.statement) == relation for met in self.right)
        false = sum(_name(statement) == relation for _, statement in self.false)
        labelled = sum(met.label.relations[0] == relation for met in self.right)
        missed = sum(label.relations[0] == relation for _, label in self.missed)
        return Share(derived, derived + false), Share(labelled, labelled + missed)


def judge(labelled: Iterable[LabelledTurn], turns: Mapping[Key, Sequence[Turn]], derive: Derive) -> Judged:
    """Derive from every labelled turn that is there, and lay it beside the labels."""
    judged = Judged()
    for one in labelled:
        if one.key in turns:
            given = turns[one.key]
            derived = [s for s in derive(given) if s.evidence and s.evidence[0].turn == given[-1].id]
            _judge(one, given[-1], derived, judged)
    return judged


def _judge(one: LabelledTurn, turn: Turn, derived: Sequence[Statement], judged: Judged) -> None:
    open_labels = [label for label in one.labels if label.core]
    for statement in derived:
        place = located(statement, turn)
        met = [label for label in one.labels if meets(statement, place, label)]
        own = next((label for label in open_labels if label in met), None)
        if own is not None:
            open_labels.remove(own)
            judged.right.append(Met(statement, own, turn))
        elif met:
            judged.arguable += 1
        else:
            judged.false.append((one.key, statement))
    judged.missed += [(one.key, label) for label in open_labels]


# --- Draws ----------------------------------------------------------------------------------------------------------


def is_derived(one: Drawn, turns: Sequence[Turn], derived: Iterable[Statement]) -> bool:
    """Whether the rules still derive what was drawn: of what is right some of the value is enough, what is wrong is
    still there only as it was."""
    places = [
        located(statement, turns[-1])
        for statement in derived
        if _name(statement) == one.relation and statement.evidence and statement.evidence[0].turn == turns[-1].id
    ]
    if one.right:
        return any(place is not None and overlap(place, one.value) for place in places)
    return one.value in places


# --- Times ------------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Timed:
    """What became of the places that tell a time, and of those that only look like it."""

    right: int = 0
    wrong: list[TimeLabel] = field(default_factory=list[TimeLabel])
    untold: list[TimeLabel] = field(default_factory=list[TimeLabel])
    quiet: int = 0
    invented: list[TimeLabel] = field(default_factory=list[TimeLabel])


def judge_times(labels: Iterable[TimeLabel], turns: Mapping[Key, Sequence[Turn]]) -> Timed:
    timed = Timed()
    for label in labels:
        if label.key not in turns:
            continue
        turn = turns[label.key][-1]
        start, stop = label.place
        found = [one for one in dates.told(turn.text, turn.time) if one.start < stop and one.end > start]
        if label.first is None:
            timed.quiet += not found
            timed.invented += [label] if found else []
        elif not found:
            timed.untold.append(label)
        elif any(is_then(one.first, one.last, label) for one in found):
            timed.right += 1
        else:
            timed.wrong.append(label)
    return timed


def is_then(first: datetime, last: datetime, label: TimeLabel) -> bool:
    """Whether [first, last) is the time of a label, or, where that one is vague, has some of it."""
    # Of a time of the day it is the day that counts: labels tell days.
    begin, end = first.date().isoformat(), ((last - timedelta.resolution).date() + timedelta(days=1)).isoformat()
    if label.first is None or label.last is None:
        return False
    if label.about:
        return begin < label.last and (end > label.first or begin == end >= label.first)
    return (begin, end) == (label.first, label.last)


# --- Traps ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Pattern:
    """What a statement may be: patterns of its subject and value, "*" for any; `holds` None for either."""

    subject: str
    relations: tuple[str, ...]
    value: str
    holds: bool | None
    unless: str | None
    """Words in the statement that make it harmless: a plan that keeps its condition."""

    def fits(self, statement: Statement) -> bool:
        whole = f"{statement.relation} {statement.value} {statement.text}"
        return (
            self._is_said(statement)
            and (self.value == "*" or re.search(self.value, statement.value, re.IGNORECASE) is not None)
            and self._is_about(statement)
            and not (self.unless and re.search(self.unless, whole, re.IGNORECASE))
        )

    def _is_said(self, statement: Statement) -> bool:
        if self.holds is None:
            return "*" in self.relations or _name(statement) in self.relations
        said = sense(statement.relation, statement.holds)
        return any(
            (name == "*" and statement.holds == self.holds) or said == sense(name, self.holds)
            for name in self.relations
        )

    def _is_about(self, statement: Statement) -> bool:
        names = [folded(name) for name in (statement.subject, *statement.aliases)]
        if self.subject == USER:
            return folded(statement.subject) == USER
        return self.subject == "*" or any(re.search(rf"\b{folded(self.subject)}\b", name) for name in names)


@dataclass(frozen=True, slots=True)
class Trap:
    """Talk that seems to say what it does not."""

    id: str
    family: str
    hard: bool
    turns: tuple[Turn, ...]
    never: tuple[Pattern, ...]
    must: tuple[Pattern, ...]


@dataclass(frozen=True, slots=True)
class Sprung:
    """What came out of a trap."""

    trap: Trap
    leaked: tuple[Statement, ...]
    lost: tuple[Pattern, ...]


def traps(path: Path = TRAPS) -> tuple[Trap, ...]:
    return tuple(
        Trap(
            id=row["id"],
            family=row["family"],
            hard=row["hard"],
            turns=tuple(_trap_turn(row["id"], number, given) for number, given in enumerate(row["turns"])),
            never=tuple(map(_pattern, row["never"])),
            must=tuple(map(_pattern, row["must"])),
        )
        for row in _rows(path)
    )


def _trap_turn(case: str, number: int, given: Mapping[str, Any]) -> Turn:
    time = datetime.fromisoformat(given["time"])
    speaker, source = given.get("speaker"), given.get("source", "user")
    return Turn(f"{case}:{number}", given["text"], time, given["role"], speaker, case, source)


def _pattern(row: Mapping[str, Any]) -> Pattern:
    return Pattern(row["subject"], tuple(row["relation"]), row["value"], row.get("holds"), row.get("unless"))


def standing(derived: Iterable[Statement], now: datetime) -> list[Statement]:
    """What holds after all of it was said: without what a later statement of the slot replaced, and what has ended. A
    denial takes away the value that it denies, and stands itself."""
    left: list[Statement] = []
    for one in sorted(derived, key=lambda statement: statement.said):
        same = [s for s in left if s.slot == one.slot and (one.holds or folded(s.value) == folded(one.value))]
        left = [s for s in left if s not in same] + [one]
    return [s for s in left if s.valid_to is None or s.valid_to > now]


def spring(trap: Trap, derive: Derive) -> Sprung:
    left = standing(derive(trap.turns), trap.turns[-1].time)
    leaked = tuple(s for s in left if any(pattern.fits(s) for pattern in trap.never))
    return Sprung(trap, leaked, tuple(p for p in trap.must if not any(p.fits(s) for s in left)))


# --- The report -------------------------------------------------------------------------------------------------------


def report(folder: Path, derive: Derive) -> Iterator[str]:
    """Markdown, line by line."""
    yield from statements_report(folder, derive)
    yield ""
    yield from drawn_report(folder, derive)
    yield ""
    yield from traps_report([spring(trap, derive) for trap in traps()])


def times_report(folder: Path) -> Iterator[str]:
    labels = labelled_times()
    timed = judge_times(labels, contexts(folder, (label.key for label in labels)))
    told = timed.right + len(timed.wrong) + len(timed.untold)
    yield "## Times"
    yield ""
    yield "| places | share |"
    yield "| --- | --- |"
    yield f"| that tell a time: right | {Share(timed.right, told)} |"
    yield f"| … of those where a time was told | {Share(timed.right, told - len(timed.untold))} |"
    yield f"| that only look like it: none told | {Share(timed.quiet, timed.quiet + len(timed.invented))} |"
    for title, found in (("wrong", timed.wrong), ("not told", timed.untold), ("invented", timed.invented)):
        if found:
            yield ""
            yield f"{title}: {', '.join(f'{_named(one.key)}@{one.place[0]}' for one in found)}"


def statements_report(folder: Path, derive: Derive) -> Iterator[str]:
    labelled = labelled_turns()
    turns = contexts(folder, (one.key for one in labelled))
    judged = judge(labelled, turns, derive)
    right = judged.right
    timed = [met.time_is_right for met in right if met.time_is_right is not None]
    yield "## Statements"
    yield ""
    yield f"{len(turns)} turns; {judged.arguable} statements that count for neither."
    yield ""
    yield "| relation | precision | recall |"
    yield "| --- | --- | --- |"
    yield f"| **all** | {judged.precision} | {judged.recall} |"
    mixed = judge((one for one in labelled if one.mixed), turns, derive)
    yield f"| **all**, turns drawn without regard to the relation | {mixed.precision} | {mixed.recall} |"
    names = {_name(met.statement) for met in right} | {met.label.relations[0] for met in right}
    names |= {_name(statement) for _, statement in judged.false} | {label.relations[0] for _, label in judged.missed}
    for name in sorted(names):
        precision, recall = judged.of(name)
        yield f"| {name} | {precision} | {recall} |"
    yield ""
    yield f"Of those right: about whom it is, {Share(sum(met.subject_is_right for met in right), len(right))}; "
    yield f"the time, where the label has one, {Share(sum(timed), len(timed))}."
    yield ""
    yield "false: " + ", ".join(f"{_named(key)} {s.relation}@{_at(s.evidence)}" for key, s in judged.false)
    yield ""
    yield "missed: " + ", ".join(f"{_named(key)} {label.relations[0]}@{label.value[0]}" for key, label in judged.missed)


def drawn_report(folder: Path, derive: Derive) -> Iterator[str]:
    drawn = drawn_statements()
    turns = contexts(folder, (one.key for one in drawn))
    there = {one: is_derived(one, turns[one.key], derive(turns[one.key])) for one in drawn if one.key in turns}
    yield "## Statements drawn"
    yield ""
    yield "| draw | right | of those still derived | of the wrong ones still derived |"
    yield "| --- | --- | --- | --- |"
    for number in sorted({one.draw for one in drawn}):
        right = [one for one in there if one.draw == number and one.right]
        wrong = [one for one in there if one.draw == number and not one.right]
        kept, left = sum(there[one] for one in right), sum(there[one] for one in wrong)
        share = Share(len(right), len(right) + len(wrong))
        yield f"| {number} | {share} | {kept} of {len(right)} | {left} of {len(wrong)} |"


def traps_report(sprung: Sequence[Sprung]) -> Iterator[str]:
    yield "## Traps"
    yield ""
    yield "| family | traps | leaked | kept what must be derived |"
    yield "| --- | --- | --- | --- |"
    groups: dict[str, list[Sprung]] = {"**all**": list(sprung)}
    groups["easy"] = [one for one in sprung if not one.trap.hard]
    groups["hard"] = [one for one in sprung if one.trap.hard]
    for one in sprung:
        groups.setdefault(one.trap.family, []).append(one)
    for name, group in groups.items():
        kept = [one for one in group if one.trap.must]
        leaked = Share(sum(bool(one.leaked) for one in group), len(group))
        yield f"| {name} | {len(group)} | {leaked} | {Share(sum(not one.lost for one in kept), len(kept))} |"
    confused = Counter((one.trap.family, _name(s)) for one in sprung for s in one.leaked)
    yield ""
    yield "| family | derived as | times |"
    yield "| --- | --- | --- |"
    for (family, relation), times in confused.most_common():
        yield f"| {family} | {relation} | {times} |"
    yield ""
    for one in sprung:
        for statement in one.leaked:
            denied = "" if statement.holds else "not "
            yield f"- {one.trap.id} leaked: {statement.subject} {denied}{statement.relation} {statement.value!r}"
        for pattern in one.lost:
            denied = "not " if pattern.holds is False else ""
            yield f"- {one.trap.id} lost: {pattern.subject} {denied}{'/'.join(pattern.relations)} {pattern.value!r}"


def _name(statement: Statement) -> str:
    """The relation without its noun."""
    return statement.relation.partition(":")[0]


def _named(key: Key) -> str:
    return "/".join(key)


def _at(evidence: Sequence[Span]) -> str:
    return str(evidence[0].start) if evidence else "?"
