/**
 * Canonical JSON, RFC 8785, of plain JSON data: keys in the order of their UTF-16 code units, numbers and strings as ECMAScript
 * writes them. The writer uses the package `canonicalize`; the verifier has these lines of its own, and a test compares the two.
 */
export const canonicalJson = (value: unknown): string => {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  if (typeof value === "object" && value !== null) {
    const record = value as Record<string, unknown>;
    const members = Object.keys(record)
      .sort()
      .map((key) => `${JSON.stringify(key)}:${canonicalJson(record[key])}`);
    return `{${members.join(",")}}`;
  }
  return JSON.stringify(value) ?? "null";
};
