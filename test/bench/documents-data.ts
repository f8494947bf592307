import { execFileSync } from "node:child_process";
import { join } from "node:path";
import pg from "pg";
import type { DataSet } from "./data-set.ts";
import { postgresData } from "./postgres-data.ts";

const accounts = 1_000_000;
const documents = 100_000;

/** Text that compresses as text does: words of md5 would not. */
const wordsOf = (key: string, count: number): string =>
  `(SELECT string_agg((ARRAY['order','invoice','the','delivery','of','customer','paid','late','with','notice','and','address'])[1 + abs(hashint8(${key} * 64 + w)::bigint) % 12], ' ') FROM generate_series(1, ${count}) w)`;

/** Bytes that do not compress: one in ten payloads is long enough to lie out of line. */
const noiseOf = (key: string): string =>
  `(SELECT decode(string_agg(md5((${key} * 1000 + n)::text), ''), 'hex') FROM generate_series(1, CASE WHEN ${key} % 10 = 0 THEN 512 ELSE 40 END) n)`;

const documentOf = (key: string): string =>
  `${key}, 'document ' || ${key}, ${wordsOf(key, 40)},
   jsonb_build_object('tags', jsonb_build_array(${key} % 7, ${key} % 11), 'score', ${key} % 1000 / 10.0, 'author', md5((${key} % 5000)::text), 'draft', ${key} % 3 = 0),
   ${noiseOf(key)}, timestamptz '2026-01-01' + ${key} * interval '1 minute'`;

const load = async (bin: string, url: string): Promise<void> => {
  const scale = String(accounts / 100_000);
  execFileSync(join(bin, "pgbench"), ["--initialize", "--quiet", "--scale", scale, url], { stdio: "ignore" });
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(
      "CREATE TABLE document (id bigint PRIMARY KEY, title text NOT NULL, body text NOT NULL, facts jsonb NOT NULL, payload bytea NOT NULL, at timestamptz NOT NULL)",
    );
    await client.query(`INSERT INTO document SELECT ${documentOf("k")} FROM generate_series(1::bigint, ${documents}) k`);
  } finally {
    await client.end();
  }
};

/** pgbench's tables and one of documents: what changes is recent, as in most applications, but for accounts, where it is spread. */
export const documentsData = (server: string, bin: string): DataSet =>
  postgresData(server, {
    name: "pgbench",
    title: "pgbench with documents (text, JSONB, incompressible bytea)",
    load: (url) => load(bin, url),
    touched: ["pgbench_accounts", "document"],
    changes: {
      updated: {
        what: "the newest hundredth of the documents, and accounts spread by chance",
        sql: [
          `UPDATE document SET facts = facts || '{"draft": false}', at = at + interval '1 hour' WHERE id > ${documents * 0.99}`,
          "UPDATE pgbench_accounts SET abalance = abalance + aid WHERE abs(hashint4(aid)::bigint) % 100 = 7",
        ],
      },
      inserted: {
        what: "new documents and accounts",
        sql: [
          `INSERT INTO document SELECT ${documentOf("k")} FROM generate_series(${documents + 1}::bigint, ${documents * 1.05}) k`,
          `INSERT INTO pgbench_accounts SELECT aid + ${accounts}, bid, abalance, filler FROM pgbench_accounts WHERE aid <= ${accounts * 0.05}`,
        ],
      },
      column: {
        what: "to the documents, with a default",
        sql: ["ALTER TABLE document ADD COLUMN reviewed boolean NOT NULL DEFAULT false"],
      },
    },
  });
