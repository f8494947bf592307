import { Failure } from "../../core/domain/failure.ts";
import { parseSize } from "../../core/domain/size.ts";

/** Bytes of an option as `--rate 5MB`; undefined when it is not given. */
export const sizeOption = (value: string | boolean | undefined, flag: string): number | undefined => {
  if (value === undefined) return undefined;
  const bytes = parseSize(String(value));
  if (bytes === undefined || bytes === 0)
    throw new Failure("UsageInvalid", `${flag} must be a size as 5MB or 10GB (is "${String(value)}")`);
  return bytes;
};
