"""Waiting for changes in a folder, by what the operating system tells: the extra "watch"."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mnemic.errors import MissingExtraError

try:
    from watchfiles import watch
except ImportError as error:
    raise MissingExtraError("watching a folder needs watchfiles: pip install 'mnemic[watch]'") from error


def changes(folder: Path, every: float) -> Iterator[None]:
    """Something whenever files below a folder have changed, and at least every so many seconds."""
    for _ in watch(folder, rust_timeout=int(every * 1000), yield_on_timeout=True, raise_interrupt=True):
        yield
