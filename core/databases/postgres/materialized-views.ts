import { quoteQualified } from "./quoting.ts";
import type { Session } from "./session.ts";
import { userSchema } from "./tables.ts";

interface Edge {
  readonly from: string;
  readonly to: string;
}

/** Populated materialized views, quoted, each after those it reads from (also through plain views). */
export const listMaterializedViews = async (session: Session): Promise<string[]> => {
  const views = await session.query<{ oid: string; schema: string; name: string; populated: boolean }>(`
    SELECT c.oid::text AS oid, n.nspname AS schema, c.relname AS name, c.relkind = 'm' AND c.relispopulated AS populated
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('m', 'v') AND ${userSchema("n.nspname")}
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
    ORDER BY c.oid`);
  const edges = await session.query<Edge>(`
    SELECT DISTINCT r.ev_class::text AS "from", d.refobjid::text AS "to"
    FROM pg_rewrite r JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid AND d.refclassid = 'pg_class'::regclass
    JOIN pg_class c ON c.oid = d.refobjid WHERE c.relkind IN ('m', 'v') AND d.refobjid <> r.ev_class`);
  const order = dependenciesFirst(
    views.map((view) => view.oid),
    edges,
  );
  const byOid = new Map(views.map((view) => [view.oid, view]));
  return order.flatMap((oid) => {
    const view = byOid.get(oid);
    return view?.populated ? [quoteQualified(view.schema, view.name)] : [];
  });
};

/** Exported for its tests. An edge says that `from` reads `to`. */
export const dependenciesFirst = (nodes: readonly string[], edges: readonly Edge[]): string[] => {
  const reads = Map.groupBy(edges, (edge) => edge.from);
  const done = new Set<string>();
  const visit = (node: string): void => {
    if (done.has(node)) return;
    done.add(node);
    for (const { to } of reads.get(node) ?? []) visit(to);
    order.push(node);
  };
  const order: string[] = [];
  for (const node of nodes) visit(node);
  return order;
};

export const refreshMaterializedViews = async (session: Session, views: readonly string[]): Promise<void> => {
  for (const view of views) await session.query(`REFRESH MATERIALIZED VIEW ${view}`);
};
