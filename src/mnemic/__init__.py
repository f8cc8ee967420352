"""Long-term memory for AI agents: keeps every word, shows its evidence, says 'not known'.

    from mnemic import Memory

    with Memory("agent.db") as memory:
        memory.add("I moved to Porto in May.", user_id="ana")
        print(memory.search("Where does Ana live?", user_id="ana"))

Importing this does nothing: the names below load on first use.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mnemic.aio import AsyncMemory
    from mnemic.errors import (
        ConflictError,
        InputError,
        MnemicError,
        ModelError,
        NotFoundError,
        ScopeError,
        StoreError,
    )
    from mnemic.memory import Memory
    from mnemic.types import ANY, Change, Context, Diff, Evidence, Hit, Page, Receipt, Record, Results, Scope

__version__ = "0.1.0"

_HOMES = {
    "AsyncMemory": "aio",
    "Memory": "memory",
    **dict.fromkeys(
        ("ConflictError", "InputError", "MnemicError", "ModelError", "NotFoundError", "ScopeError", "StoreError"),
        "errors",
    ),
    **dict.fromkeys(
        (
            "ANY",
            "Change",
            "Context",
            "Diff",
            "Evidence",
            "Hit",
            "Page",
            "Receipt",
            "Record",
            "Results",
            "Scope",
        ),
        "types",
    ),
}

__all__ = [
    "ANY",
    "AsyncMemory",
    "Change",
    "ConflictError",
    "Context",
    "Diff",
    "Evidence",
    "Hit",
    "InputError",
    "Memory",
    "MnemicError",
    "ModelError",
    "NotFoundError",
    "Page",
    "Receipt",
    "Record",
    "Results",
    "Scope",
    "ScopeError",
    "StoreError",
]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'mnemic' has no attribute {name!r}")
    value = getattr(import_module(f"mnemic.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
