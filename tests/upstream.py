"""A model's server on a real socket, of which a test decides every byte and when it comes."""

from __future__ import annotations

import json
import socket
import socketserver
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Self, cast

PATIENCE = 10.0
"""Seconds after which a test that waits has failed."""


@dataclass(frozen=True)
class Asked:
    """A request as it came."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    raw: bytes

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    @property
    def body(self) -> Any:
        return json.loads(self.raw)

    @property
    def messages(self) -> Any:
        return self.body["messages"]


@dataclass(frozen=True)
class Reply:
    """A response: its pieces are sent one by one; an Event among them is waited for.

    `end`: "chunked" and "length" as the protocol has them; "cut" hangs up within a chunked body, "none" before a byte,
    "hang" reads on until the client has hung up.
    """

    pieces: Sequence[bytes | threading.Event] = ()
    status: int = 200
    headers: Sequence[tuple[str, str]] = (("Content-Type", "application/json"),)
    end: Literal["chunked", "length", "cut", "none", "hang"] = "chunked"


Step = Reply | Callable[[Asked], Reply]


@dataclass
class Upstream:
    """`with Upstream(reply, …) as upstream`: one step a request, the last one for ever."""

    steps: list[Step] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    left: threading.Event = field(default_factory=threading.Event)
    """Set when a client hung up on a "hang"."""

    def __post_init__(self) -> None:
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        self._server = _Server(self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def url(self) -> str:
        return f"{self.address}/v1"

    def step(self, asked: Asked) -> Reply:
        with self._lock:
            self.asked.append(asked)
            step = self.steps.pop(0) if len(self.steps) > 1 else self.steps[0]
        return step if isinstance(step, Reply) else step(asked)


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, upstream: Upstream) -> None:
        self.upstream = upstream
        super().__init__(("127.0.0.1", 0), _Exchange)

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass


class _Exchange(socketserver.StreamRequestHandler):
    timeout = PATIENCE

    def handle(self) -> None:
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while (asked := self._read()) is not None:
            if not self._answer(cast("_Server", self.server).upstream.step(asked)):
                return

    def _read(self) -> Asked | None:
        line = self.rfile.readline().decode("latin-1").split()
        if len(line) != 3:
            return None
        headers: list[tuple[str, str]] = []
        while (row := self.rfile.readline().decode("latin-1").rstrip("\r\n")) != "":
            name, _, value = row.partition(":")
            headers.append((name, value.strip()))
        given = {name.lower(): value for name, value in headers}
        if given.get("transfer-encoding") == "chunked":
            raw = b"".join(self._chunks())
        else:
            raw = self.rfile.read(int(given.get("content-length", 0)))
        return Asked(line[0], line[1], tuple(headers), raw)

    def _chunks(self) -> Iterable[bytes]:
        while size := int(self.rfile.readline(), 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()

    def _answer(self, reply: Reply) -> bool:
        """Send it; whether the connection goes on."""
        if reply.end == "none":
            for piece in reply.pieces:
                if isinstance(piece, threading.Event):
                    piece.wait(PATIENCE)
            return False
        head = [f"HTTP/1.1 {reply.status} As scripted", *(f"{name}: {value}" for name, value in reply.headers)]
        if reply.end == "length":
            head.append(f"Content-Length: {sum(len(piece) for piece in reply.pieces if isinstance(piece, bytes))}")
        else:
            head.append("Transfer-Encoding: chunked")
        self.wfile.write(("\r\n".join(head) + "\r\n\r\n").encode("latin-1"))
        for piece in reply.pieces:
            if isinstance(piece, threading.Event):
                assert piece.wait(PATIENCE), "the script waited too long"
            else:
                self.wfile.write(piece if reply.end == "length" else b"%x\r\n%s\r\n" % (len(piece), piece))
        if reply.end == "hang":
            while self.connection.recv(65536):
                pass
            cast("_Server", self.server).upstream.left.set()
            return False
        if reply.end == "chunked":
            self.wfile.write(b"0\r\n\r\n")
        return reply.end != "cut"


# -- what models say

EVENTS = (("Content-Type", "text/event-stream; charset=utf-8"),)


def plain_openai(text: str | None, *others: str, calls: Sequence[tuple[str, str]] = ()) -> Reply:
    """An answer, further choices, and tool calls (name, arguments)."""
    message: dict[str, Any] = {"role": "assistant", "content": text, "refusal": None}
    if calls:
        message["tool_calls"] = [_call(at, *call) for at, call in enumerate(calls)]
    choices = [{"index": 0, "message": message, "finish_reason": "tool_calls" if calls else "stop", "logprobs": None}]
    for index, other in enumerate(others, 1):
        said = {"role": "assistant", "content": other, "refusal": None}
        choices.append({"index": index, "message": said, "finish_reason": "stop", "logprobs": None})
    whole = {"id": "c-1", "object": "chat.completion", "created": 1, "model": "m", "choices": choices, "usage": USAGE}
    return Reply([json.dumps(whole).encode()], end="length")


USAGE = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}


def _call(at: int, name: str, arguments: str) -> dict[str, Any]:
    return {"id": f"call_{at}", "type": "function", "function": {"name": name, "arguments": arguments}}


def event(data: object, name: str | None = None) -> bytes:
    """One server-sent event."""
    head = f"event: {name}\n" if name else ""
    return f"{head}data: {data if isinstance(data, str) else json.dumps(data)}\n\n".encode()


def openai_events(text: str, calls: Sequence[tuple[str, str]] = ()) -> list[bytes]:
    """A streamed answer: a word a piece, then the calls in halves, the finish, usage, and the end."""

    def chunk(delta: dict[str, Any], finish: str | None = None, **more: Any) -> bytes:
        choices = [{"index": 0, "delta": delta, "finish_reason": finish}]
        return event(
            {"id": "c-1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": choices, **more}
        )

    pieces = [chunk({"role": "assistant", "content": ""})]
    pieces += [chunk({"content": word}) for word in _words(text)]
    for at, (name, arguments) in enumerate(calls):
        half = len(arguments) // 2
        begun = {"index": at, **_call(at, name, arguments[:half])}
        pieces.append(chunk({"tool_calls": [begun]}))
        pieces.append(chunk({"tool_calls": [{"index": at, "function": {"arguments": arguments[half:]}}]}))
    last = event(
        {"id": "c-1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [], "usage": USAGE}
    )
    return [*pieces, chunk({}, "tool_calls" if calls else "stop"), last, event("[DONE]")]


def anthropic_message(content: Sequence[dict[str, Any]], stop: str | None = "end_turn") -> dict[str, Any]:
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "m",
        "content": list(content),
        "stop_reason": stop,
        "stop_sequence": None,
        "usage": {"input_tokens": 11, "output_tokens": 7},
    }


def plain_anthropic(*content: dict[str, Any]) -> Reply:
    return Reply([json.dumps(anthropic_message(content)).encode()], end="length")


def anthropic_events(text: str, calls: Sequence[tuple[str, str]] = ()) -> list[bytes]:
    """A streamed answer: thoughts, a word a piece, and the calls in halves."""
    pieces = [event({"type": "message_start", "message": anthropic_message((), None)}, "message_start")]

    def block(at: int, start: dict[str, Any], deltas: Iterable[dict[str, Any]]) -> None:
        pieces.append(
            event({"type": "content_block_start", "index": at, "content_block": start}, "content_block_start")
        )
        for delta in deltas:
            pieces.append(event({"type": "content_block_delta", "index": at, "delta": delta}, "content_block_delta"))
        pieces.append(event({"type": "content_block_stop", "index": at}, "content_block_stop"))

    thoughts = ({"type": "thinking_delta", "thinking": "Let me see."}, {"type": "signature_delta", "signature": "s"})
    block(0, {"type": "thinking", "thinking": "", "signature": ""}, thoughts)
    pieces.append(event({"type": "ping"}, "ping"))
    block(1, {"type": "text", "text": ""}, ({"type": "text_delta", "text": word} for word in _words(text)))
    for at, (name, arguments) in enumerate(calls, 2):
        half = len(arguments) // 2
        halves = ({"type": "input_json_delta", "partial_json": part} for part in (arguments[:half], arguments[half:]))
        block(at, {"type": "tool_use", "id": f"toolu_{at}", "name": name, "input": {}}, halves)
    stop = {"stop_reason": "tool_use" if calls else "end_turn", "stop_sequence": None}
    pieces.append(event({"type": "message_delta", "delta": stop, "usage": {"output_tokens": 7}}, "message_delta"))
    return [*pieces, event({"type": "message_stop"}, "message_stop")]


def _words(text: str) -> list[str]:
    words = text.split(" ")
    return [word + " " * (at < len(words) - 1) for at, word in enumerate(words)]


def streamed(pieces: Sequence[bytes | threading.Event], **more: Any) -> Reply:
    return Reply(pieces, headers=EVENTS, **more)
