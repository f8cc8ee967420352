"""How much torture: a tenth within the ordinary tests, all of it with `--torture=full`."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="session")
def share(request: pytest.FixtureRequest) -> float:
    """1.0 for all of it, 0.1 for a tenth."""
    return 1.0 if request.config.getoption("--torture") == "full" else 0.1


@pytest.fixture
def alone(tmp_path: Path) -> Callable[..., Any]:
    """Run a scenario in an interpreter of its own with one thread, so that it may fork. Gives what it returns."""

    def run(scenario: Callable[..., Any], *, watchdog: float = 1800, **arguments: Any) -> Any:
        code = (
            "import importlib, json, sys\n"
            "scenario = getattr(importlib.import_module(sys.argv[1]), sys.argv[2])\n"
            "print(json.dumps(scenario(**json.loads(sys.argv[3]))))\n"
        )
        out, faults = tmp_path / "out", tmp_path / "faults"
        with open(out, "wb") as told, open(faults, "wb") as failed:
            process = subprocess.Popen(
                [sys.executable, "-c", code, scenario.__module__, scenario.__name__, json.dumps(arguments)],
                env={
                    **os.environ,
                    "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
                    "OPENBLAS_NUM_THREADS": "1",
                    "OMP_NUM_THREADS": "1",
                },
                stdout=told,
                stderr=failed,
                start_new_session=True,
            )
            try:
                status = process.wait(watchdog)
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)  # with all that it has forked
                process.wait()
        if status:
            said = out.read_text()[-2000:] + faults.read_text()[-6000:]
            pytest.fail(f"{scenario.__name__}({arguments}) failed:\n{said}")
        return json.loads(out.read_text().splitlines()[-1])

    return run
