"""`python -m bench`, end to end on small things: the sample that ships, and a chat log of sixty lines."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from bench import speed
from bench.__main__ import main


def run(*arguments: str) -> str:
    result = CliRunner().invoke(main, list(arguments))
    assert result.exit_code == 0, result.output
    return result.output


def test_help_names_every_run():
    output = run("--help")
    assert all(
        command in output
        for command in (
            *("quality", "speed", "fit", "variants", "pairs", "ablate", "failures", "derive", "updates", "model"),
            *("summaries", "forgetting", "aio", "serve", "mcp"),
        )
    )


def test_aio_measures_each_kind_of_call():
    rows = [line.split(" | ") for line in run("aio", "--calls", "10", "--episodes", "40").splitlines() if "| " in line]
    assert [row[1] for row in rows[1:]] == ["0", "10", "10", "10", "10"]
    assert all(0 <= float(row[5]) <= float(row[6]) for row in rows[1:])


def test_serve_loses_nothing_under_a_few_clients():
    output = run("serve", "--clients", "4", "--seconds", "0.3", "--times", "10", "--workers", "1")
    assert "| errors, acknowledged and lost | 0, 0 |" in output


def test_quality_on_the_sample(tmp_path: Path):
    arguments = ["--data", str(tmp_path), "--out", str(tmp_path / "out"), "--name", "small"]
    output = run("quality", *arguments, "--sets", "locomo,sample", "--limit", "1", "--systems", "mnemic,grep")
    assert f"no data for locomo under {tmp_path}: left out" in output
    data = json.loads((tmp_path / "out" / "small.json").read_text())
    assert data["missing"] == ["locomo"]
    found = {
        f["system"]: f["estimate"]["mean"] for f in data["figures"] if (f["metric"], f["category"]) == ("recall@10", "")
    }
    assert found["mnemic"] > found["grep"] > 0
    assert "## Where Mnemic loses" in (tmp_path / "out" / "small.md").read_text()


def test_feedback_on_the_sample(tmp_path: Path):
    output = run("feedback", "--data", str(tmp_path), "--sets", "locomo,sample", "--limit", "2")
    assert f"no data for locomo under {tmp_path}: left out" in output
    assert "| by the key | 0." in output
    assert "| the wrong way round | 0." in output


def test_forgetting_on_the_sample(tmp_path: Path):
    output = run("forgetting", "--data", str(tmp_path), "--sets", "locomo,sample", "--limit", "1")
    assert f"no data for locomo under {tmp_path}: left out" in output
    assert "| none | nothing used | 0% | " in output
    assert "| budget:200 | used by the key | " in output


def test_summaries_on_the_sample(tmp_path: Path):
    output = run("summaries", "--data", str(tmp_path), "--sets", "locomo,sample", "--limit", "1")
    assert f"no data for locomo under {tmp_path}: left out" in output
    assert "| **what tells most** | " in output
    assert "| month | " in output
    assert "| leaders by meaning | " in output


def test_a_variant_is_named_with_its_comma(tmp_path: Path):
    arguments = ["--data", str(tmp_path), "--out", str(tmp_path), "--name", "v", "--variants", str(tmp_path / "none")]
    output = run("quality", *arguments, "--sets", "sample", "--limit", "1", "--systems", "mnemic,mnemic, transfer,grep")
    assert "| part | metric | questions | mnemic | mnemic, transfer | best baseline | Δ |" in output


def test_pairs_on_the_sample(tmp_path: Path):
    arguments = ["--data", str(tmp_path), "--out", str(tmp_path), "--name", "small"]
    output = run("pairs", *arguments, "--sets", "locomo,sample", "--limit", "2")
    assert f"no data for locomo under {tmp_path}: left out" in output
    assert "| sample | evidence deleted |" in output
    assert "# Minimal pairs" in (tmp_path / "small.md").read_text()


def test_failures_on_the_sample(tmp_path: Path):
    output = run("failures", "--data", str(tmp_path), "--out", str(tmp_path), "--sets", "sample", "--limit", "1")
    assert "| all missed, of |" in output
    (written,) = tmp_path.glob("failures-*.md")
    assert "- conversations of a set, at most: 1" in written.read_text()


def test_ablate_without_any_set_says_so(tmp_path: Path):
    result = CliRunner().invoke(main, ["ablate", "--data", str(tmp_path), "--sets", "beam"])
    assert result.exit_code != 0
    assert "--data names another folder" in result.output


def test_quality_without_any_set_says_so(tmp_path: Path):
    result = CliRunner().invoke(main, ["quality", "--data", str(tmp_path), "--sets", "beam"])
    assert result.exit_code != 0
    assert "--data names another folder" in result.output


def test_an_unknown_system_is_answered_with_the_known_ones(tmp_path: Path):
    result = CliRunner().invoke(main, ["quality", "--data", str(tmp_path), "--sets", "sample", "--systems", "grepp"])
    assert result.exit_code != 0
    assert "no system is called grepp; there are mnemic, newest first, grep" in result.output


@pytest.fixture
def log(tmp_path: Path) -> Path:
    lines = ["=== 2004-12-25.train-c.raw.txt"]
    lines += [f"[09:{n:02d}] <ann{n % 3}> which kernel does number {n} need here?" for n in range(60)]
    path = tmp_path / "chatlog" / "ubuntu_irc_train.txt.gz"
    path.parent.mkdir()
    path.write_bytes(gzip.compress("\n".join(lines).encode()))
    return path


def test_speed_gives_each_figure_its_floor(log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(speed, "SINGLES", 3)
    monkeypatch.setattr(speed, "FIRST_RESULT_SIZE", 40)
    monkeypatch.setattr(speed, "RESIDENT_SIZE", 60)
    monkeypatch.setattr(speed, "USERS", 5)
    measured = speed.measure(log, [40, 60], about={}, seed=0, seconds=0.1, progress=lambda _: None)
    assert [comparison.scene for comparison in measured.searches] == [
        "search, one user with 40 episodes",
        "search, one user with 60 episodes",
        "search, one of 5 users with 12 episodes each",
    ]
    assert all(comparison.ratio > 0 for comparison in (*measured.searches, *measured.writes))
    assert measured.facts["resident memory with 60 episodes searched, MiB"] > 10
    markdown, data = speed.write(measured, tmp_path, "speed")
    assert "| one message a call, durable |" in markdown.read_text()
    assert json.loads(data.read_text())["facts"]


def test_floor_finds_what_is_there(log: Path):
    floor = speed.Floor()
    floor.add(list(speed.chatlog(log, 60)))
    floor.index()
    assert floor.look_up("number 41")[0] == 41
    assert floor.scan(floor.embed("ann2: which kernel does number 41 need here?"))[0] == 41


def test_fts5_finds_what_is_there(log: Path, tmp_path: Path):
    engine = speed.Fts5(tmp_path / "fts5.db")
    engine.add(list(speed.chatlog(log, 60)))
    assert engine("number 41")[0] == 42  # rows count from 1
    engine.close()


def test_a_model_that_fails():
    output = run("model", "--segments", "20", "--share", "0.3", "--kills", "1")
    assert "| statements lost, told twice | 0, 0 |" in output
    assert "(0 left) |" in output
    assert "the same records | yes," in output
