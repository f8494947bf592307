import { html, type Markup, trusted } from "../core/compliance/render/escape-html.ts";
import { style } from "../core/compliance/render/html-style.ts";
import { formatSize } from "../core/domain/size.ts";

/** What a forecast says, for programs and for the page. Dates are days, as `2026-12-24`; null is never within the days. */
export interface ForecastReport {
  readonly days: number;
  readonly estate: number | null;
  readonly growthPerDay: number;
  readonly stores: readonly {
    readonly name: string;
    readonly allowance: number | null;
    readonly used: number;
    readonly fullOn: string | null;
    readonly costsFrom: string | null;
  }[];
  readonly policies: readonly { readonly policy: string; readonly refusedOn: string | null; readonly why: string | null }[];
  readonly timeline: readonly {
    readonly day: number;
    readonly date: string;
    readonly used: Readonly<Record<string, number>>;
    readonly perMonth: number;
  }[];
}

const labelDistance = 15;
const [width, height, left, top, right, bottom] = [980, 200, 74, 12, 96, 26];
/** Told apart also by people who see few colors; the names stand at the lines' ends. */
const colors = ["#2557a7", "#c6602b", "#1a7f4b", "#8a4fa3", "#a88400", "#0f8b8d", "#b03060", "#5c6779"];

interface Line {
  readonly name: string;
  readonly values: readonly number[];
  readonly limit: number | null;
}

/** Heights of the names at the lines' ends: each at its line's, or as little lower as keeps it readable. */
const labelHeights = (ends: readonly number[]): number[] => {
  const heights: number[] = [];
  let last = Number.NEGATIVE_INFINITY;
  for (const [at, end] of [...ends.entries()].toSorted(([, a], [, b]) => a - b)) {
    last = Math.max(end, last + labelDistance);
    heights[at] = last;
  }
  return heights;
};

/** One chart: time to the right, the lines, and each line's limit as dashes. */
const chart = (
  title: string,
  days: readonly number[],
  lines: readonly Line[],
  words: (value: number) => string,
  dates: readonly [string, string],
): Markup => {
  const limits = lines.flatMap(({ limit, values }) => (limit === null || limit > 4 * Math.max(...values, 1) ? [] : [limit]));
  const most = Math.max(...lines.flatMap(({ values }) => values), ...limits, 1e-9) * 1.05;
  const lastDay = Math.max(1, days.at(-1)!);
  const x = (day: number): string => (left + ((width - left - right) * day) / lastDay).toFixed(1);
  const y = (value: number): string => (top + (height - top - bottom) * (1 - value / most)).toFixed(1);
  const grid = [0, 0.5, 1].map((share) => {
    const value = (most / 1.05) * share;
    return html`<line x1="${left}" x2="${width - right}" y1="${y(value)}" y2="${y(value)}" stroke="var(--line)"/><text x="${left - 8}" y="${y(value)}" text-anchor="end" dominant-baseline="middle">${words(value)}</text>`;
  });
  const labels = labelHeights(lines.map(({ values }) => Number(y(values.at(-1)!))));
  const drawn = lines.map(({ name, values, limit }, at) => {
    const color = colors[at % colors.length]!;
    const points = values.map((value, i) => `${x(days[i]!)},${y(value)}`).join(" ");
    const dashes =
      limit === null || !limits.includes(limit)
        ? html``
        : html`<line x1="${left}" x2="${width - right}" y1="${y(limit)}" y2="${y(limit)}" stroke="${color}" stroke-dasharray="5 4" opacity=".7"/>`;
    return html`${dashes}<polyline points="${points}" fill="none" stroke="${color}" stroke-width="2"><title>${name}: ${words(values[0]!)} to ${words(values.at(-1)!)}</title></polyline><text x="${width - right + 6}" y="${labels[at]!.toFixed(1)}" dominant-baseline="middle" style="fill:${color}">${name}</text>`;
  });
  const [from, to] = dates;
  return html`<svg role="img" aria-label="${title}" viewBox="0 0 ${width} ${height}" width="100%">${grid}<text x="${left}" y="${height - 6}">${from}</text><text x="${width - right}" y="${height - 6}" text-anchor="end">${to}</text>${drawn}</svg>`;
};

const dollars = (value: number): string => `$${value.toFixed(2)}`;

/** One file, without scripts and without anything from elsewhere. */
export const forecastPage = (organization: string, report: ForecastReport): string => {
  const { estate, growthPerDay, days, stores, policies, timeline } = report;
  const dayNumbers = timeline.map(({ day }) => day);
  const dates = [timeline[0]!.date, timeline.at(-1)!.date] as const;
  const of = estate === null ? "What is kept now" : `An estate of ${formatSize(estate)}`;
  // A store that nothing goes to would only draw a line along the bottom.
  const lines = stores
    .filter(({ name }) => timeline.some(({ used }) => used[name]! > 0))
    .map(({ name, allowance }) => ({ name, limit: allowance, values: timeline.map(({ used }) => used[name]!) }));
  const perMonth = timeline.map((point) => point.perMonth);
  const costs = perMonth.every((dollarsThen) => dollarsThen === 0)
    ? html`Nothing, on every one of these days.`
    : chart("Dollars a month", dayNumbers, [{ name: "all stores", limit: null, values: perMonth }], dollars, dates);
  const rows = stores.map(
    ({ name, used, allowance, fullOn, costsFrom }) =>
      html`<tr><td>${name}</td><td>${formatSize(used)}</td><td>${allowance === null ? "no limit" : formatSize(allowance)}</td><td>${fullOn === null ? "not within these days" : `full on ${fullOn}`}${costsFrom === null ? "" : `; costs from ${costsFrom}`}</td></tr>`,
  );
  const refusals = policies.map(({ policy, refusedOn, why }) =>
    refusedOn === null
      ? html`<p data-result="pass"><span class="chip">kept</span> ${policy}: every promise can be kept over these days.</p>`
      : html`<p data-result="fail"><span class="chip">from ${refusedOn}</span> ${policy}: what is new has no place: ${why ?? ""}</p>`,
  );
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>Forecast of stores</title>
<style>${trusted(style)}</style></head><body><main>
<h1>Forecast of stores</h1>
<p class="soft">${organization}. ${of}, growing by ${formatSize(growthPerDay)} a day, over ${days} days from ${dates[0]}.</p>
${refusals}
<h2>What lies where</h2><div class="card">${chart("Bytes by store", dayNumbers, lines, (value) => formatSize(Math.round(value)), dates)}</div>
<p class="soft">Dashes are allowances. Nothing is placed beyond them: what does not fit goes elsewhere, or is refused.</p>
<h2>What that costs a month</h2><div class="card">${costs}</div>
<p class="soft">For storage, by the table of allowances; stores without a known price are not in it, nor is traffic.</p>
<h2>Stores</h2><div class="card"><table><tr><th>store</th><th>holds then</th><th>of</th><th>when</th></tr>${rows}</table></div>
</main></body></html>
`.markup;
};
