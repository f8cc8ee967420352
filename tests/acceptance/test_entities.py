"""Who is who: names told, likely and set by hand; and two people who must stay two."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mnemic import ConflictError, InputError, Memory, NotFoundError, Record
from mnemic.testing import FrozenClock

START = datetime(2026, 1, 1, tzinfo=UTC)
WHO = {"user_id": "ana"}


@pytest.fixture
def memory() -> Iterator[Memory]:
    with opened() as one:
        yield one


def opened(recipe: object = "rules") -> Memory:
    return Memory(":memory:", recipe=recipe, embedder="none", clock=FrozenClock(START + timedelta(days=99)))


def say(memory: Memory, text: str, day: int, name: str | None = "Ana", **more: Any) -> str:
    said = {"role": "user", "content": text, "time": START + timedelta(days=day)} | ({"name": name} if name else {})
    return memory.add(said, **(WHO | more)).ids[0]


def entities(memory: Memory, user: str = "ana") -> dict[str, Record]:
    return {record.subject or "": record for record in memory.list(kinds="entity", user_id=user)}


def names(memory: Memory) -> dict[str, set[str]]:
    return {subject: set(record.aliases) for subject, record in entities(memory).items()}


def facts(memory: Memory, *include: str) -> set[tuple[str, str]]:
    kinds = ("fact", "preference", "event", "relationship")
    return {(one.subject or "", one.text) for one in memory.list(kinds=kinds, include=include, limit=100, **WHO)}


def lives(memory: Memory) -> set[tuple[str, str]]:
    return {(who, text) for who, text in facts(memory) if "lives in" in text}


# -- names that are told


@pytest.mark.parametrize(
    "told",
    [
        "My sister Catherine, we call her Kate, is here.",
        "My sister Catherine works at Bosch. Everybody loves Catherine, we all call her Kate.",
        "My sister is Catherine (we met) - Catherine, also known as Kate, works at Bosch.",
        "My sister Catherine goes by Kate these days.",
        "My sister is called Kate, short for Catherine.",
        "My sister Kate (Catherine) works at Bosch.",
        "My sister Catherine (Kate) works at Bosch.",
    ],
)
def test_a_name_that_is_told_means_the_same(memory: Memory, told: str) -> None:
    say(memory, "My sister Kate lives in Porto.", 1)
    say(memory, told, 2)
    say(memory, "My sister Catherine lives in Faro.", 3)
    assert "Kate" in names(memory)["Catherine"]
    assert lives(memory) == {("Catherine", "Catherine lives in Faro.")}
    assert memory.rebuild(dry_run=True, **WHO).derived == ()


def test_erasing_what_told_a_name_takes_its_effect_back(memory: Memory) -> None:
    say(memory, "My sister Kate lives in Porto.", 1)
    told = say(memory, "Catherine, also known as Kate, came over.", 2)
    say(memory, "My sister Catherine lives in Faro.", 3)
    assert lives(memory) == {("Catherine", "Catherine lives in Faro.")}
    memory.erase(told, **WHO)
    assert lives(memory) == {("Kate", "Kate lives in Porto."), ("Catherine", "Catherine lives in Faro.")}
    assert names(memory)["Catherine"] == {"Ana's sister"}
    assert memory.rebuild(dry_run=True, **WHO).derived == ()


def test_a_retired_telling_counts_for_nothing_until_that_is_undone(memory: Memory) -> None:
    say(memory, "My sister Kate lives in Porto.", 1)
    told = say(memory, "Catherine, also known as Kate, came over.", 2)
    say(memory, "My sister Catherine lives in Faro.", 3)
    before = facts(memory, "superseded")
    done = memory.retire(told, **WHO)
    assert len(lives(memory)) == 2
    memory.undo(done, **WHO)
    assert facts(memory, "superseded") == before


def test_a_mother_is_one_whatever_she_is_called(memory: Memory) -> None:
    say(memory, "My mom lives in Porto.", 1)
    say(memory, "My mother Rosa works as a nurse.", 2)
    say(memory, "My mum lives in Faro.", 3)
    assert lives(memory) == {("Rosa", "Ana's mum lives in Faro.")}


def test_a_wife_is_one_as_long_as_she_is_the_only_partner_who_is_told_of(memory: Memory) -> None:
    say(memory, "My wife Kim works as a nurse.", 1)
    say(memory, "My wife lives in Porto.", 2)
    assert ("Kim", "Ana's wife lives in Porto.") in lives(memory)
    assert names(memory)["Kim"] == {"Ana's wife"}
    say(memory, "My girlfriend Lea works as a cook.", 3)
    assert ("Ana's wife", "Ana's wife lives in Porto.") in lives(memory)
    assert names(memory)["Lea"] == {"Ana's girlfriend"}


def test_a_short_form_by_which_somebody_is_addressed(memory: Memory) -> None:
    say(memory, "I live in Porto.", 1, "Melanie", session_id="s")
    say(memory, "Thanks, Mel! That is good to hear.", 2, "Ana", session_id="s")
    assert names(memory)["Melanie"] == {"Mel"}
    assert [record.text for record in memory.search("Mel", precise=True, kinds="entity", **WHO)] == [
        "Melanie (also Mel)"
    ]


def test_the_user_and_the_one_name_that_the_user_has(memory: Memory) -> None:
    say(memory, "I live in Porto.", 1, None)
    say(memory, "I live in Faro.", 2, "Ana")
    assert {who for who, _ in lives(memory)} == {"Ana"}
    assert {text for _, text in lives(memory)} == {"Ana lives in Faro."}
    say(memory, "I live in Braga.", 3, "Ben")  # two talk here, so it is not known who the one without a name was
    assert {who for who, _ in lives(memory)} == {"user", "Ana", "Ben"}


def test_who_has_told_their_name(memory: Memory) -> None:
    say(memory, "I live in Porto.", 1, None)
    assert entities(memory) == {}
    say(memory, "My name is Lia.", 2, None)
    assert names(memory) == {"user": {"Lia"}}


# -- two people are two

TRAPS = [
    ("My friend Ann lives in Porto.", "My friend Anna lives in Faro."),
    ("My friend John lives in Porto.", "My friend Jon lives in Faro."),
    ("My friend Sara lives in Porto.", "My friend Sarah lives in Faro."),
    ("My friend Kate lives in Porto.", "My friend Catherine lives in Faro."),
    ("My friend Bob lives in Porto.", "My friend Robert lives in Faro."),
    ("My friend Mel lives in Porto.", "My friend Melanie lives in Faro."),
    ("My friend Chris lives in Porto.", "My friend Christina lives in Faro."),
    ("My friend Alex lives in Porto.", "My friend Alexandra lives in Faro."),
    ("My cousin Sam lives in Porto.", "My cousin Samuel lives in Faro."),
    ("My uncle Bill lives in Porto.", "My nephew William lives in Faro."),
    ("My uncle Tom lives in Porto.", "My cousin Tommy lives in Faro."),
    ("My brother Dan lives in Porto.", "My brother Daniel lives in Faro."),
    ("My sister Liz lives in Porto.", "My aunt Elizabeth lives in Faro."),
    ("My friend Ana lives in Porto.", "My friend Ana Ferreira lives in Faro."),
    ("My friend Ana Reis lives in Porto.", "My friend Ana Ferreira lives in Faro."),
    ("My colleague Tom Reed lives in Porto.", "My colleague Tom Reed Junior lives in Faro."),
    ("My boss Maria Costa lives in Porto.", "My neighbor Mario Costa lives in Faro."),
    ("My sister lives in Porto.", "My sister Clara lives in Faro."),
    ("My brother lives in Porto.", "My brother Rui lives in Faro."),
    ("My friend lives in Porto.", "My friend Rita lives in Faro."),
    ("My cousin lives in Porto.", "My cousin Rita lives in Faro."),
    ("My son lives in Porto.", "My son Rui lives in Faro."),
    ("My neighbor lives in Porto.", "My neighbor Rita lives in Faro."),
    ("My boss lives in Porto.", "My boss Rita lives in Faro."),
    ("My mother lives in Porto.", "My grandmother lives in Faro."),
    ("My mother lives in Porto.", "My mother-in-law lives in Faro."),
    ("My father lives in Porto.", "My stepfather lives in Faro."),
    ("My aunt Rosa lives in Porto.", "My aunt Rosie lives in Faro."),
    ("My friend Lee lives in Porto.", "My friend Leah lives in Faro."),
    ("My friend Max lives in Porto.", "My friend Maxine lives in Faro."),
    ("My friend Joe lives in Porto.", "My friend Joseph lives in Faro."),
    ("My friend Eva lives in Porto.", "My friend Evan lives in Faro."),
    ("My friend Mia lives in Porto.", "My friend Maria lives in Faro."),
    ("My friend Nick lives in Porto.", "My friend Nicola lives in Faro."),
    ("My friend Pat lives in Porto.", "My friend Patrick lives in Faro."),
    ("My friend Jo lives in Porto.", "My friend Joanna lives in Faro."),
    ("My friend Steve lives in Porto.", "My friend Stephen lives in Faro."),
    ("My friend Tony lives in Porto.", "My friend Anthony lives in Faro."),
    ("My friend Kim lives in Porto.", "My friend Kimberly lives in Faro."),
    ("My dog Rex lives in Porto.", "My friend Rexford lives in Faro."),
]


@pytest.mark.parametrize(("one", "other"), TRAPS)
def test_two_people_are_not_taken_for_one_by_a_guess(memory: Memory, one: str, other: str) -> None:
    say(memory, one, 1)
    say(memory, other, 2)
    assert {text.rpartition(" ")[2] for _, text in lives(memory)} == {"Porto.", "Faro."}
    assert len({who for who, _ in lives(memory)}) == 2


SAID = [
    ("a name that two have", ["My sister Catherine goes by Kate.", "My friend Katherine goes by Kate."], 3),
    ("who speaks here", ["My sister Catherine goes by Kate.", ("Kate", "I like tea.")], 3),
    ("a son of his father's name", [("Tom", "My son Tom works at Bosch."), ("Tom", "I like tea.")], 3),
    ("a short form that fits two", [("Melanie", "I like tea."), ("Melissa", "I like rum."), "Thanks, Mel!"], 3),
    ("nobody of that name", [("Rita", "I like tea."), "Thanks, Mel!", "My friend Mel lives in Porto."], 3),
    ("a question", ["My sister Catherine likes tea.", "Is Catherine also known as Kate?"], 2),
    ("a joke", ["My sister Catherine likes tea, also known as Kate, just kidding."], 2),
    ("no name", ["My sister Catherine (Porto) likes tea.", "My friend Porto lives in Faro."], 3),
]


@pytest.mark.parametrize(("said", "many"), [(said, many) for _, said, many in SAID], ids=[one[0] for one in SAID])
def test_what_does_not_tell_who_is_who(memory: Memory, said: list[Any], many: int) -> None:
    for day, one in enumerate(said):
        name, text = one if isinstance(one, tuple) else ("Ana", one)
        say(memory, text, day, name, session_id="s")
    say(memory, "My friend Kate lives in Porto.", 9)
    say(memory, "I live in Faro.", 10)
    for subject, aliases in names(memory).items():
        assert not {alias for alias in aliases if "'s " not in alias}, subject
    assert len(names(memory)) >= many


def test_a_first_name_means_who_was_just_called_in_full_and_nobody_else(memory: Memory) -> None:
    say(memory, "My colleague Rita Alves lives in Porto. My colleague Rita works at Bosch.", 1, session_id="s")
    assert names(memory)["Rita Alves"] >= {"Rita"}
    say(memory, "My neighbor Rita lives in Faro.", 2, session_id="t")  # of whom it is not known whether she is that one
    assert lives(memory) == {("Rita Alves", "Rita Alves lives in Porto."), ("Rita", "Rita lives in Faro.")}


# -- by hand


def two(memory: Memory) -> tuple[str, str]:
    say(memory, "My friend Mel lives in Porto.", 1)
    say(memory, "My cousin Melanie lives in Faro.", 2)
    found = entities(memory)
    return found["Mel"].id, found["Melanie"].id


def test_merging_makes_statements_compete_and_an_undo_takes_it_back(memory: Memory) -> None:
    mel, melanie = two(memory)
    before = facts(memory, "superseded")
    done = memory.merge(mel, into=melanie, author="ana", **WHO)
    assert [entry.reason for entry in done.entries] == ["Mel is Melanie"]
    assert ("retired", mel) in [(entry.action, entry.id) for entry in done.derived]
    assert lives(memory) == {("Melanie", "Melanie lives in Faro.")}
    assert "Mel" in names(memory)["Melanie"]
    assert done.pending == 0
    back = memory.undo(done, **WHO)
    assert facts(memory, "superseded") == before
    memory.undo(back, **WHO)
    assert lives(memory) == {("Melanie", "Melanie lives in Faro.")}
    assert memory.rebuild(dry_run=True, **WHO).derived == ()


def test_splitting_gives_a_name_back_to_its_own(memory: Memory) -> None:
    say(memory, "My sister Catherine goes by Kate.", 1)
    say(memory, "My sister Kate lives in Porto.", 2)
    kate = entities(memory)["Catherine"].id
    assert lives(memory) == {("Catherine", "Kate lives in Porto.")}
    done = memory.split(kate, names=["Kate"], **WHO)
    assert lives(memory) == {("Kate", "Kate lives in Porto.")}
    say(memory, "My friend Catherine goes by Kate.", 3)  # what was set by hand goes before what is told
    assert lives(memory) == {("Kate", "Kate lives in Porto.")}
    memory.undo(done, **WHO)
    assert lives(memory) == {("Catherine", "Kate lives in Porto.")}


def test_an_act_goes_with_the_last_word_of_a_name(memory: Memory) -> None:
    mel, melanie = two(memory)
    memory.merge(mel, into=melanie, **WHO)
    first = next(one for one in memory.list(kinds="episode", **WHO) if "Mel " in one.text)
    memory.erase(first.id, **WHO)
    assert "Mel" not in "".join(memory.export(**WHO)).replace("Melanie", "")
    with memory._store.read() as snapshot:  # pyright: ignore[reportPrivateUsage]
        kept = [tuple(row) for table in ("names", "called") for row in snapshot.select(f"SELECT * FROM {table}", {})]
    assert "mel" not in {value for row in kept for value in row}
    assert lives(memory) == {("Melanie", "Melanie lives in Faro.")}


def test_an_entity_that_is_erased_is_derived_again_as_it_was(memory: Memory) -> None:
    mel, melanie = two(memory)
    memory.merge(mel, into=melanie, **WHO)
    before = names(memory)
    memory.erase(melanie, **WHO)
    assert names(memory) == before
    assert memory.rebuild(dry_run=True, **WHO).derived == ()


def test_what_cannot_be_merged_or_split_is_told(memory: Memory) -> None:
    mel, melanie = two(memory)
    fact = memory.list(kinds="fact", **WHO)[0].id
    say(memory, "My friend Rita lives in Porto.", 1, user_id="ben")
    hers = entities(memory, "ben")["Rita"].id
    with pytest.raises(InputError, match="no derived entity"):
        memory.merge(fact, into=melanie, **WHO)
    with pytest.raises(InputError, match="one entity only"):
        memory.merge(mel, into=mel, **WHO)
    with pytest.raises(NotFoundError):
        memory.merge(hers, into=melanie, **WHO)
    with pytest.raises(InputError, match="belongs to another scope"):
        memory.merge(hers, into=melanie, user_id=["ana", "ben"])
    with pytest.raises(InputError, match="'Rita' is no name of 'Melanie', which has no other name"):
        memory.split(melanie, names="Rita", **WHO)
    with pytest.raises(InputError, match="is what the entity is known by"):
        memory.split(melanie, names="Melanie", **WHO)
    with pytest.raises(InputError, match="was given no name"):
        memory.split(melanie, names=[], **WHO)
    memory.merge(mel, into=melanie, **WHO)
    with pytest.raises(ConflictError, match="is no entity any more"):
        memory.merge(mel, into=melanie, **WHO)


def test_walls_hold_for_names(memory: Memory) -> None:
    say(memory, "My sister Catherine goes by Kate.", 1)
    say(memory, "My friend Kate lives in Porto.", 1, user_id="ben")
    assert set(entities(memory, "ben")) == {"Ana", "Kate"}
    assert [one.subject for one in memory.list(kinds="fact", user_id="ben")] == ["Kate"]


# -- how they are found


def test_entities_are_found_where_they_are_asked_for_and_nowhere_else(memory: Memory) -> None:
    two(memory)
    assert "entity" not in {hit.kind for hit in memory.search("Who is Melanie?", **WHO)}
    assert {hit.kind for hit in memory.search("Melanie", kinds="entity", **WHO)} == {"entity"}
    assert {hit.subject for hit in memory.list(kinds="entity", **WHO)} == {"Ana", "Mel", "Melanie"}


def test_a_timeline_of_an_alias_is_that_of_its_entity(memory: Memory) -> None:
    mel, melanie = two(memory)
    memory.merge(mel, into=melanie, **WHO)
    texts = {record.text for record in memory.timeline(subject="mel", kinds="fact", **WHO)}
    assert texts == {"Mel lives in Porto.", "Melanie lives in Faro."}


def test_an_outdated_message_is_marked_though_its_subject_has_an_entity(memory: Memory) -> None:
    say(memory, "I live in Porto.", 1)
    say(memory, "I live in Faro.", 5)
    hits = memory.search("Where does Ana live?", kinds="episode", **WHO)
    assert [bool(hit.outdated_by) for hit in hits if "Porto" in hit.text] == [True]


def test_what_was_imported_knows_its_names(memory: Memory) -> None:
    say(memory, "My sister Catherine goes by Kate.", 1)
    say(memory, "My sister Kate lives in Porto.", 2)
    with opened() as other:
        other.import_(memory.export(**WHO))
        assert {one.id for one in other.list(kinds="entity", **WHO)} == {one.id for one in entities(memory).values()}
        say(other, "My sister Catherine lives in Faro.", 3)
        assert lives(other) == {("Catherine", "Catherine lives in Faro.")}


def test_without_a_recipe_a_merge_waits_for_one() -> None:
    with opened() as memory:
        mel, melanie = two(memory)
        lines = list(memory.export(**WHO))
    with opened("none") as memory:
        memory.import_(lines)
        done = memory.merge(mel, into=melanie, **WHO)
        assert "takes effect when a memory that derives" in done.notes[0]
