"""The quality run and its report, with a memory that only compares words."""

from __future__ import annotations

import json
import math
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree

import pytest

from bench import baselines, report, run, sure
from bench.datasets import Conversation, Message, Question
from mnemic import Context, Evidence, Hit, Receipt, Results, Scope

WHEN = datetime(2024, 1, 1, tzinfo=UTC)


class WordMemory:
    """Finds what shares words with the question, and remembers when it was told and asked."""

    def __init__(self) -> None:
        self.told: list[Mapping[str, str]] = []
        self.asked: list[tuple[str, int, str | None]] = []

    def add(self, messages: Sequence[Mapping[str, str]], /, *, user_id: str, session_id: str) -> Receipt:
        self.told += messages
        return Receipt(id="r", verb="add", at=WHEN, entries=())

    def search(self, query: str, /, *, user_id: str, limit: int, now: str | None) -> Results:
        self.asked.append((query, len(self.told), now))
        found = self._found(query)[:limit]
        hits = tuple(hit(e.message_id, relevance=0.9 if place == 0 else 0.1) for place, e in enumerate(found))
        best = 0.9 if hits else 0.0
        sure = 0.2 if "car" in query else 0.8
        return Results(id="s", query=query, hits=hits, considered=len(self.told), best=best, confidence=sure)

    def context(self, query: str, /, *, user_id: str, budget: int, now: str | None) -> Context:
        found = tuple(self._found(query)[: budget // 250])
        return Context(query, "…", 1, budget, "words", found, "s")

    def _found(self, query: str) -> list[Evidence]:
        words = set(query.lower().strip("?").split())
        ranked = sorted(self.told, key=lambda m: -len(words & set(m["content"].lower().split())))
        return [Evidence(m["id"], m["id"], "s", None, WHEN, m["content"]) for m in ranked]


def hit(message_id: str | None, relevance: float = 0.5, evidence: tuple[Evidence, ...] = ()) -> Hit:
    return Hit(
        id="h",
        kind="episode" if message_id else "fact",
        text="",
        score=1.0,
        relevance=relevance,
        time=WHEN,
        valid_from=None,
        valid_to=None,
        scope=Scope(),
        source="user",
        speaker=None,
        message_id=message_id,
        metadata={},
        evidence=evidence,
        signals={},
    )


def conversation(dataset: str = "mini") -> Conversation:
    texts = ["my cat is called Tom", "the sea was cold", "we bought figs", "the cat sleeps"]
    messages = tuple(
        Message(str(n), f"s{n // 2}", "user", text, time=f"2024-01-0{n // 2 + 1}T00:00:00+00:00")
        for n, text in enumerate(texts)
    )
    questions = (
        Question("late", "what did we buy figs?", ("2",), ("s1",), "fruit", corrected=("2", "3")),
        Question("early", "who is called cat?", ("0",), ("s0",), "pets", history=2),
        Question("none", "which car?", (), (), "cars", answerable=False),
    )
    return Conversation("c1", dataset, messages, questions)


@pytest.fixture
def memory() -> WordMemory:
    return WordMemory()


@pytest.fixture
def measured(memory: WordMemory) -> run.SetRun:
    @contextmanager
    def open_memory(_: Conversation) -> Generator[WordMemory]:
        yield memory

    systems = {
        "mnemic": run.ours(open_memory),
        "grep": run.baseline(baselines.grep, lambda text: len(text.split())),
        "newest first": run.baseline(baselines.newest, lambda text: len(text.split())),
    }
    return run.answer_set([conversation()], systems, progress=lambda _: None, count=lambda text: len(text.split()))


def test_questions_are_asked_when_their_time_has_come(memory: WordMemory, measured: run.SetRun):
    assert memory.asked[::2] == memory.asked[1::2]  # once for the clock, once for the figures
    assert memory.asked[::2] == [
        ("who is called cat?", 2, "2024-01-01T00:00:00+00:00"),
        ("what did we buy figs?", 4, "2024-01-02T00:00:00+00:00"),
        ("which car?", 4, "2024-01-02T00:00:00+00:00"),
    ]
    late, early, _ = measured.answers["mnemic"][0]
    assert late.ranking[0] == ("2",)
    assert early.ranking == (("0",), ("1",))
    assert early.packed == {250: ("0",), 500: ("0", "1"), 1000: ("0", "1"), 2000: ("0", "1")}


def test_baselines_hear_nothing_that_is_said_later(measured: run.SetRun):
    late, early, _ = measured.answers["newest first"][0]
    assert late.ranking == (("3",), ("2",), ("1",), ("0",))
    assert early.ranking == (("1",), ("0",))
    assert measured.answers["grep"][0][1].ranking == (("0",),)


@pytest.mark.parametrize("name", [name for name in baselines.BASELINES if "dense" not in name and name != "fusion"])
def test_every_word_baseline_answers(name: str):
    talk = conversation()
    rank = baselines.BASELINES[name](talk)
    assert set(rank(talk.questions[1])) <= {"0", "1"}


def test_a_question_before_all_talk_is_asked_of_nothing(memory: WordMemory):
    talk = conversation()
    first = replace(talk.questions[1], id="first", history=0)
    asked = [
        (question.id, len(memory.told))
        for question, _ in run.in_time(memory, replace(talk, questions=(*talk.questions, first)))
    ]
    assert asked[:2] == [("first", 0), ("early", 2)]


def test_the_whole_history_takes_all_that_was_said_until_then(measured: run.SetRun):
    # "user: my cat is called Tom" is six words and the end of the line, the day before it one and another end.
    by_id = dict(zip((q.id for q in conversation().questions), measured.whole[0], strict=True))
    assert by_id["early"] == 7 + 6 + 2
    assert by_id["late"] == by_id["early"] + 5 + 5 + 2


def test_a_fact_stands_for_its_evidence():
    evidence = tuple(Evidence(i, i, None, None, WHEN, "") for i in ("a", "b"))
    assert run.episodes(hit(None, evidence=evidence)) == ("a", "b")
    assert run.episodes(hit("m", evidence=evidence)) == ("m",)


def test_packing_holds_its_budget_and_stops_at_what_does_not_fit():
    said = (
        Message("long", "s", "user", "w " * 50),
        Message("short", "s", "user", "w w"),
        Message("b", "s", "user", "x"),
    )
    pack = baselines.Packer(Conversation("c", "mini", said, ()), lambda text: len(text.split()))
    # A line is "[10] user: w w": four words and the end of the line, after one line for the day.
    assert pack("w", ["short", "long", "b"], [10, 100]) == {10: ("short",), 100: ("short", "long", "b")}
    assert pack("w", ["long", "short"], [10, 100]) == {10: (), 100: ("long", "short")}


def test_a_long_message_is_packed_as_the_passage_that_says_most_of_what_is_asked():
    talk = "\n\n".join(["figs are fruit " * 40, "kites need wind " * 40])
    pack = baselines.Packer(
        Conversation("c", "mini", (Message("m", "s", "user", talk),), ()), lambda text: len(text.split())
    )
    assert pack("Which wind for kites?", ["m"], [160]) == {160: ("m",)}


def test_report_gives_every_figure_its_interval_and_difference(measured: run.SetRun, tmp_path: Path):
    built = report.build([measured], about={"date": "2024-01-01"}, missing=["beam"], seed=0)
    by = {(f.part, f.category, f.system, f.metric): f for f in built.figures}
    own = by["mini", "", "mnemic", "recall@10"]
    assert (own.estimate.mean, own.estimate.count) == (1.0, 2)
    assert by["mini", "", "mnemic", "context 250"].estimate.mean == 1.0
    worse = by["mini", "", "newest first", "context 250"]
    assert worse.ours_minus_it.mean == own.estimate.mean - worse.estimate.mean
    assert by["mini", "pets", "grep", "recall@10"].estimate.count == 1
    (sureness,) = built.sureness
    # The two questions with an answer got 0.9 for their evidence, and 0.1 for four others, one of them evidence, too.
    assert [(b.count, b.kept) for b in sureness.bins] == [(4, 0.25), (2, 1.0)]
    assert sureness.error == pytest.approx((4 * 0.15 + 2 * 0.1) / 6)
    # The one without got 0.9 and three times 0.1 more, none of it kept.
    assert sureness.error_with_unknown == pytest.approx((7 * (1 / 7 - 0.1) + 3 * (0.9 - 2 / 3)) / 10)
    assert math.isclose(sureness.known_from_unknown, 0.5)
    markdown, data, *_ = report.write(built, tmp_path, "quality")
    assert "is not there: beam" in markdown.read_text()
    assert json.loads(data.read_text())["missing"] == ["beam"]


def test_goals_are_beside_the_best_baseline(measured: run.SetRun):
    built = report.build([replace(measured, dataset="beam")], about={}, missing=[], seed=0)
    (goal,) = built.goals
    assert (goal.part, goal.metric, goal.best) == ("beam", "recall@20", "grep")
    assert goal.ahead["mnemic"].mean == goal.ours["mnemic"].mean - (goal.best_estimate or goal.ours["mnemic"]).mean
    (whole,) = built.wholes
    assert (whole.count, whole.recall, whole.packed["mnemic"][1000].mean) == (2, 1.0, 1.0)
    markdown = report.to_markdown(built)
    assert markdown.index("## Goals") < markdown.index("## In short")
    assert "| beam | 2 | 21 [15, 27] | 1.000 |" in markdown
    assert "| beam | recall@20 |" in markdown


def test_locomo_has_goals_by_kind(measured: run.SetRun):
    built = report.build([replace(measured, dataset="locomo")], about={}, missing=[], seed=0)
    assert {(goal.category, goal.metric) for goal in built.goals} == {
        ("", "recall@10"),
        ("", "context 1000"),
        ("", "context 2000"),
        ("fruit", "recall@10"),
        ("pets", "recall@10"),
    }


def test_promises_are_held_against_what_was_kept(measured: run.SetRun):
    (belief,) = sure.beliefs(measured)
    # Only hits given 0.3 or more: the first of each question, of which the two with an answer are right.
    assert (belief.hits.count, belief.hits.base) == (2, 1.0)
    assert (belief.hits_of_all.count, belief.hits_of_all.error) == (3, pytest.approx(0.9 - 2 / 3))
    assert belief.confidence.error == pytest.approx(0.2)
    assert belief.confidence_of_all.skill == pytest.approx(1 - 0.04 / (2 / 9))
    (abstention,) = sure.abstentions(measured, seed=0)
    assert (abstention.answerable, abstention.unanswerable, abstention.separation.mean) == (2, 1, 1.0)
    assert (abstention.refused_wrongly, abstention.answered_wrongly) == (0.0, 0.0)


def test_the_plots_are_svg_with_a_panel_for_each_set(measured: run.SetRun, tmp_path: Path):
    built = report.build([measured, replace(measured, dataset="a & b")], about={}, missing=[], seed=0)
    markdown, _, hits, confidence = report.write(built, tmp_path, "quality")
    assert (hits.name, confidence.name) == ("quality-hits.svg", "quality-confidence.svg")
    assert "(quality-hits.svg)" in markdown.read_text()
    root = ElementTree.fromstring(confidence.read_text())
    said = [text.text for text in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {"mini (3)", "a & b (3)", "promised", "kept", "mnemic"} <= set(said)
    bins = built.beliefs[0].confidence_of_all.bins + built.beliefs[1].confidence_of_all.bins
    dots = [dot for dot in root.iter("{http://www.w3.org/2000/svg}circle") if dot.get("r") == "2.5"]
    assert len(dots) == len(bins)


def test_locomo_is_reported_in_three_parts():
    talk = conversation("locomo")
    names = [part.name for part in report.parts("locomo")]
    assert names == ["locomo 1-4", "locomo 1-4, audited key", "locomo 5"]
    head, audited, adversarial = report.parts("locomo")
    assert [head.holds(q) for q in talk.questions] == [True, True, False]
    assert audited.key(talk.questions[0]) == ("2", "3")
    assert adversarial.holds(talk.questions[2])


def test_losses_name_the_surest_first():
    def figure(mean: float, high: float) -> report.Figure:
        estimate = report.Estimate(0.5, 0.4, 0.6, 10)
        return report.Figure("p", "", "grep", "recall@10", estimate, report.Estimate(mean, mean - 0.1, high, 10))

    figures = (figure(-0.1, 0.05), figure(-0.2, -0.1), figure(0.1, 0.2))
    built = report.Report(about={}, figures=figures, sureness=(), speed=(), missing=())
    assert [f.ours_minus_it.mean for f in report.losses(built)] == [-0.2, -0.1]
