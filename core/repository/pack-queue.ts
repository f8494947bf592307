import type { ChunkLocation, PackSink } from "./capture-writer.ts";
import type { ChunkSecrets } from "./chunk-secrets.ts";
import type { RepositoryKeys } from "./keys.ts";
import { createPackBuilder, type PackBuilder, packMemoryBytes } from "./pack-builder.ts";
import { giveMemory, takeMemory } from "./spare-memory.ts";

/** Packs of one writer: one filling while the one before is being written. */
export interface PackQueue {
  /** Runs `work` when nobody else adds to the packs. */
  exclusively<T>(work: () => Promise<T>): Promise<T>;
  /** Of a chunk added here recently, whose pack the index may not know yet; by its id as latin1. */
  find(id: string): ChunkLocation | undefined;
  /** Only inside `exclusively`. Returns a promise only when it had to wait for a pack to be written. */
  add(secrets: ChunkSecrets, content: Uint8Array, compressed: Uint8Array | undefined): ChunkLocation | Promise<ChunkLocation>;
  /** Waits until all that was added is durable. */
  flush(): Promise<void>;
}

export interface PackQueueOptions {
  readonly keys: RepositoryKeys;
  readonly sink: PackSink;
  readonly packBytes: number;
  readonly largestChunk: number;
  readonly onSealed: (bytes: number) => void;
}

export const openPackQueue = ({ keys, sink, packBytes, largestChunk, onSealed }: PackQueueOptions): PackQueue => {
  let filling: PackBuilder | undefined;
  let writing: PackBuilder | undefined;
  /** Kept for `find`: a lookup that began before this pack was durable may still be under way. */
  let written: PackBuilder | undefined;
  let writeDone: Promise<void> = Promise.resolve();
  let turn: Promise<unknown> = Promise.resolve();

  const startPack = (): PackBuilder => createPackBuilder(takeMemory(packMemoryBytes(packBytes, largestChunk)), keys.indexKey, packBytes);

  const writeOut = async (builder: PackBuilder): Promise<void> => {
    const pack = builder.seal();
    // At most two packs: this one waits for the one before, and only then the next may begin to fill.
    await writeDone;
    onSealed(pack.bytes.length);
    written = writing;
    writing = builder;
    writeDone = sink.write(pack).then(() => giveMemory(pack.bytes));
    // Whoever waits next is told; until then it must not count as unhandled.
    writeDone.catch(() => {});
  };

  const addToNext = async (secrets: ChunkSecrets, content: Uint8Array, compressed: Uint8Array | undefined): Promise<ChunkLocation> => {
    await writeOut(filling!);
    filling = startPack();
    return filling.add(secrets, content, compressed);
  };

  const exclusively = <T>(work: () => Promise<T>): Promise<T> => {
    const result = turn.then(work);
    turn = result.catch(() => {});
    return result;
  };

  return {
    exclusively,
    find: (id) => filling?.find(id) ?? writing?.find(id) ?? written?.find(id),
    add: (secrets, content, compressed) => {
      filling ??= startPack();
      if (filling.fits(compressed?.length ?? content.length)) return filling.add(secrets, content, compressed);
      return addToNext(secrets, content, compressed);
    },
    flush: () =>
      exclusively(async () => {
        if (filling !== undefined && filling.chunks > 0) {
          const full = filling;
          await writeOut(full);
          filling = undefined;
        }
        await writeDone;
      }),
  };
};
