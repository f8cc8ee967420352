"""mem0's `Memory` and `AsyncMemory` on a Mnemic file.

`user_id` is the wall of that name; a memory of no user is shared. `agent_id` and `run_id` are the stamps agent and
session. mem0 filters by what is equal, so a memory without a run is none of any run's. A memory is a record that is
remembered (`infer=False`), or a statement that was derived (`infer=True`); what it was derived from is kept beside it.
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any, Final, NoReturn, Self, cast

from mnemic import lookup
from mnemic.aio import THREADS, Pool, Threaded, coroutine
from mnemic.compat.mem0.filters import IDS, Filters, matches, named, names_somebody
from mnemic.compat.mem0.settings import config_of, settings_of
from mnemic.errors import ConfigError, InputError, NotFoundError, ParameterError, nearest
from mnemic.memory import Memory as Mnemic
from mnemic.messages import Message, messages_of
from mnemic.scope import NONE
from mnemic.stores.sqlite import SqliteStore
from mnemic.times import moment
from mnemic.types import STATES, Entry, Hit, Record

Shape = dict[str, Any]
"""A memory, as mem0 shows it."""

KIND = "memory"
"""The kind of what is kept as it is."""
KINDS = (
    *(KIND, "fact", "preference", "event", "goal", "relationship", "instruction", "decision"),
    *("procedure", "lesson", "question"),
)
"""The kinds of records that are mem0's memories: not what was said, nor what is put together out of it."""
PROCEDURAL = "procedural_memory"
FEW, MANY = 20, 100
"""How many are shown where no number is given: called as 2.x is, and as 1.x is."""
MARGIN = 20
"""Hits beyond those wanted that a search asks for at first, since filters take some away."""
PAGE = 500
SHOWN = ("current", "expired", "faded")
_IDENTITY = frozenset((*IDS, "actor_id"))
_PEERS = {"n_results": "limit", "k": "top_k", "session_id": "run_id", "where": "filters", "as_of": "reference_date"}
_SOURCES = {"user": "user", "assistant": "assistant", "tool": "tool", "document": "document"}
_EVENTS = {"added": "ADD", "restored": "ADD", "revised": "UPDATE"}
_GONE = ("superseded", "retired", "faded", "erased")


_NO_PROJECTS = "projects are of mem0's service: pass settings to Memory(config) instead"
NO_SCORE: Mapping[str, float | None] = MappingProxyType({})


class _Unset:
    def __repr__(self) -> str:
        return "…"


UNSET: Final = _Unset()


@dataclass(frozen=True, slots=True)
class Home:
    """Whose a memory is: the scope of every call about it."""

    user: str

    @property
    def scope(self) -> dict[str, Any]:
        return {"user_id": self.user} if self.user else {}


class Memory:
    """mem0's `Memory`. `config` is a dict as mem0 takes it, a MemoryConfig, or None: see `MemoryConfig`.

    What of a configuration has no effect here is told in one warning. Without an `llm`, statements are derived by
    rules, and nothing is sent anywhere.

    Results differ from mem0's in this: a score is a probability, the same text twice is one memory, and the history of
    what was deleted holds no words. `reference_date` and `timestamp` work. Raises ConfigError, and InputError (a
    ValueError) where mem0 raises ValueError or a ValidationError of its own.
    """

    def __init__(self, config: object = None) -> None:
        found = config_of({} if config is None else config)
        settings = settings_of(found)
        if settings.ignored:
            warnings.warn("no effect on Mnemic: " + "; ".join(settings.ignored), stacklevel=2)
        options = dict(settings.options)
        if "url" not in found.mnemic and options["url"] != ":memory:":  # mem0 makes the folder that it is given
            Path(options["url"]).parent.mkdir(parents=True, exist_ok=True)
        self._use(Mnemic(options.pop("url"), **options), bare=settings.bare, infers="model" in options)
        self.config = found

    @classmethod
    def from_config(cls, config_dict: Mapping[str, Any]) -> Self:
        """The same as `Memory(config_dict)`."""
        return cls(config_dict)

    @classmethod
    def of(cls, memory: Mnemic) -> Self:
        """mem0's verbs for a memory that is open, within the tenant and the project that it is bound to."""
        found = object.__new__(cls)
        found._use(memory, bare=False, infers=memory._used.models["derive"] is not None)  # pyright: ignore[reportPrivateUsage]
        found.config = config_of({})
        return found

    def _use(self, memory: Mnemic, *, bare: bool, infers: bool) -> None:
        if not isinstance(getattr(memory, "_store", None), SqliteStore):
            raise ConfigError("mem0's verbs take ids without a scope, which a server does not answer: open the file")
        self._memory, self._bare, self._infers = memory, bare, infers

    # -- writing

    def add(
        self,
        messages: object,
        *,
        user_id: object = None,
        agent_id: object = None,
        run_id: object = None,
        metadata: Mapping[str, Any] | None = None,
        timestamp: Any = None,
        expiration_date: Any = None,
        infer: bool = True,
        memory_type: str | None = None,
        prompt: str | None = None,
        version: str | None = None,
        output_format: str | None = None,
        **unknown: object,
    ) -> Any:
        """Keep messages: {"results": [{"id", "memory", "event", …}]}.

        With `infer=False` each message is a memory, as it is. Else the memories are the statements that are derived
        from them, and each message of the user (with an `agent_id`, of the assistant, too) from which nothing was.
        """
        _refuse(self.add, unknown)
        where = _ids(user_id, agent_id, run_id)
        if not where:
            raise InputError("At least one of 'user_id', 'agent_id', or 'run_id' must be provided.")
        self._refuse_types(memory_type, prompt)
        if not isinstance(messages, str | Mapping | list):
            raise InputError(f"messages must be str, dict, or list[dict], not {type(messages).__name__}")
        kept = _without_identity(metadata or {}, {}, "add()")
        expires_at = _end_of(expiration_date)
        scope = _scope(where)
        found: list[Shape] = []
        said = _said(cast("object", messages))
        if not infer:
            found += [self._kept(one, kept, scope, timestamp, expires_at) for _, one in said]
        elif said:
            found += self._inferred(said, kept, scope, timestamp, expires_at, agent="agent_id" in where)
        return self._results(found, version, output_format)

    def update(
        self,
        memory_id: str,
        text: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        expiration_date: Any = UNSET,
        data: str | None = None,
    ) -> Shape:
        """Another text, more metadata, another end: {"message": …}. Whose a memory is never changes."""
        text = data if text is None else text
        if text is None and metadata is None and expiration_date is UNSET:
            raise InputError("At least one of text, metadata, or expiration_date must be provided.")
        home, record = self._found(memory_id, ". Please provide a valid 'memory_id'")
        changes: dict[str, Any] = {}
        if text is not None:
            changes["text"] = text
        if metadata is not None:
            held = self._metadata(record, home)
            changes["metadata"] = {**held, **_without_identity(metadata, _payload(record, held), "update()")}
        if expiration_date is not UNSET:
            changes["expires_at"] = _end_of(expiration_date)
        self._memory.update(memory_id, **changes, **home.scope)
        return {"message": "Memory updated successfully!"}

    def delete(self, memory_id: str) -> Shape:
        """Delete one memory for good: {"message": …}.

        What it was derived from goes, too, unless another memory rests on that; then the words stay as its evidence.
        """
        home, record = self._found(memory_id)
        said = [one.id for one in record.evidence if self._is_episode(one.id, home)]
        alone = [id_ for id_ in said if not self._others_on(id_, memory_id, home)]
        if record.derivation is not None and len(alone) < len(said):  # erased, it would be derived again
            self._memory.retire(memory_id, reason="deleted", **home.scope)
        else:
            self._memory.erase([memory_id, *alone], **home.scope)
        return {"message": "Memory deleted successfully!"}

    def delete_all(self, user_id: object = None, agent_id: object = None, run_id: object = None) -> Shape:
        """Delete all memories of exactly these ids, and what they were derived from: {"message": …}."""
        where = _ids(user_id, agent_id, run_id)
        if not where:
            raise InputError(
                "At least one filter is required to delete all memories. If you want to delete all memories, "
                "use the `reset()` method."
            )
        homes = [Home(where["user_id"])] if "user_id" in where else self._everybody()
        for home in homes:
            if where.keys() == {"user_id"}:
                self._memory.erase(all_of=True, **home.scope)
            else:
                self._erase_stamped(home, where)
        return {"message": "Memories deleted successfully!"}

    def reset(self) -> None:
        """Delete everything of everybody (within the tenant and the project that the memory is bound to)."""
        for home in self._everybody():
            if home.user:
                self._memory.erase(all_of=True, **home.scope)
            else:
                self._erase_stamped(home, {})

    # -- reading

    def search(
        self,
        query: str,
        *,
        user_id: object = None,
        agent_id: object = None,
        run_id: object = None,
        filters: Filters | None = None,
        limit: int | None = None,
        top_k: int | None = None,
        threshold: float | None = None,
        rerank: bool = False,
        explain: bool = False,
        reference_date: Any = None,
        show_expired: bool = False,
        version: str | None = None,
        output_format: str | None = None,
        **unknown: object,
    ) -> Any:
        """The memories that answer a question, best first: {"results": [{"id", "memory", "score", …}]}.

        Whose: by `filters`, or by ids beside them, as 1.x has it. `threshold` cuts by the score, a probability;
        `rerank` changes nothing: a memory that has a reranker uses it.
        """
        _refuse(self.search, unknown)
        old, asked = self._asked(user_id, agent_id, run_id, filters)
        most = _most(limit, top_k, MANY if old else FEW)
        if not isinstance(query, str) or not query.strip():  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InputError("Invalid query: cannot be empty or whitespace-only.")
        scope = self._reads(asked)
        found: list[Shape] = []
        limit = most + MARGIN
        while scope is not None and most:
            hits = self._memory.search(
                query,
                limit=limit,
                threshold=threshold,
                kinds=KINDS,
                include=("expired",) if show_expired else (),
                now=_moment(reference_date),
                **scope,
            )
            found = [shape for hit in hits if (shape := self._hit(hit, asked, explain=explain)) is not None]
            if len(found) >= most or len(hits) < limit:
                break
            limit *= 4
        return self._results(found[:most], version, output_format)

    def get(self, memory_id: str) -> Shape | None:
        """One memory, or None."""
        home = self._home(memory_id)
        record = None if home is None else self._shown(memory_id, home)
        return None if home is None or record is None else _shape(record, self._metadata(record, home), {"score": None})

    def get_all(
        self,
        *,
        user_id: object = None,
        agent_id: object = None,
        run_id: object = None,
        filters: Filters | None = None,
        limit: int | None = None,
        top_k: int | None = None,
        show_expired: bool = False,
        version: str | None = None,
        output_format: str | None = None,
        **unknown: object,
    ) -> Any:
        """Memories, newest first: {"results": [{"id", "memory", …}]}."""
        _refuse(self.get_all, unknown)
        _, asked = self._asked(user_id, agent_id, run_id, filters)
        most = _most(limit, top_k, MANY)
        scope = self._reads(asked)
        found: list[Shape] = []
        for record in () if scope is None else self._listed(scope, ("expired",) if show_expired else (), KINDS):
            if len(found) >= most:
                break
            metadata = self._metadata(record, Home(record.scope.user_id or NONE))
            if matches(asked, _payload(record, metadata)):
                found.append(_shape(record, metadata))
        return self._results(found, version, output_format)

    def history(self, memory_id: str) -> list[Shape]:
        """Every change of a memory, oldest first. Of a deleted one the words are gone."""
        home = self._home(memory_id)
        if home is None:
            return []
        found: list[Shape] = []
        text, began = None, None
        for change in self._memory.history(memory_id, **home.scope):
            record = change.record
            began = began or change.at
            gone = change.action in _GONE
            now = None if gone or record is None else record.text
            found.append(
                {
                    "id": change.receipt,
                    "memory_id": memory_id,
                    "old_memory": text,
                    "new_memory": now,
                    "event": "DELETE" if gone else "ADD" if len(found) == 0 else "UPDATE",
                    "created_at": began.isoformat(),
                    "updated_at": change.at.isoformat(),
                    "is_deleted": gone,
                    "actor_id": None if record is None else record.metadata.get("actor_id"),
                    "role": None if record is None else record.metadata.get("role"),
                }
            )
            text = now
        return found

    # -- else

    def chat(self, query: str) -> NoReturn:
        """As in mem0, there is none. Raises NotImplementedError."""
        raise NotImplementedError("there is no chat; mnemic.Memory(…, model=…).ask(question) answers from the memory")

    @property
    def project(self) -> NoReturn:
        """Of mem0's paid service. Raises NotImplementedError."""
        raise NotImplementedError(_NO_PROJECTS)

    def close(self) -> None:
        """Close the file. Idempotent."""
        self._memory.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"mem0.{self._memory!r}"

    # -- what is kept

    def _kept(
        self,
        message: Message,
        metadata: Mapping[str, Any],
        scope: dict[str, Any],
        timestamp: Any,
        expires_at: datetime | None,
        evidence: str | Sequence[str] = (),
    ) -> Shape:
        """A message as a memory, and the event of it."""
        actor = {"actor_id": message.speaker} if message.speaker else {}
        receipt = self._memory.remember(
            message.text,
            kind=KIND,
            metadata={**metadata, "role": message.role, **actor},
            source=_SOURCES.get(message.role, "unknown"),
            time=_moment(timestamp) or (None if message.time is None else moment(message.time.start)),
            expires_at=expires_at,
            evidence=evidence,
            **scope,
        )
        entry = receipt.entries[-1]
        return {
            "id": entry.id,
            "memory": message.text,
            "event": _EVENTS.get(entry.action, "NONE"),
            "actor_id": message.speaker,
            "role": message.role,
        }

    def _inferred(
        self,
        said: Sequence[tuple[object, Message]],
        metadata: Mapping[str, Any],
        scope: dict[str, Any],
        timestamp: Any,
        expires_at: datetime | None,
        *,
        agent: bool,
    ) -> Iterator[Shape]:
        """What was derived from messages, and those of which nothing was."""
        receipt = self._memory.add(
            [given for given, _ in said],
            time=_moment(timestamp),
            metadata=metadata or None,
            wait=self._infers,
            **scope,
        )
        home = Home(scope.get("user_id", NONE))
        told: set[str] = set()
        for entry in receipt.derived:
            record = self._memory.get(entry.id, **home.scope)
            if record.kind not in KINDS:
                continue
            told.update(one.id for one in record.evidence)
            if entry.action not in (*_EVENTS, *_GONE):
                continue
            if expires_at is not None and entry.action == "added":
                self._memory.update(entry.id, expires_at=expires_at, **home.scope)
            event = self._event(entry, record, home)
            if event is not None:
                yield event
        if self._infers and not receipt.pending:  # the model has looked at all of it
            return
        for (_, one), id_ in zip(said, receipt.ids, strict=True):
            if not (one.role == "user" or (agent and one.role == "assistant")):
                continue
            if id_ in told or self._others_on(id_, id_, home):  # said before
                continue
            shape = self._kept(one, metadata, scope, timestamp, expires_at, evidence=id_)
            yield {key: shape[key] for key in ("id", "memory", "event")}

    def _event(self, entry: Entry, record: Record, home: Home) -> Shape | None:
        """What mem0 would say of a change; None where the words stay as they were."""
        if entry.action in _GONE:
            return {"id": entry.id, "memory": record.text, "event": "DELETE"}
        if entry.action != "revised":
            return {"id": entry.id, "memory": record.text, "event": "ADD"}
        before = [one.record.text for one in self._memory.history(entry.id, **home.scope)[:-1] if one.record]
        if not before or before[-1] == record.text:
            return None
        return {"id": entry.id, "memory": record.text, "event": "UPDATE", "previous_memory": before[-1]}

    def _erase_stamped(self, home: Home, where: Mapping[str, str]) -> None:
        """Erase every record of a user that has exactly these stamps, in whatever state."""
        stamps = {name: value for name, value in _scope(where).items() if name in ("agent_id", "session_id")}
        ids = [
            record.id
            for record in self._listed({**home.scope, **stamps}, STATES)
            if (record.scope.user_id or NONE) == home.user
            and all(getattr(record.scope, name) == value for name, value in stamps.items())
        ]
        while ids:
            try:
                self._memory.erase(ids, **home.scope)
                return
            except NotFoundError:  # somebody else has erased some of them meanwhile
                ids = [id_ for id_ in ids if self._exists(id_, home)]

    def _others_on(self, episode: str, but: str, home: Home) -> bool:
        """Whether another memory rests on an episode."""
        for entry in self._memory.erase(episode, dry_run=True, **home.scope).entries:
            if entry.id not in (but, episode):
                record = self._memory.get(entry.id, **home.scope)
                if record.kind in KINDS and record.state in SHOWN:
                    return True
        return False

    def _is_episode(self, id: str, home: Home) -> bool:
        try:
            return self._memory.get(id, **home.scope).kind == "episode"
        except NotFoundError:  # an act
            return False

    def _exists(self, id: str, home: Home) -> bool:
        try:
            self._memory.get(id, **home.scope)
        except NotFoundError:
            return False
        return True

    # -- whose

    def _asked(
        self, user_id: object, agent_id: object, run_id: object, filters: Filters | None
    ) -> tuple[bool, Filters]:
        """Whether a read is called as 1.x is, and what it asks for."""
        if filters is not None and not isinstance(filters, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InputError(f"filters={filters!r:.60} is no dict: pass for example {{'user_id': 'ana'}}")
        ids = _ids(user_id, agent_id, run_id)
        asked = [dict(filters)] if filters else []
        for one in asked:
            one.update(_ids(*(one.get(name) if isinstance(one.get(name), str | int) else None for name in IDS)))
        both: Filters = {"AND": [*asked, ids]} if ids and asked else ids or (asked[0] if asked else {})
        if not both or not names_somebody(both):
            raise InputError(
                "filters must contain at least one of: user_id, agent_id, run_id. Example: filters={'user_id': 'u1'}"
            )
        return bool(ids), both

    def _reads(self, asked: Filters) -> dict[str, Any] | None:
        """The scope that holds all that is asked for, and more; None where there can be nothing."""
        users, agents, runs = (named(asked, name) for name in IDS)
        if frozenset() in (users, agents, runs):
            return None
        everybody = [home.user for home in self._everybody() if home.user] if users is None else sorted(users)
        scope: dict[str, Any] = {"user_id": everybody} if everybody else {}
        for name, values in (("agent_id", agents), ("session_id", runs)):
            if values is not None and len(values) == 1:
                scope[name] = next(iter(values))
        return scope

    def _everybody(self) -> list[Home]:
        """Everybody of whom something is kept, and nobody: what is shared."""
        bound = self._memory._bound  # pyright: ignore[reportPrivateUsage] - no verb tells who is remembered
        with self._memory._store.read() as snapshot:  # pyright: ignore[reportPrivateUsage]
            rows = lookup.walls_within(snapshot, bound.get("tenant_id") or NONE, bound.get("project_id") or NONE)
        return [Home(row["user"]) for row in rows if bound.get("user_id") in (None, row["user"])]

    def _home(self, id: str) -> Home | None:
        """Whose a memory is: mem0 names memories without a scope."""
        bound = self._memory._bound  # pyright: ignore[reportPrivateUsage]
        with self._memory._store.read() as snapshot:  # pyright: ignore[reportPrivateUsage]
            row = lookup.home_of(snapshot, id) if isinstance(id, str) else None  # pyright: ignore[reportUnnecessaryIsInstance]
        if row is None or any((bound.get(f"{part}_id") or NONE) != row[part] for part in ("tenant", "project")):
            return None
        return Home(row["user"]) if bound.get("user_id") in (None, row["user"]) else None

    def _shown(self, id: str, home: Home) -> Record | None:
        try:
            record = self._memory.get(id, **home.scope)
        except NotFoundError:
            return None
        return None if record.kind not in KINDS or record.state not in SHOWN else record

    def _found(self, id: str, more: str = "") -> tuple[Home, Record]:
        home = self._home(id)
        record = None if home is None else self._shown(id, home)
        if home is None or record is None:
            raise InputError(f"Memory with id {id} not found{more}")
        return home, record

    # -- what is shown

    def _listed(
        self, scope: Mapping[str, Any], include: Sequence[str], kinds: Sequence[str] | None = None
    ) -> Iterator[Record]:
        after: str | None = None
        while True:
            page = self._memory.list(limit=PAGE, after=after, include=include, kinds=kinds, **cast("Any", scope))
            yield from page
            after = page.next
            if after is None:
                return

    def _metadata(self, record: Record, home: Home) -> dict[str, Any]:
        """The metadata of a record; of a derived one, what was said to be that of the messages it rests on, too."""
        found: dict[str, Any] = {}
        for one in record.evidence if record.derivation is not None else ():
            try:
                said = self._memory.get(one.id, **home.scope)
            except NotFoundError:  # an act
                continue
            found = {**said.metadata, **found}
        return {**found, **record.metadata}

    def _hit(self, hit: Hit, asked: Filters, *, explain: bool) -> Shape | None:
        """A hit as mem0 shows it; None for what is no memory, or was not asked for."""
        home = Home(hit.scope.user_id or NONE)
        record = self._shown(hit.id, home)
        if record is None:
            return None
        metadata = self._metadata(record, home)
        if not matches(asked, _payload(record, metadata)):
            return None
        shape = _shape(record, metadata, {"score": hit.score if hit.relevance is None else hit.relevance})
        return {**shape, "score_details": dict(hit.signals)} if explain else shape

    def _results(self, found: list[Shape], version: str | None, output_format: str | None) -> Any:
        wanted = output_format or version
        return found if wanted == "v1.0" or (wanted is None and self._bare) else {"results": found}

    def _refuse_types(self, memory_type: str | None, prompt: str | None) -> None:
        if memory_type == PROCEDURAL:
            raise InputError(
                "procedural memories are summaries by a model, and not made here: write the summary yourself, and keep "
                "it with add(summary, infer=False, agent_id=…)"
            )
        if memory_type is not None:
            raise InputError(f"Invalid 'memory_type'. There is none but {PROCEDURAL!r}, which is not made here.")
        if prompt is not None:
            warnings.warn("prompt= has no effect: what is derived follows the memory's recipe", stacklevel=3)


class AsyncMemory(Threaded):
    """mem0's `AsyncMemory`: the verbs of `Memory` as coroutines, in a few threads of its own."""

    _memory: Memory
    _long = frozenset(("add", "delete_all", "reset"))

    def __init__(self, config: object = None) -> None:
        self._stand_for(Memory(config), Pool(THREADS))

    @classmethod
    def from_config(cls, config_dict: Mapping[str, Any]) -> Self:
        """The same as `AsyncMemory(config_dict)`."""
        return cls(config_dict)

    @classmethod
    def of(cls, memory: Mnemic) -> Self:
        """mem0's verbs as coroutines for a memory that is open."""
        return object.__new__(cls)._stand_for(Memory.of(memory), Pool(THREADS))

    add = coroutine(Memory.add, __name__)
    update = coroutine(Memory.update, __name__)
    delete = coroutine(Memory.delete, __name__)
    delete_all = coroutine(Memory.delete_all, __name__)
    reset = coroutine(Memory.reset, __name__)
    search = coroutine(Memory.search, __name__)
    get = coroutine(Memory.get, __name__)
    get_all = coroutine(Memory.get_all, __name__)
    history = coroutine(Memory.history, __name__)
    chat = coroutine(Memory.chat, __name__)

    @property
    def config(self) -> object:
        return self._memory.config

    @property
    def project(self) -> NoReturn:
        """Of mem0's paid service. Raises NotImplementedError."""
        raise NotImplementedError(_NO_PROJECTS)

    def close(self) -> Awaitable[None] | None:
        """Close the file, after what was asked before. Begun at once, as in mem0; it can be awaited on a loop."""
        return self._pool.closed(self._memory.close)


def _shape(record: Record, metadata: Mapping[str, Any], scored: Mapping[str, float | None] = NO_SCORE) -> Shape:
    """A memory as mem0 shows it, its keys in mem0's order."""
    payload = _payload(record, metadata)
    promoted = ("user_id", "agent_id", "run_id", "actor_id", "role", "expiration_date")
    rest = {name: value for name, value in metadata.items() if name not in promoted}
    return {
        "id": record.id,
        "memory": record.text,
        "hash": payload["hash"],
        "metadata": rest or None,
        **scored,
        "created_at": payload["created_at"],
        "updated_at": payload["updated_at"],
        **{name: payload[name] for name in promoted if name in payload},
    }


def _payload(record: Record, metadata: Mapping[str, Any]) -> dict[str, Any]:
    """A memory as mem0 would have kept it: what its filters are asked of."""
    scope = record.scope
    ids = {"user_id": scope.user_id, "agent_id": scope.agent_id, "run_id": scope.session_id}
    last = None if record.expires_at is None else record.expires_at - timedelta(microseconds=1)
    return {
        **metadata,
        "data": record.text,
        "hash": hashlib.md5(record.text.encode(), usedforsecurity=False).hexdigest(),
        "created_at": record.time.isoformat(),
        "updated_at": record.recorded_at.isoformat(),
        **{name: value for name, value in ids.items() if value is not None},
        **({} if last is None else {"expiration_date": last.date().isoformat()}),
    }


def _ids(user_id: object, agent_id: object, run_id: object) -> dict[str, str]:
    """The ids that are given, trimmed; whole numbers as text."""
    found: dict[str, str] = {}
    for name, value in zip(IDS, (user_id, agent_id, run_id), strict=True):
        if value is None or value == "*":
            continue
        trimmed = str(value).strip()
        if not trimmed:
            raise InputError(f"Invalid {name}: cannot be empty or whitespace-only. Provide a valid identifier.")
        found[name] = trimmed
    return found


def _scope(where: Mapping[str, str]) -> dict[str, Any]:
    """Ids as the scope of a write: without a user it is shared."""
    names = {"user_id": "user_id", "agent_id": "agent_id", "run_id": "session_id"}
    found: dict[str, Any] = {names[name]: value for name, value in where.items()}
    return found if "user_id" in where else {**found, "shared": True}


def _said(messages: object) -> list[tuple[object, Message]]:
    """Messages as they were given, and in one shape: those that say something, and no instructions.

    mem0 leaves out a message without content, such as an assistant's that only calls a tool.
    """
    several = (
        [messages] if isinstance(messages, str) or not isinstance(messages, list) else cast("list[object]", messages)
    )
    given = [one for one in several if _has_words(one)]
    found = zip(given, messages_of(given, zone=UTC), strict=True)
    return [(one, message) for one, message in found if message.role != "system"]


def _has_words(message: object) -> bool:
    content = cast("Filters", message).get("content") if isinstance(message, Mapping) else message
    return bool(content.strip() if isinstance(content, str) else content)


def _without_identity(metadata: Mapping[str, Any], held: Mapping[str, Any], verb: str) -> dict[str, Any]:
    """Metadata without the keys that say whose a memory is."""
    for name in _IDENTITY & metadata.keys():
        if metadata[name] != held.get(name):
            warnings.warn(f"{verb}: metadata['{name}'] is ignored: it does not say whose a memory is", stacklevel=3)
    return {name: value for name, value in metadata.items() if name not in _IDENTITY and name != "expiration_date"}


def _most(limit: int | None, top_k: int | None, default: int) -> int:
    most = limit if limit is not None else top_k if top_k is not None else default
    if isinstance(most, bool) or not isinstance(most, int) or most < 0:  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InputError(f"Invalid top_k: {most!r}. Must be a non-negative integer.")
    return most


def _end_of(expiration_date: Any) -> datetime | None:
    """When a memory expires: at the end of its last day, in UTC."""
    if expiration_date is None:
        return None
    if isinstance(expiration_date, datetime):
        day = expiration_date.date()
    elif isinstance(expiration_date, date):
        day = expiration_date
    else:
        try:
            day = date.fromisoformat(expiration_date)
        except (TypeError, ValueError):
            raise InputError("expiration_date must be a valid date in YYYY-MM-DD format.") from None
    return datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1)


def _moment(given: Any) -> datetime | None:
    """A time as mem0's service takes it: seconds since 1970, a date, or ISO 8601; without a zone, UTC."""
    if given is None:
        return None
    try:
        if isinstance(given, int | float):
            return datetime.fromtimestamp(given, UTC)
        if isinstance(given, str):
            given = datetime.fromisoformat(given)
        if isinstance(given, date) and not isinstance(given, datetime):
            given = datetime(given.year, given.month, given.day)
    except (ValueError, OverflowError, OSError):
        raise InputError(f"{given!r} is no time: pass seconds since 1970, or ISO 8601") from None
    if not isinstance(given, datetime):
        raise InputError(f"{given!r} is no time: pass seconds since 1970, or ISO 8601")
    return given if given.utcoffset() is not None else given.replace(tzinfo=UTC)


def _refuse(verb: Callable[..., Any], unknown: Mapping[str, object]) -> None:
    for word in unknown:
        names = [name for name in verb.__kwdefaults__ or {} if name != "unknown"]
        hint = nearest(word, names, _PEERS)
        raise ParameterError(f"{verb.__name__}() has no parameter '{word}'{hint or '; it has ' + ', '.join(names)}")
