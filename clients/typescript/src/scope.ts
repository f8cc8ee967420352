// The scope of a memory that is bound to one: it may narrow, never rebind. The same rules as the library's.

import { problem } from "./error.js";
import { ScopeError, type ScopeParameters, type Verb } from "./generated.js";

const PARTS = ["tenant_id", "project_id", "user_id", "agent_id", "session_id"] as const;

/** The names of a scope's parts. */
export const SCOPE: { readonly [part in keyof Required<ScopeParameters>]: true } = {
  tenant_id: true,
  project_id: true,
  user_id: true,
  agent_id: true,
  session_id: true,
  all_projects: true,
};

/** A scope bound further. Throws ScopeError where it would leave the one that it is bound to. */
export function narrowed(bound: ScopeParameters, given: ScopeParameters): ScopeParameters {
  const found: { -readonly [part in keyof ScopeParameters]: unknown } = { ...bound };
  for (const part of PARTS) {
    const [before, value] = [bound[part], given[part]];
    if (value === undefined || value === null) continue;
    if (before !== undefined && before !== null && !within(value, before)) throw left(part, before, value);
    found[part] = value;
  }
  if (given.all_projects) {
    if (bound.project_id !== undefined && bound.project_id !== null) throw left("project_id", bound.project_id, "ANY");
    found.all_projects = true;
  }
  // Bound to all of a user's projects, one of them is narrower. Both in one call contradict each other: the server says so.
  if (bound.all_projects && !given.all_projects && given.project_id) delete found.all_projects;
  return found as ScopeParameters;
}

/** The part of a bound scope that a verb has: agent and session are bound to writes only. */
export function boundFor(verb: Verb, bound: ScopeParameters): ScopeParameters {
  const { agent_id: _agent, session_id: _session, ...walls } = bound;
  return verb.stamped ? bound : walls;
}

function within(value: string | readonly string[], before: string | readonly string[]): boolean {
  const allowed = typeof before === "string" ? [before] : before;
  return typeof value === "string" ? allowed.includes(value) : value.every((one) => allowed.includes(one));
}

function left(part: string, before: unknown, value: unknown): ScopeError {
  const [bound, given] = [JSON.stringify(before), JSON.stringify(value)];
  const detail = `this memory is bound to ${part}=${bound}; it cannot be used with ${part}=${given}`;
  return new ScopeError(problem("scope", detail));
}
