import type { FilecoinCall } from "./filecoin-chain.ts";
import { type PieceRecord, recordOf } from "./filecoin-record.ts";

/** Pieces at one provider, paid for together. */
export interface DataSet {
  readonly id: bigint;
  readonly providerId: bigint;
  readonly serviceUrl: string;
  /** The epoch at which a terminated data set ends; undefined while it is paid for. */
  readonly ends: bigint | undefined;
}

/** One copy of one version of an object. */
export interface Copy {
  readonly dataSet: DataSet;
  readonly pieceId: bigint;
  readonly cid: string;
  readonly record: PieceRecord;
}

/** The key of a data set's metadata that tells the repositories of one wallet apart. */
export const dataSetKey = "dbgov";

const setsPerPage = 100n;

/**
 * The data sets of the repository called `name`, oldest first; those that the chain has given up are left out, and those of providers
 * that have left the registry, since nobody knows where these are.
 */
export const dataSetsOf = async ({ sdk, client, chain, owner }: FilecoinCall, name: string): Promise<DataSet[]> => {
  const { pdp, fwssView } = chain.contracts;
  const pageFrom = (offset: number) =>
    client.readContract({ ...fwssView, functionName: "getClientDataSets", args: [owner, BigInt(offset), setsPerPage] });
  type Info = Awaited<ReturnType<typeof pageFrom>>[number];
  const ofOwner: Info[] = [];
  for (let more = true; more; ) {
    const page = await pageFrom(ofOwner.length);
    ofOwner.push(...page);
    more = BigInt(page.length) === setsPerPage;
  }
  const batch = { allowFailure: false, batchSize: 16_384 } as const;
  const [live, metadata] = await Promise.all([
    client.multicall({
      ...batch,
      contracts: ofOwner.map(({ dataSetId }) => ({ ...pdp, functionName: "dataSetLive" as const, args: [dataSetId] as const })),
    }),
    client.multicall({
      ...batch,
      contracts: ofOwner.map(({ dataSetId }) => ({
        ...fwssView,
        functionName: "getAllDataSetMetadata" as const,
        args: [dataSetId] as const,
      })),
    }),
  ]);
  const ours = ofOwner.filter((_, index) => {
    const [keys, values] = metadata[index]!;
    return live[index] && keys.length === 1 && keys[0] === dataSetKey && values[0] === name;
  });
  if (ours.length === 0) return [];
  const providers = await sdk.registry.getPDPProvidersByIds(client, {
    providerIds: [...new Set(ours.map(({ providerId }) => providerId))],
  });
  return ours
    .flatMap(({ dataSetId, providerId, pdpEndEpoch }) => {
      const serviceUrl = providers.find(({ id }) => id === providerId)?.pdp.serviceURL;
      const ends = pdpEndEpoch === 0n ? undefined : pdpEndEpoch;
      return serviceUrl === undefined ? [] : [{ id: dataSetId, providerId, serviceUrl, ends }];
    })
    .sort((a, b) => Number(a.id - b.id));
};

interface KnownPiece {
  readonly cid: string;
  readonly record: PieceRecord | undefined;
}

export interface PieceIndex {
  /** Every copy of every object under `prefix`, from the chain. */
  readonly all: (call: FilecoinCall, sets: readonly DataSet[], prefix: string) => Promise<Copy[]>;
  /** The copies of `key`, of all versions. What earlier calls have read is not read again. */
  readonly ofKey: (call: FilecoinCall, sets: readonly DataSet[], key: string) => Promise<Copy[]>;
}

/**
 * Which object each piece is. The chain keeps that (a piece's metadata), but finds no piece by it: the index reads each piece's
 * once and remembers it for the life of the store. A piece never changes; whether it is still there is asked each time.
 */
export const createPieceIndex = (pageSize = 100): PieceIndex => {
  const known = new Map<bigint, Map<bigint, KnownPiece>>();

  /** Reads on from piece `from`. Returns the pieces that are there and not about to be removed. */
  const readFrom = async (call: FilecoinCall, { id }: DataSet, from: bigint): Promise<bigint[]> => {
    const { client, chain, sdk } = call;
    const pieces = known.get(id) ?? new Map<bigint, KnownPiece>();
    known.set(id, pieces);
    const active: bigint[] = [];
    for (let cursor = from, more = true; more; ) {
      const [cids, ids, hasMore] = await client.readContract({
        ...chain.contracts.pdp,
        functionName: "getActivePiecesByCursor",
        args: [id, cursor, BigInt(pageSize)],
      });
      const unknown = ids.flatMap((pieceId, index) => (pieces.has(pieceId) ? [] : [{ pieceId, cid: cids[index]!.data }]));
      const metadata = await client.multicall({
        allowFailure: false,
        batchSize: 16_384,
        contracts: unknown.map(({ pieceId }) => ({
          ...chain.contracts.fwssView,
          functionName: "getAllPieceMetadata" as const,
          args: [id, pieceId] as const,
        })),
      });
      for (const [index, { pieceId, cid }] of unknown.entries()) {
        const [keys, values] = metadata[index]!;
        pieces.set(pieceId, { cid: sdk.pieces.hexToPieceCID(cid).toString(), record: recordOf(keys, values) });
      }
      active.push(...ids);
      more = hasMore && ids.length > 0;
      cursor = (ids.at(-1) ?? cursor) + 1n;
    }
    return active;
  };

  const leaving = async ({ client, chain }: FilecoinCall, { id }: DataSet): Promise<Set<bigint>> =>
    new Set(await client.readContract({ ...chain.contracts.pdp, functionName: "getScheduledRemovals", args: [id] }));

  const copiesOf = (dataSet: DataSet, ids: readonly bigint[], gone: ReadonlySet<bigint>): Copy[] =>
    ids.flatMap((pieceId) => {
      const piece = known.get(dataSet.id)?.get(pieceId);
      return piece?.record === undefined || gone.has(pieceId) ? [] : [{ dataSet, pieceId, cid: piece.cid, record: piece.record }];
    });

  return {
    all: async (call, sets, prefix) => {
      const lists = await Promise.all(sets.map(async (set) => copiesOf(set, await readFrom(call, set, 0n), await leaving(call, set))));
      return lists.flat().filter(({ record }) => record.key.startsWith(prefix));
    },

    ofKey: async (call, sets, key) => {
      const { client, chain } = call;
      const lists = await Promise.all(
        sets.map(async (set) => {
          const last = [...(known.get(set.id)?.keys() ?? [])].at(-1);
          await readFrom(call, set, last === undefined ? 0n : last + 1n);
          const named = [...known.get(set.id)!].flatMap(([pieceId, { record }]) => (record?.key === key ? [pieceId] : []));
          if (named.length === 0) return [];
          const live = await client.multicall({
            allowFailure: false,
            contracts: named.map((pieceId) => ({
              ...chain.contracts.pdp,
              functionName: "pieceLive" as const,
              args: [set.id, pieceId] as const,
            })),
          });
          return copiesOf(
            set,
            named.filter((_, index) => live[index]),
            await leaving(call, set),
          );
        }),
      );
      return lists.flat();
    },
  };
};

/** Of the copies of one key, those of its newest version; of two versions by writers at once, the same for everybody. */
export const newestOf = (copies: readonly Copy[]): Copy[] => {
  const newer = (a: Copy, b: Copy): Copy =>
    b.record.version > a.record.version || (b.record.version === a.record.version && b.cid > a.cid) ? b : a;
  const newest = copies.length === 0 ? undefined : copies.reduce(newer);
  return copies.filter(({ record, cid }) => record.version === newest?.record.version && cid === newest.cid);
};
