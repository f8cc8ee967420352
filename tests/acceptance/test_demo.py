"""The demo's claims, checked from outside: with and without vectors, as a command, and that it can fail."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import click
import pytest

from mnemic import Memory, demo, samples

CHECKED_BY_GREP = pytest.mark.skipif(shutil.which("grep") is None, reason="needs grep")


@pytest.fixture(name="shown", scope="module", params=[None, "none"], ids=["vectors", "words alone"])
def _shown(request: pytest.FixtureRequest) -> tuple[demo.Report, list[str]]:
    lines: list[str] = []
    report = demo.run(lambda line: lines.append(click.unstyle(line)), width=80, embedder=request.param)
    return report, lines


def test_everything_goes_as_it_says(shown: tuple[demo.Report, list[str]]) -> None:
    report, lines = shown
    assert report.held
    assert report.messages == len(samples.load("home").messages)
    assert report.elapsed < 20
    assert max(map(len, lines)) <= 80


def test_what_is_printed_is_what_was_counted(shown: tuple[demo.Report, list[str]]) -> None:
    report, lines = shown
    page = re.sub(r"\s+", " ", " ".join(lines))
    for words in (
        f"kept {report.messages} of {report.messages} in {report.seconds:.2f} s",
        report.now,
        report.then,
        f"the best has relevance {report.unknown_best:.2f}, below the threshold 0.10",
        f"acknowledged {report.acknowledged}, found after opening the file again {report.found}: none lost",
        f"demo.db: {report.lines_before}",
        "demo.db: 0",
        'mnemic add NOTES/ && mnemic search "…"',
    ):
        assert re.sub(r"\s+", " ", words) in page, words


def test_the_answers_are_the_samples(shown: tuple[demo.Report, list[str]]) -> None:
    report, _ = shown
    by_id = {message["id"]: message["content"] for message in samples.load("home").messages}
    assert report.then == by_id["home-01-05"]
    assert report.now == by_id["home-17-01"]


def test_the_calls_that_are_printed_can_be_made(
    shown: tuple[demo.Report, list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    report, lines = shown
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    answers: dict[str, Any] = {}
    for line in lines:
        if line.startswith("   > "):
            call = line.removeprefix("   > ")
            if call.startswith(("from ", "memory = ", "home = ", "hits = ")):
                exec(call, names)
            else:
                answers[call] = eval(call, names)
    names["memory"].close()
    assert answers[f'home.search("{demo.QUESTION}")'][0].text == report.now
    assert answers[f'home.search("{demo.QUESTION}", as_of="{demo.EARLIER}")'][0].text == report.then
    assert answers[f'home.search("{demo.UNKNOWN}", threshold={demo.THRESHOLD})'].best == report.unknown_best
    assert len(answers["home.history(hits[0].id)"]) == report.history
    assert not any(demo.lines_with(tmp_path / "demo.db", demo.PHRASE).values())


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_the_writer_was_really_killed(shown: tuple[demo.Report, list[str]]) -> None:
    report, _ = shown
    assert report.signal == 9
    assert report.acknowledged >= 1
    assert report.kept_more <= 1  # one call was under way at most


@CHECKED_BY_GREP
def test_it_counts_as_grep_counts(tmp_path: Path) -> None:
    file = tmp_path / "home.db"
    with Memory(file, embedder="none") as memory:
        memory.add(samples.load("home").messages, user_id="home")
        both = demo.lines_with(file, demo.PHRASE)
        assert both["home.db-wal"] > 0  # it has not been moved into the file yet
        for name, counted in both.items():
            told = subprocess.run(["grep", "-c", demo.PHRASE, tmp_path / name], capture_output=True, text=True)
            assert int(told.stdout) == counted
        assert demo.lines_with(file, "never said") == dict.fromkeys(both, 0)


def test_the_command_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", None)
    environment = {**os.environ, "TMPDIR": str(tmp_path), "TEMP": str(tmp_path), "TMP": str(tmp_path)}
    command = [sys.executable, "-m", "mnemic", "demo", "--json"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    report = json.loads(done.stdout)
    assert report["found"] == report["acknowledged"] > 0
    assert report["lines_after"] == 0 < report["lines_before"]
    assert list(tmp_path.iterdir()) == []


def test_a_demo_that_does_not_hold_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "PHRASE", "a phrase that nobody said")
    lines: list[str] = []
    report = demo.run(lines.append, embedder="none")
    assert not report.held
    assert any("Not everything went as it should" in line for line in lines)
