import type { Definition } from "../engine.ts";
import { ownedByBootstrap } from "./schema-facts.ts";
import type { Session } from "./session.ts";
import { definitionNames } from "./targets.ts";

/**
 * The roles that a database names (as owners, in grants, policies, default privileges, user mappings and settings), their members,
 * and what all of these are members of. As of the snapshot.
 */
export interface RoleFacts {
  /** Whether the reading role could see the verifiers of passwords: superusers can, and pg_read_all_data. */
  readonly verifiersKnown: boolean;
  readonly roles: readonly Role[];
  readonly memberships: readonly Membership[];
}

export interface Role {
  readonly name: string;
  readonly attributes: RoleAttributes;
  /** How many connections; -1 without a limit. */
  readonly connectionLimit: number;
  /** Until when its password is good, in ISO form; or `infinity`. */
  readonly validUntil: string | null;
  /** `ALTER ROLE … SET`, in every database. */
  readonly settings: readonly { readonly name: string; readonly value: string }[];
  readonly comment: string | null;
  /** What the server keeps of the password. A secret: it is in the sealed stream, and in nothing that anybody is told. */
  readonly verifier: string | null;
}

export interface RoleAttributes {
  readonly superuser: boolean;
  readonly inherit: boolean;
  readonly createRole: boolean;
  readonly createDatabase: boolean;
  readonly login: boolean;
  readonly replication: boolean;
  readonly bypassRls: boolean;
}

export interface Membership {
  readonly role: string;
  readonly member: string;
  readonly admin: boolean;
  /** Null on servers before 16, which have neither. */
  readonly inherit: boolean | null;
  readonly set: boolean | null;
  /** Null when it is the bootstrap superuser, who grants for all superusers, or is gone. */
  readonly grantor: string | null;
}

/** Lower numbers are the server's own: predefined roles, and the bootstrap superuser, whose memberships concern no database. */
const firstUserOid = 16_384;

const capturedRoles = `
  WITH RECURSIVE here AS (SELECT oid, datdba, datacl FROM pg_database WHERE datname = current_database()),
  named AS (
    SELECT s.refobjid AS role FROM pg_shdepend s, here WHERE s.refclassid = 'pg_authid'::regclass
      AND (s.dbid = here.oid OR (s.dbid = 0 AND s.classid = 'pg_database'::regclass AND s.objid = here.oid))
    UNION SELECT datdba FROM here
    UNION SELECT unnest(ARRAY[a.grantor, a.grantee]) FROM here, aclexplode(datacl) a
    UNION SELECT s.setrole FROM pg_db_role_setting s, here WHERE s.setdatabase = here.oid
    UNION SELECT 10::oid WHERE EXISTS (${ownedByBootstrap})),
  members AS (SELECT role FROM named UNION SELECT m.member FROM pg_auth_members m JOIN members n ON m.roleid = n.role WHERE n.role >= ${firstUserOid}),
  captured AS (SELECT role FROM members UNION SELECT m.roleid FROM pg_auth_members m JOIN captured c ON m.member = c.role WHERE c.role >= ${firstUserOid})`;

const settingsOf = (configuration: string): string => `
  coalesce((SELECT jsonb_agg(jsonb_build_object('name', split_part(c, '=', 1), 'value', substr(c, strpos(c, '=') + 1)) ORDER BY n)
    FROM unnest(${configuration}) WITH ORDINALITY u(c, n)), '[]')`;

const maySeeVerifiers = async (session: Session): Promise<boolean> => {
  const [found] = await session.query<{ may: boolean }>("SELECT has_table_privilege('pg_catalog.pg_authid', 'SELECT') AS may");
  return found?.may === true;
};

/** Of `r`, as a `Role` has them. */
export const roleColumns = (verifier: string): string => `
  r.rolname::text AS name, jsonb_build_object('superuser', r.rolsuper, 'inherit', r.rolinherit, 'createRole', r.rolcreaterole,
    'createDatabase', r.rolcreatedb, 'login', r.rolcanlogin, 'replication', r.rolreplication, 'bypassRls', r.rolbypassrls) AS attributes,
  r.rolconnlimit AS "connectionLimit", r.rolvaliduntil::text AS "validUntil", ${settingsOf("r.rolconfig")} AS settings,
  shobj_description(r.oid, 'pg_authid') AS comment, ${verifier} AS verifier`;

/** As a `Membership` has them. Options came in 16: taken from the row as JSON, they can be asked for anywhere. */
export const membershipColumns = `
  g.rolname::text AS role, r.rolname::text AS member, m.admin_option AS admin, (to_jsonb(m)->>'inherit_option')::boolean AS inherit,
  (to_jsonb(m)->>'set_option')::boolean AS set, CASE WHEN m.grantor <> 10 THEN b.rolname::text END AS grantor
  FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid JOIN pg_roles r ON r.oid = m.member LEFT JOIN pg_roles b ON b.oid = m.grantor`;

export const readRoleFacts = async (session: Session): Promise<RoleFacts> => {
  const verifiersKnown = await maySeeVerifiers(session);
  const verifier = verifiersKnown ? "(SELECT a.rolpassword FROM pg_authid a WHERE a.oid = r.oid)" : "NULL::text";
  const roles = await session.query<Role>(
    `${capturedRoles} SELECT ${roleColumns(verifier)} FROM pg_roles r WHERE r.oid IN (SELECT role FROM captured) AND r.rolname !~ '^pg_' ORDER BY r.rolname`,
  );
  const memberships = await session.query<Membership>(
    `${capturedRoles} SELECT ${membershipColumns} WHERE m.member IN (SELECT role FROM captured) AND m.member >= ${firstUserOid} ORDER BY 1, 2, b.rolname`,
  );
  return { verifiersKnown, roles, memberships };
};

/** Undefined where a snapshot has none: those of an older release. */
export const roleFactsOf = (definitions: readonly Definition[]): RoleFacts | undefined => {
  const content = definitions.find(({ name }) => name === definitionNames.roles)?.content;
  return content === undefined ? undefined : (JSON.parse(Buffer.from(content).toString("utf8")) as RoleFacts);
};

/** What of the server's roles a snapshot lacks, in sentences for the manifest. */
export const rolesLeftOut = async (session: Session): Promise<string[]> => {
  const verifiersKnown = await maySeeVerifiers(session);
  const [facts] = await session.query<{ withLogin: number; labels: number; parameters: number }>(`${capturedRoles}
    SELECT (SELECT count(*)::int FROM pg_roles r WHERE r.oid IN (SELECT role FROM captured) AND r.rolcanlogin) AS "withLogin",
      (SELECT count(*)::int FROM pg_shseclabel l WHERE l.classoid = 'pg_authid'::regclass AND l.objoid IN (SELECT role FROM captured)) AS labels,
      (SELECT count(*)::int FROM pg_shdepend s WHERE s.refclassid = 'pg_authid'::regclass AND s.dbid = 0
        AND s.classid = to_regclass('pg_catalog.pg_parameter_acl') AND s.refobjid IN (SELECT role FROM captured)) AS parameters`);
  const { withLogin, labels, parameters } = facts!;
  const notes = [
    "Of the server's roles, those are part of the snapshot that this database names, their members, and what these are members of; tablespaces are part of it by name only.",
  ];
  if (!verifiersKnown && withLogin > 0)
    notes.push(
      `Passwords of ${withLogin} roles that may log in are not part of the snapshot: reading them takes SELECT on pg_authid, as pg_read_all_data has it.`,
    );
  if (labels > 0) notes.push(`${labels} security labels of roles are not part of the snapshot.`);
  if (parameters > 0) notes.push(`Rights to set ${parameters} parameters of the server, granted to roles, are not part of the snapshot.`);
  return notes;
};
