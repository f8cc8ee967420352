"""CrewAI itself, with a scripted model behind real HTTP, on a memory; in an environment of its own: `make crewai`."""

from __future__ import annotations

import asyncio
import copy
from datetime import datetime, timedelta
from typing import Any

import pytest

from mnemic import Memory, ScopeError
from mnemic.testing import ScriptedChat

pytest.importorskip("crewai", reason="CrewAI cannot live beside the others: make crewai")

from crewai import LLM, Agent, Crew, Task
from crewai.memory import Memory as CrewMemory
from crewai.tools.memory_tools import create_memory_tools

from mnemic.compat.crewai import MnemicMemory

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def mine(memory: Memory, **more: Any) -> MnemicMemory:
    return MnemicMemory(memory, user_id="ana", **more)


def crew(server: ScriptedChat, long_term: MnemicMemory, description: str) -> Crew:
    model = LLM(model="openai/scripted", base_url=server.url, api_key="none")
    agent = Agent(role="Helper", goal="help", backstory="You know Ana.", llm=model)
    task = Task(description=description, expected_output="a sentence", agent=agent)
    return Crew(agents=[agent], tasks=[task], memory=long_term)


def test_a_crew_is_told_what_an_earlier_one_found_out(memory: Memory) -> None:
    assert isinstance(mine(memory), CrewMemory)
    final = "Thought: I now can give a great answer\nFinal Answer: "
    with ScriptedChat(f"{final}The green tram leaves at 8:10.") as server:
        crew(server, mine(memory), "When does the green tram leave?").kickoff()
        crew(server, mine(memory), "Tell Ana about the green tram.").kickoff()
    assert len(server.requests) == 2, "no model is asked for the memory's sake"
    assert "The green tram leaves at 8:10." not in server.requests[0].messages[-1]["content"]
    assert "The green tram leaves at 8:10." in server.requests[1].messages[-1]["content"]
    first = memory.list(user_id="ana", kinds="episode", order="oldest")[0]
    assert (first.role, first.speaker, first.source) == ("assistant", "Helper", "assistant")
    assert first.text.startswith("Task: When does the green tram leave?")


def test_a_crew_is_told_what_the_user_said_elsewhere_and_no_other_user(memory: Memory) -> None:
    memory.add("I moved to Porto in May.", user_id="ana")
    memory.add("I moved to Lyon in May.", user_id="ben")
    with ScriptedChat("Thought: I now can give a great answer\nFinal Answer: ok") as server:
        crew(server, mine(memory), "Where does Ana live since May?").kickoff()
    prompt = server.requests[0].messages[-1]["content"]
    assert "Porto" in prompt
    assert "Lyon" not in prompt


def test_the_tools_of_a_crew(memory: Memory) -> None:
    search, save = create_memory_tools(mine(memory))
    assert "Saved to memory" in save.run(contents=["Ana likes trams."])
    assert "Saving 2 items" in save.run(contents=["Ana hates buses.", "Ana owns a bike."])
    assert "Ana hates buses." in search.run(queries=["What does Ana hate?"])
    assert len(create_memory_tools(mine(memory, read_only=True))) == 1


def test_records_keep_their_form(memory: Memory) -> None:
    one = mine(memory)
    kept = one.remember(
        "The kickoff is on Monday.", scope="/jobs//acme/", categories=["plans"], metadata={"by": "Ana"}, importance=0.9
    )
    assert kept is not None
    one.remember_many(["Rent is due on Friday.", "  ", "The sink drips. " * 200], scope="home", source="ana")
    assert one.list_records(limit=1, offset=2) == [kept]
    assert [record.content[:4] for record in one.list_records("/home")] == ["The ", "Rent"]
    assert one.list_records("/home")[0].content == "The sink drips. " * 200
    (match, *_) = one.recall("When is the kickoff?", scope="/jobs")
    assert match.record.model_dump(exclude={"last_accessed"}) == kept.model_dump(exclude={"last_accessed"})
    assert 0 <= match.score <= 1
    assert one.recall("When is the kickoff?", scope="/home", categories=["plans"]) == []
    assert [found.record.id for found in one.recall("kickoff", categories=["plans", "other"])] == [kept.id]
    assert one.list_scopes() == ["/home", "/jobs"]
    assert one.list_scopes("/jobs") == ["/jobs/acme"]
    assert one.list_categories() == {"plans": 1}
    info = one.info("/jobs")
    assert (info.record_count, info.categories, info.child_scopes) == (1, ["plans"], ["/jobs/acme"])
    assert info.oldest_record == kept.created_at
    assert "/jobs/acme (1 records)" in one.tree()
    assert one.recall("  ") == []


def test_an_update_takes_over_and_the_version_before_stays_in_the_history(memory: Memory) -> None:
    one = mine(memory)
    kept = one.remember("The kickoff is on Monday.")
    assert kept is not None
    one.update(kept.id, content="The kickoff is on Tuesday.", importance=0.1)
    one.update(kept.id, categories=["plans"])
    (record,) = one.list_records()
    assert (record.id, record.content, record.importance) == (kept.id, "The kickoff is on Tuesday.", 0.1)
    assert record.categories == ["plans"]
    assert [found.record.content for found in one.recall("When is the kickoff?")] == ["The kickoff is on Tuesday."]
    assert "Monday" in str(memory.list(user_id="ana", include="retired"))
    with pytest.raises(ValueError, match="not found"):
        one.update("nobody", content="x")


def test_private_records_are_for_their_source(memory: Memory) -> None:
    one = mine(memory)
    one.remember("My PIN is 4711.", source="ana", private=True)
    one.remember("The PIN of the printer is 0000.")
    assert "4711" not in str(one.recall("What is the PIN?"))
    assert "4711" not in str(one.recall("What is the PIN?", source="ben"))
    assert "4711" in str(one.recall("What is the PIN?", source="ana"))
    assert "4711" in str(one.recall("What is the PIN?", include_private=True))


def test_forgetting_erases_what_came_in_this_way_and_nothing_else(memory: Memory) -> None:
    memory.add("I live in Porto.", user_id="ana")
    one, other = mine(memory), MnemicMemory(memory, user_id="ben")
    first, _, third = (
        one.remember(f"Number {number}.", scope=f"/n/{number}", metadata={"n": number}) for number in range(3)
    )
    other.remember("Ben's number.")
    MnemicMemory(memory, shared=True).remember("Everybody's number.")
    assert first is not None
    assert third is not None
    one.update(first.id, content="Number zero.")
    assert one.forget(record_ids=[first.id]) == 1
    assert one.forget(metadata_filter={"n": 1}) == 1
    assert one.forget(older_than=third.created_at) == 0
    assert one.forget(older_than=datetime.utcnow() + timedelta(days=1), scope="/n") == 1
    one.remember("Once more.")
    one.reset()
    assert one.list_records() == []
    every = memory.list(user_id="ana", include=("retired", "superseded"))
    assert "Number" not in str(every)
    assert "Everybody's number." in str(every)
    assert "Everybody's number." in str(one.recall("Which number?")), "it is recalled all the same"
    assert "Porto" in str(every)
    assert len(other.list_records()) == 1


def test_paths_under_a_root(memory: Memory) -> None:
    research = mine(memory, root_scope="/crew/research")
    kept = research.remember("Trams are green.", scope="/trams")
    assert kept is not None
    assert kept.scope == "/crew/research/trams"
    mine(memory).remember("Trams are loud.", scope="/elsewhere")
    assert [found.record.content for found in research.recall("trams")] == ["Trams are green."]
    research.reset()
    assert [record.content for record in mine(memory).list_records()] == ["Trams are loud."]
    view = mine(memory).scope("/elsewhere")
    assert [found.record.content for found in view.recall("trams")] == ["Trams are loud."]


def test_copies_share_it_and_its_async_side_is_the_same(memory: Memory) -> None:
    one = mine(memory)
    assert copy.deepcopy(one) is one

    async def main() -> None:
        await one.aremember("Trams are green.")
        await one.aremember_many(["Buses are red."])
        assert "red" in (await one.arecall("Which colour are buses?"))[0].record.content

    asyncio.run(main())
    one.close()
    assert mine(memory, read_only=True).remember("x") is None


def test_the_scope_is_checked_where_the_memory_is_made(memory: Memory) -> None:
    with pytest.raises(ScopeError, match="names no user"):
        MnemicMemory(memory)
