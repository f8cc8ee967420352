"""The faces of a memory, each under the same few words: those that the laws in acceptance/test_faces.py are said in.

A driver turns words into what its face takes (options, requests, tools, a chat), and what its face gives into the
values below; where a face says no, in whatever form, it raises `Refused`. What a face cannot say is not among its
`words`, and the laws that need it leave it out. A new face gets a driver here and a place in `FACES`.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property, partial
from pathlib import Path
from typing import Any, ClassVar, NamedTuple
from urllib.parse import quote, urlencode

import httpx
from anyio.from_thread import BlockingPortal, start_blocking_portal
from mcp import Client, StdioServerParameters

from mnemic import AsyncMemory, Memory, MnemicError
from mnemic.plain import plain
from mnemic.serve.proxy.listen import serving
from mnemic.serve.proxy.settings import Settings
from tests.mcp_sessions import text
from tests.serving import Answered, Site, site
from tests.typescript import built, found_tools
from tests.upstream import Reply, Upstream, plain_openai

VERBS = frozenset(
    "add remember update retire undo erase search context ask get list timeline history export".split(),  # noqa: SIM905
)
WORDS = VERBS | {"tell", "recall", "add(id)", "user_id", "project_id", "tenant_id"}
"""All that a face may be able to say: verbs; `tell` and `recall`, which are an exchange of a chat and what is given to
the model in the next one; ids of the caller's own for messages; and the walls that a call can name."""
FIRST = {
    "add": "messages",
    "remember": "text",
    "update": "id",
    "retire": "ids",
    "undo": "receipt",
    "erase": "ids",
    "search": "query",
    "context": "query",
    "ask": "question",
    "get": "id",
    "history": "id",
}
"""What a verb is given without a name."""
WALLS = ("user", "project", "tenant")
PATIENCE = 30.0
"""Seconds after which something that does not happen has failed."""


# -- values


class Trouble(NamedTuple):
    """What can be wrong, in the forms in which faces say so: an error, a status, a code, an exit code."""

    error: str
    status: int
    code: str
    exit: int


class Refused(Exception):  # noqa: N818 - it is no error of the test's
    """A face has said no. `form` is what a program sees of it, `message` what is read."""

    def __init__(self, form: object, message: str) -> None:
        super().__init__(f"{form}: {message}")
        self.form, self.message = form, message


@dataclass(frozen=True, slots=True)
class Kept:
    """What a write did: its receipt, and of each record the id and the action."""

    receipt: str
    entries: tuple[tuple[str, str], ...]

    @property
    def id(self) -> str:
        """The first of its records."""
        return self.entries[0][0]

    @property
    def actions(self) -> list[str]:
        return [action for _, action in self.entries]


@dataclass(frozen=True, slots=True)
class Seen:
    """A record or a hit, as far as every face tells it. `evidence` are words that it rests on; of records, none."""

    id: str
    kind: str
    text: str
    time: datetime
    source: str
    state: str = "current"
    speaker: str | None = None
    revision: int | None = None
    outdated_by: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """Some records, and where the next ones begin."""

    records: tuple[Seen, ...]
    next: str | None

    @property
    def texts(self) -> list[str]:
        return [one.text for one in self.records]


@dataclass(frozen=True, slots=True)
class Packed:
    """A context."""

    text: str
    tokens: int
    evidence: tuple[str, ...]
    """Ids."""


@dataclass(frozen=True, slots=True)
class Told:
    """An answer, and of each citation the words that answer, and all the words there."""

    text: str
    known: bool
    citations: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Change:
    """A change of a record, as history tells it."""

    action: str
    revision: int
    at: datetime
    text: str | None
    receipt: str


def _kept(told: Mapping[str, Any]) -> Kept:
    return Kept(told["id"], tuple((one["id"], one["action"]) for one in told["entries"]))


def _seen(told: Mapping[str, Any]) -> Seen:
    evidence = [one["text"] for one in told.get("evidence", ()) if isinstance(one, dict)]
    names = ("id", "kind", "text", "source", "state", "speaker", "revision", "outdated_by", "metadata")
    given = {name: told[name] for name in names if told.get(name) is not None}
    return Seen(**given, time=datetime.fromisoformat(told["time"]), evidence=tuple(evidence))


def _change(told: Mapping[str, Any]) -> Change:
    said = None if told.get("record") is None else told["record"]["text"]
    return Change(told["action"], told["revision"], datetime.fromisoformat(told["at"]), said, told["receipt"])


# -- a face


class Face:
    """The words. A driver says verbs in its own way, and gives what is said in return as JSON has it."""

    name: ClassVar[str]
    words: ClassVar[frozenset[str]] = WORDS

    def say(self, verb: str, given: dict[str, Any]) -> Any:
        """Say a verb with the parameters of the library's, and hear what it gives. Raises Refused."""
        raise NotImplementedError

    def form(self, trouble: Trouble) -> object:
        """What a program sees of something that is wrong."""
        raise NotImplementedError

    def named(self, parameter: str) -> str:
        """How the face writes a parameter in what it says to people."""
        return f"{parameter}="

    def called(self, verb: str) -> str:
        """How the face writes a verb in what it says to people."""
        return f"{verb}("

    # -- writing

    def tell(self, said: str, answered: str | None = None, **scope: Any) -> None:
        """An exchange: the user says something, and gets an answer."""
        messages = [{"role": "user", "content": said}]
        if answered is not None:
            messages.append({"role": "assistant", "content": answered})
        self.say("add", {"messages": messages, **scope})

    def add(self, content: str, *, scope: Mapping[str, Any], **message: Any) -> Kept:
        """One message: `role`, `name`, `id`, `time`, `metadata`."""
        return _kept(self.say("add", {"messages": [{"role": "user", "content": content, **message}], **scope}))

    def remember(self, statement: str, **given: Any) -> Kept:
        return _kept(self.say("remember", {"text": statement, **given}))

    def update(self, id: str, **given: Any) -> Kept:
        return _kept(self.say("update", {"id": id, **given}))

    def retire(self, *ids: str, **given: Any) -> Kept:
        return _kept(self.say("retire", {"ids": list(ids), **given}))

    def undo(self, receipt: str, **given: Any) -> Kept:
        return _kept(self.say("undo", {"receipt": receipt, **given}))

    def erase(self, *ids: str, **given: Any) -> Kept:
        return _kept(self.say("erase", {"ids": list(ids), **given}))

    # -- reading

    def recall(self, question: str, **scope: Any) -> str:
        """What a model is given with a question."""
        return self.context(question, threshold=0.0, **scope).text

    def search(self, query: str, **given: Any) -> list[Seen]:
        """The hits, also unlikely ones unless `threshold` says otherwise."""
        return [_seen(one) for one in self.say("search", {"query": query, "threshold": 0.0, **given})["hits"]]

    def context(self, query: str, **given: Any) -> Packed:
        told = self.say("context", {"query": query, **given})
        return Packed(told["text"], told["tokens"], tuple(one["id"] for one in told["evidence"]))

    def ask(self, question: str, **given: Any) -> Told:
        told = self.say("ask", {"question": question, **given})
        cited = tuple((one["quote"], one["evidence"]["text"]) for one in told["citations"])
        return Told(told["text"], told["known"], cited)

    def get(self, id: str, **given: Any) -> Seen:
        return _seen(self.say("get", {"id": id, **given}))

    def list(self, **given: Any) -> Page:
        return self._page("list", given)

    def timeline(self, **given: Any) -> Page:
        return self._page("timeline", given)

    def _page(self, verb: str, given: dict[str, Any]) -> Page:
        told = self.say(verb, given)
        return Page(tuple(_seen(one) for one in told["records"]), told.get("next"))

    def history(self, id: str, **given: Any) -> tuple[Change, ...]:
        return tuple(_change(one) for one in self.say("history", {"id": id, **given}))

    def export(self, **given: Any) -> Iterable[str]:
        return self.say("export", given)


class House:
    """One file with its faces, each opened when it is first asked for. They are closed with `stack`."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.folder, self.stack = folder, stack
        self.file = folder / "house.db"
        self._faces: dict[str, Face] = {}

    @cached_property
    def memory(self) -> Memory:
        """The file, opened here: for what a law looks at by itself."""
        return self.stack.enter_context(Memory(self.file))

    @cached_property
    def site(self) -> Site:
        """A server in front of the file."""
        return self.stack.enter_context(site(self.stack.enter_context(Memory(self.file)), self.file))

    @cached_property
    def portal(self) -> BlockingPortal:
        """An event loop in a thread."""
        return self.stack.enter_context(start_blocking_portal())

    def face(self, name: str) -> Face:
        """A face, opened."""
        if name not in self._faces:
            _ = self.memory  # makes the file
            self._faces[name] = self.stack.enter_context(FACES[name].opened(self))
        return self._faces[name]


def _environment() -> dict[str, str]:
    """What a command is started with: nothing that says what its options say."""
    return {name: value for name, value in os.environ.items() if not name.startswith("MNEMIC_")}


# -- in this process


class Library(Face):
    """`Memory`, in this process or behind a server."""

    name = "library"

    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    @classmethod
    @contextmanager
    def opened(cls, house: House) -> Generator[Face]:
        yield cls(house.memory)

    def say(self, verb: str, given: dict[str, Any]) -> Any:
        try:
            value = self._call(verb, given)
        except MnemicError as error:
            raise Refused(type(error).__name__, str(error)) from None
        return value if verb == "export" else plain(value)

    def form(self, trouble: Trouble) -> object:
        return trouble.error

    def _call(self, verb: str, given: dict[str, Any]) -> Any:
        value = getattr(self._memory, verb)(**given)
        return list(value) if verb == "export" else value


class Remote(Library):
    """`Memory("http://…")`."""

    name = "client"

    @classmethod
    @contextmanager
    def opened(cls, house: House) -> Generator[Face]:
        with Memory(house.site.url) as memory:
            yield cls(memory)


class Async(Library):
    """`AsyncMemory`, on an event loop of its own."""

    name = "async"

    def __init__(self, memory: AsyncMemory, portal: BlockingPortal) -> None:
        self._async, self._portal = memory, portal

    @classmethod
    @contextmanager
    def opened(cls, house: House) -> Generator[Face]:
        with house.portal.wrap_async_context_manager(AsyncMemory(house.file)) as memory:
            yield cls(memory, house.portal)

    def _call(self, verb: str, given: dict[str, Any]) -> Any:
        async def called() -> Any:
            if verb == "export":
                return [line async for line in self._async.export(**given)]
            return await getattr(self._async, verb)(**given)

        return self._portal.call(called)


# -- the command line


class CommandLine(Face):
    """`mnemic … --json`, a process for each call."""

    name = "command line"

    OPTIONS: ClassVar = {
        "user_id": "--user",
        "project_id": "--project",
        "tenant_id": "--tenant",
        "kinds": "--kind",
        "id": "--id",
    }

    def __init__(self, file: Path) -> None:
        self._command = [sys.executable, "-m", "mnemic", "--file", str(file), "--timezone", "UTC"]

    @classmethod
    @contextmanager
    def opened(cls, house: House) -> Generator[Face]:
        yield cls(house.file)

    def say(self, verb: str, given: dict[str, Any]) -> Any:
        given = dict(given)
        first = given.pop(FIRST.get(verb, ""), [])
        words, options, piped = first if isinstance(first, list) else [first], [], None
        if verb == "add" and len(words) == 1:
            message = dict(words[0])
            words = [message.pop("content")]
            given |= {name: value for name, value in message.items() if name != "role" or value != "user"}
            options.append("--text")
        elif verb == "add":
            words, piped = ["-"], json.dumps(words)
        elif verb == "erase":
            options.append("--yes")
        for name, value in given.items():
            options += self._option(name, value)
        told = self._run([verb, *([] if verb == "export" else ["--json"]), *options, "--", *words], piped)
        match verb:
            case "add":
                [receipt] = json.loads(told)["receipts"]
                return receipt
            case "history":
                return [json.loads(line) for line in told.split("\n") if line]
            case "export":
                return told.removesuffix("\n").split("\n")
            case _:
                return json.loads(told)

    def form(self, trouble: Trouble) -> object:
        return trouble.exit

    def named(self, parameter: str) -> str:
        return f"{self._switch(parameter)} "

    def called(self, verb: str) -> str:
        return f"mnemic {verb}"

    def _switch(self, parameter: str) -> str:
        return self.OPTIONS.get(parameter, f"--{parameter.replace('_', '-')}")

    def _option(self, name: str, value: Any) -> Iterator[str]:
        switch = self._switch(name)
        if value is True:
            yield switch
            return
        for one in value if isinstance(value, list) else [value]:
            shown = json.dumps(one) if isinstance(one, dict) else str(one)
            yield from (switch, shown)

    def _run(self, arguments: list[str], piped: str | None) -> str:
        done = subprocess.run(
            [*self._command, *arguments],
            input="" if piped is None else piped,
            capture_output=True,
            encoding="utf-8",
            env=_environment(),
            timeout=PATIENCE,
        )
        if done.returncode > 1:
            *_, last = done.stderr.strip().splitlines()
            assert last.lower().startswith("error: "), done.stderr
            raise Refused(done.returncode, last.partition(": ")[2])
        assert done.stderr == ""
        return done.stdout


# -- over HTTP


class Rest(Face):
    """`POST /v1/VERB`."""

    name = "REST"

    def __init__(self, site: Site) -> None:
        self._site = site

    @classmethod
    @contextmanager
    def opened(cls, house: House) -> Generator[Face]:
        yield cls(house.site)

    def say(self, verb: str, given: dict[str, Any]) -> Any:
        return self._heard(verb, self._site.ask("POST", f"/v1/{verb}", given))

    def form(self, trouble: Trouble) -> object:
        return trouble.status, trouble.code

    def _heard(self, verb: str, answered: Answered) -> Any:
        if answered.status != 200:
            problem = answered.json
            assert answered.headers["content-type"] == "application/problem+json"
            assert problem["status"] == answered.status
            raise Refused((answered.status, problem["code"]), problem["detail"])
        if verb == "export":
            return answered.body.decode().removesuffix("\n").split("\n")
        return answered.json


class Resources(Rest):
    """Records as resources, with the parameters of reads in the address; the other verbs as above."""

    name = "REST resources"

    def say(self, verb: str, given: dict[str, Any]) -> Any:
        given = dict(given)
        if verb in ("list", "timeline", "export"):
            return self._heard(verb, self._site.ask("GET", f"/v1/{'records' if verb == 'list' else verb}" + _in(given)))
        if verb in ("get", "history"):
            below = "/history" if verb == "history" else ""
            path = f"/v1/records/{quote(given.pop('id'), safe='')}{below}"
            return self._heard(verb, self._site.ask("GET", path + _in(given)))
        if verb in ("retire", "erase") and len(given["ids"]) == 1:
            [id_] = given.pop("ids")
            given |= {"erase": True} if verb == "erase" else {}
            return self._heard(verb, self._site.ask("DELETE", f"/v1/records/{quote(id_, safe='')}{_in(given)}"))
        if verb == "update":
            path = f"/v1/records/{quote(given.pop('id'), safe='')}"
            return self._heard(verb, self._site.ask("PATCH", path, given))
        return super().say(verb, given)


def _in(given: Mapping[str, Any]) -> str:
    """Parameters as a query."""
    pairs: list[tuple[str, str]] = []
    for name, value in given.items():
        for one in value if isinstance(value, list) else [value]:
            pairs.append((name, one if isinstance(one, str) else json.dumps(one)))
    return f"?{urlencode(pairs)}"


class TypeScript(Face):
    """The TypeScript client, in a Node that reads a call a line."""

    name = "TypeScript"

    PROGRAM = """
        import { createInterface } from "node:readline";
        import { Memory } from "mnemic";

        const memory = new Memory(process.argv[2]);

        async function said({ verb, first, given }) {
          const told = memory[verb](...first, given);
          if (verb !== "export") return { value: await told };
          const value = [];
          for await (const line of told) value.push(line);
          return { value };
        }

        for await (const line of createInterface({ input: process.stdin })) {
          const answer = await said(JSON.parse(line)).catch((error) => {
            return { form: [error.name, error.status, error.code], message: error.message };
          });
          console.log(JSON.stringify(answer));
        }
    """

    def __init__(self, node: subprocess.Popen[str]) -> None:
        assert node.stdin is not None
        assert node.stdout is not None
        self._asks, self._hears = node.stdin, node.stdout

    @classmethod
    @contextmanager
    def opened(cls, house: House) -> Generator[Face]:
        tools = found_tools()
        package = built(tools, house.folder / "typescript")
        program = package / "face.mjs"
        program.write_text(cls.PROGRAM, "utf-8")
        piped: Any = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "encoding": "utf-8"}
        command = [tools.node, str(program), house.site.url]
        with subprocess.Popen(command, cwd=package, env=dict(tools.environment), **piped) as node:
            yield cls(node)

    def say(self, verb: str, given: dict[str, Any]) -> Any:
        given = dict(given)
        first = [given.pop(FIRST[verb])] if verb in FIRST else []
        self._asks.write(json.dumps({"verb": verb, "first": first, "given": given}) + "\n")
        self._asks.flush()
        told = json.loads(self._hears.readline())
        if "form" in told:
            raise Refused(tuple(told["form"]), told["message"])
        return told["value"]

    def form(self, trouble: Trouble) -> object:
        return trouble.error, trouble.status, trouble.code


# -- for models


class Mcp(Face):
    """The tools of `mnemic mcp`, by the official client over stdio, where the model may choose all walls, and erase."""

    name = "MCP"
    words = WORDS - {"get", "timeline", "export", "add(id)"}

    TOOLS: ClassVar = {
        "add": "add_memory",
        "remember": "add_memory",
        "search": "search_memory",
        "context": "get_context",
        "ask": "ask_memory",
        "list": "list_memories",
        "update": "update_memory",
        "retire": "forget_memory",
        "erase": "forget_memory",
        "undo": "forget_memory",
        "history": "memory_history",
    }

    def __init__(self, client: Client, portal: BlockingPortal) -> None:
        self.client, self.portal = client, portal

    @classmethod
    @contextmanager
    def opened(cls, house: House) -> Generator[Face]:
        arguments = ["-m", "mnemic", "mcp", "--file", str(house.file), "--timezone=UTC", "--no-upkeep"]
        arguments += ["--max-tokens=200000", *(f"--let-model-choose={wall}" for wall in WALLS), "--allow-erase"]
        command = StdioServerParameters(command=sys.executable, args=arguments, env=_environment())
        with house.portal.wrap_async_context_manager(Client(command)) as client:
            yield cls(client, house.portal)

    def say(self, verb: str, given: dict[str, Any]) -> Any:
        result = self.portal.call(self.client.call_tool, self.TOOLS[verb], self._arguments(verb, dict(given)))
        if result.is_error:
            problem = (result.meta or {})["mnemic/problem"]
            assert text(result).startswith(f"{problem['code']}: {problem['detail']}")
            raise Refused(problem["code"], problem["detail"])
        return self._heard(verb, result.structured_content)

    def form(self, trouble: Trouble) -> object:
        return trouble.code

    def called(self, verb: str) -> str:
        return f"{'memory_history' if verb == 'get' else self.TOOLS[verb]}("

    def tell(self, said: str, answered: str | None = None, **scope: Any) -> None:
        self.add(said, scope=scope)
        if answered is not None:
            self.add(answered, role="assistant", scope=scope)

    @staticmethod
    def _arguments(verb: str, given: dict[str, Any]) -> dict[str, Any]:
        match verb:
            case "add":
                [message] = given.pop("messages")
                message = dict(message)
                return {"text": message.pop("content"), "speaker": message.pop("role"), **message, **given}
            case "remember":
                return {"kind": "fact", "speaker": "user", **given}
            case "undo":
                return {"undo": given.pop("receipt"), **given}
            case "erase":
                return {"erase": True, **given}
            case "context":
                given.pop("threshold", None)
        return given

    @staticmethod
    def _heard(verb: str, told: dict[str, Any]) -> Any:
        match verb:
            case "search":
                return {"hits": [_with_itself(one) for one in told["memories"]]}
            case "list":
                return {"records": told["memories"], "next": told.get("next")}
            case "ask":
                cited = [{"quote": one["quote"], "evidence": one} for one in told["citations"]]
                return {"text": told["answer"], "known": told["known"], "citations": cited}
            case "history":
                return [{**one, "record": {"text": one["text"]} if "text" in one else None} for one in told["changes"]]
            case "context":
                return told
        return {"id": told["receipt"], "entries": told["memories"]}


def _with_itself(hit: dict[str, Any]) -> dict[str, Any]:
    """An episode is its own evidence, which the tool does not say twice."""
    return {**hit, "evidence": [{"text": hit["text"]}]} if hit["kind"] == "episode" else hit


class Proxy(Face):
    """`mnemic proxy` in front of a scripted model: it remembers exchanges, and recalls into the next one."""

    name = "proxy"
    words = frozenset(("tell", "recall", "user_id", "project_id"))

    def __init__(self, address: str, upstream: Upstream) -> None:
        self._address, self._upstream = address, upstream
        self._told = 0

    @classmethod
    @contextmanager
    def opened(cls, house: House) -> Generator[Face]:
        with Upstream([plain_openai("Noted.")]) as upstream:
            settings = Settings(upstream.url, scope={"user_id": "nobody"}, port=0, within=PATIENCE)
            with serving(settings, partial(Memory, house.file)) as address:
                yield cls(address, upstream)

    def tell(self, said: str, answered: str | None = None, **scope: Any) -> None:
        answer = plain_openai("Noted." if answered is None else answered)
        self._chat(said, "remember-only", answer, scope)
        self._told += 1
        until = time.monotonic() + PATIENCE
        while self._remembered() < self._told:  # behind the answer
            assert time.monotonic() < until, "an exchange was not remembered"
            time.sleep(0.005)

    def recall(self, question: str, **scope: Any) -> str:
        self._chat(question, "recall-only", plain_openai("Noted."), scope)
        [message] = self._upstream.asked[-1].messages
        assert message["content"].endswith(question)
        found = re.fullmatch(r"<memory>\n(.*)\n</memory>\n\n", message["content"].removesuffix(question), re.DOTALL)
        return "" if found is None else found[1]

    def _chat(self, said: str, wants: str, answer: Reply, scope: Mapping[str, Any]) -> None:
        self._upstream.steps = [answer]
        whose = {"user_id": "X-Mnemic-User", "project_id": "X-Mnemic-Project"}
        headers = {whose[part]: quote(value, safe="") for part, value in scope.items()}
        body = {"model": "m", "messages": [{"role": "user", "content": said}]}
        got = httpx.post(
            f"{self._address}/v1/chat/completions",
            json=body,
            headers={**headers, "X-Mnemic": wants},
            timeout=PATIENCE,
            trust_env=False,
        )
        assert got.status_code == 200
        assert got.headers["x-mnemic-recall"].split(";")[0] in ("given", "nothing", "off")

    def _remembered(self) -> int:
        """Exchanges that were remembered so far."""
        counts = httpx.get(f"{self._address}/metrics", trust_env=False).text
        outcomes = re.findall(r'^mnemic_proxy_exchanges_total\{outcome="(\w+)"\} (\S+)$', counts, re.MULTILINE)
        assert {outcome for outcome, _ in outcomes} <= {"kept", "known"}, outcomes
        return sum(int(float(number)) for _, number in outcomes)


Opened = Callable[[House], AbstractContextManager[Face]]
FACES: Mapping[str, Any] = {
    face.name: face for face in (Library, Async, Remote, CommandLine, Rest, Resources, TypeScript, Mcp, Proxy)
}
"""The drivers, by the names of their faces."""
