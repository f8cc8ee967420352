"""The ranking's numbers fitted with something left out, so that the quality run tests on what was not fitted on.

`transfer/<set>.json` is fitted on all the other sets, `bound/<set>/<conversation>.json` on everything but a fifth of
the conversations of each set, that one among them. Both are files for `Memory(ranking=…)`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from importlib.resources import files
from pathlib import Path
from typing import Any

from bench import fit
from bench.fit import Case
from mnemic import rank
from mnemic.models import wordllama


def write(data: Path, folder: Path, *, progress: Callable[[str], None]) -> None:
    """Fit every variant on the sets under `data` and write it into `folder`."""
    asked, strangers = fit.cases(data, wordllama.WordLlamaEmbedder(), progress)
    for name in dict.fromkeys(map(fit.set_of, asked)):
        progress(f"without {name}")
        _write(folder / "transfer" / f"{name}.json", [c for c in asked if fit.set_of(c) != name], strangers)
    fold_of = fit.folds(asked)
    for fold in range(fit.FOLDS):
        progress(f"without a part of each set: {fold + 1} of {fit.FOLDS}")
        inside = [case for case, number in zip(asked, fold_of, strict=True) if number == fold]
        outside = [case for case, number in zip(asked, fold_of, strict=True) if number != fold]
        paths = {folder / "bound" / case.dataset / f"{case.conversation}.json" for case in inside}
        first, *others = sorted(paths)
        _write(first, outside, strangers)
        for path in others:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(first.read_text(encoding="utf-8"), encoding="utf-8")


def _write(path: Path, asked: Sequence[Case], strangers: Sequence[Case]) -> None:
    known = {case.conversation for case in asked}
    apart = [case for case in strangers if case.conversation in known]
    # The run has vectors, so the numbers for words alone are the shipped ones.
    shipped = json.loads((files("mnemic") / "rank.json").read_text(encoding="utf-8"))
    numbers = {**shipped, "words and vectors": _numbers(asked, apart)}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(fit.written(numbers), encoding="utf-8")


def _numbers(asked: Sequence[Case], strangers: Sequence[Case]) -> dict[str, Any]:
    numbers = fit.fitted(asked, fit.PRIOR)
    hits = list(fit.shown([*asked, *strangers], numbers))
    calibration = fit.fit_calibration(hits)
    confidence = fit.fit_confidence(hits, calibration)
    return {
        "weights": numbers.weights,
        "hit": {name: getattr(calibration, name) for name in rank.Calibration.__dataclass_fields__},
        "confidence": asdict(confidence),
        "reading": {talk: fit.plain(net) for talk, net in numbers.nets.items()},
    }
