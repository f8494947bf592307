import { isFailure } from "../../../core/domain/failure.ts";
import type { VerifyFindings, VerifyInput, VerifyResult } from "../../../core/domain/run.ts";
import type { verify } from "../../../workflows/verify.ts";
import { awaitResult, requireWorkers, startOrJoin } from "../../run-workflow.ts";
import { captureProgress } from "../../watch-activities.ts";
import { exitCodes } from "../exit.ts";
import { findSnapshot, snapshotOrLatest } from "../find-snapshot.ts";
import { withOrchestrator } from "../open-site.ts";
import type { CommandAction } from "../program.ts";
import { bad, bold, formatBytes, good, openProgress, plural, say } from "../terminal.ts";

export const action: CommandAction = async (input) => {
  const wanted = snapshotOrLatest(input.args[0], input.options.database);
  return await withOrchestrator(input, async (site, { client }) => {
    const { store, depth, database } = input.options;
    const { snapshot, ...about } = await findSnapshot(site, wanted, database);
    const request: VerifyInput = {
      snapshot,
      depth: depth === "sample" ? "sample" : "full",
      ...(typeof store === "string" ? { store } : {}),
      about: { database: about.database, engine: about.engine, policy: about.policy },
    };
    await requireWorkers(client, ["orchestrate", "replicate", "restore", "chain"]);
    // An id of its own: a sample that is under way is not the full verification that was asked for.
    const id = `verify/${snapshot}/${request.depth}${request.store === undefined ? "" : `/${request.store}`}`;
    const { handle } = await startOrJoin<typeof verify>(client, "verify", id, [request], `verify ${snapshot}, by hand`);
    const progress = openProgress(!input.json);
    let result: VerifyResult;
    try {
      result = await awaitResult<VerifyResult>(handle, async () => {
        progress.update(`${formatBytes((await captureProgress(handle)).bytes)} read`);
      });
    } catch (error) {
      progress.end();
      if (!isFailure(error, "VerificationFailed")) throw error;
      return reportFindings(snapshot, (await handle.query("findings")) as VerifyFindings, input.json);
    }
    progress.end();
    if (input.json) process.stdout.write(`${JSON.stringify(result)}\n`);
    else
      say(
        `${good("✓")} ${bold(snapshot)}: ${plural(result.objects, "object")} checked, ${formatBytes(result.bytes)} read, nothing is wrong`,
      );
    return exitCodes.done;
  });
};

const reportFindings = (snapshot: string, { problems, repairs }: VerifyFindings, json: boolean): number => {
  if (json) process.stdout.write(`${JSON.stringify({ snapshot, verified: false, problems, repairs })}\n`);
  else {
    say(`${bad("✗")} ${bold(snapshot)}: ${problems.length === 1 ? "one object is bad" : `${problems.length} objects are bad`}`);
    for (const { store, message } of problems) say(`  ${bad("✗")} ${store}: ${message}`);
    for (const { store, object, from } of repairs) say(`  ${good("✓")} replaced ${object} in ${store} by the good copy from ${from}`);
    if (repairs.length > 0) say("  verify again to see that nothing is left");
  }
  return exitCodes.verification;
};
