import { Failure } from "../domain/failure.ts";
import { readAnswer } from "../stores/bounded-answer.ts";

const timeoutMs = 15_000;
const largestAnswer = 65_536;

/** Of what an error says only its code: descriptions name principals. */
export const codeIn = (body: unknown): string => {
  const { error } = (body ?? {}) as { error?: unknown };
  const code = typeof error === "string" ? error : (error as { code?: unknown } | undefined)?.code;
  return typeof code === "string" ? ` (${code.slice(0, 60)})` : "";
};

export interface AzureAnswer {
  readonly status: number;
  /** Undefined when it is no JSON. */
  readonly body: unknown;
}

/** One request to a service of Azure that answers in JSON. `what` begins the sentence of what goes wrong: `KeyUnavailable`. */
export const askAzure = async (url: URL, init: RequestInit, what: string): Promise<AzureAnswer> => {
  let status: number;
  let text: string;
  try {
    const response = await fetch(url, { ...init, redirect: "error", signal: AbortSignal.timeout(timeoutMs) });
    status = response.status;
    text = new TextDecoder().decode(await readAnswer(response, largestAnswer));
  } catch (cause) {
    throw new Failure("KeyUnavailable", `${what}: ${url.host} gives no answer`, { cause });
  }
  try {
    return { status, body: JSON.parse(text) as unknown };
  } catch {
    return { status, body: undefined };
  }
};
