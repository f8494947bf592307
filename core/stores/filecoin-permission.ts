import type { FilecoinCall, FilecoinNetwork } from "./filecoin-chain.ts";
import { dataSetKey } from "./filecoin-index.ts";
import type { PieceCid } from "./filecoin-piece.ts";
import { metadataOf, type PieceRecord } from "./filecoin-record.ts";

type Synapse = ReturnType<FilecoinNetwork["signer"]>;
/** A provider with the data set that is ours there, or that the first piece creates. */
export type Place = Awaited<ReturnType<Synapse["storage"]["createContexts"]>>[number];

export interface Permitted {
  readonly cid: PieceCid;
  readonly record: PieceRecord;
  /** The repository's name in its data sets. */
  readonly dataSet: string;
}

/**
 * The wallet's signature under adding a piece to a data set, which the first one creates. The contract takes each number that it is signed with once
 * (`clientNonces`), and the same piece is signed with the same number until that was taken: a provider that is asked again, while what it sent first is not in a block
 * yet, cannot have the piece added and paid for twice.
 */
export const permissionFor = async (
  network: FilecoinNetwork,
  call: FilecoinCall,
  place: Place,
  { cid, record, dataSet }: Permitted,
): Promise<`0x${string}`> => {
  const { sdk, client, chain, owner } = call;
  const freeNonce = async (...of: readonly unknown[]): Promise<bigint> => {
    for (let turn = 0; ; turn += 1) {
      const nonce = BigInt(sdk.viem.keccak256(sdk.viem.toHex(JSON.stringify(["dbgov", ...of.map(String), turn]))));
      // Taken and yet not there: it was removed since.
      if ((await client.readContract({ ...chain.contracts.fwssView, functionName: "clientNonces", args: [owner, nonce] })) === 0n)
        return nonce;
    }
  };
  const signer = network.signer(call).client;
  const metadata = Object.entries(metadataOf(record)).map(([key, value]) => ({ key, value }));
  const pieces = [{ pieceCid: cid, metadata }];
  const nonceAt = (at: string): Promise<bigint> => freeNonce("piece", at, record.key, record.version, cid);
  if (place.dataSetId !== undefined) {
    const { clientDataSetId } = await client.readContract({
      ...chain.contracts.fwssView,
      functionName: "getDataSet",
      args: [place.dataSetId],
    });
    return sdk.typed.signAddPieces(signer, { clientDataSetId, pieces, nonce: await nonceAt(`data set ${place.dataSetId}`) });
  }
  return sdk.typed.signCreateDataSetAndAddPieces(signer, {
    clientDataSetId: await freeNonce("data set", dataSet, place.provider.id),
    nonce: await nonceAt(`provider ${place.provider.id}`),
    payee: place.provider.serviceProvider,
    payer: owner,
    metadata: [{ key: dataSetKey, value: dataSet }],
    pieces,
  });
};
