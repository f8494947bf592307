import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Client, Connection } from "@temporalio/client";
import { makeNamespace } from "../sample/test-site.ts";
import { knownChunks } from "../scale/known-chunks.ts";
import { manyTables } from "../scale/many-tables.ts";
import { placementPlan } from "../scale/placement-plan.ts";
import { repairPass } from "../scale/repair-pass.ts";
import { type Ground, holds, type SimulationResult } from "../scale/simulation.ts";
import { useStack } from "../stack/use-stack.ts";

// The simulations of `npm run scale`, in small: the same bounds, but for times, which say nothing beside other tests.

const stack = await useStack("postgres", "temporal");
let ground: Ground;

before(async () => {
  const name = `scale-${randomBytes(3).toString("hex")}`;
  const connection = await Connection.connect({ address: stack.temporal.address });
  await makeNamespace(new Client({ connection, namespace: name }), name);
  await connection.close();
  ground = { stack, folder: await mkdtemp(join(tmpdir(), "dbgov scale ")), name, say: () => {} };
});
after(() => rm(ground.folder, { recursive: true, force: true }));

const requireBounds = ({ bounds }: SimulationResult): void => {
  for (const { what, value, limit, unit } of bounds) {
    assert.ok(Number.isFinite(value) && value > 0, `${what} was measured`);
    if (unit !== "s") assert.ok(value <= limit, `${what}: ${value} ${unit}, at most ${limit}`);
  }
};

test("a small database beside 100,000 known chunks takes no more memory than alone", async () => {
  requireBounds(await knownChunks(ground, 100_000));
});

test("a plan for 1,000 packs places each of them", async () => {
  requireBounds(await placementPlan(ground, 1_000));
});

test("the history of a backup of 800 tables is short", async () => {
  const result = await manyTables(ground, 800);
  requireBounds(result);
  // In proportion to the full size.
  const events = result.bounds.find(({ unit }) => unit === "events")?.value ?? 0;
  assert.ok(events < 5_000 / (20_000 / 800), `${events} events for 800 tables`);
});

test("a repair pass over 2,000 packs in two stores takes no more memory than one over 200", async () => {
  const { bounds } = await repairPass(ground, 2_000);
  for (const bound of bounds) assert.ok(holds(bound), `${bound.what}: ${bound.value} ${bound.unit}, at most ${bound.limit}`);
});
