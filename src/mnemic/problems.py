"""The engine's errors as problem details (RFC 9457), and back: one table for every server and every client.

    {"type": "urn:mnemic:problem:conflict", "title": …, "status": 409, "code": "conflict", "detail": …}

`detail` is the engine's own message, which names the value, the expectation and the way out. A client raises the same
error again. What is no error of the engine's is a server's fault: its words stay with the server.
"""

from __future__ import annotations

import errno
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from mnemic import errors
from mnemic.errors import BusyError, ConflictError, MnemicError, ModelError

MEDIA_TYPE: Final = "application/problem+json"


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of problem: the error, its HTTP status, its code and what it says in general."""

    error: type[MnemicError]
    status: int
    code: str
    title: str


KINDS: Final = (
    Kind(errors.ParameterError, 400, "unknown-parameter", "There is no such parameter"),
    Kind(errors.ScopeError, 400, "scope", "The scope is missing, or too wide"),
    Kind(errors.TimeError, 400, "time", "The time cannot be read"),
    Kind(errors.FilterError, 400, "filter", "The filter cannot be read"),
    Kind(errors.InputError, 400, "input", "What was passed cannot be used"),
    Kind(errors.ConfigError, 400, "settings", "The settings contradict the store or each other"),
    Kind(errors.NotFoundError, 404, "not-found", "There is no such thing in this scope"),
    Kind(errors.ConflictError, 409, "conflict", "The store has moved on"),
    Kind(errors.NotAStoreError, 500, "damaged", "The file is no Mnemic store, or damaged"),
    Kind(errors.NewerFormatError, 500, "newer-format", "The file was written by a newer release"),
    Kind(errors.ReadOnlyError, 403, "read-only", "The store can only be read"),
    Kind(errors.DiskFullError, 507, "disk-full", "No room is left on the disk"),
    Kind(errors.ClosedError, 503, "closed", "The memory is closed"),
    Kind(errors.AccessError, 403, "forbidden", "The key does not reach so far"),
    Kind(errors.BusyError, 429, "busy", "Too much is asked at once"),
    Kind(errors.ServerError, 502, "server", "A server behind this one failed"),
    Kind(errors.StoreError, 503, "store", "The file or its disk failed"),
    Kind(errors.ModelError, 502, "model", "A model or an embedder failed"),
    Kind(errors.MissingExtraError, 501, "missing-extra", "An optional dependency is not installed"),
    Kind(errors.MnemicError, 500, "internal", "Something went wrong"),
)
"""From the particular to the general: the first that fits is the one."""

NO_KEY: Final = Kind(errors.AccessError, 401, "no-key", "A key is needed")
NO_ROUTE: Final = Kind(errors.NotFoundError, 404, "no-route", "There is no such address")
NO_METHOD: Final = Kind(errors.InputError, 405, "no-method", "This address is asked in another way")
TOO_SLOW: Final = Kind(errors.ServerError, 408, "too-slow", "The request did not come in time")
PRECONDITION: Final = Kind(errors.ConflictError, 412, "precondition", "The record is at another revision")
TOO_LARGE: Final = Kind(errors.InputError, 413, "too-large", "The request is too large")
TOO_LONG: Final = Kind(errors.InputError, 431, "too-long", "The headers are too large")
NO_JSON: Final = Kind(errors.InputError, 415, "media-type", "The body has to be JSON")
FULL: Final = Kind(errors.BusyError, 503, "full", "Too many requests are under way")
WIRE: Final = (NO_KEY, NO_ROUTE, NO_METHOD, TOO_SLOW, PRECONDITION, TOO_LARGE, TOO_LONG, NO_JSON, FULL)
"""What only a server has to say."""

BY_CODE: Final[Mapping[str, Kind]] = {kind.code: kind for kind in (*KINDS, *WIRE)}


def kind_of(error: MnemicError) -> Kind:
    """The kind of problem that an error is."""
    return next(kind for kind in KINDS if isinstance(error, kind.error))


def problem_of(error: MnemicError, kind: Kind | None = None) -> dict[str, Any]:
    """An error as problem details; of its own kind, unless a server knows better."""
    kind = kind or kind_of(error)
    problem: dict[str, Any] = {
        "type": f"urn:mnemic:problem:{kind.code}",
        "title": kind.title,
        "status": kind.status,
        "detail": str(error),
        "code": kind.code,
    }
    if isinstance(error, ConflictError):
        problem["receipts"] = list(error.receipts)
    if isinstance(error, BusyError):
        problem["retry_after"] = error.retry_after
    if isinstance(error, ModelError):
        problem |= {"fault": error.fault, "tries": error.tries}
    return problem


def error_of(problem: Mapping[str, Any]) -> MnemicError:
    """The error that problem details tell of; MnemicError where it is none of the engine's."""
    kind = BY_CODE.get(str(problem.get("code", "")))
    detail = str(problem.get("detail") or problem.get("title") or "the server gave no reason")
    if kind is None:
        return MnemicError(detail)
    if kind.error is ConflictError:
        return ConflictError(detail, [str(id_) for id_ in problem.get("receipts", ())])
    if kind.error is ModelError:
        return ModelError(detail, fault=str(problem.get("fault", "model")), tries=int(problem.get("tries", 1)))
    if kind.error is BusyError:
        busy = BusyError(errno.EAGAIN, detail)
        busy.retry_after = float(problem.get("retry_after", 1.0))
        return busy
    if issubclass(kind.error, OSError):
        return kind.error(errno.EIO, detail)
    return kind.error(detail)
