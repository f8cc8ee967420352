"""What a write is made of, as values: revisions to open and to close, links, and who writes under which receipt."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from mnemic.analysis import Writing
from mnemic.errors import InputError
from mnemic.messages import Message
from mnemic.postings import Document
from mnemic.records import is_view
from mnemic.stores.sqlite import Fields
from mnemic.types import Entry

Values = dict[str, Any]
"""The columns of one revision, by name."""

PAYLOAD = [
    "id",
    "revision",
    "kind",
    "key",
    "text",
    "subject",
    "aliases",
    "purpose",
    "data",
    "metadata",
    "payload_ref",
    "role",
    "speaker",
    "agent",
    "session",
    "message_id",
    "part",
    "start",
    "stop",
    "source",
    "author",
    "confidence",
    "pinned",
    "quarantined",
    "time",
    "time_precision",
    "valid_from",
    "valid_to",
    "valid_precision",
    "expires_at",
    "superseded_by",
    "derivation",
]
"""What the journal's hash of a revision covers, in this order."""

COLUMNS = (
    *PAYLOAD,
    "fingerprint",
    "wall",
    "num",
    "recorded_at",
    "retired_at",
    "opened_by",
    "closed_by",
    "erased_by",
    "salt",
)

BLANK: Values = {**dict.fromkeys(COLUMNS), "pinned": 0, "quarantined": 0, "revision": 1, "source": "unknown"}

INDEXED = ("text", "subject", "aliases")

FILE = "file"
"""The kind of files: see `files`."""

_KIND = re.compile(r"[a-z][a-z0-9_]{0,39}")


@dataclass(frozen=True, slots=True)
class Wall:
    """One wall's row."""

    number: int
    tenant: str
    project: str
    user: str


@dataclass(frozen=True, slots=True)
class Opening:
    """A revision to be opened. `document` is given where its text is new to the index."""

    values: Values
    action: str
    reason: str = ""
    document: Document | None = None
    quiet: bool = False
    """Not listed in the receipt: an act, a later passage."""


@dataclass(frozen=True, slots=True)
class Closing:
    """A revision that the memory no longer holds. `entry` is None where another revision of the id follows at once."""

    values: Values
    entry: Entry | None = None


@dataclass(slots=True)
class Changes:
    """All that one call does."""

    verb: str
    tenant: str
    openings: list[Opening] = field(default_factory=list[Opening])
    closings: list[Closing] = field(default_factory=list[Closing])
    links: list[Values] = field(default_factory=list[Values])
    unlinks: list[int] = field(default_factory=list[int])
    """Rows of edges that are no longer held."""
    entries: list[Entry] = field(default_factory=list[Entry])
    """For the receipt, in the order in which they were decided."""
    undoes: str | None = None
    settled: bool = False
    """Whether its episodes are known to say nothing that could be derived."""
    called: list[Values] = field(default_factory=list[dict[str, Any]])
    """Whom names mean from now on, as rows of the table; where `about` is None, the name is no longer in use."""
    details: Values = field(default_factory=dict[str, Any])
    notes: list[str] = field(default_factory=list[str])

    def open(self, opening: Opening) -> None:
        """A revision is to be opened, which the receipt tells unless it is quiet."""
        self.openings.append(opening)
        if not opening.quiet:
            values = opening.values
            self.entries.append(Entry(values["id"], _action(opening.action), opening.reason, values["revision"]))

    def close(self, closing: Closing) -> None:
        """A revision is to be closed, which the receipt tells where nothing follows it."""
        self.closings.append(closing)
        if closing.entry is not None:
            self.entries.append(closing.entry)

    def __bool__(self) -> bool:
        return bool(self.openings or self.closings or self.links or self.unlinks or self.undoes)


# -- ids


def new_id(scope: Sequence[str | None], at: int) -> str:
    """A record's id: 26 characters, 5 from its scope, 10 from the time and 11 by chance.

    Records that are written together lie together in the store. Nothing of the content is in it: history keeps the id
    of what was erased, and a hash of the words would let anyone test a guess.
    """
    tail = (at & (2**50 - 1)) << 60 | int.from_bytes(os.urandom(8), "big") >> 4
    return scope_code(scope) + _base32(tail.to_bytes(15, "big"))[2:23]


def made_id(*parts: object) -> str:
    """The id of a record that follows from others' ids and nothing else: a later passage, an act."""
    code = _base32(hashlib.blake2b(_joined(parts), digest_size=15, person=b"mnemic record").digest())
    return str(parts[0])[:5] + code[:21]


def fingerprint(scope: Sequence[str | None], *content: object) -> str:
    """What the same content in the same scope is known by. Unlike the id it goes with an erasure."""
    return hashlib.blake2b(_joined([*scope, *content]), digest_size=16, person=b"mnemic content").hexdigest()


FEEDBACK = ("0" * 12 + "0" * 20, "0" * 12 + "f" * 20)
"""The first and the last fingerprint that an act of feedback can have: so these are found again, in order of time."""


def feedback_fingerprint(at: int) -> str:
    """What an act of feedback is found by. It is no hash: it says when it was given, and nothing of what."""
    return f"{0:012x}{at:016x}{0:04x}"


@lru_cache(1024)
def scope_code(scope: Sequence[str | None]) -> str:
    return _base32(hashlib.blake2b(_joined(scope), digest_size=15, person=b"mnemic scope").digest())[:5]


def _joined(parts: Iterable[object]) -> bytes:
    return json.dumps(list(parts), ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")


def _base32(digest: bytes) -> str:
    return base64.b32encode(digest).decode().lower()


def new_receipt_id(at: int) -> str:
    """Receipt ids sort by time."""
    return f"r{at:015x}{os.urandom(4).hex()}"


def is_indexed(fields: Iterable[str]) -> bool:
    """Whether the index reads one of these columns."""
    return any(name in INDEXED for name in fields)


def kind_of(kind: object) -> str:
    """A kind's name, checked."""
    if not isinstance(kind, str) or not _KIND.fullmatch(kind):
        raise InputError(
            f"kind={kind!r} is not a kind's name: lower-case letters, digits and _, at most 40, such as 'fact'"
        )
    if kind in ("episode", "act"):
        raise InputError(
            f"kind={kind!r} is kept for what was observed: use add() for episodes; acts are written by the verbs"
        )
    return kind


@dataclass(frozen=True, slots=True)
class Piece:
    """A message, or one passage of it, analysed: what `add` has prepared before the lock."""

    message: Message
    text: str
    passage: tuple[int, int, int] | None
    """Which passage, its start and its end in the message; None for a whole message."""
    document: Document


UNSET: Any = ...
"""A field that the caller did not name."""


def next_revision(row: Values) -> Values:
    """The next revision of a record, with the same content."""
    return {**row, "revision": row["revision"] + 1, "retired_at": None, "opened_by": None, "closed_by": None}


def link_to(source: Values, target: str, role: str, position: int = 0) -> Values:
    return {
        "wall": source["wall"],
        "source_id": source["id"],
        "target_id": target,
        "role": role,
        "position": position,
        "weight": 1.0,
        "data": None,
        "time": None,
    }


@dataclass(frozen=True, slots=True)
class Stamp:
    """Who writes, when, and under which receipt."""

    receipt: str
    at: int
    actor: str | None
    space: str | None
    """The embedding space of new documents."""
    seq: int = 0
    """The last row of the tenant's chain …"""
    hash: bytes = b""
    """… and its hash."""


_ACTIONS = (
    "added",
    "merged",
    "revised",
    "superseded",
    "retired",
    "restored",
    "erased",
    "ignored",
    "quarantined",
    "pending",
    "faded",
)


def _action(action: str) -> Any:
    return action if action in _ACTIONS else "added"


def writing_of(row: Fields) -> Writing:
    """What the index reads of a record's row."""
    aliases: list[str] = json.loads(row["aliases"]) if row["aliases"] else []
    return Writing(row["text"], row["subject"], tuple(aliases), counted=not is_view(row))
