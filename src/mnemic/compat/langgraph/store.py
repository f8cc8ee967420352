"""A LangGraph store on a Mnemic file: each item is a record with a key, in one scope.

The scope is the developer's, and given once; a namespace is part of an item, and keeps nobody out. What an item was
before is in its record's history, until it is deleted: then it is erased.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import islice
from typing import Any, Unpack, cast

from mnemic.aio import THREADS, Pool
from mnemic.errors import ConflictError, InputError, MissingExtraError, NotFoundError, ScopeError
from mnemic.memory import Memory
from mnemic.ports import Clock
from mnemic.types import Record, ScopeArgs

try:
    from langgraph.store.base import (
        BaseStore,
        GetOp,
        Item,
        ListNamespacesOp,
        MatchCondition,
        Op,
        PutOp,
        Result,
        SearchItem,
        SearchOp,
        TTLConfig,
        get_text_at_path,
        validate_op_namespace,
    )
except ImportError as error:
    raise MissingExtraError(
        "a LangGraph store needs langgraph 1.2 or later: pip install 'mnemic[langgraph]'"
    ) from error

KIND = "item"
"""The kind of an item's record."""
PROJECT = "langgraph"
"""The project of items that are of no user, where none is named."""
WHOLE = "$"
"""The field that stands for all of a value."""
PAGE = 500
MARGIN = 10
"""Hits beyond those wanted that a search asks for at first, where a filter takes some away."""
TRIES, PAUSE = 40, 0.001
"""How often a put is tried that others overtake, and how many seconds longer it waits each time."""
SHARE = 60
"""An item that is read lives anew, but not more often than so many times in its life: each time is a write."""

Namespace = tuple[str, ...]


class MnemicStore(BaseStore):
    """LangGraph's store in a memory, in one scope: `MnemicStore(memory)`, or `MnemicStore(memory, project_id="app")`.

    The scope is for all items, whatever their namespace. Without a user in it they are in a project, "langgraph" unless
    another is named, and only who names that project reads them with `Memory`: no search for a user does. With a
    `user_id` they are that user's alone, and found by searches for that user.

    `fields` are the paths of a value that a query searches, as LangGraph writes them; None for all of it. `ttl` is as
    in LangGraph: items that have expired are never shown, and `sweep_ttl` erases them. `clock` gives the present.
    Closing the memory is its owner's. Raises ScopeError, InputError.
    """

    supports_ttl = True

    def __init__(
        self,
        memory: Memory,
        *,
        fields: Sequence[str] | None = None,
        ttl: TTLConfig | None = None,
        clock: Clock | None = None,
        **scope: Unpack[ScopeArgs],
    ) -> None:
        super().__init__()
        if isinstance(fields, str) or fields == []:
            raise InputError(f"fields={fields!r} is no list of paths: pass for example ['text', 'context[*].content']")
        self.ttl_config = ttl
        bound = {**cast("Mapping[str, Any]", getattr(memory, "_bound", {})), **scope}
        if bound.get("session_id") is not None:
            raise ScopeError("a store is of no session: leave session_id out, and make it part of the namespace")
        self._shared = bound.get("user_id") is None
        if self._shared and bound.get("project_id") is None:
            bound["project_id"] = scope["project_id"] = PROJECT
        self._memory = memory.scoped(**scope)
        self._memory.add((), shared=self._shared)  # whether it may be written to, before the first run of a graph
        self._of = json.dumps({name: value for name, value in sorted(bound.items()) if value is not None})
        self._fields = tuple(fields or (WHOLE,))
        self._clock: Clock = clock or (lambda: datetime.now(UTC))
        self._pool = Pool(THREADS)

    def __repr__(self) -> str:
        return f"MnemicStore({self._memory!r})"

    def batch(self, ops: Iterable[Op]) -> list[Result]:
        """Carry out operations: what reads sees all as it was before what writes; of two puts the last one counts."""
        results: list[Result] = []
        puts: dict[tuple[Namespace, str], PutOp] = {}
        for op in ops:
            validate_op_namespace(op)
            if isinstance(op, GetOp):
                results.append(self._got(op))
            elif isinstance(op, SearchOp):
                results.append(self._found(op))
            elif isinstance(op, ListNamespacesOp):
                results.append(self._namespaces(op))
            elif isinstance(op, PutOp):  # pyright: ignore[reportUnnecessaryIsInstance]
                puts[tuple(op.namespace), op.key] = op
                results.append(None)
            else:
                raise ValueError(f"Unknown operation type: {type(op)}")
        for op in puts.values():
            if op.value is None:
                self._delete(op)
            else:
                self._put(op, op.value)
        return results

    async def abatch(self, ops: Iterable[Op]) -> list[Result]:
        """The same in a thread, so that the event loop goes on."""
        return await self._pool.run(partial(self.batch, list(ops)))

    def sweep_ttl(self) -> int:
        """Erase what has expired; how many items that were."""
        ids = [record.id for record in self._listed({}, include=("expired",)) if record.state == "expired"]
        if ids:
            self._memory.erase(ids)
        return len(ids)

    # -- writing

    def _put(self, op: PutOp, value: Mapping[str, Any]) -> None:
        for tried in range(TRIES):
            time.sleep(tried * PAUSE)
            held = self._held(op.namespace, op.key)
            try:
                if held is None:
                    self._remember(op, value)
                else:
                    self._update(held, op, value, created=held.data["created"])
                return
            except (ConflictError, NotFoundError):  # another one was faster
                continue
        raise ConflictError(f"{op.key!r} in {op.namespace} is being changed all the time: try again")

    def _remember(self, op: PutOp, value: Mapping[str, Any]) -> None:
        now = self._clock()
        content = self._content(op, value, now, now)
        key = self._key(op.namespace, op.key)
        receipt = self._memory.remember(kind=KIND, key=key, shared=self._shared, **content)
        entry = next(entry for entry in receipt.entries if entry.action != "superseded")
        if entry.action != "added":  # the same words were there, and had expired
            self._update(self._memory.get(entry.id), op, value, created=now.isoformat())
        gone = [other.id for other in receipt.entries if other.action == "superseded"]
        if gone:  # it had expired, or another one put it at this instant
            self._memory.erase(gone)

    def _update(self, held: Record, op: PutOp, value: Mapping[str, Any], *, created: str) -> None:
        content = self._content(op, value, datetime.fromisoformat(created), self._clock())
        self._memory.update(held.id, **content)

    def _content(self, op: PutOp, value: Mapping[str, Any], created: datetime, updated: datetime) -> dict[str, Any]:
        """The fields of an item's record."""
        words = "" if op.index is False else _words(value, self._fields if op.index is None else op.index)
        path = ".".join(op.namespace)
        within = [".".join(op.namespace[:depth]) for depth in range(1, len(op.namespace) + 1)]
        times = {"created": created.isoformat(), "updated": updated.isoformat()}
        return {
            "text": words or f"{path}/{op.key}",
            "data": {"value": dict(value), "namespace": list(op.namespace), "key": op.key, "ttl": op.ttl, **times},
            "metadata": {"of": self._of, "within": within, "indexed": bool(words)},
            "expires_at": None if op.ttl is None else _end(updated, op.ttl),
        }

    def _delete(self, op: PutOp) -> None:
        held = self._held(op.namespace, op.key)
        if held is not None:
            try:
                self._memory.erase(held.id)
            except NotFoundError:  # another one was faster
                return

    # -- reading

    def _got(self, op: GetOp) -> Item | None:
        held = self._held(op.namespace, op.key)
        if held is None:
            return None
        self._refresh([held] if op.refresh_ttl else [])
        return Item(**_fields(held))

    def _found(self, op: SearchOp) -> list[SearchItem]:
        most, first = max(op.limit, 0), max(op.offset, 0)
        ranked = self._ranked(op, first + most) if op.query and op.query.strip() and most else []
        found = ranked[first : first + most]
        if len(found) < most:  # what no query finds stands behind what it finds
            known = {record.id for record, _ in ranked}
            rest = ((one, None) for one in self._listed(_prefix(op.namespace_prefix)) if one.id not in known)
            fitting = (pair for pair in rest if _fits(op.filter, pair[0]))
            skipped = max(first - len(ranked), 0)
            found += islice(fitting, skipped, skipped + most - len(found))
        self._refresh([record for record, _ in found] if op.refresh_ttl else [])
        return [SearchItem(**_fields(record), score=score) for record, score in found]

    def _ranked(self, op: SearchOp, wanted: int) -> list[tuple[Record, float | None]]:
        """What a query finds, best first, with its scores."""
        assert op.query is not None
        limit = wanted + (MARGIN if op.filter else 0)
        where = {**self._mine(_prefix(op.namespace_prefix)), "indexed": True}
        while True:
            hits = self._memory.search(op.query, limit=limit, kinds=KIND, where=where)
            pairs = [(self._by_id(hit.id), hit.score if hit.relevance is None else hit.relevance) for hit in hits]
            found = [(record, score) for record, score in pairs if record is not None and _fits(op.filter, record)]
            if len(found) >= wanted or len(hits) < limit:
                return cast("list[tuple[Record, float | None]]", found)
            limit *= 4

    def _namespaces(self, op: ListNamespacesOp) -> list[Namespace]:
        conditions = op.match_conditions or ()
        prefix = next((one.path for one in conditions if one.match_type == "prefix" and "*" not in one.path), ())
        found = {_namespace(record) for record in self._listed(_prefix(prefix))}
        matching = (space for space in found if all(_matches(one, space) for one in conditions))
        cut = sorted({space if op.max_depth is None else space[: op.max_depth] for space in matching})
        return cut[max(op.offset, 0) : max(op.offset, 0) + max(op.limit, 0)]

    def _refresh(self, records: Sequence[Record]) -> None:
        """Let items live anew that have been read."""
        now = self._clock()
        for record in records:
            ttl: float | None = record.data["ttl"]
            if ttl is None or record.expires_at is None:
                continue
            end = now + timedelta(minutes=ttl)
            if end - record.expires_at >= timedelta(minutes=ttl) / SHARE:
                try:
                    self._memory.update(record.id, expires_at=end, if_revision=record.revision)
                except (ConflictError, NotFoundError):  # it was put anew, or deleted
                    continue

    def _held(self, namespace: Namespace, key: str) -> Record | None:
        try:
            return self._memory.get(key=self._key(namespace, key))
        except NotFoundError:
            return None

    def _by_id(self, id: str) -> Record | None:
        try:
            return self._memory.get(id)
        except NotFoundError:  # deleted meanwhile
            return None

    def _listed(self, where: Mapping[str, Any], include: Sequence[str] = ()) -> Iterator[Record]:
        """The items of this store, newest first."""
        after: str | None = None
        while True:
            page = self._memory.list(limit=PAGE, after=after, kinds=KIND, where=self._mine(where), include=include)
            yield from page
            after = page.next
            if after is None:
                return

    def _mine(self, where: Mapping[str, Any]) -> dict[str, Any]:
        """A filter that leaves out items of wider scopes, which a read sees, too."""
        return {"of": self._of, **where}

    def _key(self, namespace: Namespace, key: str) -> str:
        return "langgraph:" + json.dumps([self._of, *namespace, key], ensure_ascii=False)


def _end(now: datetime, ttl: float) -> datetime:
    """When an item expires that lives for so many minutes."""
    try:
        return now + timedelta(minutes=ttl)
    except (OverflowError, ValueError):
        raise InputError(f"ttl={ttl!r} is not possible: pass minutes, or None for ever") from None


def _prefix(namespace: Sequence[str]) -> dict[str, Any]:
    return {"within": {"contains": ".".join(namespace)}} if namespace else {}


def _namespace(record: Record) -> Namespace:
    return tuple(cast("list[str]", record.data["namespace"]))


def _fields(record: Record) -> dict[str, Any]:
    """A record's fields as LangGraph calls them."""
    return {
        "value": record.data["value"],
        "key": record.data["key"],
        "namespace": _namespace(record),
        "created_at": datetime.fromisoformat(record.data["created"]),
        "updated_at": datetime.fromisoformat(record.data["updated"]),
    }


# -- what is searched


def _words(value: Mapping[str, Any], fields: Sequence[str]) -> str:
    """The text of a value's fields, one line each; of all of it, with the names in it."""
    lines: list[str] = []
    for field in fields:
        lines += _lines(dict(value)) if field == WHOLE else get_text_at_path(dict(value), field)
    return "\n".join(line for line in lines if line.strip())


def _lines(value: object, name: str = "") -> Iterator[str]:
    """The leaves of a value, each with the name that it stands under: "theme: dark"."""
    if isinstance(value, Mapping):
        for key, inner in cast("Mapping[object, object]", value).items():
            yield from _lines(inner, str(key))
    elif isinstance(value, list | tuple):
        for inner in cast("Sequence[object]", value):
            yield from _lines(inner, name)
    elif value is not None and str(value).strip():
        yield f"{name}: {value}"


# -- what is asked for


def _matches(condition: MatchCondition, namespace: Namespace) -> bool:
    """Whether a namespace begins, or ends, with a path in which "*" is any label."""
    path = tuple(condition.path)
    if condition.match_type not in ("prefix", "suffix"):
        raise ValueError(f"Unsupported match type: {condition.match_type}")
    if len(namespace) < len(path):
        return False
    part = namespace[: len(path)] if condition.match_type == "prefix" else namespace[len(namespace) - len(path) :]
    return all(wanted in ("*", label) for wanted, label in zip(path, part, strict=True))


def _fits(filter: Mapping[str, Any] | None, record: Record) -> bool:
    value = cast("Mapping[str, Any]", record.data["value"])
    return all(_equals(value.get(key), wanted) for key, wanted in (filter or {}).items())


def _equals(held: Any, wanted: Any) -> bool:
    """Whether a value is what a filter names; dicts in it may say less, or hold operators."""
    if isinstance(wanted, Mapping):
        tests = cast("Mapping[str, Any]", wanted)
        if any(str(key).startswith("$") for key in tests):
            return all(_tested(held, str(operator), value) for operator, value in tests.items())
        inner = cast("Mapping[str, Any]", held)
        return isinstance(held, Mapping) and all(_equals(inner.get(key), value) for key, value in tests.items())
    if isinstance(wanted, list | tuple):
        several, others = cast("Sequence[object]", wanted), cast("Sequence[object]", held)
        return (
            isinstance(held, list | tuple)
            and len(others) == len(several)
            and all(_equals(one, other) for one, other in zip(others, several, strict=True))
        )
    return bool(held == wanted)


_ORDERS: Mapping[str, Callable[[Any, Any], bool]] = {
    "$gt": lambda held, wanted: held > wanted,
    "$gte": lambda held, wanted: held >= wanted,
    "$lt": lambda held, wanted: held < wanted,
    "$lte": lambda held, wanted: held <= wanted,
}


def _tested(held: Any, operator: str, wanted: Any) -> bool:
    """What an operator says; numbers compare with numbers, also those written as text, and text with text."""
    if operator in ("$eq", "$ne"):
        return bool(held == wanted) == (operator == "$eq")
    if operator not in _ORDERS:
        raise ValueError(f"Unsupported operator: {operator}; known are $eq, $ne, {', '.join(_ORDERS)}")
    numbers = _number(held), _number(wanted)
    if None not in numbers:
        return _ORDERS[operator](*numbers)
    return isinstance(held, str) and isinstance(wanted, str) and _ORDERS[operator](held, wanted)


def _number(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None
