"""Export and import: what they refuse, and what they bring back."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from mnemic import InputError, Memory, NotFoundError, StoreError
from mnemic.journal import broken_links
from mnemic.testing import FrozenClock, HashEmbedder

START = datetime(2024, 5, 1, 12, tzinfo=UTC)
ANA: dict[str, Any] = {"user_id": "ana"}


def memory(path: Path | str) -> Memory:
    return Memory(path, embedder=HashEmbedder(16), clock=FrozenClock(START), recipe="none")


@pytest.fixture
def one(tmp_path: Path) -> Iterator[Memory]:
    with memory(tmp_path / "one.db") as found:
        found.add([{"role": "user", "content": "I like tea", "id": "m1"}, "It rains in Porto"], **ANA)
        said = found.list(**ANA)[0].id
        found.remember("Ana likes tea", key="drink", data={"a": 1}, aliases=["her"], evidence=said, **ANA)
        found.remember("Ana likes coffee", key="drink", **ANA)
        found.retire(said, reason="no longer", **ANA)
        yield found


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Memory]:
    with memory(tmp_path / "other.db") as found:
        yield found


def whole(found: Memory) -> list[str]:
    return list(found.export(everything=True))


def sound(found: Memory) -> None:
    with found._store.read() as snapshot:  # pyright: ignore[reportPrivateUsage]
        assert list(broken_links(snapshot)) == []
        untold = snapshot.select("SELECT id, revision FROM records EXCEPT SELECT id, revision FROM journal", {})
        assert untold == []


def changed(lines: list[str], kind: str, nth: int = 0, /, **fields: Any) -> list[str]:
    """The lines with columns of the nth line of a kind changed; ... leaves a column out."""
    places = [place for place, line in enumerate(lines) if kind in json.loads(line)]
    value = json.loads(lines[places[nth]])
    value[kind] = {name: old for name, old in {**value[kind], **fields}.items() if old is not ...}
    return [*lines[: places[nth]], json.dumps(value), *lines[places[nth] + 1 :]]


def records_of(lines: list[str]) -> list[dict[str, Any]]:
    return [value["record"] for line in lines if "record" in (value := json.loads(line))]


# -- the file


@pytest.mark.parametrize("end", ["", "-wal", "-shm", "-queue"])
def test_an_export_never_goes_over_its_own_store(one: Memory, tmp_path: Path, end: str) -> None:
    with pytest.raises(InputError, match="belongs to the store"):
        one.export(tmp_path / f"one.db{end}", everything=True)
    with pytest.raises(InputError, match="belongs to the store"):
        one.export(tmp_path / "no" / ".." / f"one.db{end}", everything=True)
    assert len(one.list(**ANA)) == 2


def test_an_export_never_goes_over_another_name_of_its_store(one: Memory, tmp_path: Path) -> None:
    os.link(tmp_path / "one.db", tmp_path / "hard.db")
    (tmp_path / "soft.db").symlink_to(tmp_path / "one.db")
    for name in ("hard.db", "soft.db"):
        with pytest.raises(InputError, match="belongs to the store"):
            one.export(tmp_path / name, everything=True)


def test_what_cannot_be_written_is_told_in_our_words(one: Memory, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(StoreError, match="is a folder"):
        one.export(tmp_path / "folder", everything=True)
    with pytest.raises(NotFoundError, match="does not exist"):
        one.export(tmp_path / "none" / "a.jsonl", everything=True)
    with pytest.raises(InputError):
        one.export("a\0b", everything=True)
    with pytest.raises(StoreError):
        one.export(tmp_path / ("a" * 300), everything=True)
    assert sorted(path.name for path in tmp_path.iterdir() if not path.name.startswith("one.db")) == ["folder"]


def test_a_store_in_memory_can_be_written_while_its_export_is_read() -> None:
    with memory(":memory:") as found:
        found.add("tea", **ANA)
        lines = found.export(everything=True)
        next(lines)
        with closing(sqlite3.connect(":memory:")):
            found.add("coffee", **ANA)
        assert sum("coffee" in line for line in lines) == 0


# -- lines


def test_an_export_comes_in_whole(one: Memory, other: Memory) -> None:
    lines = whole(one)
    receipt = other.import_(lines)
    sound(other)
    assert whole(other)[: len(records_of(lines)) + 1] == lines[: len(records_of(lines)) + 1]
    kinds = {record["id"]: record["kind"] for record in records_of(lines)}
    assert "act" not in {kinds[entry.id] for entry in receipt.entries}
    assert {entry.action for entry in other.import_(lines).entries} == {"ignored"}
    sound(other)


def _several(*columns: dict[str, Any]) -> tuple[dict[str, Any], ...]:
    return columns


COLUMNS: list[tuple[str, dict[str, Any]]] = [
    *(
        ("record", fields)
        for fields in _several(
            {"id": "UPPER"},
            {"id": ""},
            {"id": "a" * 65},
            {"id": 5},
            {"revision": 0},
            {"revision": 2},
            {"revision": True},
            {"revision": 2**64},
            {"time": 2**63},
            {"time": 253402300800000000},
            {"time": None},
            {"time": "2024"},
            {"recorded_at": -1},
            {"recorded_at": 4_000_000_000_000_000},
            {"retired_at": 5, "closed_by": "r1"},
            {"closed_by": "r1"},
            {"opened_by": None},
            {"opened_by": "r\ud800"},
            {"kind": "Fact"},
            {"kind": ""},
            {"kind": None},
            {"text": None},
            {"text": ""},
            {"text": "\ud800"},
            {"text": ["tea"]},
            {"data": "[]"},
            {"data": "{"},
            {"data": {}},
            {"data": '{"a":' * 5000 + "1" + "}" * 5000},
            {"data": '{"a":"\\ud800"}'},
            {"metadata": "1"},
            {"aliases": "{}"},
            {"aliases": "[1]"},
            {"source": "god"},
            {"role": "king"},
            {"role": None},
            {"confidence": 2},
            {"confidence": float("nan")},
            {"pinned": 2},
            {"pinned": True},
            {"quarantined": None},
            {"part": 1},
            {"part": 1, "start": 5, "stop": 5},
            {"part": 1, "start": 0, "stop": 5},
            {"document": None},
            {"document": -1},
            {"document": 1},
            {"erased_by": "r1"},
            {"time_precision": "century"},
            {"superseded_by": "A B"},
            {"fingerprint": "x"},
            {"user": None},
            {"user": " "},
            {"tenant": 3},
            {"salt": "x"},
            {"text": ...},
            {"closed_by": ...},
        )
    ),
    *(
        ("link", fields)
        for fields in (
            {"role": "DROP"},
            {"weight": float("inf")},
            {"weight": "1"},
            {"data": "[]"},
            {"position": -1},
            {"source_id": "nobody"},
            {"user": "eve"},
            {"recorded_at": None},
            {"weight": ...},
        )
    ),
    *(
        ("receipt", fields)
        for fields in ({"id": None}, {"at": 2**70}, {"verb": 5}, {"details": "[]"}, {"tenant": None}, {"undoes": ...})
    ),
    *(
        ("step", fields)
        for fields in ({"action": "erased"}, {"action": None}, {"id": "nobody"}, {"revision": 99}, {"revision": ...})
    ),
]


@pytest.mark.parametrize(("kind", "fields"), COLUMNS, ids=lambda value: str(value)[:40])
def test_a_wrong_column_is_refused_by_line(one: Memory, other: Memory, kind: str, fields: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=r"line \d+"):
        other.import_(changed(whole(one), kind, **fields))
    assert other.stats(everything=True).walls == 0


@pytest.mark.parametrize(
    "lines",
    [
        ["[" * 100_000],
        [None],
        [b"{}"],
        ["5"],
        ["[]"],
        ["{}"],
        ["nothing"],
        [],
        ['{"mnemic":"export","format":99}'],
        ['{"mnemic":"export","format":null}'],
        ['{"mnemic":"export","format":1}', "[" * 100_000],
        ['{"mnemic":"export","format":1}', '{"record":5}'],
        ['{"mnemic":"export","format":1}', '{"what":{}}'],
        ['{"mnemic":"export","format":1}', '{"step":{"action":"added","id":"a","revision":1}}'],
        5,
        None,
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_is_no_export_is_refused(other: Memory, lines: Any) -> None:
    with pytest.raises(InputError):
        other.import_(lines)


def test_a_file_that_cannot_be_read_is_told_in_our_words(other: Memory, tmp_path: Path) -> None:
    (tmp_path / "latin.jsonl").write_bytes(b'{"mnemic":"export","format":1}\n\xe9\n')
    with pytest.raises(InputError, match="UTF-8"):
        other.import_(tmp_path / "latin.jsonl")
    with pytest.raises(InputError, match="none of the formats"):
        other.import_(tmp_path)
    with pytest.raises(NotFoundError):
        other.import_(tmp_path / "none")


def test_lines_must_fit_each_other(one: Memory, other: Memory) -> None:
    lines = whole(one)
    twice = next(place for place, line in enumerate(lines) if "record" in json.loads(line))
    for wrong in (
        [*lines[: twice + 1], *lines[twice:]],
        changed(lines, "record", 1, document=0),
        [line for line in lines if "record" not in json.loads(line)],
        [line for line in lines if '"revision":1,' not in line],
    ):
        with pytest.raises(InputError, match=r"line \d+"):
            other.import_(wrong)
    assert other.stats(everything=True).walls == 0


# -- walls


def test_a_scoped_import_writes_only_what_the_scope_owns(one: Memory, other: Memory) -> None:
    lines = whole(one)
    for wall in ({"user": ""}, {"user": "eve"}, {"tenant": "acme"}, {"project": "p"}):
        moved: list[dict[str, Any]] = [json.loads(line) for line in lines]
        for value in moved:
            for kind in ("record", "link"):
                if kind in value:
                    value[kind] |= wall
        with pytest.raises(InputError, match="outside the scope"):
            other.import_([json.dumps(value) for value in moved if "receipt" not in value], **ANA)
    assert other.stats(everything=True).walls == 0
    other.import_(lines, **ANA)


def test_ids_of_another_wall_are_not_taken(one: Memory) -> None:
    one.add("I am Eve", user_id="eve")
    lines = [line.replace('"user":"ana"', '"user":"bob"') for line in list[str](one.export(None, **ANA))]
    with pytest.raises(InputError, match="not acceptable"):
        one.import_(lines, user_id="bob")
    eve = one.list(user_id="eve")[0].id
    with memory(":memory:") as third:
        third.add("mine", user_id="bob")
        third.remember("Bob has", evidence=third.list(user_id="bob")[0].id, user_id="bob")
        lines = whole(third)
        place = next(n for n, line in enumerate(lines) if "link" in json.loads(line))
        lines.insert(place + 1, changed(lines, "link", target_id=eve)[place])
        receipt = one.import_(lines, user_id="bob")
    assert "left out" in receipt.notes[0]
    one.erase(eve, user_id="eve")
    assert len(one.list(user_id="bob")) == 2


def test_receipts_of_others_are_not_named(one: Memory, other: Memory) -> None:
    foreign = other.add("secret", author="boss", user_id="eve").id
    lines = changed(whole(one), "record", opened_by=foreign)
    with pytest.raises(InputError, match="not acceptable"):
        other.import_(lines, **ANA)


# -- what was erased, what was undone


def test_what_rests_on_something_erased_does_not_come_back(tmp_path: Path, other: Memory) -> None:
    with memory(tmp_path / "a.db") as found:
        said = found.add("my PIN is 1234", **ANA).ids[0]
        before = whole(found)
        fact = found.remember("the PIN is 1234", evidence=said, **ANA).ids[0]
        more = found.remember("1234 is the PIN", evidence=fact, **ANA).ids[0]
        lines = whole(found)
    other.import_(before)
    other.erase(said, **ANA)
    receipt = other.import_(lines)
    told = {entry.id: (entry.action, entry.reason) for entry in receipt.entries}
    assert told[said] == ("ignored", "it was erased here")
    assert told[fact] == ("ignored", f"it rests on '{said}', which was erased here")
    assert told[more][0] == "ignored"
    assert not any("1234" in line for line in whole(other))
    sound(other)


def test_an_undone_import_can_be_made_again(one: Memory, other: Memory) -> None:
    lines = whole(one)
    before = [record.id for record in one.list(**ANA)]
    for _ in range(2):
        done = other.import_(lines)
        assert [record.id for record in other.list(**ANA)] == before
        other.undo(done.id, **ANA)
        assert not list(other.list(**ANA))
    restored = other.import_(lines)
    assert {entry.action for entry in restored.entries} == {"restored", "ignored"}
    assert [record.id for record in other.list(**ANA)] == before
    sound(other)


def test_long_messages_come_in_whole_and_stay_in_one_piece(tmp_path: Path, other: Memory) -> None:
    with memory(tmp_path / "a.db") as found:
        found.add({"role": "user", "content": "It rained in Porto all day. " * 400, "id": "m"}, session_id="s", **ANA)
        found.add("And then?", session_id="t", **ANA)
        fact = found.remember("Porto is wet", evidence=found.list(**ANA)[0].id, session_id="t", **ANA).ids[0]
        found.update(fact, text="Porto is very wet", **ANA)
        lines = whole(found)
        partly = list(found.export(None, session_id="s", **ANA))
    torn = [line for line in lines if '"part":1,' not in line]
    with pytest.raises(InputError, match=r"line \d+"):
        other.import_(torn)
    other.import_(partly)
    other.import_(lines, **ANA)
    sound(other)
    pieces = [record for record in other.list(limit=100, **ANA) if record.passage]
    assert len(pieces) > 1
    retired = other.retire(pieces[-1].id, **ANA)
    assert {entry.id for entry in retired.entries} >= {record.id for record in pieces}
    assert other.search("very wet Porto", **ANA)[0].id == fact


def test_a_record_may_rest_on_a_shared_one(tmp_path: Path, other: Memory) -> None:
    with memory(tmp_path / "a.db") as found:
        said = found.add("The office is closed", shared=True).ids[0]
        fact = found.remember("Ana stays at home", evidence=said, **ANA).ids[0]
        lines, own = whole(found), list(found.export(None, **ANA))
    other.import_(lines)
    assert said in {piece.id for piece in other.get(fact, **ANA).evidence}
    with memory(":memory:") as third:
        assert "left out" in third.import_(own, **ANA).notes[0]
        assert said not in {piece.id for piece in third.get(fact, **ANA).evidence}


def test_the_clock_of_the_store_never_goes_back(one: Memory, tmp_path: Path) -> None:
    clock = FrozenClock(START)
    clock.advance(1000)
    with Memory(tmp_path / "late.db", embedder=None, clock=clock, recipe="none") as late:
        late.add("first", user_id="eve")
        before = late.add("second", user_id="eve").at
        clock.advance(-500)
        assert late.import_(whole(one)).at > before


def test_a_whole_number_as_confidence_does_not_break_the_chain(one: Memory, other: Memory) -> None:
    other.import_(changed(whole(one), "record", confidence=1))
    sound(other)
