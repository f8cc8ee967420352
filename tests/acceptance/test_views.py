"""Views are kept up by upkeep: a little at a time, in any process, within walls, and with their evidence."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mnemic import Memory, keeping
from mnemic.errors import NotFoundError
from mnemic.testing import FrozenClock

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
WHO = {"user_id": "ana"}
KINDS = ("profile", "state", "commitments", "questions", "summary")
SAID = (
    "I live in Utrecht, and I'm allergic to walnuts.",
    "My sister Clara works at Bosch. Clara lives in Ghent.",
    "I like green tea. I will visit Clara on 3 May.",
    "Please always answer in short sentences.",
)


def opened(path: Path | str = ":memory:", **more: Any) -> Memory:
    settings: dict[str, Any] = {"embedder": "none", "clock": FrozenClock(START + timedelta(days=99)), **more}
    return Memory(path, recipe="rules", **settings)


def tell(memory: Memory, texts: Sequence[str], *, who: str = "ana", name: str = "Ana", **more: Any) -> list[str]:
    ids: list[str] = []
    for number, text in enumerate(texts):
        at = START + timedelta(days=7 * number)
        ids += memory.add({"role": "user", "name": name, "content": text, "time": at}, user_id=who, **more).ids
    return ids


def views(memory: Memory, who: str = "ana") -> dict[str, str]:
    return {str(record.key): record.text for record in memory.list(kinds=KINDS, limit=1000, user_id=who)}


def test_the_profile_says_what_is_so_and_since_when() -> None:
    with opened() as memory:
        ids = tell(memory, [*SAID, "We moved to Antwerp."])
        memory.upkeep(**WHO)
        profile = memory.get(key="profile", **WHO)
        assert profile.text.splitlines() == [
            "About:",
            "- Ana lives in Antwerp. (said 2026-03-30)",
            "- Ana is allergic to walnuts. (said 2026-03-02)",
            "People:",
            "- Ana's sister is Clara. (said 2026-03-09)",
            "Preferences:",
            "- Ana likes green tea. (said 2026-03-16)",
            "How to answer:",
            "- Always answer in short sentences. (said 2026-03-23)",
        ]
        assert (profile.kind, profile.derivation, profile.source) == ("profile", "views/1", "user")
        assert {piece.id for piece in profile.evidence} == {*ids}
        assert views(memory)["state:clara"] == (
            "Clara:\n- Clara lives in Ghent. (said 2026-03-09)\n- Clara works at Bosch. (said 2026-03-09)"
        )
        assert views(memory)["commitments"] == "- 2026-05-03: Ana will visit Clara on 3 May 2026."


def test_a_view_has_revisions_like_any_record() -> None:
    with opened(clock=(clock := FrozenClock(START))) as memory:
        tell(memory, SAID[:1])
        memory.upkeep(**WHO)
        first = memory.get(key="profile", **WHO)
        clock.advance(86_400)
        tell(memory, [*SAID[:1], "We moved to Antwerp."])
        clock.advance(86_400)
        done = memory.upkeep(**WHO)
        then = memory.get(first.id, known_at=START + timedelta(hours=1), **WHO)
        now = memory.get(first.id, **WHO)
        assert ("Utrecht" in then.text, "Utrecht" in now.text, now.revision) == (True, False, 2)
        assert [change.action for change in memory.history(first.id, **WHO)] == ["added", "revised"]
        assert first.id in [entry.id for entry in done.views]
        undone = memory.undo(memory.history(first.id, **WHO)[-1].receipt, **WHO)
        memory.upkeep(**WHO)
        assert memory.get(first.id, **WHO).text == first.text  # what was undone is not done again
        memory.undo(undone, **WHO)
        assert memory.get(first.id, **WHO).text == now.text
        (hit, *_) = memory.search("Where does Ana live?", kinds="profile", **WHO)
        assert hit.id == first.id


def test_nothing_is_written_where_nothing_has_changed() -> None:
    with opened() as memory:
        tell(memory, SAID)
        assert memory.upkeep(**WHO).views
        before = list(memory.export(**WHO))
        again = memory.upkeep(**WHO)
        assert (again.entries, again.derived, again.views, again.notes) == ((), (), (), ())
        assert list(memory.export(**WHO)) == before


def test_default_reads_are_the_same_with_views_and_without() -> None:
    """No hit, no number, no context and no list changes."""
    questions = ("Where does Ana live?", "What does Clara do?", "green tea", "What did Ana say about walnuts?", "plans")
    with opened(embedder=None) as plain, opened(embedder=None) as kept:
        for memory in (plain, kept):
            message = [
                {"role": "user", "name": "Ana", "content": text, "time": START + timedelta(days=n), "id": str(n)}
                for n, text in enumerate([*SAID, *(f"Day {n} of the canoe trip was fine." for n in range(12))])
            ]
            memory.add(message, **WHO)
        kept.upkeep(**WHO)
        assert len(views(kept)) > 5
        assert plain.search("tea", **WHO)[0].relevance is not None  # there are vectors
        for query in questions:
            one, other = (memory.search(query, **WHO) for memory in (plain, kept))
            assert [hit.text for hit in one] == [hit.text for hit in other]
            assert [hit.score for hit in one] == pytest.approx([hit.score for hit in other], abs=1e-5)
            assert [hit.relevance for hit in one] == pytest.approx([hit.relevance for hit in other], abs=1e-5)
            assert (one.considered, one.confidence) == (other.considered, pytest.approx(other.confidence, abs=1e-5))
            assert plain.context(query, **WHO).text == kept.context(query, **WHO).text
        assert [one.text for one in plain.list(**WHO)] == [one.text for one in kept.list(**WHO)]
        view = kept.get(key="profile", **WHO)
        assert "it is a view" in str(kept.search("Ana", **WHO).explain(view.id).cut)


def test_two_walls_never_mix() -> None:
    with opened() as memory:
        tell(memory, SAID)
        tell(memory, ["I live in Oslo, and I'm allergic to cats.", "I like coffee."], who="ben", name="Ben")
        memory.upkeep(user_id="ben")
        assert views(memory) == {}  # only what was asked for
        memory.upkeep(everything=True)
        assert "Oslo" in views(memory, "ben")["profile"]
        assert not any("Oslo" in text or "Ben" in text for text in views(memory).values())
        assert not any("Utrecht" in text or "Ana" in text for text in views(memory, "ben").values())
        memory.erase(all_of=True, **WHO)
        assert views(memory) == {}
        assert "Oslo" in views(memory, "ben")["profile"]


def test_an_erasure_leaves_no_word_of_it_in_any_view_or_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "agent.db"
    with opened(path) as memory:
        tell(memory, SAID)
        secret = "I'm allergic to quicksilver. Zanzibarra lives in Kaprun. Zanzibarra works at Frobenius."
        (gone,) = tell(memory, [secret], session_id="Murmansk")
        memory.upkeep(**WHO)
        assert "quicksilver" in views(memory)["profile"]
        assert any("Zanzibarra" in text for text in views(memory).values())
        done = memory.erase(gone, **WHO)
        assert not any("quicksilver" in text or "anzibarra" in text for text in views(memory).values())
        assert "walnuts" in views(memory)["profile"]  # made again from what is left, in the same call
        assert memory.get(key="profile", **WHO).id in [entry.id for entry in done.derived]
        assert memory.upkeep(**WHO).views == ()
    held = b"".join(file.read_bytes() for file in tmp_path.iterdir() if file.is_file()).lower()
    for word in (b"quicksilver", b"zanzibarra", b"kaprun", b"frobenius", b"murmansk"):
        assert word not in held


def test_what_is_retired_or_undone_leaves_the_views_at_once() -> None:
    with opened() as memory:
        ids = tell(memory, SAID)
        memory.upkeep(**WHO)
        done = memory.retire(ids[0], **WHO)
        assert "walnuts" not in views(memory)["profile"]
        memory.undo(done, **WHO)
        assert "walnuts" in views(memory)["profile"]
        fact = next(one for one in memory.list(kinds="fact", **WHO) if "walnuts" in one.text)
        memory.retire(fact.id, **WHO)
        assert "walnuts" not in views(memory)["profile"]


def test_a_record_of_ones_own_keeps_its_key() -> None:
    with opened() as memory:
        tell(memory, SAID)
        own = memory.remember("Ana is a lighthouse keeper.", kind="profile", key="profile", **WHO).ids[0]
        memory.upkeep(**WHO)
        assert memory.get(key="profile", **WHO).id == own
        memory.retire(own, **WHO)
        memory.upkeep(**WHO)
        assert "walnuts" in memory.get(key="profile", **WHO).text


def test_a_record_of_ones_own_takes_the_key_over_from_a_view() -> None:
    with opened() as memory:
        tell(memory, SAID)
        memory.upkeep(**WHO)
        view = memory.get(key="profile", **WHO).id
        own = memory.remember("Ana is a lighthouse keeper.", kind="profile", key="profile", **WHO)
        tell(memory, ["x", "I'm allergic to cats."])
        memory.upkeep(**WHO)
        assert memory.get(key="profile", **WHO).id == own.ids[0]
        memory.erase(own.ids[0], **WHO)
        memory.upkeep(**WHO)
        assert (memory.get(key="profile", **WHO).id, "cats" in memory.get(view, **WHO).text) == (view, True)


def test_what_somebody_did_to_a_view_stays_until_it_is_undone() -> None:
    with opened() as memory:
        tell(memory, SAID)
        memory.upkeep(**WHO)
        view = memory.get(key="profile", **WHO).id
        mended = memory.update(view, text="Ana, in my own words.", **WHO)
        tell(memory, ["x", "I'm allergic to cats."])
        memory.upkeep(**WHO)
        memory.rebuild(**WHO)
        assert memory.get(key="profile", **WHO).text == "Ana, in my own words."
        memory.undo(mended, **WHO)
        assert "cats" in memory.get(key="profile", **WHO).text
        retired = memory.retire(view, **WHO)
        memory.upkeep(**WHO)
        memory.rebuild(**WHO)
        with pytest.raises(NotFoundError, match="key"):
            memory.get(key="profile", **WHO)
        memory.undo(retired, **WHO)
        assert "cats" in memory.get(key="profile", **WHO).text


class _KilledError(RuntimeError):
    pass


def test_dying_between_two_transactions_or_in_one_leaves_it_to_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "ROWS", 4)
    monkeypatch.setattr(keeping, "PARTS", 2)
    with opened(tmp_path / "whole.db") as memory:
        tell(memory, SAID)
        memory.upkeep(**WHO)
        wanted = views(memory)
    for name in ("fold", "redone"):
        plain = getattr(keeping, name)
        for lives in range(1, 6):
            left = lives

            def dying(*given: Any, plain: Any = plain) -> Any:
                nonlocal left
                done = plain(*given)
                left -= 1
                if not left:
                    raise _KilledError
                return done

            path = tmp_path / f"{name}{lives}.db"
            with opened(path) as memory:
                tell(memory, SAID)
                monkeypatch.setattr(keeping, name, dying)
                with pytest.raises(_KilledError):
                    memory.upkeep(**WHO)
            monkeypatch.setattr(keeping, name, plain)
            with opened(path) as memory:
                memory.upkeep(**WHO)
                assert views(memory) == wanted


def test_a_budget_stops_it_and_the_next_call_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "PARTS", 1)
    with opened() as memory, opened() as other:
        for one in (memory, other):
            tell(one, SAID)
        other.upkeep(**WHO)
        first = memory.upkeep(budget_ms=0, **WHO)
        assert (first.views, "views are behind" in first.notes[0]) == ((), True)
        for _ in range(200):
            if not memory.upkeep(budget_ms=0.001, **WHO).notes:
                break
        memory.upkeep(**WHO)
        assert views(memory) == views(other)


def test_the_work_is_what_has_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of fifty sessions over a year one more turn redoes its own, its week and its month."""
    redone: list[str] = []
    plain = keeping.redone

    def counted(tx: Any, wall: Any, keys: Sequence[str], *more: Any) -> Any:
        redone.extend(keys)
        return plain(tx, wall, keys, *more)

    monkeypatch.setattr(keeping, "redone", counted)
    with opened() as memory:
        for n in range(50):
            at = START + timedelta(days=7 * n)
            text = f"The crew painted hull number {n} in the old harbour."
            memory.add({"role": "user", "name": "Ana", "content": text, "time": at}, session_id=f"s{n}", **WHO)
        memory.upkeep(**WHO)
        assert len(redone) > 100
        redone.clear()
        at = START + timedelta(days=7 * 20, hours=1)
        more = {"role": "user", "name": "Ana", "content": "The mast of hull 20 broke in the storm.", "time": at}
        memory.add(more, session_id="s20", **WHO)
        memory.upkeep(**WHO)
        assert sorted(redone) == [
            "open_questions",
            "profile",
            "summary:month:2026-07",
            "summary:session:2026-W30:s20",
            "summary:week:2026-W30",
        ]
        week = memory.get(key="summary:week:2026-W30", **WHO)
        assert "mast" in week.text
        redone.clear()
        memory.upkeep(**WHO)
        assert redone == []


def test_a_file_that_was_never_kept_up_stays_as_it_is() -> None:
    with opened() as memory:
        (gone, *_) = tell(memory, SAID)
        memory.erase(gone, **WHO)
        memory.rebuild(**WHO)
        assert views(memory) == {}


def test_an_import_is_followed(tmp_path: Path) -> None:
    with opened() as memory, opened() as other:
        tell(memory, SAID)
        memory.upkeep(**WHO)
        other.import_(list(memory.export(**WHO)))
        assert views(other) == views(memory)
        tell(other, ["x", "I'm allergic to cats."])
        other.upkeep(**WHO)
        assert "cats" in views(other)["profile"]
