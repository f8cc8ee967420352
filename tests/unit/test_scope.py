"""Who sees what, on a real memory: the whole truth table, held against the rule written out once more."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from mnemic import ANY, Memory, NotFoundError, ScopeError
from mnemic.errors import ParameterError
from mnemic.testing import FrozenClock

PARTS = ("tenant_id", "project_id", "user_id", "agent_id", "session_id")
CARRIED = [dict(zip(PARTS, values, strict=True)) for values in itertools.product(
    (None, "t1"), (None, "p1"), (None, "u1"), (None, "a1"), (None, "s1")
)]  # fmt: skip
"""Every way for a record to carry its scope."""
NAMED = [
    dict(zip(PARTS, values, strict=True))
    for values in itertools.product(
        (None, "t1", "t2"),
        (None, "p1", "p2", ("p1", "p2"), ANY),
        (None, "u1", "u2", ("u1", "u2")),
        (None, "a1", "a2"),
        (None, "s1", "s2"),
    )
]
"""Every way for a call to name a scope."""


def named(value: Any) -> tuple[str, ...]:
    return () if value is None else (value,) if isinstance(value, str) else tuple(value)


def sees(call: dict[str, Any], record: dict[str, Any]) -> bool:
    """What carries a wall is seen only by a call that names it; what does not, by every call inside the others."""
    if record["tenant_id"] != call["tenant_id"]:
        return False
    if record["user_id"] is not None and record["user_id"] not in named(call["user_id"]):
        return False
    if record["project_id"] is not None:
        if call["project_id"] is ANY:
            if record["user_id"] is None:
                return False
        elif record["project_id"] not in named(call["project_id"]):
            return False
    return all(
        call[stamp] is None or record[stamp] is None or record[stamp] == call[stamp]
        for stamp in ("agent_id", "session_id")
    )


def owns(call: dict[str, Any], record: dict[str, Any]) -> bool:
    """Exactly the parts named: without a user only what has none, without a project likewise; ANY is every project."""
    users, projects = named(call["user_id"]) or (None,), call["project_id"]
    return (
        record["tenant_id"] == call["tenant_id"]
        and record["user_id"] in users
        and (projects is ANY or record["project_id"] in (named(projects) or (None,)))
        and all(call[stamp] in (None, record[stamp]) for stamp in ("agent_id", "session_id"))
    )


def possible(call: dict[str, Any]) -> bool:
    return call["project_id"] is not ANY or call["user_id"] is not None


@dataclass
class Filled:
    """A memory with one fact for each way to carry a scope."""

    memory: Memory
    ids: list[str]
    receipts: list[str]

    def of(self, ids: Any) -> list[int]:
        return sorted(self.ids.index(id_) for id_ in ids)


@pytest.fixture
def filled() -> Iterator[Filled]:
    clock = FrozenClock()
    with Memory(":memory:", embedder="none", clock=clock, recipe="none") as memory:
        ids, receipts = [], []
        for number, scope in enumerate(CARRIED):
            clock.advance(1)
            receipt = memory.remember(f"fact number {number}", shared=scope["user_id"] is None, **scope)
            ids.append(receipt.ids[0])
            receipts.append(receipt.id)
        clock.advance(1)
        yield Filled(memory, ids, receipts)


def test_reads_of_many_agree_with_the_rule(filled: Filled) -> None:
    for call in filter(possible, NAMED):
        expected = [place for place, record in enumerate(CARRIED) if sees(call, record)]
        listed = filled.memory.list(limit=100, **call)
        assert filled.of(record.id for record in listed) == expected, call
        assert [vars_of(record.scope) for record in listed] == [CARRIED[filled.ids.index(r.id)] for r in listed]
        found = filled.memory.search("fact number", limit=100, **call)
        assert (filled.of(hit.id for hit in found), found.considered) == (expected, len(expected)), call
        assert filled.memory.stats(**call).states["current"] == len(expected), call


def vars_of(scope: Any) -> dict[str, Any]:
    return {part: getattr(scope, part) for part in PARTS}


def test_reads_of_one_agree_with_the_rule(filled: Filled) -> None:
    some = [call for call in filter(possible, NAMED) if (call["agent_id"], call["session_id"]) in
            ((None, None), ("a1", None), ("a2", "s1"), (None, "s2"))]  # fmt: skip
    for call in some:
        for place, record in enumerate(CARRIED):
            for verb in (filled.memory.get, filled.memory.history):
                seen = True
                try:
                    verb(filled.ids[place], **call)
                except NotFoundError as error:
                    seen = False
                    message = str(error)
                    assert message == f"there is no record '{filled.ids[place]}' in this scope"
                assert seen == sees(call, record), (verb.__name__, call, record)


def test_writes_by_id_agree_with_the_rule(filled: Filled) -> None:
    memory = filled.memory
    some = [call for call in filter(possible, NAMED) if call["agent_id"] != "a1" and call["tenant_id"] != "t2"]
    for call in some[::7]:
        for place, record in enumerate(CARRIED):
            id_, done = filled.ids[place], 0
            for verb, arguments in (
                (memory.update, {"text": f"fact number {place}"}),
                (memory.erase, {"dry_run": True}),
                (memory.retire, {}),
                (memory.undo, {}),
            ):
                what = filled.receipts[place] if verb == memory.undo else id_
                try:
                    receipt = verb(what, **arguments, **call)
                except NotFoundError:
                    continue
                done += 1
                if receipt.verb in ("retire", "undo"):
                    memory.undo(receipt, **call)
            assert done == (4 if sees(call, record) else 0), (call, record)
    assert len(memory.list(limit=100, user_id="u1", project_id="p1", tenant_id="t1")) == 16


@pytest.mark.parametrize("call", [call for call in filter(possible, NAMED) if "2" not in str(call)], ids=str)
def test_an_erasure_of_all_takes_what_is_owned_and_nothing_else(filled: Filled, call: dict[str, Any]) -> None:
    memory, mine = filled.memory, [place for place, record in enumerate(CARRIED) if owns(call, record)]
    names = any(call[part] is not None for part in ("tenant_id", "project_id", "user_id"))
    if not names:
        for verb in (memory.erase, memory.export, memory.rebuild):
            with pytest.raises(ScopeError, match="names nobody: pass user_id"):
                verb(**({"all_of": True} if verb == memory.erase else {}), **call)
        return
    lines = [json.loads(line) for line in memory.export(**call)]
    exported = {line["record"]["id"] for line in lines if "record" in line and line["record"]["kind"] == "fact"}
    assert filled.of(exported) == mine
    plan = memory.erase(all_of=True, dry_run=True, **call)
    assert filled.of(memory_ids(memory)) == list(range(32))
    receipt = memory.erase(all_of=True, **call)
    assert filled.of(receipt.ids) == filled.of(plan.ids) == mine
    assert filled.of(memory_ids(memory)) == [place for place in range(32) if place not in mine]


def memory_ids(memory: Memory) -> list[str]:
    """All that a memory holds, in every scope."""
    lines = [json.loads(line) for line in memory.export(everything=True)]
    return list({line["record"]["id"]: None for line in lines if "record" in line and line["record"]["kind"] == "fact"})


def test_an_erasure_of_one_users_never_reaches_what_others_did_in_the_same_call(filled: Filled) -> None:
    memory = filled.memory
    mine = memory.add("one", user_id="ana").ids[0]
    theirs = memory.add("two", user_id="bob").ids[0]
    memory.retire([mine, theirs], user_id=["ana", "bob"])
    memory.erase(all_of=True, user_id="ana")
    assert memory.get(theirs, user_id="bob").text == "two"
    assert [change.action for change in memory.history(theirs, user_id="bob")] == ["added", "retired"]


@pytest.mark.parametrize("verb", ["erase", "export", "stats", "rebuild"])
def test_the_whole_file_is_never_named_with_a_scope(filled: Filled, verb: str) -> None:
    for memory, scope in ((filled.memory, {"user_id": "u1"}), (filled.memory.scoped(user_id="u1"), {})):
        with pytest.raises(
            ScopeError, match=rf"{verb}\(everything=True\) is about the whole file.* contradicts user_id"
        ):
            getattr(memory, verb)(everything=True, **scope)
    assert len(memory_ids(filled.memory)) == 32


# -- writes


@pytest.mark.parametrize(
    ("scope", "words"),
    [
        ({}, "this write names no user, so every user of this store could read it"),
        ({"session_id": "s1", "agent_id": "a1"}, "every user of this store could read it"),
        ({"tenant_id": "acme"}, "every user of 'acme' could read it"),
        ({"tenant_id": "acme", "project_id": "ops"}, "every user of the project 'ops' of 'acme' could read it"),
        ({"project_id": "ops"}, "every user of the project 'ops' of this store could read it"),
    ],
)
@pytest.mark.parametrize("verb", ["add", "remember"])
def test_a_write_without_a_user_is_refused_unless_shared(
    filled: Filled, verb: str, scope: dict[str, Any], words: str
) -> None:
    write = getattr(filled.memory, verb)
    with pytest.raises(ScopeError) as error:
        write("hello", **scope)
    assert words in str(error.value)
    assert "pass user_id=…, or shared=True" in str(error.value)
    receipt = write("hello", shared=True, **scope)
    assert filled.memory.get(receipt.ids[0], user_id="anybody", **scope).text == "hello"


def test_a_write_with_a_user_is_not_shared(filled: Filled) -> None:
    with pytest.raises(ScopeError, match="shared=True and user_id='ana' contradict each other"):
        filled.memory.add("hello", user_id="ana", shared=True)


@pytest.mark.parametrize(
    ("scope", "words"),
    [
        ({"user_id": ["ana", "bob"]}, "is not text: one user_id is a string, and this call takes only one"),
        ({"user_id": "ana", "project_id": ["a", "b"]}, "this call takes only one"),
        ({"user_id": "ana", "project_id": ANY}, "works for reading projects only"),
        ({"user_id": 5}, "user_id=5 is not text"),
        ({"user_id": ""}, "is not an id: 1 to 512 characters"),
        ({"user_id": "  "}, "is not an id: 1 to 512 characters"),
        ({"user_id": "x" * 513}, "is not an id: 1 to 512 characters"),
        ({"user_id": "a\0b"}, "holds a character that no id may have"),
        ({"user_id": "\ud800"}, "holds a character that no id may have"),
    ],
)
def test_what_is_no_scope_of_a_write_is_refused(filled: Filled, scope: dict[str, Any], words: str) -> None:
    with pytest.raises(ScopeError) as error:
        filled.memory.add("hello", **scope)
    assert words in str(error.value)


@pytest.mark.parametrize(
    ("scope", "words"),
    [
        ({"user_id": ANY}, "user_id=ANY is not possible: name the ids"),
        ({"project_id": ANY}, "project_id=ANY means every project of the users named: pass user_id"),
        ({"user_id": []}, "names nobody"),
        ({"user_id": ["ana", 5]}, "user_id=5 is not text"),
        ({"tenant_id": ["a"]}, "this call takes only one"),
        ({"session_id": ["a"]}, "this call takes only one"),
        ({"agent_id": ""}, "is not an id"),
    ],
)
def test_what_is_no_scope_of_a_read_is_refused(filled: Filled, scope: dict[str, Any], words: str) -> None:
    for verb in (filled.memory.list, lambda **scope: filled.memory.search("x", **scope)):
        with pytest.raises(ScopeError) as error:
            verb(**scope)
        assert words in str(error.value)


# -- scoped


def test_a_scoped_memory_has_the_same_verbs_in_its_scope(filled: Filled) -> None:
    ana = filled.memory.scoped(user_id="ana", project_id="home")
    id_ = ana.add("hello", session_id="s1").ids[0]
    assert ana.get(id_).scope == filled.memory.get(id_, user_id="ana", project_id="home").scope
    with pytest.raises(NotFoundError):
        filled.memory.get(id_, user_id="ana")
    assert [record.id for record in ana.list() if record.kind == "episode"] == [id_]
    assert repr(ana) == "Memory(':memory:', user_id='ana', project_id='home')"


def test_a_scoped_memory_may_be_narrowed_but_never_rebound(filled: Filled) -> None:
    several = filled.memory.scoped(user_id=["ana", "bob"])
    assert several.scoped(user_id="ana")._bound == {"user_id": "ana"}
    assert several.scoped(user_id=["bob"], project_id="p").add is not None
    with pytest.raises(ScopeError, match=r"bound to user_id=\('ana', 'bob'\); it cannot be used with user_id='eve'"):
        several.scoped(user_id="eve")
    with pytest.raises(ScopeError, match="bound to user_id"):
        several.list(user_id=["ana", "eve"])
    ana = several.scoped(user_id="ana")
    for call in (
        lambda: ana.add("x", user_id="bob"),
        lambda: ana.search("x", user_id="bob"),
        lambda: ana.scoped(user_id="bob"),
        lambda: ana.erase(all_of=True, user_id=["ana", "bob"]),
        lambda: filled.memory.scoped(tenant_id="t1").list(tenant_id="t2"),
        lambda: filled.memory.scoped(user_id="ana", project_id="p1").list(project_id=ANY),
    ):
        with pytest.raises(ScopeError, match="it cannot be used with"):
            call()
    assert filled.memory.scoped(user_id="ana", project_id=ANY).list(project_id="p1") is not None
    assert ana.list(user_id=None) is not None  # None names nothing


def test_a_scope_may_be_given_as_any_collection(filled: Filled) -> None:
    filled.memory.add("one", user_id="ana")
    filled.memory.add("two", user_id="bob")
    for users in (["ana", "bob"], ("ana", "bob"), {"ana", "bob"}, frozenset(["ana", "bob"]), iter(["ana", "bob"])):
        both = filled.memory.scoped(user_id=users)
        for _ in range(2):
            assert {record.text for record in both.list(kinds="episode")} == {"one", "two"}
        assert {record.text for record in both.list(kinds="episode", user_id="ana")} == {"one"}


def test_stamps_are_bound_to_writes_only(filled: Filled) -> None:
    bound = filled.memory.scoped(user_id="ana", session_id="s1", agent_id="a1")
    mine = bound.add("one").ids[0]
    other = filled.memory.add("two", user_id="ana", session_id="s2", agent_id="a2").ids[0]
    assert (bound.get(mine).scope.session_id, bound.get(mine).scope.agent_id) == ("s1", "a1")
    assert {record.id for record in bound.list(kinds="episode")} == {mine, other}
    assert {record.id for record in bound.list(kinds="episode", session_id="s2")} == {other}
    assert {record.id for record in bound.list(kinds="episode", agent_id="a1")} == {mine}
    with pytest.raises(ScopeError, match="bound to session_id='s1'"):
        bound.add("three", session_id="s2")


def test_a_part_of_the_scope_that_does_not_exist_is_named(filled: Filled) -> None:
    with pytest.raises(ParameterError, match=r"scoped\(\) has no parameter 'user'; did you mean 'user_id'\?"):
        filled.memory.scoped(user="ana")
    with pytest.raises(ParameterError, match=r"add\(\) has no parameter 'run_id'; did you mean 'session_id'\?"):
        filled.memory.add("x", run_id="1")


def test_closing_one_closes_all(filled: Filled) -> None:
    with filled.memory.scoped(user_id="ana") as ana:
        ana.add("x")
    with pytest.raises(OSError, match="this memory is closed"):
        filled.memory.list()
