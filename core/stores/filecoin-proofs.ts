import type { FilecoinCall } from "./filecoin-chain.ts";
import type { Copy, DataSet } from "./filecoin-index.ts";

/** Thirty seconds. */
export const epochMs = 30_000;
/** How many past periods are looked through for a proof. */
const periodsBack = 30n;

export interface ProvingState {
  readonly epoch: bigint;
  /** Undefined before the provider has begun to prove. */
  readonly deadline: bigint | undefined;
  readonly activation: bigint;
  readonly period: bigint;
  /** Whether the challenge that is open now was answered. */
  readonly answered: boolean;
}

export const provingState = async ({ client, chain }: FilecoinCall, { id }: DataSet): Promise<ProvingState> => {
  const { pdp, fwssView } = chain.contracts;
  const args = [id] as const;
  const [epoch, [challenge, lastProven, deadline, activation, [period]]] = await Promise.all([
    client.getBlockNumber({ cacheTime: 0 }),
    client.multicall({
      allowFailure: false,
      batchSize: 16_384,
      contracts: [
        { ...pdp, functionName: "getNextChallengeEpoch", args },
        { ...pdp, functionName: "getDataSetLastProvenEpoch", args },
        { ...fwssView, functionName: "provingDeadline", args },
        { ...fwssView, functionName: "provingActivationEpoch", args },
        { ...fwssView, functionName: "getPDPConfig" },
      ],
    }),
  ]);
  // The epoch of the last proof is also set, without one, when proving begins: only one after the challenge counts.
  const answered = challenge > 0n && lastProven >= challenge;
  return { epoch, deadline: deadline === 0n ? undefined : deadline, activation, period: BigInt(period), answered };
};

/** The number of the period that `epoch` is in. */
const periodOf = (state: ProvingState, epoch: bigint): bigint =>
  epoch < state.activation ? -1n : (epoch - state.activation) / state.period;

const provenBetween = async ({ client, chain }: FilecoinCall, { id }: DataSet, from: bigint, to: bigint): Promise<boolean> => {
  const periods = Array.from({ length: Math.max(0, Number(to - from) + 1) }, (_, index) => from + BigInt(index));
  const proven = await client.multicall({
    allowFailure: false,
    batchSize: 16_384,
    contracts: periods.map((period) => ({
      ...chain.contracts.fwssView,
      functionName: "provenPeriods" as const,
      args: [id, period] as const,
    })),
  });
  return proven.includes(true);
};

/**
 * Whether the provider has proven possession since this piece was among what it can be challenged for. A proof is of the whole data set:
 * it samples leaves of all its pieces.
 */
export const isProven = async (call: FilecoinCall, { dataSet, pieceId, record }: Copy): Promise<boolean> => {
  const challengeable = await call.client.readContract({
    ...call.chain.contracts.pdp,
    functionName: "pieceChallengable",
    args: [dataSet.id, pieceId],
  });
  if (!challengeable) return false;
  const state = await provingState(call, dataSet);
  if (state.answered) return true;
  // The answer of an earlier period. A piece is added within one (a day) of being sent, or its put has failed long before; two later it is
  // among the challenged for sure.
  const current = periodOf(state, state.epoch);
  const sure = periodOf(state, BigInt(record.epoch) + state.period) + 2n;
  const from = sure > current - periodsBack ? sure : current - periodsBack;
  return provenBetween(call, dataSet, from < 0n ? 0n : from, current);
};

/** One sentence when the provider has not proven in time; undefined when all is well. */
export const missedProof = async (call: FilecoinCall, dataSet: DataSet): Promise<string | undefined> => {
  const state = await provingState(call, dataSet);
  if (state.deadline === undefined) return undefined;
  const last = periodOf(state, state.deadline - 1n);
  const late = state.epoch > state.deadline && !state.answered;
  if (late) return `the provider has missed a proof of possession, which was due at epoch ${state.deadline}`;
  if (last < 1n || (await provenBetween(call, dataSet, last - 1n, last - 1n))) return undefined;
  return "the provider has missed the proof of possession of the last period";
};
