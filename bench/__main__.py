"""`python -m bench`: the quality and speed runs, from a checkout."""

from __future__ import annotations

import os

# Before numpy is loaded: a search is one thread's work, and threads of a BLAS that wait for each other would measure
# who else is using the machine.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import datetime
import importlib.metadata
import platform
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import click

from bench import (
    ablate,
    aio,
    answers,
    baselines,
    datasets,
    derive,
    failures,
    feedback,
    forgetting,
    mcp,
    model,
    pairs,
    precise,
    proxy,
    report,
    run,
    serve,
    speed,
    summaries,
    updates,
    variants,
)
from bench import fit as fitting
from mnemic.aio import THREADS
from mnemic.models import wordllama

Command = TypeVar("Command", bound=Callable[..., None])

CHECKOUT = Path(__file__).resolve().parent.parent
DATA = CHECKOUT.parent / "shared" / "data"
RESULTS = CHECKOUT / "bench" / "results"
CHATLOG = Path("chatlog") / "ubuntu_irc_train.txt.gz"

_data = click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    default=DATA,
    help="The folder of the data sets; by default ../shared/data beside the checkout.",
)
_out = click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), default=RESULTS, help="Where the tables go."
)
_seed = click.option("--seed", type=int, default=0, show_default=True, help="Of samples and of the bootstrap.")
_name = click.option("--name", default=None, help="The file name of the tables; by default the date.")
_limit = click.option(
    "--limit", type=click.IntRange(min=1), default=None, help="At most so many conversations of a set."
)
_ranking = click.option(
    "--ranking",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    default=None,
    help="Fitted numbers in place of the shipped ones.",
)


def _sets(default: Sequence[str]) -> Callable[[Command], Command]:
    return click.option("--sets", default=",".join(default), show_default=True, help="Which sets, with commas between.")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Measure Mnemic: how well it recalls, and how fast it is.

    The data is not part of the project: --data names its folder, and a set that is not there is named and left out.
    """


@main.command()
@_data
@_out
@_seed
@_name
@_sets(tuple(datasets.DATASETS))
@_limit
@click.option("--systems", default=None, help="Which systems, with commas between; by default all.")
@click.option(
    "--variants",
    "left_out",
    type=click.Path(path_type=Path, file_okay=False),
    default=None,
    help="A folder of fitted numbers, which `fit` writes: measures what fitting is worth on a set never seen "
    "('transfer'), and on a conversation never seen of a known set ('bound').",
)
def quality(
    data: Path,
    out: Path,
    seed: int,
    name: str | None,
    sets: str,
    limit: int | None,
    systems: str | None,
    left_out: Path | None,
) -> None:
    """How much of the evidence is found, beside simple baselines."""
    _quality(data, out, seed, name, sets, limit, systems, left_out)


@main.command("serve")
@_seed
@click.option("--clients", type=click.IntRange(min=1), default=200, show_default=True, help="At once.")
@click.option("--seconds", type=float, default=10.0, show_default=True, help="How long they ask.")
@click.option("--pause", type=float, default=0.0, show_default=True, help="Seconds between requests, on average.")
@click.option("--times", type=click.IntRange(min=10), default=200, show_default=True, help="Searches one by one.")
@click.option("--workers", type=click.IntRange(min=1), default=2, show_default=True, help="Processes that serve.")
def serve_command(seed: int, clients: int, seconds: float, pause: float, times: int, workers: int) -> None:
    """What the REST server adds to a search, and how it holds under many clients at once."""
    for line in serve.run(clients, seconds, pause, times, seed, workers):
        click.echo(line)


@main.command("speed")
@_data
@_out
@_seed
@_name
@click.option("--sizes", default="10000,100000", show_default=True, help="Episodes of one user, with commas between.")
@click.option("--seconds", type=float, default=10.0, show_default=True, help="At most so long for each comparison.")
def speed_command(data: Path, out: Path, seed: int, name: str | None, sizes: str, seconds: float) -> None:
    """Searches and writes beside the least that the same work can cost."""
    _speed(data, out, seed, name, [int(size) for size in _listed(sizes)], seconds)


@main.command(context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def fit(arguments: tuple[str, ...]) -> None:
    """Fit the numbers of the ranking; see `fit --help`."""
    raise SystemExit(fitting.main(arguments))


@main.command("variants")
@_data
@click.option("--to", type=click.Path(path_type=Path, file_okay=False), required=True, help="The folder to write to.")
def variants_command(data: Path, to: Path) -> None:
    """Fit the ranking with each set, and each conversation, left out: for `quality --variants`."""
    variants.write(data, to, progress=_say)


@main.command("answers")
@_data
@_out
@_seed
@_name
@click.option("--sets", default="locomo,musique", show_default=True, help="Which sets, with commas between.")
@click.option("--write", "to", type=click.Path(path_type=Path, dir_okay=False), help="Fit, and write the weights here.")
def answers_command(data: Path, out: Path, seed: int, name: str | None, sets: str, to: Path | None) -> None:
    """How near the answers without a model come to the key's, and the fit of their weights."""
    present, missing = datasets.load_available(_listed(sets), data)
    for set_name in missing:
        click.echo(f"no data for {set_name} under {data}: left out", err=True)
    asked = {of: list(answers.cases(conversations, _say)) for of, conversations in present.items()}
    date = _about(seed)["date"]
    if to is not None:
        weights = answers.fit([lesson for found in asked.values() for lesson in answers.lessons(found)])
        answers.write(weights, to, sets=list(asked), date=date)
        _say(f"written to {to}; run again to measure what ships")
        return
    lines = [line for of, found in asked.items() for line in _answers(of, found, seed)]
    path = out / f"{name or f'answers-{date}'}.md"
    out.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(["# Answers without a model", "", *lines]) + "\n", encoding="utf-8")
    click.echo("\n".join(lines))
    _say(f"written to {path}")


@main.command("precise")
def precise_command() -> None:
    """Questions that call records by name: precision, recall and time by kind of case. Needs no data."""
    for line in precise.report():
        click.echo(line)


@main.command("feedback")
@_data
@_seed
@_sets(("locomo",))
@_limit
def feedback_command(data: Path, seed: int, sets: str, limit: int | None) -> None:
    """What feedback on half of the questions is worth for the other half."""
    for conversations in _present(data, sets, limit, seed).values():
        measured = feedback.measure(conversations, seed=seed, progress=_say)
        for line in feedback.table(measured, seed=seed):
            click.echo(line)


@main.command("forgetting")
@_data
@_seed
@_sets(("locomo",))
@_limit
def forgetting_command(data: Path, seed: int, sets: str, limit: int | None) -> None:
    """What forgetting policies cost in recall at the end of a conversation."""
    for conversations in _present(data, sets, limit, seed).values():
        measured = forgetting.measure(conversations, seed=seed, progress=_say)
        for line in forgetting.table(measured, seed=seed):
            click.echo(line)


@main.command("pairs")
@_data
@_out
@_seed
@_name
@_sets(("locomo", "longmemeval", "beam"))
@_limit
@_ranking
@click.option(
    "--variants",
    "left_out",
    type=click.Path(path_type=Path, file_okay=False),
    default=None,
    help="A folder of fitted numbers, as for quality: measures 'transfer', too.",
)
def pairs_command(
    data: Path,
    out: Path,
    seed: int,
    name: str | None,
    sets: str,
    limit: int | None,
    ranking: Path | None,
    left_out: Path | None,
) -> None:
    """Whether the confidence tells a question from its twin that has no answer."""
    kinds: dict[str, Callable[[datasets.Conversation], Path | None]] = {"Mnemic": lambda _: ranking}
    if left_out is not None:
        kinds["Mnemic, transfer"] = lambda conversation: left_out / "transfer" / f"{conversation.dataset}.json"
    present = _present(data, sets, limit, seed)
    lines: list[str] = []
    for title, numbers in kinds.items():
        found = [pair for c in present.values() for pair in pairs.measure(c, ranking=numbers, progress=_say)]
        lines += [f"## {title}", "", *pairs.table(pairs.told(found, seed=seed)), ""]
    _tables("Minimal pairs", pairs.NOTE, lines, out, name, "pairs", seed, limit)


@main.command("ablate")
@_data
@_out
@_seed
@_name
@_sets(ablate.SETS)
@_limit
@_ranking
def ablate_command(
    data: Path, out: Path, seed: int, name: str | None, sets: str, limit: int | None, ranking: Path | None
) -> None:
    """What each signal of the ranking is worth: alone, and by what is lost without it."""
    found = [
        worth
        for of, conversations in _present(data, sets, limit, seed).items()
        for worth in ablate.worth(of, ablate.measure(conversations, ranking=ranking, progress=_say), seed=seed)
    ]
    lines = [line for metric in ablate.METRICS for line in (f"## {metric}", "", *ablate.table(found, metric), "")]
    _tables("Signals", ablate.NOTE, lines, out, name, "signals", seed, limit)


@main.command("failures")
@_data
@_out
@_seed
@_name
@_sets(ablate.SETS)
@_limit
@_ranking
def failures_command(
    data: Path, out: Path, seed: int, name: str | None, sets: str, limit: int | None, ranking: Path | None
) -> None:
    """Why evidence was missed, and ten questions that fail, in words that are no data set's."""
    missed: list[failures.Missed] = []
    pieces: dict[str, int] = {}
    for of, conversations in _present(data, sets, limit, seed).items():
        found, pieces[of] = failures.look(conversations, ranking=ranking, progress=_say)
        missed += found
    lines = list(failures.report(missed, pieces, seed=seed))
    _tables("Failures", failures.NOTE, lines, out, name, "failures", seed, limit)


@main.command("derive")
@_data
def derive_command(data: Path) -> None:
    """What the rules derive beside what a careful reader does: statements, times, and traps."""
    for line in derive.times_report(data):
        click.echo(line)
    try:
        rules = derive.rules()
    except derive.MissingRulesError as error:
        raise click.ClickException(f"{error}: only the times could be measured") from None
    click.echo("")
    for line in derive.report(data, rules):
        click.echo(line)


@main.command("model")
@click.option("--segments", type=click.IntRange(min=1), default=1000, show_default=True, help="How many there are.")
@click.option("--share", type=click.FloatRange(0, 1), default=0.2, show_default=True, help="Of answers spoilt.")
@click.option("--kills", type=click.IntRange(min=0), default=4, show_default=True, help="Times that it is killed.")
@_seed
def model_command(segments: int, share: float, kills: int, seed: int) -> None:
    """Statements by a scripted model whose answers fail: what is lost, what it costs, how fast, and killed."""
    outcome = model.with_faults(segments, share, seed, _say)
    per_second = model.speed(max(segments // 5, 1), 0.2)
    same, more = model.killed(max(segments // 2, 1), kills)
    for line in model.report(outcome, per_second, 0.2, kills, same, more):
        click.echo(line)


@main.command("proxy")
@click.option("--questions", type=click.IntRange(min=20), default=200, show_default=True, help="Of each kind.")
@click.option("--messages", type=click.IntRange(min=1), default=5000, show_default=True, help="In the memory.")
def proxy_command(questions: int, messages: int) -> None:
    """What the proxy adds to the first byte of a streamed answer. Needs no data."""
    for line in proxy.table(proxy.measure(questions, messages, progress=_say)):
        click.echo(line)
    click.echo(f"\n{proxy.NOTE} {questions} questions of each kind, {messages:,} messages in the memory.")


@main.command("updates")
@_data
def updates_command(data: Path) -> None:
    """Whether what is true now is found before what was: updates, contradictions, stale facts."""
    for line in updates.report(*updates.measure(data, progress=_say)):
        click.echo(line)


@main.command("summaries")
@_data
@_seed
@_sets(summaries.SETS)
@_limit
def summaries_command(data: Path, seed: int, sets: str, limit: int | None) -> None:
    """How much of what is asked about later stands in summaries, and whether topics hold what belongs together."""
    for line in summaries.report(_present(data, sets, limit, seed), seed=seed):
        click.echo(line)


@main.command("aio")
@click.option("--calls", type=click.IntRange(min=1), default=1000, show_default=True, help="At once.")
@click.option("--episodes", type=click.IntRange(min=20), default=10_000, show_default=True, help="Of twenty users.")
@click.option("--threads", type=click.IntRange(min=1), default=THREADS, show_default=True, help="Of each lane.")
@_seed
def aio_command(calls: int, episodes: int, threads: int, seed: int) -> None:
    """How late an event loop is while many calls of `AsyncMemory` are under way. Needs no data."""
    alone, found = aio.measure(calls, episodes, threads, seed, _say)
    for line in aio.report(alone, found, episodes, threads):
        click.echo(line)


@main.command("all")
@_data
@_out
@_seed
@_name
def everything(data: Path, out: Path, seed: int, name: str | None) -> None:
    """Both runs with their defaults."""
    _quality(data, out, seed, name, ",".join(datasets.DATASETS), None, None, None)
    _speed(data, out, seed, name, [10_000, 100_000], 10.0)


def _quality(
    data: Path,
    out: Path,
    seed: int,
    name: str | None,
    sets: str,
    limit: int | None,
    chosen: str | None,
    left_out: Path | None,
) -> None:
    present, missing = datasets.load_available(_listed(sets), data)
    for set_name in missing:
        click.echo(f"no data for {set_name} under {data}: left out", err=True)
    if not present:
        raise click.ClickException(f"no set of {sets} is under {data}; --data names another folder")
    systems = run.systems(baselines.BASELINES, left_out)
    if chosen is not None:
        names = _named(chosen, set(systems))
        unknown = set(names) - set(systems)
        if unknown:
            raise click.ClickException(f"no system is called {', '.join(unknown)}; there are {', '.join(systems)}")
        systems = {system: systems[system] for system in names}
    count = wordllama.WordLlamaEmbedder().counter
    runs = [
        run.answer_set(datasets.sample(conversations, limit, seed=seed), systems, progress=_say, count=count)
        for conversations in present.values()
    ]
    about = _about(seed) | ({"conversations of a set, at most": str(limit)} if limit else {})
    built = report.build(runs, about=about, missing=missing, seed=seed)
    written = report.write(built, out, name or f"quality-{about['date']}")
    click.echo(report.summary(built))
    _say(f"written to {', '.join(map(str, written))}")


def _speed(data: Path, out: Path, seed: int, name: str | None, sizes: list[int], seconds: float) -> None:
    log = data / CHATLOG
    if not log.exists():
        raise click.ClickException(f"no chat log at {log}; --data names another folder")
    about = _about(seed)
    measured = speed.measure(log, sizes, about=about, seed=seed, seconds=seconds, progress=_say)
    written = speed.write(measured, out, name or f"speed-{about['date']}")
    click.echo(speed.to_markdown(measured))
    _say(f"written to {', '.join(map(str, written))}")


def _present(data: Path, sets: str, limit: int | None, seed: int) -> dict[str, tuple[datasets.Conversation, ...]]:
    """The sets that are there, each cut down to the limit; the others are named."""
    present, missing = datasets.load_available(_listed(sets), data)
    for set_name in missing:
        click.echo(f"no data for {set_name} under {data}: left out", err=True)
    if not present:
        raise click.ClickException(f"no set of {sets} is under {data}; --data names another folder")
    return {of: datasets.sample(conversations, limit, seed=seed) for of, conversations in present.items()}


def _tables(
    title: str,
    note: str,
    lines: Sequence[str],
    out: Path,
    name: str | None,
    kind: str,
    seed: int,
    limit: int | None,
) -> None:
    """One page of tables into the folder of results, and onto the screen."""
    about = _about(seed) | ({"conversations of a set, at most": str(limit)} if limit else {})
    date = about["date"]
    path = out / f"{name or f'{kind}-{date}'}.md"
    out.mkdir(parents=True, exist_ok=True)
    head = [f"# {title}", "", *(f"- {key}: {value}" for key, value in about.items()), "", note, ""]
    path.write_text("\n".join([*head, *lines]).rstrip() + "\n", encoding="utf-8")
    click.echo("\n".join(lines))
    _say(f"written to {path}")


def _answers(of: str, asked: list[answers.Case], seed: int) -> list[str]:
    return [*answers.table(of, asked, answers.measured(asked, _say), seed=seed), ""]


@main.command("mcp")
@_out
@_name
@click.option("--calls", type=click.IntRange(min=10), default=200, show_default=True, help="Searches of each kind.")
def mcp_command(out: Path, name: str | None, calls: int) -> None:
    """What the MCP server adds to the engine's own time, and how long it takes to start."""
    lines = mcp.table(mcp.measure(calls, progress=_say))
    _tables("The MCP server", "Milliseconds; the machine may have been shared.", lines, out, name, "mcp", 0, None)


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _named(text: str, known: set[str]) -> list[str]:
    """The names in a list with commas between, some of which have a comma of their own: "mnemic, transfer"."""
    names: list[str] = []
    for part in _listed(text):
        if part not in known and names and f"{names[-1]}, {part}" in known:
            part = f"{names.pop()}, {part}"
        names.append(part)
    return names


def _say(line: str) -> None:
    click.echo(line, err=True)


def _about(seed: int) -> dict[str, str]:
    return {
        "date": f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d}",
        "mnemic": importlib.metadata.version("mnemic"),
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, one BLAS thread",
        "seed": str(seed),
    }


if __name__ == "__main__":
    main(prog_name="python -m bench")
