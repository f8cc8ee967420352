"""An entry put into settings, and taken out: everything else stays byte for byte."""

from __future__ import annotations

import json
import random
from collections.abc import Callable

import pytest

from mnemic.errors import ConfigError
from mnemic.serve.mcp import splice

PATH = ("mcpServers", "mnemic")
ENTRY = {"command": "/opt/mnemic", "args": ["mcp", "--file", "/srv/mnemic.db"]}
TABLE = ("mcp_servers", "mnemic")

COMMENTED = """\
// Ana's servers
{
    "theme": "dark", // at night
    "mcpServers": {
        "git": { "command": "uvx", "args": ["mcp-server-git"] }, /* "mnemic": {} */
        "url": {"url": "https://example.org/a//b"}
        // the last word
    },
    "zoom": 1.50,
}
"""


def test_comments_and_others_entries_stay_as_they_are() -> None:
    after = splice.with_entry(COMMENTED, PATH, ENTRY, "json")
    for line in COMMENTED.splitlines():
        assert line in after or line == '        "url": {"url": "https://example.org/a//b"}'
    assert '"url": {"url": "https://example.org/a//b"},\n        // the last word\n        "mnemic": {\n' in after
    assert '            "command": "/opt/mnemic",' in after
    assert splice.without_entry(after, PATH, "json") == COMMENTED


@pytest.mark.parametrize(
    "text",
    [
        '{\n  "mcpServers": {\n    "git": {\n      "command": "uvx"\n    }\n  }\n}\n',
        '{\r\n\t"mcpServers": {\r\n\t\t"git": {"command": "uvx"}\r\n\t},\r\n\t"other": [1, 2]\r\n}\r\n',
        '\ufeff{"mcpServers": {"git": {"command": "uvx"}}, "a": null}',
        '{\n  "mcpServers": {\n    "git": {"command": "uvx"}, // c\n  },\n}',
    ],
)
def test_put_in_and_taken_out_gives_the_same_bytes(text: str) -> None:
    after = splice.with_entry(text, PATH, ENTRY, "json")
    assert splice.read(after, "json")["mcpServers"]["mnemic"] == ENTRY
    assert splice.with_entry(after, PATH, ENTRY, "json") == after
    assert splice.without_entry(after, PATH, "json") == text
    assert ("\r\n" in after) == ("\r\n" in text)
    assert after.count("\n") == after.count("\r\n") or "\r\n" not in text


@pytest.mark.parametrize(
    "text", ["", "  \n", "{}", "{\n}\n", '{"a": 1}', '{\n  "mcpServers": {}\n}\n', "{ // none yet\n}"]
)
def test_a_file_without_servers_gets_its_first(text: str) -> None:
    after = splice.with_entry(text, PATH, ENTRY, "json")
    assert splice.read(after, "json")["mcpServers"] == {"mnemic": ENTRY}
    assert splice.with_entry(after, PATH, ENTRY, "json") == after


def test_what_the_user_added_to_the_entry_stays() -> None:
    text = json.dumps({"mcpServers": {"mnemic": {"command": "old", "env": {"MNEMIC_USER": "ana"}, "disabled": True}}})
    after = splice.read(splice.with_entry(text, PATH, ENTRY, "json"), "json")
    assert after["mcpServers"]["mnemic"] == {**ENTRY, "env": {"MNEMIC_USER": "ana"}, "disabled": True}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"mcpServers": {"git": }}', "not JSON (line 1"),
        ('{"mcpServers": []}', "mcpServers is there and no table of settings"),
        ('{"mcpServers": {"mnemic": 1}}', "mcpServers.mnemic is there and no table"),
        ('{"mcpServers": {"mnemic": {"a": 1}, "mnemic": {"a": 2}}}', "twice"),
        ("[1]", "no JSON object"),
        ('{"a": "' + "x" * 10, "not JSON"),
        ('{"a": ' + "[" * 5000 + "]" * 5000 + "}", "nested more than"),
    ],
)
def test_what_cannot_be_changed_safely_is_refused(text: str, says: str) -> None:
    with pytest.raises(ConfigError) as error:
        splice.with_entry(text, PATH, ENTRY, "json")
    assert says in str(error.value)


def test_any_json_with_comments_survives() -> None:
    dice = random.Random(4)
    for _ in range(1500):
        text = _document(dice)
        before = splice.read(text, "json")
        after = splice.with_entry(text, PATH, ENTRY, "json")
        held = before.get("mcpServers", {})
        merged = {**held.get("mnemic", {}), **ENTRY}
        assert splice.read(after, "json") == {**before, "mcpServers": {**held, "mnemic": merged}}
        assert splice.with_entry(after, PATH, ENTRY, "json") == after
        gone = {name: value for name, value in held.items() if name != "mnemic"}
        assert splice.read(splice.without_entry(after, PATH, "json"), "json") == {**before, "mcpServers": gone}


def _document(dice: random.Random) -> str:
    def blank() -> str:
        return dice.choice(["", " ", "\n", "\n  ", "\t", ' // c {"\n', "/* , } */", "\r\n"])

    def joined(items: list[str], opening: str, closing: str) -> str:
        comma = "," if items and dice.random() < 0.3 else ""
        return opening + ",".join(f"{blank()}{item}{blank()}" for item in items) + comma + blank() + closing

    def value(depth: int) -> str:
        if depth > 2 or dice.random() < 0.5:
            return dice.choice(["1", r'"a\"b{//"', "true", "null", "-1.5e3", '"é"'])
        if dice.random() < 0.4:
            return joined([value(depth + 1) for _ in range(dice.randint(0, 3))], "[", "]")
        return of(depth)

    def of(depth: int, *more: str) -> str:
        fields = [f'"k{n}"{blank()}:{blank()}{value(depth + 1)}' for n in range(dice.randint(0, 3))] + list(more)
        dice.shuffle(fields)
        return joined(fields, "{", "}")

    own = [f'"mnemic":{of(2)}'] if dice.random() < 0.3 else []
    servers = [f'"mcpServers"{blank()}:{blank()}{of(1, *own)}'] if dice.random() < 0.7 else []
    return blank() + of(0, *servers) + blank()


# -- TOML

CODEX = """\
model = "o3"  # the large one

[mcp_servers.git]
command = "uvx"

# about mnemic
[mcp_servers.mnemic]
command = "old"
args = [
  "a",
]
startup_timeout_sec = 20
[mcp_servers.mnemic.env]
X = "1"

# next
[tools]
web = true
"""


def test_a_table_of_toml_is_written_anew_and_nothing_else() -> None:
    after = splice.with_entry(CODEX, TABLE, ENTRY, "toml")
    assert after == CODEX.replace(
        'command = "old"\nargs = [\n  "a",\n]\n',
        'command = "/opt/mnemic"\nargs = ["mcp", "--file", "/srv/mnemic.db"]\n',
    )
    assert splice.with_entry(after, TABLE, ENTRY, "toml") == after
    gone = splice.without_entry(after, TABLE, "toml")
    assert splice.read(gone, "toml")["mcp_servers"] == {"git": {"command": "uvx"}}
    assert "# about mnemic" in gone
    assert "# next\n[tools]" in gone


@pytest.mark.parametrize("line", ["\n", "\r\n"])
def test_a_table_of_toml_put_in_and_taken_out_gives_the_same_bytes(line: str) -> None:
    text = line.join(['model = "o3"', "", "[tools]", "web = true", ""])
    after = splice.with_entry(text, TABLE, ENTRY, "toml")
    assert splice.read(after, "toml")["mcp_servers"]["mnemic"] == ENTRY
    assert splice.without_entry(after, TABLE, "toml") == text
    assert splice.without_entry(splice.with_entry("", TABLE, ENTRY, "toml"), TABLE, "toml") == ""


@pytest.mark.parametrize(
    "text",
    [
        'mcp_servers = {mnemic = {command = "x"}}\n',
        'mcp_servers.mnemic.command = "x"\n',
        'note = """\n[mcp_servers.mnemic]\n"""\n[mcp_servers]\nmnemic = {command = "x"}\n',
        'mcp_servers = "none"\n',
    ],
)
@pytest.mark.parametrize(
    "change", [splice.with_entry, lambda text, path, entry, kind: splice.without_entry(text, path, kind)]
)
def test_toml_in_another_form_is_refused(text: str, change: Callable[..., str]) -> None:
    if splice.read(text, "toml")["mcp_servers"] == "none" and change is not splice.with_entry:
        assert change(text, TABLE, ENTRY, "toml") == text
        return
    with pytest.raises(ConfigError, match="by hand"):
        change(text, TABLE, ENTRY, "toml")
