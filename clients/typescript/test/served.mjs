// Real servers for the tests. `tests/acceptance/test_typescript.py` starts one for all and names it in the environment.

import { execFileSync, spawn } from "node:child_process";
import { createServer } from "node:http";
import { mkdtempSync } from "node:fs";
import { join } from "node:path";

const { TEST_URL, TEST_PYTHON, TEST_FOLDER } = process.env;
if (!TEST_URL || !TEST_PYTHON || !TEST_FOLDER) throw new Error("start me by tests/acceptance/test_typescript.py");

/** The server of all tests, which wants no key. */
export const url = TEST_URL;

let people = 0;

/** A user of whom nothing is remembered yet. */
export function somebody() {
  people += 1;
  return { user_id: `user ${process.pid}-${people}` };
}

/** The path of a memory in a folder of its own. */
export function freshFile() {
  return join(mkdtempSync(join(TEST_FOLDER, "memory-")), "agent.db");
}

/** What a command says. */
export function mnemic(...words) {
  return execFileSync(TEST_PYTHON, ["-m", "mnemic", ...words], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
}

/** A server of its own: where it listens, and how to kill it. */
export async function served(file, port = 0) {
  // One process, so that none outlives it by the moment that it takes to see that it is alone.
  const words = ["serve", "--file", file, "--port", String(port), "--workers", "1"];
  const child = spawn(TEST_PYTHON, ["-m", "mnemic", ...words]);
  let said = "";
  const address = await new Promise((resolve, reject) => {
    const read = (piece) => {
      said += piece;
      const found = /listening on (http:\S+?),/.exec(said);
      if (found) resolve(found[1]);
    };
    child.stdout.on("data", read);
    child.stderr.on("data", read);
    child.on("exit", (code) => reject(new Error(`it ended with ${code}: ${said}`)));
  });
  const ended = new Promise((resolve) => child.on("exit", resolve));
  return {
    url: address,
    port: Number(new URL(address).port),
    async stop(signal = "SIGTERM") {
      child.kill(signal);
      await ended;
    },
  };
}

/** A server that answers as a test says: `answers[n]` is called for the n-th request, the last one for all further. */
export async function scripted(...answers) {
  const asked = [];
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (piece) => (body += piece));
    request.on("end", () => {
      asked.push({ method: request.method, url: request.url, headers: request.headers, body });
      answers[Math.min(asked.length, answers.length) - 1](response, request);
    });
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    asked,
    stop() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}

/** An answer of a scripted server. */
export function json(value, status = 200, type = "application/json") {
  return (response) => response.writeHead(status, { "content-type": type }).end(JSON.stringify(value));
}
