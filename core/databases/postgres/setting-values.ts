import { quoteIdentifier, quoteLiteral } from "./quoting.ts";

/** Parameters that are lists of names (GUC_LIST_QUOTE in `guc_tables.c`): each name is quoted by itself. */
const lists = new Set([
  "local_preload_libraries",
  "search_path",
  "session_preload_libraries",
  "shared_preload_libraries",
  "temp_tablespaces",
]);

const quoteValue = (name: string, value: string): string => {
  if (!lists.has(name.toLowerCase()) || value.trim() === "") return quoteLiteral(value);
  const names = value.match(/"(?:[^"]|"")*"|[^\s,]+/g) ?? [];
  return names.map((one) => quoteLiteral(one.startsWith('"') ? one.slice(1, -1).replaceAll('""', '"') : one)).join(", ");
};

/** `SET name = value`, of a setting as the catalog keeps it. */
export const setClause = (name: string, value: string): string =>
  `SET ${name.split(".").map(quoteIdentifier).join(".")} = ${quoteValue(name, value)}`;

/** A library that is missing on the target would let nobody in any more: such a setting is named, and never made. */
export const letsNobodyIn = (name: string): boolean => name.endsWith("_preload_libraries");
