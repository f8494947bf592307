import { setTimeout as wait } from "node:timers/promises";
import { getSnapshot } from "../../../core/catalog/read-snapshots.ts";
import { durationMs, parseDuration } from "../../../core/domain/duration.ts";
import { Failure } from "../../../core/domain/failure.ts";
import { packsToRehydrate, type RehydratedStore, type RehydrateRequest, rehydrateSnapshot } from "../../../core/site/rehydrate-snapshot.ts";
import { exitCodes } from "../exit.ts";
import { withCatalog } from "../open-site.ts";
import type { CommandAction } from "../program.ts";
import { snapshotArgument } from "../snapshot-argument.ts";
import { bold, formatBytes, good, openProgress, plural, say, warn } from "../terminal.ts";

/** What takes hours is asked for once a minute. */
const askEveryMs = 60_000;

export const action: CommandAction = (input) =>
  withCatalog(input, async (site) => {
    const snapshot = snapshotArgument(input.args[0]);
    const record = await getSnapshot(await site.catalog(), snapshot);
    if (record === undefined || record.removedAt !== null)
      throw new Failure("SnapshotUnknown", `snapshot ${snapshot} is not in the catalog, or was removed`);
    const { store, priority, keep } = input.options;
    if (typeof store === "string") await site.storeConfig(store);
    if (typeof keep !== "string" || parseDuration(keep) === undefined)
      throw new Failure("UsageInvalid", `--keep must be a duration, as 7d (is "${String(keep)}")`);
    const request: RehydrateRequest = {
      ...{ snapshot, store: typeof store === "string" ? store : undefined },
      ...{ priority: priority === "high" ? "high" : "standard", keepMs: durationMs(keep) },
    };
    const packs = await packsToRehydrate(site, request);
    const progress = openProgress(!input.json);
    let stores = await rehydrateSnapshot(site, request, packs, input.signal);
    while (input.options.wait === true && !isDone(stores)) {
      progress.update(stores.map(({ store: name, online, packs: all }) => `${name}: ${online} of ${all} packs are back`).join("; "));
      await wait(askEveryMs, undefined, { signal: input.signal });
      stores = await rehydrateSnapshot(site, request, packs, input.signal);
    }
    progress.end();
    if (input.json) process.stdout.write(`${JSON.stringify({ snapshot, done: isDone(stores), stores })}\n`);
    else tell(snapshot, stores);
    return isDone(stores) ? exitCodes.done : exitCodes.degraded;
  });

const isDone = (stores: readonly RehydratedStore[]): boolean => stores.every(({ packs, online }) => packs === online);

const tell = (snapshot: string, stores: readonly RehydratedStore[]): void => {
  if (stores.length === 0) say(`${good("✓")} nothing of ${bold(snapshot)} has to be brought back: it can be read as it is`);
  for (const { store, packs, bytes, online } of stores) {
    const done = online === packs;
    say(`${done ? good("✓") : warn("…")} ${bold(store)}: ${online} of ${plural(packs, "pack")} (${formatBytes(bytes)}) can be read`);
    if (!done) say("  the others come within 15 hours, or about one with --priority high: run this again to see");
  }
};
