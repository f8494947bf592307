import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, open, readdir, readlink, rm, stat, truncate, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { after, describe, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { openDirectoryStore } from "../../core/stores/directory.ts";
import { onTheSameDisk } from "../../core/stores/shared-disks.ts";
import type { Store, StoreOptions } from "../../core/stores/store.ts";
import { storeContract } from "./store-contract.ts";
import { all, fails, never } from "./store-expectations.ts";

const base = await mkdtemp(join(tmpdir(), "dbgov-directory-"));
after(() => rm(base, { recursive: true, force: true }));

const freshPath = async (): Promise<string> => join(await mkdtemp(join(base, "store-")), "made/by the store");
const openIn = (path: string, options?: StoreOptions): Store =>
  openDirectoryStore({ kind: "directory", name: "disk", domain: "here", path }, options);
const unfinishedIn = (path: string): Promise<string[]> => readdir(join(path, ".dbgov-unfinished")).catch(() => []);

describe("directory store", () => {
  storeContract({ open: async (options) => openIn(await freshPath(), options), secrets: [], listed: 200, large: 32 << 20 });

  /** A file system of one MiB, where this machine lets us mount one. */
  const smallDisk = async (t: { skip: (why: string) => void; after: (work: () => void) => void }): Promise<string | undefined> => {
    const path = await mkdtemp(join(base, "mount-"));
    try {
      execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", path], { stdio: "pipe" });
    } catch {
      t.skip("mounting is not permitted here");
      return undefined;
    }
    t.after(() => void execFileSync("umount", [path]));
    return path;
  };

  test("a writer that is killed in the middle leaves no object; what it left is removed later", async () => {
    const path = await freshPath();
    const module = new URL("../../core/stores/directory.ts", import.meta.url).href;
    const script = `
      import { openDirectoryStore } from ${JSON.stringify(module)};
      const store = openDirectoryStore({ kind: "directory", name: "disk", domain: "here", path: ${JSON.stringify(path)} });
      await store.put("packs/killed", Buffer.alloc(512 << 20, 7), new AbortController().signal);
      console.log("finished");`;
    const writer = spawn(process.execPath, ["--input-type=module", "--eval", script], { stdio: ["ignore", "pipe", "inherit"] });
    while ((await unfinishedIn(path)).length === 0 && writer.exitCode === null) await pause(1);
    writer.kill("SIGKILL");
    await once(writer, "exit");
    assert.equal(writer.signalCode, "SIGKILL", "the writer finished before it was killed");

    const store = openIn(path);
    assert.equal(await store.stat("packs/killed", never), undefined);
    await fails(store.get("packs/killed", never), "ObjectMissing");
    assert.deepEqual(await all(store.list("", never)), []);
    const [leftover] = await unfinishedIn(path);
    assert.ok(leftover !== undefined);

    await store.put("packs/other", Buffer.from("x"), never);
    assert.deepEqual(await unfinishedIn(path), [leftover], "a file that may belong to a living writer stays");
    const longAgo = new Date(Date.now() - 2 * 3_600_000);
    await utimes(join(path, ".dbgov-unfinished", leftover), longAgo, longAgo);
    await store.probe(never);
    assert.deepEqual(await unfinishedIn(path), []);
  });

  test("a put flushes the file before it has its name, and the folders after that; a deletion flushes the folder", async (t) => {
    const path = await freshPath();
    const target = join(path, "packs/ab/flushed");
    const some = await open(base, "r");
    const prototype = Object.getPrototypeOf(some) as typeof some;
    await some.close();
    const flushed: string[] = [];
    const real = prototype.sync;
    t.mock.method(prototype, "sync", async function (this: typeof some) {
      // Linux tells what a handle stands for.
      const what = await readlink(`/proc/self/fd/${this.fd}`);
      const there = await stat(target).then(
        () => "after",
        () => "before",
      );
      flushed.push(`${what.includes("unfinished/") ? "the bytes" : relative(base, what).replace(/^store-\w+/, "store")} ${there}`);
      return real.call(this);
    });
    const store = openIn(path);
    await store.put("packs/ab/flushed", Buffer.from("x"), never);
    const bytes = flushed.indexOf("the bytes before");
    assert.ok(bytes >= 0, flushed.join("\n"));
    assert.deepEqual(flushed.slice(bytes + 1).sort(), [
      "store/made/by the store before",
      "store/made/by the store/packs before",
      "store/made/by the store/packs/ab after",
    ]);
    assert.ok(flushed.indexOf("store before") < bytes, "folders that were made above it were flushed too");
    flushed.length = 0;
    await store.delete("packs/ab/flushed", never);
    assert.deepEqual(flushed, ["store/made/by the store/packs/ab before"]);
  });

  test("a second folder is another domain only on another file system", async (t) => {
    const disk = await smallDisk(t);
    const [first, second] = await Promise.all([freshPath(), freshPath()]);
    for (const path of [first, second, ...(disk === undefined ? [] : [disk])]) await openIn(path).put("packs/x", Buffer.from("x"), never);
    const config = (name: string, domain: string, path: string) => ({ kind: "directory" as const, name, domain, path });
    const mine = config("first", "here", first);
    const others = [mine, config("second", "there", second), config("shared", "here", second), config("none", "there", join(base, "none"))];
    assert.deepEqual(await onTheSameDisk(mine, others), ["second"]);
    assert.deepEqual(await onTheSameDisk(config("none", "nowhere", join(base, "none")), others), []);
    if (disk !== undefined) assert.deepEqual(await onTheSameDisk(mine, [config("other-disk", "there", disk)]), []);
    await rm(first, { recursive: true });
    await fails(openIn(first, { create: false }).get("packs/x", never), "StoreUnreachable");
    assert.equal((await openIn(second).get("packs/x", never)).length, 1);
  });

  test("a file that was cut short is ObjectCorrupt where bytes are missing", async () => {
    const path = await freshPath();
    const store = openIn(path);
    await store.put("packs/cut", Buffer.alloc(1_000, 1), never);
    await truncate(join(path, "packs/cut"), 400);
    assert.equal((await store.stat("packs/cut", never))?.bytes, 400);
    assert.equal((await store.get("packs/cut", never, { offset: 0, length: 400 })).length, 400);
    const failure = await fails(store.get("packs/cut", never, { offset: 300, length: 200 }), "ObjectCorrupt");
    assert.match(failure.message, /packs\/cut is 400 bytes/);
  });

  test("a folder that does not exist is not an empty store to who may not create it", async () => {
    const store = openIn(join(base, "mistyped"), { create: false });
    await fails(store.get("config", never), "StoreUnreachable");
    await fails(store.stat("config", never), "StoreUnreachable");
    await fails(all(store.list("", never)), "StoreUnreachable");
    await fails(store.put("config", Buffer.from("x"), never), "StoreUnreachable");
  });

  test("a file in the way is StoreRejected", async () => {
    const path = join(await mkdtemp(join(base, "store-")), "file");
    await writeFile(path, "not a folder");
    await fails(openIn(path).put("packs/x", Buffer.from("x"), never), "StoreRejected");
    const store = openIn(await freshPath());
    await store.put("packs/x", Buffer.from("x"), never);
    await fails(store.put("packs", Buffer.from("x"), never), "StoreRejected");
    await fails(store.put("packs/x/y", Buffer.from("x"), never), "StoreRejected");
    await fails(store.get("packs", never), "ObjectMissing");
  });

  test("a full disk is StoreFull, and nothing half-written stays", async (t) => {
    const path = await smallDisk(t);
    if (path === undefined) return;
    const store = openIn(path);
    await store.put("packs/small", Buffer.alloc(100_000), never);
    const failure = await fails(store.put("packs/large", Buffer.alloc(2 << 20), never), "StoreFull");
    assert.match(failure.message, /store "disk" \(.*\): put of packs\/large: no space is left/);
    assert.deepEqual(
      (await all(store.list("", never))).map(({ key }) => key),
      ["packs/small"],
    );
    assert.deepEqual(await unfinishedIn(path), []);
    await store.put("packs/fits", Buffer.alloc(100_000), never);
  });

  test("a read-only file system is StoreRejected", async (t) => {
    const path = await smallDisk(t);
    if (path === undefined) return;
    await openIn(path).put("packs/old", Buffer.from("x"), never);
    execFileSync("mount", ["-o", "remount,ro", path]);
    await fails(openIn(path).put("packs/new", Buffer.from("x"), never), "StoreRejected");
    await fails(openIn(path).delete("packs/old", never), "StoreRejected");
    assert.equal((await openIn(path).get("packs/old", never)).length, 1);
  });
});
