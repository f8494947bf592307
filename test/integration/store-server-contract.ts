import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import type { FailureType } from "../../core/domain/failure.ts";
import type { Store, StoreOptions } from "../../core/stores/store.ts";
import type { ContractRun } from "./contract-test.ts";
import { all, fails, never } from "./store-expectations.ts";
import { answeringServer, closedAddress, hangingServer } from "./store-servers.ts";

/** What every store with a server says when that is away, silent or unwilling. */
export const badServers = (
  contractTest: ContractRun["contractTest"],
  openAt: (url: string, options: StoreOptions) => Promise<Store>,
  secrets: readonly string[],
): void => {
  const everyCall = (store: Store): (() => Promise<unknown>)[] => [
    () => store.put("packs/x", randomBytes(300_000), never),
    () => store.get("packs/x", never),
    () => store.get("packs/x", never, { offset: 1, length: 2 }),
    () => store.stat("packs/x", never),
    () => all(store.list("packs/", never)),
    () => store.delete("packs/x", never),
    () => store.probe(never),
  ];

  const allFail = async (store: Store, type: FailureType, withinMs: number): Promise<void> => {
    for (const call of everyCall(store)) {
      const start = performance.now();
      const failure = await fails(call(), type, secrets);
      assert.match(failure.message, new RegExp(`store "${store.name}"`));
      assert.ok(performance.now() - start < withinMs, `took ${performance.now() - start} ms: ${failure.message}`);
    }
  };

  contractTest("nothing listens: StoreUnreachable", async () => {
    await allFail(await openAt(await closedAddress(), { silenceMs: 5_000 }), "StoreUnreachable", 5_000);
  });

  contractTest("the server hangs: StoreUnreachable, within the time limit", async () => {
    await using server = await hangingServer();
    await allFail(await openAt(server.url, { silenceMs: 250 }), "StoreUnreachable", 6_000);
  });

  contractTest("the server answers 500: StoreUnreachable", async () => {
    await using server = await answeringServer(500);
    await allFail(await openAt(server.url, { silenceMs: 5_000 }), "StoreUnreachable", 5_000);
  });

  contractTest("the server answers 401 or 403: StoreRejected", async () => {
    for (const status of [401, 403]) {
      await using server = await answeringServer(status);
      await allFail(await openAt(server.url, { silenceMs: 5_000 }), "StoreRejected", 5_000);
    }
  });
};
