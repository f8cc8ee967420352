"""`Memory`: the one place where the parts are put together. Each verb is one page: check, decide, act."""

from __future__ import annotations

import inspect
import json
import time as clocks
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, tzinfo
from functools import partial
from importlib import import_module
from itertools import chain, islice
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar, Unpack, cast, overload
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from mnemic import (
    answer,
    around,
    decay,
    denials,
    derive,
    entities,
    exchange,
    fading,
    feedback,
    forgotten,
    journal,
    keeping,
    lookup,
    newer,
    pack,
    placing,
    rank,
    slots,
    text,
    ticket,
    write,
)
from mnemic.allowance import Allowance, Usage
from mnemic.analysis import Writing, analyse
from mnemic.background import Background
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
from mnemic.commit import commit, keep_names
from mnemic.erasure import erase as erase_records
from mnemic.errors import (
    PEERS,
    BusyError,
    ConfigError,
    ConflictError,
    InputError,
    ModelError,
    NotFoundError,
    ParameterError,
    ScopeError,
    nearest,
)
from mnemic.forgetting import Budget, Policy, policy_of
from mnemic.frame import FrameCache
from mnemic.messages import Message, checked_text, json_object, messages_of
from mnemic.models import wordllama
from mnemic.models.wrap import as_chat, as_embedder, as_reranker, is_token_embedder, one_server, space_of
from mnemic.ports import ChatModel, Clock, Embedder, TokenCounter
from mnemic.postings import EMPTY, Document
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
    Conflicts,
    Context,
    Diff,
    Entry,
    Evidence,
    Explanation,
    Neighbour,
    Page,
    Receipt,
    Record,
    Results,
    ScopeArgs,
    Spent,
    Stats,
    Steps,
)

if TYPE_CHECKING:
    from mnemic import telling
    from mnemic.consult import Asks, Kept
    from mnemic.importing import Door

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

EXAMPLES = 5
"""Changes of a wall that a rebuild tells word for word."""

When = datetime | date | str
Step = TypeVar("Step")
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

    `recipe` says what is derived from what is added: "rules" for the statements that rules can read out of it (facts,
    preferences, plans, …), "model" for those that the `model` reads (in `upkeep`, or in `add` with `wait=True`; what
    rules read stands in until then), "none" for nothing, or a `mnemic.derive.Recipe` of your own. None is "model" where
    there is one, else "rules".

    `model` answers what `ask` asks, derives, and tells the summaries of `upkeep` in its words: None for none,
    "http://…/v1#model" for any server of OpenAI's chat protocol, "anthropic:MODEL", an object with
    `complete(messages)`, or a function from a prompt to an answer; or one for each step, {"ask": …, "derive": …,
    "summarise": …}. Where "summarise" is not named it is the model that derives, if one does: with recipe "rules" no
    upkeep asks anybody unasked. `api_key` is the key of the one server that is named. `allowance` (see
    `mnemic.allowance`) limits what deriving and summing up may cost: for a call, a user and a day; None for no limit.

    `background=True` does `upkeep` of the whole file in a thread, after each write; `wait` waits for it. Without it
    there is no thread: whoever wants upkeep calls it.

    `forgetting` says what becomes of what is not used again, at each `upkeep`: None for nothing, "ebbinghaus", "fsrs",
    "age", "budget:10000" (records), or a policy of `mnemic.forgetting`.

    Threads may share one; each process opens its own. Use it as a context manager, or call `close`.
    Raises StoreError (see `mnemic.errors`) when the file cannot be used, ConfigError for settings that cannot be.
    """

    def __new__(cls, url: object = "", **_: Any) -> Self:
        """A file's memory; for the address of a server the one that asks it (see `mnemic.client`)."""
        if cls is Memory and isinstance(url, str) and url.startswith(("http://", "https://")):
            return object.__new__(cast("type[Self]", import_module("mnemic.client").RemoteMemory))
        return object.__new__(cls)

    def __init__(  # pyright: ignore[reportInconsistentConstructor]
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
        allowance: Allowance | None = None,
        background: bool = False,
        forgetting: object = None,
        cache_bytes: int = CACHE_BYTES,
        api_key: str | None = None,
        **unknown: object,
    ) -> None:
        _refuse(type(self).__init__, "Memory", unknown)
        self._clock: Clock = clock or (lambda: datetime.now(UTC))
        self._zone = _zone(timezone)
        self._author = author
        reads = wordllama.find() if embedder is None else as_embedder(embedder, api_key=api_key)
        one_server(api_key, embedder, reranker, *_each(model))
        self._reranker = as_reranker(reranker, api_key=api_key)
        self._exploration = _seed(exploration)
        self._allowance = _allowance(allowance)
        models = _models(model, api_key)
        self._used = _Used.of(models, _recipe(recipe, models.get("derive"), self._allowance), self._allowance)
        self._forgetting = policy_of(forgetting)
        self._fitted = None if ranking is None else rank.fitted_file(Path(ranking))
        self._store = SqliteStore(_path(url), read_only=read_only)
        self._cache = FrameCache(reads, cache_bytes, self._forget_words)
        self._reader = Reader(self._store, self._cache, derives=self._recipe is not None)
        self._background = Background(self._upkept) if background and not read_only else None
        self._bound: dict[str, Any] = {}

    __new__.__wrapped__ = __init__  # pyright: ignore[reportFunctionMemberAccess] - whose parameters help() shows

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
        settled = (
            self._recipe is not None and self._recipe.asks is None and small and self._say_nothing(where, prepared)
        )
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
        until its successor begins. The same statement again changes nothing; with another key it is another record.
        Raises InputError, NotFoundError.
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

    def merge(
        self,
        ids: str | Sequence[str],
        *,
        into: str,
        author: str | None = None,
        **scope: Unpack[ScopeArgs],
    ) -> Receipt:
        """Entities are one: what is said of those with these ids is said of the one with the id `into`.

        Their names become its aliases, and statements about them compete: where Mel lives and where Melanie does. Kept
        as an act, which `undo` takes back; `split` takes single names out again. Ids are of records of kind "entity"
        that were derived in one scope. The receipt's `derived` tells what changed. Raises InputError, NotFoundError,
        ConflictError.
        """
        started = clocks.perf_counter()
        asked = self._reach(self.merge, scope)
        named, target = _ids(ids), _id(into)

        def decide(tx: Transaction, stamp: Stamp) -> Changes:
            walls = lookup.seen(tx, asked)
            (one,) = lookup.wanted(tx, [target], walls, asked)
            wall = _wall(walls[one["wall"]])
            act = self._act("merge", Place(wall.tenant, wall.project, wall.user), wall, {}, stamp)
            rows = lookup.wanted(tx, named, walls, asked)
            return self._named(entities.merged(tx, wall, rows, one, act, {"ids": named, "into": target}))

        return self._write_in(asked.tenant, author, decide, started, space=None, asked=asked)

    def split(
        self,
        id: str,
        *,
        names: str | Sequence[str],
        author: str | None = None,
        **scope: Unpack[ScopeArgs],
    ) -> Receipt:
        """Names of an entity are another's: they leave it and become one of their own, with what is said of them.

        `names` are aliases of the entity with this id, whether they came to it by what was said or by `merge`. Kept as
        an act, which `undo` takes back. Raises InputError for a name that it does not have, NotFoundError,
        ConflictError.
        """
        started = clocks.perf_counter()
        asked = self._reach(self.split, scope)
        given = [checked_text(name, "a name") for name in ([names] if isinstance(names, str) else names)]
        if not given:
            raise InputError("split() was given no name: pass names=…, aliases of the entity")

        def decide(tx: Transaction, stamp: Stamp) -> Changes:
            walls = lookup.seen(tx, asked)
            (row,) = lookup.wanted(tx, [_id(id)], walls, asked)
            wall = _wall(walls[row["wall"]])
            act = self._act("split", Place(wall.tenant, wall.project, wall.user), wall, {}, stamp)
            return self._named(entities.split(tx, wall, row, given, act, {"id": id, "given": given}))

        return self._write_in(asked.tenant, author, decide, started, space=None, asked=asked)

    def _named(self, changes: Changes) -> Changes:
        if self._recipe is None:
            changes.notes.append("it takes effect when a memory that derives (recipe=…) does its upkeep")
        return changes

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
        return self._woken(_timed(replace(done, derived=derived, pending=pending), started, notes))

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
        left: list[str] = []
        with self._store.read() if dry_run else self._store.write() as tx:
            visible = lookup.seen(tx, request.reach)
            for tenant, reasons, held in exchange.to_erase(tx, request):
                stamp = self._stamp(tx, tenant, author)
                walls |= set(held.values())
                left += exchange.left_said(tx, list(reasons), visible) if request.ids else ()
                if dry_run:
                    kinds = exchange.kinds_of(tx, list(reasons))
                    entries = [Entry(i, "erased", why) for i, why in reasons.items() if kinds[i] != "act"]
                else:
                    decay.tell_under(cast("Transaction", tx), reasons)
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
        notes = self._purged(walls) if not dry_run and receipts else []
        if left:
            notes.append(
                f"what it rests on has been kept, and says it still: to erase that, too, name {', '.join(left)}"
            )
        done = exchange.together(receipts, "erase", self._author, self._now())
        return self._woken(_timed(replace(done, derived=derived, pending=pending), started, notes))

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
        "superseded", "expired", "retired", "quarantined" or "faded" records. `now` is when the question is asked and
        filters nothing; `as_of` asks what was true then, `known_at` what was believed then. `precise` gives the
        records whose subject or an alias the question names, and nothing else (see `mnemic.precise`). Raises
        InputError, ScopeError.
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
        model = self._used.models.get("ask")
        if model is not None:
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
                    model,
                    view.asked_at,
                    least=least,
                    check_by_model=check == "model",
                )
            except ModelError as error:
                notes = (f"the model failed, so this is an extract ({error})",)
        slot = slots.asked(asked)
        with self._reader.scene(view) as scene:
            looked_for = [asked] if slot is None else [asked, slot.beginnings[0]]
            found = [
                recall(
                    scene,
                    view,
                    words,
                    limit=answer.HITS,
                    threshold=None,
                    embedder=self._embedder,
                    reranker=self._reranker,
                    fitted=self._fitted,
                )
                for words in looked_for
            ]
        told = None if slot is None else answer.stated(slot, *found, then=view.as_of is not None)
        if told is None or (told.confidence or 0.0) < least:
            results = found[0] if slot is None else answer.without_others(slot, found[0])
            told = answer.extracted(results, self._embedder, self._zone or UTC, least=least)
        return replace(told, notes=(*notes, *told.notes))

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
            state = fading.state_with(snapshot, row, state, at)
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
        _order(order)
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

    def journal(
        self,
        *,
        after: str | None = None,
        order: str = "oldest",
        limit: int = 100,
        **scope: Unpack[ScopeArgs],
    ) -> Steps:
        """What was done in a scope, call by call, oldest first (or `order="newest"`): who changed which records, when.

        `after` is the receipt of a step: it goes on behind that one, so whoever keeps the last one misses nothing.
        Raises NotFoundError for one that changed nothing in this scope.
        """
        asked = self._reach(self.journal, scope)
        newest = _order(order) == "newest"
        with self._store.read() as snapshot:
            at = None if after is None else _id(after)
            found = journal.steps_of(snapshot, asked, _count("limit", limit), at, newest_first=newest)
        return Steps(*found)

    def links(self, id: str, *, limit: int = 100, **scope: Unpack[ScopeArgs]) -> tuple[Neighbour, ...]:
        """The records that are joined to this one: what it rests on, takes the place of or contradicts, and what does
        that to it. Raises NotFoundError."""
        asked = self._reach(self.links, scope)
        with self._store.read() as snapshot:
            return around.neighbours(snapshot, _id(id), asked, self._now(), _count("limit", limit))

    def conflicts(self, *, limit: int = 100, after: str | None = None, **scope: Unpack[ScopeArgs]) -> Conflicts:
        """The pairs of current records that contradict each other, a page at a time: retire the one that is wrong, or
        say anew what is right."""
        asked = self._reach(self.conflicts, scope)
        with self._store.read() as snapshot:
            return around.conflicts(snapshot, asked, self._now(), _count("limit", limit), after)

    def spending(self, *, since: When | None = None, **scope: Unpack[ScopeArgs]) -> tuple[Spent, ...]:
        """What models have cost the users of a scope, by day (UTC), the latest first."""
        asked = self._reach(self.spending, scope)
        first = "" if since is None else f"{moment(interval(since, self._zone, 'since').start):%Y-%m-%d}"
        with self._store.read() as snapshot:
            return around.spent(snapshot, asked, first)

    def stats(self, *, everything: bool = False, **scope: Unpack[ScopeArgs]) -> Stats:
        """Counts of what a scope holds; `everything=True` for the whole file."""
        asked = self._reach(self.stats, scope, whole=everything)
        with self._store.read() as snapshot:
            now = lookup.present(snapshot, asked.tenant, self._now())
            return journal.stats(snapshot, None if everything else asked, now, self._store.size(), self._space)

    # -- the whole

    @overload
    def export(
        self, path: None = None, *, format: str = "jsonl", everything: bool = False, **scope: Unpack[ScopeArgs]
    ) -> Iterator[str]: ...
    @overload
    def export(
        self, path: str | Path, *, format: str = "jsonl", everything: bool = False, **scope: Unpack[ScopeArgs]
    ) -> int: ...
    def export(
        self,
        path: str | Path | None = None,
        *,
        format: str = "jsonl",
        everything: bool = False,
        **scope: Unpack[ScopeArgs],
    ) -> Iterator[str] | int:
        """Everything of a scope's own (or of the whole file) as JSON Lines, with all revisions and links, lossless.

        Without `path` the lines are yielded; with it they are written there, and their number is returned. An
        `import_` of them into an empty store gives the same records, history and answers.

        With `format="markdown"` `path` is a folder, for reading: sessions, subjects, views, linked. An `import_` of it
        into an empty store gives the same current records, without their history. Returns the number of files. Raises
        InputError where the folder holds others, ConflictError where a file was edited since the last export.
        """
        asked = self._reach(self.export, scope, whole=everything)
        if format == "markdown":
            if path is None:
                raise InputError("export(format='markdown') writes a folder: name one")
            return exchange.export_folder(self._store, asked, Path(path), everything=everything)
        if format != "jsonl":
            raise InputError(f"format={format!r} is not known: 'jsonl', or 'markdown' for a folder")
        lines = exchange.export_lines(self._store, asked, everything=everything)
        if path is None:
            return lines
        return exchange.write_lines(Path(path), lines)

    def import_(
        self,
        source: str | Path | Iterable[str],
        *,
        format: str | None = None,
        only: str | None = None,
        columns: Mapping[str, str] | None = None,
        dry_run: bool = False,
        progress: Progress | None = None,
        shared: bool = False,
        author: str | None = None,
        **scope: Unpack[ScopeArgs],
    ) -> Receipt:
        """Take over what `export` wrote: a path, or an iterable of lines. What is already there is left as it is.

        With a scope, only lines of that scope are accepted. Raises InputError, naming the line, and changes nothing.

        Or what another system wrote: "chatgpt", "claude", "mem0", "graphiti", "letta", "mcp", "markdown", "jsonl" or
        "csv", told apart by what is in it unless `format` names one. That becomes the scope's, in batches, each whole
        or not at all: broken off and called again it goes on, and twice changes nothing. Its `source` is "import", its
        metadata say where it is from; what is left out is told in the receipt's notes. `only` takes the items of one
        user or group of the source; `columns` maps ours to those of a table, {"text": "body"}. `dry_run=True` says what
        would come. `progress(done, of)` is called after each batch.
        """
        started = clocks.perf_counter()
        if exchange.is_export(source, format):
            if only is not None or columns or shared:
                raise InputError(
                    "only, columns and shared are for other systems' exports: one of ours says whose it is"
                )
            return self._import_own(source, author, scope, started, dry_run=dry_run)
        from mnemic import importers, importing  # with a reader for each format: only who imports waits for them

        found = importers.find(cast("str | Path", source), format, columns)
        door = self._door(
            self._place(self.import_, scope, shared=shared), scope, author, shared=shared, dry_run=dry_run
        )
        return _timed(importing.take_over(found, door, only=only, progress=progress), started)

    def _import_own(
        self, source: str | Path | Iterable[str], author: str | None, scope: ScopeArgs, started: float, *, dry_run: bool
    ) -> Receipt:
        named = any(value is not None for value in scope.values()) or self._bound
        asked = self._reach(self.import_, scope) if named else None
        source = exchange.own_lines(source, self._now())
        if dry_run:
            return _timed(exchange.would_import(self._store, source, asked, author or self._author, self._now), started)
        done = exchange.import_lines(
            self._store, source, asked, self._analysed, self._space, author or self._author, self._now
        )
        return self._woken(_timed(self._settled(done, asked, started), started))

    def _door(self, where: Place, scope: ScopeArgs, author: str | None, *, shared: bool, dry_run: bool) -> Door:
        """What an import from another system may do here."""
        from mnemic.importing import Door

        mine, actor = reach_of(where), author or self._author

        def add(messages: Sequence[Mapping[str, Any]]) -> Receipt:
            if dry_run:
                return self._would_add(messages, where)
            return self.add(messages, shared=shared, author=author, **scope)

        def keep(lines: Iterable[str]) -> Receipt:
            if dry_run:
                return exchange.would_import(self._store, lines, mine, actor, self._now)
            done = exchange.import_lines(self._store, lines, mine, self._analysed, self._space, actor, self._now)
            return self._woken(done)

        def held(ids: Sequence[str]) -> Mapping[str, Values]:
            with self._store.read() as snapshot:
                return lookup.latest_of(snapshot, ids)

        def update(id: str, fields: Mapping[str, Any]) -> Receipt:
            if dry_run:
                return Receipt("", "import", moment(self._now()), (Entry(id, "revised", "told otherwise"),))
            return self.update(id, author=author, **fields, **scope)

        return Door(where, self._zone or UTC, self._now, add, keep, held, update, actor, dry_run)

    def _would_add(self, messages: Sequence[Mapping[str, Any]], where: Place) -> Receipt:
        """What adding messages would do: decided as `add` decides it, and not written."""
        given = messages_of(messages, zone=self._zone)
        pieces = [[Piece(message, message.text, None, EMPTY)] for message in given]
        with self._store.read() as snapshot:
            at = lookup.present(snapshot, where.tenant, self._now())
            row = snapshot.row("wall_named", tenant=where.tenant, project=where.project, user=where.user)
            wall = Wall(-1, where.tenant, where.project, where.user) if row is None else _wall(row)
            changes = write.added(
                cast("Transaction", snapshot), wall, where, pieces, author=None, idempotency_key=None, at=at
            )
        return Receipt("", "import", moment(at), tuple(changes.entries), dry_run=True)

    def rebuild(
        self,
        *,
        recipe: object = None,
        model: object = None,
        embedder: object = None,
        api_key: str | None = None,
        dry_run: bool = False,
        everything: bool = False,
        progress: Progress | None = None,
        **scope: Unpack[ScopeArgs],
    ) -> Receipt:
        """Make anew all that is made from episodes and acts: the index, the vectors, and what is derived.

        With the `recipe`, `model` and `embedder` given (as `Memory` takes them; a model alone means recipe "model"),
        which this memory then goes on with; else with those that it has. For a scope's own walls, or for the whole file
        with `everything=True`. What is derived is read beside the old and takes its place in one transaction a wall;
        the old is retired, so `known_at` before still answers. A model's answers are read again: it is asked only for
        what has changed. `dry_run=True` changes nothing, but keeps what a model answers: the receipt's `derived` says
        what would become of each derived record, its notes give examples. `progress(done, of)` is called as episodes
        are read. Raises ModelError when the embedder fails; the old index stays then.
        """
        started = clocks.perf_counter()
        asked = self._reach(self.rebuild, scope, whole=everything)
        owned = None if everything else asked
        other = self._with(recipe, model, embedder, api_key)
        done = other._rebuilt(owned, progress, started, dry_run=dry_run)
        if not dry_run:
            self._used.take_over(other._used)
            if other._cache is not self._cache:
                self._cache.use(other._embedder)
        return done

    def _with(self, recipe: object, model: object, embedder: object, api_key: str | None) -> Memory:
        """The same memory with another recipe, model or embedder."""
        one_server(api_key, embedder, *_each(model))
        other = object.__new__(type(self))
        other.__dict__.update(self.__dict__)
        other._used = replace(self._used)
        if recipe is not None or model is not None:
            models = self._used.models if model is None else _models(model, api_key)
            name = ("model" if models.get("derive") else self._used.recipe) if recipe is None else recipe
            other._used = _Used.of(models, _recipe(name, models.get("derive"), self._allowance), self._allowance)
        if embedder is not None:
            other._cache = FrameCache(as_embedder(embedder, api_key=api_key), 0, self._forget_words)
        return other

    def _rebuilt(self, owned: Reach | None, progress: Progress | None, started: float, *, dry_run: bool) -> Receipt:
        if dry_run:
            done = replace(exchange.together((), "rebuild", self._author, self._now()), dry_run=True)
        else:
            done = exchange.rebuild(self._store, owned, self._analysed, self._space, self._author, self._now)
        entries: list[Entry] = []
        examples: list[str] = []
        run = _Run(None)
        for wall in exchange.walls_of(self._store, owned, "rebuild()") if self._recipe is not None else ():
            entries += self._derive_anew(wall, run, examples, progress, dry_run=dry_run)
        return _timed(run.told(replace(done, derived=tuple(entries))), started, examples)

    def _derive_anew(
        self, row: Row, run: _Run, examples: list[str], progress: Progress | None, *, dry_run: bool
    ) -> Sequence[Entry]:
        """Derive anew from every episode of a wall, in one transaction, which a dry run takes back.

        Where that leaves summaries that a model has not told yet, it is taken back, the model asked, and done again.
        """
        with self._store.read() as snapshot:
            due = derive.read_all(snapshot, row["wall"], row["size"])
        said = self._said(_wall(row), due, run, progress)
        entries, texts, untold = self._brought_anew(row, due, said, dry_run=dry_run)
        if untold:
            self._ask_to_tell(untold, run)
            entries, texts, _ = self._brought_anew(row, due, said, dry_run=dry_run, asks=False)
        examples += texts
        return entries

    def _brought_anew(
        self, row: Row, due: derive.Due, said: _Said, *, dry_run: bool, asks: bool = True
    ) -> tuple[Sequence[Entry], list[str], Sequence[telling.Question]]:
        """What becomes of a wall's derived records: the changes, examples of them, and what a model should tell yet.

        Nothing has changed where it is a dry run, or where there is something to tell, unless that is not to be asked.
        """
        entries: tuple[Entry, ...] = ()
        examples: list[str] = []
        untold: Sequence[telling.Question] = ()
        try:
            with self._store.write() as tx:
                entries = tuple(self._bring(tx, _wall(row), due, said))
                entries += self._redo_all(tx, row)
                texts = lookup.latest_of(tx, [entry.id for entry in entries[:EXAMPLES]])
                examples += [f"{entry.action}: {texts[entry.id]['text']}" for entry in entries[:EXAMPLES]]
                if asks:
                    untold = self._questions(tx, [(row, key) for key in keeping.untold_in(tx, row["wall"])])
                if dry_run or untold:
                    raise _DiscardedError
        except _DiscardedError:
            pass
        return entries, examples, untold

    def _redo_all(self, tx: Transaction, row: Row) -> tuple[Entry, ...]:
        """Make every view of a wall anew, where views are kept up."""
        if not keeping.is_kept(tx, row["tenant"]):
            return ()
        keeping.mark_all(tx, row["wall"])
        embedding = self._embedding
        while embedding is not None and placing.is_behind(tx, row, embedding):
            keeping.mark_stale(tx, placing.place(tx, row["wall"], placing.read(tx, row, embedding), embedding))
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
        if self._background is not None:
            self._background.close()
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
        """Derive from the episodes that nothing has been derived from yet; then forget; then keep up the views.

        Where a model tells summaries, they are extracts first, and it is then asked about those that have changed; a
        note says how many are still told in extracts, and why.

        What is forgotten is the memory's policy's (`Memory(forgetting=…)`): the receipt's entries tell what it let
        fade, or brought back, and its `id` takes that back (`undo`; where a note names several, each its own part).
        Views are the profile of the user, the state of each subject, commitments, open questions, summaries and topics:
        records with keys. The receipt's `derived` tells of statements, its `views` of these.

        For the walls of a scope, or for the whole file with `everything=True`. With `budget_ms` it stops after about so
        many milliseconds; the receipt says what is still `pending`, a note how many views are to be redone, and the
        next call goes on there, in whatever process. Raises ScopeError.
        """
        started = clocks.perf_counter()
        asked = self._reach(self.upkeep, scope, whole=everything)
        whose = None if everything else asked
        entries: list[Entry] = []
        run = _Run(None if budget_ms is None else started + budget_ms / 1000.0)
        due = self._due(whose)
        run.progress, run.total = progress, sum(row["pending"] for row in due)
        for done, many in run.within(self._deriving_all(due, run)):
            entries += done
            run.gone += many
            run.tell(0)
        steps: Iterator[Receipt | None] = iter(())
        if self._forgetting is not None:
            steps = self._fading(whose, self._forgetting, run.notes)
        faded = [receipt for receipt in run.within(steps) if receipt is not None]
        views = [entry for done in run.within(self._keeping(whose)) for entry in done]
        told = list(chain.from_iterable(run.within(self._telling(whose, run))))
        views = _merged(views, told) if told else views
        if run.is_over():
            run.notes += self._views_left(whose)
        run.untold = self._untold(whose)
        receipt = decay.told(faded, exchange.together((), "upkeep", self._author, self._now()))
        return _timed(run.told(replace(self._with_derived(receipt, whose, entries), views=tuple(views))), started)

    def _woken(self, receipt: Receipt) -> Receipt:
        """A write's receipt, after which the thread in the background has something to do: and what troubled it.

        It also says where the write is recorded at a time that is still to come.
        """
        notes = [*lookup.to_come(micros(receipt.at), self._now())]
        if self._background is not None:
            self._background.wake()
            trouble = self._background.trouble()
            notes += [f"upkeep in the background failed, and goes on: {trouble}"] if trouble else []
        return replace(receipt, notes=(*receipt.notes, *notes)) if notes else receipt

    def _upkept(self) -> int:
        """What the thread in the background does: all that is pending; how much is left."""
        plain = object.__new__(type(self))  # of the whole file, whatever this memory is bound to
        plain.__dict__.update(self.__dict__)
        plain._bound = {}
        return plain.upkeep(everything=True).pending + plain._untold(None)

    def wait(self, seconds: float | None = None, **unknown: object) -> bool:
        """Wait for the thread in the background, if there is one: whether it has done all within these seconds."""
        _refuse(self.wait, "wait()", unknown)
        return self._background is None or self._background.wait(seconds)

    def _fading(self, asked: Reach | None, policy: Policy, notes: list[str]) -> Iterator[Receipt | None]:
        """Let fade, in the walls of a scope (of the whole file), what a policy says, one part and transaction a step.

        Each step gives its receipt; None where nothing changed.
        """
        with self._store.read() as snapshot:
            walls = self._walls(snapshot, asked)
            late = [name for name in sorted({row["tenant"] for row in walls}) if decay.behind(snapshot, name)]
        for tenant in late:
            with self._store.write() as tx:
                decay.tell(tx, tenant)
        for row in walls:
            with self._store.read() as snapshot:
                at = lookup.present(snapshot, row["tenant"], self._now())
                parts = decay.due(snapshot, row, policy, at)
                within = decay.kept(snapshot, row, policy, at) if parts and isinstance(policy, Budget) else None
            for part in parts if within is None else within:
                yield from self._fade(row, part, policy, within, notes)

    def _fade(
        self, row: Row, part: int, policy: Policy, within: Mapping[int, Any] | None, notes: list[str]
    ) -> Iterator[Receipt | None]:
        """Let fade what a policy says in a part of a wall; what it wants erased goes in the same transaction."""
        erased = ()
        with self._store.write() as tx:
            stamp = self._stamp(tx, row["tenant"], None)
            found = decay.look(tx, row, part, policy, stamp.at, within)
            done = commit(tx, found.changes, stamp) if found.changes else None
            decay.looked(tx, row["wall"], part, policy, found)
            decay.coarsen(tx, row)
            if found.erase:
                stamp = self._stamp(tx, row["tenant"], None)
                decay.tell_under(tx, found.erase)
                erased = erase_records(tx, found.erase, row["tenant"], stamp, self._tokens_of)
                self._derive_in(tx, [row])
                self._redo_in(tx, [row], erased=True)
        yield done
        if erased:
            notes += self._purged([row["wall"]])
            yield Receipt(stamp.receipt, "erase", moment(stamp.at), tuple(erased), stamp.actor)

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
        run = _Run(None, asks=wait)
        try:
            for row in self._due(asked):
                # What waits for a model is read by rules only once.
                at = 0 if row["pending"] <= SMALL and self._recipe.asks is None else first
                if at is not None and not wait:
                    entries += chain.from_iterable(more for more, _ in self._deriving(row, at, run))
            if wait:
                entries += chain.from_iterable(more for more, _ in self._deriving_all(self._due(asked), run))
        except BusyError:  # what was said is kept
            notes.append("another writer, which does not get on, stood in the way of deriving")
        settled = run.told(self._with_derived(done, asked, entries))
        if settled.pending and not run.failed and self._background is None:
            waits = "nothing has been derived yet from" if self._recipe.asks is None else "the model has not read yet"
            notes.append(f"{waits} what is pending: upkeep does that")
        return _timed(settled, started, notes)

    def _with_derived(self, receipt: Receipt, asked: Reach | None, entries: Sequence[Entry]) -> Receipt:
        """A receipt with what was derived, and what is still pending in a scope (in the whole file)."""
        return replace(receipt, derived=tuple(entries), pending=sum(row["pending"] for row in self._due(asked)))

    def _due(self, asked: Reach | None) -> list[Row]:
        """The walls of a scope (of the whole file) in which something is pending."""
        with self._store.read() as snapshot:
            return [row for row in self._walls(snapshot, asked) if row["pending"]]

    def _deriving(self, row: Row, first: int, run: _Run) -> Iterator[tuple[Sequence[Entry], int]]:
        """Derive from the episodes that are due in a wall, from a document on, one transaction a step.

        Each step gives what changed, and from how many episodes it was.
        """
        wall = _wall(row)
        while self._recipe is not None:
            with self._store.read() as snapshot:
                due = derive.read_due(snapshot, wall.number, self._recipe, first=first)
            if not due.nums:
                return
            said = self._said(wall, due, run)
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
            while (due := derive.read_due(tx, wall.number, self._recipe, first=first)).nums:
                said = self._analysed_said(self._told_at_once(tx, wall, due))
                entries += self._bring(tx, wall, due, said)
                first = due.nums[-1] + 1
            left += _row(tx, wall.number)["pending"]
        return tuple(entries), left

    def _deriving_all(self, rows: Sequence[Row], run: _Run) -> Iterator[tuple[Sequence[Entry], int]]:
        """Derive from all that is due in some walls, as `_deriving` does.

        A model is asked about several walls at once: many users with little to say each are as fast as one with much.
        """
        if self._recipe is None or self._recipe.asks is None:
            yield from chain.from_iterable(self._deriving(row, 0, run) for row in rows)
            return
        waiting = deque((_wall(row), 0) for row in rows)
        while waiting:
            works: list[tuple[Wall, derive.Due]] = []
            room = derive.BATCH
            with self._store.read() as snapshot:
                while waiting and room > 0:
                    wall, first = waiting.popleft()
                    due = derive.read_due(snapshot, wall.number, self._recipe, room, first)
                    if due.nums:
                        works.append((wall, due))
                        room -= len(due.nums)
            for (wall, due), told in zip(works, self._consulted(works, run), strict=True):
                said = self._analysed_said(told)
                with self._store.write() as tx:
                    entries = self._bring(tx, wall, due, said)
                waiting.append((wall, due.nums[-1] + 1))
                yield entries, len(due.nums)

    def _consulted(
        self, works: Sequence[tuple[Wall, derive.Due]], run: _Run, progress: Progress | None = None
    ) -> list[derive.Told]:
        """What the model says of episodes that are due in some walls."""
        from mnemic import consult  # with the reading of answers: only who asks a model waits for it

        assert self._recipe is not None
        assert self._recipe.asks is not None
        told = consult.told(
            self._store.read,
            works,
            self._recipe.asks,
            self._recipe,
            at=self._now(),
            call=run.usage,
            keeps=partial(self._keep, self._recipe.asks),
            until=run.until,
            progress=progress or run.tell,
        )
        for one in told:
            run.take(one)
        return told

    # -- views

    def _keeping(self, asked: Reach | None) -> Iterator[Sequence[Entry]]:
        """Bring the views of a scope (of the whole file) up to its journal, one transaction a step."""
        embedding = self._embedding
        while True:
            with self._store.read() as snapshot:
                rows = self._kept(snapshot, asked)
                late = [name for name in {row["tenant"]: None for row in rows} if keeping.behind(snapshot, name)]
                unplaced = None if embedding is None else self._unplaced(snapshot, rows, embedding)
                parts = {row["wall"]: keeping.stale_in(snapshot, row["wall"], self._means) for row in rows}
            if late:
                with self._store.write() as tx:
                    keeping.fold(tx, late[0])
                yield ()
                continue
            if unplaced is not None and embedding is not None:
                self._place_turns(unplaced, embedding)
                yield ()
                continue
            row = next((row for row in rows if parts[row["wall"]]), None)
            if row is None:
                return
            yield self._redo(row, keeping.next_of(parts[row["wall"]]))

    def _unplaced(self, snapshot: Snapshot, rows: Sequence[Row], embedding: placing.Embedding) -> Row | None:
        """A wall whose turns have not all been placed in topics."""
        return next((row for row in rows if placing.is_behind(snapshot, row, embedding)), None)

    def _place_turns(self, row: Row, embedding: placing.Embedding) -> None:
        """Place some turns of a wall in topics, their vectors made before the lock."""
        with self._store.read() as snapshot:
            batch = placing.read(snapshot, row, embedding)
        with self._store.write() as tx:
            keeping.mark_stale(tx, placing.place(tx, row["wall"], batch, embedding))

    @property
    def _embedding(self) -> placing.Embedding | None:
        """Vectors for topics: of an embedder that is at hand, asked for every turn once more."""
        space = self._space
        if space is None or self._embedder is None or not is_token_embedder(self._embedder):
            return None
        return placing.Embedding(space, self._embedder.embed_documents)

    @property
    def _means(self) -> keeping.Means:
        """What views are made with: vectors, and a model's kept answers."""
        embedding, teller = self._embedding, self._used.teller
        embed = None if embedding is None else embedding.embed
        if teller is None:
            return keeping.Means(embed)
        from mnemic import telling  # with the reading of answers: only who asks a model waits for it

        return keeping.Means(embed, partial(telling.told, teller))

    def _telling(self, asked: Reach | None, run: _Run) -> Iterator[Sequence[Entry]]:
        """Have those summaries of a scope (of the whole file) told by the model that are extracts, some a step."""
        if self._used.teller is None:
            return
        from mnemic import telling

        with self._store.read() as snapshot:
            rows = self._kept(snapshot, asked)
            untold = [(row, key) for row in rows for key in keeping.untold_in(snapshot, row["wall"])]
        for first in range(0, len(untold), telling.BATCH):
            with self._store.read() as snapshot:
                questions = self._questions(snapshot, untold[first : first + telling.BATCH])
            asks = {(one.wall.number, one.extract.key) for one in questions}
            answered = {(row["wall"], key) for row, key in untold[first : first + telling.BATCH]} - asks
            if answered:  # by a model that was not at hand when they were redone
                with self._store.write() as tx:
                    keeping.mark_stale(tx, answered)
            self._ask_to_tell(questions, run)
            yield from self._keeping(asked)

    def _questions(self, snapshot: Snapshot, untold: Iterable[tuple[Row, str]]) -> Sequence[telling.Question]:
        """What is to be asked about summaries that are extracts."""
        if self._used.teller is None:
            return ()
        from mnemic import telling

        return telling.questions(snapshot, ((_wall(row), key) for row, key in untold), self._used.teller)

    def _ask_to_tell(self, questions: Sequence[telling.Question], run: _Run) -> None:
        """Ask a model about summaries, and keep what it answers; they are stale then."""
        from mnemic import telling

        assert self._used.teller is not None
        run.take_told(
            telling.ask(
                self._store.read,
                questions,
                self._used.teller,
                at=self._now(),
                call=run.usage,
                keeps=partial(self._keep_told, self._used.teller),
                until=run.until,
            )
        )

    def _keep_told(self, teller: Asks, wall: Wall, kept: Sequence[telling.Kept]) -> None:
        """Keep a model's answers at once, and note what they tell as stale."""
        from mnemic import telling

        with self._store.write() as tx:
            keys = telling.keep(tx, wall, kept, teller, self._now())
            keeping.mark_stale(tx, ((wall.number, key) for key in keys))

    def _untold(self, asked: Reach | None) -> int:
        """How many summaries of a scope (of the whole file) the model is still to be asked about."""
        if self._used.teller is None:
            return 0
        with self._store.read() as snapshot:
            return keeping.untold_count(snapshot, [row["wall"] for row in self._kept(snapshot, asked)])

    def _redo(self, row: Row, keys: Sequence[str]) -> Sequence[Entry]:
        """Redo some views of a wall; what may take long, as a server's vectors, before the lock."""
        wall = _wall(row)
        if self._embedder is None or is_token_embedder(self._embedder):  # at hand: quicker than making each view twice
            with self._store.write() as tx:
                return self._redo_now(tx, wall, keys, {})
        with self._store.read() as snapshot:
            writings = list(dict.fromkeys(keeping.writings(snapshot, wall, keys, self._means)))
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

        changes = keeping.redone(tx, wall, keys, document_of, self._means)
        return commit(tx, changes, self._stamp(tx, wall.tenant, None, self._space if embedded else None)).entries

    def _redo_in(self, tx: Transaction, rows: Iterable[Row], *, erased: bool = False) -> tuple[Entry, ...]:
        """What follows for the views of walls from a change that takes something back, in its own transaction.

        Many are left to upkeep, unless something was `erased`: of that no name may stay behind.
        """
        entries: list[Entry] = []
        for row in rows:
            if keeping.is_kept(tx, row["tenant"]) and 0 < keeping.behind(tx, row["tenant"]) <= keeping.ROWS:
                keeping.fold(tx, row["tenant"])
            if erased or len(keeping.stale_in(tx, row["wall"], self._means)) <= FEW:
                entries += self._redo_stale(tx, row)
        return tuple(entries)

    def _redo_stale(self, tx: Transaction, row: Row) -> Iterator[Entry]:
        """Redo what is stale in a wall, in a transaction under way."""
        while parts := keeping.stale_in(tx, row["wall"], self._means):
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
            left = keeping.stale_count(snapshot, [row["wall"] for row in rows], self._means)
        if not left and not late:
            return []
        return [f"views are behind: {left} to be redone, {late} changes to be looked at; upkeep() goes on there"]

    def _said(self, wall: Wall, due: derive.Due, run: _Run, progress: Progress | None = None) -> _Said:
        """What the episodes that are due say, analysed for the index."""
        assert self._recipe is not None
        if self._recipe.asks is None:
            told = derive.said_by(due.segments, self._recipe, progress)
            run.take(told)
        elif run.asks:
            (told,) = self._consulted([(wall, due)], run, progress)
        else:
            with self._store.read() as snapshot:
                told = self._told_at_once(snapshot, wall, due)
        return self._analysed_said(told)

    def _told_at_once(self, snapshot: Snapshot, wall: Wall, due: derive.Due) -> derive.Told:
        """What can be said of the episodes that are due without asking a model."""
        assert self._recipe is not None
        if self._recipe.asks is None:
            return derive.said_by(due.segments, self._recipe)
        from mnemic import consult

        return consult.told_at_once(snapshot, wall.number, due, self._recipe.asks, self._recipe)

    def _keep(self, asks: Asks, wall: Wall, kept: Sequence[Kept]) -> None:
        """Keep a model's answers at once: they were paid for."""
        from mnemic import consult

        with self._store.write() as tx:
            consult.keep(tx, wall, kept, asks, self._now())

    def _analysed_said(self, told: derive.Told) -> _Said:
        writings = list(dict.fromkeys(derive.writings_of(told.statements)))
        documents, embedded = self._analysed_or_words(writings, [])
        return _Said(told, dict(zip(writings, documents, strict=True)), embedded)

    def _bring(self, tx: Transaction, wall: Wall, due: derive.Due, said: _Said) -> Sequence[Entry]:
        """Bring what is derived to what the episodes say; those that changed meanwhile stay due."""
        assert self._recipe is not None
        told, name = said.told, self._recipe.name
        now = lookup.latest_of(tx, list(due.rows))
        same = [
            id_ for id_, row in due.rows.items() if now[id_]["revision"] == row["revision"] and id_ not in told.failed
        ]
        embedder = self._embedder if said.embedded else None

        def document_of(writing: Writing) -> Document:
            if writing not in said.documents:  # words of a claim that was made before
                said.documents[writing] = analyse([writing], embedder)[0]
            return said.documents[writing]

        recall = entities.recalled(tx, wall.number, {now[id_]["num"]: told.calls.get(id_, ()) for id_ in same})
        keep_names(tx, recall)
        stamp = self._stamp(tx, wall.tenant, None, self._space if said.embedded else None)
        changes = derive.derived(
            tx,
            wall,
            same,
            {id_: told.statements[id_] for id_ in same if id_ in told.statements},
            touched=recall.touched,
            derivation=lambda id_: told.by.get(id_, name),
            document_of=document_of,
        )
        done = commit(tx, changes, stamp)
        faded = forgotten.faded(tx, wall, same, changes)
        if faded:
            more = commit(tx, faded, self._stamp(tx, wall.tenant, None))
            done = replace(done, entries=(*done.entries, *more.entries))
        if keeping.is_kept(tx, wall.tenant):  # of an edge more or less no journal tells
            keeping.mark_stale(tx, keeping.told_of(tx, same))
        gone = set(due.nums) - {row["num"] for row in now.values()}  # an erased one has nothing to say
        read = [now[id_]["num"] for id_ in same if id_ not in told.waiting]
        tx.run("drop_pending", wall=wall.number, nums=json.dumps([*gone, *read]))
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
        turns, first = [*before, *new], len(before)
        try:
            said = self._recipe.read(turns, first)
            return not said and not self._recipe.names(turns, first, said)
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
        return self._woken(_timed(done, started))

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
        return self._woken(_timed(done, started))

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

    def _purged(self, walls: Iterable[int]) -> list[str]:
        """After an erasure: take the words out of this process and the log; a note says which reader has them still."""
        self._forget(walls)
        reader = self._store.purge()
        if reader is None:
            return []
        return [
            f"{reader} still holds a snapshot with the old pages; they go when it ends and the file is written "
            "or purged next"
        ]

    def _forget(self, walls: Iterable[int]) -> None:
        """Take erased words out of this process, too."""
        with self._cache.lock:
            self._cache.forget(walls)
        self._forget_words()

    def _forget_words(self) -> None:
        self._reader.forget()
        text.forget()
        denials.forget()
        newer.forget()
        if self._recipe is not None:
            self._recipe.forget()
        forget = getattr(self._embedder, "forget", None)
        if callable(forget):
            forget()

    @property
    def _embedder(self) -> Embedder | None:
        return self._cache.embedder

    @property
    def _recipe(self) -> derive.Recipe | None:
        return self._used.recipe

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


# -- for those who put something in front of a memory


def store_of(memory: Memory) -> SqliteStore:
    """The store that a memory is on."""
    return memory._store  # pyright: ignore[reportPrivateUsage]


def with_store(memory: Memory, store: SqliteStore) -> Memory:
    """The same memory, whose writes go through another store in front of its own."""
    other = object.__new__(type(memory))
    other.__dict__.update(memory.__dict__)
    other._store = store  # pyright: ignore[reportPrivateUsage]
    return other


def bound_of(memory: Memory) -> Reach:
    """The walls to which a memory is bound."""
    bound = memory._bound  # pyright: ignore[reportPrivateUsage]
    return reach({part: value for part, value in bound.items() if part not in STAMPS})


# -- checking what was passed


def _refuse(verb: Callable[..., Any], name: str, unknown: Mapping[str, object]) -> None:
    if not unknown:
        return
    signature = inspect.signature(verb).parameters.values()
    names = [p.name for p in signature if p.kind is not p.VAR_KEYWORD and p.name != "self"]
    refuse_unknown(name, unknown, [*names, *(PARTS if name != "Memory" else ())])


def refuse_unknown(verb: str, unknown: Iterable[str], known: Sequence[str]) -> None:
    """Refuse a parameter that a verb does not have, and name the one that was probably meant. Raises ParameterError."""
    for word in unknown:
        hint = nearest(word, known, PEERS)
        raise ParameterError(f"{verb} has no parameter '{word}'{hint or '; it has ' + ', '.join(known)}")


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


def _order(order: object) -> str:
    if order not in ("newest", "oldest"):
        raise InputError(f"order={order!r} is not known: 'newest' or 'oldest'")
    return cast("str", order)


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


@dataclass(slots=True)
class _Run:
    """One call's deriving."""

    until: float | None
    """When it should stop, as `time.perf_counter` counts."""
    asks: bool = True
    """Whether it may ask a model."""
    usage: Usage = field(default_factory=Usage)
    failed: dict[str, str] = field(default_factory=dict[str, str])
    notes: list[str] = field(default_factory=list[str])
    untold: int = 0
    """Summaries that a model has not told yet …"""
    why_untold: str = ""
    """… and why."""
    progress: Progress | None = None
    gone: int = 0
    """Episodes that are done …"""
    total: int = 0
    """… of so many."""

    def tell(self, more: int, of: int = 0) -> None:
        """Tell how far it is, with so many episodes more of those at hand."""
        if self.progress is not None:
            self.progress(min(self.gone + more, self.total), self.total)

    def within(self, steps: Iterator[Step]) -> Iterator[Step]:
        """The steps for which there is time."""
        while not self.is_over():
            try:
                step = next(steps)
            except StopIteration:
                return
            yield step

    def is_over(self) -> bool:
        return self.until is not None and clocks.perf_counter() >= self.until

    def take(self, told: derive.Told) -> None:
        """Count what was read."""
        self.usage += told.usage
        self.failed |= told.failed
        self.notes += told.notes

    def take_told(self, told: telling.Told) -> None:
        """Count what was told."""
        self.usage += told.usage
        self.notes += told.notes
        self.untold += told.deferred
        self.why_untold = self.why_untold or (told.why if told.deferred else "")

    def told(self, receipt: Receipt) -> Receipt:
        """The receipt with what the models did, and what the caller should know."""
        notes = list(dict.fromkeys(self.notes))
        if self.failed:
            why = next(iter(self.failed.values()))
            whose = "1 message" if len(self.failed) == 1 else f"{len(self.failed)} messages"
            notes.append(f"of {whose} nothing was derived, and that stays pending: {why}")
        if self.untold:
            which = "1 summary is" if self.untold == 1 else f"{self.untold} summaries are"
            notes.append(f"{which} still told in extracts: {self.why_untold or 'there was no time to ask'}")
        spent = {"model_calls": self.usage.calls, "tokens": self.usage.tokens, "money": self.usage.money}
        return replace(receipt, notes=(*receipt.notes, *notes), **spent)


Models = Mapping[str, ChatModel | None]
"""The models of the steps that were named."""


@dataclass(slots=True)
class _Used:
    """What a memory and all that are `scoped` from it work with, until a rebuild says otherwise."""

    models: Models
    recipe: derive.Recipe | None
    teller: Asks | None
    """How the model that tells summaries is asked."""

    @classmethod
    def of(cls, models: Models, recipe: derive.Recipe | None, allowance: Allowance) -> _Used:
        """With the model that tells summaries: the one that is named for it; else the one that derives, if it does."""
        derives = recipe is not None and recipe.asks is not None
        model = models["summarise"] if "summarise" in models else models.get("derive") if derives else None
        return cls(models, recipe, None if model is None else _asks(model, allowance))

    def take_over(self, other: _Used) -> None:
        """Go on with what another one has."""
        self.models, self.recipe, self.teller = other.models, other.recipe, other.teller


STEPS = ("ask", "derive", "summarise")
"""What a model may be asked for."""


def _each(model: object) -> Iterable[object]:
    """The models that a model is for each of its steps."""
    return cast("Mapping[object, object]", model).values() if isinstance(model, Mapping) else (model,)


def _models(given: object, api_key: str | None) -> Models:
    """The model of each step that is named; one alone is not named for summaries."""
    if not isinstance(given, Mapping):
        return dict.fromkeys(("ask", "derive"), as_chat(given, api_key=api_key))
    by_step = cast("Mapping[str, object]", given)
    for step in by_step:
        if step not in STEPS:
            known = ", ".join(STEPS)
            raise ConfigError(f"model={{{step!r}: …}} is no step{nearest(str(step), STEPS)}: a model has {known}")
    return {step: as_chat(model, api_key=api_key) for step, model in by_step.items()}


def _asks(model: ChatModel, allowance: Allowance) -> Asks:
    from mnemic.consult import Asks

    asks = Asks(model, allowance)
    allowance.check(asks.model_name)
    return asks


def _allowance(given: object) -> Allowance:
    if given is None:
        return Allowance()
    if isinstance(given, Allowance):
        return given
    raise ConfigError(f"allowance={given!r:.60} is none: pass a mnemic.allowance.Allowance, or None for no limit")


def _recipe(given: object, model: ChatModel | None, allowance: Allowance) -> derive.Recipe | None:
    if given is None:
        given = "rules" if model is None else "model"
    if given == "none":
        return None
    if given == "rules":
        return derive.rules()
    if given == "model":
        if model is None:
            raise ConfigError("recipe='model' needs one: pass Memory(model=…) too, or recipe='rules'")
        return replace(derive.rules(), asks=_asks(model, allowance))
    if isinstance(given, derive.Recipe):
        return given
    raise ConfigError(f"recipe={given!r} is not known: 'rules', 'model', 'none' for nothing, or a Recipe of your own")


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


def _merged(first: Iterable[Entry], then: Iterable[Entry]) -> list[Entry]:
    """Entries of which later ones take the place of earlier ones of the same record."""
    found: dict[str, Entry] = {}
    for entry in chain(first, then):
        before = found.get(entry.id)
        added = before is not None and before.action == "added" and entry.action == "revised"
        found[entry.id] = replace(entry, action="added", reason="") if added else entry
    return list(found.values())


def _timed(receipt: Receipt, started: float, notes: Iterable[str] = ()) -> Receipt:
    return replace(receipt, ms=round((clocks.perf_counter() - started) * 1000, 3), notes=(*receipt.notes, *notes))
