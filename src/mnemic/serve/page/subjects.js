// People and things: who is known, and of each what holds, what held before, and what it rests on.

import * as api from "./api.js";
import { count, h, put, stateName, wrong } from "./dom.js";
import { line } from "./record.js";

export async function subjects(main, { about = "" } = {}) {
  if (about) return one(main, about);
  const list = h("ul", { class: "records" });
  const filter = h("input", { id: "filter", type: "search", autocomplete: "off" });
  let after = null;
  const known = new Map();
  const show = () => {
    const words = filter.value.trim().toLowerCase();
    const named = [...known.values()].filter((one) => [one.name, ...one.also].some((name) => name.toLowerCase().includes(words)));
    put(list, named.map((one) => h("li", {}, h("a", { class: "record", href: `#/subjects?about=${encodeURIComponent(one.name)}` }, one.name,
      one.also.length > 0 && h("span", { class: "soft" }, ` — also ${one.also.join(", ")}`)))));
  };
  const more = h("button", { type: "button", class: "quiet", hidden: true, onclick: () => load() }, "Show more");
  async function load() {
    const page = await api.list({ kinds: ["entity", "state", "fact", "preference", "relationship"], limit: 300, after });
    after = page.next;
    more.hidden = !after;
    for (const record of page.records) {
      if (!record.subject) continue;
      const at = record.subject.toLowerCase();
      const found = known.get(at) ?? { name: record.subject, also: [] };
      if (record.kind === "entity") found.also = record.aliases.filter((name) => name.toLowerCase() !== at);
      known.set(at, found);
    }
    show();
    if (!known.size) put(list, h("li", {}, h("p", { class: "more" }, "Nothing is known of anybody yet.")));
  }
  filter.addEventListener("input", show);
  put(main, h("h1", {}, "People and things"), h("label", { for: "filter" }, "Find a name"), filter, list, h("p", {}, more));
  window.addEventListener("changed", () => { known.clear(); after = null; load(); }, { signal: main.leaving });
  await load();
}

async function one(main, about) {
  const held = h("div", {});
  async function load() {
    try {
      const page = await api.call("timeline", { subject: about, limit: 200, include: ["superseded", "expired"] });
      const records = page.records.filter((record) => record.kind !== "episode" && record.kind !== "entity").reverse();
      const [now, before] = [records.filter((record) => !stateName(record.state)), records.filter((record) => stateName(record.state))];
      put(held,
        h("h2", {}, "What holds"), now.length ? h("ul", { class: "records" }, now.map((record) => line(record))) : h("p", { class: "soft" }, "Nothing."),
        before.length > 0 && h("details", {}, h("summary", {}, `What held before (${count(before.length, "record")})`), h("ul", { class: "records" }, before.map((record) => line(record)))),
        page.next ? h("p", { class: "soft" }, "There is more than fits here: see the timeline.") : "");
    } catch (error) { put(held, wrong(error)); }
  }
  put(main, h("p", {}, h("a", { href: "#/subjects" }, "← all")), h("h1", {}, about),
    h("p", {}, h("a", { href: `#/timeline?subject=${encodeURIComponent(about)}` }, "See it on the timeline")), held);
  window.addEventListener("changed", load, { signal: main.leaving });
  await load();
}
