import { readFileSync } from "node:fs";
import { multiplierA, multiplierB, type RowTables } from "./row-tables.ts";

/**
 * The loops that see every byte, in WebAssembly: nearly three times as fast as the compiler of JavaScript makes them, at their
 * full speed from the first row on, and with SIMD for finding the rows' ends. One instance a thread.
 */
declare const WebAssembly: {
  readonly Module: new (code: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: unknown };
};

interface Loops {
  readonly memory: { readonly buffer: ArrayBuffer };
  run(at: number, end: number): void;
  lines(at: number, to: number): number;
}

/** What is known between two blocks of a stream, as far as the loops change it. */
export interface ScanLanes {
  laneA: number;
  laneB: number;
  sumA: number;
  sumB: number;
  rows: number;
  /** Of the row at hand, so far. */
  rowBytes: number;
  /** Of the chunk at hand, so far. */
  chunkBytes: number;
  /** The row at hand is larger than `max`: it is cut in blocks of `max`. */
  giant: boolean;
}

// As the head of row-scan.wat tells.
const constantsAt = 8192 / 4;
const stateAt = 8256 / 4;
const cutterAt = stateAt + 7;
const giantAt = stateAt + 11;
const dataAt = 65_536;
const cutsAt = 196_608 / 4;
const pieceBytes = 65_536;

const module = new WebAssembly.Module(readFileSync(new URL("./row-scan.wasm", import.meta.url)));
const loops = new WebAssembly.Instance(module).exports as Loops;
const words = new Int32Array(loops.memory.buffer);
const bytes = new Uint8Array(loops.memory.buffer);
let active: RowTables | undefined;

/** Must be called before a run of scanning; nothing asynchronous may come between. */
export const activate = (tables: RowTables): void => {
  if (tables === active) return;
  active = tables;
  const constants = [multiplierA, multiplierB].flatMap((multiplier, lane) => {
    let power = 1;
    for (let at = lane * 1024; at < (lane + 1) * 1024; at += 256) {
      const table = lane === 0 ? tables.a : tables.b;
      for (let byte = 0; byte < 256; byte++) words[at + byte] = Math.imul(table[byte]!, power);
      power = Math.imul(power, multiplier);
    }
    return [power, multiplier];
  });
  words.set([constants[0]!, constants[2]!, constants[1]!, constants[3]!, tables.seedA, tables.seedB], constantsAt);
};

/** Hashes `block[from, to)`, in which no row ends, into the lanes. */
export const hashRun = (state: ScanLanes, block: Uint8Array, from: number, to: number): void => {
  words[stateAt] = state.laneA;
  words[stateAt + 1] = state.laneB;
  for (let at = from; at < to; at += pieceBytes) {
    const end = Math.min(to, at + pieceBytes);
    bytes.set(block.subarray(at, end), dataAt);
    loops.run(dataAt, dataAt + end - at);
  }
  state.laneA = words[stateAt]!;
  state.laneB = words[stateAt + 1]!;
};

/** Scans the lines in `block[from, to)`. `cut` hears of each place in them where a chunk ends, as an offset in `block`. */
export const scanLines = (
  state: ScanLanes,
  cutter: { readonly min: number; readonly max: number; readonly salt: number; readonly target: number },
  block: Uint8Array,
  from: number,
  to: number,
  cut: (at: number) => void,
): void => {
  const { laneA, laneB, sumA, sumB, rows, rowBytes, chunkBytes, giant } = state;
  words.set([laneA, laneB, sumA, sumB, rows, rowBytes, chunkBytes, cutter.min, cutter.max, cutter.salt, cutter.target], stateAt);
  words[giantAt] = giant ? 1 : 0;
  for (let at = from; at < to; at += pieceBytes) {
    const end = Math.min(to, at + pieceBytes);
    bytes.set(block.subarray(at, end), dataAt);
    const cuts = loops.lines(dataAt, dataAt + end - at);
    for (let n = 0; n < cuts; n++) cut(words[cutsAt + n]! - dataAt + at);
  }
  [state.laneA, state.laneB, state.sumA, state.sumB, state.rows, state.rowBytes, state.chunkBytes] = words.subarray(
    stateAt,
    cutterAt,
  ) as unknown as [number, number, number, number, number, number, number];
  state.giant = words[giantAt] === 1;
};
