import { Failure } from "../../domain/failure.ts";
import { describe } from "./address.ts";
import { majorOf } from "./findings.ts";
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
  return { options, notes };
};
