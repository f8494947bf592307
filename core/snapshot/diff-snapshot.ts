import type { Definition, Engine } from "../databases/engine.ts";
import { engineOf } from "../databases/engines.ts";
import { Failure } from "../domain/failure.ts";
import type { EngineName } from "../domain/snapshot.ts";
import type { ManifestStream } from "../repository/manifest.ts";
import { rowDigestOf } from "../repository/row-digest.ts";
import type { JobContext, JobProgress } from "./jobs.ts";
import { withLiveDatabase } from "./live-database.ts";
import { type RowDifference, type RowSource, rowDifference } from "./row-difference.ts";
import { type ManifestRange, type SnapshotReader, type SnapshotSource, withSnapshot } from "./snapshot-reader.ts";

export interface DiffJob {
  readonly before: SnapshotSource;
  /** Another snapshot, or a database as it is now. */
  readonly after: SnapshotSource | { readonly url: string; readonly engine: EngineName };
}

export interface StreamDifference {
  readonly name: string;
  readonly state: "same" | "changed" | "added" | "removed";
  /** Rows on each side; null where there is no such stream. */
  readonly before: number | null;
  readonly after: number | null;
  /** Rows, as `RowDifference` counts them. */
  readonly added: number;
  readonly removed: number;
  readonly changed: number | null;
}

export interface DiffJobResult {
  readonly before: string;
  /** The other snapshot's id; null for a live database. */
  readonly after: string | null;
  readonly same: boolean;
  readonly streams: readonly StreamDifference[];
  readonly definitions: { readonly added: readonly string[]; readonly removed: readonly string[]; readonly changed: readonly string[] };
  /** Bytes that had to be read to tell; what both sides share was not. */
  readonly bytesRead: number;
  /** What keeps the answer from being exact. */
  readonly notes: readonly string[];
}

/** A stream as one side has it. Digests are there where they need no reading, under the digest key of `before`. */
interface Side {
  readonly stream: Pick<ManifestStream, "name" | "target" | "framing">;
  readonly rows: number;
  readonly sum: string | undefined;
  readonly ranges: readonly ManifestRange[] | undefined;
  content(ranges: readonly ManifestRange[] | undefined): AsyncIterable<Uint8Array>;
}

/** Says what changed from one snapshot to another, or to a database. What both share (the same range, the same digest) is not read. */
export const diffSnapshot = async (input: DiffJob, { report, signal }: JobContext<JobProgress>): Promise<DiffJobResult> =>
  await withSnapshot(input.before, signal, async (before) => {
    const { manifest } = before;
    const engine = await engineOf(manifest.engine);
    const definitions = await before.definitions();
    const tally = createTally(report);
    const sides = snapshotSides(before, tally, true);
    const judge = async (after: Map<string, Side>, afterDefinitions: readonly Definition[]) => {
      const streams: StreamDifference[] = [];
      for (const name of [...new Set([...sides.keys(), ...after.keys()])].sort())
        streams.push(await compareStream(engine, name, [sides.get(name), definitions], [after.get(name), afterDefinitions]));
      const defined = compareDefinitions(engine.comparison.definitions(definitions), engine.comparison.definitions(afterDefinitions));
      const same = streams.every(({ state }) => state === "same") && Object.values(defined).every(({ length }) => length === 0);
      return { same, streams, definitions: defined };
    };
    if ("url" in input.after) {
      const { url, engine: spoken } = input.after;
      requireSameEngine(manifest.engine, spoken);
      return await withLiveDatabase(engine, url, signal, async (live) => {
        const found = new Map<string, Side>();
        for (const stream of live.plan.streams.filter(({ kind }) => kind === "rows")) {
          const content = (): AsyncIterable<Uint8Array> => tally.count(stream.name, live.content(stream));
          const digest = await rowDigestOf(content(), stream.framing, new Uint8Array(Buffer.from(manifest.digestKey, "base64")));
          found.set(stream.name, { stream, rows: digest.rows, sum: digest.sum, ranges: undefined, content });
        }
        const notes =
          live.consistency === "transactional"
            ? []
            : [`The database was read without one consistent snapshot (${live.consistency}): it may have changed meanwhile.`];
        return {
          before: manifest.snapshot,
          after: null,
          ...(await judge(found, await live.definitions())),
          bytesRead: tally.bytes(),
          notes,
        };
      });
    }
    return await withSnapshot(input.after, signal, async (after) => {
      requireSameEngine(manifest.engine, after.manifest.engine);
      const comparable = after.manifest.digestKey === manifest.digestKey;
      const judged = await judge(snapshotSides(after, tally, comparable), await after.definitions());
      return { before: manifest.snapshot, after: after.manifest.snapshot, ...judged, bytesRead: tally.bytes(), notes: [] };
    });
  });

const requireSameEngine = (before: EngineName, after: EngineName): void => {
  if (before !== after)
    throw new Failure("UsageInvalid", `the first is of engine ${before}, the second of ${after}: they cannot be compared`);
};

const createTally = (report: (progress: JobProgress) => void) => {
  let bytes = 0;
  return {
    bytes: () => bytes,
    count: async function* (current: string, content: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
      for await (const block of content) {
        bytes += block.length;
        report({ bytes, rows: 0, current });
        yield block;
      }
    },
  };
};

const snapshotSides = (
  { manifest, content }: SnapshotReader,
  tally: ReturnType<typeof createTally>,
  comparable: boolean,
): Map<string, Side> =>
  new Map(
    manifest.streams
      .filter(({ kind }) => kind === "rows")
      .map((stream) => [
        stream.name,
        {
          stream,
          rows: stream.rows,
          sum: comparable ? stream.sum : undefined,
          ranges: stream.ranges,
          content: (ranges) => tally.count(stream.name, content(ranges ?? stream.ranges)),
        },
      ]),
  );

const compareStream = async (
  engine: Engine,
  name: string,
  [before, definitionsBefore]: readonly [Side | undefined, readonly Definition[]],
  [after, definitionsAfter]: readonly [Side | undefined, readonly Definition[]],
): Promise<StreamDifference> => {
  if (before === undefined || after === undefined) {
    const [there, gone] = [after?.rows ?? 0, before?.rows ?? 0];
    const state = before === undefined ? "added" : "removed";
    return { name, state, before: before?.rows ?? null, after: after?.rows ?? null, added: there, removed: gone, changed: 0 };
  }
  const rows = { before: before.rows, after: after.rows };
  if (before.sum !== undefined && before.sum === after.sum && before.rows === after.rows)
    return { name, state: "same", ...rows, added: 0, removed: 0, changed: 0 };
  const [left, right] = withoutShared(before, after);
  const source = (side: Side, ranges: readonly ManifestRange[] | undefined, definitions: readonly Definition[]): RowSource => ({
    rows: ranges?.reduce((sum, range) => sum + range.rows, 0) ?? side.rows,
    framing: side.stream.framing,
    content: () => side.content(ranges),
    key: engine.comparison.rowKey(definitions, side.stream),
  });
  const found: RowDifference = await rowDifference(source(before, left, definitionsBefore), source(after, right, definitionsAfter));
  const state = found.added + found.removed + (found.changed ?? 0) === 0 ? "same" : "changed";
  return { name, state, ...rows, ...found };
};

/** Leaves out, once on each side, ranges that hold the same rows: the same object, or the same count and digest. */
const withoutShared = (before: Side, after: Side): [readonly ManifestRange[] | undefined, readonly ManifestRange[] | undefined] => {
  if (before.ranges === undefined || after.ranges === undefined) return [before.ranges, after.ranges];
  const comparable = before.sum !== undefined && after.sum !== undefined;
  const identity = ({ id, rows, sum }: ManifestRange): string => (comparable ? `${rows}/${sum}` : id);
  const there = new Map<string, number>();
  for (const range of after.ranges) there.set(identity(range), (there.get(identity(range)) ?? 0) + 1);
  const shared = new Map<string, number>();
  const left = before.ranges.filter((range) => {
    const times = there.get(identity(range)) ?? 0;
    if (times === 0) return true;
    there.set(identity(range), times - 1);
    shared.set(identity(range), (shared.get(identity(range)) ?? 0) + 1);
    return false;
  });
  const right = after.ranges.filter((range) => {
    const times = shared.get(identity(range)) ?? 0;
    shared.set(identity(range), times - 1);
    return times <= 0;
  });
  return [left, right];
};

const compareDefinitions = (before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): DiffJobResult["definitions"] => ({
  added: [...after.keys()].filter((name) => !before.has(name)).sort(),
  removed: [...before.keys()].filter((name) => !after.has(name)).sort(),
  changed: [...before.keys()].filter((name) => after.has(name) && after.get(name) !== before.get(name)).sort(),
});
