// One record: its words, what it rests on, its history, what is around it, and what can be done with it.

import * as api from "./api.js";
import { byId, count, h, kindName, percent, put, say, show, span, stateName, stateTag, when, wrong } from "./dom.js";

/** A record or hit in a list: a button that opens it. */
export function line(one, { onopen, more, relevance } = {}) {
  return h("li", {},
    h("button", { type: "button", class: "record", "data-id": one.id, onclick: () => { onopen?.(); open(one.id); } },
      h("span", { class: "words" }, one.text.length > 600 ? `${one.text.slice(0, 600)}…` : one.text),
      h("span", { class: "meta" },
        h("span", { class: "tag" }, kindName(one.kind)), stateTag(one.state),
        one.speaker && h("span", {}, `said by ${one.speaker}`), when(one.time), span(one),
        relevance !== undefined && h("span", {}, `relevance ${percent(relevance)}`),
        one.conflicts?.length > 0 && h("span", { class: "tag off" }, "⚡ contradicted"),
        one.outdated_by && h("span", { class: "tag off" }, "↻ something newer is known"))),
    more);
}

const told = (message) => window.dispatchEvent(new CustomEvent("changed", { detail: message }));

/** Take back what a receipt did; a record that is open is shown as it is then. */
export async function undo(receipt) {
  try {
    await api.call("undo", { receipt });
    say("Taken back.");
    told("undo");
    const dialog = byId("record");
    if (dialog.open) await open(dialog.dataset.id);
  } catch (error) { say(error.message); }
}

function close(dialog) { dialog.close(); put(dialog.querySelector(".shown")); }

/** Open a record in the dialog. */
export async function open(id) {
  const dialog = byId("record");
  const top = h("div", { class: "top" }, h("h2", { id: "record-title" }, "…"), h("button", { type: "button", class: "quiet", onclick: () => close(dialog) }, "Close"));
  const inside = h("div", { class: "inside" }, "Loading …");
  dialog.dataset.id = id;
  show(dialog, top, inside);
  try {
    const record = await api.get(id);
    const resting = await messages(record);
    top.firstChild.textContent = kindName(record.kind);
    put(inside, whole(record, resting));
  } catch (error) { put(inside, wrong(error)); }
}

const FAR = 500;

/** The messages that a record rests on. What was done by hand it rests on, too: that is told by its history. */
async function messages(record) {
  const others = record.evidence.filter((one) => one.id !== record.id);
  if (!others.length) return others;
  const linked = await api.links(record.id, FAR);  // no link leads to what was done by hand
  const said = new Set(linked.map((one) => one.record.id));
  return linked.length < FAR ? others.filter((one) => said.has(one.id)) : others;
}

function whole(record, resting) {
  return [
    h("p", { class: "words" }, record.text),
    h("div", { class: "meta" }, stateTag(record.state), record.speaker && h("span", {}, `said by ${record.speaker}`), when(record.time, true), span(record)),
    actions(record),
    resting.length > 0 && h("section", {}, h("h3", {}, "What this rests on"), h("ul", { class: "records" }, resting.map((one) => line({ ...one, kind: "episode", state: "current" })))),
    part("Everything that happened to it", () => changes(record.id)),
    part("What is around it", () => around(record)),
    part("Details", async () => details(record)),
  ];
}

function part(title, load) {
  const box = h("details", {}, h("summary", {}, title));
  box.addEventListener("toggle", async () => {
    if (!box.open || box.dataset.loaded) return;
    box.dataset.loaded = "yes";
    try { box.append(await load()); } catch (error) { box.append(wrong(error)); }
  });
  return box;
}

async function changes(id) {
  const found = await api.history(id);
  return h("ol", { class: "records" }, found.map((one) => h("li", {}, h("div", { class: "more" },
    h("p", { class: "meta" }, h("strong", {}, one.action), when(one.at, true), one.actor && `by ${one.actor}`, `version ${one.revision}`),
    h("p", { class: "words" }, one.record ? one.record.text : "The words are gone for good.")))));
}

function details(record) {
  const row = (name, value) => value !== null && value !== undefined && value !== "" && [h("dt", {}, name), h("dd", {}, value)];
  const scope = Object.entries(record.scope).filter(([, value]) => value).map(([name, value]) => `${name.replace("_id", "")} ${value}`).join(", ");
  return h("dl", {},
    row("Whose", scope), row("About", record.subject), row("Also called", record.aliases.join(", ")), row("State", stateName(record.state) ?? "stands"),
    row("Came from", record.source), row("Derived by", record.derivation ?? (record.kind === "episode" ? "kept word for word" : "entered by hand")),
    row("How sure", record.confidence === null ? null : percent(record.confidence)),
    row("Kept since", when(record.recorded_at, true)), row("Your own id", record.message_id), row("Session", record.scope.session_id),
    row("Number", record.id), row("Version", String(record.revision)),
    Object.keys(record.data).length > 0 && row("Data", h("pre", {}, JSON.stringify(record.data, null, 1))),
    Object.keys(record.metadata).length > 0 && row("Metadata", h("pre", {}, JSON.stringify(record.metadata, null, 1))));
}

/** What another record is to this one, by the edge between them: as it leads there, and as it comes from there. */
const WAYS = {
  derived_from: ["this rests on it", "it rests on this"], supersedes: ["this took its place", "it took the place of this"],
  contradicts: ["they contradict each other", "they contradict each other"], mentions: ["this tells of it", "it tells of this"],
  fades: ["this lets it fade", "it lets this fade"],
};

async function around(record) {
  const found = await api.links(record.id);
  const near = found.map((one) => ({ ...one, way: WAYS[one.role]?.[one.out ? 0 : 1] ?? one.role }));
  if (!near.length) return h("p", { class: "soft" }, "Nothing is linked to this.");
  return h("div", {}, picture(record, near.slice(0, 14)),
    h("ul", { class: "records" }, near.map((one) => line(one.record, { more: h("p", { class: "more small soft" }, `↔ ${one.way}`) }))));
}

function picture(record, near) {
  const short = (text) => (text.length > 26 ? `${text.slice(0, 25)}…` : text);
  const node = (x, y, one, r) => h("a", { svg: true, href: "#", role: "button", "aria-label": `${kindName(one.kind)}: ${short(one.text)}`,
    onclick: (event) => { event.preventDefault(); open(one.id); } },
    h("circle", { cx: x, cy: y, r }), h("title", {}, one.text), h("text", { x, y: y + r + 14, "text-anchor": "middle" }, short(one.text)));
  const places = near.map((_, at) => { const turn = (2 * Math.PI * at) / near.length - Math.PI / 2; return [260 + 170 * Math.cos(turn), 190 + 140 * Math.sin(turn)]; });
  return h("svg", { class: "graph", viewBox: "0 0 520 390", role: "group", "aria-label": "Records around this one" },
    places.map(([x, y]) => h("line", { x1: 260, y1: 190, x2: x, y2: y })),
    h("circle", { cx: 260, cy: 190, r: 15 }), h("text", { x: 260, y: 222, "text-anchor": "middle" }, short(record.text)),
    near.map((one, at) => node(...places[at], one.record, 10)));
}

// -- what can be done

function actions(record) {
  if (record.state === "erased") return null;
  const box = h("div", { class: "row" });
  const place = h("div", {});
  const button = (name, act, kind = "quiet") => h("button", { type: "button", class: kind, onclick: () => { place.replaceChildren(); act(place); } }, name);
  box.append(
    record.kind === "episode" ? "" : button("Correct", (into) => into.append(correcting(record))),
    record.state === "retired" ? "" : button("Take out", (into) => into.append(retiring(record))),
    button("Erase for good", (into) => erasing([record.id], into), "danger"));
  return h("div", {}, box, place);
}

function form(title, fields, name, act, kind = "") {
  const made = h("form", {}, h("h3", {}, title), fields, h("p", {}, h("button", { class: kind }, name)));
  made.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = made.querySelector("button");
    button.disabled = true;
    made.querySelector(".wrong")?.remove();
    try { await act(made); } catch (error) { made.append(wrong(error)); button.disabled = false; }
  });
  return made;
}

function correcting(record) {
  const words = h("textarea", { id: "words", value: record.text, required: true });
  return form("What is right?", [h("label", { for: "words" }, "In your words"), words], "Correct it", async () => {
    const done = await api.correct(record.id, record.revision, { text: words.value });
    say("Corrected. What was there before stays in its history.", () => undo(done.id));
    told("correct");
    await open(record.id);
  });
}

function retiring(record) {
  const reason = h("input", { id: "reason", maxlength: 200 });
  return form("Take it out?", [h("p", {}, "No agent is told of it any more. It stays in its history, and you can take this back."),
    h("label", { for: "reason" }, "Why (if you like)"), reason], "Take it out", async () => {
    const done = await api.call("retire", { ids: [record.id], reason: reason.value || null });
    say("Taken out.", () => undo(done.id));
    told("retire");
    await open(record.id);
  });
}

/** A note of the engine's, as this page can follow it: what the record rests on is a click away, and no name is typed. */
const onPage = (note) => note.replace(/: to erase that, too, name .*/s, ". To erase that, too, open it under “What this rests on”, and erase it there.");

async function erasing(ids, into) {
  put(into, "Looking at what goes with it …");
  let plan;
  try { plan = await api.call("erase", { ids, dry_run: true }); } catch (error) { put(into, wrong(error)); return; }
  const going = plan.entries.filter((one) => !ids.includes(one.id));
  const seen = await Promise.all(plan.entries.slice(0, 50).map(async (one) => {
    try { return { ...(await api.get(one.id)), why: one.reason }; } catch { return { id: one.id, text: "(another record)", kind: "", state: "current", time: null, why: one.reason }; }
  }));
  const sure = h("input", { type: "checkbox", id: "sure", required: true });
  put(into, form("Erase for good?", [
    h("p", {}, going.length ? `This and ${count(going.length, "record")} that rest on it go, with every word, from the file and its history.` : "It goes, with every word, from the file and its history."),
    h("p", {}, "This cannot be taken back."),
    h("ul", { class: "records" }, seen.map((one) => h("li", {}, h("div", { class: "more" }, h("p", { class: "words" }, one.text.slice(0, 300)),
      h("p", { class: "meta" }, h("span", { class: "tag" }, kindName(one.kind)), one.why || "the one that you chose"))))),
    plan.entries.length > seen.length && h("p", { class: "soft" }, `… and ${count(plan.entries.length - seen.length, "more", "more")}.`),
    plan.notes.map((note) => h("p", { class: "soft" }, onPage(note))),
    h("label", { class: "check" }, sure, "Yes, erase all of this"),
  ], "Erase", async () => {
    const done = await api.call("erase", { ids });
    say(`${count(done.entries.length, "record")} erased.`);
    told("erase");
    close(byId("record"));
  }, "danger"));
}
