"""The acts of feedback behind a user's walls, as the fit takes them.

What an act holds may have come from another memory's export: whatever is not as it should be teaches nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

import numpy as np

from mnemic import learn
from mnemic.changes import FEEDBACK
from mnemic.learn import Judged
from mnemic.scope import Reach
from mnemic.stores.sqlite import Row, Snapshot
from mnemic.times import FOREVER

_LARGEST = 1000
"""Hits in one act."""


def held(snapshot: Snapshot, walls: Iterable[int], reach: Reach, known_at: int | None) -> tuple[int, ...]:
    """The rows of the latest acts of feedback that these walls hold (or held at an instant), the oldest first."""
    at = FOREVER - 1 if known_at is None else known_at
    found: list[Row] = []
    for wall in walls:
        found += snapshot.rows("feedback_held", wall=wall, first=FEEDBACK[0], last=FEEDBACK[1], at=at, most=learn.MOST)
    seen = [row for row in found if reach.stamped(row["agent"], row["session"])]
    seen.sort(key=lambda row: (row["fingerprint"], row["row"]))
    return tuple(row["row"] for row in seen[-learn.MOST :])


def read(snapshot: Snapshot, rows: Sequence[int], space: str | None) -> list[Judged]:
    """What acts of feedback tell, in their order: those given with vectors of this space (None: with words alone).

    Of several on the same results the last one counts.
    """
    acts = {row["row"]: row for row in snapshot.rows("records_by_row", rows=json.dumps(list(rows)))}
    found: dict[str, Judged] = {}
    for number in rows:
        act = acts.get(number)
        arguments = None if act is None else _arguments(act["data"])
        one = None if arguments is None else judged(arguments)
        if arguments is not None:
            found.pop(str(arguments.get("results")), None)
        if arguments is not None and one is not None and arguments.get("space") == space:
            found[str(arguments.get("results"))] = one
    return list(found.values())


def judged(arguments: Mapping[str, Any]) -> Judged | None:
    """One act, from what was passed; None where it is not whole."""
    try:
        shown = [str(id_) for id_ in arguments["shown"]]
        at = {id_: place for place, id_ in enumerate(shown)}
        names = [str(name) for name in arguments["signals"]]
        values = np.array(list(arguments["signals"].values()), np.float64)
        used = tuple(dict.fromkeys(at[id_] for id_ in arguments["used"]))
        wrong = tuple(dict.fromkeys(at[id_] for id_ in arguments["wrong"]))
        outcome = 1.0 if arguments["outcome"] is None else float(arguments["outcome"])
        examined = np.ones(len(shown))
        if arguments["by"] == "r":
            order = [int(place) for place in arguments["order"]]
            if sorted(order) != list(range(len(order))) or len(order) > _LARGEST:
                return None
            places = [int(place) for place in arguments["places"]]
            examined = learn.examined(places, order, [int(place) for place in arguments["bound"]])
            if min(places, default=0) < 0 or max(places, default=0) >= 10 * _LARGEST:
                return None
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, OverflowError):
        return None
    whole = values.shape == (len(names), len(shown)) and examined.shape == (len(shown),)
    if not whole or not 0 < len(at) == len(shown) <= _LARGEST or not 0.0 <= outcome <= 1.0:
        return None
    if not np.isfinite(values).all() or not np.isfinite(examined).all():
        return None
    features = dict(zip(names, np.clip(values, 0.0, 1.0), strict=True))
    return Judged(features, used, tuple(place for place in wrong if place not in used), outcome, examined)


def _arguments(data: str | None) -> dict[str, Any] | None:
    done: Any = json.loads(data or "{}")
    if not isinstance(done, dict) or cast("dict[str, Any]", done).get("verb") != "feedback":
        return None
    arguments = cast("dict[str, Any]", done).get("arguments")
    return cast("dict[str, Any]", arguments) if isinstance(arguments, dict) else None
