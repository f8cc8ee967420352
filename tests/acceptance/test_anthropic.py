"""The memory tool in the vendor's SDK, against a scripted server of its protocol; and used by many at a time."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import pytest

from mnemic import ConflictError, InputError, Memory, MnemicError, NotFoundError
from mnemic.compat.memory_tool import MemoryTool
from mnemic.testing import Answer, ScriptedChat

anthropic = pytest.importorskip("anthropic")
from anthropic.lib.tools import ToolError  # noqa: E402

from mnemic.compat.anthropic import AsyncMnemicMemoryTool, MnemicMemoryTool  # noqa: E402

WHO = {"user_id": "ana"}
ANA = "/memories/ana.md"
SCRIPT = (
    Answer("I look first.", calls=[("memory", {"command": "view", "path": "/memories"})]),
    *(
        Answer(calls=[("memory", given)])
        for given in (
            {"command": "create", "path": ANA, "file_text": "likes: olives\n"},
            {"command": "str_replace", "path": ANA, "old_str": "pears", "new_str": "figs"},
            {"command": "insert", "path": ANA, "insert_line": 1, "insert_text": "cat: Bo"},
            {"command": "rename", "old_path": ANA, "new_path": "/memories/users/ana.md"},
            {"command": "view", "path": "/memories/users/ana.md"},
        )
    ),
    "I keep in mind that you like olives.",
)
READ = [
    "Here're the files and directories up to 2 levels deep in /memories, excluding hidden items:\n4K\t/memories",
    "File created successfully at: /memories/ana.md",
    "No replacement was performed, old_str `pears` did not appear verbatim in /memories/ana.md.",
    "The file /memories/ana.md has been edited.",
    "Successfully renamed /memories/ana.md to /memories/users/ana.md",
    "Here's the content of /memories/users/ana.md with line numbers:\n     1\tlikes: olives\n     2\tcat: Bo\n     3\t",
]


def read_by_the_model(server: ScriptedChat) -> list[tuple[str, bool]]:
    """The results that were sent, once each: the SDK may send the whole talk each time, or only what is new."""
    sent = [message["content"] for asked in server.requests for message in asked.body["messages"]]
    blocks = [block for content in sent if isinstance(content, list) for block in content]
    results = {block["tool_use_id"]: block for block in blocks if block["type"] == "tool_result"}
    return [(block["content"], block.get("is_error", False)) for block in results.values()]


def asking(tool: Any) -> dict[str, Any]:
    said = [{"role": "user", "content": "I like olives, and my cat is Bo."}]
    return {"model": "claude", "max_tokens": 100, "messages": said, "tools": [tool]}


def test_a_conversation_by_the_sdks_runner() -> None:
    with Memory(":memory:") as memory, ScriptedChat(*SCRIPT) as server:
        tool = MnemicMemoryTool(memory, **WHO)
        client = anthropic.Anthropic(api_key="k", base_url=server.url.removesuffix("/v1"), max_retries=0)
        final = client.beta.messages.tool_runner(**asking(tool)).until_done()
        assert final.content[0].text == "I keep in mind that you like olives."
        assert read_by_the_model(server) == [(text, "No replacement" in text) for text in READ]
        assert server.requests[0].body["tools"] == [{"type": "memory_20250818", "name": "memory"}]
        hit = memory.search("What is the cat called?", limit=1, **WHO)[0]
        assert (hit.text, hit.source) == ("likes: olives\ncat: Bo\n", "assistant")
        assert hit.metadata == {"path": "/memories/users/ana.md"}
        assert tool.cabinet.read("/memories/users/ana.md").text == hit.text


def test_the_same_without_waiting() -> None:
    async def talk(memory: Memory, url: str) -> str:
        tool = AsyncMnemicMemoryTool(memory, **WHO)
        async with anthropic.AsyncAnthropic(api_key="k", base_url=url, max_retries=0) as client:
            final = await client.beta.messages.tool_runner(**asking(tool)).until_done()
        assert tool.cabinet.list()[0].path == "/memories/users/ana.md"
        assert await tool.clear_all_memory() == "All memory cleared"
        return final.content[0].text

    with Memory(":memory:", embedder="none") as memory, ScriptedChat(*SCRIPT) as server:
        assert anyio.run(talk, memory, server.url.removesuffix("/v1")) == "I keep in mind that you like olives."
        assert [text for text, _ in read_by_the_model(server)] == READ


def test_every_method_of_the_sdks_abstract_tool_is_there() -> None:
    from anthropic.types import beta

    with Memory(":memory:", embedder="none") as memory:
        tool = MnemicMemoryTool(memory, cache_control={"type": "ephemeral"}, **WHO)
        made = beta.BetaMemoryTool20250818CreateCommand(command="create", path="/memories/a", file_text="x")
        assert tool.create(made) == tool.execute(made.model_copy(update={"path": "/memories/b"})).replace("/b", "/a")
        seen = beta.BetaMemoryTool20250818ViewCommand(command="view", path="/memories/a", view_range=[1, 1])
        assert tool.view(seen).endswith("     1\tx")
        edit = beta.BetaMemoryTool20250818StrReplaceCommand(
            command="str_replace", path="/memories/a", old_str="x", new_str=""
        )
        assert tool.str_replace(edit).endswith("     1\t")
        more = beta.BetaMemoryTool20250818InsertCommand(
            command="insert", path="/memories/a", insert_line=0, insert_text="y"
        )
        assert tool.insert(more) == "The file /memories/a has been edited."
        away = beta.BetaMemoryTool20250818RenameCommand(
            command="rename", old_path="/memories/a", new_path="/memories/c"
        )
        assert tool.rename(away) == "Successfully renamed /memories/a to /memories/c"
        gone = beta.BetaMemoryTool20250818DeleteCommand(command="delete", path="/memories/c")
        assert tool.delete(gone) == "Successfully deleted /memories/c"
        with pytest.raises(ToolError, match="The path /memories/c does not exist"):
            tool.delete(gone)
        with pytest.raises(ToolError, match="create needs file_text"):
            tool.call({"command": "create", "path": "/memories/d"})
        assert tool.to_dict() == {"type": "memory_20250818", "name": "memory", "cache_control": {"type": "ephemeral"}}
        assert tool.clear_all_memory() == "All memory cleared"
        assert tool.cabinet.list() == ()


# -- many at a time: each a process, or a thread, of its own

WORKER = """
import sys
from mnemic import Memory, MnemicError
from mnemic.compat.memory_tool import MemoryTool

what, path, me, times = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
with Memory(path, embedder="none", recipe="none") as memory:
    tool = MemoryTool(memory, user_id="ana")
    print("ready", flush=True)
    sys.stdin.readline()
    done = 0
    for number in range(times):
        try:
            if what == "append":
                tool.insert("/memories/log.md", 0, f"line {me} {number}")
            elif what == "count":
                seen = tool.view("/memories/count.md").splitlines()[1].split("\\t")[1]
                tool.str_replace("/memories/count.md", f"<{seen[1:-1]}>", f"<{int(seen[1:-1]) + 1}>")
            elif what == "create":
                tool.create(f"/memories/{number}.md", me)
            elif what == "rename":
                tool.rename(f"/memories/{me}/{number}.md", f"/memories/there/{number}.md")
            elif what == "shuffle":
                spots = ("one", "two", "three")
                tool.rename(f"/memories/{spots[number % 3]}", f"/memories/{spots[(number + 1) % 3]}")
            done += 1
        except MnemicError:
            pass
    print(done, flush=True)
"""


def crowd(what: str, path: Path, *, processes: int, times: int) -> list[int]:
    """How often each of some processes succeeded, all of them at the same time."""
    started = [
        subprocess.Popen(
            [sys.executable, "-c", WORKER, what, str(path), str(me), str(times)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for me in range(processes)
    ]
    for one in started:
        assert one.stdout is not None
        assert one.stdout.readline() == "ready\n"
    for one in started:
        assert one.stdin is not None
        one.stdin.write("go\n")
        one.stdin.flush()
    done = [int(one.communicate(timeout=120)[0]) for one in started]
    assert all(one.returncode == 0 for one in started)
    return done


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "files.db"


def opened(path: Path) -> tuple[Memory, MemoryTool]:
    memory = Memory(path, embedder="none", recipe="none")
    return memory, MemoryTool(memory, **WHO)


def test_no_line_is_lost_where_many_write_one_file(path: Path) -> None:
    memory, tool = opened(path)
    with memory:
        tool.create("/memories/log.md", "")
        assert crowd("append", path, processes=4, times=15) == [15] * 4
        lines = tool.cabinet.read("/memories/log.md").text.splitlines()
        assert sorted(lines) == sorted(f"line {me} {number}" for me in range(4) for number in range(15))
        assert len(tool.cabinet.history("/memories/log.md")) == 61


def test_a_number_counted_up_by_many_is_what_they_were_told(path: Path) -> None:
    memory, tool = opened(path)
    with memory:
        tool.create("/memories/count.md", "<0>")
        done = crowd("count", path, processes=3, times=20)
        assert tool.cabinet.read("/memories/count.md").text == f"<{sum(done)}>"
        assert sum(done) >= 20


def test_of_many_who_create_one_file_one_does(path: Path) -> None:
    memory, tool = opened(path)
    with memory:
        done = crowd("create", path, processes=3, times=10)
        assert sum(done) == 10 == len(tool.cabinet.list())


def test_of_many_who_rename_to_one_path_one_does_and_nothing_is_lost(path: Path) -> None:
    memory, tool = opened(path)
    with memory:
        for me in range(3):
            for number in range(8):
                tool.create(f"/memories/{me}/{number}.md", f"{me} {number}")
        assert sum(crowd("rename", path, processes=3, times=8)) == 8
        texts = sorted(tool.cabinet.read(one.path).text for one in tool.cabinet.list())
        assert texts == sorted(f"{me} {number}" for me in range(3) for number in range(8))
        assert len(tool.cabinet.list("/memories/there")) == 8


def test_a_directory_that_many_move_stays_whole(path: Path) -> None:
    memory, tool = opened(path)
    with memory:
        for number in range(12):
            tool.create(f"/memories/one/{number % 3}/{number}.md", str(number))
        assert sum(crowd("shuffle", path, processes=3, times=9)) > 0
        (top,) = {one.path.split("/")[2] for one in tool.cabinet.list()}
        assert sorted(tool.cabinet.read(one.path).text for one in tool.cabinet.list(f"/memories/{top}")) == sorted(
            map(str, range(12))
        )


@pytest.mark.parametrize("url", ["file", ":memory:"])
def test_threads_share_one_tool(path: Path, url: str) -> None:
    with Memory(path if url == "file" else url, embedder="none", recipe="none") as memory:
        tool = MemoryTool(memory, **WHO)
        tool.create("/memories/log.md", "")
        failed: list[BaseException] = []

        def work(me: int) -> None:
            try:
                for number in range(10):
                    tool.insert("/memories/log.md", 0, f"{me} {number}")
                    tool.view("/memories")
                    tool.create(f"/memories/{me}/{number}", "x")
                    tool.rename(f"/memories/{me}/{number}", f"/memories/{me}/done {number}")
            except MnemicError as error:
                failed.append(error)

        run_together([partial(work, me) for me in range(6)])
        assert failed == []
        assert len(tool.cabinet.read("/memories/log.md").text.splitlines()) == 60
        assert len(tool.cabinet.list()) == 61


@pytest.mark.parametrize("number", range(15))
def test_an_edit_meets_a_delete_or_a_rename(path: Path, number: int) -> None:
    """Whoever comes second is told; what was written is in the history."""
    memory, tool = opened(path)
    with memory:
        spot = "/memories/a.md"
        tool.create(spot, "a")
        told: list[str] = []

        def carry_out(command: Callable[..., str], *given: Any) -> None:
            try:
                told.append(command(*given))
            except (NotFoundError, ConflictError, InputError) as error:
                told.append(str(error))

        away = partial(tool.delete, spot) if number % 2 else partial(tool.rename, spot, f"{spot}.old")
        run_together([partial(carry_out, tool.insert, spot, 0, "b"), partial(carry_out, away)])
        edited = f"The file {spot} has been edited." in told
        texts = [version.text for version in tool.cabinet.history(spot) if version.text is not None]
        assert ("b\na\n" in texts) == edited
        if not number % 2:
            assert tool.cabinet.read(f"{spot}.old").text == ("b\na\n" if edited else "a")


def run_together(work: list[Callable[[], None]]) -> None:
    threads = [threading.Thread(target=one) for one in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
