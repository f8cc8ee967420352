"""The OpenAPI document: true to the table of verbs, and to what the server answers, asked by schemathesis."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mnemic import Memory
from mnemic.serve.openapi import document
from mnemic.serve.verbs import verbs
from tests.serving import Site, site

schemathesis = pytest.importorskip("schemathesis")
hypothesis = pytest.importorskip("hypothesis")


@schemathesis.serializer("application/x-ndjson")
def as_lines(ctx: Any, value: Any) -> bytes:
    """JSON Lines are sent as they are."""
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "replace")


SCHEMA = schemathesis.openapi.from_dict(json.loads(json.dumps(document())))
CHECKS = [
    getattr(schemathesis.checks, name, None) or schemathesis.checks.CHECKS.get_one(name)
    for name in (
        "not_a_server_error",
        "status_code_conformance",
        "content_type_conformance",
        "response_schema_conformance",
        "response_headers_conformance",
        "negative_data_rejection",
    )
]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with Memory(tmp_path_factory.mktemp("api") / "agent.db", embedder="none") as memory:
        memory.add(["Ana moved to Porto.", "Ana likes tea."], user_id="ana")
        memory.remember("Ana lives in Porto.", user_id="ana", subject="Ana", key="ana/home")
        with site(memory) as served:
            assert served.post("context", query="Where does Ana live?", user_id="ana").status == 200
            yield served


OPERATIONS = [found.ok() for found in SCHEMA.get_all_operations()]


@pytest.mark.parametrize("operation", OPERATIONS, ids=[one.label for one in OPERATIONS])
def test_no_request_breaks_the_server_or_the_document(operation: Any, served: Site) -> None:
    if operation.path == "/v1/events":
        pytest.skip("a stream without end")

    @hypothesis.given(case=operation.as_strategy())
    @hypothesis.settings(
        max_examples=6,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    def ask(case: Any) -> None:
        case.call_and_validate(base_url=served.url, checks=CHECKS)

    ask()


def test_the_document_has_every_verb_with_an_example_that_can_be_asked(served: Site) -> None:
    paths = document()["paths"]
    for verb in verbs().values():
        posted = paths[f"/v1/{verb.path}"]["post"]
        assert posted["summary"]
        if verb.reads_lines:
            continue
        body = posted["requestBody"]["content"]["application/json"]
        assert set(body["schema"]["properties"]) == {one.name for one in verb.parameters}
        answered = served.ask("POST", f"/v1/{verb.path}", body["examples"]["one"]["value"])
        assert answered.status in (200, 400, 404), answered.body
        if answered.status == 400:
            assert answered.json["code"] == "input", "an id of an example is none"


def test_what_the_server_tells_of_itself_has_an_example_of_its_form(served: Site) -> None:
    for name in ("whoami", "given"):
        content = document()["paths"][f"/v1/{name}"]["get"]["responses"]["200"]["content"]["application/json"]
        told = served.ask("GET", f"/v1/{name}").json
        example = content["examples"]["one"]["value"]
        assert set(content["schema"]["required"]) == set(example) == set(told)
    assert set(told["given"][0]) == set(example["given"][0])
    assert set(told["given"][0]["scope"]) == set(example["given"][0]["scope"])


def test_it_is_served_as_it_is(served: Site) -> None:
    assert served.ask("GET", "/openapi.json").json == json.loads(json.dumps(document()))


def test_names_of_operations_are_unique(tmp_path: Path) -> None:
    names = [
        one["operationId"] for path in document()["paths"].values() for one in path.values() if isinstance(one, dict)
    ]
    assert len(names) == len(set(names))
