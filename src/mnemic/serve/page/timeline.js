// What was true when, and what was known when: two sliders, one list.

import * as api from "./api.js";
import { calm, count, h, put, stateName, when, wrong } from "./dom.js";
import { line, open } from "./record.js";

const HELD = ["fact", "preference", "relationship", "goal", "event", "instruction"];
const DAY = 86400000;

export async function timeline(main, { subject = "" } = {}) {
  const stats = await api.call("stats");
  const now = Date.now();
  const first = stats.earliest ? Date.parse(stats.earliest) : now - DAY;
  const last = Math.max(now, stats.latest ? Date.parse(stats.latest) : now);
  const about = h("input", { id: "about", value: subject, placeholder: "anybody and anything" });
  const said = h("input", { type: "checkbox", id: "said-too" });
  const [valid, known] = [slider("valid", "What was true on", first, last, now), slider("known", "as it was known on", first, now, now)];
  const note = h("div", { role: "status" });
  const picture = h("div", {});
  const found = h("ol", { class: "records" });
  let turn = 0;
  let after = null;
  const more = h("button", { type: "button", class: "quiet", hidden: true, onclick: () => load(true) }, "Show more");
  async function load(further = false) {
    const mine = ++turn;
    const asked = { limit: 60, subject: about.value.trim() || null, include: [] };
    if (!said.checked) asked.kinds = HELD;
    if (!valid.isNow()) asked.as_of = valid.time();
    if (!known.isNow()) asked.known_at = known.time();
    if (further) asked.after = after;
    try {
      const page = await api.call("timeline", asked);
      if (mine !== turn) return;
      after = page.next;
      more.hidden = !after;
      const lines = page.records.map((one) => line(one));
      if (further) found.append(...lines); else put(found, lines);
      put(note, h("p", { class: "soft" }, page.records.length || further
        ? `${count(found.children.length, "record")}${after ? " so far" : ""}, the oldest first.` : "Nothing was known then that was true then."));
      if (!further) put(picture, bars(page.records, first, last, Date.parse(valid.time())));
    } catch (error) { if (mine === turn) put(note, wrong(error)); }
  }
  const soon = calm(() => load());
  for (const one of [valid, known]) one.oninput = soon;
  about.addEventListener("input", soon);
  said.addEventListener("change", () => load());
  put(main, h("h1", {}, "Timeline"),
    h("p", {}, "Move the first slider to see what was true at a time. Move the second one to see what was known by then: what was said later is left out."),
    valid.box, known.box,
    h("div", { class: "row" }, h("div", { class: "grow" }, h("label", { for: "about" }, "About"), about), h("label", { class: "check" }, said, "Also every message")),
    note, picture, found, h("p", {}, more));
  window.addEventListener("changed", () => load(), { signal: main.leaving });
  return load();
}

/** A slider over days with a date field beside it, so that either hand finds the day. */
function slider(id, name, first, last, now) {
  const days = Math.max(1, Math.ceil((last - first) / DAY));
  const range = h("input", { type: "range", id: `${id}-range`, min: 0, max: days, value: days, "aria-label": `${name}, by day` });
  const field = h("input", { type: "date", id });
  const made = { oninput: () => {} };
  const today = Math.round((Math.min(now, last) - first) / DAY);
  let day = Math.max(0, Math.min(days, today));
  const show = () => {
    range.value = day;
    field.value = new Date(first + day * DAY).toISOString().slice(0, 10);
    range.setAttribute("aria-valuetext", field.value);
  };
  range.addEventListener("input", () => { day = Number(range.value); show(); made.oninput(); });
  field.addEventListener("change", () => {
    if (!field.value) { day = today; show(); } else day = Math.max(0, Math.min(days, Math.round((Date.parse(field.value) - first) / DAY)));
    range.value = day;
    made.oninput();
  });
  show();
  made.isNow = () => day >= today && day <= today + 1;
  made.time = () => `${new Date(first + day * DAY).toISOString().slice(0, 10)}T23:59:59Z`;
  made.box = h("div", {}, h("label", { for: id }, name), h("div", { class: "row" }, field, h("div", { class: "grow" }, range)));
  return made;
}

/** Bars of what holds from when to when. The list below says the same in words. */
function bars(records, first, last, at) {
  const held = records.filter((one) => one.kind !== "episode").slice(0, 24);
  if (!held.length) return "";
  const wide = 900, left = 10, high = 34, base = 24;
  const x = (time) => left + ((wide - 2 * left) * (Math.min(Math.max(time, first), last) - first)) / Math.max(1, last - first);
  const rows = held.map((one, number) => {
    const [since, until] = [Date.parse(one.valid_from ?? one.time), one.valid_to ? Date.parse(one.valid_to) : last];
    const y = base + number * high;
    const begins = x(since);
    const off = stateName(one.state) !== null;
    const short = one.text.length > 70 ? `${one.text.slice(0, 69)}…` : one.text;
    return h("a", { svg: true, href: "#", role: "button", "aria-label": one.text, onclick: (event) => { event.preventDefault(); open(one.id); } },
      h("rect", { class: `bar-line${off ? " off" : ""}`, x: begins, y: y + 16, width: Math.max(6, x(until) - begins), height: 9, rx: 3 }),
      h("text", begins > wide / 2 ? { x: wide - left, y: y + 12, "text-anchor": "end" } : { x: begins, y: y + 12 }, short));
  });
  const foot = base + held.length * high;
  return h("div", { class: "scroll" }, h("svg", { class: "bars", viewBox: `0 0 ${wide} ${foot + 20}`, role: "group", "aria-label": "From when to when it was true" },
    h("line", { class: "axis", x1: left, y1: foot, x2: wide - left, y2: foot }), h("line", { class: "now", x1: x(at), y1: 6, x2: x(at), y2: foot }), rows,
    h("text", { x: left, y: foot + 15 }, when(new Date(first).toISOString()).textContent),
    h("text", { x: wide - left, y: foot + 15, "text-anchor": "end" }, when(new Date(last).toISOString()).textContent)));
}
