"""Anthropic's own memory tool for a folder on a disk is the oracle: the same commands, the same words back.

Where it differs on purpose:

* A directory is there as long as files are in it, so empty ones are removed from the oracle's folder after each
  command; it leaves some where a `create` or a `rename` fails.
* The size of a directory is what its disk says; here it is always 4K.
* What fails there with an error of the operating system (a path below a file, a name too long, a directory moved into
  itself, a NUL) fails here with words for the model.
* Paths that only begin like /memories ("/memoriesx"), names that can be read as a way out, and letters that are not
  composed: see tests/unit/test_paths.py. Of more than a thousand occurrences of an `old_str` a thousand are named: see
  tests/unit/test_memory_tool.py.
* What two do at the same time: see tests/acceptance/test_anthropic.py.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mnemic import ConflictError, InputError, Memory, NotFoundError
from mnemic.compat.memory_tool import MemoryTool

pytest.importorskip("anthropic")
from anthropic.lib.tools import ToolError
from anthropic.tools.memory import BetaLocalFilesystemMemoryTool

names = st.sampled_from(["a", "b", "a.md", "b c", ".h", "é", "A"])
odd = st.sampled_from(["", "", "", "", "/", "/.", "//", "/..", "/../.."])


@st.composite
def _paths(draw: st.DrawFn) -> str | int:
    """A path; or a number, for one of those that are there when it comes to it."""
    if draw(st.integers(0, 3)):
        return draw(st.integers(0, 99))
    return "/memories" + "".join(f"/{name}" for name in draw(st.lists(names, min_size=1, max_size=4))) + draw(odd)


there = _paths()
fresh = st.lists(names, min_size=1, max_size=3).map(lambda names: "/memories/" + "/".join(names))
short = st.lists(st.sampled_from(["x", "y", "xx", "z\r", "", " ", "\ttab", "ü€"]), max_size=6).map("\n".join)
long = st.integers(1, 40).map(lambda count: "".join(f"line {n} of the long file\n" for n in range(count)))
texts = st.one_of(short, long)
pieces = st.sampled_from(["x", "y", "\n", "x\n", "xx", "", "z\r", "ü", "line 7 ", "line 19 of", "line 33", "nowhere"])


def command(name: str, **parameters: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({"command": st.just(name), **parameters})


commands = st.one_of(
    command("create", path=st.one_of(fresh, fresh, there), file_text=texts),
    command("create", path=st.one_of(fresh, fresh, there), file_text=texts),
    command("view", path=st.one_of(there, st.just("/memories"))),
    command("view", path=there, view_range=st.lists(st.integers(-3, 130), max_size=3)),
    command("str_replace", path=there, old_str=pieces, new_str=st.one_of(pieces, texts)),
    command("str_replace", path=there, old_str=pieces, new_str=st.one_of(pieces, texts)),
    command("insert", path=there, insert_line=st.integers(-1, 7), insert_text=texts),
    command("delete", path=there),
    command("rename", old_path=there, new_path=st.one_of(fresh, there)),
    command("rename", old_path=there, new_path=st.one_of(fresh, there)),
)


def resolved(command: dict[str, Any], oracle: BetaLocalFilesystemMemoryTool) -> dict[str, Any]:
    """The command, with a path that is there in place of each number: an even one means a file."""
    every = sorted(oracle.memory_root.rglob("*"))
    files = [one for one in every if one.is_file()]

    def path(value: str | int) -> str:
        if isinstance(value, str):
            return value
        among = (every if value % 2 else files) or [oracle.memory_root]
        return f"/{among[value // 2 % len(among)].relative_to(oracle.base_path)}"

    return {name: path(value) if name.endswith("path") else value for name, value in command.items()}


def theirs(tool: BetaLocalFilesystemMemoryTool, command: dict[str, Any]) -> tuple[str, str]:
    try:
        return "said", str(tool.call(command))
    except ToolError as error:
        return "refused", str(error)
    except (OSError, ValueError):
        return "failed", ""
    finally:
        for folder in sorted((one for one in tool.memory_root.rglob("*") if one.is_dir()), reverse=True):
            if not any(folder.iterdir()):
                folder.rmdir()


def ours(tool: MemoryTool, command: dict[str, Any]) -> tuple[str, str]:
    try:
        return "said", tool.call(command)
    except (InputError, NotFoundError, ConflictError) as error:
        return "refused", str(error)


def told(answer: tuple[str, str]) -> tuple[str, str]:
    """The answer, whatever a directory's size is on this disk."""
    listing = re.sub(r"(?m)^[\d.]+[BKMG]\t(.*/|/memories)$", r"4K\t\1", answer[1])
    header, _, rest = listing.partition("\n")
    if header.startswith("Here're the files"):
        rest = re.sub(r"^[\d.]+[BKMG]\t", "4K\t", rest)
    return answer[0], f"{header}\n{rest}"


@pytest.fixture(scope="module")
def memory() -> Iterator[Memory]:
    with Memory(":memory:", embedder="none", recipe="none") as memory:
        yield memory


_users = iter(range(1_000_000))


@settings(max_examples=80, deadline=None)
@given(st.lists(commands, min_size=5, max_size=20))
def test_the_tool_says_what_the_vendors_tool_for_a_folder_says(memory: Memory, script: list[dict[str, Any]]) -> None:
    tool = MemoryTool(memory, user_id=f"user {next(_users)}")
    with tempfile.TemporaryDirectory() as folder:
        oracle = BetaLocalFilesystemMemoryTool(folder)
        for step in script:
            command = resolved(step, oracle)
            expected, found = theirs(oracle, command), ours(tool, command)
            if expected[0] == "failed":
                assert found[0] == "refused", (command, found)
            else:
                assert told(found) == told(expected), command
        held = {
            f"/memories/{file.relative_to(oracle.memory_root)}": file.read_bytes().decode()
            for file in Path(oracle.memory_root).rglob("*")
            if file.is_file()
        }
        assert {one.path: tool.cabinet.read(one.path).text for one in tool.cabinet.list()} == held
        assert {one.path: one.size for one in tool.cabinet.list()} == {
            path: len(text.encode()) for path, text in held.items()
        }
