import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { configurationDocument, outdated, schemaDocument } from "../../core/config/generate-docs.ts";
import { type FieldSchema, jsonSchema } from "../../core/config/json-schema.ts";
import { loadConfig, parseConfig } from "../../core/config/load-config.ts";
import { editDistance, nearest } from "../../core/config/nearest.ts";
import { isFailure } from "../../core/domain/failure.ts";
import { engineNames } from "../../core/domain/snapshot.ts";
import { storeKinds } from "../../core/stores/store.ts";

const example = await readFile(new URL("../../dbgov.example.yaml", import.meta.url), "utf8");
const folder = await mkdtemp(join(tmpdir(), "dbgov-config-"));
after(() => rm(folder, { recursive: true }));

/** The problems of the example with pieces of it replaced, without the file's name. */
const problemsOf = (text: string): string[] => {
  try {
    parseConfig(text, "dbgov.yaml");
    return [];
  } catch (error) {
    assert.ok(isFailure(error, "ConfigurationInvalid"), String(error));
    return error.message.split("\n").map((line) => line.replace(/^dbgov\.yaml:/, ""));
  }
};

const changed = (...changes: readonly (readonly [string, string])[]): string =>
  changes.reduce((text, [from, to]) => {
    assert.ok(text.includes(from), `the example has no ${from}`);
    return text.replace(from, to);
  }, example);

/** Line and column of the first occurrence of `needle`, as an error names it. */
const placeOf = (text: string, needle: string): string => {
  const lines = text.slice(0, text.indexOf(needle)).split("\n");
  return `${lines.length}:${lines.at(-1)!.length + 1}`;
};

test("the example is valid and has a store of every kind", () => {
  const config = parseConfig(example, "dbgov.example.yaml");
  assert.deepEqual(new Set(config.stores.map(({ kind }) => kind)), new Set(storeKinds));
  assert.equal(config.policies[0]!.schedule.timeZone, "Europe/Berlin");
});

test("loadConfig makes paths absolute, from the file's own folder, and keeps the rest", async () => {
  const path = join(folder, "dbgov.yaml");
  await writeFile(path, changed(["path: /var/lib/dbgov/repository", "path: repository"]));
  const loaded = await loadConfig(path);
  assert.equal(loaded.folder, folder);
  assert.equal(loaded.path, path);
  assert.equal(loaded.config.recoveryKit, join(folder, "recovery-kit"));
  assert.equal(loaded.config.sweep.out, join(folder, "reports"));
  assert.deepEqual(loaded.config.stores[0], { kind: "directory", name: "disk", domain: "office", path: join(folder, "repository") });
});

test("defaults fill what is left out", () => {
  const retention = "    retention: { last: 7, daily: 7, weekly: 5, monthly: 12, yearly: 7, minimumAge: 1d }\n";
  const short = changed([retention, ""], ["    copies: 2", "    #"], ["    domains: 2", "    #"]).replace(/\nretention:[\s\S]*$/, "\n");
  const config = parseConfig(short, "dbgov.yaml");
  const counts = { last: 7, daily: 7, weekly: 5, monthly: 12, yearly: 7, extra: 3 };
  assert.deepEqual(config.policies[0]!.retention, { ...counts, minimumAge: "1d", mostPerRun: 50 });
  assert.deepEqual([config.policies[0]!.copies, config.policies[0]!.domains], [2, 2]);
  const rewrite = { below: 30, bytesPerRun: "256MiB", within: "400d" };
  assert.deepEqual(config.retention, { cron: "0 5 * * *", grace: "1d", rewrite });
  assert.deepEqual(config.sweep.frameworks, ["sox", "gdpr", "hipaa", "iso27001"]);
});

test("an error names file, line, column, place and what is allowed", async () => {
  const path = join(folder, "wrong.yaml");
  const text = changed(["engine: postgres", "engine: mysql"]);
  await writeFile(path, text);
  await assert.rejects(loadConfig(path), (error) => {
    assert.ok(isFailure(error, "ConfigurationInvalid"));
    assert.equal(
      error.message,
      `${path}:${placeOf(text, "mysql")}: databases[0].engine: must be one of ${engineNames.join(", ")} (is "mysql")`,
    );
    return true;
  });
});

test("several problems are all told, one line each, in the file's order", () => {
  const text = changed(["name: shop", "name: Shop"], ["copies: 2", "copies: 0"], ["every: 7d", "every: weekly"]);
  assert.deepEqual(problemsOf(text), [
    `${placeOf(text, "Shop")}: databases[0].name: must be lowercase letters, digits and dashes, at most 63 (is "Shop")`,
    `${placeOf(text, "0 # a snapshot")}: policies[0].copies: must be at least 1 (is 0)`,
    `${placeOf(text, "weekly\n")}: policies[0].drill.every: must be a number and a unit: 30s, 15m, 26h, 7d (is "weekly")`,
  ]);
});

test("an unknown key is named at its own place, with the one that was meant", () => {
  const text = changed(["    landing: disk", "    landnig: disk"]);
  assert.deepEqual(problemsOf(text), [`${placeOf(text, "landnig")}: policies[0].landnig: is not a known key; did you mean "landing"?`]);
  const other = changed(["    container: dbgov", "    container: dbgov\n    shape: round"]);
  assert.deepEqual(problemsOf(other), [
    `${placeOf(other, "shape")}: stores[1].shape: is not a known key (allowed: kind, name, domain, quota, service, account, provider, region, connection, identity, container, accountResourceId, tier)`,
  ]);
});

test("what is missing says what belongs there; a key without a value is empty", () => {
  const text = changed(["    policy: nightly\n", ""]);
  assert.match(problemsOf(text).join(), /databases\[0\]\.policy: is missing; it must be a text \(the policy that/);
  assert.deepEqual(problemsOf(changed(["organization: acme", "organization:"])), ["7:14: organization: must be a text (is empty)"]);
  const noPeers = example.replace(/\n {6}- \{ name: \w+, api.*\}/g, "").replace("peers:\n", "peers: []\n");
  assert.match(problemsOf(noPeers).join(), /stores\[2\]\.peers: must not be empty$/);
});

test("a secret that is written out is refused and not repeated", () => {
  for (const inline of ['"postgres://dbgov:hunter2@127.0.0.1/dbgov"', "hunter2", "{ value: hunter2 }", "[hunter2]", "4711"]) {
    const [problem, ...more] = problemsOf(changed(["catalog: { env: DBGOV_CATALOG_URL }", `catalog: ${inline}`]));
    assert.match(problem ?? "", /: catalog: must name a secret, as \{ env: NAME \} or \{ file: PATH \}, and not hold it$/);
    assert.deepEqual(more, []);
  }
  const url = problemsOf(changed(["gateway: https://arweave.net", "gateway: ftp://user:hunter2@host"])).join();
  assert.match(url, /stores\[3\]\.gateway: must be an http or https URL$/);
});

test("names that nothing declares", () => {
  const cases: readonly (readonly [readonly [string, string], RegExp])[] = [
    [["    policy: nightly", "    policy: nigthly"], /databases\[0\]\.policy: no policy "nigthly" is declared; did you mean "nightly"\?$/],
    [
      ["landing: disk", "landing: floppy"],
      /policies\[0\]\.landing: no store "floppy" is declared \(declared: disk, azure, peers, permanent, bucket, storj, sia, filecoin\)$/,
    ],
    [
      ["stores: [azure, peers]", "stores: [azure, pears]"],
      /policies\[0\]\.stores\[1\]: no store "pears" is declared; did you mean "peers"\?$/,
    ],
    [["archive: [permanent]", "archive: [attic]"], /policies\[0\]\.archive\[0\]: no store "attic"/],
    [["envelopes: [disk, azure]", "envelopes: [disk, vault]"], /policies\[0\]\.envelopes\[1\]: no store "vault"/],
    [["  store: disk\n", "  store: desk\n"], /log\.store: no store "desk" is declared; did you mean "disk"\?$/],
  ];
  for (const [change, words] of cases) {
    const problems = problemsOf(changed(change));
    assert.equal(problems.length, 1, problems.join("\n"));
    assert.match(problems[0]!, words);
  }
});

test("what no single field shows", () => {
  const keys = "accessKeyId: { env: A }, secretAccessKey: { env: B }";
  const sameBucket = `  - { name: again, kind: s3, domain: other, bucket: acme-backups, endpoint: "https://gateway.storjshare.io/", ${keys} }`;
  const cases: readonly (readonly [readonly (readonly [string, string])[], RegExp])[] = [
    [
      [
        ["domains: 2", "domains: 3"],
        ["copies: 2", "copies: 3"],
        ["domain: peers", "domain: office"],
      ],
      /policies\[0\]\.domains: policy nightly asks for 3 domains, but its stores lie in 2: disk in office, azure in azure-westeurope, peers in office$/,
    ],
    [[["copies: 2", "copies: 4"]], /policies\[0\]\.copies: policy nightly asks for 4 copies, but names 3 stores: disk, azure, peers$/],
    [
      [["stores: [azure, peers]", "stores: [azure, peers, disk]"]],
      /policies\[0\]\.stores\[2\]: policy nightly names the store "disk" twice/,
    ],
    [[["archive: [permanent]", "archive: [azure]"]], /policies\[0\]\.archive\[0\]: policy nightly names the store "azure" twice/],
    [
      [
        ["stores: [azure, peers]", "stores: [azure, peers, permanent]"],
        ["archive: [permanent]", "archive: []"],
      ],
      /policies\[0\]\.stores\[2\]: "permanent" is an arweave store, which takes the small permanent things only/,
    ],
    [[["  store: disk\n", "  store: permanent\n"]], /log\.store: "permanent" is an arweave store/],
    [[["name: events", "name: shop"]], /databases\[1\]\.name: "shop" is used twice$/],
    [[["{ name: berlin,", "{ name: office,"]], /stores\[2\]\.peers\[1\]\.name: "office" is used twice$/],
    [
      [["api: https://ipfs-berlin.example.com", "api: http://127.0.0.1:5001/"]],
      /stores\[2\]\.peers\[1\]\.api: is the same place as in store "peers"/,
    ],
    [
      [["  - name: azure\n", "  - { name: again, kind: directory, domain: other, path: /var/lib/dbgov/repository/ }\n  - name: azure\n"]],
      /stores\[1\]\.path: is the same place as in store "disk", so a copy there would be no copy$/,
    ],
    [
      [["\npolicies:\n", `${sameBucket}\npolicies:\n`]],
      /stores\[8\]\.bucket: is the same place as in store "storj", so a copy there would be no copy$/,
    ],
    [
      [["timeZone: Europe/Berlin", "timeZone: Europe/Berlln"]],
      /policies\[0\]\.schedule\.timeZone: "Europe\/Berlln" is not an IANA time zone/,
    ],
    [[['cron: "15 2 * * *"', 'cron: "15 25 * * *"']], /policies\[0\]\.schedule\.cron: has no valid hour: "25"/],
    [[['cron: "0 5 * * *"', 'cron: "daily"']], /retention\.cron: must be five fields/],
    [[['cron: "0 6 * * *"', 'cron: "0 6 * *"']], /sweep\.cron: must be five fields/],
  ];
  for (const [changes, words] of cases) {
    const problems = problemsOf(changed(...changes));
    assert.equal(problems.length, 1, problems.join("\n"));
    assert.match(problems[0]!, words);
    assert.match(problems[0]!, /^\d+:\d+: /);
  }
});

test("how the connection to Temporal is protected must be whole", () => {
  const withTemporal = (...lines: string[]) => problemsOf(changed(["namespace: default", ["namespace: default", ...lines].join("\n  ")]));
  const certificate = "certificate: c.pem";
  const privateKey = "privateKey: { file: k.pem }";
  assert.deepEqual(withTemporal("tls: true", certificate, privateKey, "authority: a.pem", "apiKey: { env: KEY }"), []);
  assert.match(withTemporal("apiKey: { env: KEY }").join(), /temporal\.apiKey.*has no effect without `tls: true`/);
  assert.match(withTemporal("tls: true", certificate).join(), /temporal\.certificate.*needs `privateKey` beside it/);
  assert.match(withTemporal("tls: true", privateKey).join(), /temporal\.privateKey.*needs `certificate` beside it/);
});

test("what is no YAML, empty, or not there", async () => {
  assert.match(problemsOf("organization: [").join(), /^1:\d+: is not valid YAML: /);
  assert.match(problemsOf("organization: a\norganization: b\n").join(), /^2:1: is not valid YAML: map keys must be unique/);
  for (const empty of ["", "# nothing\n", "---\n"]) assert.deepEqual(problemsOf(empty), [" the configuration is empty"]);
  assert.match(problemsOf("- a list").join(), /^1:1: the configuration: must be a group of keys \(is a list\)$/);
  await assert.rejects(
    loadConfig(join(folder, "nowhere.yaml")),
    (error) => isFailure(error, "ConfigurationInvalid") && /nowhere\.yaml does not exist$/.test(error.message),
  );
  await assert.rejects(loadConfig(folder), (error) => isFailure(error, "ConfigurationInvalid") && /is a folder$/.test(error.message));
});

test("nearest finds slips of the finger, and only these", () => {
  assert.equal(editDistance("landnig", "landing"), 1);
  assert.equal(editDistance("", "abc"), 3);
  assert.equal(nearest("Timezone", ["timeZone", "cron"]), "timeZone");
  assert.equal(nearest("shape", ["kind", "name"]), undefined);
});

test("every field is described, and the generated documents are current", async () => {
  const undescribed: string[] = [];
  const walk = (path: string, field: FieldSchema): void => {
    if (field.description === undefined && path !== "" && !path.endsWith("[]")) undescribed.push(path);
    for (const [key, child] of Object.entries(field.properties ?? {})) walk(`${path}.${key}`, child);
    for (const one of [...(field.oneOf ?? []), ...(field.anyOf ?? [])])
      for (const [key, child] of Object.entries(one.properties ?? {})) walk(`${path}.${key}`, child);
    if (field.items !== undefined) walk(`${path}[]`, field.items);
  };
  walk("", jsonSchema());
  assert.deepEqual(undescribed, []);
  assert.deepEqual(await outdated(), [], "run npm run docs");
  assert.match(configurationDocument(), /\| `jitter` \| duration \| `10m` \|/);
  assert.equal(JSON.parse(schemaDocument()).properties.organization.type, "string");
});
