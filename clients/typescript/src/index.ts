// Mnemic's memory behind a server (`mnemic serve`): the same verbs, values and errors as the library.

import { asBody, asJson, asQuery, type Lines } from "./body.js";
import { MnemicError, problem } from "./error.js";
import {
  BusyError,
  ScopeError,
  ServerError,
  VERBS,
  Verbs,
  type CallOptions,
  type Receipt,
  type ScopeParameters,
  type Step,
  type Verb,
} from "./generated.js";
import { boundFor, narrowed, SCOPE } from "./scope.js";
import { eventsOf, linesOf } from "./streams.js";
import { pause, Wire, type MemoryOptions } from "./wire.js";

export { MnemicError } from "./error.js";
export { idOf, type Lines } from "./body.js";
export type { MemoryOptions } from "./wire.js";
export * from "./generated.js";

/** Milliseconds for verbs over much. */
const PATIENCE = 3_600_000;
/** Milliseconds of silence after which a stream of events is taken for broken; the server says something every 15 s. */
const SILENCE = 60_000;
/** Milliseconds until a stream that broke is asked for again: at first, and at most. */
const RESUME = [250, 30_000] as const;

/** What events are asked for. */
export interface EventsParameters extends ScopeParameters {
  /** The receipt of the step that was seen last: it goes on behind that one. Default: from now on. */
  after?: string;
}

/** How events are asked for. */
export interface EventsOptions extends CallOptions {
  /** How often in a row a stream that broke is asked for again, before its error is thrown. Default: without end. */
  tries?: number;
}

/**
 * A memory behind a server: `new Memory("http://127.0.0.1:8000", { apiKey })`.
 *
 * Parameters and values have the names that they have in Python and on the wire. A call throws a MnemicError: the
 * server's own, or ServerError where it cannot be reached.
 */
export class Memory extends Verbs {
  /** The scope that it is bound to. */
  readonly scope: Readonly<ScopeParameters>;
  readonly #wire: Wire;
  readonly #author: string | undefined;

  constructor(url: string, options?: MemoryOptions);
  /** @internal */
  constructor(wire: Wire, options: MemoryOptions, scope: ScopeParameters);
  constructor(where: string | Wire, options: MemoryOptions = {}, scope: ScopeParameters = {}) {
    super();
    this.#wire = typeof where === "string" ? new Wire(where, options) : where;
    this.#author = options.author;
    this.scope = Object.freeze({ ...scope });
  }

  /** Where it is: the server's address. */
  get url(): string {
    return this.#wire.server;
  }

  /**
   * The same verbs, bound to a scope; may be narrowed again, never rebound. Agent and session are bound to writes only.
   * Throws ScopeError.
   */
  scoped(scope: ScopeParameters): Memory {
    const unknown = Object.keys(scope).find((part) => !(part in SCOPE));
    if (unknown !== undefined) {
      const detail = `scoped() has no part '${unknown}': one of ${Object.keys(SCOPE).join(", ")}`;
      throw new ScopeError(problem("scope", detail));
    }
    const author = this.#author === undefined ? {} : { author: this.#author };
    return new Memory(this.#wire, author, narrowed(this.scope, scope));
  }

  /**
   * What is done in a scope, as it is done, by whatever process: the steps of the journal, from now on or behind `after`.
   *
   * A stream that breaks is asked for again behind the last step, so none is missed and none comes twice. It ends only by
   * `break`, by the signal, or by an error: of the first request, or one that does not pass (a key that was revoked).
   */
  async *events(parameters: EventsParameters = {}, options: EventsOptions = {}): AsyncGenerator<Step> {
    const { tries = Infinity, signal } = options;
    const { after, ...scope } = parameters;
    let at = after ?? null;
    if (at === null) at = (await this.journal({ ...scope, order: "newest", limit: 1 }, options)).steps[0]?.receipt ?? null;
    let opened = false;
    for (let failures = 0; ; ) {
      try {
        if (at === null && opened) {
          // Nothing had been done when it began, so all that has been done since is new.
          for (const step of (await this.journal({ ...scope, limit: 1 }, options)).steps) {
            at = step.receipt;
            yield step;
          }
        }
        const begun = (): void => {
          opened = true;
          failures = 0;
        };
        for await (const event of this.#stream(scope, at, options, begun)) {
          const step = JSON.parse(event) as Step;
          at = step.receipt;
          yield step;
        }
      } catch (error) {
        if (signal?.aborted || !opened || !passes(error) || failures >= tries) throw error;
      }
      // The server ends a stream when it stops, and when its key is no longer one: which of them, the next request tells.
      failures += 1;
      await pause(Math.min(RESUME[0] * 2 ** (failures - 1), RESUME[1]), signal);
    }
  }

  /** The data of the events behind a step. `begun` is called when the server has begun to answer. */
  async *#stream(scope: ScopeParameters, at: string | null, options: EventsOptions, begun: () => void): AsyncGenerator<string> {
    const headers: { [name: string]: string } = { accept: "text/event-stream" };
    if (at !== null) headers["last-event-id"] = at;
    const path = `/v1/events${asQuery(this.#given(VERBS.journal, scope))}`;
    const pieces = this.#wire.pieces(path, { method: "GET", headers, timeout: SILENCE, ...limits(options) });
    for await (const event of eventsOf(noticed(pieces, begun))) yield event.data;
  }

  // -- how verbs are sent

  protected async call<T>(verb: Verb, parameters: object, options: CallOptions): Promise<T> {
    const body = this.#given(verb, parameters);
    const patience = verb.long || body["wait"] ? { patience: PATIENCE } : {};
    const headers = { "content-type": "application/json", accept: "application/json", ...once(verb, options) };
    return this.#wire.json(verb.path, { body: asJson(body), headers, ...patience, ...limits(options) });
  }

  protected async *receive(verb: Verb, parameters: object, options: CallOptions): AsyncGenerator<string> {
    const headers = { "content-type": "application/json" };
    const sent = { body: asJson(this.#given(verb, parameters)), headers, patience: PATIENCE, ...limits(options) };
    yield* linesOf(this.#wire.pieces(verb.path, sent));
  }

  protected async send<T>(verb: Verb, lines: Lines, parameters: object, options: CallOptions): Promise<T> {
    const kind = "format" in parameters ? "application/octet-stream" : "application/x-ndjson"; // theirs, or ours
    const name = lines instanceof Blob && "name" in lines ? String(lines.name) : undefined; // a File has one
    const headers = { "content-type": kind, accept: "application/json", ...once(verb, options), ...fileName(name) };
    const path = verb.path + asQuery(this.#given(verb, parameters));
    return this.#wire.json(path, { body: await asBody(lines), headers, patience: PATIENCE, ...limits(options) });
  }

  protected async *turn<T extends { readonly next: string | null }>(
    verb: Verb,
    parameters: object,
    options: CallOptions,
  ): AsyncGenerator<T> {
    for (let after: string | null = null; ; ) {
      const page: T = await this.call<T>(verb, after === null ? parameters : { ...parameters, after }, options);
      yield page;
      if (page.next === null) return;
      after = page.next;
    }
  }

  /** A call's parameters with the scope that this memory is bound to. */
  #given(verb: Verb, parameters: object): { readonly [name: string]: unknown } {
    const own = Object.entries(parameters).filter(([name, value]) => !(name in SCOPE) && value !== undefined);
    const scope = narrowed(boundFor(verb, this.scope), parameters as ScopeParameters);
    const author = verb.signed && this.#author !== undefined ? { author: this.#author } : {};
    return { ...author, ...Object.fromEntries(own), ...scope };
  }
}

/** The ids that a receipt is about, in the order given: what was added, without what it took over from. */
export function idsOf(receipt: Receipt): string[] {
  return receipt.entries.filter((entry) => entry.action !== "superseded").map((entry) => entry.id);
}

/** A key that a write is known by, so that it is done once, however often it is sent. */
function once(verb: Verb, options: CallOptions): { [name: string]: string } {
  return verb.writes ? { "idempotency-key": options.idempotencyKey ?? key() } : {};
}

/** 128 bits by chance. Not `crypto.randomUUID`, which a page without TLS does not have. */
function key(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function limits(options: CallOptions): Pick<CallOptions, "signal" | "timeout"> {
  const { signal, timeout } = options;
  return { ...(signal && { signal }), ...(timeout !== undefined && { timeout }) };
}

/** Whether an error may be gone at the next try: the wire's, or a server's that is down, starting or busy. */
function passes(error: unknown): boolean {
  if (!(error instanceof MnemicError)) return false;
  return error instanceof BusyError || error.status >= 500 || (error instanceof ServerError && error.status === 0);
}

/** The same items; `notice` is called at each. */
async function* noticed<T>(items: AsyncIterable<T>, notice: () => void): AsyncGenerator<T> {
  for await (const item of items) {
    notice();
    yield item;
  }
}

function fileName(name: string | undefined): Record<string, string> {
  return name === undefined ? {} : { "x-mnemic-file-name": encodeURIComponent(name) };
}
