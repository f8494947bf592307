import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { signCheckpoint } from "../../core/ledger/checkpoint.ts";
import type { EntryBody } from "../../core/ledger/entries.ts";
import { openLog } from "../../core/ledger/log.ts";
import { buildProofBundle } from "../../core/ledger/proof-bundle.ts";
import { auditBundle, type Trust } from "../../core/ledger/verify/audit.ts";
import { fromHex } from "../../core/ledger/verify/bytes.ts";
import { auditMisbehavior } from "../../core/ledger/verify/misbehavior.ts";
import { startPeriodAudit } from "../../core/ledger/verify/period.ts";
import { pythonWithCryptography } from "../stack/setup/python-packages.ts";
import { origin, sealedDraft, testSigner } from "./ledger-fixtures.ts";
import { memoryStore } from "./ledger-memory-store.ts";
import { type Json, knownSigner, pagedStatement, plain, some, variantsOf } from "./ledger-periods.ts";
import { bundle, retired, trust, vectors } from "./ledger-tampering.ts";

type Case = { readonly trust: Trust } & ({ readonly bundle: unknown } | { readonly pages: readonly unknown[] });

/** A bundle whose manifest was opened to somebody; no verifier can tell to whom. */
const disclosedBundle = async () => {
  const content = Buffer.from('{"format":"dbgov-manifest"}');
  const log = await openLog({ store: memoryStore(), origin, signer: testSigner() });
  const { identity, body } = sealedDraft(1);
  await log.append([
    { identity, body: { ...body, signer: knownSigner, manifestHash: createHash("sha256").update(content).digest("hex") } as EntryBody },
  ]);
  const envelope = { recipient: "0123456789abcdef", kem: "AAEC", wrapped: "AwQF" };
  return { ...(await buildProofBundle({ log, index: 0 })), manifest: { content: content.toString("base64"), envelope } };
};

const ours = (one: Case): boolean => {
  if ("pages" in one) {
    const audit = startPeriodAudit(one.trust);
    for (const page of one.pages) audit.take(page);
    return audit.report().verified;
  }
  const { format } = one.bundle as { format?: unknown };
  return (format === "dbgov-misbehavior" ? auditMisbehavior : auditBundle)(one.bundle, one.trust).verified;
};

test("the second verifier agrees on statements of periods, their pages, and proofs of misbehavior, as they are and tampered with", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "dbgov-second-period-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const { pages: single, policy } = await pagedStatement(100);
  const whole = plain(single) as Json[];
  const pages = plain((await pagedStatement()).pages) as Json[];
  assert.deepEqual([whole.length, pages.length], [1, 3]);
  const [one, two, three] = pages as [Json, Json, Json];
  const windows = (window: object): Trust => ({ ...policy, signingKeys: [{ publicKey: knownSigner, ...window }] });
  const entryOf = ({ checkpoint, entry, index, inclusion }: typeof bundle) => ({ checkpoint, entry: { entry, index, inclusion } });
  const accusation = (...views: unknown[]): Json => plain({ format: "dbgov-misbehavior", version: 1, views });
  const forked = (await signCheckpoint(origin, 20, fromHex("77".repeat(32)), testSigner(2))).note;
  const fork = accusation(entryOf(bundle), entryOf(vectors.rewritten));
  const late = accusation({ checkpoint: bundle.checkpoint }, { checkpoint: forked });
  const genuine: Case[] = [
    { pages: whole, trust: policy },
    { pages, trust: policy },
    { pages: whole, trust: windows({ from: "2026-11-02T00:00:00.000Z", until: "2026-11-14T00:00:00.000Z" }) },
    { bundle: fork, trust },
    { bundle: late, trust: retired("2020-01-01T00:00:00.000Z") },
    { bundle: accusation(entryOf(vectors.older), entryOf(vectors.rewritten)), trust },
  ];
  const wrong: Case[] = [
    ...[
      [one, two],
      [one],
      [two],
      [],
      [one, three],
      [two, one, three],
      [one, two, two, three],
      [one, two, three, three],
      [...whole, ...whole],
    ].map((given) => ({ pages: given, trust: policy })),
    { pages: whole, trust: { ...policy, signingKeys: ["ab".repeat(32)] } },
    { pages: whole, trust: windows({ until: "2026-11-12T00:00:00.000Z" }) },
    { pages: whole, trust: windows({ from: "2026-11-03T00:00:00.000Z" }) },
    { pages: whole, trust: { ...policy, require: { anchor: true } } },
    { bundle: late, trust },
    { bundle: accusation(entryOf(bundle), entryOf(bundle)), trust },
    { bundle: accusation(entryOf(bundle), entryOf(vectors.other)), trust },
    { bundle: accusation(entryOf({ ...bundle, entry: vectors.other.entry }), entryOf(vectors.older)), trust },
  ];
  const tampered: Case[] = [
    ...some(variantsOf(whole[0]!), 500).map((page): Case => ({ pages: [page], trust: policy })),
    ...some(variantsOf(two), 250).map((page): Case => ({ pages: [one, page, three], trust: policy })),
    ...some(variantsOf(fork), 250).map((changed): Case => ({ bundle: changed, trust })),
  ];
  const disclosed = plain(await disclosedBundle());
  genuine.push({ bundle: disclosed, trust: policy });
  const { manifest } = disclosed as { manifest: Json };
  const ofManifest = variantsOf({ manifest }).map(
    (changed): Case => ({ bundle: { ...(disclosed as object), ...(changed as object) }, trust: policy }),
  );
  tampered.push(...ofManifest, { bundle: { ...bundle, manifest }, trust });
  const cases = [...genuine, ...wrong, ...tampered];
  const path = join(folder, "cases.json");
  await writeFile(path, JSON.stringify(cases));
  const { command, env } = await pythonWithCryptography(() => {});
  const { stdout } = await promisify(execFile)(command, [join(import.meta.dirname, "proof-verifier.py"), path], {
    env: { ...process.env, ...env },
    maxBuffer: 2 ** 26,
  });
  const verdicts = JSON.parse(stdout) as (string | null)[];
  assert.equal(verdicts.length, cases.length);
  const accepted: number[] = [];
  for (const [at, each] of cases.entries()) {
    const verified = ours(each);
    assert.equal(
      verified,
      verdicts[at] === null,
      `case ${at}: ours ${verified}, theirs ${verdicts[at]}: ${JSON.stringify(each).slice(0, 300)}`,
    );
    if (verified) accepted.push(at);
  }
  console.log(`${cases.length} cases, of which both accept ${accepted.length}`);
  assert.deepEqual(accepted.filter((at) => at < genuine.length).length, genuine.length);
  assert.deepEqual(
    accepted.filter((at) => at >= genuine.length && at < genuine.length + wrong.length),
    [],
  );
});
