"""Documentation that cannot lie: what it shows is run, what it names exists, what is generated is up to date.

A page's ```python blocks run one after the other in one namespace and an empty folder; a ```text block directly behind
one is what it prints. The `$ …` lines of its ```console blocks run one after the other in an empty folder, and what
follows each is what it prints. An ellipsis stands for anything within a line, a line of one alone for any lines.
"""

from __future__ import annotations

import contextlib
import importlib.util
import io
import os
import re
import runpy
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mnemic import Memory

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
_FENCE = re.compile(r"^```(\w+)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_ELLIPSIS = "…"


def _name(page: Path) -> str:
    return str(page.relative_to(ROOT))


def _blocks(page: Path) -> Iterator[tuple[str, str, int, str]]:
    """The fenced blocks of a page: language, body, line of its first line, and the text between it and the last."""
    text = page.read_text("utf-8")
    end = 0
    for match in _FENCE.finditer(text):
        yield match[1], match[2], text.count("\n", 0, match.start(2)) + 1, text[end : match.start()]
        end = match.end()


def _shows(shown: str, printed: str) -> bool:
    """Whether the printed text is what a page shows."""
    if not shown.strip():
        return not printed.strip()
    pattern = ""
    for line in shown.strip("\n").splitlines():
        if line.strip() == _ELLIPSIS:
            pattern += r"(?:[^\n]*\n)*?"
        else:
            pattern += r"[^\n]*?".join(map(re.escape, line.rstrip().split(_ELLIPSIS))) + r"[ ]*\n"
    return re.fullmatch(pattern, printed.strip("\n") + "\n") is not None


def _check(page: Path, line: int, shown: str, printed: str) -> None:
    assert _shows(shown, printed), f"{_name(page)}:{line} shows\n{shown}\nand this is printed:\n{printed}"


# -- examples

WITH_PYTHON = [page for page in PAGES if any(language == "python" for language, *_ in _blocks(page))]
WITH_SHELL = [page for page in PAGES if any(language == "console" for language, *_ in _blocks(page))]


@pytest.mark.parametrize("page", WITH_PYTHON, ids=_name)
def test_python_examples_run_and_print_what_the_page_shows(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for library in _libraries(page):
        pytest.importorskip(library, reason=f"needs {library}")
    if "minilm:" in page.read_text("utf-8"):
        _tiny_model(tmp_path / "all-MiniLM-L6-v2")
    names: dict[str, Any] = {"__name__": "__main__"}
    printed = ""
    try:
        for language, body, line, between in _blocks(page):
            if language == "python":
                out = io.StringIO()
                code = compile("\n" * (line - 1) + body, str(page), "exec")
                with contextlib.redirect_stdout(out):
                    exec(code, names)
                printed = out.getvalue()
            elif language == "text" and not between.strip():
                _check(page, line, body, printed)
    finally:
        for value in names.values():
            if isinstance(value, Memory):
                value.close()


def _libraries(page: Path) -> set[str]:
    """What the examples of a page import: of another library's page, that library."""
    code = "\n".join(body for language, body, *_ in _blocks(page) if language == "python")
    return set(re.findall(r"^(?:from|import) (\w+)", code, re.MULTILINE))


def _tiny_model(folder: Path) -> None:
    """A sentence encoder of a few numbers, where a page names a real one."""
    if any(importlib.util.find_spec(name) is None for name in ("onnx", "onnxruntime", "tokenizers")):
        pytest.skip("needs onnx, onnxruntime and tokenizers")
    from tests.unit.test_embedders import _encoder  # pyright: ignore[reportPrivateUsage]

    (folder / "onnx").mkdir(parents=True)
    _encoder(folder)


@pytest.mark.skipif(importlib.util.find_spec("mnemic.cli") is None, reason="there is no command yet")
@pytest.mark.parametrize("page", WITH_SHELL, ids=_name)
def test_shell_examples_run_and_print_what_the_page_shows(page: Path, tmp_path: Path) -> None:
    for language, body, line, _ in _blocks(page):
        if language != "console":
            continue
        for offset, command, shown in _commands(body):
            if command == "make test":
                continue  # this is it
            result = _shell("mnemic demo" if command == "make demo" else command, tmp_path)
            assert "Traceback" not in result.stdout, f"{_name(page)}:{line + offset} {command}\n{result.stdout}"
            _check(page, line + offset, shown, result.stdout)


def _commands(body: str) -> Iterator[tuple[int, str, str]]:
    """The commands of a console block: line, command, and what is shown behind it."""
    lines = body.splitlines()
    starts = [number for number, line in enumerate(lines) if line.startswith("$ ")]
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        yield start, lines[start].removeprefix("$ "), "\n".join(lines[start + 1 : end])


def _shell(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """A command as a reader would type it, with the `mnemic` of this Python and nothing of the reader's settings."""
    places = folder / ".bin"
    if not places.is_dir():
        places.mkdir()
        (places / "mnemic").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m mnemic "$@"\n')
        (places / "mnemic").chmod(0o755)
    clean = {name: value for name, value in os.environ.items() if not name.startswith("MNEMIC_")}
    return subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env={**clean, "PATH": f"{places}:{clean['PATH']}", "COLUMNS": "80", "NO_COLOR": "1", "TZ": "UTC"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        check=False,
    )


# -- what is generated, and what is named


def test_the_reference_is_up_to_date() -> None:
    script = runpy.run_path(str(ROOT / "docs" / "reference.py"))
    held = (ROOT / "docs" / "reference.md").read_text("utf-8")
    assert script["reference"]() == held, "docs/reference.md is out of date: run python docs/reference.py"


def test_the_tree_in_the_readme_names_exactly_the_files_there_are() -> None:
    tree = (ROOT / "README.md").read_text("utf-8").split("<!-- tree -->")[1].split("<!-- /tree -->")[0]
    named: list[str] = []
    folders: list[tuple[int, str]] = []
    for line in tree.splitlines():
        match = re.match(r"( *)([\w./-]+)(?: {2,}\S|$)", line)
        if match is None:
            continue
        depth = len(match[1])
        folders = [folder for folder in folders if folder[0] < depth]
        path = "".join(name for _, name in folders) + match[2]
        if path.endswith("/"):
            folders.append((depth, match[2]))
        named.append(path)
    assert [path for path in named if not (ROOT / path).exists()] == []
    package = {
        str(file.relative_to(ROOT))
        for file in (ROOT / "src" / "mnemic").rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }
    told = {path for path in named if path.startswith("src/mnemic/")}
    # A folder whose files are not named one by one stands for them.
    whole = {path for path in told if path.endswith("/") and not any(o != path and o.startswith(path) for o in told)}
    missing = {path for path in package if path not in told and not any(path.startswith(folder) for folder in whole)}
    assert sorted(missing) == []


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_links_lead_somewhere(page: Path) -> None:
    text = _FENCE.sub("", page.read_text("utf-8"))
    broken: list[str] = []
    for target in _LINK.findall(text):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        if not file.exists() or (anchor and anchor not in _anchors(file)):
            broken.append(target)
    assert broken == []


def _anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", _FENCE.sub("", page.read_text("utf-8")), re.MULTILINE)
    plain = [re.sub(r"[^\w\- ]", "", heading.replace("`", "")).strip().lower() for heading in headings]
    return {re.sub(r"\s+", "-", heading) for heading in plain}


@pytest.mark.skipif(shutil.which("git") is None or not (ROOT / ".git").exists(), reason="not a checkout")
def test_nothing_in_the_project_names_a_machine() -> None:
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True)
    # Written in pieces, so that this file does not name them.
    hosts = [".".join(parts) for parts in (("pypi", "org"), ("pythonhosted", "org"), ("registry", "npmjs"))]
    paths = r"(?<![\w.~])/(?:root|work|Users|home/(?!\.))\b"
    forbidden = re.compile("|".join([paths, *map(re.escape, hosts)]))
    found: list[str] = []
    for name in listed.stdout.splitlines():
        file = ROOT / name
        if not file.is_file() or file == Path(__file__).resolve() or "samples" in file.parts:
            continue
        try:
            text = file.read_text("utf-8")
        except UnicodeDecodeError:
            continue
        found += [f"{name}: {match[0]}" for match in forbidden.finditer(text)]
    assert found == []
