"""From texts to what the index keeps of them. Happens before the write lock; depends on no store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mnemic import text as words
from mnemic.models.wrap import is_token_embedder
from mnemic.ports import Embedder
from mnemic.postings import Document

SUBJECT = "@"
"""Namespace of the terms of a record's subject and aliases, which count above its text."""


@dataclass(frozen=True, slots=True)
class Writing:
    """What of a record is read by the index."""

    text: str
    """Not who said it: a name in a question leads to its speaker's turns as a signal of its own (measured better)."""
    subject: str | None = None
    aliases: tuple[str, ...] = ()
    counted: bool = True
    """Whether its embedder tokens count in how rare tokens are: a view says again what others say."""


def analyse(writings: Sequence[Writing], embedder: Embedder | None) -> list[Document]:
    """One document for each writing. Raises ModelError when the embedder fails."""
    texts = [writing.text for writing in writings]
    nothing = np.empty(0, np.int32)
    if embedder is None:
        tokens = [nothing] * len(texts)
        vectors = [None] * len(texts)
    elif is_token_embedder(embedder):
        lists = embedder.tokenize_many(texts)
        tokens = [
            lists.ids[lists.offsets[i] : lists.offsets[i + 1]] if writing.counted else nothing
            for i, writing in enumerate(writings)
        ]
        vectors = list(embedder.embed_token_lists(lists))
    else:
        tokens = [nothing] * len(texts)
        vectors = list(embedder.embed_documents(texts))
    documents: list[Document] = []
    for writing, ids, vector in zip(writings, tokens, vectors, strict=True):
        plain, compound = words.index_terms(writing.text)
        titles = [SUBJECT + term for name in (writing.subject, *writing.aliases) if name for term in words.terms(name)]
        documents.append(Document(words.hash_terms(plain + compound + titles), len(plain), ids, vector))
    return documents
