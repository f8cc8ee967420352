"""The default embedder against the reference tokenizer, against plain arithmetic, and against broken wheels."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mnemic.errors import InputError, MissingExtraError, ModelError
from mnemic.models import wordllama
from mnemic.models.wordllama import Tokenizer, WordLlamaEmbedder
from mnemic.ports import Embedder, TokenCounter, TokenEmbedder, TokenLists

FOUND = wordllama.find()
pytestmark = pytest.mark.skipif(FOUND is None, reason="wordllama is not installed")

TEXTS = [
    "Caroline: Hey Mel! Good to see you! How have you been?",
    "Melanie: I ran a charity race for mental health last Saturday – it was really rewarding 😊",
    "",
    "  two  spaces,   three; and one at the end ",
    " ",
    "▁ is the mark itself ▁▁",
    "line\nbreak\r\n\ttab",
    "a <s> b</s><unk><<s>s> <S>",
    "日本語のテキストには空白がありません。それでも速くなければなりません。",
    "naïve café 1,234.56 €, e=mc², x² ²² ½",
    "https://example.org/a?b=c#d {'json': [1, 2, 3]} def f(x): return x**2",
    "\x00\x01\x7f\x85\u2028 \u200b\ufeff\ufffd",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
]


@pytest.fixture(scope="module")
def embedder() -> WordLlamaEmbedder:
    assert FOUND is not None
    return FOUND


@pytest.fixture(scope="module")
def reference(embedder: WordLlamaEmbedder) -> Any:
    tokenizers = pytest.importorskip("tokenizers", reason="the reference tokenizer is not installed")
    return tokenizers.Tokenizer.from_file(str(_folder() / "tokenizers" / "l2_supercat_tokenizer_config.json"))


def _folder() -> Path:
    folder = wordllama._package_folder()
    assert folder is not None
    return folder


def _ids(reference: Any, text: str) -> list[int]:
    return reference.encode(text, add_special_tokens=False).ids


# --- tokenizer -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", TEXTS)
def test_ids_are_those_of_the_reference(embedder: WordLlamaEmbedder, reference: Any, text: str) -> None:
    assert embedder.tokenize(text).tolist() == _ids(reference, text)


@settings(max_examples=400, deadline=None)
@given(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=80)
    | st.text("ab e▁ \n.,<s>/unk't", max_size=120)
    | st.lists(st.sampled_from(["the", "going", "▁", " ", "  ", "<s>", "</s>", "ing", "²", "é", "日本"])).map("".join)
)
def test_ids_are_those_of_the_reference_on_any_text(embedder: WordLlamaEmbedder, reference: Any, text: str) -> None:
    assert embedder.tokenize(text).tolist() == _ids(reference, text)


def test_ids_are_those_of_the_reference_on_running_text(embedder: WordLlamaEmbedder, reference: Any) -> None:
    # Prose that every installation has: the standard library's own pages of text.
    prose = (resources.files("pydoc_data") / "topics.py").read_text("utf-8").splitlines()[:2000]
    lists = embedder.tokenize_many(prose)
    assert np.split(lists.ids, lists.offsets[1:-1])[-1].tolist() == _ids(reference, prose[-1])
    assert [embedder.tokenize(line).tolist() for line in prose] == [_ids(reference, line) for line in prose]


@settings(max_examples=100, deadline=None)
@given(st.text("aeinrst▁你🙂", min_size=1, max_size=200))
def test_both_ways_of_merging_agree(embedder: WordLlamaEmbedder, word: str) -> None:
    tokenizer = embedder._model.tokenizer
    symbols = tokenizer._symbols(word)
    assert tokenizer._merge_short(list(symbols)) == tokenizer._merge_long(list(symbols))


@pytest.mark.parametrize("word", ["garden", "tournament", "torunament", "gardne", "two words"])
def test_a_common_word_is_one_token(embedder: WordLlamaEmbedder, word: str) -> None:
    assert embedder.is_word(word) == (word in ("garden", "tournament")) == (len(embedder.tokenize(word)) == 1)


def test_merging_a_case_worked_by_hand() -> None:
    # "▁abab": 'a b' has the best rank, both of them merge, leftmost first; then '▁ ab'; 'ab ab' is no merge.
    vocabulary = {"▁": 0, "a": 1, "b": 2, "ab": 3, "▁ab": 4, "<0xC3>": 5, "<0xA9>": 6}
    tokenizer = Tokenizer(vocabulary, {"a b": 0, "▁ ab": 1}, {})
    assert np.frombuffer(tokenizer.encode("abab"), np.int32).tolist() == [4, 3]
    assert np.frombuffer(tokenizer.encode("a é"), np.int32).tolist() == [0, 1, 0, 5, 6]


@settings(max_examples=100, deadline=None)
@given(st.text(st.characters(categories=["Cs", "L", "Zs"]), max_size=20))
def test_no_text_raises(embedder: WordLlamaEmbedder, text: str) -> None:
    ids = embedder.tokenize(text)
    assert ids.dtype == np.int32
    assert np.isfinite(embedder.embed_query(text)).all()


def test_a_lone_surrogate_reads_as_the_replacement_character(embedder: WordLlamaEmbedder) -> None:
    assert embedder.tokenize("a\ud83d b").tolist() == embedder.tokenize("a\ufffd b").tolist()


def test_a_very_long_word_takes_no_quadratic_time_and_is_not_remembered(embedder: WordLlamaEmbedder) -> None:
    word = "あいうえお" * 20_000  # quadratic merging would take minutes
    before = len(embedder._model.tokenizer._words)
    assert len(embedder.tokenize(word)) >= 20_000
    assert len(embedder._model.tokenizer._words) == before


def test_remembered_words_are_bounded(embedder: WordLlamaEmbedder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wordllama, "_CACHED_WORDS", 100)
    model = wordllama._load(_folder())
    for number in range(1000):
        model.tokenizer.encode(f"word{number}")
    assert len(model.tokenizer._words) <= 100


# --- vectors -------------------------------------------------------------------------------------------------------


def test_facts(embedder: WordLlamaEmbedder) -> None:
    assert (embedder.dims, embedder.vocabulary) == (256, 32_000)
    assert embedder.space.startswith("wordllama:l2_supercat_256:sum1:")
    assert embedder.space == WordLlamaEmbedder().space
    assert isinstance(embedder, Embedder)
    assert isinstance(embedder, TokenEmbedder)


def test_a_vector_is_the_plain_sum_of_its_tokens(embedder: WordLlamaEmbedder) -> None:
    table = embedder._model.table.astype(np.float64)
    vectors = embedder.embed_documents(TEXTS)
    assert vectors.dtype == np.float32
    for text, vector in zip(TEXTS, vectors, strict=True):
        np.testing.assert_allclose(vector, table[embedder.tokenize(text)].sum(axis=0), atol=1e-4)
    assert not vectors[TEXTS.index("")].any()


def test_a_vector_does_not_depend_on_its_batch(embedder: WordLlamaEmbedder, monkeypatch: pytest.MonkeyPatch) -> None:
    together = embedder.embed_documents(TEXTS * 7)
    alone = np.stack([embedder.embed_query(text) for text in TEXTS])
    assert np.array_equal(together, np.tile(alone, (7, 1)))
    for block in (1, 2, 17, 40):
        monkeypatch.setattr(wordllama, "_BLOCK_TOKENS", block)
        assert np.array_equal(embedder.embed_documents(TEXTS), alone)


def test_tokens_and_vectors_for_one_tokenisation(embedder: WordLlamaEmbedder) -> None:
    lists = embedder.tokenize_many(TEXTS)
    assert lists.lengths.tolist() == [len(embedder.tokenize(text)) for text in TEXTS]
    assert np.array_equal(lists.ids, np.concatenate([embedder.tokenize(text) for text in TEXTS]))
    assert np.array_equal(embedder.embed_token_lists(lists), embedder.embed_documents(TEXTS))


def test_nothing_gives_nothing(embedder: WordLlamaEmbedder) -> None:
    assert embedder.embed_documents([]).shape == (0, 256)
    assert embedder.embed_documents(["", ""]).tolist() == np.zeros((2, 256)).tolist()
    empty = TokenLists(np.empty(0, np.int32), np.zeros(1, np.int64))
    assert embedder.embed_token_lists(empty).shape == (0, 256)
    assert not embedder.embed_tokens(np.empty(0, np.int32), np.empty(0, np.float32)).any()


def test_weights_of_the_query_side(embedder: WordLlamaEmbedder) -> None:
    ids = embedder.tokenize(TEXTS[0])
    weights = np.linspace(0, 1, len(ids), dtype=np.float32)
    expected = weights.astype(np.float64) @ embedder._model.table[ids].astype(np.float64)
    np.testing.assert_allclose(embedder.embed_tokens(ids, weights), expected, atol=1e-4)
    np.testing.assert_allclose(
        embedder.embed_tokens(ids, np.ones_like(weights)), embedder.embed_query(TEXTS[0]), atol=1e-4
    )
    with pytest.raises(InputError, match=r"one shape \(n,\)"):
        embedder.embed_tokens(ids, weights[1:])


def test_counter(embedder: WordLlamaEmbedder) -> None:
    counter = embedder.counter
    assert counter.name == "wordllama"
    assert isinstance(counter, TokenCounter)
    assert [counter(text) for text in TEXTS] == [len(embedder.tokenize(text)) for text in TEXTS]


def test_threads_get_the_same_answer() -> None:
    fresh = WordLlamaEmbedder()
    answers: list[Any] = []
    threads = [threading.Thread(target=lambda: answers.append(fresh.embed_documents(TEXTS))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 4
    assert all(np.array_equal(answer, answers[0]) for answer in answers)


# --- files ---------------------------------------------------------------------------------------------------------


def test_nothing_is_read_and_the_package_is_not_imported() -> None:
    script = """
import sys, logging
from mnemic.models.wordllama import find
embedder = find()
assert embedder is not None and embedder._loaded is None
embedder.embed_query("hello")
assert "wordllama" not in sys.modules and "tokenizers" not in sys.modules and not logging.root.handlers
"""
    subprocess.run([sys.executable, "-c", script], check=True)


def test_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_name: str) -> None:
        return None

    monkeypatch.setattr(wordllama.importlib.util, "find_spec", missing)
    assert wordllama.find() is None
    with pytest.raises(MissingExtraError, match="pip install wordllama"):
        WordLlamaEmbedder()


def _wheel(
    folder: Path, *, header: Any = None, numbers: bytes | None = None, tokenizer: Any = None
) -> WordLlamaEmbedder:
    """A wheel of three tokens in two dimensions, or what is wrong with it."""
    (folder / "weights").mkdir()
    (folder / "tokenizers").mkdir()
    table = np.arange(6, dtype="<f2").reshape(3, 2)
    header = header or {"embedding.weight": {"dtype": "F16", "shape": [3, 2], "data_offsets": [0, 12]}}
    head = header if isinstance(header, bytes) else json.dumps(header).encode()
    data = table.tobytes() if numbers is None else numbers
    (folder / "weights" / "renamed.safetensors").write_bytes(len(head).to_bytes(8, "little") + head + data)
    content: Any = _tokenizer() if tokenizer is None else tokenizer
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    (folder / "tokenizers" / "renamed.json").write_bytes(raw)
    return WordLlamaEmbedder(folder)


def _tokenizer(**model: Any) -> dict[str, Any]:
    return {
        "added_tokens": [],
        "normalizer": {"normalizers": [{"type": "Prepend"}, {"type": "Replace"}]},
        "pre_tokenizer": None,
        "model": {
            "type": "BPE",
            "byte_fallback": True,
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "ignore_merges": False,
            "vocab": {"▁": 0, "a": 1, "▁a": 2},
            "merges": [["▁", "a"]],
            **model,
        },
    }


def test_a_wheel_with_other_names_in_it(tmp_path: Path) -> None:
    embedder = _wheel(tmp_path)
    assert embedder.tokenize("a aa").tolist() == [2, 2, 1]
    assert embedder.embed_query("a aa").tolist() == [10, 13]
    assert embedder.space.startswith("wordllama:renamed:sum1:")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"header": b"not json at all"}, "should hold one table of F16 or F32"),
        ({"header": {"w": {"dtype": "BF16", "shape": [3, 2], "data_offsets": [0, 12]}}}, "BF16"),
        ({"header": {"__metadata__": {}}}, "should hold one table"),
        ({"numbers": b"\0" * 4}, "should hold one table"),
        ({"tokenizer": b"{"}, "not a tokenizer.json of the expected shape"),
        ({"tokenizer": {"model": {}}}, "not a tokenizer.json of the expected shape"),
        ({"tokenizer": _tokenizer(type="Unigram")}, "tokenizer of another kind"),
        ({"tokenizer": _tokenizer(vocab={"a": 0})}, "3 vectors, but .* 1 tokens"),
    ],
)
def test_a_wheel_that_cannot_be_used(tmp_path: Path, wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(ModelError, match=said) as caught:
        _ = _wheel(tmp_path, **wrong).dims
    assert "pip install --force-reinstall wordllama" in str(caught.value)


def test_a_wheel_without_weights(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"should hold weights/l2_supercat_256\.safetensors; .* found there: none"):
        _ = WordLlamaEmbedder(tmp_path).dims
