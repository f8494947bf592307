import { Failure } from "../domain/failure.ts";
import { failureOfConnection, failureOfStatus, withoutSecrets } from "./http-failure.ts";

/** An error and what it was made of, outermost first. */
const chainOf = (error: unknown): Error[] => {
  const chain: Error[] = [];
  for (let at = error; at instanceof Error && chain.length < 12; at = at.cause) chain.push(at);
  return chain;
};

/** Errors of the SDK that carry what a provider answered: the operator's only hint, and none of ours is secret to it. */
const providerError = /^(AddPieces|CreateDataSet|PostPiece|UploadPiece|FindPiece|DeletePiece|Pull|WaitFor\w+)Error$/;

const providerSays = (chain: readonly Error[]): string | undefined => {
  const { details } = (chain.find(({ name }) => providerError.test(name)) ?? {}) as { details?: unknown };
  return typeof details === "string" ? details.replaceAll(/\s+/g, " ").slice(0, 160) : undefined;
};

const statusOf = (error: Error): number | undefined => {
  const { status, response } = error as { status?: unknown; response?: { status?: unknown } };
  const found = status ?? response?.status;
  return typeof found === "number" ? found : undefined;
};

/** What contracts, providers and the SDK say in words, since neither has codes for all of it. */
const knownWords: readonly (readonly [RegExp, "StoreFull" | "StoreRejected" | "StoreUnreachable", string])[] = [
  [
    /OperatorNotApproved|operator.{0,20}not approved/i,
    "StoreFull",
    "the wallet has not let the storage service take its payments (a renewal does that)",
  ],
  [
    /InsufficientLockupFunds|InsufficientFunds|Insufficient USDFC/i,
    "StoreFull",
    "the wallet's deposit does not cover the lockup that this needs",
  ],
  [/insufficient funds for (gas|transfer)/i, "StoreFull", "the wallet has no FIL for the transaction"],
  [
    /commP|piece ?CID.{0,40}(mismatch|verification failed)|mismatch/i,
    "StoreUnreachable",
    "the provider computed another commitment than was sent",
  ],
  [/data set.{0,20}not live|PaymentAlreadyTerminated|beyond.{0,20}endEpoch/i, "StoreRejected", "the data set was terminated"],
];

/** `error` of the SDK, of viem or of a provider, as a failure. The words of viem are not shown: they hold addresses with their secrets. */
export const failureOfFilecoin = (what: string, error: unknown): Failure => {
  const chain = chainOf(error);
  const failure = chain.find((one) => one instanceof Failure);
  if (failure !== undefined) return failure;
  const cause = withoutSecrets(error);
  const words = chain.map(({ message }) => message).join("\n");
  const known = knownWords.find(([pattern]) => pattern.test(words));
  if (known !== undefined) return new Failure(known[1], `${what}: ${known[2]}`, { cause });
  const status = chain.map(statusOf).find((one) => one !== undefined && one >= 400);
  // Neither a chain nor a provider's API is an object that could be missing.
  if (status === 404) return new Failure("StoreRejected", `${what}: the server answered 404; is the address right?`, { cause });
  if (status !== undefined) return failureOfStatus(what, status, "", error);
  if (chain.some(({ name }) => name === "ContractFunctionRevertedError" || name === "ContractFunctionZeroDataError")) {
    return new Failure("StoreRejected", `${what}: the contract refused; is the network right?`, { cause });
  }
  const said = providerSays(chain);
  if (said !== undefined) return new Failure("StoreUnreachable", `${what}: the provider said: ${said}`, { cause });
  return failureOfConnection(what, error);
};
