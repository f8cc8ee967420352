"""The default embedder: WordLlama's token vectors, read from the files inside its wheel.

WordLlama (https://github.com/dleemiller/WordLlama) is a table of 32,000 token vectors trained from Llama 2's input
embeddings, with Llama 2's tokenizer. The package itself is never imported: importing it configures logging, and its
loader looks for files it does not have on the network. Only numpy is needed to use them.

The tokenizer is SentencePiece-style byte-pair encoding: each space becomes '▁', one '▁' goes in front, the pair of
neighbours with the best rank is merged until none is left, and a character outside the vocabulary becomes its UTF-8
bytes. No token has '▁' behind another character, so merging never crosses the end of a word: words are encoded one at a
time and remembered. The ids are those of the `tokenizers` library for the same file; a test compares them.
"""

from __future__ import annotations

import hashlib
import heapq
import importlib.util
import json
import re
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from mnemic.errors import InputError, MissingExtraError, ModelError
from mnemic.ports import TokenLists

PREPROCESSING = "sum1"
"""Part of the space: change it whenever the same text would get another vector from the same weights."""

_WEIGHTS = "weights/l2_supercat_256.safetensors"
_TOKENIZER = "tokenizers/l2_supercat_tokenizer_config.json"
_MARK = "▁"
_SURROGATE = re.compile("[\ud800-\udfff]")
_WORD = re.compile(r" +[^ ]*")
_CACHED_WORDS = 65_536
_CACHED_WORD_LENGTH = 48
_BLOCK_TOKENS = 8_192
_DTYPES = {"F16": np.dtype("<f2"), "F32": np.dtype("<f4")}


def find() -> WordLlamaEmbedder | None:
    """The embedder of the installed wordllama package, or None when it is not installed. Loads nothing yet."""
    folder = _package_folder()
    return None if folder is None else WordLlamaEmbedder(folder)


class WordLlamaEmbedder:
    """A TokenEmbedder of 256 dimensions over 32,000 tokens; no network, no dependency but numpy.

    `folder` is the wordllama package's own folder (it holds weights/ and tokenizers/); by default the installed one.
    Nothing is read before the first use. Raises MissingExtraError when the package is not installed, and at first use
    ModelError when its files are not as expected.
    """

    def __init__(self, folder: Path | str | None = None) -> None:
        found = Path(folder) if folder is not None else _package_folder()
        if found is None:
            raise MissingExtraError("the default embedder needs wordllama: pip install wordllama")
        self._folder = found
        self._lock = threading.Lock()
        self._loaded: _Model | None = None

    def __repr__(self) -> str:
        return f"WordLlamaEmbedder({str(self._folder)!r})"

    @property
    def space(self) -> str:
        """`wordllama:<weights>:<preprocessing>:<fingerprint of the files>`."""
        return self._model.space

    @property
    def dims(self) -> int:
        """Length of a vector: 256 with the wheel's weights."""
        return self._model.table.shape[1]

    @property
    def vocabulary(self) -> int:
        """Number of token ids: 32,000 with the wheel's tokenizer."""
        return self._model.table.shape[0]

    @property
    def counter(self) -> WordLlamaCounter:
        """A token counter that shares this embedder's remembered words."""
        return WordLlamaCounter(self)

    def embed_documents(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """The plain sums of the texts' token vectors, shape (len(texts), dims)."""
        return self.embed_token_lists(self.tokenize_many(texts))

    def embed_query(self, text: str) -> NDArray[np.float32]:
        """The plain sum of the text's token vectors, shape (dims,). `embed_tokens` weights them, and recalls better."""
        return self.embed_documents([text])[0]

    def tokenize(self, text: str) -> NDArray[np.int32]:
        """Token ids of a text, shape (tokens,)."""
        return np.frombuffer(self._model.tokenizer.encode(text), dtype=np.int32)

    def tokenize_many(self, texts: Sequence[str]) -> TokenLists:
        """Token ids of several texts, end to end."""
        encoded = list(map(self._model.tokenizer.encode, texts))
        offsets = np.zeros(len(encoded) + 1, dtype=np.int64)
        np.cumsum(np.fromiter(map(len, encoded), dtype=np.int64, count=len(encoded)) // 4, out=offsets[1:])
        return TokenLists(np.frombuffer(b"".join(encoded), dtype=np.int32), offsets)

    def is_word(self, word: str) -> bool:
        """Whether a word has a token of its own, as common English words and names have."""
        return self._model.tokenizer.is_token(word)

    def embed_token_lists(self, tokens: TokenLists) -> NDArray[np.float32]:
        """The plain sum of each text's token vectors, shape (texts, dims); zeros for a text without tokens."""
        table, ids, offsets = self._model.table, tokens.ids, tokens.offsets
        sums = np.zeros((len(offsets) - 1, table.shape[1]), dtype=np.float32)
        # reduceat gives the *next* text's first row for an empty text, so only texts with tokens take part.
        filled = np.flatnonzero(np.diff(offsets))
        starts = offsets[filled]
        first = 0
        while first < len(filled):
            # Whole texts up to a block of tokens: the gathered rows stay in the cache, and memory stays bounded.
            last = max(first + 1, int(np.searchsorted(starts, starts[first] + _BLOCK_TOKENS, side="right")) - 1)
            last = min(last, len(filled))
            begin, end = int(starts[first]), int(offsets[filled[last - 1] + 1])
            sums[filled[first:last]] = _grouped_sums(table, ids[begin:end], starts[first:last] - begin)
            first = last
        return sums

    def embed_tokens(self, tokens: NDArray[np.int32], weights: NDArray[np.float32]) -> NDArray[np.float32]:
        """The weighted sum of token vectors, shape (dims,). Raises InputError when the two shapes differ."""
        if tokens.shape != weights.shape or tokens.ndim != 1:
            raise InputError(f"tokens and weights must have one shape (n,): got {tokens.shape} and {weights.shape}")
        rows = self._model.table[tokens].astype(np.float32, copy=False)
        return weights.astype(np.float32, copy=False) @ rows

    def forget(self) -> None:
        """Drop the words kept for speed: after an erasure none of them stays in memory."""
        if self._loaded is not None:
            self._loaded.tokenizer.forget()

    @property
    def _model(self) -> _Model:
        model = self._loaded
        if model is None:
            with self._lock:
                model = self._loaded
                if model is None:
                    model = self._loaded = _load(self._folder)
        return model


class WordLlamaCounter:
    """Counts tokens as the default embedder does: about four characters of English each."""

    name = "wordllama"

    def __init__(self, embedder: WordLlamaEmbedder) -> None:
        self._embedder = embedder

    def __call__(self, text: str) -> int:
        """Number of tokens of the text."""
        return len(self._embedder._model.tokenizer.encode(text)) // 4  # pyright: ignore[reportPrivateUsage]


def _grouped_sums(table: NDArray[Any], ids: NDArray[np.int32], starts: NDArray[np.int64]) -> NDArray[np.float32]:
    return np.add.reduceat(table[ids].astype(np.float32, copy=False), starts, axis=0)


# --- tokenizer -----------------------------------------------------------------------------------------------------


class _Words(dict[str, bytes]):
    """Token ids of a word (as int32 bytes), computed when first asked for.

    Bytes, because joining them is one step in C, and an id costs 4 bytes instead of an object. When full it starts
    again: a running text has its frequent words back at once, and no lookup pays for bookkeeping.
    """

    def __init__(self, encode: Callable[[str], bytes]) -> None:
        self._encode = encode

    def __missing__(self, word: str) -> bytes:
        encoded = self._encode(word)
        if len(word) <= _CACHED_WORD_LENGTH:
            if len(self) >= _CACHED_WORDS:
                self.clear()
            self[word] = encoded
        return encoded


class Tokenizer:
    """Byte-pair encoding in the manner of SentencePiece, from a `tokenizer.json`.

    `vocabulary` maps a token to its id, `ranks` maps "left right" to the rank of that merge (lower merges first),
    `specials` are tokens recognised literally in the text.
    """

    def __init__(self, vocabulary: dict[str, int], ranks: dict[str, int], specials: dict[str, int]) -> None:
        self._vocabulary = vocabulary
        self._ranks = ranks
        self._specials = {content: _pack([number]) for content, number in specials.items()}
        # Longest first: the library takes the longest of the special tokens that begin at one place.
        longest_first = sorted(specials, key=len, reverse=True)
        self._special = re.compile("(" + "|".join(map(re.escape, longest_first)) + ")") if specials else None
        self._words = _Words(self._encode_word)

    def forget(self) -> None:
        """Drop the words kept for speed."""
        self._words.clear()

    def is_token(self, word: str) -> bool:
        """Whether a word is one token, after a space."""
        return _MARK + word in self._vocabulary

    def encode(self, text: str) -> bytes:
        """Token ids as packed native int32."""
        if self._special is not None and "<" in text and self._special.search(text):
            parts = self._special.split(text)
            return b"".join(self._specials.get(part) or self._encode_plain(part) for part in parts)
        return self._encode_plain(text)

    def _encode_plain(self, text: str) -> bytes:
        if not text:
            return b""
        if _MARK in text:
            text = text.replace(_MARK, " ")  # the normaliser makes them the same
        if "  " in text or text[0] == " ":
            return b"".join([self._words[word[1:]] for word in _WORD.findall(" " + text)])
        return b"".join(map(self._words.__getitem__, text.split(" ")))

    def _encode_word(self, word: str) -> bytes:
        """Ids of '▁' + word; further spaces in front of it are further '▁'."""
        if not word.isascii():
            word = _SURROGATE.sub("\ufffd", word)
        symbols = self._symbols(_MARK + word.replace(" ", _MARK))
        merged = self._merge_short(symbols) if len(symbols) <= 24 else self._merge_long(symbols)
        return _pack([self._vocabulary[symbol] for symbol in merged])

    def _symbols(self, marked: str) -> list[str]:
        vocabulary = self._vocabulary
        symbols: list[str] = []
        for character in marked:
            if character in vocabulary:
                symbols.append(character)
            else:
                symbols.extend(f"<0x{byte:02X}>" for byte in character.encode())
        return symbols

    def _merge_short(self, symbols: list[str]) -> list[str]:
        """Merge the best pair, the leftmost of equals, until none is left: quadratic, and fastest for a word."""
        ranks = self._ranks
        worst = len(ranks)
        pairs = [ranks.get(f"{left} {right}", worst) for left, right in pairwise(symbols)]
        while pairs:
            best = min(pairs)
            if best == worst:
                break
            at = pairs.index(best)
            symbols[at : at + 2] = [symbols[at] + symbols[at + 1]]
            del pairs[at]
            if at > 0:
                pairs[at - 1] = ranks.get(f"{symbols[at - 1]} {symbols[at]}", worst)
            if at < len(pairs):
                pairs[at] = ranks.get(f"{symbols[at]} {symbols[at + 1]}", worst)
        return symbols

    def _merge_long(self, symbols: list[str]) -> list[str]:
        """The same with a heap, n log n: a text in a script without spaces is one long word."""
        ranks = self._ranks
        count = len(symbols)
        after = list(range(1, count + 1))
        before = list(range(-1, count - 1))
        heap: list[tuple[int, int, str]] = []

        def offer(left: int, right: int) -> None:
            pair = f"{symbols[left]} {symbols[right]}"
            rank = ranks.get(pair)
            if rank is not None:
                heapq.heappush(heap, (rank, left, pair))

        for at in range(count - 1):
            offer(at, at + 1)
        while heap:
            _, left, pair = heapq.heappop(heap)
            right = after[left]
            # A merged-away symbol is '', so a stale entry no longer spells its pair.
            if right == count or f"{symbols[left]} {symbols[right]}" != pair:
                continue
            symbols[left] += symbols[right]
            symbols[right] = ""
            after[left] = after[right]
            if after[left] < count:
                before[after[left]] = left
                offer(left, after[left])
            if before[left] >= 0:
                offer(before[left], left)
        return [symbol for symbol in symbols if symbol]


def _pack(ids: list[int]) -> bytes:
    return np.array(ids, dtype=np.int32).tobytes()


# --- files ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Model:
    table: NDArray[Any]  # (vocabulary, dims), mapped from the file
    tokenizer: Tokenizer
    space: str


def _package_folder() -> Path | None:
    spec = importlib.util.find_spec("wordllama")
    places = spec.submodule_search_locations if spec is not None else None
    return Path(next(iter(places))) if places else None


def _load(folder: Path) -> _Model:
    weights = _pick(folder, _WEIGHTS)
    tokenizer = _pick(folder, _TOKENIZER)
    try:
        table = _read_table(weights)
        raw = tokenizer.read_bytes()
        vocabulary, ranks, specials = _read_tokenizer(tokenizer, raw)
    except OSError as error:
        raise ModelError(f"cannot read the wordllama files: {error}") from error
    if len(vocabulary) != table.shape[0]:
        raise ModelError(
            f"{weights} has {table.shape[0]} vectors, but {tokenizer} has {len(vocabulary)} tokens: they are not of "
            + f"one model{_WAY_OUT}"
        )
    space = f"wordllama:{weights.stem}:{PREPROCESSING}:{_fingerprint(table, raw)}"
    return _Model(table, Tokenizer(vocabulary, ranks, specials), space)


_WAY_OUT = "; reinstall it (pip install --force-reinstall wordllama) or use another embedder"


def _pick(folder: Path, expected: str) -> Path:
    """The expected file, or the only one of its kind: a newer wheel may name it differently."""
    path = folder / expected
    if path.is_file():
        return path
    others = sorted(path.parent.glob(f"*{path.suffix}"))
    if len(others) == 1:
        return others[0]
    found = ", ".join(other.name for other in others) or "none"
    raise ModelError(
        f"the wordllama package in {folder} should hold {expected}; *{path.suffix} files found there: {found}{_WAY_OUT}"
    )


def _read_table(path: Path) -> NDArray[Any]:
    """The token vectors of a safetensors file: 8 bytes of header length, a JSON header, then the numbers."""
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if not 2 <= length <= 1 << 20:
            raise ModelError(f"{path} is not a safetensors file (its header would be {length} bytes){_WAY_OUT}")
        head = file.read(length)
    try:
        header = cast("dict[str, dict[str, Any]]", json.loads(head))
        tensors = {name: entry for name, entry in header.items() if name != "__metadata__"}
        (entry,) = tensors.values()
        dtype, (rows, columns), (begin, _) = _DTYPES[entry["dtype"]], entry["shape"], entry["data_offsets"]
        # ValueError also when the file is shorter than its header says.
        mapped = np.memmap(path, dtype=dtype, mode="r", offset=8 + length + begin, shape=(rows, columns))
        return mapped.view(np.ndarray)  # the same pages, without the subclass's cost per indexing
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(
            f"{path} should hold one table of F16 or F32 vectors; its header is {head[:200]!r}{_WAY_OUT}"
        ) from error


def _read_tokenizer(path: Path, raw: bytes) -> tuple[dict[str, int], dict[str, int], dict[str, int]]:
    """Vocabulary, merge ranks and special tokens; ModelError unless it is the kind of tokenizer `Tokenizer` is."""
    try:
        content = cast("dict[str, Any]", json.loads(raw))
        model = cast("dict[str, Any]", content["model"])
        steps = [step["type"] for step in content["normalizer"]["normalizers"]]
        kind = (
            model["type"],
            model["byte_fallback"],
            steps,
            content["pre_tokenizer"],
            model["continuing_subword_prefix"],
            model["end_of_word_suffix"],
            model["ignore_merges"],
        )
        vocabulary = cast("dict[str, int]", model["vocab"])
        merges = cast("list[str] | list[list[str]]", model["merges"])
        pairs = cast("list[str]", merges) if isinstance(merges[0], str) else [" ".join(pair) for pair in merges]
        specials = {token["content"]: int(token["id"]) for token in content["added_tokens"]}
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise ModelError(f"{path} is not a tokenizer.json of the expected shape: {error!r}{_WAY_OUT}") from error
    expected = ("BPE", True, ["Prepend", "Replace"], None, None, None, False)
    if kind != expected:
        raise ModelError(f"{path} describes a tokenizer of another kind: expected {expected}, got {kind}{_WAY_OUT}")
    return vocabulary, dict(zip(pairs, range(len(pairs)), strict=True)), specials


def _fingerprint(table: NDArray[Any], tokenizer: bytes) -> str:
    """Twelve hex digits. Of the vectors every 64th: training moves all of them, and reading all would page them in."""
    digest = hashlib.sha256(tokenizer)
    digest.update(str((table.shape, table.dtype.str)).encode())
    digest.update(np.ascontiguousarray(table[::64]).tobytes())
    return digest.hexdigest()[:12]
