"""`kill -9` at any instant, again and again on one file: all that was acknowledged is there, and nothing by half."""

from __future__ import annotations

import os
import random
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mnemic.models import wordllama
from mnemic.testing import HashEmbedder

from .life import Child, Model, follow, live, settle


def kills(rounds: int, seed: int, embedder: str = "hash") -> dict[str, Any]:
    """So many kills; a fresh file every 25."""
    rng = random.Random(seed)
    chosen = HashEmbedder(32) if embedder == "hash" else wordllama.find()
    assert chosen is not None
    chosen.embed_query("read the weights before the forks")
    acknowledged = under_way = came = 0
    folder = Path(tempfile.mkdtemp())
    path, model = folder / "0.db", Model()
    for number in range(rounds):
        if number % 25 == 0:
            shutil.rmtree(folder)
            folder = Path(tempfile.mkdtemp())
            path, model = folder / f"{number}.db", Model()
        child = _writer(path, model, rng.getrandbits(32), chosen)
        if rng.random() < 0.5:
            child.listen(rng.uniform(0, 0.08))
        else:
            child.listen(30, rng.randint(1, 25))
            time.sleep(rng.uniform(0, 0.004))
        child.kill()
        acknowledged += child.acknowledged
        begun, _ = follow(model, child.told())
        if begun is not None:
            under_way += 1
        before = len(model.records)
        model = settle(
            path, model, begun, chosen, thorough=number % 25 == 24 or number == rounds - 1, close=rng.random() < 0.3
        )
        came += len(model.records) != before
    shutil.rmtree(folder)
    return {"kills": rounds, "acknowledged": acknowledged, "under way": under_way, "whole though unacknowledged": came}


def _writer(path: Path, model: Model, seed: int, embedder: object) -> Child:
    return Child(lambda tell: live(path, model, seed, tell, embedder))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="kills forked processes")
def test_what_is_acknowledged_survives_kill_9(alone: Callable[..., Any], share: float) -> None:
    done = alone(kills, rounds=int(950 * share), seed=1)
    assert done["acknowledged"] > done["kills"]
    print(done)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="kills forked processes")
def test_with_the_default_embedder(alone: Callable[..., Any], share: float) -> None:
    print(alone(kills, rounds=int(50 * share), seed=2, embedder="default"))
