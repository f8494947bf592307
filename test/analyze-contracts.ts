import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cacheFolder } from "./stack/setup/cache.ts";

// `npm run analyze`: static analysis of the contract by Slither (PyPI), with all of its detectors. Slither wants a native compiler;
// a few lines give it the pinned JavaScript build by the same command line. Any finding fails.

const slither = "0.11.6";
const root = join(import.meta.dirname, "..");
const source = readFileSync(join(root, "contracts", "AnchorRegistry.sol"), "utf8");

const environment = join(cacheFolder(), `slither-${slither}`);
const program = join(environment, "bin", "slither");
if (!existsSync(program)) {
  mkdirSync(cacheFolder(), { recursive: true });
  execFileSync("python3", ["-m", "venv", environment], { stdio: "inherit" });
  execFileSync(join(environment, "bin", "pip"), ["install", "--quiet", `slither-analyzer==${slither}`], { stdio: "inherit" });
}

const compiler = (node: string, solc: string): string => `#!${node}
const solc = require(${JSON.stringify(solc)});
if (process.argv.includes("--version")) console.log("solc, the solidity compiler commandline interface\\nVersion: " + solc.version());
else process.stdout.write(solc.compile(require("node:fs").readFileSync(0, "utf8")));
`;

const folder = mkdtempSync(join(tmpdir(), "dbgov-analyze-"));
try {
  const outputs = ["abi", "metadata", "devdoc", "userdoc", "evm.bytecode", "evm.deployedBytecode"];
  const input = {
    language: "Solidity",
    sources: { "AnchorRegistry.sol": { content: source } },
    settings: { evmVersion: "cancun", outputSelection: { "*": { "*": outputs, "": ["ast"] } } },
  };
  writeFileSync(join(folder, "input.json"), JSON.stringify(input));
  writeFileSync(join(folder, "AnchorRegistry.sol"), source);
  writeFileSync(join(folder, "solc.cjs"), compiler(process.execPath, join(root, "node_modules", "solc")));
  chmodSync(join(folder, "solc.cjs"), 0o755);
  const args = ["input.json", "--compile-force-framework", "solc-json", "--solc", join(folder, "solc.cjs"), "--fail-pedantic"];
  execFileSync(program, args, { cwd: folder, stdio: "inherit" });
} catch (error) {
  if ((error as { status?: number }).status === undefined) throw error;
  process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
