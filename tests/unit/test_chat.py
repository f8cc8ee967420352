"""Chat models: what is sent, what is read, and what is said when something goes wrong. All over real sockets."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import FrozenInstanceError
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mnemic.errors import ConfigError, InputError, ModelError, ParameterError
from mnemic.models.chat import AnthropicChat, HttpChat, PromptChat, _spoken  # pyright: ignore[reportPrivateUsage]
from mnemic.models.wrap import as_chat, name_of
from mnemic.ports import ChatModel, Completion
from mnemic.testing import Answer, ScriptedChat

HELLO = [{"role": "user", "content": "Where does Ana live?"}]
KEY = "sk-123"

Make = Callable[..., ChatModel]


def openai(server: ScriptedChat, **options: Any) -> ChatModel:
    return HttpChat(server.url, "small", **{"api_key": KEY, **options})


def anthropic(server: ScriptedChat, **options: Any) -> ChatModel:
    return AnthropicChat("small", base_url=server.url, **{"api_key": KEY, **options})


both = pytest.mark.parametrize("make", [openai, anthropic])


@pytest.fixture
def waits() -> list[float]:
    return []


def failure(make: Make, *script: Any, **options: Any) -> tuple[str, int]:
    """What the model error says, and after how many requests."""
    with ScriptedChat(*script) as server:
        with pytest.raises(ModelError) as caught:
            make(server, **options).complete(HELLO)
        assert KEY not in str(caught.value)
        return str(caught.value), len(server.requests)


# --- what is sent --------------------------------------------------------------------------------------------------

TALK = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "I live in Porto."},
    {"role": "user", "content": "Where do I live?"},
    {"role": "assistant", "content": "In Porto."},
    {"role": "system", "content": "Be kind."},
    {"role": "user", "content": "Since when? \ud800"},
]


def test_openai_is_asked_in_its_protocol(waits: list[float]) -> None:
    with ScriptedChat("Since May.") as server:
        chat = HttpChat(server.url + "/", "small", api_key=KEY, headers={"X-Team": "blue"}, sleep=waits.append)
        assert server.requests == ()
        answer = chat.complete(TALK, max_tokens=9, temperature=0.5)
        assert answer == Completion("Since May.", tokens_in=17, tokens_out=2)
        asked = server.requests[0]
    assert asked.path == "/v1/chat/completions"
    assert asked.body == {"model": "small", "messages": TALK, "max_tokens": 9, "temperature": 0.5}
    assert asked.headers["authorization"] == f"Bearer {KEY}"
    assert asked.headers["x-team"] == "blue"
    assert asked.headers["content-type"] == "application/json"
    assert waits == []
    assert chat.name == "openai:small"
    assert isinstance(chat, ChatModel)
    assert repr(chat) == f"HttpChat('http://127.0.0.1:{asked.headers['host'][10:]}/v1/chat/completions', 'small')"


def test_a_server_without_a_key_gets_none() -> None:
    with ScriptedChat("Porto.") as server:
        HttpChat(server.url, "small").complete(HELLO)
        assert "authorization" not in server.requests[0].headers


def test_anthropic_is_asked_in_its_protocol(waits: list[float]) -> None:
    with ScriptedChat("Since May.") as server:
        base = server.url.removesuffix("/v1")
        chat = AnthropicChat("small", api_key=KEY, base_url=base, headers={"anthropic-beta": "x"}, sleep=waits.append)
        assert server.requests == ()
        answer = chat.complete(TALK, max_tokens=9, temperature=0.5)
        assert answer == Completion("Since May.", tokens_in=17, tokens_out=2)
        asked = server.requests[0]
    assert asked.path == "/v1/messages"
    assert asked.body == {
        "model": "small",
        "system": "Be brief.\n\nBe kind.",
        "messages": [
            {"role": "user", "content": "I live in Porto.\n\nWhere do I live?"},
            {"role": "assistant", "content": "In Porto."},
            {"role": "user", "content": "Since when? \ud800"},
        ],
        "max_tokens": 9,
        "temperature": 0.5,
    }
    assert asked.headers["x-api-key"] == KEY
    assert asked.headers["anthropic-version"] == "2023-06-01"
    assert asked.headers["anthropic-beta"] == "x"
    assert "authorization" not in asked.headers
    assert waits == []
    assert chat.name == "anthropic:small"
    assert isinstance(chat, ChatModel)
    assert repr(chat) == f"AnthropicChat('small', base_url={base!r})"
    assert "api.anthropic.com" in repr(AnthropicChat("small", api_key=KEY))


def test_messages_without_a_system_message_have_no_system() -> None:
    with ScriptedChat("Porto.") as server:
        anthropic(server).complete(HELLO)
        assert "system" not in server.requests[0].body


@both
@pytest.mark.parametrize(
    ("messages", "options", "said"),
    [
        ([], {}, "must be a list"),
        ("Hello", {}, "must be a list"),
        ({"role": "user", "content": "Hello"}, {}, "must be a list"),
        (["Hello"], {}, "message 0 must be a dict"),
        ([*HELLO, {}], {}, "message 1 .*has nothing"),
        ([{"role": "user"}], {}, "has role: str"),
        ([{"role": "user", "content": ["x"]}], {}, "has role: str, content: list"),
        ([{**HELLO[0], "name": "Ana"}], {}, "nothing else .*name: str"),
        ([{"role": "robot", "content": "x"}], {}, "the role 'robot'; expected one of system, user, assistant"),
        (HELLO, {"max_tokens": 0}, "at least 1"),
        (HELLO, {"temperature": float("nan")}, "from 0 to 2"),
        (HELLO, {"temperature": -1}, "from 0 to 2"),
    ],
)
def test_messages_that_cannot_be_are_not_sent(make: Make, messages: Any, options: Any, said: str) -> None:
    with ScriptedChat("Porto.") as server:
        with pytest.raises(InputError, match=said):
            make(server).complete(messages, **options)
        assert server.requests == ()


def test_anthropic_needs_somebody_to_answer() -> None:
    with ScriptedChat("Porto.") as server, pytest.raises(InputError, match="role 'user'"):
        anthropic(server).complete(TALK[:1])


NO_MAX_TOKENS = Answer(
    "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
    status=400,
)
NO_TEMPERATURE = Answer("`temperature` is deprecated for this model.", status=400)


def test_a_model_that_wants_max_completion_tokens_gets_them() -> None:
    with ScriptedChat(NO_MAX_TOKENS, NO_TEMPERATURE, "Porto.") as server:
        chat = openai(server)
        assert chat.complete(HELLO, max_tokens=9).text == "Porto."
        assert chat.complete(HELLO, max_tokens=8).text == "Porto."
    bodies = [request.body for request in server.requests]
    assert [sorted(body.keys() - {"model", "messages"}) for body in bodies] == [
        ["max_tokens", "temperature"],
        ["max_completion_tokens", "temperature"],
        ["max_completion_tokens"],
        ["max_completion_tokens"],  # remembered
    ]
    assert bodies[-1]["max_completion_tokens"] == 8


def test_a_model_without_a_temperature_is_asked_without_one() -> None:
    with ScriptedChat(NO_TEMPERATURE, "Porto.") as server:
        chat = anthropic(server)
        assert chat.complete(HELLO).text == "Porto."
        assert chat.complete(HELLO).text == "Porto."
    assert ["temperature" in request.body for request in server.requests] == [True, False, False]


def test_a_model_that_takes_nothing_is_given_up() -> None:
    assert failure(openai, NO_TEMPERATURE)[1] == 2
    assert failure(openai, NO_MAX_TOKENS)[1] == 2
    assert failure(anthropic, NO_TEMPERATURE)[1] == 2


@pytest.mark.parametrize(
    "message", ["temperature must be at most 1", "'tools' is not supported", "max_tokens: too large"]
)
def test_another_refusal_is_not_asked_again(message: str) -> None:
    said, requests = failure(openai, Answer(message, status=400))
    assert requests == 1
    assert message.replace("'", "") in said.replace("'", "")


# --- what is read --------------------------------------------------------------------------------------------------


@both
@pytest.mark.parametrize(
    ("given", "text"),
    [
        (Answer("  Porto.\n"), "Porto."),
        (Answer("Porto.", think="Ana said so."), "Porto."),
        (Answer("<think>Hm</think>Porto.", think="Ana said so."), "Porto."),
        (Answer("<think>\nHm.\n</think>\n\nPorto."), "Porto."),
        (Answer("\n<think></think>\n<think>Hm, a <think> in it.</think>Porto."), "Porto."),
        (Answer("Hm.\n</think>\n\nPorto."), "Porto."),  # the template had opened the thoughts
        (Answer("Write <think>x</think> around it."), "Write <think>x</think> around it."),
        (Answer("Close it with `</think>`."), "Close it with `</think>`."),
        (Answer('{"a": "b"}'), '{"a": "b"}'),
        (Answer("Ana 😀 \ud800 \x00"), "Ana 😀 � \x00"),
    ],
)
def test_an_answer_is_what_was_said_aloud(make: Make, given: Answer, text: str) -> None:
    with ScriptedChat(given) as server:
        answer = make(server).complete(HELLO)
    assert (answer.text, answer.cut) == (text, False)


@both
def test_an_answer_that_is_cut_says_so(make: Make) -> None:
    with ScriptedChat(Answer("Porto is", finish="length")) as server:
        assert make(server).complete(HELLO).cut


def body_of(content: Any, finish: str | None = "stop", **more: Any) -> Answer:
    message = {"role": "assistant", "content": content, **more}
    return Answer(body=json.dumps({"choices": [{"message": message, "finish_reason": finish}]}))


def blocks(*content: Any, stop: str | None = "end_turn", **more: Any) -> Answer:
    return Answer(body=json.dumps({"type": "message", "content": content, "stop_reason": stop, **more}))


TEXT = {"type": "text", "text": "Porto."}


@pytest.mark.parametrize(
    ("make", "given"),
    [
        (openai, body_of("Porto.", None)),
        (openai, body_of([TEXT])),
        (openai, body_of([{"type": "thinking", "thinking": [TEXT]}, {"type": "text", "text": "Por"}, "to."])),
        (openai, body_of([{"type": "output_text", "text": "Porto."}])),
        (openai, body_of("Porto.", reasoning_content="Ana said so.")),
        (openai, Answer(body=b'\xef\xbb\xbf{"choices": [{"message": {"content": "Porto."}}], "usage": 7}')),
        (
            openai,
            Answer(body='{"choices": [{"message": {"content": "Porto."}}]}', headers={"Content-Type": "text/plain"}),
        ),
        (openai, Answer(body='{"choices": [{"message": {"content": "Porto."}}], "usage": {"prompt_tokens": "many"}}')),
        (
            anthropic,
            blocks({"type": "redacted_thinking", "data": "x"}, {"type": "text", "text": "Por"}, {"text": "to."}),
        ),
        (anthropic, blocks(TEXT, {"type": "tool_use", "id": "1", "name": "x", "input": {}})),
        (anthropic, blocks(TEXT, stop=None, usage=None)),
    ],
)
def test_answers_as_various_servers_give_them(make: Make, given: Answer) -> None:
    with ScriptedChat(given) as server:
        assert make(server).complete(HELLO) == Completion("Porto.", 0, 0)


def test_tokens_of_the_cache_are_tokens() -> None:
    usage = {"input_tokens": 1, "cache_creation_input_tokens": 20, "cache_read_input_tokens": 300, "output_tokens": 4}
    with ScriptedChat(blocks(TEXT, usage=usage)) as server:
        assert anthropic(server).complete(HELLO) == Completion("Porto.", 321, 4)


def test_a_completion_is_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        Completion("Porto.").text = "Lisbon."  # type: ignore[misc]


WORDS = st.text(alphabet="ab \n`'\"</>é😀").filter(lambda text: "think>" not in text)


@given(st.lists(WORDS, max_size=3), WORDS)
def test_closed_thoughts_leave_exactly_the_answer(thoughts: list[str], answer: str) -> None:
    text, thought, open_end = _spoken("".join(f"<think>{words}</think>" for words in thoughts) + answer)
    assert (text, thought, open_end) == (answer.strip(), bool(thoughts), False)


@given(st.lists(WORDS, max_size=3), st.text())
def test_open_thoughts_leave_nothing(thoughts: list[str], rest: str) -> None:
    opened = "<think>" + rest.replace("</think>", "")
    text, _, open_end = _spoken("".join(f"<think>{words}</think>\n" for words in thoughts) + opened)
    assert (text, open_end) == ("", True)


# --- when nothing is said ------------------------------------------------------------------------------------------


@both
@pytest.mark.parametrize(
    ("given", "said"),
    [
        (Answer("<think>Hm, let me", finish="length"), "only thought until max_tokens=512.*larger max_tokens"),
        (Answer("<think>Hm, let me"), "only thought until max_tokens=512"),
        (Answer("<think>Hm</think>\n<think>and", finish="length"), "only thought until max_tokens=512"),
        (Answer(think="Hm", finish="length"), "only thought until max_tokens=512"),
        (Answer(think="Hm"), "only thought, and answered nothing"),
        (Answer(""), "answered nothing .*(stop|end_turn)"),
        (Answer(" \n"), "answered nothing"),
        (Answer("", finish="length"), "answered nothing until max_tokens=512"),
        (
            Answer(refusal="I can't\nhelp with that."),
            r"declined to answer .*: .I can't help with that\..; ask in other",
        ),
        (Answer(refusal=""), r"declined to answer \((finish_reason: content_filter|stop_reason: refusal)\); ask"),
        (Answer("How to", finish="content_filter"), "declined to answer .*'How to'"),
        (Answer(body="{broken"), "answered broken JSON: '{broken'; is base_url that of a chat API"),
        (Answer(body=""), "answered broken JSON: ''"),
        (Answer(body=b"\xff\xfe\xff"), "answered broken JSON"),
        (Answer(body="[" * 100_000), "answered broken JSON"),
        (
            Answer(body="<html>Log in", headers={"content-type": "text/html; charset=utf-8"}),
            "text/html, not JSON: '<html>",
        ),
        (Answer(body="data: {}", headers={"Content-Type": "text/event-stream"}), "text/event-stream, not JSON"),
        (Answer(body="[1]"), "not a chat answer"),
        (Answer(body="null"), "not a chat answer"),
        (Answer(body="{}"), "not a chat answer: '{}'"),
        (Answer(body='{"error": {"message": "no GPU left"}}'), "failed, with status 200: 'no GPU left'"),
        (body_of(7), "not a chat answer"),
        (body_of([7]), "not a chat answer"),
        (Answer(body='{"content": 7}'), "not a chat answer"),
        (Answer(body='{"content": [{"type": "text"}]}'), "not a chat answer"),
        (Answer(body='{"choices": []}'), "not a chat answer"),
        (Answer(body='{"choices": [{"text": "a completion"}]}'), "not a chat answer"),
    ],
)
def test_no_answer_is_an_error_at_once(make: Make, given: Answer, said: str, waits: list[float]) -> None:
    with ScriptedChat(given) as server:
        with pytest.raises(ModelError, match=said) as caught:
            make(server, sleep=waits.append).complete(HELLO)
        assert len(server.requests) == 1
        assert server.url.removesuffix("/v1") in str(caught.value)
    assert waits == []


@pytest.mark.parametrize(
    ("make", "given", "said"),
    [
        (openai, body_of(None, "length", reasoning="Hm"), "only thought until max_tokens=512"),
        (openai, body_of("", "stop", reasoning_content="Hm"), "only thought, and answered nothing"),
        (openai, body_of(None, "tool_calls", tool_calls=[{"id": "1"}]), "called a tool"),
        (openai, body_of("Por", "error"), "failed in the middle of its answer"),
        (openai, body_of(None, "stop", refusal="No."), "declined to answer .*'No.'"),
        (anthropic, blocks({"type": "tool_use"}, stop="tool_use"), "called a tool"),
        (anthropic, blocks(TEXT, stop="refusal"), "declined to answer .*'Porto.'"),
        (anthropic, blocks(stop="model_context_window_exceeded"), "answered nothing until"),
        (anthropic, blocks({"type": "thinking"}, stop="max_tokens"), "only thought until max_tokens=512"),
    ],
)
def test_no_answer_in_one_protocol(make: Make, given: Answer, said: str) -> None:
    with ScriptedChat(given) as server, pytest.raises(ModelError, match=said):
        make(server).complete(HELLO)


# --- the server and the wire ---------------------------------------------------------------------------------------


@both
@pytest.mark.parametrize(
    "hiccup",
    [408, 425, 429, 500, 502, 503, 504, 529, Answer("x", cut="before"), Answer("x" * 99, cut="within")],
)
def test_what_may_pass_is_tried_again(make: Make, hiccup: int | Answer, waits: list[float]) -> None:
    with ScriptedChat(hiccup, hiccup, "Porto.") as server:
        assert make(server, sleep=waits.append).complete(HELLO).text == "Porto."
        assert len(server.requests) == 3
    assert len(waits) == 2
    assert 0.4 <= waits[0] <= 0.6
    assert 0.8 <= waits[1] <= 1.2


@both
def test_a_timeout_is_tried_again(make: Make, waits: list[float]) -> None:
    with ScriptedChat(Answer("Lisbon.", delay=60), "Porto.") as server:
        assert make(server, timeout=0.5, sleep=waits.append).complete(HELLO).text == "Porto."
    assert len(waits) == 1


@both
def test_a_rate_limit_says_how_long(make: Make, waits: list[float]) -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=50), usegmt=True)
    busy = [Answer("slow down", status=429, headers={"Retry-After": after}) for after in ("7", date)]
    with ScriptedChat(*busy, "Porto.") as server:
        assert make(server, sleep=waits.append).complete(HELLO).text == "Porto."
    assert waits[0] == 7
    assert 1 < waits[1] <= 50


@both
def test_a_rate_limit_that_is_too_long_is_an_error(make: Make, waits: list[float]) -> None:
    busy = Answer("quota used up", status=429, headers={"retry-after": "3600"})
    said, requests = failure(make, busy, sleep=waits.append)
    assert "failed with 429: 'quota used up'; it asks to wait 3600 s" in said
    assert (requests, waits) == (1, [])


@both
@pytest.mark.parametrize(
    ("step", "said"),
    [
        (Answer("overloaded, sk-123", status=529), "failed with 529: 'overloaded, …' (tried 3 times)"),
        (Answer("slow down", status=429), "failed with 429: 'slow down' (tried 3 times)"),
        (Answer("x", cut="before"), "broke: RemoteDisconnected"),
        (Answer("x" * 99, cut="within"), "broke: IncompleteRead"),
    ],
)
def test_what_does_not_pass_is_an_error(make: Make, step: Answer, said: str, waits: list[float]) -> None:
    message, requests = failure(make, step, attempts=3, sleep=waits.append)
    assert said in message
    assert message.endswith("(tried 3 times)")
    assert (requests, len(waits)) == (3, 2)


@both
def test_silence_is_an_error(make: Make) -> None:
    said, _ = failure(make, Answer("x", delay=60), timeout=0.1, attempts=1)
    assert "nothing came for 0.1 s: pass a larger timeout" in said


@both
@pytest.mark.parametrize(
    ("status", "said"),
    [
        (400, "is 'small' a chat model, and do the messages and max_tokens=512 fit"),
        (401, "is the api_key right?"),
        (402, "in credit"),
        (403, "may this api_key use the model?"),
        (404, "is there a model 'small'?"),
        (405, "base_url"),
        (413, "shorter messages"),
        (418, "see the server's answer"),
        (422, "a chat model"),
        (204, "refused the request with 204"),
        (501, "refused the request with 501"),
    ],
)
def test_a_refusal_says_who_is_at_fault(make: Make, status: int, said: str, waits: list[float]) -> None:
    message, requests = failure(make, Answer("no, sk-123", status=status), sleep=waits.append)
    assert f"refused the request with {status}: " in message
    assert said in message
    assert (requests, waits) == (1, [])


@both
def test_a_redirect_is_not_followed(make: Make) -> None:
    with ScriptedChat("Lisbon.") as other:
        moved = Answer(status=307, headers={"Location": other.url + "/chat/completions"})
        assert "with 307: '…'; redirects are not followed" in failure(make, moved)[0].replace("''", "'…'")
        assert other.requests == ()


@both
def test_no_server_and_no_tls(make: Make) -> None:
    with ScriptedChat("Porto.") as server:
        gone = make(server)
        with pytest.raises(ModelError, match=r"cannot be reached: .*SSL.*base_url right"):
            HttpChat(server.url.replace("http:", "https:"), "small").complete(HELLO)
    with pytest.raises(ModelError, match=r"cannot be reached: .*is the server running"):
        gone.complete(HELLO)


def test_a_host_that_cannot_be() -> None:
    with pytest.raises(ModelError, match="cannot be reached"):
        HttpChat(f"http://{'a' * 64}.example/v1", "small").complete(HELLO)


def test_threads_share_a_model() -> None:
    def echo(messages: Sequence[Mapping[str, str]]) -> str:
        return messages[-1]["content"].upper()

    answers: dict[str, str] = {}
    with ScriptedChat(echo) as server:
        chat = openai(server)

        def ask(word: str) -> None:
            answers[word] = chat.complete([{"role": "user", "content": word}]).text

        threads = [threading.Thread(target=ask, args=(f"word{at}",)) for at in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(server.requests) == 16
    assert answers == {f"word{at}": f"WORD{at}" for at in range(16)}


# --- settings, and whatever a caller passes ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "model", "options"),
    [
        ("localhost:8080/v1", "m", {}),
        ("ftp://localhost/v1", "m", {}),
        ("http://user:pw@localhost/v1", "m", {}),
        ("http://localhost/v1?x=1", "m", {}),
        ("http://local host/v1", "m", {}),
        ("http://[::1/v1", "m", {}),
        ("http://localhost:99999/v1", "m", {}),
        ("http://localhost/v1", "", {}),
        ("http://localhost/v1", "m", {"attempts": 0}),
        ("http://localhost/v1", "m", {"timeout": 0}),
        ("http://localhost/v1", "m", {"timeout": float("inf")}),
        ("http://localhost/v1", "m", {"api_key": "two\nlines"}),
        ("http://localhost/v1", "m", {"headers": {"X-Team": "two\r\nlines"}}),
        ("http://localhost/v1", "m", {"headers": {"X Team": "blue"}}),
    ],
)
def test_settings_that_cannot_be(url: str, model: str, options: dict[str, Any]) -> None:
    for make in (partial(HttpChat, url, model), partial(AnthropicChat, model, base_url=url)):
        with pytest.raises(ConfigError) as caught:
            make(**{"api_key": KEY, **options})
        assert "pw" not in str(caught.value)
        assert "two" not in str(caught.value)


def test_specs() -> None:
    assert as_chat(None) is None
    chat = as_chat("http://localhost:11434/v1#qwen3:8b", api_key=KEY)
    assert isinstance(chat, HttpChat)
    assert repr(chat) == "HttpChat('http://localhost:11434/v1/chat/completions', 'qwen3:8b')"
    assert name_of(chat) == "openai:qwen3:8b"
    assert isinstance(as_chat("https://example.org/v1#m"), HttpChat)
    chat = as_chat("anthropic:claude-x", api_key=KEY)
    assert isinstance(chat, AnthropicChat)
    assert KEY not in repr(chat)
    assert name_of(chat) == "anthropic:claude-x"
    assert name_of(None) is None


def test_a_key_is_asked_for_and_read_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    with pytest.raises(ConfigError, match=r"'anthropic:claude-x' needs a key: pass it as api_key="):
        as_chat("anthropic:claude-x")


@pytest.mark.parametrize("spec", ["", "gpt", "anthropic", "anthropic:", "ftp://x/v1#m", "ollama:qwen"])
def test_a_string_that_names_nothing(spec: str) -> None:
    with pytest.raises(
        ParameterError, match="possible are 'http://<host>/v1#<model>', 'anthropic:<model>', a function"
    ):
        as_chat(spec)


def test_an_address_without_a_model_asks_for_it() -> None:
    with pytest.raises(ConfigError, match="which model of http://localhost/v1"):
        as_chat("http://localhost/v1")


class Own:
    """A caller's own model, without a name."""

    def complete(self, messages: Any, *, max_tokens: int = 512, temperature: float = 0.0) -> Completion:
        return Completion("Porto.")


async def later(prompt: str) -> str:
    return "Porto."


class LaterOwn:
    async def complete(self, messages: Any) -> str:
        return "Porto."


class LaterCall:
    async def __call__(self, prompt: str) -> str:
        return "Porto."


def test_an_object_with_complete_is_returned_as_it_is() -> None:
    own = Own()
    assert as_chat(own) is own
    assert name_of(own) == "Own"  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (42, "which int lacks; or pass one of 'http:"),
        (["http://localhost/v1#m"], "which list lacks"),
        (Own, r"not a class: pass Own\("),
        (later, "later is asynchronous"),
        (LaterOwn(), "LaterOwn is asynchronous"),
        (LaterCall(), "LaterCall is asynchronous"),
    ],
)
def test_another_object_is_a_type_error(given: object, said: str) -> None:
    with pytest.raises(TypeError, match=said) as caught:
        as_chat(given)
    assert isinstance(caught.value, ParameterError)


def test_a_function_is_given_a_prompt() -> None:
    prompts: list[str] = []

    def answer(prompt: str) -> str:
        prompts.append(prompt)
        return "<think>Hm.</think> Porto.\n"

    chat = as_chat(answer)
    assert isinstance(chat, PromptChat)
    assert isinstance(chat, ChatModel)
    assert chat.complete(HELLO) == Completion("Porto.")
    chat.complete(TALK[:3])
    chat.complete(TALK[:4])
    assert prompts == [
        "Where does Ana live?",
        "Be brief.\n\nI live in Porto.\n\nWhere do I live?",
        "Be brief.\n\nUser: I live in Porto.\n\nUser: Where do I live?\n\nAssistant: In Porto.\n\nAssistant:",
    ]
    assert (chat.name, repr(chat)) == ("answer", "PromptChat(answer)")
    assert name_of(as_chat(partial(answer))) == "partial"
    with pytest.raises(InputError, match="message 0"):
        chat.complete([{"role": "user"}])


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (lambda prompt: 1 / 0, "<lambda> failed: ZeroDivisionError"),
        (lambda prompt: None, "<lambda> answered NoneType; expected a string"),
        (lambda prompt: " ", "<lambda> answered nothing; is it"),
        (lambda prompt: "<think>Hm", "<lambda> only thought, and answered nothing"),
    ],
)
def test_a_function_that_gives_no_answer(answer: Callable[[str], Any], said: str) -> None:
    with pytest.raises(ModelError, match=said):
        PromptChat(answer).complete(HELLO)


# --- the scripted server -------------------------------------------------------------------------------------------


def test_a_script_is_played_step_by_step_and_its_last_step_for_ever() -> None:
    with ScriptedChat("one", Answer("two"), lambda messages: f"{len(messages)} messages") as server:
        chat = openai(server)
        assert [chat.complete(HELLO * n).text for n in (1, 1, 2, 3)] == ["one", "two", "2 messages", "3 messages"]
        assert repr(server) == f"ScriptedChat({server.url})"
    assert [len(request.messages) for request in server.requests] == [1, 1, 2, 3]
    assert server.requests[0].messages == tuple(HELLO)
    assert repr(server) == "ScriptedChat(closed)"


@both
def test_a_function_may_give_any_step(make: Make) -> None:
    with ScriptedChat(lambda messages: 404 if messages[0]["role"] == "user" else Answer("Porto.")) as server:
        assert make(server).complete(TALK[:2]).text == "Porto."
        with pytest.raises(ModelError, match="with 404: 'as the script says'"):
            make(server).complete(HELLO)


def test_a_function_that_fails_says_so(capfd: pytest.CaptureFixture[str]) -> None:
    failed = pytest.raises(ModelError, match="with 400: 'the script failed: ZeroDivisionError")
    with ScriptedChat(lambda messages: str(1 // 0)) as server, failed:
        openai(server).complete(HELLO)
    assert "1 // 0" in capfd.readouterr().err


def test_a_delay_ends_when_the_server_is_closed() -> None:
    answers: list[str] = []
    asked = threading.Event()

    def late(_messages: object) -> Answer:
        asked.set()
        return Answer("late", delay=600)

    with ScriptedChat(late) as server:
        chat = openai(server)
        thread = threading.Thread(target=lambda: answers.append(chat.complete(HELLO).text))
        thread.start()
        assert asked.wait(10)
    thread.join(10)
    assert answers == ["late"]


def post(server: ScriptedChat, path: str, body: str, **headers: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection(server.url.split("/")[2], timeout=5)
    try:
        connection.request("POST", path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        reply = connection.getresponse()
        return reply.status, json.loads(reply.read())["error"]["message"]
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("path", "body", "headers", "status", "said"),
    [
        ("/v1/embeddings", "{}", {}, 404, "known are …/chat/completions, …/messages"),
        ("/v1/chat/completions", "{", {}, 400, "not a chat request: JSONDecodeError"),
        ("/v1/chat/completions", "[]", {}, 400, "not a chat request: AttributeError"),
        ("/v1/chat/completions", '{"messages": [{}]}', {}, 400, "model: Field required"),
        ("/v1/chat/completions", '{"model": "m", "messages": []}', {}, 400, "at least one"),
        ("/v1/chat/completions", '{"model": "m", "messages": [{"role": "x"}]}', {}, 400, "messages.0.role: 'x'"),
        ("/v1/messages", "{}", {}, 401, "x-api-key"),
        ("/v1/messages", "{}", {"x_api_key": "k"}, 400, "anthropic-version"),
        ("/v1/messages", "{}", {"x_api_key": "k", "anthropic_version": "2023-06-01"}, 400, "max_tokens"),
        (
            "/v1/messages",
            '{"model": "m", "max_tokens": 1, "messages": [{"role": "system", "content": "x"}]}',
            {"x_api_key": "k", "anthropic_version": "2023-06-01"},
            400,
            "'system' is none of user, assistant",
        ),
    ],
)
def test_a_scripted_server_refuses_what_a_real_one_would(
    path: str, body: str, headers: dict[str, str], status: int, said: str
) -> None:
    with ScriptedChat("Porto.") as server:
        got, message = post(server, path, body, **headers)
        assert got == status
        assert said in message
        assert server.requests == ()


def test_parts_are_flattened_for_the_script() -> None:
    body = {"model": "m", "messages": [{"role": "user", "content": [TEXT, {"type": "image_url"}, TEXT]}]}
    with ScriptedChat(418) as server:
        assert post(server, "/v1/chat/completions", json.dumps(body))[0] == 418
        assert server.requests[0].messages == ({"role": "user", "content": "Porto.Porto."},)


def test_a_script_says_what_is_wrong() -> None:
    with pytest.raises(InputError, match="at least one step"):
        ScriptedChat()
    for step in (None, True, 1.5, ["x"]):
        with pytest.raises(InputError, match="a step is a text, a status, an Answer or a function"):
            ScriptedChat(step)  # type: ignore[arg-type]
    server = ScriptedChat("x")
    with pytest.raises(InputError, match="inside its with block"):
        _ = server.url
    with server, pytest.raises(InputError, match="running already"):
        server.__enter__()
