import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Failure } from "../../core/domain/failure.ts";
import type { Checkpoint } from "../../core/ledger/verify/checkpoint.ts";
import { openTrustedCheckpoint, type Trust } from "../../core/ledger/verify/trust.ts";
import { writeDurably } from "../../core/stores/durable-file.ts";

/**
 * The last checkpoint of each log that this auditor has verified, by the log's name, as known_hosts of SSH keeps hosts: JSON of notes, each of them signed.
 * Without its memory an auditor could be shown another log each time.
 */
export const readKnownLog = async (path: string, trust: Trust): Promise<Checkpoint | undefined> => {
  const { origin } = trust.log;
  const note = (await readNotes(path))[origin];
  if (note === undefined) return undefined;
  // It was seen while its key was in force, which this file is the auditor's own witness of.
  const checkpoint = openTrustedCheckpoint(note, trust);
  if ("reason" in checkpoint) {
    throw new Failure(
      "UsageInvalid",
      `the checkpoint of ${origin} in ${path} ${checkpoint.reason}: is the trust policy another one, or the file damaged?`,
    );
  }
  return checkpoint;
};

export const rememberLog = async (path: string, { origin, note }: Checkpoint): Promise<void> => {
  const text = `${JSON.stringify({ ...(await readNotes(path)), [origin]: note }, undefined, 2)}\n`;
  try {
    await writeDurably(path, new TextEncoder().encode(text), join(dirname(path), ".unfinished"), AbortSignal.timeout(30_000), () => {});
  } catch (cause) {
    throw new Failure("UsageInvalid", `the known checkpoints cannot be written to ${path}`, { cause });
  }
};

const readNotes = async (path: string): Promise<Readonly<Record<string, string>>> => {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return {};
    throw new Failure("UsageInvalid", `the known checkpoints in ${path} cannot be read`, { cause });
  }
  try {
    const notes = JSON.parse(text) as unknown;
    if (typeof notes === "object" && notes !== null && Object.values(notes).every((note) => typeof note === "string"))
      return notes as Record<string, string>;
  } catch {
    // Said below.
  }
  // Never as if nothing were known because of a file that cannot be read: that would believe a fork.
  throw new Failure(
    "UsageInvalid",
    `${path} is not a file of known checkpoints; without them a log that was rewritten would not be noticed`,
  );
};
