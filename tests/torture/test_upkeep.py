"""`kill -9` in the middle of deriving, again and again: in the end the same is derived as without."""

from __future__ import annotations

import os
import random
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mnemic import Memory
from mnemic.derive import rules

from .life import Child

START = datetime(2024, 1, 1, tzinfo=UTC)
WHO = {"user_id": "ana"}
CITIES = ("Porto", "Faro", "Lagos", "Braga", "Evora")


def talk(many: int, seed: int) -> list[dict[str, Any]]:
    """Messages of which some say something, out of order in time."""
    rng = random.Random(seed)
    said: list[dict[str, Any]] = []
    for number in range(many):
        text = rng.choice(
            [
                f"I moved to {rng.choice(CITIES)} last week.",
                f"I like {rng.choice(['tea', 'rum', 'milk'])} number {rng.randrange(40)}.",
                f"My sister {rng.choice(['Clara', 'Rita'])} works at Bosch.",
                "The weather is nothing special.",
            ]
        )
        day = START + timedelta(days=rng.randrange(600), minutes=number)
        said.append({"role": "user", "content": text, "time": day, "id": f"m{number}", "session_id": f"s{number // 9}"})
    return said


def state(path: Path) -> list[tuple[Any, ...]]:
    with Memory(path, embedder="none", recipe="rules") as memory:
        records = [
            record
            for kind in ("fact", "preference", "event", "relationship")
            for record in memory.list(kinds=kind, include=("superseded", "expired"), limit=1000, **WHO)
        ]
        return sorted(
            (one.kind, one.text, one.valid_from, one.valid_to, sorted(e.message_id or "" for e in one.evidence))
            for one in records
        )


def interrupted(rounds: int, many: int, seed: int) -> dict[str, Any]:
    """Deriving killed so many times; then to its end, beside a store where nobody disturbed it."""
    rules().statements((), 0)  # read the patterns before the forks
    folder = Path(tempfile.mkdtemp())
    for name in ("calm.db", "killed.db"):
        with Memory(folder / name, embedder="none", recipe="rules") as memory:
            assert memory.add(talk(many, seed), **WHO).pending
    rng = random.Random(seed)
    left: list[int] = []

    def upkeep(tell: Callable[[Any], None]) -> None:
        with Memory(folder / "killed.db", embedder="none", recipe="rules") as memory:
            memory.upkeep(progress=lambda done, of: tell({"do": "derive", "done": done, "of": of}), **WHO)

    for _ in range(rounds):
        child = Child(upkeep)
        child.listen(30, lines=rng.randrange(1, 3))
        time.sleep(rng.uniform(0.0, 0.1))  # where in the next batch the end comes
        child.kill()
        with Memory(folder / "killed.db", embedder="none", recipe="rules", read_only=True) as memory:
            left.append(memory.search("Porto", **WHO).pending)
    for name in ("calm.db", "killed.db"):
        with Memory(folder / name, embedder="none", recipe="rules") as memory:
            assert memory.upkeep(**WHO).pending == 0
            assert memory.rebuild(dry_run=True, **WHO).derived == ()
    assert state(folder / "calm.db") == state(folder / "killed.db")
    return {"kills": rounds, "pending after each": left, "records": len(state(folder / "calm.db"))}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="kills forked processes")
def test_what_is_derived_is_the_same_after_kill_9(alone: Callable[..., Any], share: float) -> None:
    done = alone(interrupted, rounds=max(4, int(40 * share)), many=max(3000, int(30_000 * share)), seed=3)
    assert len(set(done["pending after each"]) - {0}) > 1, done  # it was killed in the middle
    assert done["records"] > 100
    print(done)
