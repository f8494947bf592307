import type { Placed, Refused } from "../../../core/domain/placement-plan.ts";
import { planOfSite } from "../../../core/site/stores-plan.ts";
import { exitCodes } from "../exit.ts";
import { withCatalog } from "../open-site.ts";
import type { CommandAction } from "../program.ts";
import { bad, bold, dim, formatBytes, plural, say, table, warn } from "../terminal.ts";

export const action: CommandAction = (input) =>
  withCatalog(input, async (site) => {
    const { items, stores, plan } = await planOfSite(site);
    const bytesOf = new Map(items.map(({ id, bytes }) => [id, bytes]));
    const policies = [...Map.groupBy(plan.items, ({ policy }) => policy)].map(([policy, own]) => summary(policy, own, bytesOf));
    const loads = plan.stores.map(({ store, used, added, perMonth }, at) => ({
      ...{ name: store, used, added, allowance: stores[at]!.quota, perMonth },
    }));
    if (input.json) {
      const objects = input.options.objects === true ? { objects: plan.items } : {};
      process.stdout.write(`${JSON.stringify({ perMonth: plan.perMonth, stores: loads, policies, ...objects })}\n`);
    } else {
      say(
        table(
          ["store", "holds then", "to come", "of", "dollars a month"],
          loads.map(({ name, used, added, allowance, perMonth }) => [
            ...[bold(name), formatBytes(used), added === 0 ? dim("nothing") : formatBytes(added)],
            ...[allowance === null ? dim("no limit") : formatBytes(allowance), perMonth === null ? dim("not known") : perMonth.toFixed(2)],
          ]),
        ),
      );
      for (const { policy, objects, bytes, refused, choices, passed } of policies) {
        say(
          `${bold(policy)}: ${plural(objects, "object")}, ${formatBytes(bytes)}${refused === 0 ? "" : bad(`, ${refused} have no place`)}`,
        );
        for (const { store, why, objects: count } of choices) say(`  ${store}: ${plural(count, "object")}: ${dim(why)}`);
        for (const { store, why, objects: count } of passed) say(`  ${warn("!")} ${store} ${why} ${dim(`(${plural(count, "object")})`)}`);
      }
    }
    return policies.some(({ refused }) => refused > 0) ? exitCodes.degraded : exitCodes.done;
  });

/** Reasons that differ in their figures alone are one: the last is told. */
const summary = (policy: string, items: readonly (Placed | Refused)[], bytesOf: ReadonlyMap<string, number>) => {
  const choices = new Map<string, { store: string; why: string; objects: number; adds: number }>();
  const passed = new Map<string, { store: string; code: string; why: string; objects: number }>();
  for (const item of items) {
    for (const { store, why, adds } of item.placed ? item.choices : []) {
      const known = choices.get(`${store} ${why}`) ?? { store, why, objects: 0, adds: 0 };
      choices.set(`${store} ${why}`, { ...known, objects: known.objects + 1, adds: known.adds + adds });
    }
    for (const { store, code, why } of item.passed) {
      passed.set(`${store} ${code}`, { store, code, why, objects: (passed.get(`${store} ${code}`)?.objects ?? 0) + 1 });
    }
  }
  return {
    policy,
    objects: items.length,
    bytes: items.reduce((sum, { id }) => sum + (bytesOf.get(id) ?? 0), 0),
    placed: items.filter(({ placed }) => placed).length,
    refused: items.filter(({ placed }) => !placed).length,
    choices: [...choices.values()],
    passed: [...passed.values()],
  };
};
