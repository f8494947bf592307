import { holds, type SimulationResult } from "./simulation.ts";

/** `docs/scale.md`. */
export const scaleDocument = (results: readonly SimulationResult[], machine: string, date: string): string => `# Scale

<!-- Written by \`npm run scale\`. Do not edit. -->

What is too big to be had for a test, simulated as little as possible: real PostgreSQL, real Temporal, real workers; only what is known already, or how long a
night is, is made up. On ${date}, on ${machine}, with everything on this one machine.

${results.map(sectionOf).join("\n\n")}

\`npm run scale\` does it again; \`npm test -- scale\` does the same in small.
`;

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
