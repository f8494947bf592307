import { randomBytes } from "node:crypto";
import { Failure } from "../../core/domain/failure.ts";
import type { Framing } from "../../core/domain/snapshot.ts";
import type { ChunkLocation, RangeDraft } from "../../core/repository/capture-writer.ts";
import { openCaptureWriter } from "../../core/repository/capture-writer.ts";
import { digestKeyOf, generateRecipient, parseRecipient, parseRecipientSecret, type RepositoryKeys } from "../../core/repository/keys.ts";
import { openPackDirectory } from "../../core/repository/packs.ts";
import type { ReadPack } from "../../core/repository/read-range.ts";
import type { RepositoryConfig } from "../../core/repository/repository-config.ts";

/** Small chunks and packs, so that little data shows everything. */
export const smallConfig: RepositoryConfig = {
  chunking: { min: 1024, target: 4096, max: 16 * 1024 },
  compression: { algorithm: "zstd", level: 1 },
};

export const randomKeys = (): RepositoryKeys => ({ dedupSecret: randomBytes(32), indexKey: randomBytes(32) });

export const newRecipient = async (name: string) => {
  const { publicText, secretText } = await generateRecipient();
  return { secretText, recipient: parseRecipient(name, publicText), secret: await parseRecipientSecret(secretText) };
};

/** Packs in memory; what is in them is known as soon as they are written. */
export interface MemoryRepository {
  readonly keys: RepositoryKeys;
  readonly packs: Map<string, Uint8Array>;
  readonly read: ReadPack;
  capture(framing: Framing, blocks: Iterable<Uint8Array>, packBytes?: number): Promise<{ draft: RangeDraft; new: number; read: number }>;
}

export const memoryRepository = (keys: RepositoryKeys = randomKeys(), config: RepositoryConfig = smallConfig): MemoryRepository => {
  const packs = new Map<string, Uint8Array>();
  const known = new Map<string, ChunkLocation>();
  const hex = (id: Uint8Array) => Buffer.from(id).toString("hex");
  return {
    keys,
    packs,
    read: async (pack, { offset, length }) => {
      const bytes = packs.get(pack);
      if (bytes === undefined) throw new Failure("ObjectMissing", `there is no pack ${pack}`);
      return bytes.subarray(offset, offset + length);
    },
    capture: async (framing, blocks, packBytes = 64 * 1024) => {
      const writer = openCaptureWriter({
        keys,
        digestKey: digestKeyOf(keys.dedupSecret),
        config,
        packBytes,
        index: { lookup: async (ids) => ids.map((id) => known.get(hex(id))) },
        sink: {
          write: async (pack) => {
            packs.set(pack.id, pack.bytes.slice());
            for (const { id, ...place } of openPackDirectory(pack.bytes, keys.indexKey, pack.id))
              known.set(hex(id), { pack: pack.id, ...place });
          },
        },
      });
      const range = writer.beginRange(framing);
      for (const block of blocks) await range.write(block);
      const draft = await range.finish();
      await writer.flush();
      return { draft, new: writer.counts().new, read: writer.counts().read };
    },
  };
};

export const collect = async (blocks: AsyncIterable<Uint8Array>): Promise<Buffer> => {
  const all: Uint8Array[] = [];
  for await (const block of blocks) all.push(block);
  return Buffer.concat(all);
};

export async function* asyncBlocks(blocks: Iterable<Uint8Array>): AsyncGenerator<Uint8Array, void, void> {
  yield* blocks;
}

/** The same bytes in blocks of the sizes given, over and over. */
export const splitBy = (bytes: Uint8Array, sizes: readonly number[]): Uint8Array[] => {
  const blocks: Uint8Array[] = [];
  for (let at = 0, n = 0; at < bytes.length; n++) {
    const size = sizes.length === 0 ? bytes.length : Math.max(1, sizes[n % sizes.length]!);
    blocks.push(bytes.subarray(at, at + size));
    at += size;
  }
  return blocks;
};

/** Lines like those of a table, the same for the same seed. */
export const tableText = (rows: number, seed = 1): Buffer => {
  let state = seed;
  const next = (below: number) => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return (state >>> 8) % below;
  };
  const words = ["final", "express", "ideas", "deposits", "\\N", "requests", "bold", "Überweisung"];
  const lines = Array.from({ length: rows }, (_, n) => `${n}\t${next(1e6)}\t${words[next(8)]} ${words[next(8)]}\t${next(10_000) / 100}\n`);
  return Buffer.from(lines.join(""), "utf8");
};
