import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { describe, it } from "node:test";
import { useStack } from "../stack/use-stack.ts";
import { every, findingOf, resultsOf, sweep } from "./compliance-postgres-sweep.ts";

describe("a sweep that cannot reach the database", () => {
  it("is inconclusive in everything, with the cause and without the password", async () => {
    const { postgres } = await useStack("postgres");
    const url = new URL(postgres.url);
    url.password = "wrong-and-secret";
    const report = await sweep(url.href);
    assert.deepEqual(resultsOf(report), every("inconclusive"));
    assert.match(findingOf(report, "postgres-version").reason, /rejected the user or the password \(28P01\)/);
    assert.ok(!JSON.stringify(report).includes("wrong-and-secret"));
    assert.deepEqual(resultsOf(await sweep("postgres://u:p@127.0.0.1:1/x")), every("inconclusive"));
    assert.deepEqual(resultsOf(await sweep("not a url")), every("inconclusive"));
  });

  it("is inconclusive when the URL could not be read", async () => {
    const report = await sweep("", { databases: [{ name: "shop", engine: "postgres", url: null }] });
    assert.deepEqual(resultsOf(report), every("inconclusive"));
  });

  it("waits for a silent server no longer than the limit, and stops at once when it is cancelled", async () => {
    const silent = createServer((socket) => socket.on("error", () => undefined));
    silent.listen(0, "127.0.0.1");
    await once(silent, "listening");
    const url = `postgres://u:p@127.0.0.1:${(silent.address() as AddressInfo).port}/x`;
    try {
      const report = await sweep(url, { timeLimitMs: 200 });
      assert.match(findingOf(report, "postgres-version").reason, /Connecting took longer than 0.2 s/);
      assert.deepEqual(resultsOf(report), every("inconclusive"));
      const reason = new Error("cancelled");
      const signal = AbortSignal.timeout(100);
      const controller = new AbortController();
      signal.addEventListener("abort", () => controller.abort(reason));
      await assert.rejects(sweep(url, { signal: controller.signal }), (error) => error === reason);
    } finally {
      silent.close();
      silent.unref();
    }
  });
});
