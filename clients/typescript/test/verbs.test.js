// Every verb, against the real server.

import assert from "node:assert/strict";
import { after, test } from "node:test";

import { idOf, idsOf, Memory, VERBS } from "mnemic";
import { freshFile, served, somebody, url } from "./served.mjs";

const asked = new Set();
const memory = new Memory(url, {
  fetch: (to, init) => {
    asked.add(new URL(to).pathname);
    return fetch(to, init);
  },
});

after(() => {
  const every = Object.values(VERBS).map((verb) => verb.path);
  assert.deepEqual(every.filter((path) => !asked.has(path)), [], "a verb that no test calls");
});

const said = (content, more = {}) => ({ role: "user", name: "Ana", content, ...more });

test("what was said is kept, found, put into a prompt, and answered", async () => {
  const ana = memory.scoped(somebody());
  const time = new Date("2026-05-20T18:00:00Z");
  const receipt = await ana.add([said("I moved to Porto."), said("I like tea.")], { time, wait: true });
  assert.equal(receipt.verb, "add");
  assert.deepEqual(receipt.entries.map((entry) => entry.action), ["added", "added"]);

  const results = await ana.search("Where does Ana live?", { limit: 5, now: "2026-06-01T00:00:00Z" });
  const [hit] = results.hits;
  assert.match(hit.text, /Porto/);
  assert.equal(hit.evidence[0].text, "I moved to Porto.");
  assert.equal(hit.time, "2026-05-20T18:00:00+00:00");
  assert.ok(results.hits.length <= 5);
  const why = await ana.explain(hit.id, { query: "Where does Ana live?" });
  assert.equal(why.rank, 1);
  assert.equal(why.cut, null);
  assert.ok(why.signals.length > 0);

  const context = await ana.context("Where does Ana live?", { budget: 200, format: "markdown" });
  assert.match(context.text, /Porto/);
  assert.ok(context.tokens <= 200);
  assert.equal(context.format, "markdown");
  const answer = await ana.ask("Where did Ana move to?");
  assert.equal(answer.known, true);
  assert.match(answer.text, /Porto/);

  for (const given of [results, context, answer, results.id]) {
    const act = await ana.feedback(given, { used: [hit.id], outcome: 1 });
    assert.equal(act.verb, "feedback");
  }
  assert.equal(idOf(context), context.results_id);
});

test("a record is remembered, read, changed, taken back, retired and erased", async () => {
  const ana = memory.scoped(somebody());
  const [id] = idsOf(await ana.remember("Ana lives in Porto.", { subject: "Ana", key: "home", metadata: { n: 1 } }));
  assert.deepEqual(await ana.get(id), await ana.get({ key: "home" }));
  assert.equal((await ana.get(id)).metadata.n, 1);

  const changed = await ana.update(id, { text: "Ana lives in Braga.", subject: null, if_revision: 1 });
  const record = await ana.get(id);
  assert.deepEqual([record.text, record.subject, record.revision], ["Ana lives in Braga.", null, 2]);
  assert.equal((await ana.get(id, { known_at: (await ana.history(id))[0].at })).text, "Ana lives in Porto.");
  await ana.undo(changed);
  assert.equal((await ana.get(id)).text, "Ana lives in Porto.");
  const retired = await ana.retire(id, { reason: "she never said so" });
  assert.equal((await ana.get(id)).state, "retired");
  await ana.undo(retired.id);
  assert.equal((await ana.get(id)).state, "current");
  const history = await ana.history(id);
  assert.deepEqual(history.map((change) => change.action).slice(0, 2), ["added", "revised"]);

  const steps = (await ana.journal({ order: "oldest" })).steps;
  assert.deepEqual(steps.map((step) => step.verb), ["remember", "update", "undo", "retire", "undo"]);
  const diff = await ana.diff(history[0].at, new Date(Date.parse(history.at(-1).at) + 1000));
  assert.deepEqual([diff.added.length, diff.removed.length], [0, 0]);

  assert.equal((await ana.erase(id, { dry_run: true })).dry_run, true);
  assert.equal((await ana.get(id)).state, "current");
  await ana.erase([id]);
  await assert.rejects(ana.get(id), { name: "NotFoundError" });
  assert.equal((await ana.stats()).states.erased, 1);
});

test("all of a user's is erased, and nobody else's", async () => {
  const [ana, ben] = [memory.scoped(somebody()), memory.scoped(somebody())];
  await ana.remember("Tea is green.");
  await ben.remember("Tea is black.");
  await ana.erase({ all_of: true });
  assert.equal((await ana.list()).records.length, 0);
  assert.equal((await ben.list()).records.length, 1);
});

test("who is who, what contradicts what, and what is joined to what", async () => {
  const ana = memory.scoped(somebody());
  await ana.add([said("My friend Mel lives in Braga."), said("My friend Melanie lives in Lisbon.")], { wait: true });
  const entities = async () => (await ana.list({ kinds: "entity" })).records.filter((record) => record.subject.startsWith("Mel"));
  const [one, other] = await entities();
  await ana.merge([other.id], { into: one.id });
  const [merged, ...others] = await entities();
  assert.deepEqual([merged.id, others], [one.id, []]);
  await ana.split(one.id, { names: other.subject });
  assert.equal((await entities()).length, 2);
  const fact = (await ana.list({ kinds: ["fact"] })).records[0];
  const links = await ana.links(fact.id, { limit: 10 });
  assert.ok(links.some((link) => link.role === "derived_from" && link.record.kind === "episode"));
  assert.deepEqual(await ana.conflicts(), { pairs: [], next: null });
  assert.deepEqual(await ana.spending({ since: "2026-01-01T00:00:00Z" }), []);
});

test("time, counts, upkeep, rebuilding", async () => {
  const ana = memory.scoped(somebody());
  await ana.add(said("I planted a tree.", { time: "2026-05-01T10:00:00Z" }));
  await ana.add(said("It bears fruit.", { time: "2026-06-01T10:00:00Z" }));
  const page = await ana.timeline({ since: new Date("2026-05-15"), until: "2026-07-01T00:00:00Z", kinds: "episode" });
  assert.deepEqual(page.records.map((record) => record.text), ["It bears fruit."]);
  assert.equal((await ana.stats()).records.episode, 2);
  assert.equal((await ana.upkeep({ budget_ms: 2000 })).verb, "upkeep");
  assert.equal((await ana.rebuild({ dry_run: true })).dry_run, true);
});

test("a memory moves to another server, and is the same there", async () => {
  const who = somebody();
  const ana = memory.scoped(who);
  await ana.add([said("I moved to Porto."), said("日本語も大丈夫 🐘\u2028still one line")]);
  const lines = [];
  for await (const line of ana.export()) lines.push(line);
  assert.equal(JSON.parse(lines[0]).mnemic, "export");
  const there = await served(freshFile());
  try {
    const moved = new Memory(there.url, {
      fetch: (to, init) => {
        asked.add(new URL(to).pathname);
        return fetch(to, init);
      },
    }).scoped(who);
    const receipt = await moved.import(lines);
    assert.ok(receipt.entries.length >= 2);
    const texts = async (of) => (await of.list()).records.map((record) => [record.id, record.text]);
    assert.deepEqual(await texts(moved), await texts(ana));
    // Once more, in the other forms, changes nothing.
    const again = [lines.map((line) => `${line}\n`).join(""), new Blob([lines.join("\n")]), ana.export()];
    for (const form of again) assert.ok((await moved.import(form)).entries.every((entry) => entry.action === "ignored"));
    await assert.rejects(moved.import(["no JSON"]), { name: "InputError", message: /line 1/ });
  } finally {
    await there.stop();
  }
});
