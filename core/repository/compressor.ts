import { constants, createZstdCompress } from "node:zlib";
import { Failure } from "../domain/failure.ts";
import { dropMemory } from "./spare-memory.ts";
import { frameExtent } from "./zstd-frame.ts";

/** Compresses chunks one after the other, outside the thread that asks. */
export interface Compressor {
  /** `content` as one zstd frame, or undefined when that saves less than one part in 16. To be awaited before the next call. */
  compress(content: Uint8Array): Promise<Uint8Array | undefined>;
}

/** Frames are cut from memory of this size: most lie in one piece, and it is got once in a few dozen of them. */
const outputBytes = 1024 * 1024;

/**
 * One zstd context for many frames: making one for each would take a tenth of the time of compressing, and the garbage collector
 * would run for it more than for all the rest. `ZSTD_e_end` makes a whole frame of every write, its size in its header.
 */
const createCompressor = (level: number): Compressor => {
  const stream = createZstdCompress({
    flush: constants.ZSTD_e_end,
    chunkSize: outputBytes,
    params: { [constants.ZSTD_c_compressionLevel]: level },
  });
  let pieces: Buffer[] = [];
  /** The memory that output is cut from. A piece of another says that it is used up, and every frame before is used by then. */
  let output: Uint8Array | undefined;
  stream.on("data", (piece: Buffer) => pieces.push(piece));
  const frameOf = (content: Uint8Array): Promise<Buffer> =>
    new Promise((resolve, reject) => {
      // What came after the last write was told to be done would be taken for this one's.
      if (pieces.length > 0) return reject(new Failure("Unexpected", "the compressor gave a part of a frame too late"));
      stream.once("error", reject);
      stream.write(content, (error) => {
        stream.off("error", reject);
        const frame = pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces);
        for (const { buffer } of pieces) {
          if (output !== undefined && output.buffer !== buffer) dropMemory(output);
          output = new Uint8Array(buffer);
        }
        pieces = [];
        if (error) return reject(error);
        // The stream tells of output and of the end of a write by different ways: that the frame is whole, and this content's, is not left to their order.
        const extent = frameExtent(frame);
        if (extent?.contentBytes !== content.length)
          return reject(new Failure("Unexpected", `the compressor gave no whole frame of ${content.length} bytes`));
        // Where a frame fills the output memory to the last byte, an empty one follows it.
        resolve(frame.subarray(0, extent.end));
      });
    });
  return {
    compress: async (content) => {
      const frame = await frameOf(content);
      return frame.length + (content.length >> 4) < content.length ? frame : undefined;
    },
  };
};

const idle = new Map<number, Compressor[]>();

/** Lends a compressor of the level to `work`; kept for the next in this thread. */
export const withCompressor = async <T>(level: number, work: (compressor: Compressor) => Promise<T>): Promise<T> => {
  const kept = idle.get(level) ?? [];
  idle.set(level, kept);
  const compressor = kept.pop() ?? createCompressor(level);
  const result = await work(compressor);
  // One that has failed is left to the garbage collector.
  kept.push(compressor);
  return result;
};
