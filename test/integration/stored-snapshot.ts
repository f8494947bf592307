import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { StoreConfig } from "../../core/config/schema.ts";
import { engineOf } from "../../core/databases/engines.ts";
import { type EngineName, snapshotId } from "../../core/domain/snapshot.ts";
import { digestKeyOf } from "../../core/repository/keys.ts";
import { type ManifestStream, sealManifest } from "../../core/repository/manifest.ts";
import { manifestKey, packKey, rangeKey } from "../../core/repository/object-keys.ts";
import { sealRange } from "../../core/repository/ranges.ts";
import { addRowDigests, emptyRowDigest } from "../../core/repository/row-digest.ts";
import { signerFromSeed } from "../../core/repository/signing.ts";
import type { JobContext, JobProgress } from "../../core/snapshot/jobs.ts";
import type { SnapshotAccess } from "../../core/snapshot/open-snapshot.ts";
import type { SnapshotSource } from "../../core/snapshot/snapshot-reader.ts";
import { openStore } from "../../core/stores/stores.ts";
import { memoryRepository, newRecipient } from "../unit/repository-fixture.ts";

const never = new AbortController().signal;

/** A context for a job that is run in this thread. */
export const jobContext = (report: (progress: JobProgress) => void = () => {}): JobContext<JobProgress> => ({
  report,
  settling: () => {},
  signal: never,
});

/** A repository in a folder of its own, into which databases are captured without Temporal or a catalog. */
export const openRepository = async () => {
  const { recipient, secret } = await newRecipient("restorer");
  const signer = signerFromSeed(randomBytes(32).toString("hex"));
  const repository = memoryRepository();
  const path = await mkdtemp(join(tmpdir(), "dbgov-snapshots-"));
  const config = { kind: "directory", name: "disk", path, domain: "here" } as StoreConfig;

  const capture = async (engineName: EngineName, url: string, partBytes = 256 << 10): Promise<SnapshotSource> => {
    const engine = await engineOf(engineName);
    const store = await openStore(config);
    const snapshot = snapshotId(new Date(), randomBytes(6).toString("hex"));
    const envelopes: Record<string, SnapshotAccess["envelopes"][string]> = {};
    const streams: ManifestStream[] = [];
    const hold = await engine.hold(url, never);
    try {
      const plan = await engine.plan(url, hold.token, { partBytes }, never);
      for (const { name, kind, framing, target, parts } of plan.streams) {
        const ranges: ManifestStream["ranges"][number][] = [];
        for (const part of parts) {
          const blocks: Buffer[] = [];
          const stream = plan.streams.find((planned) => planned.name === name)!;
          for await (const block of engine.read(url, hold.token, stream, part, never)) blocks.push(Buffer.from(block));
          const { draft } = await repository.capture(framing, blocks);
          const sealed = await sealRange(draft, { recipients: [recipient], keys: repository.keys });
          await store.put(rangeKey(sealed.id), sealed.bytes, never);
          envelopes[sealed.id] = sealed.envelopes;
          ranges.push({ id: sealed.id, ...draft.digest });
        }
        const { rows, bytes, sum } = ranges.reduce(addRowDigests, emptyRowDigest);
        streams.push({ name, kind, framing, target, rows, bytes, sum, ranges });
      }
      for (const [id, bytes] of repository.packs) await store.put(packKey(id), bytes, never);
      const now = new Date().toISOString();
      const manifest = await sealManifest(
        {
          ...{ version: 1, snapshot, database: "shop", engine: engineName, startedAt: now, capturedAt: now, consistency: hold.consistency },
          ...{ serverVersion: plan.serverVersion, databaseName: plan.databaseName, notes: plan.notes, streams },
          digestKey: Buffer.from(digestKeyOf(repository.keys.dedupSecret)).toString("base64"),
        },
        { recipients: [recipient], keys: repository.keys, signer, packs: [...repository.packs.keys()] },
      );
      await store.put(manifestKey(snapshot), manifest.bytes, never);
      envelopes[snapshot] = manifest.envelopes;
    } finally {
      await hold.close();
      await store.close();
    }
    return { access: { snapshot, secret, signingKeys: [signer.publicKey], envelopes }, stores: [config] };
  };

  return { path, capture, remove: () => rm(path, { recursive: true, force: true }) };
};
