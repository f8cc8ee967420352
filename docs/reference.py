"""Writes docs/reference.md from the signatures, docstrings and tables of the code: `python docs/reference.py`.

What a parameter, a field or a column means stands here, in one sentence each; what there is comes from the code. A name
without a sentence, or a sentence without a name, is an error.
"""

from __future__ import annotations

import dataclasses
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mnemic import changes, errors, exchange, memory, scope, types, where
from mnemic.aio import AsyncMemory
from mnemic.memory import Memory
from mnemic.stores import sqlite

HERE = Path(__file__).resolve().parent

VERBS = {
    "Write": ("add", "remember", "update", "retire", "merge", "split", "feedback", "undo", "erase", "upkeep", "wait"),
    "Read": (
        "search",
        "context",
        "ask",
        "get",
        "list",
        "timeline",
        "history",
        "links",
        "conflicts",
        "diff",
        "stats",
        "spending",
    ),
    "The whole": ("export", "import_", "rebuild", "scoped", "close"),
}

PARAMETERS = {
    # Memory
    "url": "The path of the file; `:memory:` keeps it in RAM; `sqlite:///agent.db` is understood.",
    "embedder": "See [Other embedders](howto/embedders.md).",
    "timezone": "Assumed for times without an offset, which are refused otherwise.",
    "clock": "Gives the present, as an aware datetime.",
    "read_only": "Refuse writes.",
    "ranking": "A file of fitted numbers in place of the shipped ones.",
    "cache_bytes": "RAM that scopes not in use may take together.",
    "exploration": "A seed: see [Exploration](howto/feedback.md#exploration).",
    "reranker": "See [A reranker](howto/embedders.md#a-reranker).",
    "recipe": "See [What is derived](howto/derive.md).",
    "forgetting": "See [Forgetting](howto/forgetting.md).",
    "model": "See [Asking with a model](howto/models.md).",
    "allowance": "A `mnemic.allowance.Allowance`: limits on what deriving by a model may cost; None for none.",
    "background": "Whether upkeep is done in a thread, after each write.",
    "seconds": "How long to wait at most; None for ever.",
    "api_key": "Of an http embedder or reranker.",
    # writing
    "messages": "A string, a message, or an iterable of messages: see [Keep a chat's memory](howto/chat.md).",
    "shared": "Without a user: what every user inside the other walls may read.",
    "time": "When it was observed or said. Default: now.",
    "source": "How far it is trusted: {sources}.",
    "author": "Who writes. Default: the memory's own `author`.",
    "metadata": "A dict of JSON values, for `where`.",
    "wait": "Derive from all of it before returning, however much it is.",
    "budget_ms": "Stop after about so many milliseconds; the next call goes on.",
    "progress": "Called with how much is done, and of how much.",
    "idempotency_key": "Tells messages without ids apart by the call, so that a repeated call changes nothing.",
    "text": "The statement.",
    "kind": "Lower-case letters, digits and `_`, at most 40; not `episode` or `act`.",
    "subject": "Whom or what it is about.",
    "aliases": "Other names of the subject; found as the subject is.",
    "purpose": "Why it matters, in one line.",
    "data": "Anything as JSON; not searched.",
    "key": "Unique among the current records of a scope; the record that has it is superseded.",
    "valid_from": "True from then on. Default: from `time`.",
    "valid_to": "No longer true from then on.",
    "expires_at": "No longer shown from then on.",
    "confidence": "From 0 to 1; kept, and not used by the ranking.",
    "pinned": "Marked; kept, and not used by the ranking.",
    "payload_ref": "A reference to something kept elsewhere.",
    "evidence": "Ids of records that it rests on.",
    "supersedes": "Ids of records that it takes over from.",
    "id": "The id of a record.",
    "if_revision": "Raise ConflictError unless this is the current revision.",
    "ids": "The id of a record, or several.",
    "reason": "Why, for the receipt.",
    "into": "The id of the entity that they are: see [Who is who](howto/entities.md).",
    "names": "Aliases of the entity, which are to leave it.",
    "results": "What `search`, `context` or `ask` gave, or the id of that: see [Feedback](howto/feedback.md).",
    "used": "Ids of hits that helped, or of evidence that they rest on.",
    "memory": "An open memory.",
    "threads": "Threads for calls that are soon done, and as many for others.",
    "wrong": "Ids of hits that were wrong.",
    "outcome": "How well it went with what was used, from 0 to 1.",
    "receipt": "A receipt, or its id.",
    "cascade": "Take back first what changed the same records later.",
    "all_of": "All records that are the named user's and project's own.",
    "everything": "The whole file, every tenant, project and user.",
    "dry_run": "Only tell what would go, or change.",
    # reading
    "query": "The question, in words.",
    "limit": "At most so many.",
    "threshold": "Only hits at least this probable, from 0 to 1.",
    "precise": "Only records whose subject or an alias the question names, in that order.",
    "where": "A [filter](#filters) on metadata.",
    "kinds": "Only records of this kind, or these.",
    "include": "States to show beside current records: {states}.",
    "now": "When the question is asked; filters nothing. Default: now.",
    "as_of": "What was true then.",
    "known_at": "What the memory held then.",
    "budget": "Tokens at most.",
    "format": "How the text is written: {formats}.",
    "question": "The question, in words.",
    "check": "Whether a model's citations are checked by the `words` in common, or by the `model` itself.",
    "after": "The `next` of the page before.",
    "order": "`newest` or `oldest` first.",
    "since": "From then on, by `time`.",
    "until": "Up to then, by `time`.",
    "t1": "The earlier recorded time.",
    "t2": "The later recorded time.",
    "path": "The file (of Markdown: the folder) to write; without it, the lines are yielded.",
    "line_source": "A path, or an iterable of lines of an export.",
    "only": "The one user or group of the source whose items are taken.",
    "columns": "Our columns and those of a table: see [Tables](howto/import.md#tables).",
}
IN_VERB = {
    ("Memory", "author"): "Who writes, where a call does not say.",
    ("add", "metadata"): "Kept with each message; a message's own goes before it.",
    ("add", "time"): "Of messages without a time. Default: now.",
    ("add", "source"): "Of messages without a source: {sources}. Default: by the role.",
    ("import_", "source"): PARAMETERS["line_source"],
    ("import_", "format"): "Of what: see [Bring memories from elsewhere](howto/import.md). Default: by what is in it.",
    ("import_", "shared"): "Of another system's export: what every user may read.",
    ("import_", "dry_run"): "Only tell what would come.",
    ("export", "format"): "`jsonl`, or `markdown` for a [folder](howto/markdown.md#an-export).",
    ("ask", "threshold"): "Not known where the evidence was found with a lower probability. Default: 0.5.",
    ("ask", "budget"): "Tokens of the context that a model reads.",
    ("explain", "results"): "What `search` gave.",
    ("timeline", "subject"): "Only records about this subject (name or alias, case folded).",
}

VALUES = (
    "Receipt",
    "Entry",
    "Results",
    "Hit",
    "Evidence",
    "Context",
    "Answer",
    "Citation",
    "Record",
    "Page",
    "Change",
    "Diff",
    "Steps",
    "Step",
    "Touched",
    "Neighbour",
    "Conflicts",
    "Conflict",
    "Spent",
    "Stats",
    "Scope",
)

FIELDS = {
    "id": "The record's id: 26 characters.",
    "kind": "`episode`, `fact`, `preference`, …",
    "text": "What was said, or the statement.",
    "time": "When it was observed or said.",
    "valid_from": "True from then on; None: from `time`.",
    "valid_to": "No longer true from then on; None: open.",
    "valid_precision": "How exact `valid_from` was given: year, month, day, minute or second.",
    "scope": "The walls and stamps that it carries.",
    "source": "How far it is trusted.",
    "speaker": "Who said it: the message's name, else its role.",
    "message_id": "The caller's own id of the message.",
    "metadata": "The caller's metadata.",
    "evidence": "What it rests on.",
    "state": "`current`, {states}.",
    "revision": "Counts the revisions of an id, from 1.",
    "recorded_at": "When the memory came to hold this revision.",
    "retired_at": "When it ceased to hold it.",
    "notes": "What the caller should know.",
    "actor": "Who did it.",
    "at": "When it was recorded.",
    "action": "{actions}.",
    "query": "The question.",
    "session_id": "The session.",
    "tenant_id": "A wall.",
    "project_id": "A wall.",
    "user_id": "A wall.",
    "agent_id": "A stamp.",
    "since": "The earlier recorded time.",
    "until": "The later recorded time.",
    "records": "The records.",
    "embedder": "The embedding space of the memory's embedder; None: words alone.",
}
IN_VALUE = {
    ("Receipt", "id"): "What `undo` takes.",
    ("Receipt", "verb"): "Which verb made it.",
    ("Receipt", "entries"): "What was done to each record.",
    ("Receipt", "pending"): "Episodes in the scope from which something has still to be derived.",
    ("Receipt", "derived"): "What became of derived records: see `entries`.",
    ("Receipt", "views"): "What became of views: see `entries`.",
    ("Results", "pending"): "Episodes in the scope from which something has still to be derived.",
    ("Hit", "conflicts"): "Ids of the current records that contradict it.",
    ("Hit", "derivation"): "Recipe and version; None: observed, or done by hand.",
    ("Receipt", "model_calls"): "Requests to a model.",
    ("Receipt", "tokens"): "Tokens of those, in and out.",
    ("Receipt", "money"): "What they cost, by the prices of the allowance.",
    ("Receipt", "ms"): "Milliseconds that the call took.",
    ("Receipt", "dry_run"): "Nothing was done.",
    ("Entry", "reason"): "Why, in words.",
    ("Entry", "revision"): "The revision that is now the latest.",
    ("Results", "id"): "Says what was asked and shown, for `feedback`; the question can be read in it.",
    ("Results", "hits"): "The hits, best first; `Results` itself is a sequence of them.",
    ("Results", "considered"): "How many records in scope were current (and fit the filters).",
    ("Results", "best"): "The best relevance seen, also when `threshold` cut it away.",
    (
        "Results",
        "confidence",
    ): "The probability that the evidence is among the hits; `None` where nothing is calibrated.",
    ("Results", "threshold"): "The threshold that was asked for.",
    ("Results", "explainer"): "What `explain(id)` asks; not in copies sent to another process.",
    ("Hit", "score"): "Orders the hits of one search; means nothing across searches.",
    ("Hit", "relevance"): "The probability that it is evidence; None where nothing is calibrated.",
    ("Hit", "signals"): "What each channel gave.",
    ("Hit", "subject"): "Whom or what a statement is about.",
    ("Hit", "outdated_by"): "The id of the record that took over.",
    ("Evidence", "id"): "The id of the episode or act.",
    ("Context", "text"): "The text, also `str(context)`.",
    ("Context", "tokens"): "Its length, by `counter`.",
    ("Context", "budget"): "The budget asked for.",
    ("Context", "counter"): "Names the token counter.",
    ("Context", "evidence"): "`evidence[i]` stands behind `[i+1]` in the text.",
    ("Context", "results_id"): "As the id of results, for `feedback`.",
    ("Context", "left_out"): "Hits that did not fit.",
    ("Context", "format"): "How the text is written.",
    ("Context", "confidence"): "The probability that the evidence is among the ten best hits.",
    ("Answer", "text"): "The answer, or `not known`.",
    ("Answer", "confidence"): "The probability that the evidence was found; None where nothing is calibrated.",
    ("Answer", "known"): "Whether there is one.",
    ("Answer", "citations"): "`citations[i]` stands behind `[i+1]` in a model's text.",
    ("Answer", "results_id"): "The search that it was read out of.",
    ("Answer", "model"): "Which model answered; None: an extract.",
    ("Answer", "tokens_in"): "Tokens that the model read.",
    ("Answer", "tokens_out"): "Tokens that the model wrote.",
    ("Citation", "evidence"): "What the answer rests on.",
    ("Citation", "quote"): "The words of it that answer.",
    ("Record", "key"): "Unique among current records of a scope.",
    ("Record", "subject"): "Whom or what it is about.",
    ("Record", "aliases"): "Other names of the subject.",
    ("Record", "purpose"): "Why it matters.",
    ("Record", "role"): "The message's role.",
    ("Record", "passage"): "Start and end of a passage in its message, in characters; None: a whole message.",
    ("Record", "data"): "JSON: of a message, what else it carried.",
    ("Record", "payload_ref"): "A reference to something kept elsewhere.",
    ("Record", "author"): "Who wrote it.",
    ("Record", "confidence"): "From 0 to 1.",
    ("Record", "pinned"): "Marked by a caller.",
    ("Record", "time_precision"): "How exact `time` is: year, month, day, minute or second.",
    ("Record", "expires_at"): "No longer shown from then on.",
    ("Record", "superseded_by"): "The id of the record that took over.",
    ("Record", "derivation"): "Recipe and version; None: observed, or done by hand.",
    ("Page", "next"): "Pass it as `after=`; None on the last page.",
    ("Change", "action"): "added, revised, superseded, retired, restored, faded, quarantined or erased.",
    ("Change", "receipt"): "The id of the receipt.",
    ("Change", "record"): "The revision; None of an erased one.",
    ("Change", "erased"): "Whether the words are gone.",
    ("Diff", "added"): "Records that came.",
    ("Diff", "removed"): "Records that went.",
    ("Diff", "changed"): "Pairs of before and after.",
    ("Steps", "steps"): "The calls.",
    ("Steps", "next"): "Pass it as `after=`; None where there are no more.",
    ("Step", "receipt"): "Its receipt.",
    ("Step", "verb"): "What was called.",
    ("Step", "at"): "When.",
    ("Step", "actor"): "Who did it.",
    ("Step", "records"): "What it did to which records, of those that the scope sees.",
    ("Neighbour", "role"): "`derived_from`, `supersedes`, `contradicts`, `mentions`, `fades`, …",
    ("Neighbour", "out"): "Whether the edge leads to this record, or comes from it.",
    ("Neighbour", "record"): "The record at its other end.",
    ("Conflict", "one"): "A current record …",
    ("Conflict", "other"): "… and one that cannot be so, too.",
    ("Conflicts", "pairs"): "The conflicts.",
    ("Conflicts", "next"): "Pass it as `after=`; None on the last page.",
    ("Spent", "day"): "The day, as `2026-06-01`.",
    ("Spent", "calls"): "Requests to models.",
    ("Spent", "tokens_in"): "Tokens that models read …",
    ("Spent", "tokens_out"): "… and wrote.",
    ("Spent", "money"): "What that cost, as the allowance's prices say.",
    ("Stats", "records"): "Current records by kind.",
    ("Stats", "states"): "Records by state.",
    ("Stats", "walls"): "Different (tenant, project, user) that hold or held something.",
    ("Stats", "documents"): "Texts in the index, erased ones counted.",
    ("Stats", "journal"): "Rows of the journal.",
    ("Stats", "bytes"): "Size of the file with its log.",
    ("Stats", "format"): "The file's format.",
    ("Stats", "earliest"): "The earliest `time` of a current record.",
    ("Stats", "latest"): "The latest.",
}

TABLES = {
    "walls": "One row per (tenant, project, user) that holds anything. Its number is in every other key.",
    "records": "One row per revision of a record. Only `retired_at`, `closed_by` and (erased) emptiness change.",
    "links": "Typed edges between records.",
    "segments": "The search index: packed runs of documents, per wall.",
    "receipts": "One row per call that changed something.",
    "journal": "One row per change of a record: a chain of hashes per tenant.",
    "pending": "Documents of episodes from which something has still to be derived.",
    "answers": "What a language model has answered, so that it is asked once; goes with what it rests on.",
    "answer_evidence": "The records that an answer rests on.",
    "calls": "Writes that are made once, by the key that their caller chose.",
    "spending": "What language models have cost, by day and user.",
    "watermarks": "How far a job of upkeep has read a tenant's journal.",
    "stale": "What a job of upkeep has found to be redone.",
    "placed": "Which turns belong to a topic's cluster.",
    "placing": "How far the turns of a wall have been placed in these.",
    "decays": "When forgetting looks again at each part of a wall.",
    "names": "What episodes call whom: see [Who is who](howto/entities.md).",
    "called": "Whom each name means at present. A name that is missing has to be looked at again.",
    "settings": "Names and values for the store's own use.",
    "format_steps": "Which steps of the format this file has taken.",
}
COLUMNS = {
    "wall": "Number of the wall.",
    "tenant": "Tenant; '' means none.",
    "walls.project": "Project; '' means none.",
    "walls.user": "User; '' means none.",
    "walls.pending": "How many rows of `pending` are this wall's.",
    "walls.size": "Document numbers given out so far.",
    "walls.changed": "Counts changes to documents already numbered, so that caches notice.",
    "walls.fading": "Counts changes to links of role `fades`, so that caches notice.",
    "walls.epoch": "Raised by erasures and rebuilds: caches start anew.",
    "row": "Number of the row.",
    "records.id": "The record's id: of its scope, its time and chance.",
    "revision": "Which revision, from 1.",
    "num": "Document number in the wall, in order of arrival; NULL: not searchable.",
    "records.kind": "`episode`, `act`, `fact`, …",
    "records.key": "The caller's key, unique among current records of a wall.",
    "records.text": "The words.",
    "records.subject": "Whom or what it is about.",
    "records.aliases": "JSON array of other names of the subject.",
    "records.purpose": "Why it matters.",
    "data": "JSON object of whatever else there is.",
    "records.metadata": "JSON object of the caller's metadata.",
    "records.payload_ref": "A reference to something kept elsewhere.",
    "records.role": "Role of the message.",
    "records.speaker": "Name of who said it.",
    "records.agent": "Stamp: the agent.",
    "records.session": "Stamp: the session.",
    "records.message_id": "The caller's id of the message.",
    "records.part": "Which passage of its message, from 0; NULL: a whole message.",
    "records.start": "First character of the passage in its message.",
    "records.stop": "One past its last character.",
    "records.source": "How far it is trusted.",
    "records.author": "Who wrote it.",
    "records.confidence": "From 0 to 1.",
    "records.pinned": "1: marked by a caller.",
    "records.quarantined": "1: kept, and not believed.",
    "records.time": "When it was observed or said.",
    "records.time_precision": "How exact that is.",
    "records.valid_from": "True from then on; NULL: from `time`.",
    "records.valid_to": "No longer true from then on; NULL: open.",
    "records.valid_precision": "How exact `valid_from` is.",
    "records.expires_at": "No longer shown from then on.",
    "records.superseded_by": "Id of the record that took over.",
    "records.derivation": "Recipe and version; NULL: observed, or done by hand.",
    "recorded_at": "When the memory came to hold it.",
    "retired_at": "When it ceased to; NULL: it holds it now.",
    "opened_by": "Receipt of the call that wrote it.",
    "closed_by": "Receipt of the call that closed it.",
    "records.erased_by": "Receipt of the erasure; the row is empty.",
    "records.fingerprint": "What the same content is known by, so that it is added once; gone with an erasure.",
    "records.salt": "Salt of the payload's hash in the journal; gone with an erasure.",
    "links.source_id": "The record that the edge leaves.",
    "links.target_id": "The record that it leads to.",
    "links.role": "`derived_from`, `supersedes`, `fades`, …",
    "links.position": "Its place among the edges of one role.",
    "links.weight": "How strong; of `fades`: how much is left of the target, from 0 to 1.",
    "links.time": "When it was observed; NULL: as its records.",
    "segments.first": "Its first document number.",
    "segments.size": "How many documents.",
    "segments.terms": "Sorted 64-bit hashes of terms (uint64).",
    "segments.starts": "Where each term's documents begin (uint32).",
    "segments.documents": "Documents of each term, counted from `first` (uint16).",
    "segments.counts": "How often the term is in each (uint16).",
    "segments.lengths": "Terms of each document (uint32).",
    "segments.space": "Embedding space of tokens and vectors; NULL: none.",
    "segments.dims": "Length of a vector.",
    "segments.tokens": "Ids of the embedder's tokens that occur (int32).",
    "segments.token_counts": "How often each occurs (int64).",
    "segments.vectors": "One vector per document (float16), of those without a small one.",
    "receipts.id": "The receipt's id; ids sort by time.",
    "receipts.verb": "Which verb.",
    "at": "When it was recorded.",
    "actor": "Who did it.",
    "receipts.first_seq": "Its first row in the tenant's journal.",
    "receipts.last_seq": "Its last row there.",
    "receipts.undoes": "The receipt that it takes back.",
    "receipts.details": "JSON object of costs.",
    "journal.seq": "Place in the tenant's chain, from 1.",
    "journal.receipt": "The receipt.",
    "journal.action": "What was done.",
    "journal.id": "To which record.",
    "journal.payload": "sha256 of the salt and the revision's content; NULL: erased or imported.",
    "journal.hash": "sha256 of the hash before it and the other columns.",
    "key": "Hash of prompt, model and parameters.",
    "answers.model": "Name of the model.",
    "answers.asked": "JSON object: the turns by id, and the known facts and names that it was shown.",
    "answers.text": "The answer, as it was given.",
    "answer_evidence.id": "Of the record.",
    "calls.key": "Hash of the caller's key and the walls.",
    "calls.tenant": "The tenant; '' means none.",
    "calls.at": "When it was made.",
    "calls.receipt": "The receipt of what it wrote.",
    "calls.request": "Hash of what was asked; goes with the tenant's next erasure.",
    "calls.answer": "Its receipt as JSON, once all of it was done; goes likewise.",
    "spending.day": "Day in UTC, as YYYY-MM-DD.",
    "spending.user": "User; '' means none.",
    "spending.calls": "Requests.",
    "spending.tokens_in": "Tokens of the prompts.",
    "spending.tokens_out": "Tokens of the answers.",
    "spending.money": "What they cost, by the prices given.",
    "placed.leader": "Number of the turn that leads its cluster.",
    "placed.vector": "Of a leader: its vector (int16).",
    "placing.space": "Embedding space of the vectors.",
    "placing.next": "Document from which on nothing has been placed.",
    "decays.part": "Which run of 4,096 documents, from 0.",
    "decays.policy": "The policy that has looked at it, with its parameters.",
    "decays.due": "When something in it changes next; 0: at once.",
    "decays.warm": "How many of its documents are held and not cold.",
    "decays.cold": "How many are cold.",
    "segments.coarse": "Vectors of what is cold, in one byte a number, behind bits that say whose.",
    "names.name": "The name, folded.",
    "names.other": "''; or another name of the same one, folded.",
    "names.how": "`about`, `self`, `named`: spoken of; `told`, `own`, `near`, `speaks`, `rival`: another's.",
    "names.nth": "Which of the names of its episode.",
    "names.spelling": "As it is written there.",
    "called.name": "The name, folded.",
    "called.about": "The name that the one meant is known by, folded.",
    "called.spelling": "As that is written.",
    "called.entity": "The id of its record.",
    "watermarks.job": "Name of the job.",
    "watermarks.seq": "The last row of the journal that it has read.",
    "stale.job": "Name of the job.",
    "stale.part": "What of the wall: the job knows.",
    "settings.name": "Name.",
    "settings.value": "Value.",
    "format_steps.step": "Number of the step.",
    "format_steps.name": "Its name.",
}


def reference() -> str:
    """The whole page."""
    used: set[object] = set()
    parts = ["# Reference", "*This page is generated from the code by `docs/reference.py`.*", *_contents()]
    parts += ["## Memory", *_class(used)]
    for title, names in VERBS.items():
        parts.append(f"## {title}")
        for name in names:
            parts += _verb(name, used)
    parts += ["## AsyncMemory", _said("AsyncMemory", AsyncMemory.__doc__)]
    parts += [*_verb("of", used, AsyncMemory), *_verb("explain", used, AsyncMemory)]
    parts += ["## Scope parameters", *_scope()]
    parts += ["## Values", _said("mnemic.types", types.__doc__)]
    for name in VALUES:
        parts += _value(name, used)
    parts += ["## Errors", "All are importable from `mnemic.errors`, the most used from `mnemic`.", *_errors()]
    parts += ["## Filters", *_filters()]
    parts += ["## The file", *_file(used)]
    parts += ["## Limits", *_limits()]
    _complete(used)
    return "\n\n".join(parts) + "\n"


def _contents() -> list[str]:
    verbs = [f"[{name}](#{name})" for names in VERBS.values() for name in names]
    rooms = ("AsyncMemory", "Scope parameters", "Values", "Errors", "Filters", "The file", "Limits")
    return [
        "Verbs: " + " · ".join(verbs) + ".",
        "Else: " + " · ".join(f"[{room}](#{room.lower().replace(' ', '-')})" for room in rooms) + ".",
    ]


def _class(used: set[object]) -> Iterator[str]:
    yield _signature("Memory", Memory.__init__)
    yield _said("Memory", Memory.__doc__)
    yield _parameters("Memory", Memory.__init__, used)


def _verb(name: str, used: set[object], of: type = Memory) -> Iterator[str]:
    function = getattr(of, name)
    yield f"### {name}"
    yield _signature(name, function)
    yield _said(name, function.__doc__)
    rows = _parameters(name, function, used)
    if rows:
        yield rows
    gives = str(inspect.signature(function).return_annotation)
    gives = {"None": "nothing"}.get(gives, f"`{gives}`")
    yield f"Returns {gives}."


def _signature(name: str, function: Any) -> str:
    words = [
        ("*, " if first else "") + _declared(parameter)
        for parameter, first in _marked(inspect.signature(function).parameters.values())
    ]
    line = f"{name}({', '.join(words)})"
    if len(line) > 100:
        line = f"{name}(\n    " + ",\n    ".join(words).replace("*, ", "*,\n    ") + ",\n)"
    return f"```\n{line}\n```"


def _marked(parameters: Any) -> Iterator[tuple[inspect.Parameter, bool]]:
    """The parameters worth showing, and which is the first keyword-only one."""
    seen = False
    for parameter in parameters:
        if parameter.name in ("self", "unknown"):
            continue
        first = parameter.kind is inspect.Parameter.KEYWORD_ONLY and not seen
        seen = seen or first
        yield parameter, first


def _declared(parameter: inspect.Parameter) -> str:
    if parameter.kind is inspect.Parameter.VAR_KEYWORD:
        return "**scope"
    return parameter.name if parameter.default is inspect.Parameter.empty else f"{parameter.name}={_default(parameter)}"


def _default(parameter: inspect.Parameter) -> str:
    return "…" if parameter.default is changes.UNSET else repr(parameter.default)


def _parameters(name: str, function: Any, used: set[object]) -> str:
    rows: list[list[str]] = []
    for parameter, _ in _marked(inspect.signature(function).parameters.values()):
        if parameter.kind is inspect.Parameter.VAR_KEYWORD:
            rows.append(["`**scope`", "", "The [scope](#scope-parameters) of the call."])
            continue
        meaning = _meaning(IN_VERB, PARAMETERS, name, parameter.name, used)
        rows.append([f"`{parameter.name}`", _typed(parameter.annotation), meaning])
    return _table(["parameter", "type", "meaning"], rows) if rows else ""


def _meaning(
    special: dict[tuple[str, str], str], general: dict[str, str], of: str, name: str, used: set[object]
) -> str:
    if (of, name) in special:
        used.add((of, name))
        found = special[of, name]
        if found in general.values():
            used.update(key for key, value in general.items() if value == found)
    elif name in general:
        used.add((id(general), name))
        found = general[name]
    else:
        raise SystemExit(f"docs/reference.py has no sentence for {name!r} of {of}")
    actions = ", ".join(changes._ACTIONS)
    return found.format(
        sources=_listed(types.SOURCES), states=_listed(types.STATES), formats=_listed(types.FORMATS), actions=actions
    )


def _listed(names: Any) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _typed(annotation: object) -> str:
    written = str(annotation).replace("Mapping[str, Any]", "dict").replace("Sequence[str]", "list[str]")
    return "`" + written.replace("When", "time").replace("|", "\\|") + "`"


def _scope() -> Iterator[str]:
    yield "Every verb takes them. See [Many users and teams](howto/scopes.md)."
    rows = [
        ["`tenant_id`", "`str`", "wall", "one; matches exactly"],
        [
            "`project_id`",
            "`str \\| list[str] \\| ANY`",
            "wall",
            "reads may name several; `ANY`: all of the users named",
        ],
        ["`user_id`", "`str \\| list[str]`", "wall", "reads may name several; a write needs one, or `shared=True`"],
        ["`agent_id`", "`str`", "stamp", "writes are stamped, reads narrowed"],
        ["`session_id`", "`str`", "stamp", "writes are stamped, reads narrowed"],
    ]
    if sorted(row[0].strip("`") for row in rows) != sorted(scope.PARTS):
        raise SystemExit("docs/reference.py names other parts of a scope than the code")
    yield _table(["parameter", "type", "is a", "takes"], rows)


def _value(name: str, used: set[object]) -> Iterator[str]:
    value = getattr(types, name)
    yield f"### {name}"
    yield _said(name, value.__doc__)
    rows = [
        [f"`{field.name}`", _typed(field.type), _meaning(IN_VALUE, FIELDS, name, field.name, used)]
        for field in dataclasses.fields(value)
    ]
    yield _table(["field", "type", "meaning"], rows)


def _errors() -> Iterator[str]:
    text = inspect.cleandoc(errors.__doc__ or "")
    tree = [line[4:] for line in text.splitlines() if line.startswith("    ")]
    yield "```\n" + "\n".join(tree) + "\n```"
    yield text.splitlines()[-1]


def _filters() -> Iterator[str]:
    yield "`where=` is a dict over the record's metadata. All its conditions must hold."
    text = inspect.cleandoc(where.__doc__ or "")
    yield "```\n" + "\n".join(line[4:] for line in text.splitlines() if line.startswith("    ")) + "\n```"
    meanings = {
        "eq": "equal; the same as naming the value alone",
        "ne": "not equal; also true of records without the key",
        "in": "equal to one of a list",
        "gt": "greater",
        "gte": "greater or equal",
        "lt": "less",
        "lte": "less or equal",
        "contains": "a list that holds the value, or a text that holds the piece",
    }
    yield _table(["operator", "meaning"], [[f"`{name}`", meanings[name]] for name in where.OPERATORS])
    yield "`and`, `or` take a list of filters, `not` takes one. " + text.split("\n\n")[-1].replace("\n", " ")


def _file(used: set[object]) -> Iterator[str]:
    newest = sqlite.steps()[-1][0]
    yield (
        f"One SQLite file, format {newest} (`PRAGMA user_version`), application id "
        f"0x{sqlite.APPLICATION_ID:08X}. Times are UTC microseconds since 1970; arrays are little-endian."
    )
    for table, columns in _tables().items():
        yield f"### Table {table}"
        used.add(("table", table))
        yield TABLES[table]
        rows: list[list[str]] = []
        for column, kind in columns:
            name = f"{table}.{column}" if f"{table}.{column}" in COLUMNS else column
            if name not in COLUMNS:
                raise SystemExit(f"docs/reference.py has no sentence for the column {table}.{column}")
            used.add(("column", name))
            rows.append([f"`{column}`", kind, COLUMNS[name]])
        yield _table(["column", "type", "meaning"], rows)


def _tables() -> dict[str, list[tuple[str, str]]]:
    """The tables of a new file, as SQLite itself tells them."""
    store = sqlite.SqliteStore(None)
    with store.read() as snapshot:
        tables = snapshot.select("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY rowid", {})
        names = [row["name"] for row in tables if not row["name"].startswith("sqlite_")]
        told = {name: snapshot.select(f"PRAGMA table_info({name})", {}) for name in names}
    store.close()
    found = {name: [(row["name"], row["type"].lower()) for row in columns] for name, columns in told.items()}
    if missing := found.keys() ^ TABLES.keys():
        raise SystemExit(f"docs/reference.py and the file differ in the tables {sorted(missing)}")
    return {name: found[name] for name in TABLES}


def _limits() -> Iterator[str]:
    rows = [
        ["an id of a scope's part, a message id", "512 characters"],
        ["a speaker's name", "200 characters"],
        ["the name of a kind", "40 characters: lower-case letters, digits, `_`"],
        ["a text that is one passage", f"{memory.PASSAGE_TOKENS} tokens; longer ones become several"],
        ["a message", "no limit but memory"],
        ["hits that a context is packed from", str(memory.CONTEXT_HITS)],
        ["nesting of a filter", f"{where._DEEPEST} levels"],
        ["times", "the years 1 to 9999, in microseconds"],
        ["wait for writers that do not get on", f"{sqlite.STILL_SECONDS:.0f} seconds"],
        ["wait for a writer outside the queue", f"{sqlite.WAIT_SECONDS:.0f} seconds"],
        ["cache of scopes not in use", f"{memory.CACHE_BYTES / 1e9:.1f} GB, by `cache_bytes`"],
        ["format of an export", str(exchange.FORMAT)],
    ]
    yield _table(["what", "limit"], rows)


def _said(name: str, doc: str | None) -> str:
    """A docstring as Markdown: its words as they are, one line a paragraph."""
    if not doc:
        raise SystemExit(f"{name} has no docstring")
    paragraphs = inspect.cleandoc(doc).split("\n\n")
    return "\n\n".join(re.sub(r"\s*\n\s*", " ", paragraph) for paragraph in paragraphs)


def _table(heads: list[str], rows: list[list[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def _complete(used: set[object]) -> None:
    wanted: set[object] = {(id(PARAMETERS), name) for name in PARAMETERS if name != "line_source"}
    wanted |= {(id(FIELDS), name) for name in FIELDS}
    wanted |= {*IN_VERB, *IN_VALUE, *(("column", name) for name in COLUMNS)}
    unused = [str(key[1] if isinstance(key[0], int) else key) for key in wanted - used]
    if unused:
        raise SystemExit(f"docs/reference.py has sentences for what is not there: {', '.join(sorted(unused))}")


if __name__ == "__main__":
    (HERE / "reference.md").write_text(reference(), "utf-8")
