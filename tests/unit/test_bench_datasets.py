"""The loaders, on tiny files of the official formats written by hand, with the oddities that the real ones have."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from bench import datasets


def write(path: Path, value: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    raw = json.dumps(value).encode()
    path.write_bytes(gzip.compress(raw) if path.suffix == ".gz" else raw)


@pytest.fixture
def locomo(tmp_path: Path) -> datasets.Conversation:
    turns = [
        {"speaker": "Ann", "dia_id": "D1:1", "text": "I planted beans."},
        {"speaker": "Bo", "dia_id": "D1:2", "text": "Look!", "blip_caption": "a photo of a kite"},
    ]
    conversation = {
        "speaker_a": "Ann",
        "speaker_b": "Bo",
        "session_2_date_time": "12:05 am on 1 June, 2023",
        "session_2": [{"speaker": "Ann", "dia_id": "D2:3", "text": "The beans grow."}],
        "session_1_date_time": "1:56 pm on 8 May, 2023",
        "session_1": turns,
        "session_3_date_time": "1:00 pm on 2 July, 2023",
    }
    qa: list[dict[str, Any]] = [
        {"question": "What grows?", "answer": "beans", "evidence": ["D1:1; D2:03"], "category": 1},
        {"question": "When?", "answer": 2023, "evidence": ["D:1:2", "D", "D9:9"], "category": 2},
        {"question": "Who flew?", "adversarial_answer": "Ann", "evidence": ["D1:2 D1:1"], "category": 5},
        {"question": "Why?", "answer": "joy", "evidence": [], "category": 3},
    ]
    write(tmp_path / "locomo/locomo_dev.json", [{"sample_id": "c1", "conversation": conversation, "qa": qa}])
    audit = [{"sample_id": "c1", "question": "When?", "correct_evidence": ["D2:3"]}]
    write(tmp_path / "locomo/audit_dev.json", audit)
    (loaded,) = datasets.load("locomo", tmp_path)
    return loaded


def test_locomo_sessions_are_in_order_and_unwritten_ones_are_left_out(locomo: datasets.Conversation):
    assert [(m.id, m.session_id, m.time) for m in locomo.messages] == [
        ("D1:1", "session_1", "2023-05-08T13:56:00+00:00"),
        ("D1:2", "session_1", "2023-05-08T13:56:00+00:00"),
        ("D2:3", "session_2", "2023-06-01T00:05:00+00:00"),
    ]
    assert locomo.messages[1].content == "Look! [shares a photo of a kite]"


def test_locomo_evidence_ids_are_repaired(locomo: datasets.Conversation):
    joined, odd, adversarial, empty = locomo.questions
    assert joined.evidence == ("D1:1", "D2:3")
    assert joined.evidence_sessions == ("session_1", "session_2")
    assert odd.evidence == ("D1:2",)
    assert (odd.corrected, odd.best_evidence) == (("D2:3",), ("D2:3",))
    assert joined.corrected is None
    assert joined.best_evidence == joined.evidence
    assert (adversarial.evidence, adversarial.answerable, adversarial.category) == (
        ("D1:2", "D1:1"),
        False,
        "adversarial",
    )
    assert empty.evidence == ()


def test_sessions_are_ready_for_add(locomo: datasets.Conversation):
    sessions = list(locomo.sessions())
    assert [session_id for session_id, _ in sessions] == ["session_1", "session_2"]
    assert sessions[0][1][0] == {
        "role": "user",
        "content": "I planted beans.",
        "id": "D1:1",
        "name": "Ann",
        "time": "2023-05-08T13:56:00+00:00",
    }
    assert locomo.asked_at(locomo.questions[0]) == "2023-06-01T00:05:00+00:00"


def test_longmemeval_sorts_its_haystack_and_knows_abstention(tmp_path: Path):
    item: dict[str, Any] = {
        "question_id": "q1",
        "question_type": "multi-session",
        "question": "Which tea?",
        "question_date": "2023/05/30 (Tue) 23:40",
        "answer_session_ids": ["s_late"],
        "haystack_dates": ["2023/05/21 (Sun) 10:00", "2023/05/20 (Sat) 02:21"],
        "haystack_session_ids": ["s_late", "s_early"],
        "haystack_sessions": [
            [
                {"role": "user", "content": "Mint tea, please.", "has_answer": True},
                {"role": "assistant", "content": "Noted.", "has_answer": False},
            ],
            [{"role": "user", "content": "Hello."}],
        ],
    }
    write(tmp_path / "longmemeval/longmemeval_s_dev.json.gz", [item, item | {"question_id": "q2_abs"}])
    plain, abstention = datasets.load("longmemeval", tmp_path)
    assert [m.id for m in plain.messages] == ["s_early:0", "s_late:0", "s_late:1"]
    assert plain.messages[0].time == "2023-05-20T02:21:00+00:00"
    question = plain.questions[0]
    assert (question.evidence, question.evidence_sessions) == (("s_late:0",), ("s_late",))
    assert question.asked_at == "2023-05-30T23:40:00+00:00"
    assert not abstention.questions[0].answerable
    assert abstention.questions[0].evidence == ()


def test_beam_strips_its_markers_and_reads_both_shapes_of_evidence(tmp_path: Path):
    texts = ["Plan my week ->-> 1,1", "Any tip? ->-> 2,N/A", "More ->-> 2,22, 24", "x ->-> y is an arrow\nin a text"]
    turns = [
        [
            {"role": "user", "id": 2 * n, "content": text, **({"time_anchor": "March-15-2024"} if n == 0 else {})},
            {"role": "assistant", "id": 2 * n + 1, "content": "Sure."},
        ]
        for n, text in enumerate(texts)
    ]
    write(tmp_path / "beam/100K/7/chat.json", [{"batch_number": 1, "turns": turns, "time_anchor": None}])
    probes = {
        "abstention": [{"question": "Which colour?"}],
        "knowledge_update": [{"question": "How long?", "source_chat_ids": {"old": [0], "new": [4, [6]]}}],
        "summarization": [{"question": "All?", "source_chat_ids": [2, 2, 99]}],
    }
    write(tmp_path / "beam/100K/7/probing_questions.json", probes)
    (chat,) = datasets.load("beam", tmp_path)
    assert [m.content for m in chat.messages if m.role == "user"] == [
        "Plan my week",
        "Any tip?",
        "More",
        "x ->-> y is an arrow\nin a text",
    ]
    assert {m.time for m in chat.messages} == {"2024-03-15T00:00:00+00:00"}
    abstention, update, summary = chat.questions
    assert not abstention.answerable
    assert update.evidence == ("0", "4", "6")
    assert summary.evidence == ("2",)


def test_realmem_asks_before_its_session_is_heard(tmp_path: Path):
    memory = {"content": "likes figs", "source_turn": 1, "source_content_snapshot": "I like figs."}
    sessions: list[dict[str, Any]] = [
        {
            "session_uuid": "aa",
            "current_time": "2025-12-15 (Monday)",
            "dialogue_turns": [
                {"speaker": "User", "is_query": False, "content": "I like figs.", "query_id": None},
                {"speaker": "Assistant", "is_query": False, "content": "Good.", "query_id": None},
            ],
            "extracted_memory": [memory],
        },
        {
            "session_uuid": "bb",
            "current_time": "2025-12-16 (Tuesday)",
            "dialogue_turns": [
                {"speaker": "User", "is_query": False, "content": " ", "query_id": None},
                {
                    "speaker": "User",
                    "is_query": True,
                    "content": "What fruit?",
                    "query_id": "Q-1",
                    "category_name": "x",
                },
                {
                    "speaker": "Assistant",
                    "is_query": False,
                    "content": "Figs.",
                    "memory_session_uuids": ["aa", "bb", "aa"],
                    "memory_used": [{"session_uuid": "aa", "content": "likes figs"}],
                },
            ],
            "extracted_memory": [],
        },
    ]
    write(tmp_path / "realmem/An_Other_dialogues_256k.json.gz", {"dialogues": sessions})
    (persona,) = datasets.load("realmem", tmp_path)
    assert persona.id == "realmem-an-other"
    (question,) = persona.questions
    assert [m.id for m in persona.heard(question)] == ["aa:0", "aa:1"]
    assert (question.evidence, question.evidence_sessions) == (("aa:0",), ("aa",))
    assert persona.asked_at(question) == "2025-12-16T00:00:00+00:00"
    # A message without text is no message.
    assert [m.id for m in persona.messages] == ["aa:0", "aa:1", "bb:1", "bb:2"]


def test_membench_steps_of_both_halves(tmp_path: Path):
    key = {"question": "Which mood?", "time": "'2024-10-01 08:13' Tuesday", "target_step_id": [[1, 0]]}
    when = {"time": "'2024-10-01 08:00' Tuesday", "place": "Here"}
    first = [{"mid": n, "user": f"I {n}", "assistant": f"You {n}", **when} for n in range(2)]
    third = [{"mid": n, "message": f"They {n}", **when} for n in range(2)]
    write(tmp_path / "membench/FirstAgent_Emotion.json.gz", [{"tid": 0, "message_list": [first], "QA": key}])
    write(tmp_path / "membench/ThirdAgent_Emotion.json.gz", [{"gid": 0, "message_list": [third], "QA": key}])
    one, three = datasets.load("membench", tmp_path)
    assert [(m.role, m.content) for m in one.messages][2:] == [("user", "I 1"), ("assistant", "You 1")]
    assert one.questions[0].evidence == ("0:1", "0:1:reply")
    assert three.questions[0].evidence == ("0:1",)
    assert three.messages[0].time == "2024-10-01T08:00:00+00:00"


def test_musique_paragraphs_are_documents(tmp_path: Path):
    paragraphs = [
        {"idx": 0, "title": "Figs", "paragraph_text": "A fruit.", "is_supporting": False},
        {"idx": 1, "title": "Bo", "paragraph_text": "A person.", "is_supporting": True},
    ]
    item = {"id": "2hop__1_2", "question": "Who?", "paragraphs": paragraphs, "answerable": True}
    write(tmp_path / "musique/musique_dev.json", {"data": [item]})
    (conversation,) = datasets.load("musique", tmp_path)
    assert conversation.questions[0].evidence == ("1",)
    assert conversation.questions[0].category == "2hop"
    assert conversation.messages[0].payload() == {
        "role": "document",
        "content": "Figs\nA fruit.",
        "id": "0",
    }
    assert conversation.asked_at(conversation.questions[0]) is None


def test_the_sample_is_asked_in_its_own_time(tmp_path: Path):
    talks = datasets.load("sample", tmp_path)
    assert talks
    for talk in talks:
        known = {m.id for m in talk.messages}
        times = [m.time or "" for m in talk.messages]
        assert times == sorted(times)
        for question in talk.questions:
            heard = {m.id for m in talk.heard(question)}
            assert known >= heard >= set(question.evidence)
            assert question.answerable == bool(question.evidence)


def test_chatlog_goes_round_with_another_suffix(tmp_path: Path):
    path = tmp_path / "log.txt.gz"
    lines = [
        "=== 2004-12-25.train-c.raw.txt",
        "[09:14] <ann> hello there",
        "=== bo [~bo@example.org]  has joined #here",
        "[09:15] <bo>  hi ann ",
        "[09:16] <bo>",
        "=== 2005-02-06.train-c.raw.txt",
        "[00:01] <ann> still here?",
    ]
    path.write_bytes(gzip.compress("\n".join(lines).encode()))
    said = list(datasets.chatlog(path, 5))
    assert [(m.name, m.content, m.session_id) for m in said] == [
        ("ann", "hello there", "2004-12-25"),
        ("bo", "hi ann", "2004-12-25"),
        ("ann", "still here?", "2005-02-06"),
        ("ann", "hello there #2", "2004-12-25/2"),
        ("bo", "hi ann #2", "2004-12-25/2"),
    ]
    assert said[2].time == "2005-02-06T00:01:00+00:00"
    assert len({m.id for m in said}) == 5
    assert len(list(datasets.chatlog(path, 2))) == 2


def test_a_missing_set_is_named(tmp_path: Path):
    present, missing = datasets.load_available(["locomo", "realmem", "beam", "membench", "musique"], tmp_path)
    assert present == {}
    assert missing == ("locomo", "realmem", "beam", "membench", "musique")
    with pytest.raises(LookupError, match="no set is called 'locom'"):
        datasets.load("locom", tmp_path)
    with pytest.raises(datasets.MissingDataError, match="no chat log"):
        list(datasets.chatlog(tmp_path / "none.gz", 1))
