import { isFailure } from "../../domain/failure.ts";
import { grantsIn } from "./large-objects.ts";
import { quoteIdentifier, quoteLiteral } from "./quoting.ts";
import type { Session } from "./session.ts";
import { letsNobodyIn, setClause } from "./setting-values.ts";
import type { DatabaseFacts } from "./targets.ts";

/** What pg_dump says of a database only with `--create`. */
export const readDatabaseFacts = async (session: Session): Promise<DatabaseFacts> => {
  const [found] = await session.query<DatabaseFacts>(`
    SELECT shobj_description(d.oid, 'pg_database') AS comment,
      coalesce((SELECT jsonb_agg(jsonb_build_object('role', r.rolname, 'name', split_part(c, '=', 1), 'value', substr(c, strpos(c, '=') + 1)) ORDER BY r.rolname, n)
        FROM pg_db_role_setting s LEFT JOIN pg_roles r ON r.oid = s.setrole, unnest(s.setconfig) WITH ORDINALITY u(c, n)
        WHERE s.setdatabase = d.oid AND (s.setrole = 0 OR r.oid IS NOT NULL)), '[]') AS settings,
      jsonb_build_object('owner', pg_get_userbyid(d.datdba), 'grants', ${grantsIn("d.datacl")}, 'connectionLimit', d.datconnlimit) AS rights
    FROM pg_database d WHERE d.datname = current_database()`);
  return found!;
};

/** Gives a restored database its comment and settings. Returns what the target would not take. */
export const describeDatabase = async (session: Session, { comment, settings }: DatabaseFacts): Promise<string[]> => {
  const database = quoteIdentifier(session.address.database);
  const refused: string[] = [];
  const attempt = async (what: string, sql: string): Promise<void> => {
    try {
      await session.query(sql);
    } catch (error) {
      if (!isFailure(error) || error.type === "DatabaseUnreachable") throw error;
      refused.push(what);
    }
  };
  if (comment !== null) await attempt("its comment", `COMMENT ON DATABASE ${database} IS ${quoteLiteral(comment)}`);
  for (const { role, name, value } of settings) {
    const what = role === null ? name : `${name} of ${role}`;
    if (letsNobodyIn(name)) {
      refused.push(what);
      continue;
    }
    const whose = role === null ? `DATABASE ${database}` : `ROLE ${quoteIdentifier(role)} IN DATABASE ${database}`;
    await attempt(what, `ALTER ${whose} ${setClause(name, value)}`);
  }
  return refused.length === 0 ? [] : [`Not set on the database, since the target or its rights do not allow it: ${refused.join(", ")}.`];
};
