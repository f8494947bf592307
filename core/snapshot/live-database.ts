import type { Definition, Engine, PartPlan, Plan, StreamPlan } from "../databases/engine.ts";
import type { Consistency } from "../domain/snapshot.ts";

/** A database read as a capture would read it, but kept nowhere. */
export interface LiveDatabase {
  readonly plan: Plan;
  readonly consistency: Consistency;
  definitions(): Promise<Definition[]>;
  content(stream: StreamPlan): AsyncIterable<Uint8Array>;
}

/** Small parts keep what a server may have to hold at once small; nothing is gained here by large ones. */
const partBytes = 64 << 20;

/** Holds a consistent snapshot of the database while `work` reads. Fails with `HoldLost` when it is lost meanwhile. */
export const withLiveDatabase = async <T>(
  engine: Engine,
  url: string,
  signal: AbortSignal,
  work: (live: LiveDatabase) => Promise<T>,
): Promise<T> => {
  const hold = await engine.hold(url, signal);
  try {
    const plan = await engine.plan(url, hold.token, { partBytes }, signal);
    const read = (stream: StreamPlan, part: PartPlan): AsyncIterable<Uint8Array> => engine.read(url, hold.token, stream, part, signal);
    const content = async function* (stream: StreamPlan): AsyncIterable<Uint8Array> {
      for (const part of stream.parts) yield* read(stream, part);
    };
    const definitions = async (): Promise<Definition[]> => {
      const found: Definition[] = [];
      for (const stream of plan.streams.filter(({ kind }) => kind === "definition")) {
        const blocks: Buffer[] = [];
        for await (const block of content(stream)) blocks.push(Buffer.from(block));
        found.push({ name: stream.name, target: stream.target, content: Buffer.concat(blocks) });
      }
      return found;
    };
    return await Promise.race([work({ plan, consistency: hold.consistency, definitions, content }), hold.lost]);
  } finally {
    await hold.close();
  }
};
