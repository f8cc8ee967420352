"""What was said in a language is found by questions in it, by words alone and with the default embedder."""

from __future__ import annotations

import pytest

from mnemic import Memory
from mnemic.testing import FrozenClock

TALKS: dict[str, tuple[list[str], dict[str, str]]] = {
    "Chinese": (
        [
            "我上个月搬到了上海，住在静安区。",
            "我的猫叫小黑，今年三岁。",
            "我对花生过敏，不能吃花生酱。",
            "周末我喜欢去爬山。",
            "我在一家医院当护士。",
            "我妹妹在北京读大学。",
            "昨天的电影很无聊。",
        ],
        {
            "我住在哪个城市？上海吗？": "我上个月搬到了上海，住在静安区。",
            "我的猫叫什么名字？": "我的猫叫小黑，今年三岁。",
            "我对什么过敏？": "我对花生过敏，不能吃花生酱。",
            "谁在北京读大学？": "我妹妹在北京读大学。",
        },
    ),
    "Japanese": (
        [
            "先月、京都に引っ越しました。",
            "猫を飼っています。名前はタマです。",
            "卵アレルギーがあります。",
            "毎朝コーヒーを飲みます。",
            "兄は大阪で教師をしています。",
            "来週、歯医者に行く予定です。",
        ],
        {
            "どこに引っ越しましたか？": "先月、京都に引っ越しました。",
            "猫の名前は何ですか？": "猫を飼っています。名前はタマです。",
            "何のアレルギーがありますか？": "卵アレルギーがあります。",
            "毎朝、コーヒーと紅茶のどちらを飲みますか？": "毎朝コーヒーを飲みます。",
        },
    ),
    "Korean": (
        ["지난달에 부산으로 이사했어요.", "고양이를 키우고 있어요.", "저는 간호사로 일해요.", "주말에는 등산을 가요."],
        {
            "어디로 이사했어요?": "지난달에 부산으로 이사했어요.",
            "고양이가 있나요?": "고양이를 키우고 있어요.",
            "등산은 언제 가나요?": "주말에는 등산을 가요.",
        },
    ),
    "Arabic": (
        [
            "انتقلت إلى القاهرة في الشهر الماضي.",
            "عندي قطة اسمها لولو.",
            "أعمل طبيبة في المستشفى.",
            "أحب القهوة بدون سكر.",
            "أخي يدرس الهندسة في الإسكندرية.",
        ],
        {
            "هل تعيش في القاهرة؟": "انتقلت إلى القاهرة في الشهر الماضي.",
            "ما اسم القطة؟": "عندي قطة اسمها لولو.",
            "كيف تحب قهوتك؟ هل القهوة مع السكر؟": "أحب القهوة بدون سكر.",
            "من يدرس الهندسة؟": "أخي يدرس الهندسة في الإسكندرية.",
        },
    ),
    "Russian": (
        [
            "В мае я переехала в Новосибирск.",
            "У меня есть кошка, её зовут Муся.",
            "Я работаю медсестрой в детской больнице.",
            "Мой брат живёт в Казани.",
            "По утрам я пью зелёный чай.",
            "В прошлую субботу мы ходили на лыжах.",
        ],
        {
            "Куда она переехала?": "В мае я переехала в Новосибирск.",
            "Как зовут кошку?": "У меня есть кошка, её зовут Муся.",
            "В какой больнице я работаю?": "Я работаю медсестрой в детской больнице.",
            "Где живет брат?": "Мой брат живёт в Казани.",
        },
    ),
    "German": (
        [
            "Meine Krankenversicherung läuft im Juni aus.",
            "Der Zahnarzttermin ist am Donnerstag.",
            "Wir haben eine Wohnung in der Nähe vom Hauptbahnhof gemietet.",
            "Die Katze heißt Mieze.",
            "Im Urlaub fahren wir mit dem Nachtzug nach Wien.",
            "Die Geburtstagsfeier war laut.",
        ],
        {
            "Wann läuft die Versicherung aus?": "Meine Krankenversicherung läuft im Juni aus.",
            "Wann habe ich den Termin beim Zahnarzt?": "Der Zahnarzttermin ist am Donnerstag.",
            "Liegt die Wohnung am Bahnhof?": "Wir haben eine Wohnung in der Nähe vom Hauptbahnhof gemietet.",
            "Mit welchem Zug fahren wir nach Wien?": "Im Urlaub fahren wir mit dem Nachtzug nach Wien.",
        },
    ),
    "Spanish": (
        [
            "En mayo me mudé a Bogotá.",
            "Tengo una gata que se llama Luna.",
            "Soy alérgica al maní.",
            "Mi hermano estudia ingeniería en Cali.",
            "Los domingos salgo a correr con mis amigas.",
        ],
        {
            "¿Quién se mudó a Bogotá?": "En mayo me mudé a Bogotá.",
            "¿Cómo se llama la gata?": "Tengo una gata que se llama Luna.",
            "¿A qué soy alergica?": "Soy alérgica al maní.",
            "¿Qué estudia mi hermano?": "Mi hermano estudia ingeniería en Cali.",
        },
    ),
    "French": (
        ["L'année dernière, j'ai déménagé à Lyon.", "J'ai un chien qui s'appelle Filou.", "Je bois du thé le matin."],
        {
            "Quand a-t-il déménagé à Lyon ?": "L'année dernière, j'ai déménagé à Lyon.",
            "Comment s'appelle le chien ?": "J'ai un chien qui s'appelle Filou.",
        },
    ),
    "Hindi": (
        ["मैं पिछले महीने मुंबई आ गई।", "मेरी बिल्ली का नाम मोती है।", "मुझे मूंगफली से एलर्जी है।", "मेरा भाई डॉक्टर है।"],
        {
            "बिल्ली का नाम क्या है?": "मेरी बिल्ली का नाम मोती है।",
            "किस चीज़ से एलर्जी है?": "मुझे मूंगफली से एलर्जी है।",
        },
    ),
    "Thai": (
        ["ฉันย้ายไปเชียงใหม่เมื่อเดือนที่แล้ว", "แมวของฉันชื่อส้ม", "ฉันแพ้ถั่วลิสง"],
        {"แมวชื่ออะไร": "แมวของฉันชื่อส้ม", "แพ้ถั่วอะไร": "ฉันแพ้ถั่วลิสง"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("embedder", ["none", None], ids=["words", "default"])
@pytest.mark.parametrize("language", TALKS)
def test_a_language_finds_its_own(language: str, embedder: None) -> None:
    said, asked = TALKS[language]
    with Memory(":memory:", embedder=embedder, clock=FrozenClock(), recipe="none") as memory:
        for name, (others, _) in TALKS.items():  # each in a session of its own
            memory.add(others, user_id="ana", session_id=name)
        for question, answer in asked.items():
            found = [hit.text for hit in memory.search(question, user_id="ana", limit=3)]
            assert answer in found, (question, found)
        assert set(asked.values()) <= set(said)


def test_spellings_meet() -> None:
    pairs = {
        "Žluťoučký kůň": "zlutoucky kun",
        "naïve café": "naive cafe",
        "ＴＯＫＹＯ tower": "tokyo",
        "Straße 5": "strasse",
        "Ёлка в лесу": "елка",
        "I prefer wi-fi": "wifi",
        "٣ تفاحات": "3",
        "e\u0301clair": "éclair",
    }
    with Memory(":memory:", embedder="none", clock=FrozenClock(), recipe="none") as memory:
        memory.add(list(pairs), user_id="ana")
        for text, question in pairs.items():
            assert memory.search(question, user_id="ana", limit=1)[0].text == text
