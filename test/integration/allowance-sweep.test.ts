import assert from "node:assert/strict";
import { test } from "node:test";
import { commitSnapshot } from "../../core/catalog/commit-snapshot.ts";
import { databaseFitsItsAllowance } from "../../core/compliance/checks/record/allowance.ts";
import type { Config } from "../../core/config/schema.ts";
import { databaseAllowance } from "../../core/site/database-allowance.ts";
import type { Site } from "../../core/site/site.ts";
import { exampleConfig } from "../sample/example-config.ts";
import { goodDatabase, goodRecord } from "../unit/compliance-records.ts";
import { createCatalog, snapshotOf } from "./catalog-database.ts";

const { catalog, url } = await createCatalog();
const now = new Date("2026-01-21T00:00:00Z");

/** The catalog's own database as one under governance, on a plan of so many bytes. */
const siteOn = (bytes: string, databaseUrl = url): Site => {
  const config: Config = structuredClone(exampleConfig);
  config.databases[0]!.service = "supabase-free";
  config.allowances = [{ service: "supabase-free", of: "source", bytes }];
  const database = (name: string) => config.databases.find((entry) => entry.name === name);
  return { loaded: { config }, catalog: async () => catalog, database, databaseUrl: async () => databaseUrl } as unknown as Site;
};
const judge = async (site: Site) => {
  const allowance = await databaseAllowance(site, "shop", now);
  return databaseFitsItsAllowance.judge({ ...goodDatabase, allowance }, goodRecord, now);
};

test("a live PostgreSQL database is judged by its plan: it fits, it is nearly full, it fills up too soon, it does not answer", async () => {
  const fits = await judge(siteOn("500MB"));
  assert.equal(fits.result, "pass", fits.reason);
  assert.match(fits.reason, /^\d+(\.\d)? MB of the 500 MB that supabase-free allows are used\.$/);

  const full = await judge(siteOn("1MB"));
  assert.equal(full.result, "fail", full.reason);
  assert.match(full.reason, /from 85 % on there is too little room/);

  // The first snapshot is what growth is added to.
  await commitSnapshot(catalog, snapshotOf("shop", [], { capturedAt: "2026-01-11T00:00:00.000Z", bytesNew: 400_000_000 }));
  await commitSnapshot(catalog, snapshotOf("shop", [], { capturedAt: "2026-01-20T00:00:00.000Z", bytesNew: 200_000_000 }));
  const soon = await judge(siteOn("500MB"));
  assert.equal(soon.result, "fail", soon.reason);
  assert.match(soon.reason, /at 20 MB a day it is full in 2\d days\.$/);

  const away = await judge(siteOn("500MB", "postgres://nobody@127.0.0.1:1/none"));
  assert.equal(away.result, "inconclusive", away.reason);
  assert.equal(await databaseAllowance(siteOn("500MB"), "events", now), null);
});
