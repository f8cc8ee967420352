"""Keys and what they allow."""

from __future__ import annotations

import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from mnemic.errors import AccessError, BusyError, InputError, NotFoundError, StoreError
from mnemic.serve.grants import OWNER, Grant
from mnemic.serve.keys import Keys, grant_of
from mnemic.serve.limits import Rates
from mnemic.types import ANY

ANA = Grant("writer", users=("ana",))


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    return Keys(tmp_path / "agent.db-keys")


def test_a_key_is_known_by_its_whole_secret_and_no_other(keys: Keys) -> None:
    assert not keys.are_needed()
    made, token = keys.add("phone", ANA)
    assert keys.are_needed()
    held = keys.holder(token)
    assert held is not None
    assert (held.id, held.name, held.grant) == (made.id, "phone", ANA)
    for wrong in (
        "",
        "mnemic",
        f"mnemic_{made.id}",
        f"mnemic_{made.id}_",
        token + "x",
        token[:-1],
        "\ud800",
        f"x{token}",
    ):
        assert keys.holder(wrong) is None
    assert len(token.rpartition(f"{made.id}_")[2]) == 43, "256 bits"


@pytest.mark.parametrize(
    "grant", [OWNER, ANA, Grant("admin", "acme", ANY, ("ana", "ben")), Grant("reader", ANY, ("*",), ANY)]
)
def test_what_a_key_allows_is_kept_exactly(keys: Keys, grant: Grant) -> None:
    _, token = keys.add("one", grant)
    held = Keys(keys.path).holder(token)
    assert held is not None
    assert held.grant == grant


def test_a_change_by_another_process_is_seen_at_once(keys: Keys) -> None:
    other = Keys(keys.path)
    token = keys.add("phone", ANA)[1]
    for _ in range(20):  # faster than the clock of the files ticks
        assert other.holder(token) is not None
        keys.revoke("phone")
        assert other.holder(token) is None
        token = keys.add("phone", ANA)[1]


def test_a_rotated_key_holds_for_its_grace(keys: Keys) -> None:
    old = keys.add("phone", ANA)[1]
    new = keys.rotate("phone", grace=timedelta(hours=1))[1]
    assert keys.holder(old) is not None
    newest = keys.rotate("phone")[1]
    assert keys.holder(old) is keys.holder(new) is None
    keys.rotate("phone", grace=timedelta(microseconds=1))
    assert keys.holder(newest) is None
    keys.revoke("phone")
    with pytest.raises(NotFoundError, match="in force"):
        keys.rotate("phone")
    assert keys.are_needed(), "no key is no reason to let everybody in again"


def test_when_a_key_was_used_last_is_kept(keys: Keys) -> None:
    made, token = keys.add("phone", ANA)
    assert keys.list()[0].last_used_at is None
    keys.use(made)
    held = keys.holder(token)
    assert held is not None
    assert held.last_used_at is not None


def test_threads_share_one(keys: Keys) -> None:
    token = keys.add("phone", ANA)[1]
    failed: list[object] = []

    def work(number: int) -> None:
        for n in range(5):
            keys.add(f"key {number} {n}", ANA)
            if keys.holder(token) is None:
                failed.append(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    assert len(keys.list()) == 21


def test_a_file_that_is_none_is_said(keys: Keys) -> None:
    keys.path.write_bytes(b"nonsense" * 1000)
    with pytest.raises(StoreError, match="keys"):
        keys.are_needed()
    with pytest.raises(InputError, match="printable"):
        Keys(keys.path.with_name("other")).add("two\nlines", ANA)


WALLS: list[tuple[Grant, dict[str, Any], dict[str, Any] | None]] = [
    (ANA, {}, {"user_id": "ana"}),
    (ANA, {"user_id": "ana"}, {"user_id": "ana"}),
    (ANA, {"user_id": ["ana"]}, {"user_id": "ana"}),
    (ANA, {"user_id": "ben"}, None),
    (ANA, {"user_id": ["ana", "ben"]}, None),
    (ANA, {"user_id": []}, None),
    (ANA, {"tenant_id": "acme"}, None),
    (ANA, {"project_id": "home"}, None),
    (ANA, {"all_projects": True}, None),
    (Grant("reader", users=("ana", "ben")), {}, {"user_id": ("ana", "ben")}),
    (Grant("reader", users=("ana", "ben")), {"user_id": "ben"}, {"user_id": "ben"}),
    (Grant("reader", "acme", ("x",), ANY), {}, {"tenant_id": "acme", "project_id": "x"}),
    (Grant("reader", "acme", (), ANY), {"project_id": "home"}, None),
    (Grant("reader", "acme", ANY, ("ana",)), {"all_projects": True}, {"tenant_id": "acme", "user_id": "ana"}),
    (Grant("reader", "acme", ANY, ("ana",)), {"tenant_id": "other"}, None),
    (OWNER, {"tenant_id": "acme", "user_id": "x"}, {"tenant_id": "acme", "user_id": "x"}),
    (OWNER, {}, {}),
]  # fmt: skip


@pytest.mark.parametrize(("grant", "given", "bound"), WALLS)
def test_a_call_is_bound_to_what_its_key_allows(
    grant: Grant, given: dict[str, Any], bound: dict[str, Any] | None
) -> None:
    if bound is None:
        with pytest.raises(AccessError, match="does not reach"):
            grant.bound(given)
    else:
        assert grant.bound(given) == bound


def test_a_grant_in_the_words_of_the_command_line() -> None:
    assert grant_of("owner", {}, {}) == OWNER
    assert grant_of("reader", {"user_id": ("ana", "ben")}, {}) == Grant("reader", users=("ana", "ben"))
    assert grant_of("admin", {"tenant_id": "acme"}, {"any_user": True}) == Grant("admin", "acme", (), ANY)
    for role, scope, flags in (
        ("owner", {"user_id": "ana"}, {}),
        ("reader", {}, {}),
        ("reader", {"user_id": "a"}, {"any_user": True}),
    ):
        with pytest.raises(InputError):
            grant_of(role, scope, flags)  # pyright: ignore[reportArgumentType]


def test_a_rate_holds_on_average_and_gives_way_after_a_rest() -> None:
    now = [0.0]
    rates = Rates(2.0, 3, lambda: now[0])
    for _ in range(3):
        rates.take("one")
    with pytest.raises(BusyError) as busy:
        rates.take("one")
    assert busy.value.retry_after == pytest.approx(0.5)
    rates.take("other")
    now[0] += 0.5
    rates.take("one")
    with pytest.raises(BusyError):
        rates.take("one")
    now[0] += 1000
    for _ in range(3):
        rates.take("one")
