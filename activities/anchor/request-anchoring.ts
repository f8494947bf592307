import { Context } from "@temporalio/activity";
import { latestPublished } from "../../core/catalog/latest-checkpoint.ts";
import { durationMs } from "../../core/domain/duration.ts";
import { taskQueues } from "../../core/domain/run.ts";
import { logCopies } from "../../core/site/log-copies.ts";
import type { Site } from "../../core/site/site.ts";
import type { ActivityEnvironment } from "../environment.ts";
import type { TimestampInput } from "./stamp-checkpoint.ts";

export interface AnchorInput {
  readonly anchor: string;
  /** Milliseconds between two anchorings. */
  readonly everyMs: number;
  /** Milliseconds between two looks at a transaction on its way to finality. */
  readonly pollMs: number;
  /** So many new entries are anchored without waiting for the time to pass. */
  readonly afterEntries?: number;
}

export const createRequestAnchoring = ({ site }: ActivityEnvironment) => ({
  /** Tells those who publish, copy and attest the log that it has grown, and starts them if they do not run. */
  requestAnchoring: async (): Promise<void> => {
    const at = await site();
    // Where witnesses cosign first, there is nothing to attest before.
    if (at.loaded.config.log.witnessQuorum === 0) await signalAttestation(at);
    await signalPublishing(at);
  },

  /** A head was published that chains and authorities are to attest. */
  requestAttestation: async (): Promise<void> => await signalAttestation(await site()),
});

/** Archives charge for each object: the head goes there once, with a chain's anchor where there is one, else with the first authority's token. */
export const archivesHeads = ({ loaded: { config } }: Site, authority: string): boolean =>
  config.anchors.length === 0 && config.timestampAuthorities[0]?.name === authority;

const signalAttestation = async (site: Site): Promise<void> => {
  const { config } = site.loaded;
  const head = await latestPublished(await site.catalog(), config.log.origin);
  for (const { name, every, afterEntries } of config.anchors) {
    const everyMs = durationMs(every);
    const pollMs = Math.min(15_000, Math.max(1_000, everyMs));
    const input: AnchorInput = { anchor: name, everyMs, pollMs, ...(afterEntries === undefined ? {} : { afterEntries }) };
    await signalWithStart("anchor", `anchor/${name}`, [input], [head?.size ?? 0], `anchor the log on ${name}`);
  }
  for (const { name, every } of config.timestampAuthorities) {
    const archives = archivesHeads(site, name);
    const input: TimestampInput = { authority: name, everyMs: durationMs(every), ...(archives ? { archives } : {}) };
    await signalWithStart("timestamp", `timestamp/${name}`, [input], [], `have the log time-stamped by ${name}`);
  }
};

/** Nothing runs for a log that lies in one store only and has no witnesses. */
export const signalPublishing = async (site: Site): Promise<void> => {
  if (site.loaded.config.log.witnessQuorum === 0 && logCopies(site).length === 0) return;
  await signalWithStart("publish", "publish", [], [], "publish and copy the log");
};

/** The signal has the name of the workflow. */
const signalWithStart = async (
  workflow: string,
  workflowId: string,
  args: readonly unknown[],
  signalArgs: readonly unknown[],
  staticSummary: string,
): Promise<void> => {
  await Context.current().client.workflow.signalWithStart(workflow, {
    workflowId,
    taskQueue: taskQueues.orchestrate,
    args: [...args],
    signal: workflow,
    signalArgs: [...signalArgs],
    staticSummary,
  });
};
