import { writeFile } from "node:fs/promises";
import { registerSecret } from "../../../core/config/redact.ts";
import { Failure } from "../../../core/domain/failure.ts";
import { AuditInputError, type AuditReport, auditBundle, parseBundle, parseTrust } from "../../../core/ledger/verify/audit.ts";
import { confirmBlocks } from "../../../core/ledger/verify/confirm-blocks.ts";
import { auditMisbehavior, type MisbehaviorReport } from "../../../core/ledger/verify/misbehavior.ts";
import { type PeriodReport, startPeriodAudit } from "../../../core/ledger/verify/period.ts";
import type { Trust } from "../../../core/ledger/verify/trust.ts";
import { periodPage } from "../../period-page/period-page.ts";
import { exitCodes } from "../exit.ts";
import { printPeriod } from "../print-period.ts";
import type { CommandAction } from "../program.ts";
import { parsedFile } from "../read-text.ts";
import { bad, bold, good, say } from "../terminal.ts";

/** Needs the two files and nothing else: no configuration, no catalog, and a network only when `--rpc` asks for one. */
export const action: CommandAction = async ({ args, options, json }) => {
  const trustPath = options.trust;
  if (typeof trustPath !== "string")
    throw new Failure("UsageInvalid", "name the trust policy by --trust FILE; without it nothing can be trusted");
  const [bundlePath = "", ...morePaths] = args;
  const bundle = await parsedFile(bundlePath, (text) => parseBundle(text, ["dbgov-proof", "dbgov-misbehavior", "dbgov-period"]));
  const policy = await parsedFile(trustPath, parseTrust);
  const { format } = bundle as { format: string };
  const isPeriod = format === "dbgov-period";
  if (!isPeriod && (morePaths.length > 0 || options.html !== undefined))
    throw new Failure("UsageInvalid", "only a statement of a period has more files than one, and a page: give one bundle alone");
  if (format === "dbgov-misbehavior") return accuse(bundlePath, auditMisbehavior(bundle, policy), json);
  const trust = typeof options.rpc === "string" ? await confirmed(bundle, policy, options.rpc) : policy;
  if (isPeriod) {
    const audit = startPeriodAudit(trust);
    audit.take(bundle);
    for (const path of morePaths) audit.take(await parsedFile(path, (text) => parseBundle(text, ["dbgov-period"])));
    const statement = audit.report();
    if (typeof options.html === "string") await writePage(options.html, statement);
    if (json) process.stdout.write(`${JSON.stringify(statement)}\n`);
    else printPeriod(bundlePath, statement);
    return statement.verified ? exitCodes.done : exitCodes.verification;
  }
  const report = auditBundle(bundle, trust);
  if (json) process.stdout.write(`${JSON.stringify(report)}\n`);
  else print(bundlePath, report);
  return report.verified ? exitCodes.done : exitCodes.verification;
};

const writePage = async (path: string, report: PeriodReport): Promise<void> => {
  try {
    await writeFile(path, periodPage(report));
  } catch (cause) {
    throw new Failure("UsageInvalid", `${path} cannot be written`, { cause });
  }
};

const confirmed = async (bundle: Parameters<typeof confirmBlocks>[0], policy: Trust, rpc: string): Promise<Trust> => {
  if (!/^https?:$/.test(URL.parse(rpc)?.protocol ?? "")) throw new Failure("UsageInvalid", "--rpc needs a URL, as https://rpc.example.com");
  registerSecret(rpc);
  try {
    return await confirmBlocks(bundle, policy, rpc);
  } catch (error) {
    if (error instanceof AuditInputError) throw new Failure("ChainUnreachable", error.message, { cause: error });
    throw error;
  }
};

/** Done when the misbehavior is proven: then it is the log that is not to be trusted. */
const accuse = (path: string, report: MisbehaviorReport, json: boolean): number => {
  const { verified, misbehavior, failures } = report;
  if (json) process.stdout.write(`${JSON.stringify(report)}\n`);
  else if (verified) say(`${good("✓")} ${bold(path)} is a valid proof of misbehavior: ${misbehavior}`);
  else for (const { part, reason } of failures) say(`${bad("✗")} ${bold(path)} proves nothing: ${part} ${reason}`);
  return verified ? exitCodes.done : exitCodes.verification;
};

const print = (path: string, { verified, entry, checkpoint, cosignatures, anchors, timestamps, failures }: AuditReport): void => {
  say(verified ? `${good("✓")} ${bold(path)} is verified` : `${bad("✗")} ${bold(path)} is not verified`);
  if (entry !== null)
    say(`  entry ${entry.index}: ${entry.kind}${entry.databaseName === undefined ? "" : ` of ${entry.databaseName}`}, ${entry.time}`);
  if (checkpoint !== null) say(`  checkpoint of size ${checkpoint.size}, root ${checkpoint.root}`);
  for (const { verified: held, chainId, block, time, transaction, reason } of anchors) {
    say(
      `  ${held ? good("✓") : bad("✗")} anchored on chain ${chainId} in block ${block} at ${time}${reason === undefined ? "" : `: ${reason}`}`,
    );
    say(`      transaction ${transaction}`);
  }
  for (const { witness, time } of cosignatures) say(`  ${good("✓")} cosigned by ${witness} at ${new Date(time * 1000).toISOString()}`);
  for (const { verified: held, time, authority, reason } of timestamps)
    say(held ? `  ${good("✓")} time-stamped by ${authority} at ${time}` : `  ${bad("✗")} ${reason}`);
  for (const { part, reason } of failures) say(`  ${bad("✗")} ${part} ${reason}`);
};
