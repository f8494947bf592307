import { Wallet } from "ethers";

/** What tests do to a development chain. */

export const callChain = async <T>(rpc: string, method: string, ...params: unknown[]): Promise<T> => {
  const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method, params });
  const response = await fetch(rpc, { method: "POST", headers: { "content-type": "application/json" }, body });
  const answer = (await response.json()) as { result: T; error?: { message: string } };
  if (answer.error !== undefined) throw new Error(`${method}: ${answer.error.message}`);
  return answer.result;
};

/** An account of the test's own, so that nobody else uses its nonces. */
export const fundedKey = async (rpc: string, ether = 10n): Promise<string> => {
  const { address, privateKey } = Wallet.createRandom();
  await callChain(rpc, "anvil_setBalance", address, `0x${(ether * 10n ** 18n).toString(16)}`);
  return privateKey;
};

/** Asks until `check` is satisfied. */
export const until = async <T>(ask: () => Promise<T>, check: (answer: T) => boolean, ms = 20_000): Promise<T> => {
  const deadline = Date.now() + ms;
  for (;;) {
    const answer = await ask();
    if (check(answer)) return answer;
    if (Date.now() > deadline) throw new Error(`still ${JSON.stringify(answer)} after ${ms} ms`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
};
