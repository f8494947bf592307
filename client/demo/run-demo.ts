import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { loadConfig } from "../../core/config/load-config.ts";
import type { BackupResult } from "../../core/domain/run.ts";
import { openSite, type Site } from "../../core/site/site.ts";
import { stackDown } from "../../test/stack/stack.ts";
import { applySchedules, ensureSearchAttributes, planSchedules } from "../apply-schedules.ts";
import { bold, dim, say } from "../cli/terminal.ts";
import { connectSite, type Orchestrator } from "../connect.ts";
import { auditOffline } from "./audit-offline.ts";
import type { DemoReport } from "./demo-report.ts";
import { findFlippedByte } from "./find-flipped-byte.ts";
import { triggerNightly } from "./follow-runs.ts";
import { howToGoOn } from "./how-to-go-on.ts";
import { demoFolder, demoStackFolder, prepareDemo } from "./prepare-demo.ts";
import { runDbgov } from "./run-dbgov.ts";
import { showSecondNight } from "./second-night.ts";
import { showDrills, showSnapshots, showSweep } from "./show-steps.ts";
import { openStage, type Stage } from "./stage.ts";
import { startWorker } from "./start-worker.ts";

export interface DemoOptions {
  /** Leave the stack running afterwards. */
  readonly keep: boolean;
  /** Print nothing but the final object: a program listens. */
  readonly silent: boolean;
  readonly signal: AbortSignal;
}

/** What every step of the demo works with. */
export interface DemoContext {
  readonly stage: Stage;
  readonly site: Site;
  readonly orchestrator: Orchestrator;
  /** Runs a command of dbgov on the demo's site, in a process of its own. */
  readonly dbgov: (...args: string[]) => ReturnType<typeof runDbgov>;
  readonly folder: string;
}

/** The whole line once, on real components: from two databases to a proof that an outsider checks. */
export const runDemo = async ({ keep, silent, signal }: DemoOptions): Promise<DemoReport> => {
  const stage = openStage(silent);
  await mkdir(demoFolder, { recursive: true });
  try {
    const prepared = await prepareDemo(stage, signal);
    Object.assign(process.env, prepared.site.environment);
    const site = openSite(await loadConfig(prepared.site.config));
    const orchestrator = await connectSite(site);
    const worker = await startWorker({ config: prepared.site.config, log: join(demoFolder, "worker.log"), env: prepared.env });
    try {
      const dbgov = (...args: string[]) => runDbgov(args, { cwd: prepared.site.folder, env: prepared.env });
      const report = await tell({ stage, site, orchestrator, dbgov, folder: prepared.site.folder });
      if (!silent) {
        say(`\n${bold("Temporal UI")}  ${report.ui}`);
        if (keep) for (const line of howToGoOn(prepared.site.folder, demoStackFolder)) say(line);
        else say(dim("stopping the stack; --keep leaves it up"));
      }
      return report;
    } finally {
      await worker.stop();
      await orchestrator.close();
      await site.close();
    }
  } finally {
    if (!keep) await stackDown(demoStackFolder);
  }
};

const tell = async (context: DemoContext): Promise<DemoReport> => {
  const { stage, site, orchestrator } = context;
  const { config } = site.loaded;
  const names = config.databases.map(({ name }) => name);

  await stage.step("Apply the schedules", async () => {
    const plan = await planSchedules(orchestrator.client, site, true);
    await ensureSearchAttributes(orchestrator.client, config.temporal.namespace);
    await applySchedules(orchestrator.client, site, plan);
    for (const { what } of plan) stage.done(what);
  });
  const backups = await stage.step("Trigger tonight's backups now", (progress) => triggerNightly(orchestrator.client, names, progress));
  const snapshots = await showSnapshots(context, backups);
  const audit = await auditOffline(context, snapshots.records[0]!.snapshot);
  const drills = await showDrills(context, names);
  const detected = await findFlippedByte(context, snapshots.records[0]!.snapshot);
  await showSecondNight(context, backups[0] as BackupResult);
  const sweep = await showSweep(context);
  return {
    databases: await snapshots.withStates(),
    checkpoint: snapshots.checkpoint,
    anchor: snapshots.anchor,
    proof: { verified: audit.verified },
    corruption: { detected },
    drills,
    sweep,
    ui: config.temporal.ui ?? config.temporal.address,
  };
};
