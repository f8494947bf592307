import { fillingFrom as fullAt } from "../../domain/room.ts";
import { fail, type Json, notApplicable, pass, type Verdict } from "../finding.ts";

/** Rounded down, so that what is below the limit never reads as if it had reached it. */
const percent = (part: number): string => `${part < 0.1 ? (part * 100).toFixed(1) : Math.floor(part * 100)} %`;

export const noSizeLimit = (): Verdict => notApplicable("No size limit is declared for this database.", { sizeLimitBytes: null });

/** A database that reaches its plan's limit becomes read-only or stops; 85 % leaves time to act. */
export const sizeVerdict = (bytes: number, limitBytes: number, read: Json): Verdict => {
  const used = bytes / limitBytes;
  const evidence = { read, bytes, sizeLimitBytes: limitBytes, fullAt };
  const words = `The database fills ${percent(used)} of the ${limitBytes} bytes that its plan allows`;
  return used >= fullAt ? fail(`${words}; from ${percent(fullAt)} on there is too little room.`, evidence) : pass(`${words}.`, evidence);
};
