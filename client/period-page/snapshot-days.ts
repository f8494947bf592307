import { html, type Markup } from "../../core/compliance/render/escape-html.ts";
import type { PeriodSummary } from "../../core/ledger/verify/period.ts";

const size = 16;
const step = 20;
const rowOf = 31;
/** Of a longer period the days would be too small to see; the words below say the same. */
const mostDays = 400;

/** A square for each day of the period, in UTC: one with a snapshot is filled. */
export const snapshotDays = ({ from, to, snapshots }: PeriodSummary): Markup => {
  const counts = new Map<string, number>();
  for (const captured of snapshots) counts.set(captured.slice(0, 10), (counts.get(captured.slice(0, 10)) ?? 0) + 1);
  const days = daysBetween(from, to);
  const without = days.filter((day) => !counts.has(day));
  const words = `${snapshots.length} snapshots on ${days.length - without.length} of ${days.length} days (UTC)`;
  const named = without.length === 0 ? "" : ` None on ${without.slice(0, 40).join(", ")}${without.length > 40 ? ", and more" : ""}.`;
  if (days.length > mostDays) return html`<p>${words}.${named}</p>`;
  const rows = Math.ceil(days.length / rowOf);
  const squares = days.map((day, at) => {
    const count = counts.get(day) ?? 0;
    const [x, y] = [(at % rowOf) * step, Math.floor(at / rowOf) * step];
    const fill = count > 0 ? "var(--pass)" : "var(--fail-bg)";
    const edge = count > 0 ? "var(--pass)" : "var(--fail)";
    return html`<rect x="${x + 1}" y="${y + 1}" width="${size}" height="${size}" rx="3" style="fill:${fill};stroke:${edge}"><title>${day}: ${count === 0 ? "no snapshot" : count === 1 ? "one snapshot" : `${count} snapshots`}</title></rect>`;
  });
  return html`<svg role="img" aria-label="${words}" viewBox="0 0 ${rowOf * step} ${rows * step}" width="100%" style="max-width:${rowOf * step}px">${squares}</svg>
<p>${words}.${named}</p>`;
};

const daysBetween = (from: string, to: string): string[] => {
  const days: string[] = [];
  for (let at = Date.parse(`${from.slice(0, 10)}T00:00:00.000Z`); at <= Date.parse(to) && days.length < 40_000; at += 86_400_000) {
    days.push(new Date(at).toISOString().slice(0, 10));
  }
  return days;
};
