"""Zep and Graphiti: a graph as JSON, an object with "episodes", "nodes" and "edges".

The fields are those of Graphiti's classes: an episode's words are under "content", an edge's under "fact", with
`valid_at` and `invalid_at` (when it was true) and `created_at` and `expired_at` (when the graph held it). The names
that Zep's answers use for the same lists are known, too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from mnemic.importers.files import Part, elements
from mnemic.importers.values import (
    Item,
    Json,
    Said,
    Skipped,
    Stated,
    digest,
    mapping,
    name_of,
    present,
    sequence,
    short_id,
    text_of,
    time_of,
)

LOOKS_FOR = "an object with 'episodes', 'nodes' or 'edges'"
EPISODES = ("episodes", "episodic_nodes")
NODES = ("nodes", "entity_nodes", "entities")
EDGES = ("edges", "entity_edges", "facts")
_ROLES = {"user": "user", "human": "user", "assistant": "assistant", "ai": "assistant", "system": "system"}


def is_one(value: Json) -> bool:
    """Whether a JSON object is an edge of the graph."""
    return isinstance(value.get("fact"), str)


def read(parts: Sequence[Part]) -> Iterator[Item]:
    """Episodes, then facts, then what the graph has summed up of its nodes."""
    for part in parts:
        for element in elements(part, lambda key: key in EPISODES):
            yield _episode(mapping(element.value), element.where)
    nodes = _nodes(parts)
    yield from _edges(parts, nodes)
    for id_, node in nodes.items():
        if "summary" in node and "content" not in node:
            yield _summary(id_, node)


def _nodes(parts: Sequence[Part]) -> dict[str, Json]:
    """What is needed of each node, by its id."""
    nodes: dict[str, Json] = {}
    for part in parts:
        for element in elements(part, lambda key: key in NODES):
            node = mapping(element.value)
            if (id_ := name_of(node.get("uuid"))) is not None:
                nodes[id_] = present(
                    name=text_of(node.get("name")),
                    summary=text_of(node.get("summary")),
                    labels=[label for label in sequence(node.get("labels")) if label != "Entity"],
                    created_at=node.get("created_at"),
                    group=name_of(node.get("group_id")),
                    content=text_of(node.get("content")),
                )
    return nodes


def _edges(parts: Sequence[Part], nodes: Mapping[str, Json]) -> Iterator[Item]:
    """The facts. What was taken over comes before what took over from it."""
    successors = _successors(parts)
    over: list[Stated] = []
    for taken_over in (True, False):
        for part in parts:
            for element in elements(part, lambda key: key in EDGES):
                edge = _edge(mapping(element.value), element.where, nodes, successors)
                if not isinstance(edge, Stated) or edge.superseded_by is None:
                    if not taken_over:
                        yield edge
                elif taken_over:
                    over.append(edge)
        yield from sorted(over, key=lambda edge: str(edge.valid_to))
        over.clear()


def _episode(value: Json, where: str) -> Item:
    text = text_of(value.get("content"))
    if text is None:
        return Skipped(where, "an episode without words under 'content'")
    role = _ROLES.get(str(value.get("role_type") or value.get("role")).lower())
    return Said(
        id=short_id(name_of(value.get("uuid")) or digest(dict(value))),
        text=text,
        role=role or "document",
        name=text_of(value.get("role")) if role is not None and value.get("role_type") else None,
        time=time_of(value.get("valid_at")) or time_of(value.get("reference_time")) or time_of(value.get("created_at")),
        session=_session(value),
        metadata=present(
            title=text_of(value.get("name")),
            kind=text_of(value.get("source")),
            description=text_of(value.get("source_description")),
            group=name_of(value.get("group_id")),
        ),
        owner=name_of(value.get("group_id")),
    )


def _session(value: Json) -> str | None:
    session = name_of(value.get("session_id")) or name_of(value.get("thread_id"))
    return None if session is None else short_id(session)


def _edge(value: Json, where: str, nodes: Mapping[str, Json], successors: Mapping[str, str]) -> Item:
    text = text_of(value.get("fact"))
    if text is None:
        return Skipped(where, "an edge without words under 'fact'")
    id_ = name_of(value.get("uuid")) or digest(dict(value))
    begins, ends = time_of(value.get("valid_at")), time_of(value.get("invalid_at")) or time_of(value.get("expired_at"))
    if isinstance(begins, datetime) and isinstance(ends, datetime) and ends < begins:
        begins, ends = ends, ends  # the graph held it from one moment to an earlier one: it was true at no time
    source, target = (nodes.get(str(value.get(name)), {}) for name in ("source_node_uuid", "target_node_uuid"))
    return Stated(
        id=id_,
        text=text,
        subject=source.get("name"),
        time=time_of(value.get("reference_time")) or begins or time_of(value.get("created_at")),
        valid_from=begins,
        valid_to=ends,
        evidence=tuple(short_id(one) for one in map(name_of, sequence(value.get("episodes"))) if one is not None),
        superseded_by=successors.get(id_),
        data=present(relation=text_of(value.get("name")), value=target.get("name")),
        metadata=present(
            created_at=text_of(value.get("created_at")),
            expired_at=text_of(value.get("expired_at")),
            attributes=mapping(value.get("attributes")),
            group=name_of(value.get("group_id")),
        ),
        owner=name_of(value.get("group_id")),
    )


def _successors(parts: Sequence[Part]) -> dict[str, str]:
    """Which edge took over from which. The graph does not say; but it ends an edge when the one against it begins.

    So it is the one edge of the same source node, and relation if several do, that begins when this one ends.
    """
    ended: dict[str, tuple[str, str, str]] = {}
    begun: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for part in parts:
        for element in elements(part, lambda key: key in EDGES):
            edge = mapping(element.value)
            id_, node, name = (str(edge.get(key)) for key in ("uuid", "source_node_uuid", "name"))
            begins, ends = (time_of(edge.get(key)) for key in ("valid_at", "invalid_at"))
            if begins is not None:
                begun.setdefault((node, str(begins)), []).append((id_, name))
            if ends is not None and ends != begins:
                ended[id_] = (node, name, str(ends))
    found: dict[str, str] = {}
    for id_, (node, name, at) in ended.items():
        others = [other for other in begun.get((node, at), ()) if other[0] != id_]
        same = [other for other in others if other[1] == name]
        for choice in (others, same):
            if len(choice) == 1:
                found[id_] = choice[0][0]
    return found


def _summary(id_: str, node: Json) -> Item:
    return Stated(
        id=f"{id_}/summary",
        text=node["summary"],
        kind="summary",
        subject=node.get("name"),
        time=time_of(node.get("created_at")),
        metadata=present(labels=node.get("labels"), group=node.get("group")),
        owner=node.get("group"),
    )
