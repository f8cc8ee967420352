"""A model asked many things at once, over real sockets: in order, nothing lost, nothing silent."""

from __future__ import annotations

import json
import re
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

import pytest

from mnemic.allowance import Allowance, Ledger, Limit, Price, Usage, spend
from mnemic.asking import Outcome, again, ask_all, key_of
from mnemic.errors import ConfigError, InputError, ModelError
from mnemic.models.chat import HttpChat, PromptChat
from mnemic.ports import Completion
from mnemic.propose import flawed, prompt_for, read_answer, unreadable
from mnemic.statements import Turn
from mnemic.testing import FAULTS, Answer, Faults, ScriptedChat

SAID = datetime(2026, 5, 8, 10, tzinfo=UTC)


def prompts(count: int) -> list[list[dict[str, str]]]:
    return [[{"role": "user", "content": f"What is {number}?"}] for number in range(count)]


def echo(messages: Sequence[Mapping[str, str]]) -> str:
    return re.sub(r"\D", "", messages[0]["content"])


def is_number(text: str) -> str | None:
    return None if text.isdigit() else f"{text!r} is no number"


def threads() -> int:
    return sum(thread.name.startswith("mnemic-ask") for thread in threading.enumerate())


def outcomes(model: Any, count: int, **options: Any) -> list[Outcome]:
    """The outcomes, which come in order, and leave no thread."""
    found = list(ask_all(model, prompts(count), **options))
    assert [index for index, _ in found] == list(range(count))
    assert threads() == 0
    return [outcome for _, outcome in found]


class Model:
    """A ChatModel in this process."""

    name = "model"

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.asked: list[str] = []

    def complete(self, messages: Any, *, max_tokens: int = 512, temperature: float = 0.0) -> Completion:
        self.asked.append(messages[-1]["content"])
        given = self.answer(messages)
        return given if isinstance(given, Completion) else Completion(given)


# --- order, threads ------------------------------------------------------------------------------------------------


def test_answers_come_in_the_order_of_the_prompts_whatever_order_they_arrive_in() -> None:
    with ScriptedChat(lambda messages: Answer(echo(messages), delay=0.03 * (int(echo(messages)) % 3))) as server:
        found = outcomes(HttpChat(server.url, "m"), 30)
        assert len(server.requests) == 30
    assert [outcome.text for outcome in found] == [str(number) for number in range(30)]
    assert all(outcome.usage.calls == 1 and outcome.usage.tokens_in == 3 for outcome in found)


def test_no_more_than_so_many_are_asked_side_by_side() -> None:
    now, most, lock = [0], [0], threading.Lock()

    def answer(messages: Any) -> str:
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        time.sleep(0.005)
        with lock:
            now[0] -= 1
        return echo(messages)

    outcomes(Model(answer), 30, parallel=3)
    assert most[0] == 3
    outcomes(Model(answer), 3, parallel=1)


def test_prompts_and_what_is_kept_are_asked_in_the_callers_thread_a_few_ahead() -> None:
    made: list[int] = []

    def lazily() -> Iterator[list[dict[str, str]]]:
        for number, prompt in enumerate(prompts(1000)):
            assert threading.current_thread() is threading.main_thread()
            made.append(number)
            yield prompt

    def cached(key: str) -> str | None:
        assert threading.current_thread() is threading.main_thread()
        return None

    asking = ask_all(Model(echo), lazily(), parallel=2, cached=cached)
    next(asking)
    assert len(made) <= 8
    asking.close()


def test_closing_early_leaves_no_thread_and_loses_no_answer() -> None:
    late: dict[int, Outcome] = {}
    with ScriptedChat(lambda messages: Answer(echo(messages), delay=0.05)) as server:
        asking = ask_all(HttpChat(server.url, "m"), prompts(100), parallel=4, late=late.__setitem__)
        assert next(asking)[1].text == "0"
        asking.close()
        assert threads() == 0
        answered = {index: outcome.text for index, outcome in late.items() if outcome.text is not None}
        assert len(server.requests) == 1 + len(answered) < 20
    assert answered == {index: str(index) for index in answered}
    assert {outcome.fault for outcome in late.values()} <= {None, "closed"}


def test_an_iterator_that_is_never_begun_asks_nobody() -> None:
    model = Model(echo)
    ask_all(model, prompts(3)).close()
    assert model.asked == []
    with pytest.raises(InputError, match="parallel must be at least 1"):
        ask_all(model, prompts(1), parallel=0)


# --- what goes wrong -----------------------------------------------------------------------------------------------


def test_a_failing_call_stops_no_other_and_says_why() -> None:
    def answer(messages: Any) -> str:
        if echo(messages) == "3":
            raise ModelError("down for lunch", fault="server", tries=4)
        if echo(messages) == "5":
            raise ZeroDivisionError("oh")
        return echo(messages)

    found = outcomes(Model(answer), 10)
    assert [outcome.text for outcome in found] == ["0", "1", "2", None, "4", None, "6", "7", "8", "9"]
    assert (found[3].deferred, found[3].fault, found[3].usage.retries) == ("down for lunch", "server", 3)
    assert found[5].deferred == "model failed: ZeroDivisionError: oh"
    assert (found[5].fault, found[5].usage.calls) == ("model", 2)


@pytest.mark.parametrize(
    ("step", "fault", "said"),
    [
        (429, "rate limit", "failed with 429"),
        (503, "server", "failed with 503"),
        (401, "request", "refused the request with 401"),
        (Answer("x", cut="before"), "wire", "broke"),
        (Answer("x", delay=2), "timeout", "nothing came for 0.2 s"),
        (Answer("", refusal="I won't."), "declined", "declined to answer"),
        (Answer(""), "model", "answered nothing"),
        ("no number", "unreadable", "no answer that can be read: 'no number' is no number"),
    ],
)
def test_each_fault_has_its_word_and_its_reason(step: Any, fault: str, said: str) -> None:
    with ScriptedChat(step) as server:
        chat = HttpChat(server.url, "m", timeout=0.2, attempts=2, sleep=lambda seconds: None)
        (found,) = outcomes(chat, 1, unreadable=is_number)
    assert found.text is None
    assert found.fault == fault
    assert said in (found.deferred or "")


def test_a_broken_answer_is_shown_to_the_model_once() -> None:
    with ScriptedChat("well, 0", "0") as server:
        (found,) = outcomes(HttpChat(server.url, "m"), 1, unreadable=is_number)
        first, second = server.requests
    assert (found.text, found.repaired, found.usage.calls) == ("0", True, 2)
    assert second.messages[:1] == first.messages
    assert second.messages[1] == {"role": "assistant", "content": "well, 0"}
    assert "'well, 0' is no number" in second.messages[2]["content"]
    assert found.key == key_of(prompts(1)[0], "openai:m", max_tokens=2048, temperature=0)


def test_where_only_a_part_is_lost_the_better_answer_counts() -> None:
    def lacking(text: str) -> str | None:
        return "a part is lost" if text.endswith("…") else None

    readable = {"unreadable": lambda text: "nothing" if text == "x" else None, "flawed": lacking}
    for script, text, repaired in (
        (("1…", "12"), "12", True),
        (("1…", "2…"), "2…", True),
        (("1…", "x"), "1…", False),
        (("1…", 401), "1…", False),
        (("x", "1…"), "1…", True),
        (("x", "x"), None, False),
    ):
        with ScriptedChat(*script) as server:
            (found,) = outcomes(HttpChat(server.url, "m"), 1, **readable)
        assert (found.text, found.repaired, found.usage.calls) == (text, repaired, 2)
        assert found.usage.retries == 1


def test_an_answer_that_was_cut_may_be_longer_the_second_time() -> None:
    with ScriptedChat(Answer("1,", finish="length"), Answer("12", finish="length")) as server:
        (found,) = outcomes(HttpChat(server.url, "m"), 1, unreadable=is_number, max_tokens=50)
        assert [asked.body["max_tokens"] for asked in server.requests] == [50, 100]
    assert found.cut


def test_a_long_answer_is_shown_again_in_short() -> None:
    messages = again(prompts(1)[0], "x" * 9_000, "it is long")
    assert len(messages[1]["content"]) == 2_000


def test_a_function_from_a_prompt_to_an_answer_is_a_model_too() -> None:
    (found,) = outcomes(PromptChat(lambda prompt: "7"), 1, unreadable=is_number)
    assert found.text == "7"
    assert found.usage.tokens > 0


# --- kept answers --------------------------------------------------------------------------------------------------


def test_what_is_kept_is_not_asked_again_unless_it_cannot_be_read() -> None:
    model = Model(echo)
    kept = {outcome.key: outcome.text for outcome in outcomes(model, 4)}
    kept[list(kept)[2]] = "nonsense"
    found = outcomes(model, 4, cached=kept.get, unreadable=is_number)
    assert [outcome.kept for outcome in found] == [True, True, False, True]
    assert [outcome.text for outcome in found] == ["0", "1", "2", "3"]
    assert len(model.asked) == 5
    assert found[0].usage == Usage()


def test_a_key_depends_on_prompt_model_and_parameters_and_on_nothing_else() -> None:
    prompt = prompts(1)[0]
    keys = {
        key_of(prompt, "m", max_tokens=10, temperature=0),
        key_of(prompt, "n", max_tokens=10, temperature=0),
        key_of(prompt, "m", max_tokens=11, temperature=0),
        key_of(prompt, "m", max_tokens=10, temperature=1),
        key_of([*prompt, *prompt], "m", max_tokens=10, temperature=0),
    }
    assert len(keys) == 5
    assert key_of([dict(reversed(prompt[0].items()))], "m", max_tokens=10, temperature=0.0) in keys


# --- budgets -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("parallel", [1, 8])
def test_no_limit_is_passed_and_what_it_keeps_back_is_told(parallel: int) -> None:
    allowance = Allowance(per_call=Limit(tokens=2_000))

    def answer(messages: Any) -> Completion:
        time.sleep(0.002)
        return Completion(echo(messages), 50, 50)

    found = outcomes(Model(answer), 40, allowance=allowance, max_tokens=100, parallel=parallel)
    ledger = Ledger(date(2026, 5, 8))
    for outcome in found:
        ledger = spend(ledger, outcome.usage)
    assert ledger.call.tokens <= 2_000
    assert ledger.call.tokens > 2_000 - 200, "and is used while there is room"
    kept_back = [outcome for outcome in found if outcome.fault == "budget"]
    assert len(kept_back) == 40 - ledger.call.calls > 0
    assert all("2,000 tokens for one call" in (outcome.deferred or "") for outcome in kept_back)


def test_what_is_spent_already_counts_and_a_repair_needs_room_too() -> None:
    limits = Allowance(per_user=Limit(money=1.0), prices={"*": Price(1_000, 1_000)})
    model = Model(lambda messages: Completion("well", 100, 100))
    spent = Ledger(date(2026, 5, 8), user=Usage(money=0.7))
    (found,) = outcomes(model, 1, allowance=limits, ledger=spent, max_tokens=200, unreadable=is_number)
    assert len(model.asked) == 1
    assert found.fault == "budget"
    assert (found.deferred or "").startswith("'well' is no number; asked again: the budget is used up: 1 for this user")
    assert found.usage.money == pytest.approx(0.2)
    with pytest.raises(ConfigError, match="has no price"):
        ask_all(model, prompts(1), allowance=Allowance(per_call=Limit(money=1)))


def test_kept_answers_cost_nothing_and_come_when_the_budget_is_used_up() -> None:
    model = Model(echo)
    kept = {outcome.key: outcome.text for outcome in outcomes(model, 3)}
    found = outcomes(model, 4, cached=kept.get, allowance=Allowance(per_call=Limit(tokens=0)))
    assert [outcome.fault for outcome in found] == [None, None, None, "budget"]


# --- a thousand segments, a fifth of them with faults --------------------------------------------------------------


def segment(number: int) -> list[Turn]:
    said = f"I live in Town{number} with {number + 2} cats."
    return [Turn(f"t{number}", said, SAID, "user", f"Ilse{number}")]


def derived(messages: Sequence[Mapping[str, str]]) -> str:
    """What a model that behaves answers."""
    turns = next(message["content"] for message in messages if message["role"] == "user")
    found = re.search(r"(Ilse\d+): I live in (\w+) with (\d+)", turns)
    assert found is not None
    who, town, cats = found.groups()
    fields = {"kind": "fact", "subject": who, "turns": [1], "holds": True, "from": None, "to": None, "updates": None}
    lives = {"relation": "lives_in", "value": town, "text": f"{who} lives in {town}."}
    has = {"relation": "has", "value": f"{cats} cats", "text": f"{who} has {cats} cats."}
    return json.dumps({"statements": [fields | lives, fields | has]})


def test_a_thousand_segments_with_a_fifth_of_faults_are_all_accounted_for() -> None:
    count = 1_000
    faults = Faults(derived, share=0.2, seed=3, silence=0.9)
    with ScriptedChat(faults) as server:
        chat = HttpChat(server.url, "m", timeout=0.6, sleep=lambda seconds: None)
        asked = [prompt_for(segment(number)) for number in range(count)]
        found = dict(ask_all(chat, asked, unreadable=unreadable, flawed=flawed))
        requests = len(server.requests)
    assert list(found) == list(range(count))
    assert threads() == 0
    assert all(faults.made[kind] > 0 for kind in FAULTS)
    usage = sum((outcome.usage for outcome in found.values()), Usage())
    assert usage.calls == requests, "every request is counted"
    assert usage.calls - usage.retries <= 1.05 * count
    flaws = 0
    for number, outcome in found.items():
        assert (outcome.text is None) == (outcome.deferred is not None) == (outcome.fault is not None)
        if outcome.text is None:
            continue
        read = read_answer(outcome.text, segment(number))
        values = [statement.value for statement in read.statements]
        if values != [f"Town{number}", f"{number + 2} cats"]:
            assert flawed(outcome.text), "what is lost is told"
            assert read.problems
            flaws += 1
    counts = Counter(outcome.fault for outcome in found.values())
    assert counts[None] - flaws >= 0.99 * count, counts


def test_a_model_that_behaves_is_asked_once_for_each_segment() -> None:
    with ScriptedChat(derived) as server:
        found = list(
            ask_all(HttpChat(server.url, "m"), (prompt_for(segment(at)) for at in range(60)), unreadable=unreadable)
        )
        assert len(server.requests) == 60
    assert all(outcome.text for _, outcome in found)


def test_faults_are_the_same_whatever_order_the_requests_arrive_in() -> None:
    def made(order: Sequence[int]) -> tuple[dict[int, Any], dict[str, int]]:
        faults = Faults("12345678", share=0.5, seed=1)
        given = {at: faults(({"role": "user", "content": str(at)},)) for at in order}
        return given, faults.made

    forth, back = made(range(80)), made(range(79, -1, -1))
    assert forth[0] == back[0]
    assert forth[1] == back[1]
    assert sum(forth[1].values()) == pytest.approx(40, abs=15)
    with pytest.raises(InputError, match="kinds must be some of broken, "):
        Faults("x", kinds=["meteor"])
