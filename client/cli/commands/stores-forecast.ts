import { writeFile } from "node:fs/promises";
import { Failure } from "../../../core/domain/failure.ts";
import { forecastOfSite } from "../../../core/site/stores-plan.ts";
import { type ForecastReport, forecastPage } from "../../forecast-page.ts";
import { exitCodes } from "../exit.ts";
import { withCatalog } from "../open-site.ts";
import type { CommandAction } from "../program.ts";
import { sizeOption } from "../size-option.ts";
import { bad, bold, dim, formatBytes, good, say, table, warn } from "../terminal.ts";

const dayMs = 86_400_000;

export const action: CommandAction = (input) =>
  withCatalog(input, async (site) => {
    const { options, json } = input;
    const days = Number(options.days);
    if (!Number.isSafeInteger(days) || days < 1 || days > 3_660)
      throw new Failure("UsageInvalid", `--days must be a number from 1 to 3,660 (is "${String(options.days)}")`);
    const estate = sizeOption(options.estate, "--estate");
    const policy = typeof options.policy === "string" ? options.policy : site.loaded.config.policies[0]!.name;
    const known = site.loaded.config.policies.map(({ name }) => name);
    if (!known.includes(policy)) throw new Failure("NameUnknown", `there is no policy "${policy}" (there are: ${known.join(", ")})`);
    if (options.policy !== undefined && estate === undefined) throw new Failure("UsageInvalid", "--policy goes with --estate");
    const now = new Date();
    const { forecast, stores, growth } = await forecastOfSite(site, {
      ...{ days, now, growth: sizeOption(options.growth, "--growth") },
      whatIf: estate === undefined ? undefined : { estate, policy },
    });
    const dateOf = (day: number | null): string | null =>
      day === null ? null : new Date(now.getTime() + day * dayMs).toISOString().slice(0, 10);
    const report: ForecastReport = {
      days,
      estate: estate ?? null,
      growthPerDay: Math.round(Object.values(growth).reduce((sum, bytes) => sum + bytes, 0)),
      stores: forecast.stores.map(({ store, quota, used, fullOn, costsFrom }) => ({
        ...{ name: store, allowance: quota, used, fullOn: dateOf(fullOn), costsFrom: dateOf(costsFrom) },
      })),
      policies: forecast.policies.map(({ policy: name, refusedOn, why }) => ({ policy: name, refusedOn: dateOf(refusedOn), why })),
      timeline: forecast.days
        .filter(({ day }) => day % Math.ceil(days / 120) === 0 || day === days)
        .map(({ day, used, perMonth }) => ({
          ...{ day, date: dateOf(day)!, perMonth },
          used: Object.fromEntries(stores.map(({ name }, at) => [name, used[at]!])),
        })),
    };
    if (typeof options.html === "string") await write(options.html, forecastPage(site.loaded.config.organization, report));
    if (json) process.stdout.write(`${JSON.stringify(report)}\n`);
    else tell(report);
    return report.policies.every(({ refusedOn }) => refusedOn === null) ? exitCodes.done : exitCodes.degraded;
  });

const tell = ({ days, estate, growthPerDay, stores, policies, timeline }: ForecastReport): void => {
  const of = estate === null ? "what is kept" : `an estate of ${formatBytes(estate)}`;
  say(`${bold(of)}, growing by ${formatBytes(growthPerDay)} a day, over ${days} days`);
  say(
    table(
      ["store", "holds then", "of", "full on", "costs from"],
      stores.map(({ name, used, allowance, fullOn, costsFrom }) => [
        ...[bold(name), formatBytes(used), allowance === null ? dim("no limit") : formatBytes(allowance)],
        ...[fullOn === null ? good("not then") : warn(fullOn), costsFrom === null ? dim("never") : costsFrom],
      ]),
    ),
  );
  const [first, last] = [timeline[0]!, timeline.at(-1)!];
  say(`dollars a month: ${first.perMonth.toFixed(2)} now, ${last.perMonth.toFixed(2)} on ${last.date}`);
  for (const { policy, refusedOn, why } of policies)
    if (refusedOn !== null) say(`${bad("✗")} ${policy}: from ${refusedOn} on, what is new has no place: ${why}`);
};

const write = async (path: string, page: string): Promise<void> => {
  try {
    await writeFile(path, page);
  } catch (cause) {
    throw new Failure("UsageInvalid", `${path} cannot be written`, { cause });
  }
};
