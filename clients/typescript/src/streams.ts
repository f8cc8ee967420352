// Answers that go on: lines, and server-sent events.

/** The lines of a text that comes in pieces. */
export async function* linesOf(pieces: AsyncIterable<string>): AsyncGenerator<string> {
  let waiting: string[] = [];
  for await (const piece of pieces) {
    const [first = "", ...others] = piece.split("\n");
    waiting.push(first);
    for (const other of others) {
      yield waiting.join("");
      waiting = [other];
    }
  }
  const rest = waiting.join("");
  if (rest) yield rest;
}

/** One event of a stream. */
export interface Event {
  readonly id: string | null;
  readonly data: string;
}

/** The events of a stream (https://html.spec.whatwg.org/multipage/server-sent-events.html), comments left out. */
export async function* eventsOf(pieces: AsyncIterable<string>): AsyncGenerator<Event> {
  let id: string | null = null;
  let data: string[] = [];
  for await (const line of linesOf(pieces)) {
    const said = line.endsWith("\r") ? line.slice(0, -1) : line;
    if (said === "") {
      if (data.length > 0) yield { id, data: data.join("\n") };
      data = [];
      continue;
    }
    const [, field, value = ""] = /^([^:]*)(?:: ?(.*))?$/s.exec(said) ?? [];
    if (field === "data") data.push(value);
    if (field === "id") id = value;
  }
}
