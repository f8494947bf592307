import { Failure } from "../../domain/failure.ts";
import { type RegistryPlace, registryInterface } from "./registry.ts";
import { nodesOf, withChain } from "./rpc.ts";
import { addressOfKey } from "./send.ts";

/**
 * Proves without sending anything that the account of `key` could submit through each node: it is of the right chain and names a final
 * block, the registry is there and allows the account, and the account can pay. Throws `ChainUnreachable` and `ChainRejected`.
 */
export const probeAnchor = async (place: RegistryPlace & { readonly key: string }): Promise<{ submitter: string; nodes: number }> => {
  const nodes = nodesOf(place);
  for (const node of nodes) await probeNode({ ...place, ...node, otherRpcs: [] });
  return { submitter: addressOfKey(place.key), nodes: nodes.length };
};

const probeNode = (place: RegistryPlace & { readonly key: string }): Promise<void> =>
  withChain(place, async (ask, where) => {
    const submitter = addressOfKey(place.key);
    const data = registryInterface.encodeFunctionData("isSubmitter", [submitter]);
    const answer = await ask<string>("eth_call", [{ to: place.contract, data }, "latest"]);
    if (answer.length !== 66) throw new Failure("ChainRejected", `${where}: there is no registry at ${place.contract}`);
    if (BigInt(answer) !== 1n)
      throw new Failure("ChainRejected", `${where}: the registry ${place.contract} does not allow ${submitter} to submit`);
    const balance = BigInt(await ask<string>("eth_getBalance", [submitter, "latest"]));
    if (balance === 0n) throw new Failure("ChainRejected", `${where}: the submitter ${submitter} has no balance to pay with`);
    const final = await ask<{ number: string } | null>("eth_getBlockByNumber", ["finalized", false]);
    if (final === null) throw new Failure("ChainRejected", `${where}: the node names no finalized block`);
  });
