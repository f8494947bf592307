import type { Trust } from "../../core/ledger/verify/audit.ts";
import type { MisbehaviorReport } from "../../core/ledger/verify/misbehavior.ts";
import type { PeriodReport } from "../../core/ledger/verify/period.ts";
import { durationWords, objectiveWords } from "../period-page/objective-words.ts";
import type { Step } from "./steps.ts";

type Failures = PeriodReport["failures"];

/** The parts that each step is about, as failures name them; what none of them is about stands under the first. */
const subjects: readonly (readonly [name: string, about: RegExp])[] = [
  ["The log stands by this checkpoint", /^checkpoint(?!\.cosignatures)/],
  ["Each entry is in the log", /(^|\.|\])inclusion$/],
  [
    "Entries are of the named database, in order, and none is missing",
    /^page|^entries$|^before$|^after$|(sequence|index|\.entry|\.time)$|^database/,
  ],
  ["Manifests were signed by a known key", /\.signer$/],
  ["The log only grew since you last looked", /^consistency/],
  ["Witnesses have seen the same log", /^checkpoint\.cosignatures/],
  ["A public chain recorded it", /^anchors/],
  ["A time-stamping authority saw it", /^timestamps/],
];

const within = (part: string): string => part.replace(/^pages\[\d+\]\./, "");
const said = (failures: Failures): string =>
  failures
    .slice(0, 20)
    .map(({ part, reason }) => `${part} ${reason}`)
    .join("; ");

/** What the audit of a statement has checked, and which objectives it tells of. The verdict is the report's alone. */
export const stepsOfPeriod = (trust: Trust, report: PeriodReport, files: number): Step[] => {
  const { failures, period, anchors, timestamps, cosignatures, checkpoint } = report;
  const about = (subject: RegExp): Failures => failures.filter(({ part }) => subject.test(within(part)));
  const others = failures.filter(({ part }) => !subjects.some(([, subject]) => subject.test(within(part))));
  const told: Step[] = [];
  if (others.length > 0) told.push({ name: "The file is a statement", state: "wrong", detail: said(others) });
  else told.push({ name: "The file is a statement", state: "right", detail: files === 1 ? "one file" : `${files} pages` });
  const right: readonly (string | undefined)[] = [
    checkpoint === null ? undefined : `size ${checkpoint.size}, signed by ${trust.log.origin}`,
    period === null ? undefined : `${Object.values(period.kinds).reduce((sum, count) => sum + count, 0)} entries`,
    period === null
      ? undefined
      : `“${period.database}”, ${period.from} to ${period.to}${period.closed ? "" : "; one that was left out at the end would not be noticed"}`,
    trust.signingKeys && "as your policy lists them",
    trust.since && `it extends your checkpoint of size ${trust.since.size}`,
    trust.witnesses && cosignatures.map(({ witness }) => witness).join(", "),
    anchors.length === 0 ? undefined : anchors.map(({ chainId, block, time }) => `chain ${chainId}, block ${block}, ${time}`).join("; "),
    timestamps.length === 0 ? undefined : timestamps.map(({ authority, time }) => `${authority}, ${time}`).join("; "),
  ];
  for (const [at, [name, subject]] of subjects.entries()) {
    // Evidence that the policy does not ask for may be there, not hold, and leave the statement verified: it must not look as if it held.
    const unverified = [...anchors, ...timestamps].flatMap(({ reason = "" }) => (subject.test(reason) ? [reason] : []));
    const wrong = [said(about(subject)), ...unverified].filter((one) => one !== "");
    if (wrong.length > 0) told.push({ name, state: "wrong", detail: wrong.join("; ") });
    else told.push({ name, state: right[at] === undefined ? "not asked for" : "right", detail: right[at] ?? "not asked for, or not told" });
  }
  return [...told, ...objectivesOf(report)];
};

const objectivesOf = ({ period }: PeriodReport): Step[] =>
  (period?.objectives ?? []).map(({ objective, limit, worst, met, saidBy }) => ({
    name: `${objectiveWords[objective]} ${durationWords(limit)}: ${met ? "met" : "missed"}`,
    state: met ? "right" : "missed",
    detail: `${worst === null ? "nothing was measured" : `at worst ${durationWords(worst)}`}; ${saidBy === "policy" ? "your policy says so" : "the operator says so, in the statement"}`,
  }));

export const stepsOfMisbehavior = ({ verified, misbehavior, failures }: MisbehaviorReport): Step[] => [
  verified
    ? { name: "The log's keys signed two views that cannot both be true", state: "right", detail: misbehavior ?? "" }
    : { name: "The log's keys signed two views that cannot both be true", state: "wrong", detail: said(failures) },
];
