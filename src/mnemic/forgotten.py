"""What the user asks to be forgotten: from a request to the records that it lets fade.

    request    a derived record of kind "forget", of the user's own words
    matter     what it names: a statement ("that I live in Porto"), or a thing ("my ex", "Clara", "my old address")
    fades      its links of weight 0, to what says the matter and was said before it; and to its own words

A request that names a statement takes the claims of that statement out of their slot (`timeline`), and what says them
fades. Of a thing, the derived records that are about it fade, with the words that say them, and whatever else the same
speaker said of it: all words of the matter must be there, and what is the speaker's own must be called so ("my ex").
A file fades, by its passages, where a line that stood in it before the request tells the matter or what else fades of
it, until that line is gone; the file itself stays as it is for whoever opens it, and the receipt names it.

Nothing is deleted, and all of it is a function of what is held: erase, retire or undo the request, and it is as before.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from mnemic import reading, text
from mnemic.changes import FILE, Changes, Values, Wall, link_to
from mnemic.fading import FADED, FADES, FORGET
from mnemic.lookup import latest_of
from mnemic.records import loads
from mnemic.statements import USER, Statement, folded
from mnemic.stores.sqlite import Fields, Row, Snapshot
from mnemic.types import Entry

ASKED = "asked to be forgotten"
"""Why something is told no longer."""


def requests_in(statements: Iterable[Statement], source: str) -> Iterator[Statement]:
    """The statements of an episode, its requests to forget as the slots keep them that they mean.

    Only what comes from the user asks for anything.
    """
    for one in statements:
        if one.kind != FORGET:
            yield one
        elif source == "user":
            named: list[list[str]] = one.data.get("forgets") or []
            if one.relation != FORGET:  # a model may name the statement itself
                named = [[one.subject, one.relation, one.value]]
            data = {"forgets": True, "matter": one.text if one.relation != FORGET else one.value}
            bare = replace(one, valid_from=None, valid_to=None, precision=None, aliases=(), holds=True)
            for subject, relation, value in named:
                yield replace(bare, subject=subject, relation=relation, value=value, data=data)
            if not named:
                yield bare


# --- What is meant ----------------------------------------------------------------------------------------------------

_LEAD = re.compile(
    r"(?:please )?(?:(?:forget|delete|erase|remove|don't remember|don't store) )?"
    r"(?:(?:the fact|everything|anything|whatever|what|all)(?: that)? )?"
    r"(?:{me} (?:ever )?(?:told(?: you)?|said(?: to you)?|mentioned(?: to you)?|shared(?: with you)?)\b ?)?"
    r"(?:earlier |before )?(?:(?:about|of|that) )?(?:all )?"
)
_FORMER = re.compile(r"(?:old|previous|former|prior|last) ")
_SAYS = re.compile(r" (?:is|are|was|were|has|had|lives?|works?|likes?|can|will)\b")
"""Verbs of a statement, where a thing has none: "the user's sister is Clara"."""
_EMPTY = frozenset(
    [
        *("everything", "anything", "thing", "stuff", "everyth", "anyth", "all", "it", "that", "this"),
        *("one", "said", "told", "know", "user", "ever"),
    ]
)
"""Stems that name nothing."""
_RELATIONS: Mapping[str, frozenset[str]] = {
    noun: frozenset(relations.split())
    for relations, nouns in {
        "works_at works_as": "job work employer workplace profession occupation career",
        "born_on": "birthday birthdate",
        "age": "age",
        "name": "name",
        "allergic_to": "allergy allergies",
        "diet": "diet",
        "lives_in": "city hometown residence",
        "speaks": "languages",
        "partner": "partner",
        "pet": "pet pets",
    }.items()
    for noun in nouns.split()
}
"""Nouns that mean what a relation says without them."""
_QUESTIONS = (
    (r"where {me} lives?", ("lives_in",)),
    (r"where {me} works?", ("works_at",)),
    (r"how old {me} (?:is|am)", ("age",)),
    (r"when {me} was born", ("born_on", "age")),
)
_NAMED = ("partner", "relative", "friend", "pet")
"""Relations whose values are names."""


@dataclass(frozen=True, slots=True)
class Matter:
    """What a request names."""

    stems: frozenset[str]
    """Of the words that must all be there."""
    names: frozenset[str]
    """Those of them that are names, as they are written."""
    owned: str = ""
    """What is the speaker's own, in its words: "ex"."""
    former: bool = False
    """Whether it is the one before that is meant: "my old address"."""
    relations: frozenset[str] = frozenset()
    """What it means of them, where it is no thing: "where I live"."""


def matter_of(words: str, subject: str) -> Matter | None:
    """What the words of a request name; None where they name nothing in particular.

    `words` are in the third person, and `subject` is whose request it is.
    """
    me = "the user" if subject == USER else subject
    low = folded(words)
    lead = re.compile(_LEAD.pattern.replace("{me}", re.escape(me.casefold()))).match(low)
    at = lead.end() if lead else 0
    rest, low = words[at:], low[at:]
    for asks, relations in _QUESTIONS:
        if re.fullmatch(asks.replace("{me}", re.escape(me.casefold())), low):
            return Matter(frozenset(), frozenset(), relations=frozenset(relations))
    owned, former = "", False
    if low.startswith(f"{me.casefold()}'s ") and not _SAYS.search(low):
        owned = low.removeprefix(f"{me.casefold()}'s ")
        if (found := _FORMER.match(owned)) is not None:
            owned, former = owned[found.end() :], True
        rest = owned
    own = _own(me)
    names = frozenset(
        word
        for word in re.findall(r"\b[^\W\d_][\w'-]*", rest)
        if word[0].isupper() and not own.issuperset(text.terms(word))
    )
    stems = frozenset(reading.content(text.terms(rest))) - own - _EMPTY
    if not stems or not any(len(stem) > 1 for stem in stems):
        return None
    return Matter(stems, frozenset(word.removesuffix("'s") for word in names) - {"I"}, owned, former)


def _own(me: str) -> set[str]:
    """The terms that name the speaker."""
    return set(text.terms(me)) | {"user"}


def says(matter: Matter, words: str, *, by_assistant: bool = False) -> bool:
    """Whether a text speaks of a matter: one of the speaker who asks, or of an assistant who talks to them."""
    if not matter.stems or (by_assistant and _YOU.search(words) is None):
        return False
    if matter.owned:
        mine = r"your" if by_assistant else r"(?:my|our)"
        said = rf"\b{mine} {_before_it(matter)}{_thing(matter)}(?:'?s)?\b"
        return re.search(said, words.casefold().replace("’", "'")) is not None
    if not matter.stems.issubset(text.terms(words)):
        return False
    return all(re.search(rf"\b{re.escape(name)}\b", words) for name in matter.names)


def _thing(matter: Matter) -> str:
    return re.escape(matter.owned).replace(r"\ ", r"[\s-]+")


def _before_it(matter: Matter) -> str:
    return r"(?:old|previous|former|last) " if matter.former else r"(?:[\w'-]+ ){0,2}?"


_YOU = re.compile(r"\byou(?:r|'re|rs)?\b", re.IGNORECASE)


_LINES = re.compile(r"\n+|(?<=[.!?])\s+")
_OF_OTHERS = re.compile(
    r"[\W_]*([A-Z][\w-]+)(?:'s|’s| (?:is|was|has|had|and|lives?|lived|works?|worked|likes?|liked|moved|went|said)\b)"
)
"""How a line begins that is about somebody who is named."""
_PRONOUNS = frozenset(["i", "we", "he", "she", "they"])


def tell(matters: Sequence[Matter], words: str, subject: str) -> set[str]:
    """The lines of a file, in whosever words, that tell one of these matters of a subject's."""
    me = "the user" if subject == USER else subject
    return {line for line in _LINES.split(words) if any(_tells(matter, line, me) for matter in matters)}


def _tells(matter: Matter, line: str, me: str) -> bool:
    low = folded(line).replace("’", "'")
    if matter.owned:
        theirs = rf"(?:my|our|your|his|her|their|user's|{re.escape(me.casefold())}'s)"
        thing = _thing(matter)
        headed = not matter.former and re.match(rf"[\W_]*(?:user )?{thing}[*_]*\s*[:=]", low)
        return bool(headed) or re.search(rf"\b{theirs} {_before_it(matter)}{thing}(?:'?s)?\b", low) is not None
    if not matter.stems or not matter.stems.issubset(text.terms(line)):
        return False
    if not all(re.search(rf"\b{re.escape(name)}\b", line) for name in matter.names):
        return False
    about = _OF_OTHERS.match(line)
    if about is not None and about[1].casefold() not in _PRONOUNS:
        return bool(_own(me).intersection(text.terms(about[1]))) or about[1] in matter.names
    return len(matter.stems) > 1 or bool(matter.names) or re.search(rf"\b(?:i|user|{re.escape(me)})\b", low) is not None


def _matter_in(words: str, subject: str) -> Matter:
    """What a statement says of its subject, to be found in other words."""
    own = _own("the user" if subject == USER else subject)
    return Matter(frozenset(reading.content(text.terms(words))) - own, frozenset())


def is_about(matter: Matter, row: Fields, subject: str) -> bool:
    """Whether a derived record is about a matter of this subject's."""
    data = loads(row["data"], {})
    base, _, noun = str(data.get("relation", "")).partition(":")
    called = [row["subject"] or "", *loads(row["aliases"], [])]
    mine = folded(subject)
    theirs = any(folded(name) == mine or folded(name).startswith(f"{mine}'s ") for name in called)
    if not theirs and not matter.names:
        return False
    if matter.former and row["superseded_by"] is None:
        return False
    if matter.relations:
        return base in matter.relations and folded(called[0]) == mine
    if matter.owned:
        if matter.owned == folded(noun) or base in _RELATIONS.get(matter.owned, ()):
            return folded(called[0]) == mine
        prefix = f"{mine}'s {matter.owned}"
        said = re.search(rf"\b{re.escape(prefix)}\b", folded(row["text"] or ""))
        return said is not None or any(folded(name) == prefix for name in called)
    written = " ".join([row["text"] or "", *called])
    return matter.stems.issubset(text.terms(written)) and all(name in written for name in matter.names)


# --- What fades -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Request:
    """A request as it is held, and until when what was said is meant."""

    row: Fields
    subject: str
    matter: Matter | None
    asking: Mapping[str, Values]
    """The episodes that ask, by id."""
    taken: tuple[Mapping[str, Any], ...]
    """The claims that it takes out, each as its link keeps it, with its `episode`."""

    @property
    def until(self) -> tuple[int, int]:
        return max((row["time"], row["num"]) for row in self.asking.values())

    def reaches(self, episode: Fields) -> bool:
        """Whether an episode was said before the request, by who asks or by an assistant."""
        if episode["id"] in self.asking or (episode["time"], episode["num"]) > self.until:
            return False
        voices = {(row["speaker"], row["role"], row["source"]) for row in self.asking.values()}
        return (episode["speaker"], episode["role"], episode["source"]) in voices or _assists(episode)

    def names(self, derived: Fields) -> bool:
        """Whether a derived record is about the matter."""
        return self.matter is not None and derived["kind"] != FORGET and is_about(self.matter, derived, self.subject)

    def means(self, episode: Fields) -> bool:
        """Whether the words of an episode speak of the matter."""
        if self.matter is None or not self.reaches(episode):
            return False
        return says(self.matter, episode["text"] or "", by_assistant=_assists(episode))


def _assists(episode: Fields) -> bool:
    return episode["role"] == "assistant" and episode["speaker"] is None


def faded(tx: Snapshot, wall: Wall, episodes: Sequence[str], done: Changes) -> Changes:
    """What fades, and what no longer does, after these episodes were derived anew, which changed this.

    Without a request in the wall it costs one look into an index.
    """
    changes = Changes("derive", wall.tenant)
    rows = latest_of(tx, [row["id"] for row in tx.rows("requests_to_forget", wall=wall.number)])
    if not rows:
        return changes
    links = _links(tx, rows)
    fading = _links(tx, rows, FADES)
    targets = latest_of(tx, sorted({link["target_id"] for some in links.values() for link in some}))
    new = latest_of(tx, list(episodes)).values()
    changed = _changed(tx, done)
    for id_, row in rows.items():
        held = fading.get(id_, [])
        if not _is_held(row):
            changes.unlinks += [link["row"] for link in held]
            changes.entries += [Entry(link["target_id"], "restored", "no longer " + ASKED) for link in held]
            continue
        request = _request(row, links.get(id_, []), targets)
        if not request.asking:
            continue
        again = not request.asking.keys().isdisjoint(episodes)
        if id_ in changed or again or any(map(request.reaches, new)) or any(map(request.names, changed.values())):
            _settle(tx, changes, row, held, _wanted(tx, wall, request))
    return changes


def _settle(tx: Snapshot, changes: Changes, row: Values, held: Sequence[Row], wanted: Collection[str]) -> None:
    """Draw the links of a request that are wanted, and take back those that no longer are."""
    there = {link["target_id"] for link in held}
    for link in held:
        if link["target_id"] not in wanted:
            changes.unlinks.append(link["row"])
            changes.entries.append(Entry(link["target_id"], "restored", "no longer " + ASKED))
    new = latest_of(tx, sorted(set(wanted) - there)).values()
    for one in sorted(new, key=lambda one: one["num"] or 0):  # as they came: ids of one millisecond have no order
        changes.links.append({**link_to(row, one["id"], FADES), "weight": 0.0})
        still = f"; the file {_path(one)} itself still says so" if one["kind"] == FILE else ""
        changes.entries.append(Entry(one["id"], FADED, ASKED + still))


def _path(file: Fields) -> str:
    return file["key"].partition("//")[0]


def _request(row: Values, links: Sequence[Row], targets: Mapping[str, Values]) -> _Request:
    data = loads(row["data"], {})
    asking: dict[str, Values] = {}
    taken: list[Mapping[str, Any]] = []
    for link in links:
        episode = targets.get(link["target_id"])
        kept = loads(link["data"], None)
        if episode is None or kept is None or not _is_held(episode):
            continue
        if kept["content"]["kind"] == FORGET:
            asking[episode["id"]] = episode
        else:
            taken.append({**kept, "episode": episode["id"]})
    speakers = {episode["speaker"] for episode in asking.values()}
    subject = next(iter(speakers)) or USER if len(speakers) == 1 else USER
    matter = matter_of(str(data.get("matter") or data.get("value") or ""), subject)
    return _Request(row, subject, matter, asking, tuple(taken))


def _wanted(tx: Snapshot, wall: Wall, request: _Request) -> set[str]:
    """All that a request lets fade."""
    wanted = {*request.asking, *(claim["episode"] for claim in request.taken), *_of_the_same_words(tx, request)}
    matter = request.matter
    if matter is None:
        return wanted | set(_in_files(tx, wall, request, [], ()))
    held = tx.rows("derived_held", wall=wall.number)
    about = _records_about(tx, held, request, matter)
    called = [
        Matter(frozenset(text.terms(name)), frozenset([name]))
        for row, _ in about
        for name in _names_given(matter, row, request.subject)
    ]
    for other in called:
        about += _records_about(tx, held, request, other)
    for row, said_by in about:
        wanted |= {row["id"], *said_by}
    for one in (matter, *called):
        wider = replace(request, matter=one)
        for row in _with(tx, wall, one, "episodes_like"):
            if wider.means(row):
                wanted.add(row["id"])
    return wanted | set(_in_files(tx, wall, request, [matter, *called], [row["text"] for row, _ in about]))


def _in_files(
    tx: Snapshot, wall: Wall, request: _Request, matters: Sequence[Matter], statements: Iterable[str | None]
) -> Iterator[str]:
    """The passages of files that tell matters, or what these statements and the claims taken out say."""
    every = [*statements, *(claim["content"].get("text") for claim in request.taken)]
    sought = [*matters, *(_matter_in(words, request.subject) for words in every if words)]
    found = {row["id"]: row for one in sought for row in _with(tx, wall, one, "files_like")}
    for id_, row in found.items():
        told = tell(sought, row["text"], request.subject)
        if told and row["source"] in ("assistant", "user") and told & _lines_before(tx, wall, request, row):
            yield id_


def _lines_before(tx: Snapshot, wall: Wall, request: _Request, row: Fields) -> set[str]:
    """The lines that stood in the file of a passage before the request."""
    rows = tx.rows("passages_ever", wall=wall.number, fingerprints=json.dumps([row["fingerprint"]]))
    return {line for one in rows if one["time"] < request.until[0] for line in _LINES.split(one["text"])}


def _names_given(matter: Matter, row: Fields, subject: str) -> Iterator[str]:
    """The name of the one whom a matter means, where a record says it: "Ana's sister is Clara"."""
    data = loads(row["data"], {})
    base, _, noun = str(data.get("relation", "")).partition(":")
    value = str(data.get("value", ""))
    theirs = matter.owned == folded(noun) and folded(row["subject"] or "") == folded(subject)
    if base in _NAMED and theirs and value[:1].isupper() and data.get("holds", True):
        yield value


def _of_the_same_words(tx: Snapshot, request: _Request) -> Iterator[str]:
    """What else is derived from the words of a claim that is taken out and tells its value: "moved to Porto"."""
    episodes = json.dumps(sorted({claim["episode"] for claim in request.taken}))
    links = [
        link
        for link in tx.rows("links_to", ids=episodes, role="derived_from")
        if link["retired_at"] is None and link["data"] is not None
    ]
    rows = latest_of(tx, sorted({link["source_id"] for link in links})).values()
    held = {row["id"]: row for row, _ in _before(tx, request, [row for row in rows if _is_held(row)])}
    for link in links:
        row, kept = held.get(link["source_id"]), json.loads(link["data"])
        if row is None or row["kind"] == FORGET:
            continue
        written = text.terms(row["text"] or "")
        for claim in request.taken:
            same = claim["episode"] == link["target_id"]
            if same and claim["start"] < kept["stop"] and kept["start"] < claim["stop"]:
                value = text.terms(claim["content"]["value"])
                if value and set(value).issubset(written):
                    yield row["id"]


def _records_about(
    tx: Snapshot, held: Iterable[Fields], request: _Request, matter: Matter
) -> list[tuple[Fields, list[str]]]:
    """What is derived about a matter and was all said before the request; each with the episodes that say it."""
    return _before(tx, request, [row for row in held if is_about(matter, row, request.subject)])


def _before(tx: Snapshot, request: _Request, rows: Iterable[Fields]) -> list[tuple[Fields, list[str]]]:
    """Those of these derived records of which all was said before a request, by who asks; each with the episodes."""
    found = list(rows)
    links = _links(tx, [row["id"] for row in found])
    episodes = latest_of(tx, sorted({link["target_id"] for some in links.values() for link in some}))
    kept: list[tuple[Fields, list[str]]] = []
    for row in found:
        said_by = [episodes[link["target_id"]] for link in links.get(row["id"], ()) if link["target_id"] in episodes]
        said_by = [episode for episode in said_by if episode["kind"] == "episode"]
        if said_by and all(request.reaches(episode) or episode["id"] in request.asking for episode in said_by):
            kept.append((row, [episode["id"] for episode in said_by if _is_held(episode)]))
    return kept


def _with(tx: Snapshot, wall: Wall, matter: Matter, query: str) -> Iterator[Row]:
    """The episodes, or files, that may speak of a matter: those with the beginning of its longest word."""
    if not matter.stems:
        return
    word = max(matter.stems, key=len)[:4]
    pattern = f"%{word}%" if word.isascii() and word.isalnum() else "%"  # LIKE folds no other letters
    for chunk in tx.stream(query, wall=wall.number, pattern=pattern):
        yield from chunk


def _changed(tx: Snapshot, done: Changes) -> dict[str, Fields]:
    """The derived records that changed, or what they rest on: as they are now, or were."""
    ids = {closing.values["id"] for closing in done.closings} | {opening.values["id"] for opening in done.openings}
    ids |= {link["source_id"] for link in done.links}
    if done.unlinks:
        ids |= {row["source_id"] for row in tx.rows("links_numbered", rows=json.dumps(done.unlinks))}
    return dict(latest_of(tx, sorted(ids)))


def _links(tx: Snapshot, ids: Iterable[str], role: str = "derived_from") -> dict[str, list[Row]]:
    """The edges of a role that leave these records and are held, by the record's id."""
    found: dict[str, list[Row]] = {}
    for link in tx.rows("links_from", ids=json.dumps(list(ids)), role=role):
        if link["retired_at"] is None:
            found.setdefault(link["source_id"], []).append(link)
    return found


def _is_held(row: Fields) -> bool:
    edited = row["kind"] == "episode" and row["superseded_by"] is not None
    return row["retired_at"] is None and row["erased_by"] is None and not edited
