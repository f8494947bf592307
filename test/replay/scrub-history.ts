/** A history as `temporal workflow show --output json` prints it. */
export interface HistoryJson {
  readonly events: readonly Json[];
}
type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** What stands for what: a folder of the machine that recorded for `/site`, and so on. */
export type Replacements = readonly (readonly [found: string, instead: string])[];

/** Keys that tell of the machine that recorded, and that replaying does not look at. */
const traces = new Set(["identity", "stackTrace", "lastWorkerIdentity"]);

/** Takes out of a history what tells of the machine that recorded it, inside payloads, too. */
export const scrubHistory = (history: HistoryJson, replacements: Replacements): HistoryJson => ({
  events: history.events.map((event) => scrub(event, replacements)),
});

const scrub = (value: Json, replacements: Replacements): Json => {
  if (typeof value === "string") return replaced(value, replacements);
  if (isList(value)) return value.map((item) => scrub(item, replacements));
  if (typeof value !== "object" || value === null) return value;
  const kept = Object.entries(value).filter(([key]) => !traces.has(key));
  return Object.fromEntries(
    kept.map(([key, item]) => [key, isPayload(value) && key === "data" ? scrubData(item, replacements) : scrub(item, replacements)]),
  );
};

const isList = (value: Json): value is readonly Json[] => Array.isArray(value);

const isPayload = (value: Json): boolean => typeof value === "object" && value !== null && "metadata" in value && "data" in value;

const scrubData = (data: Json | undefined, replacements: Replacements): Json =>
  Buffer.from(replaced(Buffer.from(String(data), "base64").toString("utf8"), replacements)).toString("base64");

const replaced = (text: string, replacements: Replacements): string =>
  replacements.reduce((so, [found, instead]) => so.replaceAll(found, instead), text);
