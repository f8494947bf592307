import { z } from "zod";
import { parseWitnessKey } from "../ledger/verify/cosignature.ts";
import { duration, name, ownName, secret } from "./fields.ts";

/** The log, and who attests it from outside: witnesses, chains, time-stamping authorities. */

const wei = z.string().regex(/^[1-9]\d{0,77}$/, "must be a whole number of wei, in quotes");

const evmAnchor = z.strictObject({
  kind: z.literal("evm").describe("a chain that speaks Ethereum's JSON-RPC and has the `finalized` tag"),
  name: ownName,
  rpc: secret.describe("the JSON-RPC URL; a secret because providers put the key in it"),
  otherRpcs: z
    .array(secret)
    .default([])
    .describe(
      "JSON-RPC URLs of other providers: what one of them says is believed only once a quorum says it, and each is sent the transaction",
    ),
  quorum: z
    .int()
    .min(1)
    .optional()
    .describe(
      "of so many nodes an answer is needed; without it, of more than half. With two providers that is both: three survive the loss of one",
    ),
  chainId: z.int().min(1).describe("the chain that must answer there; another one is refused"),
  contract: z
    .string()
    .regex(/^0x[0-9a-fA-F]{40}$/, "must be 0x and 40 hex digits")
    .describe("the registry's address; `dbgov keys registry` deploys one"),
  submitterKey: secret.describe("private key of the account that submits checkpoints and pays for them; it can do nothing else"),
  every: duration.default("1h").describe("checkpoints are anchored at most this often; more often costs more"),
  afterEntries: z
    .int()
    .min(1)
    .optional()
    .describe("so many new entries are anchored at once, before `every` is over; without it only the time counts"),
  maxFeeGwei: z.number().positive().default(50).describe("the highest fee per gas that is offered; above it anchoring waits"),
  replaceAfter: duration
    .default("10m")
    .describe("a transaction that no block has taken for so long is replaced by one that offers more, up to `maxFeeGwei`"),
  budgetPerMonthWei: wei
    .optional()
    .describe(
      "the most that transactions of one calendar month (UTC) may cost, in wei; what would cost more waits for the next, and says so",
    ),
});

export const anchor = z.discriminatedUnion("kind", [evmAnchor]);

export const timestampAuthority = z.strictObject({
  name: ownName,
  url: z.url().describe("where it answers RFC 3161 requests over HTTP"),
  roots: z
    .string()
    .min(1)
    .describe("a PEM file with the root certificates that its tokens must lead to; a relative path starts at the configuration's folder"),
  every: duration.default("1h").describe("checkpoints are time-stamped at most this often"),
});

const witness = z.strictObject({
  url: z.url().describe("where it answers; `add-checkpoint` is added to it (C2SP tlog-witness)"),
  publicKey: z
    .string()
    .refine((text) => parseWitnessKey(text) !== undefined, "must be a witness's key as name+id+base64, as `dbgov witness` prints it")
    .describe("its key, as `dbgov witness` prints it"),
});

export const log = z.strictObject({
  origin: z
    .string()
    .regex(/^[^\s+]+$/, "must have no spaces and no plus sign")
    .describe("the log's name in its checkpoints, as `acme.example/dbgov`; never change it, auditors know the log by it"),
  store: name.describe("the store that holds the log's tiles; not an arweave one, since the newest checkpoint is rewritten"),
  witnesses: z
    .array(witness)
    .default([])
    .describe("processes of others that cosign a checkpoint once they see that it extends the last one"),
  witnessQuorum: z
    .int()
    .min(0)
    .default(0)
    .describe("a checkpoint is published, copied and anchored once so many witnesses have cosigned it; 0 publishes every one at once"),
});
