import type { Durability } from "../../core/domain/durability.ts";
import type { Sensitivity } from "./sensitivity.ts";

const barHeight = 26;
const labelWidth = 250;
const chartWidth = 460;
const top = 56;

/** Annual loss on a logarithmic axis: a bar from each assumption's tenth to its tenfold, the line what is assumed, dashed what is promised. */
export const sensitivityChart = (title: string, base: Durability, all: readonly Sensitivity[], promised: number): string => {
  const values = [base, ...all.flatMap(({ better, worse }) => [better, worse])]
    .map(({ annualLoss }) => annualLoss)
    .filter((loss) => loss > 0);
  const least = Math.floor(Math.log10(Math.min(...values, promised)));
  const most = Math.ceil(Math.log10(Math.max(...values, promised)));
  const x = (loss: number): number =>
    labelWidth + ((Math.log10(Math.max(loss, 10 ** least)) - least) / Math.max(1, most - least)) * chartWidth;
  const bottom = top + all.length * barHeight;
  const ticks = Array.from({ length: most - least + 1 }, (_, at) => {
    const place = x(10 ** (least + at)).toFixed(1);
    return (
      `<line x1="${place}" y1="${top - 6}" x2="${place}" y2="${bottom}" stroke="#808080" stroke-opacity="0.25"/>` +
      `<text x="${place}" y="${top - 12}" text-anchor="middle">10<tspan dy="-5" font-size="9">${least + at}</tspan></text>`
    );
  });
  const bars = all.map(({ assumption, better, worse }, at) => {
    const y = top + at * barHeight;
    const [from, to] = [x(better.annualLoss), x(worse.annualLoss)].sort((a, b) => a - b) as [number, number];
    return (
      `<text x="${labelWidth - 10}" y="${y + 17}" text-anchor="end">${assumption}</text>` +
      `<rect x="${from.toFixed(1)}" y="${y + 5}" width="${Math.max(2, to - from).toFixed(1)}" height="${barHeight - 10}" rx="2" fill="#2f7ed8"/>`
    );
  });
  const line = (loss: number, dashes: string): string => {
    const place = x(loss).toFixed(1);
    return `<line x1="${place}" y1="${top - 6}" x2="${place}" y2="${bottom}" stroke="#c0392b" stroke-width="2"${dashes}/>`;
  };
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${labelWidth + chartWidth + 40}" height="${bottom + 12}" font-family="sans-serif" font-size="13" fill="#808080">
<title>${title}: probability that a year loses something, where one assumption is a tenth or ten times what it is</title>
<text x="8" y="18" font-weight="bold">${title}: annual loss, each assumption from a tenth to ten times</text>
${[...ticks, ...bars, line(base.annualLoss, ""), line(promised, ' stroke-dasharray="5 4"')].join("\n")}
</svg>
`;
};
