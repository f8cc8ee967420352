"""mem0's programs, unchanged but for the import. What its own users complain about is a test each."""

from __future__ import annotations

import asyncio
import inspect
import json
import socket
import threading
from pathlib import Path
from typing import Any

import pytest

import mnemic
from mnemic.compat.mem0 import AsyncMemory, Memory, MemoryConfig
from mnemic.compat.mem0.filters import matches, named
from mnemic.errors import ConfigError, FilterError, InputError, ParameterError
from mnemic.testing import HashEmbedder, ScriptedChat

RAM = {"mnemic": {"url": ":memory:", "embedder": HashEmbedder(32)}}


@pytest.fixture
def m() -> Memory:
    return Memory(RAM)


def texts(found: dict[str, Any]) -> list[str]:
    return sorted(item["memory"] for item in found["results"])


def at(folder: Path, **more: Any) -> Memory:
    return Memory({"vector_store": {"provider": "mnemic", "config": {"path": str(folder)}}, **more})


# -- the shapes, as mem0 2.2.1 and 1.0.11 print them (infer=False, qdrant), but for ids, times and scores


def test_results_have_the_keys_of_mem0_in_its_order(m: Memory) -> None:
    added = m.add(
        [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "I live in Porto", "name": "Ana"},
            {"role": "assistant", "content": "Nice"},
        ],
        user_id="ana",
        agent_id="guide",
        run_id="r1",
        metadata={"topic": "home", "stars": 4},
        infer=False,
    )
    first, second = added["results"]
    assert {**first, "id": 0} == {
        "id": 0,
        "memory": "I live in Porto",
        "event": "ADD",
        "actor_id": "Ana",
        "role": "user",
    }
    assert {**second, "id": 0} == {"id": 0, "memory": "Nice", "event": "ADD", "actor_id": None, "role": "assistant"}

    found = m.get(first["id"])
    assert found is not None
    assert list(found) == [
        *("id", "memory", "hash", "metadata", "score", "created_at", "updated_at"),
        *("user_id", "agent_id", "run_id", "actor_id", "role"),
    ]
    assert found["hash"] == "7c8607263e79b09b35ca8dcc4dd8954b"
    assert found["metadata"] == {"topic": "home", "stars": 4}
    assert found["score"] is None
    (hit,) = m.search("Where do I live?", filters={"user_id": "ana"}, top_k=1)["results"]
    assert list(hit) == list(found)
    assert 0 <= hit["score"] <= 1
    listed = m.get_all(filters={"user_id": "ana", "run_id": "r1"})["results"]
    assert len(listed) == 2
    assert list(listed[1]) == [key for key in found if key != "score"]

    m.add("I like tea", user_id="ben", infer=False)
    (plain,) = m.get_all(user_id="ben")["results"]
    assert plain["metadata"] is None
    assert "run_id" not in plain


def test_updates_and_deletes_answer_as_mem0_does_and_history_tells(m: Memory) -> None:
    id_ = m.add("I live in Porto", user_id="ana", metadata={"a": 1}, infer=False)["results"][0]["id"]
    assert m.update(id_, "I live in Lisbon") == {"message": "Memory updated successfully!"}
    assert m.update(memory_id=id_, data="I live in Faro", metadata={"b": 2}) == {
        "message": "Memory updated successfully!"
    }
    found = m.get(id_)
    assert found is not None
    assert (found["id"], found["memory"], found["metadata"]) == (id_, "I live in Faro", {"a": 1, "b": 2})
    assert found["updated_at"] > found["created_at"]
    told = m.history(id_)
    assert [(row["event"], row["old_memory"], row["new_memory"], row["is_deleted"]) for row in told] == [
        ("ADD", None, "I live in Porto", False),
        ("UPDATE", "I live in Porto", "I live in Lisbon", False),
        ("UPDATE", "I live in Lisbon", "I live in Faro", False),
    ]
    assert list(told[0]) == [
        *("id", "memory_id", "old_memory", "new_memory", "event"),
        *("created_at", "updated_at", "is_deleted", "actor_id", "role"),
    ]
    assert m.delete(id_) == {"message": "Memory deleted successfully!"}
    assert m.get(id_) is None
    assert m.history(id_)[-1]["event"] == "DELETE"
    assert all(row["old_memory"] is row["new_memory"] is None for row in m.history(id_))
    for call in (lambda: m.delete(id_), lambda: m.update(id_, "x")):
        with pytest.raises(ValueError, match=f"Memory with id {id_} not found"):
            call()
    assert m.history("nobody's") == []


def test_calls_of_1x_and_of_2x_find_the_same(m: Memory) -> None:
    for number in range(30):
        m.add(f"Note {number} about tea", user_id="ana", infer=False)
    old = m.search("tea", user_id="ana", limit=5)
    assert texts(old) == texts(m.search("tea", filters={"user_id": "ana"}, top_k=5))
    assert len(m.search("tea", user_id="ana")["results"]) == 30
    assert len(m.search("tea", filters={"user_id": "ana"})["results"]) == 20
    assert len(m.get_all(user_id="ana")["results"]) == len(m.get_all(filters={"user_id": "ana"})["results"]) == 30
    assert m.search("tea", user_id="ana", limit=0) == {"results": []}
    assert len(m.search("tea", user_id="ana", version="v1.0", limit=3)) == 3
    assert isinstance(m.get_all(user_id="ana", output_format="v1.1"), dict)
    bare = Memory({**RAM, "version": "v1.0"})
    assert bare.add("I like tea", user_id="ana", infer=False)[0]["event"] == "ADD"
    assert bare.search("tea", user_id="ana")[0]["memory"] == "I like tea"


def test_what_cannot_be_meant_is_an_error_with_a_way_out(m: Memory) -> None:
    for call in (
        lambda: m.add("x"),
        lambda: m.search("x"),
        lambda: m.get_all(filters={"topic": "x"}),
        lambda: m.delete_all(),
        lambda: m.add("x", user_id="  "),
        lambda: m.add(3, user_id="ana"),
        lambda: m.add("x", user_id="ana", memory_type="semantic"),
        lambda: m.add("x", user_id="ana", agent_id="a", memory_type="procedural_memory"),
        lambda: m.search("  ", user_id="ana"),
        lambda: m.search("x", user_id="ana", threshold=2),
        lambda: m.search("x", user_id="ana", limit=-1),
        lambda: m.update("x"),
        lambda: m.add("x", user_id="ana", expiration_date="soon"),
    ):
        with pytest.raises(ValueError):
            call()
    with pytest.raises(ParameterError, match=r"search\(\) has no parameter 'usr_id'; did you mean 'user_id'"):
        m.search("x", usr_id="ana")
    with pytest.raises(NotImplementedError):
        m.chat("hello")
    with pytest.raises(NotImplementedError):
        _ = m.project
    with pytest.warns(UserWarning, match="prompt= has no effect"):
        m.add("x", user_id="ana", prompt="Extract allergies only", infer=False)


# -- whose


def test_a_run_and_an_agent_are_filters_on_what_is_equal(m: Memory) -> None:
    m.add("in run one", user_id="ana", run_id="one", infer=False)
    m.add("in run two", user_id="ana", run_id="two", agent_id="guide", infer=False)
    m.add("in no run", user_id="ana", infer=False)
    m.add("ben in run one", user_id="ben", run_id="one", infer=False)
    m.add("of the guide alone", agent_id="guide", infer=False)
    for read in (
        lambda **ids: texts(m.search("in run", filters=ids)),
        lambda **ids: texts(m.search("in run", **ids)),
        lambda **ids: texts(m.get_all(filters=ids)),
    ):
        assert read(user_id="ana", run_id="one") == ["in run one"]
        assert read(user_id="ana") == ["in no run", "in run one", "in run two"]
        assert read(user_id="ana", agent_id="guide") == ["in run two"]
        assert read(run_id="one") == ["ben in run one", "in run one"]
        assert read(agent_id="guide") == ["in run two", "of the guide alone"]
        assert read(user_id="nobody") == []
    assert texts(m.get_all(filters={"OR": [{"user_id": "ben"}, {"run_id": "two"}]})) == ["ben in run one", "in run two"]
    assert texts(m.get_all(filters={"AND": [{"user_id": "ana"}, {"run_id": {"in": ["two", "three"]}}]})) == [
        "in run two"
    ]
    assert texts(m.get_all(filters={"user_id": "*", "run_id": "one"})) == ["ben in run one", "in run one"]


def test_delete_all_deletes_exactly_what_it_names(m: Memory) -> None:
    def fill() -> None:
        m.reset()
        for user in ("ana", "ben"):
            for run in (None, "one", "two"):
                m.add(f"{user} in {run}", user_id=user, run_id=run, infer=False)
        m.add("the guide's", agent_id="guide", infer=False)

    def left() -> list[str]:
        everybody = [m.get_all(user_id=user) for user in ("ana", "ben")] + [m.get_all(agent_id="guide")]
        return sorted(text for found in everybody for text in texts(found))

    fill()
    everything = left()
    assert len(everything) == 7
    for ids, gone in (
        ({"user_id": "ana"}, {"ana in None", "ana in one", "ana in two"}),
        ({"user_id": "ana", "run_id": "one"}, {"ana in one"}),
        ({"run_id": "one"}, {"ana in one", "ben in one"}),
        ({"agent_id": "guide"}, {"the guide's"}),
        ({"user_id": "nobody"}, set[str]()),
        ({"user_id": "ana", "agent_id": "guide"}, set[str]()),
    ):
        fill()
        assert m.delete_all(**ids) == {"message": "Memories deleted successfully!"}
        assert left() == sorted(set(everything) - gone), ids


def test_whole_numbers_are_ids_and_none_of_metadata_says_whose_it_is(m: Memory) -> None:
    id_ = m.add("I like tea", user_id=7, infer=False)["results"][0]["id"]
    assert texts(m.get_all(filters={"user_id": 7})) == texts(m.search("tea", user_id=" 7 ")) == ["I like tea"]
    with pytest.warns(UserWarning, match="user_id"):
        m.update(id_, metadata={"user_id": "evil", "stars": 5})  # mem0 PR 6278: it moved to another user
    with pytest.warns(UserWarning, match="run_id"):
        m.add("I like cake", user_id="7", metadata={"run_id": "evil"}, infer=False)
    found = m.get(id_)
    assert found is not None
    assert (found["user_id"], found["metadata"]) == ("7", {"stars": 5})
    assert m.get_all(run_id="evil") == m.get_all(user_id="evil") == {"results": []}


def test_a_memory_bound_to_a_project_sees_no_other(tmp_path: Path) -> None:
    with mnemic.Memory(tmp_path / "a.db", embedder="none") as whole:
        here = Memory.of(whole.scoped(tenant_id="acme", project_id="here"))
        there = Memory.of(whole.scoped(tenant_id="acme", project_id="there"))
        id_ = here.add("I like tea", user_id="ana", infer=False)["results"][0]["id"]
        there.add("I like cake", user_id="ana", infer=False)
        assert texts(here.get_all(user_id="ana")) == ["I like tea"]
        assert there.get(id_) is None
        assert there.history(id_) == []
        with pytest.raises(InputError):
            there.delete(id_)
        there.reset()
        there.delete_all(user_id="ana")
        assert texts(here.get_all(user_id="ana")) == ["I like tea"]


# -- filters


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"topic": "home"}, "a"),
        ({"topic": ["home", "work"]}, "ab"),
        ({"stars": {"gte": 3, "lt": 5}}, "a"),
        ({"stars": {"gt": 1}}, "ab"),
        ({"stars": {"gt": "1"}}, ""),
        ({"topic": {"ne": "home"}}, "bc"),
        ({"topic": {"eq": "home"}}, "a"),
        ({"topic": {"in": ["work"]}}, "b"),
        ({"topic": {"nin": ["work"]}}, "ac"),
        ({"topic": "*"}, "ab"),
        ({"topic": {"contains": "OM"}}, ""),
        ({"topic": {"icontains": "OM"}}, "a"),
        ({"tags": {"contains": "x"}}, "c"),
        ({"topic": None}, "c"),
        ({"done": True}, "b"),
        ({"done": 1}, ""),
        ({"OR": [{"topic": "home"}, {"stars": 5}]}, "ab"),
        ({"AND": [{"topic": "*"}, {"stars": {"lte": 4}}]}, "a"),
        ({"NOT": [{"topic": "home"}, {"topic": "work"}]}, "c"),
        ({"OR": [{"AND": [{"topic": "home"}, {"stars": 4}]}, {"NOT": [{"topic": "*"}]}]}, "ac"),
        ({"topic": "home' OR 1=1 --"}, ""),  # mem0 PR 4878: filters were spliced into SQL
        ({"topic": {"contains": "%"}}, ""),
    ],
)
def test_the_grammar_of_filters(filters: dict[str, Any], found: str) -> None:
    m = Memory(RAM)
    for text, metadata in (
        ("a", {"topic": "home", "stars": 4}),
        ("b", {"topic": "work", "stars": 5, "done": True}),
        ("c", {"tags": ["x", "y"]}),
    ):
        m.add(text, user_id="ana", metadata=metadata, infer=False)
        m.add(text, user_id="ben", metadata=metadata, infer=False)
    asked = {"user_id": "ana", **filters}
    for got in (m.get_all(filters=asked), m.search("a b c", filters=asked)):
        assert "".join(texts(got)) == found
        assert {item["user_id"] for item in got["results"]} <= {"ana"}


def test_filters_that_cannot_be_read_are_refused(m: Memory) -> None:
    m.add("a", user_id="ana", infer=False)
    for wrong in (
        {"topic": {"like": "x"}},
        {"OR": []},
        {"NOT": "home"},
        {"AND": ["home"]},
        {"topic": {"in": "home"}},
    ):
        with pytest.raises(FilterError):
            m.search("a", filters={"user_id": "ana", **wrong})
    with pytest.raises(InputError):
        m.search("a", filters="user_id=ana")  # type: ignore[arg-type]


def test_whom_filters_name_is_never_less_than_whom_they_match() -> None:
    people = [{"user_id": name} for name in "abc"]
    for filters in (
        {"user_id": "a"},
        {"AND": [{"user_id": ["a", "b"]}, {"user_id": {"in": ["b", "c"]}}]},
        {"OR": [{"user_id": "a"}, {"user_id": {"eq": "c"}}]},
        {"OR": [{"user_id": "a"}, {"topic": None}]},
        {"NOT": [{"user_id": "a"}]},
        {"user_id": {"ne": "a"}},
        {"user_id": "*"},
    ):
        meant = {person["user_id"] for person in people if matches(filters, person)}
        among = named(filters, "user_id")
        assert among is None or meant <= among
    assert named({"AND": [{"user_id": ["a", "b"]}, {"user_id": {"in": ["b", "c"]}}]}, "user_id") == {"b"}
    assert named({"OR": [{"user_id": "a"}, {"user_id": {"eq": "c"}}]}, "user_id") == {"a", "c"}


def test_a_filter_that_few_match_still_finds_all_of_them(m: Memory) -> None:
    for number in range(300):
        m.add(f"Note {number} about tea", user_id="ana", metadata={"rare": number % 100 == 7}, infer=False)
    assert len(m.search("tea", filters={"user_id": "ana", "rare": True})["results"]) == 3


# -- inferred


def test_statements_are_the_memories_and_what_says_none_is_kept_as_it_is(m: Memory) -> None:
    added = m.add(
        [
            {"role": "user", "content": "I live in Porto."},
            {"role": "assistant", "content": "How nice for you!"},
            {"role": "user", "content": "What a grey morning it is."},
        ],
        user_id="ana",
        metadata={"topic": "chat"},
    )
    assert all(item["event"] == "ADD" for item in added["results"])
    assert texts(added) == ["The user lives in Porto.", "What a grey morning it is."]
    assert texts(m.get_all(user_id="ana")) == texts(added)
    hit = m.search("Where does the user live?", user_id="ana", limit=1)["results"][0]
    assert (hit["memory"], hit["metadata"]) == ("The user lives in Porto.", {"topic": "chat"})
    assert len(m.search("Porto", filters={"user_id": "ana", "topic": "chat"})["results"]) == 2
    assert m.add("I live in Porto.", user_id="ana")["results"] == []  # said before, and nothing new


def test_a_change_is_told_and_loses_nothing(m: Memory) -> None:
    """mem0#4536: the contradiction deleted the old fact, and the new one was never added."""
    m.add("I live in Lisbon.", user_id="ana", timestamp="2026-05-01T10:00:00Z")
    events = m.add("I moved to Porto.", user_id="ana", timestamp="2026-06-01T10:00:00Z")["results"]
    assert {"ADD", "DELETE"} >= {event["event"] for event in events}
    assert "The user lives in Porto." in texts(m.get_all(user_id="ana"))
    assert "The user lives in Lisbon." not in texts(m.get_all(user_id="ana"))


def test_the_same_twice_is_one_and_never_none(m: Memory) -> None:
    """mem0#1674: adding a memory twice deleted the old one."""
    for infer in (False, True):
        first = m.add("Ana drinks her coffee black", user_id="ana", infer=infer)
        again = m.add("Ana drinks her coffee black", user_id="ana", infer=infer)
        assert [item["event"] for item in first["results"]] in (["ADD"], ["NONE"])
        assert {item["event"] for item in again["results"]} <= {"NONE"}
    assert texts(m.get_all(user_id="ana")) == ["Ana drinks her coffee black"]


def test_prose_with_braces_and_empty_messages(m: Memory) -> None:
    """mem0#5998 dropped what had braces; PR 5545: an empty message became hallucinated memories."""
    m.add('The template is {"name": "{{user}}"} and } again', user_id="ana")
    assert len(m.get_all(user_id="ana")["results"]) == 1
    calls = [{"role": "assistant", "content": None, "tool_calls": [{"function": {"name": "f", "arguments": "{}"}}]}]
    for nothing in ("", "   ", [{"role": "user", "content": ""}], calls, []):
        for infer in (False, True):
            assert m.add(nothing, user_id="ana", infer=infer) == {"results": []}
    assert len(m.get_all(user_id="ana")["results"]) == 1


def test_a_deleted_statement_stays_deleted(tmp_path: Path) -> None:
    with at(tmp_path) as m:
        m.add("I live in Porto and I like tea.", user_id="ana")
        taste, home = texts(m.get_all(user_id="ana"))
        ids = {item["memory"]: item["id"] for item in m.get_all(user_id="ana")["results"]}
        m.delete(ids[home])
        for _ in range(2):
            assert texts(m.get_all(user_id="ana")) == texts(m.search("Porto tea", user_id="ana")) == [taste]
            assert m.get(ids[home]) is None
            m._memory.upkeep(everything=True)
            m._memory.rebuild(everything=True)
        m.delete(ids[taste])
        assert m.get_all(user_id="ana") == {"results": []}
    assert b"Porto" not in b"".join(file.read_bytes() for file in tmp_path.iterdir())


def test_a_statement_can_be_updated_and_keeps_its_id(m: Memory) -> None:
    id_ = m.add("I like tea.", user_id="ana", metadata={"a": 1})["results"][0]["id"]
    m.update(id_, text="Likes green tea", metadata={"b": 2})
    found = m.get(id_)
    assert found is not None
    assert (found["memory"], found["metadata"]) == ("Likes green tea", {"a": 1, "b": 2})
    assert [row["event"] for row in m.history(id_)] == ["ADD", "UPDATE"]
    m.delete_all(user_id="ana")
    assert m.get_all(user_id="ana") == {"results": []}


def test_a_configured_model_infers() -> None:
    statement = {
        "kind": "preference",
        "subject": "user",
        "relation": "likes",
        "value": "tea",
        "text": "The user likes tea.",
        "turns": [1],
        "holds": True,
    }
    with ScriptedChat(*[json.dumps({"statements": [statement]})] * 3) as chat:
        llm = {"provider": "ollama", "config": {"model": "scripted", "ollama_base_url": chat.url.removesuffix("/v1")}}
        with Memory({**RAM, "llm": llm}) as m:
            added = m.add("Tea is what I like best, hm, you know.", user_id="ana")
            assert len(chat.requests) >= 1
            assert texts(added) == texts(m.get_all(user_id="ana")) == ["The user likes tea."]


def test_expired_memories_are_hidden_until_asked_for(m: Memory) -> None:
    m.add("The code is 1234", user_id="ana", expiration_date="2020-01-31", infer=False)
    id_ = m.add("The code is 5678", user_id="ana", expiration_date="2990-01-31", infer=False)["results"][0]["id"]
    assert texts(m.get_all(user_id="ana")) == texts(m.search("code", user_id="ana")) == ["The code is 5678"]
    assert len(m.get_all(user_id="ana", show_expired=True)["results"]) == 2
    assert len(m.search("code", user_id="ana", show_expired=True)["results"]) == 2
    found = m.get(id_)
    assert found is not None
    assert found["expiration_date"] == "2990-01-31"
    m.update(id_, expiration_date=None)
    assert "expiration_date" not in (m.get(id_) or {})


# -- deleting deletes


@pytest.mark.parametrize("infer", [False, True])
def test_what_is_deleted_is_not_found_and_not_in_the_file(tmp_path: Path, infer: bool) -> None:
    """mem0#3695: still searchable after delete_all; PR 5541: reset left the messages."""
    secrets = {"ana": "xylophone", "ben": "quagmire", "cleo": "zeppelin"}
    with at(tmp_path) as m:
        for user, secret in secrets.items():
            m.add(f"I like my {secret}.", user_id=user, infer=infer, run_id="r")
            m.add(f"I like my {secret} more and more, said {user}", user_id=user, infer=infer)
        id_ = m.get_all(user_id="ben")["results"][0]["id"]
        m.update(id_, text=f"The {secrets['ben']} is what Ben likes")
        m.delete_all(user_id="ana")
        for item in m.get_all(user_id="ben")["results"]:
            m.delete(item["id"])
        assert m.search(secrets["ana"], user_id="ana") == m.search(secrets["ben"], user_id="ben") == {"results": []}
        assert len(m.search(secrets["cleo"], user_id="cleo")["results"]) == 2
    held = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert [user for user, secret in secrets.items() if secret.encode() in held] == ["cleo"]
    with at(tmp_path) as m:
        m.reset()
    held = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert not any(secret.encode() in held for secret in secrets.values())


def test_delete_all_goes_on_behind_the_first_page(tmp_path: Path) -> None:
    """mem0 PRs 4872 and 6636: only the first hundred went."""
    with mnemic.Memory(tmp_path / "a.db", embedder="none", recipe="none") as memory:
        m = Memory.of(memory)
        memory.add([f"message {number}" for number in range(1200)], user_id="ana", session_id="one")
        m.add("another's", user_id="ben", run_id="one", infer=False)
        m.add("of run two", user_id="ana", run_id="two", infer=False)
        m.delete_all(user_id="ana", run_id="one")
        assert memory.stats(user_id="ana").records == {"memory": 1}
        assert texts(m.get_all(user_id="ben")) == ["another's"]


# -- files, threads, loops


def test_two_of_them_write_one_file_at_once(tmp_path: Path) -> None:
    """mem0#7196: "database is locked"."""
    one, other = at(tmp_path), at(tmp_path)

    def write(m: Memory, name: str) -> None:
        for number in range(20):
            m.add(f"{name} {number}", user_id="ana", infer=False)

    threads = [threading.Thread(target=write, args=(m, name)) for m, name in ((one, "one"), (other, "other"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(one.get_all(user_id="ana")["results"]) == len(other.get_all(user_id="ana")["results"]) == 40
    one.close()
    other.close()


def test_the_configuration_says_where_the_file_is_and_what_is_ignored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    store = {"provider": "qdrant", "config": {"path": str(tmp_path / "vectors"), "collection_name": "notes"}}
    for config, file in (
        (None, "mem0.mnemic.db"),
        ({"vector_store": store, "history_db_path": "home/history.db"}, "vectors/notes.mnemic.db"),
        ({"history_db_path": "home/history.db"}, "home/mem0.mnemic.db"),
        ({"vector_store": {"provider": "faiss", "config": {"path": "mine.db"}}}, "mine.db"),
        (MemoryConfig(mnemic={"url": "own.db"}), "own.db"),
    ):
        Memory.from_config(config).close() if isinstance(config, dict) else Memory(config).close()
        assert (tmp_path / file).is_file()
    with pytest.warns(UserWarning, match="no effect on Mnemic") as told:
        Memory(
            {
                **RAM,
                "vector_store": {"provider": "pgvector", "config": {"host": "db", "port": 5432}},
                "llm": {"provider": "openai", "config": {"model": "gpt-4o"}},
                "embedder": {"provider": "openai", "config": {"model": "text-embedding-3-small"}},
                "graph_store": {"provider": "neo4j"},
                "custom_instructions": "Only allergies",
            }
        ).close()
    assert len(told) == 1
    message = str(told[0].message)
    for name in ("config.host", "config.port", "'pgvector'", "llm 'openai'", "embedder", "graph_store", "custom_instr"):
        assert name in message
    for wrong in ({"vectorstore": {}}, 3):
        with pytest.raises(ConfigError):
            Memory(wrong)


def test_nothing_is_sent_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """mem0#2285: telemetry that can hardly be switched off."""

    def refuse(*_: object) -> None:
        raise AssertionError("a connection was made")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    with at(tmp_path) as m:
        m.add("I like tea.", user_id="ana")
        m.search("tea", user_id="ana")
        m.reset()


def test_the_async_face_is_the_same(tmp_path: Path) -> None:
    """mem0#2892: get_all returned a coroutine."""

    async def main() -> None:
        async with AsyncMemory({"vector_store": {"provider": "x", "config": {"path": str(tmp_path)}}}) as m:
            id_ = (await m.add("I like tea", user_id="ana", infer=False))["results"][0]["id"]
            assert texts(await m.get_all(user_id="ana")) == texts(await m.search("tea", filters={"user_id": "ana"}))
            await m.update(id_, text="I like green tea")
            assert [row["event"] for row in await m.history(id_)] == ["ADD", "UPDATE"]
            await m.delete(id_)
            assert await m.get(id_) is None
            await m.delete_all(user_id="ana")
            await m.reset()
        other = AsyncMemory.from_config(RAM)
        closing = other.close()
        assert closing is not None
        await closing

    asyncio.run(main())
    assert AsyncMemory(RAM).close() is None
    verbs = {name for name, verb in vars(Memory).items() if inspect.isfunction(verb) and not name.startswith("_")}
    for name in verbs - {"close"}:
        assert inspect.signature(getattr(AsyncMemory, name)) == inspect.signature(getattr(Memory, name))
        assert inspect.iscoroutinefunction(getattr(AsyncMemory, name))
        assert getattr(AsyncMemory, name).__module__ == "mnemic.compat.mem0.memory"


def test_mem0s_own_configuration_object_is_understood() -> None:
    class Part:
        """Such as pydantic makes them."""

        def __init__(self, **fields: Any) -> None:
            self.model_fields_set = set(fields)
            self.__dict__.update(fields)

    store = Part(provider="qdrant", config=Part(path=":memory:"))
    with Memory(Part(vector_store=store, version="v1.1")) as m:
        m.add("I like tea", user_id="ana", infer=False)
        assert texts(m.get_all(user_id="ana")) == ["I like tea"]
