import { readFile, writeFile } from "node:fs/promises";
import wabt from "wabt";

/** `npm run wasm`: assembles the row scanner's loops anew. The result is committed, so that nothing has to be built to run. */
const source = new URL("../core/repository/row-scan.wat", import.meta.url);
export const assembled = new URL("../core/repository/row-scan.wasm", import.meta.url);

export const assemble = async (): Promise<Uint8Array> => {
  const module = (await wabt()).parseWat("row-scan.wat", await readFile(source, "utf8"), { simd: true });
  module.validate();
  return module.toBinary({}).buffer;
};

if (import.meta.main) await writeFile(assembled, await assemble());
