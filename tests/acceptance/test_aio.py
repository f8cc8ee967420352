"""`AsyncMemory`: the verbs of `Memory` as coroutines, on threads of its own."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import importlib
import inspect
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from pathlib import Path
from typing import Any, TypeVar

import pytest

from mnemic import AsyncMemory, InputError, Memory, NotFoundError
from mnemic.aio import LONG
from mnemic.errors import ClosedError, ParameterError
from mnemic.testing import HashEmbedder, ScriptedChat

T = TypeVar("T")
VERBS = sorted(name for name in vars(Memory) if not name.startswith("_"))
ANA = {"user_id": "ana"}


class Gate(HashEmbedder):
    """An embedder at which calls stand until it is opened; it tells which threads came by."""

    def __init__(self) -> None:
        super().__init__(16)
        self.opened, self.reached = threading.Event(), threading.Event()
        self.threads: set[str] = set()

    def tokenize_many(self, texts: Any) -> Any:
        self.threads.add(threading.current_thread().name)
        if any("wait here" in text for text in texts):
            self.reached.set()
            assert self.opened.wait(30)
        return super().tokenize_many(texts)


class Refusing(Executor):
    """A default executor that nobody may use."""

    def submit(self, *args: Any, **kwargs: Any) -> Any:
        raise AssertionError("the loop's default executor was used")


def run(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    async def inner() -> T:
        asyncio.get_running_loop()._default_executor = Refusing()  # type: ignore[attr-defined]
        try:
            return await asyncio.wait_for(work(), 60)
        finally:
            asyncio.get_running_loop()._default_executor = None  # type: ignore[attr-defined]

    return asyncio.run(inner())


# -- the same face


@pytest.mark.parametrize("name", [*VERBS, "__init__"])
def test_every_verb_has_the_signature_and_the_docstring_of_memorys(name: str) -> None:
    theirs, ours = getattr(Memory, name), getattr(AsyncMemory, name)
    wanted, found = (inspect.signature(verb, eval_str=False) for verb in (theirs, ours))
    assert list(found.parameters.values()) == list(wanted.parameters.values())
    assert found.return_annotation == wanted.return_annotation
    assert ours.__doc__ == theirs.__doc__
    assert (ours.__module__, ours.__qualname__) == ("mnemic.aio", f"AsyncMemory.{name}")
    if name not in ("scoped", "export", "__init__"):
        assert inspect.iscoroutinefunction(ours)


@pytest.mark.parametrize("name", ["wait", "scoped", "export", "close"])
def test_what_is_written_by_hand_takes_what_it_says(name: str) -> None:
    wanted = inspect.signature(getattr(Memory, name)).parameters
    found = inspect.signature(getattr(AsyncMemory, name), follow_wrapped=False).parameters
    assert {n: (p.kind, p.default) for n, p in found.items()} == {n: (p.kind, p.default) for n, p in wanted.items()}


def test_it_has_these_names_more_than_memory() -> None:
    assert {name for name in vars(AsyncMemory) if not name.startswith("_")} == {*VERBS, "of", "explain", "aclose"}
    assert set(VERBS) >= LONG


def test_every_verb_gives_what_memorys_gives(tmp_path: Path) -> None:
    async def main() -> None:
        async with AsyncMemory(tmp_path / "a.db", embedder=HashEmbedder(16)) as memory:
            said = ("I live in Porto.", "My sister Mel lives in Faro.", "My brother Joe lives in Braga.")
            added = await memory.add([("user", text) for text in said], **ANA)
            assert added.count("added") == 3
            results = await memory.search("Where does Ana live?", **ANA)
            assert results[0].text == memory._memory.search("Where does Ana live?", **ANA)[0].text
            assert (await memory.context("Where does Ana live?", **ANA)).known
            assert (await memory.ask("Where do I live?", **ANA)).citations
            assert (await memory.get(results[0].id, **ANA)).id == results[0].id
            assert len(await memory.list(kinds="episode", **ANA)) == len(await memory.timeline(kinds="episode", **ANA))
            kept = await memory.remember("Ana likes tea.", key="drink", **ANA)
            assert (await memory.update(kept.ids[0], text="Ana likes green tea.", **ANA)).count("revised") == 1
            assert len(await memory.history(kept.ids[0], **ANA)) == 2
            assert (await memory.feedback(results, used=results[0].id, **ANA)).verb == "feedback"
            retired = await memory.retire(kept.ids[0], **ANA)
            assert (await memory.undo(retired, **ANA)).count("restored") == 1
            assert (await memory.upkeep(**ANA)).pending == 0
            entities = [one.id for one in await memory.list(kinds="entity", **ANA)]
            merged = await memory.merge(entities[0], into=entities[1], **ANA)
            assert (await memory.undo(merged, **ANA)).verb == "undo"
            with pytest.raises(InputError):
                await memory.split(entities[0], names="Nobody", **ANA)
            assert (await memory.diff(added.at, retired.at, **ANA)).removed == ()
            assert (await memory.stats(**ANA)).records["episode"] == 3
            assert (await memory.journal(limit=1, **ANA))[0].receipt == added.id
            assert (await memory.links(results[0].id, **ANA))[0].role == "derived_from"
            assert len(await memory.conflicts(**ANA)) == 0
            assert await memory.spending(**ANA) == ()
            assert await memory.wait()
            assert (await memory.rebuild(dry_run=True, **ANA)).dry_run
            assert (await memory.erase(added.ids[0], **ANA)).count("erased") >= 1
            lines = [line async for line in memory.export(**ANA)]
            assert await memory.export(tmp_path / "all.jsonl", **ANA) == len(lines)
        async with AsyncMemory(":memory:", embedder="none") as other:
            assert (await other.import_(tmp_path / "all.jsonl")).count("added") > 0

    run(main)


def test_errors_are_those_of_the_verbs() -> None:
    async def main() -> None:
        async with AsyncMemory(":memory:", embedder="none") as memory:
            with pytest.raises(ParameterError, match=r"search\(\) has no parameter 'limt'; did you mean 'limit'"):
                await memory.search("Where?", limt=3, **ANA)  # pyright: ignore
            with pytest.raises(NotFoundError):
                await memory.get("0" * 26, **ANA)
            with pytest.raises(ParameterError, match=r"wait\(\) has no parameter 'secs'"):
                await memory.wait(secs=3)
            assert repr(memory.scoped(**ANA)) == "AsyncMemory(':memory:', user_id='ana')"
        with pytest.raises(InputError, match="threads=0"):
            AsyncMemory.of(Memory(":memory:"), threads=0)

    run(main)


def test_a_scoped_one_is_the_same_memory() -> None:
    async def main() -> None:
        memory = AsyncMemory(":memory:", embedder="none")
        ana = memory.scoped(user_id="ana")
        await ana.add("I have two cats.")
        assert len(await ana.search("cats")) == 1
        assert len(await memory.search("cats", user_id="ben")) == 0
        await ana.close()
        with pytest.raises(ClosedError):
            await memory.search("cats", **ANA)

    run(main)


# -- the loop goes on


def test_the_loop_goes_on_while_a_call_stands_still_and_no_thread_but_its_own_is_used() -> None:
    gate = Gate()

    async def main() -> None:
        async with AsyncMemory(":memory:", embedder=gate, recipe="none") as memory:
            adding = asyncio.create_task(memory.add("wait here", **ANA))
            while not gate.reached.is_set():
                await asyncio.sleep(0)
            assert not adding.done()
            gate.opened.set()
            assert (await adding).count("added") == 1

    run(main)
    assert gate.threads
    assert all(name.startswith("mnemic-quick") for name in gate.threads)


def test_a_search_does_not_queue_behind_what_waits_for_a_model() -> None:
    asked, answered = threading.Event(), threading.Event()

    def model(prompt: str) -> str:
        asked.set()
        assert answered.wait(30)
        return "Porto [1]"

    async def main() -> None:
        opened = Memory(":memory:", embedder=HashEmbedder(16), model={"ask": model})
        async with AsyncMemory.of(opened, threads=1) as memory:
            await memory.add("I live in Porto.", **ANA)
            asking = asyncio.create_task(memory.ask("Where do I live?", threshold=0.0, **ANA))
            while not asked.is_set():
                await asyncio.sleep(0)
            assert len(await memory.search("Porto", **ANA)) > 0
            assert not asking.done()
            answered.set()
            assert "Porto" in (await asking).text

    run(main)


def test_explain_works_off_the_loop() -> None:
    gate = Gate()

    async def main() -> None:
        async with AsyncMemory(":memory:", embedder=gate, recipe="none") as memory:
            await memory.add("I live in Porto.", **ANA)
            results = await memory.search("Where do I live?", **ANA)
            told = await memory.explain(results, results[0].id)
            assert told.cut is None
            assert told.rank == 1
            with pytest.raises(NotFoundError):
                await memory.explain(results, "0" * 26)

    run(main)
    assert all(name.startswith("mnemic-quick") for name in gate.threads)


def test_progress_is_told_on_the_loop_in_the_callers_context() -> None:
    who = contextvars.ContextVar("who", default="nobody")
    seen: list[tuple[int, str]] = []

    class Telling(HashEmbedder):
        def tokenize_many(self, texts: Any) -> Any:
            assert who.get() == "the caller"
            return super().tokenize_many(texts)

    async def main() -> None:
        who.set("the caller")
        async with AsyncMemory(":memory:", embedder=Telling(16)) as memory:
            await memory.add([f"I live in Town{at}." for at in range(200)], **ANA)
            await memory.upkeep(
                progress=lambda done, of: seen.append((threading.get_ident(), f"{done}/{of}")), everything=True
            )
        await asyncio.sleep(0)

    run(main)
    assert {thread for thread, _ in seen} == {threading.get_ident()}
    assert seen[-1][1] == "200/200"


def test_waiting_for_the_background_holds_no_thread(tmp_path: Path) -> None:
    async def main() -> None:
        opened = Memory(tmp_path / "a.db", embedder="none", background=True)
        async with AsyncMemory.of(opened, threads=1) as memory:
            await memory.add([f"I live in Town{at}." for at in range(200)], **ANA)
            waiting = [asyncio.create_task(memory.wait()) for _ in range(5)]
            assert len(await memory.search("Town7", **ANA)) > 0
            assert await asyncio.gather(*waiting) == [True] * 5
            assert (await memory.upkeep(**ANA)).pending == 0
            assert await memory.wait(0)

    run(main)


# -- cancelled, and closed


def test_a_cancelled_call_is_made_whole_or_never() -> None:
    gate = Gate()

    async def main() -> None:
        opened = Memory(":memory:", embedder=gate, recipe="none")
        async with AsyncMemory.of(opened, threads=1) as memory:
            first = asyncio.create_task(memory.add(["wait here", "and this with it"], **ANA))
            while not gate.reached.is_set():
                await asyncio.sleep(0)
            second = asyncio.create_task(memory.add("never", **ANA))
            third = asyncio.create_task(memory.add("still", **ANA))
            await asyncio.sleep(0)
            first.cancel()
            second.cancel()
            for one in (first, second):
                with pytest.raises(asyncio.CancelledError):
                    await one
            gate.opened.set()
            await third
            kept = [record.text for record in await memory.list(order="oldest", **ANA)]
            assert sorted(kept) == ["and this with it", "still", "wait here"]

    run(main)


def test_closing_does_what_was_taken_on_and_nothing_more(tmp_path: Path) -> None:
    gate = Gate()

    async def main() -> None:
        opened = Memory(tmp_path / "a.db", embedder=gate, recipe="none")
        memory = AsyncMemory.of(opened, threads=1)
        works = [asyncio.create_task(memory.add(text, **ANA)) for text in ("wait here", "one", "two")]
        while not gate.reached.is_set():
            await asyncio.sleep(0)
        closing = asyncio.create_task(memory.aclose())
        await asyncio.sleep(0)
        closing.cancel()  # and still it is closed
        with pytest.raises(asyncio.CancelledError):
            await closing
        gate.opened.set()
        await asyncio.gather(*works)
        await memory.close()
        await memory.close()
        with pytest.raises(ClosedError, match="closed"):
            await memory.add("three", **ANA)
        with pytest.raises(ClosedError):
            opened.search("one", **ANA)

    run(main)
    with Memory(tmp_path / "a.db", embedder="none") as again:
        assert sorted(record.text for record in again.list(**ANA)) == ["one", "two", "wait here"]


def test_an_export_that_nobody_reads_to_its_end_holds_nothing(tmp_path: Path) -> None:
    async def main() -> None:
        async with AsyncMemory(tmp_path / "a.db", embedder="none", recipe="none") as memory:
            await memory.add([f"message {at}" for at in range(2000)], **ANA)
            lines = memory.export(**ANA)
            assert '"mnemic":"export"' in await anext(lines)
            assert memory._memory._store._lent
            await lines.aclose()  # type: ignore[attr-defined]
            while memory._memory._store._lent:  # a thread lets go of it
                await asyncio.sleep(0)
            assert sum([1 async for _ in memory.export(**ANA)]) > 4000
            with pytest.raises(InputError):
                await anext(memory.export())

    run(main)


def test_it_stands_for_whatever_answers_to_the_verbs() -> None:
    class Elsewhere:
        """Such as a client of a server."""

        def search(self, query: str, **given: Any) -> str:
            return f"{query} {given}"

        def scoped(self, **scope: Any) -> Elsewhere:
            return self

        def close(self) -> None:
            closed.append(True)

    closed: list[bool] = []

    async def main() -> None:
        async with AsyncMemory.of(Elsewhere()) as memory:  # type: ignore[arg-type]
            assert await memory.scoped(**ANA).search("Where?", limit=3) == "Where? {'limit': 3}"

    run(main)
    assert closed


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
def test_a_child_of_a_fork_has_threads_of_its_own(tmp_path: Path) -> None:
    script = """
import asyncio, os, sys
from mnemic import AsyncMemory
memory = AsyncMemory(sys.argv[1], embedder="none", recipe="none")
asyncio.run(memory.add("the parent", user_id="ana"))
child = os.fork()
if child == 0:
    asyncio.run(memory.add("the child", user_id="ana"))
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
asyncio.run(memory.add("the parent again", user_id="ana"))
print(len(asyncio.run(memory.list(user_id="ana"))))
"""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script, str(tmp_path / "a.db")],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "3\n"), done.stderr


def test_two_loops_may_share_one(tmp_path: Path) -> None:
    memory = AsyncMemory(tmp_path / "a.db", embedder="none", recipe="none")
    asyncio.run(memory.add("one", **ANA))
    other = threading.Thread(target=lambda: asyncio.run(memory.add("two", **ANA)))
    other.start()
    other.join()
    assert len(asyncio.run(memory.list(**ANA))) == 2
    asyncio.run(memory.close())


def test_a_model_over_http_and_a_thousand_calls_at_once() -> None:
    async def main() -> None:
        with ScriptedChat(*["Porto [1]"] * 3) as chat:
            async with AsyncMemory(":memory:", embedder="none", model={"ask": f"{chat.url}#scripted"}) as memory:
                await memory.add("I live in Porto.", **ANA)
                answers = [memory.ask("Where do I live?", threshold=0.0, **ANA) for _ in range(3)]
                listed = [memory.list(limit=1, **ANA) for _ in range(1000)]
                found = await asyncio.gather(*answers, *listed)
                assert [answer.text for answer in found[:3]] == ["Porto [1]"] * 3
                assert all(len(page) == 1 for page in found[3:])

    run(main)


def test_a_memory_behind_a_server_is_one_like_any_other(tmp_path: Path) -> None:
    for library in ("fastapi", "uvicorn", "prometheus_client"):
        pytest.importorskip(library, reason=f"needs {library}")
    rest = importlib.import_module("mnemic.serve.rest")
    running, listening = (importlib.import_module(f"mnemic.serve.{name}") for name in ("run", "listening"))
    gate = importlib.import_module("mnemic.serve.gate").Gate(None)
    where, stopping, ready = listening.Listening(port=0), threading.Event(), threading.Event()

    async def main(url: str) -> None:
        async with AsyncMemory(url) as memory:
            await asyncio.gather(*(memory.add(f"I have {n} cats", **ANA) for n in range(2, 12)))
            results = await memory.scoped(**ANA).search("How many cats?", limit=3)
            assert len(results) == 3
            assert (await memory.explain(results, results[0].id)).cut is None
            assert len([line async for line in memory.export(**ANA)]) > 10

    with Memory(tmp_path / "a.db", embedder="none") as held:
        app = rest.server(held, gate=gate, stopping=stopping)
        with contextlib.closing(listening.bound(where)) as bound:
            server = running.served(app, where, stopping, started=ready.set)
            thread = threading.Thread(target=lambda: server.run(sockets=[bound]))
            thread.start()
            try:
                assert ready.wait(30)
                run(lambda: main(f"http://127.0.0.1:{bound.getsockname()[1]}"))
            finally:
                server.stop()
                thread.join()
        assert len(held.list(kinds="episode", **ANA)) == 10
