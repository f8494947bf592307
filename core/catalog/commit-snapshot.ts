import { Failure } from "../domain/failure.ts";
import type { Envelope } from "../repository/envelopes.ts";
import { type Catalog, type Queryable, query, run, transaction } from "./catalog.ts";
import { insertEnvelopes } from "./insert-envelopes.ts";
import { lockReferences } from "./locks.ts";
import { insertState } from "./reach-state.ts";
import type { SnapshotFacts } from "./records.ts";

export interface SnapshotCommit extends SnapshotFacts {
  /** Every range of the snapshot, those taken over included, each with the packs that it needs. */
  readonly ranges: readonly { readonly id: string; readonly packs: readonly string[] }[];
  /** Of the manifest and of the new ranges; those of ranges taken over are here already. */
  readonly envelopes: readonly Envelope[];
}

/**
 * Writes a sealed snapshot down, whole or not at all, with the states `captured` and `sealed`. It is the last claim:
 * its packs become live, and from here on its references protect them. `PacksReclaimed` when a pack or a range that it
 * needs is gone, `EnvelopeMissing` when it could never be opened. Idempotent for the same snapshot and manifest.
 */
export const commitSnapshot = async (catalog: Catalog, commit: SnapshotCommit): Promise<void> => {
  await transaction(catalog, `committing snapshot ${commit.snapshot}`, async (db) => {
    await lockReferences(db, "shared");
    const number = await insertSnapshot(db, commit);
    if (number === undefined) return;
    await insertRanges(db, number, commit);
    await insertEnvelopes(db, commit.envelopes);
    await requireEnvelopes(db, commit);
    await insertState(db, number, "captured", { consistency: commit.consistency, rows: commit.rows }, commit.capturedAt);
    await insertState(db, number, "sealed", { manifestHash: commit.manifestHash, ciphertextRoot: commit.ciphertextRoot }, new Date());
  });
  if (commit.ranges.length >= manyRanges) await query(catalog, `counting what snapshot ${commit.snapshot} added`, `ANALYZE ${grown}`);
};

/** A young catalog that has grown by so much is counted at once: autovacuum comes a minute later, and what is asked meanwhile would take minutes. */
const manyRanges = 1_000;
const grown = "dbgov.pack, dbgov.range, dbgov.range_pack, dbgov.snapshot_range, dbgov.envelope, dbgov.replica";

/** The new row's number; undefined when the same commit was made before. */
const insertSnapshot = async (db: Queryable, s: SnapshotCommit): Promise<number | undefined> => {
  const [row] = await run<{ snapshot_no: number }>(
    db,
    `INSERT INTO dbgov.snapshot (id, database, engine, policy, started_at, captured_at, consistency, rows, bytes_read, bytes_new,
       bytes_stored, manifest_hash, ciphertext_root)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, decode($12, 'hex'), decode($13, 'hex'))
     ON CONFLICT (id) DO NOTHING RETURNING snapshot_no`,
    [
      ...[s.snapshot, s.database, s.engine, s.policy, s.startedAt, s.capturedAt, s.consistency],
      ...[s.rows, s.bytesRead, s.bytesNew, s.bytesStored, s.manifestHash, s.ciphertextRoot],
    ],
  );
  if (row !== undefined) return row.snapshot_no;
  const [before] = await run<{ hash: string }>(db, "SELECT encode(manifest_hash, 'hex') AS hash FROM dbgov.snapshot WHERE id = $1", [
    s.snapshot,
  ]);
  if (before?.hash !== s.manifestHash) {
    throw new Failure("Unexpected", `snapshot ${s.snapshot} was committed before, with another manifest (${before?.hash ?? "unknown"})`);
  }
  return undefined;
};

const insertRanges = async (db: Queryable, snapshot: number, { snapshot: id, ranges }: SnapshotCommit): Promise<void> => {
  const gone = (what: string) => new Failure("PacksReclaimed", `snapshot ${id} needs ${what}, which retention deleted or nobody wrote`);
  const pairs = ranges.flatMap((range) => range.packs.map((pack) => ({ range: range.id, pack })));
  const packIds = [...new Set(pairs.map(({ pack }) => pack))];
  const packs = await run<{ id: string }>(
    db,
    `WITH wanted AS (
       SELECT pack_no FROM dbgov.pack
       WHERE id IN (SELECT decode(hex, 'hex') FROM unnest($1::text[]) AS hex) AND written_at IS NOT NULL AND deleted_at IS NULL
       ORDER BY pack_no FOR UPDATE
     )
     UPDATE dbgov.pack p SET condemned_at = NULL, claimed_until = NULL FROM wanted WHERE p.pack_no = wanted.pack_no
     RETURNING encode(p.id, 'hex') AS id`,
    [packIds],
  );
  if (packs.length < packIds.length) {
    const live = new Set(packs.map((pack) => pack.id));
    throw gone(`pack ${packIds.find((pack) => !live.has(pack))}`);
  }
  // Sorted, so that two commits never wait for each other.
  const rangeIds = [...new Set(ranges.map((range) => range.id))].sort();
  const rows = await run<{ id: string; condemned: boolean }>(
    db,
    `INSERT INTO dbgov.range (id) SELECT decode(hex, 'hex') FROM unnest($1::text[]) AS hex
     ON CONFLICT (id) DO UPDATE SET claimed_until = NULL
     RETURNING encode(id, 'hex') AS id, condemned_at IS NOT NULL AS condemned`,
    [rangeIds],
  );
  const condemned = rows.find((row) => row.condemned);
  if (condemned !== undefined) throw gone(`range ${condemned.id}`);
  await run(
    db,
    `INSERT INTO dbgov.range_pack (range_no, pack_no)
     SELECT r.range_no, p.pack_no FROM unnest($1::text[], $2::text[]) AS pair (range, pack)
     JOIN dbgov.range r ON r.id = decode(pair.range, 'hex') JOIN dbgov.pack p ON p.id = decode(pair.pack, 'hex')
     ON CONFLICT DO NOTHING`,
    [pairs.map(({ range }) => range), pairs.map(({ pack }) => pack)],
  );
  await run(
    db,
    `INSERT INTO dbgov.snapshot_range (snapshot_no, range_no)
     SELECT $1, range_no FROM dbgov.range WHERE id IN (SELECT decode(hex, 'hex') FROM unnest($2::text[]) AS hex)`,
    [snapshot, rangeIds],
  );
};

const requireEnvelopes = async (db: Queryable, { snapshot, ranges }: SnapshotCommit): Promise<void> => {
  const [missing] = await run<{ object: string }>(
    db,
    `SELECT object FROM unnest($1::text[]) AS object
     WHERE NOT EXISTS (SELECT FROM dbgov.envelope e WHERE e.object = object.object) LIMIT 1`,
    [[snapshot, ...ranges.map((range) => range.id)]],
  );
  if (missing === undefined) return;
  const what = missing.object === snapshot ? "its manifest" : `its range ${missing.object}`;
  throw new Failure("EnvelopeMissing", `snapshot ${snapshot} could never be opened: there is no envelope for ${what}`);
};
