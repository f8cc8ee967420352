"""What a model may cost: limits in tokens and money for a call, a user and a day. Pure: the counts come from outside.

    Allowance    the limits and the prices, given by the caller
    Usage        what was spent: calls, tokens, time, money; sums up
    Ledger       what was spent in this call, by this user and by all, on one day

`why_not` says which limit a further question would break, before it is asked; `spend` counts it afterwards. What a
question will cost is known only when it is answered, so it is allowed only where the most that it can cost fits: a
limit holds, and a little of it may stay unused.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import date

from mnemic.errors import ConfigError, nearest
from mnemic.ports import Completion
from mnemic.text import count_bytes3

_PER_MESSAGE = 8
"""Tokens that a chat template adds to a message, at most, for the usual templates."""


def _checked(name: str, value: float | None) -> None:
    if value is not None and not 0 <= value < math.inf:
        raise ConfigError(f"{name} must be 0 or more (got {value!r}); leave it out for no limit")


@dataclass(frozen=True, slots=True)
class Price:
    """Of a model, for a million tokens, in whatever currency all prices and limits have."""

    tokens_in: float
    tokens_out: float
    """The thoughts among them."""

    def __post_init__(self) -> None:
        for one in fields(self):
            _checked(f"Price.{one.name}", getattr(self, one.name))

    def of(self, tokens_in: int, tokens_out: int) -> float:
        """What so many tokens cost."""
        return (tokens_in * self.tokens_in + tokens_out * self.tokens_out) / 1e6


@dataclass(frozen=True, slots=True)
class Limit:
    """Of tokens, in and out together, and of money; None for no limit."""

    tokens: int | None = None
    money: float | None = None

    def __post_init__(self) -> None:
        _checked("Limit.tokens", self.tokens)
        _checked("Limit.money", self.money)


@dataclass(frozen=True, slots=True)
class Usage:
    """What was spent."""

    calls: int = 0
    """Requests to a model."""
    tokens_in: int = 0
    tokens_out: int = 0
    milliseconds: float = 0.0
    """That models took; of calls side by side the sum, so it may be more than has passed."""
    money: float = 0.0
    retries: int = 0
    """Those of the calls that were not the first for a prompt: to a busy or failing server, or after a bad answer."""

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.calls + other.calls,
            self.tokens_in + other.tokens_in,
            self.tokens_out + other.tokens_out,
            self.milliseconds + other.milliseconds,
            self.money + other.money,
            self.retries + other.retries,
        )

    @property
    def tokens(self) -> int:
        """In and out."""
        return self.tokens_in + self.tokens_out


_NO_LIMIT = Limit()


@dataclass(frozen=True, slots=True)
class Allowance:
    """The limits. Each is of its own; the tightest counts.

    A limit of money needs the price of the model that is asked: `prices` by the model's name ("openai:gpt-4o-mini"), or
    what it ends with ("gpt-4o-mini"); "*" is the price of every other one.
    """

    per_call: Limit = _NO_LIMIT
    """For one call of the memory: an add, an upkeep."""
    per_user: Limit = _NO_LIMIT
    """For one user, on one day."""
    per_day: Limit = _NO_LIMIT
    """For all users together, on one day."""
    prices: Mapping[str, Price] = field(default_factory=dict[str, Price])

    def price(self, model: str) -> Price | None:
        """Of a model; None where none is given."""
        return self.prices.get(model) or self.prices.get(model.partition(":")[2]) or self.prices.get("*")

    def check(self, model: str) -> None:
        """Raises ConfigError where money is limited, and the model has no price."""
        limited = [one for one in ("per_call", "per_user", "per_day") if getattr(self, one).money is not None]
        if limited and self.price(model) is None:
            raise ConfigError(
                f"{limited[0]} limits money, and {model!r} has no price{nearest(model, self.prices)}: "
                + f"add prices={{{model!r}: Price(tokens_in=…, tokens_out=…)}}, for a million tokens"
            )


@dataclass(frozen=True, slots=True)
class Ledger:
    """What has been spent, as a plain value: read before a call, and written with it."""

    day: date
    """On which these were spent; the day is that of the memory's clock, in UTC."""
    call: Usage = Usage()
    user: Usage = Usage()
    all: Usage = Usage()


def spend(ledger: Ledger, usage: Usage) -> Ledger:
    """The ledger with this spent, too."""
    return Ledger(ledger.day, ledger.call + usage, ledger.user + usage, ledger.all + usage)


def on(ledger: Ledger, day: date) -> Ledger:
    """The ledger on a day: on another one nothing has been spent yet, but in this call."""
    return ledger if ledger.day == day else Ledger(day, ledger.call)


def why_not(allowance: Allowance, ledger: Ledger, most: Usage) -> str | None:
    """The limit that spending `most` would break, in words; None where it is allowed."""
    for limit, spent, whose in (
        (allowance.per_call, ledger.call, "for one call"),
        (allowance.per_user, ledger.user, f"for this user on {ledger.day}"),
        (allowance.per_day, ledger.all, f"for all users on {ledger.day}"),
    ):
        if limit.tokens is not None and spent.tokens + most.tokens > limit.tokens:
            return (
                f"the budget is used up: {limit.tokens:,} tokens {whose}, {spent.tokens:,} are spent, "
                + f"and this may take {most.tokens:,}"
            )
        if limit.money is not None and spent.money + most.money > limit.money:
            return (
                f"the budget is used up: {limit.money:g} {whose}, {spent.money:.6g} is spent, "
                + f"and this may cost {most.money:.6g}"
            )
    return None


def at_most(allowance: Allowance, model: str, messages: Sequence[Mapping[str, str]], max_tokens: int) -> Usage:
    """The most that an answer can cost: the prompt by a count that is high for nearly all models, and all of
    `max_tokens`."""
    tokens_in = sum(count_bytes3(message["content"]) + _PER_MESSAGE for message in messages)
    price = allowance.price(model)
    return Usage(1, tokens_in, max_tokens, 0.0, price.of(tokens_in, max_tokens) if price else 0.0)


def cost(allowance: Allowance, model: str, messages: Sequence[Mapping[str, str]], answer: Completion) -> Usage:
    """What an answer has cost. Where the server does not count tokens they are estimated, high."""
    tokens_in = answer.tokens_in or sum(count_bytes3(message["content"]) + _PER_MESSAGE for message in messages)
    tokens_out = answer.tokens_out or count_bytes3(answer.text)
    price = allowance.price(model)
    money = price.of(tokens_in, tokens_out) if price else 0.0
    return Usage(answer.tries, tokens_in, tokens_out, 0.0, money, answer.tries - 1)
