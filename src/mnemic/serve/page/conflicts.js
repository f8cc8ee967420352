// What cannot both be so: read the two, keep the one that is right.

import * as api from "./api.js";
import { h, put, say, wrong } from "./dom.js";
import { line, undo } from "./record.js";

export async function conflicts(main) {
  const box = h("div", {});
  let after = null;
  const more = h("button", { type: "button", class: "quiet", hidden: true, onclick: () => load(true) }, "Show more");
  async function load(further = false) {
    try {
      const page = await api.conflicts({ limit: 20, after: further ? after : null });
      after = page.next;
      more.hidden = !after;
      const pairs = page.pairs.map(({ one, other }) => h("section", { class: "conflict", "aria-label": "Two that contradict each other" }, side(one, other), side(other, one)));
      if (further) box.append(...pairs);
      else put(box, (pairs.length ? pairs : [h("p", {}, "Nothing contradicts anything else. ✓")]));
    } catch (error) { put(box, wrong(error)); }
  }
  function side(one, other) {
    const keep = async () => {
      try {
        const done = await api.call("retire", { ids: [other.id], reason: `settled: ${one.id} is right` });
        say("Settled. The other one is taken out.", () => undo(done.id));
        load();
      } catch (error) { say(error.message); }
    };
    return h("div", {}, h("ul", { class: "records" }, line(one)), h("p", { class: "row" }, h("button", { type: "button", onclick: keep }, "This one is right")));
  }
  put(main, h("h1", {}, "Conflicts"), h("p", {}, "Two statements that cannot both be so, and of which neither is later. Agents are told of both until one is chosen."), box, h("p", {}, more));
  window.addEventListener("changed", () => load(), { signal: main.leaving });
  await load();
}
