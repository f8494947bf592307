import { Failure } from "../domain/failure.ts";
import type { FilecoinCall, FilecoinConfig, FilecoinNetwork } from "./filecoin-chain.ts";
import { openSets } from "./filecoin-copies.ts";
import type { DataSet } from "./filecoin-index.ts";
import { epochMs, missedProof } from "./filecoin-proofs.ts";
import type { Renewal } from "./store.ts";

const epochsPerDay = 2_880n;
/** How long a transaction may take until it is in a block: as long as the SDK waits. */
export const confirmMs = 300_000;
/** What a new data set takes: the fee for it, the lockup of the least that a month costs, and some for what runs meanwhile (0.1, 0.06 and 0.01 USDFC). */
const firstCost = 170_000_000_000_000_000n;
const forever = 2n ** 64n;

interface Account {
  readonly epoch: bigint;
  /** When the deposit is used up, as an epoch. */
  readonly fundedUntil: bigint;
  /** Not locked, in 10^-18 USDFC. */
  readonly available: bigint;
  /** What all data sets of the wallet cost in an epoch. */
  readonly rate: bigint;
  /** Whether the storage service may take its payments. */
  readonly approved: boolean;
  /** In the wallet, not deposited. */
  readonly wallet: bigint;
}

const accountOf = async ({ client, chain, owner }: FilecoinCall): Promise<Account> => {
  const { filecoinPay, fwss, usdfc } = chain.contracts;
  const [epoch, [[fundedUntil, , available, rate], [approved], wallet]] = await Promise.all([
    client.getBlockNumber({ cacheTime: 0 }),
    client.multicall({
      allowFailure: false,
      batchSize: 16_384,
      contracts: [
        { ...filecoinPay, functionName: "getAccountInfoIfSettled", args: [usdfc.address, owner] },
        { ...filecoinPay, functionName: "operatorApprovals", args: [usdfc.address, owner, fwss.address] },
        { ...usdfc, functionName: "balanceOf", args: [owner] },
      ],
    }),
  ]);
  return { epoch, fundedUntil, available, rate, approved, wallet };
};

const usdfc = (amount: bigint): string => {
  const [whole, fraction] = [amount / 10n ** 18n, (amount % 10n ** 18n).toString().padStart(18, "0").slice(0, 6)];
  return `${whole}.${fraction} USDFC`;
};

const amountOf = (decimal: string): bigint => {
  const [whole, fraction = ""] = decimal.split(".");
  return BigInt(whole! + fraction.padEnd(18, "0"));
};

const dateOf = (epoch: bigint, state: { epoch: bigint }, now: number): string | null =>
  epoch > forever ? null : new Date(now + Number(epoch - state.epoch) * epochMs).toISOString();

/** What ends: the deposit, and each data set that was terminated. A provider that stops proving is told of here, too. */
export const renewalsOf = async (call: FilecoinCall, sets: readonly DataSet[], now: number): Promise<Renewal[]> => {
  const account = await accountOf(call);
  const fundedUntil = dateOf(account.fundedUntil, account, now);
  const empty = account.fundedUntil <= account.epoch;
  const deposit: Renewal = {
    what: `USDFC deposit of ${call.owner}`,
    until: null,
    fundedUntil,
    renewable: true,
    ...(empty ? { problem: "the deposit is used up: providers may terminate the data sets, and drop them after the lockup" } : {}),
    ...(account.approved ? {} : { problem: "the wallet has not let the storage service take its payments" }),
  };
  const places = sets.map(async (set): Promise<Renewal> => {
    const what = `data set ${set.id} at provider ${set.providerId} (${new URL(set.serviceUrl).origin})`;
    if (set.ends !== undefined) {
      const problem = "the data set was terminated: what is in it has to be stored anew before it ends";
      return { what, until: dateOf(set.ends, account, now), fundedUntil: null, renewable: false, problem };
    }
    const problem = await missedProof(call, set);
    return { what, until: null, fundedUntil, renewable: true, ...(problem === undefined ? {} : { problem }) };
  });
  return [deposit, ...(await Promise.all(places))];
};

/** Returns when the transaction is in a block; `StoreRejected` where it failed there. */
export const awaitMined = async ({ where }: FilecoinNetwork, { client, signal }: FilecoinCall, hash: `0x${string}`): Promise<void> => {
  const { status } = await client.waitForTransactionReceipt({ hash, timeout: confirmMs, pollingInterval: 1_000, signal });
  if (status !== "success") throw new Failure("StoreRejected", `${where}: the transaction ${hash} failed`);
};

/** A transaction of an earlier attempt may still be mined: a deposit beside it would be a second one. */
const refuseWhileUnmined = async ({ where }: FilecoinNetwork, { client, owner }: FilecoinCall): Promise<void> => {
  const count = (blockTag: "pending" | "latest") => client.getTransactionCount({ address: owner, blockTag });
  const [known, mined] = await Promise.all([count("pending"), count("latest")]);
  if (known <= mined) return;
  const what = `${where}: a transaction of the wallet ${owner} is not in a block yet; nothing is deposited before it is`;
  throw new Failure("StoreUnreachable", what);
};

/**
 * Lets the storage service take its payments, and deposits so that the data sets are paid for twice the margin, when the deposit ends within
 * it. `CostCapExceeded` above `maxDeposit`, `StoreFull` when the wallet has less, `StoreUnreachable` while an earlier transaction waits.
 */
export const renewDeposit = async (
  network: FilecoinNetwork,
  call: FilecoinCall,
  config: FilecoinConfig,
  sets: readonly DataSet[],
  { days, now }: { days: number; now: number },
): Promise<Renewal[]> => {
  await refuseWhileUnmined(network, call);
  const account = await accountOf(call);
  const { payments } = network.signer(call);
  const done: Renewal[] = [];
  const say = (what: string, fundedUntil: string | null): void => void done.push({ what, until: null, fundedUntil, renewable: true });
  const mined = (hash: `0x${string}`): Promise<void> => awaitMined(network, call, hash);
  if (!account.approved) {
    await mined(await payments.approveService());
    say("the storage service may take its payments", dateOf(account.fundedUntil, account, now));
  }
  const margin = BigInt(Math.ceil(days)) * epochsPerDay;
  const newSets = BigInt(Math.max(0, config.copies - openSets(sets).length)) * firstCost;
  const due = account.fundedUntil <= account.epoch + margin;
  const owed = account.fundedUntil < account.epoch ? (account.epoch - account.fundedUntil) * account.rate : 0n;
  const wanted = owed + newSets + (due ? account.rate * margin * 2n : 0n);
  if (wanted <= account.available) return done;
  const amount = wanted - account.available;
  if (amount > amountOf(config.maxDeposit)) {
    const what = `${network.where}: a deposit of ${usdfc(amount)} is due, and the cap (maxDeposit) is ${config.maxDeposit} USDFC`;
    throw new Failure("CostCapExceeded", what);
  }
  if (amount > account.wallet) {
    throw new Failure("StoreFull", `${network.where}: a deposit of ${usdfc(amount)} is due, and the wallet holds ${usdfc(account.wallet)}`);
  }
  await mined(await payments.deposit({ amount }));
  const after = await accountOf(call);
  say(`${usdfc(amount)} deposited`, dateOf(after.fundedUntil, after, now));
  return done;
};

/** Throws what would keep a put from being paid for. */
export const checkFunds = async (
  network: FilecoinNetwork,
  call: FilecoinCall,
  config: FilecoinConfig,
  sets: readonly DataSet[],
): Promise<void> => {
  const account = await accountOf(call);
  if (!account.approved) {
    throw new Failure(
      "StoreFull",
      `${network.where}: the wallet ${call.owner} has not let the storage service take its payments (a renewal does that)`,
    );
  }
  if (account.fundedUntil <= account.epoch) {
    throw new Failure("StoreFull", `${network.where}: the deposit of ${call.owner} is used up`);
  }
  const missing = BigInt(Math.max(0, config.copies - openSets(sets).length)) * firstCost;
  if (account.available < missing) {
    const what = `${network.where}: new data sets take ${usdfc(missing)}, and ${usdfc(account.available)} of the deposit of ${call.owner} is free`;
    throw new Failure("StoreFull", what);
  }
};
