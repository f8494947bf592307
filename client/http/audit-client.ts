import { Failure } from "../../core/domain/failure.ts";
import { readAnswer } from "../../core/stores/bounded-answer.ts";

/** What an auditor asks, and shows. */
export interface AuditApi {
  readonly url: string;
  readonly token: string;
  readonly signal: AbortSignal;
}

const largestAnswer = 32 * 1024 * 1024;
const timeoutMs = 60_000;

/**
 * The JSON of an answer; nothing of it is believed. Throws `TokenRejected`, `NameUnknown` and `UsageInvalid` as the API says them, and `AuditUnreachable` for
 * anything that is no answer.
 */
export const askApi = async ({ url, token, signal }: AuditApi, path: string): Promise<unknown> => {
  const where = `the audit API at ${new URL(url).host}`;
  let status: number;
  let body: string;
  try {
    const response = await fetch(`${url.replace(/\/+$/, "")}${path}`, {
      headers: { authorization: `Bearer ${token}` },
      redirect: "error",
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    });
    status = response.status;
    body = new TextDecoder().decode(await readAnswer(response, largestAnswer));
  } catch (cause) {
    signal.throwIfAborted();
    throw new Failure("AuditUnreachable", `${where} gives no answer`, { cause });
  }
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch (cause) {
    throw new Failure("AuditUnreachable", `${where} answers with something else than JSON (HTTP ${status})`, { cause });
  }
  if (status === 200) return value;
  const told = (value as { error?: { message?: unknown } } | null)?.error?.message;
  const message = `${where}: ${typeof told === "string" ? printable(told) : `HTTP ${status}`}`;
  throw new Failure(({ 400: "UsageInvalid", 401: "TokenRejected", 404: "NameUnknown" } as const)[status] ?? "AuditUnreachable", message);
};

/** What a stranger's server says may be shown on a terminal. */
const printable = (text: string): string => text.replaceAll(/[^\x20-\x7e\u00a0-\uffff]/g, " ").slice(0, 300);
