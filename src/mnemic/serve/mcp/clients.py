"""Where the common clients keep their MCP servers, and how one is written there.

claude-code  cursor  vscode  windsurf  zed  codex  gemini-cli  opencode  claude-desktop
"""

from __future__ import annotations

import difflib
import os
import shlex
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from mnemic.config import Folders
from mnemic.errors import ConfigError, StoreError, nearest
from mnemic.serve.mcp import splice


@dataclass(frozen=True, slots=True)
class Client:
    """One client. A file is given from one of `Folders`: ("home", ".cursor/mcp.json")."""

    name: str
    title: str
    own: tuple[str, str] | None
    """The user's file; None where that is the client's alone to write (Claude Code keeps its sign-in and its state in
    ~/.claude.json, and writes it anew all along): the project's is taken, and its own command told for the user's."""
    project: str | None
    """The project's file, from the project's folder; None where there is none."""
    key: str = "mcpServers"
    """Under which the file has its servers."""
    kind: str = "json"
    shape: str = "plain"
    """Of an entry: plain, typed (with "type": "stdio") or array (command and arguments in one list)."""
    command: str | None = None
    """The client's own command that adds a server for all projects."""


CLIENTS: Final = (
    Client(
        "claude-code",
        "Claude Code",
        None,
        ".mcp.json",
        shape="typed",
        command="claude mcp add --scope user {name} -- {command}",
    ),
    Client("claude-desktop", "Claude Desktop", ("apps", "Claude/claude_desktop_config.json"), None),
    Client("cursor", "Cursor", ("home", ".cursor/mcp.json"), ".cursor/mcp.json"),
    Client("vscode", "VS Code", ("apps", "Code/User/mcp.json"), ".vscode/mcp.json", key="servers", shape="typed"),
    Client("windsurf", "Windsurf", ("home", ".codeium/windsurf/mcp_config.json"), None),
    Client("zed", "Zed", ("zed", "settings.json"), ".zed/settings.json", key="context_servers"),
    Client(
        "codex",
        "Codex",
        ("codex", "config.toml"),
        ".codex/config.toml",
        key="mcp_servers",
        kind="toml",
        command="codex mcp add {name} -- {command}",
    ),
    Client(
        "gemini-cli",
        "Gemini CLI",
        ("home", ".gemini/settings.json"),
        ".gemini/settings.json",
        command="gemini mcp add --scope user {name} {command}",
    ),
    Client("opencode", "opencode", ("config", "opencode/opencode.json"), "opencode.json", key="mcp", shape="array"),
)


PEERS: Final = {"claude": "claude-code", "code": "vscode", "copilot": "vscode", "gemini": "gemini-cli"}


def client_of(name: str) -> Client:
    """The client of this name. Raises ConfigError."""
    names = [one.name for one in CLIENTS]
    found = next((one for one in CLIENTS if one.name == name.lower()), None)
    if found is None:
        hint = nearest(name, names, PEERS) or f"; there are {', '.join(names)}"
        raise ConfigError(f"{name!r} is no client that is known{hint}")
    return found


def file_of(client: Client, folders: Folders, *, here: bool = False) -> Path:
    """The file that has the servers of a client: the user's, or the project's (`here`). Raises ConfigError."""
    if here or client.own is None:
        if client.project is None:
            raise ConfigError(f"{client.title} has no settings for one project: leave out --here")
        path = folders.here / client.project
    else:
        folder, name = client.own
        path = getattr(folders, folder) / name
    return _with_comments(path)


def _with_comments(path: Path) -> Path:
    """opencode.jsonc in place of opencode.json, where that is what there is."""
    other = path.with_suffix(".jsonc")
    return other if path.name == "opencode.json" and other.exists() and not path.exists() else path


def entry_of(client: Client, command: Sequence[str]) -> dict[str, Any]:
    """A server's entry in the client's settings."""
    if client.shape == "array":
        return {"type": "local", "command": list(command), "enabled": True}
    plain: dict[str, Any] = {"command": command[0], "args": list(command[1:])}
    return {"type": "stdio", **plain} if client.shape == "typed" else plain


def own_command(client: Client, name: str, command: Sequence[str]) -> str | None:
    """The line that has the client add the server itself, for all projects; None where it has no such command."""
    return None if client.command is None else client.command.format(name=name, command=shlex.join(command))


# -- changing a file


@dataclass(frozen=True, slots=True)
class Edit:
    """A file as it is and as it should be."""

    path: Path
    before: str | None
    """None where there is no file."""
    after: str

    @property
    def changes(self) -> bool:
        """Whether there is anything to do."""
        return self.after != (self.before or "")

    def __str__(self) -> str:
        old = (self.before or "").splitlines()
        lines = difflib.unified_diff(old, self.after.splitlines(), str(self.path), str(self.path), lineterm="")
        return "\n".join(lines)


def added(client: Client, path: Path, name: str, entry: Mapping[str, Any]) -> Edit:
    """The edit that puts a server into a file. Raises ConfigError, naming the file, where it cannot be done safely."""
    before = _text(path)
    try:
        after = splice.with_entry(before or "", _path(client, before, name), entry, client.kind)
    except ConfigError as error:
        raise ConfigError(f"{path} was left as it is: {error}") from error
    return Edit(path, before, after)


def removed(client: Client, path: Path, name: str) -> Edit:
    """The edit that takes a server out of a file. Raises ConfigError as `added` does."""
    before = _text(path)
    try:
        after = splice.without_entry(before or "", _path(client, before, name), client.kind)
    except ConfigError as error:
        raise ConfigError(f"{path} was left as it is: {error}") from error
    return Edit(path, before, after)


def _path(client: Client, text: str | None, name: str) -> tuple[str, ...]:
    """Where the entry belongs: opencode has a second form, with its servers one level deeper."""
    if client.name == "opencode":
        held = splice.read(text or "", "json").get("mcp")
        if isinstance(held, dict) and "servers" in held:
            return ("mcp", "servers", name)
    return (client.key, name)


def _text(path: Path) -> str | None:
    try:
        return path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        return None
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} was left as it is: it is not UTF-8 ({error.reason})") from error
    except OSError as error:
        raise StoreError(error.errno, f"cannot read {path}: {error.strerror}") from error


def write(edit: Edit) -> Path | None:
    """Do an edit, the file at once or not at all; the backup of what was there before, None where nothing was.

    Raises StoreError where the disk refuses.
    """
    path = edit.path.resolve()  # a link into somebody's dotfiles stays one
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        backup = None
        mode = 0o600
        if edit.before is not None:
            mode = path.stat().st_mode & 0o777
            backup = path.with_name(f"{path.name}.{datetime.now(UTC):%Y%m%dT%H%M%S%f}.bak")
            _put(backup, edit.before, mode)
        _put(path, edit.after, mode)
    except OSError as error:
        raise StoreError(error.errno, f"cannot write {path}: {error.strerror}") from error
    return backup


def _put(path: Path, text: str, mode: int) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, mode)
        os.replace(name, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(name)
        raise
