"""Who asks, and from where: keys, hosts and origins; and the memory that a caller is given, bound to its key."""

from __future__ import annotations

import errno
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from mnemic.errors import AccessError, InputError, ScopeError
from mnemic.memory import Memory
from mnemic.problems import NO_KEY
from mnemic.serve.grants import OWNER, WALLS, Grant
from mnemic.serve.keys import Key, Keys
from mnemic.serve.listening import is_loopback
from mnemic.serve.refused import RefusedError
from mnemic.serve.verbs import Verb

HEADERS: Final = {
    "x-mnemic-tenant": "tenant_id",
    "x-mnemic-project": "project_id",
    "x-mnemic-user": "user_id",
    "x-mnemic-agent": "agent_id",
    "x-mnemic-session": "session_id",
}
"""A scope in headers: percent-encoded UTF-8, one id each."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: the name of the key, if one is needed, and what it allows."""

    name: str | None
    grant: Grant
    key: Key | None = None


EVERYBODY: Final = Caller(None, OWNER)
"""Who asks a server without keys: whoever can reach it."""


@dataclass(frozen=True, slots=True)
class Gate:
    """What is asked of each request before it is one."""

    keys: Keys | None
    """None: the store has no file, so there is no place for keys."""
    hosts: frozenset[str] = frozenset()
    """Names under which this server may be asked without a key, beside those of this machine."""
    origins: frozenset[str] = frozenset()
    """Pages of other servers that may ask this one: "https://example.org"."""
    everywhere: bool = False
    """Whether it is asked without keys from other machines: then there is no telling a right name from a wrong one."""

    def caller(self, headers: Mapping[str, str]) -> Caller:
        """Who asks. Raises RefusedError for a key that is missing or wrong, AccessError for a page of elsewhere."""
        if self.keys is None or not self.keys.are_needed():
            self._check_page(headers)
            return EVERYBODY
        scheme, _, token = headers.get("authorization", "").partition(" ")
        token = token.strip() if scheme.lower() == "bearer" else headers.get("x-api-key", "").strip()
        if not token:
            raise RefusedError(
                "this server wants a key: send 'Authorization: Bearer KEY'; 'mnemic keys add' makes one",
                NO_KEY,
                {"WWW-Authenticate": 'Bearer realm="mnemic"'},
            )
        key = self.keys.holder(token)
        if key is None:
            raise RefusedError(
                "this key is not known here, or was revoked",
                NO_KEY,
                {"WWW-Authenticate": 'Bearer realm="mnemic", error="invalid_token"'},
            )
        return Caller(key.name, key.grant, key)

    def still(self, caller: Caller) -> bool:
        """Whether a caller who was let in would be let in now: keys are revoked, and the first key closes the door."""
        if self.keys is None:
            return True
        return not self.keys.are_needed() if caller.key is None else self.keys.is_in_force(caller.key)

    def _check_page(self, headers: Mapping[str, str]) -> None:
        """Without keys, whoever reaches this machine may ask: but no page of elsewhere through its user's browser.

        Such a page gives itself away by its Origin; and where it has had its own name lead here (DNS rebinding), by
        that name in Host.
        """
        host = headers.get("host", "")
        if not self.everywhere and _name(host) not in self.hosts and not is_loopback(_name(host)):
            raise AccessError(
                errno.EACCES,
                f"without keys this server is asked as localhost or 127.0.0.1, not as {host[:80]!r}: make a key, or "
                "start it with --allow-host",
            )
        origin = headers.get("origin")
        if origin is not None and origin not in self.origins and urlsplit(origin).netloc != host:
            raise AccessError(
                errno.EACCES,
                f"without keys no page of {origin[:80]!r} may ask this server: start it with --allow-origin",
            )


def _name(host: str) -> str:
    """A host without its port."""
    name, _, port = host.rpartition(":")
    return (name if name and port.isdigit() else host).lower()


def scope_in(headers: Mapping[str, str], given: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters with the scope that headers name beside them. Raises ScopeError where these contradict each other."""
    found = dict(given)
    for header, part in HEADERS.items():
        if header not in headers:
            continue
        try:
            value = unquote(headers[header], errors="strict")
        except UnicodeDecodeError:
            raise InputError(f"the header {header} is not percent-encoded UTF-8") from None
        if found.get(part) not in (None, value, [value]):
            raise ScopeError(f"{part}={found[part]!r} and the header {header} {value!r} contradict each other")
        found[part] = value
    return found


def let_in(memory: Memory, caller: Caller, verb: Verb, given: Mapping[str, Any]) -> tuple[Memory, dict[str, Any]]:
    """The memory that a caller may use for a call, bound to its walls, and the parameters as they are to be passed.

    Raises AccessError for what is beyond the key, ScopeError for a scope that cannot be.
    """
    walls = caller.grant.bound(given)
    caller.grant.allow(verb.needs({**given, **walls}), verb.path)
    passed = {name: value for name, value in given.items() if name not in WALLS}
    known = {one.name for one in verb.parameters}
    if caller.name is not None and "author" in known:
        # Whose key it was stands in the history, whatever else the caller says.
        author = given.get("author")
        passed["author"] = caller.name if author is None else f"{caller.name}/{author}"
    return (memory.scoped(**walls) if walls else memory), passed
