import { type AuditFailure, type AuditReport, auditBundle, refuteSigner } from "./audit.ts";
import { checkAttestation, type ProofBundle } from "./bundle.ts";
import { checkEntry, commit, entryBytes, type LogEntry } from "./entry.ts";
import { fromHex, leafHash } from "./hash.ts";
import { longestProof, verifyInclusion } from "./merkle.ts";
import { count, exactly, hash, listOf, object, time } from "./shape.ts";
import type { Trust } from "./trust.ts";

/** An entry with its way to the statement's checkpoint. */
export interface ProvenEntry {
  readonly entry: LogEntry;
  readonly index: number;
  readonly inclusion: readonly string[];
}

/** All that the log has of one database in a period, without a gap, under one checkpoint. */
export interface PeriodStatement extends Omit<ProofBundle, "format" | "entry" | "index" | "inclusion" | "database"> {
  readonly format: "dbgov-period";
  readonly database: { readonly name: string; readonly salt: string };
  readonly from: string;
  readonly to: string;
  /** In the order of their sequence. */
  readonly entries: readonly ProvenEntry[];
  /** The database's last entry from before, unless the first one of the period is its first of all. */
  readonly before?: ProvenEntry;
  /** The database's first entry from after; without it nothing shows that none was left out at the end. */
  readonly after?: ProvenEntry;
}

export interface PeriodReport extends Omit<AuditReport, "entry"> {
  /** Null unless everything is verified. */
  readonly period: PeriodSummary | null;
}

export interface PeriodSummary {
  readonly database: string;
  readonly from: string;
  readonly to: string;
  /** Whether an entry from after the period shows that nothing was left out at its end. */
  readonly closed: boolean;
  /** How many entries there are of each kind. */
  readonly kinds: Readonly<Record<string, number>>;
  /** The longest time without a snapshot's beginning, from the period's begin to its end. */
  readonly longestWithoutSnapshotSeconds: number;
  readonly drills: readonly { readonly time: string; readonly identical: boolean; readonly seconds: number }[];
  readonly deletions: readonly { readonly time: string; readonly snapshot: string; readonly reason: string }[];
}

const proven = object({ entry: checkEntry, index: count, inclusion: listOf(hash, longestProof) });
const checkPeriod = object(
  {
    ...checkAttestation.required,
    format: exactly("dbgov-period"),
    database: checkAttestation.database,
    from: time,
    to: time,
    entries: listOf(proven, 10_000),
  },
  { ...checkAttestation.optional, before: proven, after: proven },
);

/** Checks a statement against what the auditor trusts. Never throws on what a parser has made of a file. */
export const auditPeriod = (value: unknown, trust: Trust): PeriodReport => {
  const misfit = checkPeriod(value, "");
  const nothing = { verified: false, period: null, checkpoint: null, cosignatures: [], anchors: [], timestamps: [] };
  if (misfit !== undefined) return { ...nothing, failures: [{ part: misfit.part || "statement", reason: misfit.reason }] };
  const statement = value as PeriodStatement;
  const { from, to, entries, before, after, database, format: _, ...attestation } = statement;
  const shown: readonly [string, ProvenEntry][] = [
    ...(before === undefined ? [] : [["before", before] as [string, ProvenEntry]]),
    ...entries.map((one, at): [string, ProvenEntry] => [`entries[${at}]`, one]),
    ...(after === undefined ? [] : [["after", after] as [string, ProvenEntry]]),
  ];
  const last = shown.at(-1)?.[1];
  if (last === undefined || from > to)
    return { ...nothing, failures: [{ part: "entries", reason: "has no entry, or the period ends before it begins" }] };
  // What attests the checkpoint is checked as in a bundle of the last entry.
  const { entry: proof, failures: found, ...report } = auditBundle({ ...attestation, format: "dbgov-proof", ...last, database }, trust);
  const failures: AuditFailure[] = [...found];
  const fail = (part: string, reason: string): void => void failures.push({ part, reason });
  const head = report.checkpoint;
  if (head !== null && proof !== null) {
    for (const [part, { entry, index, inclusion }] of shown) {
      if (!verifyInclusion(leafHash(entryBytes(entry)), index, head.size, inclusion.map(fromHex), fromHex(head.root)))
        fail(`${part}.inclusion`, `does not lead from the entry, at index ${index}, to the checkpoint's root`);
    }
  }
  // That of the last one is among what the bundle's audit has found.
  for (const [part, { entry }] of shown.slice(0, -1)) refuteSigner(entry, `${part}.entry`, trust, fail);
  refuteSequence(statement, shown, fail);
  const verified = failures.length === 0;
  return { ...report, verified, failures, period: verified ? summaryOf(statement) : null };
};

const refuteSequence = (
  { database, from, to, entries, before, after }: PeriodStatement,
  shown: readonly [string, ProvenEntry][],
  fail: (part: string, reason: string) => void,
): void => {
  const commitment = commit(database.name, database.salt);
  for (const [at, [part, { entry, index }]] of shown.entries()) {
    if (!("database" in entry) || entry.database !== commitment) fail(`${part}.entry`, "is not of the statement's database");
    const previous = shown[at - 1]?.[1];
    const expected = previous === undefined ? (before === undefined ? 1 : entry.sequence) : previous.entry.sequence + 1;
    if (entry.sequence !== expected)
      fail(`${part}.entry.sequence`, `is ${entry.sequence}, and ${expected} must come here: an entry is missing`);
    if (previous !== undefined && index <= previous.index) fail(`${part}.index`, "is not after that of the entry before");
  }
  // Between them the log's order may differ a little from that of times, since an event is named before it is appended.
  for (const [part, one] of [
    ["entries[0]", entries[0]],
    [`entries[${entries.length - 1}]`, entries.at(-1)],
  ] as const) {
    if (one !== undefined && (one.entry.time < from || one.entry.time > to)) fail(`${part}.entry.time`, "does not lie in the period");
  }
  if (before !== undefined && before.entry.time >= from) fail("before.entry.time", "lies in the period");
  if (after !== undefined && after.entry.time <= to) fail("after.entry.time", "lies in the period");
};

const summaryOf = ({ database, from, to, entries: shown, after }: PeriodStatement): PeriodSummary => {
  const entries = shown.filter(({ entry: { time } }) => time >= from && time <= to);
  const kinds: Record<string, number> = {};
  for (const { entry } of entries) kinds[entry.kind] = (kinds[entry.kind] ?? 0) + 1;
  const captured = entries.flatMap(({ entry }) => (entry.kind === "snapshot-sealed" ? [Date.parse(entry.capturedAt)] : []));
  const marks = [Date.parse(from), ...captured.toSorted((a, b) => a - b), Date.parse(to)];
  const gaps = marks.slice(1).map((mark, at) => Math.max(0, mark - marks[at]!) / 1000);
  return {
    database: database.name,
    from,
    to,
    closed: after !== undefined,
    kinds,
    longestWithoutSnapshotSeconds: Math.max(...gaps),
    drills: entries.flatMap(({ entry }) =>
      entry.kind === "drilled" ? [{ time: entry.time, identical: entry.identical, seconds: entry.seconds }] : [],
    ),
    deletions: entries.flatMap(({ entry }) =>
      entry.kind === "deleted" ? [{ time: entry.time, snapshot: entry.snapshot, reason: entry.reason }] : [],
    ),
  };
};
