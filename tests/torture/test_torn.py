"""A call that fails at any of its statements leaves nothing in the file or a cache, and the next one works."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mnemic import Memory
from mnemic.errors import DiskFullError
from mnemic.frame import _WallCache
from mnemic.stores.sqlite import Snapshot, Transaction
from mnemic.testing import FrozenClock, HashEmbedder

from .sound import assert_rebuilt_alike, assert_sound

WHO = {"user_id": "ana"}


class TornError(Exception):
    """What tears a call."""


class _Tear:
    """Raises at the n-th statement of a transaction."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.left: int | None = None
        for kind, name in ((Transaction, "run"), (Transaction, "run_many"), (Snapshot, "rows"), (Snapshot, "row")):
            monkeypatch.setattr(kind, name, self._torn(getattr(kind, name)))

    def _torn(self, statement: Callable[..., Any]) -> Callable[..., Any]:
        def torn(one: Snapshot, *given: Any, **values: Any) -> Any:
            if self.left is not None and isinstance(one, Transaction):
                self.left -= 1
                if self.left < 0:
                    raise TornError
            return statement(one, *given, **values)

        return torn


@pytest.fixture
def tear(monkeypatch: pytest.MonkeyPatch) -> _Tear:
    return _Tear(monkeypatch)


def _filled(path: Path) -> tuple[Memory, dict[str, Any]]:
    clock = FrozenClock()
    memory = Memory(path, embedder=HashEmbedder(32), recipe="none", clock=clock)
    memory.add([{"role": "user", "content": f"sentence {n} of rain", "id": f"m{n}"} for n in range(20)], **WHO)
    episode = memory.add("Ana lives in Porto", **WHO).entries[0].id
    fact = memory.remember("lives in Porto", subject="Ana", key="home", evidence=episode, **WHO).entries[0].id
    retired = memory.retire(memory.add("to be retired", **WHO).entries[0].id, **WHO)
    other = Memory(":memory:", embedder=HashEmbedder(32), recipe="none", clock=clock)
    other.add("from another store", **WHO)
    return memory, {
        "episode": episode,
        "fact": fact,
        "retired": retired,
        "foreign": other.export(**WHO),
    }


VERBS: dict[str, Callable[[Memory, dict[str, Any]], object]] = {
    "add": lambda m, _: m.add("a new sentence", **WHO),
    "add many": lambda m, _: m.add([f"many sentences, {n}" for n in range(30)], **WHO),
    "add long": lambda m, _: m.add(". ".join(f"long sentence number {n}" for n in range(200)), **WHO),
    "edit": lambda m, _: m.add({"role": "user", "content": "sentence 3 of snow", "id": "m3"}, **WHO),
    "new wall": lambda m, _: m.add("somebody new", user_id="eva"),
    "remember": lambda m, g: m.remember("moved to Braga", subject="Ana", key="home", evidence=g["episode"], **WHO),
    "update": lambda m, g: m.update(g["fact"], text="lives in Faro", **WHO),
    "retire": lambda m, g: m.retire(g["fact"], **WHO),
    "undo": lambda m, g: m.undo(g["retired"], **WHO),
    "erase": lambda m, g: m.erase(g["episode"], **WHO),
    "erase all": lambda m, _: m.erase(all_of=True, **WHO),
    "import": lambda m, g: m.import_(g.setdefault("once", list(g["foreign"]))),
    "rebuild": lambda m, _: m.rebuild(**WHO),
}


@pytest.mark.parametrize("verb", VERBS)
def test_a_torn_call_leaves_nothing(verb: str, tmp_path: Path, tear: _Tear) -> None:
    memory, given = _filled(tmp_path / "torn.db")
    before = _state(memory)
    for statements in itertools.count():
        tear.left = statements
        try:
            VERBS[verb](memory, given)
        except TornError:
            tear.left = None
            assert _state(memory) == before, f"torn at statement {statements}"
            if statements % 7 == 0:
                assert_sound(memory)
        else:
            break
    tear.left = None
    assert statements > 2
    assert verb == "rebuild" or _state(memory) != before
    memory.add("and life goes on", **WHO)
    with Memory(tmp_path / "torn.db", embedder=HashEmbedder(32), recipe="none") as fresh:
        assert _state(fresh) == _state(memory)
    assert_sound(memory)
    assert_rebuilt_alike(memory, ["Porto", "sentence of rain"], **WHO)
    memory.close()


def _state(memory: Memory) -> tuple[list[str], list[list[tuple[str, float]]]]:
    lines = list(memory.export(everything=True))
    found = [
        [(hit.id, hit.score) for hit in memory.search(query, user_id=["ana", "eva"])]
        for query in ("Porto", "sentence 3", "where does Ana live")
    ]
    return lines, found


def test_a_torn_read_leaves_no_half_frame(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    memory, _ = _filled(tmp_path / "read.db")
    before = _state(memory)
    memory.add("one more", **WHO)
    memory.retire(memory.search("sentence 7", **WHO)[0].id, **WHO)
    wanted = _state(Memory(tmp_path / "read.db", embedder=HashEmbedder(32), recipe="none"))
    for name in ("_take", "_join_neighbours", "_take_segment", "_built", "_read_again"):
        for late in (False, True):
            memory.add(f"{name} {late}", **WHO)
            memory.undo(memory.retire(memory.search(name, **WHO)[0].id, **WHO), **WHO)
            whole = getattr(_WallCache, name)

            def torn(cache: _WallCache, *given: Any, whole: Any = whole, late: bool = late) -> None:
                if late:
                    whole(cache, *given)
                raise TornError

            monkeypatch.setattr(_WallCache, name, torn)
            memory.add(f"again {name} {late}", **WHO)
            with contextlib.suppress(TornError):
                memory.search("Porto", **WHO)
            monkeypatch.setattr(_WallCache, name, whole)
            fresh = Memory(tmp_path / "read.db", embedder=HashEmbedder(32), recipe="none")
            assert _state(memory) == _state(fresh), name
            fresh.close()
    assert wanted != before
    memory.close()


def test_a_full_disk(tmp_path: Path) -> None:
    memory = Memory(tmp_path / "full.db", embedder=HashEmbedder(32), recipe="none")
    memory.add("the first", **WHO)
    writer = memory._store._writer
    assert writer is not None
    pages = writer.execute("PRAGMA page_count").fetchone()[0]
    writer.execute(f"PRAGMA max_page_count = {pages + 30}")
    kept, before = 0, _state(memory)
    with contextlib.suppress(DiskFullError):
        while True:
            memory.add([f"sentence {kept} {n} " + "and so on " * 10 for n in range(20)], **WHO)
            kept, before = kept + 1, _state(memory)
            assert kept < 1000
    assert _state(memory) == before
    assert len(memory.list(limit=10_000, **WHO)) == 1 + 20 * kept
    assert_sound(memory)
    writer.execute("PRAGMA max_page_count = 1000000")
    memory.add("room again", **WHO)
    assert_sound(memory)
    memory.close()
