"""A progress bar on standard error: rich's where it is installed, else click's; none where nobody watches."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Generator

import click

Advance = Callable[[int], None]


@contextlib.contextmanager
def bar(label: str, total: int | None, *, show: bool) -> Generator[Advance]:
    """`with bar("reading", 120, show=True) as advance: … advance(1)`. `total=None` where the end is not known."""
    if not show or not sys.stderr.isatty():
        yield lambda steps: None
        return
    try:
        # Here, and not above: it is optional, and it takes longer to import than most commands to run.
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
    except ImportError:
        with click.progressbar(length=total or 0, label=label, file=sys.stderr) as plain:
            yield plain.update
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(label, total=total)
        yield lambda steps: progress.advance(task, steps)
