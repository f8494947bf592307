import type { Finding } from "../finding.ts";
import { frameworks } from "../frameworks/frameworks.ts";
import type { FrameworkSummary, SweepReport } from "../sweep-report.ts";
import { type Totals, totalsOf } from "../sweep-report.ts";
import { html, type Markup } from "./escape-html.ts";
import { evidenceText } from "./evidence-text.ts";
import { byResource, countOf, resultOrder, resultWords } from "./words.ts";

/** Ids may hold anything a database's name may; a fragment must not. */
export const anchorOf = (report: SweepReport, finding: Finding): string => `finding-${report.findings.indexOf(finding) + 1}`;

const findingCard = (report: SweepReport, finding: Finding): Markup => {
  const { title, result, reason, rationale, remedy, severity, controls, evidence, evidenceHash, check } = finding;
  const listed = [...Map.groupBy(controls, ({ framework }) => framework)].map(
    ([framework, inFramework]) => html`<div>${frameworks[framework].name}: ${inFramework.map(({ control }) => control).join(", ")}</div>`,
  );
  return html`<details class="finding" id="${anchorOf(report, finding)}" data-result="${result}">
<summary><span><span class="chip">${resultWords[result]}</span></span><span><b>${title}</b><span class="said break">${reason}</span></span><span class="soft">${severity}</span></summary>
<dl class="body"><dt>Why it matters</dt><dd>${rationale}</dd>
${result === "pass" || result === "not-applicable" ? html`` : html`<dt>What to do</dt><dd>${remedy}</dd>`}
<dt>Bears on</dt><dd>${listed}</dd>
<dt>What was read</dt><dd><pre>${evidenceText(evidence)}</pre><span class="mono soft break">${check} · sha256 ${evidenceHash}</span></dd></dl></details>`;
};

export const findingsSection = (report: SweepReport): Markup => {
  const choices = [{ id: "all", words: `All ${report.findings.length}` }].concat(
    resultOrder.map((result) => ({ id: `only-${result}`, words: resultWords[result] })),
  );
  return html`<h2 id="findings">Findings</h2>
<fieldset class="filter"><legend>Show findings</legend>${choices.map(
    ({ id, words }, index) =>
      html`<label><input type="radio" name="show" id="${id}"${index === 0 ? html` checked` : html``}>${words}</label>`,
  )}</fieldset>
${byResource(report).map(
  ({ title, findings }) => html`<section class="group"><header><h3>${title}</h3><span>${chipsOf(totalsOf(findings))}</span></header>
${findings.map((finding) => findingCard(report, finding))}</section>`,
)}`;
};

const chipsOf = (totals: Totals): Markup[] =>
  resultOrder
    .filter((result) => countOf(totals, result) > 0)
    .map((result) => html`<span class="chip" data-result="${result}">${countOf(totals, result)} ${resultWords[result]}</span> `);

/** What stands against a control: one chip for each resource and result, which leads to the first such finding. */
const against = (report: SweepReport, framework: FrameworkSummary, control: string): Markup => {
  const open = report.findings.filter(
    ({ result, controls }) =>
      (result === "fail" || result === "inconclusive") && controls.some((one) => one.framework === framework.id && one.control === control),
  );
  const groups = Map.groupBy(open, ({ resource, result }) => `${result} ${resource.name}`);
  return html`${[...groups.values()].map((findings) => {
    const first = findings[0]!;
    const times = findings.length > 1 ? ` ×${findings.length}` : "";
    const reasons = findings.map(({ reason }) => reason).join("\n");
    return html`<a href="#${anchorOf(report, first)}" data-result="${first.result}" class="chip" title="${reasons}">${first.resource.name}${times}</a> `;
  })}`;
};

export const controlsSection = (report: SweepReport): Markup => html`<h2 id="controls">Controls by framework</h2>
${report.frameworks.map(
  (
    framework,
  ) => html`<details class="card framework"><summary>${framework.name} <span class="soft">${framework.basis}</span><span class="counts">${chipsOf(framework.totals)}</span></summary>
<div class="inside"><table><thead><tr><th>Control</th><th>What it asks for, in our words</th><th>Result</th><th>Against it</th></tr></thead><tbody>
${framework.controls.map(
  ({ id, title, result }) =>
    html`<tr data-result="${result}"><td>${id}</td><td>${title}</td><td><span class="chip">${resultWords[result]}</span></td><td>${against(report, framework, id)}</td></tr>`,
)}</tbody></table></div></details>`,
)}`;
