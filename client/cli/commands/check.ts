import { type CheckedThing, checkSite } from "../../check-site.ts";
import { exitCodes } from "../exit.ts";
import { withSite } from "../open-site.ts";
import type { CommandAction } from "../program.ts";
import { bad, bold, dim, good, openProgress, say } from "../terminal.ts";

export const action: CommandAction = (input) =>
  withSite(input, async (site) => {
    if (!input.json) say(`${good("✓")} ${site.loaded.path} is valid`);
    const progress = openProgress(!input.json);
    const { databases, stores, anchors, temporal } = site.loaded.config;
    const names = [temporal.namespace, ...[...databases, ...stores, ...anchors].map(({ name }) => name), "repository"];
    const width = Math.max(...names.map(({ length }) => length));
    const results: CheckedThing[] = [];
    for await (const checked of checkSite(site, input.signal, (what) => progress.update(`probing ${what}`))) {
      results.push(checked);
      progress.end();
      if (!input.json) printThing(checked, width);
    }
    const failed = results.filter(({ ok }) => !ok);
    if (input.json) process.stdout.write(`${JSON.stringify({ ok: failed.length === 0, checks: results })}\n`);
    else say(failed.length === 0 ? `${good("✓")} everything answers` : `${bad("✗")} ${failed.length} of ${results.length} do not work`);
    return failed.length === 0 ? exitCodes.done : exitCodes.failed;
  });

const printThing = ({ kind, name, ok, details }: CheckedThing, width: number): void => {
  say(`${ok ? good("✓") : bad("✗")} ${dim(kind.padEnd(10))}  ${bold(name.padEnd(width))}  ${details[0] ?? ""}`);
  for (const detail of details.slice(1)) say(`    ${detail}`);
};
