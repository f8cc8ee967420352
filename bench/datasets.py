"""Public evaluation sets, each read in its official format into one shape.

What the formats do not say, and what is decided here:

* A message has its session's time where the set dates only sessions: no time is invented.
* Evidence that names no message of the conversation is dropped; a question may be left with none, and then counts in
  no figure about evidence.
* Where questions are asked in the middle of the talk (RealMem, the sample), `Question.history` says how many messages
  had been said by then. RealMem's turns of the same session are not history: an agent has them in its context anyway.
* Where no time of asking is given (LoCoMo, BEAM, MuSiQue), `asked_at` is None; `Conversation.asked_at` then answers
  with the time of the last message, since such questions are asked when the talk is over.
"""

from __future__ import annotations

import gzip
import json
import random
import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import Any, cast

from mnemic import samples

# The files are other people's JSON: their shape is checked by reading them, not by a type.
Json = Any


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a conversation; `payload()` is what `Memory.add` takes."""

    id: str
    session_id: str
    role: str
    content: str
    name: str | None = None
    time: str | None = None

    def payload(self) -> dict[str, str]:
        fields = {"role": self.role, "content": self.content, "id": self.id}
        optional = {"name": self.name, "time": self.time}
        return fields | {key: value for key, value in optional.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Question:
    """A question and the messages that answer it.

    `evidence` holds message ids and `evidence_sessions` session ids, either of which a set may lack. `corrected` is the
    evidence after a published audit of the key, None where the audit found nothing to correct. `answer` is the key's
    own, "" where the set has none in words. `outdated` are messages of the evidence that later ones have made untrue;
    `sides` are the messages of each of the statements that contradict each other.
    """

    id: str
    text: str
    evidence: tuple[str, ...] = ()
    evidence_sessions: tuple[str, ...] = ()
    category: str = ""
    answerable: bool = True
    asked_at: str | None = None
    corrected: tuple[str, ...] | None = None
    history: int | None = None
    answer: str = ""
    outdated: tuple[str, ...] = ()
    sides: tuple[tuple[str, ...], ...] = ()

    @property
    def best_evidence(self) -> tuple[str, ...]:
        return self.evidence if self.corrected is None else self.corrected


@dataclass(frozen=True, slots=True)
class Conversation:
    """One user's messages in the order said, and the questions about them."""

    id: str
    dataset: str
    messages: tuple[Message, ...]
    questions: tuple[Question, ...]

    def sessions(self, start: int = 0, stop: int | None = None) -> Iterator[tuple[str, list[dict[str, str]]]]:
        """The messages from `start` to `stop` as runs of one session each, ready for `Memory.add`."""
        for session_id, run in groupby(self.messages[start:stop], key=lambda message: message.session_id):
            yield session_id, [message.payload() for message in run]

    def heard(self, question: Question) -> tuple[Message, ...]:
        """What had been said when `question` was asked."""
        return self.messages[: question.history]

    def asked_at(self, question: Question) -> str | None:
        """When `question` is asked: its own time, else the latest time of what had been said."""
        return question.asked_at or max((m.time for m in self.heard(question) if m.time is not None), default=None)


class MissingDataError(LookupError):
    """A set's files are not in the data folder."""


def load(name: str, folder: Path) -> tuple[Conversation, ...]:
    """The conversations of the set called `name`, from its own place under `folder`."""
    try:
        loader = DATASETS[name]
    except KeyError:
        raise LookupError(f"no set is called {name!r}; there are {', '.join(DATASETS)}") from None
    return tuple(loader(folder))


def load_available(names: Iterable[str], folder: Path) -> tuple[dict[str, tuple[Conversation, ...]], tuple[str, ...]]:
    """The sets among `names` that are there, and the names of those that are not."""
    present: dict[str, tuple[Conversation, ...]] = {}
    missing: list[str] = []
    for name in names:
        try:
            present[name] = load(name, folder)
        except MissingDataError:
            missing.append(name)
    return present, tuple(missing)


def sample(conversations: Sequence[Conversation], limit: int | None, *, seed: int) -> tuple[Conversation, ...]:
    """At most `limit` of the conversations, drawn by `seed`, in their own order."""
    if limit is None or limit >= len(conversations):
        return tuple(conversations)
    drawn = random.Random(seed).sample(range(len(conversations)), limit)
    return tuple(conversations[number] for number in sorted(drawn))


# --- LoCoMo -----------------------------------------------------------------------------------------------------------

LOCOMO_CATEGORIES = {1: "multi-hop", 2: "temporal", 3: "open-domain", 4: "single-hop", 5: "adversarial"}


def locomo(folder: Path) -> Iterator[Conversation]:
    """Two people's chats over months. Category 5 asks for what was never said, so it is not answerable; its evidence is
    the turn that the question twists."""
    samples = _read(folder / "locomo" / "locomo_dev.json")
    audit_path = folder / "locomo" / "audit_dev.json"
    audit: list[Json] = _read(audit_path) if audit_path.exists() else []
    corrections: dict[tuple[str, str], list[str]] = {
        (row["sample_id"], row["question"]): row["correct_evidence"] for row in audit
    }
    for sample in samples:
        messages = tuple(_locomo_messages(sample["conversation"]))
        known = {message.id for message in messages}
        questions: list[Question] = []
        for number, item in enumerate(sample["qa"]):
            evidence = _known(_locomo_ids(item.get("evidence", [])), known)
            corrected = corrections.get((sample["sample_id"], item["question"]))
            questions.append(
                Question(
                    id=f"{sample['sample_id']}:{number}",
                    text=item["question"],
                    evidence=evidence,
                    evidence_sessions=_sessions_of(evidence, messages),
                    category=LOCOMO_CATEGORIES[item["category"]],
                    answerable=item["category"] != 5,
                    corrected=None if corrected is None else _known(_locomo_ids(corrected), known),
                    answer=str(item.get("answer", "")),
                )
            )
        yield Conversation(sample["sample_id"], "locomo", messages, tuple(questions))


def _locomo_messages(conversation: dict[str, Json]) -> Iterator[Message]:
    # Some dated sessions were never written; only those with turns count.
    numbers = sorted(int(key[8:]) for key in conversation if re.fullmatch(r"session_\d+", key))
    for number in numbers:
        session_id = f"session_{number}"
        time = locomo_time(conversation[f"{session_id}_date_time"])
        for turn in conversation[session_id]:
            caption = turn.get("blip_caption")
            text = turn["text"] + (f" [shares {caption}]" if caption else "")
            yield Message(turn["dia_id"], session_id, "user", text.strip(), turn["speaker"], time)


def _locomo_ids(cited: Iterable[str]) -> list[str]:
    """Turn ids as written by hand: 'D8:6; D9:17', 'D:11:26', 'D30:05' and 'D1:2 D3:4' occur."""
    return [f"D{int(session)}:{int(turn)}" for text in cited for session, turn in re.findall(r"D:?(\d+):(\d+)", text)]


def locomo_time(text: str) -> str:
    return _iso(datetime.strptime(text.strip(), "%I:%M %p on %d %B, %Y"))


# --- LongMemEval ------------------------------------------------------------------------------------------------------


def longmemeval(folder: Path) -> Iterator[Conversation]:
    """One question over a haystack of its own, so each question is a conversation. Sessions dated after the question
    are kept: they are noise that the set means to be there."""
    for item in _read(folder / "longmemeval" / "longmemeval_s_dev.json.gz"):
        haystack = zip(item["haystack_dates"], item["haystack_session_ids"], item["haystack_sessions"], strict=True)
        messages: list[Message] = []
        evidence: list[str] = []
        for date, session_id, turns in sorted(haystack, key=lambda session: longmemeval_time(session[0])):
            for position, turn in enumerate(turns):
                id = f"{session_id}:{position}"
                messages.append(Message(id, session_id, turn["role"], turn["content"], time=longmemeval_time(date)))
                if turn.get("has_answer"):
                    evidence.append(id)
        answerable = not item["question_id"].endswith("_abs")
        updated = answerable and item["question_type"] == "knowledge-update"
        question = Question(
            id=item["question_id"],
            text=item["question"],
            evidence=tuple(evidence) if answerable else (),
            evidence_sessions=tuple(item["answer_session_ids"]) if answerable else (),
            category=item["question_type"],
            answerable=answerable,
            asked_at=longmemeval_time(item["question_date"]),
            answer=str(item.get("answer", "")) if answerable else "",
            outdated=_before_last(evidence, item["answer_session_ids"], messages) if updated else (),
        )
        yield Conversation(item["question_id"], "longmemeval", tuple(messages), (question,))


def _before_last(evidence: Sequence[str], answering: Iterable[str], messages: Iterable[Message]) -> tuple[str, ...]:
    """The evidence before the last session that answers; none where that one names no turn."""
    places = {session: place for place, session in enumerate(_unique(message.session_id for message in messages))}
    last = max((session for session in answering if session in places), key=places.__getitem__, default=None)
    current = [id for id in evidence if id.rpartition(":")[0] == last]
    return tuple(id for id in evidence if id not in current) if current else ()


def longmemeval_time(text: str) -> str:
    return _iso(datetime.strptime(re.sub(r"\s*\(\w+\)", "", text).strip(), "%Y/%m/%d %H:%M"))


# --- BEAM -------------------------------------------------------------------------------------------------------------


def beam(folder: Path) -> Iterator[Conversation]:
    """Long chats of a user with an assistant, in dated batches: a batch is a session."""
    root = folder / "beam" / "100K"
    chats = sorted(root.glob("*/chat.json"), key=lambda path: (len(path.parent.name), path.parent.name))
    if not chats:
        raise MissingDataError(f"no chats under {root}")
    for path in chats:
        conversation_id = f"beam-{path.parent.name}"
        messages = tuple(_beam_messages(_read(path)))
        known = {message.id for message in messages}
        questions: list[Question] = []
        for ability, items in _read(path.with_name("probing_questions.json")).items():
            for number, item in enumerate(items):
                sources = item.get("source_chat_ids")
                evidence = _known(map(str, _numbers(sources)), known)
                questions.append(
                    Question(
                        id=f"{conversation_id}:{ability}:{number}",
                        text=item["question"],
                        evidence=evidence,
                        evidence_sessions=_sessions_of(evidence, messages),
                        category=ability,
                        answerable=ability != "abstention",
                        outdated=_beam_outdated(sources, known),
                        sides=_beam_sides(sources, known),
                    )
                )
        yield Conversation(conversation_id, "beam", messages, tuple(questions))


def _beam_messages(batches: list[Json]) -> Iterator[Message]:
    for batch in batches:
        turns = [message for turn in batch["turns"] for message in turn]
        anchor = next((message["time_anchor"] for message in turns if message.get("time_anchor")), None)
        anchor = anchor or batch.get("time_anchor")
        time = None if anchor is None else _iso(datetime.strptime(anchor, "%B-%d-%Y"))
        for message in turns:
            # Written by the generator, not by the user: " ->-> 1,1", also " ->-> 2,N/A" and " ->-> 2,22, 24".
            content = re.sub(r"\s*->->[^\n]{0,24}$", "", message["content"].rstrip())
            yield Message(str(message["id"]), f"batch-{batch['batch_number']}", message["role"], content, time=time)


def _beam_outdated(sources: Json, known: set[str]) -> tuple[str, ...]:
    """What a knowledge update names as the original, without a message that says the update as well."""
    if not isinstance(sources, dict) or "updated_info" not in sources:
        return ()
    parts = cast(dict[str, Json], sources)
    updated = _numbers(parts["updated_info"])
    return _known((str(n) for n in _numbers(parts.get("original_info")) if n not in updated), known)


def _beam_sides(sources: Json, known: set[str]) -> tuple[tuple[str, ...], ...]:
    if not isinstance(sources, dict) or "first_statement" not in sources:
        return ()
    return tuple(_known(map(str, _numbers(side)), known) for side in cast(dict[str, Json], sources).values())


def _numbers(ids: Json) -> list[int]:
    """`source_chat_ids`: a list, or a dict of lists by part of the answer, or nothing."""
    if isinstance(ids, dict):
        ids = list(cast(dict[str, Json], ids).values())
    if isinstance(ids, list):
        return [number for part in cast(list[Json], ids) for number in _numbers(part)]
    return [] if ids is None else [int(ids)]


# --- RealMem ----------------------------------------------------------------------------------------------------------


def realmem(folder: Path) -> Iterator[Conversation]:
    """A persona's talks with an assistant, with questions in their midst.

    The key is the sessions that the answer used; the turns are those from which the memories it used were extracted.
    The order of the file is kept, since answers rely on it, though some sessions are dated a day before their
    predecessor.
    """
    paths = sorted((folder / "realmem").glob("*_dialogues_*.json.gz"))
    if not paths:
        raise MissingDataError(f"no dialogues under {folder / 'realmem'}")
    for path in paths:
        conversation_id = "realmem-" + path.name.split("_dialogues_")[0].lower().replace("_", "-")
        yield _realmem_persona(conversation_id, _read(path)["dialogues"])


def _realmem_persona(conversation_id: str, sessions: list[Json]) -> Conversation:
    messages: list[Message] = []
    questions: list[Question] = []
    extracted: dict[tuple[str, str], list[str]] = {}
    for session in sessions:
        session_id, time = session["session_uuid"], _realmem_time(session["current_time"])
        turns = session["dialogue_turns"]
        history = len(messages)
        earlier = {message.session_id for message in messages}
        for position, turn in enumerate(turns):
            id = f"{session_id}:{position}"
            if turn["content"].strip():
                messages.append(Message(id, session_id, turn["speaker"].lower(), turn["content"], time=time))
            if not turn["is_query"] or position + 1 == len(turns):
                continue
            answer = turns[position + 1]
            used = [u for u in answer.get("memory_session_uuids", []) if u in earlier]
            memories = [(m["session_uuid"], m["content"]) for m in answer.get("memory_used", [])]
            questions.append(
                Question(
                    id=f"{conversation_id}:{turn['query_id']}:{id}",
                    text=turn["content"],
                    evidence=_unique(i for m in memories if m[0] in earlier for i in extracted.get(m, [])),
                    evidence_sessions=_unique(used),
                    category=turn.get("category_name", ""),
                    asked_at=time,
                    history=history,
                )
            )
        ids_by_text = {turn["content"]: f"{session_id}:{position}" for position, turn in enumerate(turns)}
        for memory in session["extracted_memory"]:
            # The stored turn number counts from 0 in some sessions and from 1 in others; its text is certain.
            if id := ids_by_text.get(memory["source_content_snapshot"]):
                extracted.setdefault((session_id, memory["content"]), []).append(id)
    return Conversation(conversation_id, "realmem", tuple(messages), tuple(questions))


def _realmem_time(text: str) -> str:
    return _iso(datetime.strptime(text.split()[0], "%Y-%m-%d"))


# --- MemBench ---------------------------------------------------------------------------------------------------------


def membench(folder: Path) -> Iterator[Conversation]:
    """A question about the mood around one minute of a short talk: each question is a conversation. A step of the first
    person's half is what the user said and what the assistant answered, so both are its evidence."""
    paths = sorted((folder / "membench").glob("*.json.gz"))
    if not paths:
        raise MissingDataError(f"no questions under {folder / 'membench'}")
    for path in paths:
        part = path.name.split("Agent")[0].lower()
        for number, item in enumerate(_read(path)):
            yield _membench_item(f"membench-{part}-{number}", item)


def _membench_item(conversation_id: str, item: Json) -> Conversation:
    messages: list[Message] = []
    steps: dict[tuple[int, int], list[str]] = {}
    for session, steps_said in enumerate(item["message_list"]):
        for position, step in enumerate(steps_said):
            parts = [("user", step["message"])] if "message" in step else []
            parts = parts or [(role, step[role]) for role in ("user", "assistant")]
            for role, content in parts:
                id = f"{session}:{step['mid']}" + (":reply" if role == "assistant" else "")
                messages.append(Message(id, f"session-{session}", role, content, time=_membench_time(step["time"])))
                steps.setdefault((position, session), []).append(id)
    key = item["QA"]
    evidence = _unique(id for step, session in key["target_step_id"] for id in steps.get((step, session), []))
    question = Question(
        id=conversation_id,
        text=key["question"],
        evidence=evidence,
        evidence_sessions=_sessions_of(evidence, messages),
        category="emotion",
        asked_at=_membench_time(key["time"]),
    )
    return Conversation(conversation_id, "membench", tuple(messages), (question,))


def _membench_time(text: str) -> str:
    return _iso(datetime.strptime(text.split("'")[1], "%Y-%m-%d %H:%M"))


# --- MuSiQue ----------------------------------------------------------------------------------------------------------


def musique(folder: Path) -> Iterator[Conversation]:
    """A question of two to four steps over paragraphs of its own: each question is a conversation, each paragraph a
    document, and so a session."""
    for item in _read(folder / "musique" / "musique_dev.json")["data"]:
        messages = tuple(
            Message(
                id=str(paragraph["idx"]),
                session_id=f"paragraph-{paragraph['idx']}",
                role="document",
                content=f"{paragraph['title']}\n{paragraph['paragraph_text']}",
            )
            for paragraph in item["paragraphs"]
        )
        evidence = tuple(str(paragraph["idx"]) for paragraph in item["paragraphs"] if paragraph["is_supporting"])
        question = Question(
            id=item["id"],
            text=item["question"],
            evidence=evidence,
            evidence_sessions=_sessions_of(evidence, messages),
            category=item["id"].split("__")[0][:4],
            answerable=item["answerable"],
            answer=str(item.get("answer", "")),
        )
        yield Conversation(item["id"], "musique", messages, (question,))


# --- The project's own ------------------------------------------------------------------------------------------------


def sample_talks(_: Path) -> Iterator[Conversation]:
    """The sample conversations that ship with Mnemic, each question asked when its time had come."""
    for name in samples.names():
        told = samples.load(name)
        messages = tuple(
            Message(m["id"], m["session_id"], m["role"], m["content"], m.get("name"), _utc(m["time"]))
            for m in told.messages
        )
        known = {message.id for message in messages}
        times = [message.time or "" for message in messages]
        questions: list[Question] = []
        for number, item in enumerate(told.questions):
            asked_at = _utc(item.asked_at)
            evidence = _known(item.evidence, known)
            questions.append(
                Question(
                    id=f"{name}:{number}",
                    text=item.question,
                    evidence=evidence,
                    evidence_sessions=_sessions_of(evidence, messages),
                    category=item.kind,
                    answerable=bool(evidence),
                    asked_at=asked_at,
                    history=bisect_right(times, asked_at),
                )
            )
        yield Conversation(f"sample-{name}", "sample", messages, tuple(questions))


def _utc(text: str) -> str:
    return datetime.fromisoformat(text).astimezone(UTC).isoformat()


# --- Chat log ---------------------------------------------------------------------------------------------------------


def chatlog(path: Path, count: int) -> Iterator[Message]:
    """`count` messages of a real IRC log, for load and scale; a day is a session.

    When the log is used up it starts again, as another channel's: each further round has other ids, sessions and a
    suffix on each text, so that no two messages are equal.
    """
    first_round = _chatlog_lines(path)
    said: list[Message] = []
    for message in first_round:
        if len(said) == count:
            break
        said.append(message)
        yield message
    if not said:
        return
    for number in range(len(said), count):
        message, again = said[number % len(said)], number // len(said) + 1
        yield Message(
            id=f"{message.id}/{again}",
            session_id=f"{message.session_id}/{again}",
            role=message.role,
            content=f"{message.content} #{again}",
            name=message.name,
            time=message.time,
        )


def _chatlog_lines(path: Path) -> Iterator[Message]:
    if not path.exists():
        raise MissingDataError(f"no chat log at {path}")
    day = ""
    with gzip.open(path, "rt", encoding="utf-8", errors="replace") as lines:
        for number, line in enumerate(lines):
            if header := re.match(r"=== (\d{4}-\d{2}-\d{2})\.\S*raw\.txt", line):
                day = header[1]
            elif (said := re.match(r"\[(\d\d:\d\d)\] <([^>]+)>\s+(\S.*?)\s*$", line)) and day:
                # The rest are joins, leaves and empty lines: nothing that anybody said.
                time = f"{day}T{said[1]}:00+00:00"
                yield Message(str(number), day, "user", said[3], said[2], time)


# --- Shared -----------------------------------------------------------------------------------------------------------


def _read(path: Path) -> Json:
    if not path.exists():
        raise MissingDataError(f"no file {path}")
    raw = path.read_bytes()
    return json.loads(gzip.decompress(raw) if path.suffix == ".gz" else raw)


def _iso(naive: datetime) -> str:
    """No set names a zone: UTC."""
    return naive.replace(tzinfo=UTC).isoformat()


def _known(ids: Iterable[str], known: set[str]) -> tuple[str, ...]:
    return _unique(id for id in ids if id in known)


def _unique(ids: Iterable[str]) -> tuple[str, ...]:
    return tuple(Counter(ids))


def _sessions_of(evidence: tuple[str, ...], messages: Iterable[Message]) -> tuple[str, ...]:
    wanted = set(evidence)
    return _unique(message.session_id for message in messages if message.id in wanted)


DATASETS: dict[str, Callable[[Path], Iterator[Conversation]]] = {
    "locomo": locomo,
    "longmemeval": longmemeval,
    "beam": beam,
    "realmem": realmem,
    "membench": membench,
    "musique": musique,
    "sample": sample_talks,
}
