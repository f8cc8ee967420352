// Written by generate.py from the table of verbs and the description of the server: change these, not this file.

import { idOf, placed, type Lines } from "./body.js";
import { MnemicError } from "./error.js";

/** A time: ISO 8601 with an offset, or a Date. In values it is a string, in UTC. */
export type Time = string | Date;

/**
 * The answer to a question, or "not known", with what it rests on.
 *
 * `citations[i]` is what is numbered `[i+1]` in the text. Without a `model` the text is an extract: the words of the
 * evidence that fit the question best, dates resolved, and never more than was said. `confidence` is that of the
 * recall: the probability that the evidence was found at all (null where nothing is calibrated).
 */
export interface Answer {
  /** The question. */
  readonly query: string;
  /** The answer, or `not known`. */
  readonly text: string;
  /** Whether there is one. */
  readonly known: boolean;
  /** `citations[i]` stands behind `[i+1]` in a model's text. */
  readonly citations: readonly Citation[];
  /** The probability that the evidence was found; null where nothing is calibrated. */
  readonly confidence: number | null;
  /** The search that it was read out of. */
  readonly results_id: string;
  /** Which model answered; null: an extract. */
  readonly model: string | null;
  /** Tokens that the model read. */
  readonly tokens_in: number;
  /** Tokens that the model wrote. */
  readonly tokens_out: number;
  /** What the caller should know. */
  readonly notes: readonly string[];
}

/** One step in the history of a record. An erased one keeps id, times and actor, and no `record`. */
export interface Change {
  /** The record's id: 26 characters. */
  readonly id: string;
  /** Counts the revisions of an id, from 1. */
  readonly revision: number;
  /** added, revised, superseded, retired, restored, faded, quarantined or erased. */
  readonly action: string;
  /** When it was recorded. */
  readonly at: string;
  /** Who did it. */
  readonly actor: string | null;
  /** The id of the receipt. */
  readonly receipt: string;
  /** The revision; null of an erased one. */
  readonly record: MemoryRecord | null;
  /** Whether the words are gone. */
  readonly erased: boolean;
}

/** A piece of evidence that an answer rests on, and the words of it that answer. */
export interface Citation {
  /** What the answer rests on. */
  readonly evidence: Evidence;
  /** The words of it that answer. */
  readonly quote: string;
}

/** Two current records that cannot both be so, and of which neither is known to be later. */
export interface Conflict {
  /** A current record … */
  readonly one: MemoryRecord;
  /** … and one that cannot be so, too. */
  readonly other: MemoryRecord;
}

/** Some conflicts and where to go on: pass `next` as `after`; it is null on the last page. */
export interface Conflicts {
  /** The conflicts. */
  readonly pairs: readonly Conflict[];
  /** Pass it as `after`; null on the last page. */
  readonly next: string | null;
}

/**
 * Remembered text for a prompt, within a budget: `text` is what goes in.
 *
 * `evidence[i]` is what is numbered `[i+1]` in the text. `tokens` is the length of the finished text by `counter`.
 * `confidence` is the probability that the evidence is among the ten best hits (null where nothing is calibrated);
 * `known` says whether anything was remembered at all: the text is `"not in memory"` where not.
 */
export interface Context {
  /** The question. */
  readonly query: string;
  /** The text. */
  readonly text: string;
  /** Its length, by `counter`. */
  readonly tokens: number;
  /** The budget asked for. */
  readonly budget: number;
  /** Names the token counter. */
  readonly counter: string;
  /** `evidence[i]` stands behind `[i+1]` in the text. */
  readonly evidence: readonly Evidence[];
  /** As the id of results, for `feedback`. */
  readonly results_id: string;
  /** Hits that did not fit. */
  readonly left_out: number;
  /** What the caller should know. */
  readonly notes: readonly string[];
  /** How the text is written. */
  readonly format: string;
  /** The probability that the evidence is among the ten best hits. */
  readonly confidence: number | null;
}

/** What the memory came to hold, and no longer holds, between two recorded times. */
export interface Diff {
  /** The earlier recorded time. */
  readonly since: string;
  /** The later recorded time. */
  readonly until: string;
  /** Records that came. */
  readonly added: readonly MemoryRecord[];
  /** Records that went. */
  readonly removed: readonly MemoryRecord[];
  /** Pairs of before and after. */
  readonly changed: readonly (readonly [MemoryRecord, MemoryRecord])[];
}

/** What a write did to one record, and why. */
export interface Entry {
  /** The record's id: 26 characters. */
  readonly id: string;
  /** added, merged, revised, superseded, retired, restored, erased, ignored, quarantined, pending, faded. */
  readonly action: "added" | "merged" | "revised" | "superseded" | "retired" | "restored" | "erased" | "ignored" | "quarantined" | "pending" | "faded";
  /** Why, in words. */
  readonly reason: string;
  /** The revision that is now the latest. */
  readonly revision: number | null;
}

/** One episode or act that something rests on. `message_id` is the caller's own id, if there was one. */
export interface Evidence {
  /** The id of the episode or act. */
  readonly id: string;
  /** The caller's own id of the message. */
  readonly message_id: string | null;
  /** The session. */
  readonly session_id: string | null;
  /** Who said it: the message's name, else its role. */
  readonly speaker: string | null;
  /** When it was observed or said. */
  readonly time: string;
  /** What was said, or the statement. */
  readonly text: string;
}

/**
 * Why a record came where it came, or did not: see `explain`.
 *
 * `rank` is its place among all `considered`, before limits; `score` the sum of the signals' shares (a reranker's is
 * 0: it moves places). Both are null,
 * and `signals` empty, for a record that a read leaves out before it scores. `cut` says why it is no hit; null for a
 * hit.
 */
export interface Explanation {
  /** The question. */
  readonly query: string;
  /** The record's id: 26 characters. */
  readonly id: string;
  /** What was said, or the statement. */
  readonly text: string;
  readonly rank: number | null;
  readonly considered: number;
  readonly score: number | null;
  readonly relevance: number | null;
  readonly signals: readonly Signal[];
  readonly words: readonly Word[];
  readonly cut: string | null;
  /** What the caller should know. */
  readonly notes: readonly string[];
  /** What was understood of the question: misspelt words, names, a time, what is wanted. */
  readonly understood: readonly string[];
}

/**
 * One result of a search.
 *
 * `score` orders the hits of one search, unless a reranker moves them, and means nothing across searches; `relevance`
 * is the calibrated probability that the hit is evidence for the question (null where nothing is calibrated);
 * `signals` is what each channel gave, and "reranker" what that one said, on a scale of its own;
 * "propensity", where hits are drawn, the probability with which this one stands where it stands.
 */
export interface Hit {
  /** The record's id: 26 characters. */
  readonly id: string;
  /** `episode`, `fact`, `preference`, … */
  readonly kind: string;
  /** What was said, or the statement. */
  readonly text: string;
  /** Orders the hits of one search; means nothing across searches. */
  readonly score: number;
  /** The probability that it is evidence; null where nothing is calibrated. */
  readonly relevance: number | null;
  /** When it was observed or said. */
  readonly time: string;
  /** True from then on; null: from `time`. */
  readonly valid_from: string | null;
  /** No longer true from then on; null: open. */
  readonly valid_to: string | null;
  /** The walls and stamps that it carries. */
  readonly scope: Scope;
  /** How far it is trusted. */
  readonly source: string;
  /** Who said it: the message's name, else its role. */
  readonly speaker: string | null;
  /** The caller's own id of the message. */
  readonly message_id: string | null;
  /** The caller's metadata. */
  readonly metadata: { readonly [name: string]: unknown };
  /** What it rests on. */
  readonly evidence: readonly Evidence[];
  /** What each channel gave. */
  readonly signals: { readonly [name: string]: number };
  /** `current`, `superseded`, `expired`, `retired`, `quarantined`, `faded`. */
  readonly state: string;
  /** The id of the record that took over. */
  readonly outdated_by: string | null;
  /** Ids of the current records that contradict it. */
  readonly conflicts: readonly string[];
  /** Recipe and version; null: observed, or done by hand. */
  readonly derivation: string | null;
  /** Whom or what a statement is about. */
  readonly subject: string | null;
}

/**
 * A record that an edge joins to another one: `role` is what the edge says ("derived_from", "supersedes",
 * "contradicts", …), and `out` whether it leads to this record, or comes from it.
 */
export interface Neighbour {
  /** `derived_from`, `supersedes`, `contradicts`, `mentions`, `fades`, … */
  readonly role: string;
  /** Whether the edge leads to this record, or comes from it. */
  readonly out: boolean;
  /** The record at its other end. */
  readonly record: MemoryRecord;
}

/** Some records and where to go on: pass `next` as `after`; it is null on the last page. */
export interface Page {
  /** The records. */
  readonly records: readonly MemoryRecord[];
  /** Pass it as `after`; null on the last page. */
  readonly next: string | null;
}

/**
 * What one write did.
 *
 * `idsOf` a receipt are the records that it is about, in the order given: one for each message of `add`, a long one's by its first
 * passage. Records that others take over are told in `entries` alone.
 */
export interface Receipt {
  /** What `undo` takes. */
  readonly id: string;
  /** Which verb made it. */
  readonly verb: string;
  /** When it was recorded. */
  readonly at: string;
  /** What was done to each record. */
  readonly entries: readonly Entry[];
  /** Who did it. */
  readonly actor: string | null;
  /** Episodes in the scope from which something has still to be derived. */
  readonly pending: number;
  /** What became of derived records: see `entries`. */
  readonly derived: readonly Entry[];
  /** What became of views: see `entries`. */
  readonly views: readonly Entry[];
  /** Requests to a model. */
  readonly model_calls: number;
  /** Tokens of those, in and out. */
  readonly tokens: number;
  /** What they cost, by the prices of the allowance. */
  readonly money: number;
  /** Milliseconds that the call took. */
  readonly ms: number;
  /** Nothing was done. */
  readonly dry_run: boolean;
  /** What the caller should know. */
  readonly notes: readonly string[];
}

/**
 * One memory, in one revision.
 *
 * `time` is when it was observed or said; `valid_from`/`valid_to` when it is true or happens (half-open; a record
 * without `valid_from` holds from its `time` on); `recorded_at`/`retired_at` when the memory held this revision.
 * `state` is "current", or a state that reads leave out (see `include`), as seen at the asking time.
 */
export interface MemoryRecord {
  /** The record's id: 26 characters. */
  readonly id: string;
  /** Counts the revisions of an id, from 1. */
  readonly revision: number;
  /** `episode`, `fact`, `preference`, … */
  readonly kind: string;
  /** What was said, or the statement. */
  readonly text: string;
  /** The walls and stamps that it carries. */
  readonly scope: Scope;
  /** When it was observed or said. */
  readonly time: string;
  /** When the memory came to hold this revision. */
  readonly recorded_at: string;
  /** `current`, `superseded`, `expired`, `retired`, `quarantined`, `faded`. */
  readonly state: string;
  /** Unique among current records of a scope. */
  readonly key: string | null;
  /** Whom or what it is about. */
  readonly subject: string | null;
  /** Other names of the subject. */
  readonly aliases: readonly string[];
  /** Why it matters. */
  readonly purpose: string | null;
  /** The message's role. */
  readonly role: string | null;
  /** Who said it: the message's name, else its role. */
  readonly speaker: string | null;
  /** The caller's own id of the message. */
  readonly message_id: string | null;
  /** Start and end of a passage in its message, in characters; null: a whole message. */
  readonly passage: readonly [number, number] | null;
  /** JSON: of a message, what else it carried. */
  readonly data: { readonly [name: string]: unknown };
  /** The caller's metadata. */
  readonly metadata: { readonly [name: string]: unknown };
  /** A reference to something kept elsewhere. */
  readonly payload_ref: string | null;
  /** How far it is trusted. */
  readonly source: string;
  /** Who wrote it. */
  readonly author: string | null;
  /** From 0 to 1. */
  readonly confidence: number | null;
  /** Marked by a caller. */
  readonly pinned: boolean;
  /** How exact `time` is: year, month, day, minute or second. */
  readonly time_precision: string;
  /** True from then on; null: from `time`. */
  readonly valid_from: string | null;
  /** No longer true from then on; null: open. */
  readonly valid_to: string | null;
  /** How exact `valid_from` was given: year, month, day, minute or second. */
  readonly valid_precision: string | null;
  /** No longer shown from then on. */
  readonly expires_at: string | null;
  /** When it ceased to hold it. */
  readonly retired_at: string | null;
  /** The id of the record that took over. */
  readonly superseded_by: string | null;
  /** Recipe and version; null: observed, or done by hand. */
  readonly derivation: string | null;
  /** What it rests on. */
  readonly evidence: readonly Evidence[];
}

/**
 * What a search returns: hits, best first.
 *
 * `id` says what was asked and what was shown, for `feedback`; the question can be read in it. `considered` is the
 * number of records in scope that were current; `best` the best relevance seen, also when
 * `threshold` cut it away; `confidence` the probability that the evidence is among the hits (both null where nothing
 * is calibrated); `notes` says what the caller should know (no embedder, nothing in scope, …); `pending` from how many
 * episodes in scope something has still to be derived.
 */
export interface Results {
  /** Says what was asked and shown, for `feedback`; the question can be read in it. */
  readonly id: string;
  /** The question. */
  readonly query: string;
  /** The hits, best first. */
  readonly hits: readonly Hit[];
  /** How many records in scope were current (and fit the filters). */
  readonly considered: number;
  /** The best relevance seen, also when `threshold` cut it away. */
  readonly best: number | null;
  /** The probability that the evidence is among the hits; `null` where nothing is calibrated. */
  readonly confidence: number | null;
  /** The threshold that was asked for. */
  readonly threshold: number | null;
  /** The embedding space of the memory's embedder; null: words alone. */
  readonly embedder: string | null;
  /** What the caller should know. */
  readonly notes: readonly string[];
  /** Episodes in the scope from which something has still to be derived. */
  readonly pending: number;
}

/** Whose a record is (tenant, project, user: walls) and where it arose (agent, session: stamps). */
export interface Scope {
  /** A wall. */
  readonly tenant_id: string | null;
  /** A wall. */
  readonly project_id: string | null;
  /** A wall. */
  readonly user_id: string | null;
  /** A stamp. */
  readonly agent_id: string | null;
  /** The session. */
  readonly session_id: string | null;
}

/** What one signal gave a record: `value` and `share` of the score (weight x value), and its place among all. */
export interface Signal {
  readonly name: string;
  readonly value: number;
  /** 1 for the record that it gives most; equals share the better place. */
  readonly rank: number;
  readonly weight: number;
  readonly share: number;
}

/** What models have cost on a day (UTC): calls, tokens read and written, and money as the prices given say. */
export interface Spent {
  /** The day, as `2026-06-01`. */
  readonly day: string;
  /** Requests to models. */
  readonly calls: number;
  /** Tokens that models read … */
  readonly tokens_in: number;
  /** … and wrote. */
  readonly tokens_out: number;
  /** What that cost, as the allowance's prices say. */
  readonly money: number;
}

/** Counts for a scope (or the whole file). */
export interface Stats {
  /** Current records by kind. */
  readonly records: { readonly [name: string]: number };
  /** Records by state. */
  readonly states: { readonly [name: string]: number };
  /** Different (tenant, project, user) that hold or held something. */
  readonly walls: number;
  /** Texts in the index, erased ones counted. */
  readonly documents: number;
  /** Rows of the journal. */
  readonly journal: number;
  /** Size of the file with its log. */
  readonly bytes: number | null;
  /** The embedding space of the memory's embedder; null: words alone. */
  readonly embedder: string | null;
  /** The file's format. */
  readonly format: number;
  /** The earliest `time` of a current record. */
  readonly earliest: string | null;
  /** The latest. */
  readonly latest: string | null;
}

/** One call that changed something, as the journal has it; of its records those that the scope sees. */
export interface Step {
  /** Its receipt. */
  readonly receipt: string;
  /** What was called. */
  readonly verb: string;
  /** When. */
  readonly at: string;
  /** Who did it. */
  readonly actor: string | null;
  /** What it did to which records, of those that the scope sees. */
  readonly records: readonly Touched[];
}

/** Some steps of the journal, and where to go on: pass `next` as `after`; it is null where there are no more. */
export interface Steps {
  /** The calls. */
  readonly steps: readonly Step[];
  /** Pass it as `after`; null where there are no more. */
  readonly next: string | null;
}

/** What a call did to one record: which revision of it, and the journal's word for it. */
export interface Touched {
  /** The record's id: 26 characters. */
  readonly id: string;
  /** Counts the revisions of an id, from 1. */
  readonly revision: number;
  /** added, merged, revised, superseded, retired, restored, erased, ignored, quarantined, pending, faded. */
  readonly action: string;
}

/** A term of the question (a stem, or `~` and a part of a longer word), as the index has it. */
export interface Word {
  readonly term: string;
  readonly weight: number;
  /** In how many documents of the scope it stands … */
  readonly records: number;
  /** … and how often in this one. */
  readonly times: number;
}

/** One message. Other fields are kept in the record's data. */
export interface Message {
  role?: string;
  content: string | readonly unknown[];
  name?: string | null;
  time?: string | null;
  id?: string | null;
  source?: string | null;
  session_id?: string | null;
  agent_id?: string | null;
  metadata?: { readonly [name: string]: unknown } | null;
  [other: string]: unknown;
}

/** What went wrong (RFC 9457): `detail` names the value, the expectation and the way out. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: string;
  readonly receipts?: readonly string[];
  readonly retry_after?: number;
  readonly fault?: string;
  readonly tries?: number;
}

// -- errors, as the library has them

/** What the caller passed cannot be used. */
export class InputError extends MnemicError {
  override readonly name: string = "InputError";
}

/** A verb was called with a parameter that it does not have. */
export class ParameterError extends InputError {
  override readonly name: string = "ParameterError";
}

/** A scope is missing, or wider than the verb allows. */
export class ScopeError extends InputError {
  override readonly name: string = "ScopeError";
}

/** A time is naive, malformed or out of range. */
export class TimeError extends InputError {
  override readonly name: string = "TimeError";
}

/** A `where` filter cannot be read. */
export class FilterError extends InputError {
  override readonly name: string = "FilterError";
}

/** Settings contradict the store or each other. */
export class ConfigError extends MnemicError {
  override readonly name: string = "ConfigError";
}

/** There is no such thing in this scope. A reader outside a wall gets exactly this answer, too. */
export class NotFoundError extends MnemicError {
  override readonly name: string = "NotFoundError";
}

/**
 * The store has moved on since the caller looked.
 *
 * `receipts` lists the later changes that stand in the way, oldest first (may be empty).
 */
export class ConflictError extends MnemicError {
  override readonly name: string = "ConflictError";
  readonly receipts: readonly string[] = this.problem.receipts ?? [];
}

/** The file, or the disk under it. */
export class StoreError extends MnemicError {
  override readonly name: string = "StoreError";
}

/** The file is not a Mnemic store, or it is damaged. */
export class NotAStoreError extends StoreError {
  override readonly name: string = "NotAStoreError";
}

/** The file was written by a newer release. */
export class NewerFormatError extends StoreError {
  override readonly name: string = "NewerFormatError";
}

/** A write to a store that can only be read. */
export class ReadOnlyError extends StoreError {
  override readonly name: string = "ReadOnlyError";
}

/** There is no room left on the disk. Nothing of the call was written. */
export class DiskFullError extends StoreError {
  override readonly name: string = "DiskFullError";
}

/** The memory was used after close(). */
export class ClosedError extends StoreError {
  override readonly name: string = "ClosedError";
}

/** A server cannot be reached, or what it answered is no answer of Mnemic's. */
export class ServerError extends StoreError {
  override readonly name: string = "ServerError";
}

/** A server wants a key, does not know this one, or the key does not reach so far. */
export class AccessError extends StoreError {
  override readonly name: string = "AccessError";
}

/**
 * A server has too much to do or was asked too often, or a write waited too long for one that does not get on.
 *
 * Nothing is lost: the same call may be made again, after `retry_after` seconds.
 */
export class BusyError extends StoreError {
  override readonly name: string = "BusyError";
  readonly retry_after: number = this.problem.retry_after ?? 1;
}

/**
 * An embedder or a model failed, or answered nonsense.
 *
 * `fault` says what it lies at: "rate limit", "server", "timeout", "wire", "request", "declined" or "model"; `tries`
 * is how many requests were made.
 */
export class ModelError extends MnemicError {
  override readonly name: string = "ModelError";
  readonly fault: string = this.problem.fault ?? "model";
  readonly tries: number = this.problem.tries ?? 1;
}

/** An optional dependency is not installed. */
export class MissingExtraError extends MnemicError {
  override readonly name: string = "MissingExtraError";
}

/** Which error a code of a problem is. */
export const ERRORS: { readonly [code: string]: typeof MnemicError } = {
  "unknown-parameter": ParameterError,
  "scope": ScopeError,
  "time": TimeError,
  "filter": FilterError,
  "input": InputError,
  "settings": ConfigError,
  "not-found": NotFoundError,
  "conflict": ConflictError,
  "damaged": NotAStoreError,
  "newer-format": NewerFormatError,
  "read-only": ReadOnlyError,
  "disk-full": DiskFullError,
  "closed": ClosedError,
  "forbidden": AccessError,
  "busy": BusyError,
  "server": ServerError,
  "store": StoreError,
  "model": ModelError,
  "missing-extra": MissingExtraError,
  "internal": MnemicError,
  "no-key": AccessError,
  "no-route": NotFoundError,
  "no-method": InputError,
  "too-slow": ServerError,
  "precondition": ConflictError,
  "too-large": InputError,
  "too-long": InputError,
  "media-type": InputError,
  "full": BusyError,
};

// -- verbs

/** The scope of a call: whose memories it is about. */
export interface ScopeParameters {
  /** A wall: one, matched exactly. */
  tenant_id?: string | null;
  /** A wall: one, or for reads several. */
  project_id?: string | readonly string[] | null;
  /** A wall: one, or for reads several. */
  user_id?: string | readonly string[] | null;
  /** A stamp: reads that name it see what has the same one, or none. */
  agent_id?: string | null;
  /** A stamp: reads that name it see what has the same one, or none. */
  session_id?: string | null;
  /** Every project of the users named, instead of `project_id`; for reads. */
  all_projects?: boolean;
}

/** How a call is made. What it asks for is in its parameters. */
export interface CallOptions {
  /** Breaks the call off: it then throws the signal's reason. */
  signal?: AbortSignal;
  /** Milliseconds that it may take, with all its tries; of lines and events: milliseconds of silence. */
  timeout?: number;
  /** Of a write: yours for this call. Sent again, also by another process, it is done once. Default: one of its own. */
  idempotencyKey?: string;
}

/** Parameters of `add`. */
export interface AddParameters extends ScopeParameters {
  /** Without a user: what every user inside the other walls may read. Default: false. */
  shared?: boolean;
  /** Of messages without a time. Default: now. */
  time?: Time | null;
  /** Of messages without a source: `user`, `assistant`, `tool`, `document`, `import`, `unknown`. Default: by the role. */
  source?: string | null;
  /** Who writes. Default: the memory's own `author`. */
  author?: string | null;
  /** Kept with each message; a message's own goes before it. */
  metadata?: { readonly [name: string]: unknown } | null;
  /** Tells messages without ids apart by the call, so that a repeated call changes nothing. */
  idempotency_key?: string | null;
  /** Derive from all of it before returning, however much it is. Default: false. */
  wait?: boolean;
}

/** Parameters of `remember`. */
export interface RememberParameters extends ScopeParameters {
  /** Lower-case letters, digits and `_`, at most 40; not `episode` or `act`. Default: "fact". */
  kind?: string;
  /** Whom or what it is about. */
  subject?: string | null;
  /** Other names of the subject; found as the subject is. Default: []. */
  aliases?: readonly string[];
  /** Why it matters, in one line. */
  purpose?: string | null;
  /** Anything as JSON; not searched. */
  data?: { readonly [name: string]: unknown } | null;
  /** An object of JSON values, for `where`. */
  metadata?: { readonly [name: string]: unknown } | null;
  /** Unique among the current records of a scope; the record that has it is superseded. */
  key?: string | null;
  /** When it was observed or said. Default: now. */
  time?: Time | null;
  /** True from then on. Default: from `time`. */
  valid_from?: Time | null;
  /** No longer true from then on. */
  valid_to?: Time | null;
  /** No longer shown from then on. */
  expires_at?: Time | null;
  /** From 0 to 1; kept, and not used by the ranking. */
  confidence?: number | null;
  /** Marked; kept, and not used by the ranking. Default: false. */
  pinned?: boolean;
  /** A reference to something kept elsewhere. */
  payload_ref?: string | null;
  /** Ids of records that it rests on. Default: []. */
  evidence?: string | readonly string[];
  /** Ids of records that it takes over from. Default: []. */
  supersedes?: string | readonly string[];
  /** How far it is trusted: `user`, `assistant`, `tool`, `document`, `import`, `unknown`. Default: "user". */
  source?: string;
  /** Who writes. Default: the memory's own `author`. */
  author?: string | null;
  /** Without a user: what every user inside the other walls may read. Default: false. */
  shared?: boolean;
}

/** Parameters of `update`. */
export interface UpdateParameters extends ScopeParameters {
  /** The statement. */
  text?: string;
  /** Whom or what it is about. */
  subject?: string | null;
  /** Other names of the subject; found as the subject is. */
  aliases?: readonly string[];
  /** Why it matters, in one line. */
  purpose?: string | null;
  /** Anything as JSON; not searched. */
  data?: { readonly [name: string]: unknown } | null;
  /** An object of JSON values, for `where`. */
  metadata?: { readonly [name: string]: unknown } | null;
  /** Unique among the current records of a scope; the record that has it is superseded. */
  key?: string | null;
  /** True from then on. Default: from `time`. */
  valid_from?: Time | null;
  /** No longer true from then on. */
  valid_to?: Time | null;
  /** No longer shown from then on. */
  expires_at?: Time | null;
  /** From 0 to 1; kept, and not used by the ranking. */
  confidence?: number | null;
  /** Marked; kept, and not used by the ranking. */
  pinned?: boolean;
  /** A reference to something kept elsewhere. */
  payload_ref?: string | null;
  /** Raise ConflictError unless this is the current revision. */
  if_revision?: number | null;
  /** Who writes. Default: the memory's own `author`. */
  author?: string | null;
}

/** Parameters of `retire`. */
export interface RetireParameters extends ScopeParameters {
  /** Why, for the receipt. */
  reason?: string | null;
  /** Who writes. Default: the memory's own `author`. */
  author?: string | null;
}

/** Parameters of `merge`. */
export interface MergeParameters extends ScopeParameters {
  /** The id of the entity that they are: see Who is who. */
  into: string;
  /** Who writes. Default: the memory's own `author`. */
  author?: string | null;
}

/** Parameters of `split`. */
export interface SplitParameters extends ScopeParameters {
  /** Aliases of the entity, which are to leave it. */
  names: string | readonly string[];
  /** Who writes. Default: the memory's own `author`. */
  author?: string | null;
}

/** Parameters of `feedback`. */
export interface FeedbackParameters extends ScopeParameters {
  /** Ids of hits that helped, or of evidence that they rest on. Default: []. */
  used?: string | readonly string[];
  /** Ids of hits that were wrong. Default: []. */
  wrong?: string | readonly string[];
  /** How well it went with what was used, from 0 to 1. */
  outcome?: number | null;
  /** Who writes. Default: the memory's own `author`. */
  author?: string | null;
}

/** Parameters of `undo`. */
export interface UndoParameters extends ScopeParameters {
  /** Take back first what changed the same records later. Default: false. */
  cascade?: boolean;
  /** Who writes. Default: the memory's own `author`. */
  author?: string | null;
}

/** Parameters of `erase`. */
export interface EraseParameters extends ScopeParameters {
  /** The id of a record, or several. Default: []. */
  ids?: string | readonly string[];
  /** All records that are the named user's and project's own. Default: false. */
  all_of?: boolean;
  /** The whole file, every tenant, project and user. Default: false. */
  everything?: boolean;
  /** Only tell what would go, or change. Default: false. */
  dry_run?: boolean;
  /** Who writes. Default: the memory's own `author`. */
  author?: string | null;
}

/** Parameters of `search`. */
export interface SearchParameters extends ScopeParameters {
  /** At most so many. Default: 10. */
  limit?: number;
  /** Only hits at least this probable, from 0 to 1. */
  threshold?: number | null;
  /** Only records whose subject or an alias the question names, in that order. Default: false. */
  precise?: boolean;
  /** A filter on metadata. */
  where?: { readonly [name: string]: unknown } | null;
  /** Only records of this kind, or these. */
  kinds?: string | readonly string[] | null;
  /** States to show beside current records: `superseded`, `expired`, `retired`, `quarantined`, `faded`. Default: []. */
  include?: string | readonly string[];
  /** When the question is asked; filters nothing. Default: now. */
  now?: Time | null;
  /** What was true then. */
  as_of?: Time | null;
  /** What the memory held then. */
  known_at?: Time | null;
}

/** Parameters of `explain`. */
export interface ExplainParameters extends ScopeParameters {
  /** The question, in words. */
  query: string;
  /** At most so many. Default: 10. */
  limit?: number;
  /** Only hits at least this probable, from 0 to 1. */
  threshold?: number | null;
  /** A filter on metadata. */
  where?: { readonly [name: string]: unknown } | null;
  /** Only records of this kind, or these. */
  kinds?: string | readonly string[] | null;
  /** States to show beside current records: `superseded`, `expired`, `retired`, `quarantined`, `faded`. Default: []. */
  include?: string | readonly string[];
  /** When the question is asked; filters nothing. Default: now. */
  now?: Time | null;
  /** What was true then. */
  as_of?: Time | null;
  /** What the memory held then. */
  known_at?: Time | null;
}

/** Parameters of `context`. */
export interface ContextParameters extends ScopeParameters {
  /** Tokens at most. Default: 1000. */
  budget?: number;
  /** How the text is written: `text`, `markdown`, `json`. Default: "text". */
  format?: "text" | "markdown" | "json";
  /** Only hits at least this probable, from 0 to 1. */
  threshold?: number | null;
  /** A filter on metadata. */
  where?: { readonly [name: string]: unknown } | null;
  /** Only records of this kind, or these. */
  kinds?: string | readonly string[] | null;
  /** States to show beside current records: `superseded`, `expired`, `retired`, `quarantined`, `faded`. Default: []. */
  include?: string | readonly string[];
  /** When the question is asked; filters nothing. Default: now. */
  now?: Time | null;
  /** What was true then. */
  as_of?: Time | null;
  /** What the memory held then. */
  known_at?: Time | null;
}

/** Parameters of `ask`. */
export interface AskParameters extends ScopeParameters {
  /** Not known where the evidence was found with a lower probability. Default: 0.5. */
  threshold?: number | null;
  /** Tokens of the context that a model reads. Default: 2000. */
  budget?: number;
  /** Whether a model's citations are checked by the `words` in common, or by the `model` itself. Default: "words". */
  check?: "words" | "model";
  /** A filter on metadata. */
  where?: { readonly [name: string]: unknown } | null;
  /** Only records of this kind, or these. */
  kinds?: string | readonly string[] | null;
  /** States to show beside current records: `superseded`, `expired`, `retired`, `quarantined`, `faded`. Default: []. */
  include?: string | readonly string[];
  /** When the question is asked; filters nothing. Default: now. */
  now?: Time | null;
  /** What was true then. */
  as_of?: Time | null;
  /** What the memory held then. */
  known_at?: Time | null;
}

/** Parameters of `get`. */
export interface GetParameters extends ScopeParameters {
  /** The id of a record. */
  id?: string | null;
  /** Unique among the current records of a scope; the record that has it is superseded. */
  key?: string | null;
  /** What the memory held then. */
  known_at?: Time | null;
}

/** Parameters of `list`. */
export interface ListParameters extends ScopeParameters {
  /** At most so many. Default: 100. */
  limit?: number;
  /** The `next` of the page before. */
  after?: string | null;
  /** `newest` or `oldest` first. Default: "newest". */
  order?: "newest" | "oldest";
  /** A filter on metadata. */
  where?: { readonly [name: string]: unknown } | null;
  /** Only records of this kind, or these. */
  kinds?: string | readonly string[] | null;
  /** States to show beside current records: `superseded`, `expired`, `retired`, `quarantined`, `faded`. Default: []. */
  include?: string | readonly string[];
  /** What was true then. */
  as_of?: Time | null;
  /** What the memory held then. */
  known_at?: Time | null;
}

/** Parameters of `timeline`. */
export interface TimelineParameters extends ScopeParameters {
  /** From then on, by `time`. */
  since?: Time | null;
  /** Up to then, by `time`. */
  until?: Time | null;
  /** Only records about this subject (name or alias, case folded). */
  subject?: string | null;
  /** At most so many. Default: 100. */
  limit?: number;
  /** The `next` of the page before. */
  after?: string | null;
  /** A filter on metadata. */
  where?: { readonly [name: string]: unknown } | null;
  /** Only records of this kind, or these. */
  kinds?: string | readonly string[] | null;
  /** States to show beside current records: `superseded`, `expired`, `retired`, `quarantined`, `faded`. Default: ["superseded"]. */
  include?: string | readonly string[];
  /** What was true then. */
  as_of?: Time | null;
  /** What the memory held then. */
  known_at?: Time | null;
}

/** Parameters of `history`. */
export interface HistoryParameters extends ScopeParameters {
}

/** Parameters of `diff`. */
export interface DiffParameters extends ScopeParameters {
}

/** Parameters of `journal`. */
export interface JournalParameters extends ScopeParameters {
  /** The `next` of the page before. */
  after?: string | null;
  /** `newest` or `oldest` first. Default: "oldest". */
  order?: "newest" | "oldest";
  /** At most so many. Default: 100. */
  limit?: number;
}

/** Parameters of `links`. */
export interface LinksParameters extends ScopeParameters {
  /** At most so many. Default: 100. */
  limit?: number;
}

/** Parameters of `conflicts`. */
export interface ConflictsParameters extends ScopeParameters {
  /** At most so many. Default: 100. */
  limit?: number;
  /** The `next` of the page before. */
  after?: string | null;
}

/** Parameters of `spending`. */
export interface SpendingParameters extends ScopeParameters {
  /** From then on, by `time`. */
  since?: Time | null;
}

/** Parameters of `stats`. */
export interface StatsParameters extends ScopeParameters {
  /** The whole file, every tenant, project and user. Default: false. */
  everything?: boolean;
}

/** Parameters of `upkeep`. */
export interface UpkeepParameters extends ScopeParameters {
  /** Stop after about so many milliseconds; the next call goes on. */
  budget_ms?: number | null;
  /** The whole file, every tenant, project and user. Default: false. */
  everything?: boolean;
}

/** Parameters of `rebuild`. */
export interface RebuildParameters extends ScopeParameters {
  /** Only tell what would go, or change. Default: false. */
  dry_run?: boolean;
  /** The whole file, every tenant, project and user. Default: false. */
  everything?: boolean;
}

/** Parameters of `export`. */
export interface ExportParameters extends ScopeParameters {
  /** The whole file, every tenant, project and user. Default: false. */
  everything?: boolean;
}

/** Parameters of `import`. */
export interface ImportParameters extends ScopeParameters {
  /** Of what: see Bring memories from elsewhere. Default: by what is in it. */
  format?: string | null;
  /** The one user or group of the source whose items are taken. */
  only?: string | null;
  /** Our columns and those of a table: see Tables. */
  columns?: { readonly [name: string]: unknown } | null;
  /** Only tell what would come. Default: false. */
  dry_run?: boolean;
  /** Of another system's export: what every user may read. Default: false. */
  shared?: boolean;
  /** Who writes. Default: the memory's own `author`. */
  author?: string | null;
}

/** What the client knows of a verb. */
export interface Verb {
  readonly path: string;
  /** Whether it writes: then it is sent with a key, so that it is done once. */
  readonly writes: boolean;
  /** Whether it may take long. */
  readonly long: boolean;
  /** Whether it carries the agent and the session of a bound scope. */
  readonly stamped: boolean;
  /** Whether it says who writes. */
  readonly signed: boolean;
}

/** What there is to call. */
export const VERBS = {
  add: { path: "/v1/add", writes: true, long: false, stamped: true, signed: true },
  remember: { path: "/v1/remember", writes: true, long: false, stamped: true, signed: true },
  update: { path: "/v1/update", writes: true, long: false, stamped: false, signed: true },
  retire: { path: "/v1/retire", writes: true, long: false, stamped: false, signed: true },
  merge: { path: "/v1/merge", writes: true, long: false, stamped: false, signed: true },
  split: { path: "/v1/split", writes: true, long: false, stamped: false, signed: true },
  feedback: { path: "/v1/feedback", writes: true, long: false, stamped: true, signed: true },
  undo: { path: "/v1/undo", writes: true, long: false, stamped: false, signed: true },
  erase: { path: "/v1/erase", writes: true, long: false, stamped: false, signed: true },
  search: { path: "/v1/search", writes: false, long: false, stamped: false, signed: false },
  explain: { path: "/v1/explain", writes: false, long: false, stamped: false, signed: false },
  context: { path: "/v1/context", writes: false, long: false, stamped: false, signed: false },
  ask: { path: "/v1/ask", writes: false, long: true, stamped: false, signed: false },
  get: { path: "/v1/get", writes: false, long: false, stamped: false, signed: false },
  list: { path: "/v1/list", writes: false, long: false, stamped: false, signed: false },
  timeline: { path: "/v1/timeline", writes: false, long: false, stamped: false, signed: false },
  history: { path: "/v1/history", writes: false, long: false, stamped: false, signed: false },
  diff: { path: "/v1/diff", writes: false, long: false, stamped: false, signed: false },
  journal: { path: "/v1/journal", writes: false, long: false, stamped: false, signed: false },
  links: { path: "/v1/links", writes: false, long: false, stamped: false, signed: false },
  conflicts: { path: "/v1/conflicts", writes: false, long: false, stamped: false, signed: false },
  spending: { path: "/v1/spending", writes: false, long: false, stamped: false, signed: false },
  stats: { path: "/v1/stats", writes: false, long: false, stamped: false, signed: false },
  upkeep: { path: "/v1/upkeep", writes: true, long: true, stamped: false, signed: false },
  rebuild: { path: "/v1/rebuild", writes: true, long: true, stamped: false, signed: false },
  export: { path: "/v1/export", writes: false, long: true, stamped: false, signed: false },
  import: { path: "/v1/import", writes: true, long: true, stamped: false, signed: true },
} satisfies { [name: string]: Verb };

/** The verbs of a memory. `Memory` sends them. */
export abstract class Verbs {
  protected abstract call<T>(verb: Verb, parameters: object, options: CallOptions): Promise<T>;
  protected abstract receive(verb: Verb, parameters: object, options: CallOptions): AsyncGenerator<string>;
  protected abstract send<T>(verb: Verb, lines: Lines, parameters: object, options: CallOptions): Promise<T>;
  protected abstract turn<T extends { readonly next: string | null }>(
    verb: Verb,
    parameters: object,
    options: CallOptions,
  ): AsyncGenerator<T>;

  /**
   * Keep what was said or done, word for word, as episodes. All of it or nothing.
   *
   * `messages`: a string, one message `{"role", "content", "name"?, "time"?, "id"?, "source"?, "metadata"?,
   * "session_id"?}`, or an iterable of them; other frameworks' message objects work, too. A long text becomes
   * several passages. `time` is assumed for messages without one (default: now). Adding the same again changes
   * nothing; the same id with another text is an edit, which supersedes the first.
   *
   * What they say is derived at once for up to a hundred messages (`Receipt.derived`). For more the receipt says how
   * many are `pending`: `upkeep` derives from them, or this call with `wait: true`. Raises InputError.
   *
   * Needs the role writer.
   * @param messages - A string, a message, or several: see Keep a chat's memory.
   */
  add(messages: string | Message | readonly (string | Message)[], parameters: AddParameters = {}, options: CallOptions = {}): Promise<Receipt> {
    return this.call(VERBS.add, { ...parameters, messages }, options);
  }

  /**
   * Keep a statement by hand: a fact, preference, event, instruction, … (`kind`).
   *
   * `evidence` and `supersedes` are ids of records in scope. A `key` is unique among current records of a scope: the
   * record that has it is superseded. `valid_from`/`valid_to` say when it is true; a superseded record stays true
   * until its successor begins. The same statement again changes nothing; with another key it is another record.
   * Raises InputError, NotFoundError.
   *
   * Needs the role writer.
   * @param text - The statement.
   */
  remember(text: string, parameters: RememberParameters = {}, options: CallOptions = {}): Promise<Receipt> {
    return this.call(VERBS.remember, { ...parameters, text }, options);
  }

  /**
   * A new revision of a record: only the fields named change. An episode is never updated.
   *
   * With `if_revision`, raises ConflictError unless that is the current one. Raises NotFoundError, InputError.
   *
   * Needs the role writer.
   * @param id - The id of a record.
   */
  update(id: string, parameters: UpdateParameters = {}, options: CallOptions = {}): Promise<Receipt> {
    return this.call(VERBS.update, { ...parameters, id }, options);
  }

  /**
   * The records are no longer believed. Undoable; `known_at` before still shows them.
   *
   * A passage is retired with its whole message. Raises NotFoundError.
   *
   * Needs the role writer.
   * @param ids - The id of a record, or several.
   */
  retire(ids: string | readonly string[], parameters: RetireParameters = {}, options: CallOptions = {}): Promise<Receipt> {
    return this.call(VERBS.retire, { ...parameters, ids }, options);
  }

  /**
   * Entities are one: what is said of those with these ids is said of the one with the id `into`.
   *
   * Their names become its aliases, and statements about them compete: where Mel lives and where Melanie does. Kept
   * as an act, which `undo` takes back; `split` takes single names out again. Ids are of records of kind "entity"
   * that were derived in one scope. The receipt's `derived` tells what changed. Raises InputError, NotFoundError,
   * ConflictError.
   *
   * Needs the role writer.
   * @param ids - The id of a record, or several.
   */
  merge(ids: string | readonly string[], parameters: MergeParameters, options: CallOptions = {}): Promise<Receipt> {
    return this.call(VERBS.merge, { ...parameters, ids }, options);
  }

  /**
   * Names of an entity are another's: they leave it and become one of their own, with what is said of them.
   *
   * `names` are aliases of the entity with this id, whether they came to it by what was said or by `merge`. Kept as
   * an act, which `undo` takes back. Raises InputError for a name that it does not have, NotFoundError,
   * ConflictError.
   *
   * Needs the role writer.
   * @param id - The id of a record.
   */
  split(id: string, parameters: SplitParameters, options: CallOptions = {}): Promise<Receipt> {
    return this.call(VERBS.split, { ...parameters, id }, options);
  }

  /**
   * Say which hits of a search were used and which were wrong; the user's later searches are ranked by it.
   *
   * `results` is what `search`, `context` or `ask` gave, or its id, in whatever process: it says what was asked,
   * and which hits were shown. `used` and `wrong` are ids of hits, or of evidence that they rest on. `outcome` says
   * how well it went with what was used, from 0 to 1 (null: 1). Kept as an act, which `undo` takes back. From ten
   * acts on the weights of the ranking are fitted to them, for this user alone, and stay near the shipped ones. The
   * scope is that of the search, with one user. Raises InputError, NotFoundError, ScopeError.
   *
   * Needs the role writer.
   * @param results - What `search`, `context` or `ask` gave, or the id of that: see Feedback.
   */
  feedback(results: string | Results | Context | Answer, parameters: FeedbackParameters = {}, options: CallOptions = {}): Promise<Receipt> {
    return this.call(VERBS.feedback, { ...parameters, results: idOf(results) }, options);
  }

  /**
   * Take one receipt back, by a new change, which can itself be undone.
   *
   * Where later changes touched the same records, raises ConflictError, whose `receipts` lists them; with `cascade`
   * those are taken back first, latest first. An erasure cannot be undone. Raises NotFoundError.
   *
   * Needs the role writer.
   * @param receipt - A receipt, or its id.
   */
  undo(receipt: string | Receipt, parameters: UndoParameters = {}, options: CallOptions = {}): Promise<Receipt> {
    return this.call(VERBS.undo, { ...parameters, receipt: idOf(receipt) }, options);
  }

  /**
   * Remove records for good, at every time: their words, vectors, statistics and all that rests on them.
   *
   * By `ids`; or `all_of: true` with a scope: exactly the named user's and project's own records (all_projects: true for
   * all of a user's projects); or `everything: true` for the whole file. `dry_run: true` shows what would go. History
   * keeps id, times and actor. A passage goes with its whole message. The receipt's notes say so where a reader
   * still holds old pages. Raises NotFoundError, ScopeError.
   *
   * Needs the role admin.
   * @param ids - The id of a record, or several.
   */
  erase(ids: string | readonly string[], parameters?: EraseParameters, options?: CallOptions): Promise<Receipt>;
  erase(parameters: EraseParameters, options?: CallOptions): Promise<Receipt>;
  erase(first: string | readonly string[] | EraseParameters, second: object = {}, third: CallOptions = {}): Promise<Receipt> {
    return this.call(VERBS.erase, ...placed("ids", first, second, third));
  }

  /**
   * The records that answer a question, best first, each with its evidence and the probability that it is some.
   *
   * Best is what has the highest relevance, unless the memory has a reranker: that one moves hits and leaves their
   * relevances as they are.
   *
   * `threshold` cuts by that probability. `where` filters on metadata. `include` adds
   * "superseded", "expired", "retired", "quarantined" or "faded" records. `now` is when the question is asked and
   * filters nothing; `as_of` asks what was true then, `known_at` what was believed then. `precise` gives the
   * records whose subject or an alias the question names, and nothing else. Raises
   * InputError, ScopeError.
   *
   * Needs the role reader.
   * @param query - The question, in words.
   */
  search(query: string, parameters: SearchParameters = {}, options: CallOptions = {}): Promise<Results> {
    return this.call(VERBS.search, { ...parameters, query }, options);
  }

  /**
   * Why a record is where it is among these hits, or why it is none of them, by the memory as it is now.
   *
   * Raises NotFoundError for an id outside the scope, InputError where nothing was scored or nobody is left to ask.
   *
   * Needs the role reader.
   * @param id - The id of a record.
   */
  explain(id: string, parameters: ExplainParameters, options: CallOptions = {}): Promise<Explanation> {
    return this.call(VERBS.explain, { ...parameters, id }, options);
  }

  /**
   * What is remembered for a question, as text for a prompt of at most `budget` tokens, with numbered evidence.
   *
   * Tokens are those of the counter that the result names: the embedder's tokenizer, or bytes ÷ 3 without one.
   * `format`: "text", "markdown" or "json". Pinned records and records of kind "question" come in sections of their
   * own, whatever is asked. The text is "not in memory" where nothing was found, or nothing but noise. The other
   * parameters are those of `search`.
   *
   * Needs the role reader.
   * @param query - The question, in words.
   */
  context(query: string, parameters: ContextParameters = {}, options: CallOptions = {}): Promise<Context> {
    return this.call(VERBS.context, { ...parameters, query }, options);
  }

  /**
   * The answer to a question, with its evidence, or "not known".
   *
   * Without a model it is an extract: the shortest words of the evidence that answer, with dates resolved
   * ("yesterday" said on 8 May is 7 May). With one (`Memory(model=…)`) it reads a context of `budget` tokens, and
   * each of its citations is checked: by the words in common, or by the model with `check: "model"`. Where the model
   * fails, the extract is given, and a note says so.
   *
   * Not known where the evidence is among the hits with a probability below `threshold` (default: 0.5). The other
   * parameters are those of `search`. Raises InputError, ScopeError.
   *
   * Needs the role reader.
   * @param question - The question, in words.
   */
  ask(question: string, parameters: AskParameters = {}, options: CallOptions = {}): Promise<Answer> {
    return this.call(VERBS.ask, { ...parameters, question }, options);
  }

  /**
   * One record by its id, in its latest revision (or the one held at `known_at`), whatever its state.
   *
   * With `key` instead: the current record that has it, the user's own before a shared one. Raises NotFoundError
   * where there is none in this scope, or it is erased.
   *
   * Needs the role reader.
   * @param id - The id of a record.
   */
  get(id: string, parameters?: GetParameters, options?: CallOptions): Promise<MemoryRecord>;
  get(parameters: GetParameters, options?: CallOptions): Promise<MemoryRecord>;
  get(first: string | GetParameters, second: object = {}, third: CallOptions = {}): Promise<MemoryRecord> {
    return this.call(VERBS.get, ...placed("id", first, second, third));
  }

  /**
   * Records by time, newest first (or `order: "oldest"`), a page at a time: pass a page's `next` as `after`.
   *
   * Needs the role reader.
   */
  list(parameters: ListParameters = {}, options: CallOptions = {}): Promise<Page> {
    return this.call(VERBS.list, parameters, options);
  }

  /** The pages of `list`, one after the other, from `after` on. */
  listPages(parameters: ListParameters = {}, options: CallOptions = {}): AsyncGenerator<Page> {
    return this.turn(VERBS.list, parameters, options);
  }

  /** All records of `list`, one by one; `limit` is how many are asked for at once. */
  async *listAll(parameters: ListParameters = {}, options: CallOptions = {}): AsyncGenerator<MemoryRecord> {
    for await (const page of this.listPages(parameters, options)) yield* page.records;
  }

  /**
   * What was said and what held, in order of time from `since` up to `until`; superseded records are shown, too.
   *
   * `subject` narrows to records about that subject (its name or an alias, case-folded).
   *
   * Needs the role reader.
   */
  timeline(parameters: TimelineParameters = {}, options: CallOptions = {}): Promise<Page> {
    return this.call(VERBS.timeline, parameters, options);
  }

  /** The pages of `timeline`, one after the other, from `after` on. */
  timelinePages(parameters: TimelineParameters = {}, options: CallOptions = {}): AsyncGenerator<Page> {
    return this.turn(VERBS.timeline, parameters, options);
  }

  /** All records of `timeline`, one by one; `limit` is how many are asked for at once. */
  async *timelineAll(parameters: TimelineParameters = {}, options: CallOptions = {}): AsyncGenerator<MemoryRecord> {
    for await (const page of this.timelinePages(parameters, options)) yield* page.records;
  }

  /**
   * Every change of a record, oldest first. An erased one keeps id, times and actor. Raises NotFoundError.
   *
   * Needs the role reader.
   * @param id - The id of a record.
   */
  history(id: string, parameters: HistoryParameters = {}, options: CallOptions = {}): Promise<readonly Change[]> {
    return this.call(VERBS.history, { ...parameters, id }, options);
  }

  /**
   * What the memory came to hold, and no longer holds, between two recorded times (`known_at` t1 and t2).
   *
   * Needs the role reader.
   * @param t1 - The earlier recorded time.
   * @param t2 - The later recorded time.
   */
  diff(t1: Time, t2: Time, parameters: DiffParameters = {}, options: CallOptions = {}): Promise<Diff> {
    return this.call(VERBS.diff, { ...parameters, t1, t2 }, options);
  }

  /**
   * What was done in a scope, call by call, oldest first (or `order: "newest"`): who changed which records, when.
   *
   * `after` is the receipt of a step: it goes on behind that one, so whoever keeps the last one misses nothing.
   * Raises NotFoundError for one that changed nothing in this scope.
   *
   * Needs the role reader.
   */
  journal(parameters: JournalParameters = {}, options: CallOptions = {}): Promise<Steps> {
    return this.call(VERBS.journal, parameters, options);
  }

  /** The pages of `journal`, one after the other, from `after` on. */
  journalPages(parameters: JournalParameters = {}, options: CallOptions = {}): AsyncGenerator<Steps> {
    return this.turn(VERBS.journal, parameters, options);
  }

  /** All steps of `journal`, one by one; `limit` is how many are asked for at once. */
  async *journalAll(parameters: JournalParameters = {}, options: CallOptions = {}): AsyncGenerator<Step> {
    for await (const page of this.journalPages(parameters, options)) yield* page.steps;
  }

  /**
   * The records that are joined to this one: what it rests on, takes the place of or contradicts, and what does
   * that to it. Raises NotFoundError.
   *
   * Needs the role reader.
   * @param id - The id of a record.
   */
  links(id: string, parameters: LinksParameters = {}, options: CallOptions = {}): Promise<readonly Neighbour[]> {
    return this.call(VERBS.links, { ...parameters, id }, options);
  }

  /**
   * The pairs of current records that contradict each other, a page at a time: retire the one that is wrong, or
   * say anew what is right.
   *
   * Needs the role reader.
   */
  conflicts(parameters: ConflictsParameters = {}, options: CallOptions = {}): Promise<Conflicts> {
    return this.call(VERBS.conflicts, parameters, options);
  }

  /** The pages of `conflicts`, one after the other, from `after` on. */
  conflictsPages(parameters: ConflictsParameters = {}, options: CallOptions = {}): AsyncGenerator<Conflicts> {
    return this.turn(VERBS.conflicts, parameters, options);
  }

  /** All pairs of `conflicts`, one by one; `limit` is how many are asked for at once. */
  async *conflictsAll(parameters: ConflictsParameters = {}, options: CallOptions = {}): AsyncGenerator<Conflict> {
    for await (const page of this.conflictsPages(parameters, options)) yield* page.pairs;
  }

  /**
   * What models have cost the users of a scope, by day (UTC), the latest first.
   *
   * Needs the role reader.
   */
  spending(parameters: SpendingParameters = {}, options: CallOptions = {}): Promise<readonly Spent[]> {
    return this.call(VERBS.spending, parameters, options);
  }

  /**
   * Counts of what a scope holds; `everything: true` for the whole file.
   *
   * Needs the role reader.
   */
  stats(parameters: StatsParameters = {}, options: CallOptions = {}): Promise<Stats> {
    return this.call(VERBS.stats, parameters, options);
  }

  /**
   * Derive from the episodes that nothing has been derived from yet; then forget; then keep up the views.
   *
   * Where a model tells summaries, they are extracts first, and it is then asked about those that have changed; a
   * note says how many are still told in extracts, and why.
   *
   * What is forgotten is the memory's policy's (`Memory(forgetting=…)`): the receipt's entries tell what it let
   * fade, or brought back, and its `id` takes that back (`undo`; where a note names several, each its own part).
   * Views are the profile of the user, the state of each subject, commitments, open questions, summaries and topics:
   * records with keys. The receipt's `derived` tells of statements, its `views` of these.
   *
   * For the walls of a scope, or for the whole file with `everything: true`. With `budget_ms` it stops after about so
   * many milliseconds; the receipt says what is still `pending`, a note how many views are to be redone, and the
   * next call goes on there, in whatever process. Raises ScopeError.
   *
   * Needs the role writer.
   */
  upkeep(parameters: UpkeepParameters = {}, options: CallOptions = {}): Promise<Receipt> {
    return this.call(VERBS.upkeep, parameters, options);
  }

  /**
   * Make anew all that is made from episodes and acts: the index, the vectors, and what is derived.
   *
   * With what the server has been given: for a scope's own walls, or for the whole file
   * with `everything: true`. What is derived is read beside the old and takes its place in one transaction a wall;
   * the old is retired, so `known_at` before still answers. A model's answers are read again: it is asked only for
   * what has changed. `dry_run: true` changes nothing, but keeps what a model answers: the receipt's `derived` says
   * what would become of each derived record, its notes give examples. Raises ModelError when the embedder fails; the old index stays then.
   *
   * Needs the role admin.
   */
  rebuild(parameters: RebuildParameters = {}, options: CallOptions = {}): Promise<Receipt> {
    return this.call(VERBS.rebuild, parameters, options);
  }

  /**
   * Everything of a scope's own (or of the whole file) as JSON Lines, with all revisions and links, lossless.
   *
   * An
   * `import` of them into an empty store gives the same records, history and answers.
   *
   * With `format: "markdown"` `path` is a folder, for reading: sessions, subjects, views, linked. An `import` of it
   * into an empty store gives the same current records, without their history. Returns the number of files. Raises
   * InputError where the folder holds others, ConflictError where a file was edited since the last export.
   *
   * Needs the role admin.
   */
  export(parameters: ExportParameters = {}, options: CallOptions = {}): AsyncGenerator<string> {
    return this.receive(VERBS.export, parameters, options);
  }

  /**
   * Take over what `export` wrote. What is already there is left as it is.
   *
   * With a scope, only lines of that scope are accepted. Raises InputError, naming the line, and changes nothing.
   *
   * Or what another system wrote: "chatgpt", "claude", "mem0", "graphiti", "letta", "mcp", "markdown", "jsonl" or
   * "csv", told apart by what is in it unless `format` names one. That becomes the scope's, in batches, each whole
   * or not at all: broken off and called again it goes on, and twice changes nothing. Its `source` is "import", its
   * metadata say where it is from; what is left out is told in the receipt's notes. `only` takes the items of one
   * user or group of the source; `columns` maps ours to those of a table, {"text": "body"}. `dry_run: true` says what
   * would come. `progress(done, of)` is called after each batch.
   *
   * Needs the role admin.
   * @param lines - A text, a Blob (a file is one), or lines; with `format` another system's file.
   */
  import(lines: Lines, parameters: ImportParameters = {}, options: CallOptions = {}): Promise<Receipt> {
    return this.send(VERBS.import, lines, parameters, options);
  }
}
