/**
 * A range, byte by byte (`docs/format.md`, "Range"; all integers little-endian):
 *   head 24: "DBGVRANG", version u32, bytes of sealed refs u32, bytes of sealed body u32, zero u32 |
 *   sealed refs | sealed body | SHA-256 of all before (32).
 * Refs: number of packs u32, pack ids 32 each, then for each chunk: id 32, pack number u32, offset u32, stored bytes u32, plain bytes u32.
 * Body: the same, with the chunk's key (32) between id and pack number.
 */
export const rangeMagic = Buffer.from("DBGVRANG", "latin1");
export const rangeHeadBytes = 24;
export const rangeChecksumBytes = 32;
export const refRecordBytes = 48;
export const bodyRecordBytes = 80;
