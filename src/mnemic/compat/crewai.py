"""CrewAI: a `Memory` for crews, agents and flows.

long_term = MnemicMemory(memory, user_id="ana")
crew = Crew(agents=[agent], tasks=[task], memory=long_term)
crew.kickoff()
"""

# CrewAI has an environment of its own (see the Makefile): in the one that is checked its types are unknown.
# pyright: reportMissingImports=false, reportUntypedBaseClass=false, reportUnknownVariableType=false
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownParameterType=false

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Literal, cast

from mnemic.compat.bound import HEARD, bound, is_own_record, missing, off_loop, words
from mnemic.compat.transcript import EVERY, HELD, PAGE
from mnemic.memory import Memory
from mnemic.types import Hit, Record

try:
    from crewai.memory.types import MemoryMatch, MemoryRecord, ScopeInfo
    from crewai.memory.unified_memory import Memory as CrewMemory
    from crewai.memory.utils import join_scope_paths, normalize_scope_path
    from pydantic import PrivateAttr
except ImportError as error:
    raise missing("crewai", "crewai", error) from error

_OWN = ("framework", "crewai_id", "crewai_paths", "crewai_categories", "crewai_importance", "crewai_origin")
_PRIVATE = "crewai_private"
_MINE = {"framework": "crewai"}


class MnemicMemory(CrewMemory):
    """A `Memory` of CrewAI on a Mnemic memory: for `Crew(memory=…)`, `Agent(memory=…)` and flows.

    No model and no vector store is asked: what is to be remembered is kept word for word, what a task came to as a
    whole, and a recall is a search of the memory, all that is known of the user included. CrewAI's own scopes ("/a/b"),
    categories, importance and private records work within that. `forget` and `reset` erase for good what came in
    through this class.

    The scope of the memory (user, project, tenant) is said here; it must name a user, or be `shared`.
    """

    _records: _Records = PrivateAttr()

    def __init__(
        self,
        memory: Memory,
        *,
        read_only: bool = False,
        root_scope: str | None = None,
        threshold: float | None = None,
        shared: bool = False,
        tenant_id: str | None = None,
        project_id: str | None = None,
        user_id: str | None = None,
        agent_id: str | None = None,
        session_id: str | None = None,
    ) -> None:
        mine = bound(
            memory,
            shared=shared,
            tenant_id=tenant_id,
            project_id=project_id,
            user_id=user_id,
            agent_id=agent_id,
            session_id=session_id,
        )
        records = _Records(mine, threshold=threshold, shared=shared)
        super().__init__(storage=cast("Any", records), embedder=_no_vectors, read_only=read_only, root_scope=root_scope)
        self._records = records

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> MnemicMemory:
        """Itself: copies of a crew share their memory."""
        return self

    def extract_memories(self, content: str) -> list[str]:
        """The content, whole: what matters of it is decided when it is recalled."""
        return [content] if content.strip() else []

    def remember(
        self,
        content: str,
        scope: str | None = None,
        categories: list[str] | None = None,
        metadata: dict[str, Any] | None = None,
        importance: float | None = None,
        source: str | None = None,
        private: bool = False,
        agent_role: str | None = None,
        root_scope: str | None = None,
    ) -> MemoryRecord | None:
        """Keep a content; None where the memory is read-only."""
        kept = self.remember_many(
            [content], scope, categories, metadata, importance, source, private, agent_role, root_scope
        )
        return kept[0] if kept else None

    def remember_many(
        self,
        contents: list[str],
        scope: str | None = None,
        categories: list[str] | None = None,
        metadata: dict[str, Any] | None = None,
        importance: float | None = None,
        source: str | None = None,
        private: bool = False,
        agent_role: str | None = None,
        root_scope: str | None = None,
    ) -> list[MemoryRecord]:
        """Keep contents, all of them or none; they are durable when this returns."""
        if self.read_only:
            return []
        root = self.root_scope if root_scope is None else root_scope
        given = MemoryRecord(
            content="",
            scope=join_scope_paths(root, scope),
            categories=categories or [],
            metadata=metadata or {},
            importance=self.default_importance if importance is None else importance,
            source=source,
            private=private,
        )
        records = [
            given.model_copy(update={"id": str(uuid.uuid4()), "content": one}) for one in contents if one.strip()
        ]
        self._records.save(records, speaker=agent_role)
        return records

    def recall(
        self,
        query: str,
        scope: str | None = None,
        categories: list[str] | None = None,
        limit: int = 10,
        depth: Literal["shallow", "deep"] = "deep",
        source: str | None = None,
        include_private: bool = False,
    ) -> list[MemoryMatch]:
        """What is remembered for a query, best first; all there is, or what was kept in a scope of CrewAI's."""
        if not query.strip():
            return []
        path = scope if self.root_scope is None else join_scope_paths(self.root_scope, scope)
        return self._records.find(query, path, categories, limit, source, include_private=include_private)

    async def aremember(self, *args: Any, **kwargs: Any) -> MemoryRecord | None:
        """As `remember`."""
        return await off_loop(self.remember, *args, **kwargs)

    async def aremember_many(self, *args: Any, **kwargs: Any) -> list[MemoryRecord]:
        """As `remember_many`."""
        return await off_loop(self.remember_many, *args, **kwargs)

    async def arecall(self, *args: Any, **kwargs: Any) -> list[MemoryMatch]:
        """As `recall`."""
        return await off_loop(self.recall, *args, **kwargs)

    def close(self) -> None:
        """Nothing that could be lost is waiting; the memory stays open, as it may serve others."""
        self._save_pool.shutdown(wait=True)


class _Records:
    """CrewAI's records as episodes: each whole in its data, and what is asked by in its metadata."""

    def __init__(self, memory: Memory, *, threshold: float | None, shared: bool) -> None:
        self._memory = memory
        self._threshold = threshold
        self._shared = shared

    def save(self, records: Sequence[MemoryRecord], *, speaker: str | None = None) -> None:
        """Keep records, all of them or none."""
        if records:
            self._memory.add([_message(record, speaker) for record in records], shared=self._shared)

    def find(
        self,
        query: str,
        path: str | None,
        categories: Sequence[str] | None,
        limit: int,
        source: str | None,
        *,
        include_private: bool,
    ) -> list[MemoryMatch]:
        """The records that answer a query; without a path those that came in by other ways, too."""
        conditions: list[dict[str, Any]] = [dict(HEARD), *_within(path, categories)]
        hidden: set[str] = set()
        if not include_private:
            own = [] if source is None else [{"crewai_origin": source}]
            conditions.append({"or": [{_PRIVATE: {"ne": True}}, *own]})
            private = self._pages({**_MINE, _PRIVATE: True}, HELD)
            hidden = {one.id for one in private if source is None or one.metadata["crewai_origin"] != source}
        hits = self._memory.search(query, limit=limit, threshold=self._threshold, where={"and": conditions})
        return [_match(hit) for hit in hits if hidden.isdisjoint(piece.id for piece in hit.evidence)]

    def delete(
        self,
        scope_prefix: str | None = None,
        categories: list[str] | None = None,
        record_ids: list[str] | None = None,
        older_than: datetime | None = None,
        metadata_filter: dict[str, Any] | None = None,
    ) -> int:
        """Erase records for good, with all their versions; how many."""
        gone = {
            record.metadata["crewai_id"]
            for record in self._all(scope_prefix, categories)
            if (record_ids is None or record.metadata["crewai_id"] in record_ids)
            and (older_than is None or record.time < _aware(older_than))
            and (metadata_filter is None or metadata_filter.items() <= record.metadata.items())
        }
        versions = [one.id for one in self._pages(_MINE, EVERY) if one.metadata["crewai_id"] in gone] if gone else []
        if versions:
            self._memory.erase(versions)
        return len(gone)

    def update(self, record: MemoryRecord) -> None:
        """Another version of a record, which takes over; the one before is retired."""
        before = self._versions(record.id)
        self.save([record], speaker=before[0].speaker if before else None)
        if before:
            self._memory.retire([one.id for one in before], reason="updated")

    def get_record(self, record_id: str) -> MemoryRecord | None:
        """A record by its id."""
        found = self._versions(record_id)
        return _record(found[0]) if found else None

    def list_records(self, scope_prefix: str | None = None, limit: int = 200, offset: int = 0) -> list[MemoryRecord]:
        """Records under a path, newest first."""
        return [_record(held) for held in self._all(scope_prefix)][offset : offset + limit]

    def get_scope_info(self, scope: str) -> ScopeInfo:
        """What a path holds."""
        held = [_record(one) for one in self._all(scope)]
        times = [record.created_at for record in held]
        return ScopeInfo(
            path=scope,
            record_count=len(held),
            categories=sorted({name for record in held for name in record.categories}),
            oldest_record=min(times, default=None),
            newest_record=max(times, default=None),
            child_scopes=self.list_scopes(scope),
        )

    def list_scopes(self, parent: str = "/") -> list[str]:
        """The paths right below a path."""
        depth = len(_paths(parent))
        found = [one.metadata["crewai_paths"] for one in self._all(parent)]
        return sorted({paths[depth] for paths in found if len(paths) > depth})

    def list_categories(self, scope_prefix: str | None = None) -> dict[str, int]:
        """How many records under a path have each category."""
        return dict(Counter(name for one in self._all(scope_prefix) for name in _record(one).categories))

    def count(self, scope_prefix: str | None = None) -> int:
        """How many records there are under a path."""
        return sum(1 for _ in self._all(scope_prefix))

    def reset(self, scope_prefix: str | None = None) -> None:
        """Erase for good all records under a path."""
        self.delete(scope_prefix)

    def _versions(self, record_id: str) -> list[Record]:
        """The episodes that hold a record, the latest first: one, unless an update was cut off in its middle."""
        return [one for one in self._pages({**_MINE, "crewai_id": record_id}, HELD) if one.data]

    def _all(self, path: str | None = None, categories: Sequence[str] | None = None) -> Iterator[Record]:
        """The episodes that hold records under a path, newest first."""
        return (one for one in self._pages({"and": [_MINE, *_within(path, categories)]}, HELD) if one.data)

    def _pages(self, where: dict[str, Any], include: Sequence[str]) -> Iterator[Record]:
        after: str | None = None
        while True:
            page = self._memory.list(kinds="episode", where=where, include=include, limit=PAGE, after=after)
            yield from (record for record in page if is_own_record(self._memory, record))
            if page.next is None:
                return
            after = page.next


def _message(record: MemoryRecord, speaker: str | None) -> dict[str, Any]:
    asked_by = {
        **_MINE,
        "crewai_id": record.id,
        "crewai_paths": _paths(record.scope),
        "crewai_categories": record.categories,
        "crewai_importance": record.importance,
        "crewai_origin": record.source,
        _PRIVATE: record.private,
    }
    return {
        "role": "assistant",
        "name": speaker,
        "content": words(record.content),
        "time": _aware(record.created_at),
        "id": uuid.uuid4().hex,
        "metadata": {**record.metadata, **asked_by},
        "record": record.model_dump(mode="json"),
    }


def _record(held: Record) -> MemoryRecord:
    return MemoryRecord.model_validate(held.data["record"])


def _match(hit: Hit) -> MemoryMatch:
    """A hit as CrewAI has it. What came in by other ways belongs to the root."""
    known = hit.metadata
    record = MemoryRecord(
        id=known.get("crewai_id", hit.id),
        content=hit.text,
        scope=known.get("crewai_paths", ["/"])[-1],
        categories=known.get("crewai_categories", []),
        metadata={name: value for name, value in known.items() if name not in (*_OWN, _PRIVATE)},
        importance=known.get("crewai_importance", 0.5),
        created_at=hit.time.astimezone(UTC).replace(tzinfo=None),
        last_accessed=hit.time.astimezone(UTC).replace(tzinfo=None),
        source=known.get("crewai_origin"),
        private=known.get(_PRIVATE, False),
    )
    score = hit.score if hit.relevance is None else hit.relevance
    return MemoryMatch(
        record=record, score=score, match_reasons=sorted(name for name, value in hit.signals.items() if value)
    )


def _paths(path: str) -> list[str]:
    """A path and all above it, the root first."""
    parts = [part for part in normalize_scope_path(path).split("/") if part]
    return ["/", *("/" + "/".join(parts[: end + 1]) for end in range(len(parts)))]


def _within(path: str | None, categories: Sequence[str] | None) -> list[dict[str, Any]]:
    """The conditions on metadata that keep to a path and to any of some categories."""
    found: list[dict[str, Any]] = []
    if path is not None and normalize_scope_path(path) != "/":
        found.append({"crewai_paths": {"contains": normalize_scope_path(path)}})
    if categories:
        found.append({"or": [{"crewai_categories": {"contains": name}} for name in categories]})
    return found


def _aware(time: datetime) -> datetime:
    """CrewAI's times are UTC, and do not say so."""
    return time if time.tzinfo is not None else time.replace(tzinfo=UTC)


def _no_vectors(texts: list[str]) -> list[list[float]]:
    """CrewAI asks for vectors where a record is updated; the memory makes its own."""
    return []
