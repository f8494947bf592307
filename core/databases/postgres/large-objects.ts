import type { SnapshotPart } from "../engine.ts";
import { copyIn } from "./copy-in.ts";
import { quoteIdentifier, quoteLiteral } from "./quoting.ts";
import type { Session } from "./session.ts";
import { type Grant, largeObjectsName, type ObjectsSelector } from "./targets.ts";

/** Each page of an object is a row: what `lo_get` gives in one call stays far below the limit of a value. */
const pageBytes = 64 << 10;
const objectsPerPart = 1_000;

/** Who owns an object, who may use it, and what it is called. Roles by name. */
export interface LargeObject {
  readonly oid: string;
  readonly owner: string;
  readonly comment: string | null;
  /** Null where nobody has ever changed it: all is the owner's. In the order in which it was granted, the owner's own rights among them. */
  readonly acl: readonly Grant[] | null;
}

/** An access list as JSON of `Grant`s; NULL where it is. */
export const grantsIn = (acl: string): string => `
  CASE WHEN ${acl} IS NULL THEN NULL ELSE coalesce((
    SELECT jsonb_agg(jsonb_build_object('role', CASE a.grantee WHEN 0 THEN '' ELSE pg_get_userbyid(a.grantee) END,
      'by', pg_get_userbyid(a.grantor), 'privilege', a.privilege_type, 'grantable', a.is_grantable) ORDER BY a.ordinality)
    FROM aclexplode(${acl}) WITH ORDINALITY a), '[]') END`;

export const readLargeObjects = (session: Session): Promise<LargeObject[]> =>
  session.query<LargeObject>(`
    SELECT m.oid::text AS oid, pg_get_userbyid(m.lomowner)::text AS owner, obj_description(m.oid, 'pg_largeobject') AS comment,
      ${grantsIn("m.lomacl")} AS acl
    FROM pg_largeobject_metadata m ORDER BY m.oid`);

/** Ranges of object ids, `from` included and `to` excluded. Sizes are not known without reading. */
export const largeObjectRanges = async (session: Session): Promise<ObjectsSelector[]> => {
  const starts = await session.query<{ oid: string }>(`
    SELECT oid::text AS oid FROM (SELECT oid, row_number() OVER (ORDER BY oid) AS n FROM pg_largeobject_metadata) numbered
    WHERE n % ${objectsPerPart} = 1 ORDER BY numbered.oid`);
  return starts.map(({ oid }, index) => {
    const next = starts[index + 1]?.oid;
    return { objects: next === undefined ? { from: Number(oid) } : { from: Number(oid), to: Number(next) } };
  });
};

/** Only functions that any role may call: reading pg_largeobject itself is for superusers. */
export const largeObjectsSql = (selector: ObjectsSelector | undefined): string => {
  const { from, to } = selector?.objects ?? { from: 0 };
  const readOnly = 0x40000; // INV_READ
  return `COPY (
    SELECT m.oid, p.page, lo_get(m.oid, p.page * ${pageBytes}, ${pageBytes})
    FROM pg_largeobject_metadata m, generate_series(0::bigint, greatest(lo_lseek64(lo_open(m.oid, ${readOnly}), 0, 2) - 1, 0) / ${pageBytes}) AS p(page)
    WHERE m.oid >= ${from}${to === undefined ? "" : ` AND m.oid < ${to}`} ORDER BY m.oid, p.page) TO STDOUT`;
};

/** Creates the objects that `content` holds, within the transaction that is open: a part has whole objects. */
export const writeLargeObjects = async (
  session: Session,
  content: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
  doing: string,
): Promise<void> => {
  await session.query("CREATE TEMPORARY TABLE large_object_pages (object oid, page bigint, content bytea) ON COMMIT DROP");
  await copyIn(session, "COPY pg_temp.large_object_pages FROM STDIN", content, signal, doing);
  await session.query("SELECT lo_create(object) FROM (SELECT DISTINCT object FROM pg_temp.large_object_pages) objects");
  await session.query(`SELECT lo_put(object, page * ${pageBytes}, content) FROM pg_temp.large_object_pages WHERE length(content) > 0`);
};

/** Comments always; owners and grants where the target has their roles. */
export const describeLargeObjects = async (session: Session, objects: readonly LargeObject[], withRoles: boolean): Promise<void> => {
  for (const { oid, owner, comment, acl } of objects) {
    const object = `LARGE OBJECT ${BigInt(oid)}`;
    if (comment !== null) await session.query(`COMMENT ON ${object} IS ${quoteLiteral(comment)}`);
    if (!withRoles) continue;
    await session.query(`ALTER ${object} OWNER TO ${quoteIdentifier(owner)}`);
    for (const statement of acl === null ? [] : grantStatements(object, owner, acl)) await session.query(statement);
  }
};

/** As pg_dump's script does it: the owner's rights go first, and each grant is made by the role that made it, so that it can be taken back by none else. */
export const grantStatements = (object: string, owner: string, acl: readonly Grant[]): string[] => [
  `REVOKE ALL ON ${object} FROM ${quoteIdentifier(owner)}`,
  ...acl.map(({ role, by, privilege, grantable }) => {
    const grantee = role === "" ? "PUBLIC" : quoteIdentifier(role);
    const right = privilege === "UPDATE" ? "UPDATE" : "SELECT";
    const statement = `GRANT ${right} ON ${object} TO ${grantee}${grantable && role !== owner ? " WITH GRANT OPTION" : ""}`;
    return by === owner ? statement : `SET ROLE ${quoteIdentifier(by)}; ${statement}; RESET ROLE`;
  }),
];

/** Whether large objects belong to what is restored. */
export const hasLargeObjects = (part: SnapshotPart | undefined): boolean => {
  if (part === undefined || part.by !== "name") return true;
  return "only" in part ? part.only.includes(largeObjectsName) : !part.except.includes(largeObjectsName);
};
