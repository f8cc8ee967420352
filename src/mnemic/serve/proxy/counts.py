"""What a proxy counts, as Prometheus reads it. No label names a user, a session or a word."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

MEDIA_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0)


class Counts:
    """Counters of one proxy. `waiting` says how many exchanges are not remembered yet."""

    def __init__(self, waiting: Callable[[], int]) -> None:
        self._registry = registry = CollectorRegistry()

        def counter(name: str, what: str, *labels: str) -> Counter:
            return Counter(f"mnemic_proxy_{name}", what, labels, registry=registry)

        self._requests = counter("requests", "Requests, by what they ask for and what they get", "asked", "status")
        self._recalls = counter("recalls", "Recalls, by what came of them", "outcome")
        self._exchanges = counter("exchanges", "Exchanges, by what became of them", "outcome")
        self._seconds = Histogram(
            "mnemic_proxy_recall_seconds", "How long recalls took", registry=registry, buckets=_BUCKETS
        )
        gauge = Gauge("mnemic_proxy_waiting", "Exchanges not remembered yet", registry=registry)
        gauge.set_function(waiting)

    def request(self, asked: str, status: int | str) -> None:
        """A request is over: its status, or "cut" or "gone" where it did not come to its end."""
        self._requests.labels(asked, str(status)).inc()

    def recall(self, outcome: str, seconds: float | None = None) -> None:
        """A recall is done, or given up."""
        self._recalls.labels(outcome).inc()
        if seconds is not None:
            self._seconds.observe(seconds)

    def exchange(self, outcome: str) -> None:
        """An exchange is remembered, or not."""
        self._exchanges.labels(outcome).inc()

    def text(self) -> bytes:
        """All of them."""
        return generate_latest(self._registry)
