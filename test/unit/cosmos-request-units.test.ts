import assert from "node:assert/strict";
import { test } from "node:test";
import { Worker } from "node:worker_threads";
import { type Budget, chargeOf, pageCharge, spend } from "../../core/databases/cosmos/request-units.ts";

const never = new AbortController().signal;
const moduleUrl = new URL("../../core/databases/cosmos/request-units.ts", import.meta.url).href;

/** Spends in two threads besides this one until all have spent; the milliseconds since 1970 at which each request began. */
const spendInThreads = async (budget: Budget, times: number, charge: number): Promise<number[]> => {
  const code = `
    const { spend } = await import(${JSON.stringify(moduleUrl)});
    const { parentPort } = await import("node:worker_threads");
    const began = [];
    await Promise.all(Array.from({ length: ${times} }, () => spend(${JSON.stringify(budget)}, new AbortController().signal, async () => {
      began.push(Date.now());
      return { charge: ${charge}, outcome: () => undefined };
    })));
    parentPort.postMessage(began);`;
  const inThread = () =>
    new Promise<number[]>((resolve, reject) => {
      const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(code)}`), {
        execArgv: ["--disable-warning=ExperimentalWarning"],
      });
      worker.once("message", resolve).once("error", reject);
    });
  const here: number[] = [];
  const own = Promise.all(
    Array.from({ length: times }, () =>
      spend(budget, never, async () => {
        here.push(Date.now());
        return { charge, outcome: () => undefined };
      }),
    ),
  );
  const [one, other] = await Promise.all([inThread(), inThread(), own]);
  return [...one, ...other, ...here].sort((a, b) => a - b);
};

test("all threads of a process keep one budget", async () => {
  const budget = { name: "test of threads", perSecond: 1_000 };
  // Four lanes; each request pays 20 ms of its lane: 30 requests of 5 units are 150 units.
  const began = await spendInThreads(budget, 10, 5);
  const spanMs = began.at(-1)! - began[0]!;
  const spent = 5 * (began.length - 4);
  assert.ok(spanMs >= spent - 10, `${spent} units within ${spanMs} ms`);
});

test("a failure pays nothing and frees its lane, what failed with a charge pays it, and a wait ends when told to", async () => {
  const budget = { name: "test of failures", perSecond: 100 };
  await assert.rejects(
    spend(budget, never, () => Promise.reject(new Error("lost"))),
    /lost/,
  );
  const refused = () => {
    throw new Error("refused");
  };
  const started = performance.now();
  await assert.rejects(
    spend(budget, never, async () => ({ charge: 10, outcome: refused })),
    /refused/,
  );
  await spend(budget, never, async () => ({ charge: 5, outcome: () => "done" }));
  assert.ok(performance.now() - started >= 95);
  const stop = new AbortController();
  const waiting = spend(budget, stop.signal, async () => ({ charge: 1, outcome: () => "never" }));
  stop.abort(new Error("stopped"));
  await assert.rejects(waiting, /stopped/);
});

test("a charge that is none is told by size", () => {
  assert.equal(chargeOf("2.86", 10_000, false), 2.86);
  for (const nonsense of [null, "", "-1", "NaN", "1e300", "x"]) {
    assert.equal(chargeOf(nonsense, 10_000, false), 10);
    assert.equal(chargeOf(nonsense, 1_500, true), 20);
  }
  assert.equal(pageCharge({ name: "", perSecond: 4 }), 1);
});
