import assert from "node:assert/strict";
import { createHash, randomBytes, randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { MockActivityEnvironment } from "@temporalio/testing";
import type { ActivityEnvironment } from "../../activities/environment.ts";
import { createCopyToStore } from "../../activities/replicate/copy-to-store.ts";
import { recordLate } from "../../activities/replicate/settle-copies.ts";
import { query } from "../../core/catalog/catalog.ts";
import { commitSnapshot } from "../../core/catalog/commit-snapshot.ts";
import { listReplicas } from "../../core/catalog/list-replicas.ts";
import { markPackWritten } from "../../core/catalog/mark-pack-written.ts";
import { recordReplica } from "../../core/catalog/record-replica.ts";
import { registerPack } from "../../core/catalog/register-pack.ts";
import { replicasMissing } from "../../core/catalog/replicas-missing.ts";
import { failureTypes, isFailure } from "../../core/domain/failure.ts";
import { configKey, manifestKey, packKey, rangeKey } from "../../core/repository/object-keys.ts";
import { openDirectoryStore } from "../../core/stores/directory.ts";
import { openSiaStore } from "../../core/stores/sia.ts";
import type { Store } from "../../core/stores/store.ts";
import { createCatalog, packOf, snapshotOf } from "../integration/catalog-database.ts";
import { siaSimulator } from "../integration/sia-simulator.ts";
import { exampleConfig } from "../sample/example-config.ts";
import { useStack } from "../stack/use-stack.ts";

const { s3 } = await useStack("s3", "postgres");
const { endpoint, ...credentials } = s3;
const { catalog } = await createCatalog();
const folder = await mkdtemp(join(tmpdir(), "dbgov-settled-"));
after(() => rm(folder, { recursive: true }));
const signal = new AbortController().signal;
const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

const bucket = `settled-${randomUUID()}`;
const admin = new S3Client({ region: "us-east-1", endpoint, credentials, forcePathStyle: true });
await admin.send(new CreateBucketCommand({ Bucket: bucket }));
admin.destroy();

test("a copy in a store that settles later counts only when it has settled, and is not sent twice", async () => {
  for (const software of ["s3d", "renterd"] as const) {
    await using simulator = await siaSimulator(software, endpoint, bucket);
    simulator.stalls = "silently";
    const [disk, sia] = [`disk-${randomUUID()}`, `sia-${randomUUID()}`];
    const landing = openDirectoryStore({ kind: "directory", name: disk, domain: "disk", path: join(folder, disk) });
    const place = { endpoint: simulator.endpoint, api: simulator.api, password: simulator.password, ...credentials };
    const real = openSiaStore({ kind: "sia", name: sia, domain: "sia", bucket, prefix: sia, software, ...place });
    const puts: string[] = [];
    const counted: Store["put"] = (key, bytes, stop) => {
      puts.push(key);
      return real.put(key, bytes, stop);
    };
    const store: Store = { ...real, put: counted };
    const config = structuredClone(exampleConfig);
    config.stores = [disk, sia].map((name) => ({ kind: "directory" as const, name, domain: name, path: join(folder, name) }));
    Object.assign(config.policies[0]!, { landing: disk, stores: [sia] });
    const site = { loaded: { config }, catalog: async () => catalog, store: async (name: string) => (name === disk ? landing : store) };
    const { copyToStore } = createCopyToStore({ site: async () => site } as unknown as ActivityEnvironment);
    const copy = (snapshot: string): Promise<{ packs: number }> =>
      new MockActivityEnvironment().run(copyToStore, { snapshot, from: disk, to: sia, others: [], envelopes: false });

    const [pack, range, manifest] = [randomBytes(30_000), randomBytes(200), randomBytes(100)];
    await registerPack(catalog, { ...packOf(sha256(pack)), bytes: pack.length, store: disk });
    await markPackWritten(catalog, sha256(pack));
    const commit = snapshotOf("shop", [{ id: sha256(range), packs: [sha256(pack)] }], { manifestHash: sha256(manifest) });
    await commitSnapshot(catalog, commit);
    await landing.put(configKey, Buffer.from("{}"), signal);
    const objects = [
      [packKey(sha256(pack)), pack],
      [rangeKey(sha256(range)), range],
      [manifestKey(commit.snapshot), manifest],
    ] as const;
    for (const [object, content] of objects) {
      await landing.put(object, content, signal);
      await recordReplica(catalog, { object, store: disk, receipt: "there", bytes: content.length, provenAt: null });
    }
    const keys = objects.map(([object]) => object);

    for (const attempt of [1, 2]) {
      await assert.rejects(copy(commit.snapshot), (error) => {
        assert.ok(isFailure(error, "StoreUnsettled"), String(error));
        assert.match(error.message, /^store sia-\S+ has taken 3 objects that its network does not have yet; \S+ is the first$/);
        return true;
      });
      assert.deepEqual(await replicasMissing(catalog, commit.snapshot, sia), keys, `${software}, attempt ${attempt}: nothing of it counts`);
    }
    assert.ok(failureTypes.StoreUnsettled.retry, "the workflow tries again");

    simulator.stalls = false;
    simulator.upload();
    assert.equal((await copy(commit.snapshot)).packs, 1);
    assert.deepEqual(await replicasMissing(catalog, commit.snapshot, sia), []);
    assert.deepEqual(puts.toSorted(), [configKey, ...keys].toSorted(), "each was sent once");
  }
});

test("copies that never settle, however many, keep none behind them from being recorded", async () => {
  const name = `slow-${randomUUID()}`;
  const place = openDirectoryStore({ kind: "directory", name, domain: name, path: join(folder, name) });
  const ids = Array.from({ length: 501 }, (_, n) => `packs/ab/${String(n).padStart(64, "0")}`);
  const announce = `INSERT INTO dbgov.replica (object, store, bytes, recorded_at)
    SELECT object, $2, 1, now() - interval '1 day' + n * interval '1 ms' FROM unnest($1::text[]) WITH ORDINALITY AS o (object, n)`;
  await query(catalog, "announcing", announce, [ids, name]);
  await place.put(ids[500]!, Buffer.from("x"), signal);
  const store: Store = { ...place, settled: async () => true };
  const look = async (): Promise<number> => {
    let looked = 0;
    const onLooked = (): void => {
      looked += 1;
    };
    await recordLate(catalog, store, { signal, onLooked });
    return looked;
  };
  assert.equal(await look(), 500);
  assert.deepEqual(await listReplicas(catalog, [ids[500]!]), []);
  await look();
  assert.equal((await listReplicas(catalog, [ids[500]!]))[0]?.store, name);
});
