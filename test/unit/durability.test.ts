import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { type CopyPlace, type DurabilityModel, type RepairTimes, simulateDurability } from "../../core/domain/durability.ts";

const times: RepairTimes = { noticeDays: 1, replaceDays: 3, coverDays: 30, repairDays: 1 };
const place = (name: string, placeLosses: number, packLosses = 0, domain = name, more: Partial<RepairTimes> = {}): CopyPlace => ({
  ...{ name, domain, placeLosses, packLosses },
  times: { ...times, ...more },
});
const model = (places: CopyPlace[], more: Partial<DurabilityModel> = {}): DurabilityModel => ({ places, domains: [], packs: 100, ...more });
const draw = { years: 100_000, seed: 7 };
const within = ({ interval: [least, most] }: { interval: readonly [number, number] }, expected: number, what: string): void =>
  assert.ok(least <= expected * 1.02 && expected <= most * 1.02, `${what}: ${expected} is not from ${least} to ${most}`);

test("one copy alone: any loss of it is a loss, as the exponential distribution has it", () => {
  within(simulateDurability(model([place("a", 0.05)]), draw), 1 - Math.exp(-0.05), "whole store");
  within(simulateDurability(model([place("a", 0, 1e-4)]), draw), 1 - Math.exp(-1e-4 * 100), "any of 100 packs");
});

test("two copies: the product of the rates and of the time that one is away, as worked out by hand", () => {
  const away = 3.5 / 365.25;
  within(simulateDurability(model([place("a", 0.05), place("b", 0.02)]), draw), 0.05 * 0.02 * 2 * away, "two stores");
  // One pack is bad unnoticed for half of the coverage and a day, on average; the other store for three days and a half.
  const bad = 16 / 365.25;
  within(
    simulateDurability(model([place("a", 0, 1e-4), place("b", 0.02)]), draw),
    100 * 1e-4 * 0.02 * (bad + away),
    "a pack, then a store",
  );
  // Bad packs meet only where they are the same one.
  within(simulateDurability(model([place("a", 0, 1e-3), place("b", 0, 1e-3)]), draw), 100 * 1e-3 * 1e-3 * 2 * bad, "the same pack twice");
});

test("what takes a whole failure domain takes all copies in it, and none elsewhere", () => {
  const fire = [{ domain: "office", losses: 0.01 }];
  const together = model([place("a", 0, 0, "office"), place("b", 0, 0, "office")], { domains: fire });
  within(simulateDurability(together, draw), 1 - Math.exp(-0.01), "both in the office");
  const apart = model([place("a", 0, 0, "office"), place("b", 0, 0, "bank")], { domains: fire });
  assert.ok(simulateDurability(apart, draw).annualLoss < 1e-9);
});

test("more copies and faster repair lose less; copies that are never made again lose all in the end", () => {
  const lossOf = (places: CopyPlace[], more: Partial<RepairTimes> = {}) =>
    simulateDurability(model(places.map((one) => ({ ...one, times: { ...times, ...more } }))), { ...draw, years: 10_000 }).annualLoss;
  const two = [place("a", 0.2), place("b", 0.2)];
  assert.ok(lossOf([...two, place("c", 0.2)]) < lossOf(two) / 5);
  assert.ok(lossOf(two, { replaceDays: 30 }) > 5 * lossOf(two));
  assert.ok(lossOf([place("a", 30), place("b", 30)], { replaceDays: 365 }) > 0.99);
});

test("each place has its own times: what is away counts as long as it takes there", () => {
  const few = { ...draw, years: 20_000 };
  const slow = [place("a", 0.05, 0, "a", { replaceDays: 59.5 }), place("b", 0.02)];
  // The slow one is away for 60 days on average, the other for three and a half.
  within(simulateDurability(model(slow), few), (0.05 * 0.02 * (60 + 3.5)) / 365.25, "two stores");
  const fire = [{ domain: "office", losses: 0.05 }];
  const burnt = model([place("a", 0, 0, "office", { replaceDays: 59.5 }), place("b", 0, 0, "office"), place("c", 0.02)], { domains: fire });
  // Of the two in the office the quick one is back first: then there is a copy again.
  within(simulateDurability(burnt, few), (0.05 * 0.02 * (3.5 + 3.5)) / 365.25, "a domain, then a store");
});

test("a seed gives the same answer again", () => {
  const few = { ...draw, years: 10_000 };
  const two = model([place("a", 0.05, 1e-4), place("b", 0.02, 1e-4)]);
  assert.deepEqual(simulateDurability(two, few), simulateDurability(two, few));
  assert.notDeepEqual(simulateDurability(two, few), simulateDurability(two, { ...few, seed: 8 }));
});

const root = join(import.meta.dirname, "..", "..");
const run = (...args: string[]): Promise<{ stdout: string; code: number }> =>
  promisify(execFile)(process.execPath, [join(root, "client", "durability", "run.ts"), "--years", "20000", ...args])
    .then(({ stdout }) => ({ stdout, code: 0 }))
    .catch((error: { stdout: string; code: number }) => ({ stdout: error.stdout, code: error.code }));

test("the default policy keeps five nines; one disk alone does not, and the exit code says so", async (t) => {
  const kept = await run("--json");
  const { policies } = JSON.parse(kept.stdout) as {
    policies: { name: string; annualLoss: number; interval: number[]; assumptions: string[] }[];
  };
  assert.equal(policies[0]?.name, "nightly");
  assert.ok(policies[0].interval[1]! <= 1e-5 && policies[0].assumptions.length > 5);
  assert.equal(kept.code, 0);

  const folder = await mkdtemp(join(tmpdir(), "dbgov-durability-"));
  t.after(() => rm(folder, { recursive: true }));
  const example = await readFile(join(root, "dbgov.example.yaml"), "utf8");
  const alone = example
    .replace("stores: [azure, peers]", "stores: []")
    .replace("copies: 2", "copies: 1")
    .replace("domains: 2", "domains: 1")
    .replace("envelopes: [disk, azure]", "envelopes: [disk]");
  await writeFile(join(folder, "planned.yaml"), example.replace("landing: disk", "placement: planned\n    landing: disk"));
  const planned = JSON.parse((await run("--json", "--config", join(folder, "planned.yaml"))).stdout);
  const fewest = policies.find(({ name }) => name === "nightly, degraded for good");
  assert.deepEqual(
    planned.policies.map(({ name, annualLoss }: { name: string; annualLoss: number }) => [name, annualLoss]),
    [["nightly", fewest?.annualLoss]],
    "where the planner chooses, only the copies that are promised count",
  );
  await writeFile(join(folder, "one disk.yaml"), alone);
  assert.equal((await run("--json", "--config", join(folder, "one disk.yaml"))).code, 1);
  assert.equal((await run("--replace-days", "soon")).code, 2);
  assert.equal((await run("--records")).code, 2, "the example's catalog is none");
});
