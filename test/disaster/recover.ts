import { runDbgov } from "../../client/demo/run-dbgov.ts";
import { contentOf } from "./content.ts";
import type { LostDatabase } from "./estate.ts";
import type { ArchiveLook, Recovered } from "./report.ts";
import { kitOf } from "./site.ts";

/** Who recovers has this much: a folder with the kit, the programs, and what opens the store. */
export interface Recoverer {
  readonly folder: string;
  readonly bin: string;
  readonly say: (text: string) => void;
}

interface Finished {
  readonly code: number;
  readonly seconds: number;
  readonly message: string;
  readonly json: {
    readonly identical?: boolean;
    readonly bytes?: number;
    readonly snapshots?: readonly { readonly database: string; readonly rows: number; readonly problem?: string }[];
  };
}

/** `dbgov recover`, with nothing in its environment but what the store asks for. */
const run = async ({ folder, bin }: Recoverer, address: string, secrets: Record<string, string>, args: string[]): Promise<Finished> => {
  const { PATH, HOME } = process.env;
  const started = performance.now();
  const { code, stdout, stderr } = await runDbgov(["recover", "--store", address, "--kit", kitOf(folder), ...args, "--json"], {
    cwd: folder,
    env: { PATH, HOME, DBGOV_PG_BIN: bin, ...secrets },
  });
  const json = JSON.parse(stdout || "{}") as Finished["json"] & { error?: { message: string } };
  return { code, seconds: (performance.now() - started) / 1_000, message: json.error?.message ?? stderr, json };
};

/** How long the command takes to start and to find the snapshots. */
export const secondsToList = async (who: Recoverer, address: string, secrets: Record<string, string>): Promise<number> =>
  (await run(who, address, secrets, ["--list"])).seconds;

/** Restores the newest snapshot of a database into an empty one. Identical is only what both dbgov and another reading say is. */
export const recover = async (
  who: Recoverer,
  address: string,
  secrets: Record<string, string>,
  { name, engine, target, content }: LostDatabase & { readonly content: string },
): Promise<Recovered> => {
  const url = await target();
  const { code, seconds, message, json } = await run(who, address, secrets, [...latestOf(name), "--to", url]);
  if (code !== 0) who.say(`  ${name}: ${message}`);
  const said = code === 0 && json.identical === true;
  const found = said && (await contentOf(engine, url, who.bin)) === content;
  if (said && !found) who.say(`  ${name}: dbgov calls it identical, and another reading of it differs`);
  return { database: name, identical: found, seconds, bytes: json.bytes ?? 0 };
};

/** What a store with manifests alone is good for: they tell what there was. To restore from it has to fail, and to leave the target as it was. */
export const lookIntoArchive = async (who: Recoverer, address: string, databases: readonly LostDatabase[]): Promise<ArchiveLook> => {
  const { json } = await run(who, address, {}, ["--list"]);
  const told = databases.filter(({ name }) => json.snapshots?.some((one) => one.database === name && one.problem === undefined));
  const [{ name, engine, target }] = databases as [LostDatabase];
  const url = await target();
  const before = await contentOf(engine, url, who.bin);
  const { code, message } = await run(who, address, {}, [...latestOf(name), "--to", url]);
  const untouched = (await contentOf(engine, url, who.bin)) === before;
  return { store: "arweave", told: told.length, databases: databases.length, refused: code !== 0 && untouched, message };
};

const latestOf = (name: string): string[] => ["--snapshot", "latest", "--database", name];
