/**
 * A pack, byte by byte (`docs/format.md`, "Pack"; all integers little-endian):
 *   head 16: "DBGVPACK", version u32, zero u32 | sealed chunks | sealed directory | trailer 56:
 *   SHA-256 of sealed directory (32), its offset u32, its bytes u32, version u32, zero u32, "DBGVPEND".
 */
export const packMagic = Buffer.from("DBGVPACK", "latin1");
export const packEndMagic = Buffer.from("DBGVPEND", "latin1");
export const packHeadBytes = 16;
export const packTrailerBytes = 56;
/** id 32, offset u32, stored bytes u32, plain bytes u32 */
export const packRecordBytes = 44;

/** A pack is sealed when the next chunk would not fit into this. Only the last one of a flush is smaller than about that. */
export const packTargetBytes = 16 * 1024 * 1024;

/** No pack is larger. */
export const packLimitBytes = 40 * 1024 * 1024;

/** Blocks that the Merkle root of a pack is over. */
export const packBlockBytes = 64 * 1024;
