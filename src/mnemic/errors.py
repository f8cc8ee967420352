"""Every error Mnemic raises, in one tree.

    MnemicError
    ├── InputError (ValueError)           what the caller passed cannot be used
    │   ├── ParameterError (TypeError)      a parameter that does not exist
    │   ├── ScopeError                      a scope that is missing, or too wide for the verb
    │   ├── TimeError                       a time that is naive, malformed or out of range
    │   └── FilterError                     a `where` that cannot be read
    ├── ConfigError (ValueError)          settings that contradict the store or each other
    ├── NotFoundError (LookupError)       no such record, receipt or file in this scope
    ├── ConflictError (RuntimeError)      the store has moved on: another revision, a later change, a taken key
    ├── StoreError (OSError)              the file or the disk under it
    │   ├── NotAStoreError                  not a Mnemic file, or a damaged one
    │   ├── NewerFormatError                written by a newer release
    │   ├── ReadOnlyError (PermissionError) a write to a file that can only be read
    │   ├── DiskFullError                   no room left; nothing was written
    │   ├── ClosedError                     used after close()
    │   ├── ServerError (ConnectionError)   a server that cannot be reached, or gave no answer
    │   ├── AccessError (PermissionError)   a key that is missing or unknown, or that does not reach so far
    │   └── BusyError                       a server with too much to do, a writer that does not get on: try again
    ├── ModelError (RuntimeError)         an embedder or model that failed or answered nonsense
    └── MissingExtraError (ImportError)   an optional dependency is not installed

Messages name the value, the expectation and the way out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Final


class MnemicError(Exception):
    """The root of every error raised by Mnemic."""


class InputError(MnemicError, ValueError):
    """What the caller passed cannot be used."""


class ParameterError(InputError, TypeError):
    """A verb was called with a parameter that it does not have."""


class ScopeError(InputError):
    """A scope is missing, or wider than the verb allows."""


class TimeError(InputError):
    """A time is naive, malformed or out of range."""


class FilterError(InputError):
    """A `where` filter cannot be read."""


class ConfigError(MnemicError, ValueError):
    """Settings contradict the store or each other."""


class NotFoundError(MnemicError, LookupError):
    """There is no such thing in this scope. A reader outside a wall gets exactly this answer, too."""


class ConflictError(MnemicError, RuntimeError):
    """The store has moved on since the caller looked.

    `receipts` lists the later changes that stand in the way, oldest first (may be empty).
    """

    def __init__(self, message: str, receipts: Iterable[str] = ()) -> None:
        super().__init__(message)
        self.receipts = tuple(receipts)


class StoreError(MnemicError, OSError):
    """The file, or the disk under it."""

    def __str__(self) -> str:
        return self.strerror or super().__str__()


class NotAStoreError(StoreError):
    """The file is not a Mnemic store, or it is damaged."""


class NewerFormatError(StoreError):
    """The file was written by a newer release."""


class ReadOnlyError(StoreError, PermissionError):
    """A write to a store that can only be read."""


class DiskFullError(StoreError):
    """There is no room left on the disk. Nothing of the call was written."""


class ClosedError(StoreError):
    """The memory was used after close()."""


class ServerError(StoreError, ConnectionError):
    """A server cannot be reached, or what it answered is no answer of Mnemic's."""


class AccessError(StoreError, PermissionError):
    """A server wants a key, does not know this one, or the key does not reach so far."""


class BusyError(StoreError):
    """A server has too much to do or was asked too often, or a write waited too long for one that does not get on.

    Nothing is lost: the same call may be made again, after `retry_after` seconds.
    """

    retry_after: float = 1.0


class ModelError(MnemicError, RuntimeError):
    """An embedder or a model failed, or answered nonsense.

    `fault` says what it lies at: "rate limit", "server", "timeout", "wire", "request", "declined" or "model"; `tries`
    is how many requests were made.
    """

    def __init__(self, message: str = "", *, fault: str = "model", tries: int = 1) -> None:
        super().__init__(message)
        self.fault = fault
        self.tries = tries


class MissingExtraError(MnemicError, ImportError):
    """An optional dependency is not installed."""


PEERS: Final[Mapping[str, str]] = {
    "top_k": "limit",
    "k": "limit",
    "n": "limit",
    "n_results": "limit",
    "num_results": "limit",
    "filter": "where",
    "filters": "where",
    "run_id": "session_id",
    "thread_id": "session_id",
    "group_id": "project_id",
    "namespace": "project_id",
    "max_tokens": "budget",
    "timestamp": "time",
    "reference_date": "now",
    "reference_time": "time",
    "expiration_date": "expires_at",
    "content": "text",
    "score_threshold": "threshold",
    "memory_id": "id",
    "memory": "text",
    "path": "url",
    "file": "url",
    "app_id": "project_id",
    "results_id": "results",
    "min_score": "threshold",
}
"""Other libraries' parameters, and ours."""


def nearest(word: str, choices: Iterable[str], known: Mapping[str, str] | None = None) -> str:
    """ "; did you mean 'limit'?" or "" — what `word` was probably meant to be.

    `known` maps words from other libraries to ours and goes before spelling.
    """
    options = list(choices)
    best = (known or {}).get(word)
    if best not in options:
        close = get_close_matches(word, options, n=1, cutoff=0.6)
        best = close[0] if close else None
    return f"; did you mean '{best}'?" if best else ""
