"""Small vectors of what is cold: one byte a number, through the store and through every change of a segment."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from mnemic import Memory, commit, decay, postings
from mnemic.forgetting import Ebbinghaus
from mnemic.postings import Document, Segment
from mnemic.stores.sqlite import SqliteStore
from mnemic.testing import FrozenClock, HashEmbedder

ANA = {"user_id": "ana"}
vectors = arrays.arrays(
    np.float16, st.tuples(st.integers(1, 12), st.just(8)), elements=st.floats(-60_000, 60_000, width=16)
)


def segment(values: np.ndarray, coarse: np.ndarray | None, first: int = 0) -> Segment:
    documents = [
        Document(np.array([number], np.uint64), 1, np.empty(0, np.int32), row.astype(np.float32))
        for number, row in enumerate(values)
    ]
    built = postings.build(first, documents)
    return Segment(*(getattr(built, name) for name in built.__slots__ if name != "coarse"), coarse=coarse)


@given(vectors)
def test_a_number_is_off_by_half_a_127th_of_the_largest_at_most(values: np.ndarray) -> None:
    scales, numbers = postings.coarsened(values)
    error = np.abs(postings.refined(scales, numbers).astype(np.float64) - values.astype(np.float64))
    largest = np.abs(values.astype(np.float64)).max(axis=1)
    assert (error <= largest[:, None] * (0.5 / 127 + 2**-10) + 1e-6).all()  # and what float16 rounds


@given(vectors, st.integers(0, 2**12 - 1))
def test_the_store_gives_back_whose_vectors_are_small_and_the_others_exactly(values: np.ndarray, bits: int) -> None:
    coarse = np.array([bits >> number & 1 for number in range(len(values))], np.bool_)
    store = SqliteStore(None)
    with store.write() as tx:
        wall = tx.run("add_wall", tenant="", project="", user="ana")
        commit.add_segment(tx, wall, segment(values, coarse), "s")
        row = tx.row("segment_of", wall=wall, num=0)
        (held,) = tx.rows("segments_coarse", wall=wall)
        assert row is not None
        found = commit.segment_of(row)
        assert held["coarse"] == coarse.sum()
        assert found.vectors is not None
        assert (found.vectors[~coarse] == values[~coarse]).all()
        assert (found.vectors[coarse] == postings.refined(*postings.coarsened(values[coarse]))).all()
        assert (found.coarse is None) == (not coarse.any())
        assert found.coarse is None or (found.coarse == coarse).all()
        commit.add_segment(tx, wall, Segment(*(_moved(found, 100))), "s")
        again = tx.row("segment_of", wall=wall, num=100)
        assert again is not None
        kept = commit.segment_of(again).vectors
        assert kept is not None
        assert np.allclose(kept.astype(np.float32), found.vectors.astype(np.float32), rtol=0.02, atol=1e-6)
    store.close()


def _moved(one: Segment, first: int) -> list[object]:
    return [first, *(getattr(one, name) for name in one.__slots__ if name != "first")]


def test_merging_and_erasing_keep_whose_vectors_are_small() -> None:
    some = np.arange(32, dtype=np.float16).reshape(4, 8)
    one = segment(some, np.array([True, False, False, True]))
    other = segment(some, None, first=4)
    merged = postings.merge([one, other])
    assert merged.coarse is not None
    assert merged.coarse.tolist() == [True, False, False, True] + [False] * 4
    left = postings.without(merged, {3: np.empty(0, np.int32)})
    assert left.coarse is not None
    assert left.coarse.tolist() == merged.coarse.tolist()
    assert postings.merge([other, segment(some, None, first=8)]).coarse is None


def test_what_is_cold_takes_less_room_and_is_found_all_the_same() -> None:
    clock = FrozenClock()
    how = {"forgetting": Ebbinghaus(30), "clock": clock, "embedder": HashEmbedder(dims=64), "recipe": "none"}
    with Memory(":memory:", **how) as memory:  # type: ignore[arg-type]
        store = memory._store  # pyright: ignore[reportPrivateUsage]

        def room() -> tuple[int, int]:
            """Bytes of vectors, and documents whose are small."""
            with store.read() as snapshot:
                rows = snapshot.rows("segments_from", wall=1, first=0)
                coarse = sum(row["coarse"] for row in snapshot.rows("segments_coarse", wall=1))
            return sum(len(row["vectors"]) + len(row["coarse"] or b"") for row in rows), coarse

        memory.add([f"The {number}th heron stood by the old mill." for number in range(300)], **ANA)
        whole, none = room()
        assert (whole, none) == (300 * 64 * 2, 0)
        before = {hit.id: hit.score for hit in memory.search("heron mill", limit=300, **ANA)}
        clock.advance(100 * 86_400)
        memory.add([f"Parcel {number} came." for number in range(100)], **ANA)
        memory.upkeep(**ANA)
        small, many = room()
        assert many == 300
        assert small < (whole + 100 * 64 * 2) - 300 * (64 - 4) + 100
        found = memory.search("heron mill", limit=300, include="faded", **ANA)
        assert {hit.id for hit in found if "heron" in hit.text} == set(before)
        memory.feedback(found, used=found[0].id, **ANA)
        memory.upkeep(**ANA)
        assert memory.search("heron mill", limit=1, **ANA)[0].id == found[0].id
        memory.erase(found[1].id, **ANA)
        assert room()[1] == 300, "its place stays"
        memory.rebuild(**ANA)
        assert room() == (400 * 64 * 2, 0)


def test_a_few_that_are_cold_do_not_rewrite_a_segment() -> None:
    clock = FrozenClock()
    with Memory(":memory:", forgetting=Ebbinghaus(30), clock=clock, embedder=HashEmbedder(dims=8)) as memory:
        memory.add([f"The {number}th heron stood by the old mill." for number in range(20)], **ANA)
        clock.advance(100 * 86_400)
        memory.add([f"Parcel {number} came." for number in range(100)], **ANA)
        memory.upkeep(**ANA)
        with memory._store.read() as snapshot:  # pyright: ignore[reportPrivateUsage]
            (known,) = snapshot.rows("decays_in", wall=1)
            assert (known["cold"], known["warm"]) == (20, 100)
            assert not any(row["coarse"] for row in snapshot.rows("segments_coarse", wall=1))
            assert decay.PART > 120
