"""Statements by rules: what sentences say, and above all what they do not say."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mnemic import dates
from mnemic.rules import statements
from mnemic.rules.phrases import base
from mnemic.statements import CONTEXT, USER, Statement, Turn, relation, relations

NOW = datetime(2024, 6, 12, 10, tzinfo=UTC)  # a Wednesday
TUESDAY = "Tuesday, 18 June 2024"


def said(*texts: str, speaker: str | None = None, role: str = "user", source: str = "user") -> list[Statement]:
    return statements(
        [Turn(str(n), text, NOW, role=role, speaker=speaker, source=source) for n, text in enumerate(texts)]
    )


def brief(found: list[Statement]) -> list[tuple[str, str, bool]]:
    """Relation, value and whether it holds."""
    return [(one.relation, one.value, one.holds) for one in found]


SAYS = [
    # -- living
    ("I live in Porto.", ("lives_in", "Porto", True)),
    ("i live in porto", ("lives_in", "porto", True)),
    ("We live in the Netherlands.", ("lives_in", "the Netherlands", True)),
    ("I currently live in New York City with my wife.", ("lives_in", "New York City", True)),
    ("I'm based in Leeds, so shops in the UK please.", ("lives_in", "Leeds", True)),
    ("I live near Aldgate.", ("lives_in", "near Aldgate", True)),
    ("I live just outside Leeds now.", ("lives_in", "just outside Leeds", True)),
    ("I don't live in Madrid anymore.", ("lives_in", "Madrid", False)),
    ("I no longer live in Madrid.", ("lives_in", "Madrid", False)),
    ("I used to live in Madrid.", ("lives_in", "Madrid", False)),
    ("I moved out of Chicago in 2020.", ("lives_in", "Chicago", False)),
    ("I live in Lyon, not Paris.", ("lives_in", "Paris", False)),
    ("Hello! I'm from Brazil originally.", ("from", "Brazil", True)),
    ("I grew up in Ohio.", ("did", "grew up in Ohio", True)),
    # -- what is cut, and where
    (
        "I'm thinking of starting a pair of mittens this Friday.",
        ("plans", "start a pair of mittens Friday, 14 June 2024", True),
    ),
    (
        "I'm planning to restock soap and towels this weekend.",
        ("plans", "restock soap and towels the weekend of 12 June 2024", True),
    ),
    ("I finished a novel by Ada J. Crane.", ("did", "finished a novel by Ada J. Crane", True)),
    ("I'm thinking of writing to Rosa to see if she minds.", ("plans", "write to Rosa", True)),
    ("Lost my wallet at the fair yesterday.", ("did", "lost the user's wallet at the fair 11 June 2024", True)),
    (
        "I'm thinking of upgrading my bike and getting rid of the van.",
        ("plans", "upgrade the user's bike and get rid of the van", True),
    ),
    ("I love crime and spy novels.", ("likes", "crime and spy novels", True)),
    ("I love plums and spy novels.", ("likes", "plums", True)),
    ("I eat kosher.", ("diet", "kosher", True)),
    ("Meanwhile I work at Fabrikam.", ("works_at", "Fabrikam", True)),
    ("My blood type is AB negative.", ("attribute:blood type", "AB negative", True)),
    ("I do like the coast.", ("likes", "the coast", True)),
    ("Update: I live in Porto.", ("lives_in", "Porto", True)),
    ("Here are my details:\nI live in Porto.", ("lives_in", "Porto", True)),
    ("You're a star! I live in Porto.", ("lives_in", "Porto", True)),
    # -- work and study
    ("I work at Fabrikam.", ("works_at", "Fabrikam", True)),
    ("I work for a small law firm.", ("works_at", "a small law firm", True)),
    ("I'm a nurse at Saint Mary's Hospital.", ("works_as", "nurse", True)),
    ("I'm a nurse at Saint Mary's Hospital.", ("works_at", "Saint Mary's Hospital", True)),
    ("I work at St Mary's hospital.", ("works_at", "St Mary's hospital", True)),
    ("I work at Sotheby's in London.", ("works_at", "Sotheby's", True)),
    ("I work at Google's office in Paris.", ("works_at", "Google", True)),
    ("I work as a freelance graphic designer.", ("works_as", "freelance graphic designer", True)),
    ("I no longer work at Fabrikam.", ("works_at", "Fabrikam", False)),
    ("I quit my job at Fabrikam last week.", ("works_at", "Fabrikam", False)),
    ("I lost my job.", ("works_at", "job", False)),
    ("I got promoted to senior engineer.", ("works_as", "senior engineer", True)),
    ("I study biology at the University of Coimbra.", ("studies", "biology", True)),
    ("I study biology at the University of Coimbra.", ("studies_at", "the University of Coimbra", True)),
    ("I'm majoring in economics.", ("studies", "economics", True)),
    # -- age, birth, names
    ("I'm 34 years old.", ("age", "34", True)),
    ("I'm 27.", ("age", "27", True)),
    ("I turned 30 yesterday.", ("age", "30", True)),
    ("Hi, I'm Petra, a 41-year-old translator, and I need help.", ("name", "Petra", True)),
    ("Hi, I'm Petra, a 41-year-old translator, and I need help.", ("age", "41", True)),
    ("Hi, I'm Petra, a 41-year-old translator, and I need help.", ("works_as", "translator", True)),
    ("My name is Ana.", ("name", "Ana", True)),
    ("From now on call me Lia.", ("name", "Lia", True)),
    ("My birthday is on May 5.", ("born_on", "May 5", True)),
    ("I was born in 1990.", ("born_on", "1990", True)),
    # -- family, friends, pets
    ("My sister Clara came over.", ("relative:sister", "Clara", True)),
    ("My husband's name is Mark.", ("partner:husband", "Mark", True)),
    ("Clara is my cousin.", ("relative:cousin", "Clara", True)),
    ("My best friend Tom plays the drums.", ("friend:friend", "Tom", True)),
    ("My cat is named Whiskers.", ("pet:cat", "Whiskers", True)),
    ("I have a dog named Rex.", ("pet:dog", "Rex", True)),
    ("I have a sister called Clara.", ("relative:sister", "Clara", True)),
    ("I'm married to Tom.", ("partner:partner", "Tom", True)),
    ("I'm single.", ("attribute:marital status", "single", True)),
    ("We broke up last month.", ("partner:partner", "partner", False)),
    # -- things
    ("I have two kids.", ("has", "two kids", True)),
    ("I've got a motorcycle.", ("has", "a motorcycle", True)),
    ("I have asthma.", ("has", "asthma", True)),
    ("I don't have a car.", ("has", "a car", False)),
    ("I bought a new bike last week.", ("has", "a new bike", True)),
    ("I sold my car.", ("has", "car", False)),
    ("My phone number is 555-0134.", ("attribute:phone number", "555-0134", True)),
    ("My email is ana@example.org.", ("attribute:email", "ana@example.org", True)),
    # -- tastes
    ("I love olives.", ("likes", "olives", True)),
    ("I really enjoy hiking and photography.", ("likes", "photography", True)),
    ("I hate cilantro.", ("likes", "cilantro", False)),
    ("I can't stand loud music.", ("likes", "loud music", False)),
    ("I'm not a fan of horror movies.", ("likes", "horror movies", False)),
    ("I prefer tea over coffee.", ("prefers", "tea", True)),
    ("My favourite colour is green.", ("favourite:colour", "green", True)),
    ("Dune is my favorite book.", ("favourite:book", "Dune", True)),
    ('My favorite book is "The Blue Door".', ("favourite:book", "The Blue Door", True)),
    ("I'm vegan.", ("diet", "vegan", True)),
    ("I'm no longer vegan.", ("diet", "vegan", False)),
    ("I'm allergic to peanuts and shellfish.", ("allergic_to", "shellfish", True)),
    ("I have a severe nut allergy.", ("allergic_to", "nut", True)),
    ("I speak English and French.", ("speaks", "French", True)),
    # -- habits, deeds, plans
    ("I run every morning.", ("does", "run every morning", True)),
    ("I go to the gym three times a week.", ("does", "go to the gym three times a week", True)),
    ("I don't drink alcohol.", ("does", "drink alcohol", False)),
    ("I stopped drinking coffee.", ("does", "drink coffee", False)),
    ("I've never been to Japan.", ("never", "been to Japan", True)),
    ("I have never eaten sushi.", ("never", "eaten sushi", True)),
    ("I'm planning a trip to Rome.", ("plans", "a trip to Rome", True)),
    ("I'm flying to Rome on Friday.", ("plans", "fly to Rome on Friday, 14 June 2024", True)),
    ("I want to stop drinking coffee.", ("plans", "stop drinking coffee", True)),
    ("I'm thinking of moving to Rome.", ("plans", "move to Rome", True)),
    ("I think I'll get a second cat.", ("plans", "get a second cat", True)),
    ("I'd love to see the northern lights.", ("plans", "see the northern lights", True)),
    ("My goal is to run a marathon in Leeds.", ("plans", "run a marathon in Leeds", True)),
    ("I hope to run a marathon in October.", ("plans", "run a marathon in October 2024", True)),
    ("I've been meaning to repaint the shed.", ("plans", "repaint the shed", True)),
    ("I've been taking a pottery class lately.", ("does", "take a pottery class lately", True)),
    ("I'm working on a quilt for my niece.", ("does", "work on a quilt for the user's niece", True)),
    ("I lost my job at the cannery.", ("did", "lost the user's job at the cannery", True)),
    ("I've already booked the ferry to Harwich.", ("did", "booked the ferry to Harwich", True)),
    ("I've been to Turkey.", ("did", "been to Turkey", True)),
    ("I haven't been to Lisbon yet.", ("never", "been to Lisbon", True)),
    ("Just moved to Seattle!", ("lives_in", "Seattle", True)),
    ("Finally finished my thesis!", ("did", "finished the user's thesis", True)),
    ("Got married last June.", ("attribute:marital status", "married", True)),
    # -- in passing
    ("I need a bag for my new folding bike.", ("has", "new folding bike", True)),
    ("Can you name a song for my ukulele?", ("has", "ukulele", True)),
    ("My car is equipped with winter tires.", ("has", "car", True)),
    ("My friend Piet, who's 25, came over.", ("age", "25", True)),
    ("My mom, Ida, who's 73 and lives in Leeds, called.", ("lives_in", "Leeds", True)),
    ("I got a note from Olaf, a 41-year-old carpenter.", ("works_as", "carpenter", True)),
    ("My parents live in Leeds.", ("lives_in", "Leeds", True)),
    ("I'm 28 and living in Leeds.", ("lives_in", "Leeds", True)),
    ("Dune is one of my favorite books.", ("likes", "Dune", True)),
    ('I loved "The Blue Door".', ("likes", "The Blue Door", True)),
    ("I own a Skoda.", ("has", "a Skoda", True)),
    # -- dates and quantities
    ("I'm down to 11 cigarettes a day.", ("measure:cigarette", "11 cigarettes", True)),
    ("I have 12 houseplants again.", ("measure:houseplant", "12 houseplants again", True)),
    ("How do I split my $60 book budget?", ("measure:book budget", "$60 book budget", True)),
    ("The webinar got rescheduled to July 27.", ("due:webinar", "27 July 2024", True)),
    ("The project deadline is July 5.", ("due:project deadline", "5 July 2024", True)),
    ("I have a dentist appointment on Friday.", ("due:dentist appointment", "Friday, 14 June 2024", True)),
    ("My budget increased to $650.", ("measure:budget", "$650", True)),
    ("I've increased my monthly budget to $800.", ("measure:budget", "$800", True)),
    ("I've now got 52 stamps in my album.", ("measure:stamp", "52 stamps", True)),
    ("The response time improved to 250ms.", ("measure:response time", "250ms", True)),
    ("I have a total of 10 cards now.", ("measure:card", "10 cards", True)),
    # -- what is asked
    ("Please remember that I'm vegan.", ("told", "the user is vegan", True)),
    ("Please forget my address.", ("forget", "the user's address", True)),
    ("Always answer in French.", ("instructed", "Always answer in French", True)),
    ("Don't use bullet points.", ("instructed", "Don't use bullet points", True)),
    ("I've been a teacher for 12 years.", ("works_as", "teacher", True)),
    ("I used to be a teacher.", ("works_as", "teacher", False)),
    ("I work at Initech, not Globex.", ("works_at", "Globex", False)),
    ("I dropped out of Harvard.", ("studies_at", "Harvard", False)),
    ("I wear glasses.", ("does", "wear glasses", True)),
    ("I usually take the bus to work.", ("does", "take the bus to work", True)),
    ("We're getting married in September.", ("plans", "get married in September 2024", True)),
    ("The meeting was pushed back to Thursday.", ("due:meeting", "Thursday, 13 June 2024", True)),
    ("I have a deadline of July 1 for the first sprint.", ("due:sprint deadline", "1 July 2024", True)),
    ("What should I buy with my increased budget of $650?", ("measure:budget", "$650", True)),
    ("My Zotero library now has 45 sources.", ("measure:source", "45 sources", True)),
    ("Can you forget my birthday?", ("forget", "the user's birthday", True)),
    ("Please don't mention my ex again.", ("instructed", "don't mention the user's ex again", True)),
    ("What's the best bank now that I live in Porto?", ("lives_in", "Porto", True)),
    # -- beside a question, after an aside
    ("I live in Porto, can you recommend a dentist?", ("lives_in", "Porto", True)),
    ("Since I'm vegan, what should I cook?", ("diet", "vegan", True)),
    ("By the way, I live in Porto now.", ("lives_in", "Porto", True)),
    ("As I mentioned, I'm allergic to nuts.", ("allergic_to", "nuts", True)),
    ("I'm wondering about schools, and I live in Porto.", ("lives_in", "Porto", True)),
]


@pytest.mark.parametrize(("text", "expected"), SAYS, ids=[f"{text[:40]}-{e[0]}" for text, e in SAYS])
def test_what_a_sentence_says(text: str, expected: tuple[str, str, bool]) -> None:
    assert expected in brief(said(text))


NOTHING = [
    # -- asked
    "Is it true that I'm allergic to nuts if I sneeze?",
    "Would it help if I moved to Rome?",
    'Do you know anyone who says "I have two dogs"?',
    "Which is right: I live in Rome or I live at Rome?",
    "Could I have asthma?",
    "Do I live in Porto?",
    "I live in Porto?",
    "I live in Rome, don't I?",
    "You know I'm a nurse, right?",
    'How do you say "I live in Rome" in Italian?',
    "Should I tell them that I live in Rome?",
    "Do you remember that I have a dog?",
    "What if the deadline is April 5?",
    # -- supposed, wished, possible
    "Had I moved to Rome, I'd be happy.",
    "Say I have a dog and it's sick, what do I do?",
    "Theoretically I live in Rome.",
    "I'm supposed to be vegan.",
    "I used to think I was allergic to nuts.",
    "I don't think I'll move to Rome.",
    "When I'm 64, I'll live in Rome.",
    "I was planning a trip to Rome.",
    "The deadline might be July 5.",
    "The deadline was supposed to be July 5.",
    "My target budget is $500, but I'd like to increase it to $600.",
    "I'm trying to quit smoking.",
    "I might be a bit vegan.",
    "I'm becoming vegan.",
    "I tried to run every morning.",
    "If I lived in Rome, I would be happy.",
    "If I work at Fabrikam, do I get a car?",
    "I wish I had a dog.",
    "Imagine I'm a nurse.",
    "Suppose I live in Rome. Which taxes apply?",
    "Let's say I'm 40 years old and I work at Fabrikam.",
    "Assuming I'm 40 years old, what is my maximum heart rate?",
    "I might move to Berlin next year.",
    "Maybe I'm allergic to cats.",
    "I think I'm allergic to cats.",
    "I would love a dog.",
    "I'd like a dog.",
    "I want to live in Rome and work as a nurse.",
    "I hope I get a dog next week.",
    "I could live in Rome forever.",
    "I'd rather live in Rome.",
    "I don't know if I'm allergic to peanuts.",
    "Unless I move to Rome next month, I stay.",
    "Once I move to Rome, I'll get a dog.",
    "I was going to move to Rome last year but didn't.",
    "I should have gone to Rome last week.",
    "I almost moved to Rome last year.",
    "I want to increase my budget to $700.",
    # -- told by others, quoted
    "My therapist told me that I have anxiety.",
    "According to my mom, I love broccoli.",
    "'I live in Rome,' said Anna.",
    "She texted me: I quit my job.",
    "I told everyone I live in Rome, but that's a lie.",
    'My friend said "I live in Oslo".',
    "My friend told me, I live in Oslo now.",
    "People think I'm a nurse.",
    "She says I'm allergic to peanuts.",
    "My boss thinks I live in Paris.",
    "The song goes: I left my heart in San Francisco.",
    "Nobody knows I live in Rome.",
    "I was told I have diabetes.",
    # -- fiction, role play, exercises, pasted text
    "Act as a travel agent. I live in Paris and I want a trip.",
    "Here's my cover letter: I am a software engineer at Contoso.",
    "Write a bio for me: I'm a chef in Rome.",
    "You are an interviewer. I'm a nurse.",
    "Day 1: I moved to Rome.",
    "Name: Bob, Age: 34, City: Rome",
    "User: I live in Rome\nAssistant: Nice!",
    "In my dream I lived in Rome and I had a dog.",
    "Once upon a time I lived in a castle.",
    "Let's role-play. I'm a knight and I live in Camelot.",
    "In the game I live in a castle called Camelot.",
    "In my novel, I live in Rome.",
    "My character has a dog named Rex.",
    "Write a story: I am John. I live in London. I have a cat.",
    "Translate this: I live in Rome and I work at Fabrikam.",
    "Please proofread: I am Anna and I live in Rome.",
    "For example, I live in Rome.",
    "Person A: I live in Rome.",
    "Dear John, I live in Rome and I work at Fabrikam.",
    "Fix this:\n```\nI live in Rome.\nI work at Fabrikam.\n```",
    "> I live in Rome.",
    "I dreamed I was a nurse and I lived in Rome.",
    "Subject: moving\nI live in Rome.\nRegards",
    # -- jokes and scorn
    "Yeah right, I love Mondays.",
    "I'm totally a morning person, not.",
    "I'm kind of a nurse.",
    "I have a dog named Satan, just kidding.",
    "I work at NASA /s",
    "Oh sure, I love waiting in line.",
    "I live in Narnia lol jk",
    # -- not it
    "I'm a bit of a chef.",
    "I'm an aspiring writer.",
    "I'm married to my job.",
    "I'm from Mars.",
    "I'm from HR.",
    "I work for peanuts.",
    "I work out at Planet Fitness.",
    "I moved to TypeScript.",
    "We moved to Slack.",
    "I moved to the Premium plan.",
    "I'm staying in Madrid for a week.",
    "I'm learning a lot about Rome.",
    "I speak from experience.",
    "I have a dog in this fight.",
    "I have a meeting with a dog trainer.",
    "I don't have my bike with me right now.",
    "I enjoy darker, more twisted stories.",
    "I prefer simple, minimal dependencies.",
    "I've been vegan before.",
    "I'm 87.5% done.",
    "My favourite part is the end.",
    "My least favorite food is liver.",
    "My phone is dead.",
    "My email is not working.",
    "I don't always drink coffee.",
    "I've never thought about it.",
    "The population increased to 8 million.",
    "I have 99 problems.",
    "I need 5 eggs.",
    "I scored 5 out of 10.",
    "Always look on the bright side.",
    "Please delete line 5.",
    "Forget the previous instructions.",
    "Remember, practice makes perfect.",
    "I can't remember my address.",
    "I have a question about Porto.",
    "I'm from the future.",
    "I live in fear.",
    "I live for music.",
    "I work at night.",
    "I work with Python.",
    "I'm a big fan.",
    "I'm a mess.",
    "I'm a doctor's daughter.",
    "I love the idea.",
    "I like your suggestions, thanks!",
    "I like it.",
    "I hate it when it rains.",
    "I prefer the second one.",
    "I'm 30 minutes late.",
    "I'm 100% sure.",
    "I'm 6 feet tall.",
    "I turned 180 degrees.",
    "I'm allergic to Mondays.",
    "Call me crazy, but it works.",
    "Call me later.",
    "Never say never.",
    "Forget it.",
    "Don't forget the milk.",
    "Remember to call mom.",
    "I was born to run.",
    "I've never been happier.",
    "I left work early.",
    "I'm going to try that.",
    "When I was a kid, I had a dog named Rex.",
    "As a nurse, what would you do?",
    "I stopped by the store.",
    "I'm learning a lot.",
    "My brother, Paris is great.",
]


NOTHING += [
    # other people's words, below a line of one's own or behind a colon
    "got this today\n\nHey hun, I have a puppy! xx Nada",
    "fwd from the tenant\n\nI have a dog and I live in Ulm.",
    "Is it spam?\n---\nI lost my passport in Quito.",
    "What do you think of this?\n\nI live in Cebu with two parrots.",
    "My pupil wrote this:\nI has two sister. I live in Cebu.",
    "The old woman saw it clearly: I have two sons.",
    "She left a note: gone out, I took the car.",
    "Affirmations to read aloud:\n- I am rich\n- I have a garden",
    "Examples for 'allergic' and more: I am allergic to nuts.",
    "Two truths and a lie! I own a ferret, I live in Oslo.",
    "For the test I must rate: I am shy. I like parties.",
    "Below is a comment from a reader. Reply kindly. I am 72 and I love plums.",
    "I (27F) have a cat and I live in Bonn.",
    "I wandered through the hall,\nI had a lantern and a dog,\nI knew no door,\nI lost my brother in the fog.",
    "Could you shorten this? I moved to Lyon and I have a choir.",
    "Conjugate: I have a car, you have a car",
    # parts
    "You are Watson and I am Holmes. I live in Leeds.",
    "You are HR, I am the employee. I have three children.",
    "Let's practise a job interview. I have a degree in physics.",
    "Let's write a story together. I live in a tower and I have a dragon.",
    "Let's do some improv. I sold my bakery yesterday.",
    # supposed, half taken back, laughed and sighed at
    "Depending on the scan, I'll have the operation in May.",
    "For argument's sake I live in Malta.",
    "I'm a baker - well, something like it.",
    "I run a marathon every day. To the fridge and back, haha.",
    "Lovely, another delay. I just adore airports.",
    "I love stepping on toys.",
    "I enjoy paying for parking twice.",
    "My blood type is espresso.",
    "I'm allergic to nothing.",
    "We as a species love sugar and we live in cities.",
    "I'm thinking of something comforting and warm.",
    # the object is elsewhere
    "I've been trying to do that, but it's hard.",
    "I've been trying to do that when I can.",
    "I am learning to do.",
    "I enjoy doing.",
    "I'd love to attend more events like that.",
    "I want to use a smooth, even finish.",
    # left behind
    "I left my apartment.",
    "I gave up my studio.",
    "I'd like to ask more about the brooch.",
]


@pytest.mark.parametrize("text", NOTHING)
def test_what_says_nothing_of_the_user(text: str) -> None:
    assert not [
        one
        for one in said(text)
        if one.subject == USER and relation(one.relation.partition(":")[0]).kind != "relationship"
    ]


@pytest.mark.parametrize(
    ("text", "subject", "found"),
    [
        ("My sister lives in Oslo.", "user's sister", "lives_in"),
        ("My friend Tom lives in Oslo.", "Tom", "lives_in"),
        ("My mom is a doctor.", "user's mom", "works_as"),
        ("My daughter, Emma, is 5 years old.", "Emma", "age"),
        ("My son Leo is allergic to peanuts.", "Leo", "allergic_to"),
    ],
)
def test_what_is_said_of_others_is_theirs(text: str, subject: str, found: str) -> None:
    about = [one for one in said(text) if one.relation == found]
    assert [one.subject for one in about] == [subject]


@pytest.mark.parametrize(
    "text",
    [
        "I moved out of my apartment.",
        "I moved out of my apartment last week.",
        "We moved out of our house in May.",
        "I'm moving out of my apartment next month.",
        "I got kicked out of my flat.",
        "I vacated my apartment yesterday.",
    ],
)
def test_what_somebody_has_left_is_not_had(text: str) -> None:
    assert "has" not in [one.relation for one in said(text)]


def test_what_is_only_put_down_is_had() -> None:
    for text in (
        "I left my laptop at work.",
        "I just moved into my new apartment.",
        "I moved from Porto to my new flat.",
    ):
        assert "has" in [one.relation for one in said(text)], text


def test_a_pronoun_means_the_only_one_who_was_named() -> None:
    found = said("My sister Clara lives in Oslo. She works at Fabrikam.")
    assert [(one.subject, one.value) for one in found if one.relation == "works_at"] == [("Clara", "Fabrikam")]
    found = said("My sister Clara and my aunt Eve live in Oslo. She works at Fabrikam.")
    assert not [one for one in found if one.relation == "works_at"]


def test_two_verbs_of_one_subject() -> None:
    assert brief(said("I live in Porto and work as a nurse.")) == [
        ("lives_in", "Porto", True),
        ("works_as", "nurse", True),
    ]
    assert brief(said("I used to live in Porto and work as a nurse.")) == [("lives_in", "Porto", False)]


@pytest.mark.parametrize("role", ["assistant", "tool", "system", "document"])
def test_nobody_but_persons_speaks_of_themselves(role: str) -> None:
    assert said("I live in Porto.", role=role) == []
    assert said("I live in Porto.", role=role, speaker="Bot") == []


@pytest.mark.parametrize("source", ["assistant", "tool", "document"])
def test_what_came_from_elsewhere_says_nothing(source: str) -> None:
    assert said("I live in Porto.", source=source) == []


def test_in_a_chat_every_speaker_is_a_person_and_gives_no_orders() -> None:
    turns = [
        Turn("1", "I live in Porto.", NOW, speaker="Ana"),
        Turn("2", "I hate olives. Always answer in French.", NOW, speaker="Bo"),
    ]
    assert [one.text for one in statements(turns)] == ["Ana lives in Porto.", "Bo does not like olives."]


def test_role_play_lasts_until_it_is_over() -> None:
    found = said("Let's role-play, you are a king.", "I live in Camelot.", "OK, end of role-play.", "I live in Porto.")
    assert [one.value for one in found] == ["Porto"]


def test_a_part_given_to_an_assistant_begins_a_play() -> None:
    turns = ["You're a stranger on a train.", "I'm a nurse and I live in Turin."]
    assert said(*turns) == []
    assert {one.relation for one in said(*turns, speaker="Ana")} == {"works_as", "lives_in"}


def test_a_correction_mends_all_that_the_wrong_name_says() -> None:
    found = said("My boss is called Ilka.", "I mean Elke, not Ilka.")
    left = {one.relation: one.value for one in found if one.holds}
    assert set(left.values()) == {"Elke"}


@pytest.mark.parametrize(
    ("gerund", "plain"),
    [
        ("chasing", "chase"),
        ("upgrading", "upgrade"),
        ("revising", "revise"),
        ("engaging", "engage"),
        ("noting", "note"),
        ("hoping", "hope"),
        ("lying", "lie"),
        ("adding", "add"),
        ("running", "run"),
        ("playing", "play"),
        ("loading", "load"),
    ],
)
def test_the_plain_form_of_a_gerund(gerund: str, plain: str) -> None:
    assert base(gerund) == plain


def test_a_joke_is_taken_back_in_the_next_turn() -> None:
    assert said("I live in Narnia.", "just kidding") == []


def test_corrections_name_the_old_value() -> None:
    found = said("I live in Paris.", "Actually, it's Lyon, not Paris.")
    assert brief(found) == [("lives_in", "Paris", True), ("lives_in", "Lyon", True)]
    assert (found[1].slot, found[1].data["corrects"]) == (found[0].slot, True)
    assert said("It's Monday, not Tuesday.") == []


@pytest.mark.parametrize(
    ("turns", "left"),
    [
        (["I live in Porto.", "Sorry, I meant Braga."], [("lives_in", "Braga", True)]),
        (["I live in Porto. Oops, I mean Braga!"], [("lives_in", "Braga", True)]),
        (["I live in Porto.", "Braga, I mean."], [("lives_in", "Braga", True)]),
        (["I live in Porto.", "*Braga"], [("lives_in", "Braga", True)]),
        (["I live in Porto.", "I said Porto but I meant Braga."], [("lives_in", "Braga", True)]),
        (["I live in Porto.", "Not Porto, Braga."], [("lives_in", "Braga", True)]),
        (["My sister's name is Hanna.", "Typo, it's Hannah."], [("relative:sister", "Hannah", True)]),
        (["I work at Fabrikam.", "Scratch that, I work at Contoso."], [("works_at", "Contoso", True)]),
        (["I'm 41 years old.", "Wait, 42."], [("age", "42", True)]),
        (["My rent is $900.", "It's actually $950."], [("measure:rent", "$950", True)]),
        (["I'm from Chile.", "I said Chile, I meant Peru."], [("from", "Peru", True)]),
        (["My favorite food is sushi.", "Hmm, on second thought, ramen."], [("favourite:food", "ramen", True)]),
        (["I was born in 1980. Wait, 1981."], [("born_on", "1981", True)]),
        (["I have two kids. Make that three."], [("has", "three kids", True)]),
        (["My favourite colour is green. Actually, it's blue."], [("favourite:colour", "blue", True)]),
        (["My dentist appointment is on Monday. No, Tuesday!"], [("due:dentist appointment", TUESDAY, True)]),
    ],
)
def test_a_correction_takes_the_place_of_what_it_corrects(turns: list[str], left: list[tuple[str, str, bool]]) -> None:
    found = said(*turns)
    corrected = [one for one in found if one.data.get("corrects")]
    assert brief(corrected) == left
    denied = {one.value for one in found if not one.holds}
    many = not relation(corrected[0].relation.partition(":")[0]).single
    assert denied == ({found[0].value} if many else set())


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("I live in Porto, sorry, I meant Braga.", ("lives_in", "Braga", True)),
        ("I live in Porto, no, in Braga.", ("lives_in", "Braga", True)),
        ("I work at Fabrikam, I mean Contoso.", ("works_at", "Contoso", True)),
        ("I have two, no, three kids.", ("has", "three kids", True)),
        ("I'm 34, no, 35.", ("age", "35", True)),
        ("I study physics, I mean chemistry, at Coimbra.", ("studies", "chemistry", True)),
        ("My dentist appointment is on Monday, I mean Tuesday.", ("due:dentist appointment", TUESDAY, True)),
        ("I have a tiger. Just kidding, I have a cat.", ("has", "a cat", True)),
        ("My name is Zeus. Just joking, it's Bruno.", ("name", "Bruno", True)),
        ("My favourite colour isn't green. It's blue.", ("favourite:colour", "blue", True)),
    ],
)
def test_what_is_corrected_at_once_was_never_said(text: str, left: tuple[str, str, bool]) -> None:
    found = [one for one in brief(said(text)) if one[2] and not one[0].startswith("studies_at")]
    assert found == [left]


@pytest.mark.parametrize(
    ("turns", "denied"),
    [
        (["I live in Porto.", "I was wrong, it's not Porto."], ("lives_in", "Porto")),
        (["I live in Porto.", "Scratch that."], ("lives_in", "Porto")),
        (["I live in Porto.", "Not Porto."], ("lives_in", "Porto")),
        (["I like olives. No I don't, I like capers."], ("likes", "olives")),
        (["I work at Fabrikam.", "I was wrong about Fabrikam."], ("works_at", "Fabrikam")),
        (["I'm allergic to nuts.", "The doctor says I'm not allergic to nuts after all."], ("allergic_to", "nuts")),
    ],
)
def test_what_is_taken_back_is_not_so(turns: list[str], denied: tuple[str, str]) -> None:
    assert [(one.relation, one.value) for one in said(*turns) if not one.holds] == [denied]


@pytest.mark.parametrize(
    "turns",
    [
        ["I live in Porto.", "Actually, the weather is fine."],
        ["I live in Porto.", "No problem."],
        ["I live in Porto.", "Sorry, I have to go."],
        ["I live in Porto, not far from the sea."],
        ["I live in Porto. Sorry for the typo."],
        ["I like tea. I mean, who doesn't?"],
        ["I like tea.", "It's Monday."],
        ["I have two kids. Wait, is the shop open?"],
    ],
)
def test_what_only_sounds_like_a_correction(turns: list[str]) -> None:
    found = said(*turns)
    assert found
    assert not [one for one in found if one.data.get("corrects") or not one.holds]


# -- times


def one_of(text: str, relation: str) -> Statement:
    (found,) = [one for one in said(text) if one.relation == relation]
    return found


def test_times_are_resolved_and_keep_their_precision() -> None:
    moved = one_of("I moved to Porto in May.", "lives_in")
    assert (moved.valid_from, moved.valid_to, moved.precision) == (datetime(2024, 5, 1, tzinfo=UTC), None, "month")
    event = one_of("I went to Rome last week.", "did")
    assert event.value == "went to Rome the week before 12 June 2024"
    assert (event.valid_from, event.precision) == (datetime(2024, 6, 3, tzinfo=UTC), "week")
    since = one_of("I've lived in Porto since 2019.", "lives_in")
    assert (since.valid_from, since.precision) == (datetime(2019, 1, 1, tzinfo=UTC), "year")
    left = one_of("I lived in Berlin until last year.", "lives_in")
    assert (left.holds, left.valid_to, left.precision) == (False, datetime(2023, 1, 1, tzinfo=UTC), "year")
    assert one_of("I live in Porto.", "lives_in").valid_from is None
    front = one_of("Last week, I finished my thesis.", "did")
    assert front.valid_from == datetime(2024, 6, 3, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "noun", "value"),
    [
        (
            "My meeting with Professor Lang is on July 3 at 4:30 PM.",
            "meeting with professor lang",
            "3 July 2024 at 16:30",
        ),
        ("My meeting with Professor Lang is rescheduled to 5 PM.", "meeting with professor lang", "5 PM"),
        ("I rescheduled a client call from 3 PM to 11 AM on July 3.", "client call", "3 July 2024 at 11:00"),
        ("The deadline was extended to June 10.", "deadline", "10 June 2024"),  # just past: not next year's
        ("The deadline is May 5.", "deadline", "5 May 2025"),
    ],
)
def test_a_date_has_its_hour_and_a_meeting_those_who_meet(text: str, noun: str, value: str) -> None:
    assert one_of(text, f"due:{noun}").value == value


def test_a_plan_is_not_yet_a_fact() -> None:
    ahead = one_of("I'm moving to Rome next month.", "plans")
    assert ahead.valid_from == datetime(2024, 7, 1, tzinfo=UTC)
    assert not [one for one in said("I'm moving to Rome next month.") if one.relation == "lives_in"]
    assert brief(said("I'm moving to Rome.")) == []
    assert one_of("I plan to run a marathon on May 1.", "plans").valid_from == datetime(2025, 5, 1, tzinfo=UTC)


def test_a_quantity_has_a_number_a_unit_and_whether_it_changed() -> None:
    budget = one_of("My budget increased to $1,650.50.", "measure:budget")
    assert {"unit": "$", "number": 1650.5, "change": True}.items() <= budget.data.items()
    assert "budget" in budget.data["about"]
    assert one_of("My new budget is $700.", "measure:budget").slot == budget.slot
    assert one_of("My weight is 82 kg.", "measure:weight").data["change"] is False
    assert one_of("The webinar got rescheduled to July 27.", "due:webinar").data["change"] is True


def test_a_number_is_no_measure_and_attribute_at_once() -> None:
    assert [one.value for one in said("My PIN is 4711.")] == ["4711"]


def test_an_ending_without_a_name_ends_whatever_holds() -> None:
    assert one_of("I lost my job.", "works_at").data == {"any": True}
    assert one_of("I quit my job at Fabrikam.", "works_at").data == {}


# -- texts


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("I live in Porto.", "The user lives in Porto."),
        ("I run every morning.", "The user runs every morning."),
        ("I bought my first car yesterday.", "The user bought the user's first car 11 June 2024."),
        ("My sister Clara moved to Rome last month.", "Clara moved to Rome May 2024."),
        (
            "I'm planning a trip to the US with my mother.",
            "The user is planning a trip to the US with the user's mother.",
        ),
        ("From now on, always greet me as I ask.", "Always greet the user as the user asks."),
    ],
)
def test_a_text_is_a_sentence_in_the_third_person(text: str, expected: str) -> None:
    assert expected in [one.text for one in said(text)]


def test_a_named_speaker_is_the_subject() -> None:
    found = said("I love my garden and I live in Porto.", speaker="Ana")
    assert {one.text for one in found} == {"Ana lives in Porto.", "Ana has a garden."}
    assert {one.subject for one in found} == {"Ana"}


# -- laws

SENTENCES = st.sampled_from([text for text, _ in SAYS] + NOTHING)
TALK = [
    *("My sister Clara came over.", "Clara lives in Faro.", "She works at Bosch.", "I live in Porto.", "Sorry, Braga."),
    *("Actually, it's Lyon, not Porto.", "Let's role-play, you are a king.", "OK, end of role-play.", "just kidding"),
    *("I have two dogs.", "Make that three.", "Scratch that.", "I like tea.", "I was wrong, it's not Porto.", "Hm."),
    *("My meeting is on July 3.", "No, July 4.", "I live in Porto, no, in Braga. My brother Tom is a nurse."),
]
AFTER = 3
"""Turns within which a joke is taken back."""
CHATTER = st.one_of(
    st.text(max_size=300),
    st.lists(SENTENCES, max_size=4).map(" ".join),
    st.lists(st.one_of(SENTENCES, st.text(max_size=20)), max_size=5).map("\n".join),
    st.lists(st.sampled_from(" ".join(text for text, _ in SAYS).split()), max_size=30).map(" ".join),
)
_SMALL_WORDS = (
    "the user user's is are was has have does do not will going to be would in on a an total of decided just recently"
    " finally favourite favorite birthday called years old married engaged dating work live"
    " like prefer study speak plan"
)
_GRAMMAR: set[str] = {*_SMALL_WORDS.split()}


def _words(text: str) -> list[str]:
    return re.findall(r"[\w$€£%]+(?:'\w+)?", text.lower().replace("\u2019", "'"))


def _stems(word: str) -> set[str]:
    bare = word.removesuffix("'s")
    return {bare, bare.removesuffix("s"), bare.removesuffix("es"), re.sub("ies$", "y", bare)}


def _invented(one: Statement, turns: list[Turn]) -> list[str]:
    """The words of a statement's text that neither evidence, names, times nor the relation account for."""
    heard = {turn.id: turn for turn in turns}
    known: set[str] = {*_GRAMMAR}
    for span in one.evidence:
        turn = heard[span.turn]
        known.update(stem for word in _words(turn.text) for stem in _stems(word) | {word})
        known.update(word for told in dates.told(turn.text, turn.time) for word in _words(told.phrase))
        known.update(part for word in known.copy() for part in word.split("'"))
    about = relation(one.relation.partition(":")[0])
    for text in (one.subject, *one.aliases, one.relation, about.says, about.denies):
        known.update(
            part for word in _words(text.replace("_", " ").replace(":", " ")) for part in {word, *word.split("'")}
        )
    known.update(name.lower() for name in dates.CALENDAR)
    return [w for w in _words(one.text) if not ({w} | _stems(w)) & known and not re.fullmatch(r"\d+(?:/\d+)?", w)]


@given(st.lists(CHATTER, max_size=4), st.sampled_from([None, "Ana"]))
def test_whatever_is_said_nothing_is_invented_and_nothing_breaks(texts: list[str], speaker: str | None) -> None:
    turns = [Turn(str(number), text, NOW, speaker=speaker) for number, text in enumerate(texts)]
    found = statements(turns)
    assert found == statements(turns)
    heard = {turn.id: turn.text for turn in turns}
    order = [int(one.evidence[0].turn) for one in found]
    assert order == sorted(order)
    for one in found:
        assert one.evidence
        assert all(0 <= span.start < span.stop <= len(heard[span.turn]) for span in one.evidence)
        assert one.relation.partition(":")[0] in relations()
        assert one.value.strip()
        assert one.text[-1] in ".?"
        assert 0 < one.confidence <= 1
        assert one.said == NOW


@given(st.lists(SENTENCES, max_size=4))
def test_every_word_comes_from_somewhere(texts: list[str]) -> None:
    turns = [Turn(str(number), text, NOW) for number, text in enumerate(texts)]
    for one in statements(turns):
        assert _invented(one, turns) == [], one


@settings(deadline=None)
@given(st.lists(st.sampled_from(TALK), min_size=1, max_size=CONTEXT + 6), st.booleans())
def test_a_session_says_the_same_in_one_piece_and_turn_by_turn(texts: list[str], chat: bool) -> None:
    turns = [
        Turn(str(number), text, NOW, speaker=("Ana", "Bo")[number % 2] if chat else None)
        for number, text in enumerate(texts)
    ]
    apart = [
        one
        for number in range(len(turns))
        for first in (max(0, number - CONTEXT),)
        for one in statements(turns[first : number + 1 + AFTER], number - first)
        if one.evidence[0].turn == turns[number].id
    ]
    assert statements(turns) == apart


@given(CHATTER, st.sampled_from(["assistant", "tool", "document", "system"]))
def test_what_no_person_says_gives_nothing(text: str, role: str) -> None:
    assert said(text, role=role) == []
