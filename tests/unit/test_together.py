"""What several processes of one server have in common, and how many there are."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("fcntl")
from mnemic.errors import BusyError
from mnemic.serve.limits import Rates
from mnemic.serve.page import KEPT, Given
from mnemic.serve.together import LARGEST, BucketsTogether, GivenTogether
from mnemic.serve.workers import one_for_a_core


@pytest.fixture
def file() -> Iterator[int]:
    with tempfile.TemporaryFile(buffering=0) as held:
        yield held.fileno()


def given(query: str) -> Given:
    return Given("2026-05-20T18:00:00+00:00", "", {"user_id": "ana"}, query, 12, "r1", ("a", "b"))


def test_what_one_gives_the_other_tells(file: int) -> None:
    one, other = GivenTogether(file), GivenTogether(file)
    one.keep(given("Where?"))
    other.keep(given('"Who",\n\u2028 and \ud800?'))
    assert one.kept() == other.kept() == [given('"Who",\n\u2028 and \ud800?'), given("Where?")]


def test_only_the_latest_are_kept_within_a_size(file: int) -> None:
    lately = GivenTogether(file)
    long = "word " * 2000
    for number in range(KEPT + 50):
        lately.keep(given(f"{number} {long}"))
        assert os.fstat(file).st_size <= LARGEST + 20_000
    numbers = [int(one.query.split()[0]) for one in lately.kept()]
    assert numbers == list(range(KEPT + 49, KEPT + 49 - len(numbers), -1))
    assert len(numbers) >= 50
    for number in range(KEPT + 50):
        lately.keep(given(str(number)))
    assert [int(one.query) for one in lately.kept()] == list(range(KEPT + 49, 49, -1))


def test_a_line_on_which_a_process_died_is_passed_over(file: int) -> None:
    lately = GivenTogether(file)
    lately.keep(given("Where?"))
    os.pwrite(file, b'\n{"at": "2026', os.fstat(file).st_size)
    lately.keep(given("Who?"))
    assert lately.kept() == [given("Who?"), given("Where?")]


def test_a_rate_is_one_for_several_and_names_have_each_their_own(file: int) -> None:
    now = [0.0]
    one, other = (Rates(2.0, 3, lambda: now[0], BucketsTogether(file)) for _ in range(2))
    one.take("ana")
    other.take("ben")
    other.take("ana")
    one.take("ana")
    for rates in (one, other):
        with pytest.raises(BusyError) as busy:
            rates.take("ana")
        assert busy.value.retry_after == pytest.approx(0.5)
    one.take("ben")
    now[0] += 0.5
    other.take("ana")
    with pytest.raises(BusyError):
        one.take("ana")


TAKING = """
import sys
from mnemic.errors import BusyError
from mnemic.serve.limits import Rates
from mnemic.serve.together import BucketsTogether
rates, taken = Rates(1e-9, 500, buckets=BucketsTogether(int(sys.argv[1]))), 0
sys.stdin.readline()
for _ in range(1000):
    try:
        rates.take("ana")
        taken += 1
    except BusyError:
        pass
print(taken)
"""


def test_none_is_taken_twice_by_processes_at_once(file: int) -> None:
    command = [sys.executable, "-c", TAKING, str(file)]
    both = [
        subprocess.Popen(command, pass_fds=(file,), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    for one in both:
        assert one.stdin is not None
        one.stdin.write("\n")
        one.stdin.flush()
    assert sum(int(one.communicate(timeout=60)[0]) for one in both) == 500


@pytest.mark.parametrize(
    ("cores", "quota", "many"),
    [
        (1, None, 1),
        (2, None, 2),
        (64, None, 4),
        (64, "max 100000\n", 4),
        (64, "150000 100000\n", 2),
        (64, "50000 100000\n", 1),
        (2, "800000 100000\n", 2),
        (2, "what?", 2),
    ],
)
def test_there_is_a_process_for_a_core_that_may_be_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cores: int, quota: str | None, many: int
) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(cores)), raising=False)
    if quota is not None:
        (tmp_path / "cpu.max").write_text(quota)
    assert one_for_a_core(tmp_path / "cpu.max") == many
    monkeypatch.setattr(sys, "platform", "darwin")
    assert one_for_a_core(tmp_path / "cpu.max") == 1
