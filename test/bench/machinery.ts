import { readFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { closeCatalog, openCatalog } from "../../core/catalog/catalog.ts";
import { claimPacks } from "../../core/catalog/claim-packs.ts";
import { commitSnapshot } from "../../core/catalog/commit-snapshot.ts";
import { migrate } from "../../core/catalog/migrate.ts";
import { packInfo } from "../../core/catalog/pack-info.ts";
import { engineOf } from "../../core/databases/engines.ts";
import { snapshotId } from "../../core/domain/snapshot.ts";
import { ciphertextRoot } from "../../core/repository/ciphertext-root.ts";
import { digestKeyOf, parseRecipient, parseRecipientSecret } from "../../core/repository/keys.ts";
import { sealManifest } from "../../core/repository/manifest.ts";
import { manifestKey } from "../../core/repository/object-keys.ts";
import { signerFromSeed } from "../../core/repository/signing.ts";
import { captureGrain, groupParts, partsToCapture } from "../../core/snapshot/capture-plan.ts";
import { manifestStreams } from "../../core/snapshot/manifest-streams.ts";
import { accessFromCatalog } from "../../core/snapshot/snapshot-access.ts";
import { openThreadPool, type ThreadPool } from "../../core/snapshot/thread-pool.ts";
import { openStore } from "../../core/stores/stores.ts";

/**
 * The machinery without Temporal, in a process of its own: `core/` does all that a backup does up to the manifest in the
 * landing store, or a restore. Reads what to do from its argument, prints what became of it, both as JSON.
 */
export interface MachineryInput {
  readonly work: "backup" | "restore";
  /** Holds the key files of `createKeys`, and the store. */
  readonly folder: string;
  readonly catalog: string;
  readonly engine: "postgres" | "mongodb";
  readonly url: string;
  /** What to restore. */
  readonly snapshot?: string;
}

export interface MachineryOutput {
  readonly snapshot: string;
  /** Bytes that left the database. */
  readonly read: number;
  /** How long a restore compared what it had restored, at its end. */
  readonly compareSeconds: number;
}

const signal = new AbortController().signal;
const landingOf = (folder: string) => ({ kind: "directory" as const, name: "local", domain: "here", path: join(folder, "store") });
const keyFile = async (folder: string, name: string): Promise<string> => (await readFile(join(folder, "keys", name), "utf8")).trim();
const keyBytes = async (folder: string, name: string): Promise<Uint8Array> =>
  new Uint8Array(Buffer.from(await keyFile(folder, name), "hex"));

const backup = async (
  { folder, catalog: catalogUrl, engine: engineName, url }: MachineryInput,
  threads: ThreadPool,
): Promise<MachineryOutput> => {
  const engine = await engineOf(engineName);
  const landing = landingOf(folder);
  const keys = { dedupSecret: await keyBytes(folder, "dedup.secret"), indexKey: await keyBytes(folder, "index.secret") };
  const recipients = [parseRecipient("recovery", await keyFile(folder, "recovery.public"))];
  const signer = signerFromSeed(await keyFile(folder, "signing.secret"));
  const catalog = openCatalog(catalogUrl);
  const store = await openStore(landing);
  await migrate(catalog);
  const startedAt = new Date();
  const snapshot = snapshotId(startedAt, crypto.randomUUID());
  const hold = await engine.hold(url, signal);
  try {
    const plan = await engine.plan(url, hold.token, { partBytes: captureGrain.partBytes }, signal);
    const batches = groupParts(plan, captureGrain.batchBytes);
    const room = { account: "landing", stores: ["landing"], bytes: null, objects: null };
    const job = { engine: engineName, url, token: hold.token, keys, recipients, landing, room, catalog: catalogUrl };
    const results = await Promise.all(
      batches.map((parts) => threads.run("capture", { ...job, parts: partsToCapture({ plan, expected: {} }, parts) }, { signal })),
    );
    const parts = results.flatMap((result) => result.parts);
    const packs = [...new Set(parts.flatMap((part) => part.packs))];
    const gone = await claimPacks(catalog, packs);
    if (gone.length > 0) throw new Error(`packs vanished: ${gone.join(", ")}`);
    const manifest = {
      ...{ version: 1 as const, snapshot, database: "shop", engine: engineName, consistency: hold.consistency },
      ...{ startedAt: startedAt.toISOString(), capturedAt: startedAt.toISOString(), serverVersion: plan.serverVersion },
      ...{ databaseName: plan.databaseName, notes: plan.notes, streams: manifestStreams(plan, parts) },
      digestKey: Buffer.from(digestKeyOf(keys.dedupSecret)).toString("base64"),
    };
    const sealed = await sealManifest(manifest, { recipients, keys, signer, packs });
    const sum = (pick: (counts: { read: number; new: number; stored: number }) => number) =>
      results.reduce((total, result) => total + pick(result.bytes), 0);
    const bytes = { read: sum((counts) => counts.read), new: sum((counts) => counts.new), stored: sum((counts) => counts.stored) };
    const rows = manifest.streams.reduce((total, stream) => total + stream.rows, 0);
    const ranges = [...new Map(parts.map((part) => [part.range, { id: part.range, packs: part.packs }])).values()];
    await commitSnapshot(catalog, {
      ...{ snapshot, database: "shop", engine: engineName, policy: "bench", rows, consistency: hold.consistency, ranges },
      ...{ startedAt: manifest.startedAt, capturedAt: manifest.capturedAt, manifestHash: sealed.hash },
      ...{ bytesRead: bytes.read, bytesNew: bytes.new, bytesStored: bytes.stored },
      ciphertextRoot: ciphertextRoot(
        await packInfo(catalog, packs),
        ranges.map(({ id }) => id),
      ),
      envelopes: [...parts.flatMap((part) => part.envelopes), ...sealed.envelopes],
    });
    await store.put(manifestKey(snapshot), sealed.bytes, signal);
    return { snapshot, read: bytes.read, compareSeconds: 0 };
  } finally {
    await hold.close();
    await Promise.all([closeCatalog(catalog), store.close()]);
  }
};

const restore = async (
  { folder, catalog: catalogUrl, engine, url, snapshot = "" }: MachineryInput,
  threads: ThreadPool,
): Promise<MachineryOutput> => {
  const catalog = openCatalog(catalogUrl);
  try {
    const secret = await parseRecipientSecret(await keyFile(folder, "recovery.secret"));
    const signer = signerFromSeed(await keyFile(folder, "signing.secret"));
    const access = await accessFromCatalog(catalog, snapshot, secret, [signer.publicKey]);
    const stores = [landingOf(folder)];
    const started = performance.now();
    const result = await threads.run(
      "restore",
      { access, stores, engine, url, replace: false, parallelism: availableParallelism() },
      { signal },
    );
    if (!result.identical) throw new Error(`the restored database differs: ${result.differences.join("; ")}`);
    return { snapshot, read: 0, compareSeconds: (performance.now() - started) / 1_000 - result.seconds };
  } finally {
    await closeCatalog(catalog);
  }
};

const input = JSON.parse(process.argv[2] ?? "") as MachineryInput;
const threads = openThreadPool(availableParallelism());
const output = await (input.work === "backup" ? backup(input, threads) : restore(input, threads));
await threads.close();
process.stdout.write(`${JSON.stringify(output)}\n`);
