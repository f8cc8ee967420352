"""Undo: of each verb, across later changes, of itself, and its bounds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from mnemic import ConflictError, Memory, NotFoundError
from mnemic.journal import broken_links
from mnemic.testing import FrozenClock

EVERY_STATE = ("superseded", "expired", "retired", "quarantined")


class Step:
    """A memory whose clock moves with every call, and what it holds."""

    def __init__(self, memory: Memory, clock: FrozenClock) -> None:
        self.memory, self.clock = memory, clock

    def __getattr__(self, verb: str) -> Any:
        def call(*given: Any, **named: Any) -> Any:
            self.clock.advance(1)
            return getattr(self.memory, verb)(*given, **{"user_id": "ana"} | named)

        return call

    def texts(self, **named: Any) -> list[str]:
        return [record.text for record in self.list(order="oldest", **named)]

    def held(self) -> dict[str, tuple[Any, ...]]:
        """All that can be read of every record, but revisions and recorded times."""
        return {
            record.id: (
                record.text,
                record.state,
                record.key,
                record.metadata,
                record.valid_from,
                record.valid_to,
                record.subject,
            )
            for record in self.list(include=EVERY_STATE, limit=1000)
        }


@pytest.fixture
def ana() -> Iterator[Step]:
    clock = FrozenClock()
    with Memory(":memory:", embedder="none", clock=clock, recipe="none") as memory:
        step = Step(memory, clock)
        step.add("I live in Lisbon", time="2023-01-01Z")
        step.remember("Ana lives in Lisbon", key="home", metadata={"sure": True}, time="2023-01-02Z")
        yield step
        with memory._store.read() as snapshot:
            assert list(broken_links(snapshot)) == []


def fact(ana: Step) -> str:
    return ana.get(key="home").id


VERBS: dict[str, Any] = {
    "add": lambda ana: ana.add("I like tea"),
    "add several": lambda ana: ana.add([{"content": "one", "id": "1"}, {"content": "two", "id": "2"}]),
    "add, an edit in the call": lambda ana: ana.add([{"content": "one", "id": "1"}, {"content": "two", "id": "1"}]),
    "remember": lambda ana: ana.remember("Ana likes tea", evidence=fact(ana)),
    "remember with a key that was taken": lambda ana: ana.remember("Ana lives in Porto", key="home"),
    "remember, superseding": lambda ana: ana.remember(
        "Ana lives in Faro", supersedes=[fact(ana)], valid_from="2023-06Z"
    ),
    "remember again, with more": lambda ana: ana.remember("Ana lives in Lisbon", valid_from="2020Z"),
    "update of the text": lambda ana: ana.update(fact(ana), text="Ana lived in Lisbon"),
    "update of all else": lambda ana: ana.update(fact(ana), key=None, metadata=None, valid_to="2030Z", subject="Ana"),
    "retire": lambda ana: ana.retire([fact(ana)], reason="wrong"),
    "retire an episode": lambda ana: ana.retire(ana.list(kinds="episode")[0].id),
}


@pytest.mark.parametrize("verb", VERBS)
def test_undo_takes_a_verb_back_and_is_taken_back_itself(ana: Step, verb: str) -> None:
    before, found = ana.held(), ana.search("Lisbon tea").hits
    receipt = VERBS[verb](ana)
    after = ana.held()
    assert before != after
    undone = ana.undo(receipt)
    left = {id_: content for id_, content in ana.held().items() if id_ in before}
    assert left == before
    new = [content[1] for id_, content in ana.held().items() if id_ not in before]
    assert set(new) <= {"retired"}
    assert [(hit.id, hit.text) for hit in ana.search("Lisbon tea")] == [(hit.id, hit.text) for hit in found]
    redone = ana.undo(undone.id)
    assert ana.held() == after
    ana.undo(redone)
    assert {id_: content for id_, content in ana.held().items() if id_ in before} == before
    assert all(change.receipt for change in ana.history(next(iter(before))))


@pytest.mark.parametrize("verb", VERBS)
def test_what_was_undone_can_be_done_again(ana: Step, verb: str) -> None:
    receipt = VERBS[verb](ana)
    texts = ana.texts()
    ana.undo(receipt)
    VERBS[verb](ana)
    assert ana.texts() == texts


def test_an_edit_undone_brings_the_text_before_it_back(ana: Step) -> None:
    ana.add({"content": "I like tea", "id": "m1"})
    edit = ana.add({"content": "I like coffee", "id": "m1"})
    assert ana.texts(kinds="episode") == ["I live in Lisbon", "I like coffee"]
    ana.undo(edit)
    assert ana.texts(kinds="episode") == ["I live in Lisbon", "I like tea"]
    third = ana.add({"content": "I like cocoa", "id": "m1"})
    assert ana.texts(kinds="episode") == ["I live in Lisbon", "I like cocoa"]
    ana.add({"content": "I like coffee", "id": "m1"})  # the edit that was undone, made again
    assert ana.texts(kinds="episode") == ["I live in Lisbon", "I like coffee"]
    with pytest.raises(ConflictError):
        ana.undo(third)


def test_an_undone_message_may_come_twice_in_a_call(ana: Step) -> None:
    message = {"content": "I like tea", "id": "m1"}
    ana.undo(ana.add(message))
    again = ana.add([message, message])
    assert [entry.action for entry in again.entries] == ["restored", "ignored"]
    assert ana.texts(kinds="episode") == ["I live in Lisbon", "I like tea"]


def test_later_changes_are_in_the_way_and_are_listed(ana: Step) -> None:
    id_ = fact(ana)
    first = ana.update(id_, text="Ana lives in Porto")
    second = ana.update(id_, text="Ana lives in Faro")
    third = ana.retire(id_)
    with pytest.raises(ConflictError, match="later changes touched the same records") as error:
        ana.undo(first)
    assert set(error.value.receipts) == {second.id, third.id}
    assert "cascade=True" in str(error.value)
    assert ana.get(id_).state == "retired"
    receipt = ana.undo(first, cascade=True)
    assert receipt.notes == (f"took back first: {third.id}, {second.id}",)
    assert ana.texts(kinds="fact") == ["Ana lives in Lisbon"]
    ana.undo(receipt)
    assert ana.texts(kinds="fact") == ["Ana lives in Porto"]


def test_changes_elsewhere_are_not_in_the_way(ana: Step) -> None:
    first = ana.update(fact(ana), text="Ana lives in Porto")
    ana.remember("Ana likes tea")
    ana.add("more")
    ana.undo(first)
    assert ana.texts(kinds="fact") == ["Ana lives in Lisbon", "Ana likes tea"]


def test_a_cascade_takes_back_what_stands_in_the_way_of_another_record(ana: Step) -> None:
    one = ana.remember("Ana likes tea", key="drink")
    two = ana.remember("Ana likes coffee", key="drink")  # supersedes tea
    three = ana.update(two.ids[0], metadata={"sure": False})
    with pytest.raises(ConflictError) as error:
        ana.undo(one)
    assert set(error.value.receipts) == {two.id}
    ana.undo(one, cascade=True)
    assert ana.texts(kinds="fact") == ["Ana lives in Lisbon"]
    assert [change.receipt for change in ana.history(two.ids[0])][:2] == [two.id, three.id]


def test_a_key_that_was_taken_meanwhile_is_in_the_way(ana: Step) -> None:
    old = fact(ana)
    retired = ana.retire(old)
    new = ana.remember("Ana lives in Porto", key="home")
    changed = ana.update(new.ids[0], metadata={"sure": True})
    with pytest.raises(ConflictError) as error:
        ana.undo(retired)
    assert set(error.value.receipts) == {new.id, changed.id}
    ana.undo(retired, cascade=True)
    assert ana.get(key="home").id == old
    assert ana.get(new.ids[0]).state == "retired"


def test_a_cascade_ends_where_things_were_done_and_undone(ana: Step) -> None:
    id_ = fact(ana)
    retired = ana.retire(id_)
    ana.undo(retired)
    ana.update(id_, metadata={"sure": False})
    ana.undo(ana.update(id_, text="Ana lives in Porto"))
    before = ana.held()
    try:
        ana.undo(retired, cascade=True)
    except ConflictError:  # it is already undone: nothing may have changed then
        assert ana.held() == before
    assert ana.get(id_).text == "Ana lives in Lisbon"


def test_what_is_undone_already_is_said_unless_that_was_undone_too(ana: Step) -> None:
    id_ = fact(ana)
    changed = ana.update(id_, text="Ana lives in Porto")
    undone = ana.undo(changed)
    with pytest.raises(ConflictError, match=f"'{changed.id}' is already undone, by '{undone.id}'"):
        ana.undo(changed)
    ana.undo(undone)
    later = ana.update(id_, metadata={"sure": False})
    with pytest.raises(ConflictError, match="later changes touched the same records") as error:
        ana.undo(changed)
    assert later.id in error.value.receipts
    ana.undo(changed, cascade=True)
    assert ana.get(id_).text == "Ana lives in Lisbon"


def test_an_erasure_cannot_be_undone_and_stands_in_the_way(ana: Step) -> None:
    id_ = fact(ana)
    changed = ana.update(id_, text="Ana lives in Porto")
    both = ana.retire([id_, ana.list(kinds="episode")[0].id])
    erased = ana.erase(id_)
    with pytest.raises(ConflictError, match="is an erasure, which is permanent"):
        ana.undo(erased)
    for cascade in (False, True):
        for receipt in (changed, both):
            with pytest.raises(ConflictError, match="permanent"):
                ana.undo(receipt, cascade=cascade)
    assert [record.state for record in ana.list(include=EVERY_STATE)] == ["retired"]


def test_what_was_added_again_after_an_erasure_can_be_undone(ana: Step) -> None:
    first = ana.add("I like tea", time="2023-03-01Z")
    ana.erase(first.ids)
    second = ana.add("I like tea", time="2023-03-01Z")
    assert "I like tea" in ana.texts()
    with pytest.raises(ConflictError, match="permanent"):
        ana.undo(first)
    ana.undo(second)
    assert "I like tea" not in ana.texts()


def test_an_import_can_be_undone_and_what_came_retired_stays_so(ana: Step) -> None:
    ana.retire(ana.add("I like tea").ids)
    lines = list(ana.memory.export(everything=True))
    with Memory(":memory:", embedder="none", clock=ana.clock, recipe="none") as other:
        other.add("own words", user_id="ana")
        receipt = other.import_(lines)
        assert len(other.list(user_id="ana")) == 3
        undone = other.undo(receipt, user_id="ana")
        assert [record.text for record in other.list(user_id="ana")] == ["own words"]
        other.undo(undone, user_id="ana")
        assert len(other.list(user_id="ana")) == 3
        states = [record.state for record in other.list(user_id="ana", include=EVERY_STATE)]
        assert sorted(states) == ["current", "current", "current", "retired"]


def test_a_receipt_that_changed_nothing_has_nothing_to_undo(ana: Step) -> None:
    ignored = ana.add("I live in Lisbon", time="2023-01-01Z")
    assert ignored.count("ignored") == 1
    for receipt in (ignored, "r000", ana.retire(ana.retire(fact(ana)).ids)):
        with pytest.raises(NotFoundError, match=r"there is no receipt .* in this scope that changed anything"):
            ana.undo(receipt)


def test_what_a_cascade_cannot_finish_it_does_not_begin(ana: Step) -> None:
    id_ = fact(ana)
    first = ana.update(id_, text="Ana lives in Porto")
    other = ana.remember("Ana likes tea").ids[0]
    ana.retire([id_, other])
    ana.erase(other)
    before = ana.held()
    with pytest.raises(ConflictError, match="permanent"):
        ana.undo(first, cascade=True)
    assert ana.held() == before


def test_links_come_and_go_with_the_undo(ana: Step) -> None:
    said = ana.list(kinds="episode")[0].id
    merged = ana.remember("Ana lives in Lisbon", evidence=said)
    assert merged.count("merged") == 1
    assert said in {piece.id for piece in ana.get(key="home").evidence}
    undone = ana.undo(merged)
    assert said not in {piece.id for piece in ana.get(key="home").evidence}
    ana.undo(undone)
    assert said in {piece.id for piece in ana.get(key="home").evidence}
    ana.erase(said)
    assert ana.texts() == []


def test_the_same_statement_under_two_keys_is_two_records():
    with Memory(":memory:", embedder="none") as memory:
        ana = memory.scoped(user_id="ana")
        eyes, car = (ana.remember("Blue", key=key).ids[0] for key in ("eyes", "car"))
        assert eyes != car
        assert ana.remember("Blue", key="car").entries[0].action == "ignored"
        assert ana.remember("Blue").ids == (eyes,)  # without a key it is known already
        ana.erase(ana.get(key="eyes").id)
        assert ana.get(key="car").id == car
