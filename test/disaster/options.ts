import { parseArgs } from "node:util";
import { Failure } from "../../core/domain/failure.ts";
import type { NetworkName } from "./networks.ts";

/** Those from which everything can be restored, and the one that only keeps manifests. */
export type DrilledStore = NetworkName | "arweave";
const all: readonly DrilledStore[] = ["disk", "azure", "ipfs", "bucket", "storj", "sia", "filecoin", "arweave"];

export interface Options {
  readonly json: boolean;
  readonly write: boolean;
  readonly scale: number;
  readonly stores: readonly DrilledStore[];
}

const refuse = (message: string): never => {
  throw new Failure("UsageInvalid", message);
};

/** Of the command line. Throws `UsageInvalid` for wrong ones. */
export const readOptions = (args: readonly string[]): Options => {
  const parse = () => {
    try {
      return parseArgs({
        args: [...args],
        options: {
          json: { type: "boolean", default: false },
          write: { type: "boolean", default: false },
          scale: { type: "string", default: "0.04" },
          stores: { type: "string", default: all.join(",") },
        },
      }).values;
    } catch (error) {
      return refuse(error instanceof Error ? error.message : String(error));
    }
  };
  const { json, write, scale, stores } = parse();
  if (!(Number(scale) > 0)) refuse("--scale must be a number above 0; 0.04 are some 350,000 rows");
  const names = stores.split(",").map((name) => name.trim());
  const unknown = names.find((name) => !(all as readonly string[]).includes(name));
  if (unknown !== undefined) refuse(`--stores: there is no store "${unknown}"; there are ${all.join(", ")}`);
  if (write && all.some((name) => !names.includes(name))) refuse("--write needs all stores: the page is about each of them");
  return { json, write, scale: Number(scale), stores: all.filter((name) => names.includes(name)) };
};
