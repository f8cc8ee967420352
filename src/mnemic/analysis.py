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
    speaker: str | None = None
    subject: str | None = None
    aliases: tuple[str, ...] = ()

    @property
    def spoken(self) -> str:
        """The text as it is indexed and embedded: who said it is part of what is found."""
        return f"{self.speaker}: {self.text}" if self.speaker else self.text


def analyse(writings: Sequence[Writing], embedder: Embedder | None) -> list[Document]:
    """One document for each writing. Raises ModelError when the embedder fails."""
    spoken = [writing.spoken for writing in writings]
    nothing = np.empty(0, np.int32)
    if embedder is None:
        tokens = [nothing] * len(spoken)
        vectors = [None] * len(spoken)
    elif is_token_embedder(embedder):
        lists = embedder.tokenize_many(spoken)
        tokens = [lists.ids[lists.offsets[i] : lists.offsets[i + 1]] for i in range(len(spoken))]
        vectors = list(embedder.embed_token_lists(lists))
    else:
        tokens = [nothing] * len(spoken)
        vectors = list(embedder.embed_documents(spoken))
    documents: list[Document] = []
    for writing, said, ids, vector in zip(writings, spoken, tokens, vectors, strict=True):
        plain, compound = words.index_terms(said)
        titles = [SUBJECT + term for name in (writing.subject, *writing.aliases) if name for term in words.terms(name)]
        documents.append(Document(words.hash_terms(plain + compound + titles), len(plain), ids, vector))
    return documents
