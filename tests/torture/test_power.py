"""Power loss at any instant: what was acknowledged is in the file and its log, as far as they were forced to disk.

A copy of the file and the log (the shared memory is never on the disk) is taken while the writer stands still. Of what
was not yet forced to the disk, any part may be lost: the log behind the last acknowledged transaction is cut or
overwritten at random, and the file may be any older one under the same log, since a log is begun anew only when all of
it has been forced into the file.
"""

from __future__ import annotations

import copy
import os
import random
import shutil
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from mnemic.testing import HashEmbedder

from .life import Child, Model, end_of_log, follow, live, settle


def outages(rounds: int, seed: int) -> dict[str, Any]:
    """So many outages, several of each writer's life."""
    rng = random.Random(seed)
    embedder = HashEmbedder(32)
    folder = Path(tempfile.mkdtemp())
    cut = older = checked = 0
    while checked < rounds:
        start, model, known = rng.getrandbits(32), Model(), 0
        path = folder / f"{start}.db"
        child = Child(partial(_writer, path, start, rng.choice((40, 2000))))
        under: dict[str, tuple[Path, int]] = {}  # an older file under each log, and how long the log was then
        for number in range(10):
            child.listen(20, rng.randint(1, 4))
            time.sleep(rng.uniform(0, 0.004))
            child.stop()
            told = list(child.told())
            begun, last = follow(model, iter(told[known:]))
            known = len(told) - (begun is not None)
            taken = folder / f"{start}-{number}.db"
            shutil.copyfile(path, taken)
            log = path.with_name(path.name + "-wal")
            taken_log = taken.with_name(taken.name + "-wal")
            if log.exists():
                shutil.copyfile(log, taken_log)
            which, end = end_of_log(taken)
            if which and which not in under:
                under[which] = folder / f"{start}-{number}.older", end
                shutil.copyfile(taken, under[which][0])
            elif which and rng.random() < 0.7:
                shutil.copyfile(under[which][0], taken)
                older += 1
                if last is not None and last["log"][0] == which:
                    # What lies between may be lost, where no checkpoint has taken it (which forces it to disk first).
                    end = max(under[which][1], last["log"][1])
            if which:
                cut += _lose(taken_log, end, rng)
            found = copy.deepcopy(model)
            found.erased, found.leaving = [], []  # pages that only lately left the file are still in an older one
            settle(taken, found, begun, embedder, thorough=number == 9, close=True)
            checked += 1
            child.go_on()
        child.kill()
        shutil.rmtree(folder)
        folder.mkdir()
    shutil.rmtree(folder)
    return {"outages": checked, "with a log cut short": cut, "with an older file": older}


def _writer(path: Path, seed: int, pages: int, tell: int) -> None:
    live(path, Model(), seed, tell, HashEmbedder(32), pages=pages)


def _lose(log: Path, safe: int, rng: random.Random) -> bool:
    """Lose some of what lies behind the last byte forced to disk."""
    size = log.stat().st_size
    if size <= safe or rng.random() < 0.2:
        return False
    at = rng.randint(safe, size - 1)
    if rng.random() < 0.5:
        os.truncate(log, at)
    else:
        with open(log, "r+b") as file:
            file.seek(at)
            file.write(rng.choice((bytes, rng.randbytes))(min(size - at, 512 * rng.randint(1, 20))))
    return True


@pytest.mark.skipif(not hasattr(os, "fork"), reason="stops forked processes")
def test_what_is_acknowledged_survives_power_loss(alone: Callable[..., Any], share: float) -> None:
    print(alone(outages, rounds=int(500 * share), seed=3))
