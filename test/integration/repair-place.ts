import { createHash, randomBytes, randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { MockActivityEnvironment } from "@temporalio/testing";
import type { ActivityEnvironment } from "../../activities/environment.ts";
import { createDurabilityActivities } from "../../activities/replicate/durability.ts";
import { type Catalog, closeCatalog, openCatalog } from "../../core/catalog/catalog.ts";
import { commitSnapshot } from "../../core/catalog/commit-snapshot.ts";
import { listFindings, type RecordedFinding } from "../../core/catalog/copy-findings.ts";
import { markPackWritten } from "../../core/catalog/mark-pack-written.ts";
import { migrate } from "../../core/catalog/migrate.ts";
import { recordReplica } from "../../core/catalog/record-replica.ts";
import { registerPack } from "../../core/catalog/register-pack.ts";
import { storeTrust } from "../../core/catalog/store-trust.ts";
import type { RepairTotals } from "../../core/domain/run.ts";
import { encodeEnvelopes } from "../../core/repository/envelopes.ts";
import { envelopesKey, manifestKey, packKey, rangeKey } from "../../core/repository/object-keys.ts";
import { packRoot } from "../../core/repository/packs.ts";
import { challengeCopies, type RoundResult } from "../../core/site/challenge-copies.ts";
import type { Site } from "../../core/site/site.ts";
import { openDirectoryStore } from "../../core/stores/directory.ts";
import { openS3Store } from "../../core/stores/s3.ts";
import type { Store } from "../../core/stores/store.ts";
import { useStack } from "../stack/use-stack.ts";
import { createDatabase, envelopeOf, snapshotOf } from "./catalog-database.ts";

const signal = new AbortController().signal;

/** A catalog, a folder ("disk") and a bucket of a real S3 service ("bucket") that both have every object of one snapshot. */
export interface RepairPlace {
  readonly catalog: Catalog;
  readonly site: Site;
  readonly snapshot: string;
  /** Keys: packs of 1, 3 and 20 blocks, then a range, the manifest and its envelopes. */
  readonly packs: readonly string[];
  readonly range: string;
  readonly manifest: string;
  readonly envelopes: string;
  readonly contents: ReadonlyMap<string, Uint8Array>;
  store(name: string): Promise<Store>;
  /** From here on the bucket is reached at another address, as through a proxy. */
  bucketAt(endpoint: string): void;
  readonly endpoint: string;
  fileOf(key: string): string;
  /** Overwrites or deletes behind the store's back. */
  meddle(key: string, content: Uint8Array | undefined): Promise<void>;
  challenge(store: string, blocks?: number): Promise<RoundResult>;
  repair(): Promise<RepairTotals>;
  /** Those that stand. */
  findings(): Promise<RecordedFinding[]>;
  trust(store: string): Promise<number>;
  close(): Promise<void>;
}

export const createRepairPlace = async (): Promise<RepairPlace> => {
  const { s3 } = await useStack("postgres", "s3");
  const { endpoint, ...credentials } = s3;
  const database = await createDatabase();
  const catalog = openCatalog(database.url);
  await migrate(catalog);
  const folder = await mkdtemp(join(tmpdir(), "dbgov-repair-"));
  const bucket = `repair-${randomUUID()}`;
  const admin = new S3Client({
    region: "us-east-1",
    endpoint,
    credentials,
    forcePathStyle: true,
    requestChecksumCalculation: "WHEN_REQUIRED",
  });
  await admin.send(new CreateBucketCommand({ Bucket: bucket }));
  const bucketStore = (url: string): Store => {
    const place = { kind: "s3" as const, name: "bucket", domain: "s3", bucket, prefix: "", region: "us-east-1", endpoint: url };
    return openS3Store({ ...place, ...credentials }, { silenceMs: 3_000 });
  };
  const stores = new Map<string, Store>([
    ["disk", openDirectoryStore({ kind: "directory", name: "disk", domain: "here", path: folder })],
    ["bucket", bucketStore(endpoint)],
  ]);
  const store = async (name: string): Promise<Store> => stores.get(name)!;
  const site = {
    catalog: async () => catalog,
    store,
    storeConfig: async () => ({}),
    loaded: {
      config: { policies: [], stores: [{ name: "disk" }, { name: "bucket" }], durability: { every: "6h", coverDays: 30, blocks: 4 } },
    },
  } as unknown as Site;

  const contents = new Map<string, Uint8Array>();
  const put = async (key: string, content: Uint8Array): Promise<void> => {
    contents.set(key, content);
    for (const [name, at] of stores) {
      const { id: receipt } = await at.put(key, content, signal);
      await recordReplica(catalog, { object: key, store: name, receipt, bytes: content.length, provenAt: null });
    }
  };
  const sha256 = (content: Uint8Array): string => createHash("sha256").update(content).digest("hex");
  const packs: string[] = [];
  for (const size of [60_000, 190_000, 20 * 65_536]) {
    const content = new Uint8Array(randomBytes(size));
    const id = sha256(content);
    await registerPack(catalog, { id, bytes: size, root: packRoot(content), store: "disk", chunks: [] });
    await markPackWritten(catalog, id);
    await put(packKey(id), content);
    packs.push(packKey(id));
  }
  const [rangeBytes, manifestBytes] = [new Uint8Array(randomBytes(4_000)), new Uint8Array(randomBytes(900))];
  const range = rangeKey(sha256(rangeBytes));
  const needs = { id: sha256(rangeBytes), packs: packs.map((key) => key.slice(-64)) };
  const commit = snapshotOf("shop", [needs], { manifestHash: sha256(manifestBytes) });
  await commitSnapshot(catalog, commit);
  const [manifest, envelopes] = [manifestKey(commit.snapshot), envelopesKey(commit.snapshot)];
  await put(range, rangeBytes);
  await put(manifest, manifestBytes);
  await put(envelopes, encodeEnvelopes([envelopeOf(commit.snapshot, "manifest")]));

  const { repairLost } = createDurabilityActivities({ site: async () => site } as unknown as ActivityEnvironment);
  return {
    ...{ catalog, site, snapshot: commit.snapshot, packs, range, manifest, envelopes, contents, store, endpoint },
    bucketAt: (url) => void stores.set("bucket", bucketStore(url)),
    fileOf: (key) => join(folder, key),
    meddle: async (Key, content) => {
      const place = { Bucket: bucket, Key };
      if (content === undefined) await admin.send(new DeleteObjectCommand(place));
      else await admin.send(new PutObjectCommand({ ...place, Body: content }));
    },
    challenge: (name, blocks = 4) => challengeCopies(site, { store: name, askedBefore: new Date(), copies: 100, blocks }, signal, () => {}),
    repair: () => new MockActivityEnvironment().run(repairLost) as Promise<RepairTotals>,
    findings: () => listFindings(catalog, { limit: 100 }),
    trust: async (name) => (await storeTrust(catalog)).get(name) ?? 1,
    close: async () => {
      for (const one of stores.values()) await one.close();
      await closeCatalog(catalog);
      await database.drop();
      const { Contents = [] } = await admin.send(new ListObjectsV2Command({ Bucket: bucket }));
      for (const { Key } of Contents) await admin.send(new DeleteObjectCommand({ Bucket: bucket, Key }));
      await admin.send(new DeleteBucketCommand({ Bucket: bucket }));
      admin.destroy();
      await rm(folder, { recursive: true, force: true });
    },
  };
};
