"""Options of the tests."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--torture",
        choices=("tenth", "full"),
        default="tenth",
        help="how often tests/torture kills, forks and cuts the power: a tenth (default), or all of it",
    )
