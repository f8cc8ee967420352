"""Fitting: what is left out together, and what is written down."""

import json
from types import SimpleNamespace

import numpy as np

from bench import fit
from mnemic import rank


def case(dataset, conversation, question, *, evidence=(1,), deleted=False, answerable=True):
    asked = SimpleNamespace(id=question, answerable=answerable)
    return SimpleNamespace(
        dataset=dataset, conversation=conversation, question=asked, evidence=evidence, sessions=(), deleted=deleted
    )


def test_conversations_of_a_set_take_turns():
    asked = [case("a", f"c{number}", f"q{number}") for number in range(7)] + [case("b", "c0", "other")]
    part_of = fit.parts(asked)
    assert [part_of(one) for one in asked] == [0, 1, 2, 3, 4, 0, 1, 0]


def test_all_that_is_asked_of_a_conversation_is_left_out_with_it():
    asked = [case("a", "c0", "q0"), case("a", "c1", "q1"), case("a", "c2", "q2")]
    part_of = fit.parts(asked)
    # A question of another conversation, of which nothing is known here: it goes with the conversation it is asked in.
    assert part_of(case("a", "c2", "q0", evidence=())) == 2
    # The same question with its evidence deleted, and one without an answer: each stays with its own.
    assert part_of(case("a", "c1", "q1", evidence=(), deleted=True)) == 1
    assert part_of(case("a", "c1", "q1", evidence=(), answerable=False)) == 1
    # A pool of several conversations' texts: the question is of its own part.
    assert part_of(case("a", "pool", "q2")) == 2


def test_what_is_written_is_what_is_read():
    """The numbers come back as they were, but for the digits that are not written."""
    numbers = rank.fitted(dense=True)
    written = json.loads(json.dumps(fit.part(numbers)))
    assert written["weights"] == dict(numbers.weights)
    for talk, how in numbers.reading.items():
        net = rank._net(written["reading"][talk]["net"])
        assert net.features == how.net.features
        assert np.array_equal(net.hidden, how.net.hidden)
        assert rank.Calibration(**written["reading"][talk]["hit"]) == how.hit
