import { holds, type SimulationResult } from "./simulation.ts";

/** Where and when it was measured. */
export interface Circumstances {
  readonly machine: string;
  /** How many processes wanted a processor in the minute before it began. */
  readonly others: number;
  readonly date: string;
}

/** `docs/scale.md`. */
export const scaleDocument = (results: readonly SimulationResult[], { machine, others, date }: Circumstances): string => `# Scale

<!-- Written by \`npm run scale\`. Do not edit. -->

What is too big to be had for a test, simulated as little as possible: real PostgreSQL, real Temporal, real workers; only what is known already, or how long a
night is, is made up. On ${date}, on ${machine}, with everything on this one machine.${shared(others)}

${results.map(sectionOf).join("\n\n")}

\`npm run scale\` does it again; \`npm test -- scale\` does the same in small.
`;

const shared = (others: number): string =>
  others < 0.5
    ? ""
    : ` It was shared with other work: in the minute before, ${others.toFixed(1)} processes on average wanted a processor. What is measured in seconds is
longer by that.`;

const sectionOf = ({ title, said, bounds }: SimulationResult): string => `## ${title}

${said.map((line) => `- ${line}`).join("\n")}

| what has to hold | measured | at most | |
| --- | ---: | ---: | --- |
${bounds
  .map((bound) => {
    const { what, value, limit, unit } = bound;
    const digits = unit === "s" || unit === "MB" ? 2 : 0;
    const of = (amount: number): string => `${amount.toFixed(digits)}${unit === "missed" ? "" : ` ${unit}`}`;
    return `| ${what} | ${of(value)} | ${of(limit)} | ${holds(bound) ? "holds" : "**does not hold**"} |`;
  })
  .join("\n")}`;
