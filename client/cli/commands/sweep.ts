import { readFile } from "node:fs/promises";
import type { SweepTotals } from "../../../activities/comply/index.ts";
import { renderText } from "../../../core/compliance/render/text.ts";
import type { SweepReport } from "../../../core/compliance/sweep-report.ts";
import { scheduleIds } from "../../../core/domain/schedules.ts";
import type { sweep } from "../../../workflows/sweep.ts";
import { awaitResult, requireWorkers, startOrJoin } from "../../run-workflow.ts";
import { exitCodes } from "../exit.ts";
import { withOrchestrator } from "../open-site.ts";
import type { CommandAction } from "../program.ts";
import { openProgress, say } from "../terminal.ts";

export const action: CommandAction = (input) =>
  withOrchestrator(input, async (_site, { client }) => {
    await requireWorkers(client, ["orchestrate", "capture", "chain", "replicate"]);
    const { handle } = await startOrJoin<typeof sweep>(client, "sweep", scheduleIds.sweep, [], "sweep controls, by hand");
    const progress = openProgress(!input.json);
    const totals = await awaitResult<SweepTotals>(handle, async () => progress.update("sweeping")).finally(() => progress.end());
    const report = JSON.parse(await readFile(totals.report, "utf8")) as SweepReport;
    const { sealed, ...printed } = totals;
    if (input.json) process.stdout.write(`${JSON.stringify({ ...printed, findings: report.findings })}\n`);
    else {
      const shown =
        input.options.failures === true
          ? { ...report, findings: report.findings.filter(({ result }) => result === "fail" || result === "inconclusive") }
          : report;
      say(renderText(shown, { color: process.stdout.isTTY === true, width: process.stdout.columns ?? 100 }));
      say(`report: ${totals.report.replace(/\.json$/, ".html")}`);
      if (sealed !== undefined) say(`sealed: ${sealed}, for the archives of the policies`);
    }
    return totals.fail > 0 ? exitCodes.degraded : exitCodes.done;
  });
