import assert from "node:assert/strict";
import { inspect } from "node:util";
import { Failure, type FailureType } from "../../core/domain/failure.ts";
import type { Store, StoredObject } from "../../core/stores/store.ts";

export const never = new AbortController().signal;

/** Asserts that `work` fails with a `Failure` of `type`, and that it can be shown to anybody. */
export const fails = async (work: Promise<unknown>, type: FailureType, secrets: readonly string[] = []): Promise<Failure> => {
  const error = await work.then(
    () => assert.fail(`expected ${type}, but it succeeded`),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof Failure, inspect(error));
  assert.equal(error.type, type, inspect(error));
  const everything = inspect(error, { depth: 20, showHidden: true });
  for (const secret of secrets) assert.ok(!everything.includes(secret), `a secret is in: ${everything}`);
  return error;
};

export const all = async (source: AsyncIterable<StoredObject>): Promise<StoredObject[]> => Array.fromAsync(source);

export const keysOf = async (store: Store, prefix: string): Promise<string[]> =>
  (await all(store.list(prefix, never))).map(({ key }) => key).sort();

export const same = (actual: Uint8Array, expected: Uint8Array): void => {
  assert.equal(actual.length, expected.length);
  assert.ok(Buffer.from(actual.buffer, actual.byteOffset, actual.length).equals(expected), "other bytes came back");
};

export const oddKeys = [
  "odd/with space",
  "odd/ünï-çødé 数据库 🗄",
  "odd/quotes\"and'more`",
  "odd/a+b&c=d?e#f%20g%",
  "odd/$where.x.y",
  "odd/.hidden",
  "odd/..twodots",
  "odd/[brackets]{braces}<angles>|*",
  "odd/a:b;c,d@e!~^()",
];

export const badKeys = [
  "",
  "/a",
  "a/",
  "a//b",
  "../a",
  "a/../b",
  "a/..",
  ".",
  "a/./b",
  "a\u0000b",
  "a\nb",
  "a\\b",
  "a.",
  `${"x".repeat(241)}`,
  "\ud800",
];
