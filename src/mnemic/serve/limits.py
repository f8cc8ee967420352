"""How much a server takes: sizes, times, requests at once and requests a second. Pure, but for the clock."""

from __future__ import annotations

import asyncio
import errno
import time
import zipfile
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol, cast

from pydantic_core import from_json

from mnemic.errors import BusyError, InputError
from mnemic.problems import TOO_LARGE, TOO_SLOW
from mnemic.serve.refused import RefusedError


@dataclass(frozen=True, slots=True)
class Limits:
    """What a server takes at most."""

    body: int = 8 << 20
    """Bytes of a request."""
    import_body: int = 1 << 30
    """Bytes of an import, which goes through a file."""
    headers: int = 32 << 10
    """Bytes of a request's line and headers."""
    header_seconds: float = 10.0
    """Until the headers are there, from the first byte or the connection on."""
    body_seconds: float = 30.0
    """Until the body is there, from the headers on; an import has as long for each part."""
    send_seconds: float = 30.0
    """That a reader of a stream may stand still."""
    at_once: int = 512
    """Requests under way or waiting for their turn."""
    streams: int = 128
    """Readers of events at once."""
    connections: int = 2048
    rate: float = 100.0
    """Requests a second of one key, on average …"""
    burst: int = 400
    """… and at once after a rest. Without keys nobody is told from anybody, and there is no such limit."""


CLOSE: Final = {"Connection": "close"}
"""Said where a body was not read to its end: what comes behind it on the connection is no request."""


Bucket = tuple[float, float]
"""What is left of a name's requests, and at what time of the clock."""


class Buckets(Protocol):
    """Where buckets are kept. `get` and `put` are called within `alone`."""

    def alone(self) -> AbstractContextManager[None]:
        """Let nobody else look or put until this is over."""
        ...

    def get(self, name: str) -> Bucket | None:
        """The bucket of a name."""
        ...

    def put(self, name: str, bucket: Bucket) -> None:
        """Change the bucket of a name, or add it."""
        ...


class Own:
    """Buckets of this process alone, for one thread. Names are ids of keys, so there are never many."""

    def __init__(self) -> None:
        self._left: dict[str, Bucket] = {}
        self.get, self.put = self._left.get, self._left.__setitem__

    def alone(self) -> AbstractContextManager[None]:
        """There is nobody else."""
        return nullcontext()


class Rates:
    """Token buckets, one for each name: what a name has used up fills again at a rate."""

    def __init__(
        self, rate: float, burst: int, clock: Callable[[], float] = time.monotonic, buckets: Buckets | None = None
    ) -> None:
        self._rate, self._burst, self._clock = rate, float(burst), clock
        self._buckets = buckets or Own()

    def take(self, name: str) -> None:
        """One of a name's requests. Raises BusyError, with the seconds until the next is possible."""
        with self._buckets.alone():
            now = self._clock()
            left, at = self._buckets.get(name) or (self._burst, now)
            left = min(self._burst, left + (now - at) * self._rate)
            if left >= 1.0:
                self._buckets.put(name, (left - 1.0, now))
                return
        busy = BusyError(errno.EAGAIN, f"this key asks more than {self._rate:g} times a second: try again in a moment")
        busy.retry_after = (1.0 - left) / self._rate
        raise busy


async def parts(
    chunks: AsyncIterator[bytes], *, declared: str | None, most: int, seconds: float
) -> AsyncIterator[bytes]:
    """The parts of a body, each within some seconds, and all of it within a size, also where it lies about that.

    Raises RefusedError.
    """
    if declared is not None and declared.isdigit() and int(declared) > most:
        raise RefusedError(
            f"the body has {int(declared):,} bytes: at most {most:,} are taken at once", TOO_LARGE, CLOSE
        )
    size = 0
    while True:
        try:
            async with asyncio.timeout(seconds):
                chunk = await anext(chunks, None)
        except TimeoutError:
            raise RefusedError(f"the body did not go on for {seconds:g} s", TOO_SLOW, CLOSE) from None
        if chunk is None:
            return
        size += len(chunk)
        if size > most:
            raise RefusedError(
                f"the body has more than {most:,} bytes, which is all that is taken at once", TOO_LARGE, CLOSE
            )
        yield chunk


async def whole(chunks: AsyncIterator[bytes], *, declared: str | None, most: int, seconds: float) -> bytes:
    """A body, within a size and some seconds altogether. Raises RefusedError."""
    try:
        async with asyncio.timeout(seconds):
            return b"".join([part async for part in parts(chunks, declared=declared, most=most, seconds=seconds + 1)])
    except TimeoutError:
        raise RefusedError(f"the body was not there within {seconds:g} s", TOO_SLOW, CLOSE) from None


def json_object(body: bytes) -> dict[str, Any]:
    """The JSON object in a body; nothing is an empty one. Raises InputError for what is none, or is nested too deep."""
    if not body.strip():
        return {}
    try:
        found = from_json(body, allow_inf_nan=False)
    except ValueError as error:
        raise InputError(f"the body is not JSON: {error}") from None
    if not isinstance(found, dict):
        raise InputError(f'the body is {type(found).__name__}, not a JSON object of parameters: {{"query": …}}')
    return cast("dict[str, Any]", found)


def unpacked(path: Path, most: int) -> None:
    """Refuse an archive of which more would come out than may come in. Raises RefusedError."""
    if not zipfile.is_zipfile(path):
        return
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(one.file_size for one in archive.infolist())  # no more than that is ever read of a member
    except (zipfile.BadZipFile, NotImplementedError) as error:
        raise InputError(f"'{path.name}' cannot be unpacked ({error})") from None
    if size > most:
        raise RefusedError(f"what is packed in '{path.name}' has {size:,} bytes; {most:,} are taken at most", TOO_LARGE)
