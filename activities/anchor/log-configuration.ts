import { cancellationSignal } from "@temporalio/activity";
import { logEntries } from "../../core/catalog/read-log-entries.ts";
import { commit, type LogEntry } from "../../core/ledger/entries.ts";
import { type Log, openLog } from "../../core/ledger/log.ts";
import type { Site } from "../../core/site/site.ts";
import type { ActivityEnvironment } from "../environment.ts";
import { appendEvents, type LogEvent } from "./append-entries.ts";

type Configured = Extract<LogEntry, { kind: "configuration-changed" }> & { readonly index: number };

export const createLogConfiguration = ({ site }: ActivityEnvironment) => ({
  /**
   * Logs that a configuration is in force unless it is the one that was logged last, and an entry for each key that differs from that
   * one's. `hash` is SHA-256 of the configuration's canonical JSON; the log gets a commitment to it.
   */
  logConfiguration: async ({ hash }: { hash: string }): Promise<{ changed: boolean }> => {
    const at = await site();
    const before = await lastConfigured(at);
    const configuration = commit(hash, await at.logNameSalt("configuration/"));
    const signer = Buffer.from((await at.signer()).publicKey).toString("hex");
    const recipients = (await at.recipients()).map(({ id }) => id).sort();
    if (before?.configuration === configuration && before.signer === signer && before.recipients.join() === recipients.join()) {
      return { changed: false };
    }
    const time = new Date().toISOString();
    // Named by the one before, so that a retry is the same event, and a way back to an old configuration another one.
    const name = `configuration-changed/${before?.index ?? "first"}/${configuration}`;
    const changed: LogEvent = {
      identity: name,
      database: null,
      body: { kind: "configuration-changed", time, configuration, signer, recipients },
    };
    const known = await loggedRotations(at, before?.index ?? 0);
    const rotations = before === undefined ? [] : rotated(before, { signer, recipients }).filter(({ to }) => !known.includes(to));
    const events = rotations.map(
      ({ purpose, from, to }): LogEvent => ({
        identity: `keys-rotated/${purpose}/${name}`,
        database: null,
        body: { kind: "keys-rotated", time, purpose, before: from, after: to },
      }),
    );
    await appendEvents(at, [changed, ...events], cancellationSignal());
    return { changed: true };
  },
});

const logOf = async (site: Site): Promise<Log> => {
  const { origin, store } = site.loaded.config.log;
  const signer = await site.logSigner();
  return await openLog({ store: await site.store(store), origin, signer, signal: cancellationSignal(), unpublished: true });
};

const lastConfigured = async (site: Site): Promise<Configured | undefined> => {
  const last = (await logEntries(await site.catalog(), { kind: "configuration-changed" })).at(-1);
  if (last === undefined) return undefined;
  const { entry, index } = await (await logOf(site)).entry(last.index);
  return { ...(entry as Configured), index };
};

/** The keys that entries after `index` say are in force: `dbgov keys rotate` logs what it does. */
const loggedRotations = async (site: Site, index: number): Promise<string[]> => {
  const entries = (await logEntries(await site.catalog(), { kind: "keys-rotated" })).filter((one) => one.index > index);
  if (entries.length === 0) return [];
  const log = await logOf(site);
  const keys: string[] = [];
  for (const one of entries) {
    const { entry } = await log.entry(one.index);
    if (entry.kind === "keys-rotated") keys.push(entry.after);
  }
  return keys;
};

interface Keys {
  readonly signer: string;
  readonly recipients: readonly string[];
}

const rotated = (before: Keys, after: Keys): { purpose: "signing" | "recipient"; from: string; to: string }[] => [
  ...(before.signer === after.signer ? [] : [{ purpose: "signing" as const, from: before.signer, to: after.signer }]),
  ...(before.recipients.join() === after.recipients.join()
    ? []
    : [{ purpose: "recipient" as const, from: named(before.recipients), to: named(after.recipients) }]),
];

/** Up to seven ids fit into a word; of more, as many as do. */
const named = (ids: readonly string[]): string => ids.slice(0, 7).join(",") || "none";
