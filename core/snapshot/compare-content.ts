import type { Restoration, RowsStream } from "../databases/engine.ts";
import { eachLimited } from "../domain/each-limited.ts";
import { Failure } from "../domain/failure.ts";
import type { RowDigest } from "../domain/snapshot.ts";
import type { Manifest } from "../repository/manifest.ts";
import { addRowDigests, emptyRowDigest, rowDigestOf } from "../repository/row-digest.ts";
import { createRowScanner } from "../repository/row-scanner.ts";
import type { ChosenPart } from "./choose-part.ts";
import type { JobProgress } from "./jobs.ts";

/** What each stream of a target has to hold: as the manifest says, or, where records were chosen, as was seen when they were written. */
export interface ExpectedContent {
  readonly digestKey: Uint8Array;
  of(stream: RowsStream & RowDigest): RowDigest;
  /** Adds what passes through to what is expected of the stream. */
  expect(stream: RowsStream, content: AsyncIterable<Uint8Array>): { content: AsyncIterable<Uint8Array>; rows: () => number };
}

export const expectedContent = (manifest: Manifest, filtered: boolean): ExpectedContent => {
  const digestKey = new Uint8Array(Buffer.from(manifest.digestKey, "base64"));
  const seen = new Map<string, RowDigest>();
  return {
    digestKey,
    of: (stream) => (filtered ? (seen.get(stream.name) ?? emptyRowDigest) : stream),
    expect: ({ name, framing }, content) => {
      let found = emptyRowDigest;
      const digested = async function* (): AsyncIterable<Uint8Array> {
        const scanner = createRowScanner(framing, digestKey);
        for await (const block of content) {
          scanner.scan(block);
          yield block;
        }
        found = scanner.finish();
        seen.set(name, addRowDigests(seen.get(name) ?? emptyRowDigest, found));
      };
      return { content: digested(), rows: () => found.rows };
    },
  };
};

/** Reads every restored stream back and compares its rows, in whatever order they lie, with what is expected. One sentence for each difference. */
export const compareContent = async (
  { streams, filter }: ChosenPart,
  expected: ExpectedContent,
  restoration: Restoration,
  report: (progress: JobProgress) => void,
): Promise<string[]> => {
  const differences: string[] = [];
  const total = streams.reduce((sum, { bytes }) => sum + bytes, 0);
  let bytes = 0;
  let rows = 0;
  if (filter !== undefined && streams.every((stream) => expected.of(stream).rows === 0))
    throw new Failure("NameUnknown", "no record of the snapshot matches --only and --except; nothing was restored");
  await eachLimited(streams, 2, async (stream) => {
    const counted = async function* (): AsyncIterable<Uint8Array> {
      for await (const block of restoration.readBack(stream)) {
        bytes += block.length;
        report({ bytes, rows, total, current: `comparing ${stream.name}` });
        yield block;
      }
    };
    const found = await rowDigestOf(filter === undefined ? counted() : filter(stream, counted()), stream.framing, expected.digestKey);
    rows += found.rows;
    const wanted = expected.of(stream);
    if (found.rows !== wanted.rows) differences.push(`${stream.name} has ${found.rows} rows, the snapshot has ${wanted.rows}`);
    else if (found.sum !== wanted.sum)
      differences.push(`${stream.name} has as many rows as the snapshot (${wanted.rows}), but not the same ones`);
  });
  return differences.sort();
};
