// Which part of the page is shown, whose memory it is, and the keys.

import * as api from "./api.js";
import { byId, h, put, show as showIn, wrong } from "./dom.js";
import { conflicts } from "./conflicts.js";
import { given } from "./given.js";
import { search } from "./search.js";
import { subjects } from "./subjects.js";
import { timeline } from "./timeline.js";
import { usage } from "./usage.js";

const PARTS = { search, timeline, subjects, conflicts, given, usage };
let leave = new AbortController();

async function show() {
  const [, path, parts] = location.hash.match(/^#?\/?([^?]*)\??(.*)$/s);
  const name = PARTS[path] ? path : "search";
  leave.abort();
  leave = new AbortController();
  const main = h("div");  // of its own: a part that is late writes where nobody looks any more
  main.leaving = leave.signal;
  put(byId("main"), main);
  for (const link of document.querySelectorAll("nav a")) link.toggleAttribute("aria-current", link.hash === `#/${name}`);
  for (const link of document.querySelectorAll("nav a[aria-current]")) link.setAttribute("aria-current", "page");
  document.title = `${document.querySelector(`nav a[href="#/${name}"]`).textContent} — Mnemic`;
  try {
    await PARTS[name](main, Object.fromEntries(new URLSearchParams(parts)));
  } catch (error) {
    if (error.status === 401) return askKey(error);
    put(main, h("h1", {}, "That did not work"), wrong(error), error.code === "scope" && h("p", {}, h("button", { type: "button", onclick: askWhose }, "Say whose memory")));
  }
}

function dialog(title, inside, submit) {
  const box = byId("ask");
  const made = h("form", { method: "dialog" }, inside, h("p", { class: "row" }, h("button", {}, "Go on"), h("button", { type: "button", class: "quiet", onclick: () => box.close() }, "Cancel")));
  made.addEventListener("submit", (event) => { event.preventDefault(); box.close(); submit(made); });
  showIn(box, h("div", { class: "top" }, h("h2", { id: "ask-title" }, title)), h("div", { class: "inside" }, made));
}

function askKey(error) {
  const field = h("input", { id: "key", type: "password", autocomplete: "off", required: true, "aria-describedby": "key-about" });
  dialog("Your key", [wrong(error), h("label", { for: "key" }, "Key"), field, h("p", { id: "key-about", class: "soft small" }, "It stays in this tab and is forgotten with it.")], () => {
    api.key.set(field.value.trim());
    start();
  });
}

function askWhose() {
  const now = api.whose.get();
  const field = (id, name) => [h("label", { for: id }, name), h("input", { id, value: now[id] ?? "", autocomplete: "off" })];
  dialog("Whose memory?", [h("p", { class: "soft" }, "What a key is bound to needs no name here."), field("user_id", "User"), field("project_id", "Project"), field("tenant_id", "Tenant")], (made) => {
    api.whose.set(Object.fromEntries([...made.querySelectorAll("input")].map((one) => [one.id, one.value.trim()]).filter(([, value]) => value)));
    start();
  });
}

function keys() {
  const row = (key, about) => [h("dt", {}, h("kbd", {}, key)), h("dd", {}, about)];
  dialog("Keys that work here", h("dl", {}, row("/", "search"), row("j, k", "down and up the list"), row("Enter", "open"), row("Esc", "close"), row("1 to 6", "the parts of this page"), row("?", "this")), () => {});
}

function step(by) {
  const all = [...document.querySelectorAll("main .record")];
  if (!all.length) return;
  const at = all.indexOf(document.activeElement);
  all[Math.max(0, Math.min(all.length - 1, at < 0 ? 0 : at + by))].focus();
}

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, textarea, select");
  if (typing || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  const number = Number(event.key);
  if (event.key === "/") { event.preventDefault(); location.hash === "#/search" || byId("q") ? byId("q")?.focus() : (location.hash = "#/search"); }
  else if (event.key === "j") step(1);
  else if (event.key === "k") step(-1);
  else if (event.key === "?") keys();
  else if (number >= 1 && number <= 6) location.hash = `#/${Object.keys(PARTS)[number - 1]}`;
});

/** Whose memory an address names: ?user=ana&project=home. */
function fromAddress() {
  const named = new URLSearchParams(location.search);
  if (!named.size) return;
  const scope = { user_id: named.get("user"), project_id: named.get("project"), tenant_id: named.get("tenant") };
  api.whose.set(Object.fromEntries(Object.entries(scope).filter(([, value]) => value)));
  window.history.replaceState(null, "", `${location.pathname}${location.hash}`);
}

/** The walls in words: those of the key, and where it leaves some open, those that were named here. */
const inWords = (scope, named) => Object.entries(scope).map(([part, allowed]) => [part.replace("_id", ""), named[part] || (allowed === "*" ? "" : [allowed ?? []].flat().join(", "))])
  .filter(([, value]) => value).map(([part, value]) => `${part} ${value}`).join(", ");

async function start() {
  try {
    const me = await api.who();
    const named = api.whose.get();
    byId("whose").textContent = inWords(me.scope, named) || "Whose memory?";
    if (me.scope.user_id === "*" && !named.user_id && !named.project_id) askWhose();
  } catch (error) {
    if (error.status === 401) return askKey(error);
  }
  await show();
}

fromAddress();
byId("whose").addEventListener("click", askWhose);
byId("keys").addEventListener("click", keys);
window.addEventListener("hashchange", show);
start();
