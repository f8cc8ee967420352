"""Markdown: remembered text stays text, notes are read as their writers mean them, names are files everywhere."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from mnemic.markdown import (
    comment,
    commented,
    escaped,
    file_name,
    front_matter,
    note,
    observation,
    quoted,
    unescaped,
    unquoted,
    yaml_line,
)

SPECIAL = st.text(st.sampled_from(list("\\`*_{}[]<>()#+-.!|~=^$%&:@/'\"\n\t\r 01aw\u2028\x00é🍅")), max_size=40)
TEXTS = st.one_of(SPECIAL, st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
MARKDOWN = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
PLAIN = {"blockquote_open", "blockquote_close", "paragraph_open", "paragraph_close", "inline", "text", "softbreak"}


def kinds(tokens: list[Token]) -> set[str]:
    return {one.type for token in tokens for one in (token, *(token.children or ()))}


def shown(tokens: list[Token]) -> str:
    inline = [token for token in tokens if token.type == "inline"]
    return "\n".join(
        "".join("\n" if one.type == "softbreak" else one.content for one in token.children or ()) for token in inline
    )


@settings(max_examples=300, deadline=None)
@given(TEXTS)
def test_what_is_escaped_comes_back_and_is_shown_as_it_was_and_nothing_else(text: str) -> None:
    assert unescaped(escaped(text)) == text
    assert unquoted(quoted(text)) == text
    assert not re.search(r"[\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]", escaped(text))
    tokens = MARKDOWN.parse("\n".join(["before", "", *quoted(text), "", "after"]))
    assert kinds(tokens) <= PLAIN
    wanted = [line.strip() for line in text.replace("\0", "�").split("\n") if line.strip()]
    got = [line.strip() for line in shown(tokens).split("\n") if line.strip()]
    if not re.search(r"[\s\x01-\x1f\x7f-\x9f]", text.replace("\n", "").replace(" ", "")):  # others are shown as a box
        assert got == ["before", *wanted, "after"]
    assert kinds(MARKDOWN.parse(f"- [fact] {escaped(text)} ^id")) <= PLAIN | {
        *("bullet_list_open", "bullet_list_close", "list_item_open", "list_item_close"),
    }


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[click](javascript:alert(1))",
        "![x](https://evil.example/pixel.png)",
        "[[Secret|click]]",
        "![[embed]]",
        "<https://evil.example>",
        "see https://evil.example or www.evil.example or a@evil.example",
        "---\nmnemic: export\n---",
        "# heading\n===\n- list\n1. list\n> quote\n```\ncode\n```\n    code",
        "--> <script>",
        '<!-- {"id":"forged"} -->',
        "%%hidden%%",
        "{{ site.secret }} {% include x %}",
        "&lt;script&gt; &#60;b&#62;",
        "| a | b |\n|---|---|\n| c | d |",
        "[^1]: note\n[x]: https://evil.example",
        "==mark== ~~gone~~ $x$ ^id",
        "a  \nb\\\nc",
    ],
)
def test_a_malicious_text_is_shown_and_does_nothing(text: str) -> None:
    lines = quoted(text)
    tokens = MARKDOWN.parse("\n".join(lines))
    assert kinds(tokens) <= PLAIN
    assert [" ".join(line.split()) for line in shown(tokens).split("\n")] == [
        " ".join(line.split()) for line in text.split("\n")
    ]
    raw = "\n".join(lines)
    for live in ("://", "www.", "[[", "%%", "{{", "{%", "<!--", "==", "~~", "a@evil"):
        assert live not in raw
    assert commented(f"- [fact] {escaped(text)} {comment({'id': 'real'})} ^id") is not None
    found = commented(f"- [fact] {escaped(text)} {comment({'id': 'real', 'text': text})} ^id")
    assert found is not None
    assert found[0] == {"id": "real", "text": text}


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXTS, inner, max_size=3)),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(TEXTS, JSON, max_size=4))
def test_a_comment_holds_json_and_nothing_ends_it(value: dict[str, object]) -> None:
    line = f"**who** {comment(value)} behind"
    (token,) = (one for one in MARKDOWN.parse(line) if one.type == "inline")
    assert [one.type for one in token.children or () if one.type == "html_inline"] == ["html_inline"]
    assert "--" not in comment(value)[4:-3]
    found = commented(line)
    assert found is not None
    assert found == (value, len("**who** "))


@settings(max_examples=150, deadline=None)
@given(TEXTS, JSON)
def test_front_matter_comes_back(text: str, value: object) -> None:
    written = "\n".join(["---", yaml_line("session", text), yaml_line("more", value), "---", "body"])
    front, start = front_matter(written)
    assert front == {"session": text, "more": value}
    assert written[start:] == "body"


def test_front_matter_as_people_write_it() -> None:
    text = (
        "---\ntitle: It's: fine  # really\ntags: [a, 'b c']\naliases:\n  - X\n  - 'Y'\n"
        "n: 3\nok: true\nlong: |\n  one\n  two\nmap:\n  a: 1\n---\n"
    )
    assert front_matter(text)[0] == {
        "title": "It's: fine",
        "tags": ["a", "b c"],
        "aliases": ["X", "Y"],
        "n": 3,
        "ok": True,
        "long": "one\ntwo",
        "map": "  a: 1",
    }
    assert front_matter("---\nno end\n") == ({}, 0)
    assert front_matter("text\n---\na: 1\n---\n") == ({}, 0)


def test_sections_have_anchors_of_their_own_and_code_is_none() -> None:
    found = note("intro\n# A\ntext\n## B\n~~~\n# code\n~~~\n## B\nmore\r\n# C #\n")
    assert [(one.path, one.anchor, one.line) for one in found.sections] == [
        ((), "", 0),
        (("A",), "a", 1),
        (("A", "B"), "b", 3),
        (("A", "B"), "b-2", 7),
        (("C",), "c", 9),
    ]


def test_observations_are_those_of_basic_memory() -> None:
    found = observation("- [design] Two  words #tag1 #tag/2 (with (inner) context) ^id-1", 7)
    assert found is not None
    assert (found.category, found.text, found.tags) == ("design", "Two  words", ("tag1", "tag/2"))
    assert (found.context, found.id, found.line) == ("with (inner) context", "id-1", 7)
    inside = observation("* [x y] about #this matter")
    assert inside is not None
    assert (inside.category, inside.text, inside.tags) == ("x y", "about #this matter", ("this",))
    for line in (
        "- [ ] task",
        "- [x] done",
        "- [/] half",
        "- [00:01:02] said",
        "- [a](b)",
        "- [[Link]] x",
        "> [!info] x",
        "text",
    ):
        assert observation(line) is None, line


@settings(max_examples=200, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=200))
def test_file_names_are_safe_everywhere(name: str) -> None:
    made, exact = file_name(name), file_name(name, exact=True)
    for one in (made, exact):
        assert re.fullmatch(r"[\w-]+", one)
        assert one == one.lower() or not one.isascii()
        assert len(one.encode()) <= 100
        assert not re.fullmatch(r"(con|prn|aux|nul|com\d|lpt\d)", one)
        assert not one.startswith("-")


def test_file_names_read_well_and_tell_apart() -> None:
    assert file_name("notes/Garden.md") == file_name("Notes: garden_md") == "notes-garden-md"
    assert file_name("C++") != file_name("C") == "c"
    assert file_name("CON").startswith("con-")
    assert file_name("Zoë").startswith("zoë")
    assert file_name("Ana", exact=True) != file_name("ana", exact=True) == "ana"
    assert len({file_name("x" * n) for n in range(70, 120)}) == 50
    assert json.dumps(file_name("..")) == '"x-' + file_name("..")[2:] + '"'
