import { hash } from "node:crypto";
import { mkdir, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import pg from "pg";
import { parse, stringify } from "yaml";
import { runDbgov } from "../../client/demo/run-dbgov.ts";
import { eachLimited } from "../../core/domain/each-limited.ts";
import { packKey } from "../../core/repository/object-keys.ts";
import { packRoot } from "../../core/repository/packs.ts";
import { type BenchSite, openBenchSite } from "../bench/bench-site.ts";
import { forgetPeak, watchMemory } from "../bench/process-tree.ts";
import { createSampleDatabase } from "../sample/postgres-database.ts";
import type { Ground, SimulationResult } from "./simulation.ts";

/** Three blocks: the catalog keeps their hashes, once a copy was read for them. */
const packBytes = 140_000;
const packsAtOnce = 500;
/** One pack in so many is lost in one store, and one in so many is altered in the other. */
const lostOneIn = 500;

const stores = ["local", "other"];

/** So many packs in both stores and the catalog, all needed by one snapshot. */
const fillStores = async (folder: string, catalog: string, packs: number): Promise<void> => {
  const client = new pg.Client({ connectionString: catalog });
  await client.connect();
  try {
    await client.query("SET synchronous_commit = off");
    for (let first = 0; first < packs; first += packsAtOnce) {
      const rows: { id: string; root: string }[] = [];
      const numbers = Array.from({ length: Math.min(packsAtOnce, packs - first) }, (_, at) => first + at);
      await eachLimited(numbers, 8, async (number) => {
        // Nearly all zero, so that the disk has to keep a block of each only.
        const content = Buffer.alloc(packBytes);
        content.writeUInt32BE(number, 0);
        const id = hash("sha256", content, "hex");
        rows.push({ id, root: packRoot(content) });
        for (const store of stores) {
          const path = join(folder, store === "local" ? "store" : store, packKey(id));
          await mkdir(join(path, ".."), { recursive: true });
          await writeFile(path, content.subarray(0, 4));
          await truncate(path, packBytes);
        }
      });
      await client.query(
        `WITH new AS (
           INSERT INTO dbgov.pack (id, bytes, root, written_at)
           SELECT decode(id, 'hex'), $3, decode(root, 'hex'), now() FROM unnest($1::text[], $2::text[]) AS p (id, root) RETURNING id
         )
         INSERT INTO dbgov.replica (object, store, receipt, bytes, recorded_at)
         SELECT dbgov.pack_key(id), store, 'r', $3, now() - interval '1 year' FROM new, unnest($4::text[]) AS store`,
        [rows.map(({ id }) => id), rows.map(({ root }) => root), packBytes, stores],
      );
    }
    await client.query("VACUUM ANALYZE");
  } finally {
    await client.end();
  }
};

/** Loses and alters some, as stores do. Returns how many copies are bad then. */
const damage = async (folder: string): Promise<number> => {
  let seen = 0;
  let bad = 0;
  for (const part of await readdir(join(folder, "store", "packs"))) {
    for (const id of await readdir(join(folder, "store", "packs", part))) {
      seen += 1;
      if (seen % lostOneIn === 0) await rm(join(folder, "store", "packs", part, id));
      else if (seen % lostOneIn === 1) {
        const path = join(folder, "other", "packs", part, id);
        const content = await readFile(path);
        for (let block = 0; block < content.length; block += 65_536) content[block + 9]! ^= 1;
        await writeFile(path, content);
      } else continue;
      bad += 1;
    }
  }
  return bad;
};

/** Peak memory of a worker, in bytes, over so many repair passes over all copies of so many packs in two stores. */
const passesOver = async ({ stack, folder: place, name, say }: Ground, packs: number, times: number) => {
  const folder = join(place, `repair-${packs}`);
  const prefix = name.replaceAll("-", "_");
  const source = await createSampleDatabase(stack.postgres.url, `${prefix}_of_${packs}`);
  const site = await openBenchSite({
    ...{ folder, stack, namespace: name, catalogName: `${prefix}_repair_${packs}` },
    databases: [{ name: "shop", engine: "postgres", url: source }],
  });
  try {
    const config = parse(await readFile(site.config, "utf8"));
    config.stores.push({ name: "other", kind: "directory", domain: "other", path: "other" });
    // A pass over everything.
    config.durability = { every: "1d", coverDays: 1, blocks: 2 };
    await writeFile(site.config, stringify(config));
    say(`writing ${packs.toLocaleString("en")} packs to two stores`);
    await fillStores(folder, site.catalog, packs);
    const bad = await damage(folder);
    forgetPeak(site.workerPid);
    const memory = watchMemory(site.workerPid);
    say(`a repair pass over ${(2 * packs).toLocaleString("en")} copies, ${bad} of them bad`);
    const since = performance.now();
    for (let pass = 1; pass <= times; pass += 1) await onePass(site, folder, { packs, bad: pass === 1 ? bad : 0 });
    const seconds = (performance.now() - since) / 1_000;
    const peak = await memory.stop();
    return { peak, seconds, bad };
  } finally {
    await site.close();
    await rm(folder, { recursive: true, force: true });
  }
};

/** Runs a pass, and throws unless it has asked for every copy and replaced every bad one. */
const onePass = async (site: BenchSite, folder: string, { packs, bad }: { packs: number; bad: number }): Promise<void> => {
  const { stdout, stderr, code } = await runDbgov(["repair", "--config", site.config, "--json"], {
    cwd: folder,
    env: { ...process.env, ...site.environment },
  });
  if (code !== 0) throw new Error(`dbgov repair ended with ${code}: ${stdout}${stderr}`);
  const passed = (JSON.parse(stdout) as { stores: { pass: { asked: number; found: number; repaired: number } }[] }).stores.map(
    ({ pass }) => pass,
  );
  const sum = (of: (pass: (typeof passed)[number]) => number): number => passed.reduce((total, pass) => total + of(pass), 0);
  if (sum(({ asked }) => asked) !== 2 * packs) throw new Error(`${sum(({ asked }) => asked)} of ${2 * packs} copies were asked for`);
  const repaired = sum((pass) => pass.repaired);
  if (repaired !== bad) throw new Error(`${repaired} of ${bad} bad copies were replaced`);
};

/** A process takes memory with the time that it works, whatever it works at: five passes over few packs are measured beside one over many. */
const warm = 5;

/** Repair passes over a tenth of so many packs, and over all of them: what the second takes more of memory is what grows with their number. */
export const repairPass = async (ground: Ground, packs: number): Promise<SimulationResult> => {
  const small = await passesOver(ground, packs / 10, warm);
  const large = await passesOver(ground, packs, 1);
  const growth = Math.max(0, large.peak - small.peak);
  return {
    title: `A repair pass over ${packs.toLocaleString("en")} packs in two stores`,
    said: [
      `Every copy was challenged for two random blocks of 64 KiB. ${large.bad} were lost or altered beforehand, and all of these were found and replaced.`,
      `The pass took ${large.seconds.toFixed(0)} s; ${warm} passes over a tenth of the packs took ${small.seconds.toFixed(0)} s and ${(small.peak / 1e6).toFixed(0)} MB.`,
      `The worker's resident memory was ${(large.peak / 1e6).toFixed(0)} MB at its highest.`,
    ],
    bounds: [
      { what: "what the worker's memory grew by with ten times as many packs", value: growth / 1e6, limit: 40, unit: "MB" },
      { what: "the worker's resident memory at its highest", value: large.peak / 1e6, limit: 400, unit: "MB" },
    ],
  };
};
