"""A cabinet of files is a dict of texts by path: now, at every instant before, after every undo, and in a copy."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from mnemic import ConflictError, InputError, Memory, NotFoundError, journal
from mnemic.cabinet import Cabinet
from mnemic.testing import FrozenClock

WHO = {"user_id": "ana"}
Files = dict[str, str]
SPOTS = [
    "/memories/a",
    "/memories/b",
    "/memories/d/a",
    "/memories/d/e/b",
    "/memories/d",
    "/memories/d/e",
    "/memories/f",
]

spots = st.sampled_from(SPOTS)
texts = st.builds(
    lambda words, count: "".join(f"{words} {number} of many words that take room.\n" for number in range(count)),
    st.sampled_from(["sun", "rain", "a long day of snow"]),
    st.integers(0, 70),
)
edits = st.sampled_from(["append", "cut", "swap", "front", "same"])
steps = st.one_of(
    st.tuples(st.just("create"), spots, texts),
    st.tuples(st.just("create"), spots, texts),
    st.tuples(st.just("edit"), spots, edits),
    st.tuples(st.just("edit"), spots, edits),
    st.tuples(st.just("move"), spots, spots),
    st.tuples(st.just("remove"), spots, st.none()),
    st.tuples(st.just("undo"), st.none(), st.none()),
    st.tuples(st.just("undo one"), st.none(), st.integers(0, 20)),
)


def changed(text: str, how: str) -> str:
    return {
        "append": text + "one more line\n",
        "cut": text[: len(text) // 2],
        "swap": text.replace("many", "some", 1).replace(" 40 of", " 50 of"),
        "front": "a new first line\n" + text,
        "same": text,
    }[how]


def held(cabinet: Cabinet, at: datetime | None = None) -> Files:
    return {one.path: cabinet.read(one.path, known_at=at).text for one in cabinet.list(known_at=at)}


def under(path: str, files: Files) -> list[str]:
    return [one for one in files if one == path or one.startswith(f"{path}/")]


def after(step: tuple[str, Any, Any], files: Files) -> Files | None:
    """What a step makes of the files; None where it must be refused."""
    verb, path, more = step
    if verb == "edit":
        return {**files, path: changed(files[path], more)} if path in files else None
    if verb == "remove":
        gone = under(path, files)
        return {one: text for one, text in files.items() if one not in gone} if gone else None
    to = path if verb == "create" else more
    if under(to, files) or any(
        to.startswith(f"{one}/") for one in files if verb == "create" or one not in under(path, files)
    ):
        return None
    if verb == "create":
        return {**files, path: more}
    moved = under(path, files)
    if not moved or to.startswith(f"{path}/"):
        return None
    return {to + one.removeprefix(path) if one in moved else one: text for one, text in files.items()}


@settings(max_examples=60, deadline=None)
@given(st.lists(steps, min_size=4, max_size=16))
def test_files_are_a_dict_at_every_instant(script: list[tuple[str, Any, Any]]) -> None:
    clock = FrozenClock()
    with Memory(":memory:", embedder="none", recipe="none", clock=clock) as memory:
        cabinet = Cabinet(memory, **WHO)
        files: Files = {}
        told: list[tuple[datetime, Files]] = []
        done: list[tuple[str, Files]] = []  # receipts, and what they were made of
        for step in script:
            clock.advance(60)
            verb, path, more = step
            if verb.startswith("undo"):
                if not done:
                    continue
                place = -1 if verb == "undo" else more % len(done)
                receipt, before = done.pop(place)
                try:
                    memory.undo(receipt, **WHO)
                except ConflictError:  # later ones stand in the way
                    assert place not in (-1, len(done))
                    done.insert(place, (receipt, before))
                    assert held(cabinet) == files
                    continue
                now = held(cabinet)
                if place in (-1, len(done)):
                    assert now == before
                files = now
                if place not in (-1, len(done)):
                    done = []  # the later ones were made of something else
            else:
                expected = after(step, files)
                try:
                    if verb == "create":
                        receipt = cabinet.create(path, more)
                    elif verb == "edit":
                        receipt = cabinet.edit(path, lambda text, how=more: changed(text, how))
                    elif verb == "move":
                        receipt = cabinet.move(path, more)
                    else:
                        receipt = cabinet.remove(path)
                except (NotFoundError, ConflictError, InputError):
                    assert expected is None, step
                else:
                    assert expected is not None, step
                    if any(entry.action != "ignored" for entry in receipt.entries):
                        done.append((receipt.id, files))
                    files = expected
            assert held(cabinet) == files
            assert all(under(path, files) == [path] for path in files), "a path is a file and a directory"
            told.append((clock.advance(60), files))
        for at, then in told:
            assert held(cabinet, at) == then
        records = memory.list(kinds="file", limit=10_000, **WHO)
        assert sorted(record.metadata["path"] for record in records if record.key in files) == sorted(files)
        assert sum(len(record.text) for record in records) == sum(map(len, files.values()))
        with memory._store.read() as snapshot:
            assert list(journal.broken_links(snapshot)) == []
        with Memory(":memory:", embedder="none", recipe="none") as copy:
            copy.import_(memory.export(**WHO))
            again = Cabinet(copy, **WHO)
            assert held(again) == files
            assert told == [] or held(again, told[0][0]) == told[0][1]
