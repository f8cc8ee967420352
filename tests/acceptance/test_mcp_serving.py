"""The server as it is really started: over standard input and output, and over HTTP."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any

import anyio
import httpx
import httpx2
import pytest
from click.testing import CliRunner
from mcp import Client, MCPError
from mcp.client.streamable_http import streamable_http_client

from mnemic import Memory
from mnemic.cli import main
from mnemic.errors import ConfigError
from mnemic.serve.mcp.http import Address, app_of
from mnemic.serve.mcp.server import server_of
from mnemic.testing import Answer, ScriptedChat
from tests.mcp_sessions import PATIENCE, desk_of, in_process, over_stdio, server, text, told

INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"},
    },
}
KEY = "a-key-of-more-than-sixteen-characters"


# -- standard input and output


def test_a_session_over_stdio_in_the_scope_of_its_options(tmp_path: Path) -> None:
    async def work(client: Client) -> None:
        assert client.server_info is not None
        assert client.server_info.name == "mnemic"
        said = {"text": "I moved to Porto.", "speaker": "user", "name": "Ana", "session_id": "s1"}
        added = await told(client, "add_memory", **said)
        found = await told(client, "search_memory", query="Who moved to Porto?")
        assert added["memories"][0]["id"] in json.dumps(found["memories"][0])
        wrong = await client.call_tool("search_memory", {"q": "x"})
        assert wrong.is_error
        assert "did you mean 'query'" in text(wrong)
        assert [one.name for one in (await client.list_prompts()).prompts] == ["recall", "start", "keep"]
        assert "Ana: I moved to Porto." in (await client.read_resource("mnemic://timeline")).contents[0].text  # pyright: ignore

    options = ("--user", "ana", "--project", "rocket", "--let-model-choose", "session", "--no-upkeep")
    over_stdio(server(tmp_path / "agent.db", *options), work)
    with Memory(tmp_path / "agent.db", embedder="none") as memory:
        (record,) = memory.list(user_id="ana", project_id="rocket", kinds="episode")
        assert (record.source, record.author, record.scope.session_id) == ("user", "mcp:mcp", "s1")


def test_the_reference_servers_tools_over_stdio(tmp_path: Path) -> None:
    async def work(client: Client) -> None:
        entity = {"name": "Ana", "entityType": "person", "observations": ["likes olives"]}
        await told(client, "create_entities", entities=[entity])
        assert (await told(client, "read_graph"))["entities"] == [entity]

    over_stdio(server(tmp_path / "agent.db", "--reference"), work, mode="legacy")


def test_many_calls_at_once_on_two_servers_and_one_file_lose_nothing(tmp_path: Path) -> None:
    async def work(first: Client) -> None:
        async with Client(server(tmp_path / "agent.db")) as second:

            async def add(client: Client, n: int) -> None:
                await told(client, "add_memory", text=f"Note number {n}.")

            async with anyio.create_task_group() as tasks:
                for n in range(40):
                    tasks.start_soon(add, (first, second)[n % 2], n)
            for client in (first, second):
                listed = await told(client, "list_memories", limit=100, kinds="episode")
                assert {one["text"] for one in listed["memories"]} == {f"Note number {n}." for n in range(40)}

    over_stdio(server(tmp_path / "agent.db"), work)


def test_what_was_acknowledged_outlives_a_killed_server(tmp_path: Path) -> None:
    path = tmp_path / "agent.db"
    process = subprocess.Popen(
        [sys.executable, "-m", "mnemic", "mcp", "--file", str(path), "--embedder", "none"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with process:
        assert process.stdin is not None
        assert process.stdout is not None
        call = {"name": "add_memory", "arguments": {"text": "The alarm code is 4471-Heron."}}
        for message in (
            INITIALIZE,
            {"jsonrpc": "2.0", "method": "notifications/initialized"},
            {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": call},
        ):
            process.stdin.write(json.dumps(message).encode() + b"\n")
            process.stdin.flush()
        answers = {json.loads(process.stdout.readline())["id"] for _ in range(2)}
        assert answers == {1, 2}
        process.send_signal(signal.SIGKILL)
        process.wait(PATIENCE)
    with Memory(path, embedder="none") as memory:
        assert [record.text for record in memory.list(user_id="me", kinds="episode")] == [
            "The alarm code is 4471-Heron."
        ]


def test_garbage_on_the_wire_breaks_nothing(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "mnemic", "mcp", "--file", str(tmp_path / "a.db"), "--embedder", "none"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    with process:
        assert process.stdin is not None
        assert process.stdout is not None
        deep = b'{"jsonrpc":"2.0","id":9,"method":"tools/call","params":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
        process.stdin.write(b"not json\n\xff\xfe\n" + deep + b"\n")
        process.stdin.write(json.dumps(INITIALIZE).encode() + b"\n")
        process.stdin.flush()
        answers = iter(process.stdout.readline, b"")
        assert any(json.loads(line).get("result", {}).get("serverInfo") for line in answers)
        process.stdin.close()
        assert process.wait(PATIENCE) == 0


def test_a_call_that_is_cancelled_leaves_the_session_free(tmp_path: Path) -> None:
    with ScriptedChat(Answer("too late", delay=2.5)) as chat:
        options = ("--model", f"{chat.url}#slow", "--recipe", "none")

        async def work(client: Client) -> None:
            await told(client, "add_memory", text="I moved to Porto.", speaker="user", name="Ana")
            with anyio.move_on_after(0.5) as scope:
                await client.call_tool("ask_memory", {"question": "Where does Ana live?", "threshold": 0})
            assert scope.cancelled_caught
            assert (await told(client, "search_memory", query="Porto"))["memories"]

        over_stdio(server(tmp_path / "agent.db", *options), work)


def test_without_the_extra_the_command_says_which_one(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import importlib.util as u\nfound = u.find_spec\n"
        "u.find_spec = lambda name, *rest: None if name == 'mcp' else found(name, *rest)\n"
    )
    path = os.pathsep.join([str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])])
    done = subprocess.run(
        [sys.executable, "-m", "mnemic", "mcp"],
        env={**os.environ, "PYTHONPATH": path},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "pip install 'mnemic[mcp]'" in done.stderr


# -- HTTP


@contextlib.contextmanager
def listening(path: Path, *options: str, **environment: str) -> Generator[str]:
    """The URL of a server over HTTP; then it is asked to stop, and does."""
    started = server(path, "--http", "--port", "0", *options, **environment)
    process = subprocess.Popen(
        [started.command, *started.args], env=started.env, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
    )
    with process:
        assert process.stderr is not None
        line = process.stderr.readline()
        assert line.startswith("listening on http://"), line + process.stderr.read()
        try:
            yield line.removeprefix("listening on ").strip()
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(PATIENCE) == 0, process.stderr.read()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Generator[tuple[str, Path]]:
    """A server on this machine, and its file. That it stops as it should is seen when all is done."""
    path = tmp_path_factory.mktemp("http") / "agent.db"
    with listening(path, "--allow-origin", "https://chat.example.org") as url:
        yield url, path


def post(url: str, **headers: str) -> httpx.Response:
    sent = {"accept": "application/json, text/event-stream", **{k.replace("_", "-"): v for k, v in headers.items()}}
    with httpx.Client(trust_env=False) as client:
        return client.post(url, json=INITIALIZE, headers=sent)


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_a_session_over_http(served: tuple[str, Path], mode: str) -> None:
    url, path = served
    assert url.startswith("http://127.0.0.1:")

    async def session() -> None:
        with anyio.fail_after(PATIENCE):
            async with Client(url, mode=mode) as client:
                await told(client, "add_memory", text=f"Told in {mode} mode.")
                assert (await told(client, "search_memory", query=f"{mode} mode"))["memories"]
                with pytest.raises(MCPError, match="did you mean 'ask_memory'"):
                    await client.call_tool("ask_memry", {})

    anyio.run(session)
    with Memory(path, embedder="none") as memory:
        assert f"Told in {mode} mode." in {record.text for record in memory.list(user_id="me", kinds="episode")}


def test_a_page_that_rebinds_a_name_gets_nothing_and_breaks_nothing(served: tuple[str, Path]) -> None:
    url, _ = served
    assert post(url).status_code == 200
    assert post(url, host="evil.example.org").status_code == 421
    assert post(url, host="evil.example.org:80").status_code == 421
    assert post(url, host="127.0.0.1.evil.example.org").status_code == 421
    assert post(url, origin="https://evil.example.org").status_code == 403
    assert post(url, origin="null").status_code == 403
    assert post(url, origin="https://chat.example.org").status_code == 200
    assert post(url, origin="http://localhost:5173").status_code == 200
    assert post(url, content_type="text/plain").status_code == 400  # what a form of a page could send
    sent = {"content-type": "application/json", "accept": "application/json, text/event-stream"}
    deep = b'{"jsonrpc":"2.0","id":1,"method":"initialize","params":' + b"[" * 90_000 + b"]" * 90_000 + b"}"
    with httpx.Client(trust_env=False) as client:
        assert client.post(url, content=b"x" * (5 << 20), headers=sent).status_code == 413
        assert client.post(url, content=deep, headers=sent).status_code == 400
        assert client.get(url.replace("/mcp", "/../../etc/passwd")).status_code == 404
    assert post(url).status_code == 200


def test_who_never_ends_a_request_holds_up_nobody(served: tuple[str, Path]) -> None:
    url, _ = served
    host, port = url.removeprefix("http://").removesuffix("/mcp").split(":")
    slow = [http.client.HTTPConnection(host, int(port)) for _ in range(20)]
    for connection in slow:
        connection.putrequest("POST", "/mcp")
        connection.putheader("content-type", "application/json")
        connection.putheader("content-length", "1000")
        connection.endheaders(b"{")
    assert post(url).status_code == 200
    for connection in slow:
        connection.close()


@pytest.mark.parametrize(
    ("address", "says"),
    [
        (Address(host="0.0.0.0"), "--expose"),
        (Address(host="192.168.1.7"), "--expose"),
        (Address(host="memory.example.org"), "--expose"),
        (Address(host="::"), "--expose"),
        (Address(host="0.0.0.0", key=KEY), "--expose"),
        (Address(host="0.0.0.0", exposed=True), "a key is needed"),
        (Address(host="0.0.0.0", exposed=True, key="short"), "16 characters"),
        (Address(host="0.0.0.0", exposed=True, key=KEY), "--allow-host"),
    ],
)
def test_nothing_listens_beyond_the_machine_unless_told_so_in_words(
    tmp_path: Path, address: Address, says: str
) -> None:
    with pytest.raises(ConfigError, match=says):
        app_of(server_of(desk_of(tmp_path / "agent.db")), address)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "localhost", "::1", "[::1]"])
def test_the_machine_itself_needs_no_key(tmp_path: Path, host: str) -> None:
    app_of(server_of(desk_of(tmp_path / "agent.db")), Address(host=host))


def test_exposed_on_purpose_it_asks_for_its_key_and_its_name(tmp_path: Path) -> None:
    key = f"Bearer {KEY}"

    async def session(url: str) -> None:
        with anyio.fail_after(PATIENCE):
            http_client = httpx2.AsyncClient(headers={"authorization": key})
            async with http_client, Client(streamable_http_client(url, http_client=http_client)) as client:
                assert len((await client.list_tools()).tools) == 8

    options = ("--host", "0.0.0.0", "--expose", "--allow-host", "memory.example.org")
    with listening(tmp_path / "agent.db", *options, MNEMIC_MCP_KEY=KEY) as url:
        here = url.replace("0.0.0.0", "127.0.0.1")
        for wrong in (None, KEY, "Bearer no", f"bearer  {KEY}"):
            headers = {} if wrong is None else {"authorization": wrong}
            assert post(here, host="memory.example.org", **headers).status_code == 401
        assert post(here, host="memory.example.org", authorization=key).status_code == 200
        assert post(here, host="memory.example.org:8377", authorization=key).status_code == 200
        assert post(here, host="other.example.org", authorization=key).status_code == 421
        anyio.run(session, here)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--port", "8080"), "go with --http"),
        (("--http", "--host", "0.0.0.0"), "--expose"),
        (("--refernce",), "--reference"),
    ],
)
def test_the_command_refuses_what_contradicts_itself(options: tuple[str, ...], says: str) -> None:
    result = CliRunner().invoke(main, ["mcp", *options])
    assert result.exit_code == 2
    assert says in result.output


# -- a fault of ours


def test_a_fault_of_ours_is_told_without_its_words_and_the_session_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(self: Memory, *given: Any, **more: Any) -> Any:
        raise RuntimeError("a secret of somebody else's")

    async def work(client: Client) -> None:
        monkeypatch.setattr(Memory, "context", broken)
        with pytest.raises(MCPError) as error:
            await client.call_tool("get_context", {"query": "x"})
        assert str(error.value) == "internal: the server failed (RuntimeError); its log says more"
        with pytest.raises(MCPError, match=r"internal: the server failed \(RuntimeError\)"):
            await client.get_prompt("recall", {"question": "x"})
        assert (await told(client, "list_memories"))["memories"] == []

    in_process(desk_of(tmp_path / "agent.db"), work)
