import { AbiCoder, type Result, verifyTypedData } from "ethers";
import type { SimulatedFilecoin } from "./network.ts";

/** The payer's signatures (EIP-712, as FilecoinWarmStorageService defines them), which the real contract checks and the simulated provider here. */

const metadata = [
  { name: "key", type: "string" },
  { name: "value", type: "string" },
];
const creating = {
  CreateDataSet: [
    { name: "clientDataSetId", type: "uint256" },
    { name: "payee", type: "address" },
    { name: "metadata", type: "MetadataEntry[]" },
  ],
  MetadataEntry: metadata,
};
const adding = {
  AddPieces: [
    { name: "clientDataSetId", type: "uint256" },
    { name: "nonce", type: "uint256" },
    { name: "pieceData", type: "Cid[]" },
    { name: "pieceMetadata", type: "PieceMetadata[]" },
  ],
  Cid: [{ name: "data", type: "bytes" }],
  PieceMetadata: [
    { name: "pieceIndex", type: "uint256" },
    { name: "metadata", type: "MetadataEntry[]" },
  ],
  MetadataEntry: metadata,
};
const removing = {
  SchedulePieceRemovals: [
    { name: "clientDataSetId", type: "uint256" },
    { name: "pieceIds", type: "uint256[]" },
  ],
};

const decode = (types: string[], data: string): Result => AbiCoder.defaultAbiCoder().decode(types, data);
const entries = (keys: string[], values: string[]) => keys.map((key, index) => ({ key, value: values[index] }));

const check = (network: SimulatedFilecoin, payer: string, types: object, message: object, signature: string): void => {
  const domain = { name: "FilecoinWarmStorageService", version: "1", chainId: 31_415_926, verifyingContract: network.contracts.fwss };
  if (verifyTypedData(domain, types as never, message as never, signature) !== payer) throw new Error("InvalidSignature");
};

const checkPieces = (
  network: SimulatedFilecoin,
  payer: string,
  clientDataSetId: bigint,
  cids: readonly string[],
  extraData: string,
): void => {
  const [nonce, keys, values, signature] = decode(["uint256", "string[][]", "string[][]", "bytes"], extraData);
  const pieceMetadata = cids.map((_, index) => ({ pieceIndex: index, metadata: entries([...keys[index]], [...values[index]]) }));
  check(network, payer, adding, { clientDataSetId, nonce, pieceData: cids.map((data) => ({ data })), pieceMetadata }, signature);
};

const dataSet = async (network: SimulatedFilecoin, id: bigint): Promise<{ payer: string; clientDataSetId: bigint }> =>
  await network.contract.getFunction("getDataSet")(id);

export const checkCreating = async (
  network: SimulatedFilecoin,
  payee: string,
  cids: readonly string[],
  extraData: string,
): Promise<void> => {
  const [create, pieces] = decode(["bytes", "bytes"], extraData);
  const [payer, clientDataSetId, keys, values, signature] = decode(["address", "uint256", "string[]", "string[]", "bytes"], create);
  check(network, payer, creating, { clientDataSetId, payee, metadata: entries([...keys], [...values]) }, signature);
  checkPieces(network, payer, clientDataSetId, cids, pieces);
};

export const checkAdding = async (network: SimulatedFilecoin, id: bigint, cids: readonly string[], extraData: string): Promise<void> => {
  const { payer, clientDataSetId } = await dataSet(network, id);
  checkPieces(network, payer, clientDataSetId, cids, extraData);
};

export const checkRemoving = async (network: SimulatedFilecoin, id: bigint, pieceId: bigint, extraData: string): Promise<void> => {
  const { payer, clientDataSetId } = await dataSet(network, id);
  const [signature] = decode(["bytes"], extraData);
  check(network, payer, removing, { clientDataSetId, pieceIds: [pieceId] }, signature);
};
