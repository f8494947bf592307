import { type Cursor, malformed, pass } from "./cursor.ts";

const broken = () => malformed("a compressed string is damaged");

/** How far back a reference reaches at most. */
const windowBytes = 1 << 13;

/** LibLZF's format: runs of literals (control byte below 32: one less than their count), and references back. */
export const decompressLzf = (input: Uint8Array, size: number): Buffer => {
  const out = Buffer.allocUnsafe(size);
  let from = 0;
  let to = 0;
  while (from < input.length) {
    const control = input[from++]!;
    if (control < 32) {
      const run = control + 1;
      if (from + run > input.length || to + run > size) throw broken();
      for (let n = 0; n < run; n++) out[to++] = input[from++]!;
      continue;
    }
    let run = control >> 5;
    if (run === 7) run += input[from++]!;
    let back = to - (((control & 0x1f) << 8) | input[from++]!) - 1;
    run += 2;
    if (!(back >= 0 && to + run <= size)) throw broken();
    for (let n = 0; n < run; n++) out[to++] = out[back++]!;
  }
  if (to !== size) throw broken();
  return out;
};

const blockBytes = 64 << 10;
const longestRun = 7 + 255 + 2;

/** Decompresses a large string block by block as its bytes come in: each call takes what is there, and gives the bytes that became known. */
export const createLzfStream = (compressed: number, size: number) => {
  const out = Buffer.allocUnsafe(windowBytes + blockBytes + longestRun);
  let to = 0;
  let left = compressed;
  let made = 0;
  const instruction = (cursor: Cursor): void => {
    const { buffer } = cursor;
    const start = pass(cursor, 1);
    const control = buffer[start]!;
    let from = start;
    if (control < 32) {
      from = pass(cursor, control + 1);
      buffer.copy(out, to, from, cursor.at);
      to += control + 1;
    } else {
      let run = control >> 5;
      if (run === 7) run += buffer[pass(cursor, 1)]!;
      let back = to - (((control & 0x1f) << 8) | buffer[pass(cursor, 1)]!) - 1;
      if (back < 0) throw broken();
      run += 2;
      for (let n = 0; n < run; n++) out[to++] = out[back++]!;
    }
    left -= cursor.at - start;
  };
  return {
    /** At least one instruction; throws `underflow` when not even that is there. */
    next: (cursor: Cursor): Buffer => {
      // References reach into the window, which moves to the front.
      if (to > windowBytes) {
        out.copyWithin(0, to - windowBytes, to);
        to = windowBytes;
      }
      const start = to;
      while (left > 0 && to - start < blockBytes) {
        const mark = cursor.at;
        try {
          instruction(cursor);
        } catch (error) {
          cursor.at = mark;
          if (to === start) throw error;
          break;
        }
      }
      made += to - start;
      if (left < 0 || made > size || (left === 0 && made !== size)) throw broken();
      return out.subarray(start, to);
    },
    done: (): boolean => left === 0,
  };
};
