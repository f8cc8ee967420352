"""How much torture: a tenth within the ordinary tests, all of it with `--torture=full`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest


@pytest.fixture(scope="session")
def share(request: pytest.FixtureRequest) -> float:
    """1.0 for all of it, 0.1 for a tenth."""
    return 1.0 if request.config.getoption("--torture") == "full" else 0.1


@pytest.fixture
def alone() -> Callable[..., Any]:
    """Run a scenario in an interpreter of its own with one thread, so that it may fork. Gives what it returns."""

    def run(scenario: Callable[..., Any], *, watchdog: float = 1800, **arguments: Any) -> Any:
        code = (
            "import importlib, json, sys\n"
            "scenario = getattr(importlib.import_module(sys.argv[1]), sys.argv[2])\n"
            "print(json.dumps(scenario(**json.loads(sys.argv[3]))))\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", code, scenario.__module__, scenario.__name__, json.dumps(arguments)],
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
                "OPENBLAS_NUM_THREADS": "1",
                "OMP_NUM_THREADS": "1",
            },
            capture_output=True,
            text=True,
            timeout=watchdog,
        )
        if done.returncode:
            pytest.fail(f"{scenario.__name__}({arguments}) failed:\n{done.stdout[-2000:]}{done.stderr[-6000:]}")
        return json.loads(done.stdout.splitlines()[-1])

    return run
