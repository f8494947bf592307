import { listAuditTokens, recordAuditToken, revokeAuditToken } from "../../../core/catalog/audit-tokens.ts";
import { durationMs, parseDuration } from "../../../core/domain/duration.ts";
import { Failure } from "../../../core/domain/failure.ts";
import { entryKinds } from "../../../core/ledger/verify/entry.ts";
import type { Site } from "../../../core/site/site.ts";
import { hashAuditToken, makeAuditToken } from "../../http/audit-token.ts";
import { exitCodes } from "../exit.ts";
import { withCatalog } from "../open-site.ts";
import type { CommandAction, CommandInput } from "../program.ts";
import { bold, dim, good, say, table, utcMinute } from "../terminal.ts";

export const action: CommandAction = (input) => {
  switch (input.args[0]) {
    case "create":
      return withCatalog(input, (site) => create(input, site));
    case "list":
      return withCatalog(input, (site) => list(input, site));
    case "revoke":
      return withCatalog(input, (site) => revoke(input, site));
    default:
      throw new Failure("UsageInvalid", `audit token knows create, list and revoke (was given "${input.args[0]}")`);
  }
};

const create = async ({ options, json }: CommandInput, site: Site): Promise<number> => {
  const auditor = options.auditor;
  if (typeof auditor !== "string" || auditor.trim() === "" || auditor.length > 200)
    throw new Failure("UsageInvalid", "audit token create needs --auditor, a name for the list; it is kept in the catalog, not in the log");
  const validFor = String(options.validFor);
  const createdAt = new Date();
  if (parseDuration(validFor) === undefined) throw new Failure("UsageInvalid", `--valid-for must be a duration as 30d (is "${validFor}")`);
  const expiresAt = new Date(createdAt.getTime() + durationMs(validFor)).toISOString();
  const databases = names(options.databases);
  for (const name of databases ?? []) site.database(name);
  const kinds = names(options.kinds);
  const unknown = kinds?.find((kind) => !entryKinds.some((known) => known === kind));
  if (unknown !== undefined)
    throw new Failure("UsageInvalid", `there are no entries of kind "${unknown}"; there are ${entryKinds.join(", ")}`);
  const { id, token } = makeAuditToken();
  await recordAuditToken(await site.catalog(), { id, auditor, databases, kinds, hash: hashAuditToken(token), createdAt, expiresAt });
  if (json) process.stdout.write(`${JSON.stringify({ id, token, auditor, databases, kinds, expiresAt })}\n`);
  else {
    say(`${good("✓")} ${bold(id)} for ${auditor}, until ${utcMinute(expiresAt)} UTC. It is shown once, and kept nowhere:`);
    say(token);
  }
  return exitCodes.done;
};

/** Comma-separated; null for everything. */
const names = (text: string | boolean | undefined): string[] | null =>
  typeof text === "string" ? [...new Set(text.split(",").map((name) => name.trim()))] : null;

const list = async ({ json }: CommandInput, site: Site): Promise<number> => {
  const tokens = await listAuditTokens(await site.catalog());
  if (json) process.stdout.write(`${JSON.stringify({ tokens })}\n`);
  else if (tokens.length === 0) say("there are no tokens");
  else {
    const now = new Date().toISOString();
    const rows = tokens.map(({ id, auditor, databases, kinds, expiresAt, revokedAt }) => [
      ...[id, auditor, databases?.join(", ") ?? "all", kinds?.join(", ") ?? "all"],
      revokedAt !== null ? dim(`revoked ${utcMinute(revokedAt)}`) : expiresAt <= now ? dim("expired") : `until ${utcMinute(expiresAt)}`,
    ]);
    say(table(["token", "auditor", "databases", "kinds", "valid (UTC)"], rows));
  }
  return exitCodes.done;
};

const revoke = async ({ args, json }: CommandInput, site: Site): Promise<number> => {
  const id = args[1];
  if (id === undefined) throw new Failure("UsageInvalid", "audit token revoke needs the token's id, as audit token list shows it");
  if (!(await revokeAuditToken(await site.catalog(), id, new Date())))
    throw new Failure("NameUnknown", `there is no audit token "${id}"; dbgov audit token list shows those that there are`);
  if (json) process.stdout.write(`${JSON.stringify({ id, revoked: true })}\n`);
  else say(`${good("✓")} ${id} opens nothing any more`);
  return exitCodes.done;
};
