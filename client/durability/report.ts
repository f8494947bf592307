import type { Config } from "../../core/config/schema.ts";
import type { Durability } from "../../core/domain/durability.ts";
import { bad, good, plural, table } from "../cli/terminal.ts";
import { domainLosses } from "./loss-rates.ts";
import { type Case, ratesOf } from "./models.ts";
import type { Sensitivity } from "./sensitivity.ts";
import { type Circumstances, inDays, timesOf } from "./times.ts";

/** The default policy is to keep everything for a year with this probability of failure at most: 99.999 %. */
export const promisedLoss = 1e-5;

export interface Judged extends Case, Durability {
  readonly assumptions: readonly string[];
}

const percent = (rate: number): string => `${Number((rate * 100).toPrecision(3))} %`;

/** Every number that went in, each with whether it was measured, is configured, is stated by others, or assumed; and what the simulation knows nothing of. */
export const assumptionsOf = (
  config: Config,
  { stores, model }: Case,
  circumstances: Circumstances,
  { years, seed }: { years: number; seed: number },
): string[] => [
  ...stores.flatMap((name) => {
    const { store, pack } = ratesOf(config, name);
    const { times, from } = timesOf(config, name, model.packs, circumstances);
    return [
      `${name}: lost as a whole in ${percent(store.rate)} of years (${store.from})`,
      `${name}: one pack lost unnoticed in ${percent(pack.rate)} of years (${pack.from})`,
      `${name}: gone, it is noticed within ${inDays(times.noticeDays)} (${from.noticeDays})`,
      `${name}: gone, it is replaced in ${inDays(times.replaceDays)}: ${from.replaceDays}`,
      `${name}: a bad copy is found within ${inDays(times.coverDays)} (${from.coverDays})`,
      `${name}: found, it is replaced in ${inDays(times.repairDays)} (${from.repairDays})`,
    ];
  }),
  `each failure domain: lost in ${percent(domainLosses.rate)} of years (${domainLosses.from})`,
  `${Math.round(circumstances.estateBytes / 1e9)} GB in ${plural(model.packs, "pack")} of 32 MiB (assumed)`,
  `parity is not counted; all that is copied has its copies; losses are independent but for failure domains; one who may delete everywhere does not; no key is lost (assumed)`,
  `${years.toLocaleString("en")} years drawn for each number of losses in a year, seed ${seed}`,
];

const loss = (value: number): string => (value === 0 ? "none seen" : value.toExponential(1));
const nines = (value: number): string => {
  const digits = value === 0 ? 10 : Math.min(10, Math.max(0, Math.ceil(-Math.log10(value)) - 1));
  return `${((1 - value) * 100).toFixed(Math.max(0, digits - 1))} %`;
};
const between = ([least, most]: readonly [number, number]): string => `${loss(least)} to ${most.toExponential(1)}`;

export const judgedTable = (judged: readonly Judged[]): string =>
  table(
    ["policy", "copies in", "a year loses something", "95 % interval", "durability", ""],
    judged.map(({ name, stores, annualLoss, interval }) => [
      name,
      stores.join(", "),
      loss(annualLoss),
      between(interval),
      nines(annualLoss),
      interval[1] <= promisedLoss ? good("five nines") : bad("below five nines"),
    ]),
  );

/** `docs/durability.md`. */
export const durabilityPage = (judged: readonly Judged[], sensitivity: readonly Sensitivity[], machine: string): string => `# Durability

<!-- Written by \`npm run durability -- --write\`. Do not edit. -->

How likely it is that a year takes the last copy of something: of at least one pack of all that is stored. Copies are lost at the rates below, and are made again after the
time that finding the loss and repairing it take. A simulation draws when losses come and what they hit; the interval is that of its draws, and says nothing of the rates.
The example's policies, with all their stores, as they are after every night without trouble; and as if every night had been degraded, with only the copies that a
snapshot must have, in the stores where those are least safe, which is also what a policy with \`placement: planned\` is taken for:

| policy | copies in | annual loss | 95 % interval | durability |
| --- | --- | ---: | --- | ---: |
${judged.map(({ name, stores, annualLoss, interval }) => `| ${name} | ${stores.join(", ")} | ${loss(annualLoss)} | ${between(interval)} | ${nines(annualLoss)} |`).join("\n")}

What it depends on, for the first: each assumption from a tenth to ten times what it is; the line is what is assumed, dashed the 99.999 % that are promised.

![How the annual loss changes with each assumption](durability.svg)

| ten times better or worse | better | worse |
| --- | ---: | ---: |
${sensitivity.map(({ assumption, better, worse }) => `| ${assumption} | ${loss(better.annualLoss)} | ${loss(worse.annualLoss)} |`).join("\n")}

## What went in

*Measured*: on real servers by \`npm run drill:disaster\`, which has each store lose packs and repair replace them, on ${machine}; or, with \`--records\`, what the catalog of your own
site remembers of challenges and repairs. *Configured*: \`dbgov.yaml\` has it. *Stated*: by who is named. *Assumed*: by us. A measurement never makes the line faster than it is assumed to be.

${judged.map(({ name, assumptions }) => `${name}:\n\n${assumptions.map((line) => `- ${line}`).join("\n")}`).join("\n\n")}

## With your own configuration

\`\`\`sh by-hand
npm run durability -- --config dbgov.yaml --records --estate-gb 500 --replace-days 7
\`\`\`

\`--records\` asks the site's catalog, by store: how long no copy there was unproven at most, once the records reach back further than \`durability.coverDays\`; how long nothing was asked of
the store; and what it took from the finding of a bad copy until it was replaced and proven. What the records do not know yet stays as configured, and the list says so.
`;
