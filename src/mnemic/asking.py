"""Asking a model many things at once: answers in the order of the prompts, and a reason for each that stays away.

Every prompt comes to an `Outcome`: an answer, or why it is put off. A broken answer is shown to the model once, with
what is wrong with it; one of which only a part is lost counts if the second is no better. Nothing a model does stops
the others, and nothing is lost: what is put off can be asked later. Answers are known by their key, a hash of prompt,
model and parameters, so whoever keeps them need not ask twice.

Threads exist only while the iterator runs. Closing it waits for what is being asked at that moment, for no more.
"""

from __future__ import annotations

import json
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from hashlib import blake2b

from mnemic.allowance import Allowance, Ledger, Usage, at_most, cost, spend, why_not
from mnemic.errors import InputError, ModelError
from mnemic.models import foreign
from mnemic.models.wrap import name_of
from mnemic.ports import ChatModel, Completion

PARALLEL = 8
"""Answers asked for side by side."""
AHEAD = 4
"""Times as many prompts are under way or answered before they are due, so that one slow answer holds nobody up."""
_SHOWN = 2000
"""Characters of its own answer that a model is shown again."""
_AGAIN = """That could not be read: {problem}. Answer again, in the form that was asked for and with nothing else: no \
other words, no comments, no code fence."""

Prompt = Sequence[Mapping[str, str]]
_NOTHING = Usage()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a prompt."""

    key: str
    """Under which its answer is kept."""
    text: str | None
    """The answer, as the model gave it; None where it is put off."""
    deferred: str | None = None
    """Why it is put off; None where there is an answer."""
    fault: str | None = None
    """What that lies at, in a word: one of ModelError's, "budget", "unreadable" or "closed"."""
    usage: Usage = _NOTHING
    kept: bool = False
    """Whether the answer was known by its key, and nobody was asked."""
    repaired: bool = False
    """Whether it is the second answer, the first one being broken."""
    cut: bool = False
    """Whether it was broken off at `max_tokens`."""


def key_of(prompt: Prompt, model: str, *, max_tokens: int, temperature: float) -> str:
    """The key of an answer: BLAKE2b-256 of the model's name, the parameters and the messages, in hexadecimal."""
    messages = [[message["role"], message["content"]] for message in prompt]
    plain = json.dumps([model, max_tokens, float(temperature), messages], separators=(",", ":"))
    return blake2b(plain.encode("ascii"), digest_size=32).hexdigest()


def ask_all(
    model: ChatModel,
    prompts: Iterable[Prompt],
    *,
    unreadable: Callable[[str], str | None] = lambda text: None,
    flawed: Callable[[str], str | None] = lambda text: None,
    parallel: int = PARALLEL,
    allowance: Allowance | None = None,
    ledger: Ledger | None = None,
    cached: Callable[[str], str | None] = lambda key: None,
    late: Callable[[int, Outcome], None] = lambda index, outcome: None,
    payer: Callable[[int], str] = lambda index: "",
    paid: Mapping[str, Usage] | None = None,
    max_tokens: int = 2048,
    temperature: float = 0.0,
) -> Generator[tuple[int, Outcome]]:
    """The outcome of each prompt with its number, in the order of the prompts.

    `unreadable` says why an answer cannot be read, `flawed` why it should be asked for again although it can; both None
    where nothing is wrong. `cached` gives an answer by its key; it and `prompts` are asked in the caller's thread, a
    few prompts ahead. No limit of `allowance` is passed, counted from what `ledger` says is spent already; where the
    prompts are of several users, `payer` tells of which, and `paid` what each has spent on that day. What each outcome
    cost is in its `usage`, for `spend`. When the iterator is closed early, `late` is given what was still
    answered, so that it is neither lost nor uncounted. How long one answer may take is the model's to know: HttpChat
    has a `timeout`.

    Raises InputError for `parallel` below 1, ConfigError where money is limited and the model has no price.
    """
    if parallel < 1:
        raise InputError(f"parallel must be at least 1 (got {parallel!r})")
    limits, name = allowance or Allowance(), name_of(model) or "model"
    limits.check(name)
    asker = _Asker(
        model,
        name,
        unreadable,
        flawed,
        max_tokens,
        temperature,
        limits,
        _Purse(limits, ledger or Ledger(_today()), dict(paid or {})),
    )
    return _outcomes(asker, prompts, parallel, cached, late, payer)


def _today() -> date:
    return datetime.now(UTC).date()


def _outcomes(
    asker: _Asker,
    prompts: Iterable[Prompt],
    parallel: int,
    cached: Callable[[str], str | None],
    late: Callable[[int, Outcome], None],
    payer: Callable[[int], str],
) -> Generator[tuple[int, Outcome]]:
    coming = enumerate(prompts)
    held: tuple[int, Prompt] | None = None  # waits until it is known what the ones before it have cost
    waiting: deque[tuple[int, Future[Outcome] | Outcome]] = deque()
    pool = ThreadPoolExecutor(parallel, thread_name_prefix="mnemic-ask")
    try:
        while True:
            while len(waiting) < parallel * AHEAD and (one := held or next(coming, None)) is not None:
                begun = _begun(asker, one[1], payer(one[0]), pool, cached)
                held = one if begun is None else None
                if begun is None:
                    break
                waiting.append((one[0], begun))
            if not waiting:
                return
            index, begun = waiting.popleft()
            yield index, begun if isinstance(begun, Outcome) else begun.result()
    finally:
        asker.closing.set()
        pool.shutdown(wait=True, cancel_futures=True)
        for index, begun in waiting:
            if isinstance(begun, Future) and not begun.cancelled():
                late(index, begun.result())


def _begun(
    asker: _Asker, prompt: Prompt, payer: str, pool: ThreadPoolExecutor, cached: Callable[[str], str | None]
) -> Future[Outcome] | Outcome | None:
    """A prompt's outcome, or the promise of one; None where it must wait for what is being spent."""
    key = asker.key(prompt)
    known = cached(key)
    if known is not None and asker.unreadable(known) is None:
        return Outcome(key, known, kept=True)
    most = asker.most(prompt)
    reason, is_final = asker.purse.take(most, payer)
    if reason is not None:
        return Outcome(key, None, reason, "budget") if is_final else None
    return pool.submit(asker.outcome, prompt, payer, key, most)


@dataclass
class _Purse:
    """What may still be spent while several answers are under way: each holds the most that it can cost."""

    allowance: Allowance
    ledger: Ledger
    paid: dict[str, Usage]
    """By payer; who is not there has spent what the ledger says of the user."""
    holds: list[tuple[str, Usage]] = field(default_factory=list[tuple[str, Usage]])
    lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, most: Usage, payer: str) -> tuple[str | None, bool]:
        """Hold that much; or the limit that stands against it, and whether it will stand when all that is under way is
        answered."""
        with self.lock:
            ledger = replace(self.ledger, user=self._paid(payer))
            held = sum((hold for _, hold in self.holds), _NOTHING)
            own = sum((hold for whose, hold in self.holds if whose == payer), _NOTHING)
            with_held = replace(spend(ledger, held), user=ledger.user + own)
            reason = why_not(self.allowance, with_held, most)
            if reason is None:
                self.holds.append((payer, most))
                return None, True
            final = why_not(self.allowance, ledger, most)
            return final or reason, final is not None

    def give(self, most: Usage, payer: str, spent: Usage) -> None:
        """Hold it no longer; so much was spent."""
        with self.lock:
            self.holds.remove((payer, most))
            self.paid[payer] = self._paid(payer) + spent
            self.ledger = spend(self.ledger, spent)

    def _paid(self, payer: str) -> Usage:
        return self.paid.setdefault(payer, self.ledger.user)


@dataclass
class _Asker:
    """Asks for one answer at a time, in whatever thread."""

    model: ChatModel
    name: str
    unreadable: Callable[[str], str | None]
    flawed: Callable[[str], str | None]
    max_tokens: int
    temperature: float
    allowance: Allowance
    purse: _Purse
    closing: threading.Event = field(default_factory=threading.Event)

    def key(self, prompt: Prompt) -> str:
        """Under which the answer to a prompt is kept."""
        return key_of(prompt, self.name, max_tokens=self.max_tokens, temperature=self.temperature)

    def most(self, prompt: Prompt) -> Usage:
        """The most that an answer can cost."""
        return at_most(self.allowance, self.name, prompt, self.max_tokens)

    def outcome(self, prompt: Prompt, payer: str, key: str, most: Usage) -> Outcome:
        """An answer that can be read, or why there is none. What it may cost is held already."""
        first = self._asked(prompt, payer, key, most, self.max_tokens)
        text = first.text
        problem = first.deferred if text is None else self.unreadable(text) or self.flawed(text)
        if problem is None or first.fault not in (None, "model"):  # the wire has been patient already
            return first
        messages = prompt if text is None else again(prompt, text, problem)
        longer = 2 if first.cut else 1
        second = self._again(messages, payer, key, self.max_tokens * longer)
        usage = first.usage + second.usage + Usage(retries=min(second.usage.calls, 1))
        if second.text is not None and self.unreadable(second.text) is None:
            return replace(second, usage=usage, repaired=True)
        if text is not None and self.unreadable(text) is None:
            return replace(first, usage=usage)
        if second.text is None:
            reason = second.deferred if text is None else f"{problem}; asked again: {second.deferred}"
            return replace(second, usage=usage, deferred=reason)
        reason = f"{self.name} gave no answer that can be read: {self.unreadable(second.text)}"
        return Outcome(key, None, reason, "unreadable", usage)

    def _again(self, messages: Prompt, payer: str, key: str, max_tokens: int) -> Outcome:
        """A second answer, if there is room for it."""
        most = at_most(self.allowance, self.name, messages, max_tokens)
        reason, _ = self.purse.take(most, payer)
        if reason:
            return Outcome(key, None, reason, "budget")
        return self._asked(messages, payer, key, most, max_tokens)

    def _asked(self, messages: Prompt, payer: str, key: str, most: Usage, max_tokens: int) -> Outcome:
        """One answer, be it readable or not."""
        spent = _NOTHING
        try:
            if self.closing.is_set():
                return Outcome(key, None, "closed before it was asked", "closed")
            started = time.perf_counter()
            try:
                answer = self._complete(messages, max_tokens)
            except ModelError as error:
                spent = Usage(error.tries, milliseconds=_since(started), retries=error.tries - 1)
                return Outcome(key, None, str(error), error.fault, spent)
            spent = replace(cost(self.allowance, self.name, messages, answer), milliseconds=_since(started))
            return Outcome(key, answer.text, usage=spent, cut=answer.cut)
        finally:
            self.purse.give(most, payer, spent)

    def _complete(self, messages: Prompt, max_tokens: int) -> Completion:
        """The model's answer. Raises ModelError, whatever the model raises."""
        try:
            with foreign(f"{self.name} failed"):
                answer = self.model.complete(messages, max_tokens=max_tokens, temperature=self.temperature)
                return Completion(
                    answer.text, answer.tokens_in, answer.tokens_out, answer.cut, getattr(answer, "tries", 1)
                )
        except ModelError as error:
            raise error.__cause__ if isinstance(error.__cause__, ModelError) else error from None


def again(prompt: Prompt, answer: str, problem: str) -> Prompt:
    """The messages that show a model its own unreadable answer, and ask once more."""
    shown = answer if len(answer) <= _SHOWN else f"{answer[: _SHOWN - 1]}…"
    return [
        *prompt,
        {"role": "assistant", "content": shown},
        {"role": "user", "content": _AGAIN.format(problem=problem)},
    ]


def _since(started: float) -> float:
    return (time.perf_counter() - started) * 1000
