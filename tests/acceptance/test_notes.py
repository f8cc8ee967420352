"""A folder of notes and a memory that follows it: edits, moves, deletions, what is written back, and conflicts."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mnemic import InputError, Memory, NotFoundError, Record, StoreError, notes
from mnemic.notes import Folder, Report, line_of
from mnemic.testing import HashEmbedder

ANA: dict[str, Any] = {"user_id": "ana"}


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Memory]:
    with Memory(tmp_path / "m.db", embedder=HashEmbedder(16), recipe="none") as found:
        yield found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "notes").mkdir()
    return tmp_path / "notes"


@pytest.fixture
def kept(memory: Memory, folder: Path) -> Folder:
    return Folder(memory, folder, grace=0, **ANA)


def texts(memory: Memory, **given: Any) -> set[str]:
    return {one.text for one in memory.list(limit=500, **{**ANA, **given})}


def stated(memory: Memory) -> dict[str, Record]:
    return {one.text: one for one in memory.list(limit=500, **ANA) if one.kind != "episode"}


def put(path: Path, text: str) -> None:
    """As an editor saves: another file in the place of the old one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    (path.parent / f".{path.name}.new").write_text(text, "utf-8")
    os.replace(path.parent / f".{path.name}.new", path)


def quiet(kept: Folder) -> None:
    """Nothing is left to do, and looking changes nothing."""
    kept.sync()  # what was written is read once more
    before = {path: path.read_bytes() for path in kept.folder.rglob("*") if path.is_file()}
    assert not kept.sync(), kept.sync()
    assert {path: path.read_bytes() for path in kept.folder.rglob("*") if path.is_file()} == before


GARDEN = """# Garden

Beds by the wall.

## Tomatoes

- [decision] Sow in May #plants (after the frost)
- [method] Water every second day
"""


# -- files into the memory


def test_sections_and_observations_come_in_and_follow_edits(memory: Memory, folder: Path, kept: Folder) -> None:
    put(folder / "garden.md", GARDEN)
    report = kept.sync()
    assert (report.read, report.added, report.written) == (1, 4, 0)
    assert (folder / "garden.md").read_text("utf-8") == GARDEN  # not a byte of it
    sow = stated(memory)["Sow in May"]
    assert (sow.kind, sow.subject, sow.source) == ("decision", "Garden", "document")
    assert sow.metadata == {"path": "garden.md", "tags": ["plants"], "context": "after the frost"}
    assert sow.evidence[0].message_id == "garden.md#tomatoes"
    quiet(kept)

    put(folder / "garden.md", GARDEN.replace("Sow in May", "Sow in late May").replace("by the wall", "by the fence"))
    report = kept.sync()
    assert (report.added, report.retired) == (0, 0)
    late = stated(memory)["Sow in late May"]
    assert (late.id, late.revision) == (sow.id, sow.revision + 1)  # an edit is a correction
    assert "# Garden\n\nBeds by the fence." in texts(memory)
    assert "# Garden\n\nBeds by the wall." not in texts(memory)
    assert "# Garden\n\nBeds by the wall." in texts(memory, include="superseded")
    quiet(kept)

    put(folder / "garden.md", "# Garden\n\nBeds by the fence.\n")
    assert kept.sync().retired == 3
    assert texts(memory) == {"# Garden\n\nBeds by the fence."}
    put(folder / "garden.md", GARDEN)  # and back again
    kept.sync()
    assert {"Sow in May", "Water every second day", "# Garden\n\nBeds by the wall."} < texts(memory)
    quiet(kept)


def test_notes_that_are_moved_and_deleted_are_followed(memory: Memory, folder: Path, kept: Folder) -> None:
    put(folder / "garden.md", GARDEN)
    put(folder / "other.md", "---\npermalink: known\n---\nKnown by its permalink.")
    kept.sync()
    sow = stated(memory)["Sow in May"]
    (folder / "deep").mkdir()
    os.rename(folder / "garden.md", folder / "deep" / "plants.md")
    os.rename(folder / "other.md", folder / "renamed.md")
    kept.sync()
    assert len(memory.list(kinds="episode", **ANA)) == 3
    assert {one.scope.session_id for one in memory.list(kinds="episode", **ANA)} == {"deep/plants.md", "known"}
    moved = stated(memory)["Sow in May"]
    assert (moved.id, moved.metadata["path"]) == (sow.id, "deep/plants.md")
    quiet(kept)
    (folder / "deep" / "plants.md").unlink()
    (folder / "deep").rmdir()
    kept.sync()
    assert texts(memory) == {"Known by its permalink."}
    quiet(kept)


def test_what_is_no_note_or_cannot_be_read_is_left(memory: Memory, folder: Path, kept: Folder) -> None:
    put(folder / "good.md", "Good.")
    for name in ("~$good.md", "#good.md#", ".hidden.md", "good.md~", "good.md.tmp", "good.md.sb-1a2b-XyZ", "photo.png"):
        (folder / name).write_text("passing")
    (folder / "latin.md").write_bytes(b"caf\xe9")
    (folder / "gone.md").symlink_to(folder / "nowhere.md")
    report = kept.sync()
    assert report.left_out == ("latin.md: not UTF-8 text",)
    assert texts(memory) == {"Good."}
    (folder / "latin.md").write_text("café", "utf-8")
    kept.sync()
    assert texts(memory) == {"Good.", "café"}
    if os.name == "posix" and os.geteuid() != 0:
        (folder / "good.md").chmod(0)
        put(folder / "new.md", "New.")
        assert kept.sync().left_out
        assert "Good." in texts(memory)  # what cannot be read is not gone


def test_a_note_that_vanishes_while_it_is_looked_at_is_no_trouble(
    memory: Memory, folder: Path, kept: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(folder / "a.md", "One.")
    put(folder / "b.md", "Two.")
    read = Path.read_bytes

    def vanishing(path: Path) -> bytes:
        if path.name == "a.md":
            path.unlink(missing_ok=True)
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", vanishing)
    kept.sync()
    monkeypatch.undo()
    assert texts(memory) == {"Two."}
    put(folder / "a.md", "One.")
    kept.sync()
    assert texts(memory) == {"One.", "Two."}


def test_a_note_that_is_gone_for_a_moment_is_not_retired(
    memory: Memory, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = Folder(memory, folder, grace=0.01, **ANA)
    put(folder / "a.md", "- [fact] One")
    kept.sync()
    (folder / "a.md").unlink()
    monkeypatch.setattr(notes.clocks, "sleep", lambda seconds: put(folder / "a.md", "- [fact] One"))
    assert kept.sync().retired == 0
    assert texts(memory) == {"One", "- [fact] One"}


# -- the memory into files


def test_what_is_remembered_becomes_a_line_below_its_subject(memory: Memory, folder: Path, kept: Folder) -> None:
    first = memory.remember("Prefers mornings", kind="preference", subject="Ana", metadata={"tags": ["work"]}, **ANA)
    memory.remember("The roof leaks", **ANA)
    report = kept.sync()
    assert report.written == 2
    record = memory.get(first.ids[0], **ANA)
    text = (folder / "mnemic.md").read_text("utf-8")
    day = f"{record.time:%Y-%m-%d}"
    assert f"\n## Ana\n\n- [preference] Prefers mornings #work ({day}) ^{record.id}\n" in text
    assert text.index("The roof leaks") < text.index("## Ana")
    put(folder / "mnemic.md", text + "\n")  # and is not read as something new
    kept.sync()
    assert texts(memory) == {"Prefers mornings", "The roof leaks"}
    memory.remember("Has a cat", subject="Ana", **ANA)
    memory.remember("Sings", subject="Rui", **ANA)
    kept.sync()
    lines = [line.split(" (")[0] for line in (folder / "mnemic.md").read_text("utf-8").splitlines() if line]
    assert lines == [
        "# Remembered",
        "- [fact] The roof leaks",
        "## Ana",
        "- [preference] Prefers mornings #work",
        "- [fact] Has a cat",
        "## Rui",
        "- [fact] Sings",
    ]
    quiet(kept)


def test_a_correction_edits_the_line_and_what_is_gone_takes_it_away(memory: Memory, folder: Path, kept: Folder) -> None:
    put(folder / "mnemic.md", "My own words first.\n")
    ids = [memory.remember(text, **ANA).ids[0] for text in ("one", "two", "three", "four")]
    kept.sync()
    memory.update(ids[0], text="one, corrected", **ANA)
    memory.retire(ids[1], **ANA)
    memory.erase(ids[2], **ANA)
    successor = memory.remember("four, anew", supersedes=ids[3], **ANA).ids[0]
    kept.sync()
    lines = [line for line in (folder / "mnemic.md").read_text("utf-8").splitlines() if line]
    assert [line.split(" (")[0] for line in lines] == [
        "My own words first.",
        "- [fact] one, corrected",
        "- [fact] four, anew",
    ]
    assert lines[1].endswith(f"^{ids[0]}")
    assert lines[2].endswith(f"^{successor}")
    assert "three" not in (folder / ".mnemic" / "notes.json").read_text("utf-8")
    quiet(kept)
    assert "My own words first." in texts(memory)


def test_an_edit_of_the_line_is_a_correction_and_its_deletion_retires(
    memory: Memory, folder: Path, kept: Folder
) -> None:
    ids = [memory.remember(text, **ANA).ids[0] for text in ("likes tea", "likes coffee")]
    kept.sync()
    page = folder / "mnemic.md"
    put(page, page.read_text("utf-8").replace("likes tea", "likes *green* tea"))
    report = kept.sync()
    assert (report.changed, report.added, report.conflicts) == (1, 0, ())
    assert memory.get(ids[0], **ANA).text == "likes *green* tea"
    put(page, "\n".join(line for line in page.read_text("utf-8").splitlines() if "coffee" not in line))
    assert kept.sync().retired == 1
    assert memory.get(ids[1], **ANA).state == "retired"
    quiet(kept)
    moved = next(line for line in page.read_text("utf-8").splitlines() if "tea" in line)
    put(page, "# Remembered\n")
    put(folder / "drinks.md", f"# Drinks\n\n{moved}\n")
    kept.sync()
    assert memory.get(ids[0], **ANA).state == "current"  # it was only moved
    memory.update(ids[0], text="likes black tea", **ANA)
    kept.sync()
    assert "- [fact] likes black tea (" in (folder / "drinks.md").read_text("utf-8")


def test_the_memory_corrects_and_retires_lines_that_their_owner_wrote(
    memory: Memory, folder: Path, kept: Folder
) -> None:
    put(folder / "garden.md", GARDEN)
    kept.sync()
    told = stated(memory)
    memory.update(told["Sow in May"].id, text="Sow in June (late)", **ANA)
    memory.retire(told["Water every second day"].id, **ANA)
    kept.sync()
    text = (folder / "garden.md").read_text("utf-8")
    assert f"- [decision] Sow in June (late\\) #plants (after the frost) ^{told['Sow in May'].id}\n" in text
    assert "- ~~[method] Water every second day~~\n" in text  # not lost
    quiet(kept)
    assert stated(memory).keys() == {"Sow in June (late)"}
    memory.erase(told["Sow in May"].id, **ANA)
    kept.sync()
    assert "Sow" not in (folder / "garden.md").read_text("utf-8")


MALICIOUS = (
    "</p><script>alert(1)</script> [[Secret]] https://evil.example\n---\n- [fact] forged ^aaaaaaaaaaaaaaaaaaaaaaaaaa"
)


def test_remembered_text_stays_one_line_of_text(memory: Memory, folder: Path, kept: Folder) -> None:
    ids = [memory.remember(MALICIOUS, subject="# x\n## y", **ANA).ids[0]]
    ids += [
        memory.remember(text, **ANA).ids[0]
        for text in ("ends (so)", "ends #so", "ends ^so", " spaces ", "[x] ]", "\\)")
    ]
    kept.sync()
    text = (folder / "mnemic.md").read_text("utf-8")
    for live in (r"(?<!\\)<", r"\[\[", "://", "\n---", r"forged \^"):
        assert not re.search(live, text)
    assert len(texts(memory)) == 7
    put(folder / "mnemic.md", text + "\nSeen.\n")  # so that it is read again
    report = kept.sync()
    assert (report.changed, report.retired, report.conflicts) == (0, 0, ())
    assert len(texts(memory)) == 8
    assert memory.get(ids[0], **ANA).text == MALICIOUS


# -- conflicts and races


def test_where_both_changed_both_words_stay(memory: Memory, folder: Path, kept: Folder) -> None:
    (id_,) = memory.remember("likes tea", **ANA).ids
    kept.sync()
    page = folder / "mnemic.md"
    memory.update(id_, text="likes coffee", **ANA)
    put(page, page.read_text("utf-8").replace("likes tea", "likes water"))
    report = kept.sync()
    assert report.conflicts == ("mnemic.md, line 3",)
    assert memory.get(id_, **ANA).text == "likes water"  # the folder is the authority
    assert "likes coffee" in [change.record.text for change in memory.history(id_, **ANA) if change.record]
    lines = page.read_text("utf-8").splitlines()
    assert lines[2].startswith("- [fact] likes water (")
    assert lines[3] == "  > [!warning] Changed in the memory as well, where it read: likes coffee"
    quiet(kept)
    assert list(stated(memory)) == ["likes water"]


def test_a_line_deleted_here_and_changed_there_comes_back(memory: Memory, folder: Path, kept: Folder) -> None:
    (id_,) = memory.remember("likes tea", **ANA).ids
    kept.sync()
    memory.update(id_, text="likes coffee", **ANA)
    put(folder / "mnemic.md", "# Remembered\n")
    report = kept.sync()
    assert len(report.conflicts) == 1
    assert "- [fact] likes coffee (" in (folder / "mnemic.md").read_text("utf-8")
    assert memory.get(id_, **ANA).state == "current"


def test_a_line_edited_here_and_retired_there_stands_on_its_own(memory: Memory, folder: Path, kept: Folder) -> None:
    (id_,) = memory.remember("likes tea", subject="Ana", **ANA).ids
    kept.sync()
    memory.retire(id_, **ANA)
    page = folder / "mnemic.md"
    put(page, page.read_text("utf-8").replace("likes tea", "likes water"))
    kept.sync()
    (water,) = stated(memory).values()
    assert (water.text, water.id != id_) == ("likes water", True)
    assert f"^{water.id}" in page.read_text("utf-8")
    assert id_ not in page.read_text("utf-8")
    quiet(kept)


def test_an_editor_that_writes_over_a_new_line_does_not_lose_it(memory: Memory, folder: Path, kept: Folder) -> None:
    page = folder / "mnemic.md"
    put(page, "Old words.\n")
    kept.sync()
    (id_,) = memory.remember("likes tea", **ANA).ids
    kept.sync()
    put(page, "Old words, edited in an editor that had them open.\n")
    kept.sync()
    text = page.read_text("utf-8")
    assert "edited in an editor" in text
    assert f"^{id_}" in text
    assert memory.get(id_, **ANA).state == "current"
    put(page, text)  # now it was seen
    kept.sync()
    put(page, "Old words, edited in an editor that had them open.\n")
    kept.sync()
    assert memory.get(id_, **ANA).state == "retired"  # and deleted on purpose


def test_a_note_that_changes_while_it_is_written_is_not_overwritten(
    memory: Memory, folder: Path, kept: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = folder / "mnemic.md"
    put(page, "Old words.\n")
    kept.sync()
    (id_,) = memory.remember("likes tea", **ANA).ids
    opened = notes._Look._opened  # pyright: ignore[reportPrivateUsage]

    def slow(look: Any, name: str) -> Any:
        found = opened(look, name)
        put(page, "New words.\n")
        return found

    monkeypatch.setattr(notes._Look, "_opened", slow)  # pyright: ignore[reportPrivateUsage]
    assert kept.sync().left_out == ("mnemic.md: it was changed meanwhile",)
    monkeypatch.undo()
    assert page.read_text("utf-8") == "New words.\n"
    kept.sync()
    assert page.read_text("utf-8").startswith("New words.\n")
    assert f"^{id_}" in page.read_text("utf-8")
    assert "New words." in texts(memory)


def test_what_was_known_may_be_lost(memory: Memory, folder: Path, kept: Folder) -> None:
    put(folder / "garden.md", GARDEN)
    ids = [memory.remember(text, **ANA).ids[0] for text in ("one", "two", "three")]
    kept.sync()
    before = texts(memory)
    (folder / ".mnemic" / "notes.json").write_text("{", "utf-8")
    assert not kept.sync().conflicts
    assert texts(memory) == before
    (folder / ".mnemic" / "notes.json").unlink()
    page = folder / "mnemic.md"
    put(page, page.read_text("utf-8").replace("] one ", "] one, edited "))
    memory.erase(ids[2], **ANA)
    report = kept.sync()
    assert report.conflicts == ()
    assert memory.get(ids[0], **ANA).text == "one, edited"
    assert any("names a record that was erased" in one for one in report.left_out)
    assert "three" not in texts(memory)  # what was erased is not learned again


NAMED = """# Garden

Beds by the wall.

- [decision] Sow tomatoes in May #plants
- Compost in autumn
"""


def _lines(folder: Path) -> set[str]:
    """Every line in the folder, without the ids that Mnemic writes behind its own."""
    pages = [path.read_text("utf-8") for path in folder.rglob("*.md")]
    return {re.sub(r" \^[a-z2-7]{26}$", "", line) for page in pages for line in page.splitlines() if line.strip()}


@pytest.mark.parametrize("other", ["file", "user", "project", "deleted"])
def test_a_folder_that_meets_another_memory_loses_no_line(folder: Path, tmp_path: Path, other: str) -> None:
    def opened(name: str) -> Memory:
        return Memory(tmp_path / name, embedder=HashEmbedder(16), recipe="none")

    put(folder / "garden.md", NAMED)
    with opened("a.db") as first:
        first.remember("Prefers mornings", subject="Ana", kind="preference", **ANA)
        Folder(first, folder, grace=0, **ANA).sync()
        Folder(first, folder, grace=0, **ANA).sync()
    said = _lines(folder)
    assert any("Prefers mornings" in line for line in said)
    scope = {"user": {"user_id": "rui"}, "project": {**ANA, "project_id": "p"}}.get(other, ANA)
    if other == "deleted":
        for path in tmp_path.glob("a.db*"):
            path.unlink()
    for _ in range(2):  # and there and back again
        with opened("b.db" if other == "file" else "a.db") as second:
            if other == "file":  # as far on in its journal, so that numbers do not tell
                second.remember("Anything else", shared=True)
            kept = Folder(second, folder, grace=0, **scope)
            report = kept.sync()
            assert (report.retired, report.conflicts, report.left_out) == (0, (), ())
            assert said <= _lines(folder)
            held = {one.text: one for one in second.list(limit=100, **scope)}
            assert {"Sow tomatoes in May", "Prefers mornings"} <= held.keys()
            assert held["Prefers mornings"].subject == "Ana"
            quiet(kept)
        if other == "deleted":
            return
        with opened("a.db") as first:
            kept = Folder(first, folder, grace=0, **ANA)
            assert kept.sync().retired == 0
            assert said <= _lines(folder)
            assert stated(first).keys() == {"Sow tomatoes in May", "Prefers mornings"}
            quiet(kept)


def test_a_folder_that_is_further_on_than_a_restored_memory_loses_no_line(folder: Path, tmp_path: Path) -> None:
    put(folder / "garden.md", NAMED)
    path = tmp_path / "m.db"
    with Memory(path, embedder=HashEmbedder(16), recipe="none") as memory:
        early = memory.remember("Prefers mornings", subject="Ana", **ANA).ids[0]
        Folder(memory, folder, grace=0, **ANA).sync()
    shutil.copy(path, tmp_path / "backup.db")
    with Memory(path, embedder=HashEmbedder(16), recipe="none") as memory:
        put(
            folder / "garden.md", NAMED.replace("in May", "in June").replace("autumn", "spring") + "- [fact] It rains\n"
        )
        memory.update(early, text="Prefers evenings", **ANA)
        memory.remember("Likes tea", subject="Ana", **ANA)
        for _ in range(2):
            Folder(memory, folder, grace=0, **ANA).sync()
    said = _lines(folder)
    for old in tmp_path.glob("m.db*"):
        old.unlink()
    with Memory(tmp_path / "backup.db", embedder=HashEmbedder(16), recipe="none") as memory:
        kept = Folder(memory, folder, grace=0, **ANA)
        assert kept.sync().retired == 0
        assert said <= _lines(folder)
        assert {"Sow tomatoes in June", "It rains", "Likes tea", "Prefers evenings"} <= texts(memory)
        quiet(kept)
        memory.remember("Goes on", **ANA)
        kept.sync()
        assert said < _lines(folder)


def test_a_record_that_is_missing_strikes_out_no_line(memory: Memory, folder: Path, kept: Folder) -> None:
    put(folder / "garden.md", NAMED)
    kept.sync()
    state = json.loads((folder / ".mnemic" / "notes.json").read_text("utf-8"))
    ((id_, line),) = state["lines"].items()
    state["lines"] = {id_[::-1]: line}  # a record that never was
    (folder / ".mnemic" / "notes.json").write_text(json.dumps(state), "utf-8")
    memory.remember("Anything else", **ANA)
    kept.sync()
    assert (folder / "garden.md").read_text("utf-8") == NAMED


@pytest.mark.parametrize("verb", ["add", "remember", "retire", "list"])
def test_a_look_that_fails_in_the_middle_is_made_again(
    memory: Memory, folder: Path, kept: Folder, verb: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(folder / "old.md", "Old.\n\n- [fact] Goes")
    kept.sync()
    (folder / "old.md").unlink()
    put(folder / "garden.md", GARDEN)
    memory.remember("likes tea", **ANA)

    def fails(*given: Any, **named: Any) -> Any:
        raise StoreError(5, "the disk is gone")

    monkeypatch.setattr(memory, verb, fails)
    with pytest.raises(StoreError):
        kept.sync()
    monkeypatch.undo()
    kept.sync()
    assert stated(memory).keys() == {"Sow in May", "Water every second day", "likes tea"}
    assert len(memory.list(kinds="episode", **ANA)) == 2
    assert "likes tea" in (folder / "mnemic.md").read_text("utf-8")
    quiet(kept)


def test_line_ends_and_marks_of_a_file_stay(memory: Memory, folder: Path, kept: Folder) -> None:
    page = folder / "mnemic.md"
    page.write_bytes(b"\xef\xbb\xbfOne.\r\nTwo.\r\n")
    memory.remember("likes tea", **ANA)
    kept.sync()
    content = page.read_bytes()
    assert content.startswith(b"\xef\xbb\xbfOne.\r\nTwo.\r\n")
    assert content.count(b"\n") == content.count(b"\r\n") == 3
    quiet(kept)


# -- around it


def test_users_are_kept_apart_and_imports_stay_out(memory: Memory, folder: Path, kept: Folder, tmp_path: Path) -> None:
    memory.remember("Rui's secret", user_id="rui")
    memory.remember("everybody's", shared=True)
    (tmp_path / "all.json").write_text(json.dumps([{"id": "1", "memory": "from elsewhere"}]))
    memory.import_(tmp_path / "all.json", **ANA)
    memory.remember("hers", **ANA)
    kept.sync()
    text = (folder / "mnemic.md").read_text("utf-8")
    assert "hers" in text
    for other in ("Rui's", "everybody's", "elsewhere"):
        assert other not in text


def test_wrong_folders_are_told(memory: Memory, folder: Path) -> None:
    with pytest.raises(NotFoundError, match="there is no folder"):
        Folder(memory, folder / "none", **ANA)
    for to in ("../x.md", "x.txt", "/x.md", ".x.md"):
        with pytest.raises(InputError, match="name a Markdown file within the folder"):
            Folder(memory, folder, to=to, **ANA)


@pytest.mark.parametrize("polls", [True, False])
def test_watching_reports_what_was_done(
    memory: Memory, folder: Path, kept: Folder, polls: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if polls:
        monkeypatch.setitem(sys.modules, "mnemic.watching", None)
    else:
        pytest.importorskip("watchfiles")
    put(folder / "a.md", "One.")
    looks = kept.watch(0.05)
    assert next(looks).added == 1
    put(folder / "a.md", "Two.")
    assert next(looks).changed == 1
    memory.remember("likes tea", **ANA)
    assert next(looks).written == 1
    assert list(Folder(memory, folder, **ANA).watch(0.05, stop=lambda: True)) == []


def test_the_command_looks_once_or_until_it_is_stopped(folder: Path, tmp_path: Path) -> None:
    put(folder / "garden.md", GARDEN)
    command = [sys.executable, "-m", "mnemic", "notes", str(folder), "--file", str(tmp_path / "c.db")]
    clean = {**os.environ, "MNEMIC_EMBEDDER": "none", "MNEMIC_RECIPE": "none"}
    once = subprocess.run([*command, "--once"], env=clean, capture_output=True, text=True, check=True, timeout=60)
    assert once.stdout == "4 added\n"
    again = subprocess.run([*command, "--once"], env=clean, capture_output=True, text=True, check=True, timeout=60)
    assert again.stdout == "nothing to do\n"
    if os.name != "posix":
        return
    watching = subprocess.Popen([*command, "--every", "0.1", "--json"], env=clean, stdout=subprocess.PIPE, text=True)
    assert watching.stdout is not None
    put(folder / "more.md", "More.")
    told = json.loads(watching.stdout.readline())
    assert told["added"] == 1
    watching.send_signal(signal.SIGINT)
    assert watching.wait(timeout=30) == 130
    watching.stdout.close()


def test_a_line_says_what_it_needs(memory: Memory) -> None:
    (id_,) = memory.remember("a\nb", metadata={"tags": ["x", "no tag"], "context": "at home"}, **ANA).ids
    assert line_of(memory.get(id_, **ANA)) == f"- [fact] a&#10;b #x (at home) ^{id_}"
    assert str(Report()) == "nothing to do"
    assert str(Report(added=1, conflicts=("a.md, line 3",))) == "1 added\nconflict: a.md, line 3"
