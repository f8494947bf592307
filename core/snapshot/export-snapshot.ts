import { mkdir, readdir } from "node:fs/promises";
import type { ExportSummary } from "../databases/engine.ts";
import { engineOf } from "../databases/engines.ts";
import { eachLimited } from "../domain/each-limited.ts";
import { Failure } from "../domain/failure.ts";
import { type Choice, choosePart } from "./choose-part.ts";
import type { JobContext, JobProgress } from "./jobs.ts";
import { type SnapshotSource, withSnapshot } from "./snapshot-reader.ts";

export interface ExportJob extends SnapshotSource {
  /** Made when it is not there; refused when it holds anything. */
  readonly folder: string;
  readonly parallelism: number;
  readonly choice: Choice;
}

export interface ExportJobResult extends ExportSummary {
  readonly snapshot: string;
  readonly database: string;
  readonly engine: string;
  readonly folder: string;
  readonly rows: number;
  readonly bytes: number;
  readonly damaged: readonly string[];
}

/** Writes a snapshot as files that the engine's own tools read. They are plaintext: the folder is for its owner only. */
export const exportSnapshot = async (input: ExportJob, { report, signal }: JobContext<JobProgress>): Promise<ExportJobResult> =>
  await withSnapshot(input, signal, async (reader) => {
    const { snapshot, database, engine: engineName, databaseName, serverVersion } = reader.manifest;
    const engine = await engineOf(engineName);
    const definitions = await reader.definitions();
    const { part, streams, filter } = choosePart(engine, reader.manifest, definitions, input.choice);
    await reader.requireReadable(streams);
    await makeFolder(input.folder);
    const options = { definitions, streams, databaseName, serverVersion, ...(part === undefined ? {} : { part }) };
    const exportation = await engine.export(input.folder, options, signal);
    const done = { rows: 0, bytes: 0 };
    const total = streams.reduce((sum, { bytes }) => sum + bytes, 0);
    await eachLimited(
      [...streams].sort((a, b) => b.bytes - a.bytes),
      input.parallelism,
      async (stream) => {
        const counted = async function* (): AsyncIterable<Uint8Array> {
          for await (const block of reader.content(stream.ranges)) {
            signal.throwIfAborted();
            yield block;
            done.bytes += block.length;
            report({ ...done, total, current: stream.name });
          }
        };
        await exportation.write(stream, filter === undefined ? counted() : filter(stream, counted()));
        done.rows += stream.rows;
      },
    );
    const summary = await exportation.finish();
    return { snapshot, database, engine: engineName, folder: input.folder, ...done, ...summary, damaged: [...reader.damaged] };
  });

const makeFolder = async (folder: string): Promise<void> => {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const found = await readdir(folder);
    if (found.length > 0) throw new Failure("TargetNotEmpty", `folder ${folder} is not empty: it holds ${found.slice(0, 3).join(", ")}`);
  } catch (cause) {
    if (cause instanceof Failure) throw cause;
    throw new Failure("UsageInvalid", `folder ${folder} cannot be written to: ${(cause as NodeJS.ErrnoException).code}`, { cause });
  }
};
