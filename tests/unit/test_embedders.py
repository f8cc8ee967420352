"""The other embedders: the shipped fakes, sentence encoders through ONNX, servers, and whatever a caller passes."""

from __future__ import annotations

import importlib.util
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mnemic.errors import ConfigError, InputError, MissingExtraError, ModelError, ParameterError
from mnemic.models import graph, minilm, wrap
from mnemic.models.http import HttpEmbedder
from mnemic.models.wrap import AdaptedEmbedder, as_embedder, is_token_embedder
from mnemic.ports import Embedder, TokenEmbedder
from mnemic.testing import FrozenClock, HashEmbedder

# --- the shipped fakes ---------------------------------------------------------------------------------------------


def test_hash_embedder_keeps_the_ports_promises() -> None:
    embedder = HashEmbedder(dims=64)
    assert isinstance(embedder, TokenEmbedder)
    assert (embedder.space, embedder.dims) == ("hash:64", 64)
    texts = ["The cat sat.", "", "the CAT", "a dog"]
    vectors = embedder.embed_documents(texts)
    assert vectors.shape == (4, 64)
    assert vectors.dtype == np.float32
    assert np.array_equal(vectors[0], embedder.embed_query("sat the cat"))
    assert not vectors[1].any()
    assert embedder.embed_documents([]).shape == (0, 64)
    assert vectors[0] @ vectors[2] > 2 * abs(vectors[0] @ vectors[3])


def test_hash_embedder_is_the_same_everywhere() -> None:
    embedder = HashEmbedder(dims=8)
    assert embedder.tokenize("Hello, world").tolist() == [42630, 4419]
    assert embedder.embed_query("hello").tolist() == [1, 1, 1, -1, -1, -1, 1, -1]


@given(st.lists(st.text(max_size=30), max_size=6))
def test_hash_vectors_add_up(texts: list[str]) -> None:
    embedder = HashEmbedder(dims=16)
    lists = embedder.tokenize_many(texts)
    assert lists.ids.dtype == np.int32
    assert ((lists.ids >= 0) & (lists.ids < embedder.vocabulary)).all()
    joined = embedder.embed_query("\n".join(texts))
    assert np.array_equal(embedder.embed_documents(texts).sum(axis=0), joined)
    assert np.array_equal(embedder.embed_tokens(lists.ids, np.ones(len(lists.ids), np.float32)), joined)


def test_hash_embedder_says_what_is_wrong() -> None:
    with pytest.raises(InputError, match="at least 1"):
        HashEmbedder(0)
    with pytest.raises(InputError, match="one shape"):
        HashEmbedder().embed_tokens(np.zeros(2, np.int32), np.zeros(3, np.float32))


def test_frozen_clock_stands_until_moved() -> None:
    start = datetime(2023, 5, 8, 13, 56, tzinfo=UTC)
    clock = FrozenClock(start)
    assert clock() == clock() == start
    assert clock.advance(90) == clock() == start + timedelta(seconds=90)
    with pytest.raises(ValueError, match="zone"):
        FrozenClock(datetime(2023, 5, 8))


# --- whatever a caller passes --------------------------------------------------------------------------------------


class Listed:
    """As LangChain's: two methods, lists of floats, no facts."""

    model = "small-3"

    def __init__(self, answer: Callable[[str], Any] = lambda text: [float(len(text)), 1.0]) -> None:
        self.answer = answer
        self.asked = 0

    def embed_documents(self, texts: list[str]) -> list[Any]:
        self.asked += 1
        return [self.answer(text) for text in texts]

    def embed_query(self, text: str) -> Any:
        self.asked += 1
        return self.answer(text)


class Costly(HashEmbedder):
    """An embedder whose facts must not be read before it is used."""

    @property
    def space(self) -> str:
        raise AssertionError("the model was loaded")

    dims = space  # pyright: ignore


def test_an_embedder_is_returned_as_it_is_and_not_loaded() -> None:
    embedder = Costly()
    assert as_embedder(embedder) is embedder
    assert is_token_embedder(embedder)
    assert not is_token_embedder(Listed())


def test_lists_of_floats_become_arrays() -> None:
    inner = Listed()
    embedder = as_embedder(inner)
    assert isinstance(embedder, AdaptedEmbedder)
    assert inner.asked == 0
    assert embedder.space == "Listed:small-3:2"
    assert isinstance(embedder, Embedder)
    vectors = embedder.embed_documents(["a", "bcd"])
    assert vectors.dtype == np.float32
    assert vectors.tolist() == [[1, 1], [3, 1]]
    assert embedder.embed_query("four").tolist() == [4, 1]
    assert embedder.embed_documents([]).shape == (0, 2)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (lambda text: [], "shape"),
        (lambda text: 3.0, "shape"),
        (lambda text: ["x"], "not a list of numbers"),
        (lambda text: [float("nan")], "not finite"),
        (lambda text: [0.0] * len(text), "answered (shape|something)"),
        (lambda text: 1 / 0, "Listed.embed_documents failed: ZeroDivisionError"),
    ],
)
def test_a_wrong_answer_is_named(answer: Callable[[str], Any], said: str) -> None:
    with pytest.raises(ModelError, match=said):
        AdaptedEmbedder(Listed(answer)).embed_documents(["a", "bc"])


def test_an_answer_of_other_dims_is_refused() -> None:
    embedder = AdaptedEmbedder(Listed(lambda text: [0.0] * len(text)))
    assert embedder.embed_query("abc").shape == (3,)
    with pytest.raises(ModelError, match=r"answered shape \(1, 2\); expected \(1, 3\)"):
        embedder.embed_query("ab")


def test_none_means_words_alone() -> None:
    assert as_embedder(None) is None
    assert as_embedder("none") is None


def test_specs() -> None:
    embedder = as_embedder("https://example.org/v1#small-3", api_key="secret")
    assert isinstance(embedder, HttpEmbedder)
    assert "secret" not in repr(embedder)
    assert repr(embedder) == "HttpEmbedder('https://example.org/v1/embeddings', 'small-3')"


@pytest.mark.skipif(importlib.util.find_spec("wordllama") is None, reason="wordllama is not installed")
def test_spec_of_the_default() -> None:
    embedder = as_embedder("wordllama")
    assert is_token_embedder(embedder)
    assert embedder.dims == 256


@pytest.mark.parametrize(
    "spec", ["", "wordlama", "minilm", "minilm:", "ftp://x/v1#m", "http://x/v1", "http://x:y/v1#m"]
)
def test_a_string_that_names_nothing(spec: str) -> None:
    with pytest.raises(ConfigError):
        as_embedder(spec)
    if spec == "wordlama":
        with pytest.raises(ConfigError, match="did you mean 'wordllama'"):
            as_embedder(spec)


@pytest.mark.parametrize(
    ("given", "said"),
    [(42, "int lacks embed_documents, embed_query"), (HashEmbedder, r"pass HashEmbedder\("), (["a"], "list lacks")],
)
def test_another_object_is_a_type_error(given: object, said: str) -> None:
    with pytest.raises(TypeError, match=said) as caught:
        as_embedder(given)
    assert isinstance(caught.value, ParameterError)


def test_a_proxy_is_asked() -> None:
    class Proxy:
        def __getattr__(self, name: str) -> Any:
            return getattr(HashEmbedder(4), name)

    proxy = Proxy()
    assert as_embedder(proxy) is proxy
    assert wrap.is_token_embedder(proxy)


# --- sentence encoders ---------------------------------------------------------------------------------------------

needs_onnx = pytest.mark.skipif(
    any(importlib.util.find_spec(name) is None for name in ("onnx", "onnxruntime", "tokenizers")),
    reason="needs onnx (to build a model), and the extra minilm: onnxruntime and tokenizers",
)

WORDS = {"[PAD]": 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3, "cat": 4, "dog": 5, "query:": 6}
ROWS = np.array([[9, 9, 9], [0, 0, 1], [0, 0, 0], [0, 0, 0], [4, 0, 0], [0, 3, 0], [0, 0, 5]], dtype=np.float32)


def _encoder(folder: Path, place: str = "onnx/model.onnx", inputs: tuple[str, ...] = graph.FEEDS) -> Path:
    """A sentence-transformers folder whose encoder looks up one row per token."""
    import onnx
    import tokenizers
    from onnx import TensorProto, helper, numpy_helper

    rows = helper.make_graph(
        [helper.make_node("Gather", ["table", inputs[0]], ["last_hidden_state"])],
        "rows",
        [helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "tokens"]) for name in inputs],
        [helper.make_tensor_value_info("last_hidden_state", TensorProto.FLOAT, ["batch", "tokens", 3])],
        [numpy_helper.from_array(ROWS, "table")],
    )
    model = helper.make_model(rows, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    (folder / place).parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, str(folder / place))
    tokenizer = tokenizers.Tokenizer(tokenizers.models.WordLevel(WORDS, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.WhitespaceSplit()
    tokenizer.post_processor = tokenizers.processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    tokenizer.enable_padding(length=128)  # as all-MiniLM-L6-v2 has it; must not reach the pooling
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder


@needs_onnx
@pytest.mark.parametrize("place", graph.MODELS)
def test_mean_pooling_over_the_mask_and_unit_length(tmp_path: Path, place: str) -> None:
    embedder = minilm.MiniLMEmbedder(_encoder(tmp_path, place), batch=2, threads=1)
    assert embedder._loaded is None
    assert isinstance(embedder, Embedder)
    assert embedder.dims == 3
    # Marks are rows of zeros: "cat dog" is (4, 3, 0) / 4 before its length becomes 1.
    texts = ["cat dog", "dog", "cat dog dog dog", "", "\ud800 cat"]
    vectors = embedder.embed_documents(texts)
    assert vectors.dtype == np.float32
    expected = [[0.8, 0.6, 0], [0, 1, 0], [4 / 97**0.5, 9 / 97**0.5, 0], [0, 0, 0], [4 / 17**0.5, 0, 1 / 17**0.5]]
    np.testing.assert_allclose(vectors, expected, atol=1e-6)
    np.testing.assert_allclose(embedder.embed_query("cat dog"), [0.8, 0.6, 0], atol=1e-6)
    assert embedder.embed_documents([]).shape == (0, 3)


@needs_onnx
def test_the_folder_says_how(tmp_path: Path) -> None:
    _encoder(tmp_path, inputs=("input_ids", "attention_mask"))
    plain = minilm.MiniLMEmbedder(tmp_path)
    assert plain.space.startswith(f"onnx:{tmp_path.name}:mean:256:")
    (tmp_path / "1_Pooling").mkdir()
    (tmp_path / "1_Pooling" / "config.json").write_text('{"pooling_mode_cls_token": true, "include_prompt": true}')
    (tmp_path / "sentence_bert_config.json").write_text('{"max_seq_length": 4}')
    (tmp_path / "config_sentence_transformers.json").write_text('{"prompts": {"query": "query: "}}')
    told = minilm.MiniLMEmbedder(tmp_path)
    assert told.space.startswith(f"onnx:{tmp_path.name}:cls:4:")
    assert told.space.rsplit(":")[-1] != plain.space.rsplit(":")[-1]
    assert not told.embed_documents(["cat"]).any()  # the first token is a mark
    (tmp_path / "1_Pooling" / "config.json").unlink()
    told = minilm.MiniLMEmbedder(tmp_path, max_tokens=5)
    np.testing.assert_allclose(
        told.embed_query("dog cat dog cat"), [0, 0, 0] + ROWS[[6, 5, 4]].sum(0) / 50**0.5, atol=1e-6
    )
    (tmp_path / "1_Pooling" / "config.json").write_text('{"pooling_mode_max_tokens": true}')
    with pytest.raises(ModelError, match="pooling_mode_max_tokens"):
        _ = minilm.MiniLMEmbedder(tmp_path).dims


@needs_onnx
def test_space_changes_with_the_weights(tmp_path: Path) -> None:
    first = minilm.MiniLMEmbedder(_encoder(tmp_path)).space
    assert minilm.MiniLMEmbedder(tmp_path).space == first
    model = tmp_path / "onnx" / "model.onnx"
    model.write_bytes(model.read_bytes().replace(np.float32(9).tobytes(), np.float32(8).tobytes()))
    assert minilm.MiniLMEmbedder(tmp_path).space != first


@needs_onnx
def test_a_name_is_looked_up_in_the_cache_folder(tmp_path: Path) -> None:
    home = tmp_path / "models--org--tiny"
    _encoder(home / "snapshots" / "abc")
    assert minilm.MiniLMEmbedder("org/tiny", cache=tmp_path).dims == 3
    (home / "snapshots" / "newer").mkdir()
    (home / "refs").mkdir()
    (home / "refs" / "main").write_text("abc\n")
    named = minilm.MiniLMEmbedder("org/tiny", cache=tmp_path)
    assert named.space.startswith("onnx:tiny:mean:")
    with pytest.raises(ConfigError, match="no sentence encoder 'org/none'"):
        minilm.MiniLMEmbedder("org/none", cache=tmp_path)
    assert isinstance(as_embedder(f"minilm:{home / 'snapshots' / 'abc'}"), minilm.MiniLMEmbedder)


@needs_onnx
def test_a_folder_that_cannot_be_used(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"should hold onnx/model.onnx or model.onnx, and tokenizer.json"):
        minilm.MiniLMEmbedder(tmp_path)
    _encoder(tmp_path)
    with pytest.raises(ConfigError, match="max_tokens"):
        minilm.MiniLMEmbedder(tmp_path, max_tokens=1)
    (tmp_path / "onnx" / "model.onnx").write_bytes(b"no model")
    with pytest.raises(ModelError, match="cannot load"):
        _ = minilm.MiniLMEmbedder(tmp_path).dims
    _encoder(tmp_path, inputs=("pixel_values",))
    with pytest.raises(ModelError, match="pixel_values"):
        _ = minilm.MiniLMEmbedder(tmp_path).dims
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(ModelError, match=r"cannot read .*tokenizer.json"):
        _ = minilm.MiniLMEmbedder(tmp_path).dims


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def missing(_name: str) -> None:
        return None

    monkeypatch.setattr(graph.importlib.util, "find_spec", missing)
    with pytest.raises(MissingExtraError, match=r"pip install 'mnemic\[minilm\]'"):
        as_embedder(f"minilm:{tmp_path}")


# --- servers -------------------------------------------------------------------------------------------------------

Step = Callable[[BaseHTTPRequestHandler, dict[str, Any]], None]


class Server:
    """A real server on a local port that plays a script: one step per request, the last one for ever."""

    def __init__(self, *script: Step) -> None:
        self.script = list(script)
        self.requests: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.paths: list[str] = []
        self.url = ""


@contextmanager
def serving(*script: Step) -> Iterator[Server]:
    played = Server(*script)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            played.requests.append(body)
            played.headers.append(dict(self.headers.items()))
            played.paths.append(self.path)
            step = played.script.pop(0) if len(played.script) > 1 else played.script[0]
            step(self, body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    played.url = f"http://127.0.0.1:{server.server_port}/v1"
    try:
        yield played
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _send(handler: BaseHTTPRequestHandler, status: int, content: bytes, **headers: str) -> None:
    handler.send_response(status)
    for name, value in {"Content-Length": str(len(content)), **headers}.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.wfile.write(content)


def good(handler: BaseHTTPRequestHandler, body: dict[str, Any]) -> None:
    """Each text's vector is (its length, 1), the answer in reverse order."""
    data = [{"index": at, "embedding": [len(text), 1.0]} for at, text in enumerate(body["input"])]
    _send(handler, 200, json.dumps({"data": data[::-1], "model": body["model"]}).encode())


def status(code: int, message: str = "no", **headers: str) -> Step:
    content = json.dumps({"error": {"message": message}}).encode()
    return lambda handler, _body: _send(handler, code, content, **headers)


def answer(content: Any) -> Step:
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    return lambda handler, _body: _send(handler, 200, raw)


def cut(handler: BaseHTTPRequestHandler, _body: dict[str, Any]) -> None:
    """Promises a thousand bytes and goes."""
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(b'{"data": [')


def silent(_handler: BaseHTTPRequestHandler, _body: dict[str, Any]) -> None:
    """Closes without a word."""


def slow(handler: BaseHTTPRequestHandler, body: dict[str, Any]) -> None:
    time.sleep(0.5)


@pytest.fixture
def waits() -> list[float]:
    return []


def test_a_server_that_answers(waits: list[float]) -> None:
    with serving(good) as server:
        embedder = HttpEmbedder(server.url + "/", "small", api_key="secret", batch=2, sleep=waits.append)
        assert server.requests == []
        assert embedder.embed_documents(["a", "bcd", " ", "ef", "", "g\ud800"]).tolist() == [
            [1, 1], [3, 1], [0, 0], [2, 1], [0, 0], [2, 1],
        ]  # fmt: skip
        assert [len(request["input"]) for request in server.requests] == [2, 2]
        assert server.requests[0] == {"model": "small", "input": ["a", "bcd"]}
        assert server.headers[0]["Authorization"] == "Bearer secret"
        assert server.paths[0] == "/v1/embeddings"
        assert embedder.space == "openai:small:2"
        assert isinstance(embedder, Embedder)
        assert embedder.embed_query("four").tolist() == [4, 1]
        assert embedder.embed_documents([]).shape == (0, 2)
    assert waits == []


def test_dims_are_asked_for_once() -> None:
    with serving(good) as server:
        embedder = HttpEmbedder(server.url, "small")
        assert (embedder.dims, embedder.space) == (2, "openai:small:2")
        assert len(server.requests) == 1
        assert "Authorization" not in server.headers[0]
        assert HttpEmbedder(server.url, "small", dims=7).space == "openai:small:7"
        assert len(server.requests) == 1


@pytest.mark.parametrize("hiccup", [status(429), status(503), cut, silent])
def test_what_may_pass_is_tried_again(hiccup: Step, waits: list[float]) -> None:
    with serving(hiccup, hiccup, good) as server:
        assert HttpEmbedder(server.url, "small", sleep=waits.append).embed_query("abc").tolist() == [3, 1]
        assert len(server.requests) == 3
    assert len(waits) == 2
    assert 0.4 <= waits[0] <= 0.6
    assert 0.8 <= waits[1] <= 1.2


def test_a_timeout_is_tried_again(waits: list[float]) -> None:
    with serving(slow, good) as server:
        embedder = HttpEmbedder(server.url, "small", timeout=0.1, sleep=waits.append)
        assert embedder.embed_query("abc").tolist() == [3, 1]
    assert len(waits) == 1


@pytest.mark.parametrize(
    ("header", "low", "high"),
    [
        ("7", 7, 7),
        ("0", 0, 0),
        (timedelta(seconds=50), 1, 50),
        (timedelta(days=-1), 0, 0),
        ("soon", 0.4, 0.6),
        ("nan", 0.4, 0.6),
    ],
    ids=["seconds", "none", "a date to come", "a date gone by", "words", "not a number"],
)
def test_retry_after_is_honoured(header: str | timedelta, low: float, high: float, waits: list[float]) -> None:
    if isinstance(header, timedelta):
        header = format_datetime(datetime.now(UTC) + header, usegmt=True)
    with serving(status(429, Retry_After=header), good) as server:
        HttpEmbedder(server.url, "small", sleep=waits.append).embed_query("abc")
    assert len(waits) == 1
    assert low <= waits[0] <= high


def test_a_server_that_asks_too_much_patience(waits: list[float]) -> None:
    with serving(status(429, Retry_After="3600")) as server, pytest.raises(ModelError, match="asks to wait 3600 s"):
        HttpEmbedder(server.url, "small", sleep=waits.append).embed_query("abc")
    assert waits == []


@pytest.mark.parametrize(
    ("step", "said"),
    [
        (status(500, "out of memory"), r"failed with 500: 'out of memory' \(tried 3 times\)"),
        (cut, r"broke: IncompleteRead.*\(tried 3 times\)"),
        (silent, r"broke: RemoteDisconnected.*\(tried 3 times\)"),
    ],
)
def test_what_does_not_pass_is_an_error(step: Step, said: str, waits: list[float]) -> None:
    with serving(step) as server:
        with pytest.raises(ModelError, match=said):
            HttpEmbedder(server.url, "small", attempts=3, sleep=waits.append).embed_query("abc")
        assert len(server.requests) == 3


@pytest.mark.parametrize(
    ("step", "said"),
    [
        (status(401, "bad key sk-123"), "refused the request with 401: 'bad key …'; is the api_key right"),
        (status(404), "does base_url end in '/v1'"),
        (status(400), "'small' an embedding model"),
        (status(413), "smaller batch"),
        (status(302, Location="http://example.org/"), "refused the request with 302"),
        (status(418, "x" * 5000), r"x…'; see the server's answer"),
        (answer(b"<html>not json"), "not an embeddings answer: '<html>not json'"),
        (answer([1]), "not an embeddings answer"),
        (answer({"data": [1]}), "not an embeddings answer"),
        (answer({"data": [{"embedding": "abc"}]}), "not an embeddings answer"),
        (answer({"data": []}), "0 vectors for 1 texts"),
        (answer({"data": [{"embedding": [1.0]}] * 2}), "2 vectors for 1 texts"),
        (answer({"data": [{"index": 5, "embedding": [1.0]}]}), "twice the same index"),
        (answer({"data": [{"index": 0, "embedding": []}]}), "missing or infinite"),
        (answer(b'{"data": [{"index": 0, "embedding": [NaN]}]}'), "missing or infinite"),
        (answer({"data": [{"index": 0, "embedding": [1.0, 2.0, 3.0]}]}), "3 dims; expected 2"),
    ],
)
def test_who_is_at_fault_is_said_at_once(step: Step, said: str, waits: list[float]) -> None:
    with serving(step) as server:
        with pytest.raises(ModelError, match=said):
            HttpEmbedder(server.url, "small", api_key="sk-123", dims=2, sleep=waits.append).embed_query("abc")
        assert len(server.requests) == 1
    assert waits == []


def test_an_answer_without_index_keeps_its_order() -> None:
    with serving(answer({"data": [{"embedding": [1.0]}, {"embedding": [2.0]}]})) as server:
        assert HttpEmbedder(server.url, "small").embed_documents(["a", "b"]).tolist() == [[1], [2]]


def test_no_server() -> None:
    with serving(good) as server:
        url = server.url
    with pytest.raises(ModelError, match=r"cannot be reached: .*is the server running"):
        HttpEmbedder(url, "small").embed_query("abc")


@pytest.mark.parametrize(
    ("url", "model", "options"),
    [
        ("localhost:8080/v1", "m", {}),
        ("ftp://localhost/v1", "m", {}),
        ("http://user:pw@localhost/v1", "m", {}),
        ("http://localhost/v1?x=1", "m", {}),
        ("http://local host/v1", "m", {}),
        ("http://localhost:99999/v1", "m", {}),
        ("http://localhost/v1", "", {}),
        ("http://localhost/v1", "m", {"batch": 0}),
        ("http://localhost/v1", "m", {"attempts": 0}),
        ("http://localhost/v1", "m", {"api_key": "two\nlines"}),
    ],
)
def test_settings_that_cannot_be(url: str, model: str, options: dict[str, Any]) -> None:
    with pytest.raises(ConfigError) as caught:
        HttpEmbedder(url, model, **options)
    assert "pw" not in str(caught.value)
    assert "two" not in str(caught.value)
