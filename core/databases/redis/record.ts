/**
 * The record of a key, as a snapshot keeps it: what the key holds, not how a server happens to encode it, so that the
 * same content is the same bytes whatever version, encoding or hash order it was read from. All integers little-endian.
 *
 *   int32 length of the whole record · u8 form · u8 type · u16 database · i64 expiry (ms since 1970; -1: none) · u32 + key · body
 *
 * A key of at most `wholeBytes` is one record (`whole`). A larger one is a record for each element (`piece`), of lists
 * and streams for each 64 KiB of elements, then one that closes it (`closing`): u64 count of elements and, of a stream, its state.
 * Bodies:
 *   string   the bytes
 *   list     (u32 + element)… ; in a piece after the u64 index of the first
 *   set      (u32 + member)… in the order of their bytes
 *   zset     (u32 + member, f64 score)… in the order of the members' bytes
 *   hash     (u32 + field, u32 + value, i64 expiry)… in the order of the fields' bytes
 *   stream   u32 + state (whole records), then (u64 ms, u64 sequence, u32 pairs, (u32 + field, u32 + value)…)…
 *   module   u32 + name of the module's type, then the value as the RDB has it
 */
export const forms = { whole: 0, piece: 1, closing: 2 } as const;

export const keyTypes = ["string", "list", "set", "zset", "hash", "stream", "module"] as const;
export type KeyType = (typeof keyTypes)[number];

/** Part of the stored format: with another one the same key would be other records. */
export const wholeBytes = 1 << 20;
export const pieceBytes = 64 << 10;

/** Before the key: length, form, type, database, expiry, length of the key. */
export const headBytes = 4 + 1 + 1 + 2 + 8 + 4;

/** No expiry. */
export const forever = -1n;

export interface KeyHead {
  readonly database: number;
  readonly type: KeyType;
  readonly key: Uint8Array;
  /** Milliseconds since 1970, or `forever`. */
  readonly expiry: bigint;
}
