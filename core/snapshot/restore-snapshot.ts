import type { Restoration } from "../databases/engine.ts";
import { engineOf } from "../databases/engines.ts";
import { Failure } from "../domain/failure.ts";
import type { EngineName } from "../domain/snapshot.ts";
import type { Manifest } from "../repository/manifest.ts";
import { packKey } from "../repository/object-keys.ts";
import { readRange } from "../repository/read-range.ts";
import type { Store } from "../stores/store.ts";
import { openSource, type StoreSource } from "../stores/store-source.ts";
import { compareContent } from "./compare-content.ts";
import { eachLimited } from "./each-limited.ts";
import type { JobContext, JobProgress } from "./jobs.ts";
import { fetchManifest, fetchRange, fromAnyStore, type SnapshotAccess } from "./open-snapshot.ts";
import { requireReadable } from "./require-readable.ts";

export interface RestoreJob {
  readonly access: SnapshotAccess;
  /** In the order in which they are tried. */
  readonly stores: readonly StoreSource[];
  /** The engine that the target speaks; a snapshot of another engine is refused. */
  readonly engine: EngineName;
  readonly url: string;
  readonly replace: boolean;
  readonly parallelism: number;
}

export interface RestoreJobResult {
  readonly snapshot: string;
  readonly database: string;
  readonly rows: number;
  readonly bytes: number;
  /** Until the last index stood, without the comparison. */
  readonly seconds: number;
  /** Whether reading the target back gave the very rows that the manifest counts and digests. */
  readonly identical: boolean;
  /** One sentence for each stream that differs. */
  readonly differences: readonly string[];
  /** Copies that were passed over because they were missing, altered or out of reach. */
  readonly damaged: readonly string[];
  /** What the target could not take as it was: owners that it does not have, and the like. */
  readonly notes: readonly string[];
}

/** Restores a snapshot from the first good copy of each object, then reads the target back and compares. */
export const restoreSnapshot = async (input: RestoreJob, { report, signal }: JobContext<JobProgress>): Promise<RestoreJobResult> => {
  const started = performance.now();
  const stores = await Promise.all(input.stores.map(openSource));
  const damagedCopies = new Set<string>();
  const onDamage = (store: Store, failure: Failure): void => void damagedCopies.add(`${store.name}: ${failure.message}`);
  try {
    const manifest = await fromAnyStore(stores, (store) => fetchManifest(input.access, store, signal), onDamage);
    if (manifest.engine !== input.engine) {
      throw new Failure("UsageInvalid", `snapshot ${manifest.snapshot} is of engine ${manifest.engine}; the target speaks ${input.engine}`);
    }
    await requireReadable(manifest, input.access, stores, onDamage, signal);
    const content = (range: string, store: Store): AsyncIterable<Uint8Array> => rangeContent(input.access, range, store, signal);
    // Definitions are read whole before the target is touched: a wrong key or a lost envelope is found here.
    const definitions = await readDefinitions(manifest, stores, content, onDamage);
    const restoration = await (await engineOf(input.engine)).restore(
      input.url,
      { replace: input.replace, definitions, parallelism: input.parallelism },
      signal,
    );
    try {
      const { rows, bytes } = await writeRows(manifest, restoration, stores, content, onDamage, input.parallelism, report, signal).catch(
        leftIncomplete,
      );
      const seconds = (performance.now() - started) / 1_000;
      const differences = await compareContent(manifest, restoration, report);
      return {
        snapshot: manifest.snapshot,
        database: manifest.database,
        rows,
        bytes,
        seconds,
        identical: differences.length === 0,
        differences,
        damaged: [...damagedCopies],
        notes: restoration.notes,
      };
    } finally {
      await restoration.close();
    }
  } finally {
    await Promise.all(stores.map((store) => store.close()));
  }
};

/** Failures that come before anything is written. */
const untouched: readonly string[] = ["TargetNotEmpty", "ClientToolMissing"];

/** From here on the target is not what it was: whoever reads the failure must know. */
const leftIncomplete = (error: unknown): never => {
  if (!(error instanceof Failure) || untouched.includes(error.type)) throw error;
  throw new Failure(error.type, `${error.message}; the target holds an incomplete restore, which another one with --replace replaces`, {
    cause: error.cause,
  });
};

async function* rangeContent(access: SnapshotAccess, range: string, store: Store, signal: AbortSignal): AsyncIterable<Uint8Array> {
  const opened = await fetchRange(access, range, store, signal);
  yield* readRange(opened, (pack, at) => store.get(packKey(pack), signal, at));
}

type Content = (range: string, store: Store) => AsyncIterable<Uint8Array>;
type OnDamage = (store: Store, failure: Failure) => void;

const readDefinitions = async (manifest: Manifest, stores: readonly Store[], content: Content, onDamage: OnDamage) => {
  const definitions: { name: string; target: unknown; content: Uint8Array }[] = [];
  for (const stream of manifest.streams.filter(({ kind }) => kind === "definition")) {
    const whole: Uint8Array[] = [];
    for (const { id } of stream.ranges) {
      const blocks = await fromAnyStore(
        stores,
        async (store) => {
          const read: Uint8Array[] = [];
          for await (const block of content(id, store)) read.push(Uint8Array.from(block));
          return read;
        },
        onDamage,
      );
      whole.push(...blocks);
    }
    definitions.push({ name: stream.name, target: stream.target, content: Buffer.concat(whole) });
  }
  return definitions;
};

const writeRows = async (
  manifest: Manifest,
  restoration: Restoration,
  stores: readonly Store[],
  content: Content,
  onDamage: OnDamage,
  parallelism: number,
  report: (progress: JobProgress) => void,
  signal: AbortSignal,
): Promise<{ rows: number; bytes: number }> => {
  let rows = 0;
  let bytes = 0;
  report({ bytes, rows, current: "creating tables" });
  await restoration.prepare();
  const ranges = manifest.streams
    .filter(({ kind }) => kind === "rows")
    .flatMap((stream) => stream.ranges.map((range) => ({ stream, range })))
    .sort((a, b) => b.range.bytes - a.range.bytes);
  await eachLimited(ranges, parallelism, async ({ stream, range }) => {
    signal.throwIfAborted();
    let written = 0;
    await fromAnyStore(
      stores,
      async (store) => {
        bytes -= written;
        written = 0;
        const counted = async function* (): AsyncIterable<Uint8Array> {
          for await (const block of content(range.id, store)) {
            yield block;
            written += block.length;
            bytes += block.length;
            report({ bytes, rows, current: stream.name });
          }
        };
        await restoration.write(stream, counted());
      },
      onDamage,
    );
    if (written !== range.bytes) {
      throw new Failure("ObjectCorrupt", `range ${range.id} of ${stream.name} gave ${written} bytes, the manifest says ${range.bytes}`);
    }
    rows += range.rows;
  });
  report({ bytes, rows, current: "indexes and constraints" });
  await restoration.finish();
  return { rows, bytes };
};
