"""The shipped scripted server streams as the real ones do: their own clients read it."""

from __future__ import annotations

import anthropic
import httpx
import openai
import pytest

from mnemic.testing import Answer, ScriptedChat

ASK = [{"role": "user", "content": "Where?"}]
CALL = Answer("One moment.", calls=[("look", {"at": "ü"})])


def test_openais_client_reads_it() -> None:
    with (
        ScriptedChat("In Porto, in a flat.", CALL) as server,
        openai.OpenAI(base_url=server.url, api_key="k", max_retries=0) as client,
    ):
        options = {"model": "m", "messages": ASK, "stream": True, "stream_options": {"include_usage": True}}
        chunks = list(client.chat.completions.create(**options))  # type: ignore[call-overload]
        call = list(client.chat.completions.create(model="m", messages=ASK, stream=True))  # type: ignore[call-overload]
    words = [chunk.choices[0].delta.content for chunk in chunks if chunk.choices and chunk.choices[0].delta.content]
    assert words == ["In ", "Porto, ", "in ", "a ", "flat."]
    assert (chunks[-2].choices[0].finish_reason, chunks[-1].usage.completion_tokens) == ("stop", 5)
    called = [chunk.choices[0].delta.tool_calls for chunk in call if chunk.choices[0].delta.tool_calls]
    assert [(one[0].function.name, one[0].function.arguments) for one in called] == [("look", '{"at": "\\u00fc"}')]
    assert call[-1].choices[0].finish_reason == "tool_calls"


def test_anthropics_client_reads_it() -> None:
    with (
        ScriptedChat(Answer("In Porto.", think="Hm, where?"), CALL) as server,
        anthropic.Anthropic(base_url=server.url.removesuffix("/v1"), api_key="k", max_retries=0) as client,
    ):
        with client.messages.stream(model="m", max_tokens=9, messages=ASK) as stream:  # type: ignore[arg-type]
            said = stream.get_final_message()
        with client.messages.stream(model="m", max_tokens=9, messages=ASK) as stream:  # type: ignore[arg-type]
            called = stream.get_final_message()
    assert [(block.type, getattr(block, block.type)) for block in said.content] == [
        ("thinking", "Hm, where?"),
        ("text", "In Porto."),
    ]
    assert (said.stop_reason, said.usage.output_tokens) == ("end_turn", 4)
    assert (called.content[1].name, called.content[1].input) == ("look", {"at": "ü"})  # type: ignore[union-attr]
    assert called.stop_reason == "tool_use"


def test_a_stream_that_is_cut_does_not_look_whole() -> None:
    body = {"model": "m", "messages": ASK, "stream": True}
    with (
        ScriptedChat(Answer("In Porto, in a flat.", cut="within")) as server,
        httpx.stream("POST", f"{server.url}/chat/completions", json=body) as response,
        pytest.raises(httpx.RemoteProtocolError),
    ):
        response.read()
