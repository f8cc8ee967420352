"""Text as the index sees it: terms, parts of compounds, query terms, hashes, words and passages.

Pure functions of a string; no language is detected for indexing and no dictionary is needed. One chain serves every
language: NFKC and case folding, words by regular expression, diacritics folded per script, a Snowball stemmer per
script, character bigrams where a script has no spaces.

The index has two namespaces of terms. *Plain* terms are what a text says. *Compound* terms carry the prefix `~` and
are what a word of the text is made of ("krankenversicherung" is indexed as itself and as "~versicherung" among
others). They are kept apart so that lengths, counts and idf of plain terms stay those of the text.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from hashlib import blake2b
from importlib import import_module
from itertools import pairwise
from threading import local
from typing import Protocol, cast

import numpy as np
from numpy.typing import NDArray

COMPOUND = "~"
"""Prefix of a compound term. No plain term starts with it: it is neither a letter, a digit nor an emoji."""

COMPOUND_WEIGHT = 0.5
"""Weight of a query word found as a part of a longer word of the text."""
PART_WEIGHT = 0.4
"""Weight of a part of a long query word found as a word of the text."""
CHARACTER_WEIGHT = 0.3
"""Weight of a single character of a query found inside a run of a script without spaces."""

_COMPOUND_MIN, _COMPOUND_MAX, _COMPOUND_STEM_MIN = 10, 40, 8
_PART_MIN, _PART_STEM_MIN, _REST_MIN = 5, 4, 4
_CACHED_WORDS = 1 << 16


# --- Characters -------------------------------------------------------------------------------------------------------

_HAN = "\u3005\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_HANGUL = "\u1100-\u11ff\u3131-\u318e\ua960-\ua97c\uac00-\ud7a3\ud7b0-\ud7fb"
_KANA = "\u3041-\u3096\u309d\u309e\u30a1-\u30fa\u30fc-\u30fe\u3105-\u312f\u31f0-\u31ff"
# Thai, Lao, Tibetan, Burmese, Khmer: letters and vowel signs, without digits and punctuation.
_SOUTH_EAST = "\u0e01-\u0e3a\u0e40-\u0e4e\u0e81-\u0ece\u0f40-\u0fbc\u1000-\u103f\u1050-\u109f\u1780-\u17d3"
_UNSPACED = _HAN + _HANGUL + _KANA + _SOUTH_EAST  # Korean has spaces, but its particles cling to the nouns.
_EMOJI = (
    "\u231a\u231b\u2328\u23cf\u23e9-\u23f3\u23f8-\u23fa\u2600-\u27bf\u2b05-\u2b07\u2b1b\u2b1c\u2b50\u2b55"
    "\U0001f000-\U0001f0ff\U0001f18e\U0001f191-\U0001f19a\U0001f300-\U0001f3fa\U0001f400-\U0001faff"
)
_FLAG = "\U0001f1e6-\U0001f1ff"

_HAN_CHARACTER = re.compile(f"[{_HAN}]")
_UNSPACED_CHARACTER = re.compile(f"[{_UNSPACED}]")

# A word starting with a letter may hold hyphens and apostrophes; "c++" and "c#" are words; "3,000", "7:30" and "1.5"
# are one number each. Every repeat is bounded: a longer run of letters (base64, keys) is cut, no cache
# holds a huge string and no match looks back far.
_ASCII_TOKEN = re.compile(
    r"[a-z](?:\+\+|#(?![a-z0-9])|[a-z0-9]{0,63}(?:[-'][a-z0-9]{1,64}){0,3})"
    r"|\d{1,3}(?:,\d{3}){1,6}(?!\d)(?:\.\d{1,32})?"
    r"|\d{1,64}(?:[.:]\d{1,32}){1,4}"
    r"|\d[a-z0-9]{0,63}"
)
_HYPHENS = re.compile("[-\u2010]")
_APOSTROPHES = re.compile("['\u2018\u2019]")
_SUFFIXED_NUMBER = re.compile(r"(\d+)(st|nd|rd|th|am|pm)")

# Marks on Latin, Greek, Cyrillic, Hebrew and Arabic letters.
_DIACRITICS = re.compile(
    "[\u0300-\u036f\u0483-\u0487\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed\u08ca-\u08ff"
    "\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]"
)
# Letters with no canonical decomposition but a customary Latin spelling; spellings of one letter that writers of
# Russian, Arabic and Persian mix freely; the Arabic stretching stroke.
_SPELLINGS = str.maketrans(
    {"æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ð": "d", "ł": "l", "þ": "th", "ı": "i", "ħ": "h", "ŋ": "ng", "ʼ": None}
    | {"ё": "е", "ٱ": "ا", "ى": "ي", "ی": "ي", "ک": "ك", "ـ": None}
)
# "and", "in", "like", "so" and "for" joined to the article, as in Larkey's light10; longest first.
_ARABIC_PREFIXES = ("وبال", "ولل", "وال", "بال", "كال", "فال", "ال", "لل")


def _ranges(characters: Iterable[int]) -> str:
    """The inside of a character class for ascending code points."""
    spans: list[list[int]] = []
    for point in characters:
        if spans and spans[-1][1] == point - 1:
            spans[-1][1] = point
        else:
            spans.append([point, point])
    return "".join(f"\\U{low:08x}-\\U{high:08x}" for low, high in spans)


@cache
def _long_mark_run() -> re.Pattern[str]:
    """More than 30 combining marks in a row, the first 30 captured."""
    marks = _ranges(point for point in range(0x300, 0x1F000) if unicodedata.combining(chr(point)))
    return re.compile(f"([{marks}]{{30}})[{marks}]+")


@cache
def _token() -> re.Pattern[str]:
    """The tokens of any folded text; on ASCII the same as `_ASCII_TOKEN`, which is compiled without tables."""
    spaced = f"[^\\W_{_UNSPACED}]"
    # Vowel signs of Devanagari and its kin are marks, and marks are not \w.
    marks = _ranges(
        point
        for point in range(0x300, 0x1F000)
        if unicodedata.category(chr(point)) in ("Mn", "Mc") and not _UNSPACED_CHARACTER.match(chr(point))
    )
    tail = f"(?:[{marks}]{{1,30}}{spaced}{{0,64}}){{0,32}}"
    return re.compile(
        f"[{_UNSPACED}]+"
        r"|\d{1,3}(?:[,٬]\d{3}){1,6}(?!\d)(?:[.٫]\d{1,32})?"
        r"|\d{1,64}(?:[.:٫]\d{1,32}){1,4}"
        f"|\\d{spaced}{{0,63}}{tail}"
        f"|[a-z](?:\\+\\+|#(?!{spaced}))"
        f"|{spaced}{{1,64}}{tail}(?:[-\u2010'\u2018\u2019]{spaced}{{1,64}}{tail}){{0,3}}"
        f"|[{_FLAG}]{{2}}|[{_EMOJI}]"
    )


_INVISIBLE = re.compile("[\u00ad\u061c\u180e\u200d-\u200f\u202a-\u202e\u2060-\u2069\ufe0e\ufe0f\ufeff]")


def _tokens(text: str) -> list[str]:
    """Words, numbers, runs without spaces and emoji of a text, in reading order, normalised (NFKC) and case-folded."""
    if text.isascii():
        return _ASCII_TOKEN.findall(text.lower())
    # Canonical ordering takes quadratic time in a run of marks, so runs are cut as in UAX 15's Stream-Safe format.
    text = _long_mark_run().sub(r"\1", text)
    text = _INVISIBLE.sub("", unicodedata.normalize("NFKC", text).casefold())
    return _token().findall(text)


def unspaced(token: str) -> bool:
    """Whether a token is a run of a script without reliable spaces."""
    return token[0] > "\u0e00" and _UNSPACED_CHARACTER.match(token) is not None


# --- Words ------------------------------------------------------------------------------------------------------------

_CONTRACTED = frozenset({"s", "re", "ll", "ve", "d", "m"})  # Ana's, they're, she'll, we've, I'd, I'm
_ELIDED = frozenset("ldjmtscn") | {"qu", "jusqu", "un", "all", "dell", "nell", "sull"}  # l'eau, qu'il, dell'acqua


def _folded(word: str) -> str:
    """A case-folded word without diacritics; й and the vowel signs of Indic scripts are letters and stay."""
    if word.isascii():
        return word
    letters = (c if "\u0400" <= c < "\u0530" else unicodedata.normalize("NFD", c) for c in word)
    return _DIACRITICS.sub("", "".join(letters)).translate(_SPELLINGS)


def _without_apostrophes(word: str) -> str:
    parts = _APOSTROPHES.split(word)
    if len(parts) > 1 and parts[-1] in _CONTRACTED:
        parts.pop()
    if len(parts) > 1 and parts[0] in _ELIDED:
        del parts[0]
    return "".join(parts)  # "don't" is often typed "dont"


def _short_number(digits: str) -> str:
    """Without leading zeros: "05" and "5" are one number in a date or a time; "007" is a name."""
    return str(int(digits)) if len(digits) <= 2 else digits


def _number(token: str) -> tuple[str, ...]:
    """The words of a token that starts with a digit."""
    if not token.isascii():
        token = "".join(str(unicodedata.decimal(c)) if c.isdecimal() else c for c in token)
        token = _folded(token.replace("٬", ",").replace("٫", "."))
    token = token.replace(",", "")
    if suffixed := _SUFFIXED_NUMBER.fullmatch(token):  # "5th" is 5; "7pm" and "7 pm" are the same
        digits, suffix = suffixed.groups()
        return (_short_number(digits), suffix) if suffix in ("am", "pm") else (_short_number(digits),)
    if ":" in token:
        hour, _, rest = token.partition(":")
        return (_short_number(hour) if rest == "00" else f"{_short_number(hour)}:{rest}",)  # 7:00 is 7
    if token.count(".") > 1:  # 12.05.2023, 10.0.0.1
        return tuple(map(_short_number, token.split(".")))
    return (_short_number(token) if token.isdecimal() else token,)


@lru_cache(_CACHED_WORDS)
def _words(token: str) -> tuple[str, ...]:
    """The folded words of one token that is not an unspaced run."""
    if token[0].isdecimal():
        return _number(token)
    if token[-1] in "+#":
        return (token,)
    pieces = (_folded(_without_apostrophes(piece)) for piece in _HYPHENS.split(token))
    return tuple(piece for piece in pieces if piece)


# --- Stems ------------------------------------------------------------------------------------------------------------


class _Stemmer(Protocol):
    def stemWord(self, word: str) -> str: ...  # noqa: N802
    def set_current(self, word: str) -> None: ...


_stemmers = local()  # A Snowball stemmer keeps the word it works on in itself: each thread has its own.


def _stemmer(language: str) -> _Stemmer:
    # The pure Python class itself: `snowballstemmer.stemmer()` would take PyStemmer where that is installed, whose
    # version need not agree, and one store may be written on two machines. Imported late, one language at a time.
    module = import_module(f"snowballstemmer.{language}_stemmer")
    return cast(_Stemmer, getattr(module, f"{language.title()}Stemmer")())


def _stem_with(language: str, word: str) -> str:
    held: dict[str, _Stemmer] = _stemmers.__dict__
    if language not in held:
        held[language] = _stemmer(language)
    stem = held[language].stemWord(word) or word
    held[language].set_current("")  # it would keep the word
    return stem


@lru_cache(_CACHED_WORDS)
def _stem(word: str) -> str:
    """The stem of a folded word by the script of its letters; words with digits and of other scripts stay."""
    if not word.isalpha() or len(word) < 3:
        return word
    if word.isascii():
        return _stem_with("english", word)
    point = ord(word[0])
    if 0x400 <= point < 0x530:
        return _stem_with("russian", word)
    if 0x370 <= point < 0x400:
        return _stem_with("greek", word)
    if 0x620 <= point < 0x780:
        prefix = next((p for p in _ARABIC_PREFIXES if word.startswith(p) and len(word) - len(p) >= 3), "")
        return _stem_with("arabic", word[len(prefix) :])
    return word


# --- Parts of compounds -----------------------------------------------------------------------------------------------

_VOWEL = re.compile("[aeiouy]")
# What a German, Dutch, Scandinavian or English word can start with: a vowel, one consonant, or one of these clusters.
_ONSET = re.compile(
    "(?:sch[lmnrw]?|chr?|[bcfgkp][lr]|[dtw]r|[gkp]n|[kq]w|qu|ps|pf[lr]?|ph|rh|s[cklmnptvw]|s[ckpt]r|s[pk]l|sh|squ"
    "|thr?|tw|wh|zw|[bcdfghjklmnpqrstvwxz])?[aeiouy]"
)
# Endings of words that are derived, not compounded: their last letters look like words ("combi-nation") but are none.
_DERIVED = re.compile(
    "(?:[aiu]tion|[cs]ion|ment|ness|able|ible|ship|[ai]lity|[aiou]rity|nity|ical|ance|ence|[ai]te|ative|ious|eous|uous"
    "|[aeiou]ry|[aeiou]ting|[ai]zing|[ai]sing|tely|ously|ingly|edly|ally|ably|ibly|ful|fully|less|less?ly|ism|ist"
    "|ically|iately|ologist|ology|ography)(?:s|d|ly|al|ally)?$"
)


def compound_parts(word: str) -> list[str]:
    """Stems of the beginnings and endings of a long word that could be words themselves.

    `word` is a folded word as `words` gives it. A word of 10 to 40 Latin letters is cut wherever both sides could be
    words by their sound: both have a vowel, the second starts as a word can start. Sides of 5 letters and more are
    given, each once, stemmed as `terms` stems a word; no dictionary is asked, so many are no words, and
    no question asks for those. A word with a derivational ending ("combination") gives only sides of 8 letters
    and more, one whose stem is shorter than 8 letters and anything else none.
    """
    return list(_parts(word))


@lru_cache(_CACHED_WORDS)
def _parts(word: str) -> tuple[str, ...]:
    size = len(word)
    if not (_COMPOUND_MIN <= size <= _COMPOUND_MAX and word.isascii() and word.isalpha()):
        return ()
    # "volunteering" is "volunt" with endings: nothing is joined in it.
    if len(_stem_with("english", word)) < _COMPOUND_STEM_MIN:
        return ()
    part_min = 8 if _DERIVED.search(word) else _PART_MIN
    parts: dict[str, None] = {}
    for cut in range(_REST_MIN, size - _REST_MIN + 1):
        first, last = word[:cut], word[cut:]
        if not (_ONSET.match(last) and _VOWEL.search(first)):
            continue
        for part in (first, last):
            if len(part) >= part_min and len(stem := _stem_with("english", part)) >= _PART_STEM_MIN:
                parts[stem] = None
    return tuple(parts)


@lru_cache(_CACHED_WORDS)
def _terms(token: str) -> tuple[str, ...]:
    return tuple(map(_stem, _words(token)))


def _joined(token: str) -> str:
    """The stem of a hyphenated word written as one ("wi-fi": "wifi"), or ''."""
    parts = _words(token)
    whole = "".join(parts)
    return _stem(whole) if len(parts) > 1 and whole.isalnum() and not token[0].isdecimal() else ""


@lru_cache(_CACHED_WORDS)
def _compounds(token: str) -> tuple[str, ...]:
    """The compound terms of one token that is not an unspaced run."""
    parts = [part for word in _words(token) for part in _parts(word)]
    if joined := _joined(token):
        parts.append(joined)
    return tuple(COMPOUND + part for part in parts)


def _bigrams(run: str) -> list[str]:
    return list(map("".join, pairwise(run))) if len(run) > 1 else [run]


def _characters(run: str) -> list[str]:
    """Characters of a run that are often words of their own: each Han character, and a leading Korean syllable."""
    if len(run) < 2:
        return []
    found = _HAN_CHARACTER.findall(run)
    return [run[0], *found] if "\uac00" <= run[0] <= "\ud7a3" else found


# --- Terms of a text --------------------------------------------------------------------------------------------------


def terms(text: str) -> list[str]:
    """Plain index terms of a text, in reading order, with repeats; stop words too.

    Never raises: what is no letter, digit or emoji (lone surrogates, control and bidi characters) separates words or
    is skipped. A word is one term: its stem without diacritics. "Ana's" gives "ana", "3,000" "3000", "7:00pm" "7"
    and "pm", "wi-fi" "wi" and "fi" (the joined "wifi" is a compound term: the text has two words, not three). A run
    of a script without reliable spaces gives its overlapping character bigrams, a lone character itself. An emoji is
    a term, without its skin tone; a joined sequence gives each of its emoji; a flag is one.
    """
    if text.isascii():
        return [term for token in _tokens(text) for term in _terms(token)]
    found: list[str] = []
    for token in _tokens(text):
        found += _bigrams(token) if unspaced(token) else _terms(token)
    return found


def index_terms(text: str) -> tuple[list[str], list[str]]:
    """`terms` of a text and its compound terms, each starting with `COMPOUND`, in reading order, with repeats.

    Compound terms are the parts of long Latin words (`compound_parts`), hyphenated words written as one, and, in a
    run without spaces, the characters that are often words of their own (Han, a leading Korean syllable): bigrams
    alone would not find the cat of "猫が好き" in "どんな猫ですか".
    """
    plain: list[str] = []
    compounds: list[str] = []
    for token in _tokens(text):
        if token[0] > "\u0e00" and unspaced(token):
            plain += _bigrams(token)
            compounds += [COMPOUND + character for character in _characters(token)]
            continue
        plain += _terms(token)
        if len(token) >= _COMPOUND_MIN or "-" in token or not token.isascii():
            compounds += _compounds(token)
    return plain, compounds


# --- Query terms ------------------------------------------------------------------------------------------------------

_STOP_WORDS = {
    language: frozenset(listed.split())
    for language, listed in {
        "en": """a about above after again against all also am an and any are arent as at be because been before being
            below between both but by can cannot cant could couldnt did didnt do does doesnt doing dont down during each
            else ever few for from further had hadnt has hasnt have havent having he hed her here hers herself him
            himself his how i id if ill im in into is isnt it its itself ive just let lets many may me might more most
            much must mustnt my myself no nor not of off on once only or other ought our ours ourselves out over own
            please same shall she should shouldnt so some such than that thats the their theirs them themselves then
            there these they theyre this those through to too under until up upon us very was wasnt we were werent what
            whatever whats when where which while who whom whos whose why will with within without wont would wouldnt
            you your youre yours yourself yourselves""",
        "de": """aber alle allem allen aller als also am an auch auf aus bei beim bin bis bist da damit dann das dass
            dein deine dem den denn der des dich die dies diese diesem diesen dieser dieses dir doch dort du durch ein
            eine einem einen einer eines er es etwas euch euer fur hab habe haben habt hast hat hatte hatten ich ihm ihn
            ihnen ihr ihre ihrem ihren ihrer im in ist ja jede jeder jedes jetzt kann kannst kein keine keinen konnen
            man mein meine meinem meinen meiner mich mir mit muss nach nicht noch nun nur ob oder ohne schon sehr sein
            seine seinem seinen seiner seit sich sie sind so soll sollte uber um und uns unser unsere unter viel viele
            vom von vor wann war waren warum was weil welche welchem welchen welcher welches wem wen wenn wer werde
            werden weshalb wie wieder wieso wieviel will wir wird wo woher wohin wollen worden wurde wurden zu zum zur
            zwischen""",
        "fr": """ai aie au aussi aux avais avait avec avez avoir avons c ce ceci cela celle celui ces cet cette combien
            comme comment d dans de des donc dont du elle elles en es est et etait etaient etait ete etes etre eux il
            ils j je l la laquelle le lequel les lesquels leur leurs lui m ma mais me meme mes moi mon n ne ni nos notre
            nous on ont ou par pas pendant plus pour pourquoi qu quand que quel quelle quelles quels qui quoi s sa sans
            se sera ses si son sont sous suis sur t ta te tes toi ton tu un une vos votre vous y""",
        "es": """a adonde al algo ante aquel aquella como con contra cual cuales cuando cuanta cuantas cuanto cuantos de
            del desde donde dos el ella ellas ellos en entre era eran eres es esa esas ese eso esos esta estaba estan
            estas este esto estos estoy fue fueron ha habia han has hasta hay he la las le les lo los mas me mi mis
            mucho muy nada ni no nos nosotros o os para pero por porque que quien quienes se ser si sin sobre son soy su
            sus tambien te tengo ti tiene tienen todo todos tu tus un una unas uno unos y ya yo""",
        "ru": """а без более был была были было быть в вам вас ваш весь во вот все всего всех вы где да даже для до его
            ее ей ему если есть еще же за здесь и из или им их к как какая какие какой какого какую каком когда кого
            кому кто куда ли либо мне меня мной мой моя мы на над нам нас наш не него нее нет ни них но ну о об он она
            они оно от откуда очень по под почему при про с сам свой своя себя сколько со так также такой там те тебе
            тебя то тогда того тоже той только том тот ты у уже чего чей чем что чтобы чье чья эта эти это этого этой
            этом этот я""",
    }.items()
}
_ENGLISH = _STOP_WORDS["en"]
_STOPPED_IN = {
    word: tuple(language for language, listed in _STOP_WORDS.items() if word in listed)
    for word in frozenset[str]().union(*_STOP_WORDS.values())
}
"""The languages whose stop word a word is."""


def stop_words(found: Iterable[str]) -> frozenset[str]:
    """The stop words of the language whose stop words are most of the given words; English when undecided.

    One language at a time, since a stop word of one is a noun of another: "war", "man", "hat", "son".
    """
    counts = dict.fromkeys(_STOP_WORDS, 0)
    for word in found:
        for language in _STOPPED_IN.get(word, ()):
            counts[language] += 1
    return _STOP_WORDS[max(counts, key=counts.__getitem__)]  # the first of equals: English


@dataclass(frozen=True, slots=True)
class QueryTerm:
    """One term to look up: exactly as it stands in the index, the prefix of a compound term included."""

    term: str
    weight: float
    """Factor on the term's score, in (0, 1]; 1 for a word of the question found as a word of the text."""
    compound: bool
    """Whether `term` is in the compound namespace."""


def query_terms(text: str) -> list[QueryTerm]:
    """Distinct terms to look up for a question, in its order, each with the largest weight that it has there.

    Stop words of the question's language are dropped unless nothing else is left. A word gives its plain term and,
    where a text may hold it inside another, its compound term; a long word its parts as plain terms ("Versicherung"
    in "Krankenversicherung", and the other way round); a hyphenated one is looked up joined too. Parts that are no
    words are given as well: the index does not have them.
    """
    tokens = _tokens(text)
    spoken = [word for token in tokens if not unspaced(token) for word in _words(token)]
    stop = stop_words(spoken)
    if all(word in stop for word in spoken) and not any(map(unspaced, tokens)):
        stop = frozenset[str]()
    weights: dict[str, float] = {}

    def look_up(term: str, weight: float) -> None:
        weights[term] = max(weight, weights.get(term, 0.0))

    for token in tokens:
        if unspaced(token):
            for bigram in _bigrams(token):
                look_up(bigram, 1.0)
            for character in [token] if len(token) == 1 else _characters(token):
                look_up(COMPOUND + character, CHARACTER_WEIGHT)
            continue
        kept = [word for word in _words(token) if word not in stop]
        for word in kept:
            stem = _stem(word)
            look_up(stem, 1.0)
            if len(stem) >= _PART_STEM_MIN and word.isascii() and word.isalpha():
                look_up(COMPOUND + stem, COMPOUND_WEIGHT)
            for part in _parts(word):
                look_up(part, PART_WEIGHT)
        if kept and (joined := _joined(token)):
            look_up(joined, 1.0)
            look_up(COMPOUND + joined, 1.0)
    return [QueryTerm(term, weight, term.startswith(COMPOUND)) for term, weight in weights.items()]


# --- Hashes -----------------------------------------------------------------------------------------------------------


@lru_cache(1 << 17)
def hash_term(term: str) -> int:
    """The 64-bit key of a term in the index: BLAKE2b-64 of its UTF-8, read little endian; in [0, 2**64).

    The same on every machine and for ever: it is stored. Two of a million distinct terms collide with a chance of
    3e-8 (birthday bound).
    """
    return int.from_bytes(blake2b(term.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")


def hash_terms(terms: Sequence[str]) -> NDArray[np.uint64]:
    """`hash_term` of each term: shape (len(terms),), dtype uint64."""
    return np.fromiter(map(hash_term, terms), dtype=np.uint64, count=len(terms))


# --- Names ------------------------------------------------------------------------------------------------------------


def words(text: str) -> list[str]:
    """The words of a text in reading order, case-folded and without diacritics, not stemmed.

    Words end as in `terms`; a run of a script without spaces is one word, for `named` to look into.
    """
    found: list[str] = []
    for token in _tokens(text):
        if unspaced(token):
            found.append(token)
        else:
            found += _words(token)
    return found


def content_words(words: Iterable[str]) -> list[str]:
    """These words without English stop words."""
    return [word for word in words if word not in _ENGLISH]


def named(name: str, question_words: frozenset[str]) -> bool:
    """Whether a question, given by its `words`, names someone: it has a word of the name.

    Words of one letter and English stop words ("Will", "May") do not count. A name in a script without spaces is
    looked for inside the question's runs ("田中" in "田中さんはどこ"); one in another script than Latin also matches
    in an inflected form ("Анна" in "где живёт Анны").
    """
    for word in words(name):
        if len(word) < 2 or word in _ENGLISH:
            continue
        if word in question_words:
            return True
        if word.isascii():
            continue
        if unspaced(word):
            if any(word in other for other in question_words):
                return True
        elif any(_stem(word) == _stem(other) for other in question_words if not other.isascii()):
            return True
    return False


# --- Passages ---------------------------------------------------------------------------------------------------------

# Best first; a cut is the end of a match.
_BOUNDARIES = (
    re.compile(r"\n(?=#{1,6}[ \t])"),  # before a Markdown heading
    re.compile(r"\n[ \t\r]*\n\s*"),  # after blank lines
    re.compile("\r?\n|\r|[\u2028\u2029]"),
    re.compile("[.!?…][\"'”’)\\]]*\\s+|[。！？؟۔।｡][\"'”’」』）]*\\s*"),  # after a sentence
    re.compile(r"\s+"),
)


def count_bytes3(text: str) -> int:
    """Tokens of a text, estimated as a third of its UTF-8 bytes, rounded up: an upper bound for most chat models."""
    return (len(text.encode("utf-8", "surrogatepass")) + 2) // 3


def _longest_fit(text: str, start: int, guess: int, fits: Callable[[int, int], bool]) -> int:
    """An end near the largest for which text[start:end] fits (within 1/32, or one character); at least start + 1.

    Gallops from `guess` characters and then halves, so only stretches of about a passage are counted.
    """
    rest = len(text) - start
    good, bad = 1, rest + 1
    size = min(guess, rest)
    while size < bad:
        if fits(start, start + size):
            good = size
            if size == rest:
                return len(text)
            size = min(size + size // 2 + 1, rest)
        else:
            bad = size
    while bad - good > max(1, good // 32):
        middle = (good + bad) // 2
        if fits(start, start + middle):
            good = middle
        else:
            bad = middle
    return start + good


def _best_cut(text: str, start: int, end: int) -> int:
    """The last boundary of the best kind in the last two thirds of [start, end); `end` where there is none."""
    earliest = start + (end - start) // 3
    for boundary in _BOUNDARIES:
        cut = start
        for match in boundary.finditer(text, earliest, end):
            cut = match.end()
        if cut > start:
            return cut
    return end


def passages(text: str, limit: int = 150, count: Callable[[str], int] | None = None) -> list[tuple[int, int]]:
    """Consecutive passages [start, end) of a text, in characters, that cover it completely; none for ''.

    Each has at most `limit` tokens by `count` (default `count_bytes3`), except a single character that alone has
    more. A text within the limit is one passage. A cut is made at the best boundary of a passage's last two thirds:
    before a heading or after a blank line, else after a line, a sentence, a space, else anywhere. `count` should grow
    with its text; it is asked only for stretches of about the limit, so the time is linear in the text.

    Raises ValueError for a limit below 1.
    """
    if limit < 1:
        raise ValueError(f"limit must be at least 1 token, not {limit}")
    counted = count or count_bytes3

    def fits(start: int, end: int) -> bool:
        return counted(text[start:end]) <= limit

    found: list[tuple[int, int]] = []
    start, guess = 0, 3 * limit
    while start < len(text):
        end = _longest_fit(text, start, guess, fits)
        guess = end - start
        if end < len(text):
            # Two passages of fair size instead of a full one and a last one of a few words.
            wanted = start + min(guess, max(1, (len(text) - start) * 2 // 3))
            cut = _best_cut(text, start, wanted)
            if fits(start, cut):
                end = cut
        found.append((start, end))
        start = end
    return found


# --- Forgetting -------------------------------------------------------------------------------------------------------


def forget() -> None:
    """Drop the words that this process keeps for speed: after an erasure none of them stays in memory."""
    for cached in (_words, _stem, _parts, _terms, _compounds, hash_term):
        cached.cache_clear()
