import { readFileSync } from "node:fs";
import { glob } from "node:fs/promises";
import { isBuiltin } from "node:module";
import { dirname, join, relative, resolve } from "node:path";

// The arrows between the folders, exactly: `npm run check` runs this beside the linter, whose import rule cannot tell
// types from values. Run by hand: `bin/node24 test/check-arrows.ts [FOLDER]`.

interface Rule {
  /** Folders whose files may be imported. */
  readonly values: readonly string[];
  /** Folders of which only types may be imported. */
  readonly types?: readonly string[];
  readonly packages?: (name: string) => boolean;
  readonly builtins?: (name: string) => boolean;
}

const none = () => false;

/** The first whose folder holds the importing file counts; what is not listed here may import anything. */
const rules: Readonly<Record<string, Rule>> = {
  "core/domain": { values: ["core/domain"], packages: none, builtins: none },
  // Keccak-256 is not in node:crypto.
  "core/ledger/verify": {
    values: ["core/ledger/verify"],
    packages: (name) => name === "@noble/hashes/sha3.js",
    builtins: (name) => name === "node:crypto",
  },
  core: { values: ["core", "contracts"], packages: (name) => !name.startsWith("@temporalio/") },
  workflows: {
    values: ["workflows", "core/domain"],
    types: ["activities"],
    packages: (name) => name === "@temporalio/workflow" || name === "@temporalio/common",
    builtins: none,
  },
  activities: { values: ["activities", "core"], types: ["workflows"] },
  workers: { values: ["workers", "workflows", "activities", "core"] },
  client: { values: ["client", "workers", "workflows", "activities", "core", "contracts", "test/stack", "test/sample"] },
};

const within = (path: string, folder: string) => path === folder || path.startsWith(`${folder}/`);

interface Import {
  readonly line: number;
  readonly from: string;
  readonly typeOnly: boolean;
}

/** Static imports and re-exports, and dynamic imports of a literal. Text suffices: the formatter fixes their form. */
const importsOf = (source: string): Import[] => {
  const found: Import[] = [];
  const pattern = /^(?:import|export)(\s+type)?\s(?:[^"';]*?\sfrom\s)?"([^"]+)"|\bimport\("([^"]+)"\)/gm;
  for (const match of source.matchAll(pattern)) {
    const from = match[2] ?? match[3];
    if (from !== undefined) found.push({ line: source.slice(0, match.index).split("\n").length, from, typeOnly: match[1] !== undefined });
  }
  return found;
};

const objectionTo = (rule: Rule, file: string, root: string, { from, typeOnly }: Import): string | undefined => {
  if (!from.startsWith(".")) {
    const allowed = isBuiltin(from) ? rule.builtins : rule.packages;
    return allowed === undefined || allowed(from) ? undefined : `may not import ${from}`;
  }
  const target = relative(root, resolve(root, dirname(file), from));
  if (rule.values.some((folder) => within(target, folder))) return undefined;
  if (rule.types?.some((folder) => within(target, folder))) return typeOnly ? undefined : `may import only types of ${target}`;
  return `may not import ${target}`;
};

/** One line for each import that points up or sideways. */
export const wrongArrows = async (root: string): Promise<string[]> => {
  const wrong: string[] = [];
  for (const top of new Set(Object.keys(rules).map((folder) => folder.split("/")[0]!)))
    for await (const file of glob(`${top}/**/*.ts`, { cwd: root })) {
      const [folder, rule] = Object.entries(rules).find(([name]) => within(file, name))!;
      for (const found of importsOf(readFileSync(join(root, file), "utf8"))) {
        const objection = objectionTo(rule, file, root, found);
        if (objection !== undefined) wrong.push(`${file}:${found.line}: ${folder}/ ${objection}`);
      }
    }
  return wrong.sort();
};

if (import.meta.main) {
  const wrong = await wrongArrows(resolve(process.argv[2] ?? join(import.meta.dirname, "..")));
  for (const line of wrong) process.stdout.write(`${line}\n`);
  process.stdout.write(wrong.length === 0 ? "arrows: all point down\n" : `arrows: ${wrong.length} wrong\n`);
  process.exitCode = wrong.length === 0 ? 0 : 1;
}
