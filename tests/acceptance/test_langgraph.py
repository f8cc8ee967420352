"""LangGraph: the store, and the nodes that recall and remember, in real graphs with a scripted model."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("langgraph", reason="needs langgraph")

from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, SystemMessage, ToolMessage
from langgraph.config import get_store
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.store.base import (
    GetOp,
    InvalidNamespaceError,
    ListNamespacesOp,
    MatchCondition,
    PutOp,
    SearchOp,
)

from mnemic import InputError, Memory, ScopeError
from mnemic.compat.langgraph import LongTermMemory, MnemicStore, RecallState
from mnemic.testing import FrozenClock, HashEmbedder

ANA = {"configurable": {"user_id": "ana", "thread_id": "one"}}


@pytest.fixture
def memory() -> Iterator[Memory]:
    with Memory(":memory:", embedder=HashEmbedder(64)) as found:
        yield found


@pytest.fixture
def store(memory: Memory) -> MnemicStore:
    return MnemicStore(memory)


def keys(found: list[Any]) -> list[str]:
    return [item.key for item in found]


# -- the store


def test_an_item_is_put_got_put_anew_and_deleted() -> None:
    clock = FrozenClock()
    with Memory(":memory:", embedder="none", clock=clock) as memory:
        store = MnemicStore(memory, clock=clock)
        began = clock()
        value = {"title": "Tea", "tags": ["a", None, 1.5, {"deep": True}], "empty": {}}
        store.put(("users", "ana"), "note", value)
        item = store.get(("users", "ana"), "note")
        assert item is not None
        assert (item.namespace, item.key, item.value) == (("users", "ana"), "note", value)
        assert item.created_at == item.updated_at == began
        clock.advance(60)
        store.put(("users", "ana"), "note", {"title": "Coffee"})
        again = store.get(("users", "ana"), "note")
        assert again is not None
        assert again.value == {"title": "Coffee"}
        assert (again.created_at, again.updated_at) == (began, began + timedelta(seconds=60))
        assert store.get(("users",), "note") is None
        assert store.get(("users", "ana"), "other") is None
        store.delete(("users", "ana"), "note")
        store.delete(("users", "ana"), "note")
        assert store.get(("users", "ana"), "note") is None
        assert store.search(()) == []
        assert store.list_namespaces() == []
        store.put(("users", "ana"), "note", {"title": "Coffee"})
        new = store.get(("users", "ana"), "note")
        assert new is not None
        assert new.created_at == began + timedelta(seconds=60)


def test_the_same_value_under_many_keys_is_many_items(store: MnemicStore) -> None:
    for user in ("ana", "ben"):
        for key in ("one", "two", ""):
            store.put(("users", user), key, {"theme": "dark"})
            store.put(("users", user), key + "?", {})
    assert len(store.search((), limit=100)) == 12
    store.delete(("users", "ana"), "one")
    assert len(store.search((), limit=100)) == 11


def test_namespaces_and_keys_are_never_taken_for_each_other(store: MnemicStore) -> None:
    store.put(("a", "b"), "c", {"n": 1})
    store.put(("a",), "b/c", {"n": 2})
    store.put(("a/b",), "c", {"n": 3})
    store.put(('a"',), "b", {"n": 4})
    found = [store.get(*where) for where in ((("a", "b"), "c"), (("a",), "b/c"), (("a/b",), "c"), (('a"',), "b"))]
    assert [item.value["n"] for item in found if item is not None] == [1, 2, 3, 4]
    assert {item.value["n"] for item in store.search(("a",))} == {1, 2}
    for wrong in ((), ("a.b",), ("",), ("langgraph",), ("a", 3)):
        with pytest.raises(InvalidNamespaceError):
            store.put(wrong, "k", {"n": 1})  # type: ignore[arg-type]
    with pytest.raises(InvalidNamespaceError):
        store.batch([GetOp(("a.b",), "c")])


def test_a_batch_reads_what_was_there_before_it_writes(store: MnemicStore) -> None:
    store.put(("a",), "old", {"n": 1})
    found = store.batch(
        [
            PutOp(("a",), "new", {"n": 2}),
            GetOp(("a",), "new"),
            PutOp(("a",), "old", {"n": 3}),
            PutOp(("a",), "old", {"n": 4}),
            SearchOp(("a",)),
            ListNamespacesOp(),
        ]
    )
    assert [found[0], found[1], found[2], found[3], found[5]] == [None, None, None, None, [("a",)]]
    assert [item.value for item in found[4]] == [{"n": 1}]  # type: ignore[union-attr]
    assert {item.key: item.value["n"] for item in store.search(("a",))} == {"old": 4, "new": 2}


@pytest.mark.parametrize(
    ("filter", "found"),
    [
        ({"n": 2}, "b"),
        ({"n": {"$eq": 2}}, "b"),
        ({"n": {"$ne": 2}}, "acde"),
        ({"n": {"$gt": 1, "$lte": 3}}, "bc"),
        ({"n": {"$lt": 2.5}}, "ab"),
        ({"n": {"$gte": "3"}}, "c"),
        ({"day": {"$gt": "2026-01-01"}}, "e"),
        ({"deep": {"x": {"y": 1}}}, "d"),
        ({"deep": {"x": {"y": {"$gte": 1}}}}, "d"),
        ({"tags": ["p", "q"]}, "d"),
        ({"tags": ["p"]}, ""),
        ({"n": None}, "de"),
        ({"n": 1, "k": "x"}, "a"),
        ({}, "abcde"),
    ],
)
def test_filters(store: MnemicStore, filter: dict[str, Any], found: str) -> None:
    store.put(("f",), "a", {"n": 1, "k": "x"})
    store.put(("f",), "b", {"n": 2})
    store.put(("f",), "c", {"n": 3})
    store.put(("f",), "d", {"deep": {"x": {"y": 1}}, "tags": ["p", "q"]})
    store.put(("f",), "e", {"day": "2026-06-01"})
    store.put(("g",), "z", {"n": 2})
    assert sorted(keys(store.search(("f",), filter=filter))) == list(found)
    assert sorted(keys(store.search(("f",), filter=filter, query="anything at all"))) == list(found)
    with pytest.raises(ValueError, match=r"\$like"):
        store.search(("f",), filter={"n": {"$like": 1}})


def test_pages_follow_each_other(store: MnemicStore) -> None:
    for number in range(25):
        store.put(("p", str(number % 3)), str(number), {"n": number, "text": f"note {number}"})
    for query in (None, "note 7"):
        whole = keys(store.search(("p",), query=query, limit=100))
        assert sorted(whole, key=int) == [str(number) for number in range(25)]
        pages = [keys(store.search(("p",), query=query, limit=10, offset=offset)) for offset in (0, 10, 20, 30)]
        assert [len(page) for page in pages] == [10, 10, 5, 0]
        assert [key for page in pages for key in page] == whole
    assert keys(store.search(("p",), query="note 7", limit=1)) == ["7"]
    assert store.search(("p",), limit=0) == []
    assert len(store.search(("p",))) == 10
    assert len(store.search(("p",), filter={"n": {"$gt": 4}}, query="note", limit=100)) == 20


def test_a_query_finds_by_the_fields_that_are_indexed(memory: Memory) -> None:
    store = MnemicStore(memory, fields=["text", "parts[*].words"])
    store.put(("d",), "tea", {"text": "a pot of tea", "other": "zebra"})
    store.put(("d",), "coffee", {"parts": [{"words": "a cup of coffee"}, {"words": "with milk"}]})
    store.put(("d",), "hidden", {"text": "a pot of tea, unseen"}, index=False)
    store.put(("d",), "chosen", {"text": "nothing", "title": "a kettle for tea"}, index=["title"])
    found = store.search(("d",), query="a pot of tea")
    assert found[0].key == "tea"
    assert found[0].score is not None
    assert found[0].score >= (found[1].score or 0)
    assert [(item.key, item.score) for item in found][-1] == ("hidden", None)
    assert keys(store.search(("d",), query="milk coffee"))[0] == "coffee"
    assert keys(store.search(("d",), query="kettle"))[0] == "chosen"
    assert "hidden" not in keys(store.search(("d",), query="unseen", limit=2))
    assert all(item.score is None for item in store.search(("d",)))
    store.put(("d",), "tea", {"text": "a pot of nothing"})
    assert keys(store.search(("d",), query="kettle for tea"))[0] == "chosen"
    for wrong in ("text", []):
        with pytest.raises(InputError):
            MnemicStore(memory, fields=wrong)


def test_namespaces_are_listed_by_prefix_suffix_and_depth(store: MnemicStore) -> None:
    for space in (
        ("a", "b", "c"),
        ("a", "b", "d", "e"),
        ("a", "b", "d", "i"),
        ("a", "b", "f"),
        ("a", "c", "f"),
        ("z",),
    ):
        store.put(space, "k", {"n": 1})
        store.put(space, "l", {"n": 1})
    listed = store.list_namespaces
    assert listed(prefix=("a", "b"), max_depth=3) == [("a", "b", "c"), ("a", "b", "d"), ("a", "b", "f")]
    assert listed(suffix=("f",)) == [("a", "b", "f"), ("a", "c", "f")]
    assert listed(prefix=("a", "*", "f")) == [("a", "b", "f"), ("a", "c", "f")]
    assert listed(suffix=("d", "*")) == [("a", "b", "d", "e"), ("a", "b", "d", "i")]
    assert listed(prefix=("a",), suffix=("c",)) == [("a", "b", "c")]
    assert listed(limit=2, offset=4) == [("a", "c", "f"), ("z",)]
    assert listed(prefix=("a", "b", "c", "d", "e")) == []
    store.delete(("z",), "k")
    assert ("z",) in listed()
    store.delete(("z",), "l")
    assert ("z",) not in listed()
    with pytest.raises(ValueError, match="infix"):
        store.batch([ListNamespacesOp((MatchCondition("infix", ("a",)),))])  # type: ignore[arg-type]


def test_items_expire_and_live_anew_when_they_are_read(memory: Memory) -> None:
    clock = FrozenClock()
    with Memory(":memory:", embedder="none", clock=clock) as memory:
        store = MnemicStore(memory, ttl={"default_ttl": 10, "refresh_on_read": True}, clock=clock)
        store.put(("t",), "short", {"n": 1})
        store.put(("t",), "long", {"n": 2}, ttl=100)
        store.put(("t",), "ever", {"n": 3}, ttl=None)
        clock.advance(9 * 60)
        item = store.get(("t",), "short")  # lives ten minutes more
        assert item is not None
        assert item.updated_at == item.created_at
        clock.advance(9 * 60)
        assert store.get(("t",), "short", refresh_ttl=False) == item
        clock.advance(2 * 60)
        assert store.get(("t",), "short") is None
        assert sorted(keys(store.search(("t",), refresh_ttl=False))) == ["ever", "long"]
        clock.advance(75 * 60)
        assert sorted(keys(store.search(("t",)))) == ["ever", "long"]  # the search refreshes
        clock.advance(75 * 60)
        assert sorted(keys(store.search(("t",)))) == ["ever", "long"]
        assert store.sweep_ttl() == 1
        assert store.sweep_ttl() == 0
        store.put(("t",), "short", {"n": 1})
        clock.advance(11 * 60)
        assert store.get(("t",), "short") is None
        for value in ({"n": 1}, {"n": 4}):  # what has expired can be put again, the same or not
            store.put(("t",), "short", value)
            again = store.get(("t",), "short")
            assert again is not None
            assert (again.value, again.created_at) == (value, clock())
            clock.advance(11 * 60)
        for never in (float("nan"), 1e300):
            with pytest.raises(InputError, match="ttl="):
                store.put(("t",), "never", {"n": 1}, ttl=never)
        assert store.sweep_ttl() == 1
        assert len(memory.list(project_id="langgraph", include="expired")) == 2


def test_what_was_is_kept_until_it_is_deleted(tmp_path: Path) -> None:
    with Memory(tmp_path / "a.db", embedder="none") as memory:
        store = MnemicStore(memory)
        store.put(("u",), "k", {"text": "xylophone"})
        store.put(("u",), "k", {"text": "quagmire"})
        record = memory.list(project_id="langgraph", kinds="item")[0]
        before = [
            change.record.data["value"] for change in memory.history(record.id, project_id="langgraph") if change.record
        ]
        assert before == [{"text": "xylophone"}, {"text": "quagmire"}]
        store.delete(("u",), "k")
    held = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert b"xylophone" not in held
    assert b"quagmire" not in held


def test_walls_stand_between_stores_and_around_them(memory: Memory) -> None:
    stores = {
        "default": MnemicStore(memory),
        "app": MnemicStore(memory, project_id="app"),
        "tenant": MnemicStore(memory, tenant_id="acme"),
        "ana": MnemicStore(memory, user_id="ana"),
        "ana in app": MnemicStore(memory, user_id="ana", project_id="app"),
        "bound": MnemicStore(memory.scoped(user_id="ben"), agent_id="guide"),
    }
    for name, store in stores.items():
        store.put(("users",), "who", {"text": f"this is {name}"})
    for name, store in stores.items():
        item = store.get(("users",), "who")
        assert item is not None
        assert item.value == {"text": f"this is {name}"}
        assert len(store.search(())) == len(store.search((), query="this is")) == 1
    assert [hit.text for hit in memory.search("this is", user_id="ana")] == ["text: this is ana"]
    assert len(memory.search("this is", user_id="cleo")) == 0
    stores["ana"].delete(("users",), "who")
    assert sum(len(store.search(())) for store in stores.values()) == 5
    for scope in ({"session_id": "s"}, {"user_id": ["ana", "ben"]}):
        with pytest.raises(ScopeError):
            MnemicStore(memory, **scope)  # type: ignore[arg-type]


def test_threads_that_put_one_key_at_once_leave_one_item(tmp_path: Path) -> None:
    with Memory(tmp_path / "a.db", embedder="none", recipe="none") as memory:
        store = MnemicStore(memory)
        failures: list[BaseException] = []

        def put(name: int) -> None:
            try:
                for number in range(10):
                    store.put(("u",), "k", {"by": name, "n": number})
                    store.put(("u", str(name)), str(number), {"n": number})
            except BaseException as error:
                failures.append(error)

        threads = [threading.Thread(target=put, args=(name,)) for name in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []
        assert len(store.search(("u",), limit=100)) == 41
        assert store.get(("u",), "k").value["n"] == 9  # type: ignore[union-attr]


def test_the_async_half_does_the_same(store: MnemicStore) -> None:
    async def main() -> None:
        await asyncio.gather(*(store.aput(("u",), str(number), {"n": number}) for number in range(20)))
        item = await store.aget(("u",), "7")
        assert item is not None
        assert item.value == {"n": 7}
        assert keys(await store.asearch(("u",), query="7", filter={"n": {"$lt": 8}}, limit=1)) == ["7"]
        await store.adelete(("u",), "7")
        assert await store.aget(("u",), "7") is None
        assert await store.alist_namespaces() == [("u",)]
        with pytest.raises(InputError):
            await store.aput(("u",), "k", {"when": object()})

    asyncio.run(main())


# -- graphs


def test_a_graph_keeps_what_it_learns_in_the_store(store: MnemicStore) -> None:
    def model(state: MessagesState) -> dict[str, Any]:
        held = get_store()
        if "remember" in state["messages"][-1].text:
            held.put(("memories", "ana"), "drink", {"text": "Ana likes green tea"})
            return {"messages": [AIMessage("I will.")]}
        found = held.search(("memories", "ana"), query=state["messages"][-1].text, limit=1)
        return {"messages": [AIMessage(found[0].value["text"])]}

    builder = StateGraph(MessagesState)
    builder.add_node("model", model)
    builder.add_edge(START, "model")
    builder.add_edge("model", END)
    graph = builder.compile(store=store)
    graph.invoke({"messages": [HumanMessage("Please remember that I like green tea")]})
    answer = graph.invoke({"messages": [HumanMessage("What does Ana like to drink?")]})
    assert answer["messages"][-1].text == "Ana likes green tea"
    answer = asyncio.run(graph.ainvoke({"messages": [HumanMessage("What does Ana like to drink?")]}))
    assert answer["messages"][-1].text == "Ana likes green tea"


def chat(memory: LongTermMemory, *answers: str) -> tuple[Any, list[list[AnyMessage]]]:
    """A graph that recalls, asks a scripted model, and remembers; and what the model was given."""
    model = GenericFakeChatModel(messages=iter([AIMessage(answer) for answer in answers]))
    read: list[list[AnyMessage]] = []

    def ask(state: RecallState) -> dict[str, Any]:
        read.append(state["llm_input_messages"])
        return {"messages": [model.invoke(state["llm_input_messages"])]}

    builder = StateGraph(RecallState)
    builder.add_node("recall", memory.recall)
    builder.add_node("ask", ask)
    builder.add_node("remember", memory.remember)
    builder.add_edge(START, "recall")
    builder.add_edge("recall", "ask")
    builder.add_edge("ask", "remember")
    builder.add_edge("remember", END)
    return builder.compile(), read


def test_a_graph_recalls_in_another_thread_what_was_said_in_one(tmp_path: Path) -> None:
    with Memory(tmp_path / "a.db") as memory:
        graph, _ = chat(LongTermMemory(memory), "Noted.")
        graph.invoke({"messages": [HumanMessage("I moved to Porto in May.")]}, ANA)
        assert memory.list(kinds="episode", order="oldest", user_id="ana")[1].text == "Noted."
    with Memory(tmp_path / "a.db") as memory:  # another process, another thread, no checkpointer
        graph, read = chat(LongTermMemory(memory), "In Porto.", "I do not know.")
        asked = {"messages": [SystemMessage("Be brief."), HumanMessage("Where do I live?")]}
        done = graph.invoke(asked, {"configurable": {"user_id": "ana", "thread_id": "two"}})
        assert [type(one) for one in read[0]] == [SystemMessage, SystemMessage, HumanMessage]
        assert "Porto" in read[0][1].text
        assert [one.text for one in done["messages"]] == ["Be brief.", "Where do I live?", "In Porto."]
        asyncio.run(graph.ainvoke({"messages": [("user", "Where do I live?")]}, {"configurable": {"user_id": "ben"}}))
        assert [one.text for one in read[1]] == ["Where do I live?"]  # nothing of ana's
        sessions = {record.scope.session_id for record in memory.list(kinds="episode", user_id="ana")}
        assert sessions == {"one", "two"}


def test_what_the_model_sees_anyway_is_not_recalled_and_nothing_is_kept_twice(memory: Memory) -> None:
    graph, read = chat(LongTermMemory(memory), "Nice.", "Zebras, you said.", "Again zebras.")
    first = graph.invoke({"messages": [HumanMessage("My favourite animals are zebras")]}, ANA)
    second = graph.invoke({"messages": [*first["messages"], HumanMessage("Which animals do I like?")]}, ANA)
    texts = [one.text for one in read[1]]
    assert texts[-1] == "Which animals do I like?"
    recalled = [text for text in texts if "numbered quotations" in text]
    assert not any("My favourite animals are zebras" in text for text in recalled)
    assert len(memory.list(kinds="episode", user_id="ana")) == 4
    node = LongTermMemory(memory)
    assert node.remember(second, ANA) == {}
    assert len(memory.list(kinds="episode", user_id="ana")) == 4
    graph.invoke({"messages": [HumanMessage("Which animals do I like?")]}, ANA)  # the history is gone: it is recalled
    assert any("zebras" in one.text for one in read[2][:-1])


def test_what_is_kept_is_what_people_and_models_say_and_tools_if_asked(memory: Memory) -> None:
    messages = [
        SystemMessage("You are a pirate."),
        HumanMessage("an older question", id="h0"),
        AIMessage("an older answer", id="a0"),
        HumanMessage("What is the weather in Porto?", id="h1"),
        AIMessage("", tool_calls=[{"name": "weather", "args": {}, "id": "c"}], id="a1"),
        ToolMessage("12 degrees, rain", tool_call_id="c", id="t1"),
        AIMessage([{"type": "text", "text": "It rains."}], id="a2"),
    ]
    LongTermMemory(memory).remember({"messages": messages}, ANA)
    kept = memory.list(kinds="episode", order="oldest", user_id="ana")
    assert {(record.role, record.text, record.message_id) for record in kept} == {
        ("user", "What is the weather in Porto?", "h1"),
        ("assistant", "It rains.", "a2"),
    }
    LongTermMemory(memory, tools=True).remember({"messages": messages}, {"configurable": {"user_id": "ben"}})
    assert len(memory.list(kinds="episode", user_id="ben")) == 3


def test_whose_memory_it_is_must_be_said(memory: Memory) -> None:
    graph, _ = chat(LongTermMemory(memory), "x")
    with pytest.raises(ScopeError, match="names no user"):
        graph.invoke({"messages": [HumanMessage("Hello")]})
    bound = LongTermMemory(memory.scoped(user_id="cleo"), scope_of=lambda config: {})
    graph, _ = chat(bound, "Hello Cleo")
    graph.invoke({"messages": [HumanMessage("Hello")]})
    assert len(memory.list(kinds="episode", user_id="cleo")) == 2
    with pytest.raises(InputError, match="no list of messages"):
        bound.recall({"question": "x"}, {})
    assert bound.recall({"messages": []}, {}) == {"llm_input_messages": []}
