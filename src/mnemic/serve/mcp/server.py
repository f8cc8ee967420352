"""The server of the official SDK, in front of a desk: what it lists, and how it answers over stdio.

A call runs in a thread, so that one does not wait for another. What the engine refuses is a tool's error with its code
and the way out, which the model reads; what goes wrong otherwise is told without its words, and the session goes on.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

import anyio
import anyio.to_thread
import mcp_types as mcp
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.server.session import ServerSession
from mcp.server.stdio import stdio_server
from mcp.server.subscriptions import InMemorySubscriptionBus, ListenHandler
from mcp.shared.exceptions import MCPError
from mcp.shared.subscriptions import ResourceUpdated

import mnemic
from mnemic.errors import InputError, MnemicError, NotFoundError
from mnemic.serve.mcp import graph, pages, schema, tools
from mnemic.serve.mcp.desk import Caller, Desk
from mnemic.serve.mcp.pages import Resource
from mnemic.serve.mcp.tools import Tool

log = logging.getLogger(__name__)

T = TypeVar("T")
_Context = ServerRequestContext[Any, Any]

PEERS = {
    "add_memories": "add_memory",
    "create_memory": "add_memory",
    "remember": "add_memory",
    "save_memory": "add_memory",
    "store_memory": "add_memory",
    "search_memories": "search_memory",
    "recall": "search_memory",
    "search_nodes": "search_memory",
    "get_memories": "list_memories",
    "list_memory": "list_memories",
    "edit_memory": "update_memory",
    "delete_memory": "forget_memory",
    "delete_memories": "forget_memory",
    "get_memory": "memory_history",
}
"""What other memories call a tool, and what it is called here."""


def server_of(desk: Desk, *, reference: bool = False) -> Server[Any]:
    """The server for a desk: with the eight tools, or those of the reference memory server."""
    offered = graph.tools(desk.terms) if reference else tools.tools(desk.terms)
    resources = pages.REFERENCE if reference else pages.RESOURCES
    room = _Room(desk, {tool.name: tool for tool in offered}, resources, () if reference else pages.TEMPLATES)
    server: Server[Any] = Server(
        "mnemic",
        version=mnemic.__version__,
        title="Mnemic",
        description="Long-term memory: keeps every word, shows its evidence, says 'not known'.",
        instructions=None if reference else tools.INSTRUCTIONS,
        on_list_tools=room.list_tools,
        on_call_tool=room.call_tool,
        on_list_resources=room.list_resources,
        on_list_resource_templates=room.list_templates,
        on_read_resource=room.read_resource,
        on_subscribe_resource=room.subscribe,
        on_unsubscribe_resource=room.unsubscribe,
        on_subscriptions_listen=ListenHandler(room.bus),
        on_list_prompts=None if reference else room.list_prompts,
        on_get_prompt=None if reference else room.get_prompt,
    )
    return server


def run(desk: Desk, *, reference: bool = False) -> None:
    """Serve the one client at the other end of stdin and stdout, until it goes; then close the desk."""

    async def serve() -> None:
        server = server_of(desk, reference=reference)
        async with stdio_server() as (reads, writes):
            await server.run(reads, writes, server.create_initialization_options())

    try:
        anyio.run(serve)
    finally:
        desk.close()


class _Room:
    """Answers the SDK's requests at one desk, for all its connections."""

    def __init__(
        self, desk: Desk, offered: Mapping[str, Tool], resources: tuple[Resource, ...], templates: tuple[Resource, ...]
    ) -> None:
        self._desk = desk
        self._tools = offered
        self._resources = resources
        self._templates = templates
        self._subscribers: dict[str, dict[str, ServerSession]] = {}
        """Sessions of clients of the handshake's protocols by the URI that they watch, each under its connection."""
        self.bus = InMemorySubscriptionBus()
        self._woken = False

    # -- tools

    async def list_tools(self, context: _Context, params: mcp.PaginatedRequestParams | None) -> mcp.ListToolsResult:
        self._wake()
        return mcp.ListToolsResult(
            tools=[
                mcp.Tool(
                    name=tool.name,
                    title=tool.title,
                    description=tool.description,
                    input_schema=dict(tool.input),
                    output_schema=dict(tool.output),
                    annotations=mcp.ToolAnnotations(
                        title=tool.title,
                        read_only_hint=tool.reads,
                        destructive_hint=tool.destroys,
                        idempotent_hint=tool.repeatable,
                        open_world_hint=False,
                    ),
                )
                for tool in self._tools.values()
            ]
        )

    async def call_tool(self, context: _Context, params: mcp.CallToolRequestParams) -> mcp.CallToolResult:
        tool = self._tools.get(params.name)
        if tool is None:
            hint = schema.hinted(params.name, self._tools, PEERS)
            raise MCPError(mcp.INVALID_PARAMS, f"there is no tool {params.name!r:.80}{hint}")
        caller = _caller(context)
        work = partial(self._called, tool, params.arguments or {}, caller)
        try:
            result = await _in_thread(work, abandon=tool.reads)
        except MnemicError as error:
            text, problem = tools.trouble(error)
            return mcp.CallToolResult(
                content=[mcp.TextContent(type="text", text=text)], is_error=True, _meta={"mnemic/problem": problem}
            )
        if not tool.reads:
            await self._tell()
        return result

    def _called(self, tool: Tool, arguments: Mapping[str, Any], caller: Caller) -> mcp.CallToolResult:
        self._desk.refuse_scope(arguments)
        told = tool.call(self._desk, schema.checked(tool.name, tool.input, arguments), caller)
        return mcp.CallToolResult(
            content=[mcp.TextContent(type="text", text=text) for text in (told.text, *told.more)],
            structured_content=dict(told.structured),
        )

    def _wake(self) -> None:
        """Open the memory and load its embedder beside the answer: the first call comes right behind it."""
        if not self._woken:
            self._woken = True
            threading.Thread(target=self._open, name="mnemic-wake", daemon=True).start()

    def _open(self) -> None:
        with suppress(MnemicError):  # the first call says it
            self._desk.memory.search("good morning", limit=1, **self._desk.reading({}))

    # -- resources

    async def list_resources(
        self, context: _Context, params: mcp.PaginatedRequestParams | None
    ) -> mcp.ListResourcesResult:
        return mcp.ListResourcesResult(
            resources=[
                mcp.Resource(
                    uri=one.uri,
                    name=one.name,
                    title=one.title,
                    description=one.description,
                    mime_type=one.media_type,
                )
                for one in self._resources
            ]
        )

    async def list_templates(
        self, context: _Context, params: mcp.PaginatedRequestParams | None
    ) -> mcp.ListResourceTemplatesResult:
        return mcp.ListResourceTemplatesResult(
            resource_templates=[
                mcp.ResourceTemplate(
                    uri_template=one.uri,
                    name=one.name,
                    title=one.title,
                    description=one.description,
                    mime_type=one.media_type,
                )
                for one in self._templates
            ]
        )

    async def read_resource(self, context: _Context, params: mcp.ReadResourceRequestParams) -> mcp.ReadResourceResult:
        uri = str(params.uri)
        try:
            media_type = pages.offered(uri, (*self._resources, *self._templates)).media_type
            text = await _in_thread(partial(pages.read, self._desk, uri), abandon=True)
        except MnemicError as error:
            raise _refused(error, {"uri": uri}) from error
        return mcp.ReadResourceResult(contents=[mcp.TextResourceContents(uri=uri, text=text, mime_type=media_type)])

    async def subscribe(self, context: _Context, params: mcp.SubscribeRequestParams) -> mcp.EmptyResult:
        uri = str(params.uri)
        try:
            pages.offered(uri, self._resources)
        except NotFoundError as error:
            raise _refused(error, {"uri": uri}) from error
        self._subscribers.setdefault(uri, {})[_connection(context)] = context.session
        return mcp.EmptyResult()

    async def unsubscribe(self, context: _Context, params: mcp.UnsubscribeRequestParams) -> mcp.EmptyResult:
        self._subscribers.get(str(params.uri), {}).pop(_connection(context), None)
        return mcp.EmptyResult()

    async def _tell(self) -> None:
        """Something was written here: whoever watches a resource is told that it may have changed."""
        for one in self._resources:
            await self.bus.publish(ResourceUpdated(one.uri))
            watching = self._subscribers.get(one.uri, {})
            for connection, session in list(watching.items()):
                try:
                    await session.send_resource_updated(one.uri)
                except (anyio.ClosedResourceError, anyio.BrokenResourceError):
                    watching.pop(connection, None)

    # -- prompts

    async def list_prompts(self, context: _Context, params: mcp.PaginatedRequestParams | None) -> mcp.ListPromptsResult:
        return mcp.ListPromptsResult(
            prompts=[
                mcp.Prompt(
                    name=one.name,
                    title=one.title,
                    description=one.description,
                    arguments=[
                        mcp.PromptArgument(name=name, description=description, required=needed)
                        for name, description, needed in one.arguments
                    ],
                )
                for one in pages.PROMPTS
            ]
        )

    async def get_prompt(self, context: _Context, params: mcp.GetPromptRequestParams) -> mcp.GetPromptResult:
        work = partial(pages.prompt, self._desk, params.name, params.arguments or {})
        try:
            found, text = await _in_thread(work, abandon=True)
        except MnemicError as error:
            raise _refused(error, {"prompt": params.name}) from error
        message = mcp.PromptMessage(role="user", content=mcp.TextContent(type="text", text=text))
        return mcp.GetPromptResult(description=found.description, messages=[message])


async def _in_thread(work: Callable[[], T], *, abandon: bool) -> T:
    """Do work in a thread. A read that the client has cancelled is left to end by itself; a write is waited for.

    Raises MnemicError; and MCPError for a fault of ours, which the session outlives and whose words stay here.
    """
    try:
        return await anyio.to_thread.run_sync(work, abandon_on_cancel=abandon)
    except MnemicError:
        raise
    except Exception as error:
        log.exception("a request failed")
        fault = f"internal: the server failed ({type(error).__name__}); its log says more"
        raise MCPError(mcp.INTERNAL_ERROR, fault) from error


def _refused(error: MnemicError, about: Mapping[str, str]) -> MCPError:
    text, problem = tools.trouble(error)
    code = mcp.INVALID_PARAMS if isinstance(error, InputError | NotFoundError) else mcp.INTERNAL_ERROR
    return MCPError(code, text, {**about, "problem": problem})


def _caller(context: _Context) -> Caller:
    """Under which name a client's writes are kept: the one that it gives itself, which proves nothing."""
    params = context.session.client_params
    given = "" if params is None else "".join(letter for letter in params.client_info.name if letter.isprintable())
    return Caller(f"mcp:{given[:60]}" if given.strip() else "mcp")


def _connection(context: _Context) -> str:
    """What tells a connection apart: the session's id over HTTP; over stdio there is one."""
    return "" if context.request is None else context.request.headers.get("mcp-session-id", "")
