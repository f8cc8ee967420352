"""What a summary keeps and what it leaves out, told by small talks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from mnemic.summaries import month_summary, parts_of, session_summary, week_summary
from mnemic.times import micros
from mnemic.views import Episode, Made

START = datetime(2026, 5, 20, 9, tzinfo=UTC)


def said(num: int, text: str, by: str | None = "Ana", *, role: str = "user", days: float = 0) -> Episode:
    return Episode(f"e{num}", num, text, micros(START + timedelta(days=days, minutes=num)), role, by, "s")


def summary(*episodes: Episode) -> Made:
    made = session_summary("summary:session:2026-W21:s", episodes)
    assert made is not None
    return made


def test_what_tells_something_is_kept_with_its_speaker_and_day() -> None:
    made = summary(
        said(0, "Hi Ben! How are you? I moved to Porto in April."),
        said(1, "Wow, that's great! Tell me more about it.", "Ben"),
        said(2, "We rent a flat near the river. Do you want to see a picture?"),
        said(3, "Sure! My brother Rui has a bakery in Porto.", "Ben"),
    )
    assert made.text == (
        "2026-05-20\n"
        "Ana: I moved to Porto in April. … We rent a flat near the river.\n"
        "Ben: My brother Rui has a bakery in Porto."
    )
    assert set(made.evidence) == {"e0", "e2", "e3"}
    assert made.kind == "summary"
    assert made.begins == said(0, "").time
    assert made.ends == said(3, "").time + 1


def test_greetings_thanks_and_questions_alone_make_no_summary() -> None:
    episodes = [said(0, "Hello there!"), said(1, "Thanks a lot, you too!", "Ben")]
    assert session_summary("summary:session:2026-W21:s", episodes) is None
    assert session_summary("summary:session:2026-W21:s", []) is None


def test_where_people_only_ask_their_questions_tell_what_it_was_about() -> None:
    made = summary(
        said(0, "How do I keep tomato plants free of aphids?", None),
        said(1, "Here are some tips. Spray the leaves with soapy water twice a week.", None, role="assistant"),
    )
    assert made.text == (
        "2026-05-20\n"
        "user: How do I keep tomato plants free of aphids?\n"
        "assistant: Spray the leaves with soapy water twice a week."
    )


def test_a_persons_words_come_before_an_assistants() -> None:
    advice = " ".join(f"Recipe {n} needs saffron, fennel, mussels, and {n} kilos of tomatoes." for n in range(30))
    made = summary(
        said(0, advice, None, role="assistant"), said(1, "My daughter is allergic to mussels since March.", None)
    )
    assert made.evidence[0] == "e1"
    assert "user: My daughter is allergic to mussels since March." in made.text


def test_tools_and_documents_count_only_where_nobody_talks() -> None:
    page = said(0, "The museum opens at ten and closes at six on Sundays.", None, role="document")
    assert summary(page).text == "2026-05-20\ndocument: The museum opens at ten and closes at six on Sundays."
    assert summary(page, said(1, "I joined a choir in Braga yesterday.")).evidence == ("e1",)


def test_what_was_said_once_stands_beside_what_was_said_over_and_over() -> None:
    often = [said(n, f"The canoe trip on the lake was lovely, canoe number {n} was red.") for n in range(20)]
    made = summary(*often, said(20, "Tomorrow my violin goes to the repair shop in Graz."))
    assert "violin" in made.text


def test_marks_of_lists_are_left_out_and_dashes_do_not_break_a_sentence() -> None:
    made = summary(
        said(0, "- **Rent**: 640 euros for my flat in Graz - heating included\n2. I pay it on Mondays by card")
    )
    assert made.text == (
        "2026-05-20\nAna: Rent: 640 euros for my flat in Graz - heating included I pay it on Mondays by card"
    )


def test_a_week_at_the_edge_of_two_months_gives_each_its_own() -> None:
    may, june = said(0, "I sold the old piano to Rui.", days=9), said(1, "We painted the kitchen green.", days=13)
    (leaf, week, of_may), (_, same, of_june) = parts_of(may), parts_of(june)
    assert (leaf, week, same) == ("summary:session:2026-W22:s", "summary:week:2026-W22", "summary:week:2026-W23")
    sunday = said(2, "My cello lesson moved to Sunday.", days=11)
    assert parts_of(sunday)[:2] == (leaf, week)
    session = session_summary(leaf, [may, sunday])
    later = session_summary(parts_of(june)[0], [june])
    assert session is not None
    assert later is not None
    made = [week_summary(key, [one]) for key, one in ((week, session), (same, later))]
    weeks = [one for one in made if one is not None]
    first, second = month_summary(of_may, weeks), month_summary(of_june, weeks)
    assert first is not None
    assert second is not None
    assert first.parts == (week,)
    assert second.parts == (same,)
    assert (
        first.text == "2026-05-29\nAna: I sold the old piano to Rui.\n2026-05-31\nAna: My cello lesson moved to Sunday."
    )
    assert second.evidence == ("e1",)
