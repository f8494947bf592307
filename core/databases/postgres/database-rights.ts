import { isFailure } from "../../domain/failure.ts";
import { grantsIn } from "./large-objects.ts";
import { quoteIdentifier } from "./quoting.ts";
import type { Session } from "./session.ts";
import type { DatabaseRights, Grant } from "./targets.ts";

/** As `acldefault` has them, for a database that nobody has granted anything on. */
const currentSql = `
  SELECT pg_get_userbyid(d.datdba)::text AS owner, ${grantsIn("coalesce(d.datacl, acldefault('d', d.datdba))")} AS grants,
    d.datconnlimit AS "connectionLimit" FROM pg_database d WHERE d.datname = current_database()`;

const defaultGrants = (owner: string): Grant[] => [
  ...["TEMPORARY", "CONNECT"].map((privilege) => ({ role: "", by: owner, privilege, grantable: false })),
  ...["CREATE", "TEMPORARY", "CONNECT"].map((privilege) => ({ role: owner, by: owner, privilege, grantable: false })),
];

const setOf = (grants: readonly Grant[]): string =>
  JSON.stringify(grants.map(({ role, by, privilege, grantable }) => JSON.stringify([role, by, privilege, grantable])).sort());

const privileges = new Set(["CREATE", "TEMPORARY", "CONNECT"]);

/**
 * Gives the database its owner, its grants in place of those it has, and its limit of connections. All or nothing of it where the restoring
 * role could not connect afterwards. Returns what the target would not take, in sentences.
 */
export const applyDatabaseRights = async (session: Session, rights: DatabaseRights): Promise<string[]> => {
  const database = `DATABASE ${quoteIdentifier(session.address.database)}`;
  const current = async (): Promise<DatabaseRights> => (await session.query<DatabaseRights>(currentSql))[0]!;
  const attempt = async (sql: string): Promise<void> => {
    await session.query("SAVEPOINT one");
    try {
      await session.query(sql);
    } catch (error) {
      if (!isFailure(error) || error.type === "DatabaseUnreachable") throw error;
      await session.query("ROLLBACK TO SAVEPOINT one"); // what is not as it should be is found below
    }
  };
  await session.query("BEGIN");
  if ((await current()).owner !== rights.owner) await attempt(`ALTER ${database} OWNER TO ${quoteIdentifier(rights.owner)}`);
  const { owner, grants: before, connectionLimit } = await current();
  const named = (role: string): string => (role === rights.owner ? owner : role);
  const wanted = (rights.grants ?? defaultGrants(rights.owner)).map((grant) => ({
    ...grant,
    role: named(grant.role),
    by: named(grant.by),
  }));
  if (setOf(before!) !== setOf(wanted)) {
    for (const role of new Set(before!.map(({ role }) => role))) await attempt(`REVOKE ALL ON ${database} FROM ${grantee(role)} CASCADE`);
    for (const grant of wanted) if (privileges.has(grant.privilege)) await attempt(grantStatement(database, owner, grant));
  }
  if (connectionLimit !== rights.connectionLimit) await attempt(`ALTER ${database} CONNECTION LIMIT ${Number(rights.connectionLimit)}`);
  const after = await current();
  const [may] = await session.query<{ connect: boolean }>(
    `SELECT current_setting('is_superuser')::boolean OR
       (has_database_privilege(current_database(), 'CONNECT') AND ${Number(after.connectionLimit)} NOT BETWEEN 0 AND ${fewConnections}) AS connect`,
  );
  if (may?.connect !== true) {
    await session.query("ROLLBACK");
    return [
      "Owner, grants and limit of connections of the database were not restored: the restoring role could not have connected any more.",
    ];
  }
  await session.query("COMMIT");
  const differing = [
    ...(after.owner === rights.owner ? [] : [`the owner ${rights.owner}`]),
    ...(setOf(after.grants!) === setOf(wanted) ? [] : ["its grants"]),
    ...(after.connectionLimit === rights.connectionLimit ? [] : ["its limit of connections"]),
  ];
  if (differing.length === 0) return [];
  return [
    `Of the database, ${differing.join(", ")} could not be restored: the target lacks roles, or the restoring role is not allowed to. Restore as a superuser for that.`,
  ];
};

/** The comparison that follows a restore takes some. */
const fewConnections = 2;

const grantee = (role: string): string => (role === "" ? "PUBLIC" : quoteIdentifier(role));

/** Made by the role that made it, so that none else can take it back. */
const grantStatement = (database: string, owner: string, { role, by, privilege, grantable }: Grant): string => {
  const statement = `GRANT ${privilege} ON ${database} TO ${grantee(role)}${grantable && role !== owner ? " WITH GRANT OPTION" : ""}`;
  return by === owner ? statement : `SET LOCAL ROLE ${quoteIdentifier(by)}; ${statement}; RESET ROLE`;
};
