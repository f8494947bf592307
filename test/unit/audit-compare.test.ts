import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { runDbgov } from "../../client/demo/run-dbgov.ts";
import { signCheckpoint } from "../../core/ledger/checkpoint.ts";
import { fromHex } from "../../core/ledger/verify/bytes.ts";
import { compareViews } from "../../core/ledger/verify/compare.ts";
import { auditMisbehavior, type Misbehavior } from "../../core/ledger/verify/misbehavior.ts";
import { origin, testSigner } from "./ledger-fixtures.ts";
import { bundle, retired, trust, vectors } from "./ledger-tampering.ts";

describe("two auditors who compare what they were shown", () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "dbgov-compare-"));
    const { consistency: _, ...unlinked } = vectors.other;
    const files = {
      "trust.json": JSON.stringify(trust),
      "bundle.json": JSON.stringify(bundle),
      "other.json": JSON.stringify(vectors.other),
      "unlinked.json": JSON.stringify(unlinked),
      "rewritten.json": JSON.stringify(vectors.rewritten),
      "older.json": JSON.stringify(vectors.older),
      same: bundle.checkpoint,
      forked: (await signCheckpoint(origin, 9, fromHex(vectors.after20.root), testSigner())).note,
      "other size": (await signCheckpoint(origin, 49, fromHex(vectors.after20.root), testSigner())).note,
      stranger: vectors.otherKeyCheckpoint,
    };
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  });
  after(() => rm(folder, { recursive: true, force: true }));

  const dbgov = async (...args: readonly string[]) => {
    const { code, stdout, stderr } = await runDbgov([...args, "--trust", "trust.json", "--json"], { cwd: folder, env: process.env });
    return { code, json: stdout === "" ? JSON.parse(stderr) : JSON.parse(stdout) };
  };
  const compare = (one: string, two: string) => dbgov("audit", "compare", one, two, "--out", `of ${one} ${two}`);

  test("the same checkpoint, and one that a proof leads from, are one log", async () => {
    assert.deepEqual((await compare("bundle.json", "same")).json, { verified: true, common: 20, misbehavior: null, failures: [] });
    assert.deepEqual((await compare("older.json", "other.json")).json, { verified: true, common: 9, misbehavior: null, failures: [] });
    assert.equal((await compare("bundle.json", "same")).code, 0);
  });

  test("what nothing leads between is not called one log", async () => {
    const partly = await compare("bundle.json", "other.json");
    assert.equal(partly.code, 5);
    assert.match(partly.json.failures[0].reason, /share the log up to size 9 only; ask for a proof at size 50 or beyond from size 20/);
    assert.match((await compare("bundle.json", "unlinked.json")).json.failures[0].reason, /share no checkpoint/);
    assert.match((await compare("same", "stranger")).json.failures[0].reason, /no valid signature/);
    assert.equal((await compare("same", "missing")).code, 2);
  });

  test("two roots for one size, and two entries at one place, become a proof that a third person can check", async () => {
    for (const [one, two, words] of [
      ["bundle.json", "rewritten.json", /signed two roots for size 20/],
      ["older.json", "forked", /signed two roots for size 9/],
      ["other.json", "rewritten.json", /signed two roots for size 9/],
      ["older.json", "rewritten.json", /signed two (roots|entries)/],
    ] as const) {
      const { code, json } = await compare(one, two);
      assert.equal(code, 5);
      assert.match(json.failures[0].reason, words);
      const third = await dbgov("audit", json.misbehavior);
      assert.equal(third.code, 0, JSON.stringify(third.json));
      assert.match(third.json.misbehavior, words);
      const proof = JSON.parse(await readFile(join(folder, json.misbehavior), "utf8")) as Misbehavior;
      refusedWhenTampered(proof);
    }
  });

  const refusedWhenTampered = (proof: Misbehavior): void => {
    const [first, second] = proof.views as [Misbehavior["views"][number], Misbehavior["views"][number]];
    const variants: unknown[] = [
      { ...proof, views: [first, first] },
      { ...proof, views: [first] },
      { ...proof, views: [first, second, second] },
      { ...proof, version: 2 },
      { ...proof, extra: 1 },
      ...[second.checkpoint.replace("\n", "\n1"), vectors.otherKeyCheckpoint, vectors.otherOriginCheckpoint].map((checkpoint) => ({
        ...proof,
        views: [first, { ...second, checkpoint }],
      })),
    ];
    for (const variant of variants) assert.equal(auditMisbehavior(variant, trust).verified, false, JSON.stringify(variant).slice(0, 200));
  };

  test("a fork that a retired key signed is proven, and the proof says whose signature it is", async () => {
    const old = testSigner(2);
    const forked = await signCheckpoint(origin, 20, fromHex(vectors.after20.root).map((byte) => byte ^ 1) as Uint8Array, old);
    const proof = { format: "dbgov-misbehavior", version: 1, views: [{ checkpoint: bundle.checkpoint }, { checkpoint: forked.note }] };
    assert.match(auditMisbehavior(proof, trust).failures[0]!.reason, /carries no valid signature/);
    const until = "2026-11-24T10:56:40.000Z";
    const { verified, misbehavior } = auditMisbehavior(proof, retired(until));
    assert.ok(verified);
    assert.match(
      misbehavior!,
      /^the log \S+ signed two roots for size 20: .*; one of them with a key that was retired at 2026-11-24T10:56:40\.000Z, by whoever had it$/,
    );
    const shown = compareViews({ bundle }, { note: forked.note }, retired(until));
    assert.deepEqual(shown.misbehavior?.views.length, 2);
  });

  test("an honest log is not accused: another entry, another size, an entry that is not included", () => {
    const entryOf = ({ checkpoint, entry, index, inclusion }: typeof bundle) => ({ checkpoint, entry: { entry, index, inclusion } });
    const accuse = (...views: unknown[]) => auditMisbehavior({ format: "dbgov-misbehavior", version: 1, views }, trust);
    assert.match(accuse(entryOf(bundle), entryOf(vectors.other)).failures[0]!.reason, /do not contradict/);
    assert.match(accuse(entryOf(bundle), entryOf(vectors.older)).failures[0]!.reason, /do not contradict/);
    const made = entryOf({ ...bundle, entry: vectors.other.entry });
    assert.match(accuse(made, entryOf(vectors.older)).failures[0]!.reason, /not in the log by this view's checkpoint/);
    const fake = accuse(entryOf(vectors.older), { ...entryOf(vectors.rewritten) });
    assert.ok(fake.verified && /signed two entries at index 3/.test(fake.misbehavior ?? ""));
  });
});
