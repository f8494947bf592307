import { runDemo } from "../../demo/run-demo.ts";
import { exitCodes } from "../exit.ts";
import type { CommandAction } from "../program.ts";

export const action: CommandAction = async ({ options, json, signal }) => {
  const report = await runDemo({ keep: options.keep === true, silent: json, signal });
  if (json) process.stdout.write(`${JSON.stringify(report)}\n`);
  const held =
    report.proof.verified && report.corruption.detected && report.anchor.finalized && report.drills.every(({ identical }) => identical);
  return held ? exitCodes.done : exitCodes.failed;
};
