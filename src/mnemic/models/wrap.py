"""`as_embedder`, `as_reranker`, `as_chat`: one door for everything that may be passed as one of these."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any, TypeGuard, cast
from urllib.parse import urlsplit

import numpy as np
from numpy.typing import NDArray

from mnemic.errors import ConfigError, ModelError, ParameterError, nearest
from mnemic.models import foreign
from mnemic.ports import ChatModel, Embedder, Lexicon, Reranker, TokenEmbedder

_METHODS = ("embed_documents", "embed_query")
_SPECS = "'wordllama', 'none', 'minilm:<folder or name>', 'http://<host>/v1#<model>'"
_CHATS = "'http://<host>/v1#<model>', 'anthropic:<model>', a function from a prompt to an answer"


def as_embedder(given: object, *, api_key: str | None = None) -> Embedder | None:
    """The embedder meant by `given`; None for None and "none", which is recall by words alone.

    `given` is an Embedder (returned as it is), any object with `embed_documents` and `embed_query` (LangChain's, for
    one: lists of floats), or a string: "wordllama", "none", "minilm:<folder or hub name>", "http://host/v1#model" (its
    key is `api_key`). No model is loaded and no server asked before the first use.

    Raises ParameterError (a TypeError) for another object, ConfigError (a ValueError) for a string that names nothing,
    MissingExtraError when what it names is not installed.
    """
    if given is None:
        return None
    if isinstance(given, str):
        return _from_spec(given, api_key)
    if isinstance(given, type):
        raise ParameterError(f"an embedder must be an object, not a class: pass {given.__name__}(…)")
    if not _has(given, *_METHODS):
        missing = ", ".join(name for name in _METHODS if not _has(given, name))
        raise ParameterError(
            f"an embedder needs embed_documents(texts) and embed_query(text): {type(given).__name__} lacks {missing}; "
            + f"or pass one of {_SPECS}"
        )
    return cast("Embedder", given) if _has(given, "space", "dims") else AdaptedEmbedder(given)


def space_of(embedder: Embedder | None) -> str | None:
    """The embedding space; None without an embedder, and while it cannot say (a server that is down)."""
    try:
        return None if embedder is None else embedder.space
    except ModelError:
        return None


def as_chat(given: object, *, api_key: str | None = None) -> ChatModel | None:
    """The chat model meant by `given`; None for None.

    `given` is a ChatModel or another object with `complete` (returned as it is), a function that takes a prompt and
    returns an answer, or a string: "http://host/v1#model" for a server that speaks OpenAI's chat protocol (its key, if
    it needs one, is `api_key`), "anthropic:<model>" for Anthropic's (with `api_key`). Nobody is asked before the first
    `complete`, and nothing is read from the environment.

    Raises ParameterError (a TypeError, and a ValueError) for anything else, ConfigError (a ValueError) for an address
    that cannot be one, and for a key that is missing.
    """
    if given is None:
        return None
    if isinstance(given, str):
        return _chat_from_spec(given, api_key)
    if isinstance(given, type):
        raise ParameterError(f"a chat model must be an object, not a class: pass {given.__name__}(…)")
    method = getattr(given, "complete", None)
    answer = given if method is None else method
    if not callable(answer):
        raise ParameterError(
            f"a chat model needs complete(messages, *, max_tokens, temperature), which {type(given).__name__} lacks; "
            + f"or pass one of {_CHATS}"
        )
    if inspect.iscoroutinefunction(answer) or inspect.iscoroutinefunction(getattr(answer, "__call__", None)):  # noqa: B004
        raise ParameterError(
            f"a chat model must answer at once: {_called(given)} is asynchronous; wrap it in asyncio.run"
        )
    if method is not None:
        return cast("ChatModel", given)
    from mnemic.models.chat import PromptChat

    return PromptChat(cast("Callable[[str], str]", given))


def name_of(chat: ChatModel | None) -> str | None:
    """What a chat model's work is recorded under: its name, or its class where it has none. None without a model."""
    if chat is None:
        return None
    name: object = getattr(chat, "name", None)
    return name if isinstance(name, str) and name else type(chat).__name__


def is_token_embedder(embedder: object) -> TypeGuard[TokenEmbedder]:
    """Whether its vectors are token sums. Unlike `isinstance`, which reads the facts on Python 3.11, loads nothing."""
    return _is_token_embedding(type(embedder)) or _has(embedder, *_TOKEN_EMBEDDER)


_TOKEN_EMBEDDER = ("space", "dims", "vocabulary", "tokenize_many", "embed_token_lists", "embed_tokens")


def lexicon_of(embedder: object) -> Lexicon | None:
    """An embedder as what knows common words; None where it does not."""
    return cast("Lexicon", embedder) if _knows_words(type(embedder)) else None


@cache
def _knows_words(kind: type) -> bool:
    return issubclass(kind, Lexicon)


@cache
def _is_token_embedding(kind: type) -> bool:
    """The same of a class, remembered: it is asked at every write and search."""
    return _has(kind, *_TOKEN_EMBEDDER)


class AdaptedEmbedder:
    """An Embedder around an object that has the two methods only; its lists of floats become arrays.

    The space is `<class>:<model attribute>:<dims>`. The dims are probed with one query when first asked for. Whatever
    the object raises arrives as ModelError, with the original as its cause.
    """

    def __init__(self, inner: object) -> None:
        self._inner = cast("Any", inner)
        self._lock = threading.Lock()
        self._dims: int | None = None

    def __repr__(self) -> str:
        return f"AdaptedEmbedder({type(self._inner).__name__})"

    @property
    def space(self) -> str:
        """`<class>:<model attribute>:<dims>`, or without the model where the object has no such attribute."""
        names = (getattr(self._inner, name, None) for name in ("model", "model_name", "model_id"))
        model = next((name for name in names if isinstance(name, str) and name), None)
        return ":".join(part for part in (type(self._inner).__name__, model, str(self.dims)) if part)

    @property
    def dims(self) -> int:
        """Length of a vector."""
        if self._dims is None:
            self.embed_query("dimension")
        return cast("int", self._dims)

    def embed_documents(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """The object's vectors, shape (len(texts), dims)."""
        if not texts:
            return np.zeros((0, self.dims), dtype=np.float32)
        return self._vectors("embed_documents", list(texts), len(texts))

    def embed_query(self, text: str) -> NDArray[np.float32]:
        """The object's vector, shape (dims,)."""
        return self._vectors("embed_query", text, None)[0]

    def _vectors(self, method: str, given: object, count: int | None) -> NDArray[np.float32]:
        """The answer as (count, dims); `count` None: one bare vector."""
        name = f"{type(self._inner).__name__}.{method}"
        with foreign(f"{name} failed"):
            answer = getattr(self._inner, method)(given)
        try:
            vectors = np.asarray(answer, dtype=np.float32)
        except (ValueError, TypeError) as error:
            raise ModelError(f"{name} answered something that is not a list of numbers: {error}") from error
        if count is None:
            vectors = vectors[None]
        with self._lock:
            if self._dims is None and vectors.ndim == 2 and vectors.shape[1]:
                self._dims = vectors.shape[1]
        if vectors.shape != (count or 1, self._dims):
            raise ModelError(f"{name} answered shape {vectors.shape}; expected {(count or 1, self._dims or 'dims')}")
        if not np.isfinite(vectors).all():
            raise ModelError(f"{name} answered a vector that is not finite")
        return vectors


def _from_spec(spec: str, api_key: str | None) -> Embedder | None:
    # Each wire is imported only when it is named: one brings ssl, another may lack its extra.
    kind, _, rest = spec.partition(":")
    if spec == "none":
        return None
    if spec == "wordllama":
        from mnemic.models.wordllama import WordLlamaEmbedder

        return WordLlamaEmbedder()
    if kind == "minilm" and rest:
        from mnemic.models.minilm import MiniLMEmbedder

        return MiniLMEmbedder(Path(rest) if Path(rest).expanduser().is_dir() else rest)
    if kind in ("http", "https"):
        from mnemic.models.http import HttpEmbedder

        base_url, _, model = spec.partition("#")
        return HttpEmbedder(base_url, model, api_key=api_key)
    raise ConfigError(f"no embedder {spec!r}{nearest(spec, ('wordllama', 'none'))}; known are {_SPECS}")


def _chat_from_spec(spec: str, api_key: str | None) -> ChatModel:
    from mnemic.models.chat import AnthropicChat, HttpChat

    kind, _, rest = spec.partition(":")
    if kind in ("http", "https"):
        base_url, _, model = spec.partition("#")
        return HttpChat(base_url, model, api_key=api_key)
    if kind == "anthropic" and rest:
        return AnthropicChat(rest, api_key=api_key or "")  # which says what is missing
    raise ParameterError(f"no chat model {spec!r}; possible are {_CHATS}, or an object with complete(messages)")


def _called(given: object) -> str:
    return str(getattr(given, "__name__", type(given).__name__))


def _has(given: object, *names: str) -> bool:
    """Whether all these attributes exist, without evaluating properties: a fact may load a model."""
    missing = object()
    # A proxy answers through __getattr__ what a static lookup cannot see.
    dynamic = hasattr(type(given), "__getattr__")
    return all(
        inspect.getattr_static(given, name, missing) is not missing or (dynamic and hasattr(given, name))
        for name in names
    )


# --- rerankers -----------------------------------------------------------------------------------------------------

_RERANKERS = "'none', 'crossencoder:<folder or name>', 'http://<host>/v1#<model>'"


def as_reranker(given: object, *, api_key: str | None = None) -> Reranker | None:
    """The reranker meant by `given`; None for None and "none", which leaves the order as it is.

    `given` is a Reranker (returned as it is), any other object with `score(query, texts)` or `predict(pairs)`
    (sentence-transformers' CrossEncoder, for one), or a string: "none", "crossencoder:<folder or hub name>",
    "http://host/v1#model" (its key is `api_key`). No model is loaded and no server asked before the first use.

    Raises ParameterError (a TypeError) for anything else, ConfigError (a ValueError) for a folder or a server that
    cannot be one, MissingExtraError when what it names is not installed.
    """
    if given is None:
        return None
    if isinstance(given, str):
        return _reranker_from_spec(given, api_key)
    if isinstance(given, type):
        raise ParameterError(f"a reranker must be an object, not a class: pass {given.__name__}(…)")
    if _has(given, "score"):
        return cast("Reranker", given) if _has(given, "name") else AdaptedReranker(given, "score")
    if _has(given, "predict"):
        return AdaptedReranker(given, "predict")
    raise ParameterError(
        f"a reranker needs score(query, texts), or predict(pairs): {type(given).__name__} lacks both; "
        + f"or pass one of {_RERANKERS}"
    )


def _reranker_from_spec(spec: str, api_key: str | None) -> Reranker | None:
    kind, _, rest = spec.partition(":")
    if spec == "none":
        return None
    if kind == "crossencoder" and rest:
        from mnemic.models.crossencoder import CrossEncoder

        return CrossEncoder(Path(rest) if Path(rest).expanduser().is_dir() else rest)
    if kind in ("http", "https"):
        from mnemic.models.rerank import HttpReranker

        base_url, _, model = spec.partition("#")
        return HttpReranker(base_url, model, api_key=api_key)
    raise ParameterError(f"no reranker {spec!r}; known are {_RERANKERS}, or an object with score(query, texts)")


def one_server(api_key: str | None, *given: object) -> None:
    """Raises ConfigError where a key is given and the strings among `given` name two servers: the key is one's."""
    named = ["https://api.anthropic.com" if str(one).startswith("anthropic:") else one for one in given]
    addresses = [one for one in named if isinstance(one, str) and one.startswith(("http:", "https:"))]
    servers = sorted({f"{(parts := urlsplit(one)).scheme}://{parts.netloc.rpartition('@')[2]}" for one in addresses})
    if api_key is not None and len(servers) > 1:
        raise ConfigError(
            f"api_key is one server's, and {' and '.join(servers)} are two: pass one of them as an object with a key "
            + "of its own, such as mnemic.models.rerank.HttpReranker(…, api_key=…)"
        )


def scores_of(reranker: Reranker, query: str, texts: Sequence[str]) -> NDArray[np.float32]:
    """What a reranker says of these texts, shape (len(texts),). Raises ModelError, also where it answers nonsense."""
    return _checked(reranker.score(query, texts), len(texts), reranker.name)


class AdaptedReranker:
    """A Reranker around an object with one method: `score(query, texts)`, or `predict(pairs)` of (query, text) pairs.

    Of two columns the difference is taken, the log-odds of a softmax. Whatever the object raises arrives as ModelError,
    with the original as its cause.
    """

    def __init__(self, inner: object, method: str) -> None:
        self._inner = cast("Any", inner)
        self._method = method

    def __repr__(self) -> str:
        return f"AdaptedReranker({type(self._inner).__name__})"

    @property
    def name(self) -> str:
        """The object's class."""
        return type(self._inner).__name__

    def score(self, query: str, texts: Sequence[str]) -> NDArray[np.float32]:
        """The object's scores, shape (len(texts),)."""
        if not len(texts):
            return np.zeros(0, dtype=np.float32)
        call = f"{self.name}.{self._method}"
        with foreign(f"{call} failed"):
            if self._method == "score":
                answer = self._inner.score(query, list(texts))
            else:
                answer = self._inner.predict([(query, text) for text in texts])
        return _checked(answer, len(texts), call)


def _checked(answer: object, count: int, name: str) -> NDArray[np.float32]:
    """A reranker's answer as (count,); of (count, 2) the difference. Raises ModelError."""
    try:
        scores = np.asarray(answer, dtype=np.float32)
    except (ValueError, TypeError, RuntimeError) as error:  # the last: a tensor that will not become an array
        raise ModelError(f"{name} answered something that is not a list of numbers: {error}") from error
    if scores.shape == (count, 1):
        scores = scores[:, 0]
    elif scores.shape == (count, 2):
        scores = scores[:, 1] - scores[:, 0]
    if scores.shape != (count,):
        raise ModelError(f"{name} answered shape {scores.shape}; expected ({count},), a number for each text")
    if not np.isfinite(scores).all():
        raise ModelError(f"{name} answered a score that is not finite")
    return scores
