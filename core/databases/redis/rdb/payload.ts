import { crc64 } from "./crc64.ts";

/** What RESTORE takes: type and value as an RDB has them, the version of that RDB, a checksum. */
export const restorePayload = (rdbType: number, value: readonly Uint8Array[], version: number): Buffer => {
  const head = Buffer.of(rdbType);
  const footer = Buffer.alloc(2);
  footer.writeUInt16LE(version, 0);
  const checked = Buffer.concat([head, ...value, footer]);
  return Buffer.concat([checked, crc64(checked)]);
};

/** The type of module values. */
export const moduleType = 7;
