import type { AddressInfo } from "node:net";
import { Failure } from "../../core/domain/failure.ts";
import type { Site } from "../../core/site/site.ts";
import { buildAuditApi } from "./audit-api.ts";
import { summarizeAccess } from "./summarize-access.ts";

export interface AuditApiOptions {
  readonly host: string;
  /** 0 for any that is free. */
  readonly port: number;
  /** Requests that one token may make in a minute. */
  readonly perMinute: number;
  /** Told what goes wrong beside the requests, and what was done. */
  onNote(line: string): void;
}

/** Whether a day is over is looked at this often. */
const summarizeEveryMs = 10 * 60_000;

/**
 * Serves the audit API until it is closed; closing logs what auditors asked since the last summary. Throws `UsageInvalid` when the address
 * is taken.
 */
export const serveAuditApi = async (
  site: Site,
  { host, port, perMinute, onNote }: AuditApiOptions,
): Promise<{ port: number; close(): Promise<void> }> => {
  const stop = new AbortController();
  const app = await buildAuditApi(site, perMinute, stop.signal);
  try {
    await app.listen({ host, port });
  } catch (cause) {
    await app.close();
    const code = (cause as NodeJS.ErrnoException).code ?? "unknown error";
    throw new Failure("UsageInvalid", `the audit API cannot listen on ${host}:${port} (${code})`, { cause });
  }
  const onHealed = (keys: readonly string[]): void => onNote(`the log was damaged in its store, and is put right: ${keys.length} objects`);
  let summarizing: Promise<unknown> = Promise.resolve();
  const summarizePastDays = (): void => {
    summarizing = summarizing
      .then(() => summarizeAccess(site, stop.signal, onHealed, new Date().toISOString().slice(0, 10)))
      .catch((error: unknown) => onNote(`what auditors asked could not be logged now: ${error instanceof Error ? error.message : error}`));
  };
  summarizePastDays();
  const timer = setInterval(summarizePastDays, summarizeEveryMs);
  return {
    port: (app.server.address() as AddressInfo).port,
    close: async () => {
      clearInterval(timer);
      await app.close();
      await summarizing;
      await summarizeAccess(site, stop.signal, onHealed);
      stop.abort();
    },
  };
};
