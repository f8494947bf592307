import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { InterfaceAbi } from "ethers";

/**
 * Compiles AnchorRegistry.sol with the pinned JavaScript build of solc, reproducibly. `node contracts/compile.ts` writes
 * `contracts/build/AnchorRegistry.json`, which is committed so that deploying needs no compiler; a test compares the two.
 */
interface Compiled {
  readonly compiler: string;
  readonly abi: unknown;
  /** Creation code, without the constructor's argument. */
  readonly bytecode: string;
}

interface SolcOutput {
  readonly errors?: readonly { severity: string; formattedMessage: string }[];
  readonly contracts?: Record<string, Record<string, { abi: unknown; evm: { bytecode: { object: string } } }>>;
}

const sourceFile = new URL("AnchorRegistry.sol", import.meta.url);
const buildFile = new URL("build/AnchorRegistry.json", import.meta.url);

/** Compiles one source file, given as its text, with the settings of the registry (`runs` is what the optimizer works for). Throws with the compiler's own words. */
export const compileSource = (name: string, content: string, runs = 10_000): Compiled & { readonly abi: InterfaceAbi } => {
  const solc = createRequire(import.meta.url)("solc") as { version(): string; compile(input: string): string };
  const file = `${name}.sol`;
  const input = {
    language: "Solidity",
    sources: { [file]: { content } },
    settings: {
      // Instructions that every larger chain has had since 2024.
      evmVersion: "cancun",
      optimizer: { enabled: true, runs },
      metadata: { appendCBOR: false, bytecodeHash: "none" },
      outputSelection: { "*": { "*": ["abi", "evm.bytecode.object"] } },
    },
  };
  const output = JSON.parse(solc.compile(JSON.stringify(input))) as SolcOutput;
  if (output.errors?.length) throw new Error(output.errors.map(({ formattedMessage }) => formattedMessage).join("\n"));
  const contract = output.contracts?.[file]?.[name];
  if (contract === undefined) throw new Error(`solc returned no contract ${name}`);
  return { compiler: solc.version(), abi: contract.abi as InterfaceAbi, bytecode: `0x${contract.evm.bytecode.object}` };
};

export const compile = (): Compiled => compileSource("AnchorRegistry", readFileSync(sourceFile, "utf8"));

export const formatBuild = (compiled: Compiled): string => `${JSON.stringify(compiled, null, 2)}\n`;

export const readBuild = (): string => readFileSync(buildFile, "utf8");

if (import.meta.main) writeFileSync(buildFile, formatBuild(compile()));
