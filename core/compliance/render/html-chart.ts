import type { FrameworkSummary } from "../sweep-report.ts";
import { html, type Markup } from "./escape-html.ts";
import { countOf, resultOrder, resultWords, totalsWords } from "./words.ts";

const labelWidth = 118;
const barWidth = 380;
const rowHeight = 34;
const barHeight = 22;

const bar = ({ name, totals, controls }: FrameworkSummary, row: number): Markup => {
  const y = row * rowHeight + (rowHeight - barHeight) / 2;
  const unit = controls.length === 0 ? 0 : barWidth / controls.length;
  let x = labelWidth;
  const pieces = resultOrder.map((result) => {
    const count = countOf(totals, result);
    const width = count * unit;
    const left = x;
    x += width;
    if (count === 0) return html``;
    return html`<g data-result="${result}"><rect x="${left.toFixed(1)}" y="${y}" width="${Math.max(0, width - 2).toFixed(1)}" height="${barHeight}" rx="3" style="fill:var(--tone)"><title>${name}: ${count} ${resultWords[result]}</title></rect><text class="count" x="${(left + width / 2 - 1).toFixed(1)}" y="${y + 16}">${count}</text></g>`;
  });
  return html`<text x="0" y="${y + 16}">${name}</text>${pieces}`;
};

/** One stacked bar for each framework: how many of its controls have which result. */
export const frameworkChart = (summaries: readonly FrameworkSummary[]): Markup => {
  const described = summaries.map(({ name, totals }) => `${name}: ${totalsWords(totals)}`).join("; ");
  return html`<svg role="img" aria-label="Controls by result. ${described}" viewBox="0 0 ${labelWidth + barWidth} ${summaries.length * rowHeight}" width="100%">${summaries.map(bar)}</svg>
<div class="key">${resultOrder.map((result) => html`<span data-result="${result}">${resultWords[result]}</span>`)}</div>`;
};
