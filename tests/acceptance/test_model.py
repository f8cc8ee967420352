"""What a language model derives: asked over HTTP, with faults, killed, rebuilt, erased, within an allowance."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mnemic import Memory, Record
from mnemic.allowance import Allowance, Limit, Price
from mnemic.errors import ConfigError
from mnemic.models.chat import HttpChat
from mnemic.testing import Answer, Faults, FrozenClock, ScriptedChat

START = datetime(2026, 1, 1, tzinfo=UTC)
WHO = {"user_id": "ana"}
TOLD = re.compile(r"\[(\d+)\] [^\n]*?, (\w+): I (live|work|moved) (?:in|at|to) (\w+)")
KNOWN = re.compile(r"\((\d+)\) (\w+) (lives in|works at) (\w+)")


def answer(messages: Sequence[Mapping[str, str]]) -> str:
    """What a model that behaves answers to a prompt: a statement for each turn that it is asked about."""
    prompt = messages[1]["content"]
    known = {(who, does): number for number, who, does, _ in KNOWN.findall(prompt)}
    found: list[dict[str, Any]] = []
    for number, who, verb, where in TOLD.findall(prompt.rpartition("Turns:\n")[2]):
        relation, says = ("works_at", "works at") if verb == "work" else ("lives_in", "lives in")
        updates = known.get((who, says)) if verb == "moved" else None
        text = f"{who} {says} {where}."
        fields = {"kind": "fact", "subject": who, "relation": relation, "value": where, "text": text}
        found.append(fields | {"turns": [int(number)], "holds": True, "from": None, "to": None, "updates": updates})
    return json.dumps({"statements": found})


def opened(path: Path | str, server: ScriptedChat, **more: Any) -> Memory:
    model = HttpChat(server.url, "m", timeout=0.6, sleep=lambda seconds: None)
    steps = {"derive": model, "summarise": None}
    return Memory(path, model=steps, recipe="model", clock=FrozenClock(START + timedelta(days=99)), **more)


def talk(
    count: int, *, name: Callable[[int], str] = lambda at: f"Ilse{at}", place: str = "Town"
) -> list[dict[str, Any]]:
    return [
        {
            "role": "user",
            "name": name(at),
            "content": f"I live in {place}{at}.",
            "time": START + timedelta(hours=at),
            "session_id": f"s{at}",
        }
        for at in range(count)
    ]


def facts(memory: Memory, *include: str, **scope: Any) -> list[Record]:
    return list(memory.list(kinds="fact", order="oldest", limit=10_000, include=include, **(scope or WHO)))


def held(memory: Memory) -> list[tuple[Any, ...]]:
    """All that is derived, but for when it was recorded."""
    return sorted(
        (one.id, one.text, one.subject, one.valid_from, one.valid_to, one.derivation, [e.id for e in one.evidence])
        for one in facts(memory, "superseded", "expired")
    )


def test_a_model_reads_what_waits_for_it_and_the_receipt_says_what_it_took(tmp_path: Path) -> None:
    with ScriptedChat(answer) as server, opened(tmp_path / "a.db", server) as memory:
        done = memory.add(talk(3), **WHO)
        assert (done.pending, done.model_calls, server.requests) == (3, 0, ())
        assert {one.derivation for one in facts(memory)} <= {"rules/1"}, "what rules read at once stands in"
        kept = memory.upkeep(**WHO)
        assert (kept.pending, kept.model_calls, len(server.requests)) == (0, 3, 3)
        assert kept.tokens > 100
        assert "3 model calls" in str(kept)
        assert [one.text for one in facts(memory)] == [f"Ilse{at} lives in Town{at}." for at in range(3)]
        assert {one.derivation for one in facts(memory)} == {"model/1"}
        again = memory.upkeep(**WHO)
        assert (again.model_calls, again.derived) == (0, ())


def test_waiting_asks_in_the_call(tmp_path: Path) -> None:
    with ScriptedChat(answer) as server, opened(tmp_path / "a.db", server) as memory:
        done = memory.add(talk(2), wait=True, **WHO)
        assert (done.pending, done.model_calls) == (0, 2)
        assert {entry.action for entry in done.derived} == {"added"}
        twice = memory.add(talk(2), wait=True, **WHO)
        assert (twice.pending, twice.model_calls, twice.derived) == (0, 0, ())


def test_a_prompt_shows_what_was_known_before_the_add_and_nothing_of_its_other_segments(tmp_path: Path) -> None:
    with ScriptedChat(answer) as server, opened(tmp_path / "a.db", server) as memory:
        memory.add(talk(1, name=lambda at: "Ilse"), wait=True, **WHO)
        later = [
            {
                "role": "user",
                "name": "Ilse",
                "content": text,
                "time": START + timedelta(days=day),
                "session_id": f"d{day}",
            }
            for day, text in ((3, "I work at Acme."), (9, "I moved to Faro."))
        ]
        memory.add(later, wait=True, **WHO)
        shown = [request.messages[1]["content"] for request in server.requests[1:]]
        assert all("(1) Ilse lives in Town0." in prompt for prompt in shown)
        assert not any("(2)" in prompt for prompt in shown)
        assert [one.text for one in facts(memory)] == ["Ilse works at Acme.", "Ilse lives in Faro."]
        (old,) = (one for one in facts(memory, "superseded") if "Town0" in one.text)
        assert old.valid_to == START + timedelta(days=9)


def test_what_updates_a_fact_of_another_relation_ends_it(tmp_path: Path) -> None:
    def says(messages: Sequence[Mapping[str, str]]) -> str:
        first = {
            "subject": "Ilse",
            "relation": "does",
            "value": "play tennis",
            "text": "Ilse plays tennis.",
            "turns": [1],
        }
        second = {
            "subject": "Ilse",
            "relation": "took up",
            "value": "chess",
            "text": "Ilse took up chess.",
            "turns": [2],
        }
        if "tennis." in messages[1]["content"].rpartition("Turns:\n")[2]:
            return json.dumps({"statements": [first]})
        return json.dumps({"statements": [second | {"updates": 1}]})

    with ScriptedChat(says) as server, opened(tmp_path / "a.db", server) as memory:
        memory.add({"role": "user", "name": "Ilse", "content": "I play tennis.", "time": START}, wait=True, **WHO)
        when = START + timedelta(days=5)
        memory.add(
            {"role": "user", "name": "Ilse", "content": "Ilse took up chess instead.", "time": when}, wait=True, **WHO
        )
        now = [one.text for one in memory.list(kinds=("fact", "event"), order="oldest", **WHO)]
        assert "Ilse plays tennis." not in now
        assert "Ilse took up chess." in now
        past = memory.list(kinds=("fact", "event"), as_of=START + timedelta(days=2), **WHO)
        assert [one.text for one in past] == ["Ilse plays tennis."]


def test_with_a_fifth_of_faults_nothing_is_lost_and_nothing_comes_twice(tmp_path: Path) -> None:
    count = 150
    faults = Faults(answer, share=0.2, seed=5, silence=0.9)
    with ScriptedChat(faults) as server, opened(tmp_path / "a.db", server) as memory:
        assert memory.add(talk(count), **WHO).pending == count
        calls = 0
        for _ in range(5):
            done = memory.upkeep(**WHO)
            calls += done.model_calls
            assert done.pending == 0 or done.notes, "what is put off is told"
            if not done.pending:
                break
        assert calls == len(server.requests) <= 1.35 * count
        assert sum(faults.made.values()) > count / 8
        assert [one.text for one in facts(memory)] == [f"Ilse{at} lives in Town{at}." for at in range(count)]


def test_answers_come_in_any_order_and_are_applied_in_that_of_the_episodes(tmp_path: Path) -> None:
    def slowly(messages: Sequence[Mapping[str, str]]) -> Answer:
        number = int(TOLD.findall(messages[1]["content"])[-1][3].removeprefix("Town"))
        return Answer(answer(messages), delay=0.02 * (7 - number % 7))

    ways: list[list[tuple[Any, ...]]] = []
    for step in (answer, slowly):
        with ScriptedChat(step) as server, opened(":memory:", server) as memory:
            memory.add(talk(14, name=lambda at: ("Ilse", "Cem", "Bo")[at % 3]), **WHO)
            memory.upkeep(**WHO)
            ways.append([one[1:-1] for one in held(memory)])
    assert sorted(ways[0]) == sorted(ways[1])
    assert len(ways[0]) == 14


KILLED = """
import os, sys
from datetime import UTC, datetime, timedelta
from mnemic import Memory
from mnemic.models.chat import HttpChat
from mnemic.testing import FrozenClock

memory = Memory(
    sys.argv[1], model=HttpChat(sys.argv[2], "m"), recipe="model",
    clock=FrozenClock(datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=99)),
)
memory.upkeep(user_id="ana", progress=lambda done, of: done >= int(sys.argv[3]) and os.kill(os.getpid(), 9))
"""


def test_killed_in_the_middle_it_comes_to_the_same(tmp_path: Path) -> None:
    count = 60
    with ScriptedChat(answer) as server:
        with opened(tmp_path / "a.db", server) as memory:
            memory.add(talk(count), **WHO)
        (tmp_path / "b.db").write_bytes((tmp_path / "a.db").read_bytes())
        with opened(tmp_path / "b.db", server) as memory:
            memory.upkeep(**WHO)
            whole = held(memory)
        asked = len(server.requests)
        for so_far in (9, 30, 51):
            run = subprocess.run(
                [sys.executable, "-c", KILLED, str(tmp_path / "a.db"), server.url, str(so_far)], check=False
            )
            assert run.returncode == -9
        with opened(tmp_path / "a.db", server) as memory:
            assert memory.upkeep(**WHO).pending == 0
            assert held(memory) == whole
        again = len(server.requests) - asked
        assert again <= count + 3 * 45, "what was kept is not asked for again, but for what was under way"


def test_a_rebuild_reads_the_answers_again_and_asks_only_for_what_has_changed(tmp_path: Path) -> None:
    with ScriptedChat(answer) as server, opened(tmp_path / "a.db", server) as memory:
        added = memory.add(talk(12), wait=True, **WHO)
        memory.add(
            {"role": "user", "name": "Ilse0", "content": "I moved to Faro.", "time": START + timedelta(days=9)},
            wait=True,
            **WHO,
        )
        before, asked = held(memory), len(server.requests)
        tried = memory.rebuild(dry_run=True, **WHO)
        done = memory.rebuild(**WHO)
        assert (tried.derived, done.derived, len(server.requests)) == ((), (), asked)
        assert held(memory) == before
        memory.erase(added.ids[3], **WHO)
        memory.rebuild(**WHO)
        assert len(server.requests) == asked, "the others' answers rest on themselves alone"
        assert held(memory) == [one for one in before if "Town3." not in one[1]]


def test_an_answer_goes_with_what_it_rests_on(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with ScriptedChat(answer) as server, opened(path, server) as memory:
        done = memory.add({"role": "user", "name": "Ilse", "content": "I live in Quixada.", "time": START}, **WHO)
        memory.upkeep(**WHO)
        later = {"role": "user", "name": "Ilse", "content": "I moved to Faro.", "time": START + timedelta(days=9)}
        memory.add(later, wait=True, **WHO)
        memory.erase(done.ids[0], **WHO)
        assert [one.text for one in facts(memory)] == ["Ilse lives in Faro."]
        memory.rebuild(**WHO)
        assert [one.text for one in facts(memory)] == ["Ilse lives in Faro."]
    for file in tmp_path.iterdir():
        assert b"Quixada" not in file.read_bytes(), file.name


def test_a_limit_holds_and_what_it_stops_stays_pending(tmp_path: Path) -> None:
    price = {"openai:m": Price(1.0, 2.0), "*": Price(1.0, 2.0)}
    with ScriptedChat(answer) as server:
        allowance = Allowance(per_user=Limit(tokens=12_000), prices=price)
        with opened(tmp_path / "a.db", server, allowance=allowance) as memory:
            memory.add(talk(30), **WHO)
            done = memory.upkeep(**WHO)
            assert 0 < done.model_calls < 30
            assert done.tokens <= 12_000
            assert done.money == pytest.approx(done.tokens / 1e6, rel=1)
            assert done.pending == 30 - done.model_calls
            assert any("the budget is used up: 12,000 tokens for this user" in note for note in done.notes)
            more = memory.upkeep(**WHO)
            assert more.model_calls <= 1, "the day's limit counts what the call before has spent"
            other = memory.add(talk(1), wait=True, user_id="bo")
            assert other.model_calls == 1, "each user has a limit of their own"
        with opened(tmp_path / "a.db", server) as memory:
            assert memory.upkeep(**WHO).pending == 0
            assert len(facts(memory)) == 30


def test_a_short_time_does_a_part_and_the_next_call_the_rest(tmp_path: Path) -> None:
    def slowly(messages: Sequence[Mapping[str, str]]) -> Answer:
        return Answer(answer(messages), delay=0.05)

    with ScriptedChat(slowly) as server, opened(tmp_path / "a.db", server) as memory:
        memory.add(talk(80), **WHO)
        part = memory.upkeep(budget_ms=100, **WHO)
        assert 0 < part.pending < 80
        rest = memory.upkeep(**WHO)
        assert rest.pending == 0
        assert part.model_calls + rest.model_calls == len(server.requests) == 80
        assert len(facts(memory)) == 80


def test_a_model_that_is_down_loses_nothing(tmp_path: Path) -> None:
    with ScriptedChat(answer) as server:
        url = server.url
        with opened(tmp_path / "a.db", server) as memory:
            memory.add(talk(4), **WHO)
    model = HttpChat(url, "m", timeout=0.2, sleep=lambda seconds: None)
    with Memory(tmp_path / "a.db", model=model, recipe="model") as memory:
        done = memory.upkeep(**WHO)
        assert done.pending == 4
        assert any("of 4 messages nothing was derived" in note for note in done.notes)
        assert len(memory.list(kinds="episode", **WHO)) == 4
    with ScriptedChat(answer) as server, opened(tmp_path / "a.db", server) as memory:
        assert memory.upkeep(**WHO).pending == 0
        assert len(facts(memory)) == 4


def test_walls_hold_for_what_a_model_is_shown(tmp_path: Path) -> None:
    with ScriptedChat(answer) as server, opened(tmp_path / "a.db", server) as memory:
        memory.add(talk(1, name=lambda at: "Ilse", place="Secret"), wait=True, user_id="bo")
        memory.add(talk(1, name=lambda at: "Ilse"), wait=True, **WHO)
        assert "Secret" not in server.requests[-1].messages[1]["content"]
        assert [one.text for one in facts(memory)] == ["Ilse lives in Town0."]


def test_what_a_model_invents_is_refused_and_told(tmp_path: Path) -> None:
    invented = {"subject": "Ilse", "relation": "lives_in", "value": "Oslo", "text": "Ilse lives in Oslo.", "turns": [1]}
    said = json.dumps({"statements": [invented]})
    with ScriptedChat(said) as server, opened(tmp_path / "a.db", server) as memory:
        turn = {"role": "user", "name": "Ilse", "content": "I like tea.", "time": START}
        done = memory.add(turn, wait=True, **WHO)
        assert facts(memory) == []
        assert any("refused of what the model proposed: 1" in note for note in done.notes)


def test_each_step_may_have_a_model_of_its_own(tmp_path: Path) -> None:
    with ScriptedChat(answer) as server, ScriptedChat("Faro [1].") as other:
        derives, asks = HttpChat(server.url, "m"), HttpChat(other.url, "n")
        with Memory(":memory:", model={"derive": derives, "ask": asks}, recipe="model") as memory:
            memory.add(talk(1), wait=True, **WHO)
            memory.ask("Where does Ilse0 live?", threshold=0.0, **WHO)
            assert (len(server.requests), len(other.requests)) == (1, 1)
    with pytest.raises(ConfigError, match="'derrive': …} is no step"):
        Memory(":memory:", model={"derrive": "x"})
    with pytest.raises(ConfigError, match="recipe='model' needs one"):
        Memory(":memory:", recipe="model")
    with pytest.raises(ConfigError, match=r"pass a mnemic\.allowance\.Allowance"):
        Memory(":memory:", allowance=5)  # type: ignore[arg-type]
    with ScriptedChat(answer) as server, pytest.raises(ConfigError, match="has no price"):
        opened(":memory:", server, allowance=Allowance(per_day=Limit(money=1.0)))


def test_a_rebuild_goes_over_to_a_model_and_back(tmp_path: Path) -> None:
    towns = ("Porto", "Faro", "Braga", "Evora")
    said = [{**one, "content": f"I live in {town}."} for one, town in zip(talk(4), towns, strict=True)]
    clock = FrozenClock(START + timedelta(days=99))
    with ScriptedChat(answer) as server, Memory(tmp_path / "a.db", recipe="rules", clock=clock) as memory:
        memory.add(said[:3], **WHO)
        by_rules = held(memory)
        assert {one.derivation for one in facts(memory)} == {"rules/1"}
        model = HttpChat(server.url, "m")
        tried = memory.rebuild(model=model, dry_run=True, **WHO)
        assert (tried.model_calls, held(memory)) == (3, by_rules)
        assert {entry.action for entry in tried.derived} == {"added", "retired"}
        done = memory.rebuild(model=model, **WHO)
        assert (done.model_calls, done.derived) == (0, tried.derived)
        assert len(facts(memory)) == 3
        assert {one.derivation for one in facts(memory)} == {"model/1"}
        memory.add(said[3], wait=True, **WHO)
        assert len(server.requests) == 4, "the memory goes on with the model"
        memory.rebuild(recipe="rules", **WHO)
        assert {one.derivation for one in facts(memory)} == {"rules/1"}
        assert [one for one in held(memory) if "Evora" not in one[1]] == by_rules


def test_in_the_background_it_is_done_without_asking(tmp_path: Path) -> None:
    with ScriptedChat(answer) as server:
        with opened(tmp_path / "a.db", server, background=True) as memory:
            memory.scoped(**WHO).add(talk(20))
            assert memory.wait(60)
            assert len(facts(memory)) == 20
            assert {one.derivation for one in facts(memory)} == {"model/1"}
            assert memory.add(talk(1), **WHO).pending == 0
        assert not [one for one in threading.enumerate() if one.name == "mnemic-upkeep"]


def test_trouble_in_the_background_is_told_and_loses_nothing(tmp_path: Path) -> None:
    with ScriptedChat(500) as server, opened(tmp_path / "a.db", server, background=True) as memory:
        memory.add(talk(1), **WHO)
        assert not memory.wait(0.5)
        assert memory.add(talk(2), **WHO).pending == 2


def test_many_users_are_asked_about_side_by_side_each_within_a_limit_of_their_own(tmp_path: Path) -> None:
    under_way = most = 0
    lock = threading.Lock()

    def busy(messages: Sequence[Mapping[str, str]]) -> Answer:
        return Answer(answer(messages), delay=0.1)

    class Counting(HttpChat):
        def complete(self, *given: Any, **more: Any) -> Any:
            nonlocal under_way, most
            with lock:
                under_way += 1
                most = max(most, under_way)
            try:
                return super().complete(*given, **more)
            finally:
                with lock:
                    under_way -= 1

    users = [f"user{at}" for at in range(16)]
    allowance = Allowance(per_user=Limit(tokens=6_000))
    with ScriptedChat(busy) as server:
        model = Counting(server.url, "m")
        with Memory(tmp_path / "a.db", model=model, recipe="model", allowance=allowance) as memory:
            for at, user in enumerate(users):
                memory.add(talk(1 if at else 9), user_id=user)
            done = memory.upkeep(everything=True)
            assert most > 1
            assert all(
                [one.text for one in facts(memory, user_id=user)] == ["Ilse0 lives in Town0."] for user in users[1:]
            )
            assert 0 < done.pending < 9, "the one who says much has come to a limit, the others have not"
            assert done.pending == memory.upkeep(user_id=users[0]).pending
