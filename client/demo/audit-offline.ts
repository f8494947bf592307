import { copyFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Failure } from "../../core/domain/failure.ts";
import type { AuditReport } from "../../core/ledger/verify/audit.ts";
import { bad, plural } from "../cli/terminal.ts";
import { runDbgov } from "./run-dbgov.ts";
import type { DemoContext } from "./run-demo.ts";

/**
 * Exports the proof bundle, and has it checked by a process that gets the bundle, the trust policy and nothing else: no
 * configuration, no secret in its environment, no address of the stack.
 */
export const auditOffline = async ({ stage, dbgov, folder }: DemoContext, snapshot: string): Promise<AuditReport> =>
  await stage.step("The auditor checks the proof bundle, offline", async () => {
    const made = await dbgov("proof", snapshot, "--out", "bundle.json", "--trust", "trust.json", "--json");
    if (made.code !== 0) throw new Failure("VerificationFailed", `the proof bundle could not be made: ${made.stdout}${made.stderr}`);
    const elsewhere = await mkdtemp(join(tmpdir(), "dbgov-auditor-"));
    try {
      for (const file of ["bundle.json", "trust.json"]) await copyFile(join(folder, file), join(elsewhere, file));
      const env = { PATH: process.env.PATH };
      const { stdout } = await runDbgov(["audit", "bundle.json", "--trust", "trust.json", "--json"], { cwd: elsewhere, env });
      const report = JSON.parse(stdout) as AuditReport;
      if (report.verified)
        stage.done(
          `verified: entry ${report.entry?.index} is in the log of ${plural(report.checkpoint?.size ?? 0, "entry", "entries")}, anchored at ${report.anchors[0]?.time}`,
        );
      for (const { part, reason } of report.failures) stage.tell(`${bad("✗")} ${part} ${reason}`);
      return report;
    } finally {
      await rm(elsewhere, { recursive: true, force: true });
    }
  });
