import { z } from "zod";
import type { Path } from "./locate.ts";
import { configSchema } from "./schema.ts";

/** What is used of JSON Schema, as zod writes it. */
export interface FieldSchema {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly properties?: Readonly<Record<string, FieldSchema>>;
  readonly required?: readonly string[];
  readonly items?: FieldSchema;
  readonly oneOf?: readonly FieldSchema[];
  readonly anyOf?: readonly FieldSchema[];
  readonly minimum?: number;
  readonly exclusiveMinimum?: number;
  readonly maximum?: number;
}

/** The configuration's schema for what a person writes: fields that have defaults may be left out. */
export const jsonSchema = (): FieldSchema => z.toJSONSchema(configSchema, { io: "input" }) as FieldSchema;

/** What stands at a place of a parsed file, or undefined. */
export const at = (value: unknown, path: Path): unknown =>
  path.reduce<unknown>(
    (node, step) => (typeof node === "object" && node !== null ? (node as Record<string | number, unknown>)[step] : undefined),
    value,
  );

/** The part of the schema that governs a place in `root`. */
export const schemaAt = (schema: FieldSchema, root: unknown, path: Path): FieldSchema | undefined => {
  let node: FieldSchema | undefined = schema;
  for (const [depth, step] of path.entries()) {
    node = typeof step === "number" ? node?.items : propertiesOf(node, at(root, path.slice(0, depth)))[step];
  }
  return node;
};

/** The keys that `value` may have; where there are alternatives, those of the one that its `kind` chooses. */
export const propertiesOf = (schema: FieldSchema | undefined, value: unknown): Readonly<Record<string, FieldSchema>> => {
  const alternatives = schema?.oneOf ?? schema?.anyOf;
  if (alternatives === undefined) return schema?.properties ?? {};
  const kind = at(value, ["kind"]);
  const chosen = alternatives.filter((one) => kind === undefined || one.properties?.kind?.const === kind);
  return Object.assign({}, ...chosen.map((one) => one.properties));
};
