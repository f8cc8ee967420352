"""Rerankers: cross-encoders through ONNX, servers, and whatever a caller passes."""

from __future__ import annotations

import importlib.util
import json
import threading
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

from mnemic import rank
from mnemic.errors import ConfigError, MissingExtraError, ModelError, ParameterError
from mnemic.models import graph
from mnemic.models.crossencoder import CrossEncoder
from mnemic.models.rerank import HttpReranker
from mnemic.models.wrap import AdaptedReranker, as_reranker, one_server, scores_of
from mnemic.ports import Reranker
from tests.unit.test_embedders import Step, answer, cut, serving, silent, slow, status
from tests.unit.test_embedders import _send as send  # pyright: ignore[reportPrivateUsage]

# --- cross-encoders ------------------------------------------------------------------------------------------------

needs_onnx = pytest.mark.skipif(
    any(importlib.util.find_spec(name) is None for name in ("onnx", "onnxruntime", "tokenizers")),
    reason="needs onnx (to build a model), and the extra minilm: onnxruntime and tokenizers",
)

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "cat", "dog", "sun", "moon", "a"]
MATCH = np.array([50, 0, 0, 0, 4, 3, 2, 1, 0.5], dtype=np.float32)
"""What a word counts that both sides have; padding would show."""


def cross_encoder(
    folder: Path,
    place: str = "onnx/model.onnx",
    *,
    logits: int = 1,
    inputs: tuple[str, ...] = graph.FEEDS,
    words: list[str] = WORDS,
    match: np.ndarray[Any, Any] = MATCH,
) -> Path:
    """A folder with a cross-encoder: its logit is the weighted number of words that the two sides share."""
    import onnx
    import tokenizers
    from onnx import TensorProto, helper, numpy_helper

    def counted(side: str) -> list[Any]:
        """Of one side: how often each word occurs, (pairs, words)."""
        return [
            helper.make_node("Unsqueeze", [side, "last"], [f"{side}_wide"]),
            helper.make_node("Mul", ["each", f"{side}_wide"], [f"{side}_each"]),
            helper.make_node("ReduceSum", [f"{side}_each", "tokens_axis"], [f"{side}_words"], keepdims=0),
        ]

    nodes = [
        helper.make_node("Gather", ["eye", inputs[0]], ["each"]),
        helper.make_node("Cast", [inputs[1]], ["mask"], to=TensorProto.FLOAT),
        helper.make_node("Cast", [inputs[2]], ["types"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["mask", "types"], ["text"]),
        helper.make_node("Sub", ["mask", "text"], ["question"]),
        *counted("text"),
        *counted("question"),
        helper.make_node("Mul", ["text_words", "question_words"], ["shared"]),
        helper.make_node("MatMul", ["shared", "weights"], ["logits"]),
    ]
    model = helper.make_model(
        helper.make_graph(
            nodes,
            "shared words",
            [helper.make_tensor_value_info(name, TensorProto.INT64, ["pairs", "tokens"]) for name in inputs],
            [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["pairs", logits])],
            [
                numpy_helper.from_array(np.eye(len(words), dtype=np.float32), "eye"),
                # One logit, or two of which the first stays 0: a mix-up turns the order round.
                numpy_helper.from_array(
                    np.stack([match * at for at in range(1 - logits // 2, 3)][:logits], 1), "weights"
                ),
                numpy_helper.from_array(np.array([2], np.int64), "last"),
                numpy_helper.from_array(np.array([1], np.int64), "tokens_axis"),
            ],
        ),
        opset_imports=[helper.make_opsetid("", 17)],
        ir_version=9,
    )
    (folder / place).parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, str(folder / place))
    vocabulary = {word: at for at, word in enumerate(words)}
    tokenizer = tokenizers.Tokenizer(tokenizers.models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = tokenizers.normalizers.Lowercase()
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    tokenizer.post_processor = tokenizers.processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )
    tokenizer.enable_padding(length=128)
    tokenizer.enable_truncation(4)
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder


@needs_onnx
@pytest.mark.parametrize("place", graph.MODELS)
def test_a_pair_is_read_together(tmp_path: Path, place: str) -> None:
    reranker = CrossEncoder(cross_encoder(tmp_path, place), batch=2, threads=1)
    assert isinstance(reranker, Reranker)
    assert reranker.name == f"crossencoder:{tmp_path.name}"
    assert reranker._loaded is None
    texts = ["a cat", "", "The DOG and the cat.", "moon", "cat cat", "\ud800 dog", "dog " * 40]
    scores = reranker.score("cat dog", texts)
    assert scores.dtype == np.float32
    assert scores.tolist() == [4, 0, 7, 0, 8, 3, 120]
    assert reranker.score("", texts).tolist() == [0] * 7
    assert reranker.score("cat", []).shape == (0,)


@needs_onnx
def test_a_score_never_depends_on_the_others(tmp_path: Path) -> None:
    texts = [" ".join(["cat", "dog", "sun", "moon"][at % 4 :] * (1 + at % 23)) for at in range(60)]
    reranker = CrossEncoder(cross_encoder(tmp_path), batch=7)
    together = reranker.score("the cat and the moon", texts)
    assert together.tolist() == [float(reranker.score("the cat and the moon", [text])[0]) for text in texts]
    assert together[::-1].tolist() == reranker.score("the cat and the moon", texts[::-1]).tolist()


@needs_onnx
def test_what_is_too_long_loses_the_end_of_the_text(tmp_path: Path) -> None:
    cross_encoder(tmp_path)
    reranker = CrossEncoder(tmp_path, max_tokens=9)  # three marks, so six words
    assert reranker.score("cat", ["sun sun sun sun cat cat cat"]).tolist() == [4]
    assert reranker.score("sun sun cat", ["a a cat cat"]).tolist() == [4]
    # A question never takes more than half: the text keeps three words.
    assert reranker.score("sun sun cat dog dog", ["dog cat a a a"]).tolist() == [4]
    (tmp_path / "tokenizer_config.json").write_text('{"model_max_length": 9}')
    assert CrossEncoder(tmp_path).score("cat", ["sun sun sun sun cat cat"]).tolist() == [4]
    (tmp_path / "tokenizer_config.json").write_text('{"model_max_length": 1e30}')
    assert CrossEncoder(tmp_path).score("cat", ["cat " * 1000]).tolist() == [4 * (512 - 4)]


@needs_onnx
def test_two_logits_are_a_difference(tmp_path: Path) -> None:
    texts = ["a cat", "a dog", "sun and moon"]
    two = CrossEncoder(cross_encoder(tmp_path, logits=2)).score("cat moon", texts)
    assert two.tolist() == [4, 0, 1]
    cross_encoder(tmp_path, logits=3)
    with pytest.raises(ModelError, match=r"'logits' of shape \(3, 3\); a cross-encoder gives one or two"):
        CrossEncoder(tmp_path).score("cat", texts)


@needs_onnx
def test_threads_share_one(tmp_path: Path) -> None:
    reranker = CrossEncoder(cross_encoder(tmp_path), batch=3)
    texts = ["cat " * at for at in range(1, 12)]
    found: list[list[float]] = []
    threads = [
        threading.Thread(target=lambda: found.extend(reranker.score("cat", texts).tolist() for _ in range(5)))
        for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [[4.0 * at for at in range(1, 12)]] * 30


@needs_onnx
def test_a_name_is_looked_up_in_the_cache_folder(tmp_path: Path) -> None:
    cross_encoder(tmp_path / "models--org--tiny" / "snapshots" / "abc")
    reranker = CrossEncoder("org/tiny", cache=tmp_path)
    assert (reranker.name, reranker.score("cat", ["cat"]).tolist()) == ("crossencoder:tiny", [4])
    with pytest.raises(ConfigError, match="no cross-encoder 'org/none'"):
        CrossEncoder("org/none", cache=tmp_path)


@needs_onnx
def test_a_folder_that_cannot_be_used(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"should hold onnx/model.onnx or model.onnx, and tokenizer.json"):
        CrossEncoder(tmp_path)
    cross_encoder(tmp_path)
    for settings in ({"max_tokens": 7}, {"batch": 0}):
        with pytest.raises(ConfigError, match="must be at least"):
            CrossEncoder(tmp_path, **settings)
    cross_encoder(tmp_path, match=MATCH * np.float32(np.nan))
    with pytest.raises(ModelError, match="not finite"):
        CrossEncoder(tmp_path).score("cat", ["cat"])
    cross_encoder(tmp_path, inputs=("input_ids", "attention_mask", "pixels"))
    with pytest.raises(ModelError, match=r"asks for inputs \['pixels'\]; a cross-encoder takes"):
        CrossEncoder(tmp_path).score("cat", ["cat"])
    (tmp_path / "onnx" / "model.onnx").write_bytes(b"no model")
    with pytest.raises(ModelError, match="cannot load"):
        CrossEncoder(tmp_path).score("cat", ["cat"])
    (tmp_path / "tokenizer_config.json").write_text("{")
    with pytest.raises(ModelError, match="is not JSON"):
        CrossEncoder(tmp_path).score("cat", ["cat"])


@needs_onnx
def test_a_graph_that_fails_on_some_pairs(tmp_path: Path) -> None:
    cross_encoder(tmp_path, words=WORDS[:5], match=MATCH[:5])
    whole = cross_encoder(tmp_path / "other")
    (tmp_path / "tokenizer.json").write_bytes((whole / "tokenizer.json").read_bytes())
    with pytest.raises(ModelError, match="the encoder's graph failed"):
        CrossEncoder(tmp_path).score("cat", ["moon"])  # a token that the table does not have


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def missing(_name: str) -> None:
        return None

    monkeypatch.setattr(graph.importlib.util, "find_spec", missing)
    with pytest.raises(MissingExtraError, match=r"a cross-encoder needs .* pip install 'mnemic\[minilm\]'"):
        as_reranker(f"crossencoder:{tmp_path}")


# --- the order of two judges ---------------------------------------------------------------------------------------


def test_a_case_worked_by_hand() -> None:
    order, given = np.array([7, 3, 9, 5]), np.array([3, 7, 9])
    # Places by the reranker: 9, 7, 3. 1/11 + 1/12 = 0.174 for 7; 1/12 + 1/13 = 0.160 for 3; 1/13 + 1/11 = 0.168 for 9.
    assert rank.reranked(order, np.array([-2.0, 0.5, 4.0]), given).tolist() == [7, 9, 3, 5]
    # Two that change places have equal sums, and the reranker's first is first.
    assert rank.reranked(order, np.array([4.0, 0.5, -2.0]), given).tolist() == [3, 7, 9, 5]


def test_a_judge_without_an_opinion_changes_nothing() -> None:
    order = np.array([4, 0, 3, 1, 2])
    assert rank.reranked(order, np.zeros(3), order[:3]).tolist() == order.tolist()
    assert rank.reranked(order, np.zeros(0), order[:0]).tolist() == order.tolist()
    assert rank.reranked(order[:0], np.zeros(0), order[:0]).tolist() == []


@hypothesis.given(st.lists(st.floats(-20, 20, width=32), min_size=1, max_size=50), st.integers(0, 30))
def test_neither_judge_can_bury_a_document(scores: list[float], rest: int) -> None:
    order = np.random.default_rng(len(scores)).permutation(len(scores) + rest)
    given = order[: len(scores)]
    found = rank.reranked(order, np.array(scores), given).tolist()
    assert sorted(found) == sorted(order.tolist())
    assert found[len(scores) :] == order[len(scores) :].tolist()
    liked = int(given[int(np.argmax(scores))])
    assert max(found.index(order[0]), found.index(liked)) < 16  # of fifty
    if liked == order[0]:
        assert found[0] == liked
    mixed = np.random.default_rng(1).permutation(len(scores))
    assert rank.reranked(order, np.array(scores)[mixed], given[mixed]).tolist() == found
    assert rank.reranked(order, 4.0 * np.array(scores), given).tolist() == found  # only places count


# --- servers -------------------------------------------------------------------------------------------------------


def good(handler: BaseHTTPRequestHandler, body: dict[str, Any]) -> None:
    """Each text's score is its length, less that of the query; the best one comes first, as such servers have it."""
    lengths = [(len(text) - len(body["query"]), at) for at, text in enumerate(body["documents"])]
    results = [{"index": at, "relevance_score": score} for score, at in sorted(lengths, reverse=True)]
    send(handler, 200, json.dumps({"model": body["model"], "results": results}).encode())


@pytest.fixture
def waits() -> list[float]:
    return []


def test_a_server_that_answers(waits: list[float]) -> None:
    with serving(good) as server:
        reranker = HttpReranker(server.url + "/", "small", api_key="secret", batch=2, sleep=waits.append)
        assert isinstance(reranker, Reranker)
        assert reranker.name == "http:small"
        assert repr(reranker) == f"HttpReranker('{server.url}/rerank', 'small')"
        assert server.requests == []
        assert reranker.score("ab", ["abc", "a", "abcdef"]).tolist() == [1, -1, 4]
        assert server.requests == [
            {"model": "small", "query": "ab", "documents": ["abc", "a"]},
            {"model": "small", "query": "ab", "documents": ["abcdef"]},
        ]
        assert server.paths == ["/v1/rerank"] * 2
        assert server.headers[0]["Authorization"] == "Bearer secret"
        assert reranker.score("ab", []).shape == (0,)
        assert len(server.requests) == 2
    assert waits == []


@pytest.mark.parametrize("hiccup", [status(429), status(503), cut, silent, slow])
def test_what_may_pass_is_tried_again(hiccup: Step, waits: list[float]) -> None:
    with serving(hiccup, good) as server:
        reranker = HttpReranker(server.url, "small", timeout=0.1, sleep=waits.append)
        assert reranker.score("", ["abc"]).tolist() == [3]
    assert len(waits) == 1


@pytest.mark.parametrize(
    ("step", "said"),
    [
        (status(500, "out of memory"), r"/rerank failed with 500: 'out of memory' \(tried 2 times\)"),
        (cut, r"broke: IncompleteRead.*\(tried 2 times\)"),
        (status(400), "'small' a reranker"),
        (status(401, "bad key sk-123"), "refused the request with 401: 'bad key …'; is the api_key right"),
        (status(404), "does base_url end in '/v1'"),
        (answer(b"<html>not json"), "not a rerank answer: '<html>not json'"),
        (answer([1]), "not a rerank answer"),
        (answer({"results": 5}), "not a rerank answer"),
        (answer({"results": [1]}), "not a rerank answer"),
        (answer({"results": [{"index": 0}]}), "not a rerank answer"),
        (answer({"results": [{"index": None, "relevance_score": 1}]}), "not a rerank answer"),
        (answer({"results": [{"index": 0, "relevance_score": "much"}]}), "not a rerank answer"),
        (answer(b'{"results": [{"index": 1e999, "relevance_score": 1}]}'), "not a rerank answer"),
        (answer({"results": []}), "0 scores for 2 texts"),
        (answer({"results": [{"index": 0, "relevance_score": 1}] * 2}), "twice the same index"),
        (answer({"results": [{"index": at, "relevance_score": 1} for at in (0, 2)]}), "2 scores for 2 texts"),
        (answer({"results": [{"index": at, "relevance_score": 1} for at in (0, 1, 1)]}), "3 scores for 2 texts"),
        (answer(b'{"results": [{"index": 0, "relevance_score": NaN}, {"index": 1, "relevance_score": 1}]}'), "finite"),
    ],
)
def test_who_is_at_fault_is_said(step: Step, said: str, waits: list[float]) -> None:
    with serving(step) as server, pytest.raises(ModelError, match=said) as caught:
        HttpReranker(server.url, "small", api_key="sk-123", sleep=waits.append).score("a", ["b", "c"])
    assert "sk-123" not in str(caught.value)


def test_no_server() -> None:
    with serving(good) as server:
        url = server.url
    with pytest.raises(ModelError, match=r"cannot be reached: .*is the server running"):
        HttpReranker(url, "small").score("a", ["b"])


@pytest.mark.parametrize(("url", "model"), [("localhost:8080", "m"), ("http://localhost/v1", ""), ("http://a b", "m")])
def test_settings_that_cannot_be(url: str, model: str) -> None:
    with pytest.raises(ConfigError):
        HttpReranker(url, model)


def test_a_key_is_one_servers() -> None:
    one_server("secret", "http://a/v1#m", "http://a/v2#n")
    one_server(None, "http://a/v1#m", "https://b/v1#n")
    one_server("secret", "wordllama", None, "https://b/v1#n")
    with pytest.raises(ConfigError, match="http://a:8080 and https://b are two") as caught:
        one_server("secret", "http://a:8080/v1#m", "https://b/v1#n")
    assert "secret" not in str(caught.value)


# --- whatever a caller passes --------------------------------------------------------------------------------------


class Lengths:
    """A reranker as the port has it."""

    name = "lengths"

    def score(self, query: str, texts: list[str]) -> Any:
        return np.array([len(text) - len(query) for text in texts], np.float32)


class Nameless:
    def __init__(self, given: Any) -> None:
        self.given = given

    def score(self, query: str, texts: list[str]) -> Any:
        return self.given(texts)


class Predicting:
    """As sentence-transformers' CrossEncoder."""

    def __init__(self, columns: int | None = None) -> None:
        self.columns = columns

    def predict(self, pairs: list[tuple[str, str]]) -> Any:
        scores = np.array([len(text) - len(query) for query, text in pairs], np.float64)
        return scores if self.columns is None else np.stack([scores * (at + 1) for at in range(self.columns)], 1)


def test_a_reranker_is_returned_as_it_is() -> None:
    given = Lengths()
    assert as_reranker(given) is given
    assert as_reranker(None) is None
    assert as_reranker("none") is None


@pytest.mark.parametrize("columns", [None, 1, 2])
def test_predictions_become_scores(columns: int | None) -> None:
    reranker = as_reranker(Predicting(columns))
    assert isinstance(reranker, AdaptedReranker)
    assert isinstance(reranker, Reranker)
    assert reranker.name == "Predicting"
    scores = reranker.score("ab", ["abc", "a"])
    assert (scores.dtype, scores.tolist()) == (np.float32, [1, -1])
    assert reranker.score("ab", []).shape == (0,)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (lambda texts: [1.0], r"Nameless.score answered shape \(1,\); expected \(2,\)"),
        (lambda texts: [[1.0] * 3] * 2, r"answered shape \(2, 3\)"),
        (lambda texts: ["x", "y"], "not a list of numbers"),
        (lambda texts: [1.0, float("inf")], "not finite"),
        (lambda texts: 1 / 0, "Nameless.score failed: ZeroDivisionError"),
    ],
)
def test_a_wrong_answer_is_named(given: Any, said: str) -> None:
    reranker = as_reranker(Nameless(given))
    assert reranker is not None
    with pytest.raises(ModelError, match=said):
        reranker.score("a", ["b", "c"])


def test_a_rerankers_own_answer_is_checked() -> None:
    reranker = Lengths()
    assert scores_of(reranker, "a", ["bc"]).tolist() == [1]
    reranker.score = lambda query, texts: [1.0]  # pyright: ignore
    with pytest.raises(ModelError, match=r"lengths answered shape \(1,\); expected \(2,\)"):
        scores_of(reranker, "a", ["b", "c"])


@needs_onnx
def test_specs(tmp_path: Path) -> None:
    found = as_reranker("https://example.org/v1#small", api_key="secret")
    assert isinstance(found, HttpReranker)
    assert repr(found) == "HttpReranker('https://example.org/v1/rerank', 'small')"
    assert isinstance(as_reranker(f"crossencoder:{cross_encoder(tmp_path)}"), CrossEncoder)
    with pytest.raises(ConfigError, match="no cross-encoder 'nowhere'"):
        as_reranker("crossencoder:nowhere")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (42, r"int lacks both; or pass one of 'none', 'crossencoder:<folder or name>', 'http://<host>/v1#<model>'"),
        (Lengths, r"pass Lengths\("),
        ("", "no reranker ''; known are 'none'"),
        ("minilm:folder", "no reranker 'minilm:folder'"),
        ("crossencoder:", "no reranker 'crossencoder:'"),
    ],
)
def test_anything_else_is_refused(given: object, said: str) -> None:
    with pytest.raises(TypeError, match=said) as caught:
        as_reranker(given)
    assert isinstance(caught.value, ParameterError)
