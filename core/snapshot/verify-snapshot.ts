import { randomInt } from "node:crypto";
import type { StoreConfig } from "../config/schema.ts";
import { eachLimited } from "../domain/each-limited.ts";
import { Failure, isFailure } from "../domain/failure.ts";
import type { ObjectProblem } from "../domain/run.ts";
import type { Framing, RowDigest } from "../domain/snapshot.ts";
import { encodeEnvelopes } from "../repository/envelopes.ts";
import type { Manifest } from "../repository/manifest.ts";
import { envelopesKey, manifestKey, packKey, rangeKey } from "../repository/object-keys.ts";
import { verifyPack } from "../repository/packs.ts";
import type { OpenRange } from "../repository/ranges.ts";
import { readRange } from "../repository/read-range.ts";
import { rowDigestOf } from "../repository/row-digest.ts";
import type { Store } from "../stores/store.ts";
import { openStore } from "../stores/stores.ts";
import type { JobContext, JobProgress } from "./jobs.ts";
import { fetchManifest, fetchRange, type SnapshotAccess } from "./open-snapshot.ts";

export interface VerifyJob {
  readonly access: SnapshotAccess;
  /** Each is verified on its own: a good copy in one store does not excuse a bad one in another. */
  readonly stores: readonly StoreConfig[];
  /** `sample`: everything is there with the right size; some packs and ranges are read. `full`: every byte is. */
  readonly depth: "sample" | "full";
  /** Names of the stores that keep the keyring's envelopes, too. */
  readonly envelopes: readonly string[];
}

export interface VerifyJobResult {
  /** Object keys that were read and found right, by store. */
  readonly proven: Readonly<Record<string, readonly string[]>>;
  readonly bytes: number;
  readonly objects: number;
  readonly problems: readonly ObjectProblem[];
}

/** How many packs and how many ranges of each store a `sample` reads. */
const sampleSize = 3;

/** What is archived cannot be checked where it is: only a copy that can be read elsewhere makes that no problem. */
interface ArchivedPacks {
  /** By pack, what the first store said that has it archived. */
  readonly offline: Map<string, ObjectProblem>;
  /** Packs that are there, and can be read, in some store. */
  readonly online: Set<string>;
}

/** Checks a snapshot in every store, and finds every problem rather than the first. Throws only what keeps it from looking. */
export const verifySnapshot = async (input: VerifyJob, context: JobContext<JobProgress>): Promise<VerifyJobResult> => {
  const proven: Record<string, string[]> = {};
  const problems: ObjectProblem[] = [];
  const progress = { bytes: 0, objects: 0 };
  const archived: ArchivedPacks = { offline: new Map(), online: new Set() };
  for (const config of input.stores) {
    const store = await openStore(config);
    try {
      proven[store.name] = await verifyInStore(input, store, problems, progress, archived, context);
    } finally {
      await store.close();
    }
  }
  for (const [pack, problem] of archived.offline) if (!archived.online.has(pack)) problems.push(problem);
  return { proven, problems, ...progress };
};

const verifyInStore = async (
  input: VerifyJob,
  store: Store,
  problems: ObjectProblem[],
  progress: { bytes: number; objects: number },
  { offline, online }: ArchivedPacks,
  { report, signal }: JobContext<JobProgress>,
): Promise<string[]> => {
  const proven: string[] = [];
  /** Runs one check; a finding becomes a problem of that object, anything else is thrown. */
  const examine = async <T>(object: string, check: () => Promise<T>): Promise<T | undefined> => {
    signal.throwIfAborted();
    try {
      const result = await check();
      progress.objects += 1;
      return result;
    } catch (error) {
      if (!(error instanceof Failure) || error.type === "Unexpected") throw error;
      problems.push({ store: store.name, object, type: error.type, message: error.message });
      return undefined;
    } finally {
      report({ bytes: progress.bytes, rows: 0, current: `${store.name}: ${object}` });
    }
  };

  const manifestName = manifestKey(input.access.snapshot);
  const manifest = await examine(manifestName, () => fetchManifest(input.access, store, signal));
  if (manifest === undefined) return proven;
  proven.push(manifestName);

  if (input.envelopes.includes(store.name)) {
    const objects = [input.access.snapshot, ...rangesOf(manifest).map(({ id }) => id)];
    await eachLimited(input.depth === "full" ? objects : pick(objects, sampleSize), 4, async (object) => {
      await examine(envelopesKey(object), () => checkEnvelopes(input.access, object, store, signal));
    });
  }

  /** Ids alone: what all ranges hold would be more than fits into memory. */
  const intact = new Set<string>();
  const streamsOfPack = new Map<string, Set<string>>();
  const bytesInPack = new Map<string, number>();
  await eachLimited(rangesOf(manifest), 4, async ({ id, stream }) => {
    const range = await examine(rangeKey(id), () =>
      naming(`it holds a part of ${stream}`, () => fetchRange(input.access, id, store, signal)),
    );
    if (range === undefined) return;
    proven.push(rangeKey(id));
    intact.add(id);
    for (const { location } of range.chunks) {
      streamsOfPack.set(location.pack, (streamsOfPack.get(location.pack) ?? new Set()).add(stream));
      bytesInPack.set(location.pack, Math.max(bytesInPack.get(location.pack) ?? 0, location.offset + location.storedBytes));
    }
  });

  /** Those that lie in the archive tier here. */
  const unreadable = new Set<string>();
  const examinePack = (pack: string, whole: boolean): Promise<boolean | undefined> => {
    const holds = `holds parts of ${listed([...(streamsOfPack.get(pack) ?? [])].sort())}`;
    return examine(packKey(pack), async () => {
      const leaveArchived = (): false => {
        unreadable.add(pack);
        const message = `pack ${pack} in store ${store.name} lies in the archive tier, where nothing can be read; it ${holds}`;
        if (!offline.has(pack)) offline.set(pack, { store: store.name, object: packKey(pack), type: "ObjectArchived", message });
        return false;
      };
      if (whole) {
        const bytes = await store.get(packKey(pack), signal).catch((error: unknown) => {
          if (!isFailure(error, "ObjectArchived")) throw error;
        });
        if (bytes === undefined) return leaveArchived();
        progress.bytes += bytes.length;
        await naming(`it ${holds}`, async () => verifyPack(bytes, pack));
        online.add(pack);
        return true;
      }
      const stat = await store.stat(packKey(pack), signal);
      if (stat === undefined) throw new Failure("ObjectMissing", `pack ${pack} is not in store ${store.name}; it ${holds}`);
      const least = bytesInPack.get(pack) ?? 0;
      if (stat.bytes < least) {
        throw new Failure(
          "ObjectCorrupt",
          `pack ${pack} in store ${store.name} has ${stat.bytes} bytes, and ends before ${least}; it ${holds}`,
        );
      }
      if (stat.offline !== undefined) return leaveArchived();
      online.add(pack);
      return true;
    });
  };
  const packs = [...streamsOfPack.keys()];
  const read = new Set(input.depth === "full" ? packs : pick(packs, sampleSize));
  await eachLimited(packs, 2, async (pack) => {
    if ((await examinePack(pack, read.has(pack))) && read.has(pack)) proven.push(packKey(pack));
  });
  const judged = new Map<string, Promise<boolean>>();
  /** Whether a pack is bad, which is read whole if it was not before. */
  const isBad = (pack: string): Promise<boolean> => {
    const known = problems.some(({ store: at, object }) => at === store.name && object === packKey(pack));
    const judgement =
      judged.get(pack) ?? (known || read.has(pack) ? Promise.resolve(known) : examinePack(pack, true).then((good) => !good));
    judged.set(pack, judgement);
    return judgement;
  };

  const contents = rangesOf(manifest).filter(({ id }) => intact.has(id));
  const opening = input.depth === "full" ? contents : pick(contents, sampleSize);
  const digestKey = new Uint8Array(Buffer.from(manifest.digestKey, "base64"));
  const digestOf = (range: OpenRange, framing: Framing): Promise<RowDigest> =>
    rowDigestOf(
      readRange(range, (pack, at) => store.get(packKey(pack), signal, at)),
      framing,
      digestKey,
    );
  await eachLimited(opening, 2, async ({ id, stream, framing, rows, bytes, sum }) => {
    await examine(rangeKey(id), async () => {
      const range = await fetchRange(input.access, id, store, signal);
      // Another store's copy is opened instead.
      if (range.chunks.some(({ location }) => unreadable.has(location.pack))) return;
      const digest = await digestOf(range, framing).catch(async (error: unknown) => {
        // The range itself is as it was written: a pack that is not is the one to name, and to replace.
        const bad: string[] = [];
        for (const pack of new Set(range.chunks.map(({ location }) => location.pack))) if (await isBad(pack)) bad.push(pack);
        if (bad.length === 0) throw error;
      });
      if (digest === undefined) return;
      progress.bytes += digest.bytes;
      if (digest.rows !== rows || digest.bytes !== bytes || digest.sum !== sum) {
        throw new Failure(
          "ContentDiffers",
          `range ${id} of ${stream} in store ${store.name} opens, but does not hold the rows that the manifest tells of`,
        );
      }
    });
  });
  return proven;
};

const rangesOf = (manifest: Manifest) =>
  manifest.streams.flatMap((stream) => stream.ranges.map((range) => ({ ...range, stream: stream.name, framing: stream.framing })));

/** Adds to a failure's sentence what of the snapshot it concerns. */
const naming = async <T>(what: string, check: () => Promise<T>): Promise<T> => {
  try {
    return await check();
  } catch (error) {
    if (error instanceof Failure) throw new Failure(error.type, `${error.message}; ${what}`, { cause: error });
    throw error;
  }
};

/** The store's copy of an object's envelopes must be the keyring's. */
const checkEnvelopes = async (access: SnapshotAccess, object: string, store: Store, signal: AbortSignal): Promise<void> => {
  const found = await store.get(envelopesKey(object), signal);
  if (Buffer.compare(found, encodeEnvelopes(access.envelopes[object] ?? [])) === 0) return;
  throw new Failure("ObjectCorrupt", `${envelopesKey(object)} in store ${store.name} does not have the keyring's envelopes`);
};

/** The first few names, and how many more there are. */
const listed = (names: readonly string[]): string =>
  names.length <= 5 ? names.join(", ") : `${names.slice(0, 5).join(", ")} and ${names.length - 5} more`;

/** Some of the items, drawn without repetition. */
const pick = <T>(items: readonly T[], count: number): T[] => {
  const left = [...items];
  const drawn: T[] = [];
  while (drawn.length < count && left.length > 0) drawn.push(...left.splice(randomInt(left.length), 1));
  return drawn;
};
