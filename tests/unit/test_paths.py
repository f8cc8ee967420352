"""Paths of files in a memory: one way to write each, and none that leads out or looks as if."""

from __future__ import annotations

import unicodedata
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mnemic import InputError
from mnemic.paths import LONGEST, above, canonical


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("/memories", "/memories"),
        ("/memories/", "/memories"),
        ("/memories//a/./b.md/", "/memories/a/b.md"),
        ("/memories/a/../b", "/memories/b"),
        ("/memories/a/..", "/memories"),
        ("/memories/.hidden/...", "/memories/.hidden/..."),
        ("/memories/cafe\u0301.md", "/memories/caf\u00e9.md"),
        ("/memories/می\u200cخواهم 100%.md", "/memories/می\u200cخواهم 100%.md"),
    ],
)
def test_a_file_has_one_path(given: str, expected: str) -> None:
    assert canonical(given) == expected


@pytest.mark.parametrize(
    "given",
    [
        "",
        "/",
        "memories/a",
        "/etc/passwd",
        "/memoriesx",  # the SDK's tool for a folder takes it for /memories/x
        "/MEMORIES/a",
        "/memories/..",
        "/memories/../etc/passwd",
        "/memories/a/../../../etc/passwd",
        "/memories/../memories/a",
        "/memories/%2e%2e/a",
        "/memories/%252e%252e%252fa",
        "/memories/..%2fa",
        "/memories/a%5cb",
        "/memories/%00",
        "/memories/..\\a",
        "/memories/\uff0e\uff0e/a",
        "/memories/\u2025",
        "/memories/a\uff0fb",
        "/memories/ .. /a",
        "/memories/a\0b",
        "/memories/a\nb",
        "/memories/a\tb",
        "/memories/a\u2028b",
        "/memories/gp\u202efm.exe",
        "/memories/a\u200bb",
        "/memories/\ud800",
        "/memories/" + "a" * (LONGEST - 9),
        "/memories/" + "é" * 508,
        "/memories/" + "/" * 5000,
    ],
)
def test_what_leads_out_or_looks_as_if_is_refused(given: str) -> None:
    with pytest.raises(InputError) as refused:
        canonical(given)
    assert str(refused.value).isprintable()


def test_what_is_no_text_is_refused() -> None:
    with pytest.raises(InputError, match=r"a path is text, such as /memories/notes.md \(got list\)"):
        canonical(["/memories"])


def test_the_longest_path_is_of_1024_bytes() -> None:
    assert len(canonical("/memories/" + "a" * (LONGEST - 10))) == 1024


@given(st.text(max_size=30))
def test_a_canonical_path_stays_as_it_is_and_inside(words: str) -> None:
    try:
        path = canonical(f"/memories/{words}")
    except InputError:
        return
    assert canonical(path) == path
    assert path == "/memories" or path.startswith("/memories/")
    names = path.split("/")[2:]
    for read in (path, unquote(path), unicodedata.normalize("NFKC", unquote(path)).replace("\\", "/")):
        assert "\0" not in read
        assert read.count("/") == path.count("/")
        assert not {".", ".."} & {name.strip() for name in read.split("/")}
    assert all(names)
    assert [*above(path)] == ["/memories/" + "/".join(names[:depth]) for depth in range(len(names) - 1, 0, -1)]
