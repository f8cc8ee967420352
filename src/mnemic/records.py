"""From rows to the values that callers see."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from mnemic.stores.sqlite import Fields, Row, Snapshot
from mnemic.times import moment
from mnemic.types import Evidence, Record, Scope
from mnemic.views import Episode


def scope_of(row: Fields, wall: Fields) -> Scope:
    """The scope that a record carries."""
    return Scope(wall["tenant"] or None, wall["project"] or None, wall["user"] or None, row["agent"], row["session"])


def state_of(row: Fields, now: int, as_of: int | None = None) -> str:
    """A revision's state as seen at a time: "current" or one of `STATES`. The rule of `Frame.held`, for one row."""
    if row["retired_at"] is not None:
        return "retired"
    if row["quarantined"]:
        return "quarantined"
    at = now if as_of is None else as_of
    event = row["kind"] == "event"
    taken_over = row["superseded_by"] is not None
    ended = taken_over if event else row["valid_to"] is not None and row["valid_to"] <= at
    if ended:
        return "superseded" if taken_over else "expired"
    return "expired" if row["expires_at"] is not None and row["expires_at"] <= min(now, at) else "current"


def episode_of(row: Fields) -> Episode:
    """An episode as views read it."""
    return Episode(
        row["id"],
        row["num"],
        row["text"] or "",
        row["time"],
        row["role"] or "user",
        row["speaker"],
        row["session"],
        row["source"],
    )


def is_view(row: Fields) -> bool:
    """Whether a record is a view that was made of what others say."""
    return (row["derivation"] or "").startswith("views/")


def record_of(fields: Fields, wall: Fields, state: str, evidence: Sequence[Evidence] = ()) -> Record:
    """A record as callers see it."""
    return Record(
        id=fields["id"],
        revision=fields["revision"],
        kind=fields["kind"],
        text=fields["text"] or "",
        scope=scope_of(fields, wall),
        time=moment(fields["time"]),
        recorded_at=moment(fields["recorded_at"]),
        state=state,
        key=fields["key"],
        subject=fields["subject"],
        aliases=tuple(loads(fields["aliases"], [])),
        purpose=fields["purpose"],
        role=fields["role"],
        speaker=fields["speaker"] or fields["role"],
        message_id=fields["message_id"],
        passage=None if fields["part"] is None else (fields["start"], fields["stop"]),
        data=loads(fields["data"], {}),
        metadata=loads(fields["metadata"], {}),
        payload_ref=fields["payload_ref"],
        source=fields["source"],
        author=fields["author"],
        confidence=fields["confidence"],
        pinned=bool(fields["pinned"]),
        time_precision=fields["time_precision"],
        valid_from=_moment(fields["valid_from"]),
        valid_to=_moment(fields["valid_to"]),
        valid_precision=fields["valid_precision"],
        expires_at=_moment(fields["expires_at"]),
        retired_at=_moment(fields["retired_at"]),
        superseded_by=fields["superseded_by"],
        derivation=fields["derivation"],
        evidence=tuple(evidence),
    )


def as_known(row: Row, at: int | None) -> Fields:
    """A revision as the memory saw it at an instant: what closed it later was not known yet."""
    if at is None or row["retired_at"] is None or row["retired_at"] <= at:
        return row
    return {**dict(row), "retired_at": None}


def evidence_of(
    snapshot: Snapshot, rows: Iterable[Fields], walls: Iterable[int], known_at: int | None = None
) -> dict[str, tuple[Evidence, ...]]:
    """What each record rests on: an episode on itself, a derived one on the episodes and acts that it is linked to."""
    rows = list(rows)
    found: dict[str, tuple[Evidence, ...]] = {row["id"]: (_evidence(row),) for row in rows if row["kind"] == "episode"}
    derived = [row["id"] for row in rows if row["kind"] != "episode"]
    if not derived:
        return found
    links = snapshot.rows("links_from", ids=json.dumps(derived), role="derived_from")
    links = [link for link in links if holds(link, known_at)]
    wanted = json.dumps(sorted({link["target_id"] for link in links}))
    behind = set(walls)
    targets = {row["id"]: row for row in snapshot.rows("latest_of", ids=wanted) if row["wall"] in behind}
    resting: dict[str, list[Evidence]] = {}
    acts = {id_ for id_, target in targets.items() if target["kind"] == "act"}
    for link in sorted(links, key=lambda link: link["target_id"] in acts):  # what was said before what was done by hand
        target = targets.get(link["target_id"])
        if target is not None and target["erased_by"] is None:
            resting.setdefault(link["source_id"], []).append(_evidence(target))
    return found | {id_: tuple(pieces) for id_, pieces in resting.items()}


def holds(link: Row, known_at: int | None) -> bool:
    """Whether an edge is held now, or was at an instant."""
    if known_at is None:
        return link["retired_at"] is None
    return link["recorded_at"] <= known_at and (link["retired_at"] is None or link["retired_at"] > known_at)


def _evidence(row: Fields) -> Evidence:
    return Evidence(
        row["id"],
        row["message_id"],
        row["session"],
        row["speaker"] or row["role"] or row["author"],
        moment(row["time"]),
        _said(row),
    )


def _said(row: Fields) -> str:
    if row["kind"] != "act":
        return row["text"] or ""
    done = loads(row["data"], {})
    return str(done.get("arguments", {}).get("text") or done.get("verb", "act"))


def loads(text: str | None, default: Any) -> Any:
    """JSON from a column that may be empty."""
    return default if text is None else json.loads(text)


def _moment(value: int | None) -> Any:
    return None if value is None else moment(value)
