import { readStoresStatus, type StoreHealth } from "../../../core/site/stores-status.ts";
import { exitCodes } from "../exit.ts";
import { withCatalog } from "../open-site.ts";
import type { CommandAction } from "../program.ts";
import { bad, bold, dim, formatBytes, good, say, table, utcMinute, warn } from "../terminal.ts";

const tone: Readonly<Record<StoreHealth, (text: string) => string>> = {
  ...{ unreachable: bad, refusing: bad, full: bad },
  ...{ doubted: warn, filling: warn, unknown: warn, good },
};

export const action: CommandAction = (input) =>
  withCatalog(input, async (site) => {
    const stores = await readStoresStatus(site, input.signal);
    if (input.json) process.stdout.write(`${JSON.stringify({ stores })}\n`);
    else {
      say(
        table(
          ["store", "kind", "used", "of", "packs", "proven", "oldest proof (UTC)", "archived", "health"],
          stores.map(({ name, kind, used, allowance, packs, proven, archived, health }) => [
            ...[bold(name), kind, formatBytes(used), allowance === null ? dim("no limit") : formatBytes(allowance)],
            ...[String(packs), String(proven.packs), proven.oldest === null ? dim("-") : utcMinute(proven.oldest)],
            archived === undefined ? dim("-") : `${archived.packs}, ${archived.present} seen`,
            tone[health](health),
          ]),
        ),
      );
    }
    return stores.every(({ health }) => health === "good" || health === "unknown") ? exitCodes.done : exitCodes.degraded;
  });
