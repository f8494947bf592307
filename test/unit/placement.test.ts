import assert from "node:assert/strict";
import { test } from "node:test";
import { cronProblem, isCron } from "../../core/domain/cron.ts";
import { placementOf, placementProblems } from "../../core/domain/placement.ts";

const stores = [
  { name: "disk", domain: "office" },
  { name: "nas", domain: "office" },
  { name: "azure", domain: "cloud" },
  { name: "other", domain: "elsewhere" },
];
const policy = { landing: "disk", stores: ["nas", "azure"], copies: 2, domains: 2 };

test("copies count by stores, domains by where these stand", () => {
  assert.deepEqual(placementOf(policy, stores, new Set(["disk", "nas", "azure"])), {
    replicated: true,
    degraded: false,
    copies: 3,
    domains: 2,
    missing: [],
  });
  assert.deepEqual(placementOf(policy, stores, new Set(["disk", "azure"])), {
    replicated: true,
    degraded: true,
    copies: 2,
    domains: 2,
    missing: ["nas"],
  });
});

test("two copies in one domain are not two domains, and stores that the policy does not name do not count", () => {
  assert.equal(placementOf(policy, stores, new Set(["disk", "nas"])).replicated, false);
  assert.equal(placementOf(policy, stores, new Set(["disk", "other"])).replicated, false);
  assert.deepEqual(placementOf(policy, stores, new Set()), {
    replicated: false,
    degraded: true,
    copies: 0,
    domains: 0,
    missing: ["disk", "nas", "azure"],
  });
});

test("what a policy can never reach is said", () => {
  assert.deepEqual(placementProblems(policy, stores), []);
  assert.deepEqual(placementProblems({ ...policy, domains: 3, copies: 3 }, stores), [
    { field: "domains", message: "asks for 3 domains, but its stores lie in 2: disk in office, nas in office, azure in cloud" },
  ]);
  assert.deepEqual(placementProblems({ ...policy, copies: 4 }, stores), [
    { field: "copies", message: "asks for 4 copies, but names 3 stores: disk, nas, azure" },
  ]);
  assert.deepEqual(placementProblems({ ...policy, copies: 1 }, stores), [
    { field: "domains", message: "asks for 2 domains, but only for 1 copy, which cannot lie in more than 1" },
  ]);
});

test("cron expressions of five fields", () => {
  for (const good of ["15 2 * * *", "*/5 * * * *", "0 0,12 1-15/2 JAN,jul MON-FRI", "0 0 * * 7", " 0  0 * * 0 "]) {
    assert.equal(cronProblem(good), undefined, good);
  }
  for (const bad of [
    "",
    "* * * *",
    "* * * * * *",
    "60 * * * *",
    "0 24 * * *",
    "0 0 0 * *",
    "0 0 * 13 *",
    "0 0 * * 8",
    "5-1 * * * *",
    "*/0 * * * *",
    "a * * * *",
    "@daily",
    "1,, * * * *",
    "0 0 * * MONDAY",
  ]) {
    assert.ok(!isCron(bad), bad);
  }
  assert.match(cronProblem("0 24 * * *") ?? "", /^has no valid hour: "24" \(allowed are 0 to 23,/);
});

test("a store that archives counts for no copy and no domain, and is missing like any other", () => {
  const policy = { landing: "disk", stores: ["azure", "ipfs"], copies: 2, domains: 2, extra: ["azure"] };
  const stores = ["disk", "azure", "ipfs"].map((name) => ({ name, domain: name }));
  assert.deepEqual(placementOf(policy, stores, new Set(["disk", "azure"])), {
    ...{ replicated: false, degraded: true, copies: 1, domains: 1, missing: ["ipfs"] },
  });
  assert.deepEqual(placementOf(policy, stores, new Set(["disk", "ipfs"])), {
    ...{ replicated: true, degraded: true, copies: 2, domains: 2, missing: ["azure"] },
  });
});
