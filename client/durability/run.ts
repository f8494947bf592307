import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { proofTimes } from "../../core/catalog/proof-times.ts";
import { loadConfig } from "../../core/config/load-config.ts";
import { simulateDurability } from "../../core/domain/durability.ts";
import { isFailure } from "../../core/domain/failure.ts";
import { openSite } from "../../core/site/site.ts";
import { say } from "../cli/terminal.ts";
import { sensitivityChart } from "./chart.ts";
import { readMeasuredTimes } from "./measured-times.ts";
import { type Case, casesOf } from "./models.ts";
import { assumptionsOf, durabilityPage, type Judged, judgedTable, promisedLoss } from "./report.ts";
import { sensitivityOf } from "./sensitivity.ts";
import type { Circumstances } from "./times.ts";

/**
 * `npm run durability [-- OPTIONS]`: how likely it is that a year takes the last copy of something, for each policy of a configuration; by
 * default of the example. Exit code 1 when the first policy, with all its stores, misses five nines; 2 for wrong options.
 */
const root = join(import.meta.dirname, "..", "..");

const refuse = (message: string): never => {
  process.stderr.write(`${message}\n`);
  process.exit(2);
};

const parse = () => {
  try {
    return parseArgs({
      options: {
        config: { type: "string", default: join(root, "dbgov.example.yaml") },
        records: { type: "boolean", default: false },
        "estate-gb": { type: "string", default: "100" },
        "megabytes-per-second": { type: "string", default: "10" },
        "replace-days": { type: "string", default: "3" },
        years: { type: "string", default: "200000" },
        seed: { type: "string", default: "1" },
        json: { type: "boolean", default: false },
        write: { type: "boolean", default: false },
      },
    }).values;
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error));
  }
};

const options = parse();
const positive = (name: "estate-gb" | "megabytes-per-second" | "replace-days" | "years" | "seed"): number => {
  const number = Number(options[name]);
  return Number.isFinite(number) && number > 0 ? number : refuse(`--${name} must be a number above 0 (is "${options[name]}")`);
};

const draw = { years: Math.ceil(positive("years")), seed: Math.ceil(positive("seed")) };

/** The configuration, and with `--records` what its catalog remembers. */
const load = async () => {
  try {
    const loaded = await loadConfig(options.config);
    if (!options.records) return { config: loaded.config, records: [] };
    const site = openSite(loaded);
    try {
      return { config: loaded.config, records: await proofTimes(await site.catalog()) };
    } finally {
      await site.close();
    }
  } catch (error) {
    return isFailure(error) ? refuse(error.message) : Promise.reject(error);
  }
};

const { config, records } = await load();
const measured = await readMeasuredTimes();
const circumstances: Circumstances = {
  estateBytes: positive("estate-gb") * 1e9,
  bytesPerSecond: positive("megabytes-per-second") * 1e6,
  replaceDays: positive("replace-days"),
  measured,
  records: new Map(records.map((times) => [times.store, times])),
};
const assumptions = (one: Case) => assumptionsOf(config, one, circumstances, draw);
const judged: Judged[] = casesOf(config, circumstances).map((one) => ({
  ...one,
  ...simulateDurability(one.model, draw),
  assumptions: assumptions(one),
}));

const [first] = judged;
if (first === undefined) refuse(`${options.config} has no policy`);
else {
  if (!options.json) {
    say(judgedTable(judged));
    for (const { name, assumptions } of judged) say(`\n${name}, from:\n${assumptions.map((line) => `  ${line}`).join("\n")}`);
  }
  if (options.write) {
    const sensitivity = sensitivityOf(first.model, draw);
    await writeFile(join(root, "docs", "durability.svg"), sensitivityChart(`policy ${first.name}`, first, sensitivity, promisedLoss));
    await writeFile(join(root, "docs", "durability.md"), durabilityPage(judged, sensitivity, measured.machine));
  }
  if (options.json)
    say(
      JSON.stringify({
        policies: judged.map(({ name, annualLoss, interval, assumptions }) => ({ name, annualLoss, interval, assumptions })),
      }),
    );
  if (first.interval[1] > promisedLoss) process.exitCode = 1;
}
