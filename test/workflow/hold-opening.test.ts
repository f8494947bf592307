import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { MockActivityEnvironment } from "@temporalio/testing";
import type { ActivityEnvironment } from "../../activities/environment.ts";
import { createHoldSnapshot } from "../../activities/snapshot/hold-snapshot.ts";
import { openTcpFront, throughFront } from "../sample/tcp-front.ts";
import { useStack } from "../stack/use-stack.ts";

test("a snapshot that a slow server takes its time to open says meanwhile that its worker lives", async (t) => {
  const { postgres } = await useStack("postgres");
  const { hostname, port, host } = new URL(postgres.url);
  const front = await openTcpFront({ host: hostname, port: Number(port) });
  t.after(() => front.close());
  const frozen = front.freezeAfter(0);
  const site = { database: () => ({ engine: "postgres" }), databaseUrl: async () => throughFront(postgres.url, host, front) };
  const { holdSnapshot } = createHoldSnapshot({ site: async () => site } as unknown as ActivityEnvironment);
  const environment = new MockActivityEnvironment();
  const beat = once(environment, "heartbeat");
  const holding = environment.run(holdSnapshot, { database: "shop", ticket: "t" });
  // Whoever waits for the beat shall not be brought down by it.
  holding.catch(() => {});
  await frozen;
  await beat;
  environment.cancel();
  await assert.rejects(holding);
});
