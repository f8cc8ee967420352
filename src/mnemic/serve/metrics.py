"""What a server counts, for Prometheus. Numbers of requests only: nothing of what is remembered, and of whom."""

from __future__ import annotations

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest

TYPE = CONTENT_TYPE_LATEST
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Metrics:
    """The counters of one server: they begin with it."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
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
        self.under_way = Gauge("mnemic_requests_under_way", "Requests not yet answered.", registry=self._registry)
        self.queued = Gauge("mnemic_queue_length", "Requests that wait for a thread.", registry=self._registry)
        self.streams = Gauge("mnemic_event_streams", "Readers of events.", registry=self._registry)

    def text(self) -> bytes:
        """All of them, as Prometheus reads them."""
        return generate_latest(self._registry)
