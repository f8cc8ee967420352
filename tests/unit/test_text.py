"""The index's view of a text: languages, compounds, queries, hashes, names, passages."""

import random
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from snowballstemmer.english_stemmer import EnglishStemmer

from mnemic.text import (
    COMPOUND,
    QueryTerm,
    compound_parts,
    count_bytes3,
    hash_term,
    hash_terms,
    index_terms,
    named,
    passages,
    query_terms,
    terms,
    words,
)

# Any code point, lone surrogates too, with what tends to break text handling made frequent.
ANY_TEXT = st.text(
    alphabet=st.one_of(
        st.characters(),
        st.characters(categories=["Cs"]),
        st.sampled_from("aZ09'’-_.,:;#+ \n\r\t\0\u0301\u200d\u200f\u202e\ufe0f\u20e3ßİŉя猫가ก👍🏽🇩🇪é٣ـ\ufdfa"),
    )
)


def matched(question: str, statement: str) -> dict[str, float]:
    """The terms of a question that stand in the index of a statement, with their weights."""
    plain, compounds = index_terms(statement)
    indexed = {*plain, *compounds}
    return {term.term: term.weight for term in query_terms(question) if term.term in indexed}


# --- Terms ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The kids were running.", ["the", "kid", "were", "run"]),
        ("Ana's cat and Ana’s dog", ["ana", "cat", "and", "ana", "dog"]),
        ("They're sure I'd say we've won't", ["they", "sure", "i", "say", "we", "wont"]),
        ("l'eau qu'il boit", ["eau", "il", "boit"]),
        ("c++, C# and wi-fi", ["c++", "c#", "and", "wi", "fi"]),
        ("snake_case x/y", ["snake", "case", "x", "y"]),
        ("3,000 people, 1,234.50 and 12,34", ["3000", "peopl", "1234.50", "and", "12", "34"]),
        ("7:30 07:30 7:00pm 7 pm", ["7:30", "7:30", "7", "pm", "7", "pm"]),
        ("2023-05-07, 7.05.2023, May 7th", ["2023", "5", "7", "7", "5", "2023", "may", "7"]),
        ("1.5 km, covid-19, agent 007", ["1.5", "km", "covid", "19", "agent", "007"]),
        ("Äpfel, Straße, café, Łódź, smørrebrød", ["apfel", "strass", "cafe", "lodz", "smorrebrod"]),
        ("ｆｕｌｌ ｗｉｄｔｈ ﬁne", ["full", "width", "fine"]),
        ("книги книгами, ёлка", ["книг", "книг", "елк"]),
        ("σκύλος ΣΚΎΛΟΥ", ["σκυλ", "σκυλ"]),
        ("الكِتَاب وكتابه والكتاب", ["كتاب", "كتاب", "كتاب"]),
        ("אָב", ["אב"]),
        ("हिन्दी किताब", ["हिन्दी", "किताब"]),
        ("住在柏林。猫", ["住在", "在柏", "柏林", "猫"]),
        ("iPhone手机", ["iphon", "手机"]),
        ("학교에서", ["학교", "교에", "에서"]),
        ("แมว", ["แม", "มว"]),
        ("٣٬٠٠٠ ٧:٣٠", ["3000", "7:30"]),
        ("😂😂 ❤️ ❤ 👍🏽 🇩🇪🇫🇷 👩‍👧", ["😂", "😂", "❤", "❤", "👍", "🇩🇪", "🇫🇷", "👩", "👧"]),
        ("\u202eabc\u202c d\u200bef so\u00adft", ["abc", "d", "ef", "soft"]),
        ("a\ud800b\0c", ["a", "b", "c"]),
        ("", []),
        (" \n…!?", []),
    ],
)
def test_terms(text: str, expected: list[str]):
    assert terms(text) == expected


@given(ANY_TEXT)
@settings(max_examples=300, deadline=None)
def test_any_string_is_read_and_always_alike(text: str):
    plain, compounds = index_terms(text)
    assert plain == terms(text) == terms(text)
    assert all(term and not term.startswith(COMPOUND) for term in plain)
    assert all(term.startswith(COMPOUND) and len(term) > 1 for term in compounds)
    assert all(words(text))
    assert len(hash_terms(plain)) == len(plain)
    looked_up = query_terms(text)
    assert len({term.term for term in looked_up}) == len(looked_up)
    assert all(0 < term.weight <= 1 for term in looked_up)
    assert all(term.compound == term.term.startswith(COMPOUND) for term in looked_up)
    assert bool(looked_up) == bool(plain)  # a text that says anything can be asked for
    assert {term.term for term in looked_up if not term.compound and term.weight == 1} <= {
        *plain,
        *(term[1:] for term in compounds),
    }


@given(st.text(alphabet="abcÄöẞéøçžİıñЯёйאَكΣάς猫ねก가 ,!"))
def test_words_are_folded_once(text: str):
    assert words(" ".join(words(text))) == words(text)


def test_threads_share_the_stemmers():
    sample = [f"{stem}{ending}" for stem in map("".join, permutations("rstaeiou", 4)) for ending in ("ing", "ations")]
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(terms, sample))
    assert found == [[EnglishStemmer().stemWord(word)] for word in sample]


@given(ANY_TEXT, ANY_TEXT)
@settings(max_examples=300, deadline=None)
def test_lines_add_up(first: str, second: str):
    assert terms(first + "\n" + second) == terms(first) + terms(second)


@given(st.text(alphabet=st.characters(max_codepoint=127)))
@settings(max_examples=300, deadline=None)
def test_ascii_is_read_like_any_other_text(text: str):
    assert terms(text + " я") == [*terms(text), "я"]
    assert terms(text.upper()) == terms(text)


@pytest.mark.parametrize(
    "unit",
    ["a", "1,", "1.", "a-", "a'", "1", "\u0301\u0327", "é", "猫", "ﷺ", "\n ", "👍", "\ud800", "क्", "'s", "\u202e"],
)
def test_long_monotonous_text_is_read_in_time(unit: str):
    started = time.perf_counter()
    text = unit * (200_000 // len(unit))
    terms(text)
    index_terms(text)
    assert passages(text)[-1][1] == len(text)
    assert time.perf_counter() - started < 10  # seconds; anything quadratic takes minutes


def test_long_runs_of_letters_are_cut():
    assert max(map(len, terms("x" * 1000))) <= 64


# --- Questions find statements in their language ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("question", "statement", "term"),
    [
        ("Where did Ana run?", "Ana was running in the park.", "run"),
        ("他住在哪里？", "我住在柏林。", "住在"),
        ("你有狗吗", "这是我的大狗。", "~狗"),
        ("田中さんはどこに住んでいますか", "田中は東京に住んでいる。", "田中"),
        ("どんな猫ですか", "私は猫が好きです。", "~猫"),
        ("학교는 어디예요?", "저는 학교에서 공부해요.", "학교"),
        ("집은 어디예요?", "집에 가요.", "~집"),
        ("แมวชื่ออะไร", "ฉันเลี้ยงแมว", "แม"),
        ("أين المدرسة؟", "ذهبتُ إلى مدرسة جديدة", "مدرس"),
        ("ما اسم كتابه", "قرأ الكِتَاب أمس", "كتاب"),
        ("Какие книги она читает?", "Она взяла книгу.", "книг"),
        ("Где ёлка?", "Мы купили елку.", "елк"),
        ("πού είναι ο σκύλος;", "Βρήκα τον ΣΚΎΛΟ", "σκυλ"),
        ("Welche Versicherung hat Jan?", "Jans Krankenversicherung läuft aus.", "~versicherung"),
        ("Was kostet die Krankenversicherung?", "Meine Versicherung ist teuer.", "versicherung"),
        ("Wo ist der Schlüssel?", "Der Autoschluessel? Nein, der Haustürschlüssel!", "~schlussel"),
        ("Wer spielt Fußball?", "Sie trainiert in der Fußballmannschaft.", "~fussbal"),
        ("Hoe heet de verzekering?", "Mijn ziektekostenverzekering is duur.", "~verzek"),
        ("What about her health?", "The healthcare was good.", "~health"),
        ("Does she like basketball?", "She threw the ball into the basket.", "basket"),
        ("Is there wifi?", "The wi-fi is down.", "~wifi"),
        ("Is there wi-fi?", "The wifi is down.", "wifi"),
        ("When was the 7 pm call?", "Let's call at 7:00pm", "7"),
        ("Why ❤️?", "I ❤ it", "❤"),
    ],
)
def test_a_question_finds_a_statement(question: str, statement: str, term: str):
    assert term in matched(question, statement)


def test_a_word_as_said_weighs_more_than_a_part():
    said = matched("Krankenversicherung", "Die Krankenversicherung zahlt.")
    part = matched("Krankenversicherung", "Die Versicherung zahlt.")
    whole = matched("Versicherung", "Die Krankenversicherung zahlt.")
    assert said["krankenversicherung"] == 1
    assert max(part.values()) < 1
    assert max(whole.values()) < 1


# --- Compounds --------------------------------------------------------------------------------------------------------


def test_compound_parts_are_stems_of_sides_that_could_be_words():
    assert compound_parts("healthcare") == ["health"]
    assert {"basket"} <= set(compound_parts("basketball"))
    assert {"kranken", "versicherung"} <= set(compound_parts("krankenversicherung"))


@pytest.mark.parametrize(
    "word", ["versicher", "combination", "volunteering", "книгопечатание", "abc123defgh", "x" * 50]
)
def test_other_words_have_no_parts(word: str):
    assert compound_parts(word) == []


@given(st.text(alphabet="abcdefghijklmnopqrstuvwxyz", max_size=60))
@settings(deadline=None)
def test_compound_parts_are_few(word: str):
    parts = compound_parts(word)
    assert len(parts) == len(set(parts)) <= 2 * len(word)
    assert all(len(part) >= 4 for part in parts)


# --- Query terms ------------------------------------------------------------------------------------------------------


def plain_query(text: str) -> list[str]:
    return [term.term for term in query_terms(text) if term.weight == 1 and not term.compound]


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("What did Ana's sister say about the war?", ["ana", "sister", "say", "war"]),
        ("Who won? The man won!", ["won", "man"]),
        ("The Who", ["the", "who"]),
        ("Wann war Jan in Köln?", ["jan", "koln"]),
        ("Où est-ce que Marie habite ?", ["mari", "habit"]),
        ("¿Cuándo se mudó Ana?", ["mudo", "ana"]),
        ("Когда Анна переехала?", ["ан", "перееха"]),
        ("", []),
    ],
)
def test_stop_words_of_the_question_are_dropped(question: str, expected: list[str]):
    assert plain_query(question) == expected


def test_a_query_term_is_distinct_and_keeps_its_largest_weight():
    assert query_terms("cat Cat cats") == [QueryTerm("cat", 1.0, False)]
    weights = {term.term: term.weight for term in query_terms("basketball basket")}
    assert weights["basket"] == 1


# --- Hashes -----------------------------------------------------------------------------------------------------------

HASH_ANA = 0x3C1A5A3815011925
HASH_COMPOUND = 0xB0F682037DD2F70C


def test_hashes_are_the_stored_ones():
    assert hash_term("ana") == HASH_ANA
    assert hash_term("~versicherung") == HASH_COMPOUND
    hashes = hash_terms(["ana", "~versicherung", "ana"])
    assert hashes.dtype == np.uint64
    assert hashes.tolist() == [HASH_ANA, HASH_COMPOUND, HASH_ANA]
    assert hash_terms([]).shape == (0,)


def test_import_is_cheap():
    code = "import sys, mnemic.text; sys.exit('snowballstemmer' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# --- Names ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "question", "expected"),
    [
        ("Ana", "Where is Ana's cat?", True),
        ("Ana Müller", "what did MUELLER or Muller say", True),
        ("Ana", "Where is Anabel?", False),
        ("J. Doe", "what does j mean", False),
        ("Will", "Will she come?", False),
        ("Will Smith", "What will Smith do?", True),
        ("José", "where does jose live", True),
        ("Jean-Luc", "Is Luc here?", True),
        ("田中", "田中さんはどこですか", True),
        ("田中", "中田さんはどこですか", False),
        ("민수", "민수는 어디 있어요?", True),
        ("Анна", "Где живёт сестра Анны?", True),
        ("", "who?", False),
        ("assistant", "", False),
    ],
)
def test_named(name: str, question: str, expected: bool):
    assert named(name, frozenset(words(question))) is expected


# --- Passages ---------------------------------------------------------------------------------------------------------


def cut(text: str, limit: int) -> list[str]:
    return [text[start:end] for start, end in passages(text, limit)]


PROSE = st.lists(
    st.sampled_from(["word", "Größe", " ", " ", ". ", "\n", "\n\n", "\n## H\n", "。", "猫", "x" * 40])
).map("".join)


@given(st.one_of(PROSE, ANY_TEXT), st.integers(1, 40))
@settings(max_examples=300, deadline=None)
def test_passages_cover_the_text_within_the_limit(text: str, limit: int):
    spans = passages(text, limit)
    assert "".join(text[start:end] for start, end in spans) == text
    assert all(start < end for start, end in spans)
    assert all(count_bytes3(text[start:end]) <= limit or end - start == 1 for start, end in spans)
    if text and count_bytes3(text) <= limit:
        assert spans == [(0, len(text))]


@given(PROSE, st.integers(1, 10))
@settings(max_examples=300, deadline=None)
def test_passages_by_another_counter(text: str, limit: int):
    spans = passages(text, limit, count=lambda part: len(part.split()))
    assert "".join(text[start:end] for start, end in spans) == text
    assert all(len(text[start:end].split()) <= limit for start, end in spans)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One two three.\n\nFour. Five six seven.", ["One two three.\n\n", "Four. Five six seven."]),
        ("One two. Three four\n# Title\nfive six", ["One two. Three four\n", "# Title\nfive six"]),
        ("One two three. four five six seven", ["One two three. ", "four five six seven"]),
        ("我住在柏林。我有一只猫。她很老。", ["我住在柏林。", "我有一只猫。", "她很老。"]),
        ("x" * 40, ["x" * 26, "x" * 14]),
    ],
)
def test_passages_end_where_a_reader_would_pause(text: str, expected: list[str]):
    assert cut(text, 9) == expected


def test_no_passage_of_nothing():
    assert passages("") == []
    with pytest.raises(ValueError, match="limit must be at least 1"):
        passages("text", 0)


def test_passages_count_little():
    chosen = random.Random(7)
    text = " ".join("x" * chosen.randint(1, 9) for _ in range(60_000))
    counted = 0

    def count(part: str) -> int:
        nonlocal counted
        counted += len(part)
        return count_bytes3(part)

    spans = passages(text, 150, count)
    assert counted < 20 * len(text)
    assert len(spans) < 1.5 * count_bytes3(text) / 150


@pytest.mark.parametrize(("text", "count"), [("", 0), ("a", 1), ("abc", 1), ("abcd", 2), ("é猫", 2), ("\ud800", 1)])
def test_count_bytes3(text: str, count: int):
    assert count_bytes3(text) == count
