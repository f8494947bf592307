import { closeCatalog, openCatalog } from "../catalog/catalog.ts";
import { lookupChunks } from "../catalog/lookup-chunks.ts";
import { markPackWritten } from "../catalog/mark-pack-written.ts";
import { registerPack } from "../catalog/register-pack.ts";
import { registerRange } from "../catalog/register-range.ts";
import type { StoreConfig } from "../config/schema.ts";
import type { Plan } from "../databases/engine.ts";
import { engineOf } from "../databases/engines.ts";
import type { ByteCounts } from "../domain/run.ts";
import type { EngineName } from "../domain/snapshot.ts";
import { openCaptureWriter, type RangeDraft } from "../repository/capture-writer.ts";
import type { Envelope } from "../repository/envelopes.ts";
import { digestKeyOf, type Recipient, type RepositoryKeys } from "../repository/keys.ts";
import { packKey, rangeKey } from "../repository/object-keys.ts";
import { sealRange } from "../repository/ranges.ts";
import { openStore } from "../stores/stores.ts";
import { type PartAddress, partAt } from "./capture-plan.ts";
import type { JobContext, JobProgress } from "./jobs.ts";
import { repositoryConfigOf } from "./repository-in-store.ts";

export interface CaptureJob {
  readonly engine: EngineName;
  readonly url: string;
  readonly token: string;
  readonly plan: Plan;
  readonly parts: readonly PartAddress[];
  readonly keys: RepositoryKeys;
  readonly recipients: readonly Recipient[];
  readonly landing: StoreConfig;
  readonly catalog: string;
}

/** One part, durable in the landing store as one range object. */
export interface CapturedPart {
  readonly part: PartAddress;
  readonly range: string;
  readonly rows: number;
  readonly bytes: number;
  readonly sum: string;
  readonly packs: readonly string[];
  readonly envelopes: readonly Envelope[];
}

export interface CaptureJobResult {
  readonly parts: readonly CapturedPart[];
  readonly bytes: ByteCounts;
}

/** What a checkpoint of the job says: these parts are durable, and these bytes they took. */
export interface CaptureCheckpoint {
  readonly parts: readonly CapturedPart[];
  readonly bytes: ByteCounts;
}

/** Packed bytes after which finished parts are made durable and reported, so that a retry does not read them again. */
const checkpointBytes = 64 * 2 ** 20;

/** Reads each part under the held snapshot, and writes what the repository lacks of it into the landing store. */
export const captureBatch = async (input: CaptureJob, { report, signal }: JobContext<JobProgress>): Promise<CaptureJobResult> => {
  const engine = await engineOf(input.engine);
  const store = await openStore(input.landing);
  const catalog = openCatalog(input.catalog);
  try {
    const writer = openCaptureWriter({
      keys: input.keys,
      digestKey: digestKeyOf(input.keys.dedupSecret),
      config: await repositoryConfigOf(store, signal),
      index: { lookup: (ids) => lookupChunks(catalog, store.name, ids) },
      sink: {
        // The catalog knows of a pack before the store does: one that nobody comes to need is found and deleted.
        write: async (pack) => {
          await registerPack(catalog, { id: pack.id, bytes: pack.bytes.length, root: pack.root, store: store.name, chunks: pack.chunks });
          await store.put(packKey(pack.id), pack.bytes, signal);
          await markPackWritten(catalog, pack.id);
        },
      },
    });
    const captured: CapturedPart[] = [];
    let drafts: { part: PartAddress; draft: RangeDraft }[] = [];
    let durable: ByteCounts = { read: 0, new: 0, stored: 0 };

    const checkpoint = async (): Promise<CapturedPart[]> => {
      await writer.flush();
      const parts: CapturedPart[] = [];
      for (const { part, draft } of drafts) {
        const sealed = await sealRange(draft, { recipients: input.recipients, keys: input.keys });
        await registerRange(catalog, { id: sealed.id, bytes: sealed.bytes.length, store: store.name });
        await store.put(rangeKey(sealed.id), sealed.bytes, signal);
        const { rows, bytes, sum } = draft.digest;
        parts.push({ part, range: sealed.id, rows, bytes, sum, packs: sealed.packs, envelopes: sealed.envelopes });
      }
      drafts = [];
      captured.push(...parts);
      return parts;
    };

    let bytes = 0;
    let rows = 0;
    for (const part of input.parts) {
      signal.throwIfAborted();
      const { stream, part: selected } = partAt(input.plan, part);
      const range = writer.beginRange(stream.framing);
      for await (const block of engine.read(input.url, input.token, stream, selected, signal)) {
        bytes += block.length;
        const written = range.write(block);
        if (written !== undefined) await written;
        report({ bytes, rows, current: stream.name });
      }
      const draft = await range.finish();
      rows += draft.digest.rows;
      drafts.push({ part, draft });
      report({ bytes, rows, current: stream.name });
      const counts = writer.counts();
      if (counts.stored - durable.stored >= checkpointBytes) {
        const parts = await checkpoint();
        const now = writer.counts();
        const taken: CaptureCheckpoint = { parts, bytes: difference(now, durable) };
        durable = now;
        report({ bytes, rows, current: stream.name, checkpoint: taken });
      }
    }
    await checkpoint();
    return { parts: captured, bytes: writer.counts() };
  } finally {
    await Promise.all([store.close(), closeCatalog(catalog)]);
  }
};

const difference = (a: ByteCounts, b: ByteCounts): ByteCounts => ({
  read: a.read - b.read,
  new: a.new - b.new,
  stored: a.stored - b.stored,
});
