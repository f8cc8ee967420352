"""`AsyncMemory`: the verbs of `Memory` as coroutines, carried out by a few threads of its own.

    async with AsyncMemory("agent.db") as memory:
        await memory.add("I moved to Porto in May.", user_id="ana")
        print(await memory.search("Where does Ana live?", user_id="ana"))

Nothing is written twice: a coroutine calls the verb of the memory that it stands for, by its name, and has its
signature and docstring. SQLite and numpy release the interpreter's lock, so the event loop goes on meanwhile.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from functools import partial, wraps
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any, Concatenate, ParamSpec, Self, TypeVar, Unpack, overload

from mnemic.errors import ClosedError, InputError
from mnemic.forks import CACHES, watch
from mnemic.memory import Memory
from mnemic.types import Explanation, Results, ScopeArgs

THREADS = 3
"""Threads for calls that are soon done, and as many for those that may take long. Each is started when first needed."""
LONG = frozenset(("ask", "export", "import_", "rebuild", "upkeep"))
"""Verbs that may wait for a model, or read everything: a search never queues behind them."""
LINES = 500
"""Lines of an export that a thread fetches at a time."""
PAUSE = 0.02
"""Seconds between two looks at whether the upkeep in the background is done."""

P = ParamSpec("P")
R = TypeVar("R")


def coroutine(
    verb: Callable[Concatenate[Any, P], R], module: str = __name__
) -> Callable[Concatenate[Any, P], Coroutine[Any, Any, R]]:
    """A verb as a coroutine of a `Threaded` class, with the same signature and docstring."""
    name = verb.__name__

    async def called(self: Threaded, *args: P.args, **kwargs: P.kwargs) -> R:
        return await self._call(name, args, kwargs)  # pyright: ignore[reportPrivateUsage]

    return like(verb, module)(called)


def like(
    verb: Callable[Concatenate[Any, P], Any], module: str = __name__
) -> Callable[[Callable[..., R]], Callable[Concatenate[Any, P], R]]:
    """Gives a function the signature and docstring of a verb, to type checkers, too."""

    def named(function: Callable[..., R]) -> Callable[Concatenate[Any, P], R]:
        found = wraps(verb)(function)
        found.__module__, found.__qualname__ = module, f"Async{verb.__qualname__}"
        return found

    return named


class Threaded:
    """Something whose verbs are coroutines: those of another, carried out by threads."""

    _memory: Any
    _pool: Pool
    _long = LONG

    def _stand_for(self, memory: Any, pool: Pool) -> Self:
        self._memory, self._pool = memory, pool
        return self

    async def _call(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if kwargs.get("progress") is not None:
            kwargs = {**kwargs, "progress": partial(_tell, asyncio.get_running_loop(), kwargs["progress"])}
        long = name in self._long or kwargs.get("wait") is True
        return await self._pool.run(partial(getattr(self._memory, name), *args, **kwargs), long=long)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._pool.close(self._memory.close)

    def __repr__(self) -> str:
        return f"Async{self._memory!r}"


def _tell(loop: asyncio.AbstractEventLoop, progress: Callable[[int, int], None], done: int, of: int) -> None:
    with contextlib.suppress(RuntimeError):  # the loop has ended, and nobody listens any more
        loop.call_soon_threadsafe(progress, done, of)


class AsyncMemory(Threaded):
    """The same memory as `Memory`, for asyncio: the same parameters, and the same verbs as coroutines.

    All that `Memory` says holds here; only `scoped` is no coroutine, `export` without a path is an async iterator, and
    `explain` is a verb: `await memory.explain(results, id)`.

    Calls run in a few threads of its own (see `of`). A call that is cancelled before its turn is never made; one under
    way goes on to its end, all of it or nothing, and nobody hears of it. `progress` is called on the event loop.

    The file is opened at once, which takes milliseconds. Use it as an async context manager, or await `close`.
    """

    _memory: Memory

    @like(Memory.__init__)
    def __init__(self, *args: Any, **settings: Any) -> None:
        self._stand_for(Memory(*args, **settings), Pool(THREADS))

    @classmethod
    def of(cls, memory: Memory, *, threads: int = THREADS) -> Self:
        """The same verbs as coroutines for a memory that is open, however it was opened.

        `threads` for calls that are soon done, and as many for those that may take long (those that may ask a model,
        or read everything). Closing this closes the memory. Raises InputError.
        """
        if isinstance(threads, bool) or not isinstance(threads, int) or threads < 1:  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InputError(f"threads={threads!r} is not possible: pass a whole number from 1 on")
        return object.__new__(cls)._stand_for(memory, Pool(threads))

    add = coroutine(Memory.add)
    remember = coroutine(Memory.remember)
    update = coroutine(Memory.update)
    retire = coroutine(Memory.retire)
    merge = coroutine(Memory.merge)
    split = coroutine(Memory.split)
    feedback = coroutine(Memory.feedback)
    undo = coroutine(Memory.undo)
    erase = coroutine(Memory.erase)
    upkeep = coroutine(Memory.upkeep)

    search = coroutine(Memory.search)
    context = coroutine(Memory.context)
    ask = coroutine(Memory.ask)
    get = coroutine(Memory.get)
    list = coroutine(Memory.list)
    timeline = coroutine(Memory.timeline)
    history = coroutine(Memory.history)
    diff = coroutine(Memory.diff)
    journal = coroutine(Memory.journal)
    links = coroutine(Memory.links)
    conflicts = coroutine(Memory.conflicts)
    spending = coroutine(Memory.spending)
    stats = coroutine(Memory.stats)

    import_ = coroutine(Memory.import_)
    rebuild = coroutine(Memory.rebuild)

    async def explain(self, results: Results, id: str) -> Explanation:
        """What `results.explain(id)` says: why a record is where it is among these hits, or why it is none of them.

        Asked of the results themselves it would keep the event loop waiting. Raises NotFoundError, InputError.
        """
        return await self._pool.run(partial(results.explain, id))

    @overload
    def export(
        self, path: None = None, *, format: str = "jsonl", everything: bool = False, **scope: Unpack[ScopeArgs]
    ) -> AsyncIterator[str]: ...
    @overload
    def export(
        self, path: str | Path, *, format: str = "jsonl", everything: bool = False, **scope: Unpack[ScopeArgs]
    ) -> Coroutine[Any, Any, int]: ...
    @like(Memory.export)
    def export(
        self,
        path: str | Path | None = None,
        *,
        format: str = "jsonl",
        everything: bool = False,
        **scope: Unpack[ScopeArgs],
    ) -> AsyncIterator[str] | Coroutine[Any, Any, int]:
        given = {"format": format, "everything": everything, **scope}
        return self._lines(given) if path is None else self._call("export", (path,), given)

    async def _lines(self, given: dict[str, Any]) -> AsyncIterator[str]:
        lines: Iterator[str] = await self._call("export", (), given)
        while some := await self._pool.run(lambda: [*islice(lines, LINES)], long=True):
            for line in some:
                yield line

    @like(Memory.wait)
    async def wait(self, seconds: float | None = None, **unknown: object) -> bool:
        loop = asyncio.get_running_loop()
        until = None if seconds is None else loop.time() + seconds
        while not await self._call("wait", (0.0,), unknown):  # looks again, and holds no thread meanwhile
            if until is not None and loop.time() >= until:
                return False
            await asyncio.sleep(PAUSE)
        return True

    @like(Memory.scoped)
    def scoped(self, **scope: Unpack[ScopeArgs]) -> AsyncMemory:
        return object.__new__(type(self))._stand_for(self._memory.scoped(**scope), self._pool)

    @like(Memory.close)
    async def close(self) -> None:
        await self._pool.close(self._memory.close)

    aclose = close
    """What `contextlib.aclosing` calls."""


class Pool:
    """Two lanes of a few threads: for calls that are soon done, and for those that may take long."""

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._begin()
        watch(self, CACHES)

    async def run(self, work: Callable[[], R], *, long: bool = False) -> R:
        """What the work gives, done by a thread in the caller's context. Raises ClosedError."""
        try:
            future = self._lanes[long].submit(copy_context().run, work)
        except RuntimeError:  # what an executor says that has been shut down
            raise ClosedError("this memory was closed: open it again") from None
        return await asyncio.wrap_future(future)

    async def close(self, last: Callable[[], None]) -> None:
        """Do what has been taken on, then the `last`; take on nothing more. It is done even if this is cancelled."""
        await asyncio.shield(asyncio.wrap_future(self.closing(last)))

    def closed(self, last: Callable[[], None]) -> asyncio.Future[None] | None:
        """Begin to close: on a loop, something to await; elsewhere, done when this returns."""
        done = self.closing(last)
        try:
            return asyncio.wrap_future(done)
        except RuntimeError:
            done.result()
            return None

    def closing(self, last: Callable[[], None]) -> Future[None]:
        """Begin to close, in a thread."""
        closer = ThreadPoolExecutor(1, "mnemic-close")
        done: Future[None] = closer.submit(self._end, last)
        closer.shutdown(wait=False)
        return done

    def _end(self, last: Callable[[], None]) -> None:
        for lane in self._lanes:
            lane.shutdown()
        last()

    def _begin(self) -> None:
        self._lanes = tuple(ThreadPoolExecutor(self._threads, f"mnemic-{name}") for name in ("quick", "long"))

    def rest(self) -> None:
        """Nothing stands in a fork's way: the memory's own parts come to rest themselves. See `forks`."""

    def go_on(self, *, child: bool) -> None:
        """In a child the threads are gone: begin anew."""
        if child:
            self._begin()
