import { stripVTControlCharacters, styleText } from "node:util";
import type { Finding, Result } from "../finding.ts";
import { frameworks } from "../frameworks/frameworks.ts";
import type { SweepReport } from "../sweep-report.ts";
import { byResource, countOf, minuteWords, resultOrder, resultWords, totalsWords } from "./words.ts";

export interface TextOptions {
  readonly color: boolean;
  /** Columns; lines are wrapped to it. */
  readonly width: number;
}

type Style = Parameters<typeof styleText>[0];

const marks: Readonly<Record<Result, { readonly mark: string; readonly style: Style }>> = {
  pass: { mark: "✓", style: "green" },
  fail: { mark: "✗", style: "red" },
  inconclusive: { mark: "?", style: "yellow" },
  "not-applicable": { mark: "–", style: "gray" },
};

/** Names of tables and schemas come from the database: they must not steer a terminal. */
const harmless = (text: string): string => stripVTControlCharacters(text).replaceAll(/\p{Cc}/gu, "\ufffd");

const wrap = (text: string, width: number, indent: string): string[] => {
  const room = Math.max(20, width - indent.length);
  const lines: string[] = [];
  let line = "";
  for (const word of harmless(text).split(" ")) {
    if (line !== "" && line.length + 1 + word.length > room) {
      lines.push(indent + line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, indent + line];
};

const controlWords = (finding: Finding): string =>
  [...Map.groupBy(finding.controls, ({ framework }) => framework)]
    .map(([framework, controls]) => `${frameworks[framework].name} ${controls.map(({ control }) => control).join(", ")}`)
    .join(" · ");

/** Also when only a part of the findings is shown, the counts are those of all. */
const totalsLine = ({ findings, totals }: SweepReport): string => {
  const all = resultOrder.reduce((sum, result) => sum + countOf(totals, result), 0);
  return `${all} findings: ${totalsWords(totals)}${findings.length < all ? ` (${findings.length} of them shown)` : ""}`;
};

/** The report for a terminal: what failed with what to do about it, the rest in one line each, then a summary by framework. */
export const renderText = (report: SweepReport, { color, width }: TextOptions): string => {
  const paint = (style: Style, text: string) => (color ? styleText(style, text, { validateStream: false }) : text);
  const painted = (result: Result, text: string) => paint(marks[result].style, text);
  const indent = "    ";
  const lines = [
    paint("bold", `Compliance sweep of ${minuteWords(report.at)}`),
    totalsLine(report),
    paint("gray", `${report.id}  sha256 ${report.hash}`),
  ];
  for (const { title, findings } of byResource(report)) {
    lines.push("", paint("bold", harmless(title)));
    for (const finding of findings) {
      const { mark } = marks[finding.result];
      const settled = finding.result === "pass" || finding.result === "not-applicable";
      const [first = "", ...rest] = wrap(settled ? finding.reason : finding.title, width, indent);
      lines.push(`  ${painted(finding.result, mark)} ${first.trimStart()}`, ...rest);
      if (settled) continue;
      const told = finding.result === "fail" ? `${finding.severity}: ${finding.reason}` : finding.reason;
      lines.push(...wrap(told, width, indent).map((line) => painted(finding.result, line)));
      if (finding.result !== "fail") continue;
      lines.push(...wrap(`→ ${finding.remedy}`, width, indent));
      if (finding.controls.length > 0) lines.push(...wrap(controlWords(finding), width, indent).map((line) => paint("gray", line)));
    }
  }
  if (report.frameworks.length > 0) lines.push("", paint("bold", "Controls by framework"));
  const nameWidth = Math.max(0, ...report.frameworks.map(({ name }) => name.length));
  for (const { name, totals } of report.frameworks) {
    const counts = resultOrder
      .filter((result) => countOf(totals, result) > 0)
      .map((result) => painted(result, `${countOf(totals, result)} ${resultWords[result]}`));
    lines.push(`  ${name.padEnd(nameWidth)}  ${counts.join(", ")}`);
  }
  return `${lines.join("\n")}\n`;
};
