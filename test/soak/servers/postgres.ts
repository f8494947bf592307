import type { Random } from "../../core/domain/seeded-random.ts";
import type { Cluster } from "../integration/postgres-cluster.ts";
import { runSql } from "../sample/test-site.ts";

/** A database of a few megabytes that is ugly enough to notice what is lost: several tables, keys, a view, a sequence, bytes. */
const schema = `
  CREATE TABLE customers (id int PRIMARY KEY, name text NOT NULL, credit numeric(12, 2));
  CREATE TABLE orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, customer int NOT NULL REFERENCES customers, placed timestamptz, note text);
  CREATE TABLE documents (id int PRIMARY KEY, body jsonb, scan bytea);
  CREATE TABLE nothing (id int);
  CREATE INDEX orders_customer ON orders (customer);
  CREATE VIEW debtors AS SELECT * FROM customers WHERE credit < 0;
  INSERT INTO customers SELECT n, 'customer ' || md5(n::text), n % 200 - 20 FROM generate_series(1, 6000) n;
  INSERT INTO orders (customer, placed, note)
    SELECT n % 6000 + 1, '2026-01-01'::timestamptz + n * interval '1 minute', repeat(md5(n::text), 2) FROM generate_series(1, 18000) n;
  INSERT INTO documents SELECT n, jsonb_build_object('n', n, 'text', repeat(md5(n::text), 6)), sha512(n::text::bytea) FROM generate_series(1, 3000) n;
  ANALYZE`;

export const createSource = async (cluster: Cluster, name: string): Promise<string> => {
  await cluster.sql(`CREATE DATABASE ${name}`);
  const url = databaseUrl(cluster, name);
  await runSql(url, schema);
  return url;
};

export const databaseUrl = ({ url }: Cluster, name: string): string => {
  const own = new URL(url);
  own.pathname = `/${name}`;
  return own.href;
};

/** Some rows change, some come, some go: by turns a little and a lot. */
export const changeSource = async (url: string, random: Random): Promise<void> => {
  const [word, share] = [random.between(1, 1_000_000_000), random.oneOf([2, 20, 400])];
  await runSql(
    url,
    `UPDATE customers SET credit = credit + ${word % 97} WHERE id % ${share} = ${word % share};
     UPDATE documents SET body = jsonb_build_object('word', md5('${word}' || id)), scan = sha512((id || '${word}')::bytea) WHERE id % ${share} = ${word % share};
     DELETE FROM orders WHERE id % 500 = ${word % 500};
     INSERT INTO orders (customer, placed, note) SELECT n, now(), repeat(md5('${word}' || n), 3) FROM generate_series(1, ${random.between(1, 300)}) n;
     -- A server that crashes takes a sequence on by what it had logged ahead: of one that was just set it has logged nothing.
     SELECT setval('orders_id_seq', (SELECT last_value FROM orders_id_seq))`,
  );
};

/** What is in the database, told by SQL alone and not by anything of the product. */
export const contentOf = async (url: string): Promise<string> => {
  const digest = (table: string): string =>
    `(SELECT count(*) || ' ' || coalesce(md5(string_agg(md5(t::text), '' ORDER BY id)), '') FROM ${table} t)`;
  const [row] = await runSql<{ content: string }>(
    url,
    `SELECT concat_ws(', ', ${["customers", "orders", "documents", "nothing", "debtors"].map(digest).join(", ")},
       (SELECT last_value FROM orders_id_seq),
       (SELECT string_agg(conname, ' ' ORDER BY conname) FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND contype <> 'n'),
       (SELECT string_agg(indexname, ' ' ORDER BY indexname) FROM pg_indexes WHERE schemaname = 'public')) AS content`,
  );
  return row!.content;
};
