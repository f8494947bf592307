import type { SweepReport } from "../sweep-report.ts";
import { html, trusted } from "./escape-html.ts";
import { frameworkChart } from "./html-chart.ts";
import { anchorOf, controlsSection, findingsSection } from "./html-findings.ts";
import { style } from "./html-style.ts";
import { countOf, failuresByGravity, minuteWords, resultOrder, resultWords } from "./words.ts";

const shownFirst = 6;

const more = (count: number) => (count > 0 ? html`<p class="soft">and ${count} more below.</p>` : html``);

const actFirst = (report: SweepReport) => {
  const failures = failuresByGravity(report);
  if (failures.length === 0) return html`<p>No finding failed.</p>`;
  const items = failures
    .slice(0, shownFirst)
    .map(
      (finding) =>
        html`<li><a href="#${anchorOf(report, finding)}">${finding.resource.name}</a>: ${finding.reason} <span class="soft">(${finding.severity})</span></li>`,
    );
  return html`<ol class="first">${items}</ol>${more(failures.length - shownFirst)}`;
};

/** Many findings are inconclusive for one reason, such as a server that is away: the reason is said once. */
const notJudged = (report: SweepReport) => {
  const open = report.findings.filter(({ result }) => result === "inconclusive");
  if (open.length === 0) return html``;
  const groups = [...Map.groupBy(open, ({ resource, reason }) => `${resource.name}\n${reason}`).values()].toSorted(
    (left, right) => right.length - left.length,
  );
  const items = groups.slice(0, 3).map((findings) => {
    const first = findings[0]!;
    return html`<li><a href="#${anchorOf(report, first)}">${first.resource.name}</a>: ${first.reason} <span class="soft">(${findings.length})</span></li>`;
  });
  return html`<h3 class="next">Could not be judged</h3><ul class="first">${items}</ul>${more(groups.length - 3)}`;
};

/**
 * The report as one page that needs nothing else: no network, no script (its policy forbids both, so that not even a
 * mistake in escaping could run anything), light and dark, and fit for printing.
 */
export const renderHtml = (report: SweepReport): string =>
  html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Compliance sweep of ${minuteWords(report.at)}</title>
<style>${trusted(style)}</style>
</head>
<body>
<main>
<h1>Compliance sweep</h1>
<p class="soft">${minuteWords(report.at)} · ${report.findings.length} findings on ${new Set(report.findings.filter(({ resource }) => resource.kind === "database").map(({ resource }) => resource.name)).size} databases and the organization · ${report.id}</p>
<div class="totals">${resultOrder.map((result) => html`<div class="card total" data-result="${result}"><b>${countOf(report.totals, result)}</b>${resultWords[result]}</div>`)}</div>
<div class="two">
<div class="card"><h3>Act first</h3>${actFirst(report)}</div>
<div class="card"><h3>Controls by framework</h3>${frameworkChart(report.frameworks)}${notJudged(report)}</div>
</div>
${controlsSection(report)}
${findingsSection(report)}
<footer>
<p><b>How to read this.</b> A control shows the worst of its findings. <b>Pass</b> and <b>fail</b> were observed. <b>Inconclusive</b> means that nobody knows: a permission was missing, or a server did not answer; it never counts as a pass. <b>Not applicable</b> means that there was nothing to judge. Findings are evidence for controls; whether a control is met remains the judgment of people.</p>
<p class="break">The findings' SHA-256 is <code>${report.hash}</code>. It covers the time, every finding and the hash of its evidence, as canonical JSON (RFC 8785), and is what the sweep's log entry holds.</p>
</footer>
</main>
</body>
</html>
`.markup;
