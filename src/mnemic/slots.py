"""Questions that one form of statement answers: "Where do I live?" by what "The user lives in …" says.

Statements that are derived have fixed forms (`relations.json`), and the plainest questions ask for the blank in one of
them. English, as the forms are; a question that is asked in another way has no slot, and nothing follows from that.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Slot:
    """How the statements that answer begin, and what stands behind the blank."""

    beginnings: tuple[str, ...]
    end: str = ""
    is_name: bool = False
    """Whether only a name can fill the blank."""
    about: str = "the user"
    """Whom it is about, as statements say it, in lower case."""

    def is_of_others(self, statement: str) -> bool:
        """Whether a statement has this form, and is about somebody else."""
        forms = [beginning.removeprefix(self.about) for beginning in self.beginnings]
        return self.value(statement) is None and any(f"{form} " in statement.lower() for form in forms if len(form) > 3)

    def value(self, statement: str) -> str | None:
        """What a statement has in the blank, in its own words; None where it is of another form."""
        words = statement.strip().removesuffix(".")
        for beginning in self.beginnings:
            if words.lower().startswith(f"{beginning} ") and words.endswith(self.end):
                found = words[len(beginning) + 1 : len(words) - len(self.end)].strip()
                if found and (found[0].isupper() or not self.is_name):
                    return found
        return None


# Who: "I", "the user", "Ana", "my sister", "Ana's sister"; whose: "my", "Ana's".
_WHOSE = r"(?:my|our|the user's|[\w.-]+(?: [\w.-]+)?'s)"
_WHO = rf"(?:i|the user|{_WHOSE} [\w-]+(?: [\w-]+)?|[\w.-]+(?: [\w.-]+)?)"


@dataclass(frozen=True, slots=True)
class _Form:
    pattern: re.Pattern[str]
    beginnings: tuple[str, ...]
    end: str
    is_name: bool


def _form(pattern: str, *beginnings: str, end: str = "", is_name: bool = False) -> _Form:
    pattern = pattern.replace("WHOSE", f"(?P<whose>{_WHOSE})").replace("WHO", f"(?P<who>{_WHO})")
    return _Form(re.compile(pattern), beginnings, end, is_name)


_CALLED = ("{whose} {noun} is called", "{whose} {noun} is")
_FORMS = (
    _form(r"where do(?:es)? WHO (?:currently )?live", "{who} lives in"),
    _form(r"where (?:is|am) WHO living", "{who} lives in"),
    _form(r"(?:which|what) (?:city|town|village|country|place) do(?:es)? WHO live in", "{who} lives in"),
    _form(r"where do(?:es)? WHO (?:currently )?work", "{who} works at"),
    _form(r"(?:who|what company|which company) do(?:es)? WHO work (?:for|at)", "{who} works at"),
    _form(r"what(?:'s| is) WHOSE (?:current )?(?:job|profession|occupation)", "{who} works as"),
    _form(r"what do(?:es)? WHO do for (?:a living|work)", "{who} works as"),
    _form(r"where (?:is|are|am) WHO (?:originally )?from", "{who} is from"),
    _form(r"where do(?:es)? WHO come from", "{who} is from"),
    _form(r"how old (?:is|are|am) WHO", "{who} is", end=" years old"),
    _form(r"(?:what|which)(?:'s| is) WHOSE fav(?:ou|o)rite (?P<noun>[\w -]+)", "{whose} favourite {noun} is"),
    _form(r"what(?:'s| is) WHOSE name", "{who} is called", "{who} is", is_name=True),
    _form(r"what(?:'s| is) WHOSE (?P<noun>[\w-]+) called", *_CALLED, is_name=True),
    _form(r"what(?:'s| is) WHOSE (?P<noun>[\w-]+)'s name", *_CALLED, is_name=True),
    _form(r"what(?:'s| is) the name of WHOSE (?P<noun>[\w-]+)", *_CALLED, is_name=True),
    _form(r"who(?:'s| is) WHOSE (?P<noun>[\w-]+)", "{whose} {noun} is", is_name=True),
)
_NOW = re.compile(r" (?:now|today|currently|right now|at the moment|these days)$")
_OPENING = re.compile(r"^(?:(?:and|so|please|well|ok|hey),? |(?:can you |please )?(?:tell|remind) me,? )+")


def asked(question: str) -> Slot | None:
    """The slot that a question asks for; None where it asks for something else, or for how things were."""
    words = " ".join(question.replace("’", "'").split()).rstrip("?!. ").lower()
    words = _NOW.sub("", _OPENING.sub("", words))
    for form in _FORMS:
        if (match := form.pattern.fullmatch(words)) is not None:
            named = _named(match.groupdict())
            beginnings = tuple(one.format(**named) for one in form.beginnings)
            return Slot(beginnings, form.end, form.is_name, named["who"])
    return None


def _named(found: dict[str, str | None]) -> dict[str, str]:
    """Subject, possessive and noun as statements write them, in lower case."""
    whose = found.get("whose") or ""
    whose = "the user's" if whose in ("my", "our", "the user's") else whose
    who = found.get("who") or whose.removesuffix("'s")
    who = re.sub(r"^(?:my|our) ", "the user's ", who)
    return {"who": "the user" if who in ("i", "the user") else who, "whose": whose, "noun": found.get("noun") or ""}
