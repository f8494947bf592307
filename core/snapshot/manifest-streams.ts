import type { Plan } from "../databases/engine.ts";
import { Failure } from "../domain/failure.ts";
import type { ManifestStream } from "../repository/manifest.ts";
import { addRowDigests, emptyRowDigest } from "../repository/row-digest.ts";
import type { CapturedPart } from "./capture-batch.ts";

/** The plan's streams with what was captured of them. Throws when a planned part was not captured: a manifest never tells less than the plan. */
export const manifestStreams = (plan: Plan, captured: readonly CapturedPart[]): ManifestStream[] => {
  const byPlace = new Map(captured.map((part) => [part.part.join("/"), part]));
  return plan.streams.map((stream, streamAt) => {
    const parts = stream.parts.map((_, partAt) => {
      const part = byPlace.get(`${streamAt}/${partAt}`);
      if (part === undefined) throw new Failure("Unexpected", `part ${partAt} of ${stream.name} was planned but not captured`);
      return part;
    });
    const total = parts.reduce(addRowDigests, emptyRowDigest);
    return {
      name: stream.name,
      kind: stream.kind,
      framing: stream.framing,
      target: stream.target,
      rows: total.rows,
      bytes: total.bytes,
      sum: total.sum,
      ranges: parts.map(({ range, rows, bytes, sum }) => ({ id: range, rows, bytes, sum })),
    };
  });
};
