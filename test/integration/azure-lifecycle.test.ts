import assert from "node:assert/strict";
import { after, beforeEach, test } from "node:test";
import { recordLifecycleRules } from "../../core/compliance/checks/record/lifecycle.ts";
import type { Config } from "../../core/config/schema.ts";
import { lifecycleOf } from "../../core/site/store-lifecycle.ts";
import { exampleConfig } from "../sample/example-config.ts";
import { emptyRecord, goodStore } from "../unit/compliance-records.ts";
import { resourceManagerStub } from "./azure-resource-manager-stub.ts";

const stub = await resourceManagerStub();
after(() => stub[Symbol.asyncDispose]());

// Tokens are kept by who asked for them: this file's own.
for (const name of ["AZURE_TENANT_ID", "AZURE_CLIENT_SECRET"]) delete process.env[name];
process.env.AZURE_CLIENT_ID = "lifecycle-test";
beforeEach(() => {
  process.env.AZURE_POD_IDENTITY_AUTHORITY_HOST = stub.url;
  process.env.AZURE_RESOURCE_MANAGER_ENDPOINT = stub.url;
  stub.answer = undefined;
});

const now = new Date("2026-11-24T06:00:00Z");
const azure = exampleConfig.stores.find(({ kind }) => kind === "azure-blob")! as Extract<Config["stores"][number], { kind: "azure-blob" }>;

/** What the sweep says of the account as the stub has it. */
const verdict = async (accountResourceId: string | undefined = stub.resourceId) => {
  const { accountResourceId: _, ...bare } = azure;
  const store = { ...bare, ...(accountResourceId === "" ? {} : { accountResourceId: accountResourceId! }) };
  const lifecycle = await lifecycleOf({ ...exampleConfig, stores: [store] }, store, now);
  return recordLifecycleRules.judge({ ...emptyRecord, stores: [{ ...goodStore, name: "azure", lifecycle: lifecycle! }] }, now);
};

/** As in the specification's samples. */
const rule = (name: string, actions: object, filters: object = {}, enabled = true) => ({
  ...{ enabled, name, type: "Lifecycle" },
  definition: { filters: { blobTypes: ["blockBlob"], ...filters }, actions },
});

test("an account without rules passes, whether it never had any or has none", async () => {
  assert.equal((await verdict()).result, "pass");
  stub.answer = { rules: [] };
  assert.equal((await verdict()).result, "pass");
});

test("a rule that deletes fails: which rule, what, when, and how long dbgov keeps it", async () => {
  stub.answer = { rules: [rule("cleanup", { baseBlob: { delete: { daysAfterModificationGreaterThan: 365 } } })] };
  const { result, reason } = await verdict();
  assert.equal(result, "fail");
  assert.equal(
    reason,
    'Lifecycle rules do harm in azure: the rule "cleanup" deletes everything in dbgov, 365 days after its modification, and dbgov keeps snapshots for up to 2562 days.',
  );
});

test("one that deletes or archives a part of it fails, by its prefix; also one that comes with harmless ones", async () => {
  const archive = { tierToCool: { daysAfterModificationGreaterThan: 30 }, tierToArchive: { daysAfterLastAccessTimeGreaterThan: 90 } };
  stub.answer = { rules: [rule("old", { baseBlob: archive }, { prefixMatch: ["logs", "dbgov/packs/"] })] };
  const { result, reason } = await verdict();
  assert.equal(result, "fail");
  assert.match(reason, /the rule "old" archives dbgov\/packs\/…, 90 days after its last access, where nothing can be read for hours\.$/);
  // A prefix is a beginning of characters, not of folders.
  stub.answer = { rules: [rule("short", { baseBlob: { delete: { daysAfterCreationGreaterThan: 7 } } }, { prefixMatch: ["dbg"] })] };
  assert.equal((await verdict()).result, "fail");
  stub.answer = {
    rules: [rule("deep", { baseBlob: { delete: { daysAfterCreationGreaterThan: 7 } } }, { prefixMatch: ["dbgov/packs/ab/"] })],
  };
  assert.equal((await verdict()).result, "fail");
});

test("what does no harm passes: other containers, other tiers (told), older versions (told), rules that are off, of tags, or of other blobs", async () => {
  const remove = { baseBlob: { delete: { daysAfterModificationGreaterThan: 1 } } };
  stub.answer = {
    rules: [
      rule("others", remove, { prefixMatch: ["logs/", "dbgov2/packs", "dbgov/probe/"] }),
      rule("off", remove, {}, false),
      rule("tagged", remove, { blobIndexMatch: [{ name: "temporary", op: "==", value: "yes" }] }),
      rule("append", remove, { blobTypes: ["appendBlob"] }),
      rule("cheaper", { baseBlob: { tierToCool: { daysAfterModificationGreaterThan: 30 }, enableAutoTierToHotFromCool: true } }),
      rule("versions", { version: { delete: { daysAfterCreationGreaterThan: 5 } } }),
    ],
  };
  const { result, reason } = await verdict();
  assert.equal(result, "pass", reason);
  assert.match(reason, /"cheaper" moves everything in dbgov to another tier \(tierToCool\), 30 days after its modification/);
  assert.match(reason, /"versions" does delete with older versions of everything in dbgov, 5 days after its creation/);
});

test("what nobody could read is inconclusive: no permission, no such account, another form, nobody there, and no resource id", async () => {
  stub.answer = { status: 403, code: "AuthorizationFailed" };
  const denied = await verdict();
  assert.equal(denied.result, "inconclusive");
  assert.match(
    denied.reason,
    /HTTP 403 \(AuthorizationFailed\); it takes the permission Microsoft\.Storage\/storageAccounts\/managementPolicies\/read/,
  );
  stub.answer = { status: 500, code: "InternalError" };
  assert.equal((await verdict()).result, "inconclusive");
  stub.answer = {} as never;
  assert.match((await verdict()).reason, /a form that dbgov does not know/);
  stub.answer = undefined;
  assert.match((await verdict(stub.resourceId.replace(/dbgov$/, "other"))).reason, /HTTP 404 \(ResourceNotFound\)/);
  const unasked = await verdict("");
  assert.equal(unasked.result, "inconclusive");
  assert.match(unasked.reason, /nobody has looked at the account's lifecycle rules, as the store names no accountResourceId/);
  process.env.AZURE_CLIENT_ID = "nobody";
  process.env.AZURE_POD_IDENTITY_AUTHORITY_HOST = "http://127.0.0.1:1";
  assert.match((await verdict()).reason, /gives no answer/);
  process.env.AZURE_CLIENT_ID = "lifecycle-test";
});

test("without an Azure store there is nothing to judge", () => {
  assert.equal(recordLifecycleRules.judge({ ...emptyRecord, stores: [goodStore] }, now).result, "not-applicable");
});
