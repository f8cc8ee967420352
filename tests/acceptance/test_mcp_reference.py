"""The reference memory server's nine tools, as its own clients use them, on the records of a memory."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from mcp import Client
from mcp.types import ResourceUpdatedNotification

from mnemic import Memory
from mnemic.models import wordllama
from mnemic.serve.mcp import graph
from tests.mcp_sessions import desk_of, in_process, refused, text, told

ANA = {"name": "Ana", "entityType": "person", "observations": ["likes olives", "lives in Porto"]}
ACME = {"name": "Acme", "entityType": "company", "observations": []}
WORKS = {"from": "Ana", "to": "Acme", "relationType": "works_at"}


def served(path: Path, work: Any, **more: Any) -> None:
    terms = {name: more.pop(name) for name in ("max_tokens",) if name in more}
    in_process(desk_of(path, **terms), work, reference=True, **more)


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_a_graph_is_made_read_and_searched(tmp_path: Path, mode: str) -> None:
    async def work(client: Client) -> None:
        names = [tool.name for tool in (await client.list_tools()).tools]
        assert names == [
            *("create_entities", "create_relations", "add_observations"),
            *("delete_entities", "delete_observations", "delete_relations"),
            *("read_graph", "search_nodes", "open_nodes"),
        ]
        made = await client.call_tool("create_entities", {"entities": [ANA, ACME, ANA]})
        assert made.structured_content == {"entities": [ANA, ACME]}
        assert json.loads(text(made)) == [ANA, ACME]
        assert await told(client, "create_entities", entities=[{**ANA, "observations": ["x"]}]) == {"entities": []}
        assert await told(client, "create_relations", relations=[WORKS, WORKS]) == {"relations": [WORKS]}
        assert await told(client, "create_relations", relations=[WORKS]) == {"relations": []}
        seen = [{"entityName": "Ana", "contents": ["likes olives", "has a dog", "has a dog"]}]
        assert await told(client, "add_observations", observations=seen) == {
            "results": [{"entityName": "Ana", "addedObservations": ["has a dog"]}]
        }
        ana = {**ANA, "observations": ["likes olives", "lives in Porto", "has a dog"]}
        whole = {"entities": [ana, ACME], "relations": [WORKS]}
        read = await client.call_tool("read_graph")
        assert read.structured_content == whole
        assert [json.loads(block.text) for block in read.content if block.type == "text"] == [whole]
        around = {"entities": [ACME], "relations": [WORKS]}
        assert await told(client, "open_nodes", names=["Acme", "Nobody"]) == around
        assert await told(client, "search_nodes", query="COMPANY") == around
        assert (await told(client, "search_nodes", query="a dog"))["entities"] == [ana]
        assert await told(client, "search_nodes", query="zebra crossing") == {"entities": [], "relations": []}
        (content,) = (await client.read_resource(graph.URI)).contents
        assert json.loads(content.text) == whole  # pyright: ignore

    served(tmp_path / "graph.db", work, mode=mode)


def test_deletions_say_what_was_there_and_take_along_what_hangs_on_it(tmp_path: Path) -> None:
    async def work(client: Client) -> None:
        await told(client, "create_entities", entities=[ANA, ACME])
        await told(client, "create_relations", relations=[WORKS])

        async def message(tool: str, **given: Any) -> str:
            result = await client.call_tool(tool, given)
            assert result.structured_content == {"success": True, "message": text(result)}
            return text(result)

        done = await message("delete_observations", deletions=[{"entityName": "Ana", "observations": ["likes olives"]}])
        assert done == "Observations deleted successfully"
        some = [{"entityName": "Ana", "observations": ["likes olives"]}, {"entityName": "Bo", "observations": ["x"]}]
        done = await message("delete_observations", deletions=some)
        assert done == "Deleted 0 of 2 observations. Entities not found: Bo"
        done = await message("delete_relations", relations=[WORKS, {**WORKS, "relationType": "owns"}])
        assert done == "Deleted 1 of 2 relations. The rest matched nothing."
        await told(client, "create_relations", relations=[WORKS])
        done = await message("delete_entities", entityNames=["Acme", "Nobody"])
        assert done == "Deleted 1 of 2 entities. Not found: Nobody"
        left = {"entities": [{**ANA, "observations": ["lives in Porto"]}], "relations": []}
        assert await told(client, "read_graph") == left
        assert await message("delete_entities", entityNames=["Ana"]) == "Entities deleted successfully"
        assert await told(client, "read_graph") == {"entities": [], "relations": []}
        assert (await told(client, "create_entities", entities=[ANA]))["entities"] == [ANA]
        assert (await told(client, "read_graph"))["entities"] == [ANA]

    served(tmp_path / "graph.db", work)


def test_what_is_not_there_is_an_error_that_names_it(tmp_path: Path) -> None:
    async def work(client: Client) -> None:
        await told(client, "create_entities", entities=[ANA])
        says = await refused(client, "create_relations", relations=[WORKS])
        assert says == "input: Entity with name Acme not found"
        says = await refused(client, "add_observations", observations=[{"entityName": "Anna", "contents": ["x"]}])
        assert says == "input: Entity with name Anna not found; did you mean 'Ana'?"
        assert "relations[0] needs 'to'" in await refused(client, "create_relations", relations=[{"from": "Ana"}])
        assert "at most 2,048" in await refused(client, "search_nodes", query="x" * 2049)
        assert (await told(client, "read_graph"))["relations"] == []

    served(tmp_path / "graph.db", work)


def test_the_graph_is_made_of_records_that_ordinary_reads_find(tmp_path: Path) -> None:
    path = tmp_path / "graph.db"

    async def work(client: Client) -> None:
        await told(client, "create_entities", entities=[ANA, ACME])
        await told(client, "create_relations", relations=[WORKS])
        await told(client, "delete_observations", deletions=[{"entityName": "Ana", "observations": ["likes olives"]}])

    served(path, work)
    with Memory(path, embedder="none") as memory:
        me = memory.scoped(user_id="me")
        assert me.search("Who lives in Porto?")[0].text == "lives in Porto"
        entity = me.get(key="entity:Ana")
        assert (entity.kind, entity.subject) == ("entity", "Ana")
        assert entity.data == {"entity_type": "person"}
        (relation,) = me.list(kinds="relationship")
        assert (relation.subject, relation.data) == ("Ana", {"relation": "works_at", "value": "Acme"})
        (gone,) = me.list(kinds="fact", include="retired", order="oldest")[:1]
        assert (gone.text, gone.subject, gone.state, gone.source) == ("likes olives", "Ana", "retired", "assistant")
        assert [change.action for change in me.history(gone.id)] == ["added", "retired"]
        me.undo(me.history(gone.id)[-1].receipt)

    async def again(client: Client) -> None:
        assert (await told(client, "open_nodes", names=["Ana"]))["entities"] == [ANA]

    served(path, again)


def test_what_came_to_be_known_by_other_ways_is_in_the_graph(tmp_path: Path) -> None:
    path = tmp_path / "graph.db"
    with Memory(path, embedder="none") as memory:
        said = {"role": "user", "name": "Ana", "content": "I live in Porto.", "time": "2026-06-02T09:30Z"}
        memory.add(said, user_id="me")
        memory.remember("Acme is of type company.", kind="entity", subject="Acme", user_id="me")
        imported = {"relation": "owns", "value": "Acme"}
        memory.remember("Ana owns Acme.", kind="relationship", subject="Ana", data=imported, user_id="me")

    async def work(client: Client) -> None:
        assert [one["name"] for one in (await told(client, "read_graph"))["entities"]] == ["Acme"]
        await told(client, "create_entities", entities=[{**ANA, "observations": []}])
        opened = await told(client, "open_nodes", names=["Ana"])
        assert opened["entities"][0]["observations"] == ["Ana lives in Porto."]
        assert opened["relations"] == [{"from": "Ana", "to": "Acme", "relationType": "owns"}]

    served(path, work)


def test_names_and_observations_of_any_kind_survive(tmp_path: Path) -> None:
    names = ["Zoë 🦊", "a → b", 'say "hi"', "line\nbreak", "entity:Ana", " spaced "]

    async def work(client: Client) -> None:
        entities = [{"name": one, "entityType": "", "observations": [f"{one}!", "same"]} for one in names]
        assert (await told(client, "create_entities", entities=entities))["entities"] == entities
        ring = [{"from": a, "to": b, "relationType": "is → of"} for a, b in pairwise(names)]
        assert (await told(client, "create_relations", relations=ring))["relations"] == ring
        read = await told(client, "read_graph")
        assert read == {"entities": entities, "relations": ring}

    served(tmp_path / "graph.db", work)


# -- a graph larger than a result may be


def tokens(result: Any) -> int:
    found = wordllama.find()
    assert found is not None
    wire = result.model_dump(by_alias=True, mode="json", exclude_none=True)
    return found.counter(
        json.dumps({"content": wire["content"], "structuredContent": wire["structuredContent"]}, ensure_ascii=False)
    )


def test_a_large_graph_is_read_in_parts_that_fit_and_keep_their_shape(tmp_path: Path) -> None:
    path = tmp_path / "graph.db"
    with Memory(path, embedder="none") as memory:
        me = memory.scoped(user_id="me")
        for n in range(60):
            me.remember(f"E{n}", kind="entity", subject=f"E{n}", key=f"entity:E{n}", data={"entity_type": "t"})
            me.remember(f"was seen at the harbour on day {n}", kind="fact", subject=f"E{n}")
        for n in range(59):
            edge = {"relation": "knows", "value": f"E{n + 1}"}
            me.remember(f"E{n} knows E{n + 1}.", kind="relationship", subject=f"E{n}", data=edge)
        me.remember("came back today", kind="fact", subject="E7")

    async def work(client: Client) -> None:
        seen: list[str] = []
        while True:
            result = await client.call_tool("read_graph", {"offset": len(seen)})
            assert tokens(result) <= 2000
            part = result.structured_content
            assert json.loads(result.content[0].text) == part  # pyright: ignore
            assert set(part) == {"entities", "relations"}
            if not seen:
                assert "E7" in [one["name"] for one in part["entities"]]
                assert len(part["relations"]) >= len(part["entities"]) - 3
            seen += [one["name"] for one in part["entities"]]
            if len(result.content) == 1:
                break
            assert f"offset={len(seen)}" in text(result)
        assert sorted(seen) == sorted(f"E{n}" for n in range(60))
        assert len((await told(client, "open_nodes", names=["E3"]))["relations"]) == 2

    served(path, work, max_tokens=2000)


def test_of_an_entity_that_alone_is_too_large_the_latest_observations_are_given(tmp_path: Path) -> None:
    path = tmp_path / "graph.db"

    async def work(client: Client) -> None:
        many = [f"observation number {n} of many" for n in range(200)]
        made = await client.call_tool("create_entities", {"entities": [{**ANA, "observations": many}]})
        assert tokens(made) <= 1000
        assert "1 more were made" in text(made)
        result = await client.call_tool("open_nodes", {"names": ["Ana"]})
        assert tokens(result) <= 1000
        (ana,) = result.structured_content["entities"]
        assert ana["observations"] == many[-len(ana["observations"]) :]
        assert 5 < len(ana["observations"]) < 200
        assert f"{200 - len(ana['observations'])} earlier observations of Ana" in text(result)

    served(path, work, max_tokens=1000)


# -- watching


@pytest.mark.filterwarnings("ignore:resources/.*subscribe is removed")
def test_who_watches_the_graph_is_told_of_changes(tmp_path: Path) -> None:
    told_of: list[str] = []

    async def hear(message: Any) -> None:
        if isinstance(message, ResourceUpdatedNotification):
            told_of.append(str(message.params.uri))

    async def work(client: Client) -> None:
        await told(client, "create_entities", entities=[ANA])
        assert told_of == []
        await client.session.subscribe_resource(graph.URI)
        await told(client, "create_entities", entities=[ACME])
        await told(client, "read_graph")
        assert told_of == [graph.URI]
        await client.session.unsubscribe_resource(graph.URI)
        await told(client, "delete_entities", entityNames=["Acme"])
        await told(client, "read_graph")
        assert told_of == [graph.URI]

    served(tmp_path / "graph.db", work, mode="legacy", message_handler=hear)


def test_who_listens_in_the_newer_protocol_is_told_of_changes(tmp_path: Path) -> None:
    async def work(client: Client) -> None:
        async with client.listen(resource_subscriptions=[graph.URI]) as events:
            await told(client, "create_entities", entities=[ANA])
            async for event in events:
                assert event.uri == graph.URI  # pyright: ignore
                break

    served(tmp_path / "graph.db", work)
