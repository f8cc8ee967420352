"""Folders of Markdown: Obsidian, basic-memory, or just notes. Each section of a note is a passage of its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import PurePosixPath

from mnemic.importers.files import Part
from mnemic.importers.values import Item, Said, Skipped, Stated, digest, name_of, present, short_id, time_of
from mnemic.markdown import Note, Observation, Relation, Section, note

LOOKS_FOR = "a .md file, or a folder with some"
ENDINGS = (".md", ".markdown", ".mdx")
LARGEST = 10_000_000
KINDS = frozenset(
    ("fact", "preference", "event", "decision", "goal", "instruction", "lesson", "procedure", "question", "profile")
)
"""Categories of observations that are kinds of Mnemic's; others are facts, and keep their category as metadata."""


def read(parts: Sequence[Part]) -> Iterator[Item]:
    """Each section as a document, each observation as a statement about the note, each relation as a relationship."""
    for part in parts:
        if not part.name.lower().endswith(ENDINGS):
            yield Skipped(f"'{part.name}'", "no Markdown by its name")
        elif part.size > LARGEST:
            yield Skipped(f"'{part.name}'", f"larger than {LARGEST / 1e6:.0f} MB")
        else:
            with part.text() as stream:
                text = stream.read()
            changed = datetime.fromtimestamp(part.path.stat().st_mtime, UTC)
            yield from items_of(note(text), part.name, changed)


def items_of(found: Note, name: str, changed: datetime) -> Iterator[Item]:
    """What a note holds. `name` is its path within the folder, `changed` when it was."""
    if not found.sections:
        yield Skipped(f"'{name}'", "nothing in it")
    about = present(
        path=name,
        title=title_of(found, name),
        tags=list(found.tags),
        links=list(found.links),
        front={key: value for key, value in found.front.items() if key not in ("title", "tags")},
    )
    time = time_of(found.front.get("created")) or time_of(found.front.get("date")) or changed
    for section in found.sections:
        yield Said(
            id=section_id(found, name, section),
            text=section.text,
            role="document",
            time=time,
            session=short_id(handle_of(found, name)),
            metadata={**about, **present(section=" / ".join(section.path))},
        )
        for observation in section.observations:
            yield observed(found, name, section, observation, time)
        for relation in section.relations:
            yield related(found, name, section, relation, time)


def title_of(found: Note, name: str) -> str:
    """What a note is called: what it says, else its file's name."""
    return found.title or PurePosixPath(name).stem


def handle_of(found: Note, name: str) -> str:
    """What a note is known by: its permalink, which a rename leaves as it is, else its path."""
    return name_of(found.front.get("permalink")) or name


def section_id(found: Note, name: str, section: Section) -> str:
    """What a section is known by, whatever its text becomes."""
    handle = handle_of(found, name)
    return short_id(f"{handle}#{section.anchor}" if section.anchor else handle)


def observed(found: Note, name: str, section: Section, one: Observation, time: str | datetime | None) -> Stated:
    """An observation as a statement about its note."""
    category = one.category.lower()
    return Stated(
        id=digest(handle_of(found, name), "observation", one.category, one.text),
        text=one.text,
        kind=category if category in KINDS else "fact",
        subject=title_of(found, name),
        time=time,
        evidence=(section_id(found, name, section),),
        metadata=present(
            path=name,
            tags=list(one.tags),
            context=one.context,
            category=None if category in KINDS else one.category,
        ),
    )


def related(found: Note, name: str, section: Section, one: Relation, time: str | datetime | None) -> Stated:
    """A relation as a statement: who, how, and to whom."""
    subject = title_of(found, name)
    return Stated(
        id=digest(handle_of(found, name), "relation", one.relation, one.target),
        text=f"{subject} {one.relation.replace('_', ' ')} {one.target}.",
        kind="relationship",
        subject=subject,
        time=time,
        evidence=(section_id(found, name, section),),
        data={"relation": one.relation, "value": one.target},
        metadata=present(path=name, context=one.context),
    )
