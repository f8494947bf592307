import assert from "node:assert/strict";
import type { Server } from "./postgres-support.ts";

/**
 * What cannot be the same in pg_dump's text of a database and of its copy, in one place; docs/engines/postgres.md lists the same.
 * Everything else must be equal, byte for byte.
 */
const exceptions: readonly { readonly why: string; readonly apply: (lines: string[]) => string[] }[] = [
  {
    why: "psql's \\restrict key is a random word of each run",
    apply: (lines) => lines.filter((line) => !/^\\(un)?restrict /.test(line)),
  },
];

/** pg_dump's whole text, with the exceptions taken out. */
export const dumpText = async (server: Server, url: string, ...options: string[]): Promise<string[]> => {
  const text = (await server.run("pg_dump", url, ...options)).toString("latin1");
  return exceptions.reduce((lines, { apply }) => apply(lines), text.split("\n"));
};

/** Shows the lines around the first that differs. */
export const assertSameDump = (actual: readonly string[], expected: readonly string[]): void => {
  const longer = actual.length > expected.length ? actual : expected;
  const at = longer.findIndex((_, index) => expected[index] !== actual[index]);
  if (at < 0) return;
  const around = (lines: readonly string[]): string[] => lines.slice(Math.max(0, at - 8), at + 8).map((line) => line.slice(0, 300));
  assert.deepEqual(around(actual), around(expected), `dumps differ at line ${at + 1}`);
};
