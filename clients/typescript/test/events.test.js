// What happens is told as it happens, and nothing of it is missed: real servers, which die and come back.

import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";

import { AccessError, idsOf, Memory, NotFoundError, ServerError } from "mnemic";
import { freshFile, mnemic, served, somebody, url } from "./served.mjs";

test("steps are told as they are made, of this scope alone", async () => {
  const who = somebody();
  const [ana, ben] = [new Memory(url).scoped(who), new Memory(url).scoped(somebody())];
  await ana.remember("This was before.");
  const events = ana.events();
  const next = events.next();
  await ben.remember("This is somebody else's.");
  // Whether the stream has begun before or behind this write, which nobody can tell, it is in it once the stream has looked.
  let receipt;
  for (let n = 0; receipt === undefined; n++) {
    const made = await ana.remember(`This is new ${n}.`);
    const told = await Promise.race([next, new Promise((resolve) => setTimeout(resolve, 300))]);
    if (told) receipt = [made, told.value];
  }
  const [, step] = receipt;
  assert.equal(step.verb, "remember");
  const { text } = await ana.get(step.records[0].id);
  assert.match(text, /^This is new/);
  await events.return();
});

test("from a step on, all that came behind it", async () => {
  const ana = new Memory(url).scoped(somebody());
  const [first, second, third] = [await ana.remember("One."), await ana.remember("Two."), await ana.remember("Three.")];
  const told = [];
  for await (const step of ana.events({ after: first.id })) {
    told.push(step.receipt);
    if (told.length === 2) break;
  }
  assert.deepEqual(told, [second.id, third.id]);
  await assert.rejects(ana.events({ after: "no receipt" }).next(), NotFoundError);
});

test("a signal ends a stream that says nothing", async () => {
  const ana = new Memory(url).scoped(somebody());
  const controller = new AbortController();
  const waiting = ana.events({}, { signal: controller.signal }).next();
  setTimeout(() => controller.abort(), 50);
  await assert.rejects(waiting, { name: "AbortError" });
});

test("a server that dies: calls say so, and events go on when it is back, without a gap", async () => {
  const file = freshFile();
  const first = await served(file);
  let begun = 0;
  const counting = async (to, init) => {
    const response = await fetch(to, init);
    begun += Number(to.includes("/v1/events"));
    return response;
  };
  const memory = new Memory(first.url, { fetch: counting });
  const [ana, ben] = [memory.scoped({ user_id: "ana" }), memory.scoped({ user_id: "ben" })];
  const nothing = ben.events(); // of whom nothing is remembered yet
  const firstOfAll = nothing.next();
  while (begun < 1) await setImmediate();
  const before = await ana.remember("Before.");
  const last = await ana.remember("Still before.");
  const events = ana.events({ after: before.id });
  assert.equal((await events.next()).value.receipt, last.id);

  const next = events.next();
  await first.stop("SIGKILL");
  const down = await ana.search("x").catch((error) => error);
  assert.ok(down instanceof ServerError);
  assert.deepEqual([down.code, down.status], ["unreachable", 0]);
  assert.match(down.message, /cannot be reached: .*; is 'mnemic serve' running there\?/);
  await assert.rejects(ana.events().next(), ServerError); // who has never been there is told at once
  await assert.rejects(ana.export().next(), ServerError);

  const second = await served(file, first.port);
  try {
    const behind = await ana.remember("Behind.");
    const [one, two] = [await ben.remember("The first of all."), await ben.remember("And another.")];
    assert.equal((await next).value.receipt, behind.id);
    assert.equal((await ana.list()).records.length, 3);
    assert.equal((await firstOfAll).value.receipt, one.id);
    assert.equal((await nothing.next()).value.receipt, two.id);
    // One that may not try often gives up with the error.
    const hasty = ana.events({ after: last.id }, { tries: 0 });
    await hasty.next();
    const cut = hasty.next();
    cut.catch(() => undefined);
    await second.stop("SIGKILL");
    await assert.rejects(cut, ServerError);
  } finally {
    await second.stop("SIGKILL");
  }
});

test("a key opens its scope and no other, until it is revoked", async () => {
  const file = freshFile();
  const server = await served(file);
  try {
    await new Memory(server.url).remember("Ana lives in Porto.", { user_id: "ana" });
    const apiKey = mnemic("keys", "add", "phone", "--role", "writer", "--user", "ana", "--file", file).trim();
    await assert.rejects(new Memory(server.url).search("x"), { name: "AccessError", code: "no-key", status: 401 });
    const ana = new Memory(server.url, { apiKey });
    const made = await ana.remember("Ana likes tea.");
    assert.equal(made.actor, "phone");
    assert.equal((await ana.get(idsOf(made)[0])).scope.user_id, "ana");
    await assert.rejects(ana.list({ user_id: "ben" }), AccessError);
    await assert.rejects(ana.export().next(), { name: "AccessError", code: "forbidden", status: 403 });

    const events = ana.events({ after: made.id });
    const second = await ana.remember("Ana likes cake.");
    assert.equal((await events.next()).value.receipt, second.id);
    const next = events.next();
    mnemic("keys", "revoke", "phone", "--file", file);
    await assert.rejects(ana.search("x"), { name: "AccessError", message: /not known here, or was revoked/ });
    await assert.rejects(next, { name: "AccessError", status: 401 });
  } finally {
    await server.stop();
  }
});
