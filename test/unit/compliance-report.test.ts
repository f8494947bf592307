import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { hashJson } from "../../core/compliance/evidence.ts";
import { frameworkIds } from "../../core/compliance/finding.ts";
import { escapeHtml } from "../../core/compliance/render/escape-html.ts";
import { renderHtml } from "../../core/compliance/render/html.ts";
import { renderText } from "../../core/compliance/render/text.ts";
import { runSweep } from "../../core/compliance/sweep.ts";
import { reportDefects, type SweepReport } from "../../core/compliance/sweep-report.ts";
import { emptyRecord, goodDatabase, goodRecord, sweptAt } from "./compliance-records.ts";

const sweepRecord = (record = goodRecord, frameworks: readonly (typeof frameworkIds)[number][] = frameworkIds): Promise<SweepReport> =>
  runSweep({ databases: [], record, now: sweptAt, frameworks, signal: new AbortController().signal });

const copyOf = (report: SweepReport) => JSON.parse(JSON.stringify(report)) as SweepReport;
const hostile = `<img src=x onerror=alert(1)>"'&\u001b[31m`;
const withHostileName = { ...goodRecord, databases: [{ ...goodDatabase, name: hostile, snapshots: [] }] };

describe("a sweep's report", () => {
  it("is the same for the same record, whatever the order of the keys", async () => {
    const first = await sweepRecord();
    assert.deepEqual(await sweepRecord(), first);
    assert.match(first.id, /^sweep-20261124T060000Z-[0-9a-f]{12}$/);
    assert.deepEqual(first.totals, { pass: 18, fail: 0, notApplicable: 0, inconclusive: 0 });
    assert.equal(hashJson({ a: 1, b: [2, { d: 3, c: 4 }] }), hashJson({ b: [2, { c: 4, d: 3 }], a: 1 }));
  });

  it("survives being written and read, and shows what was altered since", async () => {
    const report = await sweepRecord();
    assert.deepEqual(reportDefects(copyOf(report)), []);
    const prettier = copyOf(report);
    Object.assign(prettier.findings[0]!, { result: "pass", reason: "All is well." });
    assert.deepEqual(reportDefects(prettier), ["the findings are not what was hashed"]);
    const forged = copyOf(report);
    Object.assign(forged.findings[1]!, { evidence: { ageMs: 0 } });
    assert.deepEqual(reportDefects(forged), ["the evidence of database/orders/record-recovery-point is not what was hashed"]);
    const shortened = { ...copyOf(report), findings: report.findings.slice(1) };
    assert.deepEqual(reportDefects(shortened), ["the findings are not what was hashed"]);
  });

  it("lists databases as given, then those that only the record knows, then the organization", async () => {
    const report = await runSweep({
      databases: [{ name: "zebra", engine: "mongodb", url: null }],
      record: goodRecord,
      now: sweptAt,
      frameworks: ["sox"],
      signal: new AbortController().signal,
    });
    assert.deepEqual([...new Set(report.findings.map(({ resource }) => resource.name))], ["zebra", "orders", "organization"]);
    const ofZebra = report.findings.filter(({ resource }) => resource.name === "zebra");
    assert.ok(
      ofZebra.every(({ result }) => result === "inconclusive"),
      "what nobody knows is inconclusive",
    );
    assert.equal(new Set(report.findings.map(({ id }) => id)).size, report.findings.length);
  });

  it("gives a control the worst of its findings", async () => {
    const report = await sweepRecord({ ...goodRecord, keySeparation: null, log: null });
    const iso = report.frameworks.find(({ id }) => id === "iso27001")!;
    assert.equal(iso.controls.find(({ id }) => id === "A.5.28")!.result, "inconclusive");
    assert.equal(iso.controls.find(({ id }) => id === "A.8.14")!.result, "pass");
    assert.equal(iso.controls.find(({ id }) => id === "A.8.8")!.result, "not-applicable");
    const failing = await sweepRecord({ ...emptyRecord, databases: [{ ...goodDatabase, snapshots: [] }] });
    assert.equal(failing.frameworks.find(({ id }) => id === "iso27001")!.controls.find(({ id }) => id === "A.8.13")!.result, "fail");
  });

  it("speaks only of the frameworks that were chosen", async () => {
    const report = await sweepRecord(goodRecord, ["gdpr"]);
    assert.deepEqual(
      report.frameworks.map(({ id }) => id),
      ["gdpr"],
    );
    assert.ok(report.findings.every(({ controls }) => controls.every(({ framework }) => framework === "gdpr")));
  });
});

describe("a report on a terminal", () => {
  it("wraps to the width, and has colors only where they are wanted", async () => {
    const report = await sweepRecord({ ...emptyRecord, databases: [{ ...goodDatabase, snapshots: [] }] });
    const plain = renderText(report, { color: false, width: 80 });
    assert.ok(!plain.includes("\u001b"));
    // The line with the hash is one word.
    for (const line of plain.split("\n").filter((text) => !text.includes("sha256"))) assert.ok(line.length <= 80, line);
    assert.match(plain, /✗ The database has an active backup schedule/);
    assert.match(plain, /→ Run `dbgov apply`/);
    assert.ok(renderText(report, { color: true, width: 80 }).includes("\u001b[31m"));
  });

  it("does not let names steer the terminal", async () => {
    const text = renderText(await sweepRecord(withHostileName), { color: false, width: 80 });
    assert.ok(!text.includes("\u001b"));
    assert.ok(text.includes("onerror"), "the name itself is shown");
  });
});

describe("a report as a page", () => {
  it("needs nothing from outside and forbids scripts", async () => {
    const page = renderHtml(await sweepRecord());
    assert.match(page, /^<!doctype html>/);
    assert.match(page, /Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'"/);
    assert.ok(!/<script|https?:\/\/|url\(|@import/i.test(page));
    assert.match(page, /<svg role="img" aria-label="Controls by result\. SOX: /);
    assert.match(page, /No finding failed\./);
  });

  it("escapes what comes from outside", async () => {
    const page = renderHtml(await sweepRecord(withHostileName));
    assert.ok(!page.includes("<img"));
    assert.match(page, /&lt;img src=x onerror=alert\(1\)&gt;&quot;&#39;&amp;/);
  });

  it("escapes every text so that no markup is left in it, and nothing is lost", () => {
    const named: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', "#39": "'" };
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const escaped = escapeHtml(text);
        assert.ok(!/[<>"']/.test(escaped));
        assert.equal(
          escaped.replaceAll(/&(amp|lt|gt|quot|#39);/g, (_, name: string) => named[name]!),
          text,
        );
      }),
    );
  });
});
