"""Files kept in a memory: found, versioned, undone, erased, and never taken for what the user said."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mnemic import ConflictError, InputError, Memory, NotFoundError, ScopeError
from mnemic.cabinet import Cabinet
from mnemic.testing import FrozenClock, HashEmbedder

WHO = {"user_id": "ana"}
LONG = "\n".join(
    f"Entry {number}: on that day we looked at house number {number * 7} by the river, and did not like its cellar."
    for number in range(60)
)


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock()


@pytest.fixture
def memory(clock: FrozenClock) -> Iterator[Memory]:
    with Memory(":memory:", embedder=HashEmbedder(32), clock=clock) as memory:
        yield memory


@pytest.fixture
def cabinet(memory: Memory) -> Cabinet:
    return Cabinet(memory, **WHO)


def paths(cabinet: Cabinet, path: str = "/memories") -> list[str]:
    return [one.path for one in cabinet.list(path)]


def current(memory: Memory) -> list[str]:
    return [record.text for record in memory.list(kinds="file", limit=1000, **WHO)]


# -- as records


def test_a_file_is_a_record_by_its_path(memory: Memory, cabinet: Cabinet) -> None:
    cabinet.create("/memories/houses/river.md", "The cellar is wet.\n")
    record = memory.get(key="/memories/houses/river.md", **WHO)
    assert (record.kind, record.text, record.source, record.speaker) == (
        "file",
        "The cellar is wet.\n",
        "assistant",
        "assistant",
    )
    assert record.metadata == {"path": "/memories/houses/river.md"}
    assert [piece.text for piece in record.evidence] == ["create /memories/houses/river.md"]
    assert record.id == cabinet.read("/memories/houses/river.md").id


def test_a_long_file_is_found_by_its_passage(memory: Memory, cabinet: Cabinet) -> None:
    cabinet.create("/memories/houses.md", LONG + "\nThe agent's telephone number is 555-0199.")
    cabinet.create("/memories/other.md", "Nothing about that.")
    best = memory.search("What is the telephone number of the agent?", limit=3, **WHO)[0]
    assert "555-0199" in best.text
    assert len(best.text) < 1000
    assert best.metadata == {"path": "/memories/houses.md"}
    assert memory.search("cellar", where={"path": "/memories/other.md"}, **WHO)[0].text == "Nothing about that."
    assert "555-0199" in str(memory.context("What is the telephone number of the agent?", budget=300, **WHO))


def test_a_file_is_found_by_its_name(memory: Memory, cabinet: Cabinet) -> None:
    cabinet.create("/memories/recipes/minestrone.md", "Beans, carrots, two hours.")
    cabinet.create("/memories/recipes/goulash.md", "Beef, paprika, three hours.")
    assert memory.search("minestrone", limit=1, **WHO)[0].text == "Beans, carrots, two hours."


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text + "\nOne more line.",
        lambda text: "A new first line.\n" + text,
        lambda text: text.replace("Entry 30", "ENTRY thirty and its aunt"),
        lambda text: text.replace("Entry 30: on that day we looked at house number 210 by the river, ", ""),
        lambda text: text[:-200],
    ],
    ids=["end", "front", "middle", "shorter", "cut"],
)
def test_only_the_passages_around_a_change_are_read_anew(
    memory: Memory, cabinet: Cabinet, change: Callable[[str], str]
) -> None:
    cabinet.create("/memories/log.md", LONG)
    before = memory.stats(**WHO).documents
    for _ in range(3):
        text = change(cabinet.read("/memories/log.md").text)
        cabinet.edit("/memories/log.md", change)
        assert cabinet.read("/memories/log.md").text == text
        assert "".join(sorted(current(memory), key=text.index)) == text
    assert memory.stats(**WHO).documents - before <= 9 < before


def test_many_small_insertions_make_no_heap_of_small_passages(memory: Memory, cabinet: Cabinet) -> None:
    cabinet.create("/memories/log.md", LONG)
    for number in range(60):
        place = number * 97 % 60
        cabinet.edit("/memories/log.md", lambda text, at=place: text.replace(f"Entry {at}:", f"Entry {at}: too,"))
        cabinet.edit("/memories/log.md", lambda text, at=place: f"{text}\nLine {at}.")
    whole = cabinet.read("/memories/log.md").text
    assert len(current(memory)) <= 1.6 * len(whole) / 450


def test_an_edit_that_changes_nothing_is_told_so(memory: Memory, cabinet: Cabinet) -> None:
    cabinet.create("/memories/a.md", "a")
    done = cabinet.edit("/memories/a.md", str)
    assert [(entry.action, entry.reason) for entry in done.entries] == [("ignored", "nothing would change")]
    assert len(cabinet.history("/memories/a.md")) == 1


def test_nothing_is_derived_from_a_file(memory: Memory, cabinet: Cabinet) -> None:
    memory.add("I live in Lisbon.", **WHO)
    cabinet.create(
        "/memories/user.md", "I live in Porto. I like olives. Remind me to call Bo. Forget that I live in Lisbon."
    )
    memory.upkeep(**WHO)
    told = [record.text for record in memory.list(limit=1000, **WHO) if record.derivation is not None]
    assert any("Lisbon" in text for text in told)
    assert not [text for text in told if "Porto" in text or "olives" in text or "Bo" in text]


def test_a_file_does_not_fade(cabinet: Cabinet, clock: FrozenClock) -> None:
    with Memory(":memory:", embedder="none", clock=clock, forgetting="budget:1") as memory:
        cabinet = Cabinet(memory, **WHO)
        cabinet.create("/memories/log.md", LONG)
        memory.add([{"role": "user", "content": f"Message {number}", "id": str(number)} for number in range(5)], **WHO)
        clock.advance(400 * 86_400)
        memory.upkeep(**WHO)
        assert memory.stats(**WHO).states["faded"] > 0
        assert "".join(sorted(current(memory), key=LONG.index)) == LONG


# -- versions


def test_history_tells_every_version_and_undo_takes_one_back(memory: Memory, cabinet: Cabinet) -> None:
    cabinet.create("/memories/a.md", LONG)
    cabinet.edit("/memories/a.md", lambda text: text[:300])
    cabinet.move("/memories/a.md", "/memories/b/c.md")
    gone = cabinet.remove("/memories/b")
    story = [(version.path, version.text) for version in cabinet.history("/memories/b/c.md")]
    expected = [
        ("/memories/a.md", LONG),
        ("/memories/a.md", LONG[:300]),
        ("/memories/b/c.md", LONG[:300]),
        (None, None),
    ]
    assert story == expected
    assert [(one.path, one.text) for one in cabinet.history("/memories/a.md")] == expected
    assert cabinet.history("/memories/a.md", limit=2) == cabinet.history("/memories/a.md")[2:]
    for version in reversed(cabinet.history("/memories/a.md")[1:]):
        memory.undo(version.receipt, **WHO)
    assert cabinet.read("/memories/a.md").text == LONG
    assert gone.id == cabinet.history("/memories/a.md")[3].receipt


def test_known_at_shows_the_files_that_were_held_then(memory: Memory, cabinet: Cabinet, clock: FrozenClock) -> None:
    cabinet.create("/memories/d/a.md", LONG)
    cabinet.create("/memories/d/b.md", "b")
    then = clock.advance(60)
    clock.advance(60)
    cabinet.edit("/memories/d/a.md", lambda _: "short")
    cabinet.move("/memories/d", "/memories/e")
    cabinet.remove("/memories/e/b.md")
    assert paths(cabinet) == ["/memories/e/a.md"]
    assert [(one.path, one.size) for one in cabinet.list("/memories/d", known_at=then)] == [
        ("/memories/d/a.md", len(LONG)),
        ("/memories/d/b.md", 1),
    ]
    assert cabinet.read("/memories/d/a.md", known_at=then).text == LONG
    with pytest.raises(NotFoundError):
        cabinet.read("/memories/e/a.md", known_at=then)


def test_a_directory_is_renamed_and_deleted_in_one_step(memory: Memory, cabinet: Cabinet) -> None:
    for name in ("a", "b", "deep/c", "deep/.hidden"):
        cabinet.create(f"/memories/old/{name}", f"{name}\n{LONG}")
    cabinet.create("/memories/older", "stays")
    before = {one.path: cabinet.read(one.path).text for one in cabinet.list()}
    moved = cabinet.move("/memories/old", "/memories/new/place")
    assert {one.path: cabinet.read(one.path).text for one in cabinet.list()} == {
        path.replace("/old/", "/new/place/"): text for path, text in before.items()
    }
    assert moved.count("revised") == 4
    memory.undo(moved, **WHO)
    assert {one.path: cabinet.read(one.path).text for one in cabinet.list()} == before
    gone = cabinet.remove("/memories/old")
    assert paths(cabinet) == ["/memories/older"]
    memory.undo(gone, **WHO)
    assert {one.path: cabinet.read(one.path).text for one in cabinet.list()} == before


def test_undo_refuses_where_the_path_is_taken_since(memory: Memory, cabinet: Cabinet) -> None:
    cabinet.create("/memories/a.md", "first")
    gone = cabinet.remove("/memories/a.md")
    later = cabinet.create("/memories/a.md", "second")
    with pytest.raises(ConflictError) as conflict:
        memory.undo(gone, **WHO)
    assert conflict.value.receipts == (later.id,)
    assert cabinet.read("/memories/a.md").text == "second"


@pytest.mark.parametrize("text", ["short", LONG], ids=["short", "long"])
def test_undo_makes_no_path_a_file_and_a_directory(memory: Memory, cabinet: Cabinet, text: str) -> None:
    cabinet.create("/memories/a", text)
    file_gone = cabinet.remove("/memories/a")
    cabinet.create("/memories/a/b/c", text)
    later = cabinet.edit("/memories/a/b/c", lambda text: text + "\nmore")
    with pytest.raises(
        ConflictError, match=r"later changes put something else at /memories/a: .*cascade=True"
    ) as below:
        memory.undo(file_gone, **WHO)
    assert later.id in below.value.receipts
    folder_gone = cabinet.remove("/memories/a")
    memory.undo(file_gone, **WHO)
    assert cabinet.read("/memories/a").text == text
    with pytest.raises(ConflictError, match="later changes put something else at /memories/a/b/c: "):
        memory.undo(folder_gone, **WHO)
    assert paths(cabinet) == ["/memories/a"]
    memory.undo(folder_gone, cascade=True, **WHO)
    assert paths(cabinet) == ["/memories/a/b/c"]
    memory.undo(file_gone, cascade=True, **WHO)
    assert cabinet.read("/memories/a").text == text


# -- by hand, on its passages


def test_a_passage_is_retired_erased_and_taken_over_with_its_whole_file(memory: Memory, cabinet: Cabinet) -> None:
    cabinet.create("/memories/a.md", LONG)
    passage = memory.list(kinds="file", limit=1000, **WHO)[3]
    done = memory.retire(passage.id, **WHO)
    assert current(memory) == []
    memory.undo(done, **WHO)
    assert cabinet.read("/memories/a.md").text == LONG
    memory.remember("mine now", key="/memories/a.md", source="user", **WHO)
    assert current(memory) == []
    with pytest.raises(ConflictError, match=r"File /memories/a.md already exists"):
        cabinet.create("/memories/a.md", "again")


def test_a_passage_is_not_changed_by_itself(memory: Memory, cabinet: Cabinet) -> None:
    cabinet.create("/memories/a.md", LONG)
    passage = memory.list(kinds="file", **WHO)[0]
    with pytest.raises(InputError, match=r"is a passage of a file, /memories/a.md.*: change the file as a whole"):
        memory.update(passage.id, text="other words", **WHO)
    memory.update(passage.id, pinned=True, **WHO)
    assert cabinet.read("/memories/a.md").text == LONG


def test_an_erasure_leaves_no_word_of_any_version(tmp_path: Path) -> None:
    with Memory(tmp_path / "files.db", embedder="none", recipe="none") as memory:
        cabinet = Cabinet(memory, **WHO)
        cabinet.create("/memories/a.md", f"{LONG}\nThe code is Zanzibar-7741.")
        cabinet.edit("/memories/a.md", lambda _: "nothing any more")
        cabinet.create("/memories/b.md", "kept")
        memory.erase(cabinet.read("/memories/a.md").id, **WHO)
        assert paths(cabinet) == ["/memories/b.md"]
        with pytest.raises(NotFoundError):
            cabinet.history("/memories/a.md")
        assert all(b"Zanzibar" not in file.read_bytes() for file in tmp_path.iterdir())


def test_clear_erases_all_files_and_nothing_else(memory: Memory, cabinet: Cabinet) -> None:
    memory.add("I live in Lisbon.", **WHO)
    other = Cabinet(memory, name="other", **WHO)
    other.create("/memories/a.md", "other")
    cabinet.create("/memories/a.md", LONG)
    cabinet.create("/memories/b.md", "b")
    cabinet.remove("/memories/b.md")
    done = cabinet.clear()
    assert done is not None
    assert done.verb == "erase"
    assert paths(cabinet) == []
    assert cabinet.clear() is None
    with pytest.raises(NotFoundError):
        cabinet.history("/memories/b.md")
    assert paths(other) == ["/memories/a.md"]
    assert memory.search("Where do I live?", **WHO)


def test_two_clear_at_the_same_time(tmp_path: Path) -> None:
    with Memory(tmp_path / "a.db", embedder="none", recipe="none") as memory:
        cabinet = Cabinet(memory, **WHO)
        cabinet.create("/memories/a.md", "a")
        cabinet.create("/memories/b.md", "b")
        read = cabinet._desk.reading
        others = iter([lambda: memory.erase(memory.get(key="/memories/a.md", **WHO).id, **WHO)])

        @contextmanager
        def overtaken() -> Iterator[Any]:
            with read() as seen:
                yield seen
            next(others, lambda: None)()

        cabinet._desk.reading = overtaken
        assert cabinet.clear() is not None
        assert cabinet.list() == ()


# -- whose


def test_users_cabinets_and_names_are_apart(memory: Memory, cabinet: Cabinet) -> None:
    cabinet.create("/memories/a.md", "of Ana")
    others = [
        Cabinet(memory, user_id="bo"),
        Cabinet(memory, user_id="ana", project_id="p"),
        Cabinet(memory, tenant_id="t", user_id="ana"),
        Cabinet(memory, shared=True),
        Cabinet(memory, name="coder", **WHO),
    ]
    for number, other in enumerate(others):
        assert paths(other) == []
        with pytest.raises(NotFoundError):
            other.read("/memories/a.md")
        with pytest.raises(NotFoundError):
            other.remove("/memories/a.md")
        other.create("/memories/a.md", str(number))
    assert [other.read("/memories/a.md").text for other in others] == list("01234")
    assert cabinet.read("/memories/a.md").text == "of Ana"
    assert memory.get(key="coder:/memories/a.md", **WHO).text == "4"


def test_the_scope_is_that_of_a_write(memory: Memory) -> None:
    with pytest.raises(ScopeError, match="names no user"):
        Cabinet(memory)
    with pytest.raises(InputError, match=r"Cabinet\(\) has no parameter 'userid'; did you mean 'user_id'"):
        Cabinet(memory, userid="ana")  # type: ignore[call-arg]
    bound = Cabinet(memory.scoped(user_id="ana", agent_id="scout", session_id="s1"))
    bound.create("/memories/a.md", "a")
    record = memory.get(key="/memories/a.md", **WHO)
    assert (record.scope.agent_id, record.scope.session_id) == ("scout", "s1")
    bound.clear()
    assert paths(bound) == []


@pytest.mark.parametrize(
    "wrong",
    [{"name": "a/b"}, {"name": "a\n"}, {"source": "model"}, {"max_bytes": 0}, {"max_bytes": True}, {"max_files": 0}],
)
def test_settings_that_cannot_be_are_refused(memory: Memory, wrong: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        Cabinet(memory, **WHO, **wrong)


def test_what_the_user_wrote_is_read_and_not_changed(memory: Memory, cabinet: Cabinet) -> None:
    own = Cabinet(memory, source="user", **WHO)
    own.create("/memories/rules/mine.md", "Never call me before ten.")
    assert cabinet.read("/memories/rules/mine.md").source == "user"
    for change in (
        lambda: cabinet.edit("/memories/rules/mine.md", lambda _: "Call me at six."),
        lambda: cabinet.move("/memories/rules", "/memories/elsewhere"),
        lambda: cabinet.remove("/memories/rules"),
    ):
        with pytest.raises(InputError, match=r"File /memories/rules/mine.md was written by the user"):
            change()
    own.edit("/memories/rules/mine.md", lambda text: text + " Nor after nine.")
    assert cabinet.read("/memories/rules/mine.md").text == "Never call me before ten. Nor after nine."


def test_an_edit_leaves_the_lesser_trust(memory: Memory, cabinet: Cabinet) -> None:
    cabinet.create("/memories/a.md", "one")
    Cabinet(memory, source="tool", **WHO).edit("/memories/a.md", lambda text: f"{text} two")
    assert cabinet.read("/memories/a.md").source == "tool"
    cabinet.edit("/memories/a.md", lambda text: f"{text} three")
    assert cabinet.read("/memories/a.md").source == "tool"


# -- limits and edges


def test_sizes_are_bounded(memory: Memory, cabinet: Cabinet) -> None:
    cabinet.create("/memories/a.md", "é" * 50_000)
    assert cabinet.list()[0].size == 100_000
    with pytest.raises(InputError, match=r"File /memories/a.md would have 100,001 bytes; at most 100,000 are possible"):
        cabinet.edit("/memories/a.md", lambda text: text + "x")
    with pytest.raises(InputError, match="lone surrogate"):
        cabinet.create("/memories/b.md", "\ud800")
    large = Cabinet(memory, user_id="bo", max_bytes=3_000_000)
    with pytest.raises(InputError, match="exceeds maximum line limit of 999,999 lines"):
        large.create("/memories/lines.md", "\n" * 999_999)
    assert paths(large) == []
    with pytest.raises(InputError, match="a path has at most 1024 bytes"):
        cabinet.move("/memories/a.md", f"/memories/{'x' * 1020}")
    cabinet.create("/memories/d/" + "x" * 900, "deep")
    with pytest.raises(InputError, match="a path has at most 1024 bytes"):
        cabinet.move("/memories/d", f"/memories/{'y' * 200}")


def test_there_are_only_so_many_files(memory: Memory, cabinet: Cabinet) -> None:
    few = Cabinet(memory, max_files=2, **WHO)
    few.create("/memories/a.md", LONG)
    few.create("/memories/d/b.md", "b")
    with pytest.raises(
        InputError, match=r"File /memories/c.md cannot be created: at most 2 files are possible. Delete files that"
    ):
        few.create("/memories/c.md", "c")
    few.edit("/memories/d/b.md", lambda text: text + LONG)
    few.move("/memories/d", "/memories/e")
    Cabinet(memory, name="other", max_files=1, **WHO).create("/memories/c.md", "c")
    few.remove("/memories/a.md")
    few.create("/memories/c.md", "c")
    assert paths(cabinet) == ["/memories/c.md", "/memories/e/b.md"]


@pytest.mark.parametrize("text", ["", " ", "\n\n\n", "\r\n", "\0", "a\r\nb\n", "\n" * 3000, "x" * 9000, "好" * 3000])
def test_every_text_is_kept_word_for_word(memory: Memory, cabinet: Cabinet, text: str) -> None:
    cabinet.create("/memories/a.md", text)
    cabinet.create("/memories/b.md", "other")
    assert cabinet.read("/memories/a.md").text == text
    memory.search("what is in a?", **WHO)
    memory.context("what is in a?", **WHO)
    lines = list(memory.export(**WHO))
    with Memory(":memory:", embedder="none") as copy:
        copy.import_(lines)
        assert Cabinet(copy, **WHO).read("/memories/a.md").text == text


def test_a_file_and_a_directory_cannot_have_one_path(cabinet: Cabinet) -> None:
    cabinet.create("/memories/a/b.md", "b")
    with pytest.raises(ConflictError):
        cabinet.create("/memories/a", "file")
    with pytest.raises(InputError, match=r"/memories/a/b.md is a file: /memories/a/b.md/c cannot lie below it"):
        cabinet.create("/memories/a/b.md/c", "c")
    with pytest.raises(InputError, match="cannot lie below it"):
        cabinet.create("/memories/a/b.md/c/d/e", "c")
    cabinet.create("/memories/c", "c")
    with pytest.raises(InputError, match="/memories/c is a file"):
        cabinet.move("/memories/a", "/memories/c/a")
    with pytest.raises(InputError, match="lies inside"):
        cabinet.move("/memories/a", "/memories/a/b/a")
    with pytest.raises(ConflictError):
        cabinet.move("/memories/a", "/memories/a")
    assert paths(cabinet) == ["/memories/a/b.md", "/memories/c"]


def test_paths_that_begin_alike_are_apart(cabinet: Cabinet) -> None:
    for name in ("a", "a.md", "a b", "a-", "a0", "b/a", "b/a.md"):
        cabinet.create(f"/memories/{name}", f"{name}\n{LONG}")
    for name in ("a", "a.md", "a b", "a-", "a0", "b/a"):
        assert cabinet.read(f"/memories/{name}").text == f"{name}\n{LONG}"
    cabinet.remove("/memories/a")
    cabinet.move("/memories/b/a", "/memories/a")
    assert paths(cabinet) == [
        "/memories/a",
        "/memories/a b",
        "/memories/a-",
        "/memories/a.md",
        "/memories/a0",
        "/memories/b/a.md",
    ]
    assert cabinet.read("/memories/a").text == f"b/a\n{LONG}"


def test_an_edit_is_made_of_what_is_there_at_that_moment(tmp_path: Path) -> None:
    """Each time the change is prepared, somebody else is faster; in the end it is prepared under the lock."""
    with Memory(tmp_path / "a.db", embedder=HashEmbedder(8), recipe="none") as memory:
        cabinet = Cabinet(memory, **WHO)
        cabinet.create("/memories/a.md", "0")
        calls = 0

        def change(text: str) -> str:
            nonlocal calls
            calls += 1
            if calls % 2:  # not under the lock
                cabinet.edit("/memories/a.md", lambda text: f"{text} other{calls}")
            return f"{text} mine"

        cabinet.edit("/memories/a.md", change)
        assert cabinet.read("/memories/a.md").text == "0 other1 other3 other5 mine"
        assert calls == 6


def test_where_the_embedder_fails_the_file_is_kept_and_said_to_be_found_by_words(tmp_path: Path) -> None:
    class Failing:
        name = "failing"
        dims = 4

        def embed_documents(self, texts: Sequence[str]) -> Any:
            if any("cellar" in text for text in texts):
                raise OSError("no route to host")
            return np.ones((len(texts), 4), np.float32)

        def embed_query(self, text: str) -> Any:
            return np.ones(4, np.float32)

    with Memory(tmp_path / "a.db", embedder=Failing(), recipe="none") as memory:
        cabinet = Cabinet(memory, **WHO)
        assert cabinet.create("/memories/a.md", "fine").notes == ()
        done = cabinet.create("/memories/b.md", LONG)
        assert any("found by words alone" in note for note in done.notes)
        assert cabinet.read("/memories/b.md").text == LONG
        assert memory.search("house number 21 by the river", limit=1, **WHO)[0].metadata == {"path": "/memories/b.md"}


def test_a_rebuild_and_an_export_keep_files_and_their_versions(memory: Memory, cabinet: Cabinet) -> None:
    cabinet.create("/memories/a.md", LONG)
    cabinet.edit("/memories/a.md", lambda text: text.replace("Entry 30", "ENTRY thirty").replace("Entry 59", "the end"))
    cabinet.move("/memories/a.md", "/memories/d/b.md")
    cabinet.edit("/memories/d/b.md", lambda text: LONG[:900] + text)  # what follows moves down, and is not read anew
    cabinet.edit("/memories/d/b.md", lambda text: text[:2000])
    story = [(one.path, one.text) for one in cabinet.history("/memories/d/b.md")]
    memory.rebuild(**WHO)
    assert [(one.path, one.text) for one in cabinet.history("/memories/d/b.md")] == story
    with Memory(":memory:", embedder="none") as copy:
        copy.import_(json.loads(json.dumps(list(memory.export(**WHO)))))
        again = Cabinet(copy, **WHO)
        assert [(one.path, one.text) for one in again.history("/memories/a.md")] == story
        last = again.history("/memories/a.md")[-1].receipt
        copy.undo(last, **WHO)
        assert again.read("/memories/d/b.md").text == story[3][1]
