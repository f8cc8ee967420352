"""Summaries in a model's words: over HTTP, with faults, killed, rebuilt, erased, within limits and walls."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mnemic import Memory
from mnemic.allowance import Allowance, Limit, Price
from mnemic.errors import ConfigError
from mnemic.models.chat import HttpChat
from mnemic.testing import Answer, Faults, FrozenClock, ScriptedChat

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
"""A Monday."""
WHO = {"user_id": "ana"}
LINE = re.compile(r"^\[(\d+)\] [^\n]*?, \d\d:\d\d, (\w+): I ([^\n]+)$", re.MULTILINE)
SAID = ("I moved to Antwerp by train.", "I painted the kitchen green.", "I bought a red canoe.")


def tell(messages: Sequence[Mapping[str, str]]) -> str:
    """What a model that behaves answers: "I moved" as "Ana moved", with its turn."""
    found = LINE.findall(messages[1]["content"])
    return json.dumps({"sentences": [{"text": f"{who} {what}", "turns": [int(at)]} for at, who, what in found]})


def chat(server: ScriptedChat, name: str = "m") -> HttpChat:
    return HttpChat(server.url, name, timeout=0.6, sleep=lambda seconds: None)


def opened(path: Path | str, server: ScriptedChat | None, **more: Any) -> Memory:
    clock = FrozenClock(START + timedelta(days=99))
    steps = {} if server is None else {"model": {"summarise": chat(server)}}
    return Memory(path, **{"embedder": "none", "clock": clock, "recipe": "rules", **steps, **more})


def add(memory: Memory, texts: Sequence[str] = SAID, *, day: int = 0, **more: Any) -> list[str]:
    """A session a text, one a day."""
    messages = [
        {
            "role": "user",
            "name": "Ana",
            "content": text,
            "time": START + timedelta(days=day + at),
            "session_id": text[-9:],
        }
        for at, text in enumerate(texts)
    ]
    return list(memory.add(messages, **{**WHO, **more}).ids)


def summaries(memory: Memory, **scope: Any) -> dict[str, str]:
    found = memory.list(kinds="summary", limit=1000, **(scope or WHO))
    return {str(one.key): one.text for one in found}


def everything(memory: Memory) -> list[Any]:
    """The summaries with all that they say."""
    found = memory.list(kinds="summary", limit=1000, **WHO)
    return sorted((one.key, one.id, one.text, one.data, one.time, [e.id for e in one.evidence]) for one in found)


def test_summaries_are_told_in_the_words_of_the_model_with_evidence_and_data_as_before(tmp_path: Path) -> None:
    with ScriptedChat(tell) as server, opened(":memory:", None) as plain, opened(tmp_path / "a.db", server) as memory:
        add(plain)
        plain.upkeep(**WHO)
        add(memory)
        done = memory.upkeep(**WHO)
        assert (done.model_calls, len(server.requests), done.notes) == (5, 5, ())
        assert done.tokens > 500
        assert summaries(memory)["summary:week:2026-W10"].splitlines() == [
            *("2026-03-02", "Ana moved to Antwerp by train."),
            *("2026-03-03", "Ana painted the kitchen green."),
            *("2026-03-04", "Ana bought a red canoe."),
        ]
        assert summaries(memory)["summary:month:2026-03"] == summaries(memory)["summary:week:2026-W10"]
        for key in summaries(plain):
            one, other = plain.get(key=key, **WHO), memory.get(key=key, **WHO)
            retold = other.data.pop("retold")
            assert retold["model"] == "openai:m"
            assert retold["refused"] == 0
            assert [line["text"] for line in other.data["lines"]] == [line["text"] for line in one.data["lines"]]
            assert [piece.text for piece in other.evidence] == [piece.text for piece in one.evidence]
            assert {piece.id for piece in other.evidence} == {
                id_ for told in retold["sentences"] for id_ in told["evidence"]
            }
            assert (one.time, one.valid_from, one.kind, one.derivation, one.source) == (
                *(other.time, other.valid_from, other.kind, other.derivation, other.source),
            )
        kept = [entry for entry in done.views if entry.id == memory.get(key="summary:month:2026-03", **WHO).id]
        assert [(entry.action, entry.revision) for entry in kept] == [("added", 2)]
        again = memory.upkeep(**WHO)
        assert (again.model_calls, again.views, again.notes) == (0, (), ())


def test_only_the_path_of_a_change_is_asked_about(tmp_path: Path) -> None:
    with ScriptedChat(tell) as server, opened(tmp_path / "a.db", server) as memory:
        add(memory)
        add(memory, ["I sold the green sofa cheaply."], day=40)
        memory.upkeep(**WHO)
        before, asked = summaries(memory), len(server.requests)
        add(memory, ["I planted a pear tree."], day=3)
        assert memory.upkeep(**WHO).model_calls == 3
        changed = {key for key, text in summaries(memory).items() if before.get(key) != text}
        assert changed == {"summary:session:2026-W10:ear tree.", "summary:week:2026-W10", "summary:month:2026-03"}
        prompts = [request.messages[1]["content"] for request in server.requests[asked:]]
        assert all("I planted a pear tree." in prompt for prompt in prompts)
        add(memory, ["Thanks, that's great!"], day=4)
        assert memory.upkeep(**WHO).model_calls == 0, "what changes no extract is not asked about"


def test_which_model_tells(tmp_path: Path) -> None:
    with ScriptedChat(tell) as server, ScriptedChat(tell) as other:
        one, two = chat(server), chat(other, "n")
        for model, recipe, asks in (
            (one, "model", "m"),
            ({"derive": one, "ask": two}, None, "m"),
            ({"derive": one, "summarise": two}, None, "n"),
            ({"summarise": two}, None, "n"),
            ({"derive": one, "summarise": None}, None, None),
            ({"ask": one}, None, None),
            (one, "rules", None),
        ):
            with Memory(":memory:", model=model, recipe=recipe, embedder="none") as memory:
                add(memory, SAID[:1])
                memory.upkeep(**WHO)
                told = memory.get(key="summary:week:2026-W10", **WHO).data.get("retold", {})
                assert told.get("model", "").removeprefix("openai:") == (asks or ""), (model, recipe)
    with pytest.raises(ConfigError, match="'sumarise': …} is no step; did you mean 'summarise'"):
        Memory(":memory:", model={"sumarise": "x"})
    with ScriptedChat(tell) as server, pytest.raises(ConfigError, match="has no price"):
        opened(":memory:", server, allowance=Allowance(per_day=Limit(money=1.0)))


def test_without_a_model_nothing_changes(tmp_path: Path) -> None:
    """And a memory that is opened without one leaves what was told, and notes what changed for whoever has it."""
    with ScriptedChat(tell) as server:
        with opened(tmp_path / "a.db", server) as memory:
            add(memory)
            memory.upkeep(**WHO)
            told = summaries(memory)
        with opened(tmp_path / "a.db", None) as memory:
            assert memory.upkeep(**WHO).views == ()
            assert summaries(memory) == told
            add(memory, ["I planted a pear tree."], day=3)
            done = memory.upkeep(**WHO)
            assert (done.model_calls, done.notes) == (0, ())
            assert "Ana: I planted a pear tree." in summaries(memory)["summary:week:2026-W10"]
        with opened(tmp_path / "a.db", server) as memory:
            assert memory.upkeep(**WHO).model_calls == 2, "the new session was never told in a model's words"
            assert "Ana planted a pear tree." in summaries(memory)["summary:week:2026-W10"]
            tree = next(one.id for one in memory.list(kinds="episode", **WHO) if "pear" in one.text)
        with opened(tmp_path / "a.db", None) as memory:
            memory.undo(memory.retire(tree, **WHO), **WHO)
            memory.upkeep(**WHO)
            assert "Ana: I planted a pear tree." in summaries(memory)["summary:week:2026-W10"]
        with opened(tmp_path / "a.db", server) as memory:
            done = memory.upkeep(**WHO)
            assert (done.model_calls, done.notes) == (0, ()), "these sentences have their answer"
            assert "Ana planted a pear tree." in summaries(memory)["summary:week:2026-W10"]
        with opened(tmp_path / "b.db", None) as memory:
            add(memory)
            memory.upkeep(**WHO)
            with memory._store.read() as snapshot:  # pyright: ignore[reportPrivateUsage]
                assert snapshot.rows("stale_counts", job="untold", but="") == []
            assert not any("retold" in str(one) for one in everything(memory))


@pytest.mark.parametrize(
    ("step", "why"),
    [
        (Answer("the model fell over", status=500), "500"),
        (Answer("slow down", status=429, headers={"Retry-After": "0.01"}), "429"),
        (Answer("", delay=1.5), "timed out"),
        (Answer("I'm sorry, but I can't help with that."), "no list of sentences"),
        (Answer("x", refusal="No."), "refus|declin"),
        (Answer(""), "empty|nothing"),
        (Answer('{"sentences": [{"text": "Ana mo', finish="length"), "broken off|cut"),
        (Answer(tell([{}, {"content": ""}]), cut="before"), "closed|end|hung|broke|connection"),
    ],
    ids=["500", "429", "slow", "prose", "refusal", "empty", "cut", "hang up"],
)
def test_what_fails_is_put_off_and_the_extract_stands(tmp_path: Path, step: Answer, why: str) -> None:
    with ScriptedChat(step) as server, opened(tmp_path / "a.db", server) as memory:
        add(memory, SAID[:1])
        done = memory.upkeep(**WHO)
        assert "Ana: I moved to Antwerp by train." in summaries(memory)["summary:week:2026-W10"]
        (note,) = done.notes
        assert note.startswith("3 summaries are still told in extracts: ")
        assert re.search(why, note, re.IGNORECASE), note
        assert done.model_calls == len(server.requests) > 0
    with ScriptedChat(tell) as server, opened(tmp_path / "a.db", server) as memory:
        done = memory.upkeep(**WHO)
        assert (done.model_calls, done.notes) == (3, ())
        assert summaries(memory)["summary:week:2026-W10"] == "2026-03-02\nAna moved to Antwerp by train."


@pytest.mark.parametrize("step", [Answer("I'd rather not."), Answer("x", refusal="No.")], ids=["prose", "refusal"])
def test_who_declines_again_and_again_is_asked_no_more(tmp_path: Path, step: Answer) -> None:
    with ScriptedChat(step) as server, opened(tmp_path / "a.db", server) as memory:
        add(memory, SAID[:1])
        notes = [memory.upkeep(**WHO).notes for _ in range(4)]
        assert [len(some) for some in notes] == [1, 1, 1, 0]
        assert [some[0].partition(":")[0] for some in notes[:3]] == [
            *("3 summaries are still told in extracts", "3 summaries are still told in extracts"),
            "3 summaries stay extracts",
        ]
        asked = len(server.requests)
        memory.rebuild(**WHO)
        assert len(server.requests) == asked
        add(memory, SAID[1:2], day=1)
        assert memory.upkeep(**WHO).model_calls > 0, "what has changed is asked about"


@pytest.mark.parametrize(
    "wrap",
    [
        lambda text: Answer(text, think='Is it {"sentences": []}? No.'),
        lambda text: Answer(f"<think>Hm.</think>\n```json\n{text}\n```"),
        lambda text: Answer(f"Here you are:\n{text}\nDone."),
    ],
)
def test_thoughts_and_fences_do_not_matter(tmp_path: Path, wrap: Callable[[str], Answer]) -> None:
    with ScriptedChat(lambda messages: wrap(tell(messages))) as server, opened(tmp_path / "a.db", server) as memory:
        add(memory, SAID[:1])
        assert memory.upkeep(**WHO).notes == ()
        assert summaries(memory)["summary:week:2026-W10"] == "2026-03-02\nAna moved to Antwerp by train."


def test_with_a_fifth_of_faults_all_are_told_in_the_end(tmp_path: Path) -> None:
    towns = [f"I moved to Antwerp {at}." for at in range(10, 50)]
    with ScriptedChat(tell) as server, opened(":memory:", server) as memory:
        add(memory, towns)
        memory.upkeep(**WHO)
        calm = summaries(memory)
    faults = Faults(tell, share=0.2, seed=5, silence=0.9)
    with ScriptedChat(faults) as server, opened(tmp_path / "a.db", server) as memory:
        add(memory, towns)
        calls = 0
        for _ in range(6):
            done = memory.upkeep(**WHO)
            calls += done.model_calls
            if not any("still told in extracts" in note for note in done.notes):
                break
        assert sum(faults.made.values()) > 5
        assert calls == len(server.requests)
        assert summaries(memory) == calm


def test_what_the_evidence_does_not_carry_is_left_out_and_told(tmp_path: Path) -> None:
    def invents(messages: Sequence[Mapping[str, str]]) -> str:
        told = json.loads(tell(messages))["sentences"]
        told += [
            {"text": "Ana moved to Lisbon by train.", "turns": [1]},
            {"text": "Ana moved to Antwerp by train in 2019.", "turns": [1]},
            {"text": "Ana did not move to Antwerp.", "turns": [1]},
            {"text": "Rui moved to Antwerp by train.", "turns": [1]},
        ]
        return json.dumps({"sentences": told})

    with ScriptedChat(invents) as server, opened(tmp_path / "a.db", server) as memory:
        add(memory, SAID[:1])
        done = memory.upkeep(**WHO)
        assert summaries(memory)["summary:week:2026-W10"] == "2026-03-02\nAna moved to Antwerp by train."
        assert memory.get(key="summary:week:2026-W10", **WHO).data["retold"]["refused"] == 4
        (note,) = done.notes
        assert note.startswith("refused of the sentences of summaries that the model wrote: 12, most often as ")
    lies = json.dumps({"sentences": [{"text": "Ana moved to Lisbon by train.", "turns": [1]}]})
    with ScriptedChat(lies) as server, opened(tmp_path / "b.db", server) as memory:
        add(memory, SAID[:1])
        done = memory.upkeep(**WHO)
        assert summaries(memory)["summary:week:2026-W10"] == "2026-03-02\nAna: I moved to Antwerp by train."
        assert "3 summaries stay extracts: nothing that the model wrote can be used" in done.notes
        assert memory.upkeep(**WHO).model_calls == 0, "the same is not asked again"


def test_a_rebuild_reads_the_answers_again(tmp_path: Path) -> None:
    with ScriptedChat(tell) as server, opened(tmp_path / "a.db", server) as memory:
        ids = add(memory)
        memory.upkeep(**WHO)
        before, asked = everything(memory), len(server.requests)
        tried = memory.rebuild(dry_run=True, **WHO)
        done = memory.rebuild(**WHO)
        assert (tried.derived, done.derived, len(server.requests), everything(memory)) == ((), (), asked, before)
        memory.retire(ids[1], **WHO)
        assert "kitchen" not in summaries(memory)["summary:week:2026-W10"]
        done = memory.rebuild(**WHO)
        assert done.model_calls == 2, "the week and the month have changed"
        assert "kitchen" not in str(everything(memory))
        assert all("Ana: " not in text for text in summaries(memory).values())


def test_a_rebuild_goes_over_to_a_model_and_back(tmp_path: Path) -> None:
    with ScriptedChat(tell) as server, opened(tmp_path / "a.db", None) as memory:
        add(memory)
        memory.upkeep(**WHO)
        before = everything(memory)
        steps = {"summarise": chat(server)}
        tried = memory.rebuild(model=steps, dry_run=True, **WHO)
        assert (tried.model_calls, everything(memory)) == (5, before)
        assert memory.upkeep(**WHO).views == ()
        done = memory.rebuild(model=steps, **WHO)
        assert (done.model_calls, done.derived) == (0, tried.derived)
        assert summaries(memory)["summary:week:2026-W10"].startswith("2026-03-02\nAna moved to Antwerp by train.")
        add(memory, ["I planted a pear tree."], day=3)
        assert memory.upkeep(**WHO).model_calls == 3, "it goes on with the model"
        memory.rebuild(model={"summarise": None}, **WHO)
        assert not any("retold" in str(one) for one in everything(memory))


def test_an_answer_goes_with_what_it_rests_on(tmp_path: Path) -> None:
    with ScriptedChat(tell) as server, opened(tmp_path / "a.db", server) as memory:
        ids = add(memory, ["I moved to Quixada by train.", *SAID[1:]])
        memory.upkeep(**WHO)
        memory.erase(ids[0], **WHO)
        assert "summary:session:2026-W10:by train." not in summaries(memory)
        assert "Ana: I painted the kitchen green." in summaries(memory)["summary:week:2026-W10"]
        memory.upkeep(**WHO)
        assert "Ana painted the kitchen green." in summaries(memory)["summary:week:2026-W10"]
    for file in tmp_path.iterdir():
        assert b"Quixada" not in file.read_bytes(), file.name


def test_what_is_erased_while_the_model_thinks_is_not_kept(tmp_path: Path) -> None:
    """Nor is what it derives from it."""
    both: list[Memory] = []
    ids: list[str] = []

    def model(prompt: str) -> str:
        if "Quixada" in prompt and ids:
            both[0].erase(ids.pop(), **WHO)
        said = {
            "subject": "Ana",
            "relation": "moved",
            "value": "Quixada",
            "text": "Ana moved to Quixada.",
            "turns": [1],
        }
        return json.dumps({"statements": [said], "sentences": [said]})

    for steps in ({"summarise": model}, {"derive": model, "summarise": None}):
        path = tmp_path / f"{len(steps)}.db"
        with opened(path, None) as other, opened(path, None, model=steps, recipe=None) as memory:
            both[:] = [other]
            ids[:] = add(memory, ["I moved to Quixada by train."])
            memory.upkeep(**WHO)
            assert not ids
        assert b"Quixada" not in path.read_bytes()


def test_a_part_that_is_lost_is_told(tmp_path: Path) -> None:
    cut = tell([{}, {"content": "[1] Monday 2 March 2026, 09:00, Ana: I moved to Antwerp by train."}])
    broken = Answer(f'{cut[:-2]}, {{"text": "Ana pain', finish="length")
    with ScriptedChat(broken) as server, opened(tmp_path / "a.db", server) as memory:
        add(memory, SAID[:1])
        assert memory.upkeep(**WHO).notes == ("a part of what the model answered about 3 summaries is lost",)
        assert summaries(memory)["summary:week:2026-W10"] == "2026-03-02\nAna moved to Antwerp by train."


def test_limits_hold_and_what_they_stop_stands_as_an_extract(tmp_path: Path) -> None:
    allowance = Allowance(per_user=Limit(tokens=3_500), prices={"*": Price(1.0, 2.0)})
    with ScriptedChat(tell) as server:
        with opened(tmp_path / "a.db", server, allowance=allowance) as memory:
            add(memory, [f"I moved to Antwerp {at}." for at in range(10, 16)])
            done = memory.upkeep(**WHO)
            assert 0 < done.model_calls < 8
            assert 0 < done.tokens <= 3_500
            assert done.money == pytest.approx(done.tokens / 1e6, rel=1)
            (note,) = done.notes
            assert re.match(
                r"\d summaries are still told in extracts: the budget is used up: 3,500 tokens for this", note
            )
            assert sum("Ana: " in text for text in summaries(memory).values()) == int(note[0]) == 8 - done.model_calls
            add(memory, SAID[:1], user_id="bo")
            assert memory.upkeep(user_id="bo").model_calls == 3, "each user has a limit of their own"
        with opened(tmp_path / "a.db", server) as memory:
            assert memory.upkeep(**WHO).notes == ()
            assert not any("Ana: " in text for text in summaries(memory).values())


def test_deriving_and_telling_share_the_limit_of_a_call(tmp_path: Path) -> None:
    def both(messages: Sequence[Mapping[str, str]]) -> str:
        return tell(messages) if "You sum up" in messages[0]["content"] else '{"statements": []}'

    with ScriptedChat(both) as server:
        settings: dict[str, Any] = {"recipe": "model", "model": chat(server)}
        with opened(":memory:", None, **settings) as memory:
            add(memory, SAID)
            whole = memory.upkeep(**WHO)
            assert whole.model_calls == 8
        tight = Allowance(per_call=Limit(tokens=4_700))
        with opened(":memory:", None, **settings, allowance=tight) as memory:
            add(memory, SAID)
            done = memory.upkeep(**WHO)
            assert done.pending == 0
            assert any(
                "still told in extracts: the budget is used up: 4,700 tokens for one call" in n for n in done.notes
            )


def test_a_budget_of_time_stops_it_and_the_next_call_goes_on(tmp_path: Path) -> None:
    towns = [f"I moved to Antwerp {at}." for at in range(10, 50)]
    slowly = lambda messages: Answer(tell(messages), delay=0.03)  # noqa: E731
    with ScriptedChat(slowly) as server, opened(tmp_path / "a.db", server) as memory:
        add(memory, towns)
        part = memory.upkeep(budget_ms=1, **WHO)
        assert part.notes
        for _ in range(200):
            part = memory.upkeep(budget_ms=40, **WHO)
            if not part.notes:
                break
        assert part.notes == ()
        assert not any("Ana: " in text for text in summaries(memory).values())
        assert len(server.requests) < 2 * len(summaries(memory)), "hardly any of it was asked twice"


KILLED = """
import os, sys
from datetime import UTC, datetime
from mnemic import Memory, telling
from mnemic.models.chat import HttpChat
from mnemic.testing import FrozenClock

keep, left = telling.keep, int(sys.argv[3])
def kept(*args):
    global left
    left -= 1
    if not left and sys.argv[4] == "before":
        os.kill(os.getpid(), 9)
    done = keep(*args)
    if not left:
        os.kill(os.getpid(), 9)
    return done
telling.keep = kept
memory = Memory(
    sys.argv[1], model={"summarise": HttpChat(sys.argv[2], "m")}, embedder="none", recipe="rules",
    clock=FrozenClock(datetime(2026, 7, 1, tzinfo=UTC)),
)
memory.upkeep(user_id="ana")
"""


def test_killed_in_the_middle_it_comes_to_the_same(tmp_path: Path) -> None:
    towns = [f"I moved to Antwerp {at}." for at in range(10, 40)]
    with ScriptedChat(tell) as server:
        with opened(tmp_path / "a.db", server) as memory:
            add(memory, towns)
        (tmp_path / "b.db").write_bytes((tmp_path / "a.db").read_bytes())
        with opened(tmp_path / "b.db", server) as memory:
            memory.upkeep(**WHO)
            whole = everything(memory)
        for number, place in ((1, "before"), (1, "after"), (3, "after"), (2, "before")):
            command = [sys.executable, "-c", KILLED, str(tmp_path / "a.db"), server.url, str(number), place]
            assert subprocess.run(command, check=False).returncode == -9
        with opened(tmp_path / "a.db", server) as memory:
            assert memory.upkeep(**WHO).notes == ()
            assert everything(memory) == whole
            assert memory.rebuild(dry_run=True, **WHO).derived == ()


def test_nobody_is_asked_in_a_transaction_and_many_side_by_side(tmp_path: Path) -> None:
    under_way: list[int] = []
    busy: list[int] = []
    other: list[Memory] = []

    class Counting(HttpChat):
        def complete(self, *given: Any, **more: Any) -> Any:
            under_way.append(1)
            busy.append(len(under_way))
            try:
                other[0].remember(f"Bo likes tea number {len(busy)}.", user_id="bo")  # would wait for a write lock
                return super().complete(*given, **more)
            finally:
                under_way.pop()

    slowly = lambda messages: Answer(tell(messages), delay=0.1)  # noqa: E731
    with ScriptedChat(slowly) as server, opened(tmp_path / "a.db", None) as writer:
        other.append(writer)
        model = {"summarise": Counting(server.url, "m")}
        with opened(tmp_path / "a.db", None, model=model) as memory:
            for user in ("ana", "cem", "dan"):
                add(memory, SAID, user_id=user)
            done = memory.upkeep(everything=True)
            assert done.model_calls == 15
            assert max(busy) > 3
            assert len(writer.list(kinds="fact", limit=100, user_id="bo")) == 15


def test_walls_hold_and_what_somebody_keeps_by_hand_is_not_asked_about(tmp_path: Path) -> None:
    with ScriptedChat(tell) as server, opened(tmp_path / "a.db", server) as memory:
        add(memory, ["I moved to Secrettown by train."], user_id="bo")
        add(memory, SAID[:1])
        memory.upkeep(**WHO)
        assert "Secrettown" not in str([request.messages for request in server.requests])
        week = memory.get(key="summary:week:2026-W10", **WHO)
        memory.update(week.id, text="A week of boxes.", **WHO)
        memory.remember("My March.", kind="summary", key="summary:month:2026-03", **WHO)
        asked = len(server.requests)
        add(memory, SAID[1:2], day=1)
        assert memory.upkeep(**WHO).model_calls == 1
        assert [r.messages[1]["content"].count("kitchen") for r in server.requests[asked:]] == [1]
        assert summaries(memory)["summary:week:2026-W10"] == "A week of boxes."


def test_in_the_background_what_was_put_off_is_asked_again(tmp_path: Path) -> None:
    def steps(messages: Sequence[Mapping[str, str]]) -> str | int:
        return 500 if len(server.requests) <= 12 else tell(messages)

    with ScriptedChat(steps) as server, opened(tmp_path / "a.db", server, background=True) as memory:
        add(memory, SAID[:1])
        assert memory.wait(60)
        assert summaries(memory)["summary:week:2026-W10"] == "2026-03-02\nAna moved to Antwerp by train."


def test_undone_and_erased_summaries_are_told_again(tmp_path: Path) -> None:
    with ScriptedChat(tell) as server, opened(tmp_path / "a.db", server) as memory:
        ids = add(memory)
        memory.upkeep(**WHO)
        before = summaries(memory)
        gone = memory.retire(ids[2], **WHO)
        memory.upkeep(**WHO)
        asked = len(server.requests)
        memory.undo(gone, **WHO)
        memory.upkeep(**WHO)
        assert summaries(memory) == before
        assert len(server.requests) == asked, "the same sentences have their answer"
        memory.erase(all_of=True, **WHO)
        assert summaries(memory) == {}
        assert memory.upkeep(**WHO).notes == ()
