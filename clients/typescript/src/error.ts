// What goes wrong: the root of the errors, and how those are made that no server has sent.

import type { Problem } from "./generated.js";

/** The root of every error that Mnemic's server tells of, and of those of this client. */
export class MnemicError extends Error {
  override readonly name: string = "MnemicError";
  /** Which error it is: "not-found", "conflict", … */
  readonly code: string;
  /** The status of the server's answer; 0 where none has come. */
  readonly status: number;
  /** What such an error is in general. */
  readonly title: string;
  /** The engine's own words, also the `message`: the value, the expectation and the way out. */
  readonly detail: string;
  /** All that the server has told of it. */
  readonly problem: Problem;

  constructor(problem: Problem, options?: ErrorOptions) {
    super(problem.detail, options);
    this.code = problem.code;
    this.status = problem.status;
    this.title = problem.title;
    this.detail = problem.detail;
    this.problem = problem;
  }
}

/** A problem of this client's own. */
export function problem(code: string, detail: string, status = 0): Problem {
  return { type: `urn:mnemic:problem:${code}`, title: TITLES[code] ?? "This cannot be sent", status, detail, code };
}

const TITLES: { readonly [code: string]: string } = {
  unreachable: "The server cannot be reached",
  broken: "The connection broke",
  timeout: "The server said nothing for too long",
  foreign: "This is no answer of Mnemic's",
};
