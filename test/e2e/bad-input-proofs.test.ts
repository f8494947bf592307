import assert from "node:assert/strict";
import { readdir, readFile, rename, rm, truncate, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { after, before, describe, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import type { ProofBundle } from "../../core/ledger/verify/audit.ts";
import { formatNoteKey } from "../../core/ledger/verify/note.ts";
import type { Trust } from "../../core/ledger/verify/trust.ts";
import { signerFromSeed } from "../../core/repository/signing.ts";
import { createDatabase, createTestSite, databaseOf, runSql, type TestSite } from "../sample/test-site.ts";
import { openSiteCli, type WatchedCli } from "../sample/watched-cli.ts";
import { useStack } from "../stack/use-stack.ts";

type Changeable<T> = { -readonly [K in keyof T]: Changeable<T[K]> };

/** What an auditor may be handed: bundles, trust policies and a log that someone has worked on. */
describe("bad input: proofs", () => {
  const startStack = () => useStack("temporal", "postgres", "azurite", "ipfs", "anvil", "arlocal");
  let stack: Awaited<ReturnType<typeof startStack>>;
  let test: TestSite;
  let cli: WatchedCli;
  let source: string;
  let snapshot: string;
  let bundle: ProofBundle;
  let trust: Trust;

  before(async () => {
    stack = await startStack();
    source = await createDatabase(stack, "proofs_source");
    await runSql(source, "CREATE TABLE orders AS SELECT n FROM generate_series(1, 20) n");
    test = await createTestSite({
      name: "proofs",
      stack,
      databases: [{ name: "shop", engine: "postgres", url: source }],
      policy: { stores: [], copies: 1, domains: 1, archive: [] },
    });
    cli = await openSiteCli(test);
    await test.worker();
    snapshot = (await test.backup("shop")).snapshot;
    for (const deadline = Date.now() + 60_000; ; await delay(200)) {
      const { json } = await cli.json("snapshots", snapshot);
      if (json.states.some(({ state }: { state: string }) => state === "anchored")) break;
      assert.ok(Date.now() < deadline, "the snapshot is not anchored");
    }
    assert.equal((await cli.run("proof", snapshot, "--out", "good.json", "--trust", "trust.json")).code, 0);
    bundle = JSON.parse(await readFile(at("good.json"), "utf8"));
    trust = JSON.parse(await readFile(at("trust.json"), "utf8"));
  });
  after(async () => {
    await test?.close();
    await runSql(stack.postgres.url, `DROP DATABASE IF EXISTS ${databaseOf(source)} WITH (FORCE)`);
  });

  const at = (name: string): string => join(dirname(test.config), name);
  const flipHex = (text: string): string => text.slice(0, -1) + (text.endsWith("0") ? "1" : "0");
  /** Audits a changed copy, and expects exit code 5 with a failure of this part. */
  const refutes = async (
    part: RegExp,
    changeBundle: (copy: Changeable<ProofBundle>) => void,
    changeTrust: (copy: Changeable<Trust>) => void = () => {},
  ) => {
    const copies = [structuredClone(bundle) as Changeable<ProofBundle>, structuredClone(trust) as Changeable<Trust>] as const;
    changeBundle(copies[0]);
    changeTrust(copies[1]);
    await writeFile(at("bundle.json"), JSON.stringify(copies[0]));
    await writeFile(at("policy.json"), JSON.stringify(copies[1]));
    const { code, json } = await cli.json("audit", "bundle.json", "--trust", "policy.json");
    assert.deepEqual([code, json.verified], [5, false]);
    const failures = json.failures.map(({ part, reason }: { part: string; reason: string }) => `${part} ${reason}`);
    assert.ok(
      failures.some((text: string) => part.test(text)),
      failures.join("\n"),
    );
  };
  const nothing = (): void => {};

  it("the bundle is good before anybody works on it", async () => {
    const { code, json } = await cli.json("audit", "good.json", "--trust", "trust.json");
    assert.deepEqual([code, json.verified, json.failures], [0, true, []]);
  });

  it("an altered bundle: each part is named", async () => {
    await refutes(/^entry|^inclusion/, (copy) => Object.assign(copy.entry, { time: "2020-01-01T00:00:00.000Z" }));
    const seen = await cli.run("audit", "bundle.json", "--trust", "policy.json");
    assert.equal(seen.code, 5);
    assert.match(seen.stdout, /^✗ bundle\.json is not verified\n(?: {2}.*\n)* {2}✗ /);
    await refutes(/^inclusion/, (copy) => {
      copy.index += 1;
    });
    await refutes(/^checkpoint/, (copy) => {
      copy.checkpoint = copy.checkpoint.replace(/\n(\d+)\n/, (_, size) => `\n${Number(size) + 1}\n`);
    });
    await refutes(/^anchors\[0\]\.header does not hash to blockHash/, (copy) => {
      copy.anchors[0]!.blockHash = flipHex(copy.anchors[0]!.blockHash);
    });
    await refutes(/^anchors are required, and there is none/, (copy) => {
      copy.anchors = [];
    });
    await refutes(/^database does not open/, (copy) => {
      copy.database!.name = "crm";
    });
    await refutes(/^surprise is not a known field/, (copy) => Object.assign(copy, { surprise: 1 }));
  });

  it("the trust policy of another log, other signers, or another chain", async () => {
    const { publicKey } = signerFromSeed("7".repeat(64));
    for (const origin of [trust.log.origin, "umbrella.example/dbgov"]) {
      await refutes(/^checkpoint/, nothing, (policy) => {
        policy.log = { origin, publicKey: formatNoteKey({ name: origin, publicKey }) };
      });
    }
    await refutes(/^entry\.signer is not a signing key that the trust policy names/, nothing, (policy) => {
      policy.signingKeys = ["0".repeat(64)];
    });
    await refutes(/^anchors are required, and none is verified/, nothing, (policy) => {
      policy.chains = [];
    });
    await refutes(/^anchors\[0\]\.blockHash is not the hash of the final block/, nothing, (policy) => {
      const [block] = policy.chains![0]!.finalizedBlocks!;
      block!.hash = flipHex(block!.hash);
    });
  });

  it("files that are cut off, of another kind, or of a newer version", async () => {
    const audit = (name: string, policy = "trust.json"): string[] => ["audit", name, "--trust", policy];
    const usage = (message: RegExp) => ({ code: 2, type: "UsageInvalid" as const, message });
    await writeFile(at("cut.json"), (await readFile(at("good.json"), "utf8")).slice(0, 900));
    await cli.fails(usage(/^cut\.json: .*is not JSON/), ...audit("cut.json"));
    await cli.fails(usage(/^cut\.json: .*is not JSON/), ...audit("good.json", "cut.json"));
    await cli.fails(usage(/^trust\.json: .*is not a dbgov proof/), ...audit("trust.json"));
    await cli.fails(usage(/^good\.json: .*trust policy is not usable: \w+ is not a known field/), ...audit("good.json", "good.json"));
    await writeFile(at("newer.json"), JSON.stringify({ ...bundle, version: 2 }));
    await cli.fails(usage(/^newer\.json: .*is of version 2; this verifier knows version 1/), ...audit("newer.json"));
  });

  it("a proof that cannot be written, or of what is not there", async () => {
    await cli.fails(
      { code: 2, type: "UsageInvalid", message: /none\/proof\.json cannot be written/ },
      "proof",
      snapshot,
      "--out",
      "none/proof.json",
    );
  });

  it("a log with an altered or a missing tile gives no proof", async () => {
    const folder = join(at("store"), "log", "tile", "0");
    const proof = ["proof", snapshot, "--out", "bad.json"];
    const tiles = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
    const paths = tiles.map((entry) => join(entry.parentPath, entry.name));
    const contents = await Promise.all(paths.map((path) => readFile(path)));
    const spoil = async (change: (path: string, at: number) => Promise<void>, message: RegExp): Promise<void> => {
      for (const [index, path] of paths.entries()) await change(path, index);
      await cli.fails({ code: 5, type: "LedgerCorrupt", message }, ...proof);
      await assert.rejects(readFile(at("bad.json")), { code: "ENOENT" });
      for (const [index, path] of paths.entries()) await writeFile(path, contents[index]!);
    };
    await spoil(async (path, index) => {
      const bytes = Uint8Array.from(contents[index]!);
      bytes[0]! ^= 1;
      await writeFile(path, bytes);
    }, /log\/tile\/0\/.* does not hash to the signed checkpoint/);
    await spoil((path) => truncate(path, 7), /log\/tile\/0\/.* has 7 bytes/);
    await spoil((path) => rm(path), /log\/tile\/0\/.* is missing in store local/);
    const checkpoint = join(at("store"), "log", "checkpoint");
    await rename(checkpoint, `${checkpoint}.away`);
    await cli.fails({ code: 5, type: "LedgerCorrupt", message: /log\/checkpoint of the log .* is missing in store local/ }, ...proof);
    await writeFile(checkpoint, (await readFile(`${checkpoint}.away`, "utf8")).replace(/\n\d+\n/, "\n1000\n"));
    await cli.fails({ code: 5, type: "LedgerCorrupt", message: /log\/checkpoint/ }, ...proof);
    await rename(`${checkpoint}.away`, checkpoint);
    assert.equal((await cli.run(...proof)).code, 0);
  });
});
