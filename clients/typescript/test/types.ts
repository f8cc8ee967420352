// What the compiler says to a program that uses the client. Compiled, never run.

import { ConflictError, Memory, NotFoundError, type Hit, type MemoryRecord, type Receipt } from "mnemic";

export async function right(memory: Memory, signal: AbortSignal): Promise<void> {
  const ana = memory.scoped({ user_id: "ana" });
  const receipt: Receipt = await ana.add([{ role: "user", content: "I moved.", custom: 1 }, "and more"], { time: new Date() });
  const hits: readonly Hit[] = (await ana.search("where?", { limit: 3, kinds: ["fact"], where: { n: { gt: 1 } } }, { signal })).hits;
  const relevance: number | null | undefined = hits[0]?.relevance;
  const record: MemoryRecord = await ana.get("id", { known_at: "2026-01-01T00:00:00Z" });
  await ana.get({ key: "home" });
  await ana.update(record.id, { text: "new", subject: null });
  await ana.feedback(await ana.ask("where?"), { used: "id" });
  await ana.undo(receipt, { cascade: true });
  for await (const step of ana.events({ after: receipt.id }, { signal, tries: 3 })) step.records.map((one) => one.action);
  for await (const line of ana.export()) line.trim();
  const action: "added" | "faded" | string = receipt.entries[0]!.action;
  try {
    await ana.merge(["a"], { into: "b" });
  } catch (error) {
    if (error instanceof ConflictError) error.receipts.length satisfies number;
    if (error instanceof NotFoundError) error.status satisfies number;
  }
  void [relevance, action];
}

export async function wrong(memory: Memory): Promise<void> {
  // @ts-expect-error: there is no such parameter
  await memory.search("where?", { top_k: 3 });
  // @ts-expect-error: a number
  await memory.search("where?", { limit: "3" });
  // @ts-expect-error: one of three
  await memory.context("where?", { format: "html" });
  // @ts-expect-error: into is missing
  await memory.merge(["a"], {});
  // @ts-expect-error: no message without content
  await memory.add({ role: "user" });
  // @ts-expect-error: values are not changed
  (await memory.get("id")).text = "new";
  // @ts-expect-error: a string, or lines
  await memory.import(3);
  // @ts-expect-error: the server's own
  await memory.rebuild({ model: "x" });
}
