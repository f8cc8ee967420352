"""MCP sessions for tests: the official client, in this process or with a server of its own."""

from __future__ import annotations

import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio
from mcp import Client, StdioServerParameters
from mcp.types import CallToolResult

from mnemic import Memory
from mnemic.serve.mcp.desk import Desk, Terms
from mnemic.serve.mcp.server import server_of

PATIENCE = 60.0
"""Seconds after which a test gives up, on whatever machine."""


def desk_of(path: Path, *, background: bool = False, **terms: Any) -> Desk:
    """A desk at a file, for the user "me" unless `terms` say otherwise."""
    terms.setdefault("scope", {"user_id": "me"})
    return Desk(
        lambda embedder: Memory(path, embedder=embedder, timezone="UTC", background=background),
        Terms(**terms),
        embedder="none",
    )


def in_process(
    desk: Desk, work: Callable[[Client], Awaitable[None]], *, reference: bool = False, mode: str = "auto", **more: Any
) -> None:
    """Do some work with a client that is connected to a server in this process."""

    async def session() -> None:
        with anyio.fail_after(PATIENCE):
            async with Client(server_of(desk, reference=reference), mode=mode, **more) as client:
                await work(client)

    try:
        anyio.run(session)
    finally:
        desk.close()


def server(path: Path, *options: str, **environment: str) -> StdioServerParameters:
    """How a server with a file is started."""
    return StdioServerParameters(
        command=sys.executable,
        args=["-m", "mnemic", "mcp", "--file", str(path), "--embedder", "none", "--timezone", "UTC", *options],
        env={**{k: v for k, v in os.environ.items() if not k.startswith("MNEMIC_")}, **environment},
    )


def over_stdio(started: StdioServerParameters, work: Callable[[Client], Awaitable[None]], **more: Any) -> None:
    """Do some work with a client that has started a server of its own."""

    async def session() -> None:
        with anyio.fail_after(PATIENCE):
            async with Client(started, **more) as client:
                await work(client)

    anyio.run(session)


async def told(client: Client, tool: str, **arguments: Any) -> dict[str, Any]:
    """The structured content of a call that succeeds; the client has checked it against the tool's schema."""
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, text(result)
    return result.structured_content


async def refused(client: Client, tool: str, **arguments: Any) -> str:
    """The text of a call that is refused."""
    result = await client.call_tool(tool, arguments)
    assert result.is_error
    return text(result)


def text(result: CallToolResult) -> str:
    """What a result says to its reader."""
    return "\n".join(block.text for block in result.content if block.type == "text")
