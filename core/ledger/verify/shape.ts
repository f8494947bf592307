/** Validators of untrusted JSON. A check returns undefined when the value fits, or where and why it does not. */

export interface Misfit {
  /** As `anchors[0].block`. */
  readonly part: string;
  readonly reason: string;
}

export type Check = (value: unknown, part: string) => Misfit | undefined;

export const text =
  (pattern: RegExp, what: string): Check =>
  (value, part) =>
    typeof value === "string" && pattern.test(value) ? undefined : { part, reason: `must be ${what}` };

export const count: Check = (value, part) =>
  typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? undefined : { part, reason: "must be a whole number from 0" };

export const positive: Check = (value, part) =>
  typeof value === "number" && Number.isSafeInteger(value) && value > 0 ? undefined : { part, reason: "must be a whole number from 1" };

export const amount: Check = (value, part) =>
  typeof value === "number" && Number.isFinite(value) && value >= 0 && !Object.is(value, -0)
    ? undefined
    : { part, reason: "must be a number from 0" };

export const flag: Check = (value, part) => (typeof value === "boolean" ? undefined : { part, reason: "must be true or false" });

export const exactly =
  (...allowed: readonly (string | number)[]): Check =>
  (value, part) =>
    allowed.some((one) => one === value)
      ? undefined
      : { part, reason: `must be ${allowed.map((one) => JSON.stringify(one)).join(" or ")}` };

export const hash = text(/^[0-9a-f]{64}$/, "32 bytes in lowercase hex");
export const word = text(/^[\x21-\x7e]{1,128}$/, "1 to 128 printable characters without spaces");
export const chainHash = text(/^0x[0-9a-f]{64}$/, "0x and 32 bytes in lowercase hex");
export const address = text(/^0x[0-9a-f]{40}$/, "0x and 20 bytes in lowercase hex");
export const chainBytes = text(/^0x([0-9a-f]{2}){1,131072}$/, "0x and bytes in lowercase hex");

/** UTC with milliseconds, as `Date.prototype.toISOString` writes it, and a day that exists. */
export const time: Check = (value, part) =>
  typeof value === "string" &&
  /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(value) &&
  !Number.isNaN(Date.parse(value)) &&
  new Date(value).toISOString() === value
    ? undefined
    : { part, reason: "must be a time as 2026-11-24T02:15:00.000Z" };

export const listOf =
  (check: Check, most: number): Check =>
  (value, part) => {
    if (!Array.isArray(value)) return { part, reason: "must be a list" };
    if (value.length > most) return { part, reason: `must have at most ${most} elements` };
    for (const [index, element] of value.entries()) {
      const misfit = check(element, `${part}[${index}]`);
      if (misfit !== undefined) return misfit;
    }
    return undefined;
  };

/** An object with all of `required`, any of `optional`, and nothing else: what is not known is not verified, so it is refused. */
export const object =
  (required: Readonly<Record<string, Check>>, optional: Readonly<Record<string, Check>> = {}): Check =>
  (value, part) => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return { part, reason: "must be an object" };
    const at = (key: string): string => (part === "" ? key : `${part}.${key}`);
    const record = value as Record<string, unknown>;
    for (const key of Object.keys(record)) {
      if (!Object.hasOwn(required, key) && !Object.hasOwn(optional, key))
        return { part: at(key).slice(0, 200), reason: "is not a known field" };
    }
    for (const [key, check] of Object.entries(required)) {
      if (!Object.hasOwn(record, key)) return { part: at(key), reason: "is missing" };
      const misfit = check(record[key], at(key));
      if (misfit !== undefined) return misfit;
    }
    for (const [key, check] of Object.entries(optional)) {
      const misfit = Object.hasOwn(record, key) ? check(record[key], at(key)) : undefined;
      if (misfit !== undefined) return misfit;
    }
    return undefined;
  };
