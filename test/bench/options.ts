import { parseArgs } from "node:util";

export interface BenchOptions {
  readonly json: boolean;
  readonly quick: boolean;
  readonly rounds: number;
  readonly dataSets: readonly string[];
  /** Whether the page is written: with every data set in full, or when asked for. */
  readonly write: boolean;
}

const refuse = (message: string): never => {
  process.stderr.write(`${message}\n`);
  process.exit(2);
};

/** Ends the process with exit code 2 and one sentence when the options are not as they should be. */
export const parseOptions = (
  args: readonly string[],
  dataSets: { readonly all: readonly string[]; readonly quick: readonly string[] },
): BenchOptions => {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        json: { type: "boolean", default: false },
        quick: { type: "boolean", default: false },
        rounds: { type: "string" },
        only: { type: "string" },
        write: { type: "boolean", default: false },
      },
    });
    const { json, quick } = values;
    const rounds = Number(values.rounds ?? (quick ? 3 : 5));
    if (!Number.isInteger(rounds) || rounds < 1) refuse("--rounds must be a whole number from 1");
    const only = values.only?.split(",") ?? (quick ? dataSets.quick : dataSets.all);
    const unknown = only.find((name) => !dataSets.all.includes(name));
    if (unknown !== undefined) refuse(`there is no data set ${unknown}; there are ${dataSets.all.join(", ")}`);
    return { json, quick, rounds, dataSets: only, write: values.write || (!quick && values.only === undefined) };
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error));
  }
};
