import { readdir, utimes } from "node:fs/promises";
import { join } from "node:path";
import { query } from "../../core/catalog/catalog.ts";
import type { Store } from "../../core/stores/store.ts";
import { mustHold } from "./outcome.ts";
import { type Lane, mustRun, undisturbedBackup } from "./round.ts";

const never = new AbortController().signal;
const longAgo = new Date(Date.now() - 30 * 24 * 60 * 60_000);

/**
 * Lets the time pass that protects what running captures rely on, lets retention run, and holds everything that is left
 * to be known: objects in the stores, unfinished files, scratch databases, temporary folders.
 */
export const mustLeaveNothing = async (lane: Lane): Promise<void> => {
  const { site, temporary, folder } = lane.place;
  const catalog = await site.catalog();
  for (const table of ["pack", "range"])
    await query(
      catalog,
      "ending leases",
      `UPDATE dbgov.${table} SET claimed_until = now() - interval '1 second' WHERE claimed_until IS NOT NULL`,
    );
  await mustRun(lane, "retention");
  const wanted = new Set(
    (
      await query<{ key: string }>(
        catalog,
        "listing what is known",
        `SELECT dbgov.pack_key(p.id) AS key FROM dbgov.pack p WHERE deleted_at IS NULL
           AND EXISTS (SELECT FROM dbgov.range_pack x JOIN dbgov.snapshot_range USING (range_no) WHERE x.pack_no = p.pack_no)
         UNION ALL SELECT unnest(ARRAY[dbgov.range_key(r.id), dbgov.envelopes_key(encode(r.id, 'hex'))]) FROM dbgov.range r
           WHERE deleted_at IS NULL AND EXISTS (SELECT FROM dbgov.snapshot_range x WHERE x.range_no = r.range_no)
         UNION ALL SELECT unnest(ARRAY[dbgov.manifest_key(id), dbgov.envelopes_key(id), 'takeover/' || id]) FROM dbgov.live_snapshot`,
      )
    ).map(({ key }) => key),
  );
  for (const name of ["landing", "second"]) {
    const store = await site.store(name);
    for (const key of await keysOf(store)) {
      // Plans go after a week, which does not pass here.
      if (key === "config" || key.startsWith("log/") || key.startsWith("plans/")) continue;
      mustHold(wanted.has(key), `${key} lies in store ${name}, and nothing that lives needs it`);
    }
    await mustTidy(store, join(folder, name === "landing" ? "disk/landing" : "second", ".dbgov-unfinished"));
  }
  // The next backup removes what killed refreshes of the recovery kit left, once that is old.
  const kit = site.loaded.config.recoveryKit;
  for (const name of await readdir(kit)) if (name.endsWith(".partial")) await utimes(join(kit, name), longAgo, longAgo);
  await undisturbedBackup(lane);
  const partial = (await readdir(kit)).filter((name) => name.endsWith(".partial"));
  mustHold(partial.length === 0, `the recovery kit keeps ${partial.join(", ")}`);
  // The next restore removes what killed ones left, once that is old.
  await makeOld(temporary);
  await mustRun(lane, "drill");
  const files = (await readdir(temporary)).filter((file) => file.startsWith("dbgov-"));
  mustHold(files.length === 0, `temporary files stay in ${temporary}: ${files.join(", ")}`);
};

const keysOf = async (store: Store): Promise<string[]> => {
  const keys: string[] = [];
  for await (const { key } of store.list("", never)) keys.push(key);
  return keys;
};

/** Unfinished files are removed once they are old: these are made old. */
const mustTidy = async (store: Store, folder: string): Promise<void> => {
  await makeOld(folder);
  await store.probe(never);
  const left = await readdir(folder).catch(() => []);
  mustHold(left.length === 0, `unfinished files stay in ${folder}: ${left.join(", ")}`);
};

const makeOld = async (folder: string): Promise<void> => {
  for (const name of await readdir(folder).catch(() => [])) await utimes(join(folder, name), longAgo, longAgo);
};
