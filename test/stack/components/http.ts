/** A request to a component of the stack that gives up after `ms` milliseconds. */
export const ask = (url: string, init: RequestInit = {}, ms = 2_000): Promise<Response> =>
  fetch(url, { ...init, signal: AbortSignal.timeout(ms) });

export const askRpc = async (url: string, method: string, params: readonly unknown[] = []): Promise<unknown> => {
  const response = await ask(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
  });
  const answer = (await response.json()) as { result?: unknown; error?: { message: string } };
  if (answer.error !== undefined) throw new Error(`${method}: ${answer.error.message}`);
  return answer.result;
};
