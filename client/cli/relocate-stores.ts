import { storeUsage } from "../../core/catalog/store-usage.ts";
import { Failure } from "../../core/domain/failure.ts";
import type { Site } from "../../core/site/site.ts";
import type { EvacuateInput, EvacuateResult, evacuate } from "../../workflows/evacuate.ts";
import { awaitResult, requireWorkers, startOrJoin } from "../run-workflow.ts";
import { exitCodes } from "./exit.ts";
import { withOrchestrator } from "./open-site.ts";
import type { CommandInput } from "./program.ts";
import { dim, formatBytes, good, openProgress, plural, say, warn } from "./terminal.ts";

/** Runs the workflow that moves copies under its id, or joins the run that is under way, and tells what it did. */
export const relocate = (input: CommandInput, request: EvacuateInput, id: string): Promise<number> =>
  withOrchestrator(input, async (site, { client }) => {
    if (request.leaving !== null) await requireKnown(site, request.leaving);
    await requireWorkers(client, ["orchestrate", "replicate"]);
    const what = request.leaving === null ? "rebalance the stores, by hand" : `leave the store ${request.leaving}, by hand`;
    const { handle, joined } = await startOrJoin<typeof evacuate>(client, "evacuate", id, [request], what);
    if (joined && !input.json) say(dim("a run is under way: this one waits for it"));
    const progress = openProgress(!input.json);
    const result = await awaitResult<EvacuateResult>(handle, async () => progress.update(what)).finally(() => progress.end());
    const { objects, moved, bytes, emptied, left } = result;
    if (input.json) {
      const told =
        request.leaving === null ? { objects, moved, bytes, left } : { store: request.leaving, objects, moved, bytes, emptied, left };
      process.stdout.write(`${JSON.stringify(told)}\n`);
    } else {
      say(`${good("✓")} ${plural(moved, "copy", "copies")} made, ${formatBytes(bytes)}, of ${plural(objects, "object")}`);
      if (emptied > 0) say(`  ${plural(emptied, "object")} taken out of ${request.leaving}`);
      for (const [why, count] of Object.entries(left)) say(`  ${warn("!")} ${plural(count, "object")} without all copies: ${why}`);
    }
    return Object.keys(left).length === 0 ? exitCodes.done : exitCodes.degraded;
  });

/** One that the configuration has no more may still be on record. */
const requireKnown = async (site: Site, name: string): Promise<void> => {
  const known = new Set([
    ...site.loaded.config.stores.map((store) => store.name),
    ...(await storeUsage(await site.catalog())).map(({ store }) => store),
  ]);
  if (!known.has(name))
    throw new Failure("NameUnknown", `no store "${name}" is declared or on record (there are: ${[...known].sort().join(", ")})`);
};
