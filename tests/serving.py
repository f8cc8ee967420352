"""A REST server on a real socket, in a thread of the test's process."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Generator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from mnemic import Memory
from mnemic.serve.gate import Gate
from mnemic.serve.keys import Keys, beside
from mnemic.serve.limits import Limits
from mnemic.serve.listening import Listening, Server, bound
from mnemic.serve.rest import server
from mnemic.serve.run import served


class Answered(NamedTuple):
    """What a server answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def detail(self) -> str:
        return self.json["detail"]


class Site:
    """A server that runs: its address, its keys, and a way to ask it."""

    def __init__(self, port: int, keys: Keys | None, running: Server) -> None:
        self.port, self.keys, self.running = port, keys, running
        self.url = f"http://127.0.0.1:{port}"

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        key: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answered:
        """One request on a connection of its own; a body that is no bytes is sent as JSON."""
        sent = {"Authorization": f"Bearer {key}"} if key else {}
        if body is not None and not isinstance(body, bytes):
            sent["Content-Type"] = "application/json"
            body = json.dumps(body).encode()
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)) as connection:
            connection.request(method, path, body, {**sent, **(headers or {})})
            response = connection.getresponse()
            return Answered(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())

    def post(
        self, verb: str, *, key: str | None = None, headers: Mapping[str, str] | None = None, **given: Any
    ) -> Answered:
        """A verb."""
        return self.ask("POST", f"/v1/{verb}", given, key=key, headers=headers)


@contextmanager
def site(
    memory: Memory, file: Path | None = None, *, limits: Limits | None = None, gate: Gate | None = None, **more: Any
) -> Generator[Site]:
    """A server in front of a memory; with a file, that may have keys."""
    keys = None if file is None else Keys(beside(file))
    stopping = threading.Event()
    app = server(memory, gate=gate or Gate(keys), limits=limits, store=file, stopping=stopping, **more)
    begun = threading.Event()
    where = Listening(port=0, stop_seconds=10)
    with closing(bound(where)) as listening:
        running = served(app, where, stopping, limits=limits, started=begun.set)
        thread = threading.Thread(target=running.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            assert begun.wait(20)
            yield Site(listening.getsockname()[1], keys, running)
        finally:
            running.stop()
            thread.join(30)
