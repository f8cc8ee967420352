"""Paths of files in a memory: `/memories/projects/porto.md`. Pure rules; nothing here is a path on a disk.

A path that is written in several ways means one file: `//`, `.`, `..` that stays inside, a slash at the end, letters
composed or not. What would lead out, or looks like another path than it is, is refused.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from urllib.parse import unquote

from mnemic.errors import InputError

ROOT = "/memories"
LONGEST = 1024
"""Bytes of a path in UTF-8."""
_INVISIBLE = frozenset(("Cc", "Cf", "Cs", "Zl", "Zp"))
_JOINERS = frozenset("\u200c\u200d")
"""Invisible, but spelling: Persian words and emoji need them."""


def canonical(path: object) -> str:
    """The one way to write a path: "/memories" and a name after each slash. Raises InputError."""
    if not isinstance(path, str):
        raise InputError(f"a path is text, such as {ROOT}/notes.md (got {type(path).__name__})")
    if path != ROOT and not path.startswith(f"{ROOT}/"):
        raise InputError(f"Path must start with {ROOT}, got: {_shown(path)}")
    if len(path) > 4 * LONGEST:  # before it costs anything
        raise InputError(f"a path has at most {LONGEST} bytes (got {len(path)} letters): {_shown(path)}")
    names: list[str] = []
    for name in unicodedata.normalize("NFC", path.removeprefix(ROOT)).split("/"):
        if name == "..":
            if not names:
                raise InputError(f"Path {_shown(path)} would escape {ROOT} directory")
            names.pop()
        elif name not in ("", "."):
            names.append(name)
    for name in names:
        if problem := _fault(name):
            raise InputError(f"Path {_shown(path)} {problem}")
    found = "/".join((ROOT, *names))
    if len(found.encode()) > LONGEST:
        raise InputError(f"a path has at most {LONGEST} bytes (got {len(found.encode())}): {_shown(path)}")
    return found


def above(path: str) -> Iterator[str]:
    """The directories in which a canonical path lies, the nearest first, without the root."""
    while (path := path.rpartition("/")[0]) != ROOT and path:
        yield path


def is_within(path: str, directory: str) -> bool:
    """Whether a canonical path lies somewhere below a directory."""
    return path.startswith(f"{directory}/")


def _fault(name: str) -> str:
    """What is wrong with one name in a path; '' where nothing is.

    A name that only reads as another one when it is decoded or normalised is no danger here, but is to whoever takes it
    for a path on a disk or in an address.
    """
    if odd := next((c for c in name if unicodedata.category(c) in _INVISIBLE and c not in _JOINERS), None):
        return f"has a character that cannot be seen in a name (U+{ord(odd):04X})"
    read = name
    for _ in range(3):
        read = unicodedata.normalize("NFKC", unquote(read, errors="replace"))
    if any(mark in one for mark in "/\\" for one in (name, read)) or read.strip() in (".", "..") or "\0" in read:
        return "has a name that can be read as a way to another place"
    return ""


def _shown(path: str, width: int = 200) -> str:
    """A path as it can stand in a message."""
    plain = "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in path[: width + 1])
    return plain if len(path) <= width else f"{plain[:width]}…"
