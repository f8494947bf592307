import { type Catalog, type Queryable, query, run } from "./catalog.ts";
import type { Instant } from "./records.ts";

/** What stays in force until two persons agree on something else. `subject`: `approvers`, or `rules/` and a database's name. */
export const readInForce = async <T>(catalog: Catalog, subject: string): Promise<T | undefined> => {
  const [row] = await query<{ content: T }>(catalog, `reading what is in force for ${subject}`, text, [subject]);
  return row?.content;
};

const text = "SELECT content FROM dbgov.in_force WHERE subject = $1";

export const writeInForce = async (catalog: Catalog, subject: string, content: unknown, at: Instant): Promise<void> => {
  await query(catalog, `putting ${subject} in force`, put, [subject, JSON.stringify(content), at]);
};

/** The same within a transaction. */
export const putInForce = (db: Queryable, subject: string, content: unknown, at: Instant): Promise<unknown> =>
  run(db, put, [subject, JSON.stringify(content), at]);

const put = `INSERT INTO dbgov.in_force (subject, content, since) VALUES ($1, $2, $3)
  ON CONFLICT (subject) DO UPDATE SET content = excluded.content, since = excluded.since`;
