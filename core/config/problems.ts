import type { z } from "zod";
import { at, type FieldSchema, jsonSchema, propertiesOf, schemaAt } from "./json-schema.ts";
import type { Path } from "./locate.ts";
import { nearest } from "./nearest.ts";

/** Something wrong with the configuration: where, and what, to be read after the place's name. */
export interface Problem {
  readonly path: Path;
  readonly message: string;
  /** The last step of `path` is a key that should not be there. */
  readonly atKey?: boolean;
}

type Issue = z.core.$ZodIssue;

/** What the schema's issues with `value` say, in words that name what is allowed. Values are quoted only where no secret can stand. */
export const problemsOf = (issues: readonly Issue[], value: unknown): Problem[] => {
  const schema = jsonSchema();
  const problems = issues.flatMap((issue) => problemsOfIssue(issue, value, schema));
  // A key that is merely misspelled is not missing as well.
  const suggested = new Set(problems.flatMap((problem) => (problem.suggests === undefined ? [] : [problem.suggests])));
  return problems.filter((problem) => !(problem.missing === true && suggested.has(JSON.stringify(problem.path))));
};

interface DraftProblem extends Problem {
  readonly missing?: boolean;
  readonly suggests?: string;
}

const problemsOfIssue = (issue: Issue, root: unknown, schema: FieldSchema): DraftProblem[] => {
  const path = issue.path.map((step) => (typeof step === "symbol" ? String(step) : step));
  const value = at(root, path);
  if (issue.code === "unrecognized_keys") return issue.keys.map((key) => unknownKey(path, key, root, schema));
  const missing = value === undefined;
  const allowed = allowedBy(issue, missing, schemaAt(schema, root, path));
  return [{ path, missing, message: missing ? `is missing; it ${allowed}` : `${allowed}${shown(issue, value)}` }];
};

const unknownKey = (path: Path, key: string, root: unknown, schema: FieldSchema): DraftProblem => {
  const all = Object.keys(propertiesOf(schemaAt(schema, root, path), at(root, path)));
  const known = all.filter((name) => at(root, [...path, name]) === undefined);
  const close = nearest(key, known);
  const message = close === undefined ? `is not a known key (allowed: ${all.join(", ")})` : `is not a known key; did you mean "${close}"?`;
  return { path: [...path, key], atKey: true, message, ...(close === undefined ? {} : { suggests: JSON.stringify([...path, close]) }) };
};

const allowedBy = (issue: Issue, missing: boolean, schema: FieldSchema | undefined): string => {
  switch (issue.code) {
    case "invalid_value":
      return `must be ${oneOf(issue.values)}`;
    case "invalid_union":
      if (Array.isArray((issue as { options?: unknown }).options)) return `must be ${oneOf((issue as { options?: unknown[] }).options!)}`;
      return "must name a secret, as { env: NAME } or { file: PATH }, and not hold it";
    case "too_small":
      return issue.origin === "array" || issue.origin === "string"
        ? "must not be empty"
        : `must be ${issue.inclusive ? "at least" : "more than"} ${issue.minimum}`;
    case "too_big":
      return `must be ${issue.inclusive ? "at most" : "less than"} ${issue.maximum}`;
    case "invalid_type": {
      const values = schema?.enum;
      if (values !== undefined) return `must be ${oneOf(values)}`;
      // Only what is missing needs to be explained.
      const meaning = missing && schema?.description !== undefined ? ` (${schema.description})` : "";
      return `must be ${typeWords[issue.expected] ?? issue.expected}${meaning}`;
    }
    default:
      return issue.message;
  }
};

const typeWords: Readonly<Record<string, string>> = {
  string: "a text",
  number: "a number",
  int: "a whole number",
  object: "a group of keys",
  array: "a list",
  boolean: "true or false",
};

const oneOf = (values: readonly unknown[]): string => (values.length === 1 ? String(values[0]) : `one of ${values.join(", ")}`);

/** What stands there, where it helps and cannot be a secret or hold one. */
const shown = (issue: Issue, value: unknown): string => {
  if (issue.code === "invalid_union" && !Array.isArray((issue as { options?: unknown }).options)) return "";
  if (typeof value === "string") return value.length <= 40 && !/[:@/]/.test(value) ? ` (is "${value}")` : "";
  if (typeof value === "number" || typeof value === "boolean") return ` (is ${value})`;
  if (value === null) return " (is empty)";
  return issue.code === "invalid_type" ? ` (is ${Array.isArray(value) ? "a list" : "a group of keys"})` : "";
};
