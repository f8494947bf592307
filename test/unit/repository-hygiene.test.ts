import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";

const root = join(import.meta.dirname, "..", "..");
const files = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], { cwd: root, encoding: "utf8" })
  .split("\0")
  .filter((path) => path !== "" && statSync(join(root, path), { throwIfNoEntry: false })?.isFile() === true);

const hostOf = (url: string | undefined): string[] => (url === undefined || !URL.canParse(url) ? [] : [new URL(url).hostname]);
// Character classes keep these patterns from finding themselves.
const machinePaths = /(?<![\w.])\/(?:wor[k]|roo[t]|hom[e]\/\w+|User[s]\/\w+|tmp\/tea[m])\//;
const registries =
  /registry\.npmj[s]\.org|registry\.yarnpk[g]\.com|\bpyp[i]\.org|files\.pythonhoste[d]\.org|proxy\.golan[g]\.org|sum\.golan[g]\.org/;

/** Mirrors that this machine installs from. Everybody else's is another one. */
const mirrors = [process.env.npm_config_registry, process.env.PIP_INDEX_URL, ...(process.env.GOPROXY ?? "").split(/[,|]/)]
  .flatMap(hostOf)
  .filter((host) => !registries.test(host));

/** What a text says of the machine that it was written on. */
const tracesIn = (text: string): string[] =>
  text.split("\n").flatMap((line, at) => {
    const trace = machinePaths.exec(line)?.[0] ?? registries.exec(line)?.[0] ?? mirrors.find((host) => line.includes(host));
    return trace === undefined && !line.includes(root) ? [] : [`line ${at + 1}: ${trace ?? root}`];
  });

describe("the repository", () => {
  it("holds no path of a machine and no host of a package registry", () => {
    const traces = files.flatMap((path) => {
      const bytes = readFileSync(join(root, path));
      return bytes.includes(0) ? [] : tracesIn(bytes.toString("utf8")).map((trace) => `${path}, ${trace}`);
    });
    assert.deepEqual(traces, []);
  });

  it("would be told of them", () => {
    const slash = "/";
    assert.equal(tracesIn(`cd ${slash}work/main`).length, 1);
    assert.equal(tracesIn(`see ${slash}root/.cache/x`).length, 1);
    assert.equal(tracesIn(`"resolved": "https:${slash}/registry.npmjs${"."}org/pg/-/pg.tgz"`).length, 1);
    assert.equal(tracesIn(`import "../network/home/x"; const a = b${slash}work${slash}2`).length, 0);
    assert.equal(tracesIn(`${root}/x`).length, 1);
  });
});

/** As package-lock.json states them. CC-BY-4.0 is a data set's, which the bundler of workflows reads. */
const permissive = new Set([
  ...["MIT", "ISC", "0BSD", "BSD-2-Clause", "BSD-3-Clause", "Apache-2.0", "BlueOak-1.0.0", "Unlicense", "CC0-1.0", "CC-BY-4.0"],
]);
/** Whose package.json has no license field; read from its own license file. */
const stated: Readonly<Record<string, string>> = { unionfs: "Unlicense" };

type Locked = Readonly<Record<string, { readonly license?: string; readonly dev?: boolean }>>;

/** Packages of the product itself whose license is not a permissive one. */
const objectionable = (packages: Locked): string[] =>
  Object.entries(packages).flatMap(([path, { license, dev }]) => {
    if (path === "" || dev === true) return [];
    const name = path.replace(/^.*node_modules\//, "");
    const terms = (license ?? stated[name] ?? "unknown").replaceAll(/[()]/g, "");
    const fine = terms.split(" OR ").some((choice) => choice.split(" AND ").every((one) => permissive.has(one)));
    return fine ? [] : [`${name}: ${terms}`];
  });

describe("dependencies of the product", () => {
  it("have permissive licenses, as the product's own", () => {
    const { packages } = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")) as { packages: Locked };
    assert.ok(Object.keys(packages).length > 100);
    assert.deepEqual(objectionable(packages), []);
  });
  it("are refused otherwise", () => {
    const packages: Locked = {
      "": {},
      "node_modules/a": { license: "GPL-3.0" },
      "node_modules/b": { license: "(MIT OR GPL-3.0)" },
      "node_modules/c": { license: "Apache-2.0 AND GPL-2.0" },
      "node_modules/d": { license: "GPL-3.0", dev: true },
      "node_modules/e": {},
    };
    assert.deepEqual(objectionable(packages), ["a: GPL-3.0", "c: Apache-2.0 AND GPL-2.0", "e: unknown"]);
  });
});
