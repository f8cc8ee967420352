"""The thread that does upkeep: woken, retried, ended."""

from __future__ import annotations

import os
import threading

import pytest

from mnemic import background
from mnemic.background import Background
from mnemic.errors import ModelError


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background, "GATHER", 0.0)
    monkeypatch.setattr(background, "FIRST", 0.001)


def test_nothing_runs_before_it_is_woken() -> None:
    one = Background(lambda: 0)
    assert one.wait(0)
    assert not [thread for thread in threading.enumerate() if thread.name == "mnemic-upkeep"]
    one.close()


def test_it_works_until_nothing_is_left() -> None:
    left = [3, 2, 1, 0]
    one = Background(lambda: left.pop(0))
    one.wake()
    assert one.wait(30)
    assert left == []
    one.close()
    one.wake()
    assert one.wait(0), "a closed one does nothing more"


def test_trouble_is_kept_until_it_is_asked_for_and_the_work_tried_again() -> None:
    runs = 0

    def work() -> int:
        nonlocal runs
        runs += 1
        if runs < 3:
            raise ModelError(f"no answer {runs}")
        return 0

    one = Background(work)
    one.wake()
    assert one.wait(30)
    assert (runs, one.trouble(), one.trouble()) == (3, "no answer 2", None)
    one.close()


def test_woken_while_it_works_it_works_once_more() -> None:
    begun, go_on = threading.Event(), threading.Event()
    runs = 0

    def work() -> int:
        nonlocal runs
        runs += 1
        begun.set()
        go_on.wait(30)
        return 0

    one = Background(work)
    one.wake()
    assert begun.wait(30)
    one.wake()
    go_on.set()
    assert one.wait(30)
    assert runs == 2
    one.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_child_process_has_a_thread_of_its_own_when_it_is_woken_there() -> None:
    one = Background(lambda: 0)
    one.wake()
    assert one.wait(30)
    child = os.fork()
    if child == 0:
        one.wake()
        os._exit(0 if one.wait(30) else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    one.close()
