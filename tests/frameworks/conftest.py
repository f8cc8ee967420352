"""Every framework is tested without a network: an attempt to leave this machine fails the test that makes it."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from mnemic import Memory

os.environ |= {
    "CREWAI_DISABLE_TELEMETRY": "true",
    "CREWAI_DISABLE_TRACKING": "true",
    "CREWAI_TRACING_ENABLED": "false",
    "OTEL_SDK_DISABLED": "true",
    "OPENAI_AGENTS_DISABLE_TRACING": "1",
    "OPENAI_API_KEY": "none",
    "HF_HUB_OFFLINE": "1",
}

LOCAL = ("127.0.0.1", "::1", "localhost", None, "", b"localhost", b"127.0.0.1")


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    tried: list[object] = []

    def guarded(real: Any, place: int) -> Any:
        def call(*args: Any, **kwargs: Any) -> Any:
            host = args[place][0] if isinstance(args[place], tuple) else args[place]
            is_internet = isinstance(args[place], tuple) or real is socket.getaddrinfo
            if is_internet and host not in LOCAL:
                tried.append(host)
                raise OSError(f"no network in tests: {host}")
            return real(*args, **kwargs)

        return call

    monkeypatch.setattr(socket, "getaddrinfo", guarded(socket.getaddrinfo, 0))
    monkeypatch.setattr(socket.socket, "connect", guarded(socket.socket.connect, 1))
    monkeypatch.setattr(socket.socket, "connect_ex", guarded(socket.socket.connect_ex, 1))
    yield
    assert tried == []


@pytest.fixture
def memory() -> Iterator[Memory]:
    with Memory(":memory:") as opened:
        yield opened
