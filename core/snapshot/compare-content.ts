import type { Restoration } from "../databases/engine.ts";
import type { Manifest } from "../repository/manifest.ts";
import { rowDigestOf } from "../repository/row-digest.ts";
import { eachLimited } from "./each-limited.ts";
import type { JobProgress } from "./jobs.ts";

/** Reads every restored stream back and compares its rows, in whatever order they lie, with the manifest. One sentence for each difference. */
export const compareContent = async (
  manifest: Manifest,
  restoration: Restoration,
  report: (progress: JobProgress) => void,
): Promise<string[]> => {
  const digestKey = new Uint8Array(Buffer.from(manifest.digestKey, "base64"));
  const differences: string[] = [];
  let bytes = 0;
  let rows = 0;
  await eachLimited(
    manifest.streams.filter(({ kind }) => kind === "rows"),
    2,
    async (stream) => {
      const counted = async function* (): AsyncIterable<Uint8Array> {
        for await (const block of restoration.readBack(stream)) {
          bytes += block.length;
          report({ bytes, rows, current: `comparing ${stream.name}` });
          yield block;
        }
      };
      const found = await rowDigestOf(counted(), stream.framing, digestKey);
      rows += found.rows;
      if (found.rows !== stream.rows) differences.push(`${stream.name} has ${found.rows} rows, the snapshot has ${stream.rows}`);
      else if (found.sum !== stream.sum)
        differences.push(`${stream.name} has as many rows as the snapshot (${stream.rows}), but not the same ones`);
    },
  );
  return differences.sort();
};
