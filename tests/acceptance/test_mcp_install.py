"""`mnemic mcp install`: the server written into the settings of clients, in a home of the tests' own."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from mnemic.cli import main
from mnemic.config import folders
from mnemic.serve.mcp.clients import CLIENTS, file_of

ROOT = Path(__file__).resolve().parents[2]
FILES = {
    "claude-code": ".mcp.json",
    "claude-desktop": ".config/Claude/claude_desktop_config.json",
    "cursor": ".cursor/mcp.json",
    "vscode": ".config/Code/User/mcp.json",
    "windsurf": ".codeium/windsurf/mcp_config.json",
    "zed": ".config/zed/settings.json",
    "codex": ".codex/config.toml",
    "gemini-cli": ".gemini/settings.json",
    "opencode": ".config/opencode/opencode.json",
}
KEYS = {"vscode": "servers", "zed": "context_servers", "codex": "mcp_servers", "opencode": "mcp"}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home and a project's folder in one, with nothing in it."""
    for name in ("XDG_CONFIG_HOME", "APPDATA", "CODEX_HOME", "MNEMIC_FILE", "MNEMIC_USER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "platform", "linux")
    return tmp_path


def install(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["mcp", "install", *arguments], catch_exceptions=False)


def held(client: str, path: Path) -> dict[str, Any]:
    """The servers in a client's file."""
    text = path.read_text("utf-8")
    whole: dict[str, Any] = tomllib.loads(text) if path.suffix == ".toml" else json.loads(text)
    return whole[KEYS.get(client, "mcpServers")]


@pytest.mark.parametrize("client", FILES)
def test_a_client_gets_an_entry_that_starts_the_server(client: str, home: Path) -> None:
    path = home / FILES[client]
    dry = install(client, "--dry-run")
    assert dry.exit_code == 0
    assert "would change: mnemic in" in dry.output
    assert str(home / "mnemic.db") in dry.output
    assert not path.exists()

    done = install(client)
    assert done.output.startswith(f"added: mnemic in {path}\n")
    entry = held(client, path)["mnemic"]
    command = entry["command"] if client == "opencode" else [entry["command"], *entry["args"]]
    assert command[-3:] == ["mcp", "--file", str(home / "mnemic.db")]
    assert Path(command[0]).is_absolute()
    assert entry.get("type") == {"claude-code": "stdio", "vscode": "stdio", "opencode": "local"}.get(client)

    once = path.read_bytes()
    assert install(client).output.startswith("nothing to change")
    assert path.read_bytes() == once
    assert install(client, "--remove").output.startswith("removed")
    assert "mnemic" not in path.read_text()
    assert install(client, "--remove").output.startswith("nothing to change")


def test_the_entry_really_starts_a_server(home: Path) -> None:
    install("cursor", "--user", "ana", "--", "--no-upkeep")
    entry = held("cursor", home / FILES["cursor"])["mnemic"]
    request = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "initialize",
        "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}},
    }
    done = subprocess.run(
        [entry["command"], *entry["args"]],
        input=json.dumps(request) + "\n",
        cwd=ROOT,  # anywhere but in the home
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout)["result"]["serverInfo"]["name"] == "mnemic"
    assert not (home / "mnemic.db").exists()  # nothing was asked of the memory


def test_others_entries_and_comments_stay_and_a_backup_is_kept(home: Path) -> None:
    path = home / FILES["zed"]
    path.parent.mkdir(parents=True)
    text = (
        '// Zed settings\n{\n  "theme": "One Dark", // dark\n'
        '  "context_servers": {\n    "git": {"command": "x"}\n  },\n}\n'
    )
    path.write_text(text)
    path.chmod(0o640)
    done = install("zed")
    after = path.read_text()
    assert after.startswith('// Zed settings\n{\n  "theme": "One Dark", // dark\n')
    assert '    "git": {"command": "x"},\n    "mnemic": {\n      "command": ' in after
    assert path.stat().st_mode & 0o777 == 0o640
    (backup,) = path.parent.glob("*.bak")
    assert f"backup: {backup}" in done.output
    assert backup.read_text() == text
    install("zed", "--remove")
    assert path.read_text() == text


def test_a_file_that_cannot_be_read_is_left_as_it_is(home: Path) -> None:
    path = home / FILES["cursor"]
    path.parent.mkdir()
    path.write_text('{"mcpServers": {"git": ')
    done = install("cursor")
    assert done.exit_code == 2
    assert f"{path} was left as it is: it is not JSON" in done.output
    assert path.read_text() == '{"mcpServers": {"git": '
    assert list(path.parent.iterdir()) == [path]


def test_a_link_into_somebodys_dotfiles_stays_a_link(home: Path) -> None:
    real = home / "dotfiles" / "mcp.json"
    real.parent.mkdir()
    real.write_text("{}\n")
    path = home / FILES["cursor"]
    path.parent.mkdir()
    path.symlink_to(real)
    install("cursor")
    assert path.is_symlink()
    assert "mnemic" in real.read_text()


def test_file_scope_and_options_are_written_down(home: Path) -> None:
    options = ["--file", "notes/team.db", "--project", "rocket", "--shared", "--name", "team"]
    install("claude-code", *options, "--", "--let-model-choose", "session", "--max-tokens", "2000")
    args = held("claude-code", home / ".mcp.json")["team"]["args"]
    told = args[args.index("--file") :]
    assert told == [
        *("--file", str(home / "notes/team.db"), "--project", "rocket", "--shared"),
        *("--let-model-choose", "session", "--max-tokens", "2000"),
    ]
    install("cursor", "--command", "uvx --from mnemic[mcp] mnemic")
    entry = held("cursor", home / FILES["cursor"])["mnemic"]
    assert [entry["command"], *entry["args"][:4]] == ["uvx", "--from", "mnemic[mcp]", "mnemic", "mcp"]


def test_the_projects_own_settings_where_asked(home: Path) -> None:
    install("vscode", "--here")
    assert held("vscode", home / ".vscode/mcp.json")["mnemic"]["type"] == "stdio"
    done = install("windsurf", "--here")
    assert done.exit_code == 2
    assert "no settings for one project" in done.output


def test_claude_code_is_also_told_by_its_own_command(home: Path) -> None:
    shown = install("claude-code", "--dry-run").output
    line = next(line for line in shown.splitlines() if "claude mcp add" in line).partition(": ")[2]
    parts = shlex.split(line)
    assert parts[:7] == ["claude", "mcp", "add", "--scope", "user", "mnemic", "--"]
    assert parts[-3:] == ["mcp", "--file", str(home / "mnemic.db")]
    assert "the file of the project in this folder" in shown
    assert "the file of the project in this folder" not in install("codex", "--dry-run").output
    assert (home / ".mcp.json").exists() is False
    told = install("claude-code").output
    assert install("claude-code", "--here").output.startswith(f"nothing to change: mnemic in {home / '.mcp.json'}")
    assert "for all your projects, in place of it: claude mcp add --scope user" in told


def test_opencode_keeps_its_newer_form_and_its_file_with_comments(home: Path) -> None:
    path = home / ".config/opencode/opencode.jsonc"
    path.parent.mkdir(parents=True)
    path.write_text('{\n  // servers\n  "mcp": {"servers": {"git": {"type": "local", "command": ["x"]}}}\n}\n')
    install("opencode")
    assert '"servers": {"git": {"type": "local", "command": ["x"]}, "mnemic": {"type": "local"' in path.read_text()
    assert "// servers" in path.read_text()


def test_wrong_names_and_options_are_refused_before_anything_is_written(home: Path) -> None:
    assert "did you mean 'cursor'" in install("curser").output
    assert "did you mean 'claude-code'" in install("claude").output
    done = install("cursor", "--", "--refernce")
    assert done.exit_code == 2
    assert "--reference" in done.output
    assert install("cursor", "--", "--max-tokens", "3").exit_code == 2
    assert not (home / ".cursor").exists()


def test_without_a_client_they_are_listed(home: Path) -> None:
    install("cursor")
    lines = install().output.splitlines()
    assert [line.split()[0] for line in lines] == list(FILES)
    assert lines[2].split() == ["cursor", str(home / FILES["cursor"])]
    assert lines[0].endswith("(no such file)")
    (known,) = [one for one in json.loads(install("--json").output) if one["client"] == "cursor"]
    assert known["exists"] is True


@pytest.mark.parametrize(
    ("platform", "client", "file"),
    [
        ("darwin", "claude-desktop", "Library/Application Support/Claude/claude_desktop_config.json"),
        ("darwin", "vscode", "Library/Application Support/Code/User/mcp.json"),
        ("darwin", "zed", ".config/zed/settings.json"),
        ("win32", "claude-desktop", "AppData/Roaming/Claude/claude_desktop_config.json"),
        ("win32", "zed", "AppData/Roaming/Zed/settings.json"),
        ("win32", "cursor", ".cursor/mcp.json"),
        ("linux", "opencode", ".config/opencode/opencode.json"),
    ],
)
def test_where_clients_keep_their_settings(platform: str, client: str, file: str, tmp_path: Path) -> None:
    known = next(one for one in CLIENTS if one.name == client)
    assert file_of(known, folders({"HOME": str(tmp_path)}, platform)) == tmp_path / file
