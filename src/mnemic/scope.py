"""Who may see what: walls and stamps, as pure rules.

Tenant, project and user are walls. A record that carries one is seen only by a call that names it; a record without it
is seen by every call inside the other walls. Agent and session are stamps: a read that names one narrows to records
with the same or none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from mnemic.errors import ScopeError
from mnemic.types import ANY, Any_

PARTS = ("tenant_id", "project_id", "user_id", "agent_id", "session_id")
NONE = ""
"""What a record without a project, user or tenant carries in that place. No caller's id is empty."""


@dataclass(frozen=True, slots=True)
class Reach:
    """What a call names: the walls it may look behind, and the stamps it narrows to."""

    tenant: str = NONE
    projects: frozenset[str] | Any_ = frozenset()
    users: frozenset[str] = frozenset()
    agent: str | None = None
    session: str | None = None

    def sees(self, tenant: str, project: str, user: str) -> bool:
        """Whether records with these walls are readable. `ANY` reaches only projects of the named users' own."""
        if tenant != self.tenant or (user != NONE and user not in self.users):
            return False
        if project == NONE:
            return True
        return user != NONE if isinstance(self.projects, Any_) else project in self.projects

    def owns(self, tenant: str, project: str, user: str) -> bool:
        """Whether records with these walls are the named users' and projects' own: what `erase(all_of=True)` reaches.

        Exactly the parts named: without a user only shared records, without a project only those of no project.
        """
        if tenant != self.tenant or not (user in self.users if self.users else user == NONE):
            return False
        if isinstance(self.projects, Any_):
            return True
        return project in self.projects if self.projects else project == NONE

    def stamped(self, agent: str | None, session: str | None) -> bool:
        """Whether a record with these stamps is read."""
        return (self.agent is None or agent in (None, self.agent)) and (
            self.session is None or session in (None, self.session)
        )

    def __str__(self) -> str:
        parts = [f"tenant={self.tenant}"] if self.tenant else []
        if isinstance(self.projects, Any_) or self.projects:
            parts.append(f"project={'ANY' if isinstance(self.projects, Any_) else ','.join(sorted(self.projects))}")
        parts += [f"user={','.join(sorted(self.users))}"] if self.users else []
        parts += [f"{name}={value}" for name, value in (("agent", self.agent), ("session", self.session)) if value]
        return " ".join(parts) or "this call names no user"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a write puts its records: one value for each part."""

    tenant: str = NONE
    project: str = NONE
    user: str = NONE
    agent: str | None = None
    session: str | None = None


def reach_of(where: Place) -> Reach:
    """What a call that writes at a place may look at: exactly what a read naming the same walls sees."""
    return Reach(
        where.tenant,
        frozenset([where.project]) if where.project else frozenset(),
        frozenset([where.user]) if where.user else frozenset(),
    )


def reach(given: Mapping[str, Any]) -> Reach:
    """The reach of a read. Raises ScopeError."""
    project = given.get("project_id")
    users = _several("user_id", given.get("user_id"))
    if project is ANY and not users:
        raise ScopeError("project_id=ANY means every project of the users named: pass user_id=…, too")
    return Reach(
        tenant=one("tenant_id", given.get("tenant_id")) or NONE,
        projects=ANY if project is ANY else _several("project_id", project),
        users=users,
        agent=one("agent_id", given.get("agent_id")),
        session=one("session_id", given.get("session_id")),
    )


def place(given: Mapping[str, Any], shared: bool) -> Place:
    """The place of a write. Raises ScopeError where it names no user and is not `shared`, or names several."""
    values = {part: one(part, given.get(part)) for part in PARTS}
    if values["user_id"] is None and not shared:
        wall = f"'{values['tenant_id']}'" if values["tenant_id"] else "this store"
        wall = f"the project '{values['project_id']}' of {wall}" if values["project_id"] else wall
        raise ScopeError(
            f"this write names no user, so every user of {wall} could read it: "
            "pass user_id=…, or shared=True if you mean that"
        )
    if values["user_id"] is not None and shared:
        raise ScopeError(f"shared=True and user_id='{values['user_id']}' contradict each other: leave one out")
    return Place(
        values["tenant_id"] or NONE,
        values["project_id"] or NONE,
        values["user_id"] or NONE,
        values["agent_id"],
        values["session_id"],
    )


def narrowed(bound: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """The scope of a call on a memory that is bound to one: it may narrow, never rebind. Raises ScopeError."""
    merged = dict(bound)
    for part, value in given.items():
        if value is None:
            continue
        before = bound.get(part)
        if (
            before is None
            or before is ANY
            or value == before
            or (
                not isinstance(before, str)
                and isinstance(before, Sequence)
                and _within(value, cast("Sequence[str]", before))
            )
        ):
            several = isinstance(value, Iterable) and not isinstance(value, str)
            merged[part] = tuple(cast("Iterable[str]", value)) if several else value
        else:
            raise ScopeError(f"this memory is bound to {part}={before!r}; it cannot be used with {part}={value!r}")
    return merged


def _within(value: object, allowed: Sequence[str]) -> bool:
    if isinstance(value, str):
        return value in allowed
    return isinstance(value, Iterable) and set(cast("Iterable[str]", value)) <= set(allowed)


def _several(part: str, value: object) -> frozenset[str]:
    if value is None:
        return frozenset()
    if isinstance(value, Any_):
        raise ScopeError(f"{part}=ANY is not possible: name the ids; verbs over everybody take everything=True")
    if isinstance(value, str) or not isinstance(value, Iterable):
        found = one(part, value)
        return frozenset() if found is None else frozenset([found])
    found = frozenset(id_ for item in cast("Iterable[object]", value) if (id_ := one(part, item)))
    if not found:
        raise ScopeError(f"{part}={value!r} names nobody: pass an id, several, or leave it out")
    return found


def one(part: str, value: object) -> str | None:
    """One id of a scope, checked. Raises ScopeError."""
    if value is None:
        return None
    if isinstance(value, Any_):
        raise ScopeError(f"{part}=ANY works for reading projects only: name one {part} here")
    if not isinstance(value, str):
        raise ScopeError(
            f"{part}={value!r} is not text: one {part} is a string"
            + (", and this call takes only one" if isinstance(value, Iterable) else "")
        )
    if not value.strip() or len(value) > 512:
        raise ScopeError(f"{part}={value[:40]!r} is not an id: 1 to 512 characters, not only spaces")
    if "\0" in value or not _encodable(value):
        raise ScopeError(f"{part}={value[:40]!r} holds a character that no id may have (NUL or a lone surrogate)")
    return value


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
