"""LangGraph: a `BaseStore`, and nodes that give a graph a long-term memory. Needs `pip install 'mnemic[langgraph]'`.

graph = builder.compile(store=MnemicStore(Memory("agent.db")))

memory = LongTermMemory(Memory("agent.db"))
builder.add_node("recall", memory.recall)
builder.add_node("remember", memory.remember)
"""

from mnemic.compat.langgraph.nodes import LongTermMemory, RecallState
from mnemic.compat.langgraph.store import MnemicStore

__all__ = ["LongTermMemory", "MnemicStore", "RecallState"]
