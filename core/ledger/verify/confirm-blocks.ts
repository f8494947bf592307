import type { ProofBundle } from "./bundle.ts";
import { concat } from "./bytes.ts";
import { checkEvmEvidence } from "./evm-evidence.ts";
import { AuditInputError } from "./input-error.ts";
import { listOf } from "./shape.ts";
import type { Trust, TrustedChain } from "./trust.ts";

const checkAnchors = listOf(checkEvmEvidence, 8);
/** A block with the hashes of its transactions has less. */
const largestAnswer = 4 * 1024 * 1024;

/**
 * For an auditor who is online: asks a node of their choice (not of the operator's) for the hash of each block that the anchors of a bundle, or of a statement,
 * name, and returns the trust policy with those that the node calls final added. What the node does not confirm is left out,
 * so that the audit then says what is missing. Throws `AuditInputError` when the node does not answer within `timeoutMs`.
 */
export const confirmBlocks = async (bundle: unknown, trust: Trust, rpc: string, timeoutMs = 15_000): Promise<Trust> => {
  const { anchors } = (bundle ?? {}) as ProofBundle;
  if (checkAnchors(anchors, "anchors") !== undefined) return trust;
  const signal = AbortSignal.timeout(timeoutMs);
  const chainId = Number(await ask(rpc, "eth_chainId", [], signal));
  const final = Number(fieldOf(await ask(rpc, "eth_getBlockByNumber", ["finalized", false], signal), "number"));
  const confirmed: { number: number; hash: string }[] = [];
  for (const { block } of anchors.filter((anchor) => anchor.chainId === chainId && anchor.block <= final)) {
    const hash = fieldOf(await ask(rpc, "eth_getBlockByNumber", [`0x${block.toString(16)}`, false], signal), "hash");
    if (typeof hash === "string" && /^0x[0-9a-f]{64}$/.test(hash)) confirmed.push({ number: block, hash });
  }
  const extended = (chain: TrustedChain): TrustedChain =>
    chain.chainId === chainId ? { ...chain, finalizedBlocks: [...(chain.finalizedBlocks ?? []), ...confirmed] } : chain;
  return { ...trust, chains: (trust.chains ?? []).map(extended) };
};

const ask = async (rpc: string, method: string, params: readonly unknown[], signal: AbortSignal): Promise<unknown> => {
  try {
    const response = await fetch(rpc, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
      signal,
    });
    return fieldOf(JSON.parse(new TextDecoder().decode(await readAtMost(response))), "result");
  } catch {
    throw new AuditInputError("trust policy", `cannot be completed: the node at ${hostOf(rpc)} did not answer ${method}`);
  }
};

const readAtMost = async ({ body }: Response): Promise<Uint8Array> => {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body ?? []) {
    length += chunk.length;
    if (length > largestAnswer) throw new RangeError("the answer is too large");
    chunks.push(chunk);
  }
  return concat(...chunks);
};

const fieldOf = (value: unknown, field: string): unknown =>
  typeof value === "object" && value !== null ? (value as Record<string, unknown>)[field] : undefined;

/** The path and the query of an RPC's URL often hold a key. */
const hostOf = (url: string): string => (URL.canParse(url) ? new URL(url).host : "an address that is not a URL");
