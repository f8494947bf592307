import { writeFile } from "node:fs/promises";
import { renderText } from "../../../core/compliance/render/text.ts";
import { reportDefects, type SweepReport } from "../../../core/compliance/sweep-report.ts";
import { registerSecret } from "../../../core/config/redact.ts";
import { Failure } from "../../../core/domain/failure.ts";
import { parseRecipientSecret } from "../../../core/repository/keys.ts";
import { reportKey } from "../../../core/repository/object-keys.ts";
import { openReport } from "../../../core/repository/sealed-report.ts";
import { openStoreByUrl } from "../../../core/stores/store-address.ts";
import { exitCodes } from "../exit.ts";
import type { CommandAction } from "../program.ts";
import { readText } from "../read-text.ts";
import { bad, good, say } from "../terminal.ts";

/** Needs a store and a recipient's key: whoever reads it in many years has no more. */
export const action: CommandAction = async ({ args, options, json, signal }) => {
  const { store: address, secret: secretPath, out } = options;
  if (typeof address !== "string" || typeof secretPath !== "string") {
    throw new Failure("UsageInvalid", "sweep open needs --store ADDRESS and --secret FILE");
  }
  const secretText = await readText(secretPath);
  registerSecret(secretText.trim());
  const store = openStoreByUrl(address, process.env);
  try {
    const sealed = await store.get(reportKey(args[0] as string), signal);
    const { report: bytes } = await openReport(sealed, await parseRecipientSecret(secretText));
    const report = JSON.parse(bytes.toString("utf8")) as SweepReport;
    if (typeof out === "string") await write(out, bytes);
    const defects = reportDefects(report);
    const { id, at, hash, totals } = report;
    if (json) process.stdout.write(`${JSON.stringify({ id, at, reportHash: hash, ...totals, defects })}\n`);
    else {
      say(renderText(report, { color: process.stdout.isTTY === true, width: process.stdout.columns ?? 100 }));
      for (const defect of defects) say(`${bad("✗")} ${defect}`);
      if (defects.length === 0)
        say(`${good("✓")} nothing was altered since it had the hash ${hash}: that is the one to look for in the log`);
    }
    return defects.length === 0 ? exitCodes.done : exitCodes.verification;
  } finally {
    await store.close();
  }
};

const write = async (path: string, bytes: Uint8Array): Promise<void> => {
  try {
    await writeFile(path, bytes);
  } catch (cause) {
    throw new Failure("UsageInvalid", `${path} cannot be written`, { cause });
  }
};
