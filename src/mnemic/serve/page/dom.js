// Elements out of values. Remembered words come in as text nodes and attributes only: nothing in them is markup.

const SVG = new Set(["svg", "g", "line", "circle", "rect", "text", "title"]);

/** An element: its attributes (`on…` are listeners, `false` and `null` are left out), and what is in it. */
export function h(name, attributes = {}, ...inside) {
  const made = SVG.has(name) || attributes.svg
    ? document.createElementNS("http://www.w3.org/2000/svg", name)
    : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (key === "value") made.value = value;
    else if (key !== "svg" && value !== false && value !== null && value !== undefined) made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...shown(inside));
  return made;
}

/** What of these is there to be seen: a condition that does not hold (`false`, `null`) leaves nothing. */
const shown = (inside) => inside.flat(Infinity).filter((one) => one !== null && one !== undefined && one !== false);

/** Put these into an element, in the place of what is there. */
export const put = (box, ...inside) => box.replaceChildren(...shown(inside));

export const byId = (id) => document.getElementById(id);

const DAY = new Intl.DateTimeFormat(undefined, { dateStyle: "medium" });
const MOMENT = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

/** A moment as people write it, the exact one behind it. */
export function when(iso, exactly = false) {
  if (!iso) return null;
  const moment = new Date(iso);
  const said = Number.isNaN(moment.valueOf()) ? iso : (exactly ? MOMENT : DAY).format(moment);
  return h("time", { datetime: iso, title: iso }, said);
}

export const percent = (share) => (share === null || share === undefined ? "unknown" : `${Math.round(share * 100)} %`);
export const count = (number, one, many = `${one}s`) => `${number.toLocaleString()} ${number === 1 ? one : many}`;

const KINDS = {
  episode: "Message", fact: "Fact", preference: "Preference", event: "Event", goal: "Plan", relationship: "Relationship",
  instruction: "Instruction", entity: "Name", summary: "Summary", profile: "Profile", topic: "Topic", state: "How things are",
  commitments: "To be done", questions: "Open questions", act: "Something done", forget: "Asked to be forgotten",
};
export const kindName = (kind) => KINDS[kind] ?? kind;

const STATES = {
  superseded: "no longer so", expired: "over", retired: "taken out", quarantined: "set aside", faded: "faded", erased: "erased",
};
/** What a record's state is called; nothing for one that stands. */
export const stateName = (state) => (state === "current" ? null : STATES[state] ?? state);
export const stateTag = (state) => stateName(state) && h("span", { class: "tag off" }, `✕ ${stateName(state)}`);

/** From when to when something is true. */
export function span(record) {
  if (!record.valid_from && !record.valid_to) return null;
  return h("span", {}, "true ", record.valid_from && ["from ", when(record.valid_from)], record.valid_to && [" until ", when(record.valid_to)]);
}

/** What went wrong, in the engine's own words. */
export const wrong = (error) => h("p", { class: "wrong", role: "alert" }, error.message);

/** Where something is said so that it can be reached: while a dialog is open, nothing outside of it can. */
const foot = () => [...document.querySelectorAll("dialog[open] > .said")].at(-1) ?? byId("said");
let last = null;
let quiet = 0;

/** Say something at the foot of what is shown, with a way to take it back. */
export function say(words, undo = null) {
  clearTimeout(quiet);
  last?.remove();
  const one = h("div", {}, words, undo && h("button", { type: "button", onclick: () => { one.remove(); undo(); } }, "Undo"));
  last = one;
  foot().append(one);
  quiet = setTimeout(() => one.remove(), undo ? 20000 : 6000);
}

const follow = () => { if (last?.isConnected && last.parentNode !== foot()) foot().append(last); };

/** Show this in a dialog, in the place of what is there. What was said comes along, and back when the dialog closes. */
export function show(dialog, ...inside) {
  put(dialog.querySelector(".shown"), ...inside);
  if (dialog.open) return;
  dialog.addEventListener("close", follow, { once: true });
  dialog.showModal();
  follow();
}

/** Call again only when nothing has come for a while. */
export function calm(call, ms = 150) {
  let waiting = 0;
  return (...given) => { clearTimeout(waiting); waiting = setTimeout(() => call(...given), ms); };
}
