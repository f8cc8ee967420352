"""What a model may cost: limits hold, and what was spent adds up."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mnemic.allowance import Allowance, Ledger, Limit, Price, Usage, at_most, cost, on, spend, why_not
from mnemic.errors import ConfigError
from mnemic.ports import Completion

DAY = date(2026, 5, 8)
HELLO = [{"role": "user", "content": "Where does Ilse live?"}]
CHEAP = Price(tokens_in=0.5, tokens_out=2.0)


def test_a_price_is_for_a_million_tokens() -> None:
    assert CHEAP.of(1_000_000, 0) == 0.5
    assert CHEAP.of(1_000, 500) == pytest.approx(0.0015)


def test_a_price_is_found_by_the_whole_name_the_end_of_it_or_for_all() -> None:
    prices = {"openai:small": Price(1, 1), "large": Price(2, 2)}
    assert Allowance(prices=prices).price("openai:small") == Price(1, 1)
    assert Allowance(prices=prices).price("openai:large") == Price(2, 2)
    assert Allowance(prices=prices).price("openai:other") is None
    assert Allowance(prices={**prices, "*": CHEAP}).price("other") == CHEAP


def test_money_is_not_limited_without_a_price() -> None:
    with pytest.raises(
        ConfigError, match=r"per_day limits money, and 'openai:smal' has no price; did you mean 'openai:sm"
    ):
        Allowance(per_day=Limit(money=1), prices={"openai:small": CHEAP}).check("openai:smal")
    Allowance(per_day=Limit(tokens=1)).check("openai:smal")


@pytest.mark.parametrize("make", [lambda: Limit(tokens=-1), lambda: Limit(money=float("nan")), lambda: Price(-1, 0)])
def test_what_cannot_be_a_limit_or_a_price_is_refused(make: object) -> None:
    with pytest.raises(ConfigError, match="must be 0 or more"):
        make()  # type: ignore[operator]


@pytest.mark.parametrize(
    ("allowance", "said"),
    [
        (Allowance(per_call=Limit(tokens=100)), "100 tokens for one call, 90 are spent, and this may take 20"),
        (Allowance(per_user=Limit(tokens=100)), "100 tokens for this user on 2026-05-08, 95 are spent"),
        (Allowance(per_day=Limit(tokens=100)), "100 tokens for all users on 2026-05-08, 99 are spent"),
        (Allowance(per_day=Limit(money=0.5)), "0.5 for all users on 2026-05-08, 0.4 is spent, and this may cost 0.2"),
    ],
)
def test_the_limit_that_would_be_passed_is_told(allowance: Allowance, said: str) -> None:
    spent = Ledger(DAY, Usage(1, 90), Usage(1, 95), Usage(1, 99, money=0.4))
    assert said in (why_not(allowance, spent, Usage(1, 10, 10, money=0.2)) or "")
    assert why_not(allowance, Ledger(DAY), Usage(1, 10, 10, money=0.2)) is None


def test_spending_counts_for_the_call_the_user_and_all_and_ends_with_the_day() -> None:
    usage = Usage(1, 10, 5, 2.5, 0.1, 1)
    spent = spend(spend(Ledger(DAY), usage), usage)
    assert spent.call == spent.user == spent.all == Usage(2, 20, 10, 5.0, 0.2, 2)
    assert spent.call.tokens == 30
    assert on(spent, DAY) is spent
    assert on(spent, date(2026, 5, 9)) == Ledger(date(2026, 5, 9), spent.call)


def test_what_an_answer_cost_is_what_the_server_counts_or_an_estimate_that_is_high() -> None:
    allowance = Allowance(prices={"small": CHEAP})
    assert cost(allowance, "small", HELLO, Completion("In Porto.", 9, 3, tries=3)) == Usage(
        3, 9, 3, 0.0, CHEAP.of(9, 3), retries=2
    )
    guessed = cost(allowance, "small", HELLO, Completion("In Porto."))
    assert (guessed.tokens_in, guessed.tokens_out) == (15, 3)
    assert cost(allowance, "other", HELLO, Completion("In Porto.", 9, 3)).money == 0


@given(st.text(max_size=200), st.integers(1, 4_000))
def test_no_answer_costs_more_than_the_most_it_can(text: str, max_tokens: int) -> None:
    allowance = Allowance(prices={"*": CHEAP})
    messages = [{"role": "user", "content": text}]
    spent = cost(allowance, "small", messages, Completion("x", 0, max_tokens))
    most = at_most(allowance, "small", messages, max_tokens)
    assert spent.tokens <= most.tokens
    assert spent.money <= most.money
