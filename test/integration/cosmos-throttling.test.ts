import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import { cosmos } from "../../core/databases/cosmos/cosmos.ts";
import { isFailure } from "../../core/domain/failure.ts";
import {
  capture,
  connectionString,
  definitionsOf,
  never,
  ownDatabase,
  type Place,
  pieces,
  restoreAll,
  rowsOf,
  sortedDocuments,
} from "./cosmos-place.ts";
import { type Injected, openThrottlingProxy, type Seen, type ThrottlingProxy } from "./cosmos-throttling-proxy.ts";

const isDocs = ({ path }: Seen): boolean => path.endsWith("/docs");
const documents = Array.from({ length: 120 }, (_, n) => ({ id: `d${n}`, p: n % 4, text: "x".repeat(200) }));

describe("a Cosmos DB account that throttles and fails", () => {
  let place: Place;
  let proxy: ThrottlingProxy;
  const url = (share = 1): string => connectionString(proxy.endpoint, place.key, place.database.id, share);

  before(async () => {
    place = await ownDatabase();
    await place.container({ id: "orders", partitionKey: { paths: ["/p"] } }, documents);
  });
  after(() => place?.[Symbol.asyncDispose]());
  beforeEach(async () => {
    proxy = await openThrottlingProxy(place.endpoint);
  });
  const closing = async (work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } finally {
      await proxy[Symbol.asyncDispose]();
    }
  };
  const idsOf = (content: Buffer) => sortedDocuments(content).map((document) => (JSON.parse(document) as { id: string }).id);
  const all = documents.map(({ id }) => id).sort();

  it("is asked again after exactly what it says, and gives every document once", () =>
    closing(async () => {
      let refused = 0;
      const again: number[] = [];
      let last: number | undefined;
      proxy.inject(({ at, number }) => {
        if (last !== undefined) again.push(at - last);
        last = undefined;
        // A storm: two of three are refused.
        if (number % 3 === 0) return undefined;
        refused += 1;
        last = at;
        return {
          status: 429,
          headers: { "x-ms-retry-after-ms": "40", "x-ms-request-charge": "0.38" },
          body: { code: "429", message: "Request rate is large" },
        };
      });
      const waits: string[] = [];
      const { streams } = await capture(url(), (why) => waits.push(why));
      assert.deepEqual(idsOf(rowsOf(streams)[0]!.content), all);
      assert.ok(waits.length > 0 && waits.every((why) => why === "throttled by the account"), "progress says so");
      assert.ok(refused > 20, `${refused} were refused`);
      assert.ok(Math.min(...again) >= 39, `asked again after ${Math.min(...again)} ms`);
    }));

  it("is asked for pages that fit the budget, which is kept to over the whole run and over each second", () =>
    closing(async () => {
      // A share of 0.2 of the 1,000 that are assumed: 200 a second. Each document costs 2.
      const charges: { at: number; charge: number }[] = [];
      proxy.inject((seen) => {
        if (!isDocs(seen)) return { charge: "1" };
        const charge = 2 * Math.min(documents.length, Number(seen.headers["x-ms-max-item-count"]));
        charges.push({ at: seen.at, charge });
        return { charge: String(charge) };
      });
      const { streams } = await capture(url(0.2));
      assert.deepEqual(idsOf(rowsOf(streams)[0]!.content), all);
      // The first ones ask for the change feed, and count.
      const pages = charges.slice(charges.findIndex(({ charge }) => charge > 2));
      assert.ok(pages.length >= 8, `${pages.length} pages`);
      for (const { charge } of pages.slice(1)) assert.ok(charge <= 20, `a page cost ${charge}`);
      for (const { at } of pages) {
        const second = pages.filter((page) => page.at >= at && page.at < at + 1_000).reduce((sum, { charge }) => sum + charge, 0);
        assert.ok(second <= 200, `${second} request units within a second`);
      }
    }));

  it("that tells nonsense of charges is charged by size", () =>
    closing(async () => {
      const nonsense = ["-5", "NaN", "1e300", "", null, "free"];
      proxy.inject(({ number }) => ({ charge: nonsense[number % nonsense.length]! }));
      const started = performance.now();
      const { streams } = await capture(url());
      assert.deepEqual(idsOf(rowsOf(streams)[0]!.content), all);
      assert.ok(performance.now() - started < 10_000, "an absurd charge is not waited for");
    }));

  it("that fails for a moment is asked again: 503, 449, and connections that break before and amid a reply", () =>
    closing(async () => {
      const breaks: Readonly<Record<number, Injected>> = {
        1: { status: 503 },
        2: { disconnect: "amid" },
        5: { disconnect: "before" },
        7: { status: 449 },
        9: { disconnect: "amid" },
        13: { status: 503 },
      };
      proxy.inject(({ number }) => breaks[number]);
      const { streams } = await capture(url());
      assert.deepEqual(idsOf(rowsOf(streams)[0]!.content), all);
      const captured = proxy.seen.length;
      assert.ok(captured > 13, `${captured} requests`);
      await using target = await ownDatabase();
      proxy.inject(({ number, method, path }) => (method === "POST" && path.endsWith("/colls") ? undefined : breaks[number - captured]));
      const { back } = await restoreAll(connectionString(proxy.endpoint, target.key, target.database.id), streams);
      assert.deepEqual(idsOf(back.get("orders")!), all);
    }));

  it("that stays away is unreachable, with a word on the account and without the key", () =>
    closing(async () => {
      proxy.inject(() => ({ disconnect: "before" }));
      await assert.rejects(cosmos.hold(url(), never), (error: unknown) => {
        assert.ok(isFailure(error, "DatabaseUnreachable"), String(error));
        assert.match(error.message, /^Cosmos DB at 127\.0\.0\.1:\d+\/t[0-9a-f]+, connecting: the account does not answer \(\w+\)\.$/);
        return true;
      });
    }));

  const refusals = [
    [401, "The input authorization token can't serve the request. Payload was 'get'.", "AuthenticationRejected", /rejected the key/],
    [
      403,
      "Request originated from IP 10.0.0.1 through public internet. This is blocked by your account firewall settings.",
      "DatabaseUnreachable",
      /firewall/,
    ],
    [403, "The authorization token is not valid at the current time.", "AuthenticationRejected", /clock/],
    [403, "The given request [POST] cannot be authorized by AAD token.", "PermissionMissing", /does not allow/],
    [404, "Owner resource does not exist", "DatabaseMissing", /no database of that name/],
    [
      400,
      'Message: {"Errors":["One of the inputs is wrong"]} ActivityId: 1, Request URI: /x',
      "Unexpected",
      /status 400, One of the inputs is wrong\.$/,
    ],
  ] as const;
  for (const [status, message, type, words] of refusals)
    it(`that answers ${status} is told as ${type}`, () =>
      closing(async () => {
        proxy.inject(() => ({ status, body: { code: "x", message } }));
        await assert.rejects(cosmos.hold(url(), never), (error: unknown) => {
          assert.ok(isFailure(error, type), String(error));
          assert.match(error.message, words);
          assert.ok(!error.message.includes(place.key));
          return true;
        });
      }));

  it("gives up promptly when told to, in the middle of a wait", () =>
    closing(async () => {
      const stopping = new AbortController();
      proxy.inject((seen) => {
        if (!isDocs(seen)) return undefined;
        stopping.abort(new Error("stopped"));
        return { status: 429, headers: { "x-ms-retry-after-ms": "60000" } };
      });
      const started = performance.now();
      await assert.rejects(cosmos.plan(url(), "", { partBytes: 1 }, stopping.signal), /stopped/);
      assert.ok(performance.now() - started < 5_000);
    }));

  it("loses documents between two pages: what is still there is read, and nothing twice", () =>
    closing(async () => {
      await using changing = await ownDatabase();
      await changing.container({ id: "orders", partitionKey: { paths: ["/p"] } }, documents);
      const own = connectionString(proxy.endpoint, changing.key, changing.database.id, 0.1);
      const plan = await cosmos.plan(own, "", { partBytes: 1 }, never);
      const stream = plan.streams[1]!;
      proxy.inject((seen) => (isDocs(seen) ? { charge: "10" } : undefined));
      const blocks: Buffer[] = [];
      const container = changing.database.container("orders");
      for await (const block of cosmos.read(own, "", stream, stream.parts[0]!, never)) {
        blocks.push(Buffer.from(block));
        if (blocks.length > 1) continue;
        for (let n = 0; n < 120; n += 2) await container.item(`d${n}`, n % 4).delete();
        await container.items.create({ id: "late", p: 1 });
      }
      const ids = idsOf(Buffer.concat(blocks));
      assert.ok(blocks.length > 1, "it took several pages");
      assert.equal(new Set(ids).size, ids.length);
      for (let n = 1; n < 120; n += 2) assert.ok(ids.includes(`d${n}`), `d${n} was there all the time`);
    }));

  it("loses a container amid its capture: one clear failure", () =>
    closing(async () => {
      await using changing = await ownDatabase();
      await changing.container({ id: "orders", partitionKey: { paths: ["/p"] } }, documents);
      const own = connectionString(proxy.endpoint, changing.key, changing.database.id, 0.1);
      const plan = await cosmos.plan(own, "", { partBytes: 1 }, never);
      const stream = plan.streams[1]!;
      const read = async (): Promise<void> => {
        for await (const _ of cosmos.read(own, "", stream, stream.parts[0]!, never)) {
          await changing.database.container("orders").delete();
          await changing.container({ id: "orders", partitionKey: { paths: ["/p"] } });
        }
      };
      await assert.rejects(
        read(),
        (error: unknown) => isFailure(error, "SourceChanged") && /"orders" .* was (deleted|replaced)/.test(error.message),
      );
    }));

  it("refuses a document in a restore: it is named by the container, and the restore fails", () =>
    closing(async () => {
      const { streams } = await capture(place.url);
      await using target = await ownDatabase();
      const own = connectionString(proxy.endpoint, target.key, target.database.id);
      proxy.inject((seen) =>
        isDocs(seen) && seen.method === "POST" ? { status: 409, body: { message: "Unique index constraint violation." } } : undefined,
      );
      const restoration = await cosmos.restore(own, { replace: false, definitions: definitionsOf(streams), parallelism: 1 }, never);
      await restoration.prepare();
      const [rows] = rowsOf(streams);
      await assert.rejects(restoration.write(rows!, pieces(rows!.content)), (error: unknown) => {
        assert.ok(isFailure(error, "RestoreFailed"), String(error));
        assert.match(error.message, /writing "orders": status 409, Unique index constraint violation\.$/);
        return true;
      });
      await restoration.close();
    }));
});
