"""The ranking's numbers fitted with something left out, so that the quality run tests on what was not fitted on.

`transfer/<set>.json` is fitted on all the other sets, `bound/<set>/<conversation>.json` on everything but a fifth of
the conversations of each set, that one among them. Both are files for `Memory(ranking=…)`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from importlib.resources import files
from pathlib import Path

from bench import fit
from mnemic import rank
from mnemic.models import wordllama


def write(data: Path, folder: Path, *, progress: Callable[[str], None]) -> None:
    """Fit every variant on the sets under `data` and write it into `folder`."""
    asked, strangers = fit.cases(data, wordllama.WordLlamaEmbedder(), progress)
    for name in dict.fromkeys(map(fit.set_of, asked)):
        progress(f"without {name}")
        _write([folder / "transfer" / f"{name}.json"], fit.without(name, asked, strangers, fit.PRIOR))
    part_of = fit.parts(asked)
    for part in range(fit.PARTS):
        progress(f"without a part of each set: {part + 1} of {fit.PARTS}")
        left = [case for case in asked if part_of(case) != part]
        others = [case for case in strangers if part_of(case) != part]
        paths = {folder / "bound" / c.dataset / f"{c.conversation}.json" for c in asked if part_of(c) == part}
        _write(sorted(paths), fit.fitted(left, others, fit.PRIOR))


def _write(paths: Sequence[Path], fitted: rank.Fitted) -> None:
    # The run has vectors, so the numbers for words alone are the shipped ones.
    shipped = json.loads((files("mnemic") / "rank.json").read_text(encoding="utf-8"))
    text = fit.written({**shipped, "words and vectors": fit.part(fitted)})
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
