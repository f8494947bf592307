import { createHash, randomBytes, randomUUID } from "node:crypto";
import { after } from "node:test";
import pg from "pg";
import { type Catalog, closeCatalog, openCatalog } from "../../core/catalog/catalog.ts";
import { commitSnapshot, type SnapshotCommit } from "../../core/catalog/commit-snapshot.ts";
import { markDeletions } from "../../core/catalog/mark-deletions.ts";
import { markPackWritten } from "../../core/catalog/mark-pack-written.ts";
import { migrate } from "../../core/catalog/migrate.ts";
import type { Instant, PackRegistration, Reclaimed } from "../../core/catalog/records.ts";
import { registerPack } from "../../core/catalog/register-pack.ts";
import { removeSnapshots } from "../../core/catalog/remove-snapshots.ts";
import type { Envelope } from "../../core/repository/envelopes.ts";
import { useStack } from "../stack/use-stack.ts";

/** A database of this test's own; dropped when its file is done. `url` of the server's own database is `server`. */
export const createDatabase = async (): Promise<{ url: string; server: string; drop: () => Promise<void> }> => {
  const server = (await useStack("postgres")).postgres.url;
  const name = `catalog_${randomBytes(6).toString("hex")}`;
  await onServer(server, `CREATE DATABASE ${name}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  return { url: url.href, server, drop: () => onServer(server, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`) };
};

export const onServer = async (url: string, ...statements: readonly string[]): Promise<void> => {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    for (const statement of statements) await client.query(statement);
  } finally {
    await client.end();
  }
};

/** A migrated catalog that goes away with the test file. */
export const createCatalog = async (): Promise<{ catalog: Catalog; url: string }> => {
  const { url, drop } = await createDatabase();
  const catalog = openCatalog(url);
  after(async () => {
    await closeCatalog(catalog);
    await drop();
  });
  await migrate(catalog);
  return { catalog, url };
};

export const hex = (seed: string): string => createHash("sha256").update(seed).digest("hex");
export const freshId = (): string => hex(randomUUID());

export const packOf = (id: string, chunks: readonly Uint8Array[] = []): PackRegistration => ({
  id,
  bytes: 1_000,
  root: hex(`root ${id}`),
  store: "disk",
  chunks: chunks.map((chunk, i) => ({ id: chunk, offset: i * 100, storedBytes: 100, plainBytes: 300 })),
});

/** Registered and written packs. */
export const writtenPacks = async (catalog: Catalog, count: number): Promise<string[]> => {
  const ids = Array.from({ length: count }, freshId);
  await Promise.all(
    ids.map(async (id) => {
      await registerPack(catalog, packOf(id));
      await markPackWritten(catalog, id);
    }),
  );
  return ids;
};

export const envelopeOf = (object: string, kind: Envelope["kind"] = "range", recipient = "0123456789abcdef"): Envelope => ({
  version: 1,
  kind,
  object,
  recipient,
  kem: Buffer.from(`kem ${object}`.padEnd(1_120, ".")).toString("base64"),
  wrapped: Buffer.from(`wrapped ${object}`).toString("base64"),
});

let minutes = 0;

export const snapshotOf = (database: string, ranges: SnapshotCommit["ranges"], extra: Partial<SnapshotCommit> = {}): SnapshotCommit => {
  minutes += 1;
  const at = new Date(Date.UTC(2026, 0, 1) + minutes * 60_000).toISOString();
  const snapshot = `${at.slice(0, 19).replaceAll(/[-:]/g, "")}Z-${randomBytes(6).toString("hex")}`;
  return {
    snapshot,
    database,
    engine: "postgres",
    policy: "nightly",
    startedAt: at,
    capturedAt: at,
    consistency: "transactional",
    rows: 10,
    bytesRead: 3_000_000_000,
    bytesNew: 20,
    bytesStored: 10,
    manifestHash: hex(`manifest ${snapshot}`),
    ciphertextRoot: hex(`root ${snapshot}`),
    ranges,
    envelopes: [envelopeOf(snapshot, "manifest"), ...ranges.map((range) => envelopeOf(range.id))],
    ...extra,
  };
};

/** A committed snapshot with one range in each of `packs`. */
export const committed = async (catalog: Catalog, database: string, packs: readonly string[]): Promise<SnapshotCommit> => {
  const commit = snapshotOf(
    database,
    packs.map((pack) => ({ id: freshId(), packs: [pack] })),
  );
  await commitSnapshot(catalog, commit);
  return commit;
};

/** Marks snapshots and removes them at once, as a policy without a grace time does. */
export const removeNow = async (catalog: Catalog, snapshots: readonly string[], at: Instant): Promise<Reclaimed> => {
  await markDeletions(catalog, snapshots, { at, dueAt: at, reason: "retention" });
  return await removeSnapshots(catalog, snapshots, at);
};
