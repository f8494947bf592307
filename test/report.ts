import { relative } from "node:path";
import type { TestEvent } from "node:test/reporters";
import { inspect } from "node:util";
import { formatDuration } from "../core/domain/duration.ts";

export interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

interface RunnerCounts {
  passed: number;
  failed: number;
  cancelled: number;
  skipped: number;
  todo: number;
}

interface FileRecord {
  output: string;
  failures: string[];
}

const countsOf = ({ passed, failed, cancelled, skipped, todo }: RunnerCounts): Counts => ({
  passed,
  failed: failed + cancelled,
  skipped: skipped + todo,
});

const causeOf = (error: unknown): string => {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  return cause instanceof Error ? (cause.stack ?? cause.message) : typeof cause === "string" ? cause : inspect(cause);
};

const indent = (text: string) => text.trimEnd().replace(/^/gm, "      ");

/**
 * Turns the test runner's events into one line for each file, the failures in full with what their file printed, and
 * the slowest files. `finish` returns the counts.
 */
export const createReport = (root: string, print: (line: string) => void) => {
  const files = new Map<string, FileRecord>();
  const times: { file: string; ms: number }[] = [];
  const recordOf = (file: string | undefined): FileRecord => {
    const key = file ?? "";
    const record = files.get(key) ?? { output: "", failures: [] };
    files.set(key, record);
    return record;
  };
  const counts: Counts = { passed: 0, failed: 0, skipped: 0 };

  const endFile = (file: string, data: { counts: RunnerCounts; duration_ms: number }) => {
    const record = recordOf(file);
    times.push({ file, ms: data.duration_ms });
    const { passed, failed, skipped } = countsOf(data.counts);
    const parts = [`${passed} passed`, failed > 0 ? `${failed} failed` : "", skipped > 0 ? `${skipped} skipped` : ""];
    const mark = record.failures.length + failed > 0 ? "✖" : "✔";
    print(`${mark} ${relative(root, file)}: ${parts.filter(Boolean).join(", ")} (${formatDuration(data.duration_ms)})`);
    for (const failure of record.failures) print(failure);
    if (record.failures.length > 0 && record.output.trim() !== "")
      print(`    printed by this file:\n${indent(record.output.slice(-8_000))}`);
    record.failures.length = 0;
  };

  const take = (event: TestEvent): void => {
    switch (event.type) {
      case "test:stdout":
      case "test:stderr":
        recordOf(event.data.file).output += event.data.message;
        return;
      case "test:fail": {
        // A suite fails because something inside it did, which is reported itself.
        const { error } = event.data.details as { error: Error & { failureType?: string } };
        if (error.failureType === "subtestsFailed" || event.data.todo || event.data.skip) return;
        recordOf(event.data.file).failures.push(`    ✖ ${event.data.name}\n${indent(causeOf(error))}`);
        return;
      }
      case "test:summary": {
        // The runner counts failures apart from cancellations; its types do not say so.
        const summary = event.data as unknown as { file?: string; duration_ms: number; counts: RunnerCounts };
        if (summary.file === undefined) Object.assign(counts, countsOf(summary.counts));
        else endFile(summary.file, summary);
      }
    }
  };

  const finish = (): Counts => {
    // Files that ended before they could report, for one by a syntax error.
    for (const record of files.values()) for (const failure of record.failures) print(`${failure}\n${indent(record.output.slice(-8_000))}`);
    const slowest = times.sort((a, b) => b.ms - a.ms).slice(0, 5);
    print(`slowest: ${slowest.map(({ file, ms }) => `${relative(root, file)} ${formatDuration(ms)}`).join(", ")}`);
    return counts;
  };

  const unfinished = (all: readonly string[]): string[] =>
    all.filter((file) => !times.some((ended) => relative(root, ended.file) === file));

  return { take, finish, unfinished };
};
