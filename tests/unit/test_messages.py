"""What callers hand to `add` and ask of `search`: every shape that works, and every error, by name and without loss."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mnemic import InputError, Memory, Record, ScopeError
from mnemic.errors import ParameterError
from mnemic.testing import FrozenClock, HashEmbedder


@pytest.fixture
def memory() -> Iterator[Memory]:
    with Memory(":memory:", embedder="none", clock=FrozenClock(), recipe="none") as memory:
        yield memory


def kept(memory: Memory, given: object) -> list[Record]:
    memory.add(given, user_id="ana")
    return list(memory.list(user_id="ana", order="oldest", limit=1000))


@dataclass
class Turn:
    content: str
    role: str = "user"
    name: str | None = None
    extras: dict[str, Any] = field(default_factory=dict)


class Pydantic:
    """Has what pydantic's models have."""

    def __init__(self, **fields: Any) -> None:
        self.__dict__.update(fields)

    def model_dump(self) -> dict[str, Any]:
        return {name: _dumped(value) for name, value in self.__dict__.items()}


def _dumped(value: Any) -> Any:
    if isinstance(value, list):
        return [_dumped(one) for one in value]
    return value.model_dump() if isinstance(value, Pydantic) else value


class LangChain(Pydantic):
    """Says its role with `type`, and carries much that is empty."""

    def __init__(self, content: Any, type: str, **more: Any) -> None:
        super().__init__(
            content=content, additional_kwargs={}, response_metadata={}, type=type, name=None, id=None, **more
        )


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("hello", [("user", "hello")]),
        ({"role": "user", "content": "hello"}, [("user", "hello")]),
        ({"content": "hello"}, [("user", "hello")]),
        ({"text": "hello"}, [("user", "hello")]),
        ({"role": "Human", "content": "hello"}, [("user", "hello")]),
        (["one", {"role": "ai", "content": "two"}], [("user", "one"), ("assistant", "two")]),
        (
            (
                {"role": role, "content": role}
                for role in ("system", "developer", "tool", "function", "document", "event")
            ),
            [
                ("system", "system"),
                ("system", "developer"),
                ("tool", "tool"),
                ("tool", "function"),
                ("document", "document"),
                ("event", "event"),
            ],
        ),
        (
            {"role": "user", "content": [{"type": "text", "text": "one"}, {"type": "text", "text": "two"}]},
            [("user", "one\ntwo")],
        ),
        ({"role": "user", "content": ["one", "two"]}, [("user", "one\ntwo")]),
        (
            {
                "role": "user",
                "content": [{"type": "image_url", "image_url": {"url": "x.png"}}, {"type": "text", "text": "my cat"}],
            },
            [("user", "[image_url]\nmy cat")],
        ),
        (
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [
                    {"id": "1", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Porto"}'}}
                ],
            },
            [("assistant", 'weather({"city":"Porto"})')],
        ),
        (
            {
                "role": "assistant",
                "content": [{"type": "tool_use", "id": "1", "name": "weather", "input": {"city": "Porto"}}],
            },
            [("assistant", 'weather({"city":"Porto"})')],
        ),
        (
            {
                "role": "user",
                "content": [{"type": "tool_result", "tool_use_id": "1", "content": [{"type": "text", "text": "rain"}]}],
            },
            [("user", "rain")],
        ),
        (
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "1", "content": "rain"}]},
            [("user", "rain")],
        ),
        (Turn("hello"), [("user", "hello")]),
        ([Turn("hello", "assistant"), "hi"], [("assistant", "hello"), ("user", "hi")]),
        (Pydantic(role="assistant", content="hello", refusal=None, tool_calls=None), [("assistant", "hello")]),
        (Pydantic(role="assistant", content=[Pydantic(type="text", text="hello")]), [("assistant", "hello")]),
        (LangChain("hello", "human"), [("user", "hello")]),
        (
            LangChain(
                "", "ai", tool_calls=[{"name": "weather", "args": {"city": "Porto"}, "id": "1", "type": "tool_call"}]
            ),
            [("assistant", 'weather({"city":"Porto"})')],
        ),
        (LangChain("rain", "tool", tool_call_id="1"), [("tool", "rain")]),
        (SimpleNamespace(role="user", content="hello"), [("user", "hello")]),
        (
            SimpleNamespace(
                content=[
                    SimpleNamespace(type="text", text="hello", model_dump=lambda: {"type": "text", "text": "hello"})
                ]
            ),
            [("user", "hello")],
        ),
        (
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [Pydantic(id="1", type="function", function=Pydantic(name="weather", arguments="{}"))],
            },
            [("assistant", "weather({})")],
        ),
    ],
)
def test_every_shape_is_read(memory: Memory, given: object, said: list[tuple[str, str]]) -> None:
    assert [(record.role, record.text) for record in kept(memory, given)] == said


def test_what_a_message_carries_is_kept(memory: Memory) -> None:
    image = {"type": "image_url", "image_url": {"url": "x.png"}}
    (record,) = kept(
        memory,
        {
            "role": "user",
            "content": [image, {"type": "text", "text": "my cat"}],
            "name": "Ana",
            "time": "2024-05-08T10:00Z",
            "id": 17,
            "metadata": {"channel": "web", "nested": {"deep": [1, None, True]}},
            "session_id": "s1",
            "agent_id": "a1",
            "thread": "t9",
        },
    )
    assert (record.speaker, record.message_id, record.scope.session_id) == ("Ana", "17", "s1")
    assert (record.scope.agent_id, record.source, record.time.isoformat()) == (
        "a1",
        "user",
        "2024-05-08T10:00:00+00:00",
    )
    assert record.metadata == {"channel": "web", "nested": {"deep": [1, None, True]}}
    assert record.data == {"thread": "t9", "parts": [image, {"type": "text", "text": "my cat"}]}
    assert record.author is None


def test_what_the_call_says_holds_for_each_message(memory: Memory) -> None:
    memory.add(
        ["one", {"content": "two", "source": "user", "metadata": {"a": 2}, "time": "2024-02-01Z"}],
        source="import",
        metadata={"a": 1, "b": 1},
        time="2024-01-01Z",
        author="loader",
        session_id="s1",
        user_id="ana",
    )
    one, two = memory.list(user_id="ana", order="oldest")
    assert (one.source, one.metadata, one.time.month, one.author) == ("import", {"a": 1, "b": 1}, 1, "loader")
    assert (two.source, two.metadata, two.time.month, two.author) == ("user", {"a": 2, "b": 1}, 2, "loader")
    assert one.scope.session_id == two.scope.session_id == "s1"


@pytest.mark.parametrize(
    "text",
    [
        "a\0b\0",
        "مرحبا، أنا من القاهرة \u202b(عربي)\u202c",
        "שלום עולם",
        "🫖👩‍👩‍👧‍👦🏳️‍🌈",
        "e\u0301 is not \u00e9",
        "  leading and trailing  \n\n",
        "tab\tand\r\nlines\u2028and\u2029more",
        "zero\u200bwidth\ufeff",
        "'; DROP TABLE records; --",
        "\U0010ffff",
        "{not: json}",
    ],
    ids=ascii,
)
def test_any_text_is_kept_word_for_word(memory: Memory, text: str) -> None:
    (record,) = kept(memory, {"content": text, "name": "Zoë 🫖", "id": "\u202e7", "metadata": {"k": text, text: 1}})
    assert (record.text, record.speaker, record.message_id) == (text, "Zoë 🫖", "\u202e7")
    assert record.metadata == {"k": text, text: 1}
    assert memory.search(text, user_id="ana").considered == 1
    assert memory.history(record.id, user_id="ana")[0].record == record
    assert memory.add({"content": text, "name": "Zoë 🫖", "id": "\u202e7"}, user_id="ana").count("ignored") == 1
    fact = memory.remember(text, key=text, subject=text, aliases=[text], user_id="ana").ids[0]
    assert memory.get(fact, user_id="ana").subject == text


class Odd:
    pass


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("", "message 0 is empty: 'content' needs text"),
        (" \n\t", "message 0 is empty"),
        ({}, "message 0 is empty: 'content' needs text (it has nothing)"),
        ({"role": "user"}, "message 0 is empty: 'content' needs text (it has role)"),
        ({"role": "user", "content": None}, "message 0 is empty"),
        ({"role": "user", "content": []}, "message 0 is empty"),
        (["fine", {"role": "user", "content": ""}], "message 1 is empty"),
        ({"role": "wizard", "content": "x"}, "message 0 has the unknown role 'wizard': one of user, human, assistant"),
        ({"role": 7, "content": "x"}, "message 0 has the unknown role 7"),
        ({"content": 42}, "the content of message 0 is int, not text or a list of parts"),
        ({"content": b"x"}, "the content of message 0 is bytes: decode it to text first"),
        ({"content": [42]}, "the content of message 0 holds a part that is no text and no dict: 42"),
        (b"hello", "message 0 is bytes, not a message"),
        (["fine", 42], "message 1 is int, not a message"),
        (["fine", None], "message 1 is NoneType, not a message"),
        (42, "messages=42 is int: pass a string, a message such as"),
        (None, "messages=None is NoneType"),
        (Odd(), "is Odd: pass a string, a message"),
        ({"content": "x", "time": "yesterday"}, "the time of message 0='yesterday' is not ISO 8601"),
        ({"content": "x", "time": "2024-05-08"}, "the time of message 0='2024-05-08T00:00:00' has no time zone"),
        ({"content": "x", "source": "gossip"}, "the source of message 0 is 'gossip': one of user, assistant"),
        ({"content": "x", "metadata": "tag"}, "the metadata of message 0 is 'tag': pass a dict"),
        ({"content": "x", "metadata": {1: "a"}}, "the metadata of message 0 is {1: 'a'}: pass a dict with text keys"),
        ({"content": "x", "metadata": {"when": Odd}}, "the metadata of message 0 is not JSON"),
        ({"content": "x", "metadata": {"n": float("nan")}}, "the metadata of message 0 is not JSON"),
        ({"content": "x", "metadata": {"a": "\ud800"}}, "the metadata of message 0 is not JSON"),
        ({"content": "a\ud800b"}, "the content of message 0 has a lone surrogate ('\\ud800') at character 1"),
        ({"content": "x", "name": "\udfff"}, "the name of message 0 has a lone surrogate"),
        ({"content": "x", "name": "n" * 201}, "the name of message 0 has 201 characters: 1 to 200 are possible"),
        ({"content": "x", "id": ""}, "the id of message 0 has 0 characters: 1 to 512 are possible"),
        ({"content": "x", "id": "i" * 513}, "the id of message 0 has 513 characters"),
        ({"content": "x", "session_id": ""}, "the session_id of message 0"),
        ({"content": "x", "session_id": "a\0b"}, "the session_id of message 0"),
        ({"role": "assistant", "content": "x", "tool_calls": 5}, "the tool_calls of message 0"),
    ],
)
def test_a_message_that_cannot_be_read_is_named_and_nothing_is_kept(memory: Memory, given: Any, words: str) -> None:
    with pytest.raises(InputError) as error:
        memory.add(given, user_id="ana")
    assert words in str(error.value)
    assert kept(memory, "all is well")[0].text == "all is well"
    assert len(memory.list(user_id="ana")) == 1


def test_nothing_is_lost_of_a_call_that_says_something_odd(memory: Memory) -> None:
    deep: Any = "x"
    for _ in range(400):
        deep = [deep]
    with pytest.raises(InputError, match="nested"):
        memory.add({"content": "x", "metadata": {"deep": deep}}, user_id="ana")
    assert memory.list(user_id="ana", where={"a": 1}).records == ()


@pytest.mark.parametrize(
    ("call", "words"),
    [
        ({"source": "gossip"}, "source='gossip' is not known: one of user, assistant, tool"),
        ({"metadata": [1]}, "metadata is [1]: pass a dict"),
        ({"author": "\ud800"}, "author has a lone surrogate"),
        ({"author": " "}, "author is empty"),
    ],
)
def test_what_a_call_says_is_checked_too(memory: Memory, call: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError) as error:
        memory.add("x", user_id="ana", **call)
    assert words in str(error.value)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        ({"text": ""}, "text is empty"),
        ({"text": 5}, "text is int, not text"),
        ({"kind": "episode"}, "kind='episode' is kept for what was observed: use add()"),
        ({"kind": "act"}, "kind='act' is kept for what was observed"),
        ({"kind": "My Kind"}, "kind='My Kind' is not a kind's name: lower-case letters"),
        ({"kind": ""}, "is not a kind's name"),
        ({"source": "gossip"}, "source='gossip' is not known"),
        ({"confidence": 2}, "confidence=2 is not possible: pass a number from 0 to 1"),
        ({"confidence": float("nan")}, "confidence=nan is not possible"),
        ({"data": "x"}, "data is 'x': pass a dict"),
        ({"metadata": "x"}, "metadata is 'x': pass a dict"),
        ({"metadata": {"a": Odd()}}, "metadata is not JSON"),
        ({"aliases": "Ann"}, "aliases='Ann' is one text: pass a list of names"),
        ({"aliases": [""]}, "an alias is empty"),
        ({"key": ""}, "key is empty"),
        ({"subject": "\ud800"}, "subject has a lone surrogate"),
        ({"payload_ref": {"a": 1}}, "payload_ref is dict, not text"),
        ({"evidence": [5]}, "5 is not a record's id"),
        ({"evidence": 5}, "5 is not a record's id"),
        ({"supersedes": ""}, "'' is not a record's id"),
    ],
)
def test_a_statement_that_cannot_be_kept_is_refused_by_name(memory: Memory, call: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError) as error:
        memory.remember(**{"text": "x", "user_id": "ana"} | call)
    assert words in str(error.value)
    assert memory.list(user_id="ana").records == ()


def test_an_update_is_checked_like_a_statement(memory: Memory) -> None:
    id_ = memory.remember("x", user_id="ana").ids[0]
    for call, words in (
        ({}, "update() was given nothing to change"),
        ({"text": ""}, "text is empty"),
        ({"metadata": "x"}, "metadata is 'x'"),
        ({"payload_ref": 5}, "payload_ref is int"),
        ({"confidence": -1}, "confidence=-1 is not possible"),
        ({"aliases": "Ann"}, "pass a list of names"),
    ):
        with pytest.raises(InputError) as error:
            memory.update(id_, user_id="ana", **call)  # type: ignore[arg-type]
        assert words in str(error.value)
    episode = memory.add("said", user_id="ana").ids[0]
    with pytest.raises(InputError, match="is an episode, which stays as it was said"):
        memory.update(episode, text="unsaid", user_id="ana")
    assert memory.get(id_, user_id="ana").revision == 1


# -- asking


QUERIES = [
    "'",
    '"',
    '"unbalanced',
    "''''",
    "%",
    "_",
    "*",
    "?",
    "(",
    ")",
    "()",
    "AND",
    "OR NOT",
    "NEAR(a b)",
    "a* OR b",
    "col:x",
    "--",
    ";",
    "\\",
    "\\x",
    "^",
    "~",
    "~~porto",
    "@",
    "@porto",
    "the of and",
    "und der die",
    "?!…",
    "🫖",
    "🏳️‍🌈👍🏽",
    "\0",
    "a\0b",
    "\ud800",
    "\u202e",
    "a" * 5000,
    "tea " * 5000,
    "猫",
    "कॉफ़ी",
    "﷽",
    "\u0301\u0301",
    "1 2 3",
    "3,000.5",
]


@pytest.mark.parametrize("embedder", ["none", HashEmbedder(8), None], ids=["words", "hash", "default"])
def test_any_question_is_answered(embedder: Any) -> None:
    with Memory(":memory:", embedder=embedder, clock=FrozenClock(), recipe="none") as memory:
        memory.add(["I like tea", "I moved to Porto", "🫖", "the", "\0"], user_id="ana")
        memory.remember("Ana likes coffee", subject="Ana", aliases=["Ann"], user_id="ana")
        for query in QUERIES:
            found = memory.search(query, user_id="ana", limit=9)
            assert (found.considered, len(found)) == (6, 6), query
            assert memory.context(query, user_id="ana", budget=50).tokens <= 50
            assert memory.search(query, user_id="nobody").considered == 0


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.text(st.characters(), min_size=1, max_size=40).filter(lambda text: bool(text.strip())))
def test_any_text_may_be_asked(query: str) -> None:
    with Memory(":memory:", embedder=HashEmbedder(8), clock=FrozenClock(), recipe="none") as memory:
        memory.add(["I like tea", "I moved to Porto"], user_id="ana")
        assert len(memory.search(query, user_id="ana")) == 2


@pytest.mark.parametrize("query", ["", "  ", "\n"])
def test_an_empty_question_is_refused(memory: Memory, query: str) -> None:
    for verb in (memory.search, memory.context):
        with pytest.raises(InputError, match="query is empty: ask something, or use list"):
            verb(query, user_id="ana")


@pytest.mark.parametrize(
    ("call", "words"),
    [
        ({"limit": 0}, "limit=0 is not possible: pass a whole number from 1 on"),
        ({"limit": -1}, "limit=-1 is not possible"),
        ({"limit": 2.5}, "limit=2.5 is not possible"),
        ({"limit": "3"}, "limit='3' is not possible"),
        ({"limit": True}, "limit=True is not possible"),
        ({"threshold": 2}, "threshold=2 is not possible: pass a number from 0 to 1"),
        ({"threshold": float("nan")}, "threshold=nan is not possible"),
        ({"include": "everything"}, "include=['everything'] is not known: any of superseded, expired"),
        ({"include": ["retired", "lost"]}, "include=['lost'] is not known"),
    ],
)
def test_what_a_search_cannot_do_is_refused_by_name(memory: Memory, call: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError) as error:
        memory.search("x", user_id="ana", **call)
    assert words in str(error.value)


def test_other_bad_arguments_are_refused_by_name(memory: Memory) -> None:
    for call, words in (
        (
            lambda: memory.context("x", budget=0, user_id="ana"),
            "budget=0 is not possible: pass a whole number from 1 on",
        ),
        (lambda: memory.context("x", budget=-5, user_id="ana"), "budget=-5 is not possible"),
        (lambda: memory.search(5, user_id="ana"), "query=5 is int, not text"),
        (lambda: memory.list(order="oldest first", user_id="ana"), "order='oldest first' is not known"),
        (lambda: memory.list(limit=0, user_id="ana"), "limit=0 is not possible"),
        (lambda: memory.list(after="x", user_id="ana"), "after='x' is not a cursor"),
        (lambda: memory.get("", user_id="ana"), "'' is not a record's id"),
        (lambda: memory.get(5, user_id="ana"), "5 is not a record's id"),
        (lambda: memory.get(["a"], user_id="ana"), "['a'] is not a record's id"),
        (lambda: memory.history("\ud800", user_id="ana"), "is not a record's id"),
        (lambda: memory.retire([], user_id="ana"), "retire() was given no id"),
        (
            lambda: memory.erase(user_id="ana"),
            "erase() takes one of: ids, all_of=True with a scope, or everything=True",
        ),
        (lambda: memory.erase("a", all_of=True, user_id="ana"), "erase() takes one of"),
        (lambda: memory.diff("2024-02Z", "2024-01Z", user_id="ana"), "t1=2024-02Z lies after t2=2024-01Z"),
    ):
        with pytest.raises(InputError) as error:
            pytest.fail(f"{call()}: {words}")
        assert words in str(error.value)


@pytest.mark.parametrize(
    ("verb", "given", "words"),
    [
        ("search", {"top_k": 5}, "search() has no parameter 'top_k'; did you mean 'limit'?"),
        ("search", {"k": 5}, "search() has no parameter 'k'; did you mean 'limit'?"),
        ("search", {"filters": {}}, "search() has no parameter 'filters'; did you mean 'where'?"),
        ("search", {"user": "ana"}, "search() has no parameter 'user'; did you mean 'user_id'?"),
        ("search", {"limits": 5}, "search() has no parameter 'limits'; did you mean 'limit'?"),
        ("search", {"run_id": "x"}, "search() has no parameter 'run_id'; did you mean 'session_id'?"),
        ("context", {"max_tokens": 5}, "context() has no parameter 'max_tokens'; did you mean 'budget'?"),
        ("add", {"timestamp": 5}, "add() has no parameter 'timestamp'; did you mean 'time'?"),
        ("add", {"infer": True}, "add() has no parameter 'infer'; it has messages, shared, time"),
        (
            "remember",
            {"expiration_date": 1},
            "remember() has no parameter 'expiration_date'; did you mean 'expires_at'?",
        ),
        ("get", {"session": "x"}, "get() has no parameter 'session'; did you mean 'session_id'?"),
        ("erase", {"all": True}, "erase() has no parameter 'all'; did you mean 'all_of'?"),
    ],
)
def test_an_unknown_parameter_is_answered_with_the_nearest(
    memory: Memory, verb: str, given: dict[str, Any], words: str
) -> None:
    with pytest.raises(ParameterError) as error:
        getattr(memory, verb)("x", **given)
    assert words in str(error.value)
    assert isinstance(error.value, TypeError)


def test_unknown_settings_are_answered_with_the_nearest() -> None:
    with pytest.raises(ParameterError, match=r"Memory has no parameter 'embeder'; did you mean 'embedder'\?"):
        Memory(":memory:", embeder=None)
    with pytest.raises(ParameterError, match="Memory has no parameter 'user_id'; it has url, embedder, timezone"):
        Memory(":memory:", user_id="ana")


def test_a_missing_scope_is_said_with_the_way_out(memory: Memory) -> None:
    with pytest.raises(ScopeError, match="pass user_id=…, or shared=True if you mean that"):
        memory.add("hello")
    found = memory.search("hello")
    assert found.notes[0].startswith("no records in this scope (this call names no user): check user_id")


# -- large


def test_ten_megabytes_are_kept_as_passages_and_found() -> None:
    line = "The lighthouse keeper wrote in his log that the sea was calm and the lamp was lit at dusk. "
    text = line * (5_000_000 // len(line)) + "Nobody knew about the xylophone. " + line * (5_000_000 // len(line))
    with Memory(":memory:", embedder="none", clock=FrozenClock(), recipe="none") as memory:
        receipt = memory.add({"role": "document", "content": text, "id": "log"}, user_id="ana")
        assert len(receipt.ids) == 1
        best = memory.search("xylophone", user_id="ana", limit=1)[0]
        assert "Nobody knew about the xylophone." in best.text
        parts = memory.list(user_id="ana", limit=100_000, order="oldest")
        assert "".join(record.text for record in parts) == text


def test_a_long_message_is_one_message_in_every_verb() -> None:
    text = "The lighthouse keeper wrote in his log that the sea was calm and the lamp was lit at dusk. " * 200
    with Memory(":memory:", embedder="none", clock=FrozenClock(), recipe="none") as memory:
        given = {"role": "document", "content": text, "id": "log"}
        receipt = memory.add(given, user_id="ana")
        parts = memory.list(user_id="ana").records
        assert len(parts) > 20
        assert [entry.action for entry in memory.add(given, user_id="ana").entries] == ["ignored"]
        retired = memory.retire(parts[7].id, user_id="ana")
        assert memory.list(user_id="ana").records == ()
        memory.undo(retired, user_id="ana")
        assert {part.id for part in memory.list(user_id="ana")} == {part.id for part in parts}
        memory.undo(memory.undo(receipt, user_id="ana"), user_id="ana")
        edited = memory.add({**given, "content": text + "Then it rained."}, user_id="ana")
        assert edited.count("added") == edited.count("superseded") == 1
        now = memory.list(user_id="ana", order="oldest")
        assert "".join(part.text for part in now) == text + "Then it rained."
        memory.erase(parts[3].id, user_id="ana")
        every = memory.list(user_id="ana", include=("superseded", "retired", "expired"), limit=1000)
        assert {part.id for part in every} == {part.id for part in now}
