"""Asking by name: what `search(precise=True)` must give, and what it must not.

Each case is a small memory, a question, and the records that are the answer, in order. The answers were written down
from the description of the feature, not from its code. The last test counts all cases together.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from mnemic import ANY, InputError, Memory, Receipt
from mnemic.testing import FrozenClock

NOISE = (
    "The weather in the harbour was grey, and breakfast was late.",
    "Can you remind me to water the plants and to pay the rent?",
    "I talked to Lisbon, Ana, Marta, Atlas and the chess club about the red van.",
)
"""Messages that lie in every memory: they have no subject, so nobody gets them by name."""


class Shelf:
    """A memory whose records have labels. Every write is a minute after the one before."""

    def __init__(self, path: str | Path = ":memory:") -> None:
        self.clock = FrozenClock(datetime(2026, 6, 1, 9, 0, tzinfo=UTC))
        self.memory = Memory(path, embedder="none", clock=self.clock)
        self.ids: dict[str, str] = {}

    def noise(self) -> Shelf:
        """What stands beside the records of every case: messages, a pinned fact, a fact that nothing names."""
        for user in ("u", "v"):
            for text in NOISE:
                self.clock.advance(seconds=60)
                self.memory.add({"role": "user", "name": "Ana", "content": text}, user_id=user)
        self.keep("pinned noise", "zeppelin", text="Lisbon is far from the red van of Ana.", pinned=True)
        self.keep("nameless noise", text="Marta, Ana and Atlas are in Lisbon.")
        return self

    def keep(self, label: str, subject: str | None = None, *aliases: str, **more: Any) -> Receipt:
        self.clock.advance(seconds=60)
        given: dict[str, Any] = {"kind": "fact", "text": f"Note of {label}.", "user_id": "u", **more}
        if given.get("shared"):
            del given["user_id"]
        if "supersedes" in given:
            old = given["supersedes"]
            given["supersedes"] = [self.ids[name] for name in ([old] if isinstance(old, str) else old)]
        text = given.pop("text")
        receipt = self.memory.remember(text, subject=subject, aliases=list(aliases), **given)
        assert label not in self.ids
        self.ids[label] = receipt.entries[0].id
        return receipt

    def entity(self, label: str, subject: str, *aliases: str, **more: Any) -> Receipt:
        return self.keep(label, subject, *aliases, kind="entity", **more)

    def relation(self, label: str, subject: str, *aliases: str, of: tuple[str, ...], **more: Any) -> Receipt:
        return self.keep(label, subject, *aliases, kind="relationship", data={"participants": list(of)}, **more)

    def update(self, label: str, **fields: Any) -> Receipt:
        self.clock.advance(seconds=60)
        return self.memory.update(self.ids[label], user_id="u", **fields)

    def retire(self, label: str) -> Receipt:
        self.clock.advance(seconds=60)
        return self.memory.retire(self.ids[label], user_id="u")

    def erase(self, label: str) -> Receipt:
        self.clock.advance(seconds=60)
        return self.memory.erase(self.ids[label], user_id="u")

    def undo(self, receipt: Receipt) -> Receipt:
        self.clock.advance(seconds=60)
        return self.memory.undo(receipt, user_id="u")

    def ask(self, question: str, **more: Any) -> tuple[str, ...]:
        """The labels of what a question gives, in order."""
        options: dict[str, Any] = {"limit": 10, "user_id": "u", **more}
        labels = {id: label for label, id in self.ids.items()}
        hits = self.memory.search(question, precise=True, **options)
        return tuple(labels.get(hit.id, f"? {hit.text}") for hit in hits)


World = Callable[[Shelf], object]


@dataclass(frozen=True)
class Case:
    group: str
    world: World
    question: str
    want: tuple[str, ...]
    options: dict[str, Any] = field(default_factory=dict[str, Any])
    xfail: str | None = None

    @property
    def name(self) -> str:
        options = "".join(f"-{key}" for key in self.options)
        words = re.sub(r"\W+", "_", self.question)[:48].strip("_") or "nothing"
        return f"{self.group}-{getattr(self.world, '__name__', '')}-{words}{options}"


CASES: list[Case] = []


def case(group: str, world: World, question: str, *want: str, xfail: str | None = None, **options: Any) -> None:
    CASES.append(Case(group, world, question, want, options, xfail))


def named(*subjects: str) -> World:
    """A memory with one fact for each subject, the last one the newest. Its label is the subject."""

    def build(shelf: Shelf) -> None:
        for subject in subjects:
            shelf.keep(subject, subject)

    build.__name__ = "_".join(re.sub(r"\W+", "", subject) for subject in subjects)
    return build


def found(group: str, subject: str, *questions: str) -> None:
    """Cases in which the only name is in the question."""
    for question in questions:
        case(group, named(subject), question, subject)


def missed(group: str, subject: str, *questions: str) -> None:
    """Cases in which the only name is not in the question."""
    for question in questions:
        case(group, named(subject), question)


# -- subjects, in plain questions


def three_cities(shelf: Shelf) -> None:
    for city in ("Lisbon", "Faro", "Barcelona"):
        shelf.keep(city, city, text=f"{city} has a bridge, a tram and a market.")


case("subjects", three_cities, "What do you know about Lisbon?", "Lisbon")
case("subjects", three_cities, "lisbon", "Lisbon")
case("subjects", three_cities, "WHEN DO WE FLY TO BARCELONA?", "Barcelona")
case("subjects", three_cities, "(Faro)", "Faro")
case("subjects", three_cities, "Faro, Lisbon or Barcelona?", "Barcelona", "Faro", "Lisbon")
case("subjects", three_cities, "Lisbon Lisbon Lisbon", "Lisbon")
case("subjects", three_cities, "From Barcelona to Madrid by train", "Barcelona")
case("subjects", three_cities, "Where is the bridge with the tram and the market?")
case("subjects", three_cities, "A note about a city")


def one_subject_many_notes(shelf: Shelf) -> None:
    for number in range(1, 31):
        shelf.keep(f"dentist {number}", "dentist")


def newest(word: str, first: int, last: int) -> tuple[str, ...]:
    return tuple(f"{word} {number}" for number in range(first, last - 1, -1))


# -- aliases


def van(shelf: Shelf) -> None:
    shelf.keep("van", "van", "Rui's car", "the beast", "T4", text="Red, parked in the harbour.")
    shelf.keep("bike", "bicycle", "old faithful", text="Also red, beside the van of Rui.")


def only_aliases(shelf: Shelf) -> None:
    shelf.keep("by alias", None, "Falcon", "night owl")


def same_alias_as_subject(shelf: Shelf) -> None:
    shelf.keep("cat", "Tiger")
    shelf.keep("ship", "M-17", "Tiger")
    shelf.keep("older cat", "tiger", text="A second note on the cat.")
    shelf.keep("balm", "ointment", "TIGER")


def alias_repeats_subject(shelf: Shelf) -> None:
    shelf.keep("ana", "Ana", "Ana", "Ana Silva", "ana silva")


case("aliases", van, "Where is Rui's car?", "van")
case("aliases", van, "Is the beast washed?", "van")
case("aliases", van, "Is a beast washed?", "van")
case("aliases", van, "Sell the t4", "van")
case("aliases", van, "Old Faithful needs oil", "bike")
case("aliases", van, "Old Faithful and the T4", "bike", "van")
case("aliases", van, "Did you see the van or the beast?", "van")
case("aliases", van, "What is red and parked?")
case("aliases", van, "Is he faithful?")
case("aliases", van, "My old car")
case("aliases", van, "The van and old faithful", "van", "bike")
case("aliases", only_aliases, "Call Falcon", "by alias")
case("aliases", only_aliases, "She is a night owl, really", "by alias")
case("aliases", only_aliases, "An owl at night")
case("aliases", same_alias_as_subject, "Feed Tiger", "older cat", "cat", "balm", "ship")
case("aliases", same_alias_as_subject, "Feed Tiger", "older cat", "cat", "balm", limit=3)
case("aliases", same_alias_as_subject, "Where is M-17?", "ship")
case("aliases", alias_repeats_subject, "Ana Silva called", "ana")
case("aliases", alias_repeats_subject, "Silva called")

# -- two projects that share a name


def two_projects(shelf: Shelf) -> None:
    shelf.keep("alpha atlas", "Atlas", project_id="alpha")
    shelf.keep("beta atlas", "Atlas", project_id="beta")
    shelf.keep("alpha only", "Hermes", "messenger", project_id="alpha")
    shelf.keep("beta alias", "Gaia", "messenger", project_id="beta")


def one_place_two_projects(shelf: Shelf) -> None:
    shelf.keep("atlas of maps", "Atlas", "map project")
    shelf.keep("atlas rocket", "Atlas", "rocket project")


def project_and_no_project(shelf: Shelf) -> None:
    shelf.keep("everywhere", "Atlas")
    shelf.keep("in alpha", "Atlas", project_id="alpha")


case("projects", two_projects, "How is Atlas going?", "alpha atlas", project_id="alpha")
case("projects", two_projects, "How is Atlas going?", "beta atlas", project_id="beta")
case("projects", two_projects, "How is Atlas going?", "beta atlas", "alpha atlas", project_id=ANY)
case("projects", two_projects, "How is Atlas going?", "beta atlas", "alpha atlas", project_id=["alpha", "beta"])
case("projects", two_projects, "How is Atlas going?")
case("projects", two_projects, "How is Atlas going?", project_id="gamma")
case("projects", two_projects, "Hermes?", project_id="beta")
case("projects", two_projects, "the messenger", "alpha only", project_id="alpha")
case("projects", two_projects, "the messenger", "beta alias", project_id="beta")
case("projects", one_place_two_projects, "How is Atlas going?", "atlas rocket", "atlas of maps")
case("projects", one_place_two_projects, "How is the rocket project going?", "atlas rocket")
case("projects", one_place_two_projects, "How is the project going?")
case("projects", project_and_no_project, "Atlas", "in alpha", "everywhere", project_id="alpha")
case("projects", project_and_no_project, "Atlas", "everywhere", project_id="beta")
case("projects", project_and_no_project, "Atlas", "everywhere")

# -- superseded, in chains


def chain(length: int) -> World:
    """A chain in which each record has a subject and an alias of its own."""
    words = ("Bombay", "Cricket", "Dolphin", "Eskimo", "Flamingo")
    nicknames = ("umbrella", "velvet", "whisper", "xylophone", "yoghurt")

    def build(shelf: Shelf) -> None:
        for step in range(length):
            before = {"supersedes": str(step)} if step else {}
            shelf.keep(str(step + 1), words[step], nicknames[step], **before)

    build.__name__ = f"chain_of_{length}"
    return build


for length in (2, 3, 4, 5):
    case("chains", chain(length), "Open the umbrella", str(length))
    case("chains", chain(length), "umbrella and velvet", str(length))
case("chains", chain(3), "velvet", "3")
case("chains", chain(4), "Did you hear the velvet?", "4")
case("chains", chain(4), "Did you hear the whisper?", "4")
case("chains", chain(4), "xylophone", "4")
case("chains", chain(4), "Is that an Eskimo?", "4")
case("chains", chain(4), "yoghurt")
case("chains", chain(2), "Open the umbrela", "2")
# Half a minute after the first was kept, the second was not yet true, and not known.
case("chains", chain(2), "umbrella", "1", as_of="2026-06-01T09:09:30Z")
case("chains", chain(2), "umbrella", "1", known_at="2026-06-01T09:09:30Z")
case("chains", chain(2), "velvet", known_at="2026-06-01T09:09:30Z")


def two_become_one(shelf: Shelf) -> None:
    shelf.keep("left", "left bank", "Rive Gauche")
    shelf.keep("right", "right bank", "Rive Droite")
    shelf.keep("whole", "Paris", supersedes=["left", "right"])


def heir_of_a_name(shelf: Shelf) -> None:
    shelf.keep("old flat", "old flat", "home")
    shelf.keep("new flat", "new flat", supersedes="old flat")
    shelf.keep("button", "home", text="A button on the phone.")
    shelf.keep("page", "start page", "home")


def by_key(shelf: Shelf) -> None:
    shelf.keep("lisbon", "Ana", "saudade", key="home")
    shelf.keep("porto", "Ana", key="home")


def retired_heir(shelf: Shelf) -> None:
    shelf.keep("first", "Gabriel", "archangel")
    shelf.keep("second", "Michael", supersedes="first")
    shelf.retire("second")


def erased_heir(shelf: Shelf) -> None:
    shelf.keep("first", "Gabriel", "archangel")
    shelf.keep("second", "Michael", supersedes="first")
    shelf.erase("second")


def supersession_undone(shelf: Shelf) -> None:
    shelf.keep("first", "Gabriel", "archangel")
    shelf.undo(shelf.keep("second", "Michael", "chief", supersedes="first"))


def last_link_undone(shelf: Shelf) -> None:
    shelf.keep("first", "Gabriel", "archangel")
    shelf.keep("second", "Michael", "chief", supersedes="first")
    shelf.undo(shelf.keep("third", "Raphael", "healer", supersedes="second"))


def back_and_forth(shelf: Shelf) -> None:
    shelf.keep("1", "Gabriel", "archangel")
    shelf.keep("2", "Michael", "archangel", supersedes="1")
    shelf.keep("3", "Gabriel", "archangel", supersedes="2", text="Gabriel once more.")


def other_kind(shelf: Shelf) -> None:
    shelf.keep("plan", "plan", "scheme")
    shelf.entity("bo", "Bo")
    shelf.relation("club", "go club", of=("Bo",), supersedes="plan")


def alias_changed_before(shelf: Shelf) -> None:
    shelf.keep("1", "Gabriel", "archangel")
    shelf.update("1", aliases=["hornblower"])
    shelf.keep("2", "Michael", supersedes="1")


def alias_changed_after(shelf: Shelf) -> None:
    shelf.keep("1", "Gabriel", "archangel")
    shelf.keep("2", "Michael", supersedes="1")
    shelf.update("1", aliases=["hornblower"])


def alias_of_heir_changed(shelf: Shelf) -> None:
    shelf.keep("1", "Gabriel", "archangel")
    shelf.keep("2", "Michael", "chief", supersedes="1")
    shelf.update("2", aliases=["boss"])


case("chains", back_and_forth, "archangel", "3")
case("chains", back_and_forth, "Gabriel", "3")
case("chains", other_kind, "What a scheme!", "club", "bo")
case("chains", alias_changed_before, "hornblower", "2")
case("chains", alias_changed_before, "archangel")
case("chains", alias_changed_after, "hornblower", "2")
case(
    "chains",
    alias_changed_after,
    "archangel",
    xfail="an alias taken away from a superseded record still leads to its successor",
)
case("chains", alias_of_heir_changed, "archangel", "2")
case("chains", alias_of_heir_changed, "boss", "2")
case("chains", alias_of_heir_changed, "chief")
case("chains", two_become_one, "Rive Gauche", "whole")
case("chains", two_become_one, "Rive Droite", "whole")
case("chains", two_become_one, "Paris: Rive Gauche, Rive Droite", "whole")
case("chains", heir_of_a_name, "home", "button", "page", "new flat")
case("chains", by_key, "Full of saudade", "porto")
case("chains", by_key, "Where does Ana live?", "porto")
case("chains", erased_heir, "Michael")
case("chains", retired_heir, "Michael")
case("chains", supersession_undone, "the archangel", "first")
case("chains", supersession_undone, "Gabriel", "first")
case("chains", supersession_undone, "Michael, the chief")
case("chains", last_link_undone, "the archangel", "second")
case("chains", last_link_undone, "the chief", "second")
case("chains", last_link_undone, "the healer")

# -- typing errors and prefixes

found("typos", "Lisbon", "Lisobn", "Lisbn", "Lissbon", "Liisbon", "Lisbom", "Lisbo", "Lisbonn", "LISBOM", "a lisbin?")
found("typos", "Barcelona", "barcelone", "Bacelona", "Barcelonas", "Barcelnoa")
found("typos", "Porto", "Porta", "Portto", "Potro", "Poto", "Portoo")
missed("typos", "Lisbon", "Lizbin", "Lisbonne", "Lisnob", "Lisb", "Lis", "Lion", "Lisboans")
missed("typos", "Lisbon", "Bisbon", "Losbon", "iLsbon", "Lsbon", "isbon", "ALisbon", "Laisbon")
missed("typos", "Barcelona", "Barcelo", "Barca", "Barceloneta", "Varcelona", "Bracelona")
missed("typos", "Faro", "Fara", "Farro", "Far", "Faor", "Faros")
missed("typos", "Ana", "Anna", "Anas", "An", "Ania", "Ane")
missed("typos", "Rome", "Roma is a gypsy word", "I roam", "Romeo")
missed("typos", "room 10101", "room 10102")
missed("typos", "TP1234", "When does TP1235 land?", "TP123")
missed("typos", "12345", "Who paid invoice 12346?")
found("typos", "12345", "Who paid invoice 12345?")
# A word that is ignored is no misspelling of a name.
missed("typos", "Aboud", "Tell me about it")
missed("typos", "Thera", "Is there any news?")
missed("typos", "Theia", "What is their plan?")
found("typos", "Thera", "Is there any news from Thera?")


def near_names(shelf: Shelf) -> None:
    shelf.keep("marta", "Marta")
    shelf.keep("maria", "Maria")
    shelf.keep("jonas", "Jonas", "captain")
    shelf.keep("alias", "second mate", "Jonah")


def near_inside_longer(shelf: Shelf) -> None:
    shelf.keep("marta", "Marta")
    shelf.keep("lopez", "Maria Lopez")


def near_of_other_user(shelf: Shelf) -> None:
    shelf.keep("marta", "Marta")
    shelf.keep("hers", "Maria", user_id="v")


def near_erased(shelf: Shelf) -> None:
    shelf.keep("marta", "Marta")
    shelf.keep("maria", "Maria")
    shelf.erase("maria")


def near_changed(shelf: Shelf) -> None:
    shelf.keep("marta", "Marta")
    shelf.keep("maria", "Maria")
    shelf.update("maria", subject="Beatriz")


def near_undone(shelf: Shelf) -> None:
    shelf.keep("marta", "Marta")
    shelf.undo(shelf.keep("maria", "Maria"))


def near_superseded(shelf: Shelf) -> None:
    shelf.keep("whale", "Whale", "Jonah")
    shelf.keep("heir", "Moby", supersedes="whale")
    shelf.keep("jonas", "Jonas")


case("typos", near_names, "Where is Maria?", "maria")
case("typos", near_names, "Where is Marta?", "marta")
case("typos", near_names, "Where is Martha?", "marta")
case("typos", near_names, "Where is Mariah?", "maria")
case("typos", near_names, "Where is Marla?", "maria", "marta")
case("typos", near_names, "Jonah and the whale", "alias")
case("typos", near_names, "Jonas and the whale", "jonas")
case("typos", near_names, "The captian of the ship", "jonas")
case("typos", near_inside_longer, "Where is Maria?")
case("typos", near_inside_longer, "Where is Maria Lopez?", "lopez")
case("typos", near_of_other_user, "Where is Maria?", "marta")
case("typos", near_erased, "Where is Maria?", "marta")
FORMER = "a word of a name that no record has any more is still not taken for a misspelling"
case("typos", near_changed, "Where is Maria?", "marta", xfail=FORMER)
case("typos", near_undone, "Where is Maria?", "marta", xfail=FORMER)
case("typos", near_superseded, "Jonah", "heir")
case("typos", near_superseded, "Jonas", "jonas")
case("typos", near_of_other_user, "Where is Maria?", "hers", user_id="v")

# -- names of several words
# Where a longer name stands in the question, it is asked for, and not the shorter one inside it.

found("several words", "Grand Hotel Budapest", "Did we book the Grand Hotel Budapest?", "grand hotel budapset")
found("several words", "Grand Hotel Budapest", "a grand hotle in the Budapest", "Grnad Hotel Budapest")
missed("several words", "Grand Hotel Budapest", "A hotel in Budapest", "Grand Hotel", "Grand Hotel, in my Bucharest")
missed("several words", "Grand Hotel Budapest", "Grand Central Hotel, then on to Budapest", "rgand Hotel Budapest")
found("several words", "Bank of England", "the Bank of England", "the bank england", "Bank in England")
missed("several words", "Bank of England", "Is there a bank?", "England", "England's only river bank")
found("several words", "The Lord of the Rings", "Who wrote Lord of the Rings?", "lord of rings")
missed("several words", "The Lord of the Rings", "My lord!", "Who has the rings?")
found("several words", "Blue Harbour", "the blue harbour", "Blue  Harbour", "Blue\nHarbour", "Blue-Harbour")
missed(
    "several words",
    "Blue Harbour",
    "The harbour is blue",
    "Blue big harbour",
    "Blueharbour",
    "blue",
)


def york(shelf: Shelf) -> None:
    shelf.keep("york", "York")
    shelf.keep("new york", "New York", "big apple")
    shelf.keep("times", "New York Times")


case("several words", york, "Is the New York Times on strike?", "times")
case("several words", york, "A flight to New York", "new york")
case("several words", york, "From York to New York", "new york", "york")
case("several words", york, "From New York to York", "new york", "york")
case("several words", york, "A train to York", "york")
case("several words", york, "A new apple, and a big one")
case("several words", york, "Big apple", "new york")
case("several words", york, "New Yorkers are in a hurry")
found("several words", "Blue Harbour", "All the Blue Harbours", "Blue Harbuor")
found("several words", "Windows 95", "Is it Windows 95?", "Window 95", "Widnows 95")
missed("several words", "Windows 95", "Windows 98", "Windows", "Windows 950")
missed("several words", "Blue Harbour", "Bleu Harbour")


def long_name_of_other_user(shelf: Shelf) -> None:
    shelf.keep("york", "York")
    shelf.keep("hers", "New York", user_id="v")


def long_name_erased(shelf: Shelf) -> None:
    shelf.keep("york", "York")
    shelf.keep("new york", "New York")
    shelf.erase("new york")


def long_name_retired(shelf: Shelf) -> None:
    shelf.keep("york", "York")
    shelf.keep("new york", "New York")
    shelf.retire("new york")


def long_name_undone(shelf: Shelf) -> None:
    shelf.keep("york", "York")
    shelf.undo(shelf.keep("new york", "New York"))


def long_name_changed(shelf: Shelf) -> None:
    shelf.keep("york", "York")
    shelf.keep("new york", "New York")
    shelf.update("new york", subject="Gotham")


def two_lopez(shelf: Shelf) -> None:
    shelf.keep("maria", "Maria Lopez")
    shelf.keep("marta", "Marta Lopez")


case("several words", long_name_of_other_user, "A flight to New York", "york")
case("several words", long_name_of_other_user, "A flight to New York", "hers", user_id="v")
case("several words", long_name_erased, "A flight to New York", "york")
SWALLOWED = "a longer name that no record has any more still keeps the shorter one from being found"
case("several words", long_name_retired, "A flight to New York", "york", xfail=SWALLOWED)
case("several words", long_name_undone, "A flight to New York", "york", xfail=SWALLOWED)
case("several words", long_name_changed, "A flight to New York", "york", xfail=SWALLOWED)
case("several words", two_lopez, "Call Maria Lopez", "maria")
case("several words", two_lopez, "Call Maria Lopes", "maria")
case("several words", two_lopez, "Call Marla Lopez", "marta", "maria")
case("several words", two_lopez, "Call Lopez")

# -- names inside longer words

missed("inside words", "Ana", "a banana", "Analysis", "Ananas", "Montana and Diana", "bandana")
missed("inside words", "art", "A party", "the artist started", "smart cart")
missed("inside words", "Haus", "Das Hausboot im Hafen", "Krankenhaus")
missed("inside words", "Porto", "Portobello", "Portofino", "an airportology")
missed("inside words", "Rust", "trust", "The rusty gate", "frustrating")
missed("inside words", "Java", "JavaScript")
missed("inside words", "red", "hundred", "reduce", "He shared it")
found("inside words", "Java", "Java or JavaScript?")

# -- punctuation

found("punctuation", "O'Brien", "Ask O'Brien", "ask o'brien!", "Ask O’Brien", "O'Brien's house")
found("punctuation", "Jean-Luc", "Where is Jean-Luc?", "jean luc")
missed("punctuation", "Jean-Luc", "Where is Jean?", "Luc Besson", "Luc and Jean")
found("punctuation", "AT&T", "The AT&T bill", "at&t")
found("punctuation", "C++", "Do you write C++?")
missed("punctuation", "C++", "Do you write C?", "vitamin c")
found("punctuation", "C#", "Do you write C#?")
found("punctuation", ".NET", "Is .NET installed?")
found("punctuation", "node.js", "Which node.js version?", "Node.js?")
found("punctuation", "R2-D2", "R2-D2, where are you?", "“r2-d2”")
found("punctuation", "4471-Heron", "Is it 4471-Heron?", "4471-heron.")
found("punctuation", "main.py", "Open main.py, please")
missed("punctuation", "main.py", "The main reason", "Open test.py")
found("punctuation", "ana@example.org", "Write to ana@example.org.", "mailto:ana@example.org")
missed("punctuation", "ana@example.org", "Write to bo@example.org", "Ana", "Ana at example com")
found("punctuation", "user_table", "How large is user_table?")
found("punctuation", "Dr. Strange", "Is Dr. Strange in?", "dr strange")
missed("punctuation", "Dr. Strange", "What a strange day")
found("punctuation", "Yahoo!", "Is Yahoo! still there?", "yahoo")
found(
    "punctuation",
    "Lisbon",
    'NEAR(lisbon*) AND "',
    "**Lisbon**",
    "<b>Lisbon</b>",
    "\0lisbon\0",
    "%lisbon%",
    "x " * 2000 + "lisbon",
)
missed("punctuation", "Lisbon", "Lis-bon", "L i s b o n", "lisbonlisbon", "%isbo%", "Lisb*")
found(
    "punctuation", "Lisbon", "Lisbon?", "…Lisbon…", '"Lisbon"', "Lisbon/Faro", "#lisbon", "«Lisbon»", "Lisbon—then home"
)

# -- possessives and plurals

found("possessives", "Ana", "Ana's keys", "Ana’s keys", "the keys are Ana's", "ANA'S")
found("possessives", "James", "James' keys", "James's keys", "James’ keys")
found("possessives", "horse", "Two horses")
found("possessives", "Silva", "The Silvas are here", "the Silva’s")
missed("possessives", "dog", "Two dogs")
missed("possessives", "van", "All the vans")
missed("possessives", "box", "All the boxes")
missed("possessives", "story", "All the stories")
missed("possessives", "Anna", "Annas Schlüssel")
found("possessives", "Opéra", "Une place à l'Opéra", "Une place à l’Opéra")

# -- accents and other scripts

found("scripts", "Zoë", "Where is Zoë?", "ZOË", unicodedata.normalize("NFD", "Where is Zoë?"))
found("scripts", "José García", "¿Dónde vive José García?", "JOSÉ GARCÍA", unicodedata.normalize("NFD", "José García"))
found("scripts", "Björn", "Wo ist Björn?", "Where is Bjorn?")
found("scripts", "Straße des 17. Juni", "Wie lang ist die Straße des 17. Juni?", "STRASSE DES 17. JUNI")
found("scripts", "Łukasz", "Gdzie jest Łukasz?", "łukasz")
found("scripts", "Σίσυφος", "Πού είναι ο Σίσυφος;", "Ο ΣΊΣΥΦΟΣ")
found("scripts", "Марина", "Где Марина?", "Я видел Марину", "МАРИНА")
missed("scripts", "Марина", "Где Ирина?", "морские дела", "Марианны нет")
missed("scripts", "Анна", "Где Анны?", "Ананас")
found("scripts", "ليلى", "أين ليلى؟")
missed("scripts", "ليلى", "أين سلمى؟")
found("scripts", "שרה", "איפה שרה?")
found("scripts", "अनीता", "अनीता कहाँ है?")
missed("scripts", "अनीता", "सुनीता कहाँ है?", "अनी कहाँ है?")
found("scripts", "北京", "北京", "北京的天气怎么样？")
missed("scripts", "北京", "上海的天气怎么样？", "南京", "北方")
found("scripts", "東京", "東京はどうですか", "東京 と 大阪")
found("scripts", "서울", "서울 날씨 어때?")
missed("scripts", "서울", "부산 날씨 어때?")
missed("scripts", "アンナ", "アンはどこ", "ハンナはどこ")
found("scripts", "アンナ", "アンナはどこ")
case("scripts", named("アン"), "アンナはどこ", xfail="a name in katakana is found inside a longer word in katakana")
found("scripts", "กรุงเทพ", "กรุงเทพ", "อากาศในกรุงเทพเป็นอย่างไร")
found("scripts", "İstanbul", "İstanbul nerede?")
found("scripts", "Արամ", "Որտե՞ղ է Արամ")


def twins_in_two_scripts(shelf: Shelf) -> None:
    shelf.keep("anna", "Anna", "Анна")
    shelf.keep("beijing", "Beijing", "北京", "Peking")


case("scripts", twins_in_two_scripts, "Где Анна?", "anna")
case("scripts", twins_in_two_scripts, "我住在北京", "beijing")
case("scripts", twins_in_two_scripts, "Anna in Peking", "anna", "beijing")

# -- relations and participants


def chess_club(shelf: Shelf) -> None:
    shelf.entity("ana", "Ana", "blondie")
    shelf.entity("bo", "Bo")
    shelf.entity("cy", "Cy")
    shelf.keep("ana's shoe", "Ana", "shoe size")
    shelf.relation("club", "chess club", "the pawns", of=("Ana", "Bo"))
    shelf.relation("pair", "tandem", of=("Bo", "Cy"))
    shelf.relation("ghosts", "seance", of=("Dee", "Ana"))
    shelf.keep("not a relation", "recipe", data={"participants": ["Ana", "Bo"]})


def hidden_participants(shelf: Shelf) -> None:
    shelf.entity("ana", "Ana")
    shelf.entity("her bo", "Bo", user_id="v")
    shelf.relation("club", "chess club", of=("Ana", "Bo"))


def retired_participant(shelf: Shelf) -> None:
    shelf.entity("ana", "Ana")
    shelf.entity("bo", "Bo")
    shelf.relation("club", "chess club", of=("Ana", "Bo"))
    shelf.retire("bo")


def retired_relation(shelf: Shelf) -> None:
    shelf.entity("ana", "Ana")
    shelf.relation("club", "chess club", of=("Ana",))
    shelf.retire("club")


def undone_relation(shelf: Shelf) -> None:
    shelf.entity("ana", "Ana")
    shelf.undo(shelf.relation("club", "chess club", of=("Ana",)))


def expired_relation(shelf: Shelf) -> None:
    shelf.entity("ana", "Ana")
    shelf.relation("club", "chess club", of=("Ana",), expires_at="2026-06-01T00:00Z")


def retired_relation_and_back(shelf: Shelf) -> None:
    shelf.entity("ana", "Ana")
    shelf.relation("club", "chess club", of=("Ana",))
    shelf.undo(shelf.retire("club"))


def erased_relation(shelf: Shelf) -> None:
    shelf.entity("ana", "Ana")
    shelf.relation("club", "chess club", of=("Ana",))
    shelf.erase("club")


def relation_of_other_user(shelf: Shelf) -> None:
    shelf.entity("ana", "Ana")
    shelf.relation("club", "chess club", of=("Ana",), user_id="v")


def closed_relation(shelf: Shelf) -> None:
    shelf.entity("ana", "Ana")
    shelf.relation("club", "chess club", "the pawns", of=("Ana",))
    shelf.keep("closed", "closed club", supersedes="club")


def odd_participants(shelf: Shelf) -> None:
    shelf.entity("ana", "Ana", "blondie")
    shelf.entity("silva", "Ana Silva")
    shelf.entity("marta", "Marta")
    for label, subject, of in (
        ("words", "word club", "Ana"),
        ("numbers", "number club", [1, None, ["Ana"]]),
        ("empty", "empty club", []),
        ("aliases", "club of aliases", ["blondie"]),
        ("near", "club of near names", ["Maria", "Anas", "Silva"]),
        ("full", "full name club", ["Ana Silva"]),
    ):
        shelf.keep(label, subject, kind="relationship", data={"participants": of})


def crowd(shelf: Shelf) -> None:
    for number in range(1, 41):
        shelf.entity(f"singer {number}", f"Singer {number}")
    shelf.relation("choir", "choir", of=tuple(f"Singer {number}" for number in range(1, 41)))


def replaced_participant(shelf: Shelf) -> None:
    shelf.entity("old bo", "Bo")
    shelf.entity("new bo", "Bo", supersedes="old bo", text="Bo has a beard now.")
    shelf.relation("club", "chess club", of=("Bo",))


def superseded_relation(shelf: Shelf) -> None:
    shelf.entity("ana", "Ana")
    shelf.entity("bo", "Bo")
    shelf.entity("cy", "Cy")
    shelf.relation("club", "chess club", "the pawns", of=("Ana", "Bo"))
    shelf.relation("new club", "go club", of=("Bo", "Cy"), supersedes="club")


def two_entities_one_name(shelf: Shelf) -> None:
    shelf.entity("first bo", "Bo")
    shelf.entity("second bo", "Bo")
    shelf.relation("club", "chess club", of=("Bo",))


case("relations", chess_club, "When does the chess club meet?", "club", "bo", "ana")
case("relations", chess_club, "Who are the pawns?", "club", "bo", "ana")
case("relations", chess_club, "chess club", "club", limit=1)
case("relations", chess_club, "chess club", "club", "bo", limit=2)
case("relations", chess_club, "Is Bo in the chess club?", "club", "bo", "ana")
case("relations", chess_club, "the tandem and the chess club", "pair", "club", "cy", "bo", "ana")
case("relations", chess_club, "seance", "ghosts", "ana")
case("relations", chess_club, "recipe", "not a relation")
case("relations", chess_club, "What does Bo like?", "bo")
case("relations", chess_club, "Ana", "ana's shoe", "ana")
case("relations", chess_club, "Who plays chess?")
case("relations", chess_club, "blondie at the chess club", "club", "ana", "bo")
case("relations", chess_club, "What is the shoe size of the pawns?", "club", "ana's shoe", "bo", "ana")
case("relations", hidden_participants, "chess club", "club", "ana")
case("relations", hidden_participants, "chess club", user_id="v")
case("relations", retired_participant, "chess club", "club", "ana")
FORMER_RELATION = "a relationship that is not shown still brings its participants"
case("relations", retired_relation, "chess club", xfail=FORMER_RELATION)
case("relations", undone_relation, "chess club", xfail=FORMER_RELATION)
case("relations", expired_relation, "chess club", xfail=FORMER_RELATION)
case("relations", retired_relation_and_back, "chess club", "club", "ana")
case("relations", erased_relation, "chess club")
case("relations", relation_of_other_user, "chess club")
case("relations", closed_relation, "the pawns", "closed")
case("relations", odd_participants, "word club", "words")
case("relations", odd_participants, "number club", "numbers")
case("relations", odd_participants, "empty club", "empty")
case("relations", odd_participants, "club of aliases", "aliases")
case("relations", odd_participants, "club of near names", "near")
case("relations", odd_participants, "full name club", "full", "silva")
case("relations", chess_club, "Ana", "ana", kinds="entity")
case("relations", chess_club, "chess club", "club", kinds="relationship")
case("relations", crowd, "the choir", "choir", *newest("singer", 40, 1), limit=100)
case("relations", crowd, "the choir", "choir", *newest("singer", 40, 38), limit=4)
case("relations", replaced_participant, "chess club", "club", "new bo")
case("relations", superseded_relation, "the pawns", "new club", "cy", "bo")
case("relations", two_entities_one_name, "chess club", "club", "second bo", "first bo")

# -- limits

case("limits", one_subject_many_notes, "dentist", *newest("dentist", 30, 30), limit=1)
case("limits", one_subject_many_notes, "dentist", *newest("dentist", 30, 26), limit=5)
case("limits", one_subject_many_notes, "When is the dentist?", *newest("dentist", 30, 21))
case("limits", one_subject_many_notes, "dentist", *newest("dentist", 30, 1), limit=30)
case("limits", one_subject_many_notes, "dentist", *newest("dentist", 30, 1), limit=1000)
case("limits", one_subject_many_notes, "dnetist", limit=1000)
case("limits", one_subject_many_notes, "denttist", *newest("dentist", 30, 29), limit=2)


def two_hundred(shelf: Shelf) -> None:
    for number in range(200):
        shelf.keep(f"ticket {number}", f"ticket {number}", "backlog")


case("limits", two_hundred, "Who has ticket 17?", "ticket 17", limit=200)
case("limits", two_hundred, "Tickets 7 and 107, and ticket 107", "ticket 107", "ticket 7", limit=200)
case("limits", two_hundred, "What is a ticket?", limit=200)
case("limits", two_hundred, "the backlog", *newest("ticket", 199, 0), limit=200)
case("limits", two_hundred, "the backlog", *newest("ticket", 199, 197), limit=3)
case("limits", two_hundred, "ticket 3 of the backlog", "ticket 3", *newest("ticket", 199, 198), limit=3)

# -- other users, tenants, what is shared


def many_scopes(shelf: Shelf) -> None:
    shelf.keep("mine", "kettle")
    shelf.keep("hers", "kettle", user_id="v")
    shelf.keep("everybody's", "kettle", shared=True)
    shelf.keep("acme", "kettle", tenant_id="acme")
    shelf.keep("acme's all", "kettle", tenant_id="acme", shared=True)
    shelf.keep("rocket's all", "kettle", project_id="rocket", shared=True)
    shelf.keep("her secret", "diary", "little black book", user_id="v")


def sessions(shelf: Shelf) -> None:
    shelf.keep("in s1", "kettle", session_id="s1", metadata={"room": "kitchen"})
    shelf.keep("in s2", "kettle", session_id="s2")
    shelf.keep("in none", "kettle")


case("scopes", many_scopes, "the kettle", "everybody's", "mine")
case("scopes", many_scopes, "the kettle", "everybody's", "hers", user_id="v")
case("scopes", many_scopes, "the kettle", "everybody's", user_id="w")
case("scopes", many_scopes, "the kettle", "everybody's", user_id=None)
case("scopes", many_scopes, "the kettle", "everybody's", "hers", "mine", user_id=["u", "v"])
case("scopes", many_scopes, "the kettle", "acme's all", "acme", tenant_id="acme")
case("scopes", many_scopes, "the kettle", "acme's all", tenant_id="acme", user_id="v")
case("scopes", many_scopes, "the kettle", tenant_id="evil corp")
case("scopes", many_scopes, "the kettle", "rocket's all", "everybody's", "mine", project_id="rocket")
case("scopes", many_scopes, "the kettle", "everybody's", "mine", project_id=ANY)
case("scopes", sessions, "the kettle", "in none", "in s2", "in s1")
case("scopes", sessions, "the kettle", "in none", "in s1", session_id="s1")
case("scopes", sessions, "the kettle", "in s1", where={"room": "kitchen"})
case("scopes", many_scopes, "her diary, the little black book")
case("scopes", many_scopes, "her diary, the little black book", tenant_id="acme")
case("scopes", many_scopes, "her diary, the little black book", "her secret", user_id="v")

# -- off the topic, empty, and words that say nothing


for question in (
    "",
    " ",
    "\n\t",
    "?!",
    "...",
    "the",
    "What is it?",
    "Who are you and what is this about?",
    "and or the of to in",
    "to be or not to be",
    "How tall is the Eiffel tower?",
    "Unknownia",
    "Write a poem on autumn, forty lines, no rhymes.",
    "😀",
    "42",
    "Note of",
    "zep",
    "fact",
    "u",
):
    case("off topic", three_cities, question)
case("off topic", one_place_two_projects, "What do you know about the map?")
case("off topic", chess_club, "participants")
case("off topic", chess_club, "entity relationship")
case("off topic", many_scopes, "rocket acme u v")
case("off topic", lambda shelf: None, "zeppelin", "pinned noise")
case("off topic", lambda shelf: None, "Lisbon Ana Marta Atlas chess club red van")
case("off topic", lambda shelf: None, "The weather in the harbour was grey, and breakfast was late.")

# -- retired, erased, undone


def retired(shelf: Shelf) -> None:
    shelf.keep("gone", "parrot", "Polly")
    shelf.keep("here", "parrot", "Jack")
    shelf.retire("gone")


def retired_and_back(shelf: Shelf) -> None:
    shelf.keep("gone", "parrot", "Polly")
    shelf.undo(shelf.retire("gone"))


def retired_back_and_retired(shelf: Shelf) -> None:
    shelf.keep("gone", "parrot", "Polly")
    shelf.undo(shelf.undo(shelf.retire("gone")))


def erased(shelf: Shelf) -> None:
    shelf.keep("gone", "parrot", "Polly")
    shelf.keep("here", "parrot", "Jack")
    shelf.erase("gone")


def erased_old_one(shelf: Shelf) -> None:
    shelf.keep("old", "parrot", "Polly")
    shelf.keep("new", "cockatoo", supersedes="old")
    shelf.erase("old")


def undone(shelf: Shelf) -> None:
    shelf.undo(shelf.keep("gone", "parrot", "Polly"))


def over(shelf: Shelf) -> None:
    shelf.keep("over", "concert", valid_from="2026-01-01T00:00Z", valid_to="2026-01-02T00:00Z")
    shelf.keep("expired", "concert", "gig", expires_at="2026-06-01T00:00Z")
    shelf.keep("still on", "concert", valid_from="2026-01-01T00:00Z")


def doubtful(shelf: Shelf) -> None:
    shelf.keep("said", "Ana", key="home")
    shelf.keep("read", "Ana", "Roman", key="home", source="tool")


case("gone", retired, "the parrot", "here")
case("gone", retired, "Polly")
case("gone", retired, "Polly and Jack", "here")
case("gone", retired_and_back, "the parrot", "gone")
case("gone", retired_and_back, "Polly", "gone")
case("gone", retired_and_back, "Polyl", "gone")
case("gone", retired_back_and_retired, "the parrot Polly")
case("gone", retired, "the parrot", "here", "gone", include="retired")
# When both were kept, and before one was retired or erased.
case("gone", retired, "the parrot", "here", "gone", known_at="2026-06-01T09:10:30Z")
case("gone", retired, "Polly", "gone", known_at="2026-06-01T09:10:30Z")
case("gone", erased, "Polly", known_at="2026-06-01T09:10:30Z")
case("gone", erased, "the parrot", "here")
case("gone", erased, "Polly")
case("gone", erased, "Polly", include=["retired", "superseded", "expired", "quarantined"])
case("gone", erased_old_one, "Polly the parrot")
case("gone", undone, "the parrot Polly")
case("gone", over, "the concert", "still on")
case("gone", over, "the gig")
case("gone", doubtful, "Where does Ana live?", "said")
case("gone", doubtful, "a Roman")

# -- updates


def new_alias(shelf: Shelf) -> None:
    shelf.keep("boat", "dinghy", "Swallow")
    shelf.update("boat", aliases=["Amazon"])


def more_aliases(shelf: Shelf) -> None:
    shelf.keep("boat", "dinghy", "Swallow")
    shelf.update("boat", aliases=["Swallow", "Amazon"])


def no_aliases(shelf: Shelf) -> None:
    shelf.keep("boat", "dinghy", "Swallow")
    shelf.update("boat", aliases=[])


def new_subject(shelf: Shelf) -> None:
    shelf.keep("boat", "dinghy", "Swallow")
    shelf.update("boat", subject="yacht")


def first_alias(shelf: Shelf) -> None:
    shelf.keep("boat", text="It lies in the harbour.")
    shelf.update("boat", aliases=["Swallow"])


def update_undone(shelf: Shelf) -> None:
    shelf.keep("boat", "dinghy", "Swallow")
    shelf.undo(shelf.update("boat", aliases=["Amazon"]))


def renamed_to_near(shelf: Shelf) -> None:
    """The new name is one edit from the old one, which is a misspelling from now on."""
    shelf.keep("man", "Jonas")
    shelf.update("man", subject="Jonah")


def swapped(shelf: Shelf) -> None:
    shelf.keep("dinghy", "dinghy")
    shelf.keep("yacht", "yacht")
    shelf.update("dinghy", subject="yacht")
    shelf.update("yacht", subject="dinghy")


def only_text(shelf: Shelf) -> None:
    shelf.keep("boat", "dinghy", "Swallow")
    shelf.update("boat", text="It sank beside the lighthouse.")


def updated_participants(shelf: Shelf) -> None:
    shelf.entity("ana", "Ana")
    shelf.entity("bo", "Bo")
    shelf.relation("club", "chess club", of=("Ana",))
    shelf.update("club", data={"participants": ["Bo"]})


case("updates", new_alias, "Amazon", "boat")
case("updates", new_alias, "Swallow")
case("updates", new_alias, "dinghy", "boat")
case("updates", new_alias, "Swallow", "boat", known_at="2026-06-01T09:09:30Z")
case("updates", new_alias, "Amazon", known_at="2026-06-01T09:09:30Z")
case("updates", renamed_to_near, "Where is Jonas?", "man", xfail=FORMER)
case("updates", renamed_to_near, "Where is Jonah?", "man")
case("updates", swapped, "the dinghy", "yacht")
case("updates", swapped, "the yacht", "dinghy")
case("updates", more_aliases, "Swallow", "boat")
case("updates", more_aliases, "Amazon", "boat")
case("updates", no_aliases, "Swallow")
case("updates", no_aliases, "the dinghy", "boat")
case("updates", new_subject, "the dinghy")
case("updates", new_subject, "the yacht", "boat")
case("updates", new_subject, "Swallow", "boat")
case("updates", first_alias, "Swallow", "boat")
case("updates", first_alias, "the harbour")
case("updates", update_undone, "Swallow", "boat")
case("updates", update_undone, "Amazon")
case("updates", only_text, "Swallow", "boat")
case("updates", only_text, "the lighthouse")
case("updates", updated_participants, "chess club", "club", "bo")


# -- the tests


@pytest.fixture(scope="module")
def shelf_of() -> Iterator[Callable[[World], Shelf]]:
    """The memory of a world, made once."""
    made: dict[World, Shelf] = {}

    def of(world: World) -> Shelf:
        if world not in made:
            made[world] = Shelf().noise()
            world(made[world])
        return made[world]

    yield of
    for shelf in made.values():
        shelf.memory.close()


def marked(number: int, case: Case) -> Any:
    marks = [] if case.xfail is None else [pytest.mark.xfail(strict=True, reason=case.xfail)]
    return pytest.param(case, id=f"{number:03d}-{case.name}", marks=marks)


@pytest.mark.parametrize("case", [marked(number, case) for number, case in enumerate(CASES, 1)])
def test_the_question_gives_what_it_names_and_nothing_else(case: Case, shelf_of: Callable[[World], Shelf]) -> None:
    assert shelf_of(case.world).ask(case.question, **case.options) == case.want


def edits(word: str, letters: str) -> set[str]:
    """All that is one insertion, deletion, substitution or swap of neighbours away."""
    splits = [(word[:at], word[at:]) for at in range(len(word) + 1)]
    made = {left + letter + right for left, right in splits for letter in letters}
    made |= {left + right[1:] for left, right in splits if right}
    made |= {left + letter + right[1:] for left, right in splits if right for letter in letters}
    made |= {left + right[1] + right[0] + right[2:] for left, right in splits if len(right) > 1}
    return made - {word}


@pytest.mark.parametrize("name", ["barquino", "vorna"])
def test_every_single_edit_after_the_second_letter_is_forgiven_and_no_other(name: str) -> None:
    shelf = Shelf()
    near = edits(name, "aqoxz")
    far = {twice for once in sorted(near)[::7] for twice in edits(once, "oz")} - near - {name}
    with shelf.memory:
        shelf.keep(name, name)
        wrong = {word for word in near if bool(shelf.ask(f"Is {word} here?")) != (word[:2] == name[:2])}
        assert not wrong
        assert not {word for word in sorted(far)[::3] if shelf.ask(f"Is {word} here?")}


def test_no_edit_of_a_word_of_four_letters_is_forgiven() -> None:
    shelf = Shelf()
    with shelf.memory:
        shelf.keep("vorn", "vorn")
        assert shelf.ask("Is vorn here?") == ("vorn",)
        assert not {word for word in edits("vorn", "aeioquxz") if shelf.ask(f"Is {word} here?")}


def test_drift_leaves_no_trace() -> None:
    """Ten turns on other things, each kept and each asked by name, and then a turn on nothing of it."""
    turns = (
        ("Kyoto", "We saw the temple in Kyoto."),
        ("sourdough", "The sourdough did not rise."),
        ("Biscuit", "Biscuit ate a shoe."),
        ("mortgage", "The mortgage has to be renewed in May."),
        ("Vogelstraat", "The roof of Vogelstraat leaks."),
        ("marathon", "The marathon is in October."),
        ("Ben", "Ben got a new job."),
        ("choir", "The choir sings on Thursday."),
        ("router", "The router blinks red."),
        ("Aunt Rosa", "Aunt Rosa turns ninety."),
    )
    shelf = Shelf().noise()
    with shelf.memory:
        shelf.keep("late", "dentist", "tooth doctor")
        for number, (name, text) in enumerate(turns):
            shelf.clock.advance(seconds=60)
            said = {"role": "user", "name": "Ana", "content": text, "id": f"turn-{number}"}
            shelf.memory.add(said, user_id="u", session_id="s")
            shelf.keep(name, name, text=text, session_id="s")
            shelf.memory.search(text, user_id="u", session_id="s")
            assert shelf.ask(text, session_id="s") == (name,)
            assert shelf.ask("What does the tooth doctor cost?", session_id="s") == ("late",)
            assert shelf.ask("How high is the Eiffel tower?", session_id="s") == ()
        assert shelf.ask("When is the dentist?", session_id="s") == ("late",)
        assert shelf.ask("And what about it?", session_id="s") == ()
        assert shelf.ask("Kyoto, and Aunt Rosa", session_id="s") == ("Aunt Rosa", "Kyoto")


def test_the_same_question_gives_the_same_answer_whatever_was_asked_before() -> None:
    shelf = Shelf().noise()
    with shelf.memory:
        three_cities(shelf)
        for _ in range(3):
            for question, want in (("Lisobn", ("Lisbon",)), ("the tram", ()), ("Faro", ("Faro",)), ("", ())):
                assert shelf.ask(question) == want


def test_ten_users_with_the_same_names_see_their_own() -> None:
    shelf = Shelf().noise()
    with shelf.memory:
        for number in range(10):
            shelf.keep(f"kettle {number}", "kettle", f"kettle number {number}", user_id=f"user {number}")
        for number in range(10):
            assert shelf.ask("the kettle", user_id=f"user {number}") == (f"kettle {number}",)
            assert shelf.ask(f"kettle number {(number + 1) % 10}", user_id=f"user {number}") == (f"kettle {number}",)
        bound = shelf.memory.scoped(user_id="user 3")
        assert [hit.id for hit in bound.search("kettle", precise=True)] == [shelf.ids["kettle 3"]]


def test_messages_never_match_whoever_said_them() -> None:
    with Memory(":memory:", embedder="none") as memory:
        memory.add([{"role": "user", "name": "Ana", "content": "Ana is here"}, "kettle"], user_id="u")
        memory.remember("Ana and the kettle.", user_id="u")
        for question in ("Ana", "kettle", "Ana is here", "user"):
            assert len(memory.search(question, precise=True, user_id="u")) == 0
        assert len(memory.search("kettle", user_id="u")) > 0


def test_a_pinned_record_comes_when_it_is_named_and_in_its_turn() -> None:
    shelf = Shelf()
    with shelf.memory:
        shelf.keep("pinned", "allergy", "walnuts", pinned=True)
        shelf.keep("newer", "allergy")
        assert shelf.ask("What do you know?") == ()
        assert shelf.ask("the allergy") == ("newer", "pinned")
        assert shelf.ask("the allergy", limit=1) == ("newer",)
        assert shelf.ask("walnuts") == ("pinned",)


def test_each_write_is_seen_at_once() -> None:
    shelf = Shelf().noise()
    with shelf.memory:
        assert shelf.ask("the parrot") == ()
        kept = shelf.keep("parrot", "parrot", "Polly")
        assert shelf.ask("the parrot Polly") == ("parrot",)
        renamed = shelf.update("parrot", subject="cockatoo", aliases=["Jack"])
        assert shelf.ask("the parrot Polly") == ()
        assert shelf.ask("Jack") == shelf.ask("cockatoo") == ("parrot",)
        shelf.undo(renamed)
        assert shelf.ask("the parrot Polly") == ("parrot",)
        assert shelf.ask("Jack") == shelf.ask("cockatoo") == ()
        retired = shelf.retire("parrot")
        assert shelf.ask("the parrot Polly") == ()
        shelf.undo(retired)
        assert shelf.ask("the parrot Polly") == ("parrot",)
        shelf.keep("heir", "gull", supersedes="parrot")
        assert shelf.ask("Polly") == ("heir",)
        shelf.memory.undo(kept, cascade=True, user_id="u")
        assert shelf.ask("Polly, the parrot") == ()


def test_names_are_there_when_the_file_is_opened_again_and_rebuilt(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "names.db").noise()
    chain(3)(shelf)
    chess_club(shelf)
    wanted = {question: shelf.ask(question) for question in ("umbrella", "the pawns", "Eskimo", "Ana", "Lisbon", "")}
    assert wanted["umbrella"] == ("3",)
    assert wanted["the pawns"] == ("club", "bo", "ana")
    shelf.memory.close()
    again = Shelf(tmp_path / "names.db")
    again.ids = shelf.ids
    with again.memory:
        assert {question: again.ask(question) for question in wanted} == wanted
        again.memory.rebuild(everything=True)
        assert {question: again.ask(question) for question in wanted} == wanted


def test_what_another_opening_of_the_file_writes_is_seen(tmp_path: Path) -> None:
    one, other = Shelf(tmp_path / "names.db"), Shelf(tmp_path / "names.db")
    other.ids = one.ids
    with one.memory, other.memory:
        one.keep("parrot", "parrot", "Polly")
        assert other.ask("Polly") == ("parrot",)
        other.update("parrot", aliases=["Jack"])
        assert one.ask("Polly") == ()
        assert one.ask("Jack") == ("parrot",)
        one.retire("parrot")
        assert other.ask("the parrot Jack") == ()
        other.keep("gull", "gull", user_id="v")
        assert one.ask("gull") == ()
        assert one.ask("gull", user_id="v") == ("gull",)


def test_names_travel_with_an_export(tmp_path: Path) -> None:
    shelf = Shelf().noise()
    chain(3)(shelf)
    chess_club(shelf)
    with shelf.memory, Memory(":memory:", embedder="none", clock=shelf.clock) as copy:
        shelf.memory.export(tmp_path / "all.jsonl", everything=True)
        copy.import_(tmp_path / "all.jsonl")
        for question in ("umbrella", "the pawns", "Eskimo", "Ana", "Lisbon"):
            original = [hit.text for hit in shelf.memory.search(question, precise=True, user_id="u")]
            assert [hit.text for hit in copy.search(question, precise=True, user_id="u")] == original


def test_what_cannot_be_asked() -> None:
    with Memory(":memory:", embedder="none") as memory:
        with pytest.raises(InputError):
            memory.search("Ana", precise=True, threshold=0.5, user_id="u")
        for limit in (0, -1):
            with pytest.raises(InputError):
                memory.search("Ana", precise=True, limit=limit, user_id="u")
        assert len(memory.search("Ana", precise=True, user_id="u")) == 0


def test_precision_and_recall_over_all_cases(shelf_of: Callable[[World], Shelf]) -> None:
    """All cases together, those that are expected to fail left out. Few of them may be."""
    counted = [case for case in CASES if case.xfail is None]
    right = given = wanted = empty = 0
    for case in counted:
        answer = shelf_of(case.world).ask(case.question, **case.options)
        right += len(set(answer) & set(case.want))
        given += len(answer)
        wanted += len(case.want)
        empty += not case.want
    assert len(counted) >= 400
    assert len(CASES) - len(counted) <= 12
    assert empty >= 150
    assert (right / given, right / wanted) == (1.0, 1.0)
