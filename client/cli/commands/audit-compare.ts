import { writeFile } from "node:fs/promises";
import { Failure } from "../../../core/domain/failure.ts";
import { parseBundle, parseTrust } from "../../../core/ledger/verify/audit.ts";
import { misfitOfBundle, type ProofBundle } from "../../../core/ledger/verify/bundle.ts";
import { compareViews, type Shown } from "../../../core/ledger/verify/compare.ts";
import { exitCodes } from "../exit.ts";
import type { CommandAction } from "../program.ts";
import { parsedFile, readText } from "../read-text.ts";
import { bad, bold, good, say } from "../terminal.ts";

/** Needs the files and nothing else, as the audit itself. */
export const action: CommandAction = async ({ args, options, json }) => {
  const [first, second] = args as readonly [string, string];
  if (typeof options.trust !== "string") throw new Failure("UsageInvalid", "name the trust policy by --trust FILE: its key tells the log");
  const trust = await parsedFile(options.trust, parseTrust);
  const comparison = compareViews(await shownIn(first), await shownIn(second), trust);
  const { verified, common, misbehavior, failures } = comparison;
  const out = String(options.out);
  if (misbehavior !== null) await writeFile(out, `${JSON.stringify(misbehavior, undefined, 2)}\n`);
  if (json) process.stdout.write(`${JSON.stringify({ ...comparison, misbehavior: misbehavior === null ? null : out })}\n`);
  else if (verified) say(`${good("✓")} ${bold(first)} and ${bold(second)} show one log, the same up to size ${common}`);
  else for (const { part, reason } of failures) say(`${bad("✗")} ${part} ${reason}`);
  if (!json && misbehavior !== null) say(`  the proof is in ${bold(out)}; anybody can check it with: dbgov audit ${out} --trust TRUST`);
  return verified ? exitCodes.done : exitCodes.verification;
};

/** A bundle, or else the text of a checkpoint. */
const shownIn = async (path: string): Promise<Shown> => {
  const text = await readText(path);
  if (!text.trimStart().startsWith("{")) return { note: text };
  const bundle = await parsedFile(path, parseBundle);
  const misfit = misfitOfBundle(bundle);
  if (misfit !== undefined) throw new Failure("UsageInvalid", `${path}: its ${misfit.part} ${misfit.reason}`);
  return { bundle: bundle as ProofBundle };
};
