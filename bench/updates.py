"""Whether what is true now is found before what was: knowledge updates, contradictions, and stale facts.

    python -m bench updates [--data DIR]

* *updates*: the knowledge updates of BEAM and LongMemEval, and invented histories (`tests/histories.jsonl`, and fresh
  ones in `tests/histories_fresh.jsonl`), a third of which arrive in another order than that of their times. Right is a
  question for which the first hit that rests on a message with the current value stands above every hit that rests on
  an outdated one; what is not found is wrong. A hit that rests on both is current.
* *then*: of the histories, what was true at a time (`as_of=`); here the values of other times are the wrong ones.
* *contradictions* of BEAM: whether both statements are among the hits, and whether the memory says that they contradict
  each other (`Hit.conflicts`).
* *stale facts*: of the derived lines of `context` that are shown as current, those that say an outdated value. What
  happened has happened, so events do not count, and "does not live in Rome" says no value. The keys of BEAM and
  LongMemEval name messages, no values: there, all that rests on an outdated message, a bound from above.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

from bench import datasets
from bench.datasets import Conversation, Message, Question
from bench.derive import Share
from bench.run import episodes, in_time
from mnemic import Context, Hit, Memory

HISTORIES = Path(__file__).resolve().parent.parent / "tests" / "histories.jsonl"
FRESH = HISTORIES.with_name("histories_fresh.jsonl")
"""Written when the rules stood, and never looked at while they were changed: what these say is the honest figure."""
LIMIT = 10
BUDGET = 1000
LATER = timedelta(days=30)
"""How long after its last word a history is asked about."""

NOTE = (
    "Current first: the first hit with the current value is above every hit with an outdated one, among ten hits; not "
    "found counts as wrong. Intervals are Wilson's, 95 %."
)


@dataclass(frozen=True, slots=True)
class Value:
    """A value in the words of the message that holds it."""

    words: str
    message: str


@dataclass(frozen=True, slots=True)
class Asked:
    """A question of a history: the value that is right, and those of other times."""

    text: str
    value: Value
    others: tuple[Value, ...]
    as_of: str | None = None


@dataclass(frozen=True, slots=True)
class History:
    """A few sessions in the order in which they arrive, in which one thing changes."""

    id: str
    topic: str
    out_of_order: bool
    messages: tuple[Message, ...]
    questions: tuple[Asked, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a question found."""

    group: str
    id: str
    current: int | None
    """The place of the first hit with the right value, from 1 on …"""
    outdated: int | None
    """… and that of the first one with an outdated value."""
    lines: int = 0
    """Derived lines of the context that are shown as current, and how many of those are stale."""
    stale: int = 0
    comparable: bool = True
    """Whether the key names what is outdated, in a message of its own."""

    @property
    def found(self) -> bool:
        return self.current is not None

    @property
    def right(self) -> bool:
        return self.current is not None and (self.outdated is None or self.current < self.outdated)


@dataclass(frozen=True, slots=True)
class Contradiction:
    id: str
    both: bool
    linked: bool


def histories(path: Path = HISTORIES) -> tuple[History, ...]:
    with path.open(encoding="utf-8") as lines:
        return tuple(map(_history, map(json.loads, lines)))


def _history(row: Mapping[str, Any]) -> History:
    messages = tuple(
        Message(given["id"], session["id"], given["role"], given["content"], time=session["time"])
        for session in row["sessions"]
        for given in session["messages"]
    )
    questions = tuple(
        Asked(q["question"], _value(q), tuple(map(_value, q["others"])), q["as_of"]) for q in row["questions"]
    )
    return History(row["id"], row["topic"], row["out_of_order"], messages, questions)


def _value(row: Mapping[str, str]) -> Value:
    return Value(row["value"], row["message"])


# --- Asking -----------------------------------------------------------------------------------------------------------


def measure(
    folder: Path,
    *,
    progress: Callable[[str], None],
    open_memory: Callable[[], Memory] = lambda: Memory(":memory:", recipe="rules"),
) -> tuple[list[Outcome], list[Contradiction]]:
    """All questions about what changed; of a set that is not there, none."""
    outcomes = [
        outcome
        for name, path in (("histories", HISTORIES), ("fresh histories", FRESH))
        for history in histories(path)
        for outcome in _in_history(name, history, open_memory)
    ]
    progress(f"{len(outcomes)} questions about histories")
    contradictions: list[Contradiction] = []
    for name in ("beam", "longmemeval"):
        try:
            conversations = datasets.load(name, folder)
        except datasets.MissingDataError:
            progress(f"no data for {name} under {folder}: left out")
            continue
        for conversation in conversations:
            found, both = _in_conversation(conversation, open_memory)
            outcomes += found
            contradictions += both
        progress(f"{name}: {len(outcomes)} questions so far")
    return outcomes, contradictions


def _in_history(name: str, history: History, open_memory: Callable[[], Memory]) -> Iterator[Outcome]:
    conversation = Conversation(history.id, "histories", history.messages, ())
    now = (max(datetime.fromisoformat(m.time or "") for m in history.messages) + LATER).isoformat()
    group = f"{name}, {'out of order' if history.out_of_order else 'in order'}"
    with open_memory() as memory:
        for session, messages in conversation.sessions():
            memory.add(messages, user_id=history.id, session_id=session)
        for number, asked in enumerate(history.questions):
            hits = memory.search(asked.text, user_id=history.id, limit=LIMIT, now=now, as_of=asked.as_of)
            current, outdated = {asked.value.message}, {value.message for value in asked.others}
            lines, stale = 0, 0
            if asked.as_of is None:
                context = memory.context(asked.text, user_id=history.id, budget=BUDGET, now=now, format="json")
                shown = [line for line, _ in derived_lines(context, now)]
                lines, stale = len(shown), sum(says_other(line, asked) for line in shown)
            told, id = f"{group}, then" if asked.as_of else group, f"{history.id}:{number}"
            yield _outcome(told, id, hits, current, outdated, lines, stale)


def _in_conversation(
    conversation: Conversation, open_memory: Callable[[], Memory]
) -> tuple[list[Outcome], list[Contradiction]]:
    asked = tuple(q for q in conversation.questions if _is_update(q) or len(q.sides) == 2)
    outcomes: list[Outcome] = []
    contradictions: list[Contradiction] = []
    if not asked:
        return outcomes, contradictions
    user = conversation.id
    with open_memory() as memory:
        for question, _ in in_time(memory, Conversation(user, conversation.dataset, conversation.messages, asked)):
            now = conversation.asked_at(question)
            hits = memory.search(question.text, user_id=user, limit=LIMIT, now=now)
            if len(question.sides) == 2:
                contradictions.append(_contradiction(memory, user, question, hits))
                continue
            outdated = set(question.outdated)
            current = set(question.evidence) - outdated
            context = memory.context(question.text, user_id=user, budget=BUDGET, now=now, format="json")
            behind = [message for _, message in derived_lines(context, now)]
            outcomes.append(
                _outcome(
                    conversation.dataset,
                    question.id,
                    hits,
                    current,
                    outdated,
                    len(behind),
                    sum(message in outdated for message in behind),
                )
            )
    return outcomes, contradictions


def _is_update(question: Question) -> bool:
    return question.answerable and question.category in ("knowledge_update", "knowledge-update")


def _outcome(
    group: str, id: str, hits: Iterable[Hit], current: set[str], outdated: set[str], lines: int, stale: int
) -> Outcome:
    ranking = [set(episodes(hit)) for hit in hits]
    return Outcome(
        group,
        id,
        next((place for place, ids in enumerate(ranking, 1) if ids & current), None),
        next((place for place, ids in enumerate(ranking, 1) if ids & outdated and not ids & current), None),
        lines,
        stale,
        bool(outdated),
    )


def _contradiction(memory: Memory, user: str, question: Question, hits: Sequence[Hit]) -> Contradiction:
    found = {id for hit in hits for id in episodes(hit)}
    one, other = map(set[str], question.sides)
    linked = any(
        (here & one and there & other) or (here & other and there & one)
        for hit in hits
        for here in (set(episodes(hit)),)
        for there in _conflicting(memory, user, hit)
    )
    return Contradiction(question.id, bool(found & one and found & other), linked)


def _conflicting(memory: Memory, user: str, hit: Hit) -> Iterator[set[str]]:
    """The messages behind each record that a hit is said to contradict: ids, or values with an id."""
    for conflict in cast(Iterable[Any], getattr(hit, "conflicts", ())):
        record = memory.get(str(getattr(conflict, "id", conflict)), user_id=user)
        ids = (record.message_id, *(evidence.message_id for evidence in record.evidence))
        yield {id for id in ids if id is not None}


def derived_lines(context: Context, now: str | None) -> Iterator[tuple[str, str | None]]:
    """The derived lines of a context in JSON that it does not show as ended, each with the message it quotes."""
    content: dict[str, list[dict[str, Any]]] = json.loads(context.text) if context.known else {}
    moment = datetime.now(UTC) if now is None else datetime.fromisoformat(now)
    for held in content.values():
        for line in held:
            until = line.get("until")
            if line.get("kind") not in (None, "event") and (until is None or until > f"{moment:%Y-%m-%d}"):
                yield line["text"], context.evidence[int(line["n"]) - 1].message_id


def says_other(line: str, asked: Asked) -> bool:
    """Whether a line says a value that is not the right one, and not the right one beside it."""
    return not (_says(line, asked.value) or _DENIES.search(line)) and any(_says(line, value) for value in asked.others)


_DENIES = re.compile(r"\b(?:is|are|does|do|has|have) (?:not|never|no longer)\b")


def _says(line: str, value: Value) -> bool:
    return re.search(rf"(?<!\w){re.escape(value.words)}(?!\w)", line, re.IGNORECASE) is not None


# --- The report -------------------------------------------------------------------------------------------------------


def report(outcomes: Sequence[Outcome], contradictions: Sequence[Contradiction]) -> Iterator[str]:
    """Markdown, line by line."""
    yield "## Updates"
    yield ""
    yield NOTE
    yield ""
    yield "| questions | found in ten | current first | … of those found |"
    yield "| --- | --- | --- | --- |"
    for group in dict.fromkeys(one.group for one in outcomes):
        chosen = [one for one in outcomes if one.group == group]
        found = [one for one in chosen if one.found]
        right = sum(one.right for one in chosen)
        shares = Share(len(found), len(chosen)), Share(right, len(chosen)), Share(right, len(found))
        yield f"| {group} | {' | '.join(map(str, shares))} |"
    loose = [one.id for one in outcomes if not one.comparable]
    if loose:
        yield ""
        yield f"No outdated message of its own, so that found is right: {', '.join(loose)}"
    yield ""
    yield "wrong: " + ", ".join(one.id for one in outcomes if not one.right)
    yield ""
    yield "## Contradictions"
    yield ""
    both, linked = sum(one.both for one in contradictions), sum(one.linked for one in contradictions)
    yield f"Both statements in ten hits: {Share(both, len(contradictions))}; "
    yield f"said to contradict each other: {Share(linked, len(contradictions))}."
    yield ""
    yield "## Stale facts"
    yield ""
    yield "| contexts | derived lines shown as current | stale |"
    yield "| --- | --- | --- |"
    for group in dict.fromkeys(one.group for one in outcomes if not one.group.endswith("then")):
        lines = sum(one.lines for one in outcomes if one.group == group)
        stale = sum(one.stale for one in outcomes if one.group == group)
        yield f"| {group} | {lines} | {Share(stale, lines)} |"
