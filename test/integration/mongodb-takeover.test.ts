import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { snapshotObjects } from "../../core/catalog/snapshot-objects.ts";
import { noteSparsePacks } from "../../core/catalog/sparse-packs.ts";
import type { SparsePack } from "../../core/domain/retention-sparse.ts";
import type { BackupResult } from "../../core/domain/run.ts";
import { openTcpFront, type TcpFront } from "../sample/tcp-front.ts";
import { createTestSite, type TestSite } from "../sample/test-site.ts";
import { useStack } from "../stack/use-stack.ts";
import { ownDatabase, type Place } from "./mongodb-place.ts";

/** Collections that the change stream is silent about are not read again, through the whole of a backup, and come back with the rest. */
describe("unchanged collections of MongoDB", () => {
  let place: Place;
  let front: TcpFront;
  let site: TestSite;
  let first: BackupResult;
  let sentFirst: number;
  const documents = Array.from({ length: 8_000 }, (_, at) => ({ _id: at, text: `${at} `.repeat(100) }));
  const backup = async (...options: string[]): Promise<BackupResult> => {
    const { code, stdout, stderr } = await site.dbgov("backup", "shop", ...options, "--json");
    assert.equal(code, 0, `${stdout}${stderr}`);
    return JSON.parse(stdout) as BackupResult;
  };
  const readEverything = ({ bytes }: BackupResult): boolean => bytes.read > first.bytes.read * 0.99;

  before(async () => {
    const stack = await useStack("temporal", "postgres", "azurite", "ipfs", "anvil", "arlocal", "secantus");
    place = await ownDatabase("secantus");
    await place.db.collection<{ _id: number }>("big").insertMany(documents);
    await place.db.collection<{ _id: number }>("small").insertMany(documents.slice(0, 20));
    const { hostname, port } = new URL(place.url);
    front = await openTcpFront({ host: hostname, port: Number(port) });
    site = await createTestSite({
      name: "mongotake",
      stack,
      // Lest the driver goes where the replica set says that it is.
      databases: [{ name: "shop", engine: "mongodb", url: `mongodb://127.0.0.1:${front.port}/${place.name}?directConnection=true` }],
      policy: { stores: [], copies: 1, domains: 1, archive: [], fullReadEvery: 3 },
      change: (config) => {
        config.anchors = [];
      },
    });
    await site.worker();
    first = await backup();
    sentFirst = front.received();
  });
  after(async () => {
    await site?.close();
    await front?.close();
    await place?.[Symbol.asyncDispose]();
  });

  it("do not leave the database: under one byte in a hundred does", async () => {
    const quiet = await backup();
    const sent = front.received() - sentFirst;
    assert.ok(sentFirst > first.bytes.read, `${sentFirst} bytes left it on the first night, ${first.bytes.read} of them documents`);
    assert.ok(sent < sentFirst / 100, `${sent} of ${sentFirst} bytes left it again`);
    assert.equal(quiet.rows, first.rows);
    assert.ok(quiet.bytes.new < 1_000, "the definitions alone");
  });

  it("come back with what changed", async () => {
    await place.db.collection<{ _id: number }>("small").updateOne({ _id: 7 }, { $set: { text: "changed" } });
    const second = await backup();
    assert.equal(second.rows, first.rows);
    assert.ok(second.bytes.read < first.bytes.read / 50, `${second.bytes.read} of ${first.bytes.read} bytes were read`);
    await using target = await ownDatabase("secantus");
    const { code, stdout } = await site.dbgov("restore", second.snapshot, "--to", target.url, "--json");
    assert.equal(code, 0, stdout);
    assert.equal((JSON.parse(stdout) as { identical: boolean }).identical, true);
    assert.equal(await target.db.collection("big").countDocuments(), documents.length);
    assert.equal(await target.db.collection("small").countDocuments({ text: "changed" }), 1);
  });

  it("are read all the same when somebody asks for it, or when it is time to", async () => {
    assert.ok(readEverything(await backup("--full")));
    const nights: boolean[] = [];
    for (let night = 1; night <= 3; night += 1) nights.push(readEverything(await backup()));
    assert.deepEqual(nights, [false, false, true]);
  });

  it("are read once more when their pack is retiring, and lie in another one from then on", async () => {
    const catalog = await site.site.catalog();
    const { snapshot } = await backup("--full");
    const { packs } = await snapshotObjects(catalog, snapshot);
    const retiring = packs.map(
      ({ id, bytes }): SparsePack => ({ id, bytes, liveBytes: 1, neededBytes: 1, verdict: "rewrite", until: null }),
    );
    await noteSparsePacks(catalog, retiring, new Date());
    const moved = await backup();
    assert.ok(readEverything(moved));
    assert.ok(moved.bytes.new > first.bytes.new * 0.99, "what is in a retiring pack is not known any more");
    const old = new Set(packs.map(({ id }) => id));
    assert.deepEqual(
      (await snapshotObjects(catalog, moved.snapshot)).packs.filter(({ id }) => old.has(id)),
      [],
    );
    assert.ok(!readEverything(await backup()));
    await using target = await ownDatabase("secantus");
    const { code, stdout } = await site.dbgov("restore", moved.snapshot, "--to", target.url, "--json");
    assert.deepEqual([code, (JSON.parse(stdout) as { identical: boolean }).identical], [0, true], stdout);
  });
});
