"""Values as JSON and back: every value that a verb gives is read again as it was."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from mnemic import Diff, InputError, Memory, Page, Receipt, Record, Results
from mnemic.plain import as_json, plain, read
from mnemic.types import Answer, Change, Context, Explanation, Hit, Stats


@pytest.fixture
def ana() -> Memory:
    memory = Memory(":memory:").scoped(user_id="ana", project_id="home")
    said = ["I live in Porto.", "I'm allergic to walnuts.", "My sister Clara works at Bosch."]
    for day, text in enumerate(said, 1):
        memory.add(
            {"role": "user", "name": "Ana", "content": text, "id": f"m{day}", "time": f"2026-06-0{day}T09:00Z"},
            metadata={"deep": {"list": [1, 2.5, None, True, "ü"]}},
            session_id="s",
        )
    memory.remember("Ana lives in Braga.", valid_from="2026-07-01T00:00Z", data={"city": "Braga"}, key="home")
    return memory


def test_what_each_verb_gives_is_read_again_as_it_was(ana: Memory) -> None:
    results = ana.search("Where does Ana live?")
    record = ana.get(results[0].id)
    now = datetime.now(UTC)
    given = [
        (Results, results),
        (Hit, results[0]),
        (Explanation, results.explain(results[0].id)),
        (Record, record),
        (Context, ana.context("Where does Ana live?")),
        (Answer, ana.ask("Where does Ana live?")),
        (Page, ana.list(limit=2)),
        (Page, ana.timeline()),
        (tuple[Change, ...], ana.history(record.id)),
        (Diff, ana.diff("2026-01-01T00:00Z", now)),
        (Stats, ana.stats()),
        (Receipt, ana.update(record.id, text="Ana lives in Faro.")),
        (Receipt, ana.erase(record.id, dry_run=True)),
    ]
    for kind, value in given:
        again = read(kind, json.loads(as_json(value)))
        assert again == value
        assert as_json(again) == as_json(value)
        assert plain(value) == json.loads(as_json(value))


def test_a_time_is_told_in_utc(ana: Memory) -> None:
    record = next(iter(ana.list(limit=1)))
    east = replace(record, time=datetime(2026, 6, 1, 9, tzinfo=timezone(timedelta(hours=2))))
    assert plain(east)["time"] == "2026-06-01T07:00:00+00:00"


def test_fields_that_this_release_does_not_know_are_left_out_and_missing_ones_have_their_default(ana: Memory) -> None:
    told = plain(ana.stats())
    del told["latest"]
    again = read(Stats, {**told, "of a newer release": 1})
    assert again == replace(ana.stats(), latest=None)


@pytest.mark.parametrize(
    "told",
    [
        "text",
        {},
        {"records": 3},
        {"id": "x", "verb": "add", "at": "yesterday", "entries": []},
        {"id": 7, "verb": "add", "at": "2026-06-01T07:00:00+00:00", "entries": []},
        {"id": "x", "verb": "add", "at": "2026-06-01T07:00:00+00:00", "entries": [{"id": "y", "action": "eaten"}]},
    ],
)
def test_what_tells_of_no_such_value_is_refused(told: object) -> None:
    with pytest.raises(InputError, match="this is no Receipt"):
        read(Receipt, told)


def test_what_has_no_form_in_json_is_refused() -> None:
    with pytest.raises(TypeError, match="object has no form in JSON"):
        as_json(object())
