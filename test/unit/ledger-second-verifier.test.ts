import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import fc from "fast-check";
import { auditBundle, type Trust } from "../../core/ledger/verify/audit.ts";
import { pythonWithCryptography } from "../stack/setup/python-packages.ts";
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

test("a second verifier, in Python and written from the documentation, agrees on every vector and every variant", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "dbgov-second-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const { require: _, ...lenient } = trust;
  const genuine: Case[] = [bundle, vectors.other, vectors.older].map((one) => ({ bundle: one, trust }));
  const unattested: Case[] = genuine.map((one) => ({
    bundle: { ...(one.bundle as object), anchors: [], timestamps: [] },
    trust: { ...lenient, require: { anchor: false } },
  }));
  const cases = [...genuine, ...unattested, ...allTampered(), ...mixtures(400)];
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
  assert.ok(verified >= genuine.length + unattested.length && verified < 100);
});
