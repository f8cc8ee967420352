"""A write that is made once, whatever breaks on the way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mnemic import ConflictError, InputError, Memory, Receipt
from mnemic.once import KEPT, once
from mnemic.testing import FrozenClock

TEA: Callable[[Memory], Receipt] = lambda memory: memory.remember("Tea is green.")  # noqa: E731


class CutError(BaseException):
    """The process ends here."""


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock(datetime(2026, 6, 1, tzinfo=UTC))


@pytest.fixture
def whole(tmp_path: Path, clock: FrozenClock) -> Iterator[Memory]:
    with Memory(tmp_path / "agent.db", clock=clock) as memory:
        yield memory


@pytest.fixture
def ana(whole: Memory) -> Memory:
    return whole.scoped(user_id="ana")


def test_asked_again_it_gives_the_first_receipt(ana: Memory, tmp_path: Path) -> None:
    first = once(ana, "k", b"tea", TEA, whole=True)
    assert once(ana, "k", b"tea", TEA, whole=True) == first
    with Memory(tmp_path / "agent.db") as other:  # in another process, after a restart
        assert once(other.scoped(user_id="ana"), "k", b"tea", TEA, whole=True) == first
    assert len(ana.journal()) == 1


def test_a_key_is_for_one_request_and_for_one_scope(whole: Memory, ana: Memory) -> None:
    first = once(ana, "k", b"tea", TEA, whole=True)
    with pytest.raises(ConflictError) as refused:
        once(ana, "k", b"coffee", TEA, whole=True)
    assert refused.value.receipts == (first.id,)
    for scope in (
        {"user_id": "ben"},
        {"user_id": "ana", "tenant_id": "acme"},
        {"user_id": "ana", "project_id": "home"},
    ):
        assert once(whole.scoped(**scope), "k", b"tea", TEA, whole=True).id != first.id


def test_a_call_that_was_broken_off_behind_its_write_is_told_from_the_journal(ana: Memory) -> None:
    def cut(memory: Memory) -> Receipt:
        memory.add(["I live in Porto.", "I like tea."])
        raise CutError

    with pytest.raises(CutError):
        once(ana, "k", b"x", cut, whole=True)
    again = once(ana, "k", b"x", cut, whole=True)
    assert again.verb == "add"
    assert again.count("added") == 2
    assert "done before" in again.notes[0]
    assert len(ana.list(kinds="episode")) == 2


def test_a_call_that_failed_before_its_write_is_made(ana: Memory) -> None:
    with pytest.raises(InputError):
        once(ana, "k", b"x", lambda memory: memory.remember(""), whole=True)
    assert once(ana, "k", b"x", TEA, whole=True).count("added") == 1


def test_upkeep_goes_on_where_it_was_broken_off(ana: Memory) -> None:
    ana.add([f"I live in {place}." for place in ("Porto", "Braga")] * 60)

    def cut(memory: Memory) -> Receipt:
        memory.upkeep()
        raise CutError

    with pytest.raises(CutError):
        once(ana, "k", b"x", cut, whole=False)
    done = once(ana, "k", b"x", lambda memory: memory.upkeep(), whole=False)
    assert done.pending == 0
    assert once(ana, "k", b"x", cut, whole=False) == done


def test_many_at_once_write_once(ana: Memory) -> None:
    with ThreadPoolExecutor(8) as pool:
        receipts = list(pool.map(lambda _: once(ana, "k", b"tea", TEA, whole=True).id, range(24)))
    assert len(set(receipts)) == 1
    assert len(ana.journal()) == 1


def test_a_dry_run_uses_no_key_up(ana: Memory) -> None:
    told = ana.remember("Tea is green.")
    assert once(ana, "k", b"x", lambda memory: memory.erase(told.ids, dry_run=True), whole=True).dry_run
    assert once(ana, "k", b"y", lambda memory: memory.erase(told.ids), whole=True).count("erased") == 1


def test_an_erasure_takes_along_what_calls_were_asked_and_answered(ana: Memory, tmp_path: Path) -> None:
    secret = "the-word-that-nobody-may-know"
    told = once(ana, "k1", secret.encode(), lambda m: m.retire(m.remember("x").ids, reason=secret), whole=True)
    ana.erase(ana.remember(secret).ids)
    ana.erase([told.ids[0]])
    again = once(ana, "k1", b"", TEA, whole=True)
    assert again.id != ""
    assert secret not in str(again)
    held = b"".join(path.read_bytes() for path in tmp_path.iterdir() if path.is_file())
    assert secret.encode() not in held


def test_keys_are_forgotten_after_a_while(ana: Memory, clock: FrozenClock) -> None:
    first = once(ana, "k", b"tea", TEA, whole=True)
    clock.advance((KEPT + timedelta(days=1)).total_seconds())
    once(ana, "other", b"x", lambda memory: memory.remember("x"), whole=True)
    assert once(ana, "k", b"tea", TEA, whole=True).id != first.id


@pytest.mark.parametrize("key", ["", " ", "x" * 256, "two\nlines"])
def test_a_key_that_cannot_be_is_refused(ana: Memory, key: str) -> None:
    with pytest.raises(InputError, match="idempotency key"):
        once(ana, key, b"x", TEA, whole=True)
