"""Whether a store is whole: its chains, its index, and that what is found is what is there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from mnemic import Memory, postings
from mnemic.analysis import analyse
from mnemic.changes import writing_of
from mnemic.commit import segment_of
from mnemic.journal import broken_links
from mnemic.stores.sqlite import Snapshot


def assert_sound(memory: Memory) -> None:
    """Chains, structure, and the index of every wall, which must be byte for byte that of its texts made anew."""
    with memory._store.read() as snapshot:
        assert list(broken_links(snapshot)) == []
        assert [row[0] for row in snapshot.select("PRAGMA integrity_check", {})] == ["ok"]
        for wall in snapshot.rows("all_walls"):
            _assert_receipts(snapshot, wall["tenant"])
            _assert_index(snapshot, wall["wall"], wall["size"], memory._embedder)


def _assert_receipts(snapshot: Snapshot, tenant: str) -> None:
    """Every receipt has its rows in the chain, and every row of the chain its receipt."""
    told = snapshot.select(
        "SELECT receipt, min(seq) AS first, max(seq) AS last FROM journal WHERE tenant = :tenant GROUP BY receipt",
        {"tenant": tenant},
    )
    kept = snapshot.select(
        "SELECT id, first_seq, last_seq FROM receipts WHERE tenant = :tenant AND last_seq >= first_seq",
        {"tenant": tenant},
    )
    assert sorted(map(tuple, told)) == sorted(map(tuple, kept))
    untold = snapshot.select(
        "SELECT id, revision FROM records JOIN walls USING (wall) WHERE tenant = :tenant EXCEPT "
        "SELECT id, revision FROM journal WHERE tenant = :tenant",
        {"tenant": tenant},
    )
    assert list(map(tuple, untold)) == [], "revisions without a row in the chain"


def _assert_index(snapshot: Snapshot, wall: int, size: int, embedder: Any) -> None:
    texts = {row["num"]: writing_of(row) for row in snapshot.rows("texts_of_documents", wall=wall, first=0, until=size)}
    numbered = snapshot.select(
        "SELECT count(DISTINCT num) AS n, max(num) AS last FROM records WHERE wall = :wall AND num IS NOT NULL",
        {"wall": wall},
    )[0]
    assert numbered["n"] == size
    assert size == 0 or numbered["last"] == size - 1
    made = dict(zip(texts, analyse(list(texts.values()), embedder), strict=True))
    rows = snapshot.rows("segments_from", wall=wall, first=0)
    kept = [segment_of(row) for row in rows]
    assert sum(segment.size for segment in kept) == size
    if not size:
        return
    assert [segment.first for segment in kept] == [0, *np.cumsum([segment.size for segment in kept])[:-1]]
    whole = postings.merge(kept) if len(kept) > 1 else kept[0]
    anew = postings.build(0, [made.get(number, postings.EMPTY) for number in range(size)])
    for name in ("terms", "starts", "documents", "counts", "lengths", "tokens", "token_counts"):
        assert np.array_equal(getattr(whole, name), getattr(anew, name)), f"wall {wall}: {name} differ"
    if anew.vectors is not None:
        assert np.array_equal(whole.vectors, anew.vectors), f"wall {wall}: vectors differ"


def assert_rebuilt_alike(memory: Memory, queries: list[str], **scope: str) -> None:
    """The same answers, to the last digit, from an index made anew."""

    def answers() -> list[list[tuple[str, float]]]:
        return [[(hit.id, round(hit.score, 4)) for hit in memory.search(query, **scope)] for query in queries]

    before = answers()
    memory.rebuild(everything=True)
    assert answers() == before
    assert_sound(memory)


def bytes_of(path: Path) -> bytes:
    """The file and its log.

    Not the shared memory beside them: recovering a log, SQLite (3.40: walIndexRecover) copies there, beyond the header,
    a buffer that it has not cleared, so it may hold anything that the recovering process had in its own memory.
    """
    names = (path, path.with_name(path.name + "-wal"))
    return b"".join(name.read_bytes() for name in names if name.exists())


def line(value: object) -> bytes:
    """One line for a pipe."""
    return json.dumps(value).encode() + b"\n"
