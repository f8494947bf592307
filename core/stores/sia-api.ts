import type { z } from "zod";
import { Failure } from "../domain/failure.ts";
import { readAnswer } from "./bounded-answer.ts";
import { failureOfConnection, failureOfStatus } from "./http-failure.ts";
import { withinLimit } from "./time-limit.ts";

/** What is asked of `renterd` or `s3d`, and what the answer must be. */
interface Question<Answer> {
  /** For the sentence of a failure. */
  readonly doing: string;
  readonly path: string;
  /** @default GET; POST where it is given */
  readonly body?: object;
  readonly answer: z.ZodType<Answer>;
  /** How long it may take, in milliseconds. @default the store's limit */
  readonly ms?: number;
}

export type SiaApi = <Answer>(question: Question<Answer>, signal: AbortSignal) => Promise<Answer>;

/** More than thousands of contracts need. */
const largestAnswer = 64 << 20;

/**
 * The HTTP API in which a Sia daemon tells its state. Throws `ConfigurationInvalid` for an address that cannot be one; a call throws
 * `StoreUnreachable`, `StoreRejected` or, for what the daemon does not know, `ObjectMissing`. Does no I/O by itself.
 */
export const openSiaApi = (place: { name: string; api: string; password: string }, silenceMs: number): SiaApi => {
  const url = URL.parse(place.api);
  if (url === null || !/^https?:$/.test(url.protocol) || url.username !== "" || url.password !== "" || url.search !== "") {
    throw new Failure("ConfigurationInvalid", `store "${place.name}": api must be an http or https URL without password or query`);
  }
  const base = url.href.replace(/\/$/, "");
  // Both daemons take no notice of the user's name.
  const authorization = `Basic ${Buffer.from(`:${place.password}`).toString("base64")}`;
  return ({ doing, path, body, answer, ms = silenceMs }, signal) => {
    const what = `store "${place.name}" (${base}): ${doing}`;
    return withinLimit({ what, signal, ms }, async (stop) => {
      try {
        const response = await fetch(`${base}${path}`, {
          ...(body === undefined ? {} : { method: "POST", body: JSON.stringify(body) }),
          headers: { authorization, "content-type": "application/json" },
          redirect: "error",
          signal: stop,
        });
        const bytes = await readAnswer(response, largestAnswer);
        if (!response.ok) throw failureOfStatus(what, response.status, "", undefined);
        const parsed = answer.safeParse(bytes.length === 0 ? undefined : jsonOf(bytes));
        if (parsed.success) return parsed.data;
        throw new Failure("StoreRejected", `${what}: the answer is not one that this software gives`, { cause: parsed.error });
      } catch (error) {
        throw stop.aborted || error instanceof Failure ? error : failureOfConnection(what, error);
      }
    });
  };
};

/** Undefined, which no schema takes, for what is no JSON. */
const jsonOf = (bytes: Uint8Array): unknown => {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
};
