import { hash } from "node:crypto";
import type { Engine, Restoration, RestoreOptions, RestoreStep, WholeWriting } from "../databases/engine.ts";
import { engineOf } from "../databases/engines.ts";
import { Failure } from "../domain/failure.ts";
import type { EngineName } from "../domain/snapshot.ts";
import { type Choice, type ChosenPart, choosePart } from "./choose-part.ts";
import { compareContent, type ExpectedContent, expectedContent } from "./compare-content.ts";
import type { JobContext, JobProgress } from "./jobs.ts";
import { runSteps } from "./run-steps.ts";
import { type ManifestRange, type SnapshotReader, type SnapshotSource, withSnapshot } from "./snapshot-reader.ts";

export interface RestoreJob extends SnapshotSource {
  /** The engine that the target speaks; a snapshot of another engine is refused. */
  readonly engine: EngineName;
  readonly url: string;
  readonly replace: boolean;
  readonly parallelism: number;
  /** Absent: the whole snapshot. */
  readonly choice?: Choice;
  /** Keep in the target how far it came; and go on from there (`resume`), rather than start. Absent: neither. */
  readonly progress?: { readonly resume: boolean };
  /** As `RestoreOptions` has them. */
  readonly scratch?: true;
  readonly tablespaces?: NonNullable<RestoreOptions["tablespaces"]>;
  readonly withoutRoles?: boolean;
}

export interface RestoreJobResult {
  readonly snapshot: string;
  readonly database: string;
  readonly rows: number;
  readonly bytes: number;
  /** Of these, what an earlier attempt had written, and this one did not write again. */
  readonly resumed: { readonly rows: number; readonly bytes: number };
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
  return await withSnapshot(input, signal, async (reader) => {
    const { manifest } = reader;
    const { restoration, chosen } = await openTarget(input, reader, signal);
    try {
      const expected = expectedContent(manifest, chosen.filter !== undefined);
      const written = await writeRows(chosen, expected, restoration, reader, input.parallelism, report, signal).catch(
        leftIncomplete(input, restoration),
      );
      const seconds = (performance.now() - started) / 1_000;
      const differences = await compareContent(chosen, expected, restoration, report);
      return {
        snapshot: manifest.snapshot,
        database: manifest.database,
        ...written,
        seconds,
        identical: differences.length === 0,
        differences,
        damaged: [...reader.damaged],
        notes: restoration.notes,
      };
    } finally {
      await restoration.close();
    }
  });
};

/** Finds out what is to be restored, and opens the target. Nothing is written yet. */
export const openTarget = async (
  input: RestoreJob,
  reader: SnapshotReader,
  signal: AbortSignal,
): Promise<{ restoration: Restoration; chosen: ChosenPart }> => {
  const { manifest } = reader;
  if (manifest.engine !== input.engine)
    throw new Failure("UsageInvalid", `snapshot ${manifest.snapshot} is of engine ${manifest.engine}; the target speaks ${input.engine}`);
  const engine = await engineOf(input.engine);
  // Definitions are read whole before the target is touched: a wrong key or a lost envelope is found here.
  await reader.requireReadable(manifest.streams.filter(({ kind }) => kind === "definition"));
  const definitions = await reader.definitions();
  const chosen = choosePart(engine, manifest, definitions, input.choice ?? { only: [], except: [] });
  await reader.requireReadable(chosen.streams);
  const restoration = await engine.restore(input.url, optionsOf(input, definitions, chosen, manifest.snapshot), signal);
  return { restoration, chosen };
};

const optionsOf = (
  { replace, parallelism, progress, scratch, tablespaces, withoutRoles }: RestoreJob,
  definitions: RestoreOptions["definitions"],
  { part }: ChosenPart,
  snapshot: string,
): Parameters<Engine["restore"]>[1] => ({
  ...{ replace, parallelism, definitions },
  ...(part === undefined ? {} : { part }),
  ...(progress === undefined ? {} : { progress: { job: jobOf(snapshot, part), resume: progress.resume } }),
  ...(scratch === undefined ? {} : { scratch }),
  ...(tablespaces === undefined ? {} : { tablespaces }),
  ...(withoutRoles === undefined ? {} : { withoutRoles }),
});

/** The same for the same snapshot and choice, whoever restores it. */
const jobOf = (snapshot: string, part: ChosenPart["part"]): string =>
  hash("sha256", JSON.stringify([snapshot, part ?? null]), "hex").slice(0, 16);

/** Failures that come before anything is written. */
const untouched: readonly string[] = ["TargetNotEmpty", "ClientToolMissing", "UsageInvalid", "EngineUnsupported"];

/** From here on the target is not what it was: whoever reads the failure must know. */
const leftIncomplete =
  ({ progress }: RestoreJob, restoration: Restoration) =>
  (error: unknown): never => {
    if (!(error instanceof Failure) || untouched.includes(error.type) || restoration.touched === false) throw error;
    const remedy = progress === undefined ? "" : ", which the same command with --resume completes, or with --replace does anew";
    throw new Failure(error.type, `${error.message}; the target holds an incomplete restore${remedy}`, { cause: error.cause });
  };

type Stream = ChosenPart["streams"][number];

const bytesOf = (ranges: readonly ManifestRange[]): number => ranges.reduce((sum, { bytes }) => sum + bytes, 0);
const rowsOf = (ranges: readonly ManifestRange[]): number => ranges.reduce((sum, { rows }) => sum + rows, 0);

const writeRows = async (
  { streams, filter }: ChosenPart,
  expected: ExpectedContent,
  restoration: Restoration,
  reader: SnapshotReader,
  parallelism: number,
  report: (progress: JobProgress) => void,
  signal: AbortSignal,
): Promise<Pick<RestoreJobResult, "rows" | "bytes" | "resumed">> => {
  const total = bytesOf(streams.flatMap(({ ranges }) => ranges));
  const done = { rows: 0, bytes: 0 };
  const resumed = { rows: 0, bytes: 0 };
  report({ ...done, total, current: "creating tables" });
  await restoration.prepare();

  const counted = async function* ({ name }: Stream, ranges: readonly ManifestRange[]): AsyncIterable<Uint8Array> {
    for await (const block of reader.content(ranges)) {
      yield block;
      done.bytes += block.length;
      report({ ...done, total, current: name });
    }
  };
  const writePart = async (stream: Stream, range: ManifestRange): Promise<void> => {
    if (filter === undefined) {
      await restoration.write(stream, counted(stream, [range]), range.id);
      done.rows += range.rows;
    } else {
      const digested = expected.expect(stream, filter(stream, counted(stream, [range])));
      await restoration.write(stream, digested.content, range.id);
      done.rows += digested.rows();
    }
  };
  const writeWhole = async (stream: Stream, write: WholeWriting["write"]): Promise<void> => {
    await write(
      stream,
      counted(stream, stream.ranges),
      stream.ranges.map(({ id }) => id),
    );
    done.rows += stream.rows;
  };
  const stepsOf = (stream: Stream): readonly RestoreStep[] => {
    const size = bytesOf(stream.ranges);
    const completed = (): readonly RestoreStep[] => restoration.completed?.(stream, size) ?? [];
    // What is filtered has to be seen again to know what is expected of it.
    const missing = stream.ranges.filter(({ id }) => filter !== undefined || !restoration.written.has(id));
    for (const sum of [done, resumed]) {
      sum.rows += rowsOf(stream.ranges) - rowsOf(missing);
      sum.bytes += size - bytesOf(missing);
    }
    if (missing.length === 0) return completed();
    let left = missing.length;
    const step = (write: () => Promise<void>, parts: number): RestoreStep => ({
      size,
      run: async () => {
        signal.throwIfAborted();
        await write();
        left -= parts;
        return left === 0 ? completed() : [];
      },
    });
    const { whole } = restoration;
    if (whole !== undefined && filter === undefined && missing.length === stream.ranges.length && whole.isBetter(stream, size, total))
      return [step(() => writeWhole(stream, whole.write), missing.length)];
    return missing.map((range) => step(() => writePart(stream, range), 1));
  };
  await runSteps(streams.flatMap(stepsOf), parallelism);
  report({ ...done, total, current: "indexes and constraints" });
  await restoration.finish();
  return { ...done, resumed };
};
