import { Failure, isFailure } from "../../domain/failure.ts";
import { describe } from "./address.ts";
import { majorOf } from "./findings.ts";
import { quoteIdentifier } from "./quoting.ts";
import type { Session } from "./session.ts";
import type { SchemaTarget } from "./targets.ts";

/** How an archive has to be restored into this server, and what that leaves out. */
export interface Fit {
  readonly options: readonly string[];
  readonly notes: readonly string[];
}

/** Roles that are missing, or that the restoring role could not give objects to. */
const unusableRoles = async (session: Session, names: readonly string[]): Promise<string[]> => {
  const rows = await session.query<{ name: string }>(
    `SELECT wanted AS name FROM unnest($1::text[]) AS wanted LEFT JOIN pg_roles r ON r.rolname = wanted
     WHERE r.oid IS NULL OR NOT pg_has_role(r.oid, 'MEMBER')`,
    [names],
  );
  return rows.map((row) => row.name);
};

const missing = async (
  session: Session,
  catalog: "pg_roles" | "pg_tablespace",
  column: string,
  names: readonly string[],
): Promise<string[]> => {
  const rows = await session.query<{ name: string }>(
    `SELECT wanted AS name FROM unnest($1::text[]) AS wanted WHERE NOT EXISTS (SELECT FROM ${catalog} WHERE ${column} = wanted)`,
    [names],
  );
  return rows.map((row) => row.name);
};

/**
 * Owners and grants are kept when every role they name is there and usable; otherwise everything belongs to the restoring role.
 * Throws when the server is older than the source, or lacks roles that policies name.
 */
export const fitArchive = async (session: Session, schema: SchemaTarget): Promise<Fit> => {
  const where = describe(session.address);
  if (majorOf(session.version) < majorOf(schema.serverVersion))
    throw new Failure(
      "EngineUnsupported",
      `${where} is PostgreSQL ${majorOf(session.version)}, the snapshot is of PostgreSQL ${majorOf(schema.serverVersion)}: restore into that version or a newer one`,
    );
  const forPolicies = await missing(session, "pg_roles", "rolname", schema.roles.policies);
  if (forPolicies.length > 0)
    throw new Failure(
      "RestoreFailed",
      `${where} lacks roles that row-level security policies of the snapshot name: create ${forPolicies.join(", ")} first`,
    );
  const options: string[] = [];
  const notes: string[] = [];
  const owners = await unusableRoles(session, schema.roles.owners);
  const grantees = await missing(session, "pg_roles", "rolname", schema.roles.grantees);
  if (owners.length + grantees.length > 0) {
    options.push("--no-owner", "--no-acl");
    const roles = [...new Set([...owners, ...grantees])].join(", ");
    notes.push(`Owners and grants were not restored, since these roles are missing or not usable on the target: ${roles}.`);
  }
  const tablespaces = await missing(session, "pg_tablespace", "spcname", schema.tablespaces);
  if (tablespaces.length > 0) {
    options.push("--no-tablespaces");
    notes.push(`Everything was restored into the default tablespace, since the target lacks ${tablespaces.join(", ")}.`);
  }
  const unspeakable = await unspeakableSubscriptions(session, schema);
  if (unspeakable !== undefined) {
    options.push("--no-subscriptions");
    notes.push(`Subscriptions were not restored (${(schema.subscriptions ?? []).join(", ")}): ${unspeakable}.`);
  }
  const unloaded = await unloadedProviders(session, schema.labelProviders ?? []);
  if (unloaded.length > 0) {
    options.push("--no-security-labels");
    notes.push(`Security labels were not restored, since the target's server has not loaded who gave them: ${unloaded.join(", ")}.`);
  }
  return { options, notes };
};

/** Why subscriptions cannot be created here; undefined when they can, or there are none. */
const unspeakableSubscriptions = async (session: Session, { subscriptions, toolMajor }: SchemaTarget): Promise<string | undefined> => {
  if (subscriptions === undefined || subscriptions.length === 0) return undefined;
  // Each version of pg_dump names options of its own version: since 16 one that no older server knows.
  if (toolMajor >= 16 && majorOf(session.version) < 16)
    return `pg_dump ${toolMajor} wrote them in words that PostgreSQL ${majorOf(session.version)} does not know`;
  const [right] = await session.query<{ mayCreate: boolean }>(
    "SELECT current_setting('is_superuser')::boolean OR pg_has_role(coalesce(to_regrole('pg_create_subscription'), current_user::regrole)::oid, 'MEMBER') AND to_regrole('pg_create_subscription') IS NOT NULL AS \"mayCreate\"",
  );
  return right?.mayCreate === true ? undefined : "the restoring role may not create subscriptions";
};

/** Asks for a label that is no label, and takes it back: the answer says whether the provider is there. */
const unloadedProviders = async (session: Session, providers: readonly string[]): Promise<string[]> => {
  const unloaded: string[] = [];
  for (const provider of providers) {
    await session.query("BEGIN");
    try {
      await session.query(`SECURITY LABEL FOR ${quoteIdentifier(provider)} ON SCHEMA public IS NULL`);
    } catch (error) {
      if (!isFailure(error) || error.type === "DatabaseUnreachable") throw error;
      if (/is not loaded/.test(error.message)) unloaded.push(provider);
    }
    await session.query("ROLLBACK");
  }
  return unloaded;
};
