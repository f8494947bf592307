/** A quoted SQL identifier: safe in any position, whatever the name holds. */
export const quoteIdentifier = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** A quoted SQL string literal; with backslashes as an E string, so that it means the same under every `standard_conforming_strings`. */
export const quoteLiteral = (text: string): string => {
  const quoted = `'${text.replaceAll("'", "''")}'`;
  return text.includes("\\") ? ` E${quoted.replaceAll("\\", "\\\\")}` : quoted;
};

export const quoteQualified = (schema: string, name: string): string => `${quoteIdentifier(schema)}.${quoteIdentifier(name)}`;

const readable = (name: string): string => (/^[a-z_][a-z0-9_]*$/.test(name) ? name : quoteIdentifier(name));

/** For people, and unique: `public.orders`, `public."Odd.Name"`. */
export const readableName = (schema: string, name: string): string => `${readable(schema)}.${readable(name)}`;

/** Schema and name of what `quoteQualified` made. */
export const unquoteQualified = (quoted: string): [schema: string, name: string] => {
  const parts = quoted.match(/"(?:[^"]|"")*"/g) ?? [];
  const [schema = "", name = ""] = parts.map((part) => part.slice(1, -1).replaceAll('""', '"'));
  return [schema, name];
};
