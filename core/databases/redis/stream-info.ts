import type { Reply } from "./connection.ts";
import type { StreamConsumer, StreamGroup, StreamId, StreamState } from "./stream-state.ts";

/** From `XINFO STREAM key FULL COUNT 0`. */
export const stateOfInfo = (reply: Reply): { entries: { id: StreamId; pairs: readonly Buffer[] }[]; state: StreamState } => {
  const info = mapOf(reply);
  const entries = (info.get("entries") as readonly (readonly [Buffer, readonly Buffer[]])[]).map(([id, pairs]) => ({
    id: idOf(id),
    pairs,
  }));
  const groups = (info.get("groups") as readonly Reply[]).map(groupOf);
  const maxDeleted = info.get("max-deleted-entry-id");
  return {
    entries,
    state: {
      lastId: idOf(info.get("last-generated-id") as Buffer),
      maxDeleted: maxDeleted === undefined ? { ms: 0n, sequence: 0n } : idOf(maxDeleted as Buffer),
      added: integer(info.get("entries-added") ?? entries.length),
      groups,
    },
  };
};

const groupOf = (reply: Reply): StreamGroup => {
  const group = mapOf(reply);
  const pending = (group.get("pending") ?? group.get("pel")) as readonly (readonly [Buffer, Buffer, Reply, Reply])[];
  const entriesRead = group.get("entries-read");
  return {
    name: group.get("name") as Buffer,
    lastId: idOf(group.get("last-delivered-id") as Buffer),
    entriesRead: entriesRead === undefined || entriesRead === null ? -1n : integer(entriesRead),
    pending: pending.map(([id, consumer, deliveredAt, deliveries]) => ({
      id: idOf(id),
      consumer,
      deliveredAt: integer(deliveredAt),
      deliveries: integer(deliveries),
    })),
    consumers: (group.get("consumers") as readonly Reply[]).map(consumerOf),
  };
};

const consumerOf = (reply: Reply): StreamConsumer => {
  const consumer = mapOf(reply);
  const seenAt = integer(consumer.get("seen-time") ?? 0);
  return { name: consumer.get("name") as Buffer, seenAt, activeAt: integer(consumer.get("active-time") ?? Number(seenAt)) };
};

/** A map comes as names and values in turn. */
const mapOf = (reply: Reply): ReadonlyMap<string, Reply> => {
  const list = reply as readonly Reply[];
  return new Map(list.flatMap((name, n): (readonly [string, Reply])[] => (n % 2 === 0 ? [[String(name), list[n + 1]!]] : [])));
};

const integer = (reply: Reply): bigint => BigInt(String(reply));

const idOf = (text: Buffer): StreamId => {
  const [ms = "0", sequence = "0"] = text.toString("latin1").split("-");
  return { ms: BigInt(ms), sequence: BigInt(sequence) };
};
