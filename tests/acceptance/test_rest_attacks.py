"""A malicious client of the REST server: it gets nothing, and breaks nothing."""

from __future__ import annotations

import io
import json
import socket
import time
import zipfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from mnemic import Memory
from mnemic.serve.gate import Gate
from mnemic.serve.grants import Grant
from mnemic.serve.limits import Limits
from mnemic.types import ANY
from tests.serving import Site, site

ANA = {"user_id": "ana"}
SMALL = Limits(body=10_000, import_body=20_000, headers=4_000, header_seconds=0.5, body_seconds=0.5, at_once=8)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "agent.db"


@pytest.fixture
def memory(file: Path) -> Iterator[Memory]:
    with Memory(file) as memory:
        memory.add("Ana's alarm code is 4471.", user_id="ana", tenant_id="acme")
        memory.add("Ben's alarm code is 9932.", user_id="ben", tenant_id="acme", project_id="home")
        memory.add("The alarm code of the other one.", user_id="ana", tenant_id="other")
        memory.add("Nobody's tenant.", user_id="ana")
        yield memory


@pytest.fixture
def served(memory: Memory, file: Path) -> Iterator[Site]:
    with site(memory, file, limits=SMALL) as served:
        yield served
        assert served.ask("GET", "/readyz").status == 200, "it still works"


def raw(served: Site, sent: bytes, wait: float = 10.0) -> bytes:
    """What a server answers to bytes, until it closes or has nothing more to say."""
    with closing(socket.create_connection(("127.0.0.1", served.port), wait)) as connection:
        connection.sendall(sent)
        found = b""
        try:
            while more := connection.recv(65536):
                found += more
        except (TimeoutError, ConnectionResetError):
            pass
        return found


# -- whose memory it is


@pytest.fixture
def key(served: Site) -> str:
    assert served.keys is not None
    return served.keys.add("ana", Grant("admin", tenant="acme", users=("ana",)))[1]


FORGED: list[dict[str, Any]] = [
    {"user_id": "ben"},
    {"user_id": ["ana", "ben"]},
    {"user_id": []},
    {"tenant_id": "other"},
    {"tenant_id": ""},
    {"tenant_id": "nobody"},
    {"project_id": "home"},
    {"project_id": ["home"]},
    {"all_projects": True},
    {"user_id": "nobody who exists"},
]


@pytest.mark.parametrize("forged", FORGED, ids=json.dumps)
@pytest.mark.parametrize("verb", ["search", "list", "add", "export", "erase", "undo", "journal", "upkeep"])
def test_a_forged_scope_gets_nothing(served: Site, key: str, memory: Memory, verb: str, forged: dict[str, Any]) -> None:
    own: dict[str, dict[str, Any]] = {
        "search": {"query": "alarm code"},
        "add": {"messages": "I was here."},
        "erase": {"all_of": True},
        "undo": {"receipt": memory.journal(user_id="ben", tenant_id="acme", project_id="home")[0].receipt},
    }
    before = memory.stats(everything=True)
    answered = served.post(verb, key=key, **own.get(verb, {}), **forged)
    assert answered.status in (400, 403)
    for secret in (b"4471", b"9932", b"other one"):
        assert secret not in answered.body
    assert memory.stats(everything=True) == before


def test_who_does_not_exist_and_who_does_are_told_alike(served: Site, key: str) -> None:
    there = served.post("search", key=key, query="x", user_id="ben")
    nowhere = served.post("search", key=key, query="x", user_id="bob")
    assert there.body.replace(b"ben", b"bob") == nowhere.body


def test_the_ids_of_others_are_as_good_as_none(served: Site, key: str, memory: Memory) -> None:
    others = [
        memory.list(user_id="ben", tenant_id="acme", project_id="home")[0].id,
        memory.list(user_id="ana", tenant_id="other")[0].id,
        memory.list(user_id="ana")[0].id,
    ]
    absent = served.ask("GET", "/v1/records/zzz", key=key)
    for id_ in others:
        for method, path in (
            ("GET", ""),
            ("GET", "/history"),
            ("GET", "/links"),
            ("DELETE", ""),
            ("DELETE", "?erase=true"),
        ):
            answered = served.ask(method, f"/v1/records/{id_}{path}", key=key)
            assert answered.status == 404
            assert answered.json["detail"].replace(id_, "zzz") == absent.detail
        assert served.ask("PATCH", f"/v1/records/{id_}", {"text": "mine"}, key=key).status == 404
        assert served.post("remember", key=key, text="It is so.", evidence=[id_]).status == 404
        assert served.post("explain", key=key, query="alarm", id=id_).status == 404
    receipt = memory.journal(user_id="ana", tenant_id="other")[0].receipt
    assert served.post("undo", key=key, receipt=receipt).status == 404
    assert served.ask("GET", "/v1/events", key=key, headers={"Last-Event-ID": receipt}).status == 404


def test_a_scope_in_a_header_is_no_way_around(served: Site, key: str) -> None:
    for headers in ({"X-Mnemic-User": "ben"}, {"X-Mnemic-Tenant": "other"}, {"X-Mnemic-Project": "home"}):
        assert served.post("search", key=key, query="alarm", headers=headers).status == 403
        assert served.ask("GET", "/v1/events", key=key, headers=headers).status == 403
    assert served.post("search", key=key, query="alarm", headers={"X-Mnemic-User": "%ff"}).status == 400


def test_an_import_brings_nothing_behind_another_wall(served: Site, key: str, memory: Memory) -> None:
    lines = "\n".join(memory.export(user_id="ana", tenant_id="other")).encode()
    typed = {"Content-Type": "application/x-ndjson"}
    assert served.ask("POST", "/v1/import", lines, key=key, headers=typed).status == 400
    assert served.keys is not None
    roaming = served.keys.add("roaming", Grant("admin", users=ANY))[1]
    answered = served.ask("POST", "/v1/import", lines, key=roaming, headers=typed)
    assert answered.status == 403, "without a scope an import is of the whole file"


def test_equal_idempotency_keys_of_two_users_are_two(served: Site, memory: Memory) -> None:
    once = {"Idempotency-Key": "1"}
    ana = served.post("remember", text="Ana's own.", user_id="ana", headers=once).json
    ben = served.post("remember", text="Ben's own.", user_id="ben", headers=once)
    assert ben.status == 200
    assert ben.json["id"] != ana["id"]


# -- too much, too deep, too slow


def test_a_huge_body_is_refused_before_it_is_read(served: Site) -> None:
    head = b"POST /v1/add HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    assert b" 413 " in raw(served, head + b"Content-Length: 99999999999\r\n\r\n").split(b"\r\n")[0]
    chunk = b"2000\r\n" + b"x" * 0x2000 + b"\r\n"
    assert b" 413 " in raw(served, head + b"Transfer-Encoding: chunked\r\n\r\n" + chunk * 3).split(b"\r\n")[0]
    lines = served.ask("POST", "/v1/import", b"x" * 30_000, headers={"Content-Type": "application/x-ndjson"})
    assert (lines.status, lines.json["code"]) == (413, "too-large")


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 5000,
        b'{"query": ' * 900,
        b'{"messages": "x", "user_id": "ana", "metadata": ' + b'{"a": ' * 300 + b"1" + b"}" * 300 + b"}",
        b'{"query": "x", "limit": NaN}',
        b'{"query": "x", "threshold": 1e999}',
        b'{"query": "x", "limit": ' + b"9" * 5000 + b"}",
        b'{"query": "\\ud800", "user_id": "ana"}',
        b'{"query": "\xff\xfe"}',
        b"{" + b'"a": 1, ' * 800 + b'"query": "x"}',
        b"null",
        b"\x00" * 100,
    ],
    ids=range(11),
)
def test_what_is_no_sensible_json_is_refused(served: Site, body: bytes) -> None:
    for verb in ("search", "add"):
        answered = served.ask("POST", f"/v1/{verb}", body, headers={"Content-Type": "application/json"})
        assert answered.status == 400
        assert answered.headers["content-type"] == "application/problem+json"


def test_slow_senders_are_cut_off(served: Site) -> None:
    started = time.monotonic()
    assert raw(served, b"POST /v1/sea") == b"", "headers that do not come"
    head = (
        b"POST /v1/search HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n"
    )
    assert b" 408 " in raw(served, head + b'{"query"').split(b"\r\n")[0], "a body that does not come"
    with closing(socket.create_connection(("127.0.0.1", served.port), 10)) as drip:
        try:
            for byte in b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Slow: " + b"x" * 200:
                drip.sendall(bytes([byte]))
                time.sleep(0.02)
            assert drip.recv(100) == b"", "headers that drip"
        except (ConnectionResetError, BrokenPipeError):
            pass
    second = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
    assert raw(served, second + b"GET /heal", wait=1).count(b"200 OK") == 1, "a second request that does not come"
    assert time.monotonic() - started < 15


def test_connections_that_say_nothing_do_not_stand_in_the_way(served: Site) -> None:
    idle = [socket.create_connection(("127.0.0.1", served.port)) for _ in range(100)]
    try:
        assert served.post("search", query="x", **ANA).status == 200
    finally:
        for one in idle:
            one.close()


def test_headers_without_end_and_of_no_sense_are_refused(served: Site) -> None:
    for sent in (
        b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n" + b"X-A: " + b"x" * 100_000 + b"\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n" + b"X-A: x\r\n" * 20_000 + b"\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n",
        b"POST /v1/search HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-A: a\x00b\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"GET " + b"/a" * 50_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ):
        line = raw(served, sent).split(b"\r\n")[0]
        assert line == b"" or b" 400 " in line or b" 431 " in line, line
    both = b"POST /v1/search HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    smuggled = (
        both
        + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /metrics HTTP/1.1\r\nHost: a\r\n\r\n"
    )
    assert b"mnemic_requests" not in raw(served, smuggled, wait=1)


def test_more_at_once_than_it_takes_is_refused_and_the_rest_is_answered(served: Site) -> None:
    head = (
        b"POST /v1/search HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n"
    )
    waiting = [socket.create_connection(("127.0.0.1", served.port)) for _ in range(8)]
    try:
        for one in waiting:
            one.sendall(head)
        deadline = time.monotonic() + 0.4
        seen = set[int]()
        while time.monotonic() < deadline and 503 not in seen:
            seen.add(served.post("stats", **ANA).status)
        assert 503 in seen
        assert served.ask("GET", "/healthz").status == 200
    finally:
        for one in waiting:
            one.close()


# -- pages of elsewhere


def test_no_page_of_elsewhere_asks_through_a_browser(served: Site, memory: Memory) -> None:
    before = memory.stats(everything=True)
    for headers in (
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Host": "evil.example"},
        {"Host": f"evil.example:{served.port}", "Origin": f"http://evil.example:{served.port}"},
        {"Host": f"127.0.0.1.evil.example:{served.port}"},
        {"Host": ""},
    ):
        answered = served.post("add", messages="planted", headers=headers, **ANA)
        assert answered.status == 403
        assert "access-control-allow-origin" not in answered.headers
        assert served.ask("GET", "/v1/records?user_id=ana", headers=headers).status == 403
        assert served.ask("GET", "/v1/export?user_id=ana", headers=headers).status == 403
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        body = json.dumps({"messages": "planted", **ANA}).encode()
        assert served.ask("POST", "/v1/add", body, headers={"Content-Type": kind}).status == 415
        assert served.ask("POST", "/v1/import", body, headers={"Content-Type": kind}).status == 415
    assert memory.stats(everything=True) == before
    own = {"Origin": served.url}
    assert served.post("stats", headers=own, **ANA).status == 200


def test_only_pages_that_were_named_may_ask(memory: Memory) -> None:
    with site(memory, gate=Gate(None, origins=frozenset(["https://app.example"]))) as served:
        good = {"Origin": "https://app.example"}
        assert served.post("stats", headers=good, **ANA).headers["access-control-allow-origin"] == good["Origin"]
        asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}
        assert served.ask("OPTIONS", "/v1/add", headers=good | asked).status == 200
        evil = served.ask("OPTIONS", "/v1/add", headers={"Origin": "https://evil.example"} | asked)
        assert "access-control-allow-origin" not in evil.headers


def test_an_answer_is_data_to_a_browser(served: Site) -> None:
    served.post("add", messages="<script>alert(1)</script>", **ANA)
    answered = served.ask("GET", "/v1/records?user_id=ana")
    assert answered.headers["x-content-type-options"] == "nosniff"
    assert answered.headers["content-type"] == "application/json"
    assert "default-src 'none'" in answered.headers["content-security-policy"]
    missing = served.ask("GET", "/v1/<script>alert(1)</script>")
    assert missing.headers["content-type"] == "application/problem+json"


def test_paths_lead_to_no_file(served: Site, file: Path) -> None:
    for path in (
        "/../../etc/passwd",
        "/v1/records/..%2f..%2fagent.db?user_id=ana",
        "/%2e%2e/agent.db-keys",
        "//etc/passwd",
    ):
        assert served.ask("GET", path).status == 404
    assert served.post("export", path=str(file.with_name("out")), **ANA).json["code"] == "unknown-parameter"
    assert not file.with_name("out").exists()
    named = served.ask("POST", "/v1/import?source=agent.db", b"", headers={"Content-Type": "application/x-ndjson"})
    assert named.json["code"] == "unknown-parameter"


@pytest.mark.parametrize(
    "name", ["../../agent.db", "..%2f..%2fagent.db", "/etc/passwd", "C:\\boot.ini", "..", ".", "%00", "a" * 5000, ""]
)
def test_a_files_name_leads_nowhere(memory: Memory, file: Path, name: str) -> None:
    sent = {"Content-Type": "application/octet-stream", "X-Mnemic-File-Name": name}
    before = sum(1 for _ in memory.export(everything=True))
    held = file.stat().st_ino
    with site(memory) as open_to_all:
        told = open_to_all.ask("POST", "/v1/import?user_id=ana", b'[{"id": "1", "memory": "Likes tea"}]', headers=sent)
    assert told.status == 200
    assert sum(1 for _ in memory.export(everything=True)) > before
    assert file.stat().st_ino == held
    (fact,) = (one for one in memory.list(user_id="ana") if one.text == "Likes tea")
    assert set(fact.metadata["file"]) & set("/\\\0") == set()
    assert fact.metadata["file"] not in ("", ".", "..")


def test_an_archive_that_swells_is_refused(memory: Memory) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.md", b" " * 20_000_000)
    sent = {"Content-Type": "application/octet-stream", "X-Mnemic-File-Name": "a.zip"}
    with site(memory, limits=Limits(import_body=1 << 20)) as small:
        told = small.ask("POST", "/v1/import?user_id=ana", packed.getvalue(), headers=sent)
        assert told.status == 413
        assert "20,000,000 bytes" in told.detail
        broken = small.ask("POST", "/v1/import?user_id=ana", packed.getvalue()[:-30], headers=sent)
        assert broken.status == 400


def test_no_secret_is_in_the_file_of_keys(served: Site, file: Path) -> None:
    assert served.keys is not None
    token = served.keys.add("phone", Grant("reader", users=("ana",)))[1]
    held = file.with_name(file.name + "-keys")
    assert token.rpartition("_")[2].encode() not in held.read_bytes()
    assert held.stat().st_mode & 0o777 == 0o600
