// Wires that break, servers that are busy, silent, elsewhere or no Mnemic at all: played by small real servers.

import assert from "node:assert/strict";
import { inspect } from "node:util";
import { test } from "node:test";

import { ConfigError, Memory, ServerError } from "mnemic";
import { json, scripted } from "./served.mjs";

const RECEIPT = { id: "r1", verb: "remember", entries: [] };
const PAGE = { records: [], next: null };
const cut = (response) => response.destroy();
const silent = () => undefined;
const busy = (retry_after) =>
  json({ type: "", title: "", status: 429, detail: "too much", code: "busy", retry_after }, 429, "application/problem+json");

async function with_(answers, use) {
  const server = await scripted(...answers);
  try {
    await use(server);
  } finally {
    await server.stop();
  }
}

test("a request that breaks is sent again, a write under the same key", () =>
  with_([cut, cut, json(RECEIPT)], async (server) => {
    assert.deepEqual(await new Memory(server.url).remember("Tea."), RECEIPT);
    const keys = server.asked.map((request) => request.headers["idempotency-key"]);
    assert.equal(keys.length, 3);
    assert.match(keys[0], /^[0-9a-f]{32}$/);
    assert.equal(new Set(keys).size, 1);
    await new Memory(server.url).remember("Tea.");
    assert.notEqual(server.asked[3].headers["idempotency-key"], keys[0]);
    assert.deepEqual(JSON.parse(server.asked[0].body), { text: "Tea." });
  }));

test("a read has no key, and an answer that breaks off is asked for again", () =>
  with_(
    [(response) => response.writeHead(200, { "content-length": "100" }).write("{", () => response.destroy()), json(PAGE)],
    async (server) => {
      assert.deepEqual(await new Memory(server.url).list(), PAGE);
      assert.equal(server.asked.length, 2);
      assert.equal(server.asked[0].headers["idempotency-key"], undefined);
    },
  ));

test("after some tries it is over", () =>
  with_([cut], async (server) => {
    await assert.rejects(new Memory(server.url, { tries: 2 }).list(), { name: "ServerError", code: "broken", status: 0 });
    assert.equal(server.asked.length, 2);
  }));

test("a busy server is asked again when it says so, unless that is long", async () => {
  await with_([busy(0.01), json(PAGE)], async (server) => assert.deepEqual(await new Memory(server.url).list(), PAGE));
  await with_([busy(300)], async (server) => {
    await assert.rejects(new Memory(server.url).list(), { name: "BusyError", retry_after: 300, status: 429 });
    assert.equal(server.asked.length, 1);
  });
});

test("silence has an end", () =>
  with_([silent], async (server) => {
    const memory = new Memory(server.url, { timeout: 50 });
    await assert.rejects(memory.list(), { name: "ServerError", code: "timeout", message: /no answer within 0.05 s/ });
    await assert.rejects(new Memory(server.url).list({}, { timeout: 50 }), { code: "timeout" });
    await assert.rejects(memory.upkeep({}, { timeout: 50 }), { code: "timeout" });
    const controller = new AbortController();
    const long = memory.upkeep({}, { signal: controller.signal }); // has an hour at least
    const first = await Promise.race([long, new Promise((resolve) => setTimeout(resolve, 150, "waits"))]);
    assert.equal(first, "waits");
    controller.abort();
    await assert.rejects(long, { name: "AbortError" });
  }));

test("a redirect is not followed, so a key goes nowhere else", () =>
  with_([json(PAGE)], (elsewhere) =>
    with_([(response) => response.writeHead(307, { location: elsewhere.url }).end()], async (server) => {
      const asked = new Memory(server.url, { apiKey: "secret" }).list();
      await assert.rejects(asked, { name: "ServerError", status: 307, message: /redirects are not followed/ });
      assert.equal(elsewhere.asked.length, 0);
    }),
  ));

test("what is no answer of Mnemic's is named as such", () =>
  with_([(response) => response.writeHead(200).end("<html>Log in</html>"), json({ no: "problem" }, 503)], async (server) => {
    const memory = new Memory(server.url);
    await assert.rejects(memory.list(), { code: "foreign", status: 200, message: /answered 200, and not as Mnemic does: "<html>Log in/ });
    await assert.rejects(memory.list(), { code: "foreign", status: 503 });
  }));

test("a code that this client does not know is an error all the same", () =>
  with_([json({ type: "t", title: "New", status: 418, detail: "from tomorrow", code: "tea" }, 418)], async (server) => {
    await assert.rejects(new Memory(server.url).list(), { name: "MnemicError", code: "tea", status: 418, title: "New" });
  }));

test("lines come as they are sent, wherever the pieces end, and one that breaks off says so", () => {
  const pieces = ["{\"a\":", "\"\u00e9", "\u{1f418}\"}\n{\"b\":1}\n", "\n{\"c\":2}"];
  const send = (response, end) => {
    response.writeHead(200);
    const bytes = Buffer.from(pieces.join(""));
    let at = 0;
    const more = () => (at < bytes.length ? response.write(bytes.subarray(at, (at += 3)), () => setImmediate(more)) : end());
    more();
  };
  return with_([(response) => send(response, () => response.end()), (response) => send(response, () => response.destroy())], async (server) => {
    const memory = new Memory(server.url);
    const lines = await all(memory.export());
    assert.deepEqual(lines, ['{"a":"é🐘"}', '{"b":1}', "", '{"c":2}']);
    await assert.rejects(all(memory.export()), ServerError);
  });
});

test("a stream that falls silent is broken off, one whose reader is slow is not", async () => {
  const begun = (response) => response.writeHead(200).write('{"a":1}\n');
  await with_([begun], async (server) => {
    const lines = new Memory(server.url).export({}, { timeout: 100 });
    assert.equal((await lines.next()).value, '{"a":1}');
    await assert.rejects(lines.next(), { name: "ServerError", code: "timeout" });
  });
  const step = { receipt: "r1", verb: "add", at: "", actor: null, records: [] };
  const told = (response) => response.writeHead(200).write(`id: r1\ndata: ${JSON.stringify(step)}\n\n`);
  await with_([begun, told], async (server) => {
    const events = new Memory(server.url).events({ after: "r0" }, { timeout: 100 });
    assert.deepEqual((await events.next()).value, step); // asked for again
    assert.equal(server.asked.length, 2);
    await events.return();
  });
  const two = (response) => response.writeHead(200).write("one\n", () => setTimeout(() => response.end("two\n"), 20));
  await with_([two], async (server) => {
    const found = [];
    for await (const line of new Memory(server.url).export({}, { timeout: 300 })) {
      found.push(line);
      if (found.length === 1) await new Promise((resolve) => setTimeout(resolve, 450));
    }
    assert.deepEqual(found, ["one", "two"]);
  });
});

test("events are read as the standard has them", () => {
  const step = (n) => JSON.stringify({ receipt: `r${n}`, verb: "add", at: "", actor: null, records: [] });
  const stream = `retry: 5\r\n\r\n: still here\r\n\r\nid: r1\r\nevent: step\r\ndata: ${step(1)}\r\n\r\nid:r2\ndata:${step(2)}\n\nid: r3\ndata: ${step(3)}`;
  const start = json({ steps: [{ receipt: "r0" }], next: null });
  const first = (response) => response.writeHead(200, { "content-type": "text/event-stream" }).end(stream);
  const then = (response) => response.writeHead(200).end(`data: ${step(3)}\n\n`);
  return with_([start, first, then], async (server) => {
    const told = [];
    for await (const one of new Memory(server.url).scoped({ user_id: ["a", "b"] }).events({ session_id: "s" })) {
      told.push(one.receipt);
      if (told.length === 3) break;
    }
    assert.deepEqual(told, ["r1", "r2", "r3"]); // what was cut off in its middle comes whole the next time
    const streams = server.asked.slice(1);
    assert.deepEqual(streams.map((request) => request.headers["last-event-id"]), ["r0", "r2"]);
    assert.equal(streams[0].url, "/v1/events?user_id=a&user_id=b&session_id=s");
  });
});

test("an import that breaks is sent again, whole, under the same key", () =>
  with_([cut, json(RECEIPT)], async (server) => {
    const lines = (function* () {
      yield "one";
      yield "two\n";
    })();
    assert.deepEqual(await new Memory(server.url).import(lines, { user_id: "ana", author: "me" }), RECEIPT);
    assert.deepEqual(server.asked.map((request) => request.body), ["one\ntwo\n", "one\ntwo\n"]);
    assert.equal(server.asked[1].url, "/v1/import?author=me&user_id=ana");
    assert.equal(server.asked[0].headers["content-type"], "application/x-ndjson");
    assert.equal(server.asked[0].headers["idempotency-key"], server.asked[1].headers["idempotency-key"]);
  }));

test("key, headers and path of an address go with each request, and no print shows the key", () =>
  with_([json(PAGE)], async (server) => {
    const memory = new Memory(`${server.url}/behind/`, { apiKey: "s3cret", headers: { "x-proxy": "p" } });
    await memory.scoped({ user_id: "ana" }).list();
    const [{ url, headers, body }] = server.asked;
    assert.deepEqual([url, headers.authorization, headers["x-proxy"]], ["/behind/v1/list", "Bearer s3cret", "p"]);
    assert.deepEqual(JSON.parse(body), { user_id: "ana" });
    assert.equal(memory.url, `${server.url}/behind`);
    assert.doesNotMatch(inspect(memory, { depth: 9, showHidden: true }) + JSON.stringify(memory), /s3cret/);
  }));

test("settings that cannot be are refused at once", () => {
  for (const url of ["here", "ftp://x", "http://u:p@x", "http://x/?a=b"]) assert.throws(() => new Memory(url), ConfigError);
  for (const options of [{ apiKey: "two words" }, { apiKey: "" }, { timeout: -1 }, { timeout: NaN }, { tries: 0 }, { headers: { "no name": "x" } }]) {
    assert.throws(() => new Memory("http://x", options), ConfigError);
  }
});

async function all(items) {
  const found = [];
  for await (const item of items) found.push(item);
  return found;
}
