import type { Random } from "../../../core/domain/seeded-random.ts";
import { createCluster } from "../../integration/postgres-cluster.ts";
import { runSql } from "../../sample/test-site.ts";
import type { OpenServer } from "./soaked-server.ts";

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

const databaseUrl = (url: string, name: string): string => {
  const own = new URL(url);
  own.pathname = `/${name}`;
  return own.href;
};

export const openPostgres: OpenServer = async (_folder, bin, undoing) => {
  const cluster = await createCluster(bin);
  undoing.add(() => cluster.remove());
  await cluster.start();
  for (const name of ["soak", "soak_target"]) await cluster.sql(`CREATE DATABASE ${name}`);
  const [source, target] = [databaseUrl(cluster.url, "soak"), databaseUrl(cluster.url, "soak_target")];
  await runSql(source, schema);
  return {
    ...{ engine: "postgres", source, target, contentOf },
    start: () => cluster.start(),
    abort: () => cluster.abort(),
    crash: () => cluster.crash(),
    change: (random) => changeSource(source, random),
    // A restore keeps in the target how far it is, from before it writes until it is done.
    watchTarget: async () => async () =>
      (await runSql(target, "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'dbgov\\_restore\\_%'")).length > 0,
    scratches: async () =>
      (await cluster.sql<{ datname: string }>("SELECT datname FROM pg_database WHERE datname LIKE 'dbgov_drill_%'")).map(
        ({ datname }) => datname,
      ),
  };
};

const changeSource = async (url: string, random: Random): Promise<void> => {
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

const contentOf = async (url: string): Promise<string> => {
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
