import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import pg from "pg";
import { parse, stringify } from "yaml";
import { openBenchSite } from "../bench/bench-site.ts";
import { timedCommand } from "../bench/timed-command.ts";
import { createSampleDatabase } from "../sample/postgres-database.ts";
import type { Ground, SimulationResult } from "./simulation.ts";

/** So many packs of 25 MB in the landing store, all needed by ten snapshots; a tenth of them is copied to the next store. */
const fillCatalog = async (catalog: string, packs: number): Promise<void> => {
  const client = new pg.Client({ connectionString: catalog });
  await client.connect();
  try {
    await client.query(`
      INSERT INTO dbgov.pack (id, bytes, root, written_at)
        SELECT sha256(int8send(n)), 25000000, sha256(int8send(n)), now() FROM generate_series(1::bigint, ${packs}) n;
      INSERT INTO dbgov.replica (object, store, receipt, bytes, proven_at)
        SELECT dbgov.pack_key(id), store, 'x', bytes, now() FROM dbgov.pack, unnest(ARRAY['local', 'second']) AS store
        WHERE store = 'local' OR pack_no % 10 = 0;
      INSERT INTO dbgov.range (id) SELECT sha256(int8send(n + 1000000000)) FROM generate_series(1::bigint, ${Math.ceil(packs / 10)}) n;
      INSERT INTO dbgov.snapshot (id, database, engine, policy, started_at, captured_at, consistency, rows, bytes_read, bytes_new, bytes_stored, manifest_hash, ciphertext_root)
        SELECT '2026010' || n || 'T000000Z-000000000000', 'big', 'postgres', 'nightly', now(), now(), 'transactional', 1, 1, 1, 1, sha256('a'), sha256('b')
        FROM generate_series(0, 9) n;
      INSERT INTO dbgov.snapshot_range (snapshot_no, range_no) SELECT snapshot_no, range_no FROM dbgov.snapshot, dbgov.range;
      INSERT INTO dbgov.range_pack (range_no, pack_no) SELECT range_no, pack_no FROM dbgov.range JOIN dbgov.pack ON pack_no % ${Math.ceil(packs / 10)} = range_no % ${Math.ceil(packs / 10)}`);
    await client.query("VACUUM ANALYZE");
  } finally {
    await client.end();
  }
};

/** Where so many packs go, asked of the command line: the catalog's answer, the plan, and what is told of it. */
export const placementPlan = async ({ stack, folder, name, say }: Ground, packs: number): Promise<SimulationResult> => {
  const prefix = name.replaceAll("-", "_");
  const source = await createSampleDatabase(stack.postgres.url, `${prefix}_planned`);
  const site = await openBenchSite({
    ...{ folder: join(folder, "placement"), stack, namespace: name, catalogName: `${prefix}_placement` },
    databases: [{ name: "big", engine: "postgres", url: source }],
  });
  try {
    const config = parse(await readFile(site.config, "utf8"));
    for (const [n, store] of ["second", "third", "fourth", "fifth", "sixth"].entries())
      config.stores.push({ name: store, kind: "directory", domain: store, path: store, quota: `${(n + 1) * packs * 8}MB` });
    Object.assign(config.policies[0], {
      placement: "planned",
      stores: ["second", "third", "fourth", "fifth", "sixth"],
      copies: 3,
      domains: 3,
    });
    await writeFile(site.config, stringify(config));
    say(`filling a catalog with ${packs.toLocaleString("en")} packs`);
    await fillCatalog(site.catalog, packs);
    const { output, seconds, processorSeconds } = await timedCommand(site.command("stores plan"), site.environment);
    const plan = JSON.parse(output) as { policies: { objects: number; placed: number; refused: number }[] };
    const [planned] = plan.policies;
    // Its packs, its ranges and its manifests.
    if (planned === undefined || planned.objects !== packs + Math.ceil(packs / 10) + 10)
      throw new Error(`planned were ${output.slice(0, 500)}`);
    return {
      title: `A placement plan for ${packs.toLocaleString("en")} packs`,
      said: [
        `${planned.placed.toLocaleString("en")} of ${planned.objects.toLocaleString("en")} objects have three places among six stores with quotas. The command took ${processorSeconds.toFixed(1)} s of a processor.`,
      ],
      bounds: [{ what: "from the command's start until the plan is printed", value: seconds, limit: 5, unit: "s" }],
    };
  } finally {
    await site.close();
  }
};
