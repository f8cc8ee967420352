"""What the user asks to be forgotten is told no longer, until that is taken back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mnemic import Memory, Receipt
from mnemic.cabinet import Cabinet
from mnemic.forgotten import matter_of, tell
from mnemic.statements import USER
from mnemic.testing import FrozenClock, HashEmbedder

START = datetime(2026, 3, 1, tzinfo=UTC)
WHO = {"user_id": "ana"}


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Memory]:
    with opened(tmp_path) as one:
        yield one


def opened(folder: Path) -> Memory:
    clock = FrozenClock(START + timedelta(days=99))
    return Memory(folder / "agent.db", recipe="rules", clock=clock, embedder=HashEmbedder(8))


def say(memory: Memory, text: str, day: int, role: str = "user", **more: Any) -> Receipt:
    message = {"role": role, "content": text, "time": START + timedelta(days=day), "session_id": f"s{day}", **more}
    return memory.add(message, **WHO)


def shown(memory: Memory, *include: str, **more: Any) -> set[str]:
    return {record.text for record in memory.list(include=include, limit=1000, **WHO, **more)}


def told(memory: Memory, done: Receipt) -> set[tuple[str, str, str]]:
    return {(entry.action, memory.get(entry.id, **WHO).text, entry.reason) for entry in done.derived}


ASKED = "asked to be forgotten"
HOME = {"I live in Porto.", "The user lives in Porto."}
ELSE = {"I like olives.", "The user likes olives."}


def asked(memory: Memory) -> Receipt:
    say(memory, "I live in Porto.", 1)
    say(memory, "I like olives.", 2)
    return say(memory, "Please forget that I live in Porto.", 3)


def test_a_statement_is_told_no_longer_and_the_receipt_tells_all_of_it(memory: Memory) -> None:
    done = asked(memory)
    assert told(memory, done) == {
        ("added", "Forget that the user lives in Porto.", ""),
        ("retired", "The user lives in Porto.", ASKED),
        ("faded", "I live in Porto.", ASKED),
        ("faded", "Please forget that I live in Porto.", ASKED),
    }
    assert shown(memory) == ELSE
    question = "Where do I live?"
    answers = [memory.search(question, **WHO), memory.context(question, **WHO), memory.ask(question, **WHO)]
    assert "Porto" not in "".join(map(str, answers))


def test_nothing_is_deleted_and_explain_says_why(memory: Memory) -> None:
    done = asked(memory)
    assert shown(memory, "faded", "retired") >= HOME | ELSE
    request = next(entry.id for entry in done.derived if entry.action == "added")
    said = memory.list(include="faded", order="oldest", **WHO).records[0]
    assert (said.text, said.state) == ("I live in Porto.", "faded")
    why = memory.search("Porto", **WHO).explain(said.id).cut
    assert why == f"the user asked to forget it ('{request}'): include='faded' would show it"
    assert memory.search("Porto", **WHO).explain(request).cut == (
        "it says what the user asked to be forgotten: include='faded' would show it"
    )
    assert memory.get(request, **WHO).state == "faded"
    assert {piece.text for piece in memory.get(request, **WHO).evidence} == {
        "I live in Porto.",
        "Please forget that I live in Porto.",
    }


def test_said_again_it_holds_again(memory: Memory) -> None:
    asked(memory)
    say(memory, "I live in Porto.", 9)
    assert shown(memory) == HOME | ELSE
    assert memory.ask("Where do I live?", threshold=0.0, **WHO).known


def test_what_was_known_before_is_still_known_to_have_been(memory: Memory) -> None:
    say(memory, "I live in Porto.", 1)
    before = say(memory, "I like olives.", 2).at
    say(memory, "Please forget that I live in Porto.", 3)
    assert shown(memory, known_at=before) == HOME | {"I like olives."}  # what follows from it came a moment later


def test_erasing_the_request_brings_it_back(memory: Memory) -> None:
    done = asked(memory)
    erased = memory.erase(done.ids[0], **WHO)
    assert shown(memory, "faded") == shown(memory) == HOME | ELSE
    assert "restored" in {entry.action for entry in erased.derived}


def test_undoing_its_add_brings_it_back(memory: Memory) -> None:
    done = asked(memory)
    memory.undo(done.id, **WHO)  # of the add
    assert shown(memory) == HOME | ELSE


def test_the_request_itself_can_be_retired(memory: Memory) -> None:
    done = asked(memory)
    request = next(entry.id for entry in done.derived if entry.action == "added")
    back = memory.retire(request, **WHO)
    assert shown(memory) >= HOME | ELSE
    say(memory, "I keep bees.", 4)  # derives the turns before it anew
    assert memory.rebuild(**WHO).derived == ()
    assert shown(memory) >= HOME | ELSE
    memory.undo(back.id, **WHO)
    assert not shown(memory) & HOME


def test_undo_of_the_derivation(memory: Memory) -> None:
    done = asked(memory)
    fact = next(entry.id for entry in done.derived if entry.action == "retired")
    memory.undo(memory.history(fact, **WHO)[-1].receipt, **WHO)
    assert shown(memory) >= HOME | ELSE
    assert memory.rebuild(**WHO).derived == ()
    assert shown(memory) >= HOME | ELSE


def test_erasing_what_was_said_leaves_the_request(memory: Memory) -> None:
    asked(memory)
    said = next(record for record in memory.list(include="faded", **WHO) if record.text == "I live in Porto.")
    memory.erase(said.id, **WHO)
    assert shown(memory) == ELSE
    say(memory, "I live in Porto.", 0)  # said before the request, though it comes now
    assert shown(memory) == ELSE


def test_a_rebuild_changes_nothing(memory: Memory) -> None:
    asked(memory)
    before = shown(memory), shown(memory, "faded", "retired")
    assert memory.rebuild(**WHO).derived == ()
    assert (shown(memory), shown(memory, "faded", "retired")) == before


def test_an_export_carries_it(memory: Memory) -> None:
    asked(memory)
    with Memory(":memory:", recipe="rules", embedder=HashEmbedder(8)) as other:
        other.import_(memory.export(everything=True))
        assert shown(other) == ELSE
        assert shown(other, "faded") == shown(memory, "faded")


def test_a_passage_with_more_in_it_fades_and_what_else_it_says_is_still_told(memory: Memory) -> None:
    say(memory, "I live in Porto, and I like olives.", 1)
    say(memory, "Forget that I live in Porto.", 2)
    assert shown(memory) == {"The user likes olives."}
    (hit,) = memory.search("olives", **WHO)
    assert (hit.text, hit.evidence) == ("The user likes olives.", ())
    assert "Porto" not in str(memory.context("What do I like?", **WHO))


def test_what_an_assistant_said_of_it_fades_too(memory: Memory) -> None:
    say(memory, "I live in Porto.", 1)
    say(memory, "So you live in Porto, how nice!", 1, role="assistant")
    say(memory, "Ben: I live in Porto as well.", 1, name="Ben")
    say(memory, "Forget that I live in Porto.", 2)
    assert {text for text in shown(memory) if "Porto" in text} == {"Ben: I live in Porto as well."}


@pytest.mark.parametrize(
    ("said", "request_", "left"),
    [
        ("My salary is 50000 euros.", "Don't remember my salary.", set[str]()),
        ("My phone number is 555 1234.", "Please delete my phone number from your memory.", set[str]()),
        ("My ex is a pilot.", "Please forget what I told you about my ex.", set[str]()),
        ("My sister Clara works at Bosch.", "Forget everything I told you about Clara.", set[str]()),
        ("My sister Clara works at Bosch.", "Forget about my sister.", set[str]()),
        ("I work at Bosch as a nurse.", "Forget what I said about my job.", set[str]()),
        ("My birthday is 5 May.", "Can you forget my birthday?", set[str]()),
        ("I'm allergic to walnuts.", "I want you to forget that I'm allergic to walnuts.", set[str]()),
        ("I'm 34 years old.", "Can you forget how old I am?", set[str]()),
        ("We moved to Faro in May.", "Forget that I live in Faro.", set[str]()),
        ("I broke my leg in May.", "Forget that I broke my leg.", set[str]()),
        ("I work at Bosch as a nurse.", "Forget where I work.", {"The user works as a nurse."}),
        ("i live in porto", "forget that i live in porto", set[str]()),
        ("Please address the envelope.", "Forget my address.", {"Please address the envelope."}),
        ("The ex-president spoke.", "Forget about my ex.", {"The ex-president spoke."}),
    ],
)
def test_a_thing(memory: Memory, said: str, request_: str, left: set[str]) -> None:
    say(memory, said, 1)
    say(memory, request_, 2)
    assert shown(memory) == left


def test_of_two_the_old_one_is_forgotten(memory: Memory) -> None:
    say(memory, "My address is 5 Elm Street.", 1)
    say(memory, "My address is 9 Oak Lane.", 2)
    say(memory, "Forget my old address.", 3)
    assert shown(memory, "superseded") == {"My address is 9 Oak Lane.", "The user's address is 9 Oak Lane."}


def test_who_is_meant_is_known_by_name(memory: Memory) -> None:
    say(memory, "My sister Clara works at Bosch.", 1)
    say(memory, "Clara visited me in May.", 2)
    say(memory, "I saw Clara Schumann's piano.", 3, role="assistant")
    say(memory, "Forget what I told you about my sister.", 4)
    assert shown(memory) == {"I saw Clara Schumann's piano."}


def test_remember_is_told_in_the_receipt(memory: Memory) -> None:
    done = say(memory, "Please remember that I'm allergic to nuts.", 1)
    assert ("added", "The user is allergic to nuts.", "") in told(memory, done)


def test_another_user_is_not_touched(memory: Memory) -> None:
    memory.add({"role": "user", "content": "I live in Porto."}, user_id="ben")
    asked(memory)
    assert {record.text for record in memory.list(user_id="ben")} == HOME


LINE, REST = "- lives in Porto\n", "- likes tea\n"


def now(memory: Memory, text: str) -> Receipt:
    return memory.add({"role": "user", "content": text}, **WHO)


def test_a_file_that_says_it_fades_until_it_no_longer_does_and_the_receipt_names_it(memory: Memory) -> None:
    files = Cabinet(memory, **WHO)
    files.create("/memories/ana.md", LINE + REST)
    files.create("/memories/ben.md", "Ben lives in Porto.")
    long = "".join(f"{number} is a number of which there is no end.\n" for number in range(300))
    files.create("/memories/long.md", long + LINE + long)
    passages = {record.text for record in memory.list(kinds="file", limit=100, **WHO)}
    now(memory, "I live in Porto.")
    done = now(memory, "Please forget that I live in Porto.")
    still = "asked to be forgotten; the file {} itself still says so"
    assert {reason for _, text, reason in told(memory, done) if "- lives" in text} == {
        still.format("/memories/ana.md"),
        still.format("/memories/long.md"),
    }
    gone = {LINE + REST, *(text for text in passages if LINE in text)}
    assert shown(memory) == passages - gone
    assert LINE not in str(memory.search("Who lives in Porto?", **WHO))
    assert files.read("/memories/ana.md").text == LINE + REST
    assert memory.rebuild(**WHO).derived == ()
    assert shown(memory) == passages - gone

    files.move("/memories/ana.md", "/memories/user.md")
    files.edit("/memories/user.md", lambda text: text + "- has a dog\n")
    assert shown(memory) == passages - gone  # the line stood there before the request
    cut = files.edit("/memories/user.md", lambda text: text.replace(LINE, ""))
    assert [(entry.action, entry.reason) for entry in cut.derived] == [("restored", "no longer asked to be forgotten")]
    clean = (passages - gone) | {REST + "- has a dog\n"}
    assert shown(memory) == clean
    memory.undo(cut, **WHO)
    assert shown(memory) == passages - gone
    memory.undo(files.remove("/memories/user.md"), **WHO)
    assert shown(memory) == passages - gone
    files.create("/memories/new.md", LINE)  # told anew
    assert shown(memory) == (passages - gone) | {LINE}
    memory.erase(done.ids[0], **WHO)
    assert gone - {LINE + REST} <= shown(memory)
    assert LINE + REST + "- has a dog\n" in shown(memory)


def test_only_files_of_the_user_and_an_assistant_fade(memory: Memory) -> None:
    for source in ("user", "assistant", "tool", "document"):
        Cabinet(memory, name=source, source=source, **WHO).create("/memories/a.md", f"{source}: lives in Porto")
    now(memory, "I live in Porto.")
    now(memory, "Please forget that I live in Porto.")
    assert shown(memory) == {"tool: lives in Porto", "document: lives in Porto"}


@pytest.mark.parametrize(
    ("matter", "line", "is_told"),
    [
        ("the user lives in Porto", "- Lives in Porto", True),
        ("the user lives in Porto", "The user lives in Porto, near the river", True),
        ("the user lives in Porto", "She lives in Porto.", True),
        ("the user lives in Porto", "Ben lives in Porto.", False),
        ("the user lives in Porto", "# Porto", False),
        ("the user lives in Porto", "Where to live.\nPorto is nice.", False),
        ("the user's salary", "Salary: 4000 euros", True),
        ("the user's salary", "- **salary**: 4000 euros", True),
        ("the user's salary", "the user's yearly salary is 50,000", True),
        ("the user's salary", "How a salary is taxed", False),
        ("the user's ex", "User's ex is called Tom", True),
        ("the user's ex", "ex-president spoke", False),
        ("the user's old address", "Address: 9 Oak Lane", False),
        ("the user's old address", "her old address: 5 Elm Street", True),
        ("everything about Clara", "Clara works at Bosch", True),
        ("everything about Clara", "the clara valley", False),
        ("the user is vegetarian", "User is vegetarian", True),
        ("the user is vegetarian", "A vegetarian lasagne: …", False),
    ],
)
def test_what_a_line_of_a_file_tells(matter: str, line: str, is_told: bool) -> None:
    found = matter_of(matter, USER)
    assert found is not None
    assert bool(tell([found], line, USER)) is is_told


TRAPS = [
    "Don't forget that I live in Porto.",
    "Please don't forget that I live in Porto!",
    "Never forget that I live in Porto.",
    "I'll never forget that I live in Porto.",
    "I forget where I live.",
    "I always forget that I live in Porto.",
    "I sometimes forget that I live in Porto, it feels so new.",
    "I forgot that I live in Porto.",
    "I had forgotten that I live in Porto.",
    "I can't forget that I live in Porto.",
    "Forget it, let's talk about lunch.",
    "Forget it.",
    "Forget that.",
    "Forget about it!",
    "Forget I asked.",
    "Forget I said anything.",
    "Forget that I live in Porto for a moment and imagine Rome.",
    "Let's forget that I live in Porto for now.",
    "Did you forget that I live in Porto?",
    "Have you forgotten that I live in Porto?",
    "Will you forget that I live in Porto?",
    "How could you forget that I live in Porto?",
    "You forget that I live in Porto.",
    "You always forget that I live in Porto.",
    'My boss said "forget that I live in Porto".',
    "My mother told me to forget that I live in Porto.",
    "She said: forget that I live in Porto.",
    "People forget that I live in Porto.",
    "What happens if I say forget that I live in Porto?",
    "If I move, forget that I live in Porto.",
    "Should I ask you to forget that I live in Porto?",
    "How do I make you forget that I live in Porto?",
    "Translate into French: forget that I live in Porto.",
    "I don't want you to forget that I live in Porto.",
    "It's hard to forget that I live in Porto.",
    "Forget the milk, I live in Porto and have oranges.",
    "Delete the last line of the code, please.",
    "Forget about the weather in Porto.",
    "Remind me not to forget that I live in Porto.",
    "Write a poem that begins with: Forget that I live in Porto.",
    "Forget where I live, what is the weather like in Rome?",
    "When I travel I forget where I live.",
    "Imagine I said: forget that I live in Porto.",
    "> Forget that I live in Porto.",
]


@pytest.mark.parametrize("trap", TRAPS)
def test_what_is_no_request_makes_nothing_forgotten(memory: Memory, trap: str) -> None:
    say(memory, "I live in Porto.", 1)
    done = say(memory, trap, 2)
    assert shown(memory) >= HOME
    assert "faded" not in {entry.action for entry in done.derived}


@pytest.mark.parametrize(
    ("role", "more"),
    [
        ("assistant", {}),
        ("tool", {}),
        ("document", {}),
        ("user", {"source": "document"}),
        ("user", {"source": "tool"}),
        ("user", {"source": "import"}),
        ("user", {"source": "unknown"}),
    ],
)
def test_law_7_only_the_user_makes_anything_forgotten(memory: Memory, role: str, more: dict[str, str]) -> None:
    say(memory, "I live in Porto.", 1)
    say(memory, "Forget that I live in Porto.", 2, role=role, **more)
    assert shown(memory) >= HOME
    assert memory.stats(**WHO).states["faded"] == 0
