"""Embedders and chat models, one file per wire. None knows a store, and none is imported before it is asked for."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from mnemic.errors import ModelError


@contextmanager
def foreign(doing: str) -> Generator[None]:
    """Around a call into somebody else's library: what it raises arrives as ModelError, "<doing>: <what>".

    The one broad `except` of this folder: onnxruntime, tokenizers and a caller's own model raise classes that cannot be
    named here, onnxruntime's being direct children of Exception. The original is the cause; nothing is swallowed.
    """
    try:
        yield
    except Exception as error:
        raise ModelError(f"{doing}: {type(error).__name__}: {error}") from error
