import { z } from "zod";
import { parseDuration } from "../domain/duration.ts";

/** What fields of the configuration have in common. */

export const name = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, "must be lowercase letters, digits and dashes, at most 63")
  .describe("lowercase letters, digits and dashes");

export const duration = z
  .string()
  .refine((text) => parseDuration(text) !== undefined, "must be a number and a unit: 30s, 15m, 26h, 7d")
  .describe("a number and a unit: `30s`, `15m`, `26h`, `7d`");

export const ownName = name.describe("what the rest of the file, the CLI and the reports call it; must be unique");

/** A secret is named, never written: the configuration can be shown to anybody. */
export const secret = z
  .union([
    z.strictObject({ env: z.string().min(1).describe("the environment variable that holds the secret") }),
    z.strictObject({ file: z.string().min(1).describe("the file that holds the secret; a newline at its end does not count") }),
  ])
  .describe("`{ env: NAME }` or `{ file: PATH }`; a relative path starts at the configuration's folder");
export type SecretRef = z.infer<typeof secret>;
