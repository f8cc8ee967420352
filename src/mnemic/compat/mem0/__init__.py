"""A drop-in for mem0: `from mnemic.compat.mem0 import Memory` in place of `from mem0 import Memory`.

Calls of mem0 1.x and 2.x are both understood and answered in mem0's shapes. Needs nothing of mem0.
"""

from mnemic.compat.mem0.memory import AsyncMemory, Memory
from mnemic.compat.mem0.settings import MemoryConfig

__all__ = ["AsyncMemory", "Memory", "MemoryConfig"]
