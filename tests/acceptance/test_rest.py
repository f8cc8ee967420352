"""The REST server: every verb, records as resources, keys, events; asked over a real socket."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mnemic import Memory, plain
from mnemic.serve.grants import OWNER, Grant
from mnemic.serve.limits import Limits
from mnemic.serve.verbs import verbs
from mnemic.types import ANY, Answer, Context, Results
from tests.serving import Site, site

ANA = {"user_id": "ana"}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "agent.db"


@pytest.fixture
def memory(file: Path) -> Iterator[Memory]:
    with Memory(file) as memory:
        yield memory


@pytest.fixture
def served(memory: Memory, file: Path) -> Iterator[Site]:
    with site(memory, file) as served:
        yield served


def test_what_a_verb_answers_is_what_the_library_gives(served: Site, memory: Memory) -> None:
    added = served.post("add", messages=[{"role": "user", "content": "I moved to Porto."}], **ANA)
    assert added.status == 200
    assert added.headers["content-type"] == "application/json"
    assert added.json["entries"][0]["action"] == "added"
    asked: dict[str, Any] = {"query": "Where do I live?", "now": "2026-06-01T00:00:00Z", **ANA}
    found = plain.read(Results, served.post("search", **asked).json)
    here = memory.search(**asked)
    assert [(hit.id, hit.text, hit.evidence) for hit in found] == [(hit.id, hit.text, hit.evidence) for hit in here]
    assert plain.read(Context, served.post("context", **asked).json).text == memory.context(**asked).text
    answer = plain.read(Answer, served.post("ask", question="Where do I live?", now=asked["now"], **ANA).json)
    here_told = memory.ask("Where do I live?", now=asked["now"], **ANA)
    assert replace(answer, results_id="") == replace(here_told, results_id="")  # which tells when it was asked
    explained = served.post("explain", id=here[0].id, **asked).json
    assert explained == plain.plain(memory.search(**asked).explain(here[0].id))


def test_every_verb_has_its_route(served: Site) -> None:
    for verb in verbs().values():
        answered = served.ask("POST", f"/v1/{verb.path}", {"nonsense": 1})
        assert answered.status in (400, 415), verb.path
        assert answered.json["code"] in ("unknown-parameter", "media-type")


def test_a_wrong_parameter_gets_the_nearest_right_name_and_a_wrong_type_its_own_words(served: Site) -> None:
    assert (
        served.post("search", query="x", top_k=3).detail == "search() has no parameter 'top_k'; did you mean 'limit'?"
    )
    assert "limit='5' is not possible" in served.post("search", query="x", limit="5", **ANA).detail
    assert served.post("search", limit=3).detail == "search() needs query=…"
    assert "user_id=…, or shared=True" in served.post("add", messages="hello").detail
    assert served.post("rebuild", model="http://elsewhere/v1#x").json["code"] == "unknown-parameter"
    assert served.post("add", messages="x", time="2026-05-01", **ANA).json["code"] == "time"


def test_a_change_takes_its_scope_from_the_address_too(served: Site) -> None:
    told = served.post("remember", text="Ana lives in Porto.", subject="Ana", **ANA).json
    where = f"/v1/records/{told['entries'][0]['id']}"
    assert served.ask("PATCH", f"{where}?user_id=ana", {"text": "Ana lives in Braga."}).status == 200
    assert served.ask("PATCH", f"{where}?user_id=ana", {"text": "Ana lives in Faro.", **ANA}).status == 200
    assert served.ask("PATCH", f"{where}?user_id=ana", {"text": "Ana lives in Faro.", "user_id": ["ana"]}).status == 200
    other = served.ask("PATCH", f"{where}?user_id=ana", {"text": "x", "user_id": "ben"})
    assert (other.status, other.json["code"]) == (400, "scope")
    assert "contradict each other" in other.detail
    headed = served.ask("PATCH", f"{where}?user_id=ana", {"text": "x"}, headers={"X-Mnemic-User": "ben"})
    assert headed.json["code"] == "scope"
    for query in ("text=x", "user=ana", "if_revision=1"):
        wrong = served.ask("PATCH", f"{where}?{query}", {"text": "x", **ANA})
        assert (wrong.status, wrong.json["code"]) == (400, "unknown-parameter")
    assert served.ask("GET", f"{where}?user_id=ana").json["text"] == "Ana lives in Faro."


def test_records_are_resources(served: Site) -> None:
    told = served.post("remember", text="Ana lives in Porto.", subject="Ana", **ANA).json
    where = f"/v1/records/{told['entries'][0]['id']}?user_id=ana"
    first = served.ask("GET", where)
    tag = first.headers["etag"]
    assert (first.status, tag[:3], first.json["text"]) == (200, '"1-', "Ana lives in Porto.")
    assert served.ask("GET", where, headers={"If-None-Match": tag}).status == 304
    assert served.ask("GET", where, headers={"If-None-Match": '"1"'}).status == 200
    changed = served.ask(
        "PATCH", where.split("?")[0], {"text": "Ana lives in Braga.", **ANA}, headers={"If-Match": '"1"'}
    )
    assert changed.status == 200
    stale = served.ask("PATCH", where.split("?")[0], {"text": "Ana lives in Faro.", **ANA}, headers={"If-Match": '"1"'})
    assert (stale.status, stale.json["code"]) == (412, "precondition")
    assert stale.json["receipts"] == [changed.json["id"]]
    conflict = served.ask("PATCH", where.split("?")[0], {"text": "x", "if_revision": 1, **ANA})
    assert (conflict.status, conflict.json["code"]) == (409, "conflict")
    assert served.ask("GET", where).headers["etag"].startswith('"2-')
    assert [one["action"] for one in served.ask("GET", where.replace("?", "/history?")).json] == ["added", "revised"]
    assert served.ask("DELETE", f"{where}&reason=wrong").json["verb"] == "retire"
    assert served.ask("GET", where).json["state"] == "retired"
    assert served.ask("DELETE", f"{where}&erase=true").json["verb"] == "erase"
    assert served.ask("GET", where).status == 404
    assert served.ask("GET", "/v1/records/nothing?user_id=ana").detail == "there is no record 'nothing' in this scope"


def test_pages_lead_to_each_other(served: Site, memory: Memory) -> None:
    memory.add([f"Message {n}." for n in range(7)], **ANA)
    path, found = "/v1/records?user_id=ana&limit=3&kinds=episode&kinds=fact", []
    while path:
        page = served.ask("GET", path)
        found += [record["id"] for record in page.json["records"]]
        path = page.headers.get("link", "").partition(">")[0].lstrip("<")
    assert found == [record.id for record in memory.list(**ANA)]
    some = served.ask("GET", '/v1/records?user_id=ana&where={"city":"Porto"}')
    assert some.json == {"records": [], "next": None}


def test_the_scope_may_be_in_headers_and_must_not_contradict_itself(served: Site) -> None:
    who = {"X-Mnemic-User": "Jos%C3%A9", "X-Mnemic-Session": "one"}
    assert served.post("add", messages="hello there", headers=who).status == 200
    page = served.ask("GET", "/v1/records", headers=who).json["records"]
    assert page[0]["scope"] | {"agent_id": None} == {
        "tenant_id": None, "project_id": None, "user_id": "José", "agent_id": None, "session_id": "one",
    }  # fmt: skip
    both = served.post("search", query="hello", user_id="ben", headers=who)
    assert (both.status, both.json["code"]) == (400, "scope")


def test_a_write_with_a_key_of_its_own_is_made_once(served: Site, memory: Memory) -> None:
    once = {"Idempotency-Key": "k1"}
    first = served.post("remember", text="Tea is green.", headers=once, **ANA)
    again = served.post("remember", text="Tea is green.", headers=once, **ANA)
    assert first.json == again.json
    assert len(memory.history(first.json["entries"][0]["id"], **ANA)) == 1
    other = served.post("remember", text="Tea is black.", headers=once, **ANA)
    assert (other.status, other.json["receipts"]) == (409, [first.json["id"]])
    assert served.post("remember", text="Tea is black.", user_id="ben", headers=once).status == 200
    id_ = first.json["entries"][0]["id"]
    gone = served.ask("DELETE", f"/v1/records/{id_}?user_id=ana", headers={"Idempotency-Key": "k2"})
    assert served.ask("DELETE", f"/v1/records/{id_}?user_id=ana", headers={"Idempotency-Key": "k2"}).json == gone.json


def test_lines_go_out_and_come_in(served: Site, memory: Memory, tmp_path: Path) -> None:
    memory.add([f"Message {n}." for n in range(30)], **ANA)
    lines = served.ask("GET", "/v1/export?user_id=ana")
    assert lines.headers["content-type"] == "application/x-ndjson"
    assert lines.body.decode().splitlines() == list(memory.export(**ANA))
    with Memory(tmp_path / "other.db") as other, site(other) as there:
        came = there.ask("POST", "/v1/import", lines.body, headers={"Content-Type": "application/x-ndjson"})
        assert came.status == 200
        assert [r.text for r in other.list(**ANA)] == [r.text for r in memory.list(**ANA)]
        wrong = there.ask("POST", "/v1/import", b"{}\n\xff\n", headers={"Content-Type": "application/x-ndjson"})
        assert wrong.status == 400
    assert served.ask("GET", "/v1/export").json["code"] == "scope"


def test_the_server_tells_how_it_is(served: Site) -> None:
    assert served.ask("GET", "/healthz").json == {"status": "ok"}
    assert served.ask("GET", "/readyz").json == {"status": "ok"}
    served.post("search", query="x", **ANA)
    served.post("get", id="x", **ANA)
    text = served.ask("GET", "/metrics").body.decode()
    assert 'mnemic_requests_total{method="POST",route="/v1/search",status="200"} 1.0' in text
    assert 'mnemic_verb_failures_total{code="not-found",verb="get"} 1.0' in text
    assert 'mnemic_verb_seconds_count{verb="search"} 1.0' in text
    assert served.ask("GET", "/docs").status == 404
    assert served.ask("PUT", "/v1/search").status == 405


def test_a_verb_is_a_span_that_tells_nothing_of_what_was_asked(memory: Memory, monkeypatch: pytest.MonkeyPatch) -> None:
    sdk = pytest.importorskip("opentelemetry.sdk.trace")
    export = pytest.importorskip("opentelemetry.sdk.trace.export")
    kept = pytest.importorskip("opentelemetry.sdk.trace.export.in_memory_span_exporter").InMemorySpanExporter()
    from opentelemetry import trace

    from mnemic.serve.traces import span

    monkeypatch.delenv("OTEL_SDK_DISABLED", raising=False)  # as the tests of frameworks have it
    provider = sdk.TracerProvider()
    provider.add_span_processor(export.SimpleSpanProcessor(kept))
    trace.set_tracer_provider(provider)
    parent = {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}
    with site(memory, span=span) as served:
        assert served.post("search", query="the secret", headers=parent, **ANA).status == 200
        assert served.post("get", id="another secret", **ANA).status == 404
    first, second = kept.get_finished_spans()
    assert (first.name, first.parent.span_id, dict(first.attributes)) == (
        "mnemic.search", 0xB7AD6B7169203331, {"mnemic.verb": "search"},
    )  # fmt: skip
    assert (second.name, second.attributes["mnemic.problem"]) == ("mnemic.get", "not-found")
    assert "secret" not in first.to_json() + second.to_json()


# -- events


def read_events(served: Site, path: str, many: int, key: str | None = None, last: str | None = None) -> list[Any]:
    """So many events of a stream."""
    found: list[Any] = []
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    with closing(http.client.HTTPConnection("127.0.0.1", served.port, timeout=20)) as connection:
        connection.request("GET", path, headers=headers | ({"Last-Event-ID": last} if last else {}))
        response = connection.getresponse()
        assert response.getheader("Content-Type", "").startswith("text/event-stream")
        assert response.readline() == b"retry: 2000\n"
        while len(found) < many:
            line = response.readline()
            assert line, "the stream has ended"
            if line.startswith(b"data: "):
                found.append(json.loads(line[6:]))
    return found


def test_events_tell_what_is_done_by_whomever_and_go_on_where_they_were(
    served: Site, memory: Memory, file: Path
) -> None:
    memory.add("before", **ANA)
    got: list[Any] = []
    reading = threading.Thread(target=lambda: got.extend(read_events(served, "/v1/events?user_id=ana", 2)))
    reading.start()
    deadline = time.monotonic() + 15
    while b"mnemic_event_streams 1.0" not in served.ask("GET", "/metrics").body:
        assert time.monotonic() < deadline
    with Memory(file) as other:  # as another process would
        other.add("behind a wall", user_id="ben")
        first = other.remember("Tea is green.", **ANA)
    second = memory.retire(first.ids, **ANA)
    reading.join(20)
    assert [(one["receipt"], one["verb"]) for one in got] == [(first.id, "remember"), (second.id, "retire")]
    assert got[0]["records"] == [{"id": first.ids[0], "revision": 1, "action": "added"}]
    assert [one["receipt"] for one in read_events(served, "/v1/events?user_id=ana", 1, last=first.id)] == [second.id]
    assert served.ask("GET", "/v1/events?user_id=ben", headers={"Last-Event-ID": first.id}).status == 404


def test_streams_end_when_the_server_stops(memory: Memory, file: Path) -> None:
    ended = threading.Event()
    with site(memory, file) as served:

        def follow() -> None:
            with closing(http.client.HTTPConnection("127.0.0.1", served.port, timeout=20)) as connection:
                connection.request("GET", "/v1/events?user_id=ana")
                connection.getresponse().read()
            ended.set()

        following = threading.Thread(target=follow)
        following.start()
        deadline = time.monotonic() + 15
        while b"mnemic_event_streams 1.0" not in served.ask("GET", "/metrics").body:
            assert time.monotonic() < deadline
    assert ended.wait(10)
    following.join()


# -- keys


def made(served: Site, name: str, grant: Grant) -> str:
    assert served.keys is not None
    return served.keys.add(name, grant)[1]


def test_from_the_first_key_on_every_request_needs_one(served: Site) -> None:
    assert served.post("stats", **ANA).status == 200
    key = made(served, "phone", Grant("writer", users=("ana",)))
    missing = served.post("stats", **ANA)
    assert (missing.status, missing.json["code"]) == (401, "no-key")
    assert missing.headers["www-authenticate"].startswith("Bearer")
    assert served.post("stats", key=key).status == 200
    assert served.post("stats", headers={"X-Api-Key": key}).status == 200
    for wrong in ("nonsense", key[:-1] + ("A" if key[-1] != "A" else "B"), key.replace("mnemic", "other")):
        assert served.post("stats", key=wrong).status == 401
    assert served.ask("GET", "/healthz").status == 200
    assert served.ask("GET", "/metrics", key=key).status == 403
    assert served.ask("GET", "/metrics", key=made(served, "all", OWNER)).status == 200


def test_a_key_is_bound_to_its_scope_and_its_role(served: Site, memory: Memory) -> None:
    memory.add("Ana's secret.", **ANA)
    reader = made(served, "reader", Grant("reader", users=("ana",)))
    writer = made(served, "writer", Grant("writer", users=("ana",)))
    admin = made(served, "admin", Grant("admin", users=("ana",)))
    found = served.post("list", key=reader)
    assert [record["text"] for record in found.json["records"]] == ["Ana's secret."]
    assert served.post("add", key=reader, messages="x").detail == (
        "add needs a key with the role writer; this one is a reader's"
    )
    told = served.post("remember", key=writer, text="Tea is green.", author="the app").json
    assert told["actor"] == "writer/the app"
    assert served.post("erase", key=writer, ids=told["entries"][0]["id"]).status == 403
    assert served.post("stats", key=admin, everything=True).status == 403
    assert served.post("erase", key=admin, ids=told["entries"][0]["id"]).status == 200
    assert served.post("stats", key=made(served, "owner", OWNER), everything=True).json["walls"] == 1


def test_a_key_is_rotated_and_revoked_while_the_server_runs(served: Site) -> None:
    assert served.keys is not None
    old = made(served, "phone", Grant("reader", users=("ana",)))
    assert served.post("stats", key=old).status == 200
    new = served.keys.rotate("phone")[1]
    assert (served.post("stats", key=old).status, served.post("stats", key=new).status) == (401, 200)
    served.keys.revoke("phone")
    assert served.post("stats", key=new).status == 401
    assert served.post("stats").status == 401  # and nobody is let in for want of keys


def test_a_key_that_asks_too_often_is_told_when_to_come_back(memory: Memory, file: Path) -> None:
    with site(memory, file, limits=Limits(rate=0.01, burst=2)) as served:
        one = made(served, "one", Grant("reader", users=("ana",)))
        other = made(served, "other", Grant("reader", users=("ana",)))
        assert [served.post("stats", key=one).status for _ in range(3)] == [200, 200, 429]
        busy = served.post("stats", key=one)
        assert busy.json["code"] == "busy"
        assert 0 < int(busy.headers["retry-after"]) <= 101
        assert served.post("stats", key=other).status == 200


def test_a_key_for_any_user_reaches_each_and_no_other_tenant(served: Site, memory: Memory) -> None:
    memory.add("here", user_id="ana", tenant_id="acme")
    memory.add("elsewhere", user_id="ana", tenant_id="other")
    key = made(served, "app", Grant("admin", tenant="acme", users=ANY, projects=ANY))
    assert [r["text"] for r in served.post("list", key=key, **ANA).json["records"]] == ["here"]
    assert served.post("list", key=key, tenant_id="other", **ANA).status == 403
    assert served.post("list", key=key, user_id="ana", all_projects=True).status == 200
