"""Errors as problem details and back."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from mnemic import errors
from mnemic.errors import ConflictError, MnemicError, ModelError, StoreError
from mnemic.problems import KINDS, error_of, kind_of, problem_of


def tree(root: type[MnemicError]) -> Iterator[type[MnemicError]]:
    yield root
    for child in root.__subclasses__():
        yield from tree(child)


def test_every_error_has_a_kind_of_its_own_a_status_and_a_code() -> None:
    told = {error for error in tree(MnemicError) if error.__module__ == errors.__name__}
    assert {kind.error for kind in KINDS} == told
    assert len({kind.code for kind in KINDS}) == len(KINDS)
    for at, kind in enumerate(KINDS):
        assert 400 <= kind.status < 600
        assert not any(issubclass(kind.error, earlier.error) for earlier in KINDS[:at]), kind.code


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.code)
def test_an_error_comes_back_as_what_it_was(kind: errors.MnemicError) -> None:
    words = "limit=0 is too few: pass at least 1"
    error = kind.error(5, words) if issubclass(kind.error, StoreError) else kind.error(words)
    assert kind_of(error) is kind
    again = error_of(json.loads(json.dumps(problem_of(error))))
    assert type(again) is kind.error
    assert str(again) == words


def test_what_an_error_carries_besides_its_words_comes_along() -> None:
    conflict = error_of(problem_of(ConflictError("moved on", ["r1", "r2"])))
    assert isinstance(conflict, ConflictError)
    assert conflict.receipts == ("r1", "r2")
    model = error_of(problem_of(ModelError("busy", fault="rate limit", tries=3)))
    assert isinstance(model, ModelError)
    assert (model.fault, model.tries) == ("rate limit", 3)


def test_what_is_no_problem_of_the_engine_is_told_all_the_same() -> None:
    assert str(error_of({"title": "Bad Gateway", "status": 502})) == "Bad Gateway"
    assert str(error_of({})) == "the server gave no reason"
