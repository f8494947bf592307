import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import fc from "fast-check";
import { commit, type EntryBody } from "../../core/ledger/entries.ts";
import { openLog } from "../../core/ledger/log.ts";
import { buildProofBundle } from "../../core/ledger/proof-bundle.ts";
import { auditBundle, type Trust } from "../../core/ledger/verify/audit.ts";
import { pythonWithCryptography } from "../stack/setup/python-packages.ts";
import { hashOf, nameSalt, origin, testSigner } from "./ledger-fixtures.ts";
import { memoryStore } from "./ledger-memory-store.ts";
import { allTampered, bundle, trust, vectors } from "./ledger-tampering.ts";

interface Case {
  readonly bundle: unknown;
  readonly trust: Trust;
}

/** Parts of genuine bundles put together at random, with random values among them. */
const mixtures = (count: number): Case[] => {
  const bundles = [bundle, vectors.other, vectors.older, vectors.rewritten];
  const fields = Object.keys(bundle) as (keyof typeof bundle)[];
  const part = fc.record({
    field: fc.constantFrom(...fields),
    of: fc.nat(bundles.length - 1),
    value: fc.option(fc.jsonValue(), { freq: 4 }),
  });
  const mixture = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts): Case => {
    const mixed: Record<string, unknown> = { ...bundle };
    for (const { field, of, value } of parts) mixed[field] = value ?? bundles[of]?.[field] ?? null;
    return { bundle: mixed, trust };
  });
  return fc.sample(mixture, { numRuns: count, seed: 5 });
};

/** An entry of every kind, in a log of their own. */
const everyKind = async (): Promise<Case[]> => {
  const time = "2026-11-24T02:15:00.000Z";
  const hash = hashOf("x");
  const of = { time, database: commit("orders", nameSalt), snapshot: "20261124T021500Z-0123456789ab", manifestHash: hash };
  const bodies: EntryBody[] = [
    { kind: "snapshot-replicated", ...of, copies: 3, domains: 2, failed: 0 },
    { kind: "snapshot-failed", time, database: of.database, run: "backup/1", failure: "SourceUnreachable" },
    { kind: "snapshot-verified", ...of, packs: 4, store: "local" },
    ...[0.1, 1e-7, 12, 1e21, 123456.789].map(
      (seconds): EntryBody => ({ kind: "drilled", ...of, identical: seconds > 1, seconds, rows: 1 }),
    ),
    { kind: "deleted", ...of, reason: "retention", envelopes: 3 },
    { kind: "erased", time, request: hash, snapshots: 2, database: of.database },
    { kind: "hold-placed", time, hold: hash },
    { kind: "hold-lifted", time, hold: hash, snapshot: of.snapshot },
    { kind: "sweep-finished", time, reportHash: hash, pass: 1, fail: 2, notApplicable: 3, inconclusive: 4 },
    { kind: "retention-executed", time, removed: 1, kept: 2 },
    { kind: "copies-repaired", time, store: "away", asked: 9, found: 2, repaired: 1 },
    { kind: "objects-deleted", time, objects: 2, packs: 1, keysHash: hash },
    { kind: "configuration-changed", time, configuration: hash, signer: hash, recipients: ["a", "b"] },
    { kind: "challenged", ...of, store: "s", blocks: 2, proven: 2, size: 9, chainId: 1, blockHash: `0x${hash}` },
    { kind: "access-summarized", time, day: "2026-11-23", counts: [{ token: "t", route: hash, requests: 3 }] },
    { kind: "keys-rotated", time, purpose: "log", before: "a", after: "b" },
  ];
  const log = await openLog({ store: memoryStore(), origin, signer: testSigner() });
  await log.append(bodies.map((body, at) => ({ identity: `${at}`, body })));
  const { since: _, require: __, signingKeys: ___, witnesses: ____, ...policy } = trust;
  return await Promise.all(
    bodies.map(async (_body, index) => ({
      bundle: await buildProofBundle({ log, index }),
      trust: { ...policy, require: { anchor: false } },
    })),
  );
};

test("a second verifier, in Python and written from the documentation, agrees on every vector and every variant", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "dbgov-second-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const { require: _, ...lenient } = trust;
  const genuine: Case[] = [bundle, vectors.other, vectors.older].map((one) => ({ bundle: one, trust }));
  const unattested: Case[] = genuine.map((one) => ({
    bundle: { ...(one.bundle as object), anchors: [], timestamps: [] },
    trust: { ...lenient, require: { anchor: false } },
  }));
  const kinds = await everyKind();
  const cases = [...genuine, ...kinds, ...unattested, ...allTampered(), ...mixtures(400)];
  const path = join(folder, "cases.json");
  await writeFile(path, JSON.stringify(cases.map((one) => ({ bundle: one.bundle, trust: one.trust }))));
  const { command, env } = await pythonWithCryptography(() => {});
  const verifier = join(import.meta.dirname, "proof-verifier.py");
  const { stdout } = await promisify(execFile)(command, [verifier, path], { env: { ...process.env, ...env }, maxBuffer: 2 ** 26 });
  const verdicts = JSON.parse(stdout) as (string | null)[];
  assert.equal(verdicts.length, cases.length);
  let verified = 0;
  for (const [index, one] of cases.entries()) {
    // The file is what both read: a value that JSON does not have is dropped on the way.
    const report = auditBundle(JSON.parse(JSON.stringify(one.bundle)), one.trust);
    const told = `case ${index}: ours ${JSON.stringify(report.failures)}, theirs ${verdicts[index]}`;
    assert.equal(report.verified, verdicts[index] === null, told);
    if (report.verified) verified++;
  }
  console.log(`${cases.length} cases, of which both verify ${verified}`);
  assert.ok(verified >= genuine.length + unattested.length + kinds.length && verified < 100);
});
