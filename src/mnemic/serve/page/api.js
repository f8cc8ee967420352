// The server's verbs. The key stays in this tab; whose memory it is, in this browser.

const PARTS = { user_id: "X-Mnemic-User", project_id: "X-Mnemic-Project", tenant_id: "X-Mnemic-Tenant" };

export const key = {
  get: () => sessionStorage.getItem("mnemic key") ?? "",
  set: (value) => sessionStorage.setItem("mnemic key", value),
};
export const whose = {
  get: () => JSON.parse(localStorage.getItem("mnemic whose") ?? "{}"),
  set: (value) => localStorage.setItem("mnemic whose", JSON.stringify(value)),
};

/** What the server said no to: its own words, and its code. */
export class Refused extends Error {
  constructor(problem, status) {
    super(problem.detail ?? problem.title ?? `The server answered with ${status}.`);
    this.status = status;
    this.code = problem.code ?? "";
    this.problem = problem;
  }
}

async function send(method, path, body, headers = {}) {
  const sent = { Accept: "application/json", ...headers };
  if (key.get()) sent.Authorization = `Bearer ${key.get()}`;
  for (const [part, name] of Object.entries(PARTS)) if (whose.get()[part]) sent[name] = encodeURIComponent(whose.get()[part]);
  if (body !== undefined) sent["Content-Type"] = "application/json";
  let answer;
  try {
    answer = await fetch(path, { method, cache: "no-store", headers: sent, body: body === undefined ? undefined : JSON.stringify(body) });
  } catch {
    throw new Refused({ detail: "The server cannot be reached. Is it running?" }, 0);
  }
  const told = answer.headers.get("Content-Type")?.includes("json") ? await answer.json() : {};
  if (!answer.ok) throw new Refused(told, answer.status);
  return told;
}

const query = (given) => {
  const parts = new URLSearchParams();
  for (const [name, value] of Object.entries(given)) for (const one of [value].flat()) if (one !== undefined && one !== null && one !== "") parts.append(name, one);
  return parts.size ? `?${parts}` : "";
};
const at = (id) => `/v1/records/${encodeURIComponent(id)}`;

export const call = (verb, given = {}) => send("POST", `/v1/${verb}`, given);
export const list = (given) => send("GET", `/v1/records${query(given)}`);
export const get = (id) => send("GET", at(id));
export const history = (id) => send("GET", `${at(id)}/history`);
export const links = (id, limit = 60) => call("links", { id, limit });
export const conflicts = (given = {}) => call("conflicts", given);
export const spending = () => call("spending");
export const given = () => send("GET", "/v1/given");
export const who = () => send("GET", "/v1/whoami");
export const correct = (id, revision, change) => send("PATCH", at(id), change, { "If-Match": `"${revision}"` });
