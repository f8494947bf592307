import { readFileSync, writeFileSync } from "node:fs";
import { type Allowance, knownAllowances } from "../core/domain/allowances.ts";
import { type Forecast, forecastPlacement } from "../core/domain/forecast-placement.ts";
import type { PlanPolicy, PlanStore } from "../core/domain/placement-plan.ts";
import { formatSize } from "../core/domain/size.ts";
import { type ForecastReport, forecastPage } from "./forecast-page.ts";

/** Writes `docs/allowances.md`, and `docs/forecast.html` as an example of what `dbgov stores forecast --html` draws: `npm run docs`. */

const freeWords = ({ free }: Allowance): string => {
  if (free === null) return "nothing";
  const { bytes, objects, connections, requestUnits, months } = free;
  const parts = [
    bytes === undefined ? undefined : formatSize(bytes),
    objects === undefined ? undefined : `${objects} objects`,
    connections === undefined ? undefined : `${connections} connections`,
    requestUnits === undefined ? undefined : `${requestUnits} RU/s`,
    months === undefined ? undefined : `for ${months} months`,
  ];
  return parts.filter((part) => part !== undefined).join(", ");
};

const priceWords = ({ price }: Allowance): string => {
  if (price === null) return "not known, or not for sale";
  const minimum = price.minimumPerMonth === undefined ? "" : `, at least $${price.minimumPerMonth} a month`;
  return `$${price.perGBMonth} a GB and month${minimum}`;
};

const rows = (of: Allowance["of"]): string =>
  knownAllowances
    .filter((line) => line.of === of)
    .map((line) => {
      const price = of === "store" ? ` ${priceWords(line)} |` : "";
      return `| \`${line.service}\` | ${freeWords(line)} |${price} ${line.note} | [${line.read}](${line.source}) |`;
    })
    .join("\n");

/** The example's day, so that the page is the same whenever it is written. */
const firstDay = Date.parse("2026-11-24T00:00:00Z");
const days = 365;
const growthPerDay = 10e6;
const estate = 10e9;
const packBytes = 24 * 2 ** 20;

const storeOn = (name: string, domain: string, service: string | null): PlanStore => {
  const line = knownAllowances.find((known) => known.service === service);
  const free = line?.free?.bytes ?? 0;
  const price = line?.price ?? (service === null || free > 0 ? { perGBMonth: 0 } : null);
  return {
    ...{
      name,
      domain,
      account: name,
      quota: line?.free?.bytes ?? null,
      quotaObjects: line?.free?.objects ?? null,
      used: 0,
      usedObjects: 0,
    },
    ...{ freeBytes: free, region: null, immutable: false, largestObject: Number.MAX_SAFE_INTEGER, leaving: false },
    price: price === null ? null : { perGBMonth: price.perGBMonth, minimumPerMonth: price.minimumPerMonth ?? 0 },
  };
};

const exampleStores = [
  storeOn("nas", "office", null),
  storeOn("blob", "azure", "azure-blob-free"),
  storeOn("filebase", "filebase", "filebase-free"),
  storeOn("pinata", "pinata", "pinata-free"),
];
const examplePolicy: PlanPolicy = {
  name: "free",
  landing: "nas",
  stores: null,
  copies: 2,
  domains: 2,
  spread: "planned",
  regions: [],
  immutable: false,
  mostPerMonth: null,
  spends: 0,
};

const dateOf = (day: number | null): string | null =>
  day === null ? null : new Date(firstDay + day * 86_400_000).toISOString().slice(0, 10);

const exampleForecast = (stores: readonly PlanStore[]): Forecast => {
  const packs = Math.ceil(estate / packBytes);
  return forecastPlacement({
    policies: [examplePolicy],
    stores,
    items: Array.from({ length: packs }, (_, n) => ({
      ...{ id: String(n).padStart(6, "0"), policy: "free", holders: [] },
      bytes: n < packs - 1 ? packBytes : estate - (packs - 1) * packBytes,
    })),
    growth: { free: growthPerDay },
    ...{ days, packBytes },
  });
};

const exampleReport = (): ForecastReport => {
  const forecast = exampleForecast(exampleStores);
  return {
    ...{ days, estate, growthPerDay },
    stores: forecast.stores.map(({ store, quota, used, fullOn, costsFrom }) => ({
      ...{ name: store, allowance: quota, used, fullOn: dateOf(fullOn), costsFrom: dateOf(costsFrom) },
    })),
    policies: forecast.policies.map(({ policy, refusedOn, why }) => ({ policy, refusedOn: dateOf(refusedOn), why })),
    timeline: forecast.days
      .filter(({ day }) => day % 5 === 0)
      .map(({ day, used, perMonth }) => ({
        ...{ day, date: dateOf(day)!, perMonth },
        used: Object.fromEntries(exampleStores.map(({ name }, at) => [name, used[at]!])),
      })),
  };
};

export const forecastExample = (): string => forecastPage("acme", exampleReport());

const exampleRows = (forecast: Forecast): string =>
  forecast.stores
    .map(({ store, quota, used, fullOn }) => {
      const full = fullOn === null ? "not within the year" : fullOn === 0 ? "from the first day on" : `after ${fullOn} days`;
      return `| ${store} | ${quota === null ? "no limit" : formatSize(quota)} | ${formatSize(used)} | ${full} |`;
    })
    .join("\n");

export const allowancesDocument = (): string => {
  const free = exampleForecast(exampleStores);
  const paid = exampleForecast([...exampleStores, storeOn("storj", "storj", "storj-archive")]);
  const refused = free.policies[0]!.refusedOn;
  const lastDay = paid.days.at(-1)!;
  return `# Allowances

<!-- Generated by \`npm run docs\` from core/domain/allowances.ts. Do not edit. -->

What services give away and what they charge, as data with its source and the day on which it was read. A store names its line as \`service\`:
then its free allowance is its quota, which nothing that dbgov puts there goes beyond. A database names its plan as \`service\` too: then the sweep
warns before it is full (\`database-fits-its-allowance\`). Where a line is out of date, or missing, \`allowances\` in \`dbgov.yaml\` says otherwise; offers change,
and a page that was read is no contract. Pages were read as stored copies. Of Azure Blob, Atlas, Cosmos DB, Supabase,
Sia, Pinata, Filebase and Turbo it is what others say of these pages that was read; the connections of Atlas and Supabase and Pinata's number of files are commonly said and were read nowhere: look there before you
rely on them.
Prices are US dollars for storage alone, without traffic, requests, gas and tax.

## Stores
| service | free | price beyond it | to know | read |
| --- | --- | --- | --- | --- |
${rows("store")}

Of the six networks, only the first year of Azure Blob and pinning services for IPFS have something free: Storj has a trial, and Sia, Filecoin and Arweave nothing.
Several accounts of one provider are several quotas and one failure domain (\`account\`, \`provider\`): the configuration is refused where it says otherwise.

## Databases
| service | what the plan allows | to know | read |
| --- | --- | --- | --- |
${rows("source")}

## An estate of 10 GB on free allowances
10 GB as they are stored, growing by ${formatSize(growthPerDay)} a day, two copies in two failure domains: everything lands on a disk of one's own (\`nas\`), and the second
copy goes where it is free (\`placement: planned\`). What \`dbgov stores forecast --estate 10GB --growth 10MB\` says of it ([the page with the chart](forecast.html)):

| store | allowance | holds after a year | full |
| --- | --- | --- | --- |
${exampleRows(free)}

${refused === null ? "Every promise can be kept for the year, for nothing." : `It costs nothing, and after ${refused} days what is new has no second place: then the backup is refused, by name, rather than an allowance burst.`}
With one paid store beside these (Storj's Active Archive), nothing is refused:

| store | allowance | holds after a year | full |
| --- | --- | --- | --- |
${exampleRows(paid)}

It costs nothing until the free ones are full, and ${lastDay.perMonth.toFixed(2)} dollars a month then, which is that service's minimum.
`;
};

const pages = (): [URL, string][] => [
  [new URL("../docs/allowances.md", import.meta.url), allowancesDocument()],
  [new URL("../docs/forecast.html", import.meta.url), forecastExample()],
];

export const allowancesPagesAreCurrent = (): boolean => pages().every(([path, page]) => readFileSync(path, "utf8") === page);

if (import.meta.main) for (const [path, page] of pages()) writeFileSync(path, page);
