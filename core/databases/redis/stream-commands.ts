import type { Argument } from "./connection.ts";
import type { StreamDetail, StreamId, StreamState } from "./stream-state.ts";

type Command = readonly Argument[];

export const idText = ({ ms, sequence }: StreamId): string => `${ms}-${sequence}`;

/** An entry, where RESTORE is not allowed. */
export const streamCommands = (key: Buffer, id: StreamId, pairs: readonly Buffer[]): Command[] => [["XADD", key, idText(id), ...pairs]];

/**
 * Groups, consumers and pending entries by commands. When a consumer was last seen cannot be set, nor can an entry be
 * pending that was deleted: the comparison tells.
 */
export const streamStateCommands = (key: Buffer, state: StreamState, detail: StreamDetail): Command[] => {
  const { lastId, added, maxDeleted, groups } = state;
  const seed = "dbgov:none";
  return [
    // A stream without entries exists by a group that is made with it.
    ["XGROUP", "CREATE", key, seed, "0", "MKSTREAM"],
    ["XGROUP", "DESTROY", key, seed],
    ["XSETID", key, idText(lastId), ...(detail >= 2 ? ["ENTRIESADDED", String(added), "MAXDELETEDID", idText(maxDeleted)] : [])],
    ...groups.flatMap((group): Command[] => [
      [
        ...["XGROUP", "CREATE", key, Buffer.from(group.name), idText(group.lastId)],
        ...(detail >= 2 && group.entriesRead >= 0n ? ["ENTRIESREAD", String(group.entriesRead)] : []),
      ],
      ...group.consumers.map(({ name }): Command => ["XGROUP", "CREATECONSUMER", key, Buffer.from(group.name), Buffer.from(name)]),
      ...group.pending.map(
        (entry): Command => [
          ...["XCLAIM", key, Buffer.from(group.name), Buffer.from(entry.consumer), "0", idText(entry.id)],
          ...["TIME", String(entry.deliveredAt), "RETRYCOUNT", String(entry.deliveries), "FORCE", "JUSTID"],
        ],
      ),
    ]),
  ];
};
