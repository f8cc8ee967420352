"""Where calls are served: the memory, opened when it is needed first, and the terms on which it is lent out.

The terms come from the server's configuration. A model may choose a part of the scope only where they say so.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

from mnemic.errors import ScopeError
from mnemic.types import ScopeArgs

if TYPE_CHECKING:
    from mnemic.memory import Memory
    from mnemic.ports import TokenCounter

MAX_TOKENS = 8_000
"""Of a result, as its JSON goes over the wire: the common clients warn from 10,000 on and cut at 25,000."""
LEAST_TOKENS = 500
STAMPS = ("agent_id", "session_id")


@dataclass(frozen=True, slots=True)
class Terms:
    """What the configuration of a server allows."""

    scope: ScopeArgs = field(default_factory=lambda: ScopeArgs())
    """Whose memories these are; for a part in `chosen`, only where the model names none."""
    shared: bool = False
    """Whether writes are for everybody inside the other walls: no user is named then."""
    chosen: tuple[str, ...] = ()
    """The parts of the scope that the model may choose: "user_id", "project_id", …"""
    may_erase: bool = False
    """Whether the model may erase for good."""
    max_tokens: int = MAX_TOKENS
    """Tokens of a result at most."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls, as far as it says: the name under which its writes are kept."""

    name: str = "mcp"


class Desk:
    """One memory, on its terms. Threads share it.

    `opened` makes the memory, given what should embed (None: the default). It is called once, by the first call.
    """

    def __init__(self, opened: Callable[[object], Memory], terms: Terms, *, embedder: object = None) -> None:
        self.terms = terms
        self._opened = opened
        self._embedder = embedder
        self._lock = threading.Lock()
        self._whole: Memory | None = None
        self._bound: Memory | None = None
        self._counter: TokenCounter | None = None

    @property
    def memory(self) -> Memory:
        """The memory, bound to all of the scope that no model may choose. Raises StoreError, ConfigError."""
        with self._lock:
            if self._bound is None:
                found: Any = import_module("mnemic.models.wordllama").find()
                self._counter = import_module("mnemic.pack").Bytes3() if found is None else found.counter
                self._whole = self._opened(found if self._embedder is None else self._embedder)
                fixed = {part: value for part, value in self.terms.scope.items() if part not in self.terms.chosen}
                self._bound = self._whole.scoped(**cast("ScopeArgs", fixed))
            return self._bound

    def count(self, text: str) -> int:
        """Tokens of a text, by the counter of the default embedder, or a third of the bytes where there is none."""
        if self._counter is None:
            _ = self.memory
        assert self._counter is not None
        return self._counter(text)

    def reading(self, arguments: Mapping[str, Any]) -> ScopeArgs:
        """The scope of a read: what the model chose. A default session or agent is for writes alone."""
        return self._scope(arguments, [part for part in self.terms.chosen if part not in STAMPS])

    def writing(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """The scope of a write that adds."""
        scope = dict(self._scope(arguments, self.terms.chosen))
        if self.terms.shared and "user_id" not in scope:
            scope["shared"] = True
        return scope

    def _scope(self, arguments: Mapping[str, Any], defaulted: Any) -> ScopeArgs:
        given = {part: arguments[part] for part in self.terms.chosen if arguments.get(part) is not None}
        missing = {part: self.terms.scope.get(part) for part in defaulted if part not in given}
        scope = {**{part: value for part, value in missing.items() if value is not None}, **given}
        return cast("ScopeArgs", scope)

    def refuse_scope(self, arguments: Mapping[str, Any]) -> None:
        """Raises ScopeError where a model names a part of the scope that it may not choose."""
        for part in ("tenant_id", "project_id", "user_id", *STAMPS):
            if part in arguments and part not in self.terms.chosen:
                raise ScopeError(
                    f"{part} is set by the configuration of this server, not by its caller: leave it out. Who runs the "
                    f"server can allow it with --let-model-choose {part.removesuffix('_id')}"
                )

    def close(self) -> None:
        """Close the memory, if it was opened."""
        with self._lock:
            if self._whole is not None:
                self._whole.close()
