import { appendFileSync, readFileSync } from "node:fs";
import { type StoreKind, storeKinds } from "../../core/stores/store.ts";

/** What a kind of store did in one test of the contract: `yes` when it does what the test asks, else how it has declared itself out of it. */
export interface Outcome {
  readonly kind: StoreKind;
  readonly test: string;
  readonly result: string;
}

/** Where `npm run stores:matrix` collects what a run has shown; unset in any other run, which compares with the page instead. */
export const matrixVariable = "DBGOV_STORE_MATRIX";

export const pagePath = new URL("../../docs/stores.md", import.meta.url);

const start = "<!-- contract: written by npm run stores:matrix -->";
const end = "<!-- end of contract -->";
const notAsked = "–";

/** A cell's text must not end the cell. */
const plain = (text: string): string => text.replaceAll("|", "\\|").replaceAll("\n", " ");

const tableOf = (outcomes: readonly Outcome[]): string => {
  const kinds = storeKinds.filter((kind) => outcomes.some((outcome) => outcome.kind === kind));
  const tests = [...new Set(outcomes.map(({ test }) => test))];
  const cell = (kind: StoreKind, test: string): string => {
    const results = new Set(outcomes.filter((outcome) => outcome.kind === kind && outcome.test === test).map(({ result }) => result));
    return results.size === 0 ? notAsked : [...results].join("; ");
  };
  return [
    `| test | ${kinds.map((kind) => `\`${kind}\``).join(" | ")} |`,
    `| --- |${" --- |".repeat(kinds.length)}`,
    ...tests.map((test) => `| ${plain(test)} | ${kinds.map((kind) => plain(cell(kind, test))).join(" | ")} |`),
  ].join("\n");
};

/** `page` with the matrix that these outcomes make. */
export const withMatrix = (page: string, outcomes: readonly Outcome[]): string => {
  const [from, to] = [page.indexOf(start), page.indexOf(end)];
  if (from < 0 || to < from) throw new Error("the page has no place for the contract's matrix");
  return `${page.slice(0, from)}${start}\n${tableOf(outcomes)}\n${page.slice(to)}`;
};

/** One column of the page's matrix: result by test. Undefined when it has none for this kind. */
export const columnOf = (page: string, kind: StoreKind): ReadonlyMap<string, string> | undefined => {
  const lines = page.slice(page.indexOf(start), page.indexOf(end)).split("\n");
  const rows = lines
    .filter((line) => line.startsWith("| "))
    .map((line) =>
      line
        .slice(2, -2)
        .split(/ (?<!\\)\| /)
        .map((text) => text.replaceAll("\\|", "|")),
    );
  const at = rows[0]?.indexOf(`\`${kind}\``) ?? -1;
  if (at < 0) return undefined;
  return new Map(rows.slice(2).flatMap((row) => (row[at] === notAsked ? [] : [[row[0] ?? "", row[at] ?? ""]])));
};

/**
 * What the page says differently than a run has shown, as sentences; nothing when it is as it should be. `complete`: every test of
 * the contract has run, so a row that was not seen is one too many.
 */
export const staleIn = (page: string, outcomes: readonly Outcome[], complete: boolean): string[] => {
  const kinds = new Set(outcomes.map(({ kind }) => kind));
  return [...kinds].flatMap((kind) => {
    const column = columnOf(page, kind);
    if (column === undefined) return [`docs/stores.md has no column for ${kind}`];
    const mine = outcomes.filter((outcome) => outcome.kind === kind);
    const wrong = mine
      .filter(({ test, result }) => column.get(test)?.split("; ").includes(result) !== true)
      .map(({ test, result }) => `docs/stores.md says "${column.get(test) ?? "nothing"}" of ${kind} and "${test}", and it is "${result}"`);
    const extra = complete ? [...column.keys()].filter((test) => !mine.some((outcome) => outcome.test === test)) : [];
    return [...wrong, ...extra.map((test) => `docs/stores.md has "${test}" for ${kind}, which is no test of its contract`)];
  });
};

/** Keeps the outcomes of a run for `npm run stores:matrix`, or compares them with the page. */
export const keepOrCompare = (outcomes: readonly Outcome[], complete: boolean): string[] => {
  const file = process.env[matrixVariable];
  if (file === undefined) return staleIn(readFileSync(pagePath, "utf8"), outcomes, complete);
  appendFileSync(file, outcomes.map((outcome) => `${JSON.stringify(outcome)}\n`).join(""));
  return [];
};
