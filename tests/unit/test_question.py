"""What a question wants."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mnemic.question import KINDS, Aim, Kind, Wanted, wanted

ONE: list[tuple[str, Kind]] = [
    # times
    ("When did Ana move to Porto?", "time"),
    ("when's the wedding?", "time"),
    ("What day is the dentist?", "time"),
    ("On what date did we meet?", "time"),
    ("What was the exact date of the crash?", "time"),
    ("At what time does the train leave?", "time"),
    ("What time is it due?", "time"),
    ("Since when has she lived here?", "time"),
    ("Around when did it start?", "time"),
    ("Do you remember when Ana moved?", "time"),
    ("Can you tell me when the bakery opens?", "time"),
    ("And when did he come back?", "time"),
    # lengths of time
    ("How long has Rui lived there?", "duration"),
    ("For how long did it rain?", "duration"),
    ("How old is Ben?", "duration"),
    ("How many years have they been married?", "duration"),
    ("How long ago did Ana move?", "duration"),
    # numbers
    ("How many cats does Ana have?", "number"),
    ("How much was the bike?", "number"),
    ("How often does she swim?", "number"),
    ("What's the price of the van?", "number"),
    ("What is the phone number of the vet?", "number"),
    ("In how many countries has he worked?", "number"),
    # people
    ("Who lives next door?", "person"),
    ("Whose dog is it?", "person"),
    ("With whom did Ana travel?", "person"),
    ("Who's coming on Friday?", "person"),
    # places
    ("Where does Ana live?", "place"),
    ("Where's the key?", "place"),
    ("In which city was he born?", "place"),
    ("What country is she from?", "place"),
    ("Which town did they move to?", "place"),
    # reasons
    ("Why did she leave?", "reason"),
    ("What made him change his mind?", "reason"),
    ("What was the reason for the delay?", "reason"),
    ("How come you moved?", "reason"),
    ("What did she leave for? Why?", "reason"),
    # manners
    ("How did Ana get there?", "manner"),
    ("How does he feel about it?", "manner"),
    # yes or no
    ("Is Ana allergic to nuts?", "yes or no"),
    ("Does he drive?", "yes or no"),
    ("Has she ever been to Rome?", "yes or no"),
    ("Isn't the van red?", "yes or no"),
    ("Am I allergic to nuts?", "yes or no"),
    ("Might she come?", "yes or no"),
    # names
    ("What is the name of the dog?", "name"),
    ("What book is Ana reading?", "name"),
    ("What's the café called?", "name"),
    ("Which band did they see?", "name"),
    # things
    ("What did Ana cook?", "thing"),
    ("What is Ana allergic to?", "thing"),
    ("What colour is the van?", "thing"),
    ("Which tea does she like?", "thing"),
    ("Tell me about the garden.", "thing"),
    ("alarm code", "thing"),
    ("", "thing"),
    ("?", "thing"),
    # what only looks like it
    ("What did she say when he left?", "thing"),
    ("What was the man who called wearing?", "thing"),
    ("Is this where Ana lives?", "yes or no"),
    ("Did Rui, who lives next door, call?", "yes or no"),
    ("Does she know how to swim?", "yes or no"),
    ("What does Ana do when it rains?", "thing"),
    ("What did she cook the day we met?", "thing"),
    ("What did Ana show me?", "thing"),
    ("Did she book the hotel?", "yes or no"),
    # other languages, by their question word
    ("Wann ist Ana umgezogen?", "time"),
    ("Wo wohnt Ana?", "place"),
    ("Wohin ist sie gezogen?", "place"),
    ("Wer wohnt nebenan?", "person"),
    ("Wie viele Katzen hat Ana?", "number"),
    ("Wie lange wohnt er dort?", "duration"),
    ("Warum ist sie gegangen?", "reason"),
    ("Wie geht es ihr?", "manner"),
    ("Quand est-ce qu'Ana a déménagé ?", "time"),
    ("Où habite Ana ?", "place"),
    ("Qui habite à côté ?", "person"),
    ("Combien de chats a-t-elle ?", "number"),
    ("Pourquoi est-elle partie ?", "reason"),
    ("¿Cuándo se mudó Ana?", "time"),
    ("¿Dónde vive Ana?", "place"),
    ("¿Quién vive al lado?", "person"),
    ("¿Cuántos gatos tiene?", "number"),
    ("¿Cuánto tiempo lleva allí?", "duration"),
    ("¿Por qué se fue?", "reason"),
    ("¿Cómo llegó?", "manner"),
    ("Was hat Ana gekocht?", "thing"),
    ("Was mag Ana?", "thing"),
    ("アナはどこに住んでいますか？", "thing"),
]

SEVERAL = [
    "Which cities has Ana lived in?",
    "What instruments does he play?",
    "What kinds of tea does she like?",
    "What are Ana's hobbies?",
    "What do both of them like?",
    "Who are Ana's friends?",
    "Where are all the places she has been?",
    "What books has Ana read?",
    "Which of her friends live in Porto?",
    "What pets does Ana have?",
    "What are the names of her cats?",
]

SINGLE = [
    "What is Ana's hobby?",
    "What was the reason?",
    "What does Ana like?",
    "What has Ana cooked?",
    "What's the alarm code?",
    "Who is Ana's friend?",
    "Where does Ana live?",
    "What bus does she take?",
    "What class is it?",
    "Which address is it?",
    "What happens on Sundays?",
    "What makes Ana happy?",
    "How many cats does she have?",
    "When are the holidays?",
    "Was hat Ana gesagt?",
]


@pytest.mark.parametrize(("question", "kind"), ONE)
def test_the_kind_of_its_answer(question: str, kind: Kind) -> None:
    assert wanted(question).kind == kind


@pytest.mark.parametrize("question", SEVERAL)
def test_a_list_is_asked_for(question: str) -> None:
    assert wanted(question).several


@pytest.mark.parametrize("question", SINGLE)
def test_one_thing_is_asked_for(question: str) -> None:
    assert not wanted(question).several


@pytest.mark.parametrize(
    ("question", "unit"),
    [
        ("In which year did she move?", "year"),
        ("What year was it?", "year"),
        ("What month did they meet?", "month"),
        ("In what month of 2022 was it?", "month"),
        ("During which year did he work there?", "year"),
        ("When did she move?", None),
        ("What day was it?", None),
        ("What did she do that year?", None),
    ],
)
def test_the_unit_of_a_time(question: str, unit: str | None) -> None:
    assert wanted(question).unit == unit


AIMS: list[tuple[str, Aim]] = [
    # how things are
    ("Where does Ana live?", "state"),
    ("Where does Ana live now?", "state"),
    ("Where is Rui working these days?", "state"),
    ("Who is her boss at the moment?", "state"),
    ("What's the alarm code?", "state"),
    ("What is Ana allergic to?", "state"),
    ("Is Ana allergic to nuts?", "state"),
    ("Does he still play chess?", "state"),
    ("What is the latest plan for the trip?", "state"),
    ("What is my current phone number?", "state"),
    ("In which city does she live?", "state"),
    ("How long has Rui lived there?", "state"),
    ("Which car do we have?", "state"),
    ("Am I a member?", "state"),
    ("Can you tell me where the key is now?", "state"),
    ("When is the wedding?", "state"),
    ("How old is Ben?", "state"),
    ("Don't they have a dog?", "state"),
    # how they were
    ("Where has Ana lived?", "history"),
    ("Where has Ana lived over the years?", "history"),
    ("In which cities has she lived?", "history"),
    ("Which jobs has Rui had so far?", "history"),
    ("What companies have I worked for?", "history"),
    ("Where did she live previously?", "history"),
    ("Who used to live next door?", "history"),
    ("What was her former employer?", "history"),
    ("What is my previous address?", "history"),
    ("How has his opinion of the plan changed?", "history"),
    ("How did the recipe evolve?", "history"),
    ("What has changed since the move?", "history"),
    ("Who was originally in the band?", "history"),
    # what came first
    ("In which order did we visit the cities?", "order"),
    ("Which came first, the move or the wedding?", "order"),
    ("Which trip did Ana take first, Rome or Oslo?", "order"),
    ("Who arrived earlier, Ben or Ana?", "order"),
    ("What happened first: the fire or the flood?", "order"),
    ("List my trips in chronological order.", "order"),
    ("Can you list in order how the plans came up?", "order"),
    ("What does Ana say running has been great for?", "state"),
    ("Can you list the order in which I brought up these topics?", "order"),
    ("Did Ana move before or after the wedding?", "order"),
    ("Sort my books from oldest to newest, please: from the oldest to the newest", "order"),
    ("What was the sequence of events on that day?", "order"),
    # likes, and advice
    ("What does Ana like?", "preference"),
    ("Which tea does she like?", "preference"),
    ("Does Ben hate olives?", "preference"),
    ("What is Ana's favourite colour?", "preference"),
    ("What's her favorite band?", "preference"),
    ("Would Ana rather cook or eat out?", "preference"),
    ("What does he prefer for breakfast?", "preference"),
    ("What kind of music did Rui enjoy?", "preference"),
    ("Can you recommend a restaurant for tonight?", "preference"),
    ("Suggest a present for Ana", "preference"),
    ("Any tips for my trip to Rome?", "preference"),
    ("What should I cook for Ana?", "preference"),
    ("Where could we go on Sunday?", "preference"),
    ("I need some good ideas for dinner.", "preference"),
    ("Who loves hiking?", "preference"),
    # all of it
    ("Summarize our talks about the garden.", "summary"),
    ("Please summarise what Ana said.", "summary"),
    ("Can you give me a short summary of the project?", "summary"),
    ("Give me an overview of my expenses", "summary"),
    ("What do you know about me?", "summary"),
    ("Tell me about the garden.", "summary"),
    ("Tell me everything about Ana", "summary"),
    ("Could you recap last week?", "summary"),
    ("What are the main points of the contract?", "summary"),
    # plain facts
    ("When did Ana move to Porto?", "fact"),
    ("Who won the race?", "fact"),
    ("What did Ana cook?", "fact"),
    ("Which book did you recommend?", "fact"),
    ("What did Rui suggest?", "fact"),
    ("Why did she leave?", "fact"),
    ("Did she book the hotel?", "fact"),
    ("Where did I put my keys?", "fact"),
    ("What did the cake look like?", "fact"),
    ("How did she feel like a stranger?", "fact"),
    ("Has she ever been to Rome?", "fact"),
    ("What did he do in order to win?", "fact"),
    ("Where was the summary of the report?", "fact"),
    ("Wo wohnt Ana?", "fact"),
    ("alarm code", "fact"),
    ("", "fact"),
]


@pytest.mark.parametrize(("question", "aim"), AIMS)
def test_what_is_done_with_what_was_found(question: str, aim: Aim) -> None:
    assert wanted(question).aim == aim


@given(st.text(st.characters()))
def test_any_text_wants_something(text: str) -> None:
    found = wanted(text)
    assert found.kind in KINDS
    assert found.unit is None or found.kind == "time"


@given(st.sampled_from([question for question, _ in ONE] + SEVERAL), st.sampled_from([" ", "  ", "\n", "\u00a0", "\t"]))
def test_letter_case_and_blanks_say_nothing(question: str, blank: str) -> None:
    plain = wanted(question)
    assert wanted(f"{blank}{question.upper()}{blank}") == wanted(question.replace(" ", blank)) == plain
    assert wanted(question.replace("'", "’")) == plain


def test_a_long_question_is_read_at_once() -> None:
    started = time.process_time()
    for words in (
        "what is ",
        "what new ",
        "which ",
        "is was ",
        "what are the reason ",
        "how many ",
        "what are ",
        "does it like ",
    ):
        assert wanted(words * 20_000) != Wanted("time")
    assert time.process_time() - started < 1.0
