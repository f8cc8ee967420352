"""How the house is built: imports point down, one reader of the environment, and the face as it is promised."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from pathlib import Path

import pytest

import mnemic
from mnemic import Memory

SOURCE = Path(mnemic.__file__).parent

FLOORS: tuple[tuple[str, ...], ...] = (
    ("__init__", "types", "errors", "times", "config", "forks"),
    (
        *("ports", "text", "when", "dates", "question", "where", "scope", "rank", "reading", "learn", "ticket"),
        *("spelling", "precise", "statements", "rules", "timeline", "denials", "faithful", "salvage", "propose"),
        *("allowance", "segments", "background", "extract", "forgetting", "postings", "messages", "samples", "names"),
        *(
            "views",
            "summaries",
            "topics",
            "portrait",
            "agenda",
            "newer",
            "retell",
            "plain",
            "problems",
            "paths",
            "markdown",
            "slots",
        ),
    ),
    ("analysis", "stores", "models", "asking", "testing"),
    (
        *("changes", "lookup", "write", "commit", "erasure", "frame", "looks", "channels", "records", "lessons"),
        *("derive", "consult", "fading", "forgotten", "decay", "entities", "keeping", "placing", "telling", "filing"),
    ),
    (
        "read",
        "around",
        "feedback",
        "pack",
        "answer",
        "journal",
        "exchange",
        "exported",
        "vault",
        "importers",
        "importing",
    ),
    ("memory",),
    ("aio", "intake", "progress", "show", "once", "cabinet", "notes", "watching"),
    ("serve", "compat"),
    ("client",),
    ("cli", "demo", "__main__"),
)
"""The floors of docs/architecture.md, from the ground up. Rooms of one floor may know each other, not in a circle."""

LEVELS = {room: level for level, rooms in enumerate(FLOORS) for room in rooms}


def modules() -> Iterator[tuple[str, ast.Module]]:
    for file in sorted(SOURCE.rglob("*.py")):
        name = ".".join(file.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__")
        yield name, ast.parse(file.read_text("utf-8"))


def room(name: str) -> str:
    return name.split(".")[0]


def imports(tree: ast.AST, known: set[str]) -> Iterator[str]:
    """The modules of this package that a tree imports when it runs; not those for the type checker alone."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name.removeprefix("mnemic.") for alias in node.names if alias.name.startswith("mnemic."))
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports name the whole path"
            if node.module == "mnemic":
                yield from (alias.name if alias.name in known else "__init__" for alias in node.names)
            elif node.module and node.module.startswith("mnemic."):
                inner = node.module.removeprefix("mnemic.")
                yield from (f"{inner}.{a.name}" if f"{inner}.{a.name}" in known else inner for a in node.names)
        else:
            yield from imports(node, known)


TREES = dict(modules())
KNOWN = {name if name != "__init__" else "__init__" for name in TREES}
GRAPH = {name: set(imports(tree, KNOWN)) - {name} for name, tree in TREES.items()}


def test_every_module_has_its_floor() -> None:
    assert {room(name) for name in TREES} <= LEVELS.keys()


@pytest.mark.parametrize("name", sorted(GRAPH))
def test_imports_point_down(name: str) -> None:
    for other in GRAPH[name]:
        if room(other) != room(name):
            assert LEVELS[room(other)] <= LEVELS[room(name)], f"{name} imports {other}, which is above it"


def test_no_import_goes_in_a_circle() -> None:
    done: set[str] = set()

    def walk(name: str, above: tuple[str, ...]) -> None:
        assert name not in above, " → ".join([*above[above.index(name) :], name])
        if name not in done:
            for other in sorted(GRAPH.get(name, ())):
                walk(other, (*above, name))
            done.add(name)

    for name in GRAPH:
        walk(name, ())


@pytest.mark.parametrize("name", [name for name in TREES if room(name) != "config"])
def test_only_one_module_reads_the_environment(name: str) -> None:
    for node in ast.walk(TREES[name]):
        if isinstance(node, ast.Attribute):
            assert node.attr not in ("environ", "environb", "getenv", "putenv"), f"{name}, line {node.lineno}"
        if isinstance(node, ast.ImportFrom) and node.module == "os":
            assert not {alias.name for alias in node.names} & {"environ", "getenv"}


@pytest.mark.parametrize("name", sorted(TREES))
def test_importing_a_module_does_nothing(name: str) -> None:
    """No call stands alone on the floor of a module: what runs there makes values only."""
    for node in TREES[name].body:
        guard = isinstance(node, ast.If) and "__main__" in ast.unparse(node.test)
        if name != "__main__" and not guard:
            assert not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)), f"{name}, line {node.lineno}"


BORDERS = ("cli", "demo", "__main__", "serve")
"""Where a fault of ours is caught, and told, so that whoever else is served goes on."""


@pytest.mark.parametrize("name", [name for name in TREES if room(name) not in BORDERS])
def test_inside_nobody_catches_everything_and_goes_on(name: str) -> None:
    for node in ast.walk(TREES[name]):
        if isinstance(node, ast.ExceptHandler):
            caught = "" if node.type is None else ast.unparse(node.type)
            if caught in ("", "Exception", "BaseException"):
                assert any(isinstance(inner, ast.Raise) for inner in ast.walk(node)), f"{name}, line {node.lineno}"


# -- the face

NAMES = [
    "ANY",
    "AsyncMemory",
    "Change",
    "ConflictError",
    "Context",
    "Diff",
    "Evidence",
    "Hit",
    "InputError",
    "Memory",
    "MnemicError",
    "ModelError",
    "NotFoundError",
    "Page",
    "Receipt",
    "Record",
    "Results",
    "Scope",
    "ScopeError",
    "StoreError",
]
VERBS = {
    "ask",
    "add",
    "close",
    "context",
    "diff",
    "journal",
    "links",
    "conflicts",
    "spending",
    "erase",
    "export",
    "feedback",
    "get",
    "history",
    "import_",
    "list",
    "merge",
    "rebuild",
    "remember",
    "retire",
    "scoped",
    "search",
    "split",
    "stats",
    "timeline",
    "undo",
    "upkeep",
    "update",
    "wait",
}
POSITIONAL = {"diff": 2}
"""Parameters that may be passed by place, where it is not one: diff(t1, t2)."""


def test_the_public_names_are_these_twenty() -> None:
    assert sorted(mnemic.__all__) == NAMES
    assert len(NAMES) == 20
    assert all(getattr(mnemic, name).__module__.startswith("mnemic") for name in NAMES if name != "ANY")
    assert set(NAMES) <= set(dir(mnemic))
    with pytest.raises(AttributeError, match="module 'mnemic' has no attribute 'Memroy'"):
        _ = mnemic.Memroy


def test_the_verbs_are_these() -> None:
    assert {name for name in vars(Memory) if not name.startswith("_")} == VERBS


@pytest.mark.parametrize("name", sorted(VERBS))
def test_a_verb_says_what_it_does_and_takes_names(name: str) -> None:
    verb = getattr(Memory, name)
    assert verb.__doc__
    assert verb.__doc__.strip()[-1] in ".:"
    parameters = list(inspect.signature(verb).parameters.values())[1:]
    by_place = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    assert len(by_place) <= POSITIONAL.get(name, 1), [p.name for p in by_place]
    assert not any(p.kind is p.VAR_POSITIONAL for p in parameters)
    if name != "close":
        assert parameters[-1].kind is inspect.Parameter.VAR_KEYWORD, "an unknown parameter is answered with the nearest"


@pytest.mark.parametrize("name", [name for name in NAMES if name not in ("ANY", "AsyncMemory", "Memory")])
def test_values_are_frozen_and_every_name_is_explained(name: str) -> None:
    value = getattr(mnemic, name)
    assert value.__doc__
    if not issubclass(value, Exception):
        assert value.__dataclass_params__.frozen


def test_every_error_is_in_the_one_tree_and_of_a_builtin_kind() -> None:
    from mnemic import errors

    found = [value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, Exception)]
    assert all(issubclass(value, errors.MnemicError) for value in found)
    assert all(len(value.__mro__) > 5 for value in found if value is not errors.MnemicError)
    drawn = errors.__doc__ or ""
    assert all(value.__name__ in drawn for value in found)
