// What an agent is told: the context for a question, piece by piece, and those that were given lately.

import * as api from "./api.js";
import { count, h, percent, put, when, wrong } from "./dom.js";
import { line } from "./record.js";

export async function given(main, { q = "", budget = "1000" } = {}) {
  const question = h("input", { id: "question", value: q, required: true });
  const tokens = h("input", { id: "budget", type: "number", min: 50, max: 100000, value: budget });
  const out = h("div", { role: "status" });
  const lately = h("div", {});
  async function ask() {
    put(out, "…");
    try {
      const told = await api.call("context", { query: question.value, budget: Number(tokens.value) });
      put(out,
        h("h2", {}, "In the prompt"), h("pre", { tabindex: 0 }, told.text),
        h("p", { class: "soft" }, `${count(told.tokens, "token")} of ${told.budget.toLocaleString()} (${told.counter}), ${count(told.left_out, "piece")} left out`,
          told.confidence === null ? "." : `; the answer is in it with a probability of ${percent(told.confidence)}.`),
        told.notes.map((one) => h("p", { class: "soft small" }, one)),
        told.evidence.length > 0 && h("h2", {}, "Why"),
        h("ol", { class: "records" }, told.evidence.map((one, at) => line({ ...one, kind: "episode", state: "current", text: `[${at + 1}] ${one.text}` }))));
    } catch (error) { put(out, wrong(error)); }
  }
  async function recent() {
    const page = await api.given();
    put(lately, h("h2", {}, "Given lately"), page.given.length
      ? h("div", { class: "scroll" }, h("table", {}, h("thead", {}, h("tr", {}, ["When", "To whom", "Question", "Records"].map((name) => h("th", { scope: "col" }, name)))),
        h("tbody", {}, page.given.map((one) => h("tr", {}, h("td", {}, when(one.at, true)), h("td", {}, one.by), h("td", {}, h("a", { href: `#/given?q=${encodeURIComponent(one.query)}` }, one.query)),
          h("td", { class: "number" }, String(one.ids.length)))))))
      : h("p", { class: "soft" }, "Nothing since the server was started."));
  }
  put(main, h("h1", {}, "What agents are told"), h("p", {}, "Ask as an agent would, and see the words that it gets, with what each rests on."),
    h("form", { onsubmit: (event) => { event.preventDefault(); ask(); } },
      h("div", { class: "row" }, h("div", { class: "grow" }, h("label", { for: "question" }, "Question"), question),
        h("div", {}, h("label", { for: "budget" }, "At most so many tokens"), tokens), h("button", {}, "Show"))), out, lately);
  await Promise.all([q ? ask() : null, recent()]);
}
