// How much is kept, of which kind, and what models have cost.

import * as api from "./api.js";
import { count, h, kindName, put, stateName, when } from "./dom.js";

const table = (caption, rows, names) => h("div", { class: "scroll" }, h("table", {}, h("caption", { class: "soft small" }, caption),
  h("thead", {}, h("tr", {}, names.map((name, at) => h("th", { scope: "col", class: at ? "number" : null }, name)))),
  h("tbody", {}, rows.map((row) => h("tr", {}, row.map((one, at) => h("td", { class: at ? "number" : null }, one)))))));

export async function usage(main) {
  const [stats, spent] = await Promise.all([api.call("stats"), api.spending()]);
  const total = Object.values(stats.records).reduce((sum, one) => sum + one, 0);
  put(main, h("h1", {}, "Usage"),
    h("p", {}, `${count(total, "record")} kept`, stats.earliest ? [", told of times from ", when(stats.earliest), " to ", when(stats.latest)] : "", "."),
    table("By kind, of what stands", Object.entries(stats.records).sort((one, other) => other[1] - one[1]).map(([kind, number]) => [kindName(kind), number.toLocaleString()]), ["Kind", "Records"]),
    h("h2", {}, "By state"),
    table("Of all that was ever kept", Object.entries(stats.states).filter(([, number]) => number).map(([state, number]) => [stateName(state) ?? "stands", number.toLocaleString()]), ["State", "Records"]),
    h("h2", {}, "Models"),
    spent.length ? table("What models were asked for this memory, by day", spent.map((one) => [when(one.day), one.calls.toLocaleString(), (one.tokens_in + one.tokens_out).toLocaleString(), one.money.toFixed(4)]), ["Day", "Calls", "Tokens", "Money"])
      : h("p", { class: "soft" }, "No model was asked for anything."));
}
