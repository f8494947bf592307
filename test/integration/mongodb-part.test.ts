import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { promisify } from "node:util";
import { MongoClient } from "mongodb";
import { mongodb } from "../../core/databases/mongodb/mongodb.ts";
import { exportSnapshot } from "../../core/snapshot/export-snapshot.ts";
import { planRestore } from "../../core/snapshot/plan-restore.ts";
import { type RestoreJob, restoreSnapshot } from "../../core/snapshot/restore-snapshot.ts";
import type { SnapshotSource } from "../../core/snapshot/snapshot-reader.ts";
import { findProgram } from "../stack/programs.ts";
import { progressToStderr } from "../stack/progress.ts";
import { useStack } from "../stack/use-stack.ts";
import { capture, definitionsOf, ownDatabase, type Place, rowsOf, sortedDocuments } from "./mongodb-place.ts";
import { startRestore } from "./restore-process.ts";
import { jobContext, openRepository } from "./stored-snapshot.ts";

describe("a MongoDB snapshot in part, resumed, and as files", () => {
  let source: Place;
  let snapshot: SnapshotSource;
  let repository: Awaited<ReturnType<typeof openRepository>>;
  let folder: string;
  const odd = "odd name+é(1)";

  before(async () => {
    source = await ownDatabase();
    repository = await openRepository();
    folder = await mkdtemp(join(tmpdir(), "dbgov-export-"));
    const documents = Array.from({ length: 3_000 }, (_, n) => ({ _id: n as never, text: `document ${n} ${"x".repeat(n % 300)}` }));
    await source.db.collection("orders").insertMany(documents);
    await source.db.collection("orders").createIndex({ text: 1 }, { name: "by text" });
    await source.db.collection("customers").insertMany(documents.slice(0, 10));
    await source.db.collection(odd).insertMany(documents.slice(0, 5));
    snapshot = await repository.capture("mongodb", source.url, 100_000);
  });
  after(async () => {
    await source?.[Symbol.asyncDispose]();
    await repository?.remove();
    await rm(folder, { recursive: true, force: true });
  });

  const job = (url: string, only: string[] = [], except: string[] = [], more: Partial<RestoreJob> = {}): RestoreJob => ({
    ...snapshot,
    ...{ engine: "mongodb", url, replace: false, parallelism: 2, choice: { only, except }, progress: { resume: false } },
    ...more,
  });
  const restore = (...args: Parameters<typeof job>) => restoreSnapshot(job(...args), jobContext());
  const collections = async ({ db }: Place): Promise<string[]> => (await db.listCollections().toArray()).map(({ name }) => name).sort();
  const sameAsSource = async (target: Place): Promise<void> => {
    const [there, here] = [await capture(source.url), await capture(target.url)];
    for (const { name, content } of rowsOf(there))
      assert.deepEqual(sortedDocuments(rowsOf(here).find((stream) => stream.name === name)!.content), sortedDocuments(content), name);
    assert.equal(definitionsOf(here)[0]!.content.toString(), definitionsOf(there)[0]!.content.toString());
  };

  it("goes beside what is there, refuses a collection that is there, and replaces just that", async () => {
    await using target = await ownDatabase();
    await target.db.collection<{ _id: number }>("mine").insertOne({ _id: 1 });
    const first = await restore(target.url, ["cust*"]);
    assert.deepEqual([first.identical, first.rows, await collections(target)], [true, 10, ["customers", "mine"]]);
    await assert.rejects(restore(target.url, ["customers", "orders"]), { type: "TargetNotEmpty", message: /"customers"/ });
    await target.db.collection("customers").deleteMany({});
    const again = await restore(target.url, ["customers", "orders"], [], { replace: true });
    assert.deepEqual([again.identical, again.rows, await collections(target)], [true, 3010, ["customers", "mine", "orders"]]);
    await assert.rejects(restore(target.url, ["ordres"]), { type: "NameUnknown", message: /nearest: orders/ });
  });

  it("leaves out what is excepted, and says what it would do", async () => {
    await using target = await ownDatabase();
    const plan = await planRestore(job(target.url, [], ["orders"]), jobContext());
    assert.deepEqual([plan.problem, plan.rows, plan.creates], [null, 15, [{ kind: "collection", count: 2 }]]);
    assert.deepEqual(await collections(target), []);
    const result = await restore(target.url, [], ["orders"]);
    assert.deepEqual([result.identical, await collections(target)], [true, ["customers", odd]]);
    assert.equal((await planRestore(job(target.url), jobContext())).problem?.type, "TargetNotEmpty");
  });

  it("goes on where a process was killed, and writes nothing twice", async () => {
    await using target = await ownDatabase();
    assert.equal(await startRestore(job(target.url, [], [], { parallelism: 1 }), ({ rows }) => rows > 1_000), "SIGKILL");
    await assert.rejects(restore(target.url), { type: "TargetNotEmpty", message: /unfinished restore of this very snapshot/ });
    const half = await mongodb.plan(target.url, "none", { partBytes: 1 << 20 }, new AbortController().signal);
    assert.ok(half.notes.includes("A restore into this database is not finished: what it should hold may be missing."), half.notes.join());
    assert.deepEqual(
      half.streams.filter(({ name }) => name.startsWith("dbgov")),
      [],
    );
    assert.ok(!JSON.stringify(half.streams).includes("dbgov_restore"), "the definitions would bring its mark");
    await assert.rejects(restore(target.url, ["orders"], [], { progress: { resume: true } }), {
      type: "UsageInvalid",
      message: /nothing to resume/,
    });
    const plan = await planRestore(job(target.url, [], [], { progress: { resume: true } }), jobContext());
    assert.match(plan.notes.join(), /has written \d+ parts/);
    const result = await restore(target.url, [], [], { progress: { resume: true } });
    assert.ok(result.resumed.rows > 1_000 && result.resumed.rows < 3_015, String(result.resumed.rows));
    assert.deepEqual([result.identical, result.rows], [true, 3_015]);
    await sameAsSource(target);
  });

  it("is restored by mongorestore", async () => {
    const result = await exportSnapshot(
      { ...snapshot, folder: join(folder, "dump"), parallelism: 2, choice: { only: [], except: [] } },
      jobContext(),
    );
    const program = await findProgram("mongorestore", progressToStderr);
    const load = async (url: string, ...more: string[]): Promise<void> => {
      const [command, ...args] = result.load.replace("TARGET_URL", url).split(" ");
      assert.equal(command, "mongorestore");
      await promisify(execFile)(program, [...args, ...more]);
    };
    // FerretDB does not take the word that mongorestore adds to each index.
    await using target = await ownDatabase();
    await load(target.url, "--noIndexRestore");
    await target.db.collection("orders").createIndex({ text: 1 }, { name: "by text" });
    await sameAsSource(target);
    const other = new URL((await useStack("secantus")).secantus.url);
    other.pathname = `/${target.name}`;
    await load(other.href);
    await using client = new MongoClient(other.href);
    const indexes = await client.db().collection("orders").indexes();
    assert.deepEqual(indexes.map(({ name }) => name).sort(), ["_id_", "by text"]);
    assert.equal(await client.db().collection(odd).countDocuments(), 5);
    await client.db().dropDatabase();
    const metadata = JSON.parse(await readFile(join(folder, "dump", source.name, "orders.metadata.json"), "utf8"));
    assert.deepEqual(
      metadata.indexes.map(({ name }: { name: string }) => name),
      ["_id_", "by text"],
    );
  });
});
