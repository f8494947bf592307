import { open } from "node:fs/promises";
import { join } from "node:path";
import { packKey } from "../../core/repository/object-keys.ts";

/** Changes one byte in the middle of a pack in a directory store, behind dbgov's back. Returns what puts it right again. */
export const flipByte = async (
  storeFolder: string,
  pack: string,
): Promise<{ readonly offset: number; readonly undo: () => Promise<void> }> => {
  const path = join(storeFolder, packKey(pack));
  const flip = async (): Promise<number> => {
    const file = await open(path, "r+");
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
  return { offset: await flip(), undo: async () => void (await flip()) };
};
