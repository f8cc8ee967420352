"""Other systems' exports, imported: what becomes of each item, twice, broken off, and where the file is wrong."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import tracemalloc
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from mnemic import InputError, Memory, NotFoundError, Record, importers
from mnemic.testing import FrozenClock, HashEmbedder

START = datetime(2026, 5, 1, 12, tzinfo=UTC)
ANA: dict[str, Any] = {"user_id": "ana"}


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Memory]:
    with Memory(
        tmp_path / "m.db", embedder=HashEmbedder(16), clock=FrozenClock(START), recipe="none", timezone="Europe/Lisbon"
    ) as found:
        yield found


def saved(path: Path, value: object) -> Path:
    path.write_text(json.dumps(value), "utf-8")
    return path


def held(memory: Memory, **given: Any) -> list[Record]:
    """All records, oldest first."""
    return list(memory.list(**{**ANA, "order": "oldest", "limit": 500, **given}))


def texts(memory: Memory, **given: Any) -> list[str]:
    return [one.text for one in held(memory, **given)]


def twice_changes_nothing(memory: Memory, path: Path, **given: Any) -> None:
    before = memory.stats(everything=True).journal
    again = memory.import_(path, **{**ANA, **given})
    assert {entry.action for entry in again.entries} == {"ignored"}
    assert memory.stats(everything=True).journal == before


# -- ChatGPT


def node(id_: str, parent: str | None, role: str = "user", content: Any = None, **message: Any) -> dict[str, Any]:
    if isinstance(content, str):
        content = {"content_type": "text", "parts": [content]}
    told = None
    if content is not None:
        told = {
            "id": f"msg-{id_}",
            "author": {"role": role, "name": None, "metadata": {}},
            "create_time": 1714550000.25,
            "update_time": None,
            "content": content,
            "status": "finished_successfully",
            "end_turn": True,
            "weight": 1.0,
            "metadata": {},
            "recipient": "all",
            **message,
        }
    return {"id": id_, "message": told, "parent": parent, "children": []}


def conversation(*nodes: dict[str, Any], current: str | None = None, id_: str = "conv-1") -> dict[str, Any]:
    for one in nodes:
        one["children"] = [other["id"] for other in nodes if other["parent"] == one["id"]]
    return {
        "title": "A garden",
        "create_time": 1714549990.5,
        "update_time": 1714559990.5,
        "mapping": {one["id"]: one for one in nodes},
        "moderation_results": [],
        "current_node": current or nodes[-1]["id"],
        "conversation_id": id_,
        "id": id_,
    }


def a_chat() -> dict[str, Any]:
    image = {"content_type": "image_asset_pointer", "asset_pointer": "file-service://file-1", "width": 8, "height": 8}
    return conversation(
        node("root", None),
        node("sys", "root", "system", "", metadata={"is_visually_hidden_from_conversation": True}),
        node("about", "sys", "user", {"content_type": "user_editable_context", "user_profile": "I live in Porto."}),
        node("ask", "about", "user", "When do tomatoes go out?"),
        node("old", "ask", "assistant", "In March."),
        node("think", "ask", "assistant", {"content_type": "thoughts", "thoughts": [{"summary": "s", "content": "c"}]}),
        node("code", "think", "assistant", {"content_type": "code", "text": "frost()"}, recipient="python"),
        node(
            "ran",
            "code",
            "tool",
            {"content_type": "execution_output", "text": "last frost: 20 April"},
            author={"role": "tool", "name": "python", "metadata": {}},
        ),
        node("new", "ran", "assistant", "After the last frost.", metadata={"model_slug": "gpt-4o"}),
        node(
            "see",
            "new",
            "user",
            {"content_type": "multimodal_text", "parts": [image, "Are these ripe?"]},
            metadata={"attachments": [{"id": "file-1", "name": "plants.png", "size": 12, "mimeType": "image/png"}]},
            create_time=None,
        ),
        current="see",
    )


def test_chatgpt_takes_the_branch_that_was_seen_last(memory: Memory, tmp_path: Path) -> None:
    path = saved(tmp_path / "conversations.json", [a_chat()])
    receipt = memory.import_(path, **ANA)
    assert texts(memory) == [
        "I live in Porto.",
        "When do tomatoes go out?",
        "frost()",
        "last frost: 20 April",
        "After the last frost.",
        "[image]\nAre these ripe?",
    ]
    about, ask, code, ran, new, see = held(memory)
    assert about.role == "document"
    assert about.scope.session_id == "custom instructions"
    assert (ask.role, ask.message_id, ask.source, ask.scope.session_id) == ("user", "msg-ask", "import", "conv-1")
    assert ask.time == datetime.fromtimestamp(1714550000.25, UTC)
    assert ask.metadata == {"file": "conversations.json", "imported": "chatgpt", "title": "A garden"}
    assert code.metadata["to"] == "python"
    assert (ran.role, ran.speaker) == ("tool", "python")
    assert new.metadata["model"] == "gpt-4o"
    assert see.metadata["attachments"] == ["plants.png"]
    assert see.time == new.time  # it has none of its own
    left_out = "\n".join(receipt.notes)
    assert "left out 1: on a branch that was left for another" in left_out
    assert "left out 1: reasoning, which was not said" in left_out
    assert "left out 1: hidden in the conversation" in left_out
    twice_changes_nothing(memory, path)


def test_chatgpt_without_a_current_node_goes_by_the_last_leaf_and_a_circle_ends(memory: Memory, tmp_path: Path) -> None:
    late = node("late", "ask", "assistant", "Late.", create_time=1714560000.0)
    one = conversation(node("ask", None, content="Hello?"), node("early", "ask", "assistant", "Early."), late)
    one["current_node"] = None
    circle = conversation(node("a", "b", content="a"), node("b", "a", content="b"), id_="conv-2")
    memory.import_(saved(tmp_path / "conversations.json", [one, circle]), **ANA)
    assert sorted(texts(memory)) == ["Hello?", "Late.", "a", "b"]


def test_a_zip_and_a_folder_of_shards_are_read_as_they_come(memory: Memory, tmp_path: Path) -> None:
    first = conversation(node("a", None, content="one"), id_="1")
    second = conversation(node("b", None, content="two"), id_="2")
    with zipfile.ZipFile(tmp_path / "export.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("chat.html", "<html>")
        archive.writestr("conversations-000.json", json.dumps([first]))
        archive.writestr("conversations-001.json", json.dumps([second]))
    memory.import_(tmp_path / "export.zip", **ANA)
    assert texts(memory) == ["one", "two"]
    assert held(memory)[0].metadata["file"] == "export.zip"
    folder = tmp_path / "unpacked"
    with zipfile.ZipFile(tmp_path / "export.zip") as archive:
        archive.extractall(folder)
    twice_changes_nothing(memory, folder)


def test_a_damaged_zip_is_told(memory: Memory, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "e.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("conversations.json", json.dumps([a_chat()] * 50))
    content = bytearray((tmp_path / "e.zip").read_bytes())
    content[200:260] = b"\0" * 60
    (tmp_path / "e.zip").write_bytes(content)
    with pytest.raises(InputError, match=r"conversations\.json' in 'e\.zip' cannot be unpacked"):
        memory.import_(tmp_path / "e.zip", **ANA)
    assert texts(memory) == []


def test_characters_that_json_breaks_apart_are_mended(memory: Memory, tmp_path: Path) -> None:
    path = tmp_path / "conversations.json"
    chat = json.dumps([conversation(node("a", None, content="PAIR LONE"))])
    path.write_text(chat.replace("PAIR", "\\ud83c\\udf45").replace("LONE", "\\ud83c"), "utf-8")
    memory.import_(path, **ANA)
    assert texts(memory) == ["🍅 �"]


# -- Claude


def a_claude_chat() -> dict[str, Any]:
    def part(**fields: Any) -> dict[str, Any]:
        return {"start_timestamp": None, "stop_timestamp": None, "flags": None, **fields}

    def message(uuid: str, sender: str, *content: dict[str, Any], **more: Any) -> dict[str, Any]:
        return {
            "uuid": uuid,
            "text": "",
            "content": list(content),
            "sender": sender,
            "created_at": "2024-05-01T08:00:00.123456Z",
            "updated_at": "2024-05-01T08:00:00.123456Z",
            "attachments": [],
            "files": [],
            **more,
        }

    notes = {"file_name": "notes.txt", "file_size": 4, "file_type": "txt", "extracted_content": "Sow in May."}
    return {
        "uuid": "chat-1",
        "name": "Sowing",
        "created_at": "2024-05-01T08:00:00.000000Z",
        "updated_at": "2024-05-01T09:00:00.000000Z",
        "account": {"uuid": "acc"},
        "chat_messages": [
            message("m1", "human", part(type="text", text="What do my notes say?"), attachments=[notes]),
            message(
                "m2",
                "assistant",
                part(type="thinking", thinking="hm"),
                part(type="tool_use", name="read", input={"file": "notes.txt"}),
                part(type="tool_result", name="read", content=[{"type": "text", "text": "Sow in May."}]),
                part(type="text", text="To sow in May."),
            ),
            message("m3", "human", text="Thanks!", files=[{"file_name": "bed.png"}]),
            message("m4", "assistant"),
        ],
    }


def test_claude_takes_parts_attachments_memories_and_projects(memory: Memory, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "data.zip", "w") as archive:
        archive.writestr("conversations.json", json.dumps([a_claude_chat()]))
        archive.writestr("users.json", json.dumps([{"uuid": "acc", "full_name": "Ana"}]))
        archive.writestr("memories.json", json.dumps([{"conversations_memory": "Ana gardens.", "account_uuid": "acc"}]))
        project = {"uuid": "p1", "name": "Garden", "prompt_template": "", "created_at": "2024-04-01T08:00:00Z"}
        project["docs"] = [{"uuid": "d1", "filename": "beds.md", "content": "Three beds."}]
        archive.writestr("projects.json", json.dumps([project]))
    receipt = memory.import_(tmp_path / "data.zip", **ANA)
    chat = held(memory, session_id="chat-1", kinds="episode")
    assert [(one.role, one.text) for one in chat] == [
        ("document", "Sow in May."),
        ("user", "What do my notes say?"),
        ("assistant", 'read({"file":"notes.txt"})\nSow in May.\nTo sow in May.'),
        ("user", "Thanks!"),
    ]
    assert chat[0].metadata["file_name"] == "notes.txt"
    assert chat[1].metadata["attachments"] == ["notes.txt"]
    assert chat[1].time == datetime(2024, 5, 1, 8, 0, 0, 123456, UTC)
    assert chat[3].metadata["title"] == "Sowing"
    assert {"Ana gardens.", "Three beds."} < set(texts(memory))
    assert any(note.startswith("left out 2: nothing in it that is text") for note in receipt.notes)
    twice_changes_nothing(memory, tmp_path / "data.zip")


def test_claude_follows_the_branch_where_the_export_tells(memory: Memory, tmp_path: Path) -> None:
    chat = a_claude_chat()
    for one, parent in zip(chat["chat_messages"], (None, "m1", "m1", "m3"), strict=True):
        one["parent_message_uuid"] = parent
    chat["current_leaf_message_uuid"] = "m3"
    receipt = memory.import_(saved(tmp_path / "one.json", chat), **ANA)
    assert texts(memory) == ["Sow in May.", "What do my notes say?", "Thanks!"]
    assert any("left out 2: on a branch" in note for note in receipt.notes)


# -- mem0


def test_mem0_keeps_ids_times_and_metadata(memory: Memory, tmp_path: Path) -> None:
    one = {
        "id": "11-22",
        "memory": "Likes green tea",
        "hash": "ab",
        "metadata": {"category": "drinks"},
        "created_at": "2024-03-01T09:00:00-08:00",
        "updated_at": None,
        "user_id": "alice",
        "score": None,
    }
    path = saved(tmp_path / "all.json", {"results": [one, {"id": "x", "memory": "  "}], "relations": []})
    receipt = memory.import_(path, **ANA)
    (fact,) = held(memory)
    assert (fact.kind, fact.text, fact.source) == ("fact", "Likes green tea", "import")
    assert fact.time == datetime(2024, 3, 1, 17, tzinfo=UTC)
    assert {**fact.metadata, "told": ""} == {
        "category": "drinks",
        "file": "all.json",
        "import_id": "11-22",
        "imported": "mem0",
        "told": "",
        "user_id": "alice",
    }
    assert [piece.text for piece in fact.evidence] == ["Likes green tea"]  # the act of importing it
    assert any("left out 1: no words under 'memory'" in note for note in receipt.notes)
    twice_changes_nothing(memory, path)


def test_a_later_export_brings_its_changes_but_not_over_what_was_changed_here(memory: Memory, tmp_path: Path) -> None:
    def exported(first: str, second: str) -> Path:
        return saved(tmp_path / "all.json", [{"id": "1", "memory": first}, {"id": "2", "memory": second}])

    memory.import_(exported("Likes tea", "Has a cat"), **ANA)
    cat = next(one for one in held(memory) if one.text == "Has a cat")
    memory.update(cat.id, text="Has two cats", **ANA)
    dry = memory.import_(exported("Likes green tea", "Has a dog"), dry_run=True, **ANA)
    assert [entry.action for entry in dry.entries] == ["revised", "ignored"]
    done = memory.import_(exported("Likes green tea", "Has a dog"), **ANA)
    assert [entry.action for entry in done.entries] == ["revised", "ignored"]
    assert "changed here since" in done.entries[1].reason
    assert sorted(texts(memory)) == ["Has two cats", "Likes green tea"]
    memory.import_(exported("Likes oolong", "Has a dog"), **ANA)  # what was brought up once can be again
    assert sorted(texts(memory)) == ["Has two cats", "Likes oolong"]


def test_items_of_several_users_are_not_mixed(memory: Memory, tmp_path: Path) -> None:
    path = saved(
        tmp_path / "all.json",
        [{"id": "1", "memory": "A", "user_id": "alice"}, {"id": "2", "memory": "B", "user_id": "bob"}],
    )
    with pytest.raises(InputError, match=r"of several: 'alice' \(1\), 'bob' \(1\)\. .* only=NAME"):
        memory.import_(path, **ANA)
    with pytest.raises(InputError, match=r"only='carol' is nobody in 'all\.json'"):
        memory.import_(path, only="carol", **ANA)
    assert texts(memory) == []
    memory.import_(path, only="bob", **ANA)
    assert texts(memory) == ["B"]


def test_mem0_history_gives_versions_and_leaves_out_what_was_deleted(memory: Memory, tmp_path: Path) -> None:
    path = tmp_path / "history.db"
    database = sqlite3.connect(path)
    database.execute(
        "CREATE TABLE history (id TEXT PRIMARY KEY, memory_id TEXT, old_memory TEXT, new_memory TEXT, event TEXT, "
        "created_at DATETIME, updated_at DATETIME, is_deleted INTEGER, actor_id TEXT, role TEXT)"
    )
    database.execute(
        "CREATE TABLE messages (id TEXT PRIMARY KEY, session_scope TEXT, role TEXT, content TEXT, name TEXT, "
        "created_at DATETIME)"
    )
    new_year = "2024-01-01T00:00:00+00:00"
    rows = [
        ("h1", "mem-1", None, "Lives in Lisbon", "ADD", new_year, None, 0, None, "user"),
        ("h2", "mem-1", "Lives in Lisbon", "Lives in Porto", "UPDATE", new_year, "2024-05-01", 0, None, None),
        ("h3", "mem-2", None, "Secret", "ADD", new_year, None, 0, None, None),
        ("h4", "mem-2", "Secret", None, "DELETE", new_year, "2024-02-01", 1, None, None),
    ]
    database.executemany("INSERT INTO history VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
    database.execute(
        "INSERT INTO messages VALUES ('s1', 'user_id=ana', 'user', 'I moved!', NULL, '2024-05-01T00:00:00+00:00')"
    )
    database.commit()
    database.close()
    receipt = memory.import_(path, **ANA)
    assert sorted(texts(memory)) == ["I moved!", "Lives in Porto"]
    old = next(one for one in held(memory, include="superseded") if one.text == "Lives in Lisbon")
    new = next(one for one in held(memory) if one.text == "Lives in Porto")
    assert (old.superseded_by, old.valid_to) == (new.id, datetime(2024, 5, 1, tzinfo=UTC))
    assert "Lives in Lisbon" in texts(memory, as_of="2024-03-01T00:00Z")
    assert any("left out 1: deleted in mem0" in note for note in receipt.notes)
    twice_changes_nothing(memory, path)


# -- Zep and Graphiti


def a_graph(*, moved: bool = True) -> dict[str, Any]:
    episode = {"group_id": "g", "labels": [], "source": "message", "source_description": "chat", "entity_edges": []}
    edge = {"group_id": "g", "name": "LIVES_IN", "source_node_uuid": "ana", "fact_embedding": None, "attributes": {}}
    made = "2024-06-01T00:00:00Z"
    edges = [
        {
            **edge,
            "uuid": "f1",
            "fact": "Ana lives in Lisbon",
            "target_node_uuid": "lisbon",
            "episodes": ["e1"],
            "created_at": "2024-01-02T00:00:00Z",
            "valid_at": "2024-01-01T00:00:00Z",
            "invalid_at": "2024-05-01T00:00:00Z" if moved else None,
            "expired_at": made if moved else None,
        },
        {
            **edge,
            "uuid": "f2",
            "fact": "Ana lives in Porto",
            "target_node_uuid": "porto",
            "episodes": ["e2", "gone"],
            "created_at": made,
            "valid_at": "2024-05-01T00:00:00Z",
            "invalid_at": None,
            "expired_at": None,
        },
    ]
    node_ = {"group_id": "g", "labels": ["Entity", "Person"], "created_at": made, "attributes": {}}
    return {
        "edges": edges[: 2 if moved else 1],
        "nodes": [
            {**node_, "uuid": "ana", "name": "Ana", "summary": "A gardener."},
            {**node_, "uuid": "lisbon", "name": "Lisbon", "summary": ""},
            {**node_, "uuid": "porto", "name": "Porto", "summary": ""},
        ],
        "episodes": [
            {**episode, "uuid": "e1", "content": "Ana: I live in Lisbon", "valid_at": "2024-01-01T00:00:00Z"},
            {**episode, "uuid": "e2", "content": "Ana: I moved to Porto", "valid_at": "2024-05-03T00:00:00Z"},
        ],
    }


def test_graphiti_keeps_when_it_was_true_what_took_over_and_the_evidence(memory: Memory, tmp_path: Path) -> None:
    path = saved(tmp_path / "graph.json", a_graph())
    receipt = memory.import_(path, **ANA)
    by_text = {one.text: one for one in held(memory, include="superseded")}
    old, new = by_text["Ana lives in Lisbon"], by_text["Ana lives in Porto"]
    assert (old.state, old.superseded_by) == ("superseded", new.id)
    assert (old.valid_from, old.valid_to) == (datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 5, 1, tzinfo=UTC))
    assert old.metadata["expired_at"] == "2024-06-01T00:00:00Z"
    assert (new.state, new.subject, new.data) == ("current", "Ana", {"relation": "LIVES_IN", "value": "Porto"})
    assert [piece.text for piece in new.evidence] == ["Ana: I moved to Porto", "Ana lives in Porto"]
    assert by_text["A gardener."].kind == "summary"
    assert "Ana lives in Lisbon" in texts(memory, as_of="2024-02-01T00:00Z", kinds="fact")
    assert any("evidence that the export names and does not hold (f2)" in note for note in receipt.notes)
    twice_changes_nothing(memory, path)
    said = next(one for one in held(memory, kinds="episode") if "moved" in one.text)
    memory.erase(said.id, **ANA)  # and what rests on it goes, too
    assert "Ana lives in Porto" not in texts(memory)


def test_graphiti_a_fact_that_ended_since_the_last_export_ends(memory: Memory, tmp_path: Path) -> None:
    memory.import_(saved(tmp_path / "graph.json", a_graph(moved=False)), **ANA)
    assert "Ana lives in Lisbon" in texts(memory)
    receipt = memory.import_(saved(tmp_path / "graph.json", a_graph()), **ANA)
    assert receipt.count("revised") == 1
    assert "Ana lives in Lisbon" not in texts(memory)
    assert "Ana lives in Lisbon" in texts(memory, as_of="2024-02-01T00:00Z")


# -- Letta


def letta_message(role: str, text: str = "", **more: Any) -> dict[str, Any]:
    content = [{"type": "text", "text": text}] if text else []
    return {"role": role, "content": content, "created_at": "2024-05-01T08:00:00+00:00", "tool_calls": [], **more}


def packed(kind: str, **fields: str) -> str:
    return json.dumps({"type": kind, **fields, "time": "2024-05-01 08:00:00 AM"})


def call(name: str, **arguments: str) -> dict[str, Any]:
    return {"id": "c1", "type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}}


def test_letta_reads_both_layouts_of_agent_files(memory: Memory, tmp_path: Path) -> None:
    messages = [
        letta_message("system", "You are Letta…", id="message-0"),
        letta_message("user", packed("login", last_login="never"), id="message-1"),
        letta_message("user", packed("user_message", message="I am Ana."), id="message-2"),
        letta_message("assistant", "Her name!", id="message-3", tool_calls=[call("send_message", message="Hi!")]),
        letta_message("tool", json.dumps({"status": "OK", "message": "None", "time": "…"}), id="message-4"),
        letta_message("assistant", id="message-5", tool_calls=[call("core_memory_append", content="Ana")]),
    ]
    later = {
        "agents": [{"id": "agent-0", "name": "helper", "system": "…", "messages": messages, "block_ids": ["block-0"]}],
        "groups": [],
        "blocks": [
            {"id": "block-0", "label": "human", "value": "The user is Ana.", "limit": 5000, "metadata": {}},
            {"id": "block-1", "label": "persona", "value": "I am kind.", "limit": 5000, "metadata": {}},
            {"id": "block-2", "label": "plants", "value": "Tomatoes: 4", "limit": 5000, "metadata": {}},
        ],
        "files": [{"id": "file-0", "source_id": "source-0", "file_name": "beds.md", "content": "Three beds."}],
        "sources": [],
        "tools": [],
        "mcp_servers": [],
        "passages": [{"id": "passage-0", "text": "Ana sows in May.", "tags": ["garden"]}],
        "metadata": {"revision_id": "1"},
        "created_at": "2024-05-01T08:00:00Z",
    }
    receipt = memory.import_(saved(tmp_path / "agent.af", later), **ANA)
    said = held(memory, session_id="helper", kinds="episode")
    assert [(one.role, one.text) for one in said] == [
        ("user", "I am Ana."),
        ("assistant", "Hi!"),
        ("assistant", 'core_memory_append({"content": "Ana"})'),
    ]
    blocks = {one.text: one.kind for one in held(memory) if one.kind != "episode"}
    assert blocks == {"The user is Ana.": "profile", "I am kind.": "instruction", "Tomatoes: 4": "fact"}
    assert {"Three beds.", "Ana sows in May."} < set(texts(memory))
    assert sum("left out 1" in note for note in receipt.notes) == 3
    twice_changes_nothing(memory, tmp_path / "agent.af")

    first = {
        "agent_type": "memgpt_agent",
        "name": "old",
        "core_memory": [{"label": "human", "value": "Rui.", "created_at": "2023-01-01T00:00:00", "limit": 5000}],
        "messages": [letta_message("user", packed("user_message", message="I am Rui."))],
        "system": "…",
        "tools": [],
        "version": "0.6.47",
    }
    memory.import_(saved(tmp_path / "old.af", first), user_id="rui")
    assert {one.text for one in memory.list(user_id="rui")} == {"Rui.", "I am Rui."}
    twice_changes_nothing(memory, tmp_path / "old.af", user_id="rui")


# -- MCP's reference memory server


def test_the_reference_servers_graph_comes_as_facts_and_relationships(memory: Memory, tmp_path: Path) -> None:
    ana = {"type": "entity", "name": "Ana", "entityType": "person", "observations": ["Speaks Dutch", "Speaks Dutch"]}
    relation = {"type": "relation", "from": "Ana", "to": "Acme", "relationType": "works_at"}
    lines = [ana, {"type": "entity", "name": "Acme", "entityType": "company", "observations": []}, relation]
    path = tmp_path / "memory.jsonl"
    path.write_text("\n".join(map(json.dumps, lines)) + "\n\n", "utf-8")
    receipt = memory.import_(path, **ANA)
    assert sorted((one.kind, one.subject, one.text) for one in held(memory)) == [
        ("entity", "Acme", "Acme (company)"),
        ("entity", "Ana", "Ana (person)"),
        ("fact", "Ana", "Speaks Dutch"),
        ("relationship", "Ana", "Ana works at Acme."),
    ]
    assert any("left out 1: told before" in note for note in receipt.notes)
    graph = {
        "entities": [{k: v for k, v in one.items() if k != "type"} for one in lines[:2]],
        "relations": [{k: v for k, v in relation.items() if k != "type"}],
    }
    twice_changes_nothing(memory, saved(tmp_path / "graph.json", graph))


# -- Markdown


NOTE = """---
title: Coffee
tags: [drinks, "morning"]
created: 2024-05-01
permalink: coffee
aliases:
  - Espresso
---
# Coffee

Bought beans in [[Porto|the city]]. #shop

## Observations
- [preference] Light roast before noon #taste (told at breakfast)
- [method] Pour over, 92 degrees
- [ ] a task is none
- [x] nor is this
- see [a link](https://example.org)

## Relations
- goes_with [[Cake]] (always)
- "grown in" [[Ethiopia]]

```
# not a heading
- [fact] not an observation
```
"""


def test_a_folder_of_notes_comes_section_by_section(memory: Memory, tmp_path: Path) -> None:
    folder = tmp_path / "vault"
    (folder / ".obsidian").mkdir(parents=True)
    (folder / ".obsidian" / "app.md").write_text("hidden")
    (folder / "drinks").mkdir()
    (folder / "drinks" / "Coffee.md").write_text(NOTE, "utf-8")
    (folder / "empty.md").write_text("\n")
    receipt = memory.import_(folder, **ANA)
    sections = held(memory, kinds="episode")
    assert [one.message_id for one in sections] == ["coffee#coffee", "coffee#observations", "coffee#relations"]
    assert sections[0].text == "# Coffee\n\nBought beans in [[Porto|the city]]. #shop"
    assert sections[2].text.endswith("- [fact] not an observation\n```")
    assert {**sections[1].metadata, "front": {}} == {
        "file": "vault",
        "front": {},
        "imported": "markdown",
        "links": ["Porto", "Cake", "Ethiopia"],
        "path": "drinks/Coffee.md",
        "section": "Coffee / Observations",
        "tags": ["drinks", "morning", "shop", "taste"],
        "title": "Coffee",
    }
    assert sections[0].metadata["front"] == {"aliases": ["Espresso"], "created": "2024-05-01", "permalink": "coffee"}
    assert sections[0].time == datetime(2024, 5, 1, tzinfo=UTC)
    told = {one.text: one for one in held(memory) if one.kind != "episode"}
    assert sorted((one.kind, one.subject, one.text) for one in told.values()) == [
        ("fact", "Coffee", "Pour over, 92 degrees"),
        ("preference", "Coffee", "Light roast before noon"),
        ("relationship", "Coffee", "Coffee goes with Cake."),
        ("relationship", "Coffee", "Coffee grown in Ethiopia."),
    ]
    roast = told["Light roast before noon"]
    assert (roast.metadata["tags"], roast.metadata["context"]) == (["taste"], "told at breakfast")
    assert roast.evidence[0].message_id == "coffee#observations"
    assert told["Pour over, 92 degrees"].metadata["category"] == "method"
    assert any("left out 1: nothing in it ('empty.md')" in note for note in receipt.notes)
    twice_changes_nothing(memory, folder)
    (folder / "drinks" / "Coffee.md").rename(folder / "Coffee.md")  # its permalink goes with it
    twice_changes_nothing(memory, folder)


# -- tables


def test_csv_with_columns_mapped_keeps_the_others_as_metadata(memory: Memory, tmp_path: Path) -> None:
    path = tmp_path / "letters.csv"
    path.write_text(
        'who;body;sent;stars\nAna;"Dear; all\nof you";2024-05-01;5\nRui;Hi;2024-05-02T10:00;\n;;;\n', "utf-8"
    )
    receipt = memory.import_(path, columns={"text": "body", "time": "sent", "name": "who"}, **ANA)
    one, other = held(memory)
    assert (one.text, one.speaker, one.metadata["stars"]) == ("Dear; all\nof you", "Ana", "5")
    assert (one.time, one.time_precision) == (datetime(2024, 4, 30, 23, tzinfo=UTC), "day")  # a day in Lisbon
    assert other.time == datetime(2024, 5, 2, 9, tzinfo=UTC)
    assert receipt.notes == ()
    twice_changes_nothing(memory, path, columns={"text": "body", "time": "sent", "name": "who"})


def test_jsonl_rows_are_messages_or_statements_and_equal_ones_stay_apart(memory: Memory, tmp_path: Path) -> None:
    rows = [
        {"content": "yes", "role": "user"},
        {"content": "yes", "role": "user"},
        {"content": [{"type": "text", "text": "parts"}], "role": "assistant", "created_at": 1714550000},
        {"text": "Ana likes tea", "kind": "preference", "subject": "Ana", "valid_from": "2024-01-01T00:00:00Z"},
        {"content": "when?", "time": "last May", "metadata": {"a": 1}},
        {"content": "", "role": "user"},
        {"content": "x", "role": "narrator"},
        {"text": "x", "kind": "No Kind"},
    ]
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)), "utf-8")
    receipt = memory.import_(path, **ANA)
    assert sorted(texts(memory)) == ["Ana likes tea", "parts", "when?", "yes", "yes"]
    tea = next(one for one in held(memory) if one.kind == "preference")
    assert (tea.subject, tea.valid_from) == ("Ana", datetime(2024, 1, 1, tzinfo=UTC))
    when = next(one for one in held(memory) if one.text == "when?")
    assert (when.metadata["time"], when.metadata["a"], when.time) == ("last May", 1, START)
    assert len(receipt.notes) == 3 + 1  # what was left out, and the two receipts
    twice_changes_nothing(memory, path)
    twice_changes_nothing(memory, saved(tmp_path / "rows.json", rows[:3]))


# -- what is wrong, and what goes on


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.json", '[{"mapping": {}}, {"mapping": {', r"'a\.json', line 1, item 2: the file ends here, in the middle"),
        ("b.json", '[{"chat_messages": []},\n {"x" 1}]', r"'b\.json', line 2, item 2: this is not JSON"),
        ("c.json", '{"results": [{"memory": "x"}]} []', r"'c\.json', line 1: '\[' stands behind the end"),
        ("d.json", '[{"memory": "x"}; 1]', r"';' stands where ',' must"),
        ("e.json", '{"data": 1}', r"'e\.json' has none of the formats known here\. Looked for chatgpt: conversations"),
        ("f.txt", "hello", r"none of the formats"),
        ("g.jsonl", '{"text": "a"}\n{"text": \n', r"line 2 of 'g\.jsonl' is not JSON"),
        ("h.csv", 'text,time\n"a,b\n', r"this is not CSV"),
        ("i.csv", "text,time\na,b,c\n", r"'i\.csv', line 2: it has 3 columns, and the first line 2"),
        ("j.csv", "a,b\n1,2\n", r"no column of 'j\.csv' is called text, .* it has a, b"),
        ("k.csv", "", r"is empty"),
        ("l.json", '[{"memory": "a", "metadata": ' + "[" * 100_000, r"'l\.json'.*nested too deep"),
        ("m.json", '[{"memory": NaN}]', r"'m\.json'.*NaN is no number"),
    ],
)
def test_a_wrong_file_is_told_with_the_place_and_nothing_is_written(
    memory: Memory, tmp_path: Path, name: str, content: str, message: str
) -> None:
    (tmp_path / name).write_text(content, "utf-8")
    with pytest.raises(InputError, match=message):
        memory.import_(tmp_path / name, **ANA)
    assert texts(memory) == []


def test_wrong_names_are_answered_with_the_right_ones(memory: Memory, tmp_path: Path) -> None:
    path = saved(tmp_path / "rows.json", [{"text": "a"}])
    with pytest.raises(InputError, match="format='chatgbt' is not known; did you mean 'chatgpt'"):
        memory.import_(path, format="chatgbt", **ANA)
    with pytest.raises(InputError, match="'txt' is no column; did you mean 'text'"):
        memory.import_(path, columns={"txt": "a"}, **ANA)
    with pytest.raises(InputError, match=r"'rows\.json' has no column 'b' for text: it has text"):
        memory.import_(path, columns={"text": "b"}, **ANA)
    with pytest.raises(NotFoundError, match="there is no file or folder"):
        memory.import_(tmp_path / "none.json", format="mem0", **ANA)
    latin = tmp_path / "latin.csv"
    latin.write_bytes("text\ncaf\xe9\n".encode("latin-1"))
    with pytest.raises(InputError, match=r"'latin\.csv' is not utf-8 text"):
        memory.import_(latin, **ANA)


def test_a_dry_run_tells_and_changes_nothing(memory: Memory, tmp_path: Path) -> None:
    path = saved(tmp_path / "graph.json", a_graph())
    before = memory.stats(everything=True).journal
    receipt = memory.import_(path, dry_run=True, **ANA)
    assert receipt.dry_run
    assert receipt.count("added") == 5
    assert memory.stats(everything=True).journal == before
    memory.import_(path, **ANA)
    assert memory.import_(path, dry_run=True, **ANA).count("ignored") == 5


def test_a_dry_run_of_mnemics_own_export(memory: Memory, tmp_path: Path) -> None:
    memory.add("I like tea", **ANA)
    memory.export(tmp_path / "own.jsonl", **ANA)
    with Memory(":memory:", embedder="none", recipe="none") as other:
        assert other.import_(tmp_path / "own.jsonl", dry_run=True).count("added") == 1
        assert other.stats(everything=True).journal == 0
        assert other.import_(tmp_path / "own.jsonl").count("added") == 1
        assert other.import_(tmp_path / "own.jsonl", dry_run=True).count("ignored") == 1


def test_an_import_can_be_undone_and_made_again(memory: Memory, tmp_path: Path) -> None:
    path = saved(tmp_path / "all.json", [{"id": "1", "memory": "Likes tea"}])
    memory.undo(memory.import_(path, **ANA), **ANA)
    assert texts(memory) == []
    again = memory.import_(path, **ANA)
    assert [entry.action for entry in again.entries] == ["restored"]
    assert texts(memory) == ["Likes tea"]


def test_what_was_erased_here_does_not_come_back_with_a_statement(memory: Memory, tmp_path: Path) -> None:
    path = saved(tmp_path / "all.json", [{"id": "1", "memory": "Likes tea"}])
    memory.import_(path, **ANA)
    memory.erase(held(memory)[0].id, **ANA)
    assert memory.import_(path, **ANA).entries[0].reason == "it was erased here"
    assert texts(memory) == []


CHILD = """
import os, signal, sys
from mnemic import Memory

def stop(done, of):
    os.kill(os.getpid(), signal.SIGKILL)

with Memory(sys.argv[1], embedder="none", recipe="none") as memory:
    memory.import_(sys.argv[2], user_id="ana", progress=stop)
"""


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL")
def test_killed_in_the_middle_and_run_again_it_goes_on(tmp_path: Path) -> None:
    rows = [{"id": f"r{number}", "content": f"row {number}"} for number in range(2100)]
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)), "utf-8")
    killed = subprocess.run([sys.executable, "-c", CHILD, str(tmp_path / "k.db"), str(path)], check=False)
    assert killed.returncode == -signal.SIGKILL
    told: list[tuple[int, int]] = []
    with Memory(tmp_path / "k.db", embedder="none", recipe="none") as memory:
        assert memory.stats(**ANA).records == {"episode": 1000}
        receipt = memory.import_(path, progress=lambda done, of: told.append((done, of)), **ANA)
        assert (receipt.count("ignored"), receipt.count("added")) == (1000, 1100)
        assert memory.stats(**ANA).records == {"episode": 2100}
    assert told == [(1000, 2100), (2000, 2100), (2100, 2100)]


def test_a_large_export_is_read_an_item_at_a_time(tmp_path: Path) -> None:
    one = json.dumps(conversation(node("a", None, content="x" * 20_000)))
    with open(tmp_path / "conversations.json", "w", encoding="utf-8") as file:
        file.write("[" + ",".join([one] * 500) + "]")
    assert (tmp_path / "conversations.json").stat().st_size > 10_000_000
    tracemalloc.start()
    found = importers.find(tmp_path / "conversations.json")
    assert sum(isinstance(item, importers.Said) for item in importers.items(found)) == 500
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5_000_000


def test_scopes_are_asked_for_as_by_every_write(memory: Memory, tmp_path: Path) -> None:
    path = saved(tmp_path / "all.json", [{"id": "1", "memory": "Likes tea"}])
    with pytest.raises(InputError, match="names no user"):
        memory.import_(path)
    memory.import_(path, shared=True)
    memory.scoped(user_id="rui", project_id="home").import_(path)
    (shared,) = memory.list()
    assert shared.scope.user_id is None
    mine = [one for one in memory.list(user_id="rui", project_id="home") if one.scope.user_id == "rui"]
    assert [(one.text, one.scope.project_id) for one in mine] == [("Likes tea", "home")]
