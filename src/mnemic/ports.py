"""What Mnemic asks of the things it does not own: an embedder, a reranker, a chat model, a token counter, a clock.

A store's own port lies with the stores. Nothing here has state, and nothing here is imported for its side effects: any
object with these members fits, no base class needed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray


@runtime_checkable
class Embedder(Protocol):
    """Turns texts into vectors: two methods and two facts.

    Reading a fact may load the model; constructing an embedder should not. Calls may come from several threads.
    """

    @property
    def space(self) -> str:
        """Names the weights and the preprocessing. Vectors of different spaces are never compared."""
        ...

    @property
    def dims(self) -> int:
        """Length of a vector."""
        ...

    def embed_documents(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors of stored texts, shape (len(texts), dims). A text's vector never depends on the others.

        Raises ModelError when the model cannot answer.
        """
        ...

    def embed_query(self, text: str) -> NDArray[np.float32]:
        """The vector of a question, shape (dims,). Raises ModelError when the model cannot answer."""
        ...


class TokenLists(NamedTuple):
    """The token ids of several texts, end to end: text i is ids[offsets[i]:offsets[i + 1]]."""

    ids: NDArray[np.int32]
    """Shape (total,): all ids, text after text."""
    offsets: NDArray[np.int64]
    """Shape (texts + 1,): where each text begins; the last one is the total."""

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Tokens per text, shape (texts,)."""
        return np.diff(self.offsets)


@runtime_checkable
class TokenEmbedder(Embedder, Protocol):
    """An embedder whose document vector is the plain sum of its tokens' vectors.

    Not normalised, not averaged, and no weight depends on the store: so the vector of a turn with its neighbours, or of
    a session, is the sum of the turns' own vectors, and a later turn changes nothing stored. What the scope knows about
    its tokens goes into the query's side only, through `embed_tokens`.

    A write needs ids (for the scope's counts) and vectors; `tokenize_many` and `embed_token_lists` give both for one
    tokenisation. `embed_documents(texts)` equals `embed_token_lists(tokenize_many(texts))`, bit for bit.

    On Python 3.11 `isinstance` reads the facts, and so loads the model; `models.wrap.is_token_embedder` does not.
    """

    @property
    def vocabulary(self) -> int:
        """Number of token ids; every id is in range(vocabulary)."""
        ...

    def tokenize(self, text: str) -> NDArray[np.int32]:
        """Token ids of a text, shape (tokens,), without begin or end marks. Never raises, whatever the text."""
        ...

    def tokenize_many(self, texts: Sequence[str]) -> TokenLists:
        """Token ids of several texts, as `tokenize` gives them, end to end."""
        ...

    def embed_token_lists(self, tokens: TokenLists) -> NDArray[np.float32]:
        """The plain sum of each text's token vectors, shape (texts, dims); zeros for a text without tokens."""
        ...

    def embed_tokens(self, tokens: NDArray[np.int32], weights: NDArray[np.float32]) -> NDArray[np.float32]:
        """The weighted sum of token vectors, shape (dims,); `tokens` and `weights` have one shape, (n,).

        The query's side: weights come from the scope's own token counts, e.g. smooth inverse frequency a / (a + p)
        (Arora, Liang, Ma: A Simple but Tough-to-Beat Baseline for Sentence Embeddings, ICLR 2017).
        """
        ...


@runtime_checkable
class Lexicon(Protocol):
    """Knows common words: one method, which an embedder with a vocabulary may have, too. What is misspelt is none."""

    def is_word(self, word: str) -> bool:
        """Whether a word, in small letters, is a common one. Costs no more than a look into a dict."""
        ...


@dataclass(frozen=True, slots=True)
class Completion:
    """A chat model's answer."""

    text: str
    """What it says: never blank, without its thoughts."""
    tokens_in: int = 0
    """Tokens of the messages, as the server counts them; 0 where it does not say."""
    tokens_out: int = 0
    """Tokens of the answer, its thoughts among them; 0 where it does not say."""
    cut: bool = False
    """Whether the answer was broken off at max_tokens."""
    tries: int = 1
    """Requests that it took: a busy or failing server is asked again."""


@runtime_checkable
class ChatModel(Protocol):
    """Answers messages: one method and one fact. Calls may come from several threads."""

    @property
    def name(self) -> str:
        """Names the model; what it derives is recorded under it. Reading it asks nobody."""
        ...

    def complete(
        self, messages: Sequence[Mapping[str, str]], *, max_tokens: int = 512, temperature: float = 0.0
    ) -> Completion:
        """The answer to `messages`: each has a `role` ("system", "user" or "assistant") and a `content`.

        `max_tokens` bounds the answer, thoughts included; `temperature` is 0 for the likeliest words, at most 2.
        Raises ModelError when the model cannot answer, declines, or answers nothing.
        """
        ...


@runtime_checkable
class Reranker(Protocol):
    """Reads a question and a text together, and says how well the one fits the other: one method and a name.

    Reading the name loads nothing; constructing a reranker should not either. Calls may come from several threads.
    """

    @property
    def name(self) -> str:
        """Names the model; printed where it fails."""
        ...

    def score(self, query: str, texts: Sequence[str]) -> NDArray[np.float32]:
        """How well each text answers the query, shape (len(texts),): the higher, the better, on a scale of its own.

        A text's score never depends on the others. Raises ModelError when the model cannot answer.
        """
        ...


@runtime_checkable
class TokenCounter(Protocol):
    """Counts the tokens of a text, for budgets. Called often with the same texts: keep it fast."""

    @property
    def name(self) -> str:
        """Names the tokenizer; printed beside a budget."""
        ...

    def __call__(self, text: str) -> int:
        """Number of tokens, without begin or end marks; 0 for an empty text. Never raises, whatever the text."""
        ...


class Clock(Protocol):
    """The present. Given from outside so that a test, an import or a replay can set it."""

    def __call__(self) -> datetime:
        """The present moment, with a time zone (an aware datetime)."""
        ...
