"""Markdown: notes read (front matter, sections, observations, links), and texts written so that they stay texts.

The syntax of notes is that of Obsidian (front matter, `[[links]]`, `#tags`, `^ids` of lines) and of basic-memory
(`- [category] words #tag (context)` is an observation, `- relation [[Target]]` a relation).
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

Json = Mapping[str, Any]

# -- front matter: a part of YAML


_KEY = re.compile(r"([\w][\w .\-/]*?|\"[^\"]+\"|'[^']+')\s*:(?:\s+(.*)|\s*)$")
_ITEM = re.compile(r"\s*-\s+(.*)$|\s*-$")


def front_matter(text: str) -> tuple[dict[str, Any], int]:
    """What stands between the two lines of `---` at the beginning of a note, and where the note goes on behind them.

    Text, numbers, booleans, lists and JSON are understood; what is nested deeper is kept as the text that it is.
    """
    if not re.match(r"---[ \t]*\r?\n", text):
        return {}, 0
    end = re.compile(r"^(?:---|\.\.\.)[ \t]*\r?(?:\n|\Z)", re.MULTILINE).search(text, text.index("\n") + 1)
    if end is None:
        return {}, 0
    found: dict[str, Any] = {}
    key = ""
    nested: list[str] = []

    def close() -> None:
        if key and nested:
            found[key] = _block(nested)

    for line in text[text.index("\n") + 1 : end.start()].splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = None if line[0] in " \t-" else _KEY.match(line)
        if match is None:
            nested.append(line)
            continue
        close()
        key, nested = match[1].strip("\"'"), []
        value = (match[2] or "").strip()
        if value in ("|", ">", "|-", ">-"):
            nested.append("|")
        else:
            found[key] = _scalar(value)
    close()
    return found, end.end()


def _block(lines: list[str]) -> Any:
    if lines[0] == "|":
        return "\n".join(line.strip() for line in lines[1:])
    items = [_ITEM.match(line) for line in lines]
    if all(items):
        return [_scalar((item[1] or "").strip()) for item in items if item is not None]
    return "\n".join(lines)


def _scalar(text: str) -> Any:
    if text[:1] in '"[{' or re.fullmatch(r"-?\d{1,15}(\.\d{1,15})?", text):
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            pass
    if text.startswith("[") and text.endswith("]"):
        return [_scalar(one.strip()) for one in text[1:-1].split(",") if one.strip()]
    if text[:1] in "\"'" and text[-1:] == text[:1] and len(text) > 1:
        return text[1:-1]
    text = re.sub(r"\s+#.*$", "", text)
    return {"true": True, "false": False, "null": None, "~": None, "": None}.get(text.lower(), text)


def yaml_line(name: str, value: object) -> str:
    """A line of front matter. JSON is YAML, whatever is in it, as long as no character of it ends a line."""
    return f"{name}: {_UNSEEN.sub(_as_json, json.dumps(value, ensure_ascii=False))}"


def _as_json(found: re.Match[str]) -> str:
    """A character as JSON can write it, too."""
    return f"\\u{ord(found[0]):04x}"


# -- notes


@dataclass(frozen=True, slots=True)
class Observation:
    """`- [category] words #tag (context) ^id`. `line` is its number in the note, from 0."""

    category: str
    text: str
    tags: tuple[str, ...]
    context: str | None
    line: int
    id: str | None = None


@dataclass(frozen=True, slots=True)
class Relation:
    """`- relation [[Target]] (context)`."""

    relation: str
    target: str
    context: str | None
    line: int


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and what stands under it, up to the next heading; the text before the first one has none."""

    path: tuple[str, ...]
    """The headings above it and its own."""
    anchor: str
    """What it is called within its note: its heading, made plain, and a number where several are alike."""
    text: str
    """Its lines, the heading among them."""
    line: int
    observations: tuple[Observation, ...] = ()
    relations: tuple[Relation, ...] = ()


@dataclass(frozen=True, slots=True)
class Note:
    """A file of Markdown."""

    front: Json
    sections: tuple[Section, ...]
    tags: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    lines: tuple[str, ...] = field(default=(), repr=False)

    @property
    def title(self) -> str | None:
        """What it calls itself: by its front matter, else by its first heading of the first rank."""
        named = self.front.get("title")
        if isinstance(named, str | int) and str(named).strip():
            return str(named)
        first = next((one for one in self.sections if one.path), None)
        return first.path[0] if first is not None and first.text.startswith("# ") else None


_HEADING = re.compile(r" {0,3}(#{1,6})[ \t]+(.*?)(?:[ \t]+#+)?[ \t]*$")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_BULLET = re.compile(r"\s*[-*+][ \t]+(.*)$")
_CATEGORY = re.compile(r"\[([^\[\]()]+)\]\s+(.+)$")
_TASK_OR_TIME = re.compile(r"[xX]?|[^\w]|\d{1,3}:\d\d.*")
_BLOCK_ID = re.compile(r"\s+\^([A-Za-z0-9-]+)\s*$")
_TAG = re.compile(r"(?<![\w&/\\])#([\w][\w/-]*)")
_LINK = re.compile(r"\[\[([^\[\]\n]+)\]\]")
_RELATION = re.compile(r"(\"[^\"]+\"|'[^']+'|[^\s\[\]]+)\s*\[\[([^\[\]]+)\]\]\s*(?:\((.*)\))?$")


def note(text: str) -> Note:
    """A note, read. Whatever the text is, it is a note of some kind."""
    text = text.replace("\r\n", "\n")
    front, start = front_matter(text)
    skipped = text.count("\n", 0, start)
    lines = text[start:].split("\n")
    open_ = [not fenced for fenced in _fenced(lines)]
    sections = tuple(_sections(lines, open_, skipped))
    prose = "\n".join(re.sub(r"`[^`]*`", "", line) for line, free in zip(lines, open_, strict=True) if free)
    tags = [*_names(front.get("tags")), *(tag for tag in _TAG.findall(prose) if not tag.isdigit())]
    links = [target(link) for link in _LINK.findall(prose)]
    return Note(front, sections, tuple(dict.fromkeys(tags)), tuple(dict.fromkeys(links)), tuple(text.split("\n")))


def target(link: str) -> str:
    """What a link leads to: `[[Garden#Beds|the beds]]` leads to Garden."""
    return re.split(r"[#|^]", link, maxsplit=1)[0].strip() or link.strip()


def _names(value: object) -> list[str]:
    if isinstance(value, str):
        value = re.split(r"[,\s]+", value)
    names = cast("list[object]", value) if isinstance(value, list) else []
    return [str(name).lstrip("#") for name in names if str(name).strip()]


def _fenced(lines: list[str]) -> Iterator[bool]:
    """Which lines are code."""
    fence = ""
    for line in lines:
        match = _FENCE.match(line)
        if fence:
            yield True
            if match and match[1].startswith(fence) and not line.strip().strip(fence[0]):
                fence = ""
        else:
            fence = match[1] if match else ""
            yield bool(match)


def _sections(lines: list[str], open_: list[bool], skipped: int) -> Iterator[Section]:
    path: list[tuple[int, str]] = []
    seen: dict[str, int] = {}
    start = 0

    def section(end: int) -> Section | None:
        if not "\n".join(lines[start:end]).strip():
            return None
        anchor = slug(path[-1][1]) if path else ""
        seen[anchor] = seen.get(anchor, 0) + 1
        free = [number for number in range(start, end) if open_[number]]
        return Section(
            tuple(name for _, name in path),
            anchor if seen[anchor] == 1 else f"{anchor}-{seen[anchor]}",
            "\n".join(lines[start:end]).strip("\n"),
            skipped + start,
            tuple(one for at in free if (one := observation(lines[at], skipped + at)) is not None),
            tuple(one for at in free if (one := _relation(lines[at], skipped + at)) is not None),
        )

    for number, line in enumerate(lines):
        heading = _HEADING.match(line) if open_[number] else None
        if heading is None:
            continue
        if (done := section(number)) is not None:
            yield done
        rank = len(heading[1])
        path = [*(one for one in path if one[0] < rank), (rank, heading[2].strip())]
        start = number
    if (done := section(len(lines))) is not None:
        yield done


def slug(heading: str) -> str:
    """A heading as an anchor: small letters, digits and hyphens."""
    return re.sub(r"[\s_]+", "-", re.sub(r"[^\w\s-]", "", heading.strip().lower())).strip("-")


def observation(line: str, number: int = 0) -> Observation | None:
    """The observation in a line, where it is one: a bullet that begins with a category in brackets."""
    bullet = _BULLET.match(line)
    if bullet is None:
        return None
    words = bullet[1].strip()
    ident = _BLOCK_ID.search(words)
    if ident is not None:
        words = words[: ident.start()]
    match = _CATEGORY.match(words)
    if match is None or _TASK_OR_TIME.fullmatch(match[1].strip()):
        return None
    text, context = _context(match[2].strip())
    tags = tuple(_TAG.findall(text))
    text = re.sub(r"(?:\s+#[\w][\w/-]*)+$", "", text).strip()
    return Observation(match[1].strip(), text, tags, context, number, ident and ident[1]) if text else None


def _context(text: str) -> tuple[str, str | None]:
    """A text and what stands in the parentheses at its end."""
    if not text.endswith(")") or text.endswith("\\)"):
        return text, None
    depth = 0
    for at in range(len(text) - 1, -1, -1):
        if at and text[at - 1] == "\\":
            continue
        depth += (text[at] == ")") - (text[at] == "(")
        if depth == 0:
            return (text[:at].strip(), text[at + 1 : -1].strip() or None) if text[:at].strip() else (text, None)
    return text, None


def _relation(line: str, number: int) -> Relation | None:
    bullet = _BULLET.match(line)
    match = None if bullet is None else _RELATION.fullmatch(_BLOCK_ID.sub("", bullet[1].strip()))
    if match is None or match[1].startswith("["):
        return None
    return Relation(match[1].strip("\"'"), target(match[2]), match[3] or None, number)


# -- remembered text as Markdown

_ALWAYS = re.compile(r"[\\`*_\[\]<>#|~^${]|=(?==)|(?<==)=|%(?=%)|(?<=%)%|(?<=<)!|(?<=\{)%|&(?=[#\w])")
_AT_START = re.compile(r"(\d{0,9})(?=[-+=:]|(?<=\d)[.)])")
_ADDRESS = re.compile(r"(?<=:)//|(?<=[\w.+-])@(?=[\w])|(?<=www)\.|(?<=mailto):", re.IGNORECASE)
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]")
_REFERENCE = re.compile(r"\\([!-/:-@\[-`{-~])|&#(\d{1,7});")


def escaped(text: str) -> str:
    """A text, on one line, as Markdown that shows it and does nothing else: no HTML, no link, no heading, no comment.

    `unescaped` gives it back, to the last character.
    """
    return "&#10;".join(_escaped_line(line) for line in text.split("\n"))


def quoted(text: str) -> list[str]:
    """A text as the lines of a block quote. `unquoted` gives it back."""
    return [f"> {_escaped_line(line)}" if line else ">" for line in text.split("\n")]


def _escaped_line(line: str) -> str:
    line = _ADDRESS.sub(_backslashed, _ALWAYS.sub(_backslashed, line))
    line = _AT_START.sub(r"\1\\", line, count=1) if _AT_START.match(line) else line
    line = _UNSEEN.sub(lambda found: f"&#{ord(found[0])};", line)
    if line[:1] in (" ", "\t"):
        line = f"&#{ord(line[0])};{line[1:]}"
    if line[-1:] in (" ", "\t"):
        line = f"{line[:-1]}&#{ord(line[-1])};"
    return line


def _backslashed(found: re.Match[str]) -> str:
    return "".join(f"\\{one}" for one in found[0])


def unescaped(text: str) -> str:
    """The text that was `escaped`."""
    return _REFERENCE.sub(lambda found: found[1] or _character(int(found[2]), found[0]), text)


def unquoted(lines: list[str]) -> str:
    """The text that was `quoted`."""
    return "\n".join(unescaped(line[2:] if line.startswith("> ") else line[1:]) for line in lines)


def _character(number: int, written: str) -> str:
    return chr(number) if number < 0x110000 and not 0xD800 <= number < 0xE000 else written


def comment(value: Json) -> str:
    """JSON in a comment of HTML, which nothing in the JSON can end."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return f"<!-- {_UNSAFE.sub(_as_json, text)} -->"


_UNSAFE = re.compile("-(?=-)|[{](?=[{%])|[<>&`%\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]")
_COMMENT = re.compile(r"(?<!\\)<!-- (\{[^<>]*\}) -->")


def commented(line: str) -> tuple[Any, int] | None:
    """The JSON in the comment of a line, and where that begins. Raises ValueError where it is no JSON."""
    match = _COMMENT.search(line)
    return None if match is None else (json.loads(match[1]), match.start())


def file_name(name: str, *, exact: bool = False, longest: int = 80) -> str:
    """A name that every system takes for a file, and the same one every time.

    Names that differ in more than their case and what stands between their words get different ones; with `exact`, all
    that differ.
    """
    whole = unicodedata.normalize("NFC", name)
    plain = re.sub(r"[^\w]+", "-", whole.lower()).replace("_", "-").strip("-")
    while len(plain.encode()) > longest:
        plain = plain[:-1]
    plain = plain.strip("-")
    told = plain == name if exact else re.sub(r"[\s:/._-]+", "-", whole.lower()).strip("-") == plain
    if told and plain and not _RESERVED.fullmatch(plain):
        return plain
    return f"{plain or 'x'}-{hashlib.blake2b(name.encode(), digest_size=4).hexdigest()}"


_RESERVED = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\..*)?", re.IGNORECASE)
