import { z } from "zod";
import { isAge } from "../domain/age.ts";
import { parseApproverKey } from "../repository/approver-key.ts";
import { size } from "./allowance-schema.ts";
import { duration, ownName } from "./fields.ts";

/** What is kept and what goes, and which acts need two persons. */

const age = z
  .string()
  .refine(isAge, "must be a number and a unit: 12h, 30d, 6mo, 7y")
  .describe("a number and a unit: `12h`, `30d`, `6mo`, `7y`; months and years are those of the calendar");

const count = (period: string) =>
  z.int().min(0).describe(`of so many ${period} that have a snapshot, the newest one is kept; 0 turns the rule off`);

const rules = {
  last: z.int().min(1).describe("so many of the newest snapshots are always kept"),
  daily: count("days"),
  weekly: count("ISO weeks"),
  monthly: count("months"),
  yearly: count("years"),
  extra: z
    .int()
    .min(0)
    .describe(
      "of snapshots that came between those of the schedule, so many of the newest are kept; they take no place of the other rules",
    ),
  minimumAge: age.describe("nothing younger is deleted, whatever the counts say"),
  maximumAge: age.describe(
    "everything older is deleted, whatever the counts say; what is held stays, and so does the newest verified snapshot",
  ),
  spacing: duration.describe(
    "a snapshot that comes sooner after one that counts is an extra one; by default half of the schedule's shortest pause. `0s` counts every one",
  ),
  mostPerRun: z
    .int()
    .min(1)
    .describe("one run lets go of so many of a database's snapshots at most; the next ones follow with the next run"),
};

export const retentionRules = z.strictObject({
  ...rules,
  last: rules.last.default(7),
  daily: rules.daily.default(7),
  weekly: rules.weekly.default(5),
  monthly: rules.monthly.default(12),
  yearly: rules.yearly.default(7),
  extra: rules.extra.default(3),
  minimumAge: rules.minimumAge.default("1d"),
  maximumAge: rules.maximumAge.optional(),
  spacing: rules.spacing.optional(),
  mostPerRun: rules.mostPerRun.default(50),
});

export const retentionOverride = z.strictObject(rules).partial();

export const rewrite = z.strictObject({
  below: z
    .int()
    .min(1)
    .max(90)
    .default(30)
    .describe(
      "a pack is sparse when less than so many percent of its bytes are needed; the next snapshots capture anew what they need of it",
    ),
  bytesPerRun: size
    .default("256MiB")
    .describe("so much content is read again at most on account of one retention run, from all databases together; `0B` rewrites nothing"),
  within: age
    .default("400d")
    .describe("a pack is left as it is when older snapshots or a lock would keep it for longer than this, for until then both are stored"),
});

export const recordClass = z.strictObject({
  name: ownName,
  minimumAge: age.optional().describe("no snapshot of the class's databases is deleted before, whatever policies say, nor by two persons"),
  maximumAge: age.optional().describe("none is kept longer, unless it is held or the newest verified one"),
});

export const tiers = z.strictObject({
  cool: age.optional().describe("packs that no snapshot of the last so long needs go to the cool tier"),
  cold: age.optional().describe("and to the cold tier after so long"),
  archive: age
    .optional()
    .describe(
      "and to the archive tier after so long, in the Azure Blob stores among `stores`, where nothing can be read for hours then: their copies count for none of `copies` and `domains`, and a pack is archived once the other stores have these, read back. Billed for 180 days at least",
    ),
});

export const approver = z.strictObject({
  name: ownName,
  publicKey: z
    .string()
    .refine((text) => parseApproverKey(text) !== undefined, "must be an approver's key, as `dbgov keys approver` prints it")
    .describe("the person's Ed25519 key (`dbgov-approver-1:…`), as `dbgov keys approver` prints it; its secret stays with that person"),
});

export const approval = z.strictObject({
  approvers: z
    .array(approver)
    .default([])
    .describe(
      "two of them must sign before retention is shortened, a hold is lifted, all of a database is deleted, or this list changes; with none, one person can",
    ),
  within: duration.default("24h").describe("an approval that the second person has not given so long after the first asked is refused"),
});
