import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { libpqEnvironment, parseAddress } from "../../core/databases/postgres/address.ts";
import { postgres } from "../../core/databases/postgres/postgres.ts";
import { collect, never, restore, type Server, useServer } from "./postgres-support.ts";

describe("a capture while pgbench runs", () => {
  let server: Server;
  let url: string;
  before(async () => {
    server = await useServer();
    url = await server.database("bench");
    await server.run("pgbench", url, "--initialize", "--scale=2", "--quiet");
  });
  after(() => server.cleanUp());

  it("holds its invariant: all sums of the copy are the same, with many parts in flight", { timeout: 120_000 }, async () => {
    const load: ChildProcess = spawn(join(server.bin, "pgbench"), ["--client=4", "--time=100", "--no-vacuum"], {
      env: libpqEnvironment(parseAddress(url)),
      stdio: "ignore",
    });
    const ended = once(load, "exit");
    try {
      const history = async (): Promise<number> =>
        (await server.sql<{ n: number }>(url, "SELECT count(*)::int AS n FROM pgbench_history"))[0]!.n;
      for (const until = Date.now() + 20_000; (await history()) < 50; ) assert.ok(Date.now() < until, "pgbench does nothing");
      const hold = await postgres.hold(url, never);
      const plan = await postgres.plan(url, hold.token, { partBytes: 256 << 10 }, never);
      assert.ok(plan.streams.flatMap(({ parts }) => parts).length > 80);
      const before = await history();
      const readAll = (stream: (typeof plan.streams)[number]) =>
        Promise.all(stream.parts.map((part) => collect(postgres.read(url, hold.token, stream, part, never))));
      const contents = await Promise.all(plan.streams.map(readAll));
      for (const until = Date.now() + 20_000; (await history()) === before; )
        assert.ok(Date.now() < until, "nothing was written meanwhile");
      await hold.close();
      const copy = await server.database("bench_copy");
      await restore(copy, { plan, parts: new Map(plan.streams.map(({ name }, index) => [name, contents[index]!])) });
      const [sums] = await server.sql<Record<"branches" | "tellers" | "accounts" | "history", string>>(
        copy,
        `SELECT (SELECT sum(bbalance) FROM pgbench_branches) AS branches, (SELECT sum(tbalance) FROM pgbench_tellers) AS tellers,
           (SELECT sum(abalance) FROM pgbench_accounts) AS accounts, (SELECT sum(delta) FROM pgbench_history) AS history`,
      );
      assert.notEqual(sums!.history, null);
      assert.deepEqual(new Set(Object.values(sums!)).size, 1, JSON.stringify(sums));
    } finally {
      load.kill("SIGTERM");
      await ended;
    }
  });
});
