import type { Check } from "./check.ts";
import { allChecks } from "./checks/all-checks.ts";
import { frameworkIds } from "./finding.ts";
import { controlsOf, frameworks } from "./frameworks/frameworks.ts";
import { mongodbSupport, postgresSupport, type SupportTable } from "./support-dates.ts";

const subjects: Readonly<Record<Check["appliesTo"], string>> = {
  postgres: "PostgreSQL databases",
  mongodb: "MongoDB databases",
  "database-record": "What the engine recorded of each declared database",
  "organization-record": "What the engine recorded of the organization",
};

const checkSection = (check: Check): string =>
  [
    `### ${check.title}`,
    "",
    `\`${check.id}\` · ${check.severity}`,
    "",
    check.rationale,
    "",
    `- **When it fails:** ${check.remedy}`,
    ...("permission" in check && check.permission !== "nothing"
      ? [`- **Needs:** ${check.permission}; without it the finding is inconclusive.`]
      : []),
    ...frameworkIds.map(
      (id) =>
        `- **${frameworks[id].name}:** ${controlsOf(check.id, [id])
          .map(({ control }) => control)
          .join(", ")}`,
    ),
  ].join("\n");

const frameworkSection = (id: (typeof frameworkIds)[number]): string => {
  const { name, basis, controls } = frameworks[id];
  const rows = controls.map(
    ({ id: control, title, checks }) => `| ${control} | ${title} | ${checks.map((check) => `\`${check}\``).join(", ")} |`,
  );
  return [`### ${name}`, "", `${basis}.`, "", "| Control | What it asks for, in our words | Checks |", "| --- | --- | --- |", ...rows].join(
    "\n",
  );
};

const supportSection = (product: string, { source, asOf, lastDay }: SupportTable): string =>
  [
    `### ${product}`,
    "",
    `From <${source}>, state of ${asOf}.`,
    "",
    "| Version | Last day of support |",
    "| --- | --- |",
    ...Object.entries(lastDay)
      .toSorted(([left], [right]) => Number(left) - Number(right))
      .map(([version, day]) => `| ${version} | ${day ?? "not said"} |`),
  ].join("\n");

/** `docs/compliance.md`, whole. A test compares the file with it. */
export const checksDocument = (): string =>
  `${[
    "# Compliance checks",
    "",
    "<!-- Generated from core/compliance. Write it anew with: DBGOV_WRITE_DOCS=1 node --test test/unit/compliance-frameworks.test.ts -->",
    "",
    "A sweep runs every check on every resource that it applies to. A finding is `pass`, `fail`, `not-applicable` or `inconclusive`. A missing",
    "permission, a server that does not answer or a check that takes longer than 15 seconds is inconclusive, never a pass. Sweeps read only: each",
    "query runs in a read-only transaction, and the only attempts to get in without credentials are made on the operator's own declared hosts.",
    "Evidence is what was read, without URLs and passwords; its SHA-256 over canonical JSON (RFC 8785) is in the finding, and the report's hash",
    "covers all findings. Findings are evidence for controls; whether a control is met remains the judgment of people.",
    "",
    "## Checks",
    "",
    ...Object.entries(subjects).flatMap(([subject, title]) => [
      `**${title}**`,
      "",
      ...allChecks.filter(({ appliesTo }) => appliesTo === subject).flatMap((check) => [checkSection(check), ""]),
    ]),
    "## Frameworks",
    "",
    ...frameworkIds.flatMap((id) => [frameworkSection(id), ""]),
    "## Supported versions",
    "",
    supportSection("PostgreSQL", postgresSupport),
    "",
    supportSection("MongoDB", mongodbSupport),
  ].join("\n")}\n`;
