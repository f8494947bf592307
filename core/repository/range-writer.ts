import type { Framing } from "../domain/snapshot.ts";
import type { CaptureWriterOptions, ChunkLocation, ChunkRef, RangeDraft, RangeWriter } from "./capture-writer.ts";
import { type ChunkSecrets, convergentSecrets, randomSecrets } from "./chunk-secrets.ts";
import { type Compressor, withCompressor } from "./compressor.ts";
import { deriveKey } from "./derive.ts";
import { latin1 } from "./pack-builder.ts";
import type { PackQueue } from "./pack-queue.ts";
import { createRowScanner } from "./row-scanner.ts";
import { giveMemory, takeMemory } from "./spare-memory.ts";

/** Plaintext waits here until its chunks are looked up. Several times the largest chunk, which is twice `max`. */
const stagingBytes = (max: number): number => Math.max(4 * 1024 * 1024, max * 6);

const idsPerLookup = 256;

interface PlainChunk extends ChunkSecrets {
  readonly content: Uint8Array;
  /** Its secrets follow from its content, so that it may be known already. */
  readonly findable: boolean;
}

/** int32 that keeps chunk boundaries from holders of the digest key. */
const cutSaltOf = (dedupSecret: Uint8Array): number => Buffer.from(deriveKey("dbgov-1/cut-salt", dedupSecret)).readInt32LE(0);

export const createRangeWriter = (
  framing: Framing,
  { keys, digestKey, config, index }: CaptureWriterOptions,
  packs: PackQueue,
  counts: { read: number; new: number },
): RangeWriter => {
  const size = stagingBytes(config.chunking.max);
  let buffer = takeMemory(size);
  let filled = 0;
  /** Offset in the stream of the buffer's first byte. */
  let base = 0;
  /** Offsets in the stream at which chunks end. */
  let ends: number[] = [];
  const chunks: ChunkRef[] = [];
  let pending: Promise<void> = Promise.resolve();
  const salt = cutSaltOf(keys.dedupSecret);
  const scanner = createRowScanner(framing, digestKey, { ...config.chunking, salt, cut: (end) => ends.push(end) });

  const secretsOf = (content: Uint8Array): PlainChunk =>
    content.length < config.chunking.min
      ? { content, findable: false, ...randomSecrets() }
      : { content, findable: true, ...convergentSecrets(keys.dedupSecret, content) };

  const lookUp = async (plain: readonly PlainChunk[]): Promise<ReadonlyMap<Uint8Array, ChunkLocation>> => {
    const ids = plain.filter((chunk) => chunk.findable).map((chunk) => chunk.id);
    const known = new Map<Uint8Array, ChunkLocation>();
    for (let from = 0; from < ids.length; from += idsPerLookup) {
      const batch = ids.slice(from, from + idsPerLookup);
      const found = await index.lookup(batch);
      batch.forEach((id, n) => {
        const location = found[n];
        if (location !== undefined) known.set(id, location);
      });
    }
    return known;
  };

  const store = async (
    plain: readonly PlainChunk[],
    known: ReadonlyMap<Uint8Array, ChunkLocation>,
    compressor: Compressor,
  ): Promise<void> => {
    for (const { id, key, content, findable } of plain) {
      let location = known.get(id) ?? (findable ? packs.find(latin1(id)) : undefined);
      if (location === undefined) {
        counts.new += content.length;
        const compressed = await compressor.compress(content);
        const added = packs.add({ id, key }, content, compressed);
        location = added instanceof Promise ? await added : added;
      }
      chunks.push({ id, key, location });
    }
  };

  /** Hashes the buffer's chunks at once, and answers when they are looked up and stored. */
  const process = async (full: Uint8Array, plain: readonly PlainChunk[]): Promise<void> => {
    const known = await lookUp(plain);
    await packs.exclusively(() => withCompressor(config.compression.level, (compressor) => store(plain, known, compressor)));
    giveMemory(full);
  };

  /** Hands the buffer's whole chunks on, and goes on in another buffer with what is left. */
  const turnOver = async (): Promise<void> => {
    await pending;
    const full = buffer;
    let from = base;
    const plain = ends.map((end) => {
      const chunk = secretsOf(full.subarray(from - base, end - base));
      from = end;
      return chunk;
    });
    buffer = takeMemory(size);
    buffer.set(full.subarray(from - base, filled));
    filled -= from - base;
    base = from;
    ends = [];
    pending = process(full, plain);
    // Whoever waits next is told; until then it must not count as unhandled.
    pending.catch(() => {});
  };

  /** Copies and scans as much as fits; returns how much that was. */
  const fill = (block: Uint8Array): number => {
    const take = Math.min(block.length, buffer.length - filled);
    const end = filled + take;
    buffer.set(take === block.length ? block : block.subarray(0, take), filled);
    scanner.scan(buffer.subarray(filled, end));
    filled = end;
    counts.read += take;
    return take;
  };

  const writeRest = async (block: Uint8Array, from: number): Promise<void> => {
    let at = from;
    while (filled === buffer.length) {
      await turnOver();
      at += fill(block.subarray(at));
    }
  };

  return {
    write: (block) => {
      const taken = fill(block);
      return filled === buffer.length ? writeRest(block, taken) : undefined;
    },
    finish: async (): Promise<RangeDraft> => {
      const digest = scanner.finish();
      const last = base + filled;
      if (last > (ends.at(-1) ?? base)) ends.push(last);
      await turnOver();
      await pending;
      giveMemory(buffer);
      return { digest, chunks };
    },
  };
};
