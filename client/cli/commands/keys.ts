import { registerSecret } from "../../../core/config/redact.ts";
import { Failure } from "../../../core/domain/failure.ts";
import { deployRegistry } from "../../../core/ledger/evm.ts";
import { formatNoteKey } from "../../../core/ledger/verify/note.ts";
import { createKeys } from "../../../core/site/create-keys.ts";
import { trustPolicyOf } from "../../../core/site/trust-policy.ts";
import { writeKit } from "../../../core/site/write-kit.ts";
import { withSite } from "../open-site.ts";
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
    default:
      throw new Failure("UsageInvalid", `keys knows init, kit, show and registry (was given "${input.args[0]}")`);
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
    await writeKit(site, new Date());
    const folder = site.loaded.config.recoveryKit;
    if (input.json) process.stdout.write(`${JSON.stringify({ folder })}\n`);
    else {
      say(`${good("✓")} the recovery kit is in ${bold(folder)}`);
      say("  print recovery-kit.html, and keep it where a fire here does not reach; each backup refreshes keyring.jsonl");
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
