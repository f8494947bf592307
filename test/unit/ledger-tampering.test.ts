import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { auditBundle, parseTrust } from "../../core/ledger/verify/audit.ts";
import { formatNoteKey } from "../../core/ledger/verify/note.ts";
import { origin, testSigner } from "./ledger-fixtures.ts";
import { allTampered, bundle, retired, trust, vectors } from "./ledger-tampering.ts";

describe("a proof bundle that was tampered with", () => {
  test("the example and the other vectors verify as they are", () => {
    assert.deepEqual(auditBundle(bundle, trust).failures, []);
    assert.deepEqual(auditBundle(vectors.other, trust).failures, []);
    assert.deepEqual(auditBundle(vectors.older, trust).failures, []);
    assert.deepEqual(auditBundle(bundle, { ...trust, since: vectors.after20 }).failures, []);
  });

  test("a retired key's checkpoint counts while something shows that it was there in time, also beside the new key's", () => {
    const cosignatures = bundle.checkpoint.split("\n").slice(5).join("\n");
    const old = vectors.otherKeyCheckpoint;
    const overlap = old + bundle.checkpoint.split("\n").slice(4).join("\n");
    const policy = retired("2026-11-24T10:56:40.000Z");
    assert.deepEqual(auditBundle({ ...bundle, checkpoint: old + cosignatures }, policy).failures, []);
    assert.deepEqual(auditBundle({ ...bundle, checkpoint: overlap }, policy).failures, []);
    assert.deepEqual(auditBundle({ ...bundle, checkpoint: overlap }, trust).failures, []);
    assert.deepEqual(auditBundle({ ...bundle, checkpoint: overlap }, retired("2020-01-01T00:00:00.000Z")).failures, []);
    assert.equal(parseTrust(JSON.stringify(policy)).log.retiredKeys?.length, 1);
    assert.throws(() => parseTrust(JSON.stringify(policy).replace("dbgov+", "dbgow+")), { name: "AuditInputError" });
  });

  test("of two retired keys that signed in their overlap the one that counts longer says until when", () => {
    const overlap = vectors.otherKeyCheckpoint + bundle.checkpoint.split("\n").slice(4).join("\n");
    const vkeyOf = (seed: number): string => formatNoteKey({ name: origin, publicKey: testSigner(seed).publicKey });
    const failures = (first: string, second: string) => {
      const retiredKeys = [
        { publicKey: vkeyOf(2), until: first },
        { publicKey: vkeyOf(1), until: second },
      ];
      const policy = { ...trust, log: { origin, publicKey: vkeyOf(3), retiredKeys } };
      return auditBundle({ ...bundle, checkpoint: overlap }, policy).failures.map(({ part }) => part);
    };
    const [early, inTime] = ["2020-01-01T00:00:00.000Z", "2026-11-24T10:56:40.000Z"];
    assert.deepEqual(failures(early, inTime), []);
    assert.deepEqual(failures(inTime, early), []);
    assert.deepEqual(failures(early, early), ["checkpoint"]);
  });

  test("a signing key counts in its window alone, told by the entry's time", () => {
    const [publicKey] = trust.signingKeys as string[];
    const { time } = bundle.entry;
    const within = (window: object) => auditBundle(bundle, { ...trust, signingKeys: [{ publicKey: publicKey!, ...window }] }).failures;
    for (const window of [{}, { from: time }, { until: time }, { from: time, until: time }]) assert.deepEqual(within(window), []);
    for (const window of [{ until: "2020-01-01T00:00:00.000Z" }, { from: "2030-01-01T00:00:00.000Z" }])
      assert.deepEqual(
        within(window).map(({ part, reason }) => `${part} ${reason}`),
        [`entry.signer is a signing key that the trust policy does not let count at ${time}`],
      );
    assert.throws(
      () => parseTrust(JSON.stringify({ ...trust, signingKeys: [{ publicKey, until: "soon" }] })),
      /signingKeys\[0\]\.until must be a time/,
    );
  });

  test("is refused in every variant, with a reason that names the part, and none is accepted", () => {
    const variants = allTampered();
    const counts: Record<string, number> = {};
    const accepted: string[] = [];
    const misnamed: string[] = [];
    const reasons = new Set<string>();
    for (const { kind, what, bundle: tampered, trust: policy, parts } of variants) {
      counts[kind] = (counts[kind] ?? 0) + 1;
      const { verified, failures } = auditBundle(tampered, policy);
      if (verified) accepted.push(`${kind}: ${what}`);
      else if (!failures.some(({ part, reason }) => parts.test(part) && reason.length > 5)) {
        misnamed.push(`${kind}: ${what}: ${failures.map(({ part, reason }) => `${part} ${reason}`).join("; ")}`);
      }
      for (const { part, reason } of failures) reasons.add(`${part} ${reason}`.replaceAll(/[0-9a-f]{8,}|\d+/g, "N"));
    }
    console.log(`${variants.length} variants refused: ${JSON.stringify(counts)}; ${reasons.size} different reasons`);
    assert.deepEqual(accepted, []);
    assert.deepEqual(misnamed, []);
    assert.ok(variants.length > 1200, `${variants.length}`);
    assert.equal(Object.keys(counts).length, 9);
  });

  test("what means nothing changes nothing: the order of cosignatures, lines of others, a name that is not disclosed", () => {
    const lines = bundle.checkpoint.split("\n");
    const reordered = lines.with(5, lines[6]!).with(6, lines[5]!).join("\n");
    const { database: _, ...undisclosed } = bundle;
    for (const same of [
      { ...bundle, checkpoint: reordered },
      { ...bundle, checkpoint: `${bundle.checkpoint}— x ${Buffer.alloc(68).toString("base64")}\n` },
      undisclosed,
    ]) {
      assert.deepEqual(auditBundle(same, trust).failures, []);
    }
  });
});
