import { writeFile } from "node:fs/promises";
import { registerSecret } from "../../../core/config/redact.ts";
import { Failure } from "../../../core/domain/failure.ts";
import { openDisclosedManifest } from "../../../core/ledger/disclosed-manifest.ts";
import { auditBundle, type ProofBundle, parseBundle, parseTrust } from "../../../core/ledger/verify/audit.ts";
import { parseRecipientSecret } from "../../../core/repository/keys.ts";
import { exitCodes } from "../exit.ts";
import type { CommandAction } from "../program.ts";
import { parsedFile, readText } from "../read-text.ts";
import { bad, bold, formatBytes, good, say } from "../terminal.ts";

/** Needs the files and nothing else. What is not verified is not opened. */
export const action: CommandAction = async ({ args, options, json }) => {
  const { trust: trustPath, secret: secretPath, out } = options;
  if (typeof trustPath !== "string" || typeof secretPath !== "string")
    throw new Failure("UsageInvalid", "audit open needs --trust FILE and --secret FILE, your own secret key");
  const path = args[0] as string;
  const bundle = await parsedFile(path, parseBundle);
  const { verified, failures } = auditBundle(bundle, await parsedFile(trustPath, parseTrust));
  if (!verified) {
    if (json) process.stdout.write(`${JSON.stringify({ verified, failures })}\n`);
    else for (const { part, reason } of failures) say(`${bad("✗")} ${bold(path)}: ${part} ${reason}`);
    return exitCodes.verification;
  }
  const secretText = await readText(secretPath);
  registerSecret(secretText.trim());
  const manifest = await openDisclosedManifest(bundle as ProofBundle, await parseRecipientSecret(secretText));
  if (typeof out === "string") await write(out, `${JSON.stringify(manifest, undefined, 2)}\n`);
  const { snapshot, database, engine, capturedAt, consistency } = manifest;
  const streams = manifest.streams.map(({ name, kind, rows, bytes, sum }) => ({ name, kind, rows, bytes, sum }));
  if (json)
    process.stdout.write(`${JSON.stringify({ verified, snapshot, database, engine, capturedAt, consistency, streams, failures })}\n`);
  else {
    say(`${good("✓")} ${bold(path)} is verified, and its manifest is the one that was logged`);
    say(`  snapshot ${snapshot} of ${database} (${engine}), captured at ${capturedAt}, ${consistency}`);
    for (const { name, rows, bytes } of streams) say(`  ${name}: ${rows.toLocaleString("en")} rows, ${formatBytes(bytes)}`);
  }
  return exitCodes.done;
};

const write = async (path: string, text: string): Promise<void> => {
  try {
    await writeFile(path, text);
  } catch (cause) {
    throw new Failure("UsageInvalid", `${path} cannot be written`, { cause });
  }
};
