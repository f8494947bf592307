import { Failure } from "../domain/failure.ts";
import type { Framing, RowDigest } from "../domain/snapshot.ts";
import type { Chunking } from "./repository-config.ts";
import { sumText } from "./row-digest.ts";
import { activate, hashRun, type ScanLanes, scanLines } from "./row-scan.ts";
import { mix, rowTables } from "./row-tables.ts";
import { unstamped } from "./stamped-rows.ts";

/** Where chunks end, for a scanner that also cuts. `cut` gets offsets from the beginning of the stream, increasing. */
export interface Cutter extends Chunking {
  /** int32, from the dedup secret: boundaries stay secret from whoever knows the digest key only. */
  readonly salt: number;
  readonly cut: (streamOffset: number) => void;
}

export interface RowScanner {
  /** Blocks may be of any size; where they are split changes nothing. Throws `Unexpected` when `bson` framing is broken. */
  scan(block: Uint8Array): void;
  /** A last row without its end counts as a row. Throws `Unexpected` when a `bson` row is cut off. */
  finish(): RowDigest;
}

/** What is known between two blocks. */
interface ScanState extends ScanLanes {
  readonly seedA: number;
  readonly seedB: number;
  cutter: Cutter;
  /** Bytes scanned so far. */
  position: number;
  /** Of the `bson` row at hand; known once its first four bytes are read. */
  rowLength: number;
}

const smallestDocument = 5;
const never: Cutter = { min: 2 ** 30, target: 1, max: 2 ** 30, salt: 0, cut: () => {} };

/** Whether a chunk ends behind a row whose hash ends in `low`. */
const cutsBehind = (low: number, rowBytes: number, chunkBytes: number, { min, target, max, salt }: Cutter): boolean =>
  chunkBytes >= min && (chunkBytes >= max || (Math.imul(low ^ salt, 0x9e3779b1) >>> 0) * target < rowBytes * 4294967296);

/** The row at hand ends at `state.position`. */
const endRow = (state: ScanState): void => {
  const high = mix((state.laneA + state.rowBytes) | 0);
  const low = mix(state.laneB ^ high);
  state.sumA = (state.sumA + high) | 0;
  state.sumB = (state.sumB + low) | 0;
  state.rows++;
  if (state.giant || cutsBehind(low, state.rowBytes, state.chunkBytes, state.cutter)) {
    state.giant = false;
    state.chunkBytes = 0;
    state.cutter.cut(state.position);
  }
  state.rowBytes = 0;
  state.laneA = state.seedA;
  state.laneB = state.seedB;
};

const scanTextRows = (state: ScanState, block: Uint8Array, from: number, to: number): void => {
  const { cutter, position } = state;
  scanLines(state, cutter, block, from, to, (at) => cutter.cut(position + at - from));
  state.position += to - from;
};

const advance = (state: ScanState, bytes: number): void => {
  state.position += bytes;
  state.rowBytes += bytes;
  state.chunkBytes += bytes;
};

const scanDocuments = (state: ScanState, block: Uint8Array, from: number, to: number): void => {
  let i = from;
  while (i < to) {
    if (state.rowBytes < 4) {
      readLengthByte(state, block[i]!);
      hashRun(state, block, i, i + 1);
      advance(state, 1);
      i++;
      continue;
    }
    const take = Math.min(state.rowLength - state.rowBytes, to - i);
    hashRun(state, block, i, i + take);
    advance(state, take);
    i += take;
    if (state.rowBytes === state.rowLength) endRow(state);
  }
};

const readLengthByte = (state: ScanState, byte: number): void => {
  const got = state.rowBytes;
  state.rowLength = got === 0 ? byte : state.rowLength + byte * 256 ** got;
  if (got === 3 && (state.rowLength < smallestDocument || state.rowLength > 0x7fffffff)) {
    throw new Failure("Unexpected", `a BSON document at byte ${state.position - 3} of its stream claims ${state.rowLength} bytes`);
  }
};

/** No row end within `max` bytes: ends the chunk before the row, then the block. */
const endBlock = (state: ScanState): void => {
  if (!state.giant && state.chunkBytes > state.rowBytes) state.cutter.cut(state.position - state.rowBytes);
  state.giant = true;
  state.chunkBytes = 0;
  state.cutter.cut(state.position);
};

const scanRows = (state: ScanState, block: Uint8Array, scan: typeof scanTextRows): void => {
  const { max } = state.cutter;
  let from = 0;
  while (from < block.length) {
    const to = Math.min(block.length, from + max - (state.giant ? state.chunkBytes : state.rowBytes));
    scan(state, block, from, to);
    if ((state.giant ? state.chunkBytes : state.rowBytes) >= max) endBlock(state);
    from = to;
  }
};

/** Without rows, chunks are blocks of the target size. */
const scanOpaque = (state: ScanState, block: Uint8Array): void => {
  hashRun(state, block, 0, block.length);
  advance(state, block.length);
  if (state.cutter === never) return;
  while (state.chunkBytes >= state.cutter.target) {
    state.chunkBytes -= state.cutter.target;
    state.cutter.cut(state.position - state.chunkBytes);
  }
};

/**
 * One pass over a stream's bytes: finds the rows, hashes each with two keyed 32-bit polynomials, adds the hashes up, and
 * (with a cutter) lets the hash of each row decide whether a chunk ends behind it. The end of the stream is no cut.
 * `docs/format.md`, "Row digest" and "Chunking".
 */
export const createRowScanner = (framing: Framing, digestKey: Uint8Array, cutter: Cutter = never): RowScanner => {
  if (framing === "stamped") return createStampedScanner(digestKey, cutter);
  const own = rowTables(digestKey);
  const { seedA, seedB } = own;
  const counts = { sumA: 0, sumB: 0, rows: 0, position: 0, rowBytes: 0, chunkBytes: 0, giant: false, rowLength: 0 };
  const state: ScanState = { seedA, seedB, cutter, laneA: seedA, laneB: seedB, ...counts };
  return {
    scan: (block) => {
      activate(own);
      if (framing === "opaque") scanOpaque(state, block);
      else scanRows(state, block, framing === "lines" ? scanTextRows : scanDocuments);
    },
    finish: () => {
      const { position, rowBytes } = state;
      if (framing === "bson" && rowBytes > 0) {
        throw new Failure(
          "Unexpected",
          `the BSON document at byte ${position - rowBytes} of its stream is cut off after ${rowBytes} bytes`,
        );
      }
      state.cutter = never;
      if (rowBytes > 0) endRow(state);
      return { rows: framing === "opaque" ? 0 : state.rows, sum: sumText(state.sumA, state.sumB), bytes: position };
    },
  };
};

/** Chunks are cut in the rows as they are; what is added up is the rows without their stamps. */
const createStampedScanner = (digestKey: Uint8Array, cutter: Cutter): RowScanner => {
  const whole = createRowScanner("lines", digestKey, cutter);
  const compared = createRowScanner("lines", digestKey);
  const strip = unstamped();
  return {
    scan: (block) => {
      whole.scan(block);
      compared.scan(strip(block));
    },
    finish: () => ({ ...compared.finish(), bytes: whole.finish().bytes }),
  };
};
