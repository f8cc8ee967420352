"""What a proxy reads in requests and answers, puts into them, and takes for whose they are."""

from __future__ import annotations

import gzip
import json
import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mnemic.errors import ConfigError
from mnemic.serve.proxy.asked import wish_of
from mnemic.serve.proxy.given import CLOSING, OPENING, block, question, without
from mnemic.serve.proxy.settings import Settings
from mnemic.serve.proxy.splice import spliced
from mnemic.serve.proxy.wire import Conversation, Protocol, answer_of, conversation_of, unpacked
from tests.upstream import anthropic_events, event, openai_events, plain_anthropic, plain_openai


def said(protocol: Protocol, messages: list[Any], **more: Any) -> Conversation:
    found = conversation_of(protocol, json.dumps({"model": "m", "messages": messages}).encode(), **more)
    assert found is not None
    return found


# -- a text put into JSON

WORDS = st.text(max_size=20)
CONTENT = st.one_of(
    WORDS,
    st.lists(st.fixed_dictionaries({"type": st.just("text"), "text": WORDS}), min_size=1, max_size=3),
)
REQUEST = st.fixed_dictionaries(
    {
        "messages": st.lists(
            st.fixed_dictionaries({"role": st.sampled_from(["user", "assistant"]), "content": CONTENT}),
            min_size=1,
            max_size=5,
        ),
        "temperature": st.floats(allow_nan=False, allow_infinity=False),
        "x-unknown": st.recursive(st.none() | st.integers() | WORDS, lambda inner: st.lists(inner, max_size=3)),
    }
)


@given(
    request=REQUEST,
    text=WORDS,
    protocol=st.sampled_from(["openai", "anthropic"]),
    indent=st.sampled_from([None, 0, 3]),
    ascii_only=st.booleans(),
    data=st.data(),
)
def test_what_is_put_in_is_all_that_changes(
    request: dict[str, Any], text: str, protocol: Protocol, indent: int | None, ascii_only: bool, data: st.DataObject
) -> None:
    places = data.draw(st.sets(st.integers(0, len(request["messages"]) - 1), min_size=1))
    body = json.dumps(request, indent=indent, ensure_ascii=ascii_only)
    put = spliced(body, dict.fromkeys(places, text), protocol)
    expected = json.loads(body)
    for place in places:
        message = expected["messages"][place]
        part = {"type": "text", "text": text}
        if isinstance(message["content"], list):
            message["content"].insert(0, part)
        elif protocol == "openai":
            message["content"] = f"{text}\n\n{message['content']}"
        else:
            message["content"] = [part, {"type": "text", "text": message["content"]}]
    assert json.loads(put) == expected
    left = iter(put)
    assert all(sign in left for sign in body), "every byte that came is there, in its order"


def test_numbers_and_escapes_stay_as_they_were_written() -> None:
    body = '{ "seed":1e400,"top_p":0.10000000000000001, "messages" :[{"content":"\\u0041\\/","role":"user"} ] }'
    put = spliced(body, {0: "X"}, "openai")
    assert put == body.replace('"\\u0041', '"X\\n\\n\\u0041')


def test_behind_what_tools_gave() -> None:
    result = {"type": "tool_result", "tool_use_id": "t", "content": "5"}
    body = json.dumps({"messages": [{"role": "user", "content": [result, {"type": "text", "text": "and now?"}]}]})
    assert [part["type"] for part in json.loads(spliced(body, {0: "X"}, "anthropic"))["messages"][0]["content"]] == [
        "tool_result",
        "text",
        "text",
    ]


@pytest.mark.parametrize(
    "body",
    [
        '{"messages":[{"role":"user","content":"a"}],"messages":[{"role":"user","content":"b"}]}',
        '{"messages":[{"role":"user","content":"a","content":"b"}]}',
        '{"messages":[{"role":"user","content":null}]}',
        '{"messages":[]}',
        '{"messages":{"role":"user","content":"a"}}',
        "[]",
    ],
)
def test_where_readers_disagree_nothing_is_put_in(body: str) -> None:
    with pytest.raises(ValueError):
        spliced(body, {0: "X"}, "openai")


# -- the block


@given(st.text())
def test_a_quotation_cannot_end_the_block(text: str) -> None:
    put = block(" ".join(text.split()))
    assert put.startswith(OPENING)
    assert put.endswith(CLOSING)
    assert put.count("<") == 2
    assert "\n" not in put[len(OPENING) : -len(CLOSING)]


def test_what_is_told_already_is_left_out_with_its_headings() -> None:
    text = "Always:\n[1] Be brief.\n\nRemembered:\n2026-01-01\n[2] Ana: a\n…\n[3] Ana: b\n2026-01-02\n[4] Ana: c"
    assert without(text, {1}) == "Remembered:\n2026-01-01\n[1] Ana: a\n…\n[2] Ana: b\n2026-01-02\n[3] Ana: c"
    assert without(text, {2, 3}) == "Always:\n[1] Be brief.\n\nRemembered:\n2026-01-02\n[2] Ana: c"
    assert without(text, {2}) == "Always:\n[1] Be brief.\n\nRemembered:\n2026-01-01\n[2] Ana: b\n2026-01-02\n[3] Ana: c"
    assert without(text, {1, 2, 3, 4}) == ""
    assert without(text, ()) == text


def test_of_a_long_text_both_ends_are_looked_up() -> None:
    asked = question("Fix this: " + "x " * 5000 + "Where does it fail?")
    assert asked.startswith("Fix this:")
    assert asked.endswith("Where does it fail?")
    assert len(asked) <= 1001


# -- requests


def test_the_turns_of_an_openai_request() -> None:
    image = {"type": "image_url", "image_url": {"url": "data:" + "A" * 9000}}
    call = {"id": "1", "type": "function", "function": {"name": "look", "arguments": '{"at": 1}'}}
    found = said(
        "openai",
        [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": [{"type": "text", "text": "What is this?"}, image]},
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "1", "content": "a cat"},
            {"role": "assistant", "content": "A cat.", "refusal": None},
            {"role": "user", "content": "Thanks", "name": "Ana"},
        ],
    )
    assert [(turn.role, turn.text) for turn in found.turns] == [
        ("user", "What is this?\n[image_url]"),
        ("assistant", 'look({"at": 1})'),
        ("assistant", "A cat."),
        ("user", "Thanks"),
    ]
    assert found.last is not None
    assert (found.last.place, found.is_open, found.last.item["name"]) == (5, True, "Ana")
    assert len(json.dumps(found.turns[0].item)) < 500, "an image is kept as its hash"


def test_the_turns_of_an_anthropic_request() -> None:
    rules = {"type": "text", "text": "<system-reminder>rules</system-reminder>"}
    marked = {"text": "Hello <system-reminder>x</system-reminder>there", "cache_control": {"type": "ephemeral"}}
    thoughts = {"type": "thinking", "thinking": "hm", "signature": "s"}
    use = {"type": "tool_use", "id": "t", "name": "look", "input": {"b": 1, "a": 2}}
    result = {"type": "tool_result", "tool_use_id": "t", "content": [{"type": "text", "text": "a cat"}]}
    messages = [
        {"role": "user", "content": [rules, {"type": "text", **marked}]},
        {"role": "assistant", "content": [thoughts, use]},
        {"role": "user", "content": [result]},
    ]
    found = said("anthropic", messages)
    assert [(turn.role, turn.text) for turn in found.turns] == [
        ("user", "Hello there"),
        ("assistant", 'look({"a":2,"b":1})'),
    ]
    assert found.last is not None
    assert (found.last.place, found.is_open) == (0, False), "a tool's result is no turn of the user's"
    assert [turn.text for turn in said("anthropic", messages, tools=True).turns if turn.role == "tool"] == ["a cat"]


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b'{"messages": 5}', b'{"model": "m"}', b"\xff\xfe", b"[" * 100_000, b'{"a":' * 100_000],
)
def test_what_is_no_chat_request_is_no_conversation(body: bytes) -> None:
    assert conversation_of("openai", body) is None


@pytest.mark.parametrize(
    "message", [None, 5, "hi", {}, {"role": "user"}, {"role": 5, "content": "x"}, {"role": "user", "content": {"a": 1}}]
)
def test_what_is_no_message_is_no_turn(message: object) -> None:
    found = said("openai", [message, {"role": "user", "content": "hi"}])
    assert [turn.text for turn in found.turns if turn.role == "user"][-1] == "hi"


def test_half_a_character_is_replaced() -> None:
    found = conversation_of("openai", b'{"messages":[{"role":"user","content":"a\\ud83d"}]}')
    assert found is not None
    assert found.turns[0].text == "a?"


def test_a_mark_for_a_cache_and_white_space_change_no_digest() -> None:
    plain = said("anthropic", [{"role": "user", "content": "good  morning\n"}]).turns[0]
    marked = [{"type": "text", "text": "good morning", "cache_control": {"type": "ephemeral"}}]
    assert said("anthropic", [{"role": "user", "content": marked}]).turns[0].digest == plain.digest


# -- answers


def test_an_answer_is_the_same_in_one_and_in_pieces() -> None:
    calls = [("look", '{"at": 1}'), ("say", '{"x": "ü"}')]
    whole = answer_of("openai", plain_openai("One moment please.", calls=calls).pieces[0])  # type: ignore[arg-type]
    pieces = answer_of("openai", b"".join(openai_events("One moment please.", calls)))
    assert whole.whole
    assert pieces.whole
    assert whole.turn is not None
    assert pieces.turn is not None
    assert whole.turn.text == pieces.turn.text == 'One moment please.\nlook({"at": 1})\nsay({"x": "ü"})'
    assert pieces.turn.digest == whole.turn.digest
    assert [call["id"] for call in pieces.turn.item["tool_calls"]] == ["call_0", "call_1"]


def test_so_is_anthropics_without_its_thoughts() -> None:
    content = [
        {"type": "thinking", "thinking": "Let me see.", "signature": "s"},
        {"type": "text", "text": "One moment."},
        {"type": "tool_use", "id": "toolu_2", "name": "look", "input": {"at": 1}},
    ]
    whole = answer_of("anthropic", plain_anthropic(*content).pieces[0])  # type: ignore[arg-type]
    pieces = answer_of("anthropic", b"".join(anthropic_events("One moment.", [("look", '{"at": 1}')])))
    assert whole == pieces
    assert whole.turn is not None
    assert whole.turn.text == 'One moment.\nlook({"at":1})'


def test_of_several_answers_the_first_is_the_answer() -> None:
    found = answer_of("openai", plain_openai("first", "second").pieces[0])  # type: ignore[arg-type]
    assert found.turn is not None
    assert found.turn.text == "first"
    second = {"choices": [{"index": 1, "delta": {"content": "second"}, "finish_reason": "stop"}]}
    mixed = answer_of("openai", event(second) + b"".join(openai_events("first")))
    assert mixed.turn is not None
    assert mixed.turn.text == "first"


@pytest.mark.parametrize(
    ("protocol", "pieces"), [("openai", openai_events("a b c")), ("anthropic", anthropic_events("a b c"))]
)
def test_a_stream_that_breaks_off_is_not_whole(protocol: Protocol, pieces: list[bytes]) -> None:
    body = b"".join(pieces)
    ends = [answer_of(protocol, body[:end]).whole for end in range(len(body))]
    first = ends.index(True)
    assert not any(ends[:first])
    assert b'finish_reason": "stop' in body[:first] or b"message_stop" in body[:first]


@given(st.lists(st.binary(max_size=30), max_size=10), st.sampled_from(["openai", "anthropic"]), st.randoms())
def test_garbage_in_a_stream_is_passed_over(noise: list[bytes], protocol: Protocol, random: Any) -> None:
    pieces = openai_events("a b") if protocol == "openai" else anthropic_events("a b")
    for piece in noise:
        pieces.insert(random.randrange(len(pieces)), b": " + piece.replace(b"\n", b"").replace(b"\r", b"") + b"\n\n")
        pieces.insert(
            random.randrange(len(pieces)), b"data: {" + piece.replace(b"\n", b"").replace(b"\r", b"") + b"\n\n"
        )
    found = answer_of(protocol, b"".join(pieces))
    assert found.turn is not None
    assert found.turn.text == "a b"


@given(st.binary(max_size=200), st.sampled_from(["openai", "anthropic"]))
def test_whatever_comes_is_read_without_an_error(body: bytes, protocol: Protocol) -> None:
    assert not answer_of(protocol, body).whole or b"[DONE]" in body or b"message_stop" in body
    answer_of(protocol, b'{"choices":' + body + b"}")
    answer_of(protocol, b'data: {"choices":[' + body + b"]}\n\n")


@pytest.mark.parametrize(
    "told",
    [
        {"choices": [{"delta": 5}]},
        {"choices": [{"delta": {"content": 5, "tool_calls": [5, {"index": None, "function": 7}]}}]},
        {"choices": {"delta": {}}},
        {"type": "content_block_delta", "index": 0, "delta": {"text": 5}},
        {"type": "content_block_start", "index": "x", "content_block": {}},
        5,
        None,
        [],
    ],
)
@pytest.mark.parametrize("protocol", ["openai", "anthropic"])
def test_events_of_another_shape_say_nothing(told: object, protocol: Protocol) -> None:
    assert answer_of(protocol, event(told)).turn is None


def test_an_error_within_a_stream_is_no_answer() -> None:
    failed = event({"error": {"message": "overloaded"}})
    assert answer_of("openai", b"".join([*openai_events("a b")[:2], failed])).turn is None
    overloaded = event({"type": "error", "error": {"type": "overloaded_error"}}, "error")
    assert answer_of("anthropic", b"".join([*anthropic_events("a b")[:8], overloaded])).turn is None


def test_what_is_compressed_is_read_within_a_limit() -> None:
    assert unpacked(gzip.compress(b"hello"), "gzip", 100) == b"hello"
    assert unpacked(zlib.compress(b"hello"), "deflate", 100) == b"hello"
    assert unpacked(zlib.compress(b"hello")[2:-4], "deflate", 100) == b"hello"
    assert unpacked(gzip.compress(gzip.compress(b"hello")), "gzip, gzip", 100) == b"hello"
    assert unpacked(b"hello", "", 100) == unpacked(b"hello", "identity", 100) == b"hello"
    assert unpacked(gzip.compress(b"0" * 10_000_000), "gzip", 1000) is None
    assert unpacked(b"hello", "br", 100) is None
    assert unpacked(b"hello", "gzip", 100) is None


# -- whose memory


def wish(fields: Any = None, mode: str = "on", fixed: bool = False, **headers: str) -> Any:
    raw = [(f"x-mnemic{'-' if name else ''}{name}".encode(), value.encode()) for name, value in headers.items()]
    return wish_of(raw, fields or {}, {"user_id": "me", "tenant_id": "acme"}, mode, fixed=fixed)


def test_headers_go_before_fields_and_fields_before_the_default() -> None:
    assert wish().scope == {"user_id": "me", "tenant_id": "acme"}
    assert wish({"user": "ben"}).scope["user_id"] == "ben"
    assert wish({"metadata": {"user_id": "cid", "session_id": "s"}}).scope == {
        "user_id": "cid",
        "tenant_id": "acme",
        "session_id": "s",
    }
    assert wish({"user": "ben"}, user="ana", session="s", project="p", agent="a").scope == {
        "tenant_id": "acme",
        "user_id": "ana",
        "session_id": "s",
        "project_id": "p",
        "agent_id": "a",
    }
    assert wish(user="Zoë").scope["user_id"] == "Zoë"


def test_a_coding_agents_one_field_is_taken_apart() -> None:
    packed = {"metadata": {"user_id": "user_0a1b_account_11-22_session_33-44"}}
    assert wish(packed).scope == {"tenant_id": "acme", "user_id": "user_0a1b_account_11-22", "session_id": "33-44"}
    told = {"metadata": {"user_id": json.dumps({"device_id": "d", "account_uuid": "", "session_id": "s"})}}
    assert wish(told).scope == {"tenant_id": "acme", "user_id": "d", "session_id": "s"}


def test_fixed_walls_are_not_a_clients_to_choose() -> None:
    found = wish({"user": "ben"}, fixed=True, user="ana", project="p", session="s", agent="a", tenant="other")
    assert found.scope == {"user_id": "me", "tenant_id": "acme", "session_id": "s", "agent_id": "a"}
    assert wish(tenant="other").scope["tenant_id"] == "acme"


@pytest.mark.parametrize("user", ["", " ", "x" * 600])
def test_a_name_that_is_nobodys_gets_no_memory_and_nobody_elses(user: str) -> None:
    found = wish(user=user)
    assert (found.recalls, found.remembers, found.scope) == (False, False, None)


def test_two_names_get_none() -> None:
    raw = [(b"x-mnemic-user", b"ana"), (b"x-mnemic-user", b"ben")]
    assert wish_of(raw, {}, {"user_id": "me"}, "on", fixed=False).scope is None


@pytest.mark.parametrize(
    ("mode", "header", "recalls", "remembers"),
    [
        ("on", None, True, True),
        ("on", "on", True, True),
        ("on", "off", False, False),
        ("on", "OFF ", False, False),
        ("on", "recall-only", True, False),
        ("on", "remember", False, True),
        ("on", "of", False, False),
        ("recall-only", None, True, False),
        ("recall-only", "on", True, False),
        ("recall-only", "remember-only", False, False),
        ("off", "on", False, False),
    ],
)
def test_a_request_may_want_less(mode: str, header: str | None, recalls: bool, remembers: bool) -> None:
    raw = [] if header is None else [(b"x-mnemic", header.encode())]
    found = wish_of(raw, {}, {"user_id": "me"}, mode, fixed=False)
    assert (found.recalls, found.remembers) == (recalls, remembers)


# -- settings


@pytest.mark.parametrize(
    ("upstream", "asked", "path"),
    [
        ("https://api.openai.com/v1", "/v1/chat/completions", "/v1/chat/completions"),
        ("https://api.openai.com/v1/", "/chat/completions", "/v1/chat/completions"),
        ("https://api.anthropic.com", "/v1/messages", "/v1/messages"),
        ("https://openrouter.ai/api/v1", "/v1/models", "/api/v1/models"),
        ("https://g.example/v1beta/openai", "/v1/chat/completions", "/v1beta/openai/chat/completions"),
        ("https://gateway.example/anthropic", "/v1/messages", "/anthropic/v1/messages"),
        ("https://api.openai.com/v1", "/v1", "/v1"),
        ("https://api.openai.com/v1", "/v1/../admin", None),
        ("https://api.openai.com/v1", "/v1/%2e%2E/admin", None),
        ("https://api.openai.com/v1", "/v1/..%2fadmin", None),
        ("https://api.openai.com/v1", "/v1/..\\admin", None),
        ("https://api.openai.com/v1", "http://evil.example/v1", None),
        ("https://api.openai.com/v1", "*", None),
        ("https://api.openai.com", "//evil.example/v1", "//evil.example/v1"),
    ],
)
def test_paths_of_the_upstream(upstream: str, asked: str, path: str | None) -> None:
    assert Settings(upstream).path(asked) == path


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"upstream": "api.openai.com"}, "is no address"),
        ({"upstream": "ftp://x.example"}, "is no address"),
        ({"upstream": "http://x.example:port"}, "is no address"),
        ({"upstream": "https://me:secret@x.example"}, "password"),
        ({"upstream": "https://x.example/?key=1"}, "query"),
        ({"upstream": "http://127.0.0.1:8766/v1"}, "itself"),
        ({"upstream": "https://x.example", "host": "0.0.0.0"}, "there is no key"),
        ({"upstream": "https://x.example", "host": "memory.example"}, "there is no key"),
        ({"upstream": "https://x.example", "key": "short"}, "too short"),
        ({"upstream": "https://x.example", "mode": "perhaps"}, "not known"),
    ],
)
def test_settings_that_cannot_be(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        Settings(**settings)
    assert "secret" not in str(caught.value)


def test_beyond_loopback_with_a_key_or_in_words() -> None:
    assert Settings("https://x.example", host="0.0.0.0", key="k" * 16).host == "0.0.0.0"
    assert Settings("https://x.example", host="0.0.0.0", open=True).key is None
    for host in ("localhost", "127.0.0.2", "::1"):
        assert Settings("https://x.example", host=host).key is None
