"""A span for each verb, for the OpenTelemetry of the process (extra `otel`): whoever wants them sets up where they go.

Names and outcomes of verbs, as the caller's trace goes on; nothing of what is asked, answered or remembered.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager

from mnemic.errors import MissingExtraError, MnemicError
from mnemic.problems import kind_of

try:
    from opentelemetry import propagate, trace
except ImportError as error:
    raise MissingExtraError("spans need OpenTelemetry: pip install 'mnemic[otel]'") from error


@contextmanager
def span(verb: str, headers: Mapping[str, str]) -> Generator[None]:
    """A span around a verb, inside the trace that the request's headers name."""
    tracer = trace.get_tracer("mnemic")
    with tracer.start_as_current_span(
        f"mnemic.{verb}",
        context=propagate.extract(headers),
        kind=trace.SpanKind.SERVER,
        attributes={"mnemic.verb": verb},
        record_exception=False,  # its words may be what was asked
        set_status_on_exception=False,
    ) as current:
        try:
            yield
        except MnemicError as error:
            current.set_attribute("mnemic.problem", kind_of(error).code)
            current.set_status(trace.StatusCode.ERROR)
            raise
