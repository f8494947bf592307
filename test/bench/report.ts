import { type Machine, medianOf, type ScaleResult, tableOf } from "./results.ts";
import { type Contender, contenders } from "./rounds.ts";

const markdownTable = (rows: readonly (readonly string[])[]): string => {
  const [head = [], ...body] = rows;
  const line = (cells: readonly string[]): string => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), line(head.map((_, column) => (column === 0 ? "---" : "---:"))), ...body.map(line)].join("\n");
};

/** `docs/benchmarks.md`. */
export const benchmarksDocument = (results: readonly ScaleResult[], machine: Machine): string => {
  const { processor, cores, memory, node, postgres, rounds, date, load } = machine;
  return `# Benchmarks

<!-- Written by \`npm run bench\`. Do not edit. -->

TPC-H in PostgreSQL ${postgres}, backed up into a folder on the same disk. Measured on ${date} on ${cores} cores of ${processor} with
${(memory / 1e9).toFixed(0)} GB of memory and Node ${node}; ${rounds} rounds, in each all contenders one after the other. Before the first
round, ${load.toFixed(1)} processes wanted to run.

![Seconds by contender](benchmarks.svg)

${results.map((result) => `## Scale ${result.scale}\n\n${markdownTable(tableOf(result))}`).join("\n\n")}

## How to read it

- Seconds and memory are medians; the range is that of all rounds. Everything that is written is flushed to the disk before the clock
  stops, the pipe's file too.
- The pipe is what a good shell script does. It makes one stream that has to be read whole to restore one table, of which every dump is
  as large as the first; what we write is deduplicated, signed, indexed and can be checked by parts.
- *Machinery alone* is \`core/\` without Temporal in a process of its own, with that process's start. *Whole backup* is \`dbgov backup\`
  from its start to its entry in the log: planning, capture, sealing, proving what was stored, logging. The memory and processor time of
  *whole* and *unchanged* are those of the worker, which serves all queues, has backed up an empty database before, and goes on to
  verify a sample of the snapshot, which is in its processor time and memory, not in the seconds.
- The restores end when the last index stands. *Ours* has then checked every chunk, and goes on to read the target back and to compare
  it with the manifest, which is in its processor time, not in its seconds. \`pg_restore\` reads a local custom dump.
- Processor time is that of the contender's own processes. The server's comes on top: it is about the same for all that read everything.
- Memory is resident memory at its highest, of all processes that the contender had at one time.

\`npm run bench\` measures again (\`--quick\`: only scale 0.1; \`--full\`: five rounds; \`--json\` ends with one JSON object).
`;
};

const barHeight = 20;
const labelWidth = 240;
const chartWidth = 480;

/** Bars of median seconds, a group for each scale, in colors that show on light and dark pages. */
export const benchmarksChart = (results: readonly ScaleResult[]): string => {
  const longest = Math.max(...results.flatMap((result) => result.samples.map(({ seconds }) => seconds)));
  let y = 0;
  const groups = results.map((result) => {
    y += 34;
    const title = `<text x="8" y="${y - 8}" font-weight="bold">scale ${result.scale}, seconds</text>`;
    const bars = (Object.keys(contenders) as Contender[]).map((contender) => {
      const seconds = medianOf(result, contender, "seconds");
      const width = Math.max(1, (seconds / longest) * chartWidth);
      const color = contenders[contender].startsWith("ours") ? "#2f7ed8" : "#9a9a9a";
      const bar =
        `<text x="${labelWidth - 8}" y="${y + 14}" text-anchor="end">${contenders[contender]}</text>` +
        `<rect x="${labelWidth}" y="${y + 3}" width="${width.toFixed(1)}" height="${barHeight - 5}" rx="2" fill="${color}"/>` +
        `<text x="${(labelWidth + width + 6).toFixed(1)}" y="${y + 14}">${seconds.toFixed(2)}</text>`;
      y += barHeight;
      return bar;
    });
    return [title, ...bars].join("\n");
  });
  const size = `width="${labelWidth + chartWidth + 60}" height="${y + 10}"`;
  return `<svg xmlns="http://www.w3.org/2000/svg" ${size} font-family="sans-serif" font-size="13" fill="#808080">
<title>Seconds by contender, for each scale of TPC-H</title>
${groups.join("\n")}
</svg>
`;
};
