"""`mnemic serve` and `mnemic keys` as processes: how they start, stop and die."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from mnemic import Memory
from mnemic.cli import main
from mnemic.errors import ServerError
from mnemic.serve.keys import Keys, beside
from mnemic.serve.workers import one_for_a_core

ANA = {"user_id": "ana"}


def mnemic(*arguments: str) -> Result:
    """The command, in this process: none of these runs serves anything."""
    return CliRunner().invoke(main, arguments)


def refused(file: Path, *options: str, by: int) -> tuple[int, list[str]]:
    """How a server ends that cannot serve, with so many processes: its exit code, and the lines that it says."""
    command = [sys.executable, "-m", "mnemic", "serve", "--file", str(file), "--workers", str(by), *options]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ended.stdout == ""
    return ended.returncode, ended.stderr.splitlines()


@pytest.mark.parametrize("command", [["serve"], ["ui"], ["proxy", "--upstream", "http://127.0.0.1:9/v1"]])
@pytest.mark.parametrize("missing", ["uvicorn", "prometheus_client"])
def test_without_the_extra_every_server_says_which_one(tmp_path: Path, command: list[str], missing: str) -> None:
    with Memory(tmp_path / "agent.db") as memory:
        memory.add("Tea at four.", **ANA)
    start = f"import sys; sys.modules[{missing!r}] = None; from mnemic.cli import main; main()"
    line = [sys.executable, "-c", start, *command, "--file", str(tmp_path / "agent.db"), "--port", "0"]
    ended = subprocess.run(line, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 2
    assert ended.stderr.splitlines()[-1].endswith(
        f"servers need the extra 'server' ({missing} is not installed): pip install 'mnemic[server]'"
    )
    assert "Traceback" not in ended.stderr


@contextmanager
def serving(file: Path, *options: str) -> Generator[tuple[subprocess.Popen[str], str]]:
    command = [sys.executable, "-m", "mnemic", "serve", "--file", str(file), "--port", "0", *options]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        line = process.stderr.readline()
        found = re.search(r"https?://\S+(?=,)", line)
        assert found, line + process.stderr.read()
        try:
            yield process, found[0]
        finally:
            if process.poll() is None:
                process.kill()


def adding(url: str, acknowledged: list[str], stop: threading.Event) -> threading.Thread:
    """A client that adds until the server goes, and keeps what was acknowledged."""

    def work() -> None:
        with Memory(url) as memory:
            for number in range(100_000):
                if stop.is_set():
                    return
                text = f"Message {number} of {threading.get_ident()}."
                try:
                    memory.add(text, **ANA)
                except ServerError:
                    return
                acknowledged.append(text)

    thread = threading.Thread(target=work)
    thread.start()
    return thread


@pytest.mark.parametrize(
    ("how", "options"),
    [(signal.SIGTERM, ()), (signal.SIGINT, ("--workers", "2")), (signal.SIGKILL, ())],
    ids=["terminated", "two interrupted", "killed"],
)
def test_what_was_acknowledged_is_kept_however_the_server_ends(
    tmp_path: Path, how: signal.Signals, options: Any
) -> None:
    file = tmp_path / "agent.db"
    acknowledged: list[str] = []
    stop = threading.Event()
    with serving(file, *options) as (process, url):
        clients = [adding(url, acknowledged, stop) for _ in range(4)]
        deadline = time.monotonic() + 30
        while len(acknowledged) < 30 and time.monotonic() < deadline:
            time.sleep(0.01)
        process.send_signal(how)
        code = process.wait(30)
        assert code == (-how if how == signal.SIGKILL else 0)
        for client in clients:
            client.join(30)
    stop.set()
    assert len(acknowledged) >= 30
    with Memory(file) as memory:
        held = {record.text for record in memory.list(limit=100_000, kinds="episode", **ANA)}
    assert set(acknowledged) <= held


def test_a_request_under_way_is_finished_at_a_stop(tmp_path: Path) -> None:
    with serving(tmp_path / "agent.db") as (process, url):
        port = int(url.rpartition(":")[2])
        body = json.dumps({"messages": ["word " * 50 + str(n) for n in range(500)], **ANA}).encode()
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
            connection.putrequest("POST", "/v1/add")
            connection.putheader("Content-Type", "application/json")
            connection.putheader("Content-Length", str(len(body)))
            connection.endheaders()
            connection.send(body[:100])
            time.sleep(0.3)  # its headers are there
            process.terminate()
            time.sleep(0.3)
            connection.send(body[100:])
            response = connection.getresponse()
            assert response.status == 200
            assert len(json.loads(response.read())["entries"]) == 500
        assert process.wait(30) == 0


@pytest.mark.parametrize("workers", ["1", "2"])
def test_who_stops_it_is_told_what_it_waits_for(tmp_path: Path, workers: str) -> None:
    with serving(tmp_path / "agent.db", "--workers", workers) as (process, url):
        assert process.stderr is not None
        port = int(url.rpartition(":")[2])
        body = json.dumps({"messages": ["Tea at four."], **ANA}).encode()
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
            connection.putrequest("POST", "/v1/add")
            connection.putheader("Content-Type", "application/json")
            connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body[:10])
            counts_to(url, "mnemic_requests_under_way ", 2)
            process.send_signal(signal.SIGINT)
            assert process.stderr.readline() == "finishing what is under way (Ctrl-C again breaks it off) …\n"
            connection.send(body[10:])
            assert connection.getresponse().status == 200
        assert process.wait(30) == 0
        assert process.stderr.read() == ""  # said once, by however many processes


@pytest.mark.parametrize("workers", ["1", "2"])
def test_where_nothing_waits_nothing_is_said(tmp_path: Path, workers: str) -> None:
    with serving(tmp_path / "agent.db", "--workers", workers) as (process, url):
        assert process.stderr is not None
        assert asked(url, "/healthz")[0] == 200
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
        assert process.stderr.read() == ""


def asked(url: str, path: str, body: Any = None, key: str = "") -> tuple[int, bytes]:
    """One request on a connection of its own: the system gives each to one of the processes."""
    port = int(url.rpartition(":")[2])
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {key}"}
        connection.request("GET" if body is None else "POST", path, body and json.dumps(body), headers)
        response = connection.getresponse()
        return response.status, response.read()


def counts_to(url: str, series: str, number: float) -> None:
    """Wait until /metrics tells this of a series: a request is counted when its answer has been sent."""
    deadline = time.monotonic() + 20
    while True:
        status, told = asked(url, "/metrics")
        assert status == 200
        lines = [line for line in told.decode().splitlines() if line.startswith(series)]
        if sum(float(line.rpartition(" ")[2]) for line in lines) == number:
            return
        assert time.monotonic() < deadline, lines


def children_of(process: subprocess.Popen[str]) -> dict[int, Path]:
    """The processes of a server, and where they count."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    if not children.exists():
        pytest.skip("this system does not tell whose child a process is")
    found: dict[int, Path] = {}
    for pid in children.read_text().split():
        line: list[str] = []
        while "--worker" not in line:  # as soon as it has become a program of its own
            line = Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
        found[int(pid)] = Path(line[line.index("--worker") + 1])
    return found


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_second_interrupt_waits_for_no_request(tmp_path: Path, workers: str) -> None:
    with serving(tmp_path / "agent.db", "--workers", workers) as (process, url):
        port = int(url.rpartition(":")[2])
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
            connection.putrequest("POST", "/v1/add")
            connection.putheader("Content-Type", "application/json")
            connection.putheader("Content-Length", "100")
            connection.endheaders()  # and no body, for which it would wait 30 s
            counts_to(url, "mnemic_requests_under_way ", 2)
            deadline = time.monotonic() + 20
            while process.poll() is None:
                assert time.monotonic() < deadline
                process.send_signal(signal.SIGINT)
                time.sleep(0.2)
        assert process.returncode in (0, 130, -signal.SIGINT)  # the last one may come when there is nothing to stop


def test_several_processes_serve_one_file_and_end_with_their_parent(tmp_path: Path) -> None:
    with serving(tmp_path / "agent.db", "--workers", "2") as (process, url):
        first = children_of(process)
        assert len(first) == 2
        counts = first[min(first)]
        with Memory(url) as memory:
            memory.add("before", **ANA)
            time.sleep(2.1)  # one that dies sooner is not started again: it would die again
            os.kill(min(first), signal.SIGKILL)
            counts_to(url, "mnemic_starts_total ", 3)
            now = set(children_of(process))
            assert len(now) == 2
            assert min(first) not in now
            memory.add("after", **ANA)
            assert {record.text for record in memory.list(**ANA)} == {"before", "after"}
            counts_to(url, 'mnemic_verb_seconds_count{verb="add"}', 2)  # also what the dead one did
            counts_to(url, "mnemic_requests_under_way ", 1)  # the one that asks: nothing of the dead one's
        process.kill()
        process.wait()
        deadline = time.monotonic() + 20
        while counts.exists() or any(Path(f"/proc/{pid}/exe").exists() for pid in now):
            assert time.monotonic() < deadline, "a process without its parent goes on, or leaves something"
            time.sleep(0.05)


def test_by_default_there_is_a_process_for_a_core_but_one_in_the_background(tmp_path: Path) -> None:
    for options, many in (((), one_for_a_core()), (("--background",), 1)):
        with serving(tmp_path / "agent.db", *options) as (process, url):
            assert len(children_of(process)) == (many if many > 1 else 0)
            counts_to(url, "mnemic_starts_total ", many)


def test_several_processes_tell_of_all_of_them(tmp_path: Path) -> None:
    with serving(tmp_path / "agent.db", "--workers", "2") as (process, url):
        held = children_of(process)
        (counts,) = set(held.values())
        assert counts.stat().st_mode & 0o777 == 0o700
        files = [counts / f"counter_{pid}.db" for pid in held]
        questions: list[str] = []
        deadline = time.monotonic() + 30
        while not all(file.exists() and b"/v1/context" in file.read_bytes() for file in files):
            assert time.monotonic() < deadline, "one of them gets no connection"
            questions.append(f"Where is number {len(questions)}?")
            assert asked(url, "/v1/context", {"query": questions[-1], **ANA})[0] == 200
        for _ in range(8):  # whichever is asked
            counts_to(url, 'mnemic_requests_total{method="POST",route="/v1/context"', len(questions))
            counts_to(url, "mnemic_starts_total ", 2)
            counts_to(url, "mnemic_requests_under_way ", 1)  # the one that asks
            given = json.loads(asked(url, "/v1/given")[1])["given"]
            assert [one["query"] for one in given] == questions[::-1][:200]
        process.terminate()
        assert process.wait(30) == 0
        assert not counts.exists()


def test_a_key_has_one_rate_with_all_processes(tmp_path: Path) -> None:
    file = tmp_path / "agent.db"
    Memory(file).close()
    key = mnemic("keys", "add", "phone", "--user", "ana", "--file", str(file)).stdout.strip()
    with serving(file, "--workers", "2", "--rate", "0.01") as (_, url):
        found = [asked(url, "/v1/whoami", key=key)[0] for _ in range(24)]
        assert found == [200, *[429] * 23]


def test_beyond_loopback_it_wants_keys_or_to_be_told_so(tmp_path: Path) -> None:
    file = tmp_path / "agent.db"
    for host, by in (("0.0.0.0", 1), ("::", 2)):
        code, said = refused(file, "--host", host, "--port", "0", by=by)
        assert (code, len(said)) == (2, 1), said
        assert "mnemic keys add" in said[0]
        assert "--without-keys-beyond-loopback" in said[0]
    with serving(file, "--host", "0.0.0.0", "--without-keys-beyond-loopback") as (_, url), Memory(url) as memory:
        assert memory.stats(**ANA).walls == 0
    assert mnemic("keys", "add", "phone", "--user", "ana", "--file", str(file)).exit_code == 0
    with serving(file, "--host", "0.0.0.0") as (_, url), Memory(url) as memory, pytest.raises(PermissionError):
        memory.stats(**ANA)


def test_keys_are_made_listed_rotated_and_revoked(tmp_path: Path) -> None:
    file = tmp_path / "agent.db"
    keys = ["--file", str(file)]
    missing = mnemic("keys", "add", "phone", "--user", "ana", *keys)
    assert (missing.exit_code, "there is no file" in missing.stderr) == (2, True)
    Memory(file).close()
    nobody = mnemic("keys", "add", "phone", *keys)
    assert (nobody.exit_code, "reach nobody's memories" in nobody.stderr) == (2, True)
    made = mnemic("keys", "add", "phone", "--role", "writer", "--user", "ana", "--project", "home", *keys)
    token = made.stdout.strip()
    held = Keys(beside(file))
    assert held.holder(token) is not None
    assert "not shown again" in made.stderr
    again = mnemic("keys", "add", "phone", "--user", "ben", *keys)
    assert (again.exit_code, "already" in again.stderr) == (2, True)
    listed = mnemic("keys", "list", *keys).stdout
    assert "phone  writer project=home user=ana  never used" in listed
    assert token.rpartition("_")[2] not in listed
    rotated = mnemic("keys", "rotate", "phone", "--grace", "60", "--json", *keys)
    new = json.loads(rotated.stdout)["key"]
    assert held.holder(new) is not None
    assert held.holder(token) is not None, "its time of grace"
    assert mnemic("keys", "revoke", "phone", *keys).exit_code == 0
    assert held.holder(new) is held.holder(token) is None
    assert "revoked" in mnemic("keys", "list", *keys).stdout
    assert mnemic("keys", "revoke", "phone", *keys).exit_code == 2


def test_it_serves_https(tmp_path: Path) -> None:
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    made = subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate],
        capture_output=True,
    )  # fmt: skip
    if made.returncode:
        pytest.skip("needs openssl to make a certificate")
    options = ("--ssl-certfile", str(certificate), "--ssl-keyfile", str(key))
    with serving(tmp_path / "agent.db", *options) as (_, url):
        assert url.startswith("https://")
        with Memory(url, tls=ssl.create_default_context(cafile=certificate)) as memory:
            assert memory.add("hello", **ANA).count("added") == 1
        with Memory(url) as wary, pytest.raises(ServerError, match="certificate"):
            wary.stats(**ANA)
    locked = tmp_path / "locked.pem"
    subprocess.run(["openssl", "ec", "-in", key, "-aes128", "-passout", "pass:x", "-out", locked], check=True)
    code, said = refused(
        *(tmp_path / "agent.db", "--port", "0", "--ssl-certfile", str(certificate), "--ssl-keyfile", str(locked)), by=2
    )
    assert (code, len(said), "take --workers 1" in said[0]) == (2, 1, True), said
    for by in (1, 2):
        code, said = refused(tmp_path / "agent.db", "--port", "0", "--ssl-certfile", __file__, by=by)
        assert (code, len(said), "no certificate with its private key" in said[0]) == (2, 1, True), said


def test_a_port_that_is_taken_is_said(tmp_path: Path) -> None:
    for holder, by in ((1, 2), (2, 1), (2, 2)):
        with serving(tmp_path / "agent.db", "--workers", str(holder)) as (_, url):
            code, said = refused(tmp_path / "other.db", "--port", url.rpartition(":")[2], by=by)
            assert (code, len(said), "nothing can listen" in said[0]) == (3, 1, True), said
