import assert from "node:assert/strict";
import type { EarlierContent, PartPlan, StreamPlan } from "../../core/databases/engine.ts";
import { postgres } from "../../core/databases/postgres/postgres.ts";

const signal = new AbortController().signal;

/** A part as one snapshot saw it. */
export interface Seen {
  readonly stream: StreamPlan;
  readonly part: PartPlan;
  readonly bytes: string;
  readonly rows: number;
}

/** One snapshot of a table: its parts with their bytes, and whether the server calls each of `before` what it was. */
export const look = async (
  url: string,
  table: string,
  before: readonly Seen[] = [],
): Promise<{ parts: Seen[]; told: readonly boolean[] }> => {
  const hold = await postgres.hold(url, signal);
  hold.lost.catch(() => {});
  try {
    const plan = await postgres.plan(url, hold.token, { partBytes: 1 << 20 }, signal);
    const stream = plan.streams.find(({ name }) => name === table) ?? assert.fail(`no stream ${table}`);
    // Before anything is read: what is asked must not rest on it.
    const earlier = before.map(({ stream: { mark }, rows }, index): EarlierContent => {
      const part = stream.parts[index] ?? assert.fail(`${table} has fewer parts now`);
      return { stream, part, mark, rows };
    });
    const told = (await postgres.unchanged?.(url, hold.token, earlier, () => {}, signal)) ?? assert.fail("PostgreSQL can tell");
    const parts: Seen[] = [];
    for (const part of stream.parts) {
      const blocks: Uint8Array[] = [];
      for await (const block of postgres.read(url, hold.token, stream, part, signal)) blocks.push(Uint8Array.from(block));
      const bytes = Buffer.concat(blocks).toString("utf8");
      parts.push({ stream, part, bytes, rows: bytes.split("\n").length - 1 });
    }
    return { parts, told };
  } finally {
    await hold.close();
  }
};

/** Whether the table's only part is told to be the same before and after, and whether it really is. */
export const compare = async (
  url: string,
  table: string,
  change: () => Promise<unknown>,
  urlAfter: string = url,
): Promise<{ told: boolean; really: boolean }> => {
  const { parts: before } = await look(url, table);
  assert.ok(before.length === 1 && before[0]?.stream.mark !== undefined, "the server can tell");
  await change();
  const { parts: now, told } = await look(urlAfter, table, before);
  return { told: told[0] === true, really: before[0].bytes === now[0]?.bytes };
};

/** Taken over unread, rightly. */
export const same = { told: true, really: true };
export const changed = { told: false, really: false };
/** Read again without need: safe, and seldom. */
export const cautious = { told: false, really: true };
