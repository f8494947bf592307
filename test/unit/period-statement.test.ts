import assert from "node:assert/strict";
import { test } from "node:test";
import { commit, type EntryBody } from "../../core/ledger/entries.ts";
import { openLog } from "../../core/ledger/log.ts";
import { buildPeriodStatement } from "../../core/ledger/period-statement.ts";
import { buildProofBundle } from "../../core/ledger/proof-bundle.ts";
import { auditPeriod, type PeriodStatement } from "../../core/ledger/verify/period.ts";
import { nameSalt, origin, sealedDraft, testSigner } from "./ledger-fixtures.ts";
import { memoryStore } from "./ledger-memory-store.ts";
import { trust } from "./ledger-tampering.ts";

const database = { name: "orders", salt: nameSalt };
const policy = { log: trust.log, require: { anchor: false } };

/** Every day of November a snapshot of `orders`, and one of `users` beside it; drilled on the 9th, and one deleted on the 12th. */
const monthOfOrders = async () => {
  const log = await openLog({ store: memoryStore(), origin, signer: testSigner() });
  for (let day = 1; day <= 20; day++) {
    const time = `2026-11-${String(day).padStart(2, "0")}T02:00:00.000Z`;
    for (const name of ["orders", "users"]) {
      const { identity, body } = sealedDraft(day, name);
      await log.append([{ identity, body: { ...body, time, capturedAt: time } as EntryBody }]);
    }
    const { snapshot, manifestHash } = sealedDraft(day).body as Extract<EntryBody, { kind: "drilled" }>;
    const of = { time, database: commit("orders", nameSalt), snapshot, manifestHash };
    if (day === 9) await log.append([{ identity: "drill", body: { kind: "drilled", ...of, identical: true, seconds: 12.5, rows: 3 } }]);
    if (day === 12) await log.append([{ identity: "deleted", body: { kind: "deleted", ...of, reason: "retention", envelopes: 2 } }]);
  }
  const entries = (await Array.fromAsync(log.entries())).filter(
    ({ entry }) => "database" in entry && entry.database === commit("orders", nameSalt),
  );
  return { log, entries };
};

test("a period's statement has all entries of a database, and what they add up to; each way of leaving one out is refused", async () => {
  const { log, entries } = await monthOfOrders();
  const of = (from: string, to: string) =>
    buildPeriodStatement({
      log,
      entries,
      database,
      from: `2026-11-${from}T00:00:00.000Z`,
      to: `2026-11-${to}T23:59:59.000Z`,
      attest: (index) => buildProofBundle({ log, index }),
    });
  const statement = await of("05", "14");
  const { verified, period, failures } = auditPeriod(JSON.parse(JSON.stringify(statement)), policy);
  assert.deepEqual(failures, []);
  assert.ok(verified && period !== null);
  assert.deepEqual(period.kinds, { "snapshot-sealed": 10, drilled: 1, deleted: 1 });
  assert.deepEqual([period.closed, period.longestWithoutSnapshotSeconds], [true, 86_400]);
  assert.deepEqual(period.drills, [{ time: "2026-11-09T02:00:00.000Z", identical: true, seconds: 12.5 }]);
  assert.equal(period.deletions[0]?.reason, "retention");

  const refused = (changes: Partial<PeriodStatement>, words: RegExp, less: readonly string[] = []): void => {
    const changed = Object.fromEntries(Object.entries({ ...statement, ...changes }).filter(([key]) => !less.includes(key)));
    const report = auditPeriod(changed, policy);
    assert.equal(report.verified, false, String(words));
    assert.match(report.failures.map(({ part, reason }) => `${part} ${reason}`).join("\n"), words);
  };
  for (let at = 0; at < statement.entries.length; at++) refused({ entries: statement.entries.toSpliced(at, 1) }, /an entry is missing/);
  refused({}, /entries\[0\]\.entry\.sequence is 5, and 1 must come here/, ["before"]);
  refused({ entries: statement.entries.toReversed() }, /an entry is missing/);
  refused({ before: statement.entries[0]! }, /lies in the period/);
  refused({ from: "2026-11-01T00:00:00.000Z" }, /before\.entry\.time lies in the period/);
  refused({ to: "2026-11-30T00:00:00.000Z" }, /after\.entry\.time lies in the period/);
  refused({ database: { ...database, name: "users" } }, /not of the statement's database/);
  const [one, two] = statement.entries as [PeriodStatement["entries"][number], PeriodStatement["entries"][number]];
  refused({ entries: statement.entries.with(0, { ...one, inclusion: two.inclusion }) }, /entries\[0\]\.inclusion does not lead/);
  refused({ entries: statement.entries.with(0, { ...one, entry: { ...one.entry, time: two.entry.time } }) }, /entries\[0\]\.inclusion/);
  refused({ checkpoint: statement.checkpoint.replace("\n", "x\n") }, /checkpoint is of the log/);
  refused({ extra: 1 } as Partial<PeriodStatement>, /extra is not a known field/);
  refused({ entries: [] }, /sequence|an entry is missing/);

  // What lies outside must not add to what the period says it has.
  const wider = await of("03", "16");
  const narrow = { from: statement.from, to: statement.to };
  refused({ ...wider, ...narrow }, /entries\[0\]\.entry\.time does not lie in the period/);
  refused({ ...wider, ...narrow }, /entries\[15\]\.entry\.time does not lie in the period/);

  const open = auditPeriod(await of("15", "30"), policy);
  assert.deepEqual([open.verified, open.period?.closed, open.period?.longestWithoutSnapshotSeconds], [true, false, 10 * 86_400 + 79_199]);
  await assert.rejects(of("25", "26"), /no entry of orders/);
});

test("each sealed snapshot of a period must be signed by a key that the policy names, not the last one alone", async () => {
  const log = await openLog({ store: memoryStore(), origin, signer: testSigner() });
  const [stranger, known] = ["ab".repeat(32), "cd".repeat(32)];
  for (const [day, signer] of [known, stranger, known].entries()) {
    const { identity, body } = sealedDraft(day + 1);
    await log.append([{ identity, body: { ...body, signer, time: `2026-11-0${day + 1}T02:00:00.000Z` } as EntryBody }]);
  }
  const statement = await buildPeriodStatement({
    ...{ log, entries: await Array.fromAsync(log.entries()), database },
    ...{ from: "2026-11-01T00:00:00.000Z", to: "2026-11-30T00:00:00.000Z" },
    attest: (index) => buildProofBundle({ log, index }),
  });
  const { verified, failures } = auditPeriod(statement, { ...policy, signingKeys: [known] });
  assert.deepEqual([verified, failures.map(({ part }) => part)], [false, ["entries[1].entry.signer"]]);
  assert.equal(auditPeriod(statement, { ...policy, signingKeys: [known, stranger] }).verified, true);
});
