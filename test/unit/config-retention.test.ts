import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { parse, stringify } from "yaml";
import { parseConfig } from "../../core/config/load-config.ts";
import { generateApprover } from "../../core/repository/approver-key.ts";

const example = readFileSync(new URL("../../dbgov.example.yaml", import.meta.url), "utf8");
// biome-ignore lint/suspicious/noExplicitAny: a test's change may not fit the schema, which is the point.
const configOf = (change: (config: any) => void) => {
  const config = parse(example);
  change(config);
  return parseConfig(stringify(config), "dbgov.yaml");
};
// biome-ignore lint/suspicious/noExplicitAny: as above.
const refused = (words: RegExp, change: (config: any) => void): void =>
  void assert.throws(
    () => configOf(change),
    (error: Error) => words.test(error.message) || assert.fail(error.message),
  );

test("record classes: named ones only, and none whose ages contradict the policy's", () => {
  const classes = [
    { name: "accounting", minimumAge: "7y" },
    { name: "applicants", maximumAge: "30d" },
  ];
  const config = configOf((raw) => {
    raw.recordClasses = classes;
    raw.databases[0].records = "accounting";
    raw.databases[0].retention = { monthly: 84 };
    raw.databases[0].timeZone = "Asia/Tokyo";
  });
  assert.deepEqual(
    [config.databases[0]?.records, config.databases[0]?.retention, config.databases[0]?.timeZone],
    ["accounting", { monthly: 84 }, "Asia/Tokyo"],
  );
  refused(/databases\[0\]\.records: no record class "acounting" is declared; did you mean "accounting"\?/, (raw) => {
    raw.recordClasses = classes;
    raw.databases[0].records = "acounting";
  });
  refused(/database shop must keep snapshots for 60d and delete them after 30d/, (raw) => {
    raw.recordClasses = classes;
    raw.databases[0].records = "applicants";
    raw.policies[0].retention.minimumAge = "60d";
  });
  refused(/timeZone: "Tokyo" is not an IANA time zone/, (raw) => {
    raw.databases[0].timeZone = "Tokyo";
  });
  refused(/minimumAge: must be a number and a unit/, (raw) => {
    raw.recordClasses = [{ name: "a", minimumAge: "7 years" }];
  });
  refused(/retention\.dayly: is not a known key/, (raw) => {
    raw.databases[0].retention = { dayly: 3 };
  });
});

test("approvers: two persons or none, each with a key of their own", () => {
  const person = (name: string) => ({ name, publicKey: generateApprover().publicText });
  assert.equal(configOf(() => {}).approval.approvers.length, 0);
  assert.equal(
    configOf((raw) => {
      raw.approval = { approvers: [person("alice"), person("bob")] };
    }).approval.within,
    "24h",
  );
  refused(/approval\.approvers: names one person; it takes two, or none/, (raw) => {
    raw.approval = { approvers: [person("alice")] };
  });
  refused(/is another approver's key: one person is not two/, (raw) => {
    const alice = person("alice");
    raw.approval = { approvers: [alice, { ...alice, name: "bob" }] };
  });
  refused(/is another approver's key: one person is not two/, (raw) => {
    const alice = person("alice");
    raw.approval = { approvers: [alice, { name: "bob", publicKey: `${alice.publicKey.replace(":", ": ")}\n` }] };
  });
  refused(/"alice" is used twice/, (raw) => {
    raw.approval = { approvers: [person("alice"), person("alice")] };
  });
  const { secretText } = generateApprover();
  refused(/must be an approver's key/, (raw) => {
    raw.approval = { approvers: [person("alice"), { name: "bob", publicKey: secretText }] };
  });
});
