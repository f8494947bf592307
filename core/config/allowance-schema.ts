import { z } from "zod";
import { parseSize } from "../domain/size.ts";
import { name } from "./fields.ts";

/** What a configuration says of quotas, services and prices. */

export const size = z
  .string()
  .refine((text) => parseSize(text) !== undefined, "must be a number and a unit: 500MB, 5GB, 1.5TiB")
  .describe("a number and a unit: `500MB`, `5GB`, `1.5TiB`");

const serviceName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, "must be lowercase letters, digits and dashes, as azure-blob-free")
  .describe("the name of a line in the table of allowances");

/** What every store can say of its quota and its place. */
export const storePlacing = {
  quota: size
    .optional()
    .describe(
      "the most that dbgov may keep there, as `5GB`; what would not fit is refused before it is copied. By default what its `service` gives for nothing, or no limit",
    ),
  service: serviceName
    .optional()
    .describe(
      "what the store is offered as, by a name of the table of allowances (docs/allowances.md): its free allowance is the quota, its price the forecast's. By default the kind's own, without an allowance",
    ),
  account: name
    .optional()
    .describe("the account that it belongs to, where several stores share one: they share its quota, which each must state alike"),
  provider: name
    .optional()
    .describe("whose it is; all stores of one provider must be of one `domain`, however many accounts they are. By default the service's"),
  region: z.string().min(1).optional().describe("where the bytes lie, for policies that name `regions`"),
};

export const databaseService = serviceName
  .optional()
  .describe(
    "the plan that the database runs on, by a name of the table of allowances, as `supabase-free`: the sweep warns before its allowance is full",
  );

/** What a policy can ask of the places of its copies. */
export const policyPlacing = {
  placement: z
    .enum(["all", "planned"])
    .default("all")
    .describe(
      "`all`: every store that the policy names gets every snapshot. `planned`: the stores are what may be used, and each database gets `copies` of them, the cheapest that have room, and keeps those it has",
    ),
  regions: z.array(z.string().min(1)).default([]).describe("where copies may lie; empty: anywhere"),
  immutable: z.boolean().default(false).describe("whether copies may lie only in stores that can make them immutable"),
  monthlyCost: z
    .number()
    .min(0)
    .optional()
    .describe(
      "the most that this policy's copies may cost a month for storage, in US dollars by the table of allowances; what would cost more is refused, and a store whose price is not known is not used",
    ),
};

export const allowance = z.strictObject({
  service: serviceName.describe("a line that is known, to change it, or a new one"),
  of: z.enum(["store", "source"]).default("store").describe("whether it keeps copies or is a database"),
  provider: name.optional().describe("whose it is; needed for a new line"),
  bytes: size.optional().describe("what is free; without it what the known line says, or nothing"),
  objects: z.int().min(1).optional().describe("how many objects are free"),
  connections: z.int().min(1).optional().describe("how many connections the plan allows"),
  requestUnits: z.int().min(1).optional().describe("request units a second that are free"),
  months: z.int().min(1).optional().describe("the free allowance ends so many months after the account was opened"),
  perGBMonth: z.number().min(0).optional().describe("US dollars for 10^9 bytes and a month beyond what is free"),
  minimumPerMonth: z.number().min(0).optional().describe("US dollars that a month costs at least"),
  note: z.string().optional().describe("what else should be known"),
  source: z.string().optional().describe("where that stands: a URL, a contract"),
  read: z.iso.date().optional().describe("when it was read there, as `2026-11-24`"),
});
