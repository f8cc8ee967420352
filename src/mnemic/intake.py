"""What `mnemic add` reads: text, standard input, files and folders, as messages for `Memory.add`."""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, cast

from mnemic.errors import InputError, NotFoundError

TEXT_FILES = frozenset((".md", ".markdown", ".mdx", ".txt", ".text", ".rst", ".org", ".adoc"))
"""What is taken from a folder as documents; a file that is named itself may be called anything."""
MESSAGE_FILES = frozenset((".jsonl", ".ndjson"))
LARGEST = 10_000_000
"""Bytes of a document. What is larger is hardly a note, and is named and left out."""
_LEFT_OUT = frozenset(("node_modules", "__pycache__"))
_LONGEST_ID = 512

Form = Literal["auto", "text", "json"]


@dataclass(frozen=True, slots=True)
class Found:
    """A file to read: where it is, what it is called in the memory, and whether it was named itself."""

    path: Path
    name: str
    named: bool

    @property
    def messages(self) -> bool:
        """Whether it holds JSON messages, and no document."""
        return self.path.suffix.lower() in MESSAGE_FILES


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file that was left out, and why."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class Files:
    """What was found under the paths that were named."""

    found: tuple[Found, ...]
    skipped: tuple[Skipped, ...]
    others: int
    """Files in folders that are no notes by their names."""


# -- arguments


def words_or_files(arguments: Sequence[str]) -> str | tuple[Path, ...]:
    """Arguments as one text, or as the files and folders that they name. Raises InputError, NotFoundError."""
    paths = [_path(argument) for argument in arguments]
    if all(paths):
        return tuple(path for path in paths if path is not None)
    there = next((argument for argument, path in zip(arguments, paths, strict=True) if path is not None), None)
    other = next(argument for argument, path in zip(arguments, paths, strict=True) if path is None)
    if there is not None:
        raise InputError(
            f"'{there}' is a file or folder and '{other}' is not: name only files, or use --text to keep it all as text"
        )
    for argument in arguments:
        if _like_a_path(argument):
            raise NotFoundError(f"there is no file or folder '{argument}'; use --text to keep that as a text")
    return " ".join(arguments)


def _path(argument: str) -> Path | None:
    try:
        path = Path(argument)
        return path if argument.strip() and path.exists() else None
    except (OSError, ValueError):  # longer than a path may be, or with a NUL: a text
        return None


def _like_a_path(argument: str) -> bool:
    if any(character.isspace() for character in argument) or "://" in argument:
        return False
    return argument.endswith(("/", os.sep)) or Path(argument).suffix.lower() in TEXT_FILES | MESSAGE_FILES


# -- messages in a text


def messages_in(text: str, form: Form, name: str) -> list[Any]:
    """The messages in a stream: JSON Lines, one JSON list or message, or else the text itself as one.

    `form` says what it is; "auto" looks. Raises InputError, naming the line.
    """
    if not text.strip():
        raise InputError(f"{name} is empty: there is nothing to add")
    if form == "text":
        return [text]
    try:
        whole: Any = json.loads(text)
    except ValueError:
        whole = None
    if isinstance(whole, list) and (form == "json" or _are_messages(cast("list[Any]", whole))):
        return cast("list[Any]", whole)
    if isinstance(whole, dict) and (form == "json" or _is_message(cast("object", whole))):
        return [whole]
    if form == "json" or _is_message(_or_none(text.lstrip().split("\n", 1)[0])):
        return _lines(text, name)
    return [text]


def _lines(text: str, name: str) -> list[Any]:
    messages: list[Any] = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        message = _or_none(line)
        if not isinstance(message, dict | str):
            raise InputError(
                f"line {number} of {name} is not a message: write one JSON object a line, such as "
                '{"role": "user", "content": "hello"}'
            )
        messages.append(message)
    return messages


def _or_none(line: str) -> object:
    try:
        return json.loads(line)
    except ValueError:
        return None


def _is_message(value: object) -> bool:
    return isinstance(value, dict) and ("content" in value or "role" in value or "tool_calls" in value)


def _are_messages(values: list[Any]) -> bool:
    return bool(values) and all(isinstance(value, str) or _is_message(value) for value in values)


# -- files


def files_under(paths: Sequence[Path]) -> Files:
    """The files named, and the notes in the folders named, in a fixed order. Hidden folders and files are left out."""
    found: dict[Path, Found] = {}
    skipped: list[Skipped] = []
    others = 0
    for path in paths:
        if not path.is_dir():
            found.setdefault(path, Found(path, path.name, named=True))
            continue
        base = Path(os.path.abspath(path))

        def unreadable(error: OSError) -> None:
            skipped.append(Skipped(shown(error.filename), _because(error)))

        for folder, folders, names in os.walk(path, onerror=unreadable):
            folders[:] = sorted(name for name in folders if not name.startswith(".") and name not in _LEFT_OUT)
            for name in sorted(names):
                file = Path(folder, name)
                if name.startswith(".") or file.suffix.lower() not in TEXT_FILES | MESSAGE_FILES:
                    others += 1
                    continue
                inside = Path(base.name, file.relative_to(path)).as_posix()
                found.setdefault(file, Found(file, inside, named=False))
    return Files(tuple(found.values()), tuple(skipped), others)


def document(file: Found) -> dict[str, Any] | Skipped:
    """A file as one message of role document.

    Its id is its path, so that the changed file is an edit of the same document; its time is when it was changed.
    """
    read = text_of(file)
    if isinstance(read, Skipped):
        return read
    text, changed = read
    place = Path(os.path.abspath(file.path)).as_posix()
    return {
        "role": "document",
        "content": text,
        "id": _name(place),
        "session_id": _name(file.name),
        "time": changed,
        "metadata": {"path": shown(file.name)},
    }


def text_of(file: Found) -> tuple[str, datetime] | Skipped:
    """The text of a file and when it was changed; or why it cannot be taken."""
    name = shown(file.path)
    try:
        about = file.path.stat()
        if not stat.S_ISREG(about.st_mode):
            return Skipped(name, "no plain file")
        if about.st_size > LARGEST:
            return Skipped(name, f"too large ({about.st_size / 1e6:,.0f} MB; up to {LARGEST / 1e6:.0f} MB)")
        content = file.path.read_bytes()
    except OSError as error:
        return Skipped(name, _because(error))
    text = _decoded(content)
    if text is None:
        return Skipped(name, "not text (neither UTF-8 nor UTF-16)")
    if not text.strip():
        return Skipped(name, "empty")
    return text, datetime.fromtimestamp(about.st_mtime).astimezone()


def holds_messages(file: Found) -> bool:
    """Whether a `.json` file that was named itself holds messages; any other JSON is a document."""
    if not file.named or file.path.suffix.lower() != ".json":
        return False
    read = text_of(file)
    return not isinstance(read, Skipped) and messages_in(read[0], "auto", shown(file.path)) != [read[0]]


def _decoded(content: bytes) -> str | None:
    encoding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text


def _because(error: OSError) -> str:
    return (error.strerror or type(error).__name__).lower()


def _name(path: str) -> str:
    """A path as an id: itself, where it is not too long for one."""
    name = shown(path)
    return name if len(name) <= _LONGEST_ID else "sha256:" + hashlib.sha256(os.fsencode(path)).hexdigest()


def shown(path: object) -> str:
    """A path as text that can be printed and kept, whatever bytes it has."""
    return os.fsencode(str(path)).decode("utf-8", "backslashreplace")


def batches(files: Sequence[Found], size: int) -> Iterator[Sequence[Found]]:
    """Files in groups: each is one call of `add`, so that a long intake can be broken off and taken up again."""
    for start in range(0, len(files), size):
        yield files[start : start + size]
