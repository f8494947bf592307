import { lookupChunks } from "../catalog/lookup-chunks.ts";
import { markPackWritten } from "../catalog/mark-pack-written.ts";
import { registerPack } from "../catalog/register-pack.ts";
import { registerRanges } from "../catalog/register-ranges.ts";
import { threadCatalog } from "../catalog/thread-catalog.ts";
import type { StoreConfig } from "../config/schema.ts";
import type { PartPlan, StreamPlan } from "../databases/engine.ts";
import { engineOf } from "../databases/engines.ts";
import { eachLimited } from "../domain/each-limited.ts";
import { Failure } from "../domain/failure.ts";
import type { LandingRoom } from "../domain/room.ts";
import type { ByteCounts } from "../domain/run.ts";
import type { EngineName, RowDigest } from "../domain/snapshot.ts";
import { openCaptureWriter, type RangeDraft } from "../repository/capture-writer.ts";
import type { Envelope } from "../repository/envelopes.ts";
import { digestKeyOf, type Recipient, type RepositoryKeys } from "../repository/keys.ts";
import { packKey, rangeKey } from "../repository/object-keys.ts";
import { sealRange } from "../repository/ranges.ts";
import { openStore } from "../stores/stores.ts";
import type { PartAddress } from "./capture-plan.ts";
import type { JobContext, JobProgress } from "./jobs.ts";
import { repositoryConfigOf } from "./repository-in-store.ts";
import type { EarlierPart } from "./takeover.ts";

export interface CaptureJob {
  readonly engine: EngineName;
  readonly url: string;
  readonly token: string;
  readonly parts: readonly PartToCapture[];
  readonly keys: RepositoryKeys;
  readonly recipients: readonly Recipient[];
  readonly landing: StoreConfig;
  /** What may be kept there. */
  readonly room: LandingRoom;
  readonly catalog: string;
  /**
   * Bytes new to the repository after which finished parts are made durable and reported, so that a retry does not read them again.
   * @default 64 MiB
   */
  readonly checkpointBytes?: number | undefined;
}

/** A part, its stream, and where both lie in the plan: a job gets no more of the plan than it needs. */
export interface PartToCapture {
  readonly address: PartAddress;
  readonly stream: StreamPlan;
  readonly part: PartPlan;
  /** Of a part that is read although the server calls it unchanged: reading must give the same. */
  readonly expected?: EarlierPart | undefined;
}

/** One part, durable in the landing store as one range object. */
export interface CapturedPart {
  readonly part: PartAddress;
  readonly range: string;
  readonly rows: number;
  readonly bytes: number;
  readonly sum: string;
  readonly packs: readonly string[];
  /** None of a range that was taken over: they are in the keyring already. */
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

const defaultCheckpointBytes = 64 * 2 ** 20;

/** Range objects are small: what takes time is to have each of them durable. */
const rangesAtOnce = 8;

/** Reads each part under the held snapshot, and writes what the repository lacks of it into the landing store. */
export const captureBatch = async (input: CaptureJob, { report, settling, signal }: JobContext<JobProgress>): Promise<CaptureJobResult> => {
  const engine = await engineOf(input.engine);
  const store = await openStore(input.landing);
  const catalog = threadCatalog(input.catalog);
  try {
    const writer = openCaptureWriter({
      keys: input.keys,
      digestKey: digestKeyOf(input.keys.dedupSecret),
      config: await repositoryConfigOf(store, signal),
      index: { lookup: (ids) => lookupChunks(catalog, store.name, ids) },
      sink: {
        // The catalog knows of a pack before the store does: one that nobody comes to need is found and deleted.
        write: async (pack) => {
          const { id, bytes, root, chunks } = pack;
          await registerPack(catalog, { id, bytes: bytes.length, root, store: store.name, chunks }, input.room);
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
      const ranges: { readonly id: string; readonly bytes: Uint8Array }[] = [];
      for (const { part, draft } of drafts) {
        const { id, bytes: sealed, packs, envelopes } = await sealRange(draft, { recipients: input.recipients, keys: input.keys });
        ranges.push({ id, bytes: sealed });
        const { rows, bytes, sum } = draft.digest;
        parts.push({ part, range: id, rows, bytes, sum, packs, envelopes });
      }
      drafts = [];
      await registerRanges(
        catalog,
        store.name,
        ranges.map(({ id, bytes }) => ({ id, bytes: bytes.length })),
        input.room,
      );
      await eachLimited(ranges, rangesAtOnce, async ({ id, bytes }) => void (await store.put(rangeKey(id), bytes, signal)));
      captured.push(...parts);
      return parts;
    };

    let bytes = 0;
    let rows = 0;
    for (const { address, stream, part, expected } of input.parts) {
      signal.throwIfAborted();
      const range = writer.beginRange(stream.framing);
      const waiting = (why: string): void => report({ bytes, rows, current: `${stream.name} (${why})` });
      for await (const block of engine.read(input.url, input.token, stream, part, signal, waiting)) {
        bytes += block.length;
        const written = range.write(block);
        if (written !== undefined) await written;
        report({ bytes, rows, current: stream.name });
      }
      const draft = await range.finish();
      if (expected !== undefined && !isSame(expected, draft.digest)) {
        // Where no snapshot is held it may have changed between the server's word and the reading: then the server says so now.
        const { mark, rows: before } = expected;
        const still = await engine.unchanged?.(input.url, input.token, [{ stream, part, mark, rows: before }], () => {}, signal);
        if (still?.[0] === true) throw unsound(stream.name, expected, draft.digest);
      }
      rows += draft.digest.rows;
      drafts.push({ part: address, draft });
      report({ bytes, rows, current: stream.name });
      // By what was new, not by what packs were written: whether the last one is written yet is chance.
      if (writer.counts().new - durable.new >= (input.checkpointBytes ?? defaultCheckpointBytes)) {
        const parts = await checkpoint();
        const now = writer.counts();
        const taken: CaptureCheckpoint = { parts, bytes: difference(now, durable) };
        durable = now;
        report({ bytes, rows, current: stream.name, checkpoint: taken });
      }
    }
    settling();
    await checkpoint();
    return { parts: captured, bytes: writer.counts() };
  } finally {
    await store.close();
  }
};

const isSame = (earlier: EarlierPart, now: RowDigest): boolean =>
  earlier.rows === now.rows && earlier.bytes === now.bytes && earlier.sum === now.sum;

const unsound = (stream: string, earlier: EarlierPart, now: RowDigest): Failure =>
  new Failure(
    "TakeoverUnsound",
    `the server calls a range of ${stream} unchanged (${earlier.rows} rows, ${earlier.bytes} bytes), but reading it gave other content (${now.rows} rows, ${now.bytes} bytes)`,
  );

const difference = (a: ByteCounts, b: ByteCounts): ByteCounts => ({
  read: a.read - b.read,
  new: a.new - b.new,
  stored: a.stored - b.stored,
});
