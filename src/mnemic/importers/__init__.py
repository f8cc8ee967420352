"""Other systems' exports, read: a path in, a stream of values out. Nothing here looks at a store.

    found = importers.find("conversations.json")    # which format, in which files
    for item in importers.items(found): …            # Said, Stated, Skipped

Each format has a file of its own; `formats` tells them apart by what is in them. `mnemic.importing` writes.
"""

from __future__ import annotations

from mnemic.importers.formats import FORMATS, Found, find, items
from mnemic.importers.values import Item, Said, Skipped, Stated

__all__ = ["FORMATS", "Found", "Item", "Said", "Skipped", "Stated", "find", "items"]
