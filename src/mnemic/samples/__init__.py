"""The project's own sample conversations, each with questions and the turns that answer them."""

import json
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

__all__ = ["Question", "Sample", "load", "names"]


@dataclass(frozen=True, slots=True)
class Question:
    """A question about a conversation. `evidence`: ids of the turns that answer it; none: nothing in it does."""

    question: str
    asked_at: str
    evidence: tuple[str, ...]
    answer: str
    kind: str


@dataclass(frozen=True, slots=True)
class Sample:
    """A conversation, oldest message first, in the form that `Memory.add` takes."""

    name: str
    messages: tuple[dict[str, Any], ...]
    questions: tuple[Question, ...]


def names() -> list[str]:
    """The names of the samples that ship with the package."""
    return sorted(f.name.removesuffix(".jsonl") for f in files(__name__).iterdir() if f.name.endswith(".jsonl"))


def load(name: str) -> Sample:
    """One sample by its name."""
    known = names()
    if name not in known:
        raise ValueError(f"no sample is called {name!r}; there are {', '.join(known)}")
    folder = files(__name__)
    lines = (folder / f"{name}.jsonl").read_text(encoding="utf-8").split("\n")
    questions: list[dict[str, Any]] = json.loads((folder / f"{name}.questions.json").read_text(encoding="utf-8"))
    return Sample(
        name=name,
        messages=tuple(json.loads(line) for line in lines if line),
        questions=tuple(
            Question(q["question"], q["asked_at"], tuple(q["evidence"]), q["answer"], q["kind"]) for q in questions
        ),
    )
