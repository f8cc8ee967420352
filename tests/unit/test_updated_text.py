"""What a memory that has read a record shows after its text was changed: the new text, and never the old one."""

from __future__ import annotations

from mnemic import Memory


def test_an_updated_text_takes_the_place_of_the_old_one_in_a_memory_that_has_read_it() -> None:
    with Memory(":memory:", embedder="none") as memory:
        ana = memory.scoped(user_id="ana")
        written = ana.remember("Ana lives in Porto.")
        assert [record.text for record in ana.list()] == ["Ana lives in Porto."]
        changed = ana.update(written.ids[0], text="Ana lives in Porto, in Cedofeita.")
        assert [record.text for record in ana.list()] == ["Ana lives in Porto, in Cedofeita."]
        assert len(ana.search("Where does Ana live?")) == 1
        ana.undo(changed)
        assert [record.text for record in ana.list()] == ["Ana lives in Porto."]
