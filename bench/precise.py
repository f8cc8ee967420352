"""Questions that call records by name, in an invented world: `search(precise=True)` beside plain `search`.

    python -m bench precise

Each case says what should come back, and nothing else: precision and recall are over the records of one answer, an
empty answer that should be empty counts 1. The world: two users, two projects that share names, facts that took over
from others, near names, typing errors, other scripts, and a talk that drifts.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bench import metrics
from mnemic import Memory

FACTS: Mapping[str, Mapping[str, Any]] = {
    # name of the fact: what `remember` is given; "over" names the fact that it supersedes
    "marta": {"text": "Marta drives a red van.", "subject": "Marta", "aliases": ["my sister"]},
    "marta-2": {"text": "Allergic to walnuts.", "subject": "Marta"},
    "marla": {"text": "Runs the bakery on the corner.", "subject": "Marla Quint"},
    "ben": {"text": "A plumber from Ghent.", "subject": "Ben", "kind": "entity"},
    "siblings": {
        "text": "They grew up in one house.",
        "subject": "siblings",
        "kind": "relationship",
        "data": {"participants": ["Ben", "Ida Roos"]},
    },
    "ida": {"text": "A painter.", "subject": "Ida Roos", "kind": "entity"},
    "ida-likes": {"text": "Prefers tea in the morning.", "subject": "Ida Roos", "kind": "preference"},
    "apollo": {"text": "A garden planner for phones.", "subject": "Apollo"},
    "apollo-2": {"text": "The boat in the shed.", "subject": "Apollo 2"},
    "apollo-club": {"text": "Meets on Thursdays.", "subject": "Apollo Rowing Club", "aliases": ["ARC"]},
    "db-old": {"text": "Orders are kept in MySQL.", "subject": "order store", "aliases": ["mysql"]},
    "db": {"text": "Orders are kept in Postgres.", "subject": "order store", "aliases": ["postgres"], "over": "db-old"},
    "queue-1": {"text": "Jobs went over cron.", "subject": "job queue", "aliases": ["cron"]},
    "queue-2": {"text": "Jobs went over Redis.", "subject": "job queue", "aliases": ["redis"], "over": "queue-1"},
    "queue-3": {"text": "Jobs go over Kafka.", "subject": "work stream", "aliases": ["kafka"], "over": "queue-2"},
    "will": {"text": "Likes strong coffee.", "subject": "Will"},
    "who": {"text": "The loudest band of the festival.", "subject": "The Who"},
    "c++": {"text": "Used for the firmware.", "subject": "C++", "aliases": ["cpp"]},
    "wifi": {"text": "The router stands in the hall.", "subject": "Wi-Fi"},
    "tanaka": {"text": "猫が好き。", "subject": "田中"},
    "anna": {"text": "Живёт в Риге.", "subject": "Анна"},
    "zoe": {"text": "Teaches the cello.", "subject": "Zoë"},
    "mueller": {"text": "The landlord.", "subject": "Müller", "aliases": ["the landlord"]},
    "route-66": {"text": "The trip of the autumn.", "subject": "Route 66"},
    "room-12": {"text": "Has the projector.", "subject": "room 12"},
    "room-21": {"text": "Has the piano.", "subject": "room 21"},
    "kite": {"text": "Version 4 ships in May.", "subject": "Kite", "project": "north"},
    "kite-south": {"text": "A toy for the beach.", "subject": "Kite", "project": "south"},
    "lead-north": {"text": "Olga.", "subject": "team lead", "project": "north"},
    "lead-south": {"text": "Piet.", "subject": "team lead", "project": "south"},
    "other-marta": {"text": "Marta owes me ten euros.", "subject": "Marta", "user": "eva"},
    "other-boat": {"text": "Sold in spring.", "subject": "catamaran", "user": "eva"},
    "greenhouse": {"text": "The heater broke, and Marta's van brought a new one.", "subject": "greenhouse"},
    "harbour": {"text": "Opens at six.", "subject": "harbour office", "aliases": ["port authority"]},
    "port": {"text": "Sweet wine for guests.", "subject": "port"},
    "visa": {"text": "Ends on 3 May.", "subject": "visa", "aliases": ["residence permit"]},
}

DRIFT = (
    "The greenhouse heater is broken again.",
    "Marta said the van can carry a new one.",
    "Do vans like that run on diesel?",
    "Diesel is expensive this year.",
    "Everything is, even the port wine.",
    "We had a good bottle on the boat.",
    "Apollo needs new sails before the summer.",
    "The rowing club has a sailmaker.",
    "He also mends tents.",
    "Let us go camping then.",
)
"""A talk of ten turns in which many names fall: none of it is a record with a name."""


@dataclass(frozen=True, slots=True)
class Case:
    """A question, the facts that answer it in order, and how it is asked."""

    group: str
    question: str
    wanted: tuple[str, ...] = ()
    how: Mapping[str, Any] = field(default_factory=dict[str, Any])


def _group(name: str, *cases: tuple[Any, ...]) -> Iterator[Case]:
    for question, wanted, *how in cases:
        yield Case(name, question, tuple(wanted.split()), how[0] if how else {})


NORTH, SOUTH, EVA = {"project_id": "north"}, {"project_id": "south"}, {"user_id": "eva"}

CASES: Sequence[Case] = (
    *_group(
        "subject",
        ("What does Marta drive?", "marta-2 marta"),
        ("what does MARTA drive", "marta-2 marta"),
        ("Is it Marta's?", "marta-2 marta"),
        ("Tell me about Ben.", "ben"),
        ("Ben", "ben"),
        ("Where is the order store?", "db"),
        ("What about the greenhouse?", "greenhouse"),
        ("When does the visa end, and who is Zoë?", "visa zoe"),
        ("Does Ida Roos paint?", "ida-likes ida"),
        ("What is Apollo?", "apollo"),
        ("Which language is C++?", "c++"),
        ("Where does the wi-fi router stand?", "wifi"),
        ("Is the harbour office open?", "harbour"),
        ("What is on Route 66?", "route-66"),
    ),
    *_group(
        "alias",
        ("Did my sister call?", "marta"),
        ("Is ARC closed on Friday?", "apollo-club"),
        ("Is it written in cpp?", "c++"),
        ("Has the landlord answered?", "mueller"),
        ("Call the port authority.", "harbour"),
        ("When must I renew my residence permit?", "visa"),
        ("Is Marta my sister?", "marta-2 marta"),
    ),
    *_group(
        "whole words",
        ("Who is Marlan?", ""),
        ("Is the Apollonian style nice?", ""),
        ("What does Benjamin do?", ""),
        ("Where are the visas?", ""),
        ("What did the benign doctor say?", ""),
        ("A portable radio?", ""),
        ("Does she know Ida?", ""),
        ("Roos Ida?", ""),
        ("Is the order in the store?", "db"),
        ("A store for the order?", ""),
        ("Import it.", ""),
    ),
    *_group(
        "longest name",
        ("Where is Apollo 2?", "apollo-2"),
        ("When does the Apollo Rowing Club meet?", "apollo-club"),
        ("Apollo or Apollo 2?", "apollo-2 apollo"),
        ("Is the port authority open?", "harbour"),
        ("Which port do you drink?", "port"),
        ("Who has room 12?", "room-12"),
        ("Who has room 21?", "room-21"),
        ("Who has room 13?", ""),
    ),
    *_group(
        "typing errors",
        ("What does Matra drive?", "marta-2 marta"),
        ("What does Martha drive?", "marta-2 marta"),
        ("What does Mart drive?", "marta-2 marta"),
        ("What does Marte drive?", "marta-2 marta"),
        ("What does Amrta drive?", ""),
        ("What does Myrta drive?", ""),
        ("What does Mrata drive?", ""),
        ("What does Martas drove?", "marta-2 marta"),
        ("What does Mattha drive?", ""),
        ("Who is Bem?", ""),
        ("Is the greenhose warm?", "greenhouse"),
        ("Is the gerenhouse warm?", ""),
        ("Are there greenhouses here?", "greenhouse"),
        ("Where is Apolo?", "apollo"),
        ("When does the Apolo Rowing Club meet?", "apollo-club"),
        ("Who is Marla Quint?", "marla"),
        ("Who is Marla Qiunt?", ""),
        ("Who is Marla Quimt?", "marla"),
        ("What is on Ruote 66?", ""),
        ("What is on Rotue 66?", "route-66"),
        ("What is on Route 67?", ""),
    ),
    *_group(
        "superseded",
        ("Is mysql fast?", "db"),
        ("Is Postgres fast?", "db"),
        ("Does cron still run?", "queue-3"),
        ("Is redis up?", "queue-3"),
        ("How is kafka?", "queue-3"),
        ("What is in the job queue?", "queue-3"),
        ("What is the work stream?", "queue-3"),
        ("Is mysql fast?", "db-old", {"as_of": "2026-01-12T12:00Z"}),
        ("Is mysql fast?", "db db-old", {"include": "superseded"}),
    ),
    *_group(
        "relations",
        ("How do the siblings get on?", "siblings ida ben"),
        ("Is Ben well?", "ben"),
    ),
    *_group(
        "projects",
        ("When does Kite ship?", "kite", NORTH),
        ("When does Kite ship?", "kite-south", SOUTH),
        ("When does Kite ship?", ""),
        ("Who is the team lead?", "lead-north", NORTH),
        ("Who is the team lead?", "lead-south", SOUTH),
        ("Is Marta in this project?", "marta-2 marta", NORTH),
    ),
    *_group(
        "users",
        ("What about Marta?", "other-marta", EVA),
        ("Where is the catamaran?", ""),
        ("Where is the catamaran?", "other-boat", EVA),
        ("Where is Apollo?", "", EVA),
        ("Did my sister call?", "", EVA),
    ),
    *_group(
        "stop words",
        ("Will it rain?", ""),
        ("What does Will drink?", "will"),
        ("Who is it?", ""),
        ("Are The Who on stage?", "who"),
        ("What will Ben do?", "ben"),
        ("Who?", ""),
    ),
    *_group(
        "other scripts",
        ("田中さんは何が好き？", "tanaka"),
        ("山田さんは何が好き？", ""),
        ("Где живёт Анна?", "anna"),
        ("Who is Zoe?", "zoe"),
        ("Is Herr Müller in?", "mueller"),
        ("Is Herr Muller in?", "mueller"),
    ),
    *_group(
        "limits",
        ("What does Marta drive?", "marta-2", {"limit": 1}),
        ("How do the siblings get on?", "siblings", {"limit": 1}),
        ("Tell me of Ida Roos", "ida-likes", {"kinds": "preference"}),
        ("Tell me of Ida Roos", "ida", {"kinds": "entity"}),
    ),
    *_group(
        "off topic",
        ("", ""),
        ("   ", ""),
        ("What is the capital of France?", ""),
        ("red van walnuts plumber Thursdays", ""),
        ("The heater broke", ""),
        ("???", ""),
        ("sails, diesel, tents and camping", ""),
        ("What did we say about the bottle?", ""),
    ),
)


def filled() -> tuple[Memory, dict[str, str]]:
    """The world in a memory, and the name of each fact by its record's id."""
    memory = Memory(":memory:", recipe="none")
    ids: dict[str, str] = {}
    for day, (name, fact) in enumerate(FACTS.items(), 1):
        given = {key: value for key, value in fact.items() if key not in ("text", "user", "project", "over")}
        receipt = memory.remember(
            fact["text"],
            user_id=fact.get("user", "ana"),
            project_id=fact.get("project"),
            time=f"2026-{1 + day // 28:02d}-{1 + day % 28:02d}T09:00Z",
            supersedes=[id_ for id_, known in ids.items() if known == fact.get("over")],
            **given,
        )
        ids[receipt.ids[0]] = name
    turns = [{"role": "user", "content": text, "time": f"2026-04-01T09:{at:02d}Z"} for at, text in enumerate(DRIFT)]
    memory.add(turns, user_id="ana", session_id="drift")
    return memory, ids


def ask(memory: Memory, ids: Mapping[str, str], case: Case, *, precise: bool = True) -> list[str]:
    """The names of what comes back."""
    how: dict[str, Any] = {"user_id": "ana", **case.how}
    if not precise and not case.question.strip():
        return []  # plain search refuses it
    return [ids.get(hit.id, hit.text) for hit in memory.search(case.question, precise=precise, **how)]


def measure() -> Iterator[tuple[str, str, int, float, float, float]]:
    """Per system and group, and for all together: cases, precision, recall, p50 in milliseconds."""
    memory, ids = filled()
    for system in ("precise", "plain"):
        rows: list[tuple[str, float, float, float]] = []
        for case in CASES:
            started = time.perf_counter()
            got = ask(memory, ids, case, precise=system == "precise")
            spent = (time.perf_counter() - started) * 1000
            right = len(set(got) & set(case.wanted))
            precision = right / len(got) if got else float(not case.wanted)
            recall = right / len(case.wanted) if case.wanted else 1.0
            rows.append((case.group, precision, recall, spent))
        for group in (*dict.fromkeys(row[0] for row in rows), "all"):
            found = [row for row in rows if group in (row[0], "all")]
            precision = sum(row[1] for row in found) / len(found)
            recall = sum(row[2] for row in found) / len(found)
            yield system, group, len(found), precision, recall, metrics.quantile([row[3] for row in found], 0.5)
    memory.close()


def report() -> Iterator[str]:
    """The table, line by line."""
    yield f"{'':8} {'group':14} {'cases':>5} {'precision':>9} {'recall':>6} {'p50 ms':>6}"
    for system, group, cases, precision, recall, spent in measure():
        yield f"{system:8} {group:14} {cases:5} {precision:9.2f} {recall:6.2f} {spent:6.2f}"
