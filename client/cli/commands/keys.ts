import { dirname, join } from "node:path";
import { parse } from "yaml";
import { signingKey } from "../../../core/config/fields.ts";
import { registerSecret } from "../../../core/config/redact.ts";
import type { SigningKeyRef } from "../../../core/config/schema.ts";
import { parseDuration } from "../../../core/domain/duration.ts";
import { Failure } from "../../../core/domain/failure.ts";
import { deployRegistry } from "../../../core/ledger/evm.ts";
import { formatNoteKey } from "../../../core/ledger/verify/note.ts";
import { createApproverKey } from "../../../core/site/create-approver-key.ts";
import { createKeys } from "../../../core/site/create-keys.ts";
import { rotateKey } from "../../../core/site/rotate-key.ts";
import { trustPolicyOf } from "../../../core/site/trust-policy.ts";
import { writeKit } from "../../../core/site/write-kit.ts";
import { withCatalog, withSite } from "../open-site.ts";
import type { CommandAction, CommandInput } from "../program.ts";
import { bold, good, say, warn } from "../terminal.ts";

export const action: CommandAction = (input) => {
  switch (input.args[0]) {
    case "init":
      return init(input);
    case "kit":
      return kit(input);
    case "show":
      return show(input);
    case "registry":
      return registry(input);
    case "rotate":
      return rotate(input);
    case "approver":
      return approver(input);
    default:
      throw new Failure("UsageInvalid", `keys knows init, kit, show, rotate, approver and registry (was given "${input.args[0]}")`);
  }
};

const init = async ({ options, json }: CommandInput): Promise<number> => {
  const folder = String(options.out);
  const files = await createKeys(folder);
  if (json) process.stdout.write(`${JSON.stringify({ folder, files })}\n`);
  else {
    say(`${good("✓")} keys are in ${bold(folder)}:`);
    for (const { name, what } of files) say(`  ${name.padEnd(20)} ${what}`);
    say(warn("  recovery.secret opens every snapshot: take it off this machine once drills have another home for it"));
  }
  return 0;
};

const kit = (input: CommandInput): Promise<number> =>
  withSite(input, async (site) => {
    await writeKit(site, new Date(), input.signal);
    const folder = site.loaded.config.recoveryKit;
    if (input.json) process.stdout.write(`${JSON.stringify({ folder })}\n`);
    else {
      say(`${good("✓")} the recovery kit is in ${bold(folder)}`);
      say("  print recovery-kit.html, and keep it where a fire here does not reach; each backup refreshes its keyring");
    }
    return 0;
  });

const show = (input: CommandInput): Promise<number> =>
  withSite(input, async (site) => {
    const recipients = await site.recipients();
    const signer = await site.signer();
    const { origin } = site.loaded.config.log;
    const logKey = formatNoteKey({ name: origin, publicKey: (await site.logSigner()).publicKey });
    if (input.json) {
      process.stdout.write(
        `${JSON.stringify({ recipients: recipients.map(({ name, id }) => ({ name, id })), signingKey: Buffer.from(signer.publicKey).toString("hex"), logKey, trust: await trustPolicyOf(site) })}\n`,
      );
    } else {
      for (const { name, id } of recipients) say(`recipient ${bold(name)}  ${id}`);
      say(`signing key  ${Buffer.from(signer.publicKey).toString("hex")}`);
      say(`log key      ${logKey}`);
    }
    return 0;
  });

const rotate = (input: CommandInput): Promise<number> =>
  withCatalog(input, async (site) => {
    const { overlap, compromised, to } = input.options;
    const purpose = input.args[1];
    if (purpose !== "log" && purpose !== "signing")
      throw new Failure("UsageInvalid", `keys rotate needs which key: log or signing (was given "${purpose ?? ""}")`);
    const now = new Date();
    const lasts = parseDuration(String(overlap));
    if (lasts === undefined) throw new Failure("UsageInvalid", "--overlap must be a number and a unit, as 30d");
    const since = typeof compromised === "string" ? timeOf(compromised, now) : undefined;
    const until = since ?? new Date(now.getTime() + lasts).toISOString();
    const fallback = { file: newKeyFile(site.loaded.config.keys[purpose === "log" ? "logKey" : "signingKey"], purpose, now) };
    const options = { purpose, to: typeof to === "string" ? keyOf(to) : fallback, until, compromised: since !== undefined } as const;
    const rotation = await rotateKey(site, options, input.signal, (keys) => say(warn(`  healed in the log's store: ${keys.join(", ")}`)));
    if (input.json) process.stdout.write(`${JSON.stringify(rotation)}\n`);
    else {
      say(`${good("✓")} the ${purpose} key is ${bold(rotation.after)}, and entry ${rotation.index} of the log says so`);
      say(`  what ${rotation.before} signs alone counts until ${rotation.until}`);
      say(`  next: give ${bold(site.loaded.path)}, with the new key, to every worker; dbgov apply; dbgov keys kit`);
      say("  auditors need a new trust policy: dbgov keys show --json has it in trust");
    }
    return 0;
  });

const timeOf = (text: string, now: Date): string => {
  const time = new Date(text);
  if (Number.isNaN(time.getTime()) || time > now)
    throw new Failure("UsageInvalid", `--compromised must be a day or a time in UTC that is over (was given "${text}")`);
  return time.toISOString();
};

/** As the configuration would have it, in YAML or JSON. */
const keyOf = (text: string): SigningKeyRef => {
  let value: unknown;
  try {
    value = parse(text);
  } catch {
    // Said below.
  }
  const read = signingKey.safeParse(value);
  if (read.success) return read.data;
  throw new Failure(
    "UsageInvalid",
    "--to must say where the new key is as the configuration does: { file: PATH }, { env: NAME }, { keyVault: … } or { command: […], publicKey: HEX }",
  );
};

/** Beside the old one, by the day. */
const newKeyFile = (old: SigningKeyRef, purpose: string, now: Date): string => {
  const folder = "file" in old ? dirname(old.file) : "keys";
  return join(folder, `${purpose}-${now.toISOString().slice(0, 10).replaceAll("-", "")}.secret`);
};

/** The pair of a person who may ask for and approve acts that need two. */
const approver = async ({ options, json }: CommandInput): Promise<number> => {
  const { name } = options;
  if (typeof name !== "string" || !/^[a-z0-9][a-z0-9-]{0,62}$/.test(name))
    throw new Failure("UsageInvalid", "keys approver needs --name, in lowercase letters, digits and dashes");
  const { path, publicText } = await createApproverKey(String(options.out), name);
  if (json) process.stdout.write(`${JSON.stringify({ name, publicKey: publicText, secret: path })}\n`);
  else {
    say(`${good("✓")} the secret is in ${bold(path)}: it is ${name}'s alone, and belongs on no server`);
    say(`  approval.approvers of the configuration: { name: ${name}, publicKey: "${publicText}" }`);
  }
  return 0;
};

const registry = async (input: CommandInput): Promise<number> => {
  const { rpc, keyEnv } = input.options;
  if (typeof rpc !== "string" || typeof keyEnv !== "string")
    throw new Failure("UsageInvalid", "keys registry needs --rpc URL and --key-env NAME");
  const key = process.env[keyEnv];
  if (key === undefined || key === "") throw new Failure("SecretMissing", `the environment variable ${keyEnv} is not set`);
  registerSecret(key);
  const chainId = Number(input.options.chainId);
  const { submitter } = input.options;
  const deployed = await deployRegistry({ rpc, chainId, key, ...(typeof submitter === "string" ? { submitter } : {}) });
  if (input.json) process.stdout.write(`${JSON.stringify({ chainId, ...deployed })}\n`);
  else
    say(
      `${good("✓")} registry ${bold(deployed.contract)} on chain ${chainId}, block ${deployed.block}, ${deployed.gasUsed.toLocaleString("en")} gas`,
    );
  return 0;
};
