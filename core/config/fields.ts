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

export const instant = z.iso
  .datetime({ precision: 3, error: "must be a time in UTC as 2026-11-24T02:15:00.000Z" })
  .describe("a time in UTC, as `2026-11-24T02:15:00.000Z`");

export const ownName = name.describe("what the rest of the file, the CLI and the reports call it; must be unique");

/** A secret is named, never written: the configuration can be shown to anybody. */
export const secret = z
  .union([
    z.strictObject({ env: z.string().min(1).describe("the environment variable that holds the secret") }),
    z.strictObject({ file: z.string().min(1).describe("the file that holds the secret; a newline at its end does not count") }),
    z.strictObject({
      keyVault: z
        .strictObject({
          vault: z.url({ protocol: /^https?$/ }).describe("the vault's address, as `https://acme.vault.azure.net`"),
          secret: z
            .string()
            .regex(/^[0-9a-zA-Z-]{1,127}$/)
            .describe("the secret's name in it"),
          version: z
            .string()
            .regex(/^[0-9a-f]{32}$/)
            .optional()
            .describe("one version of it; without it, the newest"),
        })
        .describe("a secret of an Azure Key Vault"),
    }),
  ])
  .describe(
    "`{ env: NAME }`, `{ file: PATH }` or `{ keyVault: { vault: URL, secret: NAME } }`; a relative path starts at the configuration's folder",
  );
export type SecretRef = z.infer<typeof secret>;

/** A key that signs: a secret seed, or a program that signs where the seed cannot leave. */
export const signingKey = z
  .union([
    ...secret.options,
    z.strictObject({
      command: z
        .array(z.string().min(1))
        .min(1)
        .describe(
          "a program and its arguments: it gets the message on its standard input and writes the signature, in base64, to its standard output",
        ),
      publicKey: z
        .string()
        .regex(/^[0-9a-f]{64}$/)
        .describe("the Ed25519 public key that it signs with, as hex"),
    }),
  ])
  .describe("a secret, or `{ command: [PROGRAM, …], publicKey: HEX }`");
export type SigningKeyRef = z.infer<typeof signingKey>;
