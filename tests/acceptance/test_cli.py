"""The command as its users meet it: words in, words and exit codes out. Real processes for pipes and signals."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from mnemic import Memory, cli, config, progress
from mnemic.cli import main
from mnemic.testing import FrozenClock

POSIX = pytest.mark.skipif(os.name != "posix", reason="signals and terminals of POSIX")
VARIABLES = ("MNEMIC_FILE", "MNEMIC_USER", "MNEMIC_EMBEDDER", "MNEMIC_API_KEY", "NO_COLOR")
COMMANDS = [
    "add",
    "remember",
    "update",
    "search",
    "ask",
    "context",
    "get",
    "list",
    "history",
    "timeline",
    "diff",
    "undo",
    "feedback",
    "retire",
    "merge",
    "split",
    "erase",
    "export",
    "import",
    "notes",
    "stats",
    "rebuild",
    "upkeep",
    "verify",
    "mcp",
    "proxy",
    "serve",
    "ui",
    "keys",
    "demo",
    "bench",
]


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # pyright: ignore[reportUnusedFunction]
    """An empty folder, a known clock zone and no settings; words alone, which is quick."""
    monkeypatch.chdir(tmp_path)
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MNEMIC_EMBEDDER", "none")
    monkeypatch.setenv("TZ", "UTC")
    if hasattr(time, "tzset"):
        time.tzset()


def run(*words: str, stdin: str | bytes | None = None, code: int = 0) -> Result:
    result = CliRunner().invoke(main, list(words), input=stdin)
    assert result.exit_code == code, (words, result.exit_code, result.output, result.exception)
    assert "Traceback" not in result.output
    return result


def answer(*words: str, stdin: str | bytes | None = None, code: int = 0) -> Any:
    """The one JSON object that a command answers with."""
    return json.loads(run(*words, "--json", stdin=stdin, code=code).stdout)


def process(*words: str, stdin: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([sys.executable, "-m", "mnemic", *words], input=stdin, capture_output=True, timeout=60)


def texts() -> list[str]:
    return [record["text"] for record in answer("list", "-n", "100", "--order", "oldest")["records"]]


# -- help


@pytest.mark.parametrize("command", [command for command in COMMANDS if command != "bench"])
def test_every_command_has_help_with_an_example(command: str) -> None:
    shown = run(command, "--help").output
    assert f"mnemic {command}" in shown
    assert "Common options:" in shown
    assert ("--json" in shown) == (command not in ("export", "serve", "proxy"))  # these answer in lines, or nothing
    assert max(map(len, shown.splitlines())) <= 80


def test_the_help_names_only_options_that_do_something() -> None:
    verify, demonstration = run("verify", "--help").output, run("demo", "--help").output
    assert "--file" in verify
    assert "--user" not in verify
    assert "--embedder" not in verify
    assert "--embedder" in demonstration
    assert "--file" not in demonstration


@pytest.mark.parametrize("embedder", ["none", "wordllama"])
def test_what_the_help_shows_works(embedder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if embedder == "wordllama":
        monkeypatch.delenv("MNEMIC_EMBEDDER")
    Path("NOTES").mkdir()
    Path("NOTES", "garden.md").write_text("The tomatoes went in on 3 May.")
    shown = [line.strip().split("   ")[0] for line in run("--help").output.splitlines()]
    calls = [shlex.split(line)[1:] for line in shown if line.startswith("mnemic ") and line != "mnemic demo"]
    assert [call[0] for call in calls] == ["add", "add", "search"]
    answers = [run(*call).stdout for call in calls]
    assert "The alarm code is 4471-Heron." in answers[-1]


def test_the_help_lists_every_command_in_its_section(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    shown = run("--help").output
    listed = [line.split()[0] for line in shown.split("Keep and change:")[1].splitlines() if line.startswith("  ")]
    assert sorted(listed[:-1]) == sorted(COMMANDS)  # the last line is the epilog
    assert sorted(main.commands) == sorted(COMMANDS)
    assert "..." not in shown.split("Keep and change:")[1]


def test_the_help_answers_at_once_and_importing_is_light() -> None:
    started = time.perf_counter()
    assert process("--help").returncode == 0
    assert time.perf_counter() - started < 2.0  # a machine under load, too; about 0.1 s on an idle one
    heavy = (
        "import sys, mnemic.cli; print([m for m in ('numpy', 'rich', 'sqlite3', 'mnemic.memory') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", heavy], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# -- adding texts and messages


def test_words_become_one_message_of_the_default_user() -> None:
    run("add", "Ana", "moved", "to", "Porto", "in", "May.")
    (record,) = answer("list")["records"]
    assert record["text"] == "Ana moved to Porto in May."
    assert (record["role"], record["scope"]["user_id"]) == ("user", "me")


def test_what_was_added_is_found_with_its_record_and_its_time() -> None:
    added = answer("add", "The alarm code is 4471-Heron.", "--time", "2026-04-19T22:14", "--name", "Ana")
    (entry,) = added["receipts"][0]["entries"]
    shown = run("search", "alarm code").stdout
    assert "2026-04-19 22:14  Ana" in shown
    assert "    The alarm code is 4471-Heron." in shown.splitlines()
    assert entry["id"] in shown


def test_a_question_is_answered_with_its_evidence() -> None:
    run("add", "I moved to Porto yesterday.", "--name", "Ana", "--time", "2026-05-08T10:00")
    for other in ("The tram is late.", "The bakery opens at six.", "Ben sold the kayak.", "It rains again."):
        run("add", other, "--name", "Ben")
    done = run("ask", "when", "did", "Ana", "move to Porto?")
    lines = done.stdout.splitlines()
    assert lines[0] == "7 May 2026"
    assert "2026-05-08 10:00  Ana" in lines[1]
    assert lines[2].strip() == "I moved to Porto yesterday."
    assert "note: an extract" in done.stderr
    told = answer("ask", "when did Ana move to Porto?", "--now", "2026-06-01")
    assert (told["text"], told["known"], told["citations"][0]["quote"]) == ("7 May 2026", True, "yesterday")
    assert run("get", told["citations"][0]["evidence"]["id"]).stdout
    quiet = run("ask", "when did Ana move to Porto?", "--quiet")
    assert quiet.stdout == done.stdout
    assert quiet.stderr == ""


def test_what_cannot_be_answered_is_not_known() -> None:
    run("add", "The alarm code is 4471-Heron.")
    refused = run("ask", "what is a giraffe?", code=1)
    assert refused.stdout.startswith("not known: what is a giraffe?\n")
    assert "below 0.50: ask in other words, or with a lower --threshold" in refused.stdout
    assert run("ask", "what is a giraffe?", "--quiet", code=1).output == ""
    assert answer("ask", "what is a giraffe?", code=1)["known"] is False
    assert "Heron" in run("ask", "what is a giraffe?", "--threshold", "0").stdout
    assert "check --user and --project" in run("ask", "what is the alarm code?", "--user", "bob", code=1).stdout
    assert run("ask", "what is the alarm code?", "--as-of", "2020-01-01", "--kind", "fact", code=1).stdout
    for wrong in (["--threshold", "2"], ["--now", "soon"], ["--where", "x"], ["--file", "none.db"]):
        assert run("ask", "what is the alarm code?", *wrong, code=2).stdout == ""
    run("ask", code=2)


def test_an_answer_does_not_steer_the_terminal() -> None:
    run("add", stdin="The alarm code is \x1b[31m4471\x1b[0m.")
    assert "\x1b" not in run("ask", "what is the alarm code?", "--threshold", "0").output


def test_a_search_is_explained() -> None:
    run("add", "the bakery opens at six")
    run("add", "the tram is late")
    bakery, tram = (answer("search", word)["hits"][0]["id"] for word in ("bakery", "tram"))
    why = answer("search", "when does the bakery open?", "-n", "1", "--explain", bakery)
    assert (why["rank"], why["cut"], why["considered"]) == (1, None, 2)
    assert "1 better hit came before it" in run("search", "the bakery", "-n", "1", "--explain", tram).output
    assert "there is no record 'nothing'" in run("search", "bakery", "--explain", "nothing", code=2).output


def test_a_search_by_name_finds_what_is_named() -> None:
    with Memory("mnemic.db") as memory:
        memory.remember("Marta drives a red van.", subject="Marta", user_id="me")
    assert [hit["text"] for hit in answer("search", "What does Matra drive?", "--precise")["hits"]] == [
        "Marta drives a red van."
    ]
    refused = run("search", "Who has a red van?", "--precise", code=1).output
    assert "names none of 1 record with a name" in refused
    assert "without --precise" in refused


def test_adding_twice_changes_nothing_and_says_so() -> None:
    run("add", "same", "--id", "1")
    assert "1 already there" in run("add", "same", "--id", "1").stdout
    assert len(texts()) == 1


@pytest.mark.parametrize(
    ("stdin", "wanted"),
    [
        ("Just some words,\non two lines.\n", ["Just some words,\non two lines.\n"]),
        ('{"role": "user", "content": "one"}\n\n{"role": "assistant", "content": "two"}\n', ["one", "two"]),
        ('[{"role": "user", "content": "one"}, {"role": "user", "content": "two"}]', ["one", "two"]),
        ('{\n  "role": "user",\n  "content": "one"\n}\n', ["one"]),
        ("[photo: a cake] no JSON at all", ["[photo: a cake] no JSON at all"]),
        ('{"temperature": 3}', ['{"temperature": 3}']),
        ("\ufeffwith a byte order mark", ["with a byte order mark"]),
    ],
)
def test_standard_input_is_read_for_what_it_is(stdin: str, wanted: list[str]) -> None:
    run("add", stdin=stdin)
    assert texts() == wanted


def test_a_dash_is_standard_input_and_format_text_leaves_json_alone() -> None:
    run("add", "-", "--format", "text", stdin='{"role": "user", "content": "one"}')
    assert texts() == ['{"role": "user", "content": "one"}']


def test_a_line_that_is_no_message_is_named_and_nothing_is_added() -> None:
    result = run("add", stdin='{"role": "user", "content": "one"}\nnot a message\n', code=2)
    assert "line 2 of standard input is not a message" in result.stderr
    assert not Path("mnemic.db").exists()


@pytest.mark.parametrize(
    ("words", "stdin", "said"),
    [
        (["add"], "   ", "standard input is empty"),
        (["add"], b"\xff\xfe\x00broken", "not UTF-8"),
        (["add", "notes.md"], None, "there is no file or folder 'notes.md'"),
        (["add", "nowhere/"], None, "there is no file or folder 'nowhere/'"),
        (["add", "hi", "--time", "yesterday"], None, "ISO 8601"),
        (["add", "hi", "--user", "a", "--user", "b"], None, "takes only one"),
        (["add", "hi", "--all-projects"], None, "project"),
        (["add", "hi", "--metadata", "[1]"], None, "is not a JSON object"),
        (["add", "hi", "--timezone", "Mars/Olympus"], None, "Mars/Olympus"),
        (["add", "hi", "--user", "a", "--shared"], None, "contradict"),
        (["add", "--name", "Ana"], '[{"content": "a"}, {"content": "b"}]', "for one text"),
        (["search", "x"], None, "there is no file 'mnemic.db'"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(words: list[str], stdin: Any, said: str) -> None:
    result = run(*words, stdin=stdin, code=2)
    assert said in result.stderr
    assert result.stdout == ""
    assert result.stderr.strip().splitlines()[-1].lower().startswith("error: ")


def test_an_unknown_command_or_option_is_answered_with_the_nearest() -> None:
    assert "search" in run("serch", code=2).stderr
    assert "--limit" in run("search", "x", "--limt", "3", code=2).stderr


# -- files and folders


@pytest.fixture(name="notes")
def _notes(tmp_path: Path) -> Path:
    folder = tmp_path / "NOTES"
    (folder / "sub").mkdir(parents=True)
    (folder / ".git").mkdir()
    (folder / "garden.md").write_text("# Garden\n\nThe tomatoes want water twice a week.\n")
    (folder / "sub" / "people.txt").write_text("\ufeffJanssen the plumber: 0123-456.\n", "utf-8")
    (folder / "sub" / "old.TXT").write_bytes("Käse for the fondue".encode("utf-16"))
    (folder / "chat.jsonl").write_text('{"role": "user", "content": "hi there", "id": "c1"}\n')
    (folder / ".git" / "secret.md").write_text("hidden")
    (folder / ".hidden.md").write_text("hidden")
    (folder / "script.py").write_text("print()")
    (folder / "picture.md").write_bytes(b"\x89PNG\x00\x00")
    (folder / "empty.txt").write_text("\n")
    return folder


def test_a_folder_is_read_and_what_cannot_be_is_named(notes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mnemic.intake.LARGEST", 1000)
    (notes / "huge.txt").write_text("x" * 1001)
    os.utime(notes / "garden.md", (1_767_225_600, 1_767_225_600))  # 2026-01-01T00:00Z
    result = run("add", "NOTES/")
    assert "4 added of 4 files, 3 left out (see the warnings)" in result.stdout
    for reason in ("picture.md: not text", "empty.txt: empty", "huge.txt: too large"):
        assert f"warning: left out NOTES/{reason}" in result.stderr
    assert "hidden" not in " ".join(texts())
    records = {record["text"].split()[0]: record for record in answer("list")["records"]}
    garden = records["#"]
    assert (garden["role"], garden["source"]) == ("document", "document")
    assert garden["scope"]["session_id"] == "NOTES/garden.md"
    assert garden["metadata"] == {"path": "NOTES/garden.md"}
    assert garden["message_id"] == (notes / "garden.md").as_posix()
    assert garden["time"] == "2026-01-01T00:00:00+00:00"
    assert "Janssen" in records
    assert "Käse" in records
    assert records["hi"]["message_id"] == "c1"


def test_a_changed_file_supersedes_its_older_version_and_nothing_else_changes(notes: Path) -> None:
    for name in ("picture.md", "empty.txt"):
        (notes / name).unlink()
    run("add", "NOTES")
    (notes / "garden.md").write_text("# Garden\n\nThe tomatoes want water every day.\n")
    os.utime(notes / "sub" / "people.txt")
    counts = answer("add", "NOTES")["counts"]
    assert counts == {"added": 1, "superseded": 1, "ignored": 3}
    assert [text for text in texts() if "tomatoes" in text] == ["# Garden\n\nThe tomatoes want water every day.\n"]
    found = answer("search", "tomatoes water", "--include", "superseded")["hits"]
    assert [hit["state"] for hit in found] == ["current", "superseded"]
    assert "outdated by" in run("search", "tomatoes water", "--include", "superseded").stdout


def test_two_folders_of_one_name_stay_apart(tmp_path: Path) -> None:
    for place in ("a", "b"):
        (tmp_path / place / "notes").mkdir(parents=True)
        (tmp_path / place / "notes" / "todo.md").write_text(f"buy {place}")
    run("add", "a/notes")
    run("add", "b/notes")
    assert sorted(texts()) == ["buy a", "buy b"]


def test_a_named_file_is_taken_whatever_it_is_called_and_a_named_session_counts(notes: Path) -> None:
    run("add", str(notes / "script.py"), "--session", "code")
    (record,) = answer("list")["records"]
    assert (record["text"], record["scope"]["session_id"]) == ("print()", "code")


def test_a_named_file_that_cannot_be_taken_is_an_error(notes: Path) -> None:
    result = run("add", str(notes / "picture.md"), code=2)
    assert "not text" in result.stderr


def test_a_folder_with_a_broken_jsonl_adds_the_rest(notes: Path) -> None:
    (notes / "broken.jsonl").write_text('{"role": "nobody", "content": "x"}\n')
    result = run("add", "NOTES")
    assert "broken.jsonl: message 0 has the unknown role 'nobody'" in result.stderr
    assert len(texts()) == 4
    named = run("add", "NOTES/broken.jsonl", code=2)
    assert "nothing of it was added" in named.stderr


def test_files_and_words_together_are_refused_and_text_is_text(notes: Path) -> None:
    assert "'NOTES' is a file or folder and 'and' is not" in run("add", "NOTES", "and", "more", code=2).stderr
    run("add", "--text", "NOTES")
    assert texts() == ["NOTES"]


def test_an_empty_folder_says_so(tmp_path: Path) -> None:
    (tmp_path / "nothing").mkdir()
    assert "no Markdown, text or .jsonl files" in run("add", "nothing", code=2).stderr


@POSIX
def test_a_file_name_that_is_no_text_is_no_reason_to_stop(tmp_path: Path) -> None:
    folder = tmp_path / "odd"
    folder.mkdir()
    try:
        (Path(os.fsdecode(os.fsencode(folder) + b"/caf\xe9.md"))).write_text("coffee at nine")
    except OSError:
        pytest.skip("this file system takes only UTF-8 names")
    run("add", "odd")
    assert "caf\\xe9.md" in run("search", "coffee").stdout


def test_more_files_than_one_call_takes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli, "FILES_AT_A_TIME", 4)
    (tmp_path / "many").mkdir()
    for number in range(10):
        (tmp_path / "many" / f"{number}.md").write_text(f"note {number}")
    added = answer("add", "many")
    assert (len(added["receipts"]), added["files"], added["counts"]) == (3, 10, {"added": 10})


# -- asking


def test_not_known_says_how_near_it_came_and_exits_1() -> None:
    run("add", "The tomatoes want water twice a week.")
    result = run("search", "who", "won", "the", "chess", "tournament", code=1)
    assert result.stdout.startswith("not known: who won the chess tournament\n  the best of 1 record for user=me")
    assert "below 0.10" in result.stdout
    assert "--threshold 0" in result.stdout
    run("search", "who won the chess tournament", "--threshold", "0")
    found = answer("search", "who won the chess tournament", code=1)
    assert (found["hits"], found["threshold"]) == ([], 0.1)
    assert found["best"] < 0.1
    assert run("search", "who won the chess tournament", "--quiet", code=1).stdout == ""


def test_a_threshold_is_the_callers() -> None:
    run("add", "The tomatoes want water twice a week.")
    assert answer("search", "tomatoes", "--threshold", "0.01")["threshold"] == 0.01
    assert "below 1.00" in run("search", "tomatoes", "--threshold", "1", code=1).stdout


def test_another_user_finds_nothing_and_learns_nothing() -> None:
    run("add", "The alarm code is 4471-Heron.")
    before = run("search", "alarm code", "--user", "bob", code=1)
    assert "0 records may be searched for user=bob" in before.stdout
    assert "Heron" not in before.output
    assert answer("list", "--user", "bob")["records"] == []
    (own,) = answer("list")["records"]
    hidden = run("get", own["id"], "--user", "bob", code=2)
    assert hidden.stderr.replace(own["id"], "X") == run("get", "X", "--user", "bob", code=2).stderr


def test_shared_records_are_everybodys_and_projects_are_walls() -> None:
    run("add", "the office closes at six", "--shared")
    run("add", "the secret of the project", "--project", "apollo")
    assert "closes at six" in run("search", "office closes").stdout
    assert "closes at six" in run("search", "office closes", "--shared").stdout
    run("search", "secret of the project", code=1)
    assert "secret" in run("search", "secret of the project", "-p", "apollo").stdout
    assert "secret" in run("search", "secret of the project", "--all-projects").stdout


def test_the_same_question_at_another_time() -> None:
    run("remember", "Ana lives in Utrecht.", "--key", "ana.home", "--valid-from", "2022")
    run("remember", "Ana lives in Antwerp.", "--key", "ana.home", "--valid-from", "2026-04-18")
    now = run("search", "where does Ana live?").stdout
    assert "Antwerp" in now
    assert "Utrecht" not in now
    assert "true from 2026-04-18 00:00" in now
    then = run("search", "where does Ana live?", "--as-of", "2026-03-20").stdout
    assert "Utrecht" in then
    assert "Antwerp" not in then
    line = run("timeline", "--subject", "Ana").stdout
    assert line == "nothing\n"
    assert run("timeline", "--kind", "fact").stdout.index("Utrecht") < run("timeline").stdout.index("Antwerp")


def test_evidence_filters_and_kinds() -> None:
    run("add", stdin='{"content": "the dentist on Tuesday", "id": "m1", "metadata": {"stars": 4}}')
    episode = answer("list")["records"][0]["id"]
    run("remember", "Ben sees the dentist on Tuesday.", "--kind", "event", "--evidence", episode)
    shown = run("search", "dentist", "--kind", "event", "--evidence").stdout
    assert "evidence: " in shown
    assert "message m1" in shown
    assert episode in shown
    run("search", "dentist", "--where", '{"stars": {"gte": 5}}', code=1)
    assert "dentist on Tuesday" in run("search", "dentist", "--where", '{"stars": {"gte": 4}}').stdout


def test_context_is_text_for_a_prompt_within_its_budget() -> None:
    run("add", "The tomatoes want water twice a week.")
    result = run("context", "tomatoes", "--budget", "50")
    assert "[1]" in result.stdout
    assert "tomatoes" in result.stdout
    assert "of 50 tokens" in result.stderr
    packed = answer("context", "tomatoes", "--budget", "50")
    assert packed["text"] + "\n" == result.stdout
    assert packed["tokens"] <= 50
    run("context", "tomatoes", "--user", "bob", code=1)


def test_lists_go_on_where_they_ended() -> None:
    for number in range(5):
        run("add", f"note {number}", "--time", f"2026-01-0{number + 1}")
    first = answer("list", "-n", "2")
    assert [record["text"] for record in first["records"]] == ["note 4", "note 3"]
    assert f"--after {first['next']}" in run("list", "-n", "2").stderr
    second = answer("list", "-n", "2", "--after", first["next"])
    assert [record["text"] for record in second["records"]] == ["note 2", "note 1"]


def test_times_are_shown_in_the_zone_asked_for() -> None:
    run("add", "noon", "--time", "2026-01-01T12:00+00:00")
    assert "2026-01-01 12:00" in run("list").stdout
    assert "2026-01-01 21:00" in run("list", "--timezone", "Asia/Tokyo").stdout
    run("add", "in Tokyo", "--time", "2026-02-01T12:00", "--timezone", "Asia/Tokyo")
    assert "2026-02-01 03:00" in run("list").stdout


def test_what_would_steer_a_terminal_is_shown_and_not_obeyed() -> None:
    run("add", "--name", "\x1b[2Jeve", "ring\x07 the \x1b]0;title\x07 bell")
    for words in (["search", "ring bell"], ["list"], ["get", answer("list")["records"][0]["id"]]):
        shown = run(*words).stdout
        assert "\x1b" not in shown
        assert "\x07" not in shown
        assert "\\x1b" in shown
    assert texts() == ["ring\x07 the \x1b]0;title\x07 bell"]  # JSON has escapes of its own, and all of the text


# -- changing and taking back


def test_a_life_of_a_record() -> None:
    (entry,) = answer("remember", "Ana drinks tea.", "--author", "ben")["entries"]
    id_ = entry["id"]
    retired = answer("retire", id_, "--reason", "coffee, in truth")
    run("search", "tea", code=1)
    run("undo", retired["id"])
    assert "tea" in run("search", "tea").stdout
    steps = run("history", id_).stdout
    assert [word for word in ("added", "retired", "restored") if word in steps] == ["added", "retired", "restored"]
    assert "by ben" in steps
    changes = [json.loads(line) for line in run("history", id_, "--json").stdout.splitlines()]
    assert [change["action"] for change in changes] == ["added", "retired", "restored"]
    assert "Ana drinks tea." in run("get", id_).stdout
    assert "Ana drinks tea." in run("diff", "2020").stdout
    assert "tea" in answer("diff", "2020", "--user", "me")["added"][0]["text"]


def test_an_undo_that_later_changes_stand_in_the_way_of() -> None:
    first = answer("remember", "Ana lives in Utrecht.", "--key", "home")
    run("retire", first["entries"][0]["id"])
    conflict = run("undo", first["id"], code=2)
    assert conflict.stderr.startswith("error: ")
    run("undo", first["id"], "--cascade")
    run("search", "Utrecht", code=1)


def test_erasing_asks_unless_told_and_a_script_must_tell() -> None:
    run("add", "The alarm code is 4471-Heron.")
    id_ = answer("list")["records"][0]["id"]
    assert "would be 1 erased" in run("erase", id_, "--dry-run").stdout
    refused = run("erase", id_, code=2)
    assert "nobody to ask: pass --yes" in refused.stderr
    assert b"4471-Heron" in Path("mnemic.db").read_bytes()
    run("erase", id_, "--yes")
    assert b"4471-Heron" not in Path("mnemic.db").read_bytes()
    assert "(erased" in run("history", id_).stdout
    assert "there is no record" in run("erase", "nope", "--yes", code=2).stderr


def test_erase_all_is_one_users_and_everything_is_everybodys() -> None:
    run("add", "mine")
    run("add", "his", "--user", "bob")
    run("erase", code=2)
    run("erase", "--all", "--everything", "--yes", code=2)
    run("erase", "--all", "--yes")
    assert texts() == []
    assert [r["text"] for r in answer("list", "-u", "bob")["records"]] == ["his"]
    assert answer("erase", "--everything", "--dry-run")["dry_run"] is True
    run("erase", "--everything", "--yes")
    assert answer("stats", "--everything")["states"]["current"] == 0
    assert "nothing to erase" in run("erase", "--all", code=1).stderr


# -- the whole


def test_update_changes_what_it_is_told_to() -> None:
    held = answer("remember", "Ana lives in Utrecht.", "--subject", "Ana", "--key", "home")["entries"][0]["id"]
    run("update", held, "--text", "Ana lives in Antwerp.", "--pin", "--valid-from", "2026-04-18", "--if-revision", "1")
    record = answer("get", held)
    assert (record["text"], record["subject"], record["pinned"]) == ("Ana lives in Antwerp.", "Ana", True)
    assert record["valid_from"].startswith("2026-04-18")
    run("update", held, "--subject", "", "--unpin", "--valid-from", "")
    record = answer("get", held)
    assert (record["subject"], record["pinned"], record["valid_from"]) == (None, False, None)
    assert "at revision 3" in run("update", held, "--text", "x", "--if-revision", "1", code=2).stderr
    assert "mnemic get" in run("update", held, "--text", "x", "--if-revision", "1", code=2).stderr
    assert "new text behind the id" in run("update", held, code=2).stderr
    run("update", held, "Ana", "lives in Ghent.")
    assert answer("get", held)["text"] == "Ana lives in Ghent."
    assert "twice" in run("update", held, "one", "--text", "other", code=2).stderr
    assert len(run("history", held, "--json").stdout.splitlines()) == 4


def test_what_another_command_has_is_told() -> None:
    assert "'mnemic timeline' has it" in run("list", "--since", "2026", code=2).stderr
    for word in ("version", "help"):
        assert f"did you mean '--{word}'" in run(word, code=2).stderr


def test_an_erasure_is_not_told_as_if_something_of_it_waited() -> None:
    with Memory("mnemic.db") as memory:
        memory.add([{"content": f"Ana moved to Porto {number} days ago."} for number in range(150)], user_id="me")
        assert memory.add("I live in Porto.", user_id="me").pending
        id_ = memory.remember("The code is 4471.", user_id="me").ids[0]
    erased = run("erase", id_, "--yes").stdout
    assert "1 erased (" in erased
    assert "pending" not in erased
    assert "derived" not in erased
    with Memory("mnemic.db") as memory:
        told = str(memory.upkeep(budget_ms=0, user_id="me"))
    assert "messages still to be derived from" in told


def test_a_json_file_is_messages_where_it_holds_a_list_of_them() -> None:
    Path("chat.json").write_text('[{"role": "user", "content": "one"}, {"role": "assistant", "content": "two"}]')
    Path("settings.json").write_text('{"colour": "blue"}')
    done = run("add", "chat.json", "settings.json")
    assert "3 added of 2 files" in done.stdout
    assert "settings.json is no list of messages, so it is kept as a document" in done.stderr
    assert set(texts()) == {"one", "two", '{"colour": "blue"}'}


@pytest.mark.parametrize("content", [b"\xff\xfe\xfa", b"{}\n"], ids=["not text", "no export"])
@pytest.mark.parametrize("way", ["file", "-"])
def test_an_import_that_is_refused_leaves_no_new_file(content: bytes, way: str) -> None:
    Path("bad.jsonl").write_bytes(content)
    done = run("import", "bad.jsonl" if way == "file" else "-", stdin=content if way == "-" else None, code=2)
    assert len(done.stderr.splitlines()) == 1
    assert [path.name for path in Path.cwd().iterdir()] == ["bad.jsonl"]


def test_an_import_is_summed_up() -> None:
    run("add", "one")
    run("export", "all.jsonl", "--everything")
    assert "1 added" in run("import", "all.jsonl", "--file", "new.db").stdout
    assert len(run("import", "all.jsonl", "--file", "second.db").stdout.splitlines()) == 1
    assert len(run("import", "all.jsonl", "--file", "third.db", "--verbose").stdout.splitlines()) == 2


def test_context_gives_what_the_library_gives() -> None:
    run("add", "The alarm code is 4471-Heron.")
    for query in ("what is a giraffe?", "what do I know about Ana?"):
        with Memory("mnemic.db") as memory:
            said = memory.context(query, user_id="me").text
        assert "Heron" in said
        assert run("context", query).stdout == f"{said}\n"
    done = run("context", "what is a giraffe?", "--threshold", "0.1", code=1)
    assert done.stdout == "not in memory\n"
    assert "not known: what is a giraffe?" in done.stderr


def test_errors_speak_of_options() -> None:
    first = answer("remember", "Ana lives in Utrecht.", "--key", "home")
    run("update", first["entries"][0]["id"], "--text", "Ana lives in Antwerp.")
    refused = run("undo", first["id"], code=2).stderr
    assert "--cascade" in refused
    assert "cascade=" not in refused
    assert "mnemic list" in run("search", " ", code=2).stderr
    assert "--kind 'Foo'" in run("remember", "x", "--kind", "Foo", code=2).stderr


def test_export_and_import_give_the_same_memory(tmp_path: Path) -> None:
    run("add", "mine")
    run("add", "his", "--user", "bob")
    own = run("export").stdout
    assert "mine" in own
    assert "his" not in own
    assert "wrote" in run("export", "all.jsonl", "--everything").stderr
    run("import", "all.jsonl", "--file", "new.db")
    assert [r["text"] for r in answer("list", "-u", "bob", "--file", "new.db")["records"]] == ["his"]
    refused = run("import", "all.jsonl", "--file", "other.db", "--user", "me", code=2)
    assert "nothing was imported" in refused.stderr or "outside the scope" in refused.stderr
    run("import", "-", "--file", "third.db", stdin=own)
    assert answer("list", "--file", "third.db")["records"][0]["text"] == "mine"
    assert "all.jsonx" in run("import", "all.jsonx", code=2).stderr


def test_stats_and_rebuild() -> None:
    run("add", "mine")
    run("add", "his", "--user", "bob")
    assert answer("stats")["records"] == {"episode": 1}
    assert answer("stats", "--everything")["records"] == {"episode": 2}
    assert "the whole file in mnemic.db" in run("stats", "--everything").stdout
    assert re.search(r"\b1 documents?\b", run("rebuild").stdout)
    assert "2 documents in 2 walls" in run("rebuild", "--everything").stdout


def test_verify_finds_a_change_made_behind_the_journals_back() -> None:
    import sqlite3

    run("add", "Ana owes Ben 10 euros.")
    assert run("verify").stdout.startswith("whole: 1 changes in unbroken chains")
    with sqlite3.connect("mnemic.db") as connection:
        connection.execute("UPDATE records SET text = 'Ben owes Ana 10 euros.'")
    connection.close()
    result = run("verify", code=1)
    assert "is not what was journaled" in result.stdout
    assert answer("verify", code=1)["ok"] is False


def test_verify_tells_of_times_to_come() -> None:
    run("add", "on time")
    assert answer("verify")["notes"] == []
    with Memory("mnemic.db", embedder="none", clock=FrozenClock(datetime(2099, 5, 1, tzinfo=UTC))) as ahead:
        ahead.add("from the future", user_id="me")
    result = run("verify")
    assert result.stdout.startswith("whole: ")
    assert "tenant '': the last change is recorded at 2099-05-01 00:00:00 UTC, " in result.stdout
    assert answer("verify")["ok"] is True


def test_a_file_that_is_no_store_is_left_alone_and_exits_3() -> None:
    Path("letter.txt").write_text("Dear Ben, " * 50)
    result = run("stats", "--file", "letter.txt", code=3)
    assert "not a Mnemic store" in result.stderr
    assert Path("letter.txt").read_text() == "Dear Ben, " * 50
    missing = run("add", "hi", "--file", "no/such/folder/x.db", code=3)
    assert "the folder of" in missing.stderr


# -- settings


def test_options_count_before_and_after_the_command_and_the_later_one_wins() -> None:
    run("--file", "a.db", "--user", "ana", "add", "hi")
    assert Path("a.db").exists()
    assert (
        json.loads(run("--json", "-f", "b.db", "list", "-f", "a.db", "-u", "ana").stdout)["records"][0]["text"] == "hi"
    )


def test_the_environment_is_what_is_assumed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MNEMIC_FILE", "there.db")
    monkeypatch.setenv("MNEMIC_USER", "ana")
    run("add", "hi")
    assert Path("there.db").exists()
    assert answer("list")["records"][0]["scope"]["user_id"] == "ana"
    assert answer("list", "--user", "me")["records"] == []


def test_only_config_reads_the_environment() -> None:
    package = Path(config.__file__).parent
    readers = [file.name for file in package.rglob("*.py") if "os.environ" in file.read_text("utf-8")]
    assert readers == ["config.py"]
    assert config.settings({}) == config.Settings()
    given = config.settings({"MNEMIC_USER": "", "MNEMIC_FILE": "x.db", "NO_COLOR": "1"})
    assert (given.user, given.file, given.color) == ("me", "x.db", False)


def test_local_time_knows_summer(monkeypatch: pytest.MonkeyPatch) -> None:
    if not hasattr(time, "tzset"):
        pytest.skip("the machine's zone cannot be set here")
    monkeypatch.setenv("TZ", "Europe/Lisbon")
    time.tzset()
    run("add", "winter", "--time", "2026-01-15T12:00")
    run("add", "summer", "--time", "2026-07-15T12:00")
    times = {record["text"]: record["time"] for record in answer("list")["records"]}
    assert times == {"winter": "2026-01-15T12:00:00+00:00", "summer": "2026-07-15T11:00:00+00:00"}
    assert "2026-07-15 12:00" in run("list").stdout
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()


def test_quiet_leaves_only_the_answer() -> None:
    assert run("add", "The tomatoes want water.", "--quiet").output == ""
    assert run("remember", "Tomatoes are red.", "-q").output == ""
    shown = run("context", "tomatoes", "--quiet")
    assert shown.stderr == ""


# -- real processes: pipes, terminals, signals


def test_pipes_in_and_out() -> None:
    lines = "".join(json.dumps({"content": f"message {n} " + "x" * 400}) + "\n" for n in range(600))
    added = process("add", "-", stdin=lines.encode())
    assert added.returncode == 0, added.stderr
    (told,) = added.stderr.splitlines()  # no progress bar where nobody watches
    assert told == b"note: nothing has been derived yet from what is pending: upkeep does that"
    assert b"600 added" in added.stdout


@POSIX
def test_a_reader_that_goes_away_is_no_error() -> None:
    with Memory("mnemic.db", embedder="none") as memory:
        memory.add([f"message {n} " + "x" * 400 for n in range(600)], user_id="me")
    for command in ("export", "list -n 600"):
        script = f'"{sys.executable}" -m mnemic {command} | head -n 1; exit "${{PIPESTATUS[0]}}"'
        done = subprocess.run(["bash", "-c", script], capture_output=True, timeout=60)
        assert (done.returncode, done.stderr) == (0, b""), command
        assert done.stdout.count(b"\n") == 1


@POSIX
def test_ctrl_c_exits_130_without_a_traceback_and_nothing_half_done() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "mnemic", "add", "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as child:
        assert child.stdin is not None
        child.stdin.write(b"half a message " * 20_000)  # more than a pipe holds: when this returns, it is reading
        child.stdin.flush()
        time.sleep(0.1)  # until it waits for more
        child.send_signal(signal.SIGINT)
        code = child.wait(timeout=20)
        assert child.stdout is not None
        assert child.stderr is not None
        assert code == 130
        assert child.stdout.read() == b""
        assert b"Traceback" not in child.stderr.read()
    assert not Path("mnemic.db").exists()


def _on_a_terminal(words: Sequence[str], type_in: bytes, *, width: int = 80) -> tuple[int, str]:
    """Run the command on a terminal of its own, type something in, and give its exit code and its screen."""
    import fcntl
    import pty
    import struct
    import termios

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
    environment = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
    with subprocess.Popen(
        [sys.executable, "-m", "mnemic", *words],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**environment, "TERM": "xterm"},
        start_new_session=True,
    ) as child:
        os.close(theirs)
        screen = b""
        typed = False
        try:
            while True:
                read = os.read(ours, 65_536)
                if not read:
                    break
                screen += read
                if type_in and not typed and b"?" in screen:
                    typed = True
                    os.write(ours, type_in)
        except OSError:
            pass  # the other side has closed it
        finally:
            os.close(ours)
        return child.wait(timeout=20), screen.decode()


@POSIX
def test_erasing_asks_on_a_terminal() -> None:
    run("add", "The alarm code is 4471-Heron.")
    code, screen = _on_a_terminal(["erase", "--all"], b"n\n")
    assert (code, "nothing was erased" in screen) == (1, True)
    assert "Erase 1 record of user=me for good?" in screen
    assert len(texts()) == 1
    assert _on_a_terminal(["erase", "--all"], b"\x04")[0] != 0  # the input ends
    assert len(texts()) == 1
    assert _on_a_terminal(["erase", "--all"], b"y\n")[0] == 0
    assert texts() == []


@POSIX
@pytest.mark.parametrize("width", [80, 120])
def test_hits_fit_the_terminal(width: int) -> None:
    run("add", "The tomatoes want water twice a week, " * 8)
    code, screen = _on_a_terminal(["search", "tomatoes"], b"", width=width)
    plain = [click.unstyle(line) for line in screen.splitlines()]
    assert code == 0
    assert width - 30 < max(map(len, plain)) <= width
    assert run("search", "tomatoes").stdout.count("\n") == 3  # in a pipe a text stays on one line


@POSIX
def test_long_work_shows_its_progress_on_a_terminal(tmp_path: Path) -> None:
    (tmp_path / "many").mkdir()
    for number in range(130):
        (tmp_path / "many" / f"{number}.md").write_text(f"note {number}")
    code, screen = _on_a_terminal(["add", "many"], b"")
    assert code == 0
    assert "reading" in screen
    assert "130 added of 130 files" in click.unstyle(screen)


def test_the_plain_bar_is_used_where_rich_is_not_installed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    for name in ("rich.console", "rich.progress"):
        monkeypatch.setitem(sys.modules, name, None)
    with progress.bar("reading", 2, show=True) as advance:
        advance(1)
        advance(1)
    assert "reading" in capsys.readouterr().err


# -- the measurements


def test_bench_runs_from_a_checkout_and_says_so_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    run("bench", "--help")
    assert "python -m bench" in capfd.readouterr().out
    monkeypatch.setattr(cli, "_checkout", lambda: None)
    assert "run this in a checkout" in run("bench", code=2).stderr


def _calls() -> Iterator[Callable[[], Result]]:
    """Every command once, with an answer in JSON."""
    id_ = answer("list", "-n", "1")["records"][0]["id"]
    for words in (
        ["search", "note"],
        ["ask", "note", "--threshold", "0"],
        ["context", "note"],
        ["get", id_],
        ["list"],
        ["history", id_],
        ["timeline"],
        ["diff", "2020"],
        ["stats"],
        ["verify"],
        ["rebuild"],
        ["retire", id_],
        ["erase", id_, "--yes"],
        ["export"],
    ):
        yield lambda words=words: run(*words, "--json")


def test_json_is_json_everywhere_and_stands_alone() -> None:
    run("add", "a note")
    for call in _calls():
        result = call()
        assert result.stderr == ""
        for line in result.stdout.splitlines():
            assert isinstance(json.loads(line), dict)


# -- forgetting


def test_upkeep_forgets_what_it_is_told_to_and_undo_takes_it_back() -> None:
    run("add", "--time", "2020-01-01T00:00Z", "The heron stood by the mill.")
    assert answer("upkeep")["entries"] == []
    receipt = answer("upkeep", "--forgetting", "ebbinghaus")
    assert [(entry["action"], entry["reason"]) for entry in receipt["entries"]] == [("faded", "cold")]
    assert texts() == []
    assert "The heron stood by the mill." in run("list", "--include", "faded").stdout
    run("undo", receipt["id"])
    assert texts() == ["The heron stood by the mill."]
    run("upkeep", "--forgetting", "ebbinghaus")
    assert texts() == ["The heron stood by the mill."]
    assert "'budget:RECORDS'" in run("upkeep", "--forgetting", "ebinghaus", code=2).output


def test_entities_are_merged_and_split(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MNEMIC_RECIPE", "rules")
    for said in ("My friend Mel lives in Porto.", "My cousin Melanie lives in Faro."):
        run("add", said, "--user", "ana")

    def entities() -> dict[str, str]:
        return {
            record["subject"]: record["id"] for record in answer("list", "--kind", "entity", "--user", "ana")["records"]
        }

    found = entities()
    run("merge", found["Mel"], "--into", found["Melanie"], "--user", "ana")
    assert set(entities()) == {"Melanie"}
    run("split", found["Melanie"], "--name", "Mel", "--user", "ana")
    assert set(entities()) == {"Mel", "Melanie"}
    assert "is no name of" in run("split", found["Melanie"], "--name", "Mel", "--user", "ana", code=2).stderr


def test_imports_from_elsewhere_and_a_folder_of_markdown(tmp_path: Path) -> None:
    rows = [{"words": "I moved to Porto in May.", "sent": "2026-05-20T10:00Z"}, {"words": " "}]
    Path("rows.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    told = run("import", "rows.jsonl", "--map", "text=words,time=sent", "--dry-run")
    assert "would be 1 added" in told.output
    assert "left out 1: no text ('rows.jsonl', line 2)" in told.output
    assert not Path("mnemic.db").exists()
    assert answer("import", "rows.jsonl", "--map", "text=words,time=sent")["entries"][0]["action"] == "added"
    assert "1 ignored" in run("import", "rows.jsonl", "--map", "text=words,time=sent").output
    run("import", "rows.jsonl", "--map", "text", code=2)
    assert "--map text=" in run("import", "rows.jsonl", code=2).output
    assert "did you mean 'jsonl'" in run("import", "rows.jsonl", "--format", "jsnl", code=2).output
    run("export", "--markdown", code=2)
    run("export", "out", "--markdown")
    assert "1 added" in run("import", "out", "--file", "other.db").output
    assert answer("list", "--kind", "episode", "--file", "other.db") == answer("list", "--kind", "episode") | {
        "records": [
            one | {"recorded_at": other["recorded_at"]}
            for one, other in zip(
                answer("list", "--kind", "episode")["records"],
                answer("list", "--kind", "episode", "--file", "other.db")["records"],
                strict=True,
            )
        ]
    }
    run("import", "out", "--file", "other.db", "--only", "x", code=2)
    Path("mine").mkdir()
    assert "there is no folder" in run("notes", "none", "--once", code=2).output
    assert run("notes", "mine", "--once").output == "nothing to do\n"
