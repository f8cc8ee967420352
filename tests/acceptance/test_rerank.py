"""A memory with a reranker: what it moves, what it leaves, and what happens where it fails."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from mnemic import InputError, Memory, ModelError, Results
from mnemic.cli import main
from mnemic.errors import ConfigError
from mnemic.read import RERANKED
from tests.unit.test_rerankers import cross_encoder

WHO = {"user_id": "ana"}
ASKED = "Where did the dentist move?"


class Scripted:
    """Scores by a function of the text, and remembers what it was asked."""

    name = "scripted"

    def __init__(self, score: Callable[[str], float]) -> None:
        self.by = score
        self.asked: list[tuple[str, list[str]]] = []

    def score(self, query: str, texts: Sequence[str]) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
        self.asked.append((query, list(texts)))
        return np.array([self.by(text) for text in texts], np.float32)


def failing(text: str) -> float:
    raise ModelError("the model is on holiday")


SAID = [
    "The dentist did move.",
    "Where is the dentist, and where did the tram move?",
    "Her practice is in Porto now, opposite the dentist's old one.",
    "I like plums.",
    "The dentist was kind.",
    "We should move the table.",
]


def opened(path: Path, **settings: Any) -> Memory:
    """A memory that derives nothing: what is read here is what was said."""
    return Memory(path, recipe="none", **settings)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    with opened(tmp_path / "a.db") as memory:
        memory.add(
            [
                {"role": "user", "name": "Ana", "content": text, "time": f"2026-06-02T09:{at:02d}Z", "session_id": "s"}
                for at, text in enumerate(SAID)
            ],
            **WHO,
        )
        memory.add("The dentist did move to Faro.", user_id="eva", time="2026-06-02T09:00Z")
    return tmp_path / "a.db"


@pytest.fixture
def plain(path: Path) -> Iterator[Memory]:
    with opened(path) as memory:
        yield memory


def porto_first(text: str) -> float:
    return 7.5 if "Porto" in text else -len(text) / 100


def told(results: Results) -> Results:
    """Without what every search has of its own."""
    return replace(results, id="", explainer=None)


def test_what_fits_better_comes_first(path: Path, plain: Memory) -> None:
    reranker = Scripted(porto_first)
    with opened(path, reranker=reranker) as memory:
        found, before = memory.search(ASKED, **WHO), plain.search(ASKED, **WHO)
        assert before[0].text != SAID[2]
        assert found[0].text == SAID[2]
        assert {hit.id for hit in found} == {hit.id for hit in before}
        first = {hit.id: hit for hit in before}
        for hit in found:
            assert (hit.score, hit.relevance) == (first[hit.id].score, first[hit.id].relevance)
            assert hit.signals["reranker"] == pytest.approx(porto_first(f"Ana: {hit.text}"))
            assert {name: value for name, value in hit.signals.items() if name != "reranker"} == first[hit.id].signals
        assert (found.best, found.notes, found.considered) == (before.best, before.notes, before.considered)
        assert found.confidence == pytest.approx(before.confidence)
        ((query, texts),) = reranker.asked
        assert query == ASKED
        assert texts == [f"Ana: {hit.text}" for hit in before]
        assert memory.scoped(user_id="ana").search(ASKED)[0].text == SAID[2]


def test_what_we_have_in_front_is_not_buried(tmp_path: Path) -> None:
    with opened(tmp_path / "b.db") as memory:
        memory.add([f"Note {at} is about the harbour {at % 7}." for at in range(40)], **WHO)
        memory.add("The ferry to the island leaves at eight.", **WHO)
        asked = "When does the ferry to the island leave?"
        assert "ferry" in memory.search(asked, **WHO)[0].text
    with opened(tmp_path / "b.db", reranker=Scripted(lambda text: -float("ferry" in text))) as memory:
        assert "ferry" in " ".join(hit.text for hit in memory.search(asked, limit=10, **WHO))


def test_a_limit_only_cuts(tmp_path: Path) -> None:
    said = [f"Note {at} about the harbour." for at in range(RERANKED + 30)]
    reranker = Scripted(lambda text: 37 * int(text.split()[1]) % 97)
    with opened(tmp_path / "b.db", reranker=reranker) as memory:
        memory.add(said, **WHO)
        whole = [hit.id for hit in memory.search("the harbour", limit=100, **WHO)]
        assert len(whole) == len(said)
        assert len(reranker.asked[0][1]) == RERANKED
        for limit in (1, 5, 20, 60):
            assert [hit.id for hit in memory.search("the harbour", limit=limit, **WHO)] == whole[:limit]
        read = [hit.id for hit in memory.search("the harbour", limit=100, **WHO) if "reranker" in hit.signals]
        assert read == whole[:RERANKED]
    with opened(tmp_path / "b.db") as memory:
        assert [hit.id for hit in memory.search("the harbour", limit=100, **WHO)][RERANKED:] == whole[RERANKED:]


def test_a_threshold_only_cuts(path: Path) -> None:
    reranker = Scripted(porto_first)
    with opened(path, reranker=reranker) as memory:
        whole = memory.search(ASKED, **WHO)
        for threshold in (0.05, 0.2, 0.4):
            kept = [hit.id for hit in whole if (hit.relevance or 0.0) >= threshold]
            assert [hit.id for hit in memory.search(ASKED, threshold=threshold, **WHO)] == kept
            assert [hit.id for hit in memory.search(ASKED, threshold=threshold, limit=1, **WHO)] == kept[:1]
        reranker.asked.clear()
        nothing = memory.search(ASKED, threshold=0.999, **WHO)
        assert (len(nothing), reranker.asked) == (0, [])  # where all is cut away nobody needs to read it
        assert "nothing reached the threshold" in nothing.notes[0]


@pytest.mark.parametrize("limit", [1, 3, 10])
def test_one_that_fails_is_left_out_and_named(path: Path, plain: Memory, limit: int) -> None:
    with opened(path, reranker=Scripted(failing)) as memory:
        found, before = memory.search(ASKED, limit=limit, **WHO), plain.search(ASKED, limit=limit, **WHO)
        assert told(replace(found, notes=())) == told(replace(before, notes=()))
        (note,) = found.notes
        assert note == ("the reranker 'scripted' failed, so the order is the one without it (the model is on holiday)")
        assert memory.context(ASKED, **WHO).text == plain.context(ASKED, **WHO).text
        assert note in memory.context(ASKED, **WHO).notes


@pytest.mark.parametrize("answer", [[1.0], [float("nan")] * 6, "none"])
def test_an_answer_that_is_none_counts_as_failing(path: Path, plain: Memory, answer: object) -> None:
    class Wrong(Scripted):
        def score(self, query: str, texts: Sequence[str]) -> object:  # pyright: ignore
            return answer

    with opened(path, reranker=Wrong(porto_first)) as memory:
        found = memory.search(ASKED, **WHO)
        assert [hit.id for hit in found] == [hit.id for hit in plain.search(ASKED, **WHO)]
        assert "the reranker 'scripted' failed" in found.notes[0]


def test_the_same_question_has_the_same_answer(path: Path) -> None:
    answers: list[Results] = []
    for _ in range(2):
        with opened(path, reranker=Scripted(porto_first)) as memory:
            answers += [told(memory.search(ASKED, **WHO)) for _ in range(2)]
    assert answers == answers[:1] * 4


def test_it_reads_only_what_may_be_returned(path: Path) -> None:
    reranker = Scripted(lambda text: float(len(text)))
    with opened(path, reranker=reranker) as memory:
        memory.retire(next(record.id for record in memory.list(**WHO) if "plums" in record.text), **WHO)
        memory.search(ASKED, **WHO)
        memory.search(ASKED, user_id="eva")
        memory.search(ASKED, where={"a": 1}, **WHO)
        memory.search(ASKED, user_id="nobody")
        memory.search(ASKED, precise=True, **WHO)
        ours, evas = (texts for _, texts in reranker.asked)
        assert not any("Faro" in text or "plums" in text for text in ours)
        assert evas == ["The dentist did move to Faro."]


def test_a_context_is_packed_in_the_new_order(path: Path, plain: Memory) -> None:
    budget = 35
    assert "Porto" not in plain.context(ASKED, budget=budget, **WHO).text
    with opened(path, reranker=Scripted(porto_first)) as memory:
        assert "Porto" in memory.context(ASKED, budget=budget, **WHO).text


def test_it_is_explained(path: Path) -> None:
    reranker = Scripted(porto_first)
    with opened(path, reranker=reranker) as memory:
        results = memory.search(ASKED, limit=4, **WHO)
        for place, hit in enumerate(results, 1):
            reranker.asked.clear()
            why = results.explain(hit.id)
            assert len(reranker.asked) == 1
            assert (why.rank, why.cut, why.notes) == (place, None, ())
            assert why.score == pytest.approx(hit.score)
            assert sum(signal.share for signal in why.signals) == pytest.approx(hit.score, abs=1e-5)
            assert {signal.name: signal.value for signal in why.signals} == pytest.approx(dict(hit.signals))
        signal = next(one for one in results.explain(results[0].id).signals if one.name == "reranker")
        assert (signal.value, signal.rank, signal.weight, signal.share) == (7.5, 1, 0.0, 0.0)
        missed = next(record for record in memory.list(**WHO) if record.id not in {hit.id for hit in results})
        why = results.explain(missed.id)
        assert why.cut == "4 better hits came before it: ask for a higher limit"
        assert (why.rank or 0) > 4
        assert "reranker" in {signal.name for signal in why.signals}
        assert "reranker" in str(why)
    with opened(path, reranker=Scripted(failing)) as memory:
        results = memory.search(ASKED, **WHO)
        why = results.explain(results[1].id)
        assert why.rank == 2
        assert "reranker" not in {signal.name for signal in why.signals}
        assert why.notes == results.notes


def test_an_error_of_another_kind_is_the_callers(path: Path) -> None:
    def broken(text: str) -> float:
        raise KeyError(text)

    class Nameless:
        def predict(self, pairs: list[tuple[str, str]]) -> list[float]:
            raise KeyError(pairs[0])

    with opened(path, reranker=Nameless()) as memory:
        assert "'Nameless' failed" in memory.search(ASKED, **WHO).notes[0]
    with opened(path, reranker=Scripted(broken)) as memory, pytest.raises(KeyError):
        memory.search(ASKED, **WHO)


@pytest.mark.skipif(
    any(importlib.util.find_spec(name) is None for name in ("onnx", "onnxruntime", "tokenizers")),
    reason="needs onnx, onnxruntime and tokenizers",
)
def test_a_real_cross_encoder(path: Path, tmp_path: Path) -> None:
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "dentist", "practice", "porto", "where", "now"]
    folder = cross_encoder(tmp_path / "model", words=words, match=np.array([0, 0, 0, 0, 1, 4, 4, 0, 1], np.float32))
    asked = "Where is the dentist's practice now?"
    with opened(path, reranker=f"crossencoder:{folder}") as memory:
        found = memory.search(asked, **WHO)
        assert found[0].text == SAID[2]
        assert found[0].signals["reranker"] == 6.0
        assert found.notes == ()
    (folder / "onnx" / "model.onnx").write_bytes(b"gone")
    with opened(path, reranker=f"crossencoder:{folder}") as memory:
        assert "the reranker 'crossencoder:model' failed" in memory.search(asked, **WHO).notes[0]


@pytest.mark.skipif(
    any(importlib.util.find_spec(name) is None for name in ("onnx", "onnxruntime", "tokenizers")),
    reason="needs onnx, onnxruntime and tokenizers",
)
def test_on_the_command_line(path: Path, tmp_path: Path) -> None:
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "dentist", "practice", "plums"]
    folder = cross_encoder(tmp_path / "model", words=words, match=np.array([0, 0, 0, 0, 0, 1, 0], np.float32))
    asked = ["search", "the dentist's practice", "--file", str(path), "--user", "ana", "--threshold", "0", "--json"]
    given = ["--reranker", f"crossencoder:{folder}"]
    found = json.loads(CliRunner().invoke(main, [*asked, *given]).stdout)
    assert found["hits"][0]["signals"]["reranker"] == 1.0
    plain = json.loads(CliRunner().invoke(main, asked).stdout)
    assert "reranker" not in plain["hits"][0]["signals"]
    told = CliRunner().invoke(main, ["context", *asked[1:6], *given])
    assert (told.exit_code, "practice" in told.stdout) == (0, True)
    wrong = CliRunner().invoke(main, [*asked, "--reranker", "minilm:x"])
    assert wrong.exit_code == 2
    assert "error: no reranker 'minilm:x'; known are 'none', 'crossencoder:" in wrong.stderr


def test_settings_that_cannot_be(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no reranker 'wordllama'"):
        opened(tmp_path / "c.db", reranker="wordllama")
    with pytest.raises(ConfigError, match="api_key is one server's"):
        opened(tmp_path / "c.db", embedder="http://a/v1#m", reranker="http://b/v1#n", api_key="secret")
    assert not (tmp_path / "c.db").exists()
