"""Anthropic's memory tool (`memory_20250818`) on a memory, without the vendor's SDK.

    tool = MemoryTool(memory, user_id="ana")
    request["tools"] = [tool.declaration]
    results = [tool.result(block) for block in message["content"] if block["type"] == "tool_use"]

What the model reads is what the SDK's own tool for a folder on a disk says, word for word. For the SDK's runner see
`mnemic.compat.anthropic`.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Unpack, cast

from mnemic.cabinet import Cabinet, File, Listed
from mnemic.errors import ConflictError, InputError, NotFoundError, ParameterError, nearest
from mnemic.filing import LARGEST, MOST_FILES, MOST_LINES
from mnemic.memory import Memory
from mnemic.paths import canonical
from mnemic.types import ScopeArgs

NAME = "memory"
TYPE = "memory_20250818"
_WIDTH = len(str(MOST_LINES))
"""Places of a line's number."""
_AROUND = 2
"""Lines shown before and after a change."""
_DIRECTORY_BYTES = 4096
"""What a directory takes on the usual disks, and is listed with."""
_MOST_NAMED = 1000
"""Occurrences that are named by their lines."""


class MemoryTool:
    """The six commands on the files of a `Cabinet`: the model calls them, the developer says where they lie.

    `memory`, the scope and the other parameters are those of `Cabinet`; nothing of them can be set by the model. `call`
    takes what the model sent as the tool's input; each command is also a method. Raises InputError, NotFoundError and
    ConflictError, whose text is meant for the model, and StoreError, which is not.
    """

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
        cache_control: Mapping[str, Any] | None = None,
        **scope: Unpack[ScopeArgs],
    ) -> None:
        self.cabinet = Cabinet(
            memory,
            name=name,
            source=source,
            author=author,
            max_bytes=max_bytes,
            max_files=max_files,
            shared=shared,
            **scope,
        )
        self._cache_control = cache_control

    @property
    def declaration(self) -> dict[str, Any]:
        """What goes into a request's `tools`: the model knows the tool by its type, so there is no schema."""
        declared: dict[str, Any] = {"type": TYPE, "name": NAME}
        return declared if self._cache_control is None else {**declared, "cache_control": dict(self._cache_control)}

    def call(self, input: Mapping[str, Any]) -> str:
        """Carry out a command as the model sent it, {"command": "view", "path": "/memories"}; the answer for it."""
        if not isinstance(input, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance] - it comes from outside
            raise InputError(f"the input of the memory tool is {type(input).__name__}, not an object with a command")
        command = input.get("command")
        if not isinstance(command, str) or command not in _COMMANDS:
            hint = nearest(str(command), _COMMANDS) or f": it is one of {', '.join(_COMMANDS)}"
            raise InputError(f"Unknown command: {command!r:.60}{hint}")
        return _COMMANDS[command](self, *_arguments(command, input))

    def result(self, block: object) -> dict[str, Any]:
        """The `tool_result` for a `tool_use` block (a dict, or the SDK's object): an error is one that the model reads.

        Raises StoreError where the store itself has failed.
        """
        answer: dict[str, Any] = {"type": "tool_result", "tool_use_id": _of(block, "id")}
        try:
            return {**answer, "content": self.call(cast("Mapping[str, Any]", _of(block, "input")))}
        except (InputError, NotFoundError, ConflictError) as error:
            return {**answer, "content": str(error), "is_error": True}

    # -- the commands

    def view(self, path: str, view_range: Sequence[int] | None = None) -> str:
        """What a directory holds, two levels deep; or the lines of a file, numbered, or those from one to another."""
        found = self.cabinet.look(path)
        if not isinstance(found, File):
            return _directory(path, canonical(path), found)
        lines = found.text.split("\n")
        first, last = 1, len(lines)
        if view_range is not None and len(view_range) == 2:
            first = max(1, view_range[0])
            last = last if view_range[1] == -1 else view_range[1]
        shown = _numbered(lines[first - 1 : last], first)
        return f"Here's the content of {path} with line numbers:\n{shown}"

    def create(self, path: str, file_text: str) -> str:
        """A new file."""
        self.cabinet.create(path, file_text)
        return f"File created successfully at: {path}"

    def str_replace(self, path: str, old_str: str, new_str: str) -> str:
        """Other words in place of some that stand in a file once."""
        after, line = "", 0

        def change(text: str) -> str:
            nonlocal after, line
            count = text.count(old_str)
            if count == 0:
                raise InputError(
                    f"No replacement was performed, old_str `{old_str}` did not appear verbatim in {path}."
                )
            if count > 1:
                raise InputError(
                    f"No replacement was performed. Multiple occurrences of old_str `{old_str}` in lines: "
                    f"{_lines_of(text, old_str)}. Please ensure it is unique"
                )
            line = text.count("\n", 0, text.index(old_str))
            after = text.replace(old_str, new_str)
            return after

        self.cabinet.edit(path, change)
        first = max(0, line - _AROUND)
        shown = _numbered(after.split("\n")[first : line + _AROUND + 1], first + 1)
        return f"The memory file has been edited. Here is the snippet showing the change (with line numbers):\n{shown}"

    def insert(self, path: str, insert_line: int, insert_text: str) -> str:
        """Lines behind a line of a file; 0: before the first."""

        def change(text: str) -> str:
            lines = text.removesuffix("\n").split("\n") if text else []
            if not 0 <= insert_line <= len(lines):
                raise InputError(
                    f"Invalid `insert_line` parameter: {insert_line}. It should be within the range [0, {len(lines)}]."
                )
            lines.insert(insert_line, insert_text.rstrip("\n"))
            joined = "\n".join(lines)
            return joined if joined.endswith("\n") else f"{joined}\n"

        self.cabinet.edit(path, change)
        return f"The file {path} has been edited."

    def delete(self, path: str) -> str:
        """A file, or a directory with all below it, is no longer there. It can be undone: see `Cabinet.history`."""
        self.cabinet.remove(path)
        return f"Successfully deleted {path}"

    def rename(self, old_path: str, new_path: str) -> str:
        """A file, or a directory with all below it, under another path."""
        self.cabinet.move(old_path, new_path)
        return f"Successfully renamed {old_path} to {new_path}"

    def clear_all_memory(self) -> str:
        """Erase every file for good, with its history. No command of the model's: the developer calls it."""
        self.cabinet.clear()
        return "All memory cleared"


_COMMANDS: Mapping[str, Callable[..., str]] = {
    "view": MemoryTool.view,
    "create": MemoryTool.create,
    "str_replace": MemoryTool.str_replace,
    "insert": MemoryTool.insert,
    "delete": MemoryTool.delete,
    "rename": MemoryTool.rename,
}
_PARAMETERS: Mapping[str, Mapping[str, type]] = {
    "view": {"path": str},
    "create": {"path": str, "file_text": str},
    "str_replace": {"path": str, "old_str": str, "new_str": str},
    "insert": {"path": str, "insert_line": int, "insert_text": str},
    "delete": {"path": str},
    "rename": {"old_path": str, "new_path": str},
}
"""What each command needs."""


def _arguments(command: str, given: Mapping[str, Any]) -> list[Any]:
    """The parameters of a command in their order, checked. Raises InputError."""
    needed = _PARAMETERS[command]
    found: list[Any] = []
    for name, kind in needed.items():
        value = given.get(name)
        if value is None:
            raise ParameterError(f"{command} needs {name}: its parameters are {', '.join(needed)}")
        if not isinstance(value, kind) or isinstance(value, bool):
            expected = "a whole number" if kind is int else "text"
            raise InputError(f"{name} must be {expected} (got {type(value).__name__})")
        found.append(value)
    if command == "view" and (lines := given.get("view_range")) is not None:
        if not isinstance(lines, list | tuple) or not all(
            isinstance(line, int) and not isinstance(line, bool) for line in cast("Iterable[object]", lines)
        ):
            raise InputError(f"view_range must be two whole numbers, such as [1, 20] (got {lines!r:.60})")
        found.append(cast("Sequence[int]", lines))
    return found


def _of(block: object, name: str) -> Any:
    if isinstance(block, Mapping):
        return cast("Mapping[str, Any]", block).get(name)
    return getattr(block, name, None)


# -- what the model reads


def _directory(given: str, where: str, files: Iterable[Listed]) -> str:
    """Two levels of a directory, without what is hidden; a name's own children follow it."""
    sizes: dict[tuple[tuple[str, ...], str], int] = {}
    for file in files:
        names = tuple(file.path.removeprefix(f"{where}/").split("/"))
        for depth in range(1, min(len(names), 2) + 1):
            inside = depth < len(names)
            sizes[names[:depth], "/" if inside else ""] = _DIRECTORY_BYTES if inside else file.size
    shown = [
        f"{_size(size)}\t{given}/{'/'.join(names)}{slash}"
        for (names, slash), size in sorted(sizes.items())
        if not any(name.startswith(".") for name in names)
    ]
    header = f"Here're the files and directories up to 2 levels deep in {given}, excluding hidden items:"
    return "\n".join([header, f"{_size(_DIRECTORY_BYTES)}\t{given}", *shown])


def _numbered(lines: Sequence[str], first: int) -> str:
    return "\n".join(f"{number:>{_WIDTH}}\t{line}" for number, line in enumerate(lines, first))


def _lines_of(text: str, words: str) -> str:
    """The lines in which words begin, as many times as they do; those that overlap, too."""
    breaks = [place for place, letter in enumerate(text) if letter == "\n"]
    found: list[str] = []
    number, place = 0, text.find(words)
    while place != -1:
        number += 1
        if number <= _MOST_NAMED:
            found.append(str(1 + bisect_right(breaks, place - 1)))
        place = text.find(words, place + 1)
    return ", ".join(found) + (f", … ({number} in all)" if number > _MOST_NAMED else "")


def _size(size: int) -> str:
    """A number of bytes, as the SDK writes it: "0B", "1.5K", "4K"."""
    power = min(max(size.bit_length() - 1, 0) // 10, 3)
    value = size / 1024**power
    return f"{int(value) if value == int(value) else f'{value:.1f}'}{'BKMG'[power]}"
