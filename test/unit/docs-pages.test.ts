import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, normalize, relative } from "node:path";
import { describe, it } from "node:test";
import { cliDocument, cliDocumentIsCurrent } from "../../client/cli/cli-document.ts";
import { commandSpecs } from "../../client/cli/commands.ts";
import { failureTypes } from "../../core/domain/failure.ts";

const root = join(import.meta.dirname, "..", "..");
const read = (path: string): string => readFileSync(join(root, path), "utf8");
const pages = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard", "*.md"], { cwd: root, encoding: "utf8" })
  .trim()
  .split("\n")
  .filter((path) => existsSync(join(root, path)));

/** Sections of the runbook: heading to text. */
const sections = (page: string): Map<string, string> =>
  new Map(
    page
      .split(/^## /m)
      .slice(1)
      .map((section) => [section.slice(0, section.indexOf("\n")), section]),
  );

/** What is wrong with a runbook. */
const gapsOf = (page: string): string[] => {
  const found = sections(page);
  const named = [...found.keys()].filter((title) => /^[A-Z][A-Za-z]+$/.test(title));
  const types = Object.entries(failureTypes);
  return [
    ...types.filter(([type]) => !found.has(type)).map(([type]) => `${type} has no section`),
    ...types
      .filter(([type, { remedy }]) => found.has(type) && !found.get(type)?.includes(`\n> ${remedy}\n`))
      .map(([type]) => `${type} has another remedy`),
    ...types
      .filter(([type]) => found.has(type) && !/\*\*Means:\*\*[\s\S]*\*\*Do:\*\*/.test(found.get(type) ?? ""))
      .map(([type]) => `${type} says too little`),
    ...named.filter((title) => !(title in failureTypes)).map((title) => `${title} is no failure type`),
    ...(named.join() === types.map(([type]) => type).join() ? [] : ["sections are in another order than the table"]),
  ];
};

describe("docs/runbook.md", () => {
  const runbook = read("docs/runbook.md");
  it("has a section for each type of failure, with its remedy, and no other", () => assert.deepEqual(gapsOf(runbook), []));
  it("is found wanting when a section is missing, says something else, or is of no type", () => {
    assert.deepEqual(gapsOf(runbook.replace("## StoreFull\n", "## StoreFulll\n")).slice(0, 2), [
      "StoreFull has no section",
      "StoreFulll is no failure type",
    ]);
    assert.deepEqual(gapsOf(runbook.replace("> Free space or", "> Free room or")), ["StoreFull has another remedy"]);
  });
});

describe("docs/cli.md", () => {
  it("is what the list of commands says (npm run docs writes it)", async () => assert.ok(await cliDocumentIsCurrent()));
  it("has every command with its options and examples", () => {
    const page = cliDocument();
    for (const { name, options, examples } of commandSpecs) {
      assert.ok(page.includes(`## dbgov ${name}\n`), name);
      for (const { flags } of options ?? []) assert.ok(page.includes(`\`${flags}\``), flags);
      for (const example of examples) assert.ok(page.includes(`\ndbgov ${example}\n`), example);
    }
  });
});

/** The anchors that code hosts give a page's headings. */
const anchorsOf = (page: string): Set<string> => {
  const seen = new Map<string, number>();
  const titles = [...page.replaceAll(/^```[\s\S]*?^```$/gm, "").matchAll(/^#{1,6} (.+)$/gm)].map((match) => match[1] ?? "");
  return new Set(
    titles.map((title) => {
      const slug = title
        .trim()
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
        .replaceAll(" ", "-");
      const times = seen.get(slug) ?? 0;
      seen.set(slug, times + 1);
      return times === 0 ? slug : `${slug}-${times}`;
    }),
  );
};

const linksOf = (page: string): string[] => {
  const prose = page.replaceAll(/^```[\s\S]*?^```$/gm, "").replaceAll(/`[^`\n]*`/g, "");
  return [...prose.matchAll(/\]\(([^)\s]+)(?: "[^"]*")?\)|<img[^>]* src="([^"]+)"/g)].map((match) => match[1] ?? match[2] ?? "");
};

/** Links of a page that lead nowhere inside the repository. */
const brokenLinks = (path: string, page: string): string[] =>
  linksOf(page).filter((link) => {
    if (/^[a-z]+:/.test(link)) return false;
    const [file = "", anchor] = link.split("#");
    if (file === "") return !anchorsOf(page).has(anchor ?? "");
    const target = normalize(join(dirname(path), decodeURIComponent(file)));
    if (target.startsWith("..") || !existsSync(join(root, target))) return true;
    return anchor !== undefined && !anchorsOf(read(target)).has(anchor);
  });

describe("links in Markdown pages", () => {
  for (const path of pages) it(`of ${path} resolve`, () => assert.deepEqual(brokenLinks(path, read(path)), []));
  it("that lead nowhere are found, be it the file or the heading", () => {
    const page = "# One\n\n[a](missing.md) [b](#two) [c](#one) [d](../README.md#no-such-heading) [e](https://example.com) `[f](g.md)`";
    assert.deepEqual(brokenLinks("docs/page.md", page), ["missing.md", "#two", "../README.md#no-such-heading"]);
  });
});

describe("docs/README.md", () => {
  const linked = new Set(linksOf(read("docs/README.md")).map((link) => normalize(join("docs", link.split("#")[0] ?? ""))));
  it("lists every page and every decision", () => {
    const wanted = pages.filter((path) => path.startsWith("docs/") && path !== "docs/README.md");
    assert.deepEqual(
      wanted.filter((path) => !linked.has(path)),
      [],
    );
  });
  it("has decisions numbered one after the other", () => {
    const numbers = pages
      .filter((path) => path.startsWith("docs/decisions/"))
      .map((path) => Number(relative("docs/decisions", path).slice(0, 4)));
    assert.deepEqual(
      numbers.sort((a, b) => a - b),
      numbers.map((_, at) => at + 1),
    );
  });
});
