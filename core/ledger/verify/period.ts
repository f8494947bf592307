import { type AuditFailure, type AuditReport, auditBundle, refuteSigner } from "./audit.ts";
import { checkAttestation, type ProofBundle } from "./bundle.ts";
import { checkEntry, commit, entryBytes, type LogEntry } from "./entry.ts";
import { fromHex, leafHash } from "./hash.ts";
import { longestProof, verifyInclusion } from "./merkle.ts";
import {
  addFact,
  checkObjectives,
  type JudgedObjective,
  judge,
  longestGap,
  noFacts,
  type Objectives,
  type PeriodFacts,
} from "./period-facts.ts";
import { count, exactly, hash, listOf, object, positive, time } from "./shape.ts";
import type { Trust } from "./trust.ts";

export interface ProvenEntry {
  readonly entry: LogEntry;
  readonly index: number;
  readonly inclusion: readonly string[];
}

/** All that the log has of one database in a period, without a gap, under one checkpoint; or one page of it. */
export interface PeriodStatement extends Omit<ProofBundle, "format" | "entry" | "index" | "inclusion" | "database"> {
  readonly format: "dbgov-period";
  readonly database: { readonly name: string; readonly salt: string };
  readonly from: string;
  readonly to: string;
  /** Which page it is, from 1, when there are more entries than one file may have: the next one goes on where it ends. */
  readonly page?: { readonly number: number; readonly of: number };
  /** What the operator says is to be met. */
  readonly objectives?: Objectives;
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
  /** When the snapshots of the period were captured. */
  readonly snapshots: readonly string[];
  readonly drills: PeriodFacts["drills"];
  readonly deletions: PeriodFacts["deletions"];
  /** A missed one leaves the statement verified: that is what it truly says. */
  readonly objectives: readonly JudgedObjective[];
}

const proven = object({ entry: checkEntry, index: count, inclusion: listOf(hash, longestProof) });
/** Fewer than that fit into the largest file; the writer makes pages of fewer. */
const mostEntries = 10_000;
const checkPeriod = object(
  {
    ...checkAttestation.required,
    format: exactly("dbgov-period"),
    database: checkAttestation.database,
    from: time,
    to: time,
    entries: listOf(proven, mostEntries),
  },
  {
    ...checkAttestation.optional,
    before: proven,
    after: proven,
    page: object({ number: positive, of: positive }),
    objectives: checkObjectives,
  },
);

/** Checks a statement that is one file against what the auditor trusts. Never throws on what a parser has made of a file. */
export const auditPeriod = (value: unknown, trust: Trust): PeriodReport => {
  const audit = startPeriodAudit(trust);
  audit.take(value);
  return audit.report();
};

/** The same for a statement of several pages: each is taken in its order, and none is kept. */
export const startPeriodAudit = (trust: Trust): { take(page: unknown): void; report(): PeriodReport } => {
  const facts = noFacts();
  const failures: AuditFailure[] = [];
  let attested: Attested = { checkpoint: null, cosignatures: [], anchors: [], timestamps: [] };
  let first: PeriodStatement | undefined;
  let previous: ProvenEntry | undefined;
  let closed = false;
  let taken = 0;
  const take = (value: unknown): void => {
    taken += 1;
    const where = taken === 1 ? "" : `pages[${taken - 1}].`;
    const fail: Fail = (part, reason) => void failures.push({ part: where + part, reason });
    const misfit = checkPeriod(value, "");
    if (misfit !== undefined) fail(misfit.part || "statement", misfit.reason);
    else add(value as PeriodStatement, fail);
  };
  const add = (statement: PeriodStatement, fail: Fail): void => {
    const page = auditPage(statement, trust, previous, fail);
    if (page === undefined) return;
    refutePage(statement, first, { taken, head: page.checkpoint, firstHead: attested.checkpoint }, fail);
    for (const { entry } of statement.entries) if (entry.time >= statement.from && entry.time <= statement.to) addFact(facts, entry);
    first ??= statement;
    attested = page;
    previous = statement.entries.at(-1) ?? previous;
    closed = statement.after !== undefined;
  };
  const report = (): PeriodReport => {
    const of = first?.page?.of ?? 1;
    const missing =
      failures.length > 0 || taken === of
        ? []
        : [{ part: "page", reason: `is one of ${of}, and ${taken} of them ${taken === 1 ? "was" : "were"} given` }];
    const found = [...failures, ...missing];
    const verified = found.length === 0 && first !== undefined;
    return { ...attested, verified, failures: found, period: verified ? summaryOf(first!, facts, closed, trust) : null };
  };
  return { take, report };
};

type Attested = Omit<PeriodReport, "period" | "verified" | "failures">;
type Fail = (part: string, reason: string) => void;

/** What attests the checkpoint is checked as in a bundle of the last entry that is shown. */
const auditPage = (statement: PeriodStatement, trust: Trust, previous: ProvenEntry | undefined, fail: Fail): Attested | undefined => {
  const { from, to, entries, before, after, database, format: _, page: __, objectives: ___, ...attestation } = statement;
  const shown: readonly [string, ProvenEntry][] = [
    ...(before === undefined ? [] : [["before", before] as [string, ProvenEntry]]),
    ...entries.map((one, at): [string, ProvenEntry] => [`entries[${at}]`, one]),
    ...(after === undefined ? [] : [["after", after] as [string, ProvenEntry]]),
  ];
  const last = shown.at(-1)?.[1];
  if (last === undefined || from > to) {
    fail("entries", "has no entry, or the period ends before it begins");
    return undefined;
  }
  const audited = auditBundle({ ...attestation, format: "dbgov-proof", ...last, database }, trustForPage(statement, trust));
  const { entry: proof, failures, verified: ____, ...report } = audited;
  for (const { part, reason } of failures) fail(part, reason);
  const head = report.checkpoint;
  if (head !== null && proof !== null) {
    for (const [part, { entry, index, inclusion }] of shown) {
      if (!verifyInclusion(leafHash(entryBytes(entry)), index, head.size, inclusion.map(fromHex), fromHex(head.root)))
        fail(`${part}.inclusion`, `does not lead from the entry, at index ${index}, to the checkpoint's root`);
    }
  }
  // That of the last one is among what the bundle's audit has found.
  for (const [part, { entry }] of shown.slice(0, -1)) refuteSigner(entry, `${part}.entry`, trust, fail);
  refuteSequence(statement, shown, previous, fail);
  return report;
};

/** How long before its evidence an entry may be is asked of a statement's last entry, however many pages come before: in one file it is so, too. */
const trustForPage = ({ page }: PeriodStatement, trust: Trust): Trust => {
  if (page === undefined || page.number >= page.of || trust.require === undefined) return trust;
  const { anchorWithinSeconds: _, ...require } = trust.require;
  return { ...trust, require };
};

/** Of several pages all must be of one statement, under one checkpoint, and in their order; only the outer two border on what is outside. */
const refutePage = (
  { page = { number: 1, of: 1 }, database, from, to, objectives, before, after }: PeriodStatement,
  first: PeriodStatement | undefined,
  {
    taken,
    head,
    firstHead,
  }: { readonly taken: number; readonly head: AuditReport["checkpoint"]; readonly firstHead: AuditReport["checkpoint"] },
  fail: Fail,
): void => {
  if (page.number !== taken || page.of < taken || page.of !== (first?.page?.of ?? page.of))
    fail("page", `is ${page.number} of ${page.of}, and ${taken} must come here`);
  if (before !== undefined && taken > 1) fail("before", "stands in another page than the first");
  if (after !== undefined && taken < page.of) fail("after", "stands in another page than the last");
  if (first === undefined) return;
  if (JSON.stringify([database, from, to, objectives]) !== JSON.stringify([first.database, first.from, first.to, first.objectives])) {
    fail("page", "is of another statement than the first one: database, period or objectives differ");
  }
  if (head?.size !== firstHead?.size || head?.root !== firstHead?.root) fail("checkpoint", "is another one than that of the first page");
};

const refuteSequence = (
  { database, from, to, entries, before, after, page = { number: 1, of: 1 } }: PeriodStatement,
  shown: readonly [string, ProvenEntry][],
  ofPageBefore: ProvenEntry | undefined,
  fail: Fail,
): void => {
  const commitment = commit(database.name, database.salt);
  for (const [at, [part, { entry, index }]] of shown.entries()) {
    if (!("database" in entry) || entry.database !== commitment) fail(`${part}.entry`, "is not of the statement's database");
    const previous = shown[at - 1]?.[1] ?? ofPageBefore;
    const expected = previous === undefined ? (before === undefined ? 1 : entry.sequence) : previous.entry.sequence + 1;
    if (entry.sequence !== expected)
      fail(`${part}.entry.sequence`, `is ${entry.sequence}, and ${expected} must come here: an entry is missing`);
    if (previous !== undefined && index <= previous.index) fail(`${part}.index`, "is not after that of the entry before");
  }
  // Between them the log's order may differ a little from that of times, since an event is named before it is appended.
  for (const [part, one] of [
    ["entries[0]", page.number === 1 ? entries[0] : undefined],
    [`entries[${entries.length - 1}]`, page.number === page.of ? entries.at(-1) : undefined],
  ] as const) {
    if (one !== undefined && (one.entry.time < from || one.entry.time > to)) fail(`${part}.entry.time`, "does not lie in the period");
  }
  if (before !== undefined && before.entry.time >= from) fail("before.entry.time", "lies in the period");
  if (after !== undefined && after.entry.time <= to) fail("after.entry.time", "lies in the period");
};

const summaryOf = (
  { database, from, to, objectives = {} }: PeriodStatement,
  facts: PeriodFacts,
  closed: boolean,
  trust: Trust,
): PeriodSummary => ({
  database: database.name,
  from,
  to,
  closed,
  kinds: facts.kinds,
  longestWithoutSnapshotSeconds: longestGap(facts.captured, from, to),
  snapshots: facts.captured.map((captured) => new Date(captured).toISOString()),
  drills: facts.drills,
  deletions: facts.deletions,
  objectives: judge(facts, { from, to }, { policy: trust.objectives ?? {}, statement: objectives }),
});
