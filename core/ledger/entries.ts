import { randomBytes } from "node:crypto";
import canonicalize from "canonicalize";
import { Failure } from "../domain/failure.ts";
import { checkEntry, type EntryBody, entryIdentity, entryVersion, type LogEntry, largestEntry } from "./verify/entry.ts";
import { toHex, utf8 } from "./verify/hash.ts";

export type { EntryBody, LogEntry } from "./verify/entry.ts";
export { commit } from "./verify/entry.ts";

/** An event to be logged exactly once. */
export interface EntryDraft {
  /** The writer's own name of the event, the same in every retry, as `sealed/20261124T021500Z-5f3a9c01d2e4`. Its hash is stored; no names of databases or people. */
  readonly identity: string;
  readonly body: EntryBody;
}

/** Which count `sequence` belongs to: a database's commitment, or "" for entries without a database. */
export const sequenceOf = (body: EntryBody): string => ("database" in body ? (body.database ?? "") : "");

/** The bytes of a new entry, with a salt of its own. Throws `UsageInvalid` when the draft does not fit its kind. */
export const sealEntry = (draft: EntryDraft, sequence: number): Uint8Array => {
  const entry: LogEntry = {
    ...draft.body,
    version: entryVersion(draft.body.kind),
    salt: toHex(randomBytes(32)),
    identity: entryIdentity(draft.identity),
    sequence,
  };
  const bytes = utf8(canonicalize(entry) ?? "");
  const misfit = checkEntry(entry, "entry");
  if (misfit !== undefined) throw new Failure("UsageInvalid", `a log entry of kind ${draft.body.kind}: ${misfit.part} ${misfit.reason}`);
  if (bytes.length > largestEntry) throw new Failure("UsageInvalid", `a log entry of kind ${draft.body.kind} has ${bytes.length} bytes`);
  return bytes;
};
