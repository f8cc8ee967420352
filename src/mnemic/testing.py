"""Fakes that ship: deterministic, honest, and without a model. For Mnemic's own tests and for yours."""

from __future__ import annotations

import json
import random
import re
import sys
import threading
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingTCPServer
from types import MappingProxyType, TracebackType
from typing import Any, Literal, Self, cast

import numpy as np
from numpy.typing import NDArray

from mnemic.errors import InputError, TimeError
from mnemic.ports import TokenLists

_TOKEN = re.compile(r"\w+")
_VOCABULARY = 65_536


class HashEmbedder:
    """A TokenEmbedder without weights: a bag of hashed words. Same result on every machine and in every process.

    A token is a lower-cased word, its id is the CRC-32 of the word modulo `vocabulary`, its vector has `dims` entries
    of +1 or -1 drawn from the id. So vectors of different words are nearly orthogonal (cosine about 0 ± 1/√dims),
    shared words are all that makes texts similar, and sums are whole numbers: exact in any order.
    """

    def __init__(self, dims: int = 64) -> None:
        if dims < 1:
            raise InputError(f"dims must be at least 1 (got {dims})")
        self._dims = dims

    def __repr__(self) -> str:
        return f"HashEmbedder(dims={self._dims})"

    @property
    def space(self) -> str:
        """`hash:<dims>`."""
        return f"hash:{self._dims}"

    @property
    def dims(self) -> int:
        """Length of a vector."""
        return self._dims

    @property
    def vocabulary(self) -> int:
        """Number of token ids: 65,536."""
        return _VOCABULARY

    def embed_documents(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """The plain sums of the texts' token vectors, shape (len(texts), dims)."""
        return self.embed_token_lists(self.tokenize_many(texts))

    def embed_query(self, text: str) -> NDArray[np.float32]:
        """The plain sum of the text's token vectors, shape (dims,)."""
        return self.embed_documents([text])[0]

    def tokenize(self, text: str) -> NDArray[np.int32]:
        """Token ids of a text, shape (tokens,)."""
        words = _TOKEN.findall(text.lower())
        return np.array([zlib.crc32(word.encode()) % _VOCABULARY for word in words], dtype=np.int32)

    def tokenize_many(self, texts: Sequence[str]) -> TokenLists:
        """Token ids of several texts, end to end."""
        lists = [self.tokenize(text) for text in texts]
        offsets = np.zeros(len(lists) + 1, dtype=np.int64)
        offsets[1:] = np.cumsum([len(ids) for ids in lists])
        return TokenLists(np.concatenate([np.empty(0, np.int32), *lists]), offsets)

    def embed_token_lists(self, tokens: TokenLists) -> NDArray[np.float32]:
        """The plain sum of each text's token vectors, shape (texts, dims); zeros for a text without tokens."""
        sums = np.zeros((len(tokens.offsets) - 1, self._dims), dtype=np.float32)
        np.add.at(sums, np.repeat(np.arange(len(sums)), tokens.lengths), self._vectors(tokens.ids))
        return sums

    def embed_tokens(self, tokens: NDArray[np.int32], weights: NDArray[np.float32]) -> NDArray[np.float32]:
        """The weighted sum of token vectors, shape (dims,). Raises InputError when the two shapes differ."""
        if tokens.shape != weights.shape or tokens.ndim != 1:
            raise InputError(f"tokens and weights must have one shape (n,): got {tokens.shape} and {weights.shape}")
        return weights.astype(np.float32, copy=False) @ self._vectors(tokens)

    def _vectors(self, ids: NDArray[np.int32]) -> NDArray[np.float32]:
        """Signs for (id, column) pairs, shape (len(ids), dims): the top bit of splitmix64 (Steele et al. 2014)."""
        mixed = ids.astype(np.uint64)[:, None] * np.uint64(self._dims) + np.arange(self._dims, dtype=np.uint64)
        mixed = (mixed + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        mixed ^= mixed >> np.uint64(31)
        return np.where(mixed >> np.uint64(63), np.float32(1), np.float32(-1))


class FrozenClock:
    """A Clock that stands still until it is moved. `start` must have a time zone; 2024-01-01 00:00 UTC by default."""

    def __init__(self, start: datetime = datetime(2024, 1, 1, tzinfo=UTC)) -> None:
        if start.utcoffset() is None:
            raise TimeError(f"a clock needs a time with a zone (got {start!r}); add tzinfo=UTC")
        self._now = start

    def __call__(self) -> datetime:
        """The moment at which the clock stands."""
        return self._now

    def advance(self, seconds: float) -> datetime:
        """Move the clock (backwards if negative) and return the new moment."""
        self._now += timedelta(seconds=seconds)
        return self._now


@dataclass(frozen=True, slots=True)
class Answer:
    """One step of a ScriptedChat: what it answers, or what goes wrong. `Answer("Yes.")` is a plain answer."""

    text: str = ""
    """What the model says; with a `status` other than 200, the server's message."""
    think: str | None = None
    """Thoughts before it, as the protocol has them: a <think> block for OpenAI's, a thinking block for Anthropic's."""
    finish: Literal["stop", "length", "content_filter"] = "stop"
    """Why the answer ends, in OpenAI's words; Anthropic's are chosen to match."""
    refusal: str | None = None
    """The model declines, with these words, in place of the text."""
    calls: Sequence[tuple[str, Mapping[str, Any]]] = ()
    """Tools that the model asks for after the text: the name of each and its input."""
    status: int = 200
    """The HTTP status; other than 200, the protocol's error is answered."""
    headers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """More headers, e.g. {"Retry-After": "3"}; a Content-Type takes the place of application/json."""
    delay: float = 0.0
    """Seconds before the answer. A client that has gone by then is no error; closing the server ends the wait."""
    pause: float = 0.0
    """Seconds before each further word of a streamed answer."""
    cut: Literal["before", "within"] | None = None
    """Hangs up: before the first byte, or in the middle of the answer."""
    body: str | bytes | None = None
    """What is sent in place of the protocol's JSON, byte for byte."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that a ScriptedChat was sent."""

    path: str
    headers: Mapping[str, str]
    """By name, in lower case."""
    body: Mapping[str, Any]
    """The JSON as it came."""
    messages: tuple[Mapping[str, str], ...]
    """`role` and `content` of each, in either protocol; Anthropic's `system` stands first."""


Step = str | int | Answer | Callable[[tuple[Mapping[str, str], ...]], "str | int | Answer"]
"""An answer's text, a status, an Answer, or a function of the request's messages that gives one of these."""


FAULTS = ("broken", "prose", "think", "fence", "cut short", "refusal", "empty", "500", "429", "hang up", "silence")
"""What `Faults` can do to an answer; the last four happen to the request."""


class Faults:
    """A step of a ScriptedChat that answers as `answer` says, but for a share of the requests: with those something is
    wrong.

        with ScriptedChat(Faults('{"statements": []}', share=0.2, seed=7)) as server: ...

    Which fault a request meets depends on the seed, its messages, and how often they were asked: not on the order in
    which requests arrive, so that a run with many threads is repeated exactly. `made` counts them.
    """

    def __init__(
        self,
        answer: Step,
        *,
        share: float = 0.2,
        seed: int = 0,
        kinds: Sequence[str] = FAULTS,
        silence: float = 5.0,
    ) -> None:
        if not 0 <= share <= 1:
            raise InputError(f"share must be from 0 to 1 (got {share})")
        unknown = [kind for kind in kinds if kind not in FAULTS]
        if unknown or not kinds:
            raise InputError(f"kinds must be some of {', '.join(FAULTS)} (got {', '.join(unknown) or 'none'})")
        self._answer = answer
        self._share = share
        self._seed = seed
        self._kinds = tuple(kinds)
        self._silence = silence
        self._asked: dict[str, int] = {}
        self.made: dict[str, int] = dict.fromkeys(kinds, 0)

    def __call__(self, messages: tuple[Mapping[str, str], ...]) -> str | int | Answer:
        plain = json.dumps([dict(message) for message in messages])
        times = self._asked[plain] = self._asked.get(plain, -1) + 1
        drawn = random.Random(f"{self._seed} {times} {plain}")
        given = self._answer(messages) if callable(self._answer) else self._answer
        if drawn.random() >= self._share or not isinstance(given, str):
            return given
        kind = drawn.choice(self._kinds)
        self.made[kind] += 1
        return self._spoilt(kind, given, drawn)

    def _spoilt(self, kind: str, text: str, drawn: random.Random) -> str | int | Answer:
        within = drawn.randrange(len(text) // 3, max(len(text) - 1, len(text) // 3 + 1)) if text else 0
        return {
            "broken": Answer(text.replace(":", " ", 3).replace('"', "", 3)),
            "prose": Answer(f"Sure! Here is what [I] found {{in short}}:\n{text}\nLet me know if you need more."),
            "think": Answer(text, think='They want JSON, perhaps {"statements": [{"text": "a draft"}]}.'),
            "fence": Answer(f"```json\n{text}\n```"),
            "cut short": Answer(text[:within], finish="length"),
            "refusal": Answer("I'm sorry, but I can't help with that."),
            "empty": Answer(""),
            "500": Answer("the model fell over", status=500),
            "429": Answer("slow down", status=429, headers=MappingProxyType({"Retry-After": "0.01"})),
            "hang up": Answer(text, cut="within" if drawn.random() < 0.5 else "before"),
            "silence": Answer(text, delay=self._silence),
        }[kind]


class ScriptedChat:
    """A chat server on a loopback port that plays a script: one step per request, the last one for ever.

        with ScriptedChat("Lisbon.", 429, Answer("Porto.", delay=0.1)) as server:
            memory = ...  # with server.url, for a client of either protocol
        assert "live" in server.requests[0].messages[-1]["content"]

    It is a real server, with sockets and a thread: `POST …/chat/completions` is answered in OpenAI's protocol,
    `POST …/messages` in Anthropic's, as a stream of events, a word each, where that is asked for. As the real ones it
    refuses a request that the protocol does not allow (400; 401 for Anthropic's without a key); that takes no step. A
    status (`429`) is answered with the protocol's error. Tokens are counted in words. A step that is a function is
    called with the messages, one call at a time; what it raises is printed, and answered with status 400.

    Nothing listens before `with` is entered, or after it is left; `requests` can still be read then.
    """

    def __init__(self, *script: Step) -> None:
        if not script:
            raise InputError('a script needs at least one step, e.g. ScriptedChat("Yes.")')
        for step in script:
            if isinstance(step, bool) or not (isinstance(step, (str, int, Answer)) or callable(step)):
                raise InputError(f"a step is a text, a status, an Answer or a function (got {step!r:.80})")
        self._script = list(script)
        self._lock = threading.RLock()  # a step that is a function may read `requests`
        self._asked: list[Asked] = []
        self._server: _Loopback | None = None
        self._thread: threading.Thread | None = None

    def __repr__(self) -> str:
        return f"ScriptedChat({'closed' if self._server is None else self.url})"

    @property
    def url(self) -> str:
        """The address up to where the protocol begins, "http://127.0.0.1:<port>/v1", as a base_url is given."""
        if self._server is None:
            raise InputError("the server has an address inside its with block only: with ScriptedChat(…) as server:")
        return f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    @property
    def requests(self) -> tuple[Asked, ...]:
        """What was asked so far, in order of arrival."""
        with self._lock:
            return tuple(self._asked)

    def __enter__(self) -> Self:
        if self._server is not None:
            raise InputError("this server is running already; make another one")
        self._server = _Loopback(self._step)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        server, thread = self._server, self._thread
        self._server = self._thread = None
        if server is not None and thread is not None:
            server.closing.set()
            server.shutdown()
            thread.join()
            server.server_close()

    def _step(self, asked: Asked) -> tuple[Answer, int]:
        """Note the request, and take the step that answers it; and which request it is."""
        with self._lock:
            self._asked.append(asked)
            number = len(self._asked)
            step = self._script.pop(0) if len(self._script) > 1 else self._script[0]
            given = step if isinstance(step, (str, int, Answer)) else step(asked.messages)
        if isinstance(given, str):
            given = Answer(given)
        return given if isinstance(given, Answer) else Answer("as the script says", status=given), number


class _Loopback(ThreadingTCPServer):
    """Not http.server's own: that one looks up the host's name, which can take seconds."""

    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, step: Callable[[Asked], tuple[Answer, int]]) -> None:
        self.step = step
        self.closing = threading.Event()
        super().__init__(("127.0.0.1", 0), _Exchange)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print what went wrong, but for a client that is gone."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Exchange(BaseHTTPRequestHandler):
    """One request and its answer."""

    timeout = 10.0
    """Seconds for which a client that says nothing can hold up the closing of the server."""

    def do_POST(self) -> None:
        server = cast("_Loopback", self.server)
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = self.path.partition("?")[0]
        protocol = next((known for end, known in _PROTOCOLS.items() if path.endswith(end)), None)
        if protocol is None:
            self._send(404, _problem(404, f"nothing at {self.path}: known are …{', …'.join(_PROTOCOLS)}"), {})
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        try:
            body = cast("dict[str, Any]", json.loads(raw))
            asked = Asked(self.path, headers, body, protocol.messages(body, headers))
        except _Refused as refused:
            self._send(refused.status, _problem(refused.status, str(refused)), {})
            return
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            self._send(400, _problem(400, f"not a chat request: {type(error).__name__}: {error}"), {})
            return
        try:
            answer, number = server.step(asked)
        except Exception as error:
            self._send(400, _problem(400, f"the script failed: {type(error).__name__}: {error}"), {})
            raise
        if answer.delay:
            server.closing.wait(answer.delay)
        if answer.cut == "before":
            return
        if answer.body is None and answer.status == 200 and asked.body.get("stream"):
            self._stream(protocol.events(protocol.reply(answer, asked, number), asked), answer, server.closing)
            return
        if answer.body is not None:
            content = answer.body.encode("utf-8", "surrogatepass") if isinstance(answer.body, str) else answer.body
        elif answer.status != 200:
            content = _problem(answer.status, answer.text)
        else:
            content = json.dumps(protocol.reply(answer, asked, number)).encode()
        self._send(answer.status, content, answer.headers, whole=answer.cut is None)

    def _send(self, status: int, content: bytes, headers: Mapping[str, str], *, whole: bool = True) -> None:
        fixed = {"Content-Type": "application/json", "Content-Length": str(len(content))}
        self.send_response(status)
        for name, value in (fixed | {name.title(): value for name, value in headers.items()}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content if whole else content[: len(content) // 2])

    def _stream(self, events: Sequence[bytes], answer: Answer, closing: threading.Event) -> None:
        self.protocol_version = "HTTP/1.1"  # for chunks, without which an answer that is cut looks like a whole one
        self.send_response(200)
        fixed = {"Content-Type": "text/event-stream", "Transfer-Encoding": "chunked", "Connection": "close"}
        for name, value in (fixed | {name.title(): value for name, value in answer.headers.items()}).items():
            self.send_header(name, value)
        self.end_headers()
        whole = answer.cut is None
        for place, event in enumerate(events if whole else events[: len(events) // 2]):
            if place and answer.pause:
                closing.wait(answer.pause)
            self.wfile.write(b"%x\r\n%s\r\n" % (len(event), event))
        if whole:
            self.wfile.write(b"0\r\n\r\n")

    def log_message(self, format: str, *args: Any) -> None:
        pass


class _Refused(Exception):  # noqa: N818
    """What the real server would not take."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class _OpenAI:
    """POST /chat/completions."""

    @staticmethod
    def messages(body: dict[str, Any], headers: Mapping[str, str]) -> tuple[Mapping[str, str], ...]:
        return _messages(body, ("system", "developer", "user", "assistant", "tool"))

    @staticmethod
    def reply(answer: Answer, asked: Asked, number: int) -> dict[str, Any]:
        text = answer.text if answer.think is None else f"<think>{answer.think}</think>{answer.text}"
        finish = answer.finish if answer.refusal is None else "content_filter"
        message: dict[str, Any] = {"role": "assistant", "content": text, "refusal": None}
        if answer.calls:
            finish = "tool_calls"
            message["content"] = text or None
            message["tool_calls"] = [
                {"id": id_, "type": "function", "function": {"name": name, "arguments": json.dumps(given)}}
                for id_, name, given in _calls(answer, number)
            ]
        if answer.refusal is not None:
            message |= {"content": None, "refusal": answer.refusal}
        spent, said = _words(asked), len(f"{answer.think or ''} {answer.text}".split())
        return {
            "id": f"chatcmpl-scripted-{number}",
            "object": "chat.completion",
            "created": 0,
            "model": asked.body["model"],
            "choices": [{"index": 0, "message": message, "finish_reason": finish}],
            "usage": {"prompt_tokens": spent, "completion_tokens": said, "total_tokens": spent + said},
        }

    @staticmethod
    def events(reply: dict[str, Any], asked: Asked) -> list[bytes]:
        """The same answer as a stream."""
        [choice] = reply["choices"]
        message = choice["message"]
        deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}]
        deltas += [{"content": piece} for piece in _pieces(message["content"] or "")]
        deltas += [{"tool_calls": [{"index": at, **call}]} for at, call in enumerate(message.get("tool_calls", ()))]
        if message["refusal"] is not None:
            deltas.append({"refusal": message["refusal"]})
        chunk = {**reply, "object": "chat.completion.chunk"}
        usage = chunk.pop("usage")
        chunks = [{**chunk, "choices": [{"index": 0, "delta": one, "finish_reason": None}]} for one in deltas]
        chunks.append({**chunk, "choices": [{"index": 0, "delta": {}, "finish_reason": choice["finish_reason"]}]})
        wanted: dict[str, Any] = asked.body.get("stream_options") or {}
        if wanted.get("include_usage"):
            chunks.append({**chunk, "choices": [], "usage": usage})
        return [*(_event(one) for one in chunks), b"data: [DONE]\n\n"]


class _Anthropic:
    """POST /v1/messages."""

    @staticmethod
    def messages(body: dict[str, Any], headers: Mapping[str, str]) -> tuple[Mapping[str, str], ...]:
        if not headers.get("x-api-key") and not headers.get("authorization"):
            raise _Refused(401, "x-api-key header is required")
        if "anthropic-version" not in headers:
            raise _Refused(400, "anthropic-version: header is required")
        if "max_tokens" not in body:
            raise _Refused(400, "max_tokens: Field required")
        system = ({"role": "system", "content": _flat(body["system"])},) if body.get("system") else ()
        return (*system, *_messages(body, ("user", "assistant")))

    @staticmethod
    def reply(answer: Answer, asked: Asked, number: int) -> dict[str, Any]:
        stop = {"stop": "end_turn", "length": "max_tokens", "content_filter": "refusal"}[answer.finish]
        content: list[dict[str, Any]] = []
        details = None
        if answer.refusal is not None:
            stop, details = "refusal", {"type": "refusal", "category": None, "explanation": answer.refusal}
        elif answer.think is not None:
            content.append({"type": "thinking", "thinking": answer.think, "signature": ""})
        if answer.text and answer.refusal is None:
            content.append({"type": "text", "text": answer.text})
        if answer.calls:
            stop = "tool_use"
            content += [
                {"type": "tool_use", "id": id_, "name": name, "input": given}
                for id_, name, given in _calls(answer, number)
            ]
        said = len(f"{answer.think or ''} {answer.text}".split())
        return {
            "id": f"msg_scripted_{number}",
            "type": "message",
            "role": "assistant",
            "model": asked.body["model"],
            "content": content,
            "stop_reason": stop,
            "stop_sequence": None,
            "stop_details": details,
            "usage": {"input_tokens": _words(asked), "output_tokens": said},
        }

    @staticmethod
    def events(reply: dict[str, Any], asked: Asked) -> list[bytes]:
        """The same answer as a stream."""
        told: list[dict[str, Any]] = [
            {"type": "message_start", "message": {**reply, "content": [], "stop_reason": None, "stop_details": None}}
        ]
        for at, block in enumerate(reply["content"]):
            empty: dict[str, Any] = {"text": "", "thinking": "", "input": {}}
            begun = {name: empty.get(name, value) for name, value in block.items()}
            told.append({"type": "content_block_start", "index": at, "content_block": begun})
            told += [{"type": "content_block_delta", "index": at, "delta": delta} for delta in _deltas(block)]
            told.append({"type": "content_block_stop", "index": at})
        ended = {name: reply[name] for name in ("stop_reason", "stop_sequence", "stop_details")}
        told.append({"type": "message_delta", "delta": ended, "usage": reply["usage"]})
        told.append({"type": "message_stop"})
        return [b"event: %s\n%s" % (one["type"].encode(), _event(one)) for one in told]


_PROTOCOLS: Mapping[str, type[_OpenAI] | type[_Anthropic]] = {"/chat/completions": _OpenAI, "/messages": _Anthropic}


def _messages(body: dict[str, Any], roles: tuple[str, ...]) -> tuple[Mapping[str, str], ...]:
    """The messages of a request, their content as text. Raises _Refused as the real servers do."""
    if not body.get("model"):
        raise _Refused(400, "model: Field required")
    given = cast("list[dict[str, Any]]", body.get("messages"))
    if not given:
        raise _Refused(400, "messages: at least one message is required")
    for place, message in enumerate(given):
        if message["role"] not in roles:
            raise _Refused(400, f"messages.{place}.role: {message['role']!r} is none of {', '.join(roles)}")
    return tuple({"role": str(message["role"]), "content": _flat(message["content"])} for message in given)


def _flat(content: Any) -> str:
    """The text of a content: a string, or a list of parts, a tool's result among them; "" for none."""
    if content is None or isinstance(content, str):
        return content or ""
    return "".join(str(part["text"]) if "text" in part else _flat(part.get("content")) for part in content)


def _calls(answer: Answer, number: int) -> list[tuple[str, str, Mapping[str, Any]]]:
    """The tools that the answer to a request asks for: an id of each, its name and its input."""
    return [(f"call_{number}_{place}", name, dict(given)) for place, (name, given) in enumerate(answer.calls)]


def _deltas(block: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The pieces of a block of Anthropic's."""
    if block["type"] == "tool_use":
        yield {"type": "input_json_delta", "partial_json": json.dumps(block["input"])}
    for piece in _pieces(block.get("thinking", "")):
        yield {"type": "thinking_delta", "thinking": piece}
    for piece in _pieces(block.get("text", "")):
        yield {"type": "text_delta", "text": piece}


def _pieces(text: str) -> list[str]:
    """A text word by word, each with the space behind it."""
    return re.findall(r"\S+\s*|\s+", text)


def _event(told: dict[str, Any]) -> bytes:
    return f"data: {json.dumps(told)}\n\n".encode()


def _words(asked: Asked) -> int:
    return sum(len(message["content"].split()) for message in asked.messages)


def _problem(status: int, message: str) -> bytes:
    """An error that both protocols' clients can read."""
    kind = _KINDS.get(status, "invalid_request_error" if status < 500 else "api_error")
    return json.dumps({"type": "error", "error": {"type": kind, "message": message, "code": None}}).encode()


_KINDS = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    529: "overloaded_error",
}
