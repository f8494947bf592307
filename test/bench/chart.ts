import { type DataSetResult, medianOf, type Work } from "./results.ts";
import { type ArmName, arms, states } from "./sample.ts";

const barHeight = 20;
const labelWidth = 220;
const chartWidth = 480;

/** Bars of median seconds, a group for each state, in colors that show on light and dark pages. */
export const benchmarksChart = (result: DataSetResult): string => {
  const groups: { title: string; bars: { label: string; seconds: number }[] }[] = [];
  for (const [work, title] of Object.entries({ ...states, restore: "restore" })) {
    const bars = (Object.keys(arms) as ArmName[]).flatMap((arm) => {
      const seconds = medianOf(result, work as Work, arm, "seconds");
      return seconds === undefined ? [] : [{ label: arms[arm], seconds }];
    });
    if (bars.length > 0) groups.push({ title, bars });
  }
  const longest = Math.max(...groups.flatMap(({ bars }) => bars.map(({ seconds }) => seconds)));
  let y = 0;
  const drawn = groups.map(({ title, bars }) => {
    y += 34;
    const heading = `<text x="8" y="${y - 8}" font-weight="bold">${title}, seconds</text>`;
    const lines = bars.map(({ label, seconds }) => {
      const width = Math.max(1, (seconds / longest) * chartWidth);
      const color = label.startsWith("ours") ? "#2f7ed8" : "#9a9a9a";
      const bar =
        `<text x="${labelWidth - 8}" y="${y + 14}" text-anchor="end">${label}</text>` +
        `<rect x="${labelWidth}" y="${y + 3}" width="${width.toFixed(1)}" height="${barHeight - 5}" rx="2" fill="${color}"/>` +
        `<text x="${(labelWidth + width + 6).toFixed(1)}" y="${y + 14}">${seconds.toFixed(2)}</text>`;
      y += barHeight;
      return bar;
    });
    return [heading, ...lines].join("\n");
  });
  const size = `width="${labelWidth + chartWidth + 60}" height="${y + 10}"`;
  return `<svg xmlns="http://www.w3.org/2000/svg" ${size} font-family="sans-serif" font-size="13" fill="#808080">
<title>${result.title}: median seconds by state and arm</title>
${drawn.join("\n")}
</svg>
`;
};
