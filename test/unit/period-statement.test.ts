import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import { stripVTControlCharacters } from "node:util";
import fc from "fast-check";
import { stepsOfPeriod } from "../../client/audit-page/statement-steps.ts";
import { printPeriod } from "../../client/cli/print-period.ts";
import { runDbgov } from "../../client/demo/run-dbgov.ts";
import { periodPage } from "../../client/period-page/period-page.ts";
import { commit, type EntryBody } from "../../core/ledger/entries.ts";
import { type IndexedEntry, openLog } from "../../core/ledger/log.ts";
import { buildPeriodPages } from "../../core/ledger/period-statement.ts";
import { buildProofBundle } from "../../core/ledger/proof-bundle.ts";
import { parseBundle, type Trust } from "../../core/ledger/verify/audit.ts";
import { auditMisbehavior } from "../../core/ledger/verify/misbehavior.ts";
import { auditPeriod, type PeriodReport, type PeriodStatement, startPeriodAudit } from "../../core/ledger/verify/period.ts";
import { nameSalt, origin, sealedDraft, testSigner } from "./ledger-fixtures.ts";
import { memoryStore } from "./ledger-memory-store.ts";
import { pagedStatement } from "./ledger-periods.ts";
import { bundle, trust } from "./ledger-tampering.ts";

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
  return { log, places: placesOf(entries) };
};

const placesOf = (entries: readonly IndexedEntry[]) => entries.map(({ index, entry: { time } }) => ({ index, time }));

type Options = Parameters<typeof buildPeriodPages>[0];

/** The only page, or one of several. */
const pageOf = async (options: Options, number = 1): Promise<PeriodStatement> => await (await buildPeriodPages(options)).page(number);

test("a period's statement has all entries of a database, and what they add up to; each way of leaving one out is refused", async () => {
  const { log, places } = await monthOfOrders();
  const of = (from: string, to: string) =>
    pageOf({
      log,
      places,
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
  const statement = await pageOf({
    ...{ log, places: placesOf(await Array.fromAsync(log.entries())), database },
    ...{ from: "2026-11-01T00:00:00.000Z", to: "2026-11-30T00:00:00.000Z" },
    attest: (index) => buildProofBundle({ log, index }),
  });
  const { verified, failures } = auditPeriod(statement, { ...policy, signingKeys: [known] });
  assert.deepEqual([verified, failures.map(({ part }) => part)], [false, ["entries[1].entry.signer"]]);
  assert.equal(auditPeriod(statement, { ...policy, signingKeys: [known, stranger] }).verified, true);
});

describe("a statement of more entries than one file may have", () => {
  const objectives = { snapshotEverySeconds: 90_000, drillEverySeconds: 7 * 86_400, restoreWithinSeconds: 10, verifyEverySeconds: 86_400 };
  let pages: PeriodStatement[];
  const audit = (given: readonly unknown[], under: Trust = policy) => {
    const started = startPeriodAudit(under);
    for (const page of given) started.take(JSON.parse(JSON.stringify(page)));
    return started.report();
  };
  before(async () => {
    const { log, places } = await monthOfOrders();
    const period = { from: "2026-11-05T00:00:00.000Z", to: "2026-11-14T23:59:59.000Z" };
    const built = await buildPeriodPages({
      log,
      places,
      database,
      ...period,
      objectives,
      attest: (index) => buildProofBundle({ log, index }),
      atMost: 5,
    });
    assert.equal(built.count, 3);
    pages = [await built.page(1), await built.page(2), await built.page(3)];
  });

  test("adds up over its pages, and says which objectives were met", () => {
    assert.deepEqual(
      pages.map(({ entries, before: one, after: other }) => [entries.length, one !== undefined, other !== undefined]),
      [
        [5, true, false],
        [5, false, false],
        [2, false, true],
      ],
    );
    const { verified, failures, period } = audit(pages);
    assert.deepEqual(failures, []);
    assert.ok(verified && period?.closed);
    assert.deepEqual(period.kinds, { "snapshot-sealed": 10, drilled: 1, deleted: 1 });
    assert.equal(period.snapshots.length, 10);
    const words = period.objectives.map(({ objective, worst, met, saidBy }) => [objective, worst, met, saidBy]);
    assert.deepEqual(words, [
      ["snapshotEverySeconds", 86_400, true, "statement"],
      ["verifyEverySeconds", 10 * 86_400 - 1, false, "statement"],
      ["drillEverySeconds", 5 * 86_400 + 79_199, true, "statement"],
      ["restoreWithinSeconds", 12.5, false, "statement"],
    ]);
    const strict = audit(pages, { ...policy, objectives: { snapshotEverySeconds: 3_600 } }).period!.objectives[0];
    assert.deepEqual(strict, { objective: "snapshotEverySeconds", limit: 3_600, worst: 86_400, met: false, saidBy: "policy" });
  });

  test("is refused with a page missing, twice, in another order, of another statement, or under another head", async () => {
    const [one, two, three] = pages as [PeriodStatement, PeriodStatement, PeriodStatement];
    const refused = (given: readonly unknown[], words: RegExp): void => {
      const { verified, failures } = audit(given);
      assert.equal(verified, false, String(words));
      assert.match(failures.map(({ part, reason }) => `${part} ${reason}`).join("\n"), words);
    };
    refused([one, two], /^page is one of 3, and 2 of them were given$/);
    refused([one], /^page is one of 3, and 1 of them was given$/);
    refused([two, three], /page is 2 of 3, and 1 must come here/);
    refused([one, three], /pages\[1\]\.page is 3 of 3, and 2 must come here/);
    refused([one, two, two, three], /pages\[2\]\.page is 2 of 3/);
    refused(
      [one, { ...two, entries: two.entries.slice(1) }, three],
      /pages\[1\]\.entries\[0\]\.entry\.sequence is \d+, and \d+ must come here: an entry is missing/,
    );
    refused([one, { ...two, entries: two.entries.slice(0, -1) }, three], /pages\[2\]\.entries\[0\]\.entry\.sequence/);
    refused([one, two, { ...three, objectives: {} }], /pages\[2\]\.page is of another statement/);
    refused([one, two, { ...three, to: "2026-11-15T00:00:00.000Z" }], /pages\[2\]\.page is of another statement/);
    refused([one, { ...two, before: one.entries.at(-1) }, three], /pages\[1\]\.before/);
    refused([{ ...one, after: two.entries[0] }, two, three], /^after stands in another page than the last$/m);
    refused([one, two, { ...three, page: { number: 3, of: 4 } }], /pages\[2\]\.page is 3 of 4/);
    const { log, places } = await monthOfOrders();
    const other = await buildPeriodPages({
      log,
      places,
      database,
      from: one.from,
      to: one.to,
      objectives,
      attest: (index) => buildProofBundle({ log, index }),
      atMost: 5,
    });
    refused([one, two, await other.page(3)], /pages\[2\]\.checkpoint is another one than that of the first page/);
  });

  test("becomes a page for people, in which nothing of the statement is markup", () => {
    const page = periodPage(audit(pages));
    for (const words of [
      /orders: 2026-11-05 to 2026-11-14/,
      /2 of 4 objectives missed/,
      /10 snapshots on 10 of 10 days/,
      /12\.5 s/,
      /retention/,
    ])
      assert.match(page, words);
    assert.doesNotMatch(page, /<script|https?:\/\//);
    const hostile = { ...audit(pages), period: { ...audit(pages).period!, database: "<script>alert(1)</script>" } };
    assert.match(periodPage(hostile), /&lt;script&gt;/);
    assert.doesNotMatch(periodPage(hostile), /<script/);
    const refusedPage = periodPage(audit(pages.slice(1)));
    assert.match(refusedPage, /not verified/);
    assert.doesNotMatch(refusedPage, /objectives/);
  });
});

test("a full page of entries of the usual size is one that a verifier reads", async () => {
  const log = await openLog({ store: memoryStore(), origin, signer: testSigner() });
  await log.append(
    Array.from({ length: 2_100 }, (_, at) => {
      const { body } = sealedDraft(1);
      return { identity: `${at}`, body: { ...body, time: "2026-11-05T02:00:00.000Z" } as EntryBody };
    }),
  );
  const places = placesOf(await Array.fromAsync(log.entries()));
  const options = { log, places, database, from: "2026-11-01T00:00:00.000Z", to: "2026-11-30T00:00:00.000Z" };
  const built = await buildPeriodPages({ ...options, attest: (index) => buildProofBundle({ log, index }) });
  assert.equal(built.count, 2);
  const audit = startPeriodAudit(policy);
  for (let number = 1; number <= built.count; number++) {
    const text = JSON.stringify(await built.page(number), null, 2);
    assert.ok(text.length < 6 * 1024 * 1024, `${text.length}`);
    audit.take(parseBundle(text, ["dbgov-period"]));
  }
  const { failures, period } = audit.report();
  assert.deepEqual(failures, []);
  assert.equal(period?.kinds["snapshot-sealed"], 2_100);
});

test("the command line takes all pages, writes the page for people, and wants one file of anything else", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "dbgov-period-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const { pages, policy: given } = await pagedStatement();
  await writeFile(join(folder, "trust.json"), JSON.stringify(given));
  await writeFile(join(folder, "bundle.json"), JSON.stringify(bundle));
  await writeFile(join(folder, "misbehavior.json"), JSON.stringify({ format: "dbgov-misbehavior", version: 1, views: [] }));
  for (const [at, page] of pages.entries()) await writeFile(join(folder, `${at + 1}.json`), JSON.stringify(page));
  const audit = async (...args: readonly string[]) => {
    const { code, stdout, stderr } = await runDbgov(["audit", ...args, "--trust", "trust.json", "--json"], {
      cwd: folder,
      env: process.env,
    });
    return { code, json: JSON.parse(stdout === "" ? stderr : stdout) };
  };
  const whole = await audit("1.json", "2.json", "3.json", "--html", "period.html");
  assert.deepEqual([whole.code, whole.json.period.kinds], [0, { "snapshot-sealed": 10 }]);
  assert.match(await readFile(join(folder, "period.html"), "utf8"), /1 of 2 objectives missed/);
  assert.equal((await audit("1.json", "3.json")).code, 5);
  assert.equal((await audit("bundle.json", "1.json")).json.error.type, "UsageInvalid");
  assert.equal((await audit("misbehavior.json", "1.json")).json.error.type, "UsageInvalid");
  assert.equal((await audit("1.json", "bundle.json", "3.json")).code, 2);
});

test("evidence that does not hold is shown as such where the policy asks for none", async (t) => {
  const { pages, policy: given } = await pagedStatement(100);
  // Evidence of another head would be refused; this one is sound, and of a chain and an authority that the policy does not name.
  const report = auditPeriod(pages[0], given);
  assert.equal(report.verified, true);
  const { chainId, contract, transaction, block, time } = bundle.anchors[0]!;
  const shown: PeriodReport = {
    ...report,
    anchors: [
      { chainId, contract, transaction, block, time, verified: false, reason: "anchors[0]: contract 0x1 is not in the trust policy" },
    ],
    timestamps: [{ time: null, authority: null, verified: false, reason: "timestamps[0].token is of no authority" }],
  };
  const stepsNamed = (words: RegExp) =>
    stepsOfPeriod(given, shown, 1)
      .filter(({ name }) => words.test(name))
      .map(({ state, detail }) => [state, detail]);
  assert.deepEqual(stepsNamed(/chain/), [["wrong", "anchors[0]: contract 0x1 is not in the trust policy"]]);
  assert.deepEqual(stepsNamed(/authority/), [["wrong", "timestamps[0].token is of no authority"]]);
  assert.equal(stepsOfPeriod(given, shown, 1).filter(({ state }) => state === "wrong").length, 2);
  const lines: string[] = [];
  t.mock.method(process.stdout, "write", (text: string) => lines.push(text) > 0);
  printPeriod("period.json", shown);
  t.mock.restoreAll();
  const printed = stripVTControlCharacters(lines.join(""));
  assert.match(printed, /✗ not verified: anchors\[0\]: contract 0x1 is not in the trust policy/);
  assert.match(printed, /✗ not verified: timestamps\[0\]\.token is of no authority/);
  assert.doesNotMatch(printed, /anchored on|time-stamped by/);
});

test("whatever a file says, the audit of it ends with an answer", async () => {
  const { pages, policy: given } = await pagedStatement();
  const [page] = pages as [PeriodStatement];
  const view = { checkpoint: bundle.checkpoint, entry: { entry: bundle.entry, index: bundle.index, inclusion: bundle.inclusion } };
  const proof = { format: "dbgov-misbehavior", version: 1, views: [view, view] };
  const altered = (whole: object) =>
    fc
      .record({ key: fc.constantFrom(...Object.keys(whole), "page", "__proto__"), value: fc.jsonValue() })
      .map(({ key, value }) => ({ ...whole, [key]: value }));
  fc.assert(
    fc.property(fc.oneof(fc.jsonValue(), altered(page), altered(proof)), (value) => {
      const started = startPeriodAudit(given);
      started.take(value);
      started.take(page);
      started.take(value);
      assert.equal(started.report().verified, false);
      assert.equal(auditMisbehavior(value, trust).verified, false);
    }),
    { numRuns: 500, seed: 7 },
  );
});
