from datetime import datetime

import pytest

from mnemic import samples

# name: (turns, questions) that each sample is meant to have
WANTED = {"coach": (120, 40), "home": (300, 60), "letters": (120, 40), "team": (200, 40), "world": (60, 30)}
KINDS = {"single", "several", "time", "update", "preference", "unknown"}


def when(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    assert moment.utcoffset() is not None, text
    return moment


def test_every_sample_is_there():
    assert samples.names() == sorted(WANTED)


def test_an_unknown_name_is_answered_with_the_names_there_are():
    with pytest.raises(ValueError, match="home"):
        samples.load("hom")


@pytest.mark.parametrize("name", sorted(WANTED))
def test_counts(name: str):
    turns, questions = WANTED[name]
    sample = samples.load(name)
    assert len(sample.messages) >= 0.9 * turns
    assert len(sample.questions) >= 0.9 * questions
    unknown = sum(q.kind == "unknown" for q in sample.questions)
    assert 0.12 <= unknown / len(sample.questions) <= 0.25


@pytest.mark.parametrize("name", sorted(WANTED))
def test_messages(name: str):
    sample = samples.load(name)
    ids = [m["id"] for m in sample.messages]
    assert len(set(ids)) == len(ids)
    times = [when(m["time"]) for m in sample.messages]
    assert times == sorted(times)
    sessions: dict[str, None] = {}
    for message in sample.messages:
        assert set(message) == {"role", "name", "content", "time", "id", "session_id"}
        assert message["role"] in {"user", "assistant"}
        assert message["id"].startswith(f"{name}-")
        assert message["content"].strip()
        assert message["session_id"] not in list(sessions)[:-1]  # a session is not taken up again
        sessions[message["session_id"]] = None


@pytest.mark.parametrize("name", sorted(WANTED))
def test_questions(name: str):
    sample = samples.load(name)
    said = {m["id"]: when(m["time"]) for m in sample.messages}
    for q in sample.questions:
        assert q.kind in KINDS
        assert q.question.strip()
        assert q.answer.strip()
        assert (q.kind == "unknown") == (not q.evidence), q.question
        assert len(set(q.evidence)) == len(q.evidence)
        for one in q.evidence:
            assert said[one] <= when(q.asked_at), q.question  # what is not said yet cannot be known
    assert len({(q.question, q.asked_at) for q in sample.questions}) == len(sample.questions)
