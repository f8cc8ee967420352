"""What is new in a conversation, remembered in order, behind the response.

A client sends its whole history at each turn. A turn is told apart by what it says and by what stands right before it,
in its conversation; an answer by its place alone, so that one which is made anew takes over from the one before, as
an edit does. What stands before a turn that is held is held, or was left out for a reason (an erasure, a history that
was cut): only what stands behind the last of those is new.
"""

from __future__ import annotations

import logging
import threading
import time as clocks
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Final, Literal

from mnemic.errors import ClosedError, InputError, NewerFormatError, NotAStoreError, ReadOnlyError, StoreError
from mnemic.memory import Memory
from mnemic.serve.proxy.given import Placed, Recent
from mnemic.serve.proxy.wire import NO_ANSWER, Answer, Protocol, Turn, answer_of, digest, squeezed, unpacked
from mnemic.types import ScopeArgs

Outcome = Literal["kept", "known", "nothing", "refused", "lost"]
"""What became of an exchange: something new, nothing new, no words, what no memory takes, no room or no file."""

PAUSES: Final = (0.1, 0.5, 2.0, 5.0, 10.0, 10.0, 30.0)
"""Seconds before a write that the store refused is tried again."""
LASTING: Final = (NotAStoreError, NewerFormatError, ReadOnlyError, ClosedError)
"""Refusals that no waiting helps against."""
MOST_WAITING: Final = 2_000
"""Exchanges that may wait to be remembered …"""
MOST_BYTES: Final = 256_000_000
"""… and the bytes of their responses; what comes then is lost, unless the conversation goes on."""
CONVERSATIONS: Final = 4_096
"""Conversations whose turns are known without a look at the store."""
LOOKED_AT: Final = 200
"""Latest messages of a session that are looked at for what is held, the first time."""
Versions = tuple[str | None, ...]
"""The digests of what was held under a key, the last one now; None for what is in several passages."""
RUN: Final = 4
"""Turns that tell where a history of which the beginning was cut off belongs."""
LONGEST_ANSWER: Final = 16_000_000
"""Bytes of a response, unpacked, beyond which its answer is not remembered."""

log = logging.getLogger("mnemic.proxy")


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request that was answered: its turns, and the response as it came.

    `body` is None where it was not kept. `asked_at` and `answered_at` are the times of what is new in them.
    """

    scope: ScopeArgs
    whose: str
    protocol: Protocol
    turns: tuple[Turn, ...]
    body: bytes | None
    encoding: str
    model: str | None
    asked_at: datetime
    answered_at: datetime

    @property
    def answer(self) -> Answer:
        """What the response says."""
        body = None if self.body is None else unpacked(self.body, self.encoding, LONGEST_ANSWER)
        return NO_ANSWER if body is None else answer_of(self.protocol, body)


def opening_of(turns: Sequence[Turn]) -> str:
    """A code of a conversation's turns up to its first answer, by which it is known for as long as it has them."""
    first = next((at for at, turn in enumerate(turns) if turn.role == "assistant"), len(turns) - 1)
    return digest(*(turn.digest for turn in turns[: first + 1]))


def keys_of(turns: Sequence[Turn], *salt: str) -> tuple[str, ...]:
    """The message id of each turn."""
    digests = ["", "", *(turn.digest for turn in turns)]
    equals: dict[str, int] = {}
    keys: list[str] = []
    for at, turn in enumerate(turns):
        own = "" if turn.role == "assistant" else digests[at + 2]
        base = digest(*salt, turn.role, own, digests[at + 1], digests[at])
        nth = equals[base] = equals.get(base, -1) + 1
        keys.append(f"{base}-{nth}")
    return tuple(keys)


def new_in(turns: Sequence[Turn], keys: Sequence[str], known: Mapping[str, Versions]) -> tuple[int, ...]:
    """The places of the turns that are to be remembered: behind the last that is known, and answers made anew."""
    last = max((at for at, key in enumerate(keys) if key in known), default=-1)
    return tuple(
        at
        for at, (turn, key) in enumerate(zip(turns, keys, strict=True))
        if at > last or (key in known and known[key][-1] not in (None, turn.digest))
    )


class Keeping:
    """Remembers exchanges one after the other, in a thread of its own, in the order in which their responses ended.

    `told` hears what became of each. A store that is locked or full is tried again for a minute.
    """

    def __init__(self, open: Callable[[], Memory], placed: Placed, told: Callable[[Outcome], None]) -> None:
        self._open = open
        self._placed = placed
        self._told = told
        self._pool = ThreadPoolExecutor(1, "mnemic-proxy-keep")
        self._lock = threading.Lock()
        self._waiting = self._bytes = 0
        self._is_refused = False
        self._closing = threading.Event()
        self._until = float("inf")
        self._known: Recent[tuple[str, str, str], dict[str, Versions]] = Recent(CONVERSATIONS)
        self._openings: Recent[tuple[str, str], str] = Recent(CONVERSATIONS)
        self._runs: Recent[tuple[str, str], str] = Recent(4 * CONVERSATIONS)

    @property
    def waiting(self) -> int:
        """Exchanges that are not remembered yet."""
        return self._waiting

    def put(self, exchange: Exchange) -> None:
        """Remember an exchange, soon."""
        size = len(exchange.body or b"")
        with self._lock:
            full = self._waiting >= MOST_WAITING or self._bytes + size > MOST_BYTES
            if not full:
                self._waiting += 1
                self._bytes += size
        if full:
            log.warning("too much waits to be remembered: an exchange is left out")
            self._told("lost")
            return
        self._pool.submit(self._kept, exchange).add_done_callback(partial(self._done, size))

    def close(self, seconds: float) -> None:
        """Remember what waits, for at most about so many seconds while the store refuses it."""
        self._until = clocks.monotonic() + seconds
        self._closing.set()
        self._pool.shutdown(wait=True)

    def _done(self, size: int, future: Future[Outcome]) -> None:
        with self._lock:
            self._waiting -= 1
            self._bytes -= size
        error = future.exception()
        if error is not None:
            log.warning("an exchange could not be remembered: %s", type(error).__name__)  # its words may be the user's
        self._told("lost" if error is not None else future.result())

    def _kept(self, exchange: Exchange) -> Outcome:
        answer = exchange.answer
        if answer.turn is not None:
            self._placed.answered(exchange.whose, exchange.turns, answer.turn)
        for pause in self._pauses():
            try:
                outcome = self._remembered(exchange, answer)
                self._is_refused = False
                return outcome
            except InputError as error:
                log.warning("an exchange could not be remembered: %s", type(error).__name__)
                return "refused"
            except StoreError as error:
                log.warning("an exchange could not be remembered: %s", error)
                if isinstance(error, LASTING):
                    return "lost"
                if self._closing.is_set():
                    clocks.sleep(0.1)
                else:
                    self._closing.wait(pause)
        self._is_refused = True
        return "lost"

    def _pauses(self) -> Iterator[float]:
        """A pause for each try; those that are left go on quickly once all is to end.

        Where the exchange before was given up there is one only: what waits would be ever more.
        """
        yield from (0.0,) if self._is_refused else (*PAUSES, 0.0)
        while self._closing.is_set() and clocks.monotonic() < self._until:
            yield 0.0

    def _remembered(self, exchange: Exchange, answer: Answer) -> Outcome:
        said = exchange.turns if answer.turn is None else (*exchange.turns, answer.turn)
        turns = said if answer.whole else exchange.turns
        if not turns:
            return "nothing"
        memory = self._open()
        named = exchange.scope.get("session_id")
        conversation = self._conversation(exchange.whose, named or "", said)
        session = named or f"chat-{conversation}"
        keys = keys_of(turns, session, conversation)
        known = self._held(memory, exchange, session, conversation)
        places = new_in(turns, keys, known)
        if places:
            items = [_item(exchange, turns[at], keys[at], known, is_answer=at == len(exchange.turns)) for at in places]
            scope: Any = {**exchange.scope, "session_id": session}
            memory.add(items, **scope)
            known.update({keys[at]: (*known.get(keys[at], ()), turns[at].digest) for at in places})
        self._note(exchange.whose, named or "", conversation, said)
        return "kept" if places else "known"

    def _conversation(self, whose: str, session: str, turns: Sequence[Turn]) -> str:
        """A code of the conversation that turns belong to: that of its opening, also where that was cut off since."""
        opening = opening_of(turns)
        if self._openings.get((whose + session, opening)) is not None:
            return opening
        for end in range(len(turns), max(RUN, len(turns) - 2 * RUN) - 1, -1):
            known = self._runs.get((whose + session, _run(turns, end)))
            if known is not None:
                return known
        return opening

    def _note(self, whose: str, session: str, conversation: str, turns: Sequence[Turn]) -> None:
        if opening_of(turns) == conversation:
            self._openings.put((whose + session, conversation), conversation)
        for end in range(max(RUN, len(turns) - 1), len(turns) + 1):
            self._runs.put((whose + session, _run(turns, end)), conversation)

    def _held(self, memory: Memory, exchange: Exchange, session: str, conversation: str) -> dict[str, Versions]:
        """What is held of a conversation, by message id; looked up in the store where this process does not know."""
        key = (exchange.whose, session, conversation)
        known = self._known.get(key)
        if known is None:
            scope: Any = {**exchange.scope, "session_id": session}
            known = dict[str, Versions]()
            for record in reversed(memory.list(limit=LOOKED_AT, kinds="episode", include="superseded", **scope)):
                held = None if record.passage is not None else digest(record.role or "", squeezed(record.text))
                name = "-".join((record.message_id or "").split("-")[:2])
                known[name] = (*known.get(name, ()), held)
            self._known.put(key, known)
        return known


def _run(turns: Sequence[Turn], end: int) -> str:
    return digest(*(turn.digest for turn in turns[end - RUN : end]))


def _item(
    exchange: Exchange, turn: Turn, key: str, known: Mapping[str, Versions], *, is_answer: bool
) -> dict[str, Any]:
    """A turn as `Memory.add` takes it.

    An earlier version that is chosen again has an id of its own: under the first, it would be a replay.
    """
    id_ = f"{key}-{turn.digest}" if turn.digest in known.get(key, ()) else key
    item = {**turn.item, "id": id_, "time": exchange.answered_at if is_answer else exchange.asked_at}
    return {**item, "metadata": {"model": exchange.model}} if is_answer and exchange.model else item
