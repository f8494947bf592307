import { registerSecret } from "../../../core/config/redact.ts";
import { Failure } from "../../../core/domain/failure.ts";
import { restoreSources } from "../../../core/site/restore-sources.ts";
import type { DiffJob, DiffJobResult, StreamDifference } from "../../../core/snapshot/diff-snapshot.ts";
import { openThreadPool } from "../../../core/snapshot/thread-pool.ts";
import { exitCodes } from "../exit.ts";
import { findSnapshot, snapshotOrLatest } from "../find-snapshot.ts";
import { withCatalog } from "../open-site.ts";
import type { CommandAction, CommandInput } from "../program.ts";
import { engineOfUrl } from "../target-url.ts";
import { bold, dim, formatBytes, good, say, table, warn } from "../terminal.ts";
import { openTransferProgress } from "../transfer-progress.ts";

export const action: CommandAction = async (input) => {
  const { database } = input.options;
  const before = snapshotOrLatest(input.args[0], database);
  const url = liveUrl(input);
  const other = url === undefined ? snapshotOrLatest(input.args[1], database) : undefined;
  return await withCatalog(input, async (site) => {
    const sourceOf = async (text: string) => {
      const record = await findSnapshot(site, text, database);
      return await restoreSources(site, record.snapshot, record.database);
    };
    const after: DiffJob["after"] = url === undefined ? await sourceOf(String(other)) : { url, engine: engineOfUrl(url) };
    const threads = openThreadPool(1);
    const progress = openTransferProgress(!input.json);
    try {
      const job: DiffJob = { before: await sourceOf(before), after };
      const result = await threads.run("diff", job, { signal: input.signal, onProgress: progress.show });
      progress.end();
      if (input.json) process.stdout.write(`${JSON.stringify(result)}\n`);
      else sayDifference(result);
      return result.same ? exitCodes.done : exitCodes.verification;
    } finally {
      progress.end();
      await threads.close();
    }
  });
};

/** The second argument when it is a URL, or what `--to-env` names. */
const liveUrl = ({ args, options }: CommandInput): string | undefined => {
  const { toEnv } = options;
  const [, other] = args;
  if ((other === undefined) === (toEnv === undefined))
    throw new Failure("UsageInvalid", "name what the snapshot is compared with: another snapshot, a URL, or --to-env NAME");
  if (typeof toEnv !== "string" && !other!.includes("://")) return undefined;
  const url = typeof toEnv === "string" ? process.env[toEnv] : other;
  if (url === undefined || url === "") throw new Failure("SecretMissing", `the environment variable ${String(toEnv)} is not set`);
  registerSecret(url);
  return url;
};

const sayDifference = ({ before, after, same, streams, definitions, bytesRead, notes }: DiffJobResult): void => {
  const changed = streams.filter(({ state }) => state !== "same");
  say(`${bold(before)} → ${after === null ? "the database as it is now" : bold(after)}`);
  if (changed.length > 0) say(table(["", "rows before", "after", "added", "removed", "changed"], changed.map(cells)));
  for (const [what, names] of Object.entries(definitions)) for (const name of names) say(`  definition ${what}: ${name}`);
  if (same) say(`${good("✓")} the same: ${streams.length} with rows, and all definitions`);
  else say(dim(`${streams.length - changed.length} of ${streams.length} are the same; ${formatBytes(bytesRead)} were read to tell`));
  for (const note of notes) say(`  ${warn("!")} ${note}`);
};

const cells = ({ name, state, before, after, added, removed, changed }: StreamDifference): string[] => {
  const number = (value: number | null): string => (value === null ? "–" : value.toLocaleString("en"));
  return [
    state === "changed" ? name : `${name} (${state})`,
    number(before),
    number(after),
    number(added),
    number(removed),
    number(changed),
  ];
};
