"""The TypeScript client against the real server: built by its own compiler, run by Node; and the examples on its pages.

What is tested stands beside the client, in clients/typescript/test.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from mnemic import Memory
from mnemic.serve.grants import Grant
from mnemic.serve.keys import Keys, beside
from tests.contracts.test_docs import _blocks, _check  # pyright: ignore[reportPrivateUsage]
from tests.typescript import CLIENT, Tools, built, compiled, found_tools

PAGES = [CLIENT / "README.md", CLIENT.parents[1] / "docs" / "howto" / "typescript.md"]
BETWEEN = "--- between two blocks of a page"


@pytest.fixture(scope="module")
def tools() -> Tools:
    return found_tools()


@pytest.fixture(scope="module")
def package(tools: Tools, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(tools, tmp_path_factory.mktemp("typescript") / "mnemic")


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server without keys."""
    with _served(tmp_path_factory.mktemp("served") / "agent.db") as url:
        yield url


@contextmanager
def _served(file: Path, *options: str) -> Generator[str]:
    command = [sys.executable, "-u", "-m", "mnemic", "serve", "--file", str(file), "--port", "0", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as server:
        assert server.stdout is not None
        said = ""
        while (found := re.search(r"listening on (http:\S+?),", said)) is None:
            line = server.stdout.readline()
            assert line, f"the server ended: {said}"
            said += line
        try:
            yield found[1]
        finally:
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
    compiled(package, tools, "test")
    return package / "test" / "built"


def _program(page: Path) -> str:
    return f"page_{page.stem.lower()}"


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


# -- in a browser

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
PROGRAM = """async ([url, apiKey]) => {
    const { Memory } = await import("/index.js");
    const ana = new Memory(url, { apiKey });
    const told = {};
    const first = await ana.add({ role: "user", name: "Ana", content: "I moved to Porto. 🐘" });
    told.hit = (await ana.search("Where did Ana move to?")).hits[0].text;
    const second = await ana.remember("Ana likes tea.");
    for await (const step of ana.events({ after: first.id })) if (step.receipt === second.id) break;
    told.records = [];
    for await (const record of ana.listAll({ limit: 1, kinds: "episode" })) told.records.push(record.text);
    told.lines = 0;
    for await (const line of ana.export()) told.lines += line ? 1 : 0;
    told.again = (await ana.import(ana.export())).entries.every((entry) => entry.action === "ignored");
    told.unknown = await ana.get("nothing").catch((error) => [error.name, error.code, error.status]);
    told.key = await new Memory(url, { apiKey: "wrong" }).stats().catch((error) => [error.name, error.code]);
    told.gone = await new Memory("http://127.0.0.1:9").stats().catch((error) => [error.name, error.status]);
    return told;
}"""


class _Files(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.mark.skipif(CHROMIUM is None and "CI" not in os.environ, reason="there is no Chromium on this machine")
def test_a_page_of_another_origin_uses_the_client_where_it_may(package: Path, tmp_path: Path) -> None:
    playwright = pytest.importorskip("playwright.sync_api")
    file = tmp_path / "agent.db"
    Memory(file).close()
    _, key = Keys(beside(file)).add("page", Grant("admin", users=("ana",)))
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Files, directory=str(package / "dist"))) as pages:
        threading.Thread(target=pages.serve_forever, daemon=True).start()
        origin = f"http://127.0.0.1:{pages.server_address[1]}"
        with _served(file, "--allow-origin", origin) as url, playwright.sync_playwright() as started:
            browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
            page = browser.new_page()
            page.goto(f"{origin}/index.d.ts")
            told = page.evaluate(PROGRAM, [url, key])
            page.goto(f"{origin.replace('127.0.0.1', 'localhost')}/index.d.ts")
            elsewhere = page.evaluate("""async ([url, apiKey]) => {
                const { Memory } = await import("/index.js");
                return new Memory(url, { apiKey, tries: 1 }).stats().catch((error) => [error.name, error.status]);
            }""", [url, key])  # fmt: skip
            browser.close()
        pages.shutdown()
    assert told.pop("lines") > 5
    assert told == {
        "hit": "I moved to Porto. 🐘",
        "records": ["I moved to Porto. 🐘"],
        "again": True,
        "unknown": ["NotFoundError", "not-found", 404],
        "key": ["AccessError", "no-key"],
        "gone": ["ServerError", 0],
    }
    assert elsewhere == ["ServerError", 0]
