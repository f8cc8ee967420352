"""Imports point down: the table of docs/architecture.md, held against the code."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "mnemic"
FACE = ("__init__", "__main__")
"""They stand above all floors: the public names, loaded on first use, and `python -m mnemic`."""


def _order() -> dict[str, tuple[int, int]]:
    """Floor and place of each module, as the table has them."""
    text = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    found: dict[str, tuple[int, int]] = {}
    for floor, cell in re.findall(r"^\| (\d) \| (.*) \|$", text, re.MULTILINE):
        outside = re.sub(r"\([^()]*\)", "", cell)
        for place, name in enumerate(re.findall(r"`(\w+)`", outside)):
            found[name] = (int(floor), place)
    return found


def _imports(file: Path) -> set[str]:
    """The rooms of the package that a module imports, wherever in it."""
    rooms: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "mnemic":
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith("mnemic."):
            names = [node.value]  # import_module("mnemic.…")
        else:
            continue
        rooms |= {parts[1] for name in names if len(parts := name.split(".")) > 1 and parts[0] == "mnemic"}
    return rooms


def test_every_module_has_a_floor() -> None:
    rooms = {path.stem for path in PACKAGE.glob("*.py")} | {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert _order().keys() == rooms - set(FACE)


def test_imports_point_down() -> None:
    order = _order()
    wrong: list[str] = []
    for file in sorted(PACKAGE.rglob("*.py")):
        room = file.relative_to(PACKAGE).parts[0].removesuffix(".py")
        if room in FACE:
            continue
        above = [other for other in _imports(file) if other in order and other != room and order[other] >= order[room]]
        wrong += [f"{file.relative_to(PACKAGE)} imports {other}" for other in sorted(above)]
    assert wrong == []
