// A call's parameters, as they are sent.

import { problem } from "./error.js";
import { InputError, TimeError, type CallOptions } from "./generated.js";

/** JSON Lines: a text, a Blob (a file is one: `await fs.openAsBlob(path)`), or lines, as `export` gives them. */
export type Lines = string | Blob | Iterable<string> | AsyncIterable<string>;

/** The id that a value goes by: of a receipt or results its own, of a context or an answer that of its results. */
export function idOf(value: string | { readonly id: string } | { readonly results_id: string }): string {
  if (typeof value === "string") return value;
  return "results_id" in value ? value.results_id : value.id;
}

/** The parameters and the options of a verb whose first parameter may be passed by place, or be left out. */
export function placed(name: string, first: unknown, second: object, third: CallOptions): [object, CallOptions] {
  if (typeof first === "string" || Array.isArray(first)) return [{ ...second, [name]: first }, third];
  return [(first ?? {}) as object, second];
}

/** Parameters as JSON. What JSON would silently make null or leave out (a number or a time that is none) is refused. */
export function asJson(parameters: object): string {
  try {
    return JSON.stringify(parameters, exact);
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new InputError(problem("input", `this cannot be sent as JSON: ${String(error)}`), { cause: error });
  }
}

function exact(this: { readonly [name: string]: unknown }, name: string, value: unknown): unknown {
  const given = this[name]; // a Date has already become a string, or null
  if (given instanceof Date && value === null) throw new TimeError(problem("time", `${name} is an invalid Date`));
  if (typeof value === "number" && !Number.isFinite(value)) {
    throw new InputError(problem("input", `${name}=${value} is not possible: JSON has no such number`));
  }
  if (value instanceof Set || value instanceof Map) {
    throw new InputError(problem("input", `${name} is a ${value.constructor.name}: pass an array or an object`));
  }
  return value;
}

/** Parameters as the query of an address: a list is a name repeated. */
export function asQuery(parameters: object): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value === undefined || value === null) continue;
    for (const one of Array.isArray(value) ? value : [value]) {
      query.append(name, typeof one === "object" ? JSON.stringify(one) : String(one));
    }
  }
  const text = query.toString();
  return text && `?${text}`;
}

/** Lines as a body: of a known length, so that it can be sent again and passes every proxy. */
export async function asBody(lines: Lines): Promise<Blob> {
  if (lines instanceof Blob) return lines;
  if (typeof lines === "string") return new Blob([lines]);
  const parts: string[] = [];
  for await (const line of lines) parts.push(line.endsWith("\n") ? line : `${line}\n`);
  return new Blob(parts);
}
