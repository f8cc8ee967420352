"""A refusal that only a server has: its words, its kind (see `mnemic.problems`), and headers for the one who asked."""

from __future__ import annotations

from collections.abc import Mapping

from mnemic.errors import MnemicError
from mnemic.problems import Kind


class RefusedError(MnemicError):
    """What was asked is refused before the engine sees it."""

    def __init__(self, message: str, kind: Kind, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.kind = kind
        self.headers = dict(headers or {})
