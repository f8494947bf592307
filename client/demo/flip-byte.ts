import { open } from "node:fs/promises";
import { join } from "node:path";
import { packKey } from "../../core/repository/object-keys.ts";

/** Changes one bit in the middle of a pack in a directory store, behind dbgov's back. Returns where. */
export const flipByte = async (storeFolder: string, pack: string): Promise<number> => {
  const file = await open(join(storeFolder, packKey(pack)), "r+");
  try {
    const offset = Math.floor((await file.stat()).size / 2);
    const byte = new Uint8Array(1);
    await file.read(byte, 0, 1, offset);
    byte[0] = (byte[0] ?? 0) ^ 0x01;
    await file.write(byte, 0, 1, offset);
    return offset;
  } finally {
    await file.close();
  }
};
