import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { TestSite } from "./test-site.ts";

/** Every secret that the site's configuration names, and the passwords and keys inside of URLs and connection strings. */
export const secretsOf = async (test: TestSite): Promise<Map<string, string>> => {
  const secrets = new Map<string, string>();
  const add = (name: string, value: string): void => {
    if (value.length >= 8) secrets.set(name, value);
  };
  for (const [name, value] of Object.entries(test.environment)) {
    // An address without credentials is no secret, nor is a folder.
    if (name === "DBGOV_PG_BIN" || name === "DBGOV_RPC") continue;
    add(name, value);
    if (URL.canParse(value)) add(`${name} (password)`, decodeURIComponent(new URL(value).password));
    add(`${name} (account key)`, /AccountKey=([^;]+)/.exec(value)?.[1] ?? "");
  }
  const keys = join(test.config, "..", "keys");
  for (const name of await readdir(keys)) if (name.endsWith(".secret")) add(name, (await readFile(join(keys, name), "utf8")).trim());
  const wallet = JSON.parse(await readFile(join(keys, "arweave.json"), "utf8")) as Record<string, string>;
  add("arweave.json", wallet.d ?? "");
  return secrets;
};

/** Everything in a history that is text, or bytes that could be: payloads are bytes. */
const textOf = (value: unknown): string => {
  if (value instanceof Uint8Array) return Buffer.from(value).toString("utf8");
  if (typeof value === "string") return value;
  return typeof value === "object" && value !== null ? Object.values(value).map(textOf).join("\n") : "";
};

/** Fails, naming the secret and the place, when a workflow's history or a worker's log of this site holds one. */
export const assertNoSecrets = async (test: TestSite): Promise<void> => {
  const secrets = await secretsOf(test);
  assert.ok(secrets.size >= 8, "there are secrets to look for");
  const texts = new Map<string, string>();
  for await (const { workflowId, runId } of test.client.workflow.list()) {
    if (workflowId === "namespace-probe") continue;
    const history = await test.client.workflow.getHandle(workflowId, runId).fetchHistory();
    texts.set(`history of ${workflowId}`, textOf(history));
  }
  for (const name of await readdir(test.folder)) {
    if (name.startsWith("worker-")) texts.set(name, await readFile(join(test.folder, name), "utf8"));
  }
  const histories = [...texts].filter(([place]) => place.startsWith("history")).map(([, text]) => text);
  // Failures' messages and activities' inputs are found by this search.
  assert.ok(histories.every((text) => text.includes("json/plain")) || histories.length === 0, "the payloads are looked through");
  assert.ok(texts.size >= 2, "there are histories and logs to look through");
  for (const [place, text] of texts) {
    for (const [name, secret] of secrets) assert.ok(!text.includes(secret), `${place} holds the secret ${name}`);
  }
};
