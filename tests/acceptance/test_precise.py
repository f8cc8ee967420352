"""`search(precise=True)`: what is called by name, in order, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bench import precise as suite
from mnemic import InputError, Memory


@pytest.fixture(scope="module")
def world() -> Iterator[tuple[Memory, dict[str, str]]]:
    memory, ids = suite.filled()
    yield memory, ids
    memory.close()


@pytest.mark.parametrize("case", suite.CASES, ids=lambda case: f"{case.group}: {case.question}")
def test_a_case(world: tuple[Memory, dict[str, str]], case: suite.Case) -> None:
    assert suite.ask(*world, case) == list(case.wanted)


def test_there_are_enough_cases_and_none_twice() -> None:
    assert len(suite.CASES) >= 80
    assert len({(case.question, str(case.how)) for case in suite.CASES}) == len(suite.CASES)


def test_what_is_said_is_not_searched(world: tuple[Memory, dict[str, str]]) -> None:
    memory, _ = world
    for text in (*suite.DRIFT, *(fact["text"] for fact in suite.FACTS.values())):
        named = {hit.text for hit in memory.search(text, precise=True, user_id="ana")}
        assert all(hit.kind != "episode" for hit in memory.search(text, precise=True, user_id="ana"))
        assert len(named) <= 4


def test_a_name_follows_each_change() -> None:
    with Memory(":memory:") as opened:
        memory = opened.scoped(user_id="ana")

        def found(question: str) -> list[str]:
            return [hit.text for hit in memory.search(question, precise=True)]

        assert found("Where is Oslo?") == []
        first = memory.remember("In Norway.", subject="Oslo")
        assert found("Where is Oslo?") == ["In Norway."]
        memory.update(first.ids[0], subject="Bergen")
        assert found("Where is Oslo?") == []
        assert found("Where is Bergen?") == ["In Norway."]
        gone = memory.retire(first.ids[0])
        assert found("Where is Bergen?") == []
        memory.undo(gone)
        assert found("Where is Bergen?") == ["In Norway."]
        memory.erase(first.ids[0])
        assert found("Where is Bergen?") == []


def test_what_it_says_where_there_is_nothing() -> None:
    with Memory(":memory:") as opened:
        memory = opened.scoped(user_id="ana")
        assert "no records in this scope" in memory.search("Oslo", precise=True).notes[0]
        memory.remember("In Norway.", subject="Oslo")
        results = memory.search("Bergen", precise=True)
        assert results.notes == ("the question names none of 1 record with a name in this scope",)
        assert (results.best, results.confidence, results.sufficient) == (None, None, False)
        with pytest.raises(InputError, match="leave one of them out"):
            memory.search("Oslo", precise=True, threshold=0.5)


def test_threads_ask_while_others_remember(tmp_path: Path) -> None:
    with Memory(tmp_path / "names.db", embedder="none") as opened:
        memory = opened.scoped(user_id="ana")
        memory.remember("In Norway.", subject="Oslo")

        def ask(number: int) -> int:
            memory.remember(f"Number {number}.", subject=f"place {number}")
            return len(memory.search("Where is Oslo?", precise=True))

        with ThreadPoolExecutor(4) as pool:
            assert list(pool.map(ask, range(60))) == [1] * 60
        assert len(memory.search("place 59 and place 3", precise=True)) == 2
