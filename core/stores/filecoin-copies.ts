import { Failure } from "../domain/failure.ts";
import type { FilecoinCall, FilecoinConfig, FilecoinNetwork } from "./filecoin-chain.ts";
import { type Copy, type DataSet, dataSetKey } from "./filecoin-index.ts";
import { awaitMined } from "./filecoin-money.ts";
import { type Permitted, type Place, permissionFor } from "./filecoin-permission.ts";
import { metadataOf } from "./filecoin-record.ts";

/** The data sets that are paid for, one for each provider, the oldest first. */
export const openSets = (sets: readonly DataSet[]): DataSet[] => {
  const open = sets.filter(({ ends }) => ends === undefined);
  return open.filter(({ providerId }, index) => open.findIndex((other) => other.providerId === providerId) === index);
};

/** As many places as there shall be copies. `StoreUnreachable` when not so many providers are to be had. */
export const placesFor = async (
  network: FilecoinNetwork,
  call: FilecoinCall,
  config: FilecoinConfig,
  sets: readonly DataSet[],
): Promise<Place[]> => {
  const { storage } = network.signer(call);
  const open = openSets(sets).slice(0, config.copies);
  const places = open.length === 0 ? [] : await storage.createContexts({ dataSetIds: open.map(({ id }) => id) });
  const missing = config.copies - places.length;
  if (missing === 0) return places;
  const metadata = { [dataSetKey]: config.dataSet };
  // Not where a data set of ours was terminated either: there is a reason for that.
  const used = sets.map(({ providerId }) => providerId);
  const named = config.providers?.map(BigInt).filter((id) => !used.includes(id));
  const added =
    named === undefined
      ? await storage.createContexts({ copies: missing, metadata, excludeProviderIds: used })
      : named.length === 0
        ? []
        : await storage.createContexts({ providerIds: named.slice(0, missing), metadata });
  if (added.length < missing) {
    const have = `${places.length + added.length} of ${config.copies}`;
    throw new Failure("StoreUnreachable", `${network.where}: only ${have} providers for the copies can be had now`);
  }
  return [...places, ...added];
};

export const hasCopy = (place: Place, copies: readonly Copy[]): boolean => copies.some(({ dataSet }) => dataSet.id === place.dataSetId);

const nameOf = (place: Place): string => `provider ${place.provider.id} (${new URL(place.provider.pdp.serviceURL).origin})`;

/** Says which provider it was. */
const at = async <T>(place: Place, doing: string, work: Promise<T>, fail: (what: string, error: unknown) => Failure): Promise<T> =>
  work.catch((error: unknown) => {
    throw error instanceof Failure ? error : fail(`${doing} at ${nameOf(place)}`, error);
  });

/**
 * Brings the piece to every place that lacks it: sent once, fetched by the others from the provider that has it, then added to the
 * data sets, which makes it paid for and proven. A provider that cannot fetch it is sent it.
 */
export const storeCopies = async (
  network: FilecoinNetwork,
  call: FilecoinCall,
  {
    payload,
    places,
    copies,
    ...permitted
  }: Permitted & { readonly payload: Uint8Array; readonly places: readonly Place[]; readonly copies: readonly Copy[] },
  fail: (what: string, error: unknown) => Failure,
): Promise<void> => {
  const { signal, progressed } = call;
  const { cid, record } = permitted;
  const pieces = [{ pieceCid: cid, pieceMetadata: metadataOf(record) }];
  const missing = places.filter((place) => !hasCopy(place, copies));
  const send = (place: Place) => at(place, "upload", place.store(payload, { pieceCid: cid, signal, onProgress: progressed }), fail);
  const permissions = new Map<Place, `0x${string}`>();
  for (const place of missing) permissions.set(place, await permissionFor(network, call, place, permitted));
  let source = places.find((place) => hasCopy(place, copies));
  for (const place of missing) {
    if (source === undefined) {
      await send(place);
      source = place;
    } else {
      const from = source.getPieceUrl(cid);
      const extraData = permissions.get(place)!;
      const pulled = await place.pull({ pieces: [cid], from: () => from, extraData, signal }).catch((error: unknown) => {
        signal.throwIfAborted();
        return { status: "failed" as const, error };
      });
      if (pulled.status === "failed") await send(place);
    }
    progressed();
  }
  signal.throwIfAborted();
  const commits = await Promise.allSettled(
    missing.map((place) => at(place, "adding the piece", place.commit({ pieces, extraData: permissions.get(place)! }), fail)),
  );
  // All of them are awaited: one that is added although another failed is found by the put that is tried again.
  for (const commit of commits) if (commit.status === "rejected") throw commit.reason;
};

/** Has the providers take these pieces out of their data sets, which they do with the next proof; returns when that is on the chain. */
export const removeCopies = async (
  network: FilecoinNetwork,
  call: FilecoinCall,
  copies: readonly Copy[],
  fail: (what: string, error: unknown) => Failure,
): Promise<void> => {
  if (copies.length === 0) return;
  const { storage } = network.signer(call);
  const sent: `0x${string}`[] = [];
  for (const { dataSet, pieceId } of copies) {
    const [place] = await storage.createContexts({ dataSetIds: [dataSet.id] });
    sent.push(await at(place!, "removal", place!.deletePiece({ piece: pieceId }), fail));
    call.progressed();
  }
  await Promise.all(sent.map((hash) => awaitMined(network, call, hash)));
};
