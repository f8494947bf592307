import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { query } from "../../core/catalog/catalog.ts";
import { proofTimes } from "../../core/catalog/proof-times.ts";
import { createCatalog } from "./catalog-database.ts";

const { catalog } = await createCatalog();

const now = Date.now();
const ago = (days: number | null | undefined): Date | null => (days == null ? null : new Date(now - days * 86_400_000));

/** A copy with what is recorded of it, in days before now. */
const copy = async (store: string, { recorded, asked, proven }: { recorded: number; asked?: number; proven?: number }): Promise<string> => {
  const object = `packs/${randomUUID()}`;
  await query(
    catalog,
    "recording a copy",
    `INSERT INTO dbgov.replica (object, store, receipt, bytes, recorded_at, asked_at, challenged_at)
     VALUES ($1, $2, 'r', 1000, $3, $4, $5)`,
    [object, store, ago(recorded), ago(asked), ago(proven)],
  );
  return object;
};

const finding = (
  store: string,
  object: string,
  found: number,
  ended: number | null,
  outcome: string | null,
  kind = "missing",
): Promise<unknown> =>
  query(
    catalog,
    "recording a finding",
    `INSERT INTO dbgov.copy_finding (store, object, kind, message, found_at, seen_at, ended_at, outcome)
     VALUES ($1, $2, $3, 'm', $4, $4, $5, $6)`,
    [store, object, kind, ago(found), ago(ended), outcome],
  );

const close = (actual: number | undefined, expected: number): void =>
  assert.ok(actual !== undefined && Math.abs(actual - expected) < 0.01, `${actual} is not ${expected}`);

test("how long nothing was proven, and nothing asked, by store", async () => {
  await copy("steady", { recorded: 100, asked: 12, proven: 12 });
  await copy("steady", { recorded: 100, asked: 7, proven: 7 });
  // It was asked, and could not be had: it is not proven since.
  await copy("steady", { recorded: 100, asked: 6, proven: 20 });
  await copy("new", { recorded: 2 });
  const times = new Map((await proofTimes(catalog)).map((one) => [one.store, one]));
  const steady = times.get("steady");
  assert.equal(steady?.copies, 3);
  close(steady?.recordedDays, 100);
  close(steady?.unprovenDays, 20);
  // 12 days ago, 7, 6, now.
  close(steady?.silentDays, 6);
  assert.deepEqual([steady?.replaced, steady?.replaceDays], [0, null]);
  close(times.get("new")?.unprovenDays, 2);
});

test("from the finding of a bad copy until it is replaced; one that is bad still lasts, one that was right after all is none", async () => {
  const [a, b, c, d] = [
    await copy("lossy", { recorded: 9 }),
    await copy("lossy", { recorded: 9 }),
    await copy("lossy", { recorded: 9 }),
    await copy("lossy", { recorded: 9 }),
  ];
  // Two that were found together, the second of which took a day.
  await finding("lossy", a, 5, 4.5, "repaired");
  await finding("lossy", b, 5, 4, "repaired", "changed");
  await finding("lossy", c, 3, null, null);
  await finding("lossy", d, 8, 1, "proven");
  await finding("lossy", "", 8, 1, "proven", "unreachable");
  const lossy = (await proofTimes(catalog)).find(({ store }) => store === "lossy");
  assert.equal(lossy?.replaced, 2);
  close(lossy?.replaceDays?.mean, (0.5 + 1 + 3) / 3);
  close(lossy?.replaceDays?.longest, 3);
  assert.equal(lossy?.replacedBytes, 2_000);
  close(lossy?.replacingSeconds, 86_400);
});
