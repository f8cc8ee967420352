"""The files of an export: one file, the members of a .zip, or those in a folder; and JSON in them, item by item.

An export may be hundreds of megabytes, so no more than one item of it is in memory at a time.
"""

from __future__ import annotations

import codecs
import contextlib
import errno
import io
import json
import os
import zipfile
import zlib
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, NoReturn

from mnemic.errors import InputError, NotFoundError, StoreError

CHUNK = 1 << 18
LARGEST_ITEM = 512_000_000
"""Characters of one item. What is larger is hardly a conversation, and would fill the machine's memory."""
_NEAR = 16
"""How far before the end of what was read so far JSON may look wrong only because the rest is missing."""


@dataclass(frozen=True, slots=True)
class Part:
    """A file, or a member of a .zip."""

    name: str
    path: Path
    size: int
    member: str | None = None

    @contextlib.contextmanager
    def opened(self) -> Generator[IO[bytes]]:
        """Its bytes. Raises StoreError, and InputError for a .zip that is damaged."""
        try:
            if self.member is None:
                with open(self.path, "rb") as file:
                    yield file
            else:
                with zipfile.ZipFile(self.path) as archive, archive.open(self.member) as file:
                    yield file
        except OSError as error:
            raise StoreError(
                error.errno or errno.EIO, f"'{self.path}' cannot be read: {error.strerror or error}"
            ) from error
        except (zipfile.BadZipFile, zlib.error, RuntimeError, EOFError) as error:
            raise InputError(f"'{self.name}' in '{self.path.name}' cannot be unpacked ({error})") from None

    @contextlib.contextmanager
    def text(self) -> Generator[io.TextIOWrapper]:
        """Its text, UTF-8 or UTF-16 with a mark. Raises InputError where it is neither."""
        with self.opened() as file:
            head = file.read(4)
        encoding = "utf-16" if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"
        try:
            with self.opened() as file, io.TextIOWrapper(file, encoding=encoding, newline="") as wrapped:
                yield wrapped
        except UnicodeDecodeError as error:
            raise InputError(f"'{self.name}' is not {error.encoding} text ({error.reason})") from None


def parts_of(path: Path) -> list[Part]:
    """The files that a path stands for, in a fixed order. Raises NotFoundError, InputError, StoreError."""
    try:
        if path.is_dir():
            return list(_in_folder(path))
        if not path.exists():
            raise NotFoundError(f"there is no file or folder '{path}' to import")
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                members = [one for one in archive.infolist() if not one.is_dir()]
            return [Part(one.filename, path, one.file_size, one.filename) for one in _ordered(members)]
        return [Part(path.name, path, path.stat().st_size)]
    except (OSError, zipfile.BadZipFile) as error:
        if isinstance(error, NotFoundError | StoreError):
            raise
        reason = getattr(error, "strerror", None) or error
        raise StoreError(getattr(error, "errno", None) or errno.EIO, f"'{path}' cannot be read: {reason}") from error


def _ordered(members: list[zipfile.ZipInfo]) -> list[zipfile.ZipInfo]:
    """As in a folder: the files that lie in it, then those of each folder below."""

    def place(one: zipfile.ZipInfo) -> list[tuple[bool, str]]:
        *folders, name = one.filename.split("/")
        return [*((True, folder) for folder in folders), (False, name)]

    return sorted(members, key=place)


def _in_folder(path: Path) -> Iterator[Part]:
    def refuse(error: OSError) -> None:
        raise error

    for folder, folders, names in os.walk(path, onerror=refuse):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            file = Path(folder, name)
            with contextlib.suppress(FileNotFoundError):  # gone since it was listed, or a link that leads nowhere
                if not name.startswith(".") and file.is_file():
                    yield Part(file.relative_to(path).as_posix(), file, file.stat().st_size)


# -- JSON, item by item


@dataclass(frozen=True, slots=True)
class Element:
    """An item of the array that a file is, or of an array in the object that it is; or another field of that."""

    key: str | None
    """The field; None where the file is an array."""
    index: int | None
    """The place in the array, from 0; None for a field that is no array."""
    value: Any
    where: str
    """Where it stands, for messages."""


def elements(part: Part, wanted: Callable[[str], bool] = lambda key: True) -> Iterator[Element]:
    """The items of a JSON file, one at a time. Raises InputError, saying where it is wrong or cut off.

    Fields that are not `wanted` are read over.
    """
    with part.text() as stream:
        text = _Text(stream, part.name)
        opening = text.peek()
        if opening == "[":
            yield from text.array(None)
        elif opening == "{":
            yield from text.fields(wanted)
        else:
            text.refuse(f"it begins with {opening!r}, and JSON with '[' or '{{'" if opening else "it is empty")
        if rest := text.peek():
            text.refuse(f"{rest!r} stands behind the end of the JSON")


def whole(part: Part) -> dict[str, Any]:
    """A JSON file that is one object of a size to be held at once."""
    found: dict[str, Any] = {}
    for element in elements(part):
        if element.key is not None and element.index is not None:
            found.setdefault(element.key, []).append(element.value)
        elif element.key is not None:
            found[element.key] = element.value
    return found


def lines(part: Part) -> Iterator[tuple[int, str]]:
    """The lines of a file that hold something, numbered from 1."""
    with part.text() as stream:
        number = 0
        while line := stream.readline(LARGEST_ITEM):
            number += 1
            if len(line) == LARGEST_ITEM:
                raise InputError(f"line {number} of '{part.name}' is longer than {LARGEST_ITEM:,} characters")
            if line.strip():
                yield number, line.strip("\r\n")


def json_line(part: Part, number: int, line: str) -> Any:
    """The JSON value in a line. Raises InputError."""
    try:
        return _DECODER.decode(line)
    except (ValueError, RecursionError) as error:
        raise InputError(f"line {number} of '{part.name}' is not JSON ({_words(error)})") from None


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON")


_DECODER = json.JSONDecoder(parse_constant=_no_number)


def _words(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "it is nested too deep"
    return error.msg if isinstance(error, json.JSONDecodeError) else str(error)


def _is_begun(rest: str) -> bool:
    """Whether nothing, or the beginning of a word of JSON, is all that is left."""
    return any(word.startswith(rest.strip()) for word in ("true", "false", "null", "-"))


class _Text:
    """A JSON text that is read a piece at a time, and how far it has been read."""

    def __init__(self, stream: io.TextIOWrapper, name: str) -> None:
        self._stream = stream
        self._name = name
        self._held = ""
        self._at = 0
        self._line = 1
        self._ended = False
        self._item = ""

    def peek(self) -> str:
        """The next character that is no space; "" at the end."""
        while True:
            while self._at < len(self._held) and self._held[self._at] in " \t\r\n":
                self._line += self._held[self._at] == "\n"
                self._at += 1
            if self._at < len(self._held):
                return self._held[self._at]
            if not self._more():
                return ""

    def array(self, key: str | None) -> Iterator[Element]:
        self._take("[")
        index = 0
        while True:
            self._item = f"item {index + 1}" + (f" of '{key}'" if key is not None else "")
            if self.peek() == "]" and index == 0:
                break
            where = f"'{self._name}', {self._item}"
            yield Element(key, index, self._value(), where)
            index += 1
            if self.peek() == "]":
                break
            self._take(",")
        self._take("]")
        self._item = ""

    def fields(self, wanted: Callable[[str], bool]) -> Iterator[Element]:
        self._take("{")
        if self.peek() != "}":
            while True:
                key = self._value()
                if not isinstance(key, str):
                    self.refuse(f"{key!r:.40} stands where the name of a field must")
                self._take(":")
                if self.peek() == "[":
                    for element in self.array(key):
                        if wanted(key):
                            yield element
                else:
                    self._item = f"field '{key}'"
                    value = self._value()
                    if wanted(key):
                        yield Element(key, None, value, f"'{self._name}', {self._item}")
                if self.peek() == "}":
                    break
                self._take(",")
        self._take("}")
        self._item = ""

    def refuse(self, problem: str) -> NoReturn:
        where = f", {self._item}" if self._item else ""
        raise InputError(f"'{self._name}', line {self._line}{where}: {problem}")

    def _cut_off(self) -> NoReturn:
        self.refuse("the file ends here, in the middle: it was cut off; export or copy it again")

    def _take(self, character: str) -> None:
        found = self.peek()
        if not found:
            self._cut_off()
        if found != character:
            self.refuse(f"{found!r} stands where {character!r} must")
        self._at += 1

    def _value(self) -> Any:
        if not self.peek():
            self._cut_off()
        while True:
            try:
                value, end = _DECODER.raw_decode(self._held, self._at)
            except json.JSONDecodeError as error:
                unfinished = error.msg.startswith("Unterminated string") or error.pos >= len(self._held) - _NEAR
                if not unfinished:
                    self._line += self._held.count("\n", self._at, error.pos)
                    self.refuse(f"this is not JSON ({error.msg})")
                cut = error.msg.startswith("Unterminated string") or _is_begun(self._held[error.pos :])
                if not self._more():
                    if not cut:
                        self.refuse(f"this is not JSON ({error.msg})")
                    self._cut_off()
            except (ValueError, RecursionError) as error:
                self.refuse(f"this is not JSON ({_words(error)})")
            else:
                # a number at the very end may go on
                if end < len(self._held) or not isinstance(value, int | float) or not self._more():
                    self._line += self._held.count("\n", self._at, end)
                    self._at = end
                    return value

    def _more(self) -> bool:
        """Read on: as much again as is held, so that a long item is not looked at too often."""
        if self._ended:
            return False
        held = len(self._held) - self._at
        if held > LARGEST_ITEM:
            self.refuse(f"it is longer than {LARGEST_ITEM:,} characters")
        more = self._stream.read(max(CHUNK, held))
        self._ended = not more
        self._held = self._held[self._at :] + more
        self._at = 0
        return bool(more)
