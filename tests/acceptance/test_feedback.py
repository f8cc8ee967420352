"""`feedback`: what was used and what was wrong, from whatever process, and what searches make of it."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mnemic import InputError, Memory, NotFoundError, Results, ScopeError, StoreError, learn, ticket
from mnemic.errors import ConfigError
from mnemic.journal import broken_links
from mnemic.stores.sqlite import SqliteStore
from mnemic.testing import FrozenClock, HashEmbedder
from tests.properties.machine import START

WHO = {"user_id": "ana"}
THINGS = ("plums", "pears", "tea", "coffee")
PLACES = ("dentist", "market", "lake", "school", "park")
QUESTION = "Who went to the lake with tea?"


def turns() -> list[dict[str, Any]]:
    said = [f"I like {thing} and went to the {place}." for thing in THINGS for place in PLACES]
    return [
        {
            "role": "user",
            "content": text,
            "time": f"2024-04-02T09:{at:02d}Z",
            "session_id": f"s{at // 6}",
            "id": f"m{at}",
        }
        for at, text in enumerate(said)
    ]


def opened(path: Path | str = ":memory:", **how: Any) -> Memory:
    return Memory(path, clock=how.pop("clock", FrozenClock(START)), embedder=HashEmbedder(8), recipe="none", **how)


@pytest.fixture
def memory() -> Iterator[Memory]:
    with opened() as one:
        one.add(turns(), **WHO)
        yield one


def taught(memory: Memory, number: int = 12, **scope: Any) -> list[Any]:
    """So many acts of feedback, each on a question of its own: the last hit is right, the first one wrong."""
    receipts: list[Any] = []
    for at in range(number):
        results = memory.search(f"Question {at}: {THINGS[at % 4]} at the {PLACES[at % 5]}?", **(scope or WHO))
        receipts.append(memory.feedback(results, used=results[-1].id, wrong=[results[0].id], **(scope or WHO)))
    return receipts


def numbers(results: Results) -> list[Any]:
    return [(hit.id, hit.score, hit.relevance, dict(hit.signals)) for hit in results]


# -- what it does


def test_from_ten_acts_on_the_ranking_is_the_users_own(memory: Memory) -> None:
    before = numbers(memory.search(QUESTION, **WHO))
    taught(memory, learn.ENOUGH - 1)
    assert numbers(memory.search(QUESTION, **WHO)) == before
    results = memory.search("One more?", **WHO)
    memory.feedback(results.id, used=results[-1].id, wrong=results[0].id, **WHO)
    after = memory.search(QUESTION, **WHO)
    assert numbers(after) != before
    assert {hit.id: hit.signals for hit in after if hit.id in {one[0] for one in before}}.items() <= {
        one[0]: one[3] for one in before
    }.items()  # the signals are the same; they count otherwise
    why = after.explain(after[0].id)
    assert why.notes == ("the weights are fitted to 10 acts of feedback",)
    assert sum(one.share for one in why.signals) == pytest.approx(after[0].score, abs=1e-5)
    assert sum(one.weight for one in why.signals) == pytest.approx(1.0)


def test_relevances_stay(memory: Memory) -> None:
    with Memory(":memory:", clock=FrozenClock(START)) as calibrated:
        calibrated.add(turns(), **WHO)
        taught(calibrated)
        found = calibrated.search(QUESTION, **WHO)
        assert [hit.relevance for hit in found] == sorted((hit.relevance or 0.0 for hit in found), reverse=True)
        assert all(0.0 < (hit.relevance or 0.0) < 1.0 for hit in found)


def test_context_and_ask_have_ids_to_judge(memory: Memory) -> None:
    context = memory.context(QUESTION, budget=60, **WHO)
    shown = ticket.read(context.results_id).shown
    assert len(shown) == len(context.evidence) < 20
    assert ticket.read(context.results_id).by == "t"
    done = memory.feedback(context, used=context.evidence[0].id, outcome=0.5, **WHO)
    assert done.count("added") == 1
    answer = memory.ask(QUESTION, threshold=0.0, **WHO)
    used = [citation.evidence.id for citation in answer.citations]
    assert memory.feedback(answer, used=used, outcome=1.0, **WHO).verb == "feedback"


def test_evidence_stands_for_the_hit_that_rests_on_it(memory: Memory) -> None:
    episode = memory.list(order="oldest", limit=1, **WHO).records[0].id
    fact = memory.remember("Ana likes plums best.", evidence=episode, **WHO).ids[0]
    results = memory.search("What does Ana like best?", kinds="fact", **WHO)
    assert [hit.id for hit in results] == [fact]
    receipt = memory.feedback(results, used=episode, **WHO)
    assert acts(memory)[receipt.ids[0]]["used"] == [fact]


def acts(memory: Memory) -> dict[str, dict[str, Any]]:
    """What is kept of feedback, by id."""
    rows = [json.loads(line).get("record") for line in memory.export(everything=True)]
    data = {row["id"]: json.loads(row["data"]) for row in rows if row is not None and row["kind"] == "act"}
    return {id_: done["arguments"] for id_, done in data.items() if done["verb"] == "feedback"}


def test_it_is_kept_word_for_word(memory: Memory) -> None:
    results = memory.search(QUESTION, limit=3, **WHO)
    receipt = memory.feedback(results, used=results[1].id, outcome=0.25, author="a judge", **WHO)
    kept = acts(memory)[receipt.ids[0]]
    assert (kept["results"], kept["query"], kept["outcome"]) == (results.id, QUESTION, 0.25)
    assert (kept["used"], kept["wrong"]) == ([results[1].id], [])
    assert (kept["shown"], kept["places"]) == ([hit.id for hit in results], [0, 1, 2])
    assert {name: values[1] for name, values in kept["signals"].items()} == pytest.approx(
        dict(results[1].signals), abs=1e-4
    )
    assert receipt.actor == "a judge"
    assert memory.search("a judge 0.25 feedback", **WHO)[0].kind == "episode"  # an act is never found


def test_said_again_it_changes_nothing_and_the_last_word_counts(memory: Memory) -> None:
    results = memory.search(QUESTION, **WHO)
    first = memory.feedback(results, used=results[0].id, **WHO)
    again = memory.feedback(results.id, used=[results[0].id], **WHO)
    assert [(entry.id, entry.action) for entry in again.entries] == [(first.ids[0], "ignored")]
    other = memory.feedback(results, used=results[1].id, **WHO)
    assert other.count("added") == 1
    for at in range(20):
        memory.feedback(results, used=results[at % 9].id, **WHO)
    before = numbers(memory.search(QUESTION, **WHO))
    memory.feedback(results, wrong=results[0].id, **WHO)
    assert numbers(memory.search(QUESTION, **WHO)) == before  # it is one question, however often it was judged


def test_what_was_found_by_name_teaches_nothing(memory: Memory) -> None:
    for at in range(12):
        memory.remember(f"Rui {at} is a neighbour.", subject=f"Rui {at}", **WHO)
    before = numbers(memory.search(QUESTION, **WHO))
    for at in range(12):
        results = memory.search(f"Who is Rui {at}?", precise=True, **WHO)
        memory.feedback(results, used=results[0].id, **WHO)
    assert numbers(memory.search(QUESTION, **WHO)) == before
    nothing = memory.search("Who is Zoe?", precise=True, **WHO)
    memory.feedback(nothing, outcome=0.0, **WHO)


# -- the id


def test_another_process_gives_it(tmp_path: Path) -> None:
    path = tmp_path / "agent.db"
    with Memory(path, embedder="none") as memory:
        memory.add(turns(), **WHO)
        results = memory.search(QUESTION, **WHO)
    script = (
        "import sys; from mnemic import Memory\n"
        "with Memory(sys.argv[1], embedder='none') as memory:\n"
        "    print(memory.feedback(sys.argv[2], used=sys.argv[3], user_id='ana').ids[0])"
    )
    words = [sys.executable, "-c", script, str(path), results.id, results[2].id]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=True)
    with Memory(path, embedder="none") as memory:
        kept = acts(memory)[done.stdout.strip()]
        assert kept["shown"] == [hit.id for hit in results]
        assert kept["used"] == [results[2].id]


def test_it_leads_to_what_was_shown_then(tmp_path: Path) -> None:
    clock = FrozenClock(START)
    with opened(tmp_path / "agent.db", clock=clock) as memory:
        memory.add(turns(), **WHO)
        clock.advance(60)
        results = memory.search(QUESTION, **WHO)
        clock.advance(60)
        memory.add([f"The lake and tea, again and again, {at}." for at in range(30)], **WHO)
        memory.retire(results[3].id, **WHO)
        receipt = memory.feedback(results.id, used=results[3].id, **WHO)
        kept = acts(memory)[receipt.ids[0]]
        assert kept["shown"] == [hit.id for hit in results]
        for name, values in kept["signals"].items():
            if name in ("lexical_turn", "length"):  # how rare a vector's tokens are is what they are today
                assert values == pytest.approx([hit.signals[name] for hit in results], abs=1e-4), name


OPTIONS: list[dict[str, Any]] = [
    {"limit": 3, "now": "2024-05-20T10:00+05:30"},
    {"kinds": ["fact", "episode"], "include": ["retired", "superseded"]},
    {"as_of": "2024-05-20T00:00Z", "known_at": "2030-01-01T00:00Z"},
    {"where": {"or": [{"n": {"in": {1, 2, 3}}}, {"not": {"x": None}}]}, "session_id": "s1", "agent_id": "a"},
]


@pytest.mark.parametrize("how", OPTIONS)
def test_it_says_how_was_asked(memory: Memory, how: dict[str, Any]) -> None:
    results = memory.search("¿Wo wär’ Zoë? " * 40, **how, **WHO)
    assert results.id.isascii()
    read = ticket.read(results.id)
    assert read.query == results.query
    assert ticket.read(read.id) == read
    assert memory.feedback(results.id, outcome=0.0, **WHO).count("added") == 1


def forged(plain: Any, version: bytes = b"\x01") -> str:
    body = json.dumps(plain).encode()
    body = zlib.compress(body) if version == b"\x02" else body
    return "q" + base64.urlsafe_b64encode(version + zlib.crc32(version + body).to_bytes(4, "big") + body).decode()


BROKEN: list[Any] = [
    "",
    "q",
    "q0123456789abcdef",
    "nonsense",
    "qé",
    "q" + "A" * 5000,
    forged({}),
    forged([]),
    forged(7),
    forged([1, 2, 3, 4, 5, 6, 7]),
    forged(["q", "s", 0, 0, 0, [1]]),
    forged(["q", "s", 0, 0, 0, [-1], []]),
    forged(["q", "s", 0, 0, 0, [1, 1], []]),
    forged(["q", "s", 0, 0, 0, [1], [-1]]),
    forged(["q", "s", 0, 0, 0, [1.5], []]),
    forged(["q", "s", 10**30, 0, 0, [1], []]),
    forged(["q", "s", 2**62, 0, 0, [1], []]),
    forged(["q", "s", 0, 0, 10**9, [1], []]),
    forged(["q", "s", 0, 0, 0, [1], [], []]),
    forged(["q", "s", 0, 0, 0, [1], [], {"by": "z"}]),
    forged(["q", "s", 0, 0, 0, [1], [], {"walls": [0, 1]}]),
    forged(["q", "s", 0, 0, 0, [1], [], {"order": [0, 0]}]),
    forged(["q", "s", 0, 0, 0, [1], [], {"where": []}]),
    forged(["q", "s", 0, 0, 0, [1], [], {"agent": 7}]),
    forged(["q", "s", 0, 0, 0, [1], [], {"more": 7}]),
    forged(["q" * 2_000_000, "s", 0, 0, 0, [], []], b"\x02"),
    "q" + base64.urlsafe_b64encode(b"\x03abcdef").decode(),
]


@pytest.mark.parametrize("id_", BROKEN)
def test_a_broken_id_is_refused(memory: Memory, id_: Any) -> None:
    with pytest.raises(InputError, match="is no id of results, or is not whole"):
        memory.feedback(id_, outcome=1.0, **WHO)


def test_each_letter_of_an_id_counts(memory: Memory) -> None:
    id_ = memory.search(QUESTION, **WHO).id
    for at in range(len(id_)):
        other = "A" if id_[at] != "A" else "B"
        with pytest.raises(InputError):
            memory.feedback(id_[:at] + other + id_[at + 1 :], outcome=1.0, **WHO)
        with pytest.raises(InputError):
            memory.feedback(id_[:at], outcome=1.0, **WHO)
    for none in (7, None, ["x"]):
        with pytest.raises(InputError, match="pass what search, context or ask gave"):
            memory.feedback(none, outcome=1.0, **WHO)  # pyright: ignore[reportArgumentType]


def test_an_id_of_elsewhere_is_refused(memory: Memory) -> None:
    results = memory.search(QUESTION, **WHO)
    memory.add("Something of my own.", user_id="eva")
    for scope in ({"user_id": "eva"}, {"user_id": "nobody"}, {**WHO, "project_id": "p"}, {**WHO, "tenant_id": "t"}):
        with pytest.raises(InputError, match="not asked for with the scope of this call"):
            memory.feedback(results, outcome=1.0, **scope)
    several = memory.search(QUESTION, user_id=["ana", "eva"])
    with pytest.raises(InputError, match="must have named one user"):
        memory.feedback(several, outcome=1.0, **WHO)
    with opened() as empty, pytest.raises(InputError, match="are of another memory"):
        empty.feedback(results, outcome=1.0, **WHO)
    with pytest.raises(ScopeError):
        memory.feedback(results, outcome=1.0)
    with pytest.raises(ScopeError):
        memory.feedback(results, outcome=1.0, user_id=["ana", "eva"])


def test_a_forged_id_gives_no_more_than_the_scope_has(memory: Memory) -> None:
    """Documents that no search has shown may be judged by their owner, and by nobody else."""
    real = ticket.read(memory.search(QUESTION, limit=2, **WHO).id)
    memory.add("A secret of Eva's.", user_id="eva")
    far = forged([QUESTION, real.scope, real.now, 0, 0, [0], [], {"walls": [1]}])
    with pytest.raises(InputError, match="are of another memory"):
        memory.feedback(far, outcome=1.0, **WHO)


# -- what is passed


def test_what_cannot_be(memory: Memory) -> None:
    results = memory.search(QUESTION, limit=3, **WHO)
    with pytest.raises(InputError, match="nothing to learn from"):
        memory.feedback(results, **WHO)
    for outcome in (-0.1, 1.1, "good", True):
        with pytest.raises(InputError, match="outcome="):
            memory.feedback(results, used=results[0].id, outcome=outcome, **WHO)  # pyright: ignore[reportArgumentType]
    with pytest.raises(InputError, match="both used and wrong"):
        memory.feedback(results, used=results[0].id, wrong=results[0].id, **WHO)
    unseen = next(one.id for one in memory.list(**WHO) if one.id not in {hit.id for hit in results})
    with pytest.raises(InputError, match="is none of the 3 hits of these results"):
        memory.feedback(results, used=unseen, **WHO)
    assert acts(memory) == {}


def test_a_reader_outside_learns_nothing(memory: Memory) -> None:
    memory.add("Something of my own.", user_id="eva")
    theirs = memory.search(QUESTION, **WHO)[0].id
    results = memory.search("something", user_id="eva")
    told: list[str] = []
    for id_ in (theirs, "a" * 26):
        with pytest.raises(NotFoundError) as refused:
            memory.feedback(results, used=id_, user_id="eva")
        told.append(str(refused.value).replace(id_, "…"))
    assert told[0] == told[1]


# -- taking it back


def test_undone_it_counts_for_nothing(memory: Memory) -> None:
    before = numbers(memory.search(QUESTION, **WHO))
    receipts = taught(memory, learn.ENOUGH)
    learned = numbers(memory.search(QUESTION, **WHO))
    undone = memory.undo(receipts[3], **WHO)
    assert numbers(memory.search(QUESTION, **WHO)) == before != learned
    memory.undo(undone, **WHO)
    assert numbers(memory.search(QUESTION, **WHO)) == learned
    assert [change.action for change in memory.history(receipts[3].ids[0], **WHO)] == ["added", "retired", "restored"]


@pytest.mark.parametrize("by", ["hit", "act", "all"])
def test_erased_it_is_gone(tmp_path: Path, by: str) -> None:
    path = tmp_path / "agent.db"
    with opened(path) as memory, opened(path) as other:
        memory.add(turns(), **WHO)
        before = numbers(memory.search(QUESTION, **WHO))
        receipts = taught(memory, learn.ENOUGH)
        results = memory.search("Where is the xylographist?", limit=2, **WHO)
        last = memory.feedback(results, used=results[1].id, wrong=results[0].id, **WHO)
        assert numbers(other.search(QUESTION, **WHO)) != before
        if by == "hit":
            memory.erase(results[0].id, **WHO)
        elif by == "act":
            memory.erase([*last.ids, *receipts[0].ids], **WHO)
        else:
            memory.erase(all_of=True, **WHO)
        assert last.ids[0] not in acts(memory)
        for one in (memory, other):
            found = one.search(QUESTION, **WHO)
            if by == "act":
                assert numbers(found) == before
            else:
                assert not any("fitted" in note for hit in found for note in found.explain(hit.id).notes)
        with SqliteStore(path, read_only=True).read() as snapshot:
            assert list(broken_links(snapshot)) == []
    content = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert b"xylographist" not in content
    assert base64.urlsafe_b64encode(b"xylographist")[:12] not in content
    assert results.id.encode() not in content


def test_exported_and_imported_it_teaches_the_same(memory: Memory) -> None:
    receipts = taught(memory)
    memory.undo(receipts[0], **WHO)
    learned = numbers(memory.search(QUESTION, **WHO))
    with opened() as other:
        other.import_(memory.export(**WHO))
        assert numbers(other.search(QUESTION, **WHO)) == learned
        assert acts(other) == acts(memory)


def test_acts_that_are_not_whole_teach_nothing(memory: Memory) -> None:
    """An import may bring anything that is JSON."""
    before = numbers(memory.search(QUESTION, **WHO))
    taught(memory)
    lines = list(memory.export(**WHO))
    spoilt: dict[str, Any] = {
        "signals": {"lexical_turn": [1.0]},
        "shown": ["a", "a"],
        "places": ["x"],
        "used": ["nowhere"],
        "outcome": "fine",
        "order": [5],
        "results": None,
        "space": 7,
        "by": [],
        "bound": None,
    }
    for name, value in spoilt.items():
        with opened() as other:
            other.import_(_with(line, name, value) for line in lines)
            found = numbers(other.search(QUESTION, **WHO))
            assert found == before or name in ("results", "by"), name
    for number in (1e308, -1.0, 2):  # numbers beyond all bounds
        with opened() as other:
            other.import_(_with(line, "signals", {"time": [number, *[0.0] * 9]}) for line in lines)
            assert all(0.0 <= hit.score <= 1.0 for hit in other.search(QUESTION, **WHO))


def _with(line: str, name: str, value: Any) -> str:
    told = json.loads(line)
    record = told.get("record")
    if record is None or record["kind"] != "act":
        return line
    data = json.loads(record["data"])
    data["arguments"][name] = value
    record["data"] = json.dumps(data)
    return json.dumps(told)


def test_known_at_before_sees_the_ranking_of_then(tmp_path: Path) -> None:
    clock = FrozenClock(START)
    with opened(tmp_path / "agent.db", clock=clock) as memory:
        memory.add(turns(), **WHO)
        before = numbers(memory.search(QUESTION, **WHO))
        clock.advance(60)
        receipts = taught(memory)
        then = clock.advance(60)
        learned = numbers(memory.search(QUESTION, **WHO))
        clock.advance(60)
        memory.undo(receipts[0], **WHO)
        memory.undo(receipts[1], **WHO)
        memory.undo(receipts[2], **WHO)
        assert numbers(memory.search(QUESTION, **WHO)) == before
        assert numbers(memory.search(QUESTION, known_at=then, **WHO)) == learned
        assert numbers(memory.search(QUESTION, known_at=START, **WHO)) == before


def test_a_file_that_can_only_be_read_is_searched_by_it(tmp_path: Path) -> None:
    path = tmp_path / "agent.db"
    with opened(path) as memory:
        memory.add(turns(), **WHO)
        taught(memory)
        learned = numbers(memory.search(QUESTION, **WHO))
    with opened(path, read_only=True) as memory:
        results = memory.search(QUESTION, **WHO)
        assert numbers(results) == learned
        with pytest.raises(StoreError, match="can only be read"):
            memory.feedback(results, used=results[0].id, **WHO)


def test_another_embedder_starts_anew(tmp_path: Path) -> None:
    path = tmp_path / "agent.db"
    with opened(path) as memory:
        memory.add(turns(), **WHO)
        taught(memory)
        learned = numbers(memory.search(QUESTION, **WHO))
    with Memory(path, embedder="none", clock=FrozenClock(START)) as memory:
        results = memory.search(QUESTION, **WHO)
        assert not any("fitted" in note for note in results.explain(results[0].id).notes)
    with opened(path) as memory:
        assert numbers(memory.search(QUESTION, **WHO)) == learned


# -- walls


def test_only_the_one_users_own_searches_follow_it(memory: Memory) -> None:
    memory.add(turns(), shared=True)
    memory.add(turns(), user_id="eva")
    memory.add(turns(), project_id="p", **WHO)
    asked: list[dict[str, Any]] = [
        {},
        {"user_id": "eva"},
        {"user_id": ["ana", "eva"]},
        {**WHO, "project_id": "p"},
        WHO,
    ]
    before = [numbers(memory.search(QUESTION, **scope)) for scope in asked]
    taught(memory, project_id="p", **WHO)
    inside = [numbers(memory.search(QUESTION, **scope)) for scope in asked]
    assert [one == other for one, other in zip(before, inside, strict=True)] == [True, True, True, False, True]
    taught(memory)
    after = [numbers(memory.search(QUESTION, **scope)) for scope in asked]
    assert [one == other for one, other in zip(before, after, strict=True)] == [True, True, True, False, False]


scopes = st.sampled_from(
    [
        {"user_id": "mallory"},
        {"user_id": "mallory", "project_id": "p"},
        {"user_id": "mallory", "tenant_id": "t"},
        {"user_id": "ana", "tenant_id": "t"},
        {"user_id": "ana", "project_id": "p"},
    ]
)


places = st.integers(0, 9)


@settings(max_examples=12, deadline=None, derandomize=True)
@given(st.lists(st.tuples(scopes, places, places, st.sampled_from([None, 0.0, 0.5])), max_size=24))
def test_an_attacker_in_one_scope_changes_no_byte_of_anothers(done: list[Any]) -> None:
    clock = FrozenClock(START)
    with opened(clock=clock) as quiet, opened(clock=clock) as attacked:
        for memory in (quiet, attacked):
            memory.add(turns(), **WHO)
            memory.add(turns(), shared=True)
        ids = _texts_by_id(quiet), _texts_by_id(attacked)
        for scope, _, _, _ in done:
            attacked.add(turns(), **scope)
        for _ in range(2):
            for number, (scope, used, wrong, outcome) in enumerate(done):
                results = attacked.search(f"{number} {QUESTION}", **scope)
                judged = {"used": results[used % len(results)].id, "wrong": results[wrong % len(results)].id}
                if judged["used"] == judged["wrong"]:
                    del judged["wrong"]
                attacked.feedback(results, outcome=outcome, **judged, **scope)
            assert _plain(quiet, ids[0]) == _plain(attacked, ids[1])


def _texts_by_id(memory: Memory) -> dict[str, str]:
    return {one.id: f"{one.scope} {one.text}" for one in memory.list(limit=1000, **WHO)}


def _plain(memory: Memory, known: dict[str, str]) -> str:
    """All of an answer, the records' ids aside, which chance gives."""
    found = memory.search(QUESTION, limit=50, **WHO)
    context = memory.context(QUESTION, **WHO)
    hits = [(known[hit.id], hit.score, hit.relevance, sorted(hit.signals.items())) for hit in found]
    return json.dumps([hits, found.id, str(found), found.considered, found.notes, context.text, context.results_id])


# -- exploration


def test_off_nothing_is_drawn(memory: Memory) -> None:
    results = memory.search(QUESTION, **WHO)
    assert all("propensity" not in hit.signals for hit in results)
    assert [hit.score for hit in results] == sorted((hit.score for hit in results), reverse=True)
    for seed in ("yes", True, 0.5):
        with pytest.raises(ConfigError, match="exploration="):
            opened(exploration=seed)


def test_on_neighbours_change_places_by_seed_and_question(tmp_path: Path) -> None:
    path = tmp_path / "agent.db"
    with opened(path) as plain:
        plain.add(turns(), **WHO)
        usual = [hit.id for hit in plain.search(QUESTION, **WHO)]
    seen: set[tuple[str, ...]] = set()
    for seed in range(8):
        with opened(path, exploration=seed) as memory, opened(path, exploration=seed) as twin:
            results = memory.search(QUESTION, **WHO)
            assert (results.id, numbers(results)) == ((again := twin.search(QUESTION, **WHO)).id, numbers(again))
            assert sorted(hit.id for hit in results) == sorted(usual)
            assert all(abs(usual.index(hit.id) - place) <= 1 for place, hit in enumerate(results))
            assert {hit.signals["propensity"] for hit in results} <= {0.25, 0.5, 0.75}
            seen.add(tuple(hit.id for hit in results))
            receipt = memory.feedback(results, used=results[4].id, **WHO)
            kept = acts(memory)[receipt.ids[0]]
            assert [usual[place] for place in kept["order"]] == [hit.id for hit in results] == kept["shown"]
            context = memory.context(QUESTION, **WHO)
            assert context.text
            assert "order" not in str(ticket.read(context.results_id).order)
    assert len(seen) > 2


def test_exploration_puts_nothing_outdated_before_its_successor() -> None:
    for seed in range(12):
        with opened(exploration=seed) as memory:
            said = memory.add({"role": "user", "content": "I live in Lisbon, by the lake."}, **WHO)
            memory.remember("Ana lives in Lisbon.", key="home", evidence=said.ids, **WHO)
            memory.remember("Ana lives in Porto.", key="home", **WHO)
            hits = memory.search("Where does Ana live, in Lisbon?", **WHO).hits
            places = {hit.id: place for place, hit in enumerate(hits)}
            outdated = [hit for hit in hits if hit.outdated_by in places]
            assert outdated
            assert all(places[hit.outdated_by or ""] < places[hit.id] for hit in outdated)
