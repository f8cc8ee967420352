"""Whose memory a request means, and what it wants of it: from headers, the request's own fields, and the settings."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from mnemic.errors import ScopeError
from mnemic.scope import one
from mnemic.serve.proxy.wire import Json, digest
from mnemic.types import ScopeArgs

MODES: Final = ("on", "recall-only", "remember-only", "off")
"""What a request may want of the memory."""
_SHORT: Final = {"recall": "recall-only", "remember": "remember-only", "true": "on", "false": "off", "": "on"}
HEADERS: Final = {
    "user_id": "x-mnemic-user",
    "session_id": "x-mnemic-session",
    "project_id": "x-mnemic-project",
    "agent_id": "x-mnemic-agent",
}
_SESSIONS: Final = ("session_id", "thread_id", "conversation_id")
_CODING: Final = re.compile(r"(user_.+?)_session_([\w-]+)")
"""How a coding agent packs both into Anthropic's one field."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a request wants. `scope` is whose memory it is: None where what it names is nobody's."""

    recalls: bool
    remembers: bool
    scope: ScopeArgs | None
    why: str = ""
    """Where something is off: what turned it off."""

    @property
    def walls(self) -> ScopeArgs:
        """The scope of a read: a session or an agent does not narrow what is remembered of a user."""
        scope = self.scope or {}
        return cast("ScopeArgs", {part: scope[part] for part in scope if part not in ("session_id", "agent_id")})

    @property
    def whose(self) -> str:
        """A code of the walls."""
        return digest(*(f"{part}={value}" for part, value in sorted(self.walls.items())))


def wish_of(
    headers: Iterable[tuple[bytes, bytes]], fields: Json, default: ScopeArgs, mode: str, *, fixed: bool
) -> Wish:
    """What a request wants.

    A header goes before a field, a field before the default. Where the walls are `fixed` a client names its session and
    agent only. A word that `X-Mnemic` does not know means "off": whoever writes it wants less. An id that can be
    nobody's gets no memory, rather than another's.
    """
    given = _texts(headers)
    wanted, why = _mode(given, mode)
    if wanted == "off":
        return Wish(False, False, None, why or "off")
    scope: dict[str, Any] = dict(default)
    try:
        named = _in_fields(fields) | {part: _header(given, name) for part, name in HEADERS.items() if name in given}
        for part, value in named.items():
            if fixed and part in ("user_id", "project_id"):
                continue
            scope[part] = one(part, value)
    except ScopeError:
        return Wish(False, False, None, "scope")
    return Wish(wanted != "remember-only", wanted != "recall-only", cast("ScopeArgs", scope), why)


def _mode(given: Mapping[str, list[str]], default: str) -> tuple[str, str]:
    """What is wanted; never more than the settings allow."""
    if "x-mnemic" not in given:
        return default, "" if default == "on" else default
    words = {_SHORT.get(word, word) for word in (value.strip().lower() for value in given["x-mnemic"])}
    word = words.pop() if len(words) == 1 else "off"
    if word not in MODES:
        return "off", "X-Mnemic is not known"
    if default == "on" or word == default:
        return word, "" if word == "on" else word
    return (default, default) if word == "on" else ("off", "off")


def _header(given: Mapping[str, list[str]], name: str) -> str:
    values = set(given[name])
    if len(values) > 1:
        raise ScopeError(f"{name} stands there twice, with two values")
    return values.pop().strip()


def _texts(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, list[str]]:
    """Mnemic's headers by name. A header's bytes are UTF-8, or else Latin-1."""
    found: dict[str, list[str]] = {}
    for name, value in headers:
        if name.startswith(b"x-mnemic"):
            try:
                text = value.decode()
            except UnicodeDecodeError:
                text = value.decode("latin-1")
            found.setdefault(name.decode("latin-1"), []).append(text)
    return found


def _in_fields(fields: Json) -> dict[str, str]:
    """User and session in the fields that the protocols have for them."""
    given = fields.get("metadata")
    metadata: Json = cast("Json", given) if isinstance(given, dict) else {}
    found: dict[str, str] = {}
    for user in (fields.get("safety_identifier"), fields.get("user"), metadata.get("user_id")):
        if isinstance(user, str) and user:
            found["user_id"] = user
    for name in reversed(_SESSIONS):
        if isinstance(metadata.get(name), str) and metadata[name]:
            found["session_id"] = metadata[name]
    return found | _packed(found.get("user_id", ""))


def _packed(user: str) -> dict[str, str]:
    """User and session out of one field: "user_…_session_…", or JSON with an account or a device, and a session."""
    if match := _CODING.fullmatch(user):
        return {"user_id": match[1], "session_id": match[2]}
    if not user.startswith("{"):
        return {}
    try:
        told: object = json.loads(user)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(told, dict):
        return {}
    parts = cast("Json", told)
    who = next((parts[name] for name in ("account_uuid", "user_id", "device_id") if parts.get(name)), None)
    found = {"user_id": who, "session_id": parts.get("session_id")}
    return {part: value for part, value in found.items() if isinstance(value, str) and value}
