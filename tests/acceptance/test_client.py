"""`Memory("http://…")`: the same face, values and errors as a memory in this process."""

from __future__ import annotations

import inspect
import json
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from mnemic import ANY, ConflictError, InputError, Memory, MnemicError, NotFoundError, ScopeError, StoreError
from mnemic.client import RemoteMemory
from mnemic.errors import AccessError, BusyError, ClosedError, ConfigError, ParameterError, ServerError, TimeError
from mnemic.serve.grants import Grant
from mnemic.serve.limits import Limits
from mnemic.serve.verbs import HERE, verbs
from mnemic.testing import FrozenClock
from tests.serving import Site, site

ANA = {"user_id": "ana"}
START = datetime(2026, 6, 1, tzinfo=UTC)


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Memory]:
    with Memory(tmp_path / "agent.db", clock=FrozenClock(START)) as memory:
        yield memory


@pytest.fixture
def served(memory: Memory, tmp_path: Path) -> Iterator[Site]:
    with site(memory, tmp_path / "agent.db") as served:
        yield served


@pytest.fixture
def remote(served: Site) -> Iterator[Memory]:
    with Memory(served.url) as remote:
        yield remote


# -- the same face


def test_it_is_a_memory() -> None:
    remote = Memory("http://127.0.0.1:9", api_key="k")
    assert isinstance(remote, Memory)
    assert type(remote) is RemoteMemory
    assert repr(remote.scoped(user_id="ana")) == "Memory('http://127.0.0.1:9', user_id='ana')"
    assert inspect.signature(Memory).parameters["embedder"].default is None


@pytest.mark.parametrize("name", [name for name in vars(Memory) if not name.startswith("_")])
def test_every_verb_has_the_same_parameters_and_words(name: str) -> None:
    here, there = getattr(Memory, name), getattr(RemoteMemory, name)
    assert inspect.signature(here) == inspect.signature(there)
    assert there.__doc__
    assert there is not here or name == "scoped", "it would work on a store that is not there"
    if name not in ("close", "wait"):
        assert there.__doc__ == here.__doc__


def test_every_parameter_travels_or_is_refused() -> None:
    for verb in verbs().values():
        if verb.name == "explain":
            continue
        names = set(inspect.signature(getattr(Memory, verb.name)).parameters) - {"self", "scope"}
        assert names - {one.name for one in verb.parameters} <= HERE.keys() | {"source", "format"}


# -- the same values


def test_the_same_calls_give_the_same_values(remote: Memory, tmp_path: Path) -> None:
    with Memory(tmp_path / "here.db", clock=FrozenClock(START)) as here:
        told = [_life(memory) for memory in (here, remote)]
    for one, other in zip(*told, strict=True):
        assert one == other


def _life(memory: Memory) -> list[Any]:
    """A bit of everything; what cannot be equal (ids, milliseconds) left out."""
    ana = memory.scoped(user_id="ana", project_id="home")
    one = ana.add({"role": "user", "name": "Ana", "content": f"I live in {place}."} for place in ("Porto", "Braga"))
    two = ana.remember("Tea is green.", kind="preference", valid_from=datetime(2026, 5, 1, tzinfo=UTC), data={"n": [1]})
    found = ana.search("Where does Ana live?", now=START, kinds=["fact", "episode"], limit=3)
    context = memory.context("Where does Ana live?", user_id=["ana"], project_id=ANY, budget=200)
    answer = ana.ask("Where does Ana live?")
    ana.feedback(found, used=found[0].id, outcome=0.5)
    ana.update(two.ids[0], text="Tea is black.", if_revision=1, metadata=None)
    taken = ana.retire(two.ids, reason="no")
    back = ana.undo(taken)
    page = ana.list(limit=2)
    rest = ana.list(limit=2, after=page.next, order="newest")
    explained = found.explain(found[0].id)
    return [
        *(entry.action for entry in (*one.entries, *one.derived, *back.entries)),
        [(hit.kind, hit.text, hit.relevance, hit.time, dict(hit.signals), hit.state) for hit in found],
        (found.confidence, found.sufficient, found.considered, found.notes),
        (str(context), context.tokens, context.known, context.messages),
        (answer.text, answer.known, answer.confidence, answer.notes),
        (ana.get(two.ids[0]).text, ana.get(two.ids[0]).valid_from, ana.get(two.ids[0]).data),
        [(change.action, change.revision, change.actor) for change in ana.history(two.ids[0])],
        [record.text for record in (*page, *rest)],
        replace(explained, id=""),
        [record.text for record in ana.timeline(since=datetime(2020, 1, 1, tzinfo=UTC))],
        [record.text for record in ana.diff("2020-01-01T00:00:00Z", datetime(2030, 1, 1, tzinfo=UTC)).added],
        [(step.verb, len(step.records)) for step in ana.journal()],
        sorted((link.role, link.out, link.record.text) for link in ana.links(found[0].id)),
        (list(ana.conflicts()), ana.spending()),
        replace(ana.stats(), earliest=None, latest=None),
        ana.upkeep(budget_ms=10_000).pending,
        len(ana.rebuild(dry_run=True).derived),
        [entry.action for entry in ana.erase(one.ids[0]).entries],
        len(list(memory.export(user_id="ana", project_id="home"))),
    ]  # fmt: skip


def test_lines_go_out_and_come_in(remote: Memory, memory: Memory, tmp_path: Path) -> None:
    memory.add([f"Message {n}. " + "word " * 100 for n in range(200)], **ANA)
    lines = list(remote.export(**ANA))
    assert lines == list(memory.export(**ANA))
    assert remote.export(tmp_path / "out.jsonl", **ANA) == len(lines)
    with Memory(tmp_path / "other.db") as other, site(other) as there, Memory(there.url) as remote_other:
        assert remote_other.import_(tmp_path / "out.jsonl", **ANA).count("added") == 200
        assert remote_other.import_(iter(lines)).count("ignored") == 200
        records = [line for line in lines if line.startswith('{"record"')]
        assert [line for line in other.export(**ANA) if line.startswith('{"record"')] == records
        with pytest.raises(InputError, match="line 2"):
            remote_other.import_([lines[0], "nonsense"])
    with pytest.raises(ScopeError):
        remote.export()


def test_what_other_systems_wrote_comes_in_as_it_does_here(remote: Memory, memory: Memory, tmp_path: Path) -> None:
    theirs = [{"id": "1", "memory": "Likes tea", "user_id": "a"}, {"id": "2", "memory": "Has a cat", "user_id": "b"}]
    saved = tmp_path / "mem0.json"
    saved.write_text(json.dumps(theirs), "utf-8")
    notes = tmp_path / "notes"
    (notes / "deep").mkdir(parents=True)
    (notes / "tea.md").write_text("# Tea\n\n- [preference] Green tea, not black\n", "utf-8")
    (notes / "deep" / "cat.md").write_text("# The cat\n\nShe is called Mitzi.\n", "utf-8")
    table = tmp_path / "letters.csv"
    table.write_text("who,letter\nAna,Dear all\n", "utf-8")
    here = {"user_id": "here"}
    for source, more in ((saved, {"only": "b"}), (notes, {}), (table, {"columns": {"text": "letter", "name": "who"}})):
        assert remote.import_(source, dry_run=True, **more, **ANA).dry_run
        assert remote.import_(source, **more, **ANA).count("added") == memory.import_(source, **more, **here).count(
            "added"
        )
        assert not remote.import_(source, **more, **ANA).count("added")
    told = [[(one.kind, one.text, one.metadata) for one in memory.list(**who)] for who in (ANA, here)]
    assert sorted(map(repr, told[0])) == sorted(map(repr, told[1]))
    assert len(told[0]) > 4
    with pytest.raises(InputError, match="is of several"):
        remote.import_(saved, **ANA)
    with pytest.raises(InputError, match="none of the formats"):
        remote.import_(_file(tmp_path / "x.bin", b"\0\1\2"), **ANA)
    with pytest.raises(InputError, match="other systems' exports"):
        remote.import_(list(remote.export(**ANA)), only="a", **ANA)


def _file(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def test_markdown_is_written_here_and_comes_back(remote: Memory, memory: Memory, tmp_path: Path) -> None:
    memory.add(["I moved to Porto in May.", "My sister Rita lives in Faro."], session_id="s", **ANA)
    memory.add("I live in Oslo.", user_id="ben")
    number = remote.export(tmp_path / "far", format="markdown", **ANA)
    assert number == memory.export(tmp_path / "near", format="markdown", **ANA)
    assert _texts(tmp_path / "far") == _texts(tmp_path / "near")
    remote.export(tmp_path / "all", format="markdown", everything=True)
    memory.export(tmp_path / "all-near", format="markdown", everything=True)
    assert _texts(tmp_path / "all") == _texts(tmp_path / "all-near")
    with Memory(tmp_path / "other.db") as other, site(other) as there:
        with Memory(there.url) as remote_other:
            assert remote_other.import_(tmp_path / "far", **ANA).count("added") > 1
        assert [one.text for one in other.list(kinds="episode", **ANA)] == [
            one.text for one in memory.list(kinds="episode", **ANA)
        ]
    with pytest.raises(InputError, match="path of a folder"):
        remote.export(format="markdown", **ANA)
    with pytest.raises(InputError, match="format='yaml'"):
        remote.export(tmp_path / "x", format="yaml", **ANA)


def _texts(folder: Path) -> dict[str, str]:
    return {str(one.relative_to(folder)): one.read_text("utf-8") for one in folder.rglob("*.md")}


# -- the same errors


class Odd:
    content = b"bytes"
    role = "user"


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda m: m.search("x", top_k=3, **ANA), ParameterError),
        (lambda m: m.add("x"), ScopeError),
        (lambda m: m.add("x", user_id=ANY), (ScopeError, InputError)),
        (lambda m: m.add(Odd(), **ANA), InputError),
        (lambda m: m.add({"role": "user", "content": object()}, **ANA), InputError),
        (lambda m: m.add({"role": "nobody", "content": "x"}, **ANA), InputError),
        (lambda m: m.search("", **ANA), InputError),
        (lambda m: m.search("x", now=datetime(2026, 1, 1), **ANA), TimeError),
        (lambda m: m.search("x", where={"a": {"nonsense": 1}}, **ANA), InputError),
        (lambda m: m.get("nothing", **ANA), NotFoundError),
        (lambda m: m.undo("nothing", **ANA), NotFoundError),
        (lambda m: m.erase(all_of=True), ScopeError),
        (lambda m: m.scoped(user_id="ana").search("x", user_id="ben"), ScopeError),
        (lambda m: m.remember("x", kind="no kind!", **ANA), InputError),
        (lambda m: m.update(m.remember("y", **ANA).ids[0], text="z", if_revision=7, **ANA), ConflictError),
        (lambda m: m.import_(["nonsense"]), InputError),
    ],
)  # fmt: skip
def test_the_same_mistakes_raise_the_same_errors(
    remote: Memory, memory: Memory, call: Callable[[Memory], Any], error: Any
) -> None:
    with pytest.raises(error) as here:
        call(memory)
    with pytest.raises(error) as there:
        call(remote)
    if "object at" not in str(here.value) and "revision" not in str(here.value) and "ANY" not in str(here.value):
        assert str(there.value) == str(here.value)
    assert type(there.value) is type(here.value) or error is not ScopeError


def test_what_is_the_servers_own_is_refused(served: Site, remote: Memory) -> None:
    for name, value in {
        "embedder": "none",
        "model": "x",
        "recipe": "none",
        "read_only": True,
        "timezone": "UTC",
    }.items():
        with pytest.raises(ConfigError, match=f"{name}=.* is the server's own"):
            Memory(served.url, **{name: value})  # pyright: ignore[reportArgumentType]
    with pytest.raises(ParameterError, match="did you mean 'embedder'"):
        Memory(served.url, embeder="none")
    with pytest.raises(InputError, match="the model of the server's own"):
        remote.rebuild(model="http://elsewhere/v1#x", everything=True)
    with pytest.raises(InputError, match="upkeep"):
        remote.wait()


# -- the wire


def test_keys_open_what_they_are_for(served: Site, memory: Memory) -> None:
    assert served.keys is not None
    token = served.keys.add("phone", Grant("writer", users=("ana",)))[1]
    with Memory(served.url) as without, pytest.raises(AccessError, match="wants a key"):
        without.search("x", **ANA)
    with Memory(served.url, api_key=token, author="phone app") as ana:
        assert ana.add("hello").actor == "phone/phone app"
        assert [record.text for record in ana.list()] == ["hello"]
        with pytest.raises(AccessError, match="user_id='ben'"):
            ana.list(user_id="ben")
        with pytest.raises(PermissionError, match="role admin"):
            ana.erase(all_of=True)


def test_threads_share_one_and_each_has_its_connection(remote: Memory, memory: Memory) -> None:
    with ThreadPoolExecutor(8) as pool:
        receipts = list(pool.map(lambda n: remote.add(f"Message {n}.", **ANA), range(40)))
    assert len({receipt.id for receipt in receipts}) == 40
    assert len(memory.list(limit=100, kinds="episode", **ANA)) == 40


def test_a_server_that_is_not_there_is_named(remote: Memory, served: Site) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
    with Memory(f"http://127.0.0.1:{port}") as nobody, pytest.raises(ServerError, match="cannot be reached") as error:
        nobody.stats(**ANA)
    assert isinstance(error.value, StoreError)
    assert isinstance(error.value, ConnectionError)
    remote.close()
    remote.close()
    with pytest.raises(ClosedError):
        remote.stats(**ANA)
    for url in ("http://", "http://user@host", "http://host:port", "http://host?x=1"):
        with pytest.raises(ConfigError):
            Memory(url)
    with pytest.raises(ConfigError, match="api_key"):
        Memory("http://localhost", api_key="two words\n")


class Flaky(ThreadingHTTPServer):
    """In front of a server: what it does with each request, in turn; what it has seen of them."""

    def __init__(self, port: int, plan: list[str]) -> None:
        super().__init__(("127.0.0.1", 0), _Between)
        self.behind, self.plan, self.keys = port, plan, list[str | None]()


class _Between(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Flaky

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.keys.append(self.headers["Idempotency-Key"])
        does = self.server.plan.pop(0) if self.server.plan else "pass on"
        if does == "hang up":
            self.close_connection = True
            return
        site_ = Site(self.server.behind, None, None)  # pyright: ignore[reportArgumentType]
        sent = {name: self.headers[name] for name in ("Content-Type", "Idempotency-Key") if self.headers[name]}
        answered = site_.ask("POST", self.path, body, headers=sent)
        if does == "lose the answer":
            self.close_connection = True
            return
        status, kind, content = answered.status, answered.headers["content-type"], answered.body
        if does == "busy":
            status, kind = 429, "application/problem+json"
            content = json.dumps({"code": "busy", "detail": "too often", "retry_after": 0.01}).encode()
        if does == "nonsense":
            status, kind, content = 502, "text/html", b"<h1>Bad Gateway</h1>"
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def flaky(served: Site) -> Iterator[Callable[..., tuple[Memory, Flaky]]]:
    made: list[tuple[Memory, Flaky, threading.Thread]] = []

    def make(*plan: str) -> tuple[Memory, Flaky]:
        between = Flaky(served.port, list(plan))
        thread = threading.Thread(target=between.serve_forever)
        thread.start()
        memory = Memory(f"http://127.0.0.1:{between.server_port}")
        made.append((memory, between, thread))
        return memory, between

    yield make
    for memory, between, thread in made:
        memory.close()
        between.shutdown()
        between.server_close()
        thread.join()


def test_a_write_whose_answer_was_lost_is_sent_again_and_made_once(flaky: Any, memory: Memory) -> None:
    remote, between = flaky("lose the answer", "hang up", "busy")
    told = remote.remember("Tea is green.", **ANA)
    assert len(between.keys) == 4
    assert len(set(between.keys)) == 1
    assert between.keys[0]
    assert len(memory.history(told.ids[0], **ANA)) == 1
    assert memory.journal(**ANA)[-1].receipt == told.id


def test_a_server_that_goes_on_failing_is_given_up(flaky: Any) -> None:
    with pytest.raises(ServerError, match="tried 4 times"):
        flaky(*["hang up"] * 9)[0].stats(**ANA)
    with pytest.raises(BusyError, match="too often"):
        flaky(*["busy"] * 9)[0].stats(**ANA)
    with pytest.raises(ServerError, match="answered 502, and not as Mnemic does: '<h1>Bad Gateway</h1>'"):
        flaky("nonsense")[0].stats(**ANA)


def test_what_a_server_refuses_of_lines_is_told_in_its_own_words(flaky: Any, memory: Memory, served: Site) -> None:
    """An error of the store's is an OSError, as a broken wire is: it must not be taken for one."""
    with pytest.raises(BusyError, match="too often"):
        flaky("busy")[0].export(**ANA)
    with pytest.raises(ServerError, match="answered 502, and not as Mnemic does: '<h1>Bad Gateway</h1>'"):
        flaky("nonsense")[0].export(**ANA)
    lines = list(memory.export(**ANA))

    def broken_off() -> Iterator[str]:
        yield lines[0]
        raise ServerError(0, "the other server broke off")

    with Memory(served.url) as remote:
        with pytest.raises(ServerError, match=r"^the other server broke off$"):
            remote.import_(broken_off())
        memory.close()
        for call in (lambda: remote.export(**ANA), lambda: remote.import_(lines)):
            with pytest.raises(ClosedError, match="this memory is closed"):
                call()


def test_limits_reach_the_caller_as_errors(memory: Memory, tmp_path: Path) -> None:
    with site(memory, limits=Limits(body=500)) as served, Memory(served.url) as remote:
        with pytest.raises(InputError, match="500 are taken"):
            remote.add("x" * 1000, **ANA)
        assert isinstance(remote.stats(**ANA), object)
    with pytest.raises(MnemicError):
        remote.stats(**ANA)
