import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { allowancesPagesAreCurrent } from "../../client/allowances-document.ts";
import { allowanceOfDatabase, configuredAllowances, quotaOfStore } from "../../core/config/allowances.ts";
import { parseConfig } from "../../core/config/load-config.ts";
import { knownAllowances } from "../../core/domain/allowances.ts";
import { isFailure } from "../../core/domain/failure.ts";
import { formatSize, parseSize } from "../../core/domain/size.ts";

const example = await readFile(new URL("../../dbgov.example.yaml", import.meta.url), "utf8");
const changed = (...changes: readonly (readonly [string, string])[]): string =>
  changes.reduce((text, [from, to]) => {
    assert.ok(text.includes(from), `the example has no ${from}`);
    return text.replace(from, to);
  }, example);
const problemsOf = (text: string): string => {
  try {
    parseConfig(text, "dbgov.yaml");
    return "";
  } catch (error) {
    assert.ok(isFailure(error, "ConfigurationInvalid"), String(error));
    return error.message;
  }
};

test("sizes are read and written as services bill them", () => {
  assert.deepEqual(["512MB", "5 GB", "1.5TiB", "30MiB", "7B"].map(parseSize), [512e6, 5e9, 1.5 * 2 ** 40, 30 * 2 ** 20, 7]);
  for (const bad of ["5", "GB", "-1GB", "5gb", "1e9B", "99999999TB", ""]) assert.equal(parseSize(bad), undefined, bad);
  assert.deepEqual([0, 999, 1_400_000, 5e9, 12e12].map(formatSize), ["0 B", "999 B", "1.4 MB", "5.0 GB", "12 TB"]);
});

test("every known allowance says where it stands and when that was read, and names one service once", () => {
  for (const { service, source, read, note, free, price } of knownAllowances) {
    assert.match(source, /^https:\/\//, service);
    assert.match(read, /^\d{4}-\d\d-\d\d$/, service);
    assert.ok(note.length > 0, service);
    assert.ok(free === null || Object.values(free).every((value) => value > 0), service);
    assert.ok(price === null || price.perGBMonth >= 0, service);
  }
  assert.equal(new Set(knownAllowances.map(({ service }) => service)).size, knownAllowances.length);
});

test("docs/allowances.md and its example are what the table says (npm run docs writes them)", () => {
  assert.ok(allowancesPagesAreCurrent());
});

const azure = "    container: dbgov\n";
const withAzure = (lines: string): string => changed([azure, `${azure}${lines}`]);

test("a store's quota is what it states, or what its service gives; stores of an account share it", () => {
  const quotaOf = (text: string) => quotaOfStore(parseConfig(text, "dbgov.yaml"), "azure");
  assert.deepEqual(quotaOf(example), { account: "azure", stores: ["azure"], bytes: null, objects: null });
  assert.equal(quotaOf(withAzure("    service: azure-blob-free\n")).bytes, 5e9);
  assert.equal(quotaOf(withAzure("    service: azure-blob-free\n    quota: 4GB\n")).bytes, 4e9);
  const shared = changed(
    [azure, `${azure}    quota: 5GB\n    account: acme\n`],
    ["    bucket: acme-backups\n", "    bucket: acme-backups\n    quota: 5GB\n    account: acme\n"],
  );
  assert.deepEqual(quotaOf(shared), { account: "account acme", stores: ["azure", "bucket"], bytes: 5e9, objects: null });
});

test("the configuration replaces lines of the table, and adds some", () => {
  const own = [
    "allowances:",
    "  - { service: azure-blob-free, bytes: 6GB }",
    "  - { service: our-nas, provider: us, bytes: 2TB, perGBMonth: 0.001, source: the invoice, read: 2026-11-01 }",
    "retention:",
  ].join("\n");
  const config = parseConfig(`${changed(["\nretention:", `\n${own}`], [azure, `${azure}    service: azure-blob-free\n`])}`, "dbgov.yaml");
  assert.equal(quotaOfStore(config, "azure").bytes, 6e9);
  const [nas] = configuredAllowances(config).slice(-1);
  assert.deepEqual(nas, {
    ...{ service: "our-nas", of: "store", provider: "us", free: { bytes: 2e12 }, price: { perGBMonth: 0.001 } },
    ...{ note: "", source: "the invoice", read: "2026-11-01" },
  });
  assert.equal(configuredAllowances(config).find(({ service }) => service === "azure-blob-free")?.price?.perGBMonth, 0.018);
});

test("a database's plan is found by its service", () => {
  const config = parseConfig(changed(["    engine: postgres\n", "    engine: postgres\n    service: supabase-free\n"]), "dbgov.yaml");
  assert.deepEqual(allowanceOfDatabase(config, "shop")?.free, { bytes: 500e6, connections: 2 });
  assert.equal(allowanceOfDatabase(config, "events"), undefined);
});

test("what cannot be so is refused: unknown services, two quotas of one account, one provider in two domains, regions that policies forbid", () => {
  assert.match(
    problemsOf(withAzure("    service: azure-blob-fre\n")),
    /no allowance "azure-blob-fre" is known for a store; did you mean "azure-blob-free"\?/,
  );
  assert.match(problemsOf(withAzure("    service: atlas-m0\n")), /no allowance "atlas-m0" is known for a store/);
  assert.match(problemsOf(withAzure("    quota: lots\n")), /must be a number and a unit: 500MB, 5GB, 1\.5TiB/);
  const bucket = "    bucket: acme-backups\n";
  assert.match(
    problemsOf(changed([azure, `${azure}    account: a\n    quota: 5GB\n`], [bucket, `${bucket}    account: a\n    quota: 6GB\n`])),
    /shares the account of store "azure" and has another quota; an account has one/,
  );
  assert.match(
    problemsOf(changed([azure, `${azure}    provider: big\n`], [bucket, `${bucket}    provider: big\n`])),
    /is of the same provider \(big\) as store "azure", which lies in domain "azure-westeurope": accounts of one provider fail together/,
  );
  const regions = problemsOf(changed(["    domains: 2 #", "    regions: [eu]\n    domains: 2 #"], [azure, `${azure}    region: us\n`]));
  assert.match(regions, /"disk" says no region, and policy nightly allows copies in eu only/);
  assert.match(regions, /"azure" lies in us, and policy nightly allows copies in eu only/);
  const twice = "allowances:\n  - { service: x, provider: y }\n  - { service: x, provider: y }\nretention:";
  assert.match(problemsOf(changed(["\nretention:", `\n${twice}`])), /"x" is used twice/);
});

test("tiers.archive is refused where the promise cannot be kept without the stores that archive", () => {
  const archive: [string, string] = ["    landing: disk", "    tiers: { archive: 180d }\n    landing: disk"];
  assert.equal(problemsOf(changed(archive)), "");
  assert.match(
    problemsOf(changed(archive, ["stores: [azure, peers]", "stores: [azure]"])),
    /policy nightly asks for 2 copies, but names 1 store: disk, as copies in azure cannot be read once they are archived, and do not count/,
  );
  assert.match(problemsOf(changed(archive, ["stores: [azure, peers]", "stores: [peers]"])), /policy nightly has nothing to archive/);
  assert.match(
    problemsOf(changed(archive, ["landing: disk", "placement: planned\n    landing: disk"])),
    /its placement `planned` makes none: say `placement: all`/,
  );
  const policies = "policies:\n  - { name: other, schedule: { cron: '0 1 * * *' }, landing: azure, stores: [disk], archive: [] }";
  assert.match(
    problemsOf(changed(archive, ["policies:", policies])),
    /would archive packs in "azure", where captures of policy other land and refer to them/,
  );
});
