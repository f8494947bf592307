import { Failure, isFailure } from "../../domain/failure.ts";
import { type Ask, type ChainPlace, hostOf, nodesOf, whereOf, withChain } from "./rpc.ts";

/**
 * Reading through several nodes, some of which may be away, lag behind, or lie. An answer counts once `quorum` of them give it; with
 * one node it is believed as it is.
 */

type Work<T> = (ask: Ask, where: string) => Promise<T>;

/** How many nodes must say the same. */
export const quorumOf = (place: ChainPlace): number => place.quorum ?? Math.floor(nodesOf(place).length / 2) + 1;

/**
 * Asks every node, and makes one answer of theirs by `agree`, which gets the quorum and answers undefined when they contradict each other.
 * `what` names the matter. Throws `ChainUnreachable` when too few answer or they contradict each other, and the nodes' own `ChainRejected`
 * when a quorum of them refuses.
 */
export const readAgreed = async <T>(
  place: ChainPlace,
  what: string,
  work: Work<T>,
  agree: (answers: readonly T[], quorum: number) => T | undefined,
): Promise<T> => {
  const nodes = nodesOf(place);
  const [only] = nodes;
  if (nodes.length === 1 && only !== undefined) return await withChain(only, work);
  const quorum = quorumOf(place);
  const results = await Promise.allSettled(nodes.map((node) => withChain(node, work)));
  const answers = results.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
  const reasons = results.flatMap((result) => (result.status === "rejected" ? [result.reason as unknown] : []));
  const unexpected = reasons.find((reason) => !isFailure(reason, "ChainUnreachable") && !isFailure(reason, "ChainRejected"));
  if (unexpected !== undefined) throw unexpected;
  const refusals = reasons.filter((reason) => isFailure(reason, "ChainRejected"));
  if (refusals.length >= quorum) throw refusals[0];
  const where = whereOf(place);
  if (answers.length < quorum) {
    const said = reasons.map((reason) => (reason as Failure).message).join("; ");
    throw new Failure(
      "ChainUnreachable",
      `${where}: ${answers.length} of ${nodes.length} nodes answer, and ${quorum} must agree on ${what}: ${said}`,
    );
  }
  const agreed = agree(answers, quorum);
  if (agreed !== undefined) return agreed;
  const hosts = nodes.map(({ rpc }) => hostOf(rpc)).join(", ");
  throw new Failure("ChainUnreachable", `${where}: the nodes ${hosts} contradict each other on ${what}, and no ${quorum} of them agree`);
};

/** The first answer that a node gives, in the order of the configuration: for what proves itself. Throws the last node's failure. */
export const firstAnswer = async <T>(place: ChainPlace, work: Work<T>): Promise<T> => {
  let failure: unknown;
  for (const node of nodesOf(place)) {
    try {
      return await withChain(node, work);
    } catch (error) {
      if (!isFailure(error)) throw error;
      failure = error;
    }
  }
  throw failure;
};

/** The answer that a quorum gives word for word; undefined when there is none. */
export const sameAnswer = <T>(answers: readonly T[], quorum: number): T | undefined => {
  const words = answers.map((answer) => JSON.stringify(answer));
  return answers.find((_, at) => words.filter((word) => word === words[at]).length >= quorum);
};

/** The largest number that a quorum has reached: fewer nodes than that cannot raise it by lying, nor hold it down by lagging, where others suffice. */
export const reached = (numbers: readonly bigint[], quorum: number): bigint =>
  [...numbers].sort((a, b) => (a < b ? 1 : a > b ? -1 : 0))[quorum - 1] ?? 0n;
