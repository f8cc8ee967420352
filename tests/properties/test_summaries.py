"""Summaries of random talks: the same for any order, within their room, and not a word that nobody said."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from mnemic import summaries, text
from mnemic.summaries import month_summary, parts_of, session_summary, week_summary
from mnemic.times import micros, moment
from mnemic.views import Episode, Made

DAY = 24 * 60 * 60 * 1_000_000
START = micros(datetime(2026, 1, 26, tzinfo=UTC))
"""A Monday: the week ends with the first day of February."""

SENTENCES = (
    "I moved to Porto in April.",
    "We bought a red canoe for the lake last week.",
    "My sister Ilse teaches the cello in Graz!",
    "Do you still play tennis on Fridays?",
    "Thanks, that's great!",
    "The bakery on Elm Street closes at 6:30.",
    "Here are some tips: sharpen the knife, oil the board, dry the pan.",
    "1. Rinse the lentils. 2. Simmer them with thyme and carrots.",
    "Ich wohne seit 2019 in einem Haus mit Garten.",
    "妹は大阪でパン屋をしています。",
    "Hello!",
    "**Budget**: 300 euros for paint - none for brushes",
)
texts: st.SearchStrategy[str] = st.one_of(
    st.lists(st.sampled_from(SENTENCES), min_size=1, max_size=4).map(lambda some: " ".join(some)), st.text(max_size=40)
)
WHO = (("user", "Ana"), ("user", None), ("assistant", None), ("tool", None))


@st.composite
def talks(draw: st.DrawFn) -> list[Episode]:
    """Up to 25 episodes over sixteen days, in any order of time."""
    found: list[Episode] = []
    for num in range(draw(st.integers(0, 25))):
        role, speaker = draw(st.sampled_from(WHO))
        time = START + draw(st.integers(0, 24 * 16)) * DAY // 24
        found.append(
            Episode(f"e{num}", num, draw(texts), time, role, speaker, draw(st.sampled_from((None, "a", "b:c"))))
        )
    return found


def tree(episodes: Iterable[Episode], leaves: dict[str, Made | None] | None = None) -> dict[str, Made | None]:
    """All summaries, made from the leaves up; given leaves are not read again."""
    episodes = list(episodes)
    parts = [parts_of(one) for one in episodes]
    made: dict[str, Made | None] = {}
    for key in {leaf for leaf, _, _ in parts}:
        of_it = [one for one, (leaf, _, _) in zip(episodes, parts, strict=True) if leaf == key]
        made[key] = leaves[key] if leaves and key in leaves else session_summary(key, of_it)
    for level, summary in ((1, week_summary), (2, month_summary)):
        for key in {part[level] for part in parts}:
            prefixes = summaries.children_of(key)
            below = [one for name, one in made.items() if one is not None and name.startswith(prefixes)]
            made[key] = summary(key, below)
    return made


@given(talks(), st.randoms(use_true_random=False))
def test_the_order_in_which_episodes_are_given_changes_nothing(talk: Sequence[Episode], random: Random) -> None:
    shuffled = list(talk)
    random.shuffle(shuffled)
    assert tree(shuffled) == tree(talk)


@given(talks())
def test_nothing_is_longer_than_its_room(talk: Sequence[Episode]) -> None:
    for key, made in tree(talk).items():
        if made is not None:
            most = next((most for name, most in summaries.WORDS.items() if key.startswith(name)), 120)
            assert sum(len(text.terms(line["text"])) for line in made.data["lines"]) <= most


def bare(text: str) -> str:
    """Without marks of Markdown."""
    return text.replace("*", "").replace("`", "").replace("#", "")


@given(talks())
def test_every_word_is_somebodys_and_named_as_evidence(talk: Sequence[Episode]) -> None:
    said = {one.id: one for one in talk}
    for key, made in tree(talk).items():
        if made is None:
            continue
        assert len(set(made.evidence)) == len(made.evidence)
        assert set(made.evidence) == {line["id"] for line in made.data["lines"]}
        for line in made.data["lines"]:
            episode = said[line["id"]]
            assert key in parts_of(episode)
            assert bare(line["text"]).replace(" ", "") in "".join(bare(episode.text).split())
        days = {moment(said[one].time).strftime("%Y-%m-%d") for one in made.evidence}
        speakers = {said[one].by for one in made.evidence}
        words = [word for row in made.text.split("\n") if row not in days for word in bare(row).split()]
        known = {word for one in made.evidence for word in bare(said[one].text).split()}
        known |= {f"{by}:" for by in speakers} | {summaries.GAP}
        assert all(any(word in one for one in known) for word in words), "of a word a bracket may be cut off"
        assert made.begins is not None
        assert made.ends is not None
        assert all(made.begins <= said[one].time < made.ends for one in made.evidence)
        assert made.time == made.ends - 1


@given(talks(), st.data())
def test_a_change_costs_its_own_path_alone(talk: Sequence[Episode], data: st.DataObject) -> None:
    """What the other sessions said is not needed: their summaries are, and those stay as they are."""
    if not talk:
        return
    before = tree(talk)
    changed = data.draw(st.sampled_from(talk))
    after = [replace(one, text="We sold the red canoe to Ilse.") if one is changed else one for one in talk]
    path = parts_of(changed)
    others = {key: made for key, made in before.items() if key not in path}
    made = tree(
        after, {key: one for key, one in others.items() if key.startswith(("summary:session:", "summary:day:"))}
    )
    assert made == tree(after)
    assert {key for key in made if made[key] != before[key]} <= {*path, *_months_of(path[1])}


def _months_of(week: str) -> set[str]:
    """A week's own months: at an edge, what one of them says can make room for what the other does."""
    begin, end = summaries.stretch_of(week)
    return {parts_of(Episode("", 0, "", at))[2] for at in (begin, end - 1)}


@given(st.integers(-62_135_596_800, 253_402_300_799), st.text(min_size=1) | st.none())
def test_a_key_says_what_it_covers(second: int, session: str | None) -> None:
    """From the first second of the calendar to its last."""
    episode = Episode("e", 0, "", second * 1_000_000, session=session)
    leaf, week, month = parts_of(episode)
    for key in (leaf, week, month):
        begin, end = summaries.stretch_of(key)
        assert begin <= episode.time < end
    assert summaries.session_of(leaf) == session
    assert leaf.startswith(summaries.children_of(week))
    assert week.startswith(summaries.children_of(month))
    assert summaries.children_of(leaf) == ()
