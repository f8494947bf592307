import type { EarlierContent } from "../engine.ts";
import { type Container, listRanges, type PartitionRange } from "./catalog.ts";
import { countOf, feedPosition, followsChanges, nothingWritten, type Position } from "./change-feed.ts";
import { type Connection, connected } from "./connection.ts";
import type { RowsSelector } from "./plan.ts";

/** By what a later snapshot can tell that nothing was written to a container since. */
export type Follow = "change feed" | "timestamps";

/** What is kept of a container for the next snapshot; taken before its documents are read, so that what changes meanwhile counts as changed. */
type ContainerMark =
  /** Positions in the change feed, by where the partition's range begins. */
  | { readonly by: "change feed"; readonly positions: Readonly<Record<string, Position>> }
  /** Seconds since 1970 by the server's clock. */
  | { readonly by: "timestamps"; readonly since: number };

/** How much the clocks of the servers that stamp documents may differ; a document written so shortly before the plan is taken for changed. */
export const clocksDifferBySeconds = 60;

/** Which of the two this server has, found out on the first container that has documents enough. */
export async function findFollow(
  connection: Connection,
  containers: readonly { readonly container: Container; readonly ranges: readonly PartitionRange[] }[],
  signal: AbortSignal,
): Promise<Follow> {
  for (const { container, ranges } of containers) {
    for (const range of ranges) {
      const follows = await followsChanges(connection, { container: container.id, rid: container.rid, range }, signal);
      if (follows !== undefined) return follows ? "change feed" : "timestamps";
    }
  }
  return "timestamps";
}

export async function markOf(
  connection: Connection,
  follow: Follow,
  { id, rid }: Container,
  ranges: readonly PartitionRange[],
  signal: AbortSignal,
): Promise<ContainerMark | undefined> {
  if (follow === "timestamps") {
    const { openedAt } = connection;
    return openedAt === undefined ? undefined : { by: "timestamps", since: Math.floor(openedAt / 1_000) - clocksDifferBySeconds };
  }
  const positions: Record<string, Position> = {};
  for (const range of ranges) {
    const position = await feedPosition(connection, { container: id, rid, range }, signal);
    if (position !== undefined) positions[range.min] = position;
  }
  return { by: "change feed", positions };
}

/**
 * A partition is unchanged if nothing was created or replaced in it since its mark, and it holds as many documents as it
 * gave then: without anything created, the documents of now are among those of then.
 */
export async function findUnchanged(
  url: string,
  _token: string,
  parts: readonly EarlierContent[],
  report: (done: number) => void,
  signal: AbortSignal,
): Promise<readonly boolean[]> {
  return connected(url, signal, "looking at what has changed", async (connection) => {
    const ranges = new Map<string, Promise<readonly PartitionRange[]>>();
    const rangesOf = (container: string): Promise<readonly PartitionRange[]> => {
      const known = ranges.get(container) ?? listRanges(connection, container, signal);
      ranges.set(container, known);
      return known;
    };
    const results: boolean[] = [];
    for (const { stream, part, mark, rows } of parts) {
      signal.throwIfAborted();
      const selector = part.selector as RowsSelector;
      const present = stream.mark as ContainerMark | undefined;
      // A replica that lags behind the one that told the present position must not be asked: what it has not seen would never be noticed.
      if (present?.by === "change feed") connection.sessions.remember(selector.container, present.positions[selector.min]?.session ?? null);
      results.push(stream.kind === "rows" && (await isUnchanged(selector, mark as ContainerMark, rows)));
      report(results.length);
    }
    return results;

    async function isUnchanged({ container, rid, min, max }: RowsSelector, mark: ContainerMark, rows: number): Promise<boolean> {
      const range = (await rangesOf(container)).find((each) => each.min === min && each.max === max);
      if (range === undefined) return false;
      const followed = { container, rid, range };
      if (mark.by === "timestamps") {
        if ((await countOf(connection, followed, mark.since, signal)) !== 0) return false;
      } else {
        const position = mark.positions[min];
        if (position === undefined || !(await nothingWritten(connection, followed, position.etag, signal))) return false;
      }
      return (await countOf(connection, followed, undefined, signal)) === rows;
    }
  });
}
