import { html, type Markup, trusted } from "../../core/compliance/render/escape-html.ts";
import { style } from "../../core/compliance/render/html-style.ts";
import type { PeriodReport, PeriodSummary } from "../../core/ledger/verify/period.ts";
import { durationWords, objectiveWords } from "./objective-words.ts";
import { snapshotDays } from "./snapshot-days.ts";

/** What the audit of a period statement found, as one page for people: no script, nothing from outside, and everything of the statement escaped. */
export const periodPage = (report: PeriodReport): string => {
  const { period, failures } = report;
  const title = period === null ? "A statement that is not verified" : `${period.database}: ${day(period.from)} to ${day(period.to)}`;
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>${trusted(style)}</style>
</head>
<body>
<main>
<h1>${title}</h1>
${period === null ? refusal(failures) : verified(period, report)}
</main>
</body>
</html>
`.markup;
};

const day = (time: string): string => time.slice(0, 10);

const moment = (time: string): string => `${time.slice(0, 10)} ${time.slice(11, 19)}`;

const refusal = (
  failures: PeriodReport["failures"],
): Markup => html`<p><span class="chip" data-result="fail">not verified</span> Nothing of it is told here, since it does not hold:</p>
<ul>${failures.map(({ part, reason }) => html`<li><code>${part}</code> ${reason}</li>`)}</ul>`;

const verified = (period: PeriodSummary, { checkpoint, anchors, timestamps, cosignatures }: PeriodReport): Markup => {
  const { closed, kinds, drills, deletions, objectives } = period;
  const total = Object.values(kinds).reduce((sum, count) => sum + count, 0);
  const missed = objectives.filter(({ met }) => !met).length;
  const word = missed === 0 ? "all objectives met" : `${missed} of ${objectives.length} objectives missed`;
  return html`<p class="soft">All ${total} entries that the log has of this database in the period, without a gap, each proven under the checkpoint of size ${checkpoint?.size ?? 0}.
${closed ? "An entry from after it shows that nothing was left out at its end." : "No entry from after it is there yet: one that was left out at its end would not be noticed."}</p>
<p><span class="chip" data-result="pass">verified</span> ${objectives.length === 0 ? html`` : html`<span class="chip" data-result="${missed === 0 ? "pass" : "fail"}">${word}</span>`}</p>
<h2>Objectives</h2>
${objectives.length === 0 ? html`<p class="soft">Neither your policy nor the statement has any.</p>` : objectivesTable(objectives)}
<h2>Snapshots</h2>
${snapshotDays(period)}
<h2>Drills</h2>
${drills.length === 0 ? html`<p class="soft">None.</p>` : html`<table><tr><th>when</th><th>content</th><th>took</th></tr>${drills.map(({ time, identical, seconds }) => html`<tr><td>${moment(time)}</td><td><span class="chip" data-result="${identical ? "pass" : "fail"}">${identical ? "identical" : "different"}</span></td><td>${durationWords(seconds)}</td></tr>`)}</table>`}
<h2>Deletions</h2>
${deletions.length === 0 ? html`<p class="soft">None.</p>` : html`<table><tr><th>when</th><th>snapshot</th><th>why</th></tr>${deletions.map(({ time, snapshot, reason }) => html`<tr><td>${moment(time)}</td><td class="mono">${snapshot}</td><td>${reason}</td></tr>`)}</table>`}
<h2>Entries by kind</h2>
<table><tr><th>kind</th><th>entries</th></tr>${Object.entries(kinds).map(([kind, count]) => html`<tr><td>${kind}</td><td>${count}</td></tr>`)}</table>
<h2>Who attests it</h2>
<ul>
<li>The log's key: size ${checkpoint?.size ?? 0}, root <code class="break">${checkpoint?.root ?? ""}</code></li>
${cosignatures.map(({ witness, time }) => html`<li>Witness ${witness}, ${new Date(time * 1000).toISOString()}</li>`)}
${anchors.map(({ chainId, block, time, verified: held, reason = "" }) => html`<li>Chain ${chainId}, block ${block}, ${time}${held ? "" : `: not verified, ${reason}`}</li>`)}
${timestamps.map(({ authority, time, verified: held, reason = "" }) => html`<li>${held ? `Time-stamping authority ${authority ?? ""}, ${time ?? ""}` : `A time stamp that is not verified: ${reason}`}</li>`)}
</ul>
<footer>Written by <code>dbgov audit</code> from a statement and a trust policy. Times are in UTC. What it proves, and what not: docs/proof.md. An event that was never logged leaves no gap.</footer>`;
};

const objectivesTable = (objectives: PeriodSummary["objectives"]): Markup =>
  html`<table><tr><th>objective</th><th>at most</th><th>at worst</th><th>whose</th></tr>${objectives.map(
    ({ objective, limit, worst, met, saidBy }) =>
      html`<tr><td>${objectiveWords[objective]} <span class="chip" data-result="${met ? "pass" : "fail"}">${met ? "met" : "missed"}</span></td><td>${durationWords(limit)}</td><td>${worst === null ? "nothing measured" : durationWords(worst)}</td><td>${saidBy === "policy" ? "your trust policy's" : "the operator's, by the statement"}</td></tr>`,
  )}</table>`;
