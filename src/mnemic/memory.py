"""`Memory`: the one place where the parts are put together. Each verb is one page: check, decide, act."""

from __future__ import annotations

import inspect
import json
import time as clocks
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, tzinfo
from functools import partial
from itertools import chain, islice
from pathlib import Path
from types import TracebackType
from typing import Any, Self, Unpack, cast, overload
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from mnemic import (
    answer,
    denials,
    derive,
    exchange,
    feedback,
    journal,
    keeping,
    lookup,
    pack,
    rank,
    text,
    ticket,
    write,
)
from mnemic.analysis import Writing, analyse
from mnemic.changes import (
    BLANK,
    UNSET,
    Changes,
    Piece,
    Stamp,
    Values,
    Wall,
    is_indexed,
    kind_of,
    writing_of,
)
from mnemic.commit import commit
from mnemic.erasure import erase as erase_records
from mnemic.errors import (
    ConfigError,
    ConflictError,
    InputError,
    ModelError,
    NotFoundError,
    ParameterError,
    ScopeError,
    nearest,
)
from mnemic.frame import FrameCache
from mnemic.messages import Message, checked_text, json_object, messages_of
from mnemic.models import wordllama
from mnemic.models.wrap import as_chat, as_embedder, as_reranker, is_token_embedder, one_server, space_of
from mnemic.ports import Clock, TokenCounter
from mnemic.postings import Document
from mnemic.read import (
    CONTEXT_HITS,
    Reader,
    Recalled,
    View,
    chosen,
    explained,
    included,
    recall,
    recall_by_name,
    recall_for_context,
)
from mnemic.records import as_known, evidence_of, record_of, state_of
from mnemic.scope import PARTS, Place, Reach, narrowed, place, reach, reach_of
from mnemic.stores.sqlite import Fields, Row, Snapshot, SqliteStore, Transaction
from mnemic.times import interval, micros, moment, zone_of
from mnemic.types import (
    SOURCES,
    Answer,
    Change,
    Context,
    Diff,
    Entry,
    Evidence,
    Explanation,
    Page,
    Receipt,
    Record,
    Results,
    ScopeArgs,
    Stats,
)

PASSAGE_TOKENS = 150
"""A text longer than this is kept as passages, each a hit of its own."""
BATCH = 512
"""Messages analysed at a time."""
SMALL = 100
"""Messages up to which what they say is derived in the call that adds them."""
FEW = 64
"""Views up to which a change that takes something back has them redone in its own transaction."""
CACHE_BYTES = 1_500_000_000
"""Memory that frames may take together; the one in use is always kept."""
NOISE = 0.05
"""Where the evidence is among the hits with less than this probability, a context holds none of them: unless the memory
is so small that it is looked at as a whole, and the reader may well see what the ranking does not."""
NOT_IN_MEMORY = "not in memory"

STAMPS = ("agent_id", "session_id")

_PEERS = {
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

EXAMPLES = 5
"""Changes of a wall that a rebuild tells word for word."""

When = datetime | date | str
Progress = Callable[[int, int], None]
"""Told how much is done, of how much."""


class Memory:
    """A memory in one file: `Memory("agent.db")`; ":memory:" keeps it in RAM.

    `embedder`: None for the default (the weights in the wordllama wheel; without it words alone are used and results
    say so), "none", "minilm:FOLDER", "http://…/v1#model", or an object with `embed_documents` and `embed_query`.
    `timezone` ("Europe/Lisbon" or a tzinfo) is assumed for times without one, which are refused otherwise. `clock`
    gives the present; `author` is who writes, unless a call says otherwise. `ranking` is a file of fitted numbers in
    place of the shipped ones. `cache_bytes` bounds what is kept in RAM of scopes that are not in use.

    `reranker` reads the best 50 texts of a search together with the question and moves what fits better to the front:
    None for none, "crossencoder:FOLDER", "http://…/v1#model", or an object with `score(query, texts)`. With one, the
    order of hits is no longer that of their relevance, which stays what it is without.

    `exploration` is a seed (a whole number): neighbouring hits of a search then change places now and then, so that
    `feedback` learns more; None for none.

    `recipe` says what is derived from what is added: None for nothing, "rules" for the statements that rules can read
    out of it (facts, preferences, plans, …), or a `mnemic.derive.Recipe` of your own.

    `model` answers what `ask` asks: None for none, "http://…/v1#model" for any server of OpenAI's chat protocol,
    "anthropic:MODEL", an object with `complete(messages)`, or a function from a prompt to an answer. `api_key` is the
    key of the one server that is named.

    Threads may share one; each process opens its own. Use it as a context manager, or call `close`.
    Raises StoreError (see `mnemic.errors`) when the file cannot be used, ConfigError for settings that cannot be.
    """

    def __init__(
        self,
        url: str | Path = "mnemic.db",
        *,
        embedder: object = None,
        timezone: str | tzinfo | None = None,
        clock: Clock | None = None,
        author: str | None = None,
        read_only: bool = False,
        ranking: str | Path | None = None,
        reranker: object = None,
        exploration: int | None = None,
        model: object = None,
        recipe: object = None,
        cache_bytes: int = CACHE_BYTES,
        api_key: str | None = None,
        **unknown: object,
    ) -> None:
        _refuse(type(self).__init__, "Memory", unknown)
        self._clock: Clock = clock or (lambda: datetime.now(UTC))
        self._zone = _zone(timezone)
        self._author = author
        self._embedder = wordllama.find() if embedder is None else as_embedder(embedder, api_key=api_key)
        one_server(api_key, embedder, reranker, model)
        self._reranker = as_reranker(reranker, api_key=api_key)
        self._exploration = _seed(exploration)
        self._model = as_chat(model, api_key=api_key)
        self._recipe = _recipe(recipe)
        self._fitted = None if ranking is None else rank.fitted_file(Path(ranking))
        self._store = SqliteStore(_path(url), read_only=read_only)
        self._cache = FrameCache(self._embedder, cache_bytes, self._forget_words)
        self._reader = Reader(self._store, self._cache, derives=self._recipe is not None)
        self._bound: dict[str, Any] = {}

    # -- writing

    def add(
        self,
        messages: object,
        *,
        shared: bool = False,
        time: When | None = None,
        source: str | None = None,
        author: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        idempotency_key: str | None = None,
        wait: bool = False,
        **scope: Unpack[ScopeArgs],
    ) -> Receipt:
        """Keep what was said or done, word for word, as episodes. All of it or nothing.

        `messages`: a string, one message `{"role", "content", "name"?, "time"?, "id"?, "source"?, "metadata"?,
        "session_id"?}`, or an iterable of them; other frameworks' message objects work, too. A long text becomes
        several passages. `time` is assumed for messages without one (default: now). Adding the same again changes
        nothing; the same id with another text is an edit, which supersedes the first.

        What they say is derived at once for up to a hundred messages (`Receipt.derived`). For more the receipt says how
        many are `pending`: `upkeep` derives from them, or this call with `wait=True`. Raises InputError.
        """
        started = clocks.perf_counter()
        where = self._place(self.add, scope, shared=shared)
        default_time = None if time is None else interval(time, self._zone)
        notes: list[str] = []
        space = self._space
        prepared: list[list[Piece]] = []
        given = messages_of(messages, zone=self._zone, source=source, metadata=metadata, default_time=default_time)
        while batch := list(islice(given, BATCH)):
            pieces, embedded = self._pieces(batch, notes)
            prepared += pieces
            space = space if embedded else None

        small = len(prepared) <= SMALL
        settled = self._recipe is not None and small and self._say_nothing(where, prepared)
        first: int | None = None

        def decide(tx: Transaction, wall: Wall, stamp: Stamp) -> Changes:
            nonlocal first, settled
            if self._recipe is not None and small and not settled:
                first = _row(tx, wall.number)["size"]
            changes = write.added(
                tx, wall, where, prepared, author=stamp.actor, idempotency_key=idempotency_key, at=stamp.at
            )
            changes.notes += notes
            changes.settled = settled = settled and not changes.closings  # what an edit takes over from had its say
            return changes

        done = self._write(where, author, decide, started, space=space)
        if settled or not done.entries:
            return done
        return self._settled(done, reach_of(where), started, first=first, wait=wait)

    def remember(
        self,
        text: str,
        *,
        kind: str = "fact",
        subject: str | None = None,
        aliases: Sequence[str] = (),
        purpose: str | None = None,
        data: Mapping[str, Any] | None = None,
        metadata: Mapping[str, Any] | None = None,
        key: str | None = None,
        time: When | None = None,
        valid_from: When | None = None,
        valid_to: When | None = None,
        expires_at: When | None = None,
        confidence: float | None = None,
        pinned: bool = False,
        payload_ref: str | None = None,
        evidence: str | Sequence[str] = (),
        supersedes: str | Sequence[str] = (),
        source: str = "user",
        author: str | None = None,
        shared: bool = False,
        **scope: Unpack[ScopeArgs],
    ) -> Receipt:
        """Keep a statement by hand: a fact, preference, event, instruction, … (`kind`).

        `evidence` and `supersedes` are ids of records in scope. A `key` is unique among current records of a scope: the
        record that has it is superseded. `valid_from`/`valid_to` say when it is true; a superseded record stays true
        until its successor begins. The same statement again changes nothing. Raises InputError, NotFoundError.
        """
        started = clocks.perf_counter()
        where = self._place(self.remember, scope, shared=shared)
        if source not in SOURCES:
            raise InputError(f"source={source!r} is not known: one of {', '.join(SOURCES)}")
        said = interval(time, self._zone) if time is not None else None
        begins, ends = self._validity(valid_from, valid_to)
        values: Values = {
            "kind": kind_of(kind),
            "text": checked_text(text, "text"),
            "subject": None if subject is None else checked_text(subject, "subject"),
            "aliases": _names(aliases),
            "purpose": None if purpose is None else checked_text(purpose, "purpose"),
            "data": None if data is None else json_object(data, "data"),
            "metadata": None if metadata is None else json_object(metadata, "metadata"),
            "key": None if key is None else checked_text(key, "key"),
            "payload_ref": None if payload_ref is None else checked_text(payload_ref, "payload_ref"),
            "agent": where.agent,
            "session": where.session,
            "source": source,
            "confidence": _share("confidence", confidence),
            "pinned": int(pinned),
            "time": None if said is None else said.start,
            "time_precision": "second" if said is None else said.precision,
            "valid_from": None if begins is None else begins.start,
            "valid_to": ends,
            "valid_precision": None if begins is None else begins.precision,
            "expires_at": None if expires_at is None else interval(expires_at, self._zone, "expires_at").start,
        }
        named = {"evidence": list(_ids(evidence)), "supersedes": list(_ids(supersedes))}
        arguments = {name: value for name, value in (values | named).items() if value not in (None, 0, "[]", [])}
        notes: list[str] = []
        document, space = self._document(values, notes)
        asked = reach_of(where)

        def decide(tx: Transaction, wall: Wall, stamp: Stamp) -> Changes:
            walls = lookup.seen(tx, asked) | {wall.number: _row(tx, wall.number)}
            changes = write.remembered(
                tx,
                wall,
                where,
                {**values, "author": stamp.actor},
                document,
                evidence=lookup.wanted(tx, _ids(evidence), walls, asked, acts=True),
                supersedes=lookup.whole_messages(tx, lookup.wanted(tx, _ids(supersedes), walls, asked)),
                act=self._act("remember", where, wall, arguments, stamp),
                at=stamp.at,
            )
            changes.notes += notes
            return changes

        return self._write(where, author, decide, started, space=space)

    def update(
        self,
        id: str,
        *,
        text: str = UNSET,
        subject: str | None = UNSET,
        aliases: Sequence[str] = UNSET,
        purpose: str | None = UNSET,
        data: Mapping[str, Any] | None = UNSET,
        metadata: Mapping[str, Any] | None = UNSET,
        key: str | None = UNSET,
        valid_from: When | None = UNSET,
        valid_to: When | None = UNSET,
        expires_at: When | None = UNSET,
        confidence: float | None = UNSET,
        pinned: bool = UNSET,
        payload_ref: str | None = UNSET,
        if_revision: int | None = None,
        author: str | None = None,
        **scope: Unpack[ScopeArgs],
    ) -> Receipt:
        """A new revision of a record: only the fields named change. An episode is never updated.

        With `if_revision`, raises ConflictError unless that is the current one. Raises NotFoundError, InputError.
        """
        started = clocks.perf_counter()
        asked = self._reach(self.update, scope)
        begins, ends = self._validity(
            None if valid_from is UNSET else valid_from, None if valid_to is UNSET else valid_to
        )
        given: Values = {
            "text": text if text is UNSET else checked_text(text, "text"),
            "subject": subject if subject in (UNSET, None) else checked_text(subject, "subject"),
            "aliases": aliases if aliases is UNSET else _names(aliases),
            "purpose": purpose if purpose in (UNSET, None) else checked_text(purpose, "purpose"),
            "data": data if data in (UNSET, None) else json_object(data, "data"),
            "metadata": metadata if metadata in (UNSET, None) else json_object(metadata, "metadata"),
            "key": key if key in (UNSET, None) else checked_text(key, "key"),
            "valid_from": UNSET if valid_from is UNSET else begins and begins.start,
            "valid_precision": UNSET if valid_from is UNSET else begins and begins.precision,
            "valid_to": UNSET if valid_to is UNSET else ends,
            "expires_at": expires_at
            if expires_at in (UNSET, None)
            else interval(expires_at, self._zone, "expires_at").start,
            "confidence": confidence if confidence is UNSET else _share("confidence", confidence),
            "pinned": pinned if pinned is UNSET else int(pinned),
            "payload_ref": payload_ref if payload_ref in (UNSET, None) else checked_text(payload_ref, "payload_ref"),
        }
        fields = {name: value for name, value in given.items() if value is not UNSET}
        if not fields:
            raise InputError("update() was given nothing to change: name a field, such as text=…")
        notes: list[str] = []
        before: Values = {}
        document, space = None, self._space
        if is_indexed(fields):  # analysed before the lock
            with self._store.read() as snapshot:
                (before,) = lookup.wanted(snapshot, [_id(id)], lookup.seen(snapshot, asked), asked)
            document, space = self._document({**before, **fields}, notes)

        def decide(tx: Transaction, stamp: Stamp) -> Changes:
            walls = lookup.seen(tx, asked)
            (row,) = lookup.wanted(tx, [_id(id)], walls, asked)
            if if_revision is not None and row["revision"] != if_revision:
                raise ConflictError(
                    f"'{id}' is at revision {row['revision']}, not {if_revision}: read it again with get('{id}')",
                    [row["opened_by"]],
                )
            if document is not None and row["revision"] != before["revision"]:
                raise ConflictError(f"'{id}' was changed meanwhile: try again", [row["opened_by"]])
            wall = _wall(walls[row["wall"]])
            where = Place(wall.tenant, wall.project, wall.user, row["agent"], row["session"])
            act = self._act("update", where, wall, {"id": id, **fields}, stamp)
            changes = write.updated(row, fields, act=act, tenant=wall.tenant, document=document)
            changes.notes += notes
            return changes

        return self._write_in(asked.tenant, author, decide, started, space=space)

    def retire(
        self,
        ids: str | Sequence[str],
        *,
        reason: str | None = None,
        author: str | None = None,
        **scope: Unpack[ScopeArgs],
    ) -> Receipt:
        """The records are no longer believed. Undoable; `known_at` before still shows them.

        A passage is retired with its whole message. Raises NotFoundError.
        """
        started = clocks.perf_counter()
        asked = self._reach(self.retire, scope)
        named = _ids(ids)
        if not named:
            raise InputError("retire() was given no id: pass the id of a record, or several")

        def decide(tx: Transaction, stamp: Stamp) -> Changes:
            walls = lookup.seen(tx, asked)
            rows = lookup.whole_messages(tx, lookup.wanted(tx, named, walls, asked))

            def act_in(number: int, here: Sequence[str]) -> Values:
                wall = _wall(walls[number])
                where = Place(wall.tenant, wall.project, wall.user)
                return self._act("retire", where, wall, {"ids": here, "reason": reason}, stamp)

            return write.retired(rows, reason=reason, act_in=act_in, tenant=asked.tenant)

        return self._write_in(asked.tenant, author, decide, started, space=None, asked=asked)

    def feedback(
        self,
        results: Results | Context | Answer | str,
        *,
        used: str | Sequence[str] = (),
        wrong: str | Sequence[str] = (),
        outcome: float | None = None,
        author: str | None = None,
        **scope: Unpack[ScopeArgs],
    ) -> Receipt:
        """Say which hits of a search were used and which were wrong; the user's later searches are ranked by it.

        `results` is what `search`, `context` or `ask` gave, or its id, in whatever process: it says what was asked,
        and which hits were shown. `used` and `wrong` are ids of hits, or of evidence that they rest on. `outcome` says
        how well it went with what was used, from 0 to 1 (None: 1). Kept as an act, which `undo` takes back. From ten
        acts on the weights of the ranking are fitted to them, for this user alone, and stay near the shipped ones. The
        scope is that of the search, with one user. Raises InputError, NotFoundError, ScopeError.
        """
        started = clocks.perf_counter()
        if len(self._reach(self.feedback, scope).users) != 1:
            raise ScopeError("feedback() is about one user's results: pass user_id=…, that of the search")
        where = self._place(self.feedback, scope, shared=False)
        asked = reach_of(where)
        good, bad = _ids(used), _ids(wrong)
        share = _share("outcome", outcome)
        if not good and not bad and share is None:
            raise InputError("feedback() was given nothing to learn from: pass used=…, wrong=… or outcome=…")
        with self._store.read() as snapshot:
            found = feedback.asked(snapshot, feedback.id_of(results), asked)
        with self._reader.scene(found.view) as scene:
            told = feedback.arguments(
                scene, found, asked, good, bad, share, embedder=self._embedder, fitted=self._fitted
            )

        def decide(tx: Transaction, wall: Wall, stamp: Stamp) -> Changes:
            lookup.wanted(tx, told["shown"], lookup.seen(tx, asked), asked)  # nothing was erased meanwhile
            act = self._act("feedback", where, wall, told, stamp)
            return write.fed_back(tx, act, told, tenant=wall.tenant, at=stamp.at)

        return self._write(where, author, decide, started, space=None)

    def undo(
        self,
        receipt: Receipt | str,
        *,
        cascade: bool = False,
        author: str | None = None,
        **scope: Unpack[ScopeArgs],
    ) -> Receipt:
        """Take one receipt back, by a new change, which can itself be undone.

        Where later changes touched the same records, raises ConflictError, whose `receipts` lists them; with `cascade`
        those are taken back first, latest first. An erasure cannot be undone. Raises NotFoundError.
        """
        started = clocks.perf_counter()
        asked = self._reach(self.undo, scope)
        id_ = receipt.id if isinstance(receipt, Receipt) else receipt
        undone: list[str] = []

        def take_back(tx: Transaction, id_: str) -> Receipt:
            walls = lookup.seen(tx, asked)
            row = lookup.receipt_in(tx, id_, walls, asked)
            stamp = self._stamp(tx, asked.tenant, author)
            wall = _wall(walls[row.wall])
            act = self._act("undo", Place(wall.tenant, wall.project, wall.user), wall, {"receipt": id_}, stamp)
            return commit(tx, write.undone(tx, row.receipt, act=act), stamp)

        with self._store.write() as tx:
            waiting, made = [id_], set[str]()
            while True:
                try:
                    done = take_back(tx, waiting[-1])
                except ConflictError as conflict:
                    later = set(conflict.receipts) - made.union(waiting, undone)
                    if not cascade or not later:
                        raise
                    waiting.append(max(later))  # receipt ids sort by time
                    continue
                if len(waiting) == 1:
                    break
                made.add(done.id)
                undone.append(waiting.pop())
            derived, pending = self._derive_in(tx, lookup.seen(tx, asked).values())
            derived += self._redo_in(tx, lookup.seen(tx, asked).values())
        notes = (f"took back first: {', '.join(undone)}",) if undone else ()
        return _timed(replace(done, derived=derived, pending=pending), started, notes)

    def erase(
        self,
        ids: str | Sequence[str] = (),
        *,
        all_of: bool = False,
        everything: bool = False,
        dry_run: bool = False,
        author: str | None = None,
        **scope: Unpack[ScopeArgs],
    ) -> Receipt:
        """Remove records for good, at every time: their words, vectors, statistics and all that rests on them.

        By `ids`; or `all_of=True` with a scope: exactly the named user's and project's own records (project_id=ANY for
        all of a user's projects); or `everything=True` for the whole file. `dry_run=True` shows what would go. History
        keeps id, times and actor. A passage goes with its whole message. The receipt's notes say so where a reader
        still holds old pages. Raises NotFoundError, ScopeError.
        """
        started = clocks.perf_counter()
        request = exchange.Request(_ids(ids), all_of, everything, self._reach(self.erase, scope, whole=everything))
        request.check()
        receipts: list[Receipt] = []
        walls: set[int] = set()
        derived, pending = tuple[Entry, ...](), 0
        with self._store.read() if dry_run else self._store.write() as tx:
            visible = lookup.seen(tx, request.reach)
            for tenant, reasons, held in exchange.to_erase(tx, request):
                stamp = self._stamp(tx, tenant, author)
                walls |= set(held.values())
                if dry_run:
                    kinds = exchange.kinds_of(tx, list(reasons))
                    entries = [Entry(i, "erased", why) for i, why in reasons.items() if kinds[i] != "act"]
                else:
                    entries = erase_records(cast("Transaction", tx), reasons, tenant, stamp, self._tokens_of)
                if not everything:  # a private record may rest on a shared one: it goes, and its owner alone is told
                    entries = [entry for entry in entries if held[entry.id] in visible]
                receipts.append(
                    Receipt(stamp.receipt, "erase", moment(stamp.at), tuple(entries), stamp.actor, dry_run=dry_run)
                )
            if receipts and not dry_run:
                again = tx.rows("all_walls") if everything else visible.values()
                derived, pending = self._derive_in(cast("Transaction", tx), again)
                for row in tx.rows("all_walls"):
                    if row["wall"] in walls:
                        views = self._redo_in(cast("Transaction", tx), [row], erased=True)
                        derived += views if everything or row["wall"] in visible else ()
        notes: list[str] = []
        if not dry_run and receipts:
            self._forget(walls)
            reader = self._store.purge()
            if reader is not None:
                notes.append(
                    f"{reader} still holds a snapshot with the old pages; they go when it ends and the file is written "
                    "or purged next"
                )
        done = exchange.together(receipts, "erase", self._author, self._now())
        return _timed(replace(done, derived=derived, pending=pending), started, notes)

    # -- reading

    def search(
        self,
        query: str,
        *,
        limit: int = 10,
        threshold: float | None = None,
        precise: bool = False,
        where: Mapping[str, Any] | None = None,
        kinds: str | Sequence[str] | None = None,
        include: str | Sequence[str] = (),
        now: When | None = None,
        as_of: When | None = None,
        known_at: When | None = None,
        **scope: Unpack[ScopeArgs],
    ) -> Results:
        """The records that answer a question, best first, each with its evidence and the probability that it is some.

        Best is what has the highest relevance, unless the memory has a reranker: that one moves hits and leaves their
        relevances as they are.

        `threshold` cuts by that probability. `where` filters on metadata (see `mnemic.where`). `include` adds
        "superseded", "expired", "retired" or "quarantined" records. `now` is when the question is asked and filters
        nothing; `as_of` asks what was true then, `known_at` what was believed then. `precise` gives the records whose
        subject or an alias the question names, and nothing else (see `mnemic.precise`). Raises InputError, ScopeError.
        """
        view = self._view(self.search, scope, now, as_of, known_at, include, kinds, where)
        limit = _count("limit", limit)
        if precise:
            if threshold is not None:
                raise InputError(
                    f"threshold={threshold} goes by relevance, and precise=True by names: leave one of them out"
                )
            asked = _query(query) if not isinstance(query, str) or query.strip() else ""  # pyright: ignore[reportUnnecessaryIsInstance]
            with self._reader.scene(view) as scene:
                found, names = self._reader.named(scene, view, asked)
                return recall_by_name(scene, view, asked, found, names, limit=limit)
        asked = _query(query)
        _share("threshold", threshold)
        with self._reader.scene(view) as scene:
            found = recall(
                scene,
                view,
                asked,
                limit=limit,
                threshold=threshold,
                embedder=self._embedder,
                reranker=self._reranker,
                fitted=self._fitted,
                exploration=self._exploration,
            )
        return replace(found, explainer=partial(self._explained, view, asked, limit, threshold))

    def context(
        self,
        query: str,
        *,
        budget: int = 1000,
        format: str = "text",
        threshold: float | None = None,
        where: Mapping[str, Any] | None = None,
        kinds: str | Sequence[str] | None = None,
        include: str | Sequence[str] = (),
        now: When | None = None,
        as_of: When | None = None,
        known_at: When | None = None,
        **scope: Unpack[ScopeArgs],
    ) -> Context:
        """What is remembered for a question, as text for a prompt of at most `budget` tokens, with numbered evidence.

        Tokens are those of the counter that the result names: the embedder's tokenizer, or bytes ÷ 3 without one.
        `format`: "text", "markdown" or "json". Pinned records and records of kind "question" come in sections of their
        own, whatever is asked. The text is "not in memory" where nothing was found, or nothing but noise. The other
        parameters are those of `search`.
        """
        view = self._view(self.context, scope, now, as_of, known_at, include, kinds, where)
        asked, budget, written = _query(query), _count("budget", budget), pack.checked_format(format)
        _share("threshold", threshold)
        with self._reader.scene(view) as scene:
            found = recall_for_context(
                scene,
                view,
                asked,
                threshold=threshold,
                embedder=self._embedder,
                reranker=self._reranker,
                fitted=self._fitted,
            )
        return self._packed(found, asked, budget, written)

    def _packed(self, found: Recalled, asked: str, budget: int, format: str) -> Context:
        counter, results = self._counter, found.results
        notes = results.notes
        noise = results.considered > CONTEXT_HITS and results.confidence is not None and results.confidence < NOISE
        if noise and results.hits:
            notes = (*notes, f"the evidence is among the hits with a probability of {results.confidence:.2f} only")
        packed = pack.pack(
            () if noise else found.pieces,
            budget,
            counter,
            self._zone or UTC,
            pinned=found.pinned,
            questions=found.questions,
            format=format,
        )
        text, tokens = packed.text, packed.tokens
        if not packed.evidence:
            if found.pieces and not noise:
                notes = (*notes, f"the budget of {budget} {counter.name} tokens holds not even the first hit")
            elif counter(NOT_IN_MEMORY) <= budget:
                text, tokens = NOT_IN_MEMORY, counter(NOT_IN_MEMORY)
        return Context(
            asked,
            text,
            tokens,
            budget,
            counter.name,
            packed.evidence,
            ticket.shortened(results.id, _shown(results, packed.evidence), by_time=True),
            packed.left_out,
            notes,
            format,
            results.confidence,
        )

    def ask(
        self,
        question: str,
        *,
        threshold: float | None = None,
        budget: int = answer.BUDGET,
        check: str = "words",
        where: Mapping[str, Any] | None = None,
        kinds: str | Sequence[str] | None = None,
        include: str | Sequence[str] = (),
        now: When | None = None,
        as_of: When | None = None,
        known_at: When | None = None,
        **scope: Unpack[ScopeArgs],
    ) -> Answer:
        """The answer to a question, with its evidence, or "not known".

        Without a model it is an extract: the shortest words of the evidence that answer, with dates resolved
        ("yesterday" said on 8 May is 7 May). With one (`Memory(model=…)`) it reads a context of `budget` tokens, and
        each of its citations is checked: by the words in common, or by the model with `check="model"`. Where the model
        fails, the extract is given, and a note says so.

        Not known where the evidence is among the hits with a probability below `threshold` (default: 0.5). The other
        parameters are those of `search`. Raises InputError, ScopeError.
        """
        view = self._view(self.ask, scope, now, as_of, known_at, include, kinds, where)
        asked, budget = _query(question), _count("budget", budget)
        _share("threshold", threshold)
        if check not in ("words", "model"):
            raise InputError(f"check={check!r} is not known: 'words' or 'model'")
        least = 0.5 if threshold is None else threshold
        notes: tuple[str, ...] = ()
        if self._model is not None:
            with self._reader.scene(view) as scene:
                found = recall_for_context(
                    scene,
                    view,
                    asked,
                    threshold=None,
                    embedder=self._embedder,
                    reranker=self._reranker,
                    fitted=self._fitted,
                )
            context = self._packed(found, asked, budget, "text")  # outside the snapshot: a model may take a minute
            try:
                return answer.by_model(
                    context,
                    found.results,
                    self._model,
                    view.asked_at,
                    least=least,
                    check_by_model=check == "model",
                )
            except ModelError as error:
                notes = (f"the model failed, so this is an extract ({error})",)
        with self._reader.scene(view) as scene:
            results = recall(
                scene,
                view,
                asked,
                limit=answer.HITS,
                threshold=None,
                embedder=self._embedder,
                reranker=self._reranker,
                fitted=self._fitted,
            )
        extract = answer.extracted(results, self._embedder, self._zone or UTC, least=least)
        return replace(extract, notes=(*notes, *extract.notes))

    def get(
        self,
        id: str | None = None,
        *,
        key: str | None = None,
        known_at: When | None = None,
        **scope: Unpack[ScopeArgs],
    ) -> Record:
        """One record by its id, in its latest revision (or the one held at `known_at`), whatever its state.

        With `key` instead: the current record that has it, the user's own before a shared one. Raises NotFoundError
        where there is none in this scope, or it is erased.
        """
        asked = self._reach(self.get, scope)
        if (id is None) == (key is None):
            raise InputError("get() takes the id of a record, or key=…")
        at = None if known_at is None else interval(known_at, self._zone, "known_at").start
        with self._store.read() as snapshot:
            walls = lookup.seen(snapshot, asked)
            id = (
                _id(id)
                if key is None
                else lookup.holder_of(
                    snapshot,
                    checked_text(key, "key"),
                    walls,
                    asked,
                    lookup.present(snapshot, asked.tenant, self._now()),
                )
            )
            row: Fields = lookup.wanted(snapshot, [id], walls, asked)[0]
            if at is not None:
                held = snapshot.row("revision_known_at", id=id, at=at)
                if held is None or held["erased_by"] is not None:
                    raise NotFoundError(f"the memory did not hold '{id}' at {known_at}")
                row = as_known(held, at)
            evidence = evidence_of(snapshot, [row], walls, at)
            state = state_of(row, lookup.present(snapshot, asked.tenant, self._now()))
            return record_of(row, walls[row["wall"]], state, evidence.get(id, ()))

    def list(
        self,
        *,
        limit: int = 100,
        after: str | None = None,
        order: str = "newest",
        where: Mapping[str, Any] | None = None,
        kinds: str | Sequence[str] | None = None,
        include: str | Sequence[str] = (),
        as_of: When | None = None,
        known_at: When | None = None,
        **scope: Unpack[ScopeArgs],
    ) -> Page:
        """Records by time, newest first (or `order="oldest"`), a page at a time: pass a page's `next` as `after`."""
        if order not in ("newest", "oldest"):
            raise InputError(f"order={order!r} is not known: 'newest' or 'oldest'")
        view = self._view(self.list, scope, None, as_of, known_at, include, kinds, where)
        with self._reader.scene(view) as scene:
            found = chosen(scene, view, newest_first=order == "newest", limit=_count("limit", limit), after=after)
        return Page(tuple(found[0]), found[1])

    def timeline(
        self,
        *,
        since: When | None = None,
        until: When | None = None,
        subject: str | None = None,
        limit: int = 100,
        after: str | None = None,
        where: Mapping[str, Any] | None = None,
        kinds: str | Sequence[str] | None = None,
        include: str | Sequence[str] = ("superseded",),
        as_of: When | None = None,
        known_at: When | None = None,
        **scope: Unpack[ScopeArgs],
    ) -> Page:
        """What was said and what held, in order of time from `since` up to `until`; superseded records are shown, too.

        `subject` narrows to records about that subject (its name or an alias, case-folded).
        """
        view = self._view(self.timeline, scope, None, as_of, known_at, include, kinds, where)
        first = None if since is None else interval(since, self._zone, "since").start
        last = None if until is None else interval(until, self._zone, "until").start
        with self._reader.scene(view) as scene:
            found = chosen(
                scene,
                view,
                newest_first=False,
                limit=_count("limit", limit),
                after=after,
                since=first,
                until=last,
                subject=None if subject is None else checked_text(subject, "subject"),
            )
        return Page(tuple(found[0]), found[1])

    def history(self, id: str, **scope: Unpack[ScopeArgs]) -> tuple[Change, ...]:
        """Every change of a record, oldest first. An erased one keeps id, times and actor. Raises NotFoundError."""
        asked = self._reach(self.history, scope)
        with self._store.read() as snapshot:
            return journal.history(snapshot, _id(id), asked, lookup.present(snapshot, asked.tenant, self._now()))

    def diff(self, t1: When, t2: When, **scope: Unpack[ScopeArgs]) -> Diff:
        """What the memory came to hold, and no longer holds, between two recorded times (`known_at` t1 and t2)."""
        asked = self._reach(self.diff, scope)
        since, until = (interval(moment, self._zone, name).start for moment, name in ((t1, "t1"), (t2, "t2")))
        if since > until:
            raise InputError(f"t1={t1} lies after t2={t2}: pass the earlier time first")
        with self._store.read() as snapshot:
            return journal.diff(snapshot, lookup.seen(snapshot, asked), asked, since, until)

    def stats(self, *, everything: bool = False, **scope: Unpack[ScopeArgs]) -> Stats:
        """Counts of what a scope holds; `everything=True` for the whole file."""
        asked = self._reach(self.stats, scope, whole=everything)
        with self._store.read() as snapshot:
            now = lookup.present(snapshot, asked.tenant, self._now())
            return journal.stats(snapshot, None if everything else asked, now, self._store.size(), self._space)

    # -- the whole

    @overload
    def export(self, path: None = None, *, everything: bool = False, **scope: Unpack[ScopeArgs]) -> Iterator[str]: ...
    @overload
    def export(self, path: str | Path, *, everything: bool = False, **scope: Unpack[ScopeArgs]) -> int: ...
    def export(
        self, path: str | Path | None = None, *, everything: bool = False, **scope: Unpack[ScopeArgs]
    ) -> Iterator[str] | int:
        """Everything of a scope's own (or of the whole file) as JSON Lines, with all revisions and links, lossless.

        Without `path` the lines are yielded; with it they are written there, and their number is returned. An
        `import_` of them into an empty store gives the same records, history and answers.
        """
        asked = self._reach(self.export, scope, whole=everything)
        lines = exchange.export_lines(self._store, asked, everything=everything)
        if path is None:
            return lines
        return exchange.write_lines(Path(path), lines)

    def import_(
        self, source: str | Path | Iterable[str], *, author: str | None = None, **scope: Unpack[ScopeArgs]
    ) -> Receipt:
        """Take over what `export` wrote: a path, or an iterable of lines. What is already there is left as it is.

        With a scope, only lines of that scope are accepted. Raises InputError, naming the line, and changes nothing.
        """
        started = clocks.perf_counter()
        asked = (
            self._reach(self.import_, scope)
            if any(value is not None for value in scope.values()) or self._bound
            else None
        )
        done = exchange.import_lines(
            self._store, source, asked, self._analysed, self._space, author or self._author, self._now
        )
        return _timed(self._settled(done, asked, started), started)

    def rebuild(
        self,
        *,
        dry_run: bool = False,
        everything: bool = False,
        progress: Progress | None = None,
        **scope: Unpack[ScopeArgs],
    ) -> Receipt:
        """Make anew all that is made from episodes and acts: the index, the vectors, and what is derived.

        With the embedder and the recipe that this memory was opened with; for a scope's own walls, or for the whole
        file with `everything=True`. What is derived is read beside the old and takes its place in one transaction a
        wall; the old is retired, so `known_at` before still answers. `dry_run=True` changes nothing: the receipt's
        `derived` says what would become of each derived record, its notes give examples. `progress(done, of)` is called
        as episodes are read. Raises ModelError when the embedder fails; the old index stays then.
        """
        started = clocks.perf_counter()
        asked = self._reach(self.rebuild, scope, whole=everything)
        owned = None if everything else asked
        if dry_run:
            done = replace(exchange.together((), "rebuild", self._author, self._now()), dry_run=True)
        else:
            done = exchange.rebuild(self._store, owned, self._analysed, self._space, self._author, self._now)
        entries: list[Entry] = []
        examples: list[str] = []
        for wall in exchange.walls_of(self._store, owned, "rebuild()") if self._recipe is not None else ():
            entries += self._derive_anew(wall, examples, progress, dry_run=dry_run)
        return _timed(replace(done, derived=tuple(entries)), started, examples)

    def _derive_anew(
        self, row: Row, examples: list[str], progress: Progress | None, *, dry_run: bool
    ) -> Sequence[Entry]:
        """Derive anew from every episode of a wall, in one transaction, which a dry run takes back."""
        with self._store.read() as snapshot:
            due = derive.read_all(snapshot, row["wall"], row["size"])
        said = self._said(due, progress)
        examples += said.notes()
        entries: tuple[Entry, ...] = ()
        try:
            with self._store.write() as tx:
                entries = tuple(self._bring(tx, _wall(row), due, said))
                entries += self._redo_all(tx, row)
                texts = lookup.latest_of(tx, [entry.id for entry in entries[:EXAMPLES]])
                examples += [f"{entry.action}: {texts[entry.id]['text']}" for entry in entries[:EXAMPLES]]
                if dry_run:
                    raise _DiscardedError
        except _DiscardedError:
            pass
        return entries

    def _redo_all(self, tx: Transaction, row: Row) -> tuple[Entry, ...]:
        """Make every view of a wall anew, where views are kept up."""
        if not keeping.is_kept(tx, row["tenant"]):
            return ()
        keeping.mark_all(tx, row["wall"])
        return tuple(self._redo_stale(tx, row))

    def scoped(self, **scope: Unpack[ScopeArgs]) -> Memory:
        """The same memory, bound to a scope: the same verbs. It may be narrowed again, never rebound.

        Agent and session are bound to writes only.
        """
        self._check_names(self.scoped, scope)
        bound = narrowed(self._bound, scope)
        reach({part: value for part, value in bound.items() if part not in STAMPS})
        other = object.__new__(type(self))
        other.__dict__.update(self.__dict__)
        other._bound = bound
        return other

    def close(self) -> None:
        """Close the file. Idempotent; every `scoped` one is closed with it."""
        self._store.close()
        self._cache.forget()
        self._reader.forget()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        bound = "".join(f", {part}={value!r}" for part, value in self._bound.items())
        return f"Memory({str(self._store.path or ':memory:')!r}{bound})"

    # -- what is derived

    def upkeep(
        self,
        *,
        budget_ms: float | None = None,
        everything: bool = False,
        progress: Progress | None = None,
        **scope: Unpack[ScopeArgs],
    ) -> Receipt:
        """Do what is pending: derive from the episodes that nothing has been derived from yet, then keep up the views.

        Views are the profile of the user, the state of each subject, the commitments and the open questions: records
        of kinds "profile", "state", "commitments" and "questions", with keys. The receipt's `derived` tells of
        statements, its `entries` of views.

        For the walls of a scope, or for the whole file with `everything=True`. With `budget_ms` it stops after about so
        many milliseconds; the receipt says what is still `pending`, a note how many views are to be redone, and the
        next call goes on there, in whatever process. Raises ScopeError.
        """
        started = clocks.perf_counter()
        asked = self._reach(self.upkeep, scope, whole=everything)
        whose = None if everything else asked
        entries: list[Entry] = []
        views: list[Entry] = []
        notes: list[str] = []
        due = self._due(whose)
        gone, total = 0, sum(row["pending"] for row in due)
        deriving = chain.from_iterable(self._deriving(row, 0, notes) for row in due)
        steps = chain(((entries, *step) for step in deriving), ((views, *step, 0) for step in self._keeping(whose)))
        while budget_ms is None or (clocks.perf_counter() - started) * 1000.0 < budget_ms:
            kept, done, many = next(steps, (None, (), 0))
            if kept is None:
                break
            kept += done
            gone += many
            if progress is not None:
                progress(min(gone, total), total)
        else:
            notes += self._views_left(whose)
        receipt = replace(exchange.together((), "upkeep", self._author, self._now()), entries=tuple(views))
        return _timed(self._with_derived(receipt, whose, entries), started, dict.fromkeys(notes))

    def _settled(
        self, done: Receipt, asked: Reach | None, started: float, *, first: int | None = None, wait: bool = False
    ) -> Receipt:
        """A write, and what follows from it for what is derived: at once where that is little, else pending.

        `asked` is the scope of the write; None: the whole file. `first` is the first document of a small write: behind
        a backlog only what comes from there on is derived.
        """
        if self._recipe is None or (not done.entries and not wait):
            return done
        entries: list[Entry] = []
        notes: list[str] = []
        for row in self._due(asked):
            at = 0 if wait or row["pending"] <= SMALL else first
            if at is not None:
                entries += chain.from_iterable(more for more, _ in self._deriving(row, at, notes))
        return _timed(self._with_derived(done, asked, entries), started, dict.fromkeys(notes))

    def _with_derived(self, receipt: Receipt, asked: Reach | None, entries: Sequence[Entry]) -> Receipt:
        """A receipt with what was derived, and what is still pending in a scope (in the whole file)."""
        return replace(receipt, derived=tuple(entries), pending=sum(row["pending"] for row in self._due(asked)))

    def _due(self, asked: Reach | None) -> list[Row]:
        """The walls of a scope (of the whole file) in which something is pending."""
        with self._store.read() as snapshot:
            return [row for row in self._walls(snapshot, asked) if row["pending"]]

    def _deriving(self, row: Row, first: int, notes: list[str]) -> Iterator[tuple[Sequence[Entry], int]]:
        """Derive from the episodes that are due in a wall, from a document on, one transaction a step.

        Each step gives what changed, and from how many episodes it was.
        """
        wall = _wall(row)
        while self._recipe is not None:
            with self._store.read() as snapshot:
                due = derive.read_due(snapshot, wall.number, first=first)
            if not due.nums:
                return
            said = self._said(due)
            notes += said.notes()
            with self._store.write() as tx:
                entries = self._bring(tx, wall, due, said)
            first = due.nums[-1] + 1
            yield entries, len(due.nums)

    def _derive_in(self, tx: Transaction, walls: Iterable[Row]) -> tuple[tuple[Entry, ...], int]:
        """What follows from a change for what is derived, in its own transaction: what changed, and what is pending.

        So nothing derived is ever without its evidence. Behind a backlog it waits for its turn.
        """
        if self._recipe is None:
            return (), 0
        entries: list[Entry] = []
        left = 0
        for row in walls:
            wall = _wall(row)
            pending: int = _row(tx, wall.number)["pending"]
            if pending > SMALL:
                left += pending
                continue
            first = 0
            while (due := derive.read_due(tx, wall.number, first=first)).nums:
                entries += self._bring(tx, wall, due, self._said(due))
                first = due.nums[-1] + 1
            left += _row(tx, wall.number)["pending"]
        return tuple(entries), left

    # -- views

    def _keeping(self, asked: Reach | None) -> Iterator[tuple[Sequence[Entry]]]:
        """Bring the views of a scope (of the whole file) up to its journal, one transaction a step."""
        while True:
            with self._store.read() as snapshot:
                rows = self._kept(snapshot, asked)
                late = [name for name in {row["tenant"]: None for row in rows} if keeping.behind(snapshot, name)]
                parts = {row["wall"]: keeping.stale_in(snapshot, row["wall"]) for row in rows}
            if late:
                with self._store.write() as tx:
                    keeping.fold(tx, late[0])
                yield ((),)
                continue
            row = next((row for row in rows if parts[row["wall"]]), None)
            if row is None:
                return
            yield (self._redo(row, keeping.next_of(parts[row["wall"]])),)

    def _redo(self, row: Row, keys: Sequence[str]) -> Sequence[Entry]:
        """Redo some views of a wall, analysed before the lock."""
        wall = _wall(row)
        with self._store.read() as snapshot:
            writings = list(dict.fromkeys(keeping.writings(snapshot, wall, keys)))
        documents, embedded = self._analysed_or_words(writings, [])
        with self._store.write() as tx:
            return self._redo_now(tx, wall, keys, dict(zip(writings, documents, strict=True)), embedded=embedded)

    def _redo_now(
        self,
        tx: Transaction,
        wall: Wall,
        keys: Sequence[str],
        documents: dict[Writing, Document],
        *,
        embedded: bool = True,
    ) -> Sequence[Entry]:
        embedder = self._embedder if embedded else None

        def document_of(writing: Writing) -> Document:
            return documents.get(writing) or analyse([writing], embedder)[0]

        changes = keeping.redone(tx, wall, keys, document_of)
        return commit(tx, changes, self._stamp(tx, wall.tenant, None, self._space if embedded else None)).entries

    def _redo_in(self, tx: Transaction, rows: Iterable[Row], *, erased: bool = False) -> tuple[Entry, ...]:
        """What follows for the views of walls from a change that takes something back, in its own transaction.

        Many are left to upkeep, unless something was `erased`: of that no name may stay behind.
        """
        entries: list[Entry] = []
        for row in rows:
            if keeping.is_kept(tx, row["tenant"]) and 0 < keeping.behind(tx, row["tenant"]) <= keeping.ROWS:
                keeping.fold(tx, row["tenant"])
            if erased or len(keeping.stale_in(tx, row["wall"])) <= FEW:
                entries += self._redo_stale(tx, row)
        return tuple(entries)

    def _redo_stale(self, tx: Transaction, row: Row) -> Iterator[Entry]:
        """Redo what is stale in a wall, in a transaction under way."""
        while parts := keeping.stale_in(tx, row["wall"]):
            yield from self._redo_now(tx, _wall(row), keeping.next_of(parts), {})

    def _kept(self, snapshot: Snapshot, asked: Reach | None) -> list[Row]:
        """The walls of a scope (of the whole file) whose views are kept up: where there is a recipe, or once was."""
        rows = self._walls(snapshot, asked)
        return [row for row in rows if self._recipe is not None or keeping.is_kept(snapshot, row["tenant"])]

    def _walls(self, snapshot: Snapshot, asked: Reach | None) -> list[Row]:
        return list(snapshot.rows("all_walls") if asked is None else lookup.seen(snapshot, asked).values())

    def _views_left(self, asked: Reach | None) -> list[str]:
        """What upkeep has left of views, for its caller."""
        with self._store.read() as snapshot:
            rows = self._kept(snapshot, asked)
            late = sum(keeping.behind(snapshot, name) for name in {row["tenant"] for row in rows})
            left = keeping.stale_count(snapshot, [row["wall"] for row in rows])
        if not left and not late:
            return []
        return [f"views are behind: {left} to be redone, {late} changes to be looked at; upkeep() goes on there"]

    def _said(self, due: derive.Due, progress: Progress | None = None) -> _Said:
        """What the episodes that are due say, analysed for the index."""
        assert self._recipe is not None
        told = derive.said_by(due.segments, self._recipe, progress)
        writings = list(dict.fromkeys(derive.writings_of(told.statements)))
        documents, embedded = self._analysed_or_words(writings, [])
        return _Said(told, dict(zip(writings, documents, strict=True)), embedded)

    def _bring(self, tx: Transaction, wall: Wall, due: derive.Due, said: _Said) -> Sequence[Entry]:
        """Bring what is derived to what the episodes say; those that changed meanwhile stay due."""
        assert self._recipe is not None
        now = lookup.latest_of(tx, list(due.revisions))
        same = [
            id_
            for id_, revision in due.revisions.items()
            if now[id_]["revision"] == revision and id_ not in said.told.failed
        ]
        embedder = self._embedder if said.embedded else None

        def document_of(writing: Writing) -> Document:
            if writing not in said.documents:  # words of a claim that was made before
                said.documents[writing] = analyse([writing], embedder)[0]
            return said.documents[writing]

        stamp = self._stamp(tx, wall.tenant, None, self._space if said.embedded else None)
        changes = derive.derived(
            tx,
            wall,
            same,
            {id_: said.told.statements[id_] for id_ in same if id_ in said.told.statements},
            derivation=self._recipe.name,
            document_of=document_of,
        )
        done = commit(tx, changes, stamp)
        if keeping.is_kept(tx, wall.tenant):  # of an edge more or less no journal tells
            keeping.mark_stale(tx, keeping.told_of(tx, same))
        gone = set(due.nums) - {row["num"] for row in now.values()}  # an erased one has nothing to say
        tx.run("drop_pending", wall=wall.number, nums=json.dumps([*gone, *(now[id_]["num"] for id_ in same)]))
        return done.entries

    def _say_nothing(self, where: Place, prepared: Sequence[Sequence[Piece]]) -> bool:
        """Whether nothing can be derived from these messages, which spares them a second transaction."""
        assert self._recipe is not None
        new = list(derive.turns_to_be(prepared, where, self._now()))
        if any(self._recipe.takes_back(turn.text) for turn in new):
            return False
        with self._store.read() as snapshot:
            wall = snapshot.row("wall_named", tenant=where.tenant, project=where.project, user=where.user)
            before = [] if wall is None else derive.last_turns(snapshot, wall["wall"], wall["size"], where)
        try:
            return not self._recipe.read([*before, *new], len(before))
        except ModelError:  # it will be told of when it fails again, after the messages have been kept
            return False

    # -- what the verbs share

    def _explained(self, view: View, query: str, limit: int, threshold: float | None, id: str) -> Explanation:
        """What `Results.explain` asks: the same search, on what the memory holds now."""
        with self._reader.scene(view) as scene:
            again = recall(
                scene,
                view,
                query,
                limit=limit,
                threshold=threshold,
                embedder=self._embedder,
                reranker=self._reranker,
                fitted=self._fitted,
            )
            return explained(
                scene,
                view,
                query,
                _id(id),
                again,
                embedder=self._embedder,
                reranker=self._reranker,
                fitted=self._fitted,
            )

    def _write(
        self,
        where: Place,
        author: str | None,
        decide: Callable[[Transaction, Wall, Stamp], Changes],
        started: float,
        *,
        space: str | None,
    ) -> Receipt:
        """One transaction in one wall."""
        with self._store.write() as tx:
            stamp = self._stamp(tx, where.tenant, author, space)
            wall = lookup.wall_for(tx, where.tenant, where.project, where.user)
            done = commit(tx, decide(tx, wall, stamp), stamp)
        return _timed(done, started)

    def _write_in(
        self,
        tenant: str,
        author: str | None,
        decide: Callable[[Transaction, Stamp], Changes],
        started: float,
        *,
        space: str | None,
        asked: Reach | None = None,
    ) -> Receipt:
        """One transaction on records that are there, with what follows from it for what is derived in a scope."""
        with self._store.write() as tx:
            stamp = self._stamp(tx, tenant, author, space)
            done = commit(tx, decide(tx, stamp), stamp)
            if asked is not None:
                derived, pending = self._derive_in(tx, lookup.seen(tx, asked).values())
                derived += self._redo_in(tx, lookup.seen(tx, asked).values())
                done = replace(done, derived=derived, pending=pending)
        return _timed(done, started)

    def _stamp(self, tx: Snapshot, tenant: str, author: str | None, space: str | None = None) -> Stamp:
        actor = author or self._author
        actor = None if actor is None else checked_text(actor, "author")
        return lookup.stamp_for(tx, tenant, self._now(), actor, space)

    def _act(self, verb: str, where: Place, wall: Wall, arguments: Mapping[str, Any], stamp: Stamp) -> Values:
        return write.act_of(verb, where, wall, arguments, receipt=stamp.receipt, author=stamp.actor, at=stamp.at)

    def _pieces(self, messages: Sequence[Message], notes: list[str]) -> tuple[list[list[Piece]], bool]:
        """Messages cut into passages and analysed; and whether they have vectors."""
        cuts = [self._passages(message.text) for message in messages]
        writings = [
            Writing(message.text[start:end])
            for message, spans in zip(messages, cuts, strict=True)
            for start, end in spans
        ]
        documents, embedded = self._analysed_or_words(writings, notes)
        prepared: list[list[Piece]] = []
        at = 0
        for message, spans in zip(messages, cuts, strict=True):
            whole = len(spans) == 1
            prepared.append(
                [
                    Piece(
                        message,
                        message.text[start:end],
                        None if whole else (number, start, end),
                        documents[at + number],
                    )
                    for number, (start, end) in enumerate(spans)
                ]
            )
            at += len(spans)
        return prepared, embedded

    def _passages(self, words: str) -> Sequence[tuple[int, int]]:
        if len(words) <= PASSAGE_TOKENS - 2 and words.isascii():
            return [(0, len(words))]  # a token has at least one character
        counter = self._counter
        if len(words) < 16 * PASSAGE_TOKENS and counter(words) <= PASSAGE_TOKENS:
            return [(0, len(words))]
        return text.passages(words, PASSAGE_TOKENS, counter)

    def _analysed(self, writings: Sequence[Writing]) -> list[Document]:
        return analyse(writings, self._embedder)

    def _analysed_or_words(self, writings: Sequence[Writing], notes: list[str]) -> tuple[list[Document], bool]:
        """Documents; by words alone, and said so, where the embedder fails."""
        try:
            return analyse(writings, self._embedder), True
        except ModelError as error:
            notes.append(f"the embedder failed, so these are found by words alone until rebuild() ({error})")
            return analyse(writings, None), False

    def _document(self, values: Values, notes: list[str]) -> tuple[Document, str | None]:
        documents, embedded = self._analysed_or_words([writing_of({**BLANK, **values})], notes)
        return documents[0], self._space if embedded else None

    def _tokens_of(self, writings: Sequence[Writing], space: str | None) -> list[Any] | None:
        embedder = self._embedder
        if embedder is not None and is_token_embedder(embedder) and space is not None and space == space_of(embedder):
            return [embedder.tokenize(writing.text) if writing.counted else [] for writing in writings]
        return None

    def _forget(self, walls: Iterable[int]) -> None:
        """Take erased words out of this process, too."""
        with self._cache.lock:
            self._cache.forget(walls)
        self._forget_words()

    def _forget_words(self) -> None:
        self._reader.forget()
        text.forget()
        denials.forget()
        if self._recipe is not None:
            self._recipe.forget()
        forget = getattr(self._embedder, "forget", None)
        if callable(forget):
            forget()

    @property
    def _space(self) -> str | None:
        return space_of(self._embedder)

    @property
    def _counter(self) -> TokenCounter:
        counter = getattr(self._embedder, "counter", None)
        return counter if isinstance(counter, TokenCounter) else pack.Bytes3()

    def _now(self) -> int:
        now = self._clock()
        if now.utcoffset() is None:
            raise ConfigError(f"the clock gave {now.isoformat()}, which has no time zone: use datetime.now(UTC)")
        return micros(now)

    def _asked_at(self, now: When | None) -> datetime:
        """When a question is asked, in its own zone: that is where its days begin."""
        if now is None:
            return moment(self._now()).astimezone(self._zone)
        start = interval(now, self._zone, "now").start
        zone = now.tzinfo if isinstance(now, datetime) else zone_of(now) if isinstance(now, str) else None
        return moment(start).astimezone(zone or self._zone or UTC)

    def _check_names(self, verb: Callable[..., Any], given: Mapping[str, object]) -> None:
        _refuse(verb, f"{verb.__name__}()", {name: value for name, value in given.items() if name not in PARTS})

    def _place(self, verb: Callable[..., Any], scope: ScopeArgs, *, shared: bool) -> Place:
        self._check_names(verb, scope)
        return place(narrowed(self._bound, cast("Mapping[str, Any]", scope)), shared)

    def _reach(self, verb: Callable[..., Any], scope: ScopeArgs, *, whole: bool = False) -> Reach:
        """The reach of a read: stamps of a bound scope belong to its writes. The `whole` file takes no scope."""
        self._check_names(verb, scope)
        named = [part for part in PARTS if self._bound.get(part) is not None or scope.get(part) is not None]
        if whole and named:
            raise ScopeError(
                f"{verb.__name__}(everything=True) is about the whole file, of everybody: "
                f"it contradicts {', '.join(named)}; leave out the one or the other"
            )
        walls = {part: value for part, value in self._bound.items() if part not in STAMPS}
        return reach(narrowed(walls, cast("Mapping[str, Any]", scope)))

    def _view(
        self,
        verb: Callable[..., Any],
        scope: ScopeArgs,
        now: When | None,
        as_of: When | None,
        known_at: When | None,
        include: str | Sequence[str],
        kinds: str | Sequence[str] | None,
        where: Mapping[str, Any] | None,
    ) -> View:
        return View(
            self._reach(verb, scope),
            self._now(),
            self._asked_at(now),
            None if as_of is None else interval(as_of, self._zone, "as_of").start,
            None if known_at is None else interval(known_at, self._zone, "known_at").start,
            included(include),
            _kinds(kinds),
            where,
        )

    def _validity(self, valid_from: When | None, valid_to: When | None) -> tuple[Any, int | None]:
        begins = None if valid_from is None else interval(valid_from, self._zone, "valid_from")
        ends = None if valid_to is None else interval(valid_to, self._zone, "valid_to").start
        if begins is not None and ends is not None and ends < begins.start:
            raise InputError(f"valid_to={valid_to} lies before valid_from={valid_from}")
        return begins, ends


# -- checking what was passed


def _refuse(verb: Callable[..., Any], name: str, unknown: Mapping[str, object]) -> None:
    if not unknown:
        return
    word = next(iter(unknown))
    signature = inspect.signature(verb).parameters.values()
    names = [p.name for p in signature if p.kind is not p.VAR_KEYWORD and p.name != "self"]
    names += PARTS if name != "Memory" else ()
    hint = nearest(word, names, _PEERS)
    raise ParameterError(f"{name} has no parameter '{word}'{hint or '; it has ' + ', '.join(names)}")


def _query(query: object) -> str:
    if not isinstance(query, str):
        raise InputError(f"query={query!r:.60} is {type(query).__name__}, not text")
    if not query.strip():
        raise InputError("query is empty: ask something, or use list() to see what is there")
    return query.encode("utf-8", "replace").decode()


def _count(name: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise InputError(f"{name}={value!r} is not possible: pass a whole number from 1 on")
    return value


def _share(name: str, value: Any) -> float | None:
    if value is not None and (isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1):
        raise InputError(f"{name}={value!r} is not possible: pass a number from 0 to 1")
    return None if value is None else float(value)


def _shown(results: Results, evidence: Sequence[Evidence]) -> list[int]:
    """The places of the hits that stand behind some evidence."""
    packed = {piece.id for piece in evidence}
    return [place for place, hit in enumerate(results) if pack.quoted(hit).id in packed]


class _DiscardedError(Exception):
    """Takes a transaction back that was only tried."""


@dataclass(frozen=True, slots=True)
class _Said:
    """What was read of episodes."""

    told: derive.Told
    documents: dict[Writing, Document]
    embedded: bool

    def notes(self) -> list[str]:
        """What the caller should know."""
        failed = self.told.failed
        if not failed:
            return []
        why = next(iter(failed.values()))
        return [f"of {len(failed)} messages nothing was derived, and they stay pending: {why}"]


def _recipe(given: object) -> derive.Recipe | None:
    if given is None or given == "none":
        return None
    if given == "rules":
        return derive.rules()
    if isinstance(given, derive.Recipe):
        return given
    raise ConfigError(f"recipe={given!r} is not known: 'rules', None for nothing, or a Recipe of your own")


def _seed(given: object) -> int | None:
    if given is None:
        return None
    if isinstance(given, bool) or not isinstance(given, int):
        raise ConfigError(f"exploration={given!r} is not possible: pass a whole number, the seed of its draws, or None")
    return given


def _ids(ids: str | Iterable[str]) -> tuple[str, ...]:
    if isinstance(ids, str):
        return (_id(ids),)
    if not isinstance(ids, Iterable):  # pyright: ignore[reportUnnecessaryIsInstance] - callers are not all type-checked
        return (_id(ids),)
    return tuple(_id(one) for one in ids)


def _id(given: object) -> str:
    if not isinstance(given, str) or not given.isprintable() or not given:
        raise InputError(f"{given!r} is not a record's id: pass the id of a hit, a record or a receipt's entry")
    return given


def _kinds(kinds: object) -> tuple[str, ...] | None:
    if kinds is None:
        return None
    found = (kinds,) if isinstance(kinds, str) else kinds
    if not isinstance(found, Iterable) or not all(isinstance(kind, str) for kind in cast("Iterable[object]", found)):
        raise InputError(f"kinds={kinds!r} is not possible: pass the name of a kind, or several")
    return tuple(cast("Iterable[str]", found))


def _names(names: object) -> str | None:
    if isinstance(names, str) or not isinstance(names, Iterable):
        one = "one text" if isinstance(names, str) else "no list"
        raise InputError(f"aliases={names!r} is {one}: pass a list of names")
    found = [checked_text(name, "an alias") for name in cast("Iterable[object]", names)]
    return json.dumps(found, ensure_ascii=False) if found else None


def _zone(given: str | tzinfo | None) -> tzinfo | None:
    if given is None or isinstance(given, tzinfo):
        return given
    try:
        return ZoneInfo(given)
    except (ZoneInfoNotFoundError, ValueError):
        raise ConfigError(
            f"timezone={given!r} is not known: use an IANA name such as 'Europe/Lisbon', or a tzinfo"
        ) from None


def _path(url: object) -> Path | None:
    if isinstance(url, Path):
        return url
    if not isinstance(url, str):
        raise ConfigError(f"{url!r:.60} is no path of a store: pass one such as 'agent.db', or ':memory:'")
    if url in (":memory:", "sqlite://", "sqlite:///:memory:"):
        return None
    scheme, found, rest = url.partition("://")
    if not found:
        if not url:
            raise ConfigError("the path of the store is empty: pass one such as 'agent.db', or ':memory:'")
        return Path(url)
    if scheme == "sqlite":
        return Path(rest.removeprefix("/") if not rest.startswith("//") else rest[1:])
    raise ConfigError(
        f"'{scheme}://' is no kind of store of this release: pass a path such as 'agent.db', or ':memory:'"
    )


def _wall(row: Any) -> Wall:
    return Wall(row["wall"], row["tenant"], row["project"], row["user"])


def _row(tx: Snapshot, wall: int) -> Any:
    return tx.row("wall_by_number", wall=wall)


def _timed(receipt: Receipt, started: float, notes: Iterable[str] = ()) -> Receipt:
    return replace(receipt, ms=round((clocks.perf_counter() - started) * 1000, 3), notes=(*receipt.notes, *notes))
