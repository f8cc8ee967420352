"""Answering: results → is it known at all? → spans of what was found, or a model's answer with checked citations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, tzinfo

import numpy as np
from numpy.typing import NDArray

from mnemic import extract, question, text
from mnemic.errors import ModelError
from mnemic.models.wrap import is_token_embedder
from mnemic.pack import quoted
from mnemic.ports import Embedder
from mnemic.types import Answer, Citation, Hit, Results

HITS = 10
"""Hits that are looked for: as many as the confidence was fitted for."""
READ = 8
"""Hits that an answer is read out of."""
UNKNOWN = "not known"


def extracted(
    results: Results,
    embedder: Embedder | None,
    zone: tzinfo,
    *,
    least: float,
    weights: Mapping[str, float] | None = None,
) -> Answer:
    """The answer in the words of the hits; "not known" where the results' confidence is below `least`.

    Dates are resolved against the day on which something was said, in `zone`. `weights` are those of `extract`.
    """
    notes = list(results.notes)
    if not is_known(results, least, notes):
        return unknown(results, notes)
    hits = results.hits[:READ]
    spans = extract.answer(
        results.query,
        question.wanted(results.query),
        [extract.Passage(hit.text, hit.score, _local(hit, zone)) for hit in hits],
        lambda texts: alike(results.query, texts, embedder),
        weights,
    )
    if not spans:
        return unknown(results, [*notes, "what was found holds no words that could answer"])
    return Answer(
        query=results.query,
        text=", ".join(span.text for span in spans),
        known=True,
        citations=tuple(_cited(hits[span.passage], span) for span in spans),
        confidence=results.confidence,
        results_id=results.id,
        notes=(*notes, "an extract: words of the evidence, chosen without a model"),
    )


def is_known(results: Results, least: float, notes: list[str]) -> bool:
    """Whether to answer at all; the reason goes into `notes`."""
    if not results.hits:
        return False
    if results.confidence is None:
        notes.append("nothing is calibrated for this embedder, so nothing says whether the answer is in here")
        return True
    if results.confidence < least:
        notes.append(
            f"the evidence is among the hits with a probability of {results.confidence:.2f}, below {least:.2f}: "
            "ask in other words, or with a lower threshold"
        )
        return False
    return True


def unknown(results: Results, notes: Sequence[str]) -> Answer:
    """That it is not known."""
    return Answer(results.query, UNKNOWN, False, (), results.confidence, results.id, notes=tuple(notes))


def alike(asked: str, texts: Sequence[str], embedder: Embedder | None) -> NDArray[np.float32] | None:
    """Cosines of texts with the question's words; None without an embedder of token sums, which alone is quick enough
    to be asked for every sentence."""
    if embedder is None or not is_token_embedder(embedder):
        return None
    try:
        about = " ".join(text.content_words(text.words(asked))) or asked
        vectors = embedder.embed_documents([about, *texts])
    except ModelError:
        return None  # the results already say that it failed
    lengths = np.maximum(np.linalg.norm(vectors, axis=1), np.float32(1e-9))
    found: NDArray[np.float32] = (vectors[1:] @ vectors[0]) / (lengths[1:] * lengths[0])
    return found


def _local(hit: Hit, zone: tzinfo) -> datetime:
    try:
        return hit.time.astimezone(zone)
    except OverflowError:  # in the first or last hours of the calendar
        return hit.time


def _cited(hit: Hit, span: extract.Span) -> Citation:
    return Citation(quoted(hit), hit.text[span.start : span.end])
