"""What fades: a link says how much of a record is left, and every read goes by it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mnemic import Memory, Receipt
from mnemic.changes import Changes, link_to
from mnemic.commit import commit
from mnemic.fading import FADES
from mnemic.lookup import latest_of, stamp_for
from mnemic.testing import FrozenClock, HashEmbedder
from tests.properties.machine import START

WHO = {"user_id": "ana"}


@contextmanager
def opened(path: Path | str = ":memory:") -> Iterator[Memory]:
    with Memory(path, embedder=HashEmbedder(8), clock=FrozenClock(START), recipe="none") as memory:
        yield memory


def say(memory: Memory, *texts: str, **scope: str) -> list[str]:
    return [memory.add(text, **scope or WHO).ids[0] for text in texts]  # type: ignore[arg-type]


def fade(memory: Memory, target: str, weight: float, *, by: str | None = None, close: bool = False) -> Receipt:
    """Draw a link that lets a record fade, as upkeep does; with `close` in place of those that are there."""
    with memory._store.write() as tx:
        source = latest_of(tx, [by or target])[by or target]
        changes = Changes("upkeep", "")
        changes.links.append({**link_to(source, target, FADES), "weight": weight})
        if close:
            changes.unlinks += [row["row"] for row in tx.rows("fading", ids=f'["{target}"]', at=2**62)]
        return commit(tx, changes, stamp_for(tx, "", int(START.timestamp() * 1e6), None, None))


def shown(memory: Memory, *include: str, **more: Any) -> set[str]:
    """The texts that every way of reading shows, which are the same for all of them."""
    listed = {record.text for record in memory.list(include=include, limit=100, **WHO, **more)}
    for page in (memory.timeline(include=include, limit=100, **WHO, **more).records,):
        assert {record.text for record in page} == listed
    found = memory.search("tea bees rain", include=include, limit=100, **WHO, **more)
    assert {hit.text for hit in found} == listed
    return listed


def test_what_is_cold_is_off_every_channel_and_can_be_asked_for() -> None:
    with opened() as memory:
        tea, _ = say(memory, "I like tea.", "I keep bees.")
        fade(memory, tea, 0.0)
        assert shown(memory) == {"I keep bees."}
        assert "tea" not in str(memory.context("tea", **WHO)) + str(memory.ask("Do I like tea?", **WHO))
        assert shown(memory, "faded") == {"I like tea.", "I keep bees."}
        assert [hit.state for hit in memory.search("tea", include="faded", **WHO)] == ["current", "faded"]
        assert (memory.get(tea, **WHO).state, memory.get(tea, **WHO).text) == ("faded", "I like tea.")
        assert memory.search("tea", **WHO).explain(tea).cut == "it has faded with time: include='faded' would show it"
        assert memory.stats(**WHO).states["faded"] == 1
        assert memory.stats(**WHO).records == {"episode": 1}


def test_a_link_from_another_record_is_told_as_its_doing() -> None:
    with opened() as memory:
        tea, bees = say(memory, "I like tea.", "I keep bees.")
        fade(memory, tea, 0.0, by=bees)
        assert memory.search("tea", **WHO).explain(tea).cut == f"'{bees}' lets it fade: include='faded' would show it"


def test_the_less_is_left_the_lower_the_rank() -> None:
    with opened() as memory:
        first, second = say(memory, "Tea is what I like.", "Tea is what I liked.")
        say(memory, "I keep bees.")
        before = memory.search("tea I like", **WHO)
        assert [hit.id for hit in before][:2] == [first, second]
        assert all("fading" not in hit.signals for hit in before)
        scores: list[float] = []
        for weight in (0.9, 0.5, 0.01):
            fade(memory, first, weight, close=True)
            found = {hit.id: hit for hit in memory.search("tea I like", **WHO)}
            scores.append(found[first].score)
            assert found[second].score == pytest.approx(before[1].score)
            assert found[first].signals["fading"] < 0.0 == found[second].signals["fading"]
        assert scores == sorted(scores, reverse=True)
        assert memory.search("tea I like", **WHO)[0].id == second
        told = memory.search("tea I like", **WHO).explain(first)
        assert told.score == pytest.approx(sum(signal.share for signal in told.signals), abs=1e-5)


def test_a_whole_link_changes_no_number() -> None:
    with opened() as memory:
        tea, _ = say(memory, "I like tea.", "I keep bees.")
        before = [(hit.id, hit.score, hit.relevance) for hit in memory.search("tea", **WHO)]
        fade(memory, tea, 1.0)
        assert [(hit.id, hit.score, hit.relevance) for hit in memory.search("tea", **WHO)] == before


def test_walls_a_link_counts_only_in_its_own() -> None:
    with opened() as memory:
        (tea,) = say(memory, "We drink tea.", user_id="ben")
        (bees,) = say(memory, "I keep bees.")
        memory.remember("Everybody drinks tea.", shared=True)
        shared = memory.list()[0].id
        before = memory.search("tea", user_id="ben")
        for target in (tea, shared):  # a link of Ana's to what is not hers
            fade(memory, target, 0.0, by=bees)
        assert [(hit.id, hit.score) for hit in memory.search("tea", user_id="ben")] == [
            (hit.id, hit.score) for hit in before
        ]
        assert shown(memory) == {"I keep bees.", "Everybody drinks tea."}
        assert memory.get(shared).state == "current"


def test_several_walls_in_one_read() -> None:
    with opened() as memory:
        say(memory, "We drink tea.", user_id="ben")
        tea, _ = say(memory, "I like tea.", "I keep bees.")
        fade(memory, tea, 0.0)
        texts = {record.text for record in memory.list(user_id=["ana", "ben"])}
        assert texts == {"We drink tea.", "I keep bees."}


def test_another_process_sees_it(tmp_path: Path) -> None:
    with opened(tmp_path / "agent.db") as one, opened(tmp_path / "agent.db") as other:
        tea, _ = say(one, "I like tea.", "I keep bees.")
        assert shown(other) == {"I like tea.", "I keep bees."}
        done = fade(one, tea, 0.0)
        assert shown(other) == {"I keep bees."}
        say(one, "It will rain.")
        assert shown(other) == {"I keep bees.", "It will rain."}
        one.undo(done.id, **WHO)
        assert shown(other) == {"I like tea.", "I keep bees.", "It will rain."}


def test_undo_brings_back_the_link_that_was_replaced() -> None:
    with opened() as memory:
        tea, _ = say(memory, "I like tea.", "I keep bees.")
        fade(memory, tea, 0.0)
        done = fade(memory, tea, 1.0, close=True)
        assert shown(memory) == {"I like tea.", "I keep bees."}
        memory.undo(done.id, **WHO)
        assert shown(memory) == {"I keep bees."}


def test_export_and_import_carry_it() -> None:
    with opened() as memory, opened() as other:
        tea, _ = say(memory, "I like tea.", "I keep bees.")
        fade(memory, tea, 0.0)
        other.import_(memory.export(everything=True))
        assert shown(other) == {"I keep bees."}
        assert shown(other, "faded") == {"I like tea.", "I keep bees."}
        assert list(other.export(everything=True))[1:3] == list(memory.export(everything=True))[1:3]


def test_a_document_that_comes_later_fades_with_its_record() -> None:
    with opened() as memory:
        memory.remember("Tea at four.", **WHO)
        (record,) = memory.list(**WHO)
        fade(memory, record.id, 0.0)
        assert shown(memory) == set()
        memory.update(record.id, text="Tea at five.", **WHO)
        assert shown(memory) == set()
        assert shown(memory, "faded") == {"Tea at five."}


steps = st.lists(
    st.tuples(st.sampled_from(["say", "fade", "erase", "undo"]), st.integers(0, 9), st.sampled_from([0, 0.4])),
    max_size=14,
)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(steps)
def test_reads_go_by_the_links_of_their_instant(history: list[tuple[str, int, float]]) -> None:
    with opened() as memory:
        ids = say(memory, "I like tea.", "I keep bees.")
        texts = dict(zip(ids, ["I like tea.", "I keep bees."], strict=True))
        links: list[tuple[str, str, float]] = []  # receipt, target, weight
        past: list[tuple[datetime, set[str]]] = []
        for number, (step, which, weight) in enumerate(history):
            at = None
            if step == "say":
                (new,) = say(memory, f"Rain on day {number}.")
                texts[new] = f"Rain on day {number}."
            elif step == "undo" and links:
                receipt, *_ = links.pop(which % len(links))
                at = memory.undo(receipt, **WHO).at
            elif not texts:
                continue
            else:
                target = list(texts)[which % len(texts)]
                if step == "erase":
                    memory.erase(target, **WHO)
                    del texts[target]
                    links = [link for link in links if link[1] != target]
                    past = [(then, seen & set(texts.values())) for then, seen in past]
                else:
                    done = fade(memory, target, weight)
                    links.append((done.id, target, weight))
                    at = done.at
            cold = {target for _, target, weight in links if weight == 0}
            current = {text for id_, text in texts.items() if id_ not in cold}
            assert shown(memory) == current
            assert shown(memory, "faded") == set(texts.values())
            if at is not None:
                past.append((at, current))
        for then, seen in past:
            assert shown(memory, known_at=then) & set(texts.values()) == seen
