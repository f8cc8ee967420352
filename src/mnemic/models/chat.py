"""Chat models behind HTTP: OpenAI's `POST /chat/completions`, which most servers speak, and Anthropic's `/v1/messages`.

Standard library only. Nothing is sent before the first `complete`; how patiently a server is asked stands in `wire`.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple, cast

from mnemic.errors import ConfigError, InputError, ModelError
from mnemic.models import foreign
from mnemic.models.wire import Reply, Wire
from mnemic.ports import Completion

_ROLES = ("system", "user", "assistant")
_THOUGHTS = re.compile(r"(?:\s*<think>.*?</think>)+", re.DOTALL)
_BARE_END = re.compile(r"(?<![`'\"])</think>")
_UNSUPPORTED = re.compile(r"unsupported|(?:not|n't) support|deprecat|not (?:allowed|permitted)|unrecogni[sz]ed", re.I)
_ELSE = {"max_tokens": "max_completion_tokens", "temperature": None}
"""What is sent where a model refuses a field: another one, or nothing."""


class HttpChat:
    """A ChatModel behind an OpenAI-compatible server: Ollama, vLLM, llama.cpp, LM Studio, or a hosted one.

    `base_url` ends where the server's own `/chat/completions` begins, e.g. "http://localhost:11434/v1". `api_key` goes
    out as a bearer token. `timeout` is seconds of silence per request: an answer comes in one piece, so it must be
    longer than the model takes. `attempts` is tries per request: a busy or failing server (429, 5xx), a timeout and a
    cut connection are tried again after 0.5, 1, 2 … seconds, or what its Retry-After says.

    A model that does not support `max_tokens` is asked with `max_completion_tokens`, one that does not support
    `temperature` without it; what it refused is not sent again.

    Raises ConfigError for settings that cannot be, and on use ModelError, whose message tells whether the request, the
    server, the wire or the model is at fault.
    """

    def __init__(
        self,
        base_url: str,
        model: str,
        *,
        api_key: str | None = None,
        timeout: float = 60.0,
        attempts: int = 4,
        headers: Mapping[str, str] | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        bearer = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self._wire = Wire(
            base_url,
            "/chat/completions",
            key=api_key,
            timeout=timeout,
            attempts=attempts,
            headers={**(headers or {}), **bearer},
            sleep=sleep,
        )
        if not model:
            raise ConfigError(f"which model of {base_url}? Pass its name, e.g. '{base_url}#model'")
        self._model = model
        self._unsupported: set[str] = set()

    def __repr__(self) -> str:
        return f"HttpChat({self._wire.server!r}, {self._model!r})"

    @property
    def name(self) -> str:
        """`openai:<model>`, after the protocol. The host is left out: the same model may move."""
        return f"openai:{self._model}"

    def complete(
        self, messages: Sequence[Mapping[str, str]], *, max_tokens: int = 512, temperature: float = 0.0
    ) -> Completion:
        """The server's answer. Raises InputError for messages that cannot be, ModelError for what goes wrong."""
        sent = _checked(messages, max_tokens, temperature)
        body = {"model": self._model, "messages": sent, "max_tokens": max_tokens, "temperature": temperature}
        reply = _ask(self._wire, body, self._unsupported, "does base_url end in '/v1'")
        said = _read(self._wire, reply, _of_openai)
        return _completion(said, f"{self._model!r} at {self._wire.server}", max_tokens, reply.tries)


class AnthropicChat:
    """A ChatModel behind Anthropic's Messages API.

    System messages go into `system`, joined by blank lines wherever they stood; so are messages of one role that follow
    each other. `headers` are added to those that the API asks for. `timeout`, `attempts`, and what is raised when, are
    those of HttpChat. A model that does not support `temperature` is asked without it.
    """

    def __init__(
        self,
        model: str,
        *,
        api_key: str,
        base_url: str = "https://api.anthropic.com",
        timeout: float = 60.0,
        attempts: int = 4,
        headers: Mapping[str, str] | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        if not model:
            raise ConfigError("which model? Pass its name, e.g. 'anthropic:<model>'")
        if not api_key:
            raise ConfigError(
                f"'anthropic:{model}' needs a key: pass it as api_key=…; it is not read from the environment"
            )
        self._wire = Wire(
            # Other servers' addresses end in /v1, and so may this one's.
            base_url.rstrip("/").removesuffix("/v1"),
            "/v1/messages",
            key=api_key,
            timeout=timeout,
            attempts=attempts,
            headers={"anthropic-version": "2023-06-01", **(headers or {}), "x-api-key": api_key},
            sleep=sleep,
        )
        self._model = model
        self._unsupported: set[str] = set()

    def __repr__(self) -> str:
        return f"AnthropicChat({self._model!r}, base_url={self._wire.server.removesuffix('/v1/messages')!r})"

    @property
    def name(self) -> str:
        """`anthropic:<model>`."""
        return f"anthropic:{self._model}"

    def complete(
        self, messages: Sequence[Mapping[str, str]], *, max_tokens: int = 512, temperature: float = 0.0
    ) -> Completion:
        """The model's answer. Raises InputError for messages that cannot be, ModelError for what goes wrong."""
        given = _checked(messages, max_tokens, temperature)
        system = "\n\n".join(message["content"] for message in given if message["role"] == "system")
        turns = [message for message in given if message["role"] != "system"]
        if not turns:
            raise InputError("the Messages API answers a user: add a message of role 'user' to the system's")
        merged = [
            {"role": role, "content": "\n\n".join(message["content"] for message in run)}
            for role, run in groupby(turns, key=lambda message: message["role"])
        ]
        body = {"model": self._model, "messages": merged, "max_tokens": max_tokens, "temperature": temperature}
        if system:
            body["system"] = system
        reply = _ask(self._wire, body, self._unsupported, "is base_url right")
        said = _read(self._wire, reply, _of_anthropic)
        return _completion(said, f"{self._model!r} at {self._wire.server}", max_tokens, reply.tries)


class PromptChat:
    """A ChatModel around a function from a prompt to an answer, both strings.

    One message is the prompt as it is; of several, each is a paragraph, those of users and assistants with their role
    before them if both speak. `max_tokens` and `temperature` do not reach the function, and tokens are not counted.
    Whatever it raises arrives as ModelError, with the original as its cause.
    """

    def __init__(self, answer: Callable[[str], str]) -> None:
        self._answer = answer

    def __repr__(self) -> str:
        return f"PromptChat({self.name})"

    @property
    def name(self) -> str:
        """The function's name; of another callable, its class."""
        return str(getattr(self._answer, "__name__", type(self._answer).__name__))

    def complete(
        self, messages: Sequence[Mapping[str, str]], *, max_tokens: int = 512, temperature: float = 0.0
    ) -> Completion:
        """The function's answer. Raises InputError for messages that cannot be, ModelError for what goes wrong."""
        prompt = _prompt(_checked(messages, max_tokens, temperature))
        with foreign(f"{self.name} failed"):
            answer = cast("object", self._answer(prompt))
        if not isinstance(answer, str):
            raise ModelError(f"{self.name} answered {type(answer).__name__}; expected a string")
        return _completion(_Said(answer), self.name, None)


def _prompt(messages: list[dict[str, str]]) -> str:
    """One prompt for a model that knows no messages."""
    if not any(message["role"] == "assistant" for message in messages):
        return "\n\n".join(message["content"] for message in messages)
    label = {"system": "", "user": "User: ", "assistant": "Assistant: "}
    turns = [label[message["role"]] + message["content"] for message in messages]
    return "\n\n".join([*turns, "Assistant:"])


def _checked(given: Sequence[Mapping[str, str]], max_tokens: int, temperature: float) -> list[dict[str, str]]:
    """The messages as they are sent. Raises InputError, naming the message by its place."""
    if isinstance(given, (str, Mapping)) or not given:
        raise InputError(
            f"messages must be a list such as [{{'role': 'user', 'content': 'Hello'}}] (got {given!r:.80})"
        )
    if max_tokens < 1:
        raise InputError(f"max_tokens must be at least 1 (got {max_tokens})")
    if not 0 <= temperature <= 2:
        raise InputError(f"temperature must be from 0 to 2 (got {temperature})")
    return [_message(message, place) for place, message in enumerate(given)]


def _message(given: object, place: int) -> dict[str, str]:
    if not isinstance(given, Mapping):
        raise InputError(f"message {place} must be a dict with a role and a content (got {type(given).__name__})")
    fields = dict(cast("Mapping[str, object]", given))
    role, content = fields.get("role"), fields.get("content")
    if len(fields) != 2 or not isinstance(role, str) or not isinstance(content, str):
        kinds = ", ".join(f"{name}: {type(value).__name__}" for name, value in fields.items()) or "nothing"
        raise InputError(f"message {place} must have a role and a content, strings, and nothing else (has {kinds})")
    if role not in _ROLES:
        raise InputError(f"message {place} has the role {role!r}; expected one of {', '.join(_ROLES)}")
    return {"role": role, "content": content}


# --- asking --------------------------------------------------------------------------------------------------------


def _ask(wire: Wire, body: Mapping[str, object], unsupported: set[str], where: str) -> Reply:
    """The reply to a request, spelled as the model takes it; `unsupported` learns the fields that it does not."""
    while True:
        sent = {(_ELSE[name] if name in unsupported else name): value for name, value in body.items()}
        sent.pop(None, None)
        reply = wire.post(sent)
        if reply.status == 200:
            return reply
        refused = _refused_field(reply, sent)
        if refused is None:
            raise wire.refused(reply, _hints(body["model"], body["max_tokens"], where))
        unsupported.add(refused)


def _refused_field(reply: Reply, sent: Mapping[str | None, object]) -> str | None:
    """The field without which the request may be taken; None when nothing of the kind is said."""
    said = reply.content[:4000].decode("utf-8", "replace")
    if reply.status not in (400, 422) or not _UNSUPPORTED.search(said):
        return None
    if "max_tokens" in sent and "max_completion_tokens" in said:
        return "max_tokens"
    return "temperature" if "temperature" in sent and "temperature" in said else None


def _hints(model: object, max_tokens: object, where: str) -> dict[int, str]:
    return {
        400: f"is {model!r} a chat model, and do the messages and max_tokens={max_tokens} fit into its window?",
        401: "is the api_key right?",
        402: "is the account in credit?",
        403: "may this api_key use the model?",
        404: f"{where}, and is there a model {model!r}?",
        405: f"{where}?",
        413: "pass shorter messages",
        422: f"is {model!r} a chat model, and do the messages and max_tokens={max_tokens} fit into its window?",
    }


# --- reading -------------------------------------------------------------------------------------------------------


class _Said(NamedTuple):
    """What either protocol's answer holds."""

    text: str
    thought: bool = False
    """Whether the server gave thoughts, apart from the text."""
    called: bool = False
    """Whether it asks for a tool."""
    stop: str = ""
    """Why it ended, in the server's words: "finish_reason: length"."""
    cut: bool = False
    failed: bool = False
    declined: str | None = None
    """The words with which it declined; "" for none; None where it did not decline."""
    tokens_in: int = 0
    tokens_out: int = 0


def _read(wire: Wire, reply: Reply, reader: Callable[[Any], _Said]) -> _Said:
    """The answer in a reply of status 200."""
    try:
        answer = json.loads(reply.content)
    except (ValueError, RecursionError) as error:
        kind = f"{reply.kind}, not JSON" if reply.kind not in ("", "application/json") else "broken JSON"
        raise ModelError(
            f"{wire.server} answered {kind}: {wire.excerpt(reply.content)}; is base_url that of a chat API?"
        ) from error
    try:
        return reader(answer)
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        if isinstance(answer, dict) and cast("dict[str, Any]", answer).get("error"):
            raise ModelError(f"{wire.server} failed, with status 200: {wire.excerpt(reply.content)}") from error
        raise ModelError(
            f"{wire.server} answered something that is not a chat answer: {wire.excerpt(reply.content)}"
        ) from error


def _of_openai(answer: Any) -> _Said:
    choice = answer["choices"][0]
    message, finish, usage = choice["message"], choice.get("finish_reason"), answer.get("usage")
    text, thought = _parts(message.get("content"))
    refusal = message.get("refusal")
    return _Said(
        text,
        # vLLM and LM Studio: reasoning_content; Ollama, OpenRouter and newer vLLM: reasoning
        thought=thought or bool(message.get("reasoning_content") or message.get("reasoning")),
        called=bool(message.get("tool_calls")),
        stop=f"finish_reason: {finish}",
        cut=finish == "length",
        failed=finish == "error",
        declined=str(refusal or text) if refusal or finish == "content_filter" else None,
        tokens_in=_count(usage, "prompt_tokens"),
        tokens_out=_count(usage, "completion_tokens"),
    )


def _of_anthropic(answer: Any) -> _Said:
    blocks, stop, usage = answer["content"], answer.get("stop_reason"), answer.get("usage")
    text, thought = _parts(blocks)
    details = answer.get("stop_details")
    explained = cast("dict[str, Any]", details).get("explanation") if isinstance(details, dict) else None
    return _Said(
        text,
        thought=thought,
        called=stop == "tool_use",
        stop=f"stop_reason: {stop}",
        cut=stop in ("max_tokens", "model_context_window_exceeded"),
        declined=str(explained or text) if stop == "refusal" else None,
        # What was written to the cache or read from it is counted apart.
        tokens_in=_count(usage, "input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens"),
        tokens_out=_count(usage, "output_tokens"),
    )


def _parts(content: Any) -> tuple[str, bool]:
    """The text of a content, and whether there are thoughts in it. It is a string, a list of parts, or None."""
    if content is None or isinstance(content, str):
        return content or "", False
    if not isinstance(content, list):
        raise TypeError(f"content is {type(content).__name__}")
    parts = [{"text": part} if isinstance(part, str) else part for part in cast("list[Any]", content)]
    texts = [part["text"] for part in parts if part.get("type", "text") in ("text", "output_text")]
    return "".join(texts), any("thinking" in part.get("type", "") for part in parts)


def _count(usage: Any, *names: str) -> int:
    """The sum of these numbers; what is missing or no number counts 0."""
    values = [cast("dict[str, Any]", usage).get(name) for name in names] if isinstance(usage, dict) else []
    return sum(value for value in values if isinstance(value, int) and value > 0)


def _completion(said: _Said, who: str, max_tokens: int | None, tries: int = 1) -> Completion:
    """The answer, once there is one; `max_tokens` None: it knew no bound. Raises ModelError when nothing was said."""
    try:
        return _answered(said, who, max_tokens, tries)
    except ModelError as error:
        error.tries = tries
        raise


def _answered(said: _Said, who: str, max_tokens: int | None, tries: int) -> Completion:
    stop = f" ({said.stop})" if said.stop else ""
    if said.failed:
        raise ModelError(f"{who} failed in the middle of its answer{stop}; asking again may help")
    if said.declined is not None:
        words = f": {_short(said.declined)}" if said.declined.strip() else ""
        raise ModelError(
            f"{who} declined to answer{stop}{words}; ask in other words, or another model", fault="declined"
        )
    text, thought, open_end = _spoken(said.text)
    if text:
        return Completion(text, said.tokens_in, said.tokens_out, said.cut, tries)
    if max_tokens is not None and (thought or said.thought) and (open_end or said.cut):
        raise ModelError(
            f"{who} only thought until max_tokens={max_tokens}, and answered nothing{stop}; "
            + "pass a larger max_tokens, or switch its thinking off"
        )
    if thought or said.thought:
        raise ModelError(f"{who} only thought, and answered nothing{stop}; switch its thinking off, or ask again")
    if said.called:
        raise ModelError(f"{who} called a tool, and answered nothing{stop}; none was offered to it")
    if said.cut:
        raise ModelError(f"{who} answered nothing until max_tokens={max_tokens}{stop}; pass a larger max_tokens")
    raise ModelError(f"{who} answered nothing{stop}; is it a model that answers messages?")


def _spoken(text: str) -> tuple[str, bool, bool]:
    """An answer without the thoughts at its start, whether there were any, and whether they never end.

    Many chat templates open the thoughts in the prompt; then the answer begins with them, and only their end is marked.
    """
    found = _THOUGHTS.match(text)
    rest = text[found.end() :] if found else text
    if rest.lstrip().startswith("<think>"):
        return "", True, True
    if not found and "<think>" not in text and (end := _BARE_END.search(text)):
        return _clean(text[end.end() :]), True, False
    return _clean(rest), found is not None, False


def _clean(text: str) -> str:
    """Stripped, and text throughout: half a surrogate pair, which JSON can hold, becomes U+FFFD."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").strip()


def _short(text: str) -> str:
    words = " ".join(text.split())
    return repr(words if len(words) <= 200 else words[:199] + "…")
