import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import { promisify } from "node:util";
import fc from "fast-check";
import { addressOfKey, collectEvidence, deployRegistry, registryLogId, submitCheckpoint } from "../../core/ledger/evm.ts";
import { type Log, openLog } from "../../core/ledger/log.ts";
import { buildProofBundle, formatProofBundle } from "../../core/ledger/proof-bundle.ts";
import { type AuditReport, auditBundle, type ProofBundle, parseBundle, type Trust } from "../../core/ledger/verify/audit.ts";
import { largestBundle } from "../../core/ledger/verify/bundle.ts";
import { confirmBlocks } from "../../core/ledger/verify/confirm-blocks.ts";
import { toHex } from "../../core/ledger/verify/hash.ts";
import { formatNoteKey } from "../../core/ledger/verify/note.ts";
import { useStack } from "../stack/use-stack.ts";
import { drafts, nameSalt, sealedDraft, testSigner } from "../unit/ledger-fixtures.ts";
import { memoryStore } from "../unit/ledger-memory-store.ts";
import { fundedKey, until } from "./ledger-chain.ts";

const signer = testSigner();
const key = { name: "audit.example/log", publicKey: signer.publicKey };
const database = { name: "orders", salt: nameSalt };

let rpc: string;
let chainId: number;
let contract: string;
let log: Log;
/** Entry 3 at size 20, from an auditor's checkpoint of size 9. */
let bundle: ProofBundle;
/** Entry 30 of the same log at size 50. */
let other: ProofBundle;
let trust: Trust;

before(async () => {
  ({ rpc, chainId } = (await useStack("anvil")).anvil);
  const owner = await fundedKey(rpc);
  ({ contract } = await deployRegistry({ rpc, chainId, key: owner, submitter: addressOfKey(owner) }));
  log = await openLog({ store: memoryStore(), origin: key.name, signer });
  // Blocks of a development chain can run ahead of the clock, and entries of the future are refused.
  const anchored = async (size: number) => {
    await log.append(drafts(log.size, size).map((draft) => ({ ...draft, body: { ...draft.body, time: new Date().toISOString() } })));
    const head = { rpc, chainId, contract, logId: registryLogId(key.name), size, root: toHex(log.checkpoint().root) };
    const { transaction } = await submitCheckpoint({ ...head, key: owner, maxFeeGwei: 50 });
    return until(
      () => collectEvidence({ ...head, transaction }).catch(() => undefined),
      (found) => found !== undefined,
    );
  };
  const [first, second] = [(await anchored(20))!, (await anchored(50))!];
  bundle = await buildProofBundle({ log, index: 3, size: 20, anchors: [first], since: 9, database });
  other = await buildProofBundle({ log, index: 30, size: 50, anchors: [second], since: 9, database });
  trust = {
    log: { origin: key.name, publicKey: formatNoteKey(key) },
    chains: [{ chainId, contract, finalizedBlocks: [first, second].map(({ block, blockHash }) => ({ number: block, hash: blockHash })) }],
    since: { size: 9, root: toHex((await log.checkpointAt(9)).root) },
  };
});

const refuses = (report: AuditReport, what: string): void => {
  assert.equal(report.verified, false, `${what} must be refused`);
  assert.ok(report.failures.length > 0 && report.failures.every(({ part, reason }) => part !== "" && reason !== ""), what);
};

const failed = (changed: unknown, changedTrust: Trust, words: RegExp): void => {
  const report = auditBundle(changed, changedTrust);
  refuses(report, String(words));
  assert.match(report.failures.map(({ part, reason }) => `${part} ${reason}`).join("\n"), words);
};

type Path = readonly (string | number)[];

/** Every place in the bundle, leaves and branches. */
const placesOf = (value: unknown, path: Path = []): Path[] =>
  typeof value === "object" && value !== null
    ? [
        ...(path.length === 0 ? [] : [path]),
        ...Object.entries(value).flatMap(([name, inner]) => placesOf(inner, [...path, Array.isArray(value) ? Number(name) : name])),
      ]
    : [path];

const at = (value: unknown, path: Path): unknown =>
  path.reduce<unknown>((inner, step) => (inner as Record<string | number, unknown> | undefined)?.[step], value);

const changed = (
  value: unknown,
  path: Path,
  change: (parent: Record<string | number, unknown>, last: string | number) => void,
): unknown => {
  const copy = structuredClone(value);
  change(at(copy, path.slice(0, -1)) as Record<string | number, unknown>, path.at(-1)!);
  return copy;
};

const altered = (value: unknown): unknown[] => {
  if (typeof value === "number") return [value + 1, value - 1, -value - 1, `${value}`];
  if (typeof value === "boolean") return [!value];
  if (typeof value !== "string") return [null, 0, [], {}];
  const middle = value.length >> 1;
  const flip = (where: number) => value.slice(0, where) + (value[where] === "1" ? "2" : "1") + value.slice(where + 1);
  return [
    flip(middle),
    flip(value.length - 1),
    value.slice(0, -1),
    `${value}0`,
    value.toUpperCase() === value ? "" : value.toUpperCase(),
    null,
  ];
};

describe("the audit of a proof bundle", () => {
  test("verifies an untouched bundle, and says what it found", () => {
    for (const [one, index, size] of [
      [bundle, 3, 20],
      [other, 30, 50],
    ] as const) {
      const report = auditBundle(parseBundle(formatProofBundle(one)), trust);
      assert.deepEqual(report.failures, []);
      assert.equal(report.verified, true);
      assert.equal(report.entry?.index, index);
      assert.equal(report.entry?.databaseName, "orders");
      assert.equal(report.checkpoint?.size, size);
      assert.equal(report.anchors[0]?.verified, true);
      assert.equal(report.anchors[0]?.block, one.anchors[0]?.block);
    }
  });

  test("refuses every field altered, dropped, added to, or taken from another bundle", () => {
    let tried = 0;
    const refused = (value: unknown, what: string): void => {
      tried++;
      refuses(auditBundle(value, trust), what);
    };
    for (const path of placesOf(bundle)) {
      const name = path.join(".");
      for (const value of altered(at(bundle, path))) {
        refused(
          changed(bundle, path, (parent, last) => Object.assign(parent, { [last]: value })),
          `${name} altered to ${JSON.stringify(value)?.slice(0, 60)}`,
        );
      }
      const drop = (parent: Record<string | number, unknown>, last: string | number): void => {
        if (Array.isArray(parent)) parent.splice(Number(last), 1);
        else delete parent[last];
      };
      // Not to disclose the database's name is allowed.
      if (name !== "database") refused(changed(bundle, path, drop), `${name} dropped`);
      const theirs = at(other, path);
      if (theirs !== undefined && JSON.stringify(theirs) !== JSON.stringify(at(bundle, path))) {
        refused(
          changed(bundle, path, (parent, last) => Object.assign(parent, { [last]: theirs })),
          `${name} of another bundle`,
        );
      }
      const here = at(bundle, path);
      if (Array.isArray(here)) {
        refused(
          changed(bundle, path, (parent, last) => Object.assign(parent, { [last]: [...here, here[0]] })),
          `${name} with one more`,
        );
        if (here.length > 1)
          refused(
            changed(bundle, path, (parent, last) => Object.assign(parent, { [last]: here.toReversed() })),
            `${name} reversed`,
          );
      } else if (typeof here === "object") {
        refused(
          changed(bundle, [...path, "extra"], (parent, last) => Object.assign(parent, { [last]: 1 })),
          `${name} with a field more`,
        );
      }
    }
    refused({ ...bundle, extra: 1 }, "a field more");
    refused(structuredClone(other.entry), "an entry alone");
    assert.ok(tried > 300, `${tried} changes tried`);
    assert.equal(auditBundle({ ...bundle, database: undefined }, trust).verified, false);
    const { database: _, ...undisclosed } = bundle;
    assert.equal(auditBundle(undisclosed, trust).verified, true);
  });

  test("names what is wrong", () => {
    const anchor = bundle.anchors[0]!;
    failed({ ...bundle, index: 4 }, trust, /inclusion does not lead from the entry, at index 4/);
    failed({ ...bundle, entry: { ...bundle.entry, sequence: 9 } }, trust, /inclusion/);
    failed({ ...bundle, anchors: [] }, trust, /anchors are required, and there is none/);
    failed({ ...bundle, anchors: other.anchors }, trust, /anchors\[0\]\.logIndex names a log that is not of size 20/);
    failed(
      { ...bundle, anchors: [{ ...anchor, blockHash: other.anchors[0]!.blockHash }] },
      trust,
      /anchors\[0\]\.header does not hash to blockHash/,
    );
    failed({ ...bundle, anchors: [{ ...anchor, chainId: 1 }] }, trust, /anchors\[0\]\.chainId is not that of the transaction, 31337/);
    failed({ ...bundle, database: { ...database, name: "users" } }, trust, /database does not open/);
    const { consistency: _, ...inconsistent } = bundle;
    failed(inconsistent, trust, /consistency does not lead to the checkpoint of size 9/);
  });

  test("believes the trust policy, and only it", async () => {
    const { since: _, chains, ...rest } = trust;
    failed(
      bundle,
      { ...trust, log: { ...trust.log, publicKey: formatNoteKey({ ...key, publicKey: testSigner(3).publicKey }) } },
      /checkpoint carries no valid/,
    );
    failed(bundle, { ...trust, since: { size: 9, root: "00".repeat(32) } }, /another root at size 9.*rewritten/);
    failed(bundle, { ...trust, since: { size: 8, root: "00".repeat(32) } }, /does not lead to the checkpoint of size 8/);
    failed(bundle, rest, /is not in the trust policy/);
    failed(bundle, { ...rest, chains: [{ chainId, contract: `0x${"00".repeat(20)}` }] }, /is not in the trust policy/);
    const unknown = { ...rest, chains: [{ chainId, contract }] };
    failed(bundle, unknown, /look up block \d+ of chain 31337/);
    const block = bundle.anchors[0]!.block;
    failed(
      bundle,
      { ...rest, chains: [{ chainId, contract, finalizedBlocks: [{ number: block, hash: `0x${"00".repeat(32)}` }] }] },
      /not the hash of the final block/,
    );
    failed(bundle, { ...trust, require: { anchorBy: "2020-01-01T00:00:00.000Z" } }, /later than anchorBy/);
    failed(bundle, { ...trust, signingKeys: ["00".repeat(32)] }, /entry\.signer is not a signing key/);
    assert.equal(auditBundle(bundle, { ...trust, require: { anchorWithinSeconds: 3600 } }).verified, true);
    const unanchored = auditBundle({ ...bundle, anchors: [] }, { ...rest, require: { anchor: false } });
    assert.equal(unanchored.verified, true);
    // The auditor's own node can stand in for the list of blocks, once it calls them final.
    await until(
      () => confirmBlocks(bundle, unknown, rpc),
      (confirmed) => auditBundle(bundle, confirmed).verified,
    );
    await assert.rejects(confirmBlocks(bundle, unknown, "http://127.0.0.1:9/key"), {
      name: "AuditInputError",
      message: /127\.0\.0\.1:9 did not answer/,
    });
    assert.ok(chains !== undefined);
  });

  test("an old and a new checkpoint of the auditor both serve", async () => {
    const { consistency: _, ...plain } = bundle;
    const newer = await buildProofBundle({ log, index: 3, size: 20, anchors: bundle.anchors, since: 50 });
    const headAt = async (size: number) => ({ size, root: toHex((await log.checkpointAt(size)).root) });
    assert.equal(auditBundle(newer, { ...trust, since: await headAt(50) }).verified, true);
    assert.equal(auditBundle(plain, { ...trust, since: await headAt(20) }).verified, true);
    // A log that was rewritten and signed again by the same key is caught by an auditor who remembers a head.
    const rewritten = await openLog({ store: memoryStore(), origin: key.name, signer });
    await rewritten.append([...drafts(0, 3), sealedDraft(77), ...drafts(4, 60)]);
    const forged = await buildProofBundle({ log: rewritten, index: 3, size: 20, since: 9 });
    failed(forged, { ...trust, require: { anchor: false } }, /another root at size 9/);
  });

  test("an entry that claims a time after its anchor is not believed", async () => {
    const late = await openLog({ store: memoryStore(), origin: "late.example/log", signer });
    const draft = sealedDraft(1);
    await late.append([{ ...draft, body: { ...draft.body, time: "2040-01-01T00:00:00.000Z" } }]);
    const owner = await fundedKey(rpc);
    const registry = await deployRegistry({ rpc, chainId, key: owner });
    const head = {
      rpc,
      chainId,
      contract: registry.contract,
      logId: registryLogId(late.origin),
      size: 1,
      root: toHex(late.checkpoint().root),
    };
    const { transaction } = await submitCheckpoint({ ...head, key: owner, maxFeeGwei: 50 });
    const evidence = (await until(
      () => collectEvidence({ ...head, transaction }).catch(() => undefined),
      (found) => found !== undefined,
    ))!;
    const policy: Trust = {
      log: { origin: late.origin, publicKey: formatNoteKey({ ...key, name: late.origin }) },
      chains: [{ chainId, contract: registry.contract, finalizedBlocks: [{ number: evidence.block, hash: evidence.blockHash }] }],
    };
    failed(await buildProofBundle({ log: late, index: 0, anchors: [evidence] }), policy, /the entry's time 2040-.* lies after the block's/);
  });

  test("throws on nothing, and verifies nothing but the bundle itself", () => {
    const { database: _, ...undisclosed } = bundle;
    const genuine = [bundle, undisclosed].map((one) => JSON.stringify(one));
    const places = placesOf(bundle).filter((path) => path.length > 0);
    const mutation = fc.record({
      path: fc.constantFrom(...places),
      value: fc.oneof(fc.jsonValue(), fc.constantFrom(...places.map((path) => at(bundle, path)))),
    });
    fc.assert(
      fc.property(fc.array(mutation, { minLength: 1, maxLength: 3 }), (mutations) => {
        const copy = structuredClone(bundle) as unknown as Record<string, unknown>;
        for (const { path, value } of mutations) {
          const parent = at(copy, path.slice(0, -1));
          if (typeof parent === "object" && parent !== null) Object.assign(parent, { [path.at(-1)!]: structuredClone(value) }); // some are parts of the bundle itself
        }
        const { verified } = auditBundle(copy, trust);
        if (verified) assert.ok(genuine.includes(JSON.stringify(copy)));
      }),
      { numRuns: 300 },
    );
    fc.assert(fc.property(fc.anything(), (value) => assert.equal(auditBundle(value, trust).verified, false)));
    const cyclic: Record<string, unknown> = { ...bundle };
    cyclic.entry = cyclic;
    const throwing = {
      ...bundle,
      get entry(): never {
        throw new Error("no");
      },
    };
    for (const value of [
      cyclic,
      throwing,
      new Proxy(
        {},
        {
          ownKeys: () => {
            throw new Error("no");
          },
        },
      ),
    ])
      assert.equal(auditBundle(value, trust).verified, false);
    assert.equal(auditBundle(bundle, {} as Trust).verified, false);
  });

  test("is quick on a bundle, and on the worst that a file may hold", () => {
    const anchor = bundle.anchors[0]!;
    const node = `0x${"ab".repeat(20_000)}`;
    const worst = JSON.stringify({ ...bundle, anchors: Array(8).fill({ ...anchor, transactionProof: Array(24).fill(node) }) });
    assert.ok(worst.length < largestBundle);
    const started = performance.now();
    refuses(auditBundle(parseBundle(worst), trust), "the worst bundle");
    assert.throws(() => parseBundle(`{"format":"dbgov-proof","version":1,"entry":${"[".repeat(1e6)}${"]".repeat(1e6)}}`), {
      name: "AuditInputError",
      message: /nests deeper/,
    });
    assert.ok(performance.now() - started < 3000);
    for (const [text, words] of [
      ["{", /is not JSON/],
      ["[]", /its format is not "dbgov-proof"/],
      ['{"format":"dbgov-proof","version":2}', /version 2; this verifier knows version 1/],
      [" ".repeat(largestBundle + 1), /larger than 8 MiB/],
    ] as const) {
      assert.throws(() => parseBundle(text), { name: "AuditInputError", message: words });
    }
  });

  test("runs by itself: a process that has the verifier's folder, the bundle and the policy, and nothing else", async () => {
    const folder = await mkdtemp(join(tmpdir(), "dbgov-audit-"));
    try {
      const root = join(import.meta.dirname, "../..");
      await cp(join(root, "core/ledger/verify"), join(folder, "verify"), { recursive: true });
      await mkdir(join(folder, "node_modules/@noble"), { recursive: true });
      await symlink(join(root, "node_modules/@noble/hashes"), join(folder, "node_modules/@noble/hashes"));
      await writeFile(join(folder, "package.json"), '{"type":"module"}');
      await writeFile(join(folder, "bundle.json"), formatProofBundle(bundle));
      await writeFile(join(folder, "trust.json"), JSON.stringify(trust));
      await writeFile(
        join(folder, "main.ts"),
        `import { readFileSync } from "node:fs";
         import { auditBundle, parseBundle, parseTrust } from "./verify/audit.ts";
         const [bundle, trust] = [parseBundle(readFileSync("bundle.json", "utf8")), parseTrust(readFileSync("trust.json", "utf8"))];
         auditBundle(bundle, trust);
         const started = performance.now();
         const report = auditBundle(bundle, trust);
         console.log(JSON.stringify({ ...report, ms: performance.now() - started }));`,
      );
      const { stdout } = await promisify(execFile)(process.execPath, ["main.ts"], { cwd: folder, env: {} });
      const report = JSON.parse(stdout) as AuditReport & { ms: number };
      assert.deepEqual(report.failures, []);
      assert.equal(report.verified, true);
      const bytes = (await readFile(join(folder, "bundle.json"))).length;
      console.log(`bundle ${bytes} bytes, verified in ${report.ms.toFixed(1)} ms`);
      assert.ok(bytes < 16_384);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
