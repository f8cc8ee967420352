"""What rules derive beside labels: the matching, the intervals, the traps; and that the labels are well formed."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from bench import derive
from bench.__main__ import DATA, main
from bench.derive import Label, LabelledTurn, Pattern, Share, TimeLabel, Trap
from mnemic import dates
from mnemic.statements import USER, Span, Statement, Turn, relations

SAID = datetime(2024, 5, 14, 9, tzinfo=UTC)
KEY = ("locomo", "c", "t")


def turn(text: str, id: str = "t", **more: Any) -> Turn:
    return Turn(id, text, SAID, **more)


def said(relation: str, value: str, *, text: str = "", place: tuple[int, int] = (0, 99), **more: Any) -> Statement:
    subject = more.pop("subject", USER)
    evidence = (Span(more.pop("turn", "t"), *place),)
    return Statement("fact", subject, relation, value, text or f"{subject} {value}", evidence, SAID, **more)


def label(value: tuple[int, int], *relations: str, **more: Any) -> Label:
    plain = Label(True, relations, USER, value, True, None, None, None)
    return replace(plain, **more)


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


# --- Figures


@pytest.mark.parametrize(
    ("hits", "of", "low", "high"),
    [(0, 10, 0.0, 0.2775), (5, 10, 0.2366, 0.7634), (10, 10, 0.7225, 1.0), (81, 263, 0.2553, 0.3662)],
)
def test_an_interval_is_wilsons(hits: int, of: int, low: float, high: float):
    assert Share(hits, of).interval == pytest.approx((low, high), abs=5e-5)


def test_a_share_of_nothing_is_no_number():
    assert math.isnan(Share(0, 0).value)
    assert Share(0, 0).interval == (0.0, 1.0)
    assert str(Share(0, 0)) == "–"
    assert str(Share(1, 4)) == "0.250 [0.046, 0.699] (1 of 4)"


# --- Matching


@pytest.mark.parametrize(
    ("one", "other", "meet"),
    [
        ((0, 10), (5, 15), True),
        ((0, 10), (6, 16), False),
        ((0, 100), (90, 94), True),
        ((0, 5), (5, 9), False),
        ((3, 3), (0, 9), False),
    ],
)
def test_places_meet_where_half_of_the_shorter_is_shared(one: tuple[int, int], other: tuple[int, int], meet: bool):
    assert derive.overlap(one, other) is meet
    assert derive.overlap(other, one) is meet


def test_a_value_is_looked_for_in_its_evidence_first():
    text = "Porto is fine. I live in Porto."
    assert derive.located(said("lives_in", "porto", place=(15, 31)), turn(text)) == (25, 30)
    assert derive.located(said("lives_in", "Porto", place=(6, 8)), turn(text)) == (0, 5)
    assert derive.located(said("lives_in", "Lyon"), turn(text)) is None


def test_a_value_with_a_resolved_time_stands_where_its_words_do():
    text = "So: I went to\nthe fair yesterday."
    assert derive.located(said("did", "went to the fair"), turn(text)) == (6, 22)
    assert derive.located(said("did", "went to the fair on 13 May 2024"), turn(text)) == (6, 22)


def test_same_relation_same_sense_and_same_words_meet():
    lives = label((10, 15), "lives_in", "from")
    assert derive.meets(said("lives_in", "Porto"), (10, 15), lives)
    assert derive.meets(said("from", "Porto"), (10, 15), lives)
    assert not derive.meets(said("lives_in", "Porto", holds=False), (10, 15), lives)
    assert not derive.meets(said("works_at", "Porto"), (10, 15), lives)
    assert not derive.meets(said("lives_in", "Porto"), (20, 25), lives)
    assert not derive.meets(said("lives_in", "Porto"), None, lives)


def test_the_noun_of_a_relation_does_not_count_and_never_is_not_ever():
    assert derive.meets(said("favourite:colour", "blue"), (0, 4), label((0, 4), "favourite"))
    assert derive.meets(said("did", "seen snow", holds=False), (0, 9), label((0, 9), "never"))
    assert not derive.meets(said("did", "seen snow"), (0, 9), label((0, 9), "never"))


TEXT = "I live in Porto and I like figs, maybe plums."
TURNS = {KEY: (turn(TEXT),)}
LABELS = (label((10, 15), "lives_in"), label((27, 31), "likes"), label((39, 44), "likes", core=False))


def rule(*statements: Statement) -> Callable[[Sequence[Turn]], list[Statement]]:
    return lambda _: list(statements)


def test_arguable_ones_and_repetitions_count_for_neither():
    derived = rule(said("lives_in", "Porto"), said("lives_in", "in Porto"), said("likes", "plums"), said("has", "figs"))
    judged = derive.judge([LabelledTurn(KEY, LABELS)], TURNS, derived)
    assert (judged.precision, judged.recall) == (Share(1, 2), Share(1, 2))
    assert judged.arguable == 2
    assert [statement.relation for _, statement in judged.false] == ["has"]
    assert judged.of("lives_in") == (Share(1, 1), Share(1, 1))
    assert judged.of("likes") == (Share(0, 0), Share(0, 1))
    assert judged.of("has") == (Share(0, 1), Share(0, 0))


def test_turns_with_nothing_to_derive_count_for_the_precision():
    judged = derive.judge([LabelledTurn(KEY, ())], TURNS, rule(said("likes", "figs")))
    assert judged.precision == Share(0, 1)


def test_what_rests_on_the_turns_before_and_turns_that_are_not_there_do_not_count():
    judged = derive.judge([LabelledTurn(KEY, LABELS)], TURNS, rule(said("likes", "figs", turn="before")))
    assert (judged.precision, judged.recall) == (Share(0, 0), Share(0, 2))
    assert derive.judge([LabelledTurn(("beam", "c", "t"), LABELS)], TURNS, rule()).recall == Share(0, 0)


@pytest.mark.parametrize(
    ("given", "labelled", "right"),
    [
        (USER, USER, True),
        ("Ana", "speaker", True),
        ("my sister", USER, False),
        ("Ana's sister Eva", (3, 13), True),
        (USER, (3, 13), False),
        ("Ana", (3, 13), False),
    ],
)
def test_whom_it_is_about_is_counted_apart(given: str, labelled: Any, right: bool):
    met = derive.Met(
        said("likes", "figs", subject=given),
        label((0, 1), "likes", subject=labelled),
        turn("My sister Eva likes figs.", speaker="Ana"),
    )
    assert met.subject_is_right is right


def test_when_it_began_is_counted_apart():
    begun = said("did", "went", valid_from=datetime(2024, 5, 13, tzinfo=UTC))
    dated = label((0, 1), "did", valid_from="2024-05-13")
    assert derive.Met(begun, dated, turn("x")).time_is_right is True
    assert derive.Met(said("did", "went"), dated, turn("x")).time_is_right is False
    assert derive.Met(begun, label((0, 1), "did"), turn("x")).time_is_right is None


# --- Times


@pytest.mark.parametrize(
    ("first", "last", "about", "right"),
    [
        ("2024-05-13", "2024-05-14", False, True),
        ("2024-05-13", "2024-05-15", False, False),
        ("2024-05-01", "2024-06-01", True, True),
        ("2024-05-14", "2024-05-20", True, False),
        ("2024-05-01", "2024-05-13", True, False),
        (None, None, False, False),
    ],
)
def test_a_vague_time_is_right_where_any_of_it_is(first: str | None, last: str | None, about: bool, right: bool):
    one = TimeLabel(KEY, (0, 9), first, last, about)
    assert derive.is_then(datetime(2024, 5, 13, tzinfo=UTC), datetime(2024, 5, 14, tzinfo=UTC), one) is right


def test_times_are_right_wrong_untold_quiet_or_invented():
    text = "Yesterday I rested, and in a while I rest again, yesterday."
    turns = {KEY: (turn(text),)}
    assert dates.told(text, SAID)
    labels = [
        TimeLabel(KEY, (0, 9), "2024-05-13", "2024-05-14", False),
        TimeLabel(KEY, (0, 9), "2024-05-12", "2024-05-13", False),
        TimeLabel(KEY, (24, 34), "2024-05-12", "2024-05-13", False),
        TimeLabel(KEY, (24, 34), None, None, False),
        TimeLabel(KEY, (49, 58), None, None, False),
        TimeLabel(("beam", "c", "t"), (0, 9), None, None, False),
    ]
    timed = derive.judge_times(labels, turns)
    assert (timed.right, timed.wrong, timed.untold, timed.quiet, timed.invented) == (
        1,
        [labels[1]],
        [labels[2]],
        1,
        [labels[4]],
    )


# --- Traps


def later(statement: Statement, hour: int) -> Statement:
    return replace(statement, said=SAID.replace(hour=hour))


def test_what_stands_is_without_what_was_replaced_denied_or_ended():
    porto, lyon = later(said("lives_in", "Porto"), 10), later(said("lives_in", "Lyon"), 11)
    not_bonn = later(said("lives_in", "Bonn", holds=False), 12)
    assert derive.standing([lyon, porto], SAID) == [lyon]
    assert derive.standing([porto, not_bonn], SAID) == [porto, not_bonn]
    figs, no_figs = later(said("likes", "figs"), 10), later(said("likes", "figs", holds=False), 11)
    plums = later(said("likes", "plums"), 10)
    assert derive.standing([figs, plums, no_figs], SAID) == [plums, no_figs]
    ended = replace(porto, valid_to=datetime(2020, 1, 1, tzinfo=UTC))
    assert derive.standing([ended], SAID) == []


def pattern(*relations: str, **more: Any) -> Pattern:
    return replace(Pattern(USER, relations, "*", True, None), **more)


@pytest.mark.parametrize(
    ("never", "statement", "leaks"),
    [
        (pattern("lives_in", value="oslo"), said("lives_in", "Oslo"), True),
        (pattern("lives_in", value="oslo"), said("lives_in", "Oslo", subject="user's friend"), False),
        (pattern("lives_in", value="oslo", subject="*"), said("lives_in", "Oslo", subject="Tom"), True),
        (
            pattern("lives_in", value="oslo", subject="tom"),
            said("lives_in", "Oslo", subject="x", aliases=("Tom",)),
            True,
        ),
        (pattern("lives_in", value="oslo"), said("lives_in", "Oslo", holds=False), False),
        (pattern("favourite"), said("favourite:colour", "red"), True),
        (pattern("*", holds=None), said("never", "seen snow"), True),
        (pattern("did", value="snow"), said("never", "seen snow"), False),
        (pattern("never", value="snow"), said("never", "seen snow"), True),
        (pattern("plans", unless=r"\bif\b"), said("plans", "move if it rains"), False),
        (pattern("plans", unless=r"\bif\b"), said("plans", "move"), True),
    ],
)
def test_what_a_trap_forbids(never: Pattern, statement: Statement, leaks: bool):
    assert never.fits(statement) is leaks


def test_a_trap_leaks_or_loses():
    trap = Trap("x", "questions", False, (turn("Is it Oslo?"),), (pattern("lives_in"),), (pattern("likes"),))
    sprung = derive.spring(trap, rule(said("lives_in", "Oslo")))
    assert [s.value for s in sprung.leaked] == ["Oslo"]
    assert sprung.lost == trap.must
    lines = list(derive.traps_report([sprung]))
    assert "| questions | lives_in | 1 |" in lines
    assert "- x leaked: user lives_in 'Oslo'" in lines
    assert derive.spring(trap, rule(said("likes", "figs"))).lost == ()


# --- The material


def test_the_traps_are_well_formed():
    traps = derive.traps()
    assert len({trap.id for trap in traps}) == len(traps) >= 180
    assert len(Counter(trap.family for trap in traps)) >= 12
    assert sum(bool(trap.must) for trap in traps) >= len(traps) / 5
    for trap in traps:
        assert trap.turns
        assert trap.never
        text = "\n".join(turn.text for turn in trap.turns)
        for one in (*trap.never, *trap.must):
            assert set(one.relations) <= {*relations(), "*"}, trap.id
            if one.value != "*":
                re.compile(one.value)
        for must in trap.must:
            assert re.search(must.value, text, re.IGNORECASE), trap.id
        assert [turn.time for turn in trap.turns] == sorted(turn.time for turn in trap.turns)


def test_no_rules_that_derive_nothing_pass_the_traps():
    sprung = [derive.spring(trap, rule()) for trap in derive.traps()]
    assert not any(one.leaked for one in sprung)
    assert sum(bool(one.lost) for one in sprung) >= len(sprung) / 5


_STATEMENT_KEYS = {"core", "relation", "or", "subject", "value", "holds", "valid_from", "valid_to", "precision"}
_ISO = re.compile(r"\d{4}-\d\d-\d\d")
_ID = re.compile(r"[\w.:-]+")
PRECISIONS = {"day", "week", "weekend", "month", "season", "year", None}


def is_date(given: Any) -> bool:
    return given is None or (isinstance(given, str) and _ISO.fullmatch(given) is not None)


def is_place(given: Any) -> bool:
    return isinstance(given, list) and [type(n) for n in given] == [int, int] and 0 <= given[0] < given[1]  # pyright: ignore


def is_named(row: dict[str, Any]) -> bool:
    return row["set"] in derive.SETS and all(_ID.fullmatch(row[key]) for key in ("conversation", "message"))


def test_the_labels_of_statements_hold_no_text():
    found = rows(derive.STATEMENTS)
    assert len(found) >= 250
    labels = [one for row in found for one in row["statements"]]
    assert sum(one["core"] for one in labels) >= 200
    assert sum(bool(row["statements"]) for row in found) >= len(found) / 2
    for row in found:
        assert set(row) == {"set", "conversation", "message", "draw", "statements"}
        assert is_named(row)
        assert row["draw"] in ("mixed", "cued")
    for one in labels:
        assert set(one) == _STATEMENT_KEYS
        assert {one["relation"], *one["or"]} <= set(relations())
        assert one["subject"] in (USER, "speaker") or is_place(one["subject"])
        assert is_place(one["value"])
        assert isinstance(one["core"], bool)
        assert isinstance(one["holds"], bool)
        assert is_date(one["valid_from"])
        assert is_date(one["valid_to"])
        assert one["precision"] in PRECISIONS


def test_the_labels_of_times_hold_no_text():
    found = rows(derive.TIMES)
    assert sum(row["first"] is not None for row in found) >= 150
    for row in found:
        assert set(row) - {"about"} == {"set", "conversation", "message", "start", "stop", "first", "last", "precision"}
        assert is_named(row)
        assert is_place([row["start"], row["stop"]])
        assert is_date(row["first"])
        assert is_date(row["last"])
        assert (row["first"] is None) == (row["last"] is None) == (row["precision"] is None)
        assert row["first"] is None or row["first"] < row["last"]
        assert row["precision"] in PRECISIONS
        assert row.get("about", True) is True


def test_the_judged_draws_hold_no_text():
    found = rows(derive.DRAWN)
    assert len(found) >= 300
    for row in found:
        assert set(row) == {"set", "conversation", "message", "draw", "relation", "value", "right"}
        assert is_named(row)
        assert row["relation"] in relations()
        assert is_place(row["value"])
        assert isinstance(row["right"], bool)
        assert type(row["draw"]) is int


@pytest.mark.parametrize(
    ("value", "right", "there"),
    [
        ((10, 14), True, True),
        ((10, 30), True, True),
        ((0, 6), True, False),
        ((10, 14), False, True),
        ((10, 15), False, False),
    ],
)
def test_what_was_drawn_is_still_derived_or_not(value: tuple[int, int], right: bool, there: bool):
    one = derive.Drawn(("locomo", "a", "b"), 1, "lives_in", value, right)
    heard = turn("I live in Oslo, at last.")
    assert derive.is_derived(one, [heard], [said("lives_in", "Oslo")]) is there
    assert not derive.is_derived(replace(one, relation="from"), [heard], [said("lives_in", "Oslo")])


needs_data = pytest.mark.skipif(not (DATA / "locomo").is_dir(), reason="the data sets are not part of the project")


@needs_data
def test_the_labels_name_places_that_are_there():
    labelled, times = derive.labelled_turns(), derive.labelled_times()
    turns = derive.contexts(DATA, [one.key for one in (*labelled, *times)])
    for one in labelled:
        for meant in one.labels:
            places = [meant.value, *([] if isinstance(meant.subject, str) else [meant.subject])]
            assert all(stop <= len(turns[one.key][-1].text) for _, stop in places), one.key
    assert all(time.place[1] <= len(turns[time.key][-1].text) for time in times)


@needs_data
def test_no_phrase_is_more_than_twelve_of_the_times():
    times = [time for time in derive.labelled_times() if time.first is not None]
    turns = derive.contexts(DATA, [time.key for time in times])
    phrases = Counter(turns[time.key][-1].text[slice(*time.place)].casefold() for time in times)
    assert phrases.most_common(1)[0][1] <= 12


# --- The command


def test_without_rules_only_the_times_are_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def missing() -> derive.Derive:
        raise derive.MissingRulesError("there is no module mnemic.rules")

    monkeypatch.setattr(derive, "rules", missing)
    result = CliRunner().invoke(main, ["derive", "--data", str(tmp_path)])
    assert result.exit_code == 1
    assert "## Times" in result.output
    assert "there is no module mnemic.rules: only the times could be measured" in result.output


def test_the_report_has_its_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(derive, "rules", lambda: rule(said("has", "cats")))
    result = CliRunner().invoke(main, ["derive", "--data", str(tmp_path)])
    assert result.exit_code == 0, result.output
    assert [line for line in result.output.splitlines() if line[:2] == "##"] == [
        "## Times",
        "## Statements",
        "## Statements drawn",
        "## Traps",
    ]


def test_the_module_of_rules_is_named_where_it_is_missing(monkeypatch: pytest.MonkeyPatch):
    def nothing(name: str) -> None:
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    monkeypatch.setattr(derive, "import_module", nothing)
    with pytest.raises(derive.MissingRulesError, match=r"mnemic\.rules"):
        derive.rules()
