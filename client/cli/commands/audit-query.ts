import { homedir } from "node:os";
import { join } from "node:path";
import { registerSecret } from "../../../core/config/redact.ts";
import { Failure } from "../../../core/domain/failure.ts";
import { parseTrust } from "../../../core/ledger/verify/audit.ts";
import { type Checkpoint, headOf } from "../../../core/ledger/verify/checkpoint.ts";
import { isAuditToken } from "../../http/audit-token.ts";
import { readKnownLog, rememberLog } from "../../http/known-logs.ts";
import { type QueriedLog, queryLog } from "../../http/query-log.ts";
import { exitCodes } from "../exit.ts";
import type { CommandAction, CommandInput } from "../program.ts";
import { parsedFile } from "../read-text.ts";
import { bad, bold, dim, good, plural, say, table, utcSecond } from "../terminal.ts";

/** Believes nothing that the API says, so it needs no configuration: only the trust policy, and what was seen last time. */
export const action: CommandAction = async (input) => {
  const { options, json, signal } = input;
  const url = apiUrl(input.args[0] as string);
  if (typeof options.trust !== "string")
    throw new Failure("UsageInvalid", "name the trust policy by --trust FILE; without it nothing can be trusted");
  const trust = await parsedFile(options.trust, parseTrust);
  const token = tokenFrom(options.tokenEnv);
  const filter = {
    database: word(options.database),
    kind: word(options.kind),
    since: instant(input, "since"),
    until: instant(input, "until"),
  };
  const path = typeof options.known === "string" ? options.known : join(homedir(), ".dbgov", "known-logs.json");
  const known = await readKnownLog(path, trust);
  const found = await queryLog({ url, token, signal }, trust, filter, known);
  if (found.verified && found.checkpoint !== null) await rememberLog(path, found.checkpoint);
  if (json) {
    const { verified, checkpoint, complete, entries, shown, failures } = found;
    const head = (one: Checkpoint | null | undefined) => (one == null ? null : headOf(one));
    const notes = { known: known?.note ?? null, shown };
    const printed = { verified, checkpoint: head(checkpoint), known: head(known), complete, entries, notes, failures };
    process.stdout.write(`${JSON.stringify(printed)}\n`);
  } else print(found, known);
  return found.verified ? exitCodes.done : exitCodes.verification;
};

const word = (value: string | boolean | undefined): string | undefined => (typeof value === "string" ? value : undefined);

/** A date, or a time with its zone, as UTC with milliseconds. */
const instant = ({ options }: CommandInput, name: "since" | "until"): string | undefined => {
  const value = options[name];
  if (typeof value !== "string") return undefined;
  const time = new Date(value);
  if (!/^\d{4}-\d\d-\d\d(T\S+(Z|[+-]\d\d:\d\d))?$/.test(value) || Number.isNaN(time.getTime()))
    throw new Failure("UsageInvalid", `--${name} must be a day or a time in UTC, as 2026-11-24 or 2026-11-24T02:15:00Z (is "${value}")`);
  return time.toISOString();
};

/** Where everybody on the way could read the token, it is not sent. */
const apiUrl = (text: string): string => {
  const url = URL.parse(text);
  const here = url !== null && ["127.0.0.1", "[::1]", "localhost"].includes(url.hostname);
  if (url?.protocol === "https:" || (url?.protocol === "http:" && here)) return url.href;
  throw new Failure(
    "UsageInvalid",
    `the audit API's URL must start with https:// (http:// only for this machine), as https://audit.example.com (is "${text}")`,
  );
};

const tokenFrom = (name: string | boolean | undefined): string => {
  if (typeof name !== "string") throw new Failure("UsageInvalid", "name the environment variable that has the token by --token-env NAME");
  const token = process.env[name];
  if (token === undefined || token === "") throw new Failure("SecretMissing", `the environment variable ${name} with the token is not set`);
  registerSecret(token);
  if (!isAuditToken(token))
    throw new Failure("UsageInvalid", `what the environment variable ${name} holds is not a token as dbgov audit token create makes it`);
  return token;
};

const print = ({ verified, checkpoint, entries, complete, failures }: QueriedLog, known: Checkpoint | undefined): void => {
  if (entries.length > 0) {
    const rows = entries.map(({ index, entry, database }) => [
      String(index),
      utcSecond(entry.time),
      entry.kind,
      database ?? dim("-"),
      String(entry.sequence),
    ]);
    say(table(["entry", "time (UTC)", "kind", "database", "sequence"], rows));
  }
  const counted = plural(entries.length, "entry", "entries");
  say(
    verified
      ? `${good("✓")} ${bold(counted)}, each proven${complete ? "; the whole log" : ""}`
      : `${bad("✗")} the answers do not hold; ${counted} of them are proven`,
  );
  if (checkpoint !== null) {
    const from = known === undefined ? "the first that is seen of it" : `extends the one of ${known.size} that was seen last`;
    say(`  checkpoint of size ${checkpoint.size}, root ${headOf(checkpoint).root}: ${from}`);
  }
  for (const { part, reason } of failures) say(`  ${bad("✗")} ${part} ${reason}`);
};
