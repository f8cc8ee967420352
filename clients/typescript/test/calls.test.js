// Scopes, errors, pages, keys for writes: how calls are made, against the real server.

import assert from "node:assert/strict";
import { test } from "node:test";

import * as mnemic from "mnemic";
import { ConflictError, idsOf, InputError, Memory, MnemicError, NotFoundError, ParameterError, ScopeError, TimeError } from "mnemic";
import { somebody, url } from "./served.mjs";

const memory = new Memory(url);

test("errors are those of the library, in its words", async () => {
  const ana = memory.scoped(somebody());
  const missing = await ana.get("nothing").catch((error) => error);
  assert.ok(missing instanceof NotFoundError && missing instanceof MnemicError && missing instanceof Error);
  assert.deepEqual([missing.code, missing.status, missing.detail], ["not-found", 404, "there is no record 'nothing' in this scope"]);
  assert.equal(missing.message, missing.detail);
  assert.equal(missing.problem.type, "urn:mnemic:problem:not-found");

  const unknown = await ana.search("x", { top_k: 3 }).catch((error) => error);
  assert.ok(unknown instanceof ParameterError && unknown instanceof InputError);
  assert.equal(unknown.message, "search() has no parameter 'top_k'; did you mean 'limit'?");
  await assert.rejects(memory.add("for everybody?"), ScopeError);
  await assert.rejects(ana.add("x", { time: "some day" }), TimeError);
  await assert.rejects(ana.search("x", { where: { a: { nope: 1 } } }), { name: "FilterError", status: 400 });

  const [id] = idsOf(await ana.remember("Tea is green."));
  const revised = await ana.update(id, { text: "Tea is black." });
  const stale = await ana.update(id, { text: "Tea is white.", if_revision: 1 }).catch((error) => error);
  assert.ok(stale instanceof ConflictError);
  assert.deepEqual(stale.receipts, [revised.id]);
});

test("there is a class for each error of the server's, under one root", () => {
  for (const [code, kind] of Object.entries(mnemic.ERRORS)) {
    const error = new kind({ type: "", title: "", status: 400, detail: "d", code });
    assert.ok(error instanceof MnemicError, code);
    assert.equal(mnemic[error.name], kind, "it is exported by its name");
    assert.equal(String(error), `${error.name}: d`);
  }
  assert.equal(new mnemic.BusyError({ type: "", title: "", status: 429, detail: "", code: "busy", retry_after: 3 }).retry_after, 3);
});

test("what JSON would lose on the way is refused", async () => {
  const ana = memory.scoped(somebody());
  await assert.rejects(ana.add("x", { time: new Date("no time") }), TimeError);
  await assert.rejects(ana.search("x", { threshold: NaN }), InputError);
  await assert.rejects(ana.search("x", { kinds: new Set(["fact"]) }), InputError);
  const round = {};
  round.round = round;
  await assert.rejects(ana.remember("x", { data: round }), InputError);
  await assert.rejects(ana.remember("x", { data: { big: 1n } }), InputError);
});

test("text comes back as it was, in every script", async () => {
  const ana = memory.scoped({ user_id: `Ünïcödé 🐘 ${process.pid}` });
  const texts = ["Grüße aus Köln", "東京に住んでいます", "مرحبا", "👩‍👩‍👧‍👦", "a\tb\r\nc", '"quoted" \\ <b>'];
  await ana.add(texts);
  assert.deepEqual(new Set((await ana.list({ kinds: "episode" })).records.map((record) => record.text)), new Set(texts));
  const record = (await ana.list({ limit: 1 })).records[0];
  assert.equal(record.scope.user_id, `Ünïcödé 🐘 ${process.pid}`);
});

test("a bound scope narrows and is never left", async () => {
  const { user_id } = somebody();
  const ana = memory.scoped({ user_id });
  const home = ana.scoped({ project_id: "home" });
  await home.remember("The door is red.");
  await ana.remember("Ana likes tea.");
  assert.deepEqual(home.scope, { user_id, project_id: "home" });
  assert.equal((await ana.list()).records.length, 1);
  assert.equal((await home.list()).records.length, 2);
  assert.equal((await ana.list({ all_projects: true })).records.length, 2);
  assert.equal((await ana.scoped({ all_projects: true }).list()).records.length, 2);
  assert.equal((await ana.scoped({ all_projects: true }).list({ project_id: "none" })).records.length, 1);
  assert.equal((await memory.list({ user_id: [user_id, "ben"] })).records.length, 1);

  assert.throws(() => ana.scoped({ user_id: "ben" }), ScopeError);
  await assert.rejects(ana.search("door", { user_id: "ben" }), ScopeError);
  await assert.rejects(home.list({ all_projects: true }), ScopeError);
  assert.throws(() => memory.scoped({ user: "ana" }), { name: "ScopeError", message: /no part 'user'/ });
  const both = memory.scoped({ user_id: [user_id, "ben"] });
  assert.equal((await both.scoped({ user_id }).list()).records.length, 1);
  assert.throws(() => both.scoped({ user_id: "eve" }), ScopeError);
});

test("agent and session are bound to writes, and narrow only the reads that name them", async () => {
  const ana = memory.scoped(somebody());
  const monday = ana.scoped({ session_id: "monday", agent_id: "cook" });
  await monday.add("We had soup.");
  await ana.add("We had bread.", { session_id: "tuesday" });
  const episodes = async (of, more) => (await of.list({ kinds: "episode", ...more })).records;
  const all = await episodes(monday);
  assert.deepEqual(new Set(all.map((record) => record.scope.session_id)), new Set(["monday", "tuesday"]));
  assert.equal(all.find((record) => record.text === "We had soup.").scope.agent_id, "cook");
  assert.equal((await episodes(ana, { session_id: "monday" })).length, 1);
});

test("who writes is the memory's author, unless a call says otherwise", async () => {
  const signed = new Memory(url, { author: "kitchen" }).scoped(somebody());
  const first = await signed.remember("Tea is green.");
  const second = await signed.remember("Tea is black.", { author: "garden" });
  assert.equal((await signed.remember("Tea is white.", { author: undefined })).actor, "kitchen");
  assert.deepEqual([first.actor, second.actor], ["kitchen", "garden"]);
  assert.equal((await signed.list()).records.length, 3); // reads take no author
});

test("pages follow each other to the end", async () => {
  const ana = memory.scoped(somebody());
  await ana.add(Array.from({ length: 7 }, (_, n) => `Message ${n}.`));
  const sizes = [];
  for await (const page of ana.listPages({ limit: 3, kinds: "episode" })) sizes.push(page.records.length);
  assert.deepEqual(sizes, [3, 3, 1]);
  const texts = [];
  for await (const record of ana.listAll({ limit: 2, kinds: "episode", order: "oldest" })) texts.push(record.text);
  assert.deepEqual(texts, Array.from({ length: 7 }, (_, n) => `Message ${n}.`));
  let first;
  for await (const record of ana.listAll({ limit: 2 })) {
    first = record;
    break;
  }
  assert.ok(first);
  const times = [];
  for await (const record of ana.timelineAll({ limit: 3, kinds: "episode" })) times.push(record.time);
  assert.equal(times.length, 7);
  const verbs = [];
  for await (const step of ana.journalAll({ limit: 1 })) verbs.push(step.verb);
  assert.equal(verbs[0], "add");
  for await (const pair of ana.conflictsAll()) assert.fail(pair);
});

test("a write with a key of the caller's is done once", async () => {
  const ana = memory.scoped(somebody());
  const first = await ana.remember("Tea is green.", {}, { idempotencyKey: "k1" });
  assert.deepEqual(await ana.remember("Tea is green.", {}, { idempotencyKey: "k1" }), first);
  await assert.rejects(ana.remember("Tea is black.", {}, { idempotencyKey: "k1" }), ConflictError);
  await assert.rejects(ana.remember("x", {}, { idempotencyKey: "no\nkey" }), InputError);
});

test("a signal breaks a call off with its own reason", async () => {
  const ana = memory.scoped(somebody());
  await assert.rejects(ana.search("x", {}, { signal: AbortSignal.abort() }), { name: "AbortError" });
  const reason = new Error("not needed any more");
  const controller = new AbortController();
  const asked = ana.search("x", {}, { signal: controller.signal });
  controller.abort(reason);
  await assert.rejects(asked, (error) => error === reason);
});
