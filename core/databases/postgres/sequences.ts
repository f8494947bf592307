import { quoteLiteral, quoteQualified } from "./quoting.ts";
import type { Session } from "./session.ts";
import { unreadable, userSchema } from "./tables.ts";
import type { SequenceState } from "./targets.ts";

const perQuery = 200;

/** The state of every sequence, identity columns' too. A sequence is not transactional: this is its state now, which no row of the snapshot is ahead of. */
export const readSequences = async (session: Session): Promise<SequenceState[]> => {
  const rows = await session.query<{ schema: string; name: string }>(`
    SELECT n.nspname AS schema, c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.objsubid = 0 AND d.deptype = 'e'
    LEFT JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND e.oid = d.refobjid
    WHERE c.relkind = 'S' AND c.relpersistence <> 't' AND NOT ${unreadable("c.relpersistence")} AND ${userSchema("n.nspname")} AND (d.objid IS NULL OR c.oid = ANY (e.extconfig))
    ORDER BY n.nspname, c.relname`);
  const quoted = rows.map((row) => quoteQualified(row.schema, row.name));
  const states: SequenceState[] = [];
  for (let first = 0; first < quoted.length; first += perQuery) {
    const selects = quoted
      .slice(first, first + perQuery)
      .map((name) => `SELECT ${quoteLiteral(name)}::text AS sequence, last_value::text AS last, is_called AS called FROM ${name}`);
    states.push(...(await session.query<SequenceState>(selects.join(" UNION ALL "))));
  }
  return states;
};

export const writeSequences = async (session: Session, states: readonly SequenceState[]): Promise<void> => {
  for (let first = 0; first < states.length; first += perQuery) {
    const calls = states
      .slice(first, first + perQuery)
      .map(({ sequence, last, called }) => `setval(${quoteLiteral(sequence)}::regclass, ${BigInt(last)}, ${called === true})`);
    await session.query(`SELECT ${calls.join(", ")}`);
  }
};
