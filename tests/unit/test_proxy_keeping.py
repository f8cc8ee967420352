"""What a proxy remembers of conversations whose clients send their whole history at each turn."""

from __future__ import annotations

import errno
import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mnemic import Memory, StoreError
from mnemic.serve.proxy import keep
from mnemic.serve.proxy.given import Placed
from mnemic.serve.proxy.keep import Exchange, Keeping
from mnemic.serve.proxy.wire import conversation_of
from mnemic.testing import HashEmbedder
from tests.upstream import openai_events, plain_openai

START = datetime(2026, 6, 2, 9, 30, tzinfo=UTC)


class Chat:
    """A client and its proxy, without the wires between them."""

    def __init__(self, file: Path, open: Callable[[], Memory] | None = None) -> None:
        self.memory = Memory(file, embedder=HashEmbedder(), recipe="none")
        self.outcomes: list[str] = []
        self._open = open or (lambda: self.memory)
        self._at = START
        self.restart()

    def restart(self) -> None:
        self.keeping = Keeping(self._open, Placed(), self.outcomes.append)

    def turn(self, history: Iterable[str], answer: str | bytes, user: str = "ana", session: str | None = None) -> None:
        """An exchange: what is said in turn by the user and the assistant, the user last, and the answer."""
        roles = ("user", "assistant")
        messages = [{"role": roles[at % 2], "content": text} for at, text in enumerate(history)]
        found = conversation_of("openai", json.dumps({"model": "m", "messages": messages}).encode())
        assert found is not None
        whole = b"".join(openai_events(answer)) if isinstance(answer, str) else answer
        self._at += timedelta(minutes=1)
        scope: Any = {"user_id": user, **({"session_id": session} if session else {})}
        times = {"asked_at": self._at, "answered_at": self._at + timedelta(seconds=5)}
        self.keeping.put(Exchange(scope, user, "openai", found.turns, whole, "", "m", **times))

    def done(self) -> None:
        self.keeping.close(5)

    def held(self, user: str = "ana", **more: Any) -> list[str]:
        """What is remembered, in order."""
        return [record.text for record in self.memory.list(user_id=user, order="oldest", kinds="episode", **more)]


@pytest.fixture
def chat(tmp_path: Path) -> Iterable[Chat]:
    made = Chat(tmp_path / "chat.db")
    yield made
    made.done()
    made.memory.close()


def test_each_turn_is_remembered_once_in_order(chat: Chat) -> None:
    chat.turn(["a"], "b")
    chat.turn(["a", "b", "c"], "d")
    chat.turn(["a", "b", "c", "d", "e"], "f")
    chat.done()
    assert chat.held() == ["a", "b", "c", "d", "e", "f"]
    records = chat.memory.list(user_id="ana", order="oldest")
    assert len({record.scope.session_id for record in records}) == 1
    assert records[2].time == START + timedelta(minutes=2)
    assert records[3].time == START + timedelta(minutes=2, seconds=5)
    assert (records[2].source, records[3].source) == ("user", "assistant")
    assert (records[2].metadata, records[3].metadata) == ({}, {"model": "m"})


def test_what_is_said_again_is_remembered_again(chat: Chat) -> None:
    said = ["go on", "1", "go on", "1", "go on", "1", "go on"]
    for end in range(1, len(said) + 1, 2):
        chat.turn(said[:end], "1")
    chat.done()
    assert chat.held() == [*said, "1"]


def test_a_request_again_changes_nothing(chat: Chat) -> None:
    for _ in range(3):
        chat.turn(["a"], "b")
    chat.turn(["a", "b", "c"], "d")
    chat.turn(["a", "b", "c"], "d")
    chat.done()
    assert chat.held() == ["a", "b", "c", "d"]
    assert chat.outcomes == ["kept", "known", "known", "kept", "known"]


def test_an_answer_made_anew_takes_over(chat: Chat) -> None:
    chat.turn(["a"], "b")
    chat.turn(["a", "b", "c"], "first")
    chat.turn(["a", "b", "c"], "second")
    chat.done()
    assert chat.held() == ["a", "b", "c", "second"]
    assert chat.held(include="superseded") == ["a", "b", "c", "first", "second"]


def test_the_answer_that_a_client_goes_on_with_is_the_one(chat: Chat) -> None:
    chat.turn(["a"], "b")
    chat.turn(["a", "b", "c"], "first")
    chat.turn(["a", "b", "c"], "second")
    chat.turn(["a", "b", "c", "first", "d"], "e")
    chat.done()
    assert chat.held() == ["a", "b", "c", "second", "first", "d", "e"], "the earlier one is so again"
    chat.restart()
    chat.turn(["a", "b", "c", "first", "d"], "e")
    chat.done()
    assert chat.outcomes[-1] == "known"


def test_a_turn_written_anew_is_another(chat: Chat) -> None:
    chat.turn(["a"], "b")
    chat.turn(["a", "b", "tpyo"], "c")
    chat.turn(["a", "b", "typo"], "d")
    chat.done()
    assert chat.held() == ["a", "b", "tpyo", "c", "typo", "d"]


def test_of_several_answers_the_one_that_is_chosen(chat: Chat) -> None:
    choices = plain_openai("first", "second").pieces[0]
    assert isinstance(choices, bytes)
    chat.turn(["a"], "b")
    chat.turn(["a", "b", "c"], choices)
    chat.turn(["a", "b", "c", "second", "d"], "e")
    chat.done()
    assert sorted(chat.held()) == ["a", "b", "c", "d", "e", "second"]


def test_a_history_whose_beginning_is_cut_off(chat: Chat) -> None:
    said = [f"turn {number}" for number in range(30)]
    for end in range(1, len(said), 2):
        chat.turn(said[max(0, end - 7) : end], said[end])
    chat.done()
    assert chat.held() == said
    assert len({record.scope.session_id for record in chat.memory.list(user_id="ana")}) == 1


@pytest.mark.parametrize("session", [None, "work"])
def test_another_process_goes_on_where_the_last_one_ended(chat: Chat, session: str | None) -> None:
    chat.turn(["a"], "b", session=session)
    chat.done()
    chat.restart()
    chat.turn(["a", "b", "c"], "d", session=session)
    chat.done()
    chat.restart()
    chat.turn(["a", "b", "c"], "d", session=session)
    chat.done()
    assert chat.held() == ["a", "b", "c", "d"]
    assert chat.outcomes == ["kept", "kept", "known"]


def test_a_conversation_that_began_elsewhere_is_remembered_whole(chat: Chat) -> None:
    chat.turn(["a", "b", "c"], "d")
    chat.done()
    assert chat.held() == ["a", "b", "c", "d"]


@pytest.mark.parametrize("session", [None, "work"])
def test_two_conversations_that_begin_alike_are_two(chat: Chat, session: str | None) -> None:
    chat.turn(["good morning"], "it rains", session=session)
    chat.turn(["good morning"], "it is sunny", session=session)
    chat.turn(["good morning", "it rains", "again?"], "again", session=session)
    chat.done()
    assert chat.held() == ["good morning", "it rains", "good morning", "it is sunny", "again?", "again"]
    sessions = {record.scope.session_id for record in chat.memory.list(user_id="ana")}
    assert len(sessions) == (1 if session else 2)


def test_what_was_erased_does_not_come_back_with_the_history(chat: Chat) -> None:
    chat.turn(["a", "b", "the code is 4471"], "d")
    chat.done()
    [record] = [one for one in chat.memory.list(user_id="ana") if "4471" in one.text]
    chat.memory.erase(record.id, user_id="ana")
    chat.restart()
    chat.turn(["a", "b", "the code is 4471", "d", "e"], "f")
    chat.done()
    assert chat.held() == ["a", "b", "d", "e", "f"]


def test_of_an_answer_that_broke_off_the_question_is_remembered(chat: Chat) -> None:
    cut = b"".join(openai_events("half of it")[:3])
    chat.turn(["a"], "b")
    chat.turn(["a", "b", "c"], cut)
    chat.done()
    assert chat.held() == ["a", "b", "c"]


def test_and_the_half_with_it_where_the_client_goes_on_with_that(chat: Chat) -> None:
    chat.turn(["a"], b"".join(openai_events("half of it")[:3]))
    chat.turn(["a", "half of ", "and then?"], "the end")
    chat.done()
    assert chat.held() == ["a", "half of ", "and then?", "the end"]


def test_users_are_apart(chat: Chat) -> None:
    chat.turn(["a"], "b", user="ana")
    chat.turn(["a"], "b", user="ben")
    chat.turn(["a", "b", "c"], "d", user="ben")
    chat.done()
    assert chat.held("ana") == ["a", "b"]
    assert chat.held("ben") == ["a", "b", "c", "d"]


def test_a_store_that_refuses_is_asked_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keep, "PAUSES", (0.0, 0.0, 0.0))
    refusals = 2

    def open() -> Memory:
        nonlocal refusals
        refusals -= 1
        if refusals >= 0:
            raise StoreError(errno.EAGAIN, "locked")
        return chat.memory

    chat = Chat(tmp_path / "chat.db", open)
    chat.turn(["a"], "b")
    chat.done()
    assert chat.held() == ["a", "b"]
    chat.memory.close()


def test_what_a_store_never_took_comes_with_the_next_request(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keep, "PAUSES", (0.0,))
    is_full = True

    def open() -> Memory:
        if is_full:
            raise StoreError(errno.ENOSPC, "full")
        return chat.memory

    chat = Chat(tmp_path / "chat.db", open)
    chat.turn(["a"], "b")
    chat.keeping._pool.submit(lambda: None).result()  # pyright: ignore[reportPrivateUsage] - until it has given up
    assert chat.outcomes == ["lost"]
    is_full = False
    chat.turn(["a", "b", "c"], "d")
    chat.done()
    assert chat.held() == ["a", "b", "c", "d"]
    chat.memory.close()


def test_what_is_too_much_is_counted_and_not_kept_waiting(chat: Chat, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keep, "MOST_WAITING", 0)
    chat.turn(["a"], "b")
    assert chat.outcomes == ["lost"]
    assert chat.keeping.waiting == 0


def test_a_text_that_no_memory_takes_is_refused_and_the_next_goes_on(chat: Chat) -> None:
    chat.turn(["a"], "b", user="x" * 600)
    chat.turn(["c"], "d")
    chat.done()
    assert chat.outcomes == ["refused", "kept"]
    assert chat.held() == ["c", "d"]
