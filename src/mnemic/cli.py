"""The command `mnemic`: words and exit codes for the verbs of `Memory`, and nothing else.

Exit codes, as grep has them: 0 something was found or done, 1 nothing was found, 2 what was asked cannot be done,
3 the file, the disk or a model failed, 130 broken off with Ctrl-C.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import io
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import threading
import time as clocks
import webbrowser
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar, cast
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import click

import mnemic
from mnemic import intake, progress, ticket
from mnemic.config import FILE, LocalTime, Settings, folders, settings
from mnemic.errors import (
    PEERS,
    ConfigError,
    InputError,
    MissingExtraError,
    MnemicError,
    ModelError,
    NotFoundError,
    StoreError,
)
from mnemic.intake import Found, Skipped
from mnemic.plain import as_json
from mnemic.show import Paper, safe
from mnemic.types import ANY, FORMATS, SOURCES, STATES, Answer, Receipt, Results, ScopeArgs

if TYPE_CHECKING:
    from mnemic import Memory

NOT_KNOWN_BELOW = 0.1
"""Hits with a lower relevance are left out where no --threshold is given: nine in ten of them are no evidence."""
FILES_AT_A_TIME = 64
"""Documents in one call of add: enough to share one wait for the disk, few enough to lose little to Ctrl-C."""
WIDEST = 120
ENTRIES_SHOWN = 10
LINES_AT_A_TIME = 500

F = TypeVar("F", bound=Callable[..., Any])


# -- what every command has


class Console:
    """What one run of the command was told: which file, whose memories, and how to answer."""

    def __init__(self, given: dict[str, Any], known: Settings) -> None:
        self._given = given
        self._known = known
        self.json: bool = given.get("json", False)
        self.quiet: bool = given.get("quiet", False)
        self.file: str = given.get("file") or known.file
        self.started = clocks.perf_counter()

    @contextlib.contextmanager
    def memory(
        self,
        *,
        make: bool = False,
        reranker: str | None = None,
        forgetting: object = None,
        background: bool = False,
    ) -> Generator[Memory]:
        """The memory in the file. Only what writes makes a new one (`make`). Raises NotFoundError, StoreError."""
        if not make and "://" not in self.file and not Path(self.file).exists():
            raise NotFoundError(
                f"there is no file '{self.file}': name one with --file or $MNEMIC_FILE, or add something first"
            )
        more: dict[str, Any] = {"reranker": reranker, "forgetting": forgetting, "background": background}
        with self.opened(self.embedder, **more) as memory:
            yield memory

    def opened(self, embedder: object, **more: Any) -> Memory:
        """The memory in the file, made if it is new. Raises StoreError, ConfigError."""
        return mnemic.Memory(
            self.file,
            embedder=embedder,
            recipe=self._given.get("recipe") or self._known.recipe,
            model=self._given.get("model") or self._known.model,
            timezone=self.zone,
            api_key=self._known.api_key,
            **more,
        )

    def server_options(self, home: Path) -> list[str]:
        """What was said of file and scope, as options for a server that somebody else starts, from wherever."""
        named = self._given.get("file") or (self._known.file if self._known.file != FILE else None)
        options = ["--file", str(Path(named).expanduser().absolute() if named else home / FILE)]
        for name in _SERVER_OPTIONS:
            given = self._given.get(name) or ()
            for value in (given,) if isinstance(given, str) else given:
                options += [f"--{name}", value]
        return [*options, *(["--shared"] if self.shared else [])]

    @property
    def mcp_key(self) -> str | None:
        """The key that an MCP server over HTTP asks for."""
        return self._known.mcp_key

    @property
    def store(self) -> Path:
        """Where the file is, which is no address of anything else. Raises InputError."""
        if "://" in self.file or self.file == ":memory:":
            raise InputError(f"'{self.file}' is no file: a server and its keys need one")
        return Path(self.file)

    @property
    def scope(self) -> ScopeArgs:
        """Whose memories: those of --user, else of $MNEMIC_USER, else of "me"; with --shared, nobody's own."""
        scope = self.named
        if not self.shared and "user_id" not in scope:
            scope["user_id"] = self._known.user
        return scope

    @property
    def one_scope(self) -> ScopeArgs:
        """The scope of something that writes: one user, one project."""
        scope = self.scope
        for part in ("user_id", "project_id"):
            if not isinstance(scope.get(part, ""), str):
                raise click.UsageError(f"name one --{part.removesuffix('_id')} here.")
        if self.shared:
            raise click.UsageError("--shared is not possible here: a chat is somebody's.")
        return scope

    @property
    def named(self) -> ScopeArgs:
        """The scope as far as it was named: no default user."""
        if self.shared and self._given.get("user"):
            raise click.UsageError("--shared and --user contradict each other: leave one out.")
        if self._given.get("all_projects") and self._given.get("project"):
            raise click.UsageError("--all-projects and --project contradict each other: leave one out.")
        scope: ScopeArgs = {}
        if users := self._given.get("user"):
            scope["user_id"] = users[0] if len(users) == 1 else users
        if projects := self._given.get("project"):
            scope["project_id"] = projects[0] if len(projects) == 1 else projects
        if self._given.get("all_projects"):
            scope["project_id"] = ANY
        if tenant := self._given.get("tenant"):
            scope["tenant_id"] = tenant
        if agent := self._given.get("agent"):
            scope["agent_id"] = agent
        if session := self._given.get("session"):
            scope["session_id"] = session
        return scope

    @property
    def zone(self) -> Any:
        """The zone of times that name none."""
        return self._given.get("timezone") or LocalTime()

    @property
    def proxy_key(self) -> str | None:
        """What clients of a proxy have to show."""
        return self._known.proxy_key

    @property
    def embedder(self) -> str | None:
        """What was asked for; None for the default."""
        return self._given.get("embedder") or self._known.embedder

    @property
    def shared(self) -> bool:
        """Whether what no user owns is meant."""
        return self._given.get("shared", False)

    @property
    def whose(self) -> str:
        """The scope in words."""
        scope = cast("dict[str, Any]", self.scope)
        parts = ["shared"] if self.shared else []
        for name, value in scope.items():
            shown = value if isinstance(value, str) else "any" if value is ANY else ",".join(value)
            parts.append(f"{name.removesuffix('_id')}={shown}")
        return " ".join(parts)

    @property
    def paper(self) -> Paper:
        """Lines fit the terminal; in a pipe a text stays on one line, for grep and cut."""
        zone = self._given.get("timezone")
        width = min(WIDEST, shutil.get_terminal_size().columns) if sys.stdout.isatty() else None
        return Paper(width, ZoneInfo(zone) if zone else LocalTime())

    def tell(self, value: object, lines: Iterable[str]) -> None:
        """The answer: `value` as JSON, or its lines."""
        if self.json:
            click.echo(as_json(value))
            return
        for line in lines:
            click.echo(line)

    def note(self, text: str) -> None:
        """Something beside the answer, on standard error."""
        if not self.quiet and not self.json:
            click.secho(safe(text), err=True, dim=sys.stderr.isatty())

    def warn(self, text: str) -> None:
        """Something that did not go as asked, on standard error, also with --json."""
        if not self.quiet:
            click.echo(safe(f"warning: {text}"), err=True)

    def receipt(self, receipt: Receipt, *, entries: bool = True) -> None:
        """What a write did, and to which records, unless `entries` is false."""
        if self.json:
            click.echo(as_json(receipt))
        elif not self.quiet:
            click.echo(_in_options(str(receipt)))
            if not entries:
                return
            told = [*receipt.entries, *receipt.derived]
            for entry in told[:ENTRIES_SHOWN]:
                click.secho(f"  {entry.action:<11} {entry.id}  {entry.reason}".rstrip(), dim=True)
            if len(told) > ENTRIES_SHOWN:
                click.secho(f"  and {len(told) - ENTRIES_SHOWN:,} more: --json shows them all", dim=True)


def _keep(context: click.Context, parameter: click.Parameter, value: Any) -> None:
    """Options given before the command and after it come together; the later one counts."""
    if parameter.name and value not in (None, False, ()):
        context.meta.setdefault("mnemic.given", {})[parameter.name] = value


def _common(*names: str, **settings: Any) -> Callable[[F], F]:
    return click.option(*names, expose_value=False, callback=_keep, **settings)


COMMON: tuple[Callable[[Any], Any], ...] = (
    _common("-f", "--file", metavar="PATH", help="The memory's file. Default: $MNEMIC_FILE, else mnemic.db here."),
    _common(
        "-u",
        "--user",
        metavar="NAME",
        multiple=True,
        help='Whose memories. Default: $MNEMIC_USER, else "me". Reads may name several.',
    ),
    _common("-p", "--project", metavar="NAME", multiple=True, help="A project, walled off. Reads may name several."),
    _common("--all-projects", is_flag=True, help="Every project of the users named (reads and erase only)."),
    _common("--shared", is_flag=True, help="No user: what every user of the file may read."),
    _common("--tenant", metavar="NAME", help="A tenant, walled off from every other."),
    _common("-s", "--session", metavar="NAME", help="Writes are stamped with it; reads narrow to it."),
    _common("--agent", metavar="NAME", help="Writes are stamped with it; reads narrow to it."),
    _common(
        "--timezone", metavar="ZONE", help="For times without an offset, and to show times. Default: this machine's."
    ),
    _common(
        "--embedder",
        metavar="SPEC",
        help='"none", minilm:FOLDER or http://…/v1#model. Default: $MNEMIC_EMBEDDER, else wordllama.',
    ),
    _common(
        "--recipe",
        metavar="NAME",
        help='What is derived from what is added: "rules", "model", or "none". Default: $MNEMIC_RECIPE; else "model" '
        'where there is one, "rules" where there is none.',
    ),
    _common(
        "--model",
        metavar="SPEC",
        help="Answers, derives and sums up: http://…/v1#model or anthropic:MODEL. Default: $MNEMIC_MODEL, else none.",
    ),
    _common("--json", is_flag=True, help="Answer in JSON: one object, or one a line."),
    _common("-q", "--quiet", is_flag=True, help="Only the answer: no notes, no progress, no receipts."),
)


SECTIONS = {
    "Keep and change": ("add", "remember", "update", "retire", "merge", "split", "feedback", "undo", "erase"),
    "Ask and read": ("search", "ask", "context", "get", "list", "timeline", "history", "diff"),
    "The whole file": ("stats", "upkeep", "rebuild", "verify", "export", "import", "notes"),
    "For others": ("mcp", "proxy", "serve", "ui", "keys"),
    "Try it": ("demo", "bench"),
}


class _Verb(click.Command):
    """A command whose help shows its own options apart from the common ones, and of those only what it uses."""

    without: frozenset[str] = frozenset()

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        _format_options(self, self.without, ctx, formatter)


def _format_options(
    command: click.Command, without: frozenset[str], ctx: click.Context, formatter: click.HelpFormatter
) -> None:
    own: list[tuple[str, str]] = []
    common: list[tuple[str, str]] = []
    for parameter in command.get_params(ctx):
        if not isinstance(parameter, click.Option):
            continue
        if parameter.callback is _keep and parameter.name in without:
            continue
        if (row := parameter.get_help_record(ctx)) is not None:
            (common if parameter.callback is _keep else own).append(row)
    for title, rows in (("Options", own), ("Common options", common)):
        if rows:
            with formatter.section(title):
                formatter.write_dl(rows)


class _Verbs(click.Group):
    """A command that has commands of its own."""

    command_class = _Verb
    without: frozenset[str] = frozenset()

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        self.format_commands(ctx, formatter)
        _format_options(self, self.without, ctx, formatter)


_ARGUMENTS = "mnemic.arguments"
"""Where the context holds what the command was called with, for processes that are to be called likewise."""


class _Mnemic(click.Group):
    """The command: errors become one line and an exit code."""

    command_class = _Verb

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ctx.meta[_ARGUMENTS] = list(args)
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            _hang_up()

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] in ("version", "help"):
            ctx.fail(f"No such command '{args[0]}'; did you mean '--{args[0]}'?")
        return super().resolve_command(ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)  # in the order of this file

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        limit = formatter.width - 6 - max(map(len, self.commands))
        for title, names in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(name, self.commands[name].get_short_help_str(limit)) for name in names])

    def main(self, *args: Any, standalone_mode: bool = True, **extra: Any) -> Any:
        if not standalone_mode:
            return super().main(*args, standalone_mode=False, **extra)
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):  # a character that the terminal does not have is no reason to stop
                stream.reconfigure(errors="backslashreplace")
        try:
            code = super().main(*args, standalone_mode=False, **extra)
            sys.stdout.flush()
        except click.ClickException as error:
            (_nearer(error) if isinstance(error, click.NoSuchOption) else error).show()
            sys.exit(error.exit_code)
        except click.Abort as error:
            # click makes one error of Ctrl-C and of an input that ends at a question.
            sys.exit(2 if isinstance(error.__cause__, EOFError) else 130)
        except KeyboardInterrupt:
            sys.exit(130)
        except MnemicError as error:
            click.echo(f"error: {_in_options(safe(_message(error)))}", err=True)
            sys.exit(3 if isinstance(error, StoreError | ModelError) else 2)
        sys.exit(code if isinstance(code, int) else 0)


def _nearer(error: click.NoSuchOption) -> click.UsageError:
    """The same with the one option that was probably meant, also by who writes what other libraries call it."""
    word = error.option_name.lstrip("-").replace("-", "_")
    parameters = error.ctx.command.get_params(error.ctx) if error.ctx else ()
    switches = [name for one in parameters for name in one.opts if isinstance(one, click.Option) and name[:2] == "--"]
    named = {name[2:].replace("-", "_"): name for name in switches}
    if word in ("since", "until", "subject") and error.ctx and error.ctx.info_name == "list":
        return click.UsageError(f"No such option '{error.option_name}': 'mnemic timeline' has it", error.ctx)
    close = get_close_matches(PEERS.get(word, word).removesuffix("_id"), named, n=1)
    if not close:
        return error
    return click.UsageError(f"No such option '{error.option_name}'; did you mean '{named[close[0]]}'?", error.ctx)


def _message(error: MnemicError) -> str:
    text = error.strerror if isinstance(error, StoreError) and error.strerror else str(error)
    return " ".join(text.split())


def _switch(found: re.Match[str]) -> str:
    return "--" + found[1].replace("_", "-")


def _option(found: re.Match[str]) -> str:
    return _switch(found) + " "


_OPTIONS: tuple[tuple[str, str | Callable[[re.Match[str]], str]], ...] = (
    (r"user_id=…, or shared=True", "--user NAME, or --shared"),
    (
        r"user_id=…, project_id=… or tenant_id=…, or everything=True",
        "--user, --project or --tenant, or --everything",
    ),
    (r"or set one for all with Memory\(…, timezone='Europe/Lisbon'\)", "or name one with --timezone"),
    (r"Memory\(embedder=…\)", "--embedder"),
    (r"remember\(…, supersedes=\[…\]\)", "mnemic remember --supersedes ID"),
    (r"check user_id and project_id", "check --user and --project"),
    (r"with a lower threshold", "with a lower --threshold"),
    (r"project_id=ANY", "--all-projects"),
    (r"\bget\('(\w+)'\)", r"mnemic get \1"),
    (r"\bt1=", "SINCE="),
    (r"\bt2=", "UNTIL="),
    (r"\b(user|project|tenant|agent|session)_id=", r"--\1 "),
    (r"\ball_of=True", "--all"),
    (r"\b(only|format)=NAME", r"--\1 NAME"),
    (r"\bcolumns=\{'text': …\}", "--map text=…"),
    (r"\b(cascade|everything|dry_run|shared)=True", _switch),
    (
        r"\b(kind|after|time|valid_from|valid_to|expires_at|as_of|known_at|now|since|until|confidence|threshold|outcome"
        r"|embedder|timezone|if_revision)=(?=['\d…])",
        _option,
    ),
    (
        r"(?<![\w.])(add|remember|update|retire|merge|split|feedback|undo|erase|list|history|export|import|rebuild)_?\(\)",
        r"mnemic \1",
    ),
)


def _in_options(message: str) -> str:
    """An error's advice in the words of the command line."""
    for ours, option in _OPTIONS:
        message = re.sub(ours, option, message)
    return message


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'s' * (number != 1)}"


def _hang_up() -> NoReturn:
    """The reader of the pipe has gone (as in `mnemic list | head`): end quietly, and let nothing be flushed to it."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(0)


def _with_common(function: F) -> F:
    for option in reversed(COMMON):
        function = option(function)
    return function


def _verb(
    name: str | None = None, *, without: Iterable[str] = (), within: click.Group | None = None, **settings_: Any
) -> Callable[[Callable[..., Any]], click.Command]:
    """A command with the options that all of them have; its function gets the console first.

    `without` are the common options that do nothing here: its help does not name them. `within` is the command that it
    belongs to, where that is not `mnemic` itself; `settings_` are click's.
    """

    def made(function: Callable[..., Any]) -> click.Command:
        def called(**given: Any) -> Any:
            context = click.get_current_context()
            known = settings()
            if known.color is False:
                context.color = False
            return function(Console(context.meta.get("mnemic.given", {}), known), **given)

        called.__doc__ = function.__doc__
        called.__name__ = function.__name__
        if hasattr(function, "__click_params__"):
            called.__click_params__ = function.__click_params__  # pyright: ignore[reportFunctionMemberAccess]
        command = (within or main).command(name, **settings_)(_with_common(called))
        if isinstance(command, _Verb | _Verbs):
            command.without = frozenset(without)
        return command

    return made


@click.group(
    cls=_Mnemic,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    epilog="Every command tells more, with examples: mnemic COMMAND --help",
)
@click.version_option(mnemic.__version__, "-V", "--version", prog_name="mnemic", message="%(prog)s %(version)s")
@_with_common
def main() -> None:
    """Long-term memory in one file: keeps every word, shows its evidence, says "not known".

    \b
    mnemic demo                                   see it work, in a few seconds
    mnemic add "The alarm code is 4471-Heron."    keep a sentence
    mnemic add NOTES/                             keep a folder of notes
    mnemic search "what is the alarm code?"       ask

    Memories belong to a user. A command line is one person's, so that is "me" unless --user or $MNEMIC_USER says
    otherwise. Nothing is sent anywhere.
    """


# -- reading what options hold


def _object(context: click.Context, parameter: click.Parameter, value: str | None) -> dict[str, Any] | None:
    """The JSON object in an option's value."""
    if value is None:
        return None
    advice = 'Write for example \'{"city": "Porto"}\'.'
    try:
        found: object = json.loads(value)
    except ValueError as error:
        raise click.BadParameter(f"{value!r} is not JSON ({error}). {advice}", context, parameter) from None
    if not isinstance(found, dict):
        raise click.BadParameter(f"{value!r} is not a JSON object. {advice}", context, parameter)
    return cast("dict[str, Any]", found)


_where = click.option(
    "--where", metavar="JSON", callback=_object, help='Only where the metadata fit: \'{"stars": {"gte": 4}}\'.'
)
_kinds = click.option(
    "--kind",
    "kinds",
    metavar="KIND",
    multiple=True,
    help="Only records of this kind (episode, fact, …); may be repeated.",
)
_include = click.option(
    "--include",
    multiple=True,
    type=click.Choice(STATES),
    help="Show these, too; may be repeated.",
)
_as_of = click.option(
    "--as-of", metavar="TIME", help="What was true then: 2026-05, 2026-05-20, 2026-05-20T09:30+02:00."
)
_known_at = click.option("--known-at", metavar="TIME", help="What this memory held then.")
_now = click.option("--now", metavar="TIME", help="When the question is asked. Default: now.")
_limit = click.option(
    "-n", "--limit", metavar="N", type=click.IntRange(min=1), default=10, show_default=True, help="At most so many."
)
_threshold = click.option(
    "-t", "--threshold", metavar="P", type=click.FloatRange(0, 1), help="Only hits at least this probable."
)
_reranker = click.option(
    "--reranker", metavar="SPEC", help="Reads the best 50 again: crossencoder:FOLDER or http://…/v1#model."
)
_everything = click.option("--everything", is_flag=True, help="The whole file: every user, project and tenant.")


# -- writing


@_verb(without=("all_projects",))
@click.argument("what", nargs=-1, metavar="[TEXT]... | [PATH]... | -")
@click.option("--text", "as_text", is_flag=True, help='Take every argument as text, also the name of a file, or "-".')
@click.option(
    "--format",
    "form",
    type=click.Choice(["auto", "text", "json"]),
    default="auto",
    show_default=True,
    help="What standard input holds.",
)
@click.option("--role", default=None, help="Of a text: user, assistant, system, tool, document, event. Default: user.")
@click.option("--name", default=None, help="Of a text: who says it.")
@click.option("--id", "message_id", default=None, help="Of a text: your id for it. The same id again is an edit.")
@click.option("--time", default=None, metavar="TIME", help="For what has no time of its own. Default: now.")
@click.option("--source", type=click.Choice(SOURCES), default=None, help="How far to trust it. Default: by its role.")
@click.option(
    "--metadata", metavar="JSON", callback=_object, default=None, help='Kept with each message: \'{"city": "Porto"}\'.'
)
@click.option("--author", default=None, help="Who writes this into the memory.")
def add(
    console: Console,
    what: tuple[str, ...],
    as_text: bool,
    form: intake.Form,
    role: str | None,
    name: str | None,
    message_id: str | None,
    **given: Any,
) -> int:
    """Keep texts, messages, files or folders, word for word.

    TEXT is one message. PATH is a file or a folder: of a folder, Markdown and text files (hidden ones left out), and
    .jsonl files of messages; a .json file that is named may hold a list of messages. A document's id is its path, so
    adding the folder again takes the changed files as edits of the old ones, which stay in the history, and leaves the
    rest as it is. Files that cannot be read are named and left out. "-", or nothing with a pipe: standard input, as
    text, JSON Lines of messages, or a JSON list of them.

    \b
    mnemic add "Ana moved to Porto in May."
    mnemic add NOTES/ letters.txt chat.jsonl
    git log -n 100 | mnemic add --role document --id git-log
    echo '{"role": "user", "name": "Ana", "content": "hi"}' | mnemic add
    """
    options = {key: value for key, value in given.items() if value is not None}
    fields = {"role": role, "name": name, "id": message_id}
    if not what or (what == ("-",) and not as_text):
        if not what and sys.stdin.isatty():
            raise click.UsageError("Nothing to add: pass a text or a path, or pipe something in.")
        try:
            read = b"".join(_piped_in()).decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise InputError(f"standard input is not UTF-8 text ({error.reason})") from None
        return _add_messages(console, intake.messages_in(read, form, "standard input"), fields, options)
    found = " ".join(what) if as_text else intake.words_or_files(what)
    if isinstance(found, str):
        return _add_messages(console, [found], fields, options)
    if any(fields.values()):
        raise click.UsageError("--role, --name and --id are for a text; files say that themselves.")
    return _add_files(console, found, options)


def _piped_in() -> Iterator[bytes]:
    """Standard input, piece by piece: read whole, it would not notice a Ctrl-C that comes between two pieces."""
    source = cast("io.BufferedReader", sys.stdin.buffer)
    while piece := source.read1(1 << 16):
        yield piece


def _add_messages(console: Console, messages: list[Any], fields: dict[str, Any], options: dict[str, Any]) -> int:
    """Texts get the role, name and id that were given; messages bring their own."""
    own = {key: value for key, value in fields.items() if value is not None}
    if own and (len(messages) > 1 or not isinstance(messages[0], str)):
        raise click.UsageError("--role, --name and --id are for one text; messages say that themselves.")
    dressed = [{"role": "user", **own, "content": m} if isinstance(m, str) else m for m in messages]
    with console.memory(make=True) as memory, _watched(console, "adding", dressed) as watched:
        receipt = memory.add(watched, shared=console.shared, **options, **console.scope)
    _tell_added(console, [receipt], files=0, skipped=[])
    return 0


def _add_files(console: Console, paths: Sequence[Path], options: dict[str, Any]) -> int:
    """Documents some at a time, so that a long intake can be broken off; a file of messages all or nothing."""
    under = intake.files_under(paths)
    skipped = list(under.skipped)
    receipts: list[Receipt] = []
    conversations = [file for file in under.found if file.messages or intake.holds_messages(file)]
    apart = set(conversations)
    documents = [file for file in under.found if file not in apart]
    for file in documents:
        if file.path.suffix.lower() == ".json":
            console.note(f"note: {intake.shown(file.path)} is no list of messages, so it is kept as a document")
    scope = console.scope
    if under.found:
        with (
            console.memory(make=True) as memory,
            progress.bar("reading", len(under.found), show=_watches(console)) as advance,
        ):
            for batch in intake.batches(documents, FILES_AT_A_TIME):
                messages: list[dict[str, Any]] = []
                for read in map(intake.document, batch):
                    if isinstance(read, Skipped):
                        skipped.append(read)
                    else:
                        messages.append(
                            {k: v for k, v in read.items() if k != "session_id" or "session_id" not in scope}
                        )
                if messages:
                    receipts.append(memory.add(messages, shared=console.shared, **options, **scope))
                advance(len(batch))
            for file in conversations:
                receipts += _add_conversation(console, memory, file, options, skipped)
                advance(1)
    for one in skipped:
        console.warn(f"left out {one.path}: {one.reason}")
    if under.others:
        console.note(f"left alone: {_counted(under.others, 'file')} of other kinds, or hidden")
    if not receipts and not under.found and not skipped:
        raise InputError(f"there are no Markdown, text or .jsonl files in {', '.join(map(intake.shown, paths))}")
    _tell_added(console, receipts, files=len(under.found) - len(skipped) + len(under.skipped), skipped=skipped)
    nothing = not receipts and all(file.named for file in under.found)
    return 2 if nothing else 0


def _add_conversation(
    console: Console, memory: Memory, file: Found, options: dict[str, Any], skipped: list[Skipped]
) -> list[Receipt]:
    text = intake.text_of(file)
    if isinstance(text, Skipped):
        skipped.append(text)
        return []
    name = intake.shown(file.path)
    try:
        messages = intake.messages_in(text[0], "json", name)
        return [memory.add(messages, shared=console.shared, **options, **console.scope)]
    except InputError as error:
        if file.named:
            raise InputError(f"{name}: {error}; nothing of it was added") from None
        skipped.append(Skipped(name, str(error)))
        return []


@contextlib.contextmanager
def _watched(console: Console, label: str, items: Sequence[Any]) -> Generator[Iterable[Any]]:
    """Items that move a progress bar as they are taken."""
    with progress.bar(label, len(items), show=_watches(console) and len(items) > 500) as advance:

        def each() -> Iterator[Any]:
            for item in items:
                yield item
                advance(1)

        yield each()


def _watches(console: Console) -> bool:
    return not console.quiet and not console.json


def _tell_added(console: Console, receipts: Sequence[Receipt], *, files: int, skipped: Sequence[Skipped]) -> None:
    counts: dict[str, int] = {}
    for entry in (entry for receipt in receipts for entry in receipt.entries):
        counts[entry.action] = counts.get(entry.action, 0) + 1
    seconds = clocks.perf_counter() - console.started
    if console.json:
        value = {
            "receipts": receipts,
            "counts": counts,
            "files": files,
            "skipped": skipped,
            "seconds": round(seconds, 3),
        }
        click.echo(as_json(value))
        return
    if console.quiet:
        return
    for note in dict.fromkeys(note for receipt in receipts for note in receipt.notes):
        console.note(f"note: {_in_options(note)}")
    words = {"ignored": "already there"}
    did = ", ".join(f"{number:,} {words.get(action, action)}" for action, number in counts.items()) or "nothing added"
    of = f" of {_counted(files, 'file')}" if files else ""
    left = f", {len(skipped)} left out (see the warnings)" if skipped else ""
    click.echo(f"{did}{of}{left} in {seconds:.2f} s, for {console.whose} in {intake.shown(console.file)}")
    if len(receipts) == 1:
        ids = [entry.id for entry in receipts[0].entries]
        record = f", record {ids[0]}" if len(ids) == 1 else ""
        click.echo(click.style(f"receipt {receipts[0].id}{record}", dim=True))
    elif receipts:
        click.echo(click.style(f"{len(receipts)} receipts, {receipts[0].id} to {receipts[-1].id}", dim=True))


@_verb(without=("all_projects",))
@click.argument("text", nargs=-1, required=True)
@click.option("--kind", default="fact", show_default=True, help="fact, preference, event, instruction, goal, …")
@click.option("--subject", help="Whom or what it is about.")
@click.option("--key", help="Unique in its scope: the statement that has it now is superseded.")
@click.option("--purpose", help="Why it matters, in one line.")
@click.option("--valid-from", metavar="TIME", help="True from then on.")
@click.option("--valid-to", metavar="TIME", help="True until then.")
@click.option("--expires-at", metavar="TIME", help="No longer shown after that.")
@click.option("--confidence", metavar="P", type=click.FloatRange(0, 1), help="How sure it is.")
@click.option("--evidence", multiple=True, metavar="ID", help="A record that it rests on; may be repeated.")
@click.option("--supersedes", multiple=True, metavar="ID", help="A record that it takes over from; may be repeated.")
@click.option("--source", type=click.Choice(SOURCES), default="user", show_default=True, help="How far to trust it.")
@click.option("--metadata", metavar="JSON", callback=_object, help="Kept with it.")
@click.option("--pinned", is_flag=True, help="Keep it in sight.")
@click.option("--author", help="Who writes this into the memory.")
def remember(console: Console, text: tuple[str, ...], **given: Any) -> None:
    """Keep one statement by hand, such as a fact or a preference.

    With --key, or --supersedes, it takes over from an older one, which stays true for the time before.

    \b
    mnemic remember "Ana lives in Utrecht." --key ana.home --valid-from 2022
    mnemic remember "Ana lives in Antwerp." --key ana.home --valid-from 2026-04-18
    mnemic remember "No coriander for Ana." --kind preference --subject Ana
    """
    with console.memory(make=True) as memory:
        console.receipt(memory.remember(" ".join(text), shared=console.shared, **given, **console.scope))


@_verb(without=("all_projects",))
@click.argument("id")
@click.argument("words", nargs=-1, metavar="[TEXT]...")
@click.option("--text", help="The statement in other words, also behind the id.")
@click.option("--subject", help="Whom or what it is about.")
@click.option("--purpose", help="Why it matters, in one line.")
@click.option("--valid-from", metavar="TIME", help="True from then on.")
@click.option("--valid-to", metavar="TIME", help="True until then.")
@click.option("--expires-at", metavar="TIME", help="No longer shown after that.")
@click.option("--confidence", metavar="P", type=click.FloatRange(0, 1), help="How sure it is.")
@click.option("--pin/--unpin", "pinned", default=None, help="Keep it in sight, or no longer.")
@click.option("--if-revision", metavar="N", type=click.IntRange(min=1), help="Only if this is its current revision.")
@click.option("--author", help="Who changes it.")
def update(
    console: Console, id: str, words: tuple[str, ...], if_revision: int | None, author: str | None, **given: Any
) -> None:
    """Correct a statement that was kept by hand.

    Only what is named changes; "" takes a field away. The revision before stays in the history. What was said word for
    word is never updated: retire or erase it.

    \b
    mnemic update 3uwa4q… "Ana lives in Antwerp, in Berchem."
    mnemic update 3uwa4q… --valid-to 2026-06-01 --if-revision 2
    """
    if words:
        if given["text"] is not None:
            raise click.UsageError("The new text is there twice: behind the id, and as --text.")
        given["text"] = " ".join(words)
    changes: dict[str, Any] = {
        name: None if value == "" and name != "text" else value for name, value in given.items() if value is not None
    }
    if not changes:
        raise click.UsageError("Nothing to change: give the new text behind the id, or a field, such as --subject.")
    with console.memory() as memory:
        console.receipt(memory.update(id, if_revision=if_revision, author=author, **changes, **console.scope))


@_verb(without=("embedder", "timezone"))
@click.argument("ids", nargs=-1, required=True, metavar="ID...")
@click.option("--reason", help="Why, for the history.")
@click.option("--author", help="Who retires it.")
def retire(console: Console, ids: tuple[str, ...], reason: str | None, author: str | None) -> None:
    """No longer believe records; this can be undone.

    --known-at before it still shows them.

    \b
    mnemic retire 3uwa4q… --reason "a misunderstanding"
    """
    with console.memory() as memory:
        console.receipt(memory.retire(ids, reason=reason, author=author, **console.scope))


@_verb(without=("timezone",))
@click.argument("ids", nargs=-1, required=True, metavar="ID...")
@click.option("--into", required=True, metavar="ID", help="The entity that they are.")
@click.option("--author", help="Who says so.")
def merge(console: Console, ids: tuple[str, ...], into: str, author: str | None) -> None:
    """Take entities for one; this can be undone.

    Entities are who or what is spoken of: `mnemic list --kind entity` shows them. What is said of those with the ids ID
    is said of the other one from then on.

    \b
    mnemic merge 3uwa4q… --into 7nm2xk…
    """
    with console.memory() as memory:
        console.receipt(memory.merge(ids, into=into, author=author, **console.scope))


@_verb(without=("timezone",))
@click.argument("id")
@click.option("--name", "names", multiple=True, required=True, help="An alias that is another's; may be repeated.")
@click.option("--author", help="Who says so.")
def split(console: Console, id: str, names: tuple[str, ...], author: str | None) -> None:
    """Make names of an entity another's; this can be undone.

    \b
    mnemic split 7nm2xk… --name Mel
    """
    with console.memory() as memory:
        console.receipt(memory.split(id, names=names, author=author, **console.scope))


@_verb(without=("timezone",))
@click.argument("results", metavar="RESULTS_ID")
@click.option("--used", multiple=True, metavar="ID", help="A hit that helped; may be repeated.")
@click.option("--wrong", multiple=True, metavar="ID", help="A hit that was wrong; may be repeated.")
@click.option("--outcome", metavar="P", type=click.FloatRange(0, 1), help="How well it went with what was used.")
@click.option("--author", help="Who says so.")
def feedback(console: Console, results: str, **given: Any) -> None:
    """Say which hits of a search helped, and which were wrong.

    RESULTS_ID is the id of a search's results, which --json shows; from ten times on, the user's searches are ranked by
    what was said. The question can be read in it.

    \b
    mnemic feedback qAWKB3… --used 3uwa4q… --wrong 7nm2xk…
    mnemic feedback qAWKB3… --used 3uwa4q… --outcome 0.5
    """
    if all(value in (None, ()) for name, value in given.items() if name != "author"):
        raise click.UsageError("Nothing to learn from: pass --used, --wrong or --outcome.")
    with console.memory() as memory:
        console.receipt(memory.feedback(results, **given, **console.scope))


@_verb(without=("timezone",))
@click.argument("receipt")
@click.option("--cascade", is_flag=True, help="Take back first what changed the same records later.")
@click.option("--author", help="Who undoes it.")
def undo(console: Console, receipt: str, cascade: bool, author: str | None) -> None:
    """Take back what one receipt did. An undo can be undone; an erasure cannot.

    \b
    mnemic undo r0066…
    mnemic undo r0066… --cascade
    """
    with console.memory() as memory:
        console.receipt(memory.undo(receipt, cascade=cascade, author=author, **console.scope))


@_verb(without=("embedder", "timezone"))
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.option("--all", "all_of", is_flag=True, help="All records of the user (and project) named.")
@_everything
@click.option("--dry-run", is_flag=True, help="Only tell what would go.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@click.option("--author", help="Who erases it.")
def erase(
    console: Console,
    ids: tuple[str, ...],
    all_of: bool,
    everything: bool,
    dry_run: bool,
    yes: bool,
    author: str | None,
) -> int:
    """Remove records for good, and all that rests on them.

    Words, vectors and statistics go, at every time. History keeps their ids, times and who erased them.
    It asks first; a script says --yes.

    \b
    mnemic erase 3uwa4q…
    mnemic erase --all --user ana --dry-run
    mnemic erase --everything --yes
    """
    if sum((bool(ids), all_of, everything)) != 1:
        raise click.UsageError("Name one of: ids, --all (of the user named), or --everything.")
    scope: ScopeArgs = {} if everything else console.scope
    with console.memory() as memory:
        if dry_run or not yes:
            would = memory.erase(ids, all_of=all_of, everything=everything, dry_run=True, author=author, **scope)
            if dry_run:
                console.receipt(would)
                return 0
            if not would.entries:
                console.note(f"nothing to erase: {'the file' if everything else console.whose} holds no records")
                return 1
            if not sys.stdin.isatty():
                raise click.UsageError(
                    f"{_counted(len(would.entries), 'record')} would be erased for good, and there is nobody to ask: "
                    "pass --yes, or --dry-run to see them."
                )
            of = "the whole file" if everything else console.whose
            if not click.confirm(f"Erase {_counted(len(would.entries), 'record')} of {of} for good?", err=True):
                console.note("nothing was erased")
                return 1
        receipt = memory.erase(ids, all_of=all_of, everything=everything, author=author, **scope)
    console.receipt(receipt)
    return 0


# -- reading


@_verb()
@click.argument("query", nargs=-1, required=True)
@_limit
@_threshold
@_as_of
@_known_at
@_now
@_where
@_kinds
@_include
@_reranker
@click.option("-e", "--evidence", is_flag=True, help="Show what each hit rests on.")
@click.option("--precise", is_flag=True, help="Only records whose subject or an alias is named.")
@click.option("--explain", metavar="ID", help="Why this record comes where it comes, or does not come.")
def search(
    console: Console,
    query: tuple[str, ...],
    limit: int,
    threshold: float | None,
    reranker: str | None,
    evidence: bool,
    precise: bool,
    explain: str | None,
    **given: Any,
) -> int:
    """Find what answers a question, or say "not known".

    The best hit comes first, each with the probability that it is evidence. Hits with less than 0.10 are left out
    unless --threshold says otherwise; where nothing is left, the answer is "not known". Exit code: 0 for hits, 1 for
    none.

    \b
    mnemic search "where does Ana live?"
    mnemic search "where does Ana live?" --as-of 2026-03-20
    mnemic search "dentist" --where '{"path": {"contains": "2026"}}' --json
    mnemic search "what does Marta drive?" --precise
    mnemic search "where does Ana live?" --explain ID
    """
    with console.memory(reranker=reranker) as memory:
        results = memory.search(
            " ".join(query), limit=limit, threshold=threshold, precise=precise, **_asked(given), **console.scope
        )
        if explain is not None:
            explanation = results.explain(explain)
            console.tell(explanation, [safe(line) for line in str(explanation).splitlines()])
            return 0
    if threshold is None and results.best is not None:
        results = _without_the_unlikely(results)
    lines: list[str] = []
    for rank, hit in enumerate(results, 1):
        lines += console.paper.hit(rank, hit, evidence=evidence)
    if not results and not console.quiet:
        lines = list(_not_known(console, results))
    console.tell(results, lines)
    if results:
        for note in results.notes:
            console.note(f"note: {_in_options(note)}")
    return 0 if results else 1


def _without_the_unlikely(results: Results) -> Results:
    kept = [place for place, hit in enumerate(results) if (hit.relevance or 0.0) >= NOT_KNOWN_BELOW]
    hits = tuple(results[place] for place in kept)
    return replace(results, id=ticket.shortened(results.id, kept), hits=hits, threshold=NOT_KNOWN_BELOW)


def _not_known(console: Console, results: Results) -> Iterator[str]:
    yield f"{click.style('not known', bold=True)}: {safe(results.query)}"
    held = _counted(results.considered, "record")
    if results.best is None and results.considered and results.notes:
        told = results.notes[0]
        advice = "try: another name, or without --precise"
    elif results.best is None:
        told = f"{held} may be searched for {console.whose} in {intake.shown(console.file)}"
        advice = "try: another --user, --project or --file, other filters, or add something first"
    else:
        near = f"relevance {results.best:.2f}, below {results.threshold:.2f}"
        told = f"the best of {held} for {console.whose} has {near}"
        advice = "try: other words; --threshold 0 to see the nearest; --include superseded; another --user or --project"
    yield from console.paper.words(told, "  ")
    yield from console.paper.words(advice, "  ")


def _asked(given: dict[str, Any]) -> dict[str, Any]:
    """Only what was said; `Memory` has its own defaults."""
    return {key: value for key, value in given.items() if value not in (None, ())}


@_verb()
@click.argument("question", nargs=-1, required=True)
@click.option(
    "-t",
    "--threshold",
    metavar="P",
    type=click.FloatRange(0, 1),
    default=0.5,
    show_default=True,
    help="Not known where the evidence was found with a lower probability.",
)
@_as_of
@_known_at
@_now
@_where
@_kinds
@_include
@_reranker
def ask(console: Console, question: tuple[str, ...], threshold: float, reranker: str | None, **given: Any) -> int:
    """Answer in the words of the evidence, or say "not known".

    The shortest words that answer a question, with what they rest on; days and months are worked out: "yesterday", said
    on 8 May, is 7 May. No model writes it: it is never more than was said, and may be the wrong part of it. Exit code:
    0 with an answer, 1 where it is not known.

    \b
    mnemic ask "when did Ana move to Porto?"
    mnemic ask "where does Ana live?" --as-of 2026-03-20
    mnemic ask "who has the key?" --threshold 0.2 --json
    """
    with console.memory(reranker=reranker) as memory:
        answer = memory.ask(" ".join(question), threshold=threshold, **_asked(given), **console.scope)
    notes = [_in_options(note) for note in answer.notes]
    if answer.known:
        lines = list(console.paper.answer(answer))
    else:
        lines = [] if console.quiet else list(_no_answer(console, answer, notes))
    console.tell(answer, lines)
    if answer.known:
        for note in notes:
            console.note(f"note: {note}")
    return 0 if answer.known else 1


def _no_answer(console: Console, answer: Answer, notes: Sequence[str]) -> Iterator[str]:
    yield f"{click.style(answer.text, bold=True)}: {safe(answer.query)}"
    for note in notes:
        yield from console.paper.words(note, "  ")
    advice = (
        "try: other words; --threshold 0 for the likeliest words; mnemic search to see what there is; another --user"
    )
    yield from console.paper.words(advice, "  ")


@_verb()
@click.argument("query", nargs=-1, required=True)
@click.option(
    "-b", "--budget", metavar="N", type=click.IntRange(min=1), default=1000, show_default=True, help="Tokens at most."
)
@click.option(
    "--as", "form", type=click.Choice(FORMATS), default="text", show_default=True, help="How the text is written."
)
@_threshold
@_as_of
@_known_at
@_now
@_where
@_kinds
@_include
@_reranker
def context(
    console: Console,
    query: tuple[str, ...],
    budget: int,
    form: str,
    threshold: float | None,
    reranker: str | None,
    **given: Any,
) -> int:
    """What is remembered for a question, as text for a prompt.

    It keeps within a budget of tokens and numbers its evidence. What fits is in it, the likeliest first; --threshold
    leaves out what is less probable. Exit code: 0 with something, 1 with nothing.

    \b
    mnemic context "where does Ana live?" --budget 400
    mnemic context "plans for May" --json
    """
    with console.memory(reranker=reranker) as memory:
        packed = memory.context(
            " ".join(query), budget=budget, format=form, threshold=threshold, **_asked(given), **console.scope
        )
    text = safe(packed.text) if sys.stdout.isatty() else packed.text
    console.tell(packed, [text] if text else [])
    if not packed.evidence:
        console.note(f"not known: {packed.query}")
    for note in packed.notes:
        console.note(f"note: {_in_options(note)}")
    console.note(
        f"{packed.tokens} of {packed.budget} tokens ({packed.counter}), "
        f"{_counted(len(packed.evidence), 'piece')} of evidence"
    )
    return 0 if packed.evidence else 1


@_verb(without=("embedder",))
@click.argument("id", required=False)
@click.option("--key", help="The current record that has this key, instead of an id.")
@_known_at
def get(console: Console, id: str | None, key: str | None, known_at: str | None) -> None:
    """One record with everything that it carries.

    With --key the current one that has it, such as a view that upkeep makes: profile, state:ana, commitments,
    open_questions, summary:week:2026-W21.

    \b
    mnemic get 3uwa4q…
    mnemic get 3uwa4q… --known-at 2026-05-01 --json
    mnemic get --key profile
    """
    if (id is None) == (key is None):
        raise click.UsageError("Name one record: its id, or --key.")
    with console.memory() as memory:
        record = memory.get(id, key=key, known_at=known_at, **console.scope)
    console.tell(record, console.paper.whole(record))


@_verb("list", without=("embedder",))
@click.option(
    "-n", "--limit", metavar="N", type=click.IntRange(min=1), default=20, show_default=True, help="At most so many."
)
@click.option("--after", metavar="CURSOR", help="Go on where the page before ended.")
@click.option(
    "--order", type=click.Choice(["newest", "oldest"]), default="newest", show_default=True, help="Which first."
)
@_as_of
@_known_at
@_where
@_kinds
@_include
def list_(console: Console, **given: Any) -> None:
    """Records by time, a page at a time.

    "mnemic timeline" narrows to a time (--since, --until) and to a --subject.

    \b
    mnemic list
    mnemic list --kind fact --limit 50
    mnemic list --session NOTES/2026-05.md --order oldest
    """
    with console.memory() as memory:
        page = memory.list(**_asked(given), **console.scope)
    console.tell(page, console.paper.page(page))
    if page.next:
        console.note(f"more: --after {page.next}")


@_verb(without=("embedder",))
@click.option("--since", metavar="TIME", help="From then on.")
@click.option("--until", metavar="TIME", help="Up to then.")
@click.option("--subject", help="Only records about this subject.")
@click.option(
    "-n", "--limit", metavar="N", type=click.IntRange(min=1), default=50, show_default=True, help="At most so many."
)
@click.option("--after", metavar="CURSOR", help="Go on where the page before ended.")
@_as_of
@_known_at
@_where
@_kinds
@_include
def timeline(console: Console, **given: Any) -> None:
    """What was said and what held, oldest first.

    Superseded records are shown, too.

    \b
    mnemic timeline --since 2026-04 --until 2026-05
    mnemic timeline --subject Ana --kind fact
    """
    with console.memory() as memory:
        page = memory.timeline(**_asked(given), **console.scope)
    console.tell(page, console.paper.page(page))
    if page.next:
        console.note(f"more: --after {page.next}")


@_verb(without=("embedder",))
@click.argument("id")
def history(console: Console, id: str) -> None:
    """Every change of one record, oldest first.

    An erased record keeps its id, times and who did it. With --json, one change a line.

    \b
    mnemic history 3uwa4q…
    """
    with console.memory() as memory:
        changes = memory.history(id, **console.scope)
    for change in changes:
        console.tell(change, console.paper.change(change))


@_verb(without=("embedder",))
@click.argument("since")
@click.argument("until", required=False)
def diff(console: Console, since: str, until: str | None) -> None:
    """What came (+), went (-) and changed (~ to >) between two times.

    Times are those of recording, not of what was said. Without UNTIL: up to now.

    \b
    mnemic diff 2026-05-01
    mnemic diff 2026-05-01 2026-06-01T12:00
    """
    with console.memory() as memory:
        found = memory.diff(since, until or datetime.now().astimezone(), **console.scope)
    console.tell(found, console.paper.diff(found))


# -- the whole


@_verb("export", without=("embedder", "timezone", "json"))
@click.argument("path", required=False, type=click.Path(path_type=Path))
@click.option("--markdown", is_flag=True, help="A folder of Markdown, for reading; PATH is the folder.")
@_everything
def export_(console: Console, path: Path | None, markdown: bool, everything: bool) -> None:
    """Write records as JSON Lines, or a folder of Markdown.

    All those of the user named, or of the whole file, with their history; without PATH to standard output. Markdown is
    for reading: sessions, subjects and views, linked; it comes back with "mnemic import FOLDER", without its history.
    A folder that was exported to before is brought up to date.

    \b
    mnemic export backup.jsonl --everything
    mnemic export --user ana > ana.jsonl
    mnemic export --markdown ana/
    """
    scope: ScopeArgs = {} if everything else console.scope
    if markdown and path is None:
        raise click.UsageError("--markdown writes a folder: name it.")
    with console.memory() as memory:
        if path is None:
            lines = memory.export(everything=everything, **scope)
            while some := list(islice(lines, LINES_AT_A_TIME)):
                click.echo("\n".join(some))
            return
        number = memory.export(path, format="markdown" if markdown else "jsonl", everything=everything, **scope)
    if markdown:
        console.note(f"wrote {_counted(number, 'file')} to {intake.shown(path)}")
    else:
        console.note(f"wrote {_counted(number, 'line')} to {intake.shown(path)} ({path.stat().st_size:,} bytes)")


def _columns(context: click.Context, parameter: click.Parameter, value: str | None) -> dict[str, str] | None:
    """`text=body,time=created` as a mapping."""
    if value is None:
        return None
    pairs = [pair.partition("=") for pair in value.split(",")]
    if not all(ours.strip() and theirs.strip() for ours, _, theirs in pairs):
        raise click.BadParameter(f"{value!r} is no mapping: write text=body,time=created.", context, parameter)
    return {ours.strip(): theirs.strip() for ours, _, theirs in pairs}


@_verb("import", without=("all_projects",))
@click.argument("path", metavar="PATH | -")
@click.option("--format", metavar="NAME", help="Of another system's export; see above. Default: by what is in it.")
@click.option("--only", metavar="NAME", help="Only what belongs to this user or group of the other system.")
@click.option(
    "--map", "columns", metavar="COLUMNS", callback=_columns, help="Of jsonl and csv: text=body,time=created."
)
@click.option("--dry-run", is_flag=True, help="Change nothing: say what would come.")
@click.option("-v", "--verbose", is_flag=True, help="Name the records, too.")
@click.option("--author", help="Who imports it.")
def import_(console: Console, path: str, verbose: bool, dry_run: bool, author: str | None, **given: Any) -> None:
    """Take over what export wrote, or what another system did.

    What export wrote: all of it or nothing; what is already there stays as it is. Records keep their own users and
    projects; where --user, --project or --tenant is named, others are refused.

    Another system's export becomes the user's: chatgpt, claude (a .zip, or its conversations.json), mem0, graphiti
    (and zep), letta, mcp (the reference memory server), markdown (a folder: Obsidian, basic-memory), jsonl, csv. Break
    it off and begin it again as you like: what is there stays as it is.

    \b
    mnemic import backup.jsonl --file new.db
    ssh home mnemic export | mnemic import -
    mnemic import chatgpt-export.zip --dry-run
    mnemic import letters.csv --map text=body,time=sent
    """
    from mnemic import exchange  # with it comes all of the engine, for which no other command's help should wait

    pipe = path == "-" or (Path(path).exists() and not Path(path).is_file() and not Path(path).is_dir())
    own = pipe or not Path(path).exists() or exchange.is_export(path, given["format"])
    if own and (given["only"] or given["columns"]):
        raise click.UsageError("--only and --map are for other systems' exports, which are files or folders.")
    source = list(_lines_of(path)) if pipe else path
    options: dict[str, Any] = {**({} if own else given), **(console.named if own else console.scope)}
    if not own:
        options["shared"] = console.shared
    if "://" not in console.file and not Path(console.file).exists():
        with mnemic.Memory(":memory:", embedder="none", timezone=console.zone) as trial:
            tried = trial.import_(source, dry_run=True, **options)  # what is refused leaves no new file behind
        if dry_run:
            console.receipt(tried, entries=verbose)
            return
    with console.memory(make=True) as memory, _told("importing", console) as tell:
        receipt = memory.import_(source, dry_run=dry_run, progress=tell, author=author, **options)
        console.receipt(receipt, entries=verbose)


def _lines_of(path: str) -> Iterator[str]:
    """The lines of standard input, or of a pipe, which can be read only once."""
    name = "standard input" if path == "-" else intake.shown(path)
    try:
        pieces = list(_piped_in()) if path == "-" else [Path(path).read_bytes()]
        yield from io.StringIO(b"".join(pieces).decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise InputError(f"{name} is not UTF-8 text ({error.reason})") from None
    except OSError as error:
        raise InputError(f"{name} cannot be read: {error.strerror}") from None


@_verb("notes", without=("all_projects", "session", "agent"))
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--once", is_flag=True, help="Look once, and end.")
@click.option("--to", metavar="FILE", default="mnemic.md", show_default=True, help="The note that is written to.")
@click.option(
    "--every",
    metavar="SECONDS",
    type=click.FloatRange(min=0.1),
    default=2.0,
    show_default=True,
    help="How often to look.",
)
def notes_(console: Console, folder: Path, once: bool, to: str, every: float) -> None:
    """Keep a folder of Markdown and the memory alike, until Ctrl-C.

    The folder is the authority. Its notes are read section by section, observations such as "- [preference] Tea, not
    coffee #drinks" become statements, and what is edited, moved or deleted there is so in the memory. What is
    remembered (by an agent, by "mnemic remember") is appended to a note; a correction edits the line, and your edit of
    a line is a correction. Where both changed, both words stay.

    \b
    mnemic notes NOTES/
    mnemic notes NOTES/ --once --to inbox.md
    """
    from mnemic.notes import Folder  # with the engine, for which no other command's help should wait

    with console.memory(make=True) as memory:
        kept = Folder(memory, folder, to=to, shared=console.shared, **console.scope)
        for report in [kept.sync()] if once else kept.watch(every):
            console.tell(report, str(report).splitlines())


@_verb()
@_everything
def stats(console: Console, everything: bool) -> None:
    """Count what is kept, for a user or in the whole file.

    \b
    mnemic stats
    mnemic stats --everything --json
    """
    scope: ScopeArgs = {} if everything else console.scope
    with console.memory() as memory:
        found = memory.stats(everything=everything, **scope)
    whose = "the whole file" if everything else console.whose
    console.tell(found, console.paper.stats(found, f"{whose} in {intake.shown(console.file)}"))


@_verb(without=("timezone", "session", "agent"))
@click.option("--budget-ms", metavar="N", type=click.FloatRange(min=0), help="Stop after about so many milliseconds.")
@click.option(
    "--forgetting",
    metavar="NAME",
    help='What becomes of what is not used again: "ebbinghaus", "fsrs", "age", "budget:10000" (records) or '
    '"budget:20MB"; "none" brings everything back. Default: nothing.',
)
@_everything
def upkeep(console: Console, budget_ms: float | None, forgetting: str | None, everything: bool) -> None:
    """Derive from what was added; forget; and keep up the views.

    Statements that rules can read out of it, and what they change; with a --model what it reads, whose key, if it needs
    one, is $MNEMIC_API_KEY. Nothing with --recipe none. Then the profile, states of subjects, commitments, open
    questions, summaries and topics ("mnemic get --key profile"); where a model derives, summaries are in its words.

    With --forgetting: what was not used for long ranks lower, and at last is cold, shown only with --include faded.
    Nothing is erased; "mnemic undo" takes a step back.

    \b
    mnemic upkeep
    mnemic upkeep --everything --budget-ms 2000
    mnemic upkeep --model http://localhost:11434/v1#llama3.2
    mnemic upkeep --forgetting ebbinghaus
    """
    scope: ScopeArgs = {} if everything else console.scope
    with console.memory(forgetting=forgetting) as memory, _told("deriving", console) as tell:
        console.receipt(memory.upkeep(budget_ms=budget_ms, everything=everything, progress=tell, **scope))


@_verb(without=("timezone",))
@click.option("--dry-run", is_flag=True, help="Change nothing: say what would become of what is derived.")
@_everything
def rebuild(console: Console, dry_run: bool, everything: bool) -> None:
    """Make index, vectors and all that is derived anew.

    For instance with another embedder or recipe, or after an upgrade.

    \b
    mnemic rebuild --dry-run
    mnemic rebuild --everything --embedder minilm:models/all-MiniLM-L6-v2
    """
    scope: ScopeArgs = {} if everything else console.scope
    with console.memory() as memory, _told("deriving", console) as tell:
        console.receipt(memory.rebuild(dry_run=dry_run, everything=everything, progress=tell, **scope))


@contextlib.contextmanager
def _told(label: str, console: Console) -> Generator[Callable[[int, int], None]]:
    """A progress bar for whoever is told how much is done, of how much."""
    with contextlib.ExitStack() as stack:
        advance: progress.Advance | None = None
        last = 0

        def tell(done: int, of: int) -> None:
            nonlocal advance, last
            if advance is None:
                advance = stack.enter_context(progress.bar(label, of, show=_watches(console) and of > 500))
            advance(done - last)
            last = done

        yield tell


@_verb(without=("embedder", "timezone", "user", "project", "all_projects", "shared", "tenant", "session", "agent"))
def verify(console: Console) -> int:
    """Check the file, and the chain of all its changes.

    SQLite checks its pages; then the hashes over every change ever made are computed again. Exit code: 0 when all is
    well, 1 with one line for each fault. It is no fault, but told, where changes are recorded at times that are still
    to come: one of the computers that write here has a clock that is wrong.

    \b
    mnemic verify --file agent.db
    """
    with console.memory() as memory:
        changes = memory.stats(everything=True).journal
    from mnemic import journal  # with it comes all of the engine, for which no other command's help should wait
    from mnemic.stores.sqlite import SqliteStore
    from mnemic.times import micros

    store = SqliteStore(Path(console.file), read_only=True)
    with contextlib.closing(store), store.read() as snapshot:
        faults = [row[0] for row in snapshot.select("PRAGMA integrity_check", {}) if row[0] != "ok"]
        faults += journal.broken_links(snapshot)
        notes = [*journal.times_to_come(snapshot, micros(datetime.now(UTC)))]
    whole = f"whole: {changes:,} changes in unbroken chains, and SQLite finds no fault"
    console.tell(
        {"ok": not faults, "changes": changes, "faults": faults, "notes": notes}, [*(faults or [whole]), *notes]
    )
    return 1 if faults else 0


# -- serving


@_verb(without=("all_projects", "shared", "json"))
@click.option("--upstream", metavar="URL", required=True, help="Where requests go, such as https://api.openai.com/v1.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Where to listen.")
@click.option("--port", type=click.IntRange(0, 65535), default=8766, show_default=True, help="0: any that is free.")
@click.option("--fixed", is_flag=True, help="User and project are those named here, whatever a request says.")
@click.option(
    "--mode",
    type=click.Choice(["on", "recall-only", "remember-only", "off"]),
    default="on",
    show_default=True,
    help="What is done; a request may ask for less with the header X-Mnemic.",
)
@click.option("--budget", metavar="TOKENS", type=click.IntRange(min=1), default=1000, show_default=True)
@click.option(
    "-t",
    "--threshold",
    metavar="P",
    type=click.FloatRange(0, 1),
    default=NOT_KNOWN_BELOW,
    show_default=True,
    help="Only what is at least this probable is given to the model.",
)
@click.option(
    "--within", metavar="MS", type=click.IntRange(min=1), default=300, show_default=True, help="Time for recalling."
)
@click.option("--tool-results", is_flag=True, help="Remember what tools gave, too.")
@click.option("--upkeep", is_flag=True, help="Do upkeep in a thread, after each write.")
@click.option("--without-key", is_flag=True, help="Listen beyond this machine though there is no key.")
@click.option("--allow-host", metavar="NAME", multiple=True, help="A further name under which it may be asked.")
@click.option("--allow-origin", metavar="ORIGIN", multiple=True, help="A page that may ask it: https://chat.example.")
@click.option(
    "--largest", metavar="MB", type=click.IntRange(min=1), default=64, show_default=True, help="Of a request."
)
@click.option(
    "--patience", metavar="S", type=click.FloatRange(min=1), default=600, show_default=True, help="With the upstream."
)
def proxy(
    console: Console,
    upstream: str,
    within: int,
    tool_results: bool,
    upkeep: bool,
    without_key: bool,
    allow_host: tuple[str, ...],
    allow_origin: tuple[str, ...],
    largest: int,
    **given: Any,
) -> int:
    """Stand in front of a chat model, and remember.

    It recalls before the user's words, and keeps what is said.

    Speaks what the upstream speaks: OpenAI's /v1/chat/completions, Anthropic's /v1/messages; everything else goes
    through. Point a client's base URL here, and leave its key as it is: it goes to the upstream only. Where
    $MNEMIC_PROXY_KEY is set, clients have to show it in X-Mnemic-Key. Ends with Ctrl-C or SIGTERM, and remembers what
    waits before that.

    \b
    mnemic proxy --upstream https://api.openai.com/v1
    mnemic proxy --upstream https://api.anthropic.com --user ana --fixed
    """
    settings = _server("proxy.settings").Settings(
        upstream=upstream,
        scope=console.one_scope,
        within=within / 1000,
        tools=tool_results,
        key=console.proxy_key,
        open=without_key,
        hosts=tuple(name.lower() for name in allow_host),
        origins=allow_origin,
        largest=largest * 1_000_000,
        **given,
    )

    def ready(address: str) -> None:
        console.note(f"listening on {address}, for {console.whose} in {console.file}, in front of {upstream}")

    _server("proxy.listen").listen(
        settings, lambda: console.opened(console.embedder, author="proxy", background=upkeep), ready
    )
    return 0


def _server(name: str) -> Any:
    """A module of a server. Raises MissingExtraError where what it needs is not installed."""
    try:
        return import_module(f"mnemic.serve.{name}")
    except ModuleNotFoundError as error:
        package = (error.name or "mnemic").split(".")[0]
        if package == "mnemic":
            raise
        raise MissingExtraError(
            f"servers need the extra 'server' ({package} is not installed): pip install 'mnemic[server]'"
        ) from error


CHOSEN = {
    "user": "user_id",
    "project": "project_id",
    "tenant": "tenant_id",
    "agent": "agent_id",
    "session": "session_id",
}


@_verb("mcp", cls=_Verbs, invoke_without_command=True)
@click.option("--http", is_flag=True, help="Streamable HTTP in place of standard input and output.")
@click.option("--host", default=None, help="Listen there. Default: 127.0.0.1, this machine alone.")
@click.option("--port", type=click.IntRange(0, 65535), default=None, help="Default: 8377; 0 takes any that is free.")
@click.option("--expose", is_flag=True, help="Mean it: listen beyond this machine. Needs $MNEMIC_MCP_KEY.")
@click.option("--allow-host", multiple=True, metavar="NAME", help="A name by which clients call it; may be repeated.")
@click.option("--allow-origin", multiple=True, metavar="URL", help="Pages from there may call it; may be repeated.")
@click.option(
    "--let-model-choose",
    multiple=True,
    type=click.Choice(list(CHOSEN)),
    help="Give the tools a parameter for this part of the scope; may be repeated. Default: none.",
)
@click.option("--allow-erase", is_flag=True, help="Let the model erase for good. Default: it can only retire.")
@click.option("--max-tokens", metavar="N", type=click.IntRange(500), default=8000, help="Of a result. Default: 8000.")
@click.option("--reference", is_flag=True, help="Speak the tools of MCP's reference memory server: create_entities, …")
@click.option("--no-upkeep", is_flag=True, help="Leave upkeep (profile, summaries, …) to others.")
def mcp(console: Console, **given: Any) -> None:
    """Serve the memory to coding agents and chats, over MCP.

    They start this command themselves: `mnemic mcp install` writes it into their settings. Whose memories they get is
    set by the options here, never by the model.

    \b
    claude mcp add mnemic -- mnemic mcp --file ~/mnemic.db
    mnemic mcp install cursor --dry-run
    mnemic mcp --http --port 8377
    """
    if click.get_current_context().invoked_subcommand is None:
        _serve_mcp(console, **given)


_SERVER_OPTIONS = ("user", "project", "tenant", "agent", "session", "timezone", "embedder", "recipe", "model")


@_verb("install", within=cast("click.Group", mcp))
@click.argument("client", required=False)
@click.argument("options", nargs=-1, metavar="[-- OPTION...]")
@click.option("--dry-run", is_flag=True, help="Change nothing: show what would be.")
@click.option("--remove", is_flag=True, help="Take it out again.")
@click.option("--here", is_flag=True, help="The settings of the project in this folder, in place of the user's.")
@click.option("--name", default="mnemic", show_default=True, help="What the client calls the server.")
@click.option("--command", metavar="TEXT", help="How to start mnemic. Default: the one that runs now, by its path.")
def mcp_install(
    console: Console,
    client: str | None,
    options: tuple[str, ...],
    dry_run: bool,
    remove: bool,
    here: bool,
    name: str,
    command: str | None,
) -> int:
    """Write the server into the settings of a client.

    CLIENT is claude-code, claude-desktop, cursor, vscode, windsurf, zed, codex, gemini-cli or opencode; without one,
    they are listed, with their files. For claude-code it is the .mcp.json of the project in this folder, with or
    without --here, for Claude Code alone writes the user's file; the command that has it do so is shown. Other entries
    and comments stay as they are, what was there is kept beside it as a backup, and doing it twice changes nothing.
    --file, --user and the like are written down, and so is what follows "--", which goes to `mnemic mcp`. The memory's
    file is ~/mnemic.db where none is named.

    \b
    mnemic mcp install cursor --dry-run
    mnemic mcp install claude-code --project rocket -- --let-model-choose session
    mnemic mcp install codex --remove
    """
    clients = import_module("mnemic.serve.mcp.clients")
    where = folders()
    if client is None:
        rows = [
            (one.name, str(clients.file_of(one, where, here=here and bool(one.project)))) for one in clients.CLIENTS
        ]
        console.tell(
            [{"client": one, "file": path, "exists": Path(path).exists()} for one, path in rows],
            [f"{one:<15} {path}{'' if Path(path).exists() else '  (no such file)'}" for one, path in rows],
        )
        return 0
    known = clients.client_of(client)
    path = clients.file_of(known, where, here=here)
    line = [*_mnemic(command), "mcp", *console.server_options(where.home), *_checked_options(options)]
    if remove:
        edit = clients.removed(known, path, name)
    else:
        edit = clients.added(known, path, name, clients.entry_of(known, line))
    backup = clients.write(edit) if edit.changes and not dry_run else None
    did = "nothing to change" if not edit.changes else "would change" if dry_run else "removed" if remove else "added"
    told = [f"{did}: {name} in {path}"]
    if edit.changes:
        told += str(edit).splitlines() if dry_run else [f"backup: {backup}"] if backup else []
        own = clients.own_command(known, name, line)
        if own is not None and not remove:
            if known.own is None:
                told.append(
                    "this is the file of the project in this folder, with paths of this machine: do not share it"
                )
                told.append(f"for all your projects, in place of it: {own}")
            else:
                told.append(f"the same by its own command: {own}")
        if not dry_run:
            told.append(f"start {known.title} anew, so that it takes notice")
    value = {
        "client": known.name,
        "file": str(path),
        "changed": edit.changes and not dry_run,
        "backup": backup and str(backup),
    }
    console.tell({**value, "diff": str(edit)}, told)
    return 0


def _mnemic(command: str | None) -> list[str]:
    """How this very command is started: by its path, for a client that starts it has another search path."""
    if command is not None:
        return shlex.split(command)
    started = Path(sys.argv[0])
    if started.stem == "mnemic" and started.is_file():
        return [str(started.absolute())]
    return [sys.executable, "-m", "mnemic"]


def _checked_options(options: Sequence[str]) -> list[str]:
    """Options of `mnemic mcp`, refused now rather than when a client starts it."""
    with mcp.make_context("mnemic mcp", list(options), resilient_parsing=False) as context:
        if context.args:
            raise click.UsageError(f"{context.args[0]!r} is no option of mnemic mcp.")
    return list(options)


def _serve_mcp(
    console: Console,
    http: bool,
    let_model_choose: tuple[str, ...],
    allow_erase: bool,
    max_tokens: int,
    reference: bool,
    no_upkeep: bool,
    **address: Any,
) -> None:
    if not http and any(value not in (None, False, ()) for value in address.values()):
        raise click.UsageError("--host, --port, --expose, --allow-host and --allow-origin go with --http.")
    if importlib.util.find_spec("mcp") is None:
        raise MissingExtraError("the MCP server needs the official SDK: pip install 'mnemic[mcp]'")
    desks = import_module("mnemic.serve.mcp.desk")

    def opened(embedder: object) -> Memory:
        return console.opened(embedder, background=not no_upkeep)

    def listening(url: str) -> None:
        console.note(f"listening on {url}")

    desk = desks.Desk(
        opened,
        desks.Terms(
            scope=console.scope,
            shared=console.shared,
            chosen=tuple(CHOSEN[part] for part in dict.fromkeys(let_model_choose)),
            may_erase=allow_erase,
            max_tokens=max_tokens,
        ),
        embedder=console.embedder,
    )
    if not http:
        import_module("mnemic.serve.mcp.server").run(desk, reference=reference)
        return
    over_http = import_module("mnemic.serve.mcp.http")
    named = {"host": address["host"] or over_http.HOST, "key": console.mcp_key, "exposed": address["expose"]}
    named["port"] = over_http.PORT if address["port"] is None else address["port"]
    where = over_http.Address(**named, hosts=address["allow_host"], origins=address["allow_origin"])
    over_http.run(desk, where, reference=reference, listening=listening)


# -- for others


@_verb(without=("user", "project", "all_projects", "shared", "tenant", "session", "agent", "json"))
@click.option("--host", default="127.0.0.1", show_default=True, metavar="ADDRESS", help="Where to listen.")
@click.option(
    "--port", default=8000, show_default=True, metavar="N", type=click.IntRange(0, 65535), help="0: any that is free."
)
@click.option(
    "--without-keys-beyond-loopback",
    is_flag=True,
    help="Let everybody who can reach this machine read, change and erase everything.",
)
@click.option("--allow-host", multiple=True, metavar="NAME", help="May be asked under this name without a key, too.")
@click.option("--allow-origin", multiple=True, metavar="URL", help="Pages from there may ask, such as https://a.org.")
@click.option("--rate", metavar="N", type=click.FloatRange(min=0, min_open=True), help="Requests a second of one key.")
@click.option("--threads", metavar="N", type=click.IntRange(1, 64), help="That work on the memory. Default: 4.")
@click.option(
    "--workers",
    metavar="N",
    type=click.IntRange(1, 64),
    help="Processes behind the port. Default: one for each core that may be used, at most 4; but 1 with --background, "
    "and on other systems than Linux.",
)
@click.option("--worker", type=(Path, int, int, int), hidden=True, help="What one of several processes was given.")
@click.option(
    "--ssl-certfile", metavar="PATH", type=click.Path(dir_okay=False, path_type=Path), help="Serve https with this."
)
@click.option("--ssl-keyfile", metavar="PATH", type=click.Path(dir_okay=False, path_type=Path), help="Its private key.")
@click.option("--stop-seconds", default=30.0, show_default=True, metavar="N", type=float, help="To finish, at a stop.")
@click.option("--background", is_flag=True, help="Do upkeep in a thread, after each write.")
@click.option("--otel", is_flag=True, help="A span for each call, for the OpenTelemetry of this process.")
@_reranker
def serve(
    console: Console,
    reranker: str | None,
    background: bool,
    workers: int | None,
    worker: tuple[Path, int, int, int] | None,
    **given: Any,
) -> int:
    """Serve the memory over HTTP: JSON in, JSON out.

    Beyond this machine (--host 0.0.0.0) it wants keys: "mnemic keys add" makes them. From the first key on every
    request needs one. What can be asked stands at /openapi.json.

    \b
    mnemic serve
    mnemic serve --file agent.db --port 8080
    mnemic serve --host 0.0.0.0 --ssl-certfile cert.pem --ssl-keyfile key.pem
    """
    several = _server("workers")
    # In the background each would do the same upkeep, and ask a model about the same: not unasked.
    if (many := workers or (1 if background else several.one_for_a_core())) > 1:
        arguments = click.get_current_context().meta[_ARGUMENTS]
        return several.serve_many(many, arguments, tell=console.note, **given)
    run = _server("run")  # with all of FastAPI, for which no other command should wait
    mine = None if worker is None else _server("together").worker(*worker)
    with console.memory(make=True, reranker=reranker, background=background) as memory:
        run.serve(memory, console.store, tell=console.note, worker=mine, **given)
    return 0


@_verb(without=("session", "agent"))
@click.option("--port", default=8765, show_default=True, metavar="N", type=click.IntRange(0, 65535), help="0: any.")
@click.option("--open", "show", is_flag=True, help="Open it in the browser.")
def ui(console: Console, port: int, show: bool) -> None:
    """Show the memory as a web page, on this machine.

    Search, timeline, conflicts, corrections, and what agents are told.

    \b
    mnemic ui
    mnemic ui --user ana --open
    """
    asked = {"user": "user_id", "project": "project_id", "tenant": "tenant_id"}
    scope = cast("dict[str, Any]", console.scope)
    whose = urlencode({name: scope[part] for name, part in asked.items() if isinstance(scope.get(part), str)})

    def tell(words: str) -> None:
        console.note(words)
        found = re.search(r"https?://\S+(?=,)", words)
        if found:
            address = f"{found[0]}/ui/?{whose}"
            console.note(f"the page is at {address}")
            if show:
                webbrowser.open(address)

    _server("listening")  # what is missing is said before anything is read
    with console.memory() as memory:
        # Whoever asks first waits until the scope has been read, seconds for a large one: better here than on the page.
        reading = threading.Thread(target=_read_in, args=(memory, scope), daemon=True)
        reading.start()
        run = _server("run")  # with all of FastAPI: no other command should wait for it
        reading.join(1.0)
        if reading.is_alive():
            console.note("reading the memory …")
            reading.join()
        run.serve(memory, console.store, tell=tell, host="127.0.0.1", port=port)


def _read_in(memory: Memory, scope: Mapping[str, Any]) -> None:
    with contextlib.suppress(MnemicError):  # whatever is wrong, the page's own request is told
        memory.list(limit=1, **scope)


@_verb(without=("timezone", "embedder", "recipe", "model", "all_projects", "shared", "session", "agent"))
@click.argument("action", type=click.Choice(["add", "list", "rotate", "revoke"]))
@click.argument("name", required=False)
@click.option(
    "--role",
    type=click.Choice(["reader", "writer", "admin", "owner"]),
    default="reader",
    show_default=True,
    help="What a new key may do.",
)
@click.option("--any-user", is_flag=True, help="A new key may name any user.")
@click.option("--any-project", is_flag=True, help="A new key may name any project.")
@click.option("--any-tenant", is_flag=True, help="A new key may name any tenant.")
@click.option(
    "--grace", metavar="SECONDS", type=click.FloatRange(min=0), default=0.0, help="That a rotated key's old one holds."
)
def keys(console: Console, action: str, name: str | None, **given: Any) -> None:
    """Make, list, rotate and revoke the keys of a server.

    A key holds for the users, projects and tenant named, and for nobody else; without --tenant for those of no tenant.
    A reader reads; a writer adds and changes, too; an admin erases, exports and rebuilds; an owner may all of that with
    the whole file. A key is shown once: only its hash is kept, in a file beside the memory's (NAME-keys).

    \b
    mnemic keys add phone --role writer --user ana
    mnemic keys add app --role admin --any-user --any-project --tenant acme
    mnemic keys list
    mnemic keys rotate phone --grace 3600
    mnemic keys revoke phone
    """
    known = importlib.import_module("mnemic.serve.keys")  # with the engine
    held = known.Keys(known.beside(console.store))
    if action == "list":
        for key in held.list():
            console.tell(key, [known.line(key)])
        return
    if name is None:
        raise click.UsageError(f"Name the key: mnemic keys {action} NAME.")
    if action == "revoke":
        key = held.revoke(name)
        console.tell(key, [f"revoked {key.name!r}"])
        return
    if action == "rotate":
        key, token = held.rotate(name, grace=timedelta(seconds=given["grace"]))
    else:
        if not console.store.exists():
            raise NotFoundError(f"there is no file '{console.file}': name the one that is served with --file")
        key, token = held.add(name, known.grant_of(given["role"], console.named, given))
    console.note(f"{key.name} ({key.id}): {key.grant}. Keep it now: it is not shown again.")
    console.tell({"id": key.id, "name": key.name, "key": token}, [token])


# -- seeing it work


@_verb(without=("file", "timezone", "user", "project", "all_projects", "shared", "tenant", "session", "agent", "quiet"))
def demo(console: Console) -> int:
    """See it work on a sample conversation, in a few seconds.

    In a temporary folder, without a network. Exit code: 0 when everything went as it says.

    \b
    mnemic demo
    """
    from mnemic.demo import run  # with the samples' loader, which nothing else here needs

    report = run(
        _nothing if console.json else click.echo,
        width=min(100, shutil.get_terminal_size().columns),
        embedder=console.embedder,
    )
    if console.json:
        click.echo(as_json(report))
    return 0 if report.held else 1


def _nothing(line: str) -> None:
    """Where the report is the answer."""


@main.command(
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []},
    add_help_option=False,
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def bench(arguments: tuple[str, ...]) -> int:
    """Measure recall and speed, in a checkout of the project.

    All arguments go on to `python -m bench`.

    \b
    mnemic bench --help
    mnemic bench quality
    """
    root = _checkout()
    if root is None:
        raise ConfigError(
            "the measurements are not part of the installed package: run this in a checkout of the project, "
            "where the folder 'bench' is"
        )
    return subprocess.run([sys.executable, "-m", "bench", *arguments], cwd=root, check=False).returncode


def _checkout() -> Path | None:
    """The checkout that this package is in, or else the current folder."""
    package = Path(mnemic.__file__).resolve().parent
    for root in (package.parent.parent, Path.cwd()):
        if (root / "bench" / "__main__.py").is_file() and (root / "src" / "mnemic" / "__init__.py").is_file():
            return root
    return None
