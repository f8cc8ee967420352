"""Clients in other languages say what the server says, and name its version."""

from __future__ import annotations

import json
import runpy
from pathlib import Path

import mnemic

TYPESCRIPT = Path(__file__).resolve().parents[2] / "clients" / "typescript"


def test_what_is_generated_of_the_typescript_client_is_up_to_date() -> None:
    script = runpy.run_path(str(TYPESCRIPT / "generate.py"))
    held = (TYPESCRIPT / "src" / "generated.ts").read_text("utf-8")
    assert script["generated"]() == held, "generated.ts is out of date: run python clients/typescript/generate.py"


def test_the_typescript_client_has_the_version_of_the_library() -> None:
    assert json.loads((TYPESCRIPT / "package.json").read_text("utf-8"))["version"] == mnemic.__version__
    assert json.loads((TYPESCRIPT / "package-lock.json").read_text("utf-8"))["version"] == mnemic.__version__


def test_the_typescript_client_needs_nothing_but_its_compiler() -> None:
    package = json.loads((TYPESCRIPT / "package.json").read_text("utf-8"))
    assert "dependencies" not in package
    assert list(package["devDependencies"]) == ["typescript"]
    locked = json.loads((TYPESCRIPT / "package-lock.json").read_text("utf-8"))["packages"]
    assert not any("resolved" in one for one in locked.values()), "a lock file names no host: see .npmrc"
    assert all(one.get("integrity") for place, one in locked.items() if place)
