"""The graph of MCP's reference memory server: a line for each entity and relation, or what `read_graph` gives."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from mnemic.importers.files import Part, elements, json_line, lines
from mnemic.importers.values import (
    Item,
    Json,
    Skipped,
    Stated,
    digest,
    mapping,
    present,
    sequence,
    text_of,
)

LOOKS_FOR = 'lines such as {"type": "entity", "name": …, "observations": […]}'


def is_one(value: Json) -> bool:
    """Whether a JSON object is a line of the server's file."""
    return (value.get("type") == "entity" and "observations" in value) or (
        value.get("type") == "relation" and "relationType" in value
    )


def read(parts: Sequence[Part]) -> Iterator[Item]:
    """Each observation as a fact about its entity, each relation as a relationship."""
    seen: set[str] = set()
    for part in parts:
        for number, line in lines(part):
            where = f"'{part.name}', line {number}"
            for item in _line(mapping(json_line(part, number, line)), where):
                if isinstance(item, Stated) and item.id in seen:
                    yield Skipped(where, "told before")
                    continue
                if isinstance(item, Stated):
                    seen.add(item.id)
                yield item


def read_graph(parts: Sequence[Part]) -> Iterator[Item]:
    """The same from one JSON object with "entities" and "relations"."""
    for part in parts:
        for element in elements(part):
            kind = {"entities": "entity", "relations": "relation"}.get(str(element.key))
            if kind is not None and element.index is not None:
                yield from _line({**mapping(element.value), "type": kind}, element.where)


def _line(value: Json, where: str) -> Iterator[Item]:
    if value.get("type") == "entity":
        yield from _entity(value, where)
    elif value.get("type") == "relation":
        yield _relation(value, where)
    else:
        yield Skipped(where, f"the type {value.get('type')!r:.40}, which is neither entity nor relation")


def _entity(value: Json, where: str) -> Iterator[Item]:
    name, kind = text_of(value.get("name")), text_of(value.get("entityType"))
    if name is None:
        yield Skipped(where, "an entity without a name")
        return
    # Without it an entity of which nothing was observed would be lost, and the types of all.
    text, data = entity_record(name, kind or "")
    yield Stated(digest("entity", name), text, "entity", name, data=data)
    for observation in sequence(value.get("observations")):
        if (text := text_of(observation)) is None:
            yield Skipped(where, "an observation that is no text")
        else:
            yield Stated(digest("observation", name, text), text, "fact", name, metadata=present(entity_type=kind))


def _relation(value: Json, where: str) -> Item:
    one, other, relation = (text_of(value.get(key)) for key in ("from", "to", "relationType"))
    if one is None or other is None or relation is None:
        return Skipped(where, "a relation that lacks 'from', 'to' or 'relationType'")
    text, data = relation_record(one, relation, other)
    return Stated(digest("relation", one, relation, other), text, "relationship", one, data=data)


# -- as records, for whoever else keeps such graphs


def entity_record(name: str, kind: str) -> tuple[str, dict[str, Any]]:
    """The text and the data of an entity's record, whose subject is its name."""
    return f"{name} ({kind})" if kind.strip() else name, {"entity_type": kind}


def relation_record(one: str, relation: str, other: str) -> tuple[str, dict[str, Any]]:
    """The text and the data of a relation's record, whose subject is where it begins; as derivation has them."""
    return f"{one} {relation.replace('_', ' ')} {other}.", {"relation": relation, "value": other}
