import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { allChecks } from "../../core/compliance/checks/all-checks.ts";
import { checksDocument } from "../../core/compliance/checks-document.ts";
import { frameworkIds } from "../../core/compliance/finding.ts";
import { controlsOf, frameworks } from "../../core/compliance/frameworks/frameworks.ts";

describe("checks and frameworks", () => {
  it("has unique ids that start with what they judge", () => {
    assert.equal(new Set(allChecks.map(({ id }) => id)).size, allChecks.length);
    const beginnings = { "database-record": ["record", "database"], "organization-record": ["record"] } as const;
    for (const { id, appliesTo } of allChecks) {
      const allowed: readonly string[] = appliesTo in beginnings ? beginnings[appliesTo as keyof typeof beginnings] : [appliesTo];
      assert.ok(
        allowed.some((beginning) => id.startsWith(`${beginning}-`)),
        id,
      );
    }
  });

  for (const framework of frameworkIds) {
    it(`maps every check to a control of ${frameworks[framework].name}, and names no unknown check`, () => {
      for (const { id } of allChecks) assert.notEqual(controlsOf(id, [framework]).length, 0, id);
      const known = new Set(allChecks.map(({ id }) => id));
      for (const control of frameworks[framework].controls) {
        assert.notEqual(control.checks.length, 0, control.id);
        assert.equal(new Set(control.checks).size, control.checks.length, control.id);
        for (const check of control.checks) assert.ok(known.has(check), `${control.id} names ${check}`);
      }
      assert.equal(new Set(frameworks[framework].controls.map(({ id }) => id)).size, frameworks[framework].controls.length);
    });
  }

  it("maps many to many", () => {
    assert.ok(allChecks.some(({ id }) => controlsOf(id, ["iso27001"]).length > 1));
    assert.deepEqual(controlsOf("record-retention", ["gdpr", "hipaa"]), [
      { framework: "gdpr", control: "Art. 5(1)(e)" },
      { framework: "hipaa", control: "164.312(c)(1)" },
      { framework: "hipaa", control: "164.316(b)(2)(i)" },
    ]);
  });

  it("is what docs/compliance.md says (npm run docs writes it)", async () => {
    const path = join(import.meta.dirname, "..", "..", "docs", "compliance.md");
    assert.equal(await readFile(path, "utf8"), checksDocument());
  });
});
