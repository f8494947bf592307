import { Failure, isFailure } from "../../domain/failure.ts";
import type { Probe } from "../engine.ts";
import { describe } from "./address.ts";
import { findClientTools } from "./client-tools.ts";
import type { Session } from "./session.ts";
import { userSchema } from "./tables.ts";
import { progressSchemaPattern } from "./targets.ts";

export type Finding = Probe["problems"][number];

const supported = { oldest: 13, newest: 18 } as const;

export const majorOf = (version: number): number => Math.floor(version / 10_000);

const shown = 5;

export const listed = (names: readonly string[]): string =>
  names.length <= shown ? names.join(", ") : `${names.slice(0, shown).join(", ")} and ${names.length - shown} more`;

/** Relations that this role may not read, or may read only in part. */
const permissionsSql = `
  SELECT format('%I.%I', n.nspname, c.relname) AS name,
    CASE WHEN NOT has_schema_privilege(n.oid, 'USAGE') THEN 'schema'
      WHEN c.relkind = 'S' AND NOT has_sequence_privilege(c.oid, 'SELECT') THEN 'select'
      WHEN c.relkind <> 'S' AND NOT has_table_privilege(c.oid, 'SELECT') THEN 'select'
      WHEN c.relkind = 'r' AND c.relrowsecurity AND row_security_active(c.oid) THEN 'rows' END AS problem
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p', 'S') AND c.relpersistence <> 't' AND ${userSchema("n.nspname")} AND n.nspname !~ '^${progressSchemaPattern}$'
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
  ORDER BY 1`;

const permissionFindings = async (session: Session): Promise<Finding[]> => {
  const { user } = session.address;
  const where = describe(session.address);
  const rows = (await session.query<{ name: string; problem: string | null }>(permissionsSql)).filter((row) => row.problem !== null);
  const of = (problem: string): string[] => rows.filter((row) => row.problem === problem).map((row) => row.name);
  const findings: Finding[] = [];
  const unreadable = [...of("schema"), ...of("select")];
  if (unreadable.length > 0)
    findings.push({
      type: "PermissionMissing",
      message: `${where}: role "${user}" may not read ${listed(unreadable)}: grant it pg_read_all_data, or USAGE on the schemas and SELECT on these`,
    });
  const filtered = of("rows");
  if (filtered.length > 0)
    findings.push({
      type: "PermissionMissing",
      message: `${where}: row-level security hides rows of ${listed(filtered)} from role "${user}": give it BYPASSRLS, or use the owner's role`,
    });
  const [objects] = await session.query<{ n: number }>(unreadableObjectsSql);
  if (objects!.n > 0)
    findings.push({
      type: "PermissionMissing",
      message: `${where}: role "${user}" may not read ${objects!.n} large objects: grant it SELECT on them, or membership in their owners`,
    });
  return findings;
};

/** pg_read_all_data does not cover large objects. */
const unreadableObjectsSql = `
  SELECT count(*)::int AS n FROM pg_largeobject_metadata m
  WHERE NOT current_setting('is_superuser')::boolean AND NOT current_setting('lo_compat_privileges')::boolean AND NOT pg_has_role(m.lomowner, 'USAGE')
    AND NOT EXISTS (SELECT FROM aclexplode(m.lomacl) a
      WHERE a.privilege_type = 'SELECT' AND CASE a.grantee WHEN 0 THEN true ELSE pg_has_role(a.grantee, 'USAGE') END)`;

const toolFindings = async (session: Session): Promise<Finding[]> => {
  try {
    await findClientTools(majorOf(session.version));
    return [];
  } catch (error) {
    if (isFailure(error, "ClientToolMissing"))
      return [{ type: "ClientToolMissing", message: `${describe(session.address)}: ${error.message}` }];
    throw error;
  }
};

/** Everything that would make a capture fail or be incomplete, worst first. */
export const findProblems = async (session: Session): Promise<Finding[]> => {
  const major = majorOf(session.version);
  if (major < supported.oldest || major > supported.newest)
    return [
      {
        type: "EngineUnsupported",
        message: `${describe(session.address)} is PostgreSQL ${major}: versions ${supported.oldest} to ${supported.newest} are supported`,
      },
    ];
  return [...(await permissionFindings(session)), ...(await toolFindings(session))];
};

export const refuseProblems = async (session: Session): Promise<void> => {
  const [problem] = await findProblems(session);
  if (problem !== undefined) throw new Failure(problem.type, problem.message);
};
