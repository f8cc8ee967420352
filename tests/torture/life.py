"""A store's life in a child that may end at any instant, and the model of what must be in the store after it.

The child tells each act before it begins and acknowledges it when the verb has returned. So what is there after its end
is the model of what was acknowledged, or that model and the whole of the one act begun last.
"""

from __future__ import annotations

import copy
import json
import os
import random
import select
import signal
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NoReturn

from mnemic import Memory
from mnemic.stores import sqlite
from mnemic.types import STATES, Receipt

from .sound import assert_rebuilt_alike, assert_sound, bytes_of

Act = dict[str, Any]
START = datetime(2024, 1, 1, tzinfo=UTC)
WORDS = ("river", "stone", "lamp", "garden", "letter", "train", "copper", "violin", "harbour", "winter", "bread")
WHO = {"user_id": "ana"}


@dataclass
class Model:
    """What must be in the store, in order: [text, state, id, handle, kind]."""

    records: list[list[Any]] = field(default_factory=list)
    told: int = 0
    """Words given out: each text has one of its own, by which alone it is found (no id has a capital)."""
    erased: list[str] = field(default_factory=list)
    """Texts erased whose bytes must be gone."""
    leaving: list[str] = field(default_factory=list)
    """Texts erased whose bytes the next write takes away at the latest."""
    retired: list[Any] | None = None
    """The last retirement, which may be undone: receipt and place."""

    def apply(self, act: Act, answer: Act | None = None) -> None:
        """Do to the model what the act did to the store. `answer` is None where it was not acknowledged."""
        do = act["do"]
        if answer is not None:
            self.erased += self.leaving
            self.leaving = []
        if do == "add":
            self.records += [[text, "current", None, handle, "episode"] for handle, text in act["messages"]]
        elif do == "edit":
            self.records[act["place"]][1] = "superseded"
            self.records.append([act["text"], "current", None, act["handle"], "episode"])
        elif do == "remember":
            for record in self.records:
                if record[3] == act["key"] and record[1] == "current":
                    record[1] = "superseded"
            self.records.append([act["text"], "current", None, act["key"], "fact"])
        elif do == "erase":
            text = self.records.pop(act["place"])[0]
            (self.leaving if answer is None or answer["notes"] else self.erased).append(text)
        elif do == "retire":
            self.records[act["place"]][1] = "retired"
        elif do == "undo":
            self.records[act["place"]][1] = "current"
        self.told = act["told"]
        self.retired = [answer["receipt"], act["place"]] if do == "retire" and answer else None
        if answer is not None:
            for record, id_ in zip(self.records[len(self.records) - len(answer["ids"]) :], answer["ids"], strict=True):
                record[2] = id_

    def plan(self, rng: random.Random) -> Act:
        """The next act."""
        told = self.told

        def text(size: int = 6) -> str:
            nonlocal told
            told += 1
            return " ".join([f"Zq{told}x", *rng.choices(WORDS, k=size)])

        places = [
            place
            for place, record in enumerate(self.records)
            if record[1] == "current" and record[2] and record[4] == "episode" and record[3] and record[3][0] == "m"
        ]
        chance = rng.random()
        if self.retired and chance < 0.5:
            return {"do": "undo", "receipt": self.retired[0], "place": self.retired[1], "told": told}
        if chance < 0.02:
            return {"do": "add", "messages": [[f"long{told}", ". ".join(text(40) for _ in range(8))]], "told": told}
        if chance < 0.40 or not places:
            return {"do": "add", "messages": [[f"m{told}", text()]], "told": told}
        if chance < 0.65:
            messages = [[None if rng.random() < 0.3 else f"m{told}", text()] for _ in range(rng.randint(2, 40))]
            return {"do": "add", "messages": messages, "told": told}
        place = rng.choice(places)
        if chance < 0.75:
            handle = self.records[place][3]
            return {"do": "edit", "place": place, "handle": handle, "text": text(), "told": told}
        if chance < 0.85:
            return {"do": "remember", "key": f"k{rng.randint(0, 3)}", "text": text(), "told": told}
        if chance < 0.95:
            handles = [record[3] for record in self.records]
            alone = [place for place in places if handles.count(handles[place]) == 1]
            if alone:
                place = rng.choice(alone)
                return {"do": "erase", "place": place, "id": self.records[place][2], "told": told}
        return {"do": "retire", "place": place, "id": self.records[place][2], "told": told}


def carry_out(memory: Memory, act: Act) -> Receipt:
    """The act on a store."""

    def at(offset: int = 0) -> datetime:
        return START + timedelta(seconds=100 * act["told"] + offset)

    match act["do"]:
        case "add":
            return memory.add(
                [
                    {"role": "user", "content": text, "time": at(place)} | ({"id": handle} if handle else {})
                    for place, (handle, text) in enumerate(act["messages"])
                ],
                **WHO,
            )
        case "edit":
            return memory.add({"role": "user", "content": act["text"], "id": act["handle"], "time": at()}, **WHO)
        case "remember":
            return memory.remember(act["text"], key=act["key"], time=at(), **WHO)
        case "erase":
            return memory.erase(act["id"], **WHO)
        case "retire":
            return memory.retire(act["id"], **WHO)
        case _:
            return memory.undo(act["receipt"], **WHO)


def live(path: Path, model: Model, seed: int, tell: int, embedder: object, *, pages: int = 40) -> NoReturn:
    """Act until killed. Few pages of log, so that checkpoints, and their interruption, are frequent."""
    sqlite.CHECKPOINT_PAGES = pages
    rng = random.Random(seed)
    memory = Memory(path, embedder=embedder, recipe="none")
    while True:
        act = model.plan(rng)
        _say(tell, {"begin": act})
        receipt = carry_out(memory, act)
        new = [entry.id for entry in receipt.entries if entry.action == "added"]
        answer = {"receipt": receipt.id, "ids": new, "notes": receipt.notes, "log": end_of_log(path)}
        _say(tell, {"done": answer})
        model.apply(act, answer)


def end_of_log(path: Path) -> tuple[str, int]:
    """Which log it is (its salts), and where its last whole transaction ends."""
    log = path.with_name(path.name + "-wal")
    if not log.exists() or log.stat().st_size < 32:
        return "", 0
    with open(log, "rb") as file:
        data = file.read()
    page, salts, end, at = int.from_bytes(data[8:12], "big"), data[16:24], 32, 32
    while at + 24 + page <= len(data) and data[at + 8 : at + 16] == salts:
        at += 24 + page
        if any(data[at - page - 20 : at - page - 16]):  # the size of the file after it: it ends a transaction
            end = at
    return salts.hex(), end


def _say(tell: int, value: Act) -> None:
    os.write(tell, json.dumps(value).encode() + b"\n")


class Child:
    """A forked process, and what it tells."""

    def __init__(self, life: Callable[[int], object]) -> None:
        self._ear, tell = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(self._ear)
            _run(life, tell)
        os.close(tell)
        self._heard = b""
        self.acknowledged = 0

    def listen(self, seconds: float, acknowledgements: int = 1 << 30, *, lines: int = 1 << 30) -> None:
        """Hear it until the time is over, so many more acts are acknowledged, or it has told so many lines in all."""
        end, until = time.monotonic() + seconds, self.acknowledged + acknowledgements
        while (left := end - time.monotonic()) > 0 and self.acknowledged < until and self._heard.count(b"\n") < lines:
            if select.select([self._ear], [], [], left)[0]:
                data = os.read(self._ear, 1 << 16)
                if not data:
                    return
                self._hear(data)

    def hear_rest(self) -> None:
        """Hear what it has told so far."""
        while select.select([self._ear], [], [], 0)[0] and (data := os.read(self._ear, 1 << 16)):
            self._hear(data)

    def kill(self) -> None:
        """End it at once."""
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        self.hear_rest()
        os.close(self._ear)

    def stop(self) -> None:
        """Let it stand still: it is when this returns."""
        os.kill(self.pid, signal.SIGSTOP)
        os.waitpid(self.pid, os.WUNTRACED)
        self.hear_rest()

    def go_on(self) -> None:
        """Let it go on."""
        os.kill(self.pid, signal.SIGCONT)

    def wait(self, watchdog: float = 300) -> Any:
        """What it returns, when it has ended."""
        end = time.monotonic() + watchdog
        while not any(word in self._heard for word in (b'{"returned"', b'{"failed"')) or self._heard[-1:] != b"\n":
            assert time.monotonic() < end, f"process {self.pid} hangs"
            if select.select([self._ear], [], [], 1)[0]:
                data = os.read(self._ear, 1 << 16)
                assert data, f"process {self.pid} ended without a word"
                self._hear(data)
        os.waitpid(self.pid, 0)
        os.close(self._ear)
        value = json.loads(self._heard.splitlines()[-1])
        assert "failed" not in value, value["failed"]
        return value["returned"]

    def told(self) -> Iterator[Act]:
        """What it has told, line by line; the last may be cut off by its end."""
        *lines, _ = self._heard.split(b"\n")
        for one in lines:
            value = json.loads(one)
            assert "failed" not in value, value["failed"]
            yield value

    def _hear(self, data: bytes) -> None:
        self._heard += data
        self.acknowledged += data.count(b'{"done"')


def _run(life: Callable[[int], object], tell: int) -> NoReturn:
    status = 1
    try:
        _say(tell, {"returned": life(tell)})
        status = 0
    except BaseException:
        _say(tell, {"failed": traceback.format_exc()})
    finally:
        os._exit(status)


def in_child(function: Callable[[], Any]) -> Any:
    """Call a function in a forked process; its answer must be JSON."""
    return Child(lambda _: function()).wait()


def follow(model: Model, told: Iterator[Act]) -> tuple[Act | None, Act | None]:
    """Bring the model up to what was acknowledged. Returns the act that was under way, and the last answer."""
    begun: Act | None = None
    last: Act | None = None
    for value in told:
        if "begin" in value:
            begun = value["begin"]
        elif begun is not None:
            last = value["done"]
            model.apply(begun, last)
            begun = None
    return begun, last


def settle(path: Path, model: Model, begun: Act | None, embedder: object, *, thorough: bool, close: bool) -> Model:
    """Check the store against the model, with or without the act under way; the model that holds, with its ids."""
    after = copy.deepcopy(model)
    if begun is not None:
        after.apply(begun)
    seen, erased = in_child(lambda: _observe(path, model, after, embedder, thorough, close))
    holds = after if _plain(seen) == _plain(after.records) else model
    assert _plain(seen) == _plain(holds.records), _difference(seen, model.records, begun)
    for record, found in zip(holds.records, seen, strict=True):
        assert record[2] in (None, found[2])
        record[2] = found[2]
    holds.retired = None
    assert not erased, f"erased, and still in the files: {erased}"
    return holds


def _observe(path: Path, model: Model, after: Model, embedder: object, thorough: bool, close: bool) -> Any:
    erased: list[str] = []
    data = bytes_of(path)
    for text in model.erased[-50:]:
        if text.split()[0].encode() in data:
            erased.append(text)
    memory = Memory(path, embedder=embedder, recipe="none")
    seen: list[list[Any]] = []
    for record in memory.list(order="oldest", limit=1_000_000, include=STATES, **WHO):
        if record.passage is not None and record.passage[0] > 0:
            assert seen[-1][3] == record.message_id
            seen[-1][0] += record.text
        else:
            seen.append([record.text, record.state, record.id, record.message_id or record.key, record.kind])
    assert_sound(memory)
    rng = random.Random(len(seen))
    places = [*range(max(0, len(seen) - 5), len(seen)), *rng.choices(range(len(seen)), k=5)] if seen else []
    for text, state, id_, handle, _ in (seen[place] for place in places):
        hits = memory.search(text.split()[0], limit=3, **WHO)
        found = [hit.id for hit in hits if hit.message_id == handle or hit.id == id_]
        assert (id_ in [hit.id for hit in hits]) == (state == "current"), (text, state, found)
    for text in model.erased[-3:]:
        assert all(text.split()[0] not in hit.text for hit in memory.search(text.split()[0], **WHO))
    if thorough:
        assert_rebuilt_alike(memory, [text for text, *_ in seen[-10:]], **WHO)
    if close:
        memory.close()
    return seen, erased


def _plain(records: list[list[Any]]) -> list[list[Any]]:
    return [[text, state, handle, kind] for text, state, _, handle, kind in records]


def _difference(seen: list[list[Any]], wanted: list[list[Any]], begun: Act | None) -> str:
    missing = [record for record in _plain(wanted) if record not in _plain(seen)]
    extra = [record for record in _plain(seen) if record not in _plain(wanted)]
    return (
        f"{len(seen)} records, {len(wanted)} acknowledged; missing {missing[:5]}; extra {extra[:5]}; under way {begun}"
    )
