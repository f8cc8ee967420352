"""The nine tools of MCP's reference memory server, on the records of a memory.

    entity        a record of kind "entity": subject = its name, key = "entity:NAME", data = {"entity_type"}
    observation   a record of kind "fact": subject = the entity's name, text = the observation, word for word
    relation      a record of kind "relationship": subject = from, data = {"relation", "value"}: its type, and to

So the importer of that server's file writes them, and derivation its relationships. Whatever is known of an entity's
name, by whatever way it came to be known, is among its observations; ordinary searches find all of it; nothing is
overwritten; and a deletion retires, which can be taken back.

Shapes and words of the answers are those of the reference server. Where a graph is larger than a result may be, the
entities that changed last are given; what was left out is told in a second block of text, so that the first one and
the structured content stay what its clients know.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, cast

from mnemic.errors import InputError, nearest
from mnemic.importers.graph import entity_record, relation_record
from mnemic.serve.mcp import schema
from mnemic.serve.mcp.desk import Caller, Desk, Terms
from mnemic.serve.mcp.schema import Json
from mnemic.serve.mcp.told import Told, counted, fitted
from mnemic.serve.mcp.tools import Tool
from mnemic.types import Record, ScopeArgs

URI: Final = "memory://knowledge-graph"
ENTITY, OBSERVATION, RELATION = "entity", "fact", "relationship"
PAGE = 1000
LONGEST_QUERY = 2048
MEANT = 0.3
"""A search by meaning adds the entities of hits at least this probable."""
MOST_MEANT = 10


# -- the graph


@dataclass(frozen=True, slots=True)
class Observation:
    """Something observed of an entity, and the record that holds it."""

    text: str
    id: str
    time: datetime


@dataclass(frozen=True, slots=True)
class Entity:
    """A node of the graph."""

    name: str
    type: str
    id: str
    time: datetime
    """When it was made."""
    observations: tuple[Observation, ...] = ()

    @property
    def touched(self) -> datetime:
        """When it, or what is observed of it, changed last."""
        return max([self.time, *(one.time for one in self.observations)])

    def plain(self) -> dict[str, Any]:
        """As the reference server has it."""
        return {"name": self.name, "entityType": self.type, "observations": [one.text for one in self.observations]}


@dataclass(frozen=True, slots=True)
class Relation:
    """An edge of the graph."""

    start: str
    end: str
    type: str
    ids: tuple[str, ...] = ()

    @property
    def key(self) -> tuple[str, str, str]:
        """What tells it apart."""
        return self.start, self.end, self.type

    def plain(self) -> dict[str, Any]:
        """As the reference server has it."""
        return {"from": self.start, "to": self.end, "relationType": self.type}


@dataclass(frozen=True, slots=True)
class Graph:
    """Entities by name and relations, in the order in which they were made."""

    entities: Mapping[str, Entity]
    relations: tuple[Relation, ...]

    def around(self, names: Iterable[str]) -> Graph:
        """Only these entities, in this order, and the relations that begin or end at one of them."""
        kept = {name: self.entities[name] for name in names if name in self.entities}
        return Graph(kept, tuple(one for one in self.relations if one.start in kept or one.end in kept))

    def plain(self) -> dict[str, Any]:
        """As the reference server has it."""
        return {
            "entities": [one.plain() for one in self.entities.values()],
            "relations": [one.plain() for one in self.relations],
        }


def read(desk: Desk, scope: ScopeArgs) -> Graph:
    """The whole graph of a scope."""
    entities: dict[str, Entity] = {}
    observed: dict[str, dict[str, list[Observation]]] = {}
    relations: dict[tuple[str, str, str], list[str]] = {}
    for record in _records(desk, scope):
        if record.kind == OBSERVATION and record.subject is not None:
            same = observed.setdefault(record.subject, {}).setdefault(record.text, [])
            same.append(Observation(record.text, record.id, record.time))
        elif record.kind == ENTITY and (entity := entity_of(record)) is not None:
            entities.setdefault(entity.name, entity)
        elif record.kind == RELATION and (relation := relation_of(record)) is not None:
            relations.setdefault(relation.key, []).append(record.id)
    return Graph(
        {
            name: replace(entity, observations=tuple(one[0] for one in observed.get(name, {}).values()))
            for name, entity in entities.items()
        },
        tuple(Relation(*key, tuple(ids)) for key, ids in relations.items()),
    )


def entity_of(record: Record) -> Entity | None:
    """The entity that a record is; None for the entities that derivation keeps for itself."""
    if record.derivation is not None or record.subject is None:
        return None
    return Entity(record.subject, str(record.data.get("entity_type", "")), record.id, record.time)


def relation_of(record: Record) -> Relation | None:
    """The relation that a record is, if it is one."""
    data = record.data
    if record.subject is not None and {"relation", "value"} <= data.keys():
        return Relation(record.subject, str(data["value"]), str(data["relation"]))
    return None


def _records(desk: Desk, scope: ScopeArgs) -> Iterator[Record]:
    after: str | None = None
    while True:
        page = desk.memory.list(kinds=(ENTITY, OBSERVATION, RELATION), order="oldest", limit=PAGE, after=after, **scope)
        yield from page
        after = page.next
        if after is None:
            return


# -- the tools

_STRING: Final = {"type": "string"}
_ENTITY: Final = schema.fields(
    {
        "name": {"type": "string", "description": "The name of the entity"},
        "entityType": {"type": "string", "description": "The type of the entity"},
        "observations": {
            "type": "array",
            "items": _STRING,
            "description": "An array of observation contents associated with the entity",
        },
    },
    ["name", "entityType", "observations"],
)
_RELATION: Final = schema.fields(
    {
        "from": {"type": "string", "description": "The name of the entity where the relation starts"},
        "to": {"type": "string", "description": "The name of the entity where the relation ends"},
        "relationType": {"type": "string", "description": "The type of the relation"},
    },
    ["from", "to", "relationType"],
)


def _list(of: Json, description: str | None = None) -> Json:
    return {"type": "array", "items": dict(of), **({} if description is None else {"description": description})}


_GRAPH: Final = schema.fields({"entities": _list(_ENTITY), "relations": _list(_RELATION)}, ["entities", "relations"])
_DONE: Final = schema.fields({"success": {"type": "boolean"}, "message": _STRING}, ["success", "message"])


def tools(terms: Terms) -> tuple[Tool, ...]:
    """The nine tools. What the reference server does not have is left away, or has a default."""
    adds = {"destroys": False, "repeatable": False}
    takes = {"destroys": True, "repeatable": True}
    return (
        Tool(
            "create_entities",
            "Create Entities",
            "Create multiple new entities in the knowledge graph. One whose name is there already is left as it is.",
            schema.fields({"entities": _list(_ENTITY)}, ["entities"]),
            schema.fields({"entities": _list(_ENTITY)}, ["entities"]),
            create_entities,
            **adds,
        ),
        Tool(
            "create_relations",
            "Create Relations",
            "Create multiple new relations between entities in the knowledge graph. Relations should be in active "
            "voice",
            schema.fields({"relations": _list(_RELATION)}, ["relations"]),
            schema.fields({"relations": _list(_RELATION)}, ["relations"]),
            create_relations,
            **adds,
        ),
        Tool(
            "add_observations",
            "Add Observations",
            "Add new observations to existing entities in the knowledge graph",
            schema.fields(
                {
                    "observations": _list(
                        schema.fields(
                            {
                                "entityName": {
                                    "type": "string",
                                    "description": "The name of the entity to add the observations to",
                                },
                                "contents": _list(_STRING, "An array of observation contents to add"),
                            },
                            ["entityName", "contents"],
                        )
                    )
                },
                ["observations"],
            ),
            schema.fields(
                {
                    "results": _list(
                        schema.fields(
                            {"entityName": _STRING, "addedObservations": _list(_STRING)},
                            ["entityName", "addedObservations"],
                        )
                    )
                },
                ["results"],
            ),
            add_observations,
            **adds,
        ),
        Tool(
            "delete_entities",
            "Delete Entities",
            "Delete multiple entities and their associated relations from the knowledge graph",
            schema.fields({"entityNames": _list(_STRING, "An array of entity names to delete")}, ["entityNames"]),
            _DONE,
            delete_entities,
            **takes,
        ),
        Tool(
            "delete_observations",
            "Delete Observations",
            "Delete specific observations from entities in the knowledge graph",
            schema.fields(
                {
                    "deletions": _list(
                        schema.fields(
                            {
                                "entityName": {
                                    "type": "string",
                                    "description": "The name of the entity containing the observations",
                                },
                                "observations": _list(_STRING, "An array of observations to delete"),
                            },
                            ["entityName", "observations"],
                        )
                    )
                },
                ["deletions"],
            ),
            _DONE,
            delete_observations,
            **takes,
        ),
        Tool(
            "delete_relations",
            "Delete Relations",
            "Delete multiple relations from the knowledge graph",
            schema.fields({"relations": _list(_RELATION, "An array of relations to delete")}, ["relations"]),
            _DONE,
            delete_relations,
            **takes,
        ),
        Tool(
            "read_graph",
            "Read Graph",
            "Read the knowledge graph: all of it, or, where it is larger than a result may be, the entities that "
            "changed last. offset reads on from there.",
            schema.fields(
                {
                    "offset": {
                        "type": "integer",
                        "minimum": 0,
                        "maximum": 2**31,
                        "description": "How many of the entities that changed last to pass over",
                    }
                }
            ),
            _GRAPH,
            read_graph,
            reads=True,
        ),
        Tool(
            "search_nodes",
            "Search Nodes",
            "Search for nodes in the knowledge graph based on a query",
            schema.fields(
                {
                    "query": {
                        "type": "string",
                        "maxLength": LONGEST_QUERY,
                        "description": "The search query to match against entity names, types, and observation content",
                    }
                },
                ["query"],
            ),
            _GRAPH,
            search_nodes,
            reads=True,
        ),
        Tool(
            "open_nodes",
            "Open Nodes",
            "Open specific nodes in the knowledge graph by their names",
            schema.fields({"names": _list(_STRING, "An array of entity names to retrieve")}, ["names"]),
            _GRAPH,
            open_nodes,
            reads=True,
        ),
    )


# -- writing


def create_entities(desk: Desk, given: Mapping[str, Any], caller: Caller) -> Told:
    """Those entities that are new. An entity is written after its observations: so what a kill leaves behind is begun
    again by the same call."""
    graph = read(desk, desk.reading(given))
    fresh: dict[str, Mapping[str, Any]] = {}
    for entity in given["entities"]:
        if entity["name"] not in graph.entities:
            fresh.setdefault(entity["name"], entity)
    for entity in fresh.values():
        _observe(desk, given, caller, entity["name"], entity["observations"])
        name = entity["name"]
        text, data = entity_record(name, entity["entityType"])
        desk.memory.remember(
            text,
            kind=ENTITY,
            subject=name,
            key=f"entity:{name}",
            data=data,
            source="assistant",
            author=caller.name,
            **desk.writing(given),
        )
    return _told(desk, "entities", list(fresh.values()))


def create_relations(desk: Desk, given: Mapping[str, Any], caller: Caller) -> Told:
    """Those relations that are new; both ends must be there."""
    graph = read(desk, desk.reading(given))
    known = {relation.key for relation in graph.relations}
    for relation in given["relations"]:
        for end in (relation["from"], relation["to"]):
            _found(graph, end)
    fresh: list[Mapping[str, Any]] = []
    for relation in given["relations"]:
        key = (relation["from"], relation["to"], relation["relationType"])
        if key in known:
            continue
        known.add(key)
        fresh.append(relation)
        text, data = relation_record(key[0], key[2], key[1])
        desk.memory.remember(
            text,
            kind=RELATION,
            subject=key[0],
            data=data,
            source="assistant",
            author=caller.name,
            **desk.writing(given),
        )
    return _told(desk, "relations", fresh)


def add_observations(desk: Desk, given: Mapping[str, Any], caller: Caller) -> Told:
    """Those observations that are new, of entities that must be there."""
    graph = read(desk, desk.reading(given))
    held = {
        one["entityName"]: {seen.text for seen in _found(graph, one["entityName"]).observations}
        for one in given["observations"]
    }
    results: list[dict[str, Any]] = []
    for one in given["observations"]:
        name = one["entityName"]
        fresh = [text for text in dict.fromkeys(one["contents"]) if text not in held[name]]
        held[name].update(fresh)
        _observe(desk, given, caller, name, fresh)
        results.append({"entityName": name, "addedObservations": fresh})
    return _told(desk, "results", results)


def _observe(desk: Desk, given: Mapping[str, Any], caller: Caller, name: str, texts: Sequence[str]) -> None:
    for text in dict.fromkeys(texts):
        desk.memory.remember(
            text,
            kind=OBSERVATION,
            subject=name,
            source="assistant",
            author=caller.name,
            **desk.writing(given),
        )


def _found(graph: Graph, name: str) -> Entity:
    entity = graph.entities.get(name)
    if entity is None:
        raise InputError(f"Entity with name {name} not found{nearest(name, graph.entities)}")
    return entity


def _told(desk: Desk, name: str, made: Sequence[Mapping[str, Any]]) -> Told:
    """What was made, in the reference server's words; what would be too long is not echoed."""

    def told(number: int) -> Told:
        left = len(made) - number
        text = json.dumps(list(made[:number]), ensure_ascii=False)
        more = (f"{left:,} more were made, and are left out here",) if left else ()
        return Told(text, {name: [dict(one) for one in made[:number]]}, more)

    return fitted(told, len(made), desk.terms.max_tokens, desk.count)


# -- deleting


def delete_entities(desk: Desk, given: Mapping[str, Any], caller: Caller) -> Told:
    """Retire entities with what was observed of them, and their relations."""
    scope = desk.reading(given)
    graph = read(desk, scope)
    names = list(dict.fromkeys(given["entityNames"]))
    there = [name for name in names if name in graph.entities]
    around = graph.around(there)
    texts = {name: {one.text for one in graph.entities[name].observations} for name in there}
    ids = [record.id for record in _records(desk, scope) if _is_of(record, texts)]
    ids += [id_ for relation in around.relations for id_ in relation.ids]
    _retire(desk, scope, caller, ids)
    gone = [name for name in given["entityNames"] if name not in graph.entities]
    message = "Entities deleted successfully"
    if gone:
        deleted = len(given["entityNames"]) - len(gone)
        message = f"Deleted {deleted} of {len(given['entityNames'])} entities. Not found: {', '.join(gone)}"
    return _done(message)


def _is_of(record: Record, texts: Mapping[str, set[str]]) -> bool:
    """Whether a record is one of these entities, or something observed of one."""
    if record.kind == ENTITY:
        entity = entity_of(record)
        return entity is not None and entity.name in texts
    return record.kind == OBSERVATION and record.text in texts.get(record.subject or "", ())


def delete_observations(desk: Desk, given: Mapping[str, Any], caller: Caller) -> Told:
    """Retire what was observed of entities, by its words."""
    scope = desk.reading(given)
    graph = read(desk, scope)
    wanted: dict[str, set[str]] = {}
    count, missing = 0, list[str]()
    for deletion in given["deletions"]:
        name = deletion["entityName"]
        if name not in graph.entities:
            missing.append(name)
            continue
        there = {one.text for one in graph.entities[name].observations} - wanted.get(name, set())
        found = there & set(deletion["observations"])
        count += len(found)
        wanted.setdefault(name, set()).update(found)
    facts = (record for record in _records(desk, scope) if record.kind == OBSERVATION)
    _retire(desk, scope, caller, [record.id for record in facts if _is_of(record, wanted)])
    requested = sum(len(deletion["observations"]) for deletion in given["deletions"])
    message = "Observations deleted successfully"
    if count != requested:
        message = f"Deleted {count} of {requested} observations."
        message += f" Entities not found: {', '.join(missing)}" if missing else ""
    return _done(message)


def delete_relations(desk: Desk, given: Mapping[str, Any], caller: Caller) -> Told:
    """Retire relations."""
    scope = desk.reading(given)
    keys = {(one["from"], one["to"], one["relationType"]) for one in given["relations"]}
    found = [relation for relation in read(desk, scope).relations if relation.key in keys]
    _retire(desk, scope, caller, [id_ for relation in found for id_ in relation.ids])
    requested = len(given["relations"])
    message = "Relations deleted successfully"
    if len(found) != requested:
        message = f"Deleted {len(found)} of {requested} relations. The rest matched nothing."
    return _done(message)


def _retire(desk: Desk, scope: ScopeArgs, caller: Caller, ids: Sequence[str]) -> None:
    if ids:
        desk.memory.retire(list(dict.fromkeys(ids)), author=caller.name, **scope)


def _done(message: str) -> Told:
    return Told(message, {"success": True, "message": message})


# -- reading


def read_graph(desk: Desk, given: Mapping[str, Any], caller: Caller) -> Told:
    """The whole graph, or the entities that changed last."""
    graph = read(desk, desk.reading(given))
    offset = given.get("offset", 0)
    latest = sorted(graph.entities.values(), key=lambda one: one.touched, reverse=True)[offset:]
    return _bounded(desk, graph, [one.name for one in latest], offset)


def search_nodes(desk: Desk, given: Mapping[str, Any], caller: Caller) -> Told:
    """Entities in whose name, type or observations the query stands; then those that a search by meaning finds."""
    scope = desk.reading(given)
    graph = read(desk, scope)
    query = given["query"].lower()
    found = [
        entity.name
        for entity in graph.entities.values()
        if query in entity.name.lower()
        or query in entity.type.lower()
        or any(query in one.text.lower() for one in entity.observations)
    ]
    if query.strip():
        kinds = (ENTITY, OBSERVATION)
        hits = desk.memory.search(given["query"], limit=MOST_MEANT, kinds=kinds, **scope)
        found += [hit_name for hit in hits if (hit.relevance or 0.0) >= MEANT for hit_name in _named(graph, hit.id)]
    return _bounded(desk, graph, list(dict.fromkeys(found)))


def _named(graph: Graph, id: str) -> Iterator[str]:
    for entity in graph.entities.values():
        if id == entity.id or any(id == one.id for one in entity.observations):
            yield entity.name


def open_nodes(desk: Desk, given: Mapping[str, Any], caller: Caller) -> Told:
    """The entities of these names."""
    graph = read(desk, desk.reading(given))
    return _bounded(desk, graph, list(dict.fromkeys(given["names"])))


def text_of(desk: Desk) -> str:
    """The resource: what `read_graph` gives."""
    return read_graph(desk, {}, Caller()).text


def _bounded(desk: Desk, graph: Graph, names: Sequence[str], passed: int = 0) -> Told:
    """The part of a graph around entities, the most wanted first, as much of it as fits.

    Of the first entity that does not fit, as many of its latest observations as do.
    """
    wanted = graph.around(names)
    order = list(wanted.entities)
    place = {name: number for number, name in enumerate(graph.entities)}
    every = set(order)

    def told(number: int, observations: int | None = None) -> Told:
        chosen = sorted(order[:number], key=place.__getitem__)
        part = graph.around(chosen)
        if number < len(order):  # an edge to what is left out is told with that
            shown = set(chosen)
            left_out = every - shown
            edges = tuple(one for one in part.relations if one.start not in left_out and one.end not in left_out)
            part = replace(part, relations=edges)
        cut = 0
        if observations is not None:
            last = order[number - 1]
            whole = part.entities[last]
            cut = len(whole.observations) - observations
            latest = whole.observations[cut:]
            part = replace(part, entities={**part.entities, last: replace(whole, observations=latest)})
        plain = part.plain()
        return Told(
            json.dumps(plain, ensure_ascii=False),
            plain,
            _left_out(desk, len(order) - number, cut, order[number - 1] if number else "", passed + number, passed),
        )

    best = fitted(told, len(order), desk.terms.max_tokens, desk.count)
    shown = len(cast("list[Any]", best.structured["entities"]))
    if shown == len(order):
        return best
    next_one = wanted.entities[order[shown]]
    partly = fitted(
        lambda number: told(shown + 1, number), len(next_one.observations), desk.terms.max_tokens, desk.count
    )
    fits = desk.count(partly.wire) <= desk.terms.max_tokens
    return partly if fits and (shown == 0 or next_one.observations) else best


def _left_out(desk: Desk, entities: int, cut: int, partly: str, next_offset: int, passed: int) -> tuple[str, ...]:
    """What did not fit, and the way to it."""
    told: list[str] = []
    if cut:
        told.append(f"{counted(cut, 'earlier observation')} of {partly}")
    if entities:
        ways = "search_nodes and open_nodes give them"
        if passed or next_offset:
            ways += f", and read_graph with offset={next_offset}"
        told.append(f"{counted(entities, 'entity')} that changed earlier ({ways})")
    if not told:
        return ()
    return (f"Left out, to stay within {desk.terms.max_tokens:,} tokens: {' and '.join(told)}.",)
