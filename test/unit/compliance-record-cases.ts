import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { allChecks } from "../../core/compliance/checks/all-checks.ts";
import type { DatabaseRecord, EngineRecord } from "../../core/compliance/engine-record.ts";
import type { Result, Verdict } from "../../core/compliance/finding.ts";
import { goodDatabase, goodRecord, sweptAt } from "./compliance-records.ts";

/** How a check judges a record that is good but for what is said. */
export interface RecordCase {
  readonly check: string;
  readonly when: string;
  readonly database?: Partial<DatabaseRecord>;
  readonly record?: Partial<EngineRecord>;
  readonly result: Result;
  readonly reason: RegExp;
}

const judge = ({ check: id, database, record }: RecordCase): Verdict => {
  const check = allChecks.find((known) => known.id === id);
  const subject = { ...goodDatabase, ...database };
  const whole = { ...goodRecord, databases: [subject], ...record };
  if (check?.appliesTo === "database-record") return check.judge(subject, whole, sweptAt);
  if (check?.appliesTo === "organization-record") return check.judge(whole, sweptAt);
  throw new Error(`${id} judges no record`);
};

/** A test of each case, and one that no check of this kind is without a case that passes and one that fails. */
export const judgesRecords = (kind: "database-record" | "organization-record", cases: readonly RecordCase[]): void => {
  void describe(`checks of the engine's own record: ${kind}`, () => {
    for (const one of cases) {
      it(`${one.check} is ${one.result} when ${one.when}`, () => {
        const verdict = judge(one);
        assert.equal(verdict.result, one.result, verdict.reason);
        assert.match(verdict.reason, one.reason);
        assert.match(verdict.reason, /^[A-Z0-9].*\.$/s, "one sentence");
        assert.notEqual(verdict.evidence, null);
      });
    }

    it("each check has a case that passes and one that fails", () => {
      const checks = allChecks.filter(({ appliesTo }) => appliesTo === kind);
      assert.ok(checks.length > 0);
      for (const { id } of checks) {
        for (const result of ["pass", "fail"])
          assert.ok(
            cases.some((one) => one.check === id && one.result === result),
            `${id} has no case that is ${result}`,
          );
      }
    });
  });
};
