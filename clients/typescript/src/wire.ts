// Requests and answers. A request that breaks is sent again: a read may be, and a write carries a key, so that the server
// makes it once. Redirects are not followed, so a key never travels to another host.

import { MnemicError, problem } from "./error.js";
import { BusyError, ConfigError, ERRORS, InputError, ServerError, type Problem } from "./generated.js";

/** How a memory is reached. */
export interface MemoryOptions {
  /** The key that the server wants. */
  apiKey?: string;
  /** In place of the global `fetch`: for proxies, certificates, tests. */
  fetch?: typeof globalThis.fetch;
  /**
   * Milliseconds that a call may take, with all its tries; 0 for no limit. Default: a minute. Verbs that take long
   * (`upkeep`, `rebuild`, `ask`, `export`, `import`, what has `wait: true`) have an hour at least.
   */
  timeout?: number;
  /** Headers for each request, such as those that a proxy wants. */
  headers?: Headers | { readonly [name: string]: string };
  /** Requests for one call at most, where the connection breaks or the server is busy. Default: 4. */
  tries?: number;
  /** Who writes, where a call does not say. */
  author?: string;
}

/** One request. */
export interface Sent {
  readonly method?: "GET" | "POST";
  readonly body?: string | Blob;
  readonly headers?: { readonly [name: string]: string };
  /** Milliseconds that it has at least, whatever the memory's own timeout is … */
  readonly patience?: number;
  /** … and those of the call itself. */
  readonly timeout?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

const TIMEOUT = 60_000;
const TRIES = 4;
/** Seconds that a busy server may ask to wait. */
const LONGEST_WAIT = 20;
/** What timers can count; they fire at once for more. */
const LONGEST_TIMER = 0x7fffffff;

/** A server's address, and how it is asked. */
export class Wire {
  readonly server: string;
  readonly tries: number;
  readonly #headers: Headers;
  readonly #fetch: typeof globalThis.fetch;
  readonly #timeout: number;

  constructor(url: string, options: MemoryOptions) {
    const { apiKey, timeout = TIMEOUT, tries = TRIES } = options;
    this.server = address(url);
    if (apiKey !== undefined && !/^[\x21-\x7e]+$/.test(apiKey)) {
      throw settings("apiKey must be printable ASCII without spaces");
    }
    if (!(timeout >= 0)) throw settings(`timeout=${timeout} is not possible: milliseconds from 0 on`);
    if (!(tries >= 1)) throw settings(`tries=${tries} is not possible: at least 1`);
    try {
      this.#headers = new Headers(options.headers);
    } catch (error) {
      throw settings(`headers cannot be sent: ${String(error)}`);
    }
    if (apiKey !== undefined) this.#headers.set("authorization", `Bearer ${apiKey}`);
    this.#fetch = options.fetch ?? ((...given) => globalThis.fetch(...given));
    this.#timeout = timeout;
    this.tries = tries;
  }

  /** Ask, and try again what may pass. Throws the server's error, ServerError, BusyError, or the signal's reason. */
  async json<T>(path: string, sent: Sent): Promise<T> {
    const limit = this.#limit(sent);
    try {
      return await this.#again(limit, async () => {
        const response = await this.#answer(path, sent, limit);
        return told(await this.#read(response, limit)) as T;
      });
    } finally {
      limit.end();
    }
  }

  /**
   * The pieces of an answer, as text, as they come; first an empty one, when it has begun. The timeout is of silence.
   * Throws as `json`, at the first.
   */
  async *pieces(path: string, sent: Sent): AsyncGenerator<string> {
    const limit = this.#limit(sent);
    try {
      const response = await this.#again(limit, () => this.#answer(path, sent, limit));
      limit.hold();
      yield "";
      const reader = response.body?.getReader();
      if (reader === undefined) return;
      const decoder = new TextDecoder();
      try {
        for (;;) {
          limit.begin();
          const { done, value } = await reader.read();
          limit.hold(); // how long the reader of the pieces takes is no silence of the server's
          if (done) return;
          yield decoder.decode(value, { stream: true }); // a character that goes on in the next piece waits for it
        }
      } catch (error) {
        throw this.#broken(error, limit);
      } finally {
        reader.cancel().catch(() => undefined); // who goes on elsewhere leaves no connection open
      }
    } finally {
      limit.end();
    }
  }

  #limit(sent: Sent): Limit {
    const own = this.#timeout === 0 ? 0 : Math.max(this.#timeout, sent.patience ?? 0);
    return limited(sent.signal, sent.timeout ?? own);
  }

  async #again<T>(limit: Limit, attempt: () => Promise<T>): Promise<T> {
    for (let number = 1; ; number++) {
      try {
        return await attempt();
      } catch (error) {
        if (number >= this.tries) throw error;
        if (error instanceof BusyError && error.retry_after <= LONGEST_WAIT) {
          await this.#pause(error.retry_after * 1000, limit);
        } else if (error instanceof ServerError && error.code === "broken") {
          if (number > 1) await this.#pause(100 * 2 ** number, limit);
        } else {
          throw error;
        }
      }
    }
  }

  async #pause(milliseconds: number, limit: Limit): Promise<void> {
    try {
      await pause(milliseconds, limit.signal);
    } catch (error) {
      throw this.#broken(error, limit);
    }
  }

  async #answer(path: string, sent: Sent, limit: Limit): Promise<Response> {
    const { method = "POST", body } = sent;
    const headers = new Headers(this.#headers);
    try {
      for (const [name, value] of Object.entries(sent.headers ?? {})) headers.set(name, value);
    } catch (error) {
      throw new InputError(problem("input", `this cannot be sent in a header: ${String(error)}`), { cause: error });
    }
    const init: RequestInit = { method, headers, redirect: "manual", signal: limit.signal };
    if (body !== undefined) init.body = body;
    let response: Response;
    try {
      response = await this.#fetch(this.server + path, init);
    } catch (error) {
      throw this.#broken(error, limit);
    }
    if (response.status === 200) return response;
    throw this.#refused(response, await this.#read(response, limit));
  }

  async #read(response: Response, limit: Limit): Promise<Read> {
    try {
      const text = await response.text();
      return { text, json: parsed(text), server: this.server, status: response.status };
    } catch (error) {
      throw this.#broken(error, limit);
    }
  }

  #refused(response: Response, read: Read): MnemicError {
    const found = read.json as Partial<Problem> | undefined;
    if (response.status >= 400 && typeof found?.detail === "string") return errorOf(found, response.status);
    const moved = response.type === "opaqueredirect" || (response.status >= 300 && response.status < 400);
    const hint = moved ? "; redirects are not followed: pass the address where it really is" : "";
    return foreign(read, hint);
  }

  /** What broke a request off: the caller, the time, or the wire. */
  #broken(error: unknown, limit: Limit): unknown {
    if (limit.signal.aborted) {
      if (!limit.isLate()) return limit.signal.reason;
      const seconds = limit.milliseconds / 1000;
      return new ServerError(problem("timeout", `${this.server} gave no answer within ${seconds} s`), { cause: error });
    }
    const { code, said } = cause(error);
    if (["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH"].includes(code)) {
      const detail = `${this.server} cannot be reached: ${said}; is 'mnemic serve' running there?`;
      return new ServerError(problem("unreachable", detail), { cause: error });
    }
    return new ServerError(problem("broken", `the connection to ${this.server} broke: ${said}`), { cause: error });
  }
}

/** The error that a problem tells of; MnemicError where it is none of the engine's. */
export function errorOf(told: Partial<Problem>, status: number): MnemicError {
  const code = told.code ?? "internal";
  const kind = ERRORS[code] ?? MnemicError;
  const detail = told.detail ?? "the server gave no reason";
  return new kind({ ...told, type: told.type ?? "about:blank", title: told.title ?? detail, status, detail, code });
}

/** Wait, unless a signal says to stop: then its reason is thrown. */
export function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, milliseconds);
    if (signal?.aborted) stop();
    else signal?.addEventListener("abort", stop, { once: true });
  });
}

// -- answers

interface Read {
  readonly text: string;
  readonly json: unknown;
  readonly server: string;
  readonly status: number;
}

function told(read: Read): unknown {
  if (read.json === undefined) throw foreign(read, "");
  return read.json;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function foreign(read: Read, hint: string): ServerError {
  const said = JSON.stringify(read.text.slice(0, 200).split(/\s+/).join(" ").trim());
  const detail = `${read.server} answered ${read.status}, and not as Mnemic does: ${said}${hint}`;
  return new ServerError(problem("foreign", detail, read.status));
}

/** What lies under an error of fetch's, whose own words say little. */
function cause(error: unknown): { code: string; said: string } {
  let [code, said] = ["", String(error)];
  let one = error;
  for (let depth = 0; one instanceof Error && depth < 8; depth++) {
    said = one.message || said;
    code = String((one as { code?: unknown }).code ?? code);
    one = one instanceof AggregateError ? one.errors[0] : one.cause;
  }
  return { code, said };
}

// -- settings

function address(url: string): string {
  let found: URL;
  try {
    found = new URL(url);
  } catch {
    throw settings(`'${url}' is no address of a server: it looks like 'http://127.0.0.1:8000'`);
  }
  if (!/^https?:$/.test(found.protocol) || found.username || found.password || found.search || found.hash) {
    throw settings("a server's address looks like 'http://127.0.0.1:8000', without key or query");
  }
  return found.origin + found.pathname.replace(/\/+$/, "");
}

function settings(detail: string): ConfigError {
  return new ConfigError(problem("settings", detail));
}

// -- time

interface Limit {
  readonly signal: AbortSignal;
  readonly milliseconds: number;
  /** Whether it was the time that ended it. */
  isLate(): boolean;
  /** Count anew. */
  begin(): void;
  /** Do not count. */
  hold(): void;
  end(): void;
}

/** A signal that is given when the caller's is, or after some time; 0: never. */
function limited(caller: AbortSignal | undefined, milliseconds: number): Limit {
  const controller = new AbortController();
  let late = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const stop = (): void => controller.abort(caller?.reason);
  const hold = (): void => clearTimeout(timer);
  const begin = (): void => {
    hold();
    if (milliseconds === 0 || milliseconds > LONGEST_TIMER) return;
    timer = setTimeout(() => {
      late = true;
      controller.abort();
    }, milliseconds);
  };
  if (caller?.aborted) stop();
  else caller?.addEventListener("abort", stop, { once: true });
  begin();
  const end = (): void => {
    hold();
    caller?.removeEventListener("abort", stop);
  };
  return { signal: controller.signal, milliseconds, isLate: () => late, begin, hold, end };
}
