"""An export as a folder of Markdown: it reads well, comes back as it was, stays the same, and stays in its folder."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mnemic import ANY, ConflictError, InputError, Memory, Record, ScopeError
from mnemic.testing import FrozenClock, HashEmbedder

START = datetime(2026, 5, 20, 12, tzinfo=UTC)
ANA: dict[str, Any] = {"user_id": "ana"}


def made(hour: int = 13, **given_: Any) -> Memory:
    """A memory; those into which something is imported are an hour later than the one that it is from."""
    return Memory(":memory:", embedder=HashEmbedder(16), clock=FrozenClock(START.replace(hour=hour)), **given_)


@pytest.fixture
def memory() -> Iterator[Memory]:
    with made(12) as found:
        yield found


def fill(memory: Memory) -> None:
    chat = [
        {"role": "user", "name": "Ana", "content": "I moved to Porto in May.", "time": "2026-05-19T10:00Z", "id": "m1"},
        {
            "role": "assistant",
            "content": "Nice!\n\nHow is it?",
            "time": "2026-05-19T10:01Z",
            "metadata": {"n": [1, None]},
        },
        {"role": "user", "name": "Ana", "content": "I like green tea, and I hate olives.", "time": "2026-05-19"},
    ]
    zoned = [{**one, "time": f"{one['time']}Z" if len(str(one["time"])) == 10 else one["time"]} for one in chat]
    memory.add(zoned, session_id="2026-05-19", agent_id="helper", **ANA)
    memory.add("I will call Rui on Friday.", author="phone", **ANA)
    memory.add({"role": "user", "content": "first words", "id": "e1"}, **ANA)
    memory.add({"role": "user", "content": "other words", "id": "e1"}, **ANA)  # an edit
    memory.add({"role": "document", "content": "A long text, told once more. " * 60, "id": "long"}, **ANA)
    said = next(one for one in memory.list(**ANA) if one.message_id == "m1")
    drink = {"kind": "preference", "subject": "Ana", "key": "drink"}
    memory.remember("Ana drinks tea", valid_from="2025-01-01T00:00Z", **drink, **ANA)
    memory.remember(
        "Ana drinks coffee\nin the morning",
        valid_from="2026-01-01T00:00Z",
        aliases=["her"],
        purpose="breakfast",
        data={"cups": 2},
        metadata={"tags": ["a"]},
        evidence=said.id,
        confidence=0.5,
        pinned=True,
        expires_at="2030-01-01T00:00Z",
        payload_ref="file://x",
        author="cook",
        **drink,
        **ANA,
    )
    memory.remember("It rains in Porto.", **ANA)


def current(memory: Memory, **given_: Any) -> dict[str, Record]:
    """The current records but for views, and what no export as Markdown keeps: when they were recorded."""
    scope = given_ or ANA
    found = memory.list(limit=5000, **scope)
    return {
        one.id: dataclasses.replace(one, recorded_at=START, revision=1)
        for one in found
        if not (one.derivation or "").startswith("views/")
    }


def tree(folder: Path) -> dict[str, tuple[bytes, int]]:
    return {
        path.relative_to(folder).as_posix(): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def plain(folder: Path) -> dict[str, str]:
    """The pages of an export, without the numbers that a memory gives to its texts."""
    return {
        name: re.sub(r'"n":\d+', "", content.decode()) for name, (content, _) in tree(folder).items() if name[0] != "."
    }


def test_it_reads_well(memory: Memory, tmp_path: Path) -> None:
    fill(memory)
    memory.upkeep(**ANA)
    assert memory.export(tmp_path / "out", format="markdown", **ANA) == len(tree(tmp_path / "out")) - 1
    session = (tmp_path / "out" / "sessions" / "2026-05-19.md").read_text("utf-8")
    assert session.startswith('---\nmnemic: "messages"\nformat: 1\nuser: "ana"\nsession: "2026-05-19"\n')
    assert "\n# 2026-05-19\n\n**Ana**, 2026-05-19 00:00 UTC <!-- {" not in session  # in the order in which they came
    assert "\n**Ana**, 2026-05-19 10:00 UTC <!-- {" in session
    assert " -->\n\n> Nice!\n>\n> How is it?\n\n^" in session
    subject = (tmp_path / "out" / "subjects" / "ana.md").read_text("utf-8")
    home = next(line for line in subject.splitlines() if line.startswith("- [fact] Ana lives in Porto."))
    said = next(one for one in current(memory).values() if one.message_id == "m1")
    assert f"(since 2026-05-01; from [1](../sessions/2026-05-19.md#^{said.id})) ^" in home
    assert "<!--" not in home  # what is derived is for reading
    assert "\n## Before\n\n- [preference] Ana drinks tea <!-- {" in subject
    index = (tmp_path / "out" / "README.md").read_text("utf-8")
    for link in ("sessions/2026-05-19.md", "subjects/ana.md", "messages/2026-05.md", "views/profile.md", "acts.md"):
        assert f"({link})" in index
        assert (tmp_path / "out" / link).is_file()
    assert not any(path.stat().st_mode & 0o077 for path in (tmp_path / "out").rglob("*")) or os.name != "posix"


def test_it_comes_back_as_it_was(memory: Memory, tmp_path: Path) -> None:
    fill(memory)
    home = next(one for one in current(memory).values() if one.text == "Ana lives in Porto.")
    olives = next(one for one in current(memory).values() if "olives" in one.text and one.derivation)
    memory.retire(home.id, **ANA)
    memory.update(olives.id, text="Ana cannot stand olives.", **ANA)
    memory.export(tmp_path / "out", format="markdown", **ANA)
    with made() as other:
        receipt = other.import_(tmp_path / "out")
        assert receipt.pending == 0
        assert current(other) == current(memory)
        assert home.id not in current(other)
        for state in ("superseded", "expired"):
            assert {(one.id, one.text, one.valid_to) for one in other.list(include=state, **ANA)} == {
                (one.id, one.text, one.valid_to) for one in memory.list(include=state, **ANA)
            }
        assert {entry.action for entry in other.import_(tmp_path / "out").entries} == {"ignored"}
        coffee = other.get(key="drink", **ANA)
        assert [piece.text for piece in coffee.evidence] == [
            "I moved to Porto in May.",
            "Ana drinks coffee\nin the morning",
        ]
        other.upkeep(**ANA)
        assert current(other) == current(memory)  # what was taken back by hand stays so
        other.export(tmp_path / "again", format="markdown", **ANA)
        memory.upkeep(**ANA)
        memory.export(tmp_path / "out", format="markdown", **ANA)
        assert plain(tmp_path / "again") == plain(tmp_path / "out")


def test_entities_merged_by_hand_stay_merged(memory: Memory, tmp_path: Path) -> None:
    memory.add(
        [
            {"role": "user", "name": "Ana", "content": "My friend Mel lives in Porto."},
            {"role": "user", "name": "Ana", "content": "My cousin Melanie lives in Faro."},
        ],
        **ANA,
    )
    entities = {one.subject: one.id for one in memory.list(kinds="entity", **ANA)}
    memory.merge(entities["Mel"], into=entities["Melanie"], **ANA)
    memory.export(tmp_path / "out", format="markdown", **ANA)
    with made() as other:
        other.import_(tmp_path / "out")
        assert current(other) == current(memory)


TEXTS = st.one_of(
    st.text(st.sampled_from(list("\\`*_[]<>()#+-.!|~=^${}%&:@/'\"\n\r\t ab1\u2028\x00é🍅")), min_size=1, max_size=30),
    st.sampled_from(
        [
            "---\nmnemic: export\n---",
            '<!-- {"id":"forged","kind":"fact"} -->',
            "- [fact] forged <!-- {} --> ^abc",
            "**Eve**, 2026 <!-- {} -->\n\n> forged\n\n^abc",
            "[[../../etc/passwd]] <script>alert(1)</script>",
        ]
    ),
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30),
).filter(lambda text: bool(text.strip()))
NAMES = TEXTS.filter(lambda text: "\0" not in text)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(TEXTS, NAMES, st.one_of(st.none(), NAMES)), min_size=1, max_size=4),
    st.lists(st.tuples(TEXTS, st.one_of(st.none(), TEXTS), TEXTS), max_size=3),
)
def test_whatever_was_remembered_comes_back(
    tmp_path: Path, said: list[tuple[str, str, str | None]], told: list[tuple[str, str | None, str]]
) -> None:
    folder = tmp_path / hashlib.sha256(json.dumps([said, told]).encode()).hexdigest()[:24]
    with made(12, recipe="none") as memory, made(recipe="none") as other:
        for text, name, session in said:
            message = {"role": "user", "name": name, "content": text, "metadata": {text: [name]}}
            memory.add(message, session_id=session, **ANA)
        for text, subject, purpose in told:
            memory.remember(text, subject=subject, purpose=purpose, **ANA)
        memory.export(folder, format="markdown", **ANA)
        other.import_(folder)
        assert current(other) == current(memory)


def test_a_second_export_touches_nothing_and_a_later_one_what_changed(memory: Memory, tmp_path: Path) -> None:
    fill(memory)
    memory.export(tmp_path / "out", format="markdown", **ANA)
    before = tree(tmp_path / "out")
    memory.export(tmp_path / "out", format="markdown", **ANA)
    assert tree(tmp_path / "out") == before
    said = next(one for one in current(memory).values() if one.message_id == "m1")
    memory.erase([one.id for one in memory.list(session_id="2026-05-19", **ANA) if one.scope.session_id], **ANA)
    memory.export(tmp_path / "out", format="markdown", **ANA)
    after = tree(tmp_path / "out")
    assert "sessions/2026-05-19.md" not in after
    assert not (tmp_path / "out" / "sessions").exists()
    assert all(said.text.encode() not in content for content, _ in after.values())
    assert after["statements.md"] == before["statements.md"]


def test_a_file_that_was_edited_or_is_anothers_is_not_overwritten(memory: Memory, tmp_path: Path) -> None:
    fill(memory)
    out = tmp_path / "out"
    memory.export(out, format="markdown", **ANA)
    page = out / "subjects" / "ana.md"
    page.write_text(page.read_text("utf-8") + "\nMy own words.\n", "utf-8")
    before = tree(out)
    memory.remember("Ana sings.", subject="Ana", **ANA)
    with pytest.raises(ConflictError, match=r"ana\.md' was edited since it was exported"):
        memory.export(out, format="markdown", **ANA)
    assert tree(out) == before
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "diary.md").write_text("Dear diary")
    with pytest.raises(InputError, match="holds files that are of no export"):
        memory.export(tmp_path / "mine", format="markdown", **ANA)
    page.unlink()
    memory.export(out, format="markdown", **ANA)  # what is missing comes back
    (out / "own.md").write_text("a note of mine")  # and what is no part of it stays
    memory.export(out, format="markdown", **ANA)
    assert (out / "own.md").read_text() == "a note of mine"


@pytest.mark.skipif(os.name != "posix", reason="links")
def test_it_stays_within_its_folder(memory: Memory, tmp_path: Path) -> None:
    memory.add("I like tea.", session_id="s", **ANA)
    out, elsewhere = tmp_path / "out", tmp_path / "elsewhere"
    memory.export(out, format="markdown", **ANA)
    elsewhere.mkdir()
    (out / "sessions" / "s.md").unlink()
    (out / "sessions").rmdir()
    (out / "sessions").symlink_to(elsewhere)
    with pytest.raises(InputError, match="leads elsewhere"):
        memory.export(out, format="markdown", **ANA)
    assert list(elsewhere.iterdir()) == []
    (out / "sessions").unlink()
    victim = tmp_path / "victim"
    victim.write_text("precious")
    with open(out / ".mnemic-export.jsonl", "a") as manifest:
        digest = hashlib.blake2b(b"precious", digest_size=16).hexdigest()
        manifest.write(json.dumps({"file": "../victim", "hash": digest}) + "\n")
    memory.export(out, format="markdown", **ANA)
    assert victim.read_text() == "precious"


def test_an_export_that_was_broken_off_can_be_made_again(memory: Memory, tmp_path: Path) -> None:
    fill(memory)
    out = tmp_path / "out"
    memory.export(out, format="markdown", **ANA)
    whole = tree(out)
    memory.remember("Ana sings.", subject="Ana", **ANA)
    (out / "acts.md").unlink()
    (out / "acts.md").mkdir()  # so that writing it fails, with some files written and some not
    with pytest.raises(OSError):
        memory.export(out, format="markdown", **ANA)
    assert tree(out) != whole
    (out / "acts.md").rmdir()
    memory.remember("Ana dances.", subject="Ana", **ANA)
    memory.export(out, format="markdown", **ANA)
    assert "Ana dances." in (out / "subjects" / "ana.md").read_text("utf-8")


def test_several_users_have_folders_of_their_own(memory: Memory, tmp_path: Path) -> None:
    memory.add("I like tea.", user_id="ana")
    memory.add("I like coffee.", user_id="Ana")
    memory.add("We meet at nine.", shared=True, project_id="team")
    memory.export(tmp_path / "all", format="markdown", everything=True)
    assert len([path for path in (tmp_path / "all").iterdir() if path.is_dir()]) == 3
    with made() as other:
        with pytest.raises(ScopeError):
            other.import_(tmp_path / "all", user_id="ana")
        other.import_(tmp_path / "all")
        for scope in ({"user_id": "ana"}, {"user_id": "Ana"}, {"project_id": "team"}):
            assert current(other, **scope) == current(memory, **scope)
            assert current(other, **scope)
    memory.add("At home.", user_id="ana", project_id="home")
    memory.export(tmp_path / "mine", format="markdown", user_id="ana", project_id=ANY)
    assert "coffee" not in "".join(content.decode() for content, _ in tree(tmp_path / "mine").values())


def test_a_damaged_folder_is_told_with_the_place(memory: Memory, tmp_path: Path) -> None:
    memory.add("I like tea.", session_id="s", **ANA)
    out = tmp_path / "out"
    memory.export(out, format="markdown", **ANA)
    page = out / "sessions" / "s.md"
    good = page.read_text("utf-8")
    for bad in (good.replace('"role":"user"', '"role"'), good.replace('{"id":', '{"di":')):
        page.write_text(bad, "utf-8")
        with made() as other, pytest.raises(InputError, match=r"'sessions/s\.md', line 13: this is no record"):
            other.import_(out)
    page.write_text(good.replace("format: 1", "format: 9"), "utf-8")
    with made() as other, pytest.raises(InputError, match="has format 9; this release reads 1"):
        other.import_(out)
    page.write_text(good.replace("\n", "\r\n"), "utf-8", newline="")
    with made() as other:
        other.import_(out)  # an editor may have changed the ends of lines
        assert current(other) == current(memory)
    page.write_text(good.replace("> I like tea.", "> I like green tea."), "utf-8")
    with made() as other:
        other.import_(out)  # and its owner the words
        assert "I like green tea." in [one.text for one in current(other).values()]


def test_what_it_needs_is_told(memory: Memory, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="name one"):
        memory.export(format="markdown", **ANA)
    with pytest.raises(InputError, match="'jsonl', or 'markdown'"):
        memory.export(tmp_path / "x", format="html", **ANA)
    with pytest.raises(ScopeError):
        memory.export(tmp_path / "x", format="markdown")
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="needs a folder"):
        memory.export(tmp_path / "file", format="markdown", **ANA)
    with pytest.raises(LookupError, match="create it first"):
        memory.export(tmp_path / "no" / "where", format="markdown", **ANA)
