"""Eight threads share one memory whose frames are evicted all the time: each sees its own writes, and what is there."""

from __future__ import annotations

import random
import sys
import threading
import traceback
from pathlib import Path

import pytest

from mnemic import Memory, NotFoundError
from mnemic.testing import HashEmbedder

from .sound import assert_rebuilt_alike, assert_sound

USERS = ("ana", "ben", "eva")


@pytest.mark.parametrize("where", ["file", "memory"])
def test_threads_share_a_memory(where: str, tmp_path: Path, share: float) -> None:
    url = ":memory:" if where == "memory" else tmp_path / "shared.db"
    memory = Memory(url, embedder=HashEmbedder(32), recipe="none", cache_bytes=20_000)
    failures: list[str] = []
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        threads = [threading.Thread(target=_one, args=(memory, me, int(800 * share), failures)) for me in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(600)
            assert not thread.is_alive(), "a thread hangs"
    finally:
        sys.setswitchinterval(interval)
    assert not failures, failures[0]
    assert len(memory._store._idle) <= 8
    assert not memory._store._lent
    assert_sound(memory)
    for user in USERS:
        assert_rebuilt_alike(memory, ["Zq1x7 rain", "wind and snow", "what does Zq3x11 say"], user_id=user)
    memory.close()


def _one(memory: Memory, me: int, turns: int, failures: list[str]) -> None:
    try:
        _act(memory, me, turns)
    except BaseException:
        failures.append(traceback.format_exc())


def _act(memory: Memory, me: int, turns: int) -> None:
    rng = random.Random(me)
    for number in range(turns):
        user, word = rng.choice(USERS), f"Zq{me}x{number}"
        receipt = memory.add(f"{word} tells of {rng.choice(['rain', 'snow', 'wind', 'sun'])}", user_id=user)
        (id_,) = [entry.id for entry in receipt.entries]
        assert _found(memory, word, user) == [id_]
        other = rng.choice([name for name in USERS if name != user])
        assert _found(memory, word, other) == []
        for hit in memory.search("rain or snow", limit=5, user_id=rng.choice([user, list(USERS)]), include="retired"):
            try:
                held = memory.get(hit.id, user_id=list(USERS))
            except NotFoundError:
                assert hit.text.split()[0].endswith("1"), hit  # those that are erased further down
            else:
                assert held.text == hit.text
        match number % 10:
            case 3 | 6:
                done = memory.retire(id_, user_id=user)
                assert _found(memory, word, user) == []
                if number % 10 == 6:
                    memory.undo(done, user_id=user)
                    assert _found(memory, word, user) == [id_]
            case 1:
                memory.erase(id_, user_id=user)
                assert _found(memory, word, user, include="retired") == []
            case 8:
                memory.rebuild(user_id=user)
            case _:
                pass


def _found(memory: Memory, word: str, user: str, include: str | tuple[str, ...] = ()) -> list[str]:
    hits = memory.search(word, limit=3, user_id=user, include=include)
    return [hit.id for hit in hits if hit.text.split()[0] == word]
