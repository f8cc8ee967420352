"""The ranking's numbers fitted with something left out, so that the quality run tests on what was not fitted on.

`transfer/<set>.json` is fitted on all the other sets, `bound/<set>/<conversation>.json` on everything but that
conversation. Both are files for `Memory(ranking=…)`.
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
    asked, strangers = fit.cases(data, wordllama.WordLlamaEmbedder())
    for name in dict.fromkeys(_set_of(case) for case in asked):
        progress(f"without {name}")
        inside = [case for case in asked if _set_of(case) == name]
        outside = [case for case in asked if _set_of(case) != name]
        _write(folder / "transfer" / f"{name}.json", outside, strangers)
        for conversation in dict.fromkeys(case.conversation for case in inside if case.dataset == name):
            # The fit may ask the same question of several conversations pooled.
            questions = {case.question.id for case in inside if case.conversation == conversation}
            rest = [case for case in inside if case.question.id not in questions]
            _write(folder / "bound" / name / f"{conversation}.json", outside + rest, strangers)


def _set_of(case: Case) -> str:
    return case.dataset.removesuffix("-pool")


def _write(path: Path, asked: Sequence[Case], strangers: Sequence[Case]) -> None:
    known = {case.conversation for case in asked}
    apart = [case for case in strangers if case.conversation in known]
    # The run has vectors, so the numbers for words alone are the shipped ones.
    shipped = json.loads((files("mnemic") / "rank.json").read_text(encoding="utf-8"))
    numbers = {**shipped, "words and vectors": _numbers(asked, apart)}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(numbers, indent=1) + "\n", encoding="utf-8")


def _numbers(asked: Sequence[Case], strangers: Sequence[Case]) -> dict[str, Any]:
    weights = fit.fit_weights(asked, fit.PRIOR)
    hits = list(fit.shown([*asked, *strangers], weights))
    calibration = fit.fit_calibration(hits)
    confidence = fit.fit_confidence(hits, calibration)
    return {
        "weights": weights,
        "hit": {name: getattr(calibration, name) for name in rank.Calibration.__dataclass_fields__},
        "confidence": asdict(confidence),
    }
