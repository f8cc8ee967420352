// Search: the hits, and of each why it is one.

import * as api from "./api.js";
import { calm, count, h, percent, put, wrong } from "./dom.js";
import { line } from "./record.js";

export function search(main, { q = "" } = {}) {
  const field = h("input", { id: "q", type: "search", value: q, autocomplete: "off", placeholder: "Where do I live?" });
  const gone = h("input", { type: "checkbox", id: "gone" });
  const hits = h("ol", { class: "records", id: "hits" });
  const note = h("div", { role: "status" });
  let asked = 0;
  const ask = async () => {
    const turn = ++asked;
    const words = field.value.trim();
    window.history.replaceState(null, "", words ? `#/search?q=${encodeURIComponent(words)}` : "#/search");
    const include = gone.checked ? ["superseded", "expired", "retired", "faded"] : [];
    try {
      if (!words) {
        const page = await api.list({ limit: 30, include });
        if (turn !== asked) return;
        put(note, h("p", { class: "soft" }, page.records.length ? "The latest that is remembered:" : "Nothing is remembered here yet."));
        put(hits, page.records.map((one) => line(one)));
        return;
      }
      const found = await api.call("search", { query: words, limit: 20, include });
      if (turn !== asked) return;
      put(note,
        h("p", { class: "soft" }, `${count(found.hits.length, "hit")} among ${count(found.considered, "record")}. `,
          found.confidence === null ? "" : `The answer is among them with a probability of ${percent(found.confidence)}.`),
        found.notes.map((one) => h("p", { class: "soft small" }, one)));
      put(hits, found.hits.map((one, at) => line(one, { relevance: one.relevance, more: why(words, one, include, at + 1) })));
    } catch (error) { if (turn === asked) put(note, wrong(error)); }
  };
  const soon = calm(ask);
  field.addEventListener("input", soon);
  gone.addEventListener("change", ask);
  put(main, h("h1", {}, "Search"),
    h("form", { role: "search", onsubmit: (event) => { event.preventDefault(); ask(); } },
      h("label", { for: "q" }, "Ask, or say a few words"),
      h("div", { class: "row" }, h("div", { class: "grow" }, field), h("button", {}, "Search")),
      h("label", { class: "check" }, gone, "Also what no longer holds")),
    note, hits);
  window.addEventListener("changed", ask, { signal: main.leaving });
  field.focus({ preventScroll: true });
  return ask();
}

/** Why a hit is one, loaded when somebody wants to know. */
function why(query, hit, include, place) {
  const box = h("details", { class: "more" }, h("summary", { class: "small soft" }, "Why this one?"));
  box.addEventListener("toggle", async () => {
    if (!box.open || box.dataset.loaded) return;
    box.dataset.loaded = "yes";
    try { box.append(explained(await api.call("explain", { query, id: hit.id, include, limit: 20 }), place)); } catch (error) { box.append(wrong(error)); }
  });
  return box;
}

const SIGNALS = {
  lexical_turn: "its own words", lexical_near: "words right beside it", lexical_wide: "words around it", lexical_session: "words of its conversation",
  dense_turn: "what it means", dense_near: "the meaning right beside it", dense_wide: "the meaning around it", dense_session: "the meaning of its conversation",
  speaker: "who said it", length: "how much it says", time: "when it was said", reading: "reading it again, closely", fading: "how much of it is left", reranker: "the reranker",
};

function explained(told, place) {
  const most = Math.max(...told.signals.map((one) => Math.abs(one.share)), 1e-9);
  const signals = [...told.signals].sort((one, other) => other.share - one.share).filter((one) => Math.abs(one.share) > 0.0005);
  return h("div", {},
    h("p", {}, `Place ${place} of this list, out of ${count(told.considered, "record")}.`,
      told.rank !== null && told.rank !== place && ` By what is counted below alone it would have place ${told.rank.toLocaleString()}.`),
    told.words.length > 0 && h("p", {}, "Words of the question in it: ", told.words.map((word, at) => [at ? ", " : "", word.term.startsWith("~") ? "part of " : "", h("strong", {}, word.term.replace(/^~/, "")), ` (in ${count(word.records, "record")})`])),
    told.understood.map((one) => h("p", { class: "soft small" }, one)),
    signals.length > 0 && h("div", { class: "scroll" }, h("table", {}, h("caption", { class: "soft small" }, "What spoke for it, strongest first"),
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Because of"), h("th", { scope: "col", class: "number" }, "Share"), h("th", { scope: "col", class: "number" }, "Place"))),
      h("tbody", {}, signals.map((one) => h("tr", {}, h("td", {}, SIGNALS[one.name] ?? one.name.replaceAll("_", " "), " ", "▮".repeat(Math.round((8 * Math.abs(one.share)) / most))),
        h("td", { class: "number" }, one.share.toFixed(3)), h("td", { class: "number" }, one.rank.toLocaleString())))))),
    told.notes.map((one) => h("p", { class: "soft small" }, one)));
}
