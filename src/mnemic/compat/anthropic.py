"""Anthropic's memory tool on a memory, as the vendor's SDK takes it: `client.beta.messages.tool_runner(tools=[tool])`.

    tool = MnemicMemoryTool(memory, user_id="ana")

It stands in the place of the SDK's BetaLocalFilesystemMemoryTool, and says what that one says. Needs the extra
`anthropic`; without the SDK use `mnemic.compat.memory_tool`, of which these are thin covers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Unpack, cast

from mnemic.cabinet import Cabinet
from mnemic.compat.memory_tool import MemoryTool
from mnemic.errors import ConflictError, InputError, MissingExtraError, NotFoundError
from mnemic.filing import LARGEST, MOST_FILES
from mnemic.memory import Memory
from mnemic.types import ScopeArgs

try:
    from anthropic.lib.tools import ToolError
    from anthropic.tools.memory import BetaAbstractMemoryTool, BetaAsyncAbstractMemoryTool
    from anthropic.types.beta import (
        BetaCacheControlEphemeralParam,
        BetaMemoryTool20250818Command,
        BetaMemoryTool20250818CreateCommand,
        BetaMemoryTool20250818DeleteCommand,
        BetaMemoryTool20250818InsertCommand,
        BetaMemoryTool20250818RenameCommand,
        BetaMemoryTool20250818StrReplaceCommand,
        BetaMemoryTool20250818ViewCommand,
    )
    from anyio.to_thread import run_sync
except ImportError as missing:
    raise MissingExtraError(
        f"the tool for Anthropic's SDK needs it ({missing}): pip install 'mnemic[anthropic]'; "
        "mnemic.compat.memory_tool works without"
    ) from missing


class MnemicMemoryTool(BetaAbstractMemoryTool):
    """The memory tool for the SDK's client and its runners. The parameters are those of `Cabinet`."""

    def __init__(
        self,
        memory: Memory,
        *,
        name: str = "",
        source: str = "assistant",
        author: str | None = None,
        max_bytes: int = LARGEST,
        max_files: int = MOST_FILES,
        shared: bool = False,
        cache_control: BetaCacheControlEphemeralParam | None = None,
        **scope: Unpack[ScopeArgs],
    ) -> None:
        super().__init__(cache_control=cache_control)
        self._tool = MemoryTool(
            memory,
            name=name,
            source=source,
            author=author,
            max_bytes=max_bytes,
            max_files=max_files,
            shared=shared,
            **scope,
        )

    @property
    def cabinet(self) -> Cabinet:
        """The files: to read them, to see their history, to put some there for the model."""
        return self._tool.cabinet

    def call(self, input: object) -> str:
        """Carry out a command as the model sent it. Raises ToolError with what the model is to read."""
        return _answered(self._tool, input)

    def view(self, command: BetaMemoryTool20250818ViewCommand) -> str:
        return self.call(_sent(command))

    def create(self, command: BetaMemoryTool20250818CreateCommand) -> str:
        return self.call(_sent(command))

    def str_replace(self, command: BetaMemoryTool20250818StrReplaceCommand) -> str:
        return self.call(_sent(command))

    def insert(self, command: BetaMemoryTool20250818InsertCommand) -> str:
        return self.call(_sent(command))

    def delete(self, command: BetaMemoryTool20250818DeleteCommand) -> str:
        return self.call(_sent(command))

    def rename(self, command: BetaMemoryTool20250818RenameCommand) -> str:
        return self.call(_sent(command))

    def clear_all_memory(self) -> str:
        """Erase every file for good, with its history."""
        return self._tool.clear_all_memory()


class AsyncMnemicMemoryTool(BetaAsyncAbstractMemoryTool):
    """The memory tool for the SDK's asynchronous client: the same, each command in a thread."""

    def __init__(
        self,
        memory: Memory,
        *,
        name: str = "",
        source: str = "assistant",
        author: str | None = None,
        max_bytes: int = LARGEST,
        max_files: int = MOST_FILES,
        shared: bool = False,
        cache_control: BetaCacheControlEphemeralParam | None = None,
        **scope: Unpack[ScopeArgs],
    ) -> None:
        super().__init__(cache_control=cache_control)
        self._tool = MemoryTool(
            memory,
            name=name,
            source=source,
            author=author,
            max_bytes=max_bytes,
            max_files=max_files,
            shared=shared,
            **scope,
        )

    @property
    def cabinet(self) -> Cabinet:
        """The files: to read them, to see their history, to put some there for the model."""
        return self._tool.cabinet

    async def call(self, input: object) -> str:
        """Carry out a command as the model sent it. Raises ToolError with what the model is to read."""
        return await run_sync(_answered, self._tool, input)

    async def view(self, command: BetaMemoryTool20250818ViewCommand) -> str:
        return await self.call(_sent(command))

    async def create(self, command: BetaMemoryTool20250818CreateCommand) -> str:
        return await self.call(_sent(command))

    async def str_replace(self, command: BetaMemoryTool20250818StrReplaceCommand) -> str:
        return await self.call(_sent(command))

    async def insert(self, command: BetaMemoryTool20250818InsertCommand) -> str:
        return await self.call(_sent(command))

    async def delete(self, command: BetaMemoryTool20250818DeleteCommand) -> str:
        return await self.call(_sent(command))

    async def rename(self, command: BetaMemoryTool20250818RenameCommand) -> str:
        return await self.call(_sent(command))

    async def clear_all_memory(self) -> str:
        """Erase every file for good, with its history."""
        return await run_sync(self._tool.clear_all_memory)


def _sent(command: BetaMemoryTool20250818Command) -> dict[str, Any]:
    return command.model_dump(exclude_none=True)


def _answered(tool: MemoryTool, input: object) -> str:
    """What a command answers; what is wrong with it as the SDK's error, which the model reads."""
    try:
        return tool.call(cast("Mapping[str, Any]", input))
    except (InputError, NotFoundError, ConflictError) as error:
        raise ToolError(str(error)) from error
