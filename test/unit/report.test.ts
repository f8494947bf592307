import assert from "node:assert/strict";
import { it } from "node:test";
import type { TestEvent } from "node:test/reporters";
import { createReport } from "../report.ts";

const event = (type: string, data: object) => ({ type, data }) as unknown as TestEvent;
const counts = (passed: number, failed: number, skipped = 0, cancelled = 0) => ({ passed, failed, cancelled, skipped, todo: 0 });
const failure = (file: string, name: string, message: string) =>
  event("test:fail", { file, name, details: { error: Object.assign(new Error("wrapper", { cause: new Error(message) })) } });

const collect = () => {
  const lines: string[] = [];
  return { lines, report: createReport("/clone", (line) => lines.push(line)) };
};

it("shows a file that passed in one line, without what it printed", () => {
  const { lines, report } = collect();
  report.take(event("test:stdout", { file: "/clone/a.test.ts", message: "noise\n" }));
  report.take(event("test:summary", { file: "/clone/a.test.ts", duration_ms: 1_500, counts: counts(3, 0, 1) }));
  report.take(event("test:summary", { duration_ms: 1_600, counts: counts(3, 0, 1) }));
  assert.deepEqual(report.finish(), { passed: 3, failed: 0, skipped: 1 });
  assert.deepEqual(lines, ["✔ a.test.ts: 3 passed, 1 skipped (1.5 s)", "slowest: a.test.ts 1.5 s"]);
});

it("shows a failure with its cause and what its file printed, and counts what was cancelled as failed", () => {
  const { lines, report } = collect();
  report.take(event("test:stderr", { file: "/clone/b.test.ts", message: "a hint\n" }));
  report.take(failure("/clone/b.test.ts", "adds up", "1 is not 2"));
  report.take(event("test:summary", { file: "/clone/b.test.ts", duration_ms: 20, counts: counts(1, 1, 0, 1) }));
  report.take(event("test:summary", { duration_ms: 30, counts: counts(1, 1, 0, 1) }));
  assert.deepEqual(report.finish(), { passed: 1, failed: 2, skipped: 0 });
  const text = lines.join("\n");
  assert.match(text, /^✖ b\.test\.ts: 1 passed, 2 failed/);
  assert.match(text, /✖ adds up\n {6}Error: 1 is not 2/);
  assert.match(text, /printed by this file:\n {6}a hint/);
});

it("shows a file that ended before it could report", () => {
  const { lines, report } = collect();
  report.take(event("test:stderr", { file: "/clone/c.test.ts", message: "SyntaxError\n" }));
  report.take(failure("/clone/c.test.ts", "/clone/c.test.ts", "test failed"));
  assert.deepEqual(report.unfinished(["c.test.ts"]), ["c.test.ts"]);
  report.take(event("test:summary", { duration_ms: 30, counts: counts(0, 1) }));
  assert.equal(report.finish().failed, 1);
  assert.match(lines.join("\n"), /✖ \/clone\/c\.test\.ts\n[\s\S]*SyntaxError/);
});
