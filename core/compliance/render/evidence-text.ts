import type { Json } from "../finding.ts";

const compact = (value: Json): string => (typeof value === "string" ? value : JSON.stringify(value));

/** Evidence for eyes: a line for each fact, queries as they were written, a line for each row. */
export const evidenceText = (evidence: Json): string => {
  if (evidence === null || typeof evidence !== "object" || Array.isArray(evidence)) return compact(evidence);
  return Object.entries(evidence)
    .map(([name, value]) => {
      if (Array.isArray(value) && value.length > 0) return `${name}:\n${value.map((item) => `  ${compact(item)}`).join("\n")}`;
      const text = compact(value);
      return text.includes("\n") ? `${name}:\n  ${text.replaceAll("\n", "\n  ")}` : `${name}: ${text}`;
    })
    .join("\n");
};
