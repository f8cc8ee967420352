"""An export as a folder of Markdown, for reading; and the lines of an export read back out of it.

    README.md                what there is
    sessions/…, messages/…   what was said: a file for each session; by month where there was none
    subjects/…, statements.md  what is known of each subject, and of none, with links to what it rests on
    views/…                  what upkeep has put together
    acts.md                  what was done by hand

What was said, remembered and done by hand is written so that it can be read back: its words as they stand, the rest in
a comment beside them. What is derived is written for reading alone: it is derived again from what it rests on.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote

from mnemic.changes import BLANK, COLUMNS, Values, new_receipt_id
from mnemic.errors import ConflictError, DiskFullError, InputError, NotFoundError, StoreError
from mnemic.exported import FORMAT, WALL
from mnemic.fading import FADES
from mnemic.markdown import comment, commented, escaped, file_name, front_matter, quoted, unescaped, unquoted, yaml_line
from mnemic.messages import json_text
from mnemic.records import is_view, loads
from mnemic.scope import Reach
from mnemic.stores.sqlite import Row, Snapshot, SqliteStore
from mnemic.times import interval, moment
from mnemic.types import Any_

INDEX = "README.md"
MANIFEST = ".mnemic-export.jsonl"
"""The files of an export and hashes of what was written, so that a later one knows which files are its own."""
_LARGEST = 1_000_000_000
_TIMES = ("time", "valid_from", "valid_to", "expires_at")
_JSON = ("data", "metadata")
_KEPT = (
    *("kind", "key", "subject", "aliases", "purpose", "data", "metadata", "payload_ref", "role", "speaker", "agent"),
    *("session", "message_id", "part", "start", "stop", "source", "author", "confidence", "pinned", "time"),
    *("time_precision", "valid_from", "valid_to", "valid_precision", "expires_at", "superseded_by", "derivation"),
    "fingerprint",
)
"""Columns that come back, beside id, number and text."""
_USUAL: Values = {"pinned": 0, "time_precision": "second", "kind": "episode"}
_LINKS = ("derived_from", FADES)


@dataclass(slots=True)
class _Held:
    """What a wall holds: the latest revisions, in the order in which they came."""

    wall: Row
    said: list[Values] = field(default_factory=list[Values])
    stated: list[Values] = field(default_factory=list[Values])
    views: list[Values] = field(default_factory=list[Values])
    acts: list[Values] = field(default_factory=list[Values])
    links: dict[str, list[Row]] = field(default_factory=dict[str, list[Row]])
    """What each record rests on, and how much of it is left."""
    by_hand: set[str] = field(default_factory=set[str])
    """Derived records that somebody has changed by hand."""
    places: dict[str, str] = field(default_factory=dict[str, str])
    """The file that each record stands in."""


# -- writing


def export(store: SqliteStore, reach: Reach, folder: Path, *, everything: bool) -> int:
    """Write what a scope holds (or the whole file) to a folder. Returns the number of files.

    A file whose content stays the same is not touched; one of an earlier export that is no longer in it goes. Raises
    InputError where the folder holds other files, ConflictError where a file was edited since, StoreError.
    """
    target = _Target(folder)
    single = (
        not everything and len(reach.users) <= 1 and not isinstance(reach.projects, Any_) and len(reach.projects) <= 1
    )
    with store.read() as snapshot:
        walls = [
            wall
            for wall in snapshot.rows("all_walls")
            if everything or reach.owns(wall["tenant"], wall["project"], wall["user"])
        ]
        with target.opened():
            index: list[str] = []
            for wall in walls:
                held = _held(snapshot, wall, reach)
                below = "" if single else _folder_of(wall)
                files = dict(_files(held))
                if not any((held.said, held.stated, held.views, held.acts)):
                    continue
                for name, lines in files.items():
                    target.write(below + name, lines)
                index += _index(held, below, files)
            target.write(INDEX, _page({"mnemic": "export", "format": FORMAT}, "What is remembered", index))
            return target.finished()


def _folder_of(wall: Row) -> str:
    named = [f"{part}-{file_name(wall[part], exact=True)}" for part in WALL if wall[part]]
    return "/".join([*(named or ["shared"]), ""])


def _held(snapshot: Snapshot, wall: Row, reach: Reach) -> _Held:
    """What of a wall is told: all that is believed, what ended, and what was taken back by hand of what is derived."""
    held = _Held(wall)
    latest: dict[str, Values] = {}
    for rows in snapshot.stream("rows_in_wall", wall=wall["wall"], session=reach.session, agent=reach.agent):
        for row in rows:
            latest[row["id"]] = dict(row)
    for link in snapshot.rows("links_in_wall", wall=wall["wall"]):
        if link["retired_at"] is None and link["role"] in _LINKS and link["source_id"] in latest:
            held.links.setdefault(link["source_id"], []).append(link)
    needed = {
        link["target_id"] for id_, links in held.links.items() if latest[id_]["retired_at"] is None for link in links
    }
    for row in sorted(
        latest.values(), key=lambda row: (row["num"] is None, row["recorded_at"] if row["num"] is None else row["num"])
    ):
        _sort_in(snapshot, held, row, latest, needed)
    return held


def _sort_in(snapshot: Snapshot, held: _Held, row: Values, latest: Mapping[str, Values], needed: set[str]) -> None:
    if row["quarantined"]:
        return
    if row["kind"] == "act":
        if row["retired_at"] is None and (
            row["id"] in needed or loads(row["data"], {}).get("verb") in ("merge", "split")
        ):
            held.acts.append(row)
    elif row["kind"] == "episode":
        if row["retired_at"] is None:
            held.said.append(row)
    elif is_view(row):
        if row["retired_at"] is None:
            held.views.append(row)
    elif row["derivation"] is not None and _touched(snapshot, row, held.links.get(row["id"], ()), latest):
        held.by_hand.add(row["id"])
        held.stated.append(row)
        needed.update(link["target_id"] for link in held.links.get(row["id"], ()))
    elif row["retired_at"] is None:
        held.stated.append(row)


def _touched(snapshot: Snapshot, row: Values, links: Iterable[Row], latest: Mapping[str, Values]) -> bool:
    """Whether somebody has retired or changed a derived record: see `derive`."""
    if row["retired_at"] is not None:
        closed = snapshot.row("receipt", id=row["closed_by"])
        return closed is None or closed["verb"] in ("retire", "undo")
    targets = (latest.get(link["target_id"]) for link in links if link["data"] is None)
    return any(target is not None and target["kind"] == "act" for target in targets)


def _files(held: _Held) -> Iterator[tuple[str, list[str]]]:
    """The files of a wall: names and lines."""
    said = _together(held, held.said, lambda row: _said_in(row))
    stated = _together(held, held.stated, _told_in)
    views = _together(held, held.views, lambda row: f"views/{file_name(str(row['key']))}.md")
    acts = _together(held, held.acts, lambda row: "acts.md")
    for name, rows in said.items():
        first = rows[0]
        title = first["session"] or moment(first["time"]).strftime("%B %Y")
        about = {"session": first["session"]} if first["session"] else {}
        times = sorted(row["time"] for row in rows)
        about |= {"first": _iso(times[0]), "last": _iso(times[-1]), "messages": len(rows)}
        yield name, _page(_front("messages", held, about), title, _block(map(_episode, [held] * len(rows), rows)))
    for name, rows in stated.items():
        subject = rows[0]["subject"]
        about = {"subject": subject} if subject else {}
        names = sorted({alias for row in rows for alias in loads(row["aliases"], [])} - {subject})
        about |= {"aliases": names} if names else {}
        yield name, _page(_front("statements", held, about), subject or "About no one subject", _statements(held, rows))
    for name, rows in views.items():
        lines = [line for row in rows for line in (*quoted(row["text"] or ""), "", *_rests(held, row), "")]
        yield name, _page(_front("view", held, {"key": rows[0]["key"]}), str(rows[0]["key"]), lines)
    for name, rows in acts.items():
        yield name, _page(_front("acts", held, {}), "What was done by hand", [_act(held, row) for row in rows])


def _together(held: _Held, rows: Iterable[Values], place: Callable[[Values], str]) -> dict[str, list[Values]]:
    """Rows by the file that they stand in."""
    found: dict[str, list[Values]] = {}
    for row in rows:
        name = held.places[row["id"]] = place(row)
        found.setdefault(name, []).append(row)
    return found


def _said_in(row: Values) -> str:
    if row["session"]:
        return f"sessions/{file_name(row['session'])}.md"
    return f"messages/{_iso(row['time'])[:7]}.md"


def _told_in(row: Values) -> str:
    return f"subjects/{file_name(row['subject'])}.md" if row["subject"] else "statements.md"


def _front(what: str, held: _Held, about: Mapping[str, Any]) -> dict[str, Any]:
    walls = {part: held.wall[part] for part in WALL if held.wall[part]}
    return {"mnemic": what, "format": FORMAT, **walls, **about}


def _page(front: Mapping[str, Any], title: str, lines: Iterable[str]) -> list[str]:
    head = ["---", *(yaml_line(name, value) for name, value in front.items()), "---", ""]
    return [*head, f"# {escaped(title)}", "", *lines]


def _block(blocks: Iterable[Sequence[str]]) -> list[str]:
    return [line for block in blocks for line in (*block, "")]


def _episode(held: _Held, row: Values) -> list[str]:
    """Who, when, the words as a quotation, and what it is linked by."""
    edited = " (edited since)" if row["superseded_by"] else ""
    who = escaped(row["speaker"] or row["role"] or "")
    head = f"**{who}**, {_minute(row['time'])}{edited} {comment(_machine(held, row))}"
    return [head, "", *quoted(row["text"] or ""), "", f"^{row['id']}"]


def _statements(held: _Held, rows: Sequence[Values]) -> Iterator[str]:
    """What is so now; what was so before; what was taken back by hand. Each in the order of its time."""
    rows = sorted(rows, key=lambda row: (row["time"], row["kind"], row["text"], row["id"]))
    parts = {
        "": [row for row in rows if row["retired_at"] is None and not _is_over(row)],
        "Before": [row for row in rows if row["retired_at"] is None and _is_over(row)],
        "Taken back": [row for row in rows if row["retired_at"] is not None],
    }
    for heading, some in parts.items():
        if some and heading:
            yield from (f"## {heading}", "")
        yield from (_statement(held, row) for row in some)
        if some:
            yield ""


def _is_over(row: Values) -> bool:
    return row["superseded_by"] is not None


def _statement(held: _Held, row: Values) -> str:
    by_hand = row["derivation"] is None or row["id"] in held.by_hand
    machine = f" {comment(_machine(held, row))}" if by_hand else ""
    told = [
        *([f"since {_day(row['valid_from'])}"] if row["valid_from"] is not None else []),
        *([f"until {_day(row['valid_to'])}"] if row["valid_to"] is not None else []),
        *_evidence(held, row, "../" if row["subject"] else ""),
    ]
    behind = f" ({'; '.join(told)})" if told else ""
    return f"- [{row['kind']}] {escaped(row['text'] or '')}{machine}{behind} ^{row['id']}"


def _evidence(held: _Held, row: Values, up: str) -> list[str]:
    ids = dict.fromkeys(link["target_id"] for link in held.links.get(row["id"], ()) if link["role"] == "derived_from")
    links = [f"[{number}]({up}{quote(held.places[id_])}#^{id_})" for number, id_ in enumerate(_placed(held, ids), 1)]
    return [f"from {', '.join(links)}"] if links else []


def _placed(held: _Held, ids: Iterable[str]) -> list[str]:
    return [id_ for id_ in ids if id_ in held.places and held.places[id_] != "acts.md"]


def _rests(held: _Held, row: Values) -> list[str]:
    evidence = _evidence(held, row, "../")
    return [f"({evidence[0]})"] if evidence else []


def _act(held: _Held, row: Values) -> str:
    done = loads(row["data"], {})
    by = f" by {escaped(row['author'])}" if row["author"] else ""
    return f"- {_minute(row['time'])}: {escaped(str(done.get('verb')))}{by} {comment(_machine(held, row))} ^{row['id']}"


def _machine(held: _Held, row: Values) -> dict[str, Any]:
    """What of a record its words do not say."""
    told: dict[str, Any] = {"id": row["id"]}
    if row["num"] is not None:
        told["n"] = row["num"]
    for name in _KEPT:
        value = row[name]
        if value is None or value == _USUAL.get(name):
            continue
        if name in _TIMES:
            value = _iso(value)
        elif name in _JSON or name == "aliases":
            value = json.loads(value)
        told[name] = value
    links = held.links.get(row["id"], ())
    on = [link for link in links if link["role"] == "derived_from"]
    if row["kind"] != "episode" and on:
        told["on"] = [
            link["target_id"]
            if link["data"] is None
            else {"id": link["target_id"], "data": json.loads(link["data"]), "time": _iso(link["time"])}
            for link in on
        ]
    left = [link["weight"] for link in links if link["role"] == FADES and link["target_id"] == row["id"]]
    told |= {"left": min(left)} if left else {}
    return told | ({"back": True} if row["retired_at"] is not None else {})


def _index(held: _Held, below: str, files: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """The part of the first page that tells of a wall."""
    if below:
        names = ", ".join(f"{part} {escaped(held.wall[part])}" for part in WALL if held.wall[part]) or "shared"
        yield from (f"## {names}", "")
    titles = {name: next(line for line in lines if line.startswith("# "))[2:] for name, lines in files.items()}
    headings = {
        "sessions/": "Sessions",
        "messages/": "Messages",
        "subjects/": "Subjects",
        "views/": "Views",
        "": "More",
    }
    left = dict(titles)
    for start, heading in headings.items():
        names = [name for name in left if name.startswith(start)]
        if names:
            yield from (f"**{heading}**", "")
            yield from (f"- [{left.pop(name)}]({quote(below + name)})" for name in names)
            yield ""


def _iso(micros: int) -> str:
    return moment(micros).isoformat().replace("+00:00", "Z")


def _minute(micros: int) -> str:
    return f"{_iso(micros)[:16].replace('T', ' ')} UTC"


def _day(micros: int) -> str:
    return _iso(micros)[:10]


# -- the folder


class _Target:
    """A folder that an export is written to, and the files in it that are of an export."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[str, set[str]] = {}
        self._written: dict[str, str] = {}

    @contextlib.contextmanager
    def opened(self) -> Generator[None]:
        """The folder, made if it is new. Raises InputError, ConflictError, NotFoundError, StoreError."""
        try:
            self._check()
            yield
        except OSError as error:
            if isinstance(error, StoreError):
                raise
            kind = DiskFullError if error.errno in (errno.ENOSPC, errno.EDQUOT) else StoreError
            raise kind(error.errno or errno.EIO, f"'{self._folder}' cannot be written: {error.strerror}") from error

    def _check(self) -> None:
        folder = self._folder
        if folder.exists() and not folder.is_dir():
            raise InputError(f"'{folder}' is a file: an export as Markdown needs a folder")
        if not folder.exists():
            if not folder.absolute().parent.is_dir():
                raise NotFoundError(f"the folder of '{folder}' does not exist: create it first")
            folder.mkdir(mode=0o700)
        manifest = folder / MANIFEST
        if not manifest.exists() and any(not one.name.startswith(".") for one in folder.iterdir()):
            raise InputError(f"'{folder}' holds files that are of no export: choose an empty folder")
        if manifest.exists():
            self._known = _manifest(manifest)
        for name, hashes in self._known.items():
            content = _content(folder / name)
            if content is not None and _hash(content) not in hashes:
                raise ConflictError(
                    f"'{folder / name}' was edited since it was exported, and would be overwritten: move it away first"
                )

    def write(self, name: str, lines: Iterable[str]) -> None:
        """A file, where it is not there already just so."""
        content = ("\n".join(lines).rstrip("\n") + "\n").encode()
        path, digest = self._folder / name, _hash(content)
        self._written[name] = digest
        there = _content(path)
        if there == content:
            return
        if there is not None and name not in self._known:
            raise InputError(f"'{path}' is of no export, and would be overwritten: move it away first")
        for parent in [one for one in path.relative_to(self._folder).parents if one.name][::-1]:
            if (self._folder / parent).is_symlink():
                raise InputError(f"'{self._folder / parent}' leads elsewhere: an export stays within its folder")
            (self._folder / parent).mkdir(mode=0o700, exist_ok=True)
        log = os.open(self._folder / MANIFEST, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        with os.fdopen(log, "w", encoding="utf-8") as manifest:  # it is ours even if this ends here
            manifest.write(json.dumps({"file": name, "hash": digest}) + "\n")
        replaced(path, content)

    def finished(self) -> int:
        """Take away what is no longer in the export. Returns the number of files that are."""
        for name in self._known.keys() - self._written.keys():
            with contextlib.suppress(FileNotFoundError):
                (self._folder / name).unlink()
            with contextlib.suppress(OSError):  # others may be in there
                for parent in (self._folder / name).relative_to(self._folder).parents:
                    if parent.name:
                        (self._folder / parent).rmdir()
        lines = [json.dumps({"file": name, "hash": digest}) for name, digest in sorted(self._written.items())]
        content = ("\n".join(lines) + "\n").encode()
        if _content(self._folder / MANIFEST) != content:
            replaced(self._folder / MANIFEST, content)
        return len(self._written)


def replaced(path: Path, content: bytes) -> None:
    """Put content in the place of a file, which is never seen half written (mode 0600 where it is new)."""
    mode = path.stat().st_mode & 0o777 if path.exists() else 0o600
    handle, temporary = tempfile.mkstemp(prefix=".mnemic-", suffix=".tmp", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.chmod(temporary, mode)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def _manifest(path: Path) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for line in path.read_text("utf-8").splitlines():
        with contextlib.suppress(ValueError, KeyError, TypeError):  # the last line of an export that was broken off
            told = json.loads(line)
            name = str(told["file"])
            if not name.startswith("/") and ".." not in Path(name).parts:
                found.setdefault(name, set()).add(str(told["hash"]))
    return found


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None


def _hash(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=16).hexdigest()


# -- reading back


def is_export(folder: Path) -> bool:
    """Whether a folder is an export as Markdown."""
    try:
        with open(folder / INDEX, encoding="utf-8") as file:
            return front_matter(file.read(10_000))[0].get("mnemic") == "export"
    except (OSError, UnicodeDecodeError):
        return False


def lines(folder: Path, now: int) -> Iterator[str]:
    """The lines of an export that says what such a folder says. Raises InputError, naming the file and line."""
    records: list[Values] = []
    opened = new_receipt_id(now)
    for path in sorted(folder.rglob("*.md")):
        try:
            if path.stat().st_size > _LARGEST:
                raise InputError(f"'{path}' is larger than {_LARGEST:,} bytes")
            text = path.read_bytes().decode("utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"'{path}' cannot be read ({error})") from None
        records += _records(text.replace("\r\n", "\n"), path.relative_to(folder).as_posix(), now, opened)
    ids = {record["id"] for record in records}
    yield json.dumps({"mnemic": "export", "format": FORMAT})
    for record in sorted(records, key=lambda one: (one["document"] is None, one["document"] or 0, one["time"])):
        yield json.dumps({"record": {name: value for name, value in record.items() if name not in ("on", "left")}})
    for record in records:
        for link in _links(record, ids):
            yield json.dumps({"link": link})


def _records(text: str, name: str, now: int, opened: str) -> Iterator[Values]:
    front, start = front_matter(text)
    if front.get("mnemic") not in ("messages", "statements", "acts"):
        return
    if front.get("format") != FORMAT:
        raise InputError(f"'{name}' has format {front.get('format')!r:.20}; this release reads {FORMAT}")
    wall = {part: str(front.get(part) or "") for part in WALL}
    rows = text[start:].split("\n")
    first = text.count("\n", 0, start) + 1
    for number, line in enumerate(rows):
        if not line.startswith(("- ", "**")):
            continue
        try:
            found = commented(line)
            if found is None:
                continue
            told, at = cast("dict[str, Any]", found[0]), found[1]
            yield {**_columns(told, _words(rows, number, at), now, opened), **wall}
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise InputError(f"'{name}', line {first + number}: this is no record of an export ({error})") from None


def _words(rows: Sequence[str], number: int, at: int) -> str:
    """The words of a record: the quotation under its line, or what stands in the line before the comment."""
    line = rows[number]
    if line.startswith("- "):
        return unescaped(line[:at].partition("] ")[2].removesuffix(" "))
    end = start = number + 2
    while end < len(rows) and rows[end].startswith(">"):
        end += 1
    return unquoted(list(rows[start:end]))


def _columns(told: Mapping[str, Any], text: str, now: int, opened: str) -> Values:
    """The columns of a record, and what it rests on."""
    record: Values = {name: BLANK[name] for name in COLUMNS if name not in ("wall", "num", "salt")}
    record |= {**_USUAL, "id": told["id"], "document": told.get("n"), "recorded_at": now, "opened_by": opened}
    for name in _KEPT:
        if name not in told:
            continue
        value = told[name]
        if name in _TIMES:
            value = interval(value, None).start
        elif name in _JSON:
            value = json_text(value, name)
        elif name == "aliases":
            value = json.dumps(value, ensure_ascii=False)
        record[name] = value
    if told.get("back"):
        record |= {"retired_at": now, "closed_by": opened}
    record["text"] = None if record["kind"] == "act" else text
    return {**record, "on": told.get("on", ()), "left": told.get("left")}


def _links(record: Values, ids: set[str]) -> Iterator[dict[str, Any]]:
    walls = {name: record[name] for name in (*WALL, "recorded_at", "opened_by")}
    blank = {**walls, "position": 0, "weight": 1.0, "data": None, "time": None, "retired_at": None, "closed_by": None}
    for position, on in enumerate(record["on"]):
        link = {**blank, "source_id": record["id"], "role": "derived_from", "position": position}
        if isinstance(on, str):
            yield {**link, "target_id": on}
        else:
            data, time = json_text(on["data"], "a claim"), interval(on["time"], None).start
            yield {**link, "target_id": on["id"], "data": data, "time": time}
    if record["left"] is not None:
        fades = {"source_id": record["id"], "target_id": record["id"], "role": FADES, "weight": float(record["left"])}
        yield {**blank, **fades}
    if record["superseded_by"] in ids:
        yield {**blank, "source_id": record["superseded_by"], "target_id": record["id"], "role": "supersedes"}
