"""What a server counts, for Prometheus. Numbers of requests only: nothing of what is remembered, and of whom."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import cast

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

TYPE = CONTENT_TYPE_LATEST
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Metrics:
    """The counters of one server: they begin with it.

    With a `folder` it is one of several processes, which were started to keep their counts there (see `workers`): told
    are those of all of them, sums also of what is under way, and counts of one that has died go on counting.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._registry = CollectorRegistry()
        self._told = self._registry
        if folder is not None:
            self._told = CollectorRegistry()
            self._told.register(_Together(folder))
        self.starts = Counter(
            "mnemic_starts_total", "Processes that began to serve: one that dies is replaced.", registry=self._registry
        )
        self.starts.inc()
        self.requests = Counter(
            "mnemic_requests_total", "Requests answered.", ["route", "method", "status"], registry=self._registry
        )
        self.seconds = Histogram(
            "mnemic_request_seconds",
            "From a request's headers to the end of its answer.",
            ["route"],
            buckets=SECONDS,
            registry=self._registry,
        )
        self.verbs = Histogram(
            "mnemic_verb_seconds", "What a verb took in the engine.", ["verb"], buckets=SECONDS, registry=self._registry
        )
        self.failures = Counter(
            "mnemic_verb_failures_total", "Verbs that ended in a problem.", ["verb", "code"], registry=self._registry
        )
        self.waited = Histogram(
            "mnemic_queue_seconds",
            "What a request waited for a thread.",
            buckets=SECONDS,
            registry=self._registry,
        )
        self.under_way = self._gauge("mnemic_requests_under_way", "Requests not yet answered.")
        self.queued = self._gauge("mnemic_queue_length", "Requests that wait for a thread.")
        self.streams = self._gauge("mnemic_event_streams", "Readers of events.")

    def _gauge(self, name: str, about: str) -> Gauge:
        return Gauge(name, about, registry=self._registry, multiprocess_mode="livesum")

    def text(self) -> bytes:
        """All of them, as Prometheus reads them."""
        return generate_latest(self._told)


class _Together(Collector):
    """The counts of all processes, from their files."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def collect(self) -> Iterable[Metric]:
        files = [str(path) for path in self._folder.glob("*.db") if _is_begun(path)]
        return cast("Iterable[Metric]", MultiProcessCollector.merge(files))  # pyright: ignore[reportUnknownMemberType]


def _is_begun(path: Path) -> bool:
    """Whether a file holds something: one that is just being made does not yet, one of a dead process no longer."""
    try:
        return path.stat().st_size > 0
    except FileNotFoundError:
        return False
