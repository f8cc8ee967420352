"""What a key allows: a role in a scope. Pure rules; `keys` keeps them, `memory.scoped` enforces them once more.

Tenant, project and user are walls, so each is named: a part that a grant does not name is none, and what belongs to a
tenant, a project or a user is out of its reach. `ANY` in its place lets each call name it.
"""

from __future__ import annotations

import errno
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from mnemic.errors import AccessError
from mnemic.serve.verbs import ROLES, Role
from mnemic.types import ANY, Any_

WALLS: Final = ("tenant_id", "project_id", "user_id")


@dataclass(frozen=True, slots=True)
class Grant:
    """A role, and the walls behind which it holds: ids, none of them (empty), or whichever a call names (`ANY`)."""

    role: Role
    tenant: str | Any_ | None = None
    projects: tuple[str, ...] | Any_ = ()
    users: tuple[str, ...] | Any_ = ()

    def allow(self, needed: Role, verb: str) -> None:
        """Refuse what is beyond the role. Raises AccessError."""
        if ROLES.index(self.role) < ROLES.index(needed):
            raise AccessError(errno.EACCES, f"{verb} needs a key with the role {needed}; this one is a {self.role}'s")

    def bound(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The walls to which a call with these parameters is bound. Raises AccessError for any that are out of reach.

        The answer says nothing of what there is: it is the same for a user who exists and one who does not.
        """
        tenant = () if self.tenant is None else ANY if self.tenant is ANY else (self.tenant,)
        walls = {"tenant_id": tenant, "project_id": self.projects, "user_id": self.users}
        found: dict[str, Any] = {}
        for part, allowed in walls.items():
            wanted = given.get(part)
            if isinstance(allowed, Any_):
                if wanted is not None:
                    found[part] = _one_or_several(wanted)
                continue
            named = [] if wanted is None else [wanted] if isinstance(wanted, str) else list(wanted)
            if (wanted is not None and not named) or not set(named) <= set(allowed):
                raise AccessError(errno.EACCES, f"this key does not reach {part}={wanted!r}")
            if part == "project_id" and given.get("all_projects"):
                raise AccessError(errno.EACCES, "this key does not reach all projects")
            if bound := named or list(allowed):
                found[part] = _one_or_several(bound)
        return found

    def __str__(self) -> str:
        parts = [self.role]
        for name, value in (("tenant", self.tenant), ("project", self.projects), ("user", self.users)):
            if isinstance(value, Any_):
                parts.append(f"{name}=*")
            elif value:
                parts.append(f"{name}={value if isinstance(value, str) else ','.join(value)}")
        return " ".join(parts)


OWNER: Final = Grant("owner", ANY, ANY, ANY)
"""Everything, of everybody."""


def _one_or_several(ids: str | Sequence[str]) -> str | tuple[str, ...]:
    return ids if isinstance(ids, str) else ids[0] if len(ids) == 1 else tuple(ids)
